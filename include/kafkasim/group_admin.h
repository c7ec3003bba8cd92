/* SPDX-License-Identifier: Apache-2.0
 *
 * What an administrator does with consumer groups, as Java's Admin and kafka-consumer-groups.sh do it: list and describe
 * groups of both protocols, their lag; alter, reset and delete their offsets; remove members; delete groups.
 *
 *     kafka_reset_plan *plan = NULL;                        // what would it mean to read the last hour again?
 *     kafka_topic_partition whole = { "orders", -1 };
 *     kafka_error error = kafka_client_reset_consumer_group_offsets(client, ctx, &(kafka_reset_request){
 *         .group = "billing", .partitions = &whole, .count = 1,
 *         .to = KAFKA_RESET_BY_DURATION, .duration = 3600 * KAFKA_SECOND, .dry_run = true }, &plan);
 *     if (error == KAFKA_OK) error = plan->error;           // an answer came: perhaps that the group is not at rest
 *     for (size_t i = 0; error == KAFKA_OK && i < plan->count; i++) {
 *         const kafka_reset_offset *item = &plan->items[i]; // each with an error of its own
 *         printf("%s[%d]: ", item->topic, item->partition);
 *         if (item->error != KAFKA_OK) printf("%s\n", kafka_error_text(item->error));
 *         else printf("%lld -> %lld\n", (long long)item->before, (long long)item->offset);
 *     }
 *     if (error != KAFKA_OK) fprintf(stderr, "%s\n", kafka_error_detail(address));
 *     kafka_reset_plan_free(plan);                          // NULL is allowed
 *
 * The calls follow the rules on top of <kafkasim/client.h>: what is borrowed and owned, results, NULL for a result, what else
 * can fail. They differ from the single requests there in this:
 *   - each finds the coordinators (and leaders) it needs, and asks again while these move, load or are away
 *     (NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, NOT_LEADER_OR_FOLLOWER, a broken
 *     connection): after 100 ms, 200 ms, ... at most 1 s (retry.backoff.ms, retry.backoff.max.ms), each attempt for at most
 *     30 s (request.timeout.ms);
 *   - all of it takes as long as the client's timeout allows; without one 60 s (default.api.timeout.ms), after which what did
 *     not work out has the code that stood in the way, REQUEST_TIMED_OUT for silence;
 *   - a group id may be "", which is a legal group for offsets alone; where Kafka refuses it that is INVALID_GROUP_ID.
 *
 * A group is at rest when it is Empty, has only offsets, or does not exist. Only then are its offsets altered and reset, and
 * is it deleted:
 *
 *                       | at rest              | classic with members     | consumer protocol with members
 *     alter, reset      | done                 | UNKNOWN_MEMBER_ID        | UNKNOWN_MEMBER_ID
 *     delete offsets    | done; no such group: | GROUP_SUBSCRIBED_TO_     | GROUP_SUBSCRIBED_TO_TOPIC, or done
 *                       | GROUP_ID_NOT_FOUND   | TOPIC, or done           |
 *     delete group      | done; no such group: | NON_EMPTY_GROUP          | NON_EMPTY_GROUP
 *                       | GROUP_ID_NOT_FOUND   |                          |
 *     remove members    | UNKNOWN_MEMBER_ID    | done                     | done
 */
#ifndef KAFKASIM_GROUP_ADMIN_H
#define KAFKASIM_GROUP_ADMIN_H

#include <kafkasim/client.h>

KAFKA_BEGIN

/* ---- looking ---- */

/** Which groups are listed; zero: all. */
typedef struct kafka_list_groups_options {
    const char *const *states; /**< those in one of these states, in Kafka's words, small or capital: "Stable"; NULL: any */
    size_t state_count;        /**< how many of them */
    const char *const *types;  /**< those of one of these types: "classic", "consumer"; NULL: any */
    size_t type_count;         /**< how many of them */
} kafka_list_groups_options;

/** Asks every broker for the consumer groups it coordinates: those of both protocols and those that only have offsets, but
 *  not those of other systems (protocol type "connect"). `options` NULL: all. One broker that did not answer leaves its code
 *  in `groups->error`; what the others said is there. INVALID_ARGUMENT: a state or type that Kafka has not, the detail says
 *  which there are. Admin.listConsumerGroups (ListGroups v5, API 16). */
KAFKA_API kafka_error kafka_client_list_consumer_groups(kafka_client *client, kafka_context *context,
                                                        const kafka_list_groups_options *options,
                                                        kafka_listed_groups **groups);

/** State, members with client, host, subscription (classic: of a stable group) and assignment, of groups of both protocols.
 *  Those of one coordinator are asked together: first as groups of the consumer protocol, what is none again as classic.
 *  Codes by group: GROUP_ID_NOT_FOUND (state "Dead"), INVALID_ARGUMENT (protocol type not "consumer": not a consumer group).
 *  Admin.describeConsumerGroups (ConsumerGroupDescribe, API 69, then DescribeGroups v6, API 15; KIP-1043). */
