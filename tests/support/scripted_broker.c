/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scripted_broker.h"

#include <stdio.h>

static ks_envelope *response_to(ks_request *request) {
    const ks_envelope *envelope = request->envelope;
    return ks_envelope_new(ks_request_kernel(request), envelope->api_key, envelope->api_version,
                           ks_api_find(envelope->api_key)->response());
}

static void hello(ks_scripted_broker *broker, ks_request *request) {
    ks_envelope *envelope = response_to(request);
    ks_api_versions_response *response = envelope->body;
    int32_t count = ks_api_count();
    broker->hello_count++;
    response->api_keys.items = ks_arena_alloc(envelope->arena, (size_t)count * sizeof *response->api_keys.items);
    response->api_keys.count = count;
    for (int32_t i = 0; i < count; i++) {
        const ks_api *api = ks_api_at(i);
        response->api_keys.items[i] =
            (ks_api_versions_response_api_version){ api->key, api->advertise_since, api->until };
    }
    ks_request_respond(request, envelope);
}

static bool exists(const ks_scripted_broker *broker, ks_string name) {
    for (int32_t i = 0; i < broker->topic_count; i++)
        if (ks_string_equal(name, ks_str(broker->topics[i]))) return true;
    return false;
}

static void describe(const ks_scripted_broker *broker, ks_string name, ks_arena *arena,
                     ks_metadata_response_topic *topic) {
    static int32_t one[] = { 1 };
    topic->name = ks_arena_string(arena, name);
    topic->error_code = exists(broker, name) ? broker->topic_error : (int16_t)KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
    if (topic->error_code != 0) return;
    topic->partitions.count = broker->partitions;
    topic->partitions.items = ks_arena_alloc(arena, (size_t)broker->partitions * sizeof *topic->partitions.items);
    for (int32_t i = 0; i < broker->partitions; i++) {
        ks_metadata_response_partition *partition = &topic->partitions.items[i];
        partition->partition_index = broker->partitions - 1 - i; /* out of order on purpose */
        partition->leader_id = 1;
        partition->replica_nodes.items = partition->isr_nodes.items = one;
        partition->replica_nodes.count = partition->isr_nodes.count = 1;
    }
}

static void metadata(ks_scripted_broker *broker, ks_request *request) {
    const ks_metadata_request *asked = request->envelope->body;
    ks_envelope *envelope = response_to(request);
    ks_metadata_response *response = envelope->body;
    ks_metadata_response_broker *self = ks_arena_alloc(envelope->arena, sizeof *self);
    if (broker->metadata_count < KS_SCRIPT_LIMIT)
        broker->metadata_ms[broker->metadata_count] = (ks_now(broker->kernel) - broker->start) / KS_MS;
    broker->metadata_count++;
    *self = (ks_metadata_response_broker){ 1, KS_LITERAL("broker-1"), 9092, KS_NULL_STRING };
    response->brokers.items = self;
    response->brokers.count = 1;
    response->controller_id = 1;
    int32_t count = asked->topics.count < 0 ? broker->topic_count : asked->topics.count;
    response->topics.items = ks_arena_alloc(envelope->arena, (size_t)count * sizeof *response->topics.items);
    response->topics.count = count;
    for (int32_t i = 0; i < count; i++) {
        ks_string name = asked->topics.count < 0 ? ks_str(broker->topics[i]) : asked->topics.items[i].name;
        describe(broker, name, envelope->arena, &response->topics.items[i]);
        if (exists(broker, name) || !broker->auto_create || !asked->allow_auto_topic_creation) continue;
        response->topics.items[i].error_code = KAFKA_ERR_LEADER_NOT_AVAILABLE;
        snprintf(broker->topics[broker->topic_count++], sizeof broker->topics[0], "%.*s", name.size, name.data);
        broker->create_count++;
    }
    ks_request_respond(request, envelope);
}

