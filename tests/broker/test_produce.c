/* SPDX-License-Identifier: Apache-2.0
 * Produce by request: each row of wire-protocol 3.3 in its order, acks, answers by version, rewriting by the broker. */
#include "tests/broker/support/world.h"

#include "sim/base/crc32c.h"

typedef ks_produce_response_partition_produce_response result;

static int setup(void **state) {
    *state = calloc(1, sizeof(world));
    world_init(*state, &(ks_cluster_config){ .brokers = 3, .plain_placement = true });
    return 0;
}

static int teardown(void **state) {
    world_deinit(*state);
    free(*state);
    return 0;
}

static result *produce_as(world *w, int32_t broker, int16_t version, int16_t acks, const ks_topic *topic,
                          int32_t partition, ks_bytes batch) {
    ks_produce_response *out = ask(w, broker, produce_request(w, version, acks, topic, partition, batch));
    assert_non_null(out);
    return &out->responses.items[0].partition_responses.items[0];
}

/* ---- wrong batches ---- */

enum {
    OFFSET_LENGTH = 8,
    OFFSET_MAGIC = 16,
    OFFSET_CRC = 17,
    OFFSET_ATTRIBUTES = 21,
    OFFSET_LAST_DELTA = 23,
    OFFSET_COUNT = 57
};

static uint8_t scratch[3 << 20];

static void put32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void seal(ks_bytes batch) {
    put32((uint8_t *)batch.data + OFFSET_CRC, ks_crc32c(batch.data + 21, (size_t)batch.size - 21));
}

/* A good batch of two records in `scratch`, to be spoiled. */
static ks_bytes good(world *w) {
    ks_bytes batch = make_batch(w, 2, "value", ks_now_ms(w->kernel));
    memcpy(scratch, batch.data, (size_t)batch.size);
    return (ks_bytes){ scratch, batch.size };
}

static ks_bytes spoil_nothing(world *w) { return good(w); }
static ks_bytes spoil_empty(world *w) {
    (void)w;
    return (ks_bytes){ scratch, 0 };
}
static ks_bytes spoil_null(world *w) {
    (void)w;
    return KS_NULL_BYTES;
}
static ks_bytes spoil_length(world *w) {
    ks_bytes b = good(w);
    put32(scratch + OFFSET_LENGTH, 13);
    return b;
}
static ks_bytes spoil_length_beyond(world *w) {
    ks_bytes b = good(w);
    put32(scratch + OFFSET_LENGTH, 100000);
    return b;
}
static ks_bytes spoil_magic_3(world *w) {
    ks_bytes b = good(w);
    scratch[OFFSET_MAGIC] = 3;
    return b;
}
static ks_bytes spoil_magic_1(world *w) {
    ks_bytes b = good(w);
    scratch[OFFSET_MAGIC] = 1;
    return b;
}
static ks_bytes spoil_two(world *w) {
    ks_bytes b = good(w);
    memcpy(scratch + b.size, scratch, (size_t)b.size);
    return (ks_bytes){ scratch, 2 * b.size };
}
static ks_bytes spoil_offset(world *w) {
    ks_bytes b = good(w);
    scratch[7] = 5;
    return b;
}
static ks_bytes spoil_crc(world *w) {
    ks_bytes b = good(w);
    scratch[OFFSET_CRC] ^= 1;
    return b;
}
static ks_bytes spoil_count(world *w) {
    ks_bytes b = good(w);
    put32(scratch + OFFSET_COUNT, 3);
    seal(b);
    return b;
}
static ks_bytes spoil_delta(world *w) {
    ks_bytes b = good(w);
    put32(scratch + OFFSET_LAST_DELTA, 5);
    seal(b);
    return b;
}
static ks_bytes spoil_control(world *w) {
    ks_bytes b = good(w);
    scratch[OFFSET_ATTRIBUTES + 1] |= KS_ATTRIBUTE_CONTROL;
    seal(b);
    return b;
}
static ks_bytes spoil_codec(world *w) {
    ks_bytes b = good(w);
    scratch[OFFSET_ATTRIBUTES + 1] |= 5;
    seal(b);
    return b;
}
static ks_bytes spoil_gzip(world *w) {
    ks_bytes b = good(w);
    scratch[OFFSET_ATTRIBUTES + 1] |= KS_CODEC_GZIP;
    seal(b);
    return b;
}
static ks_bytes spoil_record(world *w) {
    ks_bytes b = good(w);
    scratch[61] = 0x7e;
    seal(b);
    return b;
}
static ks_bytes spoil_size(world *w) {
    static char value[1100000];
    memset(value, 'v', sizeof value - 1);
    ks_bytes b = make_batch(w, 1, value, ks_now_ms(w->kernel));
    memcpy(scratch, b.data, (size_t)b.size);
    return (ks_bytes){ scratch, b.size };
}
static ks_bytes spoil_size_and_crc(world *w) {
    ks_bytes b = spoil_size(w);
    scratch[OFFSET_CRC] ^= 1;
    return b;
}
static ks_bytes spoil_offset_and_size(world *w) {
    ks_bytes b = spoil_size(w);
    scratch[7] = 1;
    return b;
}
static ks_bytes spoil_future(world *w) {
    ks_bytes b = make_batch(w, 2, "v", ks_now_ms(w->kernel) + 3600000 + 1000);
    memcpy(scratch, b.data, (size_t)b.size);
    return (ks_bytes){ scratch, b.size };
}

