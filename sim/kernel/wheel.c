/* SPDX-License-Identifier: Apache-2.0
 * The timing wheel; the idea is told in wheel.h. */
#include "sim/kernel/wheel.h"

enum { AHEAD = 12 }; /* entries: how far in front of the walk timers are fetched into the cache */

/* Bits and digits: the only places that need a compiler builtin. */
static int lowest_bit(uint64_t bits) { return __builtin_ctzll(bits); }
static int level_of(uint64_t difference) { return difference == 0 ? 0 : (63 - __builtin_clzll(difference)) / 6; }
static int digit(uint64_t time, int level) { return (int)(time >> (6 * level) & (KS_WHEEL_SLOTS - 1)); }

/* ---- slots ---- */

static ks_wheel_chunk *chunk_new(ks_wheel *wheel) {
    ks_wheel_chunk *chunk = wheel->free_chunks;
    if (chunk != NULL)
        wheel->free_chunks = chunk->next;
    else
        chunk = ks_realloc(NULL, sizeof *chunk); /* entries are written before they are read */
    chunk->next = NULL;
    return chunk;
}

static void chunk_free(ks_wheel *wheel, ks_wheel_chunk *chunk) {
    chunk->next = wheel->free_chunks;
    wheel->free_chunks = chunk;
}

static ks_wheel_slot *slot_at(ks_wheel *wheel, int level, int number) { return &wheel->slots[level * KS_WHEEL_SLOTS + number]; }

static void slot_note(ks_wheel *wheel, int level, int number) {
    wheel->occupied[level] |= UINT64_C(1) << number;
    wheel->levels |= (uint16_t)(1u << level);
}

static void slot_forget(ks_wheel *wheel, int level, int number) {
    slot_at(wheel, level, number)->first = NULL;
    wheel->occupied[level] &= ~(UINT64_C(1) << number);
    if (wheel->occupied[level] == 0) wheel->levels &= (uint16_t) ~(1u << level);
}

static void slot_close(ks_wheel *wheel, int level, int number) {
    const ks_wheel_slot *slot = slot_at(wheel, level, number);
    slot->last->next = wheel->free_chunks;
    wheel->free_chunks = slot->first;
    slot_forget(wheel, level, number);
}

static int32_t chunk_end(const ks_wheel_slot *slot, const ks_wheel_chunk *chunk) {
    return chunk == slot->last ? slot->end : KS_WHEEL_CHUNK;
}

/* The first entry of a slot with others is gone: the next timer is the first. */
static void begin_behind(ks_wheel *wheel, ks_wheel_slot *slot) {
    for (;; slot->holes--) {
        if (++slot->begin == KS_WHEEL_CHUNK) {
            ks_wheel_chunk *empty = slot->first;
            slot->first = empty->next;
            slot->begin = 0;
            chunk_free(wheel, empty);
        }
        if (slot->first->entries[slot->begin].timer != NULL) return;
    }
}

/* Room for one more timer. */
static __attribute__((noinline)) ks_wheel_slot *slot_grown(ks_wheel *wheel, int level, int number, uint64_t deadline) {
    ks_wheel_slot *slot = slot_at(wheel, level, number);
    ks_wheel_chunk *chunk = chunk_new(wheel);
    if (slot->first == NULL) {
        *slot = (ks_wheel_slot){ .first = chunk, .last = chunk, .deadline = deadline };
        slot_note(wheel, level, number);
    } else {
        slot->last = slot->last->next = chunk;
        slot->end = 0;
    }
    return slot;
}

static inline void put(ks_wheel_slot *slot, ks_timer *timer, uint64_t deadline) {
    if (slot->deadline != deadline) slot->deadline = KS_WHEEL_MIXED;
    slot->live++;
    ks_wheel_entry *entry = &slot->last->entries[slot->end++];
    *entry = (ks_wheel_entry){ deadline, timer };
    timer->entry = entry;
}

