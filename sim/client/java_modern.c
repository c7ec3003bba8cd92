/* SPDX-License-Identifier: Apache-2.0
 *
 * Membership with group.protocol=consumer (KIP-848; ConsumerMembershipManager, ConsumerHeartbeatRequestManager). One request,
 * ConsumerGroupHeartbeat, joins, confirms and leaves. The coordinator says what the member may use; the member walks there by
 * itself: commit, revoked, assigned, and then a heartbeat that says what it owns now.
 *
 *   UNSUBSCRIBED -> JOINING -> RECONCILING <-> ACKNOWLEDGING -> STABLE
 *   FENCED (lost, then JOINING), STALE (did not poll: lost, then JOINING at the next poll), FATAL, LEAVING
 *
 * Heartbeats are sent beside the application; callbacks only inside its polls. That max.poll.interval.ms is over is noticed when the
 * network thread is awake: for a heartbeat, or for a commit. */
#include "sim/client/java_internal.h"

typedef enum state { UNSUBSCRIBED, JOINING, RECONCILING, ACKNOWLEDGING, STABLE, FENCED, STALE, FATAL, LEAVING } state;

typedef enum part { /* of a reconciliation */
    PART_NONE, PART_COMMITTING, PART_COMMITTED, PART_REVOKING, PART_REVOKED, PART_ASSIGNING, PART_LOSING
} part;

typedef struct named_topic {
    ks_uuid id;
    ks_string name;
} named_topic;

struct ks_java_modern {
    state state;
    part part;
    ks_timer timer;          /* the next heartbeat, or the end of max.poll.interval.ms */
    int64_t next_heartbeat, interval_ns;
    int32_t failures, in_flight; /* answers to all but the last heartbeat do not count */
    ks_offset_op *commit;
    ks_arena *target_arena, *work_arena;
    ks_consumer_group_heartbeat_response_topic_partitions *target; /* what the coordinator said last, by topic id */
    int32_t target_count;
    bool has_target, all_resolved;
    bool reached;            /* all of the target, by the assignment */
    uint64_t reached_by;     /* of this number */
    KS_VEC(named_topic) names; /* of what is owned: metadata forgets topics that are no longer subscribed to */
    ks_topic_partitions *resolved; /* what is being reconciled to, in work_arena */
    int32_t resolved_count;
    ks_buffer sent_topics;   /* as last sent, to say only what changed */
    bool sent_all, sent_owned;
    ks_reply_fn *left;       /* who waits for the last heartbeat's answer */
    void *left_owner;
};

static ks_string client_name(const ks_consumer *c) { return ks_str(ks_node_name(c->node)); }

/* ---- epochs ---- */

static void end_epoch(ks_consumer *c, const char *reason) {
    if (c->generation > 0)
        KS_EMIT(c->kernel, c->node, client_generation_ended, .client = client_name(c), .group = c->group_id, .member = c->member_id,
                .generation = c->generation, .reason = ks_str(reason));
    c->generation = -1;
    c->state = KS_MEMBER_UNJOINED;
    c->modern->sent_all = false;
    c->modern->has_target = false;
}

static void schedule(ks_consumer *c) {
    ks_java_modern *m = c->modern;
    bool beats = m->state == JOINING || m->state == RECONCILING || m->state == ACKNOWLEDGING || m->state == STABLE;
    if (!beats || c->closing) {
        ks_timer_stop(&m->timer);
        return;
    }
    int64_t at = c->coordinator >= 0 && m->in_flight == 0 ? m->next_heartbeat : INT64_MAX, now = ks_java_now(c);
    if (at == INT64_MAX) {
        ks_timer_stop(&m->timer);
        return;
    }
    if (m->state == STABLE || at > now) ks_timer_start_background(c->kernel, &m->timer, at > now ? at - now : 0);
    else ks_timer_start(c->kernel, &m->timer, 0);
}

static void beat_now(ks_consumer *c) {
    c->modern->next_heartbeat = ks_java_now(c);
    (void)ks_java_coordinator_known(c);
    schedule(c);
}

