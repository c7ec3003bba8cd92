/* SPDX-License-Identifier: Apache-2.0
 *
 * SyncGroup (API key 14). The rules are group_sync.c's. */
#include "sim/broker/group_coordinator.h"

static kafka_error check(ks_broker *broker, const ks_sync_group_request *sync, int16_t version) {
    if (version >= 5 && (sync->protocol_type.size < 0 || sync->protocol_name.size < 0))
        return KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL;
    return sync->group_id.size <= 0 ? KAFKA_ERR_INVALID_GROUP_ID : ks_group_coordinator_check(broker, sync->group_id);
}

void ks_handle_sync_group(ks_broker *broker, ks_request *request) {
    const ks_sync_group_request *sync = request->envelope->body;
    kafka_error error = check(broker, sync, request->envelope->api_version);
    if (error != KAFKA_OK) {
        ks_envelope *response = ks_response_new(request);
        ((ks_sync_group_response *)response->body)->error_code = (int16_t)error;
        ks_respond(request, response);
        return;
    }
    ks_group_input in = { .kind = KS_GROUP_SYNC, .group_id = sync->group_id, .sync = sync };
    ks_group_coordinator_run(broker, request, &in);
}
