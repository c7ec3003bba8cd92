/* SPDX-License-Identifier: Apache-2.0
 * A blocked call never hangs: reports of who waits for what; loops that never end; jumps out of tasks and callbacks. */
#include "tests/control/fixture.h"

#include "sim/control/sim.h"

#include <pthread.h>

typedef struct world {
    ksim *sim;
    kafka_address *address;
    kafka_context *ctx;
    kafka_channel *channel;
    kafka_error error;
    int count;
} world;

static world make(ksim *sim) {
    world w = { .sim = sim };
    w.address = ksim_client(sim, "c1");
    w.ctx = kafka_background(w.address);
    w.channel = kafka_channel_new(w.ctx, 0);
    return w;
}

static void done(world *w) {
    kafka_channel_free(w->channel);
    kafka_address_free(w->address);
}

static void receives(void *argument) {
    world *w = argument;
    void *item;
    w->error = kafka_channel_receive(w->channel, w->ctx, &item);
}

/* ---- nothing can wake it ---- */

static void a_call_that_nothing_can_wake_ends_after_ten_minutes_with_who_waits_for_what(void **state) {
    world w = make(*state);
    ksim_run_for(w.sim, 4 * KAFKA_SECOND);
    kafka_task *task = kafka_go(w.ctx, "drain", receives, &w);
    assert_int_equal(kafka_join(w.ctx, task), KAFKA_ERR_NOTHING_CAN_WAKE);
    assert_true(ksim_elapsed(w.sim) <= 605 * KAFKA_SECOND);
    assert_contains(kafka_error_detail(w.address), "c1: kafka_join: task drain of c1, since 4.000 s");
    assert_contains(kafka_error_detail(w.address),
                    "c1 (task drain): kafka_channel_receive: a channel of capacity 0, since 4.000 s");
    assert_int_equal(kafka_join(w.ctx, task), KAFKA_OK); /* its call ended too */
    assert_int_equal(w.error, KAFKA_ERR_NOTHING_CAN_WAKE);
    done(&w);
}

static void the_span_can_be_configured(void **state) {
    (void)state;
    ksim *sim = ksim_new(&(ksim_config){ .stuck_after = 3 * KAFKA_SECOND });
    world w = make(sim);
    receives(&w);
    assert_int_equal(w.error, KAFKA_ERR_NOTHING_CAN_WAKE);
    assert_true(ksim_elapsed(sim) <= 3 * KAFKA_SECOND);
    done(&w);
    ksim_free(sim);
}

static void sleeps_an_hour(void *argument) {
    world *w = argument;
    kafka_sleep(w->ctx, KAFKA_HOUR);
    kafka_channel_close(w->channel);
}

static void nobody_is_stuck_while_someone_sleeps(void **state) {
    world w = make(*state);
    kafka_task *task = kafka_go(w.ctx, "sleeper", sleeps_an_hour, &w);
    receives(&w);
    assert_int_equal(w.error, KAFKA_ERR_CLOSED);
    assert_i64_equal(ksim_elapsed(w.sim), KAFKA_HOUR);
    kafka_join(w.ctx, task);
    done(&w);
}

