/* SPDX-License-Identifier: Apache-2.0
 *
 * What the rows are held against: honest loops that do the least that could be called the same work.
 */
#include "sim/cli/bench.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { PLAIN_PARTITIONS = 4, PLAIN_CHUNK = 1 << 20 };

typedef struct plain_partition {
    unsigned char **chunks; /* the log's memory, fresh */
    size_t chunk_count, used;
    unsigned char **index;  /* offset -> record */
    size_t count, capacity;
} plain_partition;

static unsigned char *plain_append(plain_partition *log, size_t size) {
    if (log->chunk_count == 0 || log->used + size > PLAIN_CHUNK) {
        log->chunks = realloc(log->chunks, (log->chunk_count + 1) * sizeof *log->chunks);
        log->chunks[log->chunk_count++] = malloc(PLAIN_CHUNK);
        log->used = 0;
    }
    unsigned char *record = log->chunks[log->chunk_count - 1] + log->used;
    log->used += size;
    if (log->count == log->capacity) {
        log->capacity = log->capacity ? 2 * log->capacity : 1024;
        log->index = realloc(log->index, log->capacity * sizeof *log->index);
    }
    log->index[log->count++] = record;
    return record;
}

double ks_bench_plain_loop(size_t records, size_t key_size, size_t value_size) {
    /* Sizes the compiler cannot see: with a bounded one it writes its own, slower, copy loop in place of memcpy. */
    volatile size_t hidden[2] = { key_size, value_size };
    plain_partition logs[PLAIN_PARTITIONS] = { { 0 } };
    unsigned char *key = malloc(key_size + 1), *value = malloc(value_size + 1);
    memset(value, 'v', value_size);
    uint64_t checked = 0;
    malloc_trim(0); /* whether malloc still has the pages of what ran before depends on little: here each is a fault, as it was there */
    double start = ks_bench_seconds();
    for (size_t i = 0; i < records; i++) {
        size_t ks = hidden[0], vs = hidden[1];
        for (size_t digit = 0, n = i; digit < ks; digit++, n /= 10) key[digit] = (unsigned char)('0' + n % 10);
        uint32_t hash = 2166136261u;
        for (size_t b = 0; b < ks; b++) hash = (hash ^ key[b]) * 16777619u;
        unsigned char *record = plain_append(&logs[hash % PLAIN_PARTITIONS], 2 * sizeof(uint32_t) + ks + vs);
        uint32_t sizes[2] = { (uint32_t)ks, (uint32_t)vs };
        memcpy(record, sizes, sizeof sizes);
        memcpy(record + sizeof sizes, key, ks);
        memcpy(record + sizeof sizes + ks, value, vs);
    }
    for (int p = 0; p < PLAIN_PARTITIONS; p++) {
        for (size_t offset = 0; offset < logs[p].count; offset++) {
            const unsigned char *record = logs[p].index[offset];
            uint32_t sizes[2];
            memcpy(sizes, record, sizeof sizes);
            struct { size_t offset, key_size, value_size; unsigned char bytes[]; } *message;
            message = malloc(sizeof *message + sizes[0] + sizes[1]);
            message->offset = offset;
            message->key_size = sizes[0];
            message->value_size = sizes[1];
            memcpy(message->bytes, record + sizeof sizes, sizes[0] + sizes[1]);
            checked += message->bytes[0] + message->key_size + message->value_size;
            free(message);
        }
    }
    double seconds = ks_bench_seconds() - start;
    for (int p = 0; p < PLAIN_PARTITIONS; p++) {
        for (size_t c = 0; c < logs[p].chunk_count; c++) free(logs[p].chunks[c]);
        free(logs[p].chunks);
        free(logs[p].index);
    }
    free(key);
    free(value);
    return checked == 0 ? 0 : (double)records / seconds;
}

/* ---- a bare binary heap of (deadline, sequence) ---- */

typedef struct heap_item { int64_t deadline; uint64_t sequence; } heap_item;

static inline bool before(heap_item a, heap_item b) {
    return a.deadline < b.deadline || (a.deadline == b.deadline && a.sequence < b.sequence);
}

static void sift_down(heap_item *heap, size_t count, size_t at) {
    heap_item item = heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && before(heap[child + 1], heap[child])) child++;
        if (!before(heap[child], item)) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = item;
}

static inline uint64_t next_random(uint64_t *state) { /* xorshift64: only has to be cheap */
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

double ks_bench_heap(size_t pending, size_t events) {
    heap_item *heap = malloc(pending * sizeof *heap);
    uint64_t random = 88172645463325252u, sequence = 0;
    for (size_t i = 0; i < pending; i++) heap[i] = (heap_item){ (int64_t)(next_random(&random) % 1000000000u), sequence++ };
    for (size_t i = pending / 2; i-- > 0;) sift_down(heap, pending, i);
    double start = ks_bench_seconds();
    for (size_t i = 0; i < events; i++) {
        heap[0] = (heap_item){ heap[0].deadline + (int64_t)(next_random(&random) % 1000000000u) + 1, sequence++ };
        sift_down(heap, pending, 0);
    }
    double seconds = ks_bench_seconds() - start;
    free(heap);
    return (double)events / seconds;
}
