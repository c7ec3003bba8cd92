/* SPDX-License-Identifier: Apache-2.0
 * Reading lines from a terminal: libedit edits, remembers (in memory only) and completes. In the line Ctrl-C is a key like others; while a
 * command runs it is a signal.
 */
#define _XOPEN_SOURCE 700
#include "sim/cli/prompt.h"
#include "sim/cli/text.h"

#include <histedit.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HISTORY = 1000, COLUMNS = 80, MARK = 1 };

typedef struct editor {
    ks_prompt *prompt;
    EditLine *edit;
    char text[80];
    bool abandoned;
} editor;

static editor *editor_of(EditLine *edit) {
    void *data = NULL;
    el_get(edit, EL_CLIENTDATA, &data);
    return data;
}

/* The prompt is the clock. */
static char *prompt_text(EditLine *edit) {
    editor *e = editor_of(edit);
    int64_t now = ks_prompt_now(e->prompt);
    const char *on = e->prompt->colour ? "\001\033[1;36m\001" : "", *off = e->prompt->colour ? "\001\033[0m\001" : "";
    if (e->prompt->expecting) snprintf(e->text, sizeof e->text, "%s     ...%s ", on, off);
    else snprintf(e->text, sizeof e->text, "%sksim %lld.%03lld s>%s ", on, (long long)(now / KS_S), (long long)(now % KS_S / KS_MS), off);
    return e->text;
}

/* ---- keys ---- */

static unsigned char abandon_line(EditLine *edit, int key) {
    (void)key;
    editor_of(edit)->abandoned = true;
    printf("^C\n");
    return CC_NEWLINE;
}

static unsigned char suspend(EditLine *edit, int key) {
    (void)key;
    el_set(edit, EL_PREP_TERM, 0);
    kill(0, SIGTSTP); /* to all of the job, as the terminal would */
    el_set(edit, EL_PREP_TERM, 1);
    return CC_REDISPLAY;
}

typedef struct candidates { KS_VEC(char *) words; } candidates;

static void collect(void *context, const char *word) {
    candidates *c = context;
    for (int32_t i = 0; i < c->words.count; i++)
        if (strcmp(c->words.items[i], word) == 0) return;
    KS_PUSH(c->words, ks_strndup(word, strlen(word)));
}

static void offer(candidates *c, const char *const *words, const char *typed, size_t size) {
    char whole[64];
    for (; *words != NULL; words++)
        if (strncmp(*words, typed, size) == 0 && snprintf(whole, sizeof whole, "%s ", *words) > 0) collect(c, whole);
}

/* Where the word at the cursor begins; its completions in `c`. */
static size_t complete(editor *e, const char *line, size_t size, candidates *c) {
    static const char *const levels[] = { "story", "protocol", "everything", NULL }, *const all[] = { "all", NULL }, *const group[] = { "group", NULL };
    size_t indent = 0;
    while (indent < size && line[indent] == ' ') indent++;
    const char *blank = memchr(line + indent, ' ', size - indent);
    if (blank == NULL) offer(c, ks_prompt_words, line + indent, size - indent);
    else {
        size_t verb = (size_t)(blank - line) - indent, start = (size_t)(blank - line) + 1;
        bool first = memchr(blank + 1, ' ', size - start) == NULL;
        if (first && verb == 4 && memcmp(line + indent, "help", 4) == 0) {
            offer(c, ks_prompt_words, line + start, size - start);
            offer(c, ks_scenario_words(), line + start, size - start);
            offer(c, all, line + start, size - start);
            return start;
        }
        if (first && verb == 5 && memcmp(line + indent, "level", 5) == 0) {
            offer(c, levels, line + start, size - start);
            return start;
        }
        if (first && verb == 3 && memcmp(line + indent, "why", 3) == 0) {
            offer(c, group, line + start, size - start);
            return start;
        }
    }
    return ks_scenario_complete(e->prompt->session, line, size, collect, c);
}

