/* SPDX-License-Identifier: Apache-2.0
 * Topics and partitions by request: every row of the table of admin operations and errors, in its order. */
#include "tests/broker/support/world.h"

static int setup(void **state) {
    *state = calloc(1, sizeof(world));
    world_init(*state, &(ks_cluster_config){ .brokers = 3, .plain_placement = true });
    return 0;
}

static int teardown(void **state) {
    world_deinit(*state);
    free(*state);
    return 0;
}

/* ---- CreateTopics ---- */

typedef struct wish {
    const char *name;
    int32_t partitions;
    int16_t replicas;
    const char *config, *value;
    int32_t rows, columns, ids[8], first; /* assignment; first: the index of its first partition */
} wish;

static ks_create_topics_response *create(world *w, const wish *wishes, int32_t count, bool validate_only) {
    ks_envelope *request = request_new(w, KS_API_create_topics, 7);
    ks_create_topics_request *in = request->body;
    in->validate_only = validate_only;
    REQUEST_ARRAY(request, in->topics, count, create_topics_request_creatable_topic);
    for (int32_t i = 0; i < count; i++) {
        ks_create_topics_request_creatable_topic *topic = &in->topics.items[i];
        topic->name = ks_str(wishes[i].name);
        topic->num_partitions = wishes[i].partitions;
        topic->replication_factor = wishes[i].replicas;
        if (wishes[i].config != NULL) {
            REQUEST_ARRAY(request, topic->configs, 1, create_topics_request_creatable_topic_config);
            topic->configs.items[0].name = ks_str(wishes[i].config);
            topic->configs.items[0].value = ks_str(wishes[i].value);
        }
        REQUEST_ARRAY(request, topic->assignments, wishes[i].rows, create_topics_request_creatable_replica_assignment);
        for (int32_t r = 0; r < wishes[i].rows; r++) {
            topic->assignments.items[r].partition_index = wishes[i].first + r;
            topic->assignments.items[r].broker_ids.count = wishes[i].columns;
            topic->assignments.items[r].broker_ids.items = (int32_t *)wishes[i].ids + r * wishes[i].columns;
        }
    }
    ks_create_topics_response *out = ask(w, 2, request);
    assert_non_null(out);
    return out;
}

static char name_249[250], name_250[251];

static void every_wrong_wish_gets_kafkas_error(void **state) {
    world *w = *state;
    memset(name_249, 'a', 249);
    memset(name_250, 'a', 250);
    make_topic(w, "there", 1, 1);
    make_topic(w, "with.dot", 1, 1);
    static const struct {
        wish wish;
        kafka_error error;
    } rows[] = {
        { { "__cluster_metadata", 1, 1 }, KAFKA_ERR_INVALID_REQUEST },
        { { "", 1, 1 }, KAFKA_ERR_INVALID_TOPIC_EXCEPTION },
        { { ".", 1, 1 }, KAFKA_ERR_INVALID_TOPIC_EXCEPTION },
        { { "..", 1, 1 }, KAFKA_ERR_INVALID_TOPIC_EXCEPTION },
        { { "a/b", 1, 1 }, KAFKA_ERR_INVALID_TOPIC_EXCEPTION },
        { { "caf\xc3\xa9", 1, 1 }, KAFKA_ERR_INVALID_TOPIC_EXCEPTION },
        { { name_250, 1, 1 }, KAFKA_ERR_INVALID_TOPIC_EXCEPTION },
        { { name_249, 1, 1 }, KAFKA_OK },
        { { "with_dot", 1, 1 }, KAFKA_ERR_INVALID_TOPIC_EXCEPTION },
        { { "there", 0, 0, "x", "y" }, KAFKA_ERR_TOPIC_ALREADY_EXISTS },   /* before configs and counts */
        { { "a", 0, 0, "retention.ms", NULL }, KAFKA_ERR_INVALID_CONFIG }, /* before counts */
        { { "a", 0, 0, "colour", "red" }, KAFKA_ERR_INVALID_CONFIG },
        { { "a", 0, 0, "retention.ms", "soon" }, KAFKA_ERR_INVALID_CONFIG },
        { { "a", 1, -1, .rows = 1, .columns = 1, .ids = { 1 } }, KAFKA_ERR_INVALID_REQUEST },
        { { "a", -1, 1, .rows = 1, .columns = 1, .ids = { 1 } }, KAFKA_ERR_INVALID_REQUEST },
        { { "a", -1, -1, .rows = 1, .columns = 0 }, KAFKA_ERR_INVALID_REPLICA_ASSIGNMENT },
        { { "a", -1, -1, .rows = 1, .columns = 2, .ids = { 1, 1 } }, KAFKA_ERR_INVALID_REPLICA_ASSIGNMENT },
        { { "a", -1, -1, .rows = 1, .columns = 2, .ids = { 1, 4 } }, KAFKA_ERR_INVALID_REPLICA_ASSIGNMENT },
        { { "a", -1, -1, .rows = 2, .columns = 1, .ids = { 1, 2 }, .first = 1 }, KAFKA_ERR_INVALID_REPLICA_ASSIGNMENT },
        { { "a", 1, 0 }, KAFKA_ERR_INVALID_REPLICATION_FACTOR },
        { { "a", 0, -2 }, KAFKA_ERR_INVALID_REPLICATION_FACTOR }, /* before partitions */
        { { "a", 0, 1 }, KAFKA_ERR_INVALID_PARTITIONS },
        { { "a", -2, 1 }, KAFKA_ERR_INVALID_PARTITIONS },
        { { "a", 0, 4 }, KAFKA_ERR_INVALID_PARTITIONS }, /* the number of brokers is looked at later */
        { { "a", 1, 4 }, KAFKA_ERR_INVALID_REPLICATION_FACTOR },
        { { "a", 10001, 1 }, KAFKA_ERR_POLICY_VIOLATION },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ks_create_topics_response *out = create(w, &rows[i].wish, 1, false);
        assert_int_equal(out->topics.count, 1);
        if (out->topics.items[0].error_code != rows[i].error) {
            fail_msg("row %zu (%s): %d, not %d", i, rows[i].wish.name, out->topics.items[0].error_code, rows[i].error);
        }
        assert_int_equal(out->topics.items[0].error_message.size >= 0, rows[i].error != KAFKA_OK);
        assert_null(ks_cluster_topic_find(w->cluster, KS_LITERAL("a")));
    }
}

