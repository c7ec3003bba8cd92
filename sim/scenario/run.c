/* SPDX-License-Identifier: Apache-2.0
 * Running a file: each command in turn, its expected output held against what happened.
 */
#include "sim/scenario/session.h"

#include <stdlib.h>

/* `column` 0: nowhere in particular. */
static void report(ks_buffer *out, const ks_scenario *scenario, int32_t line, int32_t column, const char *what) {
    ks_buffer_printf(out, "%s:%d:", scenario->name.data, line);
    if (column > 0) ks_buffer_printf(out, "%d:", column);
    ks_buffer_printf(out, " %s\n", what);
}

/* The lines of `a` that differ from `b`, marked, so that the difference reads like code. */
static void difference(ks_buffer *out, ks_string expected, ks_string actual) {
    ks_string sides[2] = { expected, actual };
    for (int side = 0; side < 2; side++) {
        int32_t at = 0;
        while (at < sides[side].size) {
            int32_t start = at;
            while (at < sides[side].size && sides[side].data[at] != '\n') at++;
            ks_buffer_printf(out, "    %c %.*s\n", side == 0 ? '-' : '+', (int)(at - start), sides[side].data + start);
            at++;
        }
    }
}

bool ks_session_happened(ks_session *session, const char *expected, ks_buffer *out) {
    ks_string happened = { (const char *)session->happened.data, (int32_t)session->happened.size };
    if (happened.size == 0 ? *expected == '\0' : ks_string_equal(happened, ks_str(expected))) return true;
    difference(out, ks_str(expected), happened);
    return false;
}

/* Copies lines [from, to) of the text (1-based). */
static void copy_lines(ks_buffer *out, ks_string text, int32_t from, int32_t to) {
    int32_t line = 1;
    for (int32_t i = 0; i < text.size && line < to; i++) {
        if (line >= from) ks_buffer_append(out, text.data + i, 1);
        if (text.data[i] == '\n') line++;
    }
}

/* A file whose first line ends as Windows ends them gets all lines so. */
static bool is_from_windows(ks_string text) {
    const char *end = text.size > 0 ? memchr(text.data, '\n', (size_t)text.size) : NULL;
    return end != NULL && end > text.data && end[-1] == '\r';
}

static void with_carriage_returns(ks_buffer *text) {
    ks_buffer out = { 0 };
    for (size_t i = 0; i < text->size; i++) {
        if (text->data[i] == '\n' && (i == 0 || text->data[i - 1] != '\r')) ks_buffer_append(&out, "\r", 1);
        ks_buffer_append(&out, &text->data[i], 1);
    }
    ks_buffer_deinit(text);
    *text = out;
}

static void write_trace_line(void *file, const char *line, size_t size) { fwrite(line, 1, size, file); }

void ks_scenario_run(const ks_scenario *scenario, const ks_scenario_options *options, ks_scenario_outcome *outcome) {
    ks_buffer said = { 0 }, unmet = { 0 }, rewritten = { 0 };
    char problem[1024] = "";
    int32_t column;
    *outcome = (ks_scenario_outcome){ 0 };
    const ks_command_line *first = scenario->commands.count > 0 ? &scenario->commands.items[0] : NULL;
    const ks_command_line *cluster = first != NULL && first->verb == KS_VERB_cluster ? first : NULL;
    ks_scenario_options here = *options;
    if (here.folder == NULL) here.folder = scenario->folder;
    ks_session *session = ks_session_open(cluster, &here, &column, problem, sizeof problem);
    int32_t copied = 1;
    if (session == NULL) {
        report(&said, scenario, cluster ? cluster->line : 1, column, problem);
        outcome->wrong = true;
    } else if (options->trace != NULL) ksim_trace_to(session->sim, write_trace_line, options->trace, KSIM_TRACE_JSON_CONTENTS);
    for (int32_t i = 0; session != NULL && i < scenario->commands.count; i++) {
        const ks_command_line *command = &scenario->commands.items[i];
        ks_run_result result = ks_session_run(session, command, problem, sizeof problem);
        if (result == KS_RUN_WRONG) {
            report(&said, scenario, command->line, session->column, problem);
            outcome->wrong = true;
            break;
        }
        if (result == KS_RUN_FAILED) {
            report(&said, scenario, command->line, 0, problem);
            report(&unmet, scenario, command->line, 0, problem);
            outcome->failed++;
            outcome->unmet_count++;
        } else if (command->verb == KS_VERB_expect) outcome->held++;
        copy_lines(&rewritten, scenario->text, copied, command->expected_line);
        copied = command->expected_end;
        if (command->expected.size >= 0) {
            ks_buffer_text(&rewritten, "----\n");
            ks_buffer_append(&rewritten, session->happened.data, session->happened.size);
            ks_buffer differs = { 0 };
            if (ks_session_happened(session, command->expected.data, &differs)) outcome->held++;
            else {
                outcome->failed++;
                report(&said, scenario, command->line, 0, "what happened is not what stands here (- expected, + happened)");
                ks_buffer_append(&said, differs.data, differs.size);
            }
            ks_buffer_deinit(&differs);
        }
        if (session->stuck) {
            outcome->stuck = true;
            break;
        }
    }
    copy_lines(&rewritten, scenario->text, copied, INT32_MAX);
    if (session != NULL) {
        outcome->seed = ksim_seed(session->sim);
        if (options->trace != NULL) ksim_trace_close(session->sim);
        ks_session_free(session);
    }
    outcome->report = ks_buffer_take(&said);
    outcome->unmet = ks_buffer_take(&unmet);
    if (is_from_windows(scenario->text)) with_carriage_returns(&rewritten);
    outcome->rewritten = ks_buffer_take(&rewritten);
}

void ks_scenario_outcome_deinit(ks_scenario_outcome *outcome) {
    ks_free(outcome->report);
    ks_free(outcome->unmet);
    ks_free(outcome->rewritten);
    *outcome = (ks_scenario_outcome){ 0 };
}
