/* SPDX-License-Identifier: Apache-2.0
 * Record batches against those of real clients, and against what a broker must refuse, with which error. */
#include "tests/protocol/legacy.h"
#include "tests/protocol/vectors.h"

#include "sim/protocol/error.h"
#include "sim/protocol/record_batch.h"

static ks_batch_rules producer_rules(void) {
    return (ks_batch_rules){ .produce_version = 9,
                             .max_message_bytes = 1048588,
                             .create_time = true,
                             .now_ms = 1798761600000,
                             .before_max_ms = INT64_MAX,
                             .after_max_ms = 3600000 };
}

static kafka_error check(ks_bytes records, const ks_batch_rules *rules, ks_batch_fault *fault) {
    ks_batch_header header;
    kafka_error error = ks_batch_check_shape(records, rules, &header, fault);
    return error != KAFKA_OK ? error : ks_batch_check_content(records, rules, &header, fault);
}

/* ---- vectors ---- */

static void compare_header(const ks_batch_header *got, const json_t *expected, const char *id) {
    assert_vector(got->base_offset == number_of(expected, "baseOffset"), id);
    assert_vector(got->length == number_of(expected, "batchLength"), id);
    assert_vector(got->leader_epoch == number_of(expected, "partitionLeaderEpoch"), id);
    assert_vector(got->magic == number_of(expected, "magic"), id);
    assert_vector(got->crc == strtoul(text_of(expected, "crc"), NULL, 16), id);
    assert_vector(got->attributes == number_of(expected, "attributes"), id);
    assert_vector(got->last_offset_delta == number_of(expected, "lastOffsetDelta"), id);
    assert_vector(got->base_timestamp == number_of(expected, "baseTimestamp"), id);
    assert_vector(got->max_timestamp == number_of(expected, "maxTimestamp"), id);
    assert_vector(got->producer_id == number_of(expected, "producerId"), id);
    assert_vector(got->producer_epoch == number_of(expected, "producerEpoch"), id);
    assert_vector(got->base_sequence == number_of(expected, "baseSequence"), id);
    assert_vector(got->record_count == number_of(expected, "recordCount"), id);
}

static void compare_record(const ks_record *got, const json_t *expected, ks_arena *arena, const char *id) {
    assert_vector(got->offset == number_of(expected, "offset"), id);
    assert_vector(got->timestamp_ms == number_of(expected, "timestamp"), id);
    assert_bytes(got->key, unhex(arena, json_object_get(expected, "key")), id, "key");
    assert_bytes(got->value, unhex(arena, json_object_get(expected, "value")), id, "value");
    json_t *headers = json_object_get(expected, "headers");
    assert_vector((size_t)got->header_count == json_array_size(headers), id);
    ks_bytes rest = got->headers, value;
    for (int32_t i = 0; i < got->header_count; i++) {
        ks_string key;
        json_t *pair = json_array_get(headers, (size_t)i);
        assert_vector(ks_record_header_next(&rest, &key, &value), id);
        assert_vector(ks_string_equal(key, ks_str(json_string_value(json_array_get(pair, 0)))), id);
        assert_bytes(value, unhex(arena, json_array_get(pair, 1)), id, "header's value");
    }
    assert_vector(!ks_record_header_next(&rest, &(ks_string){ 0 }, &value), id);
}

static void compare_batch(ks_bytes batch, const json_t *records, ks_arena *arena, const char *id) {
    ks_record_iterator iterator;
    ks_record record;
    ks_records_begin(&iterator, batch);
    assert_vector(ks_records_next_batch(&iterator), id);
    for (size_t i = 0; i < json_array_size(records); i++) {
        assert_vector(ks_records_next(&iterator, &record), id);
        compare_record(&record, json_array_get(records, i), arena, id);
    }
    assert_vector(!ks_records_next(&iterator, &record) && !iterator.failed, id);
    assert_vector(!ks_records_next_batch(&iterator) && !iterator.failed, id);
    ks_records_end(&iterator);
}

