/* SPDX-License-Identifier: Apache-2.0
 *
 * Metadata (Kafka's KafkaApis.handleTopicMetadataRequest, DefaultAutoTopicCreationManager). An unknown topic that may
 * be made is answered with UNKNOWN_TOPIC_OR_PARTITION and made right after the answer (TC-11).
 */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/response.h"

typedef ks_metadata_request_topic topic_in;
typedef ks_metadata_response_topic topic_out;
typedef ks_metadata_response_partition partition_out;

/* ---- brokers ---- */

static void describe_brokers(const ks_cluster *cluster, ks_envelope *response, ks_metadata_response *out) {
    int32_t count = 0;
    for (int32_t id = 1; id <= cluster->broker_count; id++) count += ks_cluster_broker_find(cluster, id)->up;
    KS_RESPONSE_ARRAY(response, out->brokers, count, metadata_response_broker);
    for (int32_t id = 1, i = 0; id <= cluster->broker_count; id++) {
        const ks_broker *broker = ks_cluster_broker_find(cluster, id);
        if (!broker->up) continue;
        ks_metadata_response_broker *described = &out->brokers.items[i++];
        described->node_id = id;
        described->host = broker->host;
        described->port = broker->port;
        if (response->api_version >= 1) described->rack = broker->rack;
    }
}

/* ---- topics ---- */

static int32_t offline(const ks_partition *partition, int32_t *ids) {
    int32_t count = 0;
    for (int32_t i = 0; i < partition->replica_count; i++) {
        if (!ks_cluster_broker_find(partition->topic->cluster, partition->replicas[i])->up)
            ids[count++] = partition->replicas[i];
    }
    return count;
}

/* v0 knew no offline replicas: dead ones are left out, and the partition says so. */
static int32_t without_dead(const ks_cluster *cluster, int32_t *ids, int32_t count) {
    int32_t left = 0;
    for (int32_t i = 0; i < count; i++) {
        if (ks_cluster_broker_find(cluster, ids[i])->up) ids[left++] = ids[i];
    }
    return left;
}

static void describe_partition(const ks_partition *partition, ks_envelope *response, partition_out *out) {
    const ks_cluster *cluster = partition->topic->cluster;
    out->partition_index = partition->index;
    out->leader_id = partition->leader;
    if (partition->leader == KS_NO_LEADER) out->error_code = KAFKA_ERR_LEADER_NOT_AVAILABLE; /* TC-12 */
    if (response->api_version >= 7) out->leader_epoch = partition->leader_epoch;
    KS_RESPONSE_IDS(response, out->replica_nodes, partition->replicas, partition->replica_count);
    KS_RESPONSE_IDS(response, out->isr_nodes, ks_partition_isr(partition), partition->isr_count);
    if (response->api_version >= 5) {
        if (ks_cluster_all_up(cluster)) return;
        int32_t *ids = ks_arena_alloc(response->arena, (size_t)partition->replica_count * sizeof *ids);
        out->offline_replicas.count = offline(partition, ids);
        out->offline_replicas.items = ids;
    } else if (response->api_version == 0) {
        out->replica_nodes.count = without_dead(cluster, out->replica_nodes.items, out->replica_nodes.count);
        out->isr_nodes.count = without_dead(cluster, out->isr_nodes.items, out->isr_nodes.count);
        if (out->error_code == 0 && out->replica_nodes.count < partition->replica_count)
            out->error_code = KAFKA_ERR_REPLICA_NOT_AVAILABLE;
    }
}

/* A big topic is described once for all who ask, until something about it changes: a thousand members that start together
 * ask the same. Only when all partitions have leaders and all brokers are up, for versions from 7 on, which are told the same. */
enum { SHARED_MIN = 32 };

/* Aligned for the structs: a block's bytes begin behind two int32. */
static partition_out *shared_rows(const ks_topic *topic) {
    uintptr_t data = (uintptr_t)topic->described->data;
    return (partition_out *)((data + sizeof(int64_t) - 1) & ~(uintptr_t)(sizeof(int64_t) - 1));
}

static bool can_share(const ks_topic *topic, int16_t version) {
    if (version < 7 || topic->partition_count < SHARED_MIN || !ks_cluster_all_up(topic->cluster)) return false;
    if (topic->described != NULL && topic->described_at == topic->cluster->changes) return true;
    for (int32_t i = 0; i < topic->partition_count; i++)
        if (topic->partitions[i]->leader == KS_NO_LEADER) return false;
    return true;
}

static void describe_for_all(ks_topic *topic) {
    size_t ids = 0;
    for (int32_t i = 0; i < topic->partition_count; i++)
        ids += (size_t)topic->partitions[i]->replica_count + (size_t)topic->partitions[i]->isr_count;
    size_t rows = (size_t)topic->partition_count * sizeof(partition_out);
    ks_block_release(topic->described);
    topic->described = ks_block_new((int32_t)(rows + ids * sizeof(int32_t) + sizeof(int64_t)));
    topic->described_at = topic->cluster->changes;
    topic->described_count = topic->partition_count;
    partition_out *out = shared_rows(topic);
    int32_t *next = (int32_t *)(void *)(out + topic->partition_count);
    for (int32_t i = 0; i < topic->partition_count; i++) {
        const ks_partition *partition = topic->partitions[i];
        ks_struct_default(ks_describe_metadata_response_partition(), &out[i]);
        out[i].partition_index = partition->index;
        out[i].leader_id = partition->leader;
        out[i].leader_epoch = partition->leader_epoch;
        out[i].replica_nodes.items = memcpy(next, partition->replicas, (size_t)partition->replica_count * sizeof *next);
        out[i].replica_nodes.count = partition->replica_count;
        next += partition->replica_count;
        out[i].isr_nodes.items = memcpy(next, ks_partition_isr(partition), (size_t)partition->isr_count * sizeof *next);
        out[i].isr_nodes.count = partition->isr_count;
        next += partition->isr_count;
    }
}

