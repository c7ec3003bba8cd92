/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of Java's consumer: what it costs until all have joined, and until all is shared out again after one has left. The
 * members are engines without stacks that poll all the time; ten partitions each. Stable: every partition has its owner again,
 * as the members' own callbacks say.
 */
#include "sim/cli/bench.h"

#include <kafkasim/ksim.h>

#include "sim/api/address.h"
#include "sim/client/java_consumer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum assignor { RANGE, COOPERATIVE_STICKY, UNIFORM } assignor;

typedef struct group group;
typedef struct member {
    group *group;
    kafka_address *address;
    ks_consumer *consumer;
} member;

struct group {
    ksim *sim;
    member *members;
    int64_t count, partitions, owned; /* owned: by all members together */
};

static void run(void *owner) {
    member *m = owner;
    ks_consumer_record record;
    for (;;) switch (ks_consumer_step(m->consumer)) {
    case KS_POLL_CALLBACK: {
        const ks_topic_partitions *topics;
        int32_t count, size = 0;
        ks_rebalance_event event = ks_consumer_callback(m->consumer, &topics, &count);
        for (int32_t i = 0; i < count; i++) size += topics[i].partition_count;
        m->group->owned += event == KS_PARTITIONS_ASSIGNED ? size : -size;
        ks_consumer_callback_done(m->consumer, KAFKA_OK);
        break;
    }
    case KS_POLL_RECORDS:
        while (ks_consumer_take(m->consumer, &record)) { }
        break;
    case KS_POLL_DONE:
        return;
    case KS_POLL_FAILED:
        fprintf(stderr, "bench: %s\n", ks_consumer_error_detail(m->consumer));
        exit(1);
    case KS_POLL_WAITING:
        return;
    }
}

static void make_member(group *g, int64_t index, assignor kind) {
    member *m = &g->members[index];
    char name[32];
    snprintf(name, sizeof name, "c%05lld", (long long)index);
    m->group = g;
    m->address = ksim_client(g->sim, name);
    const char *settings[] = { "group.id=g", kind == UNIFORM ? "group.protocol=consumer"
                               : kind == RANGE ? "partition.assignment.strategy=range" : "partition.assignment.strategy=cooperative-sticky" };
    ks_java_config config;
    ks_buffer why = { 0 };
    if (ks_java_config_init(&config, settings, 2, NULL, 0, &why) != KAFKA_OK) exit(1);
    m->consumer = ks_consumer_new(m->address->process, m->address->text, &config, &(ks_consumer_events){ run, m });
    ks_consumer_subscribe(m->consumer, &KS_LITERAL("orders"), 1);
    ks_consumer_poll_begin(m->consumer);
    run(m);
}

static bool all_owned(ksim *sim, void *context) {
    (void)sim;
    const group *g = context;
    return g->owned == g->partitions;
}

static bool some_are_free(ksim *sim, void *context) { return !all_owned(sim, context); }

static void until_shared_out(group *g) {
    if (ksim_run_until(g->sim, all_owned, g, "every partition has its owner", 600 * KAFKA_SECOND) == KAFKA_OK) return;
    fprintf(stderr, "bench: %s\n", ksim_error_detail(g->sim));
    exit(1);
}

static group make_group(int64_t count) {
    group g = { .count = count, .partitions = 10 * count, .members = calloc((size_t)count, sizeof(member)) };
    g.sim = ksim_new(&(ksim_config){ .seed = 1, .brokers = 3 });
    if (ksim_create_topic(g.sim, "orders", (int32_t)g.partitions) != KAFKA_OK) exit(1);
    return g;
}

static void join_all(group *g, assignor kind) {
    for (int64_t i = 0; i < g->count; i++) make_member(g, i, kind);
    until_shared_out(g);
}

static void free_group(group *g) {
    for (int64_t i = 0; i < g->count; i++) {
        ks_consumer_free(g->members[i].consumer);
        kafka_address_free(g->members[i].address);
    }
    free(g->members);
    ksim_free(g->sim);
}

static double limit_of(const ks_bench *bench, double thousand) { return bench->size == 1000 ? thousand : -1; }

static void run_join(const ks_bench *bench, ks_figure *figure) {
    group g = make_group(bench->size);
    double start = ks_bench_cpu_seconds();
    join_all(&g, (assignor)bench->variant);
    figure->value = (ks_bench_cpu_seconds() - start) * 1e3;
    figure->limit = limit_of(bench, bench->variant == UNIFORM ? 2000 : 200);
    free_group(&g);
}

/* All joined at the same time and so send their heartbeats at the same time, which tell them that somebody has left. A member leaves
 * a tenth of a second before that: what the others do all the while (six idle fetches a second each, a commit every five) is no part
 * of the leave, has a row of its own, and so hardly counts here. */
