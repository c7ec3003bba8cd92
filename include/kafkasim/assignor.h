/* SPDX-License-Identifier: Apache-2.0
 *
 * Partition assignors of Java's consumer: how the leader of a classic group divides the partitions among the members. Four are
 * built in (partition.assignment.strategy: range, roundrobin, sticky, cooperative-sticky); here is how to run one by hand, and
 * how to bring one of your own. kafka-go's counterparts, with other results, are in group_balancer.h.
 */
#ifndef KAFKASIM_ASSIGNOR_H
#define KAFKASIM_ASSIGNOR_H

#include <kafkasim/client.h>

KAFKA_BEGIN

/** One member as the leader sees it. All of it is a view for the call. */
typedef struct kafka_assignor_member {
    const char *id;                     /**< the member id the coordinator gave */
    const char *instance_id;            /**< group.instance.id; NULL: a dynamic member */
    const char *rack;                   /**< client.rack; NULL: none */
    const char *const *topics;          /**< what it subscribes to */
    size_t topic_count;                 /**< number of `topics` */
    const kafka_topic_partition *owned; /**< what it says it owned until now */
    size_t owned_count;                 /**< number of `owned` */
    int32_t generation;                 /**< of the group when it owned that; -1: it owned nothing */
} kafka_assignor_member;

/** One topic that exists and that some member subscribes to. All of it is a view for the call. */
typedef struct kafka_assignor_topic {
    const char *name;                   /**< its name */
    int32_t partition_count;            /**< its partitions are 0 .. partition_count - 1 */
    const char *const *const *replica_racks; /**< for each partition the racks of its replicas, each list ended by NULL;
                                             NULL: no racks are known */
} kafka_assignor_topic;

/** A partition that nobody gets (value in `owners`). */
#define KAFKA_NO_MEMBER ((int32_t)-1)

/** Decides who owns what: writes for each partition the index of its member, or KAFKA_NO_MEMBER, into `owners`, which comes
 *  filled with KAFKA_NO_MEMBER. Partition p of topics[t] stands at the sum of the counts of topics[0 .. t - 1], plus p.
 *
 *  members     ascending by id
 *  topics      ascending by name
 *  returns     KAFKA_OK; any error fails the leader's poll with it, and the rebalance with it
 *  Must not call anything of this library. As in Kafka's ConsumerPartitionAssignor.assign. */
typedef kafka_error kafka_assign_function(void *argument, const kafka_assignor_member *members, size_t member_count,
                                          const kafka_assignor_topic *topics, size_t topic_count, int32_t *owners);

/** An assignor of your own. All members of a group must have one of that name. */
typedef struct kafka_assignor {
    const char *name;              /**< protocol name on the wire, and in partition.assignment.strategy; copied */
    kafka_assign_function *assign; /**< required */
    void *argument;                /**< given to it; kept: it must outlive the consumer */
    bool cooperative;              /**< it supports COOPERATIVE: what must move from one member to another is first given to nobody.
                                        The leader checks that, and fails the rebalance when it is not so */
} kafka_assignor;

/** Runs a built-in assignor, without any group. Cost: see sim/client/assignor.h; some hundred microseconds for 1,000 members and
 *  10,000 partitions.
 *
 *  name      "range", "roundrobin", "sticky", "cooperative-sticky", or the name of Kafka's class
 *  members   in any order, ids not NULL and none twice; the others as in kafka_assign_function, in any order
 *  owners    out, for each partition of `topics` in their order
 *  returns   KAFKA_OK; KAFKA_ERR_INVALID_ARGUMENT: no such assignor, or NULL where something is needed
 *  blocks    no */
KAFKA_API kafka_error kafka_assign(const char *name, const kafka_assignor_member *members, size_t member_count,
                                   const kafka_assignor_topic *topics, size_t topic_count, int32_t *owners);

KAFKA_END

#endif
