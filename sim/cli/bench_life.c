/* SPDX-License-Identifier: Apache-2.0
 *
 * What it costs to be there: a cluster, a first message, a process, many partitions.
 */
#define _POSIX_C_SOURCE 200809L
#include "sim/cli/bench.h"

#include <kafkasim/ksim.h>

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

bool ks_bench_first_message(void) {
    ksim *sim = ksim_new(&(ksim_config){ .seed = 1 });
    bool fine = ksim_create_topic(sim, "orders", 1) == KAFKA_OK;
    kafka_address *address = ksim_client(sim, "app");
    kafka_context *ctx = kafka_background(address);
    kafka_writer *writer;
    kafka_reader *reader;
    kafka_message out = { .value = kafka_string("hello") }, in = { 0 };
    fine = fine && kafka_writer_new(&(kafka_writer_config){ .address = address, .topic = "orders", .batch_size = 1,
                                                            .required_acks = KAFKA_ACKS_ALL }, &writer) == KAFKA_OK &&
           kafka_writer_write(writer, ctx, &out, 1, NULL) == KAFKA_OK && kafka_writer_close(writer) == KAFKA_OK;
    fine = fine && kafka_reader_new(&(kafka_reader_config){ .address = address, .group_id = "g", .topic = "orders" }, &reader) == KAFKA_OK &&
           kafka_reader_read(reader, ctx, &in) == KAFKA_OK;
    if (fine) {
        kafka_message_release(&in);
        kafka_writer_free(writer);
        kafka_reader_free(reader);
    }
    kafka_address_free(address);
    ksim_free(sim);
    return fine;
}

static void run_first_message(const ks_bench *bench, ks_figure *figure) {
    enum { TIMES = 200 };
    ks_bench_first_message(); /* warm caches: the row is about the simulator, not about the first page faults */
    double start = ks_bench_seconds();
    for (int i = 0; i < TIMES; i++)
        if (!ks_bench_first_message()) exit(1);
    figure->value = (ks_bench_seconds() - start) / TIMES * 1e6;
    figure->limit = (double)bench->size;
}

static double spawn_ms(const char *path, char *const *arguments) {
    enum { TIMES = 50 };
    double best = 1e9;
    for (int i = 0; i < TIMES; i++) {
        double start = ks_bench_seconds();
        pid_t pid;
        int status;
        if (posix_spawn(&pid, path, NULL, NULL, arguments, environ) != 0 || waitpid(pid, &status, 0) != pid || status != 0) exit(1);
        double ms = (ks_bench_seconds() - start) * 1e3;
        if (ms < best) best = ms;
    }
    return best;
}

static void run_process(const ks_bench *bench, ks_figure *figure) {
    (void)bench;
    char *message[] = { "ksim", "bench", "--first-message", NULL }, *nothing[] = { "true", NULL };
    figure->value = spawn_ms("/proc/self/exe", message);
    figure->limit = spawn_ms("/bin/true", nothing);
}

static void run_new_cluster(const ks_bench *bench, ks_figure *figure) {
    enum { TIMES = 2000 };
    ksim_free(ksim_new(&(ksim_config){ .seed = 1, .brokers = 3 }));
    double start = ks_bench_seconds();
    for (int i = 0; i < TIMES; i++) ksim_free(ksim_new(&(ksim_config){ .seed = 1, .brokers = 3 }));
    figure->value = (ks_bench_seconds() - start) / TIMES * 1e6;
    figure->limit = (double)bench->size;
}

static void run_partitions(const ks_bench *bench, ks_figure *figure) {
    enum { TOPICS = 1000, EACH = 10 };
    ksim *sim = ksim_new(&(ksim_config){ .seed = 1, .brokers = 3 });
    ksim_new_topic *topics = calloc(TOPICS, sizeof *topics);
    kafka_message *messages = calloc(TOPICS * EACH, sizeof *messages);
    char(*names)[16] = calloc(TOPICS, sizeof *names);
    for (int i = 0; i < TOPICS; i++) {
        snprintf(names[i], sizeof names[i], "topic-%04d", i);
        topics[i] = (ksim_new_topic){ .name = names[i], .partitions = EACH };
        for (int p = 0; p < EACH; p++)
            messages[i * EACH + p] = (kafka_message){ .topic = names[i], .partition = p, .key = kafka_string("key"), .value = kafka_string("value") };
    }
    double start = ks_bench_cpu_seconds();
    if (ksim_create_topics(sim, topics, TOPICS) != KAFKA_OK || ksim_put_messages(sim, messages, TOPICS * EACH) != KAFKA_OK) {
        fprintf(stderr, "bench: %s\n", ksim_error_detail(sim));
        exit(1);
    }
    figure->value = (ks_bench_cpu_seconds() - start) * 1e3;
    figure->limit = (double)bench->size;
    ksim_free(sim);
    free(topics);
    free(messages);
    free(names);
}

const ks_bench ks_bench_life[] = {
    { "first_message", "from ksim_new to the first message read through a group", "us", "at most", 1, run_first_message, 300, 0 },
    { "process", "a process that does this and exits", "ms", "an empty process", 4, run_process, 0, 0 },
    { "new_cluster", "ksim_new and ksim_free, 3 brokers", "us", "at most", 1, run_new_cluster, 50, 0 },
    { "partitions_10000", "1,000 topics of 10 partitions and a record each", "CPU ms", "at most", 1, run_partitions, 60, 0 },
    { 0 },
};
