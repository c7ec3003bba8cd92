/* SPDX-License-Identifier: Apache-2.0
 *
 * Reader: reads the messages of one partition, or, as a member of a consumer group, of the partitions the group gives it
 * (kafka-go, reader.go).
 *
 *     kafka_reader *reader;
 *     kafka_error error = kafka_reader_new(&(kafka_reader_config){
 *         .address = ksim_client(sim, "c1"), .group_id = "billing", .topic = "orders" }, &reader);
 *     kafka_message message;
 *     while ((error = kafka_reader_fetch(reader, ctx, &message)) == KAFKA_OK) {
 *         handle(&message);
 *         error = kafka_reader_commit(reader, ctx, &message, 1);     // at least once: after the work
 *         kafka_message_release(&message);
 *     }
 *     kafka_reader_close(reader);                                    // commits what is left, leaves the group
 *     kafka_reader_free(reader);
 */
#ifndef KAFKASIM_READER_H
#define KAFKASIM_READER_H

#include <kafkasim/address.h>
#include <kafkasim/context.h>
#include <kafkasim/group.h>
#include <kafkasim/group_balancer.h>
#include <kafkasim/message.h>

KAFKA_BEGIN

/** A reader. Made by kafka_reader_new(), given back by kafka_reader_free(). */
typedef struct kafka_reader kafka_reader;

/** What a reader sees of transactions. */
typedef enum kafka_isolation_level {
    KAFKA_READ_UNCOMMITTED = 0, /**< everything up to the high watermark */
    KAFKA_READ_COMMITTED = 1    /**< only up to the first open transaction, without aborted ones and without markers */
} kafka_isolation_level;

/** Settings of a reader; zero means kafka-go's default. */
typedef struct kafka_reader_config {
    kafka_address *address;             /**< required; the cluster, and the process that reads. Kept: outlives the reader */
    const char *group_id;               /**< NULL or "": no group. Copied */
    const char *const *group_topics;    /**< with a group: several topics; wins over `topic` silently. Copied */
    size_t group_topic_count;           /**< number of `group_topics` */
    const char *topic;                  /**< required without a group. Copied */
    int32_t partition;                  /**< without a group: 0 to 2^31 - 2. With a group it must be 0 */
    kafka_duration dial_timeout;        /**< 0: 10 s. Of opening a connection */
    int32_t queue_capacity;             /**< 0: 100. Messages decoded ahead, all partitions together; when it is full fetchers
                                             wait (heartbeats go on). Also the capacity of the queue of commits */
    int32_t min_bytes;                  /**< 0: 1. The broker answers a fetch when so many bytes are there. Above 1 needs
                                             max_bytes */
    int32_t max_bytes;                  /**< 0: 1,000,000. Of one fetch; a larger first batch comes whole all the same */
    kafka_duration max_wait;            /**< 0: 10 s. Of one fetch at an idle partition, on the client's side; the broker is
                                             told 1 s less, or three quarters when it is 1 s or less */
    kafka_duration read_batch_timeout;  /**< 0: 10 s. For the rest of a fetch answer once it began to come. Answers come whole
                                             in the simulator, so it is never reached there */
    kafka_duration read_lag_interval;   /**< > 0, without a group: ask for the lag in the background at this interval, so that
                                             kafka_reader_lag() stays fresh while nothing is read. 0: do not (kafka-go: every
                                             minute, but only for its statistics) */
    const kafka_group_balancer *group_balancers; /**< in order of preference; copied. NULL: range, then round robin */
    size_t group_balancer_count;        /**< number of `group_balancers` */
    kafka_duration heartbeat_interval;  /**< 0: 3 s. A member learns of a rebalance from its next heartbeat */
    kafka_duration commit_interval;     /**< 0: kafka_reader_commit() waits for the coordinator. > 0: it returns at once and
                                             the reader commits the highest offsets at this interval, and when it closes */
    kafka_duration partition_watch_interval; /**< 0: 5 s. With watch_partition_changes: time between two looks */
    bool watch_partition_changes;       /**< rejoin when a topic's number of partitions changes */
    kafka_duration session_timeout;     /**< 0: 30 s. What a crash costs the group */
    kafka_duration rebalance_timeout;   /**< 0: 30 s. So long a rebalance waits for members */
    kafka_duration join_group_backoff;  /**< 0: 5 s. Pause after a failed round of joining */
    kafka_duration retention_time;      /**< of commits; 0: the broker's own setting. At least 1 ms, or exactly -1 ms */
    int64_t start_offset;               /**< with a group, where nothing is committed: KAFKA_FIRST_OFFSET (also 0) or
                                             KAFKA_LAST_OFFSET. Without a group it is not looked at: kafka_reader_set_offset() */
    kafka_duration read_backoff_min;    /**< 0: 100 ms. Pause after the n-th failure in a row: n * n * min, at most max */
    kafka_duration read_backoff_max;    /**< 0: 1 s */
    kafka_isolation_level isolation_level; /**< KAFKA_READ_UNCOMMITTED unless said otherwise */
    int32_t max_attempts;               /**< 0: 3. Failures in a row to reach a partition (or the group) that are kept quiet */
    bool offset_out_of_range_error;     /**< true: starting beyond the end of the log is an error of kafka_reader_fetch() and
                                             stops the reader until kafka_reader_set_offset(). false: it waits for ever */
    bool uninterruptible_fetch;         /**< true: as kafka-go does it, a fetch in progress is not broken off, so close and
                                             every rebalance wait for it, up to max_wait. false: they break it off */
} kafka_reader_config;

