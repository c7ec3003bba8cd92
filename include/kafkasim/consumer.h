/* SPDX-License-Identifier: Apache-2.0
 *
 * Consumer: the poll-driven consumer of Kafka's Java client (KafkaConsumer), with its semantics, defaults and setting names.
 * (The reader in reader.h is kafka-go's; both may be members of one group if they share an assignor.)
 *
 *     kafka_consumer *consumer;
 *     const char *settings[] = { "group.id=billing", "auto.offset.reset=earliest" };
 *     kafka_error error = kafka_consumer_new(&(kafka_consumer_config){
 *         .address = ksim_client(sim, "c1"), .settings = settings, .setting_count = 2 }, &consumer);
 *     error = kafka_consumer_subscribe(consumer, (const char *[]){ "orders" }, 1, NULL);
 *     for (kafka_records *records; kafka_consumer_poll(consumer, ctx, KAFKA_SECOND, &records) == KAFKA_OK;
 *          kafka_records_free(records))
 *         for (size_t i = 0; i < records->count; i++) handle(&records->messages[i]);
 *     kafka_consumer_close(consumer);     // commits (auto-commit), leaves the group
 *     kafka_consumer_free(consumer);
 *
 * Nearly everything happens inside poll: joining, callbacks, commits, fetching. Heartbeats go on beside it; when no poll comes
 * for max.poll.interval.ms the consumer leaves the group by itself. A consumer is for one task at a time: a call while
 * another one is blocked in it fails with KAFKA_ERR_WRONG_PLACE.
 */
#ifndef KAFKASIM_CONSUMER_H
#define KAFKASIM_CONSUMER_H

#include <kafkasim/assignor.h>
#include <kafkasim/client.h>
#include <kafkasim/context.h>
#include <kafkasim/message.h>

KAFKA_BEGIN

/** A consumer. Made by kafka_consumer_new(), given back by kafka_consumer_free(). */
typedef struct kafka_consumer kafka_consumer;

/** How a consumer is made. Borrowed for kafka_consumer_new(). */
typedef struct kafka_consumer_config {
    kafka_address *address;           /**< required; the cluster, and the process that consumes. Kept: outlives the consumer */
    const char *const *settings;      /**< "name=value" by the names of Kafka's ConsumerConfig, e.g. "session.timeout.ms=10000";
                                           the last of equal names wins. Copied. Names without effect here are refused */
    size_t setting_count;             /**< number of `settings` */
    const kafka_assignor *assignors;  /**< of your own, to be named in partition.assignment.strategy; NULL: none. Copied */
    size_t assignor_count;            /**< number of `assignors` */
} kafka_consumer_config;

/** Checks the settings and makes a consumer. Nothing happens on the network before the first poll (or question).
 *
 *  consumer    out, owned: kafka_consumer_free()
 *  returns     KAFKA_OK
 *              KAFKA_ERR_INVALID_CONFIG_VALUE  a wrong name or value; kafka_error_detail() says which, what is allowed, and the
 *                                              nearest right one
 *              KAFKA_ERR_INVALID_ARGUMENT      config, its address or consumer is NULL
 *              KAFKA_ERR_WRONG_THREAD, KAFKA_ERR_NODE_CRASHED
 *  blocks      no
 *  as in       new KafkaConsumer; client.id is the process's name unless set (Kafka: consumer-GROUP-N) */
KAFKA_API kafka_error kafka_consumer_new(const kafka_consumer_config *config, kafka_consumer **consumer);

/* ---- what to read ---- */

/** Told inside kafka_consumer_poll(), _unsubscribe() and _close(), on the caller's stack. What may be called from there: commits,
 *  positions, seek, pause, resume; poll, subscribe, unsubscribe and close are refused (KAFKA_ERR_WRONG_PLACE).
 *
 *  partitions  sorted; views for the call
 *  returns     KAFKA_OK; any error does not stop the rebalance, but poll returns it when it is over */
typedef kafka_error kafka_rebalance_function(void *argument, kafka_consumer *consumer, const kafka_topic_partition *partitions,
                                             size_t count);

/** ConsumerRebalanceListener. Any of the functions may be NULL. */
typedef struct kafka_rebalance_listener {
    kafka_rebalance_function *assigned; /**< newly assigned partitions, possibly none */
    kafka_rebalance_function *revoked;  /**< partitions about to go: the last chance to commit. EAGER: all, even if none */
    kafka_rebalance_function *lost;     /**< partitions that are gone already (too late to commit); NULL: calls `revoked` */
    void *argument;                     /**< given to all; kept */
} kafka_rebalance_listener;

