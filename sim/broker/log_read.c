/* SPDX-License-Identifier: Apache-2.0
 * The log's reading side: finding a batch by offset, by position, by time (LogSegment.read, findOffsetByTimestamp). All
 * searches are binary down to an index entry, then step over at most KS_INDEX_INTERVAL bytes of batches. */
#include "sim/broker/log_segment.h"

/* ---- searching ---- */

/* The last segment whose base is at or below `offset`; the first one if there is none. */
static int32_t segment_of(const ks_log *log, int64_t offset) {
    int32_t low = 0, high = log->segment_count - 1;
    while (low < high) {
        int32_t middle = low + (high - low + 1) / 2;
        if (ks_log_segment_get(log, middle)->info.base_offset <= offset)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* What to look for in chunks and their index: the last one that still lies at or before the target. */
typedef struct target {
    enum { BY_OFFSET, BY_POSITION, BY_TIME } what;
    int64_t value;
} target;

static bool chunk_before(const ks_chunk *chunk, target t) {
    switch (t.what) {
    case BY_OFFSET: return chunk->base_offset <= t.value;
    case BY_POSITION: return chunk->start <= t.value;
    case BY_TIME: return chunk->max_timestamp < t.value;
    }
    ks_unreachable("target");
}

static bool entry_before(const ks_chunk *chunk, const ks_index_entry *entry, target t) {
    switch (t.what) {
    case BY_OFFSET: return chunk->base_offset + entry->relative_offset <= t.value;
    case BY_POSITION: return chunk->start + entry->position <= t.value;
    case BY_TIME: return entry->max_timestamp < t.value;
    }
    ks_unreachable("target");
}

static const ks_chunk *find_chunk(const ks_segment *segment, target t) {
    int32_t low = 0, high = segment->chunk_count - 1;
    while (low < high) {
        int32_t middle = low + (high - low + 1) / 2;
        if (chunk_before(&segment->chunks[middle], t))
            low = middle;
        else
            high = middle - 1;
    }
    return &segment->chunks[low];
}

/* Where in the chunk to begin stepping. */
static int32_t find_entry(const ks_chunk *chunk, target t) {
    int32_t low = -1, high = chunk->index_count - 1;
    while (low < high) {
        int32_t middle = low + (high - low + 1) / 2;
        if (entry_before(chunk, &chunk->index[middle], t))
            low = middle;
        else
            high = middle - 1;
    }
    return low < 0 ? 0 : chunk->index[low].position;
}

/* Position in the segment of the first batch whose last offset is at or above `offset`; its size when there is none. */
static int64_t position_of_offset(const ks_segment *segment, int64_t offset) {
    if (offset >= segment->info.end_offset || segment->chunk_count == 0) return segment->info.size;
    if (offset <= segment->info.base_offset) return 0;
    target t = { BY_OFFSET, offset };
    const ks_chunk *chunk = find_chunk(segment, t);
    int32_t at = find_entry(chunk, t);
    while (at < chunk->used && ks_stored_last_offset(chunk->block->data + at) < offset) {
        at += ks_stored_size(chunk->block->data + at);
    }
    return chunk->start + at;
}

/* The last border between batches at or below `position`. */
static int64_t border_below(const ks_segment *segment, int64_t position) {
    if (position >= segment->info.size) return segment->info.size;
    target t = { BY_POSITION, position };
    const ks_chunk *chunk = find_chunk(segment, t);
    int32_t at = find_entry(chunk, t), wanted = (int32_t)(position - chunk->start);
    for (;;) {
        int32_t size = ks_stored_size(chunk->block->data + at);
        if (size > wanted - at) return chunk->start + at;
        at += size;
    }
}

/* ---- reading ---- */

static void copy_out(const ks_segment *segment, const ks_chunk *chunk, int64_t from, int64_t to, ks_log_slice *out) {
    out->block = ks_block_new((int32_t)(to - from));
    out->bytes = (ks_bytes){ out->block->data, (int32_t)(to - from) };
    for (int64_t at = from; at < to; chunk++) {
        ks_assert(chunk < segment->chunks + segment->chunk_count);
        int64_t end = chunk->start + chunk->used < to ? chunk->start + chunk->used : to;
        memcpy(out->block->data + (at - from), chunk->block->data + (at - chunk->start), (size_t)(end - at));
        at = end;
    }
}

void ks_log_read(const ks_log *log, int64_t offset, int64_t bound, int64_t max_bytes, bool at_least_one,
                 ks_log_slice *out) {
    *out = (ks_log_slice){ { NULL, 0 }, NULL };
    if (log == NULL || offset >= bound || offset >= log->log_end) return;
    const ks_segment *segment = ks_log_segment_get(log, segment_of(log, offset));
    int64_t from = position_of_offset(segment, offset), end = position_of_offset(segment, bound);
    if (from >= end) return;
    const ks_chunk *chunk = find_chunk(segment, (target){ BY_POSITION, from });
    int64_t first_end = from + ks_stored_size(chunk->block->data + (from - chunk->start));
    if (max_bytes > INT32_MAX) max_bytes = INT32_MAX;
    if (max_bytes < 0) max_bytes = 0;
    if (end - from > max_bytes) end = border_below(segment, from + max_bytes);
    if (end < first_end) {
        if (!at_least_one) return;
        end = first_end;
    }
    if (end <= chunk->start + chunk->used) {
        out->block = ks_block_hold(chunk->block);
        out->bytes = (ks_bytes){ chunk->block->data + (from - chunk->start), (int32_t)(end - from) };
    } else {
        copy_out(segment, chunk, from, end, out);
    }
}

int64_t ks_log_readable(const ks_log *log, int64_t offset, int64_t bound) {
    if (log == NULL || offset >= bound || offset >= log->log_end) return 0;
    const ks_segment *segment = ks_log_segment_get(log, segment_of(log, offset));
    if (bound > segment->info.end_offset) return -1;
    return position_of_offset(segment, bound) - position_of_offset(segment, offset);
}

/* ---- by time ---- */

/* The first record in the batch at or above both limits. */
static bool find_in_batch(const uint8_t *batch, int64_t timestamp_ms, int64_t least_offset, ks_log_position *out) {
    ks_record_iterator iterator;
    ks_record record;
    bool found = false;
    ks_records_begin(&iterator, (ks_bytes){ batch, ks_stored_size(batch) });
    if (ks_records_next_batch(&iterator)) {
        while (!found && ks_records_next(&iterator, &record)) {
            found = record.timestamp_ms >= timestamp_ms && record.offset >= least_offset;
        }
    }
    if (found) *out = (ks_log_position){ record.offset, record.timestamp_ms, ks_stored_epoch(batch) };
    ks_records_end(&iterator);
    return found;
}

static bool find_in_segment(const ks_segment *segment, int64_t timestamp_ms, int64_t least_offset,
                            ks_log_position *out) {
    if (segment->info.max_timestamp < timestamp_ms || segment->info.end_offset <= least_offset) return false;
    target t = { BY_TIME, timestamp_ms };
    const ks_chunk *chunk = find_chunk(segment, t), *end = segment->chunks + segment->chunk_count;
    for (int32_t at = find_entry(chunk, t); chunk < end; chunk++, at = 0) {
        for (; at < chunk->used; at += ks_stored_size(chunk->block->data + at)) {
            const uint8_t *batch = chunk->block->data + at;
            if (ks_stored_max_timestamp(batch) < timestamp_ms || ks_stored_last_offset(batch) < least_offset) continue;
            if (find_in_batch(batch, timestamp_ms, least_offset, out)) return true;
        }
    }
    return false;
}

static int32_t first_segment_reaching(const ks_log *log, int64_t timestamp_ms) {
    int32_t low = 0, high = log->segment_count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (ks_log_segment_get(log, middle)->running_max < timestamp_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool ks_log_find_time(const ks_log *log, int64_t timestamp_ms, int64_t bound, ks_log_position *out) {
    if (log == NULL) return false;
    for (int32_t i = first_segment_reaching(log, timestamp_ms); i < log->segment_count; i++) {
        ks_log_position found;
        if (!find_in_segment(ks_log_segment_get(log, i), timestamp_ms, log->log_start, &found)) continue;
        if (found.offset >= bound) return false;
        *out = found;
        return true;
    }
    return false;
}

bool ks_log_find_max_timestamp(const ks_log *log, ks_log_position *out) {
    if (log == NULL || ks_log_active(log)->running_max < 0) return false;
    return ks_log_find_time(log, ks_log_active(log)->running_max, INT64_MAX, out);
}
