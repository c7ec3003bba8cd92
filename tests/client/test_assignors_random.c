/* SPDX-License-Identifier: Apache-2.0
 * The client-side assignors over random groups, against an independent reference where there is a simple one, and against
 * what must always hold: every partition at exactly one subscriber, balance, stickiness, two-phase moves. */
#include "tests/support/test.h"

#include "sim/client/assignor.h"

enum { TOPICS = 5, MEMBERS = 10, PARTITIONS = 9 };

typedef struct group {
    ks_arena *arena;
    ks_assignor_topic topics[TOPICS];
    ks_assignor_member members[MEMBERS];
    ks_assignor_input in;
    ks_assignor_share shares[MEMBERS];
    int32_t owner[TOPICS][PARTITIONS], former[TOPICS][PARTITIONS]; /* member or -1 */
    bool stale_claim[TOPICS][PARTITIONS][MEMBERS];
} group;

static uint32_t draw(uint64_t *seed, uint32_t below) {
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*seed >> 33) % below);
}

static bool subscribes(const group *g, int32_t m, int32_t t) {
    for (int32_t i = 0; i < g->members[m].topic_count; i++)
        if (ks_string_equal(g->members[m].topics[i], g->topics[t].name)) return true;
    return false;
}

static void draw_members(group *g, uint64_t *seed, bool equal) {
    for (int32_t m = 0; m < g->in.member_count; m++) {
        ks_string *topics = ks_arena_alloc(g->arena, (TOPICS + 1) * sizeof *topics);
        int32_t count = 0;
        for (int32_t t = 0; t < g->in.topic_count; t++)
            if (equal || draw(seed, 3)) topics[count++] = g->topics[t].name;
        if (draw(seed, 8) == 0 && !equal) topics[count++] = KS_LITERAL("ghost");
        g->members[m] = (ks_assignor_member){ .id = ks_arena_printf(g->arena, "m%02u-%d", draw(seed, 90), m), .topics = topics, .topic_count = count,
                                              .instance_id = KS_NULL_STRING, .rack = KS_NULL_STRING, .generation = -1 };
        if (draw(seed, 4) == 0) g->members[m].instance_id = ks_arena_printf(g->arena, "i%02u-%d", draw(seed, 90), m);
    }
}

static void make_group(group *g, uint64_t *seed, bool equal) {
    memset(g, 0, sizeof *g);
    g->arena = ks_arena_new();
    g->in = (ks_assignor_input){ g->topics, 1 + (int32_t)draw(seed, TOPICS), g->members, 1 + (int32_t)draw(seed, MEMBERS), NULL };
    for (int32_t t = 0; t < g->in.topic_count; t++)
        g->topics[t] = (ks_assignor_topic){ ks_arena_printf(g->arena, "t%d", t), (int32_t)draw(seed, PARTITIONS + 1), NULL };
    draw_members(g, seed, equal);
    memset(g->former, -1, sizeof g->former);
}

static void add_racks(group *g, uint64_t *seed) {
    static const ks_string racks[] = { { "ra", 2 }, { "rb", 2 }, { "rc", 2 } };
    for (int32_t t = 0; t < g->in.topic_count; t++) {
        ks_replica_racks *list = ks_arena_alloc(g->arena, (PARTITIONS + 1) * sizeof *list);
        for (int32_t p = 0; p < g->topics[t].partition_count; p++) list[p] = (ks_replica_racks){ &racks[draw(seed, 3)], 1 };
        g->topics[t].replica_racks = list;
    }
    for (int32_t m = 0; m < g->in.member_count; m++)
        if (draw(seed, 4)) g->members[m].rack = racks[draw(seed, 3)];
}

static int32_t topic_of(const group *g, ks_string name) {
    for (int32_t t = 0; t < g->in.topic_count; t++)
        if (ks_string_equal(g->topics[t].name, name)) return t;
    return -1;
}

static int32_t size_of(const group *g, int32_t m) {
    int32_t size = 0;
    for (int32_t i = 0; i < g->shares[m].topic_count; i++) size += g->shares[m].topics[i].partition_count;
    return size;
}

