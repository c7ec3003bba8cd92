/* SPDX-License-Identifier: Apache-2.0
 *
 * JoinGroup to a classic group: Kafka's GroupMetadataManager.classicGroupJoin. Two-step join is KIP-394, static
 * membership KIP-345, skipping the assignment KIP-814, group.max.size KIP-389. */
#include "sim/broker/group_internal.h"

#include "sim/broker/group_consumer.h"
#include "sim/broker/group_events.h"
#include "sim/broker/group_records.h"

/* ---- replies ---- */

void ks_group_refuse_join(ks_group *group, void *request, kafka_error error, ks_string member_id, ks_effects *out) {
    if (request == NULL) return;
    ks_effect_reply(out, group, request, KS_API_join_group, error)->member_id = member_id;
}

void ks_group_reply_join(ks_group_member *member, void *request, ks_effects *out) {
    ks_group *group = member->group;
    ks_group_reply *reply = ks_effect_reply(out, group, request, KS_API_join_group, KAFKA_OK);
    reply->generation = group->generation;
    reply->protocol_type = group->protocol_type;
    reply->protocol_name = group->protocol_name;
    reply->leader = group->leader->id;
    reply->member_id = member->id;
    reply->with_members = member == group->leader;
}

static void refuse(ks_group *group, const ks_group_input *in, kafka_error error, ks_string member_id, ks_effects *out) {
    ks_group_refuse_join(group, in->request, error, member_id, out);
}

/* ---- what a request says of its member ---- */

static ks_member_spec spec_of(const ks_group_input *in, ks_string member_id) {
    const ks_join_group_request *join = in->join;
    return (ks_member_spec){ .id = member_id,
                             .instance_id = join->group_instance_id,
                             .client_id = in->client_id,
                             .client_host = in->client_host,
                             .session_timeout_ms = join->session_timeout_ms,
                             .rebalance_timeout_ms =
                                 in->version >= 1 ? join->rebalance_timeout_ms : join->session_timeout_ms,
                             .protocols = join->protocols.items,
                             .protocol_count = join->protocols.count,
                             .protocol_type = join->protocol_type };
}

static ks_group_why why_of(const ks_group_input *in, const char *reason, ks_string member_id) {
    return (ks_group_why){ reason, member_id, in->version >= 8 ? in->join->reason : KS_NULL_STRING };
}

/* ---- members come in ---- */

static void add_member(ks_group *group, const ks_group_input *in, ks_string member_id, ks_effects *out) {
    const ks_member_spec spec = spec_of(in, member_id);
    if (group->state == KS_GROUP_PREPARING_REBALANCE && group->previous_state == KS_GROUP_EMPTY)
        group->new_member_added = true;
    ks_group_member *member = ks_group_member_add(group, &spec);
    member->is_new = true;
    const ks_group_why why = why_of(in, "member_joined", member->id);
    ks_group_tell_joined(member, &why, out);
    if (group->leader == member) ks_group_tell_leader(group, out);
    ks_group_wait_park(&group->joins, &member->join, in->request, group, out);
    ks_group_tell_join_parked(member, out);
    /* A newcomer does not know its id yet and cannot heartbeat, so its own session timeout does not hold. */
    ks_effect_timer_start(out, group, KS_GROUP_TIMER_SESSION, member->id,
                          group->groups->settings.new_member_join_timeout_ms);
    out->progress = true;
    ks_group_rebalance_or_complete(group, in->now_ms, &why, out);
}

static void rejoin(ks_group_member *member, const ks_group_input *in, const char *reason, ks_effects *out) {
    ks_group *group = member->group;
    const ks_member_spec spec = spec_of(in, member->id);
    const ks_group_why why = why_of(in, reason, member->id);
    ks_group_member_update(member, &spec);
    ks_group_tell_rejoined(member, &why, out);
    ks_group_wait_park(&group->joins, &member->join, in->request, group, out);
    ks_group_tell_join_parked(member, out);
    out->progress = true;
    ks_group_rebalance_or_complete(group, in->now_ms, &why, out);
}

