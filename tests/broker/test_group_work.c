/* SPDX-License-Identifier: Apache-2.0
 *
 * What one member's message costs the coordinator, counted and not timed: no step walks over all members for it. Such walks
 * belong to the phases of a rebalance, which come once for all members' messages together. */
#include "tests/broker/group_fixture.h"

#include <stdio.h>

enum { MEMBERS = 40, WALKS_MAX = 8 /* over all members, for a whole phase */ };

typedef struct crowd {
    fixture *f;
    char ids[MEMBERS][64], names[MEMBERS][16];
    int32_t generation;
    uint64_t seen; /* of `walked` */
} crowd;

static ks_groups *groups_of(const crowd *c) {
    return ks_group_coordinator_groups(ks_group_coordinator_of(c->f->cluster, KS_LITERAL("g")));
}

static uint64_t walked(crowd *c) { /* since the last time */
    uint64_t now = groups_of(c)->walked, before = c->seen;
    c->seen = now;
    return now - before;
}

#define assert_no_walk(c) assert_int_equal(walked(c), 0)
#define assert_a_phase(c)                                                                                              \
    do {                                                                                                               \
        uint64_t steps = walked(c); /* some: the counter counts */                                                     \
        assert_true(steps > 0 && steps <= (uint64_t)WALKS_MAX * MEMBERS);                                              \
    } while (0)

static int16_t sync_now(crowd *c, int32_t i) { /* -1: it waits */
    ks_sync_group_response *response =
        call_now(c->f, sync_call(c->f, "g", c->names[i], c->ids[i], c->generation), "g");
    return response != NULL ? response->error_code : -1;
}

static void leader_syncs(crowd *c) {
    call *sync = sync_call(c->f, "g", c->names[0], c->ids[0], c->generation);
    for (int32_t i = 0; i < MEMBERS; i++) give(c->f, sync, c->ids[i], assign(c->f, "orders", i % 4, 1));
    assert_non_null(call_now(c->f, sync, "g"));
}

/* All members in, the first one leads, Stable. */
static crowd *crowd_new(void) {
    crowd *c = ks_alloc(sizeof *c);
    c->f = fixture_new(&(ks_cluster_config){ .brokers = 3, .plain_placement = true });
    ks_topic *topic;
    assert_int_equal(ks_cluster_create_simple_topic(c->f->cluster, "orders", 4, 1, &topic), KAFKA_OK);
    call *joins[MEMBERS];
    for (int32_t i = 0; i < MEMBERS; i++) {
        snprintf(c->names[i], sizeof c->names[i], "c%02d", i);
        joins[i] = join_member(c->f, "g", c->names[i], c->ids[i]);
    }
    run_ms(c->f, 7000);
    c->generation = ((ks_join_group_response *)joins[0]->response->body)->generation_id;
    for (int32_t i = 1; i < MEMBERS; i++) assert_int_equal(sync_now(c, i), -1);
    leader_syncs(c);
    walked(c);
    return c;
}

static void crowd_free(crowd *c) {
    fixture_free(c->f);
    ks_free(c);
}

static void leave(crowd *c, int32_t i) {
    call *sent = call_new(c->f, c->names[i], KS_API_leave_group, 4);
    ks_leave_group_request *request = sent->request->body;
    request->group_id = KS_LITERAL("g");
    request->members.count = 1;
    request->members.items = ks_arena_alloc(sent->request->arena, sizeof *request->members.items);
    ks_struct_default(ks_describe_leave_group_request_member_identity(), request->members.items);
    request->members.items[0].member_id = ks_str(c->ids[i]);
    assert_non_null(call_now(c->f, sent, "g"));
}

static void rejoin(crowd *c, int32_t i) {
    call_now(c->f, join_call(c->f, "g", c->names[i], c->ids[i], NULL, 9), "g");
}

static void an_ordinary_message_meets_no_other_member(void **state) {
    (void)state;
    crowd *c = crowd_new();
    for (int32_t i = 0; i < MEMBERS; i++) {
        assert_int_equal(heartbeat_now(c->f, "g", c->names[i], c->ids[i], c->generation), 0);
        assert_int_equal(commit_now(c->f, "g", c->ids[i], c->generation, "orders", 0, i), 0);
        assert_int_equal(heartbeat_now(c->f, "g", c->names[i], "stranger", c->generation), KAFKA_ERR_UNKNOWN_MEMBER_ID);
    }
    rejoin(c, 5); /* with what it said before: told the generation as it is */
    assert_no_walk(c);
    crowd_free(c);
}

