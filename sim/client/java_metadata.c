/* SPDX-License-Identifier: Apache-2.0
 * Metadata of a Java consumer; see java_metadata.h. */
#include "sim/client/java_metadata.h"

#include "sim/protocol/events.h"

struct ks_java_metadata {
    ks_java_metadata_config config;
    ks_java_network *network;
    ks_kernel *kernel;
    ks_java_topic *topics, *topics_by_id;
    KS_VEC(ks_java_broker) brokers;
    bool has_racks;
    uint64_t version;
    bool requested, in_flight; /* requested: again once the answer under way is in */
    bool new_wish;             /* a topic was added since the last request was sent */
    int64_t last_attempt;      /* INT64_MIN: never */
    int32_t failures;          /* answers in a row that were not good enough */
    ks_timer timer;            /* the next request: background when age asks, or a topic that may never come */
};

/* ---- reading ---- */

ks_java_topic *ks_java_metadata_topic(ks_java_metadata *metadata, ks_string name) {
    ks_java_topic *topic;
    KS_HASH_FIND_STRING(hh, metadata->topics, name, topic);
    return topic;
}

ks_java_topic *ks_java_metadata_topic_by_id(ks_java_metadata *metadata, ks_uuid id) {
    ks_java_topic *topic;
    HASH_FIND(by_id, metadata->topics_by_id, id.bytes, sizeof id.bytes, topic);
    return topic;
}

bool ks_java_topic_known(const ks_java_topic *topic) { return topic && topic->exists; }

const ks_java_broker *ks_java_metadata_broker(const ks_java_metadata *metadata, int32_t id) {
    for (int32_t i = 0; i < metadata->brokers.count; i++) /* few */
        if (metadata->brokers.items[i].id == id) return &metadata->brokers.items[i];
    return NULL;
}

int32_t ks_java_metadata_broker_count(const ks_java_metadata *metadata) { return metadata->brokers.count; }

const ks_java_broker *ks_java_metadata_broker_at(const ks_java_metadata *metadata, int32_t index) {
    return &metadata->brokers.items[index];
}

bool ks_java_metadata_has_racks(const ks_java_metadata *metadata) { return metadata->has_racks; }
uint64_t ks_java_metadata_version(const ks_java_metadata *metadata) { return metadata->version; }

int32_t ks_java_metadata_leader(ks_java_metadata *metadata, ks_string name, int32_t partition) {
    const ks_java_topic *topic = ks_java_metadata_topic(metadata, name);
    return topic ? ks_java_metadata_leader_of(metadata, topic, partition) : -1;
}

int32_t ks_java_metadata_leader_of(const ks_java_metadata *metadata, const ks_java_topic *topic, int32_t partition) {
    if (partition >= topic->partition_count) return -1;
    int32_t leader = ks_java_topic_leader(topic, partition);
    return leader >= 0 && ks_java_metadata_broker(metadata, leader) ? leader : -1;
}

ks_assignor_topic ks_java_metadata_assignor_topic(const ks_java_metadata *metadata, const ks_java_topic *topic, ks_arena *arena) {
    ks_assignor_topic out = { .name = topic->name, .partition_count = topic->partition_count };
    if (topic->replicas == NULL) return out;
    ks_replica_racks *racks = ks_arena_alloc(arena, ((size_t)topic->partition_count + 1) * sizeof *racks);
    const int32_t *next = topic->replicas;
    for (int32_t p = 0; p < topic->partition_count; p++) {
        int32_t replicas = *next++;
        ks_string *list = ks_arena_alloc(arena, ((size_t)replicas + 1) * sizeof *list);
        for (int32_t r = 0; r < replicas; r++, next++) {
            const ks_java_broker *broker = ks_java_metadata_broker(metadata, *next);
            if (broker && broker->rack.size > 0) list[racks[p].count++] = broker->rack;
        }
        racks[p].racks = list;
    }
    out.replica_racks = racks;
    return out;
}

/* ---- an answer ---- */

static void forget_brokers(ks_java_metadata *metadata) {
    for (int32_t i = 0; i < metadata->brokers.count; i++) {
        ks_free((void *)metadata->brokers.items[i].host.data);
        ks_free((void *)metadata->brokers.items[i].rack.data);
    }
    metadata->brokers.count = 0;
}

static void learn_brokers(ks_java_metadata *metadata, const ks_metadata_response *response) {
    if (response->brokers.count == 0) return;
    forget_brokers(metadata);
    metadata->has_racks = false;
    for (int32_t i = 0; i < response->brokers.count; i++) {
        const ks_metadata_response_broker *broker = &response->brokers.items[i];
        KS_PUSH(metadata->brokers, (ks_java_broker){ broker->node_id, broker->port, ks_string_dup(broker->host),
                                                     ks_string_dup(broker->rack) });
        metadata->has_racks |= broker->rack.size > 0;
    }
}