static void a_call_with_a_deadline_waits_for_it_however_long(void **state) {
    world w = make(*state);
    void *item;
    kafka_context *day = kafka_context_with_timeout(w.ctx, 24 * KAFKA_HOUR);
    assert_int_equal(kafka_channel_receive(w.channel, day, &item), KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_i64_equal(ksim_elapsed(w.sim), 24 * KAFKA_HOUR);
    kafka_context_free(day);
    done(&w);
}

static void running_for_a_span_may_idle_as_long_as_it_says(void **state) {
    world w = make(*state);
    kafka_task_free(kafka_go(w.ctx, "drain", receives, &w));
    assert_int_equal(ksim_run_for(w.sim, 48 * KAFKA_HOUR), KAFKA_OK);
    assert_int_equal(w.error, KAFKA_OK);
    kafka_channel_close(w.channel);
    ksim_run_for(w.sim, 0);
    assert_int_equal(w.error, KAFKA_ERR_CLOSED);
    done(&w);
}

static void reading_an_empty_topic_for_ever_is_being_stuck(void **state) {
    ksim *sim = *state;
    kafka_address *address = ksim_client(sim, "c1"), *producer = ksim_client(sim, "producer");
    kafka_reader *reader;
    kafka_writer *writer;
    kafka_message message;
    ksim_create_topic(sim, "orders", 3);
    assert_kafka_ok(
        sim, address,
        kafka_reader_new(&(kafka_reader_config){ .address = address, .topic = "orders", .group_id = "billing" },
                         &reader));
    assert_kafka_ok(
        sim, producer,
        kafka_writer_new(
            &(kafka_writer_config){ .address = producer, .topic = "orders", .required_acks = KAFKA_ACKS_ALL },
            &writer));
    assert_kafka_ok(sim, producer,
                    kafka_writer_write(writer, kafka_background(producer),
                                       &(kafka_message){ .value = kafka_string("the only one") }, 1, NULL));
    assert_kafka_ok(sim, address, kafka_reader_read(reader, kafka_background(address), &message));
    kafka_message_release(&message);
    kafka_time read_at = ksim_elapsed(sim);
    assert_int_equal(kafka_reader_read(reader, kafka_background(address), &message), KAFKA_ERR_NOTHING_CAN_WAKE);
    assert_true(ksim_elapsed(sim) - read_at <= 620 * KAFKA_SECOND);
    assert_contains(kafka_error_detail(address), "kafka_reader_");
    assert_contains(kafka_error_detail(address), "billing");
    kafka_writer_close(writer);
    kafka_writer_free(writer);
    kafka_reader_close(reader);
    kafka_reader_free(reader);
    kafka_address_free(address);
    kafka_address_free(producer);
}

static void sleeping_for_ever_is_being_stuck(void **state) {
    world w = make(*state);
    assert_int_equal(kafka_sleep(w.ctx, INT64_MAX), KAFKA_ERR_NOTHING_CAN_WAKE);
    kafka_context *far = kafka_context_with_timeout(w.ctx, INT64_MAX);
    void *item;
    assert_int_equal(kafka_channel_receive(w.channel, far, &item), KAFKA_ERR_NOTHING_CAN_WAKE);
    assert_true(ksim_elapsed(w.sim) <= 1201 * KAFKA_SECOND);
    kafka_context_free(far);
    done(&w);
}

static void tries_again(ks_timer *timer) { ks_timer_start(timer->owner, timer, KAFKA_SECOND); }

static void trying_in_vain_ends_too_after_a_day(void **state) {
    world w = make(*state);
    ks_timer timer;
    ks_timer_init(&timer, NULL, tries_again, w.sim->kernel);
    ks_timer_start(w.sim->kernel, &timer, 0);
    receives(&w);
    assert_int_equal(w.error, KAFKA_ERR_NOTHING_CAN_WAKE);
    assert_contains(kafka_error_detail(w.address), "again and again without success");
    assert_i64_equal(ksim_elapsed(w.sim), 24 * KAFKA_HOUR);
    ks_timer_stop(&timer);
    done(&w);
}

static void polling_without_brokers_ends(void **state) {
    ksim *sim = *state;
    kafka_address *address = ksim_client(sim, "c1");
    kafka_consumer *consumer;
    kafka_records *records = NULL;
    const char *settings[] = { "group.id=billing" }, *topics[] = { "orders" };
    for (int32_t broker = 1; broker <= 3; broker++) ksim_stop_broker(sim, broker);
    assert_kafka_ok(
        sim, address,
        kafka_consumer_new(&(kafka_consumer_config){ .address = address, .settings = settings, .setting_count = 1 },
                           &consumer));
    kafka_consumer_subscribe(consumer, topics, 1, NULL);
    assert_int_equal(kafka_consumer_poll(consumer, kafka_background(address), INT64_MAX, &records),
                     KAFKA_ERR_NOTHING_CAN_WAKE);
    assert_contains(kafka_error_detail(address), "c1: kafka_consumer_poll: group billing, since 0.000 s");
    kafka_consumer_close(consumer);
    kafka_consumer_free(consumer);
    kafka_address_free(address);
}

static void the_report_says_that_a_process_is_paused(void **state) {
    world w = make(*state);
    ksim_pause(w.sim, "c1");
    kafka_context *soon = kafka_context_with_timeout(w.ctx, KAFKA_SECOND);
    (void)soon;
    receives(&w);
    assert_int_equal(w.error, KAFKA_ERR_NOTHING_CAN_WAKE);
    assert_contains(kafka_error_detail(w.address), "(this process is paused; ksim_resume() wakes it)");
    kafka_context_free(soon);
    done(&w);
}

/* Another client, whose consumer sends heartbeats and polls for ever when `polls` runs as a task. */
typedef struct neighbour {
    kafka_address *address;
    kafka_context *ctx;
    kafka_consumer *consumer;
    kafka_error error;
    int polls;
} neighbour;

static neighbour move_in(ksim *sim) {
    const char *settings[] = { "group.id=billing" }, *topics[] = { "orders" };
    neighbour n = { .address = ksim_client(sim, "c2") };
    kafka_records *records = NULL;
    n.ctx = kafka_background(n.address);
    ksim_create_topic(sim, "orders", 1);
    kafka_consumer_config config = { .address = n.address, .settings = settings, .setting_count = 1 };
    assert_kafka_ok(sim, n.address, kafka_consumer_new(&config, &n.consumer));
    kafka_consumer_subscribe(n.consumer, topics, 1, NULL);
    kafka_consumer_poll(n.consumer, n.ctx, KAFKA_SECOND, &records);
    kafka_records_free(records);
    return n;
}

static void move_out(neighbour *n) {
    kafka_consumer_close(n->consumer);
    kafka_consumer_free(n->consumer);
    kafka_address_free(n->address);
}

static void polls(void *argument) {
    neighbour *n = argument;
    for (; n->error == KAFKA_OK; n->polls++) {
        kafka_records *records = NULL;
        n->error = kafka_consumer_poll(n->consumer, n->ctx, KAFKA_SECOND, &records);
        kafka_records_free(records);
    }
}

static void the_bound_of_a_paused_process_does_not_count(void **state) {
    world w = make(*state);
    neighbour other = move_in(w.sim); /* its heartbeats go on for ever */
    kafka_time from = ksim_elapsed(w.sim);
    ksim_pause(w.sim, "c1");
    assert_int_equal(kafka_sleep(w.ctx, KAFKA_SECOND), KAFKA_ERR_NOTHING_CAN_WAKE);
    assert_true(ksim_elapsed(w.sim) - from >= 600 * KAFKA_SECOND);
    assert_true(ksim_elapsed(w.sim) - from <= 1205 * KAFKA_SECOND); /* c2, not polled, makes progress once more: 1199 s were seen */
    assert_contains(kafka_error_detail(w.address), "c1: kafka_sleep: 1000 ms");
    assert_contains(kafka_error_detail(w.address), "(this process is paused; ksim_resume() wakes it)");
    ksim_resume(w.sim, "c1");
    assert_int_equal(kafka_sleep(w.ctx, KAFKA_HOUR), KAFKA_OK); /* counts again */
    move_out(&other);
    done(&w);
}

static void a_paused_process_ends_though_another_polls_for_ever(void **state) {
    (void)state;
    ksim *sim = ksim_new(&(ksim_config){ .stuck_after = 3 * KAFKA_SECOND });
    world w = make(sim);
    neighbour other = move_in(sim);
    kafka_task *task = kafka_go(other.ctx, "loop", polls, &other);
    kafka_time from = ksim_elapsed(sim);
    ksim_pause(sim, "c1");
    assert_int_equal(kafka_sleep(w.ctx, KAFKA_SECOND), KAFKA_ERR_NOTHING_CAN_WAKE);
    assert_i64_equal((ksim_elapsed(sim) - from) / KAFKA_SECOND, 144 * 3);
    assert_contains(kafka_error_detail(w.address), "c1 has been paused for at least 432 s");
    assert_contains(kafka_error_detail(w.address), "(this process is paused; ksim_resume() wakes it)");
    int before = other.polls;
    ksim_run_for(sim, 10 * KAFKA_SECOND);
    assert_int_equal(other.error, KAFKA_OK); /* it goes on */
    assert_true(other.polls > before);
    ksim_crash(sim, "c2");
    ksim_resume(sim, "c1");
    assert_int_equal(kafka_join(w.ctx, task), KAFKA_OK);
    move_out(&other);
    done(&w);
    ksim_free(sim);
}

typedef struct later {
    world *w;
    kafka_context *ctx;
    kafka_duration pause_after, then_after;
    kafka_error (*then)(ksim *sim, const char *client);
} later;

static void pauses_and_then(void *argument) {
    later *l = argument;
    kafka_sleep(l->ctx, l->pause_after);
    ksim_pause(l->w->sim, "c1");
    if (l->then == NULL) return;
    kafka_sleep(l->ctx, l->then_after);
    l->then(l->w->sim, "c1");
}

static void a_process_paused_during_its_call_goes_on_when_a_task_resumes_it(void **state) {
    world w = make(*state);
    neighbour other = move_in(w.sim);
    kafka_time from = ksim_elapsed(w.sim);
    later change = { &w, other.ctx, KAFKA_SECOND / 2, KAFKA_HOUR, ksim_resume };
    kafka_task_free(kafka_go(other.ctx, "later", pauses_and_then, &change));
    assert_int_equal(kafka_sleep(w.ctx, KAFKA_SECOND), KAFKA_OK);
    assert_i64_equal(ksim_elapsed(w.sim) - from, KAFKA_HOUR + KAFKA_SECOND / 2);
    change.then = ksim_crash;
    kafka_task_free(kafka_go(other.ctx, "later", pauses_and_then, &change));
    assert_int_equal(kafka_sleep(w.ctx, KAFKA_SECOND), KAFKA_ERR_NODE_CRASHED);
    move_out(&other);
    done(&w);
}

static void a_process_paused_during_its_call_and_never_resumed_is_stuck(void **state) {
    world w = make(*state);
    neighbour other = move_in(w.sim);
    later change = { .w = &w, .ctx = other.ctx, .pause_after = KAFKA_SECOND / 2 };
    kafka_task_free(kafka_go(other.ctx, "later", pauses_and_then, &change));
    kafka_time from = ksim_elapsed(w.sim);
    assert_int_equal(kafka_sleep(w.ctx, KAFKA_SECOND), KAFKA_ERR_NOTHING_CAN_WAKE);
    assert_true(ksim_elapsed(w.sim) - from <= 1205 * KAFKA_SECOND); /* c2, not polled, makes progress once more: 1199 s were seen */
    move_out(&other);
    done(&w);
}

static bool never(ksim *sim, void *context) {
    (void)sim, (void)context;
    return false;
}

static void running_until_something_has_a_limit_and_says_what_never_came(void **state) {
    world w = make(*state);
    kafka_task_free(kafka_go(w.ctx, "drain", receives, &w));
    kafka_error error = ksim_run_until(w.sim, never, NULL, "every order is billed", 5 * KAFKA_SECOND);
    assert_true(error == KAFKA_ERR_LIMIT || error == KAFKA_ERR_NOTHING_CAN_WAKE);
    assert_contains(ksim_error_detail(w.sim), "every order is billed: it did not come between 0.000 s and");
    assert_contains(ksim_error_detail(w.sim), "c1 (task drain): kafka_channel_receive");
    kafka_channel_close(w.channel);
    ksim_run_for(w.sim, 0);
    done(&w);
}

/* ---- loops that never end ---- */

static void ignores_the_error(void *argument) {
    world *w = argument;
    void *item;
    kafka_context *ended = kafka_context_with_cancel(w->ctx);
    kafka_context_cancel(ended);
    for (;; w->count++) kafka_channel_receive(w->channel, ended, &item);
}

static void run_and_catch(ksim *sim, caught *to, void (*run)(void *argument), world *w) {
    ksim_on_failure(sim, catch_report, to);
    if (setjmp(to->place) == 0) {
        run(w);
        fail_msg("the loop ended by itself");
    }
}

static void a_loop_that_ignores_an_ended_context_is_stopped_at_the_hundredth_call(void **state) {
    (void)state;
    static caught report;
    ksim *sim = ksim_new(&(ksim_config){ .seed = 7 });
    static world w;
    w = make(sim);
    run_and_catch(sim, &report, ignores_the_error, &w);
    assert_int_equal(w.count, 99);
    assert_contains(report.report, "the program called kafka_channel_receive");
    assert_contains(report.report, "its context was cancelled");
    assert_contains(report.report, "if (error) break;");
    assert_contains(report.report, "seed 7, at 0.000 s");
    ksim_free(sim);
}

static void joins_looper(void *argument) {
    world *w = argument;
    kafka_join(w->ctx, kafka_go(w->ctx, "looper", ignores_the_error, w));
}

static void the_same_in_a_task_names_the_task(void **state) {
    (void)state;
    static caught report;
    static world w;
    ksim *sim = ksim_new(NULL);
    w = make(sim);
    run_and_catch(sim, &report, joins_looper, &w);
    assert_contains(report.report, "task looper of client c1 called kafka_channel_receive");
    ksim_free(sim); /* after a jump out of a task */
}

static void polls_the_clock(void *argument) {
    world *w = argument;
    kafka_time end = kafka_now(w->ctx) + KAFKA_SECOND;
    while (kafka_now(w->ctx) < end) w->count++;
}

static void the_simulator_whose_loop_it_is_reports_it(void **state) {
    (void)state;
    static caught report;
    static world w;
    ksim *sim = ksim_new(&(ksim_config){ .seed = 41 }), *other = ksim_new(&(ksim_config){ .seed = 42 });
    w = make(sim);
    run_and_catch(sim, &report, polls_the_clock, &w);
    assert_contains(report.report, "seed 41");
    ksim_free(sim);
    ksim_free(other);
}

static void ninety_nine_times_is_no_loop(void **state) {
    world w = make(*state);
    kafka_context *ended = kafka_context_with_cancel(w.ctx);
    void *item;
    kafka_context_cancel(ended);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 99; i++)
            assert_int_equal(kafka_channel_receive(w.channel, ended, &item), KAFKA_ERR_CANCELED);
        kafka_sleep(w.ctx, 1); /* something else in between */
    }
    kafka_context_free(ended);
    done(&w);
}

