/* SPDX-License-Identifier: Apache-2.0
 * Configs: the table against topic_configs.csv, values, defaults, settings, and what happens to what has no effect. */
#include "tests/broker/support/world.h"

#include "sim/broker/cluster_internal.h"

static int setup(void **state) {
    *state = calloc(1, sizeof(world));
    world_init(*state, NULL);
    return 0;
}

static int teardown(void **state) {
    world_deinit(*state);
    free(*state);
    return 0;
}

/* ---- the table ---- */

/* Splits a CSV line in place; quotes may hold commas. */
static void split(char *line, char *fields[5]) {
    for (int i = 0; i < 5; i++) {
        bool quoted = *line == '"';
        fields[i] = quoted ? ++line : line;
        line = strchr(line, quoted ? '"' : i == 4 ? '\n' : ',');
        if (line == NULL) {
            fields[i + 1 < 5 ? i + 1 : 4] = "";
            return;
        }
        *line++ = '\0';
        if (quoted) line++;
    }
}

static const char *type_name(ks_config_type type) {
    switch (type) {
    case KS_CONFIG_BOOLEAN: return "boolean";
    case KS_CONFIG_STRING: return "string";
    case KS_CONFIG_INT: return "int";
    case KS_CONFIG_LONG: return "long";
    case KS_CONFIG_DOUBLE: return "double";
    case KS_CONFIG_LIST: return "list";
    }
    return "?";
}

static bool accepts(int32_t key, const char *text) {
    int64_t value;
    return ks_config_parse(&ks_topic_configs[key], ks_str(text), &value, NULL) == KAFKA_OK;
}

static void below_and_above(const char *low, const char *high, int32_t key, const char *name) {
    char text[32];
    if (low != NULL) {
        if (!accepts(key, low)) fail_msg("%s refuses %s", name, low);
        snprintf(text, sizeof text, "%lld", atoll(low) - 1);
        if (accepts(key, text)) fail_msg("%s accepts %s", name, text);
    }
    if (high != NULL) {
        if (!accepts(key, high)) fail_msg("%s refuses %s", name, high);
        snprintf(text, sizeof text, "%lld", atoll(high) + 1);
        if (accepts(key, text)) fail_msg("%s accepts %s", name, text);
    }
}

/* What the column "valid" says, tried: ">=0", "1..17", "-1 or 1..9", "one of {...}", "subset of {...}". */
static void try_valid(const char *valid, int32_t key, const char *name) {
    long long low, high;
    char text[32], other[32];
    if (strncmp(valid, ">=", 2) == 0) {
        below_and_above(valid + 2, NULL, key, name);
    } else if (strcmp(valid, "-1 or 1..9") == 0) {
        below_and_above("-1", "9", key, name);
        assert_false(accepts(key, "0"));
        assert_true(accepts(key, "1"));
    } else if (sscanf(valid, "%lld..%lld", &low, &high) == 2) {
        snprintf(text, sizeof text, "%lld", low);
        snprintf(other, sizeof other, "%lld", high);
        below_and_above(text, other, key, name);
    } else if (strstr(valid, "of {") != NULL) {
        char words[200];
        snprintf(words, sizeof words, "%s", strchr(valid, '{') + 1);
        for (char *word = strtok(words, ",}"); word != NULL; word = strtok(NULL, ",}")) {
            if (!accepts(key, word)) fail_msg("%s refuses %s", name, word);
        }
        assert_false(accepts(key, "nonsense"));
    } else if (strncmp(valid, "empty, *", 8) == 0) {
        static const char *const good[] = { "", "*", "0:1", "0:1,2:3", "1:*" }, *const bad[] = { "0", "a:b", "0:1,",
                                                                                                 "-1:2", "0:1:2" };
        for (int i = 0; i < 5; i++)
            if (!accepts(key, good[i])) fail_msg("%s refuses \"%s\"", name, good[i]);
        for (int i = 0; i < 5; i++)
            if (accepts(key, bad[i])) fail_msg("%s accepts \"%s\"", name, bad[i]);
    } else if (valid[0] != '\0' && strcmp(valid, "0..1") != 0) {
        fail_msg("%s: this test cannot read \"%s\"", name, valid);
    }
}

