/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_reader: the blocking face of the reader's engine (kafka-go, reader.go). Where kafka-go picks at random among what is
 * ready, the order is fixed here: the context first, then queued messages, then the end. A commit after close is always CLOSED.
 *
 * Lifetime: a call that is blocked while another task frees the reader keeps its memory; whoever leaves last frees it. A crash
 * of the process makes the reader dead for ever, also after a restart.
 */
#include "sim/api/reader_internal.h"
#include "sim/protocol/events.h"

#include "sim/api/message.h"
#include "sim/task/context.h"

/* ---- waiting ---- */

void ks_waiting_init(ks_waiting_list *list) { *list = (ks_waiting_list){ .end = &list->first }; }

void ks_waiting_add(ks_waiting_list *list, ks_waiting *one) {
    one->next = NULL;
    one->link = list->end;
    *list->end = one;
    list->end = &one->next;
}

void ks_waiting_remove(ks_waiting_list *list, ks_waiting *one) {
    *one->link = one->next;
    if (one->next != NULL)
        one->next->link = one->link;
    else
        list->end = one->link;
}

ks_waiting *ks_waiting_asleep(const ks_waiting_list *list) {
    ks_waiting *one = list->first;
    while (one != NULL && one->wait.done) one = one->next; /* those that were woken at this instant */
    return one;
}

void ks_waiting_wake_one(const ks_waiting_list *list) {
    ks_waiting *one = ks_waiting_asleep(list);
    if (one != NULL) ks_wait_wake(&one->wait, KAFKA_OK);
}

void ks_waiting_wake_all(const ks_waiting_list *list, kafka_error error) {
    for (ks_waiting *one = list->first; one != NULL; one = one->next)
        if (!one->wait.done) ks_wait_wake(&one->wait, error);
}

kafka_error ks_reader_fail(const kafka_reader *reader, kafka_error error, const char *call, const char *why) {
    return ks_process_fail(ks_reader_process(reader), error, "%s: %s", call, why);
}

/* ---- life ---- */

static void destroy(kafka_reader *reader) {
    ks_process_watch_stop(&reader->watch);
    ks_handle_close(&reader->handle);
    ks_reader_unwatch_lag(reader);
    ks_reader_free(reader->engine);
    ks_arena_free(reader->arena);
    ks_free(reader);
}

static void drop(void *object) { destroy(object); }

/* The engine may be told to go while the caller was away: then the call ends with CLOSED. */
kafka_error ks_reader_leave(kafka_reader *reader, kafka_error error) {
    if (--reader->inside == 0 && reader->freed) destroy(reader);
    return error;
}

static void crashed(void *owner) {
    kafka_reader *reader = owner;
    reader->dead = true;
    ks_reader_unwatch_lag(reader);
    ks_reader_crashed(reader->engine);
}

kafka_error ks_reader_closed_or_dead(kafka_reader *reader, const char *call) {
    if (reader->freed) return KAFKA_ERR_CLOSED;
    if (reader->dead)
        return ks_process_fail(ks_reader_process(reader), KAFKA_ERR_NODE_CRASHED,
                               "%s: client process %s crashed; this reader died with "
                               "it. Make a new one after a restart",
                               call, reader->address->name);
    if (ks_reader_is_closing(reader->engine))
        return ks_reader_fail(reader, KAFKA_ERR_CLOSED, call, "the reader was closed");
    return KAFKA_OK;
}

/* ---- what the engine says ---- */

static void describe_wait(const kafka_reader *reader, ks_waiting *taker) {
    static const char call[] = "kafka_reader_fetch: ";
    memcpy(taker->wait.what, call, sizeof call);
    ks_reader_describe(reader->engine, taker->wait.what + sizeof call - 1, sizeof taker->wait.what - sizeof call);
}

static void engine_ready(void *owner) {
    kafka_reader *reader = owner;
    if (ks_reader_is_at_end(reader->engine))
        ks_waiting_wake_all(&reader->takers, KAFKA_OK);
    else
        ks_waiting_wake_one(&reader->takers);
}

/* That a broker did not answer in time is not the end of the caller's context. */
static kafka_error not_the_context(kafka_error error) {
    return error == KAFKA_ERR_DEADLINE_EXCEEDED ? KAFKA_ERR_REQUEST_TIMED_OUT : error;
}

