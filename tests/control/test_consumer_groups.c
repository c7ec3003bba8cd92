/* SPDX-License-Identifier: Apache-2.0
 * kafka_consumer_group and kafka_generation against a simulated cluster (kafka-go-client.md 6). */
#include "tests/control/reader_fixture.h"

#include <kafkasim/task.h>

static const char *const orders[] = { "orders" };
#define BILLING(client)                                                                                                \
    (kafka_consumer_group_config) { .address = (client), .group_id = "billing", .topics = orders, .topic_count = 1 }

static kafka_consumer_group *group_of(kafka_consumer_group_config config) {
    kafka_consumer_group *group = NULL;
    assert_ok(config.address, kafka_consumer_group_new(&config, &group));
    return group;
}

static kafka_generation *next_of(kafka_address *address, kafka_consumer_group *group, kafka_duration limit) {
    kafka_context *ctx = kafka_context_with_timeout(kafka_background(address), limit);
    kafka_generation *generation = NULL;
    assert_ok(address, kafka_consumer_group_next(group, ctx, &generation));
    kafka_context_free(ctx);
    return generation;
}

static void close_group(kafka_address *address, kafka_consumer_group *group) {
    assert_ok(address, kafka_consumer_group_close(group));
    kafka_consumer_group_free(group);
}

static void a_generation_says_what_is_owned_and_where_to_go_on(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 2));
    assert_sim(f->sim, ksim_set_committed_offset(f->sim, "billing", "orders", 1, 17));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_consumer_group *group = group_of(BILLING(c1));
    kafka_generation *generation = next_of(c1, group, KAFKA_SECOND);
    assert_int_equal(kafka_generation_id(generation), 1);
    assert_string_equal(kafka_generation_group_id(generation), "billing");
    assert_string_equal(kafka_generation_member_id(generation), ksim_group_find(f->sim, "billing")->members[0].id);
    const kafka_partition_assignment *owned;
    assert_int_equal(kafka_generation_assignments(generation, &owned), 2);
    assert_string_equal(owned[0].topic, "orders");
    assert_int_equal(owned[0].partition, 0);
    assert_i64_equal(owned[0].offset, KAFKA_FIRST_OFFSET);
    assert_int_equal(owned[1].partition, 1);
    assert_i64_equal(owned[1].offset, 17);
    assert_int_equal(kafka_context_error(kafka_generation_context(generation)), KAFKA_OK);
    close_group(c1, group);
    assert_int_equal(kafka_context_error(kafka_generation_context(generation)), KAFKA_ERR_GENERATION_ENDED);
    assert_int_equal(kafka_generation_assignments(generation, &owned), 2); /* still to be read */
    kafka_generation_free(generation);
    kafka_address_free(c1);
}

static void next_gives_errors_of_its_context_and_of_close(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_consumer_group *group = group_of(BILLING(c1));
    kafka_generation *generation = next_of(c1, group, KAFKA_SECOND), *none = NULL;
    kafka_context *ctx = kafka_context_with_timeout(kafka_background(c1), 10 * KAFKA_SECOND);
    assert_error(c1, kafka_consumer_group_next(group, ctx, &none), KAFKA_ERR_DEADLINE_EXCEEDED);
    kafka_context_free(ctx);
    kafka_generation_free(generation);
    assert_ok(c1, kafka_consumer_group_close(group));
    assert_ok(c1, kafka_consumer_group_close(group));
    assert_error(c1, kafka_consumer_group_next(group, kafka_background(c1), &none), KAFKA_ERR_GROUP_CLOSED);
    assert_null(none);
    kafka_consumer_group_free(group);
    kafka_address_free(c1);
}

/* ---- functions ---- */

typedef struct function {
    kafka_error error; /* its context's */
    bool began, ended;
    kafka_duration linger;
    bool at_once;
    kafka_context *background;
} function;

static void run(kafka_context *ctx, void *argument) {
    function *state = argument;
    state->began = true;
    if (!state->at_once)
        state->error = kafka_sleep(ctx, KAFKA_HOUR);
    else
        state->error = kafka_context_error(ctx);
    if (state->linger) kafka_sleep(state->background, state->linger);
    state->ended = true;
}

