/* SPDX-License-Identifier: Apache-2.0
 *
 * Step 2: the writer, with the lab's settings: hash balancer, batches of 100 or 10 ms, acks from all in-sync replicas,
 * synchronous, snappy, two headers, contexts of 5 and 10 seconds.
 */
#include "demos/lab07/lab07.h"

#include <string.h>

static kafka_error new_writer(kafka_address *brokers, const char *topic, kafka_writer **writer) {
    return kafka_writer_new(&(kafka_writer_config){
        .address       = brokers,                  /* the one line that differs on a real cluster */
        .topic         = topic,
        .balancer      = kafka_balancer_hash(),    /* same key, same partition */
        .batch_size    = 100,
        .batch_timeout = 10 * KAFKA_MILLISECOND,
        .required_acks = KAFKA_ACKS_ALL,
        .async         = false,
        .compression   = KAFKA_COMPRESSION_SNAPPY,
    }, writer);
}

static kafka_error produce(kafka_writer *writer, kafka_context *parent, const char *user, const char *event,
                           kafka_bytes payload) {
    char now[KAFKA_RFC3339_SIZE];
    kafka_context *ctx = kafka_context_with_timeout(parent, 5 * KAFKA_SECOND);
    kafka_header headers[] = {
        { kafka_string("event-type"), kafka_string(event) },
        { kafka_string("timestamp"),  kafka_string(kafka_rfc3339(kafka_now(ctx), now)) },
    };
    kafka_message message = { .key = kafka_string(user), .value = payload, .headers = headers, .header_count = 2 };
    kafka_error error = kafka_writer_write(writer, ctx, &message, 1, NULL);
    kafka_context_free(ctx);                       /* cancels what is left of it */
    return error;
}

static kafka_error produce_batch(kafka_writer *writer, kafka_context *parent, const kafka_message *messages, size_t count) {
    kafka_context *ctx = kafka_context_with_timeout(parent, 10 * KAFKA_SECOND);
    kafka_error error = kafka_writer_write(writer, ctx, messages, count, NULL);
    kafka_context_free(ctx);
    return error;
}

static void show(ksim *sim, const char *topic) {
    const ksim_topic *found = ksim_topic_find(sim, topic);
    size_t partitions = found->partition_count;
    for (size_t p = 0; p < partitions; p++) {
        size_t count;
        const ksim_record *records = ksim_records(sim, topic, (int32_t)p, &count);
        printf("  %s[%zu]", topic, p);
        for (size_t i = 0; i < count; i++) {
            printf("  %lld:", (long long)records[i].offset);
            lab07_print(records[i].key);
            printf("=");
            lab07_print(records[i].value);
        }
        printf("\n");
    }
}

/* Writes the same seven messages through another balancer and shows where each went. */
static void compare(ksim *sim, kafka_address *address, kafka_balancer balancer, const char *topic) {
    static const char *const keys[] = { "user-1", "user-2", "user-3", "user-7", "alice", "bob", "user-1" };
    static const int sizes[] = { 100, 10, 10, 10, 50, 5, 5 };
    char value[101];
    memset(value, 'v', sizeof value);
    kafka_writer *writer;
    lab07_must(address, "new writer",
               kafka_writer_new(&(kafka_writer_config){ .address = address, .topic = topic, .balancer = balancer,
                                                        .batch_timeout = 10 * KAFKA_MILLISECOND,
                                                        .required_acks = KAFKA_ACKS_ALL }, &writer));
    kafka_message messages[7];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < 7; i++) {
        messages[i].key = kafka_string(keys[i]);
        messages[i].value = (kafka_bytes){ value, (size_t)sizes[i] };
    }
    lab07_must(address, "write", kafka_writer_write(writer, kafka_background(address), messages, 7, NULL));
    printf("  %-15s", kafka_balancer_name(balancer));
    for (int p = 0; p < 3; p++) {
        size_t count;
        const ksim_record *records = ksim_records(sim, topic, p, &count);
        printf(" [%d]", p);
        for (size_t i = 0; i < count; i++) {
            printf(" ");
            lab07_print(records[i].key);
        }
    }
    printf("\n");
    kafka_writer_close(writer);
    kafka_writer_free(writer);
}

