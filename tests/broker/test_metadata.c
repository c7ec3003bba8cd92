/* SPDX-License-Identifier: Apache-2.0
 * Metadata, ApiVersions, DescribeCluster, DescribeTopicPartitions by request, and finding brokers by address. */
#include "tests/broker/support/world.h"

static int setup(void **state) {
    static const char *const racks[] = { "east", NULL, "west" };
    *state = calloc(1, sizeof(world));
    world_init(*state, &(ks_cluster_config){ .brokers = 3, .racks = racks, .plain_placement = true });
    return 0;
}

static int teardown(void **state) {
    world_deinit(*state);
    free(*state);
    return 0;
}

/* names: NULL asks for all (a null list). */
static ks_envelope *metadata_request(world *w, int16_t version, const char *const *names, int32_t count) {
    ks_envelope *request = request_new(w, KS_API_metadata, version);
    ks_metadata_request *in = request->body;
    in->topics.count = -1;
    if (names != NULL) REQUEST_ARRAY(request, in->topics, count, metadata_request_topic);
    for (int32_t i = 0; names != NULL && i < count; i++) in->topics.items[i].name = ks_str(names[i]);
    return request;
}

static ks_metadata_response *metadata(world *w, int16_t version, const char *const *names, int32_t count) {
    ks_metadata_response *out = ask(w, 1, metadata_request(w, version, names, count));
    assert_non_null(out);
    return out;
}

static const char *const none[1] = { NULL };

static void it_lists_live_brokers_with_racks_and_a_live_controller(void **state) {
    world *w = *state;
    ks_metadata_response *out = metadata(w, 9, none, 0);
    assert_int_equal(out->brokers.count, 3);
    assert_int_equal(out->controller_id, 1);
    assert_int_equal(out->cluster_id.size, 22);
    assert_true(ks_string_equal(out->brokers.items[0].host, KS_LITERAL("broker-1")));
    assert_true(ks_string_equal(out->brokers.items[0].rack, KS_LITERAL("east")));
    assert_int_equal(out->brokers.items[1].rack.size, -1);
    assert_int_equal(out->brokers.items[2].port, 9092);
    ks_node_crash(ks_cluster_broker_find(w->cluster, 1)->node);
    out = ask(w, 2, metadata_request(w, 9, none, 0));
    assert_int_equal(out->brokers.count, 2);
    assert_int_equal(out->controller_id, 2);
}

static void what_all_and_none_mean_depends_on_the_version(void **state) {
    world *w = *state;
    make_topic(w, "a", 1, 1);
    assert_int_equal(metadata(w, 0, none, 0)->topics.count, 2); /* with __consumer_offsets */
    assert_int_equal(metadata(w, 1, none, 0)->topics.count, 0);
    ks_metadata_response *out = metadata(w, 1, NULL, 0);
    assert_int_equal(out->topics.count, 2);
    assert_true(out->topics.items[0].is_internal);
    assert_false(out->topics.items[1].is_internal);
}

static void it_describes_partitions(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 2, 3);
    const char *names[] = { "t" };
    ks_metadata_response_topic *t = &metadata(w, 10, names, 1)->topics.items[0];
    assert_int_equal(t->error_code, 0);
    assert_true(ks_uuid_equal(t->topic_id, topic->id));
    assert_int_equal(t->partitions.count, 2);
    ks_metadata_response_partition *p = &t->partitions.items[1];
    assert_int_equal(p->partition_index, 1);
    assert_int_equal(p->leader_id, topic->partitions[1]->leader);
    assert_int_equal(p->leader_epoch, 0);
    assert_int_equal(p->replica_nodes.count, 3);
    assert_int_equal(p->isr_nodes.count, 3);
    assert_int_equal(p->offline_replicas.count, 0);
    assert_true(ks_uuid_is_zero(metadata(w, 9, names, 1)->topics.items[0].topic_id));
}

static void dead_replicas_are_offline_and_a_partition_without_leader_says_so(void **state) { /* TC-12 */
    world *w = *state;
    ks_topic *single = make_topic(w, "single", 3, 1), *all = make_topic(w, "all", 1, 3);
    ks_node_crash(ks_cluster_broker_find(w->cluster, 3)->node);
    const char *names[] = { "single", "all" };
    ks_metadata_response *out = metadata(w, 9, names, 2);
    for (int i = 0; i < 3; i++) {
        bool dead = single->partitions[i]->replicas[0] == 3;
        ks_metadata_response_partition *p = &out->topics.items[0].partitions.items[i];
        assert_int_equal(p->error_code, dead ? KAFKA_ERR_LEADER_NOT_AVAILABLE : 0);
        assert_int_equal(p->leader_id, dead ? -1 : single->partitions[i]->leader);
        assert_int_equal(p->offline_replicas.count, dead);
    }
    assert_int_equal(out->topics.items[1].partitions.items[0].offline_replicas.items[0], 3);
    assert_int_equal(out->topics.items[1].partitions.items[0].isr_nodes.count, 2);
    assert_true(all->partitions[0]->leader != 3);
    ks_metadata_response_partition *old = &metadata(w, 0, names, 2)->topics.items[1].partitions.items[0];
    assert_int_equal(old->error_code, KAFKA_ERR_REPLICA_NOT_AVAILABLE); /* v0 leaves dead replicas out */
    assert_int_equal(old->replica_nodes.count, 2);
}

