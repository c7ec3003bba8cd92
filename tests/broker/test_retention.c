/* SPDX-License-Identifier: Apache-2.0
 * Retention in virtual time: when the checks happen, what goes, what stays silent (LG-11 to LG-16). */
#include "tests/broker/support/world.h"

static int setup(void **state) {
    *state = calloc(1, sizeof(world));
    world_init(*state, NULL);
    return 0;
}

static int teardown(void **state) {
    world_deinit(*state);
    free(*state);
    return 0;
}

static int64_t elapsed_s(const world *w) { return (ks_now(w->kernel) - KS_START_NS) / KS_S; }

static void put(world *w, ks_topic *topic, int32_t batches) {
    for (int32_t i = 0; i < batches; i++) {
        assert_int_equal(produce(w, topic, 0, make_batch(w, 2, "v", ks_now_ms(w->kernel)))->error_code, 0);
    }
}

static int64_t log_start(const ks_topic *topic) { return ks_log_start_offset(topic->partitions[0]->log); }

static void the_first_check_is_at_30_seconds_then_every_5_minutes(void **state) {
    world *w = *state;
    w->logs = true;
    ks_topic *topic = make_configured(w, "t", "retention.ms", "1000", NULL);
    put(w, topic, 1);
    run_ms(w, 29000);
    assert_i64_equal(log_start(topic), 0);
    run_ms(w, 2000);
    assert_i64_equal(log_start(topic), 2);
    put(w, topic, 1); /* just after the check at 30 s */
    while (elapsed_s(w) < 329) {
        run_ms(w, 1000);
        assert_i64_equal(log_start(topic), 2);
    }
    run_ms(w, 2000); /* the next is at 330 s */
    assert_i64_equal(log_start(topic), 4);
    assert_i64_equal(ks_log_end_offset(topic->partitions[0]->log), 4); /* LG-15 */
    assert_int_equal(seen(w, "segment_deleted"), 2);
    assert_int_equal(seen(w, "log_start_advanced"), 2);
    put(w, topic, 1); /* offsets go on */
    assert_i64_equal(ks_log_end_offset(topic->partitions[0]->log), 6);
}

static void a_week_passes_in_a_few_events(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1); /* seven days */
    put(w, topic, 1);
    run_ms(w, 10);
    uint64_t before = ks_kernel_steps(w->kernel);
    run_ms(w, INT64_C(6) * 24 * 3600 * 1000);
    assert_i64_equal(ks_kernel_steps(w->kernel), before);
    run_ms(w, INT64_C(25) * 3600 * 1000);
    assert_i64_equal(log_start(topic), 2);
    assert_true(ks_kernel_steps(w->kernel) <= before + 2);
    int64_t next;
    assert_false(ks_kernel_next(w->kernel, &next)); /* nothing is left to look for */
}

static void size_keeps_whole_segments(void **state) { /* LG-13 */
    world *w = *state;
    ks_topic *topic =
        make_configured(w, "t", "retention.bytes", "500", "segment.bytes", "200", "retention.ms", "-1", NULL);
    put(w, topic, 12);
    int64_t size = ks_log_size(topic->partitions[0]->log);
    run_ms(w, 31000);
    int64_t left = ks_log_size(topic->partitions[0]->log);
    assert_true(left < size && left >= 500 && left < 500 + 200);
    assert_true(log_start(topic) > 0);
    assert_i64_equal(ks_log_segment_at(topic->partitions[0]->log, 0)->base_offset, log_start(topic));
}

static void compacted_topics_keep_their_segments(void **state) {
    world *w = *state;
    ks_topic *topic = make_configured(w, "t", "cleanup.policy", "compact", "retention.ms", "1", NULL);
    put(w, topic, 2);
    run_ms(w, 400000);
    assert_i64_equal(log_start(topic), 0);
}

static void a_changed_retention_counts_from_the_next_check(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    put(w, topic, 1);
    run_ms(w, 60000);
    ks_topic_config *config = ks_topic_config_copy(topic->config, ks_cluster_settings(w->cluster));
    ks_topic_config_set(config, KS_LITERAL("retention.ms"), KS_LITERAL("5"), ks_cluster_settings(w->cluster), NULL);
    ks_topic_set_config(topic, config);
    run_ms(w, 269000);
    assert_i64_equal(log_start(topic), 0);
    run_ms(w, 2000);
    assert_i64_equal(log_start(topic), 2);
}

static void old_timestamps_kill_fresh_data_at_the_next_check(void **state) { /* LG-12 */
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    assert_int_equal(produce(w, topic, 0, make_batch(w, 1, "v", 1000))->error_code, 0);
    run_ms(w, 31000);
    assert_i64_equal(log_start(topic), 1);
}

static void a_reader_behind_the_log_start_is_out_of_range(void **state) {
    world *w = *state;
    ks_topic *topic = make_configured(w, "t", "retention.ms", "1", NULL);
    put(w, topic, 2);
    run_ms(w, 31000);
    assert_int_equal(fetch(w, topic, 0, 1)->error_code, KAFKA_ERR_OFFSET_OUT_OF_RANGE);
    assert_int_equal(fetch(w, topic, 0, 4)->error_code, 0);
}

static void a_deleted_topic_is_no_longer_looked_at(void **state) {
    world *w = *state;
    ks_topic *topic = make_configured(w, "t", "retention.ms", "1", NULL),
             *other = make_configured(w, "o", "retention.ms", "1", NULL);
    put(w, topic, 1);
    put(w, other, 1);
    ks_cluster_delete_topic(w->cluster, topic);
    run_ms(w, 31000);
    assert_i64_equal(log_start(other), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_check_is_at_30_seconds_then_every_5_minutes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_week_passes_in_a_few_events, setup, teardown),
        cmocka_unit_test_setup_teardown(size_keeps_whole_segments, setup, teardown),
        cmocka_unit_test_setup_teardown(compacted_topics_keep_their_segments, setup, teardown),
        cmocka_unit_test_setup_teardown(a_changed_retention_counts_from_the_next_check, setup, teardown),
        cmocka_unit_test_setup_teardown(old_timestamps_kill_fresh_data_at_the_next_check, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reader_behind_the_log_start_is_out_of_range, setup, teardown),
        cmocka_unit_test_setup_teardown(a_deleted_topic_is_no_longer_looked_at, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
