/* SPDX-License-Identifier: Apache-2.0
 * Reads the settings of Java's consumer. The rules are ConsumerConfig's; see java_config.h. */
#include "sim/client/java_config.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/client/java_nearest.h"

typedef enum type { TEXT, NUMBER, BOOL } type;

typedef struct setting {
    const char *name;
    type type;
    size_t offset;
    int64_t fallback, min, max;
    const char *fallback_text;
} setting;

#define FALLBACK_TEXT(value) .fallback_text = (value)
#define FALLBACK_NUMBER(value) .fallback = (value)
#define FALLBACK_BOOL(value) .fallback = (value)
static const setting settings_table[] = {
#define CONFIG(c_name, name_, type_, fallback_, min_, max_)                                                            \
    { .name = name_, .type = type_, .offset = offsetof(ks_java_config, c_name), .min = min_, .max = max_,              \
      FALLBACK_##type_(fallback_) },
#include "sim/client/java_configs.def"
#undef CONFIG
};
enum { SETTING_COUNT = sizeof settings_table / sizeof *settings_table };

/* Kafka knows them; here they would change nothing, so whoever sets them is told. */
static const struct { const char *name, *instead; } without_effect[] = {
    { "bootstrap.servers", "the address that the consumer is made with says where the brokers are" },
    { "key.deserializer", "keys and values are bytes" },
    { "value.deserializer", "keys and values are bytes" },
    { "check.crcs", "the network does not damage bytes" },
    { "client.dns.lookup", "there is no DNS" },
    { "connections.max.idle.ms", "idle connections stay open" },
    { "exclude.internal.topics", "subscribing by pattern is not supported" },
    { "interceptor.classes", "look at the trace instead" },
    { "metric.reporters", "look at the trace instead" },
    { "metrics.num.samples", "look at the trace instead" },
    { "metrics.recording.level", "look at the trace instead" },
    { "metrics.sample.window.ms", "look at the trace instead" },
    { "receive.buffer.bytes", "sockets have no buffers here" },
    { "send.buffer.bytes", "sockets have no buffers here" },
    { "security.protocol", "connections are plain" },
    { "sasl.mechanism", "connections are plain" },
    { "sasl.jaas.config", "connections are plain" },
    { "socket.connection.setup.timeout.ms", "request.timeout.ms bounds it" },
    { "socket.connection.setup.timeout.max.ms", "request.timeout.ms bounds it" },
    { "auto.include.jmx.reporter", "look at the trace instead" },
    { "enable.metrics.push", "look at the trace instead" },
    { "metadata.recovery.strategy", "the address is asked again when all known brokers are gone" },
};

/* ---- one value ---- */

static const char *trimmed(ks_arena *arena, const char *text, size_t size) {
    while (size > 0 && (*text == ' ' || *text == '\t')) text++, size--;
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t')) size--;
    return ks_arena_string(arena, (ks_string){ text, (int32_t)size }).data;
}

static kafka_error unknown_name(const char *name, ks_buffer *why) {
    for (size_t i = 0; i < sizeof without_effect / sizeof *without_effect; i++)
        if (strcmp(name, without_effect[i].name) == 0) {
            ks_buffer_printf(why, "%s has no effect here: %s", name, without_effect[i].instead);
            return KAFKA_ERR_INVALID_CONFIG_VALUE;
        }
    const char *names[SETTING_COUNT + 1] = { NULL };
    for (int32_t i = 0; i < SETTING_COUNT; i++) names[i] = settings_table[i].name;
    const char *nearest = ks_java_nearest(name, names);
    ks_buffer_printf(why, "there is no consumer setting \"%s\"", name);
    if (nearest) ks_buffer_printf(why, "; did you mean \"%s\"?", nearest);
    return KAFKA_ERR_INVALID_CONFIG_VALUE;
}

static bool read_number(const char *text, int64_t *value) {
    bool negative = *text == '-';
    if (*text == '-' || *text == '+') text++;
    if (*text == 0) return false;
    int64_t number = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || number > (INT64_MAX - 9) / 10) return false;
        number = number * 10 + (*text - '0');
    }
    *value = negative ? -number : number;
    return true;
}

static bool equal_ignoring_case(const char *a, const char *b) {
    for (; *a && *b; a++, b++) {
        char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a, y = *b >= 'A' && *b <= 'Z' ? (char)(*b + 32) : *b;
        if (x != y) return false;
    }
    return *a == *b;
}

