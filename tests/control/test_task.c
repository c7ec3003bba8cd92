/* SPDX-License-Identifier: Apache-2.0
 * Tasks, join and sleep. */
#include "tests/control/fixture.h"

typedef struct world { /* what the tasks of a test share */
    ksim *sim;
    kafka_address *address;
    kafka_context *ctx;
    char log[4096];
    kafka_error error;
    int count;
} world;

static world make(void **state) {
    world w = { .sim = *state };
    w.address = ksim_client(w.sim, "c1");
    w.ctx = kafka_background(w.address);
    return w;
}

static void say(world *w, const char *word) {
    snprintf(w->log + strlen(w->log), sizeof w->log - strlen(w->log), "%s%s", *w->log ? " " : "", word);
}

static void say_one(void *argument) { say(argument, "one"); }
static void say_two(void *argument) { say(argument, "two"); }

static void a_task_runs_when_its_starter_blocks_not_before(void **state) {
    world w = make(state);
    kafka_task *one = kafka_go(w.ctx, "one", say_one, &w), *two = kafka_go(w.ctx, "two", say_two, &w);
    say(&w, "main");
    assert_int_equal(kafka_join(w.ctx, two), KAFKA_OK);
    assert_int_equal(kafka_join(w.ctx, one), KAFKA_OK);
    assert_string_equal(w.log, "main one two");
    assert_i64_equal(ksim_elapsed(w.sim), 0);
    kafka_address_free(w.address);
}

static void sleeps_a_second(void *argument) {
    world *w = argument;
    say(w, "sleeps");
    w->error = kafka_sleep(w->ctx, KAFKA_SECOND);
    say(w, "slept");
}

static void sleeping_takes_virtual_time_and_nothing_else(void **state) {
    world w = make(state);
    kafka_task *task = kafka_go(w.ctx, "sleeper", sleeps_a_second, &w);
    assert_int_equal(kafka_sleep(w.ctx, KAFKA_SECOND / 2), KAFKA_OK);
    say(&w, "halfway");
    assert_int_equal(kafka_join(w.ctx, task), KAFKA_OK);
    assert_string_equal(w.log, "sleeps halfway slept");
    assert_i64_equal(ksim_elapsed(w.sim), KAFKA_SECOND);
    kafka_address_free(w.address);
}

