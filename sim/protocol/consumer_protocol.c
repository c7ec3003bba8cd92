/* SPDX-License-Identifier: Apache-2.0
 *
 * ConsumerProtocolSubscription and ConsumerProtocolAssignment (Kafka's ConsumerProtocol.java): the bytes that group
 * members exchange through the coordinator, which does not look into them.
 *
 * Readers take any version from 0 up by the fields they know, as ConsumerProtocol does, ignore what follows, and take
 * an early end behind any whole field as "not sent": kafka-go and others mark v1 without writing v1's owned partitions
 * (WR-33).
 */
#include "sim/protocol/consumer_protocol.h"

#include "sim/protocol/wire_bytes.h"

/* ---- reading: a cursor with a sticky error ---- */

typedef struct cursor {
    const uint8_t *p, *end; /* p NULL: failed */
    ks_arena *arena;
} cursor;

static bool take(cursor *in, int64_t size, const uint8_t **at) {
    if (in->p == NULL || size > in->end - in->p) {
        in->p = NULL;
        return false;
    }
    *at = in->p;
    in->p += size;
    return true;
}

static int16_t take_i16(cursor *in) {
    const uint8_t *at;
    return take(in, 2, &at) ? ks_load_i16(at) : 0;
}

static int32_t take_i32(cursor *in) {
    const uint8_t *at;
    return take(in, 4, &at) ? ks_load_i32(at) : 0;
}

static ks_string take_string(cursor *in) {
    const uint8_t *at;
    int16_t size = take_i16(in);
    return size >= 0 && take(in, size, &at) ? (ks_string){ (const char *)at, size } : KS_NULL_STRING;
}

static ks_bytes take_bytes(cursor *in) {
    const uint8_t *at;
    int32_t size = take_i32(in);
    return size >= 0 && take(in, size, &at) ? (ks_bytes){ at, size } : KS_NULL_BYTES;
}

/* A count whose elements could all be there, else the cursor fails; null counts as none. */
static int32_t take_count(cursor *in, int32_t smallest_element) {
    int32_t count = take_i32(in);
    if (in->p == NULL || count <= 0) return 0;
    if (count <= (in->end - in->p) / smallest_element) return count;
    in->p = NULL;
    return 0;
}

static ks_string *take_topics(cursor *in, int32_t *count) {
    *count = take_count(in, 2);
    ks_string *topics = ks_arena_alloc(in->arena, sizeof *topics * (size_t)*count);
    for (int32_t i = 0; i < *count; i++) {
        topics[i] = take_string(in);
        if (topics[i].size < 0) in->p = NULL;
    }
    return topics;
}

static ks_topic_partitions *take_topic_partitions(cursor *in, int32_t *count) {
    *count = take_count(in, 6);
    ks_topic_partitions *all = ks_arena_alloc(in->arena, sizeof *all * (size_t)*count);
    for (int32_t i = 0; i < *count; i++) {
        all[i].topic = take_string(in);
        if (all[i].topic.size < 0) in->p = NULL;
        all[i].partition_count = take_count(in, 4);
        all[i].partitions = ks_arena_alloc(in->arena, sizeof *all[i].partitions * (size_t)all[i].partition_count);
        const uint8_t *at = NULL;
        take(in, 4 * (int64_t)all[i].partition_count, &at); /* they are all there: take_count() has looked */
        for (int32_t k = 0; k < all[i].partition_count; k++) all[i].partitions[k] = ks_load_i32(at + 4 * (size_t)k);
    }
    return all;
}

static bool ended(const cursor *in) { return in->p == NULL || in->p == in->end; }

bool ks_subscription_decode(ks_bytes bytes, ks_arena *arena, ks_subscription *subscription) {
    *subscription = (ks_subscription){ .user_data = KS_NULL_BYTES, .generation_id = -1, .rack_id = KS_NULL_STRING };
    if (bytes.size < 2) return false;
    cursor in = { bytes.data, bytes.data + bytes.size, arena };
    subscription->version = take_i16(&in);
    if (subscription->version < 0) return false;
    subscription->topics = take_topics(&in, &subscription->topic_count);
    if (!ended(&in)) subscription->user_data = take_bytes(&in);
    if (subscription->version >= 1 && ended(&in))
        subscription->owned_count = -1;
    else if (subscription->version >= 1)
        subscription->owned = take_topic_partitions(&in, &subscription->owned_count);
    if (subscription->version >= 2 && !ended(&in)) subscription->generation_id = take_i32(&in);
    if (subscription->version >= 3 && !ended(&in)) subscription->rack_id = take_string(&in);
    return in.p != NULL;
}

bool ks_assignment_decode(ks_bytes bytes, ks_arena *arena, ks_assignment *assignment) {
    *assignment = (ks_assignment){ .user_data = KS_NULL_BYTES };
    if (bytes.size < 2) return false;
    cursor in = { bytes.data, bytes.data + bytes.size, arena };
    assignment->version = take_i16(&in);
    if (assignment->version < 0) return false;
    assignment->topics = take_topic_partitions(&in, &assignment->topic_count);
    if (!ended(&in)) assignment->user_data = take_bytes(&in);
    return in.p != NULL;
}

