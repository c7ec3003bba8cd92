/* SPDX-License-Identifier: Apache-2.0
 *
 * The ring: copies of the last events, so that a failure can tell what came before it. An event is copied into one slot of
 * fixed size: its struct first, then the bytes its strings and arrays point to, as far as they fit. Strings that do not fit
 * are cut, arrays shortened; nothing is allocated.
 */
#include "sim/kernel/internal.h"

enum { ROOM = 448, STRING_MAX = 64, ALIGNMENT = 8 };

typedef struct ks_trace_slot {
    ks_event event;
    _Alignas(ALIGNMENT) uint8_t room[ROOM];
} ks_trace_slot;

typedef struct room {
    uint8_t *at, *end;
} room;

void ks_trace_ring_init(ks_kernel *kernel) { /* slots are written before they are read, so they need no zeroing */
    kernel->ring = ks_realloc(NULL, (size_t)kernel->config.ring_size * sizeof *kernel->ring);
}

static void keep_bytes(room *left, const void **data, int32_t *size, int32_t max) {
    int32_t kept = *size < max ? *size : max;
    if (kept > left->end - left->at) kept = (int32_t)(left->end - left->at);
    if (*size < 0) return; /* null */
    if (kept > 0) memcpy(left->at, *data, (size_t)kept);
    *data = left->at;
    *size = kept;
    left->at += kept;
}

static void keep_fields(room *left, const ks_struct *type, void *value);

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

static void keep_value(room *left, const ks_field *field, void *value) {
    if (field->type == KS_TYPE_string) {
        ks_string *string = value;
        keep_bytes(left, (const void **)&string->data, &string->size, STRING_MAX);
    } else if (field->type == KS_TYPE_bytes || field->type == KS_TYPE_records) {
        ks_bytes *bytes = value;
        keep_bytes(left, (const void **)&bytes->data, &bytes->size, STRING_MAX);
    } else if (field->type == KS_TYPE_struct) {
        keep_fields(left, field->sub(), value);
    }
}

static bool align(room *left) {
    left->at += (size_t)-(intptr_t)left->at & (ALIGNMENT - 1);
    return left->at < left->end;
}

static void keep_array(room *left, const ks_field *field, ks_any_array *array) {
    if (array->count <= 0) return;
    size_t size = element_size(field), fits = align(left) ? (size_t)(left->end - left->at) / size : 0;
    if ((size_t)array->count > fits) array->count = (int32_t)fits;
    if (array->count > 0) memcpy(left->at, array->items, (size_t)array->count * size);
    array->items = left->at;
    left->at += (size_t)array->count * size;
    for (int32_t i = 0; i < array->count; i++) keep_value(left, field, (char *)array->items + (size_t)i * size);
}

static void keep_pointer(room *left, const ks_field *field, void **pointer) {
    size_t size = field->sub()->size;
    if (*pointer == NULL) return;
    if (!align(left) || (size_t)(left->end - left->at) < size) {
        *pointer = NULL;
        return;
    }
    *pointer = memcpy(left->at, *pointer, size);
    left->at += size;
    keep_fields(left, field->sub(), *pointer);
}

static void keep_fields(room *left, const ks_struct *type, void *value) {
    for (const ks_field *field = type->fields, *end = field + type->field_count; field < end; field++) {
        void *member = (char *)value + field->offset;
        if (field->array) keep_array(left, field, member);
        else if (field->pointer) keep_pointer(left, field, member);
        else keep_value(left, field, member);
    }
}

void ks_trace_ring_put(ks_kernel *kernel, const ks_event *event) {
    ks_trace_slot *slot = &kernel->ring[(event->id - 1) % (uint64_t)kernel->config.ring_size];
    ks_assert(event->kind->size <= ROOM);
    slot->event = *event;
    slot->event.message = NULL;
    slot->event.fields = memcpy(slot->room, event->fields, event->kind->size);
    room left = { slot->room + event->kind->size, slot->room + ROOM };
    keep_fields(&left, event->kind, slot->room);
}

int32_t ks_trace_ring_count(const ks_kernel *kernel) {
    uint64_t size = (uint64_t)kernel->config.ring_size;
    return (int32_t)(kernel->event_count < size ? kernel->event_count : size);
}

const ks_event *ks_trace_ring_get(ks_kernel *kernel, int32_t index) {
    int32_t count = ks_trace_ring_count(kernel);
    ks_assert(index >= 0 && index < count);
    uint64_t number = kernel->event_count - (uint64_t)count + (uint64_t)index;
    return &kernel->ring[number % (uint64_t)kernel->config.ring_size].event;
}
