/* SPDX-License-Identifier: Apache-2.0
 * ListOffsets and OffsetForLeaderEpoch by request: special values by version, times, epochs, errors (LG-36, LG-33). */
#include "tests/broker/support/world.h"

typedef ks_list_offsets_response_partition_response result;

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

static ks_envelope *list_request(world *w, int16_t version, const char *topic, int32_t partition, int64_t timestamp,
                                 int32_t epoch, int32_t times) {
    ks_envelope *request = request_new(w, KS_API_list_offsets, version);
    ks_list_offsets_request *in = request->body;
    in->replica_id = -1;
    REQUEST_ARRAY(request, in->topics, 1, list_offsets_request_topic);
    in->topics.items[0].name = ks_str(topic);
    REQUEST_ARRAY(request, in->topics.items[0].partitions, times, list_offsets_request_partition);
    for (int32_t i = 0; i < times; i++) {
        in->topics.items[0].partitions.items[i].partition_index = partition;
        in->topics.items[0].partitions.items[i].timestamp = timestamp;
        in->topics.items[0].partitions.items[i].current_leader_epoch = epoch;
    }
    return request;
}

static result *list(world *w, int32_t broker, int16_t version, const char *topic, int32_t partition, int64_t timestamp,
                    int32_t epoch) {
    ks_list_offsets_response *out = ask(w, broker, list_request(w, version, topic, partition, timestamp, epoch, 1));
    assert_non_null(out);
    return &out->topics.items[0].partitions.items[0];
}

static void special_values_depend_on_the_version(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    int64_t now = ks_now_ms(w->kernel);
    produce(w, topic, 0, make_batch(w, 2, "v", now));
    produce(w, topic, 0, make_batch(w, 2, "v", now + 500));
    produce(w, topic, 0, make_batch(w, 2, "v", now + 100));
    const struct {
        int16_t version;
        int64_t asked;
        int64_t offset, timestamp;
        int32_t epoch;
        kafka_error error;
    } rows[] = {
        { 1, -1, 6, -1, -1, 0 },
        { 1, -2, 0, -1, -1, 0 },
        { 4, -1, 6, -1, 0, 0 },
        { 4, -2, 0, -1, 0, 0 },
        { 6, -3, -1, -1, -1, KAFKA_ERR_UNSUPPORTED_VERSION },
        { 7, -3, 2, now + 500, 0, 0 },
        { 7, -4, -1, -1, -1, KAFKA_ERR_UNSUPPORTED_VERSION },
        { 8, -4, 0, -1, 0, 0 },
        { 8, -5, -1, -1, -1, KAFKA_ERR_UNSUPPORTED_VERSION },
        { 9, -5, -1, -1, -1, 0 },
        { 10, -6, -1, -1, -1, KAFKA_ERR_UNSUPPORTED_VERSION },
        { 11, -6, -1, -1, -1, 0 },
        { 11, -7, -1, -1, -1, KAFKA_ERR_UNSUPPORTED_VERSION },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        result *r = list(w, 1, rows[i].version, "t", 0, rows[i].asked, -1);
        if (r->error_code != rows[i].error || r->offset != rows[i].offset || r->timestamp != rows[i].timestamp ||
            r->leader_epoch != rows[i].epoch) {
            fail_msg("v%d, %lld: error %d offset %lld timestamp %lld epoch %d", rows[i].version,
                     (long long)rows[i].asked, r->error_code, (long long)r->offset, (long long)r->timestamp,
                     r->leader_epoch);
        }
    }
}

