/* SPDX-License-Identifier: Apache-2.0
 *
 * Structs to bytes. Tagged fields go out in ascending order of their tags, and only when they differ from their
 * defaults.
 */
#include "sim/protocol/codec_internal.h"
#include "sim/protocol/wire_bytes.h"

typedef struct encoder {
    ks_buffer *out;
    int16_t version;
    bool flexible;
    ks_wire_fault fault;
} encoder;

static void fail(encoder *out, ks_wire_error error, const ks_field *field) {
    if (out->fault.error == KS_WIRE_OK) out->fault = (ks_wire_fault){ error, field };
}

static uint8_t *grow(encoder *out, size_t size) {
    if (out->out->capacity < out->out->size + size + 1) ks_buffer_reserve(out->out, size);
    uint8_t *at = out->out->data + out->out->size;
    out->out->size += size;
    return at;
}

static void put_uvarint(encoder *out, uint32_t v) { ks_put_uvarint(grow(out, (size_t)ks_uvarint_size(v)), v); }

static void put_size(encoder *out, bool wide, int32_t size) { /* -1: null */
    if (out->flexible)
        put_uvarint(out, (uint32_t)size + 1);
    else if (wide)
        ks_store_32(grow(out, 4), (uint32_t)size);
    else
        ks_store_16(grow(out, 2), (uint16_t)size);
}

static void put_sized(encoder *out, bool wide, const void *data, int32_t size, const ks_field *field, bool element) {
    if (size < 0) {
        size = -1;
        if (element || !ks_field_nullable(field, out->version)) fail(out, KS_WIRE_NULL, field);
    }
    if (!wide && size > INT16_MAX) {
        fail(out, KS_WIRE_STRING, field);
        return;
    }
    put_size(out, wide, size);
    if (size > 0) memcpy(grow(out, (size_t)size), data, (size_t)size);
}

static void write_struct(encoder *out, const ks_struct *type, const void *value);

static void write_pointer(encoder *out, const ks_field *field, const void *value) {
    *grow(out, 1) = value != NULL ? 1 : 0xff;
    if (value != NULL)
        write_struct(out, field->sub(), value);
    else if (!ks_field_nullable(field, out->version))
        fail(out, KS_WIRE_NULL, field);
}

static void write_one(encoder *out, const ks_field *field, bool element, const void *at) {
    switch (field->type) {
    case KS_TYPE_bool: *grow(out, 1) = *(const bool *)at ? 1 : 0; break;
    case KS_TYPE_int8: *grow(out, 1) = *(const uint8_t *)at; break;
    case KS_TYPE_int16:
    case KS_TYPE_uint16: ks_store_16(grow(out, 2), *(const uint16_t *)at); break;
    case KS_TYPE_int32:
    case KS_TYPE_uint32: ks_store_32(grow(out, 4), *(const uint32_t *)at); break;
    case KS_TYPE_int64: ks_store_64(grow(out, 8), *(const uint64_t *)at); break;
    case KS_TYPE_float64: {
        uint64_t bits;
        memcpy(&bits, at, sizeof bits);
        ks_store_64(grow(out, 8), bits);
        break;
    }
    case KS_TYPE_uuid: memcpy(grow(out, sizeof(ks_uuid)), at, sizeof(ks_uuid)); break;
    case KS_TYPE_string: {
        const ks_string *string = at;
        put_sized(out, false, string->data, string->size, field, element);
        break;
    }
    case KS_TYPE_bytes:
    case KS_TYPE_records: {
        const ks_bytes *bytes = at;
        put_sized(out, true, bytes->data, bytes->size, field, element);
        break;
    }
    case KS_TYPE_struct:
        if (field->pointer && !element)
            write_pointer(out, field, *(void *const *)at);
        else
            write_struct(out, field->sub(), at);
        break;
    }
}

static void write_array(encoder *out, const ks_field *field, const ks_any_array *array) {
    if (array->count < 0 && !ks_field_nullable(field, out->version)) fail(out, KS_WIRE_NULL, field);
    put_size(out, true, array->count < 0 ? -1 : array->count);
    size_t size = ks_field_element_size(field);
    for (int32_t i = 0; i < array->count; i++)
        write_one(out, field, true, (const char *)array->items + size * (size_t)i);
}

static void write_field(encoder *out, const ks_field *field, const void *value) {
    const void *at = (const char *)value + field->offset;
    if (field->array)
        write_array(out, field, at);
    else
        write_one(out, field, false, at);
}

/* ---- tagged fields: tag, size, content; the size is known last, so the content moves up behind it ---- */

static void write_tag(encoder *out, const ks_field *field, const void *value) {
    put_uvarint(out, (uint32_t)field->tag);
    size_t start = out->out->size;
    write_field(out, field, value);
    size_t size = out->out->size - start, prefix = (size_t)ks_uvarint_size(size);
    grow(out, prefix);
    uint8_t *at = out->out->data + start;
    memmove(at + prefix, at, size);
    ks_put_uvarint(at, size);
}

static bool is_written(const encoder *out, const ks_field *field, const void *value) {
    return ks_field_in(field, out->version) && ks_field_tagged(field, out->version) &&
           !ks_field_is_default(field, value);
}

static void write_tags(encoder *out, const ks_struct *type, const void *value) {
    uint32_t count = 0;
    int32_t last = -1;
    for (uint32_t i = 0; i < type->field_count; i++) count += is_written(out, &type->fields[i], value);
    put_uvarint(out, count);
    while (count-- > 0) { /* a struct has four of them at most */
        const ks_field *next = NULL;
        for (uint32_t i = 0; i < type->field_count; i++) {
            const ks_field *field = &type->fields[i];
            if (field->tag > last && (next == NULL || field->tag < next->tag) && is_written(out, field, value))
                next = field;
        }
        write_tag(out, next, value);
        last = next->tag;
    }
}

static void write_struct(encoder *out, const ks_struct *type, const void *value) {
    for (uint32_t i = 0; i < type->field_count; i++) {
        const ks_field *field = &type->fields[i];
        if (!ks_field_in(field, out->version)) {
            if (!field->ignorable && !ks_field_is_default(field, value)) fail(out, KS_WIRE_NOT_IN_VERSION, field);
        } else if (!ks_field_tagged(field, out->version)) {
            write_field(out, field, value);
        }
    }
    if (out->flexible) write_tags(out, type, value);
}

bool ks_struct_encode(const ks_struct *type, int16_t version, bool flexible, const void *value, ks_buffer *out,
                      ks_wire_fault *fault) {
    encoder writer = { out, version, flexible, { KS_WIRE_OK, NULL } };
    size_t before = out->size;
    write_struct(&writer, type, value);
    *fault = writer.fault;
    if (writer.fault.error != KS_WIRE_OK) out->size = before;
    return writer.fault.error == KS_WIRE_OK;
}
