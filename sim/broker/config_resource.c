/* SPDX-License-Identifier: Apache-2.0
 *
 * Configs as resources that requests describe and change (Kafka's ConfigurationControlManager, ConfigAdminManager):
 * topics, and the brokers' dynamic defaults, which are the resource of type broker with an empty name. Brokers share
 * one configuration, so a single broker's own is described but not changed.
 */
#include "sim/broker/cluster_internal.h"

/* ---- where a value comes from ---- */

ks_config_source ks_setting_config_source(const ks_cluster *cluster, ks_setting setting) {
    switch ((ks_setting_source)cluster->setting_sources[setting]) {
    case KS_SETTING_DEFAULT: return KS_SOURCE_DEFAULT;
    case KS_SETTING_STATIC: return KS_SOURCE_STATIC;
    case KS_SETTING_DYNAMIC: return KS_SOURCE_DYNAMIC_DEFAULT;
    }
    ks_unreachable("setting source");
}

ks_config_source ks_topic_config_source(const ks_cluster *cluster, const ks_topic_config *config,
                                        ks_topic_config_key key) {
    static const ks_setting stand_ins[] = { KS_SETTING_log_retention_minutes, KS_SETTING_log_retention_hours,
                                            KS_SETTING_log_roll_hours };
    if (config->overridden >> key & 1) return KS_SOURCE_TOPIC;
    int16_t setting = ks_topic_configs[key].setting;
    if (setting < 0) return KS_SOURCE_DEFAULT;
    if (cluster->settings[setting] != KS_CONFIG_UNSET) return ks_setting_config_source(cluster, (ks_setting)setting);
    for (int32_t i = key == KS_TOPIC_retention_ms ? 0 : 2; i < (key == KS_TOPIC_retention_ms ? 2 : 3); i++) {
        ks_config_source source = ks_setting_config_source(cluster, stand_ins[i]);
        if (source != KS_SOURCE_DEFAULT) return source;
    }
    return KS_SOURCE_DEFAULT;
}

/* ---- lists ---- */

static bool next_item(ks_string *list, ks_string *item) {
    if (list->size <= 0) return false;
    const char *comma = memchr(list->data, ',', (size_t)list->size);
    int32_t size = comma ? (int32_t)(comma - list->data) : list->size;
    *item = (ks_string){ list->data, size };
    *list = comma ? (ks_string){ comma + 1, list->size - size - 1 } : KS_NULL_STRING;
    while (item->size > 0 && item->data[0] == ' ') *item = (ks_string){ item->data + 1, item->size - 1 };
    while (item->size > 0 && item->data[item->size - 1] == ' ') item->size--;
    return true;
}

static bool in_list(ks_string list, ks_string wanted) {
    ks_string item;
    while (next_item(&list, &item)) {
        if (ks_string_equal(item, wanted)) return true;
    }
    return false;
}

static void add_items(ks_string from, ks_string unless_in, ks_buffer *out) {
    ks_string item;
    while (next_item(&from, &item)) {
        ks_string so_far = { (const char *)out->data, (int32_t)out->size };
        if (in_list(unless_in, item) || in_list(so_far, item)) continue;
        if (out->size > 0) ks_buffer_text(out, ",");
        ks_buffer_string(out, item);
    }
}

/* The list with the change applied. */
static void change_list(ks_string present, const ks_config_change *change, ks_buffer *out) {
    add_items(present, change->operation == KS_CHANGE_SUBTRACT ? change->value : KS_NULL_STRING, out);
    if (change->operation == KS_CHANGE_APPEND) add_items(change->value, KS_NULL_STRING, out);
}

/* ---- one change, of either kind of resource ---- */

static kafka_error refuse_change(ks_buffer *why, const char *sentence, ks_string name) {
    ks_buffer_printf(why, sentence, name.size > 0 ? (int)name.size : 0, name.size > 0 ? name.data : "");
    return KAFKA_ERR_INVALID_CONFIG;
}

/* The text that a change sets; null: back to the default. `present` is what holds now. `text` owns what had to be made.
 */
