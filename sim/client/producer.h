/* SPDX-License-Identifier: Apache-2.0
 *
 * The producer engine beneath kafka_writer: kafka-go's Writer without its blocking (writer.go: partitionWriter,
 * writeBatch). Per (topic, partition) there is at most one open batch, a queue of closed ones, and one Produce request
 * in flight.
 *
 *     open --full, timed out, flushed--> queued --turn--> attempt 0 .. n (backoff between) --> told --> finished
 *
 * A ks_write stands for one call of the application: it counts the batches that hold messages of it, and knows for each
 * message which batch that was.
 */
#ifndef KS_PRODUCER_H
#define KS_PRODUCER_H

#include <kafkasim/message.h>

#include "sim/client/transport.h"
#include "sim/protocol/record_batch.h"

typedef struct ks_producer ks_producer;
typedef struct ks_producer_topic ks_producer_topic;
typedef struct ks_producer_batch ks_producer_batch;
typedef struct ks_write ks_write;

typedef struct ks_producer_config { /* checked and complete: nothing stands for a default here */
    int32_t max_attempts, batch_size;
    int64_t batch_bytes;
    int64_t backoff_min, backoff_max, batch_timeout, write_timeout; /* ns */
    int16_t acks;
    ks_codec codec;
    /* A batch is through. NULL: it is finished at once. Otherwise the owner calls ks_producer_finish, now or later;
     * until then the partition's next batch waits. */
    void (*told)(void *owner, ks_producer_batch *batch);
    void (*drained)(void *owner); /* the last batch is finished; may be NULL */
    void *owner;
} ks_producer_config;

ks_producer *ks_producer_new(ks_transport *transport, const ks_producer_config *config);
void ks_producer_free(
    ks_producer *producer); /* with its writes, held or not (a call that was jumped out of holds one) */
/* Forgets all batches: timers and requests stop, writes are done with `error`; nobody is told. How many
 * messages were lost. Closed by the application, the trace tells each batch. */
int64_t ks_producer_abort(ks_producer *producer, kafka_error error);

/* The size that batching counts (kafka-go message.go); -1: a length does not fit Kafka's 32 bits, or NULL bytes with a
 * size. */
int64_t ks_message_size(const kafka_message *message);
ks_producer_topic *ks_producer_topic_get(ks_producer *producer, const char *name); /* made when new */
ks_string ks_producer_topic_name(const ks_producer_topic *topic);

/* One call of the application with `count` messages. Held until ks_write_release. */
ks_write *ks_write_begin(ks_producer *producer, size_t count);
/* Copies the message to the end of the partition's open batch. `index` is its place in the call. `size` as above. */
void ks_write_append(ks_write *write, size_t index, ks_producer_topic *topic, int32_t partition,
                     const kafka_message *message, int64_t size);
/* Place for what the caller wants to remember of each message until it is appended. */
int32_t *ks_write_notes(ks_write *write);
/* `done` comes when all its batches are finished; never from inside this call. False: they are (or there are none). */
bool ks_write_await(ks_write *write, void (*done)(void *owner), void *owner);
kafka_error ks_write_error(const ks_write *write, size_t index); /* of one message, once done */
bool ks_write_failed(const ks_write *write);                     /* of any */
void ks_write_release(ks_write *write);                          /* batches under way go on */

/* Queues all open batches at once. */
void ks_producer_flush(ks_producer *producer);
int64_t ks_producer_unfinished(const ks_producer *producer); /* batches */

/* ---- a batch that is through ---- */

kafka_error ks_producer_batch_error(const ks_producer_batch *batch);
int32_t ks_producer_batch_count(const ks_producer_batch *batch);
void *ks_producer_batch_owner(const ks_producer_batch *batch);            /* the config's */
ks_producer_batch *ks_producer_batch_next_told(ks_producer_batch *batch); /* a link that is free for who is told */
void ks_producer_batch_set_next_told(ks_producer_batch *batch, ks_producer_batch *next);
/* Copies of its messages as a completion sees them: views valid until the next call for this producer. */
const kafka_message *ks_producer_batch_messages(ks_producer_batch *batch);
void ks_producer_finish(ks_producer_batch *batch);

#endif
