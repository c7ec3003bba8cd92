/* SPDX-License-Identifier: Apache-2.0
 *
 * `ksim explain FILE`: what happened, step by step.
 */
#define _POSIX_C_SOURCE 200809L
#include "sim/cli/command.h"
#include "sim/cli/open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct explain_options {
    const char *file, *html, *svg, *compare;
    bool json, has_seed, has_level;
    uint64_t seed;
    ks_filter filter;
    char topic[256];
} explain_options;

static const char *const known[] = { "--level", "--node", "--group", "--topic", "--html", "--svg", "--from", "--to", "--compare", "--seed", "--json", NULL };

static int parse_level(const char *text, ks_level *level, bool *given) {
    static const char *const names[] = { "story", "protocol", "everything", NULL };
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *level = (ks_level)i;
        *given = true;
        return 0;
    }
    return ks_usage_error("explain", "--level is story, protocol or everything, not '%s'", text);
}

/* "orders" or "orders/2" */
static int parse_topic(explain_options *o, const char *text) {
    const char *slash = strchr(text, '/');
    size_t size = slash ? (size_t)(slash - text) : strlen(text);
    uint64_t partition = 0;
    if (size == 0 || size >= sizeof o->topic || (slash != NULL && (!ks_parse_u64(slash + 1, &partition) || partition > INT32_MAX)))
        return ks_usage_error("explain", "--topic takes TOPIC or TOPIC/PARTITION, not '%s'", text);
    memcpy(o->topic, text, size);
    o->topic[size] = '\0';
    o->filter.topic = o->topic;
    o->filter.partition = slash ? (int32_t)partition : -1;
    return 0;
}

static int parse_step(const char *option, const char *text, int32_t *step) {
    uint64_t number;
    if (!ks_parse_u64(text, &number) || number == 0 || number > INT32_MAX) return ks_usage_error("explain", "%s takes the number of a step, not '%s'", option, text);
    *step = (int32_t)number;
    return 0;
}

static int parse(int argc, char **argv, explain_options *o) {
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (word[0] != '-') {
            if (o->file != NULL) return ks_usage_error("explain", "one FILE at a time; '%s' is a second one (--compare shows two runs)", word);
            o->file = word;
            continue;
        }
        if (strcmp(word, "--json") == 0) {
            o->json = true;
            continue;
        }
        bool is_known = false;
        for (int k = 0; known[k] != NULL; k++) is_known = is_known || strcmp(word, known[k]) == 0;
        if (!is_known) {
            const char *nearest = ks_nearest_word(word, known);
            return ks_usage_error("explain", "'%s' is not an option%s%s%s", word, nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        }
        if (i + 1 == argc) return ks_usage_error("explain", "%s needs a value after it", word);
        const char *value = argv[++i];
        int status = 0;
        if (strcmp(word, "--level") == 0) status = parse_level(value, &o->filter.level, &o->has_level);
        else if (strcmp(word, "--node") == 0) o->filter.node = value;
        else if (strcmp(word, "--group") == 0) o->filter.group = value;
        else if (strcmp(word, "--topic") == 0) status = parse_topic(o, value);
        else if (strcmp(word, "--html") == 0) o->html = value;
        else if (strcmp(word, "--svg") == 0) o->svg = value;
        else if (strcmp(word, "--from") == 0) status = parse_step(word, value, &o->filter.from);
        else if (strcmp(word, "--to") == 0) status = parse_step(word, value, &o->filter.to);
        else if (strcmp(word, "--compare") == 0) o->compare = value;
        else {
            o->has_seed = ks_parse_u64(value, &o->seed);
            if (!o->has_seed) status = ks_usage_error("explain", "--seed takes a whole number, not '%s'", value);
        }
        if (status != 0) return status;
    }
    if (o->file == NULL) return ks_usage_error("explain", "name a FILE: a scenario (*.ksim) or a trace");
    const ks_filter *f = &o->filter;
    bool filtered = o->has_level || f->node != NULL || f->group != NULL || f->topic != NULL || f->from > 0 || f->to > 0;
    if (filtered && o->svg == NULL && (o->html != NULL || o->json))
        return ks_usage_error("explain", "the page and --json hold the whole run; --level, --node, --group, --topic, --from and --to go with the text and --svg");
    bool html_there = o->html != NULL && strcmp(o->html, "-") == 0, svg_there = o->svg != NULL && strcmp(o->svg, "-") == 0;
    if (o->json + html_there + svg_there > 1)
        return ks_usage_error("explain", "%s and %s would both go to standard output and mix there; give one of them a file of its own",
                              html_there ? "--html -" : "--svg -", o->json ? "--json" : "--svg -");
    if (o->compare != NULL && o->html == NULL && !o->json) return ks_usage_error("explain", "--compare goes with --html or --json");
    return 0;
}

