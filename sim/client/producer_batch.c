/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of a batch. Messages are encoded as they come, so a batch is copied once (into the block that travels). A
 * message without a time gets the time of the attempt, anew at each attempt (kafka-go protocol/record_v2.go): until
 * then it is encoded with time 0, which is what "unset" means. When all are unset, only the header's two timestamps
 * change; when some are, the batch is encoded again.
 */
#include "sim/client/producer_internal.h"

/* ---- life ---- */

ks_producer_batch *ks_producer_batch_take(ks_producer_partition *partition) {
    ks_producer *producer = partition->topic->producer;
    ks_producer_batch *batch = producer->spare_batches;
    if (batch != NULL)
        producer->spare_batches = batch->next;
    else
        batch = ks_alloc(sizeof *batch);
    batch->next = NULL;
    batch->partition = partition;
    batch->bytes = 0;
    batch->count = batch->unset_times = 0;
    batch->waiters.count = batch->extras.count = 0;
    batch->answered = false;
    batch->error = KAFKA_OK;
    batch->base_offset = batch->log_append_time_ms = -1;
    ks_batch_begin(&batch->builder, producer->config.codec);
    return batch;
}

static void drop_block(ks_producer_batch *batch) {
    if (batch->block != NULL) ks_block_release(batch->block);
    batch->block = NULL;
}

void ks_producer_batch_put(ks_producer_batch *batch) {
    ks_producer *producer = batch->partition->topic->producer;
    drop_block(batch);
    batch->next = producer->spare_batches;
    producer->spare_batches = batch;
}

void ks_producer_batch_free(ks_producer_batch *batch) {
    ks_batch_builder_deinit(&batch->builder);
    ks_free(batch->waiters.items);
    ks_free(batch->extras.items);
    ks_free(batch);
}

/* ---- adding ---- */

static inline ks_bytes nullable(kafka_bytes bytes) {
    return bytes.data != NULL ? (ks_bytes){ bytes.data, (int32_t)bytes.size } : KS_NULL_BYTES;
}

static const ks_record_header_in *convert_headers(ks_producer *producer, const kafka_message *message) {
    producer->header_scratch.count = 0;
    for (size_t i = 0; i < message->header_count; i++) {
        const kafka_header *header = &message->headers[i];
        KS_PUSH(producer->header_scratch,
                (ks_record_header_in){ { header->key.data, (int32_t)header->key.size }, nullable(header->value) });
    }
    return producer->header_scratch.items;
}

static int64_t milliseconds(kafka_time time) { /* rounded down, as Go's UnixMilli does */
    int64_t ms = time / KS_MS;
    return time % KS_MS < 0 ? ms - 1 : ms;
}

void ks_producer_batch_add(ks_producer_batch *batch, const kafka_message *message, int64_t size) {
    ks_producer *producer = batch->partition->topic->producer;
    const ks_record_header_in *headers = message->header_count > 0 ? convert_headers(producer, message) : NULL;
    int64_t time_ms = message->time != 0 ? milliseconds(message->time) : 0;
    batch->unset_times += time_ms == 0;
    ks_batch_add(&batch->builder, nullable(message->key), nullable(message->value), headers,
                 (int32_t)message->header_count, time_ms);
    batch->count++;
    batch->bytes += size;
    if (producer->config.told == NULL) return;
    KS_PUSH(batch->extras, (ks_batch_extra){ message->writer_data, message->time });
}

/* ---- reading it back ---- */

/* The records so far, as a batch that is not compressed; its header says nothing that matters. */
static void read_back(ks_producer_batch *batch, ks_record_iterator *records) {
    batch->builder.codec = KS_CODEC_NONE;
    ks_records_begin(records, ks_batch_finish(&batch->builder));
    batch->builder.codec = batch->partition->topic->producer->config.codec;
    bool any = ks_records_next_batch(records);
    ks_assert(any);
}

static void encode_again(ks_producer_batch *batch, int64_t now_ms) {
    ks_producer *producer = batch->partition->topic->producer;
    ks_record_iterator records;
    ks_record record;
    ks_batch_begin(&producer->scratch, producer->config.codec);
    for (read_back(batch, &records); ks_records_next(&records, &record);) {
        ks_record_header_in header;
        producer->header_scratch.count = 0;
        while (ks_record_header_next(&record.headers, &header.key, &header.value))
            KS_PUSH(producer->header_scratch, header);
        ks_batch_add(&producer->scratch, record.key, record.value, producer->header_scratch.items,
                     producer->header_scratch.count, record.timestamp_ms == 0 ? now_ms : record.timestamp_ms);
    }
    ks_records_end(&records);
}

