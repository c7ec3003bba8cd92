/* SPDX-License-Identifier: Apache-2.0
 *
 * One request from routing to answer (kafka-go transport.go: connPool.roundTrip, sendRequest):
 *
 *     waiting for a layout -> routing -> (group calls: searching the coordinator) -> a connection -> on the wire ->
 * answered
 *
 * The time-out covers all of it; one that strikes on the wire closes the connection, since an answer may still come on
 * it.
 */
#include "sim/client/transport_internal.h"

/* The versions that kafka-go 0.4.50's Client and Writer use when the broker has them. */
static int16_t version_of(int16_t api_key) {
    switch (api_key) {
    case KS_API_produce: return 8;
    case KS_API_fetch: return 11;
    case KS_API_list_offsets: return 5;
    case KS_API_metadata: return 8;
    case KS_API_offset_commit: return 7;
    case KS_API_offset_fetch: return 5;
    case KS_API_find_coordinator: return 2;
    case KS_API_join_group: return 7;
    case KS_API_heartbeat: return 4;
    case KS_API_leave_group: return 4;
    case KS_API_sync_group: return 5;
    case KS_API_describe_groups: return 5;
    case KS_API_list_groups: return 2;
    case KS_API_create_topics: return 5;
    case KS_API_delete_topics: return 3;
    case KS_API_describe_configs: return 3;
    case KS_API_alter_configs: return 1;
    case KS_API_create_partitions: return 1;
    case KS_API_delete_groups: return 2;
    case KS_API_incremental_alter_configs: return 0;
    case KS_API_offset_delete: return 0;
    case KS_API_consumer_group_describe: return 1; /* kafka-go knows it not; as Java's Admin */
    }
    ks_unreachable("an API the client does not use");
}

ks_envelope *ks_transport_request(ks_transport *transport, int16_t api_key) {
    return ks_envelope_new(ks_process_kernel(transport->process), api_key, version_of(api_key),
                           ks_api_find(api_key)->request());
}

/* ---- the end of an exchange ---- */

static void unlink_exchange(ks_exchange *exchange) {
    if (exchange->link == NULL) return;
    *exchange->link = exchange->next;
    if (exchange->next != NULL)
        exchange->next->link = exchange->link;
    else if (exchange->transport->waiting_end == &exchange->next)
        exchange->transport->waiting_end = exchange->link;
    exchange->link = NULL;
}

static void link_active(ks_exchange *exchange) {
    ks_transport *transport = exchange->transport;
    exchange->next = transport->active;
    exchange->link = &transport->active;
    if (transport->active != NULL) transport->active->link = &exchange->next;
    transport->active = exchange;
}

static void link_waiting(ks_exchange *exchange) {
    ks_transport *transport = exchange->transport;
    exchange->next = NULL;
    exchange->link = transport->waiting_end;
    *transport->waiting_end = exchange;
    transport->waiting_end = &exchange->next;
}

/* Leaves its connection, if it has one, to finish what is on it. */
static void exchange_free(ks_exchange *exchange) {
    ks_exchange_drop(exchange->search);
    if (exchange->pooled != NULL) exchange->pooled->exchange = NULL;
    if (exchange->request != NULL) ks_envelope_free(ks_process_kernel(exchange->transport->process), exchange->request);
    ks_timer_stop(&exchange->timer);
    ks_timer_stop(&exchange->verdict);
    unlink_exchange(exchange);
    ks_free(exchange);
}

static void finish(ks_exchange *exchange, kafka_error error, const ks_envelope *response) {
    ks_exchange_fn *done = exchange->done;
    void *owner = exchange->owner;
    exchange_free(exchange);
    done(owner, error, response);
}

void ks_exchange_drop(ks_exchange *exchange) {
    if (exchange != NULL) exchange_free(exchange);
}

static void pronounced(ks_timer *timer) {
    ks_exchange *exchange = timer->owner;
    finish(exchange, exchange->error, NULL);
}

void ks_exchange_failed(ks_exchange *exchange, kafka_error error) {
    exchange->error = error;
    ks_timer_start(ks_process_kernel(exchange->transport->process), &exchange->verdict, 0);
}

static void timed_out(ks_timer *timer) {
    ks_exchange *exchange = timer->owner;
    if (exchange->pooled != NULL && exchange->request == NULL) ks_pooled_close(exchange->pooled); /* sets it to NULL */
    finish(exchange, KAFKA_ERR_DEADLINE_EXCEEDED, NULL);
}

/* ---- on the wire ---- */

static void answered(void *owner, kafka_error error, const ks_envelope *response) {
    ks_pooled *pooled = owner;
    ks_exchange *exchange = pooled->exchange;
    if (error == KAFKA_OK)
        ks_pooled_release(pooled);
    else
        ks_pooled_close(pooled);
    if (exchange == NULL) return; /* its owner went away */
    exchange->pooled = NULL;
    finish(exchange, error, response);
}

void ks_exchange_connected(ks_exchange *exchange, ks_pooled *pooled) {
    ks_envelope *request = exchange->request;
    request->api_version = ks_channel_version(pooled->channel, request->api_key, request->api_version);
    if (request->api_version < 0) {
        exchange->pooled = NULL;
        ks_pooled_release(pooled);
        ks_exchange_failed(exchange, KAFKA_ERR_UNSUPPORTED_VERSION);
        return;
    }
    exchange->request = NULL;
    if (exchange->expects_response) {
        pooled->call = ks_channel_send(pooled->channel, request, 0, answered, pooled);
        return;
    }
    ks_channel_post(pooled->channel, request);
    exchange->pooled = NULL;
    ks_pooled_release(pooled);
    ks_exchange_failed(exchange, KAFKA_OK); /* said at this instant, but not inside the sender's own call */
}

