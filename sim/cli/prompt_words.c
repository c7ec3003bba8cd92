/* SPDX-License-Identifier: Apache-2.0
 * The prompt's own words. They look at the session, and change nothing in it but what they say.
 */
#define _POSIX_C_SOURCE 200809L
#include "sim/cli/prompt.h"

#include "sim/cli/advice.h"
#include "sim/cli/command.h"
#include "sim/cli/open.h"
#include "sim/cli/picture.h"
#include "sim/cli/step.h"
#include "sim/cli/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const ks_prompt_words[] = { "help", "show", "steps", "why", "level", "step", "html", "save", "undo", "new", "quit", NULL };

typedef struct words { char text[1024]; const char *word[6]; int count; } words; /* of a line; the last one is what is left of it */

static void split(words *w, const char *line) {
    snprintf(w->text, sizeof w->text, "%s", line);
    w->count = 0;
    for (char *at = w->text; w->count < 6;) {
        at += strspn(at, " \t");
        if (*at == '\0') break;
        w->word[w->count++] = at;
        at += strcspn(at, " \t");
        if (*at != '\0') *at++ = '\0';
    }
    for (int i = w->count; i < 6; i++) w->word[i] = "";
}

static void refuse(ks_prompt *prompt, const char *format, const char *what) {
    char problem[600];
    snprintf(problem, sizeof problem, format, what);
    ks_prompt_complain(prompt, 0, problem);
}

static bool has_story(ks_prompt *prompt) {
    if (ks_prompt_story(prompt)->steps.count > 0) return true;
    ks_prompt_complain(prompt, 0, "nothing has happened yet; `help` shows how to begin");
    return false;
}

/* ---- looking ---- */

static void print_line(const ks_prompt *prompt, const ks_picture *picture, int32_t index) {
    static const int colours[KS_STEP_COLOURS] = { 36, 33, 32, 35, 34, 31 };
    const ks_picture_line *line = &picture->lines.items[index];
    const char *text = ks_picture_text(picture, index);
    if (line->client >= 0 && prompt->colour)
        printf("%.*s\033[1;%dm%.*s\033[0m%.*s\n", (int)line->from, text, colours[line->client % KS_STEP_COLOURS], (int)(line->to - line->from), text + line->from, (int)(line->size - line->to), text + line->to);
    else if (line->heading && prompt->colour) printf("\033[1m%.*s\033[0m\n", (int)line->size, text);
    else printf("%.*s\n", (int)line->size, text);
}

static void show(ks_prompt *prompt) {
    if (!has_story(prompt)) return;
    ks_fold *fold = ks_fold_new(ks_prompt_story(prompt));
    ks_picture picture;
    ks_fold_seek(fold, fold->story->steps.count - 1);
    ks_picture_init(&picture, fold);
    ks_picture_draw(&picture, ks_text_window() > 40 ? ks_text_window() : 80);
    for (int32_t i = 0; i < picture.lines.count; i++) print_line(prompt, &picture, i);
    ks_picture_deinit(&picture);
    ks_fold_free(fold);
}

static void steps(ks_prompt *prompt, const words *w) {
    uint64_t first = 0, last = 0;
    if (!has_story(prompt)) return;
    if (w->count > 3 || (w->count > 1 && !ks_parse_u64(w->word[1], &first)) || (w->count > 2 && !ks_parse_u64(w->word[2], &last)) || first > INT32_MAX || last > INT32_MAX) {
        ks_prompt_complain(prompt, 0, "steps [FIRST [LAST]]: numbers of steps");
        return;
    }
    ks_buffer out = { 0 };
    ks_narrate(ks_prompt_story(prompt), &(ks_filter){ .level = prompt->level, .partition = -1, .colour = prompt->colour, .columns = ks_text_window(), .from = (int32_t)first, .to = (int32_t)last }, &out);
    if (out.size > 0) fwrite(out.data, 1, out.size, stdout);
    else printf("      no step to tell at this level\n");
    ks_buffer_deinit(&out);
}

static bool why_group(ks_prompt *prompt, const char *group, const char *generation, ks_buffer *out) {
    const ks_story *story = ks_prompt_story(prompt);
    uint64_t number = 0;
    int32_t rebalance = ks_parse_u64(generation, &number) && number <= INT32_MAX ? ks_why_rebalance(story, group, (int32_t)number) : -1;
    if (rebalance < 0) return false;
    ks_buffer scenario = { 0 };
    ks_prompt_scenario(prompt, &scenario);
    ks_why_generation(story, rebalance, out);
    ks_advise(story, rebalance, &(ks_trial){ .text = (const char *)scenario.data, .name = "this session", .interrupted = &ks_prompt_interrupted }, out);
    ks_buffer_deinit(&scenario);
    return true;
}

