/* SPDX-License-Identifier: Apache-2.0
 *
 * What all calls of kafka_client share: asking brokers one or several questions at once, waiting for the answers, and
 * building an owned result.
 *
 *     ks_client_call *call = ks_client_begin(client, context, "kafka_client_...", &error);
 *     if (call == NULL) return error;
 *     ks_ask *ask = ks_client_ask(call, KS_API_..., (ks_route){ ... });      fill ask->request->body
 *     error = ks_client_wait(call);                                          then look at ask->error,
 * ask->response->body
 *     ... ks_result_new ...
 *     return ks_client_end(call, error);
 *
 * A call lives on the heap and in the client's list, so that it is freed even when the program jumps out of it.
 */
#ifndef KS_CLIENT_CALL_H
#define KS_CLIENT_CALL_H

#include <kafkasim/client.h>

#include "sim/api/address.h"
#include "sim/client/transport.h"

#define KS_REQUEST_TIMEOUT (30 * KS_S) /* request.timeout.ms of Java's Admin: of one attempt when a call has a deadline */

typedef struct ks_client_call ks_client_call;

typedef struct ks_ask { /* one question */
    struct ks_ask *next;
    ks_client_call *call;
    ks_route route;
    ks_envelope *request; /* to fill; NULL once sent */
    bool expects_response;
    ks_exchange *exchange;
    kafka_error error;     /* why no answer came */
    ks_envelope *response; /* owned by the call */
} ks_ask;

struct ks_client_call {
    ks_client_call *next, **link;
    kafka_client *client;
    kafka_context *context;
    const char *name;
    ks_arena *arena; /* for what the call needs until it ends */
    ks_ask *asks, **asks_end;
    int32_t left; /* answers that have not come */
    ks_layout_wait *layout;
    kafka_error layout_error;
    int64_t deadline; /* of all its questions together; 0: each has the client's timeout */
    ks_timer pause;
    ks_wait wait;
    bool parked;
};

struct kafka_client {
    ks_handle handle;
    kafka_address *address;
    ks_process_watch watch;
    ks_transport *transport;
    kafka_duration timeout;
    bool dead, freed;
    ks_client_call *calls; /* that have not returned */
};

/* Checks thread, NULL, crash. NULL: `*error` is the answer. */
ks_client_call *ks_client_begin(kafka_client *client, kafka_context *context, const char *name, kafka_error *error);
/* The same, and every one of `arguments` must be true: else INVALID_ARGUMENT, in the words of `what`. */
ks_client_call *ks_client_begin_with(kafka_client *client, kafka_context *context, const char *name, bool arguments,
                                     const char *what, kafka_error *error);
ks_ask *ks_client_ask(ks_client_call *call, int16_t api_key, ks_route route);
/* The same at another version than kafka-go's: that of Java's Admin. */
ks_ask *ks_client_ask_at(ks_client_call *call, int16_t api_key, int16_t api_version, ks_route route);
/* Sends what was not sent and waits until all is answered. An error: the call as a whole has failed. */
kafka_error ks_client_wait(ks_client_call *call);
/* The same for one question: its own error counts too. */
kafka_error ks_client_wait_for(ks_client_call *call, const ks_ask *ask);
kafka_error ks_client_pause(ks_client_call *call, int64_t ns); /* lets so much time pass */
/* Waits until the layout is there (topics NULL, -1), or these topics are in it. */
kafka_error ks_client_wait_layout(ks_client_call *call, const ks_string *topics, int32_t count);
/* A code from a broker that the call returns: kept in words, with the broker's own (null: none). */
kafka_error ks_client_code(ks_client_call *call, int16_t code, const char *about, ks_string message);
kafka_error ks_client_partition_code(ks_client_call *call, kafka_error code, const char *topic, int32_t partition);
kafka_error ks_client_end(ks_client_call *call, kafka_error error); /* frees it; returns `error` */
/* What the broker is told: half of the time there is, when the client has a timeout; else `fallback`. */
int32_t ks_client_timeout_ms(const ks_client_call *call, int32_t fallback);

/* ---- building requests ---- */

/* An array of `count` zeroed items in the request's arena; default values are the caller's business. */
#define KS_FILL(ask, list, n)                                                                                          \
    ((list).count = (int32_t)(n),                                                                                      \
     (list).items = ks_arena_alloc((ask)->request->arena, (size_t)(n) * sizeof *(list).items))
ks_string ks_ask_string(ks_ask *ask, const char *text); /* a copy that travels; NULL stays null */

/* ---- owned results: one arena, freed with the pointer to its first object ---- */

void *ks_result_new(size_t size, ks_arena **arena);
void ks_result_free(void *result);                           /* NULL is allowed */
const char *ks_result_text(ks_arena *arena, ks_string text); /* NULL for null */
kafka_bytes ks_result_bytes(ks_arena *arena, ks_bytes bytes);
#define KS_RESULT_FREE(name, type)                                                                                     \
    void name(type *result) { ks_result_free(result); }
/* Gives `told` to who wants it. Without a place for it (`out` NULL) it is freed, and the call returns `first`: the first code
 * inside that is not 0, which is in words already (ks_client_code), whoever is told of it. */
#define KS_HAND_OVER(told, out, first) ((out) != NULL ? (*(out) = (told), KAFKA_OK) : (ks_result_free(told), (first)))

/* Hands over a list of named codes, or returns the first code that is not 0 (results NULL). */
typedef struct ks_named_code {
    ks_string name, message;
    int16_t code;
} ks_named_code;
kafka_error ks_client_tell_names(ks_client_call *call, const ks_named_code *codes, int32_t count,
                                 kafka_named_errors **results);

#endif
