/* SPDX-License-Identifier: Apache-2.0
 * Groups of Java's consumers: who is told what when members come, go, crash, stall and return. */
#include "tests/control/consumer_fixture.h"

#define GROUP "group.id=billing", "auto.offset.reset=earliest"

static program *member(stage *s, const char *name, const char *a, const char *b) {
    const char *settings[] = { GROUP, a, b, NULL };
    program *p = make_program(s, name, settings);
    start(p, "orders");
    return p;
}

static void expect(program *p, const char *log) {
    if (strcmp(p->log, log) != 0) fail_msg("%s was told\n  %s\nnot\n  %s", p->name, p->log, log);
    p->log[0] = 0;
}

static void expect_assignment(stage *s, const char *assignment) {
    const char *actual = ksim_assignment(s->sim, "billing");
    if (strcmp(actual, assignment) != 0) fail_msg("the group has %s, not %s", actual, assignment);
}

static void eager_members_give_up_everything_before_they_get_it_back(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 4);
    program *a = member(s, "c1", NULL, NULL);
    run_for(s, 5 * KAFKA_SECOND);
    program *b = member(s, "c2", NULL, NULL);
    run_for(s, 5 * KAFKA_SECOND);
    expect(a, "assigned orders-0 orders-1 orders-2 orders-3; revoked orders-0 orders-1 orders-2 orders-3; assigned orders-0 orders-1; ");
    expect(b, "assigned orders-2 orders-3; ");
    expect_assignment(s, "c1=orders[0,1] c2=orders[2,3]");
    assert_int_equal(ksim_group_find(s->sim, "billing")->generation, 2);
    kafka_context_cancel(b->ctx);
    run_for(s, 5 * KAFKA_SECOND);
    expect(b, "revoked orders-2 orders-3; ");
    expect(a, "revoked orders-0 orders-1; assigned orders-0 orders-1 orders-2 orders-3; ");
    kafka_context_cancel(a->ctx);
    run_for(s, KAFKA_SECOND);
    assert_string_equal(ksim_group_find(s->sim, "billing")->state, "Empty");
    assert_int_equal(ksim_group_find(s->sim, "billing")->generation, 4);
}

static void cooperative_members_keep_what_stays_theirs(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 4);
    program *a = member(s, "c1", "partition.assignment.strategy=cooperative-sticky", NULL);
    run_for(s, 5 * KAFKA_SECOND);
    program *b = member(s, "c2", "partition.assignment.strategy=cooperative-sticky", NULL);
    run_for(s, 10 * KAFKA_SECOND);
    expect(a, "assigned orders-0 orders-1 orders-2 orders-3; revoked orders-2 orders-3; assigned; assigned; ");
    expect(b, "assigned; assigned orders-2 orders-3; ");
    expect_assignment(s, "c1=orders[0,1] c2=orders[2,3]");
    assert_int_equal(ksim_group_find(s->sim, "billing")->generation, 3);
    kafka_context_cancel(b->ctx);
    run_for(s, 5 * KAFKA_SECOND);
    expect(a, "assigned orders-2 orders-3; ");
}

static void every_assignor_shares_all_partitions_out(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 7);
    const char *names[] = { "range", "roundrobin", "sticky", "cooperative-sticky" };
    char setting[80];
    for (int i = 0; i < 4; i++) {
        snprintf(setting, sizeof setting, "partition.assignment.strategy=%s", names[i]);
        s->count = 0;
        program *members[3];
        for (int m = 0; m < 3; m++) members[m] = member(s, (const char *[]){ "c1", "c2", "c3" }[m], setting, NULL);
        run_for(s, 20 * KAFKA_SECOND);
        const ksim_group *group = ksim_group_find(s->sim, "billing");
        assert_string_equal(group->state, "Stable");
        assert_string_equal(group->protocol, names[i]);
        size_t total = 0;
        for (size_t m = 0; m < group->member_count; m++) {
            assert_in_range(group->members[m].assigned_count, 2, 3);
            total += group->members[m].assigned_count;
        }
        assert_int_equal(total, 7);
        for (int m = 0; m < 3; m++) kafka_context_cancel(members[m]->ctx);
        run_for(s, 5 * KAFKA_SECOND);
        for (int m = 0; m < 3; m++) {
            assert_true(members[m]->closed);
            kafka_context_free(members[m]->ctx);
            kafka_consumer_free(members[m]->consumer);
            kafka_address_free(members[m]->address);
        }
        memset(s->programs, 0, sizeof s->programs);
        s->count = 0;
    }
}

