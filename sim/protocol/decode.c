/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes to structs. A cursor with a sticky error: after the first failure it stands at its end, and reads give zeros.
 */
#include "sim/protocol/codec_internal.h"
#include "sim/protocol/wire_bytes.h"

enum { MEMORY_BASE = 64 * 1024, MEMORY_PER_BYTE = 32, STRING_MAX = INT16_MAX };

typedef struct reader {
    const uint8_t *p, *end;
    ks_arena *arena;
    int64_t memory; /* left of what the frame's size allows (WR-51) */
    int16_t version;
    bool flexible;
    ks_wire_fault fault;
} reader;

static void fail(reader *in, ks_wire_error error, const ks_field *field) {
    if (in->fault.error == KS_WIRE_OK) in->fault = (ks_wire_fault){ error, field };
    in->p = in->end;
}

static bool failed(const reader *in) { return in->fault.error != KS_WIRE_OK; }

static const uint8_t *take(reader *in, int64_t size, const ks_field *field) { /* NULL: failed */
    if (size > in->end - in->p) {
        fail(in, KS_WIRE_TRUNCATED, field);
        return NULL;
    }
    const uint8_t *at = in->p;
    in->p += size;
    return at;
}

static uint32_t take_uvarint(reader *in, const ks_field *field) {
    uint32_t v;
    const uint8_t *next = ks_get_uvarint(in->p, in->end, &v);
    if (next == NULL) {
        fail(in, KS_WIRE_VARINT, field);
        return 0;
    }
    in->p = next;
    return v;
}

static void *take_memory(reader *in, size_t size, const ks_field *field) { /* NULL: failed */
    in->memory -= (int64_t)size;
    if (in->memory >= 0) return ks_arena_alloc(in->arena, size);
    fail(in, KS_WIRE_MEMORY, field);
    return NULL;
}

/* A length or count; negative is null. `wide`: int32 in rigid versions, else int16. Compact ones are stored plus one.
 */
static int64_t take_size(reader *in, bool wide, const ks_field *field) {
    if (in->flexible) return (int64_t)take_uvarint(in, field) - 1;
    const uint8_t *at = take(in, wide ? 4 : 2, field);
    if (at == NULL) return 0;
    return wide ? ks_load_i32(at) : ks_load_i16(at);
}

static void check_null(reader *in, const ks_field *field, bool element) {
    if (element || !ks_field_nullable(field, in->version)) fail(in, KS_WIRE_NULL, field);
}

static void read_struct(reader *in, const ks_struct *type, void *value);

static void read_string(reader *in, const ks_field *field, bool element, ks_string *to) {
    int64_t size = take_size(in, false, field);
    *to = (ks_string){ "", 0 };
    if (size < 0) {
        *to = KS_NULL_STRING;
        check_null(in, field, element);
    } else if (size > STRING_MAX) {
        fail(in, KS_WIRE_STRING, field);
    } else if (size > 0) {
        const uint8_t *at = take(in, size, field);
        if (at != NULL) *to = (ks_string){ (const char *)at, (int32_t)size };
    }
}

static void read_bytes(reader *in, const ks_field *field, bool element, ks_bytes *to) {
    int64_t size = take_size(in, true, field);
    *to = (ks_bytes){ (const uint8_t *)"", 0 };
    if (size < 0) {
        *to = KS_NULL_BYTES;
        check_null(in, field, element);
    } else if (size > 0) {
        const uint8_t *at = take(in, size, field);
        if (at != NULL) *to = (ks_bytes){ at, (int32_t)size };
    }
}

static void read_pointer(reader *in, const ks_field *field, void **to) {
    const uint8_t *present = take(in, 1, field);
    *to = NULL;
    if (present == NULL) return;
    if ((int8_t)*present < 0) {
        check_null(in, field, false);
        return;
    }
    *to = take_memory(in, field->sub()->size, field);
    if (*to != NULL) read_struct(in, field->sub(), *to);
}