static void become(ks_consumer *c, state next) { c->modern->state = next; }

static void join(ks_consumer *c) {
    become(c, JOINING);
    c->modern->part = PART_NONE;
    c->modern->sent_all = false;
    c->modern->has_target = false;
    beat_now(c);
}

/* ---- the request ---- */

static void owned_text(ks_consumer *c, ks_buffer *out) {
    const ks_topic_partitions *owned;
    int32_t count = ks_consumer_assignment(c, &owned);
    ks_topic_partitions_print(owned, count, out);
}

/* Null: not known, or not yet. */
static ks_string name_of(const ks_consumer *c, ks_uuid id) {
    const ks_java_topic *topic = ks_java_metadata_topic_by_id(c->metadata, id);
    if (topic) return topic->name;
    for (int32_t i = 0; i < c->modern->names.count; i++)
        if (ks_uuid_equal(c->modern->names.items[i].id, id)) return c->modern->names.items[i].name;
    return KS_NULL_STRING;
}

static ks_uuid id_of(const ks_consumer *c, ks_string name) {
    const ks_java_topic *topic = ks_java_metadata_topic(c->metadata, name);
    if (topic && !ks_uuid_is_zero(topic->id)) return topic->id;
    for (int32_t i = 0; i < c->modern->names.count; i++)
        if (ks_string_equal(c->modern->names.items[i].name, name)) return c->modern->names.items[i].id;
    return (ks_uuid){ { 0 } };
}

static void forget_names(ks_java_modern *m) {
    for (int32_t i = 0; i < m->names.count; i++) ks_free((void *)m->names.items[i].name.data);
    ks_free(m->names.items);
    m->names.items = NULL;
    m->names.count = m->names.capacity = 0;
}

/* Of the topics in the target. */
static void remember_names(ks_consumer *c) {
    ks_java_modern *m = c->modern, kept = { 0 };
    for (int32_t t = 0; t < m->target_count; t++) {
        ks_string name = name_of(c, m->target[t].topic_id);
        if (name.size >= 0) KS_PUSH(kept.names, (named_topic){ m->target[t].topic_id, ks_string_dup(name) });
    }
    forget_names(m);
    m->names.items = kept.names.items;
    m->names.count = kept.names.count;
    m->names.capacity = kept.names.capacity;
}

static bool same(const ks_buffer *a, const ks_buffer *b) { return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0); }

static void replace(ks_buffer *with, ks_buffer *by) {
    ks_buffer_deinit(with);
    *with = *by;
    *by = (ks_buffer){ 0 };
}

static void fill_topics(ks_consumer *c, ks_envelope *envelope) {
    ks_consumer_group_heartbeat_request *request = envelope->body;
    request->subscribed_topic_names.items = ks_arena_alloc(envelope->arena, ((size_t)c->subscription.count + 1) * sizeof(ks_string));
    request->subscribed_topic_names.count = c->subscription.count;
    for (int32_t i = 0; i < c->subscription.count; i++)
        request->subscribed_topic_names.items[i] = ks_arena_string(envelope->arena, c->subscription.items[i]);
}

static void fill_owned(ks_consumer *c, ks_envelope *envelope) {
    ks_consumer_group_heartbeat_request *request = envelope->body;
    const ks_topic_partitions *owned;
    int32_t count = ks_consumer_assignment(c, &owned);
    request->topic_partitions.items = ks_arena_alloc(envelope->arena, ((size_t)count + 1) * sizeof *request->topic_partitions.items);
    request->topic_partitions.count = 0;
    for (int32_t t = 0; t < count; t++) {
        ks_consumer_group_heartbeat_request_topic_partitions *out = &request->topic_partitions.items[request->topic_partitions.count++];
        ks_struct_default(ks_describe_consumer_group_heartbeat_request_topic_partitions(), out);
        out->topic_id = id_of(c, owned[t].topic);
        out->partitions.items = ks_arena_alloc(envelope->arena, ((size_t)owned[t].partition_count + 1) * sizeof(int32_t));
        out->partitions.count = owned[t].partition_count;
        memcpy(out->partitions.items, owned[t].partitions, (size_t)owned[t].partition_count * sizeof(int32_t));
    }
}