static void a_loop_that_polls_the_clock_is_stopped_at_the_ten_thousandth_call(void **state) {
    (void)state;
    static caught report;
    static world w;
    ksim *sim = ksim_new(NULL);
    w = make(sim);
    run_and_catch(sim, &report, polls_the_clock, &w);
    assert_int_equal(w.count, 9998);
    assert_contains(report.report, "called kafka_now 10000 times in a row at one instant");
    assert_contains(report.report, "kafka_sleep()");
    ksim_free(sim);
}

static void yields_for_ever(void *argument) {
    world *w = argument;
    while (kafka_sleep(w->ctx, 0) == KAFKA_OK) w->count++;
}

static void a_loop_that_only_yields_is_stopped(void **state) {
    (void)state;
    static caught report;
    static world w;
    ksim *sim = ksim_new(NULL);
    w = make(sim);
    run_and_catch(sim, &report, yields_for_ever, &w);
    assert_contains(report.report, "kafka_sleep with no duration");
    ksim_free(sim);
}

static void looking_at_the_clock_often_while_time_goes_on_is_no_loop(void **state) {
    world w = make(*state);
    for (int i = 0; i < 30000; i++) {
        kafka_now(w.ctx);
        if (i % 1000 == 0) kafka_sleep(w.ctx, 1);
    }
    done(&w);
}

