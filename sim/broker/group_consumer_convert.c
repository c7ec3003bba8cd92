/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the protocols, while members are there (section 5.9): Kafka's convertToConsumerGroup,
 * ClassicGroup.fromConsumerGroup and maybeDeleteEmptyClassicGroup. The group stays the same object, so that its offsets
 * and its name in the table stay too. */
#include "sim/broker/group_consumer_internal.h"

#include "sim/broker/group_offsets.h"
#include "sim/protocol/consumer_protocol.h"
#include "sim/protocol/events.h"

static void tell_converted(ks_consumer_step *step, const char *from, const char *to, int32_t epoch, int32_t members) {
    KS_TELL(step->out, step->group, group_converted, .group = step->group->id, .from = ks_str(from), .to = ks_str(to),
            .epoch = epoch, .members = members);
    step->out->progress = true;
}

/* ---- classic to consumer ---- */

static bool readable(const ks_group *group, ks_arena *arena) {
    ks_subscription subscription;
    ks_assignment assignment;
    ks_group_walks(group);
    for (const ks_group_member *member = group->first_member; member != NULL; member = member->next) {
        if (!ks_subscription_decode(ks_group_member_metadata(member), arena, &subscription)) return false;
        if (ks_group_assignment_of(member).size > 0 && !ks_assignment_decode(ks_group_assignment_of(member), arena, &assignment)) return false;
    }
    return true;
}

static void release_parked(ks_group *group, ks_effects *out) {
    while (group->joins.first != NULL) {
        ks_group_member *member = group->joins.first->member;
        void *request = ks_group_wait_release(&group->joins, &member->join);
        ks_group_refuse_join(group, request, KAFKA_ERR_REBALANCE_IN_PROGRESS, member->id, out);
    }
    while (group->syncs.first != NULL) {
        void *request = ks_group_wait_release(&group->syncs, group->syncs.first);
        if (request != NULL) ks_effect_reply(out, group, request, KS_API_sync_group, KAFKA_ERR_REBALANCE_IN_PROGRESS);
    }
}

/* What is left of the classic part: nothing but the name and the offsets. Its members die with the effects. */
static void strip_classic(ks_group *group, ks_effects *out) {
    while (group->first_member != NULL) ks_group_member_remove(group->first_member, out);
    while (group->pending != NULL) ks_group_pending_remove(group, group->pending);
    ks_string_replace(&group->protocol_type, KS_NULL_STRING);
    ks_string_replace(&group->protocol_name, KS_NULL_STRING);
    group->generation = 0;
    group->state = group->previous_state = KS_GROUP_EMPTY;
    group->new_member_added = group->join_is_initial = false;
}

static void convert_member(ks_consumer_step *step, const ks_group_member *classic, int32_t epoch, ks_bytes metadata) {
    ks_arena *arena = step->out->scratch;
    ks_consumer_member *member = ks_consumer_member_add(step->group, classic->id, classic->instance_id);
    ks_subscription subscription;
    ks_assignment assignment = { 0 };
    ks_subscription_decode(metadata, arena, &subscription);
    if (ks_group_assignment_of(classic).size > 0) ks_assignment_decode(ks_group_assignment_of(classic), arena, &assignment);
    ks_string_replace(&member->client_id, classic->client_id);
    ks_string_replace(&member->client_host, classic->client_host);
    if (subscription.rack_id.size >= 0) ks_string_replace(&member->rack_id, subscription.rack_id);
    member->rebalance_timeout_ms = classic->rebalance_timeout_ms;
    ks_join_group_request_protocol *protocols =
        ks_arena_alloc(arena, sizeof *protocols * (size_t)(classic->protocol_count + 1));
    for (int32_t i = 0; i < classic->protocol_count; i++)
        protocols[i] =
            (ks_join_group_request_protocol){ classic->protocols[i].protocol->name, classic->protocols[i].metadata };
    ks_consumer_member_set_classic(member, protocols, classic->protocol_count, classic->session_timeout_ms);
    ks_consumer_member_subscribe(member, subscription.topics, subscription.topic_count);
    ks_tps assigned = { 0 };
    for (int32_t t = 0; t < assignment.topic_count; t++) {
        ks_uuid id;
        int32_t count = step->topics != NULL
                            ? step->topics->partition_count(step->topics->context, assignment.topics[t].topic, &id)
                            : 0;
        if (count == 0) continue; /* deleted meanwhile */
        ks_consumer_topic *topic = ks_consumer_topic_make(step->group, id, assignment.topics[t].topic, count);
        for (int32_t p = 0; p < assignment.topics[t].partition_count; p++) {
            int32_t partition = assignment.topics[t].partitions[p];
            if (partition < 0 || partition >= count) continue;
            KS_PUSH(assigned, KS_TP(topic->slot, partition));
            if (topic->target[partition] < 0) topic->target[partition] = member->number;
            topic->targeted = true;
        }
    }
    ks_tps_sort(&assigned);
    ks_consumer_member_set_current(member, KS_MEMBER_STABLE, epoch, epoch, assigned, (ks_tps){ 0 });
}

