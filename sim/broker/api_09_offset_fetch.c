/* SPDX-License-Identifier: Apache-2.0
 *
 * OffsetFetch (API key 9). One group until v7, several from v8 on (KIP-709); topics by id from v10 on. No committed
 * offset is not an error: -1. A group that nobody knows has none. */
#include "sim/broker/group_consumer.h"
#include "sim/broker/group_coordinator.h"

typedef struct found_offset { /* one answer, before it gets the shape of its version */
    int64_t offset;
    int32_t leader_epoch;
    ks_string metadata;
    kafka_error error;
} found_offset;

static found_offset look_up(const ks_group *group, ks_string topic, int32_t partition, ks_arena *arena) {
    const ks_committed *value = group != NULL && topic.size >= 0 ? ks_group_offset_find(group, topic, partition) : NULL;
    if (value == NULL) return (found_offset){ -1, -1, KS_LITERAL(""), KAFKA_OK };
    ks_string metadata = ks_committed_metadata(value);
    return (found_offset){ value->offset, value->leader_epoch, metadata.size > 0 ? ks_arena_string(arena, metadata) : KS_LITERAL(""), KAFKA_OK };
}

static kafka_error find_group(ks_broker *broker, ks_string group_id, ks_string member_id, int32_t member_epoch,
                              ks_group **group) {
    *group = NULL;
    if (group_id.size < 0) return KAFKA_ERR_INVALID_GROUP_ID;
    kafka_error error = ks_group_coordinator_check(broker, group_id);
    if (error != KAFKA_OK) return error;
    *group = ks_groups_find(ks_group_coordinator_groups(broker), group_id);
    if (*group == NULL || (*group)->kind != KS_GROUP_CONSUMER)
        return KAFKA_OK; /* classic groups do not ask who reads */
    return ks_consumer_group_check_fetch(*group, member_id, member_epoch);
}

/* ---- v0 to v7 ---- */

static ks_offset_fetch_response_partition old_partition(int32_t index, const found_offset *found) {
    return (ks_offset_fetch_response_partition){ .partition_index = index,
                                                 .committed_offset = found->offset,
                                                 .committed_leader_epoch = found->leader_epoch,
                                                 .metadata = found->metadata,
                                                 .error_code = (int16_t)found->error };
}

static void old_topics(const ks_offset_fetch_request *asked, const ks_group *group, kafka_error error,
                       ks_offset_fetch_response *body, ks_arena *arena) {
    body->topics.count = asked->topics.count;
    body->topics.items = ks_arena_alloc(arena, sizeof *body->topics.items * (size_t)(asked->topics.count + 1));
    for (int32_t t = 0; t < asked->topics.count; t++) {
        const ks_offset_fetch_request_topic *from = &asked->topics.items[t];
        ks_offset_fetch_response_topic *to = &body->topics.items[t];
        int32_t count = from->partition_indexes.count > 0 ? from->partition_indexes.count : 0;
        to->name = ks_arena_string(arena, from->name);
        to->partitions.count = count;
        to->partitions.items = ks_arena_alloc(arena, sizeof *to->partitions.items * (size_t)(count + 1));
        for (int32_t p = 0; p < count; p++) {
            found_offset found = look_up(group, from->name, from->partition_indexes.items[p], arena);
            found.error = error;
            to->partitions.items[p] = old_partition(from->partition_indexes.items[p], &found);
        }
    }
}

static void old_all_topics(const ks_group *group, ks_offset_fetch_response *body, ks_arena *arena) {
    ks_offsets_topic **topics = ks_group_offset_topics(group, arena, &body->topics.count);
    body->topics.items = ks_arena_alloc(arena, sizeof *body->topics.items * (size_t)(body->topics.count + 1));
    for (int32_t t = 0; t < body->topics.count; t++) {
        ks_offset_fetch_response_topic *to = &body->topics.items[t];
        to->name = ks_arena_string(arena, topics[t]->name);
        to->partitions.items = ks_arena_alloc(arena, sizeof *to->partitions.items * (size_t)(topics[t]->count + 1));
        to->partitions.count = 0;
        for (int32_t p = 0; p < topics[t]->capacity; p++) {
            if (topics[t]->items[p].offset < 0) continue;
            found_offset found = look_up(group, topics[t]->name, p, arena);
            to->partitions.items[to->partitions.count++] = old_partition(p, &found);
        }
    }
}

static void fetch_old(ks_broker *broker, const ks_offset_fetch_request *asked, ks_envelope *response) {
    ks_offset_fetch_response *body = response->body;
    ks_group *group;
    kafka_error error = find_group(broker, asked->group_id, KS_NULL_STRING, -1, &group);
    bool at_top = response->api_version >= 2;
    if (at_top) body->error_code = (int16_t)error;
    if (error != KAFKA_OK && at_top) return;
    if (asked->topics.count >= 0)
        old_topics(asked, error == KAFKA_OK ? group : NULL, error, body, response->arena);
    else if (group != NULL)
        old_all_topics(group, body, response->arena);
}

