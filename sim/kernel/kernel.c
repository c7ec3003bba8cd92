/* SPDX-License-Identifier: Apache-2.0
 * The loop: clock, steps, causes, and which of the work counts as life. */
#include "sim/kernel/internal.h"

enum { DEFAULT_LATENCY_NS = 500000, DEFAULT_RING = 4096 };

ks_kernel *ks_kernel_new(const ks_kernel_config *config) {
    ks_memory_hold();
    ks_kernel *kernel = ks_alloc(sizeof *kernel);
    kernel->config = *config;
    if (config->start_ns == 0) kernel->config.start_ns = KS_START_NS;
    if (config->latency_ns == 0) kernel->config.latency_ns = DEFAULT_LATENCY_NS;
    if (config->latency_ns < 0) kernel->config.latency_ns = 0;
    if (config->ring_size <= 0) kernel->config.ring_size = DEFAULT_RING;
    ks_wheel_init(&kernel->wheel, (uint64_t)kernel->config.start_ns);
    kernel->last_progress = kernel->config.start_ns;
    for (uint64_t i = 0; i < KS_STREAM_COUNT; i++) ks_random_seed(&kernel->streams[i], config->seed, i);
    ks_ring_link_init(&kernel->connections);
    ks_ring_link_init(&kernel->held);
    kernel->last_subscriber = &kernel->subscribers;
    kernel->plans.trivial = config->trivial;
    ks_trace_ring_init(kernel);
    return kernel;
}

static void free_links(ks_kernel *kernel) {
    ks_link *link, *next;
    HASH_ITER(hh, kernel->links, link, next) {
        HASH_DELETE(hh, kernel->links, link);
        ks_free(link);
    }
}

static void free_nodes(ks_kernel *kernel) {
    ks_node *node, *next;
    HASH_ITER(hh, kernel->nodes, node, next) {
        HASH_DELETE(hh, kernel->nodes, node);
        if (node->name.data != node->text) ks_free((void *)(uintptr_t)node->name.data);
        ks_free(node);
    }
}

static void free_envelopes(ks_kernel *kernel) {
    for (ks_envelope *envelope = kernel->free_envelopes, *next; envelope != NULL; envelope = next) {
        next = envelope->next;
        ks_arena_free(envelope->arena);
    }
}

static void free_if_message(ks_timer *timer) {
    if (ks_message_is(timer)) ks_message_free(ks_message_of(timer));
}

/* A message is with its connection, waits at a link or a node among timers, or is on its way. */
static void free_messages(ks_kernel *kernel) {
    for (ks_ring_link *item = kernel->connections.next, *next; item != &kernel->connections; item = next) {
        ks_connection *connection = KS_OWNER(item, ks_connection, of_kernel);
        next = item->next;
        connection->references++; /* so that it outlives its messages */
        ks_message_free_list(&connection->pending);
        ks_message_free_list(&connection->inbox);
        ks_message_free_list(&connection->outbox);
        if (connection->taken != NULL && !ks_timer_is_running(&connection->taken->timer)) ks_message_free(connection->taken);
    }
    for (ks_link *link = kernel->links; link != NULL; link = link->hh.next) ks_message_free_list(&link->waiting);
    ks_timer *timer;
    for (ks_node *node = kernel->nodes; node != NULL; node = node->hh.next)
        while ((timer = ks_timer_list_pop(&node->deferred)) != NULL) free_if_message(timer);
    while ((timer = ks_wheel_pop(&kernel->wheel)) != NULL) free_if_message(timer);
}

/* Nobody is told: owners of nodes, connections and timers are gone already or go next, and hear nothing any more. */
void ks_kernel_free(ks_kernel *kernel) {
    if (kernel == NULL) return;
    free_messages(kernel);
    while (!ks_ring_link_empty(&kernel->connections)) {
        ks_connection *connection = KS_OWNER(kernel->connections.next, ks_connection, of_kernel);
        connection->references = 1;
        ks_connection_release(connection);
    }
    for (ks_timer *timer = (ks_timer *)kernel->free_messages, *next; timer != NULL; timer = next) {
        next = timer->next;
        ks_free(timer);
    }
    free_envelopes(kernel);
    ks_envelope_defaults_free(kernel);
    ks_wheel_deinit(&kernel->wheel);
    free_links(kernel);
    ks_trace_ring_free(kernel);
    ks_plans_deinit(&kernel->plans);
    free_nodes(kernel);
    ks_free(kernel);
    ks_memory_release();
}

