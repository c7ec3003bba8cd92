/* SPDX-License-Identifier: Apache-2.0
 *
 * Contexts bound blocking calls, as Go's package context does. A context descends from an address's background and so
 * knows its clock and its client process.
 */
#ifndef KAFKASIM_CONTEXT_H
#define KAFKASIM_CONTEXT_H

#include <kafkasim/address.h>
#include <kafkasim/error.h>

KAFKA_BEGIN

typedef struct kafka_context kafka_context;

/** The root of all contexts of one client process: never cancelled, no deadline. View, valid until the address is freed. */
KAFKA_API kafka_context *kafka_background(kafka_address *address);
/** A child that kafka_context_cancel() ends. Owned: kafka_context_free(). Ends no later than its parent. */
KAFKA_API kafka_context *kafka_context_with_cancel(kafka_context *parent);
/** A child that ends `timeout` nanoseconds from now (at once when <= 0) with KAFKA_ERR_DEADLINE_EXCEEDED. Owned. */
KAFKA_API kafka_context *kafka_context_with_timeout(kafka_context *parent, kafka_duration timeout);
/** A child that ends at `deadline`. Owned. */
KAFKA_API kafka_context *kafka_context_with_deadline(kafka_context *parent, kafka_time deadline);
/** Ends it and its descendants with KAFKA_ERR_CANCELED and wakes what waits under them. Idempotent. Not for a background. */
KAFKA_API void kafka_context_cancel(kafka_context *context);
/** Cancels it and gives it back. Descendants stay valid (ended) until freed themselves. NULL is allowed. */
KAFKA_API void kafka_context_free(kafka_context *context);
/** KAFKA_OK while it lives; KAFKA_ERR_CANCELED, KAFKA_ERR_DEADLINE_EXCEEDED, KAFKA_ERR_GENERATION_ENDED or
 *  KAFKA_ERR_NODE_CRASHED once it ended. A loop that goes on after the error is stopped (KAFKA_ERR_BUSY_LOOP). */
KAFKA_API kafka_error kafka_context_error(kafka_context *context);
/** True and `*deadline` set when it or an ancestor has one. */
KAFKA_API bool kafka_context_deadline(kafka_context *context, kafka_time *deadline);
/** Nanoseconds until the deadline, not below 0; INT64_MAX without one. */
KAFKA_API kafka_duration kafka_context_time_left(kafka_context *context);
/** The clock of the context's world. Virtual time in a simulator. */
KAFKA_API kafka_time kafka_now(kafka_context *context);

/** Size of the text of an instant: "2027-01-01T00:00:00Z" and a NUL. */
#define KAFKA_RFC3339_SIZE 21
/** Writes UTC, whole seconds (truncated), into `text` and returns it. */
KAFKA_API char *kafka_rfc3339(kafka_time time, char text[KAFKA_RFC3339_SIZE]);

KAFKA_END

#endif
