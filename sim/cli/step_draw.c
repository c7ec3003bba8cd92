/* SPDX-License-Identifier: Apache-2.0
 * The stepper's screen, from above: where we are; the protocol fact and the sentence; the picture; the timeline; a legend, message or
 * question; the keys. Everything is drawn anew each time (ncurses sends what differs), so that nothing depends on how one came here.
 */
#define _XOPEN_SOURCE_EXTENDED 1
#include "sim/cli/step.h"
#include "sim/cli/text.h"

#include <ncurses.h>
#include <string.h>

enum { LEAST_LINES = 12, LEAST_COLUMNS = 50 };

static void put(int y, int x, int width, const char *text, size_t size) {
    if (width > 0 && y >= 0 && y < LINES) mvaddnstr(y, x, text, (int)ks_text_fit(text, size, width, NULL));
}

static void put_text(int y, int x, int width, const char *text) { put(y, x, width, text, strlen(text)); }

static void put_buffer(int y, ks_buffer *text) {
    ks_text_clean(text);
    put(y, 0, COLS, (const char *)text->data, text->size);
}

static void colour(const ks_stepper *s, int pair, bool on) {
    if (!s->colour) return;
    if (on) attron(COLOR_PAIR(pair));
    else attroff(COLOR_PAIR(pair));
}

/* Wrapped into lines [y, end); what does not fit is said to be there. */
static void paragraph(int y, int end, const char *text, size_t size) {
    while (size > 0 && y < end) {
        size_t take = ks_text_line(text, size, COLS - 2);
        bool last = y == end - 1 && take < size;
        if (last) take = ks_text_line(text, size, COLS - 16);
        put(y, 1, COLS - 2, text, take);
        if (last) addstr(" ... Enter: all");
        text += take;
        size -= take;
        while (size > 0 && (*text == ' ' || *text == '\n')) text++, size--;
        y++;
    }
}

static void draw_head(const ks_stepper *s, const ks_step *step) {
    static const char *const levels[] = { "story", "protocol", "everything" };
    ks_buffer text = { 0 }, right = { 0 };
    const ks_step *last = &s->story->steps.items[s->shown[s->shown_count - 1]];
    ks_buffer_printf(&text, " step %d", step->number);
    if (step->sub > 0) ks_buffer_printf(&text, ".%d", step->sub);
    ks_buffer_printf(&text, " of %d   ", last->number);
    ks_words_seconds(step->time - s->story->recording->start, &text);
    ks_buffer_text(&text, "   ");
    ks_words_escape(ks_str(s->title), &text);
    ks_buffer_printf(&right, "%s%d/s  %s ", s->playing ? "playing " : "", s->speed, levels[s->level]);
    ks_text_clean(&text);
    attron(A_REVERSE);
    for (int x = 0; x < COLS; x++) mvaddch(0, x, ' ');
    int room = COLS - (int)right.size;
    put_text(0, room, (int)right.size, (const char *)right.data);
    put(0, 0, room - 1, (const char *)text.data, text.size);
    attroff(A_REVERSE);
    ks_buffer_deinit(&text);
    ks_buffer_deinit(&right);
}

static void draw_words(const ks_stepper *s, const ks_step *step, int end) {
    ks_buffer text = { 0 };
    ks_buffer_text(&text, " ");
    ks_words_protocol(s->story, s->shown[s->at], &text);
    attron(A_BOLD);
    colour(s, step->error ? 2 : step->begins_rebalance ? 4 : 1, true);
    put_buffer(1, &text);
    colour(s, step->error ? 2 : step->begins_rebalance ? 4 : 1, false);
    attroff(A_BOLD);
    ks_buffer_clear(&text);
    ks_words_sentence(s->story, s->shown[s->at], &text);
    ks_text_clean(&text);
    paragraph(2, end, (const char *)text.data, text.size);
    ks_buffer_deinit(&text);
}

/* ---- the picture ---- */

static void seek(ks_stepper *s, int32_t at) { /* with what came of the step before the next one */
    ks_fold_seek(s->fold, at + 1 < s->shown_count ? s->shown[at + 1] - 1 : s->story->steps.count - 1);
}

static bool changed(const ks_stepper *s, int32_t line) {
    const ks_picture_line *a = &s->picture.lines.items[line], *b = &s->before.lines.items[line];
    return a->size != b->size || memcmp(ks_picture_text(&s->picture, line), ks_picture_text(&s->before, line), a->size) != 0;
}

static void bring_into_sight(ks_stepper *s) {
    for (int32_t i = 0; s->drawn != s->shown[s->at] && i < s->picture.lines.count; i++) {
        const ks_picture_line *line = &s->picture.lines.items[i];
        if (line->heading || !changed(s, i)) continue;
        if (i < s->scroll || i >= s->scroll + s->body) s->scroll = i - s->body / 2;
        break;
    }
    if (s->scroll > s->picture.lines.count - s->body) s->scroll = s->picture.lines.count - s->body;
    if (s->scroll < 0) s->scroll = 0;
    s->drawn = s->shown[s->at];
}

