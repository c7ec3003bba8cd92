/* SPDX-License-Identifier: Apache-2.0
 *
 * Classic members of a KIP-848 group: JoinGroup never waits and there is no leader; heartbeats tell when to rejoin
 * (Kafka's classicGroupJoinToConsumerGroup and its like). */
#include "sim/broker/group_consumer_internal.h"

#include "sim/protocol/consumer_protocol.h"
#include "sim/protocol/events.h"

static kafka_error identify_any(const ks_group *group, ks_string member_id, ks_string instance_id,
                                ks_consumer_member **member) {
    if (instance_id.size >= 0) {
        *member = ks_consumer_static_find(group, instance_id);
        if (*member == NULL) return KAFKA_ERR_UNKNOWN_MEMBER_ID;
        if (!ks_string_equal((*member)->id, member_id)) return KAFKA_ERR_FENCED_INSTANCE_ID;
    } else {
        *member = ks_consumer_member_find(group, member_id);
        if (*member == NULL) return KAFKA_ERR_UNKNOWN_MEMBER_ID;
    }
    return KAFKA_OK;
}

static kafka_error identify(const ks_group *group, ks_string member_id, ks_string instance_id,
                            ks_consumer_member **member) {
    kafka_error error = identify_any(group, member_id, instance_id, member);
    if (error != KAFKA_OK) return error;
    return (*member)->classic ? KAFKA_OK : KAFKA_ERR_UNKNOWN_MEMBER_ID;
}

static void expect_rejoin(ks_consumer_member *member, ks_effects *out) {
    if (member->join_timer) return; /* it has been told before */
    member->join_timer = true;
    ks_effect_timer_start(out, member->group, KS_GROUP_TIMER_MEMBER_JOIN, member->id, member->rebalance_timeout_ms);
}

/* ---- JoinGroup ---- */

/* At least one of the protocols must be listed by every classic member. O(classic members times protocols), at a join.
 */
static bool supports(const ks_group *group, const ks_join_group_request *join) {
    if (!ks_string_equal(join->protocol_type, KS_LITERAL("consumer")) || join->protocols.count <= 0) return false;
    const ks_consumer_group *consumer = group->consumer;
    for (int32_t i = 0; i < join->protocols.count; i++) {
        int32_t supporters = 0;
        for (int32_t m = 0; m < consumer->member_count && consumer->classics > 0; m++)
            for (int32_t p = 0; p < consumer->sorted[m]->protocol_count; p++)
                supporters += ks_string_equal(consumer->sorted[m]->protocols[p].name, join->protocols.items[i].name);
        if (supporters == consumer->classics) return true;
    }
    return false;
}

static kafka_error find_joiner(const ks_group *group, const ks_group_input *in, ks_string id,
                               ks_consumer_member **member) {
    const ks_join_group_request *join = in->join;
    if (join->group_instance_id.size < 0) {
        *member = ks_consumer_member_find(group, id); /* an unknown id is taken in under that id */
        return KAFKA_OK;
    }
    *member = ks_consumer_static_find(group, join->group_instance_id);
    if (join->member_id.size <= 0) return KAFKA_OK; /* new, or in the place of the former holder */
    if (*member == NULL) return KAFKA_ERR_UNKNOWN_MEMBER_ID;
    return ks_string_equal((*member)->id, id) ? KAFKA_OK : KAFKA_ERR_FENCED_INSTANCE_ID;
}

static ks_owned owned_by(const ks_group *group, const ks_subscription *subscription, const ks_group_topics *topics) {
    ks_owned owned = { .given = true };
    for (int32_t t = 0; t < subscription->owned_count; t++) {
        ks_uuid id;
        if (topics == NULL || topics->partition_count(topics->context, subscription->owned[t].topic, &id) == 0)
            continue;
        const ks_consumer_topic *topic = ks_consumer_topic_by_id(group, id);
        for (int32_t p = 0; topic != NULL && p < subscription->owned[t].partition_count; p++)
            KS_PUSH(owned.items, KS_TP(topic->slot, subscription->owned[t].partitions[p]));
    }
    ks_tps_sort(&owned.items);
    return owned;
}

static ks_consumer_member *take_in(ks_consumer_step *step, const ks_group_input *in, ks_consumer_member *member,
                                   ks_string id) {
    if (member == NULL) return ks_consumer_member_add(step->group, id, in->join->group_instance_id);
    if (ks_string_equal(member->id, id)) return member;
    ks_string former = ks_arena_string(step->out->scratch, member->id);
    ks_consumer_write_member_gone(step, former);
    ks_consumer_member_rename(member, id);
    ks_consumer_member_set_current(member, member->state, 0, 0, member->assigned, member->revoking);
    ks_consumer_write_target(step, member);
    ks_consumer_write_current(step, member);
    KS_TELL(step->out, step->group, group_member_replaced, .group = step->group->id, .old_member = former,
            .member = member->id, .client_id = member->client_id, .instance_id = member->instance_id);
    return member;
}

