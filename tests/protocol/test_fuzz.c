/* SPDX-License-Identifier: Apache-2.0
 *
 * A seeded mutator over the vectors for the fuzz functions of tests/fuzz: the same inputs every time. KSIM_FUZZ_ROUNDS
 * makes it longer (mutations of each vector; 200 unless told).
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/protocol/vectors.h"

#include "tests/fuzz/fuzz_batch.c"
#include "tests/fuzz/fuzz_codec.c"
#include "tests/fuzz/mutate.h"

static void run(uint64_t seed, const uint8_t *start, size_t size, const uint8_t *head, size_t head_size,
                int (*fuzz)(const uint8_t *, size_t), bool vary_head) {
    uint64_t state = seed;
    ks_buffer bytes = { 0 };
    for (long round = 0; round < ks_mutate_rounds(200); round++) {
        ks_buffer_clear(&bytes);
        ks_buffer_append(&bytes, start, size);
        for (size_t k = ks_mutate_below(&state, 4) + (round > 0); k > 0; k--) ks_mutate_once(&state, &bytes);
        uint8_t *exact = malloc(bytes.size + head_size);
        memcpy(exact, head, head_size);
        if (vary_head) exact[0] = (uint8_t)ks_mutate_next(&state);
        if (bytes.size > 0) memcpy(exact + head_size, bytes.data, bytes.size);
        fuzz(exact, bytes.size + head_size);
        free(exact);
    }
    ks_buffer_deinit(&bytes);
}

static void mutated_frames_never_harm_the_codec(void **state) {
    int line_number = 0;
    FILE *file = ks_vectors_open("wire_frames.jsonl");
    if (file == NULL) return;
    for (json_t *line; (line = ks_vectors_next_json(file, "wire_frames.jsonl", &line_number)) != NULL;
         json_decref(line)) {
        const ks_api *api = ks_api_find((int16_t)number_of(line, "key"));
        int16_t version = (int16_t)number_of(line, "version");
        if (api == NULL || version < api->since || version > api->until) continue;
        uint8_t head[3] = { 0, (uint8_t)(version - api->since), strcmp(text_of(line, "direction"), "request") != 0 };
        while (ks_api_at(head[0]) != api) head[0]++;
        size_t size;
        uint8_t *frame = ks_test_unhex(text_of(line, "hex"), &size);
        ks_bytes body, bytes = { frame + 4, (int32_t)size - 4 };
        ks_request_header header;
        int32_t correlation_id;
        if (head[2] == 0)
            assert_true(ks_request_header_decode(bytes, &header, &body));
        else
            assert_true(ks_response_header_decode(api->key, version, bytes, &correlation_id, &body));
        run((uint64_t)line_number, body.data, (size_t)body.size, head, sizeof head, fuzz_codec, false);
        free(frame);
    }
    fclose(file);
}

static void mutated_batches_never_harm_checks_reader_and_codecs(void **state) {
    int line_number = 0;
    FILE *file = ks_vectors_open("record_batches.jsonl");
    if (file == NULL) return;
    for (json_t *line; (line = ks_vectors_next_json(file, "record_batches.jsonl", &line_number)) != NULL;
         json_decref(line)) {
        static const uint8_t mended[1] = { 1 };
        size_t size;
        uint8_t *batch = ks_test_unhex(text_of(line, "hex"), &size);
        run((uint64_t)line_number, batch, size, mended, 1, fuzz_batch, false);
        if (size > KS_BATCH_HEADER_SIZE) /* the compressed part alone, into a codec of chance */
            run((uint64_t)line_number, batch + KS_BATCH_HEADER_SIZE, size - KS_BATCH_HEADER_SIZE, mended, 1, fuzz_batch,
                true);
        free(batch);
    }
    fclose(file);
}

static void noise_never_harms_anything(void **state) {
    uint64_t seed = 7;
    for (long round = 0; round < ks_mutate_rounds(200) * 100; round++) {
        uint8_t bytes[200];
        size_t size = ks_mutate_below(&seed, sizeof bytes);
        for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(ks_mutate_below(&seed, 3) ? ks_mutate_below(&seed, 4) : ks_mutate_next(&seed));
        fuzz_codec(bytes, size);
        fuzz_batch(bytes, size);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutated_frames_never_harm_the_codec),
        cmocka_unit_test(mutated_batches_never_harm_checks_reader_and_codecs),
        cmocka_unit_test(noise_never_harms_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