int64_t ks_now(const ks_kernel *kernel) { return (int64_t)kernel->wheel.now; }
int64_t ks_now_ms(const ks_kernel *kernel) { return (int64_t)kernel->wheel.now / KS_MS; }

static void dispatch(ks_kernel *kernel, ks_timer *timer) {
    timer->state = KS_TIMER_IDLE;
    kernel->foreground -= !timer->background;
    if (timer->node != NULL && timer->node->state == KS_NODE_PAUSED) {
        ks_timer_defer(timer->node, timer);
        return;
    }
    ks_assert(timer->node == NULL || timer->node->state == KS_NODE_UP); /* `down` stops the timers of its node */
    kernel->cause = timer->cause;
    kernel->background = timer->background;
    if (!timer->background) kernel->last_progress = ks_now(kernel);
    timer->fire(timer); /* may free the timer */
    kernel->cause = 0;
    kernel->background = false;
}

/* ---- fetching ahead ----
 * In a big cluster each of a thousand timers that are due together leads to memory that is in no cache, by one pointer after
 * the other. What the next ones need is asked for while the present one is worked on: first the timer, then what it points
 * to, then what that points to. */

enum { FAR = 7, NEAR = 4, NEXT = 2, ENVELOPE_LINES = 5 /* of it and its body, which stands behind it: most need no more */ };

static void fetch_ahead(const ks_kernel *kernel) {
    const ks_timer *far = ks_wheel_peek(&kernel->wheel, FAR), *near = ks_wheel_peek(&kernel->wheel, NEAR),
                   *next = ks_wheel_peek(&kernel->wheel, NEXT);
    if (far != NULL) ks_prefetch(far, 2);
    if (near != NULL) {
        if (ks_message_is(near)) {
            const ks_message *message = (const ks_message *)(const void *)near;
            ks_prefetch(message->request.connection, 2);
            if (message->request.envelope != NULL) ks_prefetch(message->request.envelope, ENVELOPE_LINES);
            if (message->response != NULL) ks_prefetch(message->response, ENVELOPE_LINES);
        } else {
            ks_prefetch(near->owner, 6);
        }
    }
    if (next != NULL && ks_message_is(next)) {
        const ks_message *message = (const ks_message *)(const void *)next;
        const ks_connection *connection = message->request.connection;
        ks_prefetch(connection->client, 1);
        if (message->response != NULL) ks_prefetch(connection->owner, 2);
    }
}

bool ks_kernel_step(ks_kernel *kernel) {
    ks_assert(!kernel->running);
    uint64_t before = kernel->wheel.now;
    ks_timer *timer = ks_wheel_pop(&kernel->wheel);
    if (timer == NULL) return false;
    ks_assert(kernel->wheel.now >= before);
    kernel->running = true;
    kernel->steps++;
    fetch_ahead(kernel);
    dispatch(kernel, timer);
    kernel->running = false;
    return true;
}

bool ks_kernel_next(ks_kernel *kernel, int64_t *deadline) {
    uint64_t next;
    if (!ks_wheel_next(&kernel->wheel, &next)) return false;
    *deadline = (int64_t)next;
    return true;
}

void ks_kernel_advance(ks_kernel *kernel, int64_t time_ns) {
    int64_t next;
    ks_assert(!kernel->running);
    ks_assert(!ks_kernel_next(kernel, &next) || next >= time_ns);
    ks_wheel_advance(&kernel->wheel, (uint64_t)time_ns);
}

uint64_t ks_kernel_steps(const ks_kernel *kernel) { return kernel->steps; }

void ks_progress(ks_kernel *kernel) {
    kernel->background = false;
    kernel->last_progress = ks_now(kernel);
}

int64_t ks_last_progress(const ks_kernel *kernel) { return kernel->last_progress; }
bool ks_in_background(const ks_kernel *kernel) { return kernel->background; }
uint64_t ks_foreground_pending(const ks_kernel *kernel) { return kernel->foreground; }

uint64_t ks_cause_set(ks_kernel *kernel, uint64_t event) {
    uint64_t former = kernel->cause;
    kernel->cause = event;
    return former;
}

uint64_t ks_cause(const ks_kernel *kernel) { return kernel->cause; }
