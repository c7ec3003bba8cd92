/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/broker/names.h"

#include <stdlib.h>

typedef struct placed_name {
    ks_string name;
    int32_t index;
} placed_name;

static int by_name_then_index(const void *a, const void *b) {
    const placed_name *x = a, *y = b;
    int order = ks_string_compare(x->name, y->name);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

ks_name_use *ks_names_use(ks_arena *arena, const ks_string *names, int32_t count) {
    ks_name_use *uses = ks_arena_alloc(arena, (size_t)count * sizeof *uses);
    placed_name *sorted = ks_arena_alloc(arena, (size_t)count * sizeof *sorted);
    for (int32_t i = 0; i < count; i++) sorted[i] = (placed_name){ names[i], i };
    qsort(sorted, (size_t)count, sizeof *sorted, by_name_then_index);
    for (int32_t i = 1; i < count; i++) {
        if (!ks_string_equal(sorted[i - 1].name, sorted[i].name)) continue;
        if (uses[sorted[i - 1].index] == KS_NAME_ONCE) uses[sorted[i - 1].index] = KS_NAME_FIRST;
        uses[sorted[i].index] = KS_NAME_REPEATED;
    }
    return uses;
}
