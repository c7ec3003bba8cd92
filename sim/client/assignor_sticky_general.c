/* SPDX-License-Identifier: Apache-2.0
 *
 * The sticky family for unequal subscriptions (AbstractStickyAssignor's general case): keep what may be kept, place the rest
 * on the least loaded, then move single partitions until nobody could take one from a member with two more. If that did not
 * make the group more even after all, everything goes back to how it was before the moves.
 *
 * A claim of an older generation names a "previous owner", to whom a partition goes back rather than to somebody new. Kafka
 * looks at its size only, and fails with a null pointer if that member takes no part in the balancing; here such a claim is
 * then passed over. */
#include "sim/client/assignor_sticky.h"

#include <stdlib.h>

typedef struct move { int32_t from, to; } move; /* members; from -1: the partition has not moved */

typedef struct general {
    ks_sticky *sticky;
    ks_problem *problem;
    int32_t *size;            /* by member */
    bool *frozen;             /* by member: takes no part in the balancing */
    int32_t *previous;        /* by partition: owner in an older generation, -1 */
    int32_t *previous_generation;
    move *moves;              /* by partition: where it came from and went to, all moves together */
    bool revocation_required;
    int32_t unbalanced_topic; /* where the last look found something to move: look there first */
} general;

typedef struct partition_list {
    int32_t *items, count;
} partition_list;

static void *room(const general *g, int64_t count, size_t size) {
    return ks_arena_alloc(g->problem->arena, ((size_t)count + 1) * size);
}

static bool is_shared(const general *g, int32_t topic) { return g->problem->topics[topic].member_count > 1; }

/* ---- steps 1 and 2: the order of partitions, and what is kept ---- */

typedef struct topic_rank {
    int32_t subscribers, topic;
} topic_rank;

static int compare_ranks(const void *a, const void *b) {
    const topic_rank *x = a, *y = b;
    if (x->subscribers != y->subscribers) return x->subscribers < y->subscribers ? -1 : 1;
    return (x->topic > y->topic) - (x->topic < y->topic);
}

static partition_list all_partitions(const general *g) {
    const ks_problem *problem = g->problem;
    topic_rank *ranks = room(g, problem->topic_count, sizeof *ranks);
    for (int32_t t = 0; t < problem->topic_count; t++) ranks[t] = (topic_rank){ problem->topics[t].member_count, t };
    qsort(ranks, (size_t)problem->topic_count, sizeof *ranks, compare_ranks);
    partition_list all = { room(g, problem->partition_count, sizeof *all.items), 0 };
    for (int32_t r = 0; r < problem->topic_count; r++) {
        const ks_problem_topic *topic = &problem->topics[ranks[r].topic];
        for (int32_t p = 0; p < topic->count; p++) all.items[all.count++] = topic->first + p;
    }
    return all;
}

static void keep_what_may_stay(general *g) {
    ks_problem *problem = g->problem;
    for (int32_t p = 0; p < problem->partition_count; p++) {
        int32_t member = g->sticky->held[p];
        if (member < 0) continue;
        if (!ks_problem_subscribes(problem, member, problem->topic_of[p]) || ks_sticky_rack_mismatch(g->sticky, member, p)) {
            g->revocation_required = true;
        } else {
            problem->owner[p] = member;
            g->size[member]++;
        }
    }
}

/* Claims below the highest generation; of several on one partition the newest, of equals the first member's. */
static void remember_previous(general *g) {
    const ks_problem *problem = g->problem;
    for (int32_t p = 0; p < problem->partition_count; p++) g->previous[p] = -1;
    for (int32_t m = 0; m < problem->member_count; m++) {
        const ks_assignor_member *in = problem->members[m].in;
        if (in->generation >= g->sticky->generation_max) continue;
        for (int32_t t = 0; t < in->owned_count; t++)
            for (int32_t i = 0; i < in->owned[t].partition_count; i++) {
                int32_t flat = ks_problem_flat(problem, in->owned[t].topic, in->owned[t].partitions[i]);
                if (flat < 0 || (g->previous[flat] >= 0 && in->generation <= g->previous_generation[flat])) continue;
                g->previous[flat] = m;
                g->previous_generation[flat] = in->generation;
            }
    }
}