static ks_envelope *heartbeat_request(ks_consumer *c, int32_t epoch) {
    ks_envelope *envelope = ks_java_request(c->network, KS_API_consumer_group_heartbeat, -1);
    ks_consumer_group_heartbeat_request *request = envelope->body;
    request->group_id = ks_arena_string(envelope->arena, c->group_id);
    request->member_id = ks_arena_string(envelope->arena, c->member_id);
    request->instance_id = ks_arena_string(envelope->arena, c->instance_id);
    request->member_epoch = epoch;
    return envelope;
}

static void answered(void *owner, kafka_error error, const ks_envelope *response);

/* Only what changed since it was last sent; everything when joining and after an error. */
static void send_heartbeat(ks_consumer *c) {
    ks_java_modern *m = c->modern;
    bool joining = m->state == JOINING;
    ks_envelope *envelope = heartbeat_request(c, joining ? 0 : c->generation);
    ks_consumer_group_heartbeat_request *request = envelope->body;
    ks_buffer topics = { 0 };
    for (int32_t i = 0; i < c->subscription.count; i++) {
        ks_buffer_string(&topics, c->subscription.items[i]);
        ks_buffer_text(&topics, "\n");
    }
    bool all = joining || !m->sent_all;
    if (all) {
        request->rebalance_timeout_ms = (int32_t)c->config.max_poll_interval_ms;
        if (c->config.group_remote_assignor) request->server_assignor = ks_arena_string(envelope->arena, ks_str(c->config.group_remote_assignor));
        if (c->rack.size > 0) request->rack_id = ks_arena_string(envelope->arena, c->rack);
    }
    if (all || !same(&topics, &m->sent_topics)) fill_topics(c, envelope);
    if (all || !m->sent_owned) fill_owned(c, envelope);
    replace(&m->sent_topics, &topics);
    m->sent_all = m->sent_owned = true;
    ks_buffer_deinit(&topics);
    m->next_heartbeat = ks_java_now(c) + (m->interval_ns > 0 ? m->interval_ns : 5 * KS_S);
    m->in_flight++;
    if (m->state == ACKNOWLEDGING) become(c, STABLE); /* the receipt is on its way; a newer target is seen in its answer */
    ks_java_send(c->network, ks_java_coordinator_node(c), envelope, 0, answered, c);
}

static void left_group(void *owner, kafka_error error, const ks_envelope *response) {
    ks_consumer *c = owner;
    ks_java_modern *m = c->modern;
    ks_reply_fn *reply = m->left;
    m->left = NULL;
    if (reply) reply(m->left_owner, error, response);
}

/* Whoever unsubscribes or closes names what it gives up: everything. */
static bool say_goodbye(ks_consumer *c, ks_reply_fn *reply, void *owner, bool unsubscribed) {
    ks_java_modern *m = c->modern;
    bool member = c->generation > 0 && c->coordinator >= 0 && c->network;
    if (member) {
        ks_envelope *envelope = heartbeat_request(c, c->instance_id.size >= 0 ? -2 : -1);
        ks_consumer_group_heartbeat_request *request = envelope->body;
        request->topic_partitions.count = 0;
        if (unsubscribed) request->subscribed_topic_names.count = 0;
        m->left = reply;
        m->left_owner = owner;
        ks_java_send(c->network, ks_java_coordinator_node(c), envelope, 0, left_group, c);
    }
    end_epoch(c, "left");
    become(c, LEAVING);
    m->part = PART_NONE;
    ks_timer_stop(&m->timer);
    return member;
}

bool ks_java_modern_look_at_poll(ks_consumer *c) {
    if (c->polling || c->generation <= 0 || ks_java_now(c) < c->poll_deadline) return false;
    ks_progress(c->kernel);
    say_goodbye(c, NULL, NULL, false);
    become(c, STALE);
    return true;
}

