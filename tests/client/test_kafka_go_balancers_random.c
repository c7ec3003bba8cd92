/* SPDX-License-Identifier: Apache-2.0
 * kafka-go's three group balancers over random groups: range and roundrobin against their definitions, rack-affinity against
 * what must always hold: every partition of a wanted topic at exactly one subscriber, even shares, and own racks first. */
#include "tests/support/test.h"

#include "sim/client/kafka_go_balancer.h"

enum { ROUNDS = 10000, TOPICS = 4, MEMBERS = 8, PARTITIONS = 11, RACKS = 4 };

static const char *const topic_names[] = { "audit", "orders", "orders2", "payments" }; /* ascending, as partitions are offered */
static const char *const rack_names[] = { "", "eu-1", "eu-10", "us-1" };

typedef struct group {
    char ids[MEMBERS][16];
    const char *topics[MEMBERS][TOPICS + 1]; /* "ghost" too, which does not exist */
    int32_t racks[MEMBERS];
    bool wants[MEMBERS][TOPICS];
    int32_t counts[TOPICS]; /* of partitions */
    kafka_group_member members[MEMBERS];
    size_t member_count, partition_count;
    kafka_group_partition partitions[TOPICS * PARTITIONS];
    int32_t leader_racks[TOPICS][PARTITIONS], first[TOPICS]; /* where the topic begins in `partitions` */
    int32_t owners[TOPICS * PARTITIONS];
} group;

static uint32_t draw(uint64_t *seed, uint32_t below) {
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*seed >> 33) % below);
}

static void draw_members(group *g, uint64_t *seed) {
    bool equal = draw(seed, 2);
    g->member_count = 1 + draw(seed, MEMBERS);
    for (size_t m = 0; m < g->member_count; m++) {
        size_t count = 0;
        snprintf(g->ids[m], sizeof g->ids[m], "m%u-%zu", draw(seed, 30), m); /* of different lengths: bytes, not numbers, are sorted */
        for (uint32_t i = 0, t = draw(seed, TOPICS); i < TOPICS; i++, t = (t + 1) % TOPICS) {
            g->wants[m][t] = equal || draw(seed, 3) > 0;
            if (g->wants[m][t]) g->topics[m][count++] = topic_names[t];
        }
        if (draw(seed, 8) == 0) g->topics[m][count++] = "ghost";
        g->racks[m] = (int32_t)draw(seed, RACKS);
        g->members[m] = (kafka_group_member){ g->ids[m], g->topics[m], count, kafka_string(rack_names[g->racks[m]]) };
    }
}

static void make_group(group *g, uint64_t *seed) {
    memset(g, 0, sizeof *g);
    draw_members(g, seed);
    for (int32_t t = 0; t < TOPICS; t++) {
        g->first[t] = (int32_t)g->partition_count;
        g->counts[t] = (int32_t)draw(seed, PARTITIONS + 1);
        for (int32_t p = 0; p < g->counts[t]; p++) {
            g->leader_racks[t][p] = (int32_t)draw(seed, RACKS);
            g->owners[g->partition_count] = KAFKA_NO_OWNER;
            g->partitions[g->partition_count++] = (kafka_group_partition){ topic_names[t], p, 1, rack_names[g->leader_racks[t][p]] };
        }
    }
}

static void run(group *g, kafka_group_assign_function *assign) {
    assert_int_equal(assign(NULL, g->members, g->member_count, g->partitions, g->partition_count, g->owners), KAFKA_OK);
}

static int32_t owner_of(const group *g, int32_t topic, int32_t partition) { return g->owners[g->first[topic] + partition]; }

/* The subscribers of a topic by id: the place of each is the number of those before it. Returns how many. */
static int32_t subscribers_by_id(const group *g, int32_t topic, int32_t *list) {
    int32_t count = 0;
    for (size_t m = 0; m < g->member_count; m++) {
        int32_t place = 0;
        if (!g->wants[m][topic]) continue;
        for (size_t o = 0; o < g->member_count; o++) place += g->wants[o][topic] && strcmp(g->ids[o], g->ids[m]) < 0;
        list[place] = (int32_t)m;
        count++;
    }
    return count;
}

