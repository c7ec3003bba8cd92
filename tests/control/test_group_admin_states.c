/* SPDX-License-Identifier: Apache-2.0
 * Every call of group_admin.h about a group in every state, of both protocols, with the code that Kafka has for it. */
#include "tests/control/admin_fixture.h"

#define OK KAFKA_OK
#define NOT_THERE KAFKA_ERR_GROUP_ID_NOT_FOUND
#define STRANGER KAFKA_ERR_UNKNOWN_MEMBER_ID
#define IN_USE KAFKA_ERR_NON_EMPTY_GROUP
#define SUBSCRIBED KAFKA_ERR_GROUP_SUBSCRIBED_TO_TOPIC

typedef struct row {
    const char *state, *type;
    kafka_error describe, alter, reset, plan, delete_subscribed, delete_other, delete_group, remove_one, remove_all, lag;
} row;

static const row rows[GROUP_STATES] = {
    [MISSING] = { "Dead", "", NOT_THERE, OK, OK, OK, NOT_THERE, NOT_THERE, NOT_THERE, STRANGER, NOT_THERE, NOT_THERE },
    [SIMPLE] = { "Empty", "classic", OK, OK, OK, OK, OK, OK, OK, STRANGER, OK, OK },
    [EMPTY] = { "Empty", "classic", OK, OK, OK, OK, OK, OK, OK, STRANGER, OK, OK },
    [PREPARING] = { "PreparingRebalance", "classic", OK, STRANGER, STRANGER, STRANGER, SUBSCRIBED, OK, IN_USE, OK, OK, OK },
    [COMPLETING] = { "CompletingRebalance", "classic", OK, STRANGER, STRANGER, STRANGER, SUBSCRIBED, OK, IN_USE, OK, OK, OK },
    [STABLE] = { "Stable", "classic", OK, STRANGER, STRANGER, STRANGER, SUBSCRIBED, OK, IN_USE, OK, OK, OK },
    [MODERN_EMPTY] = { "Empty", "consumer", OK, OK, OK, OK, OK, OK, OK, STRANGER, OK, OK },
    [MODERN_ASSIGNING] = { "Assigning", "consumer", OK, STRANGER, STRANGER, STRANGER, SUBSCRIBED, OK, IN_USE, OK, OK, OK },
    [MODERN_RECONCILING] = { "Reconciling", "consumer", OK, STRANGER, STRANGER, STRANGER, SUBSCRIBED, OK, IN_USE, OK, OK, OK },
    [MODERN_STABLE] = { "Stable", "consumer", OK, STRANGER, STRANGER, STRANGER, SUBSCRIBED, OK, IN_USE, OK, OK, OK },
};

static const char *const group = "billing";
static const kafka_topic_partition subscribed = { "orders", 0 }, other = { "returns", 0 };

/* ---- the calls ---- */

static kafka_error describe(desk *d) { return kafka_client_describe_consumer_groups(d->client, d->ctx, &group, 1, NULL); }

static kafka_error alter(desk *d) {
    const kafka_group_offset offset = { .topic = "orders", .partition = 1, .offset = 9 };
    return kafka_client_alter_consumer_group_offsets(d->client, d->ctx, group, &offset, 1, NULL);
}

static kafka_error reset_to(desk *d, bool dry_run) {
    const kafka_reset_request request = {
        .group = group, .partitions = &subscribed, .count = 1, .to = KAFKA_RESET_TO_EARLIEST, .dry_run = dry_run
    };
    return kafka_client_reset_consumer_group_offsets(d->client, d->ctx, &request, NULL);
}
static kafka_error reset(desk *d) { return reset_to(d, false); }
static kafka_error plan(desk *d) { return reset_to(d, true); }

static kafka_error delete_subscribed(desk *d) {
    return kafka_client_delete_consumer_group_offsets(d->client, d->ctx, group, &subscribed, 1, NULL);
}
static kafka_error delete_other(desk *d) {
    return kafka_client_delete_consumer_group_offsets(d->client, d->ctx, group, &other, 1, NULL);
}
static kafka_error delete_group(desk *d) {
    return kafka_client_delete_consumer_groups(d->client, d->ctx, &group, 1, NULL);
}
static kafka_error remove_one(desk *d) {
    const kafka_member_to_remove member = { .member = d->member[0] ? d->member : "nobody" };
    return kafka_client_remove_group_members(d->client, d->ctx, group, &member, 1, NULL, NULL);
}
static kafka_error remove_all(desk *d) {
    return kafka_client_remove_group_members(d->client, d->ctx, group, NULL, 0, NULL, NULL);
}
static kafka_error lag(desk *d) { return kafka_client_consumer_group_lag(d->client, d->ctx, group, NULL); }

static int64_t committed(desk *d, const char *topic, int32_t partition) {
    return ksim_committed_offset(DESK_SIM(d), group, topic, partition);
}

/* ---- one call about a new group in each state ---- */

