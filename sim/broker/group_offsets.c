/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/broker/group_offsets.h"

#include <stdlib.h>

#include "sim/broker/group_consumer.h"
#include "sim/protocol/consumer_protocol.h"

enum { PARTITIONS_MAX = 1 << 24 }; /* a key beyond that was not written by a broker */

static ks_offsets_topic *find_topic(const ks_group *group, ks_string name) {
    ks_group_offsets *offsets = group->offsets;
    if (offsets == NULL) return NULL;
    if (offsets->recent != NULL && ks_string_equal(offsets->recent->name, name)) return offsets->recent; /* they come in a row */
    KS_HASH_FIND_STRING(hh, offsets->topics, name, offsets->recent);
    return offsets->recent;
}

static void clear_item(ks_committed *item) {
    ks_free(item->more);
    *item = (ks_committed){ .offset = -1 };
}

static struct ks_committed_more *more_of(const ks_committed_value *value) {
    if (value->metadata.size <= 0 && value->expire_ms == -1) return NULL;
    int32_t size = value->metadata.size > 0 ? value->metadata.size : 0;
    struct ks_committed_more *more = ks_alloc(sizeof *more + (size_t)size + 1);
    more->expire_ms = value->expire_ms;
    more->metadata = (ks_string){ (char *)(more + 1), size };
    if (size > 0) memcpy(more + 1, value->metadata.data, (size_t)size);
    return more;
}

static void free_topic(ks_offsets_topic *topic) {
    for (int32_t i = 0; i < topic->capacity; i++) clear_item(&topic->items[i]);
    ks_free(topic->items);
    ks_free((void *)topic->name.data);
    ks_free(topic);
}

void ks_group_offsets_free(ks_group_offsets *offsets) {
    ks_offsets_topic *topic, *next;
    HASH_ITER(hh, offsets->topics, topic, next) {
        HASH_DELETE(hh, offsets->topics, topic);
        free_topic(topic);
    }
    ks_free(offsets);
}

static ks_offsets_topic *make_topic(ks_group *group, ks_string name) {
    if (group->offsets == NULL) group->offsets = ks_alloc(sizeof *group->offsets);
    ks_offsets_topic *topic = ks_alloc(sizeof *topic);
    topic->name = ks_string_dup(name);
    KS_HASH_ADD_STRING(hh, group->offsets->topics, name, topic);
    return topic;
}

static void make_room(ks_offsets_topic *topic, int32_t partition) {
    if (partition < topic->capacity) return;
    int32_t capacity = topic->capacity > 0 ? topic->capacity : 4;
    while (capacity <= partition) capacity *= 2;
    topic->items = ks_realloc(topic->items, sizeof *topic->items * (size_t)capacity);
    for (int32_t i = topic->capacity; i < capacity; i++) topic->items[i] = (ks_committed){ .offset = -1 };
    topic->capacity = capacity;
}

static void set(ks_group *group, ks_offsets_topic *topic, int32_t partition, const ks_committed_value *value) {
    make_room(topic, partition);
    ks_committed *item = &topic->items[partition];
    if (item->offset < 0) {
        topic->count++;
        group->offsets->count++;
    }
    if (item->more != NULL) ks_free(item->more);
    *item = (ks_committed){ value->offset, value->commit_ms, more_of(value), value->leader_epoch };
}

/* Returns the topic, which the next call is given; NULL: it may be gone. */
static ks_offsets_topic *set_in(ks_group *group, ks_offsets_topic *topic, ks_string name, int32_t partition, const ks_committed_value *value) {
    if (partition < 0 || partition >= PARTITIONS_MAX) return topic;
    if (value->offset < 0) { /* nobody checks what is committed; a negative offset reads as none */
        ks_group_offset_remove(group, name, partition);
        return NULL;
    }
    if (topic == NULL) topic = find_topic(group, name);
    if (topic == NULL) topic = make_topic(group, name);
    set(group, topic, partition, value);
    return topic;
}

void ks_group_offset_set(ks_group *group, ks_string topic, int32_t partition, const ks_committed_value *value) {
    set_in(group, NULL, topic, partition, value);
}

void ks_group_offsets_commit(ks_group *group, const ks_topic_commit *commit) {
    ks_offsets_topic *topic = NULL;
    for (int32_t i = 0; i < commit->count; i++) {
        ks_committed_value value = ks_topic_commit_value(commit, i);
        topic = set_in(group, topic, commit->topic, commit->offsets[i].partition, &value);
    }
}

bool ks_group_offsets_repeat(const ks_group *group, const ks_topic_commit *commit) {
    const ks_offsets_topic *topic = commit->count > 0 ? find_topic(group, commit->topic) : NULL;
    for (int32_t i = 0; i < commit->count; i++) {
        const ks_partition_offset *one = &commit->offsets[i];
        if (topic == NULL || one->partition >= topic->capacity || one->offset < 0) return false;
        const ks_committed *former = &topic->items[one->partition];
        if (former->offset != one->offset || !ks_string_equal(ks_committed_metadata(former), one->metadata)) return false;
    }
    return true;
}

