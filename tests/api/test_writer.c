/* SPDX-License-Identifier: Apache-2.0
 * The writer: checks and their order, batching and retries to the millisecond, per-message errors, closing. Against a
 * broker that does as it is told. */
#include "tests/api/writer_fixture.h"

/* ---- a first message ---- */

static void one_message_waits_for_the_batch_timeout_and_arrives(void **state) {
    fixture *f = *state;
    kafka_writer *writer = writer_of(
        f,
        (kafka_writer_config){ .topic = "orders", .balancer = kafka_balancer_hash(), .required_acks = KAFKA_ACKS_ALL });
    assert_int_equal(f->broker.metadata_count, 0); /* a writer that does nothing talks to nobody */
    kafka_message message = text("user-1", "hello");
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    assert_int_equal(elapsed(f), 1000); /* kafka-go's "one message per second" */
    assert_int_equal(f->broker.produce_count, 1);
    const ks_scripted_produce *produce = &f->broker.produced[0];
    assert_string_equal(produce->topic, "orders");
    assert_int_equal(produce->partition, 0);
    assert_int_equal(produce->version, 8);
    assert_int_equal(produce->acks, -1);
    assert_int_equal(produce->timeout_ms, 5000); /* half of write_timeout */
    assert_string_equal(produce->client_id, "producer (github.com/segmentio/kafka-go)");
    assert_error(kafka_writer_close(writer), KAFKA_OK);
    kafka_writer_free(writer);
}

static void a_record_carries_key_value_headers_and_the_time_of_its_sending(void **state) {
    fixture *f = *state;
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders",
                                                               .balancer = kafka_balancer_hash(),
                                                               .batch_timeout = 10 * KAFKA_MILLISECOND,
                                                               .required_acks = KAFKA_ACKS_ONE });
    kafka_header headers[] = { { kafka_string("event-type"), kafka_string("created") },
                               { kafka_string("n"), { NULL, 0 } } };
    kafka_message messages[] = {
        { .key = kafka_string("user-1"), .value = { NULL, 0 }, .headers = headers, .header_count = 2 },
        { .key = kafka_string("user-1"), .value = { "", 0 } }
    };
    assert_error(kafka_writer_write(writer, f->ctx, messages, 2, NULL), KAFKA_OK);
    ks_record_iterator records;
    ks_record record;
    ks_records_begin(&records, f->broker.produced[0].bytes);
    assert_true(ks_records_next_batch(&records));
    assert_true(ks_records_next(&records, &record));
    assert_true(ks_bytes_equal(record.key, (ks_bytes){ (const uint8_t *)"user-1", 6 }));
    assert_int_equal(record.value.size, -1); /* null, a tombstone */
    assert_int_equal(record.header_count, 2);
    ks_string key;
    ks_bytes value;
    assert_true(ks_record_header_next(&record.headers, &key, &value));
    assert_true(ks_string_equal(key, KS_LITERAL("event-type")));
    assert_true(ks_record_header_next(&record.headers, &key, &value));
    assert_int_equal(value.size, -1);
    assert_i64_equal(record.timestamp_ms, f->start / KS_MS + 10);
    assert_true(ks_records_next(&records, &record));
    assert_int_equal(record.value.size, 0); /* empty is not null */
    assert_false(ks_records_next(&records, &record));
    ks_records_end(&records);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

/* ---- batching (kafka-go-client.md 3.3) ---- */

typedef struct batching {
    int32_t batch_size;
    int64_t batch_bytes;
    int32_t messages; /* of 25 bytes */
    struct {
        int32_t records;
        int64_t at_ms;
    } batches[5];
} batching;

static void batches_fill_by_count_by_bytes_and_by_time(void **state) {
    fixture *f = *state;
    static const batching rows[] = {
        { 2, 0, 5, { { 2, 0 }, { 2, 0 }, { 1, 50 } } },
        { 0, 50, 4, { { 2, 0 }, { 2, 0 } } },
        { 0, 60, 5, { { 2, 0 }, { 2, 0 }, { 1, 50 } } }, /* the third would exceed */
        { 100, 0, 100, { { 100, 0 } } },
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders",
                                                                   .batch_size = rows[row].batch_size,
                                                                   .batch_bytes = rows[row].batch_bytes,
                                                                   .batch_timeout = 50 * KAFKA_MILLISECOND,
                                                                   .balancer = kafka_balancer_hash(),
                                                                   .required_acks = KAFKA_ACKS_ALL });
        kafka_message messages[100];
        for (int i = 0; i < rows[row].messages; i++) messages[i] = text("k", "v"); /* 23 + 2 */
        int32_t before = f->broker.produce_count;
        int64_t begun = elapsed(f);
        assert_error(kafka_writer_write(writer, f->ctx, messages, (size_t)rows[row].messages, NULL), KAFKA_OK);
        int32_t batch = 0;
        for (; batch < 5 && rows[row].batches[batch].records > 0; batch++) {
            const ks_scripted_produce *produce = &f->broker.produced[before + batch];
            if (produce->records != rows[row].batches[batch].records ||
                produce->time_ms - begun != rows[row].batches[batch].at_ms)
                fail_msg("row %zu, batch %d: %d records at %lld ms", row, batch, produce->records,
                         (long long)(produce->time_ms - begun));
        }
        assert_int_equal(f->broker.produce_count - before, batch);
        kafka_writer_close(writer);
        kafka_writer_free(writer);
    }
}

