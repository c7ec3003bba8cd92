/* SPDX-License-Identifier: Apache-2.0
 *
 * Offsets asked of the group's coordinator (ConsumerCoordinator): OffsetCommit and OffsetFetch, for the application, for the
 * auto-commit and for join prepare. commitSync tries again what may succeed until its time is over; commitAsync tries once, so
 * that an older commit can never overtake a newer one. java_lookup.c has those asked of leaders. */
#include "sim/client/java_internal.h"

static size_t count_topics(const ks_offset_op *op) {
    size_t topics = 0;
    for (int32_t i = 0; i < op->count; i++) topics += i == 0 || !ks_java_op_same_topic(op, i);
    return topics;
}

/* ---- OffsetCommit ---- */

static void commit_refused(ks_offset_op *op, kafka_error error) {
    ks_consumer *c = op->consumer;
    bool newer = c->generation != op->generation && ks_java_rebalance_in_progress(c);
    bool same = c->generation == op->generation;
    switch ((int)error) {
    case KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION:
        ks_java_op_retry(op, error);
        return;
    case KAFKA_ERR_STALE_MEMBER_EPOCH:
        if (op->retries_stale && c->generation > 0) ks_java_op_retry(op, error);
        else ks_java_op_finish(op, op->deadline > 0 ? KAFKA_ERR_COMMIT_FAILED : error);
        return;
    case KAFKA_ERR_COORDINATOR_NOT_AVAILABLE:
    case KAFKA_ERR_NOT_COORDINATOR:
    case KAFKA_ERR_REQUEST_TIMED_OUT:
        ks_java_coordinator_lost(c);
        ks_java_op_retry(op, error);
        return;
    case KAFKA_ERR_REBALANCE_IN_PROGRESS:
        ks_java_request_rejoin(c, "offset commit failed since group is already rebalancing");
        ks_java_op_finish(op, error);
        return;
    case KAFKA_ERR_ILLEGAL_GENERATION:
    case KAFKA_ERR_UNKNOWN_MEMBER_ID:
        if (op->generation < 0 || c->modern) { /* not a member, or one whose heartbeats will say what became of it */
            ks_java_op_finish(op, KAFKA_ERR_COMMIT_FAILED);
            return;
        }
        if (newer) {
            ks_java_op_finish(op, KAFKA_ERR_REBALANCE_IN_PROGRESS);
            return;
        }
        if (same) {
            ks_buffer reason = { 0 };
            ks_buffer_printf(&reason, "encountered %s from OFFSET_COMMIT response", kafka_error_name(error));
            ks_java_reset_generation(c, error == KAFKA_ERR_ILLEGAL_GENERATION,
                                     error == KAFKA_ERR_ILLEGAL_GENERATION ? "illegal_generation" : "unknown_member");
            ks_java_request_rejoin(c, (const char *)reason.data);
            ks_buffer_deinit(&reason);
        }
        ks_java_op_finish(op, KAFKA_ERR_COMMIT_FAILED);
        return;
    case KAFKA_ERR_FENCED_INSTANCE_ID:
        if (newer) {
            ks_java_op_finish(op, KAFKA_ERR_REBALANCE_IN_PROGRESS);
            return;
        }
        ks_java_op_finish(op, error);
        return;
    default:
        ks_java_op_finish(op, error);
    }
}

static void commit_answered(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_offset_op *op = owner;
    ks_consumer *c = op->consumer;
    ks_prefetch(c->callback_arena, 4);
    ks_prefetch(c->assignment_view.items, 1);
    op->in_flight = false;
    if (error) {
        ks_java_coordinator_lost(c);
        ks_java_op_retry(op, error);
        return;
    }
    const ks_offset_commit_response *response = envelope->body;
    int32_t hint = 0;
    for (int32_t t = 0; t < response->topics.count; t++) {
        const ks_offset_commit_response_topic *topic = &response->topics.items[t];
        for (int32_t p = 0; p < topic->partitions.count; p++) {
            kafka_error one = (kafka_error)topic->partitions.items[p].error_code;
            if (one == KAFKA_OK && op->attempts == 0) continue; /* as it stands there */
            ks_java_offset *offset = ks_java_op_find(op, topic->name, topic->partitions.items[p].partition_index, &hint);
            if (offset) offset->error = one;
            if (one && error == KAFKA_OK) error = one;
        }
    }
    if (error) commit_refused(op, error);
    else ks_java_op_finish(op, KAFKA_OK);
}

