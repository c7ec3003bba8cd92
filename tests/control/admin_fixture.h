/* SPDX-License-Identifier: Apache-2.0
 *
 * An administrator's desk, and a group "billing" in any state that a group can be in. Topics: orders (3 partitions), returns
 * (1, nobody subscribes to it). Classic members are made by hand by the process "worker", so that their group stays in the
 * state it was brought into; members of the consumer protocol are programs.
 */
#ifndef KS_ADMIN_FIXTURE_H
#define KS_ADMIN_FIXTURE_H

#include "tests/control/consumer_fixture.h"

typedef enum group_state {
    MISSING,
    SIMPLE, /* only offsets */
    EMPTY,
    PREPARING,
    COMPLETING,
    STABLE,
    MODERN_EMPTY,
    MODERN_ASSIGNING,
    MODERN_RECONCILING,
    MODERN_STABLE,
    GROUP_STATES
} group_state;

typedef struct desk {
    stage stage; /* first: what stage_end() is given */
    kafka_address *address, *worker_address;
    kafka_context *ctx, *worker_ctx;
    kafka_client *client, *worker;
    kafka_task *task;
    ksim_rule *lossy; /* what breaks the administrator's connections; NULL: nothing */
    char member[128]; /* id of the first member */
} desk;

#define DESK_SIM(d) ((d)->stage.sim)

#define assert_error(call, expected)                                                                                   \
    do {                                                                                                               \
        kafka_error error_ = (call);                                                                                   \
        if (error_ != (expected))                                                                                      \
            fail_msg("%s gave %s, not %s: %s", #call, kafka_error_name(error_), kafka_error_name(expected),            \
                     kafka_error_detail(d->address));                                                                  \
    } while (0)

static inline kafka_client *open_client(kafka_address *address, kafka_duration timeout) {
    kafka_client *client = NULL;
    assert_int_equal(kafka_client_new(&(kafka_client_config){ .address = address, .timeout = timeout }, &client), KAFKA_OK);
    return client;
}

static inline int desk_begin_with(void **state, const ksim_setting *settings) {
    desk *d = calloc(1, sizeof *d);
    *state = d;
    DESK_SIM(d) = ksim_new(&(ksim_config){ .seed = 7, .settings = settings });
    if (DESK_SIM(d) == NULL) return -1;
    d->address = ksim_client(DESK_SIM(d), "admin");
    d->worker_address = ksim_client(DESK_SIM(d), "worker");
    d->ctx = kafka_background(d->address);
    d->worker_ctx = kafka_context_with_cancel(kafka_background(d->worker_address));
    d->client = open_client(d->address, 0);
    d->worker = open_client(d->worker_address, 0);
    ksim_create_topic(DESK_SIM(d), "orders", 3);
    return ksim_create_topic(DESK_SIM(d), "returns", 1);
}

static inline int desk_begin(void **state) {
    static const ksim_setting settings[] = { { "group.initial.rebalance.delay.ms", "0" }, { NULL, NULL } };
    return desk_begin_with(state, settings);
}

static inline int desk_end(void **state) {
    desk *d = *state;
    ksim_resume(DESK_SIM(d), "c1"); /* which may stand still, or not be there */
    kafka_context_cancel(d->worker_ctx);
    kafka_client_free(d->client);
    kafka_client_free(d->worker);
    ksim_run_for(DESK_SIM(d), 0); /* what waited in a task returns */
    kafka_task_free(d->task);
    kafka_context_free(d->worker_ctx);
    kafka_address_free(d->address);
    kafka_address_free(d->worker_address);
    return stage_end(state);
}

/* ---- classic members by hand ---- */

static const uint8_t subscription_to_orders[] = { 0, 0, 0, 0, 0, 1, 0, 6, 'o', 'r', 'd', 'e', 'r', 's', 0xff, 0xff, 0xff, 0xff };
static const uint8_t all_orders[] = { 0, 0, 0, 0, 0, 1, 0, 6, 'o', 'r', 'd', 'e', 'r', 's', 0, 0, 0, 3,
                                      0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff };

/* Joins "billing" and gives the member id; NULL instance: dynamic. */
static inline void join_by_hand(desk *d, const char *instance, const char *protocol_type, char member[128]) {
    const kafka_named_bytes protocol = { "range", { subscription_to_orders, sizeof subscription_to_orders } };
    kafka_join_group_request join = { .group = "billing",
                                      .group_instance = instance,
                                      .protocol_type = protocol_type,
                                      .session_timeout = 60 * KAFKA_SECOND,
                                      .rebalance_timeout = 300 * KAFKA_SECOND,
                                      .protocols = &protocol,
                                      .protocol_count = 1 };
    for (;;) {
        kafka_joined_group *joined = NULL;
        if (kafka_client_join_group(d->worker, d->worker_ctx, &join, &joined)) return; /* cancelled at the end of the test */
        kafka_error error = joined->error;
        snprintf(member, 128, "%s", joined->member);
        kafka_joined_group_free(joined);
        if (error != KAFKA_ERR_MEMBER_ID_REQUIRED) return;
        join.member = member;
    }
}