KAFKA_API kafka_error kafka_client_describe_consumer_groups(kafka_client *client, kafka_context *context,
                                                            const char *const *groups, size_t count,
                                                            kafka_described_groups **described);

/** How far a group is behind on one partition. */
typedef struct kafka_partition_lag {
    const char *topic;          /**< name of the topic */
    int32_t partition;          /**< number of the partition, from 0 */
    int64_t committed;          /**< next offset to read; -1: none committed */
    int64_t end;                /**< end of the log as a consumer sees it; -1: not known, see `error` */
    int64_t lag;                /**< end - committed, below 0 when the commit is beyond the end; -1 with `unknown` */
    bool unknown;               /**< nothing is committed, or the end is not known: kafka-consumer-groups.sh prints "-" */
    const char *member;         /**< member id of the owner; NULL: nobody has it */
    const char *group_instance; /**< its group.instance.id; NULL: none */
    const char *client;         /**< its client id; NULL: nobody has it */
    const char *host;           /**< its host; NULL: nobody has it */
    kafka_error error;          /**< of looking the end up: UNKNOWN_TOPIC_OR_PARTITION */
} kafka_partition_lag;

/** Answer of kafka_client_consumer_group_lag(). */
typedef struct kafka_group_lag {
    kafka_error error;                /**< of the whole: GROUP_ID_NOT_FOUND; then there are no items */
    const char *state;                /**< Kafka's word, as in kafka_described_group */
    const kafka_partition_lag *items; /**< what members own and what has a committed offset, by topic and partition */
    size_t count;                     /**< how many there are */
    int64_t total;                    /**< sum of the lags that are known and above 0 */
} kafka_group_lag;

/** The lag of a group, partition by partition, with who owns what. kafka-consumer-groups.sh --describe --group: describes
 *  the group, reads its committed offsets, looks the ends up at the leaders (one request a leader). */
KAFKA_API kafka_error kafka_client_consumer_group_lag(kafka_client *client, kafka_context *context, const char *group,
                                                      kafka_group_lag **lag);
/** Gives a kafka_group_lag back, with everything it points to. Never blocks. NULL is allowed. */
KAFKA_API void kafka_group_lag_free(kafka_group_lag *lag);

/* ---- offsets ---- */

/** Committed offsets of a group: of the named partitions, or (count 0) all it has. A group that does not exist has none.
 *  Admin.listConsumerGroupOffsets (OffsetFetch v9, API 9). */
KAFKA_API kafka_error kafka_client_list_consumer_group_offsets(kafka_client *client, kafka_context *context, const char *group,
                                                               const kafka_topic_partition *partitions, size_t count,
                                                               kafka_group_offsets **offsets);

/** Commits offsets for a group at rest; one that does not exist comes into being. Topic, partition, offset, metadata are
 *  read. As in Kafka nobody compares offsets with the log. Codes by partition: UNKNOWN_MEMBER_ID (the group has members: stop
 *  them first), UNKNOWN_TOPIC_OR_PARTITION, OFFSET_METADATA_TOO_LARGE. INVALID_ARGUMENT: an offset below 0.
 *  Admin.alterConsumerGroupOffsets (OffsetCommit v9, API 8, generation -1). */
KAFKA_API kafka_error kafka_client_alter_consumer_group_offsets(kafka_client *client, kafka_context *context, const char *group,
                                                                const kafka_group_offset *offsets, size_t count,
                                                                kafka_group_offsets **results);

/** Forgets committed offsets. Codes: GROUP_ID_NOT_FOUND, INVALID_GROUP_ID (""), NON_EMPTY_GROUP (members of another protocol
 *  type) of the whole; by partition GROUP_SUBSCRIBED_TO_TOPIC, UNKNOWN_TOPIC_OR_PARTITION. What has no offset counts as done.
 *  Admin.deleteConsumerGroupOffsets (OffsetDelete, API 47, KIP-496). */
KAFKA_API kafka_error kafka_client_delete_consumer_group_offsets(kafka_client *client, kafka_context *context,
                                                                 const char *group, const kafka_topic_partition *partitions,
                                                                 size_t count, kafka_group_offsets **results);

/** Where a reset goes; the option of kafka-consumer-groups.sh --reset-offsets in brackets. */
typedef enum kafka_reset_target {
    KAFKA_RESET_TO_EARLIEST = 1, /**< first offset that is still there (--to-earliest) */
    KAFKA_RESET_TO_LATEST,       /**< end of the log (--to-latest) */
    KAFKA_RESET_TO_CURRENT,      /**< the committed offset; where there is none, the end of the log (--to-current) */
    KAFKA_RESET_TO_OFFSET,       /**< `offset` (--to-offset) */
    KAFKA_RESET_SHIFT_BY,        /**< the committed offset plus `offset`, which may be below 0 (--shift-by) */
    KAFKA_RESET_TO_DATETIME,     /**< first record not older than `time`; when all are, the end (--to-datetime) */
    KAFKA_RESET_BY_DURATION      /**< the same, so long ago as `duration` (--by-duration) */
} kafka_reset_target;

