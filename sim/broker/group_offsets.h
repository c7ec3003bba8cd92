/* SPDX-License-Identifier: Apache-2.0
 *
 * The committed offsets of one group: Kafka's OffsetMetadataManager. They change only by applying a record, or by what a
 * record was made of, once it is written. */
#ifndef KS_GROUP_OFFSETS_H
#define KS_GROUP_OFFSETS_H

#include "sim/broker/group_records.h"

/* What is kept of a ks_committed_value. There may be very many, and few have metadata or a time of their own to expire. */
typedef struct ks_committed {
    int64_t offset; /* -1: none */
    int64_t commit_ms;
    struct ks_committed_more {
        int64_t expire_ms;
        ks_string metadata; /* its bytes lie behind this */
    } * more;               /* owned; NULL: expire_ms is -1, metadata is empty */
    int32_t leader_epoch;   /* -1: unknown */
} ks_committed;
static inline ks_string ks_committed_metadata(const ks_committed *committed) {
    return committed->more != NULL ? committed->more->metadata : KS_LITERAL("");
}
static inline int64_t ks_committed_expire_ms(const ks_committed *committed) { return committed->more != NULL ? committed->more->expire_ms : -1; }

typedef struct ks_offsets_topic {
    ks_string name;      /* owned */
    ks_committed *items; /* [capacity] by partition */
    int32_t capacity, count;   /* count: partitions with an offset */
    UT_hash_handle hh;
} ks_offsets_topic;

struct ks_group_offsets {
    ks_offsets_topic *topics;
    ks_offsets_topic *recent; /* the one looked for last; NULL when that is gone */
    int32_t count; /* partitions with an offset */
};

void ks_group_offsets_free(ks_group_offsets *offsets);
void ks_group_offset_set(ks_group *group, ks_string topic, int32_t partition,
                         const ks_committed_value *value);                        /* copies */
void ks_group_offsets_commit(ks_group *group, const ks_topic_commit *commit); /* the same for each, as its records say; O(count) */
bool ks_group_offsets_repeat(const ks_group *group, const ks_topic_commit *commit); /* are these offsets what is there already? O(count) */
void ks_group_offset_remove(ks_group *group, ks_string topic, int32_t partition); /* harmless when there is none */
const ks_committed *ks_group_offset_find(const ks_group *group, ks_string topic, int32_t partition); /* NULL: none. O(1) */
int32_t ks_group_offset_count(const ks_group *group);
/* All topics with offsets, ascending by name; *count of them, the array lives in `arena`. O(topics log topics). */
ks_offsets_topic **ks_group_offset_topics(const ks_group *group, ks_arena *arena, int32_t *count);

/* Is anyone in the group subscribed to the topic, as far as the coordinator can tell? (Kafka's isSubscribedToTopic)
 * Parses every member's subscription: O(members). */
bool ks_group_subscribes(const ks_group *group, ks_string topic, ks_arena *scratch);

/* Which offsets have expired (KIP-211)? Their tombstones are added to `records`; nothing is changed. *due: when to look
 * again at the earliest for one that has not expired yet; INT64_MAX: nothing can expire as things are. O(offsets, plus
 * members when an offset's topic must be looked for). */
void ks_group_offsets_expired(const ks_group *group, int64_t now_ms, ks_arena *arena, ks_group_records *records,
                              int64_t *due);

/* Tombstones of all offsets of the group and of the group itself. O(offsets). */
void ks_group_tombstones(const ks_group *group, ks_arena *arena, ks_group_records *records);

#endif
