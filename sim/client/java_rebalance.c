/* SPDX-License-Identifier: Apache-2.0
 *
 * The application's side of a rebalance, classic protocol (ConsumerCoordinator.onJoinPrepare, onJoinComplete): what must be
 * committed and given up before JoinGroup, and what the assignment changes afterwards. Which callback fires when:
 *
 *   join prepare, generation valid   EAGER revoked(all), even if empty; COOPERATIVE revoked(topics no longer subscribed)
 *   join prepare, generation lost    lost(all), if any
 *   assignment, COOPERATIVE          revoked(owned - new), if any, and then another rebalance; assigned(new - owned)
 *   assignment, EAGER                assigned(new) */
#include "sim/client/java_internal.h"

static void emit_callback(ks_consumer *c) {
    ks_buffer text = { 0 };
    ks_topic_partitions_print(c->callback_topics, c->callback_topic_count, &text);
    ks_string partitions = { text.data ? (const char *)text.data : "", (int32_t)text.size };
    ks_string client = ks_str(ks_node_name(c->node));
    switch (c->callback_event) {
    case KS_PARTITIONS_ASSIGNED:
        KS_EMIT(c->kernel, c->node, client_partitions_assigned, client, c->group_id, c->member_id, c->generation, partitions);
        break;
    case KS_PARTITIONS_REVOKED:
        KS_EMIT(c->kernel, c->node, client_partitions_revoked, client, c->group_id, c->member_id, c->generation, partitions);
        break;
    case KS_PARTITIONS_LOST:
        KS_EMIT(c->kernel, c->node, client_partitions_lost, client, c->group_id, c->member_id, c->generation, partitions);
        break;
    }
    ks_buffer_deinit(&text);
}

/* `topics` lie in the callback arena, in order. */
static ks_poll_result call_back_with(ks_consumer *c, ks_rebalance_event event, ks_topic_partitions *topics, int32_t count) {
    for (int32_t i = 0; i < count; i++) topics[i].topic = ks_java_key_topic(c, (ks_java_key){ ks_java_name_index(c, topics[i].topic), 0 });
    c->callback_event = event;
    c->callback_topics = topics;
    c->callback_topic_count = count;
    c->callback_out = true;
    emit_callback(c);
    return KS_POLL_CALLBACK;
}

ks_poll_result ks_java_call_back(ks_consumer *c, ks_rebalance_event event, const ks_topic_partitions *topics, int32_t count) {
    /* `topics` may lie in the callback arena itself: sort into a new place, then forget nothing until the next callback. */
    ks_topic_partitions *sorted = ks_java_sorted_copy(topics, count, c->callback_arena, &count);
    return call_back_with(c, event, sorted, count);
}

bool ks_java_rebalance_in_progress(const ks_consumer *c) {
    return c->state == KS_MEMBER_PREPARING_REBALANCE || c->state == KS_MEMBER_COMPLETING_REBALANCE;
}

void ks_java_rebalance_reset(ks_consumer *c) {
    c->stage = KS_STAGE_IDLE;
    c->prepared = false;
    c->rejoin_needed = true;
    c->leader = false;
    c->snapshot = 0;
    c->has_joined_subscription = false;
    if (c->join_response) ks_envelope_free(c->kernel, c->join_response);
    if (c->leader_response) ks_envelope_free(c->kernel, c->leader_response);
    c->join_response = c->leader_response = NULL;
    c->join_here = false;
    c->join_not_before = 0;
    ks_java_watch_topics(c, NULL, 0);
}

/* ---- is one needed? ---- */

bool ks_java_subscription_differs(const ks_consumer *c) {
    if (c->joined_subscription.count != c->subscription.count) return true;
    for (int32_t i = 0; i < c->subscription.count; i++)
        if (!ks_string_equal(c->joined_subscription.items[i], c->subscription.items[i])) return true;
    return false;
}

static bool leader_sees_other_metadata(ks_consumer *c) {
    if (!c->leader || c->snapshot == 0 || c->snapshot_version == ks_java_metadata_version(c->metadata)) return false;
    c->snapshot_version = ks_java_metadata_version(c->metadata);
    return ks_java_metadata_snapshot(c) != c->snapshot;
}

static bool rejoin_needed(ks_consumer *c) {
    if (c->rejoin_needed) return true;
    if (leader_sees_other_metadata(c)) {
        ks_java_request_rejoin(c, "cached metadata has changed");
        return true;
    }
    if (c->has_joined_subscription && ks_java_subscription_differs(c)) {
        ks_java_request_rejoin(c, "subscription has changed");
        return true;
    }
    return false;
}

/* ---- before JoinGroup ---- */

static void prepare_committed(ks_offset_op *op, kafka_error error) {
    (void)error; /* a failure that cannot be retried is ignored */
    ks_consumer *c = op->consumer;
    c->prepare_commit = NULL;
    ks_java_wake(c);
}