static int32_t vip_first(void *argument, const kafka_message *message, int32_t partition_count) {
    (void)argument;
    return kafka_bytes_equal(message->key, kafka_string("alice")) ? 0 : partition_count - 1;
}

int lab07_step2(const lab07_options *options) {
    lab07_heading(2, "the writer");
    ksim *sim = lab07_cluster(options, 3, NULL);
    static const char *const topics[] = { "orders", "by-hash", "by-round-robin", "by-least-bytes", "by-reference-hash",
                                          "by-crc32", "by-murmur2", "by-function" };
    for (int i = 0; i < 8; i++) ksim_create_topic(sim, topics[i], 3);
    kafka_address *brokers = ksim_client(sim, "producer");
    kafka_context *background = kafka_background(brokers);
    kafka_writer *writer;
    lab07_must(brokers, "new writer", new_writer(brokers, "orders", &writer));

    kafka_time before = kafka_now(background);
    lab07_must(brokers, "produce", produce(writer, background, "user-1", "order-created", kafka_string("shoes")));
    printf("One message, synchronous: it waits for the batch to fill (100 messages) or for 10 ms, and then for\n"
           "the answer of all in-sync replicas. It took %.3f ms of virtual time.\n\n",
           (double)(kafka_now(background) - before) / (double)KAFKA_MILLISECOND);

    static const char *const users[] = { "user-1", "user-2", "user-3", "user-100", "user-101", "user-102" };
    kafka_message batch[6];
    memset(batch, 0, sizeof batch);
    for (int i = 0; i < 6; i++) {
        batch[i].key = kafka_string(users[i]);
        batch[i].value = kafka_string("paid");
    }
    before = kafka_now(background);
    lab07_must(brokers, "produce batch", produce_batch(writer, background, batch, 6));
    printf("Six messages in one call: one batch per partition, all within %.3f ms. What the log holds, as\noffset:key=value:\n\n",
           (double)(kafka_now(background) - before) / (double)KAFKA_MILLISECOND);
    show(sim, "orders");

    size_t count;
    const ksim_record *records = ksim_records(sim, "orders", 0, &count);
    printf("\nThe headers of the first message, in order:");
    for (size_t i = 0; i < records[0].header_count; i++) {
        printf(" ");
        lab07_print(records[0].headers[i].key);
        printf("=");
        lab07_print(records[0].headers[i].value);
    }
    printf("\n\nThe same seven messages through each balancer (3 partitions):\n\n");
    compare(sim, brokers, kafka_balancer_hash(), "by-hash");
    compare(sim, brokers, kafka_balancer_round_robin(), "by-round-robin");
    compare(sim, brokers, kafka_balancer_least_bytes(), "by-least-bytes");
    compare(sim, brokers, kafka_balancer_reference_hash(), "by-reference-hash");
    compare(sim, brokers, kafka_balancer_crc32(false), "by-crc32");
    compare(sim, brokers, kafka_balancer_murmur2(false), "by-murmur2");
    compare(sim, brokers, kafka_balancer_function(vip_first, NULL), "by-function");

    printf("\nA message that no batch of this writer can hold is refused before anything is sent:\n\n");
    static char large[2000000];
    kafka_message too_large = { .key = kafka_string("user-1"), .value = { large, sizeof large } };
    kafka_error refused = kafka_writer_write(writer, background, &too_large, 1, NULL);
    printf("  %s\n", kafka_error_name(refused));
    lab07_sentence(6, kafka_error_detail(brokers));

    lab07_beneath(sim);
    printf("\nQuestions\n  Why do alice and bob share a partition although the hash is a good one?\n"
           "  A program writes one message a call, in a loop. How many messages a second, and which\n"
           "  setting changes that?\n\n");
    kafka_writer_close(writer);
    kafka_writer_free(writer);
    kafka_address_free(brokers);
    ksim_free(sim);
    return 0;
}

LAB07_MAIN(lab07_step2);