/** From the next poll on, a member of the group that reads these topics. Replaces a former subscription; no topics: unsubscribes.
 *  Topics that do not exist yet are waited for (or made: allow.auto.create.topics).
 *
 *  topics      `count` names, copied
 *  listener    copied; NULL: none
 *  returns     KAFKA_OK; KAFKA_ERR_NEEDS_GROUP; KAFKA_ERR_INVALID_ARGUMENT: partitions are assigned by hand (unsubscribe first), or
 *              NULL; KAFKA_ERR_CLOSED; KAFKA_ERR_WRONG_PLACE; KAFKA_ERR_NODE_CRASHED
 *  blocks      no (with no topics: as kafka_consumer_unsubscribe())
 *  as in       KafkaConsumer.subscribe(Collection, ConsumerRebalanceListener) */
KAFKA_API kafka_error kafka_consumer_subscribe(kafka_consumer *consumer, const char *const *topics, size_t count,
                                               const kafka_rebalance_listener *listener);
/** Reads exactly these partitions, without group membership: no rebalance, no heartbeats. With a group.id offsets are committed and
 *  looked up under it. Replaces a former assignment; what stays keeps its position. No partitions: unsubscribes.
 *
 *  returns     KAFKA_OK; KAFKA_ERR_INVALID_ARGUMENT: topics are subscribed to, or NULL or a negative number; KAFKA_ERR_CLOSED;
 *              KAFKA_ERR_WRONG_PLACE; KAFKA_ERR_NODE_CRASHED
 *  blocks      no
 *  as in       KafkaConsumer.assign */
KAFKA_API kafka_error kafka_consumer_assign(kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count);
/** Gives everything up: revoked (or lost), LeaveGroup unless static, no commit.
 *
 *  returns     KAFKA_OK; what a callback returned; KAFKA_ERR_CLOSED; KAFKA_ERR_WRONG_PLACE; KAFKA_ERR_NODE_CRASHED
 *  blocks      no
 *  as in       KafkaConsumer.unsubscribe */
KAFKA_API kafka_error kafka_consumer_unsubscribe(kafka_consumer *consumer);
/** What is assigned now, by topic and number; views until the next call on the consumer. */
KAFKA_API kafka_error kafka_consumer_assignment(kafka_consumer *consumer, const kafka_topic_partition **partitions, size_t *count);

/* ---- poll ---- */

/** What one poll returned. */
typedef struct kafka_records {
    kafka_message *messages; /**< by partition, ascending offsets; views into record batches. To keep one longer, copy the
                                  struct, set this place to zeros, and release the copy with kafka_message_release() */
    size_t count;            /**< at most max.poll.records */
} kafka_records;

/** Drives everything and returns records as soon as there are any. Positions move on with what is returned, and what was returned
 *  counts as processed when the next poll begins: that is what auto-commit commits (at least once).
 *
 *  timeout     nanoseconds to wait for records at most; 0: what is there already
 *  records     out, owned: kafka_records_free(), also after the consumer was freed. NULL when nothing came within `timeout`
 *  returns     KAFKA_OK, also without records
 *              ctx's error                       looked at first (Java: WakeupException); the consumer can go on
 *              KAFKA_ERR_INVALID_ARGUMENT        nothing is subscribed or assigned; negative timeout
 *              KAFKA_ERR_NO_OFFSET_FOR_PARTITION, KAFKA_ERR_OFFSET_OUT_OF_RANGE  with auto.offset.reset=none: seek
 *              KAFKA_ERR_FENCED_INSTANCE_ID      another process has taken this group.instance.id: close. Who polls on takes it back
 *              KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL, KAFKA_ERR_INVALID_SESSION_TIMEOUT, KAFKA_ERR_GROUP_MAX_SIZE_REACHED,
 *              KAFKA_ERR_UNSUPPORTED_ASSIGNOR, ...  the group does not take this member as it is configured
 *              what a callback or an assignor of your own returned
 *              KAFKA_ERR_CLOSED, KAFKA_ERR_WRONG_PLACE (inside a callback), KAFKA_ERR_NODE_CRASHED
 *  blocks      in virtual time until records come, or `timeout`; woken by the end of ctx
 *  as in       KafkaConsumer.poll(Duration) */
KAFKA_API kafka_error kafka_consumer_poll(kafka_consumer *consumer, kafka_context *ctx, kafka_duration timeout,
                                          kafka_records **records);
