#define _POSIX_C_SOURCE 200809L
/* SPDX-License-Identifier: Apache-2.0
 * A program under test as its users would test it: consumers of a group as tasks of several client processes, crashed,
 * paused, restarted, cut off; what a group does meanwhile; over many seeds; the same trace twice. */
#include "tests/control/fixture.h"

#include <kafkasim/consumer.h>

#include <stdlib.h>

enum { MEMBERS_MAX = 8 };

typedef struct member {
    struct billing *billing;
    kafka_address *address;
    kafka_task *task;
    size_t handled;
    kafka_error error;
} member;

typedef struct billing {
    ksim *sim;
    member members[MEMBERS_MAX];
    size_t count;
    unsigned char seen[64]; /* times that order i was handled */
    bool stop;
} billing;

static void handles_orders(void *argument) {
    member *self = argument;
    kafka_reader *reader;
    kafka_context *ctx = kafka_background(self->address);
    self->error = kafka_reader_new(&(kafka_reader_config){ .address = self->address,
                                                           .group_id = "billing",
                                                           .topic = "orders",
                                                           .session_timeout = 10 * KAFKA_SECOND,
                                                           .max_wait = 500 * KAFKA_MILLISECOND },
                                   &reader);
    if (self->error) return;
    while (!self->billing->stop) {
        kafka_message message;
        kafka_context *soon = kafka_context_with_timeout(ctx, KAFKA_SECOND);
        self->error = kafka_reader_fetch(reader, soon, &message);
        kafka_context_free(soon);
        if (self->error == KAFKA_ERR_DEADLINE_EXCEEDED) continue;
        if (self->error) break;
        self->billing->seen[strtoul((const char *)message.key.data, NULL, 10) % 64]++;
        self->handled++;
        kafka_message place = { .topic = "orders", .partition = message.partition, .offset = message.offset };
        kafka_message_release(&message); /* before it blocks: a task that is dropped gives nothing back */
        kafka_error error = kafka_reader_commit(reader, ctx, &place, 1);
        if (error == KAFKA_ERR_NODE_CRASHED) break;
    }
    kafka_reader_close(reader);
    kafka_reader_free(reader);
}

static void start(billing *b, const char *client) {
    member *self = &b->members[b->count++];
    *self = (member){ .billing = b, .address = ksim_client(b->sim, client) };
    self->task = kafka_go(kafka_background(self->address), client, handles_orders, self);
}

static void put_orders(billing *b, int from, int to) {
    for (int i = from; i < to; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        assert_ksim_ok(b->sim, ksim_put(b->sim, "orders", i % 6, key, "order"));
    }
}

static void stop(billing *b) {
    b->stop = true;
    ksim_run_for(b->sim, 20 * KAFKA_SECOND);
    for (size_t i = 0; i < b->count; i++) {
        if (kafka_context_error(kafka_background(b->members[i].address)))
            kafka_task_free(b->members[i].task);
        else
            assert_kafka_ok(b->sim, b->members[i].address,
                            kafka_join(kafka_background(b->members[i].address), b->members[i].task));
        kafka_address_free(b->members[i].address);
    }
}

static billing three_consumers(ksim *sim) {
    billing b = { .sim = sim };
    assert_ksim_ok(sim, ksim_create_topic(sim, "orders", 6));
    return b;
}

static void start_three(billing *b) {
    start(b, "c1");
    start(b, "c2");
    start(b, "c3");
    assert_ksim_ok(b->sim, ksim_run_until_group_stable(b->sim, "billing"));
}

/* ---- stable ---- */

static void a_group_is_stable_when_all_that_joined_have_their_assignment(void **state) {
    billing b = three_consumers(*state);
    start_three(&b);
    assert_group_assignment(b.sim, "billing", "c1=orders[0-1] c2=orders[2,3] c3=orders[5,4]");
    assert_string_equal(ksim_group_find(b.sim, "billing")->state, "Stable");
    int64_t now = ksim_elapsed(b.sim);
    assert_ksim_ok(b.sim, ksim_run_until_group_stable(b.sim, "billing"));
    assert_i64_equal(ksim_elapsed(b.sim), now);
    stop(&b);
}

