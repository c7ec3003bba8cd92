/* SPDX-License-Identifier: Apache-2.0
 *
 * `ksim demo lab07 [STEP]`: runs the lab, whole or one step.
 */
#include "demos/lab07/lab07.h"
#include "sim/cli/command.h"
#include "sim/cli/output.h"

#include <stdio.h>
#include <string.h>

static int (*const steps[])(const lab07_options *) = { lab07_step1, lab07_step2, lab07_step3, lab07_step4,
                                                       lab07_step5, lab07_step6, lab07_step7, lab07_step8 };
enum { STEP_COUNT = sizeof steps / sizeof *steps, MOST_PARTITIONS = 1000, MOST_CONSUMERS = 64 };

static const char *const options_known[] = { "--seed", "--trace", "--input", "--key", "--partitions", "--consumers", NULL };

/* Where an option's number goes; 0 when it is a fine number, else the exit status. */
static int number(const char *option, const char *text, uint64_t least, uint64_t most, uint64_t *value) {
    if (!ks_parse_u64(text, value) || *value < least || *value > most)
        return ks_usage_error("demo", "%s takes a whole number from %llu to %llu, not '%s'", option, (unsigned long long)least,
                              (unsigned long long)most, text);
    return 0;
}

static int unknown_option(const char *option) {
    const char *nearest = ks_nearest_word(option, options_known);
    return ks_usage_error("demo", "'%s' is not an option%s%s%s", option, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                          nearest ? "'?" : "");
}

static int parse(int argc, char **argv, lab07_options *options, const char **trace, int *step) {
    for (int i = 2; i < argc; i++) {
        const char *word = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        uint64_t n;
        int status = 0;
        if (word[0] != '-') {
            if (!ks_parse_u64(word, &n) || n < 1 || n > STEP_COUNT)
                return ks_usage_error("demo", "lab07 has the steps 1 to %d, not '%s'", STEP_COUNT, word);
            *step = (int)n;
            continue;
        }
        bool known = false;
        for (int k = 0; options_known[k] != NULL; k++) known = known || strcmp(word, options_known[k]) == 0;
        if (!known) return unknown_option(word);
        if (value == NULL) return ks_usage_error("demo", "%s needs a value after it", word);
        i++;
        if (strcmp(word, "--seed") == 0) {
            if ((status = number(word, value, 0, UINT64_MAX, &n)) == 0) options->seed = n;
        } else if (strcmp(word, "--trace") == 0) *trace = value;
        else if (strcmp(word, "--input") == 0) options->input = value;
        else if (strcmp(word, "--key") == 0) options->key = value;
        else if (strcmp(word, "--partitions") == 0) {
            if ((status = number(word, value, 1, MOST_PARTITIONS, &n)) == 0) options->partitions = (int)n;
        } else if ((status = number(word, value, 1, MOST_CONSUMERS, &n)) == 0) options->consumers = (int)n;
        if (status != 0) return status;
    }
    bool capstone = options->input || options->key || options->partitions || options->consumers;
    if (capstone && *step != STEP_COUNT)
        return ks_usage_error("demo", "--input, --key, --partitions and --consumers belong to step %d: ksim demo lab07 %d ...", STEP_COUNT,
                              STEP_COUNT);
    if (options->key != NULL && options->input == NULL) return ks_usage_error("demo", "--key names a field of --input; name a file");
    return 0;
}

int ks_command_demo(int argc, char **argv) {
    lab07_options options = { .seed = 7 };
    const char *trace = NULL;
    int step = 0;
    if (argc < 2 || strcmp(argv[1], "lab07") != 0)
        return ks_usage_error("demo", "%s%s%s; there is one demo: lab07", argc < 2 ? "which" : "'", argc < 2 ? "" : argv[1],
                              argc < 2 ? "?" : "' is unknown");
    int status = parse(argc, argv, &options, &trace, &step);
    if (status != 0) return status;
    if (!ks_output_apart("demo", "--trace", trace, "--input", options.input)) return 2;
    ks_output output = { 0 };
    if (trace != NULL && !ks_output_open(&output, "demo", trace)) return 2;
    options.trace = output.whole.file;
    for (int i = 1; i <= STEP_COUNT; i++) {
        if (step != 0 && step != i) continue;
        int result = steps[i - 1](&options);
        if (result > status) status = result;
    }
    return trace == NULL || ks_output_close(&output, true) ? status : 2;
}
