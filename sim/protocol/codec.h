/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes <-> any described struct, in any version (wire-protocol.md 1.2 to 1.4): one interpreter of the tables, no code
 * per message. Costs some 10 to 40 ns per field-rich struct and about 1 ns per byte.
 *
 * Rules: WR-4 (nulls), WR-8 (bytes behind the last field of a body are the caller's to ignore), WR-9 (tags), WR-11
 * (fields a version lacks), WR-50, WR-51 (a count is compared with the bytes that are left, the memory with the frame's
 * size).
 */
#ifndef KS_CODEC_H
#define KS_CODEC_H

#include "sim/base/describe.h"

typedef enum ks_wire_error {
    KS_WIRE_OK,
    KS_WIRE_TRUNCATED,      /* the bytes end inside a field */
    KS_WIRE_COUNT,          /* a count that the bytes left cannot hold */
    KS_WIRE_NULL,           /* a null where the version allows none */
    KS_WIRE_VARINT,         /* a varint that is too long, or cut */
    KS_WIRE_TAG,            /* a known tag that does not fill its size, or tags out of bounds */
    KS_WIRE_STRING,         /* a string of more than 32767 bytes */
    KS_WIRE_MEMORY,         /* would take more than 64 KiB + 32 times the frame in memory */
    KS_WIRE_NOT_IN_VERSION, /* encoding: a value that this version cannot carry and that is not ignorable */
} ks_wire_error;

typedef struct ks_wire_fault {
    ks_wire_error error;
    const ks_field *field; /* where; NULL: in the tags or outside every field */
} ks_wire_fault;
const char *ks_wire_error_text(ks_wire_error error); /* one sentence; static */

/* Decodes one struct from the start of `bytes`; returns the bytes it took, or -1 with `fault` set. Strings and bytes
 * are views into `bytes`, arrays live in `arena`. Fields that the version lacks, and tagged ones that are absent, get
 * their defaults. `value` need not be initialised; after a failure it holds nothing useful. Unknown tags are passed
 * over. */
int32_t ks_struct_decode(const ks_struct *type, int16_t version, bool flexible, ks_bytes bytes, ks_arena *arena,
                         void *value, ks_wire_fault *fault);

/* Appends the encoded struct. False with `fault` set: nothing useful was appended (the buffer's size is as before). */
bool ks_struct_encode(const ks_struct *type, int16_t version, bool flexible, const void *value, ks_buffer *out,
                      ks_wire_fault *fault);

/* The fewest bytes a struct takes in that version; at least 1. */
int32_t ks_struct_min_size(const ks_struct *type, int16_t version, bool flexible);

#endif
