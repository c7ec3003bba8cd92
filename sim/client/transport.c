/* SPDX-License-Identifier: Apache-2.0
 *
 * The transport's life and its cached layout (kafka-go transport.go: connPool.discover, update). A refresh asks for all
 * topics on a connection of its own pool, to any broker. A failed one keeps the old layout; if there is none yet its
 * error answers all lookups until one succeeds.
 */
#include "sim/client/transport_internal.h"

#include <stdlib.h>

#include "sim/protocol/events.h"

static void refresh_due(ks_timer *timer);
static void crashed(void *owner);

/* ---- life ---- */

static void parse_addresses(ks_transport *transport, const char *text) {
    int32_t count = 1;
    for (const char *at = text; *at; at++) count += *at == ',';
    transport->hosts = ks_alloc((size_t)count * sizeof *transport->hosts);
    transport->ports = ks_alloc((size_t)count * sizeof *transport->ports);
    for (const char *at = text; *at;) {
        int32_t length = (int32_t)strcspn(at, ","), host = length;
        for (int32_t i = 0; i < length; i++)
            if (at[i] == ':') host = i;
        int32_t i = transport->address_count++;
        transport->hosts[i] = ks_string_dup((ks_string){ at, host });
        transport->ports[i] = host < length ? (int32_t)strtol(at + host + 1, NULL, 10) : 9092;
        at += length;
        if (*at == ',') at++;
    }
}

static ks_transport *transport_new(ks_process *process, const char *addresses) {
    ks_transport *transport = ks_alloc(sizeof *transport);
    transport->process = process;
    transport->cluster.transport = transport;
    transport->cluster.broker = -1;
    transport->waiting_end = &transport->waiting;
    transport->waits_end = &transport->waits;
    parse_addresses(transport, addresses);
    ks_timer_init(&transport->refresh_timer, ks_process_node(process), refresh_due, transport);
    transport->watch = (ks_process_watch){ .crashed = crashed, .owner = transport };
    ks_process_watch_start(process, &transport->watch);
    return transport;
}

void ks_transport_free(ks_transport *transport) {
    if (transport == NULL) return;
    ks_process_watch_stop(&transport->watch);
    ks_timer_stop(&transport->refresh_timer);
    ks_layout_waits_free(transport);
    ks_exchanges_free(transport);
    ks_pools_close(transport);
    if (transport->layout != NULL) ks_envelope_free(ks_process_kernel(transport->process), transport->layout);
    for (int32_t i = 0; i < transport->address_count; i++) ks_free((void *)transport->hosts[i].data);
    ks_free(transport->hosts);
    ks_free(transport->ports);
    ks_free(transport);
}

static void crashed(void *owner) {
    ks_transport *transport = owner;
    transport->dead = true;
    *ks_process_transport(transport->process) = NULL; /* the next life of the process makes one of its own */
    ks_timer_stop(&transport->refresh_timer);
    ks_exchanges_silence(transport);
    ks_layout_waits_silence(transport);
    ks_pools_close(transport); /* exchanges and waits stay until their owners, who are told too, drop them */
    if (transport->users == 0) ks_transport_free(transport);
}

static void schedule_refresh(ks_transport *transport) {
    ks_kernel *kernel = ks_process_kernel(transport->process);
    int64_t delay = (int64_t)ks_node_random_below(ks_process_node(transport->process), (uint64_t)KS_METADATA_TTL);
    transport->refresh_due = ks_now(kernel) + delay;
    ks_timer_start_background(kernel, &transport->refresh_timer, delay);
}

void ks_transport_wake(ks_transport *transport) {
    if (transport->awake || transport->dead) return;
    transport->awake = true;
    ks_kernel *kernel = ks_process_kernel(transport->process);
    int64_t left = transport->refresh_due - ks_now(kernel);
    if (left > 0 && transport->layout != NULL) {
        ks_timer_start_background(kernel, &transport->refresh_timer, left);
        return;
    }
    transport->ready = false; /* what it has may be long out of date */
    schedule_refresh(transport);
    ks_transport_refresh(transport, transport->layout == NULL ? "first" : "woken");
}

ks_transport *ks_transport_open(ks_process *process, const char *addresses) {
    if (ks_process_is_down(process)) return NULL;
    ks_transport **slot = ks_process_transport(process);
    if (*slot == NULL) *slot = transport_new(process, addresses);
    (*slot)->users++;
    return *slot;
}

void ks_transport_close(ks_transport *transport) {
    if (transport == NULL || --transport->users > 0) return;
    if (transport->dead) {
        ks_transport_free(transport);
        return;
    }
    transport->awake = false;
    ks_timer_stop(&transport->refresh_timer);
}

ks_process *ks_transport_process(const ks_transport *transport) { return transport->process; }
bool ks_transport_is_dead(const ks_transport *transport) { return transport->dead; }

/* ---- refreshing ---- */

