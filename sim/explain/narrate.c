/* SPDX-License-Identifier: Apache-2.0
 * The numbered narrative: the protocol fact of each step, and the sentence.
 */
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"

#include <stdio.h>

enum { WIDTH = 96, INDENT = 5 };

/* Words wrapped at WIDTH, every line indented. */
static void wrapped(const char *text, size_t size, ks_buffer *out) {
    size_t at = 0;
    while (at < size) {
        size_t left = size - at, take = left;
        if (left > WIDTH) {
            for (take = WIDTH; take > 0 && text[at + take] != ' '; take--) {}
            if (take == 0)
                for (take = WIDTH; take < left && text[at + take] != ' '; take++) {}
        }
        for (int i = 0; i < INDENT; i++) ks_buffer_text(out, " ");
        ks_buffer_append(out, text + at, take);
        ks_buffer_text(out, "\n");
        at += take;
        while (at < size && text[at] == ' ') at++;
    }
}

static bool names(const ks_recorded *event, const char *field_name, const char *wanted) {
    const ks_field *field = ks_struct_field(event->kind, field_name);
    if (field == NULL || field->type != KS_TYPE_string) return false;
    return ks_string_equal(*(const ks_string *)((const char *)event->fields + field->offset), ks_str(wanted));
}

static bool partition_is(const ks_recorded *event, int32_t partition) {
    const ks_field *field = ks_struct_field(event->kind, "partition");
    return field != NULL && field->type == KS_TYPE_int32 && *(const int32_t *)((const char *)event->fields + field->offset) == partition;
}

static bool passes(const ks_story *story, const ks_step *step, const ks_filter *filter) {
    if (filter->level == KS_LEVEL_STORY && !step->important) return false;
    if (filter->level == KS_LEVEL_PROTOCOL && step->kind == KS_STEP_SUB) return false;
    if (filter->group != NULL && !ks_string_equal(step->group, ks_str(filter->group))) return false;
    if (filter->node == NULL && filter->topic == NULL) return true;
    bool node = filter->node == NULL, topic = filter->topic == NULL;
    for (int32_t f = 0; f < step->facts.count && !(node && topic); f++) {
        const ks_recorded *event = &story->recording->events.items[step->facts.items[f]];
        node = node || ks_string_equal(event->node, ks_str(filter->node)) || names(event, "from", filter->node) ||
               names(event, "to", filter->node) || names(event, "client", filter->node) || names(event, "name", filter->node);
        topic = topic || (names(event, "topic", filter->topic) && (filter->partition < 0 || partition_is(event, filter->partition)));
    }
    return node && topic;
}

static void head(const ks_story *story, int32_t index, bool colour, ks_buffer *out) {
    const ks_step *step = &story->steps.items[index];
    char number[32];
    if (step->sub > 0) snprintf(number, sizeof number, "%d.%d", step->number, step->sub);
    else snprintf(number, sizeof number, "%d", step->number);
    if (colour) ks_buffer_text(out, step->error != 0 ? "\033[33m" : step->begins_rebalance ? "\033[35m" : "\033[36m");
    ks_buffer_printf(out, "%4s  ", number);
    ks_words_seconds(step->time - story->recording->start, out);
    ks_buffer_text(out, "  ");
    ks_words_protocol(story, index, out);
    if (colour) ks_buffer_text(out, "\033[0m");
    ks_buffer_text(out, "\n");
}

/* What came of a step that was told before, when the run had only come so far. */
static void sentence_since(const ks_story *story, const ks_step *step, const ks_filter *filter, ks_buffer *out) {
    for (int32_t f = 0; f < step->facts.count; f++) {
        int32_t event = step->facts.items[f];
        if (event < filter->since) continue;
        if (filter->level == KS_LEVEL_STORY && !ks_words_matters(story->recording->events.items[event].kind)) continue;
        size_t before = out->size;
        if (before > 0) ks_buffer_text(out, " ");
        if (!ks_words_clause(story, event, out)) out->size = before;
    }
}

int32_t ks_narrate(const ks_story *story, const ks_filter *filter, ks_buffer *out) {
    ks_buffer sentence = { 0 };
    int32_t count = 0;
    for (int32_t i = 0; i < story->steps.count; i++) {
        const ks_step *step = &story->steps.items[i];
        bool again = step->event < filter->since; /* facts ascend: the last one says whether there is news */
        if (again && (step->facts.count == 0 || step->facts.items[step->facts.count - 1] < filter->since)) continue;
        /* The end of a pause is part of the story wherever it falls. */
        bool resumes = step->resumes && filter->node == NULL && filter->topic == NULL && filter->group == NULL;
        if (!passes(story, step, filter) && !resumes) continue;
        ks_buffer_clear(&sentence);
        if (again) sentence_since(story, step, filter, &sentence);
        else ks_words_sentence(story, i, &sentence);
        if (again && sentence.size == 0) continue;
        if (++count > filter->most && filter->most > 0) continue;
        head(story, i, filter->colour, out);
        wrapped((const char *)sentence.data, sentence.size, out);
    }
    ks_buffer_deinit(&sentence);
    return count;
}