static void expect(group_state state, const char *name, kafka_error (*call)(desk *), kafka_error expected,
                   void (*check)(desk *, group_state)) {
    void *holder;
    assert_int_equal(desk_begin(&holder), 0);
    desk *d = holder;
    bring(d, state);
    if (strcmp(state_of(d), rows[state].state) != 0) fail_msg("it is %s, not %s", state_of(d), rows[state].state);
    kafka_error error = call(d);
    if (error != expected)
        fail_msg("%s of a group that is %s (%s): %s, not %s; %s", name, rows[state].state, rows[state].type,
                 kafka_error_name(error), kafka_error_name(expected), kafka_error_detail(d->address));
    if (check != NULL) check(d, state);
    desk_end(&holder);
}

#define EACH_STATE(field, check)                                                                                       \
    for (int state_ = 0; state_ < GROUP_STATES; state_++) expect((group_state)state_, #field, field, rows[state_].field, check)

static void its_state_and_kind_are_told(desk *d, group_state state) {
    kafka_described_groups *described;
    assert_error(kafka_client_describe_consumer_groups(d->client, d->ctx, &group, 1, &described), KAFKA_OK);
    assert_int_equal(described->count, 1);
    assert_int_equal(described->items[0].error, rows[state].describe);
    assert_string_equal(described->items[0].state, rows[state].state);
    assert_string_equal(described->items[0].type, rows[state].type);
    if (state != MISSING) assert_int_equal(described->items[0].coordinator, ksim_group_find(DESK_SIM(d), group)->coordinator);
    kafka_described_groups_free(described);
    const char *const state_filter = rows[state].state, *const type_filter = rows[state].type;
    const kafka_list_groups_options options = { &state_filter, 1, &type_filter, 1 };
    kafka_listed_groups *listed;
    if (state == MISSING) return; /* there is no type to ask for */
    assert_error(kafka_client_list_consumer_groups(d->client, d->ctx, &options, &listed), KAFKA_OK);
    if (listed->count != 1) fail_msg("%zu groups are %s and %s; now it is %s", listed->count, state_filter, type_filter, state_of(d));
    assert_string_equal(listed->items[0].group, group);
    assert_string_equal(listed->items[0].state, rows[state].state);
    assert_string_equal(listed->items[0].type, rows[state].type);
    kafka_listed_groups_free(listed);
}

static void describing(void **unused) { EACH_STATE(describe, its_state_and_kind_are_told); }

static void altered_or_not(desk *d, group_state state) {
    assert_i64_equal(committed(d, "orders", 1), rows[state].alter == KAFKA_OK ? 9 : -1);
}
static void altering_offsets(void **unused) { EACH_STATE(alter, altered_or_not); }

static void reset_or_not(desk *d, group_state state) {
    assert_i64_equal(committed(d, "orders", 0), rows[state].reset == KAFKA_OK ? 0 : 1);
    if (rows[state].reset) assert_non_null(strstr(kafka_error_detail(d->address), rows[state].state));
}
static void resetting_offsets(void **unused) { EACH_STATE(reset, reset_or_not); }

static void nothing_happened(desk *d, group_state state) {
    assert_i64_equal(committed(d, "orders", 0), state == MISSING ? -1 : 1);
    if (state == MISSING) assert_null(ksim_group_find(DESK_SIM(d), group));
}
static void planning_a_reset(void **unused) { EACH_STATE(plan, nothing_happened); }

static void kept_or_not(desk *d, group_state state) {
    assert_i64_equal(committed(d, "orders", 0), rows[state].delete_subscribed == SUBSCRIBED ? 1 : -1);
}
static void other_is_gone(desk *d, group_state state) { assert_i64_equal(committed(d, "returns", 0), -1); }
static void deleting_offsets(void **unused) {
    EACH_STATE(delete_subscribed, kept_or_not);
    EACH_STATE(delete_other, other_is_gone);
}

static void gone_or_not(desk *d, group_state state) {
    bool gone = rows[state].delete_group != IN_USE;
    assert_int_equal(ksim_group_find(DESK_SIM(d), group) == NULL, gone);
}
static void deleting_the_group(void **unused) { EACH_STATE(delete_group, gone_or_not); }

static void it_is_out(desk *d, group_state state) {
    if (rows[state].remove_one != KAFKA_OK) return;
    const ksim_group *seen = ksim_group_find(DESK_SIM(d), group);
    for (size_t i = 0; i < seen->member_count; i++) assert_string_not_equal(seen->members[i].id, d->member);
}
static void all_are_out(desk *d, group_state state) {
    if (state != MISSING) assert_string_equal(state_of(d), "Empty");
}
static void removing_members(void **unused) {
    EACH_STATE(remove_one, it_is_out);
    EACH_STATE(remove_all, all_are_out);
}

static void the_lag(void **unused) { EACH_STATE(lag, NULL); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(describing),       cmocka_unit_test(altering_offsets),   cmocka_unit_test(resetting_offsets),
        cmocka_unit_test(planning_a_reset), cmocka_unit_test(deleting_offsets),   cmocka_unit_test(deleting_the_group),
        cmocka_unit_test(removing_members), cmocka_unit_test(the_lag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
