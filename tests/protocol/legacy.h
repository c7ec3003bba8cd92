/* SPDX-License-Identifier: Apache-2.0
 * A reader of message sets v0 and v1 (wire-protocol.md 3.4): nothing but these tests meets them, for brokers refuse
 * them. */
#ifndef KS_LEGACY_H
#define KS_LEGACY_H

#include "tests/protocol/vectors.h"

#include <zlib.h>

#include "sim/protocol/record_batch.h"
#include "sim/protocol/wire_bytes.h"

static void check_legacy(const json_t *messages, ks_bytes set, ks_arena *arena, const char *id);

static inline const uint8_t *legacy_bytes(const uint8_t *p, ks_bytes *bytes) {
    int32_t size = ks_load_i32(p);
    *bytes = size < 0 ? KS_NULL_BYTES : (ks_bytes){ p + 4, size };
    return p + 4 + (size < 0 ? 0 : size);
}

/* Magic 0 hashed the LZ4 frame's descriptor together with its magic number; a sound frame has its own hash there. With
 * neither content size nor dictionary the descriptor is two bytes, and the check is their xxh32 >> 8 & 0xff. */
static inline void mend_lz4_header(uint8_t *frame, ks_bytes in) {
    ks_buffer out = { 0 };
    for (int check = 0; check < 256; check++) { /* the library knows the hash: let it say which is right */
        frame[6] = (uint8_t)check;
        ks_buffer_clear(&out);
        if (ks_decompress(KS_CODEC_LZ4, in, 1 << 20, &out)) break;
    }
    ks_buffer_deinit(&out);
}

static inline void check_legacy_wrapper(const json_t *inner, ks_bytes packed, int codec, int magic, ks_arena *arena,
                                        const char *id) {
    ks_buffer out = { 0 };
    ks_bytes in = ks_arena_bytes(arena, packed);
    if (codec == KS_CODEC_LZ4 && magic == 0) {
        assert_vector(!ks_decompress(KS_CODEC_LZ4, in, 1 << 20, &out), id);
        mend_lz4_header((uint8_t *)(uintptr_t)in.data, in);
        ks_buffer_clear(&out);
    }
    assert_vector(ks_decompress((ks_codec)codec, in, 1 << 20, &out), id);
    check_legacy(inner, (ks_bytes){ out.data, (int32_t)out.size }, arena, id);
    ks_buffer_deinit(&out);
}

static void check_legacy(const json_t *messages, ks_bytes set, ks_arena *arena, const char *id) {
    const uint8_t *p = set.data, *end = p + set.size;
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *message = json_array_get(messages, i);
        assert_vector(end - p >= 26, id);
        const uint8_t *next = p + 12 + ks_load_i32(p + 8);
        int magic = p[16], attributes = p[17];
        assert_vector(next <= end, id);
        assert_vector(ks_load_i64(p) == number_of(message, "offset"), id);
        assert_vector(ks_load_u32(p + 12) == strtoul(text_of(message, "crc"), NULL, 16), id);
        assert_vector(ks_load_u32(p + 12) == crc32(0, p + 16, (uInt)(next - p - 16)), id);
        assert_vector(magic == number_of(message, "magic") && attributes == number_of(message, "attributes"), id);
        const uint8_t *at = p + 18;
        if (magic == 1) {
            assert_vector(ks_load_i64(at) == number_of(message, "timestamp"), id);
            at += 8;
        }
        ks_bytes key, value;
        at = legacy_bytes(legacy_bytes(at, &key), &value);
        assert_vector(at == next, id);
        json_t *inner = json_object_get(message, "messages");
        if (inner == NULL) inner = json_object_get(message, "inner");
        if (attributes & 7) {
            assert_vector(inner != NULL, id);
            check_legacy_wrapper(inner, value, attributes & 7, magic, arena, id);
        } else {
            assert_bytes(key, unhex(arena, json_object_get(message, "key")), id, "key");
            assert_bytes(value, unhex(arena, json_object_get(message, "value")), id, "value");
        }
        p = next;
    }
    assert_vector(p == end, id);
}

#endif
