/* SPDX-License-Identifier: Apache-2.0
 *
 * A cluster and bare clients that send one group request at a time, each over a connection of its own. */
#ifndef GROUP_FIXTURE_H
#define GROUP_FIXTURE_H

#include "sim/broker/group_coordinator.h"
#include "sim/broker/group_events.h"
#include "sim/protocol/consumer_protocol.h"
#include "sim/protocol/events.h"
#include "sim/protocol/summary.h"
#include "tests/support/test.h"

typedef struct call { /* one request and what became of it */
    ks_connection *connection;
    ks_envelope *request, *response;
    bool closed;
    struct call *next;
} call;

typedef struct fixture {
    ks_kernel *kernel;
    ks_cluster *cluster;
    call *calls;
    ks_arena *arena;
} fixture;

static void call_responded(void *owner, const ks_envelope *request, ks_envelope *response) {
    call *c = owner;
    (void)request;
    assert_null(c->response); /* a request is answered once */
    c->response = response;
}

static void call_closed(void *owner, bool refused) {
    call *c = owner;
    (void)refused;
    c->connection = NULL;
    c->closed = true;
}

static void call_opened(void *owner) { (void)owner; }

static const ks_connection_events call_events = { .opened = call_opened,
                                                  .response = call_responded,
                                                  .closed = call_closed };

static inline fixture *fixture_new(const ks_cluster_config *config) {
    fixture *f = ks_alloc(sizeof *f);
    f->kernel = ks_kernel_new(&(ks_kernel_config){ .seed = 7, .summarise = ks_message_summarise });
    f->cluster = ks_cluster_new(f->kernel, config);
    assert_non_null(f->cluster);
    f->arena = ks_arena_new();
    return f;
}

static inline void fixture_free(fixture *f) {
    for (call *c = f->calls, *next; c != NULL; c = next) {
        next = c->next;
        if (c->connection != NULL) ks_connection_close(c->connection);
        if (c->response != NULL) ks_envelope_free(f->kernel, c->response);
        ks_free(c);
    }
    ks_cluster_free(f->cluster);
    ks_kernel_free(f->kernel);
    ks_arena_free(f->arena);
    ks_free(f);
}

static inline void run_ms(fixture *f, int64_t ms) {
    int64_t until = ks_now(f->kernel) + ms * KS_MS, next;
    while (ks_kernel_next(f->kernel, &next) && next <= until) ks_kernel_step(f->kernel);
    ks_kernel_advance(f->kernel, until);
}

static inline ks_node *client_node(fixture *f, const char *name) {
    ks_node *node = ks_node_find(f->kernel, name);
    static const ks_node_events events = { 0 };
    return node != NULL ? node : ks_node_new(f->kernel, name, &events, NULL);
}

/* A request to be filled and sent: call->request->body. */
static inline call *call_new(fixture *f, const char *client, int16_t api, int16_t version) {
    call *c = ks_alloc(sizeof *c);
    c->request = ks_envelope_new(f->kernel, api, version, ks_api_find(api)->request());
    c->request->client_id = ks_arena_string(c->request->arena, ks_str(client));
    c->next = f->calls;
    f->calls = c;
    return c;
}

static inline void call_send(fixture *f, call *c, int32_t broker) {
    c->connection = ks_connection_open(client_node(f, ks_arena_string(c->request->arena, c->request->client_id).data),
                                       ks_cluster_broker_find(f->cluster, broker)->node, &call_events, c);
    ks_connection_send(c->connection, c->request, true);
}

static inline int32_t coordinator_id(fixture *f, const char *group) {
    ks_broker *broker = ks_group_coordinator_of(f->cluster, ks_str(group));
    return broker != NULL ? broker->id : -1;
}

/* Sends to the group's coordinator and lets 5 ms pass. The response's body, or NULL when there is none yet. */
static inline void *call_now(fixture *f, call *c, const char *group) {
    call_send(f, c, coordinator_id(f, group));
    run_ms(f, 5);
    return c->response != NULL ? c->response->body : NULL;
}

