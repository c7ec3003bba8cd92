/* SPDX-License-Identifier: Apache-2.0
 *
 * How many events a second the kernel dispatches while so many timers are pending, beside a bare binary heap.
 */
#include "sim/cli/bench.h"
#include "sim/kernel/kernel.h"

typedef struct spinner {
    ks_kernel *kernel;
    uint64_t random;
} spinner;

static void spin(ks_timer *timer) {
    spinner *s = timer->owner;
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    ks_timer_start(s->kernel, timer, (int64_t)(s->random % 1000000000u) + 1);
}

static void run(const ks_bench *bench, ks_figure *figure) {
    enum { EVENTS = 2000000 };
    ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ .seed = 1 });
    spinner s = { kernel, 88172645463325252u };
    ks_timer *timers = ks_alloc((size_t)bench->size * sizeof *timers);
    for (int64_t i = 0; i < bench->size; i++) {
        ks_timer_init(&timers[i], NULL, spin, &s);
        spin(&timers[i]);
    }
    double start = ks_bench_seconds();
    for (int i = 0; i < EVENTS; i++) ks_kernel_step(kernel);
    figure->value = EVENTS / (ks_bench_seconds() - start);
    for (int64_t i = 0; i < bench->size; i++) ks_timer_stop(&timers[i]);
    ks_free(timers);
    ks_kernel_free(kernel);
    figure->limit = ks_bench_heap((size_t)bench->size, EVENTS);
    figure->higher_is_better = true;
}

const ks_bench ks_bench_kernel[] = {
    { "kernel_events_1000", "dispatch with 1,000 timers pending", "events/s", "a bare binary heap", 1, run, 1000, 0 },
    { "kernel_events_100000", "dispatch with 100,000 timers pending", "events/s", "a bare binary heap", 1, run, 100000, 0 },
    { "kernel_events_1000000", "dispatch with 1,000,000 timers pending", "events/s", "a bare binary heap", 1, run, 1000000, 0 },
    { 0 },
};
