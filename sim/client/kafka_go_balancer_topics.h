/* SPDX-License-Identifier: Apache-2.0
 *
 * What the three balancers share: they work topic by topic, so partitions and subscriptions are gathered by topic first.
 * Cost O(n log n) in partitions plus subscriptions, whatever the number of topics.
 */
#ifndef KS_KAFKA_GO_BALANCER_TOPICS_H
#define KS_KAFKA_GO_BALANCER_TOPICS_H

#include <kafkasim/group_balancer.h>

/* One topic's share of the work: indices into the arrays that the balancer was given. */
typedef struct ks_balanced_topic {
    const int32_t *members;    /* who wants it; twice when it named the topic twice */
    int32_t member_count;      /* > 0 */
    const int32_t *partitions; /* in the order given */
    int32_t partition_count;   /* > 0 */
} ks_balanced_topic;

typedef enum ks_member_order { KS_MEMBERS_BY_ID, KS_MEMBERS_AS_GIVEN } ks_member_order;

/* Calls `visit` for every topic that has both partitions and members, in ascending byte order of topics. */
void ks_balance_topics(const kafka_group_member *members, size_t member_count, const kafka_group_partition *partitions,
                       size_t partition_count, ks_member_order order,
                       void (*visit)(void *context, const ks_balanced_topic *topic), void *context);

#endif
