/* SPDX-License-Identifier: Apache-2.0
 *
 * `ksim run FILE`: runs a scenario and says what held.
 */
#include "sim/cli/command.h"
#include "sim/cli/output.h"
#include "sim/scenario/scenario.h"

#include <stdio.h>
#include <string.h>

typedef struct run_options {
    const char *file, *trace;
    bool rewrite, has_seed;
    uint64_t seed;
} run_options;

static int parse(int argc, char **argv, run_options *o) {
    static const char *const known[] = { "--seed", "--trace", "--rewrite", NULL };
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--rewrite") == 0) o->rewrite = true;
        else if (strcmp(word, "--seed") == 0 || strcmp(word, "--trace") == 0) {
            if (i + 1 == argc) return ks_usage_error("run", "%s needs a value after it", word);
            const char *value = argv[++i];
            if (word[2] == 't') o->trace = value;
            else if (!(o->has_seed = ks_parse_u64(value, &o->seed))) return ks_usage_error("run", "--seed takes a whole number, not '%s'", value);
        } else if (word[0] == '-') {
            const char *nearest = ks_nearest_word(word, known);
            return ks_usage_error("run", "'%s' is not an option%s%s%s", word, nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        } else if (o->file != NULL) return ks_usage_error("run", "one FILE at a time; '%s' is a second one", word);
        else o->file = word;
    }
    return o->file == NULL ? ks_usage_error("run", "name a scenario: FILE.ksim") : 0;
}

static int rewrite(const char *path, const char *text) {
    ks_buffer out = { 0 };
    ks_buffer_text(&out, text);
    bool fine = ks_write_file("run", path, &out);
    ks_buffer_deinit(&out);
    if (fine) printf("%s: rewritten\n", path);
    return fine ? 0 : 2;
}

/* With --rewrite what stood in the file as expected output is no news; what else failed is. */
static int tell(const run_options *o, const ks_scenario *scenario, const ks_scenario_outcome *outcome) {
    bool rewrites = o->rewrite && !outcome->wrong && !outcome->stuck;
    const char *report = rewrites ? outcome->unmet : outcome->report;
    if (report[0] != '\0') fputs(report, stderr);
    if (outcome->wrong) return 2;
    if (rewrites && strcmp(outcome->rewritten, ks_scenario_text(scenario)) != 0 && rewrite(o->file, outcome->rewritten) != 0) return 2;
    int32_t failed = rewrites ? outcome->unmet_count : outcome->failed;
    printf("%s: %d held, %d failed%s\n", o->file, outcome->held, failed, outcome->stuck ? "; it got stuck" : "");
    return failed > 0 || outcome->stuck ? 1 : 0;
}

int ks_command_run(int argc, char **argv) {
    run_options o = { 0 };
    int status = parse(argc, argv, &o);
    if (status != 0) return status;
    if (!ks_output_apart("run", "--trace", o.trace, "its input", o.file)) return 2;
    char problem[KS_PROBLEMS_SIZE];
    ks_scenario *scenario = ks_scenario_load(o.file, problem, sizeof problem);
    if (scenario == NULL) {
        fprintf(stderr, "%s\n", problem);
        return 2;
    }
    ks_output trace = { 0 };
    bool apart = true;
    const char *data;
    for (int32_t i = 0; apart && (data = ks_scenario_file(scenario, i)) != NULL; i++)
        apart = ks_output_apart("run", "--trace", o.trace, "a data file of the scenario", data);
    if (!apart || (o.trace != NULL && !ks_output_open(&trace, "run", o.trace))) {
        ks_scenario_free(scenario);
        return 2;
    }
    ks_scenario_outcome outcome;
    ks_scenario_run(scenario, &(ks_scenario_options){ .has_seed = o.has_seed, .seed = o.seed, .trace = trace.whole.file }, &outcome);
    bool traced = o.trace == NULL || ks_output_close(&trace, !outcome.wrong);
    status = tell(&o, scenario, &outcome);
    ks_scenario_outcome_deinit(&outcome);
    ks_scenario_free(scenario);
    return traced ? status : 2;
}
