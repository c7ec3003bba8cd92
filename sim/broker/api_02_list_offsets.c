/* SPDX-License-Identifier: Apache-2.0
 * ListOffsets (Kafka's KafkaApis.handleListOffsetRequest, UnifiedLog.fetchOffsetByTimestamp; LG-36). */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/response.h"

typedef ks_list_offsets_request_topic topic_in;
typedef ks_list_offsets_request_partition partition_in;
typedef ks_list_offsets_response_partition_response partition_out;

enum {
    LATEST = -1,
    EARLIEST = -2,
    MAX_TIMESTAMP = -3,
    EARLIEST_LOCAL = -4,
    LATEST_TIERED = -5,
    EARLIEST_PENDING_UPLOAD = -6
};

static bool version_knows(int16_t version, int64_t special) {
    static const int16_t since[] = { [-LATEST] = 0,         [-EARLIEST] = 0,      [-MAX_TIMESTAMP] = 7,
                                     [-EARLIEST_LOCAL] = 8, [-LATEST_TIERED] = 9, [-EARLIEST_PENDING_UPLOAD] = 11 };
    return special >= EARLIEST_PENDING_UPLOAD && version >= since[-special];
}

/* Marks what the request names: `once` on the first sight of a partition, once + 1 on another one. */
static void mark(ks_cluster *cluster, const ks_list_offsets_request *in, uint64_t once) {
    for (int32_t i = 0; i < in->topics.count; i++) {
        for (int32_t j = 0; j < in->topics.items[i].partitions.count; j++) {
            ks_partition *partition = ks_cluster_partition_find(
                cluster, in->topics.items[i].name, in->topics.items[i].partitions.items[j].partition_index);
            if (partition != NULL) partition->asked = partition->asked >= once ? once + 1 : once;
        }
    }
}

/* Until there is replication the high watermark is the log end, so nothing is ever not yet available (78). */
static ks_log_position look_up(const ks_partition *partition, int64_t timestamp) {
    static const ks_log_position none = { -1, -1, -1 };
    const ks_log *log = partition->log;
    int64_t start = ks_log_start_offset(log), bound = ks_log_high_watermark(log);
    int32_t first_epoch = log != NULL ? ks_log_epoch_at(log, start) : partition->leader_epoch;
    ks_log_position found = none;
    switch (timestamp) {
    case LATEST: return (ks_log_position){ bound, -1, partition->leader_epoch };
    case EARLIEST:
    case EARLIEST_LOCAL: return (ks_log_position){ start, -1, first_epoch };
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD: return none; /* nothing is tiered */
    case MAX_TIMESTAMP: return ks_log_find_max_timestamp(log, &found) ? found : none;
    default: return ks_log_find_time(log, timestamp, bound, &found) ? found : none;
    }
}

static void list_partition(ks_broker *broker, int16_t version, uint64_t once, const topic_in *topic,
                           const partition_in *in, partition_out *out) {
    ks_partition *partition = ks_cluster_partition_find(broker->cluster, topic->name, in->partition_index);
    out->partition_index = in->partition_index;
    if (partition != NULL && partition->asked != once) {
        out->error_code = KAFKA_ERR_INVALID_REQUEST;
    } else if (in->timestamp < 0 && !version_knows(version, in->timestamp)) {
        out->error_code = KAFKA_ERR_UNSUPPORTED_VERSION;
    } else if (partition == NULL) {
        out->error_code = KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
    } else {
        out->error_code =
            (int16_t)ks_partition_check_leader(partition, broker, version >= 4 ? in->current_leader_epoch : -1);
    }
    if (out->error_code != 0) return;
    ks_log_position found = look_up(partition, in->timestamp);
    out->offset = found.offset;
    out->timestamp = found.timestamp_ms;
    if (version >= 4) out->leader_epoch = found.leader_epoch;
}

void ks_handle_list_offsets(ks_broker *broker, ks_request *request) {
    const ks_list_offsets_request *in = request->envelope->body;
    int16_t version = request->envelope->api_version;
    ks_envelope *response = ks_response_new(request);
    ks_list_offsets_response *out = response->body;
    uint64_t once = broker->cluster->requests += 2;
    mark(broker->cluster, in, once);
    KS_RESPONSE_ARRAY(response, out->topics, in->topics.count, list_offsets_response_topic_response);
    for (int32_t i = 0; i < in->topics.count; i++) {
        const topic_in *topic = &in->topics.items[i];
        ks_list_offsets_response_topic_response *topic_out = &out->topics.items[i];
        topic_out->name = ks_arena_string(response->arena, topic->name);
        KS_RESPONSE_ARRAY(response, topic_out->partitions, topic->partitions.count,
                          list_offsets_response_partition_response);
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            list_partition(broker, version, once, topic, &topic->partitions.items[j], &topic_out->partitions.items[j]);
        }
    }
    ks_respond(request, response);
}
