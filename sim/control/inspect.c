/* SPDX-License-Identifier: Apache-2.0
 *
 * Topics, partitions and records as plain structs, copied into the view arena. Nothing is sent and nothing changes.
 */
#include "sim/control/inspect.h"

#include <stdlib.h>

#include "sim/protocol/record_batch.h"

const char *ks_view_string(ks_arena *view, ks_string text) {
    return text.size < 0 ? NULL : text.size == 0 ? "" : ks_arena_string(view, text).data;
}

/* ---- topics and partitions ---- */

static const int32_t *copy_ids(ks_arena *view, const int32_t *ids, int32_t count) {
    int32_t *copy = ks_arena_alloc(view, sizeof *copy * (size_t)(count + 1));
    if (count > 0) memcpy(copy, ids, sizeof *copy * (size_t)count);
    return copy;
}

static void fill_partition(ks_arena *view, const ks_partition *from, const char *topic, ksim_partition *to) {
    const ks_log *log = from->log;
    *to = (ksim_partition){
        .topic = topic,
        .partition = from->index,
        .leader = from->leader,
        .leader_epoch = from->leader_epoch,
        .replicas = copy_ids(view, from->replicas, from->replica_count),
        .replica_count = (size_t)from->replica_count,
        .isr = copy_ids(view, ks_partition_isr(from), from->isr_count),
        .isr_count = (size_t)from->isr_count,
        .log_start_offset = ks_log_start_offset(log),
        .high_watermark = ks_log_high_watermark(log),
        .log_end_offset = ks_log_end_offset(log),
        .size_bytes = ks_log_size(log),
        .segment_count = log ? ks_log_segment_count(log) : 0,
    };
}

static int by_setting(const void *a, const void *b) {
    return strcmp(((const ksim_setting *)a)->name, ((const ksim_setting *)b)->name);
}

static void fill_configs(ks_arena *view, const ks_topic_config *config, ksim_topic *to) {
    ksim_setting *settings = ks_arena_alloc(view, sizeof *settings * (KS_TOPIC_CONFIG_COUNT + 1));
    for (int32_t key = 0; key < KS_TOPIC_CONFIG_COUNT; key++) {
        if (config == NULL || !(config->overridden >> key & 1) || config->text[key] == NULL) continue;
        settings[to->config_count++] =
            (ksim_setting){ ks_topic_configs[key].name, ks_view_string(view, ks_str(config->text[key])) };
    }
    qsort(settings, to->config_count, sizeof *settings, by_setting);
    to->configs = settings;
}

static void fill_topic(ks_arena *view, const ks_topic *from, ksim_topic *to) {
    char id[23];
    ksim_partition *partitions = ks_arena_alloc(view, sizeof *partitions * (size_t)(from->partition_count + 1));
    *to = (ksim_topic){ .name = ks_view_string(view, from->name),
                        .id = ks_view_string(view, ks_str(ks_uuid_text(from->id, id))),
                        .internal = from->internal,
                        .partitions = partitions,
                        .partition_count = (size_t)from->partition_count };
    for (int32_t i = 0; i < from->partition_count; i++)
        fill_partition(view, from->partitions[i], to->name, &partitions[i]);
    to->replication_factor = from->partition_count ? from->partitions[0]->replica_count : 0;
    fill_configs(view, from->config, to);
}

static int by_topic(const void *a, const void *b) {
    const ksim_topic *left = a, *right = b;
    if (left->internal != right->internal) return left->internal ? 1 : -1;
    return strcmp(left->name, right->name);
}

const ksim_topic *ksim_topics(ksim *sim, size_t *count) {
    if (count) *count = 0;
    if (ks_sim_check(sim)) return NULL;
    ks_arena *view = ks_sim_view(sim);
    ksim_topic *topics = ks_arena_alloc(view, sizeof *topics * (size_t)(ks_cluster_topic_count(sim->cluster) + 1));
    size_t filled = 0;
    for (const ks_topic *topic = ks_cluster_topic_first(sim->cluster); topic; topic = ks_topic_next(topic)) {
        fill_topic(view, topic, &topics[filled++]);
    }
    qsort(topics, filled, sizeof *topics, by_topic);
    if (count) *count = filled;
    return topics;
}

static ks_topic *topic_get(ksim *sim, const char *name, const char *call) {
    if (ks_sim_check(sim)) return NULL;
    ks_topic *topic = name ? ks_cluster_topic_find(sim->cluster, ks_str(name)) : NULL;
    if (topic) return topic;
    ks_buffer names = { 0 };
    int32_t listed = 0;
    for (const ks_topic *at = ks_cluster_topic_first(sim->cluster); at && listed < 20; at = ks_topic_next(at)) {
        if (at->internal) continue;
        ks_buffer_printf(&names, "%s%s", listed++ ? ", " : "", at->name.data);
    }
    ks_sim_fail(sim, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION, "%s: there is no topic \"%.100s\"; there %s", call,
                name ? name : "(NULL)", listed ? "are" : "is none yet");
    if (listed)
        ks_sim_fail(sim, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION, "%s: there is no topic \"%.100s\"; there are %.500s",
                    call, name ? name : "(NULL)", (const char *)names.data);
    ks_buffer_deinit(&names);
    return NULL;
}

