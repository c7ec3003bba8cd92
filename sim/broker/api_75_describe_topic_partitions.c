/* SPDX-License-Identifier: Apache-2.0
 *
 * DescribeTopicPartitions (KIP-966): topics sorted by name, a page of partitions at a time; the cursor says where the
 * next page begins. No topics asked means all of them. It creates nothing.
 */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/response.h"

#include <stdlib.h>

typedef ks_describe_topic_partitions_response_topic topic_out;
typedef ks_describe_topic_partitions_response_partition partition_out;

enum { LIMIT_MAX = 2000 }; /* max.request.partition.size.limit */

static int by_bytes(const void *a, const void *b) {
    return ks_string_compare(*(const ks_string *)a, *(const ks_string *)b);
}

/* The names to describe, sorted, each once, none before the cursor. */
static int32_t names_of(const ks_cluster *cluster, const ks_describe_topic_partitions_request *in, ks_string *names) {
    int32_t count = 0, left = 0;
    for (int32_t i = 0; i < in->topics.count; i++) names[count++] = in->topics.items[i].name;
    for (const ks_topic *topic = ks_cluster_topic_first(cluster); in->topics.count == 0 && topic != NULL;
         topic = ks_topic_next(topic)) {
        names[count++] = topic->name;
    }
    qsort(names, (size_t)count, sizeof *names, by_bytes);
    for (int32_t i = 0; i < count; i++) {
        if (in->cursor != NULL && ks_string_compare(names[i], in->cursor->topic_name) < 0) continue;
        if (left > 0 && ks_string_equal(names[left - 1], names[i])) continue;
        names[left++] = names[i];
    }
    return left;
}

static void describe_partition(const ks_partition *partition, ks_envelope *response, partition_out *out) {
    out->partition_index = partition->index;
    out->leader_id = partition->leader;
    out->leader_epoch = partition->leader_epoch;
    if (partition->leader == KS_NO_LEADER) out->error_code = KAFKA_ERR_LEADER_NOT_AVAILABLE;
    KS_RESPONSE_IDS(response, out->replica_nodes, partition->replicas, partition->replica_count);
    KS_RESPONSE_IDS(response, out->isr_nodes, ks_partition_isr(partition), partition->isr_count);
    out->eligible_leader_replicas.count = 0; /* none, rather than null: nobody waits for an election */
    out->last_known_elr.count = 0;
    out->offline_replicas.items = ks_arena_alloc(response->arena, (size_t)partition->replica_count * sizeof(int32_t));
    for (int32_t i = 0; i < partition->replica_count; i++) {
        int32_t id = partition->replicas[i];
        if (!ks_cluster_broker_find(partition->topic->cluster, id)->up)
            out->offline_replicas.items[out->offline_replicas.count++] = id;
    }
}

/* Describes at most `room` partitions from `first` on; returns how many. */
static int32_t describe_topic(const ks_topic *topic, int32_t first, int32_t room, ks_envelope *response,
                              topic_out *out) {
    int32_t count = topic->partition_count > first ? topic->partition_count - first : 0;
    if (count > room) count = room;
    out->topic_id = topic->id;
    out->is_internal = topic->internal;
    KS_RESPONSE_ARRAY(response, out->partitions, count, describe_topic_partitions_response_partition);
    for (int32_t i = 0; i < count; i++)
        describe_partition(topic->partitions[first + i], response, &out->partitions.items[i]);
    return count;
}

static void set_cursor(ks_envelope *response, ks_string topic, int32_t partition) {
    ks_describe_topic_partitions_response *out = response->body;
    out->next_cursor = ks_arena_alloc(response->arena, sizeof *out->next_cursor);
    out->next_cursor->topic_name = ks_arena_string(response->arena, topic);
    out->next_cursor->partition_index = partition;
}

void ks_handle_describe_topic_partitions(ks_broker *broker, ks_request *request) {
    const ks_describe_topic_partitions_request *in = request->envelope->body;
    const ks_cluster *cluster = broker->cluster;
    ks_envelope *response = ks_response_new(request);
    ks_describe_topic_partitions_response *out = response->body;
    int32_t most = in->topics.count > 0 ? in->topics.count : ks_cluster_topic_count(cluster);
    ks_string *names = ks_arena_alloc(response->arena, (size_t)most * sizeof *names);
    int32_t count = names_of(cluster, in, names), left = in->response_partition_limit;
    if (left > LIMIT_MAX) left = LIMIT_MAX;
    if (left < 1) left = 1;
    KS_RESPONSE_ARRAY(response, out->topics, count, describe_topic_partitions_response_topic);
    out->topics.count = 0;
    for (int32_t i = 0; i < count; i++) {
        const ks_topic *topic = ks_cluster_topic_find(cluster, names[i]);
        bool resumed = in->cursor != NULL && ks_string_equal(names[i], in->cursor->topic_name);
        int32_t first = resumed && in->cursor->partition_index > 0 ? in->cursor->partition_index : 0;
        if (topic != NULL && left == 0) {
            set_cursor(response, names[i], first);
            break;
        }
        topic_out *described = &out->topics.items[out->topics.count++];
        described->name = ks_arena_string(response->arena, names[i]);
        if (topic == NULL) {
            bool legal = ks_topic_name_check(cluster, names[i], NULL) == KAFKA_OK;
            described->error_code = legal ? KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_ERR_INVALID_TOPIC_EXCEPTION;
            continue;
        }
        int32_t shown = describe_topic(topic, first, left, response, described);
        left -= shown;
        if (first + shown < topic->partition_count) {
            set_cursor(response, names[i], first + shown);
            break;
        }
    }
    ks_respond(request, response);
}
