/* SPDX-License-Identifier: Apache-2.0
 *
 * Who leads a partition, and who is in sync (Kafka's PartitionChangeBuilder and the controller's broker state changes).
 *
 *     a replica's broker stops     it leaves the in-sync set, unless it is the last one in it; if it led, the first
 * live in-sync replica of the list leads, else nobody (unclean.leader.election.enable: any live replica) a replica's
 * broker starts    a partition without leader takes it if it is in sync; with a leader it is in sync again at once,
 *                                  since replicas share one log
 *     300 s after a start          preferred leaders that are live and in sync lead again
 */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/fetch_wait.h"

static int32_t *isr_of(ks_partition *partition) { return partition->replicas + partition->replica_count; }

static bool contains(const int32_t *ids, int32_t count, int32_t id) {
    for (int32_t i = 0; i < count; i++) {
        if (ids[i] == id) return true;
    }
    return false;
}

bool ks_partition_in_sync(const ks_partition *partition, int32_t broker) {
    return contains(ks_partition_isr(partition), partition->isr_count, broker);
}

bool ks_partition_has_replica(const ks_partition *partition, int32_t broker) {
    return contains(partition->replicas, partition->replica_count, broker);
}

ks_broker *ks_partition_leader(const ks_partition *partition) {
    return ks_cluster_broker_find(partition->topic->cluster, partition->leader);
}

ks_string ks_ids_text(const int32_t *ids, int32_t count, char text[KS_IDS_TEXT]) {
    int32_t size = 0;
    for (int32_t i = 0; i < count && size < KS_IDS_TEXT - 12; i++) {
        char digits[12];
        int32_t n = 0;
        for (int32_t id = ids[i]; id > 0 || n == 0; id /= 10) digits[n++] = (char)('0' + id % 10);
        if (i > 0) text[size++] = ',';
        while (n > 0) text[size++] = digits[--n];
    }
    return (ks_string){ text, size };
}

/* ---- changing ---- */

static bool is_up(const ks_partition *partition, int32_t broker) {
    return ks_cluster_broker_find(partition->topic->cluster, broker)->up;
}

static void tell_isr(ks_partition *partition) {
    char text[KS_IDS_TEXT];
    KS_EMIT(partition->topic->cluster->kernel, NULL, isr_changed, .topic = partition->topic->name,
            .partition = partition->index, .isr = ks_ids_text(isr_of(partition), partition->isr_count, text));
}

static void set_leader(ks_partition *partition, int32_t leader, const char *reason) {
    ks_cluster *cluster = partition->topic->cluster;
    int32_t from = partition->leader;
    ks_assert(leader == KS_NO_LEADER || (is_up(partition, leader) && ks_partition_in_sync(partition, leader)));
    partition->leader = leader;
    partition->leader_epoch++;
    cluster->changes++;
    if (leader != KS_NO_LEADER && partition->log != NULL) ks_log_epoch_begins(partition->log, partition->leader_epoch);
    KS_EMIT(cluster->kernel, NULL, leader_changed, .topic = partition->topic->name, .partition = partition->index,
            .from = from, .to = leader, .leader_epoch = partition->leader_epoch, .reason = ks_str(reason));
    ks_fetch_fail(partition);
    KS_WATCHES(cluster, leader_changed, partition, from, leader);
}

/* The first live in-sync replica; unclean: the first live one, alone in sync from now on. */
static int32_t elect(ks_partition *partition) {
    for (int32_t i = 0; i < partition->replica_count; i++) {
        int32_t id = partition->replicas[i];
        if (is_up(partition, id) && ks_partition_in_sync(partition, id)) return id;
    }
    if (!partition->topic->config->value[KS_TOPIC_unclean_leader_election_enable]) return KS_NO_LEADER;
    for (int32_t i = 0; i < partition->replica_count; i++) {
        if (!is_up(partition, partition->replicas[i])) continue;
        isr_of(partition)[0] = partition->replicas[i];
        partition->isr_count = 1;
        return partition->replicas[i];
    }
    return KS_NO_LEADER;
}

