/* SPDX-License-Identifier: Apache-2.0
 * The session behind the prompt. Because a run is deterministic, the lines that were said are all there is to keep: a command that was
 * interrupted, was wrong half-way or is taken back goes away by saying the others again.
 */
#define _POSIX_C_SOURCE 200809L
#include "sim/cli/prompt.h"

#include "sim/cli/command.h"
#include "sim/cli/terminal.h"
#include "sim/cli/text.h"
#include "sim/protocol/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEPS_AT_ONCE = 24, /* told after one command, on a terminal */
    LISTED = 8          /* partitions, clients */
};

volatile sig_atomic_t ks_prompt_interrupted;

static void begin_recording(ks_prompt *prompt) {
    prompt->recording = ks_recording_new();
    prompt->recording->start = KS_START_NS;
    prompt->recording->goes_on = true;
    prompt->subscriber = (ks_subscriber){ .event = ks_recording_event, .context = prompt->recording };
}

void ks_prompt_begin(ks_prompt *prompt, bool terminal) {
    *prompt = (ks_prompt){ .terminal = terminal, .colour = terminal && ks_terminal_wants_colour() };
    begin_recording(prompt);
}

static void forget_story(ks_prompt *prompt) {
    ks_story_free(prompt->story);
    prompt->story = NULL;
}

static void forget_session(ks_prompt *prompt) {
    forget_story(prompt);
    ks_session_free(prompt->session);
    prompt->session = NULL;
    ks_recording_free(prompt->recording);
    prompt->recording = NULL;
}

static void unsay(ks_prompt *prompt, int32_t lines) {
    while (prompt->said.count > lines) {
        ks_said *last = &prompt->said.items[--prompt->said.count];
        ks_free(last->text);
        ks_free(last->problem);
    }
    if (prompt->saved > lines) prompt->saved = -1; /* the file has lines that are no more said */
}

void ks_prompt_end(ks_prompt *prompt) {
    forget_session(prompt);
    unsay(prompt, 0);
    ks_free(prompt->said.items);
    for (int32_t i = 0; i < prompt->pages.count; i++) ks_free(prompt->pages.items[i]);
    ks_free(prompt->pages.items);
    ks_buffer_deinit(&prompt->expected);
}

int64_t ks_prompt_now(const ks_prompt *prompt) { return prompt->session != NULL ? ksim_elapsed(ks_session_sim(prompt->session)) : 0; }

const ks_story *ks_prompt_story(ks_prompt *prompt) {
    if (prompt->story == NULL) prompt->story = ks_story_new(prompt->recording);
    return prompt->story;
}

/* ---- saying lines ---- */

static const char *word_of(const char *line, size_t *size) {
    line += strspn(line, " \t");
    *size = strcspn(line, " \t#");
    return line;
}

static bool is_cluster(const char *line) {
    size_t size;
    const char *word = word_of(line, &size);
    return size == 7 && memcmp(word, "cluster", 7) == 0;
}

/* Any first command but `cluster` makes the cluster with its defaults. */
static bool open_session(ks_prompt *prompt, const char *cluster, int32_t *column, char *problem, size_t size) {
    ks_scenario_options options = { .subscriber = &prompt->subscriber, .interrupted = &ks_prompt_interrupted };
    prompt->session = ks_session_new(cluster, &options, column, problem, size);
    return prompt->session != NULL;
}

/* The command's own lines, without the expected output that may stand under it. */
static ks_run_result say(ks_prompt *prompt, const char *text, int32_t *column, char *problem, size_t size) {
    char *line = ks_strndup(text, strcspn(text, "\n"));
    ks_run_result result = KS_RUN_WRONG;
    bool cluster = prompt->session == NULL && is_cluster(line);
    if (cluster) result = open_session(prompt, line, column, problem, size) ? KS_RUN_FINE : KS_RUN_WRONG;
    else if (prompt->session != NULL || open_session(prompt, NULL, column, problem, size)) result = ks_session_command(prompt->session, line, column, problem, size);
    ks_free(line);
    return result;
}

/* Ctrl-C waits until all lines are said again: half of them would be another session. */
void ks_prompt_rebuild(ks_prompt *prompt, int32_t lines) {
    sigset_t interrupt, former;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt, &former);
    ks_prompt_interrupted = 0;
    unsay(prompt, lines);
    forget_session(prompt);
    begin_recording(prompt);
    for (int32_t i = 0; i < prompt->said.count; i++) {
        int32_t column;
        char problem[1024];
        if (prompt->said.items[i].text[strspn(prompt->said.items[i].text, " \t")] != '#') say(prompt, prompt->said.items[i].text, &column, problem, sizeof problem);
    }
    if (prompt->told > prompt->recording->events.count) prompt->told = prompt->recording->events.count;
    sigprocmask(SIG_SETMASK, &former, NULL);
}

