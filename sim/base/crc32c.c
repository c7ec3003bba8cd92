/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC-32C, reflected polynomial 0x82F63B78, as in RFC 3720 and java.util.zip.CRC32C. x86-64 decides at run time whether
 * SSE4.2 is there; AArch64 decides at compile time (the instruction is part of ARMv8.1) or asks the kernel on Linux.
 */
#define _DEFAULT_SOURCE
#include "sim/base/crc32c.h"

#include <string.h>

#include "sim/base/crc32c_table.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>
#define INSTRUCTION      "sse4.2"
#define TARGET           __attribute__((target("sse4.2,pclmul")))
#define STEP8(crc, word) (uint32_t) _mm_crc32_u64((crc), (word))
#define STEP1(crc, byte) _mm_crc32_u8((crc), (byte))
static int available(void) { return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"); }

/* The instruction takes three cycles but a new one can start in each, so three runs of bytes go side by side. Their
 * sums are joined by linearity: crc(ABC) is crc(A) carried over B and C, and crc(B) carried over C, and crc(C), all
 * xored. Carrying a sum over n bytes multiplies it by x^(8n) modulo the polynomial; 33 less, for the instruction itself
 * carries over 64 bits and the carry-less product of reflected numbers stands one bit low. */
#define SIDE_BY_SIDE
typedef struct stride {
    size_t bytes;
    uint32_t over_one, over_two; /* x^(8*bytes - 33), x^(16*bytes - 33), reflected */
} stride;
static const stride strides[] = { { 1024, 0x170076fa, 0xa51b6135 }, { 128, 0x0d3b6092, 0xb9e02b86 } };

TARGET static uint32_t three_at_once(uint32_t crc, const uint8_t *p, const stride *run) {
    uint64_t a = crc, b = 0, c = 0, words[3];
    for (size_t at = 0; at < run->bytes; at += 8) {
        memcpy(&words[0], p + at, 8);
        memcpy(&words[1], p + run->bytes + at, 8);
        memcpy(&words[2], p + 2 * run->bytes + at, 8);
        a = _mm_crc32_u64(a, words[0]);
        b = _mm_crc32_u64(b, words[1]);
        c = _mm_crc32_u64(c, words[2]);
    }
    __m128i carried = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)a), _mm_cvtsi64_si128(run->over_two), 0);
    carried = _mm_xor_si128(carried,
                            _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)b), _mm_cvtsi64_si128(run->over_one), 0));
    return (uint32_t)(_mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(carried)) ^ c);
}
#elif defined(__aarch64__) && (defined(__ARM_FEATURE_CRC32) || defined(__linux__))
#include <arm_acle.h>
#define INSTRUCTION      "armv8"
#define STEP8(crc, word) __crc32cd((crc), (word))
#define STEP1(crc, byte) __crc32cb((crc), (byte))
#if defined(__ARM_FEATURE_CRC32)
#define TARGET
static int available(void) { return 1; }
#else
#include <sys/auxv.h>
#define TARGET __attribute__((target("+crc")))
static int available(void) { return (getauxval(AT_HWCAP) & (1ul << 7)) != 0; } /* HWCAP_CRC32 */
#endif
#endif

static uint64_t little_endian_64(const uint8_t *p) {
    uint64_t word = 0;
    for (int i = 7; i >= 0; i--) word = word << 8 | p[i]; /* one load on little-endian machines */
    return word;
}

uint32_t ks_crc32c_extend_portable(uint32_t crc, const void *data, size_t size) {
    const uint8_t *p = data;
    crc = ~crc;
    for (; size >= 8; p += 8, size -= 8) {
        uint64_t word = little_endian_64(p) ^ crc;
        crc = 0;
        for (int i = 0; i < 8; i++) crc ^= crc32c_table[7 - i][word >> (8 * i) & 0xff];
    }
    for (; size > 0; p++, size--) crc = crc >> 8 ^ crc32c_table[0][(crc ^ *p) & 0xff];
    return ~crc;
}

#ifdef INSTRUCTION
TARGET static uint32_t extend_by_instruction(uint32_t crc, const void *data, size_t size) {
    const uint8_t *p = data;
    crc = ~crc;
#ifdef SIDE_BY_SIDE
    for (size_t i = 0; i < sizeof strides / sizeof *strides; i++)
        for (size_t all = 3 * strides[i].bytes; size >= all; p += all, size -= all)
            crc = three_at_once(crc, p, &strides[i]);
#endif
    for (; size >= 8; p += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        crc = STEP8(crc, word);
    }
    for (; size > 0; p++, size--) crc = STEP1(crc, *p);
    return ~crc;
}

uint32_t ks_crc32c_extend(uint32_t crc, const void *data, size_t size) {
    return available() ? extend_by_instruction(crc, data, size) : ks_crc32c_extend_portable(crc, data, size);
}
const char *ks_crc32c_method(void) { return available() ? INSTRUCTION : "slicing-by-8"; }
#else
uint32_t ks_crc32c_extend(uint32_t crc, const void *data, size_t size) {
    return ks_crc32c_extend_portable(crc, data, size);
}
const char *ks_crc32c_method(void) { return "slicing-by-8"; }
#endif

uint32_t ks_crc32c(const void *data, size_t size) { return ks_crc32c_extend(0, data, size); }
