/* SPDX-License-Identifier: Apache-2.0
 * tests/fuzz/fuzz_scenario.c over its corpus and seeded mutations of it: the same inputs every time. KSIM_FUZZ_ROUNDS makes it longer
 * (mutations of each file; 60 unless told).
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/fuzz/fuzz_scenario.c"
#include "tests/fuzz/mutate.h"

static void any_text_is_run_or_refused_as_a_scenario(void **state) {
    (void)state;
    ks_corpus_fuzz("scenario", ks_mutate_rounds(60), fuzz_scenario);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(any_text_is_run_or_refused_as_a_scenario) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