static void join_pending(ks_group *group, ks_group_pending *pending, const ks_group_input *in, ks_effects *out) {
    if (in->join->group_instance_id.size >= 0) { /* an id from the two-step join is never static */
        refuse(group, in, KAFKA_ERR_UNKNOWN_SERVER_ERROR, in->join->member_id, out);
        return;
    }
    ks_group_pending_remove(group, pending);
    add_member(group, in, in->join->member_id, out);
}

/* ---- a static member comes back under a new id ---- */

typedef struct ks_member_copy { /* what to go back to when the new id cannot be written; one block */
    int32_t session_timeout_ms, rebalance_timeout_ms, protocol_count;
    ks_join_group_request_protocol protocols[];
} ks_member_copy;

static ks_member_copy *copy_member(const ks_group_member *member) {
    size_t size = sizeof(ks_member_copy) + sizeof(ks_join_group_request_protocol) * (size_t)member->protocol_count;
    size_t at = size;
    for (int32_t i = 0; i < member->protocol_count; i++)
        size += (size_t)member->protocols[i].protocol->name.size + (size_t)member->protocols[i].metadata.size;
    ks_member_copy *copy = ks_alloc(size);
    copy->session_timeout_ms = member->session_timeout_ms;
    copy->rebalance_timeout_ms = member->rebalance_timeout_ms;
    copy->protocol_count = member->protocol_count;
    char *bytes = (char *)copy;
    for (int32_t i = 0; i < member->protocol_count; i++) {
        ks_string name = member->protocols[i].protocol->name;
        ks_bytes metadata = member->protocols[i].metadata;
        copy->protocols[i].name = (ks_string){ memcpy(bytes + at, name.data, (size_t)name.size), name.size };
        at += (size_t)name.size;
        if (metadata.size > 0) memcpy(bytes + at, metadata.data, (size_t)metadata.size);
        copy->protocols[i].metadata = (ks_bytes){ (uint8_t *)bytes + at, metadata.size };
        at += (size_t)metadata.size;
    }
    return copy;
}

static void persist_replacement(ks_group_member *member, const ks_group_input *in, ks_string former_id,
                                ks_string former_leader, ks_member_copy *former, ks_effects *out) {
    ks_group *group = member->group;
    ks_group_append *append = ks_effect_append(out, group, ks_group_metadata_record(group, NULL, out->scratch), 1);
    append->kind = KS_APPEND_REPLACED;
    append->version = in->version;
    append->former = former;
    append->member_id = ks_string_dup(member->id);
    append->former_id = ks_string_dup(former_id);
    append->former_leader = ks_string_dup(former_leader);
}

/* The old id vanishes at once; everything it had passes to the new one. */
static void replace_static(ks_group_member *member, const ks_group_input *in, ks_effects *out) {
    ks_group *group = member->group;
    ks_string former_id = ks_arena_string(out->scratch, member->id);
    ks_string former_leader = ks_arena_string(out->scratch, group->leader->id);
    if (member->join.waiting) {
        void *request = ks_group_wait_release(&group->joins, &member->join);
        ks_group_refuse_join(group, request, KAFKA_ERR_FENCED_INSTANCE_ID, former_id, out);
    }
    if (member->sync.waiting) {
        void *request = ks_group_wait_release(&group->syncs, &member->sync);
        if (request != NULL) ks_effect_reply(out, group, request, KS_API_sync_group, KAFKA_ERR_FENCED_INSTANCE_ID);
    }
    ks_group_pending_sync_set(member, false);
    ks_member_copy *former = group->state == KS_GROUP_STABLE ? copy_member(member) : NULL;
    ks_group_member_rename(member, in->new_member_id);
    ks_group_session_restart(member, out); /* with the former timeout; the old id's timer runs out without effect */
    const ks_member_spec spec = spec_of(in, member->id);
    ks_group_member_update(member, &spec);
    const ks_group_why why = why_of(in, "static_replaced", member->id);
    ks_group_tell_replaced(member, former_id, out);
    ks_group_wait_park(&group->joins, &member->join, in->request, group, out);
    out->progress = true;
    if (group->state == KS_GROUP_STABLE && ks_string_equal(ks_group_vote(group), group->protocol_name)) {
        persist_replacement(member, in, former_id, former_leader, former, out);
        return;
    }
    ks_free(former);
    ks_group_rebalance_or_complete(group, in->now_ms, &why, out);
}