static void timer_fired(ks_timer *timer) {
    ks_consumer *c = timer->owner;
    ks_java_modern *m = c->modern;
    int64_t now = ks_java_now(c);
    if (ks_java_modern_look_at_poll(c)) return;
    if (now >= m->next_heartbeat && m->in_flight == 0 && c->coordinator >= 0) send_heartbeat(c);
    schedule(c);
}

/* ---- the answer ---- */

static void keep_target(ks_consumer *c, const ks_consumer_group_heartbeat_response_assignment *assignment) {
    ks_java_modern *m = c->modern;
    ks_arena_reset(m->target_arena);
    m->target_count = assignment->topic_partitions.count;
    m->target = ks_arena_alloc(m->target_arena, ((size_t)m->target_count + 1) * sizeof *m->target);
    for (int32_t t = 0; t < m->target_count; t++)
        ks_struct_copy(ks_describe_consumer_group_heartbeat_response_topic_partitions(), &m->target[t],
                       &assignment->topic_partitions.items[t], m->target_arena, false);
    m->has_target = true;
    m->reached = false;
}

/* The target by topic names as far as they are known; what is not waits for metadata. */
static void resolve(ks_consumer *c) {
    ks_java_modern *m = c->modern;
    ks_arena_reset(m->work_arena);
    ks_topic_partitions *named = ks_arena_alloc(m->work_arena, ((size_t)m->target_count + 1) * sizeof *named);
    int32_t count = 0;
    m->all_resolved = true;
    for (int32_t t = 0; t < m->target_count; t++) {
        ks_string name = name_of(c, m->target[t].topic_id);
        if (name.size < 0) m->all_resolved = false;
        else named[count++] = (ks_topic_partitions){ ks_arena_string(m->work_arena, name), m->target[t].partitions.items, m->target[t].partitions.count };
    }
    m->resolved = ks_java_sorted_copy(named, count, m->work_arena, &m->resolved_count);
    if (!m->all_resolved) ks_java_metadata_refresh(c->metadata);
}

static bool same_partitions(const ks_topic_partitions *a, const ks_topic_partitions *b) {
    return ks_string_equal(a->topic, b->topic) && a->partition_count == b->partition_count &&
           (a->partition_count == 0 || memcmp(a->partitions, b->partitions, sizeof *a->partitions * (size_t)a->partition_count) == 0);
}

static bool owns_target(ks_consumer *c) { /* both are in order */
    ks_java_modern *m = c->modern;
    const ks_topic_partitions *owned;
    int32_t count = ks_consumer_assignment(c, &owned);
    if (count != m->resolved_count) return false;
    for (int32_t t = 0; t < count; t++)
        if (!same_partitions(&owned[t], &m->resolved[t])) return false;
    return true;
}

/* Looked at again only when something has changed: every heartbeat asks. */
static bool target_is_reached(ks_consumer *c) {
    ks_java_modern *m = c->modern;
    if (m->reached && m->reached_by == c->assignment) return true;
    resolve(c);
    bool reached = owns_target(c);
    m->reached = reached && m->all_resolved; /* a name that comes later is something new */
    m->reached_by = c->assignment;
    return reached;
}

static void emit_epoch(ks_consumer *c) {
    ks_buffer text = { 0 };
    owned_text(c, &text);
    KS_EMIT(c->kernel, c->node, client_generation_started, .client = client_name(c), .group = c->group_id, .member = c->member_id,
            .generation = c->generation, .protocol = KS_LITERAL("consumer"), .leader = false,
            .partitions = { text.data ? (const char *)text.data : "", (int32_t)text.size });
    ks_buffer_deinit(&text);
}

