/* SPDX-License-Identifier: Apache-2.0
 * kafka_reader in a group, against a simulated cluster (kafka-go-client.md 5.4, 5.7, 6.2, 6.6). */
#include "tests/control/reader_fixture.h"

#include <kafkasim/task.h>

#define BILLING                                                                                                        \
    (kafka_reader_config) { .topic = "orders", .group_id = "billing" }

static void stable(fixture *f, const char *expected) {
    assert_sim(f->sim, ksim_run_for(f->sim, 10 * KAFKA_MILLISECOND)); /* new readers have shown themselves */
    assert_sim(f->sim, ksim_run_until_group_stable(f->sim, "billing"));
    assert_string_equal(ksim_assignment(f->sim, "billing"), expected);
}

static int64_t committed(fixture *f, int32_t partition) {
    return ksim_committed_offset(f->sim, "billing", "orders", partition);
}

/* ---- joining, sharing, leaving ---- */

static void members_share_the_partitions_and_find_the_committed_offsets(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 3));
    for (int p = 0; p < 3; p++) put(f->sim, "orders", p, p * 10, 4);
    kafka_address *c1 = ksim_client(f->sim, "c1"), *c2 = ksim_client(f->sim, "c2");
    kafka_reader *first = reader_of(c1, BILLING);
    stable(f, "c1=orders[0,1,2]");
    kafka_context *ctx = kafka_background(c1);
    for (int i = 0; i < 12; i++) {
        kafka_message message;
        assert_ok(c1, kafka_reader_read(first, ctx, &message));
        assert_i64_equal(committed(f, message.partition), message.offset + 1);
        kafka_message_release(&message);
    }
    kafka_reader *second = reader_of(c2, BILLING);
    stable(f, "c1=orders[0] c2=orders[1,2]"); /* kafka-go's range: the later member gets the extra one */
    expect_nothing(c1, first, 5 * KAFKA_SECOND);
    expect_nothing(c2, second, 5 * KAFKA_SECOND);
    put(f->sim, "orders", 0, 100, 1);
    put(f->sim, "orders", 2, 102, 1);
    assert_int_equal(next_number(c1, first, KAFKA_SECOND, NULL), 100);
    assert_int_equal(next_number(c2, second, KAFKA_SECOND, NULL), 102);
    int64_t before = ms(f->sim);
    close_reader(c1, first);
    assert_true(ms(f->sim) - before < 50); /* leaving is at once */
    stable(f, "c2=orders[0,1,2]");
    assert_true(ms(f->sim) - before <= 3100); /* the other learns of it from its heartbeat */
    close_reader(c2, second);
    assert_string_equal(ksim_group_find(f->sim, "billing")->state, "Empty");
    kafka_address_free(c1);
    kafka_address_free(c2);
}

static void a_crash_costs_the_group_the_session_timeout(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 4));
    kafka_address *c1 = ksim_client(f->sim, "c1"), *c2 = ksim_client(f->sim, "c2");
    kafka_reader *first = reader_of(c1, BILLING), *second = reader_of(c2, BILLING);
    stable(f, "c1=orders[0,1] c2=orders[2,3]");
    assert_sim(f->sim, ksim_run_for(f->sim, 10 * KAFKA_SECOND));
    int64_t before = ms(f->sim);
    assert_sim(f->sim, ksim_crash(f->sim, "c2"));
    stable(f, "c1=orders[0,1,2,3]");
    int64_t took = ms(f->sim) - before;
    assert_true(took > 26000 && took < 34000);
    close_reader(c1, first);
    kafka_reader_free(second);
    kafka_address_free(c1);
    kafka_address_free(c2);
}

static void a_restarted_member_resumes_after_the_last_commit(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    put(f->sim, "orders", 0, 0, 10);
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_reader *reader = reader_of(c1, BILLING);
    kafka_message message;
    for (int i = 0; i < 6; i++) {
        assert_int_equal(next_number(c1, reader, 10 * KAFKA_SECOND, &message), i);
        if (i == 3) assert_ok(c1, kafka_reader_commit(reader, kafka_background(c1), &message, 1));
        kafka_message_release(&message);
    }
    close_reader(c1, reader);
    assert_i64_equal(committed(f, 0), 4);
    reader = reader_of(c1, BILLING);
    assert_int_equal(next_number(c1, reader, 10 * KAFKA_SECOND, NULL), 4); /* delivered, but not committed: again */
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void more_members_than_partitions_leaves_some_waiting(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 2));
    kafka_address *clients[3];
    kafka_reader *readers[3];
    const char *names[] = { "c1", "c2", "c3" };
    for (int i = 0; i < 3; i++) {
        clients[i] = ksim_client(f->sim, names[i]);
        readers[i] = reader_of(clients[i], BILLING);
    }
    stable(f, "c1= c2=orders[0] c3=orders[1]");
    kafka_message message;
    assert_error(clients[0], kafka_reader_fetch(readers[0], kafka_background(clients[0]), &message),
                 KAFKA_ERR_NOTHING_CAN_WAKE);
    if (strstr(kafka_error_detail(clients[0]), "gives it no partition") == NULL)
        fail_msg("%s", kafka_error_detail(clients[0]));
    for (int i = 0; i < 3; i++) {
        close_reader(clients[i], readers[i]);
        kafka_address_free(clients[i]);
    }
}

