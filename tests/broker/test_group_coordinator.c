/* SPDX-License-Identifier: Apache-2.0
 *
 * The coordinator over the network: requests, timers, the log beneath, moves and crashes. */
#include "tests/broker/group_fixture.h"

static int set_up(void **state) {
    fixture *f = fixture_new(&(ks_cluster_config){ .brokers = 3, .plain_placement = true });
    ks_topic *topic;
    assert_int_equal(ks_cluster_create_simple_topic(f->cluster, "orders", 4, 1, &topic), KAFKA_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture_free(*state);
    return 0;
}

static void the_offsets_partition_of_a_group_is_javas_hash(void **state) {
    static const struct {
        const char *id;
        int32_t of_50, of_3;
    } rows[] = {
        { "", 0, 0 },
        { "test", 48, 1 },
        { "g", 3, 1 },
        { "payments", 13, 2 },
        { "my-group", 12, 0 },
        { "orders-app", 5, 1 },
        { "group", 47, 2 },
        { "polygenelubricants", 0, 0 },
        { "console-consumer-12345", 6, 0 },
        { "\xc3\xa9-grp", 17, 1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(ks_group_partition_of(ks_str(rows[i].id), 50), rows[i].of_50);
        assert_int_equal(ks_group_partition_of(ks_str(rows[i].id), 3), rows[i].of_3);
    }
    /* U+1F600 is two units of UTF-16: "\uD83D\uDE00".hashCode() = 31 * 0xD83D + 0xDE00 */
    assert_int_equal(ks_group_partition_of(KS_LITERAL("\xf0\x9f\x98\x80"), 1 << 30), 31 * 0xD83D + 0xDE00);
}

static void two_members_share_a_topic(void **state) {
    fixture *f = *state;
    char a[64], b[64];
    two_members(f, "billing", a, b);
    ks_group *group = ks_cluster_group_find(f->cluster, KS_LITERAL("billing"));
    assert_string_equal(a, "a-000001");
    assert_string_equal(b, "b-000002");
    assert_string_equal(ks_group_state_text(group), "Stable");
    assert_int_equal(group->generation, 1);
    ks_group_member *const *members = ks_group_members_sorted(group);
    assert_string_equal(ks_assignment_text(ks_group_assignment_of(members[0]), f->arena).data, "orders[0,1]");
    assert_string_equal(ks_assignment_text(ks_group_assignment_of(members[1]), f->arena).data, "orders[2,3]");
    assert_string_equal(members[0]->client_host.data, "/a");
    assert_int_equal(heartbeat_now(f, "billing", "a", a, 1), 0);
    assert_int_equal(heartbeat_now(f, "billing", "a", a, 2), KAFKA_ERR_ILLEGAL_GENERATION);
}

static void a_member_that_misses_its_session_is_removed(void **state) {
    fixture *f = *state;
    char a[64], b[64];
    two_members(f, "billing", a, b);
    for (int i = 0; i < 3; i++) {
        run_ms(f, 3000);
        assert_int_equal(heartbeat_now(f, "billing", "a", a, 1), 0);
    }
    run_ms(f, 3000); /* b has been silent for 12 s, its session is 10 s */
    assert_int_equal(heartbeat_now(f, "billing", "a", a, 1), KAFKA_ERR_REBALANCE_IN_PROGRESS);
    ks_group *group = ks_cluster_group_find(f->cluster, KS_LITERAL("billing"));
    assert_int_equal(group->member_count, 1);
    assert_int_equal(heartbeat_now(f, "billing", "b", b, 1), KAFKA_ERR_UNKNOWN_MEMBER_ID);
}

/* It has another member id then, and so a session of its own: the former one's ends without effect. */
static void a_static_member_that_came_back_is_missed_after_its_own_session(void **state) {
    fixture *f = *state;
    call *first = join_call(f, "billing", "a", "", "i", 9);
    call_now(f, first, "billing");
    run_ms(f, 4000);
    const ks_join_group_response *joined = first->response->body;
    assert_int_equal(joined->error_code, 0);
    char id[64];
    snprintf(id, sizeof id, "%.*s", (int)joined->member_id.size, joined->member_id.data);
    call *sync = sync_call(f, "billing", "a", id, joined->generation_id);
    ((ks_sync_group_request *)sync->request->body)->group_instance_id = KS_LITERAL("i");
    give(f, sync, id, assign(f, "orders", 0, 4));
    assert_non_null(call_now(f, sync, "billing"));
    run_ms(f, 6000);
    const ks_join_group_response *again = call_now(f, join_call(f, "billing", "a", "", "i", 9), "billing");
    assert_non_null(again);
    assert_int_equal(again->error_code, 0);
    assert_false(ks_string_equal(again->member_id, ks_str(id)));
    const ks_group *group = ks_cluster_group_find(f->cluster, KS_LITERAL("billing"));
    run_ms(f, 9000);
    assert_int_equal(group->member_count, 1);
    run_ms(f, 1000);
    assert_int_equal(group->member_count, 0);
}

static void only_the_members_of_a_generation_may_commit(void **state) {
    fixture *f = *state;
    char a[64], b[64];
    two_members(f, "billing", a, b);
    assert_int_equal(commit_now(f, "billing", a, 1, "orders", 0, 42), 0);
    assert_int_equal(commit_now(f, "billing", a, 0, "orders", 0, 43), KAFKA_ERR_ILLEGAL_GENERATION);
    assert_int_equal(commit_now(f, "billing", "ghost", 1, "orders", 0, 44), KAFKA_ERR_UNKNOWN_MEMBER_ID);
    assert_int_equal(commit_now(f, "billing", "", -1, "orders", 0, 45), KAFKA_ERR_UNKNOWN_MEMBER_ID);
    assert_int_equal(commit_now(f, "billing", a, 1, "orders", 7, 46), KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(commit_now(f, "billing", a, 1, "nope", 0, 46), KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_i64_equal(fetch_now(f, "billing", "orders", 0), 42);
    assert_i64_equal(fetch_now(f, "billing", "orders", 1), -1);
    assert_i64_equal(fetch_now(f, "nobody", "orders", 0), -1);
    const ks_committed *value =
        ks_cluster_group_offset(f->cluster, KS_LITERAL("billing"), KS_LITERAL("orders"), 0);
    assert_int_equal(value->leader_epoch, 3);
    assert_string_equal(ks_committed_metadata(value).data, "note");
}

static void offsets_may_go_backwards_and_beyond_the_end(void **state) {
    fixture *f = *state;
    assert_int_equal(commit_now(f, "simple", "", -1, "orders", 0, 1000000), 0);
    assert_int_equal(commit_now(f, "simple", "", -1, "orders", 0, 5), 0);
    assert_i64_equal(fetch_now(f, "simple", "orders", 0), 5);
}

static void commits_of_old_versions_keep_their_own_retention(void **state) {
    fixture *f = *state;
    call *c = commit_call(f, "simple", "", -1, "orders", 1, 11);
    c->request->api_version = 4;
    ((ks_offset_commit_request *)c->request->body)->retention_time_ms = 5000;
    call_now(f, c, "simple");
    const ks_committed *value =
        ks_cluster_group_offset(f->cluster, KS_LITERAL("simple"), KS_LITERAL("orders"), 1);
    assert_i64_equal(ks_committed_expire_ms(value), value->commit_ms + 5000);
    c = commit_call(f, "simple", "", -1, "orders", 2, 12);
    c->request->api_version = 4;
    ks_offset_commit_request *bare = c->request->body;
    bare->retention_time_ms = 7000;
    bare->topics.items[0].partitions.items[0].committed_metadata = KS_LITERAL("");
    call_now(f, c, "simple");
    value = ks_cluster_group_offset(f->cluster, KS_LITERAL("simple"), KS_LITERAL("orders"), 2);
    assert_i64_equal(ks_committed_expire_ms(value), value->commit_ms + 7000);
    run_ms(f, 601000); /* the first check */
    assert_i64_equal(fetch_now(f, "simple", "orders", 1), -1);
    assert_i64_equal(fetch_now(f, "simple", "orders", 2), -1);
    assert_null(ks_cluster_group_find(f->cluster, KS_LITERAL("simple"))); /* and with its last offset the group went */
}

static void offsets_of_an_empty_group_expire_a_week_after_it_became_empty(void **state) {
    fixture *f = *state;
    assert_int_equal(commit_now(f, "simple", "", -1, "orders", 0, 5), 0);
    run_ms(f, INT64_C(7) * 24 * 3600 * 1000 - 1000000);
    assert_i64_equal(fetch_now(f, "simple", "orders", 0), 5);
    run_ms(f, 2000000);
    assert_i64_equal(fetch_now(f, "simple", "orders", 0), -1);
    int64_t next;
    run_ms(f, 3600 * 1000);
    assert_false(ks_kernel_next(f->kernel, &next)); /* with no group left nothing looks any more */
}

static void metadata_has_a_limit(void **state) {
    fixture *f = *state;
    call *c = commit_call(f, "simple", "", -1, "orders", 0, 5);
    char *long_text = ks_arena_alloc(c->request->arena, 4097);
    memset(long_text, 'x', 4097);
    ks_offset_commit_request *commit = c->request->body;
    commit->topics.items[0].partitions.items[0].committed_metadata = (ks_string){ long_text, 4097 };
    ks_offset_commit_response *response = call_now(f, c, "simple");
    assert_int_equal(response->topics.items[0].partitions.items[0].error_code, KAFKA_ERR_OFFSET_METADATA_TOO_LARGE);
    assert_i64_equal(fetch_now(f, "simple", "orders", 0), -1);
}

static void a_deleted_topic_takes_its_offsets_along(void **state) {
    fixture *f = *state;
    assert_int_equal(commit_now(f, "simple", "", -1, "orders", 0, 5), 0);
    ks_cluster_delete_topic(f->cluster, ks_cluster_topic_find(f->cluster, KS_LITERAL("orders")));
    assert_i64_equal(fetch_now(f, "simple", "orders", 0), -1);
}

static ks_offset_fetch_response *fetch_version(fixture *f, int16_t version, bool all) {
    call *c = call_new(f, "fetcher", KS_API_offset_fetch, version);
    ks_offset_fetch_request *fetch = c->request->body;
    fetch->group_id = KS_LITERAL("simple");
    static int32_t zero[] = { 0 };
    static ks_offset_fetch_request_topic topic = { { "orders", 6 }, { zero, 1 } };
    static ks_offset_fetch_request_topics topics = { .name = { "orders", 6 }, .partition_indexes = { zero, 1 } };
    fetch->topics.items = &topic;
    fetch->topics.count = all ? -1 : 1;
    if (version >= 8) {
        topics.topic_id = ks_cluster_topic_find(f->cluster, KS_LITERAL("orders"))->id;
        fetch->groups.count = 1;
        fetch->groups.items = ks_arena_alloc(c->request->arena, sizeof *fetch->groups.items);
        fetch->groups.items[0] = (ks_offset_fetch_request_group){ .group_id = KS_LITERAL("simple"),
                                                                  .member_id = KS_NULL_STRING,
                                                                  .member_epoch = -1 };
        fetch->groups.items[0].topics.items = &topics;
        fetch->groups.items[0].topics.count = all ? -1 : 1;
    }
    return call_now(f, c, "simple");
}

static void every_version_of_offset_fetch_finds_the_offset(void **state) {
    fixture *f = *state;
    assert_int_equal(commit_now(f, "simple", "", -1, "orders", 0, 5), 0);
    for (int16_t version = 1; version <= 10; version++) {
        for (int all = version >= 2; all >= 0; all--) {
            ks_offset_fetch_response *response = fetch_version(f, version, all != 0);
            assert_non_null(response);
            if (version < 8) {
                assert_int_equal(response->topics.count, 1);
                assert_i64_equal(response->topics.items[0].partitions.items[0].committed_offset, 5);
            } else {
                assert_int_equal(response->groups.items[0].topics.count, 1);
                assert_i64_equal(response->groups.items[0].topics.items[0].partitions.items[0].committed_offset, 5);
            }
        }
    }
}

static void every_version_of_offset_commit_is_understood(void **state) {
    fixture *f = *state;
    for (int16_t version = 2; version <= 10; version++) {
        call *c = commit_call(f, "simple", "", -1, "orders", 2, 100 + version);
        c->request->api_version = version;
        ks_offset_commit_request *commit = c->request->body;
        commit->topics.items[0].topic_id = ks_cluster_topic_find(f->cluster, KS_LITERAL("orders"))->id;
        if (version >= 10) commit->topics.items[0].name = KS_LITERAL("");
        ks_offset_commit_response *response = call_now(f, c, "simple");
        assert_int_equal(response->topics.items[0].partitions.items[0].error_code, 0);
        assert_i64_equal(fetch_now(f, "simple", "orders", 2), 100 + version);
    }
    call *c = commit_call(f, "simple", "", -1, "", 2, 1); /* v10 with an id that no topic has */
    c->request->api_version = 10;
    ks_offset_commit_response *response = call_now(f, c, "simple");
    assert_int_equal(response->topics.items[0].partitions.items[0].error_code, KAFKA_ERR_UNKNOWN_TOPIC_ID);
}

static void the_group_is_in_the_log_for_everyone_to_read(void **state) {
    fixture *f = *state;
    char a[64], b[64];
    two_members(f, "billing", a, b);
    assert_int_equal(commit_now(f, "billing", a, 1, "orders", 0, 42), 0);
    ks_partition *partition = ks_cluster_partition_find(f->cluster, KS_LITERAL(KS_OFFSETS_TOPIC),
                                                        ks_group_partition_of(KS_LITERAL("billing"), 50));
    ks_log_slice slice;
    ks_log_read(partition->log, 0, ks_log_end_offset(partition->log), 1 << 20, true, &slice);
    ks_record_iterator iterator;
    ks_record record;
    ks_group_key key;
    int groups = 0, offsets = 0;
    ks_records_begin(&iterator, slice.bytes);
    while (ks_records_next_batch(&iterator))
        while (ks_records_next(&iterator, &record)) {
            ks_group_key_decode(record.key, &key);
            assert_true(ks_string_equal(key.group, KS_LITERAL("billing")));
            groups += key.kind == KS_RECORD_GROUP;
            offsets += key.kind == KS_RECORD_OFFSET;
        }
    ks_records_end(&iterator);
    ks_block_release(slice.block);
    assert_int_equal(groups, 2); /* created, and the leader's assignment */
    assert_int_equal(offsets, 1);
}

static void a_new_coordinator_reads_the_group_back(void **state) {
    fixture *f = *state;
    char a[64], b[64];
    two_members(f, "billing", a, b);
    assert_int_equal(commit_now(f, "billing", a, 1, "orders", 0, 42), 0);
    int32_t former = coordinator_id(f, "billing");
    ks_node_crash(ks_cluster_broker_find(f->cluster, former)->node);
    int32_t now = coordinator_id(f, "billing");
    assert_int_not_equal(former, now);
    assert_int_equal(heartbeat_now(f, "billing", "a", a, 1), 0); /* while loading: nobody is thrown out */
    assert_i64_equal(fetch_now(f, "billing", "orders", 0), -1000 - KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS);
    run_ms(f, 20);
    ks_group *group = ks_cluster_group_find(f->cluster, KS_LITERAL("billing"));
    assert_non_null(group);
    assert_string_equal(ks_group_state_text(group), "Stable");
    assert_int_equal(group->generation, 1);
    assert_true(ks_string_equal(group->leader->id, ks_str(a)));
    assert_i64_equal(fetch_now(f, "billing", "orders", 0), 42);
    assert_int_equal(heartbeat_now(f, "billing", "a", a, 1), 0);
    run_ms(f, 10100); /* sessions were started again in full, and now they are over */
    assert_int_equal(group->member_count, 0);
}

static void a_move_answers_whoever_waits(void **state) {
    fixture *f = *state;
    char a[64], b[64];
    call *join_a = join_member(f, "billing", "a", a), *join_b = join_member(f, "billing", "b", b);
    assert_null(join_a->response);
    ks_partition *partition = ks_cluster_partition_find(f->cluster, KS_LITERAL(KS_OFFSETS_TOPIC),
                                                        ks_group_partition_of(KS_LITERAL("billing"), 50));
    int32_t former = partition->leader, next = former % 3 + 1;
    assert_int_equal(ks_partition_move_leader(partition, next), KAFKA_OK);
    run_ms(f, 5);
    assert_int_equal(((ks_join_group_response *)join_a->response->body)->error_code, KAFKA_ERR_NOT_COORDINATOR);
    assert_int_equal(((ks_join_group_response *)join_b->response->body)->error_code, KAFKA_ERR_NOT_COORDINATOR);
    call *c = call_new(f, "a", KS_API_heartbeat, 4);
    ((ks_heartbeat_request *)c->request->body)->group_id = KS_LITERAL("billing");
    call_send(f, c, former);
    run_ms(f, 5);
    assert_int_equal(((ks_heartbeat_response *)c->response->body)->error_code, KAFKA_ERR_NOT_COORDINATOR);
    run_ms(f, 100);
    ks_group *group = ks_cluster_group_find(f->cluster, KS_LITERAL("billing"));
    assert_string_equal(ks_group_state_text(group), "Empty"); /* what had not been written is rolled back */
}

static void a_crash_of_the_only_broker_forgets_what_was_not_written(void **state) {
    (void)state;
    fixture *f = fixture_new(&(ks_cluster_config){ .brokers = 1 });
    ks_topic *topic;
    ks_cluster_create_simple_topic(f->cluster, "orders", 4, 1, &topic);
    char a[64], b[64];
    two_members(f, "billing", a, b);
    call *join_a = join_call(f, "billing", "a", a, NULL, 9);
    call_now(f, join_a, "billing"); /* the leader rejoins and waits for b */
    ks_node_crash(ks_cluster_broker_find(f->cluster, 1)->node);
    run_ms(f, 100);
    assert_null(join_a->response);
    assert_true(join_a->closed);
    assert_int_equal(coordinator_id(f, "billing"), -1);
    ks_node_start(ks_cluster_broker_find(f->cluster, 1)->node);
    run_ms(f, 100);
    ks_group *group = ks_cluster_group_find(f->cluster, KS_LITERAL("billing"));
    assert_string_equal(ks_group_state_text(group), "Stable");
    assert_int_equal(group->generation, 1);
    fixture_free(f);
}

static void a_waiting_member_whose_connection_ends_keeps_its_place(void **state) {
    fixture *f = *state;
    char a[64], b[64];
    two_members(f, "billing", a, b);
    call *join_a = join_call(f, "billing", "a", a, NULL, 9);
    call_now(f, join_a, "billing");
    ks_connection_close(join_a->connection);
    join_a->connection = NULL;
    run_ms(f, 10);
    ks_group *group = ks_cluster_group_find(f->cluster, KS_LITERAL("billing"));
    assert_int_equal(group->joins.count, 1);
    call *join_b = join_call(f, "billing", "b", b, NULL, 9);
    assert_non_null(call_now(f, join_b, "billing")); /* all are there as far as the coordinator knows */
    assert_null(join_a->response);
    assert_string_equal(ks_group_state_text(group), "CompletingRebalance");
}

static void groups_are_listed_described_and_deleted(void **state) {
    fixture *f = *state;
    char a[64], b[64];
    two_members(f, "billing", a, b);
    assert_int_equal(commit_now(f, "simple", "", -1, "orders", 0, 5), 0);
    call *list = call_new(f, "admin", KS_API_list_groups, 5);
    ks_list_groups_response *listed = call_now(f, list, "billing");
    assert_int_equal(listed->error_code, 0);
    assert_true(listed->groups.count >= 1);
    bool found = false;
    for (int32_t i = 0; i < listed->groups.count; i++) {
        if (!ks_string_equal(listed->groups.items[i].group_id, KS_LITERAL("billing"))) continue;
        found = true;
        assert_true(ks_string_equal(listed->groups.items[i].group_state, KS_LITERAL("Stable")));
        assert_true(ks_string_equal(listed->groups.items[i].group_type, KS_LITERAL("classic")));
        assert_true(ks_string_equal(listed->groups.items[i].protocol_type, KS_LITERAL("consumer")));
    }
    assert_true(found);
    call *filtered = call_new(f, "admin", KS_API_list_groups, 5);
    static ks_string states[] = { { "empty", 5 } };
    ((ks_list_groups_request *)filtered->request->body)->states_filter.items = states;
    ((ks_list_groups_request *)filtered->request->body)->states_filter.count = 1;
    listed = call_now(f, filtered, "billing");
    for (int32_t i = 0; i < listed->groups.count; i++)
        assert_false(ks_string_equal(listed->groups.items[i].group_id, KS_LITERAL("billing")));

    static ks_string names[] = { { "billing", 7 }, { "no-such-group", 13 } };
    for (int16_t version = 0; version <= 6; version++) {
        call *describe = call_new(f, "admin", KS_API_describe_groups, version);
        ((ks_describe_groups_request *)describe->request->body)->groups.items = names;
        ((ks_describe_groups_request *)describe->request->body)->groups.count = 2;
        ks_describe_groups_response *described = call_now(f, describe, "billing");
        assert_true(ks_string_equal(described->groups.items[0].group_state, KS_LITERAL("Stable")));
        assert_true(ks_string_equal(described->groups.items[0].protocol_data, KS_LITERAL("range")));
        assert_int_equal(described->groups.items[0].members.count, 2);
        assert_string_equal(
            ks_assignment_text(described->groups.items[0].members.items[1].member_assignment, f->arena).data,
            "orders[2,3]");
        if (coordinator_id(f, "billing") == coordinator_id(f, "no-such-group")) {
            assert_true(ks_string_equal(described->groups.items[1].group_state, KS_LITERAL("Dead")));
            assert_int_equal(described->groups.items[1].error_code, version >= 6 ? KAFKA_ERR_GROUP_ID_NOT_FOUND : 0);
        } else {
            assert_int_equal(described->groups.items[1].error_code, KAFKA_ERR_NOT_COORDINATOR);
        }
    }
    static ks_string both[] = { { "billing", 7 }, { "simple", 6 }, { NULL, -1 } };
    call *delete = call_new(f, "admin", KS_API_delete_groups, 2);
    ((ks_delete_groups_request *)delete->request->body)->groups_names.items = both;
    ((ks_delete_groups_request *)delete->request->body)->groups_names.count = 3;
    ks_delete_groups_response *deleted = call_now(f, delete, "simple");
    int16_t billing = coordinator_id(f, "billing") == coordinator_id(f, "simple") ? KAFKA_ERR_NON_EMPTY_GROUP
                                                                                  : KAFKA_ERR_NOT_COORDINATOR;
    assert_int_equal(deleted->results.items[0].error_code, billing);
    assert_int_equal(deleted->results.items[1].error_code, 0);
    assert_int_equal(deleted->results.items[2].error_code, KAFKA_ERR_INVALID_GROUP_ID);
    assert_i64_equal(fetch_now(f, "simple", "orders", 0), -1);
    assert_null(ks_cluster_group_find(f->cluster, KS_LITERAL("simple")));
}

static int16_t delete_offset(fixture *f, const char *group, const char *topic, int32_t partition, int16_t *top) {
    call *c = call_new(f, "admin", KS_API_offset_delete, 0);
    ks_offset_delete_request *request = c->request->body;
    request->group_id = ks_str(group);
    request->topics.count = 1;
    request->topics.items = ks_arena_alloc(c->request->arena, sizeof *request->topics.items);
    request->topics.items[0].name = ks_str(topic);
    request->topics.items[0].partitions.count = 1;
    request->topics.items[0].partitions.items =
        ks_arena_alloc(c->request->arena, sizeof(ks_offset_delete_request_partition));
    request->topics.items[0].partitions.items[0].partition_index = partition;
    ks_offset_delete_response *response = call_now(f, c, group);
    *top = response->error_code;
    return response->topics.count > 0 ? response->topics.items[0].partitions.items[0].error_code : -1;
}

static void offsets_of_topics_in_use_cannot_be_deleted(void **state) {
    fixture *f = *state;
    char a[64], b[64];
    int16_t top;
    ks_topic *topic;
    ks_cluster_create_simple_topic(f->cluster, "old", 1, 1, &topic);
    two_members(f, "billing", a, b);
    assert_int_equal(commit_now(f, "billing", a, 1, "orders", 0, 42), 0);
    assert_int_equal(commit_now(f, "billing", a, 1, "old", 0, 7), 0);
    assert_int_equal(delete_offset(f, "billing", "orders", 0, &top), KAFKA_ERR_GROUP_SUBSCRIBED_TO_TOPIC);
    assert_int_equal(delete_offset(f, "billing", "old", 0, &top), 0);
    assert_int_equal(delete_offset(f, "billing", "gone", 0, &top), KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_i64_equal(fetch_now(f, "billing", "orders", 0), 42);
    assert_i64_equal(fetch_now(f, "billing", "old", 0), -1);
    delete_offset(f, "nobody", "old", 0, &top);
    assert_int_equal(top, KAFKA_ERR_GROUP_ID_NOT_FOUND);
}

static void find_coordinator_names_the_leader_in_every_version(void **state) {
    fixture *f = *state;
    for (int16_t version = 0; version <= 6; version++) {
        call *c = call_new(f, "a", KS_API_find_coordinator, version);
        ks_find_coordinator_request *request = c->request->body;
        static ks_string keys[] = { { "billing", 7 }, { "payments", 8 } };
        request->key = keys[0];
        request->coordinator_keys.items = keys;
        request->coordinator_keys.count = 2;
        call_send(f, c, 1);
        run_ms(f, 5);
        ks_find_coordinator_response *response = c->response->body;
        int32_t expected = coordinator_id(f, "billing");
        if (version < 4) {
            assert_int_equal(response->node_id, expected);
            assert_int_equal(response->port, 9092);
        } else {
            assert_int_equal(response->coordinators.items[0].node_id, expected);
            assert_int_equal(response->coordinators.items[1].node_id, coordinator_id(f, "payments"));
        }
    }
    call *c = call_new(f, "a", KS_API_find_coordinator, 2);
    ((ks_find_coordinator_request *)c->request->body)->key_type = 9;
    call_send(f, c, 1);
    run_ms(f, 5);
    assert_int_equal(((ks_find_coordinator_response *)c->response->body)->error_code, KAFKA_ERR_INVALID_REQUEST);
}

static kafka_error fail_or_delay(void *context, const ks_partition *partition, int64_t *delay_ns) {
    int *left = context;
    if (!ks_string_equal(partition->topic->name, KS_LITERAL(KS_OFFSETS_TOPIC)) || (*left)-- <= 0) return KAFKA_OK;
    *delay_ns = 50 * KS_MS;
    return KAFKA_ERR_NOT_ENOUGH_REPLICAS;
}

static void a_failed_append_is_told_in_the_words_for_clients(void **state) {
    fixture *f = *state;
    int left = 1;
    assert_int_equal(commit_now(f, "simple", "", -1, "orders", 0, 4), 0);
    ks_cluster_set_append_fault(f->cluster, fail_or_delay, &left);
    call *c = commit_call(f, "simple", "", -1, "orders", 0, 5);
    assert_null(call_now(f, c, "simple"));
    run_ms(f, 100);
    ks_offset_commit_response *response = c->response->body;
    assert_int_equal(response->topics.items[0].partitions.items[0].error_code, KAFKA_ERR_COORDINATOR_NOT_AVAILABLE);
    assert_i64_equal(fetch_now(f, "simple", "orders", 0), 4);
    left = 1; /* once more, and this time the committer is gone before the outcome */
    c = commit_call(f, "simple", "", -1, "orders", 0, 6);
    call_now(f, c, "simple");
    ks_connection_close(c->connection);
    c->connection = NULL;
    run_ms(f, 100);
    assert_null(c->response);
    left = 1; /* and this time its broker dies */
    c = commit_call(f, "simple", "", -1, "orders", 0, 7);
    call_now(f, c, "simple");
    ks_node_crash(ks_cluster_broker_find(f->cluster, coordinator_id(f, "simple"))->node);
    run_ms(f, 100);
    assert_null(c->response);
}

static kafka_error slow(void *context, const ks_partition *partition, int64_t *delay_ns) {
    (void)context;
    if (ks_string_equal(partition->topic->name, KS_LITERAL(KS_OFFSETS_TOPIC))) *delay_ns = 8 * KS_S;
    return KAFKA_OK;
}

static void a_commit_does_not_wait_longer_than_the_commit_timeout(void **state) {
    fixture *f = *state;
    ks_cluster_set_append_fault(f->cluster, slow, NULL);
    call *c = commit_call(f, "simple", "", -1, "orders", 0, 5);
    assert_null(call_now(f, c, "simple"));
    run_ms(f, 5000);
    ks_offset_commit_response *response = c->response->body;
    assert_int_equal(response->topics.items[0].partitions.items[0].error_code, KAFKA_ERR_COORDINATOR_NOT_AVAILABLE);
    assert_i64_equal(fetch_now(f, "simple", "orders", 0), -1);
    run_ms(f, 4000); /* it was written after all */
    assert_i64_equal(fetch_now(f, "simple", "orders", 0), 5);
}

static void an_assignment_that_is_not_written_in_time_starts_a_rebalance(void **state) {
    fixture *f = *state;
    char a[64];
    call *join_a = join_member(f, "billing", "a", a);
    run_ms(f, 4000);
    assert_non_null(join_a->response);
    ks_cluster_set_append_fault(f->cluster, slow, NULL);
    call *sync = sync_call(f, "billing", "a", a, 1);
    give(f, sync, a, assign(f, "orders", 0, 4));
    assert_null(call_now(f, sync, "billing"));
    run_ms(f, 5000);
    assert_int_equal(((ks_sync_group_response *)sync->response->body)->error_code, KAFKA_ERR_COORDINATOR_NOT_AVAILABLE);
    assert_string_equal(ks_group_state_text(ks_cluster_group_find(f->cluster, KS_LITERAL("billing"))),
                        "PreparingRebalance");
    run_ms(f, 5000); /* the late outcome is nobody's business */
}

static void an_idle_group_is_no_sign_of_life(void **state) {
    fixture *f = *state;
    char a[64], b[64];
    two_members(f, "billing", a, b);
    int64_t before = ks_last_progress(f->kernel);
    ks_group *group = ks_cluster_group_find(f->cluster, KS_LITERAL("billing"));
    int64_t deadline = ks_cluster_group_deadline(f->cluster, group->id, KS_GROUP_TIMER_SESSION, ks_str(a));
    run_ms(f, 5000); /* nothing but session timers waiting */
    assert_i64_equal(ks_last_progress(f->kernel), before);
    assert_true(deadline > ks_now(f->kernel));
    run_ms(f, 6000);
    assert_int_equal(group->member_count, 0);
    assert_true(ks_last_progress(f->kernel) > before); /* an expiry makes a difference */
}

static void a_session_can_be_ended_by_command(void **state) {
    fixture *f = *state;
    char a[64], b[64];
    two_members(f, "billing", a, b);
    assert_int_equal(ks_cluster_group_expire_session(f->cluster, KS_LITERAL("nobody"), ks_str(a)),
                     KAFKA_ERR_GROUP_ID_NOT_FOUND);
    assert_int_equal(ks_cluster_group_expire_session(f->cluster, KS_LITERAL("billing"), KS_LITERAL("x")),
                     KAFKA_ERR_UNKNOWN_MEMBER_ID);
    assert_int_equal(ks_cluster_group_expire_session(f->cluster, KS_LITERAL("billing"), ks_str(b)), KAFKA_OK);
    assert_int_equal(heartbeat_now(f, "billing", "a", a, 1), KAFKA_ERR_REBALANCE_IN_PROGRESS);
}

typedef struct notes {
    char text[8192];
} notes;

static void remember(void *context, const ks_event *event) {
    notes *seen = context;
    const char *name = ks_event_kind_name(event->kind);
    if (strncmp(name, "request", 7) == 0 || strncmp(name, "response", 8) == 0 || strncmp(name, "connection", 10) == 0)
        return;
    strncat(seen->text, name, sizeof seen->text - strlen(seen->text) - 2);
    if (strcmp(name, "rebalance_started") == 0) {
        const ks_ev_rebalance_started *fields = event->fields;
        snprintf(seen->text + strlen(seen->text), sizeof seen->text - strlen(seen->text) - 2, "(%.*s %.*s)",
                 (int)fields->reason.size, fields->reason.data, (int)fields->member.size,
                 fields->member.size > 0 ? fields->member.data : "");
    }
    strcat(seen->text, "\n");
}

static void the_trace_tells_who_started_a_rebalance_and_why(void **state) {
    fixture *f = *state;
    char a[64], b[64];
    two_members(f, "billing", a, b);
    static notes notes_of_this_test;
    notes *seen = &notes_of_this_test;
    ks_subscriber subscriber = { .event = remember, .context = seen };
    ks_trace_subscribe(f->kernel, &subscriber);
    call *leave = call_new(f, "b", KS_API_leave_group, 5);
    ks_leave_group_request *request = leave->request->body;
    ks_leave_group_request_member_identity who = { ks_str(b), KS_NULL_STRING,
                                                   KS_LITERAL("the consumer is being closed") };
    request->group_id = KS_LITERAL("billing");
    request->members.items = &who;
    request->members.count = 1;
    call_now(f, leave, "billing");
    call_now(f, join_call(f, "billing", "a", a, NULL, 9), "billing");
    call *sync = sync_call(f, "billing", "a", a, 2);
    give(f, sync, a, assign(f, "orders", 0, 4));
    call_now(f, sync, "billing");
    ks_trace_unsubscribe(f->kernel, &subscriber);
    assert_string_equal(seen->text, "group_member_left\n"
                                    "rebalance_started(member_left b-000002)\n"
                                    "group_state_changed\n"
                                    "group_member_rejoined\n"
                                    "join_parked\n"
                                    "join_phase_completed\n"
                                    "group_state_changed\n"
                                    "sync_parked\n"
                                    "records_appended\n"
                                    "high_watermark_advanced\n"
                                    "group_state_changed\n"
                                    "group_assignment_stored\n"
                                    "group_stabilised\n");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_offsets_partition_of_a_group_is_javas_hash),
        TEST(two_members_share_a_topic),
        TEST(a_member_that_misses_its_session_is_removed),
        TEST(a_static_member_that_came_back_is_missed_after_its_own_session),
        TEST(only_the_members_of_a_generation_may_commit),
        TEST(offsets_may_go_backwards_and_beyond_the_end),
        TEST(commits_of_old_versions_keep_their_own_retention),
        TEST(offsets_of_an_empty_group_expire_a_week_after_it_became_empty),
        TEST(metadata_has_a_limit),
        TEST(a_deleted_topic_takes_its_offsets_along),
        TEST(every_version_of_offset_fetch_finds_the_offset),
        TEST(every_version_of_offset_commit_is_understood),
        TEST(the_group_is_in_the_log_for_everyone_to_read),
        TEST(a_new_coordinator_reads_the_group_back),
        TEST(a_move_answers_whoever_waits),
        cmocka_unit_test(a_crash_of_the_only_broker_forgets_what_was_not_written),
        TEST(a_waiting_member_whose_connection_ends_keeps_its_place),
        TEST(groups_are_listed_described_and_deleted),
        TEST(offsets_of_topics_in_use_cannot_be_deleted),
        TEST(find_coordinator_names_the_leader_in_every_version),
        TEST(a_failed_append_is_told_in_the_words_for_clients),
        TEST(a_commit_does_not_wait_longer_than_the_commit_timeout),
        TEST(an_assignment_that_is_not_written_in_time_starts_a_rebalance),
        TEST(an_idle_group_is_no_sign_of_life),
        TEST(a_session_can_be_ended_by_command),
        TEST(the_trace_tells_who_started_a_rebalance_and_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
