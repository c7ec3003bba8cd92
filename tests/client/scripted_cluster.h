/* SPDX-License-Identifier: Apache-2.0
 *
 * Two brokers that note every request ("1.5 broker-2 Fetch v10 offset=3") and answer as the test has laid out: broker-1 is the
 * bootstrap broker, broker-2 leads the only partition, orders[0], and coordinates the group. For tests of what a reader sends,
 * to the millisecond.
 */
#ifndef KS_SCRIPTED_CLUSTER_H
#define KS_SCRIPTED_CLUSTER_H

#include "tests/support/test.h"

#include "sim/client/process.h"
#include "sim/protocol/record_batch.h"

enum { SCRIPT_ANSWERS = 16 };

typedef struct scripted_fetch { /* one answer to Fetch */
    int16_t error;
    ks_block *records; /* NULL: none */
    int64_t high_watermark;
    ks_fetch_response_aborted_transaction aborted[4];
    int32_t aborted_count;
} scripted_fetch;

typedef struct scripted_cluster {
    ks_kernel *kernel;
    ks_node *nodes[3]; /* 1, 2 */
    ks_process *process;
    int64_t start;
    ks_buffer log;
    int16_t topic_errors[SCRIPT_ANSWERS]; /* of Metadata, in order; then 0 */
    int32_t topic_error_count, metadata_seen;
    int32_t partitions, leader;
    int16_t highest_fetch, highest_metadata;
    int64_t first, last;
    scripted_fetch fetches[SCRIPT_ANSWERS];
    int32_t fetch_count, fetch_next;
    ks_request *parked;
    ks_timer park;
    ks_envelope *(*answer)(struct scripted_cluster *cluster,
                           ks_request *request); /* of the test, for other requests; NULL: hold */
    void *context;
} scripted_cluster;

static inline ks_envelope *scripted_response(ks_request *request) {
    const ks_envelope *asked = request->envelope;
    const ks_api *api = ks_api_find(asked->api_key);
    ks_envelope *response =
        ks_envelope_new(ks_request_kernel(request), asked->api_key, asked->api_version, api->response());
    response->is_response = true;
    return response;
}

static inline void script_note(scripted_cluster *cluster, ks_request *request, const char *node) {
    const ks_envelope *envelope = request->envelope;
    int64_t us = (ks_now(cluster->kernel) - cluster->start) / KS_US;
    ks_buffer_printf(&cluster->log, "%lld.%lld %s %s v%d", (long long)(us / 1000), (long long)(us % 1000 / 100), node,
                     ks_api_name(envelope->api_key), envelope->api_version);
    if (envelope->api_key == KS_API_fetch) {
        const ks_fetch_request *fetch = envelope->body;
        ks_buffer_printf(&cluster->log, " offset=%lld wait=%d",
                         (long long)fetch->topics.items[0].partitions.items[0].fetch_offset, fetch->max_wait_ms);
    }
    if (envelope->api_key == KS_API_list_offsets) {
        const ks_list_offsets_request *list = envelope->body;
        ks_buffer_printf(&cluster->log, " at=%lld", (long long)list->topics.items[0].partitions.items[0].timestamp);
    }
    ks_buffer_text(&cluster->log, "\n");
}

static inline ks_envelope *script_versions(scripted_cluster *cluster, ks_request *request) {
    ks_envelope *envelope = scripted_response(request);
    ks_api_versions_response *response = envelope->body;
    response->api_keys.items =
        ks_arena_alloc(envelope->arena, (size_t)ks_api_count() * sizeof *response->api_keys.items);
    for (int32_t i = 0; i < ks_api_count(); i++) {
        const ks_api *api = ks_api_at(i);
        int16_t highest = api->key == KS_API_fetch      ? cluster->highest_fetch
                          : api->key == KS_API_metadata ? cluster->highest_metadata
                                                        : api->until;
        response->api_keys.items[response->api_keys.count++] =
            (ks_api_versions_response_api_version){ api->key, api->since, highest };
    }
    return envelope;
}

static inline ks_envelope *script_metadata(scripted_cluster *cluster, ks_request *request) {
    ks_envelope *envelope = scripted_response(request);
    ks_metadata_response *response = envelope->body;
    response->brokers.items = ks_arena_alloc(envelope->arena, 2 * sizeof *response->brokers.items);
    response->brokers.count = 2;
    for (int32_t i = 0; i < 2; i++)
        response->brokers.items[i] =
            (ks_metadata_response_broker){ i + 1, i == 0 ? KS_LITERAL("broker-1") : KS_LITERAL("broker-2"), 9092,
                                           KS_NULL_STRING };
    response->topics.items = ks_arena_alloc(envelope->arena, sizeof *response->topics.items);
    response->topics.count = 1;
    ks_metadata_response_topic *topic = &response->topics.items[0];
    ks_struct_default(ks_describe_metadata_response_topic(), topic);
    topic->name = KS_LITERAL("orders");
    int32_t n = cluster->metadata_seen++;
    topic->error_code = n < cluster->topic_error_count ? cluster->topic_errors[n] : 0;
    if (topic->error_code) return envelope;
    topic->partitions.items =
        ks_arena_alloc(envelope->arena, (size_t)(cluster->partitions + 1) * sizeof *topic->partitions.items);
    topic->partitions.count = cluster->partitions;
    for (int32_t i = 0; i < cluster->partitions; i++) {
        ks_struct_default(ks_describe_metadata_response_partition(), &topic->partitions.items[i]);
        topic->partitions.items[i].partition_index = i;
        topic->partitions.items[i].leader_id = cluster->leader;
    }
    return envelope;
}

