/* SPDX-License-Identifier: Apache-2.0
 * Making simulators, client processes, running, fixtures, and looking inside. */
#include "tests/control/fixture.h"

static void wrong_configs_are_refused_with_the_field_and_what_is_allowed(void **state) {
    char problem[256];
    const struct {
        ksim_config config;
        const char *words;
    } rows[] = {
        { { .brokers = -1 }, "brokers is -1" },
        { { .brokers = 1001 }, "brokers is 1001" },
        { { .start = -5 }, "start" },
        { { .latency = -2 }, "latency is -2 ns" },
        { { .latency = INT64_MAX }, "up to a year" },
        { { .start = INT64_MAX }, "start is after the year 2200" },
        { { .stuck_after = -1 }, "stuck_after" },
        { { .run_limit = -1 }, "run_limit" },
        { { .trace_ring = -1 }, "trace_ring" },
        { { .settings = (const ksim_setting[]){ { "group.initial.rebalance.delai.ms", "0" }, { NULL, NULL } } },
          "group.initial.rebalance.delay.ms" },
        { { .settings = (const ksim_setting[]){ { "num.partitions", "none" }, { NULL, NULL } } }, "num.partitions" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ksim_config config = rows[i].config;
        config.problem = problem;
        config.problem_size = sizeof problem;
        assert_null(ksim_new(&config));
        assert_contains(problem, rows[i].words);
    }
}

static void a_null_config_means_all_defaults(void **state) {
    (void)state;
    ksim *sim = ksim_new(NULL);
    assert_i64_equal(ksim_now(sim), INT64_C(1798761600) * KAFKA_SECOND);
    assert_int_equal(ksim_seed(sim), 1);
    kafka_address *address = ksim_client(sim, "c1");
    assert_string_equal(kafka_address_text(address), "broker-1:9092,broker-2:9092,broker-3:9092");
    assert_string_equal(kafka_address_client(address), "c1");
    kafka_address_free(address);
    ksim_free(sim);
    ksim_free(NULL);
}

static void wrong_names_of_clients_are_refused(void **state) {
    char longest[102];
    memset(longest, 'a', 101);
    longest[101] = 0;
    const char *const wrong[] = { NULL, "", "c 1", "c1/2", "broker-1", "ksim", longest };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_null(ksim_client(*state, wrong[i]));
        assert_contains(ksim_error_detail(*state), "ksim_client: ");
    }
    longest[100] = 0;
    kafka_address *address = ksim_client(*state, longest);
    assert_non_null(address);
    kafka_address_free(address);
}

static void the_same_name_is_the_same_process(void **state) {
    kafka_address *one = ksim_client(*state, "c1"), *two = ksim_client(*state, "c1"),
                  *other = ksim_client(*state, "c2");
    ksim_crash(*state, "c1");
    assert_int_equal(kafka_context_error(kafka_background(one)), KAFKA_ERR_NODE_CRASHED);
    assert_int_equal(kafka_context_error(kafka_background(two)), KAFKA_ERR_NODE_CRASHED);
    assert_int_equal(kafka_context_error(kafka_background(other)), KAFKA_OK);
    kafka_address *born_dead = ksim_client(*state, "c1");
    assert_int_equal(kafka_context_error(kafka_background(born_dead)), KAFKA_ERR_NODE_CRASHED);
    ksim_restart(*state, "c1");
    assert_int_equal(kafka_context_error(kafka_background(born_dead)), KAFKA_OK);
    size_t count;
    const char *const *names = ksim_clients(*state, &count);
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "c1");
    assert_string_equal(names[1], "c2");
    kafka_address_free(one);
    kafka_address_free(two);
    kafka_address_free(other);
    kafka_address_free(born_dead);
}

