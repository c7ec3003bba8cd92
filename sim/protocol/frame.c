/* SPDX-License-Identifier: Apache-2.0
 *
 * Headers of requests and responses, and whole frames.
 */
#include "sim/protocol/frame.h"

#include "sim/protocol/wire_bytes.h"

bool ks_api_is_flexible(int16_t api_key, int16_t api_version) {
    const ks_api *api = ks_api_find(api_key);
    return api != NULL && api->flexible_since != KS_NEVER && api_version >= api->flexible_since;
}

int16_t ks_request_header_version(int16_t api_key, int16_t api_version) {
    return ks_api_is_flexible(api_key, api_version) ? 2 : 1;
}

int16_t ks_response_header_version(int16_t api_key, int16_t api_version) {
    if (api_key == KS_API_api_versions) return 0; /* so that a client can read it whatever it asked for */
    return ks_api_is_flexible(api_key, api_version) ? 1 : 0;
}

/* Tagged fields of a header: none is known, all are passed over. */
static const uint8_t *skip_tags(const uint8_t *p, const uint8_t *end) {
    uint32_t count, tag, size;
    p = ks_get_uvarint(p, end, &count);
    for (uint32_t i = 0; p != NULL && i < count; i++) {
        p = ks_get_uvarint(p, end, &tag);
        p = ks_get_uvarint(p, end, &size);
        if (p == NULL || size > (size_t)(end - p)) return NULL;
        p += size;
    }
    return p;
}

bool ks_request_header_decode(ks_bytes frame, ks_request_header *header, ks_bytes *body) {
    enum { FIXED = 10 };
    if (frame.size < FIXED) return false;
    const uint8_t *p = frame.data, *end = p + frame.size;
    header->api_key = ks_load_i16(p);
    header->api_version = ks_load_i16(p + 2);
    header->correlation_id = ks_load_i32(p + 4);
    int16_t size = ks_load_i16(p + 8);
    p += FIXED;
    header->client_id = KS_NULL_STRING;
    if (size > end - p) return false;
    if (size >= 0) {
        header->client_id = (ks_string){ (const char *)p, size };
        p += size;
    }
    if (ks_request_header_version(header->api_key, header->api_version) >= 2) p = skip_tags(p, end);
    if (p == NULL) return false;
    *body = (ks_bytes){ p, (int32_t)(end - p) };
    return true;
}

static void put_16(ks_buffer *out, int32_t v) {
    uint8_t bytes[2];
    ks_store_16(bytes, (uint16_t)v);
    ks_buffer_append(out, bytes, sizeof bytes);
}

static void put_32(ks_buffer *out, int32_t v) {
    uint8_t bytes[4];
    ks_store_32(bytes, (uint32_t)v);
    ks_buffer_append(out, bytes, sizeof bytes);
}

void ks_request_header_encode(const ks_request_header *header, ks_buffer *out) {
    put_16(out, header->api_key);
    put_16(out, header->api_version);
    put_32(out, header->correlation_id);
    ks_assert(header->client_id.size <= INT16_MAX);
    put_16(out, header->client_id.size < 0 ? -1 : header->client_id.size);
    ks_buffer_string(out, header->client_id);
    if (ks_request_header_version(header->api_key, header->api_version) >= 2) ks_buffer_append(out, "\0", 1);
}

bool ks_response_header_decode(int16_t api_key, int16_t api_version, ks_bytes frame, int32_t *correlation_id,
                               ks_bytes *body) {
    if (frame.size < 4) return false;
    const uint8_t *p = frame.data, *end = p + frame.size;
    *correlation_id = ks_load_i32(p);
    p += 4;
    if (ks_response_header_version(api_key, api_version) >= 1) p = skip_tags(p, end);
    if (p == NULL) return false;
    *body = (ks_bytes){ p, (int32_t)(end - p) };
    return true;
}

void ks_response_header_encode(int16_t api_key, int16_t api_version, int32_t correlation_id, ks_buffer *out) {
    put_32(out, correlation_id);
    if (ks_response_header_version(api_key, api_version) >= 1) ks_buffer_append(out, "\0", 1);
}

/* ---- whole frames ---- */

bool ks_envelope_encode(const ks_envelope *envelope, ks_buffer *out, ks_wire_fault *fault) {
    int16_t key = envelope->api_key, version = envelope->api_version;
    size_t start = out->size;
    put_32(out, 0);
    if (envelope->is_response) {
        ks_response_header_encode(key, version, envelope->correlation_id, out);
    } else {
        ks_request_header header = { key, version, envelope->correlation_id, envelope->client_id };
        ks_request_header_encode(&header, out);
    }
    if (!ks_struct_encode(envelope->type, version, ks_api_is_flexible(key, version), envelope->body, out, fault)) {
        out->size = start;
        return false;
    }
    size_t size = out->size - start - 4;
    ks_assert(size <= INT32_MAX);
    ks_store_32(out->data + start, (uint32_t)size);
    return true;
}

static ks_envelope *decode_body(ks_kernel *kernel, int16_t key, int16_t version, const ks_struct *type, ks_bytes body,
                                ks_wire_fault *fault) {
    ks_envelope *envelope = ks_envelope_new(kernel, key, version, type);
    body = ks_arena_bytes(envelope->arena, body);
    if (ks_struct_decode(type, version, ks_api_is_flexible(key, version), body, envelope->arena, envelope->body,
                         fault) >= 0)
        return envelope;
    ks_envelope_free(kernel, envelope);
    return NULL;
}

ks_envelope *ks_request_decode(ks_kernel *kernel, ks_bytes frame, ks_wire_fault *fault) {
    ks_request_header header;
    ks_bytes body;
    *fault = (ks_wire_fault){ KS_WIRE_TRUNCATED, NULL };
    if (!ks_request_header_decode(frame, &header, &body)) return NULL;
    const ks_api *api = ks_api_find(header.api_key);
    *fault = (ks_wire_fault){ KS_WIRE_OK, NULL };
    if (api == NULL) return NULL;
    ks_envelope *envelope = decode_body(kernel, header.api_key, header.api_version, api->request(), body, fault);
    if (envelope == NULL) return NULL;
    envelope->correlation_id = header.correlation_id;
    envelope->client_id = ks_arena_string(envelope->arena, header.client_id);
    return envelope;
}

ks_envelope *ks_response_decode(ks_kernel *kernel, int16_t api_key, int16_t api_version, ks_bytes frame,
                                ks_wire_fault *fault) {
    int32_t correlation_id;
    ks_bytes body;
    *fault = (ks_wire_fault){ KS_WIRE_TRUNCATED, NULL };
    if (!ks_response_header_decode(api_key, api_version, frame, &correlation_id, &body)) return NULL;
    const ks_api *api = ks_api_find(api_key);
    *fault = (ks_wire_fault){ KS_WIRE_OK, NULL };
    if (api == NULL) return NULL;
    ks_envelope *envelope = decode_body(kernel, api_key, api_version, api->response(), body, fault);
    if (envelope == NULL) return NULL;
    envelope->correlation_id = correlation_id;
    envelope->is_response = true;
    return envelope;
}
