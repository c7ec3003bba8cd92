/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_client's calls about single partitions: offsets, writing one batch, reading once (kafka-go listoffset.go,
 * produce.go, fetch.go). Each goes to the partition's leader as the cached layout has it.
 */
#include "sim/api/client_call.h"
#include "sim/client/producer.h"
#include "sim/protocol/record_batch.h"

static ks_route leader_of(const char *topic, int32_t partition) {
    return (ks_route){ .to = KS_ROUTE_LEADER, .topic = ks_str(topic), .partition = partition };
}

/* ---- offsets ---- */

static ks_ask *ask_offset(ks_client_call *call, const char *topic, int32_t partition, int64_t time_ms,
                          kafka_isolation_level isolation) {
    ks_ask *ask = ks_client_ask(call, KS_API_list_offsets, leader_of(topic, partition));
    ks_list_offsets_request *request = ask->request->body;
    request->replica_id = -1;
    request->isolation_level = (int8_t)isolation;
    KS_FILL(ask, request->topics, 1);
    request->topics.items->name = ks_ask_string(ask, topic);
    KS_FILL(ask, request->topics.items->partitions, 1);
    *request->topics.items->partitions.items = (ks_list_offsets_request_partition){ partition, -1, time_ms };
    return ask;
}

static const ks_list_offsets_response_partition_response *offset_in(const ks_ask *ask) {
    const ks_list_offsets_response *response = ask->response != NULL ? ask->response->body : NULL;
    if (response == NULL || response->topics.count < 1 || response->topics.items[0].partitions.count < 1) return NULL;
    return &response->topics.items[0].partitions.items[0];
}

static kafka_error tell_offset(ks_arena *arena, const ks_ask *ask, const kafka_offset_query *query,
                               kafka_offset_answer *answer) {
    const ks_list_offsets_response_partition_response *found = offset_in(ask);
    *answer = (kafka_offset_answer){
        ks_result_text(arena, ks_str(query->topic)), query->partition, query->time_ms, ask->error, -1, -1
    };
    if (found != NULL) {
        answer->error = (kafka_error)found->error_code;
        answer->offset = found->offset;
        answer->timestamp_ms = found->timestamp;
    } else if (answer->error == KAFKA_OK) {
        answer->error = KAFKA_ERR_UNKNOWN_SERVER_ERROR;
    }
    return answer->error;
}

static bool queries_are_named(const kafka_offset_query *queries, size_t count) {
    if (queries == NULL) return count == 0;
    for (size_t i = 0; i < count; i++)
        if (queries[i].topic == NULL) return false;
    return true;
}

kafka_error kafka_client_list_offsets(kafka_client *client, kafka_context *context, const kafka_offset_query *queries,
                                      size_t count, kafka_isolation_level isolation, kafka_listed_offsets **offsets) {
    kafka_error error;
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_list_offsets", queries_are_named(queries, count),
                             "queries, or a topic, is NULL", &error);
    if (call == NULL) return error;
    for (size_t i = 0; i < count; i++)
        ask_offset(call, queries[i].topic, queries[i].partition, queries[i].time_ms, isolation);
    error = ks_client_wait(call);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    ks_arena *arena;
    kafka_listed_offsets *told = ks_result_new(sizeof *told, &arena);
    kafka_offset_answer *items = ks_arena_alloc(arena, count * sizeof *items);
    kafka_error first = KAFKA_OK, unanswered = KAFKA_OK;
    size_t answers = 0, i = 0;
    for (const ks_ask *ask = call->asks; ask != NULL; ask = ask->next, i++) {
        kafka_error one = tell_offset(arena, ask, &queries[i], &items[i]);
        if (ask->error == KAFKA_OK)
            answers++;
        else if (unanswered == KAFKA_OK)
            unanswered = ask->error;
        if (one != KAFKA_OK && first == KAFKA_OK)
            first = ks_client_partition_code(call, one, queries[i].topic, queries[i].partition);
    }
    told->items = items;
    told->count = count;
    error = offsets == NULL             ? first
            : answers == 0 && count > 0 ? ks_address_fail(client->address, unanswered, "%s", call->name)
                                        : KAFKA_OK;
    if (offsets != NULL && error == KAFKA_OK)
        *offsets = told;
    else
        ks_result_free(told);
    return ks_client_end(call, error);
}

