/* SPDX-License-Identifier: Apache-2.0
 *
 * Record batches v2: the header, and building (Kafka's DefaultRecordBatch, DefaultRecord, MemoryRecordsBuilder).
 *
 * Records are written in their final form as they are added, behind 61 bytes kept free for the header. So an
 * uncompressed batch is never copied, and a compressed one once, by its codec.
 */
#include "sim/protocol/record_batch.h"

#include "sim/base/crc32c.h"
#include "sim/protocol/wire_bytes.h"

enum { /* where the header's fields lie */
       AT_BASE_OFFSET = 0,
       AT_LENGTH = 8,
       AT_LEADER_EPOCH = 12,
       AT_MAGIC = 16,
       AT_CRC = 17,
       AT_ATTRIBUTES = 21, /* the CRC covers everything from here */
       AT_LAST_OFFSET_DELTA = 23,
       AT_BASE_TIMESTAMP = 27,
       AT_MAX_TIMESTAMP = 35,
       AT_PRODUCER_ID = 43,
       AT_PRODUCER_EPOCH = 51,
       AT_BASE_SEQUENCE = 53,
       AT_RECORD_COUNT = 57
};

/* ---- the header ---- */

bool ks_batch_read_header(ks_bytes records, ks_batch_header *header) {
    if (records.size < KS_BATCH_HEADER_SIZE) return false;
    const uint8_t *p = records.data;
    header->base_offset = ks_load_i64(p + AT_BASE_OFFSET);
    header->length = ks_load_i32(p + AT_LENGTH);
    header->leader_epoch = ks_load_i32(p + AT_LEADER_EPOCH);
    header->magic = (int8_t)p[AT_MAGIC];
    header->crc = ks_load_u32(p + AT_CRC);
    header->attributes = ks_load_i16(p + AT_ATTRIBUTES);
    header->last_offset_delta = ks_load_i32(p + AT_LAST_OFFSET_DELTA);
    header->base_timestamp = ks_load_i64(p + AT_BASE_TIMESTAMP);
    header->max_timestamp = ks_load_i64(p + AT_MAX_TIMESTAMP);
    header->producer_id = ks_load_i64(p + AT_PRODUCER_ID);
    header->producer_epoch = ks_load_i16(p + AT_PRODUCER_EPOCH);
    header->base_sequence = ks_load_i32(p + AT_BASE_SEQUENCE);
    header->record_count = ks_load_i32(p + AT_RECORD_COUNT);
    return true;
}

static void write_header(uint8_t *p, const ks_batch_header *header) {
    ks_store_64(p + AT_BASE_OFFSET, (uint64_t)header->base_offset);
    ks_store_32(p + AT_LENGTH, (uint32_t)header->length);
    ks_store_32(p + AT_LEADER_EPOCH, (uint32_t)header->leader_epoch);
    p[AT_MAGIC] = (uint8_t)header->magic;
    ks_store_16(p + AT_ATTRIBUTES, (uint16_t)header->attributes);
    ks_store_32(p + AT_LAST_OFFSET_DELTA, (uint32_t)header->last_offset_delta);
    ks_store_64(p + AT_BASE_TIMESTAMP, (uint64_t)header->base_timestamp);
    ks_store_64(p + AT_MAX_TIMESTAMP, (uint64_t)header->max_timestamp);
    ks_store_64(p + AT_PRODUCER_ID, (uint64_t)header->producer_id);
    ks_store_16(p + AT_PRODUCER_EPOCH, (uint16_t)header->producer_epoch);
    ks_store_32(p + AT_BASE_SEQUENCE, (uint32_t)header->base_sequence);
    ks_store_32(p + AT_RECORD_COUNT, (uint32_t)header->record_count);
}

uint32_t ks_batch_crc(ks_bytes batch) {
    return ks_crc32c(batch.data + AT_ATTRIBUTES, (size_t)batch.size - AT_ATTRIBUTES);
}

