/* SPDX-License-Identifier: Apache-2.0
 *
 * The Client: single requests to the cluster, as kafka-go's Client offers them: topics, partitions, settings, offsets,
 * groups. Each call sends Kafka's own request to the broker that must answer it (leader, controller, coordinator), once.
 * <kafkasim/group_admin.h> has what takes several requests, for groups of both protocols: reset offsets, lag, ...
 *
 * All calls work alike:
 *   - arguments are borrowed for the call; a list comes as pointer and count;
 *   - the context, and the client's timeout if it has one, bound the call: KAFKA_ERR_CANCELED or
 *     KAFKA_ERR_DEADLINE_EXCEEDED, and what was asked may still happen;
 *   - the last argument receives the result: one block, owned, given back with the `_free` of its type (NULL is allowed).
 *     Everything it points to lives and dies with it. It stays untouched when the call fails;
 *   - what is returned says whether an answer came (KAFKA_ERR_CONNECTION_REFUSED, ...). The brokers' codes stand inside the
 *     result, one for each topic, partition or group; kafka_error_detail() has the first that is not 0 in words. A caller
 *     who passes NULL for the result is not interested in details: then that first code is returned instead;
 *   - they block in virtual time until the answer, and fail with KAFKA_ERR_NODE_CRASHED when the client process crashes,
 *     KAFKA_ERR_WRONG_PLACE inside a callback, KAFKA_ERR_WRONG_THREAD on another thread, KAFKA_ERR_INVALID_ARGUMENT for NULL where something is needed.
 */
#ifndef KAFKASIM_CLIENT_H
#define KAFKASIM_CLIENT_H

#include <kafkasim/context.h>
#include <kafkasim/message.h>
#include <kafkasim/reader.h>
#include <kafkasim/writer.h>

KAFKA_BEGIN

typedef struct kafka_client kafka_client;

/** Settings of a client; zero means the default. */
typedef struct kafka_client_config {
    kafka_address *address; /**< required; kept until the client is freed */
    kafka_duration timeout; /**< bound of each call beside its context; 0: none */
} kafka_client_config;

/** Makes a client. Talks to nobody yet. `client` is owned: kafka_client_free(). KAFKA_ERR_INVALID_ARGUMENT: NULL;
 *  KAFKA_ERR_INVALID_CONFIG_VALUE: no address, negative timeout; KAFKA_ERR_NODE_CRASHED: the client process is down. */
KAFKA_API kafka_error kafka_client_new(const kafka_client_config *config, kafka_client **client);
/** Never blocks. Calls that wait in other tasks end with KAFKA_ERR_CLOSED. NULL is allowed. */
KAFKA_API void kafka_client_free(kafka_client *client);

/* ---- the cluster: brokers, topics, partitions ---- */

/** A broker. */
typedef struct kafka_broker {
    int32_t id; /**< number of the broker or partition */
    const char *host; /**< host name, as the brokers advertise it */
    int32_t port; /**< TCP port */
    const char *rack; /**< NULL: none */
} kafka_broker;

/** A partition, as the cluster's metadata has it. */
typedef struct kafka_partition_info {
    int32_t id; /**< number of the broker or partition */
    kafka_error error;          /**< e.g. LEADER_NOT_AVAILABLE */
    int32_t leader;             /**< broker id; -1: none */
    const int32_t *replicas;    /**< broker ids, the preferred leader first */
    size_t replica_count; /**< how many of them */
    const int32_t *in_sync_replicas; /**< broker ids */
    size_t in_sync_replica_count; /**< how many of them */
} kafka_partition_info;

/** A topic, as the cluster's metadata has it. */
typedef struct kafka_topic_info {
    const char *name; /**< the name, as Kafka spells it */
    kafka_error error; /**< UNKNOWN_TOPIC_OR_PARTITION: there is none */
    bool internal;     /**< __consumer_offsets and its like */
    const kafka_partition_info *partitions; /**< by id */
    size_t partition_count; /**< how many of them */
} kafka_topic_info;

