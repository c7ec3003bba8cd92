/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of a membership (ConsumerCoordinator.close, onLeavePrepare, KafkaConsumer.unsubscribe). Closing: commit positions when
 * auto-commit is on, wait for commits under way, revoked or lost, LeaveGroup of dynamic members, the end of the fetch sessions.
 * Without time nothing of it is left out but the waiting, and a classic member's word to its fetch sessions. Unsubscribing does the
 * same without the first and the last. */
#include "sim/client/java_internal.h"

void ks_java_shut_down(ks_consumer *c) {
    ks_timer *timers[] = { &c->step_timer, &c->wake_timer, &c->coordinator_timer, &c->heartbeat_timer, &c->fetch_timer, &c->close_timer };
    for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) ks_timer_stop(timers[i]);
    if (c->modern) ks_java_modern_free(c);
    ks_java_ops_free(c);
    c->auto_commit = c->prepare_commit = c->committed_lookup = NULL;
    ks_java_network_free(c->network);
    c->network = NULL;
    ks_java_metadata_free(c->metadata);
    c->metadata = NULL;
    ks_java_fetch_free(c);
    ks_java_drain_free(c);
    if (c->join_response) ks_envelope_free(c->kernel, c->join_response);
    if (c->leader_response) ks_envelope_free(c->kernel, c->leader_response);
    c->join_response = c->leader_response = NULL;
    ks_process_watch_stop(&c->watch);
}

/* ---- steps ---- */

static void commit_done(ks_offset_op *op, kafka_error error) {
    ks_consumer *c = op->consumer;
    c->close_error = error;
    c->close_commit = NULL;
    c->closing = KS_CLOSING_CALLBACK;
    ks_java_wake(c);
}

static bool commits_under_way(const ks_consumer *c) {
    for (const ks_offset_op *op = c->ops; op; op = op->next)
        if (op->kind == KS_OP_COMMIT) return true;
    return false;
}

/* Who has no time at all says it and does not listen, if it knows where to (commitOffsetsSync with an expired timer). */
static void begin_commit(ks_consumer *c) {
    bool wanted = c->config.enable_auto_commit && c->partitions.count > 0 && c->network && !c->fatal &&
                  (c->mode == KS_MODE_ASSIGNED || c->state == KS_MEMBER_STABLE);
    c->closing = KS_CLOSING_CALLBACK;
    int64_t left = c->close_deadline - ks_java_now(c);
    if (!wanted) return;
    if (left <= 0) {
        if (c->coordinator >= 0) ks_java_op_go(ks_java_op_commit_all(c, 0, NULL));
        return;
    }
    c->closing = KS_CLOSING_COMMIT;
    c->close_commit = ks_java_op_commit_all(c, left, commit_done);
    ks_java_op_go(c->close_commit);
}

static ks_poll_result give_up_callback(ks_consumer *c) {
    const ks_topic_partitions *owned;
    int32_t count = c->mode == KS_MODE_SUBSCRIBED ? ks_consumer_assignment(c, &owned) : 0;
    if (count == 0) return KS_POLL_WAITING;
    bool lost = ks_java_generation_is_reset(c) || ks_java_rebalance_in_progress(c);
    ks_arena_reset(c->callback_arena);
    return ks_java_call_back(c, lost ? KS_PARTITIONS_LOST : KS_PARTITIONS_REVOKED, owned, count);
}

static void left_group(void *owner, kafka_error error, const ks_envelope *response) {
    (void)error, (void)response; /* best effort */
    ks_consumer *c = owner;
    c->left = true;
    ks_java_wake(c);
}

static void leave(ks_consumer *c, const char *reason) {
    if (c->modern) {
        c->left = !ks_java_modern_leave(c, left_group, c);
        return;
    }
    c->left = !ks_java_would_leave(c);
    ks_java_leave(c, reason, left_group, c);
}

void ks_java_close_callback_done(ks_consumer *c) {
    if (c->unsubscribing) c->unsubscribe_called = true;
    else if (c->closing == KS_CLOSING_CALLED) c->closing = KS_CLOSING_LEAVE;
    ks_java_set_assignment(c, NULL, 0);
    ks_java_wake(c);
}

