/* SPDX-License-Identifier: Apache-2.0
 *
 * Pure partitioners: from a key to a partition, by nothing but the key. kafka-go's, the Java client's and librdkafka's
 * (rdkafka_msg.c, BuiltInPartitioner.java, kafka-go balancer.go); tests/vectors/partitioners.csv has known answers of
 * all.
 */
#ifndef KS_PARTITIONER_H
#define KS_PARTITIONER_H

#include <kafkasim/base.h>

#include "sim/base/base.h"

uint32_t ks_fnv1a(kafka_bytes key);   /* 32 bits */
uint32_t ks_crc32(kafka_bytes key);   /* IEEE, as zlib's */
uint32_t ks_murmur2(kafka_bytes key); /* as in Kafka's Utils.java */

/* From a hash to one of n partitions, n > 0. */
int32_t ks_partition_hash(uint32_t hash, int32_t n);     /* |(int32)hash mod n|: the sign goes after the remainder */
int32_t ks_partition_masked(uint32_t hash, int32_t n);   /* (hash & 0x7fffffff) mod n */
int32_t ks_partition_unsigned(uint32_t hash, int32_t n); /* hash mod n */

typedef enum ks_partitioner {
    KS_PARTITIONER_HASH,           /* kafka-go Hash */
    KS_PARTITIONER_REFERENCE_HASH, /* kafka-go ReferenceHash */
    KS_PARTITIONER_CRC32,          /* kafka-go CRC32Balancer */
    KS_PARTITIONER_CRC32_CONSISTENT,
    KS_PARTITIONER_MURMUR2, /* kafka-go Murmur2Balancer */
    KS_PARTITIONER_MURMUR2_CONSISTENT,
    KS_PARTITIONER_JAVA_DEFAULT,
    KS_PARTITIONER_LIBRDKAFKA_CONSISTENT,
    KS_PARTITIONER_LIBRDKAFKA_CONSISTENT_RANDOM,
    KS_PARTITIONER_LIBRDKAFKA_MURMUR2,
    KS_PARTITIONER_LIBRDKAFKA_MURMUR2_RANDOM,
    KS_PARTITIONER_LIBRDKAFKA_FNV1A,
    KS_PARTITIONER_LIBRDKAFKA_FNV1A_RANDOM,
    KS_PARTITIONER_COUNT
} ks_partitioner;
/* -1: the key does not decide (chance, counters or a sticky partition do), or n < 1. */
int32_t ks_partition(ks_partitioner partitioner, kafka_bytes key, int32_t n);

#endif
