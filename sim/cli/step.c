/* SPDX-License-Identifier: Apache-2.0
 *
 * `ksim step FILE`: the run, a screen at a time, forward and back. ncurses draws; the state comes from the fold of the trace, so
 * back is exact.
 */
#define _XOPEN_SOURCE_EXTENDED 1
#include "sim/cli/step.h"

#include "sim/cli/command.h"
#include "sim/cli/open.h"
#include "sim/cli/terminal.h"
#include "sim/cli/text.h"

#include <errno.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>

static void begin_colours(ks_stepper *s) {
    static const short colours[KS_STEP_COLOURS] = { COLOR_CYAN, COLOR_YELLOW, COLOR_GREEN, COLOR_MAGENTA, COLOR_BLUE, COLOR_RED };
    s->colour = has_colors() && ks_terminal_wants_colour();
    if (!s->colour) return;
    start_color();
    use_default_colors();
    for (short i = 0; i < KS_STEP_COLOURS; i++) init_pair((short)(i + 1), colours[i], -1);
}

/* Waits for a key, while playing for at most the time of one step. False: leave. */
static bool turn(ks_stepper *s, int *failures) {
    wint_t key = 0;
    bool waits = !s->playing || s->question != NULL || s->overlay != NULL;
    timeout(waits ? -1 : 1000 / s->speed);
    errno = 0;
    int got = get_wch(&key);
    if (got != ERR) {
        *failures = 0;
        return ks_step_key(s, got == KEY_CODE_YES, (unsigned)key);
    }
    if (!waits) ks_step_tick(s);
    else if (errno != EINTR && ++*failures > 3) return false; /* the terminal is gone */
    return true;
}

bool ks_step_walk(const ks_story *story, const char *title) {
    if (!ks_terminal_begin("step", "`ksim explain FILE` prints the steps")) return false;
    ks_stepper s = { .story = story, .title = title, .speed = 1, .drawn = -1, .fold = ks_fold_new(story) };
    s.shown = ks_alloc((size_t)(story->steps.count + 1) * sizeof *s.shown);
    for (ks_level level = KS_LEVEL_PROTOCOL; s.shown_count == 0 && level <= KS_LEVEL_EVERYTHING; level++) ks_step_list(&s, level);
    ks_picture_init(&s.picture, s.fold);
    ks_picture_init(&s.before, s.fold);
    SCREEN *screen = newterm(NULL, stdout, stdin); /* ks_terminal_begin has found it */
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    set_escdelay(25);
    begin_colours(&s);
    ks_terminal_guard();
    int failures = 0;
    do ks_step_draw(&s);
    while (turn(&s, &failures));
    erase(); /* a terminal without a second screen is left empty */
    refresh();
    endwin();
    ks_terminal_end();
    delscreen(screen);
    ks_picture_deinit(&s.picture);
    ks_picture_deinit(&s.before);
    ks_fold_free(s.fold);
    ks_free(s.shown);
    return true;
}

int ks_command_step(int argc, char **argv) {
    ks_opened opened;
    if (argc != 2) return ks_usage_error("step", "name one FILE: a scenario (*.ksim) or a trace");
    if (!ks_open("step", argv[1], false, 0, &opened)) return 2;
    ks_text_begin();
    int status = 0;
    if (opened.story->steps.count == 0) status = ks_usage_error("step", "%s has no steps: nothing reached a group or was changed", argv[1]);
    else if (!ks_step_walk(opened.story, ks_base_name(argv[1]))) status = 2;
    ks_opened_close(&opened);
    return status;
}
