/* SPDX-License-Identifier: Apache-2.0
 * Reading a trace file: JSON lines, the head first. Anything else than what this version writes is refused with file and line.
 */
#include "sim/base/file.h"
#include "sim/base/hash.h"
#include "sim/explain/recording.h"
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"

#include <jansson.h>
#include <stdio.h>

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)fields)

/* What a trace that was edited, or is none at all, may cost. */
enum {
    TRACE_MAX = INT32_MAX,      /* bytes of a file */
    TOPIC_MAX = 10000,          /* partitions of one topic, as in a scenario */
    PARTITIONS_MAX = 100000,    /* of all topics of a run */
    SHARES_MAX = 1000000        /* groups times partitions: the views keep an owner and an offset of each */
};
#define TIME_MAX (INT64_MAX / 4)          /* ns, on either side of zero: differences fit */
#define OFFSET_MAX (INT64_C(1) << 53)     /* of records: the next one, and sums of many, fit */

typedef struct seen { /* a group, or a partition: its topic and its number */
    ks_string name;
    UT_hash_handle hh;
} seen;

typedef struct loader {
    ks_recording *recording;
    ks_arena *arena; /* of `groups` and `partitions` */
    seen *groups, *partitions;
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
    case KS_TYPE_struct: return false; /* no kind has such a field but in a list */
    }
    return false;
}

/* ---- how much there is ---- */

static void see(loader *l, seen **table, ks_string name) {
    seen *found, *head = *table;
    KS_HASH_FIND_STRING(hh, head, name, found);
    if (found != NULL) return;
    found = ks_arena_alloc(l->arena, sizeof *found);
    found->name = ks_arena_string(l->arena, name);
    KS_HASH_ADD_STRING(hh, head, name, found);
    *table = head;
}

static void see_partition(void *context, ks_string topic, int32_t partition) {
    loader *l = context;
    char name[300];
    size_t size = topic.size < 0 ? 0 : topic.size > 249 ? 249 : (size_t)topic.size;
    if (size > 0) memcpy(name, topic.data, size);
    memcpy(name + size, &partition, sizeof partition);
    if (HASH_COUNT(l->partitions) <= PARTITIONS_MAX) see(l, &l->partitions, (ks_string){ name, (int32_t)(size + sizeof partition) });
}

static bool see_range(loader *l, ks_string topic, int32_t from, int32_t to) {
    if (from < 0 || to < from || to > TOPIC_MAX) return fail(l, "a topic has at most 10000 partitions; was the file edited?", NULL);
    for (int32_t p = from; p < to; p++) see_partition(l, topic, p);
    return true;
}

/* Groups and partitions so far, within bounds. O(1) but for what an event names in one word: the partitions of a topic. */
static bool see_event(loader *l, const ks_struct *kind, const char *fields) {
    const ks_field *topic = NULL, *partition = NULL;
    for (uint32_t i = 0; i < kind->field_count; i++) {
        const ks_field *field = &kind->fields[i];
        if (field->type == KS_TYPE_string && strcmp(field->name, "Group") == 0) {
            const ks_string *group = (const ks_string *)(const void *)(fields + field->offset);
            if (group->size > 0) see(l, &l->groups, *group);
        } else if (field->type == KS_TYPE_string && strcmp(field->name, "Topic") == 0) topic = field;
        else if (field->type == KS_TYPE_int32 && strcmp(field->name, "Partition") == 0) partition = field;
    }
    for (int32_t p = 0; KIND(offsets_committed) && p < FIELDS(offsets_committed)->partitions.count; p++)
        see_partition(l, FIELDS(offsets_committed)->topic, FIELDS(offsets_committed)->partitions.items[p].partition);
    if (topic != NULL && partition != NULL)
        see_partition(l, *(const ks_string *)(const void *)(fields + topic->offset), *(const int32_t *)(const void *)(fields + partition->offset));
    if (KIND(topic_created) && !see_range(l, FIELDS(topic_created)->topic, 0, FIELDS(topic_created)->partitions)) return false;
    if (KIND(partitions_added) && !see_range(l, FIELDS(partitions_added)->topic, FIELDS(partitions_added)->from, FIELDS(partitions_added)->to)) return false;
    if (KIND(client_partitions_assigned)) ks_partitions_each(FIELDS(client_partitions_assigned)->partitions, see_partition, l);
    if (HASH_COUNT(l->partitions) > PARTITIONS_MAX) return fail(l, "a view shows at most 100000 partitions; here is one more", NULL);
    if ((uint64_t)HASH_COUNT(l->groups) * HASH_COUNT(l->partitions) > SHARES_MAX)
        return fail(l, "groups times partitions are more than the 1000000 that a view shows", NULL);
    return true;
}

