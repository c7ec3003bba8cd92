/* SPDX-License-Identifier: Apache-2.0
 * The writer against the simulated cluster: what arrives in the logs, whatever the codec; moved leaders, lost answers,
 * stopped brokers; and the lab's writer word for word. */
#include "tests/support/test.h"

#include <pthread.h>

#include <kafkasim/ksim.h>

typedef struct fixture {
    ksim *sim;
    kafka_address *address;
    kafka_context *ctx;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->sim = ksim_new(&(ksim_config){ .seed = 7, .brokers = 3 });
    f->address = ksim_client(f->sim, "producer");
    f->ctx = kafka_background(f->address);
    *state = f;
    return f->sim == NULL;
}

static int end(void **state) {
    fixture *f = *state;
    kafka_address_free(f->address);
    ksim_free(f->sim);
    free(f);
    return 0;
}

#define assert_error(call, expected)                                                                                   \
    do {                                                                                                               \
        kafka_error error_ = (call);                                                                                   \
        if (error_ != (expected))                                                                                      \
            fail_msg("%s gave %s, not %s: %s", #call, kafka_error_name(error_), kafka_error_name(expected),            \
                     kafka_error_detail(f->address));                                                                  \
    } while (0)

static kafka_writer *writer_of(fixture *f, kafka_writer_config config) {
    kafka_writer *writer = NULL;
    config.address = f->address;
    assert_error(kafka_writer_new(&config, &writer), KAFKA_OK);
    return writer;
}

static void done_with(fixture *f, kafka_writer *writer) {
    assert_error(kafka_writer_close(writer), KAFKA_OK);
    kafka_writer_free(writer);
}

static int64_t total(fixture *f, const char *topic) {
    int64_t records = 0;
    const ksim_topic *found = ksim_topic_find(f->sim, topic);
    for (size_t i = 0; found != NULL && i < found->partition_count; i++) records += found->partitions[i].log_end_offset;
    return records;
}

/* ---- the lab's writer ---- */

static kafka_error new_writer(kafka_address *brokers, const char *topic, kafka_writer **writer) {
    return kafka_writer_new(
        &(kafka_writer_config){
            .address = brokers,
            .topic = topic,
            .balancer = kafka_balancer_hash(), /* same key, same partition */
            .batch_size = 100,
            .batch_timeout = 10 * KAFKA_MILLISECOND,
            .required_acks = KAFKA_ACKS_ALL,
            .compression = KAFKA_COMPRESSION_SNAPPY,
        },
        writer);
}

static kafka_error produce(kafka_writer *writer, kafka_context *parent, const char *user, const char *event,
                           kafka_bytes payload) {
    char now[KAFKA_RFC3339_SIZE];
    kafka_context *ctx = kafka_context_with_timeout(parent, 5 * KAFKA_SECOND);
    kafka_header headers[] = {
        { kafka_string("event-type"), kafka_string(event) },
        { kafka_string("timestamp"), kafka_string(kafka_rfc3339(kafka_now(ctx), now)) },
    };
    kafka_message message = { .key = kafka_string(user), .value = payload, .headers = headers, .header_count = 2 };
    kafka_error error = kafka_writer_write(writer, ctx, &message, 1, NULL);
    kafka_context_free(ctx); /* cancels what is left of it */
    return error;
}

static void the_lab_s_writer_writes_what_the_lab_says(void **state) {
    fixture *f = *state;
    kafka_writer *writer;
    ksim_create_topic(f->sim, "orders", 3);
    assert_error(new_writer(f->address, "orders", &writer), KAFKA_OK);
    assert_error(produce(writer, f->ctx, "user-3", "created", kafka_string("{\"id\":1}")), KAFKA_OK);
    done_with(f, writer);
    size_t count;
    const ksim_record *records = ksim_records(f->sim, "orders", 2, &count);
    assert_int_equal(count, 1);
    assert_true(kafka_bytes_equal(records[0].key, kafka_string("user-3")));
    assert_int_equal(records[0].header_count, 2);
    assert_true(kafka_bytes_equal(records[0].headers[1].key, kafka_string("timestamp")));
    assert_true(kafka_bytes_equal(records[0].headers[1].value, kafka_string("2027-01-01T00:00:00Z")));
    assert_i64_equal(records[0].time % KAFKA_MILLISECOND, 0);
}

