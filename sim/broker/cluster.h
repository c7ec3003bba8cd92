/* SPDX-License-Identifier: Apache-2.0
 *
 * The cluster: brokers, topics, partitions and their leaders, settings. It is the controller's image of the metadata
 * log (Kafka's MetadataImage and ReplicationControlManager in one), which every broker reads at once.
 *
 * Until replication exists the replicas of a partition share one log, the high watermark is the log end, and a broker
 * that stops leaves the in-sync sets at once; its partitions move to the next live in-sync replica and stay there until
 * the preferred leader is elected again (every leader.imbalance.check.interval.seconds while one is displaced). As in
 * Kafka the last in-sync replica stays in the set when it stops, and the partition then has no leader until it returns.
 */
#ifndef KS_CLUSTER_H
#define KS_CLUSTER_H

#include "sim/base/hash.h"
#include "sim/broker/broker.h"
#include "sim/broker/config.h"
#include "sim/broker/log.h"

#define KS_OFFSETS_TOPIC "__consumer_offsets"
enum { KS_BROKER_PORT = 9092, KS_BROKERS_MAX = 1000, KS_NO_LEADER = -1 };

typedef struct ks_fetch_part ks_fetch_part; /* fetch_wait.h: one partition of a fetch */

struct ks_partition {
    ks_topic *topic;
    ks_log *log; /* NULL until the first append: ks_log_*() getters take NULL */
    int32_t
        *replicas; /* `replica_count` broker ids, the preferred leader first; the in-sync set follows them in memory */
    int32_t index;
    int32_t leader; /* broker id; KS_NO_LEADER */
    int32_t leader_epoch;
    int16_t replica_count, isr_count;
    ks_fetch_part *fetches, **fetches_last; /* that wait for news of it */
    uint64_t asked;                     /* by the request of that number (api_02), to find what it names twice */
};

struct ks_topic {
    ks_cluster *cluster;
    ks_string name; /* owned, NUL-terminated */
    ks_uuid id;
    bool internal;
    ks_topic_config *config;   /* held */
    ks_partition **partitions; /* stable addresses for the topic's life */
    int32_t partition_count;
    ks_string folded;      /* name with '.' as '_', of names with either; else null */
    KS_VEC(void *) memory; /* what the partitions lie in */
    ks_block *described;       /* its partitions as Metadata tells them (api_03_metadata.c); NULL: not made */
    uint64_t described_at;     /* the cluster's changes then, */
    int32_t described_count;   /* and how many partitions there were */
    UT_hash_handle by_name, by_id, by_folded;
};

typedef struct ks_cluster_config {
    int32_t brokers;                 /* 0: 1; their ids are 1..brokers */
    const char *const *racks;        /* one per broker, NULL entries: none; NULL: no racks. Copied */
    const ks_config_entry *settings; /* broker settings by Kafka's names. Copied */
    int32_t setting_count;
    bool plain_placement; /* every placement starts at the first broker instead of a drawn one (TC-6) */
} ks_cluster_config;

/* Is the config right? KAFKA_OK, or KAFKA_ERR_INVALID_CONFIG with what and why appended to `why` (may be NULL). */
kafka_error ks_cluster_config_check(const ks_cluster_config *config, ks_buffer *why);
/* Brokers and their nodes, __consumer_offsets, nothing else. NULL when ks_cluster_config_check() would object; a NULL
 * config means all defaults. Free it before the kernel. */
ks_cluster *ks_cluster_new(ks_kernel *kernel, const ks_cluster_config *config);
void ks_cluster_free(ks_cluster *cluster);