static void a_message_of_exactly_batch_bytes_passes_and_one_more_byte_does_not(void **state) {
    fixture *f = *state;
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_bytes = 50, .required_acks = KAFKA_ACKS_ALL });
    char bytes[64] = { 0 };
    kafka_message messages[] = { text("k", "v"), { .value = { bytes, 28 } }, text("k", "w") };
    kafka_error errors[3];
    assert_error(kafka_writer_write(writer, f->ctx, messages, 3, errors), KAFKA_ERR_MESSAGE_TOO_LARGE);
    assert_int_equal(errors[0], KAFKA_ERR_OPERATION_NOT_ATTEMPTED);
    assert_int_equal(errors[1], KAFKA_ERR_MESSAGE_TOO_LARGE);
    assert_int_equal(errors[2], KAFKA_ERR_OPERATION_NOT_ATTEMPTED);
    assert_non_null(strstr(kafka_error_detail(f->address), "message 1 of 3 counts 51 bytes"));
    messages[1].value.size = 27;
    assert_int_equal(kafka_message_batch_size(&messages[1]), 50);
    assert_error(kafka_writer_write(writer, f->ctx, &messages[1], 1, errors), KAFKA_OK);
    assert_int_equal(f->broker.produce_count, 1);
    assert_int_equal(elapsed(f), 0); /* full at once */
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

/* ---- retries (kafka-go-client.md 3.4) ---- */

static void refusals_that_may_pass_are_retried_after_growing_waits(void **state) {
    fixture *f = *state;
    static const int64_t at_ms[] = { 0, 100, 500, 1400, 2400, 3400 };
    for (int i = 0; i < 5; i++) f->broker.errors[i] = KAFKA_ERR_NOT_LEADER_OR_FOLLOWER;
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    assert_int_equal(f->broker.produce_count, 6);
    for (int i = 0; i < 6; i++) {
        assert_i64_equal(f->broker.produced[i].time_ms, at_ms[i]);
        /* "now" is taken anew at each attempt */
        assert_i64_equal(f->broker.produced[i].base_timestamp, f->start / KS_MS + at_ms[i]);
    }
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static void the_error_of_the_last_attempt_is_told(void **state) {
    fixture *f = *state;
    for (int i = 0; i < 9; i++) f->broker.errors[i] = KAFKA_ERR_NOT_LEADER_OR_FOLLOWER;
    f->broker.errors[9] = KAFKA_ERR_NOT_ENOUGH_REPLICAS;
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = text("k", "v");
    kafka_error outcome = KAFKA_OK;
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, &outcome), KAFKA_ERR_WRITE_ERRORS);
    assert_int_equal(outcome, KAFKA_ERR_NOT_ENOUGH_REPLICAS);
    assert_int_equal(f->broker.produce_count, 10);
    assert_int_equal(elapsed(f), 100 + 400 + 900 + 6 * 1000);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static void a_final_refusal_is_not_retried(void **state) {
    fixture *f = *state;
    f->broker.errors[0] = KAFKA_ERR_INVALID_RECORD;
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = text("k", "v");
    kafka_error outcome = KAFKA_OK;
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, &outcome), KAFKA_ERR_WRITE_ERRORS);
    assert_int_equal(outcome, KAFKA_ERR_INVALID_RECORD);
    assert_int_equal(f->broker.produce_count, 1);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static void silence_ends_after_the_write_timeout_and_counts_as_a_refusal_that_may_pass(void **state) {
    fixture *f = *state;
    f->broker.errors[0] = KS_SCRIPT_SILENCE;
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders",
                                                               .batch_size = 1,
                                                               .required_acks = KAFKA_ACKS_ALL,
                                                               .write_timeout = 4 * KAFKA_SECOND });
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    assert_int_equal(f->broker.produce_count, 2);
    assert_int_equal(f->broker.produced[0].timeout_ms, 2000);
    assert_i64_equal(f->broker.produced[1].time_ms, 4100);
    assert_int_equal(f->broker.hello_count, 3); /* metadata, the first attempt, the second on a fresh connection */
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static void a_connection_that_is_hung_up_is_retried(void **state) {
    fixture *f = *state;
    f->broker.errors[0] = KS_SCRIPT_HANG_UP;
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    assert_int_equal(f->broker.produce_count, 2);
    assert_i64_equal(f->broker.produced[1].time_ms, 100);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static void the_next_batch_waits_for_the_retries_of_the_one_before(void **state) {
    fixture *f = *state;
    f->broker.errors[0] = KAFKA_ERR_NOT_LEADER_OR_FOLLOWER;
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders",
                                                               .batch_size = 1,
                                                               .required_acks = KAFKA_ACKS_ALL,
                                                               .balancer = kafka_balancer_hash() });
    kafka_message messages[] = { text("k", "1"), text("k", "22"), text("k", "333") };
    assert_error(kafka_writer_write(writer, f->ctx, messages, 3, NULL), KAFKA_OK);
    assert_int_equal(f->broker.produce_count, 4);
    for (int i = 1; i < 4; i++) {
        assert_i64_equal(f->broker.produced[i].time_ms, 100);
        assert_int_equal(f->broker.produced[i].bytes.size - f->broker.produced[1].bytes.size, i - 1); /* in order */
    }
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

