/* SPDX-License-Identifier: Apache-2.0
 *
 * An address names a cluster and the client process that talks to it. ksim_client() makes one for a simulated cluster.
 */
#ifndef KAFKASIM_ADDRESS_H
#define KAFKASIM_ADDRESS_H

#include <kafkasim/base.h>
#include <kafkasim/error.h>

KAFKA_BEGIN

typedef struct kafka_address kafka_address;

/** "tcp" address text as kafka-go prints it, e.g. "broker-1:9092,broker-2:9092". View, valid until the address is freed. */
KAFKA_API const char *kafka_address_text(const kafka_address *address);
/** The name of the client process ("producer", "c2"). View. */
KAFKA_API const char *kafka_address_client(const kafka_address *address);
/** Gives it back. Everything made from it must have been freed before; it is a defect that is reported otherwise. The
 *  simulated process goes on to exist under its name. NULL is allowed. */
KAFKA_API void kafka_address_free(kafka_address *address);
/** The last failure of this client process in words: which topic, which value, what to change; also one that stands as a code
 *  inside a result. What succeeds leaves it alone. View, valid until the next call on that process; "" when nothing failed yet.
 *  On another thread: why it was refused there (KAFKA_ERR_WRONG_THREAD). */
KAFKA_API const char *kafka_error_detail(const kafka_address *address);

KAFKA_END

#endif