static void uneven_assignments_are_refused(void **state) {
    world *w = *state;
    ks_envelope *request = request_new(w, KS_API_create_topics, 7);
    ks_create_topics_request *in = request->body;
    static int32_t ids[] = { 1, 2 };
    REQUEST_ARRAY(request, in->topics, 1, create_topics_request_creatable_topic);
    in->topics.items[0].name = KS_LITERAL("a");
    in->topics.items[0].num_partitions = in->topics.items[0].replication_factor = -1;
    REQUEST_ARRAY(request, in->topics.items[0].assignments, 2, create_topics_request_creatable_replica_assignment);
    for (int32_t i = 0; i < 2; i++) {
        in->topics.items[0].assignments.items[i].partition_index = i;
        in->topics.items[0].assignments.items[i].broker_ids.items = ids;
        in->topics.items[0].assignments.items[i].broker_ids.count = 1 + i;
    }
    ks_create_topics_response *out = ask(w, 1, request);
    assert_int_equal(out->topics.items[0].error_code, KAFKA_ERR_INVALID_REPLICA_ASSIGNMENT);
}

static void a_name_twice_in_a_request_is_refused_and_the_others_are_made(void **state) { /* TC-9 */
    world *w = *state;
    const wish wishes[] = { { "twin", 1, 1 }, { "single", 2, 1 }, { "twin", 1, 1 } };
    ks_create_topics_response *out = create(w, wishes, 3, false);
    assert_int_equal(out->topics.count, 2);
    assert_int_equal(out->topics.items[0].error_code, KAFKA_ERR_INVALID_REQUEST);
    assert_int_equal(out->topics.items[1].error_code, 0);
    assert_null(ks_cluster_topic_find(w->cluster, KS_LITERAL("twin")));
    assert_int_equal(ks_cluster_topic_find(w->cluster, KS_LITERAL("single"))->partition_count, 2);
}

static void an_answer_tells_id_counts_and_configs(void **state) {
    world *w = *state;
    const wish wishes[] = { { "a", -1, -1 }, { "b", 4, 2, "retention.ms", "5" } };
    ks_create_topics_response *out = create(w, wishes, 2, false);
    const ks_topic *a = ks_cluster_topic_find(w->cluster, KS_LITERAL("a")),
                   *b = ks_cluster_topic_find(w->cluster, KS_LITERAL("b"));
    assert_true(ks_uuid_equal(out->topics.items[0].topic_id, a->id));
    assert_false(ks_uuid_equal(a->id, b->id));
    assert_int_equal(out->topics.items[0].num_partitions, 1);
    assert_int_equal(out->topics.items[0].replication_factor, 1);
    assert_int_equal(out->topics.items[1].num_partitions, 4);
    assert_int_equal(out->topics.items[1].replication_factor, 2);
    assert_int_equal(out->topics.items[1].configs.count, KS_TOPIC_CONFIG_COUNT);
    ks_create_topics_response_creatable_topic_configs *config =
        &out->topics.items[1].configs.items[KS_TOPIC_retention_ms];
    assert_true(ks_string_equal(config->value, KS_LITERAL("5")));
    assert_int_equal(config->config_source, 1);
    assert_true(
        ks_string_equal(out->topics.items[0].configs.items[KS_TOPIC_retention_ms].value, KS_LITERAL("604800000")));
}

