/* SPDX-License-Identifier: Apache-2.0
 *
 * Retention (Kafka's LogManager.cleanupLogs; LG-11..LG-16): at 30 s after the start and every 5 minutes from there, by
 * the settings. The checks lie on that grid, but only those happen at which something can be due, so an idle cluster is
 * silent.
 */
#include "sim/broker/cluster_internal.h"

static const char *const reasons[] = {
    [KS_LOG_BY_TIME] = "retention.ms", [KS_LOG_BY_SIZE] = "retention.bytes", [KS_LOG_BY_START] = "delete_records"
};

static ks_log_retention rules_of(const ks_partition *partition, int64_t now_ms) {
    const int64_t *config = partition->topic->config->value;
    return (ks_log_retention){ .deletes = (config[KS_TOPIC_cleanup_policy] & KS_CLEANUP_DELETE) != 0,
                               .retention_ms = config[KS_TOPIC_retention_ms],
                               .retention_bytes = config[KS_TOPIC_retention_bytes],
                               .now_ms = now_ms };
}

/* The first check at or after `due_ms` that is still to come; -1: beyond all time. */
static int64_t next_check(const ks_cluster *cluster, int64_t due_ms) {
    int64_t first = cluster->started_ms + cluster->settings[KS_SETTING_log_initial_task_delay_ms];
    int64_t interval = cluster->settings[KS_SETTING_log_retention_check_interval_ms],
            now_ms = ks_now_ms(cluster->kernel);
    if (due_ms <= now_ms) due_ms = now_ms + 1;
    if (due_ms > INT64_MAX / 4 / KS_MS || interval > INT64_MAX / 4 / KS_MS) return due_ms <= first ? first : -1;
    if (due_ms <= first) return first;
    return first + (due_ms - first + interval - 1) / interval * interval;
}

static void expect(ks_cluster *cluster, int64_t due_ms) {
    if (due_ms == INT64_MAX) return;
    ks_timer *timer = &cluster->retention_timer;
    int64_t check = next_check(cluster, due_ms);
    if (check < 0 || check > INT64_MAX / 4 / KS_MS) return;
    int64_t deadline = check * KS_MS;
    if (ks_timer_is_running(timer) && timer->deadline <= deadline) return;
    ks_timer_start_background(cluster->kernel, timer, deadline - ks_now(cluster->kernel));
}

void ks_retention_expect(ks_partition *partition) {
    ks_cluster *cluster = partition->topic->cluster;
    if (partition->log == NULL) return;
    ks_log_retention rules = rules_of(partition, ks_now_ms(cluster->kernel));
    expect(cluster, ks_log_retention_due(partition->log, &rules));
}

/* What goes of one log, told segment by segment. */
static void clean(ks_partition *partition, const ks_log_retention *rules) {
    ks_kernel *kernel = partition->topic->cluster->kernel;
    ks_broker *leader = ks_partition_leader(partition);
    ks_node *node = leader != NULL ? leader->node : NULL;
    int64_t before = ks_log_start_offset(partition->log);
    ks_log_deletion why = KS_LOG_BY_TIME;
    ks_log_segment gone;
    bool any = false;
    while (ks_log_delete_oldest(partition->log, rules, &why, &gone)) {
        any = true;
        KS_EMIT(kernel, node, segment_deleted, .topic = partition->topic->name, .partition = partition->index,
                .base_offset = gone.base_offset, .last_offset = gone.end_offset - 1, .bytes = gone.size,
                .reason = ks_str(reasons[why]));
    }
    int64_t after = ks_log_start_offset(partition->log);
    if (after > before) {
        KS_EMIT(kernel, node, log_start_advanced, .topic = partition->topic->name, .partition = partition->index,
                .from = before, .to = after, .reason = ks_str(reasons[why]));
    }
    if (any) ks_progress(kernel);
}

static void check(ks_timer *timer) {
    ks_cluster *cluster = timer->owner;
    int64_t now_ms = ks_now_ms(cluster->kernel), due = INT64_MAX;
    for (int32_t i = 0; i < cluster->logs.count; i++) {
        ks_partition *partition = cluster->logs.items[i];
        ks_log_retention rules = rules_of(partition, now_ms);
        if (ks_log_retention_due(partition->log, &rules) <= now_ms) clean(partition, &rules);
        int64_t next = ks_log_retention_due(partition->log, &rules);
        if (next < due) due = next;
    }
    expect(cluster, due);
}

void ks_retention_init(ks_cluster *cluster) {
    cluster->started_ms = ks_now_ms(cluster->kernel);
    ks_timer_init(&cluster->retention_timer, NULL, check, cluster);
}

void ks_retention_add(ks_partition *partition) { KS_PUSH(partition->topic->cluster->logs, partition); }

void ks_retention_forget(ks_cluster *cluster, const ks_topic *topic) {
    int32_t left = 0;
    for (int32_t i = 0; i < cluster->logs.count; i++) {
        if (cluster->logs.items[i]->topic != topic) cluster->logs.items[left++] = cluster->logs.items[i];
    }
    cluster->logs.count = left;
}
