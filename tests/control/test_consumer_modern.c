/* SPDX-License-Identifier: Apache-2.0
 * Java's consumer with group.protocol=consumer (KIP-848) against the cluster. */
#include "tests/control/consumer_fixture.h"

#define GROUP "group.id=billing", "auto.offset.reset=earliest", "group.protocol=consumer"

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

/* The members' own view: "orders[0,1]" is written orders-0 orders-1. */
static void expect_owned(program *p, const char *owned) {
    const kafka_topic_partition *partitions;
    size_t count, size = 0;
    char text[256] = "";
    assert_int_equal(kafka_consumer_assignment(p->consumer, &partitions, &count), KAFKA_OK);
    for (size_t i = 0; i < count; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s-%d", i ? " " : "", partitions[i].topic, partitions[i].partition);
    if (strcmp(text, owned) != 0) fail_msg("%s has %s, not %s", p->name, text, owned);
}

static void members_come_and_go_without_a_barrier(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 4);
    put_numbers(s, "orders", 4, 40);
    program *a = member(s, "c1", NULL, NULL);
    run_for(s, 5 * KAFKA_SECOND);
    expect(a, "assigned orders-0 orders-1 orders-2 orders-3; ");
    assert_i64_equal(a->delivered, 40);
    program *b = member(s, "c2", NULL, NULL);
    run_for(s, 20 * KAFKA_SECOND);
    expect(a, "revoked orders-2 orders-3; assigned; ");
    expect(b, "assigned; assigned orders-2 orders-3; ");
    expect_owned(a, "orders-0 orders-1");
    expect_owned(b, "orders-2 orders-3");
    put_numbers(s, "orders", 4, 40);
    run_for(s, 10 * KAFKA_SECOND);
    assert_i64_equal(a->delivered, 60);
    assert_i64_equal(b->delivered, 20);
    kafka_context_cancel(b->ctx);
    run_for(s, 20 * KAFKA_SECOND);
    expect(b, "revoked orders-2 orders-3; ");
    expect(a, "assigned orders-2 orders-3; ");
    kafka_context_cancel(a->ctx);
    run_for(s, 5 * KAFKA_SECOND);
    assert_i64_equal(ksim_lag(s->sim, "billing", "orders"), 0);
}

static void a_crashed_member_is_missed_after_its_session(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    program *a = member(s, "c1", NULL, NULL);
    program *b = member(s, "c2", NULL, NULL);
    run_for(s, 30 * KAFKA_SECOND);
    expect_owned(a, "orders-0");
    expect_owned(b, "orders-1");
    ksim_crash(s->sim, "c2");
    run_for(s, 70 * KAFKA_SECOND);
    expect_owned(a, "orders-0 orders-1");
    assert_int_equal(a->last_error, KAFKA_OK);
}

static void a_fenced_member_loses_everything_and_joins_again(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    program *a = member(s, "c1", NULL, NULL);
    run_for(s, 10 * KAFKA_SECOND);
    ksim_pause(s->sim, "c1");
    run_for(s, 60 * KAFKA_SECOND);
    ksim_resume(s->sim, "c1");
    run_for(s, 20 * KAFKA_SECOND);
    expect(a, "assigned orders-0 orders-1; lost orders-0 orders-1; assigned orders-0 orders-1; ");
    expect_owned(a, "orders-0 orders-1");
}

static void a_slow_member_leaves_and_joins_again_at_its_next_poll(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    program *a = member(s, "c1", NULL, NULL), *b = member(s, "c2", "max.poll.interval.ms=20000", "enable.auto.commit=false");
    b->commit_after_work = true;
    run_for(s, 30 * KAFKA_SECOND);
    a->log[0] = b->log[0] = 0;
    b->stall = 60 * KAFKA_SECOND;
    put_numbers(s, "orders", 2, 2);
    run_for(s, 40 * KAFKA_SECOND);
    expect_owned(a, "orders-0 orders-1");
    assert_i64_equal(a->delivered, 2);
    run_for(s, 60 * KAFKA_SECOND);
    assert_int_equal(b->commit_error, KAFKA_ERR_COMMIT_FAILED);
    expect(b, "lost orders-1; assigned; assigned orders-1; ");
}

static void new_partitions_reach_every_member(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    program *a = member(s, "c1", "metadata.max.age.ms=10000", NULL), *b = member(s, "c2", "metadata.max.age.ms=10000", NULL);
    run_for(s, 30 * KAFKA_SECOND);
    a->log[0] = b->log[0] = 0;
    kafka_client *client;
    kafka_address *admin = ksim_client(s->sim, "admin");
    assert_int_equal(kafka_client_new(&(kafka_client_config){ .address = admin }, &client), KAFKA_OK);
    assert_int_equal(kafka_client_create_partitions(client, kafka_background(admin), &(kafka_partitions_config){ .topic = "orders", .count = 4 }, 1, false, NULL), KAFKA_OK);
    kafka_client_free(client);
    kafka_address_free(admin);
    put_numbers(s, "orders", 4, 8);
    run_for(s, 30 * KAFKA_SECOND);
    assert_i64_equal(a->delivered + b->delivered, 8);
    assert_null(strstr(a->log, "revoked"));
    assert_null(strstr(b->log, "revoked"));
}

