/* SPDX-License-Identifier: Apache-2.0
 * Memory that never comes back NULL, and the one place where running out of it ends. */
#include "sim/base/base.h"

#include <stdio.h>
#include <stdlib.h>

#if !defined(NDEBUG) || defined(__SANITIZE_ADDRESS__)
#define COUNTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define COUNTED 1
#endif
#endif

#ifdef COUNTED
static _Thread_local size_t live; /* a simulator stays on its thread, so its count does too */
#define COUNT(change) (live += (size_t)(change))
#else
#define COUNT(change) ((void)0)
#endif

static _Noreturn void out_of_memory(size_t size) {
    fprintf(stderr, "kafkasim: out of memory (%zu more bytes were asked for)\n", size);
    abort();
}

void *ks_alloc(size_t size) {
    void *memory = calloc(1, size > 0 ? size : 1);
    if (memory == NULL) out_of_memory(size);
    COUNT(1);
    return memory;
}

void *ks_alloc_lines(size_t size) {
    size_t whole = (size + KS_LINE - 1) / KS_LINE * KS_LINE;
    void *memory = aligned_alloc(KS_LINE, whole > 0 ? whole : KS_LINE);
    if (memory == NULL) out_of_memory(size);
    COUNT(1);
    return memory;
}

void *ks_realloc(void *memory, size_t size) {
    void *moved = realloc(memory, size > 0 ? size : 1);
    if (moved == NULL) out_of_memory(size);
    if (memory == NULL) COUNT(1);
    return moved;
}

void ks_free(void *memory) {
    if (memory == NULL) return;
    COUNT(-1);
    free(memory);
}

char *ks_strndup(const char *data, size_t size) {
    char *copy = ks_realloc(NULL, size + 1);
    if (size > 0) memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

size_t ks_alloc_live(void) {
#ifdef COUNTED
    return live;
#else
    return 0;
#endif
}