static void begin_prepare(ks_consumer *c) {
    c->stage = KS_STAGE_COMMITTING;
    c->leader = false;
    c->snapshot = 0;
    if (!c->config.enable_auto_commit) return;
    if (c->config.protocol == KS_REBALANCE_EAGER)
        KS_EACH_PARTITION(p, c) p->pending_revocation = true;
    c->fetch_changes++;
    if (c->config.protocol == KS_REBALANCE_EAGER) ks_java_fetch_nothing(c);
    if (c->partitions.count == 0 || ks_java_generation_is_reset(c) || c->state != KS_MEMBER_STABLE) return;
    c->prepare_commit = ks_java_op_commit_all(c, c->config.max_poll_interval_ms * KS_MS, prepare_committed);
    ks_java_op_go(c->prepare_commit);
}

static ks_poll_result let_go(ks_consumer *c) {
    const ks_topic_partitions *owned;
    int32_t count = ks_consumer_assignment(c, &owned);
    ks_arena_reset(c->callback_arena);
    c->stage = KS_STAGE_LETTING_GO;
    c->let_go_of_all = ks_java_generation_is_reset(c) || c->config.protocol == KS_REBALANCE_EAGER;
    if (ks_java_generation_is_reset(c)) {
        if (count > 0) return ks_java_call_back(c, KS_PARTITIONS_LOST, owned, count);
    } else if (c->config.protocol == KS_REBALANCE_EAGER) {
        return ks_java_call_back(c, KS_PARTITIONS_REVOKED, owned, count);
    } else {
        ks_topic_partitions *gone = ks_arena_alloc(c->callback_arena, ((size_t)count + 1) * sizeof *gone);
        int32_t gone_count = 0;
        for (int32_t i = 0; i < count; i++)
            if (!ks_java_subscribed_to(c, owned[i].topic)) gone[gone_count++] = owned[i];
        if (gone_count > 0) return ks_java_call_back(c, KS_PARTITIONS_REVOKED, gone, gone_count);
    }
    ks_java_rebalance_callback_done(c);
    return KS_POLL_WAITING;
}

static bool may_be_sticky(const ks_consumer *c) {
    for (int32_t i = 0; i < c->config.assignor_count; i++)
        if (ks_java_is_sticky(&c->config.assignors[i])) return true;
    return false;
}

/* What "sticky" will tell the next leader: its assignment of the generation that ends here. */
static void remember_for_sticky(ks_consumer *c) {
    if (c->config.protocol != KS_REBALANCE_EAGER || ks_java_generation_is_reset(c) || !may_be_sticky(c)) return;
    const ks_topic_partitions *owned;
    int32_t count = ks_consumer_assignment(c, &owned);
    ks_arena_reset(c->sticky_arena);
    c->sticky_owned = ks_java_sorted_copy(owned, count, c->sticky_arena, &c->sticky_owned_count);
    c->sticky_generation = c->stable_generation;
}

static void let_go_done(ks_consumer *c) {
    remember_for_sticky(c);
    if (c->let_go_of_all) {
        ks_java_set_assignment(c, NULL, 0);
    } else {
        const ks_topic_partitions *owned;
        int32_t count = ks_consumer_assignment(c, &owned), kept = 0;
        ks_arena *arena = ks_arena_new();
        ks_topic_partitions *keep = ks_arena_alloc(arena, ((size_t)count + 1) * sizeof *keep);
        for (int32_t i = 0; i < count; i++)
            if (ks_java_subscribed_to(c, owned[i].topic)) keep[kept++] = owned[i];
        if (kept < count) ks_java_set_assignment(c, ks_java_sorted(keep, kept, arena, &kept), kept);
        ks_arena_free(arena);
    }
    c->prepared = true;
    c->stage = KS_STAGE_READY;
}

/* ---- after SyncGroup ---- */

static void read_assignment(ks_consumer *c) {
    ks_assignment assignment = { 0 };
    ks_arena_reset(c->callback_arena);
    c->assigned = NULL;
    c->assigned_count = 0;
    if (c->assignment_bytes.size <= 0) return;
    if (!ks_assignment_decode(c->assignment_bytes, c->callback_arena, &assignment)) return; /* as if it were empty */
    c->assigned = ks_java_sorted(assignment.topics, assignment.topic_count, c->callback_arena, &c->assigned_count);
}

static bool all_subscribed(const ks_consumer *c) {
    for (int32_t i = 0; i < c->assigned_count; i++)
        if (!ks_java_subscribed_to(c, c->assigned[i].topic)) return false;
    return true;
}