static void what_is_assigned_of_a_topic_whose_name_is_not_known_yet_waits_for_it(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    program *p = make_program(s, "c1", (const char *[]){ GROUP, "allow.auto.create.topics=false", NULL });
    kafka_rebalance_listener listener = { on_assigned, on_revoked, on_lost, p };
    assert_int_equal(kafka_consumer_subscribe(p->consumer, (const char *[]){ "orders", "later" }, 2, &listener), KAFKA_OK);
    p->task = kafka_go(p->ctx, p->name, poll_loop, p);
    kafka_task_free(p->task);
    run_for(s, 5 * KAFKA_SECOND);
    expect(p, "assigned orders-0 orders-1; ");
    ksim_rule *hold = ksim_rule_add(s->sim, &(ksim_rule_config){ .api = "Metadata", .client = "c1", .action = KSIM_HOLD });
    ksim_create_topic(s->sim, "later", 2);
    run_for(s, 20 * KAFKA_SECOND);
    expect(p, "");
    expect_owned(p, "orders-0 orders-1");
    ksim_rule_remove(s->sim, hold);
    run_for(s, 5 * KAFKA_SECOND);
    expect(p, "assigned later-0 later-1; ");
    expect_owned(p, "later-0 later-1 orders-0 orders-1");
}

static void a_static_member_returns_to_what_it_had(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    program *a = member(s, "c1", "group.instance.id=i1", NULL), *b = member(s, "c2", "group.instance.id=i2", NULL);
    run_for(s, 30 * KAFKA_SECOND);
    a->log[0] = 0;
    kafka_context_cancel(b->ctx);
    run_for(s, 10 * KAFKA_SECOND);
    program *again = member(s, "c3", "group.instance.id=i2", NULL);
    run_for(s, 20 * KAFKA_SECOND);
    expect(a, "");
    expect(again, "assigned orders-1; ");
}

static void an_unreleased_instance_id_is_fatal(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    member(s, "c1", "group.instance.id=i1", NULL);
    run_for(s, 10 * KAFKA_SECOND);
    program *b = member(s, "c2", "group.instance.id=i1", NULL);
    run_for(s, 10 * KAFKA_SECOND);
    assert_int_equal(b->last_error, KAFKA_ERR_UNRELEASED_INSTANCE_ID);
}

static void the_server_side_assignor_can_be_chosen(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    program *a = member(s, "c1", "group.remote.assignor=range", NULL);
    run_for(s, 10 * KAFKA_SECOND);
    expect(a, "assigned orders-0 orders-1; ");
    program *b = member(s, "c2", "group.remote.assignor=rang", NULL);
    run_for(s, 10 * KAFKA_SECOND);
    assert_int_equal(b->last_error, KAFKA_ERR_UNSUPPORTED_ASSIGNOR);
}

static void classic_and_consumer_members_share_a_group(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 4);
    program *a = make_program(s, "c1", (const char *[]){ "group.id=billing", "auto.offset.reset=earliest", "partition.assignment.strategy=cooperative-sticky", NULL });
    start(a, "orders");
    run_for(s, 10 * KAFKA_SECOND);
    program *b = member(s, "c2", NULL, NULL);
    run_for(s, 60 * KAFKA_SECOND);
    expect_owned(a, "orders-0 orders-1");
    expect_owned(b, "orders-2 orders-3");
    put_numbers(s, "orders", 4, 40);
    run_for(s, 10 * KAFKA_SECOND);
    assert_i64_equal(a->delivered, 20);
    assert_i64_equal(b->delivered, 20);
    kafka_context_cancel(b->ctx); /* the group is classic again */
    run_for(s, 60 * KAFKA_SECOND);
    expect_owned(a, "orders-0 orders-1 orders-2 orders-3");
}

static void a_moved_coordinator_is_found_again(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    program *a = member(s, "c1", NULL, NULL), *b = member(s, "c2", NULL, NULL);
    run_for(s, 30 * KAFKA_SECOND);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ksim_move_coordinator(s->sim, "billing", i % 3 + 1), KAFKA_OK);
        run_for(s, 20 * KAFKA_SECOND);
        put_numbers(s, "orders", 2, 10);
        run_for(s, 20 * KAFKA_SECOND);
        expect_owned(a, "orders-0");
        expect_owned(b, "orders-1");
        assert_i64_equal(ksim_lag(s->sim, "billing", "orders"), 0);
    }
    assert_i64_equal(a->delivered + b->delivered, 30);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin, stage_end)
    const struct CMUnitTest tests[] = {
        TEST(members_come_and_go_without_a_barrier),
        TEST(a_crashed_member_is_missed_after_its_session),
        TEST(a_fenced_member_loses_everything_and_joins_again),
        TEST(a_slow_member_leaves_and_joins_again_at_its_next_poll),
        TEST(new_partitions_reach_every_member),
        TEST(what_is_assigned_of_a_topic_whose_name_is_not_known_yet_waits_for_it),
        TEST(a_static_member_returns_to_what_it_had),
        TEST(an_unreleased_instance_id_is_fatal),
        TEST(the_server_side_assignor_can_be_chosen),
        TEST(classic_and_consumer_members_share_a_group),
        TEST(a_moved_coordinator_is_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
