/* SPDX-License-Identifier: Apache-2.0
 *
 * A seeded mutator: the same inputs every time, on every machine. The fuzz functions of this folder are driven by it in the
 * ordinary tests; docs/fuzzing.md says how to let libFuzzer drive them.
 */
#ifndef KS_TEST_MUTATE_H
#define KS_TEST_MUTATE_H

#include <dirent.h>
#include <stdlib.h>

#include "tests/support/test.h"

static inline uint64_t ks_mutate_next(uint64_t *state) { /* splitmix64 */
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline size_t ks_mutate_below(uint64_t *state, size_t bound) { return bound == 0 ? 0 : (size_t)(ks_mutate_next(state) % bound); }

/* One change: a bit, a byte, a run of bytes, cut, taken out, twice. */
static inline void ks_mutate_once(uint64_t *state, ks_buffer *bytes) {
    static const uint8_t odd[] = { 0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x0f };
    size_t at = ks_mutate_below(state, bytes->size), length = 1 + ks_mutate_below(state, 16);
    if (bytes->size == 0) return;
    if (length > bytes->size - at) length = bytes->size - at;
    switch (ks_mutate_below(state, 6)) {
    case 0: bytes->data[at] ^= (uint8_t)(1u << ks_mutate_below(state, 8)); break;
    case 1: bytes->data[at] = odd[ks_mutate_below(state, sizeof odd)]; break;
    case 2: memset(bytes->data + at, odd[ks_mutate_below(state, sizeof odd)], length); break;
    case 3: bytes->size = at; break; /* cut */
    case 4:                          /* taken out */
        memmove(bytes->data + at, bytes->data + at + length, bytes->size - at - length);
        bytes->size -= length;
        break;
    case 5: /* twice */
        ks_buffer_reserve(bytes, length);
        memmove(bytes->data + at + length, bytes->data + at, bytes->size - at);
        bytes->size += length;
        break;
    }
}

/* Behind the next of `edges` from anywhere in a text. */
static inline size_t ks_mutate_edge(uint64_t *state, const ks_buffer *text, const char *edges) {
    size_t at = ks_mutate_below(state, text->size);
    while (at < text->size && (text->data[at] == '\0' || strchr(edges, text->data[at]) == NULL)) at++;
    return at < text->size ? at + 1 : text->size;
}

/* One change that keeps words, or lines, whole: a piece is taken out, doubled, or replaced by one of another text. */
static inline void ks_mutate_words(uint64_t *state, ks_buffer *text, const ks_buffer *other) {
    const char *edges = ks_mutate_below(state, 2) == 0 ? "\n" : " \n,=[]{}\":";
    size_t most = edges[0] == '\n' ? 2000 : 40;
    size_t from = ks_mutate_edge(state, text, edges), to = ks_mutate_edge(state, text, edges);
    if (from > to) from ^= to, to ^= from, from ^= to;
    size_t a = ks_mutate_edge(state, other, edges), b = ks_mutate_edge(state, other, edges);
    if (a > b) a ^= b, b ^= a, a ^= b;
    if (b - a > most) b = a + most;
    if (to - from > most) to = from + most;
    bool doubled = ks_mutate_below(state, 3) == 0, gone = !doubled && ks_mutate_below(state, 2) == 0;
    ks_buffer out = { 0 };
    ks_buffer_append(&out, text->data, doubled ? to : from);
    if (doubled) ks_buffer_append(&out, text->data + from, to - from);
    else if (!gone && b > a) ks_buffer_append(&out, other->data + a, b - a);
    ks_buffer_append(&out, text->data + to, text->size - to);
    ks_buffer_deinit(text);
    *text = out;
}

/* ---- a corpus: the files of tests/fuzz/corpus/NAME, by name ---- */

typedef struct ks_corpus {
    ks_buffer *texts;
    char **names;
    int32_t count;
} ks_corpus;

static inline int ks_corpus_order(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }
static inline int ks_corpus_is_file(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static inline ks_corpus ks_corpus_read(const char *name) {
    char path[1200];
    struct dirent **entries;
    snprintf(path, sizeof path, KS_TEST_VECTORS "/../fuzz/corpus/%s", name);
    int count = scandir(path, &entries, ks_corpus_is_file, ks_corpus_order);
    if (count <= 0) fail_msg("%s: no corpus there", path);
    ks_corpus corpus = { ks_alloc((size_t)count * sizeof *corpus.texts), ks_alloc((size_t)count * sizeof *corpus.names), count };
    for (int i = 0; i < count; i++) {
        char file_name[1500], chunk[4096];
        snprintf(file_name, sizeof file_name, "%s/%s", path, entries[i]->d_name);
        FILE *file = fopen(file_name, "rb");
        assert_non_null(file);
        for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;) ks_buffer_append(&corpus.texts[i], chunk, got);
        fclose(file);
        corpus.names[i] = ks_strndup(entries[i]->d_name, strlen(entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    return corpus;
}

static inline void ks_corpus_free(ks_corpus *corpus) {
    for (int32_t i = 0; i < corpus->count; i++) {
        ks_buffer_deinit(&corpus->texts[i]);
        ks_free(corpus->names[i]);
    }
    ks_free(corpus->texts);
    ks_free(corpus->names);
}

/* KSIM_FUZZ_ROUNDS, or so many. */
static inline long ks_mutate_rounds(long otherwise) {
    const char *own = getenv("KSIM_FUZZ_ROUNDS");
    return own != NULL ? strtol(own, NULL, 10) : otherwise;
}

/* A number becomes another one. */
static inline void ks_mutate_number(uint64_t *state, ks_buffer *text) {
    size_t at = ks_mutate_below(state, text->size);
    while (at < text->size && (text->data[at] < '0' || text->data[at] > '9')) at++;
    if (at < text->size) text->data[at] = (uint8_t)('0' + ks_mutate_below(state, 10));
}

/* Every file of the corpus as it is, then `rounds` mutations of it, some by bytes and some by words. */
static inline void ks_corpus_fuzz(const char *name, long rounds, int (*fuzz)(const uint8_t *data, size_t size)) {
    ks_corpus corpus = ks_corpus_read(name);
    for (int32_t i = 0; i < corpus.count; i++) {
        uint64_t state = (uint64_t)i + 1;
        for (long round = 0; round <= rounds; round++) {
            ks_buffer text = { 0 };
            ks_buffer_append(&text, corpus.texts[i].data, corpus.texts[i].size);
            for (size_t k = round > 0 ? 1 + ks_mutate_below(&state, 4) : 0; k > 0; k--) {
                size_t how = ks_mutate_below(&state, 8);
                if (how < 2) ks_mutate_number(&state, &text);
                else if (how < 7) ks_mutate_words(&state, &text, &corpus.texts[ks_mutate_below(&state, (size_t)corpus.count)]);
                else ks_mutate_once(&state, &text);
            }
            uint8_t *exact = malloc(text.size + 1); /* of the exact size: the sanitizer guards its end */
            assert_non_null(exact);
            if (text.size > 0) memcpy(exact, text.data, text.size);
            fuzz(exact, text.size);
            free(exact);
            ks_buffer_deinit(&text);
        }
    }
    ks_corpus_free(&corpus);
}

#endif
