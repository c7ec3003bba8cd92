/* SPDX-License-Identifier: Apache-2.0
 *
 * Offsets asked of the group's coordinator (ConsumerCoordinator): OffsetCommit and OffsetFetch, for the application, for the
 * auto-commit and for join prepare. commitSync tries again what may succeed until its time is over; commitAsync tries once, so
 * that an older commit can never overtake a newer one. java_lookup.c has those asked of leaders. */
#include "sim/client/java_internal.h"

/* ---- an operation's life ---- */

static void op_timer(ks_timer *timer);

/* Partitions of one topic stand in a row, mostly with the very same text. */
static bool same_topic(const ks_offset *offsets, int32_t i) { return ks_string_equal(offsets[i].topic, offsets[i - 1].topic); }

static ks_offset *add(ks_offset_op *op, ks_offset offset) {
    op->offsets[op->count] = offset;
    return &op->offsets[op->count++];
}

static void copy_offsets(ks_offset_op *op, const ks_offset *offsets, int32_t count) {
    ks_string topic = KS_NULL_STRING;
    for (int32_t i = 0; i < count; i++) {
        if (i == 0 || !same_topic(offsets, i))
            topic = ks_java_key_topic(op->consumer, (ks_java_key){ ks_java_name_index(op->consumer, offsets[i].topic), 0 });
        ks_offset *mine = add(op, offsets[i]);
        mine->topic = topic;
        mine->metadata = mine->metadata.size == 0 ? KS_LITERAL("") : ks_arena_string(ks_java_op_arena(op), mine->metadata);
        mine->error = KAFKA_OK;
    }
}

static size_t count_topics(const ks_offset_op *op) {
    size_t topics = 0;
    for (int32_t i = 0; i < op->count; i++) topics += i == 0 || !same_topic(op->offsets, i);
    return topics;
}

/* ListOffsets may ask about topics that are not subscribed to. */
static void want_topics(ks_offset_op *op, void (*want)(ks_java_metadata *metadata, ks_string name)) {
    for (int32_t i = 0; ks_java_op_asks_leaders(op) && i < op->count; i++)
        if (i == 0 || !same_topic(op->offsets, i)) want(op->consumer->metadata, op->offsets[i].topic);
}

ks_arena *ks_java_op_arena(ks_offset_op *op) {
    if (op->arena == NULL) op->arena = ks_arena_new();
    return op->arena;
}

/* What was consumed of all partitions. */
static void all_consumed(ks_offset_op *op) {
    KS_EACH_PARTITION(p, op->consumer)
        if (p->state == KS_FETCH_FETCHING)
            add(op, (ks_offset){ .topic = ks_java_topic_of(op->consumer, p), .partition = p->key.partition, .leader_epoch = p->position_epoch,
                                 .offset = p->position, .metadata = KS_LITERAL(""), .asked_ms = -1, .timestamp_ms = -1 });
}

/* All partitions whose committed offset says where to start. */
static void all_initializing(ks_offset_op *op) {
    KS_EACH_PARTITION(p, op->consumer) {
        if (p->state != KS_FETCH_INITIALIZING || p->looking_up || p->awaiting_callback) continue;
        p->looking_up = true;
        add(op, (ks_offset){ .topic = ks_java_topic_of(op->consumer, p), .partition = p->key.partition, .metadata = KS_NULL_STRING });
    }
}

/* A thousand members commit at the same moment, and look up at another: each does so in memory that it has used before. */
static ks_offset_op *take_op(ks_consumer *c, int32_t capacity) {
    ks_offset_op *op = c->spare_op;
    if (op == NULL || op->capacity < capacity) op = ks_realloc(NULL, sizeof *op + (size_t)capacity * sizeof *op->offsets);
    else c->spare_op = NULL, capacity = op->capacity;
    *op = (ks_offset_op){ .consumer = c, .capacity = capacity };
    return op;
}

static void give_back(ks_offset_op *op) {
    ks_consumer *c = op->consumer;
    if (c->spare_op && c->spare_op->capacity > op->capacity) {
        ks_free(op);
        return;
    }
    ks_free(c->spare_op);
    c->spare_op = op;
}

static ks_offset_op *make(ks_consumer *c, ks_op_kind kind, int32_t capacity, int64_t timeout_ns, ks_offsets_fn *done, void *owner) {
    ks_offset_op *op = take_op(c, capacity);
    op->kind = kind;
    op->deadline = timeout_ns > 0 ? ks_java_now(c) + timeout_ns : 0;
    op->done = done;
    op->owner = owner;
    op->serial = c->serial;
    ks_timer_init(&op->timer, c->node, op_timer, op);
    op->link = c->ops_end;
    *c->ops_end = op;
    c->ops_end = &op->next;
    return op;
}

