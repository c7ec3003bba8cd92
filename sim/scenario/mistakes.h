/* SPDX-License-Identifier: Apache-2.0
 * All that is wrong with a scenario, told at once, without what only follows from an earlier mistake: a consumer whose declaration is
 * wrong cannot join, and nobody has to be told so at every line that names it.
 */
#ifndef KS_SCENARIO_MISTAKES_H
#define KS_SCENARIO_MISTAKES_H

#include "sim/base/base.h"

enum {
    KS_MISTAKES_TOLD = 20, /* at most so many are told */
    KS_MISTAKES_MAX = 200  /* and at most so many lines are looked at that cannot be taken: each may cost a walk over all names */
};

typedef struct ks_doubted ks_doubted;

typedef struct ks_mistakes {
    ks_arena *arena;   /* borrowed */
    const char *name;  /* of the file; borrowed */
    ks_buffer text;    /* "file:line:column: what", a line each */
    int32_t told, count;
    ks_doubted *names; /* on lines that were not taken: what is said of them later may follow from that */
    bool all_doubted;  /* the cluster itself is not known */
} ks_mistakes;

void ks_mistakes_deinit(ks_mistakes *mistakes);
/* `line` cannot be taken. `sure`: whatever stood before it, as when a word is misspelt. O(its size). */
void ks_mistakes_add(ks_mistakes *mistakes, ks_string line, int32_t number, int32_t column, const char *why, bool sure);
/* As much as fits, in whole lines (of the first one what fits), without the last newline. */
void ks_mistakes_tell(const ks_mistakes *mistakes, char *problem, size_t size);

#endif
