/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_consumer_poll: steps the engine, runs callbacks on this stack, and parks while there is nothing to do. */
#include "sim/api/consumer_internal.h"
#include "sim/api/message.h"
#include "sim/task/runtime.h"

/* ---- callbacks ---- */

static kafka_topic_partition *flatten(kafka_consumer *consumer, const ks_topic_partitions *topics, int32_t count, size_t *total) {
    *total = 0;
    for (int32_t t = 0; t < count; t++) *total += (size_t)topics[t].partition_count;
    ks_arena_reset(consumer->callback_arena);
    kafka_topic_partition *list = ks_arena_alloc(consumer->callback_arena, (*total + 1) * sizeof *list), *next = list;
    for (int32_t t = 0; t < count; t++) {
        const char *name = ks_arena_string(consumer->callback_arena, topics[t].topic).data;
        for (int32_t i = 0; i < topics[t].partition_count; i++) *next++ = (kafka_topic_partition){ name, topics[t].partitions[i] };
    }
    return list;
}

void ks_consumer_run_callback(kafka_consumer *consumer) {
    const ks_topic_partitions *topics;
    int32_t topic_count;
    size_t count;
    kafka_rebalance_function *run = NULL;
    switch (ks_consumer_callback(consumer->engine, &topics, &topic_count)) {
    case KS_PARTITIONS_ASSIGNED: run = consumer->listener.assigned; break;
    case KS_PARTITIONS_REVOKED: run = consumer->listener.revoked; break;
    case KS_PARTITIONS_LOST: run = consumer->listener.lost ? consumer->listener.lost : consumer->listener.revoked; break;
    }
    kafka_error error = KAFKA_OK;
    if (run) {
        kafka_topic_partition *list = flatten(consumer, topics, topic_count, &count);
        ks_consumer_poll_end(consumer->engine); /* while it runs nobody polls */
        consumer->in_callback = true;
        ks_runtime_enter_listener(consumer->address->runtime);
        error = run(consumer->listener.argument, consumer, list, count);
        ks_runtime_leave_listener(consumer->address->runtime);
        consumer->in_callback = false;
        if (!ks_consumer_is_dead(consumer->engine)) ks_consumer_poll_begin(consumer->engine);
    }
    ks_consumer_callback_done(consumer->engine, error);
}

void ks_consumer_run_commits(kafka_consumer *consumer) {
    while (consumer->commits && !consumer->commits->under_way) {
        ks_finished_commit *one = consumer->commits;
        consumer->commits = one->next;
        if (one->next == NULL) consumer->commits_end = &consumer->commits;
        bool outer = consumer->in_callback;
        consumer->in_callback = true;
        ks_runtime_enter_listener(consumer->address->runtime);
        one->done(one->argument, consumer, one->error, one->offsets, one->count);
        ks_runtime_leave_listener(consumer->address->runtime);
        consumer->in_callback = outer;
        if (one->arena) ks_arena_free(one->arena);
        ks_free(one);
    }
}

/* ---- records ---- */

void kafka_records_free(kafka_records *records) {
    if (records == NULL) return;
    for (size_t i = 0; i < records->count; i++) kafka_message_release(&records->messages[i]);
    ks_free(records->messages);
    ks_free(records);
}

static kafka_bytes bytes_of(ks_bytes bytes) {
    static const char nothing[1];
    if (bytes.size < 0) return (kafka_bytes){ NULL, 0 };
    return (kafka_bytes){ bytes.size > 0 ? (const void *)bytes.data : nothing, (size_t)bytes.size };
}

static void hold(kafka_message *message, const ks_consumer_record *record) {
    ks_block *block = ks_block_hold(record->block);
    if (record->record.header_count <= 0) {
        ks_message_hold(message, block);
        return;
    }
    kafka_header *headers = ks_message_hold_headers(message, block, (size_t)record->record.header_count);
    ks_bytes rest = record->record.headers, value;
    ks_string key;
    for (int32_t i = 0; i < record->record.header_count && ks_record_header_next(&rest, &key, &value); i++)
        headers[i] = (kafka_header){ { key.data, (size_t)key.size }, bytes_of(value) };
}