/* ---- jumps ---- */

static jmp_buf outside;
static void jumps(void *argument) {
    world *w = argument;
    volatile char deep[2000];
    deep[0] = deep[1999] = 1;
    kafka_sleep(w->ctx, KAFKA_SECOND);
    longjmp(outside, deep[0]);
}

static int use_stack(int depth) {
    volatile char bytes[512];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)depth;
    return depth == 0 ? bytes[3] : use_stack(depth - 1) + bytes[511];
}

static void the_simulator_can_be_freed_after_a_jump_out_of_a_task(void **state) {
    (void)state;
    for (int round = 0; round < 3; round++) {
        ksim *volatile sim = ksim_new(NULL);
        world *volatile w = calloc(1, sizeof *w);
        *w = make(sim);
        kafka_task_free(kafka_go(w->ctx, "other", sleeps_an_hour, w));
        if (setjmp(outside) == 0) {
            kafka_join(w->ctx, kafka_go(w->ctx, "jumper", jumps, w));
            fail();
        }
        use_stack(40);
        assert_true(ksim_last_steps(sim, 5)[0] != 0);
        assert_int_equal(kafka_sleep(w->ctx, 1), KAFKA_ERR_RUN_ENDED); /* all that is left is to free it */
        kafka_context_cancel(kafka_context_with_cancel(w->ctx));
        ksim_free(sim);
        free(w);
    }
}

