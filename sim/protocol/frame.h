/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames: the headers of requests and responses around an encoded struct (wire-protocol.md 1.1, 1.3). The size prefix
 * of four bytes is written by the encoders and must be taken off before decoding.
 */
#ifndef KS_FRAME_H
#define KS_FRAME_H

#include "sim/kernel/kernel.h"
#include "sim/protocol/codec.h"
#include "sim/protocol/messages.h"

/* WR-6. Of APIs that are not described, and of ApiVersions above its highest version, too; those count as flexible by
 * what is known of ApiVersions alone: 2, all else unknown 1. */
int16_t ks_request_header_version(int16_t api_key, int16_t api_version);
int16_t ks_response_header_version(int16_t api_key, int16_t api_version);
bool ks_api_is_flexible(int16_t api_key, int16_t api_version);

typedef struct ks_request_header {
    int16_t api_key, api_version;
    int32_t correlation_id;
    ks_string client_id; /* view into the frame; may be null (WR-7: counts as "") */
} ks_request_header;

/* Reads the header of a request; what follows it goes to *body. False: malformed (WR-20: close). */
bool ks_request_header_decode(ks_bytes frame, ks_request_header *header, ks_bytes *body);
void ks_request_header_encode(const ks_request_header *header, ks_buffer *out);
bool ks_response_header_decode(int16_t api_key, int16_t api_version, ks_bytes frame, int32_t *correlation_id,
                               ks_bytes *body);
void ks_response_header_encode(int16_t api_key, int16_t api_version, int32_t correlation_id, ks_buffer *out);

/* A whole envelope as a frame, size prefix included; is_response says which. False with `fault` set: a field that the
 * version cannot carry or encode (a bug of ours). The API must be described. */
bool ks_envelope_encode(const ks_envelope *envelope, ks_buffer *out, ks_wire_fault *fault);
/* A request's frame without its size prefix as an envelope that owns a copy of the bytes. NULL with `fault` set:
 * malformed, or not described (fault KS_WIRE_OK). Bytes behind the last field are ignored (WR-8). */
ks_envelope *ks_request_decode(ks_kernel *kernel, ks_bytes frame, ks_wire_fault *fault);
ks_envelope *ks_response_decode(ks_kernel *kernel, int16_t api_key, int16_t api_version, ks_bytes frame,
                                ks_wire_fault *fault);

/* The wire check (KSIM_WIRE_CHECK=1): encodes and decodes the envelope at its version, which gives an equal one, takes
 * `envelope` and returns the new one. Ignorable fields that the version lacks come back as their defaults, as on a
 * wire; records keep pointing to the blocks they were in, which the new envelope holds. A difference, or a field that
 * the version cannot carry, is a bug of whoever built the message: an assertion that names API, version and field. */
ks_envelope *ks_wire_check(ks_kernel *kernel, ks_envelope *envelope);
ks_envelope *ks_wire_transcode(void *kernel,
                               ks_envelope *envelope); /* the same, as ks_interceptor.transcode wants it */

#endif