static inline ks_envelope *script_offsets(scripted_cluster *cluster, ks_request *request) {
    const ks_list_offsets_request *asked = request->envelope->body;
    ks_envelope *envelope = scripted_response(request);
    ks_list_offsets_response *response = envelope->body;
    response->topics.items = ks_arena_alloc(envelope->arena, sizeof *response->topics.items);
    response->topics.count = 1;
    response->topics.items[0].name = KS_LITERAL("orders");
    response->topics.items[0].partitions.items =
        ks_arena_alloc(envelope->arena, sizeof *response->topics.items[0].partitions.items);
    response->topics.items[0].partitions.count = 1;
    int64_t at = asked->topics.items[0].partitions.items[0].timestamp;
    response->topics.items[0].partitions.items[0] = (ks_list_offsets_response_partition_response){
        .offset = at == -2 ? cluster->first : cluster->last, .timestamp = -1, .leader_epoch = -1
    };
    return envelope;
}

static inline ks_envelope *script_fetch(ks_request *request, const scripted_fetch *answer) {
    ks_envelope *envelope = scripted_response(request);
    ks_fetch_response *response = envelope->body;
    response->responses.items = ks_arena_alloc(envelope->arena, sizeof *response->responses.items);
    response->responses.count = 1;
    response->responses.items[0].topic = KS_LITERAL("orders");
    ks_fetch_response_partition_data *data = ks_arena_alloc(envelope->arena, sizeof *data);
    ks_struct_default(ks_describe_fetch_response_partition_data(), data);
    response->responses.items[0].partitions.items = data;
    response->responses.items[0].partitions.count = 1;
    data->error_code = answer->error;
    data->high_watermark = answer->high_watermark;
    data->records = (ks_bytes){ (const uint8_t *)"", 0 };
    if (answer->records != NULL) {
        data->records = (ks_bytes){ answer->records->data, answer->records->capacity };
        ks_envelope_hold(envelope, answer->records);
    }
    data->aborted_transactions.items = ks_arena_alloc(envelope->arena, sizeof answer->aborted);
    memcpy(data->aborted_transactions.items, answer->aborted, sizeof answer->aborted);
    data->aborted_transactions.count = answer->aborted_count;
    return envelope;
}

static inline void script_park_over(ks_timer *timer) {
    scripted_cluster *cluster = timer->owner;
    ks_request *request = cluster->parked;
    cluster->parked = NULL;
    ks_request_respond(request, script_fetch(request, &(scripted_fetch){ 0 }));
}

static inline void script_take_fetch(scripted_cluster *cluster, ks_request *request) {
    if (cluster->fetch_next < cluster->fetch_count) {
        ks_request_respond(request, script_fetch(request, &cluster->fetches[cluster->fetch_next++]));
        return;
    }
    const ks_fetch_request *fetch = request->envelope->body;
    cluster->parked = request;
    ks_timer_start(cluster->kernel, &cluster->park, fetch->max_wait_ms * KS_MS);
}

static inline void script_request(void *owner, ks_request *request) {
    scripted_cluster *cluster = owner;
    script_note(cluster, request, ks_node_name(ks_connection_server(request->connection)));
    ks_envelope *response = NULL;
    switch (request->envelope->api_key) {
    case KS_API_api_versions: response = script_versions(cluster, request); break;
    case KS_API_metadata: response = script_metadata(cluster, request); break;
    case KS_API_list_offsets: response = script_offsets(cluster, request); break;
    case KS_API_fetch: script_take_fetch(cluster, request); return;
    default: response = cluster->answer ? cluster->answer(cluster, request) : NULL;
    }
    if (response != NULL) ks_request_respond(request, response);
}

static inline void script_cancelled(void *owner, ks_request *request) {
    scripted_cluster *cluster = owner;
    if (cluster->parked != request) return;
    cluster->parked = NULL;
    ks_timer_stop(&cluster->park);
}

static inline void script_down(void *owner) {
    scripted_cluster *cluster = owner;
    ks_timer_stop(&cluster->park);
    cluster->parked = NULL;
}

static inline ks_node *script_resolve(void *context, ks_string host, int32_t port) {
    scripted_cluster *cluster = context;
    if (ks_string_equal(host, KS_LITERAL("broker-1"))) return cluster->nodes[1];
    return ks_string_equal(host, KS_LITERAL("broker-2")) ? cluster->nodes[2] : NULL;
}