/** Gives records back, with what their messages hold. NULL is allowed. */
KAFKA_API void kafka_records_free(kafka_records *records);

/* ---- offsets ---- */

/** An offset of a partition. */
typedef struct kafka_consumer_offset {
    const char *topic; /**< name of the topic */
    int32_t partition; /**< number of the partition, from 0 */
    int64_t offset;       /**< of commits: the next one to read. -1: none */
    int32_t leader_epoch; /**< of the record before it; -1: unknown. Give -1 when you do not know; answers fill it */
    const char *metadata; /**< of commits: a remark, at most offset.metadata.max.bytes; NULL: none */
    int64_t timestamp_ms; /**< kafka_consumer_offsets_for_times(): the question, and in the answer the record's; else ignored */
    kafka_error error;    /**< of answers */
} kafka_consumer_offset;

/** An answer: one block with everything in it. */
typedef struct kafka_consumer_offsets {
    const kafka_consumer_offset *items; /**< in the order asked */
    size_t count; /**< how many there are */
} kafka_consumer_offsets;
/** NULL is allowed. */
KAFKA_API void kafka_consumer_offsets_free(kafka_consumer_offsets *offsets);

/** Commits and waits; tries again what may succeed later, for default.api.timeout.ms at most.
 *
 *  offsets     `count` of them, borrowed; NULL: the positions of all assigned partitions
 *  returns     KAFKA_OK
 *              KAFKA_ERR_REBALANCE_IN_PROGRESS  poll, then see what is still ours
 *              KAFKA_ERR_COMMIT_FAILED          this member is out of its group; what it did since the last commit is done again
 *                                               by others. No request is sent when that is known already. Also
 *                                               of partitions assigned by hand, when the group has members
 *              KAFKA_ERR_FENCED_INSTANCE_ID, KAFKA_ERR_OFFSET_METADATA_TOO_LARGE, ...  the coordinator's
 *              KAFKA_ERR_DEADLINE_EXCEEDED, ctx's error  it may still happen
 *              KAFKA_ERR_NEEDS_GROUP; KAFKA_ERR_CLOSED; KAFKA_ERR_NODE_CRASHED
 *  blocks      until the coordinator's answer
 *  as in       KafkaConsumer.commitSync */
KAFKA_API kafka_error kafka_consumer_commit_sync(kafka_consumer *consumer, kafka_context *ctx,
                                                 const kafka_consumer_offset *offsets, size_t count);
/** The outcome of a kafka_consumer_commit_async(). Offsets are views for the call. */
typedef void kafka_commit_function(void *argument, kafka_consumer *consumer, kafka_error error,
                                   const kafka_consumer_offset *offsets, size_t count);
/** Sends a commit and returns. It is tried once, so that an older one never overtakes a newer one.
 *
 *  done        called inside a later poll, commit_sync or close; NULL: nobody wants to know. Errors as kafka_consumer_commit_sync()
 *  returns     KAFKA_OK; KAFKA_ERR_NEEDS_GROUP; KAFKA_ERR_CLOSED; KAFKA_ERR_INVALID_ARGUMENT; KAFKA_ERR_NODE_CRASHED: then done
 *              is not called
 *  blocks      no
 *  as in       KafkaConsumer.commitAsync */
KAFKA_API kafka_error kafka_consumer_commit_async(kafka_consumer *consumer, const kafka_consumer_offset *offsets, size_t count,
                                                  kafka_commit_function *done, void *argument);
/** What the group has committed for these partitions (offset -1: nothing). Errors and blocking as commit_sync.
 *  As in KafkaConsumer.committed(Set). */
KAFKA_API kafka_error kafka_consumer_committed(kafka_consumer *consumer, kafka_context *ctx, const kafka_topic_partition *partitions,
                                               size_t count, kafka_consumer_offsets **offsets);
/** Looks offsets up by queries[i].timestamp_ms: KAFKA_FIRST_OFFSET the beginning, KAFKA_LAST_OFFSET the end (under read_committed
 *  the last stable offset), else the first record with this timestamp (ms since the epoch) or a later one; offset -1: none.
 *
 *  returns     KAFKA_OK; KAFKA_ERR_DEADLINE_EXCEEDED after default.api.timeout.ms (also when the topic does not exist); ctx's
 *              error; KAFKA_ERR_INVALID_ARGUMENT; KAFKA_ERR_CLOSED; KAFKA_ERR_NODE_CRASHED
 *  blocks      until the partitions' leaders have answered
 *  as in       KafkaConsumer.offsetsForTimes, beginningOffsets, endOffsets */
