/* SPDX-License-Identifier: Apache-2.0
 *
 * See group_config.h.
 */
#include "sim/api/group_config.h"

#define DEFAULT_HEARTBEAT (3 * KAFKA_SECOND)
#define DEFAULT_SESSION   (30 * KAFKA_SECOND)
#define DEFAULT_REBALANCE (30 * KAFKA_SECOND)
#define DEFAULT_BACKOFF   (5 * KAFKA_SECOND)
#define DEFAULT_WATCH     (5 * KAFKA_SECOND)
#define DEFAULT_TIMEOUT   (5 * KAFKA_SECOND)
#define DEFAULT_DIAL      (10 * KAFKA_SECOND)
enum { NAME_MAX_BYTES = 249 };

static const char *say(ks_arena *arena, const char *field, const char *what) {
    return ks_arena_printf(arena, "%s %s", field, what).data;
}

/* Kafka carries it as milliseconds in 32 bits. */
static const char *check_timer(ks_arena *arena, const char *field, kafka_duration value) {
    if (value >= 0 && value / KAFKA_MILLISECOND < INT32_MAX) return NULL;
    return ks_arena_printf(arena, "%s is %lld ns; allowed is 0 (the default) and up, below 2^31 - 1 ms", field,
                           (long long)value)
        .data;
}

static const char *check_timers(const kafka_consumer_group_config *config, ks_arena *arena) {
    const struct {
        const char *field;
        kafka_duration value;
    } timers[] = {
        { "heartbeat_interval", config->heartbeat_interval },
        { "session_timeout", config->session_timeout },
        { "rebalance_timeout", config->rebalance_timeout },
        { "join_group_backoff", config->join_group_backoff },
    };
    for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) {
        const char *problem = check_timer(arena, timers[i].field, timers[i].value);
        if (problem != NULL) return problem;
    }
    if (config->retention_time < 0 && config->retention_time != -KAFKA_MILLISECOND)
        return say(arena, "retention_time",
                   "is negative; allowed is 0 or -1 ms (the broker's own setting), or 1 ms and up");
    return check_timer(arena, "partition_watch_interval", config->partition_watch_interval);
}

static const char *check_balancers(const kafka_consumer_group_config *config, ks_arena *arena) {
    if (config->group_balancers == NULL && config->group_balancer_count > 0)
        return say(arena, "group_balancers", "is NULL but group_balancer_count is not 0");
    for (size_t i = 0; i < config->group_balancer_count; i++) {
        const kafka_group_balancer *balancer = &config->group_balancers[i];
        if (balancer->name == NULL || *balancer->name == 0 || strlen(balancer->name) > NAME_MAX_BYTES)
            return say(arena, "group_balancers", "has one whose name is not 1 to 249 bytes");
        if (balancer->assign == NULL)
            return ks_arena_printf(arena, "group_balancers: %s has no assign function", balancer->name).data;
        for (size_t k = 0; k < i; k++)
            if (strcmp(balancer->name, config->group_balancers[k].name) == 0)
                return ks_arena_printf(arena, "group_balancers names %s twice", balancer->name).data;
    }
    return NULL;
}

const char *ks_group_config_check(const kafka_consumer_group_config *config, ks_arena *arena) {
    if (config->address == NULL) return say(arena, "address", "is NULL; give it a ksim_client()");
    if (config->topic_count == 0 || config->topics == NULL)
        return say(arena, "topics", "is empty; name at least one topic");
    for (size_t i = 0; i < config->topic_count; i++)
        if (config->topics[i] == NULL || *config->topics[i] == 0)
            return say(arena, "topics", "holds a NULL or an empty name");
    if (config->group_id == NULL || *config->group_id == 0)
        return say(arena, "group_id", "is empty; a consumer group needs a name");
    const char *problem = check_timers(config, arena);
    if (problem != NULL) return problem;
    if (config->start_offset != 0 && config->start_offset != KAFKA_FIRST_OFFSET &&
        config->start_offset != KAFKA_LAST_OFFSET)
        return ks_arena_printf(arena,
                               "start_offset is %lld; allowed are KAFKA_FIRST_OFFSET (also 0) and KAFKA_LAST_OFFSET",
                               (long long)config->start_offset)
            .data;
    if (config->timeout < 0) return say(arena, "timeout", "is negative; 0 means 5 s");
    if (config->dial_timeout < 0) return say(arena, "dial_timeout", "is negative; 0 means 10 s");
    return check_balancers(config, arena);
}

ks_seeds ks_group_config_seeds(const kafka_address *address, ks_arena *arena) {
    ks_seeds seeds = { 0 };
    ks_string host;
    int32_t port;
    while (ks_address_bootstrap(address, seeds.count, &host, &port)) seeds.count++;
    seeds.items = ks_arena_alloc(arena, (size_t)(seeds.count + 1) * sizeof *seeds.items);
    for (int32_t i = 0; i < seeds.count; i++) {
        ks_address_bootstrap(address, i, &host, &port);
        seeds.items[i] = (ks_seed){ ks_arena_string(arena, host), port };
    }
    return seeds;
}

static void copy_balancers(const kafka_consumer_group_config *config, ks_arena *arena,
                           ks_membership_settings *settings) {
    kafka_group_balancer standard[] = { kafka_group_balancer_range(), kafka_group_balancer_round_robin() };
    const kafka_group_balancer *from = config->group_balancer_count > 0 ? config->group_balancers : standard;
    settings->balancer_count = config->group_balancer_count > 0 ? (int32_t)config->group_balancer_count : 2;
    settings->balancers = ks_arena_alloc(arena, (size_t)settings->balancer_count * sizeof *settings->balancers);
    for (int32_t i = 0; i < settings->balancer_count; i++) {
        settings->balancers[i] = from[i];
        settings->balancers[i].name = ks_arena_string(arena, ks_str(from[i].name)).data;
    }
}

ks_membership_settings *ks_group_config_settings(const kafka_consumer_group_config *config, ks_arena *arena) {
    ks_membership_settings *settings = ks_arena_alloc(arena, sizeof *settings);
    settings->process = config->address->process;
    settings->seeds = ks_group_config_seeds(config->address, arena);
    settings->group = ks_arena_string(arena, ks_str(config->group_id));
    settings->topic_count = (int32_t)config->topic_count;
    settings->topics = ks_arena_alloc(arena, config->topic_count * sizeof *settings->topics);
    for (size_t i = 0; i < config->topic_count; i++)
        settings->topics[i] = ks_arena_string(arena, ks_str(config->topics[i]));
    copy_balancers(config, arena, settings);
    settings->heartbeat_ns = ks_or(config->heartbeat_interval, DEFAULT_HEARTBEAT);
    settings->session_ns = ks_or(config->session_timeout, DEFAULT_SESSION);
    settings->rebalance_ns = ks_or(config->rebalance_timeout, DEFAULT_REBALANCE);
    settings->backoff_ns = ks_or(config->join_group_backoff, DEFAULT_BACKOFF);
    settings->watch_ns = ks_or(config->partition_watch_interval, DEFAULT_WATCH);
    settings->timeout_ns = ks_or(config->timeout, DEFAULT_TIMEOUT);
    settings->dial_timeout_ns = ks_or(config->dial_timeout, DEFAULT_DIAL);
    settings->watch_partitions = config->watch_partition_changes;
    settings->retention_ms = config->retention_time > 0 ? config->retention_time / KAFKA_MILLISECOND : -1;
    settings->start_offset = ks_or(config->start_offset, KAFKA_FIRST_OFFSET);
    return settings;
}