static void every_topic_config_has_kafkas_type_default_and_limits(void **state) {
    world *w = *state;
    FILE *file = ks_vectors_open("topic_configs.csv");
    if (file == NULL) skip();
    char line[1000];
    int rows = 0;
    ks_topic_config *config = ks_topic_config_new(ks_cluster_settings(w->cluster));
    assert_non_null(fgets(line, sizeof line, file));
    while (fgets(line, sizeof line, file) != NULL) {
        char *fields[5] = { "", "", "", "", "" };
        split(line, fields);
        int32_t key = ks_topic_config_find(ks_str(fields[0]));
        if (key < 0) fail_msg("unknown config %s", fields[0]);
        assert_string_equal(type_name(ks_topic_configs[key].type), fields[1]);
        ks_buffer text = { 0 };
        ks_topic_config_print(config, (ks_topic_config_key)key, &text);
        if (strcmp(text.data ? (char *)text.data : "", fields[2]) != 0)
            fail_msg("%s: default %s, not %s", fields[0], text.data, fields[2]);
        ks_buffer_deinit(&text);
        try_valid(fields[3], key, fields[0]);
        rows++;
    }
    assert_int_equal(rows, KS_TOPIC_CONFIG_COUNT);
    ks_topic_config_release(config);
    fclose(file);
}