static void write_everything(ks_consumer_step *step) {
    ks_consumer_group *consumer = step->group->consumer;
    for (int32_t m = 0; m < consumer->member_count; m++) ks_consumer_write_member(step, consumer->sorted[m]);
    ks_consumer_write_epoch(step);
    for (int32_t m = 0; m < consumer->member_count; m++) ks_consumer_write_target(step, consumer->sorted[m]);
    ks_consumer_write_target_epoch(step);
    for (int32_t m = 0; m < consumer->member_count; m++) ks_consumer_write_current(step, consumer->sorted[m]);
}

kafka_error ks_consumer_upgrade(ks_consumer_step *step) {
    ks_group *group = step->group;
    ks_effects *out = step->out;
    const ks_group_settings *settings = &group->groups->settings;
    if (!settings->migration_up || !ks_string_equal(group->protocol_type, KS_LITERAL("consumer")))
        return KAFKA_ERR_GROUP_ID_NOT_FOUND;
    if (group->member_count > settings->consumer_max_size) return KAFKA_ERR_GROUP_ID_NOT_FOUND;
    if (group->protocol_name.size < 0)
        return KAFKA_ERR_UNKNOWN_SERVER_ERROR; /* in its first join phase: Kafka fails here too */
    if (!readable(group, out->scratch)) return KAFKA_ERR_GROUP_ID_NOT_FOUND;
    release_parked(group, out);
    KS_PUSH(step->records, *ks_group_tombstone(group, out->scratch));
    int32_t epoch = group->generation, count = group->member_count;
    ks_group_member *const *sorted = ks_group_members_sorted(group);
    ks_group_member **members = ks_arena_alloc(out->scratch, sizeof *members * (size_t)(count + 1));
    ks_bytes *metadata = ks_arena_alloc(out->scratch, sizeof *metadata * (size_t)(count + 1));
    for (int32_t i = 0; i < count; i++) {
        members[i] = sorted[i];
        metadata[i] = ks_arena_bytes(out->scratch, ks_group_member_metadata(sorted[i]));
    }
    /* The members are read before they go: they, and the names of their protocols, must be there as long. */
    ks_group_state former = group->state;
    group->consumer = ks_alloc(sizeof *group->consumer);
    group->kind = KS_GROUP_CONSUMER;
    group->consumer->told_state = ks_group_state_name(former);
    group->consumer->group_epoch = group->consumer->assignment_epoch = epoch;
    for (int32_t i = 0; i < count; i++) convert_member(step, members[i], epoch, metadata[i]);
    ks_consumer_targets_rebuild(group);
    strip_classic(group, out);
    for (int32_t m = 0; m < group->consumer->member_count; m++) {
        const ks_consumer_member *member = group->consumer->sorted[m];
        ks_effect_timer_start(out, group, KS_GROUP_TIMER_CONSUMER_SESSION, member->id, member->session_timeout_ms);
    }
    write_everything(step);
    tell_converted(step, "classic", "consumer", epoch, count);
    return KAFKA_OK;
}

void ks_consumer_replace_classic(ks_consumer_step *step) {
    ks_group *group = step->group;
    int32_t generation = group->generation;
    KS_PUSH(step->records, *ks_group_tombstone(group, step->out->scratch));
    strip_classic(group, step->out);
    ks_consumer_group_make(group);
    tell_converted(step, "classic", "consumer", generation, 0);
}

/* ---- consumer to classic ---- */