static inline void place(ks_wheel *wheel, ks_timer *timer, uint64_t deadline) {
    int level = level_of(deadline ^ wheel->now), number = digit(deadline, level);
    ks_wheel_slot *slot = slot_at(wheel, level, number);
    if (slot->first != NULL && slot->end < KS_WHEEL_CHUNK)
        put(slot, timer, deadline);
    else
        put(slot_grown(wheel, level, number, deadline), timer, deadline);
}

/* Places the timers of one slot again, in order: elsewhere after `now` has moved, or in the same slot without holes. */
static void spread(ks_wheel *wheel, int level, int number) {
    const ks_wheel_slot slot = *slot_at(wheel, level, number);
    int32_t i = slot.begin;
    slot_forget(wheel, level, number);
    for (ks_wheel_chunk *chunk = slot.first, *next; chunk != NULL; chunk = next, i = 0) {
        int32_t end = chunk_end(&slot, chunk);
        for (; i < end; i++) {
            if (i + AHEAD < end) __builtin_prefetch(chunk->entries[i + AHEAD].timer, 1);
            if (chunk->entries[i].timer != NULL) place(wheel, chunk->entries[i].timer, chunk->entries[i].deadline);
        }
        next = chunk->next;
        if (next != NULL)
            for (int32_t k = 0; k < AHEAD && k < chunk_end(&slot, next); k++)
                __builtin_prefetch(next->entries[k].timer, 1);
        chunk_free(wheel, chunk);
    }
}

/* `now` has moved into the range of a slot: its timers come nearer. Those that are due now stand in a slot of level 0. */
static void bring_nearer(ks_wheel *wheel, int level, int number) {
    const ks_wheel_slot *slot = slot_at(wheel, level, number);
    if (slot->deadline != wheel->now) {
        spread(wheel, level, number);
        return;
    }
    int due = digit(wheel->now, 0);
    *slot_at(wheel, 0, due) = *slot;
    slot_forget(wheel, level, number);
    slot_note(wheel, 0, due);
}

static bool is_empty(const ks_wheel *wheel) { return wheel->levels == 0 && wheel->overdue.first == NULL; }

static void forget_next(ks_wheel *wheel) { wheel->next = is_empty(wheel) ? KS_WHEEL_NEVER : 0; }

/* Takes out the first timer of a slot. */
static ks_timer *take_first(ks_wheel *wheel, int level, int number) {
    ks_wheel_slot *slot = slot_at(wheel, level, number);
    ks_timer *timer = slot->first->entries[slot->begin].timer;
    if (--slot->live == 0) {
        slot_close(wheel, level, number);
        forget_next(wheel);
    } else {
        begin_behind(wheel, slot);
    }
    return timer;
}

/* ---- the wheel ---- */

void ks_wheel_init(ks_wheel *wheel, uint64_t now) {
    wheel->now = now;
    wheel->next = KS_WHEEL_NEVER;
    ks_timer_list_init(&wheel->overdue);
}

void ks_wheel_deinit(ks_wheel *wheel) {
    while (wheel->levels != 0) {
        int level = lowest_bit(wheel->levels);
        slot_close(wheel, level, lowest_bit(wheel->occupied[level]));
    }
    for (ks_wheel_chunk *chunk = wheel->free_chunks, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        ks_free(chunk);
    }
}

void ks_wheel_insert(ks_wheel *wheel, ks_timer *timer) {
    uint64_t deadline = (uint64_t)timer->deadline;
    ks_assert(deadline >= wheel->now);
    if (deadline < wheel->next) wheel->next = deadline;
    timer->overdue = false;
    place(wheel, timer, deadline);
}

static bool before(const ks_timer *a, const ks_timer *b) {
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->sequence < b->sequence;
}

void ks_wheel_insert_overdue(ks_wheel *wheel, ks_timer_list *list) {
    const ks_timer *last = NULL;
    ks_timer **at = &wheel->overdue.first;
    for (ks_timer *timer; (timer = ks_timer_list_pop(list)) != NULL; last = timer) {
        ks_assert((uint64_t)timer->deadline <= wheel->now);
        if (last != NULL && before(timer, last)) at = &wheel->overdue.first;
        while (*at != NULL && before(*at, timer)) at = &(*at)->next;
        ks_timer_list_insert(&wheel->overdue, at, timer);
        timer->overdue = true;
        wheel->next = wheel->now;
    }
}

