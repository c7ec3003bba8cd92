/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_reader: the blocking face of the reader's engine (kafka-go, reader.go). Where kafka-go picks at random among what is
 * ready, the order is fixed here: the context first, then queued messages, then the end. A commit after close is always CLOSED.
 *
 * Lifetime: a call that is blocked while another task frees the reader keeps its memory; whoever leaves last frees it. A crash
 * of the process makes the reader dead for ever, also after a restart.
 */
#include <kafkasim/reader.h>

#include <stdio.h>

#include "sim/api/message.h"
#include "sim/api/reader_config.h"
#include "sim/client/conn_offsets.h"
#include "sim/task/context.h"

typedef struct waiting { /* a blocked call */
    ks_wait wait;
    struct waiting *next, **link;
} waiting;

typedef struct waiting_list { waiting *first, **end; } waiting_list;

struct kafka_reader {
    ks_handle handle;
    kafka_address *address;
    ks_process_watch watch;
    ks_arena *arena;
    kafka_reader_config settings;
    ks_reader_config engine_config;
    ks_reader *engine;
    bool group, dead, freed;
    int32_t inside; /* calls that have not returned */
    waiting_list takers, committers, askers, closers;
    ks_offsets_ask lag_ask;
    ks_timer lag_timer;
};

/* ---- waiting ---- */

static void list_init(waiting_list *list) { *list = (waiting_list){ .end = &list->first }; }

static void list_add(waiting_list *list, waiting *one) {
    one->next = NULL;
    one->link = list->end;
    *list->end = one;
    list->end = &one->next;
}

static void list_remove(waiting_list *list, waiting *one) {
    *one->link = one->next;
    if (one->next != NULL) one->next->link = one->link;
    else list->end = one->link;
}

static waiting *first_asleep(const waiting_list *list) {
    waiting *one = list->first;
    while (one != NULL && one->wait.done) one = one->next; /* those that were woken at this instant */
    return one;
}

static void wake_one(const waiting_list *list) {
    waiting *one = first_asleep(list);
    if (one != NULL) ks_wait_wake(&one->wait, KAFKA_OK);
}

static void wake_all(const waiting_list *list, kafka_error error) {
    for (waiting *one = list->first; one != NULL; one = one->next)
        if (!one->wait.done) ks_wait_wake(&one->wait, error);
}

static ks_process *process_of(const kafka_reader *reader) { return reader->address->process; }

static kafka_error fail(const kafka_reader *reader, kafka_error error, const char *call, const char *why) {
    return ks_process_fail(process_of(reader), error, "%s: %s", call, why);
}

/* ---- life ---- */

static void destroy(kafka_reader *reader) {
    ks_process_watch_stop(&reader->watch);
    ks_handle_close(&reader->handle);
    ks_timer_stop(&reader->lag_timer);
    ks_offsets_ask_stop(&reader->lag_ask);
    ks_reader_free(reader->engine);
    ks_arena_free(reader->arena);
    ks_free(reader);
}

static void drop(void *object) { destroy(object); }
static void enter(kafka_reader *reader) { reader->inside++; }

/* The engine may be told to go while the caller was away: then the call ends with CLOSED. */
static kafka_error leave(kafka_reader *reader, kafka_error error) {
    if (--reader->inside == 0 && reader->freed) destroy(reader);
    return error;
}

static void crashed(void *owner) {
    kafka_reader *reader = owner;
    reader->dead = true;
    ks_timer_stop(&reader->lag_timer);
    ks_offsets_ask_stop(&reader->lag_ask);
    ks_reader_crashed(reader->engine);
}

/* ---- what the engine says ---- */

static void describe_wait(const kafka_reader *reader, waiting *taker) {
    static const char call[] = "kafka_reader_fetch: ";
    memcpy(taker->wait.what, call, sizeof call);
    ks_reader_describe(reader->engine, taker->wait.what + sizeof call - 1, sizeof taker->wait.what - sizeof call);
}

static void engine_ready(void *owner) {
    kafka_reader *reader = owner;
    if (ks_reader_is_at_end(reader->engine)) wake_all(&reader->takers, KAFKA_OK);
    else wake_one(&reader->takers);
}

