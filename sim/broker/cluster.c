/* SPDX-License-Identifier: Apache-2.0
 * The cluster as a whole: made from a config, asked for its parts. Nothing here costs anything before it is used. */
#include "sim/broker/cluster_internal.h"

#include <stdio.h>

#include "sim/broker/fetch_session.h"
#include "sim/broker/group_coordinator.h"

/* ---- config ---- */

static kafka_error refuse(ks_buffer *why, const char *sentence) {
    if (why != NULL) ks_buffer_text(why, sentence);
    return KAFKA_ERR_INVALID_CONFIG;
}

static kafka_error read_settings(const ks_cluster_config *config, int64_t values[KS_SETTING_COUNT], uint8_t *sources,
                                 ks_buffer *why) {
    for (int32_t i = 0; i < KS_SETTING_COUNT; i++) values[i] = ks_settings[i].fallback;
    memset(sources, KS_SETTING_DEFAULT, KS_SETTING_COUNT);
    for (int32_t i = 0; i < config->setting_count; i++) {
        ks_string name = ks_str(config->settings[i].name), value = ks_str(config->settings[i].value);
        int32_t setting = ks_setting_find(name);
        if (setting < 0) {
            if (why != NULL) ks_config_suggest(ks_settings, KS_SETTING_COUNT, name, why);
            return KAFKA_ERR_INVALID_CONFIG;
        }
        kafka_error error = ks_config_parse(&ks_settings[setting], value, &values[setting], why);
        if (error != KAFKA_OK) return error;
        sources[setting] = KS_SETTING_STATIC;
    }
    return KAFKA_OK;
}