ks_kernel *ks_cluster_kernel(const ks_cluster *cluster);
ks_string ks_cluster_id(const ks_cluster *cluster); /* 22 characters, drawn */
int64_t ks_cluster_setting(const ks_cluster *cluster, ks_setting setting);
const int64_t *ks_cluster_settings(const ks_cluster *cluster);
typedef enum ks_setting_source { KS_SETTING_DEFAULT, KS_SETTING_STATIC, KS_SETTING_DYNAMIC } ks_setting_source;
ks_setting_source ks_cluster_setting_source(const ks_cluster *cluster, ks_setting setting);
int32_t ks_cluster_controller(const ks_cluster *cluster); /* the live broker with the lowest id; -1: all are down */

/* ---- brokers ---- */

int32_t ks_cluster_broker_count(const ks_cluster *cluster);
ks_broker *ks_cluster_broker_find(const ks_cluster *cluster, int32_t id); /* NULL: no such id. O(1) */
/* The name book for clients (a ks_resolve_fn): "broker-1", 9092. NULL: nobody has that address. O(1) */
ks_node *ks_cluster_resolve(void *cluster, ks_string host, int32_t port);

/* ---- topics and partitions: O(1) ---- */

ks_topic *ks_cluster_topic_find(const ks_cluster *cluster, ks_string name);
ks_topic *ks_cluster_topic_find_id(const ks_cluster *cluster, ks_uuid id);
ks_partition *ks_topic_partition(const ks_topic *topic, int32_t index); /* NULL: no such partition */
static inline bool ks_topic_has(const ks_topic *topic, int32_t partition) { return partition >= 0 && partition < topic->partition_count; }
ks_partition *ks_cluster_partition_find(const ks_cluster *cluster, ks_string topic, int32_t index);
ks_topic *ks_cluster_topic_first(const ks_cluster *cluster); /* in the order of creation */
ks_topic *ks_topic_next(const ks_topic *topic);
int32_t ks_cluster_topic_count(const ks_cluster *cluster);
ks_broker *ks_partition_leader(const ks_partition *partition); /* NULL: none. Leaders are always up */
static inline const int32_t *ks_partition_isr(const ks_partition *partition) {
    return partition->replicas + partition->replica_count;
}
bool ks_partition_in_sync(const ks_partition *partition, int32_t broker);
bool ks_partition_has_replica(const ks_partition *partition, int32_t broker);

/* ---- the controller's changes; each emits its trace event and calls the watches ---- */

typedef struct ks_topic_spec { /* borrowed */
    ks_string name;
    int32_t partitions;         /* -1: num.partitions */
    int32_t replication_factor; /* -1: default.replication.factor */
    const int32_t *assignment; /* NULL, or `partitions` times `replication_factor` (both given then) broker ids, checked
                                  by the caller */
    ks_topic_config *config;   /* held if the topic is made; NULL: defaults */
    bool validate_only;
} ks_topic_spec;
/* Checks and makes a topic (the rows of section 1.4 after the assignment's). KAFKA_OK with *topic set (NULL when
 * validate_only); else the error, with a sentence appended to `why` (may be NULL), and nothing changed. */
kafka_error ks_cluster_create_topic(ks_cluster *cluster, const ks_topic_spec *spec, ks_topic **topic, ks_buffer *why);
/* The same from a fixture: defaults but the counts (-1: broker default). */
kafka_error ks_cluster_create_simple_topic(ks_cluster *cluster, const char *name, int32_t partitions,
                                           int32_t replication_factor, ks_topic **topic);
kafka_error ks_topic_name_check(const ks_cluster *cluster, ks_string name,
                                ks_buffer *why); /* TC-1; collision with another topic too */
void ks_cluster_delete_topic(ks_cluster *cluster, ks_topic *topic);
/* Adds partitions up to `count`; assignment as in ks_topic_spec, for the new ones only. */
kafka_error ks_cluster_add_partitions(ks_topic *topic, int32_t count, const int32_t *assignment, bool validate_only,
                                      ks_buffer *why);
void ks_topic_set_config(ks_topic *topic, ks_topic_config *config); /* takes the reference */
/* Moves a leader by hand. INVALID_REQUEST: not a replica; ELIGIBLE_LEADERS_NOT_AVAILABLE: not live and in sync;
 * ELECTION_NOT_NEEDED: it leads already. */
