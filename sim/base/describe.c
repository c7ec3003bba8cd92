/* SPDX-License-Identifier: Apache-2.0
 *
 * One interpreter for everything that is described by a table (describe.h): defaults, deep copies, comparison. It knows
 * no message and no trace event. JSON and text are in describe_text.c. Costs are linear in the value.
 */
#include "sim/base/describe.h"

static const size_t sizes[] = {
    [KS_TYPE_bool] = sizeof(bool),
    [KS_TYPE_int8] = 1,
    [KS_TYPE_int16] = 2,
    [KS_TYPE_int32] = 4,
    [KS_TYPE_int64] = 8,
    [KS_TYPE_uint16] = 2,
    [KS_TYPE_uint32] = 4,
    [KS_TYPE_float64] = 8,
    [KS_TYPE_string] = sizeof(ks_string),
    [KS_TYPE_bytes] = sizeof(ks_bytes),
    [KS_TYPE_records] = sizeof(ks_bytes),
    [KS_TYPE_uuid] = sizeof(ks_uuid),
};

size_t ks_field_element_size(const ks_field *field) {
    return field->type == KS_TYPE_struct ? field->sub()->size : sizes[field->type];
}

static bool is_in(const ks_field *field, int32_t version) {
    return version < 0 || (field->since <= version && version <= field->until);
}

/* ---- defaults ---- */

static void set_number(void *at, ks_type type, int64_t value) {
    switch (type) {
    case KS_TYPE_bool: *(bool *)at = value != 0; break;
    case KS_TYPE_int8: *(int8_t *)at = (int8_t)value; break;
    case KS_TYPE_int16: *(int16_t *)at = (int16_t)value; break;
    case KS_TYPE_uint16: *(uint16_t *)at = (uint16_t)value; break;
    case KS_TYPE_int32: *(int32_t *)at = (int32_t)value; break;
    case KS_TYPE_uint32: *(uint32_t *)at = (uint32_t)value; break;
    case KS_TYPE_int64: *(int64_t *)at = value; break;
    case KS_TYPE_float64: *(double *)at = (double)value; break;
    case KS_TYPE_string:
    case KS_TYPE_bytes:
    case KS_TYPE_records:
    case KS_TYPE_uuid:
    case KS_TYPE_struct: ks_unreachable("a number of another type");
    }
}

static bool is_zero_by_default(const ks_field *field) {
    if (field->array) return !field->fallback_null;
    return field->type < KS_TYPE_string ? field->fallback == 0 : field->type == KS_TYPE_uuid || field->pointer;
}

void ks_field_default(const ks_field *field, void *value) {
    void *at = (char *)value + field->offset;
    if (field->array) {
        *(ks_any_array *)at = (ks_any_array){ NULL, field->fallback_null ? -1 : 0 };
        return;
    }
    switch (field->type) {
    case KS_TYPE_string: *(ks_string *)at = field->fallback_null ? KS_NULL_STRING : (ks_string){ "", 0 }; break;
    case KS_TYPE_bytes:
    case KS_TYPE_records:
        *(ks_bytes *)at = field->fallback_null ? KS_NULL_BYTES : (ks_bytes){ (const uint8_t *)"", 0 };
        break;
    case KS_TYPE_uuid: memset(at, 0, sizeof(ks_uuid)); break;
    case KS_TYPE_struct:
        if (field->pointer)
            *(void **)at = NULL;
        else
            ks_struct_default(field->sub(), at);
        break;
    case KS_TYPE_bool:
    case KS_TYPE_int8:
    case KS_TYPE_int16:
    case KS_TYPE_int32:
    case KS_TYPE_int64:
    case KS_TYPE_uint16:
    case KS_TYPE_uint32:
    case KS_TYPE_float64: set_number(at, field->type, field->fallback); break;
    }
}

void ks_struct_default(const ks_struct *type, void *value) {
    memset(value, 0, type->size); /* padding too: a copy of the struct never carries old bytes along */
    for (uint32_t i = 0; i < type->field_count; i++) {
        const ks_field *field = &type->fields[i];
        if (is_zero_by_default(field)) continue; /* most are */
        ks_field_default(field, value);
    }
}

static bool is_default_struct(const ks_struct *type, const void *value) {
    for (uint32_t i = 0; i < type->field_count; i++)
        if (!ks_field_is_default(&type->fields[i], value)) return false;
    return true;
}

bool ks_field_is_default(const ks_field *field, const void *value) {
    const void *at = (const char *)value + field->offset;
    int32_t size_of_default = field->fallback_null ? -1 : 0;
    if (field->array) {
        int32_t count = ((const ks_any_array *)at)->count;
        return (count < 0 ? -1 : count) == size_of_default;
    }
    switch (field->type) {
    case KS_TYPE_string: return ((const ks_string *)at)->size == size_of_default;
    case KS_TYPE_bytes:
    case KS_TYPE_records: return ((const ks_bytes *)at)->size == size_of_default;
    case KS_TYPE_uuid: return ks_uuid_is_zero(*(const ks_uuid *)at);
    case KS_TYPE_struct: return field->pointer ? *(void *const *)at == NULL : is_default_struct(field->sub(), at);
    case KS_TYPE_float64: return *(const double *)at == (double)field->fallback;
    case KS_TYPE_bool:
    case KS_TYPE_int8:
    case KS_TYPE_int16:
    case KS_TYPE_int32:
    case KS_TYPE_int64:
    case KS_TYPE_uint16:
    case KS_TYPE_uint32: return ks_number_get(field->type, at) == field->fallback;
    }
    return false;
}

/* ---- copying: the struct as it is, then what its pointers reach ---- */