static void start_offset_decides_where_nothing_is_committed(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    put(f->sim, "orders", 0, 0, 5);
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_reader *reader = reader_of(
        c1, (kafka_reader_config){ .topic = "orders", .group_id = "billing", .start_offset = KAFKA_LAST_OFFSET });
    expect_nothing(c1, reader, 10 * KAFKA_SECOND);
    put(f->sim, "orders", 0, 5, 1);
    assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), 5);
    assert_i64_equal(kafka_reader_offset(reader), -1);
    assert_i64_equal(kafka_reader_lag(reader), -1);
    assert_error(c1, kafka_reader_set_offset(reader, 0), KAFKA_ERR_NOT_WITH_GROUP);
    int64_t lag;
    assert_error(c1, kafka_reader_read_lag(reader, kafka_background(c1), &lag), KAFKA_ERR_NOT_WITH_GROUP);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void several_topics_are_read_by_one_group(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 2));
    assert_sim(f->sim, ksim_create_topic(f->sim, "payments", 1));
    put(f->sim, "orders", 1, 1, 1);
    put(f->sim, "payments", 0, 2, 1);
    const char *topics[] = { "payments", "orders" };
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_reader *reader =
        reader_of(c1, (kafka_reader_config){ .group_id = "billing", .group_topics = topics, .group_topic_count = 2 });
    int sum = next_number(c1, reader, 10 * KAFKA_SECOND, NULL) + next_number(c1, reader, 10 * KAFKA_SECOND, NULL);
    assert_int_equal(sum, 3);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void one_missing_topic_does_not_starve_the_others(void **state) {
    (void)state;
    static const ksim_setting settings[] = { { "auto.create.topics.enable", "false" },
                                             { "group.initial.rebalance.delay.ms", "0" },
                                             { NULL, NULL } };
    ksim *sim = ksim_new(&(ksim_config){ .settings = settings });
    assert_sim(sim, ksim_create_topic(sim, "orders", 2));
    put(sim, "orders", 1, 1, 1);
    const char *topics[] = { "nosuch", "orders" };
    kafka_address *c1 = ksim_client(sim, "c1");
    kafka_reader *reader =
        reader_of(c1, (kafka_reader_config){ .group_id = "billing", .group_topics = topics, .group_topic_count = 2 });
    assert_int_equal(next_number(c1, reader, 10 * KAFKA_SECOND, NULL), 1);
    close_reader(c1, reader);
    kafka_address_free(c1);
    ksim_free(sim);
}

/* ---- commits ---- */