static void values_are_read_as_kafka_reads_them(void **state) {
    (void)state;
    static const struct {
        const char *name, *text;
        bool ok;
        int64_t value;
    } rows[] = {
        { "retention.ms", " 42 ", true, 42 },
        { "retention.ms", "+42", true, 42 },
        { "retention.ms", "", false, 0 },
        { "retention.ms", "4 2", false, 0 },
        { "retention.ms", "9223372036854775807", true, INT64_MAX },
        { "retention.ms", "9223372036854775808", false, 0 },
        { "retention.ms", "1e3", false, 0 },
        { "retention.ms", "-", false, 0 },
        { "segment.bytes", "2147483648", false, 0 },
        { "preallocate", "TRUE", true, 1 },
        { "preallocate", "yes", false, 0 },
        { "min.cleanable.dirty.ratio", "0.25", true, 250000 },
        { "min.cleanable.dirty.ratio", "1e-3", true, 1000 },
        { "min.cleanable.dirty.ratio", "1.0", true, 1000000 },
        { "min.cleanable.dirty.ratio", "1.1", false, 0 },
        { "min.cleanable.dirty.ratio", ".", false, 0 },
        { "min.cleanable.dirty.ratio", "NaN", false, 0 },
        { "cleanup.policy", "compact, delete", true, 3 },
        { "cleanup.policy", "", true, 0 },
        { "cleanup.policy", "compact,,delete", false, 0 },
        { "compression.type", "ZSTD", false, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t value = -99;
        kafka_error error = ks_config_parse(&ks_topic_configs[ks_topic_config_find(ks_str(rows[i].name))],
                                            ks_str(rows[i].text), &value, NULL);
        if ((error == KAFKA_OK) != rows[i].ok) fail_msg("%s = \"%s\" gives %d", rows[i].name, rows[i].text, error);
        assert_i64_equal(value, rows[i].ok ? rows[i].value : -99);
    }
}

static void a_bad_value_is_told_in_a_sentence_that_says_what_is_right(void **state) {
    (void)state;
    ks_buffer why = { 0 };
    int64_t value;
    assert_int_equal(ks_config_parse(&ks_topic_configs[KS_TOPIC_segment_bytes], KS_LITERAL("ten"), &value, &why),
                     KAFKA_ERR_INVALID_CONFIG);
    assert_string_equal((char *)why.data,
                        "invalid value \"ten\" for configuration segment.bytes: a whole number from 14 to 2147483647");
    ks_buffer_clear(&why);
    assert_int_equal(ks_config_parse(&ks_topic_configs[KS_TOPIC_compression_type], KS_LITERAL("zip"), &value, &why),
                     KAFKA_ERR_INVALID_CONFIG);
    assert_non_null(strstr((char *)why.data, "one of uncompressed, gzip, snappy, lz4, zstd, producer"));
    ks_buffer_deinit(&why);
}

static void an_unknown_name_is_told_with_the_nearest_one(void **state) {
    (void)state;
    static const struct {
        const char *name, *suggestion;
    } rows[] = {
        { "retention.m", "retention.ms" },
        { "retentionms", "retention.ms" },
        { "segment.byte", "segment.bytes" },
        { "Cleanup.Policy", "cleanup.policy" },
        { "log.retention.bytes", "retention.bytes" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ks_buffer why = { 0 };
        ks_config_suggest(ks_topic_configs, KS_TOPIC_CONFIG_COUNT, ks_str(rows[i].name), &why);
        char expected[100];
        snprintf(expected, sizeof expected, "did you mean \"%s\"?", rows[i].suggestion);
        if (strstr((char *)why.data, expected) == NULL) fail_msg("%s", why.data);
        ks_buffer_deinit(&why);
    }
    ks_buffer why = { 0 };
    ks_config_suggest(ks_topic_configs, KS_TOPIC_CONFIG_COUNT, KS_LITERAL("colour"), &why);
    assert_string_equal((char *)why.data, "unknown configuration \"colour\"");
    ks_buffer_deinit(&why);
}

/* ---- settings ---- */

static void settings_are_the_defaults_of_topic_configs(void **state) {
    (void)state;
    world w;
    const ks_config_entry settings[] = { { "log.retention.hours", "2" },
                                         { "message.max.bytes", "500" },
                                         { "log.roll.ms", "77" } };
    world_init(&w, &(ks_cluster_config){ .brokers = 2, .settings = settings, .setting_count = 3 });
    ks_topic *topic = make_topic(&w, "t", 1, 1);
    assert_i64_equal(topic->config->value[KS_TOPIC_retention_ms], 7200000);
    assert_i64_equal(topic->config->value[KS_TOPIC_max_message_bytes], 500);
    assert_i64_equal(topic->config->value[KS_TOPIC_segment_ms], 77);
    assert_int_equal(ks_topic_config_source(w.cluster, topic->config, KS_TOPIC_retention_ms), KS_SOURCE_STATIC);
    assert_int_equal(ks_topic_config_source(w.cluster, topic->config, KS_TOPIC_segment_bytes), KS_SOURCE_DEFAULT);
    world_deinit(&w);
}

static void a_wrong_cluster_config_is_refused_with_a_reason(void **state) {
    (void)state;
    static const struct {
        ks_config_entry setting;
        int32_t brokers;
        const char *why;
    } rows[] = {
        { { "num.partition", "3" }, 1, "did you mean \"num.partitions\"?" },
        { { "retention.ms", "3" }, 1, "did you mean \"log.retention.ms\"?" },
        { { "num.partitions", "0" }, 1, "a whole number from 1 to 2147483647" },
        { { "num.partitions", NULL }, 1, "invalid value null" },
        { { "num.partitions", "2" }, -1, "1 to 1000 brokers" },
        { { "num.partitions", "2" }, 1001, "1 to 1000 brokers" },
        { { "group.min.session.timeout.ms", "2000000" }, 1, "above group.max.session.timeout.ms" },
    };
    ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ .seed = 1 });
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ks_buffer why = { 0 };
        ks_cluster_config config = { .brokers = rows[i].brokers, .settings = &rows[i].setting, .setting_count = 1 };
        assert_int_equal(ks_cluster_config_check(&config, &why), KAFKA_ERR_INVALID_CONFIG);
        if (strstr((char *)why.data, rows[i].why) == NULL) fail_msg("%s", why.data);
        assert_null(ks_cluster_new(kernel, &config));
        ks_buffer_deinit(&why);
    }
    ks_kernel_free(kernel);
}

static void a_config_without_effect_is_said_aloud_once(void **state) {
    world *w = *state;
    w->logs = true;
    make_configured(w, "a", "flush.ms", "1000", "retention.ms", "5", NULL);
    make_configured(w, "b", "flush.ms", "1000", NULL);
    assert_int_equal(seen(w, "config_without_effect"), 1);
    assert_int_equal(seen(w, "config_changed"), 3);
    make_configured(w, "c", "cleanup.policy", "compact", NULL); /* as long as nothing compacts */
    assert_int_equal(seen(w, "config_without_effect"), 2);
}