static kafka_error set_value(ks_java_config *config, const setting *s, const char *value, ks_buffer *why) {
    void *field = (char *)config + s->offset;
    int64_t number = 0;
    switch (s->type) {
    case TEXT:
        *(const char **)field = value;
        return KAFKA_OK;
    case BOOL:
        if (!equal_ignoring_case(value, "true") && !equal_ignoring_case(value, "false")) {
            ks_buffer_printf(why, "%s is \"%s\", but must be true or false", s->name, value);
            return KAFKA_ERR_INVALID_CONFIG_VALUE;
        }
        *(int64_t *)field = equal_ignoring_case(value, "true");
        return KAFKA_OK;
    case NUMBER:
        if (!read_number(value, &number) || number < s->min || number > s->max) {
            ks_buffer_printf(why, "%s is \"%s\", but must be a whole number from %lld to %lld", s->name, value,
                             (long long)s->min, (long long)s->max);
            return KAFKA_ERR_INVALID_CONFIG_VALUE;
        }
        *(int64_t *)field = number;
        return KAFKA_OK;
    }
    return KAFKA_OK;
}

static kafka_error read_setting(ks_java_config *config, const char *text, bool *given, ks_buffer *why) {
    const char *sign = text ? strchr(text, '=') : NULL;
    if (sign == NULL) {
        ks_buffer_printf(why, "a setting is written name=value, not \"%s\"", text ? text : "(null)");
        return KAFKA_ERR_INVALID_CONFIG_VALUE;
    }
    const char *name = trimmed(config->arena, text, (size_t)(sign - text));
    const char *value = trimmed(config->arena, sign + 1, strlen(sign + 1));
    for (int32_t i = 0; i < SETTING_COUNT; i++)
        if (strcmp(name, settings_table[i].name) == 0) {
            given[i] = true;
            return set_value(config, &settings_table[i], value, why);
        }
    return unknown_name(name, why);
}

static bool was_given(const bool *given, const char *name) {
    for (int32_t i = 0; i < SETTING_COUNT; i++)
        if (strcmp(settings_table[i].name, name) == 0) return given[i];
    return false;
}

/* ---- what the texts mean ---- */

static kafka_error one_of(const char *name, const char *value, const char *const *allowed, int32_t *index, ks_buffer *why) {
    for (*index = 0; allowed[*index]; ++*index)
        if (equal_ignoring_case(value, allowed[*index])) return KAFKA_OK;
    const char *nearest = ks_java_nearest(value, allowed);
    ks_buffer_printf(why, "%s is \"%s\", but must be ", name, value);
    for (int32_t i = 0; allowed[i]; i++)
        ks_buffer_printf(why, "%s%s", i == 0 ? "" : allowed[i + 1] ? ", " : " or ", allowed[i]);
    if (nearest) ks_buffer_printf(why, "; did you mean \"%s\"?", nearest);
    return KAFKA_ERR_INVALID_CONFIG_VALUE;
}

bool ks_java_duration(const char *text, int64_t *ms) {
    int64_t total = 0;
    bool time = false, any = false;
    if (*text++ != 'P') return false;
    const char *order = "DHMS"; /* each unit once, largest first; D before the T, the others after it */
    while (*text) {
        if (*text == 'T' && !time) {
            time = true;
            any = false; /* something must follow the T */
            text++;
            continue;
        }
        int64_t number = 0, fraction = 0, scale = 1000;
        if (*text < '0' || *text > '9') return false;
        for (; *text >= '0' && *text <= '9'; text++) {
            if (number > INT64_MAX / 10 / 86400000) return false;
            number = number * 10 + (*text - '0');
        }
        bool has_fraction = *text == '.';
        if (has_fraction)
            for (text++; *text >= '0' && *text <= '9'; text++)
                if (scale > 1) fraction += (*text - '0') * (scale /= 10);
        const char *unit = *text ? strchr(order, *text) : NULL;
        if (unit == NULL || (*text == 'D') == time || (has_fraction && *text != 'S')) return false;
        int64_t unit_ms = *text == 'D' ? 86400000 : *text == 'H' ? 3600000 : *text == 'M' ? 60000 : 1000;
        if (number > (INT64_MAX / 2 - total) / unit_ms) return false;
        total += number * unit_ms + fraction;
        order = unit + 1;
        text++;
        any = true;
    }
    *ms = total;
    return any;
}

