/* SPDX-License-Identifier: Apache-2.0
 * `help`: the tables of docs/scenarios.md, read aloud. A row is `| usage | meaning |`, its usage in backquotes.
 */
#include "sim/cli/prompt.h"

#include "sim/cli/command.h"

#include <stdio.h>
#include <string.h>

extern const char ks_scenarios_md[];

/* The end of a row's cell; `\|` is a bar inside of it. */
static const char *cell_end(const char *at) {
    for (; *at != '\0' && *at != '\n'; at++) {
        if (*at == '\\' && at[1] == '|') at++;
        else if (*at == '|') break;
    }
    return at;
}

static void print_cell(const char *at, const char *end) {
    while (at < end && *at == ' ') at++;
    while (end > at && end[-1] == ' ') end--;
    for (; at < end; at++)
        if (*at != '`' && !(*at == '\\' && at + 1 < end && at[1] == '|')) putchar(*at);
}

/* Does one of the usages in the cell begin with this word? */
static bool describes(const char *cell, const char *end, const char *word, size_t size) {
    bool open = false;
    for (const char *at = cell; at < end; at++) {
        if (*at != '`') continue;
        open = !open;
        if (open && (size_t)(end - at) > size && strncmp(at + 1, word, size) == 0 && strchr(" `", at[1 + size]) != NULL) return true;
    }
    return false;
}

/* Calls for each row below a table's head. Headings of the page stand between the tables. */
static int rows(const char *about) {
    size_t size = strcspn(about, " ");
    int found = 0;
    bool head = true;
    const char *heading = NULL;
    for (const char *line = ks_scenarios_md; *line != '\0';) {
        const char *end = strchr(line, '\n');
        if (end == NULL) end = line + strlen(line);
        if (line[0] == '#') heading = line + strspn(line, "# ");
        if (strncmp(line, "| --- ", 6) == 0) head = false;
        else if (line[0] != '|') head = true;
        else if (!head) {
            const char *usage = line + 1, *bar = cell_end(usage), *meaning = *bar == '|' ? bar + 1 : bar, *last = cell_end(meaning);
            if (*about == '\0' || describes(usage, bar, about, size)) {
                if (*about == '\0' && heading != NULL) {
                    printf("%s%.*s\n", found ? "\n" : "", (int)strcspn(heading, "\n"), heading);
                    heading = NULL;
                }
                printf("  ");
                print_cell(usage, bar);
                printf("\n      ");
                print_cell(meaning, last);
                printf("\n");
                found++;
            }
        }
        line = *end == '\0' ? end : end + 1;
    }
    return found;
}

const char *ks_prompt_nearest(const char *word) {
    const char *known[128];
    int count = 0;
    for (const char *const *one = ks_scenario_words(); *one != NULL && count < 100; one++) known[count++] = *one;
    for (const char *const *one = ks_prompt_words; *one != NULL && count < 127; one++) known[count++] = *one;
    known[count] = NULL;
    return ks_nearest_word(word, known);
}

void ks_prompt_help(ks_prompt *prompt, const char *about) {
    if (*about == '\0') {
        static const char *const lists[] = { "commands of a scenario", "the prompt's own words" };
        const char *const *words[] = { ks_scenario_words(), ks_prompt_words };
        for (int i = 0; i < 2; i++) {
            int column = 0;
            printf("%s:", lists[i]);
            for (const char *const *word = words[i]; *word != NULL; word++) {
                if (column == 0 || column + (int)strlen(*word) + 1 > 76) column = 4, printf("\n    ");
                column += printf("%s ", *word);
            }
            printf("\n");
        }
        printf("`help COMMAND` says what one of them does, `help all` everything. Time stands still until a command lets it pass:\n"
               "advance 5s, until stable GROUP, until lag GROUP 0. A lesson begins like this:\n\n"
               "    topic orders partitions=3\n    consumer c1 group=billing topics=orders\n    produce orders count=10 key=user-{n}\n"
               "    join c1\n    until stable billing\n    show\n");
        return;
    }
    if (strcmp(about, "all") == 0) about = "";
    if (rows(about) > 0) return;
    const char *nearest = ks_prompt_nearest(about);
    char problem[300];
    snprintf(problem, sizeof problem, "'%.100s' is not a command%s%s%s", about, nearest ? "; did you mean 'help " : "", nearest ? nearest : "", nearest ? "'?" : "");
    ks_prompt_complain(prompt, 6, problem);
}