/* Every partition is at a subscriber when there is one, at nobody else; the subscribers' shares of a topic differ by one at most. */
static void is_complete_and_even(const group *g) {
    for (int32_t t = 0; t < TOPICS; t++) {
        int32_t list[MEMBERS], has[MEMBERS] = { 0 }, count = subscribers_by_id(g, t, list);
        for (int32_t p = 0; p < g->counts[t]; p++) {
            int32_t owner = owner_of(g, t, p);
            assert_int_equal(owner >= 0, count > 0);
            if (count == 0) continue;
            assert_true((size_t)owner < g->member_count && g->wants[owner][t]);
            has[owner]++;
        }
        for (int32_t i = 0; i < count; i++)
            assert_in_range(has[list[i]], g->counts[t] / count, (g->counts[t] + count - 1) / count);
    }
}

/* Partition k falls to the first member whose range ends behind it: member i's ends at (i + 1) * partitions / members. */
static int32_t range_place(int32_t k, int32_t partitions, int32_t members) {
    int32_t i = 0;
    while ((i + 1) * partitions / members <= k) i++;
    return i;
}

static int32_t round_robin_place(int32_t k, int32_t partitions, int32_t members) {
    (void)partitions;
    return k % members;
}

static void equals(kafka_group_assign_function *assign, int32_t (*place)(int32_t k, int32_t partitions, int32_t members), uint64_t seed) {
    for (int round = 0; round < ROUNDS; round++) {
        group g;
        make_group(&g, &seed);
        run(&g, assign);
        is_complete_and_even(&g);
        for (int32_t t = 0; t < TOPICS; t++) {
            int32_t list[MEMBERS], count = subscribers_by_id(&g, t, list);
            for (int32_t p = 0; p < g.counts[t] && count > 0; p++)
                assert_int_equal(owner_of(&g, t, p), list[place(p, g.counts[t], count)]);
        }
    }
}

static void range_equals_its_definition(void **state) { equals(ks_kafka_go_range, range_place, 21); }

static void roundrobin_equals_its_definition(void **state) { equals(ks_kafka_go_round_robin, round_robin_place, 22); }

static int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

/* A rack with R partitions and M members serves each of these with min(R / M, base) of its own partitions or more, base being
 * everybody's share; when it has fewer than M * base of them, all its partitions stay in it. */
static void rack_affinity_is_even_and_serves_its_own_rack_first(void **state) {
    uint64_t seed = 23;
    for (int round = 0; round < ROUNDS; round++) {
        group g;
        make_group(&g, &seed);
        run(&g, ks_kafka_go_rack_affinity);
        is_complete_and_even(&g);
        for (int32_t t = 0; t < TOPICS; t++) {
            int32_t list[MEMBERS], count = subscribers_by_id(&g, t, list);
            for (int32_t rack = 0; rack < RACKS && count > 0; rack++) {
                int32_t offered = 0, stay = 0, local[MEMBERS] = { 0 }, members = 0;
                for (int32_t i = 0; i < count; i++) members += g.racks[list[i]] == rack;
                for (int32_t p = 0; p < g.counts[t]; p++) {
                    if (g.leader_racks[t][p] != rack) continue;
                    offered++;
                    stay += g.racks[owner_of(&g, t, p)] == rack;
                    local[owner_of(&g, t, p)]++;
                }
                if (members == 0) continue;
                int32_t base = g.counts[t] / count;
                assert_true(stay >= least(offered, members * base));
                for (int32_t i = 0; i < count; i++)
                    if (g.racks[list[i]] == rack) assert_true(local[list[i]] >= least(offered / members, base));
            }
        }
    }
}

static void the_order_of_the_members_does_not_matter_where_ids_are_sorted(void **state) {
    uint64_t seed = 24;
    for (int round = 0; round < ROUNDS; round++) {
        group g;
        make_group(&g, &seed);
        group turned = g;
        for (size_t m = 0; m < g.member_count; m++) turned.members[m] = g.members[g.member_count - 1 - m];
        kafka_group_assign_function *assign = draw(&seed, 2) ? ks_kafka_go_range : ks_kafka_go_round_robin;
        run(&g, assign);
        run(&turned, assign);
        for (size_t p = 0; p < g.partition_count; p++)
            assert_int_equal(g.owners[p], turned.owners[p] < 0 ? -1 : (int32_t)g.member_count - 1 - turned.owners[p]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_equals_its_definition),
        cmocka_unit_test(roundrobin_equals_its_definition),
        cmocka_unit_test(rack_affinity_is_even_and_serves_its_own_rack_first),
        cmocka_unit_test(the_order_of_the_members_does_not_matter_where_ids_are_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
