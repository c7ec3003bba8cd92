/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/broker/group_events.h"

#include "sim/broker/group_consumer.h"
#include "sim/protocol/consumer_protocol.h"
#include "sim/protocol/events.h"

ks_effect *ks_effect_event(ks_effects *out, ks_group *group, const ks_struct *kind, const void *fields) {
    if (out->no_events) return NULL;
    void *copy = ks_arena_copy(out->scratch, fields, kind->size);
    ks_effect *effect = ks_effect_add(out, group, KS_EFFECT_EVENT);
    effect->event.kind = kind;
    effect->event.fields = copy;
    effect->event.is_cause = false;
    return effect;
}

static void causes_the_rest(ks_effect *effect) {
    if (effect != NULL) effect->event.is_cause = true;
}

/* A member outlives the effects that name it; an id that it is about to lose does not. */
static ks_string or_null(ks_string string) { return string.size > 0 ? string : KS_NULL_STRING; }

/* ---- the group ---- */

void ks_group_tell_created(ks_group *group, ks_effects *out) {
    KS_TELL(out, group, group_created, .group = group->id,
            .group_type = ks_str(group->kind == KS_GROUP_CONSUMER ? "consumer" : "classic"));
}

void ks_group_tell_deleted(ks_group *group, const char *reason, ks_effects *out) {
    KS_TELL(out, group, group_deleted, .group = group->id, .reason = ks_str(reason));
}

/* The epoch of a group of the consumer protocol is what the generation is in the classic one. */
static int32_t generation_of(const ks_group *group) {
    return group->kind == KS_GROUP_CONSUMER ? group->consumer->group_epoch : group->generation;
}

void ks_group_tell_loaded(ks_group *group, ks_effects *out) {
    KS_TELL(out, group, group_loaded, .group = group->id, .state = ks_str(ks_group_state_text(group)), .generation = generation_of(group));
}

void ks_group_tell_state(ks_group *group, const char *from, const ks_group_why *why, ks_effects *out) {
    KS_TELL(out, group, group_state_changed, .group = group->id, .from = ks_str(from),
            .to = ks_str(ks_group_state_text(group)), .generation = generation_of(group), .reason = ks_str(why->reason));
}

void ks_group_tell_rebalance(ks_group *group, const ks_group_why *why, int32_t timeout_ms, ks_effects *out) {
    causes_the_rest(KS_TELL(out, group, rebalance_started, .group = group->id,
                            .member = ks_arena_string(out->scratch, or_null(why->member_id)),
                            .generation = generation_of(group), .reason = ks_str(why->reason),
                            .client_reason = why->client_reason, .timeout_ms = timeout_ms));
}

void ks_group_tell_delay_extended(ks_group *group, ks_effects *out) {
    KS_TELL(out, group, initial_delay_extended, .group = group->id, .delay_ms = group->initial_delay_ms,
            .remaining_ms = group->initial_remaining_ms);
}

void ks_group_tell_leader(ks_group *group, ks_effects *out) {
    if (group->leader == NULL) return;
    KS_TELL(out, group, group_leader_chosen, .group = group->id, .member = group->leader->id,
            .client_id = group->leader->client_id);
}

void ks_group_tell_join_completed(ks_group *group, const char *reason, ks_effects *out) {
    causes_the_rest(KS_TELL(out, group, join_phase_completed, .group = group->id, .generation = group->generation,
                            .protocol = ks_arena_string(out->scratch, group->protocol_name),
                            .leader = group->leader != NULL ? group->leader->id : KS_NULL_STRING,
                            .members = group->member_count, .reason = ks_str(reason)));
}

/* ---- ids that are not members yet ---- */

void ks_group_tell_id_given(ks_group *group, ks_string member_id, ks_string client_id, ks_effects *out) {
    KS_TELL(out, group, group_member_id_given, .group = group->id, .member = member_id, .client_id = client_id);
}

void ks_group_tell_pending_gone(ks_group *group, ks_string member_id, bool expired, ks_string reason, ks_effects *out) {
    if (expired) {
        KS_TELL(out, group, group_member_expired, .group = group->id, .member = member_id, .client_id = KS_NULL_STRING,
                .instance_id = KS_NULL_STRING, .reason = KS_LITERAL("pending_join"));
    } else {
        KS_TELL(out, group, group_member_left, .group = group->id, .member = member_id, .client_id = KS_NULL_STRING,
                .instance_id = KS_NULL_STRING, .reason = reason);
    }
}

/* ---- members ---- */

void ks_group_tell_joined(const ks_group_member *member, const ks_group_why *why, ks_effects *out) {
    KS_TELL(out, member->group, group_member_joined, .group = member->group->id, .member = member->id,
            .client_id = member->client_id, .client_host = member->client_host, .instance_id = member->instance_id,
            .client_reason = why->client_reason);
}

