/* SPDX-License-Identifier: Apache-2.0
 *
 * The "range" assignor (RangeAssignor, racks: KIP-881). Per topic: n partitions in consecutive ranges over m subscribers,
 * the first n mod m of them one longer. Where racks matter, what lies in a member's rack is given first, the same partition
 * number of topics with equal subscribers and sizes to the same member, so that they stay co-partitioned. */
#include "sim/client/assignor_problem.h"

#include <stdlib.h>

typedef struct range_topic {
    int32_t topic, first, count;
    int32_t *subscribers; /* in member order: static ones first */
    int32_t subscriber_count;
    int32_t *assigned;    /* by place in `subscribers` */
    int32_t base, extra;  /* everybody's share; how many may still have one more */
    bool racks_matter;
} range_topic;

typedef struct range {
    ks_problem *problem;
    range_topic *topics;
} range;

static void *room(const range *r, int64_t count, size_t size) {
    return ks_arena_alloc(r->problem->arena, ((size_t)count + 1) * size);
}

static bool racks_match(const range *r, int32_t member, int32_t flat) {
    int32_t rack = r->problem->members[member].rack;
    return rack < 0 || ks_problem_in_rack(r->problem, flat, rack);
}

static int32_t room_of(const range_topic *topic, int32_t place) {
    int32_t left = topic->base + (topic->extra > 0) - topic->assigned[place];
    return left > 0 ? left : 0;
}

static void note_assigned(range_topic *topic, int32_t place, int32_t count) {
    topic->assigned[place] += count;
    if (count > 0 && topic->assigned[place] > topic->base) topic->extra--;
}

/* Each member in order takes the lowest free partitions up to its room; with `racks`, only those in its rack. */
static void give_ranges(range *r, range_topic *topic, bool racks) {
    int32_t *owner = r->problem->owner, lowest = topic->first, end = topic->first + topic->count;
    for (int32_t i = 0; i < topic->subscriber_count; i++) {
        int32_t left = room_of(topic, i), given = 0;
        while (lowest < end && owner[lowest] >= 0) lowest++;
        for (int32_t p = lowest; p < end && given < left; p++) {
            if (owner[p] >= 0 || (racks && !racks_match(r, topic->subscribers[i], p))) continue;
            owner[p] = topic->subscribers[i];
            given++;
        }
        note_assigned(topic, i, given);
    }
}

/* ---- topics that can be co-partitioned: the same subscribers, the same number of partitions ---- */

static int compare_shapes(const void *a, const void *b) {
    const range_topic *x = *(range_topic *const *)a, *y = *(range_topic *const *)b;
    if (x->count != y->count) return x->count < y->count ? -1 : 1;
    if (x->subscriber_count != y->subscriber_count) return x->subscriber_count < y->subscriber_count ? -1 : 1;
    int order = memcmp(x->subscribers, y->subscribers, (size_t)x->subscriber_count * sizeof *x->subscribers);
    return order != 0 ? order : (x->topic > y->topic) - (x->topic < y->topic);
}

static bool same_shape(const range_topic *x, const range_topic *y) {
    return x->count == y->count && x->subscriber_count == y->subscriber_count &&
           memcmp(x->subscribers, y->subscribers, (size_t)x->subscriber_count * sizeof *x->subscribers) == 0;
}

static bool fits_everywhere(const range *r, range_topic *const *group, int32_t count, int32_t place, int32_t partition) {
    for (int32_t t = 0; t < count; t++)
        if (room_of(group[t], place) == 0 || !racks_match(r, group[t]->subscribers[place], group[t]->first + partition))
            return false;
    return true;
}

static bool has_room(range_topic *const *group, int32_t count, int32_t place) {
    for (int32_t t = 0; t < count; t++)
        if (room_of(group[t], place) > 0) return true;
    return false;
}

static void give_co_partitioned(range *r, range_topic *const *group, int32_t count) {
    int32_t *remaining = room(r, group[0]->subscriber_count, sizeof *remaining), remaining_count = group[0]->subscriber_count;
    for (int32_t i = 0; i < remaining_count; i++) remaining[i] = i;
    for (int32_t p = 0; p < group[0]->count && remaining_count > 0; p++) {
        int32_t i = 0;
        while (i < remaining_count && !fits_everywhere(r, group, count, remaining[i], p)) i++;
        if (i == remaining_count) continue;
        int32_t place = remaining[i];
        for (int32_t t = 0; t < count; t++) {
            r->problem->owner[group[t]->first + p] = group[t]->subscribers[place];
            note_assigned(group[t], place, 1);
        }
        if (!has_room(group, count, place)) {
            remaining_count--;
            memmove(&remaining[i], &remaining[i + 1], (size_t)(remaining_count - i) * sizeof *remaining);
        }
    }
}

static void give_by_rack(range *r, int32_t topic_count) {
    range_topic **sorted = room(r, topic_count, sizeof *sorted);
    int32_t count = 0;
    for (int32_t t = 0; t < topic_count; t++)
        if (r->topics[t].count > 0) sorted[count++] = &r->topics[t];
    ks_sort(sorted, (size_t)count, sizeof *sorted, compare_shapes);
    for (int32_t start = 0, end; start < count; start = end) {
        for (end = start + 1; end < count && same_shape(sorted[start], sorted[end]);) end++;
        if (end - start > 1)
            give_co_partitioned(r, sorted + start, end - start);
        else if (sorted[start]->racks_matter)
            give_ranges(r, sorted[start], true);
    }
}

static bool prepare(range *r) {
    ks_problem *problem = r->problem;
    r->topics = room(r, problem->topic_count, sizeof *r->topics);
    bool any = false;
    for (int32_t t = 0; t < problem->topic_count; t++) {
        const ks_problem_topic *topic = &problem->topics[t];
        range_topic *own = &r->topics[t];
        *own = (range_topic){ .topic = t, .first = topic->first, .count = topic->count };
        own->subscribers = room(r, topic->member_count, sizeof *own->subscribers);
        own->assigned = room(r, topic->member_count, sizeof *own->assigned);
        if (topic->count == 0) continue;
        own->base = topic->count / topic->member_count;
        own->extra = topic->count % topic->member_count;
        own->racks_matter =
            ks_problem_racks_matter(problem, topic->members, topic->member_count, topic->first, topic->count);
        any |= own->racks_matter;
    }
    const int32_t *order = ks_problem_static_first(problem);
    for (int32_t i = 0; i < problem->member_count; i++) {
        const ks_problem_member *member = &problem->members[order[i]];
        for (int32_t t = 0; t < member->topic_count; t++) {
            range_topic *own = &r->topics[member->topics[t]];
            own->subscribers[own->subscriber_count++] = order[i];
        }
    }
    return any;
}

void ks_assign_range(const ks_assignor_input *input, ks_arena *arena, ks_assignor_share *shares) {
    ks_problem problem;
    ks_problem_init(&problem, input, arena);
    range r = { .problem = &problem };
    if (prepare(&r)) give_by_rack(&r, problem.topic_count);
    for (int32_t t = 0; t < problem.topic_count; t++) give_ranges(&r, &r.topics[t], false);
    ks_problem_shares(&problem, shares);
}