static void why(ks_prompt *prompt, const words *w) {
    if (!has_story(prompt)) return;
    const ks_story *story = ks_prompt_story(prompt);
    ks_buffer out = { 0 };
    uint64_t a = 0, b = 0;
    bool found = false;
    if (w->count == 2) {
        int32_t step = ks_story_find(story, w->word[1]);
        if ((found = step >= 0)) ks_why_step(story, step, &out);
        else refuse(prompt, "there is no step '%s'", w->word[1]);
    } else if (w->count == 4 && strcmp(w->word[1], "group") == 0) {
        if (!(found = why_group(prompt, w->word[2], w->word[3], &out))) refuse(prompt, "group '%s' never reached that generation", w->word[2]);
    } else if (w->count == 4) {
        if (!(found = ks_parse_u64(w->word[2], &a) && a <= INT32_MAX && ks_parse_u64(w->word[3], &b) && b <= INT64_MAX && ks_why_record(story, w->word[1], (int32_t)a, (int64_t)b, &out)))
            refuse(prompt, "nothing was written there to '%s'", w->word[1]);
    } else ks_prompt_complain(prompt, 0, "why what? A step: why 12; a generation: why group billing 2; a record: why orders 0 17");
    if (found) fwrite(out.data, 1, out.size, stdout);
    ks_buffer_deinit(&out);
}

static void level(ks_prompt *prompt, const words *w) {
    static const char *const names[] = { "story", "protocol", "everything", NULL };
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(w->word[1], names[i]) == 0) prompt->level = (ks_level)i;
    if (w->count > 1 && strcmp(names[prompt->level], w->word[1]) != 0) {
        const char *nearest = ks_nearest_word(w->word[1], names);
        char problem[300];
        snprintf(problem, sizeof problem, "a level is story, protocol or everything, not '%.100s'%s%s%s", w->word[1], nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        ks_prompt_complain(prompt, 7, problem);
    } else printf("      level %s\n", names[prompt->level]);
}

static void step(ks_prompt *prompt) {
    if (!prompt->terminal) ks_prompt_complain(prompt, 0, "`step` needs a terminal; `steps` tells them");
    else if (has_story(prompt)) ks_step_walk(ks_prompt_story(prompt), "this session");
}

/* ---- files ---- */

static bool ends_in(const char *name, const char *ending) {
    size_t size = strlen(name), end = strlen(ending);
    return size > end && strcmp(name + size - end, ending) == 0;
}

static bool is_our_page(const ks_prompt *prompt, const char *name) {
    for (int32_t i = 0; i < prompt->pages.count; i++)
        if (strcmp(prompt->pages.items[i], name) == 0) return true;
    return false;
}

static void html(ks_prompt *prompt, const words *w) {
    const char *name = w->word[1];
    bool overwrite = w->count == 3 && strcmp(w->word[2], "overwrite") == 0, ours = is_our_page(prompt, name);
    if (w->count < 2 || (w->count > 2 && !overwrite) || !ends_in(name, ".html")) {
        ks_prompt_complain(prompt, 0, "html FILE.html [overwrite]: the page of the session so far");
        return;
    }
    if (!has_story(prompt)) return;
    if (!overwrite && !ours && access(name, F_OK) == 0) {
        refuse(prompt, "%s is there already; `html FILE overwrite` replaces it", name);
        return;
    }
    ks_buffer text = { 0 }, page = { 0 };
    ks_recording *recording = prompt->recording;
    ks_prompt_scenario(prompt, &text);
    recording->scenario = ks_arena_string(recording->arena, ks_str((const char *)text.data));
    recording->seed = ks_arena_printf(recording->arena, "%llu", (unsigned long long)ksim_seed(ks_session_sim(prompt->session)));
    const ks_story *story = ks_prompt_story(prompt);
    const char *title = ks_base_name(name);
    ks_explanation_html(&story, &title, 1, &page);
    if (ks_write_file("html", name, &page)) {
        if (!ours) KS_PUSH(prompt->pages, ks_strndup(name, strlen(name)));
        printf("      %s: open it in a browser\n", name);
    } else prompt->wrong = true;
    ks_buffer_deinit(&text);
    ks_buffer_deinit(&page);
}