static void take_out(ks_wheel *wheel, const ks_timer *timer) {
    uint64_t deadline = (uint64_t)timer->deadline;
    int level = level_of(deadline ^ wheel->now), number = digit(deadline, level);
    ks_wheel_slot *slot = slot_at(wheel, level, number);
    timer->entry->timer = NULL;
    if (--slot->live == 0) {
        slot_close(wheel, level, number);
    } else if (timer->entry == &slot->first->entries[slot->begin]) {
        begin_behind(wheel, slot); /* many go in the order in which they came: requests that were answered */
    } else if (slot->end > 1 && timer->entry == &slot->last->entries[slot->end - 1]) {
        slot->end--; /* the youngest goes often: a request was answered at once */
    } else if (++slot->holes > 3 * slot->live + 2 * KS_WHEEL_CHUNK) {
        spread(wheel, level, number);
    }
}

void ks_wheel_remove(ks_wheel *wheel, ks_timer *timer) {
    if (timer->overdue)
        ks_timer_list_remove(&wheel->overdue, timer);
    else
        take_out(wheel, timer);
    if ((uint64_t)timer->deadline <= wheel->next) forget_next(wheel);
}

static uint64_t earliest(ks_wheel *wheel) {
    int level = lowest_bit(wheel->levels), number = lowest_bit(wheel->occupied[level]);
    const ks_wheel_slot *slot = slot_at(wheel, level, number);
    if (slot->deadline != KS_WHEEL_MIXED) return slot->deadline; /* always so at level 0 */
    uint64_t least = UINT64_MAX;
    int32_t i = slot->begin;
    for (const ks_wheel_chunk *chunk = slot->first; chunk != NULL; chunk = chunk->next, i = 0)
        for (int32_t end = chunk_end(slot, chunk); i < end; i++)
            if (chunk->entries[i].timer != NULL && chunk->entries[i].deadline < least)
                least = chunk->entries[i].deadline;
    return least;
}

bool ks_wheel_next(ks_wheel *wheel, uint64_t *deadline) {
    if (is_empty(wheel)) return false;
    if (wheel->next == 0) wheel->next = wheel->overdue.first != NULL ? wheel->now : earliest(wheel);
    *deadline = wheel->next;
    return true;
}

/* The slot whose range `now` moves into is the only one that stands wrong afterwards. */
void ks_wheel_advance(ks_wheel *wheel, uint64_t now) {
    ks_assert(now >= wheel->now && (now == wheel->now || wheel->overdue.first == NULL));
    int level = level_of(now ^ wheel->now), number = digit(now, level);
    /* Lower levels share the old `now`'s digits, so their timers would be overdue. */
    ks_assert((wheel->levels & ((1u << level) - 1)) == 0);
    wheel->now = now;
    if (level > 0 && (wheel->occupied[level] >> number & 1) != 0) bring_nearer(wheel, level, number);
}

ks_timer *ks_wheel_pop(ks_wheel *wheel) {
    if (wheel->overdue.first != NULL) { /* it was popped before, so it comes before all that is due now and was not */
        ks_timer *timer = ks_timer_list_pop(&wheel->overdue);
        forget_next(wheel);
        return timer;
    }
    if (wheel->levels == 0) return NULL;
    int level = lowest_bit(wheel->levels), number = lowest_bit(wheel->occupied[level]);
    if (level > 0 && slot_at(wheel, level, number)->live > 1) {
        uint64_t deadline;
        ks_wheel_next(wheel, &deadline);
        ks_wheel_advance(wheel, deadline);
        level = 0;
        number = digit(deadline, 0);
    }
    ks_timer *timer = take_first(wheel, level, number);
    wheel->now = (uint64_t)timer->deadline; /* a lone timer needs no spreading: nothing else stands in that slot */
    return timer;
}