/* The same records once more, by our builder. */
static ks_bytes rebuild(ks_batch_builder *builder, ks_bytes batch, const ks_batch_header *header) {
    ks_record_iterator iterator;
    ks_record record;
    ks_batch_begin_like(builder, header);
    ks_records_begin(&iterator, batch);
    ks_records_next_batch(&iterator);
    while (ks_records_next(&iterator, &record)) {
        ks_record_header_in headers[16];
        assert_true(record.header_count <= 16);
        for (int32_t i = 0; i < record.header_count; i++)
            ks_record_header_next(&record.headers, &headers[i].key, &headers[i].value);
        int64_t timestamp = record.timestamp_ms;
        if (header->attributes &
            KS_ATTRIBUTE_LOG_APPEND_TIME) /* what a consumer cannot see is 0 and 1 ms in the vectors */
            timestamp = header->base_timestamp + record.offset - header->base_offset;
        ks_batch_add_at(builder, (int32_t)(record.offset - header->base_offset), record.key, record.value, headers,
                        record.header_count, timestamp);
    }
    ks_records_end(&iterator);
    return ks_batch_finish(builder);
}

static void check_batch_v2(const json_t *line, ks_bytes batch, ks_arena *arena) {
    const char *id = text_of(line, "id");
    ks_batch_header header, again;
    assert_vector(ks_batch_read_header(batch, &header), id);
    compare_header(&header, json_object_get(line, "header"), id);
    assert_vector(header.crc == ks_batch_crc(batch), id);
    assert_vector(ks_batch_size(&header) == batch.size, id);
    assert_string_equal(ks_codec_name((ks_codec)(header.attributes & 7)),
                        strcmp(text_of(line, "codec"), "none") == 0 ? "uncompressed" : text_of(line, "codec"));
    compare_batch(batch, json_object_get(line, "records"), arena, id);

    ks_batch_builder builder = { .raw_snappy = strcmp(text_of(line, "framing"), "raw") == 0 };
    ks_bytes built = rebuild(&builder, batch, &header);
    if ((header.attributes & 7) == 0) {
        assert_bytes(built, batch, id, "encoding");
    } else { /* libraries differ in their bytes: what is inside must not */
        compare_batch(built, json_object_get(line, "records"), arena, id);
        ks_batch_read_header(built, &again);
        header.length = again.length;
        header.crc = again.crc;
        assert_vector(memcmp(&header.attributes, &again.attributes, sizeof header.attributes) == 0, id);
        assert_vector(header.max_timestamp == again.max_timestamp && header.record_count == again.record_count, id);
        assert_vector(again.crc == ks_batch_crc(built), id);
    }
    ks_batch_builder_deinit(&builder);
}

static void check_append(const json_t *line, ks_bytes batch) {
    json_t *any = json_object_get(line, "append_any_of"), *one;
    ks_batch_rules rules = producer_rules();
    ks_batch_fault fault;
    if (!json_is_string(json_object_get(line, "append"))) return; /* not a producer's batch */
    const char *got = kafka_error_name(check(batch, &rules, &fault));
    bool right = strcmp(got, text_of(line, "append")) == 0;
    size_t i;
    json_array_foreach(any, i, one) right = right || strcmp(got, json_string_value(one)) == 0;
    if (!right) fail_msg("%s: append answers %s, not %s", text_of(line, "id"), got, text_of(line, "append"));
    if (strcmp(got, "NONE") != 0) assert_non_null(fault.text);
}

static void check_record_set(const json_t *line, ks_bytes bytes) {
    ks_record_iterator iterator;
    ks_record record;
    json_t *offsets = json_object_get(line, "offsets");
    size_t batches = 0, records = 0;
    ks_records_begin(&iterator, bytes);
    for (; ks_records_next_batch(&iterator); batches++)
        while (ks_records_next(&iterator, &record))
            assert_i64_equal(record.offset, json_integer_value(json_array_get(offsets, records++)));
    assert_false(iterator.failed);
    assert_i64_equal(bytes.size - iterator.rest.size, number_of(line, "whole_bytes"));
    assert_i64_equal(batches, number_of(line, "whole_batches"));
    assert_i64_equal(records, json_array_size(offsets));
    ks_records_end(&iterator);
}

