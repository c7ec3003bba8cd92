/* SPDX-License-Identifier: Apache-2.0
 * Levenshtein's distance, one row of it at a time. */
#include "sim/client/java_nearest.h"

#include <stddef.h>
#include <string.h>

enum { WORD_MAX = 64 };

static int smaller(int a, int b) { return a < b ? a : b; }

static int distance(const char *a, const char *b) {
    size_t size = strlen(b);
    int row[WORD_MAX + 1];
    for (size_t j = 0; j <= size; j++) row[j] = (int)j;
    for (int i = 0; a[i]; i++) {
        int diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 1; j <= size; j++) {
            int replaced = diagonal + (a[i] != b[j - 1]);
            diagonal = row[j];
            row[j] = smaller(replaced, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[size];
}

const char *ks_java_nearest(const char *word, const char *const *words) {
    const char *best = NULL;
    size_t length = strlen(word);
    int least = (int)(length / 3 < 2 ? 2 : length / 3) + 1;
    if (length > WORD_MAX) return NULL;
    for (; *words; words++) {
        int d = strlen(*words) <= WORD_MAX ? distance(word, *words) : WORD_MAX;
        if (d < least) least = d, best = *words;
    }
    return best;
}
