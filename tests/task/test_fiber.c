/* SPDX-License-Identifier: Apache-2.0
 * Stacks and switches: what a switch must keep, alignment, pooling, the guard page. */
#define _DEFAULT_SOURCE
#include "tests/support/test.h"

#include "sim/task/fiber.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct pair {
    ks_fiber own, fiber;
    int steps;
    double sum;
    uintptr_t misaligned;
} pair;

static void bounces(void *argument) {
    pair *p = argument;
    ks_fiber_arrived(&p->fiber, &p->own);
    _Alignas(16) volatile char aligned[16];
    p->misaligned = (uintptr_t)aligned & 15;
    double sum = 0.5;
    for (int i = 0; i < 1000; i++) {
        p->steps++;
        sum += i;
        ks_fiber_switch(&p->fiber, &p->own);
    }
    p->sum = sum;
    ks_fiber_leave(&p->fiber, &p->own);
}

static void a_fiber_goes_on_where_it_was(void **state) {
    ks_stack_pool pool = { 0 };
    pair p = { .steps = 0 };
    (void)state;
    ks_fiber_init(&p.fiber, ks_stack_take(&pool), bounces, &p);
    int64_t a = 1, b = 2, c = 3, d = 4, e = 5; /* enough to fill the registers that a callee keeps */
    double x = 1.25;
    for (int i = 0; i < 1000; i++) {
        ks_fiber_switch(&p.own, &p.fiber);
        a += b, b += c, c += d, d += e, e += 1, x += 0.5;
        assert_int_equal(p.steps, i + 1);
    }
    ks_fiber_switch(&p.own, &p.fiber);
    assert_true(p.sum == 0.5 + 999 * 1000 / 2);
    assert_int_equal(e, 1005);
    assert_true(x == 501.25);
    assert_true(a > b && b > c && c > d);
    assert_int_equal(p.misaligned, 0);
    ks_stack_give(&pool, p.fiber.stack);
    ks_stack_pool_deinit(&pool);
}

static void stacks_are_used_again(void **state) {
    ks_stack_pool pool = { 0 };
    (void)state;
    ks_stack *one = ks_stack_take(&pool), *two = ks_stack_take(&pool);
    assert_ptr_not_equal(one, two);
    ks_stack_give(&pool, one);
    assert_ptr_equal(ks_stack_take(&pool), one);
    assert_int_equal(pool.made, 2);
    ks_stack_give(&pool, one);
    ks_stack_give(&pool, two);
    ks_stack_pool_deinit(&pool);
}

static void overflows(void *argument) {
    pair *p = argument;
    ks_fiber_arrived(&p->fiber, &p->own);
    for (volatile char *at = (volatile char *)p->fiber.stack->low + 4096;; at -= 512) *at = 1;
}

static void a_stack_that_is_too_small_ends_in_a_fault_not_in_somebody_elses_memory(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        ks_stack_pool pool = { 0 };
        pair p = { .steps = 0 };
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        if (freopen("/dev/null", "w", stderr) == NULL) _exit(0);
        ks_fiber_init(&p.fiber, ks_stack_take(&pool), overflows, &p);
        ks_fiber_switch(&p.own, &p.fiber);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fiber_goes_on_where_it_was),
        cmocka_unit_test(stacks_are_used_again),
        cmocka_unit_test(a_stack_that_is_too_small_ends_in_a_fault_not_in_somebody_elses_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