/** Answer of kafka_client_metadata(). */
typedef struct kafka_metadata {
    const char *cluster_id; /**< the cluster's id */
    const kafka_broker *controller; /**< NULL: unknown */
    const kafka_broker *brokers;    /**< by id */
    size_t broker_count; /**< how many of them */
    const kafka_topic_info *topics; /**< by name */
    size_t topic_count; /**< how many of them */
} kafka_metadata;

/** Brokers, and the named topics or (count 0) all of them. Answered from the process's cached layout, which is up to 6 s old
 *  and refreshed by the creations of this process; never creates a topic. A topic that is not there has its code in
 *  `topics[i].error`. kafka-go Client.Metadata; for a list of topics see also Conn.ReadPartitions. */
KAFKA_API kafka_error kafka_client_metadata(kafka_client *client, kafka_context *context, const char *const *topics,
                                            size_t count, kafka_metadata **metadata);
/** Gives a kafka_metadata back, with everything it points to. Never blocks. NULL is allowed. */
KAFKA_API void kafka_metadata_free(kafka_metadata *metadata);
/** The entry of a topic in it; NULL when there is none. View. */
KAFKA_API const kafka_topic_info *kafka_metadata_find(const kafka_metadata *metadata, const char *topic);

/** Name and value of a setting, e.g. { "retention.ms", "60000" }. */
typedef struct kafka_config_entry {
    const char *name; /**< the name, as Kafka spells it */
    const char *value; /**< NULL: Kafka's null, the default where it is allowed */
} kafka_config_entry;

/** Replicas of one partition, chosen by hand. */
typedef struct kafka_replica_assignment {
    int32_t partition; /**< number of the partition, from 0 */
    const int32_t *replicas; /**< broker ids, the preferred leader first */
    size_t replica_count; /**< how many of them */
} kafka_replica_assignment;

/** A topic to make. As in kafka-go's TopicConfig the two counts are sent as they are: -1 is "the brokers' default", 0 is
 *  refused with INVALID_PARTITIONS or INVALID_REPLICATION_FACTOR. */
typedef struct kafka_topic_config {
    const char *topic; /**< name of the topic */
    int32_t partitions; /**< the partitions */
    int16_t replication_factor; /**< copies of each partition; -1: the default of the brokers */
    const kafka_replica_assignment *assignments; /**< NULL: placed by the controller; else both counts must be -1 */
    size_t assignment_count; /**< how many of them */
    const kafka_config_entry *configs; /**< the settings */
    size_t config_count; /**< how many of them */
} kafka_topic_config;

/** Outcome for one topic or group. */
typedef struct kafka_named_error {
    const char *name; /**< the name, as Kafka spells it */
    kafka_error error; /**< what became of it; KAFKA_OK: fine */
    const char *message; /**< the broker's own words; NULL: none */
} kafka_named_error;

/** Outcomes in the order of the broker's answer. */
typedef struct kafka_named_errors {
    const kafka_named_error *items; /**< the entries, `count` of them */
    size_t count; /**< how many there are */
} kafka_named_errors;
/** Gives a kafka_named_errors back, with everything it points to. Never blocks. NULL is allowed. */
KAFKA_API void kafka_named_errors_free(kafka_named_errors *errors);

/** How topics are made. */
typedef struct kafka_create_options {
    bool validate_only; /**< look whether it would work; make nothing */
    bool if_not_exists; /**< TOPIC_ALREADY_EXISTS counts as success, as kafka-go's Conn.CreateTopics has it */
} kafka_create_options;

/** Makes topics, and waits until this process's cached layout knows those that were made, so that a writer finds them at once.
 *  Codes: TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_REPLICA_ASSIGNMENT, INVALID_CONFIG,
 *  INVALID_TOPIC_EXCEPTION, INVALID_REQUEST (twice in one call). `options` NULL: neither. kafka-go Client.CreateTopics;
 *  CreateTopics (API 19), to the controller. */
