/* SPDX-License-Identifier: Apache-2.0
 *
 * ConsumerGroupHeartbeat: joining, reporting, leaving; and how a member is put out (Kafka's GroupMetadataManager
 * consumerGroupHeartbeat, consumerGroupLeave, consumerGroupFenceMember). */
#include "sim/broker/group_consumer_internal.h"

#include "sim/protocol/events.h"

enum { EPOCH_JOIN = 0, EPOCH_LEAVE = -1, EPOCH_AWAY = -2 };

typedef struct ruling { /* Kafka's exception: the code and its sentence */
    kafka_error error;
    const char *message;
} ruling;
static const ruling fine = { KAFKA_OK, NULL };

/* ---- is the request itself right? ---- */

static bool is_blank(ks_string string) { /* null is not blank */
    if (string.size < 0) return false;
    for (int32_t i = 0; i < string.size; i++)
        if ((unsigned char)string.data[i] > ' ') return false;
    return true;
}

static int32_t find_assignor(const ks_group_settings *settings, ks_string name) {
    for (int32_t i = 0; i < settings->assignor_count; i++)
        if (ks_string_equal(settings->assignors[i], name)) return i;
    return -1;
}

static const char *assignors_sentence(const ks_group_settings *settings, ks_string wanted, ks_arena *arena) {
    ks_string list = KS_LITERAL("");
    for (int32_t i = 0; i < settings->assignor_count; i++)
        list = ks_arena_printf(arena, "%.*s%s%.*s", list.size, list.data, i > 0 ? ", " : "", settings->assignors[i].size,
                               settings->assignors[i].data);
    return ks_arena_printf(arena, "ServerAssignor %.*s is not supported. Supported assignors: %.*s.", wanted.size, wanted.data, list.size,
                           list.data).data;
}

static ruling check_joining(const ks_consumer_group_heartbeat_request *beat) {
    if (beat->rebalance_timeout_ms == -1)
        return (ruling){ KAFKA_ERR_INVALID_REQUEST, "RebalanceTimeoutMs must be provided in first request." };
    if (beat->topic_partitions.count != 0)
        return (ruling){ KAFKA_ERR_INVALID_REQUEST, "TopicPartitions must be empty when (re-)joining." };
    if (beat->subscribed_topic_names.count <= 0)
        return (ruling){ KAFKA_ERR_INVALID_REQUEST, "SubscribedTopicNames must be set in first request." };
    return fine;
}

static ruling check_epoch_rules(const ks_consumer_group_heartbeat_request *beat) {
    if (beat->member_epoch == EPOCH_JOIN) return check_joining(beat);
    if (beat->member_epoch < EPOCH_AWAY) return (ruling){ KAFKA_ERR_INVALID_REQUEST, "MemberEpoch is invalid." };
    if (is_blank(beat->member_id)) return (ruling){ KAFKA_ERR_INVALID_REQUEST, "MemberId can't be empty." };
    if (beat->member_epoch == EPOCH_AWAY && beat->instance_id.size < 0)
        return (ruling){ KAFKA_ERR_INVALID_REQUEST, "InstanceId can't be null." };
    return fine;
}

static ruling check_request(const ks_groups *groups, const ks_group_input *in, ks_arena *arena) {
    const ks_consumer_group_heartbeat_request *beat = in->consumer_heartbeat;
    if (is_blank(beat->group_id)) return (ruling){ KAFKA_ERR_INVALID_REQUEST, "GroupId can't be empty." };
    if (is_blank(beat->instance_id)) return (ruling){ KAFKA_ERR_INVALID_REQUEST, "InstanceId can't be empty." };
    if (is_blank(beat->rack_id)) return (ruling){ KAFKA_ERR_INVALID_REQUEST, "RackId can't be empty." };
    if (in->version >= 1 && beat->subscribed_topic_regex.size > 0)
        return (ruling){ KAFKA_ERR_INVALID_REQUEST, "SubscribedTopicRegex is not supported yet." };
    if (in->version >= 1 && is_blank(beat->member_id)) /* from then on clients choose their ids (KIP-1082) */
        return (ruling){ KAFKA_ERR_INVALID_REQUEST, "MemberId can't be empty." };
    ruling verdict = check_epoch_rules(beat);
    if (verdict.error != KAFKA_OK) return verdict;
    if (beat->server_assignor.size >= 0 && find_assignor(&groups->settings, beat->server_assignor) < 0)
        return (ruling){ KAFKA_ERR_UNSUPPORTED_ASSIGNOR, assignors_sentence(&groups->settings, beat->server_assignor, arena) };
    return fine;
}

