/* SPDX-License-Identifier: Apache-2.0
 * CRC-32C: the instruction, the tables and a bit-by-bit reference agree, for all sizes, alignments and splits. */
#include "sim/base/crc32c.h"
#include "tests/support/test.h"

static uint32_t bit_by_bit(const uint8_t *data, size_t size) {
    uint32_t crc = ~UINT32_C(0);
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82F63B78) : 0);
    }
    return ~crc;
}

static void known_answers(void **state) { /* RFC 3720, B.4 */
    (void)state;
    uint8_t bytes[32] = { 0 };
    assert_int_equal(ks_crc32c("123456789", 9), 0xE3069283);
    assert_int_equal(ks_crc32c(bytes, 32), 0x8A9136AA);
    memset(bytes, 0xff, 32);
    assert_int_equal(ks_crc32c(bytes, 32), 0x62A8AB43);
    for (int i = 0; i < 32; i++) bytes[i] = (uint8_t)i;
    assert_int_equal(ks_crc32c(bytes, 32), 0x46DD794E);
    assert_int_equal(ks_crc32c(NULL, 0), 0);
}

static void all_ways_agree(void **state) {
    (void)state;
    uint8_t bytes[600];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
    for (size_t start = 0; start < 16; start++)
        for (size_t size = 0; size < 300; size++) {
            uint32_t expected = bit_by_bit(bytes + start, size);
            assert_int_equal(ks_crc32c(bytes + start, size), expected);
            assert_int_equal(ks_crc32c_extend_portable(0, bytes + start, size), expected);
            size_t half = size * 5 / 7;
            uint32_t front = ks_crc32c_extend_portable(0, bytes + start, half);
            assert_int_equal(ks_crc32c_extend(front, bytes + start + half, size - half), expected);
        }
    print_message("this machine uses %s\n", ks_crc32c_method());
}

/* Around the sizes at which three runs of bytes are summed side by side. */
static void long_runs_agree_too(void **state) {
    (void)state;
    static uint8_t bytes[8000];
    uint32_t x = 7;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
    for (size_t size = 0; size + 3 < sizeof bytes; size += size % 384 < 40 ? 1 : 43)
        for (size_t start = 0; start < 3; start++)
            assert_int_equal(ks_crc32c_extend(99, bytes + start, size),
                             ks_crc32c_extend_portable(99, bytes + start, size));
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(known_answers), cmocka_unit_test(all_ways_agree),
                                        cmocka_unit_test(long_runs_agree_too) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