static kafka_error new_value(const ks_config_key *key, const ks_config_change *change, ks_string present,
                             ks_buffer *text, ks_string *value, ks_buffer *why) {
    *value = KS_NULL_STRING;
    if (change->operation == KS_CHANGE_DELETE) return KAFKA_OK;
    if (change->value.size < 0) {
        refuse_change(why, "null value for configuration \"%.*s\"", change->name);
        return KAFKA_ERR_INVALID_REQUEST;
    }
    *value = change->value;
    if (change->operation == KS_CHANGE_SET) return KAFKA_OK;
    if (key->type != KS_CONFIG_LIST)
        return refuse_change(why, "\"%.*s\" is not a list: nothing can be appended or subtracted", change->name);
    ks_buffer_clear(text);
    change_list(present, change, text);
    *value = (ks_string){ text->size > 0 ? (const char *)text->data : "", (int32_t)text->size };
    return KAFKA_OK;
}

static bool named_twice(const ks_config_change *changes, int32_t count, int32_t i) {
    for (int32_t j = 0; j < count; j++) {
        if (j != i && ks_string_equal(changes[j].name, changes[i].name)) return true;
    }
    return false;
}

/* ---- topics ---- */

static kafka_error change_topic(ks_topic_config *config, const ks_config_change *change, const int64_t *settings,
                                ks_buffer *why) {
    int32_t key = ks_topic_config_find(change->name);
    if (key < 0) {
        ks_config_suggest(ks_topic_configs, KS_TOPIC_CONFIG_COUNT, change->name, why);
        return KAFKA_ERR_INVALID_CONFIG;
    }
    ks_buffer present = { 0 }, text = { 0 };
    ks_string value;
    ks_topic_config_print(config, (ks_topic_config_key)key, &present);
    kafka_error error = new_value(&ks_topic_configs[key], change,
                                  (ks_string){ (const char *)present.data, (int32_t)present.size }, &text, &value, why);
    if (error == KAFKA_OK) error = ks_topic_config_set(config, change->name, value, settings, why);
    ks_buffer_deinit(&present);
    ks_buffer_deinit(&text);
    return error;
}

static kafka_error alter_topic(ks_cluster *cluster, ks_string resource, const ks_config_change *changes, int32_t count,
                               bool replace, bool validate_only, ks_buffer *why) {
    if (resource.size <= 0) {
        ks_buffer_text(why, "a topic resource needs the topic's name");
        return KAFKA_ERR_INVALID_REQUEST;
    }
    ks_topic *topic = ks_cluster_topic_find(cluster, resource);
    if (topic == NULL) return KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
    ks_topic_config *config =
        ks_topic_config_copy(replace ? cluster->default_config : topic->config, cluster->settings);
    kafka_error error = KAFKA_OK;
    for (int32_t i = 0; i < count && error == KAFKA_OK; i++)
        error = change_topic(config, &changes[i], cluster->settings, why);
    if (error == KAFKA_OK) error = ks_topic_config_check(config, why);
    if (error == KAFKA_OK && !validate_only)
        ks_topic_set_config(topic, config);
    else
        ks_topic_config_release(config);
    return error;
}

/* ---- the brokers' dynamic defaults ---- */

static kafka_error change_setting(ks_cluster *cluster, int64_t *values, uint8_t *sources,
                                  const ks_config_change *change, ks_buffer *why) {
    int32_t setting = ks_setting_find(change->name);
    if (setting < 0) {
        ks_config_suggest(ks_settings, KS_SETTING_COUNT, change->name, why);
        return KAFKA_ERR_INVALID_CONFIG;
    }
    if (!ks_settings[setting].dynamic) {
        refuse_change(why, "\"%.*s\" cannot be changed while the brokers run", change->name);
        return KAFKA_ERR_INVALID_REQUEST;
    }
    ks_buffer present = { 0 }, text = { 0 };
    ks_string value;
    ks_config_print(&ks_settings[setting], values[setting], &present);
    kafka_error error = new_value(&ks_settings[setting], change,
                                  (ks_string){ (const char *)present.data, (int32_t)present.size }, &text, &value, why);
    if (error == KAFKA_OK && value.size < 0) {
        values[setting] = cluster->given_settings[setting];
        sources[setting] = cluster->given_sources[setting];
    } else if (error == KAFKA_OK) {
        error = ks_config_parse(&ks_settings[setting], value, &values[setting], why);
        if (error == KAFKA_OK) sources[setting] = KS_SETTING_DYNAMIC;
    }
    ks_buffer_deinit(&present);
    ks_buffer_deinit(&text);
    return error;
}

