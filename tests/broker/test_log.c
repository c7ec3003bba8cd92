/* SPDX-License-Identifier: Apache-2.0
 * The log alone: what is written is found again, whatever the sizes of batches, chunks and segments. */
#include "sim/broker/log.h"
#include "tests/support/test.h"

static ks_batch_builder builder;

static int teardown(void **state) {
    (void)state;
    ks_batch_builder_deinit(&builder);
    memset(&builder, 0, sizeof builder);
    return 0;
}

static const ks_log_append_rules large = {
    .leader_epoch = 3, .log_append_time_ms = -1, .now_ms = 5000, .segment_bytes = 1 << 30, .segment_ms = INT64_MAX
};

static ks_bytes batch_of(int32_t count, int32_t value_size, int64_t timestamp_ms) {
    static uint8_t value[400000];
    ks_batch_begin(&builder, KS_CODEC_NONE);
    for (int32_t i = 0; i < count; i++)
        ks_batch_add(&builder, KS_NULL_BYTES, (ks_bytes){ value, value_size }, NULL, 0, timestamp_ms + i);
    return ks_batch_finish(&builder);
}

static ks_log_appended append_by(ks_log *log, const ks_log_append_rules *rules, int32_t count, int32_t value_size,
                                 int64_t timestamp_ms) {
    ks_bytes batch = batch_of(count, value_size, timestamp_ms);
    ks_batch_header header;
    ks_log_appended appended;
    assert_true(ks_batch_read_header(batch, &header));
    ks_log_append(log, batch, &header, rules, &appended);
    ks_log_set_high_watermark(log, ks_log_end_offset(log));
    return appended;
}

static ks_log_appended append(ks_log *log, int32_t count, int32_t value_size, int64_t timestamp_ms) {
    return append_by(log, &large, count, value_size, timestamp_ms);
}

static ks_batch_header first_header(const ks_log_slice *slice) {
    ks_batch_header header = { 0 };
    assert_true(ks_batch_read_header(slice->bytes, &header));
    return header;
}

static void an_empty_log_answers_zero_everywhere(void **state) {
    (void)state;
    ks_log_slice slice;
    ks_log_position position;
    ks_log *logs[] = { NULL, ks_log_new(0) };
    for (int i = 0; i < 2; i++) {
        assert_i64_equal(ks_log_end_offset(logs[i]), 0);
        assert_i64_equal(ks_log_high_watermark(logs[i]), 0);
        ks_log_read(logs[i], 0, 0, 100, true, &slice);
        assert_int_equal(slice.bytes.size, 0);
        assert_null(slice.block);
        assert_false(ks_log_find_time(logs[i], 0, INT64_MAX, &position));
        assert_false(ks_log_find_max_timestamp(logs[i], &position));
        assert_i64_equal(ks_log_readable(logs[i], 0, 0), 0);
        ks_log_free(logs[i]);
    }
}

static void a_batch_gets_offset_and_leader_epoch_and_keeps_its_crc(void **state) {
    (void)state;
    ks_log *log = ks_log_new(0);
    append(log, 3, 10, 100);
    ks_log_appended second = append(log, 2, 10, 200);
    assert_i64_equal(second.base_offset, 3);
    ks_batch_header header;
    assert_true(ks_batch_read_header(second.stored, &header));
    assert_i64_equal(header.base_offset, 3);
    assert_int_equal(header.leader_epoch, 3);
    assert_int_equal(header.crc, ks_batch_crc(second.stored));
    assert_i64_equal(ks_log_end_offset(log), 5);
    ks_log_free(log);
}

static void log_append_time_overwrites_the_batch_and_its_crc(void **state) {
    (void)state;
    ks_log *log = ks_log_new(0);
    ks_log_append_rules rules = large;
    rules.log_append_time_ms = 7777;
    ks_log_appended appended = append_by(log, &rules, 2, 10, 100);
    ks_batch_header header;
    assert_true(ks_batch_read_header(appended.stored, &header));
    assert_i64_equal(header.max_timestamp, 7777);
    assert_true(header.attributes & KS_ATTRIBUTE_LOG_APPEND_TIME);
    assert_int_equal(header.crc, ks_batch_crc(appended.stored));
    assert_i64_equal(ks_log_segment_at(log, 0)->max_timestamp, 7777);
    ks_log_free(log);
}

/* A dumb copy of the log to compare with: sizes and base offsets of all batches. */
typedef struct model {
    struct {
        int64_t base, last, timestamp;
        int32_t size;
        int32_t segment;
    } batches[2000];
    int32_t count, segments;
} model;