const ksim_topic *ksim_topic_find(ksim *sim, const char *name) {
    const ks_topic *topic = topic_get(sim, name, "ksim_topic_find");
    if (topic == NULL) return NULL;
    ksim_topic *view = ks_arena_alloc(ks_sim_view(sim), sizeof *view);
    fill_topic(ks_sim_view(sim), topic, view);
    return view;
}

static ks_partition *partition_get(ksim *sim, const char *name, int32_t index, const char *call) {
    const ks_topic *topic = topic_get(sim, name, call);
    ks_partition *partition = topic ? ks_topic_partition(topic, index) : NULL;
    if (topic && partition == NULL) {
        ks_sim_fail(sim, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION, "%s: there is no partition %s[%d]; there are 0 to %d",
                    call, name, index, topic->partition_count - 1);
    }
    return partition;
}

const ksim_partition *ksim_partition_find(ksim *sim, const char *name, int32_t index) {
    const ks_partition *partition = partition_get(sim, name, index, "ksim_partition_find");
    if (partition == NULL) return NULL;
    ks_arena *view = ks_sim_view(sim);
    ksim_partition *copy = ks_arena_alloc(view, sizeof *copy);
    fill_partition(view, partition, ks_view_string(view, partition->topic->name), copy);
    return copy;
}

/* ---- records ---- */

static kafka_bytes copy_bytes(ks_arena *view, ks_bytes bytes) {
    if (bytes.size < 0) return (kafka_bytes){ NULL, 0 };
    return (kafka_bytes){ bytes.size ? (const void *)ks_arena_bytes(view, bytes).data : "", (size_t)bytes.size };
}

void ks_view_record(ks_arena *view, const ks_record *from, ksim_record *to) {
    kafka_header *headers = ks_arena_alloc(view, sizeof *headers * (size_t)(from->header_count + 1));
    *to = (ksim_record){ .offset = from->offset,
                         .time = from->timestamp_ms < 0 ? 0 : from->timestamp_ms * KS_MS,
                         .key = copy_bytes(view, from->key),
                         .value = copy_bytes(view, from->value),
                         .headers = headers };
    ks_bytes encoded = from->headers, value;
    for (ks_string key;
         to->header_count < (size_t)from->header_count && ks_record_header_next(&encoded, &key, &value);) {
        headers[to->header_count++] =
            (kafka_header){ copy_bytes(view, (ks_bytes){ (const uint8_t *)key.data, key.size }),
                            copy_bytes(view, value) };
    }
}

typedef KS_VEC(ksim_record) record_list;

static void collect(ks_arena *view, ks_bytes batches, int64_t from, record_list *list) {
    ks_record_iterator iterator;
    ks_record record;
    ks_records_begin(&iterator, batches);
    while (ks_records_next_batch(&iterator)) {
        if (iterator.header.attributes & KS_ATTRIBUTE_CONTROL) continue;
        while (ks_records_next(&iterator, &record)) {
            ksim_record copy;
            if (record.offset < from) continue;
            ks_view_record(view, &record, &copy);
            KS_PUSH(*list, copy);
        }
    }
    ks_records_end(&iterator);
}

const ksim_record *ksim_records(ksim *sim, const char *topic, int32_t index, size_t *count) {
    if (count) *count = 0;
    const ks_partition *partition = partition_get(sim, topic, index, "ksim_records");
    if (partition == NULL) return NULL;
    ks_arena *view = ks_sim_view(sim);
    record_list list = { 0 };
    int64_t offset = ks_log_start_offset(partition->log), end = ks_log_end_offset(partition->log);
    while (partition->log && offset < end) {
        ks_log_slice slice;
        ks_batch_header last = { 0 };
        ks_log_read(partition->log, offset, end, 1 << 20, true, &slice);
        if (slice.bytes.size <= 0) break;
        collect(view, slice.bytes, offset, &list);
        for (ks_bytes rest = slice.bytes; ks_batch_read_header(rest, &last) && ks_batch_size(&last) <= rest.size;) {
            offset = ks_batch_last_offset(&last) + 1;
            rest = (ks_bytes){ rest.data + ks_batch_size(&last), rest.size - ks_batch_size(&last) };
        }
        ks_block_release(slice.block);
    }
    ksim_record *records = ks_arena_alloc(view, sizeof *records * (size_t)(list.count + 1));
    if (list.count) memcpy(records, list.items, sizeof *records * (size_t)list.count);
    if (count) *count = (size_t)list.count;
    ks_free(list.items);
    return records;
}

const char *const *ksim_clients(ksim *sim, size_t *count) {
    if (count) *count = 0;
    if (ks_sim_check(sim)) return NULL;
    const char **names = ks_arena_alloc(ks_sim_view(sim), sizeof *names * (HASH_COUNT(sim->clients) + 1));
    size_t filled = 0;
    for (const ks_sim_client *client = sim->clients; client; client = client->hh.next) {
        if (client != sim->control) names[filled++] = ks_view_string(sim->view, client->name);
    }
    if (count) *count = filled;
    return names;
}
