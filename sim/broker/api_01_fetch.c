/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetch (Kafka's KafkaApis.handleFetchRequest, ReplicaManager.fetchMessages and readFromLog). First it is looked at: is
 * there an error to tell, or are there enough bytes? If so it is answered, else it is parked (fetch_wait.h) and
 * answered later, from the same request. Every answer reads afresh. There are no fetch sessions: the session id of
 * every answer is 0.
 */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/fetch_wait.h"
#include "sim/broker/response.h"

typedef ks_fetch_request_topic topic_in;
typedef ks_fetch_request_partition partition_in;
typedef ks_fetch_response_partition_data partition_out;

/* ---- one partition ---- */

static ks_topic *find_topic(const ks_cluster *cluster, int16_t version, const topic_in *in) {
    return version >= 13 ? ks_cluster_topic_find_id(cluster, in->topic_id) : ks_cluster_topic_find(cluster, in->topic);
}

/* Everything but the data: does it exist, do we lead it, is the offset in range? *partition is set as soon as it is
 * known. */
static kafka_error check(const ks_broker *broker, int16_t version, const ks_topic *topic, const partition_in *in,
                         ks_partition **partition) {
    *partition = NULL;
    if (topic == NULL) return version >= 13 ? KAFKA_ERR_UNKNOWN_TOPIC_ID : KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
    *partition = ks_topic_partition(topic, in->partition);
    if (*partition == NULL) return KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
    if (version < 10 && topic->config->value[KS_TOPIC_compression_type] == KS_CODEC_ZSTD)
        return KAFKA_ERR_UNSUPPORTED_COMPRESSION_TYPE;
    kafka_error error = ks_partition_check_leader(*partition, broker, version >= 9 ? in->current_leader_epoch : -1);
    if (error != KAFKA_OK) return error;
    const ks_log *log = (*partition)->log;
    bool in_range = in->fetch_offset >= ks_log_start_offset(log) && in->fetch_offset <= ks_log_end_offset(log);
    return in_range ? KAFKA_OK : KAFKA_ERR_OFFSET_OUT_OF_RANGE;
}

/* LG-21: what the client last read comes from an epoch that ended earlier here. */
static bool diverges(const ks_partition *partition, int16_t version, const partition_in *in, int32_t *epoch,
                     int64_t *end) {
    if (version < 12 || in->last_fetched_epoch < 0) return false;
    ks_log_epoch_end(partition->log, in->last_fetched_epoch, epoch, end);
    return *epoch >= 0 && (*epoch < in->last_fetched_epoch || *end < in->fetch_offset);
}

/* ---- looking ---- */

typedef struct look {
    bool now;          /* an error, a diverging epoch, nothing asked: answer at once */
    int32_t count;     /* partitions */
    int64_t available; /* bytes */
} look;

/* The first partition with data gives at least one whole batch, however small the limits are. */
static int64_t first_bytes(const ks_partition *partition, const partition_in *in, int64_t available) {
    ks_log_slice slice;
    ks_log_read(partition->log, in->fetch_offset, ks_log_high_watermark(partition->log), 0, true, &slice);
    ks_block_release(slice.block);
    return slice.bytes.size > available ? slice.bytes.size : available;
}

static look look_at(const ks_broker *broker, int16_t version, const ks_fetch_request *in) {
    look seen = { .now = false };
    for (int32_t i = 0; i < in->topics.count; i++) {
        const topic_in *topic = &in->topics.items[i];
        const ks_topic *found = find_topic(broker->cluster, version, topic);
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const partition_in *asked = &topic->partitions.items[j];
            ks_partition *partition;
            int32_t epoch;
            int64_t end;
            seen.count++;
            seen.now |= check(broker, version, found, asked, &partition) != KAFKA_OK ||
                        diverges(partition, version, asked, &epoch, &end);
            if (seen.now) continue;
            int64_t bytes = ks_fetch_available(partition, asked->fetch_offset, asked->partition_max_bytes);
            if (bytes != 0 && bytes < in->min_bytes && seen.available == 0)
                bytes = first_bytes(partition, asked, bytes);
            seen.available += bytes;
        }
    }
    seen.now |= seen.count == 0;
    return seen;
}