KAFKA_API kafka_error kafka_client_create_topics(kafka_client *client, kafka_context *context, const kafka_topic_config *topics,
                                                 size_t count, const kafka_create_options *options,
                                                 kafka_named_errors **results);
/** Deletes topics. Codes: UNKNOWN_TOPIC_OR_PARTITION. The cached layout is not refreshed: for up to 6 s this process still
 *  sees the topic. kafka-go Client.DeleteTopics; DeleteTopics (API 20), to the controller. */
KAFKA_API kafka_error kafka_client_delete_topics(kafka_client *client, kafka_context *context, const char *const *topics,
                                                 size_t count, kafka_named_errors **results);

/** A topic to enlarge. */
typedef struct kafka_partitions_config {
    const char *topic; /**< name of the topic */
    int32_t count; /**< the new total, not how many more */
    const kafka_replica_assignment *assignments; /**< of the new partitions, in order (`partition` is not read); NULL: placed */
    size_t assignment_count; /**< how many of them */
} kafka_partitions_config;

/** Adds partitions. Keys hash differently afterwards: the same key may go to another partition. Codes: INVALID_PARTITIONS
 *  (not more than now), UNKNOWN_TOPIC_OR_PARTITION. The cached layout learns of it within 6 s.
 *  kafka-go Client.CreatePartitions; CreatePartitions (API 37), to the controller. */
KAFKA_API kafka_error kafka_client_create_partitions(kafka_client *client, kafka_context *context,
                                                     const kafka_partitions_config *topics, size_t count,
                                                     bool validate_only, kafka_named_errors **results);

/* ---- settings of topics and brokers ---- */

/** What a setting belongs to. Kafka's numbers. */
typedef enum kafka_resource_type {
    KAFKA_RESOURCE_TOPIC = 2,
    KAFKA_RESOURCE_BROKER = 4 /**< name: the broker id; "" is the default of all brokers */
} kafka_resource_type;

/** A resource whose settings are asked for. */
typedef struct kafka_config_resource {
    kafka_resource_type type; /**< what kind it is */
    const char *name; /**< the name, as Kafka spells it */
    const char *const *keys; /**< the settings wanted; NULL: all */
    size_t key_count; /**< how many of them */
} kafka_config_resource;

/** Where a setting's value comes from. Kafka's numbers (DescribeConfigsResponse.ConfigSource). */
typedef enum kafka_config_source {
    KAFKA_CONFIG_SOURCE_UNKNOWN = 0,
    KAFKA_CONFIG_SOURCE_TOPIC = 1,
    KAFKA_CONFIG_SOURCE_DYNAMIC_BROKER = 2,
    KAFKA_CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER = 3,
    KAFKA_CONFIG_SOURCE_STATIC_BROKER = 4,
    KAFKA_CONFIG_SOURCE_DEFAULT = 5
} kafka_config_source;

/** One setting as described. */
typedef struct kafka_described_config {
    const char *name; /**< the name, as Kafka spells it */
    const char *value; /**< NULL: none, or hidden because sensitive */
    kafka_config_source source; /**< where the value comes from */
    bool read_only; /**< cannot be changed while the broker runs */
    bool is_default; /**< nobody has set it */
    bool sensitive; /**< passwords and the like: the value is hidden */
} kafka_described_config;

/** The settings of one resource. */
typedef struct kafka_described_resource {
    kafka_resource_type type; /**< what kind it is */
    const char *name; /**< the name, as Kafka spells it */
    kafka_error error; /**< what became of it; KAFKA_OK: fine */
    const char *message; /**< the broker's own words; NULL: none */
    const kafka_described_config *configs; /**< the settings */
    size_t config_count; /**< how many of them */
} kafka_described_resource;

/** Answer of kafka_client_describe_configs(). */
typedef struct kafka_described_configs {
    const kafka_described_resource *resources; /**< in the order asked for */
    size_t count; /**< how many there are */
} kafka_described_configs;

