/* SPDX-License-Identifier: Apache-2.0
 *
 * A partition's log: batches of Kafka's v2 bytes, one after another, in segments (Kafka's UnifiedLog and LogSegment;
 * rules LG-1..LG-16). It knows no broker, no clock and no network: times come in as arguments.
 *
 *     log      segment 0 | segment 1000 | segment 2400 (active)
 *     segment  chunk 1 KiB | chunk 2 KiB | ... | chunk 256 KiB          chunks are ks_blocks, growing at their end only
 *     chunk    batch batch batch ...   + every 4 KiB one index entry (offset, position, largest timestamp before it)
 *
 * What a reader gets is a slice of a chunk, held by count: nothing is copied unless a read spans two chunks. Segments
 * and chunks are found by binary search, the batch by the index and at most 4 KiB of batch headers: O(log n).
 */
#ifndef KS_LOG_H
#define KS_LOG_H

#include "sim/base/block.h"
#include "sim/protocol/record_batch.h"

typedef struct ks_log ks_log;

typedef struct ks_log_segment {      /* what tests and retention look at */
    int64_t base_offset, end_offset; /* [base, end) */
    int64_t size;                    /* bytes */
    int64_t roll_timestamp;          /* largest timestamp of its first batch; -1: none (LG-9) */
    int64_t max_timestamp;           /* -1: none */
    int64_t created_ms, modified_ms; /* broker time; the latter of the last append ("file time") */
} ks_log_segment;

ks_log *ks_log_new(int64_t now_ms);
void ks_log_free(ks_log *log); /* NULL is allowed; readers keep the chunks they hold */

int64_t ks_log_start_offset(const ks_log *log); /* all four: 0 for NULL, a log that nothing was ever written to */
int64_t ks_log_high_watermark(const ks_log *log);
int64_t ks_log_end_offset(const ks_log *log);
int64_t ks_log_size(const ks_log *log); /* bytes */
int32_t ks_log_segment_count(const ks_log *log);
const ks_log_segment *ks_log_segment_at(const ks_log *log,
                                        int32_t index); /* oldest first; view until the log changes */

/* ---- appending ---- */

typedef struct ks_log_append_rules {
    int32_t leader_epoch;
    int64_t log_append_time_ms; /* -1: the batch keeps its create times */
    int64_t now_ms;
    int64_t segment_bytes, segment_ms;
} ks_log_append_rules;
typedef struct ks_log_appended {
    int64_t base_offset;
    ks_bytes stored;    /* the batch as it stands in the log; view until the log changes */
    const char *rolled; /* "size", "time": a new segment began with it; NULL: none did */
} ks_log_appended;
/* Appends one whole batch that has passed its checks; copies it, sets offset, leader epoch and log append time, and the
 * header's max_timestamp where the bytes say otherwise. Rolls first when due (LG-9). The high watermark stays. */
void ks_log_append(ks_log *log, ks_bytes batch, const ks_batch_header *header, const ks_log_append_rules *rules,
                   ks_log_appended *out);
void ks_log_set_high_watermark(ks_log *log, int64_t offset); /* asserts log start <= offset <= log end */
void ks_log_roll(ks_log *log, int64_t now_ms);               /* an empty active segment stays */

/* ---- reading ---- */

typedef struct ks_log_slice {
    ks_bytes bytes;  /* whole batches; size 0: nothing to read */
    ks_block *block; /* holds them; one reference is the caller's: ks_block_release; NULL when empty */
} ks_log_slice;
/* Reads whole batches below `bound` from the batch that contains `offset` on, at most `max_bytes` of them, but the
 * first one in any case if `at_least_one`. Never crosses a segment (LG-29). Cost: O(log n), plus the bytes if it spans
 * chunks. */
void ks_log_read(const ks_log *log, int64_t offset, int64_t bound, int64_t max_bytes, bool at_least_one,
                 ks_log_slice *out);
/* Bytes of the batches in [offset, bound) that one read could return; -1 when more lies in a younger segment (a read
 * will never get more by waiting). Cost: O(log n). */
int64_t ks_log_readable(const ks_log *log, int64_t offset, int64_t bound);

typedef struct ks_log_position {
    int64_t offset, timestamp_ms;
    int32_t leader_epoch;
} ks_log_position;
/* First record at or after log start and below `bound` whose timestamp is at least `timestamp_ms`; false: none. Cost:
 * O(log n + one batch). */
bool ks_log_find_time(const ks_log *log, int64_t timestamp_ms, int64_t bound, ks_log_position *out);
/* The first record with the greatest timestamp (ListOffsets -3); false: no record has one. */
bool ks_log_find_max_timestamp(const ks_log *log, ks_log_position *out);

/* ---- deleting from the front ---- */

/* Raises the log start (DeleteRecords); segments wholly below it go at the next retention (LG-14). Never lowers it. */
void ks_log_raise_start(ks_log *log, int64_t offset);
typedef enum ks_log_deletion { KS_LOG_BY_TIME, KS_LOG_BY_SIZE, KS_LOG_BY_START } ks_log_deletion;
typedef struct ks_log_retention {
    bool deletes;                          /* cleanup.policy has delete; else only LG-14 applies */
    int64_t retention_ms, retention_bytes; /* negative: no limit */
    int64_t now_ms;
} ks_log_retention;
/* Deletes the oldest segment if the rules say so; false when it stays (then nothing younger goes either). Rolls the
 * active one first if it goes too (LG-15). *gone tells what went. */
bool ks_log_delete_oldest(ks_log *log, const ks_log_retention *rules, ks_log_deletion *why, ks_log_segment *gone);
/* The earliest broker time at which ks_log_delete_oldest() could find something if nothing is appended; INT64_MAX:
 * never. */
int64_t ks_log_retention_due(const ks_log *log, const ks_log_retention *rules);

/* ---- leader epochs (KIP-101; Kafka's LeaderEpochFileCache) ---- */

void ks_log_epoch_begins(ks_log *log, int32_t epoch);       /* a leader takes office at the log end */
int32_t ks_log_latest_epoch(const ks_log *log);             /* -1: none */
int32_t ks_log_epoch_at(const ks_log *log, int64_t offset); /* -1: unknown */
/* The table of section 2.6: end offset for an epoch; both -1 when undefined. */
void ks_log_epoch_end(const ks_log *log, int32_t epoch, int32_t *answer_epoch, int64_t *end_offset);

#endif