static ks_bytes spoil_type(world *w) {
    ks_bytes b = good(w);
    scratch[OFFSET_ATTRIBUTES + 1] |= KS_ATTRIBUTE_LOG_APPEND_TIME;
    seal(b);
    return b;
}

static void every_wrong_batch_gets_kafkas_error_and_changes_nothing(void **state) { /* rows 2, 3, 6 to 11, 13 */
    world *w = *state;
    static const struct {
        const char *what;
        ks_bytes (*spoil)(world *);
        kafka_error error, or_else;
    } rows[] = {
        { "length below 14", spoil_length, KAFKA_ERR_CORRUPT_MESSAGE },
        { "magic 3", spoil_magic_3, KAFKA_ERR_CORRUPT_MESSAGE },
        { "length beyond the end", spoil_length_beyond, KAFKA_ERR_INVALID_RECORD },
        { "no batch", spoil_empty, KAFKA_ERR_INVALID_RECORD },
        { "null", spoil_null, KAFKA_ERR_INVALID_RECORD },
        { "magic 1", spoil_magic_1, KAFKA_ERR_INVALID_RECORD },
        { "two batches", spoil_two, KAFKA_ERR_INVALID_RECORD },
        { "base offset", spoil_offset, KAFKA_ERR_INVALID_RECORD },
        { "base offset before size", spoil_offset_and_size, KAFKA_ERR_INVALID_RECORD },
        { "too large", spoil_size, KAFKA_ERR_MESSAGE_TOO_LARGE },
        { "too large before the crc", spoil_size_and_crc, KAFKA_ERR_MESSAGE_TOO_LARGE },
        { "crc", spoil_crc, KAFKA_ERR_CORRUPT_MESSAGE },
        { "count", spoil_count, KAFKA_ERR_INVALID_RECORD },
        { "last offset delta", spoil_delta, KAFKA_ERR_INVALID_RECORD },
        { "control", spoil_control, KAFKA_ERR_INVALID_RECORD },
        { "codec 5", spoil_codec, KAFKA_ERR_UNKNOWN_SERVER_ERROR, KAFKA_ERR_CORRUPT_MESSAGE },
        { "not gzip", spoil_gzip, KAFKA_ERR_UNKNOWN_SERVER_ERROR, KAFKA_ERR_CORRUPT_MESSAGE },
        { "record", spoil_record, KAFKA_ERR_INVALID_RECORD },
        { "future", spoil_future, KAFKA_ERR_INVALID_TIMESTAMP },
        { "log append time", spoil_type, KAFKA_ERR_INVALID_TIMESTAMP },
    };
    ks_topic *topic = make_topic(w, "t", 1, 1);
    w->logs = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        result *r = produce_as(w, 1, 9, -1, topic, 0, rows[i].spoil(w));
        bool right = r->error_code == rows[i].error || (rows[i].or_else != 0 && r->error_code == rows[i].or_else);
        if (!right) fail_msg("%s: %d, not %d", rows[i].what, r->error_code, rows[i].error);
        assert_i64_equal(r->base_offset, -1);
        assert_i64_equal(r->log_append_time_ms, -1);
        assert_i64_equal(ks_log_end_offset(topic->partitions[0]->log), 0);
    }
    assert_int_equal(seen(w, "append_refused"), sizeof rows / sizeof *rows);
    result *r = produce_as(w, 1, 9, -1, topic, 0, spoil_nothing(w));
    assert_int_equal(r->error_code, 0);
    assert_i64_equal(r->base_offset, 0);
    assert_i64_equal(ks_log_end_offset(topic->partitions[0]->log), 2);
}

