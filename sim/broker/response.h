/* SPDX-License-Identifier: Apache-2.0
 * Filling responses: arrays with default values in the response's own memory. What a response points to must live there
 * (or be static): topics may be gone when it arrives. */
#ifndef KS_RESPONSE_H
#define KS_RESPONSE_H

#include "sim/broker/broker.h"

static inline void *ks_response_items(ks_envelope *response, int32_t count, const ks_struct *type) {
    if (count == 0) return NULL;
    uint8_t *items = ks_arena_alloc(response->arena, (size_t)count * type->size);
    ks_struct_default(type, items);
    for (int32_t i = 1; i < count; i++) memcpy(items + (size_t)i * type->size, items, type->size);
    return items;
}

/* KS_RESPONSE_ARRAY(response, body->topics, 3, metadata_response_topic): three of them, defaults set. */
#define KS_RESPONSE_ARRAY(response, array, count_, name)                                                               \
    ((array).items = ks_response_items((response), (count_), ks_describe_##name()), (array).count = (count_))

/* A list of ids, copied. */
#define KS_RESPONSE_IDS(response, list, ids, count_)                                                                   \
    ((list).items = ks_response_ids((response), (ids), (count_)), (list).count = (count_))
static inline int32_t *ks_response_ids(ks_envelope *response, const int32_t *ids, int32_t count) {
    if (count == 0) return NULL;
    int32_t *items = ks_arena_alloc(response->arena, (size_t)count * sizeof *items);
    return memcpy(items, ids, (size_t)count * sizeof *items);
}

/* A sentence for an error message field; what the buffer held is copied and the buffer emptied. Null when it is empty.
 */
static inline ks_string ks_response_sentence(ks_envelope *response, ks_buffer *why) {
    ks_string text = why->size > 0
                         ? ks_arena_string(response->arena, (ks_string){ (const char *)why->data, (int32_t)why->size })
                         : KS_NULL_STRING;
    ks_buffer_clear(why);
    return text;
}

#endif