/* ---- outcomes of single messages ---- */

static void a_partition_that_refuses_fails_only_its_own_messages(void **state) {
    fixture *f = *state;
    f->broker.error_partition = 1;
    f->broker.errors[0] = KAFKA_ERR_MESSAGE_TOO_LARGE;
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders", .required_acks = KAFKA_ACKS_ALL });
    kafka_message messages[4] = { text(NULL, "M0"), text(NULL, "M1"), text(NULL, "M2"), text(NULL, "M3") };
    kafka_error errors[4] = { KAFKA_ERR_USER, KAFKA_ERR_USER, KAFKA_ERR_USER, KAFKA_ERR_USER };
    char words[400];
    assert_error(kafka_writer_write(writer, f->ctx, messages, 4, errors), KAFKA_ERR_WRITE_ERRORS);
    assert_int_equal(errors[0], KAFKA_OK);
    assert_int_equal(errors[1], KAFKA_ERR_MESSAGE_TOO_LARGE);
    assert_int_equal(errors[2], KAFKA_OK);
    assert_int_equal(errors[3], KAFKA_OK);
    assert_int_equal(kafka_write_errors_count(errors, 4), 1);
    kafka_write_errors_format(errors, 4, words, sizeof words);
    assert_memory_equal(words, "Kafka write errors (1/4), errors: [<nil> [10] ", 46);
    char few[12];
    assert_string_equal(kafka_write_errors_format(errors, 4, few, sizeof few), "Kafka write");
    assert_non_null(strstr(kafka_error_detail(f->address), "1 of 4 messages"));
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static int32_t nowhere(void *argument, const kafka_message *message, int32_t count) {
    (void)argument;
    return message->key.size > 0 ? count + 4 : 0;
}

static void a_partition_that_does_not_exist_fails_its_message_without_a_request(void **state) {
    fixture *f = *state;
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders",
                                                               .required_acks = KAFKA_ACKS_ALL,
                                                               .batch_size = 1,
                                                               .balancer = kafka_balancer_function(nowhere, NULL) });
    kafka_message messages[] = { text("k", "lost"), text(NULL, "fine") };
    kafka_error errors[2];
    assert_error(kafka_writer_write(writer, f->ctx, messages, 2, errors), KAFKA_ERR_WRITE_ERRORS);
    assert_int_equal(errors[0], KAFKA_ERR_PARTITION_NOT_CACHED);
    assert_int_equal(errors[1], KAFKA_OK);
    assert_int_equal(f->broker.produce_count, 1);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static void acks_none_is_done_when_it_is_sent(void **state) {
    fixture *f = *state;
    f->broker.errors[0] = KAFKA_ERR_INVALID_RECORD; /* nobody hears of it */
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1 });
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    assert_error(kafka_writer_close(writer), KAFKA_OK);
    ks_runtime_run_until(f->runtime, ks_now(f->kernel) + KS_MS);
    assert_int_equal(f->broker.produce_count, 1);
    assert_int_equal(f->broker.produced[0].acks, 0);
    kafka_writer_free(writer);
}

/* ---- times ---- */

