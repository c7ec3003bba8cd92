/* SPDX-License-Identifier: Apache-2.0
 * A cluster and one bare client node for tests of brokers: requests go over real connections of the kernel, one at a
 * time per broker (send, answer) or several held open (post, poll). */
#ifndef KS_TEST_WORLD_H
#define KS_TEST_WORLD_H

#include "sim/broker/cluster.h"
#include "sim/protocol/events.h"
#include "sim/protocol/frame.h"
#include "sim/protocol/record_batch.h"
#include "sim/protocol/summary.h"
#include "tests/support/test.h"

enum { WORLD_LINES = 8 };

typedef struct world_line { /* one connection */
    struct world *world;
    ks_connection *connection; /* NULL: none */
    int32_t broker;
    ks_envelope *response; /* the last one that came; the line's */
    int64_t answered_at;   /* ns */
    bool closed, refused;
} world_line;

typedef struct world {
    ks_kernel *kernel;
    ks_cluster *cluster;
    ks_node *client;
    world_line lines[WORLD_LINES];
    ks_batch_builder builder;
    ks_subscriber subscriber;
    ks_buffer log; /* names of the kinds of events seen, one a line, when `logs` */
    bool logs;
    size_t live; /* allocations before it */
} world;

static void line_response(void *owner, const ks_envelope *request, ks_envelope *response) {
    world_line *l = owner;
    (void)request;
    ks_envelope_free(l->world->kernel, l->response);
    l->response = response;
    l->answered_at = ks_now(l->world->kernel);
}

static void line_closed(void *owner, bool refused) {
    world_line *l = owner;
    l->closed = true;
    l->refused = refused;
    l->connection = NULL;
}

static void world_event(void *context, const ks_event *event) {
    world *w = context;
    if (!w->logs) return;
    ks_buffer_text(&w->log, event->kind->name + 3);
    ks_buffer_text(&w->log, "\n");
}

static void world_init(world *w, const ks_cluster_config *config) {
    memset(w, 0, sizeof *w);
    w->live = ks_alloc_live();
    w->kernel = ks_kernel_new(&(ks_kernel_config){ .seed = 7, .summarise = ks_message_summarise });
    w->cluster = ks_cluster_new(w->kernel, config);
    assert_non_null(w->cluster);
    /* every message goes through the codec of its version: what a handler sets that the version lacks fails the test */
    ks_network_intercept(w->kernel, &(ks_interceptor){ .transcode = ks_wire_transcode, .context = w->kernel });
    w->client = ks_node_new(w->kernel, "tester", NULL, w);
    for (int i = 0; i < WORLD_LINES; i++) w->lines[i].world = w;
    w->subscriber = (ks_subscriber){ .event = world_event, .context = w };
    ks_trace_subscribe(w->kernel, &w->subscriber);
}

static void world_deinit(world *w) {
    for (int i = 0; i < WORLD_LINES; i++) ks_envelope_free(w->kernel, w->lines[i].response);
    ks_cluster_free(w->cluster);
    ks_kernel_free(w->kernel);
    ks_batch_builder_deinit(&w->builder);
    ks_buffer_deinit(&w->log);
    assert_int_equal(ks_alloc_live(), w->live);
}

static world_line *line_open(world *w, int i, int32_t broker) {
    static const ks_connection_events events = { .response = line_response, .closed = line_closed };
    world_line *l = &w->lines[i];
    if (l->connection != NULL && l->broker == broker) return l;
    if (l->connection != NULL) ks_connection_close(l->connection);
    l->closed = l->refused = false;
    l->broker = broker;
    l->connection = ks_connection_open(w->client, ks_cluster_broker_find(w->cluster, broker)->node, &events, l);
    return l;
}

static inline ks_envelope *request_new(world *w, int16_t api, int16_t version) {
    ks_envelope *request = ks_envelope_new(w->kernel, api, version, ks_api_find(api)->request());
    request->client_id = KS_LITERAL("tester");
    return request;
}

/* Runs for `ms` of virtual time. */
static inline void run_ms(world *w, int64_t ms) {
    int64_t until = ks_now(w->kernel) + ms * KS_MS, next;
    while (ks_kernel_next(w->kernel, &next) && next <= until) ks_kernel_step(w->kernel);
    ks_kernel_advance(w->kernel, until);
}

/* Sends on a line and does not wait. */
static inline world_line *post(world *w, int i, int32_t broker, ks_envelope *request) {
    world_line *l = line_open(w, i, broker);
    ks_envelope_free(w->kernel, l->response);
    l->response = NULL;
    ks_connection_send(l->connection, request, true);
    return l;
}

/* Waits for the answer on a line at most a virtual minute; NULL: none, or the connection was closed. The line's. */
static inline void *poll_line(world *w, int i) {
    world_line *l = &w->lines[i];
    int64_t until = ks_now(w->kernel) + 60 * KS_S, next;
    while (l->response == NULL && !l->closed && ks_kernel_next(w->kernel, &next) && next <= until)
        ks_kernel_step(w->kernel);
    return l->response != NULL ? l->response->body : NULL;
}

/* Sends to a broker and gives the body of the answer; NULL: the connection was closed instead. */
static inline void *ask(world *w, int32_t broker, ks_envelope *request) {
    post(w, 0, broker, request);
    return poll_line(w, 0);
}