static inline void sync_by_hand(desk *d, const char *instance, const char *protocol_type, int32_t generation, const char *member) {
    const kafka_named_bytes share = { member, { all_orders, sizeof all_orders } };
    const kafka_sync_group_request sync = { .member = { "billing", generation, member, instance },
                                            .protocol_type = protocol_type,
                                            .protocol = "range",
                                            .assignments = &share,
                                            .assignment_count = 1 };
    assert_int_equal(kafka_client_sync_group(d->worker, d->worker_ctx, &sync, NULL), KAFKA_OK);
}

static inline void leave_by_hand(desk *d, const char *member) {
    const kafka_member_identity identity = { "billing", 1, member, NULL };
    assert_int_equal(kafka_client_leave_group(d->worker, d->worker_ctx, &identity), KAFKA_OK);
}

static inline void join_in_a_task(void *argument) {
    char member[128];
    join_by_hand(argument, NULL, NULL, member);
}

/* ---- any state ---- */

static inline const char *state_of(desk *d) {
    const ksim_group *group = ksim_group_find(DESK_SIM(d), "billing");
    return group != NULL ? group->state : "Dead";
}

static inline bool has_state(ksim *sim, void *context) {
    const ksim_group *group = ksim_group_find(sim, "billing");
    return group != NULL && strcmp(group->state, context) == 0;
}

static inline void commit_from_outside(desk *d, const char *topic, int32_t partition, int64_t offset) {
    const kafka_group_offset commit = { .topic = topic, .partition = partition, .offset = offset };
    assert_error(kafka_client_alter_consumer_group_offsets(d->client, d->ctx, "billing", &commit, 1, NULL), KAFKA_OK);
}

static inline program *modern_member(desk *d, const char *name) {
    const char *const settings[] = { "group.id=billing", "group.protocol=consumer", "enable.auto.commit=false", NULL };
    program *p = make_program(&d->stage, name, settings);
    start(p, "orders");
    return p;
}

static inline void bring_modern(desk *d, group_state state) {
    ksim *sim = DESK_SIM(d);
    program *one = modern_member(d, "c1"), *two;
    assert_int_equal(ksim_run_until(sim, has_state, "Stable", "stable with one", 0), KAFKA_OK);
    snprintf(d->member, sizeof d->member, "%s", ksim_group_find(sim, "billing")->members[0].id);
    switch ((int)state) {
    case MODERN_EMPTY:
        kafka_context_cancel(one->ctx);
        assert_int_equal(ksim_run_until(sim, has_state, "Empty", "empty", 0), KAFKA_OK);
        break;
    case MODERN_RECONCILING: /* the one that is to give something up stands still */
        ksim_pause(sim, "c1");
        modern_member(d, "c2");
        assert_int_equal(ksim_run_until(sim, has_state, "Reconciling", "reconciling", 0), KAFKA_OK);
        break;
    case MODERN_ASSIGNING: /* somebody left, and who remains stands still and does not ask for a new target */
        two = modern_member(d, "c2");
        ksim_run_for(sim, 20 * KAFKA_SECOND);
        ksim_pause(sim, "c1");
        kafka_context_cancel(two->ctx);
        assert_int_equal(ksim_run_until(sim, has_state, "Assigning", "assigning", 0), KAFKA_OK);
        break;
    }
}

static inline void bring(desk *d, group_state state) {
    if (state == MISSING) return;
    commit_from_outside(d, "orders", 0, 1);
    commit_from_outside(d, "returns", 0, 1);
    if (state == SIMPLE) return;
    if (state >= MODERN_EMPTY) {
        bring_modern(d, state);
        return;
    }
    join_by_hand(d, NULL, NULL, d->member);
    if (state == COMPLETING) return;
    sync_by_hand(d, NULL, NULL, 1, d->member);
    if (state == EMPTY) leave_by_hand(d, d->member);
    if (state != PREPARING) return;
    d->task = kafka_go(d->worker_ctx, "second member", join_in_a_task, d);
    assert_int_equal(ksim_run_until(DESK_SIM(d), has_state, "PreparingRebalance", "preparing", 0), KAFKA_OK);
}

#define DESK(function) cmocka_unit_test_setup_teardown(function, desk_begin, desk_end)

#endif
