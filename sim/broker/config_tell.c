/* SPDX-License-Identifier: Apache-2.0
 * Trace events about topic configs: what changed, and which of them nothing here reads yet. */
#include "sim/broker/cluster_internal.h"

/* cleanup.policy has its effect, but compaction itself does not exist yet. */
static bool has_effect(const ks_topic_config *config, int32_t key) {
    if (key == KS_TOPIC_cleanup_policy) return (config->value[key] & KS_CLEANUP_COMPACT) == 0;
    return ks_topic_configs[key].has_effect;
}

static bool differs(const char *a, const char *b) {
    return (a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0);
}

void ks_config_tell(const ks_topic *topic, const ks_topic_config *former) {
    ks_cluster *cluster = topic->cluster;
    const ks_topic_config *config = topic->config;
    for (int32_t i = 0; i < KS_TOPIC_CONFIG_COUNT; i++) {
        if (!differs(config->text[i], former != NULL ? former->text[i] : NULL)) continue;
        ks_string name = ks_str(ks_topic_configs[i].name);
        KS_EMIT(cluster->kernel, NULL, config_changed, .resource_type = KS_LITERAL("topic"), .resource = topic->name,
                .name = name, .value = ks_str(config->text[i]));
        if (topic->internal || config->text[i] == NULL || has_effect(config, i) || (cluster->said >> i & 1)) continue;
        cluster->said |= UINT64_C(1) << i;
        KS_EMIT(cluster->kernel, NULL, config_without_effect, .resource_type = KS_LITERAL("topic"),
                .resource = topic->name, .name = name);
    }
}