static void each_commit_goes_out_on_its_own_so_offsets_can_move_back(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    put(f->sim, "orders", 0, 0, 8);
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_reader *reader = reader_of(c1, BILLING);
    kafka_message messages[8];
    for (int i = 0; i < 8; i++) next_number(c1, reader, 10 * KAFKA_SECOND, &messages[i]);
    ksim_rule *commits = ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "OffsetCommit", .action = KSIM_COUNT });
    assert_ok(c1, kafka_reader_commit(reader, kafka_background(c1), &messages[5], 1));
    assert_i64_equal(committed(f, 0), 6);
    assert_ok(c1, kafka_reader_commit(reader, kafka_background(c1), &messages[3], 1));
    assert_i64_equal(committed(f, 0), 4);
    assert_ok(c1,
              kafka_reader_commit(reader, kafka_background(c1), &messages[0], 8)); /* within a call the highest wins */
    assert_i64_equal(committed(f, 0), 8);
    assert_ok(c1, kafka_reader_commit(reader, kafka_background(c1), NULL, 0)); /* no request */
    assert_i64_equal((int64_t)ksim_rule_matched(commits), 3);
    kafka_message bad = { .partition = 0, .offset = 1 };
    assert_error(c1, kafka_reader_commit(reader, kafka_background(c1), &bad, 1), KAFKA_ERR_INVALID_ARGUMENT);
    for (int i = 0; i < 8; i++) kafka_message_release(&messages[i]);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void a_failed_commit_is_tried_three_times(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    put(f->sim, "orders", 0, 0, 2);
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_reader *reader = reader_of(c1, BILLING);
    kafka_message message;
    next_number(c1, reader, 10 * KAFKA_SECOND, &message);
    ksim_rule *rule = ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "OffsetCommit",
                                                                 .first = 2,
                                                                 .action = KSIM_ANSWER_ERROR,
                                                                 .error = KAFKA_ERR_COORDINATOR_NOT_AVAILABLE });
    int64_t before = ms(f->sim);
    assert_ok(c1, kafka_reader_commit(reader, kafka_background(c1), &message, 1));
    assert_i64_equal(ms(f->sim) - before, 503); /* three round trips, 100 and 400 ms between */
    ksim_rule_remove(f->sim, rule);
    rule = ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "OffsetCommit",
                                                      .action = KSIM_ANSWER_ERROR,
                                                      .error = KAFKA_ERR_ILLEGAL_GENERATION });
    assert_error(c1, kafka_reader_commit(reader, kafka_background(c1), &message, 1), KAFKA_ERR_ILLEGAL_GENERATION);
    assert_i64_equal((int64_t)ksim_rule_matched(rule), 3);
    kafka_message_release(&message);
    assert_error(c1, kafka_reader_read(reader, kafka_background(c1), &message), KAFKA_ERR_ILLEGAL_GENERATION);
    ksim_rule_remove(f->sim, rule);
    expect_nothing(c1, reader, KAFKA_SECOND); /* taken, not committed, not returned: gone until a rebalance */
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void interval_commits_are_merged_and_sent_at_the_interval_and_at_close(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 2));
    put(f->sim, "orders", 0, 0, 50);
    put(f->sim, "orders", 1, 50, 50);
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_reader *reader = reader_of(
        c1, (kafka_reader_config){ .topic = "orders", .group_id = "billing", .commit_interval = KAFKA_SECOND });
    ksim_rule *commits = ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "OffsetCommit", .action = KSIM_COUNT });
    kafka_context *ctx = kafka_background(c1);
    kafka_message message;
    for (int i = 0; i < 90; i++) {
        assert_ok(c1, kafka_reader_read(reader, ctx, &message));
        kafka_message_release(&message);
    }
    assert_i64_equal((int64_t)ksim_rule_matched(commits), 0);
    assert_sim(f->sim, ksim_run_for(f->sim, 1500 * KAFKA_MILLISECOND));
    assert_i64_equal((int64_t)ksim_rule_matched(commits), 1);
    assert_i64_equal(committed(f, 0) + committed(f, 1), 90);
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_MINUTE));
    assert_i64_equal((int64_t)ksim_rule_matched(commits), 1); /* nothing new, no request */
    for (int i = 0; i < 10; i++) {
        assert_ok(c1, kafka_reader_read(reader, ctx, &message));
        kafka_message_release(&message);
    }
    close_reader(c1, reader);
    assert_i64_equal((int64_t)ksim_rule_matched(commits), 2);
    assert_i64_equal(committed(f, 0) + committed(f, 1), 100);
    kafka_address_free(c1);
}

static void an_interval_commit_that_failed_is_kept_and_sent_again(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    put(f->sim, "orders", 0, 0, 5);
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_reader *reader = reader_of(
        c1, (kafka_reader_config){ .topic = "orders", .group_id = "billing", .commit_interval = KAFKA_SECOND });
    kafka_message message;
    assert_ok(c1, kafka_reader_read(reader, kafka_background(c1), &message));
    kafka_message_release(&message);
    ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "OffsetCommit",
                                               .first = 3,
                                               .action = KSIM_ANSWER_ERROR,
                                               .error = KAFKA_ERR_COORDINATOR_NOT_AVAILABLE });
    assert_sim(f->sim, ksim_run_for(f->sim, 1900 * KAFKA_MILLISECOND));
    assert_i64_equal(committed(f, 0), -1);
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_SECOND));
    assert_i64_equal(committed(f, 0), 1);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

typedef struct commit_task {
    kafka_address *address;
    kafka_reader *reader;
    kafka_context *ctx;
    kafka_message message;
    kafka_error error;
    int64_t ended_ms;
    ksim *sim;
} commit_task;

static void commit_in_task(void *argument) {
    commit_task *task = argument;
    task->error = kafka_reader_commit(task->reader, task->ctx, &task->message, 1);
    task->ended_ms = ms(task->sim);
}

static void without_a_generation_a_commit_waits_for_the_next_one(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    ksim_rule *hold = ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "SyncGroup", .action = KSIM_HOLD });
    commit_task task = {
        c1, reader_of(c1, BILLING), kafka_background(c1), { .topic = "orders", .offset = 6 }, KAFKA_ERR_USER, 0, f->sim
    };
    kafka_task *running = kafka_go(task.ctx, "commit", commit_in_task, &task);
    assert_sim(f->sim, ksim_run_for(f->sim, 2 * KAFKA_SECOND));
    assert_int_equal(task.error, KAFKA_ERR_USER);
    ksim_rule_release(f->sim, hold);
    ksim_rule_remove(f->sim, hold);
    assert_ok(c1, kafka_join(kafka_background(c1), running));
    assert_ok(c1, task.error);
    assert_i64_equal(committed(f, 0), 7);
    close_reader(c1, task.reader);
    kafka_address_free(c1);
}

