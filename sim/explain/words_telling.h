/* SPDX-License-Identifier: Apache-2.0
 * The sentence of a step while it is made. words_step.c puts its parts in order, and tells what a coordinator does; of commands, clients
 * and requests tell words_command.c, words_client.c, words_request.c.
 */
#ifndef KS_WORDS_TELLING_H
#define KS_WORDS_TELLING_H

#include "sim/explain/words.h"

typedef struct ks_telling {
    ks_speaker s;
    const ks_step *step;
    int32_t index;
    uint8_t *places; /* of each fact */
    int32_t counts[KS_PLACE_COUNT];
    bool stops_broker; /* it is the command that does */
} ks_telling;

static inline const ks_recorded *ks_telling_fact(const ks_telling *t, int32_t f) { return &t->s.story->recording->events.items[t->step->facts.items[f]]; }

/* A blank between two sentences. */
static inline void ks_telling_next(const ks_telling *t) {
    const ks_buffer *out = t->s.out;
    if (out->size > 0 && out->data[out->size - 1] != ' ') ks_buffer_text(t->s.out, " ");
}

/* ", " before the second and later; false when enough are named. */
static inline bool ks_telling_item(const ks_telling *t, int32_t *named, int32_t *more) {
    if (*named == KS_WORDS_NAMED) {
        (*more)++;
        return false;
    }
    if ((*named)++ > 0) ks_tell(&t->s, ", ");
    return true;
}

static inline void ks_telling_list_end(const ks_telling *t, int32_t more) {
    if (more > 0) ks_tell(&t->s, " and %d more", (int64_t)more);
    ks_tell(&t->s, ".");
}

/* Each appends the sentences of its place, if it has any. */
void ks_telling_command(const ks_telling *t);
void ks_telling_leaders(const ks_telling *t);
void ks_telling_client(const ks_telling *t, bool whole); /* whole: nothing of the step was told before */
void ks_telling_positions(const ks_telling *t);
void ks_telling_delivered(const ks_telling *t);
void ks_telling_resumed(const ks_telling *t, int64_t since); /* pauses that end from then on */
void ks_telling_error(const ks_telling *t);   /* what the client of the step learns from its answer */
void ks_telling_request(const ks_telling *t); /* what its request is for, or that it is answered */

#endif
