/* SPDX-License-Identifier: Apache-2.0
 * What log*.c share: segments, chunks, their index. Nobody else includes this. */
#ifndef KS_LOG_SEGMENT_H
#define KS_LOG_SEGMENT_H

#include "sim/broker/log.h"

enum {
    KS_CHUNK_MIN = 1024,       /* the first chunk of a segment; each next one has twice the room ... */
    KS_CHUNK_MAX = 256 * 1024, /* ... up to this; a batch that is larger gets a chunk of its own size */
    KS_INDEX_INTERVAL = 4096   /* bytes between two index entries (index.interval.bytes' default) */
};

typedef struct ks_index_entry { /* one batch; all about the chunk it lies in */
    int32_t relative_offset, position;
    int64_t max_timestamp; /* the largest in this segment before that batch; -1 */
} ks_index_entry;

typedef struct ks_chunk {
    ks_block *block;
    ks_index_entry *index; /* room for one entry per KS_INDEX_INTERVAL; NULL: the chunk is too small to need one */
    int64_t base_offset;
    int64_t start;         /* bytes of the segment before it */
    int64_t max_timestamp; /* the largest in the segment before it; -1 */
    int32_t used, index_count;
} ks_chunk;

typedef struct ks_segment {
    ks_log_segment info;
    int64_t running_max; /* largest timestamp of this and all older segments that are left: never falls from one to the
                            next */
    ks_chunk *chunks;    /* capacity: chunk_count rounded up to a power of two */
    int32_t chunk_count;
} ks_segment;

typedef struct ks_epoch_start {
    int32_t epoch;
    int64_t start;
} ks_epoch_start;

struct ks_log {
    int64_t log_start, high_watermark, log_end, size;
    ks_segment *segments;                           /* those from `first` on are left; capacity as with chunks */
    int32_t first, segment_count, segment_capacity; /* segment_count counts from `first` */
    int32_t epoch_count;
    ks_epoch_start *epochs;
};

static inline ks_segment *ks_log_segment_get(const ks_log *log, int32_t i) { return &log->segments[log->first + i]; }
static inline ks_segment *ks_log_active(const ks_log *log) { return ks_log_segment_get(log, log->segment_count - 1); }

/* The fields of a batch header that finding needs, straight from the bytes. */
static inline uint32_t ks_be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline int64_t ks_be64(const uint8_t *p) { return (int64_t)((uint64_t)ks_be32(p) << 32 | ks_be32(p + 4)); }
static inline int64_t ks_stored_base_offset(const uint8_t *batch) { return ks_be64(batch); }
static inline int32_t ks_stored_size(const uint8_t *batch) { return (int32_t)ks_be32(batch + 8) + 12; }
static inline int32_t ks_stored_epoch(const uint8_t *batch) { return (int32_t)ks_be32(batch + 12); }
static inline int64_t ks_stored_last_offset(const uint8_t *batch) {
    return ks_be64(batch) + (int32_t)ks_be32(batch + 23);
}
static inline int64_t ks_stored_max_timestamp(const uint8_t *batch) { return ks_be64(batch + 35); }

/* Room for one more in an array that doubles from one on. */
static inline void *ks_log_grow(void *items, int32_t count, size_t item_size) {
    if ((count & (count - 1)) != 0) return items; /* not a power of two: there is room */
    return ks_realloc(items, (count == 0 ? 1 : (size_t)count * 2) * item_size);
}

void ks_log_epochs_cut_front(ks_log *log); /* after the log start moved */

#endif
