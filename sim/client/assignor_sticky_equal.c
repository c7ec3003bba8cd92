/* SPDX-License-Identifier: Apache-2.0
 *
 * The sticky family for equal subscriptions (AbstractStickyAssignor's constrained case). T partitions, M members: everybody
 * gets at least T div M, at most T mod M members one more. Near-linear; with racks O(T M) at worst. */
#include "sim/client/assignor_sticky.h"

#include <stdlib.h>

typedef struct member_list {
    int32_t *items, count;
} member_list;

typedef struct equal {
    ks_sticky *sticky;
    ks_problem *problem;
    int32_t min, max, above_min_allowed; /* quotas; how many members may hold max while min < max */
    int32_t above_min;                   /* how many do */
    int32_t *size;                       /* by member */
    member_list under, exact;            /* may still grow: below min; at min and perhaps to max. Ascending at first */
    int32_t *dropped_by;                 /* by partition: the member that gave it up, -1 */
} equal;

static void *room(const equal *e, int64_t count, size_t size) {
    return ks_arena_alloc(e->problem->arena, ((size_t)count + 1) * size);
}

static void remove_at(member_list *list, int32_t index) {
    list->count--;
    memmove(&list->items[index], &list->items[index + 1], (size_t)(list->count - index) * sizeof *list->items);
}

static void append(member_list *list, int32_t member) { list->items[list->count++] = member; }

/* ---- step 1: what everybody keeps ---- */

typedef struct owned_partition {
    int32_t number, topic, flat;
} owned_partition;

static int compare_owned(const void *a, const void *b) { /* by (number, topic), so that a cut takes from all topics */
    const owned_partition *x = a, *y = b;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return (x->topic > y->topic) - (x->topic < y->topic);
}

static void keep_some(equal *e, int32_t member, owned_partition *own, int32_t count, int32_t quota) {
    if (count > quota) ks_sort(own, (size_t)count, sizeof *own, compare_owned);
    for (int32_t i = 0; i < count; i++) {
        if (i < quota)
            e->problem->owner[own[i].flat] = member;
        else
            e->dropped_by[own[i].flat] = member;
    }
    e->size[member] = count < quota ? count : quota;
}

static void keep_own(equal *e, int32_t member, owned_partition *own, int32_t count) {
    if (count < e->min) {
        keep_some(e, member, own, count, count);
        append(&e->under, member);
    } else if (count >= e->max && e->above_min < e->above_min_allowed) {
        keep_some(e, member, own, count, e->max);
        if (++e->above_min == e->above_min_allowed) e->exact.count = 0;
    } else {
        keep_some(e, member, own, count, e->min);
        if (e->above_min < e->above_min_allowed) append(&e->exact, member);
    }
}

static void keep_what_fits(equal *e) {
    ks_problem *problem = e->problem;
    int32_t *first = room(e, problem->member_count + 1, sizeof *first);
    const int32_t *held = e->sticky->held;
    bool *usable = room(e, problem->partition_count, sizeof *usable);
    for (int32_t p = 0; p < problem->partition_count; p++) {
        usable[p] = held[p] >= 0 && !e->sticky->claimed_twice[p] && !ks_sticky_rack_mismatch(e->sticky, held[p], p);
        if (usable[p])
            first[held[p] + 1]++;
        else
            e->dropped_by[p] = held[p]; /* in the wrong rack: given up too */
    }
    for (int32_t m = 0; m < problem->member_count; m++) first[m + 1] += first[m];
    owned_partition *own = room(e, problem->partition_count, sizeof *own);
    int32_t *next = room(e, problem->member_count, sizeof *next);
    memcpy(next, first, (size_t)problem->member_count * sizeof *next);
    for (int32_t p = 0; p < problem->partition_count; p++) {
        int32_t topic = problem->topic_of[p];
        if (usable[p]) own[next[held[p]]++] = (owned_partition){ p - problem->topics[topic].first, topic, p };
    }
    for (int32_t m = 0; m < problem->member_count; m++) keep_own(e, m, own + first[m], first[m + 1] - first[m]);
}

