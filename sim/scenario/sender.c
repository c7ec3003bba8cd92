/* SPDX-License-Identifier: Apache-2.0
 * Producer processes and what they send.
 *
 *   source:  topic known --no--> lookup --> known
 *            at once:  hundred appended --> all answered --> next hundred ... over
 *            every D:  timer --> one appended, next timer ... over
 */
#include "sim/scenario/sender.h"

#include <stdio.h>

#include "sim/api/address.h"
#include "sim/scenario/texts.h"

enum { AT_ONCE = 100 };

struct ks_source {
    ks_source *next;
    ks_sender *sender;
    const char *topic;
    int32_t partition; /* -1: the balancer decides */
    ks_texts texts;
    int64_t sent, every; /* every 0: at once */
    ks_timer tick;
    ks_layout_wait *lookup;
    ks_write *write;
    int32_t in_write;
    int64_t failed;
    kafka_error error; /* the first */
    bool over;
};

/* ---- settings ---- */

kafka_balancer ks_sender_balancer(const ks_command_line *declared) {
    const char *name = declared != NULL ? ks_pair_text(declared, "balancer", "hash") : "hash";
    if (strcmp(name, "round-robin") == 0) return kafka_balancer_round_robin();
    if (strcmp(name, "least-bytes") == 0) return kafka_balancer_least_bytes();
    if (strcmp(name, "murmur2") == 0) return kafka_balancer_murmur2(false);
    if (strcmp(name, "crc32") == 0) return kafka_balancer_crc32(false);
    if (strcmp(name, "reference-hash") == 0) return kafka_balancer_reference_hash();
    return kafka_balancer_hash();
}

bool ks_sender_settings(const ks_command_line *declared, ks_writer_settings *settings, char *problem, size_t size) {
    static const struct { const char *name; kafka_compression codec; } codecs[] = {
        { "none", KAFKA_COMPRESSION_NONE }, { "gzip", KAFKA_COMPRESSION_GZIP }, { "snappy", KAFKA_COMPRESSION_SNAPPY },
        { "lz4", KAFKA_COMPRESSION_LZ4 }, { "zstd", KAFKA_COMPRESSION_ZSTD },
    };
    static const ks_command_line defaults = { .verb = KS_VERB_producer };
    const ks_command_line *p = declared != NULL ? declared : &defaults;
    const char *acks = ks_pair_text(p, "acks", "all"), *codec = ks_pair_text(p, "compression", "none");
    kafka_writer_config config = {
        .batch_size = (int32_t)ks_pair_int(p, "batch.size", 0),
        .batch_bytes = ks_pair_int(p, "batch.bytes", 0),
        .batch_timeout = ks_pair_int(p, "batch.timeout.ms", 10) * KAFKA_MILLISECOND,
        .max_attempts = (int32_t)ks_pair_int(p, "max.attempts", 0),
        .write_timeout = ks_pair_int(p, "write.timeout.ms", 0) * KAFKA_MILLISECOND,
        .required_acks = strcmp(acks, "all") == 0 ? KAFKA_ACKS_ALL : strcmp(acks, "1") == 0 ? KAFKA_ACKS_ONE : KAFKA_ACKS_NONE,
    };
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (strcmp(codec, codecs[i].name) == 0) config.compression = codecs[i].codec;
    return ks_writer_settings_init(settings, &config, problem, size);
}

/* ---- a producer's lives ---- */

static void finish(ks_source *source) {
    ks_timer_stop(&source->tick);
    ks_layout_wait_drop(source->lookup);
    if (source->write != NULL) ks_write_release(source->write);
    source->lookup = NULL;
    source->write = NULL;
    source->over = true;
}

static void count_failure(ks_source *source, kafka_error error, int64_t messages) {
    if (source->failed == 0) source->error = error;
    source->failed += messages;
}

static void end_life(ks_sender *sender, kafka_error error) {
    if (!sender->lives) return;
    for (ks_source *source = sender->session->sources; source != NULL; source = source->next) {
        if (source->sender != sender || source->over) continue;
        count_failure(source, error, source->texts.count - source->sent + source->in_write);
        finish(source);
    }
    sender->lives = false;
    ks_producer_abort(sender->engine, error);
}

