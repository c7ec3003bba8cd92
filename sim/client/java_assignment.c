/* SPDX-License-Identifier: Apache-2.0
 *
 * The assigned partitions of a Java consumer and what is known of each (SubscriptionState): position, paused, pending
 * revocation. The paused flag lives with the assignment: an eager rebalance forgets it, a cooperative one keeps it. */
#include "sim/client/java_internal.h"

#include <stdlib.h>

/* ---- the book of names ---- */

ks_java_name *ks_java_name_find(const ks_consumer *c, ks_string name) {
    if (c->last_name && ks_string_equal(c->last_name->name, name)) return c->last_name; /* partitions of a topic come in a row */
    ks_java_name *entry;
    KS_HASH_FIND_STRING(hh, c->names, name, entry);
    return entry;
}

int32_t ks_java_name_index(ks_consumer *c, ks_string name) {
    ks_java_name *entry = ks_java_name_find(c, name);
    if (entry) {
        c->last_name = entry;
        return entry->index;
    }
    entry = ks_alloc(sizeof *entry);
    entry->name = ks_string_dup(name);
    entry->index = c->name_list.count;
    KS_PUSH(c->name_list, entry);
    KS_HASH_ADD_STRING(hh, c->names, name, entry);
    return entry->index;
}

/* O(log of the topic's partitions) */
ks_java_partition *ks_java_partition_find(const ks_consumer *c, ks_java_key key) {
    const ks_java_name *topic = c->name_list.items[key.topic];
    if (topic->assignment != c->assignment) return NULL;
    int32_t low = topic->first, high = topic->first + topic->count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (c->partitions.items[middle].key.partition < key.partition) low = middle + 1;
        else high = middle;
    }
    bool found = low < topic->first + topic->count && c->partitions.items[low].key.partition == key.partition;
    return found ? &c->partitions.items[low] : NULL;
}

ks_java_partition *ks_java_partition_named(const ks_consumer *c, ks_string topic, int32_t number) {
    const ks_java_name *entry = ks_java_name_find(c, topic);
    return entry ? ks_java_partition_find(c, (ks_java_key){ entry->index, number }) : NULL;
}

bool ks_java_partition_is_fetchable(const ks_java_partition *partition) {
    return partition->state == KS_FETCH_FETCHING && !partition->paused && !partition->pending_revocation &&
           !partition->awaiting_callback;
}

const ks_java_topic *ks_java_partition_topic(ks_consumer *c, const ks_java_partition *p) {
    ks_java_name *name = c->name_list.items[p->key.topic];
    uint64_t version = ks_java_metadata_version(c->metadata);
    if (name->known_version != version) name->known = ks_java_metadata_topic(c->metadata, name->name);
    name->known_version = version;
    return name->known;
}

int32_t ks_java_partition_leader(ks_consumer *c, ks_java_partition *p) {
    uint64_t version = ks_java_metadata_version(c->metadata);
    if (c->leaders_version != version)
        KS_EACH_PARTITION(one, c) one->leader = KS_LEADER_UNKNOWN;
    c->leaders_version = version;
    if (p->leader != KS_LEADER_UNKNOWN) return p->leader;
    const ks_java_topic *topic = ks_java_partition_topic(c, p);
    p->leader = topic ? ks_java_metadata_leader_of(c->metadata, topic, p->key.partition) : -1;
    return p->leader;
}

int32_t ks_java_partition_count(const ks_consumer *c) { return c->partitions.count; }

bool ks_java_subscribed_to(const ks_consumer *c, ks_string topic) {
    for (int32_t i = 0; i < c->subscription.count; i++)
        if (ks_string_equal(c->subscription.items[i], topic)) return true;
    return false;
}

/* ---- changing it ---- */

static ks_java_partition fresh(ks_consumer *c, ks_java_key key) {
    c->positions_missing = true;
    return (ks_java_partition){ .key = key, .serial = ++c->serial, .position = -1, .position_epoch = -1, .high_watermark = -1,
                                .leader = KS_LEADER_UNKNOWN, .wanted_by = -1, .buffered = ks_java_is_buffered(c, key) };
}

typedef struct run { /* what was assigned of a topic; both lists ascend, so that all of it is met in one pass */
    const ks_java_partition *next, *end;
} run;

static run former_of(const ks_consumer *c, const ks_java_name *topic, const ks_java_partition *before) {
    if (before == NULL || topic->assignment != c->assignment - 1) return (run){ 0 };
    return (run){ before + topic->first, before + topic->first + topic->count };
}