static void update(ks_consumer_member *member, const ks_group_input *in, const ks_subscription *subscription) {
    const ks_join_group_request *join = in->join;
    if (subscription->rack_id.size >= 0) ks_string_replace(&member->rack_id, subscription->rack_id);
    ks_string_replace(&member->client_id, in->client_id);
    ks_string_replace(&member->client_host, in->client_host);
    int32_t timeout = in->version >= 1 ? join->rebalance_timeout_ms : join->session_timeout_ms;
    if (timeout != -1) member->rebalance_timeout_ms = timeout;
    ks_consumer_member_set_classic(member, join->protocols.items, join->protocols.count, join->session_timeout_ms);
}

static void join(ks_consumer_step *step, const ks_group_input *in, ks_consumer_member *member, ks_string id,
                 const ks_subscription *subscription) {
    ks_effects *out = step->out;
    bool is_new = member == NULL;
    member = take_in(step, in, member, id);
    update(member, in, subscription);
    bool subscribed = ks_consumer_member_subscribe(member, subscription->topics, subscription->topic_count);
    ks_consumer_write_member(step, member);
    const ks_group_why why = { is_new ? "member_joined" : "subscription_changed", member->id,
                               in->version >= 8 ? in->join->reason : KS_NULL_STRING };
    if (is_new) {
        KS_TELL(out, step->group, group_member_joined, .group = step->group->id, .member = member->id,
                .client_id = member->client_id, .client_host = member->client_host, .instance_id = member->instance_id,
                .client_reason = why.client_reason);
    } else {
        KS_TELL(out, step->group, group_member_rejoined, .group = step->group->id, .member = member->id,
                .client_id = member->client_id, .instance_id = member->instance_id, .client_reason = why.client_reason);
    }
    ks_consumer_refresh(step, subscribed, &why);
    ks_owned owned = owned_by(step->group, subscription, step->topics);
    ks_consumer_reconcile(step, member, &owned);
    ks_free(owned.items.items);
    out->progress = true;
    member->join_timer = false;
    ks_effect_timer_stop(out, step->group, KS_GROUP_TIMER_MEMBER_JOIN, member->id);
    ks_effect_timer_start(out, step->group, KS_GROUP_TIMER_CONSUMER_SESSION, member->id, member->session_timeout_ms);
    ks_effect_timer_start(out, step->group, KS_GROUP_TIMER_MEMBER_SYNC, member->id, member->rebalance_timeout_ms);
    ks_consumer_tell_state(step->group, &why, out);
    ks_consumer_step_end(step);
    ks_group_reply *reply = ks_effect_reply(out, step->group, in->request, KS_API_join_group, KAFKA_OK);
    reply->generation = member->epoch;
    reply->protocol_type = KS_LITERAL("consumer");
    reply->protocol_name = member->protocols[0].name;
    reply->member_id = member->id;
}

void ks_consumer_group_classic_join(ks_group *group, const ks_group_input *in, ks_effects *out) {
    const ks_join_group_request *request = in->join;
    bool unknown = request->member_id.size <= 0;
    ks_string id = unknown ? in->new_member_id : request->member_id;
    ks_consumer_member *member = NULL;
    ks_subscription subscription;
    kafka_error error = KAFKA_OK;
    if (group->consumer->member_count >= group->groups->settings.consumer_max_size &&
        !ks_consumer_group_has_member(group, id))
        error = KAFKA_ERR_GROUP_MAX_SIZE_REACHED;
    else if (!supports(group, request))
        error = KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL;
    else if (unknown && request->group_instance_id.size < 0 && in->version >= 4)
        error = KAFKA_ERR_MEMBER_ID_REQUIRED;
    else
        error = find_joiner(group, in, id, &member);
    if (error == KAFKA_OK && !ks_subscription_decode(request->protocols.items[0].metadata, out->scratch, &subscription))
        error = KAFKA_ERR_UNKNOWN_SERVER_ERROR;
    if (error != KAFKA_OK) {
        ks_group_tell_if_fenced(group, error, request->member_id, request->group_instance_id, in->client_id, out);
        ks_group_refuse_join(
            group, in->request, error,
            error == KAFKA_ERR_MEMBER_ID_REQUIRED ? ks_arena_string(out->scratch, id) : request->member_id, out);
        return;
    }
    ks_consumer_step step = { .group = group, .out = out, .topics = in->topics };
    join(&step, in, member, id, &subscription);
}