/* What is written replaces nothing that is read, and nothing else that is written. */
static bool check_outputs(const explain_options *o) {
    return ks_output_apart("explain", "--html", o->html, "its input", o->file) && ks_output_apart("explain", "--svg", o->svg, "its input", o->file) &&
           ks_output_apart("explain", "--html", o->html, "--compare", o->compare) && ks_output_apart("explain", "--svg", o->svg, "--compare", o->compare) &&
           ks_output_apart("explain", "--svg", o->svg, "--html", o->html);
}

static bool check_files(const explain_options *o, const ks_opened *run) {
    bool apart = true;
    for (const char **file = run->files; file != NULL && *file != NULL && apart; file++)
        apart = ks_output_apart("explain", "--html", o->html, "a data file of the scenario", *file) &&
                ks_output_apart("explain", "--svg", o->svg, "a data file of the scenario", *file);
    return apart;
}

/* A range that holds no step is a slip, not an empty story. */
static bool check_range(const ks_story *story, const ks_filter *filter) {
    int32_t last = story->steps.count > 0 ? story->steps.items[story->steps.count - 1].number : 0;
    if (filter->to > 0 && filter->from > filter->to) ks_usage_error("explain", "--from %d comes after --to %d", filter->from, filter->to);
    else if (filter->from > last) ks_usage_error("explain", "there is no step %d; the last one is %d", filter->from, last);
    else return true;
    return false;
}

static void say_nothing_passes(const ks_filter *filter) {
    bool names = filter->node != NULL || filter->group != NULL || filter->topic != NULL, range = filter->from > 0 || filter->to > 0;
    fprintf(stderr, "ksim explain: no step passes%s%s\n", names ? "; what do --node, --group and --topic name, and is it in this run?" : "",
            range && filter->level != KS_LEVEL_EVERYTHING ? "; `--level everything` leaves no step of the range out" : "");
}

int ks_command_explain(int argc, char **argv) {
    explain_options o = { .filter = { .partition = -1 } };
    int status = parse(argc, argv, &o);
    if (status != 0) return status;
    if (!check_outputs(&o)) return 2;
    ks_opened runs[2] = { { 0 }, { 0 } };
    int count = o.compare != NULL ? 2 : 1;
    if (!ks_open("explain", o.file, o.has_seed, o.seed, &runs[0])) return 2;
    if (count == 2 && !ks_open("explain", o.compare, o.has_seed, o.seed, &runs[1])) {
        ks_opened_close(&runs[0]);
        return 2;
    }
    const ks_story *stories[2] = { runs[0].story, runs[1].story };
    const char *titles[2] = { ks_base_name(o.file), o.compare ? ks_base_name(o.compare) : NULL };
    ks_buffer out = { 0 };
    bool fine = check_files(&o, &runs[0]) && check_files(&o, &runs[1]) && check_range(stories[0], &o.filter);
    if (fine && o.html != NULL) {
        ks_explanation_html(stories, titles, count, &out);
        fine = ks_write_file("explain", o.html, &out);
    }
    if (fine && o.svg != NULL) {
        ks_buffer_clear(&out);
        if (ks_explanation_svg(stories[0], titles[0], &o.filter, &out) == 0) say_nothing_passes(&o.filter);
        fine = ks_write_file("explain", o.svg, &out);
    }
    if (fine && o.json) {
        ks_buffer_clear(&out);
        ks_buffer_text(&out, "[");
        for (int i = 0; i < count; i++) {
            if (i > 0) ks_buffer_text(&out, ",");
            ks_explanation_json(stories[i], titles[i], &out);
        }
        ks_buffer_text(&out, "]\n");
        fine = ks_write_file("explain", "-", &out);
    }
    if (fine && o.html == NULL && o.svg == NULL && !o.json) {
        ks_buffer_clear(&out);
        o.filter.colour = isatty(STDOUT_FILENO);
        ks_narrate_head(stories[0], titles[0], &out);
        if (ks_narrate(stories[0], &o.filter, &out) == 0) say_nothing_passes(&o.filter);
        if (runs[0].report != NULL) ks_buffer_printf(&out, "\n%s", runs[0].report);
        fine = ks_write_file("explain", "-", &out);
    }
    ks_buffer_deinit(&out);
    ks_opened_close(&runs[0]);
    ks_opened_close(&runs[1]);
    return fine ? 0 : 2;
}
