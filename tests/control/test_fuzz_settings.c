/* SPDX-License-Identifier: Apache-2.0
 * tests/fuzz/fuzz_settings.c over its corpus and seeded mutations of it: the same inputs every time. KSIM_FUZZ_ROUNDS makes it longer
 * (mutations of each file; 300 unless told).
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/fuzz/fuzz_settings.c"
#include "tests/fuzz/mutate.h"

static void any_lines_are_taken_or_refused_as_settings(void **state) {
    (void)state;
    ks_corpus_fuzz("settings", ks_mutate_rounds(300), fuzz_settings);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(any_lines_are_taken_or_refused_as_settings) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
