/* SPDX-License-Identifier: Apache-2.0
 *
 * CreateTopics (Kafka's ControllerApis.createTopics, ReplicationControlManager.createTopics). Any broker takes it, as
 * KRaft forwards it to the controller. One topic's failure does not fail the others; the checks of a topic run in
 * Kafka's order: name, existence, configs, assignment, replication factor, partitions.
 */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/names.h"
#include "sim/broker/response.h"

typedef ks_create_topics_request_creatable_topic topic_in;
typedef ks_create_topics_response_creatable_topic_result topic_out;

typedef struct creation {
    ks_cluster *cluster;
    const ks_create_topics_request *in;
    ks_envelope *response;
    ks_buffer why;
    const ks_topic_config *described; /* whose configs these are: topics without overrides share one list */
    ks_create_topics_response_creatable_topic_configs *configs;
} creation;

/* ---- configs ---- */

/* *config stays NULL when the topic states none. */
static kafka_error read_configs(creation *c, const topic_in *in, ks_topic_config **config) {
    ks_cluster *cluster = c->cluster;
    if (in->configs.count <= 0) return KAFKA_OK;
    *config = ks_topic_config_copy(cluster->default_config, cluster->settings);
    for (int32_t i = 0; i < in->configs.count; i++) {
        ks_string name = in->configs.items[i].name, value = in->configs.items[i].value;
        if (value.size < 0) {
            ks_buffer_printf(&c->why, "null value for configuration \"%.*s\"", name.size > 0 ? (int)name.size : 0,
                             name.size > 0 ? name.data : "");
            return KAFKA_ERR_INVALID_CONFIG;
        }
        kafka_error error = ks_topic_config_set(*config, name, value, cluster->settings, &c->why);
        if (error != KAFKA_OK) return error;
    }
    return ks_topic_config_check(*config, &c->why);
}

static void describe_configs(creation *c, const ks_topic_config *config, topic_out *out) {
    if (c->described != config) {
        c->described = config;
        c->configs = ks_response_items(c->response, KS_TOPIC_CONFIG_COUNT,
                                       ks_describe_create_topics_response_creatable_topic_configs());
        ks_buffer text = { 0 };
        for (int32_t i = 0; i < KS_TOPIC_CONFIG_COUNT; i++) {
            ks_buffer_clear(&text);
            ks_topic_config_print(config, (ks_topic_config_key)i, &text);
            c->configs[i].name = ks_str(ks_topic_configs[i].name);
            c->configs[i].value =
                ks_arena_string(c->response->arena, (ks_string){ (const char *)text.data, (int32_t)text.size });
            c->configs[i].config_source = (int8_t)ks_topic_config_source(c->cluster, config, (ks_topic_config_key)i);
        }
        ks_buffer_deinit(&text);
    }
    out->configs.items = c->configs;
    out->configs.count = KS_TOPIC_CONFIG_COUNT;
}

/* ---- a manual assignment ---- */

static kafka_error bad_assignment(creation *c, const char *sentence) {
    ks_buffer_text(&c->why, sentence);
    return KAFKA_ERR_INVALID_REPLICA_ASSIGNMENT;
}

static kafka_error read_assignment(creation *c, const topic_in *in, ks_topic_spec *spec) {
    int32_t count = in->assignments.count;
    if (count <= 0) return KAFKA_OK;
    if (in->num_partitions != -1 || in->replication_factor != -1) {
        ks_buffer_text(&c->why, "with an assignment the number of partitions and the replication factor must be -1");
        return KAFKA_ERR_INVALID_REQUEST;
    }
    int32_t factor = in->assignments.items[0].broker_ids.count;
    int32_t *rows =
        ks_arena_alloc(c->response->arena, (size_t)count * (size_t)(factor > 0 ? factor : 1) * sizeof *rows);
    bool *seen = ks_arena_alloc(c->response->arena, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        const ks_create_topics_request_creatable_replica_assignment *row = &in->assignments.items[i];
        if (row->partition_index < 0 || row->partition_index >= count || seen[row->partition_index]) {
            return bad_assignment(c, "partitions must be numbered 0, 1, 2 and so on, each once");
        }
        seen[row->partition_index] = true;
        kafka_error error =
            ks_assignment_check(c->cluster, row->broker_ids.items, row->broker_ids.count, factor, &c->why);
        if (error != KAFKA_OK) return error;
        memcpy(rows + (size_t)row->partition_index * (size_t)factor, row->broker_ids.items,
               (size_t)factor * sizeof *rows);
    }
    spec->assignment = rows;
    spec->partitions = count;
    spec->replication_factor = factor;
    return KAFKA_OK;
}