/* ---- changing them ---- */

typedef struct change {
    const char *name;
    int8_t operation;
    const char *value;
} change;

static ks_incremental_alter_configs_response_alter_configs_resource_response *
alter(world *w, int8_t type, const char *resource, const change *changes, int32_t count, bool validate_only) {
    ks_envelope *request = request_new(w, KS_API_incremental_alter_configs, 1);
    ks_incremental_alter_configs_request *in = request->body;
    in->validate_only = validate_only;
    REQUEST_ARRAY(request, in->resources, 1, incremental_alter_configs_request_alter_configs_resource);
    in->resources.items[0].resource_type = type;
    in->resources.items[0].resource_name = ks_str(resource);
    REQUEST_ARRAY(request, in->resources.items[0].configs, count, incremental_alter_configs_request_alterable_config);
    for (int32_t i = 0; i < count; i++) {
        in->resources.items[0].configs.items[i].name = ks_str(changes[i].name);
        in->resources.items[0].configs.items[i].config_operation = changes[i].operation;
        in->resources.items[0].configs.items[i].value = ks_str(changes[i].value);
    }
    ks_incremental_alter_configs_response *out = ask(w, 1, request);
    assert_int_equal(out->responses.count, 1);
    return &out->responses.items[0];
}

enum { SET, DELETE, APPEND, SUBTRACT };

static void wrong_changes_are_refused_as_a_whole(void **state) { /* section 1.4, (Incremental)AlterConfigs */
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    static const struct {
        int8_t type;
        const char *resource;
        change changes[2];
        kafka_error error;
    } rows[] = {
        { 2, "nope", { { "retention.ms", SET, "1" } }, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION },
        { 2, "", { { "retention.ms", SET, "1" } }, KAFKA_ERR_INVALID_REQUEST },
        { 2, "t", { { "retention.ms", SET, "1" }, { "colour", SET, "red" } }, KAFKA_ERR_INVALID_CONFIG },
        { 2, "t", { { "retention.ms", SET, "1" }, { "segment.bytes", SET, "13" } }, KAFKA_ERR_INVALID_CONFIG },
        { 2, "t", { { "retention.ms", SET, "1" }, { "segment.bytes", SET, NULL } }, KAFKA_ERR_INVALID_REQUEST },
        { 2, "t", { { "retention.ms", SET, "1" }, { "retention.ms", SET, "2" } }, KAFKA_ERR_INVALID_REQUEST },
        { 2, "t", { { "retention.ms", SET, "1" }, { "segment.bytes", APPEND, "15" } }, KAFKA_ERR_INVALID_CONFIG },
        { 2, "t", { { "retention.ms", SET, "1" }, { "segment.bytes", SUBTRACT, "15" } }, KAFKA_ERR_INVALID_CONFIG },
        { 2, "t", { { "retention.ms", SET, "1" }, { "cleanup.policy", APPEND, "shred" } }, KAFKA_ERR_INVALID_CONFIG },
        { 2, "t", { { "retention.ms", SET, "1" }, { "cleanup.policy", 4, "delete" } }, KAFKA_ERR_INVALID_REQUEST },
        { 2,
          "t",
          { { "min.compaction.lag.ms", SET, "9" }, { "max.compaction.lag.ms", SET, "8" } },
          KAFKA_ERR_INVALID_CONFIG },
        { 4, "", { { "num.partitions", SET, "3" } }, KAFKA_ERR_INVALID_REQUEST },
        { 4, "", { { "log.retention.ms", SET, "3" }, { "colour", SET, "red" } }, KAFKA_ERR_INVALID_CONFIG },
        { 4, "1", { { "log.retention.ms", SET, "3" } }, KAFKA_ERR_INVALID_REQUEST },
        { 8, "1", { { "x", SET, "3" } }, KAFKA_ERR_INVALID_REQUEST },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int16_t error =
            alter(w, rows[i].type, rows[i].resource, rows[i].changes, rows[i].changes[1].name ? 2 : 1, false)
                ->error_code;
        if (error != rows[i].error) fail_msg("row %zu: %d, not %d", i, error, rows[i].error);
        assert_i64_equal(topic->config->overridden, 0);
        assert_i64_equal(topic->config->value[KS_TOPIC_retention_ms], 604800000);
    }
}