/* ---- v8 and later ---- */

static ks_offset_fetch_response_partitions new_partition(int32_t index, const found_offset *found) {
    return (ks_offset_fetch_response_partitions){ .partition_index = index,
                                                  .committed_offset = found->offset,
                                                  .committed_leader_epoch = found->leader_epoch,
                                                  .metadata = found->metadata,
                                                  .error_code = (int16_t)found->error };
}

static void new_topics(const ks_cluster *cluster, const ks_offset_fetch_request_group *asked, const ks_group *group,
                       int16_t version, ks_offset_fetch_response_group *body, ks_arena *arena) {
    body->topics.count = asked->topics.count;
    body->topics.items = ks_arena_alloc(arena, sizeof *body->topics.items * (size_t)(asked->topics.count + 1));
    for (int32_t t = 0; t < asked->topics.count; t++) {
        const ks_offset_fetch_request_topics *from = &asked->topics.items[t];
        ks_offset_fetch_response_topics *to = &body->topics.items[t];
        const ks_topic *topic = version >= 10 ? ks_cluster_topic_find_id(cluster, from->topic_id) : NULL;
        ks_string name = version < 10 ? from->name : topic != NULL ? topic->name : KS_NULL_STRING;
        int32_t count = from->partition_indexes.count > 0 ? from->partition_indexes.count : 0;
        to->name = version < 10 ? ks_arena_string(arena, name) : KS_LITERAL("");
        to->topic_id = from->topic_id;
        to->partitions.count = count;
        to->partitions.items = ks_arena_alloc(arena, sizeof *to->partitions.items * (size_t)(count + 1));
        for (int32_t p = 0; p < count; p++) {
            found_offset found = look_up(group, name, from->partition_indexes.items[p], arena);
            if (name.size < 0) found.error = KAFKA_ERR_UNKNOWN_TOPIC_ID;
            to->partitions.items[p] = new_partition(from->partition_indexes.items[p], &found);
        }
    }
}

static void new_all_topics(const ks_cluster *cluster, const ks_group *group, int16_t version,
                           ks_offset_fetch_response_group *body, ks_arena *arena) {
    int32_t count;
    ks_offsets_topic **topics = ks_group_offset_topics(group, arena, &count);
    body->topics.items = ks_arena_alloc(arena, sizeof *body->topics.items * (size_t)(count + 1));
    body->topics.count = 0;
    for (int32_t t = 0; t < count; t++) {
        const ks_topic *topic = ks_cluster_topic_find(cluster, topics[t]->name);
        if (version >= 10 && topic == NULL) continue; /* it has no id to name it by */
        ks_offset_fetch_response_topics *to = &body->topics.items[body->topics.count++];
        to->name = version < 10 ? ks_arena_string(arena, topics[t]->name) : KS_LITERAL("");
        if (topic != NULL) to->topic_id = topic->id;
        to->partitions.items = ks_arena_alloc(arena, sizeof *to->partitions.items * (size_t)(topics[t]->count + 1));
        to->partitions.count = 0;
        for (int32_t p = 0; p < topics[t]->capacity; p++) {
            if (topics[t]->items[p].offset < 0) continue;
            found_offset found = look_up(group, topics[t]->name, p, arena);
            to->partitions.items[to->partitions.count++] = new_partition(p, &found);
        }
    }
}

static void fetch_group(ks_broker *broker, const ks_offset_fetch_request_group *asked, ks_envelope *response,
                        ks_offset_fetch_response_group *body) {
    ks_group *group;
    int16_t version = response->api_version;
    ks_string member_id = version >= 9 ? asked->member_id : KS_NULL_STRING;
    kafka_error error = find_group(broker, asked->group_id, member_id, version >= 9 ? asked->member_epoch : -1, &group);
    body->group_id = asked->group_id.size < 0 ? KS_LITERAL("") : ks_arena_string(response->arena, asked->group_id);
    body->error_code = (int16_t)error;
    if (error != KAFKA_OK) return;
    if (asked->topics.count >= 0)
        new_topics(broker->cluster, asked, group, version, body, response->arena);
    else if (group != NULL)
        new_all_topics(broker->cluster, group, version, body, response->arena);
}

void ks_handle_offset_fetch(ks_broker *broker, ks_request *request) {
    const ks_offset_fetch_request *asked = request->envelope->body;
    ks_envelope *response = ks_response_new(request);
    ks_offset_fetch_response *body = response->body;
    if (response->api_version < 8) {
        fetch_old(broker, asked, response);
    } else {
        int32_t count = asked->groups.count > 0 ? asked->groups.count : 0;
        body->groups.count = count;
        body->groups.items = ks_arena_alloc(response->arena, sizeof *body->groups.items * (size_t)(count + 1));
        for (int32_t i = 0; i < count; i++)
            fetch_group(broker, &asked->groups.items[i], response, &body->groups.items[i]);
    }
    ks_respond(request, response);
}