static void copy_one(const ks_field *field, void *to, ks_arena *arena, bool share_bytes) {
    switch (field->type) {
    case KS_TYPE_string: *(ks_string *)to = ks_arena_string(arena, *(ks_string *)to); break;
    case KS_TYPE_bytes:
    case KS_TYPE_records:
        if (!share_bytes) *(ks_bytes *)to = ks_arena_bytes(arena, *(ks_bytes *)to);
        break;
    case KS_TYPE_struct: {
        const ks_struct *sub = field->sub();
        const void *from = to;
        if (field->pointer && !field->array) {
            from = *(void **)to;
            if (from == NULL) return;
            to = *(void **)to = ks_arena_alloc(arena, sub->size);
        }
        ks_struct_copy(sub, to, from, arena, share_bytes);
        break;
    }
    case KS_TYPE_bool:
    case KS_TYPE_int8:
    case KS_TYPE_int16:
    case KS_TYPE_int32:
    case KS_TYPE_int64:
    case KS_TYPE_uint16:
    case KS_TYPE_uint32:
    case KS_TYPE_float64:
    case KS_TYPE_uuid: break;
    }
}

static void copy_array(const ks_field *field, ks_any_array *array, ks_arena *arena, bool share_bytes) {
    if (array->count <= 0) {
        array->items = NULL;
        return;
    }
    size_t size = ks_field_element_size(field);
    void *items = ks_arena_alloc(arena, size * (size_t)array->count);
    memcpy(items, array->items, size * (size_t)array->count);
    array->items = items;
    for (int32_t i = 0; i < array->count; i++) copy_one(field, (char *)items + size * (size_t)i, arena, share_bytes);
}

void ks_struct_copy(const ks_struct *type, void *to, const void *from, ks_arena *arena, bool share_bytes) {
    if (to != from) memcpy(to, from, type->size);
    for (uint32_t i = 0; i < type->field_count; i++) {
        const ks_field *field = &type->fields[i];
        void *at = (char *)to + field->offset;
        if (field->array)
            copy_array(field, at, arena, share_bytes);
        else
            copy_one(field, at, arena, share_bytes);
    }
}

/* ---- comparing: by field, since padding and pointers differ between equal values ---- */

static bool equal_one(const ks_field *field, const void *a, const void *b, int32_t version) {
    switch (field->type) {
    case KS_TYPE_string: return ks_string_equal(*(const ks_string *)a, *(const ks_string *)b);
    case KS_TYPE_bytes:
    case KS_TYPE_records: return ks_bytes_equal(*(const ks_bytes *)a, *(const ks_bytes *)b);
    case KS_TYPE_struct:
        if (field->pointer && !field->array) {
            a = *(void *const *)a;
            b = *(void *const *)b;
            if (a == NULL || b == NULL) return a == b;
        }
        return ks_struct_equal_at(field->sub(), a, b, version);
    case KS_TYPE_bool:
    case KS_TYPE_int8:
    case KS_TYPE_int16:
    case KS_TYPE_int32:
    case KS_TYPE_int64:
    case KS_TYPE_uint16:
    case KS_TYPE_uint32:
    case KS_TYPE_float64:
    case KS_TYPE_uuid: return memcmp(a, b, sizes[field->type]) == 0;
    }
    return false;
}

bool ks_field_equal_at(const ks_field *field, const void *a, const void *b, int32_t version) {
    a = (const char *)a + field->offset;
    b = (const char *)b + field->offset;
    if (!field->array) return equal_one(field, a, b, version);
    const ks_any_array *x = a, *y = b;
    if ((x->count < 0) != (y->count < 0)) return false;
    if (x->count < 0) return true;
    if (x->count != y->count) return false;
    size_t size = ks_field_element_size(field);
    for (int32_t i = 0; i < x->count; i++) {
        size_t offset = size * (size_t)i;
        if (!equal_one(field, (const char *)x->items + offset, (const char *)y->items + offset, version)) return false;
    }
    return true;
}

bool ks_struct_equal_at(const ks_struct *type, const void *a, const void *b, int32_t version) {
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (is_in(&type->fields[i], version) && !ks_field_equal_at(&type->fields[i], a, b, version)) return false;
    }
    return true;
}

bool ks_struct_equal(const ks_struct *type, const void *a, const void *b) { return ks_struct_equal_at(type, a, b, -1); }

/* ---- looking up and reading single fields ---- */

const ks_field *ks_struct_field(const ks_struct *type, const char *kafka_or_c_name) {
    for (uint32_t i = 0; i < type->field_count; i++) {
        const ks_field *field = &type->fields[i];
        if (strcmp(field->name, kafka_or_c_name) == 0 || strcmp(field->c_name, kafka_or_c_name) == 0) return field;
    }
    return NULL;
}

bool ks_field_is_number(const ks_field *field) { return !field->array && field->type <= KS_TYPE_uint32; }

int64_t ks_number_get(ks_type type, const void *at) {
    switch (type) {
    case KS_TYPE_bool: return *(const bool *)at;
    case KS_TYPE_int8: return *(const int8_t *)at;
    case KS_TYPE_int16: return *(const int16_t *)at;
    case KS_TYPE_int32: return *(const int32_t *)at;
    case KS_TYPE_int64: return *(const int64_t *)at;
    case KS_TYPE_uint16: return *(const uint16_t *)at;
    case KS_TYPE_uint32: return *(const uint32_t *)at;
    case KS_TYPE_float64:
    case KS_TYPE_string:
    case KS_TYPE_bytes:
    case KS_TYPE_records:
    case KS_TYPE_uuid:
    case KS_TYPE_struct: break;
    }
    ks_unreachable("a number of another type");
}