kafka_error ks_partition_move_leader(ks_partition *partition, int32_t broker);

/* ---- appending inside the broker ---- */

/* Appends a batch made by ks_batch_builder to a partition, as its leader, without a client (group coordinator,
 * fixtures).
 *
 * batch        borrowed; one v2 batch
 * base_offset  set when KAFKA_OK; may be NULL
 * returns      KAFKA_ERR_NOT_LEADER_OR_FOLLOWER  no leader
 *              KAFKA_ERR_NOT_ENOUGH_REPLICAS     fewer in sync than min.insync.replicas (as with acks all)
 *              KAFKA_ERR_MESSAGE_TOO_LARGE       above max.message.bytes
 *              or what the append fault said; nothing is appended then
 * Parked fetches of the partition are answered before it returns. */
kafka_error ks_partition_append(ks_partition *partition, ks_bytes batch, int64_t *base_offset);

/* The same with an outcome that may come later (today only when the append fault says so; with replication when the
 * high watermark passes). `done` may be called before ks_partition_append_begin() returns, and exactly once unless
 * cancelled. The batch is appended at once; a failed one never. */
typedef struct ks_append ks_append;
struct ks_append {
    void (*done)(ks_append *append, kafka_error error, int64_t base_offset); /* base_offset -1 on failure */
    void *owner;                                                             /* free for the caller */
    /* the cluster's */
    ks_timer timer;
    kafka_error error;
    int64_t base_offset;
};
bool ks_partition_append_begin(ks_partition *partition, ks_bytes batch,
                               ks_append *append); /* zero it, set done and owner. True: `done` comes later */
void ks_append_cancel(ks_append *append);          /* done will not come; harmless when it came */

/* Asked before every append inside the broker: a failure and/or a delay (ns) of the outcome, by tests and by faults.
 * The delay counts for ks_partition_append_begin() only. */
typedef kafka_error ks_append_fault_fn(void *context, const ks_partition *partition, int64_t *delay_ns);
void ks_cluster_set_append_fault(ks_cluster *cluster, ks_append_fault_fn *fault, void *context); /* NULL: none */

/* ---- watches: who must act when the image changes; called in the order of starting, after the change ---- */

typedef struct ks_cluster_watch {
    /* A partition's leader changed; KS_NO_LEADER on either side. A restart of leadership with a new epoch at the same
     * broker comes too (from == to). Not called for the partitions of a topic being created or deleted. */
    void (*leader_changed)(void *context, ks_partition *partition, int32_t from, int32_t to);
    void (*topic_created)(void *context, ks_topic *topic);
    void (*topic_deleted)(void *context, ks_topic *topic); /* before its memory goes */
    void (*partitions_added)(void *context, ks_topic *topic, int32_t first);
    void (*config_changed)(void *context, ks_topic *topic);
    /* The broker's process died: connections and unanswered requests are gone; its partitions have already moved. */
    void (*broker_down)(void *context, ks_broker *broker);
    void (*broker_up)(void *context, ks_broker *broker);
    void (*closing)(
        void *context); /* the cluster is being freed: stop timers, free yourself; it calls nobody after that */
    void *context;
    struct ks_cluster_watch *next;                                         /* the cluster's */
} ks_cluster_watch;                                                        /* NULL members are skipped */
void ks_cluster_watch_start(ks_cluster *cluster, ks_cluster_watch *watch); /* kept until stopped or closing */
void ks_cluster_watch_stop(ks_cluster *cluster, ks_cluster_watch *watch);

/* ---- parked requests ---- */

/* What request->parked points to while a handler holds a request back: the connection ended, forget it. (When the
 * broker's process dies, broker_down comes instead and no request is cancelled.) */
typedef struct ks_parked {
    void (*cancelled)(struct ks_parked *parked, ks_request *request);
} ks_parked;

#endif