static void batches_of_real_clients_are_read_built_and_judged_as_by_kafka(void **state) {
    int line_number = 0;
    FILE *file = ks_vectors_open("record_batches.jsonl");
    if (file == NULL) return;
    for (json_t *line; (line = ks_vectors_next_json(file, "record_batches.jsonl", &line_number)) != NULL;
         json_decref(line)) {
        ks_arena *arena = ks_arena_new();
        ks_bytes bytes = unhex(arena, json_object_get(line, "hex"));
        if (json_object_get(line, "header") != NULL) check_batch_v2(line, bytes, arena);
        if (json_object_get(line, "messages") != NULL)
            check_legacy(json_object_get(line, "messages"), bytes, arena, text_of(line, "id"));
        if (json_object_get(line, "offsets") != NULL) check_record_set(line, bytes);
        check_append(line, bytes);
        ks_arena_free(arena);
    }
    fclose(file);
    assert_true(line_number >= 120);
}

/* A reader trusts no record either: one that claims more bytes than its fields take ends the batch with an error. */
static void a_reader_stops_at_a_malformed_record(void **state) {
    static const struct {
        const char *records;
        int32_t size;
    } malformed[] = {
        { "\x0e\0\0\0\1\1\0\0", 8 }, /* slack */
        { "\x0e\0\0\0\1\1\0", 7 },    /* a length past the end */
        { "\x0c\0\0\0\1\1\1", 7 },    /* -1 headers */
        { "\x0c\0\0\0\4\1\0", 7 },    /* a key longer than the record */
    };
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        ks_batch_builder builder = { 0 };
        ks_batch_begin(&builder, KS_CODEC_NONE);
        ks_batch_add(&builder, KS_NULL_BYTES, KS_NULL_BYTES, NULL, 0, 0);
        builder.bytes.size = KS_BATCH_HEADER_SIZE;
        ks_buffer_append(&builder.bytes, malformed[i].records, (size_t)malformed[i].size);
        ks_record_iterator iterator;
        ks_record record;
        ks_records_begin(&iterator, ks_batch_finish(&builder));
        assert_true(ks_records_next_batch(&iterator));
        assert_false(ks_records_next(&iterator, &record));
        assert_true(iterator.failed);
        assert_int_equal(iterator.error, KAFKA_ERR_CORRUPT_MESSAGE);
        assert_false(ks_records_next_batch(&iterator));
        ks_records_end(&iterator);
        ks_batch_builder_deinit(&builder);
    }
}

/* ---- building ---- */

static ks_bytes bytes_of(const char *text) { return (ks_bytes){ (const uint8_t *)text, (int32_t)strlen(text) }; }

static ks_bytes build(ks_batch_builder *builder, ks_codec codec, int32_t count) {
    ks_batch_begin(builder, codec);
    for (int32_t i = 0; i < count; i++) {
        char key[16], value[200];
        snprintf(key, sizeof key, "k%d", (int)i);
        memset(value, 'a' + i % 26, sizeof value);
        ks_batch_add(builder, bytes_of(key), (ks_bytes){ (uint8_t *)value, i % 200 }, NULL, 0, 1798761600000 + i);
    }
    return ks_batch_finish(builder);
}

static void what_is_built_passes_the_check_in_every_codec(void **state) {
    ks_batch_builder builder = { 0 };
    ks_batch_rules rules = producer_rules();
    ks_batch_fault fault;
    for (int raw = 0; raw <= 1; raw++) {
        for (ks_codec codec = KS_CODEC_NONE; codec < KS_CODEC_COUNT; codec++) {
            builder.raw_snappy = raw;
            ks_bytes batch = build(&builder, codec, 1000);
            assert_int_equal(check(batch, &rules, &fault), KAFKA_OK);
            assert_true(codec == KS_CODEC_NONE || batch.size < 60000);
            ks_record_iterator iterator;
            ks_record record;
            ks_records_begin(&iterator, batch);
            assert_true(ks_records_next_batch(&iterator));
            assert_int_equal(iterator.header.base_timestamp, 1798761600000);
            assert_int_equal(iterator.header.max_timestamp, 1798761600999);
            int32_t count = 0;
            for (; ks_records_next(&iterator, &record); count++) {
                assert_i64_equal(record.offset, count);
                assert_i64_equal(record.timestamp_ms, 1798761600000 + count);
                assert_int_equal(record.value.size, count % 200);
            }
            assert_int_equal(count, 1000);
            ks_records_end(&iterator);
        }
    }
    ks_batch_builder_deinit(&builder);
}

