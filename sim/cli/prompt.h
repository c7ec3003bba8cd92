/* SPDX-License-Identifier: Apache-2.0
 *
 * `ksim` without a command: a prompt for the language of scenarios. A lecture is improvised line by line, told as it happens, and saved
 * as a scenario.
 *
 *   prompt.c          which kind of input there is, and the loop
 *   prompt_session.c  the lines that were said, the session they made, telling what is new
 *   prompt_words.c    the prompt's own words: show, why, save, undo ...
 *   prompt_help.c     help, out of docs/scenarios.md
 *   prompt_edit.c     editing, history, completion (libedit)
 */
#ifndef KS_CLI_PROMPT_H
#define KS_CLI_PROMPT_H

#include "sim/explain/story.h"
#include "sim/scenario/scenario.h"

typedef struct ks_said { /* one line that is part of the scenario */
    char *text;          /* owned; with its expected output under it, if it has one */
    bool failed;         /* what it asks for did not hold */
    char *problem;       /* why; owned, or NULL */
    int64_t from, to;    /* virtual time before and after it, ns since the start */
} ks_said;

typedef struct ks_prompt {
    bool terminal, colour;
    int window;               /* columns of the terminal; 0: none */
    ks_level level;
    ks_session *session;      /* NULL: nothing was commanded yet */
    ks_recording *recording;
    ks_subscriber subscriber;
    ks_story *story;          /* of the recording as it was when somebody asked last; NULL: not made yet */
    int32_t told;             /* so many events are told */
    KS_VEC(ks_said) said;
    int32_t saved;            /* so many of them are in a file */
    KS_VEC(char *) pages;     /* that this session wrote, and may write anew; owned */
    bool leaving;

    /* an expected output that is being read: the lines since `----` */
    bool expecting;
    ks_buffer expected;

    /* what a pipe ends with */
    long line;                /* of standard input */
    int32_t failed;
    bool wrong;
} ks_prompt;

/* One line of input, whatever it is. */
void ks_prompt_line(ks_prompt *prompt, const char *line);

/* ---- prompt_session.c ---- */
extern volatile sig_atomic_t ks_prompt_interrupted; /* Ctrl-C: the command that waits ends, and is taken back */
void ks_prompt_begin(ks_prompt *prompt, bool terminal);
void ks_prompt_end(ks_prompt *prompt);
void ks_prompt_command(ks_prompt *prompt, const char *line);  /* of the scenario's language */
void ks_prompt_expected(ks_prompt *prompt);                   /* the expected output of the last one is complete */
void ks_prompt_rebuild(ks_prompt *prompt, int32_t lines);     /* the session as it was after so many lines, by saying them again */
const ks_story *ks_prompt_story(ks_prompt *prompt);           /* of all that happened; O(events) when something is new */
int64_t ks_prompt_now(const ks_prompt *prompt);               /* ns since the start */
void ks_prompt_scenario(const ks_prompt *prompt, ks_buffer *out); /* the lines as a file: what failed is a comment */
void ks_prompt_say_unsaved(ks_prompt *prompt);                /* so that nothing is lost */
void ks_prompt_complain(ks_prompt *prompt, int32_t column, const char *problem); /* something was wrong with this line */

/* ---- prompt_words.c, prompt_help.c ---- */
extern const char *const ks_prompt_words[];                   /* NULL-ended */
bool ks_prompt_word(ks_prompt *prompt, const char *line);     /* false: it is none of the prompt's own words */
void ks_prompt_help(ks_prompt *prompt, const char *about);    /* "": everything */
const char *ks_prompt_nearest(const char *word);              /* of the commands and the prompt's own words; NULL: none is near */

/* ---- prompt_edit.c ---- */
void ks_prompt_edit(ks_prompt *prompt);                       /* reads lines from the terminal until somebody leaves */

#endif