static void validate_only_checks_everything_and_makes_nothing(void **state) {
    world *w = *state;
    const wish wishes[] = { { "a", 3, 2 }, { "b", 3, 9 } };
    ks_create_topics_response *out = create(w, wishes, 2, true);
    assert_int_equal(out->topics.items[0].error_code, 0);
    assert_int_equal(out->topics.items[0].num_partitions, 3);
    assert_int_equal(out->topics.items[1].error_code, KAFKA_ERR_INVALID_REPLICATION_FACTOR);
    assert_null(ks_cluster_topic_find(w->cluster, KS_LITERAL("a")));
}

static void an_assignment_is_kept_as_given(void **state) {
    world *w = *state;
    const wish wishes[] = { { "a", -1, -1, .rows = 2, .columns = 2, .ids = { 3, 1, 2, 3 } } };
    assert_int_equal(create(w, wishes, 1, false)->topics.items[0].error_code, 0);
    const ks_topic *a = ks_cluster_topic_find(w->cluster, KS_LITERAL("a"));
    assert_int_equal(a->partitions[0]->leader, 3);
    assert_int_equal(a->partitions[0]->replicas[1], 1);
    assert_int_equal(a->partitions[1]->leader, 2);
    assert_int_equal(a->partitions[1]->isr_count, 2);
}

static void without_racks_replicas_go_round_the_brokers(void **state) { /* TC-6 */
    world *w = *state;
    const ks_topic *topic = make_topic(w, "t", 5, 2);
    for (int32_t i = 0; i < 5; i++) {
        for (int32_t j = 0; j < 2; j++) assert_int_equal(topic->partitions[i]->replicas[j], 1 + (i + j) % 3);
        assert_int_equal(topic->partitions[i]->leader, topic->partitions[i]->replicas[0]);
        assert_int_equal(topic->partitions[i]->leader_epoch, 0);
    }
}

/* ---- CreatePartitions ---- */

typedef struct growth {
    const char *name;
    int32_t count, rows, columns, ids[4];
} growth;

static int16_t grow(world *w, const growth *g, bool validate_only) {
    ks_envelope *request = request_new(w, KS_API_create_partitions, 3);
    ks_create_partitions_request *in = request->body;
    in->validate_only = validate_only;
    REQUEST_ARRAY(request, in->topics, 1, create_partitions_request_topic);
    in->topics.items[0].name = ks_str(g->name);
    in->topics.items[0].count = g->count;
    in->topics.items[0].assignments.count = -1;
    if (g->rows > 0)
        REQUEST_ARRAY(request, in->topics.items[0].assignments, g->rows, create_partitions_request_assignment);
    for (int32_t r = 0; r < g->rows; r++) {
        in->topics.items[0].assignments.items[r].broker_ids.count = g->columns;
        in->topics.items[0].assignments.items[r].broker_ids.items = (int32_t *)g->ids + r * g->columns;
    }
    ks_create_partitions_response *out = ask(w, 1, request);
    assert_int_equal(out->results.count, 1);
    return out->results.items[0].error_code;
}

