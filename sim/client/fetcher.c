/* SPDX-License-Identifier: Apache-2.0
 *
 * The fetcher of one partition (kafka-go, reader.go: reader.run, initialize, read). What leads where:
 *
 *   getting going: dialled, range read twice      -> fetch
 *                  offset beyond the end          -> with out_of_range_error: delivered, over; else again after a backoff
 *                  anything else                  -> again after a backoff; from the max_attempts-th failure on delivered too
 *   fetch:         records                        -> delivered, next fetch at once
 *                  empty, REQUEST_TIMED_OUT       -> next fetch at once
 *                  UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, connection lost -> dial anew after a backoff
 *                  OFFSET_OUT_OF_RANGE            -> read the range: below it jump to its start; in it fetch again at once;
 *                                                    beyond it fetch again after a backoff, for ever
 *                  unknown codec, corrupt batch   -> delivered, dial anew
 *                  other codes                    -> delivered, fetch again after a backoff
 */
#include "sim/client/fetcher.h"

#include "sim/client/conn_offsets.h"
#include "sim/protocol/events.h"

#define RANGE_TIMEOUT (10 * KS_S) /* kafka-go, reader.readOffsets */

static void deliver(ks_fetcher *fetcher);
static void read_range(ks_fetcher *fetcher, int32_t step);
static void fetch(ks_fetcher *fetcher);

static ks_kernel *kernel_of(const ks_fetcher *fetcher) { return ks_process_kernel(fetcher->settings->process); }

/* ---- pauses ---- */

static void hang_up(ks_fetcher *fetcher) {
    ks_ask_drop(&fetcher->fetch);
    ks_call_drop(fetcher->list_offsets);
    fetcher->list_offsets = NULL;
    ks_channel_close(fetcher->channel);
    fetcher->channel = NULL;
}

static void go_on(ks_fetcher *fetcher) {
    switch (fetcher->then) {
    case KS_THEN_DIAL:
        fetcher->state = KS_FETCHER_DIALING;
        ks_leader_dial_start(&fetcher->dial);
        break;
    case KS_THEN_FETCH: fetch(fetcher); break;
    case KS_THEN_STOP: fetcher->state = KS_FETCHER_STOPPED; break;
    }
}

static void pause_over(ks_timer *timer) { go_on(timer->owner); }

/* After the n-th failure in a row. Repetitions are background work. */
static void pause_then(ks_fetcher *fetcher, int32_t failures, ks_fetcher_then then) {
    const ks_fetcher_settings *settings = fetcher->settings;
    fetcher->state = KS_FETCHER_PAUSED;
    fetcher->then = then;
    ks_timer_start_background(kernel_of(fetcher), &fetcher->timer,
                              ks_backoff(failures, settings->backoff_min_ns, settings->backoff_max_ns));
}

/* Fetches again at once, as kafka-go does, but never twice at one instant: on a network without latency the clock would not go
 * on. */
static void fetch_at_once(ks_fetcher *fetcher) {
    if (fetcher->sent_at == ks_now(kernel_of(fetcher)))
        pause_then(fetcher, 1, KS_THEN_FETCH);
    else
        fetch(fetcher);
}

static void deliver_error(ks_fetcher *fetcher, kafka_error error, ks_fetcher_then then) {
    fetcher->to_deliver = error;
    fetcher->then = then;
    fetcher->state = KS_FETCHER_DELIVERING;
    deliver(fetcher);
}

static void error_delivered(ks_fetcher *fetcher) {
    if (fetcher->then == KS_THEN_STOP)
        fetcher->state = KS_FETCHER_STOPPED;
    else
        pause_then(fetcher, fetcher->then == KS_THEN_DIAL ? fetcher->attempt : fetcher->errors, fetcher->then);
}

/* A session that worked has ended: the failures are counted from one again. */
static void reconnect(ks_fetcher *fetcher) {
    hang_up(fetcher);
    fetcher->attempt = 1;
    pause_then(fetcher, fetcher->attempt, KS_THEN_DIAL);
}

/* ---- getting going ---- */

static void could_not_start(ks_fetcher *fetcher, kafka_error error) {
    hang_up(fetcher);
    fetcher->trouble(fetcher->owner, fetcher, error);
    int32_t failure = fetcher->attempt++;
    if (error == KAFKA_ERR_OFFSET_OUT_OF_RANGE && fetcher->settings->out_of_range_error)
        deliver_error(fetcher, error, KS_THEN_STOP);
    else if (error != KAFKA_ERR_OFFSET_OUT_OF_RANGE && failure >= fetcher->settings->max_attempts)
        deliver_error(fetcher, error, KS_THEN_DIAL);
    else
        pause_then(fetcher, fetcher->attempt, KS_THEN_DIAL);
}

