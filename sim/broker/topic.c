/* SPDX-License-Identifier: Apache-2.0
 * Topics: found, made, grown, deleted, configured (Kafka's ReplicationControlManager; TC-1..TC-8). */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/fetch_wait.h"
#include "sim/broker/placement.h"

/* ---- finding ---- */

ks_topic *ks_cluster_topic_find(const ks_cluster *cluster, ks_string name) {
    ks_topic *topic;
    KS_HASH_FIND_STRING(by_name, cluster->topics_by_name, name, topic);
    return topic;
}

ks_topic *ks_cluster_topic_find_id(const ks_cluster *cluster, ks_uuid id) {
    ks_topic *topic;
    HASH_FIND(by_id, cluster->topics_by_id, &id, sizeof id, topic);
    return topic;
}

ks_partition *ks_topic_partition(const ks_topic *topic, int32_t index) {
    return ks_topic_has(topic, index) ? topic->partitions[index] : NULL;
}

ks_partition *ks_cluster_partition_find(const ks_cluster *cluster, ks_string name, int32_t index) {
    ks_topic *topic = ks_cluster_topic_find(cluster, name);
    return topic != NULL ? ks_topic_partition(topic, index) : NULL;
}

ks_topic *ks_cluster_topic_first(const ks_cluster *cluster) { return cluster->topics_by_name; }
ks_topic *ks_topic_next(const ks_topic *topic) { return topic->by_name.next; }
int32_t ks_cluster_topic_count(const ks_cluster *cluster) {
    return (int32_t)HASH_CNT(by_name, cluster->topics_by_name);
}

/* ---- names ---- */

static bool legal_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
}

static const char *what_is_wrong(ks_string name) { /* Topic.validate */
    if (name.size <= 0) return "the empty string is not allowed";
    if (ks_string_equal(name, KS_LITERAL(".")) || ks_string_equal(name, KS_LITERAL("..")))
        return "'.' and '..' are not allowed";
    if (name.size > 249) return "the length must not be above 249 characters";
    for (int32_t i = 0; i < name.size; i++) {
        if (!legal_character(name.data[i])) return "only ASCII letters and digits, '.', '_' and '-' are allowed";
    }
    return NULL;
}

static bool has_period_or_underscore(ks_string name) {
    for (int32_t i = 0; i < name.size; i++) {
        if (name.data[i] == '.' || name.data[i] == '_') return true;
    }
    return false;
}

/* Metric names make no difference between '.' and '_', so topics may not differ in these alone. */
static ks_string fold(ks_string name) {
    if (!has_period_or_underscore(name)) return KS_NULL_STRING;
    char *folded = ks_strndup(name.data, (size_t)name.size);
    for (int32_t i = 0; i < name.size; i++) {
        if (folded[i] == '.') folded[i] = '_';
    }
    return (ks_string){ folded, name.size };
}

kafka_error ks_topic_name_check(const ks_cluster *cluster, ks_string name, ks_buffer *why) {
    const char *wrong = what_is_wrong(name);
    if (wrong != NULL) {
        if (why != NULL) {
            ks_buffer_printf(why, "illegal topic name \"%.*s\": %s", name.size > 0 ? (int)name.size : 0,
                             name.size > 0 ? name.data : "", wrong);
        }
        return KAFKA_ERR_INVALID_TOPIC_EXCEPTION;
    }
    ks_string folded = fold(name);
    if (folded.size < 0) return KAFKA_OK;
    ks_topic *other;
    KS_HASH_FIND_STRING(by_folded, cluster->topics_by_folded, folded, other);
    ks_free((void *)folded.data);
    if (other == NULL || ks_string_equal(other->name, name)) return KAFKA_OK;
    if (why != NULL) {
        ks_buffer_printf(why, "topic \"%.*s\" collides with the existing topic \"%s\"", (int)name.size, name.data,
                         other->name.data);
    }
    return KAFKA_ERR_INVALID_TOPIC_EXCEPTION;
}