static void a_sleep_ends_with_its_context(void **state) {
    world w = make(state);
    kafka_context *timeout = kafka_context_with_timeout(w.ctx, 300 * KAFKA_MILLISECOND);
    assert_int_equal(kafka_sleep(timeout, KAFKA_SECOND), KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_i64_equal(ksim_elapsed(w.sim), 300 * KAFKA_MILLISECOND);
    assert_contains(kafka_error_detail(w.address), "kafka_sleep");
    kafka_context_free(timeout);
    kafka_address_free(w.address);
}

static void sleeping_for_nothing_lets_the_others_run(void **state) {
    world w = make(state);
    kafka_task *one = kafka_go(w.ctx, "one", say_one, &w);
    assert_int_equal(kafka_sleep(w.ctx, 0), KAFKA_OK);
    say(&w, "main");
    assert_string_equal(w.log, "one main");
    kafka_task_free(one);
    kafka_address_free(w.address);
}

static void join_of_an_unfinished_task_ends_with_the_context_and_the_task_lives_on(void **state) {
    world w = make(state);
    kafka_task *task = kafka_go(w.ctx, "sleeper", sleeps_a_second, &w);
    kafka_context *soon = kafka_context_with_timeout(w.ctx, KAFKA_MILLISECOND);
    assert_int_equal(kafka_join(soon, task), KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_int_equal(kafka_join(w.ctx, task), KAFKA_OK);
    assert_string_equal(w.log, "sleeps slept");
    kafka_context_free(soon);
    kafka_address_free(w.address);
}

static void a_forgotten_task_runs_on_and_cleans_up_by_itself(void **state) {
    world w = make(state);
    kafka_task_free(kafka_go(w.ctx, "sleeper", sleeps_a_second, &w));
    kafka_task_free(NULL);
    ksim_run_for(w.sim, 2 * KAFKA_SECOND);
    assert_string_equal(w.log, "sleeps slept");
    kafka_address_free(w.address);
}

static void starts_another(void *argument) {
    world *w = argument;
    if (++w->count < 1000) assert_int_equal(kafka_join(w->ctx, kafka_go(w->ctx, "child", starts_another, w)), KAFKA_OK);
}

static void a_thousand_tasks_may_nest(void **state) {
    world w = make(state);
    assert_int_equal(kafka_join(w.ctx, kafka_go(w.ctx, "first", starts_another, &w)), KAFKA_OK);
    assert_int_equal(w.count, 1000);
    kafka_address_free(w.address);
}

static void task_that_runs_the_simulation(void *argument) {
    world *w = argument;
    w->error = ksim_run_for(w->sim, KAFKA_SECOND);
}

static void running_the_simulation_inside_a_task_is_refused(void **state) {
    world w = make(state);
    kafka_join(w.ctx, kafka_go(w.ctx, "runner", task_that_runs_the_simulation, &w));
    assert_int_equal(w.error, KAFKA_ERR_WRONG_PLACE);
    assert_contains(ksim_error_detail(w.sim), "kafka_sleep()");
    kafka_address_free(w.address);
}

static void fixture_in_task(void *argument) {
    world *w = argument;
    w->error = ksim_create_topic(w->sim, "made-in-a-task", 2);
}

static void fixtures_work_inside_a_task(void **state) {
    world w = make(state);
    kafka_join(w.ctx, kafka_go(w.ctx, "maker", fixture_in_task, &w));
    assert_int_equal(w.error, KAFKA_OK);
    assert_non_null(ksim_topic_find(w.sim, "made-in-a-task"));
    kafka_address_free(w.address);
}

static void sleeps_for_ever(void *argument) {
    world *w = argument;
    while (w->error == KAFKA_OK) w->error = kafka_sleep(w->ctx, KAFKA_SECOND);
    w->count++;
}

static void a_crash_ends_the_blocked_and_later_calls_of_its_tasks(void **state) {
    world w = make(state);
    kafka_task *task = kafka_go(w.ctx, "sleeper", sleeps_for_ever, &w);
    ksim_run_for(w.sim, 1500 * KAFKA_MILLISECOND);
    assert_int_equal(ksim_crash(w.sim, "c1"), KAFKA_OK);
    ksim_run_for(w.sim, 0);
    assert_int_equal(w.error, KAFKA_ERR_NODE_CRASHED);
    assert_int_equal(w.count, 1);
    assert_int_equal(kafka_context_error(w.ctx), KAFKA_ERR_NODE_CRASHED);
    assert_int_equal(kafka_sleep(w.ctx, 1), KAFKA_ERR_NODE_CRASHED);
    assert_int_equal(ksim_restart(w.sim, "c1"), KAFKA_OK);
    assert_int_equal(kafka_sleep(w.ctx, 1), KAFKA_ERR_NODE_CRASHED); /* what was made before the crash stays dead */
    assert_int_equal(kafka_sleep(kafka_background(w.address), 1), KAFKA_OK);
    kafka_join(kafka_background(w.address), task);
    ksim_crash(w.sim, "c1"); /* and it can crash again */
    assert_int_equal(kafka_context_error(kafka_background(w.address)), KAFKA_ERR_NODE_CRASHED);
    kafka_address_free(w.address);
}

static void a_paused_client_stands_still_and_goes_on_when_resumed(void **state) {
    world w = make(state);
    kafka_task_free(kafka_go(w.ctx, "sleeper", sleeps_a_second, &w));
    ksim_run_for(w.sim, KAFKA_SECOND / 2);
    ksim_pause(w.sim, "c1");
    ksim_run_for(w.sim, 10 * KAFKA_SECOND);
    assert_string_equal(w.log, "sleeps");
    ksim_resume(w.sim, "c1");
    ksim_run_for(w.sim, 0);
    assert_string_equal(w.log, "sleeps slept");
    kafka_address_free(w.address);
}

static void killing_a_paused_client_lets_its_tasks_unwind(void **state) {
    world w = make(state);
    kafka_task_free(kafka_go(w.ctx, "sleeper", sleeps_for_ever, &w));
    ksim_run_for(w.sim, KAFKA_SECOND / 2);
    ksim_pause(w.sim, "c1");
    ksim_crash(w.sim, "c1");
    ksim_run_for(w.sim, 0);
    assert_int_equal(w.error, KAFKA_ERR_NODE_CRASHED);
    kafka_address_free(w.address);
}

static void arguments_that_are_missing_are_refused(void **state) {
    world w = make(state);
    kafka_task *task = kafka_go(w.ctx, NULL, say_one, &w);
    assert_null(kafka_go(NULL, "x", say_one, &w));
    assert_null(kafka_go(w.ctx, "x", NULL, &w));
    assert_int_equal(kafka_join(NULL, task), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_join(w.ctx, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_sleep(NULL, 1), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_join(w.ctx, task), KAFKA_OK);
    kafka_address_free(w.address);
}

/* A pattern over the whole stack, so that a switch that mixes stacks up shows. */
static void fills_its_stack(void *argument) {
    world *w = argument;
    volatile unsigned char bytes[32 * 1024];
    unsigned char mark = (unsigned char)++w->count;
    memset((void *)(uintptr_t)bytes, mark, sizeof bytes);
    for (int i = 0; i < 5; i++) {
        kafka_sleep(w->ctx, KAFKA_MILLISECOND);
        for (size_t at = 0; at < sizeof bytes; at += 97) {
            if (bytes[at] != mark) w->error = KAFKA_ERR_USER;
        }
    }
}

static void each_task_has_a_stack_of_its_own(void **state) {
    world w = make(state);
    kafka_task *tasks[50];
    for (size_t i = 0; i < 50; i++) tasks[i] = kafka_go(w.ctx, "filler", fills_its_stack, &w);
    for (size_t i = 0; i < 50; i++) assert_int_equal(kafka_join(w.ctx, tasks[i]), KAFKA_OK);
    assert_int_equal(w.error, KAFKA_OK);
    kafka_address_free(w.address);
}

static void keeps_floating_point(void *argument) {
    world *w = argument;
    double sum = 0;
    for (int i = 0; i < 100; i++) {
        sum += 0.1;
        kafka_sleep(w->ctx, 0);
    }
    if (sum < 9.9999999 || sum > 10.0000001) w->error = KAFKA_ERR_USER;
}

static void floating_point_survives_the_switches(void **state) {
    world w = make(state);
    kafka_task *a = kafka_go(w.ctx, "a", keeps_floating_point, &w), *b = kafka_go(w.ctx, "b", keeps_floating_point, &w);
    kafka_join(w.ctx, a);
    kafka_join(w.ctx, b);
    assert_int_equal(w.error, KAFKA_OK);
    kafka_address_free(w.address);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_task_runs_when_its_starter_blocks_not_before),
        TEST(sleeping_takes_virtual_time_and_nothing_else),
        TEST(a_sleep_ends_with_its_context),
        TEST(sleeping_for_nothing_lets_the_others_run),
        TEST(join_of_an_unfinished_task_ends_with_the_context_and_the_task_lives_on),
        TEST(a_forgotten_task_runs_on_and_cleans_up_by_itself),
        TEST(a_thousand_tasks_may_nest),
        TEST(running_the_simulation_inside_a_task_is_refused),
        TEST(fixtures_work_inside_a_task),
        TEST(a_crash_ends_the_blocked_and_later_calls_of_its_tasks),
        TEST(a_paused_client_stands_still_and_goes_on_when_resumed),
        TEST(killing_a_paused_client_lets_its_tasks_unwind),
        TEST(arguments_that_are_missing_are_refused),
        TEST(each_task_has_a_stack_of_its_own),
        TEST(floating_point_survives_the_switches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
