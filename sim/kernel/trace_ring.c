/* SPDX-License-Identifier: Apache-2.0
 *
 * The ring: copies of the last events, so that a failure can tell what came before it. An event is copied into one slot
 * of fixed size: its struct first, then the bytes its strings and arrays point to, as far as they fit. Strings that do
 * not fit are cut, arrays shortened; nothing is allocated. Which fields of a kind point anywhere is found out once.
 */
#include "sim/kernel/internal.h"

enum { ROOM = 448, STRING_MAX = 64, ALIGNMENT = 8, PLANS = 128, POINTING_MAX = 13 };

/* A cache only: which kinds share a place, by their address, changes nothing but speed. */
typedef struct plan {
    const ks_struct *kind;
    int32_t count; /* of pointing fields; more than POINTING_MAX: look at all */
    struct {
        uint16_t field, string; /* string: its place in the struct when it is a single string, else UINT16_MAX */
    } pointing[POINTING_MAX];
} plan;

typedef struct ks_trace_slot {
    ks_event event;
    _Alignas(ALIGNMENT) uint8_t room[ROOM];
} ks_trace_slot;

typedef struct ks_trace_ring {
    int32_t size, next;
    plan plans[PLANS];
    ks_trace_slot slots[];
} ks_trace_ring;

typedef struct room {
    uint8_t *at, *end;
} room;

void ks_trace_ring_init(ks_kernel *kernel) { /* slots are written before they are read, so they need no zeroing */
    size_t slots = (size_t)kernel->config.ring_size * sizeof(ks_trace_slot);
    ks_trace_ring *ring = kernel->ring = ks_realloc(NULL, sizeof *ring + slots);
    ring->size = kernel->config.ring_size;
    ring->next = 0;
    memset(ring->plans, 0, sizeof ring->plans);
}

/* memcpy for some dozen bytes of a size that nobody knows before: a call costs more than the copy. The last step overlaps
 * the one before it. */
static inline void copy_short(uint8_t *to, const uint8_t *from, int32_t size) {
    if (size >= 8) {
        for (int32_t at = 0; at < size - 8; at += 8) memcpy(to + at, from + at, 8);
        memcpy(to + size - 8, from + size - 8, 8);
    } else if (size >= 4) {
        memcpy(to, from, 4);
        memcpy(to + size - 4, from + size - 4, 4);
    } else {
        for (int32_t at = 0; at < size; at++) to[at] = from[at];
    }
}

/* In what follows `to` holds a plain copy of `from`, and what it points to is taken along. Pointers and sizes are read
 * from `from`: a load that follows a wider store to the same place makes the CPU wait. */

static inline int32_t keep_bytes(room *left, const void *data, int32_t size) { /* returns the size kept */
    int32_t kept = size < STRING_MAX ? size : STRING_MAX;
    if (kept > left->end - left->at) kept = (int32_t)(left->end - left->at);
    copy_short(left->at, data, kept);
    left->at += kept;
    return kept;
}

static inline void keep_string(room *left, const ks_string *from, ks_string *to) {
    if (from->size < 0) return; /* null */
    to->data = (char *)left->at;
    to->size = keep_bytes(left, from->data, from->size);
}

static void keep_byte_range(room *left, const ks_bytes *from, ks_bytes *to) {
    if (from->size < 0) return; /* null */
    to->data = left->at;
    to->size = keep_bytes(left, from->data, from->size);
}

static void keep_fields(room *left, const ks_struct *type, const void *from, void *to);

static size_t element_size(const ks_field *field) {
    switch (field->type) {
    case KS_TYPE_bool: return sizeof(bool);
    case KS_TYPE_int8: return 1;
    case KS_TYPE_int16:
    case KS_TYPE_uint16: return 2;
    case KS_TYPE_int32:
    case KS_TYPE_uint32: return 4;
    case KS_TYPE_int64:
    case KS_TYPE_float64: return 8;
    case KS_TYPE_string: return sizeof(ks_string);
    case KS_TYPE_bytes:
    case KS_TYPE_records: return sizeof(ks_bytes);
    case KS_TYPE_uuid: return sizeof(ks_uuid);
    case KS_TYPE_struct: return field->sub()->size;
    }
    ks_unreachable("field type");
}

static inline void keep_value(room *left, const ks_field *field, const void *from, void *to) {
    if (field->type == KS_TYPE_string)
        keep_string(left, from, to);
    else if (field->type == KS_TYPE_bytes || field->type == KS_TYPE_records)
        keep_byte_range(left, from, to);
    else if (field->type == KS_TYPE_struct)
        keep_fields(left, field->sub(), from, to);
}

static bool align(room *left) {
    left->at += (size_t) - (intptr_t)left->at & (ALIGNMENT - 1);
    return left->at < left->end;
}

