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

#ifdef KS_POISONING
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(start, size)   ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
enum { GAP = 0 };
#endif

enum { CHUNK_MIN = 1024, CHUNK_MAX = 64 * 1024 }; /* bytes with the head */

typedef struct ks_arena_chunk chunk;
struct ks_arena_chunk {
    chunk *next; /* older ones */
    size_t size; /* of data */
    _Alignas(KS_ARENA_ALIGNMENT) uint8_t data[];
};
_Static_assert(KS_ARENA_SMALL % KS_ARENA_ALIGNMENT == 0 && CHUNK_MIN % KS_ARENA_ALIGNMENT == 0, "what is left is aligned");

static void fill(ks_arena *arena, uint8_t *data, size_t size) {
    ASAN_POISON_MEMORY_REGION(data, size);
    arena->at = data;
    arena->end = data + size;
}

static void chunk_free(chunk *c) {
    ASAN_UNPOISON_MEMORY_REGION(c->data, c->size);
    ks_free(c);
}

static void add_chunk(ks_arena *arena, size_t at_least) {
    size_t size = arena->next_size - sizeof(chunk);
    if (size < at_least) size = at_least;
    if (arena->next_size < CHUNK_MAX) arena->next_size *= 2;
    chunk *c = ks_realloc(NULL, sizeof *c + size);
    *c = (chunk){ .next = arena->chunks, .size = size };
    arena->chunks = c;
    fill(arena, c->data, size);
}

ks_arena *ks_arena_new(void) {
    ks_arena *arena = ks_alloc_lines(sizeof *arena); /* what is handed out is zeroed then */
    arena->chunks = NULL;
    arena->next_size = CHUNK_MIN;
    fill(arena, arena->small, sizeof arena->small);
    return arena;
}

/* Frees all chunks but the small one and `kept`, which is alone then. */
static void free_chunks(ks_arena *arena, chunk *kept) {
    for (chunk *c = arena->chunks, *next; c != NULL; c = next) {
        next = c->next;
        if (c != kept) chunk_free(c);
    }
    arena->chunks = kept;
    if (kept != NULL) kept->next = NULL;
    fill(arena, arena->small, sizeof arena->small);
}

void ks_arena_free(ks_arena *arena) {
    if (arena == NULL) return;
    free_chunks(arena, NULL);
    ASAN_UNPOISON_MEMORY_REGION(arena->small, sizeof arena->small);
    ks_free(arena);
}

void ks_arena_reset(ks_arena *arena) {
    chunk *kept = NULL;
    for (chunk *c = arena->chunks; c != NULL; c = c->next)
        if (c->size <= CHUNK_MAX && (kept == NULL || c->size > kept->size)) kept = c;
    free_chunks(arena, kept);
    if (kept != NULL) fill(arena, kept->data, kept->size);
}

void ks_arena_reset_small(ks_arena *arena) {
    free_chunks(arena, NULL);
    arena->next_size = CHUNK_MIN;
}

void *ks_arena_take_anew(ks_arena *arena, size_t size) {
    ks_assert(size <= SIZE_MAX / 2);
    size_t room = (size + GAP + KS_ARENA_ALIGNMENT - 1) & ~(size_t)(KS_ARENA_ALIGNMENT - 1);
    if ((size_t)(arena->end - arena->at) < room) add_chunk(arena, room);
    uint8_t *memory = arena->at;
    arena->at += room;
    ASAN_UNPOISON_MEMORY_REGION(memory, size);
    return memory;
}

/* What is frequent makes no call that comes back, so that it has no registers to save. */
#define SELDOM __attribute__((noinline))

static bool fits(const ks_arena *arena, size_t size) { return GAP == 0 && size <= (size_t)(arena->end - arena->at); }

static SELDOM void *copy_anew(ks_arena *arena, const void *data, size_t size) {
    void *copy = ks_arena_take_anew(arena, size);
    return size > 0 ? memcpy(copy, data, size) : copy;
}

void *ks_arena_copy(ks_arena *arena, const void *data, size_t size) {
    if (size == 0 || !fits(arena, size)) return copy_anew(arena, data, size);
    return memcpy(ks_arena_take(arena, size), data, size);
}

static ks_string copy_string(void *to, ks_string string) {
    *ks_copy_short(to, string.data, (size_t)string.size) = '\0';
    return (ks_string){ to, string.size };
}

static SELDOM ks_string string_anew(ks_arena *arena, ks_string string) {
    return copy_string(ks_arena_take_anew(arena, (size_t)string.size + 1), string);
}

ks_string ks_arena_string(ks_arena *arena, ks_string string) {
    if (string.size < 0) return KS_NULL_STRING;
    if (!fits(arena, (size_t)string.size + 1)) return string_anew(arena, string);
    return copy_string(ks_arena_take(arena, (size_t)string.size + 1), string);
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
    char *text = ks_arena_take(arena, (size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return (ks_string){ text, size };
}