static void accepted(ks_consumer *c, const ks_consumer_group_heartbeat_response *response) {
    ks_java_modern *m = c->modern;
    m->failures = 0;
    m->interval_ns = (int64_t)response->heartbeat_interval_ms * KS_MS;
    m->next_heartbeat = ks_java_now(c) + m->interval_ns;
    if (response->member_id.size > 0 && !ks_string_equal(response->member_id, c->member_id)) ks_java_set_member_id(c, response->member_id);
    bool new_epoch = response->member_epoch != c->generation;
    c->generation = response->member_epoch;
    c->state = KS_MEMBER_STABLE;
    if (m->state == JOINING) c->poll_deadline = ks_java_now(c) + c->config.max_poll_interval_ms * KS_MS;
    if (response->assignment) {
        ks_progress(c->kernel);
        keep_target(c, response->assignment);
        if (m->part == PART_NONE) become(c, m->state != JOINING && target_is_reached(c) ? STABLE : RECONCILING); /* the first always */
    } else if (m->state == JOINING) {
        become(c, STABLE);
    }
    if (new_epoch) {
        ks_progress(c->kernel);
        emit_epoch(c);
    }
    ks_java_wake(c);
}

static void retry_later(ks_consumer *c, bool at_once) {
    ks_java_modern *m = c->modern;
    int64_t pause = c->config.retry_backoff_ms;
    for (int32_t i = 0; i < m->failures && pause < c->config.retry_backoff_max_ms; i++) pause *= 2;
    if (pause > c->config.retry_backoff_max_ms) pause = c->config.retry_backoff_max_ms;
    m->failures++;
    m->sent_all = false;
    m->next_heartbeat = ks_java_now(c) + (at_once ? 0 : pause * KS_MS);
}

static void refused(ks_consumer *c, kafka_error error, const ks_consumer_group_heartbeat_response *response) {
    switch ((int)error) {
    case KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS:
        retry_later(c, false);
        break;
    case KAFKA_ERR_COORDINATOR_NOT_AVAILABLE:
    case KAFKA_ERR_NOT_COORDINATOR:
        retry_later(c, true);
        ks_java_coordinator_lost(c);
        break;
    case KAFKA_ERR_FENCED_MEMBER_EPOCH:
    case KAFKA_ERR_UNKNOWN_MEMBER_ID:
        ks_progress(c->kernel);
        end_epoch(c, error == KAFKA_ERR_UNKNOWN_MEMBER_ID ? "unknown_member" : "fenced");
        become(c, FENCED);
        break;
    default:
        ks_progress(c->kernel);
        if (response && response->error_message.size > 0)
            ks_java_fail_with(c, error, "%.*s", response->error_message.size, response->error_message.data);
        ks_java_fail_for_good(c, error);
        end_epoch(c, "fatal");
        become(c, FATAL);
    }
    ks_java_wake(c);
}

static void answered(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_consumer *c = owner;
    ks_java_modern *m = c->modern;
    if (--m->in_flight > 0 || m->state == UNSUBSCRIBED || m->state == LEAVING || m->state == STALE || m->state == FATAL || m->state == FENCED) return;
    const ks_consumer_group_heartbeat_response *response = envelope ? envelope->body : NULL;
    if (error) {
        retry_later(c, false);
        ks_java_coordinator_lost(c);
    } else if (response->error_code) {
        refused(c, (kafka_error)response->error_code, response);
    } else {
        accepted(c, response);
    }
    schedule(c);
}

/* ---- reconciliation ---- */

static void reconcile_committed(ks_offset_op *op, kafka_error error) {
    (void)error;
    ks_consumer *c = op->consumer;
    c->modern->commit = NULL;
    if (c->modern->part == PART_COMMITTING) c->modern->part = PART_COMMITTED;
    ks_java_wake(c);
}

static void begin_reconciliation(ks_consumer *c) {
    ks_java_modern *m = c->modern;
    m->part = PART_COMMITTED;
    if (!c->config.enable_auto_commit || c->partitions.count == 0) return;
    m->part = PART_COMMITTING;
    m->commit = ks_java_op_commit_all(c, c->config.max_poll_interval_ms * KS_MS, reconcile_committed);
    m->commit->retries_stale = true;
    ks_java_op_go(m->commit);
}

