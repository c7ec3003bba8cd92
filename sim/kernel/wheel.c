/* SPDX-License-Identifier: Apache-2.0
 * The timing wheel; the idea is told in wheel.h. */
#include "sim/kernel/wheel.h"

/* Bits and digits: the only three places that need a compiler builtin. */
static int lowest_bit(uint64_t bits) { return __builtin_ctzll(bits); }
static int level_of(uint64_t difference) { return difference == 0 ? 0 : (63 - __builtin_clzll(difference)) / 6; }
static int digit(uint64_t time, int level) { return (int)(time >> (6 * level) & (KS_WHEEL_SLOTS - 1)); }

void ks_wheel_init(ks_wheel *wheel, uint64_t now) {
    wheel->now = now;
    wheel->next_known = false;
    wheel->levels = 0;
    memset(wheel->slots, 0, sizeof wheel->slots);
}

static ks_timer_list *slot_open(ks_wheel *wheel, int level, int slot) {
    ks_timer_list *list = &wheel->lists[level][slot];
    uint64_t bit = UINT64_C(1) << slot;
    if ((wheel->slots[level] & bit) == 0) {
        wheel->slots[level] |= bit;
        wheel->levels |= (uint16_t)(1u << level);
        ks_timer_list_init(list);
    }
    return list;
}

static void slot_emptied(ks_wheel *wheel, int level, int slot) {
    wheel->slots[level] &= ~(UINT64_C(1) << slot);
    if (wheel->slots[level] == 0) wheel->levels &= (uint16_t)~(1u << level);
}

static void place(ks_wheel *wheel, ks_timer *timer) {
    uint64_t deadline = (uint64_t)timer->deadline;
    int level = level_of(deadline ^ wheel->now), slot = digit(deadline, level);
    timer->level = (uint8_t)level;
    timer->slot = (uint8_t)slot;
    ks_timer_list_append(slot_open(wheel, level, slot), timer);
}

void ks_wheel_insert(ks_wheel *wheel, ks_timer *timer) {
    uint64_t deadline = (uint64_t)timer->deadline;
    ks_assert(deadline >= wheel->now);
    if (wheel->next_known ? deadline < wheel->next : wheel->levels == 0) {
        wheel->next = deadline;
        wheel->next_known = true;
    }
    place(wheel, timer);
}

static bool before(const ks_timer *a, const ks_timer *b) {
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->sequence < b->sequence;
}

void ks_wheel_insert_overdue(ks_wheel *wheel, ks_timer_list *list) {
    int slot = digit(wheel->now, 0);
    if (list->first == NULL) return;
    ks_timer_list *due = slot_open(wheel, 0, slot);
    const ks_timer *last = NULL;
    ks_timer **at = &due->first;
    for (ks_timer *timer; (timer = ks_timer_list_pop(list)) != NULL; last = timer) {
        ks_assert((uint64_t)timer->deadline <= wheel->now);
        if (last != NULL && before(timer, last)) at = &due->first;
        while (*at != NULL && before(*at, timer)) at = &(*at)->next;
        ks_timer_list_insert(due, at, timer);
        timer->level = 0;
        timer->slot = (uint8_t)slot;
    }
    wheel->next = wheel->now;
    wheel->next_known = true;
}

void ks_wheel_remove(ks_wheel *wheel, ks_timer *timer) {
    ks_timer_list *list = &wheel->lists[timer->level][timer->slot];
    ks_timer_list_remove(list, timer);
    if (list->first == NULL) slot_emptied(wheel, timer->level, timer->slot);
    if ((uint64_t)timer->deadline <= wheel->next) wheel->next_known = false;
}

static uint64_t due_time(const ks_wheel *wheel, const ks_timer *timer) {
    uint64_t deadline = (uint64_t)timer->deadline;
    return deadline > wheel->now ? deadline : wheel->now;
}

bool ks_wheel_next(ks_wheel *wheel, uint64_t *deadline) {
    if (wheel->levels == 0) return false;
    if (!wheel->next_known) {
        int level = lowest_bit(wheel->levels);
        const ks_timer *timer = wheel->lists[level][lowest_bit(wheel->slots[level])].first;
        uint64_t earliest = due_time(wheel, timer);
        if (level > 0) /* slots of level 0 hold a single one */
            while ((timer = timer->next) != NULL)
                if ((uint64_t)timer->deadline < earliest) earliest = (uint64_t)timer->deadline;
        wheel->next = earliest;
        wheel->next_known = true;
    }
    *deadline = wheel->next;
    return true;
}

/* The slot whose range `now` moves into is the only one that stands wrong afterwards. */
void ks_wheel_advance(ks_wheel *wheel, uint64_t now) {
    ks_assert(now >= wheel->now);
    int level = level_of(now ^ wheel->now), slot = digit(now, level);
    /* Lower levels share the old `now`'s digits, so their timers would be overdue. */
    ks_assert((wheel->levels & ((1u << level) - 1)) == 0);
    wheel->now = now;
    if (level == 0 || (wheel->slots[level] >> slot & 1) == 0) return;
    ks_timer *timer = wheel->lists[level][slot].first;
    slot_emptied(wheel, level, slot);
    for (ks_timer *next; timer != NULL; timer = next) {
        next = timer->next;
        place(wheel, timer);
    }
}

ks_timer *ks_wheel_pop(ks_wheel *wheel) {
    if (wheel->levels == 0) return NULL;
    int level = lowest_bit(wheel->levels), slot = lowest_bit(wheel->slots[level]);
    ks_timer *timer = wheel->lists[level][slot].first;
    if (level > 0 && timer->next != NULL) {
        uint64_t deadline;
        ks_wheel_next(wheel, &deadline);
        ks_wheel_advance(wheel, deadline);
        level = 0;
        slot = digit(deadline, 0);
        timer = wheel->lists[0][slot].first;
    }
    ks_timer_list *list = &wheel->lists[level][slot];
    wheel->now = due_time(wheel, timer); /* a lone timer needs no spreading: nothing else stands in that slot */
    ks_timer_list_remove(list, timer);
    if (list->first == NULL) {
        slot_emptied(wheel, level, slot);
        wheel->next_known = false;
    }
    return timer;
}
