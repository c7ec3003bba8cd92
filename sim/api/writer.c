/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_writer: the blocking face of the producer engine (kafka-go writer.go). The order of checks is WriteMessages'
 * own. Since kafka-go 0.4.50 hangs when a call and Close meet (its issue 1307), "closed" is looked at once more before
 * anything is enqueued. Unlike kafka-go's, read_timeout bounds the metadata lookup.
 *
 * Lifetime: a call that is blocked (in a task, while another frees the writer) keeps the writer's memory; whoever
 * leaves last frees it. A crash of the process makes the writer dead for ever, as it would be in a real process.
 */
#include <kafkasim/writer.h>

#include "sim/api/address.h"
#include "sim/api/writer_config.h"
#include "sim/client/balancer.h"
#include "sim/client/producer.h"

typedef struct blocked { /* a call that waits: for metadata, or for the end of all batches */
    ks_wait wait;
    struct blocked *next;
    ks_layout_wait *lookup;
    kafka_error error;
    int32_t partitions;
} blocked;

struct kafka_writer {
    ks_handle handle;
    kafka_address *address;
    ks_process_watch watch;
    ks_writer_settings settings;
    ks_transport *transport;
    ks_producer *producer;
    ks_balancer balancer;
    bool closed, dead, freed;
    int32_t inside; /* calls that have not returned */
    blocked *lookups, *closers;
    ks_producer_batch *told, *told_last; /* batches whose completion is queued */
};

/* ---- life ---- */

static void destroy(kafka_writer *writer) {
    ks_runtime_callback_cancel(writer->address->runtime, writer);
    ks_process_watch_stop(&writer->watch);
    ks_handle_close(&writer->handle);
    ks_producer_free(writer->producer);
    ks_transport_close(writer->transport);
    ks_balancer_deinit(&writer->balancer);
    ks_writer_settings_deinit(&writer->settings);
    ks_free(writer);
}

static void drop(void *object) { destroy(object); }

static void enter(kafka_writer *writer) { writer->inside++; }

static void leave(kafka_writer *writer) {
    if (--writer->inside == 0 && writer->freed) destroy(writer);
}

static void crashed(void *owner) {
    kafka_writer *writer = owner;
    writer->dead = true;
    ks_runtime_callback_cancel(writer->address->runtime, writer);
    ks_producer_abort(writer->producer, KAFKA_ERR_NODE_CRASHED);
}

static void drained(void *owner) {
    kafka_writer *writer = owner;
    for (blocked *closer = writer->closers; closer != NULL; closer = closer->next)
        ks_wait_wake(&closer->wait, KAFKA_OK);
}

/* ---- completions ---- */

static void run_completion(void *argument) {
    kafka_writer *writer = argument;
    ks_producer_batch *batch = writer->told;
    writer->told = ks_producer_batch_next_told(batch);
    enter(writer);
    writer->settings.completion(writer->settings.completion_argument, ks_producer_batch_messages(batch),
                                (size_t)ks_producer_batch_count(batch), ks_producer_batch_error(batch));
    if (!writer->dead && !writer->freed) ks_producer_finish(batch);
    leave(writer);
}

static void told(void *owner, ks_producer_batch *batch) {
    kafka_writer *writer = owner;
    ks_producer_batch_set_next_told(batch, NULL);
    if (writer->told == NULL)
        writer->told = batch;
    else
        ks_producer_batch_set_next_told(writer->told_last, batch);
    writer->told_last = batch;
    ks_runtime_callback(writer->address->runtime, run_completion, writer);
}

/* ---- making ---- */

static uint64_t draw(void *source, uint64_t bound) { return ks_node_random_below(source, bound); }

