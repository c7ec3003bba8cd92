/* SPDX-License-Identifier: Apache-2.0
 *
 * JoinGroup (API key 11). The rules are group_join.c's; here is what is checked before the group is looked at, in
 * Kafka's order (GroupCoordinatorService.joinGroup). */
#include "sim/broker/group_coordinator.h"

static kafka_error check(ks_broker *broker, const ks_join_group_request *join) {
    const ks_group_settings *settings = &ks_group_coordinator_groups(broker)->settings;
    if (join->group_id.size <= 0) return KAFKA_ERR_INVALID_GROUP_ID;
    if (join->session_timeout_ms < settings->min_session_timeout_ms ||
        join->session_timeout_ms > settings->max_session_timeout_ms)
        return KAFKA_ERR_INVALID_SESSION_TIMEOUT;
    return ks_group_coordinator_check(broker, join->group_id);
}

void ks_handle_join_group(ks_broker *broker, ks_request *request) {
    ks_envelope *envelope = request->envelope;
    ks_join_group_request *join = envelope->body;
    kafka_error error = check(broker, join);
    if (error != KAFKA_OK) {
        ks_envelope *response = ks_response_new(request);
        ks_join_group_response *body = response->body;
        body->error_code = (int16_t)error;
        body->member_id = ks_arena_string(response->arena, join->member_id);
        body->protocol_name = envelope->api_version < 7 ? KS_LITERAL("") : KS_NULL_STRING;
        ks_respond(request, response);
        return;
    }
    ks_group_input in = { .kind = KS_GROUP_JOIN, .group_id = join->group_id, .join = join };
    if (join->member_id.size <= 0) {
        bool is_static = join->group_instance_id.size >= 0;
        in.new_member_id =
            ks_group_next_member_id(broker, is_static ? join->group_instance_id : envelope->client_id, envelope->arena);
    }
    ks_group_coordinator_run(broker, request, &in);
}
