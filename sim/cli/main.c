/* SPDX-License-Identifier: Apache-2.0
 *
 * ksim: the program. Finds the command and runs it.
 */
#include "sim/cli/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const ks_command commands[] = {
    { "demo", "lab07 [STEP] [--seed N] [--trace FILE] [--input FILE ...]", "run the lab, whole or one step",
      "  STEP             1 to 8; without it all eight run\n"
      "  --seed N         another run of the same program (default 7)\n"
      "  --trace FILE     write what happened as JSON lines\n"
      "  step 8 only:\n"
      "  --input FILE     stream this file's lines through the cluster instead of made-up events\n"
      "  --key FIELD      the key: a column's name or number (CSV), a member's name (JSON lines); default: the whole line\n"
      "  --partitions N   partitions of the topic (default 3)\n"
      "  --consumers N    consumers in the group (default 3)\n",
      ks_command_demo },
    { "run", "FILE.ksim [--seed N] [--trace FILE] [--rewrite]", "run a scenario and say what held",
      "  --rewrite   refresh the expected outputs in the file\n"
      "exit status: 0 everything held, 1 an expectation failed or the run got stuck, 2 the file is wrong\n"
      "the language is on one page: docs/scenarios.md\n",
      ks_command_run },
    { "explain", "FILE [--level story|protocol|everything] [--html OUT] ...", "tell step by step what happened",
      "  FILE               a scenario (*.ksim), or a trace that any program wrote\n"
      "  --level LEVEL      story (default), protocol, or everything\n"
      "  --node NAME        only steps that this client or broker takes part in\n"
      "  --group NAME       only this group's\n"
      "  --topic TOPIC[/P]  only this topic's, or this partition's\n"
      "  --from N, --to N   only steps from N, up to N (text and --svg)\n"
      "  --html OUT         write one self-contained page\n"
      "  --compare OTHER    with --html or --json: two runs side by side\n"
      "  --svg OUT          write swim lanes for slides and handouts, of the steps that the options above leave\n"
      "  --json             print what the page shows (docs/explanation-format.md)\n"
      "  --seed N           run the scenario with another seed\n",
      ks_command_explain },
    { "why", "FILE STEP | FILE group NAME GENERATION | FILE TOPIC PARTITION OFFSET", "why that happened",
      "  STEP                     the chain of causes of a step (12, or a sub-step 12.3), back to the command or call that began it\n"
      "  group NAME GENERATION    who triggered the rebalance that led there (of a consumer group: to that epoch), what it moved, what it\n"
      "                           cost, and which setting would have avoided it; for a scenario each is tried with the same seed (docs/why.md)\n"
      "  TOPIC PARTITION OFFSET   what became of a record: written, delivered, read again and why, committed\n",
      ks_command_why },
    { "costs", "FILE...", "what rebalances cost: partitions paused, for how long, moved, read again",
      "  A row for each FILE, a scenario or a trace (and for each group, where there are several). A pause lasts from the last delivery before\n"
      "  a partition was given up to the first fetch answered after it was assigned again; `moved` are those that got another owner, `not\n"
      "  back` those that did not come again in the run, which count in no time. What was over before the first record was written is left\n"
      "  out: a group that gathers pays nothing.\n",
      ks_command_costs },
    { "step", "FILE", "walk through it in the terminal, forward and back", NULL, ks_command_step },
    { "bench", "[NAME...] [--json]", "measure, each figure beside its limit", NULL, ks_command_bench },
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_help(FILE *out) {
    fprintf(out, "ksim: an in-process Kafka, deterministic to the byte\n\n"
                 "  ksim\n      a prompt for the commands of a scenario, each told as it happens; from a pipe the same without the prompt\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  ksim %s %s\n      %s\n", commands[i].name, commands[i].usage, commands[i].summary);
    fprintf(out, "  ksim --help | --version\n      this text, or `ksim COMMAND --help` for one command; the version\n");
}

int ks_usage_error(const char *command, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "ksim %s: ", command);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, " (see `ksim %s --help`)\n", command);
    va_end(arguments);
    return 2;
}

bool ks_parse_u64(const char *text, uint64_t *value) {
    if (text == NULL || *text < '0' || *text > '9') return false;
    char *end;
    errno = 0;
    unsigned long long parsed = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0') return false;
    *value = parsed;
    return true;
}

/* Levenshtein's distance with one row; words are short. */
static size_t distance(const char *a, const char *b) {
    size_t row[64], n = strlen(b);
    if (n >= 64) return SIZE_MAX;
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t cost = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < cost) cost = row[j] + 1;
            if (row[j - 1] + 1 < cost) cost = row[j - 1] + 1;
            row[j] = cost;
        }
    }
    return row[n];
}

const char *ks_nearest_word(const char *word, const char *const *words) {
    const char *nearest = NULL;
    size_t best = strlen(word) / 2 + 1;
    for (; *words != NULL; words++) {
        size_t d = distance(word, *words);
        if (d < best) {
            best = d;
            nearest = *words;
        }
    }
    return nearest;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        int status = ks_prompt_run();
        if (status >= 0) return status;
        print_help(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("ksim %s\n", KAFKASIM_VERSION);
        return 0;
    }
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].name) != 0) continue;
        for (int j = 2; j < argc; j++) {
            if (strcmp(argv[j], "--help") != 0) continue;
            printf("ksim %s %s\n    %s\n", commands[i].name, commands[i].usage, commands[i].summary);
            if (commands[i].help != NULL) printf("\n%s", commands[i].help);
            return 0;
        }
        return commands[i].run(argc - 1, argv + 1);
    }
    const char *words[COMMAND_COUNT + 1] = { NULL };
    for (int i = 0; i < COMMAND_COUNT; i++) words[i] = commands[i].name;
    const char *nearest = ks_nearest_word(argv[1], words);
    fprintf(stderr, "ksim: '%s' is not a command%s%s%s; `ksim --help` lists them\n", argv[1],
            nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    return 2;
}