static kafka_error check_ranges(const int64_t values[KS_SETTING_COUNT], ks_buffer *why) {
    if (values[KS_SETTING_group_min_session_timeout_ms] > values[KS_SETTING_group_max_session_timeout_ms]) {
        return refuse(why, "group.min.session.timeout.ms is above group.max.session.timeout.ms");
    }
    if (values[KS_SETTING_group_consumer_heartbeat_interval_ms] >=
        values[KS_SETTING_group_consumer_session_timeout_ms]) {
        return refuse(why, "group.consumer.heartbeat.interval.ms is not below group.consumer.session.timeout.ms");
    }
#define OUTSIDE(name)                                                                                                  \
    (values[KS_SETTING_group_consumer_##name] < values[KS_SETTING_group_consumer_min_##name] ||                        \
     values[KS_SETTING_group_consumer_##name] > values[KS_SETTING_group_consumer_max_##name])
    if (OUTSIDE(session_timeout_ms)) {
        return refuse(why, "group.consumer.session.timeout.ms is not between group.consumer.min.session.timeout.ms and "
                           "group.consumer.max.session.timeout.ms");
    }
    if (OUTSIDE(heartbeat_interval_ms)) {
        return refuse(why, "group.consumer.heartbeat.interval.ms is not between group.consumer.min.heartbeat.interval.ms and "
                           "group.consumer.max.heartbeat.interval.ms");
    }
#undef OUTSIDE
    return KAFKA_OK;
}

kafka_error ks_cluster_config_check(const ks_cluster_config *config, ks_buffer *why) {
    int64_t values[KS_SETTING_COUNT];
    uint8_t sources[KS_SETTING_COUNT];
    if (config == NULL) return KAFKA_OK;
    if (config->brokers < 0 || config->brokers > KS_BROKERS_MAX) {
        if (why != NULL)
            ks_buffer_printf(why, "a cluster has 1 to %d brokers, not %d", KS_BROKERS_MAX, (int)config->brokers);
        return KAFKA_ERR_INVALID_CONFIG;
    }
    kafka_error error = read_settings(config, values, sources, why);
    return error != KAFKA_OK ? error : check_ranges(values, why);
}

/* ---- life ---- */

/* A random id as Kafka's Uuid.randomUuid(): version 4, and never one that begins with '-' when printed. */
ks_uuid ks_cluster_draw_id(ks_cluster *cluster) {
    ks_uuid id;
    char text[23];
    do {
        for (int half = 0; half < 2; half++) {
            uint64_t bits = ks_random(cluster->kernel, KS_STREAM_IDS);
            for (int i = 0; i < 8; i++) id.bytes[8 * half + i] = (uint8_t)(bits >> 8 * i);
        }
        id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x40);
        id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    } while (ks_uuid_text(id, text)[0] == '-');
    return id;
}

static void make_brokers(ks_cluster *cluster, const ks_cluster_config *config) {
    int32_t count = config->brokers > 0 ? config->brokers : 1;
    cluster->broker_count = count;
    cluster->brokers = ks_alloc((size_t)count * sizeof *cluster->brokers);
    cluster->hosts = ks_alloc((size_t)count * sizeof *cluster->hosts);
    for (int32_t i = 0; i < count; i++) {
        snprintf(cluster->hosts[i], sizeof cluster->hosts[i], "broker-%d", (int)(i + 1));
        ks_string rack = config->racks != NULL ? ks_str(config->racks[i]) : KS_NULL_STRING;
        ks_broker_init(&cluster->brokers[i], cluster, i + 1, cluster->hosts[i], rack);
    }
}

/* There from the start (a real cluster makes it at first use), compacted, and with as many replicas as it can have. */
static void make_offsets_topic(ks_cluster *cluster) {
    int64_t segment_bytes = cluster->settings[KS_SETTING_offsets_topic_segment_bytes];
    int64_t replicas = cluster->settings[KS_SETTING_offsets_topic_replication_factor];
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)(segment_bytes < 14 ? 14 : segment_bytes));
    ks_topic_config *config = ks_topic_config_copy(cluster->default_config, cluster->settings);
    kafka_error error =
        ks_topic_config_set(config, KS_LITERAL("cleanup.policy"), KS_LITERAL("compact"), cluster->settings, NULL);
    ks_assert(error == KAFKA_OK);
    error = ks_topic_config_set(config, KS_LITERAL("segment.bytes"), ks_str(text), cluster->settings, NULL);
    ks_assert(error == KAFKA_OK);
    ks_topic_spec spec = { .name = KS_LITERAL(KS_OFFSETS_TOPIC),
                           .config = config,
                           .partitions = (int32_t)cluster->settings[KS_SETTING_offsets_topic_num_partitions],
                           .replication_factor =
                               replicas < cluster->broker_count ? (int32_t)replicas : cluster->broker_count };
    ks_topic *topic;
    error = ks_cluster_create_topic(cluster, &spec, &topic, NULL);
    ks_assert(error == KAFKA_OK);
    ks_topic_config_release(config);
}

ks_cluster *ks_cluster_new(ks_kernel *kernel, const ks_cluster_config *config) {
    static const ks_cluster_config defaults = { 0 };
    if (config == NULL) config = &defaults;
    if (ks_cluster_config_check(config, NULL) != KAFKA_OK) return NULL;
    ks_cluster *cluster = ks_alloc(sizeof *cluster);
    cluster->kernel = kernel;
    cluster->plain_placement = config->plain_placement;
    cluster->watches_last = &cluster->watches;
    cluster->ready_last = &cluster->ready;
    read_settings(config, cluster->settings, cluster->setting_sources, NULL);
    memcpy(cluster->given_settings, cluster->settings, sizeof cluster->settings);
    memcpy(cluster->given_sources, cluster->setting_sources, sizeof cluster->setting_sources);
    cluster->default_config = ks_topic_config_new(cluster->settings);
    ks_uuid_text(ks_cluster_draw_id(cluster), cluster->id);
    ks_leaders_init(cluster);
    ks_retention_init(cluster);
    make_brokers(cluster, config);
    make_offsets_topic(cluster);
    ks_group_coordinators_start(cluster);
    for (int32_t i = 0; i < config->setting_count; i++) { /* what has no effect is said aloud */
        const ks_config_key *key = &ks_settings[ks_setting_find(ks_str(config->settings[i].name))];
        if (!key->has_effect) {
            KS_EMIT(kernel, NULL, config_without_effect, .resource_type = KS_LITERAL("broker"),
                    .resource = KS_NULL_STRING, .name = ks_str(key->name));
        }
    }
    return cluster;
}

