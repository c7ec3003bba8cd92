/* SPDX-License-Identifier: Apache-2.0
 *
 * What explaining costs: the narrative of 100,000 events, the page of 5,000 steps, one step back at step 10,000. The run is a group
 * of ten that reads steadily, with rebalances now and then.
 */
#include "sim/cli/bench.h"
#include "sim/explain/fold.h"
#include "sim/scenario/scenario.h"

#include <stdio.h>
#include <stdlib.h>

static ks_recording *long_run(void) {
    ks_buffer text = { 0 };
    char problem[512];
    ks_buffer_text(&text, "cluster brokers=3 group.initial.rebalance.delay.ms=0\ntopic orders partitions=20\n");
    for (int i = 0; i < 10; i++) ks_buffer_printf(&text, "consumer c%d group=g topics=orders client=kafka-go commit=every:10\n", i);
    ks_buffer_text(&text, "join c0 c1 c2 c3 c4 c5 c6 c7 c8\nuntil stable g\nproduce orders key=user-{n} value=\"event {n}\" count=10000000 every=500ms\n");
    for (int i = 0; i < 10; i++) ks_buffer_text(&text, "join c9\nadvance 5m\nleave c9\nadvance 5m\n");
    ks_scenario *scenario = ks_scenario_parse((const char *)text.data, text.size, "bench", problem, sizeof problem);
    if (scenario == NULL) {
        fprintf(stderr, "bench: %s\n", problem);
        exit(1);
    }
    ks_recording *recording = ks_recording_new();
    ks_subscriber subscriber = { .event = ks_recording_event, .context = recording };
    ks_scenario_outcome outcome;
    ks_scenario_run(scenario, &(ks_scenario_options){ .subscriber = &subscriber }, &outcome);
    ks_scenario_outcome_deinit(&outcome);
    ks_scenario_free(scenario);
    ks_buffer_deinit(&text);
    return recording;
}

/* The story cut behind its `steps`-th step. */
static ks_story *cut_story(ks_recording *recording, int32_t steps) {
    ks_story *whole = ks_story_new(recording);
    for (int32_t i = 0; i < whole->steps.count; i++)
        if (whole->steps.items[i].number > steps) {
            recording->events.count = whole->steps.items[i].event;
            break;
        }
    ks_story_free(whole);
    return ks_story_new(recording);
}

static void run_narrative(const ks_bench *bench, ks_figure *figure) {
    ks_recording *recording = long_run();
    if (recording->events.count > bench->size) recording->events.count = (int32_t)bench->size;
    ks_buffer out = { 0 };
    double start = ks_bench_cpu_seconds();
    ks_story *story = ks_story_new(recording);
    ks_narrate(story, &(ks_filter){ .level = KS_LEVEL_STORY, .partition = -1 }, &out);
    figure->value = ks_bench_cpu_seconds() - start;
    figure->limit = 0.3;
    ks_buffer_deinit(&out);
    ks_story_free(story);
    ks_recording_free(recording);
}

static void run_page(const ks_bench *bench, ks_figure *figure) {
    ks_recording *recording = long_run();
    ks_story *story = cut_story(recording, (int32_t)bench->size);
    const ks_story *stories[1] = { story };
    const char *titles[1] = { "bench" };
    ks_buffer out = { 0 };
    ks_explanation_html(stories, titles, 1, &out);
    figure->value = (double)out.size;
    figure->limit = 2e6;
    ks_buffer_deinit(&out);
    ks_story_free(story);
    ks_recording_free(recording);
}

static void run_step_back(const ks_bench *bench, ks_figure *figure) {
    ks_recording *recording = long_run();
    ks_story *story = cut_story(recording, (int32_t)bench->size);
    ks_fold *fold = ks_fold_new(story);
    int32_t last = story->steps.count - 1;
    double worst = 0;
    for (int i = 0; i < 100; i++) { /* back one step at a time, each from the one behind it */
        double start = ks_bench_cpu_seconds();
        ks_fold_seek(fold, last - i);
        double ms = (ks_bench_cpu_seconds() - start) * 1e3;
        if (ms > worst) worst = ms;
    }
    figure->value = worst;
    figure->limit = 50;
    ks_fold_free(fold);
    ks_story_free(story);
    ks_recording_free(recording);
}

const ks_bench ks_bench_explain[] = {
    { "explain_100k", "the narrative of 100,000 trace events", "CPU s", "at most", 1, run_narrative, 100000, 0 },
    { "page_5000", "the page for 5,000 steps", "B", "at most", 1, run_page, 5000, 0 },
    { "step_back_10k", "one step back at step 10,000, the worst of 100", "ms", "at most", 1, run_step_back, 10000, 0 },
    { 0 },
};
