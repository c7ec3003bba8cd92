/* SPDX-License-Identifier: Apache-2.0
 *
 * One generation of a member (kafka-go, consumergroup.go: Generation): heartbeat, partition watchers and commits share the
 * coordinator's connection; any function that returns ends it, and the member goes on when all have returned. Heartbeats and
 * watchers are background work until they bring news.
 */
#include "sim/client/group_member_internal.h"
#include "sim/protocol/events.h"

static void function_returned(ks_generation *generation, ks_string reason);

static ks_kernel *kernel_of(const ks_generation *generation) { return ks_member_kernel(generation->member); }

static void news(const ks_generation *generation) {
    if (ks_in_background(kernel_of(generation))) ks_progress(kernel_of(generation));
}

/* ---- heartbeat ---- */

static void send_heartbeat(ks_generation *generation);

/* The word for the trace: what the coordinator meant by it. */
static ks_string reason_of(kafka_error error) {
    if (error == KAFKA_ERR_REBALANCE_IN_PROGRESS) return KS_LITERAL("rebalance");
    if (error == KAFKA_ERR_ILLEGAL_GENERATION || error == KAFKA_ERR_UNKNOWN_MEMBER_ID)
        return KS_LITERAL("session_lost");
    return KS_LITERAL("heartbeat_failed");
}

static void heartbeat_answered(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_generation *generation = owner;
    generation->heartbeat = NULL;
    if (error == KAFKA_OK) error = (kafka_error)((const ks_heartbeat_response *)envelope->body)->error_code;
    if (error) news(generation);
    if (error || generation->ended) {
        generation->heartbeat_over = true;
        ks_timer_stop(&generation->heartbeat_timer);
        function_returned(generation, reason_of(error));
    } else if (generation->heartbeat_due) { /* a tick passed meanwhile; kafka-go's ticker remembers one */
        send_heartbeat(generation);
    }
}

static void send_heartbeat(ks_generation *generation) {
    const ks_membership *member = generation->member;
    generation->heartbeat_due = false;
    ks_envelope *envelope = ks_channel_request(member->channel, KS_API_heartbeat, 0);
    ks_heartbeat_request *request = envelope->body;
    request->group_id = ks_arena_string(envelope->arena, generation->group);
    request->generation_id = generation->id;
    request->member_id = ks_arena_string(envelope->arena, generation->member_id);
    generation->heartbeat =
        ks_channel_send(member->channel, envelope, member->settings->timeout_ns, heartbeat_answered, generation);
}

static void heartbeat_tick(ks_timer *timer) {
    ks_generation *generation = timer->owner;
    ks_timer_start_background(kernel_of(generation), timer, generation->member->settings->heartbeat_ns);
    if (generation->heartbeat != NULL)
        generation->heartbeat_due = true;
    else
        send_heartbeat(generation);
}

/* ---- partition watchers ---- */

static void look(ks_partition_watch *watch);

static void watch_over(ks_partition_watch *watch) {
    ks_generation *generation = watch->generation;
    ks_timer_stop(&watch->timer);
    watch->generation = NULL;
    function_returned(generation, KS_LITERAL("partitions_changed"));
}

