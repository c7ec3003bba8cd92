/* SPDX-License-Identifier: Apache-2.0
 *
 * Packed copies of the fields of trace events: what is plain as it stands, a string as one byte of length and its bytes,
 * an array as its count and its items, all without gaps. How a kind is packed is found out once and written down as a plan,
 * a short list of steps in which what lies side by side is one. Most events with their texts fit into two or three cache
 * lines.
 */
#ifndef KS_TRACE_PACK_H
#define KS_TRACE_PACK_H

#include "sim/base/base.h"
#include "sim/base/describe.h"

enum {
    KS_PACKED_MAX = 448, /* bytes of a packed copy: strings are cut, arrays shortened */
    KS_PLANS = 256       /* more than there are kinds of events */
};

typedef struct ks_plan ks_plan;
typedef struct ks_plan_head { /* how a plan begins */
    const ks_struct *kind; /* NULL: of items that are no structs */
    bool trivial;
    bool heard, heard_if_trivial; /* by a subscriber, when there were `asked` changes of them (trace.c) */
    uint32_t asked;
} ks_plan_head;

typedef struct ks_plans { /* zeroed memory is a set without plans */
    int32_t count;
    bool (*trivial)(const ks_struct *kind, int16_t api_key, int16_t error_code); /* NULL: no kind is */
    struct {
        const ks_struct *kind;
        ks_plan *plan;
    } slots[KS_PLANS]; /* found by the kind's address; a taken slot sends to the next one */
} ks_plans;

ks_plan *ks_plan_make(ks_plans *plans, const ks_struct *kind, size_t slot);
void ks_plans_deinit(ks_plans *plans);

/* Made at the first call; lives as long as `plans`. */
static inline ks_plan *ks_plan_of(ks_plans *plans, const ks_struct *kind) {
    size_t slot = (uintptr_t)kind / sizeof *kind % KS_PLANS;
    while (plans->slots[slot].kind != kind) {
        if (plans->slots[slot].kind == NULL) return ks_plan_make(plans, kind, slot);
        slot = (slot + 1) % KS_PLANS;
    }
    return plans->slots[slot].plan;
}
static inline ks_plan_head *ks_plan_head_of(const ks_plan *plan) { return (ks_plan_head *)(uintptr_t)(const void *)plan; }

uint8_t *ks_fields_pack(const ks_plan *plan, const void *fields, uint8_t *to); /* returns the end of what it wrote */
/* The struct and its arrays lie in `arena`, its strings are views into `packed`. */
void *ks_fields_unpack(const ks_plan *plan, const uint8_t *packed, ks_arena *arena);

#endif
