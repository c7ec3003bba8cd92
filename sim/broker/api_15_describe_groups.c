/* SPDX-License-Identifier: Apache-2.0
 *
 * DescribeGroups (API key 15): classic groups. What is not there is "Dead" without an error until v5, with
 * GROUP_ID_NOT_FOUND from v6 on (KIP-1043). Subscriptions and assignments are only told of a Stable group. */
#include "sim/broker/group_coordinator.h"

enum {
    ALL_GROUP_OPERATIONS = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11
}; /* read, delete, describe, describe and alter configs */

static void describe_members(ks_group *group, ks_describe_groups_response_described_group *out, ks_arena *arena) {
    ks_group_member *const *members = ks_group_members_sorted(group);
    bool stable = group->state == KS_GROUP_STABLE;
    out->members.count = group->member_count;
    out->members.items = ks_arena_alloc(arena, sizeof *out->members.items * (size_t)(group->member_count + 1));
    for (int32_t i = 0; i < group->member_count; i++) {
        ks_describe_groups_response_described_group_member *item = &out->members.items[i];
        ks_bytes nothing = { (const uint8_t *)"", 0 }, metadata = ks_group_member_metadata(members[i]);
        item->member_id = ks_arena_string(arena, members[i]->id);
        item->group_instance_id = ks_arena_string(arena, members[i]->instance_id);
        item->client_id = ks_arena_string(arena, members[i]->client_id);
        item->client_host = ks_arena_string(arena, members[i]->client_host);
        item->member_metadata = stable && metadata.size > 0 ? ks_arena_bytes(arena, metadata) : nothing;
        ks_bytes assignment = ks_group_assignment_of(members[i]); /* also the former one, while a rebalance is prepared */
        item->member_assignment = assignment.size > 0 ? ks_arena_bytes(arena, assignment) : nothing;
    }
}

static void not_there(ks_describe_groups_response_described_group *out, const ks_group *other, int16_t version,
                      ks_arena *arena) {
    out->group_state = KS_LITERAL("Dead");
    if (version < 6) return;
    out->error_code = KAFKA_ERR_GROUP_ID_NOT_FOUND;
    out->error_message =
        ks_arena_printf(arena, other != NULL ? "Group %.*s is not a classic group." : "Group %.*s not found.",
                        (int)out->group_id.size, out->group_id.data);
}

static void describe(ks_broker *broker, ks_string id, bool operations, ks_describe_groups_response_described_group *out,
                     int16_t version, ks_arena *arena) {
    kafka_error error = id.size < 0 ? KAFKA_ERR_INVALID_GROUP_ID : ks_group_coordinator_check(broker, id);
    out->group_id = id.size < 0 ? KS_LITERAL("") : ks_arena_string(arena, id);
    out->group_state = out->protocol_type = out->protocol_data = KS_LITERAL("");
    out->error_message = KS_NULL_STRING;
    out->authorized_operations = operations && version >= 3 && error == KAFKA_OK ? ALL_GROUP_OPERATIONS : INT32_MIN;
    out->error_code = (int16_t)error;
    if (error != KAFKA_OK) return;
    ks_group *group = ks_groups_find(ks_group_coordinator_groups(broker), id);
    if (group == NULL || group->kind != KS_GROUP_CLASSIC || group->state == KS_GROUP_DEAD) {
        not_there(out, group, version, arena);
        return;
    }
    out->group_state = ks_str(ks_group_state_name(group->state));
    if (group->protocol_type.size > 0) out->protocol_type = ks_arena_string(arena, group->protocol_type);
    if (group->state == KS_GROUP_STABLE) out->protocol_data = ks_arena_string(arena, group->protocol_name);
    describe_members(group, out, arena);
}

void ks_handle_describe_groups(ks_broker *broker, ks_request *request) {
    const ks_describe_groups_request *asked = request->envelope->body;
    ks_envelope *response = ks_response_new(request);
    ks_describe_groups_response *body = response->body;
    int32_t count = asked->groups.count > 0 ? asked->groups.count : 0;
    body->groups.count = count;
    body->groups.items = ks_arena_alloc(response->arena, sizeof *body->groups.items * (size_t)(count + 1));
    for (int32_t i = 0; i < count; i++)
        describe(broker, asked->groups.items[i], asked->include_authorized_operations, &body->groups.items[i],
                 response->api_version, response->arena);
    ks_respond(request, response);
}
