/* SPDX-License-Identifier: Apache-2.0
 *
 * "range" and "roundrobin" as kafka-go's groupbalancer.go has them. Both differ from Java's assignors of the same names: range
 * favours the later members, round robin begins anew for every topic.
 */
#include "sim/client/kafka_go_balancer.h"

#include "sim/client/kafka_go_balancer_topics.h"

static void range_of_topic(void *context, const ks_balanced_topic *topic) {
    int32_t *owners = context;
    int64_t partitions = topic->partition_count, members = topic->member_count;
    for (int64_t m = 0; m < members; m++)
        for (int64_t k = m * partitions / members; k < (m + 1) * partitions / members; k++)
            owners[topic->partitions[k]] = topic->members[m];
}

static void round_robin_of_topic(void *context, const ks_balanced_topic *topic) {
    int32_t *owners = context;
    for (int32_t k = 0; k < topic->partition_count; k++)
        owners[topic->partitions[k]] = topic->members[k % topic->member_count];
}

kafka_error ks_kafka_go_range(void *argument, const kafka_group_member *members, size_t member_count,
                              const kafka_group_partition *partitions, size_t partition_count, int32_t *owners) {
    ks_balance_topics(members, member_count, partitions, partition_count, KS_MEMBERS_BY_ID, range_of_topic, owners);
    return KAFKA_OK;
}

kafka_error ks_kafka_go_round_robin(void *argument, const kafka_group_member *members, size_t member_count,
                                    const kafka_group_partition *partitions, size_t partition_count, int32_t *owners) {
    ks_balance_topics(members, member_count, partitions, partition_count, KS_MEMBERS_BY_ID, round_robin_of_topic,
                      owners);
    return KAFKA_OK;
}