static void changes_take_effect_unless_they_are_only_validated(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    assert_int_equal(alter(w, 2, "t", (change[]){ { "retention.ms", SET, "1" } }, 1, true)->error_code, 0);
    assert_i64_equal(topic->config->overridden, 0);
    assert_int_equal(
        alter(w, 2, "t", (change[]){ { "retention.ms", SET, "1" }, { "cleanup.policy", APPEND, "compact" } }, 2, false)
            ->error_code,
        0);
    assert_i64_equal(topic->config->value[KS_TOPIC_retention_ms], 1);
    assert_i64_equal(topic->config->value[KS_TOPIC_cleanup_policy], KS_CLEANUP_COMPACT | KS_CLEANUP_DELETE);
    assert_string_equal(topic->config->text[KS_TOPIC_cleanup_policy], "delete,compact");
    assert_int_equal(alter(w, 2, "t",
                           (change[]){ { "retention.ms", DELETE, NULL }, { "cleanup.policy", SUBTRACT, "delete" } }, 2,
                           false)
                         ->error_code,
                     0);
    assert_i64_equal(topic->config->value[KS_TOPIC_retention_ms], 604800000);
    assert_i64_equal(topic->config->value[KS_TOPIC_cleanup_policy], KS_CLEANUP_COMPACT);
}

static void dynamic_broker_defaults_reach_every_topic_that_inherits_them(void **state) {
    world *w = *state;
    ks_topic *plain = make_topic(w, "plain", 1, 1), *own = make_configured(w, "own", "retention.ms", "5", NULL);
    assert_int_equal(
        alter(w, 4, "", (change[]){ { "log.retention.ms", SET, "9" }, { "log.segment.bytes", SET, "100" } }, 2, false)
            ->error_code,
        0);
    assert_i64_equal(plain->config->value[KS_TOPIC_retention_ms], 9);
    assert_i64_equal(own->config->value[KS_TOPIC_retention_ms], 5);
    assert_i64_equal(own->config->value[KS_TOPIC_segment_bytes], 100);
    assert_i64_equal(make_topic(w, "new", 1, 1)->config->value[KS_TOPIC_retention_ms], 9);
    assert_int_equal(alter(w, 4, "", (change[]){ { "log.retention.ms", DELETE, NULL } }, 1, false)->error_code, 0);
    assert_i64_equal(plain->config->value[KS_TOPIC_retention_ms], 604800000);
}

static void alter_configs_replaces_all_that_a_topic_has_of_its_own(void **state) {
    world *w = *state;
    ks_topic *topic = make_configured(w, "t", "retention.ms", "5", "segment.bytes", "100", NULL);
    ks_envelope *request = request_new(w, KS_API_alter_configs, 2);
    ks_alter_configs_request *in = request->body;
    REQUEST_ARRAY(request, in->resources, 1, alter_configs_request_resource);
    in->resources.items[0].resource_type = 2;
    in->resources.items[0].resource_name = KS_LITERAL("t");
    REQUEST_ARRAY(request, in->resources.items[0].configs, 1, alter_configs_request_alterable_config);
    in->resources.items[0].configs.items[0].name = KS_LITERAL("segment.bytes");
    in->resources.items[0].configs.items[0].value = KS_LITERAL("200");
    ks_alter_configs_response *out = ask(w, 1, request);
    assert_int_equal(out->responses.items[0].error_code, 0);
    assert_i64_equal(topic->config->value[KS_TOPIC_retention_ms], 604800000);
    assert_i64_equal(topic->config->value[KS_TOPIC_segment_bytes], 200);
}

/* ---- describing them ---- */

