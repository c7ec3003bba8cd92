/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups: what a leaving member costs, and how cheap it is to be idle.
 */
#include "sim/cli/bench.h"

#include <kafkasim/ksim.h>

#include <stdio.h>
#include <stdlib.h>

typedef struct members {
    ksim *sim;
    int64_t count;
    kafka_address **addresses;
    kafka_reader **readers;
} members;

static members make_group(int64_t count) {
    members m = { .count = count, .addresses = calloc((size_t)count, sizeof *m.addresses), .readers = calloc((size_t)count, sizeof *m.readers) };
    m.sim = ksim_new(&(ksim_config){ .seed = 1, .brokers = 3 });
    if (ksim_create_topic(m.sim, "orders", (int32_t)count) != KAFKA_OK) exit(1);
    for (int64_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "c%lld", (long long)i);
        m.addresses[i] = ksim_client(m.sim, name);
        if (kafka_reader_new(&(kafka_reader_config){ .address = m.addresses[i], .group_id = "g", .topic = "orders" }, &m.readers[i]) != KAFKA_OK) exit(1);
    }
    if (ksim_run_until_group_stable(m.sim, "g") != KAFKA_OK) {
        fprintf(stderr, "bench: %s\n", ksim_error_detail(m.sim));
        exit(1);
    }
    return m;
}

static void free_group(members *m) {
    for (int64_t i = 0; i < m->count; i++) {
        kafka_reader_free(m->readers[i]);
        kafka_address_free(m->addresses[i]);
    }
    free(m->readers);
    free(m->addresses);
    ksim_free(m->sim);
}

static void run_leave(const ks_bench *bench, ks_figure *figure) {
    members m = make_group(bench->size);
    ksim_run_for(m.sim, 20 * KAFKA_SECOND);
    double start = ks_bench_cpu_seconds();
    kafka_reader_close(m.readers[m.count / 2]);
    if (ksim_run_until_group_stable(m.sim, "g") != KAFKA_OK) exit(1);
    figure->value = (ks_bench_cpu_seconds() - start) * 1e3;
    figure->limit = (double)bench->variant;
    free_group(&m);
}

static void run_idle(const ks_bench *bench, ks_figure *figure) {
    members m = make_group(bench->size);
    ksim_run_for(m.sim, 20 * KAFKA_SECOND);
    double start = ks_bench_seconds(), elapsed, virtual_seconds = 0;
    do {
        ksim_run_for(m.sim, 600 * KAFKA_SECOND);
        virtual_seconds += 600;
        elapsed = ks_bench_seconds() - start;
    } while (elapsed < 0.5);
    figure->value = virtual_seconds / elapsed;
    figure->limit = (double)bench->variant;
    figure->higher_is_better = true;
    free_group(&m);
}

const ks_bench ks_bench_groups[] = {
    { "group_leave_100", "one of 100 members leaves, until stable again", "CPU ms", "at most", 1, run_leave, 100, 3 },
    { "idle_100", "virtual seconds a second of 100 idle members", "s/s", "at least", 1, run_idle, 100, 20000 },
    { "idle_1000", "virtual seconds a second of 1,000 idle members", "s/s", "at least", 1, run_idle, 1000, 2000 },
    { 0 },
};