/* Reads the shares into `owner`; nothing may be given twice, unknown, or to somebody who does not subscribe. */
static void read_owners(group *g) {
    memset(g->owner, -1, sizeof g->owner);
    for (int32_t m = 0; m < g->in.member_count; m++)
        for (int32_t i = 0; i < g->shares[m].topic_count; i++) {
            const ks_topic_partitions *tp = &g->shares[m].topics[i];
            int32_t t = topic_of(g, tp->topic);
            assert_true(t >= 0 && tp->partition_count > 0);
            for (int32_t k = 0; k < tp->partition_count; k++) {
                int32_t p = tp->partitions[k];
                assert_true(p >= 0 && p < g->topics[t].partition_count && (k == 0 || tp->partitions[k - 1] < p));
                assert_int_equal(g->owner[t][p], -1);
                g->owner[t][p] = m;
                if (!subscribes(g, m, t)) assert_true(g->stale_claim[t][p][m]); /* Kafka's own exception, see assignor_sticky_general.c */
            }
        }
}

static void all_are_given(const group *g) {
    for (int32_t t = 0; t < g->in.topic_count; t++) {
        bool wanted = false;
        for (int32_t m = 0; m < g->in.member_count; m++) wanted |= subscribes(g, m, t);
        for (int32_t p = 0; p < g->topics[t].partition_count; p++) assert_int_equal(g->owner[t][p] >= 0, wanted);
    }
}

/* The shares become what the members own; some members come, go, or change their minds. */
static void live_on(group *g, uint64_t *seed, int32_t generation, bool equal) {
    ks_assignor_member kept[MEMBERS];
    int32_t count = 0;
    memcpy(g->former, g->owner, sizeof g->former);
    int32_t moved_to[MEMBERS];
    for (int32_t m = 0; m < g->in.member_count; m++) {
        moved_to[m] = -1;
        if (draw(seed, 6) == 0) continue;
        moved_to[m] = count;
        kept[count] = g->members[m];
        kept[count].owned = g->shares[m].topics;
        kept[count].owned_count = g->shares[m].topic_count;
        kept[count].generation = draw(seed, 9) == 0 ? generation - 1 : generation;
        count++;
    }
    for (int32_t t = 0; t < TOPICS; t++)
        for (int32_t p = 0; p < PARTITIONS; p++)
            if (g->former[t][p] >= 0) g->former[t][p] = moved_to[g->former[t][p]];
    if (count == 0) {
        kept[count] = g->members[0];
        kept[count++].owned_count = 0;
        memset(g->former, -1, sizeof g->former);
    }
    while (count < MEMBERS && draw(seed, 3) == 0) {
        kept[count] = kept[0];
        kept[count].owned_count = 0;
        kept[count].generation = -1;
        kept[count].instance_id = KS_NULL_STRING;
        kept[count].id = ks_arena_printf(g->arena, "n%02u-%d-%d", draw(seed, 90), generation, count);
        count++;
    }
    memcpy(g->members, kept, sizeof kept[0] * (size_t)count);
    g->in.member_count = count;
    for (int32_t m = 0; m < count && !equal; m++) {
        if (draw(seed, 5)) continue;
        ks_string *topics = ks_arena_alloc(g->arena, (TOPICS + 1) * sizeof *topics);
        int32_t n = 0;
        for (int32_t t = 0; t < g->in.topic_count; t++)
            if (draw(seed, 2)) topics[n++] = g->topics[t].name;
        g->members[m].topics = topics;
        g->members[m].topic_count = n;
    }
    memset(g->stale_claim, 0, sizeof g->stale_claim);
    for (int32_t m = 0; m < count; m++)
        for (int32_t i = 0; i < g->members[m].owned_count; i++)
            for (int32_t k = 0; k < g->members[m].owned[i].partition_count; k++)
                g->stale_claim[topic_of(g, g->members[m].owned[i].topic)][g->members[m].owned[i].partitions[k]][m] = g->members[m].generation < generation;
}

/* ---- range and roundrobin against a reference that is as simple as can be ---- */

static int compare_by_static(const group *g, int32_t a, int32_t b) {
    const ks_assignor_member *x = &g->members[a], *y = &g->members[b];
    bool sx = x->instance_id.size >= 0, sy = y->instance_id.size >= 0;
    if (sx != sy) return sx ? -1 : 1;
    return sx ? ks_string_compare(x->instance_id, y->instance_id) : ks_string_compare(x->id, y->id);
}

