/* SPDX-License-Identifier: Apache-2.0
 * Seeded streams: the same for the same seed, independent of each other, uniform. */
#include "tests/kernel/fixture.h"

static ks_kernel *seeded(uint64_t seed) { return ks_kernel_new(&(ks_kernel_config){ .seed = seed }); }

static void a_draw_in_one_stream_disturbs_no_other(void **state) {
    (void)state;
    ks_kernel *a = seeded(7), *b = seeded(7);
    for (int s = 0; s < KS_STREAM_COUNT; s++) {
        for (int i = 0; i < 10 * s; i++) ks_random(a, KS_STREAM_NETWORK); /* only a */
        if (s == KS_STREAM_NETWORK) continue;
        for (int i = 0; i < 10; i++) assert_true(ks_random(a, (ks_stream)s) == ks_random(b, (ks_stream)s));
    }
    ks_kernel_free(a);
    ks_kernel_free(b);
}

static void streams_and_seeds_differ(void **state) {
    (void)state;
    uint64_t first[64][KS_STREAM_COUNT];
    for (uint64_t seed = 0; seed < 64; seed++) {
        ks_kernel *kernel = seeded(seed);
        for (int s = 0; s < KS_STREAM_COUNT; s++) first[seed][s] = ks_random(kernel, (ks_stream)s);
        ks_kernel_free(kernel);
    }
    uint64_t *all = &first[0][0];
    for (size_t i = 0; i < sizeof first / sizeof *all; i++)
        for (size_t j = 0; j < i; j++) assert_true(all[i] != all[j]);
}

static void a_nodes_stream_comes_from_its_name_not_from_its_number(void **state) {
    (void)state;
    ks_kernel *a = seeded(7), *b = seeded(7);
    ks_node_new(a, "first", NULL, NULL);
    ks_node *x = ks_node_new(a, "c1", NULL, NULL), *y = ks_node_new(b, "c1", NULL, NULL);
    ks_node *z = ks_node_new(b, "c2", NULL, NULL);
    int same = 0;
    for (int i = 0; i < 64; i++) {
        uint64_t drawn = ks_node_random_below(x, UINT64_C(1) << 60);
        assert_true(drawn == ks_node_random_below(y, UINT64_C(1) << 60));
        same += drawn == ks_node_random_below(z, UINT64_C(1) << 60);
    }
    assert_int_equal(same, 0);
    ks_kernel_free(a);
    ks_kernel_free(b);
}

static void draws_below_a_bound_are_uniform(void **state) {
    (void)state;
    ks_kernel *kernel = seeded(1);
    int counts[10] = { 0 };
    for (int i = 0; i < 100000; i++) counts[ks_random_below(kernel, KS_STREAM_TEST, 10)]++;
    for (int i = 0; i < 10; i++) assert_in_range(counts[i], 9600, 10400);
    for (int i = 0; i < 100; i++) assert_int_equal(ks_random_below(kernel, KS_STREAM_TEST, 1), 0);
    for (int i = 0; i < 100; i++) assert_true(ks_random_below(kernel, KS_STREAM_TEST, UINT64_MAX) < UINT64_MAX);
    ks_kernel_free(kernel);
}

/* Pinned, so that a change of the generator does not pass unnoticed: every golden file would change with it. */
static void the_numbers_are_the_same_on_every_machine(void **state) {
    (void)state;
    ks_kernel *kernel = seeded(42);
    ks_node *node = ks_node_new(kernel, "broker-1", NULL, NULL);
    uint64_t network = ks_random(kernel, KS_STREAM_NETWORK), ids = ks_random(kernel, KS_STREAM_IDS);
    uint64_t own = ks_node_random_below(node, UINT64_C(1) << 63);
    char text[96];
    snprintf(text, sizeof text, "%016llx %016llx %016llx", (unsigned long long)network, (unsigned long long)ids,
             (unsigned long long)own);
    assert_string_equal(text, "19e479e2aaa77bfb f61d2902a4046bba 4b6ac11522c3e522");
    ks_kernel_free(kernel);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draw_in_one_stream_disturbs_no_other),
        cmocka_unit_test(streams_and_seeds_differ),
        cmocka_unit_test(a_nodes_stream_comes_from_its_name_not_from_its_number),
        cmocka_unit_test(draws_below_a_bound_are_uniform),
        cmocka_unit_test(the_numbers_are_the_same_on_every_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
