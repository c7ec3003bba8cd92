/* SPDX-License-Identifier: Apache-2.0
 *
 * Step 5: exactly once, its first half. An answer is lost, the writer tries again, and the log holds the message twice. A
 * consumer that remembers what it handled makes it once again.
 */
#include "demos/lab07/lab07.h"

#include <string.h>

enum { PAYMENTS = 6 };

/* Identities of what was handled, in the order of handling. In a real program this lives where the effects live: in the same
 * database transaction as the booking. */
typedef struct handled {
    char id[2 * PAYMENTS][16];
    int count;
} handled;

static bool seen(const handled *book, kafka_bytes id) {
    for (int i = 0; i < book->count; i++)
        if (kafka_bytes_equal(kafka_string(book->id[i]), id)) return true;
    return false;
}

static void remember(handled *book, kafka_bytes id) {
    snprintf(book->id[book->count++], sizeof book->id[0], "%.*s", (int)id.size, (const char *)id.data);
}

int lab07_step5(const lab07_options *options) {
    lab07_heading(5, "exactly once: duplicates, and how to remove them");
    ksim *sim = lab07_cluster(options, 3, NULL);
    ksim_create_topic(sim, "payments", 1);

    printf("A writer sends %d payments, one a batch. The answer to the third is lost on its way: the broker has\n"
           "written it, the writer cannot know, and sends it again.\n\n", PAYMENTS);
    kafka_address *address = ksim_client(sim, "producer");
    ksim_rule *lost = ksim_rule_add(sim, &(ksim_rule_config){ .name = "lose the third answer", .client = "producer",
                                                              .api = "Produce", .nth = 3, .action = KSIM_RESET_AFTER });
    kafka_writer *writer;
    lab07_must(address, "new writer",
               kafka_writer_new(&(kafka_writer_config){ .address = address, .topic = "payments", .batch_size = 1,
                                                        .balancer = kafka_balancer_hash(),
                                                        .required_acks = KAFKA_ACKS_ALL }, &writer));
    for (int i = 1; i <= PAYMENTS; i++) {
        char id[16], value[32];
        snprintf(id, sizeof id, "payment-%d", i);
        snprintf(value, sizeof value, "%d euro", 10 * i);
        kafka_header header = { kafka_string("payment-id"), kafka_string(id) };
        kafka_message message = { .key = kafka_string("alice"), .value = kafka_string(value), .headers = &header, .header_count = 1 };
        lab07_must(address, "write", kafka_writer_write(writer, kafka_background(address), &message, 1, NULL));
    }
    kafka_writer_close(writer);
    kafka_writer_free(writer);

    size_t count;
    const ksim_record *records = ksim_records(sim, "payments", 0, &count);
    printf("  The writer reports %d successes. The log holds %zu records:\n\n", PAYMENTS, count);
    for (size_t i = 0; i < count; i++) {
        printf("    payments[0]@%lld  ", (long long)records[i].offset);
        lab07_print(records[i].headers[0].value);
        printf("  ");
        lab07_print(records[i].value);
        printf("\n");
    }

    printf("\nA consumer that books what it reads, and one that first looks whether it has booked it already:\n\n");
    kafka_address *reading = ksim_client(sim, "booking");
    kafka_reader *reader;
    lab07_must(reading, "new reader",
               kafka_reader_new(&(kafka_reader_config){ .address = reading, .group_id = "booking", .topic = "payments" }, &reader));
    handled book = { .count = 0 };
    int naive = 0, careful = 0;
    for (size_t i = 0; i < count; i++) {
        kafka_message message = { 0 };
        lab07_must(reading, "fetch", kafka_reader_fetch(reader, kafka_background(reading), &message));
        int amount = 0;
        sscanf((const char *)message.value.data, "%d", &amount);
        naive += amount;
        kafka_bytes id = message.headers[0].value;
        if (seen(&book, id)) {
            printf("    @%lld  ", (long long)message.offset);
            lab07_print(id);
            printf(" was handled before: skipped\n");
        } else {
            remember(&book, id);
            careful += amount;
        }
        lab07_must(reading, "commit", kafka_reader_commit(reader, kafka_background(reading), &message, 1));
        kafka_message_release(&message);
    }
    int right = 0;
    for (int i = 1; i <= PAYMENTS; i++) right += 10 * i;
    printf("\n    booked without looking: %d euro    with looking: %d euro    right: %d euro\n", naive, careful, right);
    printf("\n  Kafka's own remedies, the idempotent producer and transactions, are not simulated yet.\n");
    lab07_beneath(sim);
    printf("\nQuestions\n  Why must the identity be in the message, and not be its offset?\n"
           "  The set of handled identities is lost in a crash. When is that a problem, and where should it\n"
           "  live?\n\n");
    kafka_reader_close(reader);
    kafka_reader_free(reader);
    kafka_address_free(reading);
    kafka_address_free(address);
    bool rule_fired_once = ksim_rule_fired(lost) == 1;
    ksim_free(sim);
    return careful == right && naive != right && count == PAYMENTS + 1 && rule_fired_once ? 0 : 1;
}

LAB07_MAIN(lab07_step5);