/* ---- answering ---- */

typedef struct answer {
    const ks_broker *broker;
    ks_envelope *response;
    int16_t version;
    int64_t left; /* bytes that may still be sent */
    int32_t bytes;
    uint64_t leaders; /* other leaders to name in NodeEndpoints: bit per broker id up to 63 */
} answer;

static void refuse(answer *a, const ks_partition *partition, kafka_error error, partition_out *out) {
    out->error_code = (int16_t)error;
    out->high_watermark = -1;
    out->records = (ks_bytes){ NULL, 0 };
    bool moved = error == KAFKA_ERR_NOT_LEADER_OR_FOLLOWER || error == KAFKA_ERR_FENCED_LEADER_EPOCH;
    if (a->version < 16 || !moved) return;
    out->current_leader.leader_id = partition->leader;
    out->current_leader.leader_epoch = partition->leader_epoch;
    if (partition->leader > 0 && partition->leader < 64) a->leaders |= UINT64_C(1) << partition->leader;
}

/* LG-28: the first partition with data gives one batch whatever the limits; then the limits hold. */
static void read(answer *a, const ks_partition *partition, const partition_in *in, partition_out *out) {
    int64_t max_bytes = in->partition_max_bytes < a->left ? in->partition_max_bytes : a->left;
    ks_log_slice slice;
    ks_log_read(partition->log, in->fetch_offset, out->high_watermark, max_bytes, a->bytes == 0, &slice);
    out->records = slice.bytes;
    if (slice.block == NULL) return;
    ks_envelope_hold(a->response, slice.block);
    ks_block_release(slice.block);
    a->bytes += slice.bytes.size;
    a->left -= slice.bytes.size;
}

static void fetch_partition(answer *a, const ks_topic *topic, const ks_fetch_request *in, const partition_in *asked,
                            partition_out *out) {
    ks_partition *partition;
    int32_t epoch;
    int64_t end;
    out->partition_index = asked->partition;
    if (in->isolation_level == 0) out->aborted_transactions.count = -1; /* null for read_uncommitted */
    kafka_error error = check(a->broker, a->version, topic, asked, &partition);
    if (error != KAFKA_OK) {
        refuse(a, partition, error, out);
        return;
    }
    ks_assert(ks_log_start_offset(partition->log) <= ks_log_high_watermark(partition->log));
    ks_assert(ks_log_high_watermark(partition->log) <= ks_log_end_offset(partition->log));
    out->high_watermark = ks_log_high_watermark(partition->log); /* LG-30: those before the read */
    out->last_stable_offset = out->high_watermark;               /* no transactions yet */
    if (a->version >= 5) out->log_start_offset = ks_log_start_offset(partition->log);
    out->records = (ks_bytes){ NULL, 0 };
    if (diverges(partition, a->version, asked, &epoch, &end)) {
        out->diverging_epoch.epoch = epoch;
        out->diverging_epoch.end_offset = end;
        return;
    }
    read(a, partition, asked, out);
}

static void name_leaders(answer *a, ks_fetch_response *out) {
    int32_t count = 0, i = 0;
    for (int32_t id = 1; id < 64; id++) count += (int32_t)(a->leaders >> id & 1);
    KS_RESPONSE_ARRAY(a->response, out->node_endpoints, count, fetch_response_node_endpoint);
    for (int32_t id = 1; id < 64; id++) {
        if (!(a->leaders >> id & 1)) continue;
        const ks_broker *broker = ks_cluster_broker_find(a->broker->cluster, id);
        ks_fetch_response_node_endpoint *endpoint = &out->node_endpoints.items[i++];
        endpoint->node_id = id;
        endpoint->host = broker->host;
        endpoint->port = broker->port;
        endpoint->rack = broker->rack;
    }
}