/** Reads settings. Brokers' settings are asked of that broker, topics' of any. kafka-go Client.DescribeConfigs (API 32). */
KAFKA_API kafka_error kafka_client_describe_configs(kafka_client *client, kafka_context *context,
                                                    const kafka_config_resource *resources, size_t count,
                                                    kafka_described_configs **configs);
/** Gives a kafka_described_configs back, with everything it points to. Never blocks. NULL is allowed. */
KAFKA_API void kafka_described_configs_free(kafka_described_configs *configs);

/** What to do with one setting. Kafka's numbers. kafka_client_alter_configs() takes only SET. */
typedef enum kafka_config_op {
    KAFKA_CONFIG_SET = 0,
    KAFKA_CONFIG_DELETE = 1,   /**< back to the default */
    KAFKA_CONFIG_APPEND = 2,   /**< to a list */
    KAFKA_CONFIG_SUBTRACT = 3  /**< from a list */
} kafka_config_op;

/** One change of a setting. */
typedef struct kafka_config_change {
    const char *name; /**< the name, as Kafka spells it */
    const char *value;  /**< NULL with KAFKA_CONFIG_DELETE */
    kafka_config_op op; /**< set, delete, append or subtract */
} kafka_config_change;

/** The changes of one resource. */
typedef struct kafka_config_changes {
    kafka_resource_type type; /**< what kind it is */
    const char *name; /**< the name, as Kafka spells it */
    const kafka_config_change *changes; /**< what to change */
    size_t change_count; /**< how many of them */
} kafka_config_changes;

/** Replaces all settings of each resource: what is not named goes back to its default. Prefer the incremental call.
 *  Codes: INVALID_CONFIG, UNKNOWN_TOPIC_OR_PARTITION. kafka-go Client.AlterConfigs (API 33). */
KAFKA_API kafka_error kafka_client_alter_configs(kafka_client *client, kafka_context *context,
                                                 const kafka_config_changes *resources, size_t count, bool validate_only,
                                                 kafka_named_errors **results);
/** Changes the named settings only. At most one resource may be a broker (KAFKA_ERR_INVALID_ARGUMENT).
 *  Codes: INVALID_CONFIG, UNKNOWN_TOPIC_OR_PARTITION. kafka-go Client.IncrementalAlterConfigs (API 44). */
KAFKA_API kafka_error kafka_client_incremental_alter_configs(kafka_client *client, kafka_context *context,
                                                             const kafka_config_changes *resources, size_t count,
                                                             bool validate_only, kafka_named_errors **results);

/* ---- offsets and records of partitions ---- */

/** An offset to look up. */
typedef struct kafka_offset_query {
    const char *topic; /**< name of the topic */
    int32_t partition; /**< number of the partition, from 0 */
    int64_t time_ms; /**< KAFKA_FIRST_OFFSET, KAFKA_LAST_OFFSET, or: the first offset with a timestamp not below this many
                          milliseconds since the epoch */
} kafka_offset_query;

/** What was found. */
typedef struct kafka_offset_answer {
    const char *topic; /**< name of the topic */
    int32_t partition; /**< number of the partition, from 0 */
    int64_t time_ms;      /**< as asked */
    kafka_error error;    /**< e.g. UNKNOWN_TOPIC_OR_PARTITION; client-side TOPIC_NOT_CACHED and its like too */
    int64_t offset;       /**< -1: no record is that young */
    int64_t timestamp_ms; /**< of the record found; -1: none, or not asked by time */
} kafka_offset_answer;

/** Answer of kafka_client_list_offsets(). */
typedef struct kafka_listed_offsets {
    const kafka_offset_answer *items; /**< in the order asked */
    size_t count; /**< how many there are */
} kafka_listed_offsets;

/** Looks offsets up, each at its partition's leader. Fails as a whole only when every lookup failed to get an answer.
 *  kafka-go Client.ListOffsets (API 2), one request an entry. */
KAFKA_API kafka_error kafka_client_list_offsets(kafka_client *client, kafka_context *context, const kafka_offset_query *queries,
                                                size_t count, kafka_isolation_level isolation,
                                                kafka_listed_offsets **offsets);
