/* SPDX-License-Identifier: Apache-2.0
 * Swim lanes with the sentences of chosen steps, for slides and handouts: one drawing, no script, no font of its own. It brings its
 * own light card, so that it reads the same on a light and on a dark slide, and in black and white: lines that are dashed are
 * answers, a bar is a request whose answer is held, and each consumer has a sign beside its colour (those of the page).
 */
#include "sim/explain/fold.h"
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

#include <kafkasim/error.h>

enum {
    WIDTH = 1280, MARGIN = 28, GUTTER = 96, SAY = 452, TOP = 128, ROW = 62, LINE = 22, LINES = 6, SIZE = 16, SMALL = 14,
    LANES_LEFT = MARGIN + GUTTER, LANES_RIGHT = WIDTH - MARGIN - SAY - 26,
    LANES_MAX = 8,    /* of more processes all clients share a lane */
    MEMBERS_MAX = 64, /* colours and signs come again after so many */
    CHIPS_MAX = 40    /* partitions in the last line */
};

static const char *const colours[] = { "#0069a8", "#b64d00", "#00705a", "#9c2f78", "#75600a", "#5648ae", "#a02030", "#4a4f55" };
static const char *const signs[] = { "●", "■", "▲", "◆", "★", "▼", "✚", "✖" };

typedef struct names { ks_string items[MEMBERS_MAX]; int32_t count; } names;

typedef struct drawing {
    const ks_story *story;
    ks_buffer *out;
    names nodes, members;   /* nodes: of the steps drawn, clients first */
    int32_t clients;
    bool shared;            /* all clients share the first lane */
    KS_VEC(int32_t) steps;  /* indexes of the steps drawn */
    KS_VEC(int32_t) held;   /* of those that are held, the row in which they are answered; -1: they were not held */
} drawing;

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

/* ---- text that has to fit ---- */

/* How wide a letter is at most in the usual fonts, in hundredths of the size of the letters. */
static int32_t letter_width(uint8_t c) {
    if ((c & 0xC0) == 0x80) return 0; /* belongs to the letter before */
    if (c >= 0x80 || strchr("mwMW%@", c) != NULL) return 100;
    if (strchr("ijl.,:;'|!()[] ", c) != NULL) return 40;
    if (strchr("<>=+~", c) != NULL) return 84;
    return c >= 'A' && c <= 'Z' ? 72 : 64;
}

static int32_t width_of(ks_string text, int32_t size) {
    int32_t width = 0;
    for (int32_t i = 0; i < text.size; i++) width += letter_width((uint8_t)text.data[i]);
    return width * size / 100;
}

/* The bytes of whole letters that fit in `room`. */
static int32_t fitting(ks_string text, int32_t size, int32_t room) {
    int32_t width = 0, i = 0;
    for (; i < text.size; i++) {
        width += letter_width((uint8_t)text.data[i]);
        if (width * size / 100 > room) break;
    }
    while (i < text.size && i > 0 && ((uint8_t)text.data[i] & 0xC0) == 0x80) i--;
    return i;
}

static void cut(ks_string text, int32_t size, int32_t room, ks_buffer *out) {
    ks_buffer safe = { 0 };
    ks_words_escape(text, &safe);
    ks_string all = { (const char *)safe.data, (int32_t)safe.size };
    bool whole = width_of(all, size) <= room;
    xml((ks_string){ all.data, whole ? all.size : fitting(all, size, room - size) }, out);
    if (!whole) ks_buffer_text(out, "…");
    ks_buffer_deinit(&safe);
}

/* Takes one line off the text: up to a blank if there is one in its second half. */
static ks_string next_line(ks_string *text) {
    int32_t take = fitting(*text, SIZE, SAY);
    if (take == 0) take = text->size;
    if (take < text->size)
        for (int32_t i = take; i > take / 2; i--)
            if (text->data[i] == ' ') { take = i; break; }
    ks_string line = { text->data, take };
    while (take < text->size && text->data[take] == ' ') take++;
    *text = (ks_string){ text->data + take, text->size - take };
    return line;
}

