/* SPDX-License-Identifier: Apache-2.0
 *
 * Where to start (ConsumerCoordinator.initWithCommittedOffsetsIfNeeded, OffsetFetcher.resetPositionsIfNeeded): at the group's
 * committed offset, once its leader agrees that the log did not change before it (OffsetsForLeaderEpochUtils, KIP-320); and where
 * there is none, or it lies outside the log, where auto.offset.reset says, as of the lookup. */
#include "sim/client/java_internal.h"

static void emit_reset(ks_consumer *c, const ks_java_partition *p, int64_t to) {
    static const char *const reasons[] = { [KS_RESET_NO_COMMITTED_OFFSET] = "no_committed_offset", [KS_RESET_SET_OFFSET] = "set_offset",
                                           [KS_RESET_LOG_TRUNCATED] = "log_truncated", [KS_RESET_OUT_OF_RANGE] = "out_of_range" };
    KS_EMIT(c->kernel, c->node, position_reset, .client = ks_str(ks_node_name(c->node)), .group = c->group_id, .topic = ks_java_topic_of(c, p),
            .partition = p->key.partition, .from = p->position, .to = to, .reason = ks_str(reasons[p->reason]));
}

static ks_java_partition *still_meant(ks_consumer *c, ks_java_key key, uint64_t serial) {
    ks_java_partition *p = ks_java_partition_find(c, key);
    return p && p->serial <= serial && p->looking_up ? p : NULL;
}

/* ---- committed ---- */

static void no_committed_offset(ks_consumer *c, ks_java_partition *p) {
    if (c->config.reset == KS_RESET_NONE) {
        ks_java_fail_with(c, KAFKA_ERR_NO_OFFSET_FOR_PARTITION, "nothing is committed for %s-%d, and auto.offset.reset is none: "
                        "seek it, or choose earliest, latest or by_duration", ks_java_topic_of(c, p).data, p->key.partition);
        return;
    }
    p->state = KS_FETCH_AWAIT_RESET;
    p->reset = c->config.reset;
}

static void committed(ks_offset_op *op, kafka_error error) {
    ks_consumer *c = op->consumer;
    uint64_t serial = c->committed_serial;
    c->committed_lookup = NULL;
    c->positions_missing = true;
    c->fetch_changes++;
    for (int32_t i = 0; i < op->count; i++) {
        const ks_java_offset *found = &op->offsets[i];
        ks_java_partition *p = still_meant(c, found->key, serial);
        if (p == NULL) continue;
        p->looking_up = false;
        if (error || p->state != KS_FETCH_INITIALIZING) continue;
        if (found->offset < 0) {
            p->reason = KS_RESET_NO_COMMITTED_OFFSET;
            no_committed_offset(c, p);
            continue;
        }
        p->state = found->leader_epoch < 0 ? KS_FETCH_FETCHING : KS_FETCH_AWAIT_VALIDATION;
        c->validate_after_fetch |= p->state == KS_FETCH_AWAIT_VALIDATION;
        p->position = found->offset;
        p->position_epoch = found->leader_epoch;
    }
    if (error && !kafka_error_is_retriable(error)) ks_java_fail(c, error);
    ks_java_wake(c);
}

static void look_up_committed(ks_consumer *c) {
    if (c->committed_lookup || !ks_java_coordinator_known(c)) return;
    c->committed_serial = c->serial;
    ks_offset_op *op = ks_java_op_new(c, KS_OP_FETCH, ks_java_partition_count(c), c->config.default_api_timeout_ms * KS_MS, committed);
    KS_EACH_PARTITION(p, c) {
        if (p->state != KS_FETCH_INITIALIZING || p->looking_up || p->awaiting_callback) continue;
        p->looking_up = true;
        ks_java_op_add(op, p->key, -1, -1);
    }
    c->committed_lookup = op;
    ks_java_op_go(op);
}

/* The partition that the i-th answer is for; NULL: it is not ours any more, was asked about anew, or waits for something else by now. */
static ks_java_partition *looked_up(const ks_offset_op *op, int32_t i, ks_fetch_state state) {
    ks_java_partition *p = ks_java_partition_find(op->consumer, op->offsets[i].key);
    if (p == NULL || !p->looking_up || p->lookup_serial != op->serials[i]) return NULL;
    p->looking_up = false;
    return p->state == state ? p : NULL;
}

/* ---- reset ---- */

static void reset_found(ks_offset_op *op, kafka_error error) {
    ks_consumer *c = op->consumer;
    c->positions_missing = true;
    c->fetch_changes++;
    for (int32_t i = 0; i < op->count; i++) {
        const ks_java_offset *found = &op->offsets[i];
        ks_java_partition *p = looked_up(op, i, KS_FETCH_AWAIT_RESET);
        if (p == NULL) continue;
        if (error || found->error || found->offset < 0) {
            if (error == KAFKA_OK && found->error == KAFKA_OK && p->reset == KS_RESET_BY_TIME) {
                p->reset = KS_RESET_LATEST; /* no record is that young: the end */
                continue;
            }
            p->retry_at = ks_java_now(c) + c->config.retry_backoff_ms * KS_MS;
            continue;
        }
        emit_reset(c, p, found->offset);
        p->state = KS_FETCH_FETCHING;
        p->position = found->offset;
        p->position_epoch = -1; /* that of the record before it, which nobody has seen */
    }
    ks_java_wake(c);
}

static int64_t asked_time(const ks_consumer *c, ks_offset_reset reset) {
    switch (reset) {
    case KS_RESET_EARLIEST: return -2;
    case KS_RESET_LATEST: case KS_RESET_NONE: return -1;
    case KS_RESET_BY_TIME: return ks_now_ms(c->kernel) - c->config.reset_duration_ms;
    }
    return -1;
}