kafka_error kafka_writer_new(const kafka_writer_config *config, kafka_writer **out) {
    if (config == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    if (config->address == NULL) return KAFKA_ERR_INVALID_CONFIG_VALUE;
    kafka_address *address = config->address;
    kafka_error error = ks_address_check(address, "kafka_writer_new");
    if (error != KAFKA_OK) return error;
    if (out == NULL) return ks_process_fail(address->process, KAFKA_ERR_INVALID_ARGUMENT, "kafka_writer_new: writer is NULL");
    ks_writer_settings settings;
    char problem[200];
    if (!ks_writer_settings_init(&settings, config, problem, sizeof problem))
        return ks_process_fail(address->process, KAFKA_ERR_INVALID_CONFIG_VALUE, "kafka_writer_new: %s", problem);
    ks_transport *transport = ks_transport_open(address->process, address->text);
    if (transport == NULL) {
        ks_writer_settings_deinit(&settings);
        return ks_process_fail(address->process, KAFKA_ERR_NODE_CRASHED, "kafka_writer_new: client process %s is down",
                               address->name);
    }
    kafka_writer *writer = ks_alloc(sizeof *writer);
    writer->address = address;
    writer->settings = settings;
    writer->transport = transport;
    ks_producer_config engine = settings.engine;
    engine.told = settings.completion != NULL ? told : NULL;
    engine.drained = drained;
    engine.owner = writer;
    writer->producer = ks_producer_new(transport, &engine);
    ks_balancer_init(&writer->balancer, &config->balancer, draw, ks_process_node(address->process));
    writer->watch = (ks_process_watch){ .crashed = crashed, .owner = writer };
    ks_process_watch_start(address->process, &writer->watch);
    ks_handle_open(&writer->handle, address, "kafka_writer", "kafka_writer_close", drop, writer);
    *out = writer;
    return KAFKA_OK;
}

static const char *topic_text(const kafka_writer *writer) {
    return writer->settings.topic != NULL ? writer->settings.topic : "(of the message)";
}

void kafka_writer_free(kafka_writer *writer) {
    if (writer == NULL || !ks_runtime_right_thread(writer->address->runtime)) return;
    if (!writer->dead && ks_producer_unfinished(writer->producer) > 0) {
        ks_runtime_callback_cancel(writer->address->runtime, writer);
        int64_t lost = ks_producer_abort(writer->producer, KAFKA_ERR_CLOSED);
        ks_process_fail(
            writer->address->process, KAFKA_ERR_CLOSED,
            "kafka_writer_free: the writer of topic %s was not closed; what became of %lld messages is not known. "
            "Call kafka_writer_close() first: it sends what is gathered and waits for the answers",
            topic_text(writer), (long long)lost);
    }
    writer->closed = true;
    writer->freed = true;
    ks_handle_close(&writer->handle);
    for (blocked *lookup = writer->lookups; lookup != NULL; lookup = lookup->next)
        ks_wait_wake(&lookup->wait, KAFKA_ERR_CLOSED);
    drained(writer);
    if (writer->inside == 0) destroy(writer);
}

/* ---- step 4: sizes ---- */

static kafka_error too_large(kafka_writer *writer, const kafka_message *messages, size_t count, size_t offender,
                             kafka_error *errors) {
    for (size_t i = 0; errors != NULL && i < count; i++)
        errors[i] = i == offender ? KAFKA_ERR_MESSAGE_TOO_LARGE : KAFKA_ERR_OPERATION_NOT_ATTEMPTED;
    return ks_process_fail(
        writer->address->process, KAFKA_ERR_MESSAGE_TOO_LARGE,
        "kafka_writer_write: message %zu of %zu counts %lld bytes, batch_bytes is %lld; nothing was enqueued", offender,
        count, (long long)ks_message_size(&messages[offender]), (long long)writer->settings.engine.batch_bytes);
}

static kafka_error check_sizes(kafka_writer *writer, const kafka_message *messages, size_t count, kafka_error *errors) {
    int64_t limit = writer->settings.engine.batch_bytes;
    size_t offender = count;
    for (size_t i = 0; i < count; i++) {
        int64_t size = ks_message_size(&messages[i]);
        if (size < 0)
            return ks_process_fail(
                writer->address->process, KAFKA_ERR_INVALID_ARGUMENT,
                "kafka_writer_write: message %zu has bytes at NULL, or a length beyond Kafka's limits", i);
        if (size > limit && offender == count) offender = i;
    }
    return offender < count ? too_large(writer, messages, count, offender, errors) : KAFKA_OK;
}

/* ---- step 5: topics and partitions ---- */

static void unlink_blocked(blocked **list, blocked *one) {
    while (*list != one) list = &(*list)->next;
    *list = one->next;
}

static void append_blocked(blocked **list, blocked *one) {
    while (*list != NULL) list = &(*list)->next;
    *list = one;
}

static void found_topic(void *owner, kafka_error error, int32_t partitions) {
    blocked *call = owner;
    call->lookup = NULL;
    call->error = error;
    call->partitions = partitions;
    ks_wait_wake(&call->wait, KAFKA_OK);
}

static kafka_error wait_for_topic(kafka_writer *writer, kafka_context *context, const char *topic,
                                  int32_t *partitions) {
    blocked call = { .error = KAFKA_OK };
    kafka_error error = ks_wait_begin(&call.wait, writer->address->runtime, ks_process_node(writer->address->process),
                                      context, "kafka_writer_write: metadata of topic %s", topic);
    if (error != KAFKA_OK) return error;
    append_blocked(&writer->lookups, &call);
    call.lookup = ks_transport_find_topic(writer->transport, ks_str(topic), writer->settings.allow_auto_topic_creation,
                                          writer->settings.read_timeout, found_topic, &call);
    error = ks_wait_park(&call.wait);
    unlink_blocked(&writer->lookups, &call);
    ks_layout_wait_drop(call.lookup);
    if (error == KAFKA_OK) error = call.error;
    *partitions = call.partitions;
    return error;
}

static kafka_error count_partitions(kafka_writer *writer, kafka_context *context, const char *topic,
                                    int32_t *partitions) {
    kafka_error error;
    const ks_metadata_response_topic *cached = ks_transport_topic(writer->transport, ks_str(topic));
    bool certain = ks_transport_is_ready(writer->transport) && ks_transport_problem(writer->transport) == KAFKA_OK;
    if (certain && cached != NULL && cached->error_code == 0) {
        *partitions = cached->partitions.count;
        error = KAFKA_OK;
    } else {
        error = wait_for_topic(writer, context, topic, partitions);
    }
    if (error == KAFKA_OK && *partitions < 1) error = KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
    if (error == KAFKA_OK) return KAFKA_OK;
    if (error == KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION && !writer->settings.allow_auto_topic_creation)
        return ks_process_fail(writer->address->process, error,
                               "kafka_writer_write: there is no topic %s; create it first, or "
                               "set allow_auto_topic_creation",
                               topic);
    return ks_address_fail(writer->address, error, "kafka_writer_write: topic %s", topic);
}

/* The topic of a message, or NULL with the reason in `*error`. */
static const char *topic_of(kafka_writer *writer, const kafka_message *message, size_t index, kafka_error *error) {
    const char *own = message->topic != NULL && *message->topic ? message->topic : NULL;
    const char *common = writer->settings.topic;
    if ((own == NULL) != (common == NULL)) return own != NULL ? own : common;
    *error = ks_process_fail(writer->address->process, KAFKA_ERR_INVALID_ARGUMENT,
                             "kafka_writer_write: message %zu: %s", index,
                             own != NULL ? "topic is set on the writer and on the message; set one of them"
                                         : "topic is set neither on the writer nor on the message; set one of them");
    return NULL;
}

static kafka_error route(kafka_writer *writer, kafka_context *context, const kafka_message *messages, size_t count,
                         int32_t *partition) {
    const char *known = NULL; /* the topic whose partitions are counted */
    int32_t partitions = 0;
    kafka_error error = KAFKA_OK;
    for (size_t i = 0; i < count; i++) {
        const char *topic = topic_of(writer, &messages[i], i, &error);
        if (topic == NULL) return error;
        if (known == NULL || (topic != known && strcmp(topic, known) != 0)) {
            error = count_partitions(writer, context, topic, &partitions);
            if (error != KAFKA_OK) return error;
            known = topic;
        }
        partition[i] = ks_balancer_choose(&writer->balancer, &messages[i], partitions);
    }
    return KAFKA_OK;
}

/* ---- steps 6 to 8: enqueue, wait, tell ---- */

static void enqueue(kafka_writer *writer, ks_write *write, const kafka_message *messages, size_t count) {
    const int32_t *partition = ks_write_notes(write);
    ks_producer_topic *topic = NULL;
    for (size_t i = 0; i < count; i++) {
        const char *name = writer->settings.topic != NULL ? writer->settings.topic : messages[i].topic;
        if (topic == NULL || (writer->settings.topic == NULL && strcmp(name, ks_producer_topic_name(topic).data) != 0))
            topic = ks_producer_topic_get(writer->producer, name);
        ks_write_append(write, i, topic, partition[i], &messages[i], ks_message_size(&messages[i]));
    }
}

static kafka_error tell_failures(kafka_writer *writer, const ks_write *write, size_t count, kafka_error *errors) {
    size_t failed = 0;
    kafka_error first = KAFKA_OK;
    for (size_t i = 0; i < count; i++) {
        kafka_error error = ks_write_error(write, i);
        if (errors != NULL) errors[i] = error;
        if (error != KAFKA_OK && failed++ == 0) first = error;
    }
    return ks_process_fail(writer->address->process, KAFKA_ERR_WRITE_ERRORS,
                           "kafka_writer_write: %zu of %zu messages were not written; the first for %s: %s", failed,
                           count, kafka_error_name(first), kafka_error_text(first));
}

static void write_done(void *owner) { ks_wait_wake(owner, KAFKA_OK); }

static kafka_error await(kafka_writer *writer, kafka_context *context, ks_write *write, size_t count,
                         kafka_error *errors) {
    ks_wait wait;
    kafka_error error =
        ks_wait_begin(&wait, writer->address->runtime, ks_process_node(writer->address->process), context,
                      "kafka_writer_write: %zu messages to topic %s", count, topic_text(writer));
    if (error == KAFKA_OK) {
        if (ks_write_await(write, write_done, &wait))
            error = ks_wait_park(&wait);
        else
            ks_wait_abandon(&wait);
    }
    if (error != KAFKA_OK)
        return ks_address_fail(writer->address, error, "kafka_writer_write: what was enqueued may still be written");
    return ks_write_failed(write) ? tell_failures(writer, write, count, errors) : KAFKA_OK;
}

static kafka_error write_all(kafka_writer *writer, kafka_context *context, const kafka_message *messages, size_t count,
                             kafka_error *errors) {
    kafka_error error = check_sizes(writer, messages, count, errors);
    if (error != KAFKA_OK) return error;
    ks_write *write = ks_write_begin(writer->producer, count);
    error = route(writer, context, messages, count, ks_write_notes(write));
    if (error == KAFKA_OK && writer->dead) error = KAFKA_ERR_NODE_CRASHED;
    if (error == KAFKA_OK && writer->closed) error = KAFKA_ERR_CLOSED; /* meanwhile */
    if (error == KAFKA_OK) {
        enqueue(writer, write, messages, count);
        if (writer->settings.async)
            ks_runtime_fruitful(writer->address->runtime);
        else
            error = await(writer, context, write, count, errors);
    }
    ks_write_release(write);
    return error;
}

/* What needs no work: NULL, crashed, closed, nothing to write. True: `*error` is the answer. */
static bool answered_at_once(kafka_writer *writer, kafka_context *context, const kafka_message *messages, size_t count,
                             kafka_error *error) {
    kafka_address *address = writer->address;
    ks_process *process = address->process;
    kafka_error foreign = ks_address_check_context(address, context, "kafka_writer_write");
    if (foreign != KAFKA_OK)
        *error = foreign;
    else if (context == NULL || (messages == NULL && count > 0))
        *error = ks_process_fail(process, KAFKA_ERR_INVALID_ARGUMENT, "kafka_writer_write: %s is NULL",
                                 context == NULL ? "context" : "messages");
    else if (writer->dead)
        *error = ks_process_fail(process, KAFKA_ERR_NODE_CRASHED,
                                 "kafka_writer_write: client process %s crashed; this writer "
                                 "died with it. Make a new one after a restart",
                                 address->name);
    else if (writer->closed)
        *error =
            ks_process_fail(process, KAFKA_ERR_CLOSED, "kafka_writer_write: the writer was closed; make a new one");
    else if (count == 0)
        *error = KAFKA_OK;
    else if (!writer->settings.async && ks_runtime_in_callback(address->runtime))
        *error = ks_process_fail(process, KAFKA_ERR_WRONG_PLACE,
                                 "kafka_writer_write: blocks, so it is not allowed inside a "
                                 "callback; call it from the program or a task, or use an async writer");
    else
        return false;
    ks_runtime_fruitless(address->runtime, "kafka_writer_write");
    return true;
}

kafka_error kafka_writer_write(kafka_writer *writer, kafka_context *context, const kafka_message *messages,
                               size_t count, kafka_error *errors) {
    if (writer == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_error error = ks_address_check(writer->address, "kafka_writer_write");
    if (error != KAFKA_OK || answered_at_once(writer, context, messages, count, &error)) return error;
    enter(writer);
    error = write_all(writer, context, messages, count, errors);
    leave(writer);
    return error;
}

kafka_error kafka_writer_close(kafka_writer *writer) {
    if (writer == NULL) return KAFKA_OK;
    kafka_address *address = writer->address;
    kafka_error error = ks_address_check(address, "kafka_writer_close");
    if (error != KAFKA_OK) return error;
    blocked closer = { .error = KAFKA_OK };
    error = writer->dead ? KAFKA_ERR_NODE_CRASHED
                         : ks_wait_begin(&closer.wait, address->runtime, ks_process_node(address->process), NULL,
                                         "kafka_writer_close: topic %s", topic_text(writer));
    if (error != KAFKA_OK) {
        if (error == KAFKA_ERR_NODE_CRASHED) writer->closed = true;
        return ks_address_fail(address, error, "kafka_writer_close");
    }
    enter(writer);
    writer->closed = true;
    for (blocked *lookup = writer->lookups; lookup != NULL; lookup = lookup->next)
        ks_wait_wake(&lookup->wait, KAFKA_ERR_CLOSED);
    ks_producer_flush(writer->producer);
    if (ks_producer_unfinished(writer->producer) > 0) {
        append_blocked(&writer->closers, &closer);
        error = ks_wait_park(&closer.wait);
        unlink_blocked(&writer->closers, &closer);
    } else {
        ks_wait_abandon(&closer.wait);
    }
    leave(writer);
    return error;
}
