/* SPDX-License-Identifier: Apache-2.0
 *
 * DescribeConfigs (Kafka's ConfigHelper): what holds for a topic or a broker, where it comes from, and (synonyms) what
 * would hold without that, in order of precedence.
 */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/response.h"

typedef ks_describe_configs_request_resource resource_in;
typedef ks_describe_configs_response_result result_out;
typedef ks_describe_configs_response_resource_result config_out;

typedef struct description {
    ks_cluster *cluster;
    ks_broker *broker;
    ks_envelope *response;
    bool synonyms, documentation;
    ks_buffer text;
} description;

static bool wanted(const resource_in *in, const char *name) {
    if (in->configuration_keys.count <= 0) return true;
    for (int32_t i = 0; i < in->configuration_keys.count; i++) {
        if (ks_string_equal(in->configuration_keys.items[i], ks_str(name))) return true;
    }
    return false;
}

static ks_string printed(description *d, const ks_config_key *key, int64_t value) {
    if (value == KS_CONFIG_UNSET) return KS_NULL_STRING;
    ks_buffer_clear(&d->text);
    ks_config_print(key, value, &d->text);
    return ks_arena_string(d->response->arena, (ks_string){ (const char *)d->text.data, (int32_t)d->text.size });
}

static void add_synonym(config_out *out, const char *name, ks_string value, ks_config_source source) {
    if (out->synonyms.items == NULL) return;
    ks_describe_configs_response_synonym *synonym = &out->synonyms.items[out->synonyms.count++];
    *synonym = (ks_describe_configs_response_synonym){ ks_str(name), value, (int8_t)source };
}

/* The broker setting, dynamic or static, and its default. */
static void add_setting_synonyms(description *d, int16_t setting, config_out *out) {
    const ks_cluster *cluster = d->cluster;
    if (setting < 0) return;
    const ks_config_key *key = &ks_settings[setting];
    if (cluster->setting_sources[setting] == KS_SETTING_DYNAMIC) {
        add_synonym(out, key->name, printed(d, key, cluster->settings[setting]), KS_SOURCE_DYNAMIC_DEFAULT);
    }
    if (cluster->given_sources[setting] == KS_SETTING_STATIC) {
        add_synonym(out, key->name, printed(d, key, cluster->given_settings[setting]), KS_SOURCE_STATIC);
    }
    if (key->fallback != KS_CONFIG_UNSET)
        add_synonym(out, key->name, printed(d, key, key->fallback), KS_SOURCE_DEFAULT);
}

static config_out *next_config(description *d, const ks_config_key *key, result_out *result) {
    config_out *out = &result->configs.items[result->configs.count++];
    out->name = ks_str(key->name);
    if (d->synonyms) out->synonyms.items = ks_arena_alloc(d->response->arena, 4 * sizeof *out->synonyms.items);
    if (d->response->api_version >= 3) out->config_type = (int8_t)key->type;
    if (d->documentation)
        out->documentation = ks_str(key->documentation);
    else
        out->documentation = KS_NULL_STRING;
    return out;
}

static void describe_topic_config(description *d, const ks_topic_config *config, int32_t i, result_out *result) {
    const ks_config_key *key = &ks_topic_configs[i];
    config_out *out = next_config(d, key, result);
    ks_buffer_clear(&d->text);
    ks_topic_config_print(config, (ks_topic_config_key)i, &d->text);
    out->value = ks_arena_string(d->response->arena, (ks_string){ (const char *)d->text.data, (int32_t)d->text.size });
    ks_config_source source = ks_topic_config_source(d->cluster, config, (ks_topic_config_key)i);
    out->config_source = (int8_t)source;
    if (source == KS_SOURCE_TOPIC) add_synonym(out, key->name, out->value, source);
    add_setting_synonyms(d, key->setting, out);
}

static void describe_setting(description *d, int32_t i, result_out *result) {
    const ks_config_key *key = &ks_settings[i];
    config_out *out = next_config(d, key, result);
    out->value = printed(d, key, d->cluster->settings[i]);
    out->read_only = !key->dynamic;
    out->config_source = (int8_t)ks_setting_config_source(d->cluster, (ks_setting)i);
    add_setting_synonyms(d, (int16_t)i, out);
}

