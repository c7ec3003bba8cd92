/* SPDX-License-Identifier: Apache-2.0
 * `produce`: messages from a pattern or a file, at once, or one at a time in the background (every=).
 */
#include "sim/scenario/session.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

enum { MOST_MESSAGES = 10000000, BATCH = 100 };

typedef struct message_text { char *key, *value; } message_text; /* key NULL: none */

struct ks_background_source { /* a producer program that sends one message every so often */
    ks_background_source *next;
    ks_session *session;
    kafka_address *address;
    kafka_context *ctx;
    kafka_task *task;
    kafka_writer *writer;
    const ks_command_line *command;
    int64_t count, every;
    bool over;
};

/* `{n}` becomes the message's number. Owned: free(). */
static char *expand(const char *pattern, int64_t n) {
    ks_buffer out = { 0 };
    for (const char *at = pattern; *at != '\0';) {
        if (strncmp(at, "{n}", 3) == 0) {
            ks_buffer_i64(&out, n);
            at += 3;
        } else ks_buffer_append(&out, at++, 1);
    }
    return ks_buffer_take(&out);
}

/* ---- lines of a file ---- */

/* RFC 4180: the n-th field (from 1) of a line; owned text, or NULL when there are fewer. */
static char *csv_field(const char *line, int n) {
    ks_buffer out = { 0 };
    const char *at = line;
    for (int field = 1;; field++) {
        ks_buffer_clear(&out);
        if (*at == '"') {
            for (at++; *at != '\0'; at++) {
                if (*at == '"' && at[1] == '"') at++;
                else if (*at == '"') break;
                ks_buffer_append(&out, at, 1);
            }
            if (*at == '"') at++;
        }
        while (*at != ',' && *at != '\0') ks_buffer_append(&out, at++, 1);
        if (field == n) return ks_buffer_take(&out);
        if (*at == '\0') break;
        at++;
    }
    ks_buffer_deinit(&out);
    return NULL;
}

static bool field_of(const char *line, const char *field, const char *header, char **key) {
    if (line[0] == '{') {
        json_error_t error;
        json_t *object = json_loads(line, 0, &error), *value = json_object_get(object, field);
        if (json_is_string(value)) *key = ks_strndup(json_string_value(value), json_string_length(value));
        else if (value != NULL) {
            char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
            *key = ks_strndup(text, strlen(text));
            free(text);
        }
        bool found = value != NULL;
        json_decref(object);
        return found;
    }
    for (int n = 1; header != NULL; n++) {
        char *name = csv_field(header, n);
        if (name == NULL) return false;
        bool same = strcmp(name, field) == 0;
        ks_free(name);
        if (!same) continue;
        *key = csv_field(line, n);
        return *key != NULL;
    }
    return false;
}

typedef KS_VEC(message_text) message_texts;

static void free_texts(message_texts *texts) {
    for (int32_t i = 0; i < texts->count; i++) {
        ks_free(texts->items[i].key);
        ks_free(texts->items[i].value);
    }
    ks_free(texts->items);
    *texts = (message_texts){ 0 };
}

/* The whole file is read and checked before anything is sent. */
static bool read_file(const char *path, const char *field, message_texts *texts, char *problem, size_t size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        snprintf(problem, size, "%s cannot be opened; does it exist, and may you read it?", path);
        return false;
    }
    ks_buffer line = { 0 };
    char *header = NULL;
    bool fine = true;
    long number = 0;
    for (int c = 0; fine && c != EOF;) {
        ks_buffer_clear(&line);
        while ((c = getc(file)) != EOF && c != '\n') ks_buffer_append(&line, &(char){ (char)c }, 1);
        if (line.size > 0 && line.data[line.size - 1] == '\r') line.size--;
        ks_buffer_append(&line, "", 1);
        const char *text = (const char *)line.data;
        number++;
        if (*text == '\0') continue;
        if (strlen(text) != line.size - 1) {
            snprintf(problem, size, "%s:%ld: a line with a zero byte: this is no text file", path, number);
            fine = false;
        } else if (field != NULL && header == NULL && texts->count == 0 && text[0] != '{') header = ks_strndup(text, line.size);
        else {
            message_text one = { 0 };
            if (field != NULL && !field_of(text, field, header, &one.key)) {
                snprintf(problem, size, "%s:%ld: this line has no field '%s'", path, number, field);
                fine = false;
            } else {
                one.value = ks_strndup(text, line.size - 1);
                KS_PUSH(*texts, one);
            }
        }
    }
    if (ferror(file)) {
        snprintf(problem, size, "%s cannot be read; is it a folder?", path);
        fine = false;
    }
    fclose(file);
    ks_buffer_deinit(&line);
    ks_free(header);
    return fine;
}