void ks_group_static_replaced(ks_group *group, ks_group_append *append, kafka_error error, ks_effects *out) {
    ks_group_member *member = ks_group_member_find(group, append->member_id);
    if (member == NULL) return; /* gone again, its join was answered then */
    void *request = member->join.waiting ? ks_group_wait_release(&group->joins, &member->join) : NULL;
    if (error != KAFKA_OK) {
        const ks_member_copy *former = append->former;
        const ks_member_spec spec = { .session_timeout_ms = former->session_timeout_ms,
                                      .rebalance_timeout_ms = former->rebalance_timeout_ms,
                                      .protocols = former->protocols,
                                      .protocol_count = former->protocol_count };
        ks_group_member_update(member, &spec);
        ks_group_member_rename(member, append->former_id);
        ks_group_session_restart(member, out);
    }
    if (request == NULL) return;
    ks_group_reply_join(member, request, out);
    ks_group_reply *reply = &out->list.items[out->list.count - 1].reply;
    if (error != KAFKA_OK) {
        reply->error = ks_group_append_error(error);
        reply->member_id = KS_LITERAL("");
        reply->with_members = false;
    } else if (append->version >= 9) {
        reply->skip_assignment = reply->with_members;
        if (reply->skip_assignment) ks_group_tell_assignment_skipped(member, out);
    } else { /* it must not believe that it leads, or it would assign again */
        reply->leader = ks_arena_string(out->scratch, append->former_leader);
        reply->with_members = false;
    }
}

/* ---- deciding ---- */

static void join_new(ks_group *group, const ks_group_input *in, ks_effects *out) {
    const ks_join_group_request *join = in->join;
    if (group->state == KS_GROUP_DEAD) {
        refuse(group, in, KAFKA_ERR_COORDINATOR_NOT_AVAILABLE, KS_LITERAL(""), out);
    } else if (!ks_group_supports(group, join->protocol_type, join->protocols.items, join->protocols.count)) {
        refuse(group, in, KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL, KS_LITERAL(""), out);
    } else if (join->group_instance_id.size >= 0) {
        ks_group_member *former = ks_group_static_find(group, join->group_instance_id);
        if (former != NULL)
            replace_static(former, in, out);
        else
            add_member(group, in, in->new_member_id, out);
    } else if (in->version >= 4) {
        ks_string id = ks_arena_string(out->scratch, in->new_member_id);
        ks_group_pending_add(group, id);
        ks_group_tell_id_given(group, id, in->client_id, out);
        ks_effect_timer_start(out, group, KS_GROUP_TIMER_SESSION, id, join->session_timeout_ms);
        out->progress = true;
        refuse(group, in, KAFKA_ERR_MEMBER_ID_REQUIRED, id, out);
    } else {
        add_member(group, in, in->new_member_id, out);
    }
}

static void join_again(ks_group *group, ks_group_member *member, const ks_group_input *in, ks_effects *out) {
    const ks_join_group_request *join = in->join;
    bool same = group->state != KS_GROUP_PREPARING_REBALANCE && /* where it does not matter */
                ks_group_member_matches(member, join->protocols.items, join->protocols.count);
    switch (group->state) {
    case KS_GROUP_PREPARING_REBALANCE: rejoin(member, in, "member_rejoined", out); break;
    case KS_GROUP_COMPLETING_REBALANCE:
        if (same)
            ks_group_reply_join(member, in->request, out); /* its first reply was probably lost */
        else
            rejoin(member, in, "metadata_changed", out);
        break;
    case KS_GROUP_STABLE: /* the leader may always ask for a rebalance: topics may have changed */
        if (member == group->leader)
            rejoin(member, in, "leader_rejoined", out);
        else if (!same)
            rejoin(member, in, "metadata_changed", out);
        else
            ks_group_reply_join(member, in->request, out);
        break;
    case KS_GROUP_EMPTY:
    case KS_GROUP_DEAD: refuse(group, in, KAFKA_ERR_UNKNOWN_MEMBER_ID, join->member_id, out); break;
    }
}

