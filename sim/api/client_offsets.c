/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_client's calls about the committed offsets of groups (kafka-go offsetfetch.go, offsetcommit.go,
 * offsetdelete.go): the coordinator is searched for each time, as kafka-go does.
 */
#include "sim/api/client_offsets.h"

static ks_route coordinator_of(const char *group) { return (ks_route){ .to = KS_ROUTE_GROUP, .group = ks_str(group) }; }

/* ---- partitions by topic ---- */

/* Which of the topics seen so far this one is; a new one when it is none of them. Cost: the topics. */
typedef struct topic_index {
    const char **names;
    int32_t *sizes; /* partitions of each */
    int32_t *of;    /* of each item: its topic */
    int32_t count;
} topic_index;

static void index_topic(topic_index *index, size_t item, const char *topic) {
    int32_t at = index->count - 1; /* mostly the one before */
    while (at >= 0 && strcmp(index->names[at], topic) != 0) at--;
    if (at < 0) {
        at = index->count++;
        index->names[at] = topic;
    }
    index->of[item] = at;
    index->sizes[at]++;
}

static topic_index index_new(ks_arena *arena, size_t count) {
    return (topic_index){ ks_arena_alloc(arena, count * sizeof(char *)), ks_arena_alloc(arena, count * sizeof(int32_t)),
                          ks_arena_alloc(arena, count * sizeof(int32_t)), 0 };
}

static topic_index index_partitions(ks_arena *arena, const kafka_topic_partition *partitions, size_t count) {
    topic_index index = index_new(arena, count);
    for (size_t i = 0; i < count; i++) index_topic(&index, i, partitions[i].topic);
    return index;
}

bool ks_partitions_are_named(const kafka_topic_partition *partitions, size_t count) {
    if (partitions == NULL) return count == 0;
    for (size_t i = 0; i < count; i++)
        if (partitions[i].topic == NULL) return false;
    return true;
}

/* ---- results with offsets ---- */

typedef struct offsets_result {
    kafka_group_offsets *told;
    ks_arena *arena;
    kafka_group_offset *items;
} offsets_result;

static offsets_result offsets_begin(size_t limit, int16_t error) {
    offsets_result result;
    result.told = ks_result_new(sizeof *result.told, &result.arena);
    result.told->error = (kafka_error)error;
    result.items = ks_arena_alloc(result.arena, limit * sizeof *result.items);
    result.told->items = result.items;
    return result;
}

static void offsets_add(offsets_result *result, ks_string topic, int32_t partition, int64_t offset, ks_string metadata,
                        int16_t error) {
    result->items[result->told->count++] =
        (kafka_group_offset){ ks_result_text(result->arena, topic), partition, offset,
                              ks_result_text(result->arena, metadata), (kafka_error)error };
}

kafka_error ks_offsets_hand_over(ks_client_call *call, kafka_group_offsets *told, const char *group,
                                 kafka_group_offsets **out) {
    kafka_error error = ks_client_code(call, (int16_t)told->error, group, KS_NULL_STRING);
    for (size_t i = 0; error == KAFKA_OK && i < told->count; i++)
        error = ks_client_partition_code(call, told->items[i].error, told->items[i].topic, told->items[i].partition);
    return KS_HAND_OVER(told, out, error);
}

KS_RESULT_FREE(kafka_group_offsets_free, kafka_group_offsets)

/* ---- OffsetFetch ---- */

/* Two shapes of the same: topics at the top until version 7, inside a group from 8 on. */
#define FILL_TOPICS(ask, list, index, partitions, total)                                                               \
    do {                                                                                                               \
        KS_FILL(ask, list, (index).count);                                                                             \
        for (int32_t t_ = 0; t_ < (index).count; t_++) {                                                               \
            (list).items[t_].name = ks_ask_string(ask, (index).names[t_]);                                             \
            KS_FILL(ask, (list).items[t_].partition_indexes, (index).sizes[t_]);                                       \
            (list).items[t_].partition_indexes.count = 0;                                                              \
        }                                                                                                              \
        for (size_t p_ = 0; p_ < (total); p_++)                                                                        \
            (list).items[(index).of[p_]].partition_indexes.items[(list).items[(index).of[p_]].partition_indexes.count++] = \
                (partitions)[p_].partition;                                                                            \
    } while (0)