/* Live replicas follow the leader at once. */
static bool catch_up(ks_partition *partition) {
    int16_t before = partition->isr_count;
    for (int32_t i = 0; i < partition->replica_count; i++) {
        int32_t id = partition->replicas[i];
        if (is_up(partition, id) && !ks_partition_in_sync(partition, id))
            isr_of(partition)[partition->isr_count++] = id;
    }
    return partition->isr_count != before;
}

static void broker_down(ks_partition *partition, int32_t broker) {
    int32_t *isr = isr_of(partition), left = 0;
    if (!contains(isr, partition->isr_count, broker)) return;
    bool shrinks = partition->isr_count > 1;
    for (int32_t i = 0; shrinks && i < partition->isr_count; i++) {
        if (isr[i] != broker) isr[left++] = isr[i];
    }
    if (shrinks) partition->isr_count = (int16_t)left;
    int32_t leader = partition->leader == broker ? elect(partition) : partition->leader;
    if (shrinks || (leader != KS_NO_LEADER && leader != partition->leader)) tell_isr(partition);
    if (partition->leader == broker) set_leader(partition, leader, "broker_stopped");
}

static void broker_up(ks_partition *partition, int32_t broker) {
    if (!ks_partition_has_replica(partition, broker)) return;
    if (partition->leader == KS_NO_LEADER) {
        int32_t leader = elect(partition);
        if (leader == KS_NO_LEADER) return;
        if (catch_up(partition)) tell_isr(partition);
        set_leader(partition, leader, "broker_started");
        return;
    }
    if (catch_up(partition)) tell_isr(partition);
}

static void each_partition(ks_cluster *cluster, int32_t broker, void (*change)(ks_partition *, int32_t)) {
    for (ks_topic *topic = ks_cluster_topic_first(cluster); topic != NULL; topic = ks_topic_next(topic)) {
        for (int32_t i = 0; i < topic->partition_count; i++) change(topic->partitions[i], broker);
    }
}

/* ---- preferred leaders ---- */

static bool displaced(const ks_partition *partition) {
    int32_t preferred = partition->replicas[0];
    return partition->leader != preferred && partition->leader != KS_NO_LEADER && is_up(partition, preferred) &&
           ks_partition_in_sync(partition, preferred);
}

static void elect_preferred(ks_partition *partition, int32_t unused) {
    (void)unused;
    if (displaced(partition)) set_leader(partition, partition->replicas[0], "elected");
}

static void rebalance(ks_timer *timer) {
    ks_cluster *cluster = timer->owner;
    each_partition(cluster, 0, elect_preferred);
    ks_fetch_flush(cluster);
}

void ks_leaders_init(ks_cluster *cluster) { ks_timer_init(&cluster->rebalance_timer, NULL, rebalance, cluster); }

void ks_leaders_broker_down(ks_cluster *cluster, int32_t broker) { each_partition(cluster, broker, broker_down); }

void ks_leaders_broker_up(ks_cluster *cluster, int32_t broker) {
    each_partition(cluster, broker, broker_up);
    if (!cluster->settings[KS_SETTING_auto_leader_rebalance_enable] || ks_timer_is_running(&cluster->rebalance_timer))
        return;
    int64_t seconds = cluster->settings[KS_SETTING_leader_imbalance_check_interval_seconds];
    if (seconds < INT64_MAX / 4 / KS_S)
        ks_timer_start_background(cluster->kernel, &cluster->rebalance_timer, seconds * KS_S);
}

kafka_error ks_partition_move_leader(ks_partition *partition, int32_t broker) {
    if (!ks_partition_has_replica(partition, broker)) return KAFKA_ERR_INVALID_REQUEST;
    if (!is_up(partition, broker) || !ks_partition_in_sync(partition, broker))
        return KAFKA_ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE;
    if (partition->leader == broker) return KAFKA_ERR_ELECTION_NOT_NEEDED;
    set_leader(partition, broker, "moved");
    ks_fetch_flush(partition->topic->cluster);
    return KAFKA_OK;
}
