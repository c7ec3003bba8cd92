/* SPDX-License-Identifier: Apache-2.0
 * kafka_reader without a group, against a simulated cluster (kafka-go-client.md 5: reader.go). */
#include "tests/control/reader_fixture.h"

#include <kafkasim/task.h>

#include <pthread.h>

static kafka_address *setup(fixture *f, int records) {
    assert_sim(f->sim, ksim_create_topic(f->sim, "orders", 3));
    put(f->sim, "orders", 1, 0, records);
    return ksim_client(f->sim, "c1");
}

#define PARTITION_1                                                                                                    \
    (kafka_reader_config) { .topic = "orders", .partition = 1 }

/* ---- reading ---- */

static void a_reader_delivers_a_partition_in_order_from_its_start(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 250);
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    assert_i64_equal(kafka_reader_offset(reader), KAFKA_FIRST_OFFSET);
    assert_i64_equal(kafka_reader_lag(reader), 0);
    for (int i = 0; i < 250; i++) {
        kafka_message message;
        assert_int_equal(next_number(c1, reader, KAFKA_SECOND, &message), i);
        assert_string_equal(message.topic, "orders");
        assert_int_equal(message.partition, 1);
        assert_i64_equal(message.offset, i);
        assert_i64_equal(message.high_watermark, 250);
        assert_true(message.time > 0);
        assert_null(message.key.data);
        assert_i64_equal(kafka_reader_offset(reader), i + 1);
        assert_i64_equal(kafka_reader_lag(reader), 249 - i);
        kafka_message_release(&message);
    }
    expect_nothing(c1, reader, 30 * KAFKA_SECOND);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void nothing_happens_before_the_first_fetch(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 1);
    uint64_t steps = ksim_steps(f->sim);
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_SECOND));
    assert_true(ksim_steps(f->sim) == steps);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void a_message_written_while_a_fetch_waits_comes_at_once(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 0);
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    expect_nothing(c1, reader, 3 * KAFKA_SECOND);
    put(f->sim, "orders", 1, 42, 1);
    int64_t before = ms(f->sim);
    assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), 42);
    assert_true(ms(f->sim) - before <= 1);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void null_and_empty_bytes_are_told_apart_and_headers_come_in_order(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 0);
    const kafka_header headers[] = { { kafka_string("a"), kafka_string("1") },
                                     { kafka_string("b"), { NULL, 0 } },
                                     { kafka_string("a"), kafka_string("") } };
    const kafka_message messages[] = {
        { .topic = "orders", .partition = 1, .key = kafka_string(""), .value = { NULL, 0 } },
        { .topic = "orders",
          .partition = 1,
          .key = { NULL, 0 },
          .value = kafka_string(""),
          .headers = headers,
          .header_count = 3 },
    };
    assert_sim(f->sim, ksim_put_messages(f->sim, messages, 2));
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    kafka_message first, second;
    kafka_context *ctx = kafka_background(c1);
    assert_ok(c1, kafka_reader_fetch(reader, ctx, &first));
    assert_ok(c1, kafka_reader_fetch(reader, ctx, &second));
    close_reader(c1, reader); /* messages outlive their reader, but for the topic */
    assert_true(first.key.data != NULL && first.key.size == 0);
    assert_null(first.value.data);
    assert_int_equal(first.header_count, 0);
    assert_null(second.key.data);
    assert_true(second.value.data != NULL && second.value.size == 0);
    assert_int_equal(second.header_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_true(kafka_bytes_equal(second.headers[i].key, headers[i].key));
        assert_true(kafka_bytes_equal(second.headers[i].value, headers[i].value));
    }
    kafka_message_release(&first);
    kafka_message_release(&second);
    kafka_message_release(&second);
    kafka_address_free(c1);
}