static void a_crashed_member_is_missed_after_its_session(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    program *a = member(s, "c1", NULL, NULL), *b = member(s, "c2", NULL, NULL);
    run_for(s, 10 * KAFKA_SECOND);
    a->log[0] = 0;
    ksim_crash(s->sim, "c2");
    put_numbers(s, "orders", 2, 20);
    run_for(s, 40 * KAFKA_SECOND);
    expect(a, "");
    assert_i64_equal(a->delivered, 10);
    run_for(s, 10 * KAFKA_SECOND);
    expect_assignment(s, "c1=orders[0,1]");
    assert_i64_equal(a->delivered, 20);
    assert_true(b->closed);
}

static void a_slow_member_leaves_and_loses_its_partitions(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    program *a = member(s, "c1", "max.poll.interval.ms=20000", NULL), *b = member(s, "c2", "max.poll.interval.ms=20000", "enable.auto.commit=false");
    b->commit_after_work = true;
    run_for(s, 10 * KAFKA_SECOND);
    a->log[0] = b->log[0] = 0;
    b->stall = 30 * KAFKA_SECOND;
    put_numbers(s, "orders", 2, 2);
    run_for(s, 25 * KAFKA_SECOND);
    expect_assignment(s, "c1=orders[0,1]");
    assert_i64_equal(a->delivered, 2); /* b's message too: it was not committed */
    run_for(s, 15 * KAFKA_SECOND);
    assert_int_equal(b->commit_error, KAFKA_ERR_COMMIT_FAILED);
    expect(b, "lost orders-1; assigned orders-1; ");
    expect_assignment(s, "c1=orders[0] c2=orders[1]");
}

static void a_member_may_still_commit_while_it_is_being_revoked(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    put_numbers(s, "orders", 2, 10);
    program *a = member(s, "c1", "enable.auto.commit=false", NULL);
    a->commit_in_revoked = true;
    run_for(s, 5 * KAFKA_SECOND);
    program *b = member(s, "c2", "enable.auto.commit=false", NULL);
    run_for(s, 5 * KAFKA_SECOND);
    assert_int_equal(a->commit_error, KAFKA_OK);
    assert_i64_equal(ksim_committed_offset(s->sim, "billing", "orders", 0), 5);
    assert_i64_equal(a->delivered + b->delivered, 10);
}

static void without_a_commit_the_next_owner_reads_again(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    put_numbers(s, "orders", 2, 10);
    program *a = member(s, "c1", "enable.auto.commit=false", NULL);
    run_for(s, 5 * KAFKA_SECOND);
    program *b = member(s, "c2", "enable.auto.commit=false", NULL);
    run_for(s, 5 * KAFKA_SECOND);
    assert_i64_equal(a->delivered, 15);
    assert_i64_equal(b->delivered, 5);
}

static void new_partitions_are_found_by_the_leader(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    program *a = member(s, "c1", "metadata.max.age.ms=10000", NULL), *b = member(s, "c2", "metadata.max.age.ms=10000", NULL);
    run_for(s, 10 * KAFKA_SECOND);
    a->log[0] = b->log[0] = 0;
    kafka_client *client;
    kafka_address *admin = ksim_client(s->sim, "admin");
    assert_int_equal(kafka_client_new(&(kafka_client_config){ .address = admin }, &client), KAFKA_OK);
    assert_int_equal(kafka_client_create_partitions(client, kafka_background(admin), &(kafka_partitions_config){ .topic = "orders", .count = 4 }, 1, false, NULL), KAFKA_OK);
    kafka_client_free(client);
    kafka_address_free(admin);
    run_for(s, 20 * KAFKA_SECOND);
    expect_assignment(s, "c1=orders[0,1] c2=orders[2,3]");
    expect(a, "revoked orders-0; assigned orders-0 orders-1; ");
}