/* ---- one topic ---- */

static void describe(creation *c, const ks_topic_spec *spec, const ks_topic *topic, topic_out *out) {
    const int64_t *settings = c->cluster->settings;
    if (c->response->api_version >= 7 && topic != NULL) out->topic_id = topic->id;
    if (c->response->api_version < 5) return;
    out->num_partitions = spec->partitions == -1 ? (int32_t)settings[KS_SETTING_num_partitions] : spec->partitions;
    out->replication_factor =
        (int16_t)(spec->replication_factor == -1 ? (int32_t)settings[KS_SETTING_default_replication_factor]
                                                 : spec->replication_factor);
    describe_configs(c, spec->config != NULL ? spec->config : c->cluster->default_config, out);
}

static kafka_error create(creation *c, const topic_in *in, topic_out *out) {
    ks_topic_spec spec = { .name = in->name,
                           .partitions = in->num_partitions,
                           .replication_factor = in->replication_factor,
                           .validate_only = c->in->validate_only };
    ks_topic *topic = NULL;
    kafka_error error = ks_topic_new_check(c->cluster, in->name, &c->why);
    if (error == KAFKA_OK) error = read_configs(c, in, &spec.config);
    if (error == KAFKA_OK) error = read_assignment(c, in, &spec);
    if (error == KAFKA_OK) error = ks_cluster_create_topic(c->cluster, &spec, &topic, &c->why);
    if (error == KAFKA_OK) describe(c, &spec, topic, out);
    if (c->described == spec.config) c->described = NULL; /* that address may be used again */
    ks_topic_config_release(spec.config);
    return error;
}

void ks_handle_create_topics(ks_broker *broker, ks_request *request) {
    creation c = { .cluster = broker->cluster, .in = request->envelope->body, .response = ks_response_new(request) };
    ks_create_topics_response *out = c.response->body;
    int32_t count = c.in->topics.count;
    ks_string *names = ks_arena_alloc(c.response->arena, (size_t)count * sizeof *names);
    for (int32_t i = 0; i < count; i++) names[i] = c.in->topics.items[i].name;
    ks_name_use *uses = ks_names_use(c.response->arena, names, count);
    KS_RESPONSE_ARRAY(c.response, out->topics, count, create_topics_response_creatable_topic_result);
    out->topics.count = 0;
    for (int32_t i = 0; i < count; i++) {
        if (uses[i] == KS_NAME_REPEATED) continue; /* one answer for each name */
        topic_out *result = &out->topics.items[out->topics.count++];
        result->name = ks_arena_string(c.response->arena, names[i]);
        result->error_message = KS_NULL_STRING;
        kafka_error error = KAFKA_ERR_INVALID_REQUEST;
        if (uses[i] == KS_NAME_FIRST)
            ks_buffer_text(&c.why, "the request names this topic twice");
        else
            error = create(&c, &c.in->topics.items[i], result);
        result->error_code = (int16_t)error;
        if (error != KAFKA_OK) result->error_message = ks_response_sentence(c.response, &c.why);
        ks_buffer_clear(&c.why);
    }
    ks_buffer_deinit(&c.why);
    ks_respond(request, c.response);
}
