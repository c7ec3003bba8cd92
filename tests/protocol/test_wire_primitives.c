/* SPDX-License-Identifier: Apache-2.0
 * Single values on the wire, through the codec's own interpreter, and the two checksums. */
#include "tests/protocol/json_struct.h"

#include <zlib.h>

#include "sim/base/crc32c.h"
#include "sim/protocol/codec.h"
#include "sim/protocol/wire_bytes.h"

/* ---- varints ---- */

static void check_varint(const json_t *line, ks_bytes bytes) {
    const char *type = text_of(line, "type"), *id = text_of(line, "hex");
    const uint8_t *end = bytes.data + bytes.size, *behind;
    int64_t got;
    if (strcmp(type, "uvarint") == 0) {
        uint32_t v;
        behind = ks_get_uvarint(bytes.data, end, &v);
        got = v;
    } else if (strcmp(type, "varint") == 0) {
        int32_t v;
        behind = ks_get_varint(bytes.data, end, &v);
        got = v;
    } else {
        behind = ks_get_varlong(bytes.data, end, &got);
    }
    if (json_object_get(line, "error") != NULL) {
        assert_vector(behind == NULL, id);
        return;
    }
    assert_vector(behind == end && got == number_of(line, "value"), id);
    uint8_t out[10];
    uint8_t *p = strcmp(type, "uvarint") == 0 ? ks_put_uvarint(out, (uint64_t)got) : ks_put_varint(out, got);
    assert_bytes((ks_bytes){ out, (int32_t)(p - out) }, bytes, id, "varint");
    assert_vector((strcmp(type, "uvarint") == 0 ? ks_uvarint_size((uint64_t)got) : ks_varint_size(got)) == bytes.size,
                  id);
}

/* ---- everything else: a struct of one field ---- */

static ks_field field_of(const char *name, bool *flexible) {
    static const struct {
        const char *name;
        ks_type type;
    } types[] = {
        { "bool", KS_TYPE_bool },     { "int8", KS_TYPE_int8 },         { "int16", KS_TYPE_int16 },
        { "uint16", KS_TYPE_uint16 }, { "int32", KS_TYPE_int32 },       { "int64", KS_TYPE_int64 },
        { "uuid", KS_TYPE_uuid },     { "float64", KS_TYPE_float64 },   { "string", KS_TYPE_string },
        { "bytes", KS_TYPE_bytes },   { "array_int32", KS_TYPE_int32 },
    };
    ks_field field = { .name = "Value",
                       .c_name = "value",
                       .until = KS_VERSION_MAX,
                       .nullable_since = KS_NEVER,
                       .nullable_until = KS_VERSION_MAX,
                       .tagged_since = KS_NEVER };
    *flexible = strncmp(name, "compact_", 8) == 0;
    if (*flexible) name += 8;
    if (strncmp(name, "nullable_", 9) == 0) {
        field.nullable_since = 0;
        name += 9;
    }
    field.array = strncmp(name, "array_", 6) == 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) != 0) continue;
        field.type = types[i].type;
        return field;
    }
    fail_msg("%s: no such primitive", name);
    return field;
}

