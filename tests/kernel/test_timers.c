/* SPDX-License-Identifier: Apache-2.0
 * The timing wheel against a dumb reference: an array that is searched for the smallest (deadline, sequence number). */
#include "tests/kernel/fixture.h"

enum { TIMERS = 200 };

typedef struct world {
    ks_kernel *kernel;
    ks_timer timers[TIMERS];
    int64_t deadline[TIMERS]; /* the reference; -1: not running */
    uint64_t sequence[TIMERS];
    uint64_t next_sequence;
    int fired; /* the last one */
    uint64_t population; /* how many are started by draw */
    int32_t left;
} world;

static uint64_t draw(world *w, uint64_t bound) { return ks_random_below(w->kernel, KS_STREAM_TEST, bound); }

/* All magnitudes alike, and many equal ones: 0, 1..63 ns, up to about 18 minutes, now and then years. */
static int64_t draw_delay(world *w) {
    uint64_t bits = draw(w, 42);
    if (bits == 41) return (int64_t)draw(w, UINT64_C(1) << 58);
    uint64_t delay = draw(w, UINT64_C(1) << bits);
    return (int64_t)(draw(w, 2) == 0 ? delay : delay & ~UINT64_C(0xfff));
}

static void start(world *w, int i) {
    int64_t delay = draw_delay(w);
    if (delay > INT64_MAX - ks_now(w->kernel)) delay = 0;
    if (draw(w, 2) == 0)
        ks_timer_start(w->kernel, &w->timers[i], delay);
    else
        ks_timer_start_at(w->kernel, &w->timers[i], ks_now(w->kernel) + delay);
    w->deadline[i] = ks_now(w->kernel) + delay;
    w->sequence[i] = w->next_sequence++;
}

static int expected_next(const world *w) {
    int best = -1;
    for (int i = 0; i < TIMERS; i++) {
        if (w->deadline[i] < 0) continue;
        if (best < 0 || w->deadline[i] < w->deadline[best] ||
            (w->deadline[i] == w->deadline[best] && w->sequence[i] < w->sequence[best]))
            best = i;
    }
    return best;
}

static void fire(ks_timer *timer) {
    world *w = timer->owner;
    w->fired = (int)(timer - w->timers);
    w->deadline[w->fired] = -1;
    for (uint64_t more = draw(w, 3); more > 0; more--) start(w, (int)draw(w, w->population)); /* may start itself again */
}

static void stop(world *w, int i) {
    assert_int_equal(ks_timer_is_running(&w->timers[i]), w->deadline[i] >= 0);
    ks_timer_stop(&w->timers[i]);
    w->deadline[i] = -1;
}

static void peek(world *w) {
    int64_t deadline = -1;
    int best = expected_next(w);
    assert_int_equal(ks_kernel_next(w->kernel, &deadline), best >= 0);
    if (best >= 0) assert_i64_equal(deadline, w->deadline[best]);
}

static void advance(world *w) {
    int best = expected_next(w);
    int64_t now = ks_now(w->kernel), room = best < 0 ? KS_S : w->deadline[best] - now;
    ks_kernel_advance(w->kernel, now + (int64_t)draw(w, (uint64_t)room + 1));
}

static void step(world *w) {
    int best = expected_next(w);
    int64_t due = best < 0 ? 0 : w->deadline[best];
    w->fired = -1;
    assert_int_equal(ks_kernel_step(w->kernel), best >= 0);
    assert_int_equal(w->fired, best);
    if (best >= 0) assert_i64_equal(ks_now(w->kernel), due);
}

static void random_schedule(uint64_t seed, int steps) {
    world w = { .kernel = ks_kernel_new(&(ks_kernel_config){ .seed = seed }) };
    for (int i = 0; i < TIMERS; i++) {
        ks_timer_init(&w.timers[i], NULL, fire, &w);
        w.deadline[i] = -1;
    }
    w.population = 1 + (draw(&w, TIMERS) >> draw(&w, 8)); /* with few there often is none */
    for (int i = 0; i < steps; i++) {
        switch (draw(&w, 8)) {
        case 0:
        case 1: start(&w, (int)draw(&w, w.population)); break;
        case 2: stop(&w, (int)draw(&w, w.population)); break;
        case 3: peek(&w); break;
        case 4: advance(&w); break;
        default: step(&w);
        }
    }
    while (expected_next(&w) >= 0 && w.left++ < 2000) step(&w);
    ks_kernel_free(w.kernel);
}

static void timers_fire_like_the_dumb_reference(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) random_schedule(seed, 2000);
}

/* ---- the same with names one can read ---- */

static void nothing(ks_timer *timer) { (void)timer; }

static void equal_deadlines_keep_their_order_through_every_cascade(void **state) {
    (void)state;
    ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ 0 });
    ks_timer timers[20];
    int64_t at = ks_now(kernel), deadline = at + 3600 * KS_S + 12345;
    for (int i = 0; i < 20; i++) { /* each is started at another distance from the same deadline */
        ks_timer_init(&timers[i], NULL, nothing, NULL);
        ks_timer_start_at(kernel, &timers[i], deadline);
        at += (deadline - at) / 2;
        ks_kernel_advance(kernel, at);
    }
    for (int i = 0; i < 20; i++) {
        assert_true(ks_timer_is_running(&timers[i]));
        assert_true(ks_kernel_step(kernel));
        assert_false(ks_timer_is_running(&timers[i]));
    }
    ks_kernel_free(kernel);
}

