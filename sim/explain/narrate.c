/* SPDX-License-Identifier: Apache-2.0
 * The numbered narrative: the protocol fact of each step, and the sentence.
 */
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"

#include <stdio.h>

enum { WIDTH = 96, INDENT = 6, ROUTE = 40, LEAST_WIDTH = 30 };

void ks_words_wrap(const char *text, size_t size, int32_t indent, int32_t columns, ks_buffer *out) {
    size_t at = 0, width = columns == 0 ? WIDTH : columns - indent < LEAST_WIDTH ? LEAST_WIDTH : (size_t)(columns - indent);
    while (at < size) {
        size_t left = size - at, take = left;
        if (left > width) {
            for (take = width; take > 0 && text[at + take] != ' '; take--) {}
            if (take == 0)
                for (take = width; take < left && text[at + take] != ' '; take++) {}
        }
        for (int32_t i = 0; i < indent; i++) ks_buffer_text(out, " ");
        ks_buffer_append(out, text + at, take);
        ks_buffer_text(out, "\n");
        at += take;
        while (at < size && text[at] == ' ') at++;
    }
}

/* ---- layout ---- */

static void head(const ks_story *story, int32_t index, bool colour, int32_t width, int32_t columns, ks_buffer *out) {
    const ks_step *step = &story->steps.items[index];
    char number[32];
    if (step->sub > 0) snprintf(number, sizeof number, "%d.%d", step->number, step->sub);
    else snprintf(number, sizeof number, "%d", step->number);
    if (colour) ks_buffer_text(out, step->error != 0 ? "\033[33m" : step->begins_rebalance ? "\033[35m" : "\033[36m");
    size_t line = out->size;
    ks_buffer_printf(out, "%4s  ", number);
    ks_words_seconds(step->time - story->recording->start, out);
    ks_buffer_text(out, "  ");
    size_t start = out->size;
    ks_words_route(story, index, out);
    size_t route = out->size - start;
    ks_buffer call = { 0 };
    ks_words_call(story, index, &call);
    if (call.size > 0 && columns > 0 && out->size - line + 2 + call.size > (size_t)columns) { /* too long for the window */
        ks_buffer_text(out, "\n");
        for (int i = 0; i < INDENT; i++) ks_buffer_text(out, " ");
        ks_buffer_append(out, call.data, call.size);
    } else if (call.size > 0) {
        for (size_t i = route; i < (size_t)width; i++) ks_buffer_text(out, " ");
        ks_buffer_text(out, "  ");
        ks_buffer_append(out, call.data, call.size);
    }
    ks_buffer_deinit(&call);
    if (colour) ks_buffer_text(out, "\033[0m");
    ks_buffer_text(out, "\n");
}

/* The sentence of a step, as far as the filter wants it; empty: nothing of it is to be told. */
static bool sentence(const ks_story *story, int32_t index, const ks_filter *filter, ks_buffer *out) {
    const ks_step *step = &story->steps.items[index];
    ks_buffer_clear(out);
    if (step->event >= filter->since) {
        ks_words_sentence(story, index, out);
        return true;
    }
    /* It was told before, when the run had only come so far: what came of it since. Facts ascend, so the last one says whether. */
    bool news = false;
    for (int32_t f = step->facts.count - 1; f >= 0 && step->facts.items[f] >= filter->since && !news; f--)
        news = filter->level != KS_LEVEL_STORY || step->resumes || ks_words_matters(story->recording->events.items[step->facts.items[f]].kind);
    if (news) ks_words_news(story, index, filter->since, out);
    return out->size > 0;
}

int32_t ks_narrate(const ks_story *story, const ks_filter *filter, ks_buffer *out) {
    ks_buffer text = { 0 };
    int32_t count = 0, width = 0; /* of the routes, so that the calls stand below each other */
    for (int32_t i = 0; i < story->steps.count; i++) {
        if (story->steps.items[i].api_key < 0 || !ks_filter_passes(story, i, filter)) continue;
        ks_buffer_clear(&text);
        ks_words_route(story, i, &text);
        bool wide = filter->columns == 0 || filter->columns > WIDTH;
        if ((int32_t)text.size > width && text.size <= ROUTE && wide) width = (int32_t)text.size;
    }
    for (int32_t i = 0; i < story->steps.count; i++) {
        if (!ks_filter_passes(story, i, filter) || !sentence(story, i, filter, &text)) continue;
        if (++count > filter->most && filter->most > 0) continue;
        head(story, i, filter->colour, width, filter->columns, out);
        ks_words_wrap((const char *)text.data, text.size, INDENT, filter->columns, out);
    }
    ks_buffer_deinit(&text);
    return count;
}

/* ---- what is shown ---- */

static bool begins(ks_string line, const char *word) {
    int32_t size = (int32_t)strlen(word);
    return line.size > size && memcmp(line.data, word, (size_t)size) == 0;
}

static bool mentions(ks_string line, const char *word) {
    int32_t size = (int32_t)strlen(word);
    for (int32_t i = 0; i + size <= line.size; i++)
        if (memcmp(line.data + i, word, (size_t)size) == 0) return true;
    return false;
}

void ks_narrate_head(const ks_story *story, const char *title, ks_buffer *out) {
    static const char *const declare[] = { "cluster ", "topic ", "producer ", "consumer " };
    ks_string scenario = story->recording->scenario;
    ks_words_escape(ks_str(title), out);
    if (story->recording->seed.size > 0) ks_buffer_printf(out, ", seed %.*s", (int)story->recording->seed.size, story->recording->seed.data);
    ks_buffer_text(out, "\n");
    for (int32_t start = 0, end; start < scenario.size; start = end + 1) {
        for (end = start; end < scenario.size && scenario.data[end] != '\n'; end++) {}
        ks_string line = { scenario.data + start, end - start };
        bool declares = false;
        for (size_t i = 0; i < sizeof declare / sizeof *declare; i++) declares = declares || begins(line, declare[i]);
        if (!declares) continue;
        ks_buffer_text(out, "      ");
        ks_words_escape(line, out);
        if (begins(line, "consumer ") && !mentions(line, " client=")) ks_buffer_text(out, "  # Java's consumer");
        ks_buffer_text(out, "\n");
    }
    ks_buffer_text(out, "\n");
}