/* `flexible` structs end with their tagged fields: one zero byte behind the value. */
static void check_field(const json_t *line, ks_bytes bytes, ks_arena *arena) {
    const char *id = text_of(line, "type");
    bool flexible;
    ks_field field = field_of(id, &flexible);
    union {
        int64_t number;
        ks_any_array array;
        ks_string string;
        ks_uuid uuid;
    } value, expected;
    ks_struct type = { "primitive", sizeof value, 1, &field };
    ks_wire_fault fault;
    ks_buffer in = { 0 }, out = { 0 };
    ks_buffer_append(&in, bytes.data, (size_t)bytes.size);
    if (flexible) ks_buffer_append(&in, "\0", 1);
    bytes = (ks_bytes){ in.data, (int32_t)in.size };
    int32_t taken = ks_struct_decode(&type, 0, flexible, bytes, arena, &value, &fault);
    if (json_object_get(line, "error") != NULL) {
        assert_vector(taken < 0 && fault.error == KS_WIRE_NULL, id);
    } else {
        json_t *json = json_pack("{s:O}", "Value", json_object_get(line, "value"));
        json_to_struct(&type, json, arena, &expected, id);
        json_decref(json);
        assert_vector(taken == bytes.size && ks_struct_equal(&type, &value, &expected), id);
        assert_vector(ks_struct_encode(&type, 0, flexible, &expected, &out, &fault), id);
        assert_bytes((ks_bytes){ out.data, (int32_t)out.size }, bytes, id, "value");
    }
    if (field.type == KS_TYPE_uuid && json_object_get(line, "base64") != NULL) {
        char text[23];
        assert_string_equal(ks_uuid_text(value.uuid, text), text_of(line, "base64"));
    }
    ks_buffer_deinit(&in);
    ks_buffer_deinit(&out);
}

static void check_tags(ks_bytes bytes, ks_arena *arena) { /* none of them is known: all are passed over */
    ks_struct empty = { "empty", 1, 0, NULL };
    ks_wire_fault fault;
    char value;
    assert_int_equal(ks_struct_decode(&empty, 0, true, bytes, arena, &value, &fault), bytes.size);
}

static void check_line(const json_t *line, ks_arena *arena) {
    const char *type = text_of(line, "type");
    ks_bytes bytes = unhex(arena, json_object_get(line, "hex"));
    if (strstr(type, "var") != NULL)
        check_varint(line, bytes);
    else if (strcmp(type, "crc32c") == 0)
        assert_i64_equal(ks_crc32c(bytes.data, (size_t)bytes.size), number_of(line, "value"));
    else if (strcmp(type, "crc32") == 0)
        assert_i64_equal(crc32(0, bytes.data, (uInt)bytes.size), number_of(line, "value"));
    else if (strcmp(type, "tagged_fields") == 0)
        check_tags(bytes, arena);
    else
        check_field(line, bytes, arena);
}

static void single_values_are_read_and_written_to_the_byte(void **state) {
    int line_number = 0;
    FILE *file = ks_vectors_open("wire_primitives.jsonl");
    if (file == NULL) return;
    for (json_t *line; (line = ks_vectors_next_json(file, "wire_primitives.jsonl", &line_number)) != NULL;
         json_decref(line)) {
        ks_arena *arena = ks_arena_new();
        check_line(line, arena);
        ks_arena_free(arena);
    }
    fclose(file);
    assert_true(line_number >= 87);
}

/* ---- what may not be trusted ---- */

static ks_field simple(ks_type type, bool array) {
    return (ks_field){ .name = "Value",
                       .c_name = "value",
                       .type = type,
                       .array = array,
                       .until = KS_VERSION_MAX,
                       .nullable_since = KS_NEVER,
                       .nullable_until = KS_VERSION_MAX,
                       .tagged_since = KS_NEVER };
}

static ks_wire_error error_of(const ks_field *field, bool flexible, const char *bytes, int32_t size) {
    ks_struct type = { "one", sizeof(ks_any_array), 1, field };
    ks_any_array value;
    ks_wire_fault fault;
    ks_arena *arena = ks_arena_new();
    ks_struct_decode(&type, 0, flexible, (ks_bytes){ (const uint8_t *)bytes, size }, arena, &value, &fault);
    ks_arena_free(arena);
    return fault.error;
}