/* ---- codecs ---- */

static void records_arrive_as_they_were_whatever_the_codec(void **state) {
    fixture *f = *state;
    ksim_create_topic(f->sim, "orders", 1);
    char value[3000];
    for (size_t i = 0; i < sizeof value; i++) value[i] = (char)('a' + i * i % 7);
    for (int codec = KAFKA_COMPRESSION_NONE; codec <= KAFKA_COMPRESSION_ZSTD; codec++) {
        kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders",
                                                                   .batch_size = 50,
                                                                   .required_acks = KAFKA_ACKS_ALL,
                                                                   .compression = (kafka_compression)codec });
        kafka_message messages[50];
        for (int i = 0; i < 50; i++)
            messages[i] = (kafka_message){ .key = kafka_string("k"), .value = { value + i, sizeof value - 60 } };
        assert_error(kafka_writer_write(writer, f->ctx, messages, 50, NULL), KAFKA_OK);
        size_t count;
        const ksim_record *records = ksim_records(f->sim, "orders", 0, &count);
        assert_int_equal(count, 50 * (codec + 1));
        for (int i = 0; i < 50; i++) assert_true(kafka_bytes_equal(records[50 * codec + i].value, messages[i].value));
        done_with(f, writer);
    }
}

/* ---- one call, several partitions ---- */

static void a_batch_the_broker_finds_too_large_fails_only_its_partition(void **state) {
    fixture *f = *state;
    ksim_create_topic(f->sim, "orders", 3);
    ksim_rule *rule = ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "Produce",
                                                                 .topic = "orders[1]",
                                                                 .action = KSIM_ANSWER_ERROR,
                                                                 .error = KAFKA_ERR_MESSAGE_TOO_LARGE });
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders", .required_acks = KAFKA_ACKS_ALL });
    kafka_message messages[4] = { { .value = kafka_string("M0") },
                                  { .value = kafka_string("M1") },
                                  { .value = kafka_string("M2") },
                                  { .value = kafka_string("M3") } };
    kafka_error errors[4];
    assert_error(kafka_writer_write(writer, f->ctx, messages, 4, errors), KAFKA_ERR_WRITE_ERRORS);
    assert_int_equal(errors[0], KAFKA_OK);
    assert_int_equal(errors[1], KAFKA_ERR_MESSAGE_TOO_LARGE);
    assert_int_equal(errors[2], KAFKA_OK);
    assert_int_equal(errors[3], KAFKA_OK);
    assert_i64_equal(total(f, "orders"), 3);
    assert_int_equal(ksim_rule_fired(rule), 1); /* not retried */
    done_with(f, writer);
}

static void a_record_beyond_the_topic_s_limit_is_refused_by_the_broker(void **state) {
    fixture *f = *state;
    ksim_setting small[] = { { "max.message.bytes", "200" }, { NULL, NULL } };
    ksim_new_topic topic = { .name = "small", .partitions = 1, .configs = small };
    assert_int_equal(ksim_create_topics(f->sim, &topic, 1), KAFKA_OK);
    char bytes[300] = { 1 };
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "small", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = { .value = { bytes, sizeof bytes } };
    kafka_error outcome = KAFKA_OK;
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, &outcome), KAFKA_ERR_WRITE_ERRORS);
    assert_int_equal(outcome, KAFKA_ERR_MESSAGE_TOO_LARGE);
    done_with(f, writer);
}

/* ---- what goes wrong ---- */

static void a_lost_answer_means_the_message_is_there_twice(void **state) {
    fixture *f = *state;
    ksim_create_topic(f->sim, "orders", 1);
    ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "Produce", .nth = 1, .action = KSIM_RESET_AFTER });
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = { .key = kafka_string("k"), .value = kafka_string("once?") };
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    assert_i64_equal(total(f, "orders"), 2);
    done_with(f, writer);
}

