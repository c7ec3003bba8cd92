/* SPDX-License-Identifier: Apache-2.0
 *
 * See balancer.h. kafka-go hands a balancer the list of partitions; the Writer's list is always 0 .. n-1, so a count is
 * enough.
 */
#include "sim/client/balancer.h"

#include "sim/client/partitioner.h"

const char *ks_balancer_problem(const kafka_balancer *rule) {
    if ((int)rule->kind < KAFKA_BALANCER_ROUND_ROBIN || rule->kind > KAFKA_BALANCER_FUNCTION)
        return "is of no known kind; make it with one of the kafka_balancer_* functions";
    if (rule->kind == KAFKA_BALANCER_FUNCTION && rule->function == NULL)
        return "is a function balancer without a function";
    return "";
}

void ks_balancer_init(ks_balancer *balancer, const kafka_balancer *rule, ks_draw_fn *draw, void *source) {
    *balancer = (ks_balancer){ .rule = *rule, .draw = draw, .source = source };
}

void ks_balancer_deinit(ks_balancer *balancer) {
    ks_free(balancer->loads);
    balancer->loads = NULL;
    balancer->load_count = 0;
}

static int32_t round_robin(ks_balancer *balancer, int32_t n) {
    uint32_t chunk = balancer->rule.chunk_size > 1 ? (uint32_t)balancer->rule.chunk_size : 1;
    return (int32_t)(balancer->turns++ / chunk % (uint32_t)n);
}

/* ---- least bytes ---- */

static bool lighter(const struct ks_load *a, const struct ks_load *b) {
    return a->bytes != b->bytes ? a->bytes < b->bytes : a->partition < b->partition;
}

static void sift_down(struct ks_load *heap, int32_t count) {
    struct ks_load moved = heap[0];
    int32_t hole = 0;
    for (int32_t child; (child = 2 * hole + 1) < count; hole = child) {
        if (child + 1 < count && lighter(&heap[child + 1], &heap[child])) child++;
        if (!lighter(&heap[child], &moved)) break;
        heap[hole] = heap[child];
    }
    heap[hole] = moved;
}

static int32_t least_bytes(ks_balancer *balancer, const kafka_message *message, int32_t n) {
    if (balancer->load_count != n) { /* as in kafka-go all counts restart when the number of partitions changes */
        balancer->loads = ks_realloc(balancer->loads, (size_t)n * sizeof *balancer->loads);
        balancer->load_count = n;
        for (int32_t i = 0; i < n; i++) balancer->loads[i] = (struct ks_load){ 0, i };
    }
    int32_t partition = balancer->loads[0].partition;
    balancer->loads[0].bytes += message->key.size + message->value.size;
    sift_down(balancer->loads, n);
    return partition;
}

/* ---- by key ---- */

static int32_t hashed(const kafka_balancer *rule, kafka_bytes key, int32_t n) {
    if (key.data == NULL) return -1;
    uint32_t hash = rule->hasher != NULL ? rule->hasher(key) : ks_fnv1a(key);
    return rule->kind == KAFKA_BALANCER_HASH ? ks_partition_hash(hash, n) : ks_partition_masked(hash, n);
}

int32_t ks_balancer_by_key(const kafka_balancer *rule, kafka_bytes key, int32_t n) {
    if (n < 1) return -1;
    switch (rule->kind) {
    case KAFKA_BALANCER_HASH:
    case KAFKA_BALANCER_REFERENCE_HASH: return hashed(rule, key, n);
    case KAFKA_BALANCER_CRC32:
        return ks_partition(rule->consistent ? KS_PARTITIONER_CRC32_CONSISTENT : KS_PARTITIONER_CRC32, key, n);
    case KAFKA_BALANCER_MURMUR2:
        return ks_partition(rule->consistent ? KS_PARTITIONER_MURMUR2_CONSISTENT : KS_PARTITIONER_MURMUR2, key, n);
    case KAFKA_BALANCER_ROUND_ROBIN:
    case KAFKA_BALANCER_LEAST_BYTES:
    case KAFKA_BALANCER_RANDOM:
    case KAFKA_BALANCER_FUNCTION: break;
    }
    return -1;
}

int32_t ks_balancer_choose(ks_balancer *balancer, const kafka_message *message, int32_t n) {
    const kafka_balancer *rule = &balancer->rule;
    ks_assert(n > 0);
    int32_t partition = ks_balancer_by_key(rule, message->key, n);
    if (partition >= 0) return partition;
    switch (rule->kind) {
    case KAFKA_BALANCER_ROUND_ROBIN:
    case KAFKA_BALANCER_HASH:
        return round_robin(balancer, n); /* kafka-go's Hash has a round robin of its own for null keys */
    case KAFKA_BALANCER_LEAST_BYTES: return least_bytes(balancer, message, n);
    case KAFKA_BALANCER_FUNCTION: return rule->function(rule->argument, message, n);
    case KAFKA_BALANCER_REFERENCE_HASH:
    case KAFKA_BALANCER_CRC32:
    case KAFKA_BALANCER_MURMUR2:
    case KAFKA_BALANCER_RANDOM: break;
    }
    return (int32_t)balancer->draw(balancer->source, (uint64_t)n);
}