static bool jumps_out(ksim *sim, void *context) {
    (void)context;
    if (ksim_elapsed(sim) >= KAFKA_SECOND) longjmp(outside, 1);
    return false;
}

static void the_simulator_can_be_freed_after_a_jump_out_of_a_predicate(void **state) {
    (void)state;
    ksim *volatile sim = ksim_new(NULL);
    world *volatile w = calloc(1, sizeof *w);
    *w = make(sim);
    kafka_task_free(kafka_go(w->ctx, "other", sleeps_an_hour, w));
    kafka_task_free(kafka_go(w->ctx, "other", receives, w));
    if (setjmp(outside) == 0) {
        ksim_run_for(sim, KAFKA_SECOND / 2);
        kafka_task_free(kafka_go(w->ctx, "ticker", sleeps_an_hour, w));
        ksim_run_until(sim, jumps_out, NULL, NULL, 2 * KAFKA_HOUR);
        fail();
    }
    use_stack(40);
    ksim_free(sim);
    free(w);
}

static void dropping_blocked_tasks_with_the_simulator_leaks_nothing(void **state) {
    (void)state;
    ksim *sim = ksim_new(NULL);
    world w = make(sim);
    for (int i = 0; i < 10; i++) kafka_task_free(kafka_go(w.ctx, "receiver", receives, &w));
    kafka_go(w.ctx, "never started", receives, &w);
    ksim_run_for(sim, KAFKA_SECOND);
    kafka_go(w.ctx, "never started", receives, &w);
    kafka_context_with_cancel(w.ctx);
    ksim_free(sim);
}

