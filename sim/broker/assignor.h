/* SPDX-License-Identifier: Apache-2.0
 *
 * The server-side assignors of KIP-848, "uniform" and "range", as pure functions: who should own which partition, given
 * who subscribes to what and who owned it until now (the former target). As org.apache.kafka.coordinator.group.assignor,
 * with Kafka's hash-map orders fixed: members ascend by member id, topics by name.
 *
 * Made to be cheap at every join of a big group: members and topics are numbers, ownership is one int32 a partition, and
 * nothing is allocated but from `scratch`. Costs: uniform, equal subscriptions: O(members + partitions); range: the same
 * plus sorting the static members; uniform, unequal: O(sum over topics of subscribers log subscribers + partitions), at
 * most 17 times. A caller who shares one `topics` array between members with equal subscriptions also saves comparing.
 */
#ifndef KS_BROKER_ASSIGNOR_H
#define KS_BROKER_ASSIGNOR_H

#include "sim/base/base.h"

typedef struct ks_server_topic {
    int32_t partition_count;
    const int32_t *owner; /* [partition_count] the member that had the partition in the former target; -1: nobody. A number
                           * that is no longer in `order` counts as nobody. NULL: nobody owned any */
    int32_t *target;      /* [partition_count], filled: the member that should own it, -1: nobody subscribes.
                           * Must not be the same memory as `owner`. */
} ks_server_topic;

typedef struct ks_server_member {
    ks_string instance_id; /* null: dynamic */
    const int32_t *topics; /* existing subscribed topics: ascending indexes into `topics`, no duplicates */
    int32_t topic_count;
} ks_server_member;

typedef struct ks_server_assignor_input {
    ks_server_topic *topics; /* ascending by name: equal inputs must come in one order */
    int32_t topic_count;
    const ks_server_member *members; /* a member's number is its index here, for as long as the caller likes; holes allowed */
    int32_t member_count;            /* size of the array, holes included */
    const int32_t *order;            /* the members that are there: ascending member ids */
    int32_t order_count;
} ks_server_assignor_input;

typedef void ks_server_assign_fn(const ks_server_assignor_input *input, ks_arena *scratch);

ks_server_assign_fn ks_server_assign_uniform;
ks_server_assign_fn ks_server_assign_range;

/* By the name in group.consumer.assignors and ConsumerGroupHeartbeat.ServerAssignor; NULL: none of that name. */
ks_server_assign_fn *ks_server_assignor_find(ks_string name);

/* True when all members subscribe to the same topics (what Kafka calls homogeneous). */
bool ks_server_subscriptions_equal(const ks_server_assignor_input *input);

#endif
