/* SPDX-License-Identifier: Apache-2.0
 * The four events of an exchange. Whom and what it is about is asked of the protocol each time: it is read off the message,
 * which whoever hears of the event is about to read, too.
 */
#include "sim/kernel/internal.h"

static ks_summary summary_of(const ks_message *message) {
    ks_summarise_fn *fill = message->request.connection->kernel->config.summarise;
    ks_summary about = { .group = KS_NULL_STRING, .member = KS_NULL_STRING, .topic = KS_NULL_STRING, .partition = -1, .generation = -1 };
    if (fill != NULL) fill(message->request.envelope, message->response, &about);
    return about;
}

static uint64_t request_event(const ks_message *message, ks_node *node, const ks_struct *kind, uint64_t cause) {
    const ks_connection *connection = message->request.connection;
    const ks_envelope *request = message->request.envelope;
    ks_summary about = summary_of(message);
    return ks_trace_emit_caused(connection->kernel, node, kind,
                                &(ks_ev_request_sent){
                                    .connection = (int64_t)connection->id,
                                    .correlation_id = request->correlation_id,
                                    .from = connection->client->name,
                                    .to = connection->server->name,
                                    .api_key = request->api_key,
                                    .api_version = request->api_version,
                                    .group = about.group,
                                    .member = about.member,
                                    .generation = about.generation,
                                    .topic = about.topic,
                                    .partition = about.partition,
                                },
                                cause, request);
}

static uint64_t response_event(const ks_message *message, ks_node *node, const ks_struct *kind, uint64_t cause) {
    const ks_connection *connection = message->request.connection;
    const ks_envelope *response = message->response;
    ks_summary about = summary_of(message);
    return ks_trace_emit_caused(connection->kernel, node, kind,
                                &(ks_ev_response_sent){
                                    .connection = (int64_t)connection->id,
                                    .correlation_id = response->correlation_id,
                                    .from = connection->server->name,
                                    .to = connection->client->name,
                                    .api_key = message->request.envelope->api_key,
                                    .api_version = message->request.envelope->api_version,
                                    .error_code = about.error_code,
                                    .group = about.group,
                                    .member = about.member,
                                    .generation = about.generation,
                                },
                                cause, response);
}

/* Sent and received have the same fields, so one filler serves both. */
_Static_assert(sizeof(ks_ev_request_sent) == sizeof(ks_ev_request_received), "one filler for both");
_Static_assert(sizeof(ks_ev_response_sent) == sizeof(ks_ev_response_received), "one filler for both");
_Static_assert(offsetof(ks_ev_request_sent, partition) == offsetof(ks_ev_request_received, partition), "same fields");
_Static_assert(offsetof(ks_ev_response_sent, generation) == offsetof(ks_ev_response_received, generation),
               "same fields");

uint64_t ks_trace_request_sent(ks_message *message) {
    return request_event(message, message->request.connection->client, ks_describe_ev_request_sent(),
                         message->timer.cause); /* of the call, though the connection may have opened only now */
}

uint64_t ks_trace_request_received(ks_message *message) {
    return request_event(message, message->request.connection->server, ks_describe_ev_request_received(),
                         message->request.envelope->event);
}

uint64_t ks_trace_response_sent(ks_message *message, uint64_t cause) {
    return response_event(message, message->request.connection->server, ks_describe_ev_response_sent(), cause);
}

uint64_t ks_trace_response_received(ks_message *message) {
    return response_event(message, message->request.connection->client, ks_describe_ev_response_received(),
                          message->response->event);
}
