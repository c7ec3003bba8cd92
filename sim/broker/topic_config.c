/* SPDX-License-Identifier: Apache-2.0
 * A topic's configs: its overrides over the brokers' defaults (Kafka's LogConfig.fromProps). */
#include "sim/broker/config.h"

/* Where the default is not simply the broker setting of the table: units, and settings that stand in for unset ones. */
static int64_t inherited(ks_topic_config_key key, const int64_t settings[KS_SETTING_COUNT]) {
    int16_t setting = ks_topic_configs[key].setting;
    if (setting < 0) return 0;
    int64_t value = settings[setting];
    if (value != KS_CONFIG_UNSET) return value;
    if (key == KS_TOPIC_segment_ms) return settings[KS_SETTING_log_roll_hours] * 3600000;
    if (key == KS_TOPIC_flush_ms) return INT64_MAX;
    ks_assert(key == KS_TOPIC_retention_ms);
    int64_t minutes = settings[KS_SETTING_log_retention_minutes], hours = settings[KS_SETTING_log_retention_hours];
    if (minutes != KS_CONFIG_UNSET) return minutes < 0 ? -1 : minutes * 60000;
    return hours < 0 ? -1 : hours * 3600000;
}

static void inherit(ks_topic_config *config, const int64_t settings[KS_SETTING_COUNT]) {
    for (int32_t i = 0; i < KS_TOPIC_CONFIG_COUNT; i++) {
        if (!(config->overridden >> i & 1)) config->value[i] = inherited((ks_topic_config_key)i, settings);
    }
}

ks_topic_config *ks_topic_config_new(const int64_t settings[KS_SETTING_COUNT]) {
    ks_topic_config *config = ks_alloc(sizeof *config);
    config->references = 1;
    inherit(config, settings);
    return config;
}

ks_topic_config *ks_topic_config_copy(const ks_topic_config *config, const int64_t settings[KS_SETTING_COUNT]) {
    ks_topic_config *copy = ks_alloc(sizeof *copy);
    *copy = *config;
    copy->references = 1;
    for (int32_t i = 0; i < KS_TOPIC_CONFIG_COUNT; i++) {
        if (copy->text[i] != NULL) copy->text[i] = ks_strndup(copy->text[i], strlen(copy->text[i]));
    }
    inherit(copy, settings);
    return copy;
}

ks_topic_config *ks_topic_config_hold(ks_topic_config *config) {
    config->references++;
    return config;
}

void ks_topic_config_release(ks_topic_config *config) {
    if (config == NULL || --config->references > 0) return;
    for (int32_t i = 0; i < KS_TOPIC_CONFIG_COUNT; i++) ks_free(config->text[i]);
    ks_free(config);
}

static char *as_printed(const ks_config_key *key, int64_t value, ks_string text) {
    ks_buffer out = { 0 };
    if (key->type == KS_CONFIG_LIST) { /* as written: the order of a list is the user's */
        while (text.size > 0 && (uint8_t)text.data[0] <= ' ') text = (ks_string){ text.data + 1, text.size - 1 };
        while (text.size > 0 && (uint8_t)text.data[text.size - 1] <= ' ') text.size--;
        ks_buffer_string(&out, text);
    } else {
        ks_config_print(key, value, &out);
    }
    return ks_buffer_take(&out);
}

kafka_error ks_topic_config_set(ks_topic_config *config, ks_string name, ks_string value,
                                const int64_t settings[KS_SETTING_COUNT], ks_buffer *why) {
    ks_assert(config->references == 1);
    int32_t i = ks_topic_config_find(name);
    if (i < 0) {
        if (why != NULL) ks_config_suggest(ks_topic_configs, KS_TOPIC_CONFIG_COUNT, name, why);
        return KAFKA_ERR_INVALID_CONFIG;
    }
    int64_t parsed = 0;
    if (value.size >= 0) {
        kafka_error error = ks_config_parse(&ks_topic_configs[i], value, &parsed, why);
        if (error != KAFKA_OK) return error;
    }
    ks_free(config->text[i]);
    config->text[i] = value.size >= 0 ? as_printed(&ks_topic_configs[i], parsed, value) : NULL;
    if (value.size >= 0)
        config->overridden |= UINT64_C(1) << i;
    else
        config->overridden &= ~(UINT64_C(1) << i);
    config->value[i] = value.size >= 0 ? parsed : inherited((ks_topic_config_key)i, settings);
    return KAFKA_OK;
}

kafka_error ks_topic_config_check(const ks_topic_config *config, ks_buffer *why) {
    int64_t least = config->value[KS_TOPIC_min_compaction_lag_ms], most = config->value[KS_TOPIC_max_compaction_lag_ms];
    if (least <= most) return KAFKA_OK;
    if (why != NULL) {
        ks_buffer_printf(why, "conflict: min.compaction.lag.ms (%lld) is above max.compaction.lag.ms (%lld)",
                         (long long)least, (long long)most);
    }
    return KAFKA_ERR_INVALID_CONFIG;
}

void ks_topic_config_print(const ks_topic_config *config, ks_topic_config_key key, ks_buffer *out) {
    if (config->text[key] != NULL)
        ks_buffer_text(out, config->text[key]);
    else
        ks_config_print(&ks_topic_configs[key], config->value[key], out);
}
