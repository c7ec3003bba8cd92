/* SPDX-License-Identifier: Apache-2.0
 *
 * Answering any request with a chosen error, put where Kafka puts it for that API and version (each request's
 * getErrorResponse in Kafka). Driven by the descriptions: request and response are walked together, arrays are paired,
 * and the fields that name an entry (topic, partition, group ...) are copied over. What the descriptions cannot tell is
 * in two small tables.
 */
#include "sim/protocol/messages.h"
#include "sim/protocol/summary.h"

#include <kafkasim/error.h>

/* Some errors belong deeper than the first place that could carry them. */
static const struct {
    int16_t api_key;
    int16_t code;      /* 0: every other code */
    int16_t min_depth; /* 0: the response itself, 1: entries of its arrays ... */
} places[] = {
    { KS_API_fetch, KAFKA_ERR_FETCH_SESSION_ID_NOT_FOUND, 0 },
    { KS_API_fetch, KAFKA_ERR_INVALID_FETCH_SESSION_EPOCH, 0 },
    { KS_API_fetch, KAFKA_ERR_FETCH_SESSION_TOPIC_ID_ERROR, 0 },
    { KS_API_fetch, 0, 1 },    /* only a session's errors stand at the top */
    { KS_API_metadata, 0, 1 }, /* a topic's; v13's top-level field is for none of them */
    { KS_API_leave_group, KAFKA_ERR_UNKNOWN_MEMBER_ID, 1 },
    { KS_API_leave_group, KAFKA_ERR_FENCED_INSTANCE_ID, 1 },
    { KS_API_offset_fetch, KAFKA_ERR_UNSTABLE_OFFSET_COMMIT, 2 },
    { KS_API_offset_fetch, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION, 2 },
    { KS_API_offset_fetch, KAFKA_ERR_TOPIC_AUTHORIZATION_FAILED, 2 },
    { KS_API_offset_fetch, KAFKA_ERR_UNKNOWN_TOPIC_ID, 2 },
    { KS_API_offset_delete, KAFKA_ERR_GROUP_SUBSCRIBED_TO_TOPIC, 1 },
    { KS_API_offset_delete, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION, 1 },
    { KS_API_offset_delete, KAFKA_ERR_TOPIC_AUTHORIZATION_FAILED, 1 },
};

/* Values that Kafka sends with an error and that are not the field's default. */
static const struct {
    const char *c_name;
    int64_t value;
} values_beside_an_error[] = {
    { "base_offset", -1 }, { "high_watermark", -1 }, { "committed_offset", -1 }, { "low_watermark", -1 },
    { "node_id", -1 },     { "port", -1 },           { "producer_id", -1 },      { "producer_epoch", -1 },
};

/* Fields by which an entry of the answer names what it answers. */
static const char *const keys[] = { "name",     "topic",     "topic_id",          "index",         "partition_index",
                                    "group_id", "member_id", "group_instance_id", "resource_name", "resource_type" };

static bool is_in(const ks_field *field, int16_t version) { return field->since <= version && version <= field->until; }

static bool is_error(const ks_field *field) {
    return strcmp(field->c_name, "error_code") == 0 || strcmp(field->c_name, "partition_error_code") == 0;
}

static const ks_field *error_field(const ks_struct *type, int16_t version) {
    for (uint32_t i = 0; i < type->field_count; i++)
        if (is_in(&type->fields[i], version) && is_error(&type->fields[i])) return &type->fields[i];
    return NULL;
}

static const ks_field *first_array(const ks_struct *type, int16_t version) {
    for (uint32_t i = 0; i < type->field_count; i++)
        if (is_in(&type->fields[i], version) && type->fields[i].array) return &type->fields[i];
    return NULL;
}

/* How far below `type` errors can stand at the least, but not above `min_depth`; -1: nowhere. */
static int32_t depth_of_error(const ks_struct *type, int16_t version, int32_t min_depth);

