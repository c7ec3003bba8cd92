/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups, their states and the list of effects. The states are Kafka's ClassicGroupState. */
#include "sim/broker/group_machine.h"

#include "sim/broker/group_consumer.h"
#include "sim/broker/group_events.h"
#include "sim/broker/group_internal.h"
#include "sim/broker/group_offsets.h"

const ks_group_settings ks_group_settings_default = {
    .initial_rebalance_delay_ms = 3000,
    .min_session_timeout_ms = 6000,
    .max_session_timeout_ms = 1800000,
    .max_size = INT32_MAX,
    .new_member_join_timeout_ms = 300000,
    .offset_metadata_max_bytes = 4096,
    .offsets_retention_ms = INT64_C(10080) * 60000,
    .consumer_session_timeout_ms = 45000,
    .consumer_heartbeat_interval_ms = 5000,
    .consumer_max_size = INT32_MAX,
    .migration_up = true,
    .migration_down = true,
    .consumer_protocol = true,
    .assignors = { { "uniform", 7 }, { "range", 5 } },
    .assignor_count = 2,
};

/* ---- states ---- */

#define TO(state) (1u << KS_GROUP_##state)
static const uint8_t may_become[] = {
    [KS_GROUP_EMPTY] = TO(PREPARING_REBALANCE) | TO(DEAD), /* loading sets the state apart */
    [KS_GROUP_PREPARING_REBALANCE] = TO(COMPLETING_REBALANCE) | TO(EMPTY) | TO(DEAD),
    [KS_GROUP_COMPLETING_REBALANCE] = TO(STABLE) | TO(PREPARING_REBALANCE) | TO(DEAD),
    [KS_GROUP_STABLE] = TO(PREPARING_REBALANCE) | TO(DEAD),
    [KS_GROUP_DEAD] = TO(DEAD),
};
#undef TO
_Static_assert(sizeof may_become == KS_GROUP_STATE_COUNT, "a row for each state");

const char *ks_group_state_name(ks_group_state state) {
    static const char *const names[] = { "Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead" };
    _Static_assert(sizeof names / sizeof *names == KS_GROUP_STATE_COUNT, "a name for each state");
    return names[state];
}

const char *ks_group_state_text(const ks_group *group) {
    return group->kind == KS_GROUP_CONSUMER ? ks_consumer_group_state_text(group) : ks_group_state_name(group->state);
}

void ks_group_become(ks_group *group, ks_group_state state, int64_t now_ms, const ks_group_why *why, ks_effects *out) {
    ks_assert(may_become[group->state] & 1u << state);
    const char *from = ks_group_state_name(group->state);
    group->previous_state = group->state;
    group->state = state;
    group->state_since_ms = now_ms;
    out->progress = true;
    ks_group_tell_state(group, from, why, out);
}

/* ---- owned strings ---- */

void ks_string_replace(ks_string *owned, ks_string with) {
    ks_string copy =
        with.size < 0 ? KS_NULL_STRING : ks_string_dup(with); /* first: `with` may be a view of what goes */
    ks_free((void *)owned->data);
    *owned = copy;
}

void ks_bytes_replace(ks_bytes *owned, ks_bytes with) {
    if (with.size > 0 && with.size == owned->size) { /* mostly it is: the room that there is will do */
        memmove((void *)owned->data, with.data, (size_t)with.size);
        return;
    }
    uint8_t *copy = NULL;
    if (with.size > 0) memcpy(copy = ks_alloc((size_t)with.size), with.data, (size_t)with.size);
    ks_free((void *)owned->data);
    *owned = (ks_bytes){ copy, with.size };
}

/* ---- groups ---- */

void ks_groups_init(ks_groups *groups, const ks_group_settings *settings) {
    memset(groups, 0, sizeof *groups);
    groups->settings = *settings;
}

ks_group *ks_groups_find(ks_groups *groups, ks_string id) {
    ks_group *group = groups->recent;
    if (group != NULL && ks_string_equal(group->id, id)) return group;
    KS_HASH_FIND_STRING(hh, groups->by_id, id, group);
    if (group != NULL) groups->recent = group;
    return group;
}

ks_group *ks_group_new(ks_groups *groups, ks_string id, int64_t now_ms) {
    ks_group *group = ks_alloc(sizeof *group);
    group->groups = groups;
    group->id = ks_string_dup(id);
    group->protocol_type = group->protocol_name = KS_NULL_STRING;
    group->sync_round = group->assignment_round = 1;
    group->state = group->previous_state = KS_GROUP_EMPTY;
    group->state_since_ms = now_ms;
    KS_HASH_ADD_STRING(hh, groups->by_id, id, group);
    groups->count++;
    return group;
}

static void free_group(ks_group *group) {
    HASH_CLEAR(by_id, group->members_by_id);
    HASH_CLEAR(by_instance, group->members_by_instance);
    for (ks_group_member *member = group->first_member, *next; member != NULL; member = next) {
        next = member->next;
        ks_group_member_free(member);
    }
    while (group->pending != NULL) ks_group_pending_remove(group, group->pending);
    while (group->appends != NULL) ks_group_append_free(group->appends);
    ks_group_votes_free(group);
    ks_free(group->timeouts.items);
    if (group->offsets != NULL) ks_group_offsets_free(group->offsets);
    ks_consumer_group_free(group);
    ks_free(group->sorted);
    ks_free((void *)group->protocol_type.data);
    ks_free((void *)group->protocol_name.data);
    ks_free((void *)group->id.data);
    ks_free(group);
}

