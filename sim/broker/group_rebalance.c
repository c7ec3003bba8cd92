/* SPDX-License-Identifier: Apache-2.0
 *
 * The phases of a rebalance in a classic group and their timers: Kafka's GroupMetadataManager.prepareRebalance,
 * tryCompleteInitialRebalanceElseSchedule, completeClassicGroupJoin, expirePendingSync,
 * expireClassicGroupMemberHeartbeat.
 *
 *     Empty --join--> PreparingRebalance --all joined, or time is up--> CompletingRebalance --leader's sync--> Stable
 *                          ^                                                  |                                 |
 *                          +---- join, leave, expiry ------------------------+---------------------------------+
 */
#include "sim/broker/group_internal.h"

#include "sim/broker/group_events.h"
#include "sim/broker/group_records.h"

static const ks_group_why all_joined = { "all_joined", { "", 0 }, { NULL, -1 } };
static const ks_group_why time_is_up = { "rebalance_timeout", { "", 0 }, { NULL, -1 } };
static const ks_group_why delay_over = { "initial_delay", { "", 0 }, { NULL, -1 } };

void ks_group_session_restart(ks_group_member *member, ks_effects *out) {
    ks_effect_timer_start(out, member->group, KS_GROUP_TIMER_SESSION, member->id, member->session_timeout_ms);
    out->list.items[out->list.count - 1].timer.member = member;
}

void ks_group_sessions_restart(ks_group *group, ks_group_member *const *members, int32_t count, ks_effects *out) {
    ks_effect *effect = ks_effect_add(out, group, KS_EFFECT_SESSIONS_START);
    effect->sessions.members = ks_arena_copy(out->scratch, members, sizeof *members * (size_t)count);
    effect->sessions.count = count;
}

/* ---- the end of the join phase ---- */

/* Dynamic members that did not rejoin are out; static ones stay and get their share of the partitions. */
static void remove_absent(ks_group *group, ks_effects *out) {
    ks_group_walks(group);
    for (ks_group_member *member = group->first_member, *next; member != NULL; member = next) {
        next = member->next;
        if (member->join.waiting || member->instance_id.size >= 0) continue;
        ks_effect_timer_stop(out, group, KS_GROUP_TIMER_SESSION, member->id);
        ks_group_tell_removed(member, "rebalance_timeout", out);
        ks_group_member_remove(member, out);
    }
}

/* The leader stays if it rejoined; else whoever joined longest ago of those who did. False: nobody is there. */
static bool elect_leader(ks_group *group, ks_effects *out) {
    if (group->leader != NULL && group->leader->join.waiting) return true;
    ks_group_walks(group);
    for (ks_group_member *member = group->first_member; member != NULL; member = member->next) {
        if (!member->join.waiting) continue;
        group->leader = member;
        ks_group_tell_leader(group, out);
        return true;
    }
    return false;
}

static void become_empty(ks_group *group, int64_t now_ms, const ks_group_why *why, ks_effects *out) {
    ks_string_replace(&group->protocol_name, KS_NULL_STRING);
    ks_group_become(group, KS_GROUP_EMPTY, now_ms, why, out);
    ks_group_record *record = ks_group_metadata_record(group, NULL, out->scratch);
    ks_effect_append(out, group, record, 1)->kind = KS_APPEND_EMPTIED;
}

static void start_generation(ks_group *group, int64_t now_ms, const ks_group_why *why, ks_effects *out) {
    ks_string_replace(&group->protocol_name, ks_group_vote(group));
    ks_group_tell_join_completed(group, why->reason, out);
    ks_group_become(group, KS_GROUP_COMPLETING_REBALANCE, now_ms, why, out);
    while (group->joins.first != NULL) {
        ks_group_member *member = group->joins.first->member;
        void *request = ks_group_wait_release(&group->joins, &member->join);
        if (request != NULL) ks_group_reply_join(member, request, out);
    }
    ks_group_member *const *members = ks_group_members_sorted(group);
    for (int32_t i = 0; i < group->member_count; i++) {
        members[i]->is_new = false;
        ks_group_pending_sync_set(members[i], true);
    }
    ks_group_sessions_restart(group, members, group->member_count, out);
    group->sync_timer_generation = group->generation;
    ks_effect_timer_start(out, group, KS_GROUP_TIMER_SYNC, KS_LITERAL(""), ks_group_rebalance_timeout_ms(group));
}