static void a_function_that_returns_ends_the_generation(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_consumer_group *group = group_of(BILLING(c1));
    kafka_generation *first = next_of(c1, group, KAFKA_SECOND);
    function waits = { .error = KAFKA_ERR_USER }, returns = { .at_once = true };
    assert_ok(c1, kafka_generation_start(first, "waits", run, &waits));
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_SECOND));
    assert_true(waits.began && !waits.ended);
    assert_ok(c1, kafka_generation_start(first, "returns", run, &returns));
    kafka_generation *second = next_of(c1, group, 100 * KAFKA_MILLISECOND);
    assert_int_equal(waits.error, KAFKA_ERR_GENERATION_ENDED);
    assert_int_equal(kafka_generation_id(second), 2);
    assert_string_equal(kafka_generation_member_id(first), kafka_generation_member_id(second));
    kafka_generation_free(first);
    kafka_generation_free(second);
    close_group(c1, group);
    kafka_address_free(c1);
}

static void a_function_that_ignores_its_context_holds_the_member_out(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 2));
    kafka_address *c1 = ksim_client(f->sim, "c1"), *c2 = ksim_client(f->sim, "c2");
    kafka_consumer_group *group = group_of(BILLING(c1));
    kafka_generation *generation = next_of(c1, group, KAFKA_SECOND);
    function slow = { .linger = 10 * KAFKA_SECOND, .background = kafka_background(c1) };
    assert_ok(c1, kafka_generation_start(generation, "slow", run, &slow));
    kafka_generation_free(generation);
    kafka_consumer_group *other = group_of(BILLING(c2));
    int64_t before = ms(f->sim);
    generation = next_of(c2, other, KAFKA_MINUTE);
    assert_true(ms(f->sim) - before > 10000); /* the rebalance waited for c1 */
    const kafka_partition_assignment *owned;
    assert_int_equal(kafka_generation_assignments(generation, &owned), 1);
    kafka_generation_free(generation);
    close_group(c1, group);
    close_group(c2, other);
    kafka_address_free(c1);
    kafka_address_free(c2);
}

static void a_function_started_after_the_end_sees_an_ended_context(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_consumer_group *group = group_of(BILLING(c1));
    kafka_generation *generation = next_of(c1, group, KAFKA_SECOND);
    close_group(c1, group);
    function late = { .at_once = true };
    assert_ok(c1, kafka_generation_start(generation, "late", run, &late));
    kafka_generation_free(generation);
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_SECOND));
    assert_true(late.ended);
    assert_int_equal(late.error, KAFKA_ERR_GENERATION_ENDED);
    kafka_address_free(c1);
}

/* ---- commits ---- */

static void a_generation_commits_under_its_own_number(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 2));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_consumer_group *group = group_of(BILLING(c1));
    kafka_generation *generation = next_of(c1, group, KAFKA_SECOND);
    kafka_context *ctx = kafka_background(c1);
    const kafka_partition_offset offsets[] = {
        { "orders", 1, 5 }, { "orders", 0, 2 }, { "orders", 1, 9 }, { "orders", 1, 7 }
    };
    ksim_rule *commits = ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "OffsetCommit", .action = KSIM_COUNT });
    assert_ok(c1, kafka_generation_commit(generation, ctx, offsets, 0));
    assert_i64_equal((int64_t)ksim_rule_matched(commits), 0);
    assert_ok(c1, kafka_generation_commit(generation, ctx, offsets, 4));
    assert_i64_equal(ksim_committed_offset(f->sim, "billing", "orders", 0), 2);
    assert_i64_equal(ksim_committed_offset(f->sim, "billing", "orders", 1), 9);
    const kafka_partition_offset rewind = { "orders", 1, 1 };
    assert_ok(c1, kafka_generation_commit(generation, ctx, &rewind, 1));
    assert_i64_equal(ksim_committed_offset(f->sim, "billing", "orders", 1), 1);
    const kafka_partition_offset wrong = { NULL, 1, 1 };
    assert_error(c1, kafka_generation_commit(generation, ctx, &wrong, 1), KAFKA_ERR_INVALID_ARGUMENT);
    assert_sim(f->sim, ksim_expel_member(f->sim, "billing", "c1"));
    assert_error(c1, kafka_generation_commit(generation, ctx, offsets, 1), KAFKA_ERR_UNKNOWN_MEMBER_ID);
    assert_sim(f->sim, ksim_run_for(f->sim, 4 * KAFKA_SECOND)); /* the heartbeat has ended it, the member has gone on */
    assert_error(c1, kafka_generation_commit(generation, ctx, offsets, 1), KAFKA_ERR_GENERATION_ENDED);
    kafka_generation_free(generation);
    close_group(c1, group);
    kafka_address_free(c1);
}

