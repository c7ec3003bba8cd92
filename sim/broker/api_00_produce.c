/* SPDX-License-Identifier: Apache-2.0
 *
 * Produce (Kafka's KafkaApis.handleProduceRequest, ReplicaManager.appendRecords, LogValidator). Each partition answers
 * for itself; the checks run in the order of Kafka's, the numbers are those of wire-protocol 3.3. Producer ids are
 * stored but not yet looked at (row 14).
 */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/fetch_wait.h"
#include "sim/broker/response.h"

typedef ks_produce_request_topic_produce_data topic_in;
typedef ks_produce_request_partition_produce_data partition_in;
typedef ks_produce_response_partition_produce_response partition_out;

typedef struct produce { /* one request under way */
    ks_broker *broker;
    ks_request *request;
    const ks_produce_request *in;
    ks_envelope *response;
    int16_t version;
    bool any_error;
    uint64_t leaders; /* other leaders to name in NodeEndpoints: bit per broker id up to 63 */
} produce;

/* ---- row 1 ---- */

static kafka_error find(const produce *p, const topic_in *topic, int32_t index, ks_partition **out) {
    const ks_cluster *cluster = p->broker->cluster;
    ks_topic *found = p->version >= 13 ? ks_cluster_topic_find_id(cluster, topic->topic_id)
                                       : ks_cluster_topic_find(cluster, topic->name);
    if (found == NULL) return p->version >= 13 ? KAFKA_ERR_UNKNOWN_TOPIC_ID : KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
    *out = ks_topic_partition(found, index);
    return *out != NULL ? KAFKA_OK : KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
}

/* ---- row 5 ---- */

static kafka_error check_place(const produce *p, const ks_partition *partition) {
    if (partition->topic->internal) return KAFKA_ERR_INVALID_TOPIC_EXCEPTION;
    if (partition->leader != p->broker->id) return KAFKA_ERR_NOT_LEADER_OR_FOLLOWER;
    if (p->in->acks == -1 && !ks_partition_enough_in_sync(partition)) return KAFKA_ERR_NOT_ENOUGH_REPLICAS;
    return KAFKA_OK;
}

static ks_batch_rules rules_of(const produce *p, const ks_partition *partition) {
    const int64_t *config = partition->topic->config->value;
    return (ks_batch_rules){
        .produce_version = p->version,
        .max_message_bytes = (int32_t)config[KS_TOPIC_max_message_bytes],
        .compacted = (config[KS_TOPIC_cleanup_policy] & KS_CLEANUP_COMPACT) != 0,
        .create_time = config[KS_TOPIC_message_timestamp_type] == KS_TIMESTAMP_CREATE,
        .now_ms = ks_now_ms(p->broker->cluster->kernel),
        .before_max_ms = config[KS_TOPIC_message_timestamp_before_max_ms],
        .after_max_ms = config[KS_TOPIC_message_timestamp_after_max_ms],
    };
}

/* ---- compression.type other than producer ---- */

static int32_t level_of(const int64_t *config, ks_codec codec) {
    if (codec == KS_CODEC_GZIP)
        return config[KS_TOPIC_compression_gzip_level] < 0 ? 0 : (int32_t)config[KS_TOPIC_compression_gzip_level];
    if (codec == KS_CODEC_LZ4) return (int32_t)config[KS_TOPIC_compression_lz4_level];
    return codec == KS_CODEC_ZSTD ? (int32_t)config[KS_TOPIC_compression_zstd_level] : 0;
}

static void add_record(ks_batch_builder *builder, const ks_record *record, int64_t base_offset, ks_arena *arena) {
    ks_record_header_in *headers = ks_arena_alloc(arena, (size_t)record->header_count * sizeof *headers);
    ks_bytes rest = record->headers;
    int32_t count = 0;
    while (count < record->header_count && ks_record_header_next(&rest, &headers[count].key, &headers[count].value))
        count++;
    ks_batch_add_at(builder, (int32_t)(record->offset - base_offset), record->key, record->value, headers, count,
                    record->timestamp_ms);
}

