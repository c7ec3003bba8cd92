/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_reader_commit: hands offsets to the commit loop, and in synchronous mode waits for its answer (kafka-go, reader.go:
 * CommitMessages). The context comes first; after close it is always CLOSED, where kafka-go may wait for ever.
 */
#include "sim/api/reader_internal.h"
#include "sim/task/context.h"

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
    return ks_wait_begin(wait, reader->address->runtime, ks_process_node(ks_reader_process(reader)), ctx,
                         "kafka_reader_commit: group %s", reader->settings.group_id);
}

static kafka_error wait_for_room(kafka_reader *reader, kafka_context *ctx) {
    ks_commits *commits = ks_reader_commits(reader->engine);
    kafka_error error = KAFKA_OK;
    while (error == KAFKA_OK && ks_commits_is_full(commits)) {
        ks_waiting committer;
        error = begin_commit(reader, ctx, &committer.wait);
        if (error) break;
        ks_waiting_add(&reader->committers, &committer);
        error = ks_wait_park(&committer.wait);
        ks_waiting_remove(&reader->committers, &committer);
        if (error == KAFKA_OK) error = ks_reader_closed_or_dead(reader, "kafka_reader_commit");
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

static kafka_error commit_request(kafka_reader *reader, kafka_context *ctx, const kafka_message *messages,
                                  size_t count) {
    ks_wait look; /* an ended context comes first */
    kafka_error error = begin_commit(reader, ctx, &look);
    if (error) return error;
    ks_wait_abandon(&look);
    error = wait_for_room(reader, ctx);
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

static kafka_error commit_slowly(kafka_reader *reader, kafka_context *ctx, const kafka_message *messages,
                                 size_t count) {
    ks_reader_enter(reader);
    ks_reader_tell_delivered(reader->engine); /* the trace tells first what is committed now */
    kafka_error error = commit_request(reader, ctx, messages, count);
    if (reader->freed)
        error = KAFKA_ERR_CLOSED;
    else if (error != KAFKA_OK)
        ks_address_fail(reader->address, error, "kafka_reader_commit: group %s", reader->settings.group_id);
    return ks_reader_leave(reader, error);
}

static kafka_error check_messages(const kafka_reader *reader, const kafka_message *messages, size_t count) {
    if (messages == NULL && count > 0)
        return ks_reader_fail(reader, KAFKA_ERR_INVALID_ARGUMENT, "kafka_reader_commit", "messages is NULL");
    for (size_t i = 0; i < count; i++)
        if (messages[i].topic == NULL || messages[i].partition < 0 || messages[i].offset < 0)
            return ks_reader_fail(
                reader, KAFKA_ERR_INVALID_ARGUMENT, "kafka_reader_commit",
                "a message has no topic, or a negative partition or offset; commit messages that were read");
    return KAFKA_OK;
}

kafka_error ks_reader_commit(kafka_reader *reader, kafka_context *ctx, const kafka_message *messages, size_t count) {
    kafka_error error = ks_reader_closed_or_dead(reader, "kafka_reader_commit");
    if (error) return error;
    size_t merged = 0;
    if (ctx->error == KAFKA_OK && reader->settings.commit_interval > 0) {
        ks_commits *commits = ks_reader_commits(reader->engine);
        while (merged < count &&
               ks_commits_merge(commits,
                                ks_reader_partition(reader->engine, messages[merged].topic, messages[merged].partition),
                                messages[merged].offset + 1))
            merged++;
        if (merged == count) return KAFKA_OK;
    }
    return commit_slowly(reader, ctx, messages + merged, count - merged);
}

kafka_error kafka_reader_commit(kafka_reader *reader, kafka_context *ctx, const kafka_message *messages, size_t count) {
    if (reader == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    if (!ks_runtime_right_thread(reader->address->runtime)) return KAFKA_ERR_WRONG_THREAD;
    if (ctx == NULL) return ks_reader_fail(reader, KAFKA_ERR_INVALID_ARGUMENT, "kafka_reader_commit", "ctx is NULL");
    if (!reader->group)
        return ks_reader_fail(reader, KAFKA_ERR_NEEDS_GROUP, "kafka_reader_commit",
                              "only a reader with a group_id can commit; set group_id");
    kafka_error error = ks_address_check_context(reader->address, ctx, "kafka_reader_commit");
    if (error == KAFKA_OK) error = check_messages(reader, messages, count);
    return error ? error : ks_reader_commit(reader, ctx, messages, count);
}