static void draw_line(const ks_stepper *s, int y, int32_t index) {
    const ks_picture_line *line = &s->picture.lines.items[index];
    const char *text = ks_picture_text(&s->picture, index);
    if (line->heading) attron(A_BOLD);
    put(y, 0, COLS, text, line->size);
    if (line->heading) attroff(A_BOLD);
    if (s->at > 0 && changed(s, index)) {
        attron(A_BOLD);
        mvaddch(y, 0, '>');
        attroff(A_BOLD);
    }
    if (line->client < 0) return;
    int x;
    ks_text_fit(text, line->from, COLS, &x);
    attron(A_BOLD);
    colour(s, 1 + line->client % KS_STEP_COLOURS, true);
    put(y, x, COLS - x, text + line->from, line->to - line->from);
    colour(s, 1 + line->client % KS_STEP_COLOURS, false);
    attroff(A_BOLD);
}

static void draw_picture(ks_stepper *s, int y, int end) {
    if (s->at > 0) seek(s, s->at - 1);
    else ks_fold_seek(s->fold, -1);
    ks_picture_draw(&s->before, COLS);
    seek(s, s->at);
    ks_picture_draw(&s->picture, COLS);
    s->body = end - y;
    bool all = s->picture.lines.count <= s->body;
    if (!all) s->body--; /* the last one says how many are out of sight */
    bring_into_sight(s);
    for (int32_t i = 0; i < s->body && s->scroll + i < s->picture.lines.count; i++) draw_line(s, y + i, s->scroll + i);
    if (all) return;
    ks_buffer text = { 0 };
    int32_t below = s->picture.lines.count - s->scroll - s->body;
    ks_buffer_printf(&text, " ... %d line%s above, %d below: [ and ] scroll", s->scroll, s->scroll == 1 ? "" : "s", below);
    put_buffer(end - 1, &text);
    ks_buffer_deinit(&text);
}

/* ---- the foot ---- */

static void draw_timeline(const ks_stepper *s, int y) {
    int width = COLS - 2;
    mvaddch(y, 0, '[');
    for (int i = 0; i < width; i++) {
        int32_t from = (int32_t)((int64_t)i * s->shown_count / width), to = (int32_t)((int64_t)(i + 1) * s->shown_count / width);
        char c = '-';
        for (int32_t k = from; k < to || k == from; k++) { /* with fewer steps than columns each step takes several */
            const ks_step *step = &s->story->steps.items[s->shown[k]];
            if (step->begins_rebalance) c = 'R';
            else if (step->error != 0 && c != 'R') c = '!';
        }
        bool here = from <= s->at && (s->at < to || from == to) && (from < to || from == s->at);
        if (here) attron(A_REVERSE);
        colour(s, c == 'R' ? 4 : c == '!' ? 2 : 1, c != '-');
        mvaddch(y, i + 1, (chtype)c);
        colour(s, c == 'R' ? 4 : c == '!' ? 2 : 1, false);
        if (here) attroff(A_REVERSE);
    }
    mvaddch(y, COLS - 1, ']');
}

static void draw_foot(const ks_stepper *s) {
    draw_timeline(s, LINES - 3);
    if (s->message[0] != '\0') {
        attron(A_BOLD);
        put_text(LINES - 2, 1, COLS - 1, s->message);
        attroff(A_BOLD);
    } else put_text(LINES - 2, 1, COLS - 1, "R rebalance  ! error  > changed here   = committed  + delivered  . not yet");
    put_text(LINES - 1, 1, COLS - 1, COLS >= 80 ? "<- -> step  r rebalance  u until  g jump  / search  space play  ? help  q quit" : "<- -> step  space play  ? help  q quit");
    if (s->question == NULL) return;
    int used;
    size_t size = strlen(s->answer), skip = 0; /* the end of a long answer stays in sight */
    move(LINES - 2, 0);
    clrtoeol();
    put_text(LINES - 2, 1, COLS - 1, s->question);
    int x = 1 + (int)strlen(s->question), room = COLS - x - 1;
    while (room > 0 && skip < size && ks_text_fit(s->answer + skip, size - skip, room, NULL) < size - skip)
        for (skip++; ((unsigned char)s->answer[skip] & 0xC0) == 0x80;) skip++;
    put(LINES - 2, x, room, s->answer + skip, size - skip);
    ks_text_fit(s->answer + skip, size - skip, room, &used);
    move(LINES - 2, x + used);
}

static void draw_overlay(ks_stepper *s) {
    const char *text = s->overlay;
    size_t left = strlen(text);
    int32_t line = 0;
    for (; left > 0; line++) {
        size_t take = ks_text_line(text, left, COLS - 2);
        if (line >= s->overlay_scroll) {
            int y = line - s->overlay_scroll;
            if (y < LINES - 1) put(y, 1, COLS - 2, text, take);
        }
        text += take;
        left -= take;
        if (left > 0 && *text == '\n') text++, left--;
        else while (left > 0 && *text == ' ') text++, left--;
    }
    s->overlay_lines = line;
    attron(A_REVERSE);
    put_text(LINES - 1, 0, COLS, line > LINES - 1 ? " up and down scroll, any other key closes " : " any key closes ");
    attroff(A_REVERSE);
}

void ks_step_draw(ks_stepper *s) {
    erase();
    const ks_step *step = &s->story->steps.items[s->shown[s->at]];
    if (s->overlay != NULL) draw_overlay(s);
    else if (LINES < LEAST_LINES || COLS < LEAST_COLUMNS) put_text(0, 0, COLS, "The window is too small: 50 columns and 12 lines are needed.");
    else {
        int words = LINES / 5 < 3 ? 3 : LINES / 5;
        draw_head(s, step);
        draw_words(s, step, 2 + words);
        draw_picture(s, 2 + words, LINES - 3);
        draw_foot(s);
    }
    curs_set(s->question != NULL ? 1 : 0);
    refresh();
}
