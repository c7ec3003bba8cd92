/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue of timers: a hierarchical timing wheel over a 64-bit clock (Varghese and Lauck, scheme 7), with levels found by
 * XOR instead of by distance.
 *
 * A timer stands at the level of the highest base-64 digit in which its deadline differs from `now`, in the slot of that
 * digit. So its place is a function of (deadline, now) alone, which gives what we need:
 *   - all timers with one deadline stand in one list, in the order of starting (FIFO), at every moment;
 *   - the lowest occupied slot of the lowest occupied level holds the earliest ones; level 0 holds one deadline per slot;
 *   - timers that are overdue, because their node was paused, stand in front of what is due now;
 *   - when `now` moves, at most one slot changes its place: the one whose range `now` moves into. Its timers are spread
 *     again, in order.
 * Costs: start and stop O(1); a timer is spread at most once per level, 11 in theory, 2 or 3 for the delays of a cluster.
 */
#ifndef KS_WHEEL_H
#define KS_WHEEL_H

#include "sim/kernel/kernel.h"

/* Singly linked, with the address of the link that leads to each timer: O(1) append and removal. */
typedef struct ks_timer_list {
    ks_timer *first, **last; /* `last`: where the next one is appended */
} ks_timer_list;

static inline void ks_timer_list_init(ks_timer_list *list) {
    list->first = NULL;
    list->last = &list->first;
}

static inline void ks_timer_list_append(ks_timer_list *list, ks_timer *timer) {
    timer->next = NULL;
    timer->link = list->last;
    *list->last = timer;
    list->last = &timer->next;
}

/* Inserts at `at`, a link of this list. */
static inline void ks_timer_list_insert(ks_timer_list *list, ks_timer **at, ks_timer *timer) {
    timer->next = *at;
    timer->link = at;
    if (timer->next != NULL) timer->next->link = &timer->next;
    else list->last = &timer->next;
    *at = timer;
}

static inline void ks_timer_list_remove(ks_timer_list *list, ks_timer *timer) {
    *timer->link = timer->next;
    if (timer->next != NULL) timer->next->link = timer->link;
    else list->last = timer->link;
}

static inline ks_timer *ks_timer_list_pop(ks_timer_list *list) { /* NULL: empty */
    ks_timer *timer = list->first;
    if (timer != NULL) ks_timer_list_remove(list, timer);
    return timer;
}

enum { KS_WHEEL_LEVELS = 11, KS_WHEEL_SLOTS = 64 };

typedef struct ks_wheel {
    uint64_t now;
    uint64_t next;     /* earliest deadline, when known */
    bool next_known;
    uint16_t levels;   /* bit: the level has timers */
    uint64_t slots[KS_WHEEL_LEVELS]; /* bit: the slot has timers; lists of the others are uninitialised */
    ks_timer_list lists[KS_WHEEL_LEVELS][KS_WHEEL_SLOTS];
} ks_wheel;

void ks_wheel_init(ks_wheel *wheel, uint64_t now);
void ks_wheel_insert(ks_wheel *wheel, ks_timer *timer); /* deadline >= now */
/* Moves all of `list` to where it belongs among what is due now by (deadline, sequence number): what was overdue for long
 * comes before what is due now. Deadlines stay. O(list), as lists of what waited are in order or nearly so. */
void ks_wheel_insert_overdue(ks_wheel *wheel, ks_timer_list *list);
void ks_wheel_remove(ks_wheel *wheel, ks_timer *timer);
/* The earliest timer, removed; the clock moves to its deadline. NULL: none. */
ks_timer *ks_wheel_pop(ks_wheel *wheel);
/* Deadline of the earliest timer. False: none. O(1), or one walk of one slot after the earliest has changed. */
bool ks_wheel_next(ks_wheel *wheel, uint64_t *deadline);
void ks_wheel_advance(ks_wheel *wheel, uint64_t now); /* nothing may be due before */

#endif