static void static_order(const group *g, int32_t *order) {
    for (int32_t i = 0; i < g->in.member_count; i++) {
        int32_t rank = 0;
        for (int32_t j = 0; j < g->in.member_count; j++) rank += compare_by_static(g, j, i) < 0;
        order[rank] = i;
    }
}

static void range_and_roundrobin_equal_their_definitions(void **state) {
    (void)state;
    uint64_t seed = 11;
    for (int round = 0; round < 20000; round++) {
        group g;
        int32_t order[MEMBERS], expected[TOPICS][PARTITIONS], cursor = 0;
        make_group(&g, &seed, draw(&seed, 2));
        static_order(&g, order);
        bool range = draw(&seed, 2);
        (range ? ks_assign_range : ks_assign_roundrobin)(&g.in, g.arena, g.shares);
        read_owners(&g);
        all_are_given(&g);
        for (int32_t t = 0; t < g.in.topic_count; t++) {
            int32_t list[MEMBERS], n = 0;
            for (int32_t i = 0; i < g.in.member_count; i++)
                if (subscribes(&g, order[i], t)) list[n++] = order[i];
            for (int32_t p = 0; p < g.topics[t].partition_count && n > 0; p++) {
                if (range) { /* partition p of P falls to the member whose range holds it */
                    int32_t base = g.topics[t].partition_count / n, extra = g.topics[t].partition_count % n;
                    expected[t][p] = p < extra * (base + 1) ? list[p / (base + 1)] : list[extra + (p - extra * (base + 1)) / base];
                } else {
                    while (!subscribes(&g, order[cursor % g.in.member_count], t)) cursor++;
                    expected[t][p] = order[cursor++ % g.in.member_count];
                }
                assert_int_equal(g.owner[t][p], expected[t][p]);
            }
        }
        ks_arena_free(g.arena);
    }
}

static void range_with_racks_gives_the_same_numbers(void **state) {
    (void)state;
    uint64_t seed = 12;
    for (int round = 0; round < 20000; round++) {
        group g;
        make_group(&g, &seed, draw(&seed, 2));
        add_racks(&g, &seed);
        ks_assign_range(&g.in, g.arena, g.shares);
        read_owners(&g);
        all_are_given(&g);
        for (int32_t t = 0; t < g.in.topic_count; t++) {
            int32_t n = 0, most = 0, least = PARTITIONS;
            for (int32_t m = 0; m < g.in.member_count; m++) {
                if (!subscribes(&g, m, t)) continue;
                int32_t mine = 0;
                for (int32_t p = 0; p < g.topics[t].partition_count; p++) mine += g.owner[t][p] == m;
                n++;
                if (mine > most) most = mine;
                if (mine < least) least = mine;
            }
            if (n > 0) assert_true(most - least <= 1);
        }
        ks_arena_free(g.arena);
    }
}

/* ---- the sticky family ---- */

static void sticky_is_balanced_and_keeps_what_it_may_when_all_want_the_same(void **state) {
    (void)state;
    uint64_t seed = 13;
    for (int round = 0; round < 4000; round++) {
        group g;
        make_group(&g, &seed, true);
        bool racks = draw(&seed, 3) == 0;
        if (racks) add_racks(&g, &seed);
        for (int32_t generation = 1; generation < 6; generation++) {
            ks_assign_sticky(&g.in, g.arena, g.shares);
            read_owners(&g);
            all_are_given(&g);
            int32_t total = 0, had[MEMBERS] = { 0 }, kept[MEMBERS] = { 0 };
            for (int32_t t = 0; t < g.in.topic_count; t++)
                for (int32_t p = 0; p < g.topics[t].partition_count; p++, total++) {
                    if (g.former[t][p] < 0) continue;
                    had[g.former[t][p]]++;
                    kept[g.former[t][p]] += g.owner[t][p] == g.former[t][p];
                }
            for (int32_t m = 0; m < g.in.member_count; m++) {
                assert_in_range(size_of(&g, m), total / g.in.member_count, (total + g.in.member_count - 1) / g.in.member_count);
                int32_t quota = total / g.in.member_count; /* at least the lower one is kept, if it had so many */
                if (!racks) assert_true(kept[m] >= (had[m] < quota ? had[m] : quota));
            }
            live_on(&g, &seed, generation, true);
        }
        ks_arena_free(g.arena);
    }
}

