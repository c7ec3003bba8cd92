/* SPDX-License-Identifier: Apache-2.0
 *
 * What partitions' leaders are asked (OffsetFetcher): ListOffsets for the beginning, the end, and the first offset at or after a
 * time; OffsetForLeaderEpoch for the end of a leader epoch, to see whether a committed position is still what it was (KIP-320).
 * What one leader cannot answer now is asked again, after new metadata, until the operation's time is over. */
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

/* The offset that a partition's answer is for: settled, unless leaders must be asked again. NULL: none, or not settled. */
static ks_java_offset *settled_by(ks_offset_op *op, ks_string topic, int32_t partition, kafka_error error, int32_t *hint) {
    ks_java_offset *offset = ks_java_op_find(op, topic, partition, hint);
    if (offset == NULL) return NULL;
    bool settled = error == KAFKA_OK || error == KAFKA_ERR_TOPIC_AUTHORIZATION_FAILED || error == KAFKA_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT;
    op->settled[offset - op->offsets] = settled;
    offset->error = settled ? error : KAFKA_OK;
    if (settled) return offset;
    op->part_error = error;
    ks_java_metadata_refresh(op->consumer->metadata);
    return NULL;
}

static void take_listed(ks_offset_op *op, const ks_list_offsets_response *response) {
    int32_t hint = 0;
    for (int32_t t = 0; t < response->topics.count; t++)
        for (int32_t p = 0; p < response->topics.items[t].partitions.count; p++) {
            const ks_list_offsets_response_partition_response *in = &response->topics.items[t].partitions.items[p];
            ks_java_offset *offset = settled_by(op, response->topics.items[t].name, in->partition_index, (kafka_error)in->error_code, &hint);
            if (offset == NULL) continue;
            offset->offset = in->error_code ? -1 : in->offset;
            offset->leader_epoch = in->leader_epoch;
            op->times[offset - op->offsets] = in->timestamp;
        }
}

static void take_validated(ks_offset_op *op, const ks_offset_for_leader_epoch_response *response) {
    int32_t hint = 0;
    for (int32_t t = 0; t < response->topics.count; t++)
        for (int32_t p = 0; p < response->topics.items[t].partitions.count; p++) {
            const ks_offset_for_leader_epoch_response_epoch_end_offset *in = &response->topics.items[t].partitions.items[p];
            ks_java_offset *offset = settled_by(op, response->topics.items[t].topic, in->partition, (kafka_error)in->error_code, &hint);
            if (offset == NULL) continue;
            offset->offset = in->error_code ? -1 : in->end_offset;
            offset->leader_epoch = in->leader_epoch;
        }
}

static void answered(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_offset_op *op = owner;
    op->parts--;
    if (error) op->part_error = error;
    if (error) ks_java_metadata_refresh(op->consumer->metadata);
    if (envelope && op->kind == KS_OP_LIST) take_listed(op, envelope->body);
    if (envelope && op->kind == KS_OP_VALIDATE) take_validated(op, envelope->body);
    settle(op);
}

/* ---- asking ---- */

/* Is the i-th offset asked of this leader now? */
static bool is_for(const ks_offset_op *op, int32_t i, int32_t leader, const int32_t *leaders) {
    return !op->settled[i] && leaders[i] == leader;
}

static int32_t current_epoch(const ks_offset_op *op, int32_t i) {
    return ks_java_topic_leader_epoch(ks_java_metadata_topic(op->consumer->metadata, ks_java_op_topic(op, i)), op->offsets[i].key.partition);
}

