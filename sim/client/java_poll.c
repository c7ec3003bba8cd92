/* SPDX-License-Identifier: Apache-2.0
 *
 * What one poll does, in order (KafkaConsumer.poll, ConsumerCoordinator.poll): what is left of a rebalance, auto-commit,
 * positions, records that are buffered, else fetches. One look goes through all of it; while the application waits in its poll,
 * every answer, timer and metadata change looks again, and the application is woken only for what concerns it. */
#include "sim/client/java_internal.h"

#include <stdarg.h>
#include <stdio.h>

void ks_java_wake(ks_consumer *c) {
    if (c->stepping) c->again = true;
    else if (c->replying) c->wake_pending = true;
    else if (c->polling && !c->has_result && !ks_timer_is_running(&c->step_timer)) ks_timer_start(c->kernel, &c->step_timer, 0);
}

void ks_java_wake_at(ks_consumer *c, int64_t time) {
    int64_t now = ks_java_now(c);
    if (ks_timer_is_running(&c->wake_timer) && c->wake_timer.deadline <= time) return;
    ks_timer_start_background(c->kernel, &c->wake_timer, time > now ? time - now : 0);
}

void ks_java_fail_with(ks_consumer *c, kafka_error error, const char *format, ...) {
    if (c->error == KAFKA_OK) {
        char text[512];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        ks_free(c->detail);
        c->detail = ks_strndup(text, strlen(text));
        c->error = error;
    }
    ks_java_wake(c);
}

void ks_java_fail(ks_consumer *c, kafka_error error) {
    ks_java_fail_with(c, error, "%s (group %s)", kafka_error_text(error), c->group_id.size > 0 ? c->group_id.data : "none");
}

void ks_java_fail_for_good(ks_consumer *c, kafka_error error) {
    ks_java_fail(c, error);
    c->fatal = error;
}

static ks_poll_result failed(ks_consumer *c) {
    c->last_error = c->dead ? KAFKA_ERR_NODE_CRASHED : c->fatal ? c->fatal : c->error;
    c->error = KAFKA_OK;
    return KS_POLL_FAILED;
}

/* KafkaConsumer.position: nothing but what a position needs. */
static ks_poll_result look_for_position(ks_consumer *c) {
    if (c->fatal || c->error) return failed(c);
    c->positions_missing = true;
    ks_java_update_positions(c);
    if (c->error) return failed(c);
    const ks_java_partition *p = ks_java_partition_find(c, c->wanted_position);
    return p == NULL || p->state == KS_FETCH_FETCHING ? KS_POLL_DONE : KS_POLL_WAITING;
}

static ks_poll_result look(ks_consumer *c) {
    if (c->dead) return failed(c);
    if (c->only_position) return look_for_position(c);
    if (c->callback_out) return KS_POLL_WAITING;
    if (c->unsubscribing) return ks_java_unsubscribe_step(c);
    if (c->closing) return ks_java_close_step(c);
    if (c->fatal && c->modern && c->partitions.count > 0 && c->mode == KS_MODE_SUBSCRIBED) { /* what it had is lost before that is thrown */
        ks_poll_result result = ks_java_modern_step(c);
        if (result != KS_POLL_WAITING) return result;
    }
    if (c->fatal || c->error) return failed(c);
    if (c->mode == KS_MODE_NONE) return KS_POLL_WAITING;
    if (c->mode == KS_MODE_SUBSCRIBED) {
        ks_poll_result result = c->modern ? ks_java_modern_step(c) : ks_java_rebalance_step(c);
        if (result != KS_POLL_WAITING) return result;
    }
    if (c->modern || c->mode != KS_MODE_SUBSCRIBED || c->stage == KS_STAGE_IDLE) ks_java_auto_commit(c); /* else join prepare does */
    ks_java_update_positions(c);
    if (c->fatal || c->error) return failed(c);
    if (ks_java_drain_has_records(c)) {
        c->take_left = (int32_t)c->config.max_poll_records;
        return KS_POLL_RECORDS;
    }
    if (c->error) return failed(c);
    ks_java_fetch_soon(c);
    return KS_POLL_WAITING;
}

static ks_poll_result look_until_settled(ks_consumer *c) {
    ks_poll_result result;
    c->stepping = true;
    do {
        c->again = false;
        result = look(c);
    } while (result == KS_POLL_WAITING && c->again);
    c->stepping = false;
    return result;
}

ks_poll_result ks_consumer_step_position(ks_consumer *c, ks_string topic, int32_t partition) {
    c->only_position = true;
    c->wanted_position = (ks_java_key){ ks_java_name_index(c, topic), partition };
    c->has_result = false;
    return look_until_settled(c);
}

ks_poll_result ks_consumer_step(ks_consumer *c) {
    if (c->has_result) {
        c->has_result = false;
        return c->result;
    }
    return look_until_settled(c);
}

void ks_java_step_fired(ks_timer *timer) { ks_java_step_now(timer->owner); }

void ks_java_step_now(ks_consumer *c) {
    c->wake_pending = false;
    if (!c->polling || c->has_result || (c->callback_out && !c->only_position)) return;
    ks_prefetch(c, (int32_t)(offsetof(ks_consumer, protocol_name) / KS_LINE));
    ks_poll_result result = look_until_settled(c);
    if (result == KS_POLL_WAITING) return;
    c->has_result = true;
    c->result = result;
    if (c->events.wake) c->events.wake(c->events.owner);
}

kafka_error ks_consumer_error(const ks_consumer *c) { return c->last_error; }
const char *ks_consumer_error_detail(const ks_consumer *c) {
    return c->dead ? kafka_error_text(KAFKA_ERR_NODE_CRASHED) : c->detail ? c->detail : "";
}
bool ks_consumer_reads(const ks_consumer *c) { return c->mode != KS_MODE_NONE; }

void ks_consumer_poll_begin(ks_consumer *c) {
    c->polling = true;
    c->has_result = c->fetch_ahead = false;
    ks_java_heartbeat_polled(c);
}

void ks_consumer_poll_end(ks_consumer *c) {
    c->polling = c->has_result = c->only_position = false;
    ks_java_drain_report(c);
    ks_timer_stop(&c->step_timer);
    ks_timer_stop(&c->wake_timer);
    if (c->dead) return;
    if (c->fetch_ahead) ks_java_fetch_soon(c);
    ks_java_heartbeat_polled(c);
    if (!c->modern && ks_timer_is_running(&c->heartbeat_timer) && c->heartbeat_timer.deadline > c->poll_deadline) ks_java_heartbeat_schedule(c);
}

/* ---- callbacks ---- */

ks_rebalance_event ks_consumer_callback(const ks_consumer *c, const ks_topic_partitions **topics, int32_t *count) {
    *topics = c->callback_topics;
    *count = c->callback_topic_count;
    return c->callback_event;
}

void ks_consumer_callback_done(ks_consumer *c, kafka_error error) {
    if (!c->callback_out) return;
    c->callback_out = false;
    if (error && c->callback_error == KAFKA_OK) c->callback_error = error;
    if (c->dead) return;
    if (c->unsubscribing || c->closing) ks_java_close_callback_done(c);
    else if (c->modern) ks_java_modern_callback_done(c);
    else ks_java_rebalance_callback_done(c);
}