ks_offset_op *ks_java_op_new(ks_consumer *c, ks_op_kind kind, const ks_offset *offsets, int32_t count, int64_t timeout_ns,
                             ks_offsets_fn *done, void *owner) {
    ks_offset_op *op = make(c, kind, count, timeout_ns, done, owner);
    copy_offsets(op, offsets, count);
    want_topics(op, ks_java_metadata_want);
    return op;
}

ks_offset_op *ks_java_op_of_all(ks_consumer *c, ks_op_kind kind, int64_t timeout_ns, ks_offsets_fn *done, void *owner) {
    ks_offset_op *op = make(c, kind, ks_java_partition_count(c), timeout_ns, done, owner);
    if (kind == KS_OP_COMMIT) all_consumed(op);
    else all_initializing(op);
    return op;
}

static void op_free(ks_offset_op *op) {
    ks_consumer *c = op->consumer;
    want_topics(op, ks_java_metadata_unwant);
    *op->link = op->next;
    if (op->next) op->next->link = op->link;
    else c->ops_end = op->link;
    if (op->finished) *op->finished = true;
    ks_timer_stop(&op->timer);
    ks_arena_free(op->arena);
    give_back(op);
}

void ks_java_op_finish(ks_offset_op *op, kafka_error error) {
    ks_offsets_fn *done = op->done;
    op->done = NULL;
    if (done) done(op->owner, error, op->offsets, op->count);
    if (op->in_flight || op->parts > 0) return; /* its answer still comes: freed then */
    op_free(op);
}

/* Nobody listens any more; what is under way still happens. */
void ks_offset_op_drop(ks_offset_op *op) {
    if (op == NULL) return;
    op->done = NULL;
    if (!op->in_flight && op->parts == 0) op_free(op);
}

void ks_java_ops_free(ks_consumer *c) {
    while (c->ops) {
        c->ops->done = NULL;
        op_free(c->ops);
    }
}

void ks_java_op_retry(ks_offset_op *op, kafka_error error) {
    ks_consumer *c = op->consumer;
    int64_t now = ks_java_now(c), pause = c->config.retry_backoff_ms;
    op->refused = error;
    if (op->deadline == 0 || op->done == NULL) {
        ks_java_op_finish(op, error);
        return;
    }
    for (int32_t i = 0; i < op->attempts && pause < c->config.retry_backoff_max_ms; i++) pause *= 2;
    if (pause > c->config.retry_backoff_max_ms) pause = c->config.retry_backoff_max_ms;
    op->attempts++;
    if (now >= op->deadline) {
        ks_java_op_finish(op, KAFKA_ERR_DEADLINE_EXCEEDED);
        return;
    }
    ks_timer_start_at(c->kernel, &op->timer, now + pause * KS_MS < op->deadline ? now + pause * KS_MS : op->deadline);
}

void ks_java_op_watch_deadline(ks_offset_op *op) {
    if (op->deadline > 0) ks_timer_start_at(op->consumer->kernel, &op->timer, op->deadline);
}

/* The time for another attempt, or the end of all attempts: also of one that is under way. */
static void op_timer(ks_timer *timer) {
    ks_offset_op *op = timer->owner;
    if (op->deadline > 0 && ks_java_now(op->consumer) >= op->deadline) {
        ks_java_op_finish(op, KAFKA_ERR_DEADLINE_EXCEEDED);
        return;
    }
    if (!op->in_flight && op->parts == 0) ks_java_op_go(op);
}

/* What waits for leaders, or for a while, looks at once. */
void ks_java_ops_metadata(ks_consumer *c) {
    for (ks_offset_op *op = c->ops, *next; op; op = next) {
        next = op->next;
        if (ks_java_op_asks_leaders(op) && op->parts == 0) ks_java_op_go(op);
    }
}

/* The coordinator was found, or the search failed. */
void ks_java_ops_coordinator_found(ks_consumer *c, kafka_error error) {
    for (ks_offset_op *op = c->ops, *next; op; op = next) {
        next = op->next;
        if (!op->waits_for_coordinator) continue;
        if (error && op->deadline > 0) continue; /* it goes on looking until its time is over */
        op->waits_for_coordinator = false;
        ks_timer_stop(&op->timer);
        if (error) ks_java_op_finish(op, error);
        else ks_java_op_go(op);
    }
}