static kafka_duration until_heartbeats_are_near(assignor kind) {
    return (kind == UNIFORM ? 5 * 5 : 7 * 3) * KAFKA_SECOND - KAFKA_SECOND / 10; /* from group.consumer.heartbeat.interval.ms; the client's own */
}

/* CPU ms from the close of one member until all is shared out again. */
static double leave_ms(int64_t members, assignor kind) {
    group g = make_group(members);
    join_all(&g, kind);
    ksim_run_for(g.sim, until_heartbeats_are_near(kind));
    double start = ks_bench_cpu_seconds();
    member *leaver = &g.members[g.count / 2];
    ks_consumer_poll_end(leaver->consumer);
    ks_consumer_close(leaver->consumer, 30 * KS_S);
    ks_consumer_poll_begin(leaver->consumer);
    run(leaver);
    if (ksim_run_until(g.sim, some_are_free, &g, "the member has given up what it had", 60 * KAFKA_SECOND) != KAFKA_OK) exit(1);
    until_shared_out(&g);
    double ms = (ks_bench_cpu_seconds() - start) * 1e3;
    free_group(&g);
    return ms;
}

static void run_leave(const ks_bench *bench, ks_figure *figure) {
    figure->value = leave_ms(bench->size, (assignor)bench->variant);
    figure->limit = limit_of(bench, bench->variant == RANGE ? 20 : 100);
}

/* CPU ms of a virtual second in which nobody comes or goes. */
static void run_idle(const ks_bench *bench, ks_figure *figure) {
    enum { SECONDS = 15 }; /* five heartbeats or three of KIP-848, three commits */
    group g = make_group(bench->size);
    join_all(&g, (assignor)bench->variant);
    ksim_run_for(g.sim, 10 * KAFKA_SECOND);
    double start = ks_bench_cpu_seconds();
    ksim_run_for(g.sim, SECONDS * KAFKA_SECOND);
    figure->value = (ks_bench_cpu_seconds() - start) * 1e3 / SECONDS;
    free_group(&g);
}

static double least(double a, double b) { return a < b ? a : b; }

/* How much more a leave costs with ten times the members; the best of some runs by turns, so that both are met by the same machine. */
static void run_growth(const ks_bench *bench, ks_figure *figure) {
    enum { RUNS = 15 };
    double many = INFINITY, few = INFINITY;
    for (int i = 0; i < RUNS; i++) {
        few = least(few, leave_ms(bench->size / 10, (assignor)bench->variant));
        many = least(many, leave_ms(bench->size, (assignor)bench->variant));
    }
    figure->value = many / few;
    figure->limit = 15;
}

#define ROWS(n)                                                                                                                           \
    { "group_join_" #n "_range", #n " members join at once", "CPU ms", "at most", 1, run_join, n, RANGE },                                \
    { "group_join_" #n "_cooperative_sticky", #n " members join at once", "CPU ms", "at most", 1, run_join, n, COOPERATIVE_STICKY },      \
    { "group_join_" #n "_uniform", #n " members join at once (KIP-848)", "CPU ms", "at most", 1, run_join, n, UNIFORM },                  \
    { "group_join_" #n "_uniform_target", "of it: computing a target at each join", "CPU ms", "at most", 1, ks_bench_run_targets, n, UNIFORM },  \
    { "group_idle_" #n "_range", #n " members, a second of nothing new", "CPU ms", "at most", 1, run_idle, n, RANGE },                    \
    { "group_idle_" #n "_uniform", #n " members, a second of nothing new (KIP-848)", "CPU ms", "at most", 1, run_idle, n, UNIFORM },      \
    { "group_leave_" #n "_range", "one of " #n " leaves, until shared out", "CPU ms", "at most", 1, run_leave, n, RANGE },                \
    { "group_leave_" #n "_cooperative_sticky", "one of " #n " leaves, until shared out", "CPU ms", "at most", 1, run_leave, n, COOPERATIVE_STICKY }, \
    { "group_leave_" #n "_uniform", "one of " #n " leaves, until shared out (KIP-848)", "CPU ms", "at most", 1, run_leave, n, UNIFORM }

#define GROWTH(name, assignor) \
    { "group_leave_growth_" name, "1000 members against 100, one leaves", "times", "at most", 1, run_growth, 1000, assignor }

const ks_bench ks_bench_java_groups[] = { ROWS(10), ROWS(100), ROWS(1000), GROWTH("range", RANGE),
                                          GROWTH("cooperative_sticky", COOPERATIVE_STICKY), GROWTH("uniform", UNIFORM), { 0 } };
