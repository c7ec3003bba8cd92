/* SPDX-License-Identifier: Apache-2.0
 *
 * `ksim costs FILE...`: what the rebalances of each run cost, side by side: the table for twins that differ in one thing.
 */
#include "sim/cli/command.h"
#include "sim/cli/open.h"

#include <stdio.h>

typedef struct costs { int32_t paused, moved; int64_t longest, together, again; } costs;

static costs add_up(const ks_story *story) {
    costs c = { 0 };
    for (int32_t i = 0; i < story->pauses.count; i++) {
        const ks_pause *pause = &story->pauses.items[i];
        int64_t ns = pause->to > 0 ? pause->to - pause->from : 0;
        c.paused++;
        c.together += ns;
        if (ns > c.longest) c.longest = ns;
        if (pause->after.size > 0 && !ks_string_equal(pause->before, pause->after)) c.moved++;
        c.again += pause->read_again;
    }
    return c;
}

static void seconds(int64_t ns) { printf("  %9lld.%03lld s", (long long)(ns / KS_S), (long long)(ns % KS_S / KS_MS)); }

int ks_command_costs(int argc, char **argv) {
    if (argc < 2) return ks_usage_error("costs", "name one or more FILEs: scenarios (*.ksim) or traces");
    int width = 4;
    for (int i = 1; i < argc; i++)
        if ((int)strlen(ks_base_name(argv[i])) > width) width = (int)strlen(ks_base_name(argv[i]));
    for (int i = 1; i < argc; i++) {
        ks_opened run;
        if (!ks_open("costs", argv[i], false, 0, &run)) return 2;
        if (i == 1) printf("%-*s  paused  moved    longest pause   pauses together  read again\n", width, "run");
        costs c = add_up(run.story);
        printf("%-*s  %6d  %5d", width, ks_base_name(argv[i]), c.paused, c.moved);
        seconds(c.longest);
        printf("  ");
        seconds(c.together);
        printf("  %10lld\n", (long long)c.again);
        ks_opened_close(&run);
    }
    return 0;
}
