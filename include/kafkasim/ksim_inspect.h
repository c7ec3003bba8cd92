/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking into the cluster without a consumer and without a request: nothing is sent, no time passes, nothing changes.
 *
 * What is returned is a view of the present instant, kept by the simulator and valid until the simulation runs on (a
 * ksim_run_* call, a blocking kafka_* call, ksim_free()). Lists come with their count by out-parameter and are in the order
 * of their names and numbers. An unknown name gives NULL, with the names there are in ksim_error_detail().
 */
#ifndef KAFKASIM_KSIM_INSPECT_H
#define KAFKASIM_KSIM_INSPECT_H

#include <kafkasim/ksim_run.h>
#include <kafkasim/message.h>

KAFKA_BEGIN

/** One partition. */
typedef struct ksim_partition {
    const char *topic;         /**< its name */
    int32_t partition;         /**< its index */
    int32_t leader;            /**< broker; -1: none is alive */
    int32_t leader_epoch;      /**< counts the leaders */
    const int32_t *replicas;   /**< brokers, the preferred leader first */
    size_t replica_count;      /**< of replicas */
    const int32_t *isr;        /**< in-sync replicas */
    size_t isr_count;          /**< of isr */
    int64_t log_start_offset;  /**< first offset that can still be read */
    int64_t high_watermark;    /**< consumers read below it */
    int64_t log_end_offset;    /**< offset of the next record */
    int64_t size_bytes;        /**< of the batches in the log */
    int32_t segment_count;     /**< of the log */
} ksim_partition;

/** One topic. */
typedef struct ksim_topic {
    const char *name;          /**< as created */
    const char *id;            /**< as Kafka prints topic ids: 22 characters */
    bool internal;             /**< __consumer_offsets */
    int16_t replication_factor; /**< of its first partition */
    const ksim_partition *partitions; /**< by index */
    size_t partition_count;    /**< of partitions */
    const ksim_setting *configs; /**< what differs from the defaults, by name */
    size_t config_count;       /**< of configs */
} ksim_topic;

/** One record of a partition's log. */
typedef struct ksim_record {
    int64_t offset;            /**< its offset */
    kafka_time time;           /**< its timestamp, as a consumer sees it */
    kafka_bytes key;           /**< may be null */
    kafka_bytes value;         /**< may be null */
    const kafka_header *headers; /**< in order */
    size_t header_count;       /**< of headers */
} ksim_record;

/** A committed offset of a group. */
typedef struct ksim_committed {
    const char *topic;         /**< name */
    int32_t partition;         /**< index */
    int64_t offset;            /**< of the next record to read */
    const char *metadata;      /**< "" mostly */
    kafka_time time;           /**< of the commit */
    int64_t lag;               /**< high watermark - offset; -1: the partition is gone */
} ksim_committed;

/** A partition that a member owns. */
typedef struct ksim_assigned {
    const char *topic;         /**< name */
    int32_t partition;         /**< index */
} ksim_assigned;

/** A member as the coordinator knows it. */
typedef struct ksim_member {
    const char *id;            /**< member id */
    const char *instance_id;   /**< group.instance.id; NULL: dynamic */
    const char *client;        /**< name of the client process */
    const char *client_id;     /**< as its requests say */
    const ksim_assigned *assigned; /**< what the coordinator assigned, by topic and partition; with the consumer protocol what
                                        the member has got of it so far */
    size_t assigned_count;     /**< of assigned */
    int32_t epoch;             /**< of the consumer protocol (KIP-848): the member's own, behind the group's while it reconciles; of
                                    the classic protocol the group's generation */
    const char *state;         /**< of the consumer protocol: "STABLE", "UNREVOKED_PARTITIONS", "UNRELEASED_PARTITIONS"; NULL: a
                                    member of a classic group */
} ksim_member;

/** A consumer group as its coordinator knows it. */
typedef struct ksim_group {
    const char *name;          /**< group id */
    const char *state;         /**< Kafka's word: "Stable", "PreparingRebalance", "CompletingRebalance", "Empty", "Dead"; of a
                                    group of the consumer protocol (KIP-848) "Stable", "Assigning", "Reconciling", "Empty" */
    int32_t generation;        /**< of the last rebalance; of the consumer protocol the group epoch */
    int32_t coordinator;       /**< broker */
    const char *protocol_type; /**< "consumer"; "" when empty */
    const char *protocol;      /**< the chosen assignor: "range"; "" before */
    const char *leader;        /**< member id of the leader; "" when empty, and with the consumer protocol */
    const ksim_member *members; /**< by the name of the client process, then member id */
    size_t member_count;       /**< of members */
    const ksim_committed *committed; /**< by topic and partition */
    size_t committed_count;    /**< of committed */
} ksim_group;

/** All topics (with __consumer_offsets last). */
KAFKA_API const ksim_topic *ksim_topics(ksim *sim, size_t *count);
/** One topic by name. */
KAFKA_API const ksim_topic *ksim_topic_find(ksim *sim, const char *topic);
/** One partition. */
KAFKA_API const ksim_partition *ksim_partition_find(ksim *sim, const char *topic, int32_t partition);
/** The records of a partition from its log start offset to its end, committed or not. Costs as much as there is. */
KAFKA_API const ksim_record *ksim_records(ksim *sim, const char *topic, int32_t partition, size_t *count);
/** All groups of all coordinators. */
KAFKA_API const ksim_group *ksim_groups(ksim *sim, size_t *count);
/** One group by name, its members with their assignments and its committed offsets. */
KAFKA_API const ksim_group *ksim_group_find(ksim *sim, const char *group);
/** The committed offset, or -1 when the group has none there. */
KAFKA_API int64_t ksim_committed_offset(ksim *sim, const char *group, const char *topic, int32_t partition);
/** Records between the group's committed offset (without one: the log start) and the high watermark, summed over the
 *  topic's partitions (NULL topic: over all topics it committed for). -1: unknown group or topic. */
KAFKA_API int64_t ksim_lag(ksim *sim, const char *group, const char *topic);
/** Who has what, in one line: "c1=orders[0,1,2] c3=orders[3,4,5]", by client name. "" for a group without members. */
KAFKA_API const char *ksim_assignment(ksim *sim, const char *group);
/** Names of the client processes, in the order of their making. */
KAFKA_API const char *const *ksim_clients(ksim *sim, size_t *count);

/** The same as JSON, on one line: {"topics":[...]}, with the field names of the structs above. */
KAFKA_API const char *ksim_topics_json(ksim *sim);
/** {"topic":...,"partition":...,"records":[...]}: keys and values as text where they are UTF-8, else {"hex":"..."}. */
KAFKA_API const char *ksim_records_json(ksim *sim, const char *topic, int32_t partition);
/** {"groups":[...]} with members, assignments, offsets and lag. */
KAFKA_API const char *ksim_groups_json(ksim *sim);
/** One group as in ksim_groups_json(). */
KAFKA_API const char *ksim_group_json(ksim *sim, const char *group);

KAFKA_END

#endif