static void refresh_crc(uint8_t *batch) {
    int32_t size = ks_load_i32(batch + AT_LENGTH) + 12;
    ks_store_32(batch + AT_CRC, ks_batch_crc((ks_bytes){ batch, size }));
}

void ks_batch_set_base_offset(uint8_t *batch, int64_t base_offset, int32_t leader_epoch) {
    ks_store_64(batch + AT_BASE_OFFSET, (uint64_t)base_offset);
    ks_store_32(batch + AT_LEADER_EPOCH, (uint32_t)leader_epoch);
}

static void set_timestamp(uint8_t *batch, int64_t time_ms, uint16_t type_bit) {
    uint16_t attributes = ks_load_u16(batch + AT_ATTRIBUTES);
    attributes = (uint16_t)((attributes & ~KS_ATTRIBUTE_LOG_APPEND_TIME) | type_bit);
    ks_store_16(batch + AT_ATTRIBUTES, attributes);
    ks_store_64(batch + AT_MAX_TIMESTAMP, (uint64_t)time_ms);
    refresh_crc(batch);
}

void ks_batch_set_log_append_time(uint8_t *batch, int64_t time_ms) {
    set_timestamp(batch, time_ms, KS_ATTRIBUTE_LOG_APPEND_TIME);
}

void ks_batch_set_max_timestamp(uint8_t *batch, int64_t time_ms) { set_timestamp(batch, time_ms, 0); }

/* ---- building ---- */

void ks_batch_begin(ks_batch_builder *builder, ks_codec codec) {
    ks_buffer_clear(&builder->bytes);
    ks_buffer_reserve(&builder->bytes, KS_BATCH_HEADER_SIZE);
    builder->bytes.size = KS_BATCH_HEADER_SIZE;
    builder->header = (ks_batch_header){ .leader_epoch = -1,
                                         .magic = 2,
                                         .base_timestamp = -1,
                                         .max_timestamp = -1,
                                         .producer_id = -1,
                                         .producer_epoch = -1,
                                         .base_sequence = -1,
                                         .last_offset_delta = -1 };
    builder->count = 0;
    builder->codec = codec;
    builder->keeps_base_timestamp = false;
}

void ks_batch_begin_like(ks_batch_builder *builder, const ks_batch_header *like) {
    ks_batch_begin(builder, (ks_codec)(like->attributes & KS_ATTRIBUTE_CODEC_MASK));
    builder->header = *like;
    builder->keeps_base_timestamp = true;
}

static size_t headers_size(const ks_record_header_in *headers, int32_t count) {
    size_t size = 0;
    for (int32_t i = 0; i < count; i++) {
        size += (size_t)ks_varint_size(headers[i].key.size) + (size_t)headers[i].key.size;
        size += (size_t)ks_varint_size(headers[i].value.size);
        if (headers[i].value.size > 0) size += (size_t)headers[i].value.size;
    }
    return size;
}

static size_t body_size(int32_t offset_delta, int64_t timestamp_delta, ks_bytes key, ks_bytes value,
                        const ks_record_header_in *headers, int32_t header_count) {
    size_t size = 1 + (size_t)ks_varint_size(timestamp_delta) + (size_t)ks_varint_size(offset_delta);
    size += (size_t)ks_varint_size(key.size) + (key.size > 0 ? (size_t)key.size : 0);
    size += (size_t)ks_varint_size(value.size) + (value.size > 0 ? (size_t)value.size : 0);
    return size + (size_t)ks_varint_size(header_count) + headers_size(headers, header_count);
}

int32_t ks_record_size(int32_t offset_delta, int64_t timestamp_delta, ks_bytes key, ks_bytes value,
                       const ks_record_header_in *headers, int32_t header_count) {
    size_t body = body_size(offset_delta, timestamp_delta, key, value, headers, header_count);
    size_t size = body + (size_t)ks_varint_size((int64_t)body);
    ks_assert(size <= INT32_MAX);
    return (int32_t)size;
}

