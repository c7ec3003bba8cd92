/* SPDX-License-Identifier: Apache-2.0
 *
 * `ksim explain FILE` and `ksim why FILE ...`: what happened, step by step, and why.
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
    bool json, has_seed;
    uint64_t seed;
    ks_filter filter;
    char topic[256];
} explain_options;

static const char *const known[] = { "--level", "--node", "--group", "--topic", "--html", "--svg", "--compare", "--seed", "--json", NULL };

static int parse_level(const char *text, ks_level *level) {
    static const char *const names[] = { "story", "protocol", "everything", NULL };
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *level = (ks_level)i;
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
        if (strcmp(word, "--level") == 0) status = parse_level(value, &o->filter.level);
        else if (strcmp(word, "--node") == 0) o->filter.node = value;
        else if (strcmp(word, "--group") == 0) o->filter.group = value;
        else if (strcmp(word, "--topic") == 0) status = parse_topic(o, value);
        else if (strcmp(word, "--html") == 0) o->html = value;
        else if (strcmp(word, "--svg") == 0) o->svg = value;
        else if (strcmp(word, "--compare") == 0) o->compare = value;
        else {
            o->has_seed = ks_parse_u64(value, &o->seed);
            if (!o->has_seed) status = ks_usage_error("explain", "--seed takes a whole number, not '%s'", value);
        }
        if (status != 0) return status;
    }
    if (o->file == NULL) return ks_usage_error("explain", "name a FILE: a scenario (*.ksim) or a trace");
    if (o->compare != NULL && o->html == NULL && !o->json) return ks_usage_error("explain", "--compare goes with --html or --json");
    return 0;
}

int ks_command_explain(int argc, char **argv) {
    explain_options o = { .filter = { .partition = -1 } };
    int status = parse(argc, argv, &o);
    if (status != 0) return status;
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
    bool fine = true;
    if (o.html != NULL) {
        ks_explanation_html(stories, titles, count, &out);
        fine = ks_write_file("explain", o.html, &out);
    }
    if (fine && o.svg != NULL) {
        ks_buffer_clear(&out);
        ks_explanation_svg(stories[0], titles[0], &out);
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
        ks_narrate(stories[0], &o.filter, &out);
        if (runs[0].report != NULL) ks_buffer_printf(&out, "\n%s", runs[0].report);
        fine = ks_write_file("explain", "-", &out);
    }
    ks_buffer_deinit(&out);
    ks_opened_close(&runs[0]);
    ks_opened_close(&runs[1]);
    return fine ? 0 : 2;
}

/* ---- why ---- */

/* For scenarios advice is checked: the same seed with that setting, and the result said. */
static void try_remedies(const char *path, const ks_story *story, const char *group, int32_t generation, ks_buffer *out) {
    size_t size = strlen(path);
    if (size <= 5 || strcmp(path + size - 5, ".ksim") != 0) return;
    ks_cost before = ks_why_cost(story, group);
    for (int32_t i = 0; i < 2; i++) {
        const char *setting = ks_why_remedy(story, group, generation, i);
        ks_opened other;
        if (setting == NULL) continue;
        if (!ks_open_with(path, setting, &other)) {
            ks_buffer_printf(out, "tried with %s: this scenario cannot run with it\n", setting);
            continue;
        }
        ks_cost after = ks_why_cost(other.story, group);
        ks_buffer_printf(out, "tried with %s, the same seed: %d partition%s paused instead of %d, the longest pause ", setting, after.paused, after.paused == 1 ? "" : "s", before.paused);
        ks_words_seconds(after.longest_ns, out);
        ks_buffer_text(out, " instead of ");
        ks_words_seconds(before.longest_ns, out);
        ks_buffer_printf(out, ", %lld read again instead of %lld\n", (long long)after.read_again, (long long)before.read_again);
        ks_opened_close(&other);
    }
}

static int why_group(const char *path, const ks_story *story, const char *group, const char *generation, ks_buffer *out) {
    uint64_t n;
    if (!ks_parse_u64(generation, &n) || n > INT32_MAX) return ks_usage_error("why", "a generation is a whole number, not '%s'", generation);
    if (ks_why_generation(story, group, (int32_t)n, out)) {
        try_remedies(path, story, group, (int32_t)n, out);
        return 0;
    }
    return ks_usage_error("why", "group '%s' never reached generation %s in this run", group, generation);
}

static int why_record(const ks_story *story, const char *topic, const char *partition, const char *offset, ks_buffer *out) {
    uint64_t p, o;
    if (!ks_parse_u64(partition, &p) || p > INT32_MAX) return ks_usage_error("why", "a partition is a whole number, not '%s'", partition);
    if (!ks_parse_u64(offset, &o) || o > INT64_MAX) return ks_usage_error("why", "an offset is a whole number, not '%s'", offset);
    if (ks_why_record(story, topic, (int32_t)p, (int64_t)o, out)) return 0;
    return ks_usage_error("why", "nothing was written to %s[%s] at %s in this run", topic, partition, offset);
}

int ks_command_why(int argc, char **argv) {
    if (argc < 3) return ks_usage_error("why", "name a FILE and a step, or `group NAME GENERATION`, or `TOPIC PARTITION OFFSET`");
    bool group = argc == 5 && strcmp(argv[2], "group") == 0;
    if (argc != 3 && argc != 5) return ks_usage_error("why", "after FILE: a step, or `group NAME GENERATION`, or `TOPIC PARTITION OFFSET`");
    ks_opened run;
    if (!ks_open("why", argv[1], false, 0, &run)) return 2;
    ks_buffer out = { 0 };
    int status = 0;
    if (group) status = why_group(argv[1], run.story, argv[3], argv[4], &out);
    else if (argc == 5) status = why_record(run.story, argv[2], argv[3], argv[4], &out);
    else {
        int32_t step = ks_story_find(run.story, argv[2]);
        if (step >= 0) ks_why_step(run.story, step, &out);
        else status = ks_usage_error("why", "there is no step '%s'; the last one is %d", argv[2],
                                     run.story->steps.count ? run.story->steps.items[run.story->steps.count - 1].number : 0);
    }
    if (status == 0) ks_write_file("why", "-", &out);
    ks_buffer_deinit(&out);
    ks_opened_close(&run);
    return status;
}
