/* SPDX-License-Identifier: Apache-2.0
 * The loop of a group member, request by request, as it was observed of kafka-go with a scripted coordinator
 * (kafka-go-client.md 6.2). */
#include "tests/client/scripted_cluster.h"

#include "sim/client/group_member.h"
#include "sim/client/kafka_go_balancer.h"
#include "sim/protocol/consumer_protocol.h"

typedef struct fixture {
    scripted_cluster cluster;
    ks_membership_settings settings;
    ks_seed seed;
    ks_string topics[2];
    kafka_group_balancer balancers[2];
    ks_membership *member;
    ks_generation *generation; /* held */
    int generations, failures, closed;
    kafka_error error;
    char step[64];
    bool ask_again;
    int16_t errors[KS_API_LIMIT]; /* answered once, by API */
    int32_t last_member_generation;
    char last_member[32];
    int32_t joins;
    bool follower;
    size_t live;
} fixture;

static ks_envelope *answer_join(fixture *f, ks_request *request) {
    const ks_join_group_request *asked = request->envelope->body;
    ks_envelope *envelope = scripted_response(request);
    ks_join_group_response *response = envelope->body;
    response->generation_id = ++f->joins;
    response->protocol_name = KS_LITERAL("range");
    response->member_id = asked->member_id.size > 0 ? ks_arena_string(envelope->arena, asked->member_id)
                                                    : ks_arena_printf(envelope->arena, "m-%d", f->joins);
    response->leader = f->follower ? KS_LITERAL("somebody") : response->member_id;
    if (f->follower) return envelope;
    response->members.items = ks_arena_alloc(envelope->arena, sizeof *response->members.items);
    response->members.count = 1;
    ks_struct_default(ks_describe_join_group_response_member(), response->members.items);
    response->members.items[0].member_id = response->member_id;
    response->members.items[0].metadata = ks_arena_bytes(envelope->arena, asked->protocols.items[0].metadata);
    return envelope;
}

static ks_envelope *answer_sync(ks_request *request) {
    const ks_sync_group_request *asked = request->envelope->body;
    ks_envelope *envelope = scripted_response(request);
    ks_sync_group_response *response = envelope->body;
    response->assignment = (ks_bytes){ (const uint8_t *)"", 0 };
    if (asked->assignments.count > 0)
        response->assignment = ks_arena_bytes(envelope->arena, asked->assignments.items[0].assignment);
    return envelope;
}

static ks_envelope *answer_offsets(ks_request *request) {
    const ks_offset_fetch_request *asked = request->envelope->body;
    ks_envelope *envelope = scripted_response(request);
    ks_offset_fetch_response *response = envelope->body;
    response->topics.items =
        ks_arena_alloc(envelope->arena, (size_t)asked->topics.count * sizeof *response->topics.items);
    response->topics.count = asked->topics.count;
    for (int32_t t = 0; t < asked->topics.count; t++) {
        ks_offset_fetch_response_topic *topic = &response->topics.items[t];
        topic->name = ks_arena_string(envelope->arena, asked->topics.items[t].name);
        topic->partitions.count = asked->topics.items[t].partition_indexes.count;
        topic->partitions.items =
            ks_arena_alloc(envelope->arena, (size_t)(topic->partitions.count + 1) * sizeof *topic->partitions.items);
        for (int32_t p = 0; p < topic->partitions.count; p++)
            topic->partitions.items[p] = (ks_offset_fetch_response_partition){
                .partition_index = asked->topics.items[t].partition_indexes.items[p],
                .committed_offset = asked->topics.items[t].partition_indexes.items[p] == 0 ? 5 : -1,
                .metadata = KS_LITERAL("")
            };
    }
    return envelope;
}

