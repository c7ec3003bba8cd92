/* SPDX-License-Identifier: Apache-2.0
 *
 * SyncGroup to a classic group: followers wait until the leader's assignment is written, then all are answered (Kafka's
 * GroupMetadataManager.classicGroupSync). */
#include "sim/broker/group_internal.h"

#include "sim/broker/group_consumer.h"
#include "sim/broker/group_events.h"
#include "sim/broker/group_records.h"

static void reply_sync(ks_group_member *member, void *request, kafka_error error, ks_effects *out) {
    if (request == NULL) return;
    ks_group_reply *reply = ks_effect_reply(out, member->group, request, KS_API_sync_group, error);
    if (error != KAFKA_OK) return;
    reply->protocol_type = member->group->protocol_type;
    reply->protocol_name = member->group->protocol_name;
    reply->assignment = ks_group_assignment_of(member);
}

void ks_group_clear_assignments(ks_group *group) { group->assignment_round++; }

static int by_member_id(const void *a, const void *b) {
    return ks_string_compare((*(ks_group_member *const *)a)->id, (*(ks_group_member *const *)b)->id);
}

/* Those who wait, by id. O(W log W) for W of them. */
static ks_group_member **waiting_members(const ks_group *group, ks_arena *arena) {
    ks_group_member **list = ks_arena_alloc(arena, sizeof *list * (size_t)(group->syncs.count + 1));
    int32_t count = 0;
    for (const ks_group_wait *wait = group->syncs.first; wait != NULL; wait = wait->next) list[count++] = wait->member;
    ks_sort(list, (size_t)count, sizeof *list, by_member_id); /* ids differ */
    return list;
}

/* The session timers start again because a parked member may have let its own run out. */
void ks_group_answer_syncs(ks_group *group, kafka_error error, ks_effects *out) {
    if (group->syncs.count == 0) return;
    ks_group_member *const *members = waiting_members(group, out->scratch);
    if (error != KAFKA_ERR_NOT_COORDINATOR || group->state != KS_GROUP_DEAD)
        ks_group_sessions_restart(group, members, group->syncs.count, out);
    while (group->syncs.first != NULL) {
        ks_group_member *member = group->syncs.first->member;
        reply_sync(member, ks_group_wait_release(&group->syncs, &member->sync), error, out);
    }
}

static void sync_arrived(ks_group_member *member, ks_effects *out) {
    ks_group_pending_sync_set(member, false);
    if (member->group->pending_sync_count == 0)
        ks_effect_timer_stop(out, member->group, KS_GROUP_TIMER_SYNC, KS_LITERAL(""));
}

/* ---- the leader's assignment ---- */

/* A leader lists its members in the order of their ids, mostly: the one after *last is looked at first. */
static ks_group_member *find_next(ks_group *group, ks_group_member *const *sorted, int32_t *last, ks_string id) {
    int32_t next = *last + 1;
    if (next >= group->member_count || !ks_string_equal(sorted[next]->id, id)) return ks_group_member_find(group, id);
    return sorted[*last = next];
}

/* Keeps what the leader decided for those who are members; the last entry of an id counts. One block of memory. */
static void keep_proposal(ks_group *group, const ks_sync_group_request *sync, ks_group_append *append) {
    size_t size = sizeof(ks_proposed_assignment) * (size_t)(sync->assignments.count + 1), at = size;
    for (int32_t i = 0; i < sync->assignments.count; i++) {
        const ks_sync_group_request_assignment *item = &sync->assignments.items[i];
        if (item->assignment.size > 0) size += (size_t)item->assignment.size;
        if (item->member_id.size > 0) size += (size_t)item->member_id.size;
    }
    append->proposed = ks_alloc(size);
    uint8_t *block = (uint8_t *)append->proposed;
    ks_group_member *const *sorted = ks_group_members_sorted(group);
    int32_t last = -1;
    for (int32_t i = 0; i < sync->assignments.count; i++) {
        const ks_sync_group_request_assignment *item = &sync->assignments.items[i];
        if (find_next(group, sorted, &last, item->member_id) == NULL) continue;
        ks_proposed_assignment *mine = &append->proposed[append->proposed_count++];
        mine->member_id =
            (ks_string){ memcpy(block + at, item->member_id.data, (size_t)item->member_id.size), item->member_id.size };
        at += (size_t)item->member_id.size;
        mine->assignment = (ks_bytes){ block + at, item->assignment.size > 0 ? item->assignment.size : 0 };
        if (item->assignment.size > 0) memcpy(block + at, item->assignment.data, (size_t)item->assignment.size);
        at += (size_t)mine->assignment.size;
    }
}

