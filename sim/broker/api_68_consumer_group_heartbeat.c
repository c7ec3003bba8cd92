/* SPDX-License-Identifier: Apache-2.0
 *
 * ConsumerGroupHeartbeat (API key 68, KIP-848). The rules are group_consumer_heartbeat.c's. */
#include "sim/broker/group_coordinator.h"

void ks_handle_consumer_group_heartbeat(ks_broker *broker, ks_request *request) {
    const ks_consumer_group_heartbeat_request *beat = request->envelope->body;
    kafka_error error = ks_group_coordinator_check(broker, beat->group_id);
    if (error != KAFKA_OK) {
        ks_envelope *response = ks_response_new(request);
        ks_consumer_group_heartbeat_response *body = response->body;
        body->error_code = (int16_t)error;
        body->error_message = ks_str(kafka_error_text(error));
        ks_respond(request, response);
        return;
    }
    ks_group_input in = { .kind = KS_GROUP_CONSUMER_HEARTBEAT, .group_id = beat->group_id, .consumer_heartbeat = beat };
    if (beat->member_id.size <= 0 && beat->member_epoch == 0) {
        bool is_static = beat->instance_id.size >= 0;
        in.new_member_id = ks_group_next_member_id(broker, is_static ? beat->instance_id : request->envelope->client_id,
                                                   request->envelope->arena);
    }
    ks_group_coordinator_run(broker, request, &in);
}