static void engine_failed(void *owner, kafka_error error, const char *step) {
    kafka_reader *reader = owner;
    ks_waiting *taker = ks_waiting_asleep(&reader->takers);
    if (taker == NULL) return; /* as in kafka-go: nobody hears it */
    error = not_the_context(error);
    ks_process_fail(ks_reader_process(reader), error,
                    "kafka_reader_fetch: group %s: %s answered %s %d times in a row: %s", reader->settings.group_id,
                    step, kafka_error_name(error), (int)reader->settings.max_attempts, kafka_error_text(error));
    ks_wait_wake(&taker->wait, error);
}

static void engine_changed(void *owner) {
    kafka_reader *reader = owner;
    for (ks_waiting *taker = reader->takers.first; taker != NULL; taker = taker->next) describe_wait(reader, taker);
}

static void engine_has_room(void *owner) { ks_waiting_wake_one(&((kafka_reader *)owner)->committers); }
static void engine_closed(void *owner) { ks_waiting_wake_all(&((kafka_reader *)owner)->closers, KAFKA_OK); }

static const ks_reader_events engine_events = { .ready = engine_ready,
                                                .failed = engine_failed,
                                                .changed = engine_changed,
                                                .room = engine_has_room,
                                                .closed = engine_closed };

/* ---- making ---- */

static kafka_error make(kafka_address *address, const kafka_reader_config *config, ks_arena *arena,
                        kafka_reader **out) {
    kafka_reader *reader = ks_alloc(sizeof *reader);
    reader->address = address;
    reader->arena = arena;
    reader->group = ks_reader_config_has_group(config);
    ks_waiting_init(&reader->takers);
    ks_waiting_init(&reader->committers);
    ks_waiting_init(&reader->askers);
    ks_waiting_init(&reader->closers);
    reader->settings = ks_reader_config_copy(config, arena);
    reader->engine_config = ks_reader_config_engine(&reader->settings, arena);
    reader->engine = ks_reader_new(&reader->engine_config, &engine_events, reader);
    reader->watch = (ks_process_watch){ .crashed = crashed, .owner = reader };
    ks_process_watch_start(address->process, &reader->watch);
    ks_handle_open(&reader->handle, address, "kafka_reader", "kafka_reader_close and kafka_reader_free", drop, reader);
    ks_reader_watch_lag(reader);
    *out = reader;
    return KAFKA_OK;
}

