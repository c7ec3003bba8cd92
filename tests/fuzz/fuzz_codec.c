/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes into the codec: the first three choose API, version and direction, the rest is a body. It never reads
 * outside the bytes (the sanitizers watch); what decodes, encodes; and what was encoded decodes to an equal value.
 * tests/protocol/test_fuzz.c drives it; docs/fuzzing.md says how to run it with libFuzzer.
 */
#include "sim/protocol/codec.h"
#include "sim/protocol/frame.h"

int fuzz_codec(const uint8_t *data, size_t size);

static void check_round_trip(const ks_struct *type, int16_t version, bool flexible, const void *value,
                             ks_arena *arena) {
    ks_buffer out = { 0 };
    ks_wire_fault fault;
    void *again = ks_arena_alloc(arena, type->size);
    ks_assert(ks_struct_encode(type, version, flexible, value, &out, &fault));
    ks_bytes bytes = { out.data, (int32_t)out.size };
    ks_assert(ks_struct_decode(type, version, flexible, bytes, arena, again, &fault) == bytes.size);
    ks_assert(ks_struct_equal(type, value, again));
    ks_buffer_deinit(&out);
}

int fuzz_codec(const uint8_t *data, size_t size) {
    if (size < 3 || size > INT32_MAX) return 0;
    const ks_api *api = ks_api_at(data[0] % ks_api_count());
    int16_t version = (int16_t)(api->since + data[1] % (api->until - api->since + 1));
    const ks_struct *type = data[2] & 1 ? api->response() : api->request();
    bool flexible = ks_api_is_flexible(api->key, version);
    ks_arena *arena = ks_arena_new();
    void *value = ks_arena_alloc(arena, type->size);
    ks_wire_fault fault;
    ks_bytes body = { data + 3, (int32_t)size - 3 };
    int32_t taken = ks_struct_decode(type, version, flexible, body, arena, value, &fault);
    ks_assert((taken >= 0) == (fault.error == KS_WIRE_OK) && taken <= body.size);
    if (taken >= 0) check_round_trip(type, version, flexible, value, arena);
    ks_arena_free(arena);
    return 0;
}

#ifdef KS_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_codec(data, size); }
#endif
