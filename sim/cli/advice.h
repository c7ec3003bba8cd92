/* SPDX-License-Identifier: Apache-2.0
 * What would have avoided a rebalance, or made it cheaper, tried where there is a scenario to try it with: for `ksim why` and the
 * prompt's `why`.
 */
#ifndef KS_CLI_ADVICE_H
#define KS_CLI_ADVICE_H

#include "sim/explain/story.h"

#include <signal.h>

typedef struct ks_trial {  /* the scenario that the story is of; all borrowed */
    const char *text;      /* NULL: a trace of a program, nothing can be tried */
    const char *name;      /* of its file: data files are looked for beside it */
    const volatile sig_atomic_t *interrupted; /* not 0 ends the trying early; NULL: nothing does */
} ks_trial;

/* Appends the advice and what came of each, with the same seed and that setting; nothing when the rebalance paused nobody. Runs the
 * scenario once for each of at most two settings. */
void ks_advise(const ks_story *story, int32_t rebalance, const ks_trial *trial, ks_buffer *out);

#endif
