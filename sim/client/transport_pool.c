/* SPDX-License-Identifier: Apache-2.0
 *
 * Connection pools (kafka-go transport.go: connGroup, conn). A connection carries one request at a time; one that is
 * free is taken last in, first out; when there is none another is opened, however many there are. A new connection asks
 * ApiVersions first. The cluster's own pool dials the given addresses in random order, the brokers' pools the layout's
 * address.
 */
#include "sim/client/transport_internal.h"

static void dial(ks_pooled *pooled);

static ks_kernel *kernel_of(const ks_pooled *pooled) { return ks_process_kernel(pooled->pool->transport->process); }

static void unlink_pooled(ks_pooled *pooled) {
    *pooled->link = pooled->next;
    if (pooled->next != NULL) pooled->next->link = pooled->link;
}

static void link_pooled(ks_pooled **head, ks_pooled *pooled) {
    pooled->next = *head;
    pooled->link = head;
    if (*head != NULL) (*head)->link = &pooled->next;
    *head = pooled;
}

void ks_pooled_close(ks_pooled *pooled) {
    if (pooled->exchange != NULL) pooled->exchange->pooled = NULL;
    ks_timer_stop(&pooled->timer);
    ks_channel_close(pooled->channel);
    unlink_pooled(pooled);
    ks_free(pooled->order);
    ks_free(pooled);
}

static void give_up(ks_pooled *pooled, kafka_error error) {
    ks_exchange *exchange = pooled->exchange;
    ks_pooled_close(pooled);
    if (exchange != NULL) ks_exchange_failed(exchange, error);
}

/* ---- opening ---- */

static void closed_by_peer(void *owner, kafka_error error) { /* only an idle one hears of it this way */
    (void)error;
    ks_pooled_close(owner);
}

static void said_hello(void *owner, kafka_error error) {
    ks_pooled *pooled = owner;
    ks_pool *pool = pooled->pool;
    pooled->call = NULL;
    if (error == KAFKA_ERR_CONNECTION_REFUSED && pool->broker < 0 && pooled->tries < pool->transport->address_count) {
        ks_channel_close(pooled->channel);
        dial(pooled);
    } else if (error != KAFKA_OK) {
        give_up(pooled, error);
    } else if (pooled->exchange == NULL) { /* whoever wanted it has gone; it may be of use */
        ks_pooled_release(pooled);
    } else {
        ks_timer_stop(&pooled->timer);
        ks_exchange_connected(pooled->exchange, pooled);
    }
}

static void dial(ks_pooled *pooled) {
    ks_pool *pool = pooled->pool;
    ks_transport *transport = pool->transport;
    ks_string host = pool->host;
    int32_t port = pool->port;
    if (pool->broker < 0) {
        int32_t address = pooled->order[pooled->tries++];
        host = transport->hosts[address];
        port = transport->ports[address];
    }
    pooled->channel = ks_channel_dial(transport->process, host, port, closed_by_peer, pooled);
    pooled->call = ks_channel_hello(pooled->channel, 0, said_hello, pooled);
}

static void timed_out(ks_timer *timer) {
    ks_pooled *pooled = timer->owner;
    if (pooled->call != NULL)
        give_up(pooled, KAFKA_ERR_DEADLINE_EXCEEDED); /* opening took too long */
    else
        ks_pooled_close(pooled); /* idle too long */
}

static void shuffle_addresses(ks_pooled *pooled) {
    ks_transport *transport = pooled->pool->transport;
    ks_node *node = ks_process_node(transport->process);
    int32_t count = transport->address_count;
    pooled->order = ks_alloc((size_t)count * sizeof *pooled->order);
    for (int32_t i = 0; i < count; i++) pooled->order[i] = i;
    for (int32_t i = count - 1; i > 0; i--) {
        int32_t j = (int32_t)ks_node_random_below(node, (uint64_t)i + 1), swapped = pooled->order[i];
        pooled->order[i] = pooled->order[j];
        pooled->order[j] = swapped;
    }
}

static void open_one(ks_pool *pool, ks_exchange *exchange) {
    ks_pooled *pooled = ks_alloc(sizeof *pooled);
    pooled->pool = pool;
    pooled->exchange = exchange;
    exchange->pooled = pooled;
    link_pooled(&pool->busy, pooled);
    ks_timer_init(&pooled->timer, ks_process_node(pool->transport->process), timed_out, pooled);
    ks_timer_start(kernel_of(pooled), &pooled->timer, KS_DIAL_TIMEOUT);
    if (pool->broker < 0) shuffle_addresses(pooled);
    dial(pooled);
}

/* ---- taking and giving back ---- */

void ks_pool_connect(ks_pool *pool, ks_exchange *exchange) {
    ks_pooled *pooled = pool->idle;
    if (pooled == NULL) {
        open_one(pool, exchange);
        return;
    }
    ks_timer_stop(&pooled->timer);
    unlink_pooled(pooled);
    link_pooled(&pool->busy, pooled);
    pooled->exchange = exchange;
    exchange->pooled = pooled;
    ks_exchange_connected(exchange, pooled);
}

void ks_pooled_release(ks_pooled *pooled) {
    pooled->exchange = NULL;
    pooled->call = NULL;
    if (pooled->stale) {
        ks_pooled_close(pooled);
        return;
    }
    unlink_pooled(pooled);
    link_pooled(&pooled->pool->idle, pooled);
    ks_timer_start_background(kernel_of(pooled), &pooled->timer, KS_IDLE_TIMEOUT);
}

ks_pool *ks_pool_get(ks_transport *transport, int32_t broker) {
    if (broker < 0) return &transport->cluster;
    ks_pool *pool;
    HASH_FIND(hh, transport->brokers, &broker, sizeof broker, pool);
    if (pool != NULL && pool->host.data != NULL) return pool;
    const ks_metadata_response_broker *known = ks_transport_broker(transport, broker);
    if (known == NULL) return NULL;
    if (pool == NULL) {
        pool = ks_alloc(sizeof *pool);
        pool->transport = transport;
        pool->broker = broker;
        HASH_ADD(hh, transport->brokers, broker, sizeof pool->broker, pool);
    }
    pool->host = ks_string_dup(known->host);
    pool->port = known->port;
    return pool;
}

/* ---- the layout changed; the end ---- */

static void retire(ks_pool *pool) {
    while (pool->idle != NULL) ks_pooled_close(pool->idle);
    for (ks_pooled *pooled = pool->busy; pooled != NULL; pooled = pooled->next) pooled->stale = true;
    ks_free((void *)pool->host.data);
    pool->host = (ks_string){ NULL, 0 };
}

void ks_pool_update(ks_transport *transport) {
    ks_pool *pool, *next;
    HASH_ITER(hh, transport->brokers, pool, next) {
        const ks_metadata_response_broker *known = ks_transport_broker(transport, pool->broker);
        bool same = known != NULL && known->port == pool->port && ks_string_equal(known->host, pool->host);
        if (!same && pool->host.data != NULL) retire(pool);
    }
}

static void close_all(ks_pool *pool) {
    while (pool->idle != NULL) ks_pooled_close(pool->idle);
    while (pool->busy != NULL) ks_pooled_close(pool->busy);
}

void ks_pools_close(ks_transport *transport) {
    close_all(&transport->cluster);
    ks_pool *pool, *next;
    HASH_ITER(hh, transport->brokers, pool, next) {
        close_all(pool);
        HASH_DEL(transport->brokers, pool);
        ks_free((void *)pool->host.data);
        ks_free(pool);
    }
}
