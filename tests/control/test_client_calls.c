/* SPDX-License-Identifier: Apache-2.0
 * kafka_client against the simulated cluster: every call once as it should go, and the codes of what is wrong. */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include "tests/support/test.h"

#include <kafkasim/ksim.h>

typedef struct fixture {
    ksim *sim;
    kafka_address *address;
    kafka_context *ctx;
    kafka_client *client;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->sim = ksim_new(&(ksim_config){ .seed = 7, .brokers = 3 });
    f->address = ksim_client(f->sim, "admin");
    f->ctx = kafka_background(f->address);
    kafka_error error = kafka_client_new(&(kafka_client_config){ .address = f->address }, &f->client);
    *state = f;
    return error != KAFKA_OK;
}

static int end(void **state) {
    fixture *f = *state;
    kafka_client_free(f->client);
    kafka_address_free(f->address);
    ksim_free(f->sim);
    free(f);
    return 0;
}

#define assert_error(call, expected)                                                                                   \
    do {                                                                                                               \
        kafka_error error_ = (call);                                                                                   \
        if (error_ != (expected))                                                                                      \
            fail_msg("%s gave %s, not %s: %s", #call, kafka_error_name(error_), kafka_error_name(expected),            \
                     kafka_error_detail(f->address));                                                                  \
    } while (0)

static kafka_topic_config topic_of(const char *name, int32_t partitions) {
    return (kafka_topic_config){ .topic = name, .partitions = partitions, .replication_factor = 1 };
}

static void create(fixture *f, const char *name, int32_t partitions) {
    kafka_topic_config topic = topic_of(name, partitions);
    assert_error(kafka_client_create_topics(f->client, f->ctx, &topic, 1, NULL, NULL), KAFKA_OK);
}

/* ---- topics ---- */