static bool is_internal(ks_string name) {
    return ks_string_equal(name, KS_LITERAL(KS_OFFSETS_TOPIC)) ||
           ks_string_equal(name, KS_LITERAL("__transaction_state")) ||
           ks_string_equal(name, KS_LITERAL("__share_group_state"));
}

/* ---- partitions ---- */

static uint64_t draw(void *context, uint64_t bound) { return ks_random_below(context, KS_STREAM_PLACEMENT, bound); }

static int32_t live_brokers(const ks_cluster *cluster) {
    int32_t live = 0;
    for (int32_t i = 0; i < cluster->broker_count; i++) live += cluster->brokers[i].up;
    return live;
}

static void place(ks_cluster *cluster, int32_t count, int32_t replication_factor, int32_t *replicas) {
    ks_placement_broker few[16], *brokers = few;
    if (cluster->broker_count > 16) brokers = ks_alloc((size_t)cluster->broker_count * sizeof *brokers);
    for (int32_t i = 0; i < cluster->broker_count; i++) {
        const ks_broker *broker = &cluster->brokers[i];
        brokers[i] = (ks_placement_broker){ broker->id, broker->rack, !broker->up };
    }
    ks_place(brokers, cluster->broker_count, count, replication_factor, cluster->plain_placement ? NULL : draw,
             cluster->kernel, replicas);
    if (brokers != few) ks_free(brokers);
}

/* TC-7: all active replicas are in sync, and the first of them leads. */
static void start_partition(ks_partition *partition, const ks_cluster *cluster) {
    int32_t *isr = partition->replicas + partition->replica_count;
    for (int32_t i = 0; i < partition->replica_count; i++) {
        if (cluster->brokers[partition->replicas[i] - 1].up) isr[partition->isr_count++] = partition->replicas[i];
    }
    ks_assert(partition->isr_count > 0);
    partition->leader = isr[0];
}

static void tell_created(const ks_partition *partition) {
    char text[KS_IDS_TEXT];
    KS_EMIT(partition->topic->cluster->kernel, NULL, partition_created, .topic = partition->topic->name,
            .partition = partition->index, .leader = partition->leader, .leader_epoch = partition->leader_epoch,
            .replicas = ks_ids_text(partition->replicas, partition->replica_count, text));
}

/* `count` more partitions in one block of memory: the partitions, then replicas and in-sync set of each. */
static void add_partitions(ks_topic *topic, int32_t count, int32_t replication_factor, const int32_t *assignment) {
    ks_cluster *cluster = topic->cluster;
    size_t row = (size_t)replication_factor, partitions = (size_t)count * sizeof(ks_partition);
    uint8_t *memory = ks_alloc(partitions + (size_t)count * 2 * row * sizeof(int32_t));
    ks_partition *partition = (ks_partition *)memory;
    int32_t *ids = (int32_t *)(memory + partitions), few[64], *rows = few;
    KS_PUSH(topic->memory, memory);
    if (assignment == NULL) {
        if ((size_t)count * row > 64) rows = ks_alloc((size_t)count * row * sizeof *rows);
        place(cluster, count, replication_factor, rows);
        assignment = rows;
    }
    int32_t first = topic->partition_count;
    topic->partitions = ks_realloc(topic->partitions, (size_t)(first + count) * sizeof *topic->partitions);
    for (int32_t i = 0; i < count; i++, partition++) {
        *partition = (ks_partition){ .topic = topic,
                                     .index = first + i,
                                     .replica_count = (int16_t)replication_factor,
                                     .replicas = ids + 2 * row * (size_t)i };
        partition->fetches_last = &partition->fetches;
        memcpy(partition->replicas, assignment + row * (size_t)i, row * sizeof *ids);
        start_partition(partition, cluster);
        topic->partitions[first + i] = partition;
    }
    topic->partition_count += count;
    if (rows != few) ks_free(rows);
    for (int32_t i = first; i < first + count; i++) tell_created(topic->partitions[i]);
}

/* ---- making ---- */

