/* SPDX-License-Identifier: Apache-2.0
 *
 * gzip, snappy, lz4 and zstd as Kafka's clients and brokers use them (wire-protocol.md 3.2).
 *
 * Unpacking streams into a buffer that grows with what comes out and stops at a limit (WR-52). What is written follows
 * kafka-go: gzip members, snappy in xerial's framing (or one raw block), lz4 frames of independent blocks with a
 * content checksum, zstd frames.
 */
#include "sim/protocol/compression.h"

#include <lz4.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include "sim/protocol/wire_bytes.h"

#ifndef KS_SNAPPY_VERSION /* its C header does not say */
#define KS_SNAPPY_VERSION "?"
#endif

const char *ks_codec_name(ks_codec codec) {
    static const char *const names[KS_CODEC_COUNT] = { "uncompressed", "gzip", "snappy", "lz4", "zstd" };
    return codec < KS_CODEC_COUNT ? names[codec] : "unknown codec";
}

const char *ks_codec_versions(void) {
    return "zlib " ZLIB_VERSION " snappy " KS_SNAPPY_VERSION " lz4 " LZ4_VERSION_STRING " zstd " ZSTD_VERSION_STRING;
}

/* ---- room that grows with what is unpacked ---- */

struct sink {
    ks_buffer *out;
    size_t start, max; /* size before; how much may be added */
};

/* Room for at least one byte more, or 0 when the limit is reached. */
static size_t sink_room(struct sink *sink, uint8_t **at) {
    size_t added = sink->out->size - sink->start, left = sink->max - added;
    if (left == 0) return 0;
    size_t room = sink->out->capacity > sink->out->size + 1 ? sink->out->capacity - sink->out->size - 1 : 0;
    if (room == 0) {
        room = added < 4096 ? 4096 : added;
        if (room > left) room = left;
        ks_buffer_reserve(sink->out, room);
    }
    *at = sink->out->data + sink->out->size;
    return room < left ? room : left;
}

/* ---- gzip: one member or several in a row; what follows and is none is passed over, as Java does ---- */

static bool is_gzip_member(const uint8_t *p, size_t size) { return size >= 2 && p[0] == 0x1f && p[1] == 0x8b; }

static ks_unpacked inflate_all(z_stream *stream, struct sink *sink) {
    for (;;) {
        uint8_t *at, spare;
        size_t room = sink_room(sink, &at);
        stream->next_out = room > 0 ? at : &spare; /* at the limit: one byte more tells whether there is more */
        stream->avail_out = room > 0 ? (uInt)room : 1;
        uInt before = stream->avail_out, input = stream->avail_in;
        int status = inflate(stream, Z_NO_FLUSH);
        size_t made = before - stream->avail_out;
        if (room == 0 && made > 0) return KS_UNPACK_TOO_LARGE;
        sink->out->size += made;
        if (status == Z_STREAM_END) {
            if (!is_gzip_member(stream->next_in, stream->avail_in)) return KS_UNPACKED;
            if (inflateReset(stream) != Z_OK) return KS_UNPACK_CORRUPT;
        } else if (status != Z_OK || (made == 0 && stream->avail_in == input)) {
            return KS_UNPACK_CORRUPT; /* Z_BUF_ERROR: cut short */
        }
    }
}

static ks_unpacked unpack_gzip(ks_bytes in, struct sink *sink) {
    z_stream stream = { 0 };
    if (!is_gzip_member(in.data, (size_t)in.size) || inflateInit2(&stream, 15 + 16) != Z_OK) return KS_UNPACK_CORRUPT;
    stream.next_in = (Bytef *)(uintptr_t)in.data;
    stream.avail_in = (uInt)in.size;
    ks_unpacked unpacked = inflate_all(&stream, sink);
    inflateEnd(&stream);
    return unpacked;
}