static void a_time_gives_the_first_record_by_offset_that_is_not_older(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    int64_t now = ks_now_ms(w->kernel);
    ks_batch_begin(&w->builder, KS_CODEC_LZ4);
    static const int64_t deltas[] = { 100, 50, 300, 200 };
    for (int i = 0; i < 4; i++) ks_batch_add(&w->builder, KS_NULL_BYTES, text_bytes("v"), NULL, 0, now + deltas[i]);
    produce(w, topic, 0, ks_batch_finish(&w->builder));
    static const struct {
        int64_t asked, offset, found;
    } rows[] = {
        { 0, 0, 100 }, { 100, 0, 100 }, { 101, 2, 300 }, { 250, 2, 300 }, { 300, 2, 300 }, { 301, -1, -1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        result *r = list(w, 1, 5, "t", 0, now + rows[i].asked, 0);
        assert_int_equal(r->error_code, 0);
        if (r->offset != rows[i].offset)
            fail_msg("+%lld ms: offset %lld", (long long)rows[i].asked, (long long)r->offset);
        assert_i64_equal(r->timestamp, rows[i].found < 0 ? -1 : now + rows[i].found);
    }
}

static void an_empty_partition_answers_too(void **state) {
    world *w = *state;
    make_topic(w, "t", 1, 1);
    assert_i64_equal(list(w, 1, 7, "t", 0, -1, -1)->offset, 0);
    assert_i64_equal(list(w, 1, 7, "t", 0, -2, -1)->offset, 0);
    assert_int_equal(list(w, 1, 7, "t", 0, -2, -1)->leader_epoch, 0);
    assert_i64_equal(list(w, 1, 7, "t", 0, -3, -1)->offset, -1);
    assert_i64_equal(list(w, 1, 7, "t", 0, 5, -1)->offset, -1);
}

static void wrong_questions_get_kafkas_error(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 3);
    ks_partition_move_leader(topic->partitions[0], 2); /* epoch 1 */
    static const struct {
        int32_t broker;
        int16_t version;
        const char *topic;
        int32_t partition, epoch;
        kafka_error error;
    } rows[] = {
        { 1, 5, "nope", 0, -1, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION },
        { 2, 5, "t", 9, -1, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION },
        { 1, 5, "t", 0, 0, KAFKA_ERR_FENCED_LEADER_EPOCH },
        { 2, 5, "t", 0, 0, KAFKA_ERR_FENCED_LEADER_EPOCH },
        { 2, 5, "t", 0, 2, KAFKA_ERR_UNKNOWN_LEADER_EPOCH },
        { 1, 5, "t", 0, 1, KAFKA_ERR_NOT_LEADER_OR_FOLLOWER },
        { 1, 3, "t", 0, 0, KAFKA_ERR_NOT_LEADER_OR_FOLLOWER },
        { 2, 5, "t", 0, 1, KAFKA_OK },
        { 2, 3, "t", 0, 0, KAFKA_OK },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        result *r = list(w, rows[i].broker, rows[i].version, rows[i].topic, rows[i].partition, -1, rows[i].epoch);
        if (r->error_code != rows[i].error) fail_msg("row %zu: %d, not %d", i, r->error_code, rows[i].error);
    }
    for (int i = 0; i < 2; i++) { /* twice: a partition asked by the last request is not one asked twice */
        ks_list_offsets_response *out = ask(w, 2, list_request(w, 5, "t", 0, -1, -1, 2));
        for (int j = 0; j < 2; j++)
            assert_int_equal(out->topics.items[0].partitions.items[j].error_code, KAFKA_ERR_INVALID_REQUEST);
        assert_int_equal(list(w, 2, 5, "t", 0, -1, -1)->error_code, 0);
    }
}

static ks_offset_for_leader_epoch_response_epoch_end_offset *epoch_end(world *w, int32_t broker, int32_t current,
                                                                       int32_t epoch) {
    ks_envelope *request = request_new(w, KS_API_offset_for_leader_epoch, 4);
    ks_offset_for_leader_epoch_request *in = request->body;
    REQUEST_ARRAY(request, in->topics, 1, offset_for_leader_epoch_request_offset_for_leader_topic);
    in->topics.items[0].topic = KS_LITERAL("t");
    REQUEST_ARRAY(request, in->topics.items[0].partitions, 1,
                  offset_for_leader_epoch_request_offset_for_leader_partition);
    in->topics.items[0].partitions.items[0].current_leader_epoch = current;
    in->topics.items[0].partitions.items[0].leader_epoch = epoch;
    ks_offset_for_leader_epoch_response *out = ask(w, broker, request);
    return &out->topics.items[0].partitions.items[0];
}

static void a_leader_epoch_ends_where_the_next_one_began(void **state) { /* LG-38 */
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 3);
    assert_i64_equal(epoch_end(w, 1, -1, 0)->end_offset, 0);
    produce(w, topic, 0, make_batch(w, 3, "v", 5));
    ks_partition_move_leader(topic->partitions[0], 2);
    produce(w, topic, 0, make_batch(w, 3, "v", 5));
    assert_i64_equal(epoch_end(w, 2, 1, 0)->end_offset, 3);
    assert_i64_equal(epoch_end(w, 2, 1, 1)->end_offset, 6);
    assert_i64_equal(epoch_end(w, 2, 1, 2)->end_offset, -1);
    assert_int_equal(epoch_end(w, 2, 0, 1)->error_code, KAFKA_ERR_FENCED_LEADER_EPOCH);
    assert_int_equal(epoch_end(w, 1, 1, 1)->error_code, KAFKA_ERR_NOT_LEADER_OR_FOLLOWER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(special_values_depend_on_the_version, setup, teardown),
        cmocka_unit_test_setup_teardown(a_time_gives_the_first_record_by_offset_that_is_not_older, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_partition_answers_too, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_questions_get_kafkas_error, setup, teardown),
        cmocka_unit_test_setup_teardown(a_leader_epoch_ends_where_the_next_one_began, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
