/* SPDX-License-Identifier: Apache-2.0
 * Settings of Java's consumer by Kafka's names: defaults, values, and what is said about wrong ones. */
#include "tests/support/test.h"

#include "sim/client/java_config.h"

static void defaults_are_kafkas(void **state) {
    (void)state;
    ks_java_config config;
    ks_buffer why = { 0 };
    assert_int_equal(ks_java_config_init(&config, (const char *[]){ "group.id=g" }, 1, NULL, 0, &why), KAFKA_OK);
    assert_i64_equal(config.session_timeout_ms, 45000);
    assert_i64_equal(config.heartbeat_interval_ms, 3000);
    assert_i64_equal(config.max_poll_interval_ms, 300000);
    assert_i64_equal(config.max_poll_records, 500);
    assert_i64_equal(config.enable_auto_commit, 1);
    assert_i64_equal(config.auto_commit_interval_ms, 5000);
    assert_i64_equal(config.metadata_max_age_ms, 300000);
    assert_i64_equal(config.fetch_max_wait_ms, 500);
    assert_i64_equal(config.max_partition_fetch_bytes, 1048576);
    assert_int_equal(config.reset, KS_RESET_LATEST);
    assert_false(config.modern || config.read_committed);
    assert_int_equal(config.assignor_count, 2);
    assert_string_equal(config.assignors[0].name.data, "range");
    assert_int_equal(config.protocol, KS_REBALANCE_EAGER); /* the most advanced one that all assignors support */
    ks_java_config_deinit(&config);
    ks_buffer_deinit(&why);
}

static void values_are_read(void **state) {
    (void)state;
    const char *settings[] = { " group.id = billing ", "session.timeout.ms=7000", "session.timeout.ms=8000", "enable.auto.commit=FALSE",
                               "auto.offset.reset=by_duration:P1DT2H3M4.5S", "partition.assignment.strategy=sticky, org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
                               "isolation.level=read_committed", "client.rack=a" };
    ks_java_config config;
    ks_buffer why = { 0 };
    assert_int_equal(ks_java_config_init(&config, settings, sizeof settings / sizeof *settings, NULL, 0, &why), KAFKA_OK);
    assert_string_equal(config.group_id, "billing");
    assert_i64_equal(config.session_timeout_ms, 8000);
    assert_i64_equal(config.enable_auto_commit, 0);
    assert_int_equal(config.reset, KS_RESET_BY_TIME);
    assert_i64_equal(config.reset_duration_ms, ((26 * 60 + 3) * 60 + 4) * 1000 + 500);
    assert_int_equal(config.assignor_count, 2);
    assert_string_equal(config.assignors[1].name.data, "cooperative-sticky");
    assert_true(config.read_committed);
    ks_java_config_deinit(&config);
    assert_int_equal(ks_java_config_init(&config, (const char *[]){ "group.id=g", "partition.assignment.strategy=cooperative-sticky" }, 2, NULL, 0, &why), KAFKA_OK);
    assert_int_equal(config.protocol, KS_REBALANCE_COOPERATIVE);
    ks_java_config_deinit(&config);
    ks_buffer_deinit(&why);
}

static void wrong_settings_are_refused_in_words(void **state) {
    (void)state;
    static const struct { const char *settings[3], *says; } rows[] = {
        { { "sesion.timeout.ms=1" }, "did you mean \"session.timeout.ms\"" },
        { { "group.idd=x" }, "did you mean \"group.id\"" },
        { { "completely.different=1" }, "there is no consumer setting \"completely.different\"" },
        { { "group.id" }, "name=value" },
        { { NULL }, "name=value" },
        { { "session.timeout.ms=soon" }, "whole number" },
        { { "session.timeout.ms=0" }, "from 1 to 2147483647" },
        { { "max.poll.records=0" }, "max.poll.records is \"0\"" },
        { { "fetch.min.bytes=99999999999999999999" }, "whole number" },
        { { "enable.auto.commit=yes" }, "true or false" },
        { { "enable.auto.commit=true" }, "without a group.id" },
        { { "auto.offset.reset=earlyest" }, "did you mean \"earliest\"" },
        { { "auto.offset.reset=by_duration:-PT1H" }, "not negative" },
        { { "auto.offset.reset=by_duration:PT" }, "ISO 8601" },
        { { "auto.offset.reset=by_duration:1h" }, "ISO 8601" },
        { { "isolation.level=read_comitted" }, "did you mean \"read_committed\"" },
        { { "group.protocol=modern" }, "classic or consumer" },
        { { "group.id=" }, "group.id is empty" },
        { { "group.id=g", "group.instance.id=a b" }, "letters, digits" },
        { { "group.id=g", "group.instance.id=" }, "letters, digits" },
        { { "group.id=g", "heartbeat.interval.ms=45000" }, "must be lower than session.timeout.ms (45000)" },
        { { "group.id=g", "partition.assignment.strategy=rang" }, "did you mean \"range\"" },
        { { "group.id=g", "partition.assignment.strategy=range,range" }, "twice" },
        { { "group.id=g", "partition.assignment.strategy=" }, "empty" },
        { { "group.id=g", "group.remote.assignor=uniform" }, "needs group.protocol=consumer" },
        { { "group.id=g", "group.protocol=consumer", "session.timeout.ms=10000" }, "cannot be set with group.protocol=consumer" },
        { { "group.id=g", "group.protocol=consumer", "partition.assignment.strategy=range" }, "cannot be set with group.protocol=consumer" },
        { { "bootstrap.servers=localhost:9092" }, "has no effect here" },
        { { "key.deserializer=x" }, "bytes" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t count = 1;
        while (count < 3 && rows[i].settings[count]) count++;
        ks_java_config config;
        ks_buffer why = { 0 };
        assert_int_equal(ks_java_config_init(&config, rows[i].settings, count, NULL, 0, &why), KAFKA_ERR_INVALID_CONFIG_VALUE);
        if (why.data == NULL || strstr((const char *)why.data, rows[i].says) == NULL)
            fail_msg("row %zu says \"%s\", not \"%s\"", i, why.data ? (const char *)why.data : "", rows[i].says);
        ks_buffer_deinit(&why);
    }
}

static void durations_are_iso_8601(void **state) {
    (void)state;
    static const struct { const char *text; int64_t ms; } rows[] = {
        { "PT0S", 0 }, { "PT1S", 1000 }, { "PT0.25S", 250 }, { "PT1.2345S", 1234 }, { "PT90M", 5400000 }, { "P2D", 172800000 },
        { "P1DT1H", 90000000 }, { "PT1H1M1S", 3661000 },
        { "", -1 }, { "P", -1 }, { "PT", -1 }, { "P1DT", -1 }, { "1D", -1 }, { "P1H", -1 }, { "PT1D", -1 }, { "PT1S1M", -1 }, { "PT1H1H", -1 },
        { "PT1.5M", -1 }, { "PT-1S", -1 }, { "-PT1S", -1 }, { "PT1", -1 }, { "PT1X", -1 }, { "P99999999999999999999D", -1 }, { "PT1S ", -1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ms = -1;
        bool good = ks_java_duration(rows[i].text, &ms);
        if (good != (rows[i].ms >= 0) || (good && ms != rows[i].ms)) fail_msg("\"%s\" gives %d, %lld", rows[i].text, good, (long long)ms);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_kafkas),
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(wrong_settings_are_refused_in_words),
        cmocka_unit_test(durations_are_iso_8601),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