static void log_was_truncated(ks_consumer *c, ks_java_partition *p, int64_t end) {
    if (c->config.reset == KS_RESET_NONE) { /* LogTruncationException */
        ks_java_fail_with(c, KAFKA_ERR_OFFSET_OUT_OF_RANGE, "the log of %s-%d was truncated before offset %lld, and auto.offset.reset is "
                        "none: seek it, or choose earliest, latest or by_duration", ks_java_topic_of(c, p).data, p->key.partition, (long long)p->position);
        return;
    }
    p->reset = c->config.reset;
    p->reason = KS_RESET_LOG_TRUNCATED;
    p->state = end < 0 ? KS_FETCH_AWAIT_RESET : KS_FETCH_FETCHING;
    if (end < 0) return;
    emit_reset(c, p, end);
    p->position = end;
}

static void validated(ks_offset_op *op, kafka_error error) {
    ks_consumer *c = op->consumer;
    c->positions_missing = true;
    c->fetch_changes++;
    for (int32_t i = 0; i < op->count; i++) {
        const ks_java_offset *found = &op->offsets[i];
        ks_java_partition *p = looked_up(op, i, KS_FETCH_AWAIT_VALIDATION);
        if (p == NULL) continue;
        if (error || found->error) p->retry_at = ks_java_now(c) + c->config.retry_backoff_ms * KS_MS;
        else if (found->leader_epoch < 0 || found->offset < p->position) log_was_truncated(c, p, found->offset);
        else p->state = KS_FETCH_FETCHING;
    }
    ks_java_wake(c);
}

/* One operation per leader, so that one that does not answer holds up only its own partitions. */
static void ask_leader(ks_consumer *c, ks_fetch_state state, int32_t leader) {
    bool reset = state == KS_FETCH_AWAIT_RESET;
    ks_offset_op *op = ks_java_op_new(c, reset ? KS_OP_LIST : KS_OP_VALIDATE, ks_java_partition_count(c),
                                      c->config.request_timeout_ms * KS_MS, reset ? reset_found : validated);
    KS_EACH_PARTITION(p, c) {
        if (p->state != state || p->looking_up || p->retry_at > ks_java_now(c)) continue;
        if (ks_java_partition_leader(c, p) != leader) continue;
        p->looking_up = true;
        p->lookup_serial = ++c->serial;
        if (reset) op->times[op->count] = asked_time(c, p->reset);
        op->serials[op->count] = p->lookup_serial;
        ks_java_op_add(op, p->key, -1, p->position_epoch);
    }
    ks_java_op_want_topics(op);
    ks_java_op_go(op);
}

static void ask_leaders(ks_consumer *c, ks_fetch_state state) {
    for (;;) {
        int32_t leader = -1;
        KS_EACH_PARTITION(p, c) {
            if (p->state != state || p->looking_up) continue;
            if (p->retry_at > ks_java_now(c)) {
                ks_java_wake_at(c, p->retry_at);
                continue;
            }
            leader = ks_java_partition_leader(c, p);
            if (leader >= 0) break;
            ks_java_metadata_refresh(c->metadata); /* new metadata looks here again */
        }
        if (leader < 0) return;
        ask_leader(c, state, leader);
    }
}

void ks_java_update_positions(ks_consumer *c) {
    if (!c->positions_missing) return;
    c->positions_missing = false;
    bool initializing = false, resetting = false, validating = false, fetching = false;
    KS_EACH_PARTITION(p, c) {
        if (p->state == KS_FETCH_INITIALIZING && c->group_id.size < 0) {
            p->reason = KS_RESET_NO_COMMITTED_OFFSET;
            no_committed_offset(c, p);
        }
        initializing |= p->state == KS_FETCH_INITIALIZING && !p->awaiting_callback;
        resetting |= p->state == KS_FETCH_AWAIT_RESET;
        validating |= p->state == KS_FETCH_AWAIT_VALIDATION;
        fetching |= p->state == KS_FETCH_FETCHING;
    }
    if (!fetching) ks_java_fetch_nothing(c);
    if (initializing) look_up_committed(c);
    if (resetting) ask_leaders(c, KS_FETCH_AWAIT_RESET);
    if (validating && c->validate_after_fetch && c->polling && !c->only_position) { /* updateFetchPositions begins with it: next time */
        ks_java_fetch_soon(c);
        ks_java_wake_at(c, ks_java_now(c));
    } else if (validating) {
        ask_leaders(c, KS_FETCH_AWAIT_VALIDATION);
    }
    c->validate_after_fetch = false;
    c->positions_missing = initializing || resetting || validating; /* cheap to look again, and only while something is missing */
}

void ks_java_offset_out_of_range(ks_consumer *c, ks_java_partition *p, int64_t offset) {
    if (p->state != KS_FETCH_FETCHING || p->position != offset) return; /* sought elsewhere meanwhile */
    if (c->config.reset == KS_RESET_NONE) {
        ks_java_fail_with(c, KAFKA_ERR_OFFSET_OUT_OF_RANGE, "offset %lld of %s-%d is outside its log, and auto.offset.reset is none: "
                        "seek it, or choose earliest, latest or by_duration", (long long)offset, ks_java_topic_of(c, p).data, p->key.partition);
        return;
    }
    p->state = KS_FETCH_AWAIT_RESET;
    p->reset = c->config.reset;
    p->reason = KS_RESET_OUT_OF_RANGE;
    p->retry_at = 0;
    c->fetch_changes++;
    c->positions_missing = true;
}