static void complete_join(ks_group *group, int64_t now_ms, const ks_group_why *why, ks_effects *out) {
    ks_effect_timer_stop(out, group, KS_GROUP_TIMER_JOIN, KS_LITERAL(""));
    remove_absent(group, out);
    if (!elect_leader(group, out) &&
        group->member_count > 0) { /* only static members, all away: wait for them or their expiry */
        group->join_is_initial = false;
        ks_effect_timer_start(out, group, KS_GROUP_TIMER_JOIN, KS_LITERAL(""), ks_group_rebalance_timeout_ms(group));
        return;
    }
    group->generation++;
    if (group->member_count == 0)
        become_empty(group, now_ms, why, out);
    else
        start_generation(group, now_ms, why, out);
}

void ks_group_maybe_complete_join(ks_group *group, int64_t now_ms, ks_effects *out) {
    if (group->state != KS_GROUP_PREPARING_REBALANCE || group->previous_state == KS_GROUP_EMPTY) return;
    if (ks_group_all_joined(group)) complete_join(group, now_ms, &all_joined, out);
}

/* ---- the start of a rebalance ---- */

static void forget_pending_syncs(ks_group *group, ks_effects *out) {
    group->sync_round++;
    group->pending_sync_count = 0;
    ks_effect_timer_stop(out, group, KS_GROUP_TIMER_SYNC, KS_LITERAL(""));
}

static void start_initial_delay(ks_group *group, ks_effects *out) {
    int32_t delay = group->groups->settings.initial_rebalance_delay_ms;
    int32_t timeout = ks_group_rebalance_timeout_ms(group);
    group->join_is_initial = true;
    group->initial_delay_ms = delay;
    group->initial_remaining_ms = timeout > delay ? timeout - delay : 0; /* with the first member's timeout */
    ks_effect_timer_start(out, group, KS_GROUP_TIMER_JOIN, KS_LITERAL(""), delay);
}

void ks_group_rebalance(ks_group *group, int64_t now_ms, const ks_group_why *why, ks_effects *out) {
    bool initial = group->state == KS_GROUP_EMPTY;
    bool completing = group->state == KS_GROUP_COMPLETING_REBALANCE;
    int32_t timeout_ms = ks_group_rebalance_timeout_ms(group);
    ks_group_tell_rebalance(group, why, initial ? group->groups->settings.initial_rebalance_delay_ms : timeout_ms, out);
    ks_group_become(group, KS_GROUP_PREPARING_REBALANCE, now_ms, why, out);
    if (completing) {
        ks_group_clear_assignments(group);
        ks_group_answer_syncs(group, KAFKA_ERR_REBALANCE_IN_PROGRESS, out);
    }
    forget_pending_syncs(group, out);
    if (initial) {
        start_initial_delay(group, out);
    } else if (ks_group_all_joined(group)) {
        complete_join(group, now_ms, &all_joined, out);
    } else {
        group->join_is_initial = false;
        ks_effect_timer_start(out, group, KS_GROUP_TIMER_JOIN, KS_LITERAL(""), timeout_ms);
    }
}

void ks_group_rebalance_or_complete(ks_group *group, int64_t now_ms, const ks_group_why *why, ks_effects *out) {
    switch (group->state) {
    case KS_GROUP_EMPTY:
    case KS_GROUP_COMPLETING_REBALANCE:
    case KS_GROUP_STABLE: ks_group_rebalance(group, now_ms, why, out); break;
    case KS_GROUP_PREPARING_REBALANCE:
    case KS_GROUP_DEAD: ks_group_maybe_complete_join(group, now_ms, out); break;
    }
}

/* ---- timers ---- */

void ks_group_join_timer_fired(ks_group *group, int64_t now_ms, ks_effects *out) {
    if (group->state != KS_GROUP_PREPARING_REBALANCE) return; /* left over */
    if (group->join_is_initial && group->new_member_added && group->initial_remaining_ms > 0) {
        int32_t spent = group->initial_delay_ms, remaining = group->initial_remaining_ms;
        int32_t delay = group->groups->settings.initial_rebalance_delay_ms;
        group->new_member_added = false;
        group->initial_delay_ms = delay < remaining ? delay : remaining;
        group->initial_remaining_ms = remaining > spent ? remaining - spent : 0;
        ks_effect_timer_start(out, group, KS_GROUP_TIMER_JOIN, KS_LITERAL(""), group->initial_delay_ms);
        ks_group_tell_delay_extended(group, out);
        out->progress = true;
    } else {
        complete_join(group, now_ms, group->join_is_initial ? &delay_over : &time_is_up,
                      out); /* new_member_added survives: Kafka's quirk, paid by the next Empty group */
    }
}

