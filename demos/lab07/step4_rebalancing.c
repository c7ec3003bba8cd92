/* SPDX-License-Identifier: Apache-2.0
 *
 * Step 4: rebalancing. Members join, leave and crash while messages keep coming; the program measures what each of these
 * costs: how long partitions paused, and what was read twice.
 */
#include "demos/lab07/lab07.h"

#include <string.h>

enum { PARTITIONS = 3, MOST = 4000 };

/* What the consumers of the group saw, together. */
typedef struct ledger {
    ksim *sim;
    int deliveries[PARTITIONS][MOST]; /* how often each offset was delivered */
    kafka_time last[PARTITIONS];      /* when a partition last delivered something */
    kafka_duration longest[PARTITIONS]; /* longest silence since the last report */
    int twice;                        /* deliveries beyond the first, since the last report */
} ledger;

typedef struct consumer {
    ledger *ledger;
    kafka_address *address;
    kafka_context *ctx;
    kafka_task *task;
} consumer;

/* Handles three messages, then commits them, and before it leaves what is left: what is handled and not yet committed comes again
 * after a crash, and when a rebalance takes the partition away. */
static void consume(void *argument) {
    consumer *self = argument;
    ledger *book = self->ledger;
    kafka_reader *reader;
    lab07_must(self->address, "new reader",
               kafka_reader_new(&(kafka_reader_config){ .address = self->address, .group_id = "billing", .topic = "orders" },
                                &reader));
    kafka_message messages[3];
    memset(messages, 0, sizeof messages);
    int handled = 0;
    while (kafka_reader_fetch(reader, self->ctx, &messages[handled]) == KAFKA_OK) {
        kafka_message message = messages[handled++];
        int p = message.partition;
        kafka_time now = kafka_now(self->ctx);
        if (book->last[p] != 0 && now - book->last[p] > book->longest[p]) book->longest[p] = now - book->last[p];
        book->last[p] = now;
        if (message.offset < MOST && ++book->deliveries[p][message.offset] > 1) book->twice++;
        if (handled < 3) continue;
        kafka_reader_commit(reader, self->ctx, messages, 3);
        for (handled = 3; handled > 0; handled--) kafka_message_release(&messages[handled - 1]);
    }
    kafka_reader_commit(reader, kafka_background(self->address), messages, (size_t)handled); /* a crashed process cannot */
    for (int i = 0; i < 3; i++) kafka_message_release(&messages[i]);
    kafka_reader_close(reader);
    kafka_reader_free(reader);
}

typedef struct source {
    kafka_address *address;
    kafka_context *ctx;
} source;

/* One message for each partition every 100 ms. */
static void produce_steadily(void *argument) {
    source *self = argument;
    kafka_writer *writer;
    lab07_must(self->address, "new writer",
               kafka_writer_new(&(kafka_writer_config){ .address = self->address, .topic = "orders",
                                                        .balancer = kafka_balancer_round_robin(),
                                                        .batch_size = 1, .required_acks = KAFKA_ACKS_ALL }, &writer));
    kafka_message messages[PARTITIONS];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < PARTITIONS; i++) messages[i].value = kafka_string("tick");
    while (kafka_sleep(self->ctx, 100 * KAFKA_MILLISECOND) == KAFKA_OK)
        if (kafka_writer_write(writer, self->ctx, messages, PARTITIONS, NULL) != KAFKA_OK) break;
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static void start(ksim *sim, consumer *self, ledger *book, const char *name) {
    *self = (consumer){ .ledger = book, .address = ksim_client(sim, name) };
    self->ctx = kafka_context_with_cancel(kafka_background(self->address));
    self->task = kafka_go(self->ctx, name, consume, self);
}

static void finish(consumer *self) {
    kafka_context_cancel(self->ctx);
    kafka_address *address = self->address;
    kafka_join(kafka_background(address), self->task);
    kafka_context_free(self->ctx);
}

/* Runs on for `seconds`, then says what the change before it cost. */
static void report(ledger *book, const char *what, int seconds) {
    char clock[32];
    printf("  %s  %s\n", lab07_clock(book->sim, clock), what);
    memset(book->longest, 0, sizeof book->longest);
    book->twice = 0;
    ksim_run_for(book->sim, seconds * KAFKA_SECOND);
    lab07_must(NULL, "stable", ksim_run_until_group_stable(book->sim, "billing"));
    ksim_run_for(book->sim, KAFKA_SECOND);
    const ksim_group *group = ksim_group_find(book->sim, "billing");
    printf("             generation %d: %s\n", group->generation, ksim_assignment(book->sim, "billing"));
    printf("             longest silence:");
    for (int p = 0; p < PARTITIONS; p++) printf(" orders[%d] %.3f s", p, (double)book->longest[p] / (double)KAFKA_SECOND);
    printf("; read twice: %d\n\n", book->twice);
}

int lab07_step4(const lab07_options *options) {
    lab07_heading(4, "rebalancing");
    ksim *sim = lab07_cluster(options, 3, (ksim_setting[]){ { "group.initial.rebalance.delay.ms", "0" }, { NULL, NULL } });
    ksim_create_topic(sim, "orders", PARTITIONS);
    static ledger book;
    memset(&book, 0, sizeof book);
    book.sim = sim;

    source ticks = { .address = ksim_client(sim, "producer") };
    ticks.ctx = kafka_context_with_cancel(kafka_background(ticks.address));
    kafka_task *producer = kafka_go(ticks.ctx, "producer", produce_steadily, &ticks);

    printf("A message for each of 3 partitions every 100 ms. Consumers commit every third message.\n\n");
    consumer c1, c2, c3;
    start(sim, &c1, &book, "c1");
    report(&book, "c1 joins an empty group", 5);
    start(sim, &c2, &book, "c2");
    report(&book, "c2 joins: c1 learns of it from its next heartbeat (every 3 s)", 8);
    start(sim, &c3, &book, "c3");
    report(&book, "c3 joins", 8);
    finish(&c2);
    report(&book, "c2 leaves: it commits, says goodbye, and the others learn of it at their next heartbeat", 8);
    ksim_crash(sim, "c3");
    report(&book, "c3 crashes: silence, until its session of 30 s has passed", 45);

    int lost = 0;
    for (int p = 0; p < PARTITIONS; p++) {
        int64_t committed = ksim_committed_offset(sim, "billing", "orders", p);
        for (int64_t o = 0; o < committed && o < MOST; o++) lost += book.deliveries[p][o] == 0;
    }
    printf("  Every message up to the committed offsets was delivered at least once: %s\n", lost == 0 ? "yes" : "NO");
    lab07_beneath(sim);
    printf("\nQuestions\n  Why does a crash cost so much more than a goodbye, and which setting shortens it?\n"
           "  c3 had handled messages that it had not committed. Who handled them in the end, and how often?\n\n");
    finish(&c1);
    finish(&c3); /* its calls said that the process crashed; the task ended by itself */
    kafka_context_cancel(ticks.ctx);
    kafka_join(kafka_background(ticks.address), producer);
    kafka_context_free(ticks.ctx);
    kafka_address_free(ticks.address);
    kafka_address_free(c1.address);
    kafka_address_free(c2.address);
    kafka_address_free(c3.address);
    ksim_free(sim);
    return lost == 0 ? 0 : 1;
}

LAB07_MAIN(lab07_step4);
