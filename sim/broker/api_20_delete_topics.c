/* SPDX-License-Identifier: Apache-2.0
 * DeleteTopics (Kafka's ControllerApis.deleteTopics), by name, and by id from version 6 on. Results come in request
 * order (TC-9). Internal topics are refused: without __consumer_offsets there would be no groups. */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/names.h"
#include "sim/broker/response.h"

typedef struct wanted {
    ks_string name; /* null: by id */
    ks_uuid id;
} wanted;

/* What is asked for, in one shape for all versions. */
static int32_t read_request(const ks_delete_topics_request *in, int16_t version, ks_arena *arena, wanted **out) {
    int32_t count = version >= 6 ? in->topics.count : in->topic_names.count;
    *out = ks_arena_alloc(arena, (size_t)count * sizeof **out);
    for (int32_t i = 0; i < count; i++) {
        if (version >= 6)
            (*out)[i] = (wanted){ in->topics.items[i].name, in->topics.items[i].topic_id };
        else
            (*out)[i].name = in->topic_names.items[i];
    }
    return count;
}

static ks_topic *find(const ks_cluster *cluster, const wanted *w) {
    return w->name.size >= 0 ? ks_cluster_topic_find(cluster, w->name) : ks_cluster_topic_find_id(cluster, w->id);
}

/* One word for a topic, whether it is asked for by name or by id, so that a topic named twice is found either way. */
static ks_string identity(const ks_cluster *cluster, const wanted *w, ks_arena *arena) {
    const ks_topic *topic = find(cluster, w);
    if (topic != NULL) return ks_arena_string(arena, topic->name);
    if (w->name.size >= 0) return w->name;
    char text[23];
    return ks_arena_printf(arena, "id %s", ks_uuid_text(w->id, text)); /* no topic has a blank in its name */
}

static kafka_error check(const ks_cluster *cluster, const wanted *w, const ks_topic *topic, ks_buffer *why) {
    if ((w->name.size >= 0) == !ks_uuid_is_zero(w->id)) {
        ks_buffer_text(why, "a topic is named either by its name or by its id");
        return KAFKA_ERR_INVALID_REQUEST;
    }
    if (topic == NULL) return w->name.size >= 0 ? KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_ERR_UNKNOWN_TOPIC_ID;
    if (!cluster->settings[KS_SETTING_delete_topic_enable]) {
        ks_buffer_text(why, "delete.topic.enable is false");
        return KAFKA_ERR_TOPIC_DELETION_DISABLED;
    }
    if (!topic->internal) return KAFKA_OK;
    ks_buffer_text(why, "internal topics cannot be deleted");
    return KAFKA_ERR_INVALID_TOPIC_EXCEPTION;
}

void ks_handle_delete_topics(ks_broker *broker, ks_request *request) {
    ks_cluster *cluster = broker->cluster;
    ks_envelope *response = ks_response_new(request);
    ks_delete_topics_response *out = response->body;
    int16_t version = response->api_version;
    wanted *asked;
    int32_t count = read_request(request->envelope->body, version, response->arena, &asked);
    ks_string *names = ks_arena_alloc(response->arena, (size_t)count * sizeof *names);
    for (int32_t i = 0; i < count; i++) names[i] = identity(cluster, &asked[i], response->arena);
    ks_name_use *uses = ks_names_use(response->arena, names, count);
    ks_buffer why = { 0 };
    KS_RESPONSE_ARRAY(response, out->responses, count, delete_topics_response_deletable_topic_result);
    for (int32_t i = 0; i < count; i++) {
        ks_delete_topics_response_deletable_topic_result *result = &out->responses.items[i];
        ks_topic *topic = find(cluster, &asked[i]);
        result->name = ks_arena_string(response->arena, topic != NULL ? topic->name : asked[i].name);
        if (version >= 6) result->topic_id = topic != NULL ? topic->id : asked[i].id;
        kafka_error error = check(cluster, &asked[i], topic, &why);
        if (uses[i] != KS_NAME_ONCE && error != KAFKA_ERR_INVALID_REQUEST) {
            error = KAFKA_ERR_INVALID_REQUEST;
            ks_buffer_clear(&why);
            ks_buffer_text(&why, "the request names this topic twice");
        }
        result->error_code = (int16_t)error;
        ks_string sentence = ks_response_sentence(response, &why);
        if (version >= 5) result->error_message = sentence;
        if (error == KAFKA_OK) ks_cluster_delete_topic(cluster, topic);
    }
    ks_buffer_deinit(&why);
    ks_respond(request, response);
}
