/* SPDX-License-Identifier: Apache-2.0
 * kafka_consumer: commits, lookups, positions. */
#include "sim/api/consumer_internal.h"

#include <stdio.h>

/* ---- between the API's offsets and the engine's ---- */

static kafka_error check_partition(kafka_consumer *consumer, const char *call, const char *topic, int32_t partition, size_t index) {
    if (topic && *topic && partition >= 0) return KAFKA_OK;
    return ks_process_fail(consumer->address->process, KAFKA_ERR_INVALID_ARGUMENT, "%s: entry %zu has no topic or a negative partition",
                           call, index);
}

static ks_offset *to_engine(const kafka_consumer_offset *offsets, size_t count) {
    ks_offset *list = ks_alloc((count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = (ks_offset){ .topic = ks_str(offsets[i].topic), .partition = offsets[i].partition, .offset = offsets[i].offset,
                               .leader_epoch = offsets[i].leader_epoch < 0 ? -1 : offsets[i].leader_epoch,
                               .metadata = offsets[i].metadata ? ks_str(offsets[i].metadata) : KS_LITERAL(""),
                               .timestamp_ms = offsets[i].timestamp_ms };
    return list;
}

static kafka_consumer_offset *from_engine(const ks_offset *offsets, int32_t count, ks_arena *arena) {
    kafka_consumer_offset *list = ks_arena_alloc(arena, ((size_t)count + 1) * sizeof *list);
    for (int32_t i = 0; i < count; i++)
        list[i] = (kafka_consumer_offset){ .topic = ks_arena_string(arena, offsets[i].topic).data, .partition = offsets[i].partition,
                                           .offset = offsets[i].offset, .leader_epoch = offsets[i].leader_epoch,
                                           .metadata = ks_arena_string(arena, offsets[i].metadata).data,
                                           .timestamp_ms = offsets[i].timestamp_ms, .error = offsets[i].error };
    return list;
}

/* One block with everything in it is an arena here; the answer lies at its beginning. */
typedef struct owned_offsets {
    kafka_consumer_offsets offsets;
    ks_arena *arena;
} owned_offsets;

void kafka_consumer_offsets_free(kafka_consumer_offsets *offsets) {
    if (offsets) ks_arena_free(((owned_offsets *)offsets)->arena);
}

/* ---- questions that wait ---- */

typedef struct question {
    ks_wait wait;
    ks_offset_op *op; /* NULL: it was answered at once */
    bool answered;
    kafka_error error;
    ks_buffer obstacle; /* what stood in the way, in words */
    char about[120];    /* "orders-7 and 2 more" */
    owned_offsets *answer; /* made when `wanted` */
    bool wanted;
} question;

static void name_partitions(const ks_offset *offsets, size_t count, char *out, size_t size) {
    if (offsets == NULL || count == 0) {
        snprintf(out, size, "the positions of what is assigned");
        return;
    }
    int used = snprintf(out, size, "%.80s-%d", offsets->topic.data, offsets->partition);
    if (count > 1) snprintf(out + used, size - (size_t)used, " and %zu more", count - 1);
}

static void answer(void *owner, kafka_error error, const ks_offset *offsets, int32_t count) {
    question *q = owner;
    q->answered = true;
    q->error = error;
    if (error == KAFKA_ERR_DEADLINE_EXCEEDED && q->op) ks_offset_op_obstacle(q->op, &q->obstacle);
    for (int32_t i = 0; error && i < count; i++)
        if (offsets[i].error == error) name_partitions(&offsets[i], 1, q->about, sizeof q->about);
    if (error == KAFKA_OK && q->wanted) {
        ks_arena *arena = ks_arena_new();
        q->answer = ks_arena_alloc(arena, sizeof *q->answer);
        *q->answer = (owned_offsets){ { from_engine(offsets, count, arena), (size_t)count }, arena };
    }
    ks_wait_wake(&q->wait, error);
}

typedef ks_offset_op *begin_fn(ks_consumer *consumer, const ks_offset *offsets, int32_t count, int64_t timeout_ns, ks_offsets_fn *done,
                               void *owner);

static kafka_error ask(kafka_consumer *consumer, kafka_context *ctx, const char *call, begin_fn *begin, const ks_offset *offsets,
                       size_t count, kafka_consumer_offsets **result) {
    kafka_address *address = consumer->address;
    question q = { .wanted = result != NULL };
    name_partitions(offsets, count, q.about, sizeof q.about);
    kafka_error error = ks_wait_begin(&q.wait, address->runtime, ks_process_node(address->process), ctx, "%s: %s", call, q.about);
    if (error) return ks_address_fail(address, error, "%s: %s", call, q.about);
    bool busy = consumer->busy;
    consumer->busy = true;
    int64_t timeout = ks_consumer_config(consumer->engine)->default_api_timeout_ms * KS_MS;
    q.op = begin(consumer->engine, offsets, (int32_t)count, timeout, answer, &q);
    if (q.answered) ks_wait_abandon(&q.wait);
    else error = ks_wait_park(&q.wait);
    consumer->busy = busy;
    if (!q.answered && !ks_consumer_is_dead(consumer->engine)) {
        ks_offset_op_obstacle(q.op, &q.obstacle);
        ks_offset_op_drop(q.op);
    }
    if (q.answered && error == KAFKA_OK) error = q.error;
    if (consumer->freed && !busy && !consumer->in_callback) {
        ks_consumer_destroy(consumer);
        error = KAFKA_ERR_CLOSED;
    }
    if (error && q.answer) ks_arena_free(q.answer->arena);
    if (error && q.obstacle.size > 0) ks_address_fail(address, error, "%s: %s (%s)", call, q.about, (const char *)q.obstacle.data);
    else if (error) ks_address_fail(address, error, "%s: %s", call, q.about);
    else if (result) *result = &q.answer->offsets;
    ks_buffer_deinit(&q.obstacle);
    return error;
}

static kafka_error enter(kafka_consumer *consumer, kafka_context *ctx, const char *call, bool needs_group) {
    kafka_error error = ks_consumer_enter(consumer, call, true);
    if (error) return error;
    if (consumer->busy && !consumer->in_callback) return ks_consumer_enter(consumer, call, false);
    if (ctx == NULL) return ks_process_fail(consumer->address->process, KAFKA_ERR_INVALID_ARGUMENT, "%s: ctx is NULL", call);
    if ((error = ks_address_check_context(consumer->address, ctx, call)) || (error = ks_consumer_alive(consumer, call))) return error;
    if (needs_group && ks_consumer_config(consumer->engine)->group_id == NULL)
        return ks_process_fail(consumer->address->process, KAFKA_ERR_NEEDS_GROUP, "%s: offsets are kept for groups; set group.id", call);
    return KAFKA_OK;
}

static kafka_error check_offsets(kafka_consumer *consumer, const char *call, const kafka_consumer_offset *offsets, size_t count,
                                 bool commit) {
    if (offsets == NULL && count > 0)
        return ks_process_fail(consumer->address->process, KAFKA_ERR_INVALID_ARGUMENT, "%s: offsets is NULL", call);
    for (size_t i = 0; i < count; i++) {
        kafka_error error = check_partition(consumer, call, offsets[i].topic, offsets[i].partition, i);
        if (error) return error;
        if (commit && offsets[i].offset < 0)
            return ks_process_fail(consumer->address->process, KAFKA_ERR_INVALID_ARGUMENT, "%s: the offset of %s-%d is negative (%lld)", call,
                                   offsets[i].topic, offsets[i].partition, (long long)offsets[i].offset);
        if (!commit && offsets[i].timestamp_ms < KAFKA_FIRST_OFFSET)
            return ks_process_fail(consumer->address->process, KAFKA_ERR_INVALID_ARGUMENT, "%s: the time asked of %s-%d is negative (%lld)",
                                   call, offsets[i].topic, offsets[i].partition, (long long)offsets[i].timestamp_ms);
    }
    return KAFKA_OK;
}

kafka_error kafka_consumer_commit_sync(kafka_consumer *consumer, kafka_context *ctx, const kafka_consumer_offset *offsets, size_t count) {
    static const char call[] = "kafka_consumer_commit_sync";
    kafka_error error = enter(consumer, ctx, call, true);
    if (error || (error = check_offsets(consumer, call, offsets, count, true))) return error;
    ks_offset *list = offsets ? to_engine(offsets, count) : NULL;
    error = ask(consumer, ctx, call, ks_consumer_commit, list, count, NULL);
    ks_free(list);
    if (error != KAFKA_ERR_CLOSED && !consumer->in_callback) ks_consumer_run_commits(consumer);
    return error;
}

kafka_error kafka_consumer_committed(kafka_consumer *consumer, kafka_context *ctx, const kafka_topic_partition *partitions, size_t count,
                                     kafka_consumer_offsets **offsets) {
    static const char call[] = "kafka_consumer_committed";
    kafka_error error = enter(consumer, ctx, call, true);
    if (error) return error;
    if (offsets == NULL || (partitions == NULL && count > 0))
        return ks_process_fail(consumer->address->process, KAFKA_ERR_INVALID_ARGUMENT, "%s: NULL where something is needed", call);
    ks_offset *list = ks_alloc((count + 1) * sizeof *list);
    for (size_t i = 0; i < count && error == KAFKA_OK; i++) {
        error = check_partition(consumer, call, partitions[i].topic, partitions[i].partition, i);
        list[i] = (ks_offset){ .topic = ks_str(partitions[i].topic), .partition = partitions[i].partition, .metadata = KS_NULL_STRING };
    }
    if (error == KAFKA_OK) error = ask(consumer, ctx, call, ks_consumer_committed, list, count, offsets);
    ks_free(list);
    return error;
}

kafka_error kafka_consumer_offsets_for_times(kafka_consumer *consumer, kafka_context *ctx, const kafka_consumer_offset *queries,
                                             size_t count, kafka_consumer_offsets **offsets) {
    static const char call[] = "kafka_consumer_offsets_for_times";
    kafka_error error = enter(consumer, ctx, call, false);
    if (error || (error = check_offsets(consumer, call, queries, count, false))) return error;
    if (offsets == NULL) return ks_process_fail(consumer->address->process, KAFKA_ERR_INVALID_ARGUMENT, "%s: offsets is NULL", call);
    ks_offset *list = to_engine(queries, count);
    error = ask(consumer, ctx, call, ks_consumer_list_offsets, list, count, offsets);
    ks_free(list);
    return error;
}

/* ---- commit_async ---- */

static void committed_later(void *owner, kafka_error error, const ks_offset *offsets, int32_t count) {
    ks_finished_commit *one = owner;
    one->under_way = false;
    one->error = error;
    one->arena = ks_arena_new();
    one->offsets = from_engine(offsets, count, one->arena);
    one->count = (size_t)count;
    if (one->consumer->wait) ks_wait_wake(one->consumer->wait, KAFKA_OK); /* the poll that waits runs the callback */
}

kafka_error kafka_consumer_commit_async(kafka_consumer *consumer, const kafka_consumer_offset *offsets, size_t count,
                                        kafka_commit_function *done, void *argument) {
    static const char call[] = "kafka_consumer_commit_async";
    kafka_error error = ks_consumer_enter(consumer, call, true);
    if (error || (error = ks_consumer_alive(consumer, call)) || (error = check_offsets(consumer, call, offsets, count, true))) return error;
    if (ks_consumer_config(consumer->engine)->group_id == NULL)
        return ks_process_fail(consumer->address->process, KAFKA_ERR_NEEDS_GROUP, "%s: offsets are kept for groups; set group.id", call);
    ks_offset *list = offsets ? to_engine(offsets, count) : NULL;
    if (done == NULL) {
        ks_consumer_commit(consumer->engine, list, (int32_t)count, 0, NULL, NULL);
    } else {
        ks_finished_commit *one = ks_alloc(sizeof *one);
        *one = (ks_finished_commit){ .consumer = consumer, .done = done, .argument = argument };
        *consumer->commits_end = one;
        consumer->commits_end = &one->next;
        one->under_way = true;
        ks_consumer_commit(consumer->engine, list, (int32_t)count, 0, committed_later, one);
    }
    ks_free(list);
    return KAFKA_OK;
}

/* ---- positions ---- */

static kafka_error not_assigned(kafka_consumer *consumer, const char *call, const char *topic, int32_t partition) {
    return ks_process_fail(consumer->address->process, KAFKA_ERR_INVALID_ARGUMENT, "%s: %s-%d is not assigned to this consumer", call,
                           topic ? topic : "(NULL)", partition);
}

kafka_error kafka_consumer_position(kafka_consumer *consumer, kafka_context *ctx, const char *topic, int32_t partition, int64_t *offset) {
    static const char call[] = "kafka_consumer_position";
    kafka_error error = enter(consumer, ctx, call, false);
    if (error) return error;
    if (offset == NULL) return ks_process_fail(consumer->address->process, KAFKA_ERR_INVALID_ARGUMENT, "%s: offset is NULL", call);
    ks_position position;
    if (topic == NULL || !ks_consumer_position(consumer->engine, ks_str(topic), partition, &position))
        return not_assigned(consumer, call, topic, partition);
    if (!position.known && (error = ks_consumer_wait_for_position(consumer, ctx, call, topic, partition))) return error;
    ks_consumer_position(consumer->engine, ks_str(topic), partition, &position);
    *offset = position.offset;
    return KAFKA_OK;
}

kafka_error kafka_consumer_seek(kafka_consumer *consumer, const char *topic, int32_t partition, int64_t offset) {
    static const char call[] = "kafka_consumer_seek";
    kafka_error error = ks_consumer_enter(consumer, call, true);
    if (error || (error = ks_consumer_alive(consumer, call))) return error;
    if (offset < KAFKA_FIRST_OFFSET)
        return ks_process_fail(consumer->address->process, KAFKA_ERR_INVALID_ARGUMENT, "%s: the offset is negative (%lld)", call, (long long)offset);
    bool assigned = false;
    if (topic) {
        if (offset == KAFKA_FIRST_OFFSET) assigned = ks_consumer_seek_reset(consumer->engine, ks_str(topic), partition, KS_RESET_EARLIEST);
        else if (offset == KAFKA_LAST_OFFSET) assigned = ks_consumer_seek_reset(consumer->engine, ks_str(topic), partition, KS_RESET_LATEST);
        else assigned = ks_consumer_seek(consumer->engine, ks_str(topic), partition, offset);
    }
    return assigned ? KAFKA_OK : not_assigned(consumer, call, topic, partition);
}

static kafka_error set_paused(kafka_consumer *consumer, const char *call, const kafka_topic_partition *partitions, size_t count, bool paused) {
    kafka_error error = ks_consumer_enter(consumer, call, true);
    if (error || (error = ks_consumer_alive(consumer, call))) return error;
    ks_position position;
    for (size_t i = 0; i < count; i++)
        if (partitions == NULL || partitions[i].topic == NULL ||
            !ks_consumer_position(consumer->engine, ks_str(partitions[i].topic), partitions[i].partition, &position))
            return not_assigned(consumer, call, partitions ? partitions[i].topic : NULL, partitions ? partitions[i].partition : -1);
    for (size_t i = 0; i < count; i++) ks_consumer_pause(consumer->engine, ks_str(partitions[i].topic), partitions[i].partition, paused);
    return KAFKA_OK;
}

kafka_error kafka_consumer_pause(kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count) {
    return set_paused(consumer, "kafka_consumer_pause", partitions, count, true);
}

kafka_error kafka_consumer_resume(kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count) {
    return set_paused(consumer, "kafka_consumer_resume", partitions, count, false);
}

bool kafka_consumer_is_paused(const kafka_consumer *consumer, const char *topic, int32_t partition) {
    ks_position position;
    return consumer && topic && ks_consumer_position(consumer->engine, ks_str(topic), partition, &position) && position.paused;
}