static void a_leader_that_moved_is_found_when_the_layout_is_refreshed(void **state) {
    fixture *f = *state;
    ksim_new_topic topic = { .name = "orders", .partitions = 1, .replication_factor = 3 };
    assert_int_equal(ksim_create_topics(f->sim, &topic, 1), KAFKA_OK);
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = { .value = kafka_string("v") };
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    int32_t leader = ksim_partition_find(f->sim, "orders", 0)->leader;
    assert_int_equal(ksim_move_leader(f->sim, "orders", 0, leader % 3 + 1), KAFKA_OK);
    ksim_rule *seen = ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "Produce", .action = KSIM_COUNT });
    kafka_duration begun = ksim_elapsed(f->sim);
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    assert_true(ksim_rule_fired(seen) > 1);
    assert_true(ksim_elapsed(f->sim) - begun < 8 * KAFKA_SECOND);
    assert_i64_equal(total(f, "orders"), 2);
    done_with(f, writer);
}

static void a_broker_that_stops_costs_retries_but_no_message(void **state) {
    fixture *f = *state;
    ksim_new_topic topic = { .name = "orders", .partitions = 3, .replication_factor = 3 };
    assert_int_equal(ksim_create_topics(f->sim, &topic, 1), KAFKA_OK);
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    kafka_message messages[3] = { { .value = kafka_string("a") },
                                  { .value = kafka_string("b") },
                                  { .value = kafka_string("c") } };
    assert_error(kafka_writer_write(writer, f->ctx, messages, 3, NULL), KAFKA_OK);
    assert_int_equal(ksim_stop_broker(f->sim, 2), KAFKA_OK);
    assert_error(kafka_writer_write(writer, f->ctx, messages, 3, NULL), KAFKA_OK);
    assert_i64_equal(total(f, "orders"), 6);
    done_with(f, writer);
}

static void silence_on_the_wire_is_retried_on_a_fresh_connection(void **state) {
    fixture *f = *state;
    ksim_create_topic(f->sim, "orders", 1);
    ksim_rule *rule =
        ksim_rule_add(f->sim, &(ksim_rule_config){ .api = "Produce", .nth = 1, .action = KSIM_HOLD_ANSWER });
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = { .value = kafka_string("v") };
    kafka_duration begun = ksim_elapsed(f->sim);
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    assert_in_range(ksim_elapsed(f->sim) - begun, 10 * KAFKA_SECOND, 10 * KAFKA_SECOND + 200 * KAFKA_MILLISECOND);
    ksim_rule_release(f->sim, rule); /* the answer that nobody waits for any more */
    ksim_run_for(f->sim, KAFKA_SECOND);
    assert_i64_equal(total(f, "orders"), 2);
    done_with(f, writer);
}

static void a_missing_topic_is_made_by_the_cluster_when_asked_for(void **state) {
    fixture *f = *state;
    kafka_writer *writer = writer_of(
        f, (kafka_writer_config){
               .topic = "fresh", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL, .allow_auto_topic_creation = true });
    kafka_message message = { .value = kafka_string("v") };
    kafka_error error = KAFKA_ERR_LEADER_NOT_AVAILABLE;
    int tries = 0;
    for (; tries < 5 && error != KAFKA_OK; tries++) { /* as kafka-go's README does */
        error = kafka_writer_write(writer, f->ctx, &message, 1, NULL);
        if (error != KAFKA_OK) kafka_sleep(f->ctx, 250 * KAFKA_MILLISECOND);
    }
    assert_error(error, KAFKA_OK);
    assert_i64_equal(total(f, "fresh"), 1);
    done_with(f, writer);
}

/* ---- several at once ---- */

typedef struct job {
    fixture *f;
    kafka_writer *writer;
    int number;
    kafka_error error;
} job;

static void write_twenty(void *argument) {
    job *j = argument;
    char text[20][16];
    kafka_message messages[20];
    for (int i = 0; i < 20; i++) {
        snprintf(text[i], sizeof text[i], "%d-%d", j->number, i);
        messages[i] = (kafka_message){ .key = kafka_string("same"), .value = kafka_string(text[i]) };
    }
    j->error = kafka_writer_write(j->writer, j->f->ctx, messages, 20, NULL);
    memset(text, 'x', sizeof text);
}

