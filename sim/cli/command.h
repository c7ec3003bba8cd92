/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands of the ksim program: one file each, one row each in main.c. They print results on standard output and
 * complaints on standard error; exit status 0 fine, 1 what was asked did not hold, 2 wrong input or usage.
 */
#ifndef KS_CLI_COMMAND_H
#define KS_CLI_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ks_command {
    const char *name;
    const char *usage;   /* what follows the name, one line */
    const char *summary; /* one line */
    const char *help;    /* more, or NULL */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
} ks_command;

int ks_command_demo(int argc, char **argv);
int ks_command_bench(int argc, char **argv);
int ks_command_explain(int argc, char **argv);
int ks_command_run(int argc, char **argv);
int ks_command_costs(int argc, char **argv);
int ks_command_why(int argc, char **argv);
int ks_command_step(int argc, char **argv);
/* `ksim` without a command. Returns the exit status; -1: nothing was piped in. */
int ks_prompt_run(void);

/* Says `ksim COMMAND: message` on standard error, with how to see the usage; returns 2. */
int ks_usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A whole unsigned number; false when `text` is anything else. */
bool ks_parse_u64(const char *text, uint64_t *value);
/* The nearest of `words` (NULL-ended) by edit distance, or NULL when none is near: for "did you mean". */
const char *ks_nearest_word(const char *word, const char *const *words);

#endif
