/* SPDX-License-Identifier: Apache-2.0
 *
 * The "range" server-side assignor (coordinator.group.assignor.RangeAssignor): each topic's partitions in consecutive
 * ranges over its subscribers, the first n mod m of them one longer. Static members come first, by instance id, then the
 * dynamic ones by member id, so that topics with equal subscribers and sizes are co-partitioned. No memory, no racks. */
#include "sim/broker/assignor.h"

#include <stdlib.h>

typedef struct static_member {
    ks_string instance_id;
    int32_t member, index;
} static_member;

static int compare_static(const void *a, const void *b) {
    const static_member *x = a, *y = b;
    int order = ks_string_compare(x->instance_id, y->instance_id);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* `order` with the static members in front, by instance id. */
static const int32_t *range_order(const ks_server_assignor_input *in, ks_arena *scratch) {
    int32_t statics = 0;
    for (int32_t i = 0; i < in->order_count; i++) statics += in->members[in->order[i]].instance_id.size >= 0;
    if (statics == 0) return in->order;
    int32_t *order = ks_arena_alloc(scratch, (size_t)in->order_count * sizeof *order);
    static_member *sorted = ks_arena_alloc(scratch, (size_t)statics * sizeof *sorted);
    int32_t count = 0, dynamic = statics;
    for (int32_t i = 0; i < in->order_count; i++) {
        ks_string instance = in->members[in->order[i]].instance_id;
        if (instance.size >= 0) {
            sorted[count] = (static_member){ instance, in->order[i], i };
            count++;
        } else {
            order[dynamic++] = in->order[i];
        }
    }
    ks_sort(sorted, (size_t)statics, sizeof *sorted, compare_static);
    for (int32_t i = 0; i < statics; i++) order[i] = sorted[i].member;
    return order;
}

void ks_server_assign_range(const ks_server_assignor_input *in, ks_arena *scratch) {
    typedef struct progress { int32_t subscribers, seen, next; } progress;
    progress *topics = ks_arena_alloc(scratch, ((size_t)in->topic_count + 1) * sizeof *topics);
    for (int32_t t = 0; t < in->topic_count; t++)
        for (int32_t p = 0; p < in->topics[t].partition_count; p++) in->topics[t].target[p] = -1;
    const int32_t *order = range_order(in, scratch);
    for (int32_t i = 0; i < in->order_count; i++) {
        const ks_server_member *member = &in->members[order[i]];
        for (int32_t t = 0; t < member->topic_count; t++) topics[member->topics[t]].subscribers++;
    }
    for (int32_t i = 0; i < in->order_count; i++) {
        const ks_server_member *member = &in->members[order[i]];
        for (int32_t t = 0; t < member->topic_count; t++) {
            const ks_server_topic *topic = &in->topics[member->topics[t]];
            progress *at = &topics[member->topics[t]];
            int32_t share = topic->partition_count / at->subscribers + (at->seen < topic->partition_count % at->subscribers);
            at->seen++;
            for (; share > 0; share--) topic->target[at->next++] = order[i];
        }
    }
}
