/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_client's calls about consumer groups: committed offsets, lists, descriptions (kafka-go offsetfetch.go,
 * offsetcommit.go, offsetdelete.go, listgroups.go, describegroups.go, deletegroups.go, findcoordinator.go). The
 * coordinator is searched for each time, as kafka-go does.
 */
#include "sim/api/client_call.h"
#include "sim/protocol/consumer_protocol.h"

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

static bool partitions_are_named(const kafka_topic_partition *partitions, size_t count) {
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

static kafka_error offsets_tell(ks_client_call *call, offsets_result *result, const char *group,
                                kafka_group_offsets **out) {
    if (out != NULL) {
        *out = result->told;
        return KAFKA_OK;
    }
    kafka_error error = ks_client_code(call, (int16_t)result->told->error, group, KS_NULL_STRING);
    for (size_t i = 0; error == KAFKA_OK && i < result->told->count; i++)
        error = ks_client_code(call, (int16_t)result->items[i].error, result->items[i].topic, KS_NULL_STRING);
    ks_result_free(result->told);
    return error;
}

KS_RESULT_FREE(kafka_group_offsets_free, kafka_group_offsets)

/* ---- OffsetFetch ---- */

static void fill_offset_fetch(ks_client_call *call, ks_ask *ask, const kafka_topic_partition *partitions,
                              size_t count) {
    ks_offset_fetch_request *request = ask->request->body;
    request->topics.count = -1; /* all of the group */
    if (count == 0) return;
    topic_index index = index_partitions(call->arena, partitions, count);
    KS_FILL(ask, request->topics, index.count);
    for (int32_t i = 0; i < index.count; i++) {
        request->topics.items[i].name = ks_ask_string(ask, index.names[i]);
        KS_FILL(ask, request->topics.items[i].partition_indexes, index.sizes[i]);
        request->topics.items[i].partition_indexes.count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        ks_offset_fetch_request_topic *topic = &request->topics.items[index.of[i]];
        topic->partition_indexes.items[topic->partition_indexes.count++] = partitions[i].partition;
    }
}

kafka_error kafka_client_offset_fetch(kafka_client *client, kafka_context *context, const char *group,
                                      const kafka_topic_partition *partitions, size_t count,
                                      kafka_group_offsets **offsets) {
    kafka_error error;
    ks_client_call *call = ks_client_begin_with(client, context, "kafka_client_offset_fetch",
                                                group != NULL && partitions_are_named(partitions, count),
                                                "group, partitions, or a topic is NULL", &error);
    if (call == NULL) return error;
    ks_ask *ask = ks_client_ask(call, KS_API_offset_fetch, coordinator_of(group));
    ((ks_offset_fetch_request *)ask->request->body)->group_id = ks_ask_string(ask, group);
    fill_offset_fetch(call, ask, partitions, count);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    const ks_offset_fetch_response *response = ask->response->body;
    size_t total = 0;
    for (int32_t i = 0; i < response->topics.count; i++) total += (size_t)response->topics.items[i].partitions.count;
    offsets_result result = offsets_begin(total, response->error_code);
    for (int32_t i = 0; i < response->topics.count; i++) {
        const ks_offset_fetch_response_topic *topic = &response->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const ks_offset_fetch_response_partition *from = &topic->partitions.items[j];
            offsets_add(&result, topic->name, from->partition_index, from->committed_offset, from->metadata,
                        from->error_code);
        }
    }
    return ks_client_end(call, offsets_tell(call, &result, group, offsets));
}

/* ---- OffsetCommit ---- */

static const char *commit_problem(const kafka_commit_request *request) {
    if (request == NULL) return "request is NULL";
    if (request->group == NULL) return "group is NULL";
    if (request->offsets == NULL && request->count > 0) return "offsets is NULL";
    for (size_t i = 0; i < request->count; i++)
        if (request->offsets[i].topic == NULL) return "a topic is NULL";
    return NULL;
}