/* Notes the member id, answers a scripted error once, else as a coordinator of one member would. */
static ks_envelope *answer(scripted_cluster *cluster, ks_request *request) {
    fixture *f = cluster->context;
    const ks_envelope *asked = request->envelope;
    const ks_field *field = ks_struct_field(asked->type, "MemberId");
    if (field != NULL) {
        ks_string id = *(const ks_string *)(const void *)((const char *)asked->body + field->offset);
        cluster->log.data[--cluster->log.size] = 0; /* the line's end */
        ks_buffer_printf(&cluster->log, " \"%.*s\"\n", id.size, id.data);
    }
    int16_t error = f->errors[asked->api_key];
    f->errors[asked->api_key] = 0;
    ks_envelope *envelope;
    switch (asked->api_key) {
    case KS_API_find_coordinator:
        envelope = scripted_response(request);
        ((ks_find_coordinator_response *)envelope->body)->node_id = 2;
        ((ks_find_coordinator_response *)envelope->body)->host = KS_LITERAL("broker-2");
        ((ks_find_coordinator_response *)envelope->body)->port = 9092;
        break;
    case KS_API_join_group: envelope = answer_join(f, request); break;
    case KS_API_sync_group: envelope = answer_sync(request); break;
    case KS_API_offset_fetch: envelope = answer_offsets(request); break;
    default: envelope = scripted_response(request);
    }
    const ks_field *code = ks_struct_field(envelope->type, "ErrorCode");
    if (error && code != NULL) *(int16_t *)(void *)((char *)envelope->body + code->offset) = error;
    return envelope;
}

static void got_generation(void *owner, ks_generation *generation) {
    fixture *f = owner;
    f->generations++;
    ks_generation_release(f->generation);
    f->generation = ks_generation_hold(generation);
    if (f->ask_again) ks_membership_next(f->member);
}

static void failed(void *owner, kafka_error error, const char *step) {
    fixture *f = owner;
    f->failures++;
    f->error = error;
    snprintf(f->step, sizeof f->step, "%s", step);
    if (f->ask_again) ks_membership_next(f->member);
}

static void closed(void *owner) { ((fixture *)owner)->closed++; }

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->live = ks_alloc_live();
    script_begin(&f->cluster);
    f->cluster.answer = answer;
    f->cluster.context = f;
    f->cluster.partitions = 2;
    f->seed = (ks_seed){ KS_LITERAL("broker-1"), 9092 };
    f->topics[0] = KS_LITERAL("orders");
    f->balancers[0] = (kafka_group_balancer){
        .name = "range", .assign = ks_kafka_go_range, .user_data = ks_kafka_go_rack_data, .argument = (void *)"eu"
    };
    f->balancers[1] = (kafka_group_balancer){ .name = "roundrobin", .assign = ks_kafka_go_round_robin };
    f->settings = (ks_membership_settings){ .process = f->cluster.process,
                                            .seeds = { &f->seed, 1 },
                                            .group = KS_LITERAL("billing"),
                                            .topics = f->topics,
                                            .topic_count = 1,
                                            .balancers = f->balancers,
                                            .balancer_count = 2,
                                            .heartbeat_ns = 3 * KS_S,
                                            .session_ns = 30 * KS_S,
                                            .rebalance_ns = 30 * KS_S,
                                            .backoff_ns = 5 * KS_S,
                                            .watch_ns = 5 * KS_S,
                                            .timeout_ns = 5 * KS_S,
                                            .dial_timeout_ns = 10 * KS_S,
                                            .retention_ms = -1,
                                            .start_offset = -2 };
    f->ask_again = true;
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    ks_membership_free(f->member);
    ks_generation_release(f->generation);
    script_end(&f->cluster);
    size_t live = ks_alloc_live();
    int leaked = live != f->live;
    if (leaked) print_error("%zu blocks are live, %zu were before\n", live, f->live);
    free(f);
    return leaked;
}

static void join(fixture *f) {
    static const ks_membership_events events = { .generation = got_generation, .failed = failed, .closed = closed };
    f->member = ks_membership_new(&f->settings, &events, f);
    ks_membership_next(f->member);
}

#define ROUND(t0, t1, t2, t3, t4, t5, id, got)                                                                         \
    t0 " broker-1 FindCoordinator v0\n" t1 " broker-2 ApiVersions v0\n" t2 " broker-2 JoinGroup v2 \"" id "\"\n" t3    \
       " broker-2 Metadata v6\n" t4 " broker-2 SyncGroup v0 \"" got "\"\n" t5 " broker-2 OffsetFetch v1\n"
