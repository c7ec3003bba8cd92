/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a trace file: refused with a sentence that names its line, or told: as a narrative at every level, as causes, JSON,
 * drawing and page, and as the state after every step, forward and back. docs/fuzzing.md says how to run it with libFuzzer.
 */
#include "sim/explain/fold.h"
#include "sim/explain/recording.h"
#include "sim/explain/story.h"

int fuzz_trace(const uint8_t *data, size_t size);

enum { MOST_BYTES = 64 * 1024, MOST_STEPS = 20 };

/* What a view writes is a text for people: no control characters but line ends, and whole UTF-8 is not broken further. */
static void check_text(const ks_buffer *out, bool colour) {
    for (size_t i = 0; i < out->size; i++) ks_assert(out->data[i] >= 0x20 || out->data[i] == '\n' || (colour && out->data[i] == 0x1b));
}

static void tell(const ks_story *story) {
    ks_buffer out = { 0 };
    for (int level = KS_LEVEL_STORY; level <= KS_LEVEL_EVERYTHING; level++) {
        ks_filter filter = { .level = (ks_level)level, .partition = -1, .since = 0 };
        ks_buffer_clear(&out);
        ks_narrate(story, &filter, &out);
        check_text(&out, false);
    }
    for (int32_t step = 0; step < story->steps.count && step < MOST_STEPS; step++) {
        ks_buffer_clear(&out);
        ks_why_step(story, step, &out);
        ks_words_protocol(story, step, &out);
        check_text(&out, false);
    }
    for (int32_t r = 0; r < story->rebalances.count && r < MOST_STEPS; r++) {
        ks_advice advice[2];
        ks_buffer_clear(&out);
        ks_why_generation(story, r, &out);
        int32_t count = ks_why_advice(story, r, advice);
        for (int32_t i = 0; i < count; i++) ks_why_say_advice(&advice[i], &out);
        check_text(&out, false);
    }
    ks_buffer_clear(&out);
    ks_why_record(story, "t", 0, 0, &out);
    check_text(&out, false);
    ks_buffer_deinit(&out);
}

static void draw(const ks_story *story) {
    const ks_story *stories[] = { story, story };
    const char *titles[] = { "one", "two" };
    ks_buffer out = { 0 };
    ks_explanation_json(story, "fuzz", &out);
    ks_explanation_svg(story, "fuzz", &(ks_filter){ .partition = -1 }, &out);
    ks_explanation_html(stories, titles, 2, &out);
    check_text(&out, false);
    ks_buffer_deinit(&out);
}

static void fold(const ks_story *story) {
    ks_fold *fold = ks_fold_new(story);
    int32_t last = story->steps.count - 1;
    for (int32_t i = 0; i <= last && i < MOST_STEPS; i++) ks_fold_seek(fold, i);
    for (int32_t i = last; i >= 0 && i > last - MOST_STEPS; i--) ks_fold_seek(fold, i);
    ks_fold_free(fold);
}

int fuzz_trace(const uint8_t *data, size_t size) {
    static const char name[] = "fuzz.jsonl";
    char problem[1024] = "";
    if (size > MOST_BYTES) return 0;
    ks_recording *recording = ks_recording_parse((const char *)data, size, name, problem, sizeof problem);
    if (recording == NULL) {
        ks_assert(strncmp(problem, name, sizeof name - 1) == 0 && strlen(problem) > sizeof name);
        return 0;
    }
    ks_story *story = ks_story_new(recording);
    tell(story);
    draw(story);
    fold(story);
    ks_story_free(story);
    ks_recording_free(recording);
    return 0;
}

#ifdef KS_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_trace(data, size); }
#endif
