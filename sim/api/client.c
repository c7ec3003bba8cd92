/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_client: its life, and what all of its calls share (client_call.h). The calls themselves are in client_topics.c,
 * client_configs.c, client_partitions.c, client_groups.c and client_members.c. As in kafka-go (client.go) a client is
 * little more than a time-out over the process's transport.
 */
#include "sim/api/client_call.h"
#include "sim/task/context.h"

#include <stddef.h>

/* ---- life ---- */

static void call_free(ks_client_call *call) {
    ks_kernel *kernel = ks_process_kernel(call->client->address->process);
    for (ks_ask *ask = call->asks; ask != NULL; ask = ask->next) {
        ks_exchange_drop(ask->exchange);
        if (ask->request != NULL) ks_envelope_free(kernel, ask->request);
        if (ask->response != NULL) ks_envelope_free(kernel, ask->response);
    }
    ks_layout_wait_drop(call->layout);
    ks_timer_stop(&call->pause);
    *call->link = call->next;
    if (call->next != NULL) call->next->link = call->link;
    ks_arena_free(call->arena);
    ks_free(call);
}

static void destroy(void *object) {
    kafka_client *client = object;
    while (client->calls != NULL) call_free(client->calls);
    ks_handle_close(&client->handle);
    ks_process_watch_stop(&client->watch);
    ks_transport_close(client->transport);
    ks_free(client);
}

static void crashed(void *owner) { ((kafka_client *)owner)->dead = true; }