static void engine_failed(void *owner, kafka_error error, const char *step) {
    kafka_reader *reader = owner;
    waiting *taker = first_asleep(&reader->takers);
    if (taker == NULL) return; /* as in kafka-go: nobody hears it */
    ks_process_fail(process_of(reader), error, "kafka_reader_fetch: group %s: %s answered %s %d times in a row: %s",
                    reader->settings.group_id, step, kafka_error_name(error), (int)reader->settings.max_attempts,
                    kafka_error_text(error));
    ks_wait_wake(&taker->wait, error);
}

static void engine_changed(void *owner) {
    kafka_reader *reader = owner;
    for (waiting *taker = reader->takers.first; taker != NULL; taker = taker->next) describe_wait(reader, taker);
}

static void engine_has_room(void *owner) { wake_one(&((kafka_reader *)owner)->committers); }
static void engine_closed(void *owner) { wake_all(&((kafka_reader *)owner)->closers, KAFKA_OK); }

static const ks_reader_events engine_events = { .ready = engine_ready, .failed = engine_failed, .changed = engine_changed,
                                                .room = engine_has_room, .closed = engine_closed };

/* ---- the lag in the background ---- */

static void ask_offsets(ks_offsets_ask *ask, const kafka_reader *reader) {
    ask->dial = (ks_leader_dial){ .process = process_of(reader), .seeds = &reader->engine_config.fetchers.seeds,
                                  .topic = ks_str(reader->settings.topic), .partition = reader->settings.partition,
                                  .dial_timeout_ns = reader->settings.dial_timeout };
    ks_offsets_ask_start(ask);
}

static int64_t lag_from(const kafka_reader *reader, int64_t first, int64_t last) {
    int64_t offset = ks_reader_offset(reader->engine);
    if (offset == KAFKA_FIRST_OFFSET) return last - first;
    return offset == KAFKA_LAST_OFFSET ? 0 : last - offset;
}

static void lag_answered(void *owner, kafka_error error) {
    kafka_reader *reader = owner;
    if (error == KAFKA_OK) ks_reader_set_lag(reader->engine, lag_from(reader, reader->lag_ask.offsets[0], reader->lag_ask.offsets[1]));
    ks_timer_start_background(ks_process_kernel(process_of(reader)), &reader->lag_timer, reader->settings.read_lag_interval);
}

static void time_for_lag(ks_timer *timer) {
    kafka_reader *reader = timer->owner;
    reader->lag_ask = (ks_offsets_ask){ .timestamps = { KAFKA_FIRST_OFFSET, KAFKA_LAST_OFFSET }, .count = 2,
                                        .done = lag_answered, .owner = reader };
    ask_offsets(&reader->lag_ask, reader);
}

/* ---- making ---- */

static kafka_error make(kafka_address *address, const kafka_reader_config *config, ks_arena *arena, kafka_reader **out) {
    kafka_reader *reader = ks_alloc(sizeof *reader);
    reader->address = address;
    reader->arena = arena;
    reader->group = ks_reader_config_has_group(config);
    list_init(&reader->takers);
    list_init(&reader->committers);
    list_init(&reader->askers);
    list_init(&reader->closers);
    reader->settings = ks_reader_config_copy(config, arena);
    reader->engine_config = ks_reader_config_engine(&reader->settings, arena);
    reader->engine = ks_reader_new(&reader->engine_config, &engine_events, reader);
    reader->watch = (ks_process_watch){ .crashed = crashed, .owner = reader };
    ks_process_watch_start(address->process, &reader->watch);
    ks_handle_open(&reader->handle, address, "kafka_reader", "kafka_reader_close and kafka_reader_free", drop, reader);
    ks_timer_init(&reader->lag_timer, ks_process_node(address->process), time_for_lag, reader);
    if (!reader->group && config->read_lag_interval > 0)
        ks_timer_start_background(ks_process_kernel(address->process), &reader->lag_timer, config->read_lag_interval);
    *out = reader;
    return KAFKA_OK;
}

