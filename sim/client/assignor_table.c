/* SPDX-License-Identifier: Apache-2.0
 *
 * The assignors by name, and what the sticky ones put into their subscriptions' user data: "sticky" its whole previous
 * assignment and the generation (StickyAssignorUserData v1), "cooperative-sticky" only the generation, for members whose
 * subscription is too old to have a field for it. */
#include "sim/client/assignor.h"

/* ---- user data ---- */

static void put_i32(ks_buffer *out, int32_t value) {
    uint32_t v = (uint32_t)value;
    ks_buffer_append(out, (uint8_t[4]){ (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v }, 4);
}

static ks_bytes finish(ks_buffer *out, ks_arena *arena) {
    ks_bytes bytes = ks_arena_bytes(arena, (ks_bytes){ out->data, (int32_t)out->size });
    ks_buffer_deinit(out);
    return bytes;
}

static ks_bytes sticky_user_data(const ks_topic_partitions *owned, int32_t count, int32_t generation, ks_arena *arena) {
    if (generation < 0) return KS_NULL_BYTES;
    ks_buffer out = { 0 };
    put_i32(&out, count);
    for (int32_t t = 0; t < count; t++) {
        ks_buffer_append(&out, (uint8_t[2]){ (uint8_t)(owned[t].topic.size >> 8), (uint8_t)owned[t].topic.size }, 2);
        ks_buffer_append(&out, owned[t].topic.data, (size_t)owned[t].topic.size);
        put_i32(&out, owned[t].partition_count);
        for (int32_t i = 0; i < owned[t].partition_count; i++) put_i32(&out, owned[t].partitions[i]);
    }
    put_i32(&out, generation);
    return finish(&out, arena);
}

static ks_bytes cooperative_user_data(const ks_topic_partitions *owned, int32_t count, int32_t generation, ks_arena *arena) {
    (void)owned, (void)count;
    ks_buffer out = { 0 };
    put_i32(&out, generation);
    return finish(&out, arena);
}

typedef struct cursor {
    const uint8_t *data;
    int64_t left;
    bool failed;
} cursor;

static uint32_t take(cursor *in, int32_t size) {
    if (in->failed || in->left < size) {
        in->failed = true;
        return 0;
    }
    uint32_t value = 0;
    for (int32_t i = 0; i < size; i++) value = value << 8 | in->data[i];
    in->data += size;
    in->left -= size;
    return value;
}

static bool take_topic(cursor *in, ks_arena *arena, ks_topic_partitions *topic) {
    int32_t size = (int32_t)take(in, 2);
    if (in->failed || in->left < size) return false;
    topic->topic = (ks_string){ (const char *)in->data, size };
    in->data += size;
    in->left -= size;
    int32_t count = (int32_t)take(in, 4);
    if (in->failed || count < 0 || in->left < (int64_t)count * 4) return false;
    topic->partitions = ks_arena_alloc(arena, ((size_t)count + 1) * sizeof *topic->partitions);
    topic->partition_count = count;
    for (int32_t i = 0; i < count; i++) topic->partitions[i] = (int32_t)take(in, 4);
    return true;
}

static void read_sticky(const ks_subscription *subscription, ks_arena *arena, ks_assignor_member *member) {
    cursor in = { subscription->user_data.data, subscription->user_data.size, subscription->user_data.size <= 0 };
    int32_t count = (int32_t)take(&in, 4);
    if (in.failed || count < 0 || (int64_t)count * 6 > in.left) return; /* a topic takes 6 bytes at least */
    ks_topic_partitions *owned = ks_arena_alloc(arena, ((size_t)count + 1) * sizeof *owned);
    for (int32_t t = 0; t < count; t++)
        if (!take_topic(&in, arena, &owned[t])) return;
    member->owned = owned;
    member->owned_count = count;
    int32_t generation = (int32_t)take(&in, 4); /* version 0 of the user data has none */
    member->generation = in.failed ? -1 : generation;
}

static void read_cooperative(const ks_subscription *subscription, ks_arena *arena, ks_assignor_member *member) {
    (void)arena;
    member->owned = subscription->owned;
    member->owned_count = subscription->owned_count;
    member->generation = subscription->generation_id;
    if (subscription->version >= 2 && subscription->generation_id >= 0) return;
    cursor in = { subscription->user_data.data, subscription->user_data.size, subscription->user_data.size <= 0 };
    int32_t generation = (int32_t)take(&in, 4);
    if (!in.failed) member->generation = generation;
}

static ks_bytes no_user_data(const ks_topic_partitions *owned, int32_t count, int32_t generation, ks_arena *arena) {
    (void)owned, (void)count, (void)generation, (void)arena;
    return KS_NULL_BYTES;
}

static void read_nothing(const ks_subscription *subscription, ks_arena *arena, ks_assignor_member *member) {
    (void)subscription, (void)arena, (void)member;
}

/* ---- the table ---- */

static const ks_assignor assignors[] = {
    { "range", ks_assign_range, KS_REBALANCE_EAGER, no_user_data, read_nothing },
    { "roundrobin", ks_assign_roundrobin, KS_REBALANCE_EAGER, no_user_data, read_nothing },
    { "sticky", ks_assign_sticky, KS_REBALANCE_EAGER, sticky_user_data, read_sticky },
    { "cooperative-sticky", ks_assign_cooperative_sticky, KS_REBALANCE_COOPERATIVE, cooperative_user_data, read_cooperative },
};
static const char *const class_names[] = {
    "org.apache.kafka.clients.consumer.RangeAssignor",
    "org.apache.kafka.clients.consumer.RoundRobinAssignor",
    "org.apache.kafka.clients.consumer.StickyAssignor",
    "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
};
_Static_assert(sizeof class_names / sizeof *class_names == sizeof assignors / sizeof *assignors, "one class for each");

int32_t ks_assignor_count(void) { return (int32_t)(sizeof assignors / sizeof *assignors); }

const ks_assignor *ks_assignor_at(int32_t index) { return &assignors[index]; }

const ks_assignor *ks_assignor_find(ks_string name) {
    for (int32_t i = 0; i < ks_assignor_count(); i++)
        if (ks_string_equal(name, ks_str(assignors[i].name)) || ks_string_equal(name, ks_str(class_names[i])))
            return &assignors[i];
    return NULL;
}

void ks_assignor_member_from(const ks_assignor *assignor, ks_string id, ks_string instance_id,
                             const ks_subscription *subscription, ks_arena *arena, ks_assignor_member *member) {
    *member = (ks_assignor_member){ .id = id,
                                    .instance_id = instance_id,
                                    .rack = subscription->rack_id,
                                    .topics = subscription->topics,
                                    .topic_count = subscription->topic_count,
                                    .generation = -1 };
    assignor->read_owned(subscription, arena, member);
}
