/* SPDX-License-Identifier: Apache-2.0
 *
 * What a read message holds, and the size that kafka-go's batching counts (message.go, totalSize).
 */
#include "sim/api/message.h"

void ks_message_hold(kafka_message *message, ks_block *block) {
    message->batch = block;
    message->headers = NULL;
    message->header_count = 0;
}

kafka_header *ks_message_hold_headers(kafka_message *message, ks_block *block, size_t count) {
    ks_message_headers *held = ks_alloc(sizeof *held + count * sizeof *held->headers);
    held->block = block;
    message->batch = (void *)((uintptr_t)held | 1);
    message->headers = held->headers;
    message->header_count = count;
    return held->headers;
}

void kafka_message_release(kafka_message *message) {
    if (message == NULL || message->batch == NULL) return;
    uintptr_t batch = (uintptr_t)message->batch;
    if (batch & 1) {
        ks_message_headers *held = (ks_message_headers *)(batch & ~(uintptr_t)1);
        ks_block_release(held->block);
        ks_free(held);
    } else {
        ks_block_release((ks_block *)batch);
    }
    *message = (kafka_message){ 0 };
}

/* Bytes of a length as a zig-zag varint. */
static size_t varint_size(size_t length) {
    size_t size = 1;
    for (uint64_t zigzag = (uint64_t)length << 1; zigzag >= 0x80; zigzag >>= 7) size++;
    return size;
}

size_t kafka_message_batch_size(const kafka_message *message) {
    if (message == NULL) return 0;
    size_t size = 22 + message->key.size + message->value.size + varint_size(message->header_count);
    for (size_t i = 0; i < message->header_count; i++) {
        const kafka_header *header = &message->headers[i];
        size += varint_size(header->key.size) + header->key.size + varint_size(header->value.size) + header->value.size;
    }
    return size;
}