static int by_broker_id(const void *a, const void *b) {
    int32_t x = ((const ks_metadata_response_broker *)a)->node_id,
            y = ((const ks_metadata_response_broker *)b)->node_id;
    return (x > y) - (x < y);
}

static int by_topic_name(const void *a, const void *b) { /* a response names no topic twice */
    return ks_string_compare(((const ks_metadata_response_topic *)a)->name,
                             ((const ks_metadata_response_topic *)b)->name);
}

static int by_partition(const void *a, const void *b) {
    int32_t x = ((const ks_metadata_response_partition *)a)->partition_index;
    int32_t y = ((const ks_metadata_response_partition *)b)->partition_index;
    return (x > y) - (x < y);
}

/* Brokers answer in order more often than not; only what is out of order is sorted. */
static void sort(void *items, int32_t count, size_t size, int (*compare)(const void *, const void *)) {
    char *bytes = items;
    for (int32_t i = 1; i < count; i++) {
        if (compare(bytes + (size_t)(i - 1) * size, bytes + (size_t)i * size) <= 0) continue;
        qsort(items, (size_t)count, size, compare);
        return;
    }
}

static void normalise(ks_metadata_response *layout) {
    sort(layout->brokers.items, layout->brokers.count, sizeof *layout->brokers.items, by_broker_id);
    sort(layout->topics.items, layout->topics.count, sizeof *layout->topics.items, by_topic_name);
    for (int32_t i = 0; i < layout->topics.count; i++) {
        ks_metadata_response_topic *topic = &layout->topics.items[i];
        sort(topic->partitions.items, topic->partitions.count, sizeof *topic->partitions.items, by_partition);
    }
}

static void refreshed(void *owner, kafka_error error, const ks_envelope *response) {
    ks_transport *transport = owner;
    transport->refresh = NULL;
    transport->refreshing = false;
    if (error == KAFKA_OK) {
        if (transport->layout != NULL) ks_envelope_free(ks_process_kernel(transport->process), transport->layout);
        transport->layout = ks_call_keep(response);
        transport->layout_version++;
        transport->problem = KAFKA_OK;
        normalise(transport->layout->body);
        ks_pool_update(transport);
        KS_EMIT(ks_process_kernel(transport->process), ks_process_node(transport->process), metadata_refreshed,
                .client = ks_str(ks_node_name(ks_process_node(transport->process))),
                .reason = ks_str(transport->refresh_reason));
    } else if (transport->layout == NULL) {
        transport->problem = error;
    }
    transport->users++; /* what is told below may close the transport */
    transport->ready = true;
    ks_exchanges_become_ready(transport);
    ks_layout_waits_look(transport, true);
    if (transport->refresh_again && !transport->dead) ks_transport_refresh(transport, "topic_created");
    ks_transport_close(transport);
}

void ks_transport_refresh(ks_transport *transport, const char *reason) {
    if (transport->refreshing) {
        transport->refresh_again = true;
        return;
    }
    transport->refreshing = true;
    transport->refresh_again = false;
    transport->refresh_reason = reason;
    ks_layout_waits_refreshing(transport);
    ks_envelope *envelope = ks_transport_request(transport, KS_API_metadata);
    ks_metadata_request *request = envelope->body;
    request->topics.items = NULL;
    request->topics.count = -1; /* all */
    request->allow_auto_topic_creation = false;
    transport->refresh = ks_exchange_start(transport, &(ks_route){ .to = KS_ROUTE_ANY }, envelope, true, true,
                                           KS_METADATA_TTL, refreshed, transport);
}

static void refresh_due(ks_timer *timer) {
    ks_transport *transport = timer->owner;
    if (!transport->awake) return;
    schedule_refresh(transport);
    if (!transport->refreshing) ks_transport_refresh(transport, "periodic");
}

/* ---- looking ---- */

bool ks_transport_is_ready(const ks_transport *transport) { return transport->ready && transport->awake; }
kafka_error ks_transport_problem(const ks_transport *transport) { return transport->problem; }
uint64_t ks_transport_layout_version(const ks_transport *transport) { return transport->layout_version; }

const ks_metadata_response *ks_transport_layout(const ks_transport *transport) {
    return transport->layout != NULL ? transport->layout->body : NULL;
}

const ks_metadata_response_topic *ks_transport_topic(const ks_transport *transport, ks_string name) {
    const ks_metadata_response *layout = ks_transport_layout(transport);
    if (layout == NULL || layout->topics.count <= 0) return NULL;
    ks_metadata_response_topic key = { .name = name };
    return bsearch(&key, layout->topics.items, (size_t)layout->topics.count, sizeof key, by_topic_name);
}

const ks_metadata_response_broker *ks_transport_broker(const ks_transport *transport, int32_t id) {
    const ks_metadata_response *layout = ks_transport_layout(transport);
    if (layout == NULL || layout->brokers.count <= 0) return NULL;
    ks_metadata_response_broker key = { .node_id = id };
    return bsearch(&key, layout->brokers.items, (size_t)layout->brokers.count, sizeof key, by_broker_id);
}
