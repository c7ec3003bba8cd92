/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking the records of batches, as a consumer does (Kafka's DefaultRecordBatch.iterator). Nothing is copied but what
 * a codec unpacks.
 */
#include "sim/protocol/compression.h"
#include "sim/protocol/record_parse.h"

void ks_records_begin(ks_record_iterator *iterator, ks_bytes records) {
    *iterator = (ks_record_iterator){ .rest = records };
}

void ks_records_end(ks_record_iterator *iterator) {
    ks_block_release(iterator->block);
    iterator->block = NULL;
    iterator->left = 0;
}

static bool fail(ks_record_iterator *iterator, kafka_error error) {
    ks_records_end(iterator);
    iterator->failed = true;
    iterator->error = error;
    return false;
}

static kafka_error error_of(ks_unpacked unpacked) {
    return unpacked == KS_UNPACK_TOO_LARGE ? KAFKA_ERR_MESSAGE_TOO_LARGE : KAFKA_ERR_CORRUPT_MESSAGE;
}

static bool unpack(ks_record_iterator *iterator, ks_codec codec) {
    ks_buffer out = { 0 };
    ks_unpacked unpacked = ks_unpack(codec, iterator->records, KS_MAX_DECOMPRESSED, &out);
    if (unpacked == KS_UNPACKED) {
        iterator->block = ks_block_new((int32_t)out.size);
        if (out.size > 0) memcpy(iterator->block->data, out.data, out.size);
        iterator->records = (ks_bytes){ iterator->block->data, (int32_t)out.size };
    }
    ks_buffer_deinit(&out);
    return unpacked == KS_UNPACKED || fail(iterator, error_of(unpacked));
}

bool ks_records_next_batch(ks_record_iterator *iterator) {
    ks_records_end(iterator);
    if (iterator->failed || !ks_batch_read_header(iterator->rest, &iterator->header)) return false;
    const ks_batch_header *header = &iterator->header;
    if (header->magic != 2 || header->length < KS_BATCH_HEADER_SIZE - 12)
        return fail(iterator, KAFKA_ERR_CORRUPT_MESSAGE);
    if (header->length > iterator->rest.size - 12) return false; /* a fetch may end in a cut batch */
    if (header->record_count < 0) return fail(iterator, KAFKA_ERR_CORRUPT_MESSAGE);

    int32_t size = ks_batch_size(header);
    iterator->records = (ks_bytes){ iterator->rest.data + KS_BATCH_HEADER_SIZE, size - KS_BATCH_HEADER_SIZE };
    iterator->rest.data += size;
    iterator->rest.size -= size;
    ks_codec codec = (ks_codec)(header->attributes & KS_ATTRIBUTE_CODEC_MASK);
    if (codec != KS_CODEC_NONE && header->record_count > 0 && !unpack(iterator, codec)) return false;
    iterator->left = header->record_count;
    return true;
}

bool ks_records_next(ks_record_iterator *iterator, ks_record *record) {
    if (iterator->left <= 0) return false;
    const ks_batch_header *header = &iterator->header;
    const uint8_t *at = iterator->records.data, *end = at + iterator->records.size;
    ks_parsed_record parsed;
    const uint8_t *next = ks_parse_record(at, end, &parsed);
    if (next == NULL) return fail(iterator, KAFKA_ERR_CORRUPT_MESSAGE);

    iterator->records = (ks_bytes){ next, (int32_t)(end - next) };
    iterator->left--;
    record->offset = (int64_t)((uint64_t)header->base_offset + (uint64_t)(int64_t)parsed.offset_delta);
    record->timestamp_ms = header->attributes & KS_ATTRIBUTE_LOG_APPEND_TIME
                               ? header->max_timestamp
                               : (int64_t)((uint64_t)header->base_timestamp + (uint64_t)parsed.timestamp_delta);
    record->key = parsed.key;
    record->value = parsed.value;
    record->header_count = parsed.header_count;
    record->headers = parsed.headers;
    return true;
}

bool ks_record_header_next(ks_bytes *headers, ks_string *key, ks_bytes *value) {
    if (headers->size <= 0) return false;
    const uint8_t *p = headers->data, *end = p + headers->size;
    ks_bytes name;
    p = ks_parse_bytes(p, end, &name);
    p = p != NULL ? ks_parse_bytes(p, end, value) : NULL;
    if (p == NULL || name.size < 0) {
        *headers = (ks_bytes){ end, 0 };
        return false;
    }
    *key = (ks_string){ (const char *)name.data, name.size };
    *headers = (ks_bytes){ p, (int32_t)(end - p) };
    return true;
}