static void a_commit_whose_context_ends_may_still_happen(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_reader *reader = reader_of(c1, BILLING);
    stable(f, "c1=orders[0]");
    ksim_rule *slow = ksim_rule_add(
        f->sim, &(ksim_rule_config){ .api = "OffsetCommit", .action = KSIM_DELAY, .delay = KAFKA_SECOND });
    kafka_context *ctx = kafka_context_with_timeout(kafka_background(c1), 100 * KAFKA_MILLISECOND);
    kafka_message message = { .topic = "orders", .offset = 2 };
    assert_error(c1, kafka_reader_commit(reader, ctx, &message, 1), KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_i64_equal(committed(f, 0), -1);
    assert_sim(f->sim, ksim_run_for(f->sim, 2 * KAFKA_SECOND));
    assert_i64_equal(committed(f, 0), 3);
    kafka_context_free(ctx);
    ksim_rule_remove(f->sim, slow);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void a_zombie_moves_the_offset_of_the_new_owner_back(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 2));
    put(f->sim, "orders", 1, 0, 6);
    kafka_address *c1 = ksim_client(f->sim, "c1"), *c2 = ksim_client(f->sim, "c2");
    kafka_reader *first = reader_of(c1, BILLING);
    kafka_message messages[6];
    for (int i = 0; i < 6; i++) next_number(c1, first, 10 * KAFKA_SECOND, &messages[i]);
    kafka_reader *second = reader_of(c2, BILLING);
    stable(f, "c1=orders[0] c2=orders[1]");
    for (int i = 0; i < 6; i++) {
        kafka_message message;
        assert_ok(c2, kafka_reader_read(second, kafka_background(c2), &message));
        kafka_message_release(&message);
    }
    assert_i64_equal(committed(f, 1), 6);
    assert_ok(c1, kafka_reader_commit(first, kafka_background(c1), &messages[1], 1)); /* not its partition any more */
    assert_i64_equal(committed(f, 1), 2);
    for (int i = 0; i < 6; i++) kafka_message_release(&messages[i]);
    close_reader(c1, first);
    close_reader(c2, second);
    kafka_address_free(c1);
    kafka_address_free(c2);
}

static void the_last_commit_of_a_generation_bears_its_old_number(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 2));
    put(f->sim, "orders", 0, 0, 5);
    kafka_address *c1 = ksim_client(f->sim, "c1"), *c2 = ksim_client(f->sim, "c2");
    kafka_reader *first =
        reader_of(c1, (kafka_reader_config){ .topic = "orders", .group_id = "billing", .commit_interval = KAFKA_HOUR });
    kafka_message message;
    for (int i = 0; i < 5; i++) {
        assert_ok(c1, kafka_reader_read(first, kafka_background(c1), &message));
        kafka_message_release(&message);
    }
    assert_i64_equal(committed(f, 0), -1);
    kafka_reader *second = reader_of(c2, BILLING);
    stable(f, "c1=orders[0] c2=orders[1]");
    assert_i64_equal(committed(f, 0), 5);    /* accepted while the group prepared to rebalance */
    expect_nothing(c1, first, KAFKA_SECOND); /* so nothing is read twice */
    close_reader(c1, first);
    close_reader(c2, second);
    kafka_address_free(c1);
    kafka_address_free(c2);
}

/* ---- rebalances in the middle of reading ---- */

typedef struct worker {
    kafka_address *address;
    kafka_reader *reader;
    kafka_context *ctx;
    int *seen; /* per record: how often */
    kafka_error error;
    kafka_duration work;
} worker;

static void work(void *argument) {
    worker *w = argument;
    kafka_message message;
    while ((w->error = kafka_reader_fetch(w->reader, w->ctx, &message)) == KAFKA_OK) {
        char text[16] = { 0 };
        memcpy(text, message.value.data, message.value.size);
        w->seen[atoi(text)]++;
        if (w->work) kafka_sleep(w->ctx, w->work);
        kafka_reader_commit(w->reader, w->ctx, &message, 1);
        kafka_message_release(&message);
    }
    kafka_reader_close(w->reader);
    kafka_reader_free(w->reader);
}