static void assign_topic(ks_consumer *c, const ks_topic_partitions *in, const ks_java_partition *before) {
    int32_t index = ks_java_name_index(c, in->topic);
    ks_java_name *topic = c->name_list.items[index];
    run had = former_of(c, topic, before);
    topic->first = c->partitions.count;
    topic->assignment = c->assignment;
    for (int32_t i = 0; i < in->partition_count; i++) {
        ks_java_key key = { index, in->partitions[i] };
        if (i > 0 && key.partition == in->partitions[i - 1]) continue;
        while (had.next != had.end && had.next->key.partition < key.partition) had.next++;
        bool kept = had.next != had.end && had.next->key.partition == key.partition;
        KS_PUSH(c->partitions, kept ? *had.next : fresh(c, key));
    }
    topic->count = c->partitions.count - topic->first;
}

/* Made at once, while the partitions are at hand. */
static void view_assignment(ks_consumer *c) {
    ks_arena_reset(c->assignment_arena);
    c->assignment_view.count = 0;
    int32_t former = -1, *numbers = ks_arena_alloc(c->assignment_arena, ((size_t)c->partitions.count + 1) * sizeof *numbers);
    KS_EACH_PARTITION(p, c) {
        if (p->key.topic != former) KS_PUSH(c->assignment_view, (ks_topic_partitions){ ks_java_topic_of(c, p), numbers, 0 });
        former = p->key.topic;
        *numbers++ = p->key.partition;
        c->assignment_view.items[c->assignment_view.count - 1].partition_count++;
    }
}

void ks_java_set_assignment(ks_consumer *c, const ks_topic_partitions *topics, int32_t count) {
    ks_java_partition *before = NULL;
    c->assignment++;
    c->fetch_changes++;
    if (count > 0 && c->partitions.count > 0) { /* an eager rebalance has given up all of them: their place is taken again */
        before = c->partitions.items;
        c->partitions.items = NULL;
        c->partitions.capacity = 0;
    }
    c->partitions.count = 0;
    for (int32_t t = 0; t < count; t++) assign_topic(c, &topics[t], before);
    ks_free(before);
    view_assignment(c);
    if (count == 0 && c->metadata) ks_java_fetch_nothing(c); /* without, it is shut down */
}

void ks_java_assignment_deinit(ks_consumer *c) {
    ks_free(c->partitions.items);
    c->partitions.items = NULL;
    c->partitions.count = c->partitions.capacity = 0;
    c->assignment++;
    HASH_CLEAR(hh, c->names);
    for (int32_t i = 0; i < c->name_list.count; i++) {
        ks_free((void *)c->name_list.items[i]->name.data);
        ks_free(c->name_list.items[i]);
    }
    ks_free(c->name_list.items);
    ks_arena_free(c->assignment_arena);
    ks_free(c->assignment_view.items);
}

/* ---- lists of partitions ---- */

typedef struct flat {
    ks_string topic;
    int32_t partition;
} flat;

static int compare_flat(const void *a, const void *b) {
    const flat *x = a, *y = b;
    int order = ks_string_compare(x->topic, y->topic);
    return order ? order : (x->partition > y->partition) - (x->partition < y->partition);
}

static int32_t count_partitions(const ks_topic_partitions *topics, int32_t count) {
    int32_t total = 0;
    for (int32_t t = 0; t < count; t++) total += topics[t].partition_count;
    return total;
}

static bool is_sorted(const ks_topic_partitions *topics, int32_t count) {
    for (int32_t t = 0; t < count; t++) {
        if (topics[t].partition_count == 0 || (t > 0 && ks_string_compare(topics[t - 1].topic, topics[t].topic) >= 0)) return false;
        for (int32_t i = 1; i < topics[t].partition_count; i++)
            if (topics[t].partitions[i - 1] > topics[t].partitions[i]) return false;
    }
    return true;
}

static ks_topic_partitions *sort(const ks_topic_partitions *topics, int32_t count, ks_arena *arena, int32_t *out_count) {
    int32_t total = count_partitions(topics, count), next = 0, groups = 0;
    flat *list = ks_arena_alloc(arena, ((size_t)total + 1) * sizeof *list);
    for (int32_t t = 0; t < count; t++)
        for (int32_t i = 0; i < topics[t].partition_count; i++) list[next++] = (flat){ topics[t].topic, topics[t].partitions[i] };
    qsort(list, (size_t)total, sizeof *list, compare_flat);
    ks_topic_partitions *out = ks_arena_alloc(arena, ((size_t)count + 1) * sizeof *out);
    int32_t *numbers = ks_arena_alloc(arena, ((size_t)total + 1) * sizeof *numbers);
    for (int32_t i = 0; i < total; i++) {
        if (i == 0 || !ks_string_equal(list[i].topic, list[i - 1].topic))
            out[groups++] = (ks_topic_partitions){ list[i].topic, numbers + i, 0 };
        numbers[i] = list[i].partition;
        out[groups - 1].partition_count++;
    }
    *out_count = groups;
    return out;
}

const ks_topic_partitions *ks_java_sorted(const ks_topic_partitions *topics, int32_t count, ks_arena *arena, int32_t *out_count) {
    if (!is_sorted(topics, count)) return sort(topics, count, arena, out_count);
    *out_count = count;
    return topics;
}