static void learn_replicas(ks_java_metadata *metadata, ks_java_topic *topic, const ks_metadata_response_topic *in) {
    ks_free(topic->replicas);
    topic->replicas = NULL;
    if (!metadata->has_racks) return;
    int64_t total = 0;
    for (int32_t p = 0; p < in->partitions.count; p++) total += 1 + in->partitions.items[p].replica_nodes.count;
    int32_t *next = topic->replicas = ks_alloc(((size_t)total + 1) * sizeof *topic->replicas);
    for (int32_t p = 0; p < in->partitions.count; p++) { /* answers list them by number */
        *next++ = in->partitions.items[p].replica_nodes.count;
        for (int32_t r = 0; r < in->partitions.items[p].replica_nodes.count; r++)
            *next++ = in->partitions.items[p].replica_nodes.items[r];
    }
}

static void forget_partitions(ks_java_topic *topic) {
    ks_block_release(topic->block);
    ks_free(topic->partitions);
    topic->block = NULL;
    topic->shared = NULL;
    topic->partitions = NULL;
    topic->partition_count = 0;
}

/* A broker that describes a big topic for many clients in one block has put all partitions in order, each with its leader. */
static bool share_partitions(ks_java_topic *topic, const ks_metadata_response_topic *in, const ks_envelope *envelope) {
    const uint8_t *rows = (const uint8_t *)in->partitions.items;
    for (const ks_block_ref *ref = envelope->blocks; ref; ref = ref->next) {
        if (rows < ref->block->data || rows >= ref->block->data + ref->block->capacity) continue;
        ks_block_hold(ref->block);
        forget_partitions(topic);
        topic->block = ref->block;
        topic->shared = in->partitions.items;
        topic->partition_count = in->partitions.count;
        return true;
    }
    return false;
}

static void learn_partitions(ks_java_metadata *metadata, ks_java_topic *topic, const ks_metadata_response_topic *in,
                             const ks_envelope *envelope) {
    if (share_partitions(topic, in, envelope)) {
        learn_replicas(metadata, topic, in);
        return;
    }
    if (topic->shared) forget_partitions(topic);
    if (topic->partition_count != in->partitions.count) {
        topic->partitions = ks_realloc(topic->partitions, ((size_t)in->partitions.count + 1) * sizeof *topic->partitions);
        topic->partition_count = in->partitions.count;
        for (int32_t p = 0; p < topic->partition_count; p++) topic->partitions[p] = (ks_java_topic_partition){ -1, -1 };
    }
    for (int32_t p = 0; p < in->partitions.count; p++) {
        const ks_metadata_response_partition *partition = &in->partitions.items[p];
        if (partition->partition_index < 0 || partition->partition_index >= topic->partition_count) continue;
        topic->partitions[partition->partition_index] =
            (ks_java_topic_partition){ partition->error_code ? -1 : partition->leader_id, partition->leader_epoch };
    }
    learn_replicas(metadata, topic, in);
}

static void set_id(ks_java_metadata *metadata, ks_java_topic *topic, ks_uuid id) {
    if (ks_uuid_equal(topic->id, id)) return;
    if (!ks_uuid_is_zero(topic->id)) HASH_DELETE(by_id, metadata->topics_by_id, topic);
    topic->id = id;
    if (!ks_uuid_is_zero(id)) HASH_ADD(by_id, metadata->topics_by_id, id, sizeof id, topic);
}

/* Kafka keeps what it knew of a topic whose answer is a retriable error, and asks again. */
static bool learn_topic(ks_java_metadata *metadata, const ks_metadata_response_topic *in, const ks_envelope *envelope) {
    ks_java_topic *topic = ks_java_metadata_topic(metadata, in->name);
    if (topic == NULL) return true;
    topic->seen = metadata->version;
    topic->error = (kafka_error)in->error_code;
    if (topic->error == KAFKA_OK) {
        topic->exists = true;
        set_id(metadata, topic, in->topic_id);
        learn_partitions(metadata, topic, in, envelope);
        for (int32_t p = 0; p < topic->partition_count && !topic->shared; p++)
            if (topic->partitions[p].leader < 0) return false;
        return true;
    }
    if (topic->error == KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION) topic->exists = false;
    if (topic->error == KAFKA_ERR_INVALID_TOPIC_EXCEPTION || topic->error == KAFKA_ERR_TOPIC_AUTHORIZATION_FAILED)
        metadata->config.failed(metadata->config.owner, topic->error);
    return !kafka_error_is_retriable(topic->error);
}

/* ---- asking ---- */

/* New wishes go out at once; doubts about what is known, and answers that were not good enough, wait a little. */
static int64_t backoff(const ks_java_metadata *metadata) {
    if (metadata->new_wish) return 0;
    int64_t pause = metadata->config.backoff_ns;
    for (int32_t i = 1; i < metadata->failures && pause < metadata->config.backoff_max_ns; i++) pause *= 2;
    return pause < metadata->config.backoff_max_ns ? pause : metadata->config.backoff_max_ns;
}

static void schedule(ks_java_metadata *metadata) {
    if (metadata->in_flight || metadata->network == NULL) return;
    int64_t now = ks_now(metadata->kernel), at = now;
    if (metadata->last_attempt != INT64_MIN)
        at = metadata->last_attempt + (metadata->requested ? backoff(metadata) : metadata->config.max_age_ns);
    int64_t delay = at > now ? at - now : 0;
    if (metadata->requested && metadata->failures == 0) ks_timer_start(metadata->kernel, &metadata->timer, delay);
    else ks_timer_start_background(metadata->kernel, &metadata->timer, delay);
}

