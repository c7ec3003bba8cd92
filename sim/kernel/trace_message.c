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

static bool is_trivial(const ks_message *message, const ks_struct *kind, int16_t error_code) {
    ks_trivial_fn *trivial = message->request.connection->kernel->config.trivial;
    return trivial != NULL && trivial(kind, message->request.envelope->api_key, error_code);
}

static uint64_t request_event(const ks_message *message, ks_node *node, const ks_struct *kind, uint64_t cause) {
    const ks_connection *connection = message->request.connection;
    const ks_envelope *request = message->request.envelope;
    bool trivial = is_trivial(message, kind, 0);
    if (trivial && connection->kernel->listeners == 0) return ++connection->kernel->event_count;
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
                                cause, request, trivial);
}

static uint64_t response_event(const ks_message *message, ks_node *node, const ks_struct *kind, uint64_t cause,
                               const ks_summary *known) {
    const ks_connection *connection = message->request.connection;
    const ks_envelope *response = message->response;
    bool trivial = is_trivial(message, kind, message->error);
    if (trivial && connection->kernel->listeners == 0) return ++connection->kernel->event_count;
    ks_summary about = known != NULL ? *known : summary_of(message);
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
                                cause, response, trivial);
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
    ks_summary about = summary_of(message);
    message->error = about.error_code;
    return response_event(message, message->request.connection->server, ks_describe_ev_response_sent(), cause, &about);
}

uint64_t ks_trace_response_received(ks_message *message) {
    return response_event(message, message->request.connection->client, ks_describe_ev_response_received(),
                          message->response->event, NULL);
}