kafka_error kafka_reader_new(const kafka_reader_config *config, kafka_reader **out) {
    if (config == NULL || out == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_address *address = config->address;
    if (address == NULL) return KAFKA_ERR_INVALID_CONFIG_VALUE;
    kafka_error error = ks_address_check(address, "kafka_reader_new");
    if (error) return error;
    ks_arena *arena = ks_arena_new();
    const char *problem = ks_reader_config_check(config, arena);
    if (problem != NULL) error = ks_process_fail(address->process, KAFKA_ERR_INVALID_CONFIG_VALUE, "kafka_reader_new: %s", problem);
    else if (ks_process_is_down(address->process))
        error = ks_address_fail(address, KAFKA_ERR_NODE_CRASHED, "kafka_reader_new: client process %s is down", address->name);
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
    message->topic = partition->topic.data;
    message->partition = partition->partition;
    message->offset = record->offset;
    message->high_watermark = fetched->high_watermark;
    message->key = bytes_of(record->key);
    message->value = bytes_of(record->value);
    message->time = record->timestamp_ms > 0 ? record->timestamp_ms * KAFKA_MILLISECOND : 0;
    message->writer_data = NULL;
    if (record->header_count > 0) fill_headers(record, ks_message_hold_headers(message, fetched->block, (size_t)record->header_count));
    else ks_message_hold(message, fetched->block);
}

/* Takes the peeked entry: a message, or what a fetcher has to say. */
static kafka_error take(kafka_reader *reader, const ks_fetched *fetched, kafka_message *message) {
    kafka_error error = fetched->error;
    if (error == KAFKA_OK) {
        fill_message(fetched, message);
    } else {
        const ks_read_partition *partition = ks_fetched_partition(fetched);
        ks_process_fail(process_of(reader), error, "kafka_reader_fetch: topic %s, partition %d: %s", partition->topic.data,
                        (int)partition->partition, kafka_error_text(error));
    }
    ks_reader_taken(reader->engine);
    ks_runtime_fruitful(reader->address->runtime);
    if (reader->takers.first != NULL && ks_reader_peek(reader->engine) != NULL) wake_one(&reader->takers);
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
    waiting taker;
    *error = ks_wait_begin(&taker.wait, reader->address->runtime, ks_process_node(process_of(reader)), ctx, "kafka_reader_fetch");
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
    list_add(&reader->takers, &taker);
    *error = ks_wait_park(&taker.wait);
    list_remove(&reader->takers, &taker);
    if (*error != KAFKA_OK && !reader->dead && !reader->freed && ks_reader_peek(reader->engine) != NULL)
        wake_one(&reader->takers); /* what woke this call is for another one */
    return *error != KAFKA_OK || reader->freed;
}

static bool is_own(kafka_error error) { /* ends of waits; what a fetcher or the group said has its words already */
    return error == KAFKA_ERR_CANCELED || error == KAFKA_ERR_DEADLINE_EXCEEDED || error == KAFKA_ERR_NODE_CRASHED ||
           error == KAFKA_ERR_GENERATION_ENDED || error == KAFKA_ERR_WRONG_PLACE || error == KAFKA_ERR_RUN_ENDED;
}

static kafka_error fetch_slowly(kafka_reader *reader, kafka_context *ctx, kafka_message *message) {
    kafka_error error;
    enter(reader);
    while (!fetch_turn(reader, ctx, message, &error)) continue;
    if (reader->freed) error = KAFKA_ERR_CLOSED;
    else if (is_own(error)) error = end_of_wait(reader, error, "kafka_reader_fetch");
    else if (error == KAFKA_ERR_EOF) {
        ks_runtime_fruitless(reader->address->runtime, "kafka_reader_fetch");
        fail(reader, error, "kafka_reader_fetch", "the reader is closed and all it had queued was delivered");
    }
    return leave(reader, error);
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
        return fail(reader, KAFKA_ERR_INVALID_ARGUMENT, "kafka_reader_fetch", ctx ? "message is NULL" : "ctx is NULL");
    return next_message(reader, ctx, message);
}

/* ---- commit ---- */

typedef struct committing { /* a call that waits for the result of its request */
    ks_wait wait;
    ks_commit_request *request;
    bool done;
} committing;

static void committed(void *owner, kafka_error error) {
    committing *call = owner;
    call->done = true;
    ks_wait_wake(&call->wait, error);
}

static kafka_error begin_commit(kafka_reader *reader, kafka_context *ctx, ks_wait *wait) {
    return ks_wait_begin(wait, reader->address->runtime, ks_process_node(process_of(reader)), ctx,
                         "kafka_reader_commit: group %s", reader->settings.group_id);
}

static kafka_error closed_or_dead(kafka_reader *reader, const char *call) {
    if (reader->freed) return KAFKA_ERR_CLOSED;
    if (reader->dead)
        return ks_process_fail(process_of(reader), KAFKA_ERR_NODE_CRASHED, "%s: client process %s crashed; this reader died with "
                               "it. Make a new one after a restart", call, reader->address->name);
    if (ks_reader_is_closing(reader->engine)) return fail(reader, KAFKA_ERR_CLOSED, call, "the reader was closed");
    return KAFKA_OK;
}

static kafka_error wait_for_room(kafka_reader *reader, kafka_context *ctx) {
    ks_commits *commits = ks_reader_commits(reader->engine);
    kafka_error error = KAFKA_OK;
    while (error == KAFKA_OK && ks_commits_is_full(commits)) {
        waiting committer;
        error = begin_commit(reader, ctx, &committer.wait);
        if (error) break;
        list_add(&reader->committers, &committer);
        error = ks_wait_park(&committer.wait);
        list_remove(&reader->committers, &committer);
        if (error == KAFKA_OK) error = closed_or_dead(reader, "kafka_reader_commit");
        if (reader->freed) return KAFKA_ERR_CLOSED;
    }
    return error;
}

static kafka_error queue_and_wait(kafka_reader *reader, kafka_context *ctx, ks_commit_request *request) {
    committing call = { .request = request };
    kafka_error error = begin_commit(reader, ctx, &call.wait);
    if (error) {
        ks_commit_request_drop(request);
        return error;
    }
    request->done = committed;
    request->owner = &call;
    ks_commits_queue(ks_reader_commits(reader->engine), request);
    error = ks_wait_park(&call.wait);
    if (!call.done) request->done = NULL; /* it may still happen, but nobody waits */
    return error;
}

static kafka_error commit_request(kafka_reader *reader, kafka_context *ctx, const kafka_message *messages, size_t count) {
    kafka_error error = wait_for_room(reader, ctx);
    if (error) return error;
    ks_commits *commits = ks_reader_commits(reader->engine);
    ks_commit_request *request = ks_commits_request(commits);
    for (size_t i = 0; i < count; i++)
        ks_commit_request_add(request, ks_reader_partition(reader->engine, messages[i].topic, messages[i].partition),
                              messages[i].offset + 1);
    if (reader->settings.commit_interval == 0) return queue_and_wait(reader, ctx, request);
    ks_commits_queue(commits, request);
    return KAFKA_OK;
}

static kafka_error commit_slowly(kafka_reader *reader, kafka_context *ctx, const kafka_message *messages, size_t count) {
    enter(reader);
    ks_reader_tell_delivered(reader->engine); /* the trace tells first what is committed now */
    kafka_error error = commit_request(reader, ctx, messages, count);
    if (reader->freed) error = KAFKA_ERR_CLOSED;
    else if (error != KAFKA_OK)
        ks_address_fail(reader->address, error, "kafka_reader_commit: group %s", reader->settings.group_id);
    return leave(reader, error);
}

static kafka_error check_messages(const kafka_reader *reader, const kafka_message *messages, size_t count) {
    if (messages == NULL && count > 0) return fail(reader, KAFKA_ERR_INVALID_ARGUMENT, "kafka_reader_commit", "messages is NULL");
    for (size_t i = 0; i < count; i++)
        if (messages[i].topic == NULL || messages[i].partition < 0 || messages[i].offset < 0)
            return fail(reader, KAFKA_ERR_INVALID_ARGUMENT, "kafka_reader_commit",
                        "a message has no topic, or a negative partition or offset; commit messages that were read");
    return KAFKA_OK;
}

static kafka_error commit(kafka_reader *reader, kafka_context *ctx, const kafka_message *messages, size_t count) {
    kafka_error error = closed_or_dead(reader, "kafka_reader_commit");
    if (error) return error;
    size_t merged = 0;
    if (ctx->error == KAFKA_OK && reader->settings.commit_interval > 0) {
        ks_commits *commits = ks_reader_commits(reader->engine);
        while (merged < count && ks_commits_merge(commits, ks_reader_partition(reader->engine, messages[merged].topic,
                                                                                messages[merged].partition), messages[merged].offset + 1))
            merged++;
        if (merged == count) return KAFKA_OK;
    }
    return commit_slowly(reader, ctx, messages + merged, count - merged);
}

kafka_error kafka_reader_commit(kafka_reader *reader, kafka_context *ctx, const kafka_message *messages, size_t count) {
    if (reader == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    if (!ks_runtime_right_thread(reader->address->runtime)) return KAFKA_ERR_WRONG_THREAD;
    if (ctx == NULL) return fail(reader, KAFKA_ERR_INVALID_ARGUMENT, "kafka_reader_commit", "ctx is NULL");
    if (!reader->group)
        return fail(reader, KAFKA_ERR_NEEDS_GROUP, "kafka_reader_commit", "only a reader with a group_id can commit; set group_id");
    kafka_error error = check_messages(reader, messages, count);
    return error ? error : commit(reader, ctx, messages, count);
}

kafka_error kafka_reader_read(kafka_reader *reader, kafka_context *ctx, kafka_message *message) {
    kafka_message taken;
    kafka_error error = message ? kafka_reader_fetch(reader, ctx, &taken) : kafka_reader_fetch(reader, ctx, NULL);
    if (error) return error;
    if (reader->group) error = commit(reader, ctx, &taken, 1);
    if (error) kafka_message_release(&taken); /* it is read again only after a rebalance or restart */
    else *message = taken;
    return error;
}

/* ---- offsets ---- */

static kafka_error check_offset_call(kafka_reader *reader, const char *call) {
    if (!ks_runtime_right_thread(reader->address->runtime)) return KAFKA_ERR_WRONG_THREAD;
    if (reader->group) return fail(reader, KAFKA_ERR_NOT_WITH_GROUP, call, "a reader with a group_id cannot do this; the group decides the offsets");
    return closed_or_dead(reader, call);
}

kafka_error kafka_reader_set_offset(kafka_reader *reader, int64_t offset) {
    if (reader == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_error error = check_offset_call(reader, "kafka_reader_set_offset");
    if (error) return error;
    if (offset < KAFKA_FIRST_OFFSET)
        return fail(reader, KAFKA_ERR_INVALID_ARGUMENT, "kafka_reader_set_offset",
                    "offset is below -2; allowed are KAFKA_FIRST_OFFSET, KAFKA_LAST_OFFSET and 0 and up");
    ks_reader_tell_delivered(reader->engine);
    ks_reader_set_offset(reader->engine, offset);
    return KAFKA_OK;
}

typedef struct asking { /* a call that waits for offsets */
    waiting waiting;
    ks_offsets_ask ask;
} asking;

static void offsets_answered(void *owner, kafka_error error) { ks_wait_wake(&((asking *)owner)->waiting.wait, error); }

static kafka_error ask_and_wait(kafka_reader *reader, kafka_context *ctx, const char *call, asking *one) {
    if (ctx == NULL) return fail(reader, KAFKA_ERR_INVALID_ARGUMENT, call, "ctx is NULL");
    kafka_error error = ks_wait_begin(&one->waiting.wait, reader->address->runtime, ks_process_node(process_of(reader)), ctx,
                                      "%s: the leader of topic %.80s, partition %d", call, reader->settings.topic,
                                      (int)reader->settings.partition);
    if (error == KAFKA_OK) {
        enter(reader);
        one->ask.done = offsets_answered;
        one->ask.owner = one;
        ask_offsets(&one->ask, reader);
        list_add(&reader->askers, &one->waiting);
        error = ks_wait_park(&one->waiting.wait);
        list_remove(&reader->askers, &one->waiting);
        ks_offsets_ask_stop(&one->ask);
        bool freed = reader->freed;
        leave(reader, error);
        if (freed) return KAFKA_ERR_CLOSED;
    }
    return error ? ks_address_fail(reader->address, error, "%s: topic %s, partition %d", call, reader->settings.topic,
                                   (int)reader->settings.partition) : KAFKA_OK;
}

kafka_error kafka_reader_set_offset_at(kafka_reader *reader, kafka_context *ctx, kafka_time time) {
    if (reader == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_error error = check_offset_call(reader, "kafka_reader_set_offset_at");
    if (error) return error;
    if (time < 0) return fail(reader, KAFKA_ERR_INVALID_ARGUMENT, "kafka_reader_set_offset_at", "time lies before 1970");
    asking one = { .ask = { .timestamps = { time / KAFKA_MILLISECOND }, .count = 1 } };
    error = ask_and_wait(reader, ctx, "kafka_reader_set_offset_at", &one);
    if (error) return error;
    return kafka_reader_set_offset(reader, one.ask.offsets[0]); /* -1, none that young: the end */
}

kafka_error kafka_reader_read_lag(kafka_reader *reader, kafka_context *ctx, int64_t *lag) {
    if (reader == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_error error = check_offset_call(reader, "kafka_reader_read_lag");
    if (error) return error;
    if (lag == NULL) return fail(reader, KAFKA_ERR_INVALID_ARGUMENT, "kafka_reader_read_lag", "lag is NULL");
    asking one = { .ask = { .timestamps = { KAFKA_FIRST_OFFSET, KAFKA_LAST_OFFSET }, .count = 2 } };
    error = ask_and_wait(reader, ctx, "kafka_reader_read_lag", &one);
    if (error) return error;
    *lag = lag_from(reader, one.ask.offsets[0], one.ask.offsets[1]);
    return KAFKA_OK;
}

int64_t kafka_reader_offset(const kafka_reader *reader) {
    if (reader == NULL || !ks_runtime_right_thread(reader->address->runtime)) return -1;
    ks_runtime_fruitless(reader->address->runtime, "kafka_reader_offset");
    return ks_reader_offset(reader->engine);
}

int64_t kafka_reader_lag(const kafka_reader *reader) {
    if (reader == NULL || !ks_runtime_right_thread(reader->address->runtime)) return -1;
    ks_runtime_fruitless(reader->address->runtime, "kafka_reader_lag");
    return ks_reader_lag(reader->engine);
}

const kafka_reader_config *kafka_reader_settings(const kafka_reader *reader) { return reader ? &reader->settings : NULL; }

/* ---- closing ---- */

static kafka_error close_and_wait(kafka_reader *reader, waiting *closer) {
    list_add(&reader->closers, closer);
    ks_reader_tell_delivered(reader->engine);
    ks_timer_stop(&reader->lag_timer);
    ks_offsets_ask_stop(&reader->lag_ask);
    ks_reader_close(reader->engine);
    wake_all(&reader->committers, KAFKA_OK); /* they get CLOSED */
    kafka_error error = ks_wait_park(&closer->wait);
    list_remove(&reader->closers, closer);
    return error;
}

kafka_error kafka_reader_close(kafka_reader *reader) {
    if (reader == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    if (!ks_runtime_right_thread(reader->address->runtime)) return KAFKA_ERR_WRONG_THREAD;
    if (reader->dead) return closed_or_dead(reader, "kafka_reader_close");
    if (ks_reader_is_closed(reader->engine)) return KAFKA_OK;
    waiting closer;
    kafka_error error = ks_wait_begin(&closer.wait, reader->address->runtime, ks_process_node(process_of(reader)), NULL,
                                      "kafka_reader_close: topic %.60s, group %.60s",
                                      reader->settings.topic ? reader->settings.topic : "(several)",
                                      reader->group ? reader->settings.group_id : "(none)");
    enter(reader);
    if (error == KAFKA_OK) error = close_and_wait(reader, &closer);
    if (error != KAFKA_OK && !reader->freed) ks_address_fail(reader->address, error, "kafka_reader_close");
    return leave(reader, error);
}

void kafka_reader_free(kafka_reader *reader) {
    if (reader == NULL || !ks_runtime_right_thread(reader->address->runtime)) return;
    if (!reader->dead && reader->group && !ks_reader_is_closed(reader->engine))
        ks_process_fail(process_of(reader), KAFKA_ERR_CLOSED, "kafka_reader_free: the reader of group %s was not closed: its member "
                        "stays in the group until its session times out. Call kafka_reader_close() first", reader->settings.group_id);
    ks_handle_close(&reader->handle);
    reader->freed = true;
    wake_all(&reader->takers, KAFKA_ERR_CLOSED);
    wake_all(&reader->committers, KAFKA_ERR_CLOSED);
    wake_all(&reader->askers, KAFKA_ERR_CLOSED);
    wake_all(&reader->closers, KAFKA_ERR_CLOSED);
    ks_commits_fail(ks_reader_commits(reader->engine), KAFKA_ERR_CLOSED);
    if (reader->inside == 0) destroy(reader);
}
