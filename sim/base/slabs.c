/* SPDX-License-Identifier: Apache-2.0
 * Slabs; the idea is told in slabs.h. */
#define _DEFAULT_SOURCE /* madvise */
#include "sim/base/slabs.h"

#include <stdlib.h>
#include <sys/mman.h>

enum {
    SIZES = KS_SLABS_MOST / KS_SLABS_STEP + 1,
    LINE_SIZES = KS_SLABS_MOST / KS_LINE + 1,
    SLAB_MOST = 16 * 1024,
    BLOCK_LEAST = 32 * 1024,
    BLOCK_PART = 8, /* a block is as large as this part of all before it: little is taken in advance, in few blocks */
    HUGE_PAGE = 2 * 1024 * 1024,
    HUGE_FROM = 2 * HUGE_PAGE /* bytes of blocks after which a block is a huge page */
};

typedef struct ks_slabs slabs;

typedef struct kept {
    struct kept *next;
} kept;

struct ks_slabs_size {
    kept *kept;
    uint8_t *at, *end; /* where the next object begins; behind the slab */
    slabs *slabs;
    uint32_t stride, alignment;
    uint32_t count; /* objects in the next slab: doubled each time, so that what is rare takes little */
};

typedef struct block {
    struct block *next;
    _Alignas(KS_LINE) uint8_t bytes[];
} block;

struct ks_slabs {
    size_t simulators, live;
    block *blocks;
    uint8_t *at, *end; /* of the youngest block */
    size_t total;
    ks_slabs_size sizes[SIZES], line_sizes[LINE_SIZES];
};

static _Thread_local slabs *current;

void ks_memory_hold(void) {
    if (current == NULL) current = calloc(1, sizeof *current); /* NULL: it goes without */
    if (current != NULL) current->simulators++;
}

static void end(slabs *s) {
    for (block *b = s->blocks, *next; b != NULL; b = next) {
        next = b->next;
        free(b);
    }
    free(s);
}

void ks_memory_release(void) {
    slabs *s = current;
    if (s == NULL || --s->simulators > 0) return;
    current = NULL;
    if (s->live == 0) end(s);
}

/* With thousands of clients each step is in other pages than the one before: where Linux has huge ones, its tables are missed
 * less, and one fault brings what five hundred would. */
static block *huge_block(void) {
    block *b = aligned_alloc(HUGE_PAGE, HUGE_PAGE);
#ifdef MADV_HUGEPAGE
    if (b != NULL) (void)madvise(b, HUGE_PAGE, MADV_HUGEPAGE); /* a hint: without them all is as before */
#endif
    return b;
}

static uint8_t *room_for_slab(slabs *s, size_t size) {
    if ((size_t)(s->end - s->at) < size) {
        size_t bytes = s->total / BLOCK_PART / BLOCK_LEAST * BLOCK_LEAST;
        if (bytes < BLOCK_LEAST) bytes = BLOCK_LEAST;
        if (s->total >= HUGE_FROM) bytes = HUGE_PAGE;
        block *b = bytes == HUGE_PAGE ? huge_block() : aligned_alloc(KS_LINE, bytes);
        if (b == NULL) return NULL;
        b->next = s->blocks;
        s->blocks = b;
        s->total += bytes;
        s->at = b->bytes;
        s->end = (uint8_t *)b + bytes;
    }
    uint8_t *slab = s->at;
    s->at += size;
    return slab;
}

static bool add_slab(ks_slabs_size *of) {
    size_t size = ((size_t)of->count * of->stride + of->alignment + KS_LINE - 1) / KS_LINE * KS_LINE;
    uint8_t *slab = room_for_slab(of->slabs, size);
    if (slab == NULL) return false;
    of->at = slab + of->alignment; /* slabs begin with a line; the first head stands right before the first object */
    of->end = slab + size;
    if (of->count * 2 * of->stride <= SLAB_MOST) of->count *= 2;
    return true;
}

static ks_slabs_size *size_for(slabs *s, size_t size, size_t alignment) {
    size_t steps = (size + KS_SLABS_HEAD + alignment - 1) / alignment;
    ks_slabs_size *of = alignment == KS_LINE ? &s->line_sizes[steps] : &s->sizes[steps];
    if (of->stride == 0) *of = (ks_slabs_size){ .slabs = s, .stride = (uint32_t)(steps * alignment), .alignment = (uint32_t)alignment, .count = 1 };
    return of;
}

void *ks_slabs_take(size_t size, size_t alignment) {
    if (current == NULL || size > KS_SLABS_MOST - KS_LINE) return NULL;
    ks_slabs_size *of = size_for(current, size, alignment);
    kept *object = of->kept;
    if (object != NULL) {
        of->kept = object->next;
    } else {
        if ((size_t)(of->end - of->at) < ks_slabs_room(of) && !add_slab(of)) return NULL;
        object = (kept *)(void *)of->at;
        of->at += of->stride;
        *ks_slabs_head(object) = of;
    }
    current->live++;
    return object;
}

void ks_slabs_give(ks_slabs_size *of, void *object) {
    slabs *s = of->slabs;
    kept *given = object;
    given->next = of->kept;
    of->kept = given;
    if (--s->live == 0 && s->simulators == 0) end(s);
}

size_t ks_slabs_room(const ks_slabs_size *of) { return of->stride - KS_SLABS_HEAD; }