#define FIRST_ROUND ROUND("1.5", "3.5", "4.5", "5.5", "6.5", "7.5", "", "m-1")

static void a_round_is_five_steps_over_a_new_connection(void **state) {
    fixture *f = *state;
    join(f);
    script_run(&f->cluster, 20);
    assert_log(&f->cluster, FIRST_ROUND);
    assert_int_equal(f->generations, 1);
    const ks_assigned_partition *partitions;
    assert_int_equal(ks_generation_assigned(f->generation, &partitions), 2);
    assert_i64_equal(partitions[0].offset, 5);
    assert_i64_equal(partitions[1].offset, -2); /* nothing committed */
    script_run(&f->cluster, 6000);
    assert_log(&f->cluster, "3008.5 broker-2 Heartbeat v0 \"m-1\"\n6008.5 broker-2 Heartbeat v0 \"m-1\"\n");
    ks_membership_close(f->member);
    script_run(&f->cluster, 20);
    assert_log(&f->cluster, "6021.5 broker-1 FindCoordinator v0\n6023.5 broker-2 LeaveGroup v0 \"m-1\"\n");
    assert_int_equal(f->closed, 1);
    assert_true(ks_generation_has_ended(f->generation));
}

static void a_follower_asks_for_no_partitions(void **state) {
    fixture *f = *state;
    f->follower = true;
    join(f);
    script_run(&f->cluster, 20);
    assert_log(&f->cluster,
               "1.5 broker-1 FindCoordinator v0\n3.5 broker-2 ApiVersions v0\n4.5 broker-2 JoinGroup v2 \"\"\n"
               "5.5 broker-2 SyncGroup v0 \"m-1\"\n6.5 broker-2 OffsetFetch v1\n");
    const ks_assigned_partition *partitions;
    assert_int_equal(ks_generation_assigned(f->generation, &partitions), 0);
}

static void a_heartbeat_error_begins_the_next_round_at_once_with_the_same_id(void **state) {
    fixture *f = *state;
    join(f);
    script_run(&f->cluster, 20);
    f->errors[KS_API_heartbeat] = KAFKA_ERR_REBALANCE_IN_PROGRESS;
    ks_buffer_clear(&f->cluster.log);
    script_run(&f->cluster, 3000);
    assert_log(&f->cluster, "3008.5 broker-2 Heartbeat v0 \"m-1\"\n" ROUND("3010.5", "3012.5", "3013.5", "3014.5",
                                                                           "3015.5", "3016.5", "m-1", "m-1"));
    assert_int_equal(f->failures, 0); /* not reported */
    assert_int_equal(f->generations, 2);
}

static void a_failed_join_is_reported_and_forgets_the_id_without_leaving(void **state) {
    fixture *f = *state;
    join(f);
    script_run(&f->cluster, 20);
    f->errors[KS_API_heartbeat] = KAFKA_ERR_UNKNOWN_MEMBER_ID;
    f->errors[KS_API_join_group] = KAFKA_ERR_UNKNOWN_MEMBER_ID;
    ks_buffer_clear(&f->cluster.log);
    script_run(&f->cluster, 3020);
    assert_log(
        &f->cluster,
        "3008.5 broker-2 Heartbeat v0 \"m-1\"\n3010.5 broker-1 FindCoordinator v0\n3012.5 broker-2 ApiVersions v0\n"
        "3013.5 broker-2 JoinGroup v2 \"m-1\"\n");
    assert_int_equal(f->failures, 1);
    assert_int_equal(f->error, KAFKA_ERR_UNKNOWN_MEMBER_ID);
    assert_string_equal(f->step, "JoinGroup");
    script_run(&f->cluster, 5000);
    assert_log(&f->cluster, ROUND("8015.5", "8017.5", "8018.5", "8019.5", "8020.5", "8021.5", "", "m-3"));
}

