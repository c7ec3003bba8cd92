/* SPDX-License-Identifier: Apache-2.0
 * Envelopes: a pool of them, each at the beginning of its arena, so that steady traffic allocates nothing. An arena that a
 * large message made grow is cut back: thousands of envelopes wait in parked fetches, and should lie close together. */
#include "sim/kernel/internal.h"

/* A body of defaults; its description is interpreted only once. A cache: APIs that share a place change only speed. */
static void *body_new(ks_kernel *kernel, int16_t api_key, const ks_struct *type, ks_arena *arena) {
    ks_body_defaults *known = kernel->defaults[(uint16_t)api_key % KS_BODY_DEFAULTS]; /* a request and a response */
    if (known->type != NULL && known->type != type) known++;
    if (known->type == NULL) {
        known->body = ks_alloc(type->size);
        ks_struct_default(type, known->body);
        known->type = type;
    }
    if (known->type == type) return ks_arena_copy(arena, known->body, type->size);
    void *body = ks_arena_alloc(arena, type->size);
    ks_struct_default(type, body);
    return body;
}

void ks_envelope_defaults_free(ks_kernel *kernel) {
    for (int32_t i = 0; i < KS_BODY_DEFAULTS; i++) {
        ks_free(kernel->defaults[i][0].body);
        ks_free(kernel->defaults[i][1].body);
    }
}

/* The next one of the pool has long been idle: its memory is asked for before it is needed. */
static void fetch_ahead(const ks_envelope *next) {
    enum { LINES = 6 };
    for (int32_t i = 0; i < LINES; i++) __builtin_prefetch((const char *)next + i * KS_LINE, 1);
}

ks_envelope *ks_envelope_new(ks_kernel *kernel, int16_t api_key, int16_t api_version, const ks_struct *type) {
    ks_arena *arena;
    if (kernel->free_envelopes != NULL) {
        arena = kernel->free_envelopes->arena;
        kernel->free_envelopes = kernel->free_envelopes->next;
        fetch_ahead(kernel->free_envelopes);
    } else {
        arena = ks_arena_new();
    }
    ks_envelope *envelope = ks_arena_alloc(arena, sizeof *envelope);
    *envelope = (ks_envelope){
        .api_key = api_key, .api_version = api_version, .client_id = KS_NULL_STRING, .type = type, .arena = arena
    };
    envelope->body = body_new(kernel, api_key, type, arena);
    return envelope;
}

void ks_envelope_free(ks_kernel *kernel, ks_envelope *envelope) {
    if (envelope == NULL) return;
    for (ks_block_ref *ref = envelope->blocks; ref != NULL; ref = ref->next) ks_block_release(ref->block);
    if (!KS_POOLING) {
        ks_arena_free(envelope->arena);
        return;
    }
    ks_arena_reset_small(envelope->arena);
    envelope->next = kernel->free_envelopes;
    kernel->free_envelopes = envelope;
}

void ks_envelope_hold(ks_envelope *envelope, ks_block *block) {
    ks_block_ref *ref = ks_arena_alloc(envelope->arena, sizeof *ref);
    *ref = (ks_block_ref){ .next = envelope->blocks, .block = ks_block_hold(block) };
    envelope->blocks = ref;
}