static kafka_records *gather(kafka_consumer *consumer) {
    kafka_records *records = ks_alloc(sizeof *records);
    KS_VEC(kafka_message) messages = { 0 };
    ks_consumer_record record;
    while (ks_consumer_take(consumer->engine, &record)) {
        kafka_message message = { .topic = ks_block_keep_name(record.block, record.topic), .partition = record.partition,
                                  .offset = record.record.offset, .high_watermark = record.high_watermark,
                                  .key = bytes_of(record.record.key), .value = bytes_of(record.record.value),
                                  .time = record.record.timestamp_ms * KAFKA_MILLISECOND };
        hold(&message, &record);
        KS_PUSH(messages, message);
    }
    *records = (kafka_records){ messages.items, (size_t)messages.count };
    return records;
}

/* ---- one call ---- */

typedef struct polling {
    kafka_consumer *consumer;
    const char *call;
    kafka_context *context; /* NULL: none */
    int64_t deadline;       /* ns; INT64_MAX: none */
    kafka_records *records;
    bool over;              /* the deadline passed */
} polling;

/* Parks until the engine has something to say, or the deadline. */
static kafka_error park(polling *p, ks_wait *wait) {
    kafka_consumer *consumer = p->consumer;
    if (p->deadline != INT64_MAX) {
        ks_timer_start_at(ks_runtime_kernel(consumer->address->runtime), &consumer->timer, p->deadline);
        ks_wait_set_bound(wait, p->deadline);
    }
    consumer->wait = wait;
    kafka_error error = ks_wait_park(wait);
    consumer->wait = NULL;
    ks_timer_stop(&consumer->timer);
    return error;
}

static kafka_error failure(const polling *p) {
    const ks_consumer *engine = p->consumer->engine;
    return ks_process_fail(p->consumer->address->process, ks_consumer_error(engine), "%s: %s", p->call, ks_consumer_error_detail(engine));
}

/* KS_POLL_WAITING: it was parked, look again. */
static kafka_error one_look(polling *p, ks_poll_result *result) {
    kafka_consumer *consumer = p->consumer;
    const char *group = ks_consumer_config(consumer->engine)->group_id;
    ks_wait wait;
    kafka_error error = ks_wait_begin(&wait, consumer->address->runtime, ks_process_node(consumer->address->process), p->context,
                                      "%s: group %s", p->call, group ? group : "(none)");
    if (error) return ks_address_fail(consumer->address, error, "%s", p->call);
    ks_consumer_run_commits(consumer);
    *result = ks_consumer_step(consumer->engine);
    p->over = *result == KS_POLL_WAITING && ks_now(ks_runtime_kernel(consumer->address->runtime)) >= p->deadline;
    if (*result != KS_POLL_WAITING || p->over) {
        ks_wait_abandon(&wait);
        return KAFKA_OK;
    }
    error = park(p, &wait);
    return error ? ks_address_fail(consumer->address, error, "%s", p->call) : KAFKA_OK;
}

static kafka_error drive(polling *p) {
    for (;;) {
        ks_poll_result result = KS_POLL_WAITING;
        kafka_error error = one_look(p, &result);
        if (p->consumer->freed) return KAFKA_ERR_CLOSED;
        if (error || p->over) return error;
        switch (result) {
        case KS_POLL_WAITING:
            break;
        case KS_POLL_CALLBACK:
            ks_consumer_run_callback(p->consumer);
            if (p->consumer->freed) return KAFKA_ERR_CLOSED;
            break;
        case KS_POLL_RECORDS:
            p->records = gather(p->consumer);
            return KAFKA_OK;
        case KS_POLL_FAILED:
            return failure(p);
        case KS_POLL_DONE:
            return KAFKA_OK;
        }
    }
}

static kafka_error run(polling *p) {
    kafka_consumer *consumer = p->consumer;
    consumer->busy = true;
    ks_consumer_poll_begin(consumer->engine);
    kafka_error error = drive(p);
    ks_consumer_poll_end(consumer->engine);
    ks_consumer_run_commits(consumer);
    consumer->busy = false;
    if (consumer->freed) ks_consumer_destroy(consumer);
    return error;
}