static void times_of_messages_are_kept_to_the_millisecond_and_unset_ones_become_now(void **state) {
    fixture *f = *state;
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders",
                                                               .balancer = kafka_balancer_hash(),
                                                               .required_acks = KAFKA_ACKS_ALL,
                                                               .batch_timeout = 10 * KAFKA_MILLISECOND });
    kafka_message messages[] = { text("k", "set"), text("k", "unset"), text("k", "set") };
    messages[0].time = 1700000000123456789;
    messages[2].time = 1700000000000000000;
    f->broker.errors[0] = KAFKA_ERR_NOT_LEADER_OR_FOLLOWER; /* so that there are two "now" */
    assert_error(kafka_writer_write(writer, f->ctx, messages, 3, NULL), KAFKA_OK);
    assert_int_equal(f->broker.produce_count, 2);
    for (int i = 0; i < 2; i++) {
        static const int64_t now_ms[] = { 10, 110 };
        ks_record_iterator records;
        ks_record record;
        ks_records_begin(&records, f->broker.produced[i].bytes);
        assert_true(ks_records_next_batch(&records));
        assert_true(ks_records_next(&records, &record));
        assert_i64_equal(record.timestamp_ms, 1700000000123);
        assert_true(ks_records_next(&records, &record));
        assert_i64_equal(record.timestamp_ms, f->start / KS_MS + now_ms[i]);
        assert_true(ks_records_next(&records, &record));
        assert_i64_equal(record.timestamp_ms, 1700000000000);
        ks_records_end(&records);
        assert_i64_equal(f->broker.produced[i].max_timestamp, f->start / KS_MS + now_ms[i]);
    }
    assert_i64_equal(messages[1].time, 0); /* the caller's messages are never changed */
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

/* ---- async, completions ---- */

typedef struct seen {
    int calls, count;
    kafka_error error;
    kafka_message messages[8];
    char values[8][16];
    kafka_writer *writer;
    fixture *f;
} seen;

static void complete(void *argument, const kafka_message *messages, size_t count, kafka_error error) {
    seen *s = argument;
    s->calls++;
    s->error = error;
    for (size_t i = 0; i < count && s->count < 8; i++, s->count++) {
        s->messages[s->count] = messages[i];
        snprintf(s->values[s->count], sizeof s->values[0], "%.*s", (int)messages[i].value.size,
                 (const char *)messages[i].value.data);
        if (messages[i].header_count > 0) assert_memory_equal(messages[i].headers[0].key.data, "h", 1);
    }
}

static void an_async_write_returns_at_once_and_its_completion_tells_offsets(void **state) {
    fixture *f = *state;
    seen s = { 0 };
    int mine = 5;
    f->broker.next_offset[2] = 40;
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders",
                                                               .async = true,
                                                               .completion = complete,
                                                               .completion_argument = &s,
                                                               .required_acks = KAFKA_ACKS_ALL,
                                                               .balancer = kafka_balancer_hash(),
                                                               .compression = KAFKA_COMPRESSION_SNAPPY });
    kafka_header header = { kafka_string("h"), kafka_string("x") };
    kafka_message messages[] = { text("user-3", "one"), text("user-3", "two") };
    messages[0].writer_data = &mine;
    messages[1].headers = &header;
    messages[1].header_count = 1;
    assert_error(kafka_writer_write(writer, f->ctx, messages, 2, NULL), KAFKA_OK);
    assert_int_equal(elapsed(f), 0);
    memset(messages, 0xff, sizeof messages); /* it has copies */
    assert_int_equal(s.calls, 0);
    ks_runtime_run_until(f->runtime, f->start + 2 * KS_S);
    assert_int_equal(s.calls, 1);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.error, KAFKA_OK);
    assert_ptr_equal(s.messages[0].writer_data, &mine);
    assert_string_equal(s.messages[0].topic, "orders");
    assert_int_equal(s.messages[1].partition, 2);
    assert_i64_equal(s.messages[0].offset, 40);
    assert_i64_equal(s.messages[1].offset, 41);
    assert_i64_equal(s.messages[0].time, 0); /* CreateTime: unset as it was */
    assert_string_equal(s.values[1], "two");
    assert_int_equal(f->broker.produced[0].codec, KS_CODEC_SNAPPY);
    assert_error(kafka_writer_close(writer), KAFKA_OK);
    kafka_writer_free(writer);
}

static void completions_see_refusals_log_append_times_and_nothing_without_an_answer(void **state) {
    fixture *f = *state;
    seen s = { 0 };
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders",
                                                               .batch_size = 1,
                                                               .completion = complete,
                                                               .completion_argument = &s,
                                                               .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = text("k", "v");
    f->broker.errors[0] = KAFKA_ERR_INVALID_RECORD;
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_ERR_WRITE_ERRORS);
    assert_int_equal(s.error, KAFKA_ERR_INVALID_RECORD);
    assert_i64_equal(s.messages[0].offset, -1);
    assert_string_equal(s.messages[0].topic, "orders");
    f->broker.log_append_time_ms = 1800000000000;
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    assert_i64_equal(s.messages[1].time, 1800000000000 * KS_MS);
    kafka_writer_close(writer);
    kafka_writer_free(writer);

    writer = writer_of(
        f, (kafka_writer_config){
               .topic = "orders", .batch_size = 1, .completion = complete, .completion_argument = &s }); /* acks none */
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    assert_int_equal(s.calls, 3); /* told before the call returns */
    assert_null(s.messages[2].topic);
    assert_i64_equal(s.messages[2].offset, 0);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static void meddle(void *argument, const kafka_message *messages, size_t count, kafka_error error) {
    seen *s = argument;
    fixture *f = s->f;
    (void)count;
    (void)error;
    s->calls++;
    assert_error(kafka_writer_close(s->writer), KAFKA_ERR_WRONG_PLACE);
    if (s->calls == 1) assert_error(kafka_writer_write(s->writer, f->ctx, messages, 0, NULL), KAFKA_OK);
    kafka_message again = text("k", "again");
    if (s->calls == 1) assert_error(kafka_writer_write(s->writer, f->ctx, &again, 1, NULL), KAFKA_OK);
}

