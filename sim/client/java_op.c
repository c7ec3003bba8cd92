/* SPDX-License-Identifier: Apache-2.0
 *
 * An operation on the offsets of some partitions, from the question to the answer: what it is about, its retries until its time is
 * over, and whom it tells. java_offsets.c has what is asked of the coordinator, java_lookup.c what is asked of leaders.
 * What belongs to an offset now and then only (metadata, times) lies apart: a thousand members commit at the same moment, and look
 * up at another, each in memory that it has used before. */
#include "sim/client/java_internal.h"

static void op_timer(ks_timer *timer);

static void for_topics(ks_offset_op *op, void (*tell)(ks_java_metadata *metadata, ks_string name)) {
    for (int32_t i = 0; ks_java_op_asks_leaders(op) && i < op->count; i++)
        if (i == 0 || !ks_java_op_same_topic(op, i)) tell(op->consumer->metadata, ks_java_op_topic(op, i));
}

void ks_java_op_want_topics(ks_offset_op *op) { for_topics(op, ks_java_metadata_want); }

ks_arena *ks_java_op_arena(ks_offset_op *op) {
    if (op->arena == NULL) op->arena = ks_arena_new();
    return op->arena;
}

/* ---- what it is about ---- */

static ks_offset_op *take_memory(ks_consumer *c, int32_t capacity) {
    ks_offset_op *op = c->spare_op;
    if (op == NULL || op->capacity < capacity) op = ks_realloc(NULL, sizeof *op + (size_t)capacity * sizeof *op->offsets);
    else c->spare_op = NULL, capacity = op->capacity;
    *op = (ks_offset_op){ .consumer = c, .capacity = capacity };
    return op;
}

static void give_back_memory(ks_offset_op *op) {
    ks_consumer *c = op->consumer;
    if (c->spare_op && c->spare_op->capacity > op->capacity) {
        ks_free(op);
        return;
    }
    ks_free(c->spare_op);
    c->spare_op = op;
}

static void *apart(ks_offset_op *op, size_t size) { return ks_arena_alloc(ks_java_op_arena(op), (size_t)op->capacity * size); }

ks_offset_op *ks_java_op_new(ks_consumer *c, ks_op_kind kind, int32_t capacity, int64_t timeout_ns, ks_op_done_fn *done) {
    ks_offset_op *op = take_memory(c, capacity);
    op->kind = kind;
    op->deadline = timeout_ns > 0 ? ks_java_now(c) + timeout_ns : 0;
    op->done = done;
    if (kind == KS_OP_LIST) op->times = apart(op, sizeof *op->times);
    if (ks_java_op_asks_leaders(op)) op->serials = apart(op, sizeof *op->serials);
    ks_timer_init(&op->timer, c->node, op_timer, op);
    op->link = c->ops_end;
    *c->ops_end = op;
    c->ops_end = &op->next;
    return op;
}

void ks_java_op_add(ks_offset_op *op, ks_java_key key, int64_t offset, int32_t leader_epoch) {
    op->offsets[op->count++] = (ks_java_offset){ .key = key, .offset = offset, .leader_epoch = leader_epoch };
}

void ks_java_op_set_metadata(ks_offset_op *op, int32_t i, ks_string metadata) {
    if (op->metadata == NULL && metadata.size == 0) return;
    if (op->metadata == NULL) {
        op->metadata = apart(op, sizeof *op->metadata);
        for (int32_t k = 0; k < op->capacity; k++) op->metadata[k] = KS_LITERAL("");
    }
    op->metadata[i] = ks_arena_string(ks_java_op_arena(op), metadata);
}

ks_offset_op *ks_java_op_commit_all(ks_consumer *c, int64_t timeout_ns, ks_op_done_fn *done) {
    ks_offset_op *op = ks_java_op_new(c, KS_OP_COMMIT, ks_java_partition_count(c), timeout_ns, done);
    KS_EACH_PARTITION(p, c)
        if (p->state == KS_FETCH_FETCHING) ks_java_op_add(op, p->key, p->position, p->position_epoch);
    return op;
}