/* ---- the loop ---- */

static void a_result_is_handed_out_before_the_loop_goes_on(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 2));
    kafka_address *c1 = ksim_client(f->sim, "c1"), *c2 = ksim_client(f->sim, "c2");
    kafka_consumer_group *idle = group_of(BILLING(c1)); /* nobody calls next */
    assert_sim(f->sim, ksim_run_for(f->sim, 5 * KAFKA_SECOND));
    kafka_consumer_group *other = group_of(BILLING(c2));
    kafka_context *ctx = kafka_context_with_timeout(kafka_background(c2), 20 * KAFKA_SECOND);
    kafka_generation *generation = NULL;
    assert_error(c2, kafka_consumer_group_next(other, ctx, &generation),
                 KAFKA_ERR_DEADLINE_EXCEEDED); /* c1 does not rejoin */
    kafka_context_free(ctx);
    generation = next_of(c1, idle, KAFKA_SECOND);
    assert_int_equal(kafka_context_error(kafka_generation_context(generation)), KAFKA_ERR_GENERATION_ENDED);
    kafka_generation_free(generation);
    generation = next_of(c1, idle, 10 * KAFKA_SECOND);
    assert_int_equal(kafka_context_error(kafka_generation_context(generation)), KAFKA_OK);
    kafka_generation_free(generation);
    generation = next_of(c2, other, 10 * KAFKA_SECOND);
    kafka_generation_free(generation);
    close_group(c1, idle);
    close_group(c2, other);
    kafka_address_free(c1);
    kafka_address_free(c2);
}

static void a_failed_round_is_reported_and_followed_by_the_backoff(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "OffsetFetch",
                                               .first = 1,
                                               .action = KSIM_ANSWER_ERROR,
                                               .error = KAFKA_ERR_NOT_COORDINATOR });
    ksim_rule *leaves = ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "LeaveGroup", .action = KSIM_COUNT });
    kafka_consumer_group *group = group_of(BILLING(c1));
    kafka_generation *generation = NULL;
    assert_error(c1, kafka_consumer_group_next(group, kafka_background(c1), &generation), KAFKA_ERR_NOT_COORDINATOR);
    if (strstr(kafka_error_detail(c1), "OffsetFetch") == NULL) fail_msg("%s", kafka_error_detail(c1));
    assert_i64_equal((int64_t)ksim_rule_matched(leaves), 1);
    int64_t before = ms(f->sim);
    generation = next_of(c1, group, 10 * KAFKA_SECOND);
    assert_true(ms(f->sim) - before >= 5000 && ms(f->sim) - before < 5100);
    kafka_generation_free(generation);
    close_group(c1, group);
    kafka_address_free(c1);
}

static void a_rebalance_during_sync_is_reported_and_the_member_kept(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    ksim_rule *rule = ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "SyncGroup",
                                                                 .first = 1,
                                                                 .action = KSIM_ANSWER_ERROR,
                                                                 .error = KAFKA_ERR_REBALANCE_IN_PROGRESS });
    ksim_rule *leaves = ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "LeaveGroup", .action = KSIM_COUNT });
    kafka_consumer_group *group = group_of(BILLING(c1));
    kafka_generation *generation = NULL;
    assert_error(c1, kafka_consumer_group_next(group, kafka_background(c1), &generation),
                 KAFKA_ERR_REBALANCE_IN_PROGRESS);
    int64_t before = ms(f->sim);
    generation = next_of(c1, group, 10 * KAFKA_SECOND);
    assert_true(ms(f->sim) - before < 100);               /* at once */
    assert_int_equal(kafka_generation_id(generation), 1); /* the same member asked again: no new generation */
    assert_i64_equal((int64_t)ksim_rule_matched(leaves), 0);
    assert_i64_equal((int64_t)ksim_rule_fired(rule), 1);
    kafka_generation_free(generation);
    close_group(c1, group);
    kafka_address_free(c1);
}