/** Gives a kafka_listed_offsets back, with everything it points to. Never blocks. NULL is allowed. */
KAFKA_API void kafka_listed_offsets_free(kafka_listed_offsets *offsets);

/** Records to write in one request, all or nothing. */
typedef struct kafka_produce_request {
    const char *topic; /**< name of the topic */
    int32_t partition; /**< number of the partition, from 0 */
    kafka_required_acks required_acks; /**< who must have the batch before the answer */
    kafka_compression compression; /**< codec of the batch */
    const kafka_message *messages; /**< only key, value, headers, time are read */
    size_t count; /**< how many there are */
} kafka_produce_request;

/** Answer of kafka_client_produce(). */
typedef struct kafka_produced {
    kafka_error error; /**< what became of it; KAFKA_OK: fine */
    const char *message;      /**< the broker's own words; NULL: none */
    int64_t base_offset;      /**< of the first record; -1 when refused, or with KAFKA_ACKS_NONE */
    kafka_time log_append_time; /**< 0 unless message.timestamp.type=LogAppendTime */
    int64_t log_start_offset; /**< first offset that is still there */
    const size_t *rejected;   /**< indexes of the records the broker objected to */
    size_t rejected_count; /**< how many of them */
} kafka_produced;

/** Writes one batch to one partition: no batching, no retry. No messages: nothing is sent, KAFKA_OK.
 *  kafka-go Client.Produce (API 0). */
KAFKA_API kafka_error kafka_client_produce(kafka_client *client, kafka_context *context, const kafka_produce_request *request,
                                           kafka_produced **produced);
/** Gives a kafka_produced back, with everything it points to. Never blocks. NULL is allowed. */
KAFKA_API void kafka_produced_free(kafka_produced *produced);

/** What to read from one partition. */
typedef struct kafka_fetch_request {
    const char *topic; /**< name of the topic */
    int32_t partition; /**< number of the partition, from 0 */
    int64_t offset;          /**< KAFKA_FIRST_OFFSET and KAFKA_LAST_OFFSET are looked up first */
    int32_t min_bytes;       /**< the broker waits for so much; 0: 1 */
    int32_t max_bytes;       /**< 0: 1 MiB; at least one whole batch comes */
    kafka_duration max_wait; /**< 0: 500 ms */
    kafka_isolation_level isolation; /**< what is seen of transactions */
} kafka_fetch_request;

/** Answer of kafka_client_fetch(). */
typedef struct kafka_fetched {
    kafka_error error; /**< what became of it; KAFKA_OK: fine */
    int64_t high_watermark; /**< consumers read below it */
    int64_t last_stable_offset; /**< end of what read_committed may see */
    int64_t log_start_offset; /**< first offset that is still there */
    const kafka_message *messages; /**< views into this answer; may begin before the offset asked for (its batch does) */
    size_t count; /**< how many there are */
} kafka_fetched;

/** Reads once from one partition. Control records are left out. kafka-go Client.Fetch (API 1). */
KAFKA_API kafka_error kafka_client_fetch(kafka_client *client, kafka_context *context, const kafka_fetch_request *request,
                                         kafka_fetched **fetched);
/** Gives a kafka_fetched back, with everything it points to. Never blocks. NULL is allowed. */
KAFKA_API void kafka_fetched_free(kafka_fetched *fetched);

/* ---- consumer groups ---- */

/** A partition of a topic. */
typedef struct kafka_topic_partition {
    const char *topic; /**< name of the topic */
    int32_t partition; /**< number of the partition, from 0 */
} kafka_topic_partition;

/** A committed offset: the next one to read. */
typedef struct kafka_group_offset {
    const char *topic; /**< name of the topic */
    int32_t partition; /**< number of the partition, from 0 */
    int64_t offset;       /**< -1: none committed */
    const char *metadata; /**< the committer's words; "" or NULL: none */
    kafka_error error;    /**< of this partition; in answers only */
} kafka_group_offset;

