/* SPDX-License-Identifier: Apache-2.0
 *
 * FindCoordinator (API key 10): who coordinates this group (or transactional id)? Several at once from v4 on (KIP-699).
 * The same hash chooses the partition of __consumer_offsets or __transaction_state; its leader is the answer. */
#include "sim/broker/group_coordinator.h"

enum { KEY_GROUP = 0, KEY_TRANSACTION = 1 };

static ks_broker *find(const ks_cluster *cluster, int8_t type, ks_string key) {
    if (type == KEY_GROUP) return ks_group_coordinator_of(cluster, key);
    const ks_topic *topic = ks_cluster_topic_find(cluster, KS_LITERAL("__transaction_state"));
    if (topic == NULL) return NULL;
    return ks_partition_leader(topic->partitions[ks_group_partition_of(key, topic->partition_count)]);
}

static void answer(const ks_cluster *cluster, int8_t type, ks_string key, ks_find_coordinator_response_coordinator *out,
                   ks_arena *arena) {
    kafka_error error = KAFKA_OK;
    ks_broker *broker = NULL;
    if (type != KEY_GROUP && type != KEY_TRANSACTION)
        error = KAFKA_ERR_INVALID_REQUEST;
    else if ((broker = find(cluster, type, key)) == NULL)
        error = KAFKA_ERR_COORDINATOR_NOT_AVAILABLE;
    out->key = ks_arena_string(arena, key);
    out->error_code = (int16_t)error;
    out->error_message = KS_LITERAL(""); /* none from v4 on, whatever the error */
    out->node_id = broker != NULL ? broker->id : -1;
    out->host = broker != NULL ? broker->host : KS_LITERAL("");
    out->port = broker != NULL ? broker->port : -1;
}

void ks_handle_find_coordinator(ks_broker *broker, ks_request *request) {
    const ks_find_coordinator_request *find_request = request->envelope->body;
    ks_envelope *response = ks_response_new(request);
    ks_find_coordinator_response *body = response->body;
    if (response->api_version < 4) {
        ks_find_coordinator_response_coordinator one;
        answer(broker->cluster, find_request->key_type, find_request->key, &one, response->arena);
        body->error_code = one.error_code;
        if (response->api_version >= 1) /* v0 has no such field; sic: Errors.NONE.message() */
            body->error_message = ks_str(one.error_code == 0 ? "NONE" : kafka_error_text((kafka_error)one.error_code));
        body->node_id = one.node_id;
        body->host = one.host;
        body->port = one.port;
    } else {
        int32_t count = find_request->coordinator_keys.count > 0 ? find_request->coordinator_keys.count : 0;
        body->coordinators.count = count;
        body->coordinators.items =
            ks_arena_alloc(response->arena, sizeof *body->coordinators.items * (size_t)(count + 1));
        for (int32_t i = 0; i < count; i++)
            answer(broker->cluster, find_request->key_type, find_request->coordinator_keys.items[i],
                   &body->coordinators.items[i], response->arena);
    }
    ks_respond(request, response);
}
