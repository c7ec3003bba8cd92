/* SPDX-License-Identifier: Apache-2.0
 *
 * Balancers choose the partition of a message, as kafka-go's Balancer types do (balancer.go). A kafka_balancer is a small
 * value that names a rule: it owns nothing, may be copied and needs no freeing. A writer keeps the rule's counters itself,
 * so one value may configure many writers without mixing their state.
 */
#ifndef KAFKASIM_BALANCER_H
#define KAFKASIM_BALANCER_H

#include <kafkasim/message.h>

KAFKA_BEGIN

/** Which rule a kafka_balancer names. Made by the functions below; a zeroed kafka_balancer is round robin. */
typedef enum kafka_balancer_kind {
    KAFKA_BALANCER_ROUND_ROBIN = 0, /**< kafka_balancer_round_robin() */
    KAFKA_BALANCER_LEAST_BYTES,     /**< kafka_balancer_least_bytes() */
    KAFKA_BALANCER_HASH,            /**< kafka_balancer_hash() */
    KAFKA_BALANCER_REFERENCE_HASH,  /**< kafka_balancer_reference_hash() */
    KAFKA_BALANCER_CRC32,           /**< kafka_balancer_crc32() */
    KAFKA_BALANCER_MURMUR2,         /**< kafka_balancer_murmur2() */
    KAFKA_BALANCER_RANDOM,          /**< kafka_balancer_random() */
    KAFKA_BALANCER_FUNCTION         /**< kafka_balancer_function() */
} kafka_balancer_kind;

/** A hash function of 32 bits for kafka_balancer_hash_with(). Pure: the same bytes give the same number. `key` is a view. */
typedef uint32_t kafka_hasher(kafka_bytes key);

/** A rule of the application: the partition for `message` out of 0 .. partition_count - 1.
 *
 *  argument         as given to kafka_balancer_function()
 *  message          view for the call
 *  partition_count  at least 1
 *  returns          a partition. One out of range is not refused here: the message then fails alone, with
 *                   KAFKA_ERR_PARTITION_NOT_CACHED, as in kafka-go.
 *
 *  It runs inside kafka_writer_write() and may not call kafka_* functions that block. */
typedef int32_t kafka_balance_function(void *argument, const kafka_message *message, int32_t partition_count);

/** A rule by value. The fields are there so that it can be copied and printed; make one with the functions below. */
typedef struct kafka_balancer {
    kafka_balancer_kind kind;         /**< the rule */
    int32_t chunk_size;               /**< round robin: messages in a row to one partition; below 1 means 1 */
    bool consistent;                  /**< CRC-32, murmur2: a message without key is hashed as an empty key, not random */
    kafka_hasher *hasher;             /**< hash, reference hash: NULL is FNV-1a */
    kafka_balance_function *function; /**< KAFKA_BALANCER_FUNCTION only */
    void *argument;                   /**< of `function`; kept as long as the writer */
} kafka_balancer;

/** 0 1 2 0 1 2 ...: every message to the next partition; the key plays no part. The default. kafka-go RoundRobin. */
KAFKA_API kafka_balancer kafka_balancer_round_robin(void);
/** The same in runs: `chunk_size` messages to one partition, then on to the next. kafka-go RoundRobin{ChunkSize}. */
KAFKA_API kafka_balancer kafka_balancer_round_robin_chunked(int32_t chunk_size);
/** To the partition to which this writer has sent the fewest key and value bytes; ties go to the lowest number. It knows
 *  nothing of what others wrote. Costs O(log partitions) a message. kafka-go LeastBytes. */
KAFKA_API kafka_balancer kafka_balancer_least_bytes(void);
/** Same key, same partition: |(int32)FNV-1a(key) mod n|. Messages without key go round robin. kafka-go Hash, the same as
 *  Sarama's hash partitioner. Not Java's: see kafka_balancer_murmur2(). */
KAFKA_API kafka_balancer kafka_balancer_hash(void);
/** kafka_balancer_hash() with another hash function (kafka-go Hash{Hasher}); NULL is FNV-1a. */
KAFKA_API kafka_balancer kafka_balancer_hash_with(kafka_hasher *hasher);
/** (FNV-1a(key) & 0x7fffffff) mod n; messages without key go anywhere. kafka-go ReferenceHash, Sarama's reference
 *  partitioner. */
KAFKA_API kafka_balancer kafka_balancer_reference_hash(void);
/** kafka_balancer_reference_hash() with another hash function; NULL is FNV-1a. */
KAFKA_API kafka_balancer kafka_balancer_reference_hash_with(kafka_hasher *hasher);
/** CRC-32(key) mod n, as librdkafka's consistent_random (`consistent`: consistent). Without key, or with an empty one:
 *  anywhere, or partition CRC-32("") when `consistent`. kafka-go CRC32Balancer. */
KAFKA_API kafka_balancer kafka_balancer_crc32(bool consistent);
/** (murmur2(key) & 0x7fffffff) mod n: for messages with key the partition that Java's default partitioner chooses. Without
 *  key: anywhere, or hashed as an empty key when `consistent`. kafka-go Murmur2Balancer. */
KAFKA_API kafka_balancer kafka_balancer_murmur2(bool consistent);
/** Any partition, drawn from the client process's own seeded stream. */
KAFKA_API kafka_balancer kafka_balancer_random(void);
/** A rule of the application. kafka-go BalancerFunc. `function` not NULL; `argument` is handed to it. */
KAFKA_API kafka_balancer kafka_balancer_function(kafka_balance_function *function, void *argument);

/** "hash", "round-robin", "least-bytes", "reference-hash", "crc32", "murmur2", "random", "function". Static; never NULL. */
KAFKA_API const char *kafka_balancer_name(kafka_balancer balancer);

/** Where a message with this key goes, when the key alone decides; needs no cluster.
 *
 *  returns  0 .. partition_count - 1, or -1 when counters, chance or a function decide (round robin, least bytes, a
 *           null key without `consistent`, ...) or partition_count is below 1 */
KAFKA_API int32_t kafka_balancer_partition(kafka_balancer balancer, kafka_bytes key, int32_t partition_count);

/** A balancer with its counters, for asking it without a writer (a writer has one of its own). */
typedef struct kafka_router kafka_router;

/** `seed` starts what random rules draw from. Owned: kafka_router_free(). */
KAFKA_API kafka_router *kafka_router_new(kafka_balancer balancer, uint64_t seed);
/** The partition for the next message, and the counters move on. -1 when partition_count is below 1. `message` is
 *  borrowed. */
KAFKA_API int32_t kafka_router_choose(kafka_router *router, const kafka_message *message, int32_t partition_count);
/** NULL is allowed. */
KAFKA_API void kafka_router_free(kafka_router *router);

KAFKA_END

#endif
