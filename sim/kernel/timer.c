/* SPDX-License-Identifier: Apache-2.0
 * Timers: starting, stopping, and what a pause does to them. The queue itself is wheel.c. */
#include "sim/kernel/internal.h"

void ks_timer_init(ks_timer *timer, ks_node *node, ks_timer_fn *fire, void *owner) {
    *timer = (ks_timer){ .fire = fire, .owner = owner, .node = node };
}

void ks_timer_place(ks_kernel *kernel, ks_timer *timer, int64_t deadline) {
    timer->kernel = kernel;
    timer->deadline = deadline;
    timer->sequence = ++kernel->sequence;
    timer->state = KS_TIMER_RUNNING;
    kernel->foreground += !timer->background;
    ks_wheel_insert(&kernel->wheel, timer);
}

static void start(ks_kernel *kernel, ks_timer *timer, int64_t deadline, bool background) {
    ks_assert(timer->fire != NULL);
    if (timer->state != KS_TIMER_IDLE) ks_timer_stop(timer);
    timer->cause = kernel->cause;
    timer->background = background;
    ks_timer_place(kernel, timer, deadline);
}

int64_t ks_deadline_after(const ks_kernel *kernel, int64_t delay_ns) {
    int64_t now = ks_now(kernel);
    ks_assert(delay_ns >= 0);
    return delay_ns > INT64_MAX - now ? INT64_MAX : now + delay_ns;
}

void ks_timer_start(ks_kernel *kernel, ks_timer *timer, int64_t delay_ns) {
    start(kernel, timer, ks_deadline_after(kernel, delay_ns), kernel->background);
}

void ks_timer_start_background(ks_kernel *kernel, ks_timer *timer, int64_t delay_ns) {
    start(kernel, timer, ks_deadline_after(kernel, delay_ns), true);
}

void ks_timer_start_at(ks_kernel *kernel, ks_timer *timer, int64_t deadline_ns) {
    start(kernel, timer, deadline_ns, kernel->background);
}

void ks_timer_stop(ks_timer *timer) {
    switch ((ks_timer_state)timer->state) {
    case KS_TIMER_IDLE: return;
    case KS_TIMER_RUNNING:
        timer->kernel->foreground -= !timer->background;
        ks_wheel_remove(&timer->kernel->wheel, timer);
        break;
    case KS_TIMER_DEFERRED: ks_timer_list_remove(&timer->node->deferred, timer); break;
    }
    timer->state = KS_TIMER_IDLE;
}

bool ks_timer_is_running(const ks_timer *timer) { return timer->state != KS_TIMER_IDLE; }

void ks_timer_defer(ks_node *node, ks_timer *timer) {
    timer->state = KS_TIMER_DEFERRED;
    ks_timer_list_append(&node->deferred, timer);
}

void ks_timer_list_release(ks_kernel *kernel, ks_timer_list *list) {
    for (ks_timer *timer = list->first; timer != NULL; timer = timer->next) {
        timer->kernel = kernel;
        timer->state = KS_TIMER_RUNNING;
        kernel->foreground += !timer->background;
    }
    ks_wheel_insert_overdue(&kernel->wheel, list);
}
