/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes into the checks and the reader of record batches, and into every codec. What the broker's check lets pass
 * must be what a slow reader, written apart, finds well-formed, and the fast reader must then find every record. The
 * first byte says whether the checksum is mended first, so that mutations get past it. docs/fuzzing.md says
 * how to run it with libFuzzer.
 */
#include <stdlib.h>

#include "sim/protocol/record_batch.h"

int fuzz_batch(const uint8_t *data, size_t size);

/* ---- the slow reader ---- */

typedef struct slow {
    const uint8_t *p;
    int64_t left;
    bool bad;
} slow;

static int64_t slow_byte(slow *in) {
    if (in->left <= 0) {
        in->bad = true;
        return 0;
    }
    in->left--;
    return *in->p++;
}

static int64_t slow_varint(slow *in, int max_bytes) {
    uint64_t raw = 0;
    for (int i = 0; i < max_bytes; i++) {
        uint64_t byte = (uint64_t)slow_byte(in);
        raw += (byte % 128) * ((uint64_t)1 << (7 * i));
        if (byte < 128 || in->bad) {
            if (max_bytes == 5) raw &= UINT32_MAX;
            return raw % 2 ? -(int64_t)(raw / 2) - 1 : (int64_t)(raw / 2);
        }
    }
    in->bad = true;
    return 0;
}

static void slow_skip(slow *in, int64_t size) {
    for (; size > 0 && !in->bad; size--) slow_byte(in);
}

static void slow_record(slow *in, int64_t index) {
    int64_t length = slow_varint(in, 5);
    if (length < 1 || length > in->left) in->bad = true;
    if (in->bad) return;
    slow record = { in->p, length, false };
    slow_byte(&record);
    slow_varint(&record, 10);
    if (slow_varint(&record, 5) != index) record.bad = true;
    slow_skip(&record, slow_varint(&record, 5));
    slow_skip(&record, slow_varint(&record, 5));
    int64_t headers = slow_varint(&record, 5);
    if (headers < 0) record.bad = true;
    for (; headers > 0 && !record.bad; headers--) {
        int64_t key = slow_varint(&record, 5);
        if (key < 0) record.bad = true;
        slow_skip(&record, key);
        slow_skip(&record, slow_varint(&record, 5));
    }
    if (record.left != 0 || record.bad) in->bad = true;
    slow_skip(in, length);
}

static bool slow_check(const uint8_t *p, int64_t size, int32_t count) {
    slow in = { p, size, false };
    for (int32_t i = 0; i < count && !in.bad; i++) slow_record(&in, i);
    return !in.bad && in.left == 0;
}

/* ---- fast against slow ---- */

static int32_t read_all(ks_bytes records, bool *failed) {
    ks_record_iterator iterator;
    ks_record record;
    int32_t count = 0;
    uint32_t sum = 0;
    ks_records_begin(&iterator, records);
    while (ks_records_next_batch(&iterator)) {
        for (; ks_records_next(&iterator, &record); count++) {
            ks_string key;
            ks_bytes value;
            for (int32_t i = 0; i < record.key.size; i++) sum += record.key.data[i]; /* touch every byte */
            for (int32_t i = 0; i < record.value.size; i++) sum += record.value.data[i];
            while (ks_record_header_next(&record.headers, &key, &value))
                sum += (uint32_t)key.size + (uint32_t)value.size;
        }
    }
    *failed = iterator.failed;
    ks_records_end(&iterator);
    return sum == 1 ? count : count; /* so that the sum is used */
}

static void check_batch(uint8_t *bytes, int32_t size, bool mend) {
    ks_batch_rules rules = { .produce_version = 9, .max_message_bytes = INT32_MAX, .max_decompressed = 1 << 20 };
    ks_batch_header header;
    ks_batch_fault fault;
    ks_bytes records = { bytes, size };
    bool failed;
    int32_t read = read_all(records, &failed);
    if (ks_batch_check_shape(records, &rules, &header, &fault) != KAFKA_OK) {
        ks_assert(fault.text != NULL);
        return;
    }
    int32_t whole = ks_batch_size(&header);
    ks_assert(whole <= size);
    if (mend && whole >= KS_BATCH_HEADER_SIZE) {
        uint32_t crc = ks_batch_crc((ks_bytes){ bytes, whole });
        for (int i = 0; i < 4; i++) bytes[17 + i] = (uint8_t)(crc >> (24 - 8 * i));
        ks_batch_read_header(records, &header);
        read = read_all((ks_bytes){ bytes, whole }, &failed);
    }
    kafka_error error = ks_batch_check_content(records, &rules, &header, &fault);
    ks_assert((error == KAFKA_OK) == (fault.text == NULL));
    bool plain = (header.attributes & KS_ATTRIBUTE_CODEC_MASK) == 0;
    if (plain && error == KAFKA_OK)
        ks_assert(slow_check(bytes + KS_BATCH_HEADER_SIZE, whole - KS_BATCH_HEADER_SIZE, header.record_count));
    if (plain && error == KAFKA_ERR_INVALID_RECORD && header.base_offset == 0 && header.record_count > 0 &&
        header.last_offset_delta == header.record_count - 1 && !(header.attributes & KS_ATTRIBUTE_CONTROL) &&
        (header.producer_id < 0 || header.base_sequence >= 0))
        ks_assert(!slow_check(bytes + KS_BATCH_HEADER_SIZE, whole - KS_BATCH_HEADER_SIZE, header.record_count));
    if (error == KAFKA_OK) ks_assert(!failed && read >= header.record_count);
}

int fuzz_batch(const uint8_t *data, size_t size) {
    if (size < 1 || size > 1 << 20) return 0;
    uint8_t *bytes = malloc(size); /* of the exact size: the sanitizer guards its end */
    int32_t count = (int32_t)size - 1;
    for (int32_t i = 0; i < count; i++) bytes[i] = data[i + 1];
    if (data[0] & 2) {
        ks_buffer out = { 0 };
        ks_decompress((ks_codec)(data[0] >> 2 & 7), (ks_bytes){ bytes, count }, 1 << 16, &out);
        ks_assert(out.size <= 1 << 16);
        ks_buffer_deinit(&out);
    } else {
        check_batch(bytes, count, data[0] & 1);
    }
    free(bytes);
    return 0;
}

#ifdef KS_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_batch(data, size); }
#endif
