/* SPDX-License-Identifier: Apache-2.0
 *
 * The "roundrobin" assignor (RoundRobinAssignor): all partitions of all subscribed topics dealt out in a ring of members, one
 * cursor for all topics; who does not subscribe to a topic is passed over. No memory, no racks. */
#include "sim/client/assignor_problem.h"

void ks_assign_roundrobin(const ks_assignor_input *input, ks_arena *arena, ks_assignor_share *shares) {
    ks_problem problem;
    ks_problem_init(&problem, input, arena);
    const int32_t *ring = ks_problem_static_first(&problem);
    int32_t cursor = 0;
    for (int32_t p = 0; p < problem.partition_count; p++) { /* subscribed by somebody, so the search ends */
        while (!ks_problem_subscribes(&problem, ring[cursor], problem.topic_of[p])) cursor = (cursor + 1) % problem.member_count;
        problem.owner[p] = ring[cursor];
        cursor = (cursor + 1) % problem.member_count;
    }
    ks_problem_shares(&problem, shares);
}
