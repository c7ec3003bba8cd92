/* SPDX-License-Identifier: Apache-2.0
 *
 * Seeded streams. Each concern and each node has a generator of its own (xoshiro256**, Blackman and Vigna), filled by
 * SplitMix64 from the seed and a number that stands for the concern, so that streams know nothing of each other and a
 * new draw in one leaves the others as they were.
 */
#include "sim/kernel/internal.h"

static uint64_t split_mix(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

void ks_random_seed(ks_random_state *state, uint64_t seed, uint64_t concern) {
    uint64_t filler = split_mix(&seed) + concern; /* seed and concern must not be exchangeable */
    for (int i = 0; i < 4; i++) state->words[i] = split_mix(&filler);
}

static uint64_t rotate(uint64_t word, int bits) { return word << bits | word >> (64 - bits); }

uint64_t ks_random_next(ks_random_state *state) {
    uint64_t *s = state->words, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* Draws as many bits as the bound needs and again when they are too many: uniform, fewer than two draws on average. */
uint64_t ks_random_next_below(ks_random_state *state, uint64_t bound) {
    ks_assert(bound > 0);
    uint64_t mask = bound - 1, draw;
    for (int shift = 1; shift < 64; shift *= 2) mask |= mask >> shift;
    do draw = ks_random_next(state) & mask;
    while (draw >= bound);
    return draw;
}

uint64_t ks_random(ks_kernel *kernel, ks_stream stream) { return ks_random_next(&kernel->streams[stream]); }

uint64_t ks_random_below(ks_kernel *kernel, ks_stream stream, uint64_t bound) {
    return ks_random_next_below(&kernel->streams[stream], bound);
}

uint64_t ks_node_random_below(ks_node *node, uint64_t bound) { return ks_random_next_below(&node->random, bound); }
