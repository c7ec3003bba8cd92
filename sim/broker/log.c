/* SPDX-License-Identifier: Apache-2.0
 * The log's writing side: appending, rolling, deleting from the front (UnifiedLog.append, maybeRoll,
 * deleteOldSegments). */
#include "sim/broker/log_segment.h"

/* ---- life ---- */

static void add_segment(ks_log *log, int64_t now_ms) {
    if (log->first + log->segment_count == log->segment_capacity) {
        if (log->first > log->segment_count) { /* more than half is gone: move down instead of growing */
            memmove(log->segments, log->segments + log->first, (size_t)log->segment_count * sizeof *log->segments);
            log->first = 0;
        } else {
            log->segment_capacity = log->segment_capacity == 0 ? 1 : log->segment_capacity * 2;
            log->segments = ks_realloc(log->segments, (size_t)log->segment_capacity * sizeof *log->segments);
        }
    }
    int64_t running_max = log->segment_count > 0 ? ks_log_active(log)->running_max : -1;
    log->segment_count++;
    *ks_log_active(log) = (ks_segment){
        .info = { .base_offset = log->log_end,
                  .end_offset = log->log_end,
                  .roll_timestamp = -1,
                  .max_timestamp = -1,
                  .created_ms = now_ms,
                  .modified_ms = now_ms },
        .running_max = running_max,
    };
}

static void free_segment(ks_segment *segment) {
    for (int32_t i = 0; i < segment->chunk_count; i++) {
        ks_block_release(segment->chunks[i].block);
        ks_free(segment->chunks[i].index);
    }
    ks_free(segment->chunks);
}

ks_log *ks_log_new(int64_t now_ms) {
    ks_log *log = ks_alloc(sizeof *log);
    add_segment(log, now_ms);
    return log;
}

void ks_log_free(ks_log *log) {
    if (log == NULL) return;
    for (int32_t i = 0; i < log->segment_count; i++) free_segment(ks_log_segment_get(log, i));
    ks_free(log->segments);
    ks_free(log->epochs);
    ks_free(log);
}

int64_t ks_log_start_offset(const ks_log *log) { return log ? log->log_start : 0; }
int64_t ks_log_high_watermark(const ks_log *log) { return log ? log->high_watermark : 0; }
int64_t ks_log_end_offset(const ks_log *log) { return log ? log->log_end : 0; }
int64_t ks_log_size(const ks_log *log) { return log ? log->size : 0; }
int32_t ks_log_segment_count(const ks_log *log) { return log ? log->segment_count : 0; }

const ks_log_segment *ks_log_segment_at(const ks_log *log, int32_t index) {
    ks_assert(index >= 0 && index < ks_log_segment_count(log));
    return &ks_log_segment_get(log, index)->info;
}

/* ---- appending ---- */

void ks_log_roll(ks_log *log, int64_t now_ms) {
    if (ks_log_active(log)->info.size > 0) add_segment(log, now_ms);
}

/* LG-9. Time counts by the records' clock, from the first batch of the segment. */
static const char *must_roll(const ks_segment *segment, int32_t size, int64_t max_timestamp,
                             const ks_log_append_rules *rules) {
    if (segment->info.size == 0) return NULL;
    if (segment->info.size > rules->segment_bytes - size) return "size";
    int64_t from = segment->info.roll_timestamp >= 0 ? segment->info.roll_timestamp : segment->info.created_ms;
    int64_t to = segment->info.roll_timestamp >= 0 ? max_timestamp : rules->now_ms;
    return to > from && to - from > rules->segment_ms ? "time" : NULL;
}

/* A full chunk gives back the room that the next batch did not fit into, unless a reader holds it (it must not move
 * then). */
static void seal_chunk(ks_chunk *chunk) {
    if (chunk->block->references != 1 || chunk->used == chunk->block->capacity) return;
    chunk->block = ks_realloc(chunk->block, sizeof *chunk->block + (size_t)chunk->used);
    chunk->block->capacity = chunk->used;
}