void ks_group_unlink(ks_group *group, ks_effects *out) {
    HASH_DELETE(hh, group->groups->by_id, group);
    group->groups->count--;
    if (group->groups->recent == group) group->groups->recent = NULL;
    ks_effect_add(out, group, KS_EFFECT_GROUP_GONE);
    group->hh.next = out->dead_groups; /* out of every table: its handle may link the dead */
    out->dead_groups = group;
    out->progress = true;
}

void ks_groups_deinit(ks_groups *groups) {
    ks_group *group, *next;
    HASH_ITER(hh, groups->by_id, group, next) {
        HASH_DELETE(hh, groups->by_id, group);
        free_group(group);
    }
    memset(groups, 0, sizeof *groups);
}

/* ---- effects ---- */

void ks_effects_init(ks_effects *effects) {
    memset(effects, 0, sizeof *effects);
    effects->scratch = ks_arena_new();
}

void ks_effects_reset(ks_effects *effects) {
    effects->list.count = 0;
    effects->progress = false;
    while (effects->dead_members != NULL) {
        ks_group_member *member = effects->dead_members;
        effects->dead_members = member->next;
        ks_group_member_free(member);
    }
    while (effects->dead_groups != NULL) {
        ks_group *group = effects->dead_groups;
        effects->dead_groups = group->hh.next;
        free_group(group);
    }
    ks_arena_reset(effects->scratch);
}

void ks_effects_deinit(ks_effects *effects) {
    ks_effects_reset(effects);
    ks_arena_free(effects->scratch);
    ks_free(effects->list.items);
    memset(effects, 0, sizeof *effects);
}

ks_effect *ks_effect_add(ks_effects *out, ks_group *group, ks_effect_kind kind) {
    ks_vec_grow((void **)&out->list.items, out->list.count, &out->list.capacity, sizeof *out->list.items);
    ks_effect *effect = &out->list.items[out->list.count++];
    effect->kind = kind; /* what else there is of the kind is the caller's to set */
    effect->group = group;
    return effect;
}

ks_group_reply *ks_effect_reply(ks_effects *out, ks_group *group, void *request, int16_t api_key, kafka_error error) {
    ks_group_reply *reply = &ks_effect_add(out, group, KS_EFFECT_REPLY)->reply;
    *reply = (ks_group_reply){ .request = request, .api_key = api_key, .error = error, .generation = -1, .member_id = KS_LITERAL("") };
    if (api_key == KS_API_consumer_group_heartbeat)
        reply->message = KS_NULL_STRING;
    else if (api_key != KS_API_leave_group)
        reply->protocol_type = reply->protocol_name = KS_NULL_STRING;
    return reply;
}

void ks_effect_timer_start(ks_effects *out, ks_group *group, ks_group_timer timer, ks_string member_id,
                           int64_t delay_ms) {
    ks_effect *effect = ks_effect_add(out, group, KS_EFFECT_TIMER_START);
    effect->timer.kind = timer;
    effect->timer.member_id = member_id;
    effect->timer.delay_ms = delay_ms > 0 ? delay_ms : 0; /* a negative rebalance timeout is not refused by Kafka */
    effect->timer.member = NULL;
}

void ks_effect_timer_stop(ks_effects *out, ks_group *group, ks_group_timer timer, ks_string member_id) {
    ks_effect *effect = ks_effect_add(out, group, KS_EFFECT_TIMER_STOP);
    effect->timer.kind = timer;
    effect->timer.member_id = member_id;
    effect->timer.delay_ms = 0;
    effect->timer.member = NULL;
}

ks_group_append *ks_effect_append(ks_effects *out, ks_group *group, const ks_group_record *records, int32_t count) {
    ks_group_append *append = ks_alloc(sizeof *append);
    append->group = group;
    append->kind = KS_APPEND_PLAIN;
    append->generation = group->generation;
    append->member_id = append->former_id = append->former_leader = KS_NULL_STRING;
    append->next = group->appends;
    if (append->next != NULL) append->next->previous = append;
    group->appends = append;
    ks_effect *effect = ks_effect_add(out, group, KS_EFFECT_APPEND);
    effect->append.append = append;
    effect->append.records = records;
    effect->append.count = count;
    effect->append.gates = false;
    return append;
}

void ks_group_append_free(ks_group_append *append) {
    if (append->previous != NULL)
        append->previous->next = append->next;
    else
        append->group->appends = append->next;
    if (append->next != NULL) append->next->previous = append->previous;
    ks_free(append->proposed);
    ks_free((void *)append->member_id.data);
    ks_free((void *)append->former_id.data);
    ks_free((void *)append->former_leader.data);
    ks_free(append->former);
    ks_free(append);
}

/* Kafka's appendGroupMetadataErrorToResponseError. */
kafka_error ks_group_append_error(kafka_error error) {
    switch ((int)error) {
    case KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION:
    case KAFKA_ERR_NOT_ENOUGH_REPLICAS:
    case KAFKA_ERR_REQUEST_TIMED_OUT: return KAFKA_ERR_COORDINATOR_NOT_AVAILABLE;
    case KAFKA_ERR_NOT_LEADER_OR_FOLLOWER:
    case KAFKA_ERR_KAFKA_STORAGE_ERROR: return KAFKA_ERR_NOT_COORDINATOR;
    case KAFKA_ERR_MESSAGE_TOO_LARGE:
    case KAFKA_ERR_RECORD_LIST_TOO_LARGE:
    case KAFKA_ERR_INVALID_FETCH_SIZE: return KAFKA_ERR_UNKNOWN_SERVER_ERROR;
    default: /* a code of any other kind passes unchanged */ return error;
    }
}