static void nothing_is_lost_while_members_come_and_go(void **state) {
    fixture *f = *state;
    enum { RECORDS = 400 };
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 4));
    for (int p = 0; p < 4; p++) put(f->sim, "orders", p, p * 100, 100);
    int seen[RECORDS] = { 0 };
    const char *names[] = { "c1", "c2", "c3" };
    worker workers[3];
    kafka_context *contexts[3];
    kafka_task *tasks[3];
    for (int i = 0; i < 3; i++) {
        kafka_address *address = ksim_client(f->sim, names[i]);
        contexts[i] = kafka_context_with_cancel(kafka_background(address));
        workers[i] =
            (worker){ address, reader_of(address, BILLING), contexts[i], seen, KAFKA_OK, 50 * KAFKA_MILLISECOND };
        tasks[i] = kafka_go(kafka_background(address), names[i], work, &workers[i]);
        assert_sim(f->sim, ksim_run_for(f->sim, 4 * KAFKA_SECOND));
    }
    kafka_context_cancel(contexts[0]); /* leaves */
    assert_sim(f->sim, ksim_run_for(f->sim, 4 * KAFKA_SECOND));
    assert_sim(f->sim, ksim_crash(f->sim, "c2"));
    assert_sim(f->sim, ksim_run_for(f->sim, 2 * KAFKA_MINUTE));
    kafka_context_cancel(contexts[2]);
    for (int i = 0; i < 3; i++) {
        if (i == 1)
            kafka_task_free(tasks[i]);
        else
            assert_ok(workers[i].address, kafka_join(kafka_background(workers[i].address), tasks[i]));
    }
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_SECOND));
    int twice = 0;
    for (int i = 0; i < RECORDS; i++) {
        if (seen[i] == 0) fail_msg("record %d was lost", i);
        twice += seen[i] > 1;
    }
    assert_true(twice <= 12); /* in hand at the join, the leave and the crash */
    for (int p = 0; p < 4; p++) assert_i64_equal(committed(f, p), 100);
    for (int i = 0; i < 3; i++) {
        kafka_context_free(contexts[i]);
        kafka_address_free(workers[i].address);
    }
}

static void uninterruptible_fetches_make_a_rebalance_wait(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 2));
    for (int uninterruptible = 0; uninterruptible < 2; uninterruptible++) {
        kafka_reader_config config = { .topic = "orders",
                                       .group_id = "billing",
                                       .uninterruptible_fetch = uninterruptible };
        kafka_address *c1 = ksim_client(f->sim, "c1"), *c2 = ksim_client(f->sim, "c2");
        kafka_reader *first = reader_of(c1, config);
        stable(f, "c1=orders[0,1]");
        assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_SECOND));
        int64_t before = ms(f->sim);
        kafka_reader *second = reader_of(c2, config);
        stable(f, "c1=orders[0] c2=orders[1]");
        int64_t took = ms(f->sim) - before;
        if (uninterruptible)
            assert_true(took > 4000);
        else
            assert_true(took < 3100);
        close_reader(c1, first);
        close_reader(c2, second);
        kafka_address_free(c1);
        kafka_address_free(c2);
    }
}

static void a_watching_member_rejoins_when_partitions_are_added(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_reader *reader = reader_of(
        c1, (kafka_reader_config){ .topic = "orders", .group_id = "billing", .watch_partition_changes = true });
    stable(f, "c1=orders[0]");
    kafka_client *client = NULL;
    assert_ok(c1, kafka_client_new(&(kafka_client_config){ .address = c1 }, &client));
    kafka_named_errors *errors = NULL;
    kafka_partitions_config grow = { .topic = "orders", .count = 3 };
    assert_ok(c1, kafka_client_create_partitions(client, kafka_background(c1), &grow, 1, false, &errors));
    kafka_named_errors_free(errors);
    kafka_client_free(client);
    assert_sim(f->sim, ksim_run_for(f->sim, 6 * KAFKA_SECOND));
    stable(f, "c1=orders[0,1,2]");
    close_reader(c1, reader);
    kafka_address_free(c1);
}

/* ---- the trace ---- */

typedef struct told {
    char text[2048];
} told;

static void append(told *t, const ksim_event *event, const char *field, bool is_text) {
    size_t size = strlen(t->text);
    kafka_bytes bytes;
    int64_t number;
    if (is_text && ksim_event_bytes(event, field, &bytes))
        snprintf(t->text + size, sizeof t->text - size, " %.*s", (int)bytes.size, (const char *)bytes.data);
    if (!is_text && ksim_event_int(event, field, &number))
        snprintf(t->text + size, sizeof t->text - size, " %lld", (long long)number);
}

static void note(void *context, const ksim_event *event) {
    told *t = context;
    const char *kind = ksim_event_kind(event);
    bool member = strncmp(kind, "client_", 7) == 0;
    if (!member && strcmp(kind, "records_delivered") != 0 && strcmp(kind, "position_reset") != 0) return;
    if (strcmp(kind, "client_assignment_computed") == 0) return;
    snprintf(t->text + strlen(t->text), sizeof t->text - strlen(t->text), "%s%s", t->text[0] ? "\n" : "", kind);
    append(t, event, "Generation", false);
    append(t, event, "Partitions", true);
    append(t, event, "Reason", true);
    append(t, event, "FirstOffset", false);
    append(t, event, "LastOffset", false);
    append(t, event, "Count", false);
}