static kafka_error read_reset(ks_java_config *config, ks_buffer *why) {
    static const char *const allowed[] = { "none", "earliest", "latest", "by_duration:<ISO 8601 duration>", NULL };
    static const char by_duration[] = "by_duration:";
    const char *value = config->auto_offset_reset;
    if (strncmp(value, by_duration, sizeof by_duration - 1) == 0) {
        config->reset = KS_RESET_BY_TIME;
        if (ks_java_duration(value + sizeof by_duration - 1, &config->reset_duration_ms)) return KAFKA_OK;
        ks_buffer_printf(why, "auto.offset.reset is \"%s\", but by_duration: must be followed by an ISO 8601 duration that is "
                         "not negative, such as P7D or PT1H30M", value);
        return KAFKA_ERR_INVALID_CONFIG_VALUE;
    }
    int32_t index;
    kafka_error error = one_of("auto.offset.reset", value, allowed, &index, why);
    if (error == KAFKA_OK) config->reset = (ks_offset_reset)index;
    return error;
}

static const ks_java_assignor *find_own(const ks_java_assignor *own, int32_t count, const char *name) {
    for (int32_t i = 0; i < count; i++)
        if (ks_string_equal(own[i].name, ks_str(name))) return &own[i];
    return NULL;
}

static kafka_error unknown_assignor(const char *name, const ks_java_assignor *own, int32_t own_count, ks_buffer *why) {
    const char *names[KS_JAVA_ASSIGNORS_MAX + 8] = { NULL };
    int32_t count = 0;
    for (int32_t i = 0; i < ks_assignor_count(); i++) names[count++] = ks_assignor_at(i)->name;
    for (int32_t i = 0; i < own_count && count < KS_JAVA_ASSIGNORS_MAX; i++) names[count++] = own[i].name.data;
    int32_t index;
    return one_of("an assignor of partition.assignment.strategy", name, names, &index, why);
}

static int32_t most_names(const char *list) {
    int32_t count = 1;
    for (; *list && count < KS_JAVA_ASSIGNORS_MAX; list++) count += *list == ',';
    return count;
}

static kafka_error read_assignors(ks_java_config *config, const ks_java_assignor *own, int32_t own_count, ks_buffer *why) {
    config->protocol = KS_REBALANCE_COOPERATIVE;
    const char *list = config->partition_assignment_strategy;
    config->assignors = ks_arena_alloc(config->arena, (size_t)most_names(list) * sizeof *config->assignors);
    while (*list) {
        size_t size = strcspn(list, ",");
        const char *name = trimmed(config->arena, list, size);
        list += size + (list[size] == ',');
        ks_java_assignor assignor = { 0 };
        const ks_java_assignor *given = find_own(own, own_count, name);
        const ks_assignor *known = given ? NULL : ks_assignor_find(ks_str(name));
        if (given == NULL && known == NULL) return unknown_assignor(name, own, own_count, why);
        if (given) assignor = *given, assignor.name = ks_arena_string(config->arena, given->name);
        else assignor = (ks_java_assignor){ .name = ks_str(known->name), .own = known, .protocol = known->protocol };
        for (int32_t i = 0; i < config->assignor_count; i++)
            if (ks_string_equal(config->assignors[i].name, assignor.name)) {
                ks_buffer_printf(why, "partition.assignment.strategy names \"%s\" twice", name);
                return KAFKA_ERR_INVALID_CONFIG_VALUE;
            }
        if (config->assignor_count == KS_JAVA_ASSIGNORS_MAX) {
            ks_buffer_printf(why, "partition.assignment.strategy names more than %d assignors", KS_JAVA_ASSIGNORS_MAX);
            return KAFKA_ERR_INVALID_CONFIG_VALUE;
        }
        config->assignors[config->assignor_count++] = assignor;
        if (assignor.protocol == KS_REBALANCE_EAGER) config->protocol = KS_REBALANCE_EAGER;
    }
    if (config->assignor_count > 0) return KAFKA_OK;
    ks_buffer_text(why, "partition.assignment.strategy is empty; name at least one assignor");
    return KAFKA_ERR_INVALID_CONFIG_VALUE;
}