static void lookup_repeated(void *owner, kafka_error error) {
    ks_fetcher *fetcher = owner;
    fetcher->trouble(fetcher->owner, fetcher, error);
}

static void dialled(void *owner, kafka_error error, ks_channel *leader) {
    ks_fetcher *fetcher = owner;
    fetcher->channel = leader;
    if (error)
        could_not_start(fetcher, error);
    else
        read_range(fetcher, 0);
}

static void move_to(ks_fetcher *fetcher, int64_t offset, ks_string reason) {
    KS_EMIT(kernel_of(fetcher), ks_process_node(fetcher->settings->process), position_reset,
            .client = ks_str(ks_node_name(ks_process_node(fetcher->settings->process))),
            .group = fetcher->settings->group, .topic = fetcher->topic, .partition = fetcher->partition,
            .from = fetcher->offset, .to = offset, .reason = reason);
    fetcher->offset = offset;
}

/* Where to begin: -2 and -1 become numbers, below the earliest is the earliest. */
static void place_in_range(ks_fetcher *fetcher) {
    ks_string start = fetcher->settings->group.size > 0 ? KS_LITERAL("no_committed_offset") : KS_LITERAL("start");
    if (fetcher->offset == KS_OFFSET_FIRST)
        move_to(fetcher, fetcher->range[0], start);
    else if (fetcher->offset == KS_OFFSET_LAST)
        move_to(fetcher, fetcher->range[1], start);
    else if (fetcher->offset < fetcher->range[0])
        move_to(fetcher, fetcher->range[0], KS_LITERAL("out_of_range"));
}

static void start_fetching(ks_fetcher *fetcher) {
    if (fetcher->offset < fetcher->range[0] || fetcher->offset > fetcher->range[1]) {
        could_not_start(fetcher, KAFKA_ERR_OFFSET_OUT_OF_RANGE);
        return;
    }
    fetcher->attempt = fetcher->errors = 0;
    fetcher->trouble(fetcher->owner, fetcher, KAFKA_OK);
    fetch(fetcher);
}

/* After OFFSET_OUT_OF_RANGE of a fetch. */
static void range_read_again(ks_fetcher *fetcher) {
    if (fetcher->offset < fetcher->range[0])
        move_to(fetcher, fetcher->range[0], KS_LITERAL("out_of_range"));
    else if (fetcher->offset >= fetcher->range[1]) {
        pause_then(fetcher, ++fetcher->errors, KS_THEN_FETCH);
        return;
    }
    fetcher->errors = 0;
    fetch_at_once(fetcher);
}

enum {
    STEP_SEEK = 2,
    STEP_DONE = 4,
    STEP_AGAIN = 6,
    STEP_AGAIN_DONE = 8
}; /* even: ask for the earliest; odd: for the end */

static void got_offset(void *owner, kafka_error error, const ks_envelope *response) {
    ks_fetcher *fetcher = owner;
    fetcher->list_offsets = NULL;
    int32_t step = fetcher->range_step;
    if (error == KAFKA_OK) error = ks_conn_listed_offset(response, &fetcher->range[step % 2]);
    if (error == KAFKA_OK) {
        step++;
        if (step == STEP_SEEK) place_in_range(fetcher);
        if (step == STEP_DONE)
            start_fetching(fetcher);
        else if (step == STEP_AGAIN_DONE)
            range_read_again(fetcher);
        else
            read_range(fetcher, step);
    } else if (step >= STEP_AGAIN) {
        reconnect(fetcher);
    } else if (step == 0 && ks_dial_failed(error)) { /* the leader was not reached: ask another broker who it is */
        hang_up(fetcher);
        fetcher->state = KS_FETCHER_DIALING;
        ks_leader_dial_next(&fetcher->dial, error);
    } else {
        could_not_start(fetcher, error);
    }
}

static void read_range(ks_fetcher *fetcher, int32_t step) {
    fetcher->state = KS_FETCHER_RANGE;
    fetcher->range_step = step;
    ks_envelope *request = ks_conn_list_offsets(fetcher->channel, fetcher->topic, fetcher->partition,
                                                step % 2 == 0 ? KS_OFFSET_FIRST : KS_OFFSET_LAST);
    fetcher->list_offsets = ks_channel_send(fetcher->channel, request, RANGE_TIMEOUT, got_offset, fetcher);
}

/* ---- fetching ---- */

/* kafka-go adds what an answer with one empty message takes (conn.go, fetchMinSize). */
static int32_t asked_bytes(const ks_fetcher *fetcher) {
    int32_t more = 58 + fetcher->topic.size, most = fetcher->settings->max_bytes;
    return most < INT32_MAX - more ? most + more : INT32_MAX;
}

