/* SPDX-License-Identifier: Apache-2.0
 *
 * ConsumerGroupDescribe (API key 69, KIP-848): epochs, and for each member what it has and what it should have. */
#include "sim/broker/group_consumer.h"
#include "sim/broker/group_coordinator.h"

enum {
    ALL_GROUP_OPERATIONS = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11
}; /* read, delete, describe, describe and alter configs */
enum { MEMBER_CLASSIC = 0, MEMBER_CONSUMER = 1 };

static ks_string text(ks_string string, ks_arena *arena) {
    return string.size <= 0 ? KS_LITERAL("") : ks_arena_string(arena, string);
}

static void fill_assignment(const ks_group *group, const ks_tp *items, int32_t count,
                            ks_consumer_group_describe_response_assignment *out, ks_arena *arena) {
    out->topic_partitions.items = ks_arena_alloc(arena, sizeof *out->topic_partitions.items * (size_t)(count + 1));
    out->topic_partitions.count = 0;
    int32_t *partitions = ks_arena_alloc(arena, sizeof *partitions * (size_t)(count + 1));
    for (int32_t i = 0; i < count; i++) {
        if (i == 0 || KS_TP_SLOT(items[i]) != KS_TP_SLOT(items[i - 1])) {
            const ks_consumer_topic *topic = ks_consumer_topic_of(group, items[i]);
            ks_consumer_group_describe_response_topic_partitions *told =
                &out->topic_partitions.items[out->topic_partitions.count++];
            told->topic_id = topic->id;
            told->topic_name = text(topic->name, arena);
            told->partitions.items = &partitions[i];
            told->partitions.count = 0;
        }
        partitions[i] = KS_TP_PARTITION(items[i]);
        out->topic_partitions.items[out->topic_partitions.count - 1].partitions.count++;
    }
}

static void fill_member(const ks_consumer_member *member, ks_consumer_group_describe_response_member *out,
                        ks_arena *arena) {
    int32_t names = member->subscription != NULL ? member->subscription->count : 0;
    out->member_id = text(member->id, arena);
    out->instance_id = ks_arena_string(arena, member->instance_id);
    out->rack_id = ks_arena_string(arena, member->rack_id);
    out->member_epoch = member->epoch;
    out->client_id = text(member->client_id, arena);
    out->client_host = text(member->client_host, arena);
    out->subscribed_topic_names.items = ks_arena_alloc(arena, sizeof(ks_string) * (size_t)(names + 1));
    out->subscribed_topic_names.count = names;
    out->subscribed_topic_regex = KS_LITERAL("");
    for (int32_t i = 0; i < names; i++)
        out->subscribed_topic_names.items[i] = text(member->subscription->names[i], arena);
    out->member_type = member->classic ? MEMBER_CLASSIC : MEMBER_CONSUMER;
    fill_assignment(member->group, member->assigned.items, member->assigned.count, &out->assignment, arena);
    fill_assignment(member->group, member->target, member->target_count, &out->target_assignment, arena);
}

static void describe(ks_broker *broker, ks_string id, bool operations,
                     ks_consumer_group_describe_response_described_group *out, ks_arena *arena) {
    kafka_error error = id.size < 0 ? KAFKA_ERR_INVALID_GROUP_ID : ks_group_coordinator_check(broker, id);
    const ks_group *group = error == KAFKA_OK ? ks_groups_find(ks_group_coordinator_groups(broker), id) : NULL;
    ks_struct_default(ks_describe_consumer_group_describe_response_described_group(), out);
    out->group_id = text(id, arena);
    out->group_state = out->assignor_name = KS_LITERAL("");
    if (error == KAFKA_OK && (group == NULL || group->kind != KS_GROUP_CONSUMER)) {
        error = KAFKA_ERR_GROUP_ID_NOT_FOUND;
        out->error_message =
            ks_arena_printf(arena, group == NULL ? "Group %.*s not found." : "Group %.*s is not a consumer group.",
                            (int)out->group_id.size, out->group_id.data);
    }
    out->error_code = (int16_t)error;
    if (error != KAFKA_OK) return;
    const ks_consumer_group *consumer = group->consumer;
    if (operations) out->authorized_operations = ALL_GROUP_OPERATIONS;
    out->group_state = ks_str(ks_consumer_group_state_text(group));
    out->group_epoch = consumer->group_epoch;
    out->assignment_epoch = consumer->assignment_epoch;
    out->assignor_name = ks_consumer_group_assignor(group);
    out->members.count = consumer->member_count;
    out->members.items = ks_arena_alloc(arena, sizeof *out->members.items * (size_t)(consumer->member_count + 1));
    for (int32_t m = 0; m < consumer->member_count; m++) {
        ks_struct_default(ks_describe_consumer_group_describe_response_member(), &out->members.items[m]);
        fill_member(consumer->sorted[m], &out->members.items[m], arena);
    }
}

void ks_handle_consumer_group_describe(ks_broker *broker, ks_request *request) {
    const ks_consumer_group_describe_request *asked = request->envelope->body;
    ks_envelope *response = ks_response_new(request);
    ks_consumer_group_describe_response *body = response->body;
    int32_t count = asked->group_ids.count > 0 ? asked->group_ids.count : 0;
    body->groups.count = count;
    body->groups.items = ks_arena_alloc(response->arena, sizeof *body->groups.items * (size_t)(count + 1));
    for (int32_t i = 0; i < count; i++)
        describe(broker, asked->group_ids.items[i], asked->include_authorized_operations, &body->groups.items[i],
                 response->arena);
    ks_respond(request, response);
}