kafka_error kafka_client_new(const kafka_client_config *config, kafka_client **out) {
    if (config == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_address *address = config->address;
    if (address == NULL) return KAFKA_ERR_INVALID_CONFIG_VALUE;
    kafka_error error = ks_address_check(address, "kafka_client_new");
    if (error != KAFKA_OK) return error;
    if (out == NULL) return ks_process_fail(address->process, KAFKA_ERR_INVALID_ARGUMENT, "kafka_client_new: client is NULL");
    if (config->timeout < 0)
        return ks_process_fail(address->process, KAFKA_ERR_INVALID_CONFIG_VALUE,
                               "kafka_client_new: timeout is %lld ns; 0 is none, anything above is a bound",
                               (long long)config->timeout);
    ks_transport *transport = ks_transport_open(address->process, address->text);
    if (transport == NULL)
        return ks_process_fail(address->process, KAFKA_ERR_NODE_CRASHED, "kafka_client_new: client process %s is down",
                               address->name);
    kafka_client *client = ks_alloc(sizeof *client);
    client->address = address;
    client->transport = transport;
    client->timeout = config->timeout;
    client->watch = (ks_process_watch){ .crashed = crashed, .owner = client };
    ks_process_watch_start(address->process, &client->watch);
    ks_handle_open(&client->handle, address, "kafka_client", "kafka_client_free", destroy, client);
    *out = client;
    return KAFKA_OK;
}

void kafka_client_free(kafka_client *client) {
    if (client == NULL || !ks_runtime_right_thread(client->address->runtime)) return;
    ks_handle_close(&client->handle);
    client->freed = true;
    for (ks_client_call *call = client->calls; call != NULL; call = call->next)
        if (call->parked) ks_wait_wake(&call->wait, KAFKA_ERR_CLOSED);
    if (client->calls == NULL) destroy(client); /* else the last call does */
}

/* ---- beginning and ending a call ---- */

static void pause_over(ks_timer *timer) { ks_wait_wake(&((ks_client_call *)timer->owner)->wait, KAFKA_OK); }

ks_client_call *ks_client_begin_with(kafka_client *client, kafka_context *context, const char *name, bool arguments,
                                     const char *what, kafka_error *error) {
    *error = KAFKA_ERR_INVALID_ARGUMENT;
    if (client == NULL) return NULL;
    ks_process *process = client->address->process;
    *error = ks_address_check(client->address, name);
    if (*error == KAFKA_OK) *error = ks_address_check_context(client->address, context, name);
    if (*error != KAFKA_OK) return NULL;
    if (context == NULL || !arguments)
        *error = ks_process_fail(process, KAFKA_ERR_INVALID_ARGUMENT, "%s: %s", name,
                                 context == NULL ? "context is NULL" : what);
    else if (client->dead)
        *error = ks_process_fail(process, KAFKA_ERR_NODE_CRASHED,
                                 "%s: client process %s crashed; this client died with it. Make "
                                 "a new one after a restart",
                                 name, client->address->name);
    if (*error != KAFKA_OK) {
        ks_runtime_fruitless(client->address->runtime, name);
        return NULL;
    }
    ks_client_call *call = ks_alloc(sizeof *call);
    call->client = client;
    call->context = context;
    call->name = name;
    call->arena = ks_arena_new();
    call->asks_end = &call->asks;
    ks_timer_init(&call->pause, ks_process_node(process), pause_over, call);
    call->next = client->calls;
    call->link = &client->calls;
    if (call->next != NULL) call->next->link = &call->next;
    client->calls = call;
    return call;
}

ks_client_call *ks_client_begin(kafka_client *client, kafka_context *context, const char *name, kafka_error *error) {
    return ks_client_begin_with(client, context, name, true, "", error);
}

kafka_error ks_client_end(ks_client_call *call, kafka_error error) {
    kafka_client *client = call->client;
    call_free(call);
    if (client->freed && client->calls == NULL) destroy(client);
    return error;
}

/* ---- asking ---- */

ks_ask *ks_client_ask(ks_client_call *call, int16_t api_key, ks_route route) {
    ks_ask *ask = ks_arena_alloc(call->arena, sizeof *ask);
    ask->call = call;
    ask->route = route;
    ask->request = ks_transport_request(call->client->transport, api_key);
    ask->expects_response = true;
    *call->asks_end = ask;
    call->asks_end = &ask->next;
    return ask;
}

ks_ask *ks_client_ask_at(ks_client_call *call, int16_t api_key, int16_t api_version, ks_route route) {
    ks_ask *ask = ks_client_ask(call, api_key, route);
    ask->request->api_version = api_version;
    return ask;
}

static void one_less(ks_client_call *call) {
    if (--call->left == 0 && call->parked) ks_wait_wake(&call->wait, KAFKA_OK);
}

static void answered(void *owner, kafka_error error, const ks_envelope *response) {
    ks_ask *ask = owner;
    ask->exchange = NULL;
    ask->error = error;
    if (response != NULL) ask->response = ks_call_keep(response);
    one_less(ask->call);
}

static void layout_came(void *owner, kafka_error error, int32_t partitions) {
    (void)partitions;
    ks_client_call *call = owner;
    call->layout = NULL;
    call->layout_error = error;
    one_less(call);
}

static kafka_error begin_wait(ks_client_call *call) {
    kafka_address *address = call->client->address;
    return ks_wait_begin(&call->wait, address->runtime, ks_process_node(address->process), call->context, "%s",
                         call->name);
}

static kafka_error park(ks_client_call *call) {
    call->parked = true;
    kafka_error error = ks_wait_park(&call->wait);
    call->parked = false;
    return error == KAFKA_OK ? KAFKA_OK : ks_address_fail(call->client->address, error, "%s", call->name);
}

/* What one question may take; 0: as long as it likes. */
static int64_t time_for_one(const ks_client_call *call) {
    if (call->deadline == 0) return call->client->timeout;
    int64_t left = call->deadline - ks_now(ks_process_kernel(call->client->address->process));
    return left < 1 ? 1 : left < KS_REQUEST_TIMEOUT ? left : KS_REQUEST_TIMEOUT;
}

kafka_error ks_client_wait(ks_client_call *call) {
    kafka_error error = begin_wait(call);
    if (error != KAFKA_OK) return ks_address_fail(call->client->address, error, "%s", call->name);
    int64_t timeout = time_for_one(call);
    if (timeout > 0) ks_wait_set_bounded(&call->wait);
    for (ks_ask *ask = call->asks; ask != NULL; ask = ask->next) {
        if (ask->request == NULL) continue;
        ks_envelope *request = ask->request;
        ask->request = NULL;
        call->left++;
        ask->exchange = ks_transport_send(call->client->transport, &ask->route, request, ask->expects_response,
                                          timeout, answered, ask);
    }
    if (call->left > 0) return park(call);
    ks_wait_abandon(&call->wait);
    return KAFKA_OK;
}

kafka_error ks_client_pause(ks_client_call *call, int64_t ns) {
    kafka_error error = begin_wait(call);
    if (error != KAFKA_OK) return ks_address_fail(call->client->address, error, "%s", call->name);
    ks_wait_set_bounded(&call->wait);
    ks_timer_start(ks_process_kernel(call->client->address->process), &call->pause, ns);
    return park(call);
}

kafka_error ks_client_wait_for(ks_client_call *call, const ks_ask *ask) {
    kafka_error error = ks_client_wait(call);
    if (error != KAFKA_OK || ask->error == KAFKA_OK) return error;
    return ks_address_fail(call->client->address, ask->error, "%s", call->name);
}

kafka_error ks_client_wait_layout(ks_client_call *call, const ks_string *topics, int32_t count) {
    ks_transport *transport = call->client->transport;
    if (count < 0 && ks_transport_is_ready(transport)) return ks_transport_problem(transport);
    kafka_error error = begin_wait(call);
    if (error != KAFKA_OK) return ks_address_fail(call->client->address, error, "%s", call->name);
    call->left++;
    call->layout = ks_transport_await(transport, topics, count, call->client->timeout, layout_came, call);
    error = park(call);
    if (error != KAFKA_OK) return error;
    if (call->layout_error == KAFKA_OK) call->layout_error = ks_transport_problem(transport);
    if (call->layout_error == KAFKA_OK) return KAFKA_OK;
    return ks_address_fail(call->client->address, call->layout_error, "%s", call->name);
}

kafka_error ks_client_code(ks_client_call *call, int16_t code, const char *about, ks_string message) {
    if (code == 0) return KAFKA_OK;
    kafka_address *address = call->client->address;
    if (message.size <= 0) return ks_address_fail(address, (kafka_error)code, "%s: %s", call->name, about);
    return ks_process_fail(address->process, (kafka_error)code, "%s: %s: %.*s", call->name, about, message.size,
                           message.data);
}

kafka_error ks_client_partition_code(ks_client_call *call, kafka_error code, const char *topic, int32_t partition) {
    if (code == KAFKA_OK) return KAFKA_OK;
    return ks_address_fail(call->client->address, code, "%s: %.200s[%d]", call->name, topic, (int)partition);
}

int32_t ks_client_timeout_ms(const ks_client_call *call, int32_t fallback) {
    int64_t left = call->client->timeout;
    if (left <= 0) return fallback;
    if (call->context->has_deadline) {
        int64_t until_deadline = call->context->deadline - ks_now(ks_process_kernel(call->client->address->process));
        if (until_deadline < left) left = until_deadline;
    }
    left = left / 2 / KS_MS;
    return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int32_t)left;
}

