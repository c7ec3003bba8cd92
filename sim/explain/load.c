/* SPDX-License-Identifier: Apache-2.0
 * Reading a trace file: JSON lines, the head first. Anything else than what this version writes is refused with file and line.
 */
#define _POSIX_C_SOURCE 200809L
#include "sim/explain/recording.h"
#include "sim/protocol/events.h"

#include <jansson.h>
#include <stdio.h>

typedef struct loader {
    ks_recording *recording;
    const char *name;
    long line;
    char *problem;
    size_t problem_size;
} loader;

static bool fail(loader *l, const char *what, const char *detail) {
    char line[24] = "";
    if (l->line > 0) snprintf(line, sizeof line, ":%ld", l->line);
    snprintf(l->problem, l->problem_size, "%s%s: %s%s%s", l->name, line, what, detail ? ": " : "", detail ? detail : "");
    return false;
}

static ks_string text_of(loader *l, const json_t *json) {
    if (!json_is_string(json)) return KS_NULL_STRING;
    return ks_arena_string(l->recording->arena, (ks_string){ json_string_value(json), (int32_t)json_string_length(json) });
}

static int nibble(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static bool set_bytes(loader *l, const json_t *json, ks_bytes *out) {
    *out = KS_NULL_BYTES;
    if (!json_is_string(json)) return json_is_null(json) || json_is_object(json); /* an object: cut, with the rest counted */
    const char *hex = json_string_value(json);
    size_t size = json_string_length(json);
    if (size % 2 != 0) return false;
    uint8_t *bytes = ks_arena_alloc(l->recording->arena, size / 2 + 1);
    for (size_t i = 0; i < size; i += 2) {
        int high = nibble(hex[i]), low = nibble(hex[i + 1]);
        if (high < 0 || low < 0) return false;
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    *out = (ks_bytes){ bytes, (int32_t)(size / 2) };
    return true;
}

static bool set_field(loader *l, const ks_field *field, const json_t *json, char *to) {
    json_int_t n = json_is_integer(json) ? json_integer_value(json) : json_is_true(json) ? 1 : 0;
    bool number = json_is_integer(json) || json_is_boolean(json);
    switch (field->type) {
    case KS_TYPE_bool: *(bool *)to = n != 0; return number;
    case KS_TYPE_int8: *(int8_t *)to = (int8_t)n; return number && n >= INT8_MIN && n <= INT8_MAX;
    case KS_TYPE_int16: *(int16_t *)to = (int16_t)n; return number && n >= INT16_MIN && n <= INT16_MAX;
    case KS_TYPE_int32: *(int32_t *)to = (int32_t)n; return number && n >= INT32_MIN && n <= INT32_MAX;
    case KS_TYPE_uint16: *(uint16_t *)to = (uint16_t)n; return number && n >= 0 && n <= UINT16_MAX;
    case KS_TYPE_uint32: *(uint32_t *)to = (uint32_t)n; return number && n >= 0 && n <= UINT32_MAX;
    case KS_TYPE_int64: *(int64_t *)to = n; return number;
    case KS_TYPE_string: *(ks_string *)to = text_of(l, json); return json_is_string(json) || json_is_null(json);
    case KS_TYPE_bytes:
    case KS_TYPE_records: return set_bytes(l, json, (ks_bytes *)to);
    case KS_TYPE_uuid: return json_is_string(json); /* no view shows topic ids */
    case KS_TYPE_float64:
    case KS_TYPE_struct: return false; /* no kind has such a field */
    }
    return false;
}

static bool load_records(loader *l, const json_t *list, ks_recorded *recorded) {
    size_t count = json_array_size(list);
    if (count == 0) return true;
    ks_shown_record *records = ks_arena_alloc(l->recording->arena, count * sizeof *records);
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_array_get(list, i);
        const json_t *key = json_object_get(one, "key"), *value = json_object_get(one, "value");
        ks_string k = text_of(l, key), v = text_of(l, value);
        if (!json_is_object(one)) return fail(l, "a record is not an object", NULL);
        records[i].key = (ks_bytes){ (const uint8_t *)k.data, k.size };
        records[i].value = (ks_bytes){ (const uint8_t *)v.data, v.size };
        records[i].key_rest = (int32_t)json_integer_value(json_object_get(one, "key_rest"));
        records[i].value_rest = (int32_t)json_integer_value(json_object_get(one, "value_rest"));
    }
    recorded->records = records;
    recorded->record_count = (int32_t)count;
    return true;
}

static bool load_event(loader *l, const json_t *json) {
    const json_t *id = json_object_get(json, "id"), *cause = json_object_get(json, "cause"), *time = json_object_get(json, "time");
    const char *kind_name = json_string_value(json_object_get(json, "kind"));
    if (!json_is_integer(id) || !json_is_integer(cause) || !json_is_integer(time) || kind_name == NULL)
        return fail(l, "this is not an event: id, cause, time and kind are missing or of the wrong type", NULL);
    ks_recorded recorded = { .id = (uint64_t)json_integer_value(id), .cause = (uint64_t)json_integer_value(cause), .time = json_integer_value(time) };
    recorded.kind = ks_event_kind_find(kind_name);
    if (recorded.kind == NULL) return fail(l, "no kind of event is called so; was the file edited?", kind_name);
    const ks_recording *r = l->recording;
    const ks_recorded *last = r->events.count > 0 ? &r->events.items[r->events.count - 1] : NULL;
    if (json_integer_value(id) <= 0 || (last != NULL && recorded.id <= last->id)) return fail(l, "event ids must grow; was the file edited?", NULL);
    if (last != NULL && recorded.time < last->time) return fail(l, "time must not go back; was the file edited?", NULL);
    if (json_integer_value(cause) < 0 || recorded.cause >= recorded.id) return fail(l, "an event's cause must come before it; was the file edited?", NULL);
    recorded.node = text_of(l, json_object_get(json, "node"));
    char *fields = ks_arena_alloc(r->arena, recorded.kind->size);
    ks_struct_default(recorded.kind, fields);
    recorded.fields = fields;
    const json_t *values = json_object_get(json, "fields");
    for (uint32_t i = 0; i < recorded.kind->field_count; i++) {
        const ks_field *field = &recorded.kind->fields[i];
        const json_t *value = json_object_get(values, field->name);
        if (value == NULL) continue;
        if (!set_field(l, field, value, fields + field->offset)) return fail(l, "a field has the wrong type or is out of range", field->name);
    }
    if (!load_records(l, json_object_get(json, "records"), &recorded)) return false;
    KS_PUSH(l->recording->events, recorded);
    return true;
}

static bool load_head(loader *l, const json_t *json) {
    const char *format = json_string_value(json_object_get(json, "format"));
    if (format == NULL || strcmp(format, "kafkasim-trace") != 0)
        return fail(l, "this is neither a trace (its first line would say \"format\":\"kafkasim-trace\") nor a scenario (*.ksim)", NULL);
    json_int_t version = json_integer_value(json_object_get(json, "version"));
    if (version != 1) {
        char text[64];
        snprintf(text, sizeof text, "%lld", (long long)version);
        return fail(l, "this program reads traces of version 1, not of version", text);
    }
    const json_t *seed = json_object_get(json, "seed"), *start = json_object_get(json, "start");
    if (json_is_integer(seed)) l->recording->seed = ks_arena_printf(l->recording->arena, "%llu", (unsigned long long)json_integer_value(seed));
    else l->recording->seed = text_of(l, seed);
    if (json_is_integer(start)) l->recording->start = json_integer_value(start);
    l->recording->scenario = text_of(l, json_object_get(json, "scenario"));
    return true;
}

static bool load(loader *l, const char *text, size_t size) {
    const char *end = text + size;
    bool head = false;
    for (const char *line = text; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        l->line++;
        if (stop == NULL && head) return fail(l, "the file ends in the middle of a line; was it cut?", NULL);
        size_t length = (size_t)((stop ? stop : end) - line);
        json_error_t error;
        json_t *json = json_loadb(line, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
        if (json == NULL || !json_is_object(json)) {
            json_decref(json);
            return fail(l, head ? "this is not a JSON object" : "this is neither a trace nor a scenario (*.ksim)", NULL);
        }
        bool again = head && json_object_get(json, "format") != NULL;
        bool fine = again ? fail(l, "a second run begins here; a view shows one run (ksim demo lab07 STEP writes one)", NULL)
                    : head ? load_event(l, json) : load_head(l, json);
        head = true;
        json_decref(json);
        if (!fine) return false;
        line += length + 1;
    }
    if (!head) return fail(l, "the file is empty", NULL);
    if (l->recording->start == 0 && l->recording->events.count > 0) l->recording->start = l->recording->events.items[0].time;
    return true;
}

ks_recording *ks_recording_parse(const char *text, size_t size, const char *name, char *problem, size_t problem_size) {
    loader l = { ks_recording_new(), name, 0, problem, problem_size };
    if (load(&l, text, size)) return l.recording;
    ks_recording_free(l.recording);
    return NULL;
}

ks_recording *ks_recording_load(const char *path, char *problem, size_t problem_size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        snprintf(problem, problem_size, "%s: cannot be opened; does it exist, and may you read it?", path);
        return NULL;
    }
    ks_buffer text = { 0 };
    char chunk[65536];
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) ks_buffer_append(&text, chunk, got);
    bool broken = ferror(file) != 0;
    fclose(file);
    ks_recording *recording = NULL;
    if (broken) snprintf(problem, problem_size, "%s: cannot be read; is it a folder?", path);
    else recording = ks_recording_parse((const char *)text.data, text.size, path, problem, problem_size);
    ks_buffer_deinit(&text);
    return recording;
}
