/* SPDX-License-Identifier: Apache-2.0
 *
 * Records through writer, broker and reader, beside the plain loop; what tracing adds; what a stored record costs in memory.
 */
#include "sim/cli/bench.h"

#include <kafkasim/ksim.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALL = 100, PARTITIONS = 4, KEY_SIZE = 10, KEYS = 1000 };

typedef struct flow {
    int64_t records;
    size_t value_size;
    kafka_address *producer;
    kafka_context *ctx;
    char (*keys[PARTITIONS])[KEY_SIZE + 1]; /* KEYS of each partition, so that a call fills one batch */
} flow;

static void must(const char *what, kafka_error error, kafka_address *address) {
    if (error == KAFKA_OK) return;
    fprintf(stderr, "bench: %s: %s (%s)\n", what, kafka_error_name(error), address ? kafka_error_detail(address) : "");
    exit(1);
}

static void make_keys(flow *f) {
    int found[PARTITIONS] = { 0 };
    for (int p = 0; p < PARTITIONS; p++) f->keys[p] = malloc(KEYS * sizeof *f->keys[p]);
    for (int n = 0, full = 0; full < PARTITIONS; n++) {
        char key[32];
        snprintf(key, sizeof key, "key-%06d", n);
        int p = kafka_balancer_partition(kafka_balancer_hash(), kafka_string(key), PARTITIONS);
        if (found[p] == KEYS) continue;
        memcpy(f->keys[p][found[p]++], key, KEY_SIZE + 1);
        full += found[p] == KEYS;
    }
}

static void write_all(void *argument) {
    flow *f = argument;
    kafka_writer *writer;
    must("new writer",
         kafka_writer_new(&(kafka_writer_config){ .address = f->producer, .topic = "records", .balancer = kafka_balancer_hash(),
                                                  .batch_size = CALL, .required_acks = KAFKA_ACKS_ALL }, &writer),
         f->producer);
    kafka_message messages[CALL];
    memset(messages, 0, sizeof messages);
    char *value = malloc(f->value_size);
    memset(value, 'v', f->value_size);
    for (int i = 0; i < CALL; i++) messages[i].value = (kafka_bytes){ value, f->value_size };
    for (int64_t sent = 0, call = 0; sent < f->records; sent += CALL, call++) {
        for (int i = 0; i < CALL; i++)
            messages[i].key = (kafka_bytes){ f->keys[call % PARTITIONS][(sent + i) % KEYS], KEY_SIZE };
        kafka_error error = kafka_writer_write(writer, f->ctx, messages, CALL, NULL);
        must("write", error, f->producer);
    }
    must("close writer", kafka_writer_close(writer), f->producer);
    kafka_writer_free(writer);
    free(value);
}

enum { QUIET, SUBSCRIBED, WITH_CONTENTS };
typedef struct listener { uint64_t events, bytes; bool contents; } listener;

static void listen(void *context, const ksim_event *event) {
    listener *l = context;
    l->events++;
    l->bytes += ksim_event_id(event) + strlen(ksim_event_kind(event));
    if (!l->contents) return;
    kafka_bytes key, value;
    for (size_t i = 0; ksim_event_record(event, i, &key, &value); i++) l->bytes += key.size + value.size;
}

