/* SPDX-License-Identifier: Apache-2.0
 *
 * `ksim bench [NAME...] [--json]`: runs the rows asked for (all without a name; a name's beginning is enough) and prints
 * each figure beside its limit. Timing is never a test: the exit status says only whether everything ran.
 */
#define _POSIX_C_SOURCE 200809L
#include "sim/cli/bench.h"
#include "sim/cli/command.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const ks_bench *const tables[] = { ks_bench_records, ks_bench_life, ks_bench_groups, ks_bench_java_groups, ks_bench_kernel, ks_bench_explain };
enum { TABLE_COUNT = sizeof tables / sizeof *tables };

double ks_bench_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double ks_bench_cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool wanted(const ks_bench *bench, char **names, int count) {
    for (int i = 0; i < count; i++)
        if (strncmp(bench->name, names[i], strlen(names[i])) == 0) return true;
    return count == 0;
}

static void print_text(const ks_bench *bench, const ks_figure *figure, double ratio) {
    const char *verdict = "";
    bool colour = isatty(STDOUT_FILENO);
    if (ratio >= 0) verdict = ratio <= bench->target ? (colour ? "\033[32mwithin\033[0m" : "within") : (colour ? "\033[31mabove\033[0m" : "above");
    printf("%-30s %14.6g %-12s", bench->name, figure->value, bench->unit);
    if (ratio >= 0)
        printf(" %14.6g %-20s %8.3f  %s %g", figure->limit, bench->limit_is, ratio, verdict, bench->target);
    printf("\n");
}

static void print_json(const ks_bench *bench, const ks_figure *figure, double ratio) {
    printf("{\"name\":\"%s\",\"value\":%.9g,\"unit\":\"%s\",", bench->name, figure->value, bench->unit);
    if (ratio >= 0) printf("\"limit\":%.9g,\"ratio\":%.4f}\n", figure->limit, ratio);
    else printf("\"limit\":null,\"ratio\":null}\n");
}

int ks_command_bench(int argc, char **argv) {
    bool json = false;
    int names = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) json = true;
        else if (strcmp(argv[i], "--first-message") == 0) return ks_bench_first_message() ? 0 : 1; /* the row `process` */
        else if (argv[i][0] == '-') return ks_usage_error("bench", "'%s' is not an option", argv[i]);
        else argv[1 + names++] = argv[i];
    }
    for (int i = 0; i < names; i++) {
        bool known = false;
        for (int t = 0; t < TABLE_COUNT; t++)
            for (const ks_bench *bench = tables[t]; bench->name != NULL; bench++) known = known || wanted(bench, argv + 1 + i, 1);
        if (!known) return ks_usage_error("bench", "no row's name begins with '%s'", argv[1 + i]);
    }
    if (!json) printf("%-30s %14s %-12s %14s %-20s %8s\n", "name", "value", "unit", "limit", "which is", "ratio");
    for (int t = 0; t < TABLE_COUNT; t++) {
        for (const ks_bench *bench = tables[t]; bench->name != NULL; bench++) {
            if (!wanted(bench, argv + 1, names)) continue;
            ks_figure figure = { .limit = -1 };
            bench->run(bench, &figure);
            double ratio = -1;
            if (figure.limit >= 0) ratio = figure.higher_is_better ? figure.limit / figure.value : figure.value / figure.limit;
            if (json) print_json(bench, &figure, ratio);
            else print_text(bench, &figure, ratio);
            fflush(stdout);
        }
    }
    return 0;
}