static void a_crash_ends_the_generation_and_its_functions(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_consumer_group *group = group_of(BILLING(c1));
    kafka_generation *generation = next_of(c1, group, KAFKA_SECOND);
    function waits = { 0 };
    assert_ok(c1, kafka_generation_start(generation, "waits", run, &waits));
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_SECOND));
    assert_sim(f->sim, ksim_crash(f->sim, "c1"));
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_SECOND));
    assert_true(waits.ended);
    assert_true(waits.error == KAFKA_ERR_NODE_CRASHED || waits.error == KAFKA_ERR_GENERATION_ENDED);
    kafka_generation *none = NULL;
    assert_error(c1, kafka_consumer_group_next(group, kafka_background(c1), &none), KAFKA_ERR_NODE_CRASHED);
    assert_error(c1, kafka_consumer_group_close(group), KAFKA_ERR_NODE_CRASHED);
    assert_error(c1, kafka_generation_start(generation, "late", run, &waits), KAFKA_ERR_NODE_CRASHED);
    kafka_generation_free(generation);
    kafka_consumer_group_free(group);
    kafka_address_free(c1);
}

static void wrong_settings_are_refused_with_the_field_named(void **state) {
    fixture *f = *state;
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_group_balancer nameless = { 0 }, twice[] = { kafka_group_balancer_range(), kafka_group_balancer_range() };
    static const char *const hole[] = { "orders", NULL };
    const struct {
        kafka_consumer_group_config config;
        const char *names;
    } rows[] = {
        { { .group_id = "g" }, "topics" },
        { { .group_id = "g", .topics = hole, .topic_count = 2 }, "topics" },
        { { .topics = orders, .topic_count = 1 }, "group_id" },
        { { .group_id = "g", .topics = orders, .topic_count = 1, .heartbeat_interval = -1 }, "heartbeat_interval" },
        { { .group_id = "g", .topics = orders, .topic_count = 1, .retention_time = -KAFKA_SECOND }, "retention_time" },
        { { .group_id = "g", .topics = orders, .topic_count = 1, .partition_watch_interval = -1 },
          "partition_watch_interval" },
        { { .group_id = "g", .topics = orders, .topic_count = 1, .start_offset = 5 }, "start_offset" },
        { { .group_id = "g", .topics = orders, .topic_count = 1, .timeout = -1 }, "timeout" },
        { { .group_id = "g",
            .topics = orders,
            .topic_count = 1,
            .group_balancers = &nameless,
            .group_balancer_count = 1 },
          "group_balancers" },
        { { .group_id = "g", .topics = orders, .topic_count = 1, .group_balancers = twice, .group_balancer_count = 2 },
          "range" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        kafka_consumer_group_config config = rows[i].config;
        kafka_consumer_group *group = NULL;
        config.address = c1;
        assert_error(c1, kafka_consumer_group_new(&config, &group), KAFKA_ERR_INVALID_CONFIG_VALUE);
        assert_null(group);
        if (strstr(kafka_error_detail(c1), rows[i].names) == NULL) fail_msg("row %zu: %s", i, kafka_error_detail(c1));
    }
    kafka_consumer_group *group = NULL;
    assert_int_equal(kafka_consumer_group_new(NULL, &group), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_consumer_group_new(&BILLING(NULL), &group), KAFKA_ERR_INVALID_CONFIG_VALUE);
    kafka_address_free(c1);
}

static void what_is_left_open_is_freed_with_the_simulator(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_consumer_group *group = group_of(BILLING(c1));
    kafka_generation *generation = next_of(c1, group, KAFKA_SECOND);
    static function waits;
    waits = (function){ 0 };
    assert_ok(c1, kafka_generation_start(generation, "waits", run, &waits));
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_SECOND));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_generation_says_what_is_owned_and_where_to_go_on),
        TEST(next_gives_errors_of_its_context_and_of_close),
        TEST(a_function_that_returns_ends_the_generation),
        TEST(a_function_that_ignores_its_context_holds_the_member_out),
        TEST(a_function_started_after_the_end_sees_an_ended_context),
        TEST(a_generation_commits_under_its_own_number),
        TEST(a_result_is_handed_out_before_the_loop_goes_on),
        TEST(a_failed_round_is_reported_and_followed_by_the_backoff),
        TEST(a_rebalance_during_sync_is_reported_and_the_member_kept),
        TEST(a_crash_ends_the_generation_and_its_functions),
        TEST(wrong_settings_are_refused_with_the_field_named),
        TEST(what_is_left_open_is_freed_with_the_simulator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
