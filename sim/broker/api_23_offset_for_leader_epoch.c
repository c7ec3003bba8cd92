/* SPDX-License-Identifier: Apache-2.0
 * OffsetForLeaderEpoch (KIP-101, KIP-320): where did that leader epoch end here? (section 2.6's table) */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/response.h"

static void answer(ks_broker *broker, const ks_offset_for_leader_epoch_request_offset_for_leader_topic *topic,
                   const ks_offset_for_leader_epoch_request_offset_for_leader_partition *in,
                   ks_offset_for_leader_epoch_response_epoch_end_offset *out) {
    ks_partition *partition = ks_cluster_partition_find(broker->cluster, topic->topic, in->partition);
    out->partition = in->partition;
    out->error_code = partition == NULL
                          ? KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION
                          : (int16_t)ks_partition_check_leader(partition, broker, in->current_leader_epoch);
    if (out->error_code != 0) return;
    if (partition->log != NULL) {
        ks_log_epoch_end(partition->log, in->leader_epoch, &out->leader_epoch, &out->end_offset);
    } else if (in->leader_epoch == partition->leader_epoch) { /* the leader's own epoch began when it took office */
        out->leader_epoch = in->leader_epoch;
        out->end_offset = 0;
    }
}

void ks_handle_offset_for_leader_epoch(ks_broker *broker, ks_request *request) {
    const ks_offset_for_leader_epoch_request *in = request->envelope->body;
    ks_envelope *response = ks_response_new(request);
    ks_offset_for_leader_epoch_response *out = response->body;
    KS_RESPONSE_ARRAY(response, out->topics, in->topics.count,
                      offset_for_leader_epoch_response_offset_for_leader_topic_result);
    for (int32_t i = 0; i < in->topics.count; i++) {
        out->topics.items[i].topic = ks_arena_string(response->arena, in->topics.items[i].topic);
        KS_RESPONSE_ARRAY(response, out->topics.items[i].partitions, in->topics.items[i].partitions.count,
                          offset_for_leader_epoch_response_epoch_end_offset);
        for (int32_t j = 0; j < in->topics.items[i].partitions.count; j++) {
            answer(broker, &in->topics.items[i], &in->topics.items[i].partitions.items[j],
                   &out->topics.items[i].partitions.items[j]);
        }
    }
    ks_respond(request, response);
}
