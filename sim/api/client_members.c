/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_client's raw calls of group membership (kafka-go joingroup.go, syncgroup.go, heartbeat.go, leavegroup.go): the
 * building blocks under kafka_reader, for programs that want to be a member by hand.
 */
#include "sim/api/client_call.h"

static ks_bytes bytes_in(ks_ask *ask, kafka_bytes bytes) {
    return ks_arena_bytes(ask->request->arena, (ks_bytes){ bytes.data, (int32_t)bytes.size });
}

static int32_t milliseconds(kafka_duration duration) {
    int64_t ms = duration / KS_MS;
    return ms > INT32_MAX ? INT32_MAX : ms < INT32_MIN ? INT32_MIN : (int32_t)ms;
}

static bool bytes_are_there(const kafka_named_bytes *items, size_t count) {
    for (size_t i = 0; items != NULL && i < count; i++)
        if (items[i].name == NULL || items[i].bytes.size > INT32_MAX ||
            (items[i].bytes.data == NULL && items[i].bytes.size > 0))
            return false;
    return items != NULL || count == 0;
}

/* ---- JoinGroup ---- */

static void fill_join(ks_ask *ask, const kafka_join_group_request *from) {
    ks_join_group_request *request = ask->request->body;
    request->group_id = ks_ask_string(ask, from->group);
    request->session_timeout_ms = milliseconds(from->session_timeout);
    request->rebalance_timeout_ms = milliseconds(from->rebalance_timeout);
    request->member_id = ks_ask_string(ask, from->member != NULL ? from->member : "");
    request->group_instance_id = ks_ask_string(ask, from->group_instance);
    request->protocol_type = ks_ask_string(ask, from->protocol_type != NULL ? from->protocol_type : "consumer");
    KS_FILL(ask, request->protocols, from->protocol_count);
    for (size_t i = 0; i < from->protocol_count; i++) {
        request->protocols.items[i].name = ks_ask_string(ask, from->protocols[i].name);
        request->protocols.items[i].metadata = bytes_in(ask, from->protocols[i].bytes);
    }
}

kafka_error kafka_client_join_group(kafka_client *client, kafka_context *context,
                                    const kafka_join_group_request *request, kafka_joined_group **joined) {
    kafka_error error;
    bool right =
        request != NULL && request->group != NULL && bytes_are_there(request->protocols, request->protocol_count);
    ks_client_call *call = ks_client_begin_with(client, context, "kafka_client_join_group", right,
                                                "request, its group, or a protocol is NULL", &error);
    if (call == NULL) return error;
    ks_ask *ask =
        ks_client_ask(call, KS_API_join_group, (ks_route){ .to = KS_ROUTE_GROUP, .group = ks_str(request->group) });
    fill_join(ask, request);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    const ks_join_group_response *response = ask->response->body;
    error = ks_client_code(call, response->error_code, request->group, KS_NULL_STRING);
    ks_arena *arena;
    kafka_joined_group *told = ks_result_new(sizeof *told, &arena);
    kafka_named_bytes *members = ks_arena_alloc(arena, (size_t)response->members.count * sizeof *members);
    for (int32_t i = 0; i < response->members.count; i++)
        members[i] = (kafka_named_bytes){ ks_result_text(arena, response->members.items[i].member_id),
                                          ks_result_bytes(arena, response->members.items[i].metadata) };
    *told = (kafka_joined_group){ .error = (kafka_error)response->error_code,
                                  .generation = response->generation_id,
                                  .protocol = ks_result_text(arena, response->protocol_name),
                                  .leader = ks_result_text(arena, response->leader),
                                  .member = ks_result_text(arena, response->member_id),
                                  .members = members,
                                  .member_count = (size_t)response->members.count };
    return ks_client_end(call, KS_HAND_OVER(told, joined, error));
}

KS_RESULT_FREE(kafka_joined_group_free, kafka_joined_group)

/* ---- what a member of a generation says ---- */

static ks_client_call *begin_as(kafka_client *client, kafka_context *context, const char *name,
                                const kafka_member_identity *member, bool others, kafka_error *error) {
    bool right = others && member != NULL && member->group != NULL && member->member != NULL;
    return ks_client_begin_with(client, context, name, right, "member, its group or id, or an assignment is NULL",
                                error);
}