static void bury(ks_sender *sender) { /* what a former life left */
    if (sender->engine == NULL) return;
    ks_producer_free(sender->engine);
    ks_balancer_deinit(&sender->balancer);
    ks_transport_close(sender->transport);
    sender->engine = NULL;
}

static void on_crash(void *owner) { end_life(owner, KAFKA_ERR_NODE_CRASHED); }

static uint64_t draw(void *source, uint64_t bound) { return ks_node_random_below(source, bound); }

static bool begin_life(ks_sender *sender, char *problem, size_t size) {
    if (sender->lives) return true;
    ks_writer_settings settings;
    bury(sender);
    if (!ks_sender_settings(sender->declared, &settings, problem, size)) return false;
    sender->transport = ks_transport_open(sender->address->process, sender->address->text);
    if (sender->transport == NULL) {
        snprintf(problem, size, "the process '%s' is dead; `restart %s` starts it again", sender->name.data, sender->name.data);
        return false;
    }
    kafka_balancer balancer = ks_sender_balancer(sender->declared);
    sender->engine = ks_producer_new(sender->transport, &settings.engine);
    ks_balancer_init(&sender->balancer, &balancer, draw, ks_process_node(sender->address->process));
    sender->watch = (ks_process_watch){ .crashed = on_crash, .owner = sender };
    ks_process_watch_start(sender->address->process, &sender->watch);
    sender->lives = true;
    return true;
}

ks_sender *ks_sender_get(ks_session *session, ks_string name, const ks_command_line *declared) {
    ks_sender **link = &session->senders;
    for (; *link != NULL; link = &(*link)->next)
        if (ks_string_equal((*link)->name, name)) return *link;
    kafka_address *address = ksim_client(session->sim, name.data);
    if (address == NULL) return NULL;
    *link = ks_arena_alloc(session->arena, sizeof **link);
    **link = (ks_sender){ .session = session, .name = ks_arena_string(session->arena, name), .declared = declared, .address = address };
    return *link;
}

void ks_senders_free(ks_session *session) {
    for (ks_sender *sender = session->senders; sender != NULL; sender = sender->next) {
        ks_process_watch_stop(&sender->watch);
        end_life(sender, KAFKA_ERR_RUN_ENDED);
        bury(sender);
        kafka_address_free(sender->address);
    }
    for (ks_source *source = session->sources; source != NULL; source = source->next) ks_texts_close(&source->texts);
    session->senders = NULL;
    session->sources = NULL;
}

/* ---- sending ---- */

static void send_more(ks_source *source);

static void on_written(void *owner) {
    ks_source *source = owner;
    for (int32_t i = 0; i < source->in_write; i++) {
        kafka_error error = ks_write_error(source->write, (size_t)i);
        if (error != KAFKA_OK) count_failure(source, error, 1);
    }
    source->in_write = 0;
    ks_timer_start(source->sender->session->sim->kernel, &source->tick, 0); /* not from inside the engine's call */
}

/* Appends the next message to the engine's batches. */
static void append(ks_source *source, ks_write *write, size_t index, int32_t partitions) {
    ks_buffer key = { 0 }, value = { 0 };
    bool has_key;
    ks_texts_make(&source->texts, source->sent++, &key, &has_key, &value);
    kafka_message message = { .key = { has_key ? (key.size > 0 ? (const char *)key.data : "") : NULL, key.size },
                              .value = { value.size > 0 ? (const char *)value.data : "", value.size } };
    ks_sender *sender = source->sender;
    int32_t partition = source->partition >= 0 ? source->partition : ks_balancer_choose(&sender->balancer, &message, partitions);
    ks_write_append(write, index, ks_producer_topic_get(sender->engine, source->topic), partition, &message, ks_message_size(&message));
    ks_buffer_deinit(&key);
    ks_buffer_deinit(&value);
}

