/* SPDX-License-Identifier: Apache-2.0
 * A whole scenario: lines, and the expected outputs under them.
 */
#include "sim/base/file.h"
#include "sim/scenario/command.h"
#include "sim/scenario/mistakes.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/texts.h"
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

/* The lines up to an empty one, without the blanks and carriage returns at their ends, each with one newline. `above`: the command they
 * belong to; NULL: none that is right. */
static void expected_output(ks_scenario *scenario, ks_command_line *above, int32_t *at, int32_t *number) {
    ks_buffer output = { 0 };
    int32_t first = *number;
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
    if (above != NULL) {
        above->expected = ks_arena_string(scenario->arena, (ks_string){ output.size > 0 ? (const char *)output.data : "", (int32_t)output.size });
        above->expected_line = first;
        above->expected_end = *number + 1;
    }
    ks_buffer_deinit(&output);
}

static bool is_rule_off(ks_string line) { /* "----", with blanks behind it */
    return line.size >= 4 && memcmp(line.data, "----", 4) == 0 && only_blanks((ks_string){ line.data + 4, line.size - 4 });
}

typedef struct reading { /* of a file */
    ks_scenario *scenario;
    ks_world world;
    ks_mistakes mistakes;
    int32_t at, number; /* behind the line that is read; its number, from 1 */
    bool wrong_above;   /* the last command was wrong: expected output may belong to it */
    /* of a line that is wrong */
    int32_t column;
    bool sure;
    char why[1024];
} reading;

static bool one_line(reading *r, ks_string line) {
    ks_scenario *scenario = r->scenario;
    ks_command_line command = { .line = r->number, .expected_line = r->number + 1, .expected_end = r->number + 1 };
    const char *zero = line.size > 0 ? memchr(line.data, 0, (size_t)line.size) : NULL;
    bool found;
    r->column = 1;
    r->sure = true;
    if (zero != NULL) {
        r->column = (int32_t)(zero - line.data) + 1;
        r->at = scenario->text.size; /* no text: nothing more can be said of it */
        snprintf(r->why, sizeof r->why, "a zero byte; a scenario is a text file");
        return false;
    }
    if (is_rule_off(line)) {
        ks_command_line *above = r->wrong_above || scenario->commands.count == 0 ? NULL : &scenario->commands.items[scenario->commands.count - 1];
        bool fine = r->wrong_above || (above != NULL && above->expected.size < 0);
        expected_output(scenario, fine ? above : NULL, &r->at, &r->number);
        if (!fine) snprintf(r->why, sizeof r->why, "'----' begins the expected output of the command above it; here is none");
        return fine;
    }
    if (!ks_command_parse(scenario->arena, line, &command, &found, &r->column, r->why, sizeof r->why)) return false;
    if (!found) return true;
    r->wrong_above = r->sure = false;
    if (!ks_world_take(&r->world, &command, &r->column, r->why, sizeof r->why)) return false;
    KS_PUSH(scenario->commands, command);
    char path[KS_TEXTS_PATH_MAX];
    if (command.verb == KS_VERB_produce && ks_texts_file(&command, scenario->folder, path, sizeof path))
        KS_PUSH(scenario->files, ks_arena_string(scenario->arena, ks_str(path)).data);
    return true;
}

ks_scenario *ks_scenario_parse(const char *text, size_t size, const char *name, char *problem, size_t problem_size) {
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
    reading r = { .scenario = scenario, .mistakes = { .arena = scenario->arena, .name = name }, .number = 1 };
    r.at = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0; /* a byte order mark */
    ks_world_init(&r.world, scenario->arena, scenario->folder);
    for (; r.at < (int32_t)size && r.mistakes.told < KS_MISTAKES_TOLD && r.mistakes.count < KS_MISTAKES_MAX; r.number++) {
        ks_string line = next_line(scenario->text, &r.at);
        int32_t number = r.number;
        if (one_line(&r, line)) continue;
        ks_mistakes_add(&r.mistakes, line, number, r.column, r.why, r.sure);
        r.wrong_above = true;
    }
    ks_world_deinit(&r.world);
    bool fine = r.mistakes.count == 0;
    if (!fine) ks_mistakes_tell(&r.mistakes, problem, problem_size);
    ks_mistakes_deinit(&r.mistakes);
    if (fine) return scenario;
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
    ks_free((void *)scenario->files.items);
    ks_arena_free(scenario->arena);
    ks_free(scenario);
}

const char *ks_scenario_text(const ks_scenario *scenario) { return scenario->text.data; }
const char *ks_scenario_file(const ks_scenario *scenario, int32_t index) {
    return index < scenario->files.count ? scenario->files.items[index] : NULL;
}