/* ---- events ---- */

static bool in_reach(loader *l, const ks_struct *kind, const char *fields) {
    int64_t offset = KIND(records_appended) ? FIELDS(records_appended)->last_offset :
                     KIND(records_delivered) ? FIELDS(records_delivered)->last_offset :
                     KIND(log_start_advanced) ? FIELDS(log_start_advanced)->to : 0;
    int64_t first = KIND(records_appended) ? FIELDS(records_appended)->base_offset : KIND(records_delivered) ? FIELDS(records_delivered)->first_offset : 0;
    if (offset >= -1 && offset <= OFFSET_MAX && first >= -1 && first <= OFFSET_MAX) return true;
    return fail(l, "no log has such an offset; was the file edited?", NULL);
}

/* A file has all of a commit: only the ring cuts. */
static bool is_whole(loader *l, const ks_struct *kind, const char *fields) {
    if (KIND(offsets_committed) && FIELDS(offsets_committed)->count == FIELDS(offsets_committed)->partitions.count) return true;
    if (KIND(offset_commit_refused) && FIELDS(offset_commit_refused)->count == FIELDS(offset_commit_refused)->partitions.count) return true;
    if (!KIND(offsets_committed) && !KIND(offset_commit_refused)) return true;
    return fail(l, "a commit lists more or fewer partitions than it counts; was the file edited?", NULL);
}

static bool set_rest(const json_t *json, int32_t *out) {
    json_int_t n = json_integer_value(json); /* missing: 0, nothing was cut */
    *out = (int32_t)n;
    return json == NULL || (json_is_integer(json) && n >= 0 && n <= INT32_MAX);
}

static bool is_text(const json_t *json) { return json_is_string(json) || json_is_null(json); }

static bool load_records(loader *l, const json_t *list, ks_recorded *recorded) {
    size_t count = json_array_size(list);
    if (list != NULL && !json_is_array(list)) return fail(l, "the records are no array", NULL);
    if (count == 0) return true;
    ks_shown_record *records = ks_arena_alloc(l->recording->arena, count * sizeof *records);
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_array_get(list, i);
        const json_t *key = json_object_get(one, "key"), *value = json_object_get(one, "value");
        ks_string k = text_of(l, key), v = text_of(l, value);
        if (!json_is_object(one)) return fail(l, "a record is not an object", NULL);
        if (!is_text(key) || !is_text(value)) return fail(l, "the key or the value of a record is neither text nor null", NULL);
        records[i].key = (ks_bytes){ (const uint8_t *)k.data, k.size };
        records[i].value = (ks_bytes){ (const uint8_t *)v.data, v.size };
        if (!set_rest(json_object_get(one, "key_rest"), &records[i].key_rest) || !set_rest(json_object_get(one, "value_rest"), &records[i].value_rest))
            return fail(l, "the rest of a key or value is no count of bytes", NULL);
    }
    recorded->records = records;
    recorded->record_count = (int32_t)count;
    return true;
}

static const ks_field *field_of(const ks_struct *kind, const char *name) {
    for (uint32_t i = 0; i < kind->field_count; i++)
        if (strcmp(kind->fields[i].name, name) == 0) return &kind->fields[i];
    return NULL;
}

static bool load_fields(loader *l, const ks_struct *kind, json_t *values, char *fields);

static bool load_list(loader *l, const ks_field *field, const json_t *json, ks_any_array *list) {
    const ks_struct *type = field->sub();
    size_t count = json_array_size(json);
    if (!json_is_array(json)) return fail(l, "a field is no array", field->name);
    char *items = ks_arena_alloc(l->recording->arena, count * type->size);
    for (size_t i = 0; i < count; i++) {
        ks_struct_default(type, items + i * type->size);
        if (!load_fields(l, type, json_array_get(json, i), items + i * type->size)) return false;
    }
    *list = (ks_any_array){ items, (int32_t)count };
    return true;
}

