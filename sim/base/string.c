/* SPDX-License-Identifier: Apache-2.0
 * Comparing and copying byte ranges; topic ids as text (Kafka's Uuid.toString: URL-safe base64 without padding). */
#include "sim/base/base.h"

int ks_string_compare(ks_string a, ks_string b) {
    int32_t shared = a.size < b.size ? a.size : b.size;
    int order = shared > 0 && a.data != b.data ? memcmp(a.data, b.data, (size_t)shared) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size); /* null has size -1, so it sorts before empty */
}

bool ks_uuid_equal(ks_uuid a, ks_uuid b) { return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0; }
bool ks_uuid_is_zero(ks_uuid id) { return ks_uuid_equal(id, (ks_uuid){ { 0 } }); }

const char *ks_uuid_text(ks_uuid id, char text[23]) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t pending = 0;
    int bits = 0, at = 0;
    for (int i = 0; i < 16; i++) {
        pending = pending << 8 | id.bytes[i];
        for (bits += 8; bits >= 6; text[at++] = digits[pending >> bits & 63]) bits -= 6;
    }
    text[at++] = digits[pending << (6 - bits) & 63];
    text[at] = '\0';
    return text;
}

ks_string ks_string_dup(ks_string string) {
    if (string.size < 0) return KS_NULL_STRING;
    return (ks_string){ ks_strndup(string.data, (size_t)string.size), string.size };
}