ks_bytes ks_producer_batch_seal(ks_producer_batch *batch) {
    ks_producer *producer = batch->partition->topic->producer;
    int64_t now_ms = ks_now_ms(producer->kernel);
    ks_batch_builder *builder = &batch->builder;
    drop_block(batch); /* of the attempt before; the network may still hold it */
    if (batch->unset_times == batch->count) {
        builder->header.base_timestamp = builder->header.max_timestamp = now_ms;
    } else if (batch->unset_times > 0) {
        encode_again(batch, now_ms);
        builder = &producer->scratch;
    }
    ks_bytes bytes;
    batch->block = ks_batch_finish_block(builder, &bytes);
    return bytes;
}

/* ---- what a completion sees ---- */

static void complete_message(const ks_producer_batch *batch, int32_t index, kafka_message *message) {
    message->writer_data = batch->extras.items[index].data;
    message->time = batch->extras.items[index].time;
    if (!batch->answered) return;
    message->topic = batch->partition->topic->name.data;
    message->partition = batch->partition->id;
    message->offset = batch->base_offset + index;
    if (message->time == 0 && batch->log_append_time_ms > 0) message->time = batch->log_append_time_ms * KS_MS;
}

static kafka_bytes seen(ks_bytes bytes) { return (kafka_bytes){ bytes.data, bytes.size > 0 ? (size_t)bytes.size : 0 }; }

const kafka_message *ks_producer_batch_messages(ks_producer_batch *batch) {
    ks_producer *producer = batch->partition->topic->producer;
    ks_record_iterator records;
    ks_record record;
    producer->messages.count = producer->headers.count = 0;
    for (read_back(batch, &records); ks_records_next(&records, &record);) {
        kafka_message message = { .key = seen(record.key),
                                  .value = seen(record.value),
                                  .header_count = (size_t)record.header_count };
        ks_string key;
        ks_bytes value;
        while (ks_record_header_next(&record.headers, &key, &value))
            KS_PUSH(producer->headers, (kafka_header){ { key.data, (size_t)key.size }, seen(value) });
        complete_message(batch, producer->messages.count, &message);
        KS_PUSH(producer->messages, message);
    }
    ks_records_end(&records);
    const kafka_header *headers = producer->headers.items; /* it has stopped moving */
    for (int32_t i = 0; i < producer->messages.count; i++) {
        kafka_message *message = &producer->messages.items[i];
        if (message->header_count > 0) message->headers = headers;
        headers += message->header_count;
    }
    return producer->messages.items;
}

/* ---- the size that batching counts ---- */

static int64_t varint_size(int64_t value) { /* of a zig-zag varint of a number that is not negative */
    int64_t size = 1;
    for (uint64_t rest = (uint64_t)value << 1; rest >= 0x80; rest >>= 7) size++;
    return size;
}

static inline bool fits(kafka_bytes bytes) {
    return bytes.size <= INT32_MAX / 4 && (bytes.data != NULL || bytes.size == 0);
}

int64_t ks_message_size(const kafka_message *message) {
    if (!fits(message->key) || !fits(message->value)) return -1;
    int64_t size = 22 + (int64_t)message->key.size + (int64_t)message->value.size;
    if (message->header_count == 0) return size + 1;
    if (message->headers == NULL || message->header_count > INT32_MAX / 4) return -1;
    size += varint_size((int64_t)message->header_count);
    for (size_t i = 0; i < message->header_count; i++) {
        const kafka_header *header = &message->headers[i];
        if (!fits(header->key) || !fits(header->value)) return -1;
        size += varint_size((int64_t)header->key.size) + (int64_t)header->key.size;
        size += varint_size((int64_t)header->value.size) + (int64_t)header->value.size;
    }
    return size;
}

kafka_error ks_producer_batch_error(const ks_producer_batch *batch) { return batch->error; }
int32_t ks_producer_batch_count(const ks_producer_batch *batch) { return batch->count; }
void *ks_producer_batch_owner(const ks_producer_batch *batch) {
    return batch->partition->topic->producer->config.owner;
}
ks_producer_batch *ks_producer_batch_next_told(ks_producer_batch *batch) { return batch->next_told; }
void ks_producer_batch_set_next_told(ks_producer_batch *batch, ks_producer_batch *next) { batch->next_told = next; }
