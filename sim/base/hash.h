/* SPDX-License-Identifier: Apache-2.0
 *
 * Hash tables: uthash with our memory (it would exit() by itself when there is none) and our hash function, which depends
 * on nothing but the key's bytes. Iterating goes in insertion order, so it may be relied on; bucket order may not.
 * Include this file, never uthash.h itself.
 *
 * Integer keys use uthash's own macros (HASH_FIND, HASH_ADD with a field; the field must have no padding). A struct whose
 * key is a ks_string that it owns:
 *
 *     typedef struct thing { ks_string name; ...; UT_hash_handle hh; } thing;
 *     KS_HASH_FIND_STRING(hh, things, name, found);
 *     KS_HASH_ADD_STRING(hh, things, name, item);        HASH_DELETE(hh, things, item);
 */
#ifndef KS_HASH_H
#define KS_HASH_H

#include "sim/base/base.h"

/* 8 bytes a step, multiply and fold; good enough for keys that nobody chooses against us. */
static inline unsigned ks_hash_bytes(const void *key, size_t size) {
    const uint8_t *p = key;
    uint64_t h = UINT64_C(0x9E3779B97F4A7C15) ^ size;
    bool has_words = size >= 8;
    for (; size >= 8; p += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        h = (h ^ word) * UINT64_C(0xFF51AFD7ED558CCD);
        h ^= h >> 32;
    }
    uint64_t tail = 0;
    if (size > 0 && has_words) { /* with some bytes that came before, above them: to copy a size that varies would be a call */
        memcpy(&tail, p + size - sizeof tail, sizeof tail);
        tail = tail >> 8 * (8 - size) | tail << 8 * size;
    } else if (size > 0) {
        memcpy(&tail, p, size);
    }
    h = (h ^ tail) * UINT64_C(0xC4CEB9FE1A85EC53);
    return (unsigned)(h ^ h >> 32);
}

#define uthash_malloc(size) ks_alloc(size)
#define uthash_free(memory, size) ks_free(memory)
#define uthash_fatal(message) ks_assertion_failed(__FILE__, __LINE__, message)
#define HASH_FUNCTION(key, size, hash) ((hash) = ks_hash_bytes((key), (size_t)(size)))
#define HASH_KEYCMP(a, b, size) ((size) == 0 ? 0 : memcmp((a), (b), (size)))
#define HASH_INITIAL_NUM_BUCKETS 8U /* most tables are small, and there are some of them for each client; they grow */
#define HASH_INITIAL_NUM_BUCKETS_LOG2 3U
#include <uthash.h>

/* `out` becomes the item whose key equals `string`, or NULL. A null string is found like an empty one. */
#define KS_HASH_FIND_STRING(hh, head, string, out)                                                                     \
    HASH_FIND(hh, head, (string).data, (unsigned)((string).size > 0 ? (string).size : 0), out)
/* `field` is the item's ks_string; its data must live and stay unchanged as long as the item is in the table. */
#define KS_HASH_ADD_STRING(hh, head, field, item)                                                                      \
    HASH_ADD_KEYPTR(hh, head, (item)->field.data, (unsigned)((item)->field.size > 0 ? (item)->field.size : 0), item)

#endif