static void rebalance_in_progress_from_sync_keeps_the_id_and_begins_again_at_once(void **state) {
    fixture *f = *state;
    f->errors[KS_API_sync_group] = KAFKA_ERR_REBALANCE_IN_PROGRESS;
    join(f);
    script_run(&f->cluster, 10);
    assert_log(&f->cluster,
               "1.5 broker-1 FindCoordinator v0\n3.5 broker-2 ApiVersions v0\n4.5 broker-2 JoinGroup v2 \"\"\n"
               "5.5 broker-2 Metadata v6\n6.5 broker-2 SyncGroup v0 \"m-1\"\n8.5 broker-1 FindCoordinator v0\n");
    assert_int_equal(f->error, KAFKA_ERR_REBALANCE_IN_PROGRESS);
    script_run(&f->cluster, 20);
    assert_non_null(strstr((char *)f->cluster.log.data, "JoinGroup v2 \"m-1\""));
}

static void other_errors_after_the_join_leave_the_group(void **state) {
    fixture *f = *state;
    f->errors[KS_API_sync_group] = KAFKA_ERR_UNKNOWN_SERVER_ERROR;
    join(f);
    script_run(&f->cluster, 4900);
    assert_log(&f->cluster,
               "1.5 broker-1 FindCoordinator v0\n3.5 broker-2 ApiVersions v0\n4.5 broker-2 JoinGroup v2 \"\"\n"
               "5.5 broker-2 Metadata v6\n6.5 broker-2 SyncGroup v0 \"m-1\"\n8.5 broker-1 FindCoordinator v0\n"
               "10.5 broker-2 LeaveGroup v0 \"m-1\"\n");
    script_run(&f->cluster, 200);
    assert_log(&f->cluster, ROUND("5012.5", "5014.5", "5015.5", "5016.5", "5017.5", "5018.5", "", "m-2"));
}

static void the_loop_waits_for_somebody_to_take_its_result(void **state) {
    fixture *f = *state;
    f->ask_again = false;
    f->errors[KS_API_find_coordinator] = KAFKA_ERR_COORDINATOR_NOT_AVAILABLE;
    join(f);
    script_run(&f->cluster, 20);
    assert_int_equal(f->failures, 1);
    script_run(&f->cluster, 6000); /* the next round has come to a generation */
    assert_int_equal(f->generations, 0);
    f->errors[KS_API_heartbeat] = KAFKA_ERR_REBALANCE_IN_PROGRESS;
    script_run(&f->cluster, 6000);
    ks_buffer_clear(&f->cluster.log);
    script_run(&f->cluster, 60000); /* it ended, but nobody has seen it yet */
    ks_buffer_text(&f->cluster.log, "");
    assert_string_equal((char *)f->cluster.log.data, "");
    ks_membership_next(f->member);
    assert_int_equal(f->generations, 1);
    assert_true(ks_generation_has_ended(f->generation));
    ks_membership_next(f->member);
    script_run(&f->cluster, 20);
    assert_int_equal(f->generations, 2);
    assert_false(ks_generation_has_ended(f->generation));
}

static void a_function_that_has_not_returned_holds_the_next_round_back(void **state) {
    fixture *f = *state;
    join(f);
    script_run(&f->cluster, 20);
    ks_generation_enter(f->generation);
    ks_generation *held = ks_generation_hold(f->generation);
    f->errors[KS_API_heartbeat] = KAFKA_ERR_REBALANCE_IN_PROGRESS;
    script_run(&f->cluster, 10000);
    assert_true(ks_generation_has_ended(held));
    assert_int_equal(f->generations, 1);
    ks_generation_leave(held);
    script_run(&f->cluster, 20);
    assert_int_equal(f->generations, 2);
    ks_generation_release(held);
}

typedef struct commit_seen {
    kafka_error error;
    int count;
} commit_seen;
static void committed(void *owner, kafka_error error) {
    commit_seen *seen = owner;
    seen->error = error;
    seen->count++;
}

