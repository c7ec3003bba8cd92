/* SPDX-License-Identifier: Apache-2.0
 * Memory that never comes back NULL, and the one place where running out of it ends. */
#include "sim/base/slabs.h"

#include <stdio.h>
#include <stdlib.h>

#if !defined(NDEBUG) || defined(__SANITIZE_ADDRESS__)
#define PLAIN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define PLAIN 1
#endif
#endif

static _Noreturn void out_of_memory(size_t size) {
    fprintf(stderr, "kafkasim: out of memory (%zu more bytes were asked for)\n", size);
    abort();
}

#ifdef PLAIN /* malloc's for each object, counted, so that tools and tests see every mistake */

static _Thread_local size_t live; /* a simulator stays on its thread, so its count does too */
size_t ks_alloc_live(void) { return live; }

void *ks_alloc(size_t size) {
    void *memory = calloc(1, size > 0 ? size : 1);
    if (memory == NULL) out_of_memory(size);
    live++;
    return memory;
}

void *ks_alloc_lines(size_t size) {
    size_t whole = (size + KS_LINE - 1) / KS_LINE * KS_LINE;
    void *memory = aligned_alloc(KS_LINE, whole > 0 ? whole : KS_LINE);
    if (memory == NULL) out_of_memory(size);
    live++;
    return memory;
}

void *ks_realloc(void *memory, size_t size) {
    void *moved = realloc(memory, size > 0 ? size : 1);
    if (moved == NULL) out_of_memory(size);
    if (memory == NULL) live++;
    return moved;
}

void ks_free(void *memory) {
    if (memory == NULL) return;
    live--;
    free(memory);
}

#else /* from slabs what fits; malloc's have room for a head in front */

enum { FRONT = KS_SLABS_STEP };
static ks_slabs_size *const of_malloc = NULL;
static char line; /* its address */
#define OF_LINES ((ks_slabs_size *)(void *)&line)

size_t ks_alloc_live(void) { return 0; }

static void *behind(void *memory, size_t front, ks_slabs_size *of, size_t size) {
    if (memory == NULL || size > SIZE_MAX / 2) out_of_memory(size);
    void *object = (char *)memory + front;
    *ks_slabs_head(object) = of;
    return object;
}

void *ks_alloc(size_t size) {
    void *object = ks_slabs_take(size, KS_SLABS_STEP);
    return object != NULL ? memset(object, 0, size) : behind(calloc(1, FRONT + size), FRONT, of_malloc, size);
}

void *ks_alloc_lines(size_t size) {
    void *object = ks_slabs_take(size, KS_LINE);
    size_t whole = (size + KS_LINE - 1) / KS_LINE * KS_LINE;
    return object != NULL ? object : behind(aligned_alloc(KS_LINE, KS_LINE + whole), KS_LINE, OF_LINES, size);
}

void *ks_realloc(void *memory, size_t size) {
    ks_slabs_size *of = memory == NULL ? NULL : *ks_slabs_head(memory);
    if (memory != NULL && of == of_malloc) return behind(realloc((char *)memory - FRONT, FRONT + size), FRONT, of_malloc, size);
    ks_assert(of != OF_LINES);
    size_t room = of == NULL ? 0 : ks_slabs_room(of);
    if (memory != NULL && size <= room) return memory;
    void *moved = ks_slabs_take(size, KS_SLABS_STEP);
    if (moved == NULL) moved = behind(malloc(FRONT + size), FRONT, of_malloc, size);
    if (memory == NULL) return moved;
    memcpy(moved, memory, room);
    ks_slabs_give(of, memory);
    return moved;
}

void ks_free(void *memory) {
    if (memory == NULL) return;
    ks_slabs_size *of = *ks_slabs_head(memory);
    if (of == of_malloc)
        free((char *)memory - FRONT);
    else if (of == OF_LINES)
        free((char *)memory - KS_LINE);
    else
        ks_slabs_give(of, memory);
}

#endif

char *ks_strndup(const char *data, size_t size) {
    char *copy = ks_realloc(NULL, size + 1);
    if (size > 0) memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}
