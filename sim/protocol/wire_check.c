/* SPDX-License-Identifier: Apache-2.0
 *
 * KSIM_WIRE_CHECK=1: every message that is sent in memory also goes through the codec, so that the whole test suite
 * tests the codec, and no code can rely on a field that the wire would not have carried.
 */
#include "sim/protocol/frame.h"

static _Noreturn void complain(const ks_envelope *envelope, const char *what, const ks_field *field) {
    char text[256];
    ks_buffer line = { 0 };
    ks_buffer_printf(&line, "wire check: %s %s v%d: %s%s%s", ks_api_name(envelope->api_key),
                     envelope->is_response ? "response" : "request", envelope->api_version, what, field ? ": " : "",
                     field ? field->name : "");
    size_t size = line.size < sizeof text - 1 ? line.size : sizeof text - 1;
    memcpy(text, line.data, size);
    text[size] = '\0';
    ks_buffer_deinit(&line);
    ks_assertion_failed(__FILE__, __LINE__, text);
}

/* The first field in which they differ at that version; NULL: none. */
static const ks_field *difference(const ks_struct *type, const void *a, const void *b, int16_t version) {
    for (uint32_t i = 0; i < type->field_count; i++) {
        const ks_field *field = &type->fields[i];
        if (field->since <= version && version <= field->until && !ks_field_equal_at(field, a, b, version))
            return field;
    }
    return NULL;
}

static bool is_held(const ks_block_ref *blocks, const uint8_t *data) {
    for (; blocks != NULL; blocks = blocks->next) {
        uintptr_t start = (uintptr_t)blocks->block->data, at = (uintptr_t)data;
        if (start <= at && at < start + (uintptr_t)blocks->block->capacity) return true;
    }
    return false;
}

/* Equal structs: records of `to` become views of the bytes that `from` points to where those live in a held block. */
static void share_records(const ks_struct *type, void *to, const void *from, const ks_block_ref *blocks) {
    for (uint32_t i = 0; i < type->field_count; i++) {
        const ks_field *field = &type->fields[i];
        void *at = (char *)to + field->offset;
        const void *source = (const char *)from + field->offset;
        if (field->type == KS_TYPE_records && !field->array) {
            const ks_bytes *records = source;
            if (records->size > 0 && is_held(blocks, records->data)) *(ks_bytes *)at = *records;
        } else if (field->type == KS_TYPE_struct && field->array) {
            const ks_any_array *a = at, *b = source;
            size_t size = field->sub()->size;
            for (int32_t k = 0; k < a->count; k++)
                share_records(field->sub(), (char *)a->items + size * (size_t)k,
                              (const char *)b->items + size * (size_t)k, blocks);
        } else if (field->type == KS_TYPE_struct && !field->pointer) {
            share_records(field->sub(), at, source, blocks);
        }
    }
}

static void hold_in_order(ks_envelope *to, const ks_block_ref *ref) { /* the list grows at its head */
    if (ref == NULL) return;
    hold_in_order(to, ref->next);
    ks_envelope_hold(to, ref->block);
}

ks_envelope *ks_wire_check(ks_kernel *kernel, ks_envelope *envelope) {
    int16_t key = envelope->api_key, version = envelope->api_version;
    const ks_api *api = ks_api_find(key);
    if (api == NULL) return envelope;
    bool flexible = ks_api_is_flexible(key, version);
    ks_buffer bytes = { 0 };
    ks_wire_fault fault;
    bool encoded = ks_struct_encode(envelope->type, version, flexible, envelope->body, &bytes, &fault);
    if (!encoded) ks_buffer_deinit(&bytes); /* a test may leave the complaint by a jump */
    if (!encoded) complain(envelope, ks_wire_error_text(fault.error), fault.field);

    ks_envelope *copy = ks_envelope_new(kernel, key, version, envelope->type);
    ks_bytes frame = ks_arena_bytes(copy->arena, (ks_bytes){ bytes.data, (int32_t)bytes.size });
    ks_buffer_deinit(&bytes);
    int32_t taken = ks_struct_decode(copy->type, version, flexible, frame, copy->arena, copy->body, &fault);
    if (taken < 0) complain(envelope, ks_wire_error_text(fault.error), fault.field);
    if (taken != frame.size) complain(envelope, "bytes are left over", NULL);
    const ks_field *field = difference(copy->type, envelope->body, copy->body, version);
    if (field != NULL) complain(envelope, "it came back different", field);

    share_records(copy->type, copy->body, envelope->body, envelope->blocks);
    hold_in_order(copy, envelope->blocks);
    copy->correlation_id = envelope->correlation_id;
    copy->client_id = ks_arena_string(copy->arena, envelope->client_id);
    copy->is_response = envelope->is_response;
    copy->event = envelope->event;
    ks_envelope_free(kernel, envelope);
    return copy;
}

ks_envelope *ks_wire_transcode(void *kernel, ks_envelope *envelope) { return ks_wire_check(kernel, envelope); }
