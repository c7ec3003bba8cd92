/* SPDX-License-Identifier: Apache-2.0
 *
 * Which input goes to which rule. */
#include "sim/broker/group_internal.h"

#include "sim/broker/group_consumer.h"

static void timer_fired(ks_group *group, const ks_group_input *in, ks_effects *out) {
    if (group->kind == KS_GROUP_CONSUMER) {
        ks_consumer_group_timer_fired(group, in, out);
        return;
    }
    switch (in->timer.kind) {
    case KS_GROUP_TIMER_SESSION: ks_group_session_timer_fired(group, in->timer.member_id, in->now_ms, out); break;
    case KS_GROUP_TIMER_JOIN: ks_group_join_timer_fired(group, in->now_ms, out); break;
    case KS_GROUP_TIMER_SYNC: ks_group_sync_timer_fired(group, in->now_ms, out); break;
    case KS_GROUP_TIMER_CONSUMER_SESSION: /* left over from before a downgrade */
    case KS_GROUP_TIMER_REBALANCE:
    case KS_GROUP_TIMER_MEMBER_JOIN:
    case KS_GROUP_TIMER_MEMBER_SYNC: break;
    }
}

/* The new group could not be written: a join that still waits is told so. It keeps its place, as in Kafka. */
static void created(ks_group *group, const ks_group_append *append, kafka_error error, ks_effects *out) {
    ks_group_member *member = ks_group_member_find(group, append->member_id);
    if (error == KAFKA_OK || member == NULL || member->join.request == NULL) return;
    ks_group_refuse_join(group, member->join.request, ks_group_append_error(error), KS_LITERAL(""), out);
    member->join.request = NULL;
}

static void appended(const ks_group_input *in, ks_effects *out) {
    ks_group_append *append = in->appended.append;
    ks_group *group = append->group;
    switch (append->kind) {
    case KS_APPEND_CREATED: created(group, append, in->appended.error, out); break;
    case KS_APPEND_ASSIGNMENT: ks_group_assignment_appended(group, append, in->appended.error, in->now_ms, out); break;
    case KS_APPEND_REPLACED: ks_group_static_replaced(group, append, in->appended.error, out); break;
    case KS_APPEND_EMPTIED: /* there is nobody to tell; after a crash the former generation comes back and expires */
    case KS_APPEND_PLAIN: break;
    case KS_APPEND_CONSUMER: /* what was applied ahead of the write is taken back by reading the log again */
        if (in->appended.error != KAFKA_OK) ks_effect_add(out, group, KS_EFFECT_RELOAD);
        break;
    }
    ks_group_append_free(append);
}

void ks_groups_step(ks_groups *groups, const ks_group_input *in, ks_effects *out) {
    ks_group *group;
    switch (in->kind) {
    case KS_GROUP_JOIN: ks_group_join(groups, in, out); break;
    case KS_GROUP_SYNC: ks_group_sync(groups, in, out); break;
    case KS_GROUP_HEARTBEAT: ks_group_heartbeat(groups, in, out); break;
    case KS_GROUP_LEAVE: ks_group_leave(groups, in, out); break;
    case KS_GROUP_CONSUMER_HEARTBEAT: ks_consumer_group_heartbeat(groups, in, out); break;
    case KS_GROUP_TIMER_FIRED:
        group = ks_groups_find(groups, in->group_id);
        if (group != NULL) timer_fired(group, in, out);
        break;
    case KS_GROUP_APPENDED: appended(in, out); break;
    case KS_GROUP_LOADED:
        group = ks_groups_find(groups, in->group_id);
        if (group == NULL) break;
        if (group->kind == KS_GROUP_CONSUMER)
            ks_consumer_group_loaded(group, out);
        else
            ks_group_loaded(group, in->now_ms, out);
        break;
    case KS_GROUP_UNLOAD:
        group = ks_groups_find(groups, in->group_id);
        if (group != NULL && group->kind == KS_GROUP_CLASSIC) ks_group_unload(group, in->now_ms, out);
        break;
    }
}
