/* SPDX-License-Identifier: Apache-2.0
 *
 * What encoding and decoding share: which fields a version has, in which form, and how small they can be.
 */
#include "sim/protocol/codec.h"

#include "sim/protocol/codec_internal.h"

const char *ks_wire_error_text(ks_wire_error error) {
    switch (error) {
    case KS_WIRE_OK: return "no error";
    case KS_WIRE_TRUNCATED: return "the bytes end inside a field";
    case KS_WIRE_COUNT: return "a count is larger than the bytes that are left could hold";
    case KS_WIRE_NULL: return "a null stands where this version allows none";
    case KS_WIRE_VARINT: return "a variable-length number is too long or cut";
    case KS_WIRE_TAG: return "a tagged field does not fill its size";
    case KS_WIRE_STRING: return "a string is longer than 32767 bytes";
    case KS_WIRE_MEMORY: return "the message would take too much memory for its size";
    case KS_WIRE_NOT_IN_VERSION: return "a field is set that this version cannot carry";
    }
    return "?";
}

static int32_t min_size_of(const ks_field *field, int16_t version, bool flexible) {
    if (field->array) return flexible ? 1 : 4;
    switch (field->type) {
    case KS_TYPE_bool:
    case KS_TYPE_int8: return 1;
    case KS_TYPE_int16:
    case KS_TYPE_uint16: return 2;
    case KS_TYPE_int32:
    case KS_TYPE_uint32: return 4;
    case KS_TYPE_int64:
    case KS_TYPE_float64: return 8;
    case KS_TYPE_uuid: return 16;
    case KS_TYPE_string: return flexible ? 1 : 2;
    case KS_TYPE_bytes:
    case KS_TYPE_records: return flexible ? 1 : 4;
    case KS_TYPE_struct: return field->pointer ? 1 : ks_struct_min_size(field->sub(), version, flexible);
    }
    return 1;
}

int32_t ks_struct_min_size(const ks_struct *type, int16_t version, bool flexible) {
    int32_t size = flexible ? 1 : 0; /* the number of tagged fields */
    for (uint32_t i = 0; i < type->field_count; i++) {
        const ks_field *field = &type->fields[i];
        if (ks_field_in(field, version) && !ks_field_tagged(field, version))
            size += min_size_of(field, version, flexible);
    }
    return size > 0 ? size : 1; /* a struct without a byte could be repeated without end */
}

int32_t ks_element_min_size(const ks_field *array, int16_t version, bool flexible) {
    if (array->type == KS_TYPE_struct) return ks_struct_min_size(array->sub(), version, flexible);
    ks_field element = *array;
    element.array = false;
    return min_size_of(&element, version, flexible);
}
