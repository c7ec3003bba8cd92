/* SPDX-License-Identifier: Apache-2.0
 *
 * Any lines "name=value" as the settings of Java's consumer, of brokers and of topics: taken, or refused with a sentence, and what is
 * taken can be printed and taken again. docs/fuzzing.md says how to run it with libFuzzer.
 */
#include "sim/broker/config.h"
#include "sim/client/java_config.h"

int fuzz_settings(const uint8_t *data, size_t size);

enum { MOST_LINES = 16 };

/* Printing gives a text that means the same. */
static void check_value(const ks_config_key *key, ks_string text) {
    int64_t value = 42, again;
    ks_buffer why = { 0 }, printed = { 0 };
    if (ks_config_parse(key, text, &value, &why) != KAFKA_OK) {
        ks_assert(value == 42 && why.size > 0);
    } else {
        ks_config_print(key, value, &printed);
        ks_string shown = { printed.size > 0 ? (const char *)printed.data : "", (int32_t)printed.size };
        ks_assert(ks_config_parse(key, shown, &again, NULL) == KAFKA_OK && again == value);
    }
    ks_buffer_deinit(&why);
    ks_buffer_deinit(&printed);
}

static bool line(ks_string name, ks_string value, bool suggest) {
    int32_t setting = ks_setting_find(name), topic = ks_topic_config_find(name);
    ks_buffer out = { 0 };
    if (setting >= 0) check_value(&ks_settings[setting], value);
    if (topic >= 0) check_value(&ks_topic_configs[topic], value);
    if (setting < 0 && suggest) ks_config_suggest(ks_settings, KS_SETTING_COUNT, name, &out);
    ks_buffer_deinit(&out);
    return setting >= 0;
}

int fuzz_settings(const uint8_t *data, size_t size) {
    char *text, *lines[MOST_LINES];
    size_t count = 0;
    bool known = true; /* so far: one suggestion is enough, they are slow */
    if (size > 4096) return 0;
    text = ks_strndup((const char *)data, size);
    for (char *at = text; *at != '\0' && count < MOST_LINES;) {
        size_t length = strcspn(at, "\n");
        bool last = at[length] == '\0';
        at[length] = '\0';
        lines[count++] = at;
        size_t name = strcspn(at, "=");
        if (at[name] == '=') known &= line((ks_string){ at, (int32_t)name }, (ks_string){ at + name + 1, (int32_t)(length - name - 1) }, known);
        at += length + !last;
    }
    ks_java_config config;
    ks_buffer why = { 0 };
    if (ks_java_config_init(&config, (const char *const *)lines, count, NULL, 0, &why) == KAFKA_OK) {
        ks_assert(why.size == 0 && config.heartbeat_interval_ms >= 1 && config.assignor_count <= KS_JAVA_ASSIGNORS_MAX);
        ks_java_config_deinit(&config);
    } else ks_assert(why.size > 0);
    ks_buffer_deinit(&why);
    ks_free(text);
    return 0;
}

#ifdef KS_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_settings(data, size); }
#endif
