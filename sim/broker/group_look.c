/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a group is, and looking at it from outside. */
#include "sim/broker/group_shell.h"

#include <stdlib.h>

/* ---- where ---- */

/* Reads one code point of UTF-8; a broken byte counts as U+FFFD, as in Java's decoder. */
static uint32_t next_code_point(const uint8_t **at, const uint8_t *end) {
    uint8_t first = *(*at)++;
    int more = first < 0x80                    ? 0
               : first >= 0xC2 && first < 0xE0 ? 1
               : first >= 0xE0 && first < 0xF0 ? 2
               : first >= 0xF0 && first < 0xF5 ? 3
                                               : -1;
    if (more == 0) return first;
    if (more < 0) return 0xFFFD;
    uint32_t point = first & (0x3Fu >> more);
    for (; more > 0; more--) {
        if (*at == end || (**at & 0xC0) != 0x80) return 0xFFFD;
        point = point << 6 | (*(*at)++ & 0x3F);
    }
    return point;
}

int32_t ks_group_partition_of(ks_string id, int32_t partitions) {
    const uint8_t *at = (const uint8_t *)id.data, *end = at + (id.size > 0 ? id.size : 0);
    uint32_t hash = 0;
    while (at < end) {
        uint32_t point = next_code_point(&at, end);
        if (point >= 0x10000) { /* two units of UTF-16 */
            hash = 31 * hash + (0xD800 + ((point - 0x10000) >> 10));
            point = 0xDC00 + ((point - 0x10000) & 0x3FF);
        }
        hash = 31 * hash + point;
    }
    int64_t value = (int32_t)hash;
    if (value == INT32_MIN) value = 0;
    return (int32_t)((value < 0 ? -value : value) % partitions);
}

ks_broker *ks_group_coordinator_of(const ks_cluster *cluster, ks_string group_id) {
    const ks_group_coordinators *all = ks_group_coordinators_of(cluster);
    return ks_partition_leader(all->topic->partitions[ks_group_partition_of(group_id, all->partitions)]);
}

kafka_error ks_group_coordinator_check(ks_broker *broker, ks_string group_id) {
    const ks_group_coordinators *all = broker->groups->all;
    int32_t partition = ks_group_partition_of(group_id, all->partitions);
    if (ks_partition_leader(all->topic->partitions[partition]) != broker) return KAFKA_ERR_NOT_COORDINATOR;
    return all->loading[partition] ? KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS : KAFKA_OK;
}

bool ks_group_coordinator_loading(const ks_broker *broker) {
    const ks_group_coordinators *all = broker->groups->all;
    if (all->loading_count == 0) return false;
    for (int32_t i = 0; i < all->partitions; i++)
        if (all->loading[i] && ks_partition_leader(all->topic->partitions[i]) == broker) return true;
    return false;
}

/* ---- looking ---- */

static ks_group_coordinator *coordinator_of(const ks_cluster *cluster, ks_string group_id) {
    ks_broker *broker = ks_group_coordinator_of(cluster, group_id);
    return broker != NULL && broker->groups->started && ks_group_coordinator_check(broker, group_id) == KAFKA_OK
               ? broker->groups
               : NULL;
}

ks_group *ks_cluster_group_find(const ks_cluster *cluster, ks_string group_id) {
    ks_group_coordinator *coordinator = coordinator_of(cluster, group_id);
    return coordinator != NULL ? ks_groups_find(&coordinator->groups, group_id) : NULL;
}

static int by_id(const void *a, const void *b) {
    return ks_string_compare((*(ks_group *const *)a)->id,
                             (*(ks_group *const *)b)->id); /* an id is at one broker only */
}

ks_group **ks_cluster_groups(const ks_cluster *cluster, ks_arena *arena, int32_t *count) {
    const ks_group_coordinators *all = ks_group_coordinators_of(cluster);
    int32_t total = 0;
    for (int32_t i = 0; i < all->broker_count; i++)
        if (all->each[i].started) total += all->each[i].groups.count;
    ks_group **list = ks_arena_alloc(arena, sizeof *list * (size_t)(total + 1));
    *count = 0;
    for (int32_t i = 0; i < all->broker_count; i++) {
        if (!all->each[i].started) continue;
        for (ks_group *group = all->each[i].groups.by_id; group != NULL; group = group->hh.next)
            list[(*count)++] = group;
    }
    qsort(list, (size_t)*count, sizeof *list, by_id);
    return list;
}

const ks_committed *ks_cluster_group_offset(const ks_cluster *cluster, ks_string group_id, ks_string topic, int32_t partition) {
    const ks_group *group = ks_cluster_group_find(cluster, group_id);
    return group != NULL ? ks_group_offset_find(group, topic, partition) : NULL;
}

int64_t ks_cluster_group_deadline(const ks_cluster *cluster, ks_string group_id, ks_group_timer kind,
                                  ks_string member_id) {
    const ks_group *group = ks_cluster_group_find(cluster, group_id);
    const ks_group_shell *shell = group != NULL ? group->shell : NULL;
    ks_shell_timer *timer = NULL;
    if (shell != NULL) KS_HASH_FIND_STRING(hh, shell->timers[kind], member_id, timer);
    return timer != NULL && ks_timer_is_running(&timer->timer) ? timer->timer.deadline : -1;
}

/* ---- commands ---- */

kafka_error ks_cluster_group_expire_session(ks_cluster *cluster, ks_string group_id, ks_string member_id) {
    ks_group_coordinator *coordinator = coordinator_of(cluster, group_id);
    ks_group *group = coordinator != NULL ? ks_groups_find(&coordinator->groups, group_id) : NULL;
    if (group == NULL) return KAFKA_ERR_GROUP_ID_NOT_FOUND;
    const ks_group_shell *shell = group->shell;
    ks_shell_timer *timer = NULL;
    if (shell != NULL) KS_HASH_FIND_STRING(hh, shell->timers[KS_GROUP_TIMER_SESSION], member_id, timer);
    if (shell != NULL && timer == NULL) KS_HASH_FIND_STRING(hh, shell->timers[KS_GROUP_TIMER_CONSUMER_SESSION], member_id, timer);
    if (timer == NULL) return KAFKA_ERR_UNKNOWN_MEMBER_ID;
    ks_timer_stop(&timer->timer);
    timer->timer.fire(&timer->timer);
    return KAFKA_OK;
}
