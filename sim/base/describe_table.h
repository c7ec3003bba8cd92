/* SPDX-License-Identifier: Apache-2.0
 * Second reading of a .def file (see describe.h): makes the tables. Include it, then the .def, then describe_end.h. */
#include "sim/base/describe.h"

#define KS_FIELD_COMMON(c_name_, kafka_name_, since_, until_)                                                          \
    .name = #kafka_name_, .c_name = #c_name_, .since = since_, .until = until_, .nullable_since = KS_NEVER,            \
    .nullable_until = KS_VERSION_MAX, .tagged_since = KS_NEVER, .offset = offsetof(self, c_name_)

/* A .def may state .nullable_since and the like again: the later initialiser wins, which is what is meant. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#endif

#define STRUCT(name_)                                                                                                  \
    const ks_struct *ks_describe_##name_(void) {                                                                       \
        typedef ks_##name_ self;                                                                                       \
        static const char struct_name[] = #name_;                                                                      \
        static const ks_field fields[] = {
#define FIELD(type_, c_name_, kafka_name_, since_, until_, ...)                                                        \
    { KS_FIELD_COMMON(c_name_, kafka_name_, since_, until_), .type = KS_TYPE_##type_, __VA_ARGS__ },
#define LIST(type_, c_name_, kafka_name_, since_, until_, ...)                                                         \
    { KS_FIELD_COMMON(c_name_, kafka_name_, since_, until_), .type = KS_TYPE_##type_, .array = true, __VA_ARGS__ },
#define NESTED(name_, c_name_, kafka_name_, since_, until_, ...)                                                       \
    { KS_FIELD_COMMON(c_name_, kafka_name_, since_, until_), .type = KS_TYPE_struct, .sub = ks_describe_##name_,       \
      __VA_ARGS__ },
#define NESTED_PTR(name_, c_name_, kafka_name_, since_, until_, ...)                                                   \
    { KS_FIELD_COMMON(c_name_, kafka_name_, since_, until_), .type = KS_TYPE_struct, .pointer = true,                  \
      .sub = ks_describe_##name_, __VA_ARGS__ },
#define ARRAY(name_, c_name_, kafka_name_, since_, until_, ...)                                                        \
    { KS_FIELD_COMMON(c_name_, kafka_name_, since_, until_), .type = KS_TYPE_struct, .array = true,                    \
      .sub = ks_describe_##name_, __VA_ARGS__ },
#define END                                                                                                            \
    { .name = NULL } /* so that a struct without fields is legal too */                                                \
    }                                                                                                                  \
    ;                                                                                                                  \
    static const ks_struct table = { struct_name, sizeof(self), sizeof fields / sizeof *fields - 1, fields };          \
    return &table;                                                                                                     \
    }
