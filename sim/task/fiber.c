/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacks and switches, told to AddressSanitizer and valgrind.
 *
 * A jump (longjmp) out of a fiber onto the program's own stack is allowed: a failed cmocka assertion makes one. The
 * frames that were parked there are gone then, but AddressSanitizer would keep their red zones as poison under the feet
 * of whoever is called next. So red zones of the parked program stack are cleared at every switch away from it.
 */
#define _DEFAULT_SOURCE
#include "sim/task/fiber.h"

#include "sim/base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef VALGRIND_STACK_REGISTER
#define VALGRIND_STACK_REGISTER(low, high) 0
#define VALGRIND_STACK_DEREGISTER(id)      ((void)(id))
#endif

/* Only touched pages cost memory, so room is cheap; instrumented frames are several times larger. */
#if defined(WITH_ASAN) || defined(KS_SLOW_ASSERTIONS)
enum { STACK_SIZE = 1024 * 1024 };
#else
enum { STACK_SIZE = 256 * 1024 };
#endif

ks_stack *ks_stack_take(ks_stack_pool *pool) {
    ks_stack *stack = pool->idle;
    if (stack) {
        pool->idle = stack->next;
        return stack;
    }
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    stack = ks_alloc(sizeof *stack);
    stack->size = STACK_SIZE;
    stack->mapping_size = STACK_SIZE + page;
    stack->mapping =
        mmap(NULL, stack->mapping_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack->mapping == MAP_FAILED || mprotect(stack->mapping, page, PROT_NONE) != 0) {
        fprintf(stderr, "kafkasim: no memory for the stack of task %d\n", pool->made + 1);
        abort();
    }
    stack->low = stack->mapping + page;
    stack->valgrind_id = VALGRIND_STACK_REGISTER(stack->low, stack->low + stack->size);
    pool->made++;
    return stack;
}

void ks_stack_give(ks_stack_pool *pool, ks_stack *stack) {
#ifdef WITH_ASAN
    __asan_unpoison_memory_region(stack->low, stack->size); /* what abandoned frames left behind */
#endif
    stack->next = pool->idle;
    pool->idle = stack;
}

void ks_stack_pool_deinit(ks_stack_pool *pool) {
    while (pool->idle) {
        ks_stack *stack = pool->idle;
        pool->idle = stack->next;
        VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
        munmap(stack->mapping, stack->mapping_size);
        ks_free(stack);
    }
}

void ks_fiber_init(ks_fiber *fiber, ks_stack *stack, void (*entry)(void *argument), void *argument) {
    *fiber = (ks_fiber){ .stack = stack };
    ks_switch_prepare(&fiber->place, stack->low, stack->size, entry, argument);
}

bool ks_fiber_is_here(const ks_fiber *fiber) {
    const uint8_t *here = __builtin_frame_address(0);
    return fiber->stack && here >= fiber->stack->low && here < fiber->stack->low + fiber->stack->size;
}

#ifdef WITH_ASAN

enum { BELOW_FRAME = 1024 }; /* room for what lies below the frame that switches */

static void announce(ks_fiber *from, ks_fiber *to, bool for_ever) {
    const void *bottom = to->stack ? to->stack->low : to->bottom;
    size_t size = to->stack ? to->stack->size : to->bottom_size;
    __sanitizer_start_switch_fiber(for_ever ? NULL : &from->fake_stack, bottom, size);
}

/* We are on `self` again. When we came from the program's own stack, that one is parked: clear its red zones. */
static void arrived(ks_fiber *self, ks_fiber *from) {
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(self->fake_stack, &bottom, &size);
    if (from == NULL || from->stack) return;
    from->bottom = bottom;
    from->bottom_size = size;
    const uint8_t *low = bottom, *parked = from->parked, *top = low + size;
    if (parked < low || parked >= top) return;
    if (parked - low > BELOW_FRAME) parked -= BELOW_FRAME;
    __asan_unpoison_memory_region(parked, (size_t)(top - parked));
}

void ks_fiber_landed(ks_fiber *own) {
    if (own->bottom == NULL) return;
    __sanitizer_start_switch_fiber(NULL, own->bottom, own->bottom_size);
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
}

#else

static void announce(ks_fiber *from, ks_fiber *to, bool for_ever) { (void)from, (void)to, (void)for_ever; }
static void arrived(ks_fiber *self, ks_fiber *from) { (void)self, (void)from; }
void ks_fiber_landed(ks_fiber *own) { (void)own; }

#endif

void ks_fiber_arrived(ks_fiber *self, ks_fiber *from) { arrived(self, from); }

void ks_fiber_switch(ks_fiber *from, ks_fiber *to) {
    from->parked = __builtin_frame_address(0);
    announce(from, to, false);
    ks_switch_jump(&from->place, &to->place);
    arrived(from, to); /* tasks and the loop switch only with each other, so we come from where we went */
}

void ks_fiber_leave(ks_fiber *self, ks_fiber *to) {
    announce(self, to, true);
    ks_switch_jump(&self->place, &to->place);
    ks_unreachable("a fiber that left came back");
}
