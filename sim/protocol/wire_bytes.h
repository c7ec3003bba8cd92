/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers as bytes: big-endian integers and variable-length ones (wire-protocol.md 1.2). Readers take [p, end) and
 * answer the place behind what they read, or NULL when the bytes end too soon or a varint is too long; NULL in, NULL
 * out, so that calls may be chained and checked once.
 */
#ifndef KS_WIRE_BYTES_H
#define KS_WIRE_BYTES_H

#include "sim/base/base.h"

/* ---- big-endian; compilers make one load or store and a byte swap of each ---- */

static inline uint16_t ks_load_u16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static inline uint32_t ks_load_u32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline uint64_t ks_load_u64(const uint8_t *p) { return (uint64_t)ks_load_u32(p) << 32 | ks_load_u32(p + 4); }
static inline int16_t ks_load_i16(const uint8_t *p) { return (int16_t)ks_load_u16(p); }
static inline int32_t ks_load_i32(const uint8_t *p) { return (int32_t)ks_load_u32(p); }
static inline int64_t ks_load_i64(const uint8_t *p) { return (int64_t)ks_load_u64(p); }

static inline void ks_store_16(uint8_t *p, uint16_t v) {
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static inline void ks_store_32(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}
static inline void ks_store_64(uint8_t *p, uint64_t v) {
    ks_store_32(p, (uint32_t)(v >> 32));
    ks_store_32(p + 4, (uint32_t)v);
}

/* ---- the same one behind the other: the caller has made room; what comes next is returned. Null is a length of -1. ---- */

static inline uint8_t *ks_write_16(uint8_t *p, int32_t v) {
    ks_store_16(p, (uint16_t)v);
    return p + 2;
}
static inline uint8_t *ks_write_32(uint8_t *p, int32_t v) {
    ks_store_32(p, (uint32_t)v);
    return p + 4;
}
static inline uint8_t *ks_write_64(uint8_t *p, int64_t v) {
    ks_store_64(p, (uint64_t)v);
    return p + 8;
}
static inline size_t ks_room_of(int32_t length) { return length > 0 ? (size_t)length : 0; } /* bytes behind a length */
static inline uint8_t *ks_write_raw(uint8_t *p, const void *data, int32_t length) {
    if (length > 0) memcpy(p, data, (size_t)length);
    return p + ks_room_of(length);
}
static inline uint8_t *ks_write_string(uint8_t *p, ks_string string) { /* INT16 length */
    ks_assert(string.size <= INT16_MAX);
    return ks_write_raw(ks_write_16(p, string.size < 0 ? -1 : string.size), string.data, string.size);
}
static inline uint8_t *ks_write_bytes(uint8_t *p, ks_bytes bytes) { /* INT32 length */
    return ks_write_raw(ks_write_32(p, bytes.size < 0 ? -1 : bytes.size), bytes.data, bytes.size);
}

/* ---- base-128 varints: low group first, high bit says more ---- */

static inline uint64_t ks_zigzag(int64_t v) { return (uint64_t)v << 1 ^ (uint64_t) - (int64_t)(v < 0); }
static inline int64_t ks_unzigzag(uint64_t v) { return (int64_t)(v >> 1 ^ (0 - (v & 1))); }

static inline int32_t ks_uvarint_size(uint64_t v) {
    int32_t size = 1;
    while (v >= 0x80) v >>= 7, size++;
    return size;
}
static inline int32_t ks_varint_size(int64_t v) { return ks_uvarint_size(ks_zigzag(v)); }

static inline uint8_t *ks_put_uvarint(uint8_t *p, uint64_t v) { /* the caller has made room: at most 10 bytes */
    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}
static inline uint8_t *ks_put_varint(uint8_t *p, int64_t v) { return ks_put_uvarint(p, ks_zigzag(v)); }

const uint8_t *ks_get_uvarint_slow(const uint8_t *p, const uint8_t *end, int32_t max_size,
                                   uint64_t *v); /* wire_bytes.c */

/* One and two bytes, nearly all there are, without a call; false: ask the slow one. */
static inline bool ks_get_short_uvarint(const uint8_t **p, const uint8_t *end, uint32_t *v) {
    const uint8_t *at = *p;
    if (at == NULL || end - at < 2) return false;
    if (at[0] < 0x80) {
        *v = at[0];
        *p = at + 1;
        return true;
    }
    if (at[1] >= 0x80) return false;
    *v = (at[0] & 0x7fu) | (uint32_t)at[1] << 7;
    *p = at + 2;
    return true;
}

/* At most 5 bytes. Bits beyond the 32nd are dropped, as Kafka's ByteUtils does. */
static inline const uint8_t *ks_get_uvarint(const uint8_t *p, const uint8_t *end, uint32_t *v) {
    if (ks_get_short_uvarint(&p, end, v)) return p;
    uint64_t wide;
    p = ks_get_uvarint_slow(p, end, 5, &wide);
    *v = (uint32_t)wide;
    return p;
}
static inline const uint8_t *ks_get_varint(const uint8_t *p, const uint8_t *end, int32_t *v) {
    uint32_t raw;
    p = ks_get_uvarint(p, end, &raw);
    *v = (int32_t)(raw >> 1 ^ (0 - (raw & 1)));
    return p;
}
static inline const uint8_t *ks_get_varlong(const uint8_t *p, const uint8_t *end, int64_t *v) { /* at most 10 bytes */
    uint32_t small;
    uint64_t raw;
    if (ks_get_short_uvarint(&p, end, &small))
        raw = small;
    else
        p = ks_get_uvarint_slow(p, end, 10, &raw);
    *v = ks_unzigzag(raw);
    return p;
}

#endif