/* An array member of a request: zeroed items with defaults. */
#define REQUEST_ARRAY(request, array, count_, name)                                                                    \
    do {                                                                                                               \
        (array).count = (count_);                                                                                      \
        (array).items = ks_arena_alloc((request)->arena, (size_t)(count_) * sizeof *(array).items);                    \
        for (int32_t i_ = 0; i_ < (count_); i_++) ks_struct_default(ks_describe_##name(), &(array).items[i_]);         \
    } while (0)

static inline ks_topic *make_topic(world *w, const char *name, int32_t partitions, int32_t replicas) {
    ks_topic *topic = NULL;
    assert_int_equal(ks_cluster_create_simple_topic(w->cluster, name, partitions, replicas, &topic), KAFKA_OK);
    return topic;
}

/* A topic of one partition with configs: "retention.ms", "1000", ..., NULL. */
static inline ks_topic *make_configured(world *w, const char *name, ...) {
    ks_topic_config *config = ks_topic_config_new(ks_cluster_settings(w->cluster));
    va_list list;
    va_start(list, name);
    for (const char *key; (key = va_arg(list, const char *)) != NULL;) {
        const char *value = va_arg(list, const char *);
        assert_int_equal(ks_topic_config_set(config, ks_str(key), ks_str(value), ks_cluster_settings(w->cluster), NULL),
                         KAFKA_OK);
    }
    va_end(list);
    ks_topic *topic = NULL;
    ks_topic_spec spec = { .name = ks_str(name), .partitions = 1, .replication_factor = 1, .config = config };
    assert_int_equal(ks_cluster_create_topic(w->cluster, &spec, &topic, NULL), KAFKA_OK);
    ks_topic_config_release(config);
    return topic;
}

static inline ks_bytes text_bytes(const char *text) {
    return (ks_bytes){ (const uint8_t *)text, text ? (int32_t)strlen(text) : -1 };
}

/* A batch of `count` records of this value and timestamp; view until the next one. */
static inline ks_bytes make_batch(world *w, int32_t count, const char *value, int64_t timestamp_ms) {
    ks_batch_begin(&w->builder, KS_CODEC_NONE);
    for (int32_t i = 0; i < count; i++)
        ks_batch_add(&w->builder, text_bytes("key"), text_bytes(value), NULL, 0, timestamp_ms);
    return ks_batch_finish(&w->builder);
}

static inline ks_envelope *produce_request(world *w, int16_t version, int16_t acks, const ks_topic *topic,
                                           int32_t partition, ks_bytes batch) {
    ks_envelope *request = request_new(w, KS_API_produce, version);
    ks_produce_request *in = request->body;
    in->acks = acks;
    in->timeout_ms = 1000;
    REQUEST_ARRAY(request, in->topic_data, 1, produce_request_topic_produce_data);
    if (version >= 13)
        in->topic_data.items[0].topic_id = topic->id;
    else
        in->topic_data.items[0].name = ks_arena_string(request->arena, topic->name);
    REQUEST_ARRAY(request, in->topic_data.items[0].partition_data, 1, produce_request_partition_produce_data);
    in->topic_data.items[0].partition_data.items[0].index = partition;
    in->topic_data.items[0].partition_data.items[0].records = ks_arena_bytes(request->arena, batch);
    return request;
}

/* Produces to the partition's leader with acks all; gives the answer for the partition. */
static inline ks_produce_response_partition_produce_response *produce(world *w, const ks_topic *topic,
                                                                      int32_t partition, ks_bytes batch) {
    int32_t leader = topic->partitions[partition]->leader;
    ks_produce_response *out = ask(w, leader < 1 ? 1 : leader, produce_request(w, 9, -1, topic, partition, batch));
    assert_non_null(out);
    return &out->responses.items[0].partition_responses.items[0];
}

static inline ks_envelope *fetch_request(world *w, int16_t version, const ks_topic *topic, int32_t partition,
                                         int64_t offset, int32_t min_bytes, int32_t max_wait_ms) {
    ks_envelope *request = request_new(w, KS_API_fetch, version);
    ks_fetch_request *in = request->body;
    in->max_wait_ms = max_wait_ms;
    in->min_bytes = min_bytes;
    in->max_bytes = INT32_MAX;
    REQUEST_ARRAY(request, in->topics, 1, fetch_request_topic);
    if (version >= 13)
        in->topics.items[0].topic_id = topic->id;
    else
        in->topics.items[0].topic = ks_arena_string(request->arena, topic->name);
    REQUEST_ARRAY(request, in->topics.items[0].partitions, 1, fetch_request_partition);
    in->topics.items[0].partitions.items[0].partition = partition;
    in->topics.items[0].partitions.items[0].fetch_offset = offset;
    in->topics.items[0].partitions.items[0].partition_max_bytes = 1 << 20;
    return request;
}

static inline ks_fetch_response_partition_data *first_partition(ks_fetch_response *out) {
    assert_non_null(out);
    assert_int_equal(out->error_code, 0);
    return &out->responses.items[0].partitions.items[0];
}

/* Fetches at once whatever is there from the partition's leader. */
static inline ks_fetch_response_partition_data *fetch(world *w, const ks_topic *topic, int32_t partition,
                                                      int64_t offset) {
    return first_partition(
        ask(w, topic->partitions[partition]->leader, fetch_request(w, 12, topic, partition, offset, 1, 0)));
}

/* How often a kind of event was seen since logging began. */
static inline int seen(world *w, const char *kind) {
    int count = 0;
    size_t size = strlen(kind);
    for (const char *at = w->log.size > 0 ? (const char *)w->log.data : ""; *at != '\0'; at = strchr(at, '\n') + 1) {
        count += strncmp(at, kind, size) == 0 && at[size] == '\n';
    }
    return count;
}

#endif