static int32_t model_find(const model *m, int64_t offset) {
    for (int32_t i = 0; i < m->count; i++)
        if (m->batches[i].last >= offset) return i;
    return -1;
}

static int64_t model_bytes(const model *m, int64_t offset, int64_t bound, int64_t max_bytes, bool at_least_one) {
    int32_t i = model_find(m, offset);
    if (i < 0) return 0;
    int64_t bytes = 0;
    for (int32_t segment = m->batches[i].segment;
         i < m->count && m->batches[i].segment == segment && m->batches[i].base < bound; i++) {
        if (bytes + m->batches[i].size > max_bytes && !(bytes == 0 && at_least_one)) break;
        bytes += m->batches[i].size;
        if (bytes > max_bytes) break;
    }
    return bytes;
}

static uint64_t random_state;
static int32_t below(int32_t bound) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int32_t)((random_state >> 33) % (uint64_t)bound);
}

static void fill(ks_log *log, model *m, const ks_log_append_rules *rules, int32_t batches, int32_t size_max) {
    m->count = m->segments = 0;
    for (int32_t i = 0; i < batches; i++) {
        int32_t count = 1 + below(5);
        int64_t timestamp = below(100000);
        ks_log_appended a = append_by(log, rules, count, below(size_max), timestamp);
        if (a.rolled != NULL) m->segments++;
        m->batches[i].base = a.base_offset;
        m->batches[i].last = a.base_offset + count - 1;
        m->batches[i].timestamp = timestamp;
        m->batches[i].size = a.stored.size;
        m->batches[i].segment = m->segments;
        m->count++;
    }
    assert_int_equal(ks_log_segment_count(log), m->segments + 1);
}

static void check_reads(const ks_log *log, const model *m, int32_t tries) {
    for (int32_t t = 0; t < tries; t++) {
        int64_t end = ks_log_end_offset(log), offset = below((int32_t)end),
                bound = offset + 1 + below((int32_t)(end - offset));
        int64_t max_bytes = below(4) == 0 ? 1 << 30 : below(60000);
        bool at_least_one = below(2) == 0;
        /* a bound inside a batch is no bound that happens: high watermarks lie between batches */
        int32_t last = model_find(m, bound);
        bound = last < 0 ? end : m->batches[last].base;
        if (bound <= offset) bound = end;
        ks_log_slice slice;
        ks_log_read(log, offset, bound, max_bytes, at_least_one, &slice);
        int64_t expected = model_bytes(m, offset, bound, max_bytes, at_least_one);
        if (slice.bytes.size != expected) {
            fail_msg("[%lld, %lld) at most %lld bytes: %d, expected %lld", (long long)offset, (long long)bound,
                     (long long)max_bytes, slice.bytes.size, (long long)expected);
        }
        if (expected > 0) assert_i64_equal(first_header(&slice).base_offset, m->batches[model_find(m, offset)].base);
        ks_block_release(slice.block);
    }
}

static void check_times(const ks_log *log, const model *m, int32_t tries) {
    int64_t greatest = -1;
    int64_t greatest_offset = -1;
    ks_log_position position;
    for (int32_t t = 0; t < tries; t++) {
        int64_t wanted = below(110000), expected = -1;
        for (int32_t i = 0; i < m->count && expected < 0;
             i++) { /* record k of a batch has the timestamp of the first + k */
            int64_t last = m->batches[i].timestamp + (m->batches[i].last - m->batches[i].base);
            if (last >= wanted)
                expected = wanted > m->batches[i].timestamp ? m->batches[i].base + wanted - m->batches[i].timestamp
                                                            : m->batches[i].base;
        }
        bool found = ks_log_find_time(log, wanted, INT64_MAX, &position);
        assert_int_equal(found, expected >= 0);
        if (found) assert_i64_equal(position.offset, expected);
    }
    for (int32_t i = 0; i < m->count; i++) {
        int64_t last = m->batches[i].timestamp + (m->batches[i].last - m->batches[i].base);
        if (last > greatest) greatest = last, greatest_offset = m->batches[i].last;
    }
    assert_true(ks_log_find_max_timestamp(log, &position));
    assert_i64_equal(position.offset, greatest_offset);
    assert_i64_equal(position.timestamp_ms, greatest);
    assert_int_equal(position.leader_epoch, 3);
}