kafka_error kafka_reader_new(const kafka_reader_config *config, kafka_reader **out) {
    if (config == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_address *address = config->address;
    if (address == NULL) return KAFKA_ERR_INVALID_CONFIG_VALUE;
    kafka_error error = ks_address_check(address, "kafka_reader_new");
    if (error) return error;
    if (out == NULL) return ks_process_fail(address->process, KAFKA_ERR_INVALID_ARGUMENT, "kafka_reader_new: reader is NULL");
    ks_arena *arena = ks_arena_new();
    const char *problem = ks_reader_config_check(config, arena);
    if (problem != NULL)
        error = ks_process_fail(address->process, KAFKA_ERR_INVALID_CONFIG_VALUE, "kafka_reader_new: %s", problem);
    else if (ks_process_is_down(address->process))
        error = ks_address_fail(address, KAFKA_ERR_NODE_CRASHED, "kafka_reader_new: client process %s is down",
                                address->name);
    if (error == KAFKA_OK) return make(address, config, arena, out);
    ks_arena_free(arena);
    return error;
}

/* ---- from a record to a message ---- */

static kafka_bytes bytes_of(ks_bytes bytes) {
    return bytes.size < 0 ? (kafka_bytes){ NULL, 0 } : (kafka_bytes){ bytes.data, (size_t)bytes.size };
}

static void fill_headers(const ks_record *record, kafka_header *headers) {
    ks_bytes encoded = record->headers, value;
    ks_string key;
    for (int32_t i = 0; i < record->header_count && ks_record_header_next(&encoded, &key, &value); i++)
        headers[i] = (kafka_header){ { key.data, (size_t)key.size }, bytes_of(value) };
}

static void fill_message(const ks_fetched *fetched, kafka_message *message) {
    const ks_record *record = &fetched->record;
    const ks_read_partition *partition = ks_fetched_partition(fetched);
    message->topic = ks_block_keep_name(fetched->block, partition->topic);
    message->partition = partition->partition;
    message->offset = record->offset;
    message->high_watermark = fetched->high_watermark;
    message->key = bytes_of(record->key);
    message->value = bytes_of(record->value);
    message->time = record->timestamp_ms > 0 ? record->timestamp_ms * KAFKA_MILLISECOND : 0;
    message->writer_data = NULL;
    if (record->header_count > 0)
        fill_headers(record, ks_message_hold_headers(message, fetched->block, (size_t)record->header_count));
    else
        ks_message_hold(message, fetched->block);
}

/* Takes the peeked entry: a message, or what a fetcher has to say. */
static kafka_error take(kafka_reader *reader, const ks_fetched *fetched, kafka_message *message) {
    kafka_error error = not_the_context(fetched->error);
    if (error == KAFKA_OK) {
        fill_message(fetched, message);
    } else {
        const ks_read_partition *partition = ks_fetched_partition(fetched);
        ks_process_fail(ks_reader_process(reader), error, "kafka_reader_fetch: topic %s, partition %d: %s",
                        partition->topic.data, (int)partition->partition, kafka_error_text(error));
    }
    ks_reader_taken(reader->engine);
    ks_runtime_fruitful(reader->address->runtime);
    if (reader->takers.first != NULL && ks_reader_peek(reader->engine) != NULL) ks_waiting_wake_one(&reader->takers);
    return error;
}

/* ---- fetch ---- */

static kafka_error end_of_wait(kafka_reader *reader, kafka_error error, const char *call) {
    if (reader->freed) return KAFKA_ERR_CLOSED;
    if (reader->dead && error == KAFKA_OK) error = KAFKA_ERR_NODE_CRASHED;
    char text[200];
    ks_reader_describe(reader->engine, text, sizeof text);
    return error ? ks_address_fail(reader->address, error, "%s: %s", call, text) : KAFKA_OK;
}

/* One turn: takes what is there, or waits once. True: `*error` is the answer. */
static bool fetch_turn(kafka_reader *reader, kafka_context *ctx, kafka_message *message, kafka_error *error) {
    ks_waiting taker;
    *error = ks_wait_begin(&taker.wait, reader->address->runtime, ks_process_node(ks_reader_process(reader)), ctx,
                           "kafka_reader_fetch");
    if (*error == KAFKA_OK && reader->dead) {
        ks_wait_abandon(&taker.wait);
        *error = KAFKA_ERR_NODE_CRASHED;
    }
    if (*error != KAFKA_OK) return true;
    const ks_fetched *fetched = ks_reader_peek(reader->engine);
    if (fetched != NULL || ks_reader_is_at_end(reader->engine)) {
        ks_wait_abandon(&taker.wait);
        *error = fetched ? take(reader, fetched, message) : KAFKA_ERR_EOF;
        return true;
    }
    describe_wait(reader, &taker);
    ks_waiting_add(&reader->takers, &taker);
    *error = ks_wait_park(&taker.wait);
    ks_waiting_remove(&reader->takers, &taker);
    if (*error != KAFKA_OK && !reader->dead && !reader->freed && ks_reader_peek(reader->engine) != NULL)
        ks_waiting_wake_one(&reader->takers); /* what woke this call is for another one */
    return *error != KAFKA_OK || reader->freed;
}

static bool is_own(kafka_error error) { /* ends of waits; what a fetcher or the group said has its words already */
    return error == KAFKA_ERR_CANCELED || error == KAFKA_ERR_DEADLINE_EXCEEDED || error == KAFKA_ERR_NODE_CRASHED ||
           error == KAFKA_ERR_GENERATION_ENDED || error == KAFKA_ERR_WRONG_PLACE || error == KAFKA_ERR_RUN_ENDED;
}

static kafka_error fetch_slowly(kafka_reader *reader, kafka_context *ctx, kafka_message *message) {
    kafka_error error;
    ks_reader_enter(reader);
    while (!fetch_turn(reader, ctx, message, &error)) continue;
    if (reader->freed)
        error = KAFKA_ERR_CLOSED;
    else if (is_own(error))
        error = end_of_wait(reader, error, "kafka_reader_fetch");
    else if (error == KAFKA_ERR_EOF) {
        ks_runtime_fruitless(reader->address->runtime, "kafka_reader_fetch");
        ks_reader_fail(reader, error, "kafka_reader_fetch", "the reader is closed and all it had queued was delivered");
    }
    return ks_reader_leave(reader, error);
}

static kafka_error next_message(kafka_reader *reader, kafka_context *ctx, kafka_message *message) {
    if (ctx->error == KAFKA_OK && !reader->dead && !ks_runtime_in_callback(reader->address->runtime)) {
        const ks_fetched *fetched = ks_reader_peek(reader->engine);
        if (fetched != NULL) return take(reader, fetched, message);
    }
    return fetch_slowly(reader, ctx, message);
}

kafka_error kafka_reader_fetch(kafka_reader *reader, kafka_context *ctx, kafka_message *message) {
    if (reader == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    if (!ks_runtime_right_thread(reader->address->runtime)) return KAFKA_ERR_WRONG_THREAD;
    if (ctx == NULL || message == NULL)
        return ks_reader_fail(reader, KAFKA_ERR_INVALID_ARGUMENT, "kafka_reader_fetch",
                              ctx ? "message is NULL" : "ctx is NULL");
    kafka_error error = ks_address_check_context(reader->address, ctx, "kafka_reader_fetch");
    return error ? error : next_message(reader, ctx, message);
}

kafka_error kafka_reader_read(kafka_reader *reader, kafka_context *ctx, kafka_message *message) {
    kafka_message taken;
    kafka_error error = message ? kafka_reader_fetch(reader, ctx, &taken) : kafka_reader_fetch(reader, ctx, NULL);
    if (error) return error;
    if (reader->group) error = ks_reader_commit(reader, ctx, &taken, 1);
    if (error)
        kafka_message_release(&taken); /* it is read again only after a rebalance or restart */
    else
        *message = taken;
    return error;
}

/* ---- closing ---- */

static kafka_error close_and_wait(kafka_reader *reader, ks_waiting *closer) {
    ks_waiting_add(&reader->closers, closer);
    ks_reader_tell_delivered(reader->engine);
    ks_reader_unwatch_lag(reader);
    ks_reader_close(reader->engine);
    ks_waiting_wake_all(&reader->committers, KAFKA_OK); /* they get CLOSED */
    kafka_error error = ks_wait_park(&closer->wait);
    ks_waiting_remove(&reader->closers, closer);
    return error;
}

kafka_error kafka_reader_close(kafka_reader *reader) {
    if (reader == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    if (!ks_runtime_right_thread(reader->address->runtime)) return KAFKA_ERR_WRONG_THREAD;
    if (reader->dead) return ks_reader_closed_or_dead(reader, "kafka_reader_close");
    if (ks_reader_is_closed(reader->engine)) return KAFKA_OK;
    ks_waiting closer;
    kafka_error error = ks_wait_begin(
        &closer.wait, reader->address->runtime, ks_process_node(ks_reader_process(reader)), NULL,
        "kafka_reader_close: topic %.60s, group %.60s", reader->settings.topic ? reader->settings.topic : "(several)",
        reader->group ? reader->settings.group_id : "(none)");
    ks_reader_enter(reader);
    if (error == KAFKA_OK) error = close_and_wait(reader, &closer);
    if (error != KAFKA_OK && !reader->freed) ks_address_fail(reader->address, error, "kafka_reader_close");
    return ks_reader_leave(reader, error);
}

void kafka_reader_free(kafka_reader *reader) {
    if (reader == NULL || !ks_runtime_right_thread(reader->address->runtime)) return;
    if (!reader->dead && reader->group && !ks_reader_is_closed(reader->engine))
        ks_process_fail(ks_reader_process(reader), KAFKA_ERR_CLOSED,
                        "kafka_reader_free: the reader of group %s was not closed: its member "
                        "stays in the group until its session times out. Call kafka_reader_close() first",
                        reader->settings.group_id);
    if (!reader->dead && reader->group && !ks_reader_is_closing(reader->engine)) { /* it wants to be in the group no more, whatever the coordinator believes */
        ks_node *node = ks_process_node(ks_reader_process(reader));
        KS_EMIT(ks_node_kernel(node), node, client_group_leaving, .client = ks_str(ks_node_name(node)),
                .group = ks_str(reader->settings.group_id));
    }
    ks_handle_close(&reader->handle);
    reader->freed = true;
    ks_waiting_wake_all(&reader->takers, KAFKA_ERR_CLOSED);
    ks_waiting_wake_all(&reader->committers, KAFKA_ERR_CLOSED);
    ks_waiting_wake_all(&reader->askers, KAFKA_ERR_CLOSED);
    ks_waiting_wake_all(&reader->closers, KAFKA_ERR_CLOSED);
    ks_commits_fail(ks_reader_commits(reader->engine), KAFKA_ERR_CLOSED);
    if (reader->inside == 0) destroy(reader);
}