/* ---- what the member owns ---- */

static ks_owned read_owned(const ks_group *group, const ks_consumer_group_heartbeat_request *beat) {
    ks_owned owned = { .given = beat->topic_partitions.count >= 0 };
    for (int32_t t = 0; t < beat->topic_partitions.count; t++) {
        const ks_consumer_group_heartbeat_request_topic_partitions *item = &beat->topic_partitions.items[t];
        const ks_consumer_topic *topic = ks_consumer_topic_by_id(group, item->topic_id);
        for (int32_t p = 0; p < item->partitions.count;
             p++) /* what the group does not know no member of it can own: in no set */
            KS_PUSH(owned.items, KS_TP(topic != NULL ? topic->slot : INT32_MAX, item->partitions.items[p]));
    }
    ks_tps_sort(&owned.items);
    return owned;
}

/* The present epoch; or the one before, when what the member owns shows that only the last reply was lost. */
bool ks_consumer_epoch_is_valid(const ks_consumer_member *member, int32_t epoch, const ks_owned *owned) {
    if (epoch == member->epoch) return true;
    if (epoch > member->epoch || epoch != member->previous_epoch || !owned->given) return false;
    for (int32_t i = 0; i < owned->items.count; i++)
        if (!ks_tps_contain(&member->assigned, owned->items.items[i])) return false;
    return true;
}

/* ---- out of the group ---- */

void ks_consumer_stop_timers(ks_consumer_step *step, const ks_consumer_member *member) {
    ks_string id = ks_arena_string(step->out->scratch, member->id);
    ks_effect_timer_stop(step->out, step->group, KS_GROUP_TIMER_CONSUMER_SESSION, id);
    ks_effect_timer_stop(step->out, step->group, KS_GROUP_TIMER_REBALANCE, id);
    ks_effect_timer_stop(step->out, step->group, KS_GROUP_TIMER_MEMBER_JOIN, id);
    ks_effect_timer_stop(step->out, step->group, KS_GROUP_TIMER_MEMBER_SYNC, id);
}

void ks_consumer_fence(ks_consumer_step *step, ks_consumer_member *member, const char *reason, int64_t now_ms) {
    if (ks_consumer_may_downgrade(step->group, member)) {
        ks_consumer_downgrade(step, member, now_ms);
        return;
    }
    const ks_group_why why = { reason, ks_arena_string(step->out->scratch, member->id), KS_NULL_STRING };
    bool topics_changed = false;
    ks_consumer_stop_timers(step, member);
    ks_consumer_write_member_gone(step, why.member_id);
    ks_consumer_member_remove(member);
    ks_consumer_compare_topics(step, &topics_changed);
    if (topics_changed) ks_consumer_write_topics(step);
    ks_consumer_bump(step, &why);
    ks_consumer_tell_state(step->group, &why, step->out);
}

static void tell_member(const ks_consumer_step *step, const ks_consumer_member *member, bool left, const char *reason) {
    ks_arena *arena = step->out->scratch;
    ks_string id = ks_arena_string(arena, member->id), client = ks_arena_string(arena, member->client_id),
              instance = ks_arena_string(arena, member->instance_id);
    if (left) {
        KS_TELL(step->out, step->group, group_member_left, .group = step->group->id, .member = id, .client_id = client,
                .instance_id = instance, .reason = ks_str(reason));
    } else {
        KS_TELL(step->out, step->group, group_member_expired, .group = step->group->id, .member = id,
                .client_id = client, .instance_id = instance, .reason = ks_str(reason));
    }
}