static ks_ask *ask_coordinator(ks_client_call *call, int16_t api_key, const kafka_member_identity *member) {
    return ks_client_ask(call, api_key, (ks_route){ .to = KS_ROUTE_GROUP, .group = ks_str(member->group) });
}

static void fill_sync(ks_ask *ask, const kafka_sync_group_request *from) {
    ks_sync_group_request *request = ask->request->body;
    request->group_id = ks_ask_string(ask, from->member.group);
    request->generation_id = from->member.generation;
    request->member_id = ks_ask_string(ask, from->member.member);
    request->group_instance_id = ks_ask_string(ask, from->member.group_instance);
    request->protocol_type = ks_ask_string(ask, from->protocol_type != NULL ? from->protocol_type : "consumer");
    request->protocol_name = ks_ask_string(ask, from->protocol);
    KS_FILL(ask, request->assignments, from->assignment_count);
    for (size_t i = 0; i < from->assignment_count; i++) {
        request->assignments.items[i].member_id = ks_ask_string(ask, from->assignments[i].name);
        request->assignments.items[i].assignment = bytes_in(ask, from->assignments[i].bytes);
    }
}

kafka_error kafka_client_sync_group(kafka_client *client, kafka_context *context,
                                    const kafka_sync_group_request *request, kafka_synced_group **synced) {
    kafka_error error;
    const kafka_member_identity *member = request != NULL ? &request->member : NULL;
    bool right = request != NULL && bytes_are_there(request->assignments, request->assignment_count);
    ks_client_call *call = begin_as(client, context, "kafka_client_sync_group", member, right, &error);
    if (call == NULL) return error;
    ks_ask *ask = ask_coordinator(call, KS_API_sync_group, member);
    fill_sync(ask, request);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    const ks_sync_group_response *response = ask->response->body;
    error = ks_client_code(call, response->error_code, member->group, KS_NULL_STRING);
    ks_arena *arena;
    kafka_synced_group *told = ks_result_new(sizeof *told, &arena);
    told->error = (kafka_error)response->error_code;
    told->assignment = ks_result_bytes(arena, response->assignment);
    return ks_client_end(call, KS_HAND_OVER(told, synced, error));
}

KS_RESULT_FREE(kafka_synced_group_free, kafka_synced_group)

kafka_error kafka_client_heartbeat(kafka_client *client, kafka_context *context, const kafka_member_identity *member) {
    kafka_error error;
    ks_client_call *call = begin_as(client, context, "kafka_client_heartbeat", member, true, &error);
    if (call == NULL) return error;
    ks_ask *ask = ask_coordinator(call, KS_API_heartbeat, member);
    ks_heartbeat_request *request = ask->request->body;
    request->group_id = ks_ask_string(ask, member->group);
    request->generation_id = member->generation;
    request->member_id = ks_ask_string(ask, member->member);
    request->group_instance_id = ks_ask_string(ask, member->group_instance);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    const ks_heartbeat_response *response = ask->response->body;
    return ks_client_end(call, ks_client_code(call, response->error_code, member->group, KS_NULL_STRING));
}

kafka_error kafka_client_leave_group(kafka_client *client, kafka_context *context,
                                     const kafka_member_identity *member) {
    kafka_error error;
    ks_client_call *call = begin_as(client, context, "kafka_client_leave_group", member, true, &error);
    if (call == NULL) return error;
    ks_ask *ask = ask_coordinator(call, KS_API_leave_group, member);
    ks_leave_group_request *request = ask->request->body;
    request->group_id = ks_ask_string(ask, member->group);
    KS_FILL(ask, request->members, 1);
    request->members.items[0].member_id = ks_ask_string(ask, member->member);
    request->members.items[0].group_instance_id = ks_ask_string(ask, member->group_instance);
    request->members.items[0].reason = KS_NULL_STRING;
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    const ks_leave_group_response *response = ask->response->body;
    int16_t code = response->error_code;
    if (code == 0 && response->members.count > 0) code = response->members.items[0].error_code;
    return ks_client_end(call, ks_client_code(call, code, member->group, KS_NULL_STRING));
}