static void calls_of_several_tasks_do_not_interleave_within_a_partition(void **state) {
    fixture *f = *state;
    ksim_create_topic(f->sim, "orders", 3);
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders",
                                                               .batch_size = 7,
                                                               .required_acks = KAFKA_ACKS_ALL,
                                                               .batch_timeout = 5 * KAFKA_MILLISECOND,
                                                               .balancer = kafka_balancer_hash() });
    job jobs[5];
    kafka_task *tasks[5];
    for (int i = 0; i < 5; i++) {
        jobs[i] = (job){ f, writer, i, KAFKA_ERR_USER };
        tasks[i] = kafka_go(f->ctx, "writer", write_twenty, &jobs[i]);
    }
    for (int i = 0; i < 5; i++) assert_error(kafka_join(f->ctx, tasks[i]), KAFKA_OK);
    for (int i = 0; i < 5; i++) assert_int_equal(jobs[i].error, KAFKA_OK);
    int32_t partition = kafka_balancer_partition(kafka_balancer_hash(), kafka_string("same"), 3);
    size_t count;
    const ksim_record *records = ksim_records(f->sim, "orders", partition, &count);
    assert_int_equal(count, 100);
    for (size_t i = 0; i < count; i++) {
        char expected[48];
        snprintf(expected, sizeof expected, "%zu-%zu", i / 20, i % 20);
        assert_true(kafka_bytes_equal(records[i].value, kafka_string(expected)));
    }
    done_with(f, writer);
}

static void a_writer_left_open_goes_with_its_simulator_whatever_it_was_doing(void **state) {
    fixture *f = *state;
    ksim_create_topic(f->sim, "orders", 3);
    for (int i = 0; i < 4; i++) {
        kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders", .async = true, .batch_size = 2 });
        kafka_message messages[3] = { { .value = kafka_string("a") },
                                      { .value = kafka_string("b") },
                                      { .value = kafka_string("c") } };
        assert_error(kafka_writer_write(writer, f->ctx, messages, 3, NULL), KAFKA_OK);
        ksim_run_for(f->sim, i * 400 * KAFKA_MICROSECOND); /* stages of its way */
    }
}

typedef struct elsewhere {
    fixture *f;
    kafka_writer *writer;
    kafka_error write, close;
} elsewhere;

static void *on_another_thread(void *argument) {
    elsewhere *e = argument;
    kafka_message message = { .value = kafka_string("v") };
    e->write = kafka_writer_write(e->writer, e->f->ctx, &message, 1, NULL);
    e->close = kafka_writer_close(e->writer);
    kafka_writer_free(e->writer); /* refused too */
    return NULL;
}

static void another_thread_is_refused_and_changes_nothing(void **state) {
    fixture *f = *state;
    ksim_create_topic(f->sim, "orders", 1);
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    elsewhere e = { f, writer, KAFKA_OK, KAFKA_OK };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, on_another_thread, &e), 0);
    pthread_join(thread, NULL);
    assert_int_equal(e.write, KAFKA_ERR_WRONG_THREAD);
    assert_int_equal(e.close, KAFKA_ERR_WRONG_THREAD);
    assert_i64_equal(total(f, "orders"), 0);
    kafka_message message = { .value = kafka_string("v") };
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    done_with(f, writer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_lab_s_writer_writes_what_the_lab_says),
        TEST(records_arrive_as_they_were_whatever_the_codec),
        TEST(a_batch_the_broker_finds_too_large_fails_only_its_partition),
        TEST(a_record_beyond_the_topic_s_limit_is_refused_by_the_broker),
        TEST(a_lost_answer_means_the_message_is_there_twice),
        TEST(a_leader_that_moved_is_found_when_the_layout_is_refreshed),
        TEST(a_broker_that_stops_costs_retries_but_no_message),
        TEST(silence_on_the_wire_is_retried_on_a_fresh_connection),
        TEST(a_missing_topic_is_made_by_the_cluster_when_asked_for),
        TEST(calls_of_several_tasks_do_not_interleave_within_a_partition),
        TEST(another_thread_is_refused_and_changes_nothing),
        TEST(a_writer_left_open_goes_with_its_simulator_whatever_it_was_doing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
