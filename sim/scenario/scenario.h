/* SPDX-License-Identifier: Apache-2.0
 *
 * Scenario files: parse, run, check (docs/scenarios.md). The runner drives a simulator of its own through ksim_* and event-driven
 * actors over the client engines; no stacks.
 */
#ifndef KS_SCENARIO_H
#define KS_SCENARIO_H

#include <kafkasim/ksim.h>

#include <signal.h>
#include <stdio.h>

#include "sim/kernel/kernel.h"

typedef struct ks_scenario ks_scenario;

/* Parses the whole text first. NULL: `problem` says "file:line:column: what was expected; did you mean ...", a line for each mistake, in
 * order, as far as there is room (KS_PROBLEMS_SIZE is enough): at most 20, and none that only follows from one before. `name` is copied. */
enum { KS_PROBLEMS_SIZE = 24 * 1024 };
ks_scenario *ks_scenario_parse(const char *text, size_t size, const char *name, char *problem, size_t problem_size);
ks_scenario *ks_scenario_load(const char *path, char *problem, size_t problem_size);
void ks_scenario_free(ks_scenario *scenario);
const char *ks_scenario_text(const ks_scenario *scenario);
/* The data files that it reads, from index 0 on; NULL: no more. Views. */
const char *ks_scenario_file(const ks_scenario *scenario, int32_t index);

typedef struct ks_scenario_options {
    bool has_seed;
    uint64_t seed;             /* instead of the file's */
    ks_subscriber *subscriber; /* told of every event; NULL: none */
    FILE *trace;               /* gets the trace as JSON lines with contents; NULL: none */
    const char *folder; /* "lessons/": where relative names of data files begin; NULL: of a scenario its own folder, else the working
                           folder */
    /* What if? (for `why`): settings instead of the file's, NULL: none. "name=value name=": of consumers, as on their line; nothing
     * after the sign takes the setting away, {name} stands for the consumer's name. */
    const char *consumer_settings;
    const char *settings_group;   /* only of this group; NULL: of all */
    const char *settings_client;  /* only of "java" or "kafka-go"; NULL: of both */
    const char *cluster_settings; /* "name=value ..." of the brokers */
    const volatile sig_atomic_t *interrupted; /* looked at while a command waits or writes: not 0 ends it early; NULL: nothing does */
} ks_scenario_options;

typedef struct ks_scenario_outcome {
    int32_t held, failed;  /* expectations and expected outputs */
    bool wrong;            /* a command could not be done: the file is wrong */
    bool stuck;
    uint64_t seed;         /* that it ran with */
    char *report;          /* what failed, a line each: "file:line: ..."; owned by the outcome */
    char *unmet;           /* the same without the expected outputs that differ: what rewriting does not mend */
    int32_t unmet_count;
    char *rewritten;       /* the file with its expected outputs refreshed; owned by the outcome */
} ks_scenario_outcome;

/* Runs it in a simulator of its own. */
void ks_scenario_run(const ks_scenario *scenario, const ks_scenario_options *options, ks_scenario_outcome *outcome);
void ks_scenario_outcome_deinit(ks_scenario_outcome *outcome);

/* ---- one command at a time, for the prompt ---- */

typedef struct ks_session ks_session;
/* FAILED: it was done and what it asks for did not hold, or was refused. WRONG: it cannot be done. */
typedef enum ks_run_result { KS_RUN_FINE, KS_RUN_FAILED, KS_RUN_WRONG } ks_run_result;
/* `cluster` is the line that describes it ("cluster brokers=1 ..."); NULL: the defaults. NULL: `problem` says what is wrong with the
 * line, `*column` where (from 1; 0: nowhere in particular). Free with ks_session_free. */
ks_session *ks_session_new(const char *cluster, const ks_scenario_options *options, int32_t *column, char *problem, size_t problem_size);
/* One line of the language, as ks_scenario_run would run it: the trace of a session is that of the file with the same lines. An empty
 * line or a comment is fine. Not FINE: `problem` says why, `*column` where. */
ks_run_result ks_session_command(ks_session *session, const char *line, int32_t *column, char *problem, size_t problem_size);
/* Is that what happened in the last command, as under `----` in a file? If not, the lines that differ are appended to `difference`. */
bool ks_session_happened(ks_session *session, const char *expected, ks_buffer *difference);
ksim *ks_session_sim(ks_session *session);
void ks_session_free(ks_session *session);
/* The commands: NULL-ended, static. */
const char *const *ks_scenario_words(void);
/* What may stand where `line` (`size` bytes of a command, up to the cursor) ends: calls `each` with every whole word that fits what is there
 * already, and returns where in `line` that word begins. Names are those of `session` (NULL: there are none yet). Words that a
 * value or another word follows end in '=' or ' '. */
size_t ks_scenario_complete(ks_session *session, const char *line, size_t size, void (*each)(void *context, const char *word), void *context);

#endif
