/* SPDX-License-Identifier: Apache-2.0
 * Reading and printing config values, as Kafka's ConfigDef does, and the two tables. */
#include "sim/broker/config.h"

#include <stdio.h>

enum { KS_SETTING_none = -1 };

static const char *const cleanup_policies[] = { "compact", "delete", NULL }; /* bit 0, bit 1 */
static const char *const compression_types[] = { "uncompressed", "gzip", "snappy", "lz4", "zstd", "producer", NULL };
static const char *const timestamp_types[] = { "CreateTime", "LogAppendTime", NULL };
static const char *const consumer_assignors[] = { "uniform", "range", NULL };
static const char *const migration_policies[] = { "bidirectional", "upgrade", "downgrade", "disabled", NULL };

const ks_config_key ks_settings[KS_SETTING_COUNT] = {
#define SETTING(c_name, name_, type_, fallback_, min_, max_, choices_, effect, dynamic_, documentation_)               \
    { .name = name_,                                                                                                   \
      .type = KS_CONFIG_##type_,                                                                                       \
      .fallback = fallback_,                                                                                           \
      .min = min_,                                                                                                     \
      .max = max_,                                                                                                     \
      .choices = choices_,                                                                                             \
      .setting = KS_SETTING_none,                                                                                      \
      .has_effect = effect,                                                                                            \
      .dynamic = dynamic_,                                                                                             \
      .documentation = documentation_ },
#include "sim/broker/settings.def"
#undef SETTING
};

const ks_config_key ks_topic_configs[KS_TOPIC_CONFIG_COUNT] = {
#define TOPIC_CONFIG(c_name, name_, type_, min_, max_, choices_, setting_, effect, documentation_)                     \
    { .name = name_,                                                                                                   \
      .type = KS_CONFIG_##type_,                                                                                       \
      .fallback = 0,                                                                                                   \
      .min = min_,                                                                                                     \
      .max = max_,                                                                                                     \
      .choices = choices_,                                                                                             \
      .setting = KS_SETTING_##setting_,                                                                                \
      .has_effect = effect,                                                                                            \
      .dynamic = true,                                                                                                 \
      .documentation = documentation_ },
#include "sim/broker/topic_configs.def"
#undef TOPIC_CONFIG
};
_Static_assert(KS_TOPIC_CONFIG_COUNT <= 64, "ks_topic_config.overridden has a bit for each");

static int32_t find(const ks_config_key *keys, int32_t count, ks_string name) {
    for (int32_t i = 0; i < count; i++) {
        if (ks_string_equal(ks_str(keys[i].name), name)) return i;
    }
    return -1;
}

int32_t ks_setting_find(ks_string name) { return find(ks_settings, KS_SETTING_COUNT, name); }
int32_t ks_topic_config_find(ks_string name) { return find(ks_topic_configs, KS_TOPIC_CONFIG_COUNT, name); }

/* ---- reading ---- */

