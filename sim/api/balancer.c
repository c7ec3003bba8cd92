/* SPDX-License-Identifier: Apache-2.0
 *
 * The public face of balancers: rules by value, and a router to ask one without a writer.
 */
#include <kafkasim/balancer.h>

#include "sim/client/balancer.h"

struct kafka_router {
    ks_balancer balancer;
    uint64_t state; /* of its own generator: there may be no simulator around */
};

kafka_balancer kafka_balancer_round_robin(void) { return (kafka_balancer){ .kind = KAFKA_BALANCER_ROUND_ROBIN }; }

kafka_balancer kafka_balancer_round_robin_chunked(int32_t chunk_size) {
    return (kafka_balancer){ .kind = KAFKA_BALANCER_ROUND_ROBIN, .chunk_size = chunk_size };
}

kafka_balancer kafka_balancer_least_bytes(void) { return (kafka_balancer){ .kind = KAFKA_BALANCER_LEAST_BYTES }; }
kafka_balancer kafka_balancer_hash(void) { return kafka_balancer_hash_with(NULL); }

kafka_balancer kafka_balancer_hash_with(kafka_hasher *hasher) {
    return (kafka_balancer){ .kind = KAFKA_BALANCER_HASH, .hasher = hasher };
}

kafka_balancer kafka_balancer_reference_hash(void) { return kafka_balancer_reference_hash_with(NULL); }

kafka_balancer kafka_balancer_reference_hash_with(kafka_hasher *hasher) {
    return (kafka_balancer){ .kind = KAFKA_BALANCER_REFERENCE_HASH, .hasher = hasher };
}

kafka_balancer kafka_balancer_crc32(bool consistent) {
    return (kafka_balancer){ .kind = KAFKA_BALANCER_CRC32, .consistent = consistent };
}

kafka_balancer kafka_balancer_murmur2(bool consistent) {
    return (kafka_balancer){ .kind = KAFKA_BALANCER_MURMUR2, .consistent = consistent };
}

kafka_balancer kafka_balancer_random(void) { return (kafka_balancer){ .kind = KAFKA_BALANCER_RANDOM }; }

kafka_balancer kafka_balancer_function(kafka_balance_function *function, void *argument) {
    return (kafka_balancer){ .kind = KAFKA_BALANCER_FUNCTION, .function = function, .argument = argument };
}

const char *kafka_balancer_name(kafka_balancer balancer) {
    switch (balancer.kind) {
    case KAFKA_BALANCER_ROUND_ROBIN: return "round-robin";
    case KAFKA_BALANCER_LEAST_BYTES: return "least-bytes";
    case KAFKA_BALANCER_HASH: return "hash";
    case KAFKA_BALANCER_REFERENCE_HASH: return "reference-hash";
    case KAFKA_BALANCER_CRC32: return "crc32";
    case KAFKA_BALANCER_MURMUR2: return "murmur2";
    case KAFKA_BALANCER_RANDOM: return "random";
    case KAFKA_BALANCER_FUNCTION: return "function";
    }
    return "unknown";
}

int32_t kafka_balancer_partition(kafka_balancer balancer, kafka_bytes key, int32_t partition_count) {
    return ks_balancer_by_key(&balancer, key, partition_count);
}

/* splitmix64 (Steele, Lea, Flood); the tail of 2^64 that would favour small numbers is drawn again. */
static uint64_t draw(void *source, uint64_t bound) {
    uint64_t *state = source;
    for (;;) {
        uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
        z ^= z >> 31;
        if (z < UINT64_MAX - UINT64_MAX % bound) return z % bound;
    }
}

kafka_router *kafka_router_new(kafka_balancer balancer, uint64_t seed) {
    kafka_router *router = ks_alloc(sizeof *router);
    router->state = seed;
    ks_balancer_init(&router->balancer, &balancer, draw, &router->state);
    return router;
}

int32_t kafka_router_choose(kafka_router *router, const kafka_message *message, int32_t partition_count) {
    if (router == NULL || message == NULL || partition_count < 1 || *ks_balancer_problem(&router->balancer.rule))
        return -1;
    return ks_balancer_choose(&router->balancer, message, partition_count);
}

void kafka_router_free(kafka_router *router) {
    if (router == NULL) return;
    ks_balancer_deinit(&router->balancer);
    ks_free(router);
}
