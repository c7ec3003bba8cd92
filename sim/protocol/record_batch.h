/* SPDX-License-Identifier: Apache-2.0
 *
 * Kafka's record batch v2 (magic 2): building, checking, reading. The same bytes go from producer to log to reader
 * (wire-protocol.md 3). Timestamps are milliseconds since the epoch, -1 none.
 */
#ifndef KS_RECORD_BATCH_H
#define KS_RECORD_BATCH_H

#include <kafkasim/error.h>

#include "sim/base/block.h"

enum { KS_BATCH_HEADER_SIZE = 61 };
typedef enum ks_codec { KS_CODEC_NONE, KS_CODEC_GZIP, KS_CODEC_SNAPPY, KS_CODEC_LZ4, KS_CODEC_ZSTD, KS_CODEC_COUNT } ks_codec;
enum {
    KS_ATTRIBUTE_CODEC_MASK = 0x07,
    KS_ATTRIBUTE_LOG_APPEND_TIME = 0x08,
    KS_ATTRIBUTE_TRANSACTIONAL = 0x10,
    KS_ATTRIBUTE_CONTROL = 0x20,
    KS_ATTRIBUTE_DELETE_HORIZON = 0x40
};

typedef struct ks_batch_header {
    int64_t base_offset;
    int32_t length; /* of what follows the field: total size - 12 */
    int32_t leader_epoch;
    int8_t magic;
    uint32_t crc;
    int16_t attributes;
    int32_t last_offset_delta;
    int64_t base_timestamp, max_timestamp;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t base_sequence;
    int32_t record_count;
} ks_batch_header;

/* Reads the header of the first batch in `records`. False when fewer than 61 bytes are there. Checks nothing else. */
bool ks_batch_read_header(ks_bytes records, ks_batch_header *header);
static inline int64_t ks_batch_last_offset(const ks_batch_header *header) { return header->base_offset + header->last_offset_delta; }
static inline int32_t ks_batch_size(const ks_batch_header *header) { return header->length + 12; }
uint32_t ks_batch_crc(ks_bytes batch); /* what the header's crc should be; `batch` is one whole batch */
/* In place: what a leader sets. base_offset and leader_epoch lie outside the CRC; the others recompute it. */
void ks_batch_set_base_offset(uint8_t *batch, int64_t base_offset, int32_t leader_epoch);
void ks_batch_set_log_append_time(uint8_t *batch, int64_t time_ms);
void ks_batch_set_max_timestamp(uint8_t *batch, int64_t time_ms);

/* ---- building ---- */

typedef struct ks_record_header_in { ks_string key; ks_bytes value; } ks_record_header_in; /* key never null */

typedef struct ks_batch_builder {
    ks_buffer bytes;         /* header (unfilled) and records so far, uncompressed */
    ks_batch_header header;  /* set producer fields and attributes' flags before ks_batch_finish */
    int32_t count;
    ks_codec codec;
    int32_t level;           /* of the codec; 0: its default */
    bool raw_snappy;         /* false: xerial framing (Java, kafka-go) */
    ks_buffer compressed;    /* the finished batch when a codec is set */
    bool keeps_base_timestamp; /* the builder's: begun with ks_batch_begin_like */
} ks_batch_builder;
void ks_batch_begin(ks_batch_builder *builder, ks_codec codec); /* memory is reused between batches */
void ks_batch_add(ks_batch_builder *builder, ks_bytes key, ks_bytes value, const ks_record_header_in *headers,
                  int32_t header_count, int64_t timestamp_ms); /* copies */
/* The same without copying: the caller writes a key and a value of these sizes (not null) there, before anything else is added. */
typedef struct ks_batch_room {
    uint8_t *key, *value;
    uint8_t *record, *offset_delta; /* the builder's: where they begin, */
    size_t size;                    /* and how long the record is */
} ks_batch_room;
ks_batch_room ks_batch_add_room(ks_batch_builder *builder, int32_t key_size, int32_t value_size, int64_t timestamp_ms);
/* Adds the record of *room, which is the last one, up to `times` more: each lies room->size bytes behind the one before, for the caller
 * to write over what differs. Returns how often: less where an offset delta needs more bytes. Room that moved meanwhile is told in *room. */
int32_t ks_batch_repeat(ks_batch_builder *builder, ks_batch_room *room, int32_t times);
/* For rewriting a stored batch (compaction, tests): codec, offsets' span, base timestamp, producer and flags are those of
 * `like`, records come with the offset deltas they had, and none may be left. */