static bool load_fields(loader *l, const ks_struct *kind, json_t *values, char *fields) {
    size_t known = 0;
    if (!json_is_object(values)) return fail(l, "this event, or a part of it, has no fields; was the file edited?", NULL);
    for (uint32_t i = 0; i < kind->field_count; i++) {
        const ks_field *field = &kind->fields[i];
        const json_t *value = json_object_get(values, field->name);
        if (value != NULL) known++;
        else if (field->type == KS_TYPE_uuid || field->type == KS_TYPE_records) continue; /* no view shows them */
        else return fail(l, "a field is missing; was the file edited?", field->name);
        if (field->array) {
            if (!load_list(l, field, value, (ks_any_array *)(void *)(fields + field->offset))) return false;
        } else if (!set_field(l, field, value, fields + field->offset)) return fail(l, "a field has the wrong type or is out of range", field->name);
    }
    if (known == json_object_size(values)) return true;
    const char *name;
    json_t *value;
    json_object_foreach(values, name, value)
        if (field_of(kind, name) == NULL) return fail(l, "this kind of event has no such field", name);
    return true;
}

static bool load_members(loader *l, json_t *json) {
    static const char *const members[] = { "id", "cause", "time", "node", "kind", "fields", "records", "message" };
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value) {
        size_t i = 0;
        while (i < sizeof members / sizeof *members && strcmp(members[i], name) != 0) i++;
        if (i == sizeof members / sizeof *members) return fail(l, "an event has no such member", name);
    }
    return true;
}

static bool load_event(loader *l, json_t *json) {
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
    if (recorded.time < -TIME_MAX || recorded.time > TIME_MAX) return fail(l, "time is out of range; was the file edited?", NULL);
    if (!json_is_string(json_object_get(json, "node"))) return fail(l, "node is missing or no text; was the file edited?", NULL);
    recorded.node = text_of(l, json_object_get(json, "node"));
    char *fields = ks_arena_alloc(r->arena, recorded.kind->size);
    ks_struct_default(recorded.kind, fields);
    recorded.fields = fields;
    if (!load_members(l, json) || !load_fields(l, recorded.kind, json_object_get(json, "fields"), fields)) return false;
    if (!in_reach(l, recorded.kind, fields) || !is_whole(l, recorded.kind, fields) || !see_event(l, recorded.kind, fields)) return false;
    if (!load_records(l, json_object_get(json, "records"), &recorded)) return false;
    KS_PUSH(l->recording->events, recorded);
    return true;
}

static bool load_head(loader *l, const json_t *json) {
    const char *format = json_string_value(json_object_get(json, "format"));
    if (format == NULL || strcmp(format, "kafkasim-trace") != 0)
        return fail(l, "this is neither a trace (its first line would say \"format\":\"kafkasim-trace\") nor a scenario (*.ksim)", NULL);
    json_int_t version = json_integer_value(json_object_get(json, "version"));
    if (version != KS_TRACE_VERSION) {
        char text[64];
        snprintf(text, sizeof text, "%lld", (long long)version);
        return fail(l, version > 0 && version < KS_TRACE_VERSION
                           ? "this trace was written by an older kafkasim: write it again with this one, which does not read version"
                           : "this program does not read traces of version", text);
    }
    const json_t *seed = json_object_get(json, "seed"), *start = json_object_get(json, "start"), *scenario = json_object_get(json, "scenario");
    if (seed != NULL && !json_is_integer(seed) && !json_is_string(seed)) return fail(l, "seed is no number", NULL);
    if (scenario != NULL && !is_text(scenario)) return fail(l, "scenario is no text", NULL);
    json_int_t ns = json_integer_value(start);
    if (start != NULL && (!json_is_integer(start) || ns < -TIME_MAX || ns > TIME_MAX)) return fail(l, "start is no time, or out of range", NULL);
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
    loader l = { .recording = ks_recording_new(), .arena = ks_arena_new(), .name = name, .problem = problem, .problem_size = problem_size };
    bool fine = size > TRACE_MAX ? fail(&l, "a trace has at most 2 GiB", NULL) : load(&l, text, size);
    HASH_CLEAR(hh, l.groups);
    HASH_CLEAR(hh, l.partitions);
    ks_arena_free(l.arena);
    if (fine) return l.recording;
    ks_recording_free(l.recording);
    return NULL;
}

ks_recording *ks_recording_load(const char *path, char *problem, size_t problem_size) {
    ks_buffer text = { 0 };
    ks_recording *recording = NULL;
    const char *wrong = ks_file_read(path, TRACE_MAX, true, &text);
    if (wrong != NULL) snprintf(problem, problem_size, "%s: %s", path, wrong);
    else recording = ks_recording_parse((const char *)text.data, text.size, path, problem, problem_size);
    ks_buffer_deinit(&text);
    return recording;
}
