/* SPDX-License-Identifier: Apache-2.0
 *
 * The server-side assignors by name (group.consumer.assignors), and what they share. */
#include "sim/broker/assignor.h"

ks_server_assign_fn *ks_server_assignor_find(ks_string name) {
    static const struct {
        ks_string name;
        ks_server_assign_fn *assign;
    } known[] = {
        { { "uniform", 7 }, ks_server_assign_uniform },
        { { "range", 5 }, ks_server_assign_range },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (ks_string_equal(known[i].name, name)) return known[i].assign;
    return NULL;
}

bool ks_server_subscriptions_equal(const ks_server_assignor_input *input) {
    for (int32_t i = 1; i < input->order_count; i++) {
        const ks_server_member *first = &input->members[input->order[0]], *member = &input->members[input->order[i]];
        if (member->topic_count != first->topic_count) return false;
        if (member->topics == first->topics || member->topic_count == 0) continue;
        if (memcmp(member->topics, first->topics, (size_t)member->topic_count * sizeof *member->topics) != 0) return false;
    }
    return true;
}