void ks_group_sync_timer_fired(ks_group *group, int64_t now_ms, ks_effects *out) {
    if (group->state != KS_GROUP_COMPLETING_REBALANCE && group->state != KS_GROUP_STABLE) return;
    if (group->sync_timer_generation != group->generation || group->pending_sync_count == 0) return;
    ks_group_why why = { "sync_timeout", KS_LITERAL(""), KS_NULL_STRING };
    ks_group_walks(group);
    for (ks_group_member *member = group->first_member, *next; member != NULL; member = next) {
        next = member->next;
        if (!ks_group_sync_is_pending(member)) continue;
        why.member_id = member->id; /* of the last one; each is told apart */
        ks_effect_timer_stop(out, group, KS_GROUP_TIMER_SESSION, member->id);
        ks_group_tell_expired(member, "pending_sync", out);
        ks_group_member_remove(member, out);
    }
    ks_group_rebalance(group, now_ms, &why, out);
}

static void expire_member(ks_group_member *member, int64_t now_ms, ks_effects *out) {
    ks_group *group = member->group;
    ks_group_why why = { "session_timeout", member->id, KS_NULL_STRING };
    ks_group_tell_expired(member, "session_timeout", out);
    if (member->join.waiting) { /* so that a newcomer who still lives tries again */
        void *request = ks_group_wait_release(&group->joins, &member->join);
        ks_group_refuse_join(group, request, KAFKA_ERR_UNKNOWN_MEMBER_ID, KS_LITERAL(""), out);
    }
    ks_group_member_remove(member, out);
    if (group->state == KS_GROUP_STABLE || group->state == KS_GROUP_COMPLETING_REBALANCE)
        ks_group_rebalance_or_complete(group, now_ms, &why, out);
    else if (group->state == KS_GROUP_PREPARING_REBALANCE && ks_group_all_joined(group))
        complete_join(group, now_ms, &all_joined, out); /* even in the initial delay: Kafka's quirk */
}

void ks_group_session_timer_fired(ks_group *group, ks_string member_id, int64_t now_ms, ks_effects *out) {
    if (group->state == KS_GROUP_DEAD) return;
    ks_group_pending *pending = ks_group_pending_find(group, member_id);
    if (pending != NULL) {
        ks_group_tell_pending_gone(group, member_id, true, KS_NULL_STRING, out);
        ks_group_pending_remove(group, pending);
        out->progress = true;
        if (group->state == KS_GROUP_PREPARING_REBALANCE && ks_group_all_joined(group))
            complete_join(group, now_ms, &all_joined, out);
        return;
    }
    ks_group_member *member = ks_group_member_find(group, member_id);
    if (member == NULL) return; /* the timer of an id that is gone */
    if (!member->is_new && (member->join.waiting || member->sync.waiting))
        return; /* parked: excused until the phase ends */
    expire_member(member, now_ms, out);
}

/* ---- coming and going of the partition ---- */

void ks_group_unload(ks_group *group, int64_t now_ms, ks_effects *out) {
    ks_group_state state = group->state;
    ks_group_become(group, KS_GROUP_DEAD, now_ms, &(ks_group_why){ "unloaded", KS_LITERAL(""), KS_NULL_STRING }, out);
    if (state == KS_GROUP_PREPARING_REBALANCE) {
        while (group->joins.first != NULL) {
            ks_group_member *member = group->joins.first->member;
            void *request = ks_group_wait_release(&group->joins, &member->join);
            ks_group_refuse_join(group, request, KAFKA_ERR_NOT_COORDINATOR, member->id, out);
        }
    } else if (state == KS_GROUP_COMPLETING_REBALANCE || state == KS_GROUP_STABLE) {
        ks_group_answer_syncs(group, KAFKA_ERR_NOT_COORDINATOR, out);
    }
}

void ks_group_loaded(ks_group *group, int64_t now_ms, ks_effects *out) {
    ks_group_sessions_restart(group, ks_group_members_sorted(group), group->member_count, out);
    if (group->member_count > group->groups->settings.max_size)
        ks_group_rebalance(group, now_ms, &(ks_group_why){ "group_full", KS_LITERAL(""), KS_NULL_STRING }, out);
}