static void a_static_member_returns_without_a_rebalance(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    program *a = member(s, "c1", "group.instance.id=i1", NULL), *b = member(s, "c2", "group.instance.id=i2", NULL);
    run_for(s, 10 * KAFKA_SECOND);
    int32_t generation = ksim_group_find(s->sim, "billing")->generation;
    a->log[0] = 0;
    kafka_context_cancel(b->ctx); /* close of a static member says nothing to the group */
    run_for(s, 5 * KAFKA_SECOND);
    expect(a, "");
    program *again = member(s, "c3", "group.instance.id=i2", NULL);
    run_for(s, 5 * KAFKA_SECOND);
    expect(a, "");
    expect(again, "assigned orders-1; ");
    assert_int_equal(ksim_group_find(s->sim, "billing")->generation, generation);
}

static void two_processes_with_one_instance_id_fence_each_other(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    program *a = member(s, "c1", "group.instance.id=i1", NULL);
    run_for(s, 5 * KAFKA_SECOND);
    program *b = member(s, "c2", "group.instance.id=i1", NULL);
    run_for(s, 2 * KAFKA_SECOND);
    assert_int_equal(a->last_error, KAFKA_ERR_FENCED_INSTANCE_ID);
    assert_int_equal(b->last_error, KAFKA_OK);
    expect(b, "assigned orders-0 orders-1; ");
    run_for(s, 3 * KAFKA_SECOND); /* who polls on, as this one does, takes it back */
    assert_int_equal(b->last_error, KAFKA_ERR_FENCED_INSTANCE_ID);
}

static void a_moved_coordinator_is_found_again(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    program *a = member(s, "c1", NULL, NULL), *b = member(s, "c2", NULL, NULL);
    run_for(s, 10 * KAFKA_SECOND);
    for (int i = 0; i < 3; i++) {
        int32_t coordinator = ksim_group_find(s->sim, "billing")->coordinator;
        assert_int_equal(ksim_move_coordinator(s->sim, "billing", coordinator % 3 + 1), KAFKA_OK);
        run_for(s, 20 * KAFKA_SECOND);
        put_numbers(s, "orders", 2, 10);
        run_for(s, 20 * KAFKA_SECOND);
        expect_assignment(s, "c1=orders[0] c2=orders[1]");
        assert_i64_equal(ksim_lag(s->sim, "billing", "orders"), 0);
    }
    int32_t coordinator = ksim_group_find(s->sim, "billing")->coordinator;
    ksim_stop_broker(s->sim, coordinator);
    run_for(s, 30 * KAFKA_SECOND);
    put_numbers(s, "orders", 2, 10);
    run_for(s, 20 * KAFKA_SECOND);
    expect_assignment(s, "c1=orders[0] c2=orders[1]");
    assert_int_equal(a->last_error, KAFKA_OK);
    assert_int_equal(b->last_error, KAFKA_OK);
    assert_i64_equal(a->delivered + b->delivered, 40);
}

static void members_without_a_common_assignor_are_refused(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    member(s, "c1", "partition.assignment.strategy=range", NULL);
    run_for(s, 5 * KAFKA_SECOND);
    program *b = member(s, "c2", "partition.assignment.strategy=sticky", NULL);
    run_for(s, 5 * KAFKA_SECOND);
    assert_int_equal(b->last_error, KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL);
    expect_assignment(s, "c1=orders[0,1]");
}