static kafka_error refuse(ks_buffer *why, kafka_error error, const char *format, long long number) {
    if (why != NULL) ks_buffer_printf(why, format, number);
    return error;
}

static kafka_error check_counts(const ks_cluster *cluster, int32_t partitions, int32_t replication_factor,
                                ks_buffer *why) {
    if (replication_factor < 1) {
        return refuse(why, KAFKA_ERR_INVALID_REPLICATION_FACTOR,
                      "replication factor must be above 0, or -1 for the default, not %lld", replication_factor);
    }
    if (partitions < 1) {
        return refuse(why, KAFKA_ERR_INVALID_PARTITIONS,
                      "number of partitions must be above 0, or -1 for the default, not %lld", partitions);
    }
    if (partitions > KS_PARTITIONS_MAX) {
        return refuse(why, KAFKA_ERR_POLICY_VIOLATION, "excessively large number of partitions: %lld", partitions);
    }
    if (replication_factor > cluster->broker_count) {
        return refuse(why, KAFKA_ERR_INVALID_REPLICATION_FACTOR,
                      "replication factor is above the number of brokers, %lld", cluster->broker_count);
    }
    if (live_brokers(cluster) == 0)
        return refuse(why, KAFKA_ERR_INVALID_REPLICATION_FACTOR, "all %lld brokers are down", cluster->broker_count);
    return KAFKA_OK;
}

kafka_error ks_topic_new_check(const ks_cluster *cluster, ks_string name, ks_buffer *why) {
    if (ks_string_equal(name, KS_LITERAL("__cluster_metadata"))) {
        if (why != NULL) ks_buffer_text(why, "__cluster_metadata is the controllers' own and cannot be created");
        return KAFKA_ERR_INVALID_REQUEST;
    }
    kafka_error error = ks_topic_name_check(cluster, name, why);
    if (error != KAFKA_OK) return error;
    if (ks_cluster_topic_find(cluster, name) == NULL) return KAFKA_OK;
    if (why != NULL) ks_buffer_printf(why, "topic \"%.*s\" already exists", (int)name.size, name.data);
    return KAFKA_ERR_TOPIC_ALREADY_EXISTS;
}

kafka_error ks_cluster_create_topic(ks_cluster *cluster, const ks_topic_spec *spec, ks_topic **out, ks_buffer *why) {
    int32_t partitions =
        spec->partitions == -1 ? (int32_t)cluster->settings[KS_SETTING_num_partitions] : spec->partitions;
    int32_t replication_factor = spec->replication_factor == -1
                                     ? (int32_t)cluster->settings[KS_SETTING_default_replication_factor]
                                     : spec->replication_factor;
    kafka_error error = ks_topic_new_check(cluster, spec->name, why);
    if (error == KAFKA_OK) error = check_counts(cluster, partitions, replication_factor, why);
    if (error != KAFKA_OK) return error;
    *out = NULL;
    if (spec->validate_only) return KAFKA_OK;
    ks_topic *topic = ks_alloc(sizeof *topic);
    topic->cluster = cluster;
    topic->name = ks_string_dup(spec->name);
    topic->folded = fold(topic->name);
    topic->id = ks_cluster_draw_id(cluster);
    topic->internal = is_internal(topic->name);
    topic->config = ks_topic_config_hold(spec->config != NULL ? spec->config : cluster->default_config);
    KS_HASH_ADD_STRING(by_name, cluster->topics_by_name, name, topic);
    HASH_ADD(by_id, cluster->topics_by_id, id, sizeof topic->id, topic);
    if (topic->folded.size >= 0) KS_HASH_ADD_STRING(by_folded, cluster->topics_by_folded, folded, topic);
    KS_EMIT(cluster->kernel, NULL, topic_created, .topic = topic->name, .topic_id = topic->id, .partitions = partitions,
            .replication_factor = (int16_t)replication_factor);
    add_partitions(topic, partitions, replication_factor, spec->assignment);
    if (topic->config->overridden != 0) ks_config_tell(topic, NULL);
    KS_WATCHES(cluster, topic_created, topic);
    *out = topic;
    return KAFKA_OK;
}

