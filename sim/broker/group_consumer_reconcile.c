/* SPDX-License-Identifier: Apache-2.0
 *
 * One member on its way to its target, as in Kafka's CurrentAssignmentBuilder: first it gives up what it should not
 * have, and only when it says that this is done it moves to the target's epoch and gets what is free. */
#include "sim/broker/group_consumer_internal.h"

#include "sim/protocol/events.h"

typedef struct next_step {
    ks_tps keep, revoke, add;
    bool waiting; /* something of the target is still held */
} next_step;

static bool is_free(const ks_group *group, ks_tp tp) {
    return ks_consumer_topic_of(group, tp)->holder[KS_TP_PARTITION(tp)] < 0;
}

/* Both lists ascend. A partition that this member itself has just given up is not free yet. */
static next_step make_plan(const ks_consumer_member *member) {
    next_step plan = { 0 };
    int32_t a = 0, t = 0;
    while (a < member->assigned.count || t < member->target_count) {
        bool more_assigned = a < member->assigned.count, more_target = t < member->target_count;
        ks_tp assigned = more_assigned ? member->assigned.items[a] : UINT64_MAX,
              target = more_target ? member->target[t] : UINT64_MAX;
        if (assigned == target)
            KS_PUSH(plan.keep, assigned);
        else if (assigned < target)
            KS_PUSH(plan.revoke, assigned);
        else if (is_free(member->group, target))
            KS_PUSH(plan.add, target);
        else
            plan.waiting = true;
        a += assigned <= target;
        t += target <= assigned;
    }
    return plan;
}

/* Does the member, as far as it says, still own any of them? */
static bool still_owns(const ks_owned *owned, const ks_tps *set) {
    if (!owned->given) return true;
    for (int32_t i = 0; i < set->count; i++)
        if (ks_tps_contain(&owned->items, set->items[i])) return true;
    return false;
}

static bool same(const ks_tps *a, const ks_tps *b) {
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->items, b->items, sizeof *a->items * (size_t)a->count) == 0);
}

static void set_rebalance_timer(ks_consumer_step *step, ks_consumer_member *member) {
    if (member->classic) return; /* its join and sync timers do that */
    if (member->state == KS_MEMBER_UNREVOKED_PARTITIONS) {
        member->rebalance_timer_epoch = member->epoch;
        ks_effect_timer_start(step->out, step->group, KS_GROUP_TIMER_REBALANCE, member->id,
                              member->rebalance_timeout_ms);
    } else {
        ks_effect_timer_stop(step->out, step->group, KS_GROUP_TIMER_REBALANCE, member->id);
    }
}

static void tell(ks_consumer_step *step, const ks_consumer_member *member) {
    ks_group *group = step->group;
    ks_arena *arena = step->out->scratch;
    if (step->out->no_events) return;
    ks_string id = ks_arena_string(arena, member->id), client = ks_arena_string(arena, member->client_id);
    ks_string assigned = ks_tps_text(group, member->assigned.items, member->assigned.count, arena);
    KS_TELL(step->out, group, group_member_reconciled, .group = group->id, .member = id, .client_id = client,
            .epoch = member->epoch, .state = ks_str(ks_consumer_member_state_text(member->state)), .assigned = assigned,
            .revoking = ks_tps_text(group, member->revoking.items, member->revoking.count, arena));
}

static void take(ks_consumer_step *step, ks_consumer_member *member, ks_consumer_member_state state, int32_t epoch,
                 ks_tps assigned, ks_tps revoking) {
    bool different = state != member->state || epoch != member->epoch || member->previous_epoch != member->epoch ||
                     !same(&assigned, &member->assigned) || !same(&revoking, &member->revoking);
    bool progress = state != member->state || epoch != member->epoch || !same(&assigned, &member->assigned) ||
                    !same(&revoking, &member->revoking);
    ks_consumer_member_set_current(member, state, epoch, member->epoch, assigned, revoking);
    if (!different) return;
    ks_consumer_write_current(step, member);
    set_rebalance_timer(step, member);
    if (!progress) return;
    step->out->progress = true;
    tell(step, member);
}

static void next_assignment(ks_consumer_step *step, ks_consumer_member *member, int32_t base_epoch,
                            const ks_owned *owned) {
    next_step plan = make_plan(member);
    const ks_tps none = { 0 };
    /* updateMemberEpoch() makes the epoch before this update the previous one, whatever the base was */
    if (plan.revoke.count > 0 && still_owns(owned, &plan.revoke)) {
        ks_free(plan.add.items);
        take(step, member, KS_MEMBER_UNREVOKED_PARTITIONS, base_epoch, plan.keep, plan.revoke);
        return;
    }
    for (int32_t i = 0; i < plan.add.count; i++) KS_PUSH(plan.keep, plan.add.items[i]);
    ks_tps_sort(&plan.keep);
    ks_free(plan.add.items);
    ks_free(plan.revoke.items);
    take(step, member, plan.waiting ? KS_MEMBER_UNRELEASED_PARTITIONS : KS_MEMBER_STABLE,
         step->group->consumer->assignment_epoch, plan.keep, none);
}

void ks_consumer_reconcile(ks_consumer_step *step, ks_consumer_member *member, const ks_owned *owned) {
    switch (member->state) {
    case KS_MEMBER_STABLE:
        if (member->epoch != step->group->consumer->assignment_epoch)
            next_assignment(step, member, member->epoch, owned);
        break;
    case KS_MEMBER_UNREVOKED_PARTITIONS:
        if (owned->given && !still_owns(owned, &member->revoking))
            next_assignment(step, member, member->epoch + 1, owned);
        break;
    case KS_MEMBER_UNRELEASED_PARTITIONS: next_assignment(step, member, member->epoch, owned); break;
    }
}