static void read_one(reader *in, const ks_field *field, bool element, void *to) {
    static const int8_t sizes[] = {
        [KS_TYPE_bool] = 1,   [KS_TYPE_int8] = 1,    [KS_TYPE_int16] = 2,   [KS_TYPE_uint16] = 2, [KS_TYPE_int32] = 4,
        [KS_TYPE_uint32] = 4, [KS_TYPE_int64] = 8,   [KS_TYPE_float64] = 8, [KS_TYPE_uuid] = 16,  [KS_TYPE_string] = 0,
        [KS_TYPE_bytes] = 0,  [KS_TYPE_records] = 0, [KS_TYPE_struct] = 0
    };
    const uint8_t *at = NULL;
    if (sizes[field->type] > 0 && (at = take(in, sizes[field->type], field)) == NULL) return;
    switch (field->type) {
    case KS_TYPE_bool: *(bool *)to = *at != 0; break;
    case KS_TYPE_int8: *(uint8_t *)to = *at; break;
    case KS_TYPE_int16:
    case KS_TYPE_uint16: *(uint16_t *)to = ks_load_u16(at); break;
    case KS_TYPE_int32:
    case KS_TYPE_uint32: *(uint32_t *)to = ks_load_u32(at); break;
    case KS_TYPE_int64: *(uint64_t *)to = ks_load_u64(at); break;
    case KS_TYPE_float64: {
        uint64_t bits = ks_load_u64(at);
        memcpy(to, &bits, sizeof bits);
        break;
    }
    case KS_TYPE_uuid: memcpy(to, at, sizeof(ks_uuid)); break;
    case KS_TYPE_string: read_string(in, field, element, to); break;
    case KS_TYPE_bytes:
    case KS_TYPE_records: read_bytes(in, field, element, to); break;
    case KS_TYPE_struct:
        if (field->pointer && !element)
            read_pointer(in, field, to);
        else
            read_struct(in, field->sub(), to);
        break;
    }
}

static void read_array(reader *in, const ks_field *field, ks_any_array *to) {
    int64_t count = take_size(in, true, field);
    *to = (ks_any_array){ NULL, count < 0 ? -1 : 0 };
    if (count < 0) check_null(in, field, false);
    if (count <= 0 || failed(in)) return;
    if (count > (in->end - in->p) / ks_element_min_size(field, in->version, in->flexible)) {
        fail(in, KS_WIRE_COUNT, field);
        return;
    }
    size_t size = ks_field_element_size(field);
    to->items = take_memory(in, size * (size_t)count, field);
    if (to->items == NULL) return;
    to->count = (int32_t)count;
    for (int64_t i = 0; i < count && !failed(in); i++) read_one(in, field, true, (char *)to->items + size * (size_t)i);
}

static void read_field(reader *in, const ks_field *field, void *value) {
    void *to = (char *)value + field->offset;
    if (field->array)
        read_array(in, field, to);
    else
        read_one(in, field, false, to);
}

static const ks_field *find_tag(const ks_struct *type, int16_t version, uint32_t tag) {
    for (uint32_t i = 0; i < type->field_count; i++) {
        const ks_field *field = &type->fields[i];
        if (ks_field_in(field, version) && ks_field_tagged(field, version) && (uint32_t)field->tag == tag) return field;
    }
    return NULL;
}

static void read_tag(reader *in, const ks_struct *type, void *value) {
    uint32_t tag = take_uvarint(in, NULL), size = take_uvarint(in, NULL);
    if (failed(in)) return;
    const ks_field *field = find_tag(type, in->version, tag);
    const uint8_t *at = take(in, size, field);
    if (at == NULL || field == NULL) return; /* an unknown tag is passed over */
    const uint8_t *end = in->end;
    in->p = at;
    in->end = at + size;
    read_field(in, field, value);
    if (in->p != in->end) fail(in, KS_WIRE_TAG, field);
    in->p = in->end;
    in->end = end;
    if (failed(in)) in->p = end;
}

static void read_struct(reader *in, const ks_struct *type, void *value) {
    for (uint32_t i = 0; i < type->field_count; i++) {
        const ks_field *field = &type->fields[i];
        if (ks_field_in(field, in->version) && !ks_field_tagged(field, in->version))
            read_field(in, field, value);
        else
            ks_field_default(field, value);
        if (failed(in)) return;
    }
    if (!in->flexible) return;
    uint32_t count = take_uvarint(in, NULL); /* each takes two bytes at least, so a lie ends with the bytes */
    for (uint32_t i = 0; i < count && !failed(in); i++) read_tag(in, type, value);
}

int32_t ks_struct_decode(const ks_struct *type, int16_t version, bool flexible, ks_bytes bytes, ks_arena *arena,
                         void *value, ks_wire_fault *fault) {
    int32_t size = bytes.size < 0 ? 0 : bytes.size;
    const uint8_t *start = size > 0 ? bytes.data : (const uint8_t *)"";
    reader in = { .p = start,
                  .end = start + size,
                  .arena = arena,
                  .version = version,
                  .flexible = flexible,
                  .memory = MEMORY_BASE + (int64_t)MEMORY_PER_BYTE * size };
    memset(value, 0, type->size);
    read_struct(&in, type, value);
    *fault = in.fault;
    return failed(&in) ? -1 : (int32_t)(in.p - start);
}
