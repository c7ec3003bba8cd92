/* SPDX-License-Identifier: Apache-2.0
 * The four codecs of record batches; ks_compress and ks_decompress of record_batch.h stand on these. */
#ifndef KS_COMPRESSION_H
#define KS_COMPRESSION_H

#include "sim/protocol/record_batch.h"

enum { KS_MAX_DECOMPRESSED = 64 * 1024 * 1024 }; /* WR-52; Kafka has no limit */

typedef enum ks_unpacked { KS_UNPACKED, KS_UNPACK_CORRUPT, KS_UNPACK_TOO_LARGE } ks_unpacked;

/* Appends to `out` what `in` holds, at most `max` bytes of it. Sizes that the data claim are never trusted. On failure
 * some bytes may have been appended. */
ks_unpacked ks_unpack(ks_codec codec, ks_bytes in, int32_t max, ks_buffer *out);

#endif