/* The same records under the topic's codec. View in the cluster's builder, until the next call. */
static ks_bytes recompress(produce *p, const ks_topic_config *config, ks_bytes batch, const ks_batch_header *header) {
    ks_codec wanted = (ks_codec)config->value[KS_TOPIC_compression_type];
    ks_batch_builder *builder = &p->broker->cluster->recompressed;
    ks_batch_header like = *header;
    like.attributes = (int16_t)((like.attributes & ~KS_ATTRIBUTE_CODEC_MASK) | (int16_t)wanted);
    ks_batch_begin_like(builder, &like);
    builder->level = level_of(config->value, wanted);
    ks_arena *scratch = ks_arena_new();
    ks_record_iterator iterator;
    ks_record record;
    ks_records_begin(&iterator, batch);
    if (ks_records_next_batch(&iterator)) {
        while (ks_records_next(&iterator, &record)) add_record(builder, &record, header->base_offset, scratch);
    }
    ks_records_end(&iterator);
    ks_arena_free(scratch);
    return ks_batch_finish(builder);
}

static bool wants_recompression(const ks_topic_config *config, const ks_batch_header *header) {
    int64_t wanted = config->value[KS_TOPIC_compression_type];
    return wanted != KS_COMPRESSION_PRODUCER && wanted != (header->attributes & KS_ATTRIBUTE_CODEC_MASK);
}

/* ---- one partition ---- */

static kafka_error append(produce *p, ks_partition *partition, ks_bytes batch, ks_batch_header *header,
                          partition_out *out) {
    const ks_topic_config *config = partition->topic->config;
    if (wants_recompression(config, header)) {
        batch = recompress(p, config, batch, header);
        bool whole = ks_batch_read_header(batch, header);
        ks_assert(whole);
        if (batch.size > config->value[KS_TOPIC_max_message_bytes]) return KAFKA_ERR_MESSAGE_TOO_LARGE;
    }
    if (batch.size > config->value[KS_TOPIC_segment_bytes]) return KAFKA_ERR_RECORD_LIST_TOO_LARGE;
    bool log_append = config->value[KS_TOPIC_message_timestamp_type] == KS_TIMESTAMP_LOG_APPEND;
    int64_t append_time = log_append ? ks_now_ms(p->broker->cluster->kernel) : -1;
    out->base_offset = ks_partition_write(partition, batch, header, append_time, p->request->envelope->client_id);
    if (p->version >= 2) out->log_append_time_ms = append_time;
    if (p->version >= 5) out->log_start_offset = ks_log_start_offset(partition->log);
    return KAFKA_OK;
}

static void tell_records(const produce *p, const ks_batch_fault *fault, partition_out *out) {
    int32_t count = fault->record_index_count < 8 ? fault->record_index_count : 8;
    if (p->version < 8) return;
    KS_RESPONSE_ARRAY(p->response, out->record_errors, count, produce_response_batch_index_and_error_message);
    for (int32_t i = 0; i < count; i++) {
        out->record_errors.items[i].batch_index = fault->record_indexes[i];
        out->record_errors.items[i].batch_index_error_message = ks_str(fault->text);
    }
}

/* A producer may not write the broker's mark: every record has an invalid timestamp then. */
static kafka_error check_timestamp_type(const ks_batch_rules *rules, const ks_batch_header *header,
                                        ks_batch_fault *fault) {
    if (!rules->create_time || !(header->attributes & KS_ATTRIBUTE_LOG_APPEND_TIME)) return KAFKA_OK;
    fault->text = "A producer may not set the timestamp type to LogAppendTime.";
    fault->record_index_count = header->record_count;
    for (int32_t i = 0; i < header->record_count && i < 8; i++) fault->record_indexes[i] = i;
    return KAFKA_ERR_INVALID_TIMESTAMP;
}