void ks_cluster_free(ks_cluster *cluster) {
    if (cluster == NULL) return;
    for (ks_cluster_watch *watch; (watch = cluster->watches) != NULL;) {
        cluster->watches = watch->next;
        if (watch->closing != NULL) watch->closing(watch->context);
    }
    ks_fetch_drop_all(cluster, NULL);
    for (int32_t i = 0; i < cluster->broker_count; i++) ks_fetch_sessions_free(cluster->brokers[i].fetch_sessions);
    ks_timer_stop(&cluster->rebalance_timer);
    ks_timer_stop(&cluster->retention_timer);
    for (ks_topic *topic = cluster->topics_by_name, *next; topic != NULL; topic = next) {
        next = ks_topic_next(topic);
        ks_topic_free(topic);
    }
    ks_free(cluster->logs.items);
    ks_batch_builder_deinit(&cluster->recompressed);
    ks_topic_config_release(cluster->default_config);
    for (int32_t i = 0; i < cluster->broker_count; i++) ks_free((void *)cluster->brokers[i].rack.data);
    ks_free(cluster->brokers);
    ks_free(cluster->hosts);
    ks_free(cluster);
}

/* ---- asking ---- */

ks_kernel *ks_cluster_kernel(const ks_cluster *cluster) { return cluster->kernel; }
ks_string ks_cluster_id(const ks_cluster *cluster) { return (ks_string){ cluster->id, 22 }; }
int64_t ks_cluster_setting(const ks_cluster *cluster, ks_setting setting) { return cluster->settings[setting]; }
const int64_t *ks_cluster_settings(const ks_cluster *cluster) { return cluster->settings; }
ks_setting_source ks_cluster_setting_source(const ks_cluster *cluster, ks_setting setting) {
    return (ks_setting_source)cluster->setting_sources[setting];
}

int32_t ks_cluster_controller(const ks_cluster *cluster) {
    for (int32_t i = 0; i < cluster->broker_count; i++) {
        if (cluster->brokers[i].up) return cluster->brokers[i].id;
    }
    return -1;
}

int32_t ks_cluster_broker_count(const ks_cluster *cluster) { return cluster->broker_count; }

ks_broker *ks_cluster_broker_find(const ks_cluster *cluster, int32_t id) {
    return id >= 1 && id <= cluster->broker_count ? &cluster->brokers[id - 1] : NULL;
}

ks_node *ks_cluster_resolve(void *context, ks_string host, int32_t port) {
    static const char prefix[] = "broker-";
    enum { PREFIX = sizeof prefix - 1 };
    ks_cluster *cluster = context;
    int32_t id = 0;
    if (port != KS_BROKER_PORT || host.size <= PREFIX || host.size > PREFIX + 4 ||
        memcmp(host.data, prefix, PREFIX) != 0)
        return NULL;
    for (int32_t i = PREFIX; i < host.size; i++) {
        if (host.data[i] < '0' || host.data[i] > '9') return NULL;
        id = id * 10 + (host.data[i] - '0');
    }
    ks_broker *broker = ks_cluster_broker_find(cluster, id);
    return broker != NULL && ks_string_equal(broker->host, host) ? broker->node : NULL;
}

/* ---- watches ---- */

void ks_cluster_watch_start(ks_cluster *cluster, ks_cluster_watch *watch) {
    watch->next = NULL;
    *cluster->watches_last = watch;
    cluster->watches_last = &watch->next;
}

void ks_cluster_watch_stop(ks_cluster *cluster, ks_cluster_watch *watch) {
    for (ks_cluster_watch **link = &cluster->watches; *link != NULL; link = &(*link)->next) {
        if (*link != watch) continue;
        *link = watch->next;
        if (cluster->watches_last == &watch->next) cluster->watches_last = link;
        return;
    }
}

void ks_cluster_set_append_fault(ks_cluster *cluster, ks_append_fault_fn *fault, void *context) {
    cluster->append_fault = fault;
    cluster->append_fault_context = context;
}