void ks_group_offset_remove(ks_group *group, ks_string name, int32_t partition) {
    ks_offsets_topic *topic = find_topic(group, name);
    if (topic == NULL || partition < 0 || partition >= topic->capacity || topic->items[partition].offset < 0) return;
    clear_item(&topic->items[partition]);
    group->offsets->count--;
    if (--topic->count > 0) return;
    HASH_DELETE(hh, group->offsets->topics, topic);
    group->offsets->recent = NULL;
    free_topic(topic);
}

const ks_committed *ks_group_offset_find(const ks_group *group, ks_string name, int32_t partition) {
    const ks_offsets_topic *topic = find_topic(group, name);
    if (topic == NULL || partition < 0 || partition >= topic->capacity || topic->items[partition].offset < 0)
        return NULL;
    return &topic->items[partition];
}

int32_t ks_group_offset_count(const ks_group *group) { return group->offsets != NULL ? group->offsets->count : 0; }

static int by_name(const void *a, const void *b) {
    return ks_string_compare((*(ks_offsets_topic *const *)a)->name, (*(ks_offsets_topic *const *)b)->name);
}

ks_offsets_topic **ks_group_offset_topics(const ks_group *group, ks_arena *arena, int32_t *count) {
    int32_t topics = group->offsets != NULL ? (int32_t)HASH_CNT(hh, group->offsets->topics) : 0;
    ks_offsets_topic **list = ks_arena_alloc(arena, sizeof *list * (size_t)(topics + 1));
    *count = 0;
    if (topics > 0)
        for (ks_offsets_topic *topic = group->offsets->topics; topic != NULL; topic = topic->hh.next)
            list[(*count)++] = topic;
    qsort(list, (size_t)*count, sizeof *list, by_name);
    return list;
}

/* ---- who is subscribed to what ---- */

static bool is_consumer_type(const ks_group *group) {
    return ks_string_equal(group->protocol_type, KS_LITERAL("consumer"));
}

bool ks_group_subscribes(const ks_group *group, ks_string topic, ks_arena *scratch) {
    if (group->kind == KS_GROUP_CONSUMER) return ks_consumer_group_subscribes(group, topic);
    if (!is_consumer_type(group)) return false;
    ks_group_walks(group);
    for (const ks_group_member *member = group->first_member; member != NULL; member = member->next) {
        ks_bytes metadata = ks_group_member_metadata(member);
        ks_subscription subscription;
        if (group->protocol_name.size < 0) return true; /* no protocol chosen yet: nobody can tell */
        if (!ks_subscription_decode(metadata, scratch, &subscription)) return true; /* unreadable: to everything */
        for (int32_t i = 0; i < subscription.topic_count; i++)
            if (ks_string_equal(subscription.topics[i], topic)) return true;
    }
    return false;
}

/* ---- tombstones ---- */

void ks_group_tombstones(const ks_group *group, ks_arena *arena, ks_group_records *records) {
    int32_t topics;
    ks_offsets_topic **list = ks_group_offset_topics(group, arena, &topics);
    for (int32_t t = 0; t < topics; t++)
        for (int32_t p = 0; p < list[t]->capacity; p++)
            if (list[t]->items[p].offset >= 0) KS_PUSH(*records, ks_offset_tombstone(group->id, list[t]->name, p, arena));
    if (group->kind == KS_GROUP_CONSUMER)
        ks_consumer_group_tombstones(group, arena, records);
    else
        KS_PUSH(*records, *ks_group_tombstone(group, arena));
}

/* ---- KIP-211 ---- */

/* The table of section 2.5. False: no offset of this group can expire now. *emptied: count from when the group became
 * Empty. */
static bool may_expire(const ks_group *group, bool *emptied) {
    *emptied = false;
    if (group->kind == KS_GROUP_CONSUMER) return true;
    if (group->protocol_type.size < 0) return group->state == KS_GROUP_EMPTY; /* a simple group */
    if (group->state == KS_GROUP_EMPTY) return *emptied = true;
    return group->state == KS_GROUP_STABLE && is_consumer_type(group);
}

static int64_t expires_at(const ks_group *group, const ks_committed *item, bool emptied) {
    if (ks_committed_expire_ms(item) >= 0) return ks_committed_expire_ms(item);
    return (emptied ? group->state_since_ms : item->commit_ms) + group->groups->settings.offsets_retention_ms;
}

void ks_group_offsets_expired(const ks_group *group, int64_t now_ms, ks_arena *arena, ks_group_records *records,
                              int64_t *due) {
    bool emptied;
    *due = INT64_MAX;
    if (!may_expire(group, &emptied)) return;
    int32_t topics;
    ks_offsets_topic **list = ks_group_offset_topics(group, arena, &topics);
    for (int32_t t = 0; t < topics; t++) {
        if (ks_group_subscribes(group, list[t]->name, arena)) continue;
        for (int32_t p = 0; p < list[t]->capacity; p++) {
            const ks_committed *item = &list[t]->items[p];
            if (item->offset < 0) continue;
            int64_t at = expires_at(group, item, emptied);
            if (now_ms >= at) {
                KS_PUSH(*records, ks_offset_tombstone(group->id, list[t]->name, p, arena));
            } else if (at < *due) {
                *due = at;
            }
        }
    }
}
