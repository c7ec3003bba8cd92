/* SPDX-License-Identifier: Apache-2.0
 *
 * See reader_config.h.
 */
#include "sim/api/reader_config.h"

#define SAY(arena, ...) (ks_arena_printf((arena), __VA_ARGS__).data)

static bool is_empty(const char *text) { return text == NULL || *text == 0; }
static bool has_topics(const kafka_reader_config *config) {
    return config->group_topics != NULL && config->group_topic_count > 0;
}

static kafka_consumer_group_config group_part(const kafka_reader_config *config) {
    bool several = has_topics(config);
    return (kafka_consumer_group_config){
        .address = config->address,
        .group_id = config->group_id,
        .topics = several ? config->group_topics : &config->topic,
        .topic_count = several ? config->group_topic_count : 1,
        .group_balancers = config->group_balancers,
        .group_balancer_count = config->group_balancer_count,
        .heartbeat_interval = config->heartbeat_interval,
        .session_timeout = config->session_timeout,
        .rebalance_timeout = config->rebalance_timeout,
        .join_group_backoff = config->join_group_backoff,
        .partition_watch_interval = config->partition_watch_interval,
        .watch_partition_changes = config->watch_partition_changes,
        .retention_time = config->retention_time,
        .start_offset = config->start_offset,
        .dial_timeout = config->dial_timeout,
    };
}

/* ReaderConfig.Validate, in its order. */
static const char *check_as_upstream(const kafka_reader_config *config, ks_arena *arena) {
    bool group = ks_reader_config_has_group(config);
    if (config->partition < 0 || config->partition == INT32_MAX)
        return SAY(arena, "partition is %d; allowed is 0 to 2^31 - 2", (int)config->partition);
    if (config->min_bytes < 0)
        return SAY(arena, "min_bytes is %d; allowed is 0 (1 byte) and up", (int)config->min_bytes);
    if (config->max_bytes < 0)
        return SAY(arena, "max_bytes is %d; allowed is 0 (1,000,000) and up", (int)config->max_bytes);
    if (group && config->partition != 0)
        return SAY(
            arena,
            "partition is %d and group_id is %s: a group decides who reads which partition; leave one of them out",
            (int)config->partition, config->group_id);
    if (group && !has_topics(config) && is_empty(config->topic))
        return SAY(arena, "topic is empty; with a group_id name a topic, or several as group_topics");
    if (!group && is_empty(config->topic)) return SAY(arena, "topic is empty; without a group_id a reader needs one");
    if (config->min_bytes > config->max_bytes)
        return SAY(arena, "min_bytes is %d, more than max_bytes, which is %d; set max_bytes too",
                   (int)config->min_bytes, (int)config->max_bytes);
    if (config->read_backoff_max < 0) return SAY(arena, "read_backoff_max is negative; 0 means 1 s");
    if (config->read_backoff_min < 0) return SAY(arena, "read_backoff_min is negative; 0 means 100 ms");
    return NULL;
}

/* What kafka-go does not look at and then stumbles over. */
static const char *check_beyond_upstream(const kafka_reader_config *config, ks_arena *arena) {
    const struct {
        const char *field;
        int64_t value;
    } not_negative[] = {
        { "dial_timeout", config->dial_timeout },
        { "queue_capacity", config->queue_capacity },
        { "max_wait", config->max_wait },
        { "read_batch_timeout", config->read_batch_timeout },
        { "commit_interval", config->commit_interval },
        { "max_attempts", config->max_attempts },
    };
    for (size_t i = 0; i < sizeof not_negative / sizeof *not_negative; i++)
        if (not_negative[i].value < 0)
            return SAY(arena, "%s is %lld; allowed is 0 (the default) and up", not_negative[i].field,
                       (long long)not_negative[i].value);
    if (config->max_wait / KAFKA_MILLISECOND >= INT32_MAX)
        return SAY(arena, "max_wait is too long; it must be below 2^31 - 1 ms");
    if (config->isolation_level != KAFKA_READ_UNCOMMITTED && config->isolation_level != KAFKA_READ_COMMITTED)
        return SAY(arena, "isolation_level is %d; allowed are KAFKA_READ_UNCOMMITTED and KAFKA_READ_COMMITTED",
                   (int)config->isolation_level);
    return NULL;
}

