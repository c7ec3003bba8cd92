/* SPDX-License-Identifier: Apache-2.0
 * What the files of the cluster, the topics and the log handlers share. The group coordinator uses cluster.h alone. */
#ifndef KS_CLUSTER_INTERNAL_H
#define KS_CLUSTER_INTERNAL_H

#include "sim/broker/cluster.h"
#include "sim/protocol/events.h"

struct ks_fetch;

struct ks_cluster {
    ks_kernel *kernel;
    ks_broker *brokers; /* [id - 1] */
    int32_t broker_count, down_count;
    uint64_t changes; /* counts the changes of leaders and in-sync sets */
    char (*hosts)[20]; /* their names */
    char id[23];
    bool plain_placement;
    int64_t settings[KS_SETTING_COUNT];
    uint8_t setting_sources[KS_SETTING_COUNT]; /* ks_setting_source */
    int64_t given_settings[KS_SETTING_COUNT];  /* as the cluster was made, before any AlterConfigs */
    uint8_t given_sources[KS_SETTING_COUNT];
    ks_topic_config *default_config;
    uint64_t said; /* topic configs without effect that were said aloud; bit per key */

    ks_topic *topics_by_name, *topics_by_id, *topics_by_folded; /* the first in the order of creation */
    ks_cluster_watch *watches, **watches_last;
    ks_append_fault_fn *append_fault;
    void *append_fault_context;

    ks_timer rebalance_timer; /* preferred leaders; runs while one is displaced and could come back */

    ks_timer retention_timer; /* runs while something could become due (retention.c) */
    int64_t started_ms;
    KS_VEC(ks_partition *) logs; /* partitions that have a log */

    struct ks_fetch *parked, *ready, **ready_last; /* fetch_wait.c */

    uint64_t requests;             /* of those that must not name a partition twice */
    ks_batch_builder recompressed; /* of topics whose compression.type is not producer */
};

/* Calls `member` of every watch. */
#define KS_WATCHES(cluster, member, ...)                                                                               \
    do {                                                                                                               \
        for (ks_cluster_watch *watch_ = (cluster)->watches, *next_; watch_ != NULL; watch_ = next_) {                  \
            next_ = watch_->next;                                                                                      \
            if (watch_->member != NULL) watch_->member(watch_->context, __VA_ARGS__);                                  \
        }                                                                                                              \
    } while (0)

/* ---- broker.c ---- */
void ks_broker_init(ks_broker *broker, ks_cluster *cluster, int32_t id, const char *host, ks_string rack);
bool ks_broker_serves(int16_t api_key);

/* ---- cluster.c ---- */
ks_uuid ks_cluster_draw_id(ks_cluster *cluster);
static inline bool ks_cluster_all_up(const ks_cluster *cluster) { return cluster->down_count == 0; }

/* ---- topic.c ---- */
enum { KS_PARTITIONS_MAX = 10000 }; /* more in one topic: Kafka's controller takes no more in one request either */
/* May a topic of that name be made? INVALID_REQUEST, INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS. */
kafka_error ks_topic_new_check(const ks_cluster *cluster, ks_string name, ks_buffer *why);
void ks_topic_free(ks_topic *topic); /* with the cluster: tells nobody */

/* ---- assignment.c ---- */
/* One replica list that a request states: brokers that exist, each once, as many as the others have, one of them live.
 */
kafka_error ks_assignment_check(const ks_cluster *cluster, const int32_t *ids, int32_t count,
                                int32_t replication_factor, ks_buffer *why);

/* ---- leader.c ---- */
void ks_leaders_init(ks_cluster *cluster);
void ks_leaders_broker_down(ks_cluster *cluster, int32_t broker); /* cost: all partitions there are */
void ks_leaders_broker_up(ks_cluster *cluster, int32_t broker);
enum { KS_IDS_TEXT = 128 };
ks_string ks_ids_text(const int32_t *ids, int32_t count, char text[KS_IDS_TEXT]); /* "1,2,3", cut if it is too long */

/* ---- partition.c ---- */
/* Writes a checked batch, wakes nobody yet: ks_fetch_flush() does. `client` for the trace; log_append_time_ms -1:
 * create time. */
int64_t ks_partition_write(ks_partition *partition, ks_bytes batch, const ks_batch_header *header,
                           int64_t log_append_time_ms, ks_string client);
bool ks_partition_enough_in_sync(
    const ks_partition *partition); /* for acks all: min.insync.replicas, at most all replicas */
/* LG-33: the epoch a request carries (-1: none) against ours, then whether this broker leads. */
kafka_error ks_partition_check_leader(const ks_partition *partition, const ks_broker *broker,
                                      int32_t current_leader_epoch);

/* ---- retention.c ---- */
void ks_retention_init(ks_cluster *cluster);
void ks_retention_add(ks_partition *partition); /* it has a log from now on */
void ks_retention_forget(ks_cluster *cluster, const ks_topic *topic);
void ks_retention_expect(ks_partition *partition); /* after an append or a change: is the next check to come sooner? */

/* ---- config_resource.c ---- */
typedef enum ks_config_source {
    KS_SOURCE_TOPIC = 1,
    KS_SOURCE_DYNAMIC_DEFAULT = 3,
    KS_SOURCE_STATIC = 4,
    KS_SOURCE_DEFAULT = 5
} ks_config_source;
enum { KS_RESOURCE_TOPIC = 2, KS_RESOURCE_BROKER = 4 };
ks_config_source ks_setting_config_source(const ks_cluster *cluster, ks_setting setting);
ks_config_source ks_topic_config_source(const ks_cluster *cluster, const ks_topic_config *config,
                                        ks_topic_config_key key);
/* One change of a resource's configs, both AlterConfigs' and IncrementalAlterConfigs'. */
typedef struct ks_config_change {
    ks_string name, value;
    enum { KS_CHANGE_SET, KS_CHANGE_DELETE, KS_CHANGE_APPEND, KS_CHANGE_SUBTRACT } operation;
} ks_config_change;
/* All or nothing. replace: what is not named goes back to its default. */
kafka_error ks_config_alter(ks_cluster *cluster, int8_t resource_type, ks_string resource,
                            const ks_config_change *changes, int32_t count, bool replace, bool validate_only,
                            ks_buffer *why);

/* ---- config_tell.c ---- */
/* Trace events for what differs from `former` (NULL: from the defaults), and once for each config that has no effect.
 */
void ks_config_tell(const ks_topic *topic, const ks_topic_config *former);

#endif