/** Answer of kafka_client_offset_fetch(), _commit() and _delete(), and of their likes in group_admin.h. */
typedef struct kafka_group_offsets {
    kafka_error error; /**< of the whole */
    const kafka_group_offset *items; /**< the entries, `count` of them */
    size_t count; /**< how many there are */
} kafka_group_offsets;
/** Gives a kafka_group_offsets back, with everything it points to. Never blocks. NULL is allowed. */
KAFKA_API void kafka_group_offsets_free(kafka_group_offsets *offsets);

/** Committed offsets of a group: of the named partitions, or (count 0) all it has. kafka-go Client.OffsetFetch (API 9). */
KAFKA_API kafka_error kafka_client_offset_fetch(kafka_client *client, kafka_context *context, const char *group,
                                                const kafka_topic_partition *partitions, size_t count,
                                                kafka_group_offsets **offsets);

/** Who commits. */
typedef struct kafka_commit_request {
    const char *group; /**< group id */
    int32_t generation;         /**< -1: from outside the group, which must then be empty; a zero is sent as it is */
    const char *member;         /**< NULL or "": from outside */
    const char *group_instance; /**< NULL: none */
    const kafka_group_offset *offsets; /**< topic, partition, offset, metadata are read */
    size_t count; /**< how many there are */
} kafka_commit_request;

/** Commits offsets. Codes by partition: UNKNOWN_MEMBER_ID (a stranger, while the group has members), ILLEGAL_GENERATION,
 *  REBALANCE_IN_PROGRESS, UNKNOWN_TOPIC_OR_PARTITION. kafka-go Client.OffsetCommit (API 8). */
KAFKA_API kafka_error kafka_client_offset_commit(kafka_client *client, kafka_context *context, const kafka_commit_request *request,
                                                 kafka_group_offsets **results);
/** Forgets committed offsets. Codes: GROUP_ID_NOT_FOUND, GROUP_SUBSCRIBED_TO_TOPIC (while a member reads the topic).
 *  kafka-go Client.OffsetDelete (API 47). */
KAFKA_API kafka_error kafka_client_offset_delete(kafka_client *client, kafka_context *context, const char *group,
                                                 const kafka_topic_partition *partitions, size_t count,
                                                 kafka_group_offsets **results);

/** A group as listed. */
typedef struct kafka_listed_group {
    const char *group; /**< group id */
    int32_t coordinator;       /**< id of the broker that listed it */
    const char *protocol_type; /**< "consumer"; "" for a group that only has offsets */
    const char *state;         /**< "Stable", "Empty", ...; "" from kafka_client_list_groups(), whose version has none */
    const char *type;          /**< "classic" or "consumer" (KIP-848); "" likewise */
} kafka_listed_group;

/** Answer of kafka_client_list_groups() and kafka_client_list_consumer_groups(). */
typedef struct kafka_listed_groups {
    kafka_error error;               /**< the first code that is not 0 */
    const kafka_listed_group *items; /**< by broker, then as the broker listed them */
    size_t count; /**< how many there are */
} kafka_listed_groups;

/** Asks every broker for the groups it coordinates. kafka-go Client.ListGroups (API 16). */
KAFKA_API kafka_error kafka_client_list_groups(kafka_client *client, kafka_context *context, kafka_listed_groups **groups);
/** Gives a kafka_listed_groups back, with everything it points to. Never blocks. NULL is allowed. */
KAFKA_API void kafka_listed_groups_free(kafka_listed_groups *groups);

/** A topic with some of its partitions. */
typedef struct kafka_topic_partitions {
    const char *topic; /**< name of the topic */
    const int32_t *partitions; /**< the partitions */
    size_t partition_count; /**< how many of them */
} kafka_topic_partitions;