static kafka_error checked_append(produce *p, const topic_in *topic, const partition_in *in, partition_out *out,
                                  ks_batch_fault *fault) {
    ks_partition *partition = NULL;
    ks_batch_header header;
    if (p->in->acks < -1 || p->in->acks > 1) return KAFKA_ERR_INVALID_REQUIRED_ACKS;
    kafka_error error = find(p, topic, in->index, &partition);
    if (error != KAFKA_OK) return error;
    ks_batch_rules rules = rules_of(p, partition);
    error = ks_batch_check_shape(in->records, &rules, &header, fault);
    if (error == KAFKA_OK) error = check_place(p, partition);
    if (error == KAFKA_ERR_NOT_LEADER_OR_FOLLOWER && p->version >= 10) {
        out->current_leader.leader_id = partition->leader;
        out->current_leader.leader_epoch = partition->leader_epoch;
        if (partition->leader > 0 && partition->leader < 64) p->leaders |= UINT64_C(1) << partition->leader;
    }
    if (error != KAFKA_OK) return error;
    error = ks_batch_check_content(in->records, &rules, &header, fault);
    if (error == KAFKA_OK) error = check_timestamp_type(&rules, &header, fault);
    if (error == KAFKA_OK) {
        header.max_timestamp = fault->max_timestamp; /* what the client wrote there does not count (LogValidator) */
        ks_bytes batch = { in->records.data, ks_batch_size(&header) }; /* what is left of a cut second batch goes */
        return append(p, partition, batch, &header, out);
    }
    if (fault->record_index_count > 0) {
        tell_records(p, fault, out);
        if (p->version >= 5) out->log_start_offset = ks_log_start_offset(partition->log);
    }
    return error;
}

static void produce_partition(produce *p, const topic_in *topic, const partition_in *in, partition_out *out) {
    ks_batch_fault fault = { .text = NULL };
    out->index = in->index;
    out->base_offset = -1;
    kafka_error error = checked_append(p, topic, in, out, &fault);
    if (error == KAFKA_OK) return;
    p->any_error = true;
    out->error_code = (int16_t)error;
    if (p->version >= 8) out->error_message = ks_str(fault.text);
    ks_topic *known = p->version >= 13 ? ks_cluster_topic_find_id(p->broker->cluster, topic->topic_id) : NULL;
    KS_EMIT(p->broker->cluster->kernel, p->broker->node, append_refused,
            .topic = known != NULL ? known->name : topic->name, .partition = in->index, .error_code = (int16_t)error,
            .reason = ks_str(fault.text), .client = p->request->envelope->client_id);
}

/* ---- the request ---- */

static void name_leaders(produce *p, ks_produce_response *out) {
    int32_t count = 0, i = 0;
    for (int32_t id = 1; id < 64; id++) count += (int32_t)(p->leaders >> id & 1);
    KS_RESPONSE_ARRAY(p->response, out->node_endpoints, count, produce_response_node_endpoint);
    for (int32_t id = 1; id < 64; id++) {
        if (!(p->leaders >> id & 1)) continue;
        const ks_broker *broker = ks_cluster_broker_find(p->broker->cluster, id);
        ks_produce_response_node_endpoint *endpoint = &out->node_endpoints.items[i++];
        endpoint->node_id = id;
        endpoint->host = broker->host;
        endpoint->port = broker->port;
        endpoint->rack = broker->rack;
    }
}

/* acks 0: no answer; if anything went wrong the connection's end is the only way to tell (WR-19). */
static void finish(produce *p) {
    if (p->in->acks != 0) {
        ks_respond(p->request, p->response);
        return;
    }
    ks_envelope_free(p->broker->cluster->kernel, p->response);
    if (p->any_error)
        ks_request_close(p->request);
    else
        ks_request_no_response(p->request);
}

void ks_handle_produce(ks_broker *broker, ks_request *request) {
    produce p = { .broker = broker,
                  .request = request,
                  .in = request->envelope->body,
                  .response = ks_response_new(request),
                  .version = request->envelope->api_version };
    ks_cluster *cluster = broker->cluster;
    ks_produce_response *out = p.response->body;
    KS_RESPONSE_ARRAY(p.response, out->responses, p.in->topic_data.count, produce_response_topic_produce_response);
    for (int32_t i = 0; i < p.in->topic_data.count; i++) {
        const topic_in *topic = &p.in->topic_data.items[i];
        ks_produce_response_topic_produce_response *topic_out = &out->responses.items[i];
        if (p.version >= 13)
            topic_out->topic_id = topic->topic_id;
        else
            topic_out->name = ks_arena_string(p.response->arena, topic->name);
        KS_RESPONSE_ARRAY(p.response, topic_out->partition_responses, topic->partition_data.count,
                          produce_response_partition_produce_response);
        for (int32_t j = 0; j < topic->partition_data.count; j++) {
            produce_partition(&p, topic, &topic->partition_data.items[j], &topic_out->partition_responses.items[j]);
        }
    }
    if (p.leaders != 0) name_leaders(&p, out);
    finish(&p);
    ks_fetch_flush(cluster);
}