static void reads_give_whole_batches_as_a_dumb_copy_of_the_log_would(void **state) {
    (void)state;
    static const struct {
        int64_t segment_bytes;
        int32_t batches, size_max;
    } shapes[] = {
        { 1 << 30, 1000, 100 }, { 1 << 30, 1500, 3000 }, { 100000, 600, 2000 },
        { 14, 200, 50 },        { 1 << 30, 20, 300000 },
    };
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        ks_log *log = ks_log_new(0);
        static model m;
        ks_log_append_rules rules = large;
        rules.segment_bytes = shapes[s].segment_bytes;
        random_state = s;
        fill(log, &m, &rules, shapes[s].batches, shapes[s].size_max);
        check_reads(log, &m, 2000);
        check_times(log, &m, 300);
        ks_log_free(log);
    }
}

static void a_reader_keeps_its_bytes_when_the_log_goes(void **state) {
    (void)state;
    ks_log *log = ks_log_new(0);
    append(log, 1, 100, 1);
    ks_log_slice slice;
    ks_log_read(log, 0, 1, 1000, true, &slice);
    append(log, 1, 100, 2);
    ks_log_free(log);
    assert_i64_equal(first_header(&slice).base_offset, 0);
    ks_block_release(slice.block);
}

static void readable_bytes_count_up_to_the_bound_and_end_with_the_segment(void **state) {
    (void)state;
    ks_log *log = ks_log_new(0);
    int32_t one = append(log, 1, 100, 1).stored.size;
    append(log, 1, 100, 2);
    assert_i64_equal(ks_log_readable(log, 0, 1), one);
    assert_i64_equal(ks_log_readable(log, 0, 2), 2 * one);
    assert_i64_equal(ks_log_readable(log, 2, 2), 0);
    ks_log_roll(log, 0);
    append(log, 1, 100, 3);
    assert_i64_equal(ks_log_readable(log, 0, 3), -1);
    assert_i64_equal(ks_log_readable(log, 2, 3), one);
    ks_log_free(log);
}

static void a_segment_rolls_by_size_before_the_append(void **state) { /* LG-9 */
    (void)state;
    ks_log *log = ks_log_new(0);
    ks_log_append_rules rules = large;
    int32_t size = append_by(log, &rules, 1, 100, 1).stored.size;
    rules.segment_bytes = 3 * size;
    assert_null(append_by(log, &rules, 1, 100, 1).rolled);
    assert_null(append_by(log, &rules, 1, 100, 1).rolled); /* exactly full */
    assert_string_equal(append_by(log, &rules, 1, 100, 1).rolled, "size");
    assert_i64_equal(ks_log_segment_at(log, 1)->base_offset, 3);
    ks_log_free(log);
}

static void a_segment_rolls_by_the_records_time_only(void **state) { /* LG-9 */
    (void)state;
    ks_log *log = ks_log_new(0);
    ks_log_append_rules rules = large;
    rules.segment_ms = 1000;
    append_by(log, &rules, 1, 10, 50000);
    rules.now_ms = 99999999; /* the broker's clock does not count */
    assert_null(append_by(log, &rules, 1, 10, 51000).rolled);
    assert_null(append_by(log, &rules, 1, 10, 10).rolled);
    assert_string_equal(append_by(log, &rules, 1, 10, 51001).rolled, "time");
    assert_i64_equal(ks_log_segment_at(log, 1)->roll_timestamp, 51001);
    ks_log_free(log);
}

static void without_timestamps_the_segments_age_counts(void **state) { /* LG-9 */
    (void)state;
    ks_log *log = ks_log_new(1000);
    ks_log_append_rules rules = large;
    rules.segment_ms = 1000;
    rules.now_ms = 1000;
    append_by(log, &rules, 1, 10, -1);
    rules.now_ms = 2000;
    assert_null(append_by(log, &rules, 1, 10, -1).rolled);
    rules.now_ms = 2001;
    assert_string_equal(append_by(log, &rules, 1, 10, -1).rolled, "time");
    ks_log_free(log);
}

static ks_log *three_segments(void) { /* of one batch each, timestamps 1000, 2000, 3000 */
    ks_log *log = ks_log_new(0);
    for (int i = 1; i <= 3; i++) {
        if (i > 1) ks_log_roll(log, 0);
        append(log, 2, 100, i * 1000);
    }
    assert_int_equal(ks_log_segment_count(log), 3);
    return log;
}

static int clean(ks_log *log, const ks_log_retention *rules, ks_log_deletion *why) {
    ks_log_segment gone;
    int count = 0;
    while (ks_log_delete_oldest(log, rules, why, &gone)) count++;
    return count;
}

