/* SPDX-License-Identifier: Apache-2.0
 *
 * Where ks_alloc has its memory from while a simulator lives on this thread: small objects of one size side by side in slabs,
 * what is freed handed out again, the youngest first. Thousands of clients do the same at the same instant, each with objects
 * of its own: those of one kind then lie together, in few pages, and neither is searched for nor merged with their neighbours.
 * Only memory.c includes this.
 *
 * An object's head, the eight bytes before it, says where it came from:
 *
 *     slab   | head object    | head object    | ... not handed out yet
 *              |                |
 *              +-------+--------+
 *                      v
 *     size  { kept: given back, at, end: of the slab, slabs }
 *
 * The slabs of a thread live until its last simulator is gone and all is given back, by whom and when that may be: a program
 * may keep results for longer. Not thread-safe, as a simulator and what it hands out are not.
 */
#ifndef KS_SLABS_H
#define KS_SLABS_H

#include "sim/base/base.h"

typedef struct ks_slabs_size ks_slabs_size;

enum { KS_SLABS_HEAD = 8, KS_SLABS_STEP = 16, KS_SLABS_MOST = 2112 /* bytes of an object with its head; others are malloc's */ };

/* An object, not zeroed, that begins with a multiple of `alignment`, which is KS_SLABS_STEP or KS_LINE. NULL: there are no
 * slabs now, or it is too large for them. */
void *ks_slabs_take(size_t size, size_t alignment);
void ks_slabs_give(ks_slabs_size *of, void *object);
size_t ks_slabs_room(const ks_slabs_size *of); /* bytes that an object of this size may use */

/* The heads of all objects, those of malloc too. */
static inline ks_slabs_size **ks_slabs_head(void *object) { return (ks_slabs_size **)(void *)((char *)object - KS_SLABS_HEAD); }

#endif
