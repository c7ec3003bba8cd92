/* SPDX-License-Identifier: Apache-2.0
 *
 * Switching stacks. On x86-64 (System V) and AArch64 a dozen instructions of our own; elsewhere POSIX ucontext, which
 * also saves the signal mask by a system call at every switch (measured on x86-64: 12 ns against 160 ns).
 */
#ifndef KS_SWITCH_H
#define KS_SWITCH_H

#include <stddef.h>

#if (defined(__x86_64__) && defined(__linux__) && !defined(__ILP32__)) || (defined(__aarch64__) && defined(__linux__))
#define KS_SWITCH_OWN 1
#endif
#if defined(KAFKASIM_UCONTEXT)
#undef KS_SWITCH_OWN
#endif

#ifdef KS_SWITCH_OWN
typedef struct ks_switch_place {
    void *sp;
} ks_switch_place;
#else
#include <ucontext.h>
typedef struct ks_switch_place {
    ucontext_t context;
} ks_switch_place;
#endif

/* Prepares a fresh stack so that the first jump there calls entry(argument), which must never return. */
void ks_switch_prepare(ks_switch_place *place, void *stack, size_t size, void (*entry)(void *argument), void *argument);
/* Saves where we are in `from` and goes on at `to`. */
void ks_switch_jump(ks_switch_place *from, ks_switch_place *to);

#endif
