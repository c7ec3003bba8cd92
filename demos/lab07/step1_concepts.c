/* SPDX-License-Identifier: Apache-2.0
 *
 * Step 1: the concepts. A topic is cut into partitions; the key decides the partition; each partition of a group goes to
 * exactly one member; groups know nothing of each other.
 */
#include "demos/lab07/lab07.h"

#include <string.h>

/* A consumer as a task: reads until its context is cancelled, counting what it got. */
typedef struct consumer {
    const char *group;
    kafka_address *address;
    kafka_context *ctx;
    kafka_task *task;
    int got[3]; /* messages per partition */
} consumer;

static void consume(void *argument) {
    consumer *self = argument;
    kafka_reader *reader;
    lab07_must(self->address, "new reader",
               kafka_reader_new(&(kafka_reader_config){ .address = self->address, .group_id = self->group, .topic = "orders" },
                                &reader));
    kafka_message message = { 0 };
    while (kafka_reader_read(reader, self->ctx, &message) == KAFKA_OK) {
        self->got[message.partition]++;
        kafka_message_release(&message);
    }
    kafka_reader_close(reader);
    kafka_reader_free(reader);
}

static void start(ksim *sim, consumer *self, const char *name, const char *group) {
    *self = (consumer){ .group = group, .address = ksim_client(sim, name) };
    self->ctx = kafka_context_with_cancel(kafka_background(self->address));
    self->task = kafka_go(self->ctx, name, consume, self);
}

static void stop(consumer *self) {
    kafka_context_cancel(self->ctx);
    lab07_must(self->address, "join", kafka_join(kafka_background(self->address), self->task));
    kafka_context_free(self->ctx);
}

int lab07_step1(const lab07_options *options) {
    lab07_heading(1, "topics, partitions, groups");
    ksim *sim = lab07_cluster(options, 3, NULL);
    ksim_create_topic(sim, "orders", 3);

    printf("A topic of 3 partitions, and 18 messages with 6 keys. The key alone decides the partition\n(here as offset:key):\n\n");
    lab07_write_events(sim, "orders", 18, 6);
    for (int p = 0; p < 3; p++) {
        size_t count;
        const ksim_record *records = ksim_records(sim, "orders", p, &count);
        printf("  orders[%d]", p);
        for (size_t i = 0; i < count; i++) {
            printf(" %lld:", (long long)records[i].offset);
            lab07_print(records[i].key);
        }
        printf("\n");
    }

    printf("\nGroup A has two members, group B one. Every partition has exactly one reader in each group:\n\n");
    consumer a1, a2, b1;
    start(sim, &a1, "a1", "A");
    start(sim, &a2, "a2", "A");
    start(sim, &b1, "b1", "B");
    lab07_must(NULL, "group A", ksim_run_until_group_stable(sim, "A"));
    lab07_must(NULL, "group B", ksim_run_until_group_stable(sim, "B"));
    printf("  group A: %s\n", ksim_assignment(sim, "A"));
    printf("  group B: %s\n\n", ksim_assignment(sim, "B"));
    ksim_run_for(sim, 2 * KAFKA_SECOND);

    const consumer *all[] = { &a1, &a2, &b1 };
    printf("  read       orders[0]  orders[1]  orders[2]  together\n");
    for (int i = 0; i < 3; i++)
        printf("  %s by %s  %9d  %9d  %9d  %8d\n", kafka_address_client(all[i]->address), all[i]->group, all[i]->got[0],
               all[i]->got[1], all[i]->got[2], all[i]->got[0] + all[i]->got[1] + all[i]->got[2]);
    int shared = 0;
    for (int p = 0; p < 3; p++) shared += a1.got[p] + a2.got[p];
    int alone = b1.got[0] + b1.got[1] + b1.got[2];
    printf("\n  group A read %d of 18, group B read %d of 18: each group has offsets of its own\n", shared, alone);

    printf("\nTwo more members join group A:\n\n");
    consumer a3, a4;
    start(sim, &a3, "a3", "A");
    start(sim, &a4, "a4", "A");
    ksim_run_for(sim, 10 * KAFKA_SECOND);
    lab07_must(NULL, "group A", ksim_run_until_group_stable(sim, "A"));
    printf("  group A: %s\n", ksim_assignment(sim, "A"));
    printf("  3 partitions, 4 members: one of them has nothing to do\n");

    lab07_beneath(sim);
    printf("\nQuestions\n  Why do all messages of user-0 lie in one partition?\n"
           "  What would a fifth member of group A read? What would group C read?\n\n");
    stop(&a1), stop(&a2), stop(&a3), stop(&a4), stop(&b1);
    consumer *done[] = { &a1, &a2, &a3, &a4, &b1 };
    for (int i = 0; i < 5; i++) kafka_address_free(done[i]->address);
    ksim_free(sim);
    return shared == 18 && alone == 18 ? 0 : 1;
}

LAB07_MAIN(lab07_step1);