static void tell_settings(ks_cluster *cluster, const int64_t *values, const uint8_t *sources) {
    for (int32_t i = 0; i < KS_SETTING_COUNT; i++) {
        if (values[i] == cluster->settings[i] && sources[i] == cluster->setting_sources[i]) continue;
        ks_buffer text = { 0 };
        ks_config_print(&ks_settings[i], values[i], &text);
        bool set = sources[i] == KS_SETTING_DYNAMIC;
        KS_EMIT(cluster->kernel, NULL, config_changed, .resource_type = KS_LITERAL("broker"),
                .resource = KS_LITERAL(""), .name = ks_str(ks_settings[i].name),
                .value = set ? (ks_string){ (const char *)text.data, (int32_t)text.size } : KS_NULL_STRING);
        ks_buffer_deinit(&text);
    }
}

/* Every topic inherits anew. Cost: all topics. */
static void apply_settings(ks_cluster *cluster, const int64_t *values, const uint8_t *sources) {
    ks_topic_config *former = cluster->default_config;
    tell_settings(cluster, values, sources);
    memcpy(cluster->settings, values, sizeof cluster->settings);
    memcpy(cluster->setting_sources, sources, sizeof cluster->setting_sources);
    cluster->default_config = ks_topic_config_new(cluster->settings);
    for (ks_topic *topic = ks_cluster_topic_first(cluster); topic != NULL; topic = ks_topic_next(topic)) {
        ks_topic_set_config(topic, topic->config == former ? ks_topic_config_hold(cluster->default_config)
                                                           : ks_topic_config_copy(topic->config, cluster->settings));
    }
    ks_topic_config_release(former);
}

static kafka_error alter_brokers(ks_cluster *cluster, ks_string resource, const ks_config_change *changes,
                                 int32_t count, bool replace, bool validate_only, ks_buffer *why) {
    int64_t values[KS_SETTING_COUNT];
    uint8_t sources[KS_SETTING_COUNT];
    if (resource.size > 0) {
        ks_buffer_text(why, "these brokers share one configuration: change the default resource, whose name is empty");
        return KAFKA_ERR_INVALID_REQUEST;
    }
    memcpy(values, cluster->settings, sizeof values);
    memcpy(sources, cluster->setting_sources, sizeof sources);
    for (int32_t i = 0; replace && i < KS_SETTING_COUNT; i++) {
        values[i] = cluster->given_settings[i];
        sources[i] = cluster->given_sources[i];
    }
    kafka_error error = KAFKA_OK;
    for (int32_t i = 0; i < count && error == KAFKA_OK; i++)
        error = change_setting(cluster, values, sources, &changes[i], why);
    if (error == KAFKA_OK && !validate_only) apply_settings(cluster, values, sources);
    return error;
}

kafka_error ks_config_alter(ks_cluster *cluster, int8_t resource_type, ks_string resource,
                            const ks_config_change *changes, int32_t count, bool replace, bool validate_only,
                            ks_buffer *why) {
    for (int32_t i = 0; i < count; i++) {
        if (!named_twice(changes, count, i)) continue;
        refuse_change(why, "the request changes \"%.*s\" twice", changes[i].name);
        return KAFKA_ERR_INVALID_REQUEST;
    }
    if (resource_type == KS_RESOURCE_TOPIC)
        return alter_topic(cluster, resource, changes, count, replace, validate_only, why);
    if (resource_type == KS_RESOURCE_BROKER)
        return alter_brokers(cluster, resource, changes, count, replace, validate_only, why);
    ks_buffer_printf(why, "resources of type %d have no configs here: 2 is a topic, 4 a broker", resource_type);
    return KAFKA_ERR_INVALID_REQUEST;
}
