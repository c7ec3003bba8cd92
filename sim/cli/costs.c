/* SPDX-License-Identifier: Apache-2.0
 *
 * `ksim costs FILE...`: what the rebalances of each run cost, side by side: the table for twins that differ in one thing. Counted
 * is from the first record on: a group that gathers before anything is written pays nothing.
 */
#include "sim/cli/command.h"
#include "sim/cli/open.h"

#include <stdio.h>
#include <string.h>

typedef struct row { char name[300]; ks_cost cost; } row;
typedef KS_VEC(row) rows;

/* A row for each group that had to give something up; one for all when there is only one, or none. */
static void add_rows(rows *table, const char *file, const ks_story *story) {
    int32_t groups = 0;
    for (int32_t p = 0; p < story->pauses.count; p++) {
        ks_string group = story->pauses.items[p].group;
        bool seen = false;
        for (int32_t o = 0; o < p && !seen; o++) seen = ks_string_equal(story->pauses.items[o].group, group);
        if (seen) continue;
        row one = { .cost = ks_why_cost(story, group, -1) };
        ks_buffer name = { 0 };
        ks_words_escape(group, &name);
        snprintf(one.name, sizeof one.name, "%s %s", ks_base_name(file), name.size ? (const char *)name.data : "");
        ks_buffer_deinit(&name);
        KS_PUSH(*table, one);
        groups++;
    }
    if (groups > 1) return;
    table->count -= groups;
    row all = { .cost = ks_why_cost(story, KS_NULL_STRING, -1) };
    snprintf(all.name, sizeof all.name, "%s", ks_base_name(file));
    KS_PUSH(*table, all);
}

static void seconds(int64_t ns, ks_buffer *out) { ks_buffer_printf(out, "  %9lld.%03lld s", (long long)(ns / KS_S), (long long)(ns % KS_S / KS_MS)); }

static void print_table(const rows *table, ks_buffer *out) {
    int width = 3;
    for (int32_t i = 0; i < table->count; i++)
        if ((int)strlen(table->items[i].name) > width) width = (int)strlen(table->items[i].name);
    ks_buffer_printf(out, "%-*s  paused  moved    longest pause  pauses together  not back  read again\n", width, "run");
    for (int32_t i = 0; i < table->count; i++) {
        const ks_cost *c = &table->items[i].cost;
        ks_buffer_printf(out, "%-*s  %6d  %5d", width, table->items[i].name, c->paused, c->moved);
        seconds(c->longest_ns, out);
        seconds(c->together_ns, out);
        ks_buffer_printf(out, "  %8d  %10lld\n", c->not_back, (long long)c->read_again);
    }
}

int ks_command_costs(int argc, char **argv) {
    if (argc < 2) return ks_usage_error("costs", "name one or more FILEs: scenarios (*.ksim) or traces");
    rows table = { 0 };
    ks_buffer out = { 0 };
    int status = 0;
    for (int i = 1; i < argc && status == 0; i++) {
        ks_opened run;
        if (ks_open("costs", argv[i], false, 0, &run)) {
            add_rows(&table, argv[i], run.story);
            ks_opened_close(&run);
        } else status = 2; /* the table of some of them would look like the whole one */
    }
    if (status == 0) print_table(&table, &out);
    if (status == 0 && !ks_write_file("costs", "-", &out)) status = 2;
    ks_buffer_deinit(&out);
    ks_free(table.items);
    return status;
}
