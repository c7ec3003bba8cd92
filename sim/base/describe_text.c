/* SPDX-License-Identifier: Apache-2.0
 *
 * Described structs as JSON (traces) and as compact text (people). JSON is always valid: bytes that are not UTF-8
 * become U+FFFD, so that a trace with a client's odd strings still parses; uuids are Kafka's 22 characters.
 */
#include "sim/base/describe.h"

#include <stdio.h>

/* Length of the UTF-8 sequence at `s` (RFC 3629: no surrogates, nothing overlong), 0 when there is none. */
static int32_t utf8_length(const uint8_t *s, int32_t left) {
    if (s[0] < 0x80) return 1;
    int32_t length = s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    if (s[0] > 0xf4 || length == 0 || length > left) return 0;
    for (int32_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if (s[0] == 0xe0 && s[1] < 0xa0) return 0;
    if (s[0] == 0xed && s[1] >= 0xa0) return 0;
    if (s[0] == 0xf0 && s[1] < 0x90) return 0;
    if (s[0] == 0xf4 && s[1] >= 0x90) return 0;
    return length;
}

static void escape_one(uint8_t c, ks_buffer *out) {
    switch (c) {
    case '"': ks_buffer_text(out, "\\\""); break;
    case '\\': ks_buffer_text(out, "\\\\"); break;
    case '\n': ks_buffer_text(out, "\\n"); break;
    case '\r': ks_buffer_text(out, "\\r"); break;
    case '\t': ks_buffer_text(out, "\\t"); break;
    default: ks_buffer_printf(out, c < 0x20 || c == 0x7f ? "\\u%04x" : "\\ufffd", c);
    }
}

static bool is_plain(const uint8_t *s, int32_t left, int32_t *length) {
    *length = utf8_length(s, left);
    return *length > 0 && *s >= 0x20 && *s != '"' && *s != '\\' && *s != 0x7f;
}

static void escape(ks_string text, ks_buffer *out) {
    const uint8_t *s = (const uint8_t *)text.data;
    int32_t start = 0;
    for (int32_t i = 0, length; i<text.size; i += length> 0 ? length : 1) {
        if (is_plain(s + i, text.size - i, &length)) continue;
        ks_buffer_append(out, s + start, (size_t)(i - start));
        escape_one(s[i], out);
        start = i + 1;
    }
    if (text.size > start) ks_buffer_append(out, s + start, (size_t)(text.size - start));
}

void ks_json_string(ks_string text, ks_buffer *out) {
    if (text.size < 0) {
        ks_buffer_text(out, "null");
        return;
    }
    ks_buffer_append(out, "\"", 1);
    escape(text, out);
    ks_buffer_text(out, "\"");
}

void ks_json_hex(ks_bytes bytes, size_t max, ks_buffer *out) {
    static const char digits[] = "0123456789abcdef";
    if (bytes.size < 0) {
        ks_buffer_text(out, "null");
        return;
    }
    size_t count = max > 0 && (size_t)bytes.size > max ? max : (size_t)bytes.size;
    ks_buffer_reserve(out, 2 * count + 3);
    ks_buffer_append(out, "\"", 1);
    for (size_t i = 0; i < count; i++) {
        char pair[2] = { digits[bytes.data[i] >> 4], digits[bytes.data[i] & 15] };
        ks_buffer_append(out, pair, 2);
    }
    ks_buffer_text(out, "\"");
}

static void print_number(ks_type type, const void *at, ks_buffer *out) {
    if (type == KS_TYPE_bool)
        ks_buffer_text(out, *(const bool *)at ? "true" : "false");
    else if (type == KS_TYPE_float64)
        ks_buffer_printf(out, "%.17g", *(const double *)at);
    else
        ks_buffer_i64(out, ks_number_get(type, at));
}

static void json_one(const ks_field *field, const void *at, int16_t version, size_t bytes_max, ks_buffer *out) {
    char text[23];
    switch (field->type) {
    case KS_TYPE_string: ks_json_string(*(const ks_string *)at, out); break;
    case KS_TYPE_bytes:
    case KS_TYPE_records: ks_json_hex(*(const ks_bytes *)at, bytes_max, out); break;
    case KS_TYPE_uuid: ks_buffer_printf(out, "\"%s\"", ks_uuid_text(*(const ks_uuid *)at, text)); break;
    case KS_TYPE_struct:
        if (field->pointer && !field->array) at = *(void *const *)at;
        if (at == NULL)
            ks_buffer_text(out, "null");
        else
            ks_struct_json_at(field->sub(), at, version, bytes_max, out);
        break;
    case KS_TYPE_bool:
    case KS_TYPE_int8:
    case KS_TYPE_int16:
    case KS_TYPE_int32:
    case KS_TYPE_int64:
    case KS_TYPE_uint16:
    case KS_TYPE_uint32:
    case KS_TYPE_float64: print_number(field->type, at, out); break;
    }
}

static void field_json(const ks_field *field, const void *value, int16_t version, size_t bytes_max, ks_buffer *out) {
    const void *at = (const char *)value + field->offset;
    if (!field->array) {
        json_one(field, at, version, bytes_max, out);
        return;
    }
    const ks_any_array *array = at;
    if (array->count < 0) {
        ks_buffer_text(out, "null");
        return;
    }
    size_t size = ks_field_element_size(field);
    ks_buffer_text(out, "[");
    for (int32_t i = 0; i < array->count; i++) {
        if (i > 0) ks_buffer_text(out, ",");
        json_one(field, (const char *)array->items + size * (size_t)i, version, bytes_max, out);
    }
    ks_buffer_text(out, "]");
}

void ks_field_json(const ks_field *field, const void *value, size_t bytes_max, ks_buffer *out) {
    field_json(field, value, KS_NEVER, bytes_max, out);
}

void ks_struct_json_at(const ks_struct *type, const void *value, int16_t version, size_t bytes_max, ks_buffer *out) {
    bool first = true;
    ks_buffer_text(out, "{");
    for (uint32_t i = 0; i < type->field_count; i++) {
        const ks_field *field = &type->fields[i];
        if (version != KS_NEVER && (version < field->since || version > field->until)) continue;
        ks_buffer_text(out, first ? "\"" : ",\"");
        ks_buffer_text(out, field->name);
        ks_buffer_text(out, "\":");
        field_json(field, value, version, bytes_max, out);
        first = false;
    }
    ks_buffer_text(out, "}");
}

void ks_struct_json(const ks_struct *type, const void *value, size_t bytes_max, ks_buffer *out) {
    ks_struct_json_at(type, value, KS_NEVER, bytes_max, out);
}

/* ---- text ---- */

static bool needs_quotes(ks_string text) {
    if (text.size == 0) return true;
    const uint8_t *s = (const uint8_t *)text.data;
    for (int32_t i = 0, length; i < text.size; i += length) {
        if (!is_plain(s + i, text.size - i, &length)) return true;
        if (memchr(" ={}[],", s[i], 7) != NULL) return true;
    }
    return false;
}

static void print_one(const ks_field *field, const void *at, ks_buffer *out) {
    if (field->type == KS_TYPE_string && ((const ks_string *)at)->size >= 0 && !needs_quotes(*(const ks_string *)at)) {
        ks_buffer_string(out, *(const ks_string *)at);
    } else if (field->type == KS_TYPE_bytes || field->type == KS_TYPE_records) {
        int32_t size = ((const ks_bytes *)at)->size;
        if (size < 0)
            ks_buffer_text(out, "null");
        else
            ks_buffer_printf(out, "<%d bytes>", (int)size);
    } else if (field->type == KS_TYPE_struct) {
        if (field->pointer && !field->array) at = *(void *const *)at;
        if (at == NULL)
            ks_buffer_text(out, "null");
        else
            ks_struct_print(field->sub(), at, out);
    } else {
        json_one(field, at, KS_NEVER, 0, out);
    }
}

void ks_field_print(const ks_field *field, const void *value, ks_buffer *out) {
    const void *at = (const char *)value + field->offset;
    if (!field->array) {
        print_one(field, at, out);
        return;
    }
    const ks_any_array *array = at;
    if (array->count < 0) {
        ks_buffer_text(out, "null");
        return;
    }
    size_t size = ks_field_element_size(field);
    ks_buffer_text(out, "[");
    for (int32_t i = 0; i < array->count; i++) {
        if (i > 0) ks_buffer_text(out, " ");
        print_one(field, (const char *)array->items + size * (size_t)i, out);
    }
    ks_buffer_text(out, "]");
}

void ks_struct_print(const ks_struct *type, const void *value, ks_buffer *out) {
    ks_buffer_text(out, "{");
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (i > 0) ks_buffer_text(out, " ");
        ks_buffer_text(out, type->fields[i].c_name);
        ks_buffer_text(out, "=");
        ks_field_print(&type->fields[i], value, out);
    }
    ks_buffer_text(out, "}");
}