void ks_fill_offset_fetch(ks_client_call *call, ks_ask *ask, const char *group, const kafka_topic_partition *partitions,
                          size_t count) {
    ks_offset_fetch_request *request = ask->request->body;
    topic_index index = index_partitions(call->arena, partitions, count);
    if (ask->request->api_version < 8) {
        request->group_id = ks_ask_string(ask, group);
        request->topics.count = -1; /* all of the group */
        if (count > 0) FILL_TOPICS(ask, request->topics, index, partitions, count);
        return;
    }
    KS_FILL(ask, request->groups, 1);
    ks_offset_fetch_request_group *one = request->groups.items;
    one->group_id = ks_ask_string(ask, group);
    one->member_id = KS_NULL_STRING;
    one->member_epoch = -1;
    one->topics.count = -1;
    if (count > 0) FILL_TOPICS(ask, one->topics, index, partitions, count);
}

static const ks_offset_fetch_response_group *group_of(const ks_envelope *answer) {
    const ks_offset_fetch_response *response = answer->body;
    return answer->api_version >= 8 && response->groups.count > 0 ? response->groups.items : NULL;
}

int16_t ks_offset_fetch_code(const ks_envelope *answer) {
    const ks_offset_fetch_response_group *group = group_of(answer);
    return group != NULL ? group->error_code : ((const ks_offset_fetch_response *)answer->body)->error_code;
}

#define TELL_TOPICS(result, list)                                                                                      \
    do {                                                                                                               \
        for (int32_t t_ = 0; t_ < (list).count; t_++)                                                                  \
            for (int32_t p_ = 0; p_ < (list).items[t_].partitions.count; p_++)                                         \
                offsets_add(result, (list).items[t_].name, (list).items[t_].partitions.items[p_].partition_index,      \
                            (list).items[t_].partitions.items[p_].committed_offset,                                    \
                            (list).items[t_].partitions.items[p_].metadata,                                            \
                            (list).items[t_].partitions.items[p_].error_code);                                         \
    } while (0)

kafka_group_offsets *ks_tell_offset_fetch(const ks_envelope *answer) {
    const ks_offset_fetch_response *response = answer->body;
    const ks_offset_fetch_response_group *group = group_of(answer);
    size_t total = 0;
    int32_t topics = group != NULL ? group->topics.count : response->topics.count;
    for (int32_t t = 0; t < topics; t++)
        total += (size_t)(group != NULL ? group->topics.items[t].partitions.count
                                        : response->topics.items[t].partitions.count);
    offsets_result result = offsets_begin(total, ks_offset_fetch_code(answer));
    if (group != NULL)
        TELL_TOPICS(&result, group->topics);
    else
        TELL_TOPICS(&result, response->topics);
    return result.told;
}

kafka_error kafka_client_offset_fetch(kafka_client *client, kafka_context *context, const char *group,
                                      const kafka_topic_partition *partitions, size_t count,
                                      kafka_group_offsets **offsets) {
    kafka_error error;
    ks_client_call *call = ks_client_begin_with(client, context, "kafka_client_offset_fetch",
                                                group != NULL && ks_partitions_are_named(partitions, count),
                                                "group, partitions, or a topic is NULL", &error);
    if (call == NULL) return error;
    ks_ask *ask = ks_client_ask(call, KS_API_offset_fetch, coordinator_of(group));
    ks_fill_offset_fetch(call, ask, group, partitions, count);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    return ks_client_end(call, ks_offsets_hand_over(call, ks_tell_offset_fetch(ask->response), group, offsets));
}

/* ---- OffsetCommit ---- */

const char *ks_offsets_problem(const kafka_group_offset *offsets, size_t count) {
    if (offsets == NULL && count > 0) return "offsets is NULL";
    for (size_t i = 0; i < count; i++)
        if (offsets[i].topic == NULL) return "a topic is NULL";
    return NULL;
}

static const char *commit_problem(const kafka_commit_request *request) {
    if (request == NULL) return "request is NULL";
    if (request->group == NULL) return "group is NULL";
    return ks_offsets_problem(request->offsets, request->count);
}

