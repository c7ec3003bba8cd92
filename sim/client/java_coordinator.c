/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding the group's coordinator (AbstractCoordinator.lookupCoordinator): FindCoordinator to whoever is least busy. The
 * connection to it is one of its own, so that heartbeats do not wait behind fetches. */
#include "sim/client/java_internal.h"

static void lookup(ks_consumer *c);

static int64_t backoff_ns(const ks_consumer *c, int32_t failures) {
    int64_t pause = c->config.retry_backoff_ms;
    for (int32_t i = 1; i < failures && pause < c->config.retry_backoff_max_ms; i++) pause *= 2;
    return (pause < c->config.retry_backoff_max_ms ? pause : c->config.retry_backoff_max_ms) * KS_MS;
}

static void failed(ks_consumer *c, kafka_error error) {
    c->coordinator_failures++;
    c->coordinator_retry_at = ks_java_now(c) + backoff_ns(c, c->coordinator_failures);
    ks_java_ops_coordinator_found(c, error);
    if (error == KAFKA_ERR_GROUP_AUTHORIZATION_FAILED || error == KAFKA_ERR_INVALID_GROUP_ID) {
        ks_java_fail(c, error);
        return;
    }
    ks_java_wake_at(c, c->coordinator_retry_at);
    /* While a member, the heartbeat actor looks again by itself. */
    if (c->state != KS_MEMBER_UNJOINED || c->ops || c->closing == KS_CLOSING_LEAVE || c->modern)
        ks_timer_start_background(c->kernel, &c->coordinator_timer, c->coordinator_retry_at - ks_java_now(c));
}

static void answered(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_consumer *c = owner;
    c->coordinator_lookup = false;
    if (error) {
        failed(c, KAFKA_ERR_COORDINATOR_NOT_AVAILABLE);
        return;
    }
    const ks_find_coordinator_response *response = envelope->body;
    int32_t id = response->node_id;
    error = (kafka_error)response->error_code;
    if (envelope->api_version >= 4) {
        if (response->coordinators.count == 0) {
            failed(c, KAFKA_ERR_COORDINATOR_NOT_AVAILABLE);
            return;
        }
        id = response->coordinators.items[0].node_id;
        error = (kafka_error)response->coordinators.items[0].error_code;
    }
    if (error == KAFKA_OK && !ks_java_metadata_broker(c->metadata, id)) {
        ks_java_metadata_refresh(c->metadata); /* it started after we last looked */
        error = KAFKA_ERR_COORDINATOR_NOT_AVAILABLE;
    }
    if (error) {
        failed(c, error);
        return;
    }
    c->coordinator = id;
    c->coordinator_failures = 0;
    if (c->state == KS_MEMBER_STABLE || c->state == KS_MEMBER_COMPLETING_REBALANCE)
        c->session_deadline = ks_java_now(c) + c->config.session_timeout_ms * KS_MS; /* heartbeat.resetSessionTimeout */
    ks_java_ops_coordinator_found(c, KAFKA_OK);
    if (c->modern) ks_java_modern_coordinator(c);
    else ks_java_heartbeat_schedule(c);
    ks_java_wake(c);
}

static void lookup(ks_consumer *c) {
    int32_t node;
    int64_t retry_at;
    if (c->coordinator_lookup || c->dead) return;
    if (c->coordinator_retry_at > ks_java_now(c)) {
        ks_java_wake_at(c, c->coordinator_retry_at);
        if (c->ops || c->state != KS_MEMBER_UNJOINED || c->modern)
            ks_timer_start_background(c->kernel, &c->coordinator_timer, c->coordinator_retry_at - ks_java_now(c));
        return;
    }
    if (!ks_java_least_loaded(c->network, &node, &retry_at)) {
        c->coordinator_retry_at = retry_at;
        ks_java_wake_at(c, retry_at);
        ks_timer_start_background(c->kernel, &c->coordinator_timer, retry_at - ks_java_now(c));
        return;
    }
    ks_envelope *envelope = ks_java_request(c->network, KS_API_find_coordinator, -1);
    ks_find_coordinator_request *request = envelope->body;
    ks_string group = ks_arena_string(envelope->arena, c->group_id);
    if (envelope->api_version >= 4) {
        request->coordinator_keys.items = ks_arena_alloc(envelope->arena, sizeof *request->coordinator_keys.items);
        request->coordinator_keys.items[0] = group;
        request->coordinator_keys.count = 1;
    } else {
        request->key = group;
    }
    c->coordinator_lookup = true;
    ks_java_send(c->network, node, envelope, 0, answered, c);
}

void ks_java_coordinator_timer(ks_timer *timer) {
    ks_consumer *c = timer->owner;
    if (c->coordinator < 0) lookup(c);
}

bool ks_java_coordinator_known(ks_consumer *c) {
    if (c->coordinator >= 0) return true;
    ks_java_metadata_begin(c->metadata);
    lookup(c);
    return false;
}

void ks_java_coordinator_lost(ks_consumer *c) {
    if (c->coordinator < 0) return;
    c->coordinator = -1;
    if (c->state == KS_MEMBER_STABLE || c->state == KS_MEMBER_COMPLETING_REBALANCE || c->ops || c->modern) lookup(c);
    ks_java_wake(c);
}