/* ---- OffsetCommit ---- */

static ks_offset *find_offset(ks_offset_op *op, ks_string topic, int32_t partition, int32_t *hint) {
    for (int32_t n = 0, i = *hint; n < op->count; n++, i++) { /* answers come in the order of the request: the hint is nearly always right */
        if (i >= op->count) i = 0;
        ks_offset *offset = &op->offsets[i];
        if (offset->partition != partition || !ks_string_equal(offset->topic, topic)) continue;
        *hint = i + 1;
        return offset;
    }
    return NULL;
}

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
            ks_offset *offset = find_offset(op, topic->name, topic->partitions.items[p].partition_index, &hint);
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
        const ks_offset *offset = &op->offsets[i];
        if (i == 0 || !same_topic(op->offsets, i)) {
            topic = &request->topics.items[request->topics.count++];
            ks_struct_default(ks_describe_offset_commit_request_topic(), topic);
            topic->name = ks_arena_string(envelope->arena, offset->topic);
            topic->partitions.items = partitions + i;
        }
        if (i > 0) partitions[i] = partitions[i - 1];
        partitions[i].partition_index = offset->partition;
        partitions[i].committed_offset = offset->offset;
        partitions[i].committed_leader_epoch = offset->leader_epoch;
        partitions[i].committed_metadata = offset->metadata.size == 0 ? KS_LITERAL("") : ks_arena_string(envelope->arena, offset->metadata);
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
    ks_offset *offset = find_offset(op, name, partition, hint);
    if (offset == NULL) return KAFKA_OK;
    offset->error = error == KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION ? error : KAFKA_OK;
    offset->offset = error ? -1 : committed;
    offset->leader_epoch = epoch;
    offset->metadata = committed < 0 ? KS_NULL_STRING : metadata.size == 0 ? KS_LITERAL("") : ks_arena_string(ks_java_op_arena(op), metadata);
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
        bool new_topic = i == 0 || !same_topic(op->offsets, i);
        numbers[i] = op->offsets[i].partition;
        if (envelope->api_version < 8) {
            if (new_topic) {
                ks_offset_fetch_request_topic *topic = &request->topics.items[request->topics.count++];
                topic->name = ks_arena_string(arena, op->offsets[i].topic);
                topic->partition_indexes.items = numbers + i;
            }
            request->topics.items[request->topics.count - 1].partition_indexes.count++;
        } else {
            ks_offset_fetch_request_group *group = request->groups.items;
            if (new_topic) {
                ks_offset_fetch_request_topics *topic = &group->topics.items[group->topics.count++];
                ks_struct_default(ks_describe_offset_fetch_request_topics(), topic);
                topic->name = ks_arena_string(arena, op->offsets[i].topic);
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

static void auto_committed(void *owner, kafka_error error, const ks_offset *offsets, int32_t count) {
    (void)offsets, (void)count;
    ks_consumer *c = owner;
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
    ks_offset_op *op = ks_java_op_of_all(c, KS_OP_COMMIT, 0, auto_committed, c);
    c->auto_commit = op;
    ks_java_op_go(op);
    ks_java_wake_at(c, c->next_auto_commit);
}

/* ---- for the application ---- */

static ks_offset_op *begin(ks_offset_op *op) {
    bool finished = false;
    op->finished = &finished;
    ks_java_op_go(op);
    if (finished) return NULL;
    op->finished = NULL;
    return op;
}

ks_offset_op *ks_consumer_commit(ks_consumer *c, const ks_offset *offsets, int32_t count, int64_t timeout_ns, ks_offsets_fn *done,
                                 void *owner) {
    return begin(offsets ? ks_java_op_new(c, KS_OP_COMMIT, offsets, count, timeout_ns, done, owner)
                         : ks_java_op_of_all(c, KS_OP_COMMIT, timeout_ns, done, owner));
}

ks_offset_op *ks_consumer_committed(ks_consumer *c, const ks_offset *offsets, int32_t count, int64_t timeout_ns,
                                    ks_offsets_fn *done, void *owner) {
    return begin(ks_java_op_new(c, KS_OP_FETCH, offsets, count, timeout_ns, done, owner));
}

ks_offset_op *ks_consumer_list_offsets(ks_consumer *c, const ks_offset *offsets, int32_t count, int64_t timeout_ns,
                                       ks_offsets_fn *done, void *owner) {
    return begin(ks_java_op_new(c, KS_OP_LIST, offsets, count, timeout_ns, done, owner));
}