void ks_consumer_group_timer_fired(ks_group *group, const ks_group_input *in, ks_effects *out) {
    ks_consumer_step step = { .group = group, .out = out, .topics = in->topics };
    ks_consumer_member *member = ks_consumer_member_find(group, in->timer.member_id);
    if (member == NULL) return; /* the timer of an id that is gone */
    const char *reason = NULL;
    switch (in->timer.kind) {
    case KS_GROUP_TIMER_CONSUMER_SESSION: reason = "session_timeout"; break;
    case KS_GROUP_TIMER_REBALANCE:
        if (member->state == KS_MEMBER_UNREVOKED_PARTITIONS && member->epoch == member->rebalance_timer_epoch)
            reason = "rebalance_timeout";
        break;
    case KS_GROUP_TIMER_MEMBER_JOIN:
        member->join_timer = false;
        reason = "pending_join";
        break;
    case KS_GROUP_TIMER_MEMBER_SYNC: reason = "pending_sync"; break;
    case KS_GROUP_TIMER_SESSION: /* left over from before an upgrade */
    case KS_GROUP_TIMER_JOIN:
    case KS_GROUP_TIMER_SYNC: break;
    }
    if (reason == NULL) return;
    tell_member(&step, member, false, reason);
    ks_consumer_fence(&step, member, reason, in->now_ms);
    ks_consumer_step_end(&step);
}

/* ---- leaving ---- */

/* It will be back before its session is over: partitions and target stay. */
static void go_away(ks_consumer_step *step, ks_consumer_member *member) {
    const ks_tps none = { 0 };
    ks_consumer_member_set_current(member, member->state, EPOCH_AWAY, member->previous_epoch, member->assigned, none);
    ks_consumer_write_current(step, member);
    KS_TELL(step->out, step->group, group_member_away, .group = step->group->id, .member = member->id,
            .client_id = member->client_id, .instance_id = member->instance_id);
    ks_consumer_tell_state(step->group, &(ks_group_why){ "member_away", member->id, KS_NULL_STRING }, step->out);
    step->out->progress = true;
}

static kafka_error find_leaver(const ks_group *group, const ks_consumer_group_heartbeat_request *beat,
                               ks_consumer_member **member) {
    if (group == NULL || group->kind != KS_GROUP_CONSUMER) return KAFKA_ERR_GROUP_ID_NOT_FOUND;
    if (beat->instance_id.size < 0) {
        *member = ks_consumer_member_find(group, beat->member_id);
        return *member != NULL ? KAFKA_OK : KAFKA_ERR_UNKNOWN_MEMBER_ID;
    }
    *member = ks_consumer_static_find(group, beat->instance_id);
    if (*member == NULL) return KAFKA_ERR_UNKNOWN_MEMBER_ID;
    return ks_string_equal((*member)->id, beat->member_id) ? KAFKA_OK : KAFKA_ERR_FENCED_INSTANCE_ID;
}

static void refuse(ks_group *group, const ks_group_input *in, ruling verdict, ks_effects *out) {
    ks_group_reply *reply = ks_effect_reply(out, group, in->request, KS_API_consumer_group_heartbeat, verdict.error);
    reply->message = ks_str(verdict.message != NULL ? verdict.message : kafka_error_text(verdict.error));
}

/* Kafka's sentence about a member that may not go on, or not come in. NULL: the error's own. */
static const char *sentence_about(const ks_group *group, const ks_group_input *in, kafka_error error, ks_string id, ks_arena *arena) {
    const ks_consumer_group_heartbeat_request *beat = in->consumer_heartbeat;
    const ks_consumer_member *same = beat->instance_id.size < 0 ? NULL : ks_consumer_static_find(group, beat->instance_id);
    const ks_consumer_member *member = ks_consumer_member_find(group, id);
    switch ((int)error) {
    case KAFKA_ERR_GROUP_MAX_SIZE_REACHED:
        return ks_arena_printf(arena, "The consumer group has reached its maximum capacity of %d members.",
                               (int)group->groups->settings.consumer_max_size).data;
    case KAFKA_ERR_UNRELEASED_INSTANCE_ID:
        if (same == NULL) return NULL;
        return ks_arena_printf(arena, "Static member %.*s with instance id %.*s cannot join the group because the instance id is owned by %.*s member.",
                               id.size, id.data, beat->instance_id.size, beat->instance_id.data, same->id.size, same->id.data).data;
    case KAFKA_ERR_FENCED_INSTANCE_ID:
        if (same == NULL) return NULL;
        return ks_arena_printf(arena, "Static member %.*s with instance id %.*s was fenced by member %.*s.", id.size, id.data,
                               beat->instance_id.size, beat->instance_id.data, same->id.size, same->id.data).data;
    case KAFKA_ERR_UNKNOWN_MEMBER_ID:
        if (beat->instance_id.size >= 0 && same == NULL)
            return ks_arena_printf(arena, "Instance id %.*s is unknown.", beat->instance_id.size, beat->instance_id.data).data;
        return ks_arena_printf(arena, "Member %.*s is not a member of group %.*s.", id.size, id.data, group->id.size, group->id.data).data;
    case KAFKA_ERR_FENCED_MEMBER_EPOCH:
        if (member == NULL) return NULL;
        return ks_arena_printf(arena, "The consumer group member has a %s member epoch (%d) than the one known by the group coordinator (%d). "
                               "The member must abandon all its partitions and rejoin.",
                               beat->member_epoch > member->epoch ? "greater" : "smaller", (int)beat->member_epoch, (int)member->epoch).data;
    default:
        return NULL;
    }
}

