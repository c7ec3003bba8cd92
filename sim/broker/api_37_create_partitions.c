/* SPDX-License-Identifier: Apache-2.0
 * CreatePartitions (Kafka's ControllerApis.createPartitions, ReplicationControlManager.createPartitions; TC-8). Counts
 * are new totals. */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/names.h"
#include "sim/broker/response.h"

typedef ks_create_partitions_request_topic topic_in;

/* The stated replica lists as rows; *rows stays NULL when none are stated. */
static kafka_error read_assignments(const ks_topic *topic, const topic_in *in, ks_arena *arena, int32_t **rows,
                                    ks_buffer *why) {
    if (in->assignments.count < 0 || in->count <= topic->partition_count)
        return KAFKA_OK; /* the count is wrong before all else */
    int32_t added = in->count - topic->partition_count, factor = topic->partitions[0]->replica_count;
    if (in->assignments.count != added) {
        ks_buffer_printf(why, "%d partitions are added, but %d replica lists are given", (int)added,
                         (int)in->assignments.count);
        return KAFKA_ERR_INVALID_REPLICA_ASSIGNMENT;
    }
    *rows = ks_arena_alloc(arena, (size_t)added * (size_t)factor * sizeof **rows);
    for (int32_t i = 0; i < added; i++) {
        const ks_create_partitions_request_assignment *row = &in->assignments.items[i];
        kafka_error error =
            ks_assignment_check(topic->cluster, row->broker_ids.items, row->broker_ids.count, factor, why);
        if (error != KAFKA_OK) return error;
        memcpy(*rows + (size_t)i * (size_t)factor, row->broker_ids.items, (size_t)factor * sizeof **rows);
    }
    return KAFKA_OK;
}

static kafka_error grow(ks_cluster *cluster, const topic_in *in, bool validate_only, ks_arena *arena, ks_buffer *why) {
    ks_topic *topic = ks_cluster_topic_find(cluster, in->name);
    int32_t *rows = NULL;
    if (topic == NULL) return KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
    kafka_error error = read_assignments(topic, in, arena, &rows, why);
    return error != KAFKA_OK ? error : ks_cluster_add_partitions(topic, in->count, rows, validate_only, why);
}

void ks_handle_create_partitions(ks_broker *broker, ks_request *request) {
    const ks_create_partitions_request *in = request->envelope->body;
    ks_envelope *response = ks_response_new(request);
    ks_create_partitions_response *out = response->body;
    int32_t count = in->topics.count;
    ks_string *names = ks_arena_alloc(response->arena, (size_t)count * sizeof *names);
    for (int32_t i = 0; i < count; i++) names[i] = in->topics.items[i].name;
    ks_name_use *uses = ks_names_use(response->arena, names, count);
    ks_buffer why = { 0 };
    KS_RESPONSE_ARRAY(response, out->results, count, create_partitions_response_topic_result);
    out->results.count = 0;
    for (int32_t i = 0; i < count; i++) {
        if (uses[i] == KS_NAME_REPEATED) continue; /* one answer for each name */
        ks_create_partitions_response_topic_result *result = &out->results.items[out->results.count++];
        kafka_error error = KAFKA_ERR_INVALID_REQUEST;
        if (uses[i] == KS_NAME_FIRST)
            ks_buffer_text(&why, "the request names this topic twice");
        else
            error = grow(broker->cluster, &in->topics.items[i], in->validate_only, response->arena, &why);
        result->name = ks_arena_string(response->arena, names[i]);
        result->error_code = (int16_t)error;
        result->error_message = ks_response_sentence(response, &why);
    }
    ks_buffer_deinit(&why);
    ks_respond(request, response);
}
