/* SPDX-License-Identifier: Apache-2.0
 * Blocks of shared bytes. Recycling them is left to malloc: glibc raises its mmap threshold after the first large free,
 * so chunks of a steady size come back without a fresh page, and there is no cache that two simulators would have to
 * share. */
#include "sim/base/block.h"

ks_block *ks_block_new(int32_t capacity) {
    ks_assert(capacity >= 0);
    ks_block *block = ks_realloc(NULL, sizeof *block + (size_t)capacity);
    block->references = 1;
    block->capacity = capacity;
    return block;
}

void ks_block_release(ks_block *block) {
    if (block == NULL) return;
    ks_assert(block->references > 0);
    if (--block->references == 0) ks_free(block);
}