/* Session timers: started far ahead, and again long before they are due. */
static void timers_that_are_restarted_for_ever_leave_nothing_behind(void **state) {
    (void)state;
    enum { MEMBERS = 100, ROUNDS = 300 };
    ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ 0 });
    ks_timer timers[MEMBERS], first; /* it stays, and what goes behind it leaves holes */
    size_t live = 0;
    for (int i = 0; i < MEMBERS; i++) ks_timer_init(&timers[i], NULL, nothing, NULL);
    ks_timer_init(&first, NULL, nothing, NULL);
    ks_timer_start(kernel, &first, 3600 * KS_S);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < MEMBERS; i++) ks_timer_start(kernel, &timers[(i * 37 + round) % MEMBERS], 3600 * KS_S);
        if (round == 10) live = ks_alloc_live();
        if (round > 10) assert_in_range(ks_alloc_live(), 0, live + 8);
    }
    assert_true(ks_kernel_step(kernel));
    assert_false(ks_timer_is_running(&first));
    for (int i = 0; i < MEMBERS; i++) { /* in the order of the last start */
        int expected = (i * 37 + ROUNDS - 1) % MEMBERS;
        assert_true(ks_timer_is_running(&timers[expected]));
        assert_true(ks_kernel_step(kernel));
        assert_false(ks_timer_is_running(&timers[expected]));
    }
    ks_kernel_free(kernel);
}

static void a_delay_beyond_the_end_of_time_means_never(void **state) {
    (void)state;
    ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ 0 });
    ks_timer timer;
    int64_t deadline;
    ks_timer_init(&timer, NULL, nothing, NULL);
    ks_timer_start(kernel, &timer, INT64_MAX);
    assert_true(ks_kernel_next(kernel, &deadline));
    assert_i64_equal(deadline, INT64_MAX);
    ks_timer_stop(&timer);
    assert_false(ks_kernel_step(kernel));
    ks_kernel_free(kernel);
}

/* ---- background and progress ---- */

typedef struct chain {
    ks_kernel *kernel;
    ks_timer next;
    bool progress, background;
} chain;

static void go_on(ks_timer *timer) {
    chain *c = timer->owner;
    c->background = ks_in_background(c->kernel);
    if (c->progress) ks_progress(c->kernel);
    ks_timer_start(c->kernel, &c->next, KS_S);
}

static void what_background_starts_is_background_until_it_makes_progress(void **state) {
    (void)state;
    ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ .start_ns = KS_S });
    chain c = { .kernel = kernel };
    ks_timer first;
    ks_timer_init(&first, NULL, go_on, &c);
    ks_timer_init(&c.next, NULL, nothing, NULL);
    ks_timer_start_background(kernel, &first, KS_S);
    assert_int_equal(ks_foreground_pending(kernel), 0);
    ks_kernel_step(kernel);
    assert_true(c.background);
    assert_int_equal(ks_foreground_pending(kernel), 0);
    assert_i64_equal(ks_last_progress(kernel), KS_S);
    ks_kernel_step(kernel);
    assert_i64_equal(ks_last_progress(kernel), KS_S);
    c.progress = true;
    ks_timer_start_background(kernel, &first, KS_S);
    ks_kernel_step(kernel);
    assert_i64_equal(ks_last_progress(kernel), 4 * KS_S);
    assert_int_equal(ks_foreground_pending(kernel), 1);
    assert_false(ks_in_background(kernel));
    ks_kernel_step(kernel);
    assert_i64_equal(ks_last_progress(kernel), 5 * KS_S);
    assert_int_equal(ks_foreground_pending(kernel), 0);
    assert_int_equal(ks_kernel_steps(kernel), 4);
    ks_kernel_free(kernel);
}

static void stopping_a_foreground_timer_takes_it_from_what_is_pending(void **state) {
    (void)state;
    ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ 0 });
    ks_timer timer;
    ks_timer_init(&timer, NULL, nothing, NULL);
    ks_timer_start(kernel, &timer, KS_S);
    ks_timer_start(kernel, &timer, 2 * KS_S);
    assert_int_equal(ks_foreground_pending(kernel), 1);
    ks_timer_start_background(kernel, &timer, KS_S);
    assert_int_equal(ks_foreground_pending(kernel), 0);
    ks_timer_stop(&timer);
    ks_timer_stop(&timer);
    assert_int_equal(ks_foreground_pending(kernel), 0);
    ks_kernel_free(kernel);
}

static void the_clock_starts_where_it_is_told_and_speaks_milliseconds(void **state) {
    (void)state;
    ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ 0 });
    assert_i64_equal(ks_now_ms(kernel), INT64_C(1798761600000));
    ks_kernel_advance(kernel, ks_now(kernel) + KS_MS + 999999);
    assert_i64_equal(ks_now_ms(kernel), INT64_C(1798761600001));
    ks_kernel_free(kernel);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_like_the_dumb_reference),
        cmocka_unit_test(equal_deadlines_keep_their_order_through_every_cascade),
        cmocka_unit_test(timers_that_are_restarted_for_ever_leave_nothing_behind),
        cmocka_unit_test(a_delay_beyond_the_end_of_time_means_never),
        cmocka_unit_test(what_background_starts_is_background_until_it_makes_progress),
        cmocka_unit_test(stopping_a_foreground_timer_takes_it_from_what_is_pending),
        cmocka_unit_test(the_clock_starts_where_it_is_told_and_speaks_milliseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