static void a_record_takes_as_many_bytes_as_foretold(void **state) {
    ks_batch_builder builder = { 0 };
    ks_record_header_in headers[] = { { KS_LITERAL("event-type"), bytes_of("click") },
                                      { KS_LITERAL(""), KS_NULL_BYTES } };
    ks_batch_begin(&builder, KS_CODEC_NONE);
    int32_t expected = KS_BATCH_HEADER_SIZE;
    char value[9000];
    memset(value, 'v', sizeof value);
    for (int32_t i = 0; i < 300; i++) {
        ks_bytes key = i % 3 == 0 ? KS_NULL_BYTES : bytes_of("key"), tail = { (uint8_t *)value, i * 30 };
        ks_batch_add(&builder, key, tail, headers, i % 3, 1000 - i * 7);
        expected += ks_record_size(i, -i * 7, key, tail, headers, i % 3);
    }
    assert_int_equal(ks_batch_finish(&builder).size, expected);
    ks_batch_builder_deinit(&builder);
}

/* Sizes on both sides of where the lengths take a byte more. */
static void what_is_written_in_place_is_what_is_copied(void **state) {
    (void)state;
    static const int32_t sizes[] = { 0, 1, 20, 40, 63, 64, 200, 8191, 8192, 19999 };
    static uint8_t bytes[20010];
    ks_batch_builder copied = { 0 }, placed = { 0 };
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7);
    ks_batch_begin(&copied, KS_CODEC_NONE);
    ks_batch_begin(&placed, KS_CODEC_NONE);
    for (int32_t i = 0; i < 300; i++) {
        int32_t key = sizes[i % 10], value = sizes[(i + i / 10) % 10];
        int64_t time = 1000 + i % 3 * 100 - i; /* earlier than the first one, too */
        ks_batch_add(&copied, (ks_bytes){ bytes, key }, (ks_bytes){ bytes + 1, value }, NULL, 0, time);
        ks_batch_room room = ks_batch_add_room(&placed, key, value, time);
        memcpy(room.key, bytes, (size_t)key);
        memcpy(room.value, bytes + 1, (size_t)value);
        int32_t times = i % 4, added = placed.count <= 64 && times > 64 - placed.count ? 64 - placed.count : times; /* 64 needs two bytes */
        assert_int_equal(ks_batch_repeat(&placed, &room, times), added);
        for (int32_t k = 1; k <= added; k++) {
            memcpy(room.key + room.size * (size_t)k, bytes + 2 + k, (size_t)key);
            ks_batch_add(&copied, (ks_bytes){ bytes + 2 + k, key }, (ks_bytes){ bytes + 1, value }, NULL, 0, time);
        }
    }
    ks_bytes a = ks_batch_finish(&copied), b = ks_batch_finish(&placed);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, (size_t)a.size);
    ks_batch_builder_deinit(&copied);
    ks_batch_builder_deinit(&placed);
}

static void a_batch_of_a_block_lives_on_its_own(void **state) {
    ks_batch_builder builder = { 0 };
    ks_bytes batch;
    ks_batch_begin(&builder, KS_CODEC_LZ4);
    ks_batch_add(&builder, KS_NULL_BYTES, bytes_of("value"), NULL, 0, 5);
    ks_block *block = ks_batch_finish_block(&builder, &batch);
    ks_batch_builder_deinit(&builder);
    ks_record_iterator iterator;
    ks_record record;
    ks_records_begin(&iterator, batch);
    assert_true(ks_records_next_batch(&iterator) && ks_records_next(&iterator, &record));
    ks_block *unpacked = ks_block_hold(iterator.block);
    ks_records_end(&iterator);
    ks_block_release(block);
    assert_true(ks_bytes_equal(record.value, bytes_of("value"))); /* a view into the held block */
    ks_block_release(unpacked);
}