static ks_poll_result take_over(ks_consumer *c) {
    const ks_topic_partitions *owned;
    int32_t count = ks_consumer_assignment(c, &owned), added_count;
    ks_topic_partitions *added = ks_java_minus(c->assigned, c->assigned_count, owned, count, c->callback_arena, &added_count);
    if (c->config.enable_auto_commit) ks_java_auto_commit_restart(c);
    ks_java_set_assignment(c, c->assigned, c->assigned_count);
    c->stable_generation = c->generation;
    c->stage = KS_STAGE_ASSIGNING;
    return call_back_with(c, KS_PARTITIONS_ASSIGNED, added, added_count);
}

static void emit_generation(ks_consumer *c) {
    ks_buffer text = { 0 };
    ks_topic_partitions_print(c->assigned, c->assigned_count, &text);
    KS_EMIT(c->kernel, c->node, client_generation_started, .client = ks_str(ks_node_name(c->node)), .group = c->group_id,
            .member = c->member_id, .generation = c->generation, .protocol = c->protocol_name, .leader = c->leader,
            .partitions = { text.data ? (const char *)text.data : "", (int32_t)text.size });
    ks_buffer_deinit(&text);
}

static ks_poll_result complete(ks_consumer *c) {
    if (ks_java_generation_is_reset(c) || c->state != KS_MEMBER_STABLE) { /* a heartbeat took it away meanwhile */
        c->stage = KS_STAGE_READY;
        c->rejoin_needed = true;
        return KS_POLL_WAITING;
    }
    read_assignment(c);
    c->prepared = false;
    if (!all_subscribed(c)) { /* the subscription changed since JoinGroup */
        c->stage = KS_STAGE_IDLE;
        ks_java_request_rejoin(c, "received assignment doesn't match the current subscription");
        return KS_POLL_WAITING;
    }
    emit_generation(c);
    if (c->config.protocol == KS_REBALANCE_COOPERATIVE) {
        const ks_topic_partitions *owned;
        int32_t count = ks_consumer_assignment(c, &owned), revoked_count;
        ks_topic_partitions *revoked = ks_java_minus(owned, count, c->assigned, c->assigned_count, c->callback_arena, &revoked_count);
        if (revoked_count > 0) {
            c->stage = KS_STAGE_REVOKING;
            return call_back_with(c, KS_PARTITIONS_REVOKED, revoked, revoked_count);
        }
    }
    return take_over(c);
}

void ks_java_rebalance_callback_done(ks_consumer *c) {
    switch (c->stage) {
    case KS_STAGE_LETTING_GO:
        let_go_done(c);
        break;
    case KS_STAGE_REVOKING:
        ks_java_request_rejoin(c, "need to revoke partitions and re-join");
        c->stage = KS_STAGE_TAKING_OVER;
        break;
    case KS_STAGE_ASSIGNING:
        c->stage = KS_STAGE_IDLE;
        if (c->callback_error) ks_java_fail(c, c->callback_error);
        c->callback_error = KAFKA_OK;
        break;
    case KS_STAGE_IDLE: case KS_STAGE_COMMITTING: case KS_STAGE_READY: case KS_STAGE_JOINING: case KS_STAGE_SYNCED:
    case KS_STAGE_TAKING_OVER: case KS_STAGE_LEAVING:
        break;
    }
}

/* ---- one look ---- */

ks_poll_result ks_java_rebalance_step(ks_consumer *c) {
    for (;;) {
        ks_poll_result result;
        switch (c->stage) {
        case KS_STAGE_IDLE:
            if (!ks_java_coordinator_known(c) || !rejoin_needed(c)) return KS_POLL_WAITING;
            if (c->prepared) c->stage = KS_STAGE_READY;
            else begin_prepare(c);
            break;
        case KS_STAGE_COMMITTING:
            if (c->prepare_commit) return KS_POLL_WAITING;
            if ((result = let_go(c)) != KS_POLL_WAITING) return result;
            break;
        case KS_STAGE_READY:
            if (c->fatal || c->error) return KS_POLL_WAITING;
            if (c->join_not_before > ks_java_now(c)) {
                ks_java_wake_at(c, c->join_not_before);
                return KS_POLL_WAITING;
            }
            if (!ks_java_coordinator_known(c)) return KS_POLL_WAITING;
            ks_java_send_join(c);
            return KS_POLL_WAITING;
        case KS_STAGE_JOINING:
            if (!c->join_here) return KS_POLL_WAITING;
            ks_java_join_answered(c);
            break;
        case KS_STAGE_SYNCED:
            if ((result = complete(c)) != KS_POLL_WAITING) return result;
            break;
        case KS_STAGE_TAKING_OVER:
            return take_over(c);
        case KS_STAGE_LETTING_GO: case KS_STAGE_REVOKING: case KS_STAGE_ASSIGNING: case KS_STAGE_LEAVING:
            return KS_POLL_WAITING; /* with the application */
        }
    }
}
