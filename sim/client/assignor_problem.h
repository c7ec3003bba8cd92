/* SPDX-License-Identifier: Apache-2.0
 *
 * An assignment problem in numbers, which all assignors work on: topics by name, members by id, each partition one flat
 * number (its topic's first + its own), racks as bit sets. The solution is one array: owner[flat] = member.
 */
#ifndef KS_CLIENT_ASSIGNOR_PROBLEM_H
#define KS_CLIENT_ASSIGNOR_PROBLEM_H

#include "sim/client/assignor.h"

typedef struct ks_problem_topic {
    ks_string name;
    int32_t first, count;      /* flat numbers of its partitions; count 0 when nobody subscribes */
    const int32_t *members;    /* subscribers, ascending */
    int32_t member_count;
    const ks_replica_racks *replica_racks;
} ks_problem_topic;

typedef struct ks_problem_member {
    const ks_assignor_member *in;
    const int32_t *topics; /* existing topics, ascending, none twice; equal subscriptions in a row share the array */
    int32_t topic_count;
    int32_t rack;          /* -1: none */
} ks_problem_member;

typedef struct ks_problem {
    const ks_assignor_input *in;
    ks_arena *arena;
    ks_problem_topic *topics; /* ascending names */
    int32_t topic_count;
    ks_problem_member *members; /* ascending ids */
    int32_t member_count;
    int32_t partition_count;    /* of all subscribed topics */
    int32_t *owner;             /* [partition_count], first -1 everywhere */
    int32_t *topic_of;          /* [partition_count] */
    int32_t rack_words;         /* 64-bit words of a rack set; 0: no member has a rack */
    uint64_t *replica_racks;    /* [partition_count * rack_words] */
} ks_problem;

void ks_problem_init(ks_problem *problem, const ks_assignor_input *input, ks_arena *arena);
void ks_problem_shares(const ks_problem *problem, ks_assignor_share *shares);

/* Members in the order of range and roundrobin: static ones first by instance id, then dynamic ones by id. */
int32_t *ks_problem_static_first(const ks_problem *problem);
/* True when all members name the same topics, existing or not. */
bool ks_problem_subscriptions_equal(const ks_problem *problem);
/* -1: no such topic, or nobody subscribes, or no such partition. */
int32_t ks_problem_flat(const ks_problem *problem, ks_string topic, int32_t partition);
int32_t ks_problem_find_topic(const ks_problem *problem, ks_string name); /* -1: none */
bool ks_problem_subscribes(const ks_problem *problem, int32_t member, int32_t topic); /* O(log topics) */

/* Is a replica of the partition in that rack? */
static inline bool ks_problem_in_rack(const ks_problem *problem, int32_t flat, int32_t rack) {
    return rack >= 0 && (problem->replica_racks[(int64_t)flat * problem->rack_words + rack / 64] >> (rack % 64) & 1);
}
/* Kafka's switch: worth looking at racks for these members (NULL: all) and the partitions [first, first + count)? */
bool ks_problem_racks_matter(const ks_problem *problem, const int32_t *members, int32_t member_count, int32_t first,
                             int32_t count);

#endif
