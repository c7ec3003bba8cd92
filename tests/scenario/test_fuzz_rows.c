/* SPDX-License-Identifier: Apache-2.0
 * tests/fuzz/fuzz_rows.c over its corpus and seeded mutations of it: the same inputs every time. KSIM_FUZZ_ROUNDS makes it longer
 * (mutations of each file; 400 unless told).
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/fuzz/fuzz_rows.c"
#include "tests/fuzz/mutate.h"

static void any_bytes_are_rows_or_refused(void **state) {
    (void)state;
    ks_corpus_fuzz("rows", ks_mutate_rounds(400), fuzz_rows);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(any_bytes_are_rows_or_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
