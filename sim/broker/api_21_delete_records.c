/* SPDX-License-Identifier: Apache-2.0
 * DeleteRecords (Kafka's Partition.deleteRecordsOnLeader; LG-37). Replicas share one log, so the answer need not wait
 * for them. */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/response.h"

enum { TO_HIGH_WATERMARK = -1 };

static kafka_error delete_records(ks_broker *broker, ks_string name, int32_t index, int64_t offset,
                                  int64_t *low_watermark) {
    ks_partition *partition = ks_cluster_partition_find(broker->cluster, name, index);
    if (partition == NULL) return KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
    if (partition->topic->internal) return KAFKA_ERR_INVALID_TOPIC_EXCEPTION;
    if (partition->leader != broker->id) return KAFKA_ERR_NOT_LEADER_OR_FOLLOWER;
    if (!(partition->topic->config->value[KS_TOPIC_cleanup_policy] & KS_CLEANUP_DELETE))
        return KAFKA_ERR_POLICY_VIOLATION;
    int64_t from = ks_log_start_offset(partition->log), high_watermark = ks_log_high_watermark(partition->log);
    if (offset == TO_HIGH_WATERMARK) offset = high_watermark;
    if (offset < 0 || offset > high_watermark) return KAFKA_ERR_OFFSET_OUT_OF_RANGE;
    *low_watermark = offset > from ? offset : from;
    if (offset <= from) return KAFKA_OK;
    ks_log_raise_start(partition->log, offset);
    KS_EMIT(broker->cluster->kernel, broker->node, log_start_advanced, .topic = partition->topic->name,
            .partition = index, .from = from, .to = offset, .reason = KS_LITERAL("delete_records"));
    ks_retention_expect(partition);
    return KAFKA_OK;
}

void ks_handle_delete_records(ks_broker *broker, ks_request *request) {
    const ks_delete_records_request *in = request->envelope->body;
    ks_envelope *response = ks_response_new(request);
    ks_delete_records_response *out = response->body;
    KS_RESPONSE_ARRAY(response, out->topics, in->topics.count, delete_records_response_topic_result);
    for (int32_t i = 0; i < in->topics.count; i++) {
        const ks_delete_records_request_topic *topic = &in->topics.items[i];
        ks_delete_records_response_topic_result *topic_out = &out->topics.items[i];
        topic_out->name = ks_arena_string(response->arena, topic->name);
        KS_RESPONSE_ARRAY(response, topic_out->partitions, topic->partitions.count,
                          delete_records_response_partition_result);
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            ks_delete_records_response_partition_result *result = &topic_out->partitions.items[j];
            result->partition_index = topic->partitions.items[j].partition_index;
            result->low_watermark = -1;
            result->error_code = (int16_t)delete_records(broker, topic->name, result->partition_index,
                                                         topic->partitions.items[j].offset, &result->low_watermark);
        }
    }
    ks_respond(request, response);
}