static inline uint8_t *put_bytes(uint8_t *p, const void *data, int32_t size) {
    p = ks_put_varint(p, size);
    if (size <= 0) return p;
    memcpy(p, data, (size_t)size);
    return p + size;
}

static uint8_t *put_headers(uint8_t *p, const ks_record_header_in *headers, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        ks_assert(headers[i].key.size >= 0);
        p = put_bytes(p, headers[i].key.data, headers[i].key.size);
        p = put_bytes(p, headers[i].value.data, headers[i].value.size < 0 ? -1 : headers[i].value.size);
    }
    return p;
}

static inline int64_t since_base(ks_batch_builder *builder, int64_t timestamp_ms) {
    ks_batch_header *header = &builder->header;
    if (builder->count == 0 && !builder->keeps_base_timestamp) {
        header->base_timestamp = timestamp_ms;
        header->max_timestamp = timestamp_ms;
    }
    return (int64_t)((uint64_t)timestamp_ms - (uint64_t)header->base_timestamp);
}

/* What stands before a record's key; makes room for all of it. */
static inline uint8_t *begin_record(ks_batch_builder *builder, size_t body, int64_t timestamp_delta, int32_t offset_delta) {
    ks_assert(body < INT32_MAX - 16 && builder->bytes.size + body < INT32_MAX - 16);
    if (builder->bytes.capacity - builder->bytes.size < body + 6) ks_buffer_reserve(&builder->bytes, body + 5);
    uint8_t *p = builder->bytes.data + builder->bytes.size;
    p = ks_put_varint(p, (int64_t)body);
    *p++ = 0; /* attributes: none are defined */
    p = ks_put_varint(p, timestamp_delta);
    return ks_put_varint(p, offset_delta);
}

static inline void end_record(ks_batch_builder *builder, const uint8_t *end, int64_t timestamp_ms, int32_t offset_delta) {
    ks_batch_header *header = &builder->header;
    builder->bytes.size = (size_t)(end - builder->bytes.data);
    if (timestamp_ms > header->max_timestamp && !(header->attributes & KS_ATTRIBUTE_LOG_APPEND_TIME))
        header->max_timestamp = timestamp_ms;
    if (offset_delta > header->last_offset_delta) header->last_offset_delta = offset_delta;
    builder->count++;
}

void ks_batch_add_at(ks_batch_builder *builder, int32_t offset_delta, ks_bytes key, ks_bytes value,
                     const ks_record_header_in *headers, int32_t header_count, int64_t timestamp_ms) {
    if (key.size < 0) key.size = -1;
    if (value.size < 0) value.size = -1;
    int64_t timestamp_delta = since_base(builder, timestamp_ms);
    size_t body = body_size(offset_delta, timestamp_delta, key, value, headers, header_count);
    uint8_t *p = begin_record(builder, body, timestamp_delta, offset_delta);
    p = put_bytes(p, key.data, key.size);
    p = put_bytes(p, value.data, value.size);
    p = ks_put_varint(p, header_count);
    p = put_headers(p, headers, header_count);
    end_record(builder, p, timestamp_ms, offset_delta);
}

ks_batch_room ks_batch_add_room(ks_batch_builder *builder, int32_t key_size, int32_t value_size, int64_t timestamp_ms) {
    ks_batch_room room;
    int64_t timestamp_delta = since_base(builder, timestamp_ms);
    int32_t delta_size = ks_varint_size(builder->count);
    int32_t frame = 1 + ks_varint_size(timestamp_delta) + delta_size + ks_varint_size(key_size) + ks_varint_size(value_size) + 1;
    size_t body = (size_t)frame + (size_t)key_size + (size_t)value_size;
    uint8_t *p = begin_record(builder, body, timestamp_delta, builder->count);
    room.record = builder->bytes.data + builder->bytes.size;
    room.offset_delta = p - delta_size;
    room.key = ks_put_varint(p, key_size);
    room.value = ks_put_varint(room.key + key_size, value_size);
    p = ks_put_varint(room.value + value_size, 0); /* headers */
    room.size = (size_t)(p - room.record);
    end_record(builder, p, timestamp_ms, builder->count);
    return room;
}

