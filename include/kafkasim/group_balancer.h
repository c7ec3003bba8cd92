/* SPDX-License-Identifier: Apache-2.0
 *
 * Group balancers: how the leader of a consumer group divides the partitions among the members (kafka-go, groupbalancer.go;
 * Java calls them assignors). Every member offers a list of them in order of preference, the coordinator picks one that all
 * members offer, and the leader's own code decides for everybody.
 *
 * kafka-go's range is not Java's RangeAssignor although both say "range" on the wire: of 3 partitions and 2 members kafka-go
 * gives [0] and [1,2], Java [0,1] and [2]. In a mixed group the result depends on who leads.
 */
#ifndef KAFKASIM_GROUP_BALANCER_H
#define KAFKASIM_GROUP_BALANCER_H

#include <kafkasim/base.h>
#include <kafkasim/error.h>

KAFKA_BEGIN

/** One member of the group as the leader sees it. All of it is a view for the duration of the call. */
typedef struct kafka_group_member {
    const char *id;             /**< the member id the coordinator gave */
    const char *const *topics;  /**< what it wants to read, in the order it sent */
    size_t topic_count;         /**< number of `topics`; a topic named twice makes the member take part twice */
    kafka_bytes user_data;      /**< what the member's balancer sent about itself; may be null */
} kafka_group_member;

/** One partition to be given away. All of it is a view for the duration of the call. */
typedef struct kafka_group_partition {
    const char *topic;          /**< its topic */
    int32_t partition;          /**< its number, 0.. */
    int32_t leader;             /**< id of the broker that leads it; -1 none */
    const char *leader_rack;    /**< that broker's rack; "" unknown. Never NULL */
} kafka_group_partition;

/** Nobody gets the partition (value in `owners` of kafka_group_assign_function). */
#define KAFKA_NO_OWNER ((int32_t)-1)

/** Decides who owns what: writes for each of the `partition_count` partitions the index of its member, or KAFKA_NO_OWNER,
 *  into `owners`, which comes filled with KAFKA_NO_OWNER. So no partition can get two owners.
 *
 *  members     in the order of the coordinator's answer
 *  partitions  topic by topic in ascending byte order of their names, ascending numbers
 *  returns     KAFKA_OK; any error fails this round of the group (the member leaves and tries again after its
 *              join_group_backoff). An index out of range counts as KAFKA_ERR_USER
 *  blocks      must not: it may call no kafka_ or ksim_ function. It must be a function of its arguments alone, else runs
 *              stop being repeatable
 *  as in       kafka-go GroupBalancer.AssignGroups */
typedef kafka_error kafka_group_assign_function(void *argument, const kafka_group_member *members, size_t member_count,
                                                const kafka_group_partition *partitions, size_t partition_count,
                                                int32_t *owners);

/** Tells the leader's balancer something about this member, e.g. its rack. Called before each JoinGroup.
 *
 *  data        out; a view that must stay valid until the next call. It comes as null
 *  returns     KAFKA_OK; any error fails the join
 *  as in       kafka-go GroupBalancer.UserData */
typedef kafka_error kafka_group_user_data_function(void *argument, kafka_bytes *data);

/** A balancer: one of the three below, or your own. It is copied by whom it is given to. */
typedef struct kafka_group_balancer {
    const char *name;                           /**< protocol name on the wire, 1 to 249 bytes; copied */
    kafka_group_assign_function *assign;        /**< required */
    kafka_group_user_data_function *user_data;  /**< NULL: none */
    void *argument;                             /**< given to both; kept: it must outlive the reader or group */
} kafka_group_balancer;

/** "range": topic by topic, members sorted by id; of P partitions member i of M gets the indices floor(i*P/M) up to
 *  floor((i+1)*P/M). The later members get the extra partitions. Cost O(members log members + partitions) per topic.
 *  As in kafka-go RangeGroupBalancer. */
KAFKA_API kafka_group_balancer kafka_group_balancer_range(void);

/** "roundrobin": topic by topic, members sorted by id; the partition at index k goes to member k mod M. It begins again with
 *  the first member for every topic (Java's goes on), so that one is favoured. As in kafka-go RoundRobinGroupBalancer. */
KAFKA_API kafka_group_balancer kafka_group_balancer_round_robin(void);

/** "rack-affinity": members get partitions whose leader is in their own rack as far as that keeps the shares even.
 *
 *  rack        this member's rack, kept (it must outlive the reader); NULL or "" unknown, which matches brokers without rack
 *  as in       kafka-go RackAffinityGroupBalancer, except that racks are visited in ascending byte order instead of Go's
 *              random map order */
KAFKA_API kafka_group_balancer kafka_group_balancer_rack_affinity(const char *rack);

KAFKA_END

#endif
