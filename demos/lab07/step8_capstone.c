/* SPDX-License-Identifier: Apache-2.0
 *
 * Step 8: the capstone. One producer and several consumers of one group run as tasks; one consumer joins late; a cancelled
 * context ends them gracefully. At the end a report is checked: nothing lost, order per key kept, lag 0, group empty.
 */
#define _POSIX_C_SOURCE 200809L
#include "demos/lab07/capstone_input.h"
#include "demos/lab07/lab07.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 100, MOST_CONSUMERS = 64, MOST_PARTITIONS = 1000 };

/* What each offset of a partition went through. */
typedef struct partition_book {
    bool *seen; /* by offset: delivered at least once */
    size_t capacity;
    int64_t duplicates, handled, next_expected;
    bool out_of_order;    /* a first delivery came before that of a smaller offset: order per key would be broken */
} partition_book;

typedef struct capstone {
    ksim *sim;
    capstone_input *input;
    long lines;         /* lines that came in */
    int64_t handled;    /* distinct messages */
    int partition_count, consumer_count;
    partition_book *partitions;
    bool produced;
} capstone;

typedef struct consumer {
    capstone *capstone;
    kafka_address *address;
    kafka_context *ctx;
    kafka_task *task;
    int64_t handled;
    kafka_error ended_with;
} consumer;

/* ---- the producer ---- */

typedef struct producer {
    capstone *capstone;
    kafka_address *address;
    kafka_context *ctx;
    bool made_up;
} producer;

static void produce(void *argument) {
    producer *self = argument;
    capstone *lab = self->capstone;
    kafka_writer *writer;
    lab07_must(self->address, "new writer",
               kafka_writer_new(&(kafka_writer_config){ .address = self->address, .topic = "events",
                                                        .balancer = kafka_balancer_hash(), .batch_size = BATCH,
                                                        .batch_timeout = 10 * KAFKA_MILLISECOND,
                                                        .required_acks = KAFKA_ACKS_ALL,
                                                        .compression = KAFKA_COMPRESSION_SNAPPY }, &writer));
    kafka_message messages[BATCH];
    char *copies[BATCH];
    bool more = true;
    while (more) {
        char now[KAFKA_RFC3339_SIZE];
        kafka_rfc3339(kafka_now(self->ctx), now);
        kafka_header headers[] = { { kafka_string("event-type"), kafka_string("line") }, { kafka_string("timestamp"), kafka_string(now) } };
        size_t count = 0, key_size, line_size;
        const char *key, *line;
        size_t most = self->made_up ? 5 : BATCH; /* made-up events come slowly, so that there is time to join late */
        while (count < most && (more = capstone_input_next(lab->input, &key, &key_size, &line, &line_size))) {
            copies[count] = malloc(key_size + line_size + 1); /* the next line overwrites this one */
            memcpy(copies[count], key, key_size);
            memcpy(copies[count] + key_size, line, line_size);
            messages[count] = (kafka_message){ .key = { copies[count], key_size }, .value = { copies[count] + key_size, line_size },
                                               .headers = headers, .header_count = 2 };
            count++;
        }
        lab->lines += (long)count;
        kafka_context *ctx = kafka_context_with_timeout(self->ctx, 30 * KAFKA_SECOND);
        lab07_must(self->address, "write", kafka_writer_write(writer, ctx, messages, count, NULL));
        kafka_context_free(ctx);
        for (size_t i = 0; i < count; i++) free(copies[i]);
        if (kafka_sleep(self->ctx, 100 * KAFKA_MILLISECOND) != KAFKA_OK) break;
    }
    lab->produced = true;
    lab07_must(self->address, "close writer", kafka_writer_close(writer));
    kafka_writer_free(writer);
}

/* ---- a consumer: fetch, handle, commit ---- */

/* True when this is the first delivery. Later ones are duplicates, which the effects must not see. */
static bool first_time(capstone *lab, const kafka_message *message) {
    partition_book *book = &lab->partitions[message->partition];
    size_t offset = (size_t)message->offset;
    if (offset >= book->capacity) {
        size_t capacity = book->capacity ? book->capacity : 1024;
        while (offset >= capacity) capacity *= 2;
        book->seen = realloc(book->seen, capacity * sizeof *book->seen);
        memset(book->seen + book->capacity, 0, (capacity - book->capacity) * sizeof *book->seen);
        book->capacity = capacity;
    }
    if (book->seen[offset]) {
        book->duplicates++;
        return false;
    }
    book->seen[offset] = true;
    book->handled++;
    if (message->offset != book->next_expected) book->out_of_order = true;
    book->next_expected = message->offset + 1;
    return true;
}

