/* SPDX-License-Identifier: Apache-2.0
 * Blocks of shared bytes. Recycling them is left to malloc: glibc raises its mmap threshold after the first large free,
 * so chunks of a steady size come back without a fresh page, and there is no cache that two simulators would have to
 * share. */
#include "sim/base/block.h"

ks_block *ks_block_new(int32_t capacity) {
    ks_assert(capacity >= 0);
    ks_block *block = ks_realloc(NULL, sizeof *block + (size_t)capacity);
    block->names = NULL;
    block->references = 1;
    block->capacity = capacity;
    return block;
}

void ks_block_release(ks_block *block) {
    if (block == NULL) return;
    ks_assert(block->references > 0);
    if (--block->references > 0) return;
    for (ks_block_name *name = block->names, *next; name != NULL; name = next) {
        next = name->next;
        ks_free(name);
    }
    ks_free(block);
}

const char *ks_block_keep_name(ks_block *block, ks_string name) {
    ks_assert(name.size >= 0);
    for (const ks_block_name *kept = block->names; kept != NULL; kept = kept->next)
        if (kept->size == name.size && memcmp(kept->text, name.data, (size_t)name.size) == 0) return kept->text;
    ks_block_name *kept = ks_alloc(sizeof *kept + (size_t)name.size + 1); /* zeroed */
    kept->size = name.size;
    memcpy(kept->text, name.data, (size_t)name.size);
    kept->next = block->names;
    block->names = kept;
    return kept->text;
}
