/* SPDX-License-Identifier: Apache-2.0
 *
 * The heartbeat actor (AbstractCoordinator.HeartbeatThread): lives beside the application, from the answer to JoinGroup until the
 * member is out. One timer stands for its three: when the next heartbeat is due, when the session is over as this side sees
 * it, and when the application has not polled for max.poll.interval.ms. */
#include "sim/client/java_internal.h"

static bool enabled(const ks_consumer *c) {
    return c->state == KS_MEMBER_COMPLETING_REBALANCE || c->state == KS_MEMBER_STABLE;
}

static bool poll_is_overdue(const ks_consumer *c) { return !c->polling && ks_java_now(c) >= c->poll_deadline; }

void ks_java_heartbeat_schedule(ks_consumer *c) {
    if (!enabled(c) || c->closing != KS_CLOSING_NOT) {
        ks_timer_stop(&c->heartbeat_timer);
        return;
    }
    int64_t at = c->next_heartbeat, now = ks_java_now(c);
    if (c->coordinator < 0) at = INT64_MAX; /* until it is found */
    else if (c->session_deadline < at) at = c->session_deadline;
    if (!c->polling && c->poll_deadline < at) at = c->poll_deadline;
    if (at == INT64_MAX) ks_timer_stop(&c->heartbeat_timer);
    else ks_timer_start_background(c->kernel, &c->heartbeat_timer, at > now ? at - now : 0);
}

void ks_java_heartbeat_enable(ks_consumer *c) {
    int64_t now = ks_java_now(c);
    c->next_heartbeat = now + c->config.heartbeat_interval_ms * KS_MS;
    c->session_deadline = now + c->config.session_timeout_ms * KS_MS;
    c->poll_deadline = now + c->config.max_poll_interval_ms * KS_MS;
    c->heartbeat_failures = 0;
    ks_java_heartbeat_schedule(c);
}

void ks_java_heartbeat_polled(ks_consumer *c) { c->poll_deadline = ks_java_now(c) + c->config.max_poll_interval_ms * KS_MS; }

/* ---- answers ---- */

static void retry_later(ks_consumer *c) {
    int64_t pause = c->config.retry_backoff_ms;
    for (int32_t i = 0; i < c->heartbeat_failures && pause < c->config.retry_backoff_max_ms; i++) pause *= 2;
    if (pause > c->config.retry_backoff_max_ms) pause = c->config.retry_backoff_max_ms;
    c->heartbeat_failures++;
    c->next_heartbeat = ks_java_now(c) + pause * KS_MS;
}

static void fenced(ks_consumer *c, kafka_error error) {
    ks_progress(c->kernel);
    ks_buffer reason = { 0 };
    ks_buffer_printf(&reason, "encountered %s from HEARTBEAT response", kafka_error_name(error));
    ks_java_reset_generation(c, error == KAFKA_ERR_ILLEGAL_GENERATION, error == KAFKA_ERR_ILLEGAL_GENERATION ? "illegal_generation" : error == KAFKA_ERR_UNKNOWN_MEMBER_ID ? "unknown_member" : "fenced");
    ks_java_request_rejoin(c, (const char *)reason.data);
    ks_buffer_deinit(&reason);
    if (error == KAFKA_ERR_FENCED_INSTANCE_ID) ks_java_fail(c, error);
}

static void succeeded(ks_consumer *c) {
    c->session_deadline = ks_java_now(c) + c->config.session_timeout_ms * KS_MS;
    c->heartbeat_failures = 0;
}