/* ---- step 3: placing what nobody has ---- */

/* The least loaded subscriber, the lower id among equals; with `rack_of` >= 0 only those in a rack of that partition. */
static int32_t smallest_subscriber(const general *g, int32_t topic_index, int32_t rack_of) {
    const ks_problem_topic *topic = &g->problem->topics[topic_index];
    int32_t best = -1;
    for (int32_t i = 0; i < topic->member_count; i++) {
        int32_t member = topic->members[i];
        if (rack_of >= 0 && !ks_sticky_rack_match(g->sticky, member, rack_of)) continue;
        if (best < 0 || g->size[member] < g->size[best]) best = member;
    }
    return best;
}

static void place(general *g, const partition_list *free_partitions, bool by_rack) {
    for (int32_t i = 0; i < free_partitions->count; i++) {
        int32_t flat = free_partitions->items[i];
        if (g->problem->owner[flat] >= 0) continue;
        int32_t member = smallest_subscriber(g, g->problem->topic_of[flat], by_rack ? flat : -1);
        if (member < 0) continue;
        g->problem->owner[flat] = member;
        g->size[member]++;
    }
}

/* ---- step 4: who and what stays out of the balancing ---- */

static partition_list shared_only(const general *g, const partition_list *list) {
    partition_list shared = { room(g, list->count, sizeof *shared.items), 0 };
    for (int32_t i = 0; i < list->count; i++)
        if (is_shared(g, g->problem->topic_of[list->items[i]])) shared.items[shared.count++] = list->items[i];
    return shared;
}

static void freeze(general *g) {
    const ks_problem *problem = g->problem;
    bool *touches_shared = room(g, problem->member_count, sizeof *touches_shared);
    for (int32_t p = 0; p < problem->partition_count; p++)
        if (problem->owner[p] >= 0 && is_shared(g, problem->topic_of[p])) touches_shared[problem->owner[p]] = true;
    for (int32_t m = 0; m < problem->member_count; m++) {
        int32_t possible = 0;
        for (int32_t t = 0; t < problem->members[m].topic_count; t++)
            possible += problem->topics[problem->members[m].topics[t]].count;
        g->frozen[m] = g->size[m] >= possible && !touches_shared[m];
    }
}

/* ---- step 5: moving ---- */

static bool topic_is_balanced(const general *g, int32_t topic_index) {
    const ks_problem_topic *topic = &g->problem->topics[topic_index];
    int32_t least = INT32_MAX, most = 0;
    for (int32_t i = 0; i < topic->member_count; i++)
        if (g->size[topic->members[i]] < least) least = g->size[topic->members[i]];
    for (int32_t p = topic->first; p < topic->first + topic->count; p++)
        if (g->size[g->problem->owner[p]] > most) most = g->size[g->problem->owner[p]];
    return most - 1 <= least;
}

static bool is_balanced(general *g) {
    for (int32_t i = 0; i < g->problem->topic_count; i++) {
        int32_t topic = (g->unbalanced_topic + i) % g->problem->topic_count;
        if (is_shared(g, topic) && g->problem->topics[topic].count > 0 && !topic_is_balanced(g, topic)) {
            g->unbalanced_topic = topic;
            return false;
        }
    }
    return true;
}

/* If an earlier move of the topic went the other way between the two, taking that back costs one move less. */
static int32_t better_undone(const general *g, int32_t flat, int32_t from, int32_t to) {
    const ks_problem_topic *topic = &g->problem->topics[g->problem->topic_of[flat]];
    if (g->moves[flat].from >= 0) from = g->moves[flat].from;
    for (int32_t p = topic->first; p < topic->first + topic->count; p++)
        if (g->moves[p].from == to && g->moves[p].to == from) return p;
    return flat;
}

