/* SPDX-License-Identifier: Apache-2.0
 *
 * What must always hold of a group: every counter equals a recount, everybody stands where it should and nowhere twice.
 */
#include "sim/broker/group_internal.h"

#include "sim/broker/group_consumer.h"

static int32_t queue_length(const ks_group_queue *queue) {
    int32_t count = 0;
    const ks_group_wait *previous = NULL;
    for (const ks_group_wait *wait = queue->first; wait != NULL; previous = wait, wait = wait->next, count++) {
        ks_assert(wait->waiting && wait->previous == previous);
        for (const ks_group_wait *other = wait->next; other != NULL; other = other->next) /* no request waits twice */
            ks_assert(other->request == NULL || other->request != wait->request);
    }
    ks_assert(queue->last == previous);
    return count;
}

static void check_votes(const ks_group *group) {
    for (const ks_group_protocol *protocol = group->protocols; protocol != NULL; protocol = protocol->hh.next) {
        int32_t supporters = 0, votes = 0;
        for (const ks_group_member *member = group->first_member; member != NULL; member = member->next) {
            for (int32_t i = 0; i < member->protocol_count; i++)
                supporters += member->protocols[i].protocol == protocol;
            votes += member->vote == protocol;
        }
        ks_assert(protocol->supporters == supporters && supporters > 0);
        ks_assert(protocol->votes == votes || group->votes_stale);
    }
}

static void check_state(const ks_group *group) {
    bool led = group->leader != NULL && ks_group_member_find(group, group->leader->id) == group->leader;
    ks_assert(group->member_count == 0 ? group->leader == NULL : led); /* exactly one leader, and it is a member */
    switch (group->state) {
    case KS_GROUP_EMPTY:
        ks_assert(group->member_count == 0 && group->joins.count == 0 && group->syncs.count == 0);
        ks_assert(group->pending_sync_count == 0 && group->protocol_name.size < 0);
        break;
    case KS_GROUP_PREPARING_REBALANCE: ks_assert(group->syncs.count == 0 && group->pending_sync_count == 0); break;
    case KS_GROUP_COMPLETING_REBALANCE:
    case KS_GROUP_STABLE:
        ks_assert(group->member_count > 0 && group->protocol_name.size >= 0 && group->generation > 0);
        ks_assert(group->state == KS_GROUP_COMPLETING_REBALANCE || group->syncs.count == 0);
        break;
    case KS_GROUP_DEAD: break;
    }
}

void ks_group_check_invariants(const ks_group *group) {
    ks_assert(ks_groups_find(group->groups, group->id) == group);
    if (group->kind == KS_GROUP_CONSUMER) {
        ks_consumer_group_check_invariants(group);
        return;
    }
    int32_t members = 0, joins = 0, syncs = 0, pending_syncs = 0, statics = 0;
    const ks_group_member *previous = NULL;
    for (const ks_group_member *member = group->first_member; member != NULL;
         previous = member, member = member->next) {
        ks_assert(member->group == group && member->previous == previous && member->join.member == member &&
                  member->sync.member == member);
        ks_assert(ks_group_member_find(group, member->id) == member);
        ks_assert(member->instance_id.size < 0 || ks_group_static_find(group, member->instance_id) == member);
        ks_assert(ks_group_pending_find(group, member->id) == NULL);
        ks_assert(!(member->join.waiting && member->sync.waiting)); /* one parked request at most */
        members++;
        joins += member->join.waiting;
        syncs += member->sync.waiting;
        pending_syncs += ks_group_sync_is_pending(member);
        statics += member->instance_id.size >= 0;
    }
    ks_assert(group->last_member == previous && members == group->member_count);
    ks_assert(members == (int32_t)HASH_CNT(by_id, group->members_by_id) &&
              statics == (int32_t)HASH_CNT(by_instance, group->members_by_instance));
    ks_assert(joins == group->joins.count && joins == queue_length(&group->joins));
    ks_assert(syncs == group->syncs.count && syncs == queue_length(&group->syncs));
    ks_assert(pending_syncs == group->pending_sync_count);
    for (int32_t i = 0; i < group->timeouts.count; i++) {
        ks_assert(group->timeouts.items[i].members > 0);
        members -= group->timeouts.items[i].members;
    }
    ks_assert(members == 0);
    check_votes(group);
    check_state(group);
}
