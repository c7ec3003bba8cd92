/* SPDX-License-Identifier: Apache-2.0
 * Writing to a partition: for Produce, and for the broker's own records (Kafka's Partition.appendRecordsToLeader). */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/fetch_wait.h"

bool ks_partition_enough_in_sync(const ks_partition *partition) {
    int64_t wanted = partition->topic->config->value[KS_TOPIC_min_insync_replicas];
    if (wanted > partition->replica_count) wanted = partition->replica_count;
    return partition->isr_count >= wanted;
}

kafka_error ks_partition_check_leader(const ks_partition *partition, const ks_broker *broker,
                                      int32_t current_leader_epoch) {
    if (current_leader_epoch >= 0 && current_leader_epoch < partition->leader_epoch)
        return KAFKA_ERR_FENCED_LEADER_EPOCH;
    if (current_leader_epoch > partition->leader_epoch) return KAFKA_ERR_UNKNOWN_LEADER_EPOCH;
    return partition->leader == broker->id ? KAFKA_OK : KAFKA_ERR_NOT_LEADER_OR_FOLLOWER;
}

/* Until there is replication every record is committed as soon as it is written. */
static void advance_high_watermark(ks_partition *partition) {
    int64_t from = ks_log_high_watermark(partition->log), to = ks_log_end_offset(partition->log);
    ks_log_set_high_watermark(partition->log, to);
    KS_EMIT(partition->topic->cluster->kernel, ks_partition_leader(partition)->node, high_watermark_advanced,
            .topic = partition->topic->name, .partition = partition->index, .from = from, .to = to);
}

static ks_log_append_rules rules_of(const ks_partition *partition, int64_t log_append_time_ms) {
    const int64_t *config = partition->topic->config->value;
    ks_log_append_rules rules = { .leader_epoch = partition->leader_epoch,
                                  .log_append_time_ms = log_append_time_ms,
                                  .now_ms = ks_now_ms(partition->topic->cluster->kernel),
                                  .segment_bytes = config[KS_TOPIC_segment_bytes],
                                  .segment_ms = config[KS_TOPIC_segment_ms] };
    bool compacts = (config[KS_TOPIC_cleanup_policy] & KS_CLEANUP_COMPACT) != 0;
    if (compacts && config[KS_TOPIC_max_compaction_lag_ms] < rules.segment_ms)
        rules.segment_ms = config[KS_TOPIC_max_compaction_lag_ms];
    return rules;
}

int64_t ks_partition_write(ks_partition *partition, ks_bytes batch, const ks_batch_header *header,
                           int64_t log_append_time_ms, ks_string client) {
    ks_topic *topic = partition->topic;
    ks_kernel *kernel = topic->cluster->kernel;
    ks_node *node = ks_partition_leader(partition)->node;
    ks_log_append_rules rules = rules_of(partition, log_append_time_ms);
    if (partition->log == NULL) {
        partition->log = ks_log_new(rules.now_ms);
        ks_log_epoch_begins(partition->log, partition->leader_epoch);
        ks_retention_add(partition);
    }
    ks_log_appended appended;
    ks_log_append(partition->log, batch, header, &rules, &appended);
    if (appended.rolled != NULL) {
        KS_EMIT(kernel, node, segment_rolled, .topic = topic->name, .partition = partition->index,
                .base_offset = appended.base_offset, .reason = ks_str(appended.rolled));
    }
    KS_EMIT(kernel, node, records_appended, .topic = topic->name, .partition = partition->index,
            .base_offset = appended.base_offset, .last_offset = appended.base_offset + header->last_offset_delta,
            .count = header->record_count, .bytes = batch.size, .leader_epoch = partition->leader_epoch,
            .producer_id = header->producer_id, .client = client, .records = appended.stored);
    advance_high_watermark(partition);
    ks_retention_expect(partition);
    ks_fetch_look(partition);
    return appended.base_offset;
}

/* ---- the broker's own records ---- */

static kafka_error append(ks_partition *partition, ks_bytes batch, int64_t *base_offset, int64_t *delay_ns) {
    ks_topic *topic = partition->topic;
    ks_cluster *cluster = topic->cluster;
    ks_batch_header header;
    bool whole = ks_batch_read_header(batch, &header) && ks_batch_size(&header) == batch.size;
    ks_assert(whole);
    if (cluster->append_fault != NULL) {
        kafka_error fault = cluster->append_fault(cluster->append_fault_context, partition, delay_ns);
        if (fault != KAFKA_OK) return fault;
    }
    if (partition->leader == KS_NO_LEADER) return KAFKA_ERR_NOT_LEADER_OR_FOLLOWER;
    if (!ks_partition_enough_in_sync(partition)) return KAFKA_ERR_NOT_ENOUGH_REPLICAS;
    if (batch.size > topic->config->value[KS_TOPIC_max_message_bytes]) return KAFKA_ERR_MESSAGE_TOO_LARGE;
    if (batch.size > topic->config->value[KS_TOPIC_segment_bytes]) return KAFKA_ERR_RECORD_LIST_TOO_LARGE;
    bool log_append = topic->config->value[KS_TOPIC_message_timestamp_type] == KS_TIMESTAMP_LOG_APPEND;
    *base_offset =
        ks_partition_write(partition, batch, &header, log_append ? ks_now_ms(cluster->kernel) : -1, KS_NULL_STRING);
    ks_fetch_flush(cluster);
    return KAFKA_OK;
}

kafka_error ks_partition_append(ks_partition *partition, ks_bytes batch, int64_t *base_offset) {
    int64_t offset = -1, delay_ns = 0;
    kafka_error error = append(partition, batch, &offset, &delay_ns);
    if (error == KAFKA_OK && base_offset != NULL) *base_offset = offset;
    return error;
}

static void outcome(ks_timer *timer) {
    ks_append *pending = timer->owner;
    pending->done(pending, pending->error, pending->base_offset);
}

bool ks_partition_append_begin(ks_partition *partition, ks_bytes batch, ks_append *pending) {
    int64_t delay_ns = 0;
    pending->base_offset = -1;
    pending->error = append(partition, batch, &pending->base_offset, &delay_ns);
    ks_timer_init(&pending->timer, NULL, outcome, pending);
    if (delay_ns > 0)
        ks_timer_start(partition->topic->cluster->kernel, &pending->timer, delay_ns);
    else
        pending->done(pending, pending->error, pending->base_offset);
    return delay_ns > 0;
}

void ks_append_cancel(ks_append *pending) { ks_timer_stop(&pending->timer); }
