/* SPDX-License-Identifier: Apache-2.0
 *
 * A request as a rule's function sees it: fields by Kafka's names and paths, "TopicData[0].PartitionData[1].Index".
 */
#include "sim/control/rules.h"

#include <stdlib.h>

typedef struct place {
    const ks_field *field; /* NULL: not found */
    const char *at;
    bool element; /* one of its array */
} place;

/* One step of a path: a name, and maybe an index. Returns what follows it; NULL: it is not of that form. */
static const char *next_name(const char *path, char *name, size_t size, int64_t *index) {
    size_t length = strcspn(path, "[.");
    if (length == 0 || length >= size) return NULL;
    memcpy(name, path, length);
    name[length] = 0;
    path += length;
    *index = -1;
    if (*path == '[') {
        char *end;
        *index = strtoll(path + 1, &end, 10);
        if (end == path + 1 || *end != ']' || *index < 0) return NULL;
        path = end + 1;
    }
    return *path == '.' ? path + 1 : *path == 0 ? path : NULL;
}

static size_t element_size(const ks_field *field) {
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
    return field->type == KS_TYPE_struct ? field->sub()->size : sizes[field->type];
}

static place find(const ks_struct *type, const void *value, const char *path) {
    place found = { 0 };
    char name[64];
    int64_t index;
    for (const char *at = value; type;) {
        path = next_name(path, name, sizeof name, &index);
        const ks_field *field = path ? ks_struct_field(type, name) : NULL;
        if (field == NULL || (index >= 0 && !field->array)) return (place){ 0 };
        found = (place){ field, at + field->offset, false };
        if (index >= 0) {
            const ks_any_array *array = (const void *)found.at;
            if (index >= array->count) return (place){ 0 };
            found.at = (const char *)array->items + (size_t)index * element_size(field);
            found.element = true;
        }
        if (*path == 0) return found;
        if (field->type != KS_TYPE_struct || (field->array && index < 0)) return (place){ 0 };
        at = field->pointer && !found.element ? *(const char *const *)(const void *)found.at : found.at;
        type = at ? field->sub() : NULL;
    }
    return (place){ 0 };
}

/* Shared with events: a number or bool of a described struct. */
bool ks_control_get_int(const ks_struct *type, const void *value, const char *path, int64_t *out) {
    place found = path ? find(type, value, path) : (place){ 0 };
    if (found.field == NULL || (found.field->array && !found.element)) return false;
    const void *at = found.at;
    switch (found.field->type) {
    case KS_TYPE_bool: *out = *(const bool *)at; return true;
    case KS_TYPE_int8: *out = *(const int8_t *)at; return true;
    case KS_TYPE_int16: *out = *(const int16_t *)at; return true;
    case KS_TYPE_int32: *out = *(const int32_t *)at; return true;
    case KS_TYPE_int64: *out = *(const int64_t *)at; return true;
    case KS_TYPE_uint16: *out = *(const uint16_t *)at; return true;
    case KS_TYPE_uint32: *out = *(const uint32_t *)at; return true;
    case KS_TYPE_float64:
    case KS_TYPE_string:
    case KS_TYPE_bytes:
    case KS_TYPE_records:
    case KS_TYPE_uuid:
    case KS_TYPE_struct: break;
    }
    return false;
}

bool ks_control_get_bytes(const ks_struct *type, const void *value, const char *path, kafka_bytes *out) {
    place found = path ? find(type, value, path) : (place){ 0 };
    if (found.field == NULL || (found.field->array && !found.element)) return false;
    if (found.field->type == KS_TYPE_string) {
        const ks_string *text = (const void *)found.at;
        *out = (kafka_bytes){ text->size < 0 ? NULL
                              : text->data   ? text->data
                                             : "",
                              text->size < 0 ? 0 : (size_t)text->size };
    } else if (found.field->type == KS_TYPE_bytes || found.field->type == KS_TYPE_records) {
        const ks_bytes *bytes = (const void *)found.at;
        *out = (kafka_bytes){ bytes->size < 0 ? NULL
                              : bytes->data   ? (const void *)bytes->data
                                              : "",
                              bytes->size < 0 ? 0 : (size_t)bytes->size };
    } else if (found.field->type == KS_TYPE_uuid) {
        *out = (kafka_bytes){ found.at, sizeof(ks_uuid) };
    } else {
        return false;
    }
    return true;
}

const char *ksim_request_api(const ksim_request *request) {
    return request ? ks_api_name(request->envelope->api_key) : "";
}
int16_t ksim_request_version(const ksim_request *request) { return request ? request->envelope->api_version : -1; }

const char *ksim_request_client(const ksim_request *request) {
    return request ? ks_node_name(ks_connection_client(request->connection)) : "";
}

int32_t ksim_request_broker(const ksim_request *request) {
    return request ? ((const ks_broker *)ks_node_owner(ks_connection_server(request->connection)))->id : 0;
}

kafka_time ksim_request_time(const ksim_request *request) { return request ? ks_now(request->sim->kernel) : 0; }

bool ksim_request_int(const ksim_request *request, const char *field, int64_t *value) {
    return request && value && ks_control_get_int(request->envelope->type, request->envelope->body, field, value);
}

bool ksim_request_bytes(const ksim_request *request, const char *field, kafka_bytes *value) {
    return request && value && ks_control_get_bytes(request->envelope->type, request->envelope->body, field, value);
}

bool ksim_request_count(const ksim_request *request, const char *field, size_t *count) {
    if (request == NULL || field == NULL || count == NULL) return false;
    place found = find(request->envelope->type, request->envelope->body, field);
    if (found.field == NULL || !found.field->array || found.element) return false;
    const ks_any_array *array = (const void *)found.at;
    *count = array->count > 0 ? (size_t)array->count : 0;
    return true;
}

const char *ksim_request_json(const ksim_request *request) {
    if (request == NULL) return "";
    ks_buffer text = { 0 };
    ks_struct_json(request->envelope->type, request->envelope->body, 0, &text);
    return ks_sim_view_text(request->sim, &text);
}
