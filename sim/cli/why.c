/* SPDX-License-Identifier: Apache-2.0
 *
 * `ksim why FILE ...`: the causes of a step, of a group's generation, of what became of a record.
 */
#include "sim/cli/advice.h"
#include "sim/cli/command.h"
#include "sim/cli/open.h"

#include <stdio.h>
#include <string.h>

static int why_group(const char *path, const ks_story *story, const char *group, const char *generation, ks_buffer *out) {
    uint64_t n;
    if (!ks_parse_u64(generation, &n) || n > INT32_MAX) return ks_usage_error("why", "a generation is a whole number, not '%s'", generation);
    int32_t rebalance = ks_why_rebalance(story, group, (int32_t)n);
    if (rebalance >= 0) {
        ks_why_generation(story, rebalance, out);
        const char *scenario = ks_is_scenario(path) ? story->recording->scenario.data : NULL;
        ks_advise(story, rebalance, &(ks_trial){ .text = scenario, .name = path }, out);
        return 0;
    }
    int32_t last = -1;
    bool known = false;
    for (int32_t r = 0; r < story->rebalances.count; r++) {
        if (!ks_string_equal(story->rebalances.items[r].group, ks_str(group))) continue;
        known = true;
        if (story->rebalances.items[r].generation > last) last = story->rebalances.items[r].generation;
    }
    if (!known) return ks_usage_error("why", "there is no group '%s' in this run, or it never rebalanced", group);
    return ks_usage_error("why", "group '%s' never reached generation %s in this run; its last one is %d", group, generation, last);
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
    if (status == 0 && !ks_write_file("why", "-", &out)) status = 2;
    ks_buffer_deinit(&out);
    ks_opened_close(&run);
    return status;
}
