/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_client's calls about consumer groups: lists, descriptions, coordinators (kafka-go listgroups.go,
 * describegroups.go, deletegroups.go, findcoordinator.go). The coordinator is searched for each time, as kafka-go does.
 */
#include "sim/api/client_group.h"
#include "sim/protocol/consumer_protocol.h"

static ks_route coordinator_of(const char *group) { return (ks_route){ .to = KS_ROUTE_GROUP, .group = ks_str(group) }; }

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
                                      ks_result_text(arena, response->groups.items[i].protocol_type), "", "" };
    }
    told->items = items;
    told->count = total;
    kafka_error error = ks_client_code(call, (int16_t)told->error, "a broker", KS_NULL_STRING);
    return KS_HAND_OVER(told, out, error);
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
    kafka_described_member to = { .epoch = -1,
                                  .member = ks_result_text(arena, from->member_id),
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

kafka_described_group ks_described_group(ks_arena *arena, const char *group) {
    return (kafka_described_group){ .group = ks_result_text(arena, ks_str(group)),
                                    .state = "",
                                    .protocol_type = "",
                                    .protocol = "",
                                    .type = "",
                                    .coordinator = -1,
                                    .group_epoch = -1,
                                    .assignment_epoch = -1 };
}

void ks_tell_described_group(ks_arena *arena, const ks_describe_groups_response_described_group *from,
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

bool ks_names_are_there(const char *const *names, size_t count) {
    for (size_t i = 0; names != NULL && i < count; i++)
        if (names[i] == NULL) return false;
    return names != NULL;
}

kafka_error ks_described_hand_over(ks_client_call *call, kafka_described_groups *told, kafka_described_groups **out) {
    kafka_error error = KAFKA_OK;
    for (size_t i = 0; error == KAFKA_OK && i < told->count; i++)
        error = ks_client_code(call, (int16_t)told->items[i].error, told->items[i].group, KS_NULL_STRING);
    return KS_HAND_OVER(told, out, error);
}

kafka_error kafka_client_describe_groups(kafka_client *client, kafka_context *context, const char *const *groups,
                                         size_t count, kafka_described_groups **described) {
    kafka_error error;
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_describe_groups", ks_names_are_there(groups, count),
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
        items[i] = ks_described_group(arena, groups[i]);
        items[i].error = ask->error;
        if (response != NULL && response->groups.count > 0)
            ks_tell_described_group(arena, &response->groups.items[0], &items[i]);
    }
    told->items = items;
    told->count = count;
    return ks_client_end(call, ks_described_hand_over(call, told, described));
}

KS_RESULT_FREE(kafka_described_groups_free, kafka_described_groups)

/* ---- DeleteGroups, FindCoordinator ---- */

kafka_error kafka_client_delete_groups(kafka_client *client, kafka_context *context, const char *const *groups,
                                       size_t count, kafka_named_errors **results) {
    kafka_error error;
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_delete_groups", count > 0 && ks_names_are_there(groups, count),
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
    error = ks_client_code(call, response->error_code, key, response->error_message);
    ks_arena *arena;
    kafka_coordinator *told = ks_result_new(sizeof *told, &arena);
    told->error = (kafka_error)response->error_code;
    told->broker = (kafka_broker){ response->node_id, ks_result_text(arena, response->host), response->port, NULL };
    return ks_client_end(call, KS_HAND_OVER(told, coordinator, error));
}

KS_RESULT_FREE(kafka_coordinator_free, kafka_coordinator)
