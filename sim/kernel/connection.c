/* SPDX-License-Identifier: Apache-2.0
 * Connections and their client's end. Every callback is made by an arriving message, never from inside a call. */
#include "sim/kernel/internal.h"

ks_connection *ks_connection_open(ks_node *client, ks_node *server, const ks_connection_events *events, void *owner) {
    ks_kernel *kernel = client->kernel;
    ks_assert(client->state != KS_NODE_DOWN); /* a dead process opens nothing */
    ks_connection *connection = ks_alloc_lines(sizeof *connection);
    *connection = (ks_connection){
        .kernel = kernel,
        .id = ++kernel->connection_count,
        .client = client,
        .server = server,
        .link = ks_link_get(kernel, client, server),
        .events = *events,
        .owner = owner,
        .references = 1,
        .client_open = true,
    };
    ks_timer_list_init(&connection->pending);
    ks_timer_list_init(&connection->inbox);
    ks_timer_list_init(&connection->outbox);
    ks_ring_link_append(&kernel->connections, &connection->of_kernel);
    ks_ring_link_append(&client->opened, &connection->of_client);
    ks_ring_link_init(&connection->of_server);
    ks_message_to_server(ks_message_new(connection, KS_MESSAGE_OPEN));
    return connection;
}

void ks_connection_release(ks_connection *connection) {
    ks_assert(connection->references > 0);
    if (--connection->references > 0) return;
    ks_ring_link_remove(&connection->of_kernel);
    ks_free(connection);
}

ks_node *ks_connection_server(const ks_connection *connection) { return connection->server; }
ks_node *ks_connection_client(const ks_connection *connection) { return connection->client; }
uint64_t ks_connection_id(const ks_connection *connection) { return connection->id; }

void ks_connection_tell_end(ks_connection *connection, ks_node *node, ks_string reason) {
    if (connection->end_told) return;
    connection->end_told = true;
    uint64_t event = KS_EMIT(connection->kernel, node, connection_closed, .connection = (int64_t)connection->id,
                             .client = connection->client->name, .server = connection->server->name, .reason = reason);
    ks_cause_set(connection->kernel, event);
}

/* ---- sending ---- */

static void send_request(ks_message *message) {
    ks_kernel *kernel = message->request.connection->kernel;
    ks_envelope *request = ks_message_transcode(kernel, message->request.envelope);
    message->request.envelope = request;
    request->event = ks_trace_request_sent(message);
    message->timer.cause = request->event;
    ks_message_to_server(message);
}

void ks_connection_send(ks_connection *connection, ks_envelope *request, bool expects_response) {
    ks_assert(connection->client_open && !request->is_response);
    ks_assert(connection->client->state != KS_NODE_DOWN); /* a crashed node never sends */
    ks_message *message = ks_message_new(connection, KS_MESSAGE_REQUEST);
    request->correlation_id = ++connection->correlation_id;
    message->request.envelope = request;
    message->expects_response = expects_response;
    if (connection->established)
        send_request(message);
    else
        ks_timer_list_append(&connection->pending, &message->timer);
}

/* ---- ending ---- */

/* The client's end goes; the client and its owner hear nothing of it here. */
static void end(ks_connection *connection) {
    connection->client_open = false;
    ks_ring_link_remove(&connection->of_client);
    ks_message_free_list(&connection->pending);
}

void ks_client_close(ks_connection *connection, ks_string reason) {
    ks_assert(connection->client_open);
    ks_connection_tell_end(connection, connection->client, reason);
    end(connection);
    if (connection->server_end != KS_SERVER_GONE)
        ks_message_to_server(ks_message_new(connection, KS_MESSAGE_CLIENT_ENDED));
    ks_connection_release(connection);
}

void ks_connection_close(ks_connection *connection) {
    uint64_t former = ks_cause(connection->kernel);
    ks_kernel *kernel = connection->kernel;
    ks_client_close(connection, KS_LITERAL("closed by client"));
    ks_cause_set(kernel, former);
}

/* ---- arriving: the message is the connection's last reference at worst, so it is freed last ---- */

static void opened(ks_connection *connection) {
    ks_kernel *kernel = connection->kernel;
    connection->established = true;
    ks_cause_set(kernel, KS_EMIT(kernel, connection->client, connection_opened, .connection = (int64_t)connection->id,
                                 .client = connection->client->name, .server = connection->server->name));
    for (ks_timer *timer; (timer = ks_timer_list_pop(&connection->pending)) != NULL;)
        send_request(ks_message_of(timer));
    if (connection->events.opened != NULL) connection->events.opened(connection->owner);
}

static void closed(ks_connection *connection, bool refused) {
    ks_connection_tell_end(connection, connection->client, refused ? KS_LITERAL("refused") : KS_LITERAL("reset"));
    end(connection);
    if (connection->events.closed != NULL) connection->events.closed(connection->owner, refused);
    ks_connection_release(connection);
}

static void answered(ks_connection *connection, ks_message *message) {
    ks_envelope *response = message->response;
    message->response = NULL; /* the owner's from here on */
    connection->events.response(connection->owner, message->request.envelope, response);
}

void ks_client_arrived(ks_message *message) {
    ks_connection *connection = message->request.connection;
    bool lost = !connection->client_open || (connection->reset && message->kind != KS_MESSAGE_SERVER_ENDED);
    if (!lost) {
        switch ((ks_message_kind)message->kind) {
        case KS_MESSAGE_ACCEPTED: opened(connection); break;
        case KS_MESSAGE_REFUSED: closed(connection, true); break;
        case KS_MESSAGE_SERVER_ENDED: closed(connection, false); break;
        case KS_MESSAGE_RESPONSE:
            ks_cause_set(connection->kernel, ks_trace_response_received(message));
            answered(connection, message);
            break;
        case KS_MESSAGE_OPEN:
        case KS_MESSAGE_REQUEST:
        case KS_MESSAGE_CLIENT_ENDED: ks_unreachable("a message for the server");
        }
    }
    ks_message_free(message);
}
