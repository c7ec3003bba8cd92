/* SPDX-License-Identifier: Apache-2.0
 *
 * Gathers partitions and subscriptions by topic: both are sorted by (topic, wanted order), then walked side by side.
 */
#include "sim/client/kafka_go_balancer_topics.h"

#include <stdlib.h>

#include "sim/base/base.h"

typedef struct entry {
    const char *topic;
    const char *id; /* "" when the order given counts */
    int32_t index;
} entry;

static int by_topic(const void *left, const void *right) {
    const entry *a = left, *b = right;
    int order = strcmp(a->topic, b->topic);
    if (order == 0) order = strcmp(a->id, b->id);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static entry *subscriptions(const kafka_group_member *members, size_t member_count, ks_member_order order,
                            size_t *count) {
    *count = 0;
    for (size_t m = 0; m < member_count; m++) *count += members[m].topic_count;
    entry *entries = ks_alloc((*count + 1) * sizeof *entries);
    size_t next = 0;
    for (size_t m = 0; m < member_count; m++)
        for (size_t t = 0; t < members[m].topic_count; t++)
            entries[next++] =
                (entry){ members[m].topics[t], order == KS_MEMBERS_BY_ID ? members[m].id : "", (int32_t)m };
    qsort(entries, *count, sizeof *entries, by_topic);
    return entries;
}

static entry *all_partitions(const kafka_group_partition *partitions, size_t count) {
    entry *entries = ks_alloc((count + 1) * sizeof *entries);
    for (size_t p = 0; p < count; p++) entries[p] = (entry){ partitions[p].topic, "", (int32_t)p };
    qsort(entries, count, sizeof *entries, by_topic);
    return entries;
}

/* The entries from `from` on that have its topic: their indices go to `indices`; returns how many. */
static int32_t run_of(const entry *entries, size_t count, size_t from, int32_t *indices) {
    int32_t length = 0;
    for (size_t i = from; i < count && strcmp(entries[i].topic, entries[from].topic) == 0; i++)
        indices[length++] = entries[i].index;
    return length;
}

void ks_balance_topics(const kafka_group_member *members, size_t member_count, const kafka_group_partition *partitions,
                       size_t partition_count, ks_member_order order,
                       void (*visit)(void *context, const ks_balanced_topic *topic), void *context) {
    size_t wish_count;
    entry *wishes = subscriptions(members, member_count, order, &wish_count);
    entry *offers = all_partitions(partitions, partition_count);
    int32_t *wish_indices = ks_alloc((wish_count + 1) * sizeof *wish_indices);
    int32_t *offer_indices = ks_alloc((partition_count + 1) * sizeof *offer_indices);
    for (size_t w = 0, p = 0; w < wish_count && p < partition_count;) {
        int difference = strcmp(wishes[w].topic, offers[p].topic);
        if (difference < 0) w++;
        if (difference > 0) p++;
        if (difference != 0) continue;
        ks_balanced_topic topic = { .members = wish_indices, .partitions = offer_indices };
        topic.member_count = run_of(wishes, wish_count, w, wish_indices);
        topic.partition_count = run_of(offers, partition_count, p, offer_indices);
        visit(context, &topic);
        w += (size_t)topic.member_count;
        p += (size_t)topic.partition_count;
    }
    ks_free(wishes);
    ks_free(offers);
    ks_free(wish_indices);
    ks_free(offer_indices);
}