static void leave(ks_consumer_step *step, const ks_group_input *in) {
    const ks_consumer_group_heartbeat_request *beat = in->consumer_heartbeat;
    ks_consumer_member *member = NULL;
    kafka_error error = find_leaver(step->group, beat, &member);
    if (error != KAFKA_OK) {
        if (step->group != NULL)
            ks_group_tell_if_fenced(step->group, error, beat->member_id, beat->instance_id, in->client_id, step->out);
        const char *sentence = step->group && step->group->kind == KS_GROUP_CONSUMER
                                   ? sentence_about(step->group, in, error, beat->member_id, step->out->scratch) : NULL;
        refuse(step->group, in, (ruling){ error, sentence }, step->out);
        return;
    }
    if (beat->member_epoch == EPOCH_AWAY) {
        go_away(step, member);
    } else {
        tell_member(step, member, true, NULL);
        ks_consumer_fence(step, member, "member_left", in->now_ms);
    }
    ks_consumer_step_end(step);
    ks_group_reply *reply =
        ks_effect_reply(step->out, step->group, in->request, KS_API_consumer_group_heartbeat, KAFKA_OK);
    reply->member_id = beat->member_id;
    reply->generation = beat->member_epoch;
}

/* ---- joining and reporting ---- */

/* Nothing is converted for somebody who could not come in then. */
static kafka_error check_newcomer(const ks_group *classic, const ks_group_input *in) {
    const ks_consumer_group_heartbeat_request *beat = in->consumer_heartbeat;
    if (classic->member_count >= classic->groups->settings.consumer_max_size) return KAFKA_ERR_GROUP_MAX_SIZE_REACHED;
    if (beat->instance_id.size >= 0 && ks_group_static_find(classic, beat->instance_id) != NULL)
        return KAFKA_ERR_UNRELEASED_INSTANCE_ID;
    return ks_group_member_find(classic, beat->member_id) != NULL ? KAFKA_ERR_FENCED_MEMBER_EPOCH : KAFKA_OK;
}

/* The group, made or converted if a member joins. */
static kafka_error find_group(ks_consumer_step *step, ks_groups *groups, const ks_group_input *in) {
    bool joins = in->consumer_heartbeat->member_epoch == EPOCH_JOIN;
    if (step->group == NULL) {
        if (!joins) return KAFKA_ERR_GROUP_ID_NOT_FOUND;
        step->group = ks_group_new(groups, in->consumer_heartbeat->group_id, in->now_ms);
        ks_consumer_group_make(step->group);
        ks_group_tell_created(step->group, step->out);
        return KAFKA_OK;
    }
    if (step->group->kind == KS_GROUP_CONSUMER) return KAFKA_OK;
    if (!joins || step->group->state == KS_GROUP_DEAD) return KAFKA_ERR_GROUP_ID_NOT_FOUND;
    if (step->group->state != KS_GROUP_EMPTY) {
        kafka_error error = check_newcomer(step->group, in);
        return error != KAFKA_OK ? error : ks_consumer_upgrade(step);
    }
    ks_consumer_replace_classic(step);
    return KAFKA_OK;
}

static ruling find_dynamic(ks_group *group, const ks_group_input *in, ks_string id, ks_consumer_member **member) {
    const ks_consumer_group_heartbeat_request *beat = in->consumer_heartbeat;
    *member = ks_consumer_member_find(group, id);
    if (*member == NULL) return beat->member_epoch == EPOCH_JOIN ? fine : (ruling){ KAFKA_ERR_UNKNOWN_MEMBER_ID, NULL };
    ks_owned owned = read_owned(group, beat);
    bool valid = ks_consumer_epoch_is_valid(*member, beat->member_epoch, &owned);
    ks_free(owned.items.items);
    return valid ? fine : (ruling){ KAFKA_ERR_FENCED_MEMBER_EPOCH, NULL };
}