static void running_takes_exactly_as_long_as_asked(void **state) {
    assert_int_equal(ksim_run_for(*state, 1234567), KAFKA_OK);
    assert_i64_equal(ksim_elapsed(*state), 1234567);
    assert_int_equal(ksim_run_until_time(*state, ksim_now(*state) + 3), KAFKA_OK);
    assert_i64_equal(ksim_elapsed(*state), 1234570);
    assert_int_equal(ksim_run_until_time(*state, ksim_now(*state) - 1), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_run_for(*state, -1), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_run_for(*state, INT64_MAX), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_run_until(*state, NULL, NULL, NULL, 0), KAFKA_ERR_INVALID_ARGUMENT);
    assert_i64_equal(ksim_elapsed(*state), 1234570);
}

static void null_simulators_are_refused(void **state) {
    (void)state;
    assert_int_equal(ksim_run_for(NULL, 1), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_step(NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_crash(NULL, "c1"), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_create_topic(NULL, "x", 1), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_put(NULL, "x", 0, NULL, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_null(ksim_client(NULL, "c1"));
    assert_null(ksim_rule_add(NULL, NULL));
    assert_null(ksim_topics(NULL, NULL));
    assert_null(ksim_group_find(NULL, "g"));
    assert_null(ksim_trace_subscribe(NULL, NULL, NULL));
    assert_string_equal(ksim_error_detail(NULL), "");
    assert_non_null(ksim_check_lag(NULL, "g", NULL, 0));
    assert_int_equal(ksim_test_seeds(1, NULL), -1);
}

/* ---- fixtures and inspection ---- */

static void topics_are_created_with_their_configs_and_shown(void **state) {
    const ksim_new_topic topics[] = {
        { .name = "orders",
          .partitions = 2,
          .replication_factor = 2,
          .configs = (const ksim_setting[]){ { "retention.ms", "60000" }, { NULL, NULL } } },
        { .name = "bills" },
    };
    size_t count;
    assert_ksim_ok(*state, ksim_create_topics(*state, topics, 2));
    const ksim_topic *all = ksim_topics(*state, &count);
    assert_int_equal(count, 3);
    assert_string_equal(all[0].name, "bills");
    assert_int_equal(all[0].partition_count, 1);
    assert_int_equal(all[0].replication_factor, 3);
    assert_string_equal(all[1].name, "orders");
    assert_int_equal(all[1].partition_count, 2);
    assert_int_equal(all[1].partitions[1].partition, 1);
    assert_int_equal(all[1].partitions[1].replica_count, 2);
    assert_int_equal(all[1].partitions[1].isr_count, 2);
    assert_int_equal(all[1].partitions[1].leader, all[1].partitions[1].replicas[0]);
    assert_int_equal(all[1].config_count, 1);
    assert_string_equal(all[1].configs[0].name, "retention.ms");
    assert_string_equal(all[1].configs[0].value, "60000");
    assert_int_equal(strlen(all[1].id), 22);
    assert_string_equal(all[2].name, "__consumer_offsets");
    assert_true(all[2].internal);
    assert_contains(ksim_topics_json(*state), "{\"name\":\"orders\",");
}

static void what_kafka_refuses_is_refused_with_its_error(void **state) {
    assert_int_equal(ksim_create_topic(*state, "orders", 1), KAFKA_OK);
    assert_int_equal(ksim_create_topic(*state, "orders", 1), KAFKA_ERR_TOPIC_ALREADY_EXISTS);
    assert_contains(ksim_error_detail(*state), "orders");
    assert_int_equal(ksim_create_topic(*state, "no topic", 1), KAFKA_ERR_INVALID_TOPIC_EXCEPTION);
    assert_int_equal(ksim_create_topic(*state, "x", 0), KAFKA_ERR_INVALID_PARTITIONS);
    assert_int_equal(ksim_create_topic(*state, NULL, 1), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_create_topics(*state, &(ksim_new_topic){ .name = "x", .replication_factor = 4 }, 1),
                     KAFKA_ERR_INVALID_REPLICATION_FACTOR);
    assert_int_equal(ksim_put(*state, "orders", 1, NULL, "x"), KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_contains(ksim_error_detail(*state), "orders[1]");
    assert_int_equal(ksim_put(*state, "bills", 0, NULL, "x"), KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(ksim_set_committed_offset(*state, "g", "bills", 0, 1), KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(ksim_set_committed_offset(*state, "g", "orders", 0, -1), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_expel_member(*state, "nobody", "c1"), KAFKA_ERR_GROUP_ID_NOT_FOUND);
    assert_int_equal(ksim_expire_session(*state, "nobody", "c1"), KAFKA_ERR_GROUP_ID_NOT_FOUND);
    assert_int_equal(ksim_move_leader(*state, "orders", 7, 1), KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_not_equal(ksim_move_leader(*state, "orders", 0, 9), KAFKA_OK);
    assert_null(ksim_topic_find(*state, "bills"));
    assert_contains(ksim_error_detail(*state), "there is no topic \"bills\"; there are orders");
    assert_null(ksim_partition_find(*state, "orders", 1));
    assert_null(ksim_records(*state, "orders", 1, NULL));
    assert_null(ksim_group_find(*state, "billing"));
    assert_string_equal(ksim_assignment(*state, "billing"), "");
    assert_i64_equal(ksim_lag(*state, "billing", NULL), -1);
    assert_i64_equal(ksim_committed_offset(*state, "billing", "orders", 0), -1);
}

static void records_are_put_and_shown_whole(void **state) {
    ksim_create_topic(*state, "orders", 2);
    const kafka_header headers[] = { { kafka_string("trace"), { "\xff\x00", 2 } },
                                     { kafka_string("empty"), { NULL, 0 } } };
    const kafka_message messages[] = {
        { .topic = "orders", .partition = 1, .key = kafka_string("k1"), .value = kafka_string("a") },
        { .topic = "orders",
          .partition = 0,
          .key = kafka_string("k2"),
          .value = { NULL, 0 },
          .headers = headers,
          .header_count = 2 },
        { .topic = "orders", .partition = 1, .value = { "", 0 }, .time = INT64_C(1798761600123) * KAFKA_MILLISECOND },
    };
    size_t count;
    assert_ksim_ok(*state, ksim_put_messages(*state, messages, 3));
    const ksim_record *records = ksim_records(*state, "orders", 1, &count);
    assert_int_equal(count, 2);
    assert_i64_equal(records[1].offset, 1);
    assert_i64_equal(records[1].time, INT64_C(1798761600123) * KAFKA_MILLISECOND);
    assert_null(records[1].key.data);
    assert_non_null(records[1].value.data);
    assert_int_equal(records[1].value.size, 0);
    records = ksim_records(*state, "orders", 0, &count);
    assert_int_equal(count, 1);
    assert_null(records[0].value.data);
    assert_int_equal(records[0].header_count, 2);
    assert_memory_equal(records[0].headers[0].value.data, "\xff\x00", 2);
    assert_null(records[0].headers[1].value.data);
    assert_contains(ksim_records_json(*state, "orders", 0),
                    "\"key\":\"k2\",\"value\":null,\"headers\":[{\"key\":\"trace\",\"value\":{\"hex\":\"ff00\"}}");
    assert_partition_records(*state, "orders", 1, "k1=a (null)=");
    assert_i64_equal(ksim_partition_find(*state, "orders", 1)->high_watermark, 2);
}

static void many_records_become_as_many_batches_as_max_message_bytes_asks_for(void **state) {
    static char value[1000];
    static kafka_message messages[300];
    size_t count;
    memset(value, 'x', sizeof value);
    ksim_create_topics(
        *state,
        &(ksim_new_topic){ .name = "small",
                           .partitions = 2,
                           .configs = (const ksim_setting[]){ { "max.message.bytes", "10000" }, { NULL, NULL } } },
        1);
    for (size_t i = 0; i < 300; i++)
        messages[i] =
            (kafka_message){ .topic = "small", .partition = (int32_t)(i % 2), .value = { value, sizeof value } };
    assert_ksim_ok(*state, ksim_put_messages(*state, messages, 300));
    ksim_records(*state, "small", 0, &count);
    assert_int_equal(count, 150);
    ksim_records(*state, "small", 1, &count);
    assert_int_equal(count, 150);
    static char big[20000];
    memset(big, 'y', sizeof big);
    kafka_message large = { .topic = "small", .value = { big, sizeof big } };
    assert_int_equal(ksim_put_messages(*state, &large, 1), KAFKA_ERR_MESSAGE_TOO_LARGE);
    assert_int_equal(ksim_put_messages(*state, NULL, 1), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_put_messages(*state, NULL, 0), KAFKA_OK);
}

static void committed_offsets_and_lag_are_set_and_shown(void **state) {
    ksim_create_topic(*state, "orders", 2);
    for (int i = 0; i < 5; i++) ksim_put(*state, "orders", 0, NULL, "x");
    for (int i = 0; i < 3; i++) ksim_put(*state, "orders", 1, NULL, "x");
    assert_ksim_ok(*state, ksim_set_committed_offset(*state, "billing", "orders", 0, 2));
    assert_committed_offsets(*state, "billing", "orders[0]=2");
    assert_group_lag(*state, "billing", "orders", 6); /* three, and all of the partition without a commit */
    assert_group_lag(*state, "billing", NULL, 6);
    const ksim_group *group = ksim_group_find(*state, "billing");
    assert_string_equal(group->state, "Empty");
    assert_int_equal(group->committed_count, 1);
    assert_i64_equal(group->committed[0].lag, 3);
    assert_contains(ksim_groups_json(*state), "\"topic\":\"orders\",\"partition\":0,\"offset\":2");
    const char *report = ksim_check_committed(*state, "billing", "orders[0]=3");
    assert_contains(report, "is       orders[0]=2");
    assert_contains(report, "expected orders[0]=3");
    assert_contains(report, "seed 7");
    assert_contains(ksim_check_committed(*state, "billing", "orders=3"), "is not of the form");
    assert_contains(ksim_check_committed(*state, "biling", ""), "biling"); /* of a group that is not there nothing holds */
    assert_contains(ksim_check_committed(*state, NULL, ""), "(NULL)");
    assert_contains(ksim_check_ownership_history(*state, "biling", ""), "no such group");
    assert_contains(ksim_check_ownership_history(*state, NULL, ""), "(NULL)");
    assert_contains(ksim_check_lag(*state, "billing", "orders", 0), "expected 0");
    assert_contains(ksim_check_lag(*state, "nobody", NULL, 0), "there is no group");
    assert_contains(ksim_check_records(*state, "orders", 1, "x x"), "is       x x x");
    assert_contains(ksim_check_assignment(*state, "billing", "c1=orders[0]"), "(nothing)");
    assert_contains(ksim_check_assignment(*state, "billing", "c1 orders"), "is not of the form");
    assert_null(ksim_check_assignment(*state, "billing", ""));
    assert_contains(ksim_check_ok(*state, NULL, "the call", KAFKA_ERR_NOT_COORDINATOR), "NOT_COORDINATOR");
}

static void leaders_and_coordinators_move_by_command(void **state) {
    ksim_create_topic(*state, "orders", 1);
    int32_t now = ksim_partition_find(*state, "orders", 0)->leader, next = now % 3 + 1;
    assert_ksim_ok(*state, ksim_move_leader(*state, "orders", 0, next));
    assert_int_equal(ksim_partition_find(*state, "orders", 0)->leader, next);
    assert_ksim_ok(*state, ksim_put(*state, "orders", 0, "k", "v"));
    ksim_set_committed_offset(*state, "billing", "orders", 0, 1);
    ksim_run_for(*state, KAFKA_SECOND);
    next = ksim_group_find(*state, "billing")->coordinator % 3 + 1;
    assert_ksim_ok(*state, ksim_move_coordinator(*state, "billing", next));
    ksim_run_for(*state, KAFKA_SECOND);
    assert_int_equal(ksim_group_find(*state, "billing")->coordinator, next);
    assert_i64_equal(ksim_committed_offset(*state, "billing", "orders", 0), 1);
    ksim_stop_broker(*state, now);
    assert_int_not_equal(ksim_move_leader(*state, "orders", 0, now), KAFKA_OK);
}

static void a_stopped_broker_keeps_its_log(void **state) {
    (void)state;
    ksim *sim = ksim_new(&(ksim_config){ .brokers = 1 });
    ksim_create_topic(sim, "orders", 1);
    ksim_put(sim, "orders", 0, NULL, "kept");
    assert_int_equal(ksim_stop_broker(sim, 1), KAFKA_OK);
    assert_int_equal(ksim_stop_broker(sim, 1), KAFKA_OK);
    assert_int_equal(ksim_partition_find(sim, "orders", 0)->leader, -1);
    assert_int_equal(ksim_put(sim, "orders", 0, NULL, "x"), KAFKA_ERR_LEADER_NOT_AVAILABLE);
    assert_int_equal(ksim_create_topic(sim, "x", 1), KAFKA_ERR_BROKER_NOT_AVAILABLE);
    assert_int_equal(ksim_start_broker(sim, 1), KAFKA_OK);
    ksim_run_for(sim, KAFKA_SECOND);
    assert_ksim_ok(sim, ksim_put(sim, "orders", 0, NULL, "new"));
    assert_partition_records(sim, "orders", 0, "kept new");
    assert_int_equal(ksim_start_broker(sim, 2), KAFKA_ERR_INVALID_ARGUMENT);
    ksim_free(sim);
}

static void faults_on_what_is_not_there_are_refused(void **state) {
    kafka_address_free(ksim_client(*state, "c1"));
    assert_int_equal(ksim_crash(*state, "c9"), KAFKA_ERR_INVALID_ARGUMENT);
    assert_contains(ksim_error_detail(*state), "there is no \"c9\"; there are broker-1, broker-2, broker-3, c1");
    assert_int_equal(ksim_crash(*state, "broker-1"), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_crash(*state, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_delay(*state, "c1", "c9", 1), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_delay(*state, "c1", NULL, INT64_MAX), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_cut(*state, "c1", "c1"), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_pause(*state, "c1"), KAFKA_OK);
    assert_int_equal(ksim_pause(*state, "c1"), KAFKA_OK);
    assert_int_equal(ksim_crash(*state, "c1"), KAFKA_OK);
    assert_int_equal(ksim_crash(*state, "c1"), KAFKA_OK);
    assert_int_equal(ksim_pause(*state, "c1"), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_restart(*state, "c1"), KAFKA_OK);
    assert_int_equal(ksim_restart(*state, "c1"), KAFKA_OK);
    assert_int_equal(ksim_resume(*state, "c1"), KAFKA_OK);
}

static void an_address_that_is_freed_too_early_lives_on_until_the_end(void **state) {
    (void)state;
    ksim *sim = ksim_new(NULL);
    kafka_address *address = ksim_client(sim, "c1");
    kafka_context *context = kafka_context_with_cancel(kafka_background(address));
    kafka_address_free(address); /* says so on standard error */
    assert_null(kafka_background(address));
    kafka_context_free(context);
    ksim_free(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_configs_are_refused_with_the_field_and_what_is_allowed),
        cmocka_unit_test(a_null_config_means_all_defaults),
        TEST(wrong_names_of_clients_are_refused),
        TEST(the_same_name_is_the_same_process),
        TEST(running_takes_exactly_as_long_as_asked),
        cmocka_unit_test(null_simulators_are_refused),
        TEST(topics_are_created_with_their_configs_and_shown),
        TEST(what_kafka_refuses_is_refused_with_its_error),
        TEST(records_are_put_and_shown_whole),
        TEST(many_records_become_as_many_batches_as_max_message_bytes_asks_for),
        TEST(committed_offsets_and_lag_are_set_and_shown),
        TEST(leaders_and_coordinators_move_by_command),
        cmocka_unit_test(a_stopped_broker_keeps_its_log),
        TEST(faults_on_what_is_not_there_are_refused),
        cmocka_unit_test(an_address_that_is_freed_too_early_lives_on_until_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