static void a_count_that_cannot_be_there_allocates_nothing(void **state) {
    ks_field numbers = simple(KS_TYPE_int32, true), strings = simple(KS_TYPE_string, true);
    assert_int_equal(error_of(&numbers, false, "\x7f\xff\xff\xff\0\0\0\0", 8), KS_WIRE_COUNT);
    assert_int_equal(error_of(&numbers, false, "\0\0\0\2\0\0\0\0\0\0\0", 11), KS_WIRE_COUNT);
    assert_int_equal(error_of(&strings, true, "\xff\xff\xff\xff\x0f\1\1", 7), KS_WIRE_COUNT);
    assert_int_equal(error_of(&numbers, false, "\0\0\0", 3), KS_WIRE_TRUNCATED);
    assert_int_equal(error_of(&strings, true, "\x80\x80\x80\x80\x80\1", 6), KS_WIRE_VARINT);
}

static void any_negative_length_is_a_null(void **state) {
    ks_field string = simple(KS_TYPE_string, false);
    assert_int_equal(error_of(&string, false, "\xff\xfe", 2), KS_WIRE_NULL);
    string.nullable_since = 0;
    assert_int_equal(error_of(&string, false, "\xff\xfe", 2), KS_WIRE_OK);
}

static void a_string_holds_at_most_32767_bytes_in_compact_form_too(void **state) {
    ks_field string = simple(KS_TYPE_string, false);
    char *bytes = calloc(1, 32772);
    memcpy(bytes, "\x81\x80\x02", 3); /* 32769: a string of 32768 */
    assert_int_equal(error_of(&string, true, bytes, 32772), KS_WIRE_STRING);
    memcpy(bytes, "\x80\x80\x02", 3);
    assert_int_equal(error_of(&string, true, bytes, 3 + 32767 + 1), KS_WIRE_OK);
    free(bytes);
}

static const ks_field big_fields[] = { { .name = "Small",
                                         .c_name = "small",
                                         .type = KS_TYPE_int8,
                                         .until = KS_VERSION_MAX,
                                         .nullable_since = KS_NEVER,
                                         .tagged_since = KS_NEVER } };
static const ks_struct *big(void) { /* much larger in memory than on the wire */
    static const ks_struct type = { "big", 1000, 1, big_fields };
    return &type;
}

static void the_memory_of_a_message_is_bounded_by_its_frame(void **state) {
    ks_field array = simple(KS_TYPE_struct, true);
    array.sub = big;
    char bytes[4 + 100] = { 0, 0, 0, 69 }; /* 69,000 bytes of structs; 64 KiB + 32 times 104 are allowed */
    assert_int_equal(error_of(&array, false, bytes, sizeof bytes), KS_WIRE_MEMORY);
    bytes[3] = 68;
    assert_int_equal(error_of(&array, false, bytes, sizeof bytes), KS_WIRE_OK);
}

static void a_known_tag_fills_its_size_and_an_unknown_one_is_passed_over(void **state) {
    ks_field tagged = simple(KS_TYPE_int16, false);
    tagged.tagged_since = 0;
    tagged.tag = 3;
    assert_int_equal(error_of(&tagged, true, "\1\3\2\0\7", 5), KS_WIRE_OK);
    assert_int_equal(error_of(&tagged, true, "\1\3\3\0\7\0", 6), KS_WIRE_TAG);
    assert_int_equal(error_of(&tagged, true, "\1\3\1\0", 4), KS_WIRE_TRUNCATED);
    assert_int_equal(error_of(&tagged, true, "\2\3\2\0\7\5\2ab", 9), KS_WIRE_OK);
    assert_int_equal(error_of(&tagged, true, "\2\5\2ab\3\2\0\7", 9), KS_WIRE_OK); /* any order */
    assert_int_equal(error_of(&tagged, true, "\1\5\3ab", 5), KS_WIRE_TRUNCATED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_values_are_read_and_written_to_the_byte),
        cmocka_unit_test(a_count_that_cannot_be_there_allocates_nothing),
        cmocka_unit_test(any_negative_length_is_a_null),
        cmocka_unit_test(a_string_holds_at_most_32767_bytes_in_compact_form_too),
        cmocka_unit_test(the_memory_of_a_message_is_bounded_by_its_frame),
        cmocka_unit_test(a_known_tag_fills_its_size_and_an_unknown_one_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
