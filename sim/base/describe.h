/* SPDX-License-Identifier: Apache-2.0
 *
 * Describing a struct by a table, so that one interpreter prints, compares, copies, encodes and decodes all of them.
 * Kafka's messages (sim/protocol/messages) and the kinds of trace events are both written as lists of the macro calls
 * below in `.def` files. Such a file is included twice: describe_struct.h turns it into C structs, describe_table.h into
 * functions `const ks_struct *ks_describe_NAME(void)`. The .def order is leaves first.
 *
 *   STRUCT(name)                                         opens struct ks_NAME
 *   FIELD(type, c_name, KafkaName, since, until, ...)    type: bool int8 int16 int32 int64 uint16 uint32 float64 string
 *                                                        bytes records uuid
 *   LIST(type, c_name, KafkaName, since, until, ...)     array of a primitive: struct { T *items; int32_t count; }
 *   NESTED(name, c_name, KafkaName, since, until, ...)   embedded struct ks_NAME; nullable ones are pointers: NESTED_PTR
 *   ARRAY(name, c_name, KafkaName, since, until, ...)    struct { struct ks_NAME *items; int32_t count; }, count -1 null
 *   END                                                  closes it
 * `...` are designated initialisers of ks_field: .nullable_since, .tag, .tagged_since, .fallback, .ignorable, .map_key, .lasting.
 */
#ifndef KS_DESCRIBE_H
#define KS_DESCRIBE_H

#include "sim/base/base.h"

typedef enum ks_type {
    KS_TYPE_bool,
    KS_TYPE_int8,
    KS_TYPE_int16,
    KS_TYPE_int32,
    KS_TYPE_int64,
    KS_TYPE_uint16,
    KS_TYPE_uint32,
    KS_TYPE_float64,
    KS_TYPE_string,
    KS_TYPE_bytes,
    KS_TYPE_records, /* like bytes; holds record batches */
    KS_TYPE_uuid,
    KS_TYPE_struct, /* embedded, or (pointer true) a pointer that may be NULL */
} ks_type;

#define KS_VERSION_MAX INT16_MAX
#define KS_NEVER (-1) /* nullable_since, tagged_since: in no version */

typedef struct ks_struct ks_struct;

typedef struct ks_field {
    const char *name;  /* Kafka's name: GroupId */
    const char *c_name; /* group_id */
    ks_type type;      /* of the element for arrays */
    bool array, pointer, ignorable, map_key;
    int16_t since, until;     /* versions that carry it, inclusive */
    int16_t nullable_since;   /* KS_NEVER: never */
    int16_t nullable_until;
    int16_t tagged_since;     /* KS_NEVER: not a tagged field */
    int16_t tag;
    uint32_t offset; /* in the struct */
    int64_t fallback; /* default of numbers and bools (0 unless stated) */
    bool fallback_null; /* default of strings, bytes, structs, arrays is null */
    bool lasting;    /* of events: a text that lives as long as the kernel, so that copies may share it */
    const ks_struct *(*sub)(void);
} ks_field;

struct ks_struct {
    const char *name; /* join_group_request */
    uint32_t size, field_count;
    const ks_field *fields;
};

typedef struct { void *items; int32_t count; } ks_any_array; /* the shape of every array member */

/* Sets every field to its default. Memory must be zeroed or garbage of the right size; nothing is freed. */
void ks_struct_default(const ks_struct *type, void *value);
/* Deep copy; everything new lives in `arena`. `records` and `bytes` are copied too unless `share_bytes`. */
void ks_struct_copy(const ks_struct *type, void *to, const void *from, ks_arena *arena, bool share_bytes);
bool ks_struct_equal(const ks_struct *type, const void *a, const void *b);
const ks_field *ks_struct_field(const ks_struct *type, const char *kafka_or_c_name); /* NULL when there is none */
/* One JSON object on one line with Kafka's names, in declared order; bytes as hex, cut at `bytes_max` (0: whole). */
void ks_struct_json(const ks_struct *type, const void *value, size_t bytes_max, ks_buffer *out);
/* Only the fields that this version carries; KS_NEVER: all. */
void ks_struct_json_at(const ks_struct *type, const void *value, int16_t version, size_t bytes_max, ks_buffer *out);
/* Compact text for people: {group_id=billing members=[...]}; strings are escaped, bytes only counted. */
void ks_struct_print(const ks_struct *type, const void *value, ks_buffer *out);

/* ---- the same for single fields; `value` is the struct that has the field ---- */

void ks_field_default(const ks_field *field, void *value);
bool ks_field_is_default(const ks_field *field, const void *value); /* nested structs: all of it */
size_t ks_field_element_size(const ks_field *field); /* of one element of an array, or of a field that is none */
/* Compares only what `version` carries, at every depth; -1: everything. */
bool ks_field_equal_at(const ks_field *field, const void *a, const void *b, int32_t version);
bool ks_struct_equal_at(const ks_struct *type, const void *a, const void *b, int32_t version);
bool ks_field_is_number(const ks_field *field);        /* a single bool, int8 ... uint32 */
int64_t ks_number_get(ks_type type, const void *at);   /* `at` points to a number of that type; not float64 */
static inline int64_t ks_field_number(const ks_field *field, const void *value) {
    return ks_number_get(field->type, (const char *)value + field->offset);
}
void ks_field_json(const ks_field *field, const void *value, size_t bytes_max, ks_buffer *out);
void ks_field_print(const ks_field *field, const void *value, ks_buffer *out);

/* ---- JSON's leaves ---- */

void ks_json_string(ks_string text, ks_buffer *out); /* quoted and escaped, always valid; null gives null */
void ks_json_hex(ks_bytes bytes, size_t max, ks_buffer *out); /* quoted hex, cut at `max` bytes (0: whole); null gives null */

#endif
