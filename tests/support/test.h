/* SPDX-License-Identifier: Apache-2.0
 * cmocka with the four headers it wants, and what all tests share. */
#ifndef KS_TEST_H
#define KS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

/* Opens a vector file: from the directory in KAFKASIM_VECTORS, else tests/vectors. A file that is missing in a directory
 * named by the environment gives NULL after a message (pass it over); one missing in tests/vectors fails the test. */
FILE *ks_vectors_open(const char *name);
/* Reads the next line of a .jsonl file as JSON (owned: json_decref); NULL at the end. Fails the test on bad JSON, naming
 * file and line. */
json_t *ks_vectors_next_json(FILE *file, const char *name, int *line);
/* "0a0b" to bytes (malloc); the count goes to *size. "" gives a non-NULL pointer and 0. */
uint8_t *ks_test_unhex(const char *hex, size_t *size);

#define assert_i64_equal(a, b)                                                                                         \
    do {                                                                                                               \
        int64_t a_ = (a), b_ = (b);                                                                                    \
        if (a_ != b_) fail_msg("%s is %lld, not %s = %lld", #a, (long long)a_, #b, (long long)b_);                     \
    } while (0)

#endif
