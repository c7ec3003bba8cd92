/* SPDX-License-Identifier: Apache-2.0
 * What a key does. A question is a state like any other, so that a window can be resized while it is open.
 */
#define _XOPEN_SOURCE_EXTENDED 1
#include "sim/cli/step.h"
#include "sim/cli/text.h"

#include <ncurses.h>
#include <string.h>
#include <wchar.h>

static const char go_to[] = "go to step: ", search_for[] = "search: ", run_until[] = "run until (? tells what): ";

static const char help[] =
    "ksim step: the run, one step at a time\n"
    "\n"
    "right, l, down, j    next step            left, h, up, k   the one before\n"
    "PgDn, PgUp           ten steps            Home, End        the first, the last\n"
    "r, R                 the next rebalance, the one before\n"
    "g                    jump to a step by its number (12, or 12.3)\n"
    "/                    search; n again, N backwards; small letters find both\n"
    "u                    run until: Stable (or another state), GROUP STATE, error,\n"
    "                     error NAME, a client, broker or group that takes part, or\n"
    "                     a time (6.5s); U the same again\n"
    "space                play and stop; + and - change the speed\n"
    "v                    level: story, protocol, everything\n"
    "Enter                all that is said of this step, and what it came from\n"
    "[, ]                 scroll the picture\n"
    "q                    quit\n"
    "\n"
    "The picture, line by line, after what this step did:\n"
    "  brokers (with how many partitions each leads) and client processes;\n"
    "  for each group its partitions: on which broker (the leader), owned by\n"
    "  whom, committed, delivered, the end of the log, and the lag.\n"
    "  In the bar '=' is committed, '+' delivered but not committed, '.' not yet.\n"
    "  '>' marks what changed with this step.\n"
    "The timeline marks where a rebalance begins (R) and an error (!).\n";

static void ask(ks_stepper *s, const char *question) {
    s->question = question;
    s->answer[0] = '\0';
}

static void answered(ks_stepper *s) {
    const char *question = s->question;
    s->question = NULL;
    if (question == go_to) {
        if (s->answer[0] != '\0') ks_step_jump(s, s->answer);
        return;
    }
    char *kept = question == search_for ? s->search : s->until;
    if (s->answer[0] != '\0') memcpy(kept, s->answer, sizeof s->search); /* nothing: the same again */
    if (kept[0] == '\0') return;
    if (question == search_for) ks_step_search(s, 1);
    else ks_step_until(s);
}

static void rub_out(char *text) {
    size_t size = strlen(text);
    while (size > 0 && ((unsigned char)text[size - 1] & 0xC0) == 0x80) size--;
    text[size > 0 ? size - 1 : 0] = '\0';
}

static void question_key(ks_stepper *s, bool function_key, unsigned key) {
    size_t size = strlen(s->answer);
    char bytes[16];
    mbstate_t state = { 0 };
    if (function_key ? key == KEY_ENTER : key == '\n' || key == '\r') answered(s);
    else if (function_key ? key == KEY_BACKSPACE : key == 8 || key == 127) rub_out(s->answer);
    else if (!function_key && key == 21) s->answer[0] = '\0'; /* Ctrl-U */
    else if (!function_key && (key == 27 || key == 3 || key == 7)) s->question = NULL;
    else if (!function_key && key >= 32) {
        size_t n = wcrtomb(bytes, (wchar_t)key, &state);
        if (n == (size_t)-1 || size + n >= sizeof s->answer) return;
        memcpy(s->answer + size, bytes, n);
        s->answer[size + n] = '\0';
    }
}

static void tell_all(ks_stepper *s) {
    ks_buffer text = { 0 };
    ks_why_step(s->story, s->shown[s->at], &text);
    ks_text_clean(&text);
    s->overlay = ks_buffer_take(&text);
}

