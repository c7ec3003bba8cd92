/* SPDX-License-Identifier: Apache-2.0
 *
 * A block of immutable bytes shared by reference count: log segments' chunks, decompressed batches. Not thread-safe: one
 * simulator, one thread.
 */
#ifndef KS_BLOCK_H
#define KS_BLOCK_H

#include "sim/base/base.h"

typedef struct ks_block {
    int32_t references;
    int32_t capacity;
    uint8_t data[]; /* the owner fills it before sharing; a log chunk grows at its end only, what is written stays */
} ks_block;

typedef struct ks_block_ref { /* a list of held blocks */
    struct ks_block_ref *next;
    ks_block *block;
} ks_block_ref;

ks_block *ks_block_new(int32_t capacity); /* one reference; not zeroed; recycled where that is cheap */
static inline ks_block *ks_block_hold(ks_block *block) { block->references++; return block; }
void ks_block_release(ks_block *block); /* NULL is allowed */

#endif