static void the_trace_tells_what_a_member_does(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    put(f->sim, "orders", 0, 0, 5);
    kafka_address *c1 = ksim_client(f->sim, "c1");
    told t = { { 0 } };
    ksim_subscription *subscription = ksim_trace_subscribe(f->sim, note, &t);
    kafka_reader *reader = reader_of(c1, BILLING);
    kafka_context *ctx = kafka_background(c1);
    kafka_message message;
    for (int i = 0; i < 4; i++) {
        assert_ok(c1, kafka_reader_fetch(reader, ctx, &message));
        if (i == 1) assert_ok(c1, kafka_reader_commit(reader, ctx, &message, 1));
        kafka_message_release(&message);
    }
    close_reader(c1, reader);
    ksim_trace_unsubscribe(f->sim, subscription);
    assert_string_equal(t.text, "client_group_joining\n"
                                "client_generation_started 1 orders[0]\n"
                                "client_partitions_assigned 1 orders[0]\n"
                                "position_reset no_committed_offset\n"
                                "client_fetch_began\n"
                                "records_delivered 0 1 2\n" /* told before the commit */
                                "records_delivered 2 3 2\n"
                                "client_group_leaving\n"
                                "client_generation_ended 1 closed\n"
                                "client_partitions_revoked 1 orders[0]");
    kafka_address_free(c1);
}

/* ---- trouble ---- */

static void a_member_expelled_rejoins_with_a_new_id_after_the_backoff(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_reader *reader = reader_of(c1, BILLING);
    stable(f, "c1=orders[0]");
    char former[100];
    snprintf(former, sizeof former, "%s", ksim_group_find(f->sim, "billing")->members[0].id);
    assert_sim(f->sim, ksim_expel_member(f->sim, "billing", "c1"));
    assert_sim(f->sim,
               ksim_run_for(f->sim, 3 * KAFKA_SECOND)); /* its heartbeat says so; JoinGroup with the old id fails too */
    assert_int_equal(ksim_group_find(f->sim, "billing")->member_count, 0);
    assert_sim(f->sim, ksim_run_for(f->sim, 6 * KAFKA_SECOND));
    stable(f, "c1=orders[0]");
    assert_string_not_equal(former, ksim_group_find(f->sim, "billing")->members[0].id);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void a_moved_coordinator_is_found_again(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    put(f->sim, "orders", 0, 0, 3);
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_reader *reader = reader_of(c1, BILLING);
    kafka_message message;
    assert_ok(c1, kafka_reader_read(reader, kafka_background(c1), &message));
    kafka_message_release(&message);
    int32_t coordinator = ksim_group_find(f->sim, "billing")->coordinator;
    assert_sim(f->sim, ksim_move_coordinator(f->sim, "billing", coordinator % 3 + 1));
    assert_sim(f->sim, ksim_run_for(f->sim, 15 * KAFKA_SECOND));
    kafka_context *ctx = kafka_context_with_timeout(kafka_background(c1), KAFKA_MINUTE);
    assert_ok(c1, kafka_reader_read(reader, ctx, &message));
    kafka_message_release(&message);
    kafka_context_free(ctx);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void without_latency_a_member_that_is_always_refused_lets_the_clock_go_on(void **state) {
    (void)state;
    static const ksim_setting settings[] = { { "auto.create.topics.enable", "false" },
                                             { "group.initial.rebalance.delay.ms", "0" },
                                             { NULL, NULL } };
    const char *apis[] = { "SyncGroup", "JoinGroup", "Heartbeat", "OffsetFetch", "FindCoordinator" };
    for (size_t i = 0; i <= 5; i++) {
        ksim *sim = ksim_new(&(ksim_config){ .latency = KSIM_NO_LATENCY, .settings = settings });
        assert_sim(sim, ksim_create_topic(sim, "orders", 1));
        kafka_address *c1 = ksim_client(sim, "c1");
        ksim_rule *rule = NULL;
        if (i < 5)
            rule = ksim_rule_add(sim, &(ksim_rule_config){ .api = apis[i],
                                                           .action = KSIM_ANSWER_ERROR,
                                                           .error = KAFKA_ERR_REBALANCE_IN_PROGRESS });
        kafka_reader *reader = reader_of(c1, (kafka_reader_config){ .topic = i < 5 ? "orders" : "nosuch",
                                                                    .group_id = "billing",
                                                                    .watch_partition_changes = true });
        assert_sim(sim, ksim_run_for(sim, KAFKA_MINUTE));
        ksim_rule_remove(sim, rule);
        close_reader(c1, reader);
        kafka_address_free(c1);
        ksim_free(sim);
    }
}

static void a_dead_cluster_fails_a_waiting_fetch_after_two_backoffs(void **state) {
    fixture *f = *state;
    for (int32_t b = 1; b <= 3; b++) assert_sim(f->sim, ksim_stop_broker(f->sim, b));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_reader *reader = reader_of(c1, BILLING);
    kafka_message message;
    int64_t before = ms(f->sim);
    assert_error(c1, kafka_reader_fetch(reader, kafka_background(c1), &message), KAFKA_ERR_CONNECTION_REFUSED);
    int64_t took = ms(f->sim) - before;
    assert_true(took >= 10000 && took < 10100);
    for (int32_t b = 1; b <= 3; b++) assert_sim(f->sim, ksim_start_broker(f->sim, b));
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 1));
    put(f->sim, "orders", 0, 9, 1);
    assert_int_equal(next_number(c1, reader, KAFKA_MINUTE, NULL), 9);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void a_join_that_failed_leaves_its_former_member_behind(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 2));
    kafka_address *c1 = ksim_client(f->sim, "c1"), *c2 = ksim_client(f->sim, "c2");
    kafka_reader *first = reader_of(c1, BILLING);
    stable(f, "c1=orders[0,1]");
    ksim_rule *rule = ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "JoinGroup",
                                                                 .client = "c1",
                                                                 .first = 1,
                                                                 .action = KSIM_ANSWER_ERROR,
                                                                 .error = KAFKA_ERR_COORDINATOR_NOT_AVAILABLE });
    kafka_reader *second = reader_of(c2, BILLING);
    assert_sim(f->sim, ksim_run_until_rule(f->sim, rule, 1));
    ksim_rule *leaves = ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "LeaveGroup", .action = KSIM_COUNT });
    assert_sim(f->sim, ksim_run_for(f->sim, 10 * KAFKA_SECOND));
    assert_i64_equal((int64_t)ksim_rule_matched(leaves), 0);
    int64_t failed = ms(f->sim) - 10000;
    stable(f, "c1=orders[0] c2=orders[1]");
    int64_t took =
        ms(f->sim) - failed; /* everybody waited for the member that will never come: until its session ended */
    assert_true(took > 20000 && took <= 30100);
    close_reader(c1, first);
    close_reader(c2, second);
    kafka_address_free(c1);
    kafka_address_free(c2);
}