static void a_changed_subscription_rejoins(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    ksim_create_topic(s->sim, "payments", 1);
    program *a = make_program(s, "c1", (const char *[]){ GROUP, "partition.assignment.strategy=cooperative-sticky", NULL });
    subscribe(a, "orders");
    kafka_records *records;
    for (int i = 0; i < 20; i++) kafka_consumer_poll(a->consumer, a->ctx, 100 * KAFKA_MILLISECOND, &records);
    expect(a, "assigned orders-0 orders-1; ");
    subscribe(a, "payments");
    for (int i = 0; i < 20; i++) kafka_consumer_poll(a->consumer, a->ctx, 100 * KAFKA_MILLISECOND, &records);
    expect(a, "revoked orders-0 orders-1; assigned payments-0; ");
    assert_int_equal(kafka_consumer_unsubscribe(a->consumer), KAFKA_OK);
    expect(a, "revoked payments-0; ");
    run_for(s, KAFKA_SECOND);
    assert_string_equal(ksim_group_find(s->sim, "billing")->state, "Empty");
    subscribe(a, "orders");
    for (int i = 0; i < 20; i++) kafka_consumer_poll(a->consumer, a->ctx, 100 * KAFKA_MILLISECOND, &records);
    expect(a, "assigned orders-0 orders-1; ");
}

/* ---- callbacks and assignors of the application ---- */

static kafka_error failing(void *argument, kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count) {
    program *p = argument;
    note(p, "assigned", partitions, count);
    kafka_records *records;
    assert_int_equal(kafka_consumer_poll(consumer, p->ctx, 0, &records), KAFKA_ERR_WRONG_PLACE);
    assert_int_equal(kafka_consumer_close(consumer), KAFKA_ERR_WRONG_PLACE);
    return KAFKA_ERR_USER;
}

static void a_failing_callback_fails_the_poll_but_not_the_rebalance(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    put_numbers(s, "orders", 1, 1);
    program *p = make_program(s, "c1", (const char *[]){ GROUP, NULL });
    kafka_rebalance_listener listener = { failing, NULL, NULL, p };
    kafka_consumer_subscribe(p->consumer, (const char *[]){ "orders" }, 1, &listener);
    kafka_records *records;
    assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, 10 * KAFKA_SECOND, &records), KAFKA_ERR_USER);
    assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, 10 * KAFKA_SECOND, &records), KAFKA_OK);
    assert_non_null(records);
    kafka_records_free(records);
}

static void a_failing_callback_fails_the_close_and_is_named(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    program *p = make_program(s, "c1", (const char *[]){ GROUP, NULL });
    kafka_rebalance_listener listener = { NULL, failing, NULL, p };
    kafka_consumer_subscribe(p->consumer, (const char *[]){ "orders" }, 1, &listener);
    kafka_records *records;
    assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, 10 * KAFKA_SECOND, &records), KAFKA_OK);
    assert_int_equal(kafka_consumer_close(p->consumer), KAFKA_ERR_USER);
    const char *detail = kafka_error_detail(p->address), *start = "kafka_consumer_close: a callback of the rebalance listener failed: ";
    assert_memory_equal(detail, start, strlen(start));
    assert_int_equal(kafka_consumer_close(p->consumer), KAFKA_OK);
}

/* Java's logs it; here the caller hears of it, and of the commit before the callback. The goodbye is said all the same. */
static void a_failing_last_commit_fails_the_close_and_is_named(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    put_numbers(s, "orders", 1, 3);
    const char *const protocols[] = { "group.protocol=classic", "group.protocol=consumer" };
    for (int i = 0; i < 2; i++) {
        program *p = make_program(s, i ? "c2" : "c1", (const char *[]){ i ? "group.id=g2" : "group.id=g1", protocols[i],
                                                                       "auto.offset.reset=earliest", NULL });
        kafka_rebalance_listener listener = { NULL, failing, NULL, p };
        kafka_consumer_subscribe(p->consumer, (const char *[]){ "orders" }, 1, &listener);
        kafka_records *records;
        assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, 10 * KAFKA_SECOND, &records), KAFKA_OK);
        kafka_records_free(records);
        ksim_rule *refusing = ksim_rule_add(s->sim, &(ksim_rule_config){ .api = "OffsetCommit", .action = KSIM_ANSWER_ERROR,
                                                                         .error = KAFKA_ERR_GROUP_AUTHORIZATION_FAILED });
        assert_int_equal(kafka_consumer_close(p->consumer), KAFKA_ERR_GROUP_AUTHORIZATION_FAILED);
        assert_string_equal(kafka_error_detail(p->address), "kafka_consumer_close: the last commit failed: not allowed to use this group");
        assert_i64_equal(ksim_rule_fired(refusing), 1);
        ksim_rule_remove(s->sim, refusing);
        assert_string_equal(ksim_group_find(s->sim, i ? "g2" : "g1")->state, "Empty");
        assert_int_equal(kafka_consumer_close(p->consumer), KAFKA_OK); /* it is closed */
    }
}