static inline ks_bytes subscribe(fixture *f, const char *topic) {
    ks_string topics[] = { ks_str(topic) };
    ks_subscription subscription = { .version = 1,
                                     .topics = topics,
                                     .topic_count = 1,
                                     .user_data = KS_NULL_BYTES,
                                     .generation_id = -1,
                                     .rack_id = KS_NULL_STRING };
    return ks_subscription_encode(&subscription, f->arena);
}

static inline ks_bytes assign(fixture *f, const char *topic, int32_t first, int32_t count) {
    int32_t partitions[64];
    for (int32_t i = 0; i < count; i++) partitions[i] = first + i;
    ks_topic_partitions topics[] = { { ks_str(topic), partitions, count } };
    ks_assignment assignment = { .topics = topics, .topic_count = 1, .user_data = KS_NULL_BYTES };
    return ks_assignment_encode(&assignment, f->arena);
}

static inline call *join_call(fixture *f, const char *group, const char *client, const char *member,
                              const char *instance, int16_t version) {
    call *c = call_new(f, client, KS_API_join_group, version);
    ks_join_group_request *join = c->request->body;
    join->group_id = ks_str(group);
    join->session_timeout_ms = 10000;
    join->rebalance_timeout_ms = 60000;
    join->member_id = ks_str(member);
    join->group_instance_id = ks_str(instance);
    join->protocol_type = KS_LITERAL("consumer");
    join->protocols.count = 1;
    join->protocols.items = ks_arena_alloc(c->request->arena, sizeof *join->protocols.items);
    join->protocols.items[0] = (ks_join_group_request_protocol){ KS_LITERAL("range"), subscribe(f, "orders") };
    return c;
}

/* The two-step join of a dynamic member; the parked call. The member id is kept in `id`. */
static inline call *join_member(fixture *f, const char *group, const char *client, char id[64]) {
    ks_join_group_response *first = call_now(f, join_call(f, group, client, "", NULL, 9), group);
    assert_non_null(first);
    assert_int_equal(first->error_code, KAFKA_ERR_MEMBER_ID_REQUIRED);
    snprintf(id, 64, "%.*s", (int)first->member_id.size, first->member_id.data);
    call *c = join_call(f, group, client, ks_arena_string(f->arena, ks_str(id)).data, NULL, 9);
    call_now(f, c, group);
    return c;
}

static inline call *sync_call(fixture *f, const char *group, const char *client, const char *member,
                              int32_t generation) {
    call *c = call_new(f, client, KS_API_sync_group, 5);
    ks_sync_group_request *sync = c->request->body;
    sync->group_id = ks_str(group);
    sync->generation_id = generation;
    sync->member_id = ks_arena_string(f->arena, ks_str(member));
    sync->protocol_type = KS_LITERAL("consumer");
    sync->protocol_name = KS_LITERAL("range");
    return c;
}

static inline void give(fixture *f, call *c, const char *member, ks_bytes assignment) {
    ks_sync_group_request *sync = c->request->body;
    ks_sync_group_request_assignment *items =
        ks_arena_alloc(c->request->arena, sizeof *items * (size_t)(sync->assignments.count + 1));
    if (sync->assignments.count > 0)
        memcpy(items, sync->assignments.items, sizeof *items * (size_t)sync->assignments.count);
    items[sync->assignments.count] =
        (ks_sync_group_request_assignment){ ks_arena_string(f->arena, ks_str(member)), assignment };
    sync->assignments.items = items;
    sync->assignments.count++;
}

static inline int16_t heartbeat_now(fixture *f, const char *group, const char *client, const char *member,
                                    int32_t generation) {
    call *c = call_new(f, client, KS_API_heartbeat, 4);
    ks_heartbeat_request *beat = c->request->body;
    beat->group_id = ks_str(group);
    beat->member_id = ks_arena_string(f->arena, ks_str(member));
    beat->generation_id = generation;
    ks_heartbeat_response *response = call_now(f, c, group);
    assert_non_null(response);
    return response->error_code;
}