/** A member of a group as described. The fields from `epoch` on are told of groups of the consumer protocol (KIP-848) only. */
typedef struct kafka_described_member {
    const char *member; /**< member id */
    const char *group_instance; /**< NULL: none */
    const char *client;         /**< client id */
    const char *host; /**< host name, as the brokers advertise it */
    const char *const *topics;  /**< its subscription, when the bytes are a consumer's */
    size_t topic_count; /**< how many of them */
    const kafka_topic_partitions *assignment; /**< what it was given, when the bytes are a consumer's */
    size_t assignment_count; /**< how many of them */
    kafka_bytes metadata_bytes;   /**< as it was sent; null with the consumer protocol */
    kafka_bytes assignment_bytes; /**< as it was sent; null with the consumer protocol */
    int32_t epoch;                /**< member epoch; -1: none */
    const char *rack;             /**< client.rack; NULL: none */
    bool classic;                 /**< it speaks the classic protocol to its group (KIP-848's online migration) */
    const kafka_topic_partitions *target; /**< what it is to have once it has given up what others are to have */
    size_t target_count;          /**< how many of them */
} kafka_described_member;

/** A group as described. */
typedef struct kafka_described_group {
    const char *group; /**< group id */
    kafka_error error; /**< what became of it; KAFKA_OK: fine */
    const char *state;         /**< "Stable", "PreparingRebalance", "CompletingRebalance", "Empty", "Dead" (there is none); of
                                    the consumer protocol "Stable", "Assigning", "Reconciling", "Empty" */
    const char *protocol_type; /**< "consumer"; "" for a group that only has offsets */
    const char *protocol;      /**< the assignor that was chosen: "range" */
    const kafka_described_member *members; /**< the members */
    size_t member_count; /**< how many of them */
    const char *type;          /**< "classic" or "consumer" (KIP-848); "" when it is not known */
    int32_t coordinator;       /**< broker id; -1 from kafka_client_describe_groups(), which does not say */
    int32_t group_epoch;       /**< of the consumer protocol; -1: none */
    int32_t assignment_epoch;  /**< the group epoch that the target assignment was made for; -1: none */
} kafka_described_group;

/** Answer of kafka_client_describe_groups() and kafka_client_describe_consumer_groups(). */
typedef struct kafka_described_groups {
    const kafka_described_group *items; /**< in the order asked */
    size_t count; /**< how many there are */
} kafka_described_groups;

/** Members, state and assignments of classic groups, each asked of its coordinator; one of the consumer protocol is "Dead" to
 *  this request: kafka_client_describe_consumer_groups() knows both. kafka-go Client.DescribeGroups (API 15). */
KAFKA_API kafka_error kafka_client_describe_groups(kafka_client *client, kafka_context *context, const char *const *groups,
                                                   size_t count, kafka_described_groups **described);
/** Gives a kafka_described_groups back, with everything it points to. Never blocks. NULL is allowed. */
KAFKA_API void kafka_described_groups_free(kafka_described_groups *described);

/** Deletes groups with their offsets. Codes: NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND. As in kafka-go all are sent to the
 *  coordinator of the first: others may answer NOT_COORDINATOR. kafka-go Client.DeleteGroups (API 42). */
KAFKA_API kafka_error kafka_client_delete_groups(kafka_client *client, kafka_context *context, const char *const *groups,
                                                 size_t count, kafka_named_errors **results);

/** What FindCoordinator looks for. Kafka's numbers. */
typedef enum kafka_coordinator_type {
    KAFKA_COORDINATOR_GROUP = 0,
    KAFKA_COORDINATOR_TRANSACTION = 1
} kafka_coordinator_type;

/** Answer of kafka_client_find_coordinator(). */
typedef struct kafka_coordinator {
    kafka_error error; /**< what became of it; KAFKA_OK: fine */
    kafka_broker broker; /**< id -1, host "" when there is an error */
} kafka_coordinator;

/** Which broker coordinates a group or transactional id. kafka-go Client.FindCoordinator (API 10). */
KAFKA_API kafka_error kafka_client_find_coordinator(kafka_client *client, kafka_context *context, kafka_coordinator_type type,
                                                    const char *key, kafka_coordinator **coordinator);