static ks_chunk *add_chunk(ks_segment *segment, int32_t size, int64_t segment_bytes) {
    ks_chunk *last = segment->chunk_count > 0 ? &segment->chunks[segment->chunk_count - 1] : NULL;
    int64_t capacity = KS_CHUNK_MIN;
    if (last != NULL) {
        capacity = (int64_t)last->block->capacity * 2;
        seal_chunk(last);
    }
    if (capacity > KS_CHUNK_MAX) capacity = KS_CHUNK_MAX;
    if (capacity > segment_bytes - segment->info.size) capacity = segment_bytes - segment->info.size;
    if (capacity < size) capacity = size;
    segment->chunks = ks_log_grow(segment->chunks, segment->chunk_count, sizeof *segment->chunks);
    ks_chunk *chunk = &segment->chunks[segment->chunk_count++];
    *chunk = (ks_chunk){ .block = ks_block_new((int32_t)capacity),
                         .base_offset = segment->info.end_offset,
                         .start = segment->info.size,
                         .max_timestamp = segment->info.max_timestamp };
    if (capacity >= 2 * KS_INDEX_INTERVAL)
        chunk->index = ks_alloc((size_t)(capacity / KS_INDEX_INTERVAL) * sizeof *chunk->index);
    return chunk;
}

static ks_chunk *chunk_with_room(ks_segment *segment, int32_t size, int64_t segment_bytes) {
    if (segment->chunk_count > 0) {
        ks_chunk *last = &segment->chunks[segment->chunk_count - 1];
        if (last->block->capacity - last->used >= size) return last;
    }
    return add_chunk(segment, size, segment_bytes);
}

static void index_batch(ks_chunk *chunk, const ks_segment *segment) {
    if (chunk->index == NULL) return;
    int32_t last = chunk->index_count > 0 ? chunk->index[chunk->index_count - 1].position : 0;
    if (chunk->used - last < KS_INDEX_INTERVAL) return;
    chunk->index[chunk->index_count++] = (ks_index_entry){ (int32_t)(segment->info.end_offset - chunk->base_offset),
                                                           chunk->used, segment->info.max_timestamp };
}

void ks_log_append(ks_log *log, ks_bytes batch, const ks_batch_header *header, const ks_log_append_rules *rules,
                   ks_log_appended *out) {
    ks_assert(batch.size >= KS_BATCH_HEADER_SIZE && batch.size == ks_batch_size(header));
    ks_assert(header->last_offset_delta == header->record_count - 1 || header->record_count == 0);
    int64_t max_timestamp = rules->log_append_time_ms >= 0 ? rules->log_append_time_ms : header->max_timestamp;
    out->rolled = must_roll(ks_log_active(log), batch.size, max_timestamp, rules);
    if (out->rolled != NULL) add_segment(log, rules->now_ms);

    ks_segment *segment = ks_log_active(log);
    ks_chunk *chunk = chunk_with_room(segment, batch.size, rules->segment_bytes);
    int64_t base_offset = log->log_end;
    index_batch(chunk, segment);
    uint8_t *stored = chunk->block->data + chunk->used;
    memcpy(stored, batch.data, (size_t)batch.size);
    ks_batch_set_base_offset(stored, base_offset, rules->leader_epoch);
    if (rules->log_append_time_ms >= 0)
        ks_batch_set_log_append_time(stored, rules->log_append_time_ms);
    else if (ks_stored_max_timestamp(stored) != max_timestamp)
        ks_batch_set_max_timestamp(stored, max_timestamp);

    if (segment->info.size == 0) segment->info.roll_timestamp = max_timestamp;
    chunk->used += batch.size;
    segment->info.size += batch.size;
    segment->info.modified_ms = rules->now_ms;
    if (max_timestamp > segment->info.max_timestamp) segment->info.max_timestamp = max_timestamp;
    if (max_timestamp > segment->running_max) segment->running_max = max_timestamp;
    log->size += batch.size;
    log->log_end = segment->info.end_offset = base_offset + header->last_offset_delta + 1;
    if (rules->leader_epoch > ks_log_latest_epoch(log)) {
        log->epochs = ks_log_grow(log->epochs, log->epoch_count, sizeof *log->epochs);
        log->epochs[log->epoch_count++] = (ks_epoch_start){ rules->leader_epoch, base_offset };
    }
    out->base_offset = base_offset;
    out->stored = (ks_bytes){ stored, batch.size };
}

