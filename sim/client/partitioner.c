/* SPDX-License-Identifier: Apache-2.0
 *
 * See partitioner.h. What differs between clients is small and easy to get wrong: when the sign of a hash is dropped,
 * and what happens to a key that is null or empty. Both stand in one table here.
 */
#include "sim/client/partitioner.h"

#include <zlib.h>

uint32_t ks_fnv1a(kafka_bytes key) {
    const uint8_t *bytes = key.data;
    uint32_t hash = 0x811c9dc5u;
    for (size_t i = 0; i < key.size; i++) hash = (hash ^ bytes[i]) * 0x01000193u;
    return hash;
}

uint32_t ks_crc32(kafka_bytes key) {
    if (key.size == 0) return 0;
    return (uint32_t)crc32(0, key.data, (uInt)key.size);
}

static uint32_t little_endian(const uint8_t *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

uint32_t ks_murmur2(kafka_bytes key) {
    const uint32_t m = 0x5bd1e995u;
    const uint8_t *bytes = key.data;
    size_t left = key.size;
    uint32_t hash = 0x9747b28cu ^ (uint32_t)key.size;
    for (; left >= 4; bytes += 4, left -= 4) {
        uint32_t k = little_endian(bytes) * m;
        k = (k ^ k >> 24) * m;
        hash = hash * m ^ k;
    }
    switch (left) {
    case 3: hash ^= (uint32_t)bytes[2] << 16; /* fall through */
    case 2: hash ^= (uint32_t)bytes[1] << 8;  /* fall through */
    case 1: hash = (hash ^ bytes[0]) * m;
    }
    hash = (hash ^ hash >> 13) * m;
    return hash ^ hash >> 15;
}

int32_t ks_partition_hash(uint32_t hash, int32_t n) {
    int32_t remainder = (int32_t)hash % n; /* n > 0, so this cannot overflow, and |remainder| < n */
    return remainder < 0 ? -remainder : remainder;
}

int32_t ks_partition_masked(uint32_t hash, int32_t n) { return (int32_t)((hash & 0x7fffffffu) % (uint32_t)n); }

int32_t ks_partition_unsigned(uint32_t hash, int32_t n) { return (int32_t)(hash % (uint32_t)n); }

/* librdkafka drops the sign before the remainder, and 2^31 stays what it is as an unsigned number. */
static int32_t absolute_first(uint32_t hash, int32_t n) {
    uint32_t absolute = hash >> 31 ? 0u - hash : hash;
    return (int32_t)(absolute % (uint32_t)n);
}

typedef enum without_key { UNDECIDED, HASHED } without_key;
static const struct rule {
    uint32_t (*hash)(kafka_bytes key);
    int32_t (*reduce)(uint32_t hash, int32_t n);
    without_key null_key, empty_key;
} rules[] = {
    [KS_PARTITIONER_HASH] = { ks_fnv1a, ks_partition_hash, UNDECIDED, HASHED },
    [KS_PARTITIONER_REFERENCE_HASH] = { ks_fnv1a, ks_partition_masked, UNDECIDED, HASHED },
    [KS_PARTITIONER_CRC32] = { ks_crc32, ks_partition_unsigned, UNDECIDED, UNDECIDED },
    [KS_PARTITIONER_CRC32_CONSISTENT] = { ks_crc32, ks_partition_unsigned, HASHED, HASHED },
    [KS_PARTITIONER_MURMUR2] = { ks_murmur2, ks_partition_masked, UNDECIDED, HASHED },
    [KS_PARTITIONER_MURMUR2_CONSISTENT] = { ks_murmur2, ks_partition_masked, HASHED, HASHED },
    [KS_PARTITIONER_JAVA_DEFAULT] = { ks_murmur2, ks_partition_masked, UNDECIDED, HASHED },
    [KS_PARTITIONER_LIBRDKAFKA_CONSISTENT] = { ks_crc32, ks_partition_unsigned, HASHED, HASHED },
    [KS_PARTITIONER_LIBRDKAFKA_CONSISTENT_RANDOM] = { ks_crc32, ks_partition_unsigned, UNDECIDED, UNDECIDED },
    [KS_PARTITIONER_LIBRDKAFKA_MURMUR2] = { ks_murmur2, ks_partition_masked, HASHED, HASHED },
    [KS_PARTITIONER_LIBRDKAFKA_MURMUR2_RANDOM] = { ks_murmur2, ks_partition_masked, UNDECIDED, HASHED },
    [KS_PARTITIONER_LIBRDKAFKA_FNV1A] = { ks_fnv1a, absolute_first, HASHED, HASHED },
    [KS_PARTITIONER_LIBRDKAFKA_FNV1A_RANDOM] = { ks_fnv1a, absolute_first, UNDECIDED, HASHED },
};
_Static_assert(sizeof rules / sizeof *rules == KS_PARTITIONER_COUNT, "one rule for each partitioner");

int32_t ks_partition(ks_partitioner partitioner, kafka_bytes key, int32_t n) {
    const struct rule *rule = &rules[partitioner];
    if (n < 1) return -1;
    if (key.size == 0 && (key.data == NULL ? rule->null_key : rule->empty_key) == UNDECIDED) return -1;
    return rule->reduce(rule->hash(key), n);
}
