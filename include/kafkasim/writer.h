/* SPDX-License-Identifier: Apache-2.0
 *
 * The Writer, as kafka-go's (writer.go): it routes messages to partitions, gathers them in batches, and writes each batch
 * with one Produce request, retrying what may be retried. Batches of one partition go one after the other, so the order
 * within a partition is the order of the calls.
 *
 *     kafka_writer *writer;
 *     error = kafka_writer_new(&(kafka_writer_config){ .address = brokers, .topic = "orders" }, &writer);
 *     error = kafka_writer_write(writer, ctx, messages, count, NULL);
 *     error = kafka_writer_close(writer);          // sends what is still gathered, waits for the answers
 *     kafka_writer_free(writer);
 *
 * There is no idempotent producer in kafka-go: a retry after a lost answer writes the messages twice.
 */
#ifndef KAFKASIM_WRITER_H
#define KAFKASIM_WRITER_H

#include <kafkasim/balancer.h>
#include <kafkasim/context.h>
#include <kafkasim/message.h>

KAFKA_BEGIN

typedef struct kafka_writer kafka_writer;

/** How many replicas must have a batch before it counts as written. */
typedef enum kafka_required_acks {
    KAFKA_ACKS_ALL = -1, /**< all in-sync replicas: nothing acknowledged is lost while one of them lives */
    KAFKA_ACKS_NONE = 0, /**< nobody: "written" means handed to the network. kafka-go's default, and so the default here */
    KAFKA_ACKS_ONE = 1   /**< the leader alone */
} kafka_required_acks;

/** The codec that batches are compressed with. Readers see from each batch which one it is. */
typedef enum kafka_compression {
    KAFKA_COMPRESSION_NONE = 0,   /**< "uncompressed" */
    KAFKA_COMPRESSION_GZIP = 1,   /**< "gzip" */
    KAFKA_COMPRESSION_SNAPPY = 2, /**< "snappy", in xerial's framing as Java and kafka-go write it */
    KAFKA_COMPRESSION_LZ4 = 3,    /**< "lz4", frame format */
    KAFKA_COMPRESSION_ZSTD = 4    /**< "zstd" */
} kafka_compression;

/** Told of every batch that was written or given up, one partition a call, in the order of the partition's batches.
 *
 *  argument  kafka_writer_config.completion_argument
 *  messages  view for the call: copies of the messages. After an answer from the broker they carry topic, partition and
 *            offset (-1 + index when it refused the batch), and with message.timestamp.type=LogAppendTime the broker's
 *            time where the caller set none; with KAFKA_ACKS_NONE, or when no answer came, these are unset (topic
 *            NULL, 0, 0). `writer_data` is what the caller set.
 *  error     KAFKA_OK, or why the whole batch was not written
 *
 *  It runs between events, never under the caller's feet: while some call waits, before the kafka_writer_write() that
 *  waits for this batch returns. The partition's next batch waits for it. It may call kafka_writer_write() of an async
 *  writer but nothing that blocks. Source: kafka-go Writer.Completion. */
typedef void kafka_writer_completion(void *argument, const kafka_message *messages, size_t count, kafka_error error);

/** Settings of a writer; whatever is 0 (or below, where a number) has kafka-go's default. The struct and its strings are
 *  borrowed for kafka_writer_new(). */
typedef struct kafka_writer_config {
    kafka_address *address;      /**< the cluster and the client process; required; kept until the writer is freed */
    const char *topic;           /**< of all messages; NULL or "": each message names its own */
    kafka_balancer balancer;     /**< default: round robin */
    int32_t max_attempts;        /**< Produce requests per batch, the first included; default 10 */
    kafka_duration write_backoff_min; /**< before attempt n (0-based) the writer sleeps min(n * n * min, max); default 100 ms */
    kafka_duration write_backoff_max; /**< default 1 s */
    int32_t batch_size;          /**< messages that fill a batch; default 100 */
    int64_t batch_bytes;         /**< bytes that fill a batch, counted by kafka_message_batch_size(); default 1 MiB. A
                                      larger message is refused. */
    kafka_duration batch_timeout; /**< how long a batch that is not full waits for more, from its first message; default 1 s:
                                      a synchronous write of one message takes that long unless batch_size is 1 */
    kafka_duration read_timeout; /**< bound of the metadata lookup; default 10 s (kafka-go ignores it) */
    kafka_duration write_timeout; /**< bound of one Produce attempt; the broker is told half of it; default 10 s */
    kafka_required_acks required_acks; /**< default KAFKA_ACKS_NONE: errors of the broker are then never seen */
    bool async;                  /**< kafka_writer_write() returns without waiting; errors reach only `completion` */
    kafka_writer_completion *completion; /**< NULL: none */
    void *completion_argument;   /**< kept as long as the writer */
    kafka_compression compression; /**< default none */
    bool allow_auto_topic_creation; /**< ask the brokers to create a topic that is missing (auto.create.topics.enable); the
                                      first write may then fail with LEADER_NOT_AVAILABLE: try again */
} kafka_writer_config;