/** Gives a kafka_coordinator back, with everything it points to. Never blocks. NULL is allowed. */
KAFKA_API void kafka_coordinator_free(kafka_coordinator *coordinator);

/* ---- the building blocks of group membership, raw ---- */

/** A name with bytes: an assignor with its metadata, a member with its metadata or assignment. */
typedef struct kafka_named_bytes {
    const char *name; /**< the name, as Kafka spells it */
    kafka_bytes bytes; /**< the bytes */
} kafka_named_bytes;

/** JoinGroup's fields. */
typedef struct kafka_join_group_request {
    const char *group; /**< group id */
    const char *member;           /**< "" or NULL at first */
    const char *group_instance;   /**< NULL: none */
    const char *protocol_type;    /**< NULL: "consumer" */
    kafka_duration session_timeout;   /**< 0 is sent as it is */
    kafka_duration rebalance_timeout; /**< 0 is sent as it is */
    const kafka_named_bytes *protocols; /**< assignors in order of preference */
    size_t protocol_count; /**< how many of them */
} kafka_join_group_request;

/** JoinGroup's answer. */
typedef struct kafka_joined_group {
    kafka_error error; /**< what became of it; KAFKA_OK: fine */
    int32_t generation; /**< number of the generation */
    const char *protocol; /**< the assignor that was chosen */
    const char *leader;   /**< member id */
    const char *member;   /**< this member's id */
    const kafka_named_bytes *members; /**< for the leader only: everybody's metadata */
    size_t member_count; /**< how many of them */
} kafka_joined_group;

/** Joins a group by hand; the answer comes when the rebalance is over. kafka-go Client.JoinGroup (API 11). */
KAFKA_API kafka_error kafka_client_join_group(kafka_client *client, kafka_context *context, const kafka_join_group_request *request,
                                              kafka_joined_group **joined);
/** Gives a kafka_joined_group back, with everything it points to. Never blocks. NULL is allowed. */
KAFKA_API void kafka_joined_group_free(kafka_joined_group *joined);

/** A member of a generation. */
typedef struct kafka_member_identity {
    const char *group; /**< group id */
    int32_t generation; /**< number of the generation */
    const char *member; /**< member id */
    const char *group_instance; /**< NULL: none */
} kafka_member_identity;

/** SyncGroup's fields. */
typedef struct kafka_sync_group_request {
    kafka_member_identity member; /**< member id */
    const char *protocol_type; /**< NULL: "consumer" */
    const char *protocol;      /**< the assignor that JoinGroup's answer named */
    const kafka_named_bytes *assignments; /**< of every member, from the leader; others send none */
    size_t assignment_count; /**< how many of them */
} kafka_sync_group_request;

/** SyncGroup's answer. */
typedef struct kafka_synced_group {
    kafka_error error; /**< what became of it; KAFKA_OK: fine */
    kafka_bytes assignment; /**< view */
} kafka_synced_group;

/** Hands in the assignment (the leader; others pass none) and waits for one's own. kafka-go Client.SyncGroup (API 14). */
KAFKA_API kafka_error kafka_client_sync_group(kafka_client *client, kafka_context *context, const kafka_sync_group_request *request,
                                              kafka_synced_group **synced);
/** Gives a kafka_synced_group back, with everything it points to. Never blocks. NULL is allowed. */
KAFKA_API void kafka_synced_group_free(kafka_synced_group *synced);
/** Tells the coordinator that the member lives. Returns the broker's code itself: REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION,
 *  UNKNOWN_MEMBER_ID. Goes to the coordinator (kafka-go's does not). Client.Heartbeat (API 12). */
KAFKA_API kafka_error kafka_client_heartbeat(kafka_client *client, kafka_context *context, const kafka_member_identity *member);
/** Leaves the group; only group, member and instance are read. Returns the broker's code itself. Client.LeaveGroup (API 13). */
KAFKA_API kafka_error kafka_client_leave_group(kafka_client *client, kafka_context *context, const kafka_member_identity *member);

KAFKA_END

#endif
