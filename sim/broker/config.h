/* SPDX-License-Identifier: Apache-2.0
 *
 * Configs as Kafka's ConfigDef has them: names, types, defaults, what is valid. Two tables: topic configs
 * (topic_configs.def, Kafka's LogConfig) and what a broker's server.properties holds (settings.def, KafkaConfig).
 * Every value is an int64: booleans 0 or 1, choices an index, lists of choices a set of bits, doubles in millionths.
 */
#ifndef KS_CONFIG_H
#define KS_CONFIG_H

#include <kafkasim/error.h>

#include "sim/base/base.h"

typedef enum ks_config_type { /* the numbers DescribeConfigs answers as ConfigType */
                              KS_CONFIG_BOOLEAN = 1,
                              KS_CONFIG_STRING = 2, /* one of choices */
                              KS_CONFIG_INT = 3,
                              KS_CONFIG_LONG = 5,
                              KS_CONFIG_DOUBLE = 6,
                              KS_CONFIG_LIST = 7 /* choices NULL: throttled replicas, whose text alone counts */
} ks_config_type;

#define KS_CONFIG_UNSET INT64_MIN /* a setting without a value of its own, as log.retention.ms by default */

typedef struct ks_config_key {
    const char *name;
    ks_config_type type;
    int64_t fallback, min, max;
    const char *const *choices; /* NULL-terminated */
    int16_t setting;            /* of a topic config: the broker setting that is its default; -1: none */
    bool has_effect;            /* false: accepted, and said aloud once by a trace event */
    bool dynamic;               /* of a setting: AlterConfigs may change it while the cluster runs */
    const char *documentation;  /* one sentence */
} ks_config_key;

typedef struct ks_config_entry { /* as given in a config: "retention.ms", "60000"; borrowed */
    const char *name, *value;
} ks_config_entry;

/* Parses and checks one value (blanks around it do not count). KAFKA_OK, or KAFKA_ERR_INVALID_CONFIG with a sentence
 * appended to `why` (may be NULL); *value untouched then. */
kafka_error ks_config_parse(const ks_config_key *key, ks_string text, int64_t *value, ks_buffer *why);
/* Writes the value as Kafka would print it; an unset one writes nothing. */
void ks_config_print(const ks_config_key *key, int64_t value, ks_buffer *out);
/* Appends: unknown config "retention.m", did you mean "retention.ms"? Cost: the whole table; only for mistakes. */
void ks_config_suggest(const ks_config_key *keys, int32_t count, ks_string name, ks_buffer *out);

/* ---- broker settings ---- */

typedef enum ks_setting {
#define SETTING(c_name, name, type, fallback, min, max, choices, effect, dynamic, documentation) KS_SETTING_##c_name,
#include "sim/broker/settings.def"
#undef SETTING
    KS_SETTING_COUNT
} ks_setting;
extern const ks_config_key ks_settings[KS_SETTING_COUNT];
int32_t ks_setting_find(ks_string name); /* -1: none. Cost: the whole table */

/* ---- topic configs ---- */

typedef enum ks_topic_config_key {
#define TOPIC_CONFIG(c_name, name, type, min, max, choices, setting, effect, documentation) KS_TOPIC_##c_name,
#include "sim/broker/topic_configs.def"
#undef TOPIC_CONFIG
    KS_TOPIC_CONFIG_COUNT
} ks_topic_config_key;
extern const ks_config_key ks_topic_configs[KS_TOPIC_CONFIG_COUNT];
int32_t ks_topic_config_find(ks_string name);

enum { KS_CLEANUP_COMPACT = 1, KS_CLEANUP_DELETE = 2 }; /* bits of cleanup.policy */
enum { KS_TIMESTAMP_CREATE, KS_TIMESTAMP_LOG_APPEND };  /* message.timestamp.type */
enum { KS_COMPRESSION_PRODUCER = 5 };                   /* compression.type; 0..4 are ks_codec */
enum {
    KS_ASSIGNOR_UNIFORM_BIT = 1,
    KS_ASSIGNOR_RANGE_BIT = 2,
    KS_ASSIGNORS_ALL = 3
}; /* bits of group.consumer.assignors */

/* The configs of one topic: overrides over the brokers' defaults. Immutable and shared by count: a change makes a new
 * one. */
typedef struct ks_topic_config {
    int32_t references;
    uint64_t overridden;                  /* bit per key */
    int64_t value[KS_TOPIC_CONFIG_COUNT]; /* what holds */
    char *text[KS_TOPIC_CONFIG_COUNT];    /* of overrides, as Kafka prints it; owned; NULL: inherited */
} ks_topic_config;

ks_topic_config *ks_topic_config_new(const int64_t settings[KS_SETTING_COUNT]); /* defaults only; one reference */
ks_topic_config *ks_topic_config_copy(const ks_topic_config *config,
                                      const int64_t settings[KS_SETTING_COUNT]); /* inherited ones anew */
ks_topic_config *ks_topic_config_hold(ks_topic_config *config);
void ks_topic_config_release(ks_topic_config *config);
/* On a copy that nobody else holds yet. A null value removes the override. */
kafka_error ks_topic_config_set(ks_topic_config *config, ks_string name, ks_string value,
                                const int64_t settings[KS_SETTING_COUNT], ks_buffer *why);
/* What no single value shows: min.compaction.lag.ms above max.compaction.lag.ms. */
kafka_error ks_topic_config_check(const ks_topic_config *config, ks_buffer *why);
void ks_topic_config_print(const ks_topic_config *config, ks_topic_config_key key, ks_buffer *out);

#endif