static ks_scripted_produce *remember(ks_scripted_broker *broker, const ks_envelope *envelope) {
    const ks_produce_request *asked = envelope->body;
    const ks_produce_request_topic_produce_data *topic = &asked->topic_data.items[0];
    const ks_produce_request_partition_produce_data *data = &topic->partition_data.items[0];
    ks_scripted_produce *produce = &broker->produced[broker->produce_count++];
    ks_batch_header header = { 0 };
    ks_batch_read_header(data->records, &header);
    *produce = (ks_scripted_produce){ .time_ms = (ks_now(broker->kernel) - broker->start) / KS_MS,
                                      .partition = data->index,
                                      .records = header.record_count,
                                      .timeout_ms = asked->timeout_ms,
                                      .acks = asked->acks,
                                      .version = envelope->api_version,
                                      .codec = header.attributes & KS_ATTRIBUTE_CODEC_MASK,
                                      .base_timestamp = header.base_timestamp,
                                      .max_timestamp = header.max_timestamp };
    snprintf(produce->topic, sizeof produce->topic, "%.*s", topic->name.size, topic->name.data);
    snprintf(produce->client_id, sizeof produce->client_id, "%.*s", envelope->client_id.size, envelope->client_id.data);
    produce->block = ks_block_new(data->records.size);
    if (data->records.size > 0) memcpy(produce->block->data, data->records.data, (size_t)data->records.size);
    produce->bytes = (ks_bytes){ produce->block->data, data->records.size };
    return produce;
}

static void produce(ks_scripted_broker *broker, ks_request *request) {
    const ks_scripted_produce *produced = remember(broker, request->envelope);
    int16_t error = broker->errors[broker->produce_count - 1];
    if (broker->error_partition >= 0)
        error = produced->partition == broker->error_partition ? broker->errors[0] : (int16_t)0;
    if (produced->acks == 0) {
        ks_request_no_response(request);
        return;
    }
    if (error == KS_SCRIPT_HANG_UP) {
        ks_request_close(request);
        return;
    }
    if (error == KS_SCRIPT_SILENCE) {
        broker->held[broker->held_count++] = request;
        return;
    }
    ks_envelope *envelope = response_to(request);
    ks_produce_response *response = envelope->body;
    ks_produce_response_topic_produce_response *topic = ks_arena_alloc(envelope->arena, sizeof *topic);
    ks_produce_response_partition_produce_response *result = ks_arena_alloc(envelope->arena, sizeof *result);
    *result = (ks_produce_response_partition_produce_response){
        .index = produced->partition, .error_code = error, .base_offset = -1, .log_append_time_ms = -1
    };
    if (error == 0) {
        result->base_offset = broker->next_offset[produced->partition % 64];
        result->log_append_time_ms = broker->log_append_time_ms;
        broker->next_offset[produced->partition % 64] += produced->records;
    }
    topic->name = ks_arena_string(envelope->arena, ks_str(produced->topic));
    topic->partition_responses.items = result;
    topic->partition_responses.count = 1;
    response->responses.items = topic;
    response->responses.count = 1;
    ks_request_respond(request, envelope);
}

static void handle(void *owner, ks_request *request) {
    ks_scripted_broker *broker = owner;
    switch (request->envelope->api_key) {
    case KS_API_api_versions: hello(broker, request); break;
    case KS_API_metadata: metadata(broker, request); break;
    case KS_API_produce: produce(broker, request); break;
    default: ks_request_close(request); break;
    }
}

static void cancelled(void *owner, ks_request *request) {
    ks_scripted_broker *broker = owner;
    for (int32_t i = 0; i < broker->held_count; i++)
        if (broker->held[i] == request) broker->held[i] = broker->held[--broker->held_count];
}

void ks_scripted_broker_start(ks_scripted_broker *broker, ks_kernel *kernel, const char *topic, int32_t partitions) {
    static const ks_node_events events = { .request = handle, .request_cancelled = cancelled };
    memset(broker, 0, sizeof *broker);
    broker->kernel = kernel;
    broker->start = ks_now(kernel);
    broker->node = ks_node_new(kernel, "broker-1", &events, broker);
    broker->partitions = partitions;
    broker->error_partition = -1;
    broker->log_append_time_ms = -1;
    if (topic != NULL) snprintf(broker->topics[broker->topic_count++], sizeof broker->topics[0], "%s", topic);
}

void ks_scripted_broker_stop(ks_scripted_broker *broker) {
    for (int32_t i = 0; i < broker->produce_count; i++) ks_block_release(broker->produced[i].block);
    broker->produce_count = 0;
}

ks_node *ks_scripted_broker_resolve(void *owner, ks_string host, int32_t port) {
    ks_scripted_broker *broker = owner;
    return ks_string_equal(host, KS_LITERAL("broker-1")) && port == 9092 ? broker->node : NULL;
}
