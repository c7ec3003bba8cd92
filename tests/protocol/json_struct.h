/* SPDX-License-Identifier: Apache-2.0
 * Vectors' JSON to described structs: Kafka's names, bytes in hex, uuids as 8-4-4-4-12, absent fields get their
 * defaults. */
#ifndef KS_JSON_STRUCT_H
#define KS_JSON_STRUCT_H

#include "tests/protocol/vectors.h"

#include "sim/base/describe.h"

static inline void json_to_struct(const ks_struct *type, const json_t *json, ks_arena *arena, void *value,
                                  const char *id);

static inline void json_to_uuid(const char *text, ks_uuid *id) {
    char hex[33];
    size_t count = 0, size;
    for (; *text != '\0' && count < 32; text++)
        if (*text != '-') hex[count++] = *text;
    hex[count] = '\0';
    uint8_t *bytes = ks_test_unhex(hex, &size);
    assert_int_equal(size, 16);
    memcpy(id, bytes, 16);
    free(bytes);
}

static inline void json_to_one(const ks_field *field, bool element, const json_t *json, ks_arena *arena, void *at,
                               const char *id) {
    switch (field->type) {
    case KS_TYPE_bool: *(bool *)at = json_is_true(json); break;
    case KS_TYPE_int8: *(int8_t *)at = (int8_t)json_integer_value(json); break;
    case KS_TYPE_int16:
    case KS_TYPE_uint16: *(uint16_t *)at = (uint16_t)json_integer_value(json); break;
    case KS_TYPE_int32:
    case KS_TYPE_uint32: *(uint32_t *)at = (uint32_t)json_integer_value(json); break;
    case KS_TYPE_int64: *(int64_t *)at = json_integer_value(json); break;
    case KS_TYPE_float64: *(double *)at = json_number_value(json); break;
    case KS_TYPE_string:
        *(ks_string *)at =
            json_is_null(json)
                ? KS_NULL_STRING
                : ks_arena_string(arena, (ks_string){ json_string_value(json), (int32_t)json_string_length(json) });
        break;
    case KS_TYPE_bytes:
    case KS_TYPE_records: *(ks_bytes *)at = unhex(arena, json); break;
    case KS_TYPE_uuid: json_to_uuid(json_string_value(json), at); break;
    case KS_TYPE_struct:
        if (field->pointer && !element) {
            *(void **)at = NULL;
            if (json_is_null(json)) break;
            at = *(void **)at = ks_arena_alloc(arena, field->sub()->size);
        }
        json_to_struct(field->sub(), json, arena, at, id);
        break;
    }
}

static inline void json_to_array(const ks_field *field, const json_t *json, ks_arena *arena, ks_any_array *to,
                                 const char *id) {
    *to = (ks_any_array){ NULL, -1 };
    if (json_is_null(json)) return;
    size_t size = ks_field_element_size(field);
    to->count = (int32_t)json_array_size(json);
    to->items = ks_arena_alloc(arena, size * (size_t)to->count);
    for (int32_t i = 0; i < to->count; i++)
        json_to_one(field, true, json_array_get(json, (size_t)i), arena, (char *)to->items + size * (size_t)i, id);
}

static inline void json_to_struct(const ks_struct *type, const json_t *json, ks_arena *arena, void *value,
                                  const char *id) {
    const char *name;
    json_t *member;
    ks_struct_default(type, value);
    json_object_foreach((json_t *)(uintptr_t)json, name, member) {
        const ks_field *field = ks_struct_field(type, name);
        if (strcmp(name, "_unknown_tags") == 0) continue;
        if (field == NULL) fail_msg("%s: %s has no field %s", id, type->name, name);
        if (field->array)
            json_to_array(field, member, arena, (ks_any_array *)((char *)value + field->offset), id);
        else
            json_to_one(field, false, member, arena, (char *)value + field->offset, id);
    }
}

#endif
