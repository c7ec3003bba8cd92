/* SPDX-License-Identifier: Apache-2.0 */
#include "demos/lab07/lab07.h"

#include <stdlib.h>
#include <string.h>

void lab07_heading(int step, const char *title) {
    int width = printf("Step %d: %s\n", step, title) - 1;
    for (int i = 0; i < width; i++) putchar('=');
    printf("\n\n");
}

static void trace_line(void *file, const char *line, size_t size) { fwrite(line, 1, size, file); }

/* Requests by API key that brokers of this step's cluster received. One step runs at a time. */
static long requests[128];

static void count_request(void *context, const ksim_event *event) {
    (void)context;
    int64_t key;
    if (strcmp(ksim_event_kind(event), "request_received") == 0 && ksim_event_int(event, "api_key", &key) && key >= 0 && key < 128) requests[key]++;
}

void lab07_word(int *column, int indent, const char *word) {
    int size = (int)strlen(word);
    if (*column + 1 + size > 96) *column = printf("\n%*s", indent, "") - 1;
    else *column += printf(" ");
    *column += printf("%s", word);
}

void lab07_sentence(int indent, const char *text) {
    int column = printf("%*s", indent - 1, "");
    while (*text != '\0') {
        char word[256];
        size_t size = strcspn(text, " ");
        snprintf(word, sizeof word, "%.*s", (int)size, text);
        lab07_word(&column, indent, word);
        text += size + (text[size] == ' ');
    }
    printf("\n");
}

void lab07_beneath(ksim *sim) {
    static const char *const names[128] = { [0] = "Produce", [1] = "Fetch", [2] = "ListOffsets", [3] = "Metadata", [8] = "OffsetCommit",
                                            [9] = "OffsetFetch", [10] = "FindCoordinator", [11] = "JoinGroup", [12] = "Heartbeat",
                                            [13] = "LeaveGroup", [14] = "SyncGroup", [18] = "ApiVersions", [19] = "CreateTopics",
                                            [20] = "DeleteTopics", [32] = "DescribeConfigs", [37] = "CreatePartitions" };
    long all = 0;
    for (int key = 0; key < 128; key++) all += requests[key];
    printf("\n");
    int column = printf("Beneath it: %ld request%s to the brokers in %.3f s of virtual time%s", all, all == 1 ? "" : "s",
                        (double)ksim_elapsed(sim) / (double)KAFKA_SECOND, all > 0 ? ":" : ".");
    for (int key = 0; key < 128; key++) {
        char word[64];
        if (requests[key] == 0) continue;
        all -= requests[key];
        if (names[key] != NULL) snprintf(word, sizeof word, "%ld %s%s", requests[key], names[key], all > 0 ? "," : ".");
        else snprintf(word, sizeof word, "%ld of API %d%s", requests[key], key, all > 0 ? "," : ".");
        lab07_word(&column, 2, word);
    }
    printf("\n");
}

ksim *lab07_cluster(const lab07_options *options, int brokers, const ksim_setting *settings) {
    ksim *sim = ksim_new(&(ksim_config){ .seed = options->seed, .brokers = brokers, .settings = settings });
    if (sim == NULL) exit(2);
    memset(requests, 0, sizeof requests);
    ksim_trace_subscribe(sim, count_request, NULL);
    if (options->trace != NULL) ksim_trace_to(sim, trace_line, options->trace, KSIM_TRACE_JSON_CONTENTS);
    return sim;
}

void lab07_must(kafka_address *address, const char *what, kafka_error error) {
    if (error == KAFKA_OK) return;
    fflush(stdout);
    fprintf(stderr, "%s: %s: %s (%s)\n", what, kafka_error_name(error), kafka_error_text(error),
            address ? kafka_error_detail(address) : "");
    exit(1);
}

char *lab07_clock(ksim *sim, char text[32]) {
    snprintf(text, 32, "%7.3f s", (double)ksim_elapsed(sim) / (double)KAFKA_SECOND);
    return text;
}

void lab07_print(kafka_bytes bytes) {
    if (bytes.data == NULL) printf("(null)");
    else fwrite(bytes.data, 1, bytes.size, stdout);
}

void lab07_write_events(ksim *sim, const char *topic, int count, int keys) {
    kafka_address *address = ksim_client(sim, "producer");
    kafka_writer *writer;
    lab07_must(address, "new writer",
               kafka_writer_new(&(kafka_writer_config){ .address = address,
                                                        .topic = topic,
                                                        .balancer = kafka_balancer_hash(),
                                                        .batch_timeout = 10 * KAFKA_MILLISECOND,
                                                        .required_acks = KAFKA_ACKS_ALL },
                                &writer));
    kafka_message *messages = calloc((size_t)count, sizeof *messages);
    char(*text)[2][32] = calloc((size_t)count, sizeof *text);
    for (int i = 0; i < count; i++) {
        snprintf(text[i][0], sizeof text[i][0], "user-%d", i % keys);
        snprintf(text[i][1], sizeof text[i][1], "event %d", i);
        messages[i].key = kafka_string(text[i][0]);
        messages[i].value = kafka_string(text[i][1]);
    }
    lab07_must(address, "write", kafka_writer_write(writer, kafka_background(address), messages, (size_t)count, NULL));
    lab07_must(address, "close writer", kafka_writer_close(writer));
    kafka_writer_free(writer);
    free(messages);
    free(text);
    kafka_address_free(address);
}