static kafka_error check_classic_only(const bool *given, ks_buffer *why) {
    static const char *const names[] = { "partition.assignment.strategy", "heartbeat.interval.ms", "session.timeout.ms" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (was_given(given, names[i])) {
            ks_buffer_printf(why, "%s cannot be set with group.protocol=consumer: the group coordinator decides it", names[i]);
            return KAFKA_ERR_INVALID_CONFIG_VALUE;
        }
    return KAFKA_OK;
}

static kafka_error check_instance_id(const char *id, ks_buffer *why) {
    size_t size = strlen(id);
    bool good = size > 0 && size <= 249 && strcmp(id, ".") != 0 && strcmp(id, "..") != 0;
    for (size_t i = 0; i < size && good; i++)
        good = (id[i] >= 'a' && id[i] <= 'z') || (id[i] >= 'A' && id[i] <= 'Z') || (id[i] >= '0' && id[i] <= '9') ||
               id[i] == '.' || id[i] == '_' || id[i] == '-';
    if (good) return KAFKA_OK;
    ks_buffer_printf(why, "group.instance.id is \"%s\", but must be 1 to 249 letters, digits, '.', '_' or '-'", id);
    return KAFKA_ERR_INVALID_CONFIG_VALUE;
}

static kafka_error interpret(ks_java_config *config, const bool *given, const ks_java_assignor *own, int32_t own_count,
                             ks_buffer *why) {
    static const char *const protocols[] = { "classic", "consumer", NULL };
    static const char *const isolations[] = { "read_uncommitted", "read_committed", NULL };
    int32_t index;
    kafka_error error = one_of("group.protocol", config->group_protocol, protocols, &index, why);
    if (error) return error;
    config->modern = index == 1;
    if ((error = one_of("isolation.level", config->isolation_level, isolations, &index, why))) return error;
    config->read_committed = index == 1;
    if ((error = read_reset(config, why))) return error;
    if (config->group_instance_id && (error = check_instance_id(config->group_instance_id, why))) return error;
    if (config->group_id && !*config->group_id) {
        ks_buffer_text(why, "group.id is empty; leave it out, or name a group");
        return KAFKA_ERR_INVALID_CONFIG_VALUE;
    }
    if (config->group_id == NULL) {
        if (was_given(given, "enable.auto.commit") && config->enable_auto_commit) {
            ks_buffer_text(why, "enable.auto.commit cannot be true without a group.id: there is no group to commit for");
            return KAFKA_ERR_INVALID_CONFIG_VALUE;
        }
        config->enable_auto_commit = 0;
    }
    if (config->modern) return check_classic_only(given, why);
    if (config->group_remote_assignor) {
        ks_buffer_text(why, "group.remote.assignor needs group.protocol=consumer; a classic group's leader assigns, see "
                       "partition.assignment.strategy");
        return KAFKA_ERR_INVALID_CONFIG_VALUE;
    }
    if (config->heartbeat_interval_ms >= config->session_timeout_ms) {
        ks_buffer_printf(why, "heartbeat.interval.ms (%lld) must be lower than session.timeout.ms (%lld), usually a third of it",
                         (long long)config->heartbeat_interval_ms, (long long)config->session_timeout_ms);
        return KAFKA_ERR_INVALID_CONFIG_VALUE;
    }
    return read_assignors(config, own, own_count, why);
}

kafka_error ks_java_config_init(ks_java_config *config, const char *const *settings, size_t count,
                                const ks_java_assignor *own, int32_t own_count, ks_buffer *why) {
    bool given[SETTING_COUNT] = { false };
    memset(config, 0, sizeof *config);
    config->arena = ks_arena_new();
    for (int32_t i = 0; i < SETTING_COUNT; i++) {
        void *field = (char *)config + settings_table[i].offset;
        if (settings_table[i].type == TEXT) *(const char **)field = settings_table[i].fallback_text;
        else *(int64_t *)field = settings_table[i].fallback;
    }
    kafka_error error = KAFKA_OK;
    for (size_t i = 0; i < count && error == KAFKA_OK; i++) error = read_setting(config, settings[i], given, why);
    if (error == KAFKA_OK) error = interpret(config, given, own, own_count, why);
    if (error) ks_java_config_deinit(config);
    return error;
}

void ks_java_config_deinit(ks_java_config *config) {
    if (config->arena) ks_arena_free(config->arena);
    config->arena = NULL;
}