static void close_while_joining_waits_for_the_join_and_leaves(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 2));
    kafka_address *c1 = ksim_client(f->sim, "c1"), *c2 = ksim_client(f->sim, "c2");
    kafka_reader *first = reader_of(c1, BILLING);
    stable(f, "c1=orders[0,1]");
    kafka_reader *second = reader_of(c2, BILLING);
    assert_sim(f->sim, ksim_run_for(f->sim, 100 * KAFKA_MILLISECOND)); /* its JoinGroup waits for c1's heartbeat */
    close_reader(c2, second);
    stable(f, "c1=orders[0,1]");
    assert_int_equal(ksim_group_find(f->sim, "billing")->member_count, 1);
    close_reader(c1, first);
    kafka_address_free(c1);
    kafka_address_free(c2);
}

static void a_reader_freed_without_close_stays_a_member(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 2));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_reader *reader = reader_of(c1, BILLING);
    stable(f, "c1=orders[0,1]");
    kafka_reader_free(reader);
    assert_sim(f->sim, ksim_run_for(f->sim, 20 * KAFKA_SECOND));
    assert_int_equal(ksim_group_find(f->sim, "billing")->member_count, 1);
    assert_sim(f->sim, ksim_run_for(f->sim, 20 * KAFKA_SECOND));
    assert_int_equal(ksim_group_find(f->sim, "billing")->member_count, 0);
    kafka_address_free(c1);
}

static kafka_error all_to_the_last(void *argument, const kafka_group_member *members, size_t member_count,
                                   const kafka_group_partition *partitions, size_t partition_count, int32_t *owners) {
    (*(int *)argument)++;
    for (size_t p = 0; p < partition_count; p++) {
        assert_string_equal(partitions[p].topic, "orders");
        assert_int_equal(partitions[p].partition, (int32_t)p);
        owners[p] = (int32_t)member_count - 1;
    }
    return KAFKA_OK;
}

static void a_balancer_of_ones_own_decides(void **state) {
    fixture *f = *state;
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 3));
    kafka_address *c1 = ksim_client(f->sim, "c1"), *c2 = ksim_client(f->sim, "c2");
    int calls = 0;
    kafka_group_balancer mine = { .name = "mine", .assign = all_to_the_last, .argument = &calls };
    kafka_reader_config config = {
        .topic = "orders", .group_id = "billing", .group_balancers = &mine, .group_balancer_count = 1
    };
    kafka_reader *first = reader_of(c1, config), *second = reader_of(c2, config);
    assert_sim(f->sim, ksim_run_for(f->sim, 10 * KAFKA_SECOND));
    assert_sim(f->sim, ksim_run_until_group_stable(f->sim, "billing"));
    const char *text = ksim_assignment(f->sim, "billing");
    assert_true(strcmp(text, "c1=orders[0,1,2] c2=") == 0 || strcmp(text, "c1= c2=orders[0,1,2]") == 0);
    assert_string_equal(ksim_group_find(f->sim, "billing")->protocol, "mine");
    assert_true(calls > 0);
    close_reader(c1, first);
    close_reader(c2, second);
    kafka_address_free(c1);
    kafka_address_free(c2);
}