kafka_error ks_consumer_finish(kafka_consumer *consumer, const char *call) {
    polling p = { .consumer = consumer, .call = call, .deadline = INT64_MAX };
    return run(&p);
}

kafka_error kafka_consumer_poll(kafka_consumer *consumer, kafka_context *ctx, kafka_duration timeout, kafka_records **records) {
    static const char call[] = "kafka_consumer_poll";
    kafka_error error = ks_consumer_enter(consumer, call, false);
    if (error) return error;
    kafka_address *address = consumer->address;
    if (ctx == NULL || records == NULL || timeout < 0)
        return ks_process_fail(address->process, KAFKA_ERR_INVALID_ARGUMENT, "%s: %s", call,
                               ctx == NULL ? "ctx is NULL" : records == NULL ? "records is NULL" : "the timeout is negative");
    if ((error = ks_address_check_context(address, ctx, call)) || (error = ks_consumer_alive(consumer, call))) return error;
    if (!ks_consumer_reads(consumer->engine))
        return ks_process_fail(address->process, KAFKA_ERR_INVALID_ARGUMENT,
                               "%s: nothing is subscribed to and no partitions are assigned; subscribe or assign first", call);
    int64_t now = ks_now(ks_runtime_kernel(address->runtime));
    polling p = { .consumer = consumer, .call = call, .context = ctx,
                  .deadline = timeout > INT64_MAX - now ? INT64_MAX : now + timeout };
    *records = NULL;
    error = run(&p);
    if (p.over && timeout == 0) ks_runtime_fruitless(address->runtime, call);
    *records = p.records;
    return error;
}

/* ---- position ---- */

/* Only what a position needs: no join, no records. */
kafka_error ks_consumer_wait_for_position(kafka_consumer *consumer, kafka_context *ctx, const char *call, const char *topic,
                                          int32_t partition) {
    kafka_address *address = consumer->address;
    int64_t deadline = ks_now(ks_runtime_kernel(address->runtime)) + ks_consumer_config(consumer->engine)->default_api_timeout_ms * KS_MS;
    polling p = { .consumer = consumer, .call = call, .context = ctx, .deadline = deadline };
    bool busy = consumer->busy;
    kafka_error error = KAFKA_OK;
    ks_position position = { 0 };
    ks_buffer obstacle = { 0 };
    consumer->busy = true;
    ks_consumer_poll_begin(consumer->engine);
    while (error == KAFKA_OK && !position.known) {
        ks_wait wait;
        error = ks_wait_begin(&wait, address->runtime, ks_process_node(address->process), ctx, "%s: %s-%d", call, topic, partition);
        if (error) break;
        ks_poll_result result = ks_consumer_step_position(consumer->engine, ks_str(topic), partition);
        if (result == KS_POLL_WAITING && ks_now(ks_runtime_kernel(address->runtime)) < deadline) {
            error = park(&p, &wait);
        } else {
            ks_wait_abandon(&wait);
            error = result == KS_POLL_FAILED ? failure(&p) : result == KS_POLL_WAITING ? KAFKA_ERR_DEADLINE_EXCEEDED : KAFKA_OK;
        }
        if (consumer->freed) error = KAFKA_ERR_CLOSED;
        else if (!ks_consumer_position(consumer->engine, ks_str(topic), partition, &position) && error == KAFKA_OK) error = KAFKA_ERR_INVALID_ARGUMENT;
    }
    if (error && !consumer->freed) ks_consumer_position_obstacle(consumer->engine, ks_str(topic), partition, &obstacle);
    ks_consumer_poll_end(consumer->engine);
    consumer->busy = busy;
    if (consumer->freed && !busy && !consumer->in_callback) ks_consumer_destroy(consumer);
    else if (error && error != ks_consumer_error(consumer->engine))
        ks_address_fail(address, error, "%s: %s-%d%s%s%s", call, topic, partition, obstacle.size > 0 ? " (" : "",
                        obstacle.size > 0 ? (const char *)obstacle.data : "", obstacle.size > 0 ? ")" : "");
    ks_buffer_deinit(&obstacle);
    return error;
}
