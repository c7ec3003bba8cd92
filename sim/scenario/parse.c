/* SPDX-License-Identifier: Apache-2.0
 * A whole scenario: lines, and the expected outputs under them.
 */
#include "sim/base/file.h"
#include "sim/scenario/command.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/world.h"

enum { TEXT_MAX = 16 * 1024 * 1024 };

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

/* The lines up to an empty one, without the blanks and carriage returns at their ends, each with one newline. */
static void expected_output(ks_scenario *scenario, int32_t *at, int32_t *number) {
    ks_command_line *above = &scenario->commands.items[scenario->commands.count - 1];
    ks_buffer output = { 0 };
    above->expected_line = *number;
    while (*at < scenario->text.size) {
        int32_t before = *at;
        ks_string line = next_line(scenario->text, at);
        if (only_blanks(line)) {
            *at = before;
            break;
        }
        ++*number;
        ks_buffer_append(&output, line.data, (size_t)line.size);
        ks_buffer_append(&output, "\n", 1);
    }
    above->expected = ks_arena_string(scenario->arena, (ks_string){ output.size > 0 ? (const char *)output.data : "", (int32_t)output.size });
    above->expected_end = *number + 1;
    ks_buffer_deinit(&output);
}

static bool is_rule_off(ks_string line) { /* "----", with blanks behind it */
    return line.size >= 4 && memcmp(line.data, "----", 4) == 0 && only_blanks((ks_string){ line.data + 4, line.size - 4 });
}

static bool one_line(ks_scenario *scenario, ks_world *world, ks_string line, int32_t *at, int32_t *number, int32_t *column, char *why, size_t why_size) {
    ks_command_line command = { .line = *number, .expected_line = *number + 1, .expected_end = *number + 1 };
    const char *zero = line.size > 0 ? memchr(line.data, 0, (size_t)line.size) : NULL;
    bool found;
    *column = 1;
    if (zero != NULL) {
        *column = (int32_t)(zero - line.data) + 1;
        snprintf(why, why_size, "a zero byte; a scenario is a text file");
        return false;
    }
    if (is_rule_off(line)) {
        bool fine = scenario->commands.count > 0 && scenario->commands.items[scenario->commands.count - 1].expected.size < 0;
        if (fine) expected_output(scenario, at, number);
        else snprintf(why, why_size, "'----' begins the expected output of the command above it; here is none");
        return fine;
    }
    if (!ks_command_parse(scenario->arena, line, &command, &found, column, why, why_size)) return false;
    if (!found) return true;
    if (!ks_world_take(world, &command, column, why, why_size)) return false;
    KS_PUSH(scenario->commands, command);
    return true;
}

ks_scenario *ks_scenario_parse(const char *text, size_t size, const char *name, char *problem, size_t problem_size) {
    char why[1024];
    ks_world world;
    int32_t number = 1, column = 1;
    if (size > TEXT_MAX) {
        snprintf(problem, problem_size, "%s: a scenario has at most %d MiB", name, TEXT_MAX >> 20);
        return NULL;
    }
    ks_scenario *scenario = ks_alloc(sizeof *scenario);
    scenario->arena = ks_arena_new();
    scenario->name = ks_arena_string(scenario->arena, ks_str(name));
    const char *slash = strrchr(name, '/');
    scenario->folder = ks_arena_string(scenario->arena, (ks_string){ name, slash != NULL ? (int32_t)(slash - name) + 1 : 0 }).data;
    scenario->text = ks_arena_string(scenario->arena, (ks_string){ text, (int32_t)size });
    int32_t at = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0; /* a byte order mark */
    ks_world_init(&world, scenario->arena, scenario->folder);
    bool fine = true;
    for (; fine && at < (int32_t)size; number++) {
        ks_string line = next_line(scenario->text, &at);
        fine = one_line(scenario, &world, line, &at, &number, &column, why, sizeof why);
    }
    ks_world_deinit(&world);
    if (fine) return scenario;
    snprintf(problem, problem_size, "%s:%d:%d: %s", name, number - 1, column, why);
    ks_scenario_free(scenario);
    return NULL;
}

ks_scenario *ks_scenario_load(const char *path, char *problem, size_t problem_size) {
    ks_buffer text = { 0 };
    ks_scenario *scenario = NULL;
    const char *wrong = ks_file_read(path, TEXT_MAX, true, &text);
    if (wrong != NULL) snprintf(problem, problem_size, "%s: %s", path, wrong);
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
