/* SPDX-License-Identifier: Apache-2.0
 * IncrementalAlterConfigs (KIP-339): set, delete, and for lists append and subtract, one config at a time. All or
 * nothing per resource. */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/response.h"

typedef ks_incremental_alter_configs_request_alter_configs_resource resource_in;

static bool repeated(const ks_incremental_alter_configs_request *in, int32_t i) {
    for (int32_t j = 0; j < in->resources.count; j++) {
        if (j != i && in->resources.items[j].resource_type == in->resources.items[i].resource_type &&
            ks_string_equal(in->resources.items[j].resource_name, in->resources.items[i].resource_name)) {
            return true;
        }
    }
    return false;
}

static kafka_error alter(ks_cluster *cluster, const ks_incremental_alter_configs_request *in, int32_t i,
                         ks_arena *arena, ks_buffer *why) {
    const resource_in *resource = &in->resources.items[i];
    if (repeated(in, i)) {
        ks_buffer_text(why, "each resource must appear at most once");
        return KAFKA_ERR_INVALID_REQUEST;
    }
    int32_t count = resource->configs.count;
    ks_config_change *changes = ks_arena_alloc(arena, (size_t)count * sizeof *changes);
    for (int32_t j = 0; j < count; j++) {
        int8_t operation = resource->configs.items[j].config_operation;
        if (operation < KS_CHANGE_SET || operation > KS_CHANGE_SUBTRACT) {
            ks_buffer_printf(why, "unknown operation %d: 0 sets, 1 deletes, 2 appends, 3 subtracts", operation);
            return KAFKA_ERR_INVALID_REQUEST;
        }
        changes[j].name = resource->configs.items[j].name;
        changes[j].value = resource->configs.items[j].value;
        changes[j].operation = operation;
    }
    return ks_config_alter(cluster, resource->resource_type, resource->resource_name, changes, count, false,
                           in->validate_only, why);
}

void ks_handle_incremental_alter_configs(ks_broker *broker, ks_request *request) {
    const ks_incremental_alter_configs_request *in = request->envelope->body;
    ks_envelope *response = ks_response_new(request);
    ks_incremental_alter_configs_response *out = response->body;
    ks_buffer why = { 0 };
    KS_RESPONSE_ARRAY(response, out->responses, in->resources.count,
                      incremental_alter_configs_response_alter_configs_resource_response);
    for (int32_t i = 0; i < in->resources.count; i++) {
        ks_incremental_alter_configs_response_alter_configs_resource_response *result = &out->responses.items[i];
        result->error_code = (int16_t)alter(broker->cluster, in, i, response->arena, &why);
        result->error_message = ks_response_sentence(response, &why);
        result->resource_type = in->resources.items[i].resource_type;
        result->resource_name = ks_arena_string(response->arena, in->resources.items[i].resource_name);
    }
    ks_buffer_deinit(&why);
    ks_respond(request, response);
}
