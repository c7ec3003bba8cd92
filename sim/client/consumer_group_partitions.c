/* SPDX-License-Identifier: Apache-2.0
 *
 * See consumer_group_partitions.h. Two tables: topics by name, partitions by (number of the topic, partition).
 */
#include "sim/client/consumer_group_partitions.h"

struct ks_read_topic {
    ks_string name; /* owned */
    int32_t number;
    UT_hash_handle hh;
};

static ks_read_topic *topic_get(ks_read_partitions *partitions, ks_string name) {
    ks_read_topic *topic;
    KS_HASH_FIND_STRING(hh, partitions->topics, name, topic);
    if (topic != NULL) return topic;
    topic = ks_alloc(sizeof *topic);
    topic->name = ks_string_dup(name);
    topic->number = partitions->topic_count++;
    KS_HASH_ADD_STRING(hh, partitions->topics, name, topic);
    return topic;
}

static ks_read_partition *find_or_make(ks_read_partitions *partitions, const char *name, int32_t number) {
    ks_read_topic *topic = topic_get(partitions, ks_str(name));
    ks_read_partition *partition, wanted = { .key = { topic->number, number } };
    HASH_FIND(hh, partitions->all, &wanted.key, sizeof wanted.key, partition);
    if (partition != NULL) return partition;
    partition = ks_alloc(sizeof *partition);
    *partition = (ks_read_partition){ .key = wanted.key, .topic = topic->name, .partition = number, .stashed = -1 };
    HASH_ADD(hh, partitions->all, key, sizeof partition->key, partition);
    return partition;
}

ks_read_partition *ks_read_partition_get(ks_read_partitions *partitions, const char *topic, int32_t partition) {
    ks_read_partition **recent = &partitions->recent[(uint32_t)partition % 16];
    if (*recent == NULL || (*recent)->topic.data != topic || (*recent)->partition != partition)
        *recent = find_or_make(partitions, topic, partition);
    return *recent;
}

void ks_read_partitions_deinit(ks_read_partitions *partitions) {
    ks_read_partition *partition, *next_partition;
    HASH_ITER(hh, partitions->all, partition, next_partition) {
        HASH_DELETE(hh, partitions->all, partition);
        ks_free(partition);
    }
    ks_read_topic *topic, *next_topic;
    HASH_ITER(hh, partitions->topics, topic, next_topic) {
        HASH_DELETE(hh, partitions->topics, topic);
        ks_free((void *)topic->name.data);
        ks_free(topic);
    }
}