static void what_does_not_exist_is_unknown_by_name_and_by_id(void **state) { /* row 1 */
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1), ghost = { .name = KS_LITERAL("ghost"), .id = { { 1, 2 } } };
    assert_int_equal(produce_as(w, 1, 9, -1, &ghost, 0, good(w))->error_code, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(produce_as(w, 1, 9, -1, topic, 1, good(w))->error_code, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(produce_as(w, 1, 9, -1, topic, -1, good(w))->error_code, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(produce_as(w, 1, 13, -1, &ghost, 0, good(w))->error_code, KAFKA_ERR_UNKNOWN_TOPIC_ID);
    assert_int_equal(produce_as(w, 1, 13, -1, topic, 1, good(w))->error_code, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(produce_as(w, 1, 13, -1, topic, 0, good(w))->error_code, 0);
}

static void acks_other_than_kafkas_three_are_refused(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    assert_int_equal(produce_as(w, 1, 9, 2, topic, 0, good(w))->error_code, KAFKA_ERR_INVALID_REQUIRED_ACKS);
    assert_int_equal(produce_as(w, 1, 9, -2, topic, 7, good(w))->error_code, KAFKA_ERR_INVALID_REQUIRED_ACKS);
    assert_int_equal(produce_as(w, 1, 9, 1, topic, 0, good(w))->error_code, 0);
}

static void zstd_needs_version_7(void **state) { /* row 4 */
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    ks_batch_begin(&w->builder, KS_CODEC_ZSTD);
    ks_batch_add(&w->builder, KS_NULL_BYTES, text_bytes("value"), NULL, 0, ks_now_ms(w->kernel));
    ks_bytes batch = ks_batch_finish(&w->builder);
    assert_int_equal(produce_as(w, 2, 6, 1, topic, 0, batch)->error_code,
                     KAFKA_ERR_UNSUPPORTED_COMPRESSION_TYPE); /* before leadership */
    assert_int_equal(produce_as(w, 1, 7, 1, topic, 0, batch)->error_code, 0);
}

static void place_comes_before_content(void **state) { /* row 5 */
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 3),
             *offsets = ks_cluster_topic_find(w->cluster, KS_LITERAL(KS_OFFSETS_TOPIC));
    assert_int_equal(produce_as(w, offsets->partitions[0]->leader, 9, -1, offsets, 0, spoil_crc(w))->error_code,
                     KAFKA_ERR_INVALID_TOPIC_EXCEPTION);
    assert_int_equal(produce_as(w, 2, 9, -1, topic, 0, spoil_crc(w))->error_code, KAFKA_ERR_NOT_LEADER_OR_FOLLOWER);
    assert_int_equal(produce_as(w, 2, 9, -1, topic, 0, spoil_magic_3(w))->error_code,
                     KAFKA_ERR_CORRUPT_MESSAGE); /* but shape before place */
}

static void from_version_10_on_the_present_leader_is_named(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 3);
    ks_produce_response *out = ask(w, 2, produce_request(w, 10, -1, topic, 0, good(w)));
    assert_int_equal(out->responses.items[0].partition_responses.items[0].current_leader.leader_id, 1);
    assert_int_equal(out->responses.items[0].partition_responses.items[0].current_leader.leader_epoch, 0);
    assert_int_equal(out->node_endpoints.count, 1);
    assert_int_equal(out->node_endpoints.items[0].node_id, 1);
    assert_true(ks_string_equal(out->node_endpoints.items[0].host, KS_LITERAL("broker-1")));
    out = ask(w, 2, produce_request(w, 9, -1, topic, 0, good(w)));
    assert_int_equal(out->responses.items[0].partition_responses.items[0].current_leader.leader_id, -1);
    assert_int_equal(out->node_endpoints.count, 0);
}

static void acks_all_needs_min_insync_replicas(void **state) { /* row 5 */
    world *w = *state;
    ks_topic_config *config = ks_topic_config_new(ks_cluster_settings(w->cluster));
    ks_topic_config_set(config, KS_LITERAL("min.insync.replicas"), KS_LITERAL("2"), ks_cluster_settings(w->cluster),
                        NULL);
    ks_topic_spec spec = { .name = KS_LITERAL("t"), .partitions = 1, .replication_factor = 3, .config = config };
    ks_topic *topic;
    assert_int_equal(ks_cluster_create_topic(w->cluster, &spec, &topic, NULL), KAFKA_OK);
    spec.name = KS_LITERAL("single"); /* the config asks for two, but there is only one */
    spec.replication_factor = 1;
    ks_topic *single;
    assert_int_equal(ks_cluster_create_topic(w->cluster, &spec, &single, NULL), KAFKA_OK);
    ks_topic_config_release(config);
    ks_node_crash(ks_cluster_broker_find(w->cluster, 2)->node);
    assert_int_equal(produce_as(w, 1, 9, -1, topic, 0, good(w))->error_code, 0);
    ks_node_crash(ks_cluster_broker_find(w->cluster, 3)->node);
    assert_int_equal(produce_as(w, 1, 9, -1, topic, 0, spoil_crc(w))->error_code, KAFKA_ERR_NOT_ENOUGH_REPLICAS);
    assert_int_equal(produce_as(w, 1, 9, 1, topic, 0, good(w))->error_code, 0);
    assert_int_equal(produce_as(w, 1, 9, -1, single, 0, good(w))->error_code, 0);
}

static void a_compacted_topic_wants_keys_and_names_the_records_without(void **state) { /* row 12 */
    world *w = *state;
    ks_topic *topic = make_configured(w, "t", "cleanup.policy", "compact", NULL);
    produce_as(w, 1, 9, -1, topic, 0, good(w));
    ks_batch_begin(&w->builder, KS_CODEC_NONE);
    for (int i = 0; i < 4; i++) {
        ks_batch_add(&w->builder, i % 2 ? KS_NULL_BYTES : text_bytes("k"), text_bytes("v"), NULL, 0,
                     ks_now_ms(w->kernel));
    }
    ks_bytes batch = ks_batch_finish(&w->builder);
    result *r = produce_as(w, 1, 8, -1, topic, 0, batch);
    assert_int_equal(r->error_code, KAFKA_ERR_INVALID_RECORD);
    assert_int_equal(r->record_errors.count, 2);
    assert_int_equal(r->record_errors.items[0].batch_index, 1);
    assert_int_equal(r->record_errors.items[1].batch_index, 3);
    assert_true(r->error_message.size > 0);
    assert_i64_equal(r->log_start_offset, 0);
    r = produce_as(w, 1, 7, -1, topic, 0, batch);
    assert_int_equal(r->error_code, KAFKA_ERR_INVALID_RECORD);
    assert_int_equal(r->record_errors.count, 0);
    assert_true(r->error_message.size < 0);
}

static void timestamps_must_lie_in_the_window_unless_the_broker_sets_them(void **state) { /* row 13 */
    world *w = *state;
    ks_topic *create = make_configured(w, "c", "message.timestamp.before.max.ms", "1000",
                                       "message.timestamp.after.max.ms", "1000", NULL);
    ks_topic *append = make_configured(w, "a", "message.timestamp.before.max.ms", "1000", "message.timestamp.type",
                                       "LogAppendTime", NULL);
    int64_t now = ks_now_ms(w->kernel);
    static const struct {
        int64_t delta;
        kafka_error error;
    } rows[] = {
        { -900, KAFKA_OK },
        { -1100, KAFKA_ERR_INVALID_TIMESTAMP },
        { 900, KAFKA_OK },
        { 1100, KAFKA_ERR_INVALID_TIMESTAMP },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        result *r =
            produce_as(w, create->partitions[0]->leader, 9, 1, create, 0, make_batch(w, 1, "v", now + rows[i].delta));
        if (r->error_code != rows[i].error) fail_msg("%lld ms: %d", (long long)rows[i].delta, r->error_code);
    }
    assert_int_equal(produce(w, create, 0, make_batch(w, 1, "v", -1))->error_code, 0);
    result *r = produce(w, append, 0, make_batch(w, 1, "v", now - 999999));
    assert_int_equal(r->error_code, 0);
    assert_true(r->log_append_time_ms >= now);
    int64_t append_time = r->log_append_time_ms;
    ks_fetch_response_partition_data *data = fetch(w, append, 0, 0);
    ks_record_iterator iterator;
    ks_record record;
    ks_records_begin(&iterator, data->records);
    assert_true(ks_records_next_batch(&iterator));
    assert_true(ks_records_next(&iterator, &record));
    assert_i64_equal(record.timestamp_ms, append_time);
    ks_records_end(&iterator);
}

static void a_batch_larger_than_a_segment_is_refused(void **state) {
    world *w = *state;
    ks_topic *topic = make_configured(w, "t", "segment.bytes", "70", NULL);
    assert_int_equal(produce(w, topic, 0, good(w))->error_code, KAFKA_ERR_RECORD_LIST_TOO_LARGE);
}

static void offsets_go_on_and_partitions_answer_for_themselves(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 2, 1);
    ks_envelope *request = produce_request(w, 9, 1, topic, 0, good(w));
    ks_produce_request *in = request->body;
    ks_bytes batch = in->topic_data.items[0].partition_data.items[0].records;
    REQUEST_ARRAY(request, in->topic_data.items[0].partition_data, 3, produce_request_partition_produce_data);
    static const int32_t partitions[] = { 0, 7, 0 };
    for (int i = 0; i < 3; i++) {
        in->topic_data.items[0].partition_data.items[i].index = partitions[i];
        in->topic_data.items[0].partition_data.items[i].records = batch;
    }
    ks_produce_response *out = ask(w, 1, request);
    result *results = out->responses.items[0].partition_responses.items;
    assert_i64_equal(results[0].base_offset, 0);
    assert_int_equal(results[1].error_code, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_i64_equal(results[2].base_offset, 2);
    assert_i64_equal(results[2].log_start_offset, 0);
}

static void a_cut_second_batch_behind_the_first_is_left_out(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    ks_bytes batch = good(w);
    memcpy(scratch + batch.size, scratch, 40);
    assert_int_equal(produce(w, topic, 0, (ks_bytes){ scratch, batch.size + 40 })->error_code, 0);
    assert_i64_equal(ks_log_size(topic->partitions[0]->log), batch.size);
    assert_i64_equal(produce(w, topic, 0, good(w))->base_offset, 2);
}

static void a_wrong_largest_timestamp_is_put_right(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    ks_bytes batch = good(w);
    put32(scratch + 35, 0x7fffffff);
    seal(batch);
    assert_int_equal(produce(w, topic, 0, batch)->error_code, 0);
    ks_fetch_response_partition_data *d = fetch(w, topic, 0, 0);
    ks_batch_header header;
    assert_true(ks_batch_read_header(d->records, &header));
    assert_i64_equal(header.max_timestamp, header.base_timestamp);
    assert_int_equal(header.crc, ks_batch_crc(d->records));
}

static void acks_none_gets_no_answer_and_a_closed_connection_when_it_failed(void **state) { /* WR-19 */
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    ks_connection_send(line_open(w, 0, 1)->connection, produce_request(w, 9, 0, topic, 0, good(w)), false);
    run_ms(w, 10);
    assert_null(w->lines[0].response);
    assert_false(w->lines[0].closed);
    assert_i64_equal(ks_log_end_offset(topic->partitions[0]->log), 2);
    ks_connection_send(w->lines[0].connection, produce_request(w, 9, 0, topic, 5, good(w)), false);
    run_ms(w, 10);
    assert_true(w->lines[0].closed);
}

static void the_broker_compresses_when_the_topic_says_so(void **state) {
    world *w = *state;
    static const char *const types[] = { "uncompressed", "gzip", "snappy", "lz4", "zstd" };
    for (int t = 0; t < 5; t++) {
        ks_topic *topic = make_configured(w, types[t], "compression.type", types[t], NULL);
        ks_batch_begin(&w->builder, KS_CODEC_SNAPPY);
        ks_record_header_in headers[] = { { KS_LITERAL("h"), text_bytes("1") }, { KS_LITERAL("h"), KS_NULL_BYTES } };
        for (int i = 0; i < 3; i++) {
            ks_batch_add(&w->builder, KS_NULL_BYTES, text_bytes("a value that repeats repeats repeats"), headers, 2,
                         ks_now_ms(w->kernel) + i);
        }
        assert_int_equal(produce(w, topic, 0, ks_batch_finish(&w->builder))->error_code, 0);
        ks_fetch_response_partition_data *data = fetch(w, topic, 0, 0);
        ks_record_iterator iterator;
        ks_record record;
        int count = 0;
        ks_records_begin(&iterator, data->records);
        assert_true(ks_records_next_batch(&iterator));
        assert_int_equal(iterator.header.attributes & KS_ATTRIBUTE_CODEC_MASK, t);
        for (; ks_records_next(&iterator, &record); count++) {
            assert_i64_equal(record.offset, count);
            assert_int_equal(record.header_count, 2);
            assert_true(record.key.size == -1);
        }
        assert_int_equal(count, 3);
        assert_false(iterator.failed);
        ks_records_end(&iterator);
    }
}

static void unknown_apis_and_versions_close_the_connection(void **state) { /* WR-20 */
    world *w = *state;
    w->logs = true;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    assert_null(ask(w, 1, produce_request(w, 2, 1, topic, 0, good(w))));
    assert_true(w->lines[0].closed);
    assert_null(ask(w, 1, request_new(w, KS_API_add_partitions_to_txn, 0)));
    assert_true(w->lines[0].closed);
    assert_int_equal(seen(w, "request_rejected"), 2);
    assert_non_null(ask(w, 1, request_new(w, KS_API_api_versions, 0)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_wrong_batch_gets_kafkas_error_and_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_exist_is_unknown_by_name_and_by_id, setup, teardown),
        cmocka_unit_test_setup_teardown(acks_other_than_kafkas_three_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(zstd_needs_version_7, setup, teardown),
        cmocka_unit_test_setup_teardown(place_comes_before_content, setup, teardown),
        cmocka_unit_test_setup_teardown(from_version_10_on_the_present_leader_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(acks_all_needs_min_insync_replicas, setup, teardown),
        cmocka_unit_test_setup_teardown(a_compacted_topic_wants_keys_and_names_the_records_without, setup, teardown),
        cmocka_unit_test_setup_teardown(timestamps_must_lie_in_the_window_unless_the_broker_sets_them, setup, teardown),
        cmocka_unit_test_setup_teardown(a_batch_larger_than_a_segment_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(offsets_go_on_and_partitions_answer_for_themselves, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cut_second_batch_behind_the_first_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_largest_timestamp_is_put_right, setup, teardown),
        cmocka_unit_test_setup_teardown(acks_none_gets_no_answer_and_a_closed_connection_when_it_failed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_broker_compresses_when_the_topic_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_apis_and_versions_close_the_connection, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
