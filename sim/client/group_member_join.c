/* SPDX-License-Identifier: Apache-2.0
 *
 * The requests of one round, after the coordinator was found: JoinGroup v2, SyncGroup v0, OffsetFetch v1 (kafka-go,
 * consumergroup.go: joinGroup, syncGroup, fetchOffsets).
 */
#include <stdlib.h>

#include "sim/client/group_member_internal.h"

/* ---- OffsetFetch ---- */

static int by_topic_and_partition(const void *left, const void *right) {
    const ks_assigned_partition *a = left, *b = right;
    if (a->topic.data != b->topic.data) { /* the settings' strings: their order there is kept in `offset` for now */
        return (a->offset > b->offset) - (a->offset < b->offset);
    }
    return (a->partition > b->partition) - (a->partition < b->partition);
}

/* What the leader gave us, of the topics we asked for, in our order of topics, ascending partitions, each once. */
static int32_t own_partitions(const ks_membership *member, ks_assigned_partition **partitions) {
    const ks_membership_settings *settings = member->settings;
    const ks_assignment *assignment = &member->assignment;
    int32_t all = 0, count = 0, kept = 0;
    for (int32_t i = 0; i < assignment->topic_count; i++) all += assignment->topics[i].partition_count;
    ks_assigned_partition *list = ks_arena_alloc(member->round, (size_t)(all + 1) * sizeof *list);
    for (int32_t i = 0; i < assignment->topic_count; i++) {
        int32_t t = 0;
        while (t < settings->topic_count && !ks_string_equal(settings->topics[t], assignment->topics[i].topic)) t++;
        if (t == settings->topic_count) continue;
        for (int32_t p = 0; p < assignment->topics[i].partition_count; p++)
            list[count++] = (ks_assigned_partition){ settings->topics[t], assignment->topics[i].partitions[p], t };
    }
    qsort(list, (size_t)count, sizeof *list, by_topic_and_partition);
    for (int32_t i = 0; i < count; i++) {
        if (kept > 0 && list[kept - 1].topic.data == list[i].topic.data &&
            list[kept - 1].partition == list[i].partition)
            continue;
        list[kept++] = list[i];
    }
    *partitions = list;
    return kept;
}

static const ks_offset_fetch_response_topic *find_topic(const ks_offset_fetch_response *response, ks_string topic) {
    for (int32_t t = 0; t < response->topics.count; t++)
        if (ks_string_equal(response->topics.items[t].name, topic)) return &response->topics.items[t];
    return NULL;
}

/* Coordinators answer in the order asked, so the search goes on from where the last one ended. */
static int64_t committed(const ks_offset_fetch_response_topic *topic, int32_t partition, int32_t *hint) {
    for (int32_t n = 0; topic != NULL && n < topic->partitions.count; n++) {
        int32_t i = (*hint + n) % topic->partitions.count;
        if (topic->partitions.items[i].partition_index != partition) continue;
        *hint = i + 1;
        return topic->partitions.items[i].committed_offset;
    }
    return -1;
}

static kafka_error first_code(const ks_offset_fetch_response *response) {
    for (int32_t t = 0; t < response->topics.count; t++)
        for (int32_t p = 0; p < response->topics.items[t].partitions.count; p++)
            if (response->topics.items[t].partitions.items[p].error_code)
                return (kafka_error)response->topics.items[t].partitions.items[p].error_code;
    return (kafka_error)response->error_code;
}

static void fill_offsets(const ks_membership *member, const ks_offset_fetch_response *response,
                         ks_assigned_partition *partitions, int32_t count) {
    const ks_offset_fetch_response_topic *topic = NULL;
    int32_t hint = 0;
    for (int32_t i = 0; i < count; i++) {
        if (topic == NULL || !ks_string_equal(topic->name, partitions[i].topic)) {
            topic = find_topic(response, partitions[i].topic);
            hint = 0;
        }
        int64_t offset = committed(topic, partitions[i].partition, &hint);
        partitions[i].offset = offset < 0 ? member->settings->start_offset : offset;
    }
}

static void offsets_fetched(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_membership *member = owner;
    member->call = NULL;
    if (error == KAFKA_OK) error = first_code(envelope->body);
    if (error) {
        ks_member_failed(member, error, "OffsetFetch");
        return;
    }
    ks_assigned_partition *partitions;
    int32_t count = own_partitions(member, &partitions);
    fill_offsets(member, envelope->body, partitions, count);
    member->generation = ks_generation_new(member, partitions, count);
    ks_member_offer(member);
}

/* Asks for each configured topic, also when nothing of it is ours. */
static void fetch_offsets(ks_membership *member) {
    const ks_membership_settings *settings = member->settings;
    ks_assigned_partition *partitions;
    int32_t count = own_partitions(member, &partitions), next = 0;
    ks_envelope *envelope = ks_channel_request(member->channel, KS_API_offset_fetch, 1);
    ks_offset_fetch_request *request = envelope->body;
    request->group_id = ks_arena_string(envelope->arena, settings->group);
    request->topics.items =
        ks_arena_alloc(envelope->arena, (size_t)settings->topic_count * sizeof *request->topics.items);
    request->topics.count = settings->topic_count;
    for (int32_t t = 0; t < settings->topic_count; t++) {
        ks_offset_fetch_request_topic *topic = &request->topics.items[t];
        topic->name = ks_arena_string(envelope->arena, settings->topics[t]);
        topic->partition_indexes.items = ks_arena_alloc(envelope->arena, (size_t)(count + 1) * sizeof(int32_t));
        while (next < count && partitions[next].topic.data == settings->topics[t].data)
            topic->partition_indexes.items[topic->partition_indexes.count++] = partitions[next++].partition;
    }
    member->call = ks_channel_send(member->channel, envelope, settings->timeout_ns, offsets_fetched, member);
}