static void old_segments_go_by_their_largest_timestamp(void **state) { /* LG-12, LG-16 */
    (void)state;
    ks_log *log = three_segments();
    ks_log_deletion why;
    ks_log_retention rules = { .deletes = true, .retention_ms = 500, .retention_bytes = -1, .now_ms = 1501 };
    assert_i64_equal(ks_log_retention_due(log, &rules), 1502); /* the second record's timestamp is 1001 */
    assert_int_equal(clean(log, &rules, &why), 0);
    rules.now_ms = 1502;
    assert_int_equal(clean(log, &rules, &why), 1);
    assert_int_equal(why, KS_LOG_BY_TIME);
    assert_i64_equal(ks_log_start_offset(log), 2);
    assert_i64_equal(ks_log_retention_due(log, &rules), 2502);
    ks_log_position position; /* what is left is still found by time */
    assert_true(ks_log_find_time(log, 0, INT64_MAX, &position));
    assert_i64_equal(position.offset, 2);
    ks_log_free(log);
}

static void when_all_segments_are_old_the_active_one_is_rolled_and_goes_too(void **state) { /* LG-15 */
    (void)state;
    ks_log *log = three_segments();
    ks_log_deletion why;
    ks_log_retention rules = { .deletes = true, .retention_ms = 500, .retention_bytes = -1, .now_ms = 90000 };
    assert_int_equal(clean(log, &rules, &why), 3);
    assert_i64_equal(ks_log_start_offset(log), 6);
    assert_i64_equal(ks_log_end_offset(log), 6);
    assert_i64_equal(ks_log_size(log), 0);
    assert_i64_equal(append(log, 1, 10, 95000).base_offset, 6);
    assert_i64_equal(ks_log_retention_due(log, &rules), 95501);
    ks_log_free(log);
}

static void the_greatest_timestamp_is_that_of_what_is_left(void **state) {
    (void)state;
    static const int64_t timestamps[] = { 3000, 1000, 2000 };
    ks_log *log = ks_log_new(0);
    for (int i = 0; i < 3; i++) {
        ks_log_roll(log, 0);
        append(log, 1, 10, timestamps[i]);
    }
    ks_log_deletion why;
    ks_log_segment gone;
    ks_log_position position;
    ks_log_retention rules = { .deletes = true,
                               .retention_ms = -1,
                               .retention_bytes = 2 * ks_log_segment_at(log, 0)->size };
    assert_true(ks_log_delete_oldest(log, &rules, &why, &gone));
    assert_true(ks_log_find_max_timestamp(log, &position));
    assert_i64_equal(position.offset, 2);
    assert_true(ks_log_find_time(log, 500, INT64_MAX, &position));
    assert_i64_equal(position.offset, 1);
    assert_false(ks_log_find_time(log, 2500, INT64_MAX, &position));
    ks_log_free(log);
}

static void old_timestamps_kill_fresh_data_and_future_ones_keep_it(void **state) { /* LG-12 */
    (void)state;
    ks_log *log = ks_log_new(0);
    ks_log_deletion why;
    append(log, 1, 10, 999999999);
    ks_log_retention rules = { .deletes = true, .retention_ms = 500, .retention_bytes = -1, .now_ms = 90000 };
    assert_int_equal(clean(log, &rules, &why), 0);
    ks_log_free(log);
}

static void size_keeps_at_least_the_limit(void **state) { /* LG-13 */
    (void)state;
    ks_log *log = three_segments();
    int64_t one = ks_log_segment_at(log, 0)->size;
    ks_log_deletion why;
    ks_log_retention rules = { .deletes = true, .retention_ms = -1, .retention_bytes = 2 * one + 1, .now_ms = 90000 };
    assert_int_equal(clean(log, &rules, &why), 0);
    assert_i64_equal(ks_log_retention_due(log, &rules), INT64_MAX);
    rules.retention_bytes = 2 * one;
    assert_int_equal(clean(log, &rules, &why), 1);
    assert_int_equal(why, KS_LOG_BY_SIZE);
    rules.retention_bytes = 0;
    assert_int_equal(clean(log, &rules, &why), 2);
    ks_log_free(log);
}

static void nothing_above_the_high_watermark_goes(void **state) { /* LG-11 */
    (void)state;
    ks_log *log = ks_log_new(0);
    append(log, 2, 10, 1);
    ks_log_roll(log, 0);
    append(log, 2, 10, 1);
    ks_log_set_high_watermark(log, 3);
    ks_log_deletion why;
    ks_log_retention rules = { .deletes = true, .retention_ms = 1, .retention_bytes = -1, .now_ms = 90000 };
    assert_int_equal(clean(log, &rules, &why), 1);
    assert_i64_equal(ks_log_start_offset(log), 2);
    ks_log_free(log);
}