/* ---- the wrong thread ---- */

static void *calls_from_another_thread(void *argument) {
    world *w = argument;
    void *item;
    if (kafka_sleep(w->ctx, 1) != KAFKA_ERR_WRONG_THREAD) return "kafka_sleep";
    if (kafka_channel_receive(w->channel, w->ctx, &item) != KAFKA_ERR_WRONG_THREAD) return "kafka_channel_receive";
    if (ksim_run_for(w->sim, 1) != KAFKA_ERR_WRONG_THREAD) return "ksim_run_for";
    if (ksim_create_topic(w->sim, "x", 1) != KAFKA_ERR_WRONG_THREAD) return "ksim_create_topic";
    if (ksim_crash(w->sim, "c1") != KAFKA_ERR_WRONG_THREAD) return "ksim_crash";
    if (ksim_client(w->sim, "c2") != NULL) return "ksim_client";
    if (kafka_go(w->ctx, "x", receives, w) != NULL) return "kafka_go";
    if (kafka_context_error(w->ctx) != KAFKA_ERR_WRONG_THREAD) return "kafka_context_error";
    if (kafka_background(w->address) != NULL) return "kafka_background";
    kafka_context_cancel(w->ctx);
    kafka_address_free(w->address);
    if (strcmp(kafka_error_detail(w->address), kafka_error_text(KAFKA_ERR_WRONG_THREAD)) != 0) return "kafka_error_detail";
    if (strcmp(ksim_error_detail(w->sim), kafka_error_text(KAFKA_ERR_WRONG_THREAD)) != 0) return "ksim_error_detail";
    return NULL;
}

