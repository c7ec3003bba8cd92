/* SPDX-License-Identifier: Apache-2.0
 *
 * What surrounds the few instructions of switch_*.S: the first frame of a new stack; and the same by ucontext for
 * machines that have no such file.
 */
#define _DEFAULT_SOURCE
#include "sim/task/switch.h"

#include <stdint.h>
#include <stdlib.h>

#ifdef KS_SWITCH_OWN

void ks_switch_stacks(void **save_sp, void *load_sp);
void ks_switch_begin(void);

void ks_switch_prepare(ks_switch_place *place, void *stack, size_t size, void (*entry)(void *argument),
                       void *argument) {
    uintptr_t top = ((uintptr_t)stack + size) & ~(uintptr_t)15;
#if defined(__x86_64__)
    /* Popped in this order: control words, r15, r14, r13, r12, rbx, rbp, then the return address. After the `ret` the
     * stack pointer is a multiple of 16, as at any call instruction. */
    uint64_t *frame = (uint64_t *)top - 10;
    uint32_t mxcsr;
    uint16_t control;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(control));
    frame[0] = mxcsr | (uint64_t)control << 32;
    frame[1] = frame[2] = 0;
    frame[3] = (uint64_t)(uintptr_t)argument; /* r13 */
    frame[4] = (uint64_t)(uintptr_t)entry;    /* r12 */
    frame[5] = frame[6] = 0;
    frame[7] = (uint64_t)(uintptr_t)ks_switch_begin;
    frame[8] = frame[9] = 0;
#else
    uint64_t *frame = (uint64_t *)top - 20; /* 160 bytes: x19..x30, d8..d15 */
    for (int i = 0; i < 20; i++) frame[i] = 0;
    frame[0] = (uint64_t)(uintptr_t)entry;
    frame[1] = (uint64_t)(uintptr_t)argument;
    frame[11] = (uint64_t)(uintptr_t)ks_switch_begin; /* x30 */
#endif
    place->sp = frame;
}

void ks_switch_jump(ks_switch_place *from, ks_switch_place *to) { ks_switch_stacks(&from->sp, to->sp); }

#else

/* makecontext() passes ints only: a pointer travels as two halves. */
static void begin(unsigned entry_high, unsigned entry_low, unsigned argument_high, unsigned argument_low) {
    uintptr_t entry = (uintptr_t)((uint64_t)entry_high << 32 | entry_low);
    uintptr_t argument = (uintptr_t)((uint64_t)argument_high << 32 | argument_low);
    ((void (*)(void *))entry)((void *)argument);
    abort();
}

void ks_switch_prepare(ks_switch_place *place, void *stack, size_t size, void (*entry)(void *argument),
                       void *argument) {
    uint64_t e = (uintptr_t)entry, a = (uintptr_t)argument;
    getcontext(&place->context);
    place->context.uc_stack.ss_sp = stack;
    place->context.uc_stack.ss_size = size;
    place->context.uc_link = NULL;
    makecontext(&place->context, (void (*)(void))begin, 4, (unsigned)(e >> 32), (unsigned)e, (unsigned)(a >> 32),
                (unsigned)a);
}

void ks_switch_jump(ks_switch_place *from, ks_switch_place *to) { swapcontext(&from->context, &to->context); }

#endif
