/* SPDX-License-Identifier: Apache-2.0
 * What the tests that read protocol vectors share. */
#ifndef KS_PROTOCOL_VECTORS_H
#define KS_PROTOCOL_VECTORS_H

#include "tests/support/test.h"

#include "sim/base/base.h"

/* A hex string (null: null bytes) decoded into `arena`. */
static inline ks_bytes unhex(ks_arena *arena, const json_t *hex) {
    if (hex == NULL || json_is_null(hex)) return KS_NULL_BYTES;
    size_t size;
    uint8_t *bytes = ks_test_unhex(json_string_value(hex), &size);
    ks_bytes copy = ks_arena_bytes(arena, (ks_bytes){ bytes, (int32_t)size });
    free(bytes);
    return copy;
}

static inline const char *text_of(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? json_string_value(value) : "";
}

static inline int64_t number_of(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value)) fail_msg("%s is missing", key);
    return json_integer_value(value);
}

static inline bool is_true(const json_t *object, const char *key) { return json_is_true(json_object_get(object, key)); }

/* Where a vector's line came from, for messages: cmocka prints only the expression. */
#define assert_vector(condition, id)                                                                                   \
    do {                                                                                                               \
        if (!(condition)) fail_msg("%s: %s", (id), #condition);                                                        \
    } while (0)

static inline void assert_bytes(ks_bytes got, ks_bytes expected, const char *id, const char *what) {
    if (!ks_bytes_equal(got, expected)) {
        int32_t at = 0;
        while (at < got.size && at < expected.size && got.data[at] == expected.data[at]) at++;
        fail_msg("%s: %s differs at byte %d (%d bytes, expected %d)", id, what, (int)at, (int)got.size,
                 (int)expected.size);
    }
}

#endif