static void calls_from_another_thread_are_refused(void **state) {
    world w = make(*state);
    assert_int_equal(kafka_join(w.ctx, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_run_for(w.sim, -1), KAFKA_ERR_INVALID_ARGUMENT); /* each leaves words that belong to this thread */
    pthread_t thread;
    void *wrong = NULL;
    assert_int_equal(pthread_create(&thread, NULL, calls_from_another_thread, &w), 0);
    pthread_join(thread, &wrong);
    if (wrong) fail_msg("%s was not refused", (const char *)wrong);
    assert_int_equal(kafka_sleep(w.ctx, 1), KAFKA_OK);
    done(&w);
}

/* Two simulators on two threads know nothing of each other. */
static void *a_world_of_its_own(void *argument) {
    ksim *sim = ksim_new(&(ksim_config){ .seed = (uint64_t)(uintptr_t)argument });
    world w = make(sim);
    kafka_task *task = kafka_go(w.ctx, "sleeper", sleeps_an_hour, &w);
    receives(&w);
    kafka_join(w.ctx, task);
    done(&w);
    ksim_free(sim);
    return w.error == KAFKA_ERR_CLOSED ? NULL : "wrong";
}

static void simulators_run_on_several_threads_at_once(void **state) {
    (void)state;
    pthread_t threads[4];
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, a_world_of_its_own, (void *)(i + 1)), 0);
    for (size_t i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_call_that_nothing_can_wake_ends_after_ten_minutes_with_who_waits_for_what),
        cmocka_unit_test(the_span_can_be_configured),
        TEST(nobody_is_stuck_while_someone_sleeps),
        TEST(a_call_with_a_deadline_waits_for_it_however_long),
        TEST(running_for_a_span_may_idle_as_long_as_it_says),
        TEST(reading_an_empty_topic_for_ever_is_being_stuck),
        TEST(sleeping_for_ever_is_being_stuck),
        TEST(trying_in_vain_ends_too_after_a_day),
        TEST(polling_without_brokers_ends),
        TEST(the_report_says_that_a_process_is_paused),
        TEST(the_bound_of_a_paused_process_does_not_count),
        cmocka_unit_test(a_paused_process_ends_though_another_polls_for_ever),
        TEST(a_process_paused_during_its_call_goes_on_when_a_task_resumes_it),
        TEST(a_process_paused_during_its_call_and_never_resumed_is_stuck),
        TEST(running_until_something_has_a_limit_and_says_what_never_came),
        cmocka_unit_test(a_loop_that_ignores_an_ended_context_is_stopped_at_the_hundredth_call),
        cmocka_unit_test(the_same_in_a_task_names_the_task),
        cmocka_unit_test(the_simulator_whose_loop_it_is_reports_it),
        TEST(ninety_nine_times_is_no_loop),
        cmocka_unit_test(a_loop_that_polls_the_clock_is_stopped_at_the_ten_thousandth_call),
        cmocka_unit_test(a_loop_that_only_yields_is_stopped),
        TEST(looking_at_the_clock_often_while_time_goes_on_is_no_loop),
        cmocka_unit_test(the_simulator_can_be_freed_after_a_jump_out_of_a_task),
        cmocka_unit_test(the_simulator_can_be_freed_after_a_jump_out_of_a_predicate),
        cmocka_unit_test(dropping_blocked_tasks_with_the_simulator_leaks_nothing),
        TEST(calls_from_another_thread_are_refused),
        cmocka_unit_test(simulators_run_on_several_threads_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