static void a_completion_may_write_async_but_not_close(void **state) {
    fixture *f = *state;
    seen s = { .f = f };
    s.writer = writer_of(f, (kafka_writer_config){ .topic = "orders",
                                                   .batch_size = 1,
                                                   .async = true,
                                                   .completion = meddle,
                                                   .completion_argument = &s,
                                                   .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(s.writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    ks_runtime_run_until(f->runtime, f->start + KS_S);
    assert_int_equal(s.calls, 2);
    assert_int_equal(f->broker.produce_count, 2);
    assert_error(kafka_writer_close(s.writer), KAFKA_OK);
    kafka_writer_free(s.writer);
}

static void free_it(void *argument, const kafka_message *messages, size_t count, kafka_error error) {
    seen *s = argument;
    (void)count;
    (void)error;
    s->calls++;
    kafka_writer_free(s->writer);
    assert_memory_equal(messages[0].value.data, "v", 1); /* the view outlives it, for this call */
}

static void a_completion_may_even_free_its_writer(void **state) {
    fixture *f = *state;
    seen s = { .f = f };
    s.writer = writer_of(f, (kafka_writer_config){ .topic = "orders",
                                                   .batch_size = 1,
                                                   .async = true,
                                                   .completion = free_it,
                                                   .completion_argument = &s,
                                                   .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(s.writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    ks_runtime_run_until(f->runtime, f->start + KS_S);
    assert_int_equal(s.calls, 1);
}

/* ---- closing ---- */

static void close_sends_what_is_gathered_and_waits_for_it(void **state) {
    fixture *f = *state;
    f->broker.errors[0] = KAFKA_ERR_NOT_LEADER_OR_FOLLOWER;
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "orders", .async = true, .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    assert_error(kafka_writer_close(writer), KAFKA_OK);
    assert_int_equal(f->broker.produce_count, 2); /* retries included */
    assert_int_equal(elapsed(f), 100);
    assert_error(kafka_writer_close(writer), KAFKA_OK); /* idempotent */
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_ERR_CLOSED);
    assert_error(kafka_writer_write(writer, f->ctx, NULL, 0, NULL), KAFKA_ERR_CLOSED);
    kafka_writer_free(writer);
}

static void a_writer_left_open_says_what_was_lost(void **state) {
    fixture *f = *state;
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders", .async = true });
    kafka_message messages[] = { text("a", "v"), text("b", "v") };
    assert_error(kafka_writer_write(writer, f->ctx, messages, 2, NULL), KAFKA_OK);
    kafka_writer_free(writer);
    assert_non_null(strstr(kafka_error_detail(f->address), "2 messages"));
    assert_non_null(strstr(kafka_error_detail(f->address), "kafka_writer_close()"));
}

static void a_writer_nobody_frees_goes_with_its_simulator(void **state) {
    fixture *f = *state;
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders", .async = true });
    kafka_message message = text("a", "v");
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
}

typedef struct task_call {
    fixture *f;
    kafka_writer *writer;
    kafka_context *ctx;
    kafka_error error;
    int64_t at_ms;
} task_call;

static void write_one(void *argument) {
    task_call *call = argument;
    kafka_message message = text("k", "v");
    call->error = kafka_writer_write(call->writer, call->ctx, &message, 1, NULL);
    call->at_ms = elapsed(call->f);
}

static void close_releases_calls_that_wait_for_their_batch(void **state) {
    fixture *f = *state;
    kafka_writer *writer = writer_of(
        f, (kafka_writer_config){ .topic = "orders", .batch_timeout = KAFKA_MINUTE, .required_acks = KAFKA_ACKS_ALL });
    task_call call = { f, writer, f->ctx, KAFKA_ERR_USER, -1 };
    kafka_task *task = kafka_go(f->ctx, "write", write_one, &call);
    assert_error(kafka_sleep(f->ctx, 5 * KAFKA_SECOND), KAFKA_OK);
    assert_error(kafka_writer_close(writer), KAFKA_OK);
    kafka_writer_free(writer); /* before the task has run on */
    assert_error(kafka_join(f->ctx, task), KAFKA_OK);
    assert_int_equal(call.error, KAFKA_OK);
    assert_i64_equal(call.at_ms, 5000);
}

static void a_call_that_meets_a_close_while_it_looks_for_its_topic_is_told_so(void **state) {
    fixture *f = *state;
    ks_node_pause(f->broker.node); /* no metadata comes */
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders" });
    task_call call = { f, writer, f->ctx, KAFKA_ERR_USER, -1 };
    kafka_task *task = kafka_go(f->ctx, "write", write_one, &call);
    assert_error(kafka_sleep(f->ctx, KAFKA_SECOND), KAFKA_OK);
    assert_error(kafka_writer_close(writer), KAFKA_OK);
    kafka_writer_free(writer);
    assert_error(kafka_join(f->ctx, task), KAFKA_OK);
    assert_int_equal(call.error, KAFKA_ERR_CLOSED);
    ks_node_resume(f->broker.node);
}

/* ---- contexts ---- */

static void a_context_that_ends_leaves_the_messages_on_their_way(void **state) {
    fixture *f = *state;
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders", .required_acks = KAFKA_ACKS_ALL });
    kafka_context *ctx = kafka_context_with_timeout(f->ctx, 200 * KAFKA_MILLISECOND);
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(writer, ctx, &message, 1, NULL), KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_int_equal(elapsed(f), 200);
    assert_int_equal(f->broker.produce_count, 0);
    assert_error(kafka_writer_write(writer, ctx, &message, 1, NULL),
                 KAFKA_ERR_DEADLINE_EXCEEDED); /* enqueued all the same */
    ks_runtime_run_until(f->runtime, f->start + 3 * KS_S);
    assert_int_equal(f->broker.produce_count, 2); /* round robin: two partitions */
    kafka_context_free(ctx);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

/* ---- topics and metadata ---- */

static void topics_must_be_named_once(void **state) {
    fixture *f = *state;
    kafka_writer *with = writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1 });
    kafka_writer *without = writer_of(f, (kafka_writer_config){ .topic = "", .batch_size = 1 });
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(without, f->ctx, &message, 1, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(kafka_error_detail(f->address), "neither"));
    message.topic = "orders";
    assert_error(kafka_writer_write(with, f->ctx, &message, 1, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_writer_write(without, f->ctx, &message, 1, NULL), KAFKA_OK);
    kafka_writer_close(with);
    kafka_writer_close(without);
    kafka_writer_free(with);
    kafka_writer_free(without);
}

static void one_call_may_write_to_several_topics(void **state) {
    fixture *f = *state;
    strcpy(f->broker.topics[f->broker.topic_count++], "payments");
    kafka_writer *writer = writer_of(
        f,
        (kafka_writer_config){ .batch_size = 2, .required_acks = KAFKA_ACKS_ALL, .balancer = kafka_balancer_hash() });
    kafka_message messages[] = { text("k", "1"), text("k", "2"), text("k", "3"), text("k", "4") };
    for (int i = 0; i < 4; i++) messages[i].topic = i % 2 ? "payments" : "orders";
    assert_error(kafka_writer_write(writer, f->ctx, messages, 4, NULL), KAFKA_OK);
    assert_int_equal(f->broker.produce_count, 2);
    assert_string_equal(f->broker.produced[0].topic, "orders");
    assert_string_equal(f->broker.produced[1].topic, "payments");
    assert_int_equal(f->broker.produced[1].records, 2);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static void a_topic_that_is_missing_is_unknown_until_the_layout_is_refreshed(void **state) {
    fixture *f = *state;
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "late", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_non_null(strstr(kafka_error_detail(f->address), "allow_auto_topic_creation"));
    strcpy(f->broker.topics[f->broker.topic_count++], "late"); /* somebody else makes it */
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    ks_runtime_run_until(f->runtime, f->start + 6 * KS_S);
    assert_true(f->broker.metadata_count > 1);
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static void the_topic_s_own_error_is_returned_without_a_retry(void **state) {
    fixture *f = *state;
    f->broker.topic_error = KAFKA_ERR_LEADER_NOT_AVAILABLE;
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders" });
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_ERR_LEADER_NOT_AVAILABLE);
    assert_int_equal(elapsed(f), 0);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static void a_missing_topic_is_created_when_that_is_allowed(void **state) {
    fixture *f = *state;
    f->broker.auto_create = true;
    kafka_writer *writer = writer_of(
        f, (kafka_writer_config){
               .topic = "fresh", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL, .allow_auto_topic_creation = true });
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL),
                 KAFKA_ERR_LEADER_NOT_AVAILABLE); /* as in kafka-go */
    assert_int_equal(f->broker.create_count, 1);
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static void nobody_answering_ends_the_lookup_after_the_read_timeout(void **state) {
    fixture *f = *state;
    ks_node_pause(f->broker.node);
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders", .read_timeout = 3 * KAFKA_SECOND });
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_int_equal(elapsed(f), 3000);
    ks_node_resume(f->broker.node);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static void a_cluster_that_is_down_refuses_and_is_found_again_when_it_is_back(void **state) {
    fixture *f = *state;
    ks_node_crash(f->broker.node);
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_ERR_CONNECTION_REFUSED);
    ks_node_start(f->broker.node);
    ks_runtime_run_until(f->runtime, f->start + 7 * KS_S);
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static void the_layout_is_refreshed_at_random_times_below_six_seconds_and_rests_when_nobody_needs_it(void **state) {
    fixture *f = *state;
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    ks_runtime_run_until(f->runtime, f->start + 120 * KS_S);
    int32_t count = f->broker.metadata_count;
    assert_in_range(count, 25, 70); /* 3 s in the mean */
    bool differ = false;
    for (int32_t i = 1; i < count; i++) {
        int64_t gap = f->broker.metadata_ms[i] - f->broker.metadata_ms[i - 1];
        assert_in_range(gap, 0, 6000);
        differ |= i > 1 && gap != f->broker.metadata_ms[i - 1] - f->broker.metadata_ms[i - 2];
    }
    assert_true(differ);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
    ks_runtime_run_until(f->runtime, f->start + 240 * KS_S);
    assert_int_equal(f->broker.metadata_count, count);
    writer = writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    assert_int_equal(f->broker.metadata_count, count + 1); /* what it had was old */
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static void a_connection_is_used_again_and_closed_after_thirty_idle_seconds(void **state) {
    fixture *f = *state;
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = text("k", "v");
    for (int i = 0; i < 5; i++) assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    assert_int_equal(f->broker.hello_count, 2); /* one for metadata, one to the broker */
    ks_runtime_run_until(f->runtime, ks_now(f->kernel) + 31 * KS_S);
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    assert_int_equal(f->broker.hello_count, 3);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

/* ---- crashes ---- */

static void a_crash_of_the_process_kills_its_writers_for_good(void **state) {
    fixture *f = *state;
    kafka_writer *writer =
        writer_of(f, (kafka_writer_config){ .topic = "orders", .async = true, .required_acks = KAFKA_ACKS_ALL });
    kafka_message message = text("k", "v");
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_OK);
    ks_node_crash(ks_process_node(f->process));
    ks_runtime_node_down(f->runtime, ks_process_node(f->process));
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_ERR_NODE_CRASHED);
    assert_error(kafka_writer_close(writer), KAFKA_ERR_NODE_CRASHED);
    kafka_writer *other = NULL;
    assert_error(kafka_writer_new(&(kafka_writer_config){ .address = f->address }, &other), KAFKA_ERR_NODE_CRASHED);
    assert_null(other);
    ks_runtime_run_until(f->runtime, f->start + 20 * KS_S);
    assert_int_equal(f->broker.produce_count, 0); /* the dead send nothing */
    ks_node_start(ks_process_node(f->process));
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_ERR_NODE_CRASHED);
    other = writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1, .required_acks = KAFKA_ACKS_ALL });
    assert_error(kafka_writer_write(other, kafka_background(f->address), &message, 1, NULL), KAFKA_OK);
    kafka_writer_close(other);
    kafka_writer_free(other);
    kafka_writer_free(writer);
}

/* ---- bad input ---- */

static void wrong_configs_are_refused_in_words(void **state) {
    fixture *f = *state;
    kafka_writer *writer = (kafka_writer *)f; /* must stay as it is */
    const struct {
        kafka_writer_config config;
        const char *says;
    } rows[] = {
        { { .required_acks = (kafka_required_acks)2 }, "required_acks is 2" },
        { { .compression = (kafka_compression)5 }, "compression is 5" },
        { { .compression = (kafka_compression)-1 }, "compression is -1" },
        { { .balancer = { .kind = (kafka_balancer_kind)99 } }, "balancer is of no known kind" },
        { { .balancer = kafka_balancer_function(NULL, NULL) }, "without a function" },
        { { .batch_bytes = INT64_MAX }, "batch_bytes" },
        { { .write_backoff_min = 2 * KAFKA_SECOND, .write_backoff_max = KAFKA_SECOND }, "write_backoff_max" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        kafka_writer_config config = rows[i].config;
        config.address = f->address;
        assert_error(kafka_writer_new(&config, &writer), KAFKA_ERR_INVALID_CONFIG_VALUE);
        if (strstr(kafka_error_detail(f->address), rows[i].says) == NULL)
            fail_msg("row %zu says: %s", i, kafka_error_detail(f->address));
        assert_ptr_equal(writer, f);
    }
    assert_error(kafka_writer_new(NULL, &writer), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_writer_new(&(kafka_writer_config){ .address = f->address }, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_writer_new(&(kafka_writer_config){ .topic = "orders" }, &writer),
                 KAFKA_ERR_INVALID_CONFIG_VALUE);
}

static void wrong_arguments_are_refused_and_change_nothing(void **state) {
    fixture *f = *state;
    kafka_writer *writer = writer_of(f, (kafka_writer_config){ .topic = "orders", .batch_size = 1 });
    kafka_message message = { .key = { NULL, 3 } };
    kafka_message no_headers = { .header_count = 2 };
    assert_error(kafka_writer_write(NULL, f->ctx, &message, 1, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_writer_write(writer, NULL, &message, 1, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_writer_write(writer, f->ctx, NULL, 1, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_writer_write(writer, f->ctx, &message, 1, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_writer_write(writer, f->ctx, &no_headers, 1, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_writer_write(writer, f->ctx, NULL, 0, NULL), KAFKA_OK);
    assert_int_equal(f->broker.metadata_count, 0);
    assert_error(kafka_writer_close(writer), KAFKA_OK);
    kafka_writer_free(writer);
    assert_error(kafka_writer_close(NULL), KAFKA_OK);
    kafka_writer_free(NULL);
}

static void names_of_settings_are_kafka_go_s(void **state) {
    (void)state;
    assert_string_equal(kafka_required_acks_name(KAFKA_ACKS_ALL), "all");
    assert_string_equal(kafka_required_acks_name((kafka_required_acks)0), "none");
    assert_string_equal(kafka_required_acks_name((kafka_required_acks)9), "?");
    assert_string_equal(kafka_compression_name(KAFKA_COMPRESSION_NONE), "uncompressed");
    assert_string_equal(kafka_compression_name(KAFKA_COMPRESSION_ZSTD), "zstd");
    assert_string_equal(kafka_compression_name((kafka_compression)77), "?");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(one_message_waits_for_the_batch_timeout_and_arrives),
        TEST(a_record_carries_key_value_headers_and_the_time_of_its_sending),
        TEST(batches_fill_by_count_by_bytes_and_by_time),
        TEST(a_message_of_exactly_batch_bytes_passes_and_one_more_byte_does_not),
        TEST(refusals_that_may_pass_are_retried_after_growing_waits),
        TEST(the_error_of_the_last_attempt_is_told),
        TEST(a_final_refusal_is_not_retried),
        TEST(silence_ends_after_the_write_timeout_and_counts_as_a_refusal_that_may_pass),
        TEST(a_connection_that_is_hung_up_is_retried),
        TEST(the_next_batch_waits_for_the_retries_of_the_one_before),
        TEST(a_partition_that_refuses_fails_only_its_own_messages),
        TEST(a_partition_that_does_not_exist_fails_its_message_without_a_request),
        TEST(acks_none_is_done_when_it_is_sent),
        TEST(times_of_messages_are_kept_to_the_millisecond_and_unset_ones_become_now),
        TEST(an_async_write_returns_at_once_and_its_completion_tells_offsets),
        TEST(completions_see_refusals_log_append_times_and_nothing_without_an_answer),
        TEST(a_completion_may_write_async_but_not_close),
        TEST(a_completion_may_even_free_its_writer),
        TEST(close_sends_what_is_gathered_and_waits_for_it),
        TEST(a_writer_left_open_says_what_was_lost),
        TEST(a_writer_nobody_frees_goes_with_its_simulator),
        TEST(close_releases_calls_that_wait_for_their_batch),
        TEST(a_call_that_meets_a_close_while_it_looks_for_its_topic_is_told_so),
        TEST(a_context_that_ends_leaves_the_messages_on_their_way),
        TEST(topics_must_be_named_once),
        TEST(one_call_may_write_to_several_topics),
        TEST(a_topic_that_is_missing_is_unknown_until_the_layout_is_refreshed),
        TEST(the_topic_s_own_error_is_returned_without_a_retry),
        TEST(a_missing_topic_is_created_when_that_is_allowed),
        TEST(nobody_answering_ends_the_lookup_after_the_read_timeout),
        TEST(a_cluster_that_is_down_refuses_and_is_found_again_when_it_is_back),
        TEST(the_layout_is_refreshed_at_random_times_below_six_seconds_and_rests_when_nobody_needs_it),
        TEST(a_connection_is_used_again_and_closed_after_thirty_idle_seconds),
        TEST(a_crash_of_the_process_kills_its_writers_for_good),
        TEST(wrong_configs_are_refused_in_words),
        TEST(wrong_arguments_are_refused_and_change_nothing),
        TEST(names_of_settings_are_kafka_go_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
