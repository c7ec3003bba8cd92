/* SPDX-License-Identifier: Apache-2.0
 *
 * OffsetDelete (API key 47, KIP-496): committed offsets of topics that the group does not subscribe to. */
#include "sim/broker/group_coordinator.h"
#include "sim/protocol/events.h"

static kafka_error check(ks_broker *broker, ks_string id, ks_group **group) {
    if (id.size <= 0) return KAFKA_ERR_INVALID_GROUP_ID;
    kafka_error error = ks_group_coordinator_check(broker, id);
    if (error != KAFKA_OK) return error;
    *group = ks_groups_find(ks_group_coordinator_groups(broker), id);
    if (*group == NULL || ((*group)->kind == KS_GROUP_CLASSIC && (*group)->state == KS_GROUP_DEAD))
        return KAFKA_ERR_GROUP_ID_NOT_FOUND;
    if ((*group)->kind == KS_GROUP_CONSUMER || (*group)->state == KS_GROUP_EMPTY) return KAFKA_OK;
    return ks_string_equal((*group)->protocol_type, KS_LITERAL("consumer")) ? KAFKA_OK : KAFKA_ERR_NON_EMPTY_GROUP;
}

/* Partitions that do not exist are refused before the group is asked; the rest get `error` of the group or of their
 * topic. */
static void check_partitions(const ks_group *group, const ks_offset_delete_request *asked,
                             ks_offset_delete_response *body, ks_group_records *records, ks_arena *arena) {
    for (int32_t t = 0; t < body->topics.count; t++) {
        const ks_offset_delete_request_topic *from = &asked->topics.items[t];
        ks_offset_delete_response_topic *to = &body->topics.items[t];
        bool subscribed = ks_group_subscribes(group, from->name, arena);
        for (int32_t p = 0; p < to->partitions.count; p++) {
            int32_t index = to->partitions.items[p].partition_index;
            if (to->partitions.items[p].error_code != 0) continue;
            if (subscribed) {
                to->partitions.items[p].error_code = KAFKA_ERR_GROUP_SUBSCRIBED_TO_TOPIC;
            } else if (ks_group_offset_find(group, from->name, index) != NULL) {
                KS_PUSH(*records, ks_offset_tombstone(group->id, from->name, index, arena));
            }
        }
    }
}

static int32_t shape(const ks_cluster *cluster, const ks_offset_delete_request *asked, ks_offset_delete_response *body,
                     ks_arena *arena) {
    int32_t valid = 0;
    body->topics.count = asked->topics.count > 0 ? asked->topics.count : 0;
    body->topics.items = ks_arena_alloc(arena, sizeof *body->topics.items * (size_t)(body->topics.count + 1));
    for (int32_t t = 0; t < body->topics.count; t++) {
        const ks_offset_delete_request_topic *from = &asked->topics.items[t];
        ks_offset_delete_response_topic *to = &body->topics.items[t];
        to->name = ks_arena_string(arena, from->name);
        to->partitions.count = from->partitions.count > 0 ? from->partitions.count : 0;
        to->partitions.items = ks_arena_alloc(arena, sizeof *to->partitions.items * (size_t)(to->partitions.count + 1));
        for (int32_t p = 0; p < to->partitions.count; p++) {
            int32_t index = from->partitions.items[p].partition_index;
            bool known = ks_cluster_partition_find(cluster, from->name, index) != NULL;
            to->partitions.items[p].partition_index = index;
            to->partitions.items[p].error_code = known ? 0 : KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
            valid += known;
        }
    }
    return valid;
}

static bool on_written(ks_broker *broker, ks_group_write *write) {
    ks_offset_delete_response *body = write->response->body;
    if (write->error != KAFKA_OK) {
        body->error_code = (int16_t)write->error;
        body->topics.count = 0;
        return true;
    }
    for (int32_t i = 0; i < write->count; i++) {
        ks_group_key key;
        ks_group_key_decode(write->records[i].key, &key);
        KS_EMIT(ks_cluster_kernel(broker->cluster), broker->node, offsets_deleted, .group = key.group,
                .topic = key.topic, .partition = key.partition, .reason = KS_LITERAL("requested"));
    }
    return true;
}

void ks_handle_offset_delete(ks_broker *broker, ks_request *request) {
    const ks_offset_delete_request *asked = request->envelope->body;
    ks_envelope *response = ks_response_new(request);
    ks_offset_delete_response *body = response->body;
    ks_group *group = NULL;
    int32_t valid = shape(broker->cluster, asked, body, response->arena);
    kafka_error error = valid > 0 || body->topics.count == 0 ? check(broker, asked->group_id, &group) : KAFKA_OK;
    if (error != KAFKA_OK || group == NULL) {
        body->error_code = (int16_t)error;
        if (error != KAFKA_OK) body->topics.count = 0;
        ks_respond(request, response);
        return;
    }
    ks_group_records records = { 0 };
    check_partitions(group, asked, body, &records, response->arena);
    ks_group_write write = {
        .request = request, .response = response, .records = records.items, .count = records.count, .done = on_written
    };
    ks_group_coordinator_write(broker, asked->group_id, &write);
    ks_free(records.items);
}
