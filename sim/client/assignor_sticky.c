/* SPDX-License-Identifier: Apache-2.0
 *
 * The "sticky" and "cooperative-sticky" assignors (StickyAssignor, CooperativeStickyAssignor on AbstractStickyAssignor):
 * balanced, and everybody keeps as much of what it had as balance allows. The cooperative one then withholds what changes
 * hands: it is assigned to nobody in this round, its old owner revokes it and rejoins, and the next round gives it away. */
#include "sim/client/assignor_sticky.h"

#include <stdlib.h>

static void *room(const ks_problem *problem, int64_t count, size_t size) {
    return ks_arena_alloc(problem->arena, ((size_t)count + 1) * size);
}

/* ---- who owns what: a newer generation beats an older one, two claims of one generation cancel each other ---- */

static void weigh_claim(ks_sticky *sticky, int32_t *claimant, int32_t member, int32_t flat) {
    const ks_problem_member *members = sticky->problem->members;
    int32_t other = claimant[flat];
    if (other < 0) {
        claimant[flat] = sticky->held[flat] = member;
        return;
    }
    int32_t mine = members[member].in->generation, theirs = members[other].in->generation;
    if (mine < theirs) return;
    claimant[flat] = member;
    sticky->held[flat] = mine > theirs ? member : -1;
    if (mine == theirs) sticky->claimed_twice[flat] = true;
}

static void read_claims(ks_sticky *sticky) {
    const ks_problem *problem = sticky->problem;
    int32_t *claimant = room(problem, problem->partition_count, sizeof *claimant);
    for (int32_t p = 0; p < problem->partition_count; p++) claimant[p] = sticky->held[p] = -1;
    for (int32_t m = 0; m < problem->member_count; m++) {
        const ks_assignor_member *in = problem->members[m].in;
        if (in->generation > sticky->generation_max) sticky->generation_max = in->generation;
        for (int32_t t = 0; t < in->owned_count; t++) {
            int32_t topic = ks_problem_find_topic(problem, in->owned[t].topic);
            if (topic < 0) continue;
            for (int32_t i = 0; i < in->owned[t].partition_count; i++) {
                int32_t partition = in->owned[t].partitions[i];
                if (partition >= 0 && partition < problem->topics[topic].count)
                    weigh_claim(sticky, claimant, m, problem->topics[topic].first + partition);
            }
        }
    }
}

/* ---- racks ---- */

static void count_rack_members(ks_sticky *sticky) {
    const ks_problem *problem = sticky->problem;
    sticky->rack_members = room(problem, problem->partition_count, sizeof *sticky->rack_members);
    int32_t *by_rack = room(problem, (int64_t)problem->rack_words * 64, sizeof *by_rack), racks = problem->rack_words * 64;
    for (int32_t m = 0; m < problem->member_count; m++)
        if (problem->members[m].rack >= 0) by_rack[problem->members[m].rack]++;
    for (int32_t p = 0; p < problem->partition_count; p++)
        for (int32_t rack = 0; rack < racks; rack++)
            if (by_rack[rack] > 0 && ks_problem_in_rack(problem, p, rack)) sticky->rack_members[p] += by_rack[rack];
}

void ks_sticky_sort_by_rack(const ks_sticky *sticky, int32_t *partitions, int32_t count) {
    int32_t levels = sticky->problem->member_count + 1; /* counting sort: stable, linear */
    int32_t *first = room(sticky->problem, levels + 1, sizeof *first), *sorted = room(sticky->problem, count, sizeof *sorted);
    for (int32_t i = 0; i < count; i++) first[sticky->rack_members[partitions[i]] + 1]++;
    for (int32_t i = 0; i < levels; i++) first[i + 1] += first[i];
    for (int32_t i = 0; i < count; i++) sorted[first[sticky->rack_members[partitions[i]]]++] = partitions[i];
    memcpy(partitions, sorted, (size_t)count * sizeof *sorted);
}

/* ---- both assignors ---- */

static bool solve(ks_sticky *sticky, ks_problem *problem, const ks_assignor_input *input, ks_arena *arena) {
    ks_problem_init(problem, input, arena);
    *sticky = (ks_sticky){ .problem = problem, .generation_max = input->generation_max ? *input->generation_max : -1 };
    sticky->held = room(problem, problem->partition_count, sizeof *sticky->held);
    sticky->claimed_twice = room(problem, problem->partition_count, sizeof *sticky->claimed_twice);
    sticky->transferring = room(problem, problem->partition_count, sizeof *sticky->transferring);
    read_claims(sticky);
    if (input->generation_max) *input->generation_max = sticky->generation_max;
    sticky->racks_matter = ks_problem_racks_matter(problem, NULL, problem->member_count, 0, problem->partition_count);
    if (sticky->racks_matter) count_rack_members(sticky);
    bool equal = ks_problem_subscriptions_equal(problem);
    if (problem->member_count == 0) return equal;
    if (equal)
        ks_sticky_assign_equal(sticky);
    else
        ks_sticky_assign_general(sticky);
    return equal;
}

void ks_assign_sticky(const ks_assignor_input *input, ks_arena *arena, ks_assignor_share *shares) {
    ks_problem problem;
    ks_sticky sticky;
    solve(&sticky, &problem, input, arena);
    ks_problem_shares(&problem, shares);
}

/* Unequal subscriptions: what is added to one member and gone from another's list of owned partitions must wait. */
static void find_transfers(ks_sticky *sticky) {
    const ks_problem *problem = sticky->problem;
    bool *added = room(problem, problem->partition_count, sizeof *added);
    bool *gone = room(problem, problem->partition_count, sizeof *gone);
    for (int32_t p = 0; p < problem->partition_count; p++) added[p] = problem->owner[p] >= 0;
    for (int32_t m = 0; m < problem->member_count; m++) {
        const ks_assignor_member *in = problem->members[m].in;
        for (int32_t t = 0; t < in->owned_count; t++)
            for (int32_t i = 0; i < in->owned[t].partition_count; i++) {
                int32_t flat = ks_problem_flat(problem, in->owned[t].topic, in->owned[t].partitions[i]);
                if (flat < 0) continue;
                if (problem->owner[flat] == m)
                    added[flat] = false;
                else
                    gone[flat] = true;
            }
    }
    for (int32_t p = 0; p < problem->partition_count; p++) sticky->transferring[p] = added[p] && gone[p];
}

void ks_assign_cooperative_sticky(const ks_assignor_input *input, ks_arena *arena, ks_assignor_share *shares) {
    ks_problem problem;
    ks_sticky sticky;
    if (!solve(&sticky, &problem, input, arena)) find_transfers(&sticky);
    for (int32_t p = 0; p < problem.partition_count; p++)
        if (sticky.transferring[p]) problem.owner[p] = -1;
    ks_problem_shares(&problem, shares);
}