static ks_poll_result revoke(ks_consumer *c) {
    ks_java_modern *m = c->modern;
    const ks_topic_partitions *owned;
    int32_t count = ks_consumer_assignment(c, &owned), gone_count;
    resolve(c);
    ks_topic_partitions *gone = ks_java_minus(owned, count, m->resolved, m->resolved_count, m->work_arena, &gone_count);
    m->part = PART_REVOKED;
    if (gone_count == 0) return KS_POLL_WAITING;
    for (int32_t t = 0; t < gone_count; t++)
        for (int32_t i = 0; i < gone[t].partition_count; i++)
            ks_java_partition_named(c, gone[t].topic, gone[t].partitions[i])->pending_revocation = true;
    c->fetch_changes++;
    m->part = PART_REVOKING;
    ks_arena_reset(c->callback_arena);
    return ks_java_call_back(c, KS_PARTITIONS_REVOKED, gone, gone_count);
}

static ks_poll_result take_over(ks_consumer *c) {
    ks_java_modern *m = c->modern;
    const ks_topic_partitions *owned;
    int32_t count = ks_consumer_assignment(c, &owned), added_count;
    ks_arena_reset(c->callback_arena);
    ks_topic_partitions *added = ks_java_minus(m->resolved, m->resolved_count, owned, count, c->callback_arena, &added_count);
    remember_names(c);
    ks_java_set_assignment(c, m->resolved, m->resolved_count);
    for (int32_t t = 0; t < added_count; t++)
        for (int32_t i = 0; i < added[t].partition_count; i++)
            ks_java_partition_named(c, added[t].topic, added[t].partitions[i])->awaiting_callback = true;
    if (c->config.enable_auto_commit) ks_java_auto_commit_restart(c);
    m->part = PART_ASSIGNING;
    return ks_java_call_back(c, KS_PARTITIONS_ASSIGNED, added, added_count);
}

static ks_poll_result lose(ks_consumer *c) {
    ks_java_modern *m = c->modern;
    const ks_topic_partitions *owned;
    int32_t count = ks_consumer_assignment(c, &owned);
    m->part = PART_LOSING;
    if (count > 0) {
        ks_arena_reset(c->callback_arena);
        return ks_java_call_back(c, KS_PARTITIONS_LOST, owned, count);
    }
    ks_java_modern_callback_done(c);
    return KS_POLL_WAITING;
}

static void keep_only_resolved(ks_consumer *c) {
    ks_java_modern *m = c->modern;
    const ks_topic_partitions *owned;
    int32_t count = ks_consumer_assignment(c, &owned), gone_count, kept_count;
    ks_topic_partitions *gone = ks_java_minus(owned, count, m->resolved, m->resolved_count, m->work_arena, &gone_count);
    ks_topic_partitions *kept = ks_java_minus(owned, count, gone, gone_count, m->work_arena, &kept_count);
    ks_java_set_assignment(c, kept, kept_count);
}

static void acknowledge(ks_consumer *c) {
    ks_java_modern *m = c->modern;
    KS_EACH_PARTITION(p, c) p->awaiting_callback = false;
    c->fetch_changes++;
    c->positions_missing = true;
    m->part = PART_NONE;
    m->sent_owned = false; /* the receipt, even if it owns what it owned before */
    become(c, ACKNOWLEDGING);
    beat_now(c);
    if (c->callback_error) ks_java_fail_with(c, c->callback_error, "a rebalance callback failed: %s", kafka_error_text(c->callback_error));
    c->callback_error = KAFKA_OK;
}

