/* SPDX-License-Identifier: Apache-2.0
 *
 * The transport of a client process: what kafka-go's Transport (transport.go) is to its Writer and Client. It keeps a
 * cached layout of the cluster, refreshed after a random time in [0, 6 s), and pools of connections, one request on a
 * connection at a time, and sends each request to the broker that must answer it.
 *
 * One transport serves all writers and clients of a process. Where it differs from kafka-go on purpose: while nobody
 * uses it, it does not refresh; the next user then waits for a fresh layout if the cached one would have been refreshed
 * meanwhile.
 */
#ifndef KS_TRANSPORT_H
#define KS_TRANSPORT_H

#include "sim/client/process.h"

/* The process's transport, made when there is none. `addresses` is "host:port,host:port" of the brokers to ask first,
 * copied. Each open needs a ks_transport_close. NULL: the process is down. Talks to nobody before the first request or
 * lookup. */
ks_transport *ks_transport_open(ks_process *process, const char *addresses);
void ks_transport_close(ks_transport *transport);
void ks_transport_free(ks_transport *transport); /* with its process; NULL is allowed */
ks_process *ks_transport_process(const ks_transport *transport);
/* The process crashed: it answers nobody any more. */
bool ks_transport_is_dead(const ks_transport *transport);

/* ---- the cached layout ---- */

/* The whole of it, brokers by id, topics by name, partitions by id. NULL: never seen one. View, until the next event.
 */
const ks_metadata_response *ks_transport_layout(const ks_transport *transport);
uint64_t ks_transport_layout_version(const ks_transport *transport); /* changes with every refresh */
const ks_metadata_response_topic *ks_transport_topic(const ks_transport *transport,
                                                     ks_string name); /* NULL: not there */
const ks_metadata_response_broker *ks_transport_broker(const ks_transport *transport, int32_t id);
/* It is in use and has a first answer, good or bad: lookups in the cache need not wait. */
bool ks_transport_is_ready(const ks_transport *transport);
/* Why there is no layout although it is ready; KAFKA_OK when there is one. */
kafka_error ks_transport_problem(const ks_transport *transport);

/* ---- requests ---- */

typedef struct ks_route {
    enum { KS_ROUTE_ANY, KS_ROUTE_BROKER, KS_ROUTE_CONTROLLER, KS_ROUTE_LEADER, KS_ROUTE_GROUP } to;
    int32_t broker;    /* BROKER */
    ks_string topic;   /* LEADER; must live until the exchange is done */
    int32_t partition; /* LEADER */
    ks_string group;   /* GROUP; must live until the exchange is done */
} ks_route;

typedef struct ks_exchange ks_exchange; /* one request under way, from routing to answer */
/* `response` is a view for the call (ks_call_keep keeps it); NULL with an error, and for requests without one. */
typedef void ks_exchange_fn(void *owner, kafka_error error, const ks_envelope *response);

/* A request to fill, at kafka-go's version of that API. */
ks_envelope *ks_transport_request(ks_transport *transport, int16_t api_key);
/* Sends it (taken) when the layout is there. `done` comes exactly once unless dropped, never from inside this call:
 * KAFKA_OK; DEADLINE_EXCEEDED after `timeout_ns` (0: none); CONNECTION_REFUSED, CONNECTION_RESET; TOPIC_NOT_CACHED,
 * PARTITION_NOT_CACHED, LEADER_NOT_CACHED, BROKER_NOT_AVAILABLE when there is no way; UNSUPPORTED_VERSION; the
 * coordinator search's own code. `expects_response` false: done when it is handed to the network. */
ks_exchange *ks_transport_send(ks_transport *transport, const ks_route *route, ks_envelope *request,
                               bool expects_response, int64_t timeout_ns, ks_exchange_fn *done, void *owner);
void ks_exchange_drop(ks_exchange *exchange); /* no answer will come; NULL is allowed */

/* ---- waiting for the layout ---- */

typedef struct ks_layout_wait ks_layout_wait;
typedef void ks_layout_fn(void *owner, kafka_error error, int32_t partitions);
/* Looks a topic's number of partitions up, when the layout is there; a topic that is not cached is asked for (and so
 * created) when `create`. Errors: the topic's code, the layout's problem, DEADLINE_EXCEEDED. `done` comes exactly once
 * unless dropped, never from inside this call. */
ks_layout_wait *ks_transport_find_topic(ks_transport *transport, ks_string topic, bool create, int64_t timeout_ns,
                                        ks_layout_fn *done, void *owner);
/* Refreshes until all `topics` (copied) are in the layout, as kafka-go does after CreateTopics; none: refreshes once.
 * NULL topics with -1: waits until it is ready. partitions is 0. */
ks_layout_wait *ks_transport_await(ks_transport *transport, const ks_string *topics, int32_t count, int64_t timeout_ns,
                                   ks_layout_fn *done, void *owner);
void ks_layout_wait_drop(ks_layout_wait *wait); /* NULL is allowed */

#endif
