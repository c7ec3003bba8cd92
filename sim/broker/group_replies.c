/* SPDX-License-Identifier: Apache-2.0
 *
 * Replies of the machine as Kafka's responses, version by version. */
#include "sim/broker/group_shell.h"

static ks_string text(ks_string string, ks_arena *arena) {
    return string.size <= 0 ? KS_LITERAL("") : ks_arena_string(arena, string);
}

static ks_bytes bytes(ks_bytes given, ks_arena *arena) {
    return given.size <= 0 ? (ks_bytes){ (const uint8_t *)"", 0 } : ks_arena_bytes(arena, given);
}

static void fill_members(ks_join_group_response *body, ks_group *group, ks_arena *arena) {
    ks_group_member *const *members = ks_group_members_sorted(group);
    body->members.count = group->member_count;
    body->members.items = ks_arena_alloc(arena, sizeof *body->members.items * (size_t)(group->member_count + 1));
    for (int32_t i = 0; i < group->member_count; i++) {
        ks_join_group_response_member *item = &body->members.items[i];
        item->member_id = text(members[i]->id, arena);
        item->group_instance_id = ks_arena_string(arena, members[i]->instance_id);
        item->metadata = bytes(ks_group_member_metadata(members[i]), arena);
    }
}

static void fill_join(ks_join_group_response *body, const ks_group_reply *reply, ks_group *group, int16_t version,
                      ks_arena *arena) {
    body->error_code = (int16_t)reply->error;
    body->generation_id = reply->generation;
    body->protocol_type = ks_arena_string(arena, reply->protocol_type);
    body->protocol_name =
        version < 7 ? text(reply->protocol_name, arena) : ks_arena_string(arena, reply->protocol_name);
    body->leader = text(reply->leader, arena);
    body->skip_assignment = reply->skip_assignment;
    body->member_id = text(reply->member_id, arena);
    if (reply->with_members) fill_members(body, group, arena);
}

static void fill_sync(ks_sync_group_response *body, const ks_group_reply *reply, ks_arena *arena) {
    body->error_code = (int16_t)reply->error;
    body->protocol_type = ks_arena_string(arena, reply->protocol_type);
    body->protocol_name = ks_arena_string(arena, reply->protocol_name);
    body->assignment = bytes(reply->assignment, arena);
}

/* Before v3 there is one member and no list: its error is the error. */
static void fill_leave(ks_leave_group_response *body, const ks_group_reply *reply, int16_t version, ks_arena *arena) {
    body->error_code = (int16_t)reply->error;
    if (version < 3) {
        if (reply->error == KAFKA_OK && reply->left_count > 0) body->error_code = (int16_t)reply->left[0].error;
        return;
    }
    body->members.count = reply->left_count;
    body->members.items = ks_arena_alloc(arena, sizeof *body->members.items * (size_t)(reply->left_count + 1));
    for (int32_t i = 0; i < reply->left_count; i++) {
        ks_leave_group_response_member_response *item = &body->members.items[i];
        item->member_id = text(reply->left[i].member_id, arena);
        item->group_instance_id = ks_arena_string(arena, reply->left[i].instance_id);
        item->error_code = (int16_t)reply->left[i].error;
    }
}

/* In a group that is not there nobody is a member: from v3 on each is told so (GroupCoordinatorService.leaveGroup). */
static void fill_leave_missing(ks_leave_group_response *body, const ks_leave_group_request *leave, ks_arena *arena) {
    body->error_code = 0;
    body->members.count = leave->members.count > 0 ? leave->members.count : 0;
    body->members.items = ks_arena_alloc(arena, sizeof *body->members.items * (size_t)(body->members.count + 1));
    for (int32_t i = 0; i < body->members.count; i++)
        body->members.items[i] = (ks_leave_group_response_member_response){
            text(leave->members.items[i].member_id, arena),
            ks_arena_string(arena, leave->members.items[i].group_instance_id), KAFKA_ERR_UNKNOWN_MEMBER_ID
        };
}

static void fill_consumer(ks_consumer_group_heartbeat_response *body, const ks_group_reply *reply,
                          const ks_group *group, ks_arena *arena) {
    body->error_code = (int16_t)reply->error;
    body->error_message = ks_arena_string(arena, reply->message);
    if (reply->error != KAFKA_OK) return;
    body->member_id = ks_arena_string(arena, reply->member_id);
    body->member_epoch = reply->generation;
    if (reply->generation >= 0) body->heartbeat_interval_ms = group->groups->settings.consumer_heartbeat_interval_ms; /* goodbyes have none */
    if (reply->partitions == NULL) return;
    body->assignment = ks_arena_alloc(arena, sizeof *body->assignment);
    ks_struct_copy(ks_describe_consumer_group_heartbeat_response_assignment(), body->assignment, reply->partitions,
                   arena, false);
}

ks_envelope *ks_group_make_reply(const ks_effect *effect) {
    const ks_group_reply *reply = &effect->reply;
    ks_request *request = reply->request;
    ks_envelope *response = ks_response_new(request);
    int16_t version = response->api_version;
    switch (reply->api_key) {
    case KS_API_join_group: fill_join(response->body, reply, effect->group, version, response->arena); break;
    case KS_API_sync_group: fill_sync(response->body, reply, response->arena); break;
    case KS_API_heartbeat: ((ks_heartbeat_response *)response->body)->error_code = (int16_t)reply->error; break;
    case KS_API_leave_group:
        if (reply->error == KAFKA_ERR_UNKNOWN_MEMBER_ID && version >= 3)
            fill_leave_missing(response->body, request->envelope->body, response->arena);
        else
            fill_leave(response->body, reply, version, response->arena);
        break;
    case KS_API_consumer_group_heartbeat: fill_consumer(response->body, reply, effect->group, response->arena); break;
    default: ks_unreachable("reply of another API");
    }
    return response;
}