ks_poll_result ks_java_close_step(ks_consumer *c) {
    bool late = ks_java_now(c) >= c->close_deadline;
    switch (c->closing) {
    case KS_CLOSING_NOT:
        return KS_POLL_WAITING;
    case KS_CLOSING_COMMIT:
        return KS_POLL_WAITING; /* commit_done goes on, at the latest at the deadline */
    case KS_CLOSING_CALLBACK:
        if (commits_under_way(c) && !late) return KS_POLL_WAITING;
        c->closing = KS_CLOSING_CALLED;
        if (give_up_callback(c) == KS_POLL_CALLBACK) return KS_POLL_CALLBACK;
        c->closing = KS_CLOSING_LEAVE;
        /* fall through */
    case KS_CLOSING_LEAVE:
        if (c->stage != KS_STAGE_LEAVING) {
            c->stage = KS_STAGE_LEAVING;
            leave(c, "the consumer is being closed");
        }
        if (!c->left && !late) return KS_POLL_WAITING;
        c->closing = KS_CLOSING_FETCHES;
        c->generation = -1;
        ks_java_set_assignment(c, NULL, 0);
        if (!late || c->modern) ks_java_fetch_say_goodbye(c); /* the network thread of KIP-848 clients says it in any case */
        /* fall through */
    case KS_CLOSING_FETCHES:
        if (c->fetches_closing > 0 && !late) return KS_POLL_WAITING; /* behind a fetch that waits for data: up to fetch.max.wait.ms */
        c->closing = KS_CLOSING_DONE;
        ks_java_shut_down(c);
        /* fall through */
    case KS_CLOSING_DONE:
        return KS_POLL_DONE;
    case KS_CLOSING_CALLED:
        return KS_POLL_WAITING; /* with the application */
    }
    return KS_POLL_WAITING;
}

void ks_java_close_fired(ks_timer *timer) { ks_java_wake(timer->owner); }

void ks_consumer_close(ks_consumer *c, int64_t timeout_ns) {
    if (c->closing || c->dead) return;
    c->close_deadline = ks_java_now(c) + timeout_ns;
    ks_timer_stop(&c->heartbeat_timer);
    ks_timer_start(c->kernel, &c->close_timer, timeout_ns);
    begin_commit(c);
}

bool ks_consumer_is_closed(const ks_consumer *c) { return c->closing == KS_CLOSING_DONE || c->dead; }

kafka_error ks_consumer_close_error(const ks_consumer *c, const char **what) {
    *what = c->close_error ? "the last commit" : "a callback of the rebalance listener";
    return c->close_error || c->closing != KS_CLOSING_DONE ? c->close_error : c->callback_error;
}

/* ---- unsubscribe ---- */

void ks_consumer_unsubscribe(ks_consumer *c) {
    c->unsubscribing = true;
    c->unsubscribe_called = false;
    if (!c->dead) ks_java_drain_free(c);
}

static void forget_topics(ks_consumer *c) {
    for (int32_t i = 0; i < c->subscription.count; i++) {
        ks_java_metadata_unwant(c->metadata, c->subscription.items[i]);
        ks_free((void *)c->subscription.items[i].data);
    }
    c->subscription.count = 0;
}

ks_poll_result ks_java_unsubscribe_step(ks_consumer *c) {
    if (!c->unsubscribe_called && c->mode == KS_MODE_SUBSCRIBED) {
        c->unsubscribe_called = true;
        if (give_up_callback(c) == KS_POLL_CALLBACK) return KS_POLL_CALLBACK;
    }
    if (c->mode == KS_MODE_SUBSCRIBED) {
        bool joining = c->joins_under_way > 0;
        if (c->modern) ks_java_modern_leave(c, NULL, NULL);
        else ks_java_leave(c, "the consumer unsubscribed from all topics", NULL, NULL);
        ks_java_rebalance_reset(c);
        ks_java_request_rejoin(c, joining ? "rebalance failed due to UnjoinedGroupException" : "consumer pro-actively leaving the group");
    }
    forget_topics(c);
    ks_java_set_assignment(c, NULL, 0);
    c->mode = KS_MODE_NONE;
    c->unsubscribing = false;
    return KS_POLL_DONE;
}
