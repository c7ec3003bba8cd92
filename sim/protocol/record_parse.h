/* SPDX-License-Identifier: Apache-2.0
 * Parsing one record of an uncompressed records section; shared by the reader and the validator. */
#ifndef KS_RECORD_PARSE_H
#define KS_RECORD_PARSE_H

#include "sim/protocol/record_batch.h"
#include "sim/protocol/wire_bytes.h"

typedef struct ks_parsed_record {
    int32_t offset_delta;
    int64_t timestamp_delta;
    ks_bytes key, value, headers;
    int32_t header_count;
} ks_parsed_record;

/* Varint length and that many bytes; a negative length is null. */
static inline const uint8_t *ks_parse_bytes(const uint8_t *p, const uint8_t *end, ks_bytes *bytes) {
    int32_t size;
    p = ks_get_varint(p, end, &size);
    if (p == NULL || size < 0) {
        *bytes = KS_NULL_BYTES;
        return p;
    }
    if (size > end - p) return NULL;
    *bytes = (ks_bytes){ p, size };
    return p + size;
}

/* The record at `p`. NULL: malformed. Its headers are delimited, not looked into. */
static inline const uint8_t *ks_parse_record(const uint8_t *p, const uint8_t *end, ks_parsed_record *record) {
    int32_t length;
    p = ks_get_varint(p, end, &length);
    if (p == NULL || length < 1 || length > end - p) return NULL;
    end = p + length;
    p++; /* attributes: none are defined */
    p = ks_get_varlong(p, end, &record->timestamp_delta);
    p = ks_get_varint(p, end, &record->offset_delta);
    p = ks_parse_bytes(p, end, &record->key);
    p = ks_parse_bytes(p, end, &record->value);
    p = ks_get_varint(p, end, &record->header_count);
    if (p == NULL || record->header_count < 0) return NULL;
    if (record->header_count == 0 && p != end) return NULL;
    record->headers = (ks_bytes){ p, (int32_t)(end - p) };
    return end;
}

#endif
