/* SPDX-License-Identifier: Apache-2.0
 *
 * ConsumerGroup and Generation: the level below a reader with a group (kafka-go, consumergroup.go). A member joins the group
 * in the background, again and again; each time the group has agreed it hands out a generation, which says what this member
 * owns until the next rebalance. What the application does with the partitions is its own business.
 *
 *     kafka_generation *generation;
 *     while (kafka_consumer_group_next(group, ctx, &generation) == KAFKA_OK) {
 *         kafka_generation_start(generation, "worker", work, &state);   // returns when its context ends
 *         kafka_generation_free(generation);
 *     }
 */
#ifndef KAFKASIM_GROUP_H
#define KAFKASIM_GROUP_H

#include <kafkasim/address.h>
#include <kafkasim/context.h>
#include <kafkasim/group_balancer.h>

KAFKA_BEGIN

/** A member of a consumer group. Made by kafka_consumer_group_new(), given back by kafka_consumer_group_free(). */
typedef struct kafka_consumer_group kafka_consumer_group;
/** One agreement of the group, as it concerns this member. From kafka_consumer_group_next(), kafka_generation_free(). */
typedef struct kafka_generation kafka_generation;

/** Settings of a member; zero means kafka-go's default. */
typedef struct kafka_consumer_group_config {
    kafka_address *address;             /**< required; the cluster, and the process that joins. Kept: outlives the group */
    const char *group_id;               /**< required; copied */
    const char *const *topics;          /**< required, at least one; copied */
    size_t topic_count;                 /**< number of `topics` */
    const kafka_group_balancer *group_balancers; /**< in order of preference; copied. NULL: range, then round robin */
    size_t group_balancer_count;        /**< number of `group_balancers` */
    kafka_duration heartbeat_interval;  /**< 0: 3 s. A member learns of a rebalance from its next heartbeat */
    kafka_duration session_timeout;     /**< 0: 30 s. So long the coordinator waits for a heartbeat before it expels us */
    kafka_duration rebalance_timeout;   /**< 0: 30 s. So long the coordinator waits for members to join again */
    kafka_duration join_group_backoff;  /**< 0: 5 s. Pause after a failed round */
    kafka_duration partition_watch_interval; /**< 0: 5 s. With watch_partition_changes: time between two looks */
    bool watch_partition_changes;       /**< end the generation when a topic gets more (or fewer) partitions */
    kafka_duration retention_time;      /**< of commits; 0: the broker's own setting. At least 1 ms, or exactly -1 ms */
    int64_t start_offset;               /**< where nothing is committed: KAFKA_FIRST_OFFSET (also 0) or KAFKA_LAST_OFFSET */
    kafka_duration timeout;             /**< 0: 5 s. Of each request; JoinGroup gets the rebalance timeout on top, SyncGroup
                                             the session timeout */
    kafka_duration dial_timeout;        /**< 0: 10 s. Of opening a connection */
} kafka_consumer_group_config;

/** Start of the log: the oldest record that is still there. */
#define KAFKA_FIRST_OFFSET ((int64_t)-2)
/** End of the log: the next record to be written. */
#define KAFKA_LAST_OFFSET ((int64_t)-1)

/** A partition this member owns. */
typedef struct kafka_partition_assignment {
    const char *topic;      /**< view, valid as long as the generation */
    int32_t partition;      /**< 0.. */
    int64_t offset;         /**< where to go on: the committed offset, else start_offset as -2 or -1 */
} kafka_partition_assignment;

/** An offset to commit. */
typedef struct kafka_partition_offset {
    const char *topic;      /**< borrowed for the call */
    int32_t partition;      /**< need not be assigned to this member */
    int64_t offset;         /**< the next one to read: one more than that of the last message handled; may go back */
} kafka_partition_offset;

/** Checks the settings and starts joining in the background.
 *
 *  group       out, owned: kafka_consumer_group_free()
 *  returns     KAFKA_OK
 *              KAFKA_ERR_INVALID_CONFIG_VALUE  the first wrong field in kafka-go's order: no address, no topics, no group id,
 *                                              a timer that is negative or 2^31 - 1 ms and more, retention_time, start_offset.
 *                                              kafka_error_detail() names it
 *              KAFKA_ERR_WRONG_THREAD, KAFKA_ERR_NODE_CRASHED
 *  blocks      no
 *  as in       kafka-go NewConsumerGroup */
KAFKA_API kafka_error kafka_consumer_group_new(const kafka_consumer_group_config *config, kafka_consumer_group **group);

