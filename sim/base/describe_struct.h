/* SPDX-License-Identifier: Apache-2.0
 * First reading of a .def file (see describe.h): makes C structs. Include it, then the .def, then describe_end.h. */
#include "sim/base/describe.h"

#define KS_C_bool bool
#define KS_C_int8 int8_t
#define KS_C_int16 int16_t
#define KS_C_int32 int32_t
#define KS_C_int64 int64_t
#define KS_C_uint16 uint16_t
#define KS_C_uint32 uint32_t
#define KS_C_float64 double
#define KS_C_string ks_string
#define KS_C_bytes ks_bytes
#define KS_C_records ks_bytes
#define KS_C_uuid ks_uuid

#define STRUCT(name)                                                                                                   \
    const ks_struct *ks_describe_##name(void);                                                                         \
    typedef struct ks_##name ks_##name;                                                                                \
    struct ks_##name {
#define FIELD(type, c_name, kafka_name, since, until, ...) KS_C_##type c_name;
#define LIST(type, c_name, kafka_name, since, until, ...)                                                              \
    struct {                                                                                                           \
        KS_C_##type *items;                                                                                            \
        int32_t count;                                                                                                 \
    } c_name;
#define NESTED(name, c_name, kafka_name, since, until, ...) ks_##name c_name;
#define NESTED_PTR(name, c_name, kafka_name, since, until, ...) ks_##name *c_name;
#define ARRAY(name, c_name, kafka_name, since, until, ...)                                                             \
    struct {                                                                                                           \
        ks_##name *items;                                                                                              \
        int32_t count;                                                                                                 \
    } c_name;
#define END                                                                                                            \
    }                                                                                                                  \
    ;