static void list(const candidates *c) {
    size_t widest = 0;
    for (int32_t i = 0; i < c->words.count; i++)
        if (strlen(c->words.items[i]) > widest) widest = strlen(c->words.items[i]);
    int a_line = (int)(COLUMNS / (widest + 1));
    printf("\n");
    for (int32_t i = 0; i < c->words.count; i++)
        printf("%-*s%s", (int)widest + 1, c->words.items[i], (i + 1) % (a_line > 0 ? a_line : 1) == 0 || i + 1 == c->words.count ? "\n" : "");
}

/* Tab: what all candidates have in common is inserted; when that is nothing, they are listed. */
static unsigned char complete_word(EditLine *edit, int key) {
    editor *e = editor_of(edit);
    const LineInfo *line = el_line(edit);
    size_t size = (size_t)(line->cursor - line->buffer);
    candidates c = { 0 };
    (void)key;
    size_t start = complete(e, line->buffer, size, &c), typed = size - start, common = 0;
    if (c.words.count > 0) {
        common = strlen(c.words.items[0]);
        for (int32_t i = 1; i < c.words.count; i++) {
            size_t same = 0;
            while (same < common && c.words.items[i][same] == c.words.items[0][same]) same++;
            common = same;
        }
    }
    unsigned char result = CC_ERROR; /* a bell */
    if (common > typed) {
        char *more = ks_strndup(c.words.items[0] + typed, common - typed);
        el_insertstr(edit, more);
        ks_free(more);
        result = CC_REFRESH;
    } else if (c.words.count > 1) {
        list(&c);
        result = CC_REDISPLAY;
    }
    for (int32_t i = 0; i < c.words.count; i++) ks_free(c.words.items[i]);
    ks_free(c.words.items);
    return result;
}

static void on_interrupt(int signal) {
    (void)signal;
    ks_prompt_interrupted = 1;
}

static void bind_keys(EditLine *edit) {
    el_set(edit, EL_EDITOR, "emacs");
    el_source(edit, NULL); /* ~/.editrc, as other programs with this library do */
    el_set(edit, EL_ADDFN, "ksim-complete", "Complete the word", complete_word);
    el_set(edit, EL_ADDFN, "ksim-abandon", "Abandon the line", abandon_line);
    el_set(edit, EL_ADDFN, "ksim-suspend", "Stop, until `fg`", suspend);
    el_set(edit, EL_BIND, "^I", "ksim-complete", NULL);
    el_set(edit, EL_BIND, "^C", "ksim-abandon", NULL);
    el_set(edit, EL_BIND, "^Z", "ksim-suspend", NULL);
    el_set(edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(edit, EL_SETTY, "-d", "-isig", NULL); /* while a line is edited */
}

void ks_prompt_edit(ks_prompt *prompt) {
    editor e = { .prompt = prompt };
    HistEvent event;
    History *history_of_lines = history_init();
    history(history_of_lines, &event, H_SETSIZE, HISTORY);
    history(history_of_lines, &event, H_SETUNIQUE, 1);
    e.edit = el_init("ksim", stdin, stdout, stderr);
    el_set(e.edit, EL_CLIENTDATA, &e);
    el_set(e.edit, EL_PROMPT_ESC, prompt_text, MARK);
    el_set(e.edit, EL_SIGNAL, 1); /* signals that end the program first give the terminal back; a resize is noticed */
    el_set(e.edit, EL_HIST, history, history_of_lines);
    bind_keys(e.edit);
    struct sigaction action = { .sa_handler = on_interrupt }, former;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &former);
    while (!prompt->leaving) {
        int size = 0;
        fflush(stdout);
        e.abandoned = false;
        const char *line = el_gets(e.edit, &size);
        if (e.abandoned) {
            prompt->expecting = false;
            ks_buffer_clear(&prompt->expected);
            continue;
        }
        if (line == NULL || size <= 0) {
            printf("\n");
            break;
        }
        char *kept = ks_strndup(line, (size_t)size);
        kept[strcspn(kept, "\r\n")] = '\0';
        if (kept[strspn(kept, " \t")] != '\0') history(history_of_lines, &event, H_ENTER, kept);
        ks_prompt_interrupted = 0;
        ks_prompt_line(prompt, kept);
        ks_free(kept);
    }
    sigaction(SIGINT, &former, NULL);
    el_end(e.edit);
    history_end(history_of_lines);
}
