/* SPDX-License-Identifier: Apache-2.0
 *
 * One-liners that bring a cluster into the state a test starts from. Where Kafka has a request for it, that request is sent by
 * a client process named "ksim" and the call blocks (in virtual time, a few milliseconds) for the answer, in a task too;
 * where Kafka has none it is a named command in the trace and takes no time. Errors are Kafka's, with ksim_error_detail().
 */
#ifndef KAFKASIM_KSIM_FIXTURES_H
#define KAFKASIM_KSIM_FIXTURES_H

#include <kafkasim/ksim_run.h>
#include <kafkasim/message.h>

KAFKA_BEGIN

/** A topic to create. */
typedef struct ksim_new_topic {
    const char *name;             /**< as Kafka allows: at most 249 letters, digits, '.', '_', '-' */
    int32_t partitions;           /**< 0: the brokers' num.partitions */
    int16_t replication_factor;   /**< 0: 3, or as many as there are brokers when those are fewer */
    const ksim_setting *configs;  /**< by Kafka's names, ended by a NULL name; NULL: none */
} ksim_new_topic;

/** Creates a topic (CreateTopics). Replication factor as ksim_new_topic's default.
 *  @return KAFKA_ERR_TOPIC_ALREADY_EXISTS, KAFKA_ERR_INVALID_TOPIC_EXCEPTION, KAFKA_ERR_INVALID_PARTITIONS, ... */
KAFKA_API kafka_error ksim_create_topic(ksim *sim, const char *topic, int32_t partitions);
/** Creates topics in one request. The first error is returned; the topics before and after it may have been created. */
KAFKA_API kafka_error ksim_create_topics(ksim *sim, const ksim_new_topic *topics, size_t count);

/** Appends a record with the present time (Produce, acks all). Strings are C strings; NULL is null. */
KAFKA_API kafka_error ksim_put(ksim *sim, const char *topic, int32_t partition, const char *key, const char *value);
/** Appends records (Produce, acks all): of each message topic, partition, key, value, headers and time (0: now) are read.
 *  Those of one partition become one batch (more when max.message.bytes asks for it), those of one broker one request. */
KAFKA_API kafka_error ksim_put_messages(ksim *sim, const kafka_message *messages, size_t count);

/** Sets a group's committed offset (OffsetCommit without a member).
 *  @return KAFKA_ERR_UNKNOWN_MEMBER_ID while the group has members: stop them first, as in Kafka */
KAFKA_API kafka_error ksim_set_committed_offset(ksim *sim, const char *group, const char *topic, int32_t partition, int64_t offset);

/** Makes `broker` the leader of a partition; it must be one of its live replicas. A named command. */
KAFKA_API kafka_error ksim_move_leader(ksim *sim, const char *topic, int32_t partition, int32_t broker);
/** Makes `broker` the coordinator of a group: leader of the group's partition of __consumer_offsets. A named command. */
KAFKA_API kafka_error ksim_move_coordinator(ksim *sim, const char *group, int32_t broker);
/** Removes the members of a client from a group, as an administrator would (LeaveGroup by member id). See also
 *  kafka_client_remove_group_members(), which names members, not clients. */
KAFKA_API kafka_error ksim_expel_member(ksim *sim, const char *group, const char *client);
/** The coordinator takes the sessions of a client's members in a group for expired, now. A named command. */
KAFKA_API kafka_error ksim_expire_session(ksim *sim, const char *group, const char *client);

KAFKA_END

#endif
