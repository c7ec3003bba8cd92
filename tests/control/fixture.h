/* SPDX-License-Identifier: Apache-2.0
 * A simulator for each test: seed 7, three brokers. A test that needs another makes it itself. */
#ifndef KS_CONTROL_FIXTURE_H
#define KS_CONTROL_FIXTURE_H

#include "tests/support/test.h"

#include <kafkasim/cmocka.h>

static int set_up(void **state) {
    ksim *sim = ksim_new(&(ksim_config){
        .seed = 7, .settings = (const ksim_setting[]){ { "group.initial.rebalance.delay.ms", "0" }, { NULL, NULL } } });
    if (sim == NULL) return -1;
    ksim_fail_by_cmocka(sim);
    *state = sim;
    return 0;
}

static int tear_down(void **state) {
    ksim_free(*state);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

/* What a failing simulator says is kept here instead of failing the test; the simulator must not be used afterwards but
 * freed. */
typedef struct caught {
    jmp_buf place;
    char report[4096];
} caught;

static inline void catch_report(void *context, const char *report) {
    caught *to = context;
    snprintf(to->report, sizeof to->report, "%s", report);
    longjmp(to->place, 1);
}

#define assert_contains(text, part)                                                                                    \
    do {                                                                                                               \
        if (strstr((text), (part)) == NULL) fail_msg("\"%s\" is not in: %s", (part), (text));                          \
    } while (0)

#endif