static void answered(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_consumer *c = owner;
    c->heartbeat_in_flight = false;
    if (error == KAFKA_OK) error = (kafka_error)((const ks_heartbeat_response *)envelope->body)->error_code;
    bool current = c->heartbeat_generation == c->generation;
    switch ((int)error) {
    case KAFKA_OK:
        succeeded(c);
        break;
    case KAFKA_ERR_REBALANCE_IN_PROGRESS:
        ks_java_fetch_partitions_ahead(c);
        if (c->spare_op) ks_prefetch(c->spare_op, 7);
        succeeded(c);
        if (c->state == KS_MEMBER_STABLE && !c->rejoin_needed) {
            ks_progress(c->kernel);
            ks_java_request_rejoin(c, "group is already rebalancing");
        }
        break;
    case KAFKA_ERR_ILLEGAL_GENERATION:
    case KAFKA_ERR_UNKNOWN_MEMBER_ID:
    case KAFKA_ERR_FENCED_INSTANCE_ID:
        if (current) fenced(c, error);
        break;
    case KAFKA_ERR_GROUP_AUTHORIZATION_FAILED:
        ks_java_fail(c, error);
        break;
    default: /* no answer, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR */
        retry_later(c);
        ks_java_coordinator_lost(c);
        break;
    }
    ks_java_heartbeat_schedule(c);
}

static void send_heartbeat(ks_consumer *c) {
    c->next_heartbeat = ks_java_now(c) + c->config.heartbeat_interval_ms * KS_MS;
    if (c->heartbeat_in_flight) return; /* a coordinator that does not answer gets no second one */
    ks_envelope *envelope = ks_java_request(c->network, KS_API_heartbeat, -1);
    ks_heartbeat_request *request = envelope->body;
    request->group_id = ks_arena_string(envelope->arena, c->group_id);
    request->generation_id = c->generation;
    request->member_id = ks_arena_string(envelope->arena, c->member_id);
    request->group_instance_id = ks_arena_string(envelope->arena, c->instance_id);
    c->heartbeat_in_flight = true;
    c->heartbeat_generation = c->generation;
    ks_java_send(c->network, ks_java_coordinator_node(c), envelope, 0, answered, c);
}

void ks_java_heartbeat_fired(ks_timer *timer) {
    ks_consumer *c = timer->owner;
    if (!enabled(c)) return;
    int64_t now = ks_java_now(c);
    if (poll_is_overdue(c)) {
        ks_progress(c->kernel);
        ks_java_leave(c, "consumer poll timeout has expired.", NULL, NULL);
        ks_java_request_rejoin(c, "consumer pro-actively leaving the group");
        return;
    }
    if (c->coordinator >= 0 && now >= c->session_deadline) {
        c->session_deadline = now + c->config.session_timeout_ms * KS_MS;
        ks_java_coordinator_lost(c);
    } else if (c->coordinator >= 0 && now >= c->next_heartbeat) {
        send_heartbeat(c);
    }
    ks_java_heartbeat_schedule(c);
}

/* ---- leaving ---- */

bool ks_java_would_leave(const ks_consumer *c) {
    return c->instance_id.size < 0 && c->coordinator >= 0 && c->state != KS_MEMBER_UNJOINED && c->member_id.size > 0;
}

/* A member that only has a pending id leaves too: it frees the barrier for the others. */
void ks_java_leave(ks_consumer *c, const char *reason, ks_reply_fn *reply, void *owner) {
    if (ks_java_would_leave(c)) {
        ks_envelope *envelope = ks_java_request(c->network, KS_API_leave_group, -1);
        ks_leave_group_request *request = envelope->body;
        request->group_id = ks_arena_string(envelope->arena, c->group_id);
        ks_string member = ks_arena_string(envelope->arena, c->member_id);
        if (envelope->api_version >= 3) {
            ks_leave_group_request_member_identity *identity = ks_arena_alloc(envelope->arena, sizeof *identity);
            ks_struct_default(ks_describe_leave_group_request_member_identity(), identity);
            identity->member_id = member;
            identity->group_instance_id = ks_arena_string(envelope->arena, c->instance_id);
            identity->reason = ks_arena_string(envelope->arena, ks_str(reason));
            request->members.items = identity;
            request->members.count = 1;
        } else {
            request->member_id = member;
        }
        ks_java_send(c->network, ks_java_coordinator_node(c), envelope, 0, reply, owner);
    }
    ks_java_reset_generation(c, false, "left");
}
