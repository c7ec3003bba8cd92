/* SPDX-License-Identifier: Apache-2.0
 *
 * The periodic clean-up of committed offsets (KIP-211; Kafka's cleanupExpiredOffsets) and what goes with a deleted
 * topic. The timer only runs while there are groups. */
#include "sim/broker/group_consumer.h"
#include "sim/broker/group_events.h"
#include "sim/broker/group_internal.h"
#include "sim/broker/group_shell.h"
#include "sim/protocol/events.h"

static void tell_deleted(ks_group_coordinator *coordinator, ks_group *group, const ks_group_records *records,
                         const char *reason) {
    for (int32_t i = 0; i < records->count; i++) {
        ks_group_key key;
        ks_group_key_decode(records->items[i].key, &key);
        if (key.kind != KS_RECORD_OFFSET) continue;
        KS_EMIT(ks_cluster_kernel(coordinator->all->cluster), coordinator->broker->node, offsets_deleted,
                .group = group->id, .topic = key.topic, .partition = key.partition, .reason = ks_str(reason));
    }
}

static bool on_written(ks_broker *broker, ks_group_write *write) {
    (void)broker, (void)write; /* what could not be written is tried again at the next check */
    return true;
}

static void write_records(ks_group_coordinator *coordinator, ks_string group_id, const ks_group_records *records) {
    ks_group_write write = { .records = records->items, .count = records->count, .done = on_written };
    ks_group_coordinator_write(coordinator->broker, group_id, &write);
}

static void write_tombstones(ks_group_coordinator *coordinator, ks_group *group, const ks_group_records *records,
                             const char *reason) {
    if (records->count == 0) return;
    tell_deleted(coordinator, group, records, reason);
    write_records(coordinator, group->id, records);
}

static bool is_empty(const ks_group *group) {
    return group->kind == KS_GROUP_CONSUMER ? ks_consumer_group_is_empty(group)
                                            : group->state == KS_GROUP_EMPTY && group->pending == NULL;
}

/* An empty group whose last offset is gone goes too. */
static void remove_if_done(ks_group_coordinator *coordinator, ks_group *group) {
    if (!is_empty(group) || ks_group_offset_count(group) > 0) return;
    ks_arena *arena = ks_arena_new();
    ks_group_records records = { 0 };
    ks_group_tombstones(group, arena, &records);
    ks_string id = ks_arena_string(arena, group->id);
    KS_EMIT(ks_cluster_kernel(coordinator->all->cluster), coordinator->broker->node, group_deleted, .group = id,
            .reason = KS_LITERAL("offsets_expired"));
    write_records(coordinator, id, &records);
    ks_free(records.items);
    ks_arena_free(arena);
}

static void check_group(ks_group_coordinator *coordinator, ks_group *group, int64_t now_ms) {
    ks_arena *arena = ks_arena_new();
    ks_group_records records = { 0 };
    int64_t due;
    ks_string id = ks_arena_string(arena, group->id);
    ks_group_offsets_expired(group, now_ms, arena, &records, &due);
    write_tombstones(coordinator, group, &records, "expired");
    group = ks_groups_find(&coordinator->groups, id);
    if (group != NULL) remove_if_done(coordinator, group);
    ks_free(records.items);
    ks_arena_free(arena);
}

static bool anything_left(const ks_group_coordinators *all) {
    for (int32_t i = 0; i < all->broker_count; i++)
        if (all->each[i].started && all->each[i].groups.by_id != NULL) return true;
    return false;
}

static void on_expiry(ks_timer *timer) {
    ks_group_coordinators *all = timer->owner;
    int64_t now_ms = ks_now_ms(ks_cluster_kernel(all->cluster));
    for (int32_t i = 0; i < all->broker_count; i++) {
        ks_group *group, *next;
        if (!all->each[i].started) continue;
        HASH_ITER(hh, all->each[i].groups.by_id, group, next) check_group(&all->each[i], group, now_ms);
    }
    if (anything_left(all)) ks_group_expiry_expect(all);
}

void ks_group_expiry_init(ks_group_coordinators *all) { ks_timer_init(&all->expiry_timer, NULL, on_expiry, all); }

void ks_group_expiry_expect(ks_group_coordinators *all) {
    if (ks_timer_is_running(&all->expiry_timer)) return;
    int64_t interval_ms = ks_cluster_setting(all->cluster, KS_SETTING_offsets_retention_check_interval_ms);
    int64_t interval = interval_ms > INT64_MAX / KS_MS ? INT64_MAX : interval_ms * KS_MS;
    ks_timer_start_background(ks_cluster_kernel(all->cluster), &all->expiry_timer, interval);
}

/* ---- deleted topics ---- */

static void forget_topic(ks_group_coordinator *coordinator, ks_group *group, const ks_topic *topic) {
    ks_arena *arena = ks_arena_new();
    ks_group_records records = { 0 };
    for (int32_t p = 0; p < topic->partition_count; p++) {
        if (ks_group_offset_find(group, topic->name, p) == NULL) continue;
        KS_PUSH(records, ks_offset_tombstone(group->id, topic->name, p, arena));
    }
    write_tombstones(coordinator, group, &records, "topic_deleted");
    ks_free(records.items);
    ks_arena_free(arena);
}

void ks_group_topic_deleted(ks_group_coordinators *all, const ks_topic *topic) {
    for (int32_t i = 0; i < all->broker_count; i++) {
        ks_group *group, *next;
        if (!all->each[i].started) continue;
        HASH_ITER(hh, all->each[i].groups.by_id, group, next) {
            if (ks_group_offset_count(group) > 0) forget_topic(&all->each[i], group, topic);
        }
    }
}
