/* SPDX-License-Identifier: Apache-2.0
 *
 * Message and Header, as kafka-go has them.
 */
#ifndef KAFKASIM_MESSAGE_H
#define KAFKASIM_MESSAGE_H

#include <kafkasim/base.h>

KAFKA_BEGIN

/** One header of a message. Order is kept, keys may repeat. The key is never null, the value may be. */
typedef struct kafka_header {
    kafka_bytes key;   /**< UTF-8 */
    kafka_bytes value; /**< the value, as text */
} kafka_header;

/** A message. When writing, everything it points to is borrowed for the call (a writer copies what it is given before it
 *  returns). When read, all of it is a view into the record batch, valid until kafka_message_release(). */
typedef struct kafka_message {
    const char *topic;      /**< writing: only when the writer has no topic. Reading: the topic. */
    int32_t partition;      /**< filled when reading and in completions; ignored when writing */
    int64_t offset;         /**< filled when reading and in completions */
    int64_t high_watermark; /**< filled when reading: of the fetch answer that carried it */
    kafka_bytes key;        /**< may be null */
    kafka_bytes value;      /**< may be null: a tombstone */
    const kafka_header *headers; /**< in order; may be NULL when there are none */
    size_t header_count; /**< how many of them */
    kafka_time time;        /**< kept to the millisecond; 0: when it is sent */
    void *writer_data;      /**< never sent; handed back in the completion */
    void *batch;            /**< reading: what keeps the views alive. Do not touch. */
} kafka_message;

/** Gives back what a read message holds (its batch), and makes it empty. A message that was never read, or was released
 *  already, is left as it is. NULL is allowed. */
KAFKA_API void kafka_message_release(kafka_message *message);

/** The size that batching counts, in bytes, not the wire size: 22 + |key| + |value| + headers (kafka-go message.go). */
KAFKA_API size_t kafka_message_batch_size(const kafka_message *message);

KAFKA_END

#endif