static void compressed_batches_read_the_same(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 0);
    const kafka_compression codecs[] = { KAFKA_COMPRESSION_NONE, KAFKA_COMPRESSION_GZIP, KAFKA_COMPRESSION_SNAPPY,
                                         KAFKA_COMPRESSION_LZ4, KAFKA_COMPRESSION_ZSTD };
    for (size_t i = 0; i < 5; i++) {
        kafka_writer *writer = NULL;
        assert_ok(c1, kafka_writer_new(&(kafka_writer_config){ .address = c1,
                                                               .topic = "orders",
                                                               .compression = codecs[i],
                                                               .required_acks = KAFKA_ACKS_ALL,
                                                               .batch_timeout = KAFKA_MILLISECOND,
                                                               .balancer = kafka_balancer_round_robin() },
                                       &writer));
        kafka_message messages[30];
        char values[30][8];
        for (int m = 0; m < 30; m++) {
            snprintf(values[m], sizeof values[m], "%d", (int)i * 10 + m / 3);
            messages[m] = (kafka_message){ .value = kafka_string(values[m]) };
        }
        assert_ok(c1, kafka_writer_write(writer, kafka_background(c1), messages, 30, NULL));
        assert_ok(c1, kafka_writer_close(writer));
        kafka_writer_free(writer);
    }
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    for (int i = 0; i < 50; i++) assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), i);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void a_full_queue_holds_the_fetcher_back(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 20);
    kafka_reader *reader = reader_of(
        c1, (kafka_reader_config){ .topic = "orders", .partition = 1, .queue_capacity = 2, .max_bytes = 200 });
    assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), 0);
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_MINUTE));
    ksim_rule *rule = ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "Fetch", .action = KSIM_COUNT });
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_MINUTE));
    assert_i64_equal((int64_t)ksim_rule_matched(rule), 0);
    for (int i = 1; i < 20; i++) assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), i);
    assert_true(ksim_rule_matched(rule) > 0);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

/* ---- offsets ---- */

static void set_offset_drops_what_is_queued_and_reads_from_there(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 50);
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    assert_ok(c1, kafka_reader_set_offset(reader, 40));
    assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), 40);
    assert_ok(c1, kafka_reader_set_offset(reader, 5));
    assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), 5);
    assert_ok(c1, kafka_reader_set_offset(reader, 6)); /* where it stands: no effect */
    assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), 6);
    assert_ok(c1, kafka_reader_set_offset(reader, KAFKA_LAST_OFFSET));
    expect_nothing(c1, reader, KAFKA_SECOND);
    put(f->sim, "orders", 1, 99, 1);
    assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), 99);
    assert_ok(c1, kafka_reader_set_offset(reader, KAFKA_FIRST_OFFSET));
    assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), 0);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void set_offset_at_finds_the_first_message_not_before_a_time(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 5);
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_MINUTE));
    kafka_time middle = ksim_now(f->sim);
    put(f->sim, "orders", 1, 5, 5);
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    assert_ok(c1, kafka_reader_set_offset_at(reader, kafka_background(c1), middle));
    assert_i64_equal(kafka_reader_offset(reader), 5);
    assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), 5);
    assert_ok(c1, kafka_reader_set_offset_at(reader, kafka_background(c1), ksim_now(f->sim) + KAFKA_HOUR));
    assert_i64_equal(kafka_reader_offset(reader), KAFKA_LAST_OFFSET);
    expect_nothing(c1, reader, KAFKA_SECOND);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void read_lag_asks_the_broker(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 10);
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    int64_t lag = -5;
    assert_ok(c1, kafka_reader_read_lag(reader, kafka_background(c1), &lag));
    assert_i64_equal(lag, 10); /* FirstOffset: all there is */
    for (int i = 0; i < 4; i++) next_number(c1, reader, KAFKA_SECOND, NULL);
    put(f->sim, "orders", 1, 10, 3);
    assert_i64_equal(kafka_reader_lag(reader), 6); /* as of the fetch */
    assert_ok(c1, kafka_reader_read_lag(reader, kafka_background(c1), &lag));
    assert_i64_equal(lag, 9);
    assert_ok(c1, kafka_reader_set_offset(reader, KAFKA_LAST_OFFSET));
    assert_ok(c1, kafka_reader_read_lag(reader, kafka_background(c1), &lag));
    assert_i64_equal(lag, 0);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void the_lag_is_kept_fresh_at_read_lag_interval(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 2);
    kafka_reader *reader =
        reader_of(c1, (kafka_reader_config){ .topic = "orders", .partition = 1, .read_lag_interval = KAFKA_SECOND });
    next_number(c1, reader, KAFKA_SECOND, NULL);
    put(f->sim, "orders", 1, 2, 7);
    assert_sim(f->sim, ksim_run_for(f->sim, 2 * KAFKA_SECOND));
    assert_i64_equal(kafka_reader_lag(reader), 8);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void beyond_the_end_waits_or_is_an_error_as_configured(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 3);
    kafka_reader *patient = reader_of(c1, PARTITION_1);
    assert_ok(c1, kafka_reader_set_offset(patient, 100));
    expect_nothing(c1, patient, KAFKA_MINUTE);
    close_reader(c1, patient);
    kafka_reader *strict =
        reader_of(c1, (kafka_reader_config){ .topic = "orders", .partition = 1, .offset_out_of_range_error = true });
    assert_ok(c1, kafka_reader_set_offset(strict, 100));
    kafka_message message;
    assert_error(c1, kafka_reader_fetch(strict, kafka_background(c1), &message), KAFKA_ERR_OFFSET_OUT_OF_RANGE);
    assert_ok(c1, kafka_reader_set_offset(strict, 2));
    assert_int_equal(next_number(c1, strict, KAFKA_SECOND, NULL), 2);
    close_reader(c1, strict);
    kafka_address_free(c1);
}