static void an_unknown_topic_is_told_and_made_in_the_background(void **state) { /* TC-11 */
    world *w = *state;
    const char *names[] = { "new", "bad name", "new" };
    ks_metadata_response *out = metadata(w, 4, names, 3);
    assert_int_equal(out->topics.count, 3);
    assert_int_equal(out->topics.items[0].error_code, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(out->topics.items[1].error_code, KAFKA_ERR_INVALID_TOPIC_EXCEPTION);
    out = metadata(w, 4, names, 1);
    assert_int_equal(out->topics.items[0].error_code, 0);
    assert_int_equal(out->topics.items[0].partitions.count, 1);
}

static void it_is_not_made_when_client_or_broker_forbid_it(void **state) {
    world *w = *state;
    const char *names[] = { "new" };
    ks_envelope *request = metadata_request(w, 4, names, 1);
    ((ks_metadata_request *)request->body)->allow_auto_topic_creation = false;
    ask(w, 1, request);
    assert_null(ks_cluster_topic_find(w->cluster, KS_LITERAL("new")));
    metadata(w, 3, names, 1); /* v3 cannot forbid it */
    assert_non_null(ks_cluster_topic_find(w->cluster, KS_LITERAL("new")));
    world forbidden;
    const ks_config_entry off = { "auto.create.topics.enable", "false" };
    world_init(&forbidden, &(ks_cluster_config){ .settings = &off, .setting_count = 1 });
    metadata(&forbidden, 4, names, 1);
    assert_null(ks_cluster_topic_find(forbidden.cluster, KS_LITERAL("new")));
    world_deinit(&forbidden);
}

static void from_version_12_on_topics_are_asked_for_by_id(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    const char *names[] = { NULL, NULL };
    ks_envelope *request = metadata_request(w, 12, names, 2);
    ((ks_metadata_request *)request->body)->topics.items[0].topic_id = topic->id;
    ((ks_metadata_request *)request->body)->topics.items[1].topic_id = (ks_uuid){ { 5 } };
    ks_metadata_response *out = ask(w, 1, request);
    assert_true(ks_string_equal(out->topics.items[0].name, KS_LITERAL("t")));
    assert_int_equal(out->topics.items[1].error_code, KAFKA_ERR_UNKNOWN_TOPIC_ID);
    assert_int_equal(out->topics.items[1].name.size, -1);
    request = metadata_request(w, 11, names, 1);
    ((ks_metadata_request *)request->body)->topics.items[0].topic_id = topic->id;
    out = ask(w, 1, request);
    assert_int_equal(out->topics.items[0].error_code, KAFKA_ERR_INVALID_REQUEST);
}

static void api_versions_lists_what_is_served_and_nothing_else(void **state) { /* WR-12, WR-13, WR-15, WR-28 */
    world *w = *state;
    ks_envelope *request = request_new(w, KS_API_api_versions, 3);
    ks_api_versions_request *in = request->body;
    in->client_software_name = KS_LITERAL("lab-client");
    in->client_software_version = KS_LITERAL("1.0.2");
    ks_api_versions_response *out = ask(w, 1, request);
    assert_int_equal(out->error_code, 0);
    bool produce_seen = false;
    for (int32_t i = 0; i < out->api_keys.count; i++) {
        const ks_api_versions_response_api_version *api = &out->api_keys.items[i];
        produce_seen |= api->api_key == 0 && api->min_version == 0 && api->max_version == 13;
        assert_int_not_equal(api->api_key, KS_API_end_txn);
        assert_int_not_equal(api->api_key, 71);
    }
    assert_true(produce_seen);
    static const char *const bad[] = { "", "-x", "x.", "a b" };
    for (int i = 0; i < 4; i++) {
        request = request_new(w, KS_API_api_versions, 3);
        in = request->body;
        in->client_software_name = ks_str(bad[i]);
        in->client_software_version = KS_LITERAL("1");
        out = ask(w, 1, request);
        assert_int_equal(out->error_code, KAFKA_ERR_INVALID_REQUEST);
        assert_int_equal(out->api_keys.count, 0);
    }
    request = request_new(w, KS_API_api_versions, 99);
    out = ask(w, 1, request);
    assert_int_equal(out->error_code, KAFKA_ERR_UNSUPPORTED_VERSION);
    assert_int_equal(w->lines[0].response->api_version, 0);
    assert_int_equal(out->api_keys.count, 1);
    assert_int_equal(out->api_keys.items[0].max_version, 4);
}

static void describe_cluster_tells_brokers_and_fenced_ones_if_asked(void **state) {
    world *w = *state;
    ks_node_crash(ks_cluster_broker_find(w->cluster, 2)->node);
    ks_envelope *request = request_new(w, KS_API_describe_cluster, 2);
    ks_describe_cluster_response *out = ask(w, 1, request);
    assert_int_equal(out->brokers.count, 2);
    request = request_new(w, KS_API_describe_cluster, 2);
    ((ks_describe_cluster_request *)request->body)->include_fenced_brokers = true;
    out = ask(w, 1, request);
    assert_int_equal(out->brokers.count, 3);
    assert_true(out->brokers.items[1].is_fenced);
    request = request_new(w, KS_API_describe_cluster, 1);
    ((ks_describe_cluster_request *)request->body)->endpoint_type = 2;
    out = ask(w, 1, request);
    assert_int_equal(out->error_code, KAFKA_ERR_MISMATCHED_ENDPOINT_TYPE);
}

static void partitions_are_described_page_by_page(void **state) {
    world *w = *state;
    make_topic(w, "b", 3, 1);
    make_topic(w, "a", 2, 1);
    char seen_partitions[20] = "";
    ks_string topic = KS_NULL_STRING;
    int32_t partition = 0, pages = 0;
    static const char *const names[] = { "b", "a", "nope", "b" };
    do {
        ks_envelope *request = request_new(w, KS_API_describe_topic_partitions, 0);
        ks_describe_topic_partitions_request *in = request->body;
        in->response_partition_limit = 2;
        REQUEST_ARRAY(request, in->topics, 4, describe_topic_partitions_request_topic_request);
        for (int i = 0; i < 4; i++) in->topics.items[i].name = ks_str(names[i]);
        if (topic.size >= 0) {
            in->cursor = ks_arena_alloc(request->arena, sizeof *in->cursor);
            in->cursor->topic_name = ks_arena_string(request->arena, topic);
            in->cursor->partition_index = partition;
        }
        ks_describe_topic_partitions_response *out = ask(w, 1, request);
        for (int32_t i = 0; i < out->topics.count; i++) {
            for (int32_t j = 0; j < out->topics.items[i].partitions.count; j++) {
                size_t size = strlen(seen_partitions);
                snprintf(seen_partitions + size, sizeof seen_partitions - size, "%c%d ",
                         out->topics.items[i].name.data[0], out->topics.items[i].partitions.items[j].partition_index);
            }
            if (out->topics.items[i].name.data[0] == 'n') {
                assert_int_equal(out->topics.items[i].error_code, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
            }
        }
        topic = out->next_cursor != NULL ? out->next_cursor->topic_name : KS_NULL_STRING;
        partition = out->next_cursor != NULL ? out->next_cursor->partition_index : 0;
        pages++;
    } while (topic.size >= 0 && pages < 10);
    assert_string_equal(seen_partitions, "a0 a1 b0 b1 b2 ");
    assert_int_equal(pages, 3);
}

static void brokers_are_found_by_address(void **state) {
    world *w = *state;
    assert_ptr_equal(ks_cluster_resolve(w->cluster, KS_LITERAL("broker-2"), 9092),
                     ks_cluster_broker_find(w->cluster, 2)->node);
    assert_null(ks_cluster_resolve(w->cluster, KS_LITERAL("broker-2"), 9093));
    assert_null(ks_cluster_resolve(w->cluster, KS_LITERAL("broker-4"), 9092));
    assert_null(ks_cluster_resolve(w->cluster, KS_LITERAL("broker-02"), 9092));
    assert_null(ks_cluster_resolve(w->cluster, KS_LITERAL("broker-"), 9092));
    assert_null(ks_cluster_resolve(w->cluster, KS_LITERAL("localhost"), 9092));
    assert_null(ks_cluster_resolve(w->cluster, KS_NULL_STRING, 9092));
    assert_null(ks_cluster_broker_find(w->cluster, 0));
}

static void an_idle_cluster_is_silent(void **state) {
    world *w = *state;
    make_topic(w, "t", 10, 3);
    run_ms(w, 10);
    int64_t next;
    assert_false(ks_kernel_next(w->kernel, &next));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_lists_live_brokers_with_racks_and_a_live_controller, setup, teardown),
        cmocka_unit_test_setup_teardown(what_all_and_none_mean_depends_on_the_version, setup, teardown),
        cmocka_unit_test_setup_teardown(it_describes_partitions, setup, teardown),
        cmocka_unit_test_setup_teardown(dead_replicas_are_offline_and_a_partition_without_leader_says_so, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_unknown_topic_is_told_and_made_in_the_background, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_not_made_when_client_or_broker_forbid_it, setup, teardown),
        cmocka_unit_test_setup_teardown(from_version_12_on_topics_are_asked_for_by_id, setup, teardown),
        cmocka_unit_test_setup_teardown(api_versions_lists_what_is_served_and_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(describe_cluster_tells_brokers_and_fenced_ones_if_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(partitions_are_described_page_by_page, setup, teardown),
        cmocka_unit_test_setup_teardown(brokers_are_found_by_address, setup, teardown),
        cmocka_unit_test_setup_teardown(an_idle_cluster_is_silent, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
