/* SPDX-License-Identifier: Apache-2.0
 *
 * Step 7: the API without a live Kafka. Values only: settings, routing, assignments, errors. Nothing is sent.
 */
#include "demos/lab07/lab07.h"

#include <string.h>

static void route(const char *what, kafka_balancer balancer, int partitions, const char *const *keys, int count) {
    int column = printf("  %s over %d:", what, partitions);
    for (int i = 0; i < count; i++) {
        char word[64];
        snprintf(word, sizeof word, "%s -> %d%s", keys[i], kafka_balancer_partition(balancer, kafka_string(keys[i]), partitions), i + 1 < count ? "," : "");
        lab07_word(&column, 6, word);
    }
    printf("\n");
}

static void counters(const char *what, kafka_balancer balancer, const int *sizes, int count) {
    char value[128];
    memset(value, 'v', sizeof value);
    kafka_router *router = kafka_router_new(balancer, 1);
    printf("  %s:", what);
    for (int i = 0; i < count; i++) {
        kafka_message message = { .value = { value, sizes ? (size_t)sizes[i] : 1 } };
        printf(" %d", kafka_router_choose(router, &message, 3));
    }
    printf("\n");
    kafka_router_free(router);
}

static void assign(const char *what, kafka_group_balancer balancer, int members) {
    static const char *const topic = "orders", *const ids[] = { "c1", "c2", "c3", "c4" };
    kafka_group_member member[4];
    kafka_group_partition partition[3];
    memset(member, 0, sizeof member);
    memset(partition, 0, sizeof partition);
    for (int i = 0; i < members; i++) member[i] = (kafka_group_member){ .id = ids[i], .topics = &topic, .topic_count = 1 };
    for (int p = 0; p < 3; p++) partition[p] = (kafka_group_partition){ .topic = topic, .partition = p, .leader = 1, .leader_rack = "" };
    int32_t owners[3];
    if (balancer.assign(balancer.argument, member, (size_t)members, partition, 3, owners) != KAFKA_OK) return;
    printf("  %-12s %d members:", what, members);
    for (int i = 0; i < members; i++) {
        printf(" %s=[", ids[i]);
        for (int p = 0, first = 1; p < 3; p++)
            if (owners[p] == i) printf(first ? "%d" : ",%d", p), first = 0;
        printf("]");
    }
    printf("\n");
}

/* An error of ours, and what the call said about it. */
static void print_error(const char *what, kafka_error error, kafka_address *address) {
    printf("  %s: %s\n", what, kafka_error_name(error));
    lab07_sentence(6, address != NULL ? kafka_error_detail(address) : "without an address there is nobody who could say more: set .address");
}

static void print_broker_error(kafka_error error) {
    printf("  %d %s: %s\n", (int)error, kafka_error_name(error), kafka_error_is_temporary(error) ? "try again" : "the same call again does not help");
    lab07_sentence(6, kafka_error_text(error));
}

int lab07_step7(const lab07_options *options) {
    lab07_heading(7, "the API without a live Kafka");
    ksim *sim = lab07_cluster(options, 1, NULL);
    kafka_address *address = ksim_client(sim, "student");

    printf("Settings\n\n");
    printf("  writer   topic=orders balancer=%s batch=100/10ms acks=%s compression=%s async=false\n",
           kafka_balancer_name(kafka_balancer_hash()), kafka_required_acks_name(KAFKA_ACKS_ALL),
           kafka_compression_name(KAFKA_COMPRESSION_SNAPPY));
    kafka_header header = { kafka_string("event-type"), kafka_string("created") };
    kafka_message message = { .key = kafka_string("user-1"), .value = kafka_string("x"), .headers = &header, .header_count = 1 };
    printf("  message  key=user-1 value=1 byte headers=[event-type=created] batch-size-bytes=%zu\n",
           kafka_message_batch_size(&message));
    kafka_reader *plain;
    lab07_must(address, "new reader", kafka_reader_new(&(kafka_reader_config){ .address = address, .topic = "orders" }, &plain));
    const kafka_reader_config *settings = kafka_reader_settings(plain);
    printf("  reader   topic=%s start=first queue=%d min/max=%d/%d max-wait=%llds commit=sync\n", settings->topic,
           settings->queue_capacity, settings->min_bytes, settings->max_bytes, (long long)(settings->max_wait / KAFKA_SECOND));

    printf("\nRouting: same key, same partition\n\n");
    static const char *const users[] = { "user-1", "user-2", "user-3", "user-7", "user-100", "user-101", "user-102", "user-1" };
    static const char *const orders[] = { "order-1", "order-2", "order-3", "order-5", "alice", "bob", "carol" };
    static const char *const six[] = { "user-1", "user-2", "user-3", "user-100", "user-101", "user-102", "alice" };
    static const char *const java[] = { "user-1", "user-4", "user-8" };
    route("hash", kafka_balancer_hash(), 3, users, 8);
    route("hash", kafka_balancer_hash(), 3, orders, 7);
    route("hash", kafka_balancer_hash(), 6, six, 7);
    route("reference hash", kafka_balancer_reference_hash(), 3, users, 3);
    route("murmur2 (Java)", kafka_balancer_murmur2(false), 3, java, 3);
    counters("round robin", kafka_balancer_round_robin(), NULL, 7);
    static const int sizes[] = { 100, 10, 10, 10, 50, 5 };
    counters("least bytes, values of 100 10 10 10 50 5 bytes", kafka_balancer_least_bytes(), sizes, 6);

    printf("\nWho gets which of 3 partitions\n\n");
    assign("range", kafka_group_balancer_range(), 2);
    assign("round robin", kafka_group_balancer_round_robin(), 2);
    assign("range", kafka_group_balancer_range(), 4);
    assign("round robin", kafka_group_balancer_round_robin(), 4);

    printf("\nErrors\n\n");
    kafka_writer *writer = NULL;
    print_error("a writer without address", kafka_writer_new(&(kafka_writer_config){ .topic = "orders" }, &writer), NULL);
    lab07_must(address, "new writer", kafka_writer_new(&(kafka_writer_config){ .address = address, .topic = "orders" }, &writer));
    message.topic = "orders";
    print_error("a topic for the writer and for the message", kafka_writer_write(writer, kafka_background(address), &message, 1, NULL), address);
    kafka_writer_close(writer);
    print_error("a write after close", kafka_writer_write(writer, kafka_background(address), &message, 1, NULL), address);
    kafka_writer_free(writer);
    print_error("a commit without a group", kafka_reader_commit(plain, kafka_background(address), &message, 1), address);
    kafka_reader_close(plain);
    kafka_message next = { 0 };
    print_error("a read after close", kafka_reader_fetch(plain, kafka_background(address), &next), address);
    kafka_reader_free(plain);
    kafka_reader *both = NULL;
    print_error("a reader with group and partition",
                kafka_reader_new(&(kafka_reader_config){ .address = address, .topic = "orders", .group_id = "g", .partition = 1 }, &both), address);
    printf("\nWhat a broker may say\n\n");
    print_broker_error(KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    print_broker_error(KAFKA_ERR_MESSAGE_TOO_LARGE);
    print_broker_error(KAFKA_ERR_REBALANCE_IN_PROGRESS);

    lab07_beneath(sim);
    printf("\nQuestions\n  alice, bob and carol share a partition of 3. Is the hash bad, or are three keys few?\n"
           "  With 4 members, range leaves c1 idle and round robin leaves c4. Why?\n\n");
    kafka_address_free(address);
    ksim_free(sim);
    return 0;
}

LAB07_MAIN(lab07_step7);