static void what_retention_removed_is_skipped_silently(void **state) {
    fixture *f = *state;
    static const ksim_setting configs[] = { { "retention.ms", "60000" }, { "segment.ms", "10000" }, { NULL, NULL } };
    assert_sim(f->sim, ksim_create_topics(
                           f->sim, &(ksim_new_topic){ .name = "orders", .partitions = 2, .configs = configs }, 1));
    kafka_address *c1 = ksim_client(f->sim, "c1");
    put(f->sim, "orders", 1, 0, 5);
    kafka_reader *reader =
        reader_of(c1, (kafka_reader_config){ .topic = "orders", .partition = 1, .queue_capacity = 1 });
    assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), 0);
    close_reader(c1, reader);
    assert_sim(f->sim, ksim_run_for(f->sim, 20 * KAFKA_SECOND));
    put(f->sim, "orders", 1, 5, 1);
    assert_sim(f->sim, ksim_run_for(f->sim, 20 * KAFKA_MINUTE));
    put(f->sim, "orders", 1, 6, 2);
    reader = reader_of(c1, PARTITION_1);
    assert_ok(c1, kafka_reader_set_offset(reader, 1));
    kafka_message message;
    next_number(c1, reader, KAFKA_SECOND, &message);
    assert_true(message.offset > 1);
    kafka_message_release(&message);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

/* ---- ends ---- */

static void an_ended_context_comes_before_a_queued_message(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 10);
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    next_number(c1, reader, KAFKA_SECOND, NULL);
    kafka_context *ctx = kafka_context_with_cancel(kafka_background(c1));
    kafka_context_cancel(ctx);
    kafka_message message;
    assert_error(c1, kafka_reader_fetch(reader, ctx, &message), KAFKA_ERR_CANCELED);
    kafka_context_free(ctx);
    assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), 1);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void after_close_what_was_queued_is_delivered_then_eof(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 10);
    kafka_reader *reader =
        reader_of(c1, (kafka_reader_config){ .topic = "orders", .partition = 1, .queue_capacity = 4 });
    assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), 0);
    assert_ok(c1, kafka_reader_close(reader));
    assert_ok(c1, kafka_reader_close(reader));
    for (int i = 1; i < 5; i++) assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), i);
    kafka_message message;
    assert_error(c1, kafka_reader_fetch(reader, kafka_background(c1), &message), KAFKA_ERR_EOF);
    assert_error(c1, kafka_reader_set_offset(reader, 3), KAFKA_ERR_CLOSED);
    int64_t lag;
    assert_error(c1, kafka_reader_read_lag(reader, kafka_background(c1), &lag), KAFKA_ERR_CLOSED);
    assert_error(c1, kafka_reader_set_offset_at(reader, kafka_background(c1), 5), KAFKA_ERR_CLOSED);
    kafka_reader_free(reader);
    kafka_address_free(c1);
}

