/* SPDX-License-Identifier: Apache-2.0
 * `ksim` alone. On a terminal: a greeting and a prompt. From a pipe: the lines that come, told as they happen; what is wrong ends it, as in
 * a file. The exit status is that of `ksim run`.
 */
#define _POSIX_C_SOURCE 200809L
#include "sim/cli/prompt.h"

#include "sim/cli/command.h"
#include "sim/cli/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ks_prompt_line(ks_prompt *prompt, const char *line) {
    prompt->line++;
    if (prompt->expecting) {
        if (line[strspn(line, " \t")] == '\0') ks_prompt_expected(prompt);
        else ks_buffer_printf(&prompt->expected, "%s\n", line);
    } else if (strcmp(line, "----") == 0) {
        if (prompt->session == NULL || prompt->said.count == 0) ks_prompt_complain(prompt, 1, "'----' begins the expected output of the command above it; here is none");
        else prompt->expecting = true;
    } else if (!ks_prompt_word(prompt, line)) ks_prompt_command(prompt, line);
}

static void read_pipe(ks_prompt *prompt) {
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    while (!prompt->leaving && !prompt->wrong && (size = getline(&line, &capacity, stdin)) >= 0) {
        while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r')) size--;
        line[size] = '\0';
        if (strlen(line) != (size_t)size) {
            prompt->line++;
            ks_prompt_complain(prompt, 0, "a line with a zero byte: this is no text");
        } else ks_prompt_line(prompt, line);
        fflush(stdout);
    }
    if (prompt->expecting && !prompt->wrong) ks_prompt_expected(prompt);
    free(line);
}

int ks_prompt_run(void) {
    ks_prompt prompt;
    bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    ks_prompt_begin(&prompt, terminal);
    ks_text_begin();
    if (terminal) {
        printf("ksim %s: a Kafka cluster in virtual time, told as it happens. Tab completes;\n"
               "`help` shows how to begin, `save FILE.ksim` keeps the lesson, Ctrl-D leaves.\n", KAFKASIM_VERSION);
        ks_prompt_edit(&prompt);
        ks_prompt_say_unsaved(&prompt);
    } else read_pipe(&prompt);
    bool empty = !terminal && prompt.line == 0;
    int status = empty ? -1 : terminal ? 0 : prompt.wrong ? 2 : prompt.failed > 0 ? 1 : 0;
    ks_prompt_end(&prompt);
    return status;
}