static void commits_go_over_the_generations_connection_and_end_with_it(void **state) {
    fixture *f = *state;
    join(f);
    script_run(&f->cluster, 20);
    ks_buffer_clear(&f->cluster.log);
    commit_seen seen = { 0 }, late = { 0 };
    ks_commit_call call = { 0 }, last = { 0 };
    const ks_committed_offset offset = { KS_LITERAL("orders"), 0, 9 };
    ks_generation_commit(f->generation, &call, &offset, 1, committed, &seen);
    assert_int_equal(seen.count, 0);
    script_run(&f->cluster, 5);
    assert_log(&f->cluster, "20.5 broker-2 OffsetCommit v2 \"m-1\"\n");
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.error, KAFKA_OK);
    ks_generation *former = ks_generation_hold(f->generation);
    f->errors[KS_API_heartbeat] = KAFKA_ERR_REBALANCE_IN_PROGRESS;
    script_run(&f->cluster, 3010);
    ks_generation_commit(former, &last, &offset, 1, committed, &late);
    assert_int_equal(late.count, 0); /* never from inside the call */
    script_run(&f->cluster, 5);
    assert_int_equal(late.error, KAFKA_ERR_GENERATION_ENDED);
    ks_generation_release(former);
}

static void a_generation_watches_its_topics(void **state) {
    fixture *f = *state;
    f->settings.watch_partitions = true;
    join(f);
    script_run(&f->cluster, 5100);
    assert_log(&f->cluster, FIRST_ROUND
               "8.5 broker-2 Metadata v6\n3008.5 broker-2 Heartbeat v0 \"m-1\"\n5008.5 broker-2 Metadata v6\n");
    f->cluster.partitions = 3;
    script_run(&f->cluster, 5000);
    assert_int_equal(f->generations, 2);
    const ks_assigned_partition *partitions;
    assert_int_equal(ks_generation_assigned(f->generation, &partitions), 3);
}

static void heartbeats_are_background_work(void **state) {
    fixture *f = *state;
    join(f);
    script_run(&f->cluster, 4000);
    int64_t progress = ks_last_progress(f->cluster.kernel);
    script_run(&f->cluster, 3600000);
    assert_i64_equal(ks_last_progress(f->cluster.kernel), progress);
}

static ks_bytes sent_metadata;
static uint8_t sent_bytes[256];
static ks_envelope *note_metadata(scripted_cluster *cluster, ks_request *request) {
    if (request->envelope->api_key == KS_API_join_group) {
        const ks_join_group_request *asked = request->envelope->body;
        ks_bytes bytes = asked->protocols.items[0].metadata;
        assert_true(bytes.size < (int32_t)sizeof sent_bytes);
        memcpy(sent_bytes, bytes.data, (size_t)bytes.size);
        sent_metadata = (ks_bytes){ sent_bytes, bytes.size };
        assert_int_equal(asked->protocols.count, 2);
        assert_true(ks_string_equal(asked->protocols.items[1].name, KS_LITERAL("roundrobin")));
        assert_int_equal(asked->session_timeout_ms, 30000);
        assert_int_equal(asked->rebalance_timeout_ms, 30000);
    }
    return answer(cluster, request);
}

static void a_join_says_topics_and_user_data_in_version_1(void **state) {
    fixture *f = *state;
    f->cluster.answer = note_metadata;
    join(f);
    script_run(&f->cluster, 20);
    ks_arena *arena = ks_arena_new();
    ks_subscription seen;
    assert_true(ks_subscription_decode(sent_metadata, arena, &seen));
    assert_int_equal(seen.version, 1);
    assert_int_equal(seen.topic_count, 1);
    assert_true(ks_string_equal(seen.topics[0], KS_LITERAL("orders")));
    assert_int_equal(seen.user_data.size, 2);
    ks_arena_free(arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_round_is_five_steps_over_a_new_connection),
        TEST(a_follower_asks_for_no_partitions),
        TEST(a_heartbeat_error_begins_the_next_round_at_once_with_the_same_id),
        TEST(a_failed_join_is_reported_and_forgets_the_id_without_leaving),
        TEST(rebalance_in_progress_from_sync_keeps_the_id_and_begins_again_at_once),
        TEST(other_errors_after_the_join_leave_the_group),
        TEST(the_loop_waits_for_somebody_to_take_its_result),
        TEST(a_function_that_has_not_returned_holds_the_next_round_back),
        TEST(commits_go_over_the_generations_connection_and_end_with_it),
        TEST(a_generation_watches_its_topics),
        TEST(heartbeats_are_background_work),
        TEST(a_join_says_topics_and_user_data_in_version_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
