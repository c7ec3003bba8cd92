/* SPDX-License-Identifier: Apache-2.0
 *
 * A fiber: a stack of its own with a guard page below it, and a place on it to go on from. AddressSanitizer and
 * valgrind are told of every stack and switch. The program's own stack is a fiber without a mapping.
 */
#ifndef KS_FIBER_H
#define KS_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/task/switch.h"

typedef struct ks_stack {
    struct ks_stack *next;
    uint8_t *mapping; /* guard page first */
    size_t mapping_size;
    uint8_t *low; /* usable bytes */
    size_t size;
    unsigned valgrind_id;
} ks_stack;

/* Stacks are taken from and given back to a pool, since mapping one costs microseconds and touched pages stay warm. */
typedef struct ks_stack_pool {
    ks_stack *idle;
    int32_t made;
} ks_stack_pool;

ks_stack *ks_stack_take(ks_stack_pool *pool);
void ks_stack_give(ks_stack_pool *pool, ks_stack *stack);
void ks_stack_pool_deinit(ks_stack_pool *pool); /* unmaps the idle ones */

typedef struct ks_fiber {
    ks_switch_place place;
    ks_stack *stack;    /* NULL: the program's own */
    void *fake_stack;   /* AddressSanitizer's */
    const void *parked; /* the frame that switched away last */
    const void *bottom; /* of the program's own stack, learnt at the first switch (AddressSanitizer only) */
    size_t bottom_size;
} ks_fiber;

/* `entry(argument)` runs at the first switch there, must call ks_fiber_arrived() first and end with ks_fiber_leave().
 */
void ks_fiber_init(ks_fiber *fiber, ks_stack *stack, void (*entry)(void *argument), void *argument);
void ks_fiber_switch(ks_fiber *from, ks_fiber *to);
void ks_fiber_arrived(ks_fiber *self, ks_fiber *from);       /* first thing on a new stack; `from` switched here */
_Noreturn void ks_fiber_leave(ks_fiber *self, ks_fiber *to); /* never comes back; the stack may be given to the pool */
/* Are we on this fiber's stack? False for the program's own. */
bool ks_fiber_is_here(const ks_fiber *fiber);
/* The program jumped (longjmp) from another fiber onto its own stack: sets the sanitizer right. */
void ks_fiber_landed(ks_fiber *own);

#endif
