/* SPDX-License-Identifier: Apache-2.0
 *
 * See conn_ask.h.
 */
#include "sim/client/conn_ask.h"

static int64_t time_left(const ks_ask *ask) {
    if (ask->deadline == 0) return 0;
    int64_t left = ask->deadline - ks_now(ks_process_kernel(ask->process));
    return left > 0 ? left : 1;
}

static void replied(void *owner, kafka_error error, const ks_envelope *response) {
    ks_ask *ask = owner;
    ask->call = NULL;
    ask->reply(ask->owner, error, response); /* may reuse or free the ask */
}

static void give_up(ks_ask *ask, kafka_error error) {
    ks_envelope_free(ks_process_kernel(ask->process), ask->request);
    ask->request = NULL;
    ask->reply(ask->owner, error, NULL);
}

static void send_now(ks_ask *ask) {
    ks_envelope *request = ask->request;
    int16_t version = ks_channel_version(ask->channel, request->api_key, request->api_version);
    if (version < 0) {
        give_up(ask, KAFKA_ERR_UNSUPPORTED_VERSION);
        return;
    }
    request->api_version = version;
    ask->request = NULL;
    ask->call = ks_channel_send(ask->channel, request, time_left(ask), replied, ask);
}

static void versions_known(void *owner, kafka_error error) {
    ks_ask *ask = owner;
    ask->call = NULL;
    if (error)
        give_up(ask, error);
    else
        send_now(ask);
}

void ks_ask_send(ks_ask *ask, ks_process *process, ks_channel *channel, ks_envelope *request, int64_t timeout_ns,
                 ks_reply_fn *reply, void *owner) {
    ks_assert(ask->call == NULL);
    ask->process = process;
    ask->channel = channel;
    ask->request = request;
    ask->deadline = timeout_ns > 0 ? ks_now(ks_process_kernel(process)) + timeout_ns : 0;
    ask->reply = reply;
    ask->owner = owner;
    if (ks_channel_knows_versions(channel))
        send_now(ask);
    else
        ask->call = ks_channel_hello(channel, timeout_ns, versions_known, ask);
}

void ks_ask_drop(ks_ask *ask) {
    if (ask->call == NULL) return;
    ks_call_drop(ask->call);
    ask->call = NULL;
    if (ask->request != NULL) ks_envelope_free(ks_process_kernel(ask->process), ask->request);
    ask->request = NULL;
}

ks_envelope *ks_conn_metadata(ks_channel *channel, const ks_string *topics, int32_t count) {
    ks_envelope *envelope = ks_channel_request(channel, KS_API_metadata, 6);
    ks_metadata_request *request = envelope->body;
    request->topics.items = ks_arena_alloc(envelope->arena, (size_t)count * sizeof *request->topics.items);
    request->topics.count = count;
    for (int32_t i = 0; i < count; i++) {
        ks_struct_default(ks_describe_metadata_request_topic(), &request->topics.items[i]);
        request->topics.items[i].name = ks_arena_string(envelope->arena, topics[i]);
    }
    request->allow_auto_topic_creation = true;
    return envelope;
}

const ks_metadata_response_broker *ks_conn_broker(const ks_metadata_response *response, int32_t id) {
    for (int32_t i = 0; i < response->brokers.count; i++)
        if (response->brokers.items[i].node_id == id) return &response->brokers.items[i];
    return NULL;
}

bool ks_code_is_temporary(kafka_error error) { return error > -1000 && kafka_error_is_temporary(error); }
