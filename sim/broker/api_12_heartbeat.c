/* SPDX-License-Identifier: Apache-2.0
 *
 * Heartbeat (API key 12). The rules are group_check.c's. */
#include "sim/broker/group_coordinator.h"

void ks_handle_heartbeat(ks_broker *broker, ks_request *request) {
    const ks_heartbeat_request *beat = request->envelope->body;
    kafka_error error =
        beat->group_id.size <= 0 ? KAFKA_ERR_INVALID_GROUP_ID : ks_group_coordinator_check(broker, beat->group_id);
    if (error != KAFKA_OK) {
        if (error == KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS)
            error = KAFKA_OK; /* nobody is to be thrown out for a slow load */
        ks_envelope *response = ks_response_new(request);
        ((ks_heartbeat_response *)response->body)->error_code = (int16_t)error;
        ks_respond(request, response);
        return;
    }
    ks_group_input in = { .kind = KS_GROUP_HEARTBEAT, .group_id = beat->group_id, .heartbeat = beat };
    ks_group_coordinator_run(broker, request, &in);
}