static void a_kept_message_outlives_its_reader(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 10);
    kafka_reader *reader = reader_of(c1, (kafka_reader_config){ .topic = "orders", .partition = 1 });
    kafka_message message;
    assert_ok(c1, kafka_reader_fetch(reader, kafka_background(c1), &message));
    kafka_reader_free(reader);
    assert_string_equal(message.topic, "orders");
    kafka_message_release(&message);
    kafka_address_free(c1);
}

typedef struct task_state {
    kafka_address *address;
    kafka_reader *reader;
    kafka_context *ctx;
    kafka_error error;
    int64_t ended_ms;
    ksim *sim;
    int count;
} task_state;

static void fetch_until_error(void *argument) {
    task_state *task = argument;
    kafka_message message;
    while ((task->error = kafka_reader_fetch(task->reader, task->ctx, &message)) == KAFKA_OK) {
        task->count++;
        kafka_message_release(&message);
    }
    task->ended_ms = ms(task->sim);
}

static void a_waiting_fetch_gets_eof_when_the_reader_is_closed(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 3);
    task_state task = { c1, reader_of(c1, PARTITION_1), kafka_background(c1), KAFKA_OK, 0, f->sim, 0 };
    kafka_task *running = kafka_go(task.ctx, "fetch", fetch_until_error, &task);
    assert_sim(f->sim, ksim_run_for(f->sim, 5 * KAFKA_SECOND));
    assert_int_equal(task.count, 3);
    int64_t before = ms(f->sim);
    assert_ok(c1, kafka_reader_close(task.reader));
    assert_true(ms(f->sim) - before <= 1); /* the fetch in progress was broken off */
    assert_ok(c1, kafka_join(kafka_background(c1), running));
    assert_int_equal(task.error, KAFKA_ERR_EOF);
    kafka_reader_free(task.reader);
    kafka_address_free(c1);
}

static void an_uninterruptible_fetch_delays_close_up_to_max_wait(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 1);
    kafka_reader *reader =
        reader_of(c1, (kafka_reader_config){ .topic = "orders", .partition = 1, .uninterruptible_fetch = true });
    next_number(c1, reader, KAFKA_SECOND, NULL);
    expect_nothing(c1, reader, KAFKA_SECOND);
    int64_t before = ms(f->sim);
    close_reader(c1, reader);
    assert_true(ms(f->sim) - before > 5000);
    assert_true(ms(f->sim) - before <= 10000);
    kafka_address_free(c1);
}

static void two_tasks_share_a_reader(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 100);
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    kafka_context *ctx = kafka_context_with_timeout(kafka_background(c1), 5 * KAFKA_SECOND);
    task_state a = { c1, reader, ctx, KAFKA_OK, 0, f->sim, 0 }, b = a;
    kafka_task *tasks[] = { kafka_go(ctx, "a", fetch_until_error, &a), kafka_go(ctx, "b", fetch_until_error, &b) };
    for (int i = 0; i < 2; i++) assert_ok(c1, kafka_join(kafka_background(c1), tasks[i]));
    assert_int_equal(a.count + b.count, 100);
    assert_int_equal(a.error, KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_int_equal(b.error, KAFKA_ERR_DEADLINE_EXCEEDED);
    kafka_context_free(ctx);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void a_crash_ends_the_calls_of_a_reader_for_ever(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 3);
    task_state task = { c1, reader_of(c1, PARTITION_1), kafka_background(c1), KAFKA_OK, 0, f->sim, 0 };
    kafka_task *running = kafka_go(task.ctx, "fetch", fetch_until_error, &task);
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_SECOND));
    assert_sim(f->sim, ksim_crash(f->sim, "c1"));
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_SECOND));
    assert_int_equal(task.error, KAFKA_ERR_NODE_CRASHED);
    assert_sim(f->sim, ksim_restart(f->sim, "c1"));
    kafka_message message;
    kafka_address *again = ksim_client(f->sim, "c1");
    assert_error(c1, kafka_reader_fetch(task.reader, kafka_background(again), &message), KAFKA_ERR_NODE_CRASHED);
    assert_error(c1, kafka_reader_close(task.reader), KAFKA_ERR_NODE_CRASHED);
    kafka_task_free(running);
    kafka_reader_free(task.reader);
    kafka_reader *reader = reader_of(again, PARTITION_1);
    assert_int_equal(next_number(again, reader, KAFKA_SECOND, NULL), 0);
    close_reader(again, reader);
    kafka_address_free(again);
    kafka_address_free(c1);
}