static void move_room(ks_batch_room *room, uint8_t *record) {
    room->key = record + (room->key - room->record);
    room->value = record + (room->value - room->record);
    room->offset_delta = record + (room->offset_delta - room->record);
    room->record = record;
}

int32_t ks_batch_repeat(ks_batch_builder *builder, ks_batch_room *room, int32_t times) {
    int32_t added = 0, delta_size = ks_varint_size(builder->count - 1);
    size_t size = room->size, more = size * (size_t)times;
    ks_assert(builder->bytes.size + more < INT32_MAX - 16);
    ks_buffer_reserve(&builder->bytes, more);
    move_room(room, builder->bytes.data + builder->bytes.size - size);
    for (uint8_t *to = room->record + size; added < times && ks_varint_size(builder->count + added) == delta_size; to += size, added++) {
        memcpy(to, room->record, size);
        ks_put_varint(to + (room->offset_delta - room->record), builder->count + added);
    }
    builder->bytes.size += size * (size_t)added;
    builder->count += added;
    if (builder->count - 1 > builder->header.last_offset_delta) builder->header.last_offset_delta = builder->count - 1;
    return added;
}

void ks_batch_add(ks_batch_builder *builder, ks_bytes key, ks_bytes value, const ks_record_header_in *headers,
                  int32_t header_count, int64_t timestamp_ms) {
    ks_batch_add_at(builder, builder->count, key, value, headers, header_count, timestamp_ms);
}

static ks_buffer *compress_records(ks_batch_builder *builder) {
    if (builder->codec == KS_CODEC_NONE) return &builder->bytes;
    ks_buffer *out = &builder->compressed;
    ks_buffer_clear(out);
    ks_buffer_reserve(out, KS_BATCH_HEADER_SIZE);
    out->size = KS_BATCH_HEADER_SIZE;
    ks_bytes records = { builder->bytes.data + KS_BATCH_HEADER_SIZE,
                         (int32_t)builder->bytes.size - KS_BATCH_HEADER_SIZE };
    ks_compress(builder->codec, records, builder->level, builder->raw_snappy, out);
    return out;
}

ks_bytes ks_batch_finish(ks_batch_builder *builder) {
    ks_assert(builder->count > 0 || builder->keeps_base_timestamp); /* compaction may leave none */
    ks_buffer *out = compress_records(builder);
    ks_batch_header *header = &builder->header;
    header->attributes = (int16_t)((header->attributes & ~KS_ATTRIBUTE_CODEC_MASK) | (int)builder->codec);
    header->record_count = builder->count;
    ks_assert(out->size <= INT32_MAX);
    header->length = (int32_t)out->size - 12;
    write_header(out->data, header);
    ks_bytes batch = { out->data, (int32_t)out->size };
    header->crc = ks_batch_crc(batch);
    ks_store_32(out->data + AT_CRC, header->crc);
    return batch;
}

ks_block *ks_batch_finish_block(ks_batch_builder *builder, ks_bytes *batch) {
    ks_bytes view = ks_batch_finish(builder);
    ks_block *block = ks_block_new(view.size);
    memcpy(block->data, view.data, (size_t)view.size);
    *batch = (ks_bytes){ block->data, view.size };
    return block;
}

void ks_batch_builder_deinit(ks_batch_builder *builder) {
    ks_buffer_deinit(&builder->bytes);
    ks_buffer_deinit(&builder->compressed);
    *builder = (ks_batch_builder){ 0 };
}