KAFKA_API kafka_error kafka_consumer_offsets_for_times(kafka_consumer *consumer, kafka_context *ctx,
                                                       const kafka_consumer_offset *queries, size_t count,
                                                       kafka_consumer_offsets **offsets);

/** The offset of the next record that poll will return from an assigned partition; looks it up when there is none yet.
 *
 *  returns     KAFKA_OK; KAFKA_ERR_INVALID_ARGUMENT: not assigned; KAFKA_ERR_NO_OFFSET_FOR_PARTITION; KAFKA_ERR_DEADLINE_EXCEEDED
 *              after default.api.timeout.ms; ctx's error; KAFKA_ERR_CLOSED; KAFKA_ERR_NODE_CRASHED
 *  blocks      while there is no position yet
 *  as in       KafkaConsumer.position */
KAFKA_API kafka_error kafka_consumer_position(kafka_consumer *consumer, kafka_context *ctx, const char *topic, int32_t partition,
                                              int64_t *offset);
/** Goes on at `offset` from the next poll on; also KAFKA_FIRST_OFFSET and KAFKA_LAST_OFFSET (looked up in the next poll). Not
 *  compared with the log: outside of it auto.offset.reset decides. KAFKA_ERR_INVALID_ARGUMENT: not assigned, or negative.
 *  Does not block. As in KafkaConsumer.seek, seekToBeginning, seekToEnd. */
KAFKA_API kafka_error kafka_consumer_seek(kafka_consumer *consumer, const char *topic, int32_t partition, int64_t offset);
/** Polls return nothing from these partitions until kafka_consumer_resume(), or until they are revoked: an eager rebalance resumes
 *  everything. Membership and heartbeats go on. KAFKA_ERR_INVALID_ARGUMENT: one of them is not assigned; nothing is changed then.
 *  Does not block. As in KafkaConsumer.pause. */
KAFKA_API kafka_error kafka_consumer_pause(kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count);
/** The opposite of kafka_consumer_pause(). */
KAFKA_API kafka_error kafka_consumer_resume(kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count);
/** True when the partition is assigned and paused. */
KAFKA_API bool kafka_consumer_is_paused(const kafka_consumer *consumer, const char *topic, int32_t partition);

/** Who this consumer is in its group. Views until the next call on the consumer. */
typedef struct kafka_consumer_membership {
    const char *group;       /**< NULL: no group.id */
    const char *member;      /**< "" while it has no member id */
    const char *instance;    /**< group.instance.id; NULL: none */
    int32_t generation;      /**< of the classic protocol; with group.protocol=consumer the member epoch. -1: none */
} kafka_consumer_membership;
/** As in KafkaConsumer.groupMetadata. */
KAFKA_API kafka_consumer_membership kafka_consumer_group_metadata(const kafka_consumer *consumer);

/* ---- the end ---- */

/** Commits positions (auto-commit), waits for commits under way, revokes (or loses) what is assigned, leaves the group unless
 *  static, ends its fetch sessions with the brokers; all within 30 s. Idempotent.
 *
 *  returns     KAFKA_OK; what the commit or a callback failed with (it is closed all the same); KAFKA_ERR_WRONG_PLACE;
 *              KAFKA_ERR_NODE_CRASHED: nothing was sent
 *  blocks      until the coordinator's answers, and those of the brokers it read from: behind a fetch that waits for records, so up to
 *              fetch.max.wait.ms (500 ms) of virtual time
 *  as in       KafkaConsumer.close */
KAFKA_API kafka_error kafka_consumer_close(kafka_consumer *consumer);
/** The same within `timeout` nanoseconds: what has not been answered by then was sent, and nobody hears how it ended. 0: the
 *  commit and the goodbye are sent (unless the coordinator is not known: nothing is looked for then), callbacks run, and no answer is
 *  waited for, nor counted as failed. KAFKA_ERR_INVALID_ARGUMENT: negative. As in KafkaConsumer.close(Duration). */
KAFKA_API kafka_error kafka_consumer_close_within(kafka_consumer *consumer, kafka_duration timeout);
/** Gives it back. Without kafka_consumer_close() before, it is as if the process had been killed: nothing is committed, and the
 *  member stays in its group until its session times out. Not inside its own callbacks. NULL is allowed. */
KAFKA_API void kafka_consumer_free(kafka_consumer *consumer);

KAFKA_END

#endif