/** Checks the settings and makes a reader. In a group it starts joining in the background; without one nothing happens on the
 *  network until the first kafka_reader_fetch().
 *
 *  reader      out, owned: kafka_reader_free()
 *  returns     KAFKA_OK
 *              KAFKA_ERR_INVALID_CONFIG_VALUE  the first wrong field in kafka-go's order; kafka_error_detail() names it and what
 *                                              is allowed (kafka-go panics instead)
 *              KAFKA_ERR_INVALID_ARGUMENT      config or reader is NULL
 *              KAFKA_ERR_WRONG_THREAD, KAFKA_ERR_NODE_CRASHED
 *  blocks      no
 *  as in       kafka-go NewReader */
KAFKA_API kafka_error kafka_reader_new(const kafka_reader_config *config, kafka_reader **reader);

/** Takes the next message. Messages of one partition come in the order of their offsets; nothing orders partitions.
 *
 *  message     out; all it points to is a view into the record batch, valid until kafka_message_release(), which every message
 *              needs, also after the reader was freed (`topic` alone is the reader's, valid until it is freed). Release a former
 *              one first: it is overwritten
 *  returns     KAFKA_OK
 *              ctx's error                     looked at first: an ended context gets no message
 *              KAFKA_ERR_EOF                   the reader was closed and everything it had queued was delivered
 *              KAFKA_ERR_OFFSET_OUT_OF_RANGE   with offset_out_of_range_error: set another offset
 *              any other                       what a fetcher met (max_attempts times), e.g. KAFKA_ERR_CONNECTION_REFUSED, or
 *                                              KAFKA_ERR_REQUEST_TIMED_OUT when a broker stays silent; the reader goes on
 *                                              trying, call again
 *              KAFKA_ERR_NODE_CRASHED          the process crashed: this reader is dead, also after a restart
 *              KAFKA_ERR_WRONG_THREAD, KAFKA_ERR_WRONG_PLACE (inside a callback)
 *              KAFKA_ERR_NOTHING_CAN_WAKE      e.g. the topic does not exist and nobody is left to make it
 *  blocks      until one of these; also while the group gives this member nothing
 *  cost        O(1); no memory is allocated per message (for messages with headers: once per batch)
 *  as in       kafka-go Reader.FetchMessage */
KAFKA_API kafka_error kafka_reader_fetch(kafka_reader *reader, kafka_context *ctx, kafka_message *message);

/** Takes the next message and, in a group, commits it before returning it: if the process dies while it handles the message,
 *  nobody reads it again (at most once). For at least once use kafka_reader_fetch(), do the work, kafka_reader_commit().
 *
 *  returns     as kafka_reader_fetch() and kafka_reader_commit(); kafka_error_detail() says which of the two failed. When the
 *              commit failed the message is not returned, though it was taken: it is read again only after a rebalance or restart
 *  as in       kafka-go Reader.ReadMessage */
KAFKA_API kafka_error kafka_reader_read(kafka_reader *reader, kafka_context *ctx, kafka_message *message);