static void move_partition(general *g, int32_t flat, int32_t to) {
    flat = better_undone(g, flat, g->problem->owner[flat], to);
    int32_t from = g->problem->owner[flat];
    int32_t origin = g->moves[flat].from >= 0 ? g->moves[flat].from : from;
    g->moves[flat] = origin == to ? (move){ -1, -1 } : (move){ origin, to };
    g->size[from]--;
    g->size[to]++;
    g->problem->owner[flat] = to;
}

/* Where a partition had better go; -1: it may stay. */
static int32_t better_owner(const general *g, int32_t flat) {
    int32_t size = g->size[g->problem->owner[flat]], previous = g->previous[flat];
    if (previous >= 0 && !g->frozen[previous] && size > g->size[previous] + 1) return previous;
    int32_t smallest = smallest_subscriber(g, g->problem->topic_of[flat], -1);
    return size > g->size[smallest] + 1 ? smallest : -1;
}

static bool move_until_settled(general *g, const partition_list *list) {
    bool any = false, moved = list->count > 0, balanced = is_balanced(g);
    while (moved && !balanced) {
        moved = false;
        for (int32_t i = 0; i < list->count && !balanced; i++) {
            int32_t to = better_owner(g, list->items[i]);
            if (to < 0) continue;
            move_partition(g, list->items[i], to);
            moved = any = true;
            balanced = is_balanced(g);
        }
    }
    return any;
}

static int compare_i32(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* The sum of the differences in size over all pairs of members that take part. */
static int64_t unevenness(const general *g, const int32_t *size) {
    int32_t *sorted = room(g, g->problem->member_count, sizeof *sorted), count = 0;
    for (int32_t m = 0; m < g->problem->member_count; m++)
        if (!g->frozen[m]) sorted[count++] = size[m];
    qsort(sorted, (size_t)count, sizeof *sorted, compare_i32);
    int64_t sum = 0;
    for (int32_t i = 0; i < count; i++) sum += (int64_t)sorted[i] * (2 * i - count + 1);
    return sum;
}

static void balance(general *g, const partition_list *all, const partition_list *placed, bool was_empty) {
    ks_problem *problem = g->problem;
    freeze(g);
    int32_t *owner_before = room(g, problem->partition_count, sizeof *owner_before);
    int32_t *size_before = room(g, problem->member_count, sizeof *size_before);
    memcpy(owner_before, problem->owner, (size_t)problem->partition_count * sizeof *owner_before);
    memcpy(size_before, g->size, (size_t)problem->member_count * sizeof *size_before);
    partition_list shared = shared_only(g, all), placed_shared = shared_only(g, placed);
    if (!g->revocation_required) move_until_settled(g, &placed_shared);
    bool moved = move_until_settled(g, &shared);
    if (!was_empty && moved && unevenness(g, g->size) >= unevenness(g, size_before))
        memcpy(problem->owner, owner_before, (size_t)problem->partition_count * sizeof *owner_before);
}

void ks_sticky_assign_general(ks_sticky *sticky) {
    ks_problem *problem = sticky->problem;
    general g = { .sticky = sticky, .problem = problem };
    g.size = room(&g, problem->member_count, sizeof *g.size);
    g.frozen = room(&g, problem->member_count, sizeof *g.frozen);
    g.previous = room(&g, problem->partition_count, sizeof *g.previous);
    g.previous_generation = room(&g, problem->partition_count, sizeof *g.previous_generation);
    g.moves = room(&g, problem->partition_count, sizeof *g.moves);
    for (int32_t p = 0; p < problem->partition_count; p++) g.moves[p] = (move){ -1, -1 };
    keep_what_may_stay(&g);
    remember_previous(&g);
    bool was_empty = true;
    for (int32_t m = 0; m < problem->member_count; m++) was_empty &= g.size[m] == 0;
    partition_list all = all_partitions(&g), placed = { room(&g, problem->partition_count, sizeof *placed.items), 0 };
    for (int32_t i = 0; i < all.count; i++)
        if (problem->owner[all.items[i]] < 0) placed.items[placed.count++] = all.items[i];
    if (sticky->racks_matter) place(&g, &placed, true);
    place(&g, &placed, false);
    balance(&g, &all, &placed, was_empty);
}