static void keep_array(room *left, const ks_field *field, const ks_any_array *from, ks_any_array *to) {
    if (from->count <= 0) return;
    size_t size = element_size(field), fits = align(left) ? (size_t)(left->end - left->at) / size : 0;
    if ((size_t)from->count > fits) to->count = (int32_t)fits;
    uint8_t *items = left->at;
    to->items = items;
    if (to->count == 0) return;
    memcpy(items, from->items, (size_t)to->count * size);
    left->at += (size_t)to->count * size;
    for (int32_t i = 0; i < to->count; i++)
        keep_value(left, field, (const char *)from->items + (size_t)i * size, items + (size_t)i * size);
}

static void keep_pointer(room *left, const ks_field *field, void *const *from, void **to) {
    size_t size = field->sub()->size;
    if (*from == NULL) return;
    *to = NULL;
    if (!align(left) || (size_t)(left->end - left->at) < size) return;
    *to = memcpy(left->at, *from, size);
    left->at += size;
    keep_fields(left, field->sub(), *from, *to);
}

static inline void keep_field(room *left, const ks_field *field, const void *from, void *to) {
    const void *source = (const char *)from + field->offset;
    void *member = (char *)to + field->offset;
    if (field->array)
        keep_array(left, field, source, member);
    else if (field->pointer)
        keep_pointer(left, field, source, member);
    else
        keep_value(left, field, source, member);
}

static void keep_fields(room *left, const ks_struct *type, const void *from, void *to) {
    for (uint32_t i = 0; i < type->field_count; i++) keep_field(left, &type->fields[i], from, to);
}

static const plan *plan_of(ks_trace_ring *ring, const ks_struct *kind) {
    plan *p = &ring->plans[(uintptr_t)kind / sizeof *kind % PLANS];
    if (p->kind == kind) return p;
    p->kind = kind;
    p->count = 0;
    for (uint32_t i = 0; i < kind->field_count; i++) {
        const ks_field *field = &kind->fields[i];
        bool points = field->array || field->pointer || field->type == KS_TYPE_string || field->type == KS_TYPE_bytes ||
                      field->type == KS_TYPE_records || field->type == KS_TYPE_struct;
        if (!points || field->lasting || p->count++ >= POINTING_MAX) continue;
        p->pointing[p->count - 1].field = (uint16_t)i;
        bool string = field->type == KS_TYPE_string && !field->array && field->offset < UINT16_MAX;
        p->pointing[p->count - 1].string = string ? (uint16_t)field->offset : UINT16_MAX;
    }
    return p;
}

static inline void keep_pointing(room *left, const plan *p, const void *from, uint8_t *to) {
    if (p->count > POINTING_MAX) {
        keep_fields(left, p->kind, from, to);
        return;
    }
    for (int32_t i = 0; i < p->count; i++) {
        uint16_t string = p->pointing[i].string;
        if (string == UINT16_MAX)
            keep_field(left, &p->kind->fields[p->pointing[i].field], from, to);
        else
            keep_string(left, (const void *)((const uint8_t *)from + string), (void *)(to + string));
    }
}

/* The ring is bigger than the nearer caches: the slot after the next one is asked for before it is written. */
static inline void fetch_ahead(const ks_trace_ring *ring) {
    enum { AHEAD = 2, LINE = 64, LINES = 5 };
    int32_t at = ring->next + AHEAD;
    const char *slot = (const char *)&ring->slots[at < ring->size ? at : 0];
    for (int32_t i = 0; i < LINES; i++) __builtin_prefetch(slot + i * LINE, 1);
}

ks_event *ks_trace_ring_put(ks_kernel *kernel, const ks_struct *kind, const void *fields) {
    ks_trace_ring *ring = kernel->ring;
    ks_trace_slot *slot = &ring->slots[ring->next];
    if (++ring->next == ring->size) ring->next = 0;
    fetch_ahead(ring);
    ks_assert(kind->size <= ROOM);
    slot->event.kind = kind;
    slot->event.fields = slot->room;
    slot->event.message = NULL;
    memcpy(slot->room, fields, kind->size);
    room left = { slot->room + kind->size, slot->room + ROOM };
    keep_pointing(&left, plan_of(ring, kind), fields, slot->room);
    return &slot->event;
}

int32_t ks_trace_ring_count(const ks_kernel *kernel) {
    uint64_t size = (uint64_t)kernel->ring->size;
    return (int32_t)(kernel->event_count < size ? kernel->event_count : size);
}

const ks_event *ks_trace_ring_get(ks_kernel *kernel, int32_t index) {
    ks_trace_ring *ring = kernel->ring;
    int32_t count = ks_trace_ring_count(kernel);
    ks_assert(index >= 0 && index < count);
    int32_t at = ring->next - count + index;
    return &ring->slots[at < 0 ? at + ring->size : at].event;
}