/** Makes a writer. Talks to nobody yet.
 *
 *  writer   owned: kafka_writer_free(); untouched on failure
 *  returns  KAFKA_ERR_INVALID_ARGUMENT      config or writer is NULL
 *           KAFKA_ERR_INVALID_CONFIG_VALUE  no address; acks other than -1, 0, 1; unknown compression or balancer, a
 *                                           function balancer without function; write_backoff_max below write_backoff_min
 *                                           when both are set; kafka_error_detail() names the field
 *           KAFKA_ERR_NODE_CRASHED          the client process is down
 *  blocks   no
 *  as in    kafka-go &Writer{...} (not the deprecated NewWriter, which turns acks none into all) */
KAFKA_API kafka_error kafka_writer_new(const kafka_writer_config *config, kafka_writer **writer);

/** Writes messages: routes and batches all of them, or none; then, unless async, waits until their batches are written or
 *  given up.
 *
 *  context   bounds the wait; must be of the same client process or simulator
 *  messages  `count` of them, borrowed; everything is copied before the call returns
 *  errors    NULL, or `count` entries that are filled when the call returns KAFKA_ERR_WRITE_ERRORS (each message's own
 *            outcome, KAFKA_OK where it was written) or KAFKA_ERR_MESSAGE_TOO_LARGE (the offender's entry says so, all
 *            others OPERATION_NOT_ATTEMPTED: write those again without it); else untouched
 *  returns   in this order of precedence
 *            KAFKA_ERR_INVALID_ARGUMENT    writer or context is NULL, or messages is with count > 0, or lengths do not fit
 *                                          Kafka's 32-bit fields
 *            KAFKA_ERR_WRONG_THREAD        called on another thread than the simulator's
 *            KAFKA_ERR_NODE_CRASHED        the client process crashed; this writer is dead even if the process restarts
 *            KAFKA_ERR_CLOSED              after kafka_writer_close(), also for count 0
 *            KAFKA_OK                      count is 0
 *            KAFKA_ERR_WRONG_PLACE         the writer is not async and this is a callback
 *            KAFKA_ERR_MESSAGE_TOO_LARGE   a message is larger than batch_bytes; nothing was enqueued
 *            KAFKA_ERR_INVALID_ARGUMENT    topic set on writer and message, or on neither; nothing was enqueued
 *            KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION, KAFKA_ERR_LEADER_NOT_AVAILABLE, ... the topic's code in the metadata,
 *                                          not retried: the layout is up to 6 s old, so a topic just made by somebody
 *                                          else may be unknown for a while; nothing was enqueued
 *            KAFKA_ERR_CANCELED, KAFKA_ERR_DEADLINE_EXCEEDED  the context ended while waiting; what was enqueued may still
 *                                          be written
 *            KAFKA_ERR_WRITE_ERRORS        some messages were not written: look at `errors`
 *  blocks    until all batches of the call are done, or the context ends; async: only for metadata
 *  cost      a copy of the messages' bytes and their hash; no allocation a message
 *  as in     kafka-go Writer.WriteMessages; Produce (API 0) version 8 */
KAFKA_API kafka_error kafka_writer_write(kafka_writer *writer, kafka_context *context, const kafka_message *messages,
                                         size_t count, kafka_error *errors);

/** Sends what is gathered at once, waits for all batches (retries included), calls and completions, and refuses new
 *  messages. Calls that were waiting get their results. Idempotent. NULL is allowed.
 *
 *  returns  KAFKA_OK, also when batches failed (their callers and completions know)
 *           KAFKA_ERR_NODE_CRASHED  the client process crashed; what was gathered is lost
 *           KAFKA_ERR_WRONG_PLACE   inside a completion or another callback
 *           KAFKA_ERR_WRONG_THREAD  called on another thread than the simulator's
 *  blocks   at most max_attempts * (write_timeout + backoff) of virtual time for each batch that waits
 *  as in    kafka-go Writer.Close */
KAFKA_API kafka_error kafka_writer_close(kafka_writer *writer);

/** Gives the writer back. One that was not closed drops what it has not sent, and the trace and kafka_error_detail() say so.
 *  Never blocks. NULL is allowed. */
KAFKA_API void kafka_writer_free(kafka_writer *writer);

/** Number of entries that are not KAFKA_OK. kafka-go WriteErrors.Count. */
KAFKA_API size_t kafka_write_errors_count(const kafka_error *errors, size_t count);
/** "Kafka write errors (1/4), errors: [<nil> [10] Message Size Too Large: ... <nil> <nil>]", cut at `size` bytes with the
 *  NUL; returns `buffer`. kafka-go WriteErrors.Error. */
KAFKA_API char *kafka_write_errors_format(const kafka_error *errors, size_t count, char *buffer, size_t size);

/** "none", "one", "all"; "?" for anything else. Static. */
KAFKA_API const char *kafka_required_acks_name(kafka_required_acks acks);
/** "uncompressed", "gzip", "snappy", "lz4", "zstd"; "?" for anything else. Static. */
KAFKA_API const char *kafka_compression_name(kafka_compression compression);

KAFKA_END

#endif
