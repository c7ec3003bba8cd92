/* SPDX-License-Identifier: Apache-2.0
 *
 * The small vocabulary every layer shares: byte ranges, memory that never comes back NULL, arenas,
 * growable arrays and assertions that stay on in Release builds.
 *
 * Lifetimes (docs/ARCHITECTURE.md): cluster arena, event scratch, shared batches (reference counted), the caller's.
 */
#ifndef KS_BASE_H
#define KS_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- byte ranges: size -1 is Kafka's null, 0 is empty; never NUL-terminated by promise ---- */

typedef struct ks_bytes {
    const uint8_t *data;
    int32_t size; /* -1: null */
} ks_bytes;

typedef struct ks_string {
    const char *data; /* UTF-8 as it came, unchecked */
    int32_t size;     /* -1: null */
} ks_string;

typedef struct ks_uuid {
    uint8_t bytes[16]; /* all zero: none */
} ks_uuid;

#define KS_NULL_STRING ((ks_string){ NULL, -1 })
#define KS_NULL_BYTES ((ks_bytes){ NULL, -1 })
#define KS_LITERAL(text) ((ks_string){ "" text, (int32_t)sizeof(text) - 1 })

static inline ks_string ks_str(const char *text) { /* view of a C string; NULL gives null */
    return text ? (ks_string){ text, (int32_t)strlen(text) } : KS_NULL_STRING;
}
static inline bool ks_string_equal(ks_string a, ks_string b) { /* null equals only null */
    return a.size == b.size && (a.size <= 0 || a.data == b.data || memcmp(a.data, b.data, (size_t)a.size) == 0); /* often the very same */
}
int ks_string_compare(ks_string a, ks_string b); /* bytewise; null sorts first */
static inline bool ks_bytes_equal(ks_bytes a, ks_bytes b) {
    return a.size == b.size && (a.size <= 0 || a.data == b.data || memcmp(a.data, b.data, (size_t)a.size) == 0);
}
bool ks_uuid_equal(ks_uuid a, ks_uuid b);
bool ks_uuid_is_zero(ks_uuid id);
/* Writes the 22 characters of URL-safe base64 without padding (as Kafka prints topic ids) and a NUL. */
const char *ks_uuid_text(ks_uuid id, char text[23]);

/* qsort, O(count) when the items are in order already, as lists by member or by number nearly always are. */
void ks_sort(void *items, size_t count, size_t size, int (*compare)(const void *a, const void *b));

/* ---- memory: never NULL; out of memory ends in one place with one sentence ---- */

void *ks_alloc(size_t size);                 /* zeroed */
void *ks_realloc(void *memory, size_t size); /* the grown part is not zeroed */
/* Not zeroed, begins with a line of the processor's cache and has whole ones for itself: for what thousands of are made, of
 * which what is used together lies together. For ks_free, not for ks_realloc. */
enum { KS_LINE = 64 };
void *ks_alloc_lines(size_t size);
void ks_free(void *memory);
char *ks_strndup(const char *data, size_t size); /* NUL-terminated copy; free with ks_free */
/* A simulator begins and ends on this thread: until the last one has ended small objects are cheaper (slabs.h). */
void ks_memory_hold(void);
void ks_memory_release(void);
/* How many blocks are live: tests compare before and after. Counted only in debug and sanitizer builds, else 0. */
size_t ks_alloc_live(void);

/* memcpy for some dozen bytes of a size that nobody knows before: a call costs more than the copy. Returns the end of the copy.
 * The last step overlaps the one before it. */
static inline uint8_t *ks_copy_short(uint8_t *to, const void *source, size_t size) {
    const uint8_t *from = source;
    if (size >= 16) {
        for (size_t at = 0; at < size - 16; at += 16) memcpy(to + at, from + at, 16);
        memcpy(to + size - 16, from + size - 16, 16);
    } else if (size >= 8) {
        memcpy(to, from, 8);
        memcpy(to + size - 8, from + size - 8, 8);
    } else if (size >= 4) {
        memcpy(to, from, 4);
        memcpy(to + size - 4, from + size - 4, 4);
    } else if (size > 0) {
        to[0] = from[0];
        to[size / 2] = from[size / 2];
        to[size - 1] = from[size - 1];
    }
    return to + size;
}

/* Asks for cache lines that are needed soon. A hint: whoever follows one pointer after the other through memory that has long been
 * forgotten, as with thousands of clients, asks first for all that it knows of. (gcc leaves out the call of a function that does
 * nothing else.) */
static inline void ks_prefetch(const void *from, int32_t lines) {
    for (int32_t i = 0; i < lines; i++) __builtin_prefetch((const char *)from + i * KS_LINE);
}

/* ---- arena: everything in it dies together ---- */

/* AddressSanitizer is told what of an arena nobody has. */
#if defined(__SANITIZE_ADDRESS__)
#define KS_POISONING 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KS_POISONING 1
#endif
#endif

