/* SPDX-License-Identifier: Apache-2.0
 *
 * Brokers and what they share. A broker is a node whose requests are dispatched to one function per API key
 * (api_NN_name.c). What the controller decided (topics, leaders, configs) is one image that every broker reads, as brokers
 * apply the metadata log at once; replication with its delays comes later (docs/FIDELITY.md).
 */
#ifndef KS_BROKER_H
#define KS_BROKER_H

#include <kafkasim/error.h>

#include "sim/kernel/kernel.h"
#include "sim/protocol/messages.h"

typedef struct ks_cluster ks_cluster;     /* cluster.h: image, controller, settings */
typedef struct ks_broker ks_broker;
typedef struct ks_topic ks_topic;         /* cluster.h */
typedef struct ks_partition ks_partition; /* cluster.h; has a ks_log */
typedef struct ks_log ks_log;             /* log.h */
typedef struct ks_group_coordinator ks_group_coordinator; /* group_coordinator.h */

struct ks_broker {
    ks_cluster *cluster;
    ks_node *node;
    int32_t id; /* 1..N */
    ks_string host, rack; /* "broker-1"; rack null: none */
    int32_t port;         /* 9092 */
    bool up;
    struct ks_fetch_sessions *fetch_sessions; /* fetch_session.h */
    ks_group_coordinator *groups; /* the groups whose __consumer_offsets partition this broker leads */
};

/* One function per API key: reads request->envelope->body, answers now with ks_respond(), or parks the request. */
typedef void ks_api_handler(ks_broker *broker, ks_request *request);
/* A response envelope of the request's API and version, body set to defaults. */
ks_envelope *ks_response_new(ks_request *request);
static inline void ks_respond(ks_request *request, ks_envelope *response) { ks_request_respond(request, response); }

#define API(key, name, c_name, since, until, flexible, advertise) ks_api_handler ks_handle_##c_name;
#include "sim/protocol/messages/apis.def"
#undef API

#endif