static void waiting_for_a_group_that_nobody_joins_ends_at_the_limit(void **state) {
    (void)state;
    ksim *sim = ksim_new(&(ksim_config){ .run_limit = 3 * KAFKA_SECOND });
    kafka_error error = ksim_run_until_group_stable(sim, "billing");
    assert_true(error == KAFKA_ERR_LIMIT || error == KAFKA_ERR_NOTHING_CAN_WAKE);
    assert_contains(ksim_error_detail(sim), "group billing is not stable: nobody has joined it");
    assert_int_equal(ksim_run_until_group_stable(sim, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    ksim_free(sim);
}

/* ---- faults ---- */

static void billing_survives_a_crashed_consumer(void **state) {
    billing b = three_consumers(*state);
    put_orders(&b, 0, 30);
    start_three(&b);
    ksim_run_for(b.sim, 100 * KAFKA_MILLISECOND);
    ksim_crash(b.sim, "c2");
    assert_ksim_ok(b.sim, ksim_run_until_group_stable(b.sim, "billing"));
    assert_group_assignment(b.sim, "billing", "c1=orders[0,1,2] c3=orders[3,4,5]");
    put_orders(&b, 30, 60);
    ksim_run_for(b.sim, 20 * KAFKA_SECOND);
    for (int i = 0; i < 60; i++) {
        if (b.seen[i] == 0) fail_msg("order %d was lost", i);
        if (b.seen[i] > 1 && i >= 30) fail_msg("order %d was handled %d times", i, b.seen[i]);
    }
    assert_group_lag(b.sim, "billing", "orders", 0);
    assert_committed_offsets(b.sim, "billing", "orders[0-5]=10");
    assert_int_equal(b.members[1].error, KAFKA_ERR_NODE_CRASHED);
    stop(&b);
}

static void a_restarted_client_joins_again(void **state) {
    billing b = three_consumers(*state);
    start_three(&b);
    ksim_crash(b.sim, "c2");
    ksim_run_until_group_stable(b.sim, "billing");
    ksim_restart(b.sim, "c2");
    start(&b, "c2");
    assert_ksim_ok(b.sim, ksim_run_until_group_stable(b.sim, "billing"));
    assert_group_assignment(b.sim, "billing", "c1=orders[0,1] c2=orders[2,3] c3=orders[4,5]");
    stop(&b);
}

static void a_paused_consumer_is_expired_and_comes_back(void **state) {
    billing b = three_consumers(*state);
    start_three(&b);
    ksim_pause(b.sim, "c3");
    assert_ksim_ok(b.sim, ksim_run_until_group_stable(b.sim, "billing"));
    assert_group_assignment(b.sim, "billing", "c1=orders[0,1,2] c2=orders[3,4,5]");
    ksim_resume(b.sim, "c3");
    assert_ksim_ok(b.sim, ksim_run_until_group_stable(b.sim, "billing"));
    assert_int_equal(ksim_group_find(b.sim, "billing")->member_count, 3);
    stop(&b);
}

static void members_can_be_expelled_and_their_sessions_expired(void **state) {
    billing b = three_consumers(*state);
    start_three(&b);
    int32_t generation = ksim_group_find(b.sim, "billing")->generation;
    assert_ksim_ok(b.sim, ksim_expel_member(b.sim, "billing", "c1"));
    assert_ksim_ok(b.sim, ksim_run_until_group_stable(b.sim, "billing"));
    assert_true(ksim_group_find(b.sim, "billing")->generation > generation);
    generation = ksim_group_find(b.sim, "billing")->generation;
    assert_ksim_ok(b.sim, ksim_expire_session(b.sim, "billing", "c2"));
    assert_int_equal(ksim_group_find(b.sim, "billing")->member_count, 2);
    assert_ksim_ok(b.sim, ksim_run_until_group_stable(b.sim, "billing"));
    assert_int_equal(ksim_group_find(b.sim, "billing")->member_count, 3);
    assert_true(ksim_group_find(b.sim, "billing")->generation > generation);
    assert_int_equal(ksim_expire_session(b.sim, "billing", "c9"), KAFKA_ERR_UNKNOWN_MEMBER_ID);
    assert_int_equal(ksim_set_committed_offset(b.sim, "billing", "orders", 0, 0), KAFKA_ERR_UNKNOWN_MEMBER_ID);
    stop(&b);
}

static void a_client_that_is_cut_off_is_expired_and_joins_again_when_healed(void **state) {
    billing b = three_consumers(*state);
    start_three(&b);
    ksim_cut(b.sim, "c1", NULL);
    ksim_run_for(b.sim, 20 * KAFKA_SECOND);
    assert_group_assignment(b.sim, "billing", "c2=orders[0,1,2] c3=orders[3,4,5]");
    ksim_heal(b.sim, "c1", NULL);
    assert_ksim_ok(b.sim, ksim_run_until_group_stable(b.sim, "billing"));
    assert_int_equal(ksim_group_find(b.sim, "billing")->member_count, 3);
    put_orders(&b, 0, 12);
    ksim_run_for(b.sim, 20 * KAFKA_SECOND);
    assert_group_lag(b.sim, "billing", "orders", 0);
    stop(&b);
}

static void resets_and_delays_lose_nothing(void **state) {
    billing b = three_consumers(*state);
    start_three(&b);
    assert_ksim_ok(b.sim, ksim_delay(b.sim, "c1", NULL, 50 * KAFKA_MILLISECOND));
    for (int round = 0; round < 6; round++) {
        int32_t count = 0;
        put_orders(&b, round * 10, round * 10 + 10);
        ksim_run_for(b.sim, 300 * KAFKA_MILLISECOND);
        assert_ksim_ok(b.sim, ksim_reset(b.sim, "c2", NULL, &count));
        assert_true(count > 0);
    }
    assert_ksim_ok(b.sim, ksim_delay(b.sim, "c1", NULL, -1));
    ksim_run_for(b.sim, 60 * KAFKA_SECOND);
    for (int i = 0; i < 60; i++) assert_true(b.seen[i] > 0);
    assert_group_lag(b.sim, "billing", "orders", 0);
    stop(&b);
}

static void a_group_moves_with_its_coordinator(void **state) {
    billing b = three_consumers(*state);
    start_three(&b);
    int32_t broker = ksim_group_find(b.sim, "billing")->coordinator;
    ksim_stop_broker(b.sim, broker);
    ksim_run_for(b.sim, 20 * KAFKA_SECOND);
    assert_ksim_ok(b.sim, ksim_run_until_group_stable(b.sim, "billing"));
    assert_int_not_equal(ksim_group_find(b.sim, "billing")->coordinator, broker);
    assert_int_equal(ksim_group_find(b.sim, "billing")->member_count, 3);
    put_orders(&b, 0, 12);
    ksim_run_for(b.sim, 10 * KAFKA_SECOND);
    assert_group_lag(b.sim, "billing", "orders", 0);
    stop(&b);
}

static void the_order_of_gains_and_losses_can_be_asserted(void **state) {
    billing b = three_consumers(*state);
    start(&b, "c1");
    ksim_run_until_group_stable(b.sim, "billing");
    start(&b, "c2");
    ksim_run_until_group_stable(b.sim, "billing");
    assert_ownership_history(b.sim, "billing",
                             "+c1=orders[0,1,2,3,4,5] -c1=orders[0,1,2,3,4,5] +c2=orders[3,4,5] +c1=orders[0,1,2]");
    assert_contains(ksim_check_ownership_history(b.sim, "billing", "+c1=orders[0]"), "expected +c1=orders[0]");
    assert_contains(ksim_check_assignment(b.sim, "billing", "c1=orders[0,1,2]"),
                    "is       c1=orders[0,1,2] c2=orders[3,4,5]");
    stop(&b);
}

/* ---- the poll-driven consumer, both protocols ---- */

typedef struct poller {
    kafka_address *address;
    kafka_task *task;
    const char *protocol;
    bool *stop;
} poller;

static void polls(void *argument) {
    poller *self = argument;
    char protocol[64];
    snprintf(protocol, sizeof protocol, "group.protocol=%s", self->protocol);
    const char *settings[] = { "group.id=billing", "auto.offset.reset=earliest", protocol };
    const char *topics[] = { "orders" };
    kafka_consumer *consumer;
    kafka_context *ctx = kafka_background(self->address);
    if (kafka_consumer_new(
            &(kafka_consumer_config){ .address = self->address, .settings = settings, .setting_count = 3 }, &consumer))
        return;
    kafka_error error = kafka_consumer_subscribe(consumer, topics, 1, NULL);
    while (error == KAFKA_OK && !*self->stop) {
        kafka_records *records = NULL;
        error = kafka_consumer_poll(consumer, ctx, KAFKA_SECOND, &records);
        kafka_records_free(records);
    }
    kafka_consumer_close(consumer);
    kafka_consumer_free(consumer);
}

static void start_poller(ksim *sim, poller *self, const char *client, const char *protocol, bool *end) {
    *self = (poller){ .address = ksim_client(sim, client), .protocol = protocol, .stop = end };
    self->task = kafka_go(kafka_background(self->address), client, polls, self);
}

static void polling_consumers_become_stable(ksim *sim, const char *protocol) {
    poller all[2];
    bool end = false;
    assert_ksim_ok(sim, ksim_create_topic(sim, "orders", 4));
    start_poller(sim, &all[0], "c1", protocol, &end);
    start_poller(sim, &all[1], "c2", protocol, &end);
    assert_ksim_ok(sim, ksim_run_until_group_stable(sim, "billing"));
    const ksim_group *group = ksim_group_find(sim, "billing");
    assert_int_equal(group->member_count, 2);
    assert_int_equal(group->members[0].assigned_count, 2);
    assert_int_equal(group->members[1].assigned_count, 2);
    assert_string_equal(group->state, "Stable");
    assert_string_equal(group->protocol_type, "consumer");
    assert_ksim_ok(sim, ksim_expel_member(sim, "billing", "c1"));
    assert_ksim_ok(sim, ksim_run_until_group_stable(sim, "billing"));
    assert_int_equal(ksim_group_find(sim, "billing")->member_count, 2); /* it comes back */
    assert_ksim_ok(sim, ksim_expire_session(sim, "billing", "c2"));
    ksim_run_for(sim, 30 * KAFKA_SECOND);
    assert_int_equal(ksim_group_find(sim, "billing")->member_count, 2);
    ksim_crash(sim, "c1");
    assert_ksim_ok(sim, ksim_run_until_group_stable(sim, "billing"));
    assert_group_assignment(sim, "billing", "c2=orders[0,1,2,3]");
    end = true;
    ksim_run_for(sim, 10 * KAFKA_SECOND);
    kafka_task_free(all[0].task);
    assert_kafka_ok(sim, all[1].address, kafka_join(kafka_background(all[1].address), all[1].task));
    kafka_address_free(all[0].address);
    kafka_address_free(all[1].address);
}

static void polling_consumers_of_the_classic_protocol_become_stable(void **state) {
    polling_consumers_become_stable(*state, "classic");
}
static void polling_consumers_of_the_consumer_protocol_become_stable(void **state) {
    polling_consumers_become_stable(*state, "consumer");
}

/* ---- failing with everything open ---- */

static jmp_buf failed;
static void fails_in_a_task(void *argument) {
    (void)argument;
    longjmp(failed, 1);
}

static void a_failed_assertion_inside_a_busy_cluster_leaves_a_simulator_that_can_be_freed(void **state) {
    (void)state;
    for (volatile int when = 0; when < 12; when++) {
        ksim *volatile sim = ksim_new(&(ksim_config){ .seed = 3 });
        billing *volatile b = malloc(sizeof *b);
        *b = three_consumers(sim);
        put_orders(b, 0, 12);
        start(b, "c1");
        start(b, "c2");
        ksim_run_for(sim, when * 300 * KAFKA_MILLISECOND);
        if (setjmp(failed) == 0) {
            kafka_join(kafka_background(b->members[0].address),
                       kafka_go(kafka_background(b->members[0].address), "failing", fails_in_a_task, NULL));
            fail();
        }
        ksim_free(sim);
        free(b);
    }
}

static void freeing_a_busy_cluster_at_any_moment_leaks_nothing(void **state) {
    (void)state;
    for (int steps = 0; steps < 400; steps += 7) {
        ksim *sim = ksim_new(&(ksim_config){ .seed = 3 });
        billing b = three_consumers(sim);
        put_orders(&b, 0, 6);
        start(&b, "c1");
        start(&b, "c2");
        for (int i = 0; i < steps; i++) ksim_step(sim);
        ksim_free(sim);
    }
}

/* ---- seeds ---- */

static int crash_at_a_time_drawn_from_the_seed(ksim *sim, void *context) {
    billing b = three_consumers(sim);
    put_orders(&b, 0, 24);
    start_three(&b);
    ksim_run_for(sim, (kafka_duration)(ksim_seed(sim) * 7919 % 500) * KAFKA_MILLISECOND);
    ksim_crash(sim, "c2");
    ksim_run_until_group_stable(sim, "billing");
    ksim_run_for(sim, 5 * KAFKA_SECOND);
    ++*(int *)context;
    for (int i = 0; i < 24; i++) {
        if (b.seen[i] == 0) return i + 1;
    }
    stop(&b);
    return 0;
}

static void a_test_runs_over_many_seeds(void **state) {
    int runs = 0;
    (void)state;
    assert_int_equal(ksim_test_seeds_with(NULL, 20, crash_at_a_time_drawn_from_the_seed, &runs), 0);
    assert_int_equal(runs, 20);
    setenv("KSIM_SEED", "12", 1);
    assert_int_equal(ksim_test_seeds_with(NULL, 20, crash_at_a_time_drawn_from_the_seed, &runs), 0);
    assert_int_equal(runs, 21);
    static const char *const wrong[] = { "0", "-1", "x", "1x", "99999999999999999999" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("KSIM_SEED", wrong[i], 1);
        assert_int_equal(ksim_test_seeds_with(NULL, 20, crash_at_a_time_drawn_from_the_seed, &runs), -1);
    }
    unsetenv("KSIM_SEED");
    assert_int_equal(ksim_test_seeds_with(NULL, 0, crash_at_a_time_drawn_from_the_seed, &runs), -1);
    assert_int_equal(runs, 21);
}

static uint64_t last_seed;
static int fails_at_five(ksim *sim) {
    last_seed = ksim_seed(sim);
    return last_seed >= 5 ? 42 : 0;
}

static void the_first_seed_that_fails_ends_the_run(void **state) {
    (void)state;
    assert_int_equal(ksim_test_seeds(20, fails_at_five), 42); /* says seed and last steps on standard error */
    assert_int_equal(last_seed, 5);
}

static int seeds_run;
static void joins_and_leaves(void **state) {
    billing b = three_consumers(*state);
    start(&b, "c1");
    assert_ksim_ok(b.sim, ksim_run_until_group_stable(b.sim, "billing"));
    seeds_run++;
    stop(&b);
}

static void all_those_seeds_were_run(void **state) {
    (void)state;
    if (getenv("KSIM_SEED") == NULL) assert_int_equal(seeds_run, 10);
}

/* ---- one seed, one trace ---- */

typedef struct recorded {
    uint64_t hash;
    size_t lines, bytes;
} recorded;

static void hash_line(void *context, const char *line, size_t size) {
    recorded *to = context;
    for (size_t i = 0; i < size; i++) to->hash = (to->hash ^ (unsigned char)line[i]) * UINT64_C(1099511628211);
    to->lines++;
    to->bytes += size;
    assert_int_equal(line[size - 1], '\n');
}

static recorded run_with_everything(uint64_t seed, ksim_trace_format format) {
    recorded to = { .hash = UINT64_C(14695981039346656037) };
    ksim *sim = ksim_new(&(ksim_config){ .seed = seed });
    assert_int_equal(ksim_trace_to(sim, hash_line, &to, format), KAFKA_OK);
    ksim_rule_add(sim, &(ksim_rule_config){
                           .api = "Fetch", .chance = 10, .action = KSIM_DELAY, .delay = 20 * KAFKA_MILLISECOND });
    ksim_rule_add(sim, &(ksim_rule_config){ .api = "OffsetCommit", .chance = 5, .action = KSIM_RESET_AFTER });
    billing b = three_consumers(sim);
    put_orders(&b, 0, 30);
    start_three(&b);
    ksim_crash(sim, "c2");
    ksim_run_until_group_stable(sim, "billing");
    stop(&b);
    ksim_free(sim);
    return to;
}

static void the_same_seed_gives_the_same_trace_and_another_seed_another(void **state) {
    (void)state;
    for (int format = KSIM_TRACE_JSON; format <= KSIM_TRACE_TEXT; format++) {
        recorded one = run_with_everything(7, format), again = run_with_everything(7, format),
                 other = run_with_everything(8, format);
        assert_true(one.lines > 500);
        assert_true(one.hash == again.hash);
        assert_int_equal(one.bytes, again.bytes);
        assert_true(one.hash != other.hash);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_group_is_stable_when_all_that_joined_have_their_assignment),
        cmocka_unit_test(waiting_for_a_group_that_nobody_joins_ends_at_the_limit),
        TEST(billing_survives_a_crashed_consumer),
        TEST(a_restarted_client_joins_again),
        TEST(a_paused_consumer_is_expired_and_comes_back),
        TEST(members_can_be_expelled_and_their_sessions_expired),
        TEST(a_client_that_is_cut_off_is_expired_and_joins_again_when_healed),
        TEST(resets_and_delays_lose_nothing),
        TEST(a_group_moves_with_its_coordinator),
        TEST(the_order_of_gains_and_losses_can_be_asserted),
        TEST(polling_consumers_of_the_classic_protocol_become_stable),
        TEST(polling_consumers_of_the_consumer_protocol_become_stable),
        cmocka_unit_test(a_failed_assertion_inside_a_busy_cluster_leaves_a_simulator_that_can_be_freed),
        cmocka_unit_test(freeing_a_busy_cluster_at_any_moment_leaks_nothing),
        cmocka_unit_test(a_test_runs_over_many_seeds),
        cmocka_unit_test(the_first_seed_that_fails_ends_the_run),
        ksim_test_over_seeds(joins_and_leaves, 10),
        cmocka_unit_test(all_those_seeds_were_run),
        cmocka_unit_test(the_same_seed_gives_the_same_trace_and_another_seed_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