static void partitions_are_added_or_refused_as_in_kafka(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 2, 2);
    static const struct {
        growth growth;
        kafka_error error;
    } rows[] = {
        { { "nope", 3 }, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION },
        { { "t", 2 }, KAFKA_ERR_INVALID_PARTITIONS },
        { { "t", 1 }, KAFKA_ERR_INVALID_PARTITIONS },
        { { "t", -1 }, KAFKA_ERR_INVALID_PARTITIONS },
        { { "t", 3, 2, 2, { 1, 2, 2, 3 } }, KAFKA_ERR_INVALID_REPLICA_ASSIGNMENT },
        { { "t", 3, 1, 1, { 1 } }, KAFKA_ERR_INVALID_REPLICA_ASSIGNMENT },
        { { "t", 3, 1, 2, { 1, 1 } }, KAFKA_ERR_INVALID_REPLICA_ASSIGNMENT },
        { { "t", 3, 1, 2, { 1, 7 } }, KAFKA_ERR_INVALID_REPLICA_ASSIGNMENT },
        { { "t", 20000 }, KAFKA_ERR_POLICY_VIOLATION },
        { { KS_OFFSETS_TOPIC, 60 }, KAFKA_ERR_INVALID_TOPIC_EXCEPTION },
    };
    ks_partition *first = topic->partitions[0];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int16_t error = grow(w, &rows[i].growth, false);
        if (error != rows[i].error) fail_msg("row %zu: %d, not %d", i, error, rows[i].error);
        assert_int_equal(topic->partition_count, 2);
    }
    assert_int_equal(grow(w, &(growth){ "t", 3 }, true), 0);
    assert_int_equal(topic->partition_count, 2);
    assert_int_equal(grow(w, &(growth){ "t", 3, 1, 2, { 3, 1 } }, false), 0);
    assert_int_equal(topic->partitions[2]->leader, 3);
    assert_int_equal(grow(w, &(growth){ "t", 5 }, false), 0);
    assert_int_equal(topic->partition_count, 5);
    assert_int_equal(topic->partitions[3]->leader, 1); /* a fresh placement (TC-8) */
    assert_ptr_equal(topic->partitions[0], first);
}

/* ---- DeleteTopics ---- */

static ks_delete_topics_response *drop(world *w, const char *const *names, const ks_uuid *ids, int32_t count) {
    ks_envelope *request = request_new(w, KS_API_delete_topics, 6);
    ks_delete_topics_request *in = request->body;
    REQUEST_ARRAY(request, in->topics, count, delete_topics_request_delete_topic_state);
    for (int32_t i = 0; i < count; i++) {
        in->topics.items[i].name = names[i] != NULL ? ks_str(names[i]) : KS_NULL_STRING;
        if (ids != NULL) in->topics.items[i].topic_id = ids[i];
    }
    return ask(w, 3, request);
}

static void topics_are_deleted_by_name_and_by_id_or_refused(void **state) {
    world *w = *state;
    ks_uuid a = make_topic(w, "a", 1, 1)->id, c = make_topic(w, "c", 1, 1)->id, none = { { 0 } }, other = { { 9 } };
    make_topic(w, "b", 1, 1);
    make_topic(w, "d", 1, 1);
    const char *names[] = { "a", NULL, "nope", NULL, "b", "c", NULL, KS_OFFSETS_TOPIC, "d", "d" };
    ks_uuid ids[] = { none, none, none, other, other, none, c, none, none, none };
    const kafka_error errors[] = { KAFKA_OK,
                                   KAFKA_ERR_INVALID_REQUEST,
                                   KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION,
                                   KAFKA_ERR_UNKNOWN_TOPIC_ID,
                                   KAFKA_ERR_INVALID_REQUEST,
                                   KAFKA_ERR_INVALID_REQUEST,
                                   KAFKA_ERR_INVALID_REQUEST,
                                   KAFKA_ERR_INVALID_TOPIC_EXCEPTION,
                                   KAFKA_ERR_INVALID_REQUEST,
                                   KAFKA_ERR_INVALID_REQUEST };
    ks_delete_topics_response *out = drop(w, names, ids, 10);
    assert_int_equal(out->responses.count, 10); /* in request order */
    for (int i = 0; i < 10; i++) {
        if (out->responses.items[i].error_code != errors[i])
            fail_msg("entry %d: %d", i, out->responses.items[i].error_code);
    }
    assert_true(ks_uuid_equal(out->responses.items[0].topic_id, a));
    assert_null(ks_cluster_topic_find(w->cluster, KS_LITERAL("a")));
    assert_null(ks_cluster_topic_find_id(w->cluster, a));
    const char *by_id[] = { NULL };
    out = drop(w, by_id, &c, 1);
    assert_int_equal(out->responses.items[0].error_code, 0);
    assert_true(ks_string_equal(out->responses.items[0].name, KS_LITERAL("c")));
    assert_int_equal(ks_cluster_topic_count(w->cluster), 3); /* b, d and __consumer_offsets */
}

static void a_topic_made_again_is_another_topic(void **state) { /* TC-3 */
    world *w = *state;
    ks_topic *first = make_topic(w, "t", 1, 1);
    ks_uuid id = first->id;
    assert_int_equal(produce(w, first, 0, make_batch(w, 3, "x", 1000))->error_code, 0);
    const char *names[] = { "t" };
    drop(w, names, NULL, 1);
    ks_topic *second = make_topic(w, "t", 1, 1);
    assert_false(ks_uuid_equal(id, second->id));
    assert_i64_equal(ks_log_end_offset(second->partitions[0]->log), 0);
}