/* ---- SyncGroup ---- */

static ks_bytes assignment_of(const ks_consumer_member *member, ks_arena *arena) {
    ks_subscription subscription;
    ks_assignment assignment = { .user_data = KS_NULL_BYTES };
    const ks_tps *set = &member->assigned;
    assignment.topics = ks_arena_alloc(arena, sizeof *assignment.topics * (size_t)(set->count + 1));
    int32_t *partitions = ks_arena_alloc(arena, sizeof *partitions * (size_t)(set->count + 1));
    for (int32_t i = 0; i < set->count; i++) {
        if (i == 0 || KS_TP_SLOT(set->items[i]) != KS_TP_SLOT(set->items[i - 1]))
            assignment.topics[assignment.topic_count++] =
                (ks_topic_partitions){ ks_consumer_topic_of(member->group, set->items[i])->name, &partitions[i], 0 };
        partitions[i] = KS_TP_PARTITION(set->items[i]);
        assignment.topics[assignment.topic_count - 1].partition_count++;
    }
    if (ks_subscription_decode(member->protocols[0].metadata, arena, &subscription))
        assignment.version = subscription.version; /* it reads what it writes */
    return ks_assignment_encode(&assignment, arena);
}

static kafka_error check_sync(const ks_group *group, const ks_group_input *in, ks_consumer_member **member,
                              ks_effects *out) {
    const ks_sync_group_request *sync = in->sync;
    if (ks_consumer_group_is_empty(group)) return KAFKA_ERR_UNKNOWN_MEMBER_ID;
    kafka_error error = identify(group, sync->member_id, sync->group_instance_id, member);
    if (error != KAFKA_OK) return error;
    if (sync->generation_id != (*member)->epoch) return KAFKA_ERR_ILLEGAL_GENERATION;
    bool other_type = sync->protocol_type.size >= 0 && !ks_string_equal(sync->protocol_type, KS_LITERAL("consumer"));
    bool other_name =
        sync->protocol_name.size >= 0 && !ks_string_equal(sync->protocol_name, (*member)->protocols[0].name);
    if (other_type || other_name) return KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL;
    if (group->consumer->group_epoch <= (*member)->epoch || (*member)->state == KS_MEMBER_UNREVOKED_PARTITIONS)
        return KAFKA_OK;
    expect_rejoin(*member, out);
    return KAFKA_ERR_REBALANCE_IN_PROGRESS;
}

void ks_consumer_group_classic_sync(ks_group *group, const ks_group_input *in, ks_effects *out) {
    ks_consumer_member *member = NULL;
    kafka_error error = check_sync(group, in, &member, out);
    if (error != KAFKA_OK) {
        ks_group_tell_if_fenced(group, error, in->sync->member_id, in->sync->group_instance_id, in->client_id, out);
        ks_effect_reply(out, group, in->request, KS_API_sync_group, error);
        return;
    }
    out->progress = true;
    ks_effect_timer_stop(out, group, KS_GROUP_TIMER_MEMBER_SYNC, member->id);
    ks_effect_timer_start(out, group, KS_GROUP_TIMER_CONSUMER_SESSION, member->id, member->session_timeout_ms);
    ks_group_reply *reply = ks_effect_reply(out, group, in->request, KS_API_sync_group, KAFKA_OK);
    reply->protocol_type = in->sync->protocol_type;
    reply->protocol_name = in->sync->protocol_name;
    reply->assignment = assignment_of(member, out->scratch);
}

/* ---- Heartbeat ---- */

static bool waits_for_others(const ks_consumer_member *member) { /* something of its target is held by somebody */
    for (int32_t i = 0; i < member->target_count; i++) {
        if (ks_tps_contain(&member->assigned, member->target[i])) continue;
        if (ks_consumer_topic_of(member->group, member->target[i])->holder[KS_TP_PARTITION(member->target[i])] >= 0)
            return true;
    }
    return false;
}

