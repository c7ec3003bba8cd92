/* SPDX-License-Identifier: Apache-2.0
 * Makes room for one more item of a KS_VEC: doubling, so pushing n items costs O(n) in all. */
#include "sim/base/base.h"

#include <stdlib.h>

void ks_vec_grow(void **items, int32_t count, int32_t *capacity, size_t item_size) {
    if (count < *capacity) return;
    ks_assert(count <= INT32_MAX / 2);
    *capacity = count < 4 ? 8 : count * 2;
    void *memory; /* `items` is really a T **: read and written as bytes, so that no alias rule is broken */
    memcpy(&memory, items, sizeof memory);
    memory = ks_realloc(memory, (size_t)*capacity * item_size);
    memcpy(items, &memory, sizeof memory);
}

void ks_sort(void *items, size_t count, size_t size, int (*compare)(const void *a, const void *b)) {
    const char *at = items;
    size_t sorted = 1;
    while (sorted < count && compare(at + (sorted - 1) * size, at + sorted * size) <= 0) sorted++;
    if (sorted < count) qsort(items, count, size, compare);
}