static void sticky_places_everything_when_wishes_differ(void **state) {
    (void)state;
    uint64_t seed = 14;
    for (int round = 0; round < 6000; round++) {
        group g;
        make_group(&g, &seed, false);
        if (draw(&seed, 3) == 0) add_racks(&g, &seed);
        for (int32_t generation = 1; generation < 6; generation++) {
            ks_assign_sticky(&g.in, g.arena, g.shares);
            read_owners(&g);
            all_are_given(&g);
            live_on(&g, &seed, generation, false);
        }
        ks_arena_free(g.arena);
    }
}

static void a_fresh_group_with_different_wishes_has_no_obvious_better_move(void **state) {
    (void)state;
    uint64_t seed = 15;
    for (int round = 0; round < 20000; round++) {
        group g;
        make_group(&g, &seed, false);
        ks_assign_sticky(&g.in, g.arena, g.shares);
        read_owners(&g);
        for (int32_t t = 0; t < g.in.topic_count; t++)
            for (int32_t p = 0; p < g.topics[t].partition_count; p++)
                for (int32_t m = 0; m < g.in.member_count && g.owner[t][p] >= 0; m++)
                    if (subscribes(&g, m, t)) assert_true(size_of(&g, g.owner[t][p]) - size_of(&g, m) <= 1);
        ks_arena_free(g.arena);
    }
}

static bool everything_is_given(const group *g) {
    for (int32_t t = 0; t < g->in.topic_count; t++)
        for (int32_t p = 0; p < g->topics[t].partition_count; p++)
            for (int32_t m = 0; m < g->in.member_count && g->owner[t][p] < 0; m++)
                if (subscribes(g, m, t)) return false;
    return true;
}

/* In every round of the cooperative protocol nothing goes to a member while another one still owns it; with equal wishes and no
 * racks everything is given away in the second round, else within a few. */
static void cooperative_sticky_moves_in_two_rounds(void **state) {
    (void)state;
    uint64_t seed = 16;
    for (int round = 0; round < 4000; round++) {
        group g;
        bool equal = draw(&seed, 2);
        make_group(&g, &seed, equal);
        bool racks = draw(&seed, 4) == 0;
        if (racks) add_racks(&g, &seed);
        for (int32_t generation = 1, rounds; generation < 40; generation += rounds) {
            bool done = false;
            for (rounds = 0; !done; rounds++) {
                assert_true(rounds < (equal && !racks ? 2 : 8));
                ks_assign_cooperative_sticky(&g.in, g.arena, g.shares);
                read_owners(&g);
                for (int32_t t = 0; t < g.in.topic_count; t++)
                    for (int32_t p = 0; p < g.topics[t].partition_count; p++)
                        if (g.owner[t][p] >= 0 && g.former[t][p] >= 0) assert_int_equal(g.owner[t][p], g.former[t][p]);
                for (int32_t m = 0; m < g.in.member_count; m++) { /* everybody revokes what it was not given, and rejoins */
                    g.members[m].owned = g.shares[m].topics;
                    g.members[m].owned_count = g.shares[m].topic_count;
                    g.members[m].generation = generation + rounds;
                }
                memcpy(g.former, g.owner, sizeof g.former);
                memset(g.stale_claim, 0, sizeof g.stale_claim);
                done = everything_is_given(&g);
            }
            live_on(&g, &seed, generation + rounds - 1, equal);
        }
        ks_arena_free(g.arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_and_roundrobin_equal_their_definitions),
        cmocka_unit_test(range_with_racks_gives_the_same_numbers),
        cmocka_unit_test(sticky_is_balanced_and_keeps_what_it_may_when_all_want_the_same),
        cmocka_unit_test(sticky_places_everything_when_wishes_differ),
        cmocka_unit_test(a_fresh_group_with_different_wishes_has_no_obvious_better_move),
        cmocka_unit_test(cooperative_sticky_moves_in_two_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
