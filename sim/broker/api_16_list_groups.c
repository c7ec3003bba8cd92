/* SPDX-License-Identifier: Apache-2.0
 *
 * ListGroups (API key 16): the groups that this broker coordinates; by state from v4 on (KIP-518), by type from v5 on.
 * Ascending by id (Kafka: in no order). */
#include "sim/broker/group_coordinator.h"

#include <stdlib.h>

static bool equal_ignoring_case(ks_string a, ks_string b) { /* ASCII, as all state and type names are */
    if (a.size != b.size) return false;
    for (int32_t i = 0; i < a.size; i++) {
        char x = a.data[i], y = b.data[i];
        if (x >= 'A' && x <= 'Z') x = (char)(x - 'A' + 'a');
        if (y >= 'A' && y <= 'Z') y = (char)(y - 'A' + 'a');
        if (x != y) return false;
    }
    return true;
}

static bool wanted(const ks_string *filter, int32_t count, ks_string value) {
    if (count <= 0) return true;
    for (int32_t i = 0; i < count; i++)
        if (equal_ignoring_case(filter[i], value)) return true;
    return false;
}

static int by_id(const void *a, const void *b) {
    return ks_string_compare(((const ks_list_groups_response_listed_group *)a)->group_id,
                             ((const ks_list_groups_response_listed_group *)b)->group_id);
}

void ks_handle_list_groups(ks_broker *broker, ks_request *request) {
    const ks_list_groups_request *asked = request->envelope->body;
    ks_envelope *response = ks_response_new(request);
    ks_list_groups_response *body = response->body;
    const ks_groups *groups = ks_group_coordinator_groups(broker);
    if (ks_group_coordinator_loading(broker)) body->error_code = KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS;
    body->groups.items = ks_arena_alloc(response->arena, sizeof *body->groups.items * (size_t)(groups->count + 1));
    body->groups.count = 0;
    for (const ks_group *group = groups->by_id; group != NULL && body->error_code == 0; group = group->hh.next) {
        bool consumer = group->kind == KS_GROUP_CONSUMER;
        ks_string state = ks_str(ks_group_state_text(group)), type = ks_str(consumer ? "consumer" : "classic");
        if (response->api_version >= 4 && !wanted(asked->states_filter.items, asked->states_filter.count, state))
            continue;
        if (response->api_version >= 5 && !wanted(asked->types_filter.items, asked->types_filter.count, type)) continue;
        body->groups.items[body->groups.count++] = (ks_list_groups_response_listed_group){
            .group_id = ks_arena_string(response->arena, group->id),
            .protocol_type = consumer                        ? KS_LITERAL("consumer")
                             : group->protocol_type.size > 0 ? ks_arena_string(response->arena, group->protocol_type)
                                                             : KS_LITERAL(""),
            .group_state = state,
            .group_type = type,
        };
    }
    qsort(body->groups.items, (size_t)body->groups.count, sizeof *body->groups.items, by_id);
    ks_respond(request, response);
}