/* The first look must succeed; later a missing topic has 0 partitions, other codes are ignored, a lost connection ends it. */
static void looked(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_partition_watch *watch = owner;
    watch->busy = false;
    const ks_metadata_response *response = envelope ? envelope->body : NULL;
    int32_t partitions = 0;
    kafka_error code = KAFKA_OK;
    if (response != NULL && response->topics.count > 0) {
        code = (kafka_error)response->topics.items[0].error_code;
        partitions = code ? 0 : response->topics.items[0].partitions.count;
    }
    bool first = watch->partitions < 0;
    bool readable = code == KAFKA_OK || (!first && code == KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    bool changed = readable && !first && partitions != watch->partitions;
    if (error || (first && !readable) || changed) news(watch->generation);
    if (watch->generation->ended || error || (first && !readable) || changed)
        watch_over(watch);
    else {
        if (first) watch->partitions = partitions;
        if (watch->due) look(watch);
    }
}

static void look(ks_partition_watch *watch) {
    const ks_membership *member = watch->generation->member;
    watch->busy = true;
    watch->due = false;
    ks_ask_send(&watch->ask, member->settings->process, member->channel,
                ks_conn_metadata(member->channel, &watch->topic, 1), member->settings->timeout_ns, looked, watch);
}

static void watch_tick(ks_timer *timer) {
    ks_partition_watch *watch = timer->owner;
    ks_timer_start_background(kernel_of(watch->generation), timer, watch->generation->member->settings->watch_ns);
    if (watch->busy)
        watch->due = true;
    else
        look(watch);
}

static void start_watches(ks_generation *generation) {
    const ks_membership_settings *settings = generation->member->settings;
    generation->watch_count = settings->topic_count;
    generation->watches =
        ks_arena_alloc(generation->arena, (size_t)settings->topic_count * sizeof *generation->watches);
    for (int32_t i = 0; i < settings->topic_count; i++) {
        ks_partition_watch *watch = &generation->watches[i];
        *watch = (ks_partition_watch){ .generation = generation, .topic = settings->topics[i], .partitions = -1 };
        ks_timer_init(&watch->timer, ks_process_node(settings->process), watch_tick, watch);
        ks_timer_start_background(kernel_of(generation), &watch->timer, settings->watch_ns);
        generation->running++;
        look(watch);
    }
}

/* ---- beginning and end ---- */

/* "orders[0,1] payments[2]" in the generation's arena. */
static ks_string partitions_text(ks_generation *generation) {
    ks_buffer text = { 0 };
    for (int32_t i = 0; i < generation->assigned_count; i++) {
        const ks_assigned_partition *partition = &generation->assigned[i];
        bool first = i == 0 || partition[-1].topic.data != partition->topic.data;
        if (first && i > 0) ks_buffer_text(&text, "] ");
        if (first) ks_buffer_string(&text, partition->topic);
        ks_buffer_text(&text, first ? "[" : ",");
        ks_buffer_i64(&text, partition->partition);
    }
    if (generation->assigned_count > 0) ks_buffer_text(&text, "]");
    ks_string result = ks_arena_string(generation->arena, (ks_string){ (const char *)text.data, (int32_t)text.size });
    ks_buffer_deinit(&text);
    return result.data ? result : KS_LITERAL("");
}

static void emit_started(ks_generation *generation) {
    const ks_membership *member = generation->member;
    ks_node *node = ks_process_node(member->settings->process);
    ks_string client = ks_str(ks_node_name(node)), partitions = partitions_text(generation);
    KS_EMIT(kernel_of(generation), node, client_generation_started, .client = client, .group = generation->group,
            .member = generation->member_id, .generation = generation->id, .protocol = member->protocol,
            .leader = member->leader, .partitions = partitions);
    KS_EMIT(kernel_of(generation), node, client_partitions_assigned, .client = client, .group = generation->group,
            .member = generation->member_id, .generation = generation->id, .partitions = partitions);
}

/* kafka-go is eager: all that was assigned is given up. */
static void emit_ended(ks_generation *generation, ks_string reason) {
    ks_node *node = ks_process_node(generation->member->settings->process);
    ks_string client = ks_str(ks_node_name(node)), partitions = partitions_text(generation);
    KS_EMIT(kernel_of(generation), node, client_generation_ended, .client = client, .group = generation->group,
            .member = generation->member_id, .generation = generation->id, .reason = reason);
    if (ks_string_equal(reason, KS_LITERAL("session_lost")))
        KS_EMIT(kernel_of(generation), node, client_partitions_lost, .client = client, .group = generation->group,
                .member = generation->member_id, .generation = generation->id, .partitions = partitions);
    else
        KS_EMIT(kernel_of(generation), node, client_partitions_revoked, .client = client, .group = generation->group,
                .member = generation->member_id, .generation = generation->id, .partitions = partitions);
}

ks_generation *ks_generation_new(ks_membership *member, ks_assigned_partition *assigned, int32_t count) {
    ks_generation *generation = ks_alloc(sizeof *generation);
    generation->references = 1;
    generation->member = member;
    generation->process = member->settings->process;
    generation->arena = ks_arena_new();
    generation->group = ks_arena_string(generation->arena, member->settings->group);
    generation->member_id = ks_arena_string(generation->arena, member->member_id);
    generation->id = member->generation_id;
    generation->assigned_count = count;
    generation->assigned = ks_arena_alloc(generation->arena, (size_t)(count + 1) * sizeof *assigned);
    for (int32_t i = 0; i < count; i++) generation->assigned[i] = assigned[i];
    emit_started(generation);
    ks_timer_init(&generation->heartbeat_timer, ks_process_node(member->settings->process), heartbeat_tick, generation);
    ks_timer_start_background(kernel_of(generation), &generation->heartbeat_timer, member->settings->heartbeat_ns);
    generation->running = 1;
    if (member->settings->watch_partitions) start_watches(generation);
    return generation;
}

static void go_on_when_alone(ks_generation *generation) {
    if (generation->ended && generation->running == 0 && generation->member != NULL)
        ks_member_generation_over(generation->member);
}

static void stop_own_functions(ks_generation *generation) {
    ks_timer_stop(&generation->heartbeat_timer);
    if (generation->heartbeat == NULL && !generation->heartbeat_over) {
        generation->heartbeat_over = true;
        generation->running--;
    }
    for (int32_t i = 0; i < generation->watch_count; i++) {
        ks_partition_watch *watch = &generation->watches[i];
        if (watch->generation == NULL) continue;
        ks_timer_stop(&watch->timer);
        if (watch->busy) continue;
        watch->generation = NULL;
        generation->running--;
    }
}

void ks_generation_end(ks_generation *generation, ks_string reason) {
    if (generation->ended) return;
    generation->ended = true;
    ks_generation_hold(generation);
    if (generation->member != NULL) {
        emit_ended(generation, reason);
        stop_own_functions(generation);
    }
    generation->running++; /* the listener may make the application's functions return: not before all is said */
    if (generation->on_end != NULL) generation->on_end(generation->on_end_owner);
    generation->running--;
    go_on_when_alone(generation);
    ks_generation_release(generation);
}

static void function_returned(ks_generation *generation, ks_string reason) {
    ks_assert(generation->running > 0);
    ks_generation_hold(generation);
    generation->running--;
    if (generation->ended)
        go_on_when_alone(generation);
    else
        ks_generation_end(generation, reason);
    ks_generation_release(generation);
}

void ks_generation_enter(ks_generation *generation) { generation->running++; }
void ks_generation_leave(ks_generation *generation) { function_returned(generation, KS_LITERAL("function_returned")); }

void ks_generation_detach(ks_generation *generation) {
    ks_timer_stop(&generation->heartbeat_timer);
    ks_call_drop(generation->heartbeat);
    generation->heartbeat = NULL;
    for (int32_t i = 0; i < generation->watch_count; i++) {
        ks_timer_stop(&generation->watches[i].timer);
        ks_ask_drop(&generation->watches[i].ask);
    }
    ks_generation_refuse_commits(generation);
    generation->member = NULL;
}

void ks_generation_listen(ks_generation *generation, void (*ended)(void *owner), void *owner) {
    generation->on_end = ended;
    generation->on_end_owner = owner;
}

int32_t ks_generation_id(const ks_generation *generation) { return generation->id; }
ks_string ks_generation_member_id(const ks_generation *generation) { return generation->member_id; }
bool ks_generation_has_ended(const ks_generation *generation) { return generation->ended; }

int32_t ks_generation_assigned(const ks_generation *generation, const ks_assigned_partition **partitions) {
    *partitions = generation->assigned;
    return generation->assigned_count;
}

ks_generation *ks_generation_hold(ks_generation *generation) {
    generation->references++;
    return generation;
}

void ks_generation_release(ks_generation *generation) {
    if (generation == NULL || --generation->references > 0) return;
    ks_arena_free(generation->arena);
    ks_free(generation);
}
