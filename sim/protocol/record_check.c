/* SPDX-License-Identifier: Apache-2.0
 *
 * What a broker checks before it appends a client's batch, in Kafka's order (wire-protocol.md 3.3; Kafka's
 * ProduceRequest.validateRecords, UnifiedLog.analyzeAndValidateRecords, LogValidator). Bytes of a batch that is refused
 * change nothing.
 *
 * Stricter than Kafka in one point: the records' offset deltas must be 0, 1, 2 ... (Kafka lets other ones pass in
 * uncompressed batches), so that offsets in a log rise whoever has written it.
 */
#include "sim/protocol/compression.h"
#include "sim/protocol/record_parse.h"

enum {
    LOG_OVERHEAD = 12, /* base offset and length field */
    MAGIC_OFFSET = 16,
    SMALLEST_LEGACY_LENGTH = 14,
    SMALLEST_RECORD = 7 /* WR-52: the length varint and six fields of a byte */
};

static kafka_error refuse(ks_batch_fault *fault, kafka_error error, const char *text) {
    fault->text = text;
    return error;
}

/* ---- rows 2 to 4: the shape ---- */

/* Where the first batch of `records` ends. 0: there is no whole one. CORRUPT_MESSAGE: not even its frame makes sense.
 */
static kafka_error first_batch(ks_bytes records, int32_t *size, ks_batch_fault *fault) {
    *size = 0;
    if (records.size <= MAGIC_OFFSET) return KAFKA_OK;
    int32_t length = ks_load_i32(records.data + 8);
    int8_t magic = (int8_t)records.data[MAGIC_OFFSET];
    if (length < SMALLEST_LEGACY_LENGTH)
        return refuse(fault, KAFKA_ERR_CORRUPT_MESSAGE, "Record size is smaller than the smallest possible record.");
    if (magic < 0 || magic > 2) return refuse(fault, KAFKA_ERR_CORRUPT_MESSAGE, "Invalid magic found in record.");
    if (length <= records.size - LOG_OVERHEAD) *size = length + LOG_OVERHEAD;
    return KAFKA_OK;
}

/* The header of a batch that is whole, but may be too short to be one of magic 2 (row 8 says so later). */
static void read_header(ks_bytes batch, ks_batch_header *header) {
    uint8_t padded[KS_BATCH_HEADER_SIZE] = { 0 };
    size_t size = batch.size < KS_BATCH_HEADER_SIZE ? (size_t)batch.size : KS_BATCH_HEADER_SIZE;
    memcpy(padded, batch.data, size);
    ks_batch_read_header((ks_bytes){ padded, KS_BATCH_HEADER_SIZE }, header);
}

kafka_error ks_batch_check_shape(ks_bytes records, const ks_batch_rules *rules, ks_batch_header *header,
                                 ks_batch_fault *fault) {
    int32_t size, second;
    *fault = (ks_batch_fault){ 0 };
    kafka_error error = first_batch(records, &size, fault);
    if (error != KAFKA_OK) return error;
    if (size == 0) return refuse(fault, KAFKA_ERR_INVALID_RECORD, "Produce requests must carry a whole record batch.");
    read_header((ks_bytes){ records.data, size }, header);
    if (header->magic != 2)
        return refuse(fault, KAFKA_ERR_INVALID_RECORD,
                      "Produce requests must carry record batches of magic version 2.");
    error = first_batch((ks_bytes){ records.data + size, records.size - size }, &second, fault);
    if (error != KAFKA_OK) return error;
    if (second != 0)
        return refuse(fault, KAFKA_ERR_INVALID_RECORD,
                      "Produce requests must carry exactly one record batch per partition.");
    if ((header->attributes & KS_ATTRIBUTE_CODEC_MASK) == KS_CODEC_ZSTD && rules->produce_version < 7)
        return refuse(fault, KAFKA_ERR_UNSUPPORTED_COMPRESSION_TYPE, "zstd needs version 7 of the Produce request.");
    return KAFKA_OK;
}

/* ---- rows 6 to 9: the header ---- */

static kafka_error check_header(ks_bytes batch, const ks_batch_rules *rules, const ks_batch_header *header,
                                ks_batch_fault *fault) {
    if (header->base_offset != 0)
        return refuse(fault, KAFKA_ERR_INVALID_RECORD, "The base offset of a batch from a client must be 0.");
    if (batch.size > rules->max_message_bytes)
        return refuse(fault, KAFKA_ERR_MESSAGE_TOO_LARGE, "The record batch is larger than max.message.bytes.");
    if (batch.size < KS_BATCH_HEADER_SIZE)
        return refuse(fault, KAFKA_ERR_CORRUPT_MESSAGE, "The record batch is smaller than its own header.");
    if (header->crc != ks_batch_crc(batch))
        return refuse(fault, KAFKA_ERR_CORRUPT_MESSAGE, "The record batch is corrupt: its checksum does not match.");
    if (header->last_offset_delta < 0 || header->record_count < 1 ||
        header->last_offset_delta != header->record_count - 1)
        return refuse(fault, KAFKA_ERR_INVALID_RECORD, "Last offset delta and number of records do not agree.");
    if (header->attributes & KS_ATTRIBUTE_CONTROL)
        return refuse(fault, KAFKA_ERR_INVALID_RECORD, "Clients may not write control batches.");
    if (header->producer_id >= 0 && header->base_sequence < 0)
        return refuse(fault, KAFKA_ERR_INVALID_RECORD, "A batch with a producer id needs a sequence number.");
    return KAFKA_OK;
}