static void what_a_leader_sets_leaves_a_right_checksum(void **state) {
    ks_batch_builder builder = { 0 };
    ks_batch_header header;
    ks_bytes batch;
    build(&builder, KS_CODEC_NONE, 3);
    ks_block *block = ks_batch_finish_block(&builder, &batch);
    ks_batch_set_base_offset(block->data, 4711, 9);
    ks_batch_set_log_append_time(block->data, 1234);
    ks_batch_read_header(batch, &header);
    assert_i64_equal(header.base_offset, 4711);
    assert_i64_equal(ks_batch_last_offset(&header), 4713);
    assert_int_equal(header.leader_epoch, 9);
    assert_int_equal(header.crc, ks_batch_crc(batch));
    ks_record_iterator iterator;
    ks_record record;
    ks_records_begin(&iterator, batch);
    ks_records_next_batch(&iterator);
    assert_true(ks_records_next(&iterator, &record));
    assert_i64_equal(record.timestamp_ms, 1234);
    assert_i64_equal(record.offset, 4711);
    ks_records_end(&iterator);
    ks_batch_set_max_timestamp(block->data, 99);
    ks_batch_read_header(batch, &header);
    assert_int_equal(header.attributes, 0);
    assert_int_equal(header.crc, ks_batch_crc(batch));
    ks_block_release(block);
    ks_batch_builder_deinit(&builder);
}

/* ---- the order of the checks: a batch with every fault, mended one by one ---- */

static void set(ks_block *block, int32_t at, int32_t size, int64_t value) {
    for (int32_t i = 0; i < size; i++) block->data[at + i] = (uint8_t)((uint64_t)value >> (8 * (size - 1 - i)));
}

static void faults_are_found_in_kafkas_order(void **state) {
    ks_batch_builder builder = { 0 };
    ks_batch_rules rules = producer_rules();
    ks_batch_fault fault;
    ks_bytes batch;
    rules.produce_version = 6;
    rules.max_message_bytes = 10;
    rules.compacted = true;
    ks_batch_begin(&builder, KS_CODEC_NONE);
    for (int i = 0; i < 12; i++)
        ks_batch_add(&builder, i == 3 ? bytes_of("k") : KS_NULL_BYTES, bytes_of("v"), NULL, 0,
                     1798761600000 + i * 3600000);
    ks_block *block = ks_batch_finish_block(&builder, &batch);
    uint32_t crc = ks_batch_crc(batch);
    int32_t length = batch.size - 12;
    set(block, 0, 8, 5);  /* base offset */
    set(block, 8, 4, 13); /* length */
    set(block, 16, 1, 3); /* magic */
    set(block, 21, 2, KS_CODEC_ZSTD | KS_ATTRIBUTE_CONTROL);
    set(block, 23, 4, -1); /* last offset delta */
    assert_int_equal(check(batch, &rules, &fault), KAFKA_ERR_CORRUPT_MESSAGE);
    set(block, 8, 4, length + 1);
    assert_int_equal(check(batch, &rules, &fault), KAFKA_ERR_CORRUPT_MESSAGE); /* the magic, although it is not whole */
    set(block, 16, 1, 1);
    assert_int_equal(check(batch, &rules, &fault), KAFKA_ERR_INVALID_RECORD); /* not whole */
    set(block, 8, 4, length);
    assert_int_equal(check(batch, &rules, &fault), KAFKA_ERR_INVALID_RECORD); /* magic 1 */
    set(block, 16, 1, 2);
    assert_int_equal(check(batch, &rules, &fault), KAFKA_ERR_UNSUPPORTED_COMPRESSION_TYPE);
    rules.produce_version = 7;
    assert_int_equal(check(batch, &rules, &fault), KAFKA_ERR_INVALID_RECORD); /* base offset */
    set(block, 0, 8, 0);
    assert_int_equal(check(batch, &rules, &fault), KAFKA_ERR_MESSAGE_TOO_LARGE);
    rules.max_message_bytes = batch.size;
    assert_int_equal(check(batch, &rules, &fault), KAFKA_ERR_CORRUPT_MESSAGE);
    set(block, 17, 4, ks_batch_crc(batch));
    assert_int_equal(check(batch, &rules, &fault), KAFKA_ERR_INVALID_RECORD); /* last offset delta */
    set(block, 23, 4, 11);
    set(block, 17, 4, ks_batch_crc(batch));
    assert_int_equal(check(batch, &rules, &fault), KAFKA_ERR_INVALID_RECORD); /* control */
    set(block, 21, 2, KS_CODEC_ZSTD);
    set(block, 17, 4, ks_batch_crc(batch));
    assert_int_equal(check(batch, &rules, &fault), KAFKA_ERR_UNKNOWN_SERVER_ERROR);
    set(block, 21, 2, 0);
    set(block, 17, 4, ks_batch_crc(batch));
    assert_int_equal(ks_batch_crc(batch), crc);
    assert_int_equal(check(batch, &rules, &fault), KAFKA_ERR_INVALID_RECORD); /* no key */
    assert_int_equal(fault.record_index_count, 11);
    assert_int_equal(fault.record_indexes[2], 2);
    assert_int_equal(fault.record_indexes[3], 4);
    rules.compacted = false;
    assert_int_equal(check(batch, &rules, &fault), KAFKA_ERR_INVALID_TIMESTAMP);
    assert_int_equal(fault.record_index_count, 10);
    assert_int_equal(fault.record_indexes[0], 2); /* two hours ahead; one hour is allowed */
    rules.create_time = false;
    assert_int_equal(check(batch, &rules, &fault), KAFKA_OK);
    assert_null(fault.text);
    ks_block_release(block);
    ks_batch_builder_deinit(&builder);
}

