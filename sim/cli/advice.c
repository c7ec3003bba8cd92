/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cli/advice.h"

#include <stdio.h>

#include "sim/cli/open.h"

static bool is_interrupted(const ks_trial *trial) { return trial->interrupted != NULL && *trial->interrupted != 0; }

static void try_it(const ks_story *story, int32_t rebalance, const ks_trial *trial, const ks_advice *advice, ks_buffer *out) {
    ks_opened other;
    char problem[1024];
    const char *client = ks_why_client(story, rebalance);
    ks_string name = story->rebalances.items[rebalance].group;
    char *group = ks_strndup(name.data, (size_t)name.size);
    bool of_brokers = ks_advice_is_of_brokers(advice);
    ks_what_if what = { .consumers = of_brokers ? NULL : advice->apply, .brokers = of_brokers ? advice->apply : NULL, .group = group,
                        .client = strcmp(client, "kafka-go") == 0 ? client : "java", .interrupted = trial->interrupted };
    bool runs = ks_open_with(trial->text, trial->name, &what, &other, problem, sizeof problem);
    if (is_interrupted(trial)) ks_buffer_text(out, "      trying it was given up\n");
    else if (!runs) ks_buffer_printf(out, "      tried with the same seed: the scenario cannot run with it: %s\n", problem);
    else if (other.stuck) ks_buffer_text(out, "      tried with the same seed: the scenario gets stuck with it\n");
    else ks_why_tried(story, rebalance, other.story, out);
    if (runs) ks_opened_close(&other);
    ks_free(group);
}

void ks_advise(const ks_story *story, int32_t rebalance, const ks_trial *trial, ks_buffer *out) {
    ks_advice advice[2];
    if (ks_why_cost(story, story->rebalances.items[rebalance].group, rebalance).paused == 0) return;
    int32_t count = ks_why_advice(story, rebalance, advice);
    ks_buffer_text(out, count > 0 ? "what would have avoided it, or made it cheaper (docs/why.md):\n" : "no setting avoids it (docs/why.md)\n");
    for (int32_t i = 0; i < count; i++) {
        ks_why_say_advice(&advice[i], out);
        if (trial->text != NULL && advice[i].apply[0] != '\0' && !is_interrupted(trial)) try_it(story, rebalance, trial, &advice[i], out);
    }
}