static ruling find_static(ks_group *group, const ks_group_input *in, ks_string id, ks_consumer_member **member) {
    const ks_consumer_group_heartbeat_request *beat = in->consumer_heartbeat;
    *member = ks_consumer_static_find(group, beat->instance_id);
    if (beat->member_epoch == EPOCH_JOIN) {
        if (*member == NULL)
            return ks_consumer_member_find(group, id) == NULL ? fine : find_dynamic(group, in, id, member);
        return (*member)->epoch == EPOCH_AWAY ? fine : (ruling){ KAFKA_ERR_UNRELEASED_INSTANCE_ID, NULL };
    }
    if (*member == NULL) return (ruling){ KAFKA_ERR_UNKNOWN_MEMBER_ID, NULL };
    if (!ks_string_equal((*member)->id, id)) return (ruling){ KAFKA_ERR_FENCED_INSTANCE_ID, NULL };
    return find_dynamic(group, in, id, member);
}

/* A static member is back: the new id has all that the old one had, and begins at epoch 0. */
static void come_back(ks_consumer_step *step, ks_consumer_member *member, ks_string id) {
    ks_string former = ks_arena_string(step->out->scratch, member->id);
    ks_consumer_write_member_gone(step, former);
    ks_consumer_member_rename(member, id);
    ks_consumer_member_set_current(member, member->state, 0, 0, member->assigned, member->revoking);
    ks_consumer_write_member(step, member);
    ks_consumer_write_target(step, member);
    ks_consumer_write_current(step, member);
    step->out->progress = true;
    KS_TELL(step->out, step->group, group_member_replaced, .group = step->group->id, .old_member = former,
            .member = member->id, .client_id = ks_arena_string(step->out->scratch, member->client_id),
            .instance_id = member->instance_id); /* it changes at once */
}

static bool update_string(ks_string *mine, ks_string given) {
    if (given.size < 0 || ks_string_equal(*mine, given)) return false;
    ks_string_replace(mine, given);
    return true;
}

/* Takes over what the request says. True when the subscription is another one. */
static bool update_member(ks_consumer_step *step, ks_consumer_member *member, const ks_group_input *in, bool is_new) {
    const ks_consumer_group_heartbeat_request *beat = in->consumer_heartbeat;
    bool different = is_new || member->classic, subscribed = false;
    different |= update_string(&member->rack_id, beat->rack_id);
    different |= update_string(&member->client_id, in->client_id);
    different |= update_string(&member->client_host, in->client_host);
    if (beat->rebalance_timeout_ms != -1 && beat->rebalance_timeout_ms != member->rebalance_timeout_ms) {
        member->rebalance_timeout_ms = beat->rebalance_timeout_ms;
        different = true;
    }
    if (beat->server_assignor.size >= 0) {
        int32_t assignor = find_assignor(&step->group->groups->settings, beat->server_assignor);
        different |= assignor != member->assignor;
        ks_consumer_member_prefer(member, assignor);
    }
    if (beat->subscribed_topic_names.count >= 0)
        subscribed = ks_consumer_member_subscribe(member, beat->subscribed_topic_names.items,
                                                  beat->subscribed_topic_names.count);
    ks_consumer_member_set_consumer(member);
    if (different || subscribed) {
        ks_consumer_write_member(step, member);
        step->out->progress = true;
    }
    return subscribed;
}

static void tell_joined(const ks_consumer_step *step, const ks_consumer_member *member) {
    KS_TELL(step->out, step->group, group_member_joined, .group = step->group->id, .member = member->id,
            .client_id = member->client_id, .client_host = member->client_host, .instance_id = member->instance_id,
            .client_reason = KS_NULL_STRING);
}

