/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting for the cached layout (kafka-go transport.go: connPool.refreshMetadata, and roundTrip's part for metadata
 * requests): for the first one, for a topic's partitions (perhaps asking a broker to create it), for topics just made
 * to show up.
 *
 *     READY -> (cached) TOLD
 *     READY -> ASKING the brokers to create the topic -> REFRESH_NEXT
 *     REFRESH_NEXT -> REFRESHING (one that began after the wish) -> TOLD, or BACKOFF 100 ms, 200 ms .. 2 s ->
 * REFRESH_NEXT
 */
#include "sim/client/transport_internal.h"

#define BACKOFF_MIN (100 * KS_MS)
#define BACKOFF_MAX (2 * KS_S)

static void wait_free(ks_layout_wait *wait) {
    ks_exchange_drop(wait->exchange);
    ks_timer_stop(&wait->timer);
    ks_timer_stop(&wait->timeout);
    *wait->link = wait->next;
    if (wait->next != NULL)
        wait->next->link = wait->link;
    else
        wait->transport->waits_end = wait->link;
    for (int32_t i = 0; i < wait->count; i++) ks_free((void *)wait->topics[i].data);
    ks_free(wait->topics);
    ks_free(wait);
}

void ks_layout_wait_drop(ks_layout_wait *wait) {
    if (wait != NULL) wait_free(wait);
}

static void tell(ks_layout_wait *wait, kafka_error error, int32_t partitions) {
    ks_layout_fn *done = wait->done;
    void *owner = wait->owner;
    wait_free(wait);
    done(owner, error, partitions);
}

/* The end of a wait that may be reached inside its own beginning: told by a timer, at this instant. */
static void tell_soon(ks_layout_wait *wait, kafka_error error, int32_t partitions) {
    wait->state = KS_WAIT_TOLD;
    wait->error = error;
    wait->partitions = partitions;
    ks_progress(ks_process_kernel(wait->transport->process)); /* a refresh may be background work, its news is not */
    ks_timer_start(ks_process_kernel(wait->transport->process), &wait->timer, 0);
}

static void want_refresh(ks_layout_wait *wait) {
    wait->state = KS_WAIT_REFRESH_NEXT;
    ks_transport_refresh(wait->transport, "topic_created");
}

static void timer_fired(ks_timer *timer) {
    ks_layout_wait *wait = timer->owner;
    if (wait->state == KS_WAIT_TOLD)
        tell(wait, wait->error, wait->partitions);
    else
        want_refresh(wait); /* end of a backoff */
}

static void timed_out(ks_timer *timer) { tell(timer->owner, KAFKA_ERR_DEADLINE_EXCEEDED, 0); }

/* ---- a topic that is not cached: ask, and so perhaps create ---- */

static void asked(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_layout_wait *wait = owner;
    wait->exchange = NULL;
    const ks_metadata_response *response = envelope != NULL ? envelope->body : NULL;
    if (error == KAFKA_OK && response->topics.count < 1) error = KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
    if (error == KAFKA_OK) error = (kafka_error)response->topics.items[0].error_code;
    if (error != KAFKA_OK) {
        tell(wait, error, 0);
        return;
    }
    wait->partitions = response->topics.items[0].partitions.count;
    want_refresh(wait);
}

static void ask(ks_layout_wait *wait) {
    ks_envelope *envelope = ks_transport_request(wait->transport, KS_API_metadata);
    ks_metadata_request *request = envelope->body;
    ks_metadata_request_topic *topic = ks_arena_alloc(envelope->arena, sizeof *topic);
    topic->name = ks_arena_string(envelope->arena, wait->topics[0]);
    request->topics.items = topic;
    request->topics.count = 1;
    request->allow_auto_topic_creation = true;
    wait->state = KS_WAIT_ASKING;
    wait->exchange =
        ks_transport_send(wait->transport, &(ks_route){ .to = KS_ROUTE_ANY }, envelope, true, 0, asked, wait);
}

/* ---- what a layout means to a wait ---- */

static bool all_cached(const ks_layout_wait *wait) {
    for (int32_t i = 0; i < wait->count; i++) {
        const ks_metadata_response_topic *topic = ks_transport_topic(wait->transport, wait->topics[i]);
        if (topic == NULL || topic->error_code != 0) return false;
    }
    return true;
}