static void a_rebalance_walks_when_a_phase_ends_and_not_at_each_message(void **state) {
    (void)state;
    crowd *c = crowd_new();
    leave(c, 20);
    assert_no_walk(c); /* the rebalance has begun */
    for (int32_t i = 0; i + 1 < MEMBERS; i++) {
        if (i == 20) continue;
        assert_int_equal(heartbeat_now(c->f, "g", c->names[i], c->ids[i], c->generation), KAFKA_ERR_REBALANCE_IN_PROGRESS);
        rejoin(c, i);
    }
    assert_no_walk(c);
    rejoin(c, MEMBERS - 1); /* the last one: all are answered */
    assert_a_phase(c);
    c->generation++;
    for (int32_t i = 1; i < MEMBERS; i++)
        if (i != 20) assert_int_equal(sync_now(c, i), -1);
    assert_no_walk(c);
    leader_syncs(c);
    assert_a_phase(c);
    crowd_free(c);
}

static void one_that_goes_in_the_middle_meets_only_those_who_wait(void **state) {
    (void)state;
    crowd *c = crowd_new();
    assert_int_equal(ks_cluster_group_expire_session(c->f->cluster, KS_LITERAL("g"), ks_str(c->ids[7])), KAFKA_OK);
    assert_no_walk(c);
    for (int32_t i = 0; i < MEMBERS; i++)
        if (i != 7) rejoin(c, i);
    walked(c);
    c->generation++;
    assert_int_equal(sync_now(c, 3), -1);
    leave(c, 9); /* a new rebalance: the one who waited is told so, and nobody else is looked at */
    assert_no_walk(c);
    assert_int_equal(heartbeat_now(c->f, "g", c->names[3], c->ids[3], c->generation), KAFKA_ERR_REBALANCE_IN_PROGRESS);
    crowd_free(c);
}

/* ---- KIP-848: a target is computed over all members once for each epoch, and at no other heartbeat ---- */

static int32_t beat(crowd *c, int32_t i, int32_t epoch) { /* the member's epoch, or minus an error */
    call *sent = call_new(c->f, c->names[i], KS_API_consumer_group_heartbeat, 0);
    ks_consumer_group_heartbeat_request *request = sent->request->body;
    ks_string orders = KS_LITERAL("orders");
    request->group_id = KS_LITERAL("g");
    request->member_id = ks_str(c->ids[i]);
    request->member_epoch = epoch;
    if (epoch == 0) {
        request->rebalance_timeout_ms = 60000;
        request->subscribed_topic_names.items = &orders;
        request->subscribed_topic_names.count = 1;
        request->topic_partitions.count = 0;
    }
    ks_consumer_group_heartbeat_response *response = call_now(c->f, sent, "g");
    assert_non_null(response);
    if (response->error_code != 0) return -response->error_code;
    snprintf(c->ids[i], sizeof c->ids[i], "%.*s", (int)response->member_id.size, response->member_id.data);
    return response->member_epoch;
}

static void a_heartbeat_of_a_modern_member_meets_no_other(void **state) {
    (void)state;
    int32_t epochs[MEMBERS];
    crowd *c = ks_alloc(sizeof *c);
    c->f = fixture_new(&(ks_cluster_config){ .brokers = 3, .plain_placement = true });
    ks_topic *topic;
    assert_int_equal(ks_cluster_create_simple_topic(c->f->cluster, "orders", 4, 1, &topic), KAFKA_OK);
    for (int32_t i = 0; i < MEMBERS; i++) {
        snprintf(c->names[i], sizeof c->names[i], "c%02d", i);
        epochs[i] = beat(c, i, 0);
        assert_true(epochs[i] > 0);
    }
    for (int32_t i = 0; i < MEMBERS; i++) epochs[i] = beat(c, i, epochs[i]); /* up to the present epoch */
    walked(c);
    for (int32_t i = 0; i < MEMBERS; i++) assert_int_equal(beat(c, i, epochs[i]), epochs[i]);
    assert_no_walk(c);
    assert_int_equal(beat(c, 20, -1), -1); /* it leaves: the epoch is bumped, */
    assert_no_walk(c);
    epochs[0] = beat(c, 0, epochs[0]); /* and at the next heartbeat the target is computed, */
    assert_a_phase(c);
    for (int32_t i = 1; i < MEMBERS; i++)
        if (i != 20) epochs[i] = beat(c, i, epochs[i]);
    assert_no_walk(c); /* once for all */
    crowd_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_message_meets_no_other_member),
        cmocka_unit_test(a_rebalance_walks_when_a_phase_ends_and_not_at_each_message),
        cmocka_unit_test(one_that_goes_in_the_middle_meets_only_those_who_wait),
        cmocka_unit_test(a_heartbeat_of_a_modern_member_meets_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
