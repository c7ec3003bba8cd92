/* SPDX-License-Identifier: Apache-2.0
 * AlterConfigs: the configs named become all that a resource has of its own; what is not named goes back to its
 * default. All or nothing per resource. */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/response.h"

static bool repeated(const ks_alter_configs_request *in, int32_t i) {
    for (int32_t j = 0; j < in->resources.count; j++) {
        if (j != i && in->resources.items[j].resource_type == in->resources.items[i].resource_type &&
            ks_string_equal(in->resources.items[j].resource_name, in->resources.items[i].resource_name)) {
            return true;
        }
    }
    return false;
}

static kafka_error alter(ks_cluster *cluster, const ks_alter_configs_request *in, int32_t i, ks_arena *arena,
                         ks_buffer *why) {
    const ks_alter_configs_request_resource *resource = &in->resources.items[i];
    if (repeated(in, i)) {
        ks_buffer_text(why, "each resource must appear at most once");
        return KAFKA_ERR_INVALID_REQUEST;
    }
    int32_t count = resource->configs.count;
    ks_config_change *changes = ks_arena_alloc(arena, (size_t)count * sizeof *changes);
    for (int32_t j = 0; j < count; j++) {
        changes[j] =
            (ks_config_change){ resource->configs.items[j].name, resource->configs.items[j].value, KS_CHANGE_SET };
    }
    return ks_config_alter(cluster, resource->resource_type, resource->resource_name, changes, count, true,
                           in->validate_only, why);
}

void ks_handle_alter_configs(ks_broker *broker, ks_request *request) {
    const ks_alter_configs_request *in = request->envelope->body;
    ks_envelope *response = ks_response_new(request);
    ks_alter_configs_response *out = response->body;
    ks_buffer why = { 0 };
    KS_RESPONSE_ARRAY(response, out->responses, in->resources.count, alter_configs_response_resource_response);
    for (int32_t i = 0; i < in->resources.count; i++) {
        ks_alter_configs_response_resource_response *result = &out->responses.items[i];
        result->error_code = (int16_t)alter(broker->cluster, in, i, response->arena, &why);
        result->error_message = ks_response_sentence(response, &why);
        result->resource_type = in->resources.items[i].resource_type;
        result->resource_name = ks_arena_string(response->arena, in->resources.items[i].resource_name);
    }
    ks_buffer_deinit(&why);
    ks_respond(request, response);
}