static void join_existing(ks_group *group, ks_group_member *member, const ks_group_input *in, ks_effects *out) {
    const ks_join_group_request *join = in->join;
    if (group->state == KS_GROUP_DEAD) {
        refuse(group, in, KAFKA_ERR_COORDINATOR_NOT_AVAILABLE, join->member_id, out);
        return;
    }
    if (!ks_group_supports(group, join->protocol_type, join->protocols.items, join->protocols.count)) {
        refuse(group, in, KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL, join->member_id, out);
        return;
    }
    ks_group_pending *pending = ks_group_pending_find(group, join->member_id);
    if (pending != NULL) {
        join_pending(group, pending, in, out);
        return;
    }
    kafka_error error = ks_group_check_identity(group, join->member_id, join->group_instance_id, member);
    ks_group_tell_if_fenced(group, error, join->member_id, join->group_instance_id, in->client_id, out);
    if (error != KAFKA_OK)
        refuse(group, in, error, join->member_id, out);
    else
        join_again(group, member, in, out);
}

/* KIP-389: the last to rejoin are the ones that have to go. */
static bool has_room(const ks_group *group, const ks_group_member *member) {
    int32_t max = group->groups->settings.max_size;
    switch (group->state) {
    case KS_GROUP_EMPTY:
    case KS_GROUP_DEAD: return true;
    case KS_GROUP_PREPARING_REBALANCE: return (member != NULL && member->join.waiting) || group->joins.count < max;
    case KS_GROUP_COMPLETING_REBALANCE:
    case KS_GROUP_STABLE: return member != NULL || group->member_count < max;
    }
    ks_unreachable("group state");
}

static void refuse_for_size(ks_group *group, ks_group_member *member, const ks_group_input *in, ks_effects *out) {
    ks_group_pending *pending = ks_group_pending_find(group, in->join->member_id);
    if (pending != NULL) ks_group_pending_remove(group, pending);
    if (member != NULL) {
        ks_group_tell_removed(member, "group_full", out);
        ks_group_member_remove(member, out);
    }
    refuse(group, in, KAFKA_ERR_GROUP_MAX_SIZE_REACHED, KS_LITERAL(""), out);
}

static bool has_append(const ks_effects *out) {
    for (int32_t i = 0; i < out->list.count; i++)
        if (out->list.items[i].kind == KS_EFFECT_APPEND) return true;
    return false;
}

/* A new group is written down even if nobody is in it yet. */
static void persist_creation(ks_group *group, const ks_group_input *in, ks_effects *out) {
    ks_group_append *append = ks_effect_append(out, group, ks_group_empty_record(group, out->scratch), 1);
    append->kind = KS_APPEND_CREATED;
    append->member_id = ks_string_dup(in->new_member_id);
}

void ks_group_join(ks_groups *groups, const ks_group_input *in, ks_effects *out) {
    const ks_join_group_request *join = in->join;
    ks_group *group = ks_groups_find(groups, join->group_id);
    bool converted = false;
    if (group != NULL && group->kind == KS_GROUP_CONSUMER) {
        if (!ks_consumer_group_is_empty(group)) {
            ks_consumer_group_classic_join(group, in, out);
            return;
        }
        ks_consumer_group_replace_by_classic(group, in->now_ms, out);
        converted = true;
    }
    bool unknown = join->member_id.size <= 0, created = group == NULL || converted;
    if (group == NULL && !unknown) {
        refuse(NULL, in, KAFKA_ERR_UNKNOWN_MEMBER_ID, join->member_id, out);
        return;
    }
    if (group == NULL) {
        group = ks_group_new(groups, join->group_id, in->now_ms);
        ks_group_tell_created(group, out);
    }
    ks_group_member *member = unknown ? NULL : ks_group_member_find(group, join->member_id);
    if (!has_room(group, member))
        refuse_for_size(group, member, in, out);
    else if (unknown)
        join_new(group, in, out);
    else
        join_existing(group, member, in, out);
    if (created && (converted || !has_append(out))) persist_creation(group, in, out);
}