static const ks_field *array_with_errors(const ks_struct *type, int16_t version, int32_t min_depth, int32_t *depth) {
    for (uint32_t i = 0; i < type->field_count; i++) {
        const ks_field *field = &type->fields[i];
        if (!field->array || field->type != KS_TYPE_struct || !is_in(field, version)) continue;
        *depth = depth_of_error(field->sub(), version, min_depth - 1);
        if (*depth >= 0) return field;
    }
    return NULL;
}

static int32_t depth_of_error(const ks_struct *type, int16_t version, int32_t min_depth) {
    if (min_depth <= 0 && error_field(type, version) != NULL) return 0;
    int32_t depth;
    return array_with_errors(type, version, min_depth, &depth) != NULL ? depth + 1 : -1;
}

static void set_number(const ks_field *field, void *value, int64_t number) {
    void *at = (char *)value + field->offset;
    switch (field->type) {
    case KS_TYPE_int16: *(int16_t *)at = (int16_t)number; break;
    case KS_TYPE_int32: *(int32_t *)at = (int32_t)number; break;
    case KS_TYPE_int64: *(int64_t *)at = number; break;
    case KS_TYPE_bool:
    case KS_TYPE_int8:
    case KS_TYPE_uint16:
    case KS_TYPE_uint32:
    case KS_TYPE_float64:
    case KS_TYPE_string:
    case KS_TYPE_bytes:
    case KS_TYPE_records:
    case KS_TYPE_uuid:
    case KS_TYPE_struct: ks_unreachable("an error's companion of another type");
    }
}

static void place(const ks_struct *type, void *value, int16_t version, int16_t code) {
    set_number(error_field(type, version), value, code);
    for (size_t i = 0; i < sizeof values_beside_an_error / sizeof *values_beside_an_error; i++) {
        const ks_field *field = ks_struct_field(type, values_beside_an_error[i].c_name);
        if (field != NULL && is_in(field, version)) set_number(field, value, values_beside_an_error[i].value);
    }
}

/* ---- naming the entries ---- */

static const ks_field *same_key(const ks_struct *type, const char *key, int16_t version) {
    const ks_field *field = ks_struct_field(type, key);
    if (field == NULL && strcmp(key, "partition_index") == 0) field = ks_struct_field(type, "partition"); /* Fetch */
    if (field == NULL && strcmp(key, "topic") == 0) field = ks_struct_field(type, "name");
    return field != NULL && is_in(field, version) && !field->array ? field : NULL;
}

static void copy_field(const ks_field *to_field, void *to, const ks_field *from_field, const void *from,
                       ks_arena *arena) {
    void *at = (char *)to + to_field->offset;
    const void *source = (const char *)from + from_field->offset;
    if (to_field->type == KS_TYPE_string)
        *(ks_string *)at = ks_arena_string(arena, *(const ks_string *)source);
    else
        memcpy(at, source, ks_field_element_size(to_field));
}

static void copy_keys(const ks_struct *to_type, void *to, const ks_struct *from_type, const void *from, int16_t version,
                      ks_arena *arena) {
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const ks_field *to_field = ks_struct_field(to_type, keys[i]);
        if (to_field == NULL || !is_in(to_field, version)) continue;
        const ks_field *from_field = same_key(from_type, keys[i], version);
        if (from_field != NULL && from_field->type == to_field->type) copy_field(to_field, to, from_field, from, arena);
    }
}

/* The request names entries by a plain list of names or numbers: the first field of that type takes them. */
static void copy_list_item(const ks_struct *to_type, void *to, const ks_field *list, const void *item, int16_t version,
                           ks_arena *arena) {
    for (uint32_t i = 0; i < to_type->field_count; i++) {
        const ks_field *field = &to_type->fields[i];
        if (field->type != list->type || field->array || !is_in(field, version)) continue;
        if (strcmp(field->c_name, "error_message") == 0) continue;
        void *at = (char *)to + field->offset;
        if (field->type == KS_TYPE_string)
            *(ks_string *)at = ks_arena_string(arena, *(const ks_string *)item);
        else
            memcpy(at, item, ks_field_element_size(field));
        return;
    }
}

/* ---- request and response, walked together ---- */