static void look_up(ks_layout_wait *wait) {
    const ks_metadata_response_topic *topic = ks_transport_topic(wait->transport, wait->topics[0]);
    kafka_error error = topic != NULL ? (kafka_error)topic->error_code : KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
    if (ks_transport_problem(wait->transport) != KAFKA_OK)
        tell_soon(wait, ks_transport_problem(wait->transport), 0);
    else if (error == KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION && wait->create)
        ask(wait);
    else
        tell_soon(wait, error, error == KAFKA_OK ? topic->partitions.count : 0);
}

static void look(ks_layout_wait *wait, bool refreshed) {
    switch (wait->state) {
    case KS_WAIT_READY:
        if (wait->only_ready)
            tell_soon(wait, KAFKA_OK, 0);
        else
            look_up(wait);
        break;
    case KS_WAIT_REFRESHING:
        if (!refreshed) break;
        if (all_cached(wait)) {
            tell_soon(wait, KAFKA_OK, wait->partitions);
        } else {
            wait->state = KS_WAIT_BACKOFF;
            ks_timer_start(ks_process_kernel(wait->transport->process), &wait->timer, wait->backoff);
            wait->backoff = wait->backoff * 2 < BACKOFF_MAX ? wait->backoff * 2 : BACKOFF_MAX;
        }
        break;
    case KS_WAIT_REFRESH_NEXT: /* the refresh that just ended began before its wish */
    case KS_WAIT_BACKOFF:
    case KS_WAIT_ASKING:
    case KS_WAIT_TOLD: break;
    }
}

void ks_layout_waits_look(ks_transport *transport, bool refreshed) {
    for (ks_layout_wait *wait = transport->waits, *next; wait != NULL; wait = next) {
        next = wait->next;
        look(wait, refreshed);
    }
}

void ks_layout_waits_refreshing(ks_transport *transport) {
    for (ks_layout_wait *wait = transport->waits; wait != NULL; wait = wait->next)
        if (wait->state == KS_WAIT_REFRESH_NEXT) wait->state = KS_WAIT_REFRESHING;
}

void ks_layout_waits_silence(ks_transport *transport) {
    for (ks_layout_wait *wait = transport->waits; wait != NULL; wait = wait->next) {
        ks_timer_stop(&wait->timer);
        ks_timer_stop(&wait->timeout);
    }
}

void ks_layout_waits_free(ks_transport *transport) {
    while (transport->waits != NULL) wait_free(transport->waits);
}

/* ---- beginning ---- */

static ks_layout_wait *begin(ks_transport *transport, const ks_string *topics, int32_t count, int64_t timeout_ns,
                             ks_layout_fn *done, void *owner) {
    ks_transport_wake(transport);
    ks_node *node = ks_process_node(transport->process);
    ks_layout_wait *wait = ks_alloc(sizeof *wait);
    wait->transport = transport;
    wait->backoff = BACKOFF_MIN;
    wait->done = done;
    wait->owner = owner;
    wait->count = count > 0 ? count : 0;
    wait->topics = count > 0 ? ks_alloc((size_t)count * sizeof *topics) : NULL;
    for (int32_t i = 0; i < wait->count; i++) wait->topics[i] = ks_string_dup(topics[i]);
    wait->link = transport->waits_end;
    *transport->waits_end = wait;
    transport->waits_end = &wait->next;
    ks_timer_init(&wait->timer, node, timer_fired, wait);
    ks_timer_init(&wait->timeout, node, timed_out, wait);
    if (timeout_ns > 0 && !transport->dead)
        ks_timer_start(ks_process_kernel(transport->process), &wait->timeout, timeout_ns);
    return wait;
}

ks_layout_wait *ks_transport_find_topic(ks_transport *transport, ks_string topic, bool create, int64_t timeout_ns,
                                        ks_layout_fn *done, void *owner) {
    ks_layout_wait *wait = begin(transport, &topic, 1, timeout_ns, done, owner);
    wait->create = create;
    wait->state = KS_WAIT_READY;
    if (transport->ready && !transport->dead) look(wait, false);
    return wait;
}

ks_layout_wait *ks_transport_await(ks_transport *transport, const ks_string *topics, int32_t count, int64_t timeout_ns,
                                   ks_layout_fn *done, void *owner) {
    ks_layout_wait *wait = begin(transport, topics, count, timeout_ns, done, owner);
    wait->only_ready = count < 0;
    wait->state = KS_WAIT_READY;
    if (transport->dead) return wait;
    if (count >= 0)
        want_refresh(wait);
    else if (transport->ready)
        look(wait, false);
    return wait;
}
