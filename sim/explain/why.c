/* SPDX-License-Identifier: Apache-2.0
 * Why a step happened: the chain of causes, back to the command or call that began it.
 */
#include "sim/explain/words.h"
#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

static const ks_recorded *event_at(const ks_story *story, int32_t index) { return &story->recording->events.items[index]; }

static void line(const ks_story *story, int32_t index, const char *before, ks_buffer *out) {
    const ks_step *step = &story->steps.items[index];
    ks_buffer_text(out, before);
    if (step->sub > 0) ks_buffer_printf(out, "step %d.%d, ", step->number, step->sub);
    else ks_buffer_printf(out, "step %d, ", step->number);
    ks_words_seconds(step->time - story->recording->start, out);
    ks_buffer_text(out, ": ");
    ks_words_protocol(story, index, out);
    ks_buffer_text(out, "\n");
    ks_buffer sentence = { 0 };
    ks_words_sentence(story, index, &sentence);
    ks_words_wrap((const char *)sentence.data, sentence.size, 6, 0, out);
    ks_buffer_deinit(&sentence);
}

/* A heartbeat comes because the one before it was answered, and so on back to the join: one line stands for all of these. */
static bool is_like(const ks_story *story, int32_t a, int32_t b) {
    const ks_step *x = &story->steps.items[a], *y = &story->steps.items[b];
    if (x->kind != KS_STEP_REQUEST || y->kind != KS_STEP_REQUEST || x->api_key != y->api_key || x->error != y->error || x->important || y->important) return false;
    const ks_ev_request_received *one = event_at(story, x->event)->fields, *two = event_at(story, y->event)->fields;
    return ks_string_equal(one->from, two->from) && ks_string_equal(one->to, two->to);
}

/* What every client asks before it can do anything says nothing about why. */
static bool is_preparation(const ks_step *step) { return step->api_key == KS_API_api_versions || step->api_key == KS_API_metadata; }

/* What led to the first step of the chain without being a step itself. */
static void root(const ks_story *story, int32_t step, ks_buffer *out) {
    const ks_recorded *event = event_at(story, story->steps.items[step].event);
    int32_t first = -1;
    for (uint64_t cause = event->cause; cause != 0;) {
        int32_t index = ks_recording_find(story->recording, cause);
        if (index < 0) break;
        first = index;
        cause = event_at(story, index)->cause;
    }
    ks_speaker s = { story, out };
    if (first < 0) {
        ks_tell(&s, "which the program (or the scenario) did\n");
        return;
    }
    event = event_at(story, first);
    const ks_struct *kind = event->kind;
    ks_tell(&s, "which began with ");
    if (KIND(request_sent)) ks_tell(&s, "%s: its program, or a timer of its own, made it send a request", FIELDS(request_sent)->from);
    else if (!ks_words_clause(story, first, out)) ks_tell(&s, "%c", ks_event_kind_name(kind));
    ks_tell(&s, " (event %d)\n", (int64_t)event->id);
}

void ks_why_step(const ks_story *story, int32_t step, ks_buffer *out) {
    line(story, step, "", out);
    int32_t at = step;
    /* Causes come before what they cause, so the chain ends. */
    while (story->steps.items[at].cause >= 0) {
        at = story->steps.items[at].cause;
        if (!is_preparation(&story->steps.items[at])) line(story, at, "because of ", out);
        int32_t more = 0;
        for (int32_t next = story->steps.items[at].cause; next >= 0 && is_like(story, at, next); next = story->steps.items[at].cause) at = next, more++;
        if (more == 1) ks_buffer_printf(out, "      and that because of one more like it, in step %d\n", story->steps.items[at].number);
        if (more > 1) ks_buffer_printf(out, "      and that because of %d more like it, the first in step %d\n", more, story->steps.items[at].number);
    }
    root(story, at, out);
}