static void timestamps_that_are_too_old_are_refused(void **state) {
    ks_batch_builder builder = { 0 };
    ks_batch_rules rules = producer_rules();
    ks_batch_fault fault;
    rules.before_max_ms = 1000;
    ks_batch_begin(&builder, KS_CODEC_NONE);
    ks_batch_add(&builder, KS_NULL_BYTES, bytes_of("v"), NULL, 0, rules.now_ms - 1000);
    ks_batch_add(&builder, KS_NULL_BYTES, bytes_of("v"), NULL, 0, -1); /* none */
    assert_int_equal(check(ks_batch_finish(&builder), &rules, &fault), KAFKA_OK);
    rules.now_ms++;
    assert_int_equal(check(ks_batch_finish(&builder), &rules, &fault), KAFKA_ERR_INVALID_TIMESTAMP);
    assert_int_equal(fault.record_index_count, 1);
    ks_batch_builder_deinit(&builder);
}

static void a_cut_batch_behind_a_whole_one_is_passed_over(void **state) {
    ks_batch_builder builder = { 0 };
    ks_batch_rules rules = producer_rules();
    ks_batch_fault fault;
    ks_bytes batch = build(&builder, KS_CODEC_NONE, 2);
    ks_buffer two = { 0 };
    ks_buffer_append(&two, batch.data, (size_t)batch.size);
    ks_buffer_append(&two, batch.data, (size_t)batch.size - 1);
    assert_int_equal(check((ks_bytes){ two.data, (int32_t)two.size }, &rules, &fault), KAFKA_OK);
    ks_buffer_append(&two, "x", 1);
    assert_int_equal(check((ks_bytes){ two.data, (int32_t)two.size }, &rules, &fault), KAFKA_ERR_INVALID_RECORD);
    ks_buffer_deinit(&two);
    ks_batch_builder_deinit(&builder);
}

/* ---- codecs ---- */