static void answered(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_java_metadata *metadata = owner;
    metadata->in_flight = false;
    if (error) {
        metadata->requested = true;
        metadata->failures++;
        schedule(metadata);
        return;
    }
    const ks_metadata_response *response = envelope->body;
    metadata->version++;
    learn_brokers(metadata, response);
    bool complete = true;
    for (int32_t i = 0; i < response->topics.count; i++) complete &= learn_topic(metadata, &response->topics.items[i], envelope);
    if (complete && metadata->failures > 0) ks_progress(metadata->kernel);
    metadata->requested |= !complete;
    metadata->failures = complete ? 0 : metadata->failures + 1;
    schedule(metadata);
    metadata->config.updated(metadata->config.owner);
}

static void ask(ks_timer *timer) {
    ks_java_metadata *metadata = timer->owner;
    int32_t node;
    int64_t retry_at;
    if (!ks_java_least_loaded(metadata->network, &node, &retry_at)) {
        ks_timer_start_at(metadata->kernel, timer, retry_at);
        return;
    }
    ks_envelope *envelope = ks_java_request(metadata->network, KS_API_metadata, -1);
    ks_metadata_request *request = envelope->body;
    request->allow_auto_topic_creation = metadata->config.allow_auto_create;
    request->topics.items = ks_arena_alloc(envelope->arena, ((size_t)HASH_CNT(hh, metadata->topics) + 1) * sizeof *request->topics.items);
    for (ks_java_topic *topic = metadata->topics; topic; topic = topic->hh.next) {
        if (topic->wanted == 0) continue;
        ks_metadata_request_topic *out = &request->topics.items[request->topics.count++];
        ks_struct_default(ks_describe_metadata_request_topic(), out);
        out->name = ks_arena_string(envelope->arena, topic->name);
    }
    metadata->in_flight = true;
    metadata->requested = metadata->new_wish = false;
    metadata->last_attempt = ks_now(metadata->kernel);
    ks_java_send(metadata->network, node, envelope, 0, answered, metadata);
}

void ks_java_metadata_refresh(ks_java_metadata *metadata) {
    if (metadata->requested) return;
    metadata->requested = true;
    schedule(metadata);
}

void ks_java_metadata_begin(ks_java_metadata *metadata) {
    if (metadata->last_attempt != INT64_MIN || !ks_timer_is_running(&metadata->timer)) return;
    ks_timer_stop(&metadata->timer);
    ask(&metadata->timer);
}

void ks_java_metadata_want(ks_java_metadata *metadata, ks_string name) {
    ks_java_topic *topic = ks_java_metadata_topic(metadata, name);
    if (topic == NULL) {
        topic = ks_alloc(sizeof *topic);
        topic->name = ks_string_dup(name);
        KS_HASH_ADD_STRING(hh, metadata->topics, name, topic);
    }
    if (topic->wanted++ > 0) return;
    metadata->requested = metadata->new_wish = true;
    metadata->failures = 0;
    schedule(metadata);
}

static void forget_topic(ks_java_metadata *metadata, ks_java_topic *topic) {
    set_id(metadata, topic, (ks_uuid){ { 0 } });
    HASH_DELETE(hh, metadata->topics, topic);
    ks_free((void *)topic->name.data);
    forget_partitions(topic);
    ks_free(topic->replicas);
    ks_free(topic);
}

void ks_java_metadata_unwant(ks_java_metadata *metadata, ks_string name) {
    ks_java_topic *topic = ks_java_metadata_topic(metadata, name);
    ks_assert(topic && topic->wanted > 0);
    if (--topic->wanted > 0) return;
    forget_topic(metadata, topic);
    metadata->version++; /* who remembers the topic looks again */
}

bool ks_java_metadata_is_fresh(const ks_java_metadata *metadata) {
    return metadata->version > 0 && !metadata->requested && !metadata->in_flight;
}

bool ks_java_metadata_is_newer(const ks_java_metadata *metadata, uint64_t version) {
    return metadata->version > version && !metadata->new_wish;
}

/* ---- life ---- */

ks_java_metadata *ks_java_metadata_new(const ks_java_metadata_config *config) {
    ks_java_metadata *metadata = ks_alloc(sizeof *metadata);
    metadata->config = *config;
    metadata->kernel = ks_process_kernel(config->process);
    metadata->last_attempt = INT64_MIN;
    ks_timer_init(&metadata->timer, ks_process_node(config->process), ask, metadata);
    return metadata;
}

void ks_java_metadata_use(ks_java_metadata *metadata, ks_java_network *network) { metadata->network = network; }

void ks_java_metadata_free(ks_java_metadata *metadata) {
    if (metadata == NULL) return;
    ks_timer_stop(&metadata->timer);
    while (metadata->topics) forget_topic(metadata, metadata->topics);
    forget_brokers(metadata);
    ks_free(metadata->brokers.items);
    ks_free(metadata);
}