/* ---- rows 11 to 13: the records ---- */

typedef struct offenders {
    int32_t indexes[8], count;
} offenders;

static void add_offender(offenders *list, int32_t index) {
    if (list->count < 8) list->indexes[list->count] = index;
    list->count++;
}

static kafka_error refuse_records(ks_batch_fault *fault, const offenders *list, kafka_error error, const char *text) {
    memcpy(fault->record_indexes, list->indexes, sizeof fault->record_indexes);
    fault->record_index_count = list->count;
    return refuse(fault, error, text);
}

static bool has_sound_headers(const ks_parsed_record *record) {
    const uint8_t *p = record->headers.data, *end = p + record->headers.size;
    for (int32_t i = 0; i < record->header_count; i++) {
        ks_bytes key, value;
        p = ks_parse_bytes(p, end, &key);
        if (p == NULL || key.size < 0) return false;
        p = ks_parse_bytes(p, end, &value);
        if (p == NULL) return false;
    }
    return p == end;
}

/* How far apart, without overflow. */
static uint64_t distance(int64_t later, int64_t earlier) { return (uint64_t)later - (uint64_t)earlier; }

static bool is_in_window(const ks_batch_rules *rules, int64_t timestamp) {
    if (!rules->create_time || timestamp == -1) return true;
    if (timestamp > rules->now_ms) return distance(timestamp, rules->now_ms) <= (uint64_t)rules->after_max_ms;
    return distance(rules->now_ms, timestamp) <= (uint64_t)rules->before_max_ms;
}

static kafka_error check_records(ks_bytes records, const ks_batch_rules *rules, const ks_batch_header *header,
                                 ks_batch_fault *fault) {
    static const char malformed[] = "The records do not fit the batch: a record is malformed or their number is wrong.";
    offenders without_key = { 0 }, out_of_time = { 0 };
    const uint8_t *p = records.data, *end = p + records.size;
    if (header->record_count > records.size / SMALLEST_RECORD)
        return refuse(fault, KAFKA_ERR_INVALID_RECORD, malformed);
    for (int32_t i = 0; i < header->record_count; i++) {
        ks_parsed_record record = { .key = KS_NULL_BYTES };
        p = ks_parse_record(p, end, &record);
        if (p == NULL || record.offset_delta != i || !has_sound_headers(&record))
            return refuse(fault, KAFKA_ERR_INVALID_RECORD, malformed);
        int64_t timestamp = (int64_t)((uint64_t)header->base_timestamp + (uint64_t)record.timestamp_delta);
        if (i == 0 || timestamp > fault->max_timestamp) fault->max_timestamp = timestamp;
        if (rules->compacted && record.key.size < 0) add_offender(&without_key, i);
        if (!is_in_window(rules, timestamp)) add_offender(&out_of_time, i);
    }
    if (p != end) return refuse(fault, KAFKA_ERR_INVALID_RECORD, malformed);
    if (without_key.count > 0)
        return refuse_records(fault, &without_key, KAFKA_ERR_INVALID_RECORD,
                              "A compacted topic takes no record without a key.");
    if (out_of_time.count > 0)
        return refuse_records(fault, &out_of_time, KAFKA_ERR_INVALID_TIMESTAMP,
                              "A timestamp is out of the range the topic accepts.");
    return KAFKA_OK;
}

/* ---- row 10, and all together ---- */

kafka_error ks_batch_check_content(ks_bytes batch, const ks_batch_rules *rules, const ks_batch_header *header,
                                   ks_batch_fault *fault) {
    *fault = (ks_batch_fault){ 0 };
    if (batch.size > ks_batch_size(header)) batch.size = ks_batch_size(header); /* a cut second batch behind it */
    kafka_error error = check_header(batch, rules, header, fault);
    if (error != KAFKA_OK) return error;
    ks_bytes records = { batch.data + KS_BATCH_HEADER_SIZE, batch.size - KS_BATCH_HEADER_SIZE };
    ks_codec codec = (ks_codec)(header->attributes & KS_ATTRIBUTE_CODEC_MASK);
    if (codec == KS_CODEC_NONE) return check_records(records, rules, header, fault);

    ks_buffer out = { 0 };
    int32_t max = rules->max_decompressed > 0 ? rules->max_decompressed : KS_MAX_DECOMPRESSED;
    switch (ks_unpack(codec, records, max, &out)) {
    case KS_UNPACKED: error = check_records((ks_bytes){ out.data, (int32_t)out.size }, rules, header, fault); break;
    case KS_UNPACK_CORRUPT:
        error = refuse(fault, KAFKA_ERR_UNKNOWN_SERVER_ERROR, "The records cannot be decompressed.");
        break;
    case KS_UNPACK_TOO_LARGE:
        error =
            refuse(fault, KAFKA_ERR_MESSAGE_TOO_LARGE, "The decompressed records are larger than the broker allows.");
        break;
    }
    ks_buffer_deinit(&out);
    return error;
}