static kafka_error runs_the_simulation(void *argument, kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count) {
    stage *s = argument;
    (void)partitions, (void)count;
    assert_int_equal(ksim_run_for(s->sim, KAFKA_SECOND), KAFKA_ERR_WRONG_PLACE);
    assert_non_null(strstr(ksim_error_detail(s->sim), "ksim_run_for: the simulation cannot be run from inside"));
    assert_int_equal(ksim_step(s->sim), KAFKA_ERR_WRONG_PLACE);
    program *p = &s->programs[0];
    p->commit_error = kafka_consumer_commit_sync(consumer, p->ctx, NULL, 0); /* which may block */
    p->polls++;
    return KAFKA_OK;
}

static void commit_told(void *argument, kafka_consumer *consumer, kafka_error error, const kafka_consumer_offset *offsets, size_t count) {
    stage *s = argument;
    (void)consumer, (void)error, (void)offsets, (void)count;
    assert_int_equal(ksim_run_until_time(s->sim, ksim_now(s->sim)), KAFKA_ERR_WRONG_PLACE);
    s->programs[0].delivered++;
}

static void a_callback_on_the_program_s_own_stack_may_block_but_not_run_the_simulation(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    program *p = make_program(s, "c1", (const char *[]){ GROUP, NULL });
    kafka_rebalance_listener listener = { runs_the_simulation, runs_the_simulation, NULL, s };
    kafka_consumer_subscribe(p->consumer, (const char *[]){ "orders" }, 1, &listener);
    kafka_records *records;
    assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, 10 * KAFKA_SECOND, &records), KAFKA_OK);
    assert_true(p->polls > 0);
    assert_int_equal(ksim_run_for(s->sim, KAFKA_SECOND), KAFKA_OK); /* outside again */
    assert_int_equal(kafka_consumer_commit_async(p->consumer, NULL, 0, commit_told, s), KAFKA_OK);
    run_for(s, KAFKA_SECOND);
    assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, 0, &records), KAFKA_OK);
    assert_i64_equal(p->delivered, 1);
    assert_int_equal(kafka_consumer_close(p->consumer), KAFKA_OK);
    assert_int_equal(ksim_step(s->sim), KAFKA_OK);
}

static kafka_error jumps(void *argument, kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count) {
    (void)consumer, (void)partitions, (void)count;
    longjmp(*(jmp_buf *)argument, 1);
}

static void after_a_jump_out_of_a_callback_the_simulation_runs_on(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    program *p = make_program(s, "c1", (const char *[]){ GROUP, NULL });
    jmp_buf out;
    kafka_rebalance_listener listener = { jumps, NULL, NULL, &out };
    kafka_consumer_subscribe(p->consumer, (const char *[]){ "orders" }, 1, &listener);
    kafka_records *records;
    if (setjmp(out) == 0) {
        kafka_consumer_poll(p->consumer, p->ctx, 10 * KAFKA_SECOND, &records);
        fail_msg("the callback did not jump");
    }
    assert_int_equal(ksim_run_for(s->sim, KAFKA_SECOND), KAFKA_OK);
}

static kafka_error all_to_the_last(void *argument, const kafka_assignor_member *members, size_t member_count,
                                   const kafka_assignor_topic *topics, size_t topic_count, int32_t *owners) {
    int *calls = argument;
    ++*calls;
    int32_t total = 0;
    for (size_t t = 0; t < topic_count; t++) total += topics[t].partition_count;
    for (int32_t i = 0; i < total; i++) owners[i] = (int32_t)member_count - 1;
    assert_non_null(members[0].id);
    return KAFKA_OK;
}