kafka_error ks_cluster_create_simple_topic(ks_cluster *cluster, const char *name, int32_t partitions,
                                           int32_t replication_factor, ks_topic **topic) {
    ks_topic_spec spec = { .name = ks_str(name), .partitions = partitions, .replication_factor = replication_factor };
    ks_topic *made;
    kafka_error error = ks_cluster_create_topic(cluster, &spec, &made, NULL);
    if (error == KAFKA_OK && topic != NULL) *topic = made;
    return error;
}

kafka_error ks_cluster_add_partitions(ks_topic *topic, int32_t count, const int32_t *assignment, bool validate_only,
                                      ks_buffer *why) {
    ks_cluster *cluster = topic->cluster;
    int32_t first = topic->partition_count;
    if (topic->internal) { /* which group lives in which partition follows from their number */
        if (why != NULL) ks_buffer_text(why, "the number of partitions of an internal topic is fixed");
        return KAFKA_ERR_INVALID_TOPIC_EXCEPTION;
    }
    if (count <= first) {
        return refuse(why, KAFKA_ERR_INVALID_PARTITIONS,
                      "the topic has %lld partitions already; a count is the new total", first);
    }
    kafka_error error = check_counts(cluster, count, topic->partitions[0]->replica_count, why);
    if (error != KAFKA_OK || validate_only) return error;
    add_partitions(topic, count - first, topic->partitions[0]->replica_count, assignment);
    KS_EMIT(cluster->kernel, NULL, partitions_added, .topic = topic->name, .from = first, .to = count);
    KS_WATCHES(cluster, partitions_added, topic, first);
    return KAFKA_OK;
}

/* ---- unmaking ---- */

static void unlink_topic(ks_topic *topic) {
    ks_cluster *cluster = topic->cluster;
    HASH_DELETE(by_name, cluster->topics_by_name, topic);
    HASH_DELETE(by_id, cluster->topics_by_id, topic);
    if (topic->folded.size >= 0) HASH_DELETE(by_folded, cluster->topics_by_folded, topic);
}

static void free_topic(ks_topic *topic) {
    for (int32_t i = 0; i < topic->partition_count; i++) ks_log_free(topic->partitions[i]->log);
    for (int32_t i = 0; i < topic->memory.count; i++) ks_free(topic->memory.items[i]);
    ks_free(topic->memory.items);
    ks_free(topic->partitions);
    ks_block_release(topic->described);
    ks_topic_config_release(topic->config);
    ks_free((void *)topic->folded.data);
    ks_free((void *)topic->name.data);
    ks_free(topic);
}

void ks_topic_free(ks_topic *topic) {
    unlink_topic(topic);
    free_topic(topic);
}

/* Cost: its partitions, and once all logs there are if one of them had data. */
void ks_cluster_delete_topic(ks_cluster *cluster, ks_topic *topic) {
    KS_WATCHES(cluster, topic_deleted, topic);
    KS_EMIT(cluster->kernel, NULL, topic_deleted, .topic = topic->name, .topic_id = topic->id);
    unlink_topic(topic);
    bool logs = false;
    for (int32_t i = 0; i < topic->partition_count; i++) {
        ks_fetch_fail(topic->partitions[i]);
        logs |= topic->partitions[i]->log != NULL;
    }
    ks_fetch_flush(cluster); /* those that wait learn that it is gone */
    if (logs) ks_retention_forget(cluster, topic);
    free_topic(topic);
}

void ks_topic_set_config(ks_topic *topic, ks_topic_config *config) {
    ks_topic_config *former = topic->config;
    topic->config = config;
    ks_config_tell(topic, former);
    ks_topic_config_release(former);
    for (int32_t i = 0; i < topic->partition_count; i++) ks_retention_expect(topic->partitions[i]);
    KS_WATCHES(topic->cluster, config_changed, topic);
}
