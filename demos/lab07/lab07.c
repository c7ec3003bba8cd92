/* SPDX-License-Identifier: Apache-2.0 */
#include "demos/lab07/lab07.h"

#include <stdlib.h>

void lab07_heading(int step, const char *title) {
    int width = printf("Step %d: %s\n", step, title) - 1;
    for (int i = 0; i < width; i++) putchar('=');
    printf("\n\n");
}

static void trace_line(void *file, const char *line, size_t size) { fwrite(line, 1, size, file); }

ksim *lab07_cluster(const lab07_options *options, int brokers, const ksim_setting *settings) {
    ksim *sim = ksim_new(&(ksim_config){ .seed = options->seed, .brokers = brokers, .settings = settings });
    if (sim == NULL) exit(2);
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