static void unpacking_stops_at_its_limit(void **state) {
    ks_buffer plain = { 0 }, packed = { 0 }, out = { 0 };
    for (int i = 0; i < 100000; i++) ks_buffer_text(&plain, "kafka");
    for (int raw = 0; raw <= 1; raw++) {
        for (ks_codec codec = KS_CODEC_NONE; codec < KS_CODEC_COUNT; codec++) {
            ks_buffer_clear(&packed);
            ks_compress(codec, (ks_bytes){ plain.data, (int32_t)plain.size }, 0, raw, &packed);
            ks_bytes in = { packed.data, (int32_t)packed.size };
            ks_buffer_clear(&out);
            assert_false(ks_decompress(codec, in, (int32_t)plain.size - 1, &out));
            assert_true(out.capacity < 2 * plain.size + 100);
            ks_buffer_clear(&out);
            assert_true(ks_decompress(codec, in, (int32_t)plain.size, &out));
            assert_int_equal(out.size, plain.size);
            assert_memory_equal(out.data, plain.data, plain.size);
            if (codec == KS_CODEC_NONE) continue;
            for (int32_t cut = 1; cut < in.size; cut += in.size / 9 + 1) { /* cut short anywhere: an error */
                ks_buffer_clear(&out);
                bool whole_chunks = codec == KS_CODEC_SNAPPY && !raw && cut <= 16; /* xerial has no end mark */
                if (!whole_chunks &&
                    ks_decompress(codec, (ks_bytes){ in.data, in.size - cut }, (int32_t)plain.size, &out))
                    assert_int_not_equal(out.size, plain.size);
            }
        }
    }
    ks_buffer_deinit(&plain);
    ks_buffer_deinit(&packed);
    ks_buffer_deinit(&out);
}

static void empty_input_is_packed_and_unpacked(void **state) {
    ks_buffer packed = { 0 }, out = { 0 };
    for (ks_codec codec = KS_CODEC_NONE; codec < KS_CODEC_COUNT; codec++) {
        ks_buffer_clear(&packed);
        ks_compress(codec, (ks_bytes){ (const uint8_t *)"", 0 }, 0, false, &packed);
        assert_true(ks_decompress(codec, (ks_bytes){ packed.data, (int32_t)packed.size }, 0, &out));
        assert_int_equal(out.size, 0);
    }
    ks_buffer_deinit(&packed);
    ks_buffer_deinit(&out);
}

static void a_bomb_is_refused_as_too_large(void **state) {
    ks_batch_builder builder = { 0 };
    ks_batch_rules rules = producer_rules();
    ks_batch_fault fault;
    ks_buffer zeros = { 0 };
    ks_buffer_reserve(&zeros, 1 << 20);
    memset(zeros.data, 0, 1 << 20);
    rules.max_decompressed = 1 << 18;
    for (ks_codec codec = KS_CODEC_GZIP; codec < KS_CODEC_COUNT; codec++) {
        ks_batch_begin(&builder, codec);
        ks_batch_add(&builder, KS_NULL_BYTES, (ks_bytes){ zeros.data, 1 << 20 }, NULL, 0, -1);
        assert_int_equal(check(ks_batch_finish(&builder), &rules, &fault), KAFKA_ERR_MESSAGE_TOO_LARGE);
    }
    ks_buffer_deinit(&zeros);
    ks_batch_builder_deinit(&builder);
}

static void the_codec_libraries_tell_their_versions(void **state) {
    const char *versions = ks_codec_versions();
    assert_non_null(strstr(versions, "zlib 1."));
    assert_non_null(strstr(versions, " snappy 1."));
    assert_non_null(strstr(versions, " lz4 1."));
    assert_non_null(strstr(versions, " zstd 1."));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_of_real_clients_are_read_built_and_judged_as_by_kafka),
        cmocka_unit_test(a_reader_stops_at_a_malformed_record),
        cmocka_unit_test(what_is_built_passes_the_check_in_every_codec),
        cmocka_unit_test(a_record_takes_as_many_bytes_as_foretold),
        cmocka_unit_test(what_is_written_in_place_is_what_is_copied),
        cmocka_unit_test(a_batch_of_a_block_lives_on_its_own),
        cmocka_unit_test(what_a_leader_sets_leaves_a_right_checksum),
        cmocka_unit_test(faults_are_found_in_kafkas_order),
        cmocka_unit_test(timestamps_that_are_too_old_are_refused),
        cmocka_unit_test(a_cut_batch_behind_a_whole_one_is_passed_over),
        cmocka_unit_test(unpacking_stops_at_its_limit),
        cmocka_unit_test(empty_input_is_packed_and_unpacked),
        cmocka_unit_test(a_bomb_is_refused_as_too_large),
        cmocka_unit_test(the_codec_libraries_tell_their_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
