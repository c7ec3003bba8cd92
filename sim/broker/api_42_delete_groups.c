/* SPDX-License-Identifier: Apache-2.0
 *
 * DeleteGroups (API key 42): a group without members goes, with its offsets; the others are refused, each by itself. */
#include "sim/broker/group_coordinator.h"
#include "sim/protocol/events.h"

static kafka_error check(ks_broker *broker, ks_string id) {
    if (id.size < 0) return KAFKA_ERR_INVALID_GROUP_ID;
    kafka_error error = ks_group_coordinator_check(broker, id);
    return error != KAFKA_OK ? error : ks_groups_check_delete(ks_group_coordinator_groups(broker), id);
}

static bool on_written(ks_broker *broker, ks_group_write *write);

/* One group after the other, from `next` on; the result in work at the end of the list is the one being written. False:
 * a write is under way that will go on. */
static bool delete_from(ks_broker *broker, int32_t next, ks_request *request, ks_envelope *response) {
    ks_delete_groups_response *body = response->body;
    for (; next < body->results.count; next++) {
        ks_delete_groups_response_deletable_group_result *result = &body->results.items[next];
        result->error_code = (int16_t)check(broker, result->group_id);
        if (result->error_code != 0) continue;
        ks_group_records records = { 0 };
        ks_group_tombstones(ks_groups_find(ks_group_coordinator_groups(broker), result->group_id), response->arena,
                            &records);
        ks_group_write write = { .request = request,
                                 .response = response,
                                 .context = result,
                                 .records = records.items,
                                 .count = records.count,
                                 .done = on_written };
        ks_group_coordinator_write(broker, result->group_id, &write);
        ks_free(records.items);
        return false;
    }
    return true;
}

static bool on_written(ks_broker *broker, ks_group_write *write) {
    ks_delete_groups_response_deletable_group_result *result = write->context;
    ks_delete_groups_response *body = write->response->body;
    result->error_code = (int16_t)write->error;
    if (write->error == KAFKA_OK)
        KS_EMIT(ks_cluster_kernel(broker->cluster), broker->node, group_deleted, .group = result->group_id,
                .reason = KS_LITERAL("requested"));
    return delete_from(broker, (int32_t)(result - body->results.items) + 1, write->request, write->response);
}

void ks_handle_delete_groups(ks_broker *broker, ks_request *request) {
    const ks_delete_groups_request *asked = request->envelope->body;
    ks_envelope *response = ks_response_new(request);
    ks_delete_groups_response *body = response->body;
    int32_t count = asked->groups_names.count > 0 ? asked->groups_names.count : 0;
    body->results.count = count;
    body->results.items = ks_arena_alloc(response->arena, sizeof *body->results.items * (size_t)(count + 1));
    for (int32_t i = 0; i < count; i++)
        body->results.items[i].group_id = ks_arena_string(response->arena, asked->groups_names.items[i]);
    if (delete_from(broker, 0, request, response)) ks_respond(request, response);
}
