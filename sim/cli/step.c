/* SPDX-License-Identifier: Apache-2.0
 *
 * `ksim step FILE`: the run, a screen at a time, forward and back. ncurses draws; the state comes from the fold of the trace, so
 * back is exact.
 */
#define _XOPEN_SOURCE_EXTENDED 1
#define _POSIX_C_SOURCE 200809L
#include "sim/cli/command.h"
#include "sim/cli/open.h"
#include "sim/explain/fold.h"

#include <locale.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEAST_LINES = 12, LEAST_COLUMNS = 40, CLIENT_COLOURS = 6 };

typedef struct stepper {
    const ks_story *story;
    ks_fold *fold;
    int32_t *shown, shown_count; /* steps without sub-steps, as indexes */
    int32_t at;                  /* index into shown */
    bool playing, colour;
    int speed;                   /* steps a second */
    char message[200];
    char search[128];
} stepper;

static int32_t step_index(const stepper *s) { return s->shown_count > 0 ? s->shown[s->at] : -1; }

/* ---- drawing ---- */

static void put(int y, int x, int width, const char *text, size_t size) {
    if (width <= 0) return;
    move(y, x);
    /* Bytes were made harmless before (ks_words_escape); here they are only cut, at a character's border. */
    int columns = 0;
    size_t i = 0;
    while (i < size && columns < width) {
        size_t n = 1;
        while (i + n < size && ((unsigned char)text[i + n] & 0xC0) == 0x80) n++;
        addnstr(text + i, (int)n);
        i += n;
        columns++;
    }
}

static void put_text(int y, int x, int width, const char *text) { put(y, x, width, text, strlen(text)); }

static int paragraph(int y, int last, int width, const char *text, size_t size) {
    size_t at = 0;
    while (at < size && y <= last) {
        size_t take = size - at;
        if (take > (size_t)width) {
            for (take = (size_t)width; take > 0 && text[at + take] != ' '; take--) {}
            if (take == 0) take = (size_t)width;
        }
        put(y++, 0, width, text + at, take);
        at += take;
        while (at < size && text[at] == ' ') at++;
    }
    return y;
}

static void client_colour(const stepper *s, int32_t client, bool on) {
    if (!s->colour || client < 0) return;
    if (on) attron(COLOR_PAIR(1 + client % CLIENT_COLOURS) | A_BOLD);
    else attroff(COLOR_PAIR(1 + client % CLIENT_COLOURS) | A_BOLD);
}

static int draw_groups(const stepper *s, int y, int last) {
    for (int32_t g = 0; g < s->fold->group_count && y <= last; g++) {
        const ks_fold_group *group = &s->fold->groups[g];
        ks_buffer text = { 0 };
        ks_words_escape(group->name, &text);
        if (group->exists) {
            ks_buffer_text(&text, "  ");
            ks_words_escape(group->state, &text);
            ks_buffer_printf(&text, ", generation %d", group->generation);
        } else ks_buffer_text(&text, "  not there yet");
        attron(A_BOLD);
        put(y++, 0, COLS, (const char *)text.data, text.size);
        attroff(A_BOLD);
        ks_buffer_deinit(&text);
    }
    return y;
}

/* One line a partition: name, owner, a bar of what is committed, delivered, written, and the numbers. */
static int draw_partitions(const stepper *s, int y, int last) {
    for (int32_t p = 0; p < s->fold->partition_count && y <= last; p++) {
        const ks_fold_partition *partition = &s->fold->partitions[p];
        int32_t owner = -1;
        int64_t committed = -1, position = -1;
        for (int32_t g = 0; g < s->fold->group_count; g++) {
            const ks_fold_share *share = &s->fold->groups[g].shares[p];
            if (share->owner >= 0) owner = share->owner;
            if (share->committed > committed) committed = share->committed;
            if (share->position > position) position = share->position;
        }
        ks_buffer text = { 0 };
        ks_words_escape(partition->topic, &text);
        ks_buffer_printf(&text, "[%d]", partition->partition);
        put(y, 1, 18, (const char *)text.data, text.size);
        ks_buffer_clear(&text);
        if (!partition->exists) ks_buffer_text(&text, "not there yet");
        else if (owner >= 0) ks_words_escape(s->fold->clients[owner], &text);
        else ks_buffer_text(&text, "nobody");
        client_colour(s, owner, true);
        put(y, 20, 13, (const char *)text.data, text.size);
        client_colour(s, owner, false);
        ks_buffer_clear(&text);
        int bar = COLS - 34 - 34;
        if (bar >= 10) {
            int64_t span = partition->end - partition->start, most = span > bar ? span : bar;
            mvaddch(y, 34, '|');
            for (int i = 0; i < bar && i < span; i++) {
                int64_t offset = partition->start + i * most / bar;
                addch(offset < committed ? '=' : offset < position ? '+' : '.');
            }
        }
        ks_buffer_printf(&text, "end %lld", (long long)partition->end);
        if (position >= 0) ks_buffer_printf(&text, "  read %lld", (long long)position);
        if (committed >= 0) ks_buffer_printf(&text, "  committed %lld", (long long)committed);
        put(y, COLS - 34 > 34 ? COLS - 34 : 34, 34, (const char *)text.data, text.size);
        ks_buffer_deinit(&text);
        y++;
    }
    return y;
}