/* ---- trouble ---- */

static void a_stopped_leader_is_survived(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 3);
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    for (int i = 0; i < 3; i++) next_number(c1, reader, KAFKA_SECOND, NULL);
    int32_t leader = ksim_partition_find(f->sim, "orders", 1)->leader;
    assert_sim(f->sim, ksim_stop_broker(f->sim, leader));
    put(f->sim, "orders", 1, 3, 2);
    assert_int_equal(next_number(c1, reader, 10 * KAFKA_SECOND, NULL), 3);
    assert_int_equal(next_number(c1, reader, 10 * KAFKA_SECOND, NULL), 4);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void a_moved_leader_is_followed(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 1);
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    next_number(c1, reader, KAFKA_SECOND, NULL);
    int32_t leader = ksim_partition_find(f->sim, "orders", 1)->leader;
    assert_sim(f->sim, ksim_move_leader(f->sim, "orders", 1, leader % 3 + 1));
    put(f->sim, "orders", 1, 1, 1);
    assert_int_equal(next_number(c1, reader, 15 * KAFKA_SECOND, NULL), 1);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void a_broker_code_is_delivered_and_the_reader_goes_on(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 2);
    ksim_rule_add(
        f->sim, &(ksim_rule_config){
                    .api = "Fetch", .first = 1, .action = KSIM_ANSWER_ERROR, .error = KAFKA_ERR_KAFKA_STORAGE_ERROR });
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    kafka_message message;
    assert_error(c1, kafka_reader_fetch(reader, kafka_background(c1), &message), KAFKA_ERR_KAFKA_STORAGE_ERROR);
    assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), 0);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void a_cluster_that_cannot_be_reached_is_told_at_the_fourth_failure(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 2);
    for (int32_t b = 1; b <= 3; b++) assert_sim(f->sim, ksim_stop_broker(f->sim, b));
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    int64_t before = ms(f->sim);
    kafka_message message;
    assert_error(c1, kafka_reader_fetch(reader, kafka_background(c1), &message), KAFKA_ERR_CONNECTION_REFUSED);
    int64_t took = ms(f->sim) - before; /* 100 + 400 + 900 ms of backoff */
    assert_true(took >= 1400 && took < 1450);
    for (int32_t b = 1; b <= 3; b++) assert_sim(f->sim, ksim_start_broker(f->sim, b));
    kafka_context *ctx = kafka_context_with_timeout(kafka_background(c1), KAFKA_MINUTE);
    kafka_error error;
    while ((error = kafka_reader_fetch(reader, ctx, &message)) == KAFKA_ERR_CONNECTION_REFUSED) continue;
    assert_ok(c1, error);
    kafka_message_release(&message);
    kafka_context_free(ctx);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void a_missing_topic_blocks_and_the_report_says_who_waits_for_what(void **state) {
    fixture *f = *state;
    static const ksim_setting settings[] = { { "auto.create.topics.enable", "false" }, { NULL, NULL } };
    ksim *sim = ksim_new(&(ksim_config){ .settings = settings });
    kafka_address *c1 = ksim_client(sim, "c1");
    kafka_reader *reader = reader_of(c1, (kafka_reader_config){ .topic = "nosuch" });
    expect_nothing(c1, reader, KAFKA_MINUTE);
    kafka_message message;
    assert_error(c1, kafka_reader_fetch(reader, kafka_background(c1), &message), KAFKA_ERR_NOTHING_CAN_WAKE);
    if (strstr(kafka_error_detail(c1), "topic nosuch, partition 0: UNKNOWN_TOPIC_OR_PARTITION") == NULL)
        fail_msg("the report is: %s", kafka_error_detail(c1));
    close_reader(c1, reader);
    kafka_address_free(c1);
    ksim_free(sim);
    (void)f;
}