static void propose(ks_group *group, const ks_group_input *in, ks_effects *out) {
    ks_group_append *append = ks_effect_append(out, group, NULL, 1);
    append->kind = KS_APPEND_ASSIGNMENT;
    keep_proposal(group, in->sync, append);
    out->list.items[out->list.count - 1].append.records = ks_group_metadata_record(group, append, out->scratch);
}

void ks_group_assignment_appended(ks_group *group, ks_group_append *append, kafka_error error, int64_t now_ms,
                                  ks_effects *out) {
    /* A join may have come while the write was on its way; then it has won, and those who waited know. */
    if (group->state != KS_GROUP_COMPLETING_REBALANCE || group->generation != append->generation) return;
    ks_group_clear_assignments(group);
    if (error != KAFKA_OK) {
        ks_group_answer_syncs(group, ks_group_append_error(error), out);
        ks_group_rebalance(group, now_ms,
                           &(ks_group_why){ "assignment_not_written", group->leader->id, KS_NULL_STRING }, out);
        return;
    }
    ks_group_member *const *sorted = ks_group_members_sorted(group);
    for (int32_t i = 0, last = -1; i < append->proposed_count; i++) {
        ks_group_member *member = find_next(group, sorted, &last, append->proposed[i].member_id);
        if (member == NULL) continue;
        ks_bytes_replace(&member->assignment, append->proposed[i].assignment);
        member->assigned_round = group->assignment_round;
    }
    ks_group_become(group, KS_GROUP_STABLE, now_ms,
                    &(ks_group_why){ "assignment_written", group->leader->id, KS_NULL_STRING }, out);
    ks_group_tell_assignments(group, out);
    ks_group_answer_syncs(group, KAFKA_OK, out);
}

/* ---- the request ---- */

static bool differs(ks_string given, ks_string actual) {
    return given.size >= 0 && actual.size >= 0 && !ks_string_equal(given, actual);
}

static kafka_error check(const ks_group *group, const ks_group_input *in, ks_group_member **member) {
    const ks_sync_group_request *sync = in->sync;
    if (group == NULL || group->state == KS_GROUP_EMPTY) return KAFKA_ERR_UNKNOWN_MEMBER_ID;
    if (group->state == KS_GROUP_DEAD) return KAFKA_ERR_COORDINATOR_NOT_AVAILABLE;
    kafka_error error = ks_group_identify(group, sync->member_id, sync->group_instance_id, member);
    if (error != KAFKA_OK) return error;
    if (sync->generation_id != group->generation) return KAFKA_ERR_ILLEGAL_GENERATION;
    if (differs(sync->protocol_type, group->protocol_type) || differs(sync->protocol_name, group->protocol_name))
        return KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL;
    return group->state == KS_GROUP_PREPARING_REBALANCE ? KAFKA_ERR_REBALANCE_IN_PROGRESS : KAFKA_OK;
}

void ks_group_sync(ks_groups *groups, const ks_group_input *in, ks_effects *out) {
    ks_group *group = ks_groups_find(groups, in->sync->group_id);
    if (group != NULL && group->kind == KS_GROUP_CONSUMER) {
        ks_consumer_group_classic_sync(group, in, out);
        return;
    }
    ks_group_member *member = NULL;
    kafka_error error = check(group, in, &member);
    if (error != KAFKA_OK) {
        ks_group_tell_if_fenced(group, error, in->sync->member_id, in->sync->group_instance_id, in->client_id, out);
        ks_effect_reply(out, group, in->request, KS_API_sync_group, error);
        return;
    }
    out->progress = true;
    sync_arrived(member, out);
    if (group->state == KS_GROUP_STABLE) {
        reply_sync(member, in->request, KAFKA_OK, out);
        return;
    }
    ks_group_wait_park(&group->syncs, &member->sync, in->request, group, out);
    ks_group_tell_sync_parked(member, out);
    if (member == group->leader) propose(group, in, out);
}