void ks_group_tell_rejoined(const ks_group_member *member, const ks_group_why *why, ks_effects *out) {
    KS_TELL(out, member->group, group_member_rejoined, .group = member->group->id, .member = member->id,
            .client_id = member->client_id, .instance_id = member->instance_id, .client_reason = why->client_reason);
}

void ks_group_tell_left(const ks_group_member *member, ks_string client_reason, ks_effects *out) {
    KS_TELL(out, member->group, group_member_left, .group = member->group->id, .member = member->id,
            .client_id = member->client_id, .instance_id = member->instance_id, .reason = client_reason);
}

void ks_group_tell_removed(const ks_group_member *member, const char *reason, ks_effects *out) {
    KS_TELL(out, member->group, group_member_removed, .group = member->group->id, .member = member->id,
            .client_id = member->client_id, .instance_id = member->instance_id, .reason = ks_str(reason));
}

void ks_group_tell_expired(const ks_group_member *member, const char *reason, ks_effects *out) {
    KS_TELL(out, member->group, group_member_expired, .group = member->group->id, .member = member->id,
            .client_id = member->client_id, .instance_id = member->instance_id, .reason = ks_str(reason));
}

void ks_group_tell_if_fenced(ks_group *group, kafka_error error, ks_string member_id, ks_string instance_id,
                             ks_string client_id, ks_effects *out) {
    if (error != KAFKA_ERR_FENCED_INSTANCE_ID) return;
    KS_TELL(out, group, group_member_fenced, .group = group->id, .member = ks_arena_string(out->scratch, member_id),
            .client_id = ks_arena_string(out->scratch, client_id),
            .instance_id = ks_arena_string(out->scratch, instance_id), .reason = KS_LITERAL("instance_id_taken"));
}

void ks_group_tell_replaced(const ks_group_member *member, ks_string former_id, ks_effects *out) {
    KS_TELL(out, member->group, group_member_replaced, .group = member->group->id, .old_member = former_id,
            .member = member->id, .client_id = member->client_id, .instance_id = member->instance_id);
}

void ks_group_tell_assignment_skipped(ks_group_member *member, ks_effects *out) {
    KS_TELL(out, member->group, group_assignment_skipped, .group = member->group->id, .member = ks_arena_string(out->scratch, member->id),
            .client_id = ks_arena_string(out->scratch, member->client_id));
}

void ks_group_tell_join_parked(const ks_group_member *member, ks_effects *out) {
    const ks_group *group = member->group;
    KS_TELL(out, member->group, join_parked, .group = group->id, .member = member->id, .client_id = member->client_id,
            .joined = group->joins.count, .members = group->member_count);
}

void ks_group_tell_sync_parked(const ks_group_member *member, ks_effects *out) {
    KS_TELL(out, member->group, sync_parked, .group = member->group->id, .member = member->id,
            .client_id = member->client_id, .generation = member->group->generation);
}

/* ---- assignments ---- */

/* `text` is room that may be used again for the next one. */
static ks_string print_assignment(ks_bytes assignment, ks_arena *arena, ks_buffer *text) {
    ks_assignment decoded;
    if (assignment.size <= 0) return KS_LITERAL("");
    if (!ks_assignment_decode(assignment, arena, &decoded)) return KS_NULL_STRING;
    ks_buffer_clear(text);
    ks_topic_partitions_print(decoded.topics, decoded.topic_count, text);
    return ks_arena_string(arena, (ks_string){ (const char *)text->data, (int32_t)text->size });
}

ks_string ks_assignment_text(ks_bytes assignment, ks_arena *arena) {
    ks_buffer text = { 0 };
    ks_string result = print_assignment(assignment, arena, &text);
    ks_buffer_deinit(&text);
    return result;
}

void ks_group_tell_assignments(ks_group *group, ks_effects *out) {
    if (out->no_events) return;
    bool readable = ks_string_equal(group->protocol_type, KS_LITERAL("consumer"));
    ks_group_member *const *members = ks_group_members_sorted(group);
    ks_buffer text = { 0 };
    for (int32_t i = 0; i < group->member_count; i++)
        KS_TELL(out, group, group_assignment_stored, .group = group->id, .generation = group->generation,
                .member = members[i]->id, .client_id = members[i]->client_id,
                .assignment = readable ? print_assignment(ks_group_assignment_of(members[i]), out->scratch, &text) : KS_NULL_STRING);
    ks_buffer_deinit(&text);
    causes_the_rest(KS_TELL(out, group, group_stabilised, .group = group->id, .generation = group->generation,
                            .members = group->member_count));
}