/** Commits the offset after each of `messages` for its partition.
 *
 *  messages    `count` of them, borrowed; only topic, partition and offset are read. What is stored is offset + 1; the highest
 *              per partition wins. Nothing checks that the partition is still ours
 *  returns     KAFKA_OK
 *              KAFKA_ERR_NEEDS_GROUP            the reader has no group_id
 *              KAFKA_ERR_CLOSED                 after kafka_reader_close()
 *              KAFKA_ERR_REBALANCE_IN_PROGRESS  not stored, the group is being rearranged: the message will be read again
 *              KAFKA_ERR_ILLEGAL_GENERATION, KAFKA_ERR_UNKNOWN_MEMBER_ID  the group has moved on: as above
 *              any other                        of the third of three tries, 100 and 400 ms apart
 *              ctx's error                      the commit may still happen
 *  blocks      commit_interval 0: until the coordinator's answer, or, while there is no generation, until the next one (it then
 *              goes out under that one's id). Otherwise only while queue_capacity commits wait already
 *  as in       kafka-go Reader.CommitMessages; OffsetCommit (API 8) v2 */
KAFKA_API kafka_error kafka_reader_commit(kafka_reader *reader, kafka_context *ctx, const kafka_message *messages, size_t count);

/** The next message to be taken is the one at `offset` (KAFKA_FIRST_OFFSET, KAFKA_LAST_OFFSET, or a number; it is not compared
 *  with the log here). Queued messages are dropped; if it is the present one nothing changes.
 *
 *  returns     KAFKA_OK; KAFKA_ERR_NOT_WITH_GROUP; KAFKA_ERR_CLOSED
 *  blocks      no
 *  as in       kafka-go Reader.SetOffset */
KAFKA_API kafka_error kafka_reader_set_offset(kafka_reader *reader, int64_t offset);

/** As kafka_reader_set_offset() with the first offset whose timestamp is `time` or later; none: the end of the log.
 *
 *  returns     KAFKA_OK; KAFKA_ERR_NOT_WITH_GROUP; KAFKA_ERR_CLOSED; ctx's error; what the last broker tried said
 *  blocks      until the partition's leader answered
 *  as in       kafka-go Reader.SetOffsetAt; ListOffsets (API 2) v1 */
KAFKA_API kafka_error kafka_reader_set_offset_at(kafka_reader *reader, kafka_context *ctx, kafka_time time);

/** The offset of the next message to be taken; KAFKA_FIRST_OFFSET before the first one. In a group: -1. */
KAFKA_API int64_t kafka_reader_offset(const kafka_reader *reader);

/** How many messages are behind the last one taken, as of the fetch that carried it (or as of read_lag_interval); 0 before. In
 *  a group: -1. */
KAFKA_API int64_t kafka_reader_lag(const kafka_reader *reader);

/** Asks the broker how many messages are not read yet: end of the log minus kafka_reader_offset(); for KAFKA_FIRST_OFFSET all
 *  that are there, for KAFKA_LAST_OFFSET 0.
 *
 *  lag         out, in messages
 *  returns     KAFKA_OK; KAFKA_ERR_NOT_WITH_GROUP; KAFKA_ERR_CLOSED; ctx's error; what the last broker tried said
 *  blocks      until the partition's leader answered
 *  as in       kafka-go Reader.ReadLag */
KAFKA_API kafka_error kafka_reader_read_lag(kafka_reader *reader, kafka_context *ctx, int64_t *lag);

/** The settings with defaults filled in. Group timers that were left 0 still read 0, as kafka-go's Config() has it. View, valid
 *  until the reader is freed. */
KAFKA_API const kafka_reader_config *kafka_reader_settings(const kafka_reader *reader);

/** Stops fetching; in a group commits what was handed to kafka_reader_commit() and leaves it, so that the others get our
 *  partitions at once. Messages already queued can still be taken; then kafka_reader_fetch() answers KAFKA_ERR_EOF, also to
 *  calls that wait. Idempotent.
 *
 *  returns     KAFKA_OK; KAFKA_ERR_NODE_CRASHED when the process has crashed (nothing was sent then)
 *  blocks      until the final commit and LeaveGroup were answered; a JoinGroup in progress is waited for
 *  as in       kafka-go Reader.Close */
KAFKA_API kafka_error kafka_reader_close(kafka_reader *reader);

/** Gives it back. Without kafka_reader_close() before, it is as if the process had been killed: nothing is committed and the
 *  member stays in its group until its session times out. No call may be waiting. NULL is allowed. */
KAFKA_API void kafka_reader_free(kafka_reader *reader);

KAFKA_END

#endif