static int64_t bytes_limit(const ks_broker *broker, const ks_fetch_request *in) {
    int64_t most = broker->cluster->settings[KS_SETTING_fetch_max_bytes];
    return in->max_bytes < most ? in->max_bytes : most;
}

int32_t ks_fetch_answer(ks_broker *broker, ks_request *request) {
    const ks_fetch_request *in = request->envelope->body;
    ks_kernel *kernel = broker->cluster->kernel;
    answer a = { .broker = broker,
                 .response = ks_response_new(request),
                 .version = request->envelope->api_version,
                 .left = bytes_limit(broker, in) };
    ks_fetch_response *out = a.response->body;
    KS_RESPONSE_ARRAY(a.response, out->responses, in->topics.count, fetch_response_fetchable_topic_response);
    for (int32_t i = 0; i < in->topics.count; i++) {
        const topic_in *topic = &in->topics.items[i];
        const ks_topic *found = find_topic(broker->cluster, a.version, topic);
        ks_fetch_response_fetchable_topic_response *topic_out = &out->responses.items[i];
        if (a.version >= 13)
            topic_out->topic_id = topic->topic_id;
        else
            topic_out->topic = ks_arena_string(a.response->arena, topic->topic);
        KS_RESPONSE_ARRAY(a.response, topic_out->partitions, topic->partitions.count, fetch_response_partition_data);
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            fetch_partition(&a, found, in, &topic->partitions.items[j], &topic_out->partitions.items[j]);
        }
    }
    if (a.leaders != 0) name_leaders(&a, out);
    if (a.bytes > 0) ks_progress(kernel);
    ks_respond(request, a.response);
    return a.bytes;
}

/* ---- parking ---- */

static void park(ks_broker *broker, ks_request *request, int32_t count, int64_t min_bytes) {
    const ks_fetch_request *in = request->envelope->body;
    ks_fetch *fetch = ks_fetch_park(broker, request, count, min_bytes, in->max_wait_ms);
    for (int32_t i = 0; i < in->topics.count; i++) {
        const topic_in *topic = &in->topics.items[i];
        const ks_topic *found = find_topic(broker->cluster, request->envelope->api_version, topic);
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const partition_in *asked = &topic->partitions.items[j];
            ks_fetch_wait_on(fetch, ks_topic_partition(found, asked->partition), asked->fetch_offset,
                             asked->partition_max_bytes);
        }
    }
    const ks_fetch_wait *first = &fetch->waits[0];
    KS_EMIT(broker->cluster->kernel, broker->node, fetch_parked, .topic = first->partition->topic->name,
            .partition = first->partition->index, .offset = first->offset, .client = request->envelope->client_id,
            .max_wait_ms = in->max_wait_ms, .min_bytes = in->min_bytes);
}

static void refuse_session(ks_request *request) {
    ks_envelope *response = ks_response_new(request);
    ks_fetch_response *out = response->body;
    out->error_code = KAFKA_ERR_FETCH_SESSION_ID_NOT_FOUND;
    ks_respond(request, response);
}

void ks_handle_fetch(ks_broker *broker, ks_request *request) {
    const ks_fetch_request *in = request->envelope->body;
    int16_t version = request->envelope->api_version;
    if (version >= 7 && (in->session_id != 0 || in->session_epoch > 0)) { /* we never gave one out */
        refuse_session(request);
        return;
    }
    look seen = look_at(broker, version, in);
    int64_t limit = bytes_limit(broker, in), min_bytes = in->min_bytes < limit ? in->min_bytes : limit;
    if (seen.now || in->max_wait_ms <= 0 || seen.available >= min_bytes)
        ks_fetch_answer(broker, request);
    else
        park(broker, request, seen.count, min_bytes);
}