static void draw_timeline(const stepper *s, int y) {
    int width = COLS - 2;
    mvaddch(y, 0, '[');
    for (int i = 0; i < width; i++) {
        int32_t from = (int32_t)((int64_t)i * s->shown_count / width), to = (int32_t)((int64_t)(i + 1) * s->shown_count / width);
        char c = '-';
        for (int32_t k = from; k < to || k == from; k++) {
            if (k >= s->shown_count) break;
            const ks_step *step = &s->story->steps.items[s->shown[k]];
            if (step->begins_rebalance) c = 'R';
            else if (step->error != 0 && c != 'R') c = '!';
        }
        if (from <= s->at && (s->at < to || from == to)) attron(A_REVERSE);
        addch((chtype)c);
        attroff(A_REVERSE);
    }
    addch(']');
}

static void draw(stepper *s) {
    erase();
    if (LINES < LEAST_LINES || COLS < LEAST_COLUMNS) {
        put_text(0, 0, COLS, "The window is too small.");
        refresh();
        return;
    }
    int32_t index = step_index(s);
    const ks_step *step = &s->story->steps.items[index];
    ks_fold_seek(s->fold, s->at + 1 < s->shown_count ? s->shown[s->at + 1] - 1 : s->story->steps.count - 1);
    ks_buffer text = { 0 };
    ks_buffer_printf(&text, " step %d of %d   ", step->number, s->story->steps.items[s->shown[s->shown_count - 1]].number);
    ks_words_seconds(step->time - s->story->recording->start, &text);
    if (s->playing) ks_buffer_printf(&text, "   playing, %d a second", s->speed);
    attron(A_REVERSE);
    for (int i = 0; i < COLS; i++) mvaddch(0, i, ' ');
    put(0, 0, COLS, (const char *)text.data, text.size);
    attroff(A_REVERSE);
    ks_buffer_clear(&text);
    ks_words_protocol(s->story, index, &text);
    if (s->colour) attron(COLOR_PAIR(step->error ? 3 : 1));
    put(1, 0, COLS, (const char *)text.data, text.size);
    if (s->colour) attroff(COLOR_PAIR(step->error ? 3 : 1));
    ks_buffer_clear(&text);
    ks_words_sentence(s->story, index, &text);
    int sentence_end = LINES / 3 > 6 ? LINES / 3 : 6;
    int y = paragraph(2, sentence_end, COLS, (const char *)text.data, text.size) + 1;
    ks_buffer_deinit(&text);
    int bottom = LINES - 4;
    y = draw_groups(s, y, bottom);
    draw_partitions(s, y, bottom);
    draw_timeline(s, LINES - 3);
    if (s->message[0] != '\0') put_text(LINES - 2, 0, COLS, s->message);
    put_text(LINES - 1, 0, COLS, "right/left step  r/R rebalance  Home End  g jump  / search  n again  space play  +/- speed  q quit");
    refresh();
}

/* ---- moving ---- */

static void go(stepper *s, int64_t at) {
    s->message[0] = '\0';
    if (at < 0) at = 0;
    if (at >= s->shown_count) at = s->shown_count - 1;
    s->at = (int32_t)at;
}

static void rebalance(stepper *s, int direction) {
    for (int32_t k = s->at + direction; k >= 0 && k < s->shown_count; k += direction) {
        if (!s->story->steps.items[s->shown[k]].begins_rebalance) continue;
        go(s, k);
        return;
    }
    snprintf(s->message, sizeof s->message, "no %s rebalance", direction > 0 ? "later" : "earlier");
}

/* Reads a line on the message line; Escape gives up. */
static bool ask(const char *question, char *answer, size_t size) {
    size_t n = 0;
    answer[0] = '\0';
    timeout(-1);
    for (;;) {
        move(LINES - 2, 0);
        clrtoeol();
        put_text(LINES - 2, 0, COLS - 1, question);
        addstr(answer);
        int c = getch();
        if (c == '\n' || c == KEY_ENTER) return n > 0;
        if (c == 27 || c == ERR) return false;
        if ((c == KEY_BACKSPACE || c == 127 || c == 8) && n > 0) answer[--n] = '\0';
        else if (c >= 32 && c < 127 && n + 1 < size) {
            answer[n++] = (char)c;
            answer[n] = '\0';
        }
    }
}

