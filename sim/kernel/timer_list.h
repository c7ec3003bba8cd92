/* SPDX-License-Identifier: Apache-2.0
 * Lists of timers that wait outside the wheel. Singly linked, with the address of the link that leads to each timer:
 * O(1) append and removal. */
#ifndef KS_TIMER_LIST_H
#define KS_TIMER_LIST_H

#include "sim/kernel/kernel.h"

typedef struct ks_timer_list {
    ks_timer *first, **last; /* `last`: where the next one is appended */
} ks_timer_list;

static inline void ks_timer_list_init(ks_timer_list *list) {
    list->first = NULL;
    list->last = &list->first;
}

/* Inserts at `at`, a link of this list. */
static inline void ks_timer_list_insert(ks_timer_list *list, ks_timer **at, ks_timer *timer) {
    timer->next = *at;
    timer->link = at;
    if (timer->next != NULL)
        timer->next->link = &timer->next;
    else
        list->last = &timer->next;
    *at = timer;
}

static inline void ks_timer_list_append(ks_timer_list *list, ks_timer *timer) {
    timer->next = NULL;
    timer->link = list->last;
    *list->last = timer;
    list->last = &timer->next;
}

static inline void ks_timer_list_remove(ks_timer_list *list, ks_timer *timer) {
    *timer->link = timer->next;
    if (timer->next != NULL)
        timer->next->link = timer->link;
    else
        list->last = timer->link;
}

static inline ks_timer *ks_timer_list_pop(ks_timer_list *list) { /* NULL: empty */
    ks_timer *timer = list->first;
    if (timer != NULL) ks_timer_list_remove(list, timer);
    return timer;
}

#endif