static void describe_topic(ks_topic *topic, ks_envelope *response, topic_out *out) {
    out->name = ks_arena_string(response->arena, topic->name);
    if (response->api_version >= 10) out->topic_id = topic->id;
    if (response->api_version >= 1) out->is_internal = topic->internal;
    if (can_share(topic, response->api_version)) {
        bool stale = topic->described == NULL || topic->described_at != topic->cluster->changes ||
                     topic->described_count != topic->partition_count;
        if (stale) describe_for_all(topic);
        ks_envelope_hold(response, topic->described);
        out->partitions.items = shared_rows(topic);
        out->partitions.count = topic->partition_count;
        return;
    }
    KS_RESPONSE_ARRAY(response, out->partitions, topic->partition_count, metadata_response_partition);
    for (int32_t i = 0; i < topic->partition_count; i++)
        describe_partition(topic->partitions[i], response, &out->partitions.items[i]);
}

/* ---- what was asked ---- */

static bool may_create(const ks_cluster *cluster, int16_t version, const ks_metadata_request *in) {
    return (version < 4 || in->allow_auto_topic_creation) && cluster->settings[KS_SETTING_auto_create_topics_enable];
}

/* Names before v12 may not be null, and ids may not stand alone: Kafka refuses the whole request. */
static bool contradicts(int16_t version, const ks_metadata_request *in) {
    for (int32_t i = 0; version >= 10 && version < 12 && i < in->topics.count; i++) {
        if (in->topics.items[i].name.size < 0 || !ks_uuid_is_zero(in->topics.items[i].topic_id)) return true;
    }
    return false;
}

/* True: the topic is to be made after the answer. */
static bool describe_asked(ks_broker *broker, const topic_in *in, bool create, ks_envelope *response, topic_out *out) {
    const ks_cluster *cluster = broker->cluster;
    bool by_id = response->api_version >= 12 && in->name.size < 0;
    ks_topic *topic =
        by_id ? ks_cluster_topic_find_id(cluster, in->topic_id) : ks_cluster_topic_find(cluster, in->name);
    if (topic != NULL) {
        describe_topic(topic, response, out);
        return false;
    }
    out->name = ks_arena_string(response->arena, in->name);
    if (by_id) {
        out->topic_id = in->topic_id;
        out->error_code = KAFKA_ERR_UNKNOWN_TOPIC_ID;
        return false;
    }
    bool legal = ks_topic_name_check(cluster, in->name, NULL) == KAFKA_OK;
    out->error_code = legal ? KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_ERR_INVALID_TOPIC_EXCEPTION;
    return legal && create;
}

static void describe_all(const ks_cluster *cluster, ks_envelope *response, ks_metadata_response *out) {
    int32_t i = 0;
    KS_RESPONSE_ARRAY(response, out->topics, ks_cluster_topic_count(cluster), metadata_response_topic);
    for (ks_topic *topic = ks_cluster_topic_first(cluster); topic != NULL; topic = ks_topic_next(topic)) {
        describe_topic(topic, response, &out->topics.items[i++]);
    }
}

static void refuse_all(const ks_metadata_request *in, ks_envelope *response, ks_metadata_response *out) {
    KS_RESPONSE_ARRAY(response, out->topics, in->topics.count, metadata_response_topic);
    for (int32_t i = 0; i < in->topics.count; i++) {
        out->topics.items[i].name = ks_arena_string(response->arena, in->topics.items[i].name);
        if (in->topics.items[i].name.size < 0) out->topics.items[i].name = KS_LITERAL(""); /* not nullable before v12 */
        out->topics.items[i].topic_id = in->topics.items[i].topic_id;
        out->topics.items[i].error_code = KAFKA_ERR_INVALID_REQUEST;
    }
}

void ks_handle_metadata(ks_broker *broker, ks_request *request) {
    const ks_metadata_request *in = request->envelope->body;
    ks_cluster *cluster = broker->cluster;
    int16_t version = request->envelope->api_version;
    ks_envelope *response = ks_response_new(request);
    ks_metadata_response *out = response->body;
    KS_VEC(ks_string) missing = { 0 }; /* to be made after the answer; names of our own */
    describe_brokers(cluster, response, out);
    if (version >= 2) out->cluster_id = ks_cluster_id(cluster);
    if (version >= 1) out->controller_id = ks_cluster_controller(cluster);
    if (in->topics.count < 0 || (version == 0 && in->topics.count == 0)) {
        describe_all(cluster, response, out);
    } else if (contradicts(version, in)) {
        refuse_all(in, response, out);
    } else {
        bool create = may_create(cluster, version, in);
        KS_RESPONSE_ARRAY(response, out->topics, in->topics.count, metadata_response_topic);
        for (int32_t i = 0; i < in->topics.count; i++) {
            const topic_in *topic = &in->topics.items[i];
            if (describe_asked(broker, topic, create, response, &out->topics.items[i]))
                KS_PUSH(missing, ks_string_dup(topic->name));
        }
    }
    ks_respond(request, response);
    for (int32_t i = 0; i < missing.count;
         i++) { /* refusals (no such number of replicas) are seen by the next request */
        ks_topic_spec spec = { .name = missing.items[i], .partitions = -1, .replication_factor = -1 };
        ks_topic *topic;
        ks_cluster_create_topic(cluster, &spec, &topic, NULL);
        ks_free((void *)missing.items[i].data);
    }
    ks_free(missing.items);
}