static void report(ks_consumer_step *step, ks_consumer_member *member, const ks_group_input *in, bool is_new) {
    const ks_consumer_group_heartbeat_request *beat = in->consumer_heartbeat;
    ks_effects *out = step->out;
    const ks_tps former = { member->assigned.count > 0
                                ? ks_arena_alloc(out->scratch, sizeof(ks_tp) * (size_t)member->assigned.count)
                                : NULL,
                            member->assigned.count, 0 };
    if (former.count > 0) memcpy(former.items, member->assigned.items, sizeof(ks_tp) * (size_t)former.count);
    bool subscribed = update_member(step, member, in, is_new);
    if (is_new) tell_joined(step, member);
    const ks_group_why why = { is_new ? "member_joined" : "subscription_changed", member->id, KS_NULL_STRING };
    ks_consumer_refresh(step, subscribed, &why);
    ks_owned owned = read_owned(step->group, beat);
    ks_consumer_reconcile(step, member, &owned);
    ks_free(owned.items.items);
    ks_effect_timer_start(out, step->group, KS_GROUP_TIMER_CONSUMER_SESSION, member->id,
                          step->group->groups->settings.consumer_session_timeout_ms);
    ks_consumer_tell_state(step->group, &why, out);
    ks_consumer_step_end(step);
    bool full = beat->member_epoch == EPOCH_JOIN ||
                (beat->rebalance_timeout_ms != -1 && beat->subscribed_topic_names.count >= 0 &&
                 beat->topic_partitions.count >= 0);
    bool changed =
        former.count != member->assigned.count ||
        (former.count > 0 && memcmp(former.items, member->assigned.items, sizeof(ks_tp) * (size_t)former.count) != 0);
    ks_group_reply *reply = ks_effect_reply(out, step->group, in->request, KS_API_consumer_group_heartbeat, KAFKA_OK);
    reply->member_id = member->id;
    reply->generation = member->epoch;
    if (full || changed) reply->partitions = ks_tps_reply(step->group, &member->assigned, out->scratch);
}

static void heartbeat(ks_consumer_step *step, ks_groups *groups, const ks_group_input *in) {
    const ks_consumer_group_heartbeat_request *beat = in->consumer_heartbeat;
    ks_string id = beat->member_id.size > 0 ? beat->member_id : in->new_member_id;
    ks_consumer_member *member = NULL;
    kafka_error error = find_group(step, groups, in);
    if (error != KAFKA_OK) {
        refuse(step->group, in, (ruling){ error, NULL }, step->out);
        return;
    }
    ks_group *group = step->group;
    bool full =
        group->consumer->member_count >= groups->settings.consumer_max_size && !ks_consumer_group_has_member(group, id);
    ruling verdict = full                         ? (ruling){ KAFKA_ERR_GROUP_MAX_SIZE_REACHED, NULL }
                     : beat->instance_id.size < 0 ? find_dynamic(group, in, id, &member)
                                                  : find_static(group, in, id, &member);
    if (verdict.error != KAFKA_OK) {
        ks_group_tell_if_fenced(group, verdict.error, id, beat->instance_id, in->client_id, step->out);
        verdict.message = sentence_about(group, in, verdict.error, id, step->out->scratch);
        ks_consumer_step_end(step);
        refuse(group, in, verdict, step->out);
        return;
    }
    bool is_new = member == NULL;
    if (is_new)
        member = ks_consumer_member_add(group, id, beat->instance_id);
    else if (!ks_string_equal(member->id, id))
        come_back(step, member, id);
    report(step, member, in, is_new);
}

void ks_consumer_group_heartbeat(ks_groups *groups, const ks_group_input *in, ks_effects *out) {
    const ks_consumer_group_heartbeat_request *beat = in->consumer_heartbeat;
    ks_consumer_step step = { .group = ks_groups_find(groups, beat->group_id), .out = out, .topics = in->topics };
    ruling verdict = check_request(groups, in, out->scratch);
    if (verdict.error != KAFKA_OK)
        refuse(step.group, in, verdict, out);
    else if (beat->member_epoch < 0)
        leave(&step, in);
    else
        heartbeat(&step, groups, in);
}

/* ---- the end of a step ---- */

void ks_consumer_step_end(ks_consumer_step *step) {
    if (step->records.count > 0) {
        ks_group_record *records = ks_arena_alloc(step->out->scratch, sizeof *records * (size_t)step->records.count);
        memcpy(records, step->records.items, sizeof *records * (size_t)step->records.count);
        ks_group_append *append = ks_effect_append(step->out, step->group, records, step->records.count);
        append->kind = KS_APPEND_CONSUMER;
        step->out->list.items[step->out->list.count - 1].append.gates = true;
    }
    ks_free(step->records.items);
    step->records.items = NULL;
    step->records.count = step->records.capacity = 0;
}
