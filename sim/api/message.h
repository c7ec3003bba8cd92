/* SPDX-License-Identifier: Apache-2.0
 *
 * What `kafka_message.batch` of a read message is: one reference on the block that all of the message's views lie in:
 * key, value, the topic (a name kept with the block), and (at its end or in a block of their own that it owns) decoded headers. kafka_message_release() gives
 * it back.
 */
#ifndef KS_MESSAGE_H
#define KS_MESSAGE_H

#include <kafkasim/message.h>

#include "sim/base/block.h"

/* Headers need an array of kafka_header beside the batch's bytes. A message with headers holds one of these instead,
 * told apart by bit 0 of `batch`; it is a malloc block of its own so that messages without headers cost nothing. */
typedef struct ks_message_headers {
    ks_block *block; /* one reference */
    kafka_header headers[];
} ks_message_headers;

/* Takes over one reference on `block` for `message` (header_count 0). */
void ks_message_hold(kafka_message *message, ks_block *block);
/* The same with room for `count` headers, to be filled at the returned place (views into the block). */
kafka_header *ks_message_hold_headers(kafka_message *message, ks_block *block, size_t count);

#endif
