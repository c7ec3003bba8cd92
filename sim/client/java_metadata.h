/* SPDX-License-Identifier: Apache-2.0
 *
 * What a Java consumer knows of the cluster (ConsumerMetadata): brokers, and of the topics it cares about the partitions with
 * their leaders. Refreshed every metadata.max.age.ms, when somebody asks because something did not fit (at most once per
 * retry.backoff.ms), and when topics are added.
 */
#ifndef KS_JAVA_METADATA_H
#define KS_JAVA_METADATA_H

#include "sim/base/hash.h"
#include "sim/client/assignor.h"
#include "sim/client/java_network.h"

typedef struct ks_java_topic_partition {
    int32_t leader; /* -1: none */
    int32_t leader_epoch;
} ks_java_topic_partition;

typedef struct ks_java_topic {
    ks_string name; /* owned */
    ks_uuid id;
    bool exists;    /* the last answer had it; its partitions are those of the last time it did */
    uint64_t seen;  /* number of the answer that last spoke of it */
    kafka_error error;
    int32_t partition_count;
    ks_java_topic_partition *partitions; /* NULL where `shared` has them */
    const ks_metadata_response_partition *shared; /* by number, all with leaders, in `block`: what brokers tell many clients */
    ks_block *block;
    int32_t *replicas; /* only where brokers have racks: per partition a count, then the broker ids */
    int32_t wanted;    /* how many reasons there are to ask for it */
    UT_hash_handle hh, by_id;
} ks_java_topic;

typedef struct ks_java_broker {
    int32_t id, port;
    ks_string host, rack; /* rack null: none */
} ks_java_broker;

typedef struct ks_java_metadata ks_java_metadata;
typedef struct ks_java_metadata_config {
    ks_process *process;
    int64_t max_age_ns, backoff_ns, backoff_max_ns;
    bool allow_auto_create;
    void (*updated)(void *owner);                    /* a new answer is in */
    void (*failed)(void *owner, kafka_error error);  /* fatal for the application, e.g. INVALID_TOPIC_EXCEPTION */
    void *owner;
} ks_java_metadata_config;

ks_java_metadata *ks_java_metadata_new(const ks_java_metadata_config *config);
void ks_java_metadata_free(ks_java_metadata *metadata);
void ks_java_metadata_use(ks_java_metadata *metadata, ks_java_network *network); /* before anything is asked */

/* ---- reading ---- */

ks_java_topic *ks_java_metadata_topic(ks_java_metadata *metadata, ks_string name); /* NULL: never heard of */
ks_java_topic *ks_java_metadata_topic_by_id(ks_java_metadata *metadata, ks_uuid id);
bool ks_java_topic_known(const ks_java_topic *topic); /* NULL is allowed */
static inline int32_t ks_java_topic_leader(const ks_java_topic *topic, int32_t partition) {
    return topic->shared ? topic->shared[partition].leader_id : topic->partitions[partition].leader;
}
static inline int32_t ks_java_topic_leader_epoch(const ks_java_topic *topic, int32_t partition) {
    return topic->shared ? topic->shared[partition].leader_epoch : topic->partitions[partition].leader_epoch;
}
/* The partition's leader, when there is one that a broker is known for; -1. */
int32_t ks_java_metadata_leader(ks_java_metadata *metadata, ks_string topic, int32_t partition);
int32_t ks_java_metadata_leader_of(const ks_java_metadata *metadata, const ks_java_topic *topic, int32_t partition);
const ks_java_broker *ks_java_metadata_broker(const ks_java_metadata *metadata, int32_t id);
int32_t ks_java_metadata_broker_count(const ks_java_metadata *metadata);
const ks_java_broker *ks_java_metadata_broker_at(const ks_java_metadata *metadata, int32_t index);
bool ks_java_metadata_has_racks(const ks_java_metadata *metadata);
uint64_t ks_java_metadata_version(const ks_java_metadata *metadata); /* counts answers */
/* A topic as the assignors want it, with replica racks where brokers have any. */
ks_assignor_topic ks_java_metadata_assignor_topic(const ks_java_metadata *metadata, const ks_java_topic *topic, ks_arena *arena);

/* ---- asking ---- */

/* One more (or less) reason to ask for a topic. A new one is asked for at once. */
void ks_java_metadata_want(ks_java_metadata *metadata, ks_string name);
void ks_java_metadata_unwant(ks_java_metadata *metadata, ks_string name);
void ks_java_metadata_begin(ks_java_metadata *metadata);   /* the first request, due at this instant, goes out before others */
void ks_java_metadata_refresh(ks_java_metadata *metadata); /* what is known may be wrong */
bool ks_java_metadata_is_fresh(const ks_java_metadata *metadata); /* there was an answer, and none is asked for */
/* An answer came after number `version`, and it speaks of all topics wanted. */
bool ks_java_metadata_is_newer(const ks_java_metadata *metadata, uint64_t version);

#endif