static void segments_below_the_log_start_go_whatever_the_policy(void **state) { /* LG-14 */
    (void)state;
    ks_log *log = three_segments();
    ks_log_deletion why;
    ks_log_retention rules = { .deletes = false, .retention_ms = 1, .retention_bytes = 0, .now_ms = 90000 };
    assert_int_equal(clean(log, &rules, &why), 0);
    ks_log_raise_start(log, 3);
    assert_int_equal(clean(log, &rules, &why), 1);
    assert_int_equal(why, KS_LOG_BY_START);
    assert_i64_equal(ks_log_start_offset(log), 3);
    ks_log_raise_start(log, 1); /* never lowered */
    assert_i64_equal(ks_log_start_offset(log), 3);
    ks_log_position position;
    assert_true(ks_log_find_time(log, 0, INT64_MAX, &position));
    assert_i64_equal(position.offset, 3);
    ks_log_free(log);
}

static void leader_epochs_answer_as_the_table_of_kip_101(void **state) {
    (void)state;
    static const struct {
        int32_t asked, epoch;
        int64_t end;
    } rows[] = {
        { 5, 5, 4 }, { 6, -1, -1 }, { 0, 0, 1 }, { 1, 0, 1 }, { 2, 2, 2 }, { 3, 2, 2 }, { 4, 2, 2 }, { -1, -1, -1 },
    };
    ks_log *log = ks_log_new(0);
    static const int32_t epochs[] = { 0, 2, 5, 5 };
    for (int i = 0; i < 4; i++) {
        ks_log_append_rules rules = large;
        rules.leader_epoch = epochs[i];
        append_by(log, &rules, 1, 1, 1);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int32_t epoch;
        int64_t end;
        ks_log_epoch_end(log, rows[i].asked, &epoch, &end);
        if (epoch != rows[i].epoch || end != rows[i].end)
            fail_msg("epoch %d: (%d, %lld)", rows[i].asked, epoch, (long long)end);
    }
    ks_log_raise_start(log, 2); /* epochs 0 and 2 are gone with their records */
    int32_t epoch;
    int64_t end;
    ks_log_epoch_end(log, 0, &epoch, &end);
    assert_int_equal(epoch, 0);
    assert_i64_equal(end, 2);
    assert_int_equal(ks_log_epoch_at(log, 2), 5);
    ks_log_epoch_begins(log, 6);
    ks_log_epoch_begins(log, 7);
    ks_log_epoch_begins(log, 8);
    assert_int_equal(ks_log_latest_epoch(log), 8);
    ks_log_free(log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_empty_log_answers_zero_everywhere, teardown),
        cmocka_unit_test_teardown(a_batch_gets_offset_and_leader_epoch_and_keeps_its_crc, teardown),
        cmocka_unit_test_teardown(log_append_time_overwrites_the_batch_and_its_crc, teardown),
        cmocka_unit_test_teardown(reads_give_whole_batches_as_a_dumb_copy_of_the_log_would, teardown),
        cmocka_unit_test_teardown(a_reader_keeps_its_bytes_when_the_log_goes, teardown),
        cmocka_unit_test_teardown(readable_bytes_count_up_to_the_bound_and_end_with_the_segment, teardown),
        cmocka_unit_test_teardown(a_segment_rolls_by_size_before_the_append, teardown),
        cmocka_unit_test_teardown(a_segment_rolls_by_the_records_time_only, teardown),
        cmocka_unit_test_teardown(without_timestamps_the_segments_age_counts, teardown),
        cmocka_unit_test_teardown(old_segments_go_by_their_largest_timestamp, teardown),
        cmocka_unit_test_teardown(when_all_segments_are_old_the_active_one_is_rolled_and_goes_too, teardown),
        cmocka_unit_test_teardown(the_greatest_timestamp_is_that_of_what_is_left, teardown),
        cmocka_unit_test_teardown(old_timestamps_kill_fresh_data_and_future_ones_keep_it, teardown),
        cmocka_unit_test_teardown(size_keeps_at_least_the_limit, teardown),
        cmocka_unit_test_teardown(nothing_above_the_high_watermark_goes, teardown),
        cmocka_unit_test_teardown(segments_below_the_log_start_go_whatever_the_policy, teardown),
        cmocka_unit_test_teardown(leader_epochs_answer_as_the_table_of_kip_101, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