static void racks_are_respected(void **state) {
    (void)state;
    static const ksim_setting settings[] = { { "group.initial.rebalance.delay.ms", "0" }, { NULL, NULL } };
    static const char *const racks[] = { "a", "b" };
    ksim *sim = ksim_new(&(ksim_config){ .brokers = 2, .racks = racks, .settings = settings });
    assert_sim(sim, ksim_create_topic(sim, "orders", 4));
    kafka_address *clients[2];
    kafka_reader *readers[2];
    kafka_group_balancer balancers[] = { kafka_group_balancer_rack_affinity("b"),
                                         kafka_group_balancer_rack_affinity("a") };
    for (int i = 0; i < 2; i++) {
        clients[i] = ksim_client(sim, i == 0 ? "in-b" : "in-a");
        readers[i] = reader_of(clients[i], (kafka_reader_config){ .topic = "orders",
                                                                  .group_id = "billing",
                                                                  .group_balancers = &balancers[i],
                                                                  .group_balancer_count = 1 });
    }
    assert_sim(sim, ksim_run_for(sim, 5 * KAFKA_SECOND));
    assert_sim(sim, ksim_run_until_group_stable(sim, "billing"));
    const ksim_group *group = ksim_group_find(sim, "billing");
    for (size_t m = 0; m < group->member_count; m++) {
        assert_int_equal(group->members[m].assigned_count, 2);
        int32_t broker = strcmp(group->members[m].client, "in-a") == 0 ? 1 : 2;
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(ksim_partition_find(sim, "orders", group->members[m].assigned[i].partition)->leader,
                             broker);
    }
    for (int i = 0; i < 2; i++) {
        close_reader(clients[i], readers[i]);
        kafka_address_free(clients[i]);
    }
    ksim_free(sim);
}

static void many_readers_share_many_partitions(void **state) {
    fixture *f = *state;
    enum { MEMBERS = 40 };
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 80));
    kafka_address *clients[MEMBERS];
    kafka_reader *readers[MEMBERS];
    for (int i = 0; i < MEMBERS; i++) {
        char name[8];
        snprintf(name, sizeof name, "c%d", i);
        clients[i] = ksim_client(f->sim, name);
        readers[i] = reader_of(clients[i], BILLING);
    }
    assert_sim(f->sim, ksim_run_for(f->sim, 10 * KAFKA_MILLISECOND));
    assert_sim(f->sim, ksim_run_until_group_stable(f->sim, "billing"));
    const ksim_group *group = ksim_group_find(f->sim, "billing");
    assert_int_equal(group->member_count, MEMBERS);
    for (size_t m = 0; m < group->member_count; m++) assert_int_equal(group->members[m].assigned_count, 2);
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_HOUR));
    for (int p = 0; p < 80; p++) put(f->sim, "orders", p, p, 1);
    int sum = 0;
    for (int i = 0; i < MEMBERS; i++)
        sum += next_number(clients[i], readers[i], KAFKA_SECOND, NULL) +
               next_number(clients[i], readers[i], KAFKA_SECOND, NULL);
    assert_int_equal(sum, 79 * 80 / 2);
    for (int i = 0; i < MEMBERS; i++) {
        close_reader(clients[i], readers[i]);
        kafka_address_free(clients[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(members_share_the_partitions_and_find_the_committed_offsets),
        TEST(a_crash_costs_the_group_the_session_timeout),
        TEST(a_restarted_member_resumes_after_the_last_commit),
        TEST(more_members_than_partitions_leaves_some_waiting),
        TEST(start_offset_decides_where_nothing_is_committed),
        TEST(several_topics_are_read_by_one_group),
        TEST(one_missing_topic_does_not_starve_the_others),
        TEST(each_commit_goes_out_on_its_own_so_offsets_can_move_back),
        TEST(a_failed_commit_is_tried_three_times),
        TEST(interval_commits_are_merged_and_sent_at_the_interval_and_at_close),
        TEST(an_interval_commit_that_failed_is_kept_and_sent_again),
        TEST(without_a_generation_a_commit_waits_for_the_next_one),
        TEST(a_commit_whose_context_ends_may_still_happen),
        TEST(a_zombie_moves_the_offset_of_the_new_owner_back),
        TEST(the_last_commit_of_a_generation_bears_its_old_number),
        TEST(nothing_is_lost_while_members_come_and_go),
        TEST(uninterruptible_fetches_make_a_rebalance_wait),
        TEST(a_watching_member_rejoins_when_partitions_are_added),
        TEST(the_trace_tells_what_a_member_does),
        TEST(a_member_expelled_rejoins_with_a_new_id_after_the_backoff),
        TEST(a_moved_coordinator_is_found_again),
        TEST(without_latency_a_member_that_is_always_refused_lets_the_clock_go_on),
        TEST(a_dead_cluster_fails_a_waiting_fetch_after_two_backoffs),
        TEST(a_join_that_failed_leaves_its_former_member_behind),
        TEST(close_while_joining_waits_for_the_join_and_leaves),
        TEST(a_reader_freed_without_close_stays_a_member),
        TEST(a_balancer_of_ones_own_decides),
        TEST(racks_are_respected),
        TEST(many_readers_share_many_partitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