const char *ks_reader_config_check(const kafka_reader_config *config, ks_arena *arena) {
    const char *problem = check_as_upstream(config, arena);
    if (problem == NULL) problem = check_beyond_upstream(config, arena);
    if (problem != NULL) return problem;
    if (ks_or(config->read_backoff_max, KAFKA_SECOND) < ks_or(config->read_backoff_min, 100 * KAFKA_MILLISECOND))
        return SAY(arena, "read_backoff_max is less than read_backoff_min (100 ms and 1 s unless set)");
    if (!ks_reader_config_has_group(config)) return NULL;
    kafka_consumer_group_config group = group_part(config);
    return ks_group_config_check(&group, arena);
}

static const char *copy_text(const char *text, ks_arena *arena) { return ks_arena_string(arena, ks_str(text)).data; }

kafka_reader_config ks_reader_config_copy(const kafka_reader_config *config, ks_arena *arena) {
    kafka_reader_config copy = *config;
    copy.group_id = copy_text(config->group_id, arena);
    copy.topic = copy_text(config->topic, arena);
    if (has_topics(config)) {
        const char **topics = ks_arena_alloc(arena, config->group_topic_count * sizeof *topics);
        for (size_t i = 0; i < config->group_topic_count; i++) topics[i] = copy_text(config->group_topics[i], arena);
        copy.group_topics = topics;
    } else {
        copy.group_topics = NULL;
        copy.group_topic_count = 0;
    }
    if (config->group_balancer_count > 0) {
        kafka_group_balancer *balancers = ks_arena_alloc(arena, config->group_balancer_count * sizeof *balancers);
        for (size_t i = 0; i < config->group_balancer_count; i++) {
            balancers[i] = config->group_balancers[i];
            balancers[i].name = copy_text(balancers[i].name, arena);
        }
        copy.group_balancers = balancers;
    } else {
        copy.group_balancers = NULL;
    }
    copy.dial_timeout = ks_or(config->dial_timeout, 10 * KAFKA_SECOND);
    copy.queue_capacity = (int32_t)ks_or(config->queue_capacity, 100);
    copy.min_bytes = (int32_t)ks_or(config->min_bytes, 1);
    copy.max_bytes = (int32_t)ks_or(config->max_bytes, 1000000);
    copy.max_wait = ks_or(config->max_wait, 10 * KAFKA_SECOND);
    copy.read_batch_timeout = ks_or(config->read_batch_timeout, 10 * KAFKA_SECOND);
    copy.read_backoff_min = ks_or(config->read_backoff_min, 100 * KAFKA_MILLISECOND);
    copy.read_backoff_max = ks_or(config->read_backoff_max, KAFKA_SECOND);
    copy.max_attempts = (int32_t)ks_or(config->max_attempts, 3);
    return copy;
}

ks_reader_config ks_reader_config_engine(const kafka_reader_config *settings, ks_arena *arena) {
    ks_reader_config engine = {
        .topic = settings->topic,
        .partition = settings->partition,
        .queue_capacity = settings->queue_capacity,
        .commit_interval_ns = settings->commit_interval,
        .fetchers = {
            .process = settings->address->process,
            .seeds = ks_group_config_seeds(settings->address, arena),
            .min_bytes = settings->min_bytes,
            .max_bytes = settings->max_bytes,
            .max_wait_ns = settings->max_wait,
            .backoff_min_ns = settings->read_backoff_min,
            .backoff_max_ns = settings->read_backoff_max,
            .dial_timeout_ns = settings->dial_timeout,
            .max_attempts = settings->max_attempts,
            .isolation_level = (int8_t)settings->isolation_level,
            .out_of_range_error = settings->offset_out_of_range_error,
            .uninterruptible = settings->uninterruptible_fetch,
            .group = KS_NULL_STRING,
        },
    };
    if (ks_reader_config_has_group(settings)) {
        kafka_consumer_group_config group = group_part(settings);
        engine.group = ks_group_config_settings(&group, arena);
        engine.fetchers.group = ks_str(settings->group_id);
    }
    return engine;
}