void ks_java_modern_callback_done(ks_consumer *c) {
    ks_java_modern *m = c->modern;
    switch (m->part) {
    case PART_REVOKING:
        if (m->state == FENCED || m->state == STALE || m->state == FATAL) { /* meanwhile: what is left is lost */
            m->part = PART_NONE;
            break;
        }
        keep_only_resolved(c);
        m->part = PART_REVOKED;
        break;
    case PART_ASSIGNING:
        if (m->state == RECONCILING) acknowledge(c);
        else m->part = PART_NONE;
        break;
    case PART_LOSING:
        m->part = PART_NONE;
        ks_java_set_assignment(c, NULL, 0);
        if (m->state == FENCED || m->state == STALE) join(c);
        break;
    case PART_NONE: case PART_COMMITTING: case PART_COMMITTED: case PART_REVOKED:
        break;
    }
    ks_java_wake(c);
}

static ks_poll_result reconcile(ks_consumer *c) {
    ks_java_modern *m = c->modern;
    ks_poll_result result;
    for (;;) switch (m->part) {
    case PART_NONE:
        begin_reconciliation(c);
        break;
    case PART_COMMITTED:
        if ((result = revoke(c)) != KS_POLL_WAITING) return result;
        break;
    case PART_REVOKED:
        return take_over(c);
    case PART_COMMITTING: case PART_REVOKING: case PART_ASSIGNING: case PART_LOSING:
        return KS_POLL_WAITING;
    }
}

ks_poll_result ks_java_modern_step(ks_consumer *c) {
    ks_java_modern *m = c->modern;
    switch (m->state) {
    case UNSUBSCRIBED:
    case LEAVING:
        join(c);
        return KS_POLL_WAITING;
    case FENCED: case STALE: case FATAL:
        if (m->state == STALE && m->part == PART_NONE) ks_java_auto_commit(c); /* sic: in vain, if one is due */
        if (m->part == PART_COMMITTING || m->part == PART_COMMITTED || m->part == PART_REVOKED) m->part = PART_NONE;
        return m->part == PART_NONE && (m->state != FATAL || c->partitions.count > 0) ? lose(c) : KS_POLL_WAITING;
    case RECONCILING:
        return reconcile(c);
    case JOINING:
        (void)ks_java_coordinator_known(c);
        return KS_POLL_WAITING;
    case STABLE:
        if (m->has_target && !target_is_reached(c)) { /* a newer target came during a callback, or a topic got its name */
            become(c, RECONCILING);
            return reconcile(c);
        }
        return KS_POLL_WAITING;
    case ACKNOWLEDGING:
        return KS_POLL_WAITING;
    }
    return KS_POLL_WAITING;
}

/* ---- what happens around it ---- */

void ks_java_modern_coordinator(ks_consumer *c) { schedule(c); }

void ks_java_modern_metadata(ks_consumer *c) {
    if (c->modern->state == JOINING && c->coordinator < 0) (void)ks_java_coordinator_known(c);
}

bool ks_java_modern_leave(ks_consumer *c, ks_reply_fn *reply, void *owner) { return say_goodbye(c, reply, owner, true); }

/* For as long as it lives, whatever happens to its memberships (KIP-1082). Kafka draws it. */
static void choose_member_id(ks_consumer *c) {
    ks_buffer id = { 0 };
    ks_buffer_printf(&id, "%s-consumer-%06u", ks_node_name(c->node), (unsigned)ks_process_next_number(c->process));
    ks_java_set_member_id(c, (ks_string){ (const char *)id.data, (int32_t)id.size });
    ks_buffer_deinit(&id);
}

void ks_java_modern_new(ks_consumer *c) {
    ks_java_modern *m = ks_alloc(sizeof *m);
    m->target_arena = ks_arena_new();
    m->work_arena = ks_arena_new();
    ks_timer_init(&m->timer, c->node, timer_fired, c);
    c->modern = m;
    choose_member_id(c);
}

void ks_java_modern_free(ks_consumer *c) {
    ks_java_modern *m = c->modern;
    ks_timer_stop(&m->timer);
    forget_names(m);
    ks_buffer_deinit(&m->sent_topics);
    ks_arena_free(m->target_arena);
    ks_arena_free(m->work_arena);
    ks_free(m);
    c->modern = NULL;
}