/* ---- steps 3 and 4: the rest ---- */

static void give(equal *e, int32_t flat, int32_t member) {
    e->problem->owner[flat] = member;
    e->size[member]++;
    int32_t former = e->dropped_by[flat];
    e->sticky->transferring[flat] = (former >= 0 && former != member) || e->sticky->claimed_twice[flat];
}

static int32_t first_in_rack(const equal *e, const member_list *list, int32_t start, int32_t flat) {
    for (int32_t i = 0; i < list->count; i++) {
        int32_t index = (start + i) % list->count;
        if (ks_sticky_rack_match(e->sticky, list->items[index], flat)) return index;
    }
    return -1;
}

/* Gives what lies in the rack of somebody who needs it; returns how many partitions are left in `free`. */
static int32_t give_by_rack(equal *e, int32_t *free_partitions, int32_t count) {
    int32_t left = 0, cursor = 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t flat = free_partitions[i], index = first_in_rack(e, &e->under, cursor, flat);
        if (index >= 0) {
            int32_t member = e->under.items[index];
            give(e, flat, member);
            if (e->size[member] >= e->min) {
                remove_at(&e->under, index);
                if (e->above_min < e->above_min_allowed) append(&e->exact, member);
            } else {
                index++;
            }
            cursor = e->under.count == 0 ? 0 : index % e->under.count;
        } else if ((index = first_in_rack(e, &e->exact, 0, flat)) >= 0) {
            int32_t member = e->exact.items[index];
            give(e, flat, member);
            remove_at(&e->exact, index); /* it holds max now */
            if (++e->above_min == e->above_min_allowed) e->exact.count = 0;
        } else {
            free_partitions[left++] = flat;
        }
    }
    return left;
}

static void give_round_robin(equal *e, const int32_t *free_partitions, int32_t count) {
    int32_t done = 0;
    while (done < count && e->under.count > 0) { /* one turn each; who reaches min goes over to the end of `exact` */
        int32_t stay = 0, seen = 0;
        for (; seen < e->under.count && done < count; seen++) {
            int32_t member = e->under.items[seen];
            give(e, free_partitions[done++], member);
            if (e->size[member] >= e->min)
                append(&e->exact, member);
            else
                e->under.items[stay++] = member;
        }
        for (; seen < e->under.count; seen++) e->under.items[stay++] = e->under.items[seen];
        e->under.count = stay;
    }
    for (int32_t i = 0; done < count; i++) {
        ks_assert(i < e->exact.count);
        give(e, free_partitions[done++], e->exact.items[i]);
    }
}

void ks_sticky_assign_equal(ks_sticky *sticky) {
    ks_problem *problem = sticky->problem;
    equal e = { .sticky = sticky, .problem = problem };
    int32_t members = problem->member_count, total = problem->partition_count;
    e.min = total / members;
    e.above_min_allowed = total % members;
    e.max = e.min + (e.above_min_allowed > 0);
    e.size = room(&e, members, sizeof *e.size);
    e.under.items = room(&e, members, sizeof *e.under.items);
    e.exact.items = room(&e, 2 * (int64_t)members, sizeof *e.exact.items);
    e.dropped_by = room(&e, total, sizeof *e.dropped_by);
    for (int32_t p = 0; p < total; p++) e.dropped_by[p] = -1;
    keep_what_fits(&e);
    int32_t *free_partitions = room(&e, total, sizeof *free_partitions), count = 0;
    for (int32_t p = 0; p < total; p++)
        if (problem->owner[p] < 0) free_partitions[count++] = p;
    if (sticky->racks_matter) {
        ks_sticky_sort_by_rack(sticky, free_partitions, count);
        count = give_by_rack(&e, free_partitions, count);
    }
    give_round_robin(&e, free_partitions, count);
}
