/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings of Java's consumer, from Kafka's names and text values (ConsumerConfig). Wrong names and values are refused in
 * words, with the nearest right one; names that Kafka knows but that would have no effect here are refused too.
 */
#ifndef KS_JAVA_CONFIG_H
#define KS_JAVA_CONFIG_H

#include <kafkasim/error.h>

#include "sim/client/assignor.h"

typedef enum ks_offset_reset {
    KS_RESET_NONE,     /* an error for the application */
    KS_RESET_EARLIEST,
    KS_RESET_LATEST,
    KS_RESET_BY_TIME   /* by_duration:<ISO 8601> (KIP-1106) */
} ks_offset_reset;

/* A strategy of partition.assignment.strategy: one of ours, or one the application brought. */
typedef struct ks_java_assignor {
    ks_string name;
    const ks_assignor *own;             /* NULL: the application's */
    ks_rebalance_protocol protocol;
    /* The application's: as ks_assign_fn, and its error fails the rebalance. */
    kafka_error (*assign)(void *argument, const ks_assignor_input *input, ks_arena *arena, ks_assignor_share *shares);
    void *argument;
} ks_java_assignor;

enum { KS_JAVA_ASSIGNORS_MAX = 16 };

typedef struct ks_java_config {
#define KS_JAVA_FIELD_TEXT(c_name) const char *c_name;
#define KS_JAVA_FIELD_NUMBER(c_name) int64_t c_name;
#define KS_JAVA_FIELD_BOOL(c_name) int64_t c_name;
#define CONFIG(c_name, name, type, fallback, min, max) KS_JAVA_FIELD_##type(c_name)
#include "sim/client/java_configs.def"
#undef CONFIG
    /* made from the texts */
    bool modern;                  /* group.protocol=consumer */
    bool read_committed;
    ks_offset_reset reset;
    int64_t reset_duration_ms;    /* KS_RESET_BY_TIME */
    ks_rebalance_protocol protocol; /* the most advanced one that all assignors support */
    int32_t assignor_count;
    ks_java_assignor *assignors;  /* in order of preference; none with group.protocol=consumer */
    ks_arena *arena;              /* the texts, the assignors */
} ks_java_config;

/* Reads "name=value" settings; blanks around name and value do not count, the last of equal names wins, as in properties.
 *
 * own       `own_count` assignors of the application, which partition.assignment.strategy may name; borrowed texts are copied
 * why       on failure: what is wrong and what is allowed
 * returns   KAFKA_OK, and `config` to be given to ks_java_config_deinit; else KAFKA_ERR_INVALID_CONFIG_VALUE, nothing to free */
kafka_error ks_java_config_init(ks_java_config *config, const char *const *settings, size_t count,
                                const ks_java_assignor *own, int32_t own_count, ks_buffer *why);
void ks_java_config_deinit(ks_java_config *config);

/* "PT1H30M", "P7D", "PT0.5S": ISO 8601 with days and smaller units, not negative. False: malformed. */
bool ks_java_duration(const char *text, int64_t *ms);

#endif