static void deletion_can_be_switched_off(void **state) {
    (void)state;
    world w;
    const ks_config_entry off = { "delete.topic.enable", "false" };
    world_init(&w, &(ks_cluster_config){ .settings = &off, .setting_count = 1, .brokers = 3 });
    make_topic(&w, "t", 1, 1);
    const char *names[] = { "t" };
    assert_int_equal(drop(&w, names, NULL, 1)->responses.items[0].error_code, KAFKA_ERR_TOPIC_DELETION_DISABLED);
    world_deinit(&w);
}

/* ---- DeleteRecords ---- */

static ks_delete_records_response_partition_result *delete_records(world *w, int32_t broker, const char *topic,
                                                                   int32_t partition, int64_t offset) {
    ks_envelope *request = request_new(w, KS_API_delete_records, 2);
    ks_delete_records_request *in = request->body;
    REQUEST_ARRAY(request, in->topics, 1, delete_records_request_topic);
    in->topics.items[0].name = ks_str(topic);
    REQUEST_ARRAY(request, in->topics.items[0].partitions, 1, delete_records_request_partition);
    in->topics.items[0].partitions.items[0].partition_index = partition;
    in->topics.items[0].partitions.items[0].offset = offset;
    ks_delete_records_response *out = ask(w, broker, request);
    return &out->topics.items[0].partitions.items[0];
}

static void records_are_deleted_up_to_an_offset_or_refused(void **state) { /* LG-37 */
    world *w = *state;
    ks_topic *t = make_topic(w, "t", 2, 1);
    ks_topic *compacted = make_configured(w, "compacted", "cleanup.policy", "compact", NULL);
    for (int i = 0; i < 3; i++) produce(w, t, 0, make_batch(w, 2, "x", 1000));
    assert_int_equal(delete_records(w, 1, "nope", 0, 1)->error_code, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(delete_records(w, 1, "t", 7, 1)->error_code, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(delete_records(w, 1, KS_OFFSETS_TOPIC, 0, 0)->error_code, KAFKA_ERR_INVALID_TOPIC_EXCEPTION);
    assert_int_equal(delete_records(w, compacted->partitions[0]->leader, "compacted", 0, 0)->error_code,
                     KAFKA_ERR_POLICY_VIOLATION);
    assert_int_equal(delete_records(w, 2, "t", 0, 1)->error_code, KAFKA_ERR_NOT_LEADER_OR_FOLLOWER);
    assert_int_equal(delete_records(w, 1, "t", 0, 7)->error_code, KAFKA_ERR_OFFSET_OUT_OF_RANGE);
    assert_int_equal(delete_records(w, 1, "t", 0, -2)->error_code, KAFKA_ERR_OFFSET_OUT_OF_RANGE);
    assert_i64_equal(delete_records(w, 1, "t", 0, -2)->low_watermark, -1);
    assert_i64_equal(delete_records(w, 1, "t", 0, 3)->low_watermark, 3);
    assert_i64_equal(ks_log_start_offset(t->partitions[0]->log), 3);
    assert_int_equal(delete_records(w, 1, "t", 0, 1)->error_code, 0); /* nothing left to do is a success */
    assert_i64_equal(ks_log_start_offset(t->partitions[0]->log), 3);
    assert_i64_equal(delete_records(w, 1, "t", 0, -1)->low_watermark, 6);
    assert_i64_equal(delete_records(w, 2, "t", 1, -1)->low_watermark, 0); /* never written to */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_wrong_wish_gets_kafkas_error, setup, teardown),
        cmocka_unit_test_setup_teardown(uneven_assignments_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_twice_in_a_request_is_refused_and_the_others_are_made, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_tells_id_counts_and_configs, setup, teardown),
        cmocka_unit_test_setup_teardown(validate_only_checks_everything_and_makes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(an_assignment_is_kept_as_given, setup, teardown),
        cmocka_unit_test_setup_teardown(without_racks_replicas_go_round_the_brokers, setup, teardown),
        cmocka_unit_test_setup_teardown(partitions_are_added_or_refused_as_in_kafka, setup, teardown),
        cmocka_unit_test_setup_teardown(topics_are_deleted_by_name_and_by_id_or_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_topic_made_again_is_another_topic, setup, teardown),
        cmocka_unit_test(deletion_can_be_switched_off),
        cmocka_unit_test_setup_teardown(records_are_deleted_up_to_an_offset_or_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
