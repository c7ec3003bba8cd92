/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cli/open.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/cli/command.h"
#include "sim/scenario/scenario.h"

const char *ks_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* `scenario` is taken; NULL: it was none. */
static bool run_scenario(ks_scenario *scenario, const ks_scenario_options *how, ks_opened *opened, char *problem, size_t problem_size) {
    if (scenario == NULL) return false;
    opened->recording = ks_recording_new();
    ks_subscriber subscriber = { .event = ks_recording_event, .context = opened->recording };
    ks_scenario_outcome outcome;
    ks_scenario_options options = *how;
    options.subscriber = &subscriber;
    ks_scenario_run(scenario, &options, &outcome);
    opened->recording->scenario = ks_arena_string(opened->recording->arena, ks_str(ks_scenario_text(scenario)));
    opened->recording->seed = ks_arena_printf(opened->recording->arena, "%llu", (unsigned long long)outcome.seed);
    bool fine = !outcome.wrong;
    opened->stuck = outcome.stuck;
    if (!fine) snprintf(problem, problem_size, "%.*s", (int)strcspn(outcome.report, "\n"), outcome.report);
    else if (outcome.report[0] != '\0') opened->report = ks_strndup(outcome.report, strlen(outcome.report));
    ks_arena *arena = opened->recording->arena;
    int32_t files = 0;
    while (ks_scenario_file(scenario, files) != NULL) files++;
    opened->files = ks_arena_alloc(arena, ((size_t)files + 1) * sizeof *opened->files);
    for (int32_t i = 0; i < files; i++) opened->files[i] = ks_arena_string(arena, ks_str(ks_scenario_file(scenario, i))).data;
    ks_scenario_outcome_deinit(&outcome);
    ks_scenario_free(scenario);
    if (!fine) ks_recording_free(opened->recording);
    return fine;
}

bool ks_is_scenario(const char *path) {
    size_t size = strlen(path);
    return size > 5 && strcmp(path + size - 5, ".ksim") == 0;
}

bool ks_open(const char *command, const char *path, bool has_seed, uint64_t seed, ks_opened *opened) {
    char problem[KS_PROBLEMS_SIZE];
    *opened = (ks_opened){ 0 };
    if (ks_is_scenario(path)) {
        ks_scenario *scenario = ks_scenario_load(path, problem, sizeof problem);
        if (!run_scenario(scenario, &(ks_scenario_options){ .has_seed = has_seed, .seed = seed }, opened, problem, sizeof problem)) {
            fprintf(stderr, "%s\n", problem);
            return false;
        }
    } else if ((opened->recording = ks_recording_load(path, problem, sizeof problem)) == NULL) {
        fprintf(stderr, "ksim %s: %s\n", command, problem);
        return false;
    }
    opened->story = ks_story_new(opened->recording);
    return true;
}

bool ks_open_with(const char *text, const char *name, const ks_what_if *what, ks_opened *opened, char *problem, size_t problem_size) {
    *opened = (ks_opened){ 0 };
    ks_scenario_options options = { .consumer_settings = what->consumers, .settings_group = what->group, .settings_client = what->client, .cluster_settings = what->brokers, .interrupted = what->interrupted };
    ks_scenario *scenario = ks_scenario_parse(text, strlen(text), name, problem, problem_size);
    if (!run_scenario(scenario, &options, opened, problem, problem_size)) return false;
    opened->story = ks_story_new(opened->recording);
    return true;
}

void ks_opened_close(ks_opened *opened) {
    ks_story_free(opened->story);
    ks_recording_free(opened->recording);
    ks_free(opened->report);
    *opened = (ks_opened){ 0 };
}
