/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_client's calls about settings (kafka-go describeconfigs.go, alterconfigs.go, incrementalalterconfigs.go). A
 * broker's own settings are that broker's business, all others the controller's (changes) or any broker's (reading).
 */
#include "sim/api/client_call.h"

#include <stdlib.h>

/* Where the settings of a broker are asked for or changed; "" is the default of all brokers. */
static ks_route broker_route(const char *name, ks_route otherwise) {
    char *end;
    long id = strtol(name, &end, 10);
    if (*name == 0 || *end != 0 || id < 0 || id > INT32_MAX) return otherwise;
    return (ks_route){ .to = KS_ROUTE_BROKER, .broker = (int32_t)id };
}

/* ---- describing ---- */

static const char *resource_problem(const kafka_config_resource *resources, size_t count) {
    if (resources == NULL) return "resources is NULL";
    for (size_t i = 0; i < count; i++) {
        if (resources[i].name == NULL) return "a resource has no name";
        if (resources[i].keys == NULL && resources[i].key_count > 0) return "keys is NULL";
        for (size_t j = 0; j < resources[i].key_count; j++)
            if (resources[i].keys[j] == NULL) return "a key is NULL";
    }
    return NULL;
}

static ks_ask *ask_for(ks_client_call *call, const kafka_config_resource *resource) {
    ks_route any = { .to = KS_ROUTE_ANY };
    ks_route route = resource->type == KAFKA_RESOURCE_BROKER ? broker_route(resource->name, any) : any;
    ks_ask *ask = ks_client_ask(call, KS_API_describe_configs, route);
    ks_describe_configs_request *request = ask->request->body;
    KS_FILL(ask, request->resources, 1);
    ks_describe_configs_request_resource *to = request->resources.items;
    to->resource_type = (int8_t)resource->type;
    to->resource_name = ks_ask_string(ask, resource->name);
    to->configuration_keys.count = -1; /* all */
    if (resource->keys == NULL) return ask;
    KS_FILL(ask, to->configuration_keys, resource->key_count);
    for (size_t i = 0; i < resource->key_count; i++)
        to->configuration_keys.items[i] = ks_ask_string(ask, resource->keys[i]);
    return ask;
}

static void tell_resource(ks_arena *arena, const ks_describe_configs_response_result *from,
                          kafka_described_resource *to) {
    kafka_described_config *configs = ks_arena_alloc(arena, (size_t)from->configs.count * sizeof *configs);
    for (int32_t i = 0; i < from->configs.count; i++) {
        const ks_describe_configs_response_resource_result *config = &from->configs.items[i];
        configs[i] =
            (kafka_described_config){ .name = ks_result_text(arena, config->name),
                                      .value = ks_result_text(arena, config->value),
                                      .source = config->config_source > 0 ? (kafka_config_source)config->config_source
                                                                          : KAFKA_CONFIG_SOURCE_UNKNOWN,
                                      .read_only = config->read_only,
                                      .is_default = config->config_source == KAFKA_CONFIG_SOURCE_DEFAULT,
                                      .sensitive = config->is_sensitive };
    }
    to->error = (kafka_error)from->error_code;
    to->message = ks_result_text(arena, from->error_message);
    to->configs = configs;
    to->config_count = (size_t)from->configs.count;
}

static kafka_error tell_configs(ks_client_call *call, const kafka_config_resource *resources, size_t count,
                                kafka_described_configs **out) {
    ks_arena *arena;
    kafka_described_configs *told = ks_result_new(sizeof *told, &arena);
    kafka_described_resource *items = ks_arena_alloc(arena, count * sizeof *items);
    ks_ask *ask = call->asks;
    kafka_error error = KAFKA_OK;
    for (size_t i = 0; i < count; i++, ask = ask->next) {
        const ks_describe_configs_response *response = ask->response != NULL ? ask->response->body : NULL;
        items[i].type = resources[i].type;
        items[i].name = ks_result_text(arena, ks_str(resources[i].name));
        items[i].error = ask->error;
        if (response != NULL && response->results.count > 0)
            tell_resource(arena, &response->results.items[0], &items[i]);
        if (error == KAFKA_OK && items[i].error != KAFKA_OK)
            error = ks_client_code(call, (int16_t)items[i].error, resources[i].name, ks_str(items[i].message));
    }
    told->resources = items;
    told->count = count;
    return KS_HAND_OVER(told, out, error);
}

kafka_error kafka_client_describe_configs(kafka_client *client, kafka_context *context,
                                          const kafka_config_resource *resources, size_t count,
                                          kafka_described_configs **configs) {
    kafka_error error;
    const char *problem = resource_problem(resources, count);
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_describe_configs", problem == NULL, problem, &error);
    if (call == NULL) return error;
    for (size_t i = 0; i < count; i++) ask_for(call, &resources[i]);
    error = ks_client_wait(call);
    for (const ks_ask *ask = call->asks; error == KAFKA_OK && ask != NULL; ask = ask->next)
        if (ask->error != KAFKA_OK) error = ks_address_fail(client->address, ask->error, "%s", call->name);
    if (error == KAFKA_OK) error = tell_configs(call, resources, count, configs);
    return ks_client_end(call, error);
}

KS_RESULT_FREE(kafka_described_configs_free, kafka_described_configs)

