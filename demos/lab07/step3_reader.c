/* SPDX-License-Identifier: Apache-2.0
 *
 * Step 3: the reader. ReadMessage commits before the program sees the message; FetchMessage and CommitMessages leave the
 * moment to the program. What a restart shows of the difference.
 */
#include "demos/lab07/lab07.h"

static kafka_reader *open_reader(kafka_address *address, const char *group) {
    kafka_reader *reader;
    lab07_must(address, "new reader",
               kafka_reader_new(&(kafka_reader_config){ .address      = address,
                                                        .group_id     = group,
                                                        .topic        = "orders",
                                                        .min_bytes    = 1,
                                                        .max_bytes    = 1000000,
                                                        .max_wait     = 1 * KAFKA_SECOND,
                                                        .start_offset = KAFKA_FIRST_OFFSET },
                                &reader));
    return reader;
}

static void print_message(const char *who, const kafka_message *message) {
    printf("  %s got orders[%d]@%lld ", who, message->partition, (long long)message->offset);
    lab07_print(message->key);
    printf("=");
    lab07_print(message->value);
    printf("\n");
}

static void kill_client(ksim *sim, kafka_reader *reader, kafka_address *address) {
    ksim_crash(sim, kafka_address_client(address));
    kafka_reader_free(reader); /* the process is dead: nothing is committed, nobody says goodbye */
    kafka_address_free(address);
}

int lab07_step3(const lab07_options *options) {
    lab07_heading(3, "the reader");
    ksim *sim = lab07_cluster(options, 3, NULL);
    ksim_create_topic(sim, "orders", 1);
    lab07_write_events(sim, "orders", 8, 2);
    kafka_message message = { 0 };

    printf("ReadMessage: each message is committed before the program sees it.\n\n");
    kafka_address *address = ksim_client(sim, "r1");
    kafka_reader *reader = open_reader(address, "automatic");
    for (int i = 0; i < 3; i++) {
        lab07_must(address, "read", kafka_reader_read(reader, kafka_background(address), &message));
        print_message("r1", &message);
        kafka_message_release(&message);
    }
    printf("  committed: %lld. The process dies while it handles the third message.\n",
           (long long)ksim_committed_offset(sim, "automatic", "orders", 0));
    kill_client(sim, reader, address);

    address = ksim_client(sim, "r2");
    reader = open_reader(address, "automatic");
    kafka_time before = ksim_now(sim);
    lab07_must(address, "read", kafka_reader_read(reader, kafka_background(address), &message));
    print_message("r2", &message);
    printf("  r2 waited %.1f s: the coordinator believes in r1 until its session ends.\n"
           "  Nobody handles event 2 again: at most once.\n\n",
           (double)(ksim_now(sim) - before) / (double)KAFKA_SECOND);
    kafka_message_release(&message);
    lab07_must(address, "close", kafka_reader_close(reader));
    kafka_reader_free(reader);
    kafka_address_free(address);

    printf("FetchMessage, handle, CommitMessages: the program says when a message is done.\n\n");
    address = ksim_client(sim, "f1");
    reader = open_reader(address, "manual");
    for (int i = 0; i < 3; i++) {
        lab07_must(address, "fetch", kafka_reader_fetch(reader, kafka_background(address), &message));
        print_message("f1", &message);
        if (i < 2) lab07_must(address, "commit", kafka_reader_commit(reader, kafka_background(address), &message, 1));
        kafka_message_release(&message);
    }
    printf("  committed: %lld. The process dies while it handles the third message.\n",
           (long long)ksim_committed_offset(sim, "manual", "orders", 0));
    kill_client(sim, reader, address);

    address = ksim_client(sim, "f2");
    reader = open_reader(address, "manual");
    lab07_must(address, "fetch", kafka_reader_fetch(reader, kafka_background(address), &message));
    print_message("f2", &message);
    printf("  event 2 comes again: at least once.\n\n");
    kafka_message_release(&message);
    lab07_must(address, "close", kafka_reader_close(reader));
    kafka_reader_free(reader);
    kafka_address_free(address);

    printf("Without a group: one partition, from an offset of your choice, no commits.\n\n");
    address = ksim_client(sim, "solo");
    lab07_must(address, "new reader",
               kafka_reader_new(&(kafka_reader_config){ .address = address, .topic = "orders", .partition = 0 }, &reader));
    lab07_must(address, "set offset", kafka_reader_set_offset(reader, 6));
    for (int i = 0; i < 2; i++) {
        lab07_must(address, "fetch", kafka_reader_fetch(reader, kafka_background(address), &message));
        print_message("solo", &message);
        kafka_message_release(&message);
    }
    printf("  offset %lld, lag %lld\n", (long long)kafka_reader_offset(reader), (long long)kafka_reader_lag(reader));
    kafka_context *ctx = kafka_context_with_timeout(kafka_background(address), 2 * KAFKA_SECOND);
    char text[160];
    printf("  nothing comes for 2 s: %s\n",
           kafka_error_format(kafka_reader_fetch(reader, ctx, &message), text, sizeof text));
    kafka_context_free(ctx);
    printf("  a commit here: %s\n",
           kafka_error_format(kafka_reader_commit(reader, kafka_background(address), &message, 1), text, sizeof text));

    lab07_beneath(sim);
    printf("\nQuestions\n  Which of the two loses a message at a crash, and which handles one twice?\n"
           "  Where would you commit if handling a message means sending an e-mail?\n\n");
    kafka_reader_close(reader);
    kafka_reader_free(reader);
    kafka_address_free(address);
    ksim_free(sim);
    return 0;
}

LAB07_MAIN(lab07_step3);