void ks_fill_offset_commit(ks_client_call *call, ks_ask *ask, const kafka_commit_request *from) {
    ks_offset_commit_request *request = ask->request->body;
    request->group_id = ks_ask_string(ask, from->group);
    request->generation_id_or_member_epoch = from->generation;
    request->member_id = ks_ask_string(ask, from->member != NULL ? from->member : "");
    request->group_instance_id = ks_ask_string(ask, from->group_instance);
    topic_index index = index_new(call->arena, from->count);
    for (size_t i = 0; i < from->count; i++) index_topic(&index, i, from->offsets[i].topic);
    KS_FILL(ask, request->topics, index.count);
    for (int32_t i = 0; i < index.count; i++) {
        request->topics.items[i].name = ks_ask_string(ask, index.names[i]);
        KS_FILL(ask, request->topics.items[i].partitions, index.sizes[i]);
        request->topics.items[i].partitions.count = 0;
    }
    for (size_t i = 0; i < from->count; i++) {
        ks_offset_commit_request_topic *topic = &request->topics.items[index.of[i]];
        topic->partitions.items[topic->partitions.count++] = (ks_offset_commit_request_partition){
            .partition_index = from->offsets[i].partition,
            .committed_offset = from->offsets[i].offset,
            .committed_leader_epoch = -1,
            .committed_metadata = ks_ask_string(ask, from->offsets[i].metadata != NULL ? from->offsets[i].metadata : "")
        };
    }
}

kafka_group_offsets *ks_tell_offset_commit(const ks_offset_commit_response *response) {
    size_t total = 0;
    for (int32_t i = 0; i < response->topics.count; i++) total += (size_t)response->topics.items[i].partitions.count;
    offsets_result result = offsets_begin(total, 0);
    for (int32_t i = 0; i < response->topics.count; i++) {
        const ks_offset_commit_response_topic *topic = &response->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++)
            offsets_add(&result, topic->name, topic->partitions.items[j].partition_index, -1, KS_NULL_STRING,
                        topic->partitions.items[j].error_code);
    }
    return result.told;
}

kafka_error kafka_client_offset_commit(kafka_client *client, kafka_context *context,
                                       const kafka_commit_request *request, kafka_group_offsets **results) {
    kafka_error error;
    const char *problem = commit_problem(request);
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_offset_commit", problem == NULL, problem, &error);
    if (call == NULL) return error;
    ks_ask *ask = ks_client_ask(call, KS_API_offset_commit, coordinator_of(request->group));
    ks_fill_offset_commit(call, ask, request);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    kafka_group_offsets *told = ks_tell_offset_commit(ask->response->body);
    return ks_client_end(call, ks_offsets_hand_over(call, told, request->group, results));
}

/* ---- OffsetDelete ---- */

void ks_fill_offset_delete(ks_client_call *call, ks_ask *ask, const char *group,
                           const kafka_topic_partition *partitions, size_t count) {
    ks_offset_delete_request *request = ask->request->body;
    request->group_id = ks_ask_string(ask, group);
    topic_index index = index_partitions(call->arena, partitions, count);
    KS_FILL(ask, request->topics, index.count);
    for (int32_t i = 0; i < index.count; i++) {
        request->topics.items[i].name = ks_ask_string(ask, index.names[i]);
        KS_FILL(ask, request->topics.items[i].partitions, index.sizes[i]);
        request->topics.items[i].partitions.count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        ks_offset_delete_request_topic *topic = &request->topics.items[index.of[i]];
        topic->partitions.items[topic->partitions.count++].partition_index = partitions[i].partition;
    }
}

kafka_group_offsets *ks_tell_offset_delete(const ks_offset_delete_response *response) {
    size_t total = 0;
    for (int32_t i = 0; i < response->topics.count; i++) total += (size_t)response->topics.items[i].partitions.count;
    offsets_result result = offsets_begin(total, response->error_code);
    for (int32_t i = 0; i < response->topics.count; i++) {
        const ks_offset_delete_response_topic *topic = &response->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++)
            offsets_add(&result, topic->name, topic->partitions.items[j].partition_index, -1, KS_NULL_STRING,
                        topic->partitions.items[j].error_code);
    }
    return result.told;
}

kafka_error kafka_client_offset_delete(kafka_client *client, kafka_context *context, const char *group,
                                       const kafka_topic_partition *partitions, size_t count,
                                       kafka_group_offsets **results) {
    kafka_error error;
    ks_client_call *call = ks_client_begin_with(client, context, "kafka_client_offset_delete",
                                                group != NULL && ks_partitions_are_named(partitions, count),
                                                "group, partitions, or a topic is NULL", &error);
    if (call == NULL) return error;
    ks_ask *ask = ks_client_ask(call, KS_API_offset_delete, coordinator_of(group));
    ks_fill_offset_delete(call, ask, group, partitions, count);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    kafka_group_offsets *told = ks_tell_offset_delete(ask->response->body);
    return ks_client_end(call, ks_offsets_hand_over(call, told, group, results));
}