bool ks_consumer_may_downgrade(const ks_group *group, const ks_consumer_member *leaving) {
    const ks_consumer_group *consumer = group->consumer;
    const ks_group_settings *settings = &group->groups->settings;
    int32_t others = consumer->member_count - 1;
    return settings->migration_down && others > 0 && consumer->classics - leaving->classic == others &&
           others <= settings->max_size;
}

static ks_bytes target_as_assignment(const ks_consumer_member *member, ks_arena *arena) {
    ks_subscription subscription;
    ks_assignment assignment = { .user_data = KS_NULL_BYTES };
    assignment.topics = ks_arena_alloc(arena, sizeof *assignment.topics * (size_t)(member->target_count + 1));
    int32_t *partitions = ks_arena_alloc(arena, sizeof *partitions * (size_t)(member->target_count + 1));
    for (int32_t i = 0; i < member->target_count; i++) {
        if (i == 0 || KS_TP_SLOT(member->target[i]) != KS_TP_SLOT(member->target[i - 1]))
            assignment.topics[assignment.topic_count++] =
                (ks_topic_partitions){ ks_consumer_topic_of(member->group, member->target[i])->name, &partitions[i],
                                       0 };
        partitions[i] = KS_TP_PARTITION(member->target[i]);
        assignment.topics[assignment.topic_count - 1].partition_count++;
    }
    if (member->protocol_count > 0 && ks_subscription_decode(member->protocols[0].metadata, arena, &subscription))
        assignment.version = subscription.version;
    return ks_assignment_encode(&assignment, arena);
}

static void restore_member(ks_group *group, const ks_consumer_member *member, ks_arena *arena) {
    ks_join_group_request_protocol *protocols =
        ks_arena_alloc(arena, sizeof *protocols * (size_t)(member->protocol_count + 1));
    for (int32_t i = 0; i < member->protocol_count; i++)
        protocols[i] = (ks_join_group_request_protocol){ member->protocols[i].name, member->protocols[i].metadata };
    const ks_member_spec spec = { .id = member->id,
                                  .instance_id = member->instance_id,
                                  .client_id = member->client_id,
                                  .client_host = member->client_host,
                                  .session_timeout_ms = member->session_timeout_ms,
                                  .rebalance_timeout_ms = member->rebalance_timeout_ms,
                                  .protocols = protocols,
                                  .protocol_count = member->protocol_count,
                                  .protocol_type = KS_LITERAL("consumer"),
                                  .assignment = target_as_assignment(member, arena) };
    ks_group_member_add(group, &spec);
}

void ks_consumer_downgrade(ks_consumer_step *step, ks_consumer_member *leaving, int64_t now_ms) {
    ks_group *group = step->group;
    ks_effects *out = step->out;
    ks_consumer_group *consumer = group->consumer;
    const ks_group_why why = { "downgraded", ks_arena_string(out->scratch, leaving->id), KS_NULL_STRING };
    int32_t epoch = consumer->group_epoch;
    ks_consumer_group_tombstones(group, out->scratch, &step->records);
    group->kind = KS_GROUP_CLASSIC;
    group->generation = epoch;
    for (int32_t m = 0; m < consumer->member_count; m++)
        if (consumer->sorted[m] != leaving) restore_member(group, consumer->sorted[m], out->scratch);
    ks_consumer_group_free(group);
    ks_string_replace(&group->protocol_name, ks_group_vote(group));
    group->state = group->previous_state = KS_GROUP_STABLE; /* as after loading */
    group->state_since_ms = now_ms;
    KS_PUSH(step->records, *ks_group_metadata_record(group, NULL, out->scratch));
    tell_converted(step, "consumer", "classic", epoch, group->member_count);
    ks_group_sessions_restart(group, ks_group_members_sorted(group), group->member_count, out);
    ks_group_rebalance(group, now_ms, &why, out);
}

/* The last one has left, and a classic member comes: as if the group were new. */
void ks_consumer_group_replace_by_classic(ks_group *group, int64_t now_ms, ks_effects *out) {
    ks_consumer_step step = { .group = group, .out = out };
    int32_t epoch = group->consumer->group_epoch;
    ks_consumer_group_tombstones(group, out->scratch, &step.records);
    ks_consumer_group_free(group);
    strip_classic(group, out);
    group->state_since_ms = now_ms;
    tell_converted(&step, "consumer", "classic", epoch, 0);
    ks_consumer_step_end(&step);
}