/* ---- names ---- */

static int32_t find(const names *list, ks_string name) {
    for (int32_t i = 0; i < list->count; i++)
        if (ks_string_equal(list->items[i], name)) return i;
    return -1;
}

static void note(names *list, ks_string name) {
    if (name.size > 0 && list->count < MEMBERS_MAX && find(list, name) < 0) list->items[list->count++] = name;
}

static bool is_broker(ks_string name) { return name.size > 7 && memcmp(name.data, "broker-", 7) == 0; }

static bool ends(const ks_recorded *event, ks_string *from, ks_string *to, int16_t *key) {
    const ks_ev_request_received *q = event->fields;
    const ks_ev_response_sent *p = event->fields;
    if (event->kind == ks_describe_ev_request_received()) *from = q->from, *to = q->to, *key = q->api_key;
    else if (event->kind == ks_describe_ev_response_sent()) *from = p->from, *to = p->to, *key = p->api_key;
    else return false;
    return true;
}

static const ks_recorded *event_of(const drawing *d, int32_t step) { return &d->story->recording->events.items[d->story->steps.items[step].event]; }

static bool is_answer(const drawing *d, int32_t step) { return event_of(d, step)->kind == ks_describe_ev_response_sent(); }

/* The process in which a step that is no message happened, or that it started or ended. */
static ks_string whose_life(const drawing *d, const ks_step *step, bool *died) {
    const ks_recorded *first = &d->story->recording->events.items[step->event];
    for (int32_t f = 0; f < step->facts.count; f++) {
        const ks_recorded *event = &d->story->recording->events.items[step->facts.items[f]];
        const ks_ev_node_started *life = event->fields; /* the four kinds are alike */
        *died = event->kind == ks_describe_ev_node_crashed();
        if (*died || event->kind == ks_describe_ev_node_started() || event->kind == ks_describe_ev_node_paused() || event->kind == ks_describe_ev_node_resumed()) return life->name;
    }
    return first->node;
}

static void gather_members(drawing *d) { /* in the order of the page, so that the colours are the same */
    const ks_recording *recording = d->story->recording;
    for (int32_t i = 0; i < recording->events.count; i++) {
        const ks_recorded *event = &recording->events.items[i];
        const ks_ev_group_member_joined *joined = event->fields;
        const ks_ev_client_partitions_assigned *assigned = event->fields;
        if (event->kind == ks_describe_ev_group_member_joined()) note(&d->members, ks_words_member(d->story, -1, joined->member));
        else if (event->kind == ks_describe_ev_client_partitions_assigned()) note(&d->members, assigned->client);
    }
}

static void gather_nodes(drawing *d) { /* members, other clients, brokers: of each those that the steps show */
    names used = { .count = 0 };
    ks_string from, to;
    int16_t key;
    for (int32_t i = 0; i < d->steps.count; i++) {
        const ks_recorded *event = event_of(d, d->steps.items[i]);
        bool died;
        if (!ends(event, &from, &to, &key)) from = whose_life(d, &d->story->steps.items[d->steps.items[i]], &died), to = KS_NULL_STRING;
        note(&used, from);
        note(&used, to);
    }
    for (int32_t m = 0; m < d->members.count; m++)
        if (find(&used, d->members.items[m]) >= 0) note(&d->nodes, d->members.items[m]);
    for (int brokers = 0; brokers < 2; brokers++) {
        for (int32_t i = 0; i < used.count; i++)
            if (is_broker(used.items[i]) == (brokers == 1)) note(&d->nodes, used.items[i]);
        if (brokers == 0) d->clients = d->nodes.count;
    }
    d->shared = d->nodes.count > LANES_MAX && d->clients > 1;
}

/* ---- lanes ---- */