static inline call *commit_call(fixture *f, const char *group, const char *member, int32_t generation,
                                const char *topic, int32_t partition, int64_t offset) {
    call *c = call_new(f, "committer", KS_API_offset_commit, 9);
    ks_offset_commit_request *commit = c->request->body;
    commit->group_id = ks_str(group);
    commit->member_id = ks_arena_string(f->arena, ks_str(member));
    commit->generation_id_or_member_epoch = generation;
    commit->topics.count = 1;
    commit->topics.items = ks_arena_alloc(c->request->arena, sizeof *commit->topics.items);
    commit->topics.items[0].name = ks_str(topic);
    commit->topics.items[0].partitions.count = 1;
    commit->topics.items[0].partitions.items =
        ks_arena_alloc(c->request->arena, sizeof *commit->topics.items[0].partitions.items);
    commit->topics.items[0].partitions.items[0] =
        (ks_offset_commit_request_partition){ partition, offset, 3, KS_LITERAL("note") };
    return c;
}

static inline int16_t commit_now(fixture *f, const char *group, const char *member, int32_t generation,
                                 const char *topic, int32_t partition, int64_t offset) {
    ks_offset_commit_response *response =
        call_now(f, commit_call(f, group, member, generation, topic, partition, offset), group);
    assert_non_null(response);
    return response->topics.items[0].partitions.items[0].error_code;
}

/* The offset as a reader without a group would ask for it; an error as -1000 - code. */
static inline int64_t fetch_now(fixture *f, const char *group, const char *topic, int32_t partition) {
    call *c = call_new(f, "fetcher", KS_API_offset_fetch, 9);
    ks_offset_fetch_request *fetch = c->request->body;
    fetch->groups.count = 1;
    fetch->groups.items = ks_arena_alloc(c->request->arena, sizeof *fetch->groups.items);
    ks_struct_default(ks_describe_offset_fetch_request_group(), fetch->groups.items);
    fetch->groups.items[0].group_id = ks_str(group);
    fetch->groups.items[0].topics.count = 1;
    fetch->groups.items[0].topics.items =
        ks_arena_alloc(c->request->arena, sizeof *fetch->groups.items[0].topics.items);
    fetch->groups.items[0].topics.items[0].name = ks_str(topic);
    fetch->groups.items[0].topics.items[0].partition_indexes.count = 1;
    fetch->groups.items[0].topics.items[0].partition_indexes.items = ks_arena_alloc(c->request->arena, sizeof(int32_t));
    fetch->groups.items[0].topics.items[0].partition_indexes.items[0] = partition;
    ks_offset_fetch_response *response = call_now(f, c, group);
    assert_non_null(response);
    if (response->groups.items[0].error_code != 0) return -1000 - response->groups.items[0].error_code;
    return response->groups.items[0].topics.items[0].partitions.items[0].committed_offset;
}

/* Two members, generation 1, Stable: a leads. */
static inline void two_members(fixture *f, const char *group, char a[64], char b[64]) {
    call *join_a = join_member(f, group, "a", a), *join_b = join_member(f, group, "b", b);
    run_ms(f, 7000);
    assert_non_null(join_a->response);
    assert_non_null(join_b->response);
    ks_join_group_response *joined = join_a->response->body;
    assert_int_equal(joined->error_code, 0);
    call *sync_b = sync_call(f, group, "b", b, joined->generation_id),
         *sync_a = sync_call(f, group, "a", a, joined->generation_id);
    assert_null(call_now(f, sync_b, group)); /* it waits for the leader */
    give(f, sync_a, a, assign(f, "orders", 0, 2));
    give(f, sync_a, b, assign(f, "orders", 2, 2));
    assert_non_null(call_now(f, sync_a, group));
    assert_non_null(sync_b->response);
}

#endif