ks_java_offset *ks_java_op_find(ks_offset_op *op, ks_string topic, int32_t partition, int32_t *hint) {
    for (int32_t n = 0, i = *hint; n < op->count; n++, i++) { /* answers come in the order of the request: the hint is nearly always right */
        if (i >= op->count) i = 0;
        if (op->offsets[i].key.partition != partition || !ks_string_equal(ks_java_op_topic(op, i), topic)) continue;
        *hint = i + 1;
        return &op->offsets[i];
    }
    return NULL;
}

/* ---- its end ---- */

static void op_free(ks_offset_op *op) {
    ks_consumer *c = op->consumer;
    for_topics(op, ks_java_metadata_unwant);
    *op->link = op->next;
    if (op->next) op->next->link = op->link;
    else c->ops_end = op->link;
    if (op->finished) *op->finished = true;
    ks_timer_stop(&op->timer);
    ks_arena_free(op->arena);
    give_back_memory(op);
}

void ks_java_op_finish(ks_offset_op *op, kafka_error error) {
    ks_op_done_fn *done = op->done;
    op->done = NULL;
    if (done) done(op, error);
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

/* ---- its time ---- */

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

/* ---- for the application ---- */

/* Metadata of what nobody gave any: committed without; and of what is not committed, none. */
static ks_string metadata_of(const ks_offset_op *op, int32_t i) {
    if (ks_java_op_asks_leaders(op) || op->offsets[i].offset < 0) return KS_NULL_STRING;
    return op->metadata ? op->metadata[i] : KS_LITERAL("");
}

static void tell_application(ks_offset_op *op, kafka_error error) {
    ks_offset *offsets = ks_arena_alloc(ks_java_op_arena(op), ((size_t)op->count + 1) * sizeof *offsets);
    for (int32_t i = 0; i < op->count; i++)
        offsets[i] = (ks_offset){ .topic = ks_java_op_topic(op, i), .partition = op->offsets[i].key.partition,
                                  .leader_epoch = op->offsets[i].leader_epoch, .offset = op->offsets[i].offset,
                                  .metadata = metadata_of(op, i), .timestamp_ms = op->times ? op->times[i] : -1,
                                  .error = op->offsets[i].error };
    op->application(op->owner, error, offsets, op->count);
}

/* NULL: it is over already. */
static ks_offset_op *begin(ks_offset_op *op, ks_offsets_fn *done, void *owner) {
    bool finished = false;
    op->done = done ? tell_application : NULL;
    op->application = done;
    op->owner = owner;
    op->finished = &finished;
    ks_java_op_go(op);
    if (finished) return NULL;
    op->finished = NULL;
    return op;
}

static ks_offset_op *make(ks_consumer *c, ks_op_kind kind, const ks_offset *offsets, int32_t count, int64_t timeout_ns) {
    ks_offset_op *op = ks_java_op_new(c, kind, count, timeout_ns, NULL);
    for (int32_t i = 0; i < count; i++) {
        ks_java_op_add(op, (ks_java_key){ ks_java_name_index(c, offsets[i].topic), offsets[i].partition }, offsets[i].offset, offsets[i].leader_epoch);
        if (kind == KS_OP_COMMIT) ks_java_op_set_metadata(op, i, offsets[i].metadata);
        if (kind == KS_OP_LIST) op->times[i] = offsets[i].timestamp_ms;
    }
    ks_java_op_want_topics(op);
    return op;
}

ks_offset_op *ks_consumer_commit(ks_consumer *c, const ks_offset *offsets, int32_t count, int64_t timeout_ns, ks_offsets_fn *done,
                                 void *owner) {
    return begin(offsets ? make(c, KS_OP_COMMIT, offsets, count, timeout_ns) : ks_java_op_commit_all(c, timeout_ns, NULL), done, owner);
}

ks_offset_op *ks_consumer_committed(ks_consumer *c, const ks_offset *offsets, int32_t count, int64_t timeout_ns,
                                    ks_offsets_fn *done, void *owner) {
    return begin(make(c, KS_OP_FETCH, offsets, count, timeout_ns), done, owner);
}

ks_offset_op *ks_consumer_list_offsets(ks_consumer *c, const ks_offset *offsets, int32_t count, int64_t timeout_ns,
                                       ks_offsets_fn *done, void *owner) {
    return begin(make(c, KS_OP_LIST, offsets, count, timeout_ns), done, owner);
}