static void consume(void *argument) {
    consumer *self = argument;
    kafka_reader *reader;
    lab07_must(self->address, "new reader",
               kafka_reader_new(&(kafka_reader_config){ .address = self->address, .group_id = "capstone", .topic = "events",
                                                        .commit_interval = KAFKA_SECOND }, &reader));
    kafka_message message = { 0 };
    while ((self->ended_with = kafka_reader_fetch(reader, self->ctx, &message)) == KAFKA_OK) {
        if (first_time(self->capstone, &message)) {
            self->handled++;
            self->capstone->handled++;
        }
        kafka_reader_commit(reader, self->ctx, &message, 1);
        kafka_message_release(&message);
    }
    lab07_must(self->address, "close reader", kafka_reader_close(reader)); /* commits what is left, says goodbye */
    kafka_reader_free(reader);
}

static void start(capstone *lab, consumer *self, int number) {
    char name[16];
    snprintf(name, sizeof name, "c%d", number);
    *self = (consumer){ .capstone = lab, .address = ksim_client(lab->sim, name) };
    self->ctx = kafka_context_with_cancel(kafka_background(self->address));
    self->task = kafka_go(self->ctx, name, consume, self);
}

/* ---- the run ---- */

static void show_progress(const capstone *lab) {
    if (!isatty(STDERR_FILENO)) return;
    long read, all;
    capstone_input_progress(lab->input, &read, &all);
    int filled = all > 0 ? (int)(40.0 * (double)read / (double)all) : 0;
    fprintf(stderr, "\r[%.*s%.*s] %ld lines in, %lld handled", filled, "########################################", 40 - filled,
            "........................................", lab->lines, (long long)lab->handled);
    if (lab->produced && lab->handled == lab->lines) fprintf(stderr, "\n");
}

static void print_summary(capstone *lab, const consumer *consumers) {
    printf("\n  partition      end  committed  handled  delivered again\n");
    for (int p = 0; p < lab->partition_count; p++)
        printf("  events[%d]  %7lld  %9lld  %7lld  %15lld\n", p, (long long)ksim_partition_find(lab->sim, "events", p)->log_end_offset,
               (long long)ksim_committed_offset(lab->sim, "capstone", "events", p), (long long)lab->partitions[p].handled,
               (long long)lab->partitions[p].duplicates);
    printf("\n  consumer  handled  ended with\n");
    for (int i = 0; i < lab->consumer_count; i++)
        printf("  %-8s  %7lld  %s\n", kafka_address_client(consumers[i].address), (long long)consumers[i].handled,
               kafka_error_name(consumers[i].ended_with));
}

static bool check(const char *what, bool holds) {
    printf("  %-58s %s\n", what, holds ? "yes" : "NO");
    return holds;
}

static bool print_checks(capstone *lab, const consumer *consumers) {
    bool order = true, committed = true, canceled = true;
    int64_t end = 0, duplicates = 0;
    for (int p = 0; p < lab->partition_count; p++) {
        const ksim_partition *partition = ksim_partition_find(lab->sim, "events", p);
        int64_t at = ksim_committed_offset(lab->sim, "capstone", "events", p);
        order = order && !lab->partitions[p].out_of_order;
        committed = committed && at == (partition->log_end_offset == 0 && at < 0 ? at : partition->log_end_offset);
        end += partition->log_end_offset;
        duplicates += lab->partitions[p].duplicates;
    }
    for (int i = 0; i < lab->consumer_count; i++) canceled = canceled && consumers[i].ended_with == KAFKA_ERR_CANCELED;
    const ksim_group *group = ksim_group_find(lab->sim, "capstone");
    printf("\n  lines in: %ld   written: %lld   handled: %lld   delivered again: %lld\n\n", lab->lines, (long long)end,
           (long long)lab->handled, (long long)duplicates);
    bool fine = check("nothing lost: every line was handled", lab->handled == lab->lines && end == lab->lines);
    fine = check("order kept: each key in the order it was written", order) && fine;
    fine = check("every committed offset is its partition's end, lag 0", committed && ksim_lag(lab->sim, "capstone", "events") == 0) && fine;
    fine = check("every consumer stopped because its context was cancelled", canceled) && fine;
    fine = check("the group is empty", group != NULL && strcmp(group->state, "Empty") == 0) && fine;
    return fine;
}

static bool all_handled(ksim *sim, void *context) {
    (void)sim;
    const capstone *lab = context;
    return lab->produced && lab->handled == lab->lines;
}

