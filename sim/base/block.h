/* SPDX-License-Identifier: Apache-2.0
 *
 * A block of immutable bytes shared by reference count: log segments' chunks, decompressed batches. Not thread-safe: one
 * simulator, one thread.
 */
#ifndef KS_BLOCK_H
#define KS_BLOCK_H

#include "sim/base/base.h"

typedef struct ks_block_name { /* a text that lives as long as its block */
    struct ks_block_name *next;
    int32_t size;
    char text[]; /* ends with 0 */
} ks_block_name;

typedef struct ks_block {
    ks_block_name *names; /* asked for with ks_block_keep_name: of a topic's batches one, or none before they are read */
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
/* A copy of `name` that is valid as long as the block: the topic of the messages in it, which outlive whoever read them.
 * The same name is copied once; takes a look at each name of the block, and a block lies in one topic. */
const char *ks_block_keep_name(ks_block *block, ks_string name);

#endif