KS_RESULT_FREE(kafka_listed_offsets_free, kafka_listed_offsets)

/* ---- writing ---- */

static const char *produce_problem(const kafka_produce_request *request) {
    if (request == NULL) return "request is NULL";
    if (request->topic == NULL) return "topic is NULL";
    if (request->messages == NULL && request->count > 0) return "messages is NULL";
    if ((int)request->required_acks < -1 || (int)request->required_acks > 1) return "required_acks is not -1, 0 or 1";
    if ((int)request->compression < 0 || request->compression > KAFKA_COMPRESSION_ZSTD) return "compression is unknown";
    int64_t size = 0;
    for (size_t i = 0; i < request->count; i++) {
        int64_t one = ks_message_size(&request->messages[i]);
        if (one < 0) return "a message has bytes at NULL, or a length beyond Kafka's limits";
        size += one;
    }
    return size > INT32_MAX / 4 ? "the messages are too large for one batch" : NULL;
}

static ks_bytes nullable(kafka_bytes bytes) {
    return bytes.data != NULL ? (ks_bytes){ bytes.data, (int32_t)bytes.size } : KS_NULL_BYTES;
}

static void add_message(ks_batch_builder *builder, ks_arena *arena, const kafka_message *message, int64_t now_ms) {
    ks_record_header_in *headers = ks_arena_alloc(arena, message->header_count * sizeof *headers);
    for (size_t i = 0; i < message->header_count; i++) {
        const kafka_header *header = &message->headers[i];
        headers[i] = (ks_record_header_in){ { header->key.data, (int32_t)header->key.size }, nullable(header->value) };
    }
    int64_t time_ms = message->time / KS_MS;
    ks_batch_add(builder, nullable(message->key), nullable(message->value), headers, (int32_t)message->header_count,
                 time_ms != 0 ? time_ms : now_ms);
}

static void fill_produce(ks_client_call *call, ks_ask *ask, const kafka_produce_request *from) {
    ks_produce_request *request = ask->request->body;
    request->acks = (int16_t)from->required_acks;
    request->timeout_ms = ks_client_timeout_ms(call, 500);
    KS_FILL(ask, request->topic_data, 1);
    request->topic_data.items->name = ks_ask_string(ask, from->topic);
    KS_FILL(ask, request->topic_data.items->partition_data, 1);
    ks_produce_request_partition_produce_data *data = request->topic_data.items->partition_data.items;
    data->index = from->partition;
    ks_batch_builder builder = { 0 };
    ks_batch_begin(&builder, (ks_codec)from->compression);
    int64_t now_ms = ks_now_ms(ks_process_kernel(call->client->address->process));
    for (size_t i = 0; i < from->count; i++) add_message(&builder, call->arena, &from->messages[i], now_ms);
    ks_block *block = ks_batch_finish_block(&builder, &data->records);
    ks_envelope_hold(ask->request, block);
    ks_block_release(block);
    ks_batch_builder_deinit(&builder);
    ask->expects_response = from->required_acks != KAFKA_ACKS_NONE;
}

static void tell_produced(ks_arena *arena, const ks_produce_response_partition_produce_response *from,
                          kafka_produced *to) {
    size_t *rejected = ks_arena_alloc(arena, (size_t)from->record_errors.count * sizeof *rejected);
    for (int32_t i = 0; i < from->record_errors.count; i++)
        rejected[i] = (size_t)from->record_errors.items[i].batch_index;
    *to = (kafka_produced){ .error = (kafka_error)from->error_code,
                            .message = ks_result_text(arena, from->error_message),
                            .base_offset = from->base_offset,
                            .log_append_time = from->log_append_time_ms > 0 ? from->log_append_time_ms * KS_MS : 0,
                            .log_start_offset = from->log_start_offset,
                            .rejected = rejected,
                            .rejected_count = (size_t)from->record_errors.count };
}

