/* SPDX-License-Identifier: Apache-2.0
 * Shared by codec.c, decode.c and encode.c. */
#ifndef KS_CODEC_INTERNAL_H
#define KS_CODEC_INTERNAL_H

#include "sim/protocol/codec.h"

static inline bool ks_field_in(const ks_field *field, int16_t version) {
    return field->since <= version && version <= field->until;
}
static inline bool ks_field_tagged(const ks_field *field, int16_t version) {
    return field->tagged_since != KS_NEVER && version >= field->tagged_since;
}
static inline bool ks_field_nullable(const ks_field *field, int16_t version) {
    return field->nullable_since != KS_NEVER && field->nullable_since <= version && version <= field->nullable_until;
}
int32_t ks_element_min_size(const ks_field *array, int16_t version, bool flexible);

#endif