/** Waits for the next generation of which this member is a part. While it goes on the member sends heartbeats by itself.
 *
 *  generation  out, owned: kafka_generation_free()
 *  returns     KAFKA_OK
 *              ctx's error
 *              KAFKA_ERR_GROUP_CLOSED           after kafka_consumer_group_close()
 *              KAFKA_ERR_REBALANCE_IN_PROGRESS  another member came or went while we joined: call again
 *              any other                        a round failed (code of the step; kafka_error_detail() says which). Call again:
 *                                               the member has left and joins anew after join_group_backoff
 *  blocks      until one of these; the member's loop waits for somebody to take a result before it goes on
 *  as in       kafka-go ConsumerGroup.Next */
KAFKA_API kafka_error kafka_consumer_group_next(kafka_consumer_group *group, kafka_context *ctx, kafka_generation **generation);

/** Ends the current generation, waits for its functions, leaves the group. Idempotent; waiting calls of
 *  kafka_consumer_group_next() get KAFKA_ERR_GROUP_CLOSED.
 *
 *  returns     KAFKA_OK; KAFKA_ERR_NODE_CRASHED when the process crashed (nothing was sent then)
 *  blocks      until the functions of the generation have returned and LeaveGroup was answered; a JoinGroup in progress is
 *              waited for, at most timeout + rebalance_timeout
 *  as in       kafka-go ConsumerGroup.Close */
KAFKA_API kafka_error kafka_consumer_group_close(kafka_consumer_group *group);

/** Gives it back. Without kafka_consumer_group_close() before, it is as if the process had been killed: the member stays in
 *  the group until its session times out. Functions of a generation must have returned. NULL is allowed. */
KAFKA_API void kafka_consumer_group_free(kafka_consumer_group *group);

/** Its number; grows by one with every rebalance of the group. */
KAFKA_API int32_t kafka_generation_id(const kafka_generation *generation);
/** The group's id. View, valid as long as the generation. */
KAFKA_API const char *kafka_generation_group_id(const kafka_generation *generation);
/** This member's id. View, valid as long as the generation. */
KAFKA_API const char *kafka_generation_member_id(const kafka_generation *generation);
/** What this member owns: ascending topics in the configured order, ascending partitions. `*assignments` is a view, valid as
 *  long as the generation; it may be NULL when nothing is assigned. Returns how many. */
KAFKA_API size_t kafka_generation_assignments(const kafka_generation *generation,
                                              const kafka_partition_assignment **assignments);
/** A context that ends with KAFKA_ERR_GENERATION_ENDED once the generation is over. View, valid as long as the generation. */
KAFKA_API kafka_context *kafka_generation_context(kafka_generation *generation);

/** Starts `run` as a task. Whenever a started function returns, also normally, the generation ends; the member joins again
 *  only when all of them have returned, so one that does not look at its context holds it out of the group. After the end of
 *  the generation `run` is still called, with its context already ended.
 *
 *  name        of the task; copied
 *  run         gets kafka_generation_context() and `argument` (kept until it returns)
 *  returns     KAFKA_OK, KAFKA_ERR_WRONG_THREAD, KAFKA_ERR_NODE_CRASHED, KAFKA_ERR_CLOSED (the group is being freed)
 *  blocks      no
 *  as in       kafka-go Generation.Start */
KAFKA_API kafka_error kafka_generation_start(kafka_generation *generation, const char *name,
                                             void (*run)(kafka_context *ctx, void *argument), void *argument);

/** Commits offsets under this generation's id. Not limited to assigned partitions; may go back.
 *
 *  offsets     `count` of them, borrowed. Two for one partition: the higher wins
 *  returns     KAFKA_OK, also for count 0, without a request
 *              KAFKA_ERR_ILLEGAL_GENERATION, KAFKA_ERR_UNKNOWN_MEMBER_ID  the group has moved on; take the next generation
 *              KAFKA_ERR_REBALANCE_IN_PROGRESS  members have joined and wait for the leader's assignment: not stored
 *              KAFKA_ERR_GENERATION_ENDED       the member has gone on to its next generation (kafka-go: closed connection)
 *              any other code of a partition    the first one
 *              KAFKA_ERR_DEADLINE_EXCEEDED      no answer within the config's timeout, or ctx's deadline; it may have happened
 *              KAFKA_ERR_CONNECTION_RESET       it may have happened
 *              ctx's error
 *  blocks      until the answer
 *  as in       kafka-go Generation.CommitOffsets; OffsetCommit (API 8) v2 */
KAFKA_API kafka_error kafka_generation_commit(kafka_generation *generation, kafka_context *ctx,
                                              const kafka_partition_offset *offsets, size_t count);

/** Gives this reference back. It does not end the generation. NULL is allowed. */
KAFKA_API void kafka_generation_free(kafka_generation *generation);

KAFKA_END

#endif
