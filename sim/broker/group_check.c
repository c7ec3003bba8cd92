/* SPDX-License-Identifier: Apache-2.0
 *
 * Who are you, and may you? Identity (ClassicGroup.validateMember), Heartbeat, the checks of OffsetCommit and
 * DeleteGroups. */
#include "sim/broker/group_internal.h"

#include "sim/broker/group_consumer.h"
#include "sim/broker/group_events.h"
#include "sim/broker/group_records.h"

kafka_error ks_group_check_identity(const ks_group *group, ks_string member_id, ks_string instance_id, const ks_group_member *found) {
    if (instance_id.size >= 0) {
        const ks_group_member *holder = ks_group_static_find(group, instance_id);
        if (holder == NULL) return KAFKA_ERR_UNKNOWN_MEMBER_ID;
        if (!ks_string_equal(holder->id, member_id)) return KAFKA_ERR_FENCED_INSTANCE_ID;
    }
    return found != NULL ? KAFKA_OK : KAFKA_ERR_UNKNOWN_MEMBER_ID;
}

kafka_error ks_group_identify(const ks_group *group, ks_string member_id, ks_string instance_id,
                              ks_group_member **member) {
    ks_group_member *found = ks_group_member_find(group, member_id);
    kafka_error error = ks_group_check_identity(group, member_id, instance_id, found);
    if (error == KAFKA_OK) *member = found;
    return error;
}

static kafka_error heartbeat(const ks_group *group, const ks_heartbeat_request *beat, ks_effects *out) {
    ks_group_member *member = NULL;
    if (group == NULL) return KAFKA_ERR_UNKNOWN_MEMBER_ID;
    if (group->state == KS_GROUP_DEAD) return KAFKA_ERR_COORDINATOR_NOT_AVAILABLE;
    kafka_error error = ks_group_identify(group, beat->member_id, beat->group_instance_id, &member);
    if (error != KAFKA_OK) return error;
    if (beat->generation_id != group->generation) return KAFKA_ERR_ILLEGAL_GENERATION;
    ks_group_session_restart(member, out);
    /* In CompletingRebalance the answer is 0: a member may heartbeat as soon as it has its JoinGroup reply. */
    return group->state == KS_GROUP_PREPARING_REBALANCE ? KAFKA_ERR_REBALANCE_IN_PROGRESS : KAFKA_OK;
}

void ks_group_heartbeat(ks_groups *groups, const ks_group_input *in, ks_effects *out) {
    ks_group *group = ks_groups_find(groups, in->heartbeat->group_id);
    if (group != NULL && group->kind == KS_GROUP_CONSUMER) {
        ks_consumer_group_classic_heartbeat(group, in, out);
        return;
    }
    kafka_error error = heartbeat(group, in->heartbeat, out);
    ks_group_tell_if_fenced(group, error, in->heartbeat->member_id, in->heartbeat->group_instance_id, in->client_id,
                            out);
    ks_effect_reply(out, group, in->request, KS_API_heartbeat, error);
}

/* ---- offsets ---- */

static kafka_error check_missing(ks_groups *groups, const ks_group_committer *who, int64_t now_ms, ks_effects *out) {
    if (who->generation < 0) { /* a simple consumer, or an administrator: the group comes into being by its offsets */
        ks_group_tell_created(ks_group_new(groups, who->group_id, now_ms), out);
        out->progress = true;
        return KAFKA_OK;
    }
    return who->version >= 9 && !who->transactional ? KAFKA_ERR_GROUP_ID_NOT_FOUND : KAFKA_ERR_ILLEGAL_GENERATION;
}

kafka_error ks_groups_check_commit(ks_groups *groups, const ks_group_committer *who, int64_t now_ms, ks_effects *out) {
    ks_group *group = ks_groups_find(groups, who->group_id);
    if (group == NULL) return check_missing(groups, who, now_ms, out);
    if (group->kind == KS_GROUP_CONSUMER) return ks_consumer_group_check_commit(group, who);
    if (group->state == KS_GROUP_DEAD) return KAFKA_ERR_COORDINATOR_NOT_AVAILABLE;
    if (who->generation < 0 && group->state == KS_GROUP_EMPTY) return KAFKA_OK;
    ks_group_member *member = NULL;
    if (who->generation >= 0 || who->member_id.size > 0 || who->instance_id.size >= 0) {
        kafka_error error = ks_group_identify(group, who->member_id, who->instance_id, &member);
        if (error != KAFKA_OK) return error;
        if (who->generation != group->generation) return KAFKA_ERR_ILLEGAL_GENERATION;
    } else if (!who->transactional && group->state != KS_GROUP_EMPTY) {
        return KAFKA_ERR_UNKNOWN_MEMBER_ID;
    }
    if (!who->transactional && group->state == KS_GROUP_COMPLETING_REBALANCE) return KAFKA_ERR_REBALANCE_IN_PROGRESS;
    if (member != NULL && !who->transactional) ks_group_session_restart(member, out); /* Stable or Preparing here */
    return KAFKA_OK;
}

/* ---- deleting ---- */

kafka_error ks_groups_check_delete(ks_groups *groups, ks_string group_id) {
    const ks_group *group = ks_groups_find(groups, group_id);
    if (group == NULL || group->state == KS_GROUP_DEAD) return KAFKA_ERR_GROUP_ID_NOT_FOUND;
    bool empty = group->kind == KS_GROUP_CONSUMER ? ks_consumer_group_is_empty(group) : group->state == KS_GROUP_EMPTY;
    return empty ? KAFKA_OK : KAFKA_ERR_NON_EMPTY_GROUP;
}

void ks_groups_remove(ks_groups *groups, ks_string group_id, const char *reason, ks_effects *out) {
    ks_group *group = ks_groups_find(groups, group_id);
    if (group == NULL) return;
    ks_group_tell_deleted(group, reason, out);
    ks_group_unlink(group, out);
}
