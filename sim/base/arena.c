/* SPDX-License-Identifier: Apache-2.0
 *
 * Arenas: a list of chunks that are filled from front to back. A reset keeps one chunk, the largest of ordinary size,
 * so that an arena in steady use settles on a single chunk and neither allocates nor grows any more. The first, small
 * one is part of the arena, so that a message with its arena takes few cache lines. Under AddressSanitizer everything
 * not handed out is poisoned, with a gap between neighbours, so that use after reset and overruns show.
 */
#include "sim/base/base.h"

#include <stdarg.h>
#include <stdio.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONED 1
#endif
#endif
#ifdef POISONED
#include <sanitizer/asan_interface.h>
enum { GAP = 16, SPARING = false };
#else
#define ASAN_POISON_MEMORY_REGION(start, size)   ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
enum { GAP = 0, SPARING = true };
#endif

enum { ALIGNMENT = 16, SMALL = 720, CHUNK_MIN = 2048, CHUNK_MAX = 64 * 1024 };

typedef struct ks_arena_chunk chunk;
struct ks_arena_chunk {
    chunk *next; /* older ones */
    size_t size;        /* of data */
    _Alignas(ALIGNMENT) uint8_t data[];
};

struct ks_arena {
    chunk *chunks; /* the first one is being filled, the last one is `small` */
    size_t used;   /* of the first chunk */
    size_t next_size;
    ks_arena_spare *spare; /* NULL: memory goes back to malloc */
    _Alignas(ALIGNMENT) uint8_t small[sizeof(chunk) + SMALL];
};

static chunk *small_chunk(ks_arena *arena) { return (chunk *)(void *)arena->small; }

static void chunk_poison(chunk *c) { ASAN_POISON_MEMORY_REGION(c->data, c->size); }

static void chunk_free(ks_arena *arena, chunk *c) {
    ASAN_UNPOISON_MEMORY_REGION(c->data, c->size);
    if (SPARING && arena->spare != NULL && c->size == CHUNK_MIN) {
        c->next = arena->spare->first;
        arena->spare->first = c;
    } else {
        ks_free(c);
    }
}

static chunk *chunk_new(ks_arena *arena, size_t size) {
    chunk *c = SPARING && arena->spare != NULL && size == CHUNK_MIN ? arena->spare->first : NULL;
    if (c != NULL)
        arena->spare->first = c->next;
    else
        c = ks_realloc(NULL, sizeof *c + size);
    c->size = size;
    return c;
}

static void add_chunk(ks_arena *arena, size_t at_least) {
    size_t size = arena->next_size;
    if (size < at_least) size = at_least;
    if (arena->next_size < CHUNK_MAX) arena->next_size *= 2;
    chunk *c = chunk_new(arena, size);
    c->next = arena->chunks;
    chunk_poison(c);
    arena->chunks = c;
    arena->used = 0;
}

ks_arena *ks_arena_new(void) { return ks_arena_new_of(NULL); }

ks_arena *ks_arena_new_of(ks_arena_spare *spare) {
    ks_arena *arena = ks_alloc_lines(sizeof *arena); /* what is handed out is zeroed then */
    arena->chunks = small_chunk(arena);
    *arena->chunks = (chunk){ .size = SMALL };
    arena->used = 0;
    arena->next_size = CHUNK_MIN;
    arena->spare = spare;
    chunk_poison(arena->chunks);
    return arena;
}

/* Frees all chunks but the small one and `kept`. */
static void free_chunks(ks_arena *arena, const chunk *kept) {
    for (chunk *c = arena->chunks, *next; c != small_chunk(arena); c = next) {
        next = c->next;
        if (c != kept) chunk_free(arena, c);
    }
}

void ks_arena_free(ks_arena *arena) {
    if (arena == NULL) return;
    free_chunks(arena, NULL);
    ASAN_UNPOISON_MEMORY_REGION(arena->small, sizeof arena->small);
    ks_free(arena);
}

void ks_arena_spare_deinit(ks_arena_spare *spare) {
    for (chunk *c = spare->first, *next; c != NULL; c = next) {
        next = c->next;
        ks_free(c);
    }
}

void ks_arena_reset(ks_arena *arena) {
    chunk *small = small_chunk(arena), *kept = small;
    for (chunk *c = arena->chunks; c != NULL; c = c->next)
        if (c->size <= CHUNK_MAX && c->size > kept->size) kept = c;
    free_chunks(arena, kept);
    if (kept != small) kept->next = small;
    chunk_poison(small);
    chunk_poison(kept);
    arena->chunks = kept;
    arena->used = 0;
}

void ks_arena_reset_small(ks_arena *arena) {
    free_chunks(arena, NULL);
    arena->chunks = small_chunk(arena);
    arena->used = 0;
    arena->next_size = CHUNK_MIN;
    chunk_poison(arena->chunks);
}

static void *take(ks_arena *arena, size_t size) { /* not zeroed */
    ks_assert(size <= SIZE_MAX / 2);
    size_t room = (size + GAP + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (arena->chunks->size - arena->used < room) add_chunk(arena, room);
    uint8_t *memory = arena->chunks->data + arena->used;
    arena->used += room;
    ASAN_UNPOISON_MEMORY_REGION(memory, size);
    return memory;
}

void *ks_arena_alloc(ks_arena *arena, size_t size) { return memset(take(arena, size), 0, size); }

void *ks_arena_copy(ks_arena *arena, const void *data, size_t size) {
    void *copy = take(arena, size);
    return size > 0 ? memcpy(copy, data, size) : copy;
}

ks_string ks_arena_string(ks_arena *arena, ks_string string) {
    if (string.size < 0) return KS_NULL_STRING;
    char *copy = take(arena, (size_t)string.size + 1);
    if (string.size > 0) memcpy(copy, string.data, (size_t)string.size);
    copy[string.size] = '\0';
    return (ks_string){ copy, string.size };
}

ks_bytes ks_arena_bytes(ks_arena *arena, ks_bytes bytes) {
    if (bytes.size < 0) return KS_NULL_BYTES;
    return (ks_bytes){ ks_arena_copy(arena, bytes.data, (size_t)bytes.size), bytes.size };
}

ks_string ks_arena_printf(ks_arena *arena, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    ks_assert(size >= 0);
    char *text = take(arena, (size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return (ks_string){ text, size };
}
