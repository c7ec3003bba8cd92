/* SPDX-License-Identifier: Apache-2.0
 *
 * OffsetCommit v2 under a generation's id, over its connection (kafka-go, Generation.CommitOffsets). Nothing checks that the
 * partitions are ours: the coordinator does not either.
 */
#include "sim/client/group_member_internal.h"

static void leave_list(ks_commit_call *call) {
    *call->link = call->next;
    if (call->next != NULL) call->next->link = call->link;
    call->generation = NULL;
    call->call = NULL;
}

static void finish(ks_commit_call *call, kafka_error error) {
    ks_generation *generation = call->generation;
    leave_list(call);
    call->done(call->owner, error);
    ks_generation_release(generation);
}

static void connection_gone(ks_timer *timer) { finish(timer->owner, KAFKA_ERR_GENERATION_ENDED); }

/* At this instant, but not from inside the caller. A dead process hears nothing. */
static void refuse(ks_commit_call *call) {
    ks_process *process = call->generation->process;
    ks_call_drop(call->call);
    call->call = NULL;
    if (!ks_process_is_down(process)) ks_timer_start(ks_process_kernel(process), &call->refused, 0);
}

void ks_generation_refuse_commits(ks_generation *generation) {
    for (ks_commit_call *call = generation->commits; call != NULL; call = call->next) refuse(call);
}

static kafka_error first_code(const ks_offset_commit_response *response) {
    for (int32_t t = 0; t < response->topics.count; t++)
        for (int32_t p = 0; p < response->topics.items[t].partitions.count; p++)
            if (response->topics.items[t].partitions.items[p].error_code)
                return (kafka_error)response->topics.items[t].partitions.items[p].error_code;
    return KAFKA_OK;
}

static void answered(void *owner, kafka_error error, const ks_envelope *envelope) {
    finish(owner, error ? error : first_code(envelope->body));
}

static void fill(ks_envelope *envelope, const ks_committed_offset *offsets, int32_t count) {
    ks_offset_commit_request *request = envelope->body;
    int32_t topics = 0;
    for (int32_t i = 0; i < count; i++) topics += i == 0 || !ks_string_equal(offsets[i].topic, offsets[i - 1].topic);
    request->topics.items = ks_arena_alloc(envelope->arena, (size_t)topics * sizeof *request->topics.items);
    ks_offset_commit_request_partition *items = ks_arena_alloc(envelope->arena, (size_t)count * sizeof *items);
    for (int32_t i = 0; i < count; i++) {
        if (i == 0 || !ks_string_equal(offsets[i].topic, offsets[i - 1].topic)) {
            ks_offset_commit_request_topic *topic = &request->topics.items[request->topics.count++];
            topic->name = ks_arena_string(envelope->arena, offsets[i].topic);
            topic->partitions.items = &items[i];
        }
        items[i] = (ks_offset_commit_request_partition){ .partition_index = offsets[i].partition,
                                                         .committed_offset = offsets[i].offset,
                                                         .committed_leader_epoch = -1,
                                                         .committed_metadata = KS_LITERAL("") };
        request->topics.items[request->topics.count - 1].partitions.count++;
    }
}

void ks_generation_commit(ks_generation *generation, ks_commit_call *call, const ks_committed_offset *offsets,
                          int32_t count, ks_committed_fn *done, void *owner) {
    ks_assert(call->generation == NULL && count > 0);
    const ks_membership *member = generation->member;
    call->generation = ks_generation_hold(generation);
    call->done = done;
    call->owner = owner;
    call->next = generation->commits;
    call->link = &generation->commits;
    if (call->next != NULL) call->next->link = &call->next;
    generation->commits = call;
    ks_timer_init(&call->refused, ks_process_node(generation->process), connection_gone, call);
    if (member == NULL) {
        refuse(call);
        return;
    }
    ks_envelope *envelope = ks_channel_request(member->channel, KS_API_offset_commit, 2);
    ks_offset_commit_request *request = envelope->body;
    request->group_id = ks_arena_string(envelope->arena, generation->group);
    request->generation_id_or_member_epoch = generation->id;
    request->member_id = ks_arena_string(envelope->arena, generation->member_id);
    request->retention_time_ms = member->settings->retention_ms;
    fill(envelope, offsets, count);
    call->call = ks_channel_send(member->channel, envelope, member->settings->timeout_ns, answered, call);
}

void ks_commit_call_drop(ks_commit_call *call) {
    if (call->generation == NULL) return;
    ks_generation *generation = call->generation;
    ks_call_drop(call->call);
    ks_timer_stop(&call->refused);
    leave_list(call);
    ks_generation_release(generation);
}
