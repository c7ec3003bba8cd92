/* SPDX-License-Identifier: Apache-2.0
 * Text from outside, for terminals and pages. */
#include "sim/base/base.h"

/* The length of the well-formed UTF-8 character at p, or 0. */
static int utf8_length(const uint8_t *p, int32_t left) {
    static const uint8_t least[5] = { 0, 0, 0xC2, 0xE0, 0xF0 };
    int n = *p < 0x80 ? 1 : *p < 0xC2 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF5 ? 4 : 0;
    if (n == 0 || n > left || *p < least[n]) return n == 1 ? 1 : 0;
    for (int i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    if (n == 3 && ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))) return 0; /* overlong; surrogates */
    if (n == 4 && ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))) return 0;
    if (n == 2 && p[0] == 0xC2 && p[1] < 0xA0) return 0; /* C1 control characters */
    /* Marks that turn the direction of text around them could make a line read as something else. */
    if (n == 3 && p[0] == 0xE2 && ((p[1] == 0x80 && p[2] >= 0xAA && p[2] <= 0xAE) || (p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9)))
        return 0;
    return n;
}

void ks_buffer_harmless(ks_buffer *out, ks_string text) {
    for (int32_t i = 0; i < text.size;) {
        const uint8_t *p = (const uint8_t *)text.data + i;
        int n = utf8_length(p, text.size - i);
        if (n == 0 || (n == 1 && (*p < 0x20 || *p == 0x7F))) {
            ks_buffer_printf(out, "\\x%02X", *p);
            i++;
        } else {
            ks_buffer_append(out, p, (size_t)n);
            i += n;
        }
    }
}