static kafka_error describe_topic(description *d, const resource_in *in, result_out *result, ks_buffer *why) {
    const ks_topic *topic = ks_cluster_topic_find(d->cluster, in->resource_name);
    if (topic == NULL) {
        kafka_error error = ks_topic_name_check(d->cluster, in->resource_name, why);
        return error != KAFKA_OK ? error : KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    KS_RESPONSE_ARRAY(d->response, result->configs, KS_TOPIC_CONFIG_COUNT, describe_configs_response_resource_result);
    result->configs.count = 0;
    for (int32_t i = 0; i < KS_TOPIC_CONFIG_COUNT; i++) {
        if (wanted(in, ks_topic_configs[i].name)) describe_topic_config(d, topic->config, i, result);
    }
    return KAFKA_OK;
}

static kafka_error check_broker(const description *d, ks_string name, ks_buffer *why) {
    int32_t id = 0;
    for (int32_t i = 0; i < name.size; i++) {
        if (name.data[i] < '0' || name.data[i] > '9' || id > KS_BROKERS_MAX) {
            ks_buffer_printf(why, "a broker is named by its id, not by \"%.*s\"", (int)name.size, name.data);
            return KAFKA_ERR_INVALID_REQUEST;
        }
        id = id * 10 + (name.data[i] - '0');
    }
    if (name.size <= 0 || id == d->broker->id) return KAFKA_OK;
    ks_buffer_printf(why, "this is broker %d, and %d describes itself", (int)d->broker->id, (int)id);
    return KAFKA_ERR_INVALID_REQUEST;
}

/* A broker by its id: everything. The empty name: the dynamic defaults alone. */
static kafka_error describe_broker(description *d, const resource_in *in, result_out *result, ks_buffer *why) {
    kafka_error error = check_broker(d, in->resource_name, why);
    if (error != KAFKA_OK) return error;
    KS_RESPONSE_ARRAY(d->response, result->configs, KS_SETTING_COUNT, describe_configs_response_resource_result);
    result->configs.count = 0;
    for (int32_t i = 0; i < KS_SETTING_COUNT; i++) {
        if (in->resource_name.size <= 0 && d->cluster->setting_sources[i] != KS_SETTING_DYNAMIC) continue;
        if (wanted(in, ks_settings[i].name)) describe_setting(d, i, result);
    }
    return KAFKA_OK;
}

void ks_handle_describe_configs(ks_broker *broker, ks_request *request) {
    const ks_describe_configs_request *in = request->envelope->body;
    int16_t version = request->envelope->api_version;
    description d = { .cluster = broker->cluster,
                      .broker = broker,
                      .response = ks_response_new(request),
                      .synonyms = in->include_synonyms,
                      .documentation = version >= 3 && in->include_documentation };
    ks_describe_configs_response *out = d.response->body;
    ks_buffer why = { 0 };
    KS_RESPONSE_ARRAY(d.response, out->results, in->resources.count, describe_configs_response_result);
    for (int32_t i = 0; i < in->resources.count; i++) {
        const resource_in *resource = &in->resources.items[i];
        result_out *result = &out->results.items[i];
        kafka_error error = KAFKA_ERR_INVALID_REQUEST;
        if (resource->resource_type == KS_RESOURCE_TOPIC)
            error = describe_topic(&d, resource, result, &why);
        else if (resource->resource_type == KS_RESOURCE_BROKER)
            error = describe_broker(&d, resource, result, &why);
        else
            ks_buffer_printf(&why, "resources of type %d have no configs here: 2 is a topic, 4 a broker",
                             resource->resource_type);
        result->error_code = (int16_t)error;
        result->error_message = ks_response_sentence(d.response, &why);
        result->resource_type = resource->resource_type;
        result->resource_name = ks_arena_string(d.response->arena, resource->resource_name);
    }
    ks_buffer_deinit(&why);
    ks_buffer_deinit(&d.text);
    ks_respond(request, d.response);
}
