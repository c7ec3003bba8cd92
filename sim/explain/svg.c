/* SPDX-License-Identifier: Apache-2.0
 * Swim lanes of the steps that matter, for slides and handouts: one drawing, no script, legible in black and white.
 */
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

#include <kafkasim/error.h>

enum { LEFT = 96, LANE = 170, ROW = 46, TOP = 54, MOST_LANES = 24, MOST_ROWS = 400 };

static void xml(ks_string text, ks_buffer *out) {
    ks_buffer safe = { 0 };
    ks_words_escape(text, &safe);
    for (size_t i = 0; i < safe.size; i++) {
        char c = (char)safe.data[i];
        if (c == '<') ks_buffer_text(out, "&lt;");
        else if (c == '>') ks_buffer_text(out, "&gt;");
        else if (c == '&') ks_buffer_text(out, "&amp;");
        else if (c == '"') ks_buffer_text(out, "&quot;");
        else ks_buffer_append(out, &c, 1);
    }
    ks_buffer_deinit(&safe);
}

typedef struct lanes { ks_string names[MOST_LANES]; int count; } lanes;

static int lane(lanes *l, ks_string name) {
    for (int i = 0; i < l->count; i++)
        if (ks_string_equal(l->names[i], name)) return i;
    if (l->count == MOST_LANES) return -1;
    l->names[l->count] = name;
    return l->count++;
}

static bool ends(const ks_recorded *event, ks_string *from, ks_string *to, int16_t *key, int16_t *error) {
    if (event->kind == ks_describe_ev_request_received()) {
        const ks_ev_request_received *q = event->fields;
        *from = q->from, *to = q->to, *key = q->api_key, *error = 0;
        return true;
    }
    if (event->kind == ks_describe_ev_response_sent()) {
        const ks_ev_response_sent *p = event->fields;
        *from = p->from, *to = p->to, *key = p->api_key, *error = p->error_code;
        return true;
    }
    return false;
}

void ks_explanation_svg(const ks_story *story, const char *title, ks_buffer *out) {
    lanes l = { .count = 0 };
    ks_string from, to;
    int16_t key, error;
    int rows = 0;
    for (int32_t i = 0; i < story->steps.count && rows < MOST_ROWS; i++) {
        if (!story->steps.items[i].important) continue;
        rows++;
        if (ends(&story->recording->events.items[story->steps.items[i].event], &from, &to, &key, &error)) lane(&l, from), lane(&l, to);
    }
    int width = LEFT + LANE * (l.count > 0 ? l.count : 1) + 520, height = TOP + ROW * rows + 20, row = 0;
    ks_buffer_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" font-family=\"DejaVu Sans, sans-serif\" font-size=\"13\">\n", width, height, width, height);
    ks_buffer_text(out, "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<title>");
    xml(ks_str(title), out);
    ks_buffer_text(out, "</title>\n");
    for (int i = 0; i < l.count; i++) {
        int x = LEFT + LANE * i + LANE / 2;
        ks_buffer_printf(out, "<text x=\"%d\" y=\"26\" text-anchor=\"middle\" font-weight=\"bold\">", x);
        xml(l.names[i], out);
        ks_buffer_printf(out, "</text><line x1=\"%d\" y1=\"36\" x2=\"%d\" y2=\"%d\" stroke=\"#bbb\"/>\n", x, x, height - 10);
    }
    ks_buffer sentence = { 0 };
    for (int32_t i = 0; i < story->steps.count && row < rows; i++) {
        const ks_step *step = &story->steps.items[i];
        if (!step->important) continue;
        int y = TOP + ROW * row++;
        ks_buffer_printf(out, "<text x=\"8\" y=\"%d\"><tspan font-weight=\"bold\">%d</tspan> <tspan fill=\"#555\">", y + 4, step->number);
        ks_words_seconds(step->time - story->recording->start, out);
        ks_buffer_text(out, "</tspan></text>");
        if (ends(&story->recording->events.items[step->event], &from, &to, &key, &error)) {
            int a = lane(&l, from), b = lane(&l, to);
            if (a >= 0 && b >= 0) {
                int xa = LEFT + LANE * a + LANE / 2, xb = LEFT + LANE * b + LANE / 2, d = xb > xa ? 1 : -1;
                const char *colour = error != 0 || step->error != 0 ? "#9a3b00" : "#0b5cad";
                ks_buffer_printf(out, "<path d=\"M%d %d L%d %d\" stroke=\"%s\" stroke-width=\"2\"%s fill=\"none\"/><path d=\"M%d %d l%d -4 l0 8 z\" fill=\"%s\"/>", xa, y, xb - 6 * d, y + 8, colour,
                                 step->kind == KS_STEP_REPLY ? " stroke-dasharray=\"6 4\"" : "", xb, y + 8, -9 * d, colour);
                ks_buffer_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s%s%s</text>", (xa + xb) / 2, y - 3, ks_api_name(key),
                                 step->error ? " " : "", step->error ? kafka_error_name((kafka_error)step->error) : "");
            }
        }
        ks_buffer_clear(&sentence);
        ks_words_sentence(story, i, &sentence);
        int32_t shown = sentence.size > 72 ? 72 : (int32_t)sentence.size;
        while (shown > 0 && shown < (int32_t)sentence.size && (sentence.data[shown] & 0xC0) == 0x80) shown--;
        ks_buffer_printf(out, "<text x=\"%d\" y=\"%d\">", LEFT + LANE * l.count + 8, y + 4);
        xml((ks_string){ (const char *)sentence.data, shown }, out);
        if (shown < (int32_t)sentence.size) ks_buffer_text(out, "…");
        ks_buffer_text(out, "</text>\n");
    }
    ks_buffer_deinit(&sentence);
    ks_buffer_text(out, "</svg>\n");
}