/* ---- writers ---- */

static kafka_balancer balancer_named(const char *name) {
    if (strcmp(name, "round-robin") == 0) return kafka_balancer_round_robin();
    if (strcmp(name, "least-bytes") == 0) return kafka_balancer_least_bytes();
    if (strcmp(name, "murmur2") == 0) return kafka_balancer_murmur2(false);
    if (strcmp(name, "crc32") == 0) return kafka_balancer_crc32(false);
    if (strcmp(name, "reference-hash") == 0) return kafka_balancer_reference_hash();
    return kafka_balancer_hash();
}

static int32_t fixed_partition(void *argument, const kafka_message *message, int32_t count) {
    (void)message;
    (void)count;
    return *(const int32_t *)argument;
}

static kafka_error open_writer(ks_session *session, const ks_command_line *command, kafka_address *address, int32_t *partition, kafka_writer **writer) {
    const ks_command_line *declared = NULL;
    for (int32_t i = 0; i < session->producer_count; i++)
        if (strcmp(session->producers[i]->words[0].text.data, kafka_address_client(address)) == 0) declared = session->producers[i];
    const ks_command_line none = { 0 };
    const ks_command_line *p = declared ? declared : &none;
    const char *acks = ks_pair_text(p, "acks", "all"), *codec = ks_pair_text(p, "compression", "none");
    kafka_writer_config config = {
        .address = address,
        .topic = command->words[0].text.data,
        .balancer = *partition >= 0 ? kafka_balancer_function(fixed_partition, partition) : balancer_named(ks_pair_text(p, "balancer", "hash")),
        .batch_size = (int32_t)ks_pair_int(p, "batch.size", 100),
        .batch_timeout = ks_pair_int(p, "batch.timeout.ms", 10) * KAFKA_MILLISECOND,
        .required_acks = strcmp(acks, "all") == 0 ? KAFKA_ACKS_ALL : strcmp(acks, "1") == 0 ? KAFKA_ACKS_ONE : KAFKA_ACKS_NONE,
        .compression = strcmp(codec, "gzip") == 0 ? KAFKA_COMPRESSION_GZIP : strcmp(codec, "snappy") == 0 ? KAFKA_COMPRESSION_SNAPPY :
                       strcmp(codec, "lz4") == 0 ? KAFKA_COMPRESSION_LZ4 : strcmp(codec, "zstd") == 0 ? KAFKA_COMPRESSION_ZSTD : KAFKA_COMPRESSION_NONE,
    };
    return kafka_writer_new(&config, writer);
}

static kafka_message message_of(const message_text *text) {
    return (kafka_message){ .key = kafka_string(text->key), .value = kafka_string(text->value) };
}

static message_text patterned(const ks_command_line *command, int64_t n) {
    const char *key = ks_pair_text(command, "key", NULL), *value = ks_pair_text(command, "value", "message {n}");
    return (message_text){ key ? expand(key, n) : NULL, expand(value, n) };
}