enum { KS_ARENA_ALIGNMENT = 16, KS_ARENA_SMALL = 720 };
typedef struct ks_arena { /* its own: it is seen here so that a few bytes are taken without a call */
    uint8_t *at, *end;    /* what is left of the chunk that is being filled */
    struct ks_arena_chunk *chunks;
    size_t next_size;
    _Alignas(KS_ARENA_ALIGNMENT) uint8_t small[KS_ARENA_SMALL]; /* the first chunk */
} ks_arena;
ks_arena *ks_arena_new(void);
void ks_arena_free(ks_arena *arena);
void ks_arena_reset(ks_arena *arena);                 /* poisoned under ASan until handed out again */
void ks_arena_reset_small(ks_arena *arena);           /* the same, and memory that grew is given back: for pools of them */
void *ks_arena_take_anew(ks_arena *arena, size_t size); /* where the chunk may not have the room */
/* Aligned for anything, not zeroed. */
static inline void *ks_arena_take(ks_arena *arena, size_t size) {
#ifndef KS_POISONING
    size_t left = (size_t)(arena->end - arena->at); /* a multiple of the alignment */
    if (size <= left) {
        uint8_t *memory = arena->at;
        arena->at += (size + KS_ARENA_ALIGNMENT - 1) & ~(size_t)(KS_ARENA_ALIGNMENT - 1);
        return memory;
    }
#endif
    return ks_arena_take_anew(arena, size);
}
static inline void *ks_arena_alloc(ks_arena *arena, size_t size) { /* the same, zeroed */
    return memset(ks_arena_take(arena, size), 0, size);
}
ks_string ks_arena_string(ks_arena *arena, ks_string string); /* NUL-terminated copy; null stays null */
ks_bytes ks_arena_bytes(ks_arena *arena, ks_bytes bytes);
void *ks_arena_copy(ks_arena *arena, const void *data, size_t size); /* aligned for anything */
ks_string ks_arena_printf(ks_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- owned C strings: `size` is exact, data NUL-terminated, free with ks_free((void *)s.data) ---- */

ks_string ks_string_dup(ks_string string);

/* ---- text/byte buffer that grows; free with ks_buffer_deinit ---- */

typedef struct ks_buffer {
    uint8_t *data; /* NUL-terminated beyond size after every text call */
    size_t size, capacity;
} ks_buffer;

void ks_buffer_deinit(ks_buffer *buffer);
void ks_buffer_clear(ks_buffer *buffer);
void ks_buffer_reserve(ks_buffer *buffer, size_t more);
void ks_buffer_append(ks_buffer *buffer, const void *data, size_t size);
void ks_buffer_text(ks_buffer *buffer, const char *text);
void ks_buffer_string(ks_buffer *buffer, ks_string text); /* null appends nothing */
/* Text from outside for people: control characters and broken UTF-8 as \xHH, so that no terminal is harmed. */
void ks_buffer_harmless(ks_buffer *buffer, ks_string text);
void ks_buffer_printf(ks_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ks_buffer_i64(ks_buffer *buffer, int64_t value); /* decimal, much faster than printf */
char *ks_buffer_take(ks_buffer *buffer);              /* owned NUL-terminated text; the buffer is empty afterwards */

/* ---- growable array: KS_VEC(int) v = {0}; KS_PUSH(v, 3); v.items[0]; ks_free(v.items) ---- */

#define KS_VEC(type)                                                                                                   \
    struct {                                                                                                           \
        type *items;                                                                                                   \
        int32_t count, capacity;                                                                                       \
    }
#define KS_PUSH(vec, ...)                                                                                              \
    (ks_vec_grow((void **)&(vec).items, (vec).count, &(vec).capacity, sizeof *(vec).items),                            \
     (vec).items[(vec).count++] = (__VA_ARGS__))
void ks_vec_grow(void **items, int32_t count, int32_t *capacity, size_t item_size); /* amortised doubling */

/* ---- assertions: on in every build; the report prints through a hook so that a test can see it fire ---- */

#define ks_assert(condition) ((condition) ? (void)0 : ks_assertion_failed(__FILE__, __LINE__, #condition))
#define ks_unreachable(what) ks_assertion_failed(__FILE__, __LINE__, "unreachable: " what)
#if defined(KS_SLOW_ASSERTIONS)
#define ks_assert_slow(condition) ks_assert(condition)
#else
#define ks_assert_slow(condition) ((void)0)
#endif
_Noreturn void ks_assertion_failed(const char *file, int line, const char *condition);
/* Thread-local hooks, so that simulators on other threads know nothing of it. `report` is called before the abort (seed,
 * time, last steps); a test's `escape` may longjmp instead of aborting. */
typedef struct ks_assertion_hook {
    void (*report)(void *context, const char *file, int line, const char *condition);
    void *context;
    struct ks_assertion_hook *outer;
} ks_assertion_hook;
void ks_assertion_hook_push(ks_assertion_hook *hook);
void ks_assertion_hook_pop(ks_assertion_hook *hook);

#endif