static void a_reader_makes_its_missing_topic_where_the_cluster_allows_it(void **state) {
    fixture *f = *state;
    kafka_address *c1 = ksim_client(f->sim, "c1");
    kafka_reader *reader = reader_of(c1, (kafka_reader_config){ .topic = "made" });
    expect_nothing(c1, reader, 2 * KAFKA_SECOND);
    assert_non_null(ksim_topic_find(f->sim, "made"));
    put(f->sim, "made", 0, 7, 1);
    assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), 7);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void a_reset_connection_loses_nothing(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 60);
    kafka_reader *reader = reader_of(c1, (kafka_reader_config){ .topic = "orders", .partition = 1, .max_bytes = 300 });
    ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "Fetch", .every = 2, .action = KSIM_RESET_AFTER });
    for (int i = 0; i < 60; i++) assert_int_equal(next_number(c1, reader, 20 * KAFKA_SECOND, NULL), i);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void without_latency_the_clock_still_goes_on(void **state) {
    (void)state;
    ksim *sim = ksim_new(&(ksim_config){ .latency = KSIM_NO_LATENCY });
    assert_sim(sim, ksim_create_topic(sim, "orders", 1));
    put(sim, "orders", 0, 0, 3);
    kafka_address *c1 = ksim_client(sim, "c1");
    const kafka_error errors[] = { KAFKA_ERR_REQUEST_TIMED_OUT, KAFKA_ERR_OFFSET_OUT_OF_RANGE, KAFKA_ERR_NOT_LEADER_OR_FOLLOWER,
                                   KAFKA_ERR_KAFKA_STORAGE_ERROR };
    for (size_t i = 0; i < 4; i++) {
        ksim_rule *rule = ksim_rule_add(
            sim, &(ksim_rule_config){ .api = "Fetch", .action = KSIM_ANSWER_ERROR, .error = errors[i] });
        kafka_reader *reader = reader_of(c1, (kafka_reader_config){ .topic = "orders" });
        kafka_context *ctx = kafka_context_with_timeout(kafka_background(c1), KAFKA_MINUTE);
        kafka_message message;
        kafka_error error;
        while ((error = kafka_reader_fetch(reader, ctx, &message)) == KAFKA_ERR_KAFKA_STORAGE_ERROR) continue;
        assert_error(c1, error, KAFKA_ERR_DEADLINE_EXCEEDED);
        ksim_rule_remove(sim, rule);
        kafka_context_free(ctx);
        assert_int_equal(next_number(c1, reader, 2 * KAFKA_SECOND, NULL), 0);
        close_reader(c1, reader);
    }
    kafka_address_free(c1);
    ksim_free(sim);
}

