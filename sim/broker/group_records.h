/* SPDX-License-Identifier: Apache-2.0
 *
 * The records of __consumer_offsets, in the formats of Kafka's GroupMetadataKey/Value (v2, v3), OffsetCommitKey/Value
 * (v1, v3 or v1) and, of KIP-848, the keys 3 to 8 with their values (v0). The topic can be read like any other. */
#ifndef KS_GROUP_RECORDS_H
#define KS_GROUP_RECORDS_H

#include "sim/broker/group_internal.h"
#include "sim/protocol/events.h"
#include "sim/protocol/record_batch.h"
#include "sim/protocol/wire_bytes.h"

typedef struct ks_committed_value {
    int64_t offset;
    int32_t leader_epoch; /* -1: unknown */
    ks_string metadata;
    int64_t commit_ms;
    int64_t expire_ms; /* -1: by the broker's retention; else asked for by an old client */
} ks_committed_value;

/* What one commit says of one topic. */
typedef struct ks_topic_commit {
    ks_string topic;
    ks_partition_offset *offsets; /* metadata is never null */
    int32_t count;
    int64_t commit_ms, expire_ms;
} ks_topic_commit;
static inline ks_committed_value ks_topic_commit_value(const ks_topic_commit *commit, int32_t i) {
    return (ks_committed_value){ .offset = commit->offsets[i].offset,
                                 .leader_epoch = commit->expire_ms < 0 ? commit->offsets[i].leader_epoch : -1, /* the older format has no room */
                                 .metadata = commit->offsets[i].metadata,
                                 .commit_ms = commit->commit_ms,
                                 .expire_ms = commit->expire_ms };
}

typedef KS_VEC(ks_group_record) ks_group_records;

/* ---- writing: the record and its bytes live in `arena` ---- */

/* The group as it is, or with the assignments that `proposed` carries (may be NULL). O(members). */
ks_group_record *ks_group_metadata_record(ks_group *group, const ks_group_append *proposed, ks_arena *arena);
ks_group_record *ks_group_empty_record(const ks_group *group, ks_arena *arena); /* of a group just made */
ks_group_record *ks_group_tombstone(const ks_group *group, ks_arena *arena);
ks_group_record ks_offset_tombstone(ks_string group, ks_string topic, int32_t partition, ks_arena *arena);
/* A record for each offset of the commit. O(count). */
void ks_offset_records_add(ks_batch_builder *batch, ks_string group, const ks_topic_commit *commit, ks_arena *scratch);

/* ---- reading ---- */

typedef enum ks_record_kind {
    KS_RECORD_OFFSET,
    KS_RECORD_GROUP,
    KS_RECORD_CONSUMER, /* one of KIP-848: key versions 3 to 8 */
    KS_RECORD_OTHER,    /* of a kind that is not known here, or malformed */
} ks_record_kind;
typedef struct ks_group_key {
    ks_record_kind kind;
    int16_t version;
    ks_string group, topic, member; /* views into the key */
    int32_t partition;
} ks_group_key;
void ks_group_key_decode(ks_bytes key, ks_group_key *out);
bool ks_committed_value_decode(ks_bytes value, ks_committed_value *out); /* metadata is a view */

/* Applies one record as loading does (Kafka's replay): later records of a key replace earlier ones. */
void ks_groups_apply(ks_groups *groups, ks_bytes key, ks_bytes value, int64_t now_ms, ks_effects *out);

/* ---- the bytes themselves: shared with the KIP-848 records ---- */

void ks_put_i8(ks_buffer *out, int8_t value);
void ks_put_i16(ks_buffer *out, int16_t value);
void ks_put_i32(ks_buffer *out, int32_t value);
void ks_put_i64(ks_buffer *out, int64_t value);
void ks_put_string(ks_buffer *out, ks_string value);   /* int16 length; null is -1 */
void ks_put_bytes(ks_buffer *out, ks_bytes value);     /* int32 length */
ks_bytes ks_put_done(ks_buffer *out, ks_arena *arena); /* copies to the arena, empties the buffer's memory */

typedef struct ks_reader { /* after the first failure everything reads as 0 */
    const uint8_t *at, *end;
    bool failed;
} ks_reader;
static inline const uint8_t *ks_read_take(ks_reader *in, int64_t size) {
    static const uint8_t nothing[8] = { 0 };
    if (in->failed || size < 0 || size > in->end - in->at) {
        in->failed = true;
        return size <= (int64_t)sizeof nothing ? nothing : NULL;
    }
    in->at += size;
    return in->at - size;
}
static inline int8_t ks_read_i8(ks_reader *in) { return (int8_t)*ks_read_take(in, 1); }
static inline int16_t ks_read_i16(ks_reader *in) { return ks_load_i16(ks_read_take(in, 2)); }
static inline int32_t ks_read_i32(ks_reader *in) { return ks_load_i32(ks_read_take(in, 4)); }
static inline int64_t ks_read_i64(ks_reader *in) { return ks_load_i64(ks_read_take(in, 8)); }
static inline ks_string ks_read_string(ks_reader *in) {
    int16_t size = ks_read_i16(in);
    const uint8_t *data = in->failed || size < 0 ? NULL : ks_read_take(in, size);
    return in->failed || size < 0 ? KS_NULL_STRING : (ks_string){ (const char *)data, size };
}
static inline ks_bytes ks_read_bytes(ks_reader *in) {
    int32_t size = ks_read_i32(in);
    const uint8_t *data = in->failed || size < 0 ? NULL : ks_read_take(in, size);
    return in->failed || size < 0 ? KS_NULL_BYTES : (ks_bytes){ data, size };
}
/* Of an array whose elements take at least so many bytes; -1: null. */
static inline int32_t ks_read_count(ks_reader *in, int32_t least_size) {
    int32_t count = ks_read_i32(in);
    if (count > (in->end - in->at) / least_size) in->failed = true;
    return in->failed || count < 0 ? -1 : count;
}

#endif
