/* SPDX-License-Identifier: Apache-2.0
 *
 * The partition assignors of Kafka's Java client as pure functions: range, roundrobin, sticky, cooperative-sticky
 * (org.apache.kafka.clients.consumer). The leader of a classic group runs one on what the members said in JoinGroup.
 *
 * Determinism: where Kafka iterates hash maps, members go by id, topics by name, partitions by number.
 * Costs, with M members, P partitions: range and roundrobin O(P + M log M) for equal subscriptions (roundrobin O(P M) for
 * unequal ones, range O(P M) with racks); the sticky two near-linear for equal subscriptions, O(P M) with racks, and for
 * unequal ones O(M + P) for every partition that moves.
 */
#ifndef KS_CLIENT_ASSIGNOR_H
#define KS_CLIENT_ASSIGNOR_H

#include "sim/protocol/consumer_protocol.h"

typedef enum ks_rebalance_protocol { KS_REBALANCE_EAGER, KS_REBALANCE_COOPERATIVE } ks_rebalance_protocol;

typedef struct ks_replica_racks {
    const ks_string *racks; /* of the replicas whose broker has one; may repeat */
    int32_t count;
} ks_replica_racks;

typedef struct ks_assignor_topic {
    ks_string name;
    int32_t partition_count;
    const ks_replica_racks *replica_racks; /* [partition_count]; NULL: unknown */
} ks_assignor_topic;

typedef struct ks_assignor_member {
    ks_string id;
    ks_string instance_id;            /* group.instance.id; null: dynamic */
    ks_string rack;                   /* client.rack; null or empty: none */
    const ks_string *topics;          /* subscription, in any order */
    int32_t topic_count;
    const ks_topic_partitions *owned; /* its previous assignment (sticky family only) */
    int32_t owned_count;
    int32_t generation;               /* to which `owned` belongs; -1: none */
} ks_assignor_member;

typedef struct ks_assignor_input {
    const ks_assignor_topic *topics; /* that exist, in any order, none twice */
    int32_t topic_count;
    const ks_assignor_member *members; /* in any order, none twice */
    int32_t member_count;
    int32_t *generation_max; /* in and out: the highest generation this leader's sticky assignor ever saw, first -1.
                              * NULL: a fresh one */
} ks_assignor_input;

/* What one member gets: topics ascending by name, partitions ascending. Lives in the arena given. */
typedef struct ks_assignor_share {
    ks_topic_partitions *topics;
    int32_t topic_count;
} ks_assignor_share;

/* Fills shares[member_count], in the order of `members`. Names in the shares are views of the input's. */
typedef void ks_assign_fn(const ks_assignor_input *input, ks_arena *arena, ks_assignor_share *shares);

ks_assign_fn ks_assign_range, ks_assign_roundrobin, ks_assign_sticky, ks_assign_cooperative_sticky;

typedef struct ks_assignor {
    const char *name; /* as in JoinGroup's protocols */
    ks_assign_fn *assign;
    ks_rebalance_protocol protocol; /* the most advanced one it supports */
    /* The user data of this member's subscription (null when the assignor has none), given what it owned in the
     * generation it was last stable in (-1: none). */
    ks_bytes (*user_data)(const ks_topic_partitions *owned, int32_t owned_count, int32_t generation, ks_arena *arena);
    /* Fills owned and generation of `member` from what it sent. Bytes that do not parse count as nothing. */
    void (*read_owned)(const ks_subscription *subscription, ks_arena *arena, ks_assignor_member *member);
} ks_assignor;

/* "range", "roundrobin", "sticky" or "cooperative-sticky", and the names of Kafka's classes
 * ("org.apache.kafka.clients.consumer.RangeAssignor"); NULL: none of that name. */
const ks_assignor *ks_assignor_find(ks_string name);
int32_t ks_assignor_count(void);
const ks_assignor *ks_assignor_at(int32_t index);

/* One member as the leader sees it: the JoinGroup entry and its decoded subscription. */
void ks_assignor_member_from(const ks_assignor *assignor, ks_string id, ks_string instance_id,
                             const ks_subscription *subscription, ks_arena *arena, ks_assignor_member *member);

#endif