static void drip(void *argument) {
    ks_background_source *source = argument;
    for (int64_t n = 0; n < source->count && kafka_sleep(source->ctx, source->every) == KAFKA_OK; n++) {
        message_text text = patterned(source->command, n);
        kafka_message message = message_of(&text);
        kafka_error error = kafka_writer_write(source->writer, source->ctx, &message, 1, NULL);
        ks_free(text.key);
        ks_free(text.value);
        if (error != KAFKA_OK && error != KAFKA_ERR_WRITE_ERRORS) break;
    }
    kafka_writer_close(source->writer);
    source->over = true;
}

static ks_run_result write_texts(ks_session *session, const ks_command_line *command, kafka_writer *writer, kafka_address *address, const message_texts *texts, char *problem, size_t size) {
    (void)command;
    kafka_message messages[BATCH];
    for (int32_t at = 0; at < texts->count && !ks_session_interrupted(session); at += BATCH) {
        int32_t count = texts->count - at < BATCH ? texts->count - at : BATCH;
        for (int32_t i = 0; i < count; i++) messages[i] = message_of(&texts->items[at + i]);
        kafka_error error = kafka_writer_write(writer, kafka_background(address), messages, (size_t)count, NULL);
        if (error == KAFKA_OK) continue;
        snprintf(problem, size, "%s: %s", kafka_error_name(error), kafka_error_detail(address));
        return KS_RUN_FAILED;
    }
    return KS_RUN_FINE;
}

ks_run_result ks_session_produce(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    int64_t count = ks_pair_int(command, "count", 1), every = ks_pair_duration(command, "every", 0);
    const char *from = ks_pair_text(command, "from", NULL), *by = ks_pair_text(command, "by", "producer");
    if (count > MOST_MESSAGES) {
        snprintf(problem, size, "count is at most %d", MOST_MESSAGES);
        return KS_RUN_WRONG;
    }
    if (from != NULL && every > 0) {
        snprintf(problem, size, "from= sends a file at once; it does not go with every=");
        return KS_RUN_WRONG;
    }
    message_texts texts = { 0 };
    if (from != NULL && !read_file(from, ks_pair_text(command, "field", NULL), &texts, problem, size)) {
        free_texts(&texts);
        return KS_RUN_WRONG;
    }
    kafka_address *address = ksim_client(session->sim, by);
    if (address == NULL) {
        snprintf(problem, size, "%s", ksim_error_detail(session->sim));
        free_texts(&texts);
        return KS_RUN_WRONG;
    }
    int32_t *partition = ks_arena_alloc(session->arena, sizeof *partition);
    *partition = (int32_t)ks_pair_int(command, "partition", -1);
    kafka_writer *writer = NULL;
    kafka_error error = open_writer(session, command, address, partition, &writer);
    if (error != KAFKA_OK) {
        snprintf(problem, size, "%s", kafka_error_detail(address));
        free_texts(&texts);
        kafka_address_free(address);
        return KS_RUN_WRONG;
    }
    if (every > 0) {
        ks_background_source *source = ks_arena_alloc(session->arena, sizeof *source);
        *source = (ks_background_source){ .next = session->sources, .session = session, .address = address, .writer = writer,
                                          .command = command, .count = count, .every = every };
        source->ctx = kafka_context_with_cancel(kafka_background(address));
        source->task = kafka_go(source->ctx, by, drip, source);
        session->sources = source;
        return KS_RUN_FINE;
    }
    if (from == NULL)
        for (int64_t n = 0; n < count; n++) KS_PUSH(texts, patterned(command, n));
    ks_run_result result = write_texts(session, command, writer, address, &texts, problem, size);
    kafka_writer_close(writer);
    kafka_writer_free(writer);
    kafka_address_free(address);
    free_texts(&texts);
    return result;
}

void ks_session_stop_sources(ks_session *session) {
    for (ks_background_source *source = session->sources; source != NULL; source = source->next) {
        kafka_context_cancel(source->ctx);
        if (kafka_join(kafka_background(source->address), source->task) != KAFKA_OK) kafka_task_free(source->task);
        kafka_writer_free(source->writer);
        kafka_context_free(source->ctx);
        kafka_address_free(source->address);
    }
    session->sources = NULL;
}
