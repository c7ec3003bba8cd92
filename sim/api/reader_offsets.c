/* SPDX-License-Identifier: Apache-2.0
 *
 * A reader's offset and lag (kafka-go, reader.go: SetOffset, SetOffsetAt, Offset, Lag, ReadLag), without a group.
 */
#include "sim/api/reader_internal.h"

static void ask_offsets(ks_offsets_ask *ask, const kafka_reader *reader) {
    ask->dial = (ks_leader_dial){ .process = ks_reader_process(reader),
                                  .seeds = &reader->engine_config.fetchers.seeds,
                                  .topic = ks_str(reader->settings.topic),
                                  .partition = reader->settings.partition,
                                  .dial_timeout_ns = reader->settings.dial_timeout };
    ks_offsets_ask_start(ask);
}

static int64_t lag_from(const kafka_reader *reader, int64_t first, int64_t last) {
    int64_t offset = ks_reader_offset(reader->engine);
    if (offset == KAFKA_FIRST_OFFSET) return last - first;
    return offset == KAFKA_LAST_OFFSET ? 0 : last - offset;
}

/* ---- calls ---- */

static kafka_error check_offset_call(kafka_reader *reader, const char *call) {
    if (!ks_runtime_right_thread(reader->address->runtime)) return KAFKA_ERR_WRONG_THREAD;
    if (reader->group)
        return ks_reader_fail(reader, KAFKA_ERR_NOT_WITH_GROUP, call,
                              "a reader with a group_id cannot do this; the group decides the offsets");
    return ks_reader_closed_or_dead(reader, call);
}

kafka_error kafka_reader_set_offset(kafka_reader *reader, int64_t offset) {
    if (reader == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_error error = check_offset_call(reader, "kafka_reader_set_offset");
    if (error) return error;
    if (offset < KAFKA_FIRST_OFFSET)
        return ks_reader_fail(reader, KAFKA_ERR_INVALID_ARGUMENT, "kafka_reader_set_offset",
                              "offset is below -2; allowed are KAFKA_FIRST_OFFSET, KAFKA_LAST_OFFSET and 0 and up");
    ks_reader_tell_delivered(reader->engine);
    ks_reader_set_offset(reader->engine, offset);
    return KAFKA_OK;
}

typedef struct asking { /* a call that waits for offsets */
    ks_waiting blocked;
    ks_offsets_ask ask;
} asking;

static void offsets_answered(void *owner, kafka_error error) { ks_wait_wake(&((asking *)owner)->blocked.wait, error); }

static kafka_error ask_and_wait(kafka_reader *reader, kafka_context *ctx, const char *call, asking *one) {
    if (ctx == NULL) return ks_reader_fail(reader, KAFKA_ERR_INVALID_ARGUMENT, call, "ctx is NULL");
    kafka_error error = ks_address_check_context(reader->address, ctx, call);
    if (error) return error;
    error = ks_wait_begin(
        &one->blocked.wait, reader->address->runtime, ks_process_node(ks_reader_process(reader)), ctx,
        "%s: the leader of topic %.80s, partition %d", call, reader->settings.topic, (int)reader->settings.partition);
    if (error == KAFKA_OK) {
        ks_reader_enter(reader);
        one->ask.done = offsets_answered;
        one->ask.owner = one;
        ask_offsets(&one->ask, reader);
        ks_waiting_add(&reader->askers, &one->blocked);
        error = ks_wait_park(&one->blocked.wait);
        ks_waiting_remove(&reader->askers, &one->blocked);
        ks_offsets_ask_stop(&one->ask);
        bool freed = reader->freed;
        ks_reader_leave(reader, error);
        if (freed) return KAFKA_ERR_CLOSED;
    }
    return error ? ks_address_fail(reader->address, error, "%s: topic %s, partition %d", call, reader->settings.topic,
                                   (int)reader->settings.partition)
                 : KAFKA_OK;
}

kafka_error kafka_reader_set_offset_at(kafka_reader *reader, kafka_context *ctx, kafka_time time) {
    if (reader == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_error error = check_offset_call(reader, "kafka_reader_set_offset_at");
    if (error) return error;
    if (time < 0)
        return ks_reader_fail(reader, KAFKA_ERR_INVALID_ARGUMENT, "kafka_reader_set_offset_at",
                              "time lies before 1970");
    asking one = { .ask = { .timestamps = { time / KAFKA_MILLISECOND }, .count = 1 } };
    error = ask_and_wait(reader, ctx, "kafka_reader_set_offset_at", &one);
    if (error) return error;
    return kafka_reader_set_offset(reader, one.ask.offsets[0]); /* -1, none that young: the end */
}

kafka_error kafka_reader_read_lag(kafka_reader *reader, kafka_context *ctx, int64_t *lag) {
    if (reader == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_error error = check_offset_call(reader, "kafka_reader_read_lag");
    if (error) return error;
    if (lag == NULL) return ks_reader_fail(reader, KAFKA_ERR_INVALID_ARGUMENT, "kafka_reader_read_lag", "lag is NULL");
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

const kafka_reader_config *kafka_reader_settings(const kafka_reader *reader) {
    return reader ? &reader->settings : NULL;
}

/* ---- the lag in the background ---- */

static void lag_answered(void *owner, kafka_error error) {
    kafka_reader *reader = owner;
    if (error == KAFKA_OK)
        ks_reader_set_lag(reader->engine, lag_from(reader, reader->lag_ask.offsets[0], reader->lag_ask.offsets[1]));
    ks_timer_start_background(ks_process_kernel(ks_reader_process(reader)), &reader->lag_timer,
                              reader->settings.read_lag_interval);
}

static void time_for_lag(ks_timer *timer) {
    kafka_reader *reader = timer->owner;
    reader->lag_ask = (ks_offsets_ask){
        .timestamps = { KAFKA_FIRST_OFFSET, KAFKA_LAST_OFFSET }, .count = 2, .done = lag_answered, .owner = reader
    };
    ask_offsets(&reader->lag_ask, reader);
}

void ks_reader_watch_lag(kafka_reader *reader) {
    ks_process *process = ks_reader_process(reader);
    ks_timer_init(&reader->lag_timer, ks_process_node(process), time_for_lag, reader);
    if (reader->group || reader->settings.read_lag_interval <= 0) return;
    ks_timer_start_background(ks_process_kernel(process), &reader->lag_timer, reader->settings.read_lag_interval);
}

void ks_reader_unwatch_lag(kafka_reader *reader) {
    ks_timer_stop(&reader->lag_timer);
    ks_offsets_ask_stop(&reader->lag_ask);
}