static ks_envelope *list_request(ks_offset_op *op, int32_t leader, const int32_t *leaders) {
    ks_consumer *c = op->consumer;
    ks_envelope *envelope = ks_java_request(c->network, KS_API_list_offsets, -1);
    ks_list_offsets_request *request = envelope->body;
    request->replica_id = -1;
    request->isolation_level = c->config.read_committed;
    request->timeout_ms = (int32_t)c->config.request_timeout_ms;
    request->topics.items = ks_arena_alloc(envelope->arena, ((size_t)op->count + 1) * sizeof *request->topics.items);
    ks_list_offsets_request_partition *partitions = ks_arena_alloc(envelope->arena, ((size_t)op->count + 1) * sizeof *partitions);
    ks_list_offsets_request_topic *topic = NULL;
    for (int32_t i = 0, n = 0; i < op->count; i++) {
        if (!is_for(op, i, leader, leaders)) continue;
        if (topic == NULL || !ks_string_equal(topic->name, ks_java_op_topic(op, i))) {
            topic = &request->topics.items[request->topics.count++];
            ks_struct_default(ks_describe_list_offsets_request_topic(), topic);
            topic->name = ks_arena_string(envelope->arena, ks_java_op_topic(op, i));
            topic->partitions.items = partitions + n;
        }
        ks_list_offsets_request_partition *partition = &partitions[n++];
        ks_struct_default(ks_describe_list_offsets_request_partition(), partition);
        partition->partition_index = op->offsets[i].key.partition;
        partition->timestamp = op->times[i];
        partition->current_leader_epoch = current_epoch(op, i);
        topic->partitions.count++;
    }
    return envelope;
}

static ks_envelope *validate_request(ks_offset_op *op, int32_t leader, const int32_t *leaders) {
    ks_envelope *envelope = ks_java_request(op->consumer->network, KS_API_offset_for_leader_epoch, -1);
    ks_offset_for_leader_epoch_request *request = envelope->body;
    request->replica_id = -1;
    request->topics.items = ks_arena_alloc(envelope->arena, ((size_t)op->count + 1) * sizeof *request->topics.items);
    ks_offset_for_leader_epoch_request_offset_for_leader_partition *partitions =
        ks_arena_alloc(envelope->arena, ((size_t)op->count + 1) * sizeof *partitions);
    ks_offset_for_leader_epoch_request_offset_for_leader_topic *topic = NULL;
    for (int32_t i = 0, n = 0; i < op->count; i++) {
        if (!is_for(op, i, leader, leaders)) continue;
        if (topic == NULL || !ks_string_equal(topic->topic, ks_java_op_topic(op, i))) {
            topic = &request->topics.items[request->topics.count++];
            ks_struct_default(ks_describe_offset_for_leader_epoch_request_offset_for_leader_topic(), topic);
            topic->topic = ks_arena_string(envelope->arena, ks_java_op_topic(op, i));
            topic->partitions.items = partitions + n;
        }
        partitions[n++] = (ks_offset_for_leader_epoch_request_offset_for_leader_partition){
            .partition = op->offsets[i].key.partition, .current_leader_epoch = current_epoch(op, i), .leader_epoch = op->offsets[i].leader_epoch
        };
        topic->partitions.count++;
    }
    return envelope;
}

static void send_to(ks_offset_op *op, int32_t leader, const int32_t *leaders) {
    ks_envelope *envelope = op->kind == KS_OP_LIST ? list_request(op, leader, leaders) : validate_request(op, leader, leaders);
    op->parts++;
    ks_java_send(op->consumer->network, leader, envelope, 0, answered, op);
}

void ks_java_op_ask_leaders(ks_offset_op *op) {
    ks_consumer *c = op->consumer;
    if (op->settled == NULL) op->settled = ks_arena_alloc(ks_java_op_arena(op), (size_t)op->count + 1);
    int32_t *leaders = ks_arena_alloc(ks_java_op_arena(op), ((size_t)op->count + 1) * sizeof *leaders);
    for (int32_t i = 0; i < op->count; i++)
        leaders[i] = op->settled[i] ? -1 : ks_java_metadata_leader(c->metadata, ks_java_op_topic(op, i), op->offsets[i].key.partition);
    for (int32_t i = 0; i < op->count; i++) { /* one request per leader, at its first partition: leaders are few */
        bool first = leaders[i] >= 0;
        for (int32_t j = 0; j < i && first; j++) first = leaders[j] != leaders[i];
        if (first) send_to(op, leaders[i], leaders);
    }
    if (op->parts == 0) settle(op);
    else ks_java_op_watch_deadline(op);
}
