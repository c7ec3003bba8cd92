/* SPDX-License-Identifier: Apache-2.0
 * FILE of explain, why and step: a trace that any program wrote, or a scenario that is run here and now.
 */
#ifndef KS_CLI_OPEN_H
#define KS_CLI_OPEN_H

#include "sim/cli/output.h"
#include "sim/explain/story.h"

#include <signal.h>

typedef struct ks_opened {
    ks_recording *recording;
    ks_story *story;
    char *report; /* a scenario's expectations that failed, or NULL */
    bool stuck;   /* the scenario did not come to its end */
    const char **files; /* data files that the scenario read; NULL-ended, or NULL */
} ks_opened;

/* False after one line on standard error. */
bool ks_open(const char *command, const char *path, bool has_seed, uint64_t seed, ks_opened *opened);
bool ks_is_scenario(const char *path); /* by its name: *.ksim */
/* A scenario's text (`name`: of its file), with its own seed and other settings (ks_scenario_options); false when that cannot be run:
 * `problem` says why. */
typedef struct ks_what_if { const char *consumers, *group, *client, *brokers; const volatile sig_atomic_t *interrupted; } ks_what_if;
bool ks_open_with(const char *text, const char *name, const ks_what_if *what, ks_opened *opened, char *problem, size_t problem_size);
void ks_opened_close(ks_opened *opened);
/* The file's name without its folders. */
const char *ks_base_name(const char *path);

#endif