static void fill_commit(ks_offset_op *op, ks_envelope *envelope) {
    ks_offset_commit_request *request = envelope->body;
    request->topics.items = ks_arena_alloc(envelope->arena, count_topics(op) * sizeof *request->topics.items);
    ks_offset_commit_request_partition *partitions = ks_arena_alloc(envelope->arena, ((size_t)op->count + 1) * sizeof *partitions);
    ks_offset_commit_request_topic *topic = NULL;
    ks_struct_default(ks_describe_offset_commit_request_partition(), &partitions[0]);
    for (int32_t i = 0; i < op->count; i++) {
        const ks_java_offset *offset = &op->offsets[i];
        if (i == 0 || !ks_java_op_same_topic(op, i)) {
            topic = &request->topics.items[request->topics.count++];
            ks_struct_default(ks_describe_offset_commit_request_topic(), topic);
            topic->name = ks_arena_string(envelope->arena, ks_java_op_topic(op, i));
            topic->partitions.items = partitions + i;
        }
        if (i > 0) partitions[i] = partitions[i - 1];
        partitions[i].partition_index = offset->key.partition;
        partitions[i].committed_offset = offset->offset;
        partitions[i].committed_leader_epoch = offset->leader_epoch;
        partitions[i].committed_metadata = op->metadata ? ks_arena_string(envelope->arena, op->metadata[i]) : KS_LITERAL("");
        topic->partitions.count++;
    }
}

static void send_commit(ks_offset_op *op) {
    ks_consumer *c = op->consumer;
    op->generation = -1;
    if (c->mode == KS_MODE_SUBSCRIBED) {
        if (c->state != KS_MEMBER_STABLE && !c->modern) { /* a KIP-848 member leaves the verdict to the coordinator */
            kafka_error refused = ks_java_rebalance_in_progress(c) ? KAFKA_ERR_REBALANCE_IN_PROGRESS : KAFKA_ERR_COMMIT_FAILED;
            KS_EMIT(c->kernel, c->node, client_commit_failed, .client = ks_str(ks_node_name(c->node)), .group = c->group_id, .partitions = op->count,
                    .error_code = refused);
            ks_java_op_finish(op, refused);
            return;
        }
        op->generation = c->generation;
    }
    ks_envelope *envelope = ks_java_request(c->network, KS_API_offset_commit, -1);
    ks_offset_commit_request *request = envelope->body;
    request->group_id = ks_arena_string(envelope->arena, c->group_id);
    request->generation_id_or_member_epoch = op->generation;
    request->member_id = op->generation < 0 && !(c->modern && c->mode == KS_MODE_SUBSCRIBED) ? KS_LITERAL("") : ks_arena_string(envelope->arena, c->member_id);
    request->group_instance_id = ks_arena_string(envelope->arena, c->instance_id);
    fill_commit(op, envelope);
    op->in_flight = true;
    ks_java_op_watch_deadline(op);
    ks_java_send(c->network, ks_java_coordinator_node(c), envelope, 0, commit_answered, op);
    if (c->modern) ks_java_modern_look_at_poll(c);
}

/* ---- OffsetFetch ---- */