/* ---- routing ---- */

static kafka_error find_leader(const ks_exchange *exchange, int32_t *broker) {
    const ks_route *route = &exchange->route;
    const ks_metadata_response_topic *topic = ks_transport_topic(exchange->transport, route->topic);
    if (topic == NULL || topic->error_code == KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION) return KAFKA_ERR_TOPIC_NOT_CACHED;
    int32_t low = 0, high = topic->partitions.count;
    while (low < high) { /* ids are 0 .. n-1 unless the broker says otherwise */
        int32_t middle = low + (high - low) / 2;
        if (topic->partitions.items[middle].partition_index < route->partition)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == topic->partitions.count || topic->partitions.items[low].partition_index != route->partition)
        return KAFKA_ERR_PARTITION_NOT_CACHED;
    *broker = topic->partitions.items[low].leader_id;
    return *broker < 0 || ks_transport_broker(exchange->transport, *broker) == NULL ? KAFKA_ERR_LEADER_NOT_CACHED
                                                                                    : KAFKA_OK;
}

static void connect(ks_exchange *exchange, int32_t broker) {
    ks_pool *pool = ks_pool_get(exchange->transport, broker);
    if (pool == NULL)
        ks_exchange_failed(exchange, KAFKA_ERR_BROKER_NOT_AVAILABLE);
    else
        ks_pool_connect(pool, exchange);
}

static void coordinator_found(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_exchange *exchange = owner;
    exchange->search = NULL;
    const ks_find_coordinator_response *response = envelope != NULL ? envelope->body : NULL;
    if (error == KAFKA_OK) error = (kafka_error)response->error_code;
    if (error == KAFKA_OK)
        connect(exchange, response->node_id);
    else
        finish(exchange, error, NULL);
}

static void search_coordinator(ks_exchange *exchange) {
    ks_envelope *envelope = ks_transport_request(exchange->transport, KS_API_find_coordinator);
    ks_find_coordinator_request *request = envelope->body;
    request->key = ks_arena_string(envelope->arena, exchange->route.group);
    request->key_type = 0;
    exchange->search = ks_exchange_start(exchange->transport, &(ks_route){ .to = KS_ROUTE_ANY }, envelope, true, true,
                                         0, coordinator_found, exchange);
}

static void route(ks_exchange *exchange) {
    const ks_metadata_response *layout = ks_transport_layout(exchange->transport);
    kafka_error error = KAFKA_OK;
    int32_t broker = -1;
    switch (exchange->route.to) {
    case KS_ROUTE_ANY: break;
    case KS_ROUTE_BROKER: broker = exchange->route.broker; break;
    case KS_ROUTE_CONTROLLER: broker = layout != NULL ? layout->controller_id : -1; break;
    case KS_ROUTE_LEADER: error = find_leader(exchange, &broker); break;
    case KS_ROUTE_GROUP: search_coordinator(exchange); return;
    }
    if (error != KAFKA_OK)
        ks_exchange_failed(exchange, error);
    else
        connect(exchange, broker);
}

ks_exchange *ks_exchange_start(ks_transport *transport, const ks_route *way, ks_envelope *request,
                               bool expects_response, bool internal, int64_t timeout_ns, ks_exchange_fn *done,
                               void *owner) {
    ks_node *node = ks_process_node(transport->process);
    ks_exchange *exchange = ks_alloc(sizeof *exchange);
    exchange->transport = transport;
    exchange->route = *way;
    exchange->request = request;
    exchange->expects_response = expects_response;
    exchange->internal = internal;
    exchange->done = done;
    exchange->owner = owner;
    ks_timer_init(&exchange->timer, node, timed_out, exchange);
    ks_timer_init(&exchange->verdict, node, pronounced, exchange);
    bool wait = !internal && !transport->ready;
    if (wait)
        link_waiting(exchange);
    else
        link_active(exchange);
    if (transport->dead) return exchange; /* the dead hear nothing */
    if (timeout_ns > 0) ks_timer_start(ks_process_kernel(transport->process), &exchange->timer, timeout_ns);
    if (!wait) route(exchange);
    return exchange;
}

ks_exchange *ks_transport_send(ks_transport *transport, const ks_route *way, ks_envelope *request,
                               bool expects_response, int64_t timeout_ns, ks_exchange_fn *done, void *owner) {
    ks_transport_wake(transport);
    return ks_exchange_start(transport, way, request, expects_response, false, timeout_ns, done, owner);
}

void ks_exchanges_become_ready(ks_transport *transport) {
    if (transport->waiting != NULL)
        ks_progress(ks_process_kernel(transport->process)); /* a refresh may be background work */
    for (ks_exchange *exchange; (exchange = transport->waiting) != NULL;) {
        unlink_exchange(exchange);
        link_active(exchange);
        if (transport->problem != KAFKA_OK)
            ks_exchange_failed(exchange, transport->problem);
        else
            route(exchange);
    }
}

static void silence(ks_exchange *exchange) {
    for (; exchange != NULL; exchange = exchange->next) {
        ks_timer_stop(&exchange->timer);
        ks_timer_stop(&exchange->verdict);
    }
}

void ks_exchanges_silence(ks_transport *transport) {
    silence(transport->waiting);
    silence(transport->active);
}

/* With its process: whoever owns them is gone already or will not hear. */
void ks_exchanges_free(ks_transport *transport) {
    while (transport->waiting != NULL) exchange_free(transport->waiting);
    while (transport->active != NULL) exchange_free(transport->active);
}
