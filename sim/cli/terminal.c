/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "sim/cli/terminal.h"

#include "sim/cli/command.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

static const int deadly[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
enum { DEADLY_COUNT = sizeof deadly / sizeof *deadly };

/* A handler may call next to nothing, so what it sends is put together before. */
static struct termios before;
static char leave[256];
static size_t leave_size;
static struct sigaction former[DEADLY_COUNT];

static void add(const char *capability) {
    const char *text = tigetstr((char *)(uintptr_t)capability); /* older declarations have no const */
    if (text == NULL || text == (const char *)-1) return;
    for (const char *c = text; *c != '\0' && leave_size < sizeof leave; c++) {
        if (c[0] == '$' && c[1] == '<') { /* a delay for padding, for terminals of iron */
            while (*c != '\0' && *c != '>') c++;
            if (*c == '\0') break;
        } else leave[leave_size++] = *c;
    }
}

bool ks_terminal_begin(const char *command, const char *instead) {
    const char *name = getenv("TERM");
    int found;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        ks_usage_error(command, "needs a terminal; %s", instead);
        return false;
    }
    if (setupterm(name, STDOUT_FILENO, &found) != OK) {
        ks_usage_error(command, "the terminal '%s' is unknown here; set TERM to what yours is, e.g. TERM=xterm, or: %s", name ? name : "", instead);
        return false;
    }
    const char *move = tigetstr((char *)(uintptr_t)"cup"), *clear = tigetstr((char *)(uintptr_t)"clear");
    if (move == NULL || move == (const char *)-1 || clear == NULL || clear == (const char *)-1) {
        ks_usage_error(command, "the terminal '%s' cannot place its cursor; set TERM to what yours is, e.g. TERM=xterm, or: %s", name ? name : "", instead);
        return false;
    }
    tcgetattr(STDIN_FILENO, &before);
    leave_size = 0;
    add("rmkx");
    add("sgr0");
    add("op");
    add("cnorm");
    add("rmcup");
    del_curterm(cur_term); /* the screen will have one of its own */
    return true;
}

static void die(int signal) {
    ssize_t written = write(STDOUT_FILENO, leave, leave_size);
    (void)written;
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    raise(signal); /* the handler is there for once only: now the signal does what it does */
}

void ks_terminal_guard(void) {
    struct sigaction action = { .sa_handler = die, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER) };
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < DEADLY_COUNT; i++) sigaction(deadly[i], &action, &former[i]);
}

void ks_terminal_end(void) {
    for (int i = 0; i < DEADLY_COUNT; i++) sigaction(deadly[i], &former[i], NULL);
}

bool ks_terminal_wants_colour(void) {
    const char *no = getenv("NO_COLOR");
    return no == NULL || *no == '\0';
}
