/* SPDX-License-Identifier: Apache-2.0
 *
 * LeaveGroup to a classic group, batched (KIP-345) and with reasons (KIP-800). As in Kafka's classicGroupLeave one
 * rebalance follows for the whole batch, also when all that left was an id that was still pending. */
#include "sim/broker/group_internal.h"

#include "sim/broker/group_consumer.h"
#include "sim/broker/group_events.h"

static void remove_leaver(ks_group_member *member, ks_string reason, ks_effects *out) {
    ks_group *group = member->group;
    ks_effect_timer_stop(out, group, KS_GROUP_TIMER_SESSION, member->id);
    ks_group_tell_left(member, reason, out);
    if (member->join.waiting) {
        void *request = ks_group_wait_release(&group->joins, &member->join);
        ks_group_refuse_join(group, request, KAFKA_ERR_UNKNOWN_MEMBER_ID, KS_LITERAL(""), out);
    }
    ks_group_member_remove(member, out);
}

static kafka_error leave_one(ks_group *group, const ks_leave_group_request_member_identity *who, ks_effects *out) {
    ks_group_member *member = NULL;
    if (who->member_id.size <= 0) { /* an administrator removes a static member by its instance id */
        if (who->group_instance_id.size >= 0) member = ks_group_static_find(group, who->group_instance_id);
        if (member == NULL) return KAFKA_ERR_UNKNOWN_MEMBER_ID;
    } else {
        ks_group_pending *pending = ks_group_pending_find(group, who->member_id);
        if (pending != NULL) {
            ks_string id = ks_arena_string(out->scratch, pending->id);
            ks_group_pending_remove(group, pending);
            ks_effect_timer_stop(out, group, KS_GROUP_TIMER_SESSION, id);
            ks_group_tell_pending_gone(group, id, false, who->reason, out);
            out->progress = true;
            return KAFKA_OK;
        }
        kafka_error error = ks_group_identify(group, who->member_id, who->group_instance_id, &member);
        if (error != KAFKA_OK) return error;
    }
    remove_leaver(member, who->reason, out);
    return KAFKA_OK;
}

void ks_group_leave(ks_groups *groups, const ks_group_input *in, ks_effects *out) {
    const ks_leave_group_request *leave = in->leave;
    ks_group *group = ks_groups_find(groups, leave->group_id);
    if (group == NULL || group->state == KS_GROUP_DEAD) {
        kafka_error error = group == NULL ? KAFKA_ERR_UNKNOWN_MEMBER_ID : KAFKA_ERR_COORDINATOR_NOT_AVAILABLE;
        ks_effect_reply(out, group, in->request, KS_API_leave_group, error);
        return;
    }
    if (group->kind == KS_GROUP_CONSUMER) {
        ks_consumer_group_classic_leave(group, in, out);
        return;
    }
    int32_t count = leave->members.count > 0 ? leave->members.count : 0;
    ks_leave_result *results = ks_arena_alloc(out->scratch, sizeof *results * (size_t)(count + 1));
    ks_group_reply *reply =
        ks_effect_reply(out, group, in->request, KS_API_leave_group, KAFKA_OK); /* before those it wakes */
    reply->left = results;
    reply->left_count = count;
    ks_group_why why = { "member_left", KS_LITERAL(""), KS_NULL_STRING };
    bool any = false;
    for (int32_t i = 0; i < count; i++) {
        const ks_leave_group_request_member_identity *who = &leave->members.items[i];
        results[i] = (ks_leave_result){ who->member_id, who->group_instance_id, leave_one(group, who, out) };
        if (results[i].error != KAFKA_OK) continue;
        any = true;
        why.member_id = who->member_id.size > 0 ? who->member_id : who->group_instance_id;
        why.client_reason = in->version >= 5 ? who->reason : KS_NULL_STRING;
    }
    if (any && group->state != KS_GROUP_EMPTY) ks_group_rebalance_or_complete(group, in->now_ms, &why, out);
}
