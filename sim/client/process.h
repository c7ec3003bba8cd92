/* SPDX-License-Identifier: Apache-2.0
 *
 * A client process on the simulated network, and its way to talk to brokers: dial, send a request with a time limit, get a
 * reply. Engines (writer, reader, group member, admin) are built on this and know nothing of blocking. Another transport
 * (sockets) can stand behind the same calls later.
 */
#ifndef KS_PROCESS_H
#define KS_PROCESS_H

#include <kafkasim/error.h>

#include "sim/kernel/kernel.h"
#include "sim/protocol/messages.h"

typedef struct ks_process ks_process;
typedef struct ks_channel ks_channel; /* one connection of a client to one broker */
typedef struct ks_call ks_call;       /* one request under way */

/* The name book of the network: how a client finds the node behind "broker-1:9092". NULL when nobody listens there. */
typedef ks_node *ks_resolve_fn(void *context, ks_string host, int32_t port);

ks_process *ks_process_new(ks_kernel *kernel, const char *name, ks_resolve_fn *resolve, void *context);
void ks_process_free(ks_process *process);
ks_node *ks_process_node(ks_process *process);
ks_kernel *ks_process_kernel(ks_process *process);
bool ks_process_is_down(const ks_process *process);
/* "c1 (github.com/segmentio/kafka-go)": kafka-go's default client id without its host name, so that runs are equal everywhere. */
ks_string ks_process_client_id(const ks_process *process);
/* 1, 2, 3, ...: to name what is made in this process, in all its lives. */
uint32_t ks_process_next_number(ks_process *process);
/* Engines that must let go when the process crashes (drop channels, stop timers, fail their callers with NODE_CRASHED). They
 * are told once, in the order of starting, and are then no longer watching: what lived in the process does not come back
 * with it. */
typedef struct ks_process_watch {
    void (*crashed)(void *owner);
    void *owner;
    struct ks_process_watch *next, **link, ***end; /* the process's; zeroed: not watching */
} ks_process_watch;
void ks_process_watch_start(ks_process *process, ks_process_watch *watch);
void ks_process_watch_stop(ks_process_watch *watch);

/* The last failure in words, for kafka_error_detail(). Formats, keeps at most 1023 bytes; returns `error`. */
kafka_error ks_process_fail(ks_process *process, kafka_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
const char *ks_process_detail(const ks_process *process);

/* ---- channels ---- */

/* Opens a connection; `closed` comes at most once, when the peer refuses, resets or closes (never after
 * ks_channel_close). Calls in flight fail first, each with its own reply. Requests may be sent at once. */
typedef void ks_channel_closed_fn(void *owner, kafka_error error); /* CONNECTION_REFUSED or CONNECTION_RESET */
ks_channel *ks_channel_dial(ks_process *process, ks_string host, int32_t port, ks_channel_closed_fn *closed, void *owner);
void ks_channel_close(ks_channel *channel); /* calls in flight are dropped without a reply; the handle is gone */
bool ks_channel_is_open(const ks_channel *channel); /* false once closed by the peer; the handle stays until ks_channel_close */

/* A request to fill: type->body in the envelope's arena, default values set. */
ks_envelope *ks_channel_request(ks_channel *channel, int16_t api_key, int16_t api_version);
/* Sends it (taken). `reply` comes exactly once unless the call or channel is dropped before: with the response (a view
 * for the call; ks_envelope of it may be kept with ks_call_keep), or with an error: DEADLINE_EXCEEDED after `timeout_ns`
 * (0: none), CONNECTION_REFUSED, CONNECTION_RESET (also when the channel was closed by the peer before). acks=0 requests use ks_channel_post. */
typedef void ks_reply_fn(void *owner, kafka_error error, const ks_envelope *response);
ks_call *ks_channel_send(ks_channel *channel, ks_envelope *request, int64_t timeout_ns, ks_reply_fn *reply, void *owner);
void ks_channel_post(ks_channel *channel, ks_envelope *request); /* no response will come */
void ks_call_drop(ks_call *call);                                /* no reply will come; NULL is allowed */
/* Asks ApiVersions (v0, as kafka-go does) so that ks_channel_version can answer. kafka-go's Conn asks once before its first
 * Metadata, JoinGroup or Fetch; its Transport on every new connection. `done` comes exactly once unless dropped:
 * KAFKA_OK, the broker's code, or an error of ks_channel_send. */
typedef void ks_hello_fn(void *owner, kafka_error error);
ks_call *ks_channel_hello(ks_channel *channel, int64_t timeout_ns, ks_hello_fn *done, void *owner);
bool ks_channel_knows_versions(const ks_channel *channel);
/* The version to use when `highest` is the highest of ours: the broker's maximum if that is lower; like kafka-go it ignores
 * the minimum (WR-26). -1: the broker does not have the API. `highest` when versions are not known. */
int16_t ks_channel_version(const ks_channel *channel, int16_t api_key, int16_t highest);
/* Inside a reply: keeps the response beyond it. The caller frees it with ks_envelope_free. */
ks_envelope *ks_call_keep(const ks_envelope *response);

/* What the client library shares between all its engines in one process (transport.h); it is told of crash and end. */
typedef struct ks_transport ks_transport;
ks_transport **ks_process_transport(ks_process *process); /* where it is kept; NULL there: none yet */

/* kafka-go's backoff: min(n*n*min, max); no jitter (kafka-go-client.md 1). */
int64_t ks_backoff(int32_t attempt, int64_t min_ns, int64_t max_ns);

#endif
