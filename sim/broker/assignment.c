/* SPDX-License-Identifier: Apache-2.0
 * Replica lists that a request states itself (Kafka's ReplicationControlManager.validateManualPartitionAssignment). */
#include "sim/broker/cluster_internal.h"

static kafka_error refuse(ks_buffer *why, const char *sentence) {
    ks_buffer_text(why, sentence);
    return KAFKA_ERR_INVALID_REPLICA_ASSIGNMENT;
}

kafka_error ks_assignment_check(const ks_cluster *cluster, const int32_t *ids, int32_t count,
                                int32_t replication_factor, ks_buffer *why) {
    bool active = false;
    if (count <= 0) return refuse(why, "a replica list is empty");
    for (int32_t i = 0; i < count; i++) {
        const ks_broker *broker = ks_cluster_broker_find(cluster, ids[i]);
        if (broker == NULL) {
            ks_buffer_printf(why, "there is no broker %d", (int)ids[i]);
            return KAFKA_ERR_INVALID_REPLICA_ASSIGNMENT;
        }
        active |= broker->up;
        for (int32_t j = 0; j < i; j++) {
            if (ids[j] == ids[i]) return refuse(why, "a replica list names a broker twice");
        }
    }
    if (count != replication_factor) return refuse(why, "all partitions must have the same number of replicas");
    return active ? KAFKA_OK : refuse(why, "all brokers of a replica list are down");
}