static int32_t lane_count(const drawing *d) { return d->shared ? d->nodes.count - d->clients + 1 : d->nodes.count; }

static int32_t lane_x(const drawing *d, ks_string name) {
    int32_t index = find(&d->nodes, name), count = lane_count(d);
    if (index < 0) return -1;
    if (d->shared) index = index < d->clients ? 0 : index - d->clients + 1;
    int32_t left = LANES_LEFT + (d->shared ? 120 : 0), room = (LANES_RIGHT - left) / (count > 0 ? count : 1);
    return left + room * index + room / 2;
}

static const char *ink(const drawing *d, ks_string name) {
    int32_t member = find(&d->members, name);
    return member < 0 ? "#171b20" : colours[member % 8];
}

static void signed_name(const drawing *d, ks_string name, int32_t size, int32_t room, ks_buffer *out) {
    int32_t member = find(&d->members, name);
    if (member >= 0) ks_buffer_printf(out, "%s ", signs[(member + member / 8) % 8]);
    cut(name, size, room - (member >= 0 ? size * 4 / 3 : 0), out);
}

static void text_at(drawing *d, int32_t x, int32_t y, const char *attributes) { ks_buffer_printf(d->out, "<text x=\"%d\" y=\"%d\" %s>", x, y, attributes); }

