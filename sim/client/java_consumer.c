/* SPDX-License-Identifier: Apache-2.0
 *
 * Life of a Java consumer, and what it is told to read; see java_consumer.h. */
#include "sim/client/java_internal.h"

#include <stdlib.h>

/* ---- what the parts ask of the whole ---- */

static bool broker_address(void *owner, int32_t id, ks_string *host, int32_t *port) {
    const ks_consumer *c = owner;
    const ks_java_broker *broker = ks_java_metadata_broker(c->metadata, id);
    if (broker == NULL) return false;
    *host = broker->host;
    *port = broker->port;
    return true;
}

static int32_t broker_at(void *owner, int32_t index) {
    const ks_consumer *c = owner;
    if (index >= ks_java_metadata_broker_count(c->metadata)) return -1;
    return ks_java_metadata_broker_at(c->metadata, index)->id;
}

static void disconnected(void *owner, int32_t node) {
    ks_consumer *c = owner;
    if (c->coordinator >= 0 && node == ks_java_coordinator_node(c)) ks_java_coordinator_lost(c);
    if (!c->closing) ks_java_metadata_refresh(c->metadata); /* perhaps the broker is gone */
}

/* What an answer changed is looked at right after it, in the same event. */
static void replying(void *owner, bool begins) {
    ks_consumer *c = owner;
    c->replying = begins;
    if (!begins && c->wake_pending) ks_java_step_now(c);
}

static void metadata_updated(void *owner) {
    ks_consumer *c = owner;
    ks_java_leader_metadata(c);
    ks_java_ops_metadata(c);
    if (c->modern) ks_java_modern_metadata(c);
    if (c->ops && c->coordinator < 0 && c->group_id.size >= 0) (void)ks_java_coordinator_known(c);
    if (c->fetches_under_way == 0 || c->positions_missing || c->leader || c->stage != KS_STAGE_IDLE || c->modern) ks_java_wake(c);
    if (c->polling) ks_java_fetch_soon(c);
}

static void metadata_failed(void *owner, kafka_error error) { ks_java_fail(owner, error); }

static void process_crashed(void *owner) {
    ks_consumer *c = owner;
    c->dead = true;
    ks_java_shut_down(c);
    ks_java_set_assignment(c, NULL, 0);
}

/* ---- life ---- */

static ks_string text_or_null(const char *text) { return ks_str(text); }

static void init_timers(ks_consumer *c) {
    ks_timer_init(&c->step_timer, c->node, ks_java_step_fired, c);
    ks_timer_init(&c->wake_timer, c->node, ks_java_step_fired, c);
    ks_timer_init(&c->coordinator_timer, c->node, ks_java_coordinator_timer, c);
    ks_timer_init(&c->heartbeat_timer, c->node, ks_java_heartbeat_fired, c);
    ks_timer_init(&c->fetch_timer, c->node, ks_java_fetch_fired, c);
    ks_timer_init(&c->close_timer, c->node, ks_java_close_fired, c);
}

static void init_network(ks_consumer *c, const char *addresses) {
    const ks_java_config *config = &c->config;
    c->metadata = ks_java_metadata_new(&(ks_java_metadata_config){
        .process = c->process, .max_age_ns = config->metadata_max_age_ms * KS_MS, .backoff_ns = config->retry_backoff_ms * KS_MS,
        .backoff_max_ns = config->retry_backoff_max_ms * KS_MS, .allow_auto_create = config->allow_auto_create_topics,
        .updated = metadata_updated, .failed = metadata_failed, .owner = c });
    c->network = ks_java_network_new(&(ks_java_network_config){
        .process = c->process, .client_id = c->client_id, .addresses = ks_str(addresses),
        .request_timeout_ns = config->request_timeout_ms * KS_MS, .backoff_min_ns = config->reconnect_backoff_ms * KS_MS,
        .backoff_max_ns = config->reconnect_backoff_max_ms * KS_MS, .address = broker_address, .broker_at = broker_at,
        .disconnected = disconnected, .replying = replying, .owner = c });
    ks_java_metadata_use(c->metadata, c->network);
}

ks_consumer *ks_consumer_new(ks_process *process, const char *addresses, ks_java_config *config, const ks_consumer_events *events) {
    if (ks_process_is_down(process)) return NULL;
    ks_consumer *c = memset(ks_alloc_lines(sizeof *c), 0, sizeof *c);
    c->process = process;
    c->kernel = ks_process_kernel(process);
    c->node = ks_process_node(process);
    c->config = *config;
    *config = (ks_java_config){ 0 };
    if (events) c->events = *events;
    c->group_id = text_or_null(c->config.group_id);
    c->instance_id = text_or_null(c->config.group_instance_id);
    c->rack = text_or_null(c->config.client_rack);
    c->client_id = c->config.client_id ? ks_str(c->config.client_id) : ks_str(ks_node_name(c->node));
    c->coordinator = c->generation = c->stable_generation = c->sticky_generation = -1;
    c->member_id = ks_string_dup(KS_LITERAL(""));
    c->protocol_name = ks_string_dup(KS_LITERAL(""));
    c->rejoin_reason = ks_string_dup(KS_LITERAL(""));
    c->rejoin_needed = true;
    c->assignment_bytes = KS_NULL_BYTES;
    for (int32_t i = 0; i < 4; i++) c->assignor_generation_max[i] = -1;
    c->fetched_end = &c->fetched;
    c->fetches_end = &c->fetches;
    c->ops_end = &c->ops;
    c->assignment_arena = ks_arena_new();
    c->callback_arena = ks_arena_new();
    c->sticky_arena = ks_arena_new();
    init_timers(c);
    init_network(c, addresses);
    ks_java_auto_commit_restart(c);
    if (c->config.modern) ks_java_modern_new(c);
    c->watch = (ks_process_watch){ .crashed = process_crashed, .owner = c };
    ks_process_watch_start(process, &c->watch);
    return c;
}

