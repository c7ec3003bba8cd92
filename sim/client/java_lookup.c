/* SPDX-License-Identifier: Apache-2.0
 *
 * ListOffsets (OffsetFetcher): beginning, end, and the first offset at or after a time, asked of each partition's leader. What
 * one leader cannot answer now is asked again, after new metadata, until the operation's time is over. */
#include "sim/client/java_internal.h"

static void answered(void *owner, kafka_error error, const ks_envelope *envelope);

static bool needs_metadata(kafka_error error) {
    switch ((int)error) {
    case KAFKA_ERR_NOT_LEADER_OR_FOLLOWER: case KAFKA_ERR_REPLICA_NOT_AVAILABLE: case KAFKA_ERR_KAFKA_STORAGE_ERROR:
    case KAFKA_ERR_OFFSET_NOT_AVAILABLE: case KAFKA_ERR_LEADER_NOT_AVAILABLE: case KAFKA_ERR_FENCED_LEADER_EPOCH:
    case KAFKA_ERR_UNKNOWN_LEADER_EPOCH: case KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION: case KAFKA_ERR_UNKNOWN_TOPIC_ID:
        return true;
    default:
        return kafka_error_is_retriable(error);
    }
}

static void settle(ks_offset_op *op) {
    if (op->parts > 0) return;
    for (int32_t i = 0; i < op->count; i++)
        if (!op->settled[i]) {
            kafka_error error = op->part_error ? op->part_error : KAFKA_ERR_LEADER_NOT_AVAILABLE;
            op->part_error = KAFKA_OK;
            if (!needs_metadata(error)) {
                ks_java_op_finish(op, error);
                return;
            }
            ks_java_op_retry(op, error);
            return;
        }
    ks_java_op_finish(op, KAFKA_OK);
}

static void take(ks_offset_op *op, ks_string topic, const ks_list_offsets_response_partition_response *in) {
    for (int32_t i = 0; i < op->count; i++) {
        ks_offset *offset = &op->offsets[i];
        if (offset->partition != in->partition_index || !ks_string_equal(offset->topic, topic)) continue;
        if (in->error_code == KAFKA_ERR_TOPIC_AUTHORIZATION_FAILED || in->error_code == 0 ||
            in->error_code == KAFKA_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT) {
            op->settled[i] = true;
            offset->error = (kafka_error)in->error_code;
            offset->offset = in->error_code ? -1 : in->offset;
            offset->leader_epoch = in->leader_epoch;
            offset->timestamp_ms = in->timestamp;
        } else {
            op->part_error = (kafka_error)in->error_code;
            ks_java_metadata_refresh(op->consumer->metadata);
        }
        return;
    }
}

static void answered(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_offset_op *op = owner;
    op->parts--;
    if (error) op->part_error = error;
    if (error) ks_java_metadata_refresh(op->consumer->metadata);
    const ks_list_offsets_response *response = envelope ? envelope->body : NULL;
    for (int32_t t = 0; response && t < response->topics.count; t++)
        for (int32_t p = 0; p < response->topics.items[t].partitions.count; p++)
            take(op, response->topics.items[t].name, &response->topics.items[t].partitions.items[p]);
    settle(op);
}

static void send_to(ks_offset_op *op, int32_t leader, const int32_t *leaders) {
    ks_consumer *c = op->consumer;
    ks_envelope *envelope = ks_java_request(c->network, KS_API_list_offsets, -1);
    ks_list_offsets_request *request = envelope->body;
    request->replica_id = -1;
    request->isolation_level = c->config.read_committed;
    request->timeout_ms = (int32_t)c->config.request_timeout_ms;
    request->topics.items = ks_arena_alloc(envelope->arena, ((size_t)op->count + 1) * sizeof *request->topics.items);
    ks_list_offsets_request_partition *partitions = ks_arena_alloc(envelope->arena, ((size_t)op->count + 1) * sizeof *partitions);
    ks_list_offsets_request_topic *topic = NULL;
    ks_string former = KS_NULL_STRING;
    for (int32_t i = 0, n = 0; i < op->count; i++) {
        if (op->settled[i] || leaders[i] != leader) continue;
        if (topic == NULL || !ks_string_equal(former, op->offsets[i].topic)) {
            topic = &request->topics.items[request->topics.count++];
            ks_struct_default(ks_describe_list_offsets_request_topic(), topic);
            topic->name = ks_arena_string(envelope->arena, former = op->offsets[i].topic);
            topic->partitions.items = partitions + n;
        }
        ks_list_offsets_request_partition *partition = &partitions[n++];
        ks_struct_default(ks_describe_list_offsets_request_partition(), partition);
        partition->partition_index = op->offsets[i].partition;
        partition->timestamp = op->offsets[i].asked_ms;
        const ks_java_topic *known = ks_java_metadata_topic(c->metadata, op->offsets[i].topic);
        partition->current_leader_epoch = ks_java_topic_leader_epoch(known, op->offsets[i].partition);
        topic->partitions.count++;
    }
    op->parts++;
    ks_java_send(c->network, leader, envelope, 0, answered, op);
}

void ks_java_op_send_list(ks_offset_op *op) {
    ks_consumer *c = op->consumer;
    if (op->settled == NULL) op->settled = ks_arena_alloc(op->arena, (size_t)op->count + 1);
    int32_t *leaders = ks_arena_alloc(op->arena, ((size_t)op->count + 1) * sizeof *leaders);
    for (int32_t i = 0; i < op->count; i++)
        leaders[i] = op->settled[i] ? -1 : ks_java_metadata_leader(c->metadata, op->offsets[i].topic, op->offsets[i].partition);
    for (int32_t i = 0; i < op->count; i++) { /* one request per leader, at its first partition: leaders are few */
        bool first = leaders[i] >= 0;
        for (int32_t j = 0; j < i && first; j++) first = leaders[j] != leaders[i];
        if (first) send_to(op, leaders[i], leaders);
    }
    if (op->parts == 0) settle(op);
    else ks_java_op_watch_deadline(op);
}
