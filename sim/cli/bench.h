/* SPDX-License-Identifier: Apache-2.0
 *
 * ksim bench: each row measures one thing and the limit beside it, in one run.
 */
#ifndef KS_CLI_BENCH_H
#define KS_CLI_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ks_figure {
    double value;
    double limit;          /* what it is held against; < 0: there is none */
    bool higher_is_better; /* then ratio = limit / value, else value / limit */
} ks_figure;

typedef struct ks_bench {
    const char *name, *what, *unit, *limit_is; /* limit_is: "the plain loop", "at most", "at least", "a bare binary heap" */
    double target;                             /* ratio that is aimed for */
    void (*run)(const struct ks_bench *bench, ks_figure *figure);
    int64_t size, variant; /* of the run's own meaning */
} ks_bench;

/* One table per file, ended by a row without a name. */
extern const ks_bench ks_bench_explain[], ks_bench_records[], ks_bench_life[], ks_bench_kernel[], ks_bench_groups[], ks_bench_java_groups[];

void ks_bench_run_targets(const ks_bench *bench, ks_figure *figure); /* the targets of a group that grows to `size` members */
bool ks_bench_first_message(void); /* a whole life: cluster, topic, write, read through a group */
double ks_bench_seconds(void);     /* monotonic wall clock */
double ks_bench_cpu_seconds(void); /* of this process */
/* records/s of the plain loop: hash the key, copy the record into a fresh memory log with an offset index, read it back into
 * an allocated message. The peer of all record rows. */
double ks_bench_plain_loop(size_t records, size_t key_size, size_t value_size);
/* events/s of a bare binary heap that always holds `pending` timers. */
double ks_bench_heap(size_t pending, size_t events);

#endif