int lab07_step8(const lab07_options *options) {
    lab07_heading(8, "capstone");
    capstone lab = { .partition_count = options->partitions ? options->partitions : 3,
                     .consumer_count = options->consumers ? options->consumers : 3 };
    lab.input = capstone_input_open(options->input, options->key);
    if (lab.input == NULL) return 2;
    lab.sim = lab07_cluster(options, 3, (ksim_setting[]){ { "group.initial.rebalance.delay.ms", "0" }, { NULL, NULL } });
    ksim *sim = lab.sim;
    lab07_must(NULL, "create topic", ksim_create_topic(sim, "events", lab.partition_count));
    lab.partitions = calloc((size_t)lab.partition_count, sizeof *lab.partitions);
    static consumer consumers[MOST_CONSUMERS];
    memset(consumers, 0, sizeof consumers);
    char clock[32];

    int early = lab.consumer_count > 1 ? lab.consumer_count - 1 : 1;
    for (int i = 0; i < early; i++) start(&lab, &consumers[i], i + 1);
    lab07_must(NULL, "stable", ksim_run_until_group_stable(sim, "capstone"));
    ksim_run_for(sim, 4 * KAFKA_SECOND); /* the second consumer's join is noticed at a heartbeat */
    lab07_must(NULL, "stable", ksim_run_until_group_stable(sim, "capstone"));
    printf("  %s  %d consumer%s: %s\n", lab07_clock(sim, clock), early, early == 1 ? "" : "s", ksim_assignment(sim, "capstone"));

    producer source = { .capstone = &lab, .address = ksim_client(sim, "producer"), .made_up = options->input == NULL };
    source.ctx = kafka_context_with_cancel(kafka_background(source.address));
    kafka_task *producing = kafka_go(source.ctx, "producer", produce, &source);
    printf("  %s  the producer starts\n", lab07_clock(sim, clock));
    ksim_run_for(sim, KAFKA_SECOND);
    if (early < lab.consumer_count) {
        start(&lab, &consumers[early], lab.consumer_count);
        printf("  %s  c%d joins late\n", lab07_clock(sim, clock), lab.consumer_count);
        ksim_run_for(sim, 4 * KAFKA_SECOND);
        lab07_must(NULL, "stable", ksim_run_until_group_stable(sim, "capstone"));
        printf("  %s  rebalanced: %s\n", lab07_clock(sim, clock), ksim_assignment(sim, "capstone"));
    }
    kafka_error error = KAFKA_OK;
    while (!all_handled(sim, &lab) && error == KAFKA_OK) {
        show_progress(&lab);
        error = ksim_run_until(sim, all_handled, &lab, "every line was handled", 10 * KAFKA_SECOND);
        if (error == KAFKA_ERR_LIMIT && (!lab.produced || ksim_lag(sim, "capstone", "events") > 0)) error = KAFKA_OK;
    }
    show_progress(&lab);
    printf("  %s  everything is handled; the contexts are cancelled\n", lab07_clock(sim, clock));

    for (int i = 0; i < lab.consumer_count; i++) kafka_context_cancel(consumers[i].ctx);
    lab07_must(source.address, "join", kafka_join(kafka_background(source.address), producing));
    for (int i = 0; i < lab.consumer_count; i++) {
        lab07_must(consumers[i].address, "join", kafka_join(kafka_background(consumers[i].address), consumers[i].task));
        kafka_context_free(consumers[i].ctx);
    }
    print_summary(&lab, consumers);
    bool fine = print_checks(&lab, consumers);
    const char *why;
    long failed_line = capstone_input_failed(lab.input, &why);
    int64_t again = 0;
    for (int p = 0; p < lab.partition_count; p++) again += lab.partitions[p].duplicates;
    lab07_beneath(sim);
    printf("\nQuestions\n  %s\n"
           "  A consumer is killed instead of cancelled. Which line of the report changes?\n\n",
           again > 0 ? "Where do the messages that were delivered again come from, and when would there be none?"
                     : "Nothing was delivered again. When would something be?");
    if (failed_line > 0) fprintf(stderr, "%s:%ld: %s; the lines before it were handled\n", options->input, failed_line, why);

    for (int i = 0; i < lab.consumer_count; i++) kafka_address_free(consumers[i].address);
    kafka_context_free(source.ctx);
    kafka_address_free(source.address);
    for (int p = 0; p < lab.partition_count; p++) free(lab.partitions[p].seen);
    free(lab.partitions);
    capstone_input_close(lab.input);
    ksim_free(sim);
    if (failed_line > 0) return 2;
    return fine ? 0 : 1;
}

LAB07_MAIN(lab07_step8);