/** What to reset, and where to. */
typedef struct kafka_reset_request {
    const char *group;                       /**< group id */
    const kafka_topic_partition *partitions; /**< what to reset; partition -1 is all partitions of the topic */
    size_t count;                            /**< how many of them; 0: everything the group has committed (--all-topics) */
    kafka_reset_target to;                   /**< where to */
    int64_t offset;                          /**< of TO_OFFSET, SHIFT_BY */
    kafka_time time;                         /**< of TO_DATETIME: nanoseconds since the epoch, not below 0 */
    kafka_duration duration;                 /**< of BY_DURATION: not below 0 */
    bool dry_run;                            /**< only make the plan (--dry-run) */
} kafka_reset_request;

/** What becomes of one partition. */
typedef struct kafka_reset_offset {
    const char *topic; /**< name of the topic */
    int32_t partition; /**< number of the partition, from 0; -1: all of a topic that does not exist */
    int64_t before;    /**< committed before; -1: none */
    int64_t offset;    /**< committed now, or to be; -1: see `error` */
    bool clamped;      /**< what was asked for lay outside the log: moved to its first offset or its end */
    kafka_error error; /**< UNKNOWN_TOPIC_OR_PARTITION; NO_OFFSET_FOR_PARTITION: a shift from where nothing is committed */
} kafka_reset_offset;

/** Answer of kafka_client_reset_consumer_group_offsets(). */
typedef struct kafka_reset_plan {
    kafka_error error;               /**< of the whole: UNKNOWN_MEMBER_ID, the group is not at rest; then there are no items */
    const char *state;               /**< the group's, in Kafka's word; "Dead": there is none yet */
    const kafka_reset_offset *items; /**< by topic and partition, each once */
    size_t count;                    /**< how many there are */
    bool executed;                   /**< the offsets were committed; false: dry run, or an error */
} kafka_reset_plan;

/** Moves committed offsets of a group at rest, within the limits of the log. All or nothing: when one partition has an error,
 *  nothing is committed. The group is looked at first, as the tool does, so that a dry run is refused as the run would be;
 *  should a member join in between, the coordinator refuses with the same code. INVALID_ARGUMENT: an unknown target, a time or
 *  duration below 0, partition below -1. kafka-consumer-groups.sh --reset-offsets (KIP-122). */
KAFKA_API kafka_error kafka_client_reset_consumer_group_offsets(kafka_client *client, kafka_context *context,
                                                                const kafka_reset_request *request, kafka_reset_plan **plan);
/** Gives a kafka_reset_plan back, with everything it points to. Never blocks. NULL is allowed. */
KAFKA_API void kafka_reset_plan_free(kafka_reset_plan *plan);

/* ---- members and groups ---- */

/** A member to remove: named by its id, by its group.instance.id, or both (then both must fit: FENCED_INSTANCE_ID). */
typedef struct kafka_member_to_remove {
    const char *member;         /**< member id; NULL or "": by instance alone */
    const char *group_instance; /**< group.instance.id; NULL: by id alone */
    kafka_error error;          /**< what became of it; in answers only */
} kafka_member_to_remove;

/** Answer of kafka_client_remove_group_members(). */
typedef struct kafka_removed_members {
    kafka_error error;               /**< of the whole: GROUP_ID_NOT_FOUND when all were to go; INVALID_GROUP_ID */
    const kafka_member_to_remove *items; /**< in the order of the coordinator's answer; strings may be "" */
    size_t count;                    /**< how many there are */
} kafka_removed_members;

/** Removes members; a rebalance follows, and a dynamic member that still lives joins again. `count` 0: all there are, as
 *  described at that moment, static ones by their instance id. `reason` is told to the coordinator, at most 255 bytes of it;
 *  NULL or "": "member was removed by an admin" (KIP-800). Codes by member: UNKNOWN_MEMBER_ID (also when there is no such
 *  group), FENCED_INSTANCE_ID. INVALID_ARGUMENT: a member with neither name. When only classic members remain in a group of the
 *  consumer protocol it is a classic group again. Admin.removeMembersFromConsumerGroup (LeaveGroup v5, API 13, KIP-345). */
KAFKA_API kafka_error kafka_client_remove_group_members(kafka_client *client, kafka_context *context, const char *group,
                                                        const kafka_member_to_remove *members, size_t count, const char *reason,
                                                        kafka_removed_members **removed);
/** Gives a kafka_removed_members back, with everything it points to. Never blocks. NULL is allowed. */
KAFKA_API void kafka_removed_members_free(kafka_removed_members *removed);

/** Deletes groups at rest with their offsets, each at its own coordinator. Codes by group: NON_EMPTY_GROUP,
 *  GROUP_ID_NOT_FOUND, INVALID_GROUP_ID. In the order asked. Admin.deleteConsumerGroups (DeleteGroups v2, API 42). */
KAFKA_API kafka_error kafka_client_delete_consumer_groups(kafka_client *client, kafka_context *context,
                                                          const char *const *groups, size_t count,
                                                          kafka_named_errors **results);

KAFKA_END

#endif