static void a_created_topic_is_in_the_layout_when_the_call_returns(void **state) {
    fixture *f = *state;
    const char *names[] = { "orders", "nothing" };
    kafka_metadata *metadata;
    assert_error(kafka_client_metadata(f->client, f->ctx, NULL, 0, &metadata), KAFKA_OK);
    assert_null(kafka_metadata_find(metadata, "orders"));
    assert_int_equal(metadata->broker_count, 3);
    assert_string_equal(metadata->brokers[0].host, "broker-1");
    assert_non_null(metadata->controller);
    kafka_metadata_free(metadata);
    create(f, "orders", 3);
    assert_error(kafka_client_metadata(f->client, f->ctx, names, 2, &metadata), KAFKA_OK);
    assert_int_equal(metadata->topic_count, 2);
    const kafka_topic_info *orders = kafka_metadata_find(metadata, "orders");
    assert_int_equal(orders->partition_count, 3);
    assert_int_equal(orders->partitions[2].id, 2);
    assert_int_equal(orders->partitions[2].replica_count, 1);
    assert_int_equal(orders->partitions[2].leader, orders->partitions[2].replicas[0]);
    assert_int_equal(metadata->topics[1].error, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    kafka_metadata_free(metadata);
    assert_error(kafka_client_metadata(f->client, f->ctx, names, 2, NULL), KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
}

static void creating_twice_is_an_error_or_not_as_one_likes(void **state) {
    fixture *f = *state;
    kafka_topic_config topic = topic_of("orders", 3);
    kafka_named_errors *results;
    create(f, "orders", 3);
    assert_error(kafka_client_create_topics(f->client, f->ctx, &topic, 1, NULL, NULL), KAFKA_ERR_TOPIC_ALREADY_EXISTS);
    assert_error(kafka_client_create_topics(f->client, f->ctx, &topic, 1, NULL, &results), KAFKA_OK);
    assert_int_equal(results->count, 1);
    assert_string_equal(results->items[0].name, "orders");
    assert_int_equal(results->items[0].error, KAFKA_ERR_TOPIC_ALREADY_EXISTS);
    assert_non_null(results->items[0].message);
    kafka_named_errors_free(results);
    kafka_create_options options = { .if_not_exists = true };
    assert_error(kafka_client_create_topics(f->client, f->ctx, &topic, 1, &options, NULL), KAFKA_OK);
}

static void wrong_topics_are_refused_by_kafka_s_codes(void **state) {
    fixture *f = *state;
    const int32_t nobody[] = { 99 };
    const kafka_replica_assignment bad = { 0, nobody, 1 };
    const kafka_config_entry unknown = { "no.such.setting", "1" };
    const struct {
        kafka_topic_config topic;
        kafka_error error;
    } rows[] = {
        { { .topic = "a", .partitions = 0, .replication_factor = 1 }, KAFKA_ERR_INVALID_PARTITIONS },
        { { .topic = "a", .partitions = 1, .replication_factor = 0 }, KAFKA_ERR_INVALID_REPLICATION_FACTOR },
        { { .topic = "a", .partitions = 1, .replication_factor = 9 }, KAFKA_ERR_INVALID_REPLICATION_FACTOR },
        { { .topic = "a", .partitions = -1, .replication_factor = -1, .assignments = &bad, .assignment_count = 1 },
          KAFKA_ERR_INVALID_REPLICA_ASSIGNMENT },
        { { .topic = "a", .partitions = 1, .replication_factor = 1, .configs = &unknown, .config_count = 1 },
          KAFKA_ERR_INVALID_CONFIG },
        { { .topic = "bad name!", .partitions = 1, .replication_factor = 1 }, KAFKA_ERR_INVALID_TOPIC_EXCEPTION },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        kafka_error error = kafka_client_create_topics(f->client, f->ctx, &rows[i].topic, 1, NULL, NULL);
        if (error != rows[i].error)
            fail_msg("row %zu: %s: %s", i, kafka_error_name(error), kafka_error_detail(f->address));
    }
    kafka_topic_config twice[] = { topic_of("b", 1), topic_of("b", 1) };
    assert_error(kafka_client_create_topics(f->client, f->ctx, twice, 2, NULL, NULL), KAFKA_ERR_INVALID_REQUEST);
    kafka_topic_config fine = topic_of("c", 1);
    kafka_create_options look = { .validate_only = true };
    assert_error(kafka_client_create_topics(f->client, f->ctx, &fine, 1, &look, NULL), KAFKA_OK);
    assert_null(ksim_topic_find(f->sim, "c"));
    kafka_topic_config nameless = { .partitions = 1 };
    assert_error(kafka_client_create_topics(f->client, f->ctx, &nameless, 1, NULL, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_client_create_topics(f->client, f->ctx, NULL, 1, NULL, NULL), KAFKA_ERR_INVALID_ARGUMENT);
}

static void deleting_what_is_not_there_is_code_3(void **state) {
    fixture *f = *state;
    const char *names[] = { "orders" };
    create(f, "orders", 1);
    assert_error(kafka_client_delete_topics(f->client, f->ctx, names, 1, NULL), KAFKA_OK);
    assert_null(ksim_topic_find(f->sim, "orders"));
    assert_error(kafka_client_delete_topics(f->client, f->ctx, names, 1, NULL), KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
}

static void partitions_can_only_be_added(void **state) {
    fixture *f = *state;
    create(f, "orders", 3);
    kafka_partitions_config more = { .topic = "orders", .count = 5 }, fewer = { .topic = "orders", .count = 2 };
    assert_error(kafka_client_create_partitions(f->client, f->ctx, &more, 1, false, NULL), KAFKA_OK);
    assert_int_equal(ksim_topic_find(f->sim, "orders")->partition_count, 5);
    assert_error(kafka_client_create_partitions(f->client, f->ctx, &fewer, 1, false, NULL),
                 KAFKA_ERR_INVALID_PARTITIONS);
    fewer.topic = "nothing";
    assert_error(kafka_client_create_partitions(f->client, f->ctx, &fewer, 1, false, NULL),
                 KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
}

/* ---- settings ---- */

static const char *value_of(const kafka_described_configs *configs, const char *name, kafka_config_source *source) {
    for (size_t i = 0; i < configs->resources[0].config_count; i++) {
        const kafka_described_config *config = &configs->resources[0].configs[i];
        if (strcmp(config->name, name) != 0) continue;
        *source = config->source;
        return config->value;
    }
    return NULL;
}

static void expect_setting(fixture *f, const char *name, const char *value, kafka_config_source source) {
    kafka_config_resource resource = { KAFKA_RESOURCE_TOPIC, "orders", &name, 1 };
    kafka_described_configs *configs;
    kafka_config_source found = KAFKA_CONFIG_SOURCE_UNKNOWN;
    assert_error(kafka_client_describe_configs(f->client, f->ctx, &resource, 1, &configs), KAFKA_OK);
    assert_int_equal(configs->count, 1);
    assert_int_equal(configs->resources[0].error, KAFKA_OK);
    assert_string_equal(value_of(configs, name, &found), value);
    assert_int_equal(found, source);
    kafka_described_configs_free(configs);
}

static void settings_are_read_changed_and_put_back(void **state) {
    fixture *f = *state;
    create(f, "orders", 1);
    expect_setting(f, "retention.ms", "604800000", KAFKA_CONFIG_SOURCE_DEFAULT);
    kafka_config_change change = { "retention.ms", "60000", KAFKA_CONFIG_SET };
    kafka_config_changes changes = { KAFKA_RESOURCE_TOPIC, "orders", &change, 1 };
    assert_error(kafka_client_incremental_alter_configs(f->client, f->ctx, &changes, 1, false, NULL), KAFKA_OK);
    expect_setting(f, "retention.ms", "60000", KAFKA_CONFIG_SOURCE_TOPIC);
    change = (kafka_config_change){ "retention.ms", NULL, KAFKA_CONFIG_DELETE };
    assert_error(kafka_client_incremental_alter_configs(f->client, f->ctx, &changes, 1, false, NULL), KAFKA_OK);
    expect_setting(f, "retention.ms", "604800000", KAFKA_CONFIG_SOURCE_DEFAULT);
    change = (kafka_config_change){ "max.message.bytes", "5000", KAFKA_CONFIG_SET };
    assert_error(kafka_client_alter_configs(f->client, f->ctx, &changes, 1, false, NULL), KAFKA_OK);
    expect_setting(f, "max.message.bytes", "5000", KAFKA_CONFIG_SOURCE_TOPIC);
    change.value = "many";
    assert_error(kafka_client_incremental_alter_configs(f->client, f->ctx, &changes, 1, false, NULL),
                 KAFKA_ERR_INVALID_CONFIG);
    change.op = KAFKA_CONFIG_APPEND;
    assert_error(kafka_client_alter_configs(f->client, f->ctx, &changes, 1, false, NULL), KAFKA_ERR_INVALID_ARGUMENT);
}

static void settings_of_a_broker_are_asked_of_that_broker(void **state) {
    fixture *f = *state;
    kafka_config_resource resource = { KAFKA_RESOURCE_BROKER, "2", NULL, 0 };
    kafka_described_configs *configs;
    assert_error(kafka_client_describe_configs(f->client, f->ctx, &resource, 1, &configs), KAFKA_OK);
    assert_true(configs->resources[0].config_count > 0);
    kafka_described_configs_free(configs);
    resource.name = "77";
    assert_error(kafka_client_describe_configs(f->client, f->ctx, &resource, 1, NULL), KAFKA_ERR_BROKER_NOT_AVAILABLE);
}

/* ---- records ---- */

static void a_batch_is_written_and_read_back_with_headers_and_times(void **state) {
    fixture *f = *state;
    create(f, "orders", 2);
    kafka_header header = { kafka_string("event-type"), kafka_string("created") };
    kafka_message messages[] = { { .key = kafka_string("k"),
                                   .value = kafka_string("one"),
                                   .headers = &header,
                                   .header_count = 1,
                                   .time = ksim_now(f->sim) },
                                 { .key = { NULL, 0 }, .value = kafka_string("") } };
    for (int codec = KAFKA_COMPRESSION_NONE; codec <= KAFKA_COMPRESSION_ZSTD; codec++) {
        kafka_produce_request request = { .topic = "orders",
                                          .partition = 1,
                                          .required_acks = KAFKA_ACKS_ALL,
                                          .compression = (kafka_compression)codec,
                                          .messages = messages,
                                          .count = 2 };
        kafka_produced *produced;
        kafka_fetched *fetched;
        assert_error(kafka_client_produce(f->client, f->ctx, &request, &produced), KAFKA_OK);
        assert_int_equal(produced->error, KAFKA_OK);
        assert_i64_equal(produced->base_offset, 2 * codec);
        kafka_produced_free(produced);
        kafka_fetch_request read = { .topic = "orders", .partition = 1, .offset = 2 * codec };
        assert_error(kafka_client_fetch(f->client, f->ctx, &read, &fetched), KAFKA_OK);
        assert_int_equal(fetched->error, KAFKA_OK);
        assert_int_equal(fetched->count, 2);
        assert_i64_equal(fetched->high_watermark, 2 * codec + 2);
        assert_i64_equal(fetched->messages[0].offset, 2 * codec);
        assert_true(kafka_bytes_equal(fetched->messages[0].value, kafka_string("one")));
        assert_true(kafka_bytes_equal(fetched->messages[0].headers[0].value, kafka_string("created")));
        assert_i64_equal(fetched->messages[0].time, messages[0].time);
        assert_null(fetched->messages[1].key.data);
        assert_non_null(fetched->messages[1].value.data);
        kafka_fetched_free(fetched);
    }
    kafka_fetch_request first = { .topic = "orders", .partition = 1, .offset = KAFKA_FIRST_OFFSET };
    kafka_fetched *fetched;
    assert_error(kafka_client_fetch(f->client, f->ctx, &first, &fetched), KAFKA_OK);
    assert_int_equal(fetched->count, 10);
    kafka_fetched_free(fetched);
    kafka_fetch_request beyond = { .topic = "orders", .partition = 1, .offset = 99 };
    assert_error(kafka_client_fetch(f->client, f->ctx, &beyond, NULL), KAFKA_ERR_OFFSET_OUT_OF_RANGE);
    kafka_fetch_request nowhere = { .topic = "orders", .partition = 7, .offset = 0 };
    assert_error(kafka_client_fetch(f->client, f->ctx, &nowhere, NULL), KAFKA_ERR_PARTITION_NOT_CACHED);
}

static void acks_none_is_written_without_an_answer(void **state) {
    fixture *f = *state;
    create(f, "orders", 1);
    kafka_message message = { .value = kafka_string("v") };
    kafka_produce_request request = { .topic = "orders", .messages = &message, .count = 1 };
    kafka_produced *produced;
    assert_error(kafka_client_produce(f->client, f->ctx, &request, &produced), KAFKA_OK);
    assert_i64_equal(produced->base_offset, -1);
    kafka_produced_free(produced);
    ksim_run_for(f->sim, KAFKA_SECOND);
    assert_i64_equal(ksim_partition_find(f->sim, "orders", 0)->log_end_offset, 1);
    request.count = 0;
    assert_error(kafka_client_produce(f->client, f->ctx, &request, NULL), KAFKA_OK);
}

static void offsets_are_found_by_end_and_by_time(void **state) {
    fixture *f = *state;
    create(f, "orders", 2);
    kafka_time begun = ksim_now(f->sim);
    for (int i = 0; i < 3; i++) {
        ksim_put(f->sim, "orders", 1, "k", "v");
        ksim_run_for(f->sim, 10 * KAFKA_SECOND);
    }
    kafka_offset_query queries[] = { { "orders", 1, KAFKA_LAST_OFFSET },
                                     { "orders", 1, KAFKA_FIRST_OFFSET },
                                     { "orders", 1, begun / KAFKA_MILLISECOND + 5000 },
                                     { "orders", 1, begun / KAFKA_MILLISECOND + 60000 },
                                     { "orders", 9, KAFKA_LAST_OFFSET } };
    const int64_t offsets[] = { 3, 0, 1, -1, -1 };
    kafka_listed_offsets *listed;
    assert_error(kafka_client_list_offsets(f->client, f->ctx, queries, 5, KAFKA_READ_UNCOMMITTED, &listed), KAFKA_OK);
    assert_int_equal(listed->count, 5);
    for (int i = 0; i < 5; i++) assert_i64_equal(listed->items[i].offset, offsets[i]);
    assert_int_equal(listed->items[4].error, KAFKA_ERR_PARTITION_NOT_CACHED);
    kafka_listed_offsets_free(listed);
    assert_error(kafka_client_list_offsets(f->client, f->ctx, &queries[4], 1, KAFKA_READ_UNCOMMITTED, &listed),
                 KAFKA_ERR_PARTITION_NOT_CACHED);
}

/* ---- groups ---- */

static void a_group_that_only_has_offsets_is_seen_changed_and_deleted(void **state) {
    fixture *f = *state;
    create(f, "orders", 2);
    create(f, "payments", 1);
    kafka_group_offset commits[] = { { .topic = "orders", .partition = 0, .offset = 5, .metadata = "by hand" },
                                     { .topic = "payments", .partition = 0, .offset = 7 },
                                     { .topic = "orders", .partition = 1, .offset = 6 } };
    kafka_commit_request request = { .group = "billing", .generation = -1, .offsets = commits, .count = 3 };
    assert_error(kafka_client_offset_commit(f->client, f->ctx, &request, NULL), KAFKA_OK);
    assert_i64_equal(ksim_committed_offset(f->sim, "billing", "orders", 1), 6);

    kafka_group_offsets *offsets;
    assert_error(kafka_client_offset_fetch(f->client, f->ctx, "billing", NULL, 0, &offsets), KAFKA_OK);
    assert_int_equal(offsets->count, 3);
    kafka_group_offsets_free(offsets);
    kafka_topic_partition some[] = { { "orders", 0 }, { "payments", 0 }, { "orders", 9 } };
    assert_error(kafka_client_offset_fetch(f->client, f->ctx, "billing", some, 3, &offsets), KAFKA_OK);
    assert_int_equal(offsets->count, 3);
    for (size_t i = 0; i < 3; i++) {
        const kafka_group_offset *item = &offsets->items[i];
        if (strcmp(item->topic, "payments") == 0)
            assert_i64_equal(item->offset, 7);
        else
            assert_i64_equal(item->offset, item->partition == 0 ? 5 : -1);
        if (item->offset == 5) assert_string_equal(item->metadata, "by hand");
    }
    kafka_group_offsets_free(offsets);

    kafka_listed_groups *groups;
    assert_error(kafka_client_list_groups(f->client, f->ctx, &groups), KAFKA_OK);
    assert_int_equal(groups->count, 1);
    assert_string_equal(groups->items[0].group, "billing");
    kafka_coordinator *coordinator;
    assert_error(kafka_client_find_coordinator(f->client, f->ctx, KAFKA_COORDINATOR_GROUP, "billing", &coordinator),
                 KAFKA_OK);
    assert_int_equal(coordinator->broker.id, groups->items[0].coordinator);
    kafka_coordinator_free(coordinator);
    kafka_listed_groups_free(groups);

    assert_error(kafka_client_offset_delete(f->client, f->ctx, "billing", some, 2, NULL), KAFKA_OK);
    assert_i64_equal(ksim_committed_offset(f->sim, "billing", "orders", 0), -1);
    const char *names[] = { "billing" };
    assert_error(kafka_client_delete_groups(f->client, f->ctx, names, 1, NULL), KAFKA_OK);
    assert_error(kafka_client_delete_groups(f->client, f->ctx, names, 1, NULL), KAFKA_ERR_GROUP_ID_NOT_FOUND);
    assert_error(kafka_client_offset_delete(f->client, f->ctx, "nobody", some, 1, NULL), KAFKA_ERR_GROUP_ID_NOT_FOUND);
}

static void a_member_by_hand_joins_syncs_beats_and_leaves(void **state) {
    fixture *f = *state;
    const uint8_t subscription[] = { 0, 0, 0, 0, 0, 1, 0, 6, 'o', 'r', 'd', 'e', 'r', 's', 0xff, 0xff, 0xff, 0xff };
    const uint8_t assignment[] = { 0,   0, 0, 0, 0, 1, 0, 6, 'o', 'r',  'd',  'e',  'r',
                                   's', 0, 0, 0, 1, 0, 0, 0, 1,   0xff, 0xff, 0xff, 0xff };
    create(f, "orders", 2);
    kafka_named_bytes protocol = { "range", { subscription, sizeof subscription } };
    kafka_join_group_request join = { .group = "billing",
                                      .session_timeout = 30 * KAFKA_SECOND,
                                      .rebalance_timeout = 30 * KAFKA_SECOND,
                                      .protocols = &protocol,
                                      .protocol_count = 1 };
    kafka_joined_group *joined;
    assert_error(kafka_client_join_group(f->client, f->ctx, &join, &joined), KAFKA_OK);
    char *member = strdup(joined->member);
    if (joined->error == KAFKA_ERR_MEMBER_ID_REQUIRED) { /* version 7 asks twice */
        kafka_joined_group_free(joined);
        join.member = member;
        assert_error(kafka_client_join_group(f->client, f->ctx, &join, &joined), KAFKA_OK);
    }
    assert_int_equal(joined->error, KAFKA_OK);
    assert_int_equal(joined->generation, 1);
    assert_string_equal(joined->protocol, "range");
    assert_string_equal(joined->leader, joined->member);
    assert_int_equal(joined->member_count, 1);
    kafka_joined_group_free(joined);

    kafka_member_identity self = { "billing", 1, member, NULL };
    kafka_named_bytes share = { member, { assignment, sizeof assignment } };
    kafka_synced_group *synced;
    kafka_sync_group_request sync = {
        .member = self, .protocol = "range", .assignments = &share, .assignment_count = 1
    };
    assert_error(kafka_client_sync_group(f->client, f->ctx, &sync, &synced), KAFKA_OK);
    assert_int_equal(synced->error, KAFKA_OK);
    assert_true(kafka_bytes_equal(synced->assignment, share.bytes));
    kafka_synced_group_free(synced);
    assert_error(kafka_client_heartbeat(f->client, f->ctx, &self), KAFKA_OK);

    const char *names[] = { "billing", "nobody" };
    kafka_described_groups *described;
    assert_error(kafka_client_describe_groups(f->client, f->ctx, names, 2, &described), KAFKA_OK);
    const kafka_described_group *billing = &described->items[0];
    assert_string_equal(billing->state, "Stable");
    assert_string_equal(billing->protocol, "range");
    assert_int_equal(billing->member_count, 1);
    assert_string_equal(billing->members[0].topics[0], "orders");
    assert_int_equal(billing->members[0].assignment[0].partitions[0], 1);
    assert_string_equal(described->items[1].state, "Dead");
    kafka_described_groups_free(described);

    kafka_topic_partition own = { "orders", 1 };
    assert_error(kafka_client_delete_groups(f->client, f->ctx, names, 1, NULL), KAFKA_ERR_NON_EMPTY_GROUP);
    assert_error(kafka_client_offset_delete(f->client, f->ctx, "billing", &own, 1, NULL),
                 KAFKA_ERR_GROUP_SUBSCRIBED_TO_TOPIC);
    kafka_group_offset commit = { .topic = "orders", .partition = 1, .offset = 3 };
    kafka_commit_request request = { .group = "billing", .generation = -1, .offsets = &commit, .count = 1 };
    assert_error(kafka_client_offset_commit(f->client, f->ctx, &request, NULL), KAFKA_ERR_UNKNOWN_MEMBER_ID);
    request.generation = 1;
    request.member = member;
    assert_error(kafka_client_offset_commit(f->client, f->ctx, &request, NULL), KAFKA_OK);
    self.generation = 5;
    assert_error(kafka_client_heartbeat(f->client, f->ctx, &self), KAFKA_ERR_ILLEGAL_GENERATION);
    assert_error(kafka_client_leave_group(f->client, f->ctx, &self), KAFKA_OK);
    assert_error(kafka_client_heartbeat(f->client, f->ctx, &self), KAFKA_ERR_UNKNOWN_MEMBER_ID);
    free(member);
}

/* ---- bounds and bad input ---- */

static void a_client_s_timeout_and_a_context_bound_a_call(void **state) {
    fixture *f = *state;
    kafka_client *hasty;
    assert_error(kafka_client_new(&(kafka_client_config){ .address = f->address, .timeout = 2 * KAFKA_SECOND }, &hasty),
                 KAFKA_OK);
    create(f, "orders", 1);
    /* an idle partition: the broker holds the fetch longer than anybody wants to wait */
    kafka_fetch_request idle = { .topic = "orders", .partition = 0, .offset = 0, .max_wait = 20 * KAFKA_SECOND };
    kafka_duration begun = ksim_elapsed(f->sim);
    assert_error(kafka_client_fetch(hasty, f->ctx, &idle, NULL), KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_i64_equal(ksim_elapsed(f->sim) - begun, 2 * KAFKA_SECOND);
    kafka_context *ctx = kafka_context_with_timeout(f->ctx, KAFKA_SECOND);
    assert_error(kafka_client_fetch(f->client, ctx, &idle, NULL), KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_i64_equal(ksim_elapsed(f->sim) - begun, 3 * KAFKA_SECOND);
    kafka_context_free(ctx);
    kafka_client_free(hasty);
}

static void wrong_arguments_are_refused(void **state) {
    fixture *f = *state;
    kafka_client *none = NULL;
    assert_error(kafka_client_new(NULL, &none), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_client_new(&(kafka_client_config){ .timeout = 1 }, &none), KAFKA_ERR_INVALID_CONFIG_VALUE);
    assert_error(kafka_client_new(&(kafka_client_config){ .address = f->address, .timeout = -1 }, &none),
                 KAFKA_ERR_INVALID_CONFIG_VALUE);
    assert_null(none);
    assert_error(kafka_client_metadata(NULL, f->ctx, NULL, 0, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_client_metadata(f->client, NULL, NULL, 0, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_client_metadata(f->client, f->ctx, NULL, 2, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_client_delete_topics(f->client, f->ctx, NULL, 1, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_client_describe_groups(f->client, f->ctx, NULL, 1, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_client_delete_groups(f->client, f->ctx, NULL, 0, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_client_offset_fetch(f->client, f->ctx, NULL, NULL, 0, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_client_offset_commit(f->client, f->ctx, NULL, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_client_find_coordinator(f->client, f->ctx, KAFKA_COORDINATOR_GROUP, NULL, NULL),
                 KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_client_join_group(f->client, f->ctx, NULL, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_client_heartbeat(f->client, f->ctx, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    kafka_fetch_request bad = { .topic = "orders", .offset = -7 };
    assert_error(kafka_client_fetch(f->client, f->ctx, &bad, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    kafka_produce_request acks = { .topic = "orders", .required_acks = (kafka_required_acks)5 };
    assert_error(kafka_client_produce(f->client, f->ctx, &acks, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    kafka_metadata_free(NULL);
    kafka_client_free(NULL);
}

static void a_client_dies_with_its_process(void **state) {
    fixture *f = *state;
    ksim_crash(f->sim, "admin");
    assert_error(kafka_client_metadata(f->client, f->ctx, NULL, 0, NULL), KAFKA_ERR_NODE_CRASHED);
    ksim_restart(f->sim, "admin");
    assert_error(kafka_client_metadata(f->client, f->ctx, NULL, 0, NULL), KAFKA_ERR_NODE_CRASHED);
}

typedef struct waiting {
    fixture *f;
    kafka_error error;
} waiting;

static void fetch_for_long(void *argument) {
    waiting *w = argument;
    kafka_fetch_request idle = { .topic = "orders", .partition = 0, .offset = 0, .max_wait = 60 * KAFKA_SECOND };
    w->error = kafka_client_fetch(w->f->client, w->f->ctx, &idle, NULL);
}

static void freeing_a_client_ends_its_calls_in_other_tasks(void **state) {
    fixture *f = *state;
    create(f, "orders", 1);
    waiting w = { f, KAFKA_OK };
    kafka_task *task = kafka_go(f->ctx, "fetch", fetch_for_long, &w);
    kafka_sleep(f->ctx, KAFKA_SECOND);
    kafka_client_free(f->client);
    f->client = NULL;
    assert_error(kafka_join(f->ctx, task), KAFKA_OK);
    assert_int_equal(w.error, KAFKA_ERR_CLOSED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_created_topic_is_in_the_layout_when_the_call_returns),
        TEST(creating_twice_is_an_error_or_not_as_one_likes),
        TEST(wrong_topics_are_refused_by_kafka_s_codes),
        TEST(deleting_what_is_not_there_is_code_3),
        TEST(partitions_can_only_be_added),
        TEST(settings_are_read_changed_and_put_back),
        TEST(settings_of_a_broker_are_asked_of_that_broker),
        TEST(a_batch_is_written_and_read_back_with_headers_and_times),
        TEST(acks_none_is_written_without_an_answer),
        TEST(offsets_are_found_by_end_and_by_time),
        TEST(a_group_that_only_has_offsets_is_seen_changed_and_deleted),
        TEST(a_member_by_hand_joins_syncs_beats_and_leaves),
        TEST(a_client_s_timeout_and_a_context_bound_a_call),
        TEST(wrong_arguments_are_refused),
        TEST(a_client_dies_with_its_process),
        TEST(freeing_a_client_ends_its_calls_in_other_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