kafka_error kafka_client_produce(kafka_client *client, kafka_context *context, const kafka_produce_request *request,
                                 kafka_produced **produced) {
    kafka_error error;
    const char *problem = produce_problem(request);
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_produce", problem == NULL, problem, &error);
    if (call == NULL) return error;
    ks_ask *ask = NULL;
    if (request->count > 0) {
        ask = ks_client_ask(call, KS_API_produce, leader_of(request->topic, request->partition));
        fill_produce(call, ask, request);
        error = ks_client_wait_for(call, ask);
        if (error != KAFKA_OK) return ks_client_end(call, error);
    }
    ks_arena *arena;
    kafka_produced *told = ks_result_new(sizeof *told, &arena);
    *told = (kafka_produced){ .base_offset = -1, .log_start_offset = -1 };
    const ks_produce_response *response = ask != NULL && ask->response != NULL ? ask->response->body : NULL;
    bool whole =
        response != NULL && response->responses.count > 0 && response->responses.items->partition_responses.count > 0;
    if (whole)
        tell_produced(arena, response->responses.items->partition_responses.items, told);
    else if (response != NULL)
        told->error = KAFKA_ERR_UNKNOWN_SERVER_ERROR;
    error = ks_client_code(call, (int16_t)told->error, request->topic, ks_str(told->message));
    return ks_client_end(call, KS_HAND_OVER(told, produced, error));
}

KS_RESULT_FREE(kafka_produced_free, kafka_produced)

/* ---- reading ---- */

static const char *fetch_problem(const kafka_fetch_request *request) {
    if (request == NULL) return "request is NULL";
    if (request->topic == NULL) return "topic is NULL";
    if (request->offset < KAFKA_FIRST_OFFSET) return "offset is below KAFKA_FIRST_OFFSET";
    if (request->min_bytes < 0 || request->max_bytes < 0 || request->max_wait < 0) return "a size or time is negative";
    if (request->max_bytes > 0 && request->min_bytes > request->max_bytes) return "min_bytes is above max_bytes";
    if (request->max_wait / KS_MS > INT32_MAX) return "max_wait is too long";
    return NULL;
}

/* The first and the last offset are looked up first. */
static kafka_error resolve_offset(ks_client_call *call, const kafka_fetch_request *request, int64_t *offset) {
    *offset = request->offset;
    if (request->offset >= 0) return KAFKA_OK;
    const ks_ask *ask = ask_offset(call, request->topic, request->partition, request->offset, request->isolation);
    kafka_error error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return error;
    const ks_list_offsets_response_partition_response *found = offset_in(ask);
    if (found != NULL) *offset = found->offset;
    return ks_client_partition_code(call, found != NULL ? (kafka_error)found->error_code : KAFKA_ERR_UNKNOWN_SERVER_ERROR,
                                    request->topic, request->partition);
}

static ks_ask *ask_fetch(ks_client_call *call, const kafka_fetch_request *from, int64_t offset) {
    ks_ask *ask = ks_client_ask(call, KS_API_fetch, leader_of(from->topic, from->partition));
    ks_fetch_request *request = ask->request->body;
    int32_t max_bytes = from->max_bytes > 0 ? from->max_bytes : 1048576;
    request->replica_id = -1;
    request->max_wait_ms = from->max_wait > 0 ? (int32_t)(from->max_wait / KS_MS) : 500;
    request->min_bytes = from->min_bytes > 0 ? from->min_bytes : 1;
    request->max_bytes = max_bytes;
    request->isolation_level = (int8_t)from->isolation;
    KS_FILL(ask, request->topics, 1);
    request->topics.items->topic = ks_ask_string(ask, from->topic);
    KS_FILL(ask, request->topics.items->partitions, 1);
    *request->topics.items->partitions.items = (ks_fetch_request_partition){ .partition = from->partition,
                                                                             .current_leader_epoch = -1,
                                                                             .fetch_offset = offset,
                                                                             .last_fetched_epoch = -1,
                                                                             .log_start_offset = -1,
                                                                             .partition_max_bytes = max_bytes };
    request->rack_id = KS_LITERAL("");
    return ask;
}