static void wrong_settings_are_refused_with_the_field_named(void **state) {
    fixture *f = *state;
    kafka_address *c1 = ksim_client(f->sim, "c1");
    const struct {
        kafka_reader_config config;
        const char *names;
    } rows[] = {
        { { .partition = -1, .topic = "t" }, "partition" },
        { { .partition = INT32_MAX, .topic = "t" }, "partition" },
        { { .topic = "t", .min_bytes = -1 }, "min_bytes" },
        { { .topic = "t", .max_bytes = -1 }, "max_bytes" },
        { { .topic = "t", .group_id = "g", .partition = 1 }, "partition" },
        { { .group_id = "g" }, "topic" },
        { { .partition = 0 }, "topic" },
        { { .topic = "t", .min_bytes = 2 }, "max_bytes" },
        { { .topic = "t", .read_backoff_max = -1 }, "read_backoff_max" },
        { { .topic = "t", .read_backoff_min = -1 }, "read_backoff_min" },
        { { .topic = "t", .read_backoff_min = 2 * KAFKA_SECOND }, "read_backoff_max" },
        { { .topic = "t", .commit_interval = -1 }, "commit_interval" },
        { { .topic = "t", .queue_capacity = -1 }, "queue_capacity" },
        { { .topic = "t", .isolation_level = (kafka_isolation_level)2 }, "isolation_level" },
        { { .topic = "t", .group_id = "g", .start_offset = 55 }, "start_offset" },
        { { .topic = "t", .group_id = "g", .heartbeat_interval = -1 }, "heartbeat_interval" },
        { { .topic = "t", .group_id = "g", .session_timeout = INT64_C(2147483647) * KAFKA_MILLISECOND },
          "session_timeout" },
        { { .topic = "t", .group_id = "g", .rebalance_timeout = -1 }, "rebalance_timeout" },
        { { .topic = "t", .group_id = "g", .join_group_backoff = -1 }, "join_group_backoff" },
        { { .topic = "t", .group_id = "g", .retention_time = -2 }, "retention_time" },
        { { .topic = "t", .group_id = "g", .partition_watch_interval = -2 }, "partition_watch_interval" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        kafka_reader_config config = rows[i].config;
        kafka_reader *reader = NULL;
        config.address = c1;
        assert_error(c1, kafka_reader_new(&config, &reader), KAFKA_ERR_INVALID_CONFIG_VALUE);
        assert_null(reader);
        if (strstr(kafka_error_detail(c1), rows[i].names) == NULL) fail_msg("row %zu: %s", i, kafka_error_detail(c1));
    }
    kafka_reader *reader = NULL;
    assert_int_equal(kafka_reader_new(NULL, &reader), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_reader_new(&(kafka_reader_config){ .topic = "t" }, &reader), KAFKA_ERR_INVALID_CONFIG_VALUE);
    /* without a group a wrong start_offset is not noticed, as in kafka-go */
    reader = reader_of(c1, (kafka_reader_config){ .topic = "t", .start_offset = 55 });
    kafka_message message = { .topic = "t" };
    assert_error(c1, kafka_reader_commit(reader, kafka_background(c1), &message, 1), KAFKA_ERR_NEEDS_GROUP);
    const kafka_reader_config *settings = kafka_reader_settings(reader);
    assert_int_equal(settings->queue_capacity, 100);
    assert_int_equal(settings->max_bytes, 1000000);
    assert_i64_equal(settings->max_wait, 10 * KAFKA_SECOND);
    assert_i64_equal(settings->heartbeat_interval, 0);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

typedef struct elsewhere {
    kafka_reader *reader;
    kafka_context *ctx;
    kafka_error fetch, commit, close, offset;
} elsewhere;

static void *call_from_another_thread(void *argument) {
    elsewhere *e = argument;
    kafka_message message = { .topic = "orders" };
    e->fetch = kafka_reader_fetch(e->reader, e->ctx, &message);
    e->commit = kafka_reader_commit(e->reader, e->ctx, &message, 1);
    e->offset = kafka_reader_set_offset(e->reader, 1);
    e->close = kafka_reader_close(e->reader);
    kafka_reader_free(e->reader);
    return NULL;
}

static void calls_from_another_thread_are_refused_and_change_nothing(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 3);
    elsewhere e = { .reader = reader_of(c1, PARTITION_1), .ctx = kafka_background(c1) };
    assert_int_equal(next_number(c1, e.reader, KAFKA_SECOND, NULL), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, call_from_another_thread, &e), 0);
    pthread_join(thread, NULL);
    assert_int_equal(e.fetch, KAFKA_ERR_WRONG_THREAD);
    assert_int_equal(e.commit, KAFKA_ERR_WRONG_THREAD);
    assert_int_equal(e.offset, KAFKA_ERR_WRONG_THREAD);
    assert_int_equal(e.close, KAFKA_ERR_WRONG_THREAD);
    assert_int_equal(next_number(c1, e.reader, KAFKA_SECOND, NULL), 1);
    close_reader(c1, e.reader);
    kafka_address_free(c1);
}

