/* SPDX-License-Identifier: Apache-2.0
 * A whole scenario: lines, and the expected outputs under them.
 */
#include "sim/scenario/command.h"
#include "sim/scenario/scenario.h"

static const char *const wrong_order = "'cluster' comes first, and once";

static ks_string next_line(ks_string text, int32_t *at) {
    int32_t start = *at;
    while (*at < text.size && text.data[*at] != '\n') (*at)++;
    ks_string line = { text.data + start, *at - start };
    (*at)++;
    if (line.size > 0 && line.data[line.size - 1] == '\r') line.size--;
    return line;
}

static bool only_blanks(ks_string line) {
    for (int32_t i = 0; i < line.size; i++)
        if (line.data[i] != ' ' && line.data[i] != '\t') return false;
    return true;
}

ks_scenario *ks_scenario_parse(const char *text, size_t size, const char *name, char *problem, size_t problem_size) {
    ks_scenario *scenario = ks_alloc(sizeof *scenario);
    scenario->arena = ks_arena_new();
    scenario->name = ks_arena_string(scenario->arena, ks_str(name));
    const char *slash = strrchr(name, '/');
    scenario->folder = ks_arena_string(scenario->arena, (ks_string){ name, slash != NULL ? (int32_t)(slash - name) + 1 : 0 }).data;
    char why[512];
    int32_t at = 0, number = 0, column = 1;
    if (size > 16 * 1024 * 1024) {
        snprintf(problem, problem_size, "%s: a scenario has at most 16 MiB", name);
        ks_scenario_free(scenario);
        return NULL;
    }
    scenario->text = ks_arena_string(scenario->arena, (ks_string){ text, (int32_t)size });
    while (at < (int32_t)size) {
        ks_string line = next_line(scenario->text, &at);
        number++;
        ks_command_line command = { .line = number };
        bool found = false, fine = true;
        if (ks_string_equal(line, KS_LITERAL("----"))) {
            fine = scenario->commands.count > 0 && scenario->commands.items[scenario->commands.count - 1].expected.size < 0;
            snprintf(why, sizeof why, "'----' begins the expected output of the command above it; here is none");
            if (fine) {
                ks_command_line *above = &scenario->commands.items[scenario->commands.count - 1];
                int32_t start = at, end = at;
                above->expected_line = number;
                while (at < (int32_t)size) {
                    int32_t before = at;
                    ks_string output = next_line(scenario->text, &at);
                    number++;
                    if (only_blanks(output)) {
                        at = before;
                        number--;
                        break;
                    }
                    end = at <= (int32_t)size ? at : (int32_t)size;
                }
                above->expected = ks_arena_string(scenario->arena, (ks_string){ scenario->text.data + start, end - start });
                above->expected_end = number + 1;
                continue;
            }
            column = 1;
        } else fine = ks_command_parse(scenario->arena, line, &command, &found, &column, why, sizeof why);
        if (fine && found && command.verb == KS_VERB_cluster && scenario->commands.count > 0) {
            fine = false;
            column = 1;
            snprintf(why, sizeof why, "%s", wrong_order);
        }
        if (!fine) {
            snprintf(problem, problem_size, "%s:%d:%d: %s", name, number, column, why);
            ks_scenario_free(scenario);
            return NULL;
        }
        command.expected_line = command.expected_end = number + 1;
        if (found) KS_PUSH(scenario->commands, command);
    }
    return scenario;
}

ks_scenario *ks_scenario_load(const char *path, char *problem, size_t problem_size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        snprintf(problem, problem_size, "%s: cannot be opened; does it exist, and may you read it?", path);
        return NULL;
    }
    ks_buffer text = { 0 };
    char chunk[16384];
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) ks_buffer_append(&text, chunk, got);
    bool broken = ferror(file) != 0;
    fclose(file);
    ks_scenario *scenario = NULL;
    if (broken) snprintf(problem, problem_size, "%s: cannot be read; is it a folder?", path);
    else scenario = ks_scenario_parse(text.size > 0 ? (const char *)text.data : "", text.size, path, problem, problem_size);
    ks_buffer_deinit(&text);
    return scenario;
}

void ks_scenario_free(ks_scenario *scenario) {
    if (scenario == NULL) return;
    ks_free(scenario->commands.items);
    ks_arena_free(scenario->arena);
    ks_free(scenario);
}

const char *ks_scenario_text(const ks_scenario *scenario) { return scenario->text.data; }
