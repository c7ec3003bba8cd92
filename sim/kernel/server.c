/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection's server's end: requests are taken up one at a time (WR-18, as Kafka's SocketServer mutes a channel),
 * pass the interceptor, and are handed to the node, which answers now or later.
 */
#include "sim/kernel/internal.h"

static ks_message *message_of(ks_request *request) { return KS_OWNER(request, ks_message, request); }

bool ks_server_lost(const ks_connection *connection) {
    return connection->server_end != KS_SERVER_OPEN || connection->reset || connection->server->state == KS_NODE_DOWN ||
           ks_timer_is_running(&connection->server->crash);
}

/* ---- ending ---- */

/* The server's end goes. The request taken up is the caller's to deal with. */
static void end(ks_connection *connection) {
    connection->server_end = KS_SERVER_GONE;
    ks_ring_link_remove(&connection->of_server);
    ks_message_free_list(&connection->inbox);
}

static ks_message *take_out(ks_connection *connection) {
    ks_message *message = connection->taken;
    connection->taken = NULL;
    if (message != NULL) ks_message_withdraw(message); /* it may be delayed, or about to be taken up */
    return message;
}

void ks_server_close(ks_connection *connection, ks_string reason) {
    ks_assert(connection->server_end == KS_SERVER_OPEN);
    ks_message *message = take_out(connection);
    ks_connection_tell_end(connection, connection->server, reason);
    end(connection);
    if (connection->client_open) ks_message_to_client(ks_message_new(connection, KS_MESSAGE_SERVER_ENDED));
    if (message != NULL) ks_message_free(message);
    ks_connection_release(connection);
}

/* The next one gets an event of its own: a handler never runs inside another. The end comes after the last. */
static void take_next(ks_connection *connection) {
    ks_timer *next = ks_timer_list_pop(&connection->inbox);
    connection->taken = next == NULL ? NULL : ks_message_of(next);
    if (next != NULL) {
        ks_message_now(connection->taken);
    } else if (connection->client_ended) {
        end(connection);
        ks_connection_release(connection);
    }
}

/* What was asked for goes on, but there is nobody left to answer. */
static void cancel_taken(ks_connection *connection) {
    ks_message *message = connection->taken;
    const ks_node_events *events = &connection->server->events;
    if (events->request_cancelled != NULL) events->request_cancelled(connection->server->owner, &message->request);
    take_next(connection);
    ks_message_free(message);
}

/* The client is gone. Its last words arrived before its end did and are still heard, in their order, as on a socket: a commit
 * and a goodbye count though nobody waited for the answers. */
static void client_ended(ks_connection *connection) {
    if (connection->server_end != KS_SERVER_OPEN) return;
    connection->client_ended = true;
    if (connection->reset) { /* but for a reset, which loses what nobody has taken up */
        ks_message_free_list(&connection->inbox);
        if (connection->taken != NULL && !connection->taken->served) ks_message_free(take_out(connection));
    }
    if (connection->taken == NULL) take_next(connection);
    else if (connection->taken->served) cancel_taken(connection);
}

/* ---- answering ---- */

static void send_response(ks_message *message, ks_envelope *response, uint64_t cause) {
    ks_kernel *kernel = message->request.connection->kernel;
    response->is_response = true;
    response->correlation_id = message->request.envelope->correlation_id;
    message->response = ks_message_transcode(kernel, response);
    message->kind = KS_MESSAGE_RESPONSE;
    message->response->event = ks_trace_response_sent(message, cause);
    ks_message_cause(message, message->response->event);
    ks_message_to_client(message);
}

static void intercept_response(ks_message *message, ks_envelope *response, ks_intercept *out) {
    ks_connection *connection = message->request.connection;
    ks_kernel *kernel = connection->kernel;
    const ks_interceptor *interceptor = &kernel->interceptor;
    if (interceptor->on_response == NULL || ks_server_lost(connection)) return;
    kernel->inside++;
    interceptor->on_response(interceptor->context, connection, message->request.envelope, response, out);
    kernel->inside--;
}

/* A fault's reason, when it names one, stands before what the kernel would take as cause. */
static void reset_by_fault(ks_connection *connection, uint64_t cause) {
    ks_kernel *kernel = connection->kernel;
    uint64_t former = ks_cause(kernel);
    if (cause != 0) ks_cause_set(kernel, cause);
    ks_server_close(connection, KS_LITERAL("reset by fault"));
    ks_cause_set(kernel, former);
}

void ks_request_respond(ks_request *request, ks_envelope *response) {
    ks_message *message = message_of(request);
    ks_connection *connection = request->connection;
    ks_kernel *kernel = connection->kernel;
    ks_assert(connection->taken == message && message->served);
    if (!message->expects_response) {
        ks_envelope_free(kernel, response);
        ks_request_no_response(request);
        return;
    }
    ks_intercept out = { .action = KS_INTERCEPT_PASS };
    intercept_response(message, response, &out);
    if (ks_server_lost(connection)) { /* the answer dies with the connection; its end is on the way */
        ks_envelope_free(kernel, response);
        ks_envelope_free(kernel, out.answer);
        connection->taken = NULL;
        ks_message_free(message);
        return;
    }
    uint64_t cause = ks_cause(kernel);
    switch (out.action) {
    case KS_INTERCEPT_PASS: break;
    case KS_INTERCEPT_ANSWER:
        ks_envelope_free(kernel, response);
        response = out.answer;
        if (out.cause != 0) cause = out.cause;
        break;
    case KS_INTERCEPT_RESET:
        ks_envelope_free(kernel, response);
        reset_by_fault(connection, out.cause);
        return;
    case KS_INTERCEPT_HOLD: ks_message_hold_back(message, out.hold_id); break;
    case KS_INTERCEPT_DELAY: message->delay = out.delay_ns; break;
    }
    take_next(connection);
    send_response(message, response, cause);
}

void ks_request_no_response(ks_request *request) {
    ks_message *message = message_of(request);
    ks_connection *connection = request->connection;
    ks_assert(connection->taken == message && message->served);
    take_next(connection);
    ks_message_free(message);
}

void ks_request_close(ks_request *request) {
    ks_connection *connection = request->connection;
    ks_kernel *kernel = connection->kernel;
    uint64_t former = ks_cause(kernel);
    ks_assert(connection->taken == message_of(request));
    ks_server_close(connection, KS_LITERAL("closed by server"));
    ks_cause_set(kernel, former);
}

ks_kernel *ks_request_kernel(const ks_request *request) { return request->connection->kernel; }

/* ---- taking up ---- */

static void hand_over(ks_message *message) {
    ks_connection *connection = message->request.connection;
    ks_cause_set(connection->kernel, ks_trace_request_received(message));
    if (ks_server_lost(connection)) return; /* by a subscriber; the message goes with the connection */
    message->served = true;
    connection->references++; /* its last answer may end it */
    connection->server->events.request(connection->server->owner, &message->request);
    if (connection->client_ended && connection->taken == message) cancel_taken(connection);
    ks_connection_release(connection);
}

static void answer_instead(ks_message *message, ks_envelope *answer, uint64_t cause) {
    ks_connection *connection = message->request.connection;
    take_next(connection);
    if (message->expects_response) {
        send_response(message, answer, cause);
    } else {
        ks_envelope_free(connection->kernel, answer);
        ks_message_free(message);
    }
}

/* True: the request may be handed over. */
static bool intercept_request(ks_message *message) {
    ks_connection *connection = message->request.connection;
    ks_kernel *kernel = connection->kernel;
    const ks_interceptor *interceptor = &kernel->interceptor;
    ks_intercept out = { .action = KS_INTERCEPT_PASS };
    if (interceptor->on_request == NULL || message->intercepted) return true;
    message->intercepted = true;
    kernel->inside++;
    interceptor->on_request(interceptor->context, connection, message->request.envelope, &out);
    kernel->inside--;
    if (ks_server_lost(connection)) {
        ks_envelope_free(kernel, out.answer);
        return false;
    }
    switch (out.action) {
    case KS_INTERCEPT_PASS: return true;
    case KS_INTERCEPT_RESET: reset_by_fault(connection, out.cause); return false;
    case KS_INTERCEPT_HOLD: ks_message_hold_back(message, out.hold_id); return false;
    case KS_INTERCEPT_DELAY: ks_message_later(message, out.delay_ns); return false;
    case KS_INTERCEPT_ANSWER:
        answer_instead(message, out.answer, out.cause != 0 ? out.cause : message->request.envelope->event);
        return false;
    }
    ks_unreachable("intercept action");
}

static void request_arrived(ks_connection *connection, ks_message *message) {
    if (connection->taken != message) {
        if (connection->server_end != KS_SERVER_OPEN || connection->reset) {
            ks_message_free(message);
            return;
        }
        if (connection->taken != NULL) {
            ks_timer_list_append(&connection->inbox, &message->timer);
            return;
        }
        connection->taken = message;
    }
    if (ks_server_lost(connection)) return; /* it is freed with this end */
    if (intercept_request(message)) hand_over(message);
}

static void open_arrived(ks_connection *connection, ks_message *message) {
    ks_node *server = connection->server;
    if (connection->reset) {
        ks_message_free(message);
        return;
    }
    message->kind = KS_MESSAGE_REFUSED;
    if (server->state != KS_NODE_DOWN && server->events.request != NULL) { /* somebody listens */
        message->kind = KS_MESSAGE_ACCEPTED;
        connection->server_end = KS_SERVER_OPEN;
        connection->references++;
        ks_ring_link_append(&server->accepted, &connection->of_server);
    }
    ks_message_to_client(message);
}

void ks_server_arrived(ks_message *message) {
    ks_connection *connection = message->request.connection;
    switch ((ks_message_kind)message->kind) {
    case KS_MESSAGE_OPEN: open_arrived(connection, message); return;
    case KS_MESSAGE_REQUEST: request_arrived(connection, message); return;
    case KS_MESSAGE_CLIENT_ENDED:
        client_ended(connection);
        ks_message_free(message);
        return;
    case KS_MESSAGE_ACCEPTED:
    case KS_MESSAGE_REFUSED:
    case KS_MESSAGE_RESPONSE:
    case KS_MESSAGE_SERVER_ENDED: ks_unreachable("a message for the client");
    }
}