static ks_envelope *fetch_request(const ks_fetcher *fetcher) {
    const ks_fetcher_settings *settings = fetcher->settings;
    ks_envelope *envelope = ks_channel_request(fetcher->channel, KS_API_fetch, 10);
    ks_fetch_request *request = envelope->body;
    int64_t wait = settings->max_wait_ns; /* kafka-go leaves a second for the way there and back */
    int64_t wait_ms = (wait > KS_S ? wait - KS_S : wait - wait / 4) / KS_MS;
    request->max_wait_ms = wait_ms > 0 ? (int32_t)wait_ms : 1;
    request->min_bytes = settings->min_bytes;
    request->max_bytes = asked_bytes(fetcher);
    request->isolation_level = settings->isolation_level;
    request->topics.items = ks_arena_alloc(envelope->arena, sizeof *request->topics.items);
    request->topics.count = 1;
    ks_fetch_request_topic *topic = &request->topics.items[0];
    ks_struct_default(ks_describe_fetch_request_topic(), topic);
    topic->topic = ks_arena_string(envelope->arena, fetcher->topic);
    topic->partitions.items = ks_arena_alloc(envelope->arena, sizeof *topic->partitions.items);
    topic->partitions.count = 1;
    ks_struct_default(ks_describe_fetch_request_partition(), &topic->partitions.items[0]);
    topic->partitions.items[0].partition = fetcher->partition;
    topic->partitions.items[0].fetch_offset = fetcher->offset;
    topic->partitions.items[0].log_start_offset = 0; /* as kafka-go has it; only followers mean something by it */
    topic->partitions.items[0].partition_max_bytes = request->max_bytes;
    return envelope;
}

static bool is_over(ks_fetcher *fetcher) {
    if (!fetcher->stopping) return false;
    ks_fetcher_abort(fetcher);
    fetcher->stopped(fetcher->owner, fetcher);
    return true;
}

static void fetch_failed(ks_fetcher *fetcher, kafka_error code) {
    switch (code) {
    case KAFKA_ERR_REQUEST_TIMED_OUT:
        fetcher->errors = 0;
        fetcher->idle = true;
        fetch_at_once(fetcher);
        break;
    case KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION:
    case KAFKA_ERR_NOT_LEADER_OR_FOLLOWER: reconnect(fetcher); break;
    case KAFKA_ERR_OFFSET_OUT_OF_RANGE: read_range(fetcher, STEP_AGAIN); break;
    case KAFKA_ERR_UNSUPPORTED_COMPRESSION_TYPE:
    case KAFKA_ERR_CORRUPT_MESSAGE:
        hang_up(fetcher);
        fetcher->attempt = 1;
        deliver_error(fetcher, code, KS_THEN_DIAL);
        break;
    default: fetcher->errors++; deliver_error(fetcher, code, KS_THEN_FETCH);
    }
}

static void got_records(ks_fetcher *fetcher, const ks_envelope *envelope,
                        const ks_fetch_response_partition_data *data) {
    if (ks_in_background(kernel_of(fetcher))) ks_progress(kernel_of(fetcher));
    fetcher->idle = false;
    fetcher->errors = 0;
    ks_fetcher_open_records(fetcher, ks_call_keep(envelope), data);
    fetcher->state = KS_FETCHER_DELIVERING;
    deliver(fetcher);
}

/* The first fetch that was answered well: from here on the partition flows. */
static void tell_began(ks_fetcher *fetcher) {
    if (fetcher->began || fetcher->settings->group.size <= 0) return;
    fetcher->began = true;
    ks_node *node = ks_process_node(fetcher->settings->process);
    KS_EMIT(kernel_of(fetcher), node, client_fetch_began, .client = ks_str(ks_node_name(node)),
            .group = fetcher->settings->group, .topic = fetcher->topic, .partition = fetcher->partition,
            .offset = fetcher->sent_offset);
}

static void fetched(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_fetcher *fetcher = owner;
    if (is_over(fetcher)) return;
    if (error) { /* the connection, or no answer within max_wait */
        reconnect(fetcher);
        return;
    }
    const ks_fetch_response *response = envelope->body;
    const ks_fetch_response_partition_data *data = NULL;
    if (response->responses.count > 0 && response->responses.items[0].partitions.count > 0)
        data = &response->responses.items[0].partitions.items[0];
    kafka_error code = (kafka_error)response->error_code;
    if (code == KAFKA_OK) code = data ? (kafka_error)data->error_code : KAFKA_ERR_REQUEST_TIMED_OUT;
    if (code == KAFKA_OK) tell_began(fetcher);
    if (code == KAFKA_OK && data->records.size <= 0)
        code = KAFKA_ERR_REQUEST_TIMED_OUT; /* empty counts as that in kafka-go */
    if (code)
        fetch_failed(fetcher, code);
    else
        got_records(fetcher, envelope, data);
}