/* Seconds for `records` through everything; the reader is in a group, or (partitioned) one reader a partition. */
static double pump(int64_t records, size_t value_size, bool grouped, int tracing) {
    flow f = { .records = records, .value_size = value_size };
    make_keys(&f);
    ksim *sim = ksim_new(&(ksim_config){ .seed = 1, .brokers = 3 });
    must("create topic", ksim_create_topic(sim, "records", grouped ? PARTITIONS : PARTITIONS), NULL);
    listener l = { .contents = tracing == WITH_CONTENTS };
    if (tracing != QUIET) ksim_trace_subscribe(sim, listen, &l);
    f.producer = ksim_client(sim, "producer");
    f.ctx = kafka_background(f.producer);
    kafka_address *address = ksim_client(sim, "consumer");
    kafka_reader *readers[PARTITIONS];
    int reader_count = grouped ? 1 : PARTITIONS;
    for (int i = 0; i < reader_count; i++)
        must("new reader",
             kafka_reader_new(&(kafka_reader_config){ .address = address, .group_id = grouped ? "bench" : NULL, .topic = "records",
                                                      .partition = i, .commit_interval = grouped ? KAFKA_SECOND : 0 },
                              &readers[i]),
             address);
    double start = ks_bench_seconds();
    kafka_task *task = kafka_go(f.ctx, "producer", write_all, &f);
    kafka_context *ctx = kafka_background(address);
    int64_t share = records / CALL / PARTITIONS * CALL; /* of each partition */
    for (int64_t got = 0; got < records; got++) {
        kafka_message message = { 0 };
        kafka_reader *reader = readers[grouped ? 0 : got / share < PARTITIONS ? got / share : PARTITIONS - 1];
        must("fetch", kafka_reader_fetch(reader, ctx, &message), address);
        if (grouped) kafka_reader_commit(reader, ctx, &message, 1);
        kafka_message_release(&message);
    }
    must("join", kafka_join(f.ctx, task), f.producer);
    double seconds = ks_bench_seconds() - start;
    for (int i = 0; i < reader_count; i++) {
        kafka_reader_close(readers[i]);
        kafka_reader_free(readers[i]);
    }
    kafka_address_free(address);
    kafka_address_free(f.producer);
    ksim_free(sim);
    for (int p = 0; p < PARTITIONS; p++) free(f.keys[p]);
    return seconds;
}

static void run_records(const ks_bench *bench, ks_figure *figure) {
    int64_t records = bench->size == 100 ? 1000000 : 200000;
    figure->value = (double)records / pump(records, (size_t)bench->size - KEY_SIZE, bench->variant == 0, QUIET);
    figure->limit = ks_bench_plain_loop((size_t)records, KEY_SIZE, (size_t)bench->size - KEY_SIZE);
    figure->higher_is_better = true;
}

static void run_tracing(const ks_bench *bench, ks_figure *figure) {
    int64_t records = 1000000;
    figure->limit = pump(records, 90, true, QUIET);
    figure->value = pump(records, 90, true, (int)bench->variant);
}

static void run_memory(const ks_bench *bench, ks_figure *figure) {
    int64_t records = 200000, batch = bench->size;
    char value[90];
    memset(value, 'v', sizeof value);
    kafka_message messages[CALL];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < CALL; i++)
        messages[i] = (kafka_message){ .topic = "records", .key = kafka_string("key-000001"), .value = { value, sizeof value } };
    ksim *sim = ksim_new(&(ksim_config){ .seed = 1 });
    must("create topic", ksim_create_topic(sim, "records", 1), NULL);
    enum { LAST_EVENTS = 4096 }; /* what is made once is not counted, as the trace's last events: kept until as many have come */
    for (int i = 0; i < LAST_EVENTS; i++) must("put", ksim_put_messages(sim, messages, (size_t)batch), NULL);
    struct mallinfo2 before = mallinfo2();
    for (int64_t i = 0; i < records; i += batch) must("put", ksim_put_messages(sim, messages, (size_t)batch), NULL);
    struct mallinfo2 after = mallinfo2();
    double grown = (double)(after.uordblks + after.hblkhd) - (double)(before.uordblks + before.hblkhd);
    figure->value = grown / (double)records - KEY_SIZE - (double)sizeof value;
    figure->limit = (double)bench->variant;
    ksim_free(sim);
}

const ks_bench ks_bench_records[] = {
    { "writer_reader_100b", "a million records of 100 B through a group", "records/s", "the plain loop", 3, run_records, 100, 0 },
    { "writer_reader_1kib", "200,000 records of 1 KiB through a group", "records/s", "the plain loop", 1.75, run_records, 1024, 0 },
    { "writer_reader_partition_100b", "a million records of 100 B without a group", "records/s", "the plain loop", 3, run_records, 100, 1 },
    { "tracing", "writer_reader_100b with a subscriber to everything", "s", "without one", 1.1, run_tracing, 0, SUBSCRIBED },
    { "tracing_contents", "the same, reading every key and value", "s", "without one", 1.5, run_tracing, 0, WITH_CONTENTS },
    { "memory_batched", "bytes beside key and value, batches of 100", "B/record", "at most", 1, run_memory, 100, 13 },
    { "memory_single", "bytes beside key and value, one record a batch", "B/record", "at most", 1, run_memory, 1, 100 },
    { 0 },
};