static void jump(stepper *s) {
    char answer[32];
    uint64_t number;
    if (!ask("go to step: ", answer, sizeof answer)) return;
    if (ks_parse_u64(answer, &number))
        for (int32_t k = 0; k < s->shown_count; k++)
            if ((uint64_t)s->story->steps.items[s->shown[k]].number == number) {
                go(s, k);
                return;
            }
    snprintf(s->message, sizeof s->message, "there is no step '%s'", answer);
}

static void search(stepper *s, bool again) {
    if (!again && !ask("search: ", s->search, sizeof s->search)) return;
    if (s->search[0] == '\0') return;
    ks_buffer text = { 0 };
    for (int32_t k = s->at + 1; k < s->shown_count; k++) {
        ks_buffer_clear(&text);
        ks_words_protocol(s->story, s->shown[k], &text);
        ks_buffer_text(&text, " ");
        ks_words_sentence(s->story, s->shown[k], &text);
        ks_buffer_append(&text, "", 1);
        if (strstr((const char *)text.data, s->search) == NULL) continue;
        go(s, k);
        ks_buffer_deinit(&text);
        return;
    }
    ks_buffer_deinit(&text);
    snprintf(s->message, sizeof s->message, "'%s' is not said after this step", s->search);
}

static bool on_key(stepper *s, int c) {
    if (c == ERR) { /* the time for one step of playing has passed */
        if (s->at + 1 >= s->shown_count) s->playing = false;
        else go(s, s->at + 1);
        return true;
    }
    if (c != ' ' && c != '+' && c != '-' && c != KEY_RESIZE) s->playing = false;
    switch (c) {
    case 'q': case 'Q': return false;
    case KEY_RIGHT: case 'l': case 'j': case KEY_DOWN: go(s, (int64_t)s->at + 1); break;
    case KEY_LEFT: case 'h': case 'k': case KEY_UP: go(s, (int64_t)s->at - 1); break;
    case KEY_NPAGE: go(s, (int64_t)s->at + 10); break;
    case KEY_PPAGE: go(s, (int64_t)s->at - 10); break;
    case KEY_HOME: case '0': go(s, 0); break;
    case KEY_END: case '$': go(s, s->shown_count - 1); break;
    case 'r': rebalance(s, 1); break;
    case 'R': rebalance(s, -1); break;
    case 'g': jump(s); break;
    case '/': search(s, false); break;
    case 'n': search(s, true); break;
    case ' ': s->playing = !s->playing; break;
    case '+': case '=': if (s->speed < 32) s->speed *= 2; break;
    case '-': if (s->speed > 1) s->speed /= 2; break;
    default: break;
    }
    return true;
}

static int run(stepper *s) {
    setlocale(LC_ALL, "");
    SCREEN *screen = newterm(NULL, stdout, stdin);
    if (screen == NULL) return ks_usage_error("step", "the terminal '%s' is unknown; set TERM to what yours is, e.g. xterm", getenv("TERM") ? getenv("TERM") : "");
    set_term(screen);
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    ESCDELAY = 25;
    s->colour = has_colors() && getenv("NO_COLOR") == NULL;
    if (s->colour) {
        static const short colours[CLIENT_COLOURS] = { COLOR_CYAN, COLOR_YELLOW, COLOR_GREEN, COLOR_MAGENTA, COLOR_BLUE, COLOR_RED };
        start_color();
        use_default_colors();
        for (short i = 0; i < CLIENT_COLOURS; i++) init_pair((short)(i + 1), colours[i], -1);
    }
    do {
        draw(s);
        timeout(s->playing ? 1000 / s->speed : -1);
    } while (on_key(s, getch()));
    endwin();
    delscreen(screen);
    return 0;
}

int ks_command_step(int argc, char **argv) {
    if (argc != 2) return ks_usage_error("step", "name one FILE: a scenario (*.ksim) or a trace");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return ks_usage_error("step", "needs a terminal; `ksim explain %s` prints the steps instead", argv[1]);
    ks_opened opened;
    if (!ks_open("step", argv[1], false, 0, &opened)) return 2;
    stepper s = { .story = opened.story, .speed = 1 };
    s.shown = ks_alloc((size_t)(s.story->steps.count + 1) * sizeof *s.shown);
    for (int32_t i = 0; i < s.story->steps.count; i++)
        if (s.story->steps.items[i].sub == 0) s.shown[s.shown_count++] = i;
    int status = 0;
    if (s.shown_count == 0) status = ks_usage_error("step", "%s has no steps: nothing reached a group or was changed", argv[1]);
    else {
        s.fold = ks_fold_new(s.story);
        status = run(&s);
        ks_fold_free(s.fold);
    }
    ks_free(s.shown);
    ks_opened_close(&opened);
    return status;
}