static void pack_gzip(ks_bytes in, int32_t level, ks_buffer *out) {
    z_stream stream = { 0 };
    int status =
        deflateInit2(&stream, level == 0 ? Z_DEFAULT_COMPRESSION : level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    ks_assert(status == Z_OK);
    uLong bound = deflateBound(&stream, (uLong)in.size);
    ks_buffer_reserve(out, bound);
    stream.next_in = (Bytef *)(uintptr_t)in.data;
    stream.avail_in = (uInt)in.size;
    stream.next_out = out->data + out->size;
    stream.avail_out = (uInt)bound;
    status = deflate(&stream, Z_FINISH);
    ks_assert(status == Z_STREAM_END);
    out->size += stream.total_out;
    deflateEnd(&stream);
}

/* ---- snappy: xerial's framing, told by its eight magic bytes, or one raw block ---- */

enum { XERIAL_HEADER = 16, XERIAL_BLOCK = 32 * 1024 };
static const uint8_t xerial_magic[8] = { 0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0 };

static ks_unpacked unpack_snappy_block(const uint8_t *p, size_t size, struct sink *sink) {
    size_t claimed;
    if (snappy_uncompressed_length((const char *)p, size, &claimed) != SNAPPY_OK) return KS_UNPACK_CORRUPT;
    if (claimed / 24 > size) return KS_UNPACK_CORRUPT; /* three bytes make at most 64: the preamble lies */
    if (claimed > sink->max - (sink->out->size - sink->start)) return KS_UNPACK_TOO_LARGE;
    ks_buffer_reserve(sink->out, claimed);
    char *at = (char *)sink->out->data + sink->out->size;
    if (snappy_uncompress((const char *)p, size, at, &claimed) != SNAPPY_OK) return KS_UNPACK_CORRUPT;
    sink->out->size += claimed;
    return KS_UNPACKED;
}

static bool is_xerial(const uint8_t *p, size_t left) {
    return left >= XERIAL_HEADER && memcmp(p, xerial_magic, sizeof xerial_magic) == 0;
}

static ks_unpacked unpack_snappy(ks_bytes in, struct sink *sink) {
    const uint8_t *p = in.data, *end = p + in.size;
    if (!is_xerial(p, (size_t)in.size)) return unpack_snappy_block(p, (size_t)in.size, sink);
    while (p < end) {
        if (is_xerial(p, (size_t)(end - p))) { /* streams may follow each other */
            p += XERIAL_HEADER;
            continue;
        }
        if (end - p < 4) return KS_UNPACK_CORRUPT;
        int32_t size = ks_load_i32(p);
        p += 4;
        if (size < 0 || size > end - p) return KS_UNPACK_CORRUPT;
        ks_unpacked unpacked = unpack_snappy_block(p, (size_t)size, sink);
        if (unpacked != KS_UNPACKED) return unpacked;
        p += size;
    }
    return KS_UNPACKED;
}

static void pack_snappy_block(const uint8_t *p, size_t size, ks_buffer *out) {
    size_t packed = snappy_max_compressed_length(size);
    ks_buffer_reserve(out, packed);
    snappy_status status = snappy_compress((const char *)p, size, (char *)out->data + out->size, &packed);
    ks_assert(status == SNAPPY_OK);
    out->size += packed;
}

static void pack_snappy(ks_bytes in, bool raw, ks_buffer *out) {
    if (raw) {
        pack_snappy_block(in.data, (size_t)in.size, out);
        return;
    }
    static const uint8_t versions[8] = { 0, 0, 0, 1, 0, 0, 0, 1 };
    ks_buffer_append(out, xerial_magic, sizeof xerial_magic);
    ks_buffer_append(out, versions, sizeof versions);
    for (int32_t at = 0; at < in.size; at += XERIAL_BLOCK) {
        int32_t size = in.size - at < XERIAL_BLOCK ? in.size - at : XERIAL_BLOCK;
        size_t length_at = out->size;
        ks_buffer_append(out, "\0\0\0\0", 4);
        pack_snappy_block(in.data + at, (size_t)size, out);
        ks_store_32(out->data + length_at, (uint32_t)(out->size - length_at - 4));
    }
}

/* ---- lz4: one frame of independent blocks ---- */

enum { LZ4_MAGIC_SIZE = 4, LZ4_VERSION_BITS = 0xc0, LZ4_VERSION = 0x40, LZ4_INDEPENDENT_BLOCKS = 0x20 };

static bool is_kafka_lz4(ks_bytes in) {
    static const uint8_t magic[LZ4_MAGIC_SIZE] = { 0x04, 0x22, 0x4d, 0x18 };
    if (in.size < LZ4_MAGIC_SIZE + 3 || memcmp(in.data, magic, sizeof magic) != 0) return false;
    uint8_t flags = in.data[LZ4_MAGIC_SIZE];
    return (flags & LZ4_VERSION_BITS) == LZ4_VERSION && (flags & LZ4_INDEPENDENT_BLOCKS) != 0;
}

static ks_unpacked unpack_lz4_frame(LZ4F_dctx *context, ks_bytes in, struct sink *sink) {
    const uint8_t *p = in.data, *end = p + in.size;
    for (;;) {
        uint8_t *at, spare;
        size_t room = sink_room(sink, &at), made = room > 0 ? room : 1, taken = (size_t)(end - p);
        size_t hint = LZ4F_decompress(context, room > 0 ? at : &spare, &made, p, &taken, NULL);
        if (LZ4F_isError(hint)) return KS_UNPACK_CORRUPT;
        if (room == 0 && made > 0) return KS_UNPACK_TOO_LARGE;
        sink->out->size += made;
        p += taken;
        if (hint == 0) return KS_UNPACKED; /* the end mark; Kafka does not look behind it */
        if (made == 0 && taken == 0) return KS_UNPACK_CORRUPT;
    }
}

static ks_unpacked unpack_lz4(ks_bytes in, struct sink *sink) {
    LZ4F_dctx *context;
    if (!is_kafka_lz4(in) || LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return KS_UNPACK_CORRUPT;
    ks_unpacked unpacked = unpack_lz4_frame(context, in, sink);
    LZ4F_freeDecompressionContext(context);
    return unpacked;
}

static void pack_lz4(ks_bytes in, int32_t level, ks_buffer *out) {
    LZ4F_preferences_t preferences = { .frameInfo = { .blockSizeID = LZ4F_max4MB,
                                                      .blockMode = LZ4F_blockIndependent,
                                                      .contentChecksumFlag = LZ4F_contentChecksumEnabled },
                                       .compressionLevel = level };
    size_t bound = LZ4F_compressFrameBound((size_t)in.size, &preferences);
    ks_buffer_reserve(out, bound);
    size_t packed = LZ4F_compressFrame(out->data + out->size, bound, in.data, (size_t)in.size, &preferences);
    ks_assert(!LZ4F_isError(packed));
    out->size += packed;
}

/* ---- zstd: one frame or several in a row ---- */

static ks_unpacked unpack_zstd_frames(ZSTD_DStream *stream, ks_bytes in, struct sink *sink) {
    ZSTD_inBuffer input = { in.data, (size_t)in.size, 0 };
    size_t hint = 1;
    for (;;) {
        uint8_t *at, spare;
        size_t room = sink_room(sink, &at), taken = input.pos;
        ZSTD_outBuffer output = { room > 0 ? at : &spare, room > 0 ? room : 1, 0 };
        if (hint == 0 && input.pos == input.size) return KS_UNPACKED;
        hint = ZSTD_decompressStream(stream, &output, &input);
        if (ZSTD_isError(hint)) return KS_UNPACK_CORRUPT;
        if (room == 0 && output.pos > 0) return KS_UNPACK_TOO_LARGE;
        sink->out->size += output.pos;
        if (hint != 0 && output.pos == 0 && input.pos == taken) return KS_UNPACK_CORRUPT; /* cut short */
    }
}

static ks_unpacked unpack_zstd(ks_bytes in, struct sink *sink) {
    enum { WINDOW_LOG_MAX = 26 }; /* 64 MiB: memory that a frame may ask for before it has shown a byte */
    ZSTD_DStream *stream = ZSTD_createDStream();
    ks_assert(stream != NULL);
    ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    ks_unpacked unpacked = unpack_zstd_frames(stream, in, sink);
    ZSTD_freeDStream(stream);
    return unpacked;
}

static void pack_zstd(ks_bytes in, int32_t level, ks_buffer *out) {
    size_t bound = ZSTD_compressBound((size_t)in.size);
    ks_buffer_reserve(out, bound);
    size_t packed =
        ZSTD_compress(out->data + out->size, bound, in.data, (size_t)in.size, level == 0 ? ZSTD_CLEVEL_DEFAULT : level);
    ks_assert(!ZSTD_isError(packed));
    out->size += packed;
}

/* ---- all of them ---- */

ks_unpacked ks_unpack(ks_codec codec, ks_bytes in, int32_t max, ks_buffer *out) {
    struct sink sink = { out, out->size, (size_t)max };
    if (in.size < 0) in.size = 0;
    switch (codec) {
    case KS_CODEC_NONE:
        if (in.size > max) return KS_UNPACK_TOO_LARGE;
        ks_buffer_append(out, in.data, (size_t)in.size);
        return KS_UNPACKED;
    case KS_CODEC_GZIP: return unpack_gzip(in, &sink);
    case KS_CODEC_SNAPPY: return unpack_snappy(in, &sink);
    case KS_CODEC_LZ4: return unpack_lz4(in, &sink);
    case KS_CODEC_ZSTD: return unpack_zstd(in, &sink);
    case KS_CODEC_COUNT: break;
    }
    return KS_UNPACK_CORRUPT; /* 5, 6, 7: no such codec */
}

bool ks_decompress(ks_codec codec, ks_bytes in, int32_t max, ks_buffer *out) {
    return ks_unpack(codec, in, max, out) == KS_UNPACKED;
}

void ks_compress(ks_codec codec, ks_bytes in, int32_t level, bool raw_snappy, ks_buffer *out) {
    switch (codec) {
    case KS_CODEC_NONE: ks_buffer_append(out, in.data, (size_t)in.size); return;
    case KS_CODEC_GZIP: pack_gzip(in, level, out); return;
    case KS_CODEC_SNAPPY: pack_snappy(in, raw_snappy, out); return;
    case KS_CODEC_LZ4: pack_lz4(in, level, out); return;
    case KS_CODEC_ZSTD: pack_zstd(in, level, out); return;
    case KS_CODEC_COUNT: break;
    }
    ks_unreachable("compressing with a codec that does not exist");
}