static inline void script_begin(scripted_cluster *cluster) {
    static const ks_node_events events = { .request = script_request,
                                           .request_cancelled = script_cancelled,
                                           .down = script_down };
    cluster->kernel = ks_kernel_new(&(ks_kernel_config){ .seed = 1 });
    cluster->start = ks_now(cluster->kernel);
    cluster->nodes[1] = ks_node_new(cluster->kernel, "broker-1", &events, cluster);
    cluster->nodes[2] = ks_node_new(cluster->kernel, "broker-2", &events, cluster);
    cluster->process = ks_process_new(cluster->kernel, "c1", script_resolve, cluster);
    ks_timer_init(&cluster->park, cluster->nodes[2], script_park_over, cluster);
    cluster->partitions = 1;
    cluster->leader = 2;
    cluster->highest_fetch = 18;
    cluster->highest_metadata = 13;
}

static inline void script_end(scripted_cluster *cluster) {
    ks_timer_stop(&cluster->park);
    for (int32_t i = 0; i < SCRIPT_ANSWERS; i++) ks_block_release(cluster->fetches[i].records);
    ks_process_free(cluster->process);
    ks_kernel_free(cluster->kernel);
    ks_buffer_deinit(&cluster->log);
}

static inline void script_run(scripted_cluster *cluster, int64_t ms) {
    int64_t until = ks_now(cluster->kernel) + ms * KS_MS, next;
    while (ks_kernel_next(cluster->kernel, &next) && next <= until) ks_kernel_step(cluster->kernel);
    ks_kernel_advance(cluster->kernel, until);
}

#define assert_log(cluster, expected)                                                                                  \
    do {                                                                                                               \
        ks_buffer_text(&(cluster)->log, "");                                                                           \
        if (strcmp((const char *)(cluster)->log.data, (expected)) != 0)                                                \
            fail_msg("what was sent:\n%s\nwhat was expected:\n%s", (const char *)(cluster)->log.data, (expected));     \
        ks_buffer_clear(&(cluster)->log);                                                                              \
    } while (0)

/* ---- batches ---- */

typedef struct scripted_batch {
    int64_t base_offset;
    int32_t count;
    int32_t last_offset_delta; /* 0: count - 1; more: compaction took records from the end */
    int64_t producer_id;       /* 0: none */
    bool control, commit;      /* a marker */
    ks_codec codec;
} scripted_batch;

/* Appends a batch whose values are the offsets, as text. */
static inline void script_add_batch(ks_buffer *bytes, const scripted_batch *batch) {
    ks_batch_builder builder = { 0 };
    ks_batch_begin(&builder, batch->codec);
    for (int32_t i = 0; i < batch->count; i++) {
        char value[24];
        uint8_t marker[4] = { 0, 0, 0, batch->commit ? 1 : 0 };
        snprintf(value, sizeof value, "%lld", (long long)batch->base_offset + i);
        ks_bytes key = batch->control ? (ks_bytes){ marker, 4 } : KS_NULL_BYTES;
        ks_batch_add(&builder, key, (ks_bytes){ (const uint8_t *)value, (int32_t)strlen(value) }, NULL, 0,
                     1798761600000);
    }
    builder.header.producer_id = batch->producer_id ? batch->producer_id : -1;
    builder.header.producer_epoch = batch->producer_id ? 0 : -1;
    builder.header.base_sequence = batch->producer_id && !batch->control ? 0 : -1;
    if (batch->producer_id) builder.header.attributes |= KS_ATTRIBUTE_TRANSACTIONAL;
    if (batch->control) builder.header.attributes |= KS_ATTRIBUTE_CONTROL;
    ks_bytes done = ks_batch_finish(&builder);
    size_t at = bytes->size;
    ks_buffer_append(bytes, done.data, (size_t)done.size);
    ks_batch_set_base_offset(bytes->data + at, batch->base_offset, 0);
    if (batch->last_offset_delta > 0) { /* big-endian at 23; readers do not check the CRC again */
        for (int i = 0; i < 4; i++)
            bytes->data[at + 23 + (size_t)i] = (uint8_t)(batch->last_offset_delta >> (24 - 8 * i));
    }
    ks_batch_builder_deinit(&builder);
}

/* The answer to the next Fetch: these batches. */
static inline scripted_fetch *script_answer(scripted_cluster *cluster, const scripted_batch *batches, int32_t count,
                                            int64_t high_watermark) {
    ks_buffer bytes = { 0 };
    for (int32_t i = 0; i < count; i++) script_add_batch(&bytes, &batches[i]);
    scripted_fetch *fetch = &cluster->fetches[cluster->fetch_count++];
    if (count > 0) {
        fetch->records = ks_block_new((int32_t)bytes.size);
        memcpy(fetch->records->data, bytes.data, bytes.size);
        fetch->records->capacity = (int32_t)bytes.size;
    }
    fetch->high_watermark = high_watermark;
    ks_buffer_deinit(&bytes);
    return fetch;
}

#endif