static ks_string trimmed(ks_string text) {
    while (text.size > 0 && (uint8_t)text.data[0] <= ' ') text = (ks_string){ text.data + 1, text.size - 1 };
    while (text.size > 0 && (uint8_t)text.data[text.size - 1] <= ' ') text.size--;
    return text;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static bool equal_ignoring_case(ks_string text, const char *word) {
    if (text.size != (int32_t)strlen(word)) return false;
    for (int32_t i = 0; i < text.size; i++) {
        if (lower(text.data[i]) != word[i]) return false;
    }
    return true;
}

/* Decimal digits with an optional sign; false when it is anything else or does not fit. */
static bool parse_i64(ks_string text, int64_t *out) {
    bool negative = text.size > 0 && text.data[0] == '-';
    int32_t i = text.size > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    if (i >= text.size) return false;
    int64_t value = 0; /* kept negative: there is one more of those */
    for (; i < text.size; i++) {
        char c = text.data[i];
        if (c < '0' || c > '9') return false;
        if (value < (INT64_MIN + (c - '0')) / 10) return false;
        value = value * 10 - (c - '0');
    }
    if (!negative && value == INT64_MIN) return false;
    *out = negative ? value : -value;
    return true;
}

/* A decimal fraction, perhaps with an exponent, in millionths; digits beyond are cut. No floating point: the same
 * everywhere. */
static bool parse_millionths(ks_string text, int64_t *out) {
    bool negative = text.size > 0 && text.data[0] == '-', any = false, point = false;
    int32_t i = text.size > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    int64_t mantissa = 0, exponent = 0, stated = 0;
    for (; i < text.size && lower(text.data[i]) != 'e'; i++) {
        char c = text.data[i];
        if (c == '.' && !point)
            point = true;
        else if (c >= '0' && c <= '9') {
            any = true;
            if (mantissa < INT64_C(100000000000000)) {
                mantissa = mantissa * 10 + (c - '0');
                exponent -= point ? 1 : 0;
            } else
                exponent += point ? 0 : 1;
        } else
            return false;
    }
    if (!any) return false;
    if (i < text.size) {
        if (!parse_i64((ks_string){ text.data + i + 1, text.size - i - 1 }, &stated) || stated < -400 || stated > 400)
            return false;
    }
    for (exponent += stated + 6; exponent < 0 && mantissa > 0; exponent++) mantissa /= 10;
    for (; exponent > 0 && mantissa > 0; exponent--) {
        if (mantissa > INT64_MAX / 10) return false;
        mantissa *= 10;
    }
    *out = negative ? -mantissa : mantissa;
    return true;
}

static int32_t choice(const char *const *choices, ks_string word) {
    for (int32_t i = 0; choices[i] != NULL; i++) {
        if (ks_string_equal(ks_str(choices[i]), word)) return i;
    }
    return -1;
}

/* Takes the next item off a comma-separated list. False: none is left. */
static bool next_item(ks_string *list, ks_string *item) {
    if (list->size < 0) return false;
    const char *comma = list->size > 0 ? memchr(list->data, ',', (size_t)list->size) : NULL;
    int32_t size = comma ? (int32_t)(comma - list->data) : list->size;
    *item = trimmed((ks_string){ list->data, size });
    *list = comma ? (ks_string){ comma + 1, list->size - size - 1 } : KS_NULL_STRING;
    return true;
}

static bool parse_bits(const char *const *choices, ks_string text, int64_t *bits) {
    ks_string item;
    int64_t found = 0;
    if (text.size == 0) text.size = -1; /* an empty list, not a list of one empty item */
    while (next_item(&text, &item)) {
        int32_t i = choice(choices, item);
        if (i < 0) return false;
        found |= INT64_C(1) << i;
    }
    *bits = found;
    return true;
}

/* Kafka's ThrottledReplicaListValidator: empty, "*", or partition:broker pairs (broker may be "*"). */
static bool throttled_replicas(ks_string text) {
    ks_string item;
    if (text.size == 0 || ks_string_equal(text, KS_LITERAL("*"))) return true;
    while (next_item(&text, &item)) {
        const char *colon = item.size > 0 ? memchr(item.data, ':', (size_t)item.size) : NULL;
        int64_t number;
        if (colon == NULL) return false;
        ks_string partition = { item.data, (int32_t)(colon - item.data) };
        ks_string broker = { colon + 1, item.size - partition.size - 1 };
        if (!parse_i64(partition, &number) || number < 0) return false;
        if (!ks_string_equal(broker, KS_LITERAL("*")) && (!parse_i64(broker, &number) || number < 0)) return false;
    }
    return true;
}

static bool in_range(const ks_config_key *key, int64_t value) {
    if (value < key->min || value > key->max) return false;
    /* gzip has levels 1 to 9 and -1 for its default, but no 0 (ConfigDef: GzipCompression.LevelValidator) */
    return value != 0 || strcmp(key->name, "compression.gzip.level") != 0;
}

static bool parse(const ks_config_key *key, ks_string text, int64_t *value) {
    switch (key->type) {
    case KS_CONFIG_BOOLEAN:
        *value = equal_ignoring_case(text, "true");
        return *value == 1 || equal_ignoring_case(text, "false");
    case KS_CONFIG_STRING: *value = choice(key->choices, text); return *value >= 0;
    case KS_CONFIG_INT:
    case KS_CONFIG_LONG: return parse_i64(text, value) && in_range(key, *value);
    case KS_CONFIG_DOUBLE: return parse_millionths(text, value) && in_range(key, *value);
    case KS_CONFIG_LIST:
        if (key->choices != NULL) return parse_bits(key->choices, text, value);
        *value = 0;
        return throttled_replicas(text);
    }
    ks_unreachable("config type");
}

static void print_choices(const char *const *choices, ks_buffer *out) {
    for (int32_t i = 0; choices[i] != NULL; i++) {
        if (i > 0) ks_buffer_text(out, ", ");
        ks_buffer_text(out, choices[i]);
    }
}

static void print_valid(const ks_config_key *key, ks_buffer *out) {
    switch (key->type) {
    case KS_CONFIG_BOOLEAN: ks_buffer_text(out, "true or false"); return;
    case KS_CONFIG_STRING:
        ks_buffer_text(out, "one of ");
        print_choices(key->choices, out);
        return;
    case KS_CONFIG_LIST:
        if (key->choices == NULL)
            ks_buffer_text(out, "empty, * or partition:broker,...");
        else
            ks_buffer_text(out, "a list of "), print_choices(key->choices, out);
        return;
    case KS_CONFIG_INT:
    case KS_CONFIG_LONG:
    case KS_CONFIG_DOUBLE:
        ks_buffer_text(out, key->type == KS_CONFIG_DOUBLE ? "a number from " : "a whole number from ");
        ks_config_print(key, key->min, out);
        ks_buffer_text(out, " to ");
        ks_config_print(key, key->max, out);
        return;
    }
}

kafka_error ks_config_parse(const ks_config_key *key, ks_string text, int64_t *value, ks_buffer *why) {
    int64_t parsed;
    text = trimmed(text);
    if (text.size >= 0 && parse(key, text, &parsed)) {
        *value = parsed;
        return KAFKA_OK;
    }
    if (why != NULL) {
        ks_buffer_printf(why, "invalid value %s%.*s%s for configuration %s: ", text.size < 0 ? "" : "\"",
                         text.size < 0 ? 4 : (int)text.size, text.size < 0 ? "null" : text.data,
                         text.size < 0 ? "" : "\"", key->name);
        print_valid(key, why);
    }
    return KAFKA_ERR_INVALID_CONFIG;
}

/* ---- printing ---- */

static void print_millionths(int64_t value, ks_buffer *out) {
    char text[32];
    int size = snprintf(text, sizeof text, "%lld.%06lld", (long long)(value / 1000000), (long long)(value % 1000000));
    while (text[size - 1] == '0' && text[size - 2] != '.') size--; /* as Java prints a double: 0.5, 1.0 */
    text[size] = '\0';
    ks_buffer_text(out, text);
}

void ks_config_print(const ks_config_key *key, int64_t value, ks_buffer *out) {
    if (value == KS_CONFIG_UNSET) return;
    switch (key->type) {
    case KS_CONFIG_BOOLEAN: ks_buffer_text(out, value ? "true" : "false"); return;
    case KS_CONFIG_STRING: ks_buffer_text(out, key->choices[value]); return;
    case KS_CONFIG_INT:
    case KS_CONFIG_LONG: ks_buffer_i64(out, value); return;
    case KS_CONFIG_DOUBLE: print_millionths(value, out); return;
    case KS_CONFIG_LIST:
        for (int32_t i = 0, printed = 0; key->choices != NULL && key->choices[i] != NULL; i++) {
            if (!(value >> i & 1)) continue;
            if (printed++ > 0) ks_buffer_text(out, ",");
            ks_buffer_text(out, key->choices[i]);
        }
        return;
    }
}

/* ---- the nearest name ---- */

enum { NAME_MAX = 64 };

/* Levenshtein's distance; names longer than NAME_MAX are nobody's typing error. */
static int32_t distance(ks_string a, ks_string b) {
    int32_t row[NAME_MAX + 1];
    if (a.size > NAME_MAX || b.size > NAME_MAX) return NAME_MAX;
    for (int32_t j = 0; j <= b.size; j++) row[j] = j;
    for (int32_t i = 1; i <= a.size; i++) {
        int32_t diagonal = row[0];
        row[0] = i;
        for (int32_t j = 1; j <= b.size; j++) {
            int32_t best = diagonal + (lower(a.data[i - 1]) != lower(b.data[j - 1]));
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b.size];
}

static bool ends_with(ks_string name, ks_string tail) {
    return tail.size > 0 && name.size > tail.size &&
           memcmp(name.data + name.size - tail.size, tail.data, (size_t)tail.size) == 0;
}

void ks_config_suggest(const ks_config_key *keys, int32_t count, ks_string name, ks_buffer *out) {
    const char *best = NULL;
    int32_t least = NAME_MAX;
    for (int32_t i = 0; i < count; i++) {
        ks_string known = ks_str(keys[i].name);
        /* "retention.ms" asked of a broker is more likely log.retention.ms than anything nearer by letters */
        int32_t far = ends_with(known, name) || ends_with(name, known) ? 1 : distance(name, known);
        if (far < least) least = far, best = keys[i].name;
    }
    ks_buffer_printf(out, "unknown configuration \"%.*s\"", name.size > 0 ? (int)name.size : 0,
                     name.size > 0 ? name.data : "");
    if (best != NULL && least <= 2 + name.size / 4) ks_buffer_printf(out, ", did you mean \"%s\"?", best);
}