static void free_strings(ks_string *items, int32_t count) {
    for (int32_t i = 0; i < count; i++) ks_free((void *)items[i].data);
    ks_free(items);
}

void ks_consumer_free(ks_consumer *c) {
    if (c == NULL) return;
    if (c->network) ks_java_shut_down(c);
    ks_java_assignment_deinit(c);
    free_strings(c->subscription.items, c->subscription.count);
    free_strings(c->watched.items, c->watched.count);
    free_strings(c->joined_subscription.items, c->joined_subscription.count);
    ks_free((void *)c->member_id.data);
    ks_free((void *)c->protocol_name.data);
    ks_free((void *)c->rejoin_reason.data);
    ks_free((void *)c->assignment_bytes.data);
    ks_arena_free(c->callback_arena);
    ks_arena_free(c->sticky_arena);
    ks_free(c->spare_op);
    ks_free(c->detail);
    ks_java_config_deinit(&c->config);
    ks_free(c);
}

const ks_java_config *ks_consumer_config(const ks_consumer *c) { return &c->config; }
bool ks_consumer_is_dead(const ks_consumer *c) { return c->dead; }

ks_member_view ks_consumer_member(const ks_consumer *c) {
    bool settled = c->state == KS_MEMBER_STABLE && !c->rejoin_needed && c->stage == KS_STAGE_IDLE;
    return (ks_member_view){ c->state, c->member_id, c->generation, c->leader, c->rejoin_needed, settled };
}

/* ---- what to read ---- */

static int compare_strings(const void *a, const void *b) { return ks_string_compare(*(const ks_string *)a, *(const ks_string *)b); }

kafka_error ks_consumer_subscribe(ks_consumer *c, const ks_string *topics, int32_t count) {
    if (c->dead) return KAFKA_ERR_NODE_CRASHED;
    if (c->group_id.size < 0)
        return ks_process_fail(c->process, KAFKA_ERR_NEEDS_GROUP, "subscribing needs a group.id; without one, assign partitions");
    if (c->mode == KS_MODE_ASSIGNED)
        return ks_process_fail(c->process, KAFKA_ERR_INVALID_ARGUMENT,
                               "subscription to topics and assigned partitions are mutually exclusive; unsubscribe first");
    KS_VEC(ks_string) sorted = { 0 };
    for (int32_t i = 0; i < count; i++) KS_PUSH(sorted, ks_string_dup(topics[i]));
    qsort(sorted.items, (size_t)count, sizeof *sorted.items, compare_strings);
    int32_t distinct = 0;
    for (int32_t i = 0; i < count; i++) {
        if (distinct > 0 && ks_string_equal(sorted.items[i], sorted.items[distinct - 1])) ks_free((void *)sorted.items[i].data);
        else sorted.items[distinct++] = sorted.items[i];
    }
    for (int32_t i = 0; i < distinct; i++) ks_java_metadata_want(c->metadata, sorted.items[i]);
    for (int32_t i = 0; i < c->subscription.count; i++) ks_java_metadata_unwant(c->metadata, c->subscription.items[i]);
    free_strings(c->subscription.items, c->subscription.count);
    c->subscription.items = sorted.items;
    c->subscription.capacity = sorted.capacity;
    c->subscription.count = distinct;
    c->mode = KS_MODE_SUBSCRIBED;
    ks_java_drain_drop_topics(c);
    ks_java_wake(c);
    return KAFKA_OK;
}

kafka_error ks_consumer_assign(ks_consumer *c, const ks_topic_partitions *partitions, int32_t count) {
    if (c->dead) return KAFKA_ERR_NODE_CRASHED;
    if (c->mode == KS_MODE_SUBSCRIBED)
        return ks_process_fail(c->process, KAFKA_ERR_INVALID_ARGUMENT,
                               "subscription to topics and assigned partitions are mutually exclusive; unsubscribe first");
    ks_java_auto_commit(c); /* if it is due: the last chance for what goes */
    ks_arena *arena = ks_arena_new();
    int32_t sorted_count;
    const ks_topic_partitions *sorted = ks_java_sorted(partitions, count, arena, &sorted_count);
    for (int32_t i = 0; i < sorted_count; i++) ks_java_metadata_want(c->metadata, sorted[i].topic);
    for (int32_t i = 0; i < c->subscription.count; i++) {
        ks_java_metadata_unwant(c->metadata, c->subscription.items[i]);
        ks_free((void *)c->subscription.items[i].data);
    }
    c->subscription.count = 0;
    for (int32_t i = 0; i < sorted_count; i++) KS_PUSH(c->subscription, ks_string_dup(sorted[i].topic));
    ks_java_set_assignment(c, sorted, sorted_count);
    c->mode = KS_MODE_ASSIGNED;
    ks_java_drain_drop_topics(c);
    ks_arena_free(arena);
    ks_java_wake(c);
    return KAFKA_OK;
}