static void fetch_refused(ks_offset_op *op, kafka_error error) {
    ks_consumer *c = op->consumer;
    switch ((int)error) {
    case KAFKA_ERR_NOT_COORDINATOR:
    case KAFKA_ERR_COORDINATOR_NOT_AVAILABLE:
        ks_java_coordinator_lost(c);
        ks_java_op_retry(op, error);
        return;
    case KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case KAFKA_ERR_UNSTABLE_OFFSET_COMMIT:
    case KAFKA_ERR_STALE_MEMBER_EPOCH:
        ks_java_op_retry(op, error);
        return;
    default:
        ks_java_op_finish(op, error);
    }
}

static kafka_error take_fetched(ks_offset_op *op, ks_string name, int32_t partition, int64_t committed, int32_t epoch,
                                ks_string metadata, kafka_error error, int32_t *hint) {
    ks_java_offset *offset = ks_java_op_find(op, name, partition, hint);
    if (offset == NULL) return KAFKA_OK;
    offset->error = error == KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION ? error : KAFKA_OK;
    offset->offset = error ? -1 : committed;
    offset->leader_epoch = epoch;
    if (op->application) ks_java_op_set_metadata(op, (int32_t)(offset - op->offsets), metadata);
    return error;
}

static kafka_error read_fetched_group(ks_offset_op *op, const ks_offset_fetch_response_group *group) {
    kafka_error error = (kafka_error)group->error_code;
    int32_t hint = 0;
    for (int32_t t = 0; t < group->topics.count && group->error_code == 0; t++) {
        const ks_offset_fetch_response_topics *topic = &group->topics.items[t];
        for (int32_t p = 0; p < topic->partitions.count; p++) {
            const ks_offset_fetch_response_partitions *in = &topic->partitions.items[p];
            kafka_error one = take_fetched(op, topic->name, in->partition_index, in->committed_offset,
                                           in->committed_leader_epoch, in->metadata, (kafka_error)in->error_code, &hint);
            if (one && error == KAFKA_OK) error = one;
        }
    }
    return error;
}

static kafka_error read_fetched_old(ks_offset_op *op, const ks_offset_fetch_response *response) {
    kafka_error error = (kafka_error)response->error_code;
    int32_t hint = 0;
    for (int32_t t = 0; t < response->topics.count && error == KAFKA_OK; t++)
        for (int32_t p = 0; p < response->topics.items[t].partitions.count; p++) {
            const ks_offset_fetch_response_partition *in = &response->topics.items[t].partitions.items[p];
            kafka_error one = take_fetched(op, response->topics.items[t].name, in->partition_index, in->committed_offset,
                                           in->committed_leader_epoch, in->metadata, (kafka_error)in->error_code, &hint);
            if (one && error == KAFKA_OK) error = one;
        }
    return error;
}

static void fetch_answered(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_offset_op *op = owner;
    ks_java_fetch_partitions_ahead(op->consumer);
    op->in_flight = false;
    if (error) {
        ks_java_coordinator_lost(op->consumer);
        ks_java_op_retry(op, error);
        return;
    }
    const ks_offset_fetch_response *response = envelope->body;
    for (int32_t i = 0; i < op->count; i++) op->offsets[i].offset = -1;
    if (envelope->api_version < 8) error = read_fetched_old(op, response);
    else if (response->groups.count > 0) error = read_fetched_group(op, &response->groups.items[0]);
    if (error) fetch_refused(op, error);
    else ks_java_op_finish(op, KAFKA_OK);
}