ks_string ks_ask_string(ks_ask *ask, const char *text) { return ks_arena_string(ask->request->arena, ks_str(text)); }

/* ---- results ---- */

typedef union result_head { /* before the object; as wide as any alignment asks */
    ks_arena *arena;
    max_align_t align;
} result_head;

void *ks_result_new(size_t size, ks_arena **arena) {
    *arena = ks_arena_new();
    result_head *head = ks_arena_alloc(*arena, sizeof *head + size);
    head->arena = *arena;
    return head + 1;
}

void ks_result_free(void *result) {
    if (result != NULL) ks_arena_free(((result_head *)result - 1)->arena);
}

const char *ks_result_text(ks_arena *arena, ks_string text) {
    return text.size < 0 ? NULL : ks_arena_string(arena, text).data;
}

kafka_bytes ks_result_bytes(ks_arena *arena, ks_bytes bytes) {
    if (bytes.size < 0) return (kafka_bytes){ NULL, 0 };
    uint8_t *copy = ks_arena_alloc(arena, (size_t)bytes.size + 1); /* so that empty bytes have an address too */
    if (bytes.size > 0) memcpy(copy, bytes.data, (size_t)bytes.size);
    return (kafka_bytes){ copy, (size_t)bytes.size };
}

kafka_error ks_client_tell_names(ks_client_call *call, const ks_named_code *codes, int32_t count,
                                 kafka_named_errors **results) {
    kafka_error first = KAFKA_OK;
    for (int32_t i = 0; first == KAFKA_OK && i < count; i++)
        if (codes[i].code != 0) first = ks_client_code(call, codes[i].code, ks_result_text(call->arena, codes[i].name), codes[i].message);
    ks_arena *arena;
    kafka_named_errors *told = ks_result_new(sizeof *told, &arena);
    kafka_named_error *items = ks_arena_alloc(arena, (size_t)count * sizeof *items);
    for (int32_t i = 0; i < count; i++)
        items[i] = (kafka_named_error){ ks_result_text(arena, codes[i].name), (kafka_error)codes[i].code,
                                        ks_result_text(arena, codes[i].message) };
    told->items = items;
    told->count = (size_t)count;
    return KS_HAND_OVER(told, results, first);
}

KS_RESULT_FREE(kafka_named_errors_free, kafka_named_errors)
