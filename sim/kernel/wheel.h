/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue of timers: a hierarchical timing wheel over a 64-bit clock (Varghese and Lauck, scheme 7), with levels
 * found by XOR instead of by distance.
 *
 * A timer stands at the level of the highest base-64 digit in which its deadline differs from `now`, in the slot of
 * that digit. So its place is a function of (deadline, now) alone, which gives what we need:
 *   - all timers with one deadline stand in one slot, in the order of starting (FIFO), at every moment;
 *   - the lowest occupied slot of the lowest occupied level holds the earliest ones; level 0 holds one deadline per
 * slot;
 *   - when `now` moves, at most one slot changes its place: the one whose range `now` moves into. Its timers are spread
 *     again, in order.
 * What is overdue, because its node was paused or its link cut, stands apart in a sorted list that comes first.
 *
 * A slot is an array in chunks, of pairs (deadline, timer), not a list through the timers: spreading a million of them
 * then walks memory forwards and can fetch the timers ahead, where a list would wait for one cache miss after the
 * other. Where all have one deadline, as when a thousand clients were asked at once, the array moves as it is, and no timer is
 * touched. A stopped timer leaves a hole, unless it is the first or the last; a slot in which more than three of four are holes is
 * packed.
 *
 * Costs: start and stop O(1) (amortised); a timer is spread at most once per level, 11 in theory, 2 or 3 for the delays
 * of a cluster.
 */
#ifndef KS_WHEEL_H
#define KS_WHEEL_H

#include "sim/kernel/timer_list.h"

typedef struct ks_wheel_entry {
    uint64_t deadline;
    ks_timer *timer; /* NULL: a hole */
} ks_wheel_entry;

enum {
    KS_WHEEL_LEVELS = 11,
    KS_WHEEL_SLOTS = 64,
    KS_WHEEL_CHUNK = 31
};
#define KS_WHEEL_MIXED UINT64_MAX /* as a slot's deadline: timers have several */
#define KS_WHEEL_NEVER UINT64_MAX

typedef struct ks_wheel_chunk {
    struct ks_wheel_chunk *next;
    ks_wheel_entry entries[KS_WHEEL_CHUNK];
} ks_wheel_chunk;

typedef struct ks_wheel_slot { /* meaningless, but for `first`, while its bit is not set */
    ks_wheel_chunk *first, *last; /* NULL: no timers */
    uint64_t deadline;      /* that all timers which ever stood here have, or KS_WHEEL_MIXED */
    int32_t begin, end;     /* index in the first chunk, of a timer; behind the last one in the last chunk */
    uint32_t live, holes;   /* timers, and gaps between them */
} ks_wheel_slot;

typedef struct ks_wheel {
    uint64_t now;
    uint64_t next; /* earliest deadline; 0: not known, KS_WHEEL_NEVER: there is none */
    uint16_t levels;                    /* bit: the level has timers */
    uint64_t occupied[KS_WHEEL_LEVELS]; /* bit: the slot has timers */
    ks_timer_list overdue;              /* by (deadline, sequence number); due before or at `now` */
    ks_wheel_chunk *free_chunks;
    ks_wheel_slot slots[KS_WHEEL_LEVELS * KS_WHEEL_SLOTS];
} ks_wheel;

void ks_wheel_init(ks_wheel *wheel, uint64_t now); /* `wheel` is zeroed memory */
void ks_wheel_deinit(ks_wheel *wheel);
void ks_wheel_insert(ks_wheel *wheel, ks_timer *timer); /* deadline >= now */
/* Moves all of `list` to where it belongs among what is due now by (deadline, sequence number): what was overdue for
 * long comes before what is due now. O(list + overdue), as lists of what waited are in order or nearly so. */
void ks_wheel_insert_overdue(ks_wheel *wheel, ks_timer_list *list);
void ks_wheel_remove(ks_wheel *wheel, ks_timer *timer);
/* The earliest timer, removed; the clock moves to its deadline. NULL: none. */
ks_timer *ks_wheel_pop(ks_wheel *wheel);
/* What ks_wheel_pop will return soon: the timer `ahead` places behind the next one (0), when it is known without a search.
 * A hint for fetching memory ahead: NULL says nothing. */
static inline ks_timer *ks_wheel_peek(const ks_wheel *wheel, int32_t ahead) {
    if ((wheel->levels & 1) == 0) return NULL;
    const ks_wheel_slot *slot = &wheel->slots[__builtin_ctzll(wheel->occupied[0])];
    const ks_wheel_chunk *chunk = slot->first;
    int32_t at = slot->begin + ahead;
    if (at >= KS_WHEEL_CHUNK) {
        chunk = chunk->next;
        at -= KS_WHEEL_CHUNK;
    }
    if (chunk == NULL) return NULL;
    return at < (chunk == slot->last ? slot->end : KS_WHEEL_CHUNK) ? chunk->entries[at].timer : NULL;
}
/* Deadline of the earliest timer. False: none. O(1), or one walk of one slot after the earliest has changed. */
bool ks_wheel_next(ks_wheel *wheel, uint64_t *deadline);
void ks_wheel_advance(ks_wheel *wheel, uint64_t now); /* nothing may be due before */

#endif