static void null_arguments_are_refused(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 1);
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    kafka_message message;
    assert_error(c1, kafka_reader_fetch(NULL, kafka_background(c1), &message), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(c1, kafka_reader_fetch(reader, NULL, &message), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(c1, kafka_reader_fetch(reader, kafka_background(c1), NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(c1, kafka_reader_read(reader, NULL, &message), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(c1, kafka_reader_read(reader, kafka_background(c1), NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(c1, kafka_reader_read_lag(reader, kafka_background(c1), NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(c1, kafka_reader_set_offset(reader, -3), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(c1, kafka_reader_set_offset_at(reader, kafka_background(c1), -1), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(c1, kafka_reader_close(NULL), KAFKA_ERR_INVALID_ARGUMENT);
    kafka_reader_free(NULL);
    kafka_message_release(NULL);
    assert_int_equal(next_number(c1, reader, KAFKA_SECOND, NULL), 0);
    close_reader(c1, reader);
    kafka_address_free(c1);
}

static void a_jump_out_of_a_waiting_task_leaves_nothing_behind(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 1);
    static task_state task;
    task = (task_state){ c1, reader_of(c1, PARTITION_1), kafka_background(c1), KAFKA_OK, 0, f->sim, 0 };
    kafka_go(task.ctx, "fetch", fetch_until_error, &task);
    assert_sim(f->sim, ksim_run_for(f->sim, KAFKA_SECOND)); /* it waits now; the teardown frees the simulator */
}

static void a_reader_left_open_is_freed_with_the_simulator(void **state) {
    fixture *f = *state;
    kafka_address *c1 = setup(f, 300);
    kafka_reader *reader = reader_of(c1, PARTITION_1);
    next_number(c1, reader, KAFKA_SECOND, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_reader_delivers_a_partition_in_order_from_its_start),
        TEST(nothing_happens_before_the_first_fetch),
        TEST(a_message_written_while_a_fetch_waits_comes_at_once),
        TEST(null_and_empty_bytes_are_told_apart_and_headers_come_in_order),
        TEST(compressed_batches_read_the_same),
        TEST(a_full_queue_holds_the_fetcher_back),
        TEST(set_offset_drops_what_is_queued_and_reads_from_there),
        TEST(set_offset_at_finds_the_first_message_not_before_a_time),
        TEST(read_lag_asks_the_broker),
        TEST(the_lag_is_kept_fresh_at_read_lag_interval),
        TEST(beyond_the_end_waits_or_is_an_error_as_configured),
        TEST(what_retention_removed_is_skipped_silently),
        TEST(an_ended_context_comes_before_a_queued_message),
        TEST(after_close_what_was_queued_is_delivered_then_eof),
        TEST(a_kept_message_outlives_its_reader),
        TEST(a_waiting_fetch_gets_eof_when_the_reader_is_closed),
        TEST(an_uninterruptible_fetch_delays_close_up_to_max_wait),
        TEST(two_tasks_share_a_reader),
        TEST(a_crash_ends_the_calls_of_a_reader_for_ever),
        TEST(a_stopped_leader_is_survived),
        TEST(a_moved_leader_is_followed),
        TEST(a_broker_code_is_delivered_and_the_reader_goes_on),
        TEST(a_cluster_that_cannot_be_reached_is_told_at_the_fourth_failure),
        TEST(a_missing_topic_blocks_and_the_report_says_who_waits_for_what),
        TEST(a_reader_makes_its_missing_topic_where_the_cluster_allows_it),
        TEST(a_reset_connection_loses_nothing),
        TEST(without_latency_the_clock_still_goes_on),
        TEST(wrong_settings_are_refused_with_the_field_named),
        TEST(calls_from_another_thread_are_refused_and_change_nothing),
        TEST(null_arguments_are_refused),
        TEST(a_jump_out_of_a_waiting_task_leaves_nothing_behind),
        TEST(a_reader_left_open_is_freed_with_the_simulator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