static void send_fetch(ks_fetcher *fetcher) {
    fetcher->sent_at = ks_now(kernel_of(fetcher));
    fetcher->sent_offset = fetcher->offset;
    ks_ask_send(&fetcher->fetch, fetcher->settings->process, fetcher->channel, fetch_request(fetcher),
                fetcher->settings->max_wait_ns, fetched, fetcher);
}

/* A fetch at an idle partition is background work, and so is all that comes of it until it brings records. */
static void fetch(ks_fetcher *fetcher) {
    if (fetcher->idle && !ks_in_background(kernel_of(fetcher))) {
        pause_then(fetcher, 0, KS_THEN_FETCH);
        return;
    }
    fetcher->state = KS_FETCHER_FETCHING;
    send_fetch(fetcher);
}

/* ---- delivering ---- */

static void records_delivered(ks_fetcher *fetcher) {
    kafka_error error = fetcher->records.failed ? fetcher->records.error : KAFKA_OK;
    bool at_end = fetcher->offset >= fetcher->high_watermark;
    ks_fetcher_close_records(fetcher);
    if (error) {
        fetch_failed(fetcher, error == KAFKA_ERR_UNSUPPORTED_COMPRESSION_TYPE ? error : KAFKA_ERR_CORRUPT_MESSAGE);
        return;
    }
    fetcher->idle = at_end;
    if (fetcher->offset > fetcher->sent_offset)
        fetch(fetcher);
    else
        fetch_at_once(fetcher); /* not even one whole batch */
}

static void push_error(ks_fetcher *fetcher, ks_fetched *place) {
    *place = (ks_fetched){ .version = fetcher->version, .source = fetcher->source, .error = fetcher->to_deliver };
    fetcher->to_deliver = KAFKA_OK;
    ks_fetcher_queue_pushed(fetcher->queue);
    error_delivered(fetcher);
}

/* Pushes as much as there is room for. It never waits with nothing in hand: as soon as the last record is in the queue the
 * next fetch goes out. */
static void deliver(ks_fetcher *fetcher) {
    while (fetcher->to_deliver || ks_fetcher_more_records(fetcher)) {
        ks_fetched *place = ks_fetcher_queue_place(fetcher->queue);
        if (place == NULL) {
            ks_fetcher_queue_block(fetcher->queue, fetcher);
            return;
        }
        if (fetcher->to_deliver) {
            push_error(fetcher, place);
            return;
        }
        if (ks_fetcher_next_record(fetcher, place))
            ks_fetcher_queue_pushed(fetcher->queue);
        else if (fetcher->records.failed)
            break;
    }
    records_delivered(fetcher);
}

void ks_fetcher_unblocked(ks_fetcher *fetcher) { deliver(fetcher); }

/* ---- life ---- */

void ks_fetcher_start(ks_fetcher *fetcher, int64_t offset) {
    fetcher->offset = offset;
    fetcher->dial = (ks_leader_dial){ .process = fetcher->settings->process,
                                      .seeds = &fetcher->settings->seeds,
                                      .topic = fetcher->topic,
                                      .partition = fetcher->partition,
                                      .dial_timeout_ns = fetcher->settings->dial_timeout_ns,
                                      .done = dialled,
                                      .trouble = lookup_repeated,
                                      .owner = fetcher };
    ks_leader_dial_init(&fetcher->dial);
    ks_timer_init(&fetcher->timer, ks_process_node(fetcher->settings->process), pause_over, fetcher);
    fetcher->then = KS_THEN_DIAL;
    go_on(fetcher);
}

void ks_fetcher_abort(ks_fetcher *fetcher) {
    if (fetcher->settings == NULL) return;
    ks_timer_stop(&fetcher->timer);
    ks_leader_dial_stop(&fetcher->dial);
    hang_up(fetcher);
    ks_fetcher_queue_unblock(fetcher->queue, fetcher);
    ks_fetcher_close_records(fetcher);
    ks_free(fetcher->aborted.items);
    ks_free(fetcher->aborted_producers.items);
    fetcher->aborted.items = NULL;
    fetcher->aborted_producers.items = NULL;
    fetcher->state = KS_FETCHER_STOPPED;
    fetcher->stopping = false;
}

bool ks_fetcher_stop(ks_fetcher *fetcher) {
    if (fetcher->settings->uninterruptible && fetcher->state == KS_FETCHER_FETCHING) {
        fetcher->stopping = true;
        return false;
    }
    ks_fetcher_abort(fetcher);
    return true;
}
