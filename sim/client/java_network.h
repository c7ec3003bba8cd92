/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection per broker, as Java's NetworkClient keeps them (kafka-go's engines have one per partition): the coordinator has
 * one of its own. A new connection first asks ApiVersions; requests wait until that was answered and then go out in order,
 * many at a time. A request that times out, like any other trouble, closes the connection and fails everything on it.
 */
#ifndef KS_JAVA_NETWORK_H
#define KS_JAVA_NETWORK_H

#include "sim/client/process.h"

typedef struct ks_java_network ks_java_network;
typedef struct ks_java_node ks_java_node;

enum { KS_JAVA_COORDINATOR_BASE = INT32_MAX }; /* a coordinator's connection has the id BASE - broker id */

typedef struct ks_java_network_config { /* what every request touches stands first */
    void *owner;
    void (*replying)(void *owner, bool begins);       /* around each reply; at its end the network may be freed */
    int64_t request_timeout_ns;
    ks_string client_id;
    ks_process *process;
    ks_string addresses; /* "host:port,host:port": the brokers to ask first */
    int64_t backoff_min_ns, backoff_max_ns; /* of connecting again */
    /* Where a broker listens, as the metadata says; false: unknown. */
    bool (*address)(void *owner, int32_t broker, ks_string *host, int32_t *port);
    int32_t (*broker_at)(void *owner, int32_t index); /* the known brokers' ids in turn; -1: no more */
    void (*disconnected)(void *owner, int32_t node);  /* a connection ended; what was on it was told before */
} ks_java_network_config;

ks_java_network *ks_java_network_new(const ks_java_network_config *config); /* strings are copied */
void ks_java_network_free(ks_java_network *network); /* nobody is told anything any more */

/* A request to fill, at the highest version that we and the broker know (`highest` at most; -1: no limit of the caller's). */
ks_envelope *ks_java_request(ks_java_network *network, int16_t api_key, int16_t highest);
/* Sends it (taken). `reply` comes exactly once while the network lives, never from inside this call: as ks_channel_send.
 * `timeout_ns` 0: request.timeout.ms. */
void ks_java_send(ks_java_network *network, int32_t node, ks_envelope *request, int64_t timeout_ns, ks_reply_fn *reply,
                  void *owner);
/* Whom to ask what anybody can answer: the connected node with the fewest requests under way, else any that may be connected
 * to now, else -1 with *retry_at set. Kafka starts looking at a random one, here it is the lowest id. */
bool ks_java_least_loaded(ks_java_network *network, int32_t *node, int64_t *retry_at);
/* May requests be sent there now, or is it waiting to connect again? */
bool ks_java_is_available(ks_java_network *network, int32_t node);
bool ks_java_has_in_flight(ks_java_network *network, int32_t node);
void ks_java_disconnect(ks_java_network *network, int32_t node); /* fails what is on it with CONNECTION_RESET */

#endif