/* O(partitions) when they are in order already. */
ks_topic_partitions *ks_java_sorted_copy(const ks_topic_partitions *topics, int32_t count, ks_arena *arena, int32_t *out_count) {
    if (!is_sorted(topics, count)) return sort(topics, count, arena, out_count);
    ks_topic_partitions *out = ks_arena_alloc(arena, ((size_t)count + 1) * sizeof *out);
    for (int32_t t = 0; t < count; t++) {
        size_t size = (size_t)topics[t].partition_count * sizeof *topics[t].partitions;
        out[t] = topics[t];
        out[t].partitions = memcpy(ks_arena_alloc(arena, size), topics[t].partitions, size);
    }
    *out_count = count;
    return out;
}

bool ks_topic_partitions_has(const ks_topic_partitions *topics, int32_t count, ks_string topic, int32_t partition) {
    for (int32_t t = 0; t < count; t++) {
        if (!ks_string_equal(topics[t].topic, topic)) continue;
        for (int32_t i = 0; i < topics[t].partition_count; i++)
            if (topics[t].partitions[i] == partition) return true;
    }
    return false;
}

ks_topic_partitions *ks_java_minus(const ks_topic_partitions *topics, int32_t count, const ks_topic_partitions *minus,
                                   int32_t minus_count, ks_arena *arena, int32_t *out_count) {
    ks_topic_partitions *out = ks_arena_alloc(arena, ((size_t)count + 1) * sizeof *out);
    int32_t *numbers = ks_arena_alloc(arena, ((size_t)count_partitions(topics, count) + 1) * sizeof *numbers), kept = 0;
    for (int32_t t = 0, m = 0; t < count; t++) {
        while (m < minus_count && ks_string_compare(minus[m].topic, topics[t].topic) < 0) m++;
        bool both = m < minus_count && ks_string_equal(minus[m].topic, topics[t].topic);
        const int32_t *other = both ? minus[m].partitions : NULL, *end = both ? other + minus[m].partition_count : NULL;
        out[kept] = (ks_topic_partitions){ topics[t].topic, numbers, 0 };
        for (int32_t i = 0; i < topics[t].partition_count; i++) {
            while (other != end && *other < topics[t].partitions[i]) other++;
            if (other != end && *other == topics[t].partitions[i]) continue;
            *numbers++ = topics[t].partitions[i];
            out[kept].partition_count++;
        }
        kept += out[kept].partition_count > 0;
    }
    *out_count = kept;
    return out;
}

int32_t ks_consumer_assignment(ks_consumer *c, const ks_topic_partitions **topics) {
    *topics = c->assignment_view.items;
    return c->assignment_view.count;
}

/* ---- positions, as the application asks and sets them ---- */

bool ks_consumer_position(const ks_consumer *c, ks_string topic, int32_t number, ks_position *position) {
    const ks_java_partition *p = ks_java_partition_named(c, topic, number);
    if (p == NULL) return false;
    *position = (ks_position){ p->state == KS_FETCH_FETCHING, p->position, p->high_watermark, p->paused };
    return true;
}

bool ks_consumer_seek(ks_consumer *c, ks_string topic, int32_t number, int64_t offset) {
    ks_java_partition *p = ks_java_partition_named(c, topic, number);
    if (p == NULL) return false;
    KS_EMIT(c->kernel, c->node, position_reset, .client = ks_str(ks_node_name(c->node)), .group = c->group_id, .topic = ks_java_topic_of(c, p),
            .partition = number, .from = p->position, .to = offset, .reason = KS_LITERAL("set_offset"));
    p->state = KS_FETCH_FETCHING;
    p->position = offset;
    p->position_epoch = -1;
    p->serial = ++c->serial; /* a lookup under way no longer counts; buffered data is dropped when it is met */
    p->looking_up = false;
    c->fetch_changes++;
    ks_java_wake(c);
    return true;
}

bool ks_consumer_seek_reset(ks_consumer *c, ks_string topic, int32_t number, ks_offset_reset to) {
    ks_java_partition *p = ks_java_partition_named(c, topic, number);
    if (p == NULL) return false;
    p->state = KS_FETCH_AWAIT_RESET;
    p->reset = to;
    p->reason = KS_RESET_SET_OFFSET;
    p->retry_at = 0;
    p->serial = ++c->serial;
    p->looking_up = false;
    c->fetch_changes++;
    c->positions_missing = true;
    ks_java_wake(c);
    return true;
}

bool ks_consumer_pause(ks_consumer *c, ks_string topic, int32_t number, bool paused) {
    ks_java_partition *p = ks_java_partition_named(c, topic, number);
    if (p == NULL) return false;
    p->paused = paused;
    c->fetch_changes++;
    if (!paused) ks_java_wake(c);
    return true;
}