static void overlay_key(ks_stepper *s, bool function_key, unsigned key) {
    int32_t by = function_key ? (key == KEY_DOWN ? 1 : key == KEY_UP ? -1 : key == KEY_NPAGE ? LINES - 2 : key == KEY_PPAGE ? 2 - LINES : 0) : key == 'j' ? 1 : key == 'k' ? -1 : 0;
    if (by == 0) {
        if (s->overlay != help) ks_free((char *)(uintptr_t)s->overlay);
        s->overlay = NULL;
        return;
    }
    s->overlay_scroll += by;
    if (s->overlay_scroll > s->overlay_lines - (LINES - 1)) s->overlay_scroll = s->overlay_lines - (LINES - 1);
    if (s->overlay_scroll < 0) s->overlay_scroll = 0;
}

static void walk_function_key(ks_stepper *s, unsigned key) {
    switch (key) {
    case KEY_RIGHT: case KEY_DOWN: ks_step_go(s, (int64_t)s->at + 1); break;
    case KEY_LEFT: case KEY_UP: ks_step_go(s, (int64_t)s->at - 1); break;
    case KEY_NPAGE: ks_step_go(s, (int64_t)s->at + 10); break;
    case KEY_PPAGE: ks_step_go(s, (int64_t)s->at - 10); break;
    case KEY_HOME: ks_step_go(s, 0); break;
    case KEY_END: ks_step_go(s, s->shown_count - 1); break;
    case KEY_ENTER: tell_all(s); break;
    case KEY_F(1): s->overlay = help; break;
    default: break;
    }
}

static void scroll_by(ks_stepper *s, int32_t lines) {
    s->scroll += lines; /* drawing clamps it */
    if (s->scroll < 0) s->scroll = 0;
}

static bool walk_key(ks_stepper *s, unsigned key) {
    switch (key) {
    case 'q': case 'Q': return false;
    case 'l': case 'j': ks_step_go(s, (int64_t)s->at + 1); break;
    case 'h': case 'k': ks_step_go(s, (int64_t)s->at - 1); break;
    case '0': ks_step_go(s, 0); break;
    case '$': ks_step_go(s, s->shown_count - 1); break;
    case 'r': ks_step_rebalance(s, 1); break;
    case 'R': ks_step_rebalance(s, -1); break;
    case 'g': ask(s, go_to); break;
    case '/': ask(s, search_for); break;
    case 'n': ks_step_search(s, 1); break;
    case 'N': ks_step_search(s, -1); break;
    case 'u': ask(s, run_until); break;
    case 'U': if (s->until[0] != '\0') ks_step_until(s); else ask(s, run_until); break;
    case 'v': ks_step_list(s, (s->level + 1) % (KS_LEVEL_EVERYTHING + 1)); break;
    case ' ': s->playing = !s->playing; break;
    case '+': case '=': if (s->speed < 32) s->speed *= 2; break;
    case '-': if (s->speed > 1) s->speed /= 2; break;
    case '[': scroll_by(s, -(s->body / 2)); break;
    case ']': scroll_by(s, s->body / 2); break;
    case '?': s->overlay = help; break;
    case '\n': case '\r': tell_all(s); break;
    default: break;
    }
    return true;
}

bool ks_step_key(ks_stepper *s, bool function_key, unsigned key) {
    if (function_key && key == KEY_RESIZE) return true; /* the next drawing has the new size */
    if (s->overlay != NULL) {
        overlay_key(s, function_key, key);
        return true;
    }
    if (s->question != NULL) {
        question_key(s, function_key, key);
        return true;
    }
    s->message[0] = '\0';
    s->overlay_scroll = 0;
    if (function_key || (key != ' ' && key != '+' && key != '=' && key != '-')) s->playing = false;
    if (!function_key) return walk_key(s, key);
    walk_function_key(s, key);
    return true;
}

bool ks_step_tick(ks_stepper *s) {
    if (s->at + 1 >= s->shown_count) s->playing = false;
    else ks_step_go(s, (int64_t)s->at + 1);
    return s->playing;
}