static void fill_commit(ks_client_call *call, ks_ask *ask, const kafka_commit_request *from) {
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

kafka_error kafka_client_offset_commit(kafka_client *client, kafka_context *context,
                                       const kafka_commit_request *request, kafka_group_offsets **results) {
    kafka_error error;
    const char *problem = commit_problem(request);
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_offset_commit", problem == NULL, problem, &error);
    if (call == NULL) return error;
    ks_ask *ask = ks_client_ask(call, KS_API_offset_commit, coordinator_of(request->group));
    fill_commit(call, ask, request);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    const ks_offset_commit_response *response = ask->response->body;
    size_t total = 0;
    for (int32_t i = 0; i < response->topics.count; i++) total += (size_t)response->topics.items[i].partitions.count;
    offsets_result result = offsets_begin(total, 0);
    for (int32_t i = 0; i < response->topics.count; i++) {
        const ks_offset_commit_response_topic *topic = &response->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++)
            offsets_add(&result, topic->name, topic->partitions.items[j].partition_index, -1, KS_NULL_STRING,
                        topic->partitions.items[j].error_code);
    }
    return ks_client_end(call, offsets_tell(call, &result, request->group, results));
}

/* ---- OffsetDelete ---- */

static void fill_delete(ks_client_call *call, ks_ask *ask, const char *group, const kafka_topic_partition *partitions,
                        size_t count) {
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

kafka_error kafka_client_offset_delete(kafka_client *client, kafka_context *context, const char *group,
                                       const kafka_topic_partition *partitions, size_t count,
                                       kafka_group_offsets **results) {
    kafka_error error;
    ks_client_call *call = ks_client_begin_with(client, context, "kafka_client_offset_delete",
                                                group != NULL && partitions_are_named(partitions, count),
                                                "group, partitions, or a topic is NULL", &error);
    if (call == NULL) return error;
    ks_ask *ask = ks_client_ask(call, KS_API_offset_delete, coordinator_of(group));
    fill_delete(call, ask, group, partitions, count);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    const ks_offset_delete_response *response = ask->response->body;
    size_t total = 0;
    for (int32_t i = 0; i < response->topics.count; i++) total += (size_t)response->topics.items[i].partitions.count;
    offsets_result result = offsets_begin(total, response->error_code);
    for (int32_t i = 0; i < response->topics.count; i++) {
        const ks_offset_delete_response_topic *topic = &response->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++)
            offsets_add(&result, topic->name, topic->partitions.items[j].partition_index, -1, KS_NULL_STRING,
                        topic->partitions.items[j].error_code);
    }
    return ks_client_end(call, offsets_tell(call, &result, group, results));
}

/* ---- ListGroups ---- */

static kafka_error tell_groups(ks_client_call *call, kafka_listed_groups **out) {
    size_t total = 0, at = 0;
    for (const ks_ask *ask = call->asks; ask != NULL; ask = ask->next)
        total += (size_t)((const ks_list_groups_response *)ask->response->body)->groups.count;
    ks_arena *arena;
    kafka_listed_groups *told = ks_result_new(sizeof *told, &arena);
    kafka_listed_group *items = ks_arena_alloc(arena, total * sizeof *items);
    for (const ks_ask *ask = call->asks; ask != NULL; ask = ask->next) {
        const ks_list_groups_response *response = ask->response->body;
        if (told->error == KAFKA_OK) told->error = (kafka_error)response->error_code;
        for (int32_t i = 0; i < response->groups.count; i++)
            items[at++] =
                (kafka_listed_group){ ks_result_text(arena, response->groups.items[i].group_id), ask->route.broker,
                                      ks_result_text(arena, response->groups.items[i].protocol_type) };
    }
    told->items = items;
    told->count = total;
    if (out != NULL) {
        *out = told;
        return KAFKA_OK;
    }
    kafka_error error = ks_client_code(call, (int16_t)told->error, "a broker", KS_NULL_STRING);
    ks_result_free(told);
    return error;
}