static void send_now(ks_source *source, int32_t partitions) {
    int64_t left = source->texts.count - source->sent;
    int32_t count = source->every > 0 ? 1 : left < AT_ONCE ? (int32_t)left : AT_ONCE;
    ks_write *write = ks_write_begin(source->sender->engine, (size_t)count);
    for (int32_t i = 0; i < count; i++) append(source, write, (size_t)i, partitions);
    if (source->every > 0) {
        ks_write_release(write);
        if (source->sent == source->texts.count) finish(source);
        else ks_timer_start(source->sender->session->sim->kernel, &source->tick, source->every);
        return;
    }
    source->write = write;
    source->in_write = count;
    if (!ks_write_await(write, on_written, source)) on_written(source);
}

static void on_layout(void *owner, kafka_error error, int32_t partitions) {
    ks_source *source = owner;
    source->lookup = NULL;
    if (error == KAFKA_OK && partitions < 1) error = KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
    if (error == KAFKA_OK) {
        send_now(source, partitions);
        return;
    }
    /* The Writer's call fails. A program that sends one message every so often goes on with the next. */
    int64_t left = source->texts.count - source->sent, lost = source->every > 0 ? 1 : left;
    count_failure(source, error, lost);
    source->sent += lost;
    if (lost == left) finish(source);
    else ks_timer_start(source->sender->session->sim->kernel, &source->tick, source->every);
}

static void send_more(ks_source *source) {
    ks_transport *transport = source->sender->transport;
    const ks_metadata_response_topic *known = ks_transport_topic(transport, ks_str(source->topic));
    bool certain = ks_transport_is_ready(transport) && ks_transport_problem(transport) == KAFKA_OK;
    if (certain && known != NULL && known->error_code == 0 && known->partitions.count > 0) send_now(source, known->partitions.count);
    else source->lookup = ks_transport_find_topic(transport, ks_str(source->topic), false, 10 * KS_S, on_layout, source);
}

static void on_tick(ks_timer *timer) {
    ks_source *source = timer->owner;
    if (source->write != NULL) ks_write_release(source->write);
    source->write = NULL;
    if (source->sent == source->texts.count) finish(source);
    else send_more(source);
}

static bool source_is_over(ksim *sim, void *context) {
    (void)sim;
    const ks_source *source = context;
    return source->over || ks_session_interrupted(source->sender->session);
}

ks_run_result ks_session_produce(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    int32_t column;
    ks_texts texts;
    ks_sender *sender = ks_sender_get(session, ks_str(ks_pair_text(command, "by", "producer")), NULL);
    if (sender == NULL || !begin_life(sender, problem, size)) {
        if (sender == NULL) snprintf(problem, size, "%s", ksim_error_detail(session->sim));
        return KS_RUN_WRONG;
    }
    if (!ks_texts_open(&texts, command, session->folder, &column, problem, size)) return KS_RUN_WRONG;
    ks_source *source = ks_arena_alloc(session->arena, sizeof *source);
    *source = (ks_source){ .next = session->sources, .sender = sender, .topic = command->words[0].text.data, .texts = texts,
                           .partition = (int32_t)ks_pair_int(command, "partition", -1), .every = ks_pair_duration(command, "every", 0) };
    ks_timer_init(&source->tick, ks_process_node(sender->address->process), on_tick, source);
    session->sources = source;
    if (source->every > 0) {
        ks_timer_start(session->sim->kernel, &source->tick, source->every);
        return KS_RUN_FINE;
    }
    send_more(source);
    kafka_error error = ksim_run_until(session->sim, source_is_over, source, "all messages are written", 600 * KS_S);
    if (error != KAFKA_OK) {
        session->stuck = true;
        snprintf(problem, size, "%lld of %lld messages are still not written", (long long)(source->texts.count - source->sent + source->in_write), (long long)source->texts.count);
        return KS_RUN_FAILED;
    }
    if (source->failed == 0 || !source->over) return KS_RUN_FINE;
    snprintf(problem, size, "%s: %lld of %lld messages were not written: %s", kafka_error_name(source->error), (long long)source->failed,
             (long long)source->texts.count, kafka_error_text(source->error));
    return KS_RUN_FAILED;
}
