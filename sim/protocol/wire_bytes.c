/* SPDX-License-Identifier: Apache-2.0
 * Varints of more than one byte, and all that goes wrong with them. */
#include "sim/protocol/wire_bytes.h"

const uint8_t *ks_get_uvarint_slow(const uint8_t *p, const uint8_t *end, int32_t max_size, uint64_t *v) {
    *v = 0;
    if (p == NULL) return NULL;
    for (int32_t i = 0; i < max_size; i++) {
        if (p >= end) return NULL;
        uint8_t byte = *p++;
        *v |= (uint64_t)(byte & 0x7f) << (7 * i); /* the tenth byte has one bit of room; the rest falls off */
        if (byte < 0x80) return p;
    }
    return NULL;
}
