/* SPDX-License-Identifier: Apache-2.0
 *
 * LeaveGroup (API key 13). The rules are group_leave.c's; until v2 a request names one member, from v3 on a list. */
#include "sim/broker/group_coordinator.h"

static const ks_leave_group_request *as_list(const ks_leave_group_request *leave, ks_arena *arena) {
    ks_leave_group_request *copy = ks_arena_alloc(arena, sizeof *copy);
    copy->group_id = leave->group_id;
    copy->members.items = ks_arena_alloc(arena, sizeof *copy->members.items);
    copy->members.count = 1;
    copy->members.items[0] =
        (ks_leave_group_request_member_identity){ leave->member_id, KS_NULL_STRING, KS_NULL_STRING };
    return copy;
}

void ks_handle_leave_group(ks_broker *broker, ks_request *request) {
    const ks_leave_group_request *leave = request->envelope->body;
    kafka_error error =
        leave->group_id.size <= 0 ? KAFKA_ERR_INVALID_GROUP_ID : ks_group_coordinator_check(broker, leave->group_id);
    if (error != KAFKA_OK) {
        ks_envelope *response = ks_response_new(request);
        ((ks_leave_group_response *)response->body)->error_code = (int16_t)error;
        ks_respond(request, response);
        return;
    }
    if (request->envelope->api_version < 3) leave = as_list(leave, request->envelope->arena);
    ks_group_input in = { .kind = KS_GROUP_LEAVE, .group_id = leave->group_id, .leave = leave };
    ks_group_coordinator_run(broker, request, &in);
}