/* ---- telling ---- */

void ks_prompt_complain(ks_prompt *prompt, int32_t column, const char *problem) {
    prompt->wrong = true;
    if (!prompt->terminal) {
        if (column > 0) fprintf(stderr, "stdin:%ld:%d: %s\n", prompt->line, column, problem);
        else fprintf(stderr, "stdin:%ld: %s\n", prompt->line, problem);
        return;
    }
    const char *red = prompt->colour ? "\033[31m" : "", *end = prompt->colour ? "\033[0m" : "";
    if (column > 0) printf("%s  column %d: %s%s\n", red, column, problem, end);
    else printf("%s  %s%s\n", red, problem, end);
}

/* ---- what the story leaves out: how many records came and went ---- */

typedef struct tally { ks_string topic, client; int32_t partition; int64_t count; } tally; /* written: client null; delivered: topic null */
typedef KS_VEC(tally) tallies;

static void count_records(tallies *t, ks_string topic, int32_t partition, ks_string client, int64_t count) {
    int32_t i = t->count - 1;
    while (i >= 0 && (t->items[i].partition != partition || !ks_string_equal(t->items[i].topic, topic) || !ks_string_equal(t->items[i].client, client))) i--;
    if (i >= 0) t->items[i].count += count;
    else KS_PUSH(*t, ((tally){ topic, client, partition, count }));
}

static int by_name(const void *left, const void *right) {
    const tally *a = left, *b = right;
    int order = ks_string_compare(a->topic, b->topic);
    if (order == 0) order = ks_string_compare(a->client, b->client);
    return order != 0 ? order : (a->partition > b->partition) - (a->partition < b->partition);
}

static void list_records(tallies *t, const char *verb, ks_buffer *out) {
    int64_t all = 0;
    for (int32_t i = 0; i < t->count; i++) all += t->items[i].count;
    if (t->count == 0) return;
    qsort(t->items, (size_t)t->count, sizeof *t->items, by_name);
    ks_buffer_printf(out, "%s%lld record%s %s", out->size > 0 ? "; " : "", (long long)all, all == 1 ? "" : "s", verb);
    for (int32_t i = 0; i < t->count && i < LISTED; i++) {
        ks_buffer_text(out, i > 0 ? ", " : t->count > 1 ? ": " : " ");
        if (t->count > 1) ks_buffer_printf(out, "%lld to ", (long long)t->items[i].count);
        else ks_buffer_text(out, "to ");
        ks_words_escape(t->items[i].topic.size > 0 ? t->items[i].topic : t->items[i].client, out);
        if (t->items[i].topic.size > 0) ks_buffer_printf(out, "[%d]", t->items[i].partition);
    }
    if (t->count > LISTED) ks_buffer_printf(out, " and %d more", t->count - LISTED);
}

static void tell_records(ks_prompt *prompt) {
    tallies written = { 0 }, delivered = { 0 };
    for (int32_t i = prompt->told; i < prompt->recording->events.count; i++) {
        const ks_recorded *event = &prompt->recording->events.items[i];
        if (event->kind == ks_describe_ev_records_appended()) {
            const ks_ev_records_appended *e = event->fields;
            if (!ks_topic_is_internal(e->topic)) count_records(&written, e->topic, e->partition, KS_NULL_STRING, e->count);
        } else if (event->kind == ks_describe_ev_records_delivered()) {
            const ks_ev_records_delivered *e = event->fields;
            count_records(&delivered, KS_NULL_STRING, -1, e->client, e->count);
        }
    }
    ks_buffer out = { 0 };
    list_records(&written, "written", &out);
    list_records(&delivered, "delivered", &out);
    size_t width = (size_t)(prompt->window > 40 ? prompt->window - 5 : 96);
    for (size_t at = 0; at < out.size;) {
        size_t take = ks_text_line((const char *)out.data + at, out.size - at, (int)width);
        printf("      %.*s%s\n", (int)take, (const char *)out.data + at, at + take == out.size ? "." : "");
        for (at += take; at < out.size && out.data[at] == ' ';) at++;
    }
    ks_buffer_deinit(&out);
    ks_free(written.items);
    ks_free(delivered.items);
}

