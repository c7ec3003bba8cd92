/* SPDX-License-Identifier: Apache-2.0
 * `ksim step`, inside: what the screen shows (step_draw.c), what a key does (step_keys.c), where to go next (step_find.c).
 */
#ifndef KS_CLI_STEP_H
#define KS_CLI_STEP_H

#include "sim/cli/picture.h"

enum { KS_STEP_COLOURS = 6, KS_STEP_ANSWER = 160 };

typedef struct ks_stepper {
    const ks_story *story;
    const char *title;
    ks_fold *fold;
    ks_picture picture, before;   /* before: after the step that was shown before this one in the list, to mark what changed */
    ks_level level;
    int32_t *shown, shown_count;  /* indexes of the steps of this level */
    int32_t at;                   /* index into shown */
    bool playing, colour;
    int speed;                    /* steps a second */
    int32_t scroll, body;         /* first line of the picture that is shown; how many fit */
    int32_t drawn;                /* the step of the last drawing: after a move what changed is brought into sight */
    char message[200];
    const char *question;         /* that is being asked; NULL: none */
    char answer[KS_STEP_ANSWER];
    char search[KS_STEP_ANSWER], until[KS_STEP_ANSWER];
    const char *overlay;          /* a text over everything; NULL: none */
    int32_t overlay_scroll, overlay_lines;
} ks_stepper;

/* ---- step.c ---- */
/* Walks a story of at least one step in the terminal, until somebody leaves. False: one line on standard error said why not. */
bool ks_step_walk(const ks_story *story, const char *title);

/* ---- step_find.c ---- */
void ks_step_list(ks_stepper *s, ks_level level); /* which steps there are to walk; stays where it is, or on the one before */
void ks_step_go(ks_stepper *s, int64_t at);       /* clamped */
void ks_step_jump(ks_stepper *s, const char *number);
void ks_step_rebalance(ks_stepper *s, int direction);
void ks_step_search(ks_stepper *s, int direction); /* for s->search */
void ks_step_until(ks_stepper *s);                /* s->until: a state, an error, who takes part, a time */

/* ---- step_draw.c ---- */
void ks_step_draw(ks_stepper *s);

/* ---- step_keys.c ---- */
bool ks_step_key(ks_stepper *s, bool function_key, unsigned key); /* false: leave */
bool ks_step_tick(ks_stepper *s);                 /* the time for one step of playing has passed */

#endif