static kafka_message tell_message(ks_arena *arena, const kafka_fetch_request *request, int64_t high_watermark,
                                  ks_record *record) {
    kafka_header *headers = ks_arena_alloc(arena, (size_t)record->header_count * sizeof *headers);
    ks_string key;
    ks_bytes value;
    for (int32_t i = 0; ks_record_header_next(&record->headers, &key, &value); i++)
        headers[i] = (kafka_header){ ks_result_bytes(arena, (ks_bytes){ (const uint8_t *)key.data, key.size }),
                                     ks_result_bytes(arena, value) };
    return (kafka_message){ .topic = ks_result_text(arena, ks_str(request->topic)),
                            .partition = request->partition,
                            .offset = record->offset,
                            .high_watermark = high_watermark,
                            .key = ks_result_bytes(arena, record->key),
                            .value = ks_result_bytes(arena, record->value),
                            .headers = headers,
                            .header_count = (size_t)record->header_count,
                            .time = record->timestamp_ms > 0 ? record->timestamp_ms * KS_MS : 0 };
}

static void tell_records(ks_arena *arena, const kafka_fetch_request *request, ks_bytes bytes, kafka_fetched *to) {
    KS_VEC(kafka_message) messages = { 0 };
    ks_record_iterator records;
    ks_record record;
    for (ks_records_begin(&records, bytes); ks_records_next_batch(&records);) {
        if (records.header.attributes & KS_ATTRIBUTE_CONTROL) continue;
        while (ks_records_next(&records, &record))
            KS_PUSH(messages, tell_message(arena, request, to->high_watermark, &record));
    }
    if (records.failed && to->error == KAFKA_OK) to->error = records.error;
    ks_records_end(&records);
    kafka_message *copy = ks_arena_alloc(arena, (size_t)messages.count * sizeof *copy);
    if (messages.count > 0) memcpy(copy, messages.items, (size_t)messages.count * sizeof *copy);
    ks_free(messages.items);
    to->messages = copy;
    to->count = (size_t)messages.count;
}

static void tell_fetched(ks_arena *arena, const kafka_fetch_request *request, const ks_fetch_response *response,
                         kafka_fetched *to) {
    *to = (kafka_fetched){ .error = (kafka_error)response->error_code,
                           .high_watermark = -1,
                           .last_stable_offset = -1,
                           .log_start_offset = -1 };
    if (to->error != KAFKA_OK) return;
    to->error = KAFKA_ERR_UNKNOWN_SERVER_ERROR;
    if (response->responses.count < 1 || response->responses.items->partitions.count < 1) return;
    const ks_fetch_response_partition_data *data = response->responses.items->partitions.items;
    to->error = (kafka_error)data->error_code;
    to->high_watermark = data->high_watermark;
    to->last_stable_offset = data->last_stable_offset;
    to->log_start_offset = data->log_start_offset;
    if (data->records.size > 0) tell_records(arena, request, data->records, to);
}

kafka_error kafka_client_fetch(kafka_client *client, kafka_context *context, const kafka_fetch_request *request,
                               kafka_fetched **fetched) {
    kafka_error error;
    int64_t offset;
    const char *problem = fetch_problem(request);
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_fetch", problem == NULL, problem, &error);
    if (call == NULL) return error;
    error = resolve_offset(call, request, &offset);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    const ks_ask *ask = ask_fetch(call, request, offset);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    ks_arena *arena;
    kafka_fetched *told = ks_result_new(sizeof *told, &arena);
    tell_fetched(arena, request, ask->response->body, told);
    error = ks_client_partition_code(call, told->error, request->topic, request->partition);
    return ks_client_end(call, KS_HAND_OVER(told, fetched, error));
}

KS_RESULT_FREE(kafka_fetched_free, kafka_fetched)