/* ---- writing: the size first, then straight into the arena ---- */

static size_t size_of_topic_partitions(const ks_topic_partitions *all, int32_t count) {
    size_t size = 4;
    for (int32_t i = 0; i < count; i++)
        size += 2 + ks_room_of(all[i].topic.size) + 4 + 4 * (size_t)all[i].partition_count;
    return size;
}

static uint8_t *put_topic_partitions(uint8_t *p, const ks_topic_partitions *all, int32_t count) {
    p = ks_write_32(p, count);
    for (int32_t i = 0; i < count; i++) {
        p = ks_write_32(ks_write_string(p, all[i].topic), all[i].partition_count);
        for (int32_t k = 0; k < all[i].partition_count; k++) p = ks_write_32(p, all[i].partitions[k]);
    }
    return p;
}

static size_t size_of_subscription(const ks_subscription *subscription) {
    size_t size = 2 + 4 + 4 + ks_room_of(subscription->user_data.size);
    for (int32_t i = 0; i < subscription->topic_count; i++) size += 2 + ks_room_of(subscription->topics[i].size);
    if (subscription->owned_count < 0) return size;
    if (subscription->version >= 1) size += size_of_topic_partitions(subscription->owned, subscription->owned_count);
    if (subscription->version >= 2) size += 4;
    if (subscription->version >= 3) size += 2 + ks_room_of(subscription->rack_id.size);
    return size;
}

ks_bytes ks_subscription_encode(const ks_subscription *subscription, ks_arena *arena) {
    size_t size = size_of_subscription(subscription);
    uint8_t *start = ks_arena_alloc(arena, size),
            *p = ks_write_32(ks_write_16(start, subscription->version), subscription->topic_count);
    for (int32_t i = 0; i < subscription->topic_count; i++) p = ks_write_string(p, subscription->topics[i]);
    p = ks_write_bytes(p, subscription->user_data);
    bool whole = subscription->owned_count >= 0;
    if (whole && subscription->version >= 1)
        p = put_topic_partitions(p, subscription->owned, subscription->owned_count);
    if (whole && subscription->version >= 2) p = ks_write_32(p, subscription->generation_id);
    if (whole && subscription->version >= 3) p = ks_write_string(p, subscription->rack_id);
    ks_assert(p == start + size && size <= INT32_MAX);
    return (ks_bytes){ start, (int32_t)size };
}

ks_bytes ks_assignment_encode(const ks_assignment *assignment, ks_arena *arena) {
    size_t size = 2 + size_of_topic_partitions(assignment->topics, assignment->topic_count) + 4 +
                  ks_room_of(assignment->user_data.size);
    uint8_t *start = ks_arena_alloc(arena, size), *p = ks_write_16(start, assignment->version);
    p = put_topic_partitions(p, assignment->topics, assignment->topic_count);
    p = ks_write_bytes(p, assignment->user_data);
    ks_assert(p == start + size && size <= INT32_MAX);
    return (ks_bytes){ start, (int32_t)size };
}

static size_t put_digits(uint8_t *to, uint32_t number) {
    uint8_t digits[10];
    size_t count = 0, size = 0;
    do digits[count++] = (uint8_t)('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0) to[size++] = digits[--count];
    return size;
}

/* Neighbours mostly share all digits but the last, and ten thousands of them are told of in a rebalance of a large group. */
static uint8_t *put_partitions(uint8_t *p, const ks_topic_partitions *topic) {
    uint8_t head[12] = { 0 };
    size_t head_size = 0;
    uint32_t head_number = 0; /* 0: one digit, no head */
    for (int32_t i = 0; i < topic->partition_count; i++) {
        int32_t number = topic->partitions[i];
        uint32_t left = number < 0 ? 0 - (uint32_t)number : (uint32_t)number;
        *p++ = i == 0 ? '[' : ',';
        if (number < 0) *p++ = '-';
        if (left / 10 != head_number) {
            head_number = left / 10;
            head_size = head_number > 0 ? put_digits(head, head_number) : 0;
        }
        memcpy(p, head, sizeof head); /* of a fixed size: one or two instructions */
        p += head_size;
        *p++ = (uint8_t)('0' + left % 10);
    }
    return p;
}

void ks_topic_partitions_print(const ks_topic_partitions *topics, int32_t count, ks_buffer *out) {
    enum { NUMBER_MAX = 12, HEAD_MAX = 12 };
    size_t room = HEAD_MAX;
    for (int32_t t = 0; t < count; t++) room += (size_t)topics[t].topic.size + 3 + (size_t)topics[t].partition_count * NUMBER_MAX;
    ks_buffer_reserve(out, room);
    uint8_t *p = out->data + out->size;
    for (int32_t t = 0; t < count; t++) {
        if (t > 0) *p++ = ' ';
        memcpy(p, topics[t].topic.data, (size_t)topics[t].topic.size);
        p = put_partitions(p + topics[t].topic.size, &topics[t]);
        *p++ = ']';
    }
    *p = '\0';
    out->size = (size_t)(p - out->data);
}