/* ---- SyncGroup ---- */

static void synced(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_membership *member = owner;
    const ks_sync_group_response *response = envelope ? envelope->body : NULL;
    member->call = NULL;
    if (error == KAFKA_OK) error = (kafka_error)response->error_code;
    member->assignment = (ks_assignment){ 0 };
    if (error == KAFKA_OK && response->assignment.size > 0) {
        ks_assignment seen;
        if (!ks_assignment_decode(ks_arena_bytes(member->round, response->assignment), member->round, &seen))
            error = KAFKA_ERR_UNEXPECTED_EOF;
        else
            member->assignment = seen;
    }
    if (error) {
        ks_member_failed(member, error, "SyncGroup");
        return;
    }
    ks_member_become(member, KS_MEMBER_FETCHING_OFFSETS);
    fetch_offsets(member);
}

void ks_member_sync(ks_membership *member, const ks_sync_group_request_assignment *assignments, int32_t count) {
    const ks_membership_settings *settings = member->settings;
    ks_member_become(member, KS_MEMBER_SYNCING);
    ks_envelope *envelope = ks_channel_request(member->channel, KS_API_sync_group, 0);
    ks_sync_group_request *request = envelope->body;
    request->group_id = ks_arena_string(envelope->arena, settings->group);
    request->generation_id = member->generation_id;
    request->member_id = ks_arena_string(envelope->arena, member->member_id);
    request->assignments.items =
        ks_arena_alloc(envelope->arena, (size_t)(count + 1) * sizeof *request->assignments.items);
    request->assignments.count = count;
    for (int32_t i = 0; i < count; i++) {
        request->assignments.items[i].member_id = ks_arena_string(envelope->arena, assignments[i].member_id);
        request->assignments.items[i].assignment = ks_arena_bytes(envelope->arena, assignments[i].assignment);
    }
    member->call =
        ks_channel_send(member->channel, envelope, settings->timeout_ns + settings->session_ns, synced, member);
}

/* ---- JoinGroup ---- */

static void joined(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_membership *member = owner;
    const ks_join_group_response *response = envelope ? envelope->body : NULL;
    if (error == KAFKA_OK) error = (kafka_error)response->error_code;
    if (error) { /* the coordinator was not even reached: then the id may still be used to leave */
        if (error != KAFKA_ERR_CONNECTION_REFUSED) ks_member_forget_id(member);
        ks_member_failed(member, error, "JoinGroup");
        return;
    }
    ks_member_forget_id(member);
    member->member_id = ks_string_dup(response->member_id);
    member->generation_id = response->generation_id;
    member->protocol = ks_arena_string(member->round, response->protocol_name);
    member->leader = ks_string_equal(response->leader, response->member_id);
    if (!member->leader) {
        ks_member_sync(member, NULL, 0);
        return;
    }
    member->joined = ks_call_keep(envelope);
    ks_member_become(member, KS_MEMBER_ASKING_PARTITIONS);
    ks_member_assign(member);
}

static kafka_error add_protocol(const ks_membership_settings *settings, const kafka_group_balancer *balancer,
                                ks_arena *arena, ks_join_group_request_protocol *protocol) {
    kafka_bytes data = { NULL, 0 };
    kafka_error error = balancer->user_data ? balancer->user_data(balancer->argument, &data) : KAFKA_OK;
    if (error) return error;
    ks_subscription subscription = { .version = 1,
                                     .owned_count = -1, /* sic: shorter than its version says */
                                     .topics = settings->topics,
                                     .topic_count = settings->topic_count,
                                     .user_data = KS_NULL_BYTES,
                                     .generation_id = -1,
                                     .rack_id = KS_NULL_STRING };
    if (data.data != NULL) subscription.user_data = (ks_bytes){ data.data, (int32_t)data.size };
    protocol->name = ks_arena_string(arena, ks_str(balancer->name));
    protocol->metadata = ks_subscription_encode(&subscription, arena);
    return KAFKA_OK;
}

void ks_member_join(ks_membership *member) {
    const ks_membership_settings *settings = member->settings;
    ks_envelope *envelope = ks_channel_request(member->channel, KS_API_join_group, 2);
    ks_join_group_request *request = envelope->body;
    request->group_id = ks_arena_string(envelope->arena, settings->group);
    request->session_timeout_ms = (int32_t)(settings->session_ns / KS_MS);
    request->rebalance_timeout_ms = (int32_t)(settings->rebalance_ns / KS_MS);
    request->member_id =
        ks_arena_string(envelope->arena, member->member_id.size > 0 ? member->member_id : KS_LITERAL(""));
    request->protocol_type = KS_LITERAL("consumer");
    request->protocols.items =
        ks_arena_alloc(envelope->arena, (size_t)settings->balancer_count * sizeof *request->protocols.items);
    request->protocols.count = settings->balancer_count;
    kafka_error error = KAFKA_OK;
    for (int32_t i = 0; i < settings->balancer_count && error == KAFKA_OK; i++)
        error = add_protocol(settings, &settings->balancers[i], envelope->arena, &request->protocols.items[i]);
    if (error) {
        ks_envelope_free(ks_member_kernel(member), envelope);
        ks_member_forget_id(member);
        ks_member_failed(member, error, "JoinGroup (user data of a group balancer)");
        return;
    }
    ks_ask_send(&member->ask, settings->process, member->channel, envelope,
                settings->timeout_ns + settings->rebalance_ns, joined, member);
}