/* ---- altering ---- */

static const char *change_problem(const kafka_config_changes *resources, size_t count, bool incremental) {
    size_t brokers = 0;
    if (resources == NULL) return "resources is NULL";
    for (size_t i = 0; i < count; i++) {
        if (resources[i].name == NULL) return "a resource has no name";
        if (resources[i].changes == NULL && resources[i].change_count > 0) return "changes is NULL";
        brokers += resources[i].type == KAFKA_RESOURCE_BROKER;
        for (size_t j = 0; j < resources[i].change_count; j++) {
            const kafka_config_change *change = &resources[i].changes[j];
            if (change->name == NULL) return "a setting has no name";
            if (!incremental && change->op != KAFKA_CONFIG_SET)
                return "only KAFKA_CONFIG_SET is allowed; the incremental call has more";
        }
    }
    return brokers > 1 ? "more than one broker; change one at a time" : NULL;
}

static ks_route change_route(const kafka_config_changes *resources, size_t count) {
    ks_route controller = { .to = KS_ROUTE_CONTROLLER };
    for (size_t i = 0; i < count; i++)
        if (resources[i].type == KAFKA_RESOURCE_BROKER) return broker_route(resources[i].name, controller);
    return controller;
}

static void fill_alter(ks_ask *ask, const kafka_config_changes *resources, size_t count, bool validate_only) {
    ks_alter_configs_request *request = ask->request->body;
    request->validate_only = validate_only;
    KS_FILL(ask, request->resources, count);
    for (size_t i = 0; i < count; i++) {
        ks_alter_configs_request_resource *to = &request->resources.items[i];
        to->resource_type = (int8_t)resources[i].type;
        to->resource_name = ks_ask_string(ask, resources[i].name);
        KS_FILL(ask, to->configs, resources[i].change_count);
        for (size_t j = 0; j < resources[i].change_count; j++) {
            to->configs.items[j].name = ks_ask_string(ask, resources[i].changes[j].name);
            to->configs.items[j].value = ks_ask_string(ask, resources[i].changes[j].value);
        }
    }
}

static void fill_incremental(ks_ask *ask, const kafka_config_changes *resources, size_t count, bool validate_only) {
    ks_incremental_alter_configs_request *request = ask->request->body;
    request->validate_only = validate_only;
    KS_FILL(ask, request->resources, count);
    for (size_t i = 0; i < count; i++) {
        ks_incremental_alter_configs_request_alter_configs_resource *to = &request->resources.items[i];
        to->resource_type = (int8_t)resources[i].type;
        to->resource_name = ks_ask_string(ask, resources[i].name);
        KS_FILL(ask, to->configs, resources[i].change_count);
        for (size_t j = 0; j < resources[i].change_count; j++) {
            to->configs.items[j].name = ks_ask_string(ask, resources[i].changes[j].name);
            to->configs.items[j].config_operation = (int8_t)resources[i].changes[j].op;
            to->configs.items[j].value = ks_ask_string(ask, resources[i].changes[j].value);
        }
    }
}

kafka_error kafka_client_alter_configs(kafka_client *client, kafka_context *context,
                                       const kafka_config_changes *resources, size_t count, bool validate_only,
                                       kafka_named_errors **results) {
    kafka_error error;
    const char *problem = change_problem(resources, count, false);
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_alter_configs", problem == NULL, problem, &error);
    if (call == NULL) return error;
    ks_ask *ask = ks_client_ask(call, KS_API_alter_configs, change_route(resources, count));
    fill_alter(ask, resources, count, validate_only);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    const ks_alter_configs_response *response = ask->response->body;
    ks_named_code *codes = ks_arena_alloc(call->arena, (size_t)response->responses.count * sizeof *codes);
    for (int32_t i = 0; i < response->responses.count; i++) {
        const ks_alter_configs_response_resource_response *result = &response->responses.items[i];
        codes[i] = (ks_named_code){ result->resource_name, result->error_message, result->error_code };
    }
    return ks_client_end(call, ks_client_tell_names(call, codes, response->responses.count, results));
}

kafka_error kafka_client_incremental_alter_configs(kafka_client *client, kafka_context *context,
                                                   const kafka_config_changes *resources, size_t count,
                                                   bool validate_only, kafka_named_errors **results) {
    kafka_error error;
    const char *problem = change_problem(resources, count, true);
    ks_client_call *call = ks_client_begin_with(client, context, "kafka_client_incremental_alter_configs",
                                                problem == NULL, problem, &error);
    if (call == NULL) return error;
    ks_ask *ask = ks_client_ask(call, KS_API_incremental_alter_configs, change_route(resources, count));
    fill_incremental(ask, resources, count, validate_only);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    const ks_incremental_alter_configs_response *response = ask->response->body;
    ks_named_code *codes = ks_arena_alloc(call->arena, (size_t)response->responses.count * sizeof *codes);
    for (int32_t i = 0; i < response->responses.count; i++) {
        const ks_incremental_alter_configs_response_alter_configs_resource_response *result =
            &response->responses.items[i];
        codes[i] = (ks_named_code){ result->resource_name, result->error_message, result->error_code };
    }
    return ks_client_end(call, ks_client_tell_names(call, codes, response->responses.count, results));
}