void ks_log_set_high_watermark(ks_log *log, int64_t offset) {
    ks_assert(offset >= log->log_start && offset <= log->log_end);
    log->high_watermark = offset;
}

/* ---- deleting from the front ---- */

void ks_log_raise_start(ks_log *log, int64_t offset) {
    ks_assert(offset <= log->high_watermark);
    if (offset <= log->log_start) return;
    log->log_start = offset;
    ks_log_epochs_cut_front(log);
}

/* When the segment's age began: its largest timestamp, or the time of its last append if it has none. */
static int64_t age_from(const ks_log_segment *info) {
    return info->max_timestamp >= 0 ? info->max_timestamp : info->modified_ms;
}

static bool older_than(int64_t now_ms, int64_t since_ms, int64_t limit_ms) {
    return now_ms > since_ms && (uint64_t)now_ms - (uint64_t)since_ms > (uint64_t)limit_ms;
}

static bool oldest_goes(const ks_log *log, const ks_log_retention *rules, ks_log_deletion *why) {
    const ks_log_segment *oldest = &ks_log_segment_get(log, 0)->info;
    if (oldest->size == 0 || oldest->end_offset > log->high_watermark) return false; /* LG-11 */
    *why = KS_LOG_BY_START;
    if (log->segment_count > 1 && oldest->end_offset <= log->log_start) return true;
    if (!rules->deletes) return false;
    *why = KS_LOG_BY_SIZE;
    if (rules->retention_bytes >= 0 && log->size - oldest->size >= rules->retention_bytes) return true;
    *why = KS_LOG_BY_TIME;
    return rules->retention_ms >= 0 && older_than(rules->now_ms, age_from(oldest), rules->retention_ms);
}

/* Cost: the segments that are left. */
static void remove_oldest(ks_log *log) {
    ks_segment *oldest = ks_log_segment_get(log, 0);
    log->size -= oldest->info.size;
    free_segment(oldest);
    log->first++;
    log->segment_count--;
    int64_t running_max = -1;
    for (int32_t i = 0; i < log->segment_count; i++) {
        ks_segment *segment = ks_log_segment_get(log, i);
        if (segment->info.max_timestamp > running_max) running_max = segment->info.max_timestamp;
        if (segment->running_max == running_max) break; /* those behind it saw nothing of what went */
        segment->running_max = running_max;
    }
}

bool ks_log_delete_oldest(ks_log *log, const ks_log_retention *rules, ks_log_deletion *why, ks_log_segment *gone) {
    ks_log_deletion reason;
    if (!oldest_goes(log, rules, &reason)) return false;
    if (log->segment_count == 1) ks_log_roll(log, rules->now_ms); /* LG-15 */
    *why = reason;
    *gone = ks_log_segment_get(log, 0)->info;
    remove_oldest(log);
    ks_log_raise_start(log, ks_log_segment_get(log, 0)->info.base_offset);
    return true;
}

int64_t ks_log_retention_due(const ks_log *log, const ks_log_retention *rules) {
    ks_log_deletion why;
    if (log == NULL) return INT64_MAX;
    const ks_log_segment *oldest = &ks_log_segment_get(log, 0)->info;
    if (oldest->size == 0) return INT64_MAX;
    if (oldest_goes(log, rules, &why)) return rules->now_ms;
    if (!rules->deletes || rules->retention_ms < 0) return INT64_MAX;
    int64_t from = age_from(oldest);
    return from > INT64_MAX - 1 - rules->retention_ms ? INT64_MAX : from + rules->retention_ms + 1;
}