static bool fill(const ks_struct *to_type, void *to, const ks_struct *from_type, const void *from, int16_t version,
                 int32_t min_depth, int16_t code, ks_arena *arena) {
    if (min_depth <= 0 && error_field(to_type, version) != NULL) {
        place(to_type, to, version, code);
        return true;
    }
    int32_t depth;
    const ks_field *entries = array_with_errors(to_type, version, min_depth, &depth);
    const ks_field *asked = first_array(from_type, version);
    if (entries == NULL || asked == NULL) return false;

    const ks_any_array *in = (const void *)((const char *)from + asked->offset);
    ks_any_array *out = (void *)((char *)to + entries->offset);
    const ks_struct *entry_type = entries->sub();
    if (in->count <= 0) return false;
    out->count = in->count;
    out->items = ks_arena_alloc(arena, entry_type->size * (size_t)in->count);
    bool placed = false;
    for (int32_t i = 0; i < in->count; i++) {
        void *entry = (char *)out->items + entry_type->size * (size_t)i;
        const void *item = (const char *)in->items + ks_field_element_size(asked) * (size_t)i;
        ks_struct_default(entry_type, entry);
        if (asked->type != KS_TYPE_struct) {
            copy_list_item(entry_type, entry, asked, item, version, arena);
            if (depth == 0) place(entry_type, entry, version, code);
            placed = placed || depth == 0;
            continue;
        }
        copy_keys(entry_type, entry, asked->sub(), item, version, arena);
        placed |= fill(entry_type, entry, asked->sub(), item, version, min_depth - 1, code, arena);
    }
    return placed;
}

static int32_t min_depth_for(int16_t api_key, int16_t code) {
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i].api_key == api_key && (places[i].code == code || places[i].code == 0)) return places[i].min_depth;
    return 0;
}

bool ks_message_set_error(const ks_envelope *request, ks_envelope *response, int16_t code) {
    ks_assert(request->api_key == response->api_key && request->api_version == response->api_version);
    int16_t version = request->api_version;
    ks_struct_default(response->type, response->body);
    int32_t min_depth = min_depth_for(request->api_key, code);
    if (depth_of_error(response->type, version, min_depth) < 0) min_depth = 0; /* this version has no deeper place */
    bool placed =
        fill(response->type, response->body, request->type, request->body, version, min_depth, code, response->arena);
    if (!placed && min_depth > 0 && error_field(response->type, version) != NULL) { /* it names nothing: the top then */
        ks_struct_default(response->type, response->body);
        place(response->type, response->body, version, code);
        placed = true;
    }
    if (request->api_key == KS_API_join_group) { /* the one answer that repeats the member id at the top */
        const ks_join_group_request *join = request->body;
        ((ks_join_group_response *)response->body)->member_id = ks_arena_string(response->arena, join->member_id);
    }
    return placed;
}

/* ---- an answer as it is, with other errors ---- */

static bool replace(const ks_struct *type, void *value, int16_t version, int32_t min_depth, int16_t code) {
    const ks_field *error = min_depth <= 0 ? error_field(type, version) : NULL;
    if (error != NULL) {
        place(type, value, version, code);
        const ks_field *records = ks_struct_field(type, "records");
        if (records != NULL) ks_field_default(records, value);
        return true;
    }
    int32_t depth;
    const ks_field *entries = array_with_errors(type, version, min_depth, &depth);
    if (entries == NULL) return false;
    const ks_any_array *array = (const void *)((const char *)value + entries->offset);
    size_t size = ks_field_element_size(entries);
    bool placed = false;
    for (int32_t i = 0; i < array->count; i++)
        placed |= replace(entries->sub(), (char *)array->items + size * (size_t)i, version, min_depth - 1, code);
    return placed;
}

bool ks_message_replace_error(const ks_envelope *from, ks_envelope *to, int16_t code) {
    ks_assert(from->type == to->type && from->api_version == to->api_version);
    ks_struct_copy(from->type, to->body, from->body, to->arena, false);
    return replace(to->type, to->body, from->api_version, min_depth_for(from->api_key, code), code);
}
