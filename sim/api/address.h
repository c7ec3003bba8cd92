/* SPDX-License-Identifier: Apache-2.0
 *
 * What an address is inside: a client process, its way to block, and the list of what was made from it. The handles of
 * the client API (writer, reader, client, group) start here:
 *
 *     struct kafka_writer { ks_handle handle; ks_writer *engine; ... };
 *     kafka_error kafka_writer_new(config, out) {
 *         kafka_error error = ks_address_check(config->address, "kafka_writer_new");     thread, NULL, freed address
 *         ...
 *         ks_handle_open(&writer->handle, config->address, "kafka_writer", drop, writer);
 *     }
 *     kafka_error kafka_writer_write(writer, ctx, ...) {
 *         ks_wait wait;
 *         kafka_error error = ks_wait_begin(&wait, address->runtime, ks_process_node(address->process), ctx, "...");
 *         if (error) return ks_process_fail(address->process, error, "...");
 *         engine call whose callback does ks_wait_wake(&wait, error);
 *         return ks_wait_park(&wait);
 *     }
 */
#ifndef KS_ADDRESS_H
#define KS_ADDRESS_H

#include <kafkasim/address.h>
#include <kafkasim/context.h>

#include "sim/client/process.h"
#include "sim/task/wait.h"

/* A thing of the API that lives until the application frees it. */
typedef struct ks_handle {
    struct ks_handle *next, **link; /* all of one address, newest first */
    kafka_address *address;
    const char *kind;           /* "kafka_writer": its remedy is kind + "_free" or "_close" */
    const char *remedy;         /* "kafka_writer_close" */
    void (*drop)(void *object); /* frees it without talking to anybody: the simulator is being freed. It must not wake a
                                   ks_wait: after a jump out of a blocked call that memory is somebody else's. */
    void *object;
} ks_handle;

struct kafka_address {
    ks_runtime *runtime;
    ks_process *process;
    const char *text;          /* "broker-1:9092,broker-2:9092": where to ask first, as kafka-go prints it */
    const char *name;          /* of the client process */
    ks_handle *handles;        /* what is open */
    bool freed;                /* by the application, but handles were still open: it dies with the simulator */
    kafka_context *background; /* of the process's present life; a crash ends it, a restart makes a new one */
    ks_process_watch watch;
    struct kafka_address *next, **link; /* all addresses of the simulator, newest first */
};

/* Makes an address in the list `*all`. `text` and `name` are copied. */
kafka_address *ks_address_new(ks_runtime *runtime, ks_process *process, const char *text, const char *name,
                              kafka_address **all);
/* Frees it with everything still open: handles newest first, then contexts. */
void ks_address_drop(kafka_address *address);
/* What is still open, in words: "a kafka_writer (kafka_writer_close)"; false: nothing. */
bool ks_address_open_thing(const kafka_address *address, char *text, size_t size);
/* Before anything else in a call: NULL (INVALID_ARGUMENT), another thread (WRONG_THREAD), freed (CLOSED). */
kafka_error ks_address_check(kafka_address *address, const char *call);
/* May a call on what is made from `address` wait under `context`? KAFKA_OK, also for NULL, which the call refuses itself; else it is of
 * another simulator: INVALID_ARGUMENT that names both. */
kafka_error ks_address_check_context(kafka_address *address, const kafka_context *context, const char *call);
/* "broker-1:9092,broker-2:9092" one by one: the index-th host and port. False when there is none. */
bool ks_address_bootstrap(const kafka_address *address, int32_t index, ks_string *host, int32_t *port);

void ks_handle_open(ks_handle *handle, kafka_address *address, const char *kind, const char *remedy,
                    void (*drop)(void *object), void *object); /* `kind` and `remedy` are static texts */
void ks_handle_close(ks_handle *handle);                       /* harmless when not open */

/* Ways to turn a wait that could not begin or ended early into the address's detail: "kafka_reader_fetch: context
 * deadline exceeded". Keeps a detail that is already there for `error`. Returns `error`. */
kafka_error ks_address_fail(kafka_address *address, kafka_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