static void fill_fetch(ks_offset_op *op, ks_envelope *envelope) {
    ks_consumer *c = op->consumer;
    ks_offset_fetch_request *request = envelope->body;
    ks_arena *arena = envelope->arena;
    ks_string group_id = ks_arena_string(arena, c->group_id);
    request->require_stable = true;
    int32_t *numbers = ks_arena_alloc(arena, ((size_t)op->count + 1) * sizeof *numbers);
    if (envelope->api_version < 8) {
        request->group_id = group_id;
        request->topics.items = ks_arena_alloc(arena, count_topics(op) * sizeof *request->topics.items);
        request->topics.count = 0;
    } else {
        ks_offset_fetch_request_group *group = ks_arena_alloc(arena, sizeof *group);
        ks_struct_default(ks_describe_offset_fetch_request_group(), group);
        group->group_id = group_id;
        if (c->modern && c->mode == KS_MODE_SUBSCRIBED && c->generation > 0) {
            group->member_id = ks_arena_string(arena, c->member_id);
            group->member_epoch = c->generation;
        }
        group->topics.items = ks_arena_alloc(arena, count_topics(op) * sizeof *group->topics.items);
        group->topics.count = 0;
        request->groups.items = group;
        request->groups.count = 1;
    }
    for (int32_t i = 0; i < op->count; i++) {
        bool new_topic = i == 0 || !ks_java_op_same_topic(op, i);
        numbers[i] = op->offsets[i].key.partition;
        if (envelope->api_version < 8) {
            if (new_topic) {
                ks_offset_fetch_request_topic *topic = &request->topics.items[request->topics.count++];
                topic->name = ks_arena_string(arena, ks_java_op_topic(op, i));
                topic->partition_indexes.items = numbers + i;
            }
            request->topics.items[request->topics.count - 1].partition_indexes.count++;
        } else {
            ks_offset_fetch_request_group *group = request->groups.items;
            if (new_topic) {
                ks_offset_fetch_request_topics *topic = &group->topics.items[group->topics.count++];
                ks_struct_default(ks_describe_offset_fetch_request_topics(), topic);
                topic->name = ks_arena_string(arena, ks_java_op_topic(op, i));
                topic->partition_indexes.items = numbers + i;
            }
            group->topics.items[group->topics.count - 1].partition_indexes.count++;
        }
    }
}

static void send_fetch(ks_offset_op *op) {
    ks_consumer *c = op->consumer;
    ks_envelope *envelope = ks_java_request(c->network, KS_API_offset_fetch, -1);
    fill_fetch(op, envelope);
    op->in_flight = true;
    ks_java_op_watch_deadline(op);
    ks_java_send(c->network, ks_java_coordinator_node(c), envelope, 0, fetch_answered, op);
}

/* ---- going ---- */

void ks_java_op_go(ks_offset_op *op) {
    ks_consumer *c = op->consumer;
    if (ks_java_op_asks_leaders(op)) {
        ks_java_op_ask_leaders(op);
        return;
    }
    if (op->count == 0) {
        ks_java_op_finish(op, KAFKA_OK);
        return;
    }
    if (!ks_java_coordinator_known(c)) {
        op->waits_for_coordinator = true;
        ks_java_op_watch_deadline(op);
        return;
    }
    if (op->kind == KS_OP_COMMIT) send_commit(op);
    else send_fetch(op);
}

/* ---- auto-commit ---- */

void ks_java_auto_commit_restart(ks_consumer *c) {
    c->next_auto_commit = ks_java_now(c) + c->config.auto_commit_interval_ms * KS_MS;
}

static void auto_committed(ks_offset_op *op, kafka_error error) {
    ks_consumer *c = op->consumer;
    c->auto_commit = NULL;
    if (error && kafka_error_is_retriable(error)) {
        int64_t soon = ks_java_now(c) + c->config.retry_backoff_ms * KS_MS;
        if (soon < c->next_auto_commit) c->next_auto_commit = soon;
    }
}

void ks_java_auto_commit(ks_consumer *c) {
    if (!c->config.enable_auto_commit || c->group_id.size < 0 || c->mode == KS_MODE_NONE) return;
    if (ks_java_now(c) < c->next_auto_commit) {
        if (c->partitions.count > 0) ks_java_wake_at(c, c->next_auto_commit);
        return;
    }
    ks_java_auto_commit_restart(c);
    if (c->auto_commit || c->partitions.count == 0) return;
    ks_offset_op *op = ks_java_op_commit_all(c, 0, auto_committed);
    c->auto_commit = op;
    ks_java_op_go(op);
    ks_java_wake_at(c, c->next_auto_commit);
}