kafka_error kafka_client_list_groups(kafka_client *client, kafka_context *context, kafka_listed_groups **groups) {
    kafka_error error;
    ks_client_call *call = ks_client_begin(client, context, "kafka_client_list_groups", &error);
    if (call == NULL) return error;
    error = ks_client_wait_layout(call, NULL, -1);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    const ks_metadata_response *layout = ks_transport_layout(client->transport);
    for (int32_t i = 0; i < layout->brokers.count; i++)
        ks_client_ask(call, KS_API_list_groups,
                      (ks_route){ .to = KS_ROUTE_BROKER, .broker = layout->brokers.items[i].node_id });
    error = ks_client_wait(call);
    for (const ks_ask *ask = call->asks; error == KAFKA_OK && ask != NULL; ask = ask->next)
        if (ask->error != KAFKA_OK)
            error = ks_address_fail(client->address, ask->error, "%s: broker %d", call->name, (int)ask->route.broker);
    return ks_client_end(call, error == KAFKA_OK ? tell_groups(call, groups) : error);
}

KS_RESULT_FREE(kafka_listed_groups_free, kafka_listed_groups)

/* ---- DescribeGroups ---- */

static void tell_subscription(ks_arena *arena, ks_bytes bytes, kafka_described_member *to) {
    ks_subscription subscription;
    if (bytes.size <= 0 || !ks_subscription_decode(bytes, arena, &subscription)) return;
    const char **topics = ks_arena_alloc(arena, (size_t)subscription.topic_count * sizeof *topics);
    for (int32_t i = 0; i < subscription.topic_count; i++) topics[i] = ks_result_text(arena, subscription.topics[i]);
    to->topics = topics;
    to->topic_count = (size_t)subscription.topic_count;
}

static void tell_assignment(ks_arena *arena, ks_bytes bytes, kafka_described_member *to) {
    ks_assignment assignment;
    if (bytes.size <= 0 || !ks_assignment_decode(bytes, arena, &assignment)) return;
    kafka_topic_partitions *topics = ks_arena_alloc(arena, (size_t)assignment.topic_count * sizeof *topics);
    for (int32_t i = 0; i < assignment.topic_count; i++)
        topics[i] =
            (kafka_topic_partitions){ ks_result_text(arena, assignment.topics[i].topic),
                                      assignment.topics[i].partitions, (size_t)assignment.topics[i].partition_count };
    to->assignment = topics;
    to->assignment_count = (size_t)assignment.topic_count;
}

static kafka_described_member
tell_member(ks_arena *arena, const ks_describe_groups_response_described_group_member *from, bool consumer) {
    kafka_described_member to = { .member = ks_result_text(arena, from->member_id),
                                  .group_instance = ks_result_text(arena, from->group_instance_id),
                                  .client = ks_result_text(arena, from->client_id),
                                  .host = ks_result_text(arena, from->client_host),
                                  .metadata_bytes = ks_result_bytes(arena, from->member_metadata),
                                  .assignment_bytes = ks_result_bytes(arena, from->member_assignment) };
    if (!consumer) return to;
    /* decode the result's own copies: what is decoded may point into the bytes */
    tell_subscription(arena, (ks_bytes){ to.metadata_bytes.data, (int32_t)to.metadata_bytes.size }, &to);
    tell_assignment(arena, (ks_bytes){ to.assignment_bytes.data, (int32_t)to.assignment_bytes.size }, &to);
    return to;
}

static void tell_group(ks_arena *arena, const ks_describe_groups_response_described_group *from,
                       kafka_described_group *to) {
    kafka_described_member *members = ks_arena_alloc(arena, (size_t)from->members.count * sizeof *members);
    bool consumer = ks_string_equal(from->protocol_type, KS_LITERAL("consumer"));
    for (int32_t i = 0; i < from->members.count; i++)
        members[i] = tell_member(arena, &from->members.items[i], consumer);
    to->error = (kafka_error)from->error_code;
    to->state = ks_result_text(arena, from->group_state);
    to->protocol_type = ks_result_text(arena, from->protocol_type);
    to->protocol = ks_result_text(arena, from->protocol_data);
    to->members = members;
    to->member_count = (size_t)from->members.count;
}

static bool names_are_there(const char *const *names, size_t count) {
    for (size_t i = 0; names != NULL && i < count; i++)
        if (names[i] == NULL) return false;
    return names != NULL;
}

