/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages on their way. What is due at the far end passes two gates: the link (cut: everything waits there, in order
 * of arrival) and the node (paused: everything waits there, among the node's timers). What is past the first gate does
 * not go back to it, so nothing overtakes when cuts and pauses overlap.
 */
#include "sim/kernel/internal.h"

static bool for_server(const ks_message *message) {
    switch ((ks_message_kind)message->kind) {
    case KS_MESSAGE_OPEN:
    case KS_MESSAGE_REQUEST:
    case KS_MESSAGE_CLIENT_ENDED: return true;
    case KS_MESSAGE_ACCEPTED:
    case KS_MESSAGE_REFUSED:
    case KS_MESSAGE_RESPONSE:
    case KS_MESSAGE_SERVER_ENDED: return false;
    }
    ks_unreachable("message kind");
}

static ks_node *destination(const ks_message *message) {
    const ks_connection *connection = message->request.connection;
    return for_server(message) ? connection->server : connection->client;
}

static void arrived(ks_timer *timer) {
    ks_message *message = ks_message_of(timer);
    const ks_connection *connection = message->request.connection;
    ks_node *node = destination(message);
    if (connection->kernel->links_differ && connection->link->cut && !message->on_node) {
        ks_timer_list_append(&connection->link->waiting, timer);
        return;
    }
    message->on_node = true;
    /* The host accepts connections even while the process is stopped. */
    if (node->state == KS_NODE_PAUSED && message->kind != KS_MESSAGE_OPEN)
        ks_timer_defer(node, timer);
    else if (for_server(message))
        ks_server_arrived(message);
    else
        ks_client_arrived(message);
}

bool ks_message_is(const ks_timer *timer) { return timer->fire == arrived; }

ks_message *ks_message_new(ks_connection *connection, ks_message_kind kind) {
    ks_kernel *kernel = connection->kernel;
    ks_message *message = kernel->free_messages;
    if (message != NULL)
        kernel->free_messages = ks_message_of(message->timer.next);
    else
        message = ks_alloc_lines(sizeof *message);
    ks_timer_init(&message->timer, NULL, arrived, NULL);
    message->timer.kernel = kernel;
    message->request = (ks_request){ .connection = connection };
    message->response = NULL;
    message->delay = 0;
    message->kind = (uint8_t)kind;
    message->expects_response = message->on_node = message->intercepted = message->served = message->held = false;
    ks_message_cause(message, kernel->cause);
    connection->references++;
    return message;
}

void ks_message_free(ks_message *message) {
    ks_connection *connection = message->request.connection;
    ks_kernel *kernel = connection->kernel;
    ks_envelope_free(kernel, message->request.envelope);
    ks_envelope_free(kernel, message->response);
    if (message->held) ks_ring_link_remove(&message->of_held);
    if (KS_POOLING) {
        message->timer.next = kernel->free_messages == NULL ? NULL : &kernel->free_messages->timer;
        kernel->free_messages = message;
    } else {
        ks_free(message);
    }
    ks_connection_release(connection);
}

void ks_message_free_list(ks_timer_list *list) {
    for (ks_timer *timer; (timer = ks_timer_list_pop(list)) != NULL;) ks_message_free(ks_message_of(timer));
}

void ks_message_withdraw(ks_message *message) {
    message->timer.node = destination(message); /* for timers it is known, for messages it turns with the direction */
    ks_timer_stop(&message->timer);
    message->timer.node = NULL;
}

void ks_message_cause(ks_message *message, uint64_t cause) {
    message->timer.cause = cause;
    message->timer.background = message->request.connection->kernel->background;
}

/* ---- on their way: never before what went the same way earlier, whatever the latency has become ---- */

static void travel(ks_message *message, int64_t *last_arrival, int64_t delay) {
    ks_connection *connection = message->request.connection;
    ks_kernel *kernel = connection->kernel;
    int64_t latency = kernel->config.latency_ns;
    if (kernel->links_differ && connection->link->latency >= 0) latency = connection->link->latency;
    int64_t arrival = ks_deadline_after(kernel, delay > INT64_MAX - latency ? INT64_MAX : latency + delay);
    if (arrival < *last_arrival) arrival = *last_arrival;
    *last_arrival = arrival;
    message->on_node = false;
    ks_timer_place(kernel, &message->timer, arrival);
}

void ks_message_to_server(ks_message *message) { travel(message, &message->request.connection->last_at_server, 0); }

static void pump(ks_connection *connection) {
    for (ks_timer *timer; (timer = connection->outbox.first) != NULL && !ks_message_of(timer)->held;) {
        ks_timer_list_pop(&connection->outbox);
        travel(ks_message_of(timer), &connection->last_at_client, ks_message_of(timer)->delay);
    }
}

void ks_message_to_client(ks_message *message) {
    ks_connection *connection = message->request.connection;
    if (connection->outbox.first == NULL && !message->held) {
        travel(message, &connection->last_at_client, message->delay);
        return;
    }
    ks_timer_list_append(&connection->outbox, &message->timer);
}

void ks_message_now(ks_message *message) { ks_message_later(message, 0); }

void ks_message_later(ks_message *message, int64_t delay) {
    ks_kernel *kernel = message->request.connection->kernel;
    ks_timer_place(kernel, &message->timer, ks_deadline_after(kernel, delay));
}

/* ---- holding back ---- */

void ks_message_hold_back(ks_message *message, uint64_t hold_id) {
    ks_assert(hold_id != 0);
    message->held = true;
    message->hold_id = hold_id;
    ks_ring_link_append(&message->request.connection->kernel->held, &message->of_held);
}

/* O(messages held). A request comes up again where it was; a response leaves now, with what gathered behind it. */
void ks_network_release(ks_kernel *kernel, uint64_t hold_id) {
    ks_ring_link *next;
    for (ks_ring_link *item = kernel->held.next; item != &kernel->held; item = next) {
        ks_message *message = KS_OWNER(item, ks_message, of_held);
        next = item->next;
        if (message->hold_id != hold_id) continue;
        ks_ring_link_remove(item);
        message->held = false;
        if (message->kind == KS_MESSAGE_REQUEST)
            ks_message_now(message);
        else
            pump(message->request.connection);
    }
}

ks_envelope *ks_message_transcode(ks_kernel *kernel, ks_envelope *envelope) {
    const ks_interceptor *interceptor = &kernel->interceptor;
    return interceptor->transcode == NULL ? envelope : interceptor->transcode(interceptor->context, envelope);
}