static ks_describe_configs_response_result *describe(world *w, int8_t type, const char *resource, const char *key) {
    ks_envelope *request = request_new(w, KS_API_describe_configs, 4);
    ks_describe_configs_request *in = request->body;
    in->include_synonyms = in->include_documentation = true;
    REQUEST_ARRAY(request, in->resources, 1, describe_configs_request_resource);
    in->resources.items[0].resource_type = type;
    in->resources.items[0].resource_name = ks_str(resource);
    in->resources.items[0].configuration_keys.count = key != NULL ? 1 : -1;
    in->resources.items[0].configuration_keys.items = ks_arena_alloc(request->arena, sizeof(ks_string));
    if (key != NULL) in->resources.items[0].configuration_keys.items[0] = ks_str(key);
    ks_describe_configs_response *out = ask(w, 1, request);
    return &out->results.items[0];
}

#define assert_text(string, text) assert_true(ks_string_equal((string), KS_LITERAL(text)))

static void a_description_says_value_source_and_synonyms(void **state) {
    world *w = *state;
    make_configured(w, "t", "retention.ms", "5", NULL);
    assert_int_equal(alter(w, 4, "", (change[]){ { "log.retention.ms", SET, "9" } }, 1, false)->error_code, 0);
    assert_int_equal(describe(w, 2, "t", NULL)->configs.count, KS_TOPIC_CONFIG_COUNT);
    ks_describe_configs_response_result *result = describe(w, 2, "t", "retention.ms");
    assert_int_equal(result->configs.count, 1);
    ks_describe_configs_response_resource_result *config = &result->configs.items[0];
    assert_text(config->value, "5");
    assert_int_equal(config->config_source, KS_SOURCE_TOPIC);
    assert_int_equal(config->config_type, KS_CONFIG_LONG);
    assert_int_equal(config->synonyms.count, 2);
    assert_text(config->synonyms.items[1].name, "log.retention.ms");
    assert_text(config->synonyms.items[1].value, "9");
    assert_int_equal(config->synonyms.items[1].source, KS_SOURCE_DYNAMIC_DEFAULT);
    assert_true(config->documentation.size > 0);
}

static void brokers_describe_themselves_and_nobody_else(void **state) {
    world *w = *state;
    assert_int_equal(describe(w, 4, "1", NULL)->configs.count, KS_SETTING_COUNT);
    assert_int_equal(describe(w, 4, "", NULL)->configs.count, 0);
    assert_true(describe(w, 4, "1", "num.partitions")->configs.items[0].read_only);
    assert_int_equal(describe(w, 4, "2", NULL)->error_code, KAFKA_ERR_INVALID_REQUEST);
    assert_int_equal(describe(w, 4, "one", NULL)->error_code, KAFKA_ERR_INVALID_REQUEST);
    assert_int_equal(describe(w, 2, "nope", NULL)->error_code, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(describe(w, 2, "!", NULL)->error_code, KAFKA_ERR_INVALID_TOPIC_EXCEPTION);
    assert_int_equal(describe(w, 3, "g", NULL)->error_code, KAFKA_ERR_INVALID_REQUEST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_topic_config_has_kafkas_type_default_and_limits, setup, teardown),
        cmocka_unit_test(values_are_read_as_kafka_reads_them),
        cmocka_unit_test(a_bad_value_is_told_in_a_sentence_that_says_what_is_right),
        cmocka_unit_test(an_unknown_name_is_told_with_the_nearest_one),
        cmocka_unit_test(settings_are_the_defaults_of_topic_configs),
        cmocka_unit_test(a_wrong_cluster_config_is_refused_with_a_reason),
        cmocka_unit_test_setup_teardown(a_config_without_effect_is_said_aloud_once, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_changes_are_refused_as_a_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_take_effect_unless_they_are_only_validated, setup, teardown),
        cmocka_unit_test_setup_teardown(dynamic_broker_defaults_reach_every_topic_that_inherits_them, setup, teardown),
        cmocka_unit_test_setup_teardown(alter_configs_replaces_all_that_a_topic_has_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(a_description_says_value_source_and_synonyms, setup, teardown),
        cmocka_unit_test_setup_teardown(brokers_describe_themselves_and_nobody_else, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