kafka_error kafka_client_describe_groups(kafka_client *client, kafka_context *context, const char *const *groups,
                                         size_t count, kafka_described_groups **described) {
    kafka_error error;
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_describe_groups", names_are_there(groups, count),
                             "groups, or one of them, is NULL", &error);
    if (call == NULL) return error;
    for (size_t i = 0; i < count; i++) {
        ks_ask *ask = ks_client_ask(call, KS_API_describe_groups, coordinator_of(groups[i]));
        ks_describe_groups_request *request = ask->request->body;
        KS_FILL(ask, request->groups, 1);
        request->groups.items[0] = ks_ask_string(ask, groups[i]);
    }
    error = ks_client_wait(call);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    ks_arena *arena;
    kafka_described_groups *told = ks_result_new(sizeof *told, &arena);
    kafka_described_group *items = ks_arena_alloc(arena, count * sizeof *items);
    size_t i = 0;
    for (const ks_ask *ask = call->asks; ask != NULL; ask = ask->next, i++) {
        const ks_describe_groups_response *response = ask->response != NULL ? ask->response->body : NULL;
        items[i] = (kafka_described_group){ .group = ks_result_text(arena, ks_str(groups[i])),
                                            .error = ask->error,
                                            .state = "",
                                            .protocol_type = "",
                                            .protocol = "" };
        if (response != NULL && response->groups.count > 0) tell_group(arena, &response->groups.items[0], &items[i]);
        if (error == KAFKA_OK) error = ks_client_code(call, (int16_t)items[i].error, groups[i], KS_NULL_STRING);
    }
    told->items = items;
    told->count = count;
    if (described != NULL) {
        *described = told;
        error = KAFKA_OK;
    } else {
        ks_result_free(told);
    }
    return ks_client_end(call, error);
}

KS_RESULT_FREE(kafka_described_groups_free, kafka_described_groups)

/* ---- DeleteGroups, FindCoordinator ---- */

kafka_error kafka_client_delete_groups(kafka_client *client, kafka_context *context, const char *const *groups,
                                       size_t count, kafka_named_errors **results) {
    kafka_error error;
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_delete_groups", count > 0 && names_are_there(groups, count),
                             "there are no groups, or one of them is NULL", &error);
    if (call == NULL) return error;
    ks_ask *ask = ks_client_ask(call, KS_API_delete_groups, coordinator_of(groups[0]));
    ks_delete_groups_request *request = ask->request->body;
    KS_FILL(ask, request->groups_names, count);
    for (size_t i = 0; i < count; i++) request->groups_names.items[i] = ks_ask_string(ask, groups[i]);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    const ks_delete_groups_response *response = ask->response->body;
    ks_named_code *codes = ks_arena_alloc(call->arena, (size_t)response->results.count * sizeof *codes);
    for (int32_t i = 0; i < response->results.count; i++)
        codes[i] = (ks_named_code){ response->results.items[i].group_id, KS_NULL_STRING,
                                    response->results.items[i].error_code };
    return ks_client_end(call, ks_client_tell_names(call, codes, response->results.count, results));
}

kafka_error kafka_client_find_coordinator(kafka_client *client, kafka_context *context, kafka_coordinator_type type,
                                          const char *key, kafka_coordinator **coordinator) {
    kafka_error error;
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_find_coordinator", key != NULL, "key is NULL", &error);
    if (call == NULL) return error;
    ks_ask *ask = ks_client_ask(call, KS_API_find_coordinator, (ks_route){ .to = KS_ROUTE_ANY });
    ks_find_coordinator_request *request = ask->request->body;
    request->key = ks_ask_string(ask, key);
    request->key_type = (int8_t)type;
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    const ks_find_coordinator_response *response = ask->response->body;
    if (coordinator == NULL)
        return ks_client_end(call, ks_client_code(call, response->error_code, key, response->error_message));
    ks_arena *arena;
    kafka_coordinator *told = ks_result_new(sizeof *told, &arena);
    told->error = (kafka_error)response->error_code;
    told->broker = (kafka_broker){ response->node_id, ks_result_text(arena, response->host), response->port, NULL };
    *coordinator = told;
    return ks_client_end(call, KAFKA_OK);
}

KS_RESULT_FREE(kafka_coordinator_free, kafka_coordinator)