static void heads(drawing *d, int32_t bottom) {
    int32_t count = lane_count(d), room = (LANES_RIGHT - LANES_LEFT) / (count > 0 ? count : 1);
    for (int32_t i = 0; i < d->nodes.count; i++) {
        if (d->shared && i > 0 && i < d->clients) continue;
        ks_string name = d->nodes.items[i];
        int32_t x = lane_x(d, name);
        ks_buffer_printf(d->out, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#c9c5b9\" stroke-width=\"1.5\"/>\n", x, TOP - 12, x, bottom);
        ks_buffer_printf(d->out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" font-weight=\"700\" fill=\"%s\">", x, TOP - 22, d->shared && i == 0 ? "#171b20" : ink(d, name));
        if (d->shared && i == 0) ks_buffer_text(d->out, "clients");
        else signed_name(d, name, SIZE + 1, room - 8, d->out); /* bold */
        ks_buffer_text(d->out, "</text>\n");
    }
}

static void arrow(drawing *d, int32_t from, int32_t to, int32_t y, bool answer, bool bad) {
    int32_t way = to > from ? 1 : -1;
    const char *colour = bad ? "#a63a00" : "#1259a8";
    ks_buffer_printf(d->out, "<path d=\"M%d %dH%d\" stroke=\"%s\" stroke-width=\"2.4\"%s fill=\"none\"/><path d=\"M%d %dl%d -6v12z\" fill=\"%s\"/>", from, y, to - 10 * way, colour,
                     answer ? " stroke-dasharray=\"7 5\"" : "", to, y, -12 * way, colour);
}

static void label(drawing *d, int32_t middle, int32_t y, const char *text, const char *more, bool bad) {
    int32_t half = (int32_t)(strlen(text) + strlen(more)) * 4 + 4;
    int32_t x = middle < LANES_LEFT + half ? LANES_LEFT + half : middle > LANES_RIGHT + 16 - half ? LANES_RIGHT + 16 - half : middle;
    text_at(d, x, y, bad ? "text-anchor=\"middle\" font-size=\"14\" font-weight=\"700\" fill=\"#a63a00\" class=\"halo\"" : "text-anchor=\"middle\" font-size=\"14\" class=\"halo\"");
    ks_buffer_printf(d->out, "%s%s</text>", text, more);
}

static void picture(drawing *d, int32_t index, int32_t y) {
    const ks_step *step = &d->story->steps.items[index];
    const ks_recorded *event = event_of(d, index);
    ks_string from, to;
    int16_t key;
    if (!ends(event, &from, &to, &key)) { /* something happened, in a process or from outside */
        bool died = false;
        int32_t x = lane_x(d, whose_life(d, step, &died));
        if (x >= 0) ks_buffer_printf(d->out, "<circle cx=\"%d\" cy=\"%d\" r=\"9\" fill=\"#fffefb\" stroke=\"%s\" stroke-width=\"2.4\"/>", x, y + 26, died ? "#a63a00" : "#171b20");
        if (died) ks_buffer_printf(d->out, "<path d=\"M%d %dl8 8m0 -8l-8 8\" stroke=\"#a63a00\" stroke-width=\"2.4\"/>", x - 4, y + 22);
        return;
    }
    int32_t a = lane_x(d, from), b = lane_x(d, to);
    bool reply = is_answer(d, index);
    if (a < 0 || b < 0) return;
    if (d->shared && find(&d->nodes, reply ? to : from) < d->clients) {
        ks_string client = reply ? to : from;
        ks_buffer_printf(d->out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" font-weight=\"700\" font-size=\"14\" fill=\"%s\">", (reply ? b : a) - 12, y + 34, ink(d, client));
        signed_name(d, client, SMALL + 1, 150, d->out);
        ks_buffer_text(d->out, "</text>");
    }
    const char *error = step->error != 0 ? kafka_error_name((kafka_error)step->error) : "";
    arrow(d, a, b, y + 26, reply, reply && step->error != 0);
    label(d, (a + b) / 2, y + 19, ks_api_name(key), reply ? " answered" : step->answered ? "" : " (held)", false);
    if (!reply && step->answered) arrow(d, b, a, y + 46, true, step->error != 0);
    if (step->error != 0) label(d, (a + b) / 2, y + 40, error, "", true);
}

static void number(const drawing *d, int32_t index) {
    const ks_step *step = &d->story->steps.items[index];
    ks_buffer_printf(d->out, step->sub > 0 ? "%d.%d" : "%d", step->number, step->sub);
}

static void say(drawing *d, int32_t index, ks_string sentence, int32_t y) {
    const ks_step *step = &d->story->steps.items[index];
    bool much = step->number > 999 || (step->sub > 0 && step->number > 99) || step->sub > 99; /* the diamond stands beside it */
    text_at(d, MARGIN, y + 28, much ? "font-weight=\"700\" font-size=\"14\"" : "font-weight=\"750\" font-size=\"22\"");
    number(d, index);
    ks_buffer_text(d->out, "</text>");
    if (step->begins_rebalance) ks_buffer_printf(d->out, "<path d=\"M%d %dl6 6l-6 6l-6 -6z\" fill=\"#c79200\"/>", MARGIN + 66, y + 14);
    text_at(d, MARGIN, y + 48, "font-size=\"14\" fill=\"#555d66\"");
    ks_words_seconds(step->time - d->story->recording->start, d->out);
    ks_buffer_text(d->out, "</text>");
    for (int32_t line = 0; line < LINES && sentence.size > 0; line++) {
        text_at(d, WIDTH - MARGIN - SAY, y + 26 + LINE * line, "");
        ks_string words = next_line(&sentence);
        xml(words, d->out);
        ks_buffer_text(d->out, line + 1 == LINES && sentence.size > 0 ? "…</text>" : "</text>");
    }
    ks_buffer_text(d->out, "\n");
}

/* A request whose answer is held: a bar on the lane of who holds it, from its row to the row of the answer. */
static void held_bars(drawing *d, const int32_t *tops) {
    ks_string from, to;
    int16_t key;
    for (int32_t i = 0; i < d->steps.count; i++) {
        if (d->held.items[i] < 0 || !ends(event_of(d, d->steps.items[i]), &from, &to, &key)) continue;
        int32_t last = d->held.items[i], x = lane_x(d, to);
        int32_t bottom = last < d->steps.count && is_answer(d, d->steps.items[last]) ? tops[last] + 26 : tops[last];
        if (x >= 0) ks_buffer_printf(d->out, "<rect x=\"%d\" y=\"%d\" width=\"9\" height=\"%d\" rx=\"3\" fill=\"#8a5a00\"/>\n", x - 4, tops[i] + 26, bottom - tops[i] - 26);
    }
}

/* ---- who owns what in the end ---- */

static int32_t one_chip(drawing *d, ks_string text, ks_string owner, int32_t x, int32_t *y) { /* owner null: an empty one */
    enum { MOST = 400 };
    int32_t member = find(&d->members, owner), wide = width_of(text, SIZE) + (member < 0 ? 24 : 46);
    if (wide > MOST) wide = MOST;
    if (x + wide > WIDTH - MARGIN) x = MARGIN, *y += 36;
    ks_buffer_printf(d->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"28\" rx=\"7\" fill=\"%s\" stroke=\"%s\"%s/>", x, *y, wide, owner.size < 0 ? "#fffefb" : ink(d, owner),
                     owner.size < 0 ? "#555d66" : "none", owner.size < 0 ? " stroke-dasharray=\"4 3\"" : "");
    ks_buffer_printf(d->out, "<text x=\"%d\" y=\"%d\" font-size=\"15\" font-weight=\"700\" fill=\"%s\">", x + 10, *y + 19, owner.size < 0 ? "#171b20" : "#fffefb");
    if (member >= 0) ks_buffer_printf(d->out, "%s ", signs[(member + member / 8) % 8]);
    cut(text, SIZE, MOST - 46, d->out);
    ks_buffer_text(d->out, "</text>\n");
    return x + wide + 8;
}

static int32_t owners(drawing *d, int32_t y) {
    ks_fold *fold = ks_fold_new(d->story);
    int32_t last = d->steps.items[d->steps.count - 1];
    while (last + 1 < d->story->steps.count && d->story->steps.items[last + 1].sub > 0) last++;
    ks_fold_seek(fold, last);
    for (int32_t g = 0; g < fold->group_count; g++) {
        const ks_fold_group *group = &fold->groups[g];
        int32_t x = MARGIN, chips = 0;
        if (!group->exists) continue;
        text_at(d, x, y + 14, "font-weight=\"700\"");
        cut(group->name, SIZE + 1, 700, d->out);
        ks_buffer_printf(d->out, "<tspan font-weight=\"400\" fill=\"#555d66\"> after step %d</tspan></text>", d->story->steps.items[last].number);
        y += 26;
        for (int32_t p = 0; p < fold->partition_count && chips <= CHIPS_MAX; p++) {
            if (group->shares[p].owner < 0 && group->shares[p].committed < 0) continue;
            ks_buffer text = { 0 };
            ks_string owner = group->shares[p].owner < 0 ? KS_LITERAL("nobody") : fold->clients[group->shares[p].owner];
            ks_words_escape(fold->partitions[p].topic, &text);
            ks_buffer_printf(&text, "[%d] ", fold->partitions[p].partition);
            ks_words_escape(owner, &text);
            ks_string all = chips == CHIPS_MAX ? KS_LITERAL("...") : (ks_string){ (const char *)text.data, (int32_t)text.size };
            x = one_chip(d, all, group->shares[p].owner < 0 || chips == CHIPS_MAX ? KS_NULL_STRING : owner, x, &y);
            chips++;
            ks_buffer_deinit(&text);
        }
        y += chips > 0 ? 46 : 20;
    }
    ks_fold_free(fold);
    return y;
}

/* ---- the whole ---- */

static void choose(drawing *d, const ks_filter *filter) {
    for (int32_t i = 0; i < d->story->steps.count; i++)
        if (ks_filter_passes(d->story, i, filter)) KS_PUSH(d->steps, i);
}

/* Which row answers a held request: the first drawn row at or after the answer. */
static void pair(drawing *d) {
    for (int32_t i = 0; i < d->steps.count; i++) {
        const ks_step *step = &d->story->steps.items[d->steps.items[i]];
        int32_t row = -1;
        if (event_of(d, d->steps.items[i])->kind == ks_describe_ev_request_received() && !step->answered) {
            int32_t answer = step->other;
            for (row = i + 1; row < d->steps.count && (answer < 0 || d->steps.items[row] < answer); row++) {}
        }
        KS_PUSH(d->held, row);
    }
}

int32_t ks_explanation_svg(const ks_story *story, const char *title, const ks_filter *filter, ks_buffer *out) {
    ks_buffer body = { 0 }, sentence = { 0 };
    drawing d = { .story = story, .out = &body };
    choose(&d, filter);
    gather_members(&d);
    gather_nodes(&d);
    pair(&d);
    int32_t *tops = ks_alloc(((size_t)d.steps.count + 1) * sizeof *tops), y = TOP;
    for (int32_t i = 0; i < d.steps.count; i++) {
        tops[i] = y;
        ks_buffer_clear(&sentence);
        ks_words_sentence(story, d.steps.items[i], &sentence);
        ks_string rest = { (const char *)sentence.data, (int32_t)sentence.size };
        int32_t lines = 0;
        while (lines < LINES && rest.size > 0) next_line(&rest), lines++;
        y += lines * LINE + 26 > ROW ? lines * LINE + 26 : ROW;
    }
    tops[d.steps.count] = y;
    heads(&d, y);
    held_bars(&d, tops);
    for (int32_t i = 0; i < d.steps.count; i++) {
        ks_buffer_clear(&sentence);
        ks_words_sentence(story, d.steps.items[i], &sentence);
        ks_buffer_printf(&body, "<path d=\"M%d %dH%d\" stroke=\"#e6e2d8\"/>", MARGIN, tops[i], WIDTH - MARGIN);
        picture(&d, d.steps.items[i], tops[i]);
        say(&d, d.steps.items[i], (ks_string){ (const char *)sentence.data, (int32_t)sentence.size }, tops[i]);
    }
    if (d.steps.count > 0) {
        y = owners(&d, y + 20);
        text_at(&d, MARGIN, 66, "font-size=\"14\" fill=\"#555d66\"");
        ks_buffer_text(&body, "steps ");
        number(&d, d.steps.items[0]);
        ks_buffer_text(&body, " to ");
        number(&d, d.steps.items[d.steps.count - 1]);
        ks_buffer_text(&body, "</text>\n");
    } else {
        text_at(&d, MARGIN, TOP, "");
        ks_buffer_text(&body, "No step was chosen.</text>\n");
    }
    int32_t height = y + 24;
    ks_buffer_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" font-family=\"system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\" font-size=\"16\" fill=\"#171b20\">\n<title>", WIDTH, height, WIDTH, height);
    xml(ks_str(title), out);
    ks_buffer_text(out, "</title>\n<style>.halo { paint-order: stroke; stroke: #fffefb; stroke-width: 5px; stroke-linejoin: round }</style>\n");
    ks_buffer_printf(out, "<rect x=\".5\" y=\".5\" width=\"%d\" height=\"%d\" rx=\"16\" fill=\"#fffefb\" stroke=\"#d9d6cc\"/>\n<text x=\"%d\" y=\"44\" font-size=\"24\" font-weight=\"700\">", WIDTH - 1, height - 1, MARGIN);
    cut(ks_str(title), 25, WIDTH - 2 * MARGIN, out);
    ks_buffer_text(out, "</text>\n");
    ks_buffer_append(out, body.data, body.size);
    ks_buffer_text(out, "</svg>\n");
    int32_t drawn = d.steps.count;
    ks_free(tops);
    ks_free(d.steps.items);
    ks_free(d.held.items);
    ks_buffer_deinit(&sentence);
    ks_buffer_deinit(&body);
    return drawn;
}