static void an_assignor_of_the_application_decides(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 3);
    int calls = 0;
    kafka_assignor own = { "mine", all_to_the_last, &calls, false };
    for (int i = 0; i < 2; i++) {
        program *p = &s->programs[s->count++];
        p->name = i ? "c2" : "c1";
        p->address = ksim_client(s->sim, p->name);
        p->ctx = kafka_context_with_cancel(kafka_background(p->address));
        const char *settings[] = { GROUP, "partition.assignment.strategy=mine" };
        assert_int_equal(kafka_consumer_new(&(kafka_consumer_config){ p->address, settings, 3, &own, 1 }, &p->consumer), KAFKA_OK);
        start(p, "orders");
    }
    run_for(s, 10 * KAFKA_SECOND);
    assert_true(calls > 0);
    expect_assignment(s, "c1= c2=orders[0,1,2]");
}

/* Gives everything to the last member at once, although others still own it. */
static void a_cooperative_assignor_that_does_not_wait_is_found_out(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 3);
    int calls = 0;
    kafka_assignor own = { "mine", all_to_the_last, &calls, true };
    for (int i = 0; i < 2; i++) {
        program *p = &s->programs[s->count++];
        p->name = i ? "c2" : "c1";
        p->address = ksim_client(s->sim, p->name);
        p->ctx = kafka_context_with_cancel(kafka_background(p->address));
        const char *settings[] = { GROUP, "partition.assignment.strategy=mine" };
        assert_int_equal(kafka_consumer_new(&(kafka_consumer_config){ p->address, settings, 3, &own, 1 }, &p->consumer), KAFKA_OK);
        start(p, "orders");
        run_for(s, 5 * KAFKA_SECOND);
    }
    assert_int_equal(s->programs[0].last_error, KAFKA_ERR_USER);
}

static void a_built_in_assignor_can_be_run_by_hand(void **state) {
    (void)state;
    const char *topics[] = { "t" };
    kafka_assignor_member members[] = { { .id = "b", .topics = topics, .topic_count = 1, .generation = -1 },
                                        { .id = "a", .topics = topics, .topic_count = 1, .generation = -1 } };
    kafka_assignor_topic topic = { "t", 3, NULL };
    int32_t owners[3];
    assert_int_equal(kafka_assign("range", members, 2, &topic, 1, owners), KAFKA_OK);
    assert_true(owners[0] == 1 && owners[1] == 1 && owners[2] == 0);
    assert_int_equal(kafka_assign("rang", members, 2, &topic, 1, owners), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_assign("range", members, 2, &topic, 1, NULL), KAFKA_ERR_INVALID_ARGUMENT);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin, stage_end)
    const struct CMUnitTest tests[] = {
        TEST(eager_members_give_up_everything_before_they_get_it_back),
        TEST(cooperative_members_keep_what_stays_theirs),
        TEST(every_assignor_shares_all_partitions_out),
        TEST(a_crashed_member_is_missed_after_its_session),
        TEST(a_slow_member_leaves_and_loses_its_partitions),
        TEST(a_member_may_still_commit_while_it_is_being_revoked),
        TEST(without_a_commit_the_next_owner_reads_again),
        TEST(new_partitions_are_found_by_the_leader),
        TEST(a_static_member_returns_without_a_rebalance),
        TEST(two_processes_with_one_instance_id_fence_each_other),
        TEST(a_moved_coordinator_is_found_again),
        TEST(members_without_a_common_assignor_are_refused),
        TEST(a_changed_subscription_rejoins),
        TEST(a_failing_callback_fails_the_poll_but_not_the_rebalance),
        TEST(a_failing_callback_fails_the_close_and_is_named),
        TEST(a_failing_last_commit_fails_the_close_and_is_named),
        TEST(a_callback_on_the_program_s_own_stack_may_block_but_not_run_the_simulation),
        TEST(after_a_jump_out_of_a_callback_the_simulation_runs_on),
        TEST(an_assignor_of_the_application_decides),
        TEST(a_cooperative_assignor_that_does_not_wait_is_found_out),
        cmocka_unit_test(a_built_in_assignor_can_be_run_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