static void tell_new_steps(ks_prompt *prompt) {
    if (prompt->told == prompt->recording->events.count) return;
    forget_story(prompt);
    prompt->window = ks_text_window();
    const ks_story *story = ks_prompt_story(prompt);
    ks_filter filter = { .level = prompt->level, .partition = -1, .colour = prompt->colour, .columns = prompt->window, .since = prompt->told,
                         .most = prompt->terminal ? STEPS_AT_ONCE : 0 };
    ks_buffer out = { 0 };
    int32_t count = ks_narrate(story, &filter, &out), first = 0;
    if (out.size > 0) fwrite(out.data, 1, out.size, stdout);
    for (int32_t i = story->steps.count - 1; i >= 0 && story->steps.items[i].event >= prompt->told; i--) first = story->steps.items[i].number;
    if (filter.most > 0 && count > filter.most) printf("      ... and %d more: `steps %d` tells all from there, `show` how it stands now\n", count - filter.most, first);
    if (prompt->level == KS_LEVEL_STORY) tell_records(prompt);
    ks_buffer_deinit(&out);
    prompt->told = prompt->recording->events.count;
}

void ks_prompt_command(ks_prompt *prompt, const char *line) {
    char problem[1024] = "";
    int32_t column = 0, events = prompt->recording->events.count;
    size_t size;
    const char *word = word_of(line, &size);
    bool comment = size == 0 && *word == '#';
    if (size == 0 && !comment) return;
    ks_said said = { .from = ks_prompt_now(prompt) };
    ks_run_result result = comment ? KS_RUN_FINE : say(prompt, line, &column, problem, sizeof problem);
    if (ks_prompt_interrupted) {
        ks_prompt_rebuild(prompt, prompt->said.count);
        printf("  given up: nothing of it has happened\n");
        return;
    }
    if (result == KS_RUN_WRONG) {
        bool changed = prompt->session != NULL && (prompt->recording->events.count != events || ks_prompt_now(prompt) != said.from);
        if (changed) ks_prompt_rebuild(prompt, prompt->said.count);
        ks_prompt_complain(prompt, column, problem);
        return;
    }
    said.text = ks_strndup(line, strlen(line));
    said.to = ks_prompt_now(prompt);
    said.failed = result == KS_RUN_FAILED;
    if (said.failed) said.problem = ks_strndup(problem, strlen(problem));
    KS_PUSH(prompt->said, said);
    tell_new_steps(prompt);
    if (!said.failed) return;
    prompt->failed++;
    if (!prompt->terminal) fprintf(stderr, "stdin:%ld: %s\n", prompt->line, problem);
}

void ks_prompt_expected(ks_prompt *prompt) {
    ks_buffer differs = { 0 };
    ks_buffer_text(&prompt->expected, "");
    bool holds = ks_session_happened(prompt->session, (const char *)prompt->expected.data, &differs);
    ks_said *last = &prompt->said.items[prompt->said.count - 1];
    if (holds) { /* it is part of the scenario from now on */
        ks_buffer text = { 0 };
        ks_buffer_printf(&text, "%s\n----\n%s", last->text, (const char *)prompt->expected.data);
        ks_free(last->text);
        last->text = ks_buffer_take(&text);
    } else {
        prompt->failed++;
        FILE *out = prompt->terminal ? stdout : stderr;
        fprintf(out, "stdin:%ld: what happened is not what stands here (- expected, + happened)\n%s", prompt->line, (const char *)differs.data);
    }
    ks_buffer_deinit(&differs);
    ks_buffer_clear(&prompt->expected);
    prompt->expecting = false;
}

/* ---- as a file ---- */

/* What did not hold here would not hold there: it stands as a comment, and the time it took is kept. */
static void failed_line(const ks_said *said, ks_buffer *out) {
    ks_buffer_printf(out, "# did not hold: %s\n#   %s\n", said->text, said->problem);
    int64_t us = (said->to - said->from + 999) / 1000;
    if (us > 0) ks_buffer_printf(out, "advance %lldus\n", (long long)us);
}

void ks_prompt_scenario(const ks_prompt *prompt, ks_buffer *out) {
    for (int32_t i = 0; i < prompt->said.count; i++) {
        const ks_said *said = &prompt->said.items[i];
        if (said->failed) failed_line(said, out);
        else ks_buffer_printf(out, "%s\n%s", said->text, strchr(said->text, '\n') != NULL ? "\n" : "");
    }
    ks_buffer_text(out, "");
}

void ks_prompt_say_unsaved(ks_prompt *prompt) {
    if (!prompt->terminal || prompt->said.count == 0 || prompt->saved == prompt->said.count) return;
    ks_buffer out = { 0 };
    ks_prompt_scenario(prompt, &out);
    printf("Not saved. What was said:\n\n%s\n", (const char *)out.data);
    ks_buffer_deinit(&out);
}