/* The promise that a saved lesson runs as it did here is checked, not made. */
static void say_how_it_runs(const ks_prompt *prompt, const char *name, const ks_buffer *text) {
    char problem[1024];
    ks_scenario *scenario = ks_scenario_parse((const char *)text->data, text->size, name, problem, sizeof problem);
    if (scenario == NULL) {
        printf("      but it cannot be read again: %s\n", problem);
        return;
    }
    ks_scenario_outcome outcome;
    ks_scenario_run(scenario, &(ks_scenario_options){ 0 }, &outcome);
    if (outcome.wrong || outcome.failed > 0 || outcome.stuck) printf("      but it does not run as it did here:\n%s", outcome.report);
    else printf("      %s: %d line%s saved; `ksim run %s` holds\n", name, prompt->said.count, prompt->said.count == 1 ? "" : "s", name);
    ks_scenario_outcome_deinit(&outcome);
    ks_scenario_free(scenario);
}

static void save(ks_prompt *prompt, const words *w) {
    const char *name = w->word[1];
    bool overwrite = w->count == 3 && strcmp(w->word[2], "overwrite") == 0;
    if (w->count < 2 || (w->count > 2 && !overwrite)) ks_prompt_complain(prompt, 0, "save FILE.ksim [overwrite]");
    else if (!ends_in(name, ".ksim")) refuse(prompt, "a scenario's file ends in .ksim, so that it is known as one: save %s.ksim", name);
    else if (prompt->said.count == 0) ks_prompt_complain(prompt, 0, "there is nothing to save yet");
    else if (!overwrite && access(name, F_OK) == 0) refuse(prompt, "%s is there already; `save FILE overwrite` replaces it", name);
    else {
        ks_buffer text = { 0 };
        ks_prompt_scenario(prompt, &text);
        if (ks_write_file("save", name, &text)) {
            prompt->saved = prompt->said.count;
            say_how_it_runs(prompt, name, &text);
        } else prompt->wrong = true;
        ks_buffer_deinit(&text);
    }
}

/* ---- going back ---- */

static void undo(ks_prompt *prompt, const words *w) {
    uint64_t count = 1;
    if (w->count > 2 || (w->count == 2 && (!ks_parse_u64(w->word[1], &count) || count == 0))) {
        ks_prompt_complain(prompt, 0, "undo [N]: takes back the last line, or N of them");
        return;
    }
    if (prompt->said.count == 0) {
        ks_prompt_complain(prompt, 0, "there is nothing to take back");
        return;
    }
    int32_t left = count < (uint64_t)prompt->said.count ? prompt->said.count - (int32_t)count : 0;
    for (int32_t i = left; i < prompt->said.count; i++) printf("      taken back: %s\n", prompt->said.items[i].text);
    ks_prompt_rebuild(prompt, left);
}

static void begin_anew(ks_prompt *prompt) {
    ks_prompt_say_unsaved(prompt);
    ks_prompt_rebuild(prompt, 0);
    prompt->told = prompt->saved = 0;
}

static bool is_one_of(const char *word, const char *const *list) {
    for (; *list != NULL; list++)
        if (strcmp(word, *list) == 0) return true;
    return false;
}

/* What begins no command and is nearest to one of the prompt's own words: what is near a command is told with the rest of its line. */
static bool misspelt(ks_prompt *prompt, const char *line, const char *word) {
    const char *nearest = word[strspn(word, "abcdefghijklmnopqrstuvwxyz-")] == '\0' && !is_one_of(word, ks_scenario_words()) ? ks_prompt_nearest(word) : NULL;
    if (nearest == NULL || !is_one_of(nearest, ks_prompt_words)) return false;
    char problem[300];
    snprintf(problem, sizeof problem, "'%.100s' is not a command; did you mean '%s'?", word, nearest);
    ks_prompt_complain(prompt, (int32_t)strspn(line, " \t") + 1, problem);
    return true;
}

bool ks_prompt_word(ks_prompt *prompt, const char *line) {
    words w;
    split(&w, line);
    const char *word = w.word[0];
    if (strcmp(word, "help") == 0 || strcmp(word, "?") == 0) ks_prompt_help(prompt, w.word[1]);
    else if (strcmp(word, "show") == 0) show(prompt);
    else if (strcmp(word, "steps") == 0) steps(prompt, &w);
    else if (strcmp(word, "why") == 0) why(prompt, &w);
    else if (strcmp(word, "level") == 0) level(prompt, &w);
    else if (strcmp(word, "step") == 0) step(prompt);
    else if (strcmp(word, "html") == 0) html(prompt, &w);
    else if (strcmp(word, "save") == 0) save(prompt, &w);
    else if (strcmp(word, "undo") == 0) undo(prompt, &w);
    else if (strcmp(word, "new") == 0) begin_anew(prompt);
    else if (strcmp(word, "quit") == 0 || strcmp(word, "exit") == 0) prompt->leaving = true;
    else return *word != '\0' && misspelt(prompt, line, word);
    return true;
}
