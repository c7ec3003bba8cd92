/* SPDX-License-Identifier: Apache-2.0
 *
 * The ring: packed copies of the last events that are not trivial (trace_pack.h), so that a failure can tell what came before it. The copies
 * stand one behind the other in chunks of memory, and the oldest chunk is written again as soon as all that it tells has
 * left the ring: there is as much memory as the last events need, and a writer walks it forwards, which is what a processor
 * fetches ahead by itself.
 *
 *     oldest                                   current
 *     [e1 e2 e3 e4 e5 ] -> [e6 e7 e8 e9   ] -> [e10 e11 ...     ] -> (oldest)
 */
#include "sim/kernel/internal.h"

enum { CHUNK = 16 * 1024, ALIGNMENT = 8 };

typedef struct record {
    uint64_t id, cause;
    int64_t time;
    const ks_node *node; /* NULL: the cluster; nodes live as long as the kernel */
    const ks_plan *plan;
    uint8_t fields[]; /* packed */
} record;

typedef struct chunk {
    struct chunk *next; /* the next younger one; of the youngest: the oldest */
    uint64_t last;      /* how many events there were when it was full: its last one's number */
    _Alignas(ALIGNMENT) uint8_t bytes[CHUNK];
} chunk;

typedef struct ks_trace_ring {
    uint64_t count; /* events kept, ever */
    int32_t size, next;
    uint8_t *at, *last; /* in the current chunk: where the next event goes, if that is not behind `last` */
    chunk *current;
    ks_event view; /* what get() gave last, with its fields */
    ks_arena *arena;
    const record *records[]; /* `size` of them */
} ks_trace_ring;

static chunk *chunk_new(void) { return ks_realloc(NULL, sizeof(chunk)); /* written before it is read */ }

static void start(ks_trace_ring *ring, chunk *empty) {
    ring->current = empty;
    ring->at = empty->bytes;
    ring->last = empty->bytes + CHUNK - sizeof(record) - KS_PACKED_MAX;
}

void ks_trace_ring_init(ks_kernel *kernel) {
    size_t size = (size_t)kernel->config.ring_size;
    ks_trace_ring *ring = kernel->ring = ks_realloc(NULL, sizeof *ring + size * sizeof *ring->records);
    *ring = (ks_trace_ring){ .size = kernel->config.ring_size, .arena = ks_arena_new() };
    chunk *first = chunk_new(), *second = chunk_new(); /* one is written while the other one still tells */
    first->next = second;
    second->next = first;
    second->last = 0;
    start(ring, first);
}

void ks_trace_ring_free(ks_kernel *kernel) {
    ks_trace_ring *ring = kernel->ring;
    for (chunk *c = ring->current->next, *next; c != ring->current; c = next) {
        next = c->next;
        ks_free(c);
    }
    ks_free(ring->current);
    ks_arena_free(ring->arena);
    ks_free(ring);
}

/* Room for one more event of any kind. */
static void turn_over(ks_trace_ring *ring) {
    chunk *full = ring->current, *oldest = full->next;
    uint64_t with_next = ring->count + 1, size = (uint64_t)ring->size, gone = with_next > size ? with_next - size : 0;
    full->last = ring->count;
    if (oldest->last > gone) { /* it tells of events that stay in the ring */
        full->next = chunk_new();
        full->next->next = oldest;
    }
    start(ring, full->next);
}

void ks_trace_ring_put(ks_kernel *kernel, const ks_node *node, const ks_plan *plan, const void *fields, uint64_t cause) {
    ks_trace_ring *ring = kernel->ring;
    if (ring->at > ring->last) turn_over(ring);
    record *kept = (record *)(void *)ring->at;
    *kept = (record){ .id = kernel->event_count, .cause = cause, .time = ks_now(kernel), .node = node, .plan = plan };
    ring->records[ring->next] = kept;
    if (++ring->next == ring->size) ring->next = 0;
    ring->count++;
    uint8_t *end = ks_fields_pack(plan, fields, kept->fields);
    ring->at = end + (-(uintptr_t)end & (ALIGNMENT - 1));
    for (int32_t i = 2; i < 5; i++) __builtin_prefetch(ring->at + i * KS_LINE, 1); /* a store that misses makes those behind it wait */
}

int32_t ks_trace_ring_count(const ks_kernel *kernel) {
    const ks_trace_ring *ring = kernel->ring;
    return ring->count < (uint64_t)ring->size ? (int32_t)ring->count : ring->size;
}

const ks_event *ks_trace_ring_get(ks_kernel *kernel, int32_t index) {
    ks_trace_ring *ring = kernel->ring;
    int32_t count = ks_trace_ring_count(kernel);
    ks_assert(index >= 0 && index < count);
    int32_t at = ring->next - count + index;
    const record *kept = ring->records[at < 0 ? at + ring->size : at];
    ks_arena_reset(ring->arena);
    ring->view = (ks_event){
        .id = kept->id,
        .cause = kept->cause,
        .time = kept->time,
        .node = kept->node == NULL ? 0 : kept->node->id,
        .node_name = kept->node == NULL ? "" : kept->node->name.data,
        .kind = ks_plan_head_of(kept->plan)->kind,
        .fields = ks_fields_unpack(kept->plan, kept->fields, ring->arena),
    };
    return &ring->view;
}