void ks_batch_begin_like(ks_batch_builder *builder, const ks_batch_header *like);
void ks_batch_add_at(ks_batch_builder *builder, int32_t offset_delta, ks_bytes key, ks_bytes value,
                     const ks_record_header_in *headers, int32_t header_count, int64_t timestamp_ms);
/* Compresses, fills the header (base offset 0, leader epoch -1) and the CRC. View, valid until the next begin or deinit. */
ks_bytes ks_batch_finish(ks_batch_builder *builder);
/* The same, into a block of its own that messages and logs can share. One reference, the caller's. */
ks_block *ks_batch_finish_block(ks_batch_builder *builder, ks_bytes *batch);
void ks_batch_builder_deinit(ks_batch_builder *builder);
/* Bytes that one record adds to an uncompressed batch. */
int32_t ks_record_size(int32_t offset_delta, int64_t timestamp_delta, ks_bytes key, ks_bytes value,
                       const ks_record_header_in *headers, int32_t header_count);

/* ---- checking what a client sent: rows 2, 3, 4 and 6 to 13 of wire-protocol.md 3.3, in that order ---- */

typedef struct ks_batch_rules {
    int16_t produce_version;   /* zstd only in 7+ */
    int32_t max_message_bytes;
    int32_t max_decompressed;  /* bytes; 0: 64 MiB (WR-52) */
    bool compacted;            /* every key non-null */
    bool create_time;          /* check the timestamp window */
    int64_t now_ms, before_max_ms, after_max_ms;
} ks_batch_rules;
typedef struct ks_batch_fault {
    const char *text;            /* Kafka-like sentence; static */
    int32_t record_indexes[8];   /* offending records, for RecordErrors */
    int32_t record_index_count;  /* may be more than 8: then the first 8 are listed */
    int64_t max_timestamp;       /* no fault: the largest of the records' timestamps, which the header's must be */
} ks_batch_fault;
/* Rows 2 to 4: what a produce request's partition data must look like before the partition is looked at. */
kafka_error ks_batch_check_shape(ks_bytes records, const ks_batch_rules *rules, ks_batch_header *header, ks_batch_fault *fault);
/* Rows 6 to 13, of the batch that the shape check has found: append its first ks_batch_size(header) bytes, for a cut second
 * batch behind it is passed over, as Kafka does. Scratch memory is the callee's; nothing is changed. */
kafka_error ks_batch_check_content(ks_bytes batch, const ks_batch_rules *rules, const ks_batch_header *header, ks_batch_fault *fault);

/* ---- reading ---- */

typedef struct ks_record {
    int64_t offset, timestamp_ms; /* timestamp as a consumer sees it: log append time if the batch says so */
    ks_bytes key, value;          /* views into the batch (or into its decompressed block) */
    int32_t header_count;
    ks_bytes headers;             /* encoded; read with ks_record_header_next */
} ks_record;

/* Walks all records of a run of whole batches (an incomplete tail ends it). Compressed batches are decompressed into a
 * block of their own. A view stays valid while its block is held: `iterator->block` (NULL: the bytes given). */
typedef struct ks_record_iterator {
    ks_bytes rest;          /* batches still to come */
    ks_batch_header header; /* of the current batch */
    ks_bytes records;       /* rest of the current batch's records, uncompressed */
    ks_block *block;        /* decompressed records of the current batch; NULL when not compressed */
    int32_t left;           /* records left in the current batch */
    bool failed;            /* malformed: stop */
    kafka_error error;
} ks_record_iterator;
void ks_records_begin(ks_record_iterator *iterator, ks_bytes records);
bool ks_records_next_batch(ks_record_iterator *iterator);                  /* false: no whole batch is left, or failed */
bool ks_records_next(ks_record_iterator *iterator, ks_record *record);     /* next record of the current batch */
void ks_records_end(ks_record_iterator *iterator);                         /* releases the current block */
bool ks_record_header_next(ks_bytes *headers, ks_string *key, ks_bytes *value); /* consumes; false at the end */

/* ---- codecs and checksum ---- */

const char *ks_codec_name(ks_codec codec); /* "uncompressed", "gzip", "snappy", "lz4", "zstd" */
/* Appends; false when `in` cannot be decompressed or would exceed `max` bytes. */
bool ks_decompress(ks_codec codec, ks_bytes in, int32_t max, ks_buffer *out);
void ks_compress(ks_codec codec, ks_bytes in, int32_t level, bool raw_snappy, ks_buffer *out);
const char *ks_codec_versions(void); /* "zlib 1.2.13 snappy 1.1.9 lz4 1.9.4 zstd 1.5.4", for the head of a trace */

#endif