void ks_consumer_group_classic_heartbeat(ks_group *group, const ks_group_input *in, ks_effects *out) {
    const ks_heartbeat_request *beat = in->heartbeat;
    ks_consumer_member *member = NULL;
    kafka_error error = identify(group, beat->member_id, beat->group_instance_id, &member);
    if (error == KAFKA_OK && beat->generation_id != member->epoch) error = KAFKA_ERR_ILLEGAL_GENERATION;
    ks_group_tell_if_fenced(group, error, beat->member_id, beat->group_instance_id, in->client_id, out);
    if (error == KAFKA_OK) {
        ks_effect_timer_start(out, group, KS_GROUP_TIMER_CONSUMER_SESSION, member->id, member->session_timeout_ms);
        bool behind = member->epoch < group->consumer->group_epoch,
             revoke = member->state == KS_MEMBER_UNREVOKED_PARTITIONS;
        if (behind || revoke || (member->state == KS_MEMBER_UNRELEASED_PARTITIONS && !waits_for_others(member))) {
            expect_rejoin(member, out);
            error = KAFKA_ERR_REBALANCE_IN_PROGRESS;
        }
    }
    ks_effect_reply(out, group, in->request, KS_API_heartbeat, error);
}

/* ---- LeaveGroup ---- */

/* Of either protocol: an administrator removes those of the consumer protocol, too (since 4.0, KAFKA-18188). `held` has
 * left already, in this request. */
static kafka_error find_leaver(const ks_group *group, const ks_leave_group_request_member_identity *who,
                               const ks_consumer_member *held, ks_consumer_member **member) {
    if (who->group_instance_id.size >= 0 && who->member_id.size <= 0) { /* by its instance alone */
        *member = ks_consumer_static_find(group, who->group_instance_id);
        return *member != NULL && *member != held ? KAFKA_OK : KAFKA_ERR_UNKNOWN_MEMBER_ID;
    }
    kafka_error error = identify_any(group, who->member_id, who->group_instance_id, member);
    return error == KAFKA_OK && *member == held ? KAFKA_ERR_UNKNOWN_MEMBER_ID : error;
}

static void tell_leaver(const ks_consumer_step *step, const ks_consumer_member *member, const ks_group_why *why) {
    KS_TELL(step->out, step->group, group_member_left, .group = step->group->id, .member = why->member_id,
            .client_id = ks_arena_string(step->out->scratch, member->client_id),
            .instance_id = ks_arena_string(step->out->scratch, member->instance_id), .reason = why->client_reason);
}

static void remove_leaver(ks_consumer_step *step, ks_consumer_member *member) {
    ks_consumer_stop_timers(step, member);
    ks_consumer_write_member_gone(step, ks_arena_string(step->out->scratch, member->id));
    ks_consumer_member_remove(member);
}

/* The last of a batch goes: with it the group, when only classic members remain (since 4.0, KAFKA-18150); else a new
 * epoch begins for all that have left. */
static void remove_last(ks_consumer_step *step, ks_consumer_member *member, const ks_group_why *why, int64_t now_ms) {
    if (ks_consumer_may_downgrade(step->group, member)) {
        ks_consumer_stop_timers(step, member);
        ks_consumer_downgrade(step, member, now_ms);
        return;
    }
    bool topics_changed = false;
    remove_leaver(step, member);
    ks_consumer_compare_topics(step, &topics_changed);
    if (topics_changed) ks_consumer_write_topics(step);
    ks_consumer_bump(step, why);
    ks_consumer_tell_state(step->group, why, step->out);
}

void ks_consumer_group_classic_leave(ks_group *group, const ks_group_input *in, ks_effects *out) {
    const ks_leave_group_request *leave = in->leave;
    ks_consumer_step step = { .group = group, .out = out, .topics = in->topics };
    int32_t count = leave->members.count > 0 ? leave->members.count : 0;
    ks_leave_result *results = ks_arena_alloc(out->scratch, sizeof *results * (size_t)(count + 1));
    ks_group_why why = { "member_left", KS_NULL_STRING, KS_NULL_STRING };
    ks_consumer_member *held = NULL; /* the latest that has left: still there until it is known to be the last */
    for (int32_t i = 0; i < count; i++) {
        const ks_leave_group_request_member_identity *who = &leave->members.items[i];
        ks_consumer_member *member = NULL;
        results[i] = (ks_leave_result){ who->member_id, who->group_instance_id, find_leaver(group, who, held, &member) };
        if (results[i].error != KAFKA_OK) continue;
        if (held != NULL) remove_leaver(&step, held);
        held = member;
        why.member_id = ks_arena_string(out->scratch, member->id);
        why.client_reason = in->version >= 5 ? who->reason : KS_NULL_STRING;
        tell_leaver(&step, member, &why);
    }
    if (held != NULL) remove_last(&step, held, &why, in->now_ms);
    ks_consumer_step_end(&step);
    ks_group_reply *reply = ks_effect_reply(out, group, in->request, KS_API_leave_group, KAFKA_OK);
    reply->left = results;
    reply->left_count = count;
}
