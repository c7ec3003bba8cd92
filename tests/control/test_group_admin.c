/* SPDX-License-Identifier: Apache-2.0
 * What the administrator's calls tell of groups, whom they remove, and how they ask again while coordinators move. */
#include "tests/control/admin_fixture.h"

#define SIM DESK_SIM(d)

static const char *const billing = "billing";

static kafka_described_groups *describe(desk *d, const char *const *groups, size_t count) {
    kafka_described_groups *described = NULL;
    assert_error(kafka_client_describe_consumer_groups(d->client, d->ctx, groups, count, &described), KAFKA_OK);
    assert_int_equal(described->count, count);
    return described;
}

/* "orders[0,1] returns[0]" */
static void expect_partitions(const kafka_topic_partitions *topics, size_t count, const char *expected) {
    char text[256] = "";
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s[", i ? " " : "", topics[i].topic);
        for (size_t p = 0; p < topics[i].partition_count; p++)
            size += (size_t)snprintf(text + size, sizeof text - size, "%s%d", p ? "," : "", topics[i].partitions[p]);
        size += (size_t)snprintf(text + size, sizeof text - size, "]");
    }
    assert_string_equal(text, expected);
}

/* ---- describe ---- */

static void a_classic_member_is_described_whole(void **state) {
    desk *d = *state;
    join_by_hand(d, "till-1", NULL, d->member);
    sync_by_hand(d, "till-1", NULL, 1, d->member);
    kafka_described_groups *described = describe(d, &billing, 1);
    const kafka_described_group *group = &described->items[0];
    assert_string_equal(group->protocol_type, "consumer");
    assert_string_equal(group->protocol, "range");
    assert_int_equal(group->group_epoch, -1);
    assert_int_equal(group->member_count, 1);
    const kafka_described_member *member = &group->members[0];
    assert_string_equal(member->member, d->member);
    assert_string_equal(member->group_instance, "till-1");
    assert_non_null(strstr(member->client, "worker"));
    assert_string_equal(member->host, "/worker");
    assert_int_equal(member->topic_count, 1);
    assert_string_equal(member->topics[0], "orders");
    expect_partitions(member->assignment, member->assignment_count, "orders[0,1,2]");
    assert_int_equal(member->target_count, 0);
    assert_int_equal(member->epoch, -1);
    kafka_described_groups_free(described);
}

static void a_modern_member_is_described_with_epochs_and_target(void **state) {
    desk *d = *state;
    bring(d, MODERN_RECONCILING);
    kafka_described_groups *described = describe(d, &billing, 1);
    const kafka_described_group *group = &described->items[0];
    assert_string_equal(group->protocol, "uniform");
    assert_int_equal(group->group_epoch, group->assignment_epoch);
    assert_true(group->group_epoch > 1);
    assert_int_equal(group->member_count, 2);
    for (size_t i = 0; i < 2; i++) { /* by member id */
        const kafka_described_member *member = &group->members[i];
        bool first = strcmp(member->member, d->member) == 0;
        assert_string_equal(member->host, first ? "/c1" : "/c2");
        assert_string_equal(member->topics[0], "orders");
        assert_null(member->rack);
        assert_null(member->group_instance);
        assert_false(member->classic);
        expect_partitions(member->assignment, member->assignment_count, first ? "orders[0,1,2]" : "");
        expect_partitions(member->target, member->target_count, first ? "orders[0,1]" : "orders[2]");
        assert_true(first ? member->epoch < group->group_epoch : member->epoch == group->group_epoch);
    }
    kafka_described_groups_free(described);
}

/* KIP-848's online migration: a classic member in a group of the consumer protocol. */
static program *classic_member(desk *d, const char *name) {
    const char *const settings[] = { "group.id=billing", "partition.assignment.strategy=cooperative-sticky",
                                     "group.instance.id=old", NULL };
    program *p = make_program(&d->stage, name, settings);
    start(p, "orders");
    return p;
}

static void a_classic_member_of_a_modern_group_is_marked(void **state) {
    desk *d = *state;
    modern_member(d, "c1");
    ksim_run_until(SIM, has_state, "Stable", "stable", 0);
    classic_member(d, "c2");
    run_for(&d->stage, 30 * KAFKA_SECOND);
    kafka_described_groups *described = describe(d, &billing, 1);
    assert_string_equal(described->items[0].type, "consumer");
    assert_int_equal(described->items[0].member_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const kafka_described_member *member = &described->items[0].members[i];
        assert_int_equal(member->classic, strcmp(member->host, "/c2") == 0);
    }
    kafka_described_groups_free(described);
}

static void when_the_last_modern_member_is_removed_the_group_is_classic_again(void **state) {
    desk *d = *state;
    program *removed = modern_member(d, "c1");
    ksim_run_until(SIM, has_state, "Stable", "stable", 0);
    snprintf(d->member, sizeof d->member, "%s", ksim_group_find(SIM, billing)->members[0].id);
    program *classic = classic_member(d, "c2");
    run_for(&d->stage, 30 * KAFKA_SECOND);
    ksim_pause(SIM, "c1");
    const kafka_member_to_remove modern = { .member = d->member };
    assert_error(kafka_client_remove_group_members(d->client, d->ctx, billing, &modern, 1, NULL, NULL), KAFKA_OK);
    run_for(&d->stage, 20 * KAFKA_SECOND);
    kafka_described_groups *described = describe(d, &billing, 1);
    assert_string_equal(described->items[0].type, "classic");
    assert_string_equal(described->items[0].state, "Stable");
    assert_int_equal(described->items[0].member_count, 1);
    expect_partitions(described->items[0].members[0].assignment, described->items[0].members[0].assignment_count, "orders[0,1,2]");
    kafka_described_groups_free(described);
    assert_int_equal(classic->last_error, KAFKA_OK);
    ksim_resume(SIM, "c1"); /* it asks for a group of its own protocol, and there is none: for good, as in Java */
    run_for(&d->stage, 30 * KAFKA_SECOND);
    assert_int_equal(removed->last_error, KAFKA_ERR_GROUP_ID_NOT_FOUND);
}

/* By id and by instance, twice the same, and of both protocols in one request. */
static void a_batch_removes_members_of_both_protocols_each_once(void **state) {
    desk *d = *state;
    modern_member(d, "c1");
    ksim_run_until(SIM, has_state, "Stable", "stable", 0);
    snprintf(d->member, sizeof d->member, "%s", ksim_group_find(SIM, billing)->members[0].id);
    classic_member(d, "c2");
    modern_member(d, "c3");
    run_for(&d->stage, 40 * KAFKA_SECOND);
    const int32_t epoch = ksim_group_find(SIM, billing)->generation;
    const char *const names[] = { "c1", "c2", "c3" };
    for (int i = 0; i < 3; i++) ksim_pause(SIM, names[i]);
    const kafka_member_to_remove batch[] = { { .member = "nobody" },          { .group_instance = "old" }, { .group_instance = "old" },
                                             { .member = d->member },         { .member = d->member },
                                             { .member = d->member, .group_instance = "old" } };
    const kafka_error expected[] = { KAFKA_ERR_UNKNOWN_MEMBER_ID, KAFKA_OK, KAFKA_ERR_UNKNOWN_MEMBER_ID,
                                     KAFKA_OK,                    KAFKA_ERR_UNKNOWN_MEMBER_ID, KAFKA_ERR_UNKNOWN_MEMBER_ID };
    kafka_removed_members *removed;
    assert_error(kafka_client_remove_group_members(d->client, d->ctx, billing, batch, 6, NULL, &removed), KAFKA_OK);
    assert_int_equal(removed->count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(removed->items[i].error, expected[i]);
        assert_string_equal(removed->items[i].member, batch[i].member != NULL ? batch[i].member : ""); /* as it was asked */
    }
    kafka_removed_members_free(removed);
    const ksim_group *group = ksim_group_find(SIM, billing);
    assert_int_equal(group->member_count, 1);
    assert_string_equal(group->members[0].client, "c3");
    assert_int_equal(group->generation, epoch + 1); /* one rebalance for the whole batch */
    for (int i = 0; i < 3; i++) ksim_resume(SIM, names[i]);
}

static void groups_are_described_in_the_order_asked(void **state) {
    desk *d = *state;
    bring(d, STABLE);
    const kafka_group_offset offset = { .topic = "orders", .partition = 0, .offset = 1 };
    assert_error(kafka_client_alter_consumer_group_offsets(d->client, d->ctx, "audit", &offset, 1, NULL), KAFKA_OK);
    const char *const groups[] = { "nobody", "billing", "audit", "nobody" };
    const char *const states[] = { "Dead", "Stable", "Empty", "Dead" };
    kafka_described_groups *described = describe(d, groups, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(described->items[i].group, groups[i]);
        assert_string_equal(described->items[i].state, states[i]);
        assert_int_equal(described->items[i].error, i == 0 || i == 3 ? KAFKA_ERR_GROUP_ID_NOT_FOUND : KAFKA_OK);
    }
    kafka_described_groups_free(described);
}

static void a_group_of_another_system_is_no_consumer_group(void **state) {
    desk *d = *state;
    join_by_hand(d, NULL, "connect", d->member);
    sync_by_hand(d, NULL, "connect", 1, d->member);
    kafka_described_groups *described = describe(d, &billing, 1);
    assert_int_equal(described->items[0].error, KAFKA_ERR_INVALID_ARGUMENT);
    assert_string_equal(described->items[0].protocol_type, "connect");
    kafka_described_groups_free(described);
    kafka_listed_groups *listed;
    assert_error(kafka_client_list_consumer_groups(d->client, d->ctx, NULL, &listed), KAFKA_OK);
    assert_int_equal(listed->count, 0);
    kafka_listed_groups_free(listed);
    assert_error(kafka_client_list_groups(d->client, d->ctx, &listed), KAFKA_OK); /* kafka-go asks for any */
    assert_int_equal(listed->count, 1);
    kafka_listed_groups_free(listed);
    const kafka_topic_partition partition = { "orders", 0 };
    assert_error(kafka_client_delete_consumer_group_offsets(d->client, d->ctx, billing, &partition, 1, NULL), KAFKA_ERR_NON_EMPTY_GROUP);
}

/* ---- list ---- */

static void expect_listed(desk *d, const char *state, const char *type, const char *expected) {
    const kafka_list_groups_options options = { &state, state != NULL, &type, type != NULL };
    kafka_listed_groups *listed;
    char text[256] = "";
    size_t size = 0;
    assert_error(kafka_client_list_consumer_groups(d->client, d->ctx, &options, &listed), KAFKA_OK);
    assert_int_equal(listed->error, KAFKA_OK);
    for (int round = 0; round < 2; round++) /* by name, not by broker */
        for (size_t i = 0; i < listed->count; i++)
            if ((strcmp(listed->items[i].group, "audit") == 0) == (round == 0))
                size += (size_t)snprintf(text + size, sizeof text - size, "%s%s", size ? " " : "", listed->items[i].group);
    assert_string_equal(text, expected);
    kafka_listed_groups_free(listed);
}

static void groups_are_listed_by_state_and_type(void **state) {
    desk *d = *state;
    expect_listed(d, NULL, NULL, "");
    bring(d, MODERN_STABLE);
    const kafka_group_offset offset = { .topic = "orders", .partition = 0, .offset = 1 };
    assert_error(kafka_client_alter_consumer_group_offsets(d->client, d->ctx, "audit", &offset, 1, NULL), KAFKA_OK);
    expect_listed(d, NULL, NULL, "audit billing");
    expect_listed(d, "Stable", NULL, "billing");
    expect_listed(d, "empty", NULL, "audit");
    expect_listed(d, "Reconciling", NULL, "");
    expect_listed(d, NULL, "classic", "audit");
    expect_listed(d, NULL, "Consumer", "billing");
    expect_listed(d, "Empty", "consumer", "");
    const char *const wrong = "Sable";
    const kafka_list_groups_options state_wrong = { &wrong, 1, NULL, 0 }, type_wrong = { NULL, 0, &wrong, 1 }, none = { NULL, 1, NULL, 0 };
    assert_error(kafka_client_list_consumer_groups(d->client, d->ctx, &state_wrong, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(kafka_error_detail(d->address), "Reconciling"));
    assert_error(kafka_client_list_consumer_groups(d->client, d->ctx, &type_wrong, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(kafka_error_detail(d->address), "classic"));
    assert_error(kafka_client_list_consumer_groups(d->client, d->ctx, &none, NULL), KAFKA_ERR_INVALID_ARGUMENT);
}

/* ---- lag ---- */

static void expect_lag(desk *d, const char *expected, int64_t total) {
    kafka_group_lag *lag;
    char text[512] = "";
    size_t size = 0;
    assert_error(kafka_client_consumer_group_lag(d->client, d->ctx, billing, &lag), KAFKA_OK);
    assert_int_equal(lag->error, KAFKA_OK);
    for (size_t i = 0; i < lag->count; i++) {
        const kafka_partition_lag *item = &lag->items[i];
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s[%d] %lld/%lld ", i ? ", " : "", item->topic, item->partition,
                                 (long long)item->committed, (long long)item->end);
        if (item->unknown) {
            size += (size_t)snprintf(text + size, sizeof text - size, "-");
            assert_i64_equal(item->lag, -1);
        } else {
            size += (size_t)snprintf(text + size, sizeof text - size, "%lld", (long long)item->lag);
        }
        if (item->error) size += (size_t)snprintf(text + size, sizeof text - size, " %s", kafka_error_name(item->error));
        if (item->host != NULL) size += (size_t)snprintf(text + size, sizeof text - size, " %s", item->host);
        assert_int_equal(item->host != NULL, item->member != NULL);
        assert_int_equal(item->client != NULL, item->member != NULL);
    }
    if (strcmp(text, expected) != 0) fail_msg("the lag is\n  %s\nnot\n  %s", text, expected);
    assert_i64_equal(lag->total, total);
    kafka_group_lag_free(lag);
}

static void lag_is_told_with_owners_and_without(void **state) {
    desk *d = *state;
    put_numbers(&d->stage, "orders", 3, 9);
    commit_from_outside(d, "returns", 0, 5); /* beyond the end */
    expect_lag(d, "returns[0] 5/0 -5", 0);
    const char *const settings[] = { "group.id=billing", "auto.offset.reset=earliest", "enable.auto.commit=false", NULL };
    program *one = make_program(&d->stage, "c1", settings), *two = make_program(&d->stage, "c2", settings);
    commit_from_outside(d, "orders", 0, 1);
    start(one, "orders");
    start(two, "orders");
    assert_ksim_ok(SIM, ksim_run_until_group_stable(SIM, billing));
    expect_lag(d, "orders[0] 1/3 2 /c1, orders[1] -1/3 - /c1, orders[2] -1/3 - /c2, returns[0] 5/0 -5", 2);
    ksim_stop_broker(SIM, ksim_partition_find(SIM, "orders", 0)->leader);
    run_for(&d->stage, 20 * KAFKA_SECOND);
    expect_lag(d, "orders[0] 1/3 2 /c1, orders[1] -1/3 - /c1, orders[2] -1/3 - /c2, returns[0] 5/0 -5", 2);
}

static void lag_on_a_topic_that_vanishes_is_unknown(void **state) {
    desk *d = *state;
    const char *const orders = "orders";
    bring(d, STABLE);
    assert_error(kafka_client_delete_topics(d->client, d->ctx, &orders, 1, NULL), KAFKA_OK);
    expect_lag(d, "orders[0] -1/-1 - UNKNOWN_TOPIC_OR_PARTITION /worker, orders[1] -1/-1 - UNKNOWN_TOPIC_OR_PARTITION /worker, "
                  "orders[2] -1/-1 - UNKNOWN_TOPIC_OR_PARTITION /worker, returns[0] 1/0 -1", 0);
    kafka_group_lag *lag;
    assert_error(kafka_client_consumer_group_lag(d->client, d->ctx, "nobody", &lag), KAFKA_OK);
    assert_int_equal(lag->error, KAFKA_ERR_GROUP_ID_NOT_FOUND);
    assert_string_equal(lag->state, "Dead");
    assert_int_equal(lag->count, 0);
    kafka_group_lag_free(lag);
}

/* ---- offsets ---- */

static void offsets_are_altered_read_and_deleted_partition_by_partition(void **state) {
    desk *d = *state;
    char long_words[5000];
    memset(long_words, 'x', sizeof long_words - 1);
    long_words[sizeof long_words - 1] = 0;
    const kafka_group_offset offsets[] = { { .topic = "orders", .partition = 2, .offset = 7, .metadata = "by hand" },
                                           { .topic = "orders", .partition = 3, .offset = 7 },
                                           { .topic = "nothing", .partition = 0, .offset = 7 },
                                           { .topic = "orders", .partition = 0, .offset = 7, .metadata = long_words } };
    kafka_group_offsets *results;
    assert_error(kafka_client_alter_consumer_group_offsets(d->client, d->ctx, billing, offsets, 4, &results), KAFKA_OK);
    assert_int_equal(results->error, KAFKA_OK);
    assert_int_equal(results->count, 4);
    for (size_t i = 0; i < 4; i++) {
        const kafka_group_offset *item = &results->items[i];
        kafka_error expected = strcmp(item->topic, "nothing") == 0 || item->partition == 3 ? KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION
                               : item->partition == 0                                      ? KAFKA_ERR_OFFSET_METADATA_TOO_LARGE
                                                                                           : KAFKA_OK;
        assert_int_equal(item->error, expected);
    }
    kafka_group_offsets_free(results);
    assert_error(kafka_client_list_consumer_group_offsets(d->client, d->ctx, billing, NULL, 0, &results), KAFKA_OK);
    assert_int_equal(results->count, 1);
    assert_i64_equal(results->items[0].offset, 7);
    assert_string_equal(results->items[0].metadata, "by hand");
    kafka_group_offsets_free(results);
    const kafka_topic_partition some[] = { { "orders", 2 }, { "orders", 1 }, { "nothing", 0 } };
    assert_error(kafka_client_list_consumer_group_offsets(d->client, d->ctx, billing, some, 3, &results), KAFKA_OK);
    assert_int_equal(results->count, 3);
    assert_i64_equal(results->items[0].offset, 7);
    assert_i64_equal(results->items[1].offset, -1);
    kafka_group_offsets_free(results);
    assert_error(kafka_client_delete_consumer_group_offsets(d->client, d->ctx, billing, some, 3, &results), KAFKA_OK);
    assert_int_equal(results->error, KAFKA_OK);
    assert_int_equal(results->items[0].error, KAFKA_OK);
    assert_int_equal(results->items[1].error, KAFKA_OK);
    assert_int_equal(results->items[2].error, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    kafka_group_offsets_free(results);
    assert_i64_equal(ksim_committed_offset(SIM, billing, "orders", 2), -1);
}

static void the_empty_group_id_is_a_group_for_offsets_alone(void **state) {
    desk *d = *state;
    const kafka_group_offset offset = { .topic = "orders", .partition = 0, .offset = 7 };
    const kafka_topic_partition partition = { "orders", 0 };
    const char *const nameless = "";
    assert_error(kafka_client_alter_consumer_group_offsets(d->client, d->ctx, "", &offset, 1, NULL), KAFKA_OK);
    assert_i64_equal(ksim_committed_offset(SIM, "", "orders", 0), 7);
    assert_error(kafka_client_consumer_group_lag(d->client, d->ctx, "", NULL), KAFKA_OK);
    assert_error(kafka_client_delete_consumer_group_offsets(d->client, d->ctx, "", &partition, 1, NULL), KAFKA_ERR_INVALID_GROUP_ID);
    const kafka_member_to_remove member = { .member = "somebody" };
    assert_error(kafka_client_remove_group_members(d->client, d->ctx, "", &member, 1, NULL, NULL), KAFKA_ERR_INVALID_GROUP_ID);
    assert_error(kafka_client_delete_consumer_groups(d->client, d->ctx, &nameless, 1, NULL), KAFKA_OK);
    assert_null(ksim_group_find(SIM, ""));
}

/* ---- members ---- */

static void members_are_removed_by_id_by_instance_and_with_a_reason(void **state) {
    desk *d = *state;
    join_by_hand(d, "till-1", NULL, d->member);
    sync_by_hand(d, "till-1", NULL, 1, d->member);
    const kafka_member_to_remove wrong[] = { { .member = "nobody" },
                                             { .group_instance = "till-2" },
                                             { .member = "nobody", .group_instance = "till-1" },
                                             { .group_instance = "till-1" },
                                             { .member = d->member } };
    const kafka_error expected[] = { KAFKA_ERR_UNKNOWN_MEMBER_ID, KAFKA_ERR_UNKNOWN_MEMBER_ID, KAFKA_ERR_FENCED_INSTANCE_ID, KAFKA_OK,
                                     KAFKA_ERR_UNKNOWN_MEMBER_ID };
    kafka_removed_members *removed;
    assert_error(kafka_client_remove_group_members(d->client, d->ctx, billing, wrong, 5, "the till is broken", &removed), KAFKA_OK);
    assert_int_equal(removed->count, 5);
    for (size_t i = 0; i < 5; i++) assert_int_equal(removed->items[i].error, expected[i]);
    kafka_removed_members_free(removed);
    assert_string_equal(state_of(d), "Empty");
    const char *steps = ksim_last_steps(SIM, 0);
    assert_non_null(strstr(steps, "the till is broken"));
}

static void of_a_group_that_is_not_there_nobody_is_a_member(void **state) {
    desk *d = *state;
    const kafka_member_to_remove nobody = { .member = "nobody", .group_instance = "till-1" };
    kafka_removed_members *removed;
    assert_error(kafka_client_remove_group_members(d->client, d->ctx, billing, &nobody, 1, NULL, &removed), KAFKA_OK);
    assert_int_equal(removed->error, KAFKA_OK);
    assert_int_equal(removed->count, 1);
    assert_string_equal(removed->items[0].member, "nobody");
    assert_string_equal(removed->items[0].group_instance, "till-1");
    assert_int_equal(removed->items[0].error, KAFKA_ERR_UNKNOWN_MEMBER_ID);
    kafka_removed_members_free(removed);
    assert_error(kafka_client_remove_group_members(d->client, d->ctx, billing, NULL, 0, NULL, &removed), KAFKA_OK);
    assert_int_equal(removed->error, KAFKA_ERR_GROUP_ID_NOT_FOUND);
    assert_int_equal(removed->count, 0);
    kafka_removed_members_free(removed);
}

static ksim_decision keep_reason(void *context, const ksim_request *request) {
    kafka_bytes reason = { NULL, 0 };
    ksim_request_bytes(request, "Members[0].Reason", &reason);
    snprintf(context, 600, "%.*s", (int)reason.size, (const char *)reason.data);
    return (ksim_decision){ KSIM_COUNT, KAFKA_OK, 0 };
}

static void a_long_reason_is_cut_between_characters(void **state) {
    desk *d = *state;
    char reason[600], told[600] = "";
    for (size_t i = 0; i < 130; i++) memcpy(reason + 1 + 2 * i, "\xc3\xa9", 3); /* an odd start: byte 255 lies inside a character */
    reason[0] = 'x';
    join_by_hand(d, NULL, NULL, d->member);
    ksim_rule_add(SIM, &(ksim_rule_config){ .api = "LeaveGroup", .decide = keep_reason, .context = told });
    assert_error(kafka_client_remove_group_members(d->client, d->ctx, billing, NULL, 0, reason, NULL), KAFKA_OK);
    assert_int_equal(strlen(told), 255);
    assert_memory_equal(told, reason, 255);
    join_by_hand(d, NULL, NULL, d->member);
    assert_error(kafka_client_remove_group_members(d->client, d->ctx, billing, NULL, 0, reason + 1, NULL), KAFKA_OK);
    assert_int_equal(strlen(told), 254);
    join_by_hand(d, NULL, NULL, d->member);
    assert_error(kafka_client_remove_group_members(d->client, d->ctx, billing, NULL, 0, "", NULL), KAFKA_OK);
    assert_string_equal(told, "member was removed by an admin");
}

static void a_living_member_that_is_removed_joins_again(void **unused) {
    static const char *const modes[] = { "group.protocol=classic", "group.protocol=consumer" };
    for (int i = 0; i < 2; i++) {
        void *holder;
        assert_int_equal(desk_begin(&holder), 0);
        desk *d = holder;
        const char *const settings[] = { "group.id=billing", modes[i], NULL };
        program *p = make_program(&d->stage, "c1", settings);
        start(p, "orders");
        assert_ksim_ok(SIM, ksim_run_until_group_stable(SIM, billing));
        int32_t generation = ksim_group_find(SIM, billing)->generation;
        assert_error(kafka_client_remove_group_members(d->client, d->ctx, billing, NULL, 0, NULL, NULL), KAFKA_OK);
        run_for(&d->stage, 10 * KAFKA_SECOND);
        assert_group_assignment(SIM, billing, "c1=orders[0,1,2]");
        assert_true(ksim_group_find(SIM, billing)->generation > generation);
        assert_non_null(strstr(p->log, "lost orders-0 orders-1 orders-2"));
        desk_end(&holder);
    }
}

/* ---- asking again ---- */

static ksim_rule *answer(desk *d, const char *api, kafka_error error, uint64_t times) {
    return ksim_rule_add(SIM, &(ksim_rule_config){ .client = "admin", .api = api, .first = times,
                                                   .action = KSIM_ANSWER_ERROR, .error = error });
}

static kafka_error alter(desk *d, kafka_client *client, kafka_context *ctx) {
    const kafka_group_offset offset = { .topic = "orders", .partition = 1, .offset = 9 };
    return kafka_client_alter_consumer_group_offsets(client, ctx, billing, &offset, 1, NULL);
}

static kafka_duration since;
static void begin(desk *d) { since = ksim_elapsed(SIM); }
static int64_t took_ms(desk *d) { return (ksim_elapsed(SIM) - since) / KAFKA_MILLISECOND; }

static void it_asks_again_with_growing_pauses(void **state) {
    desk *d = *state;
    static const kafka_error codes[] = { KAFKA_ERR_NOT_COORDINATOR, KAFKA_ERR_COORDINATOR_NOT_AVAILABLE,
                                         KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS, KAFKA_ERR_REBALANCE_IN_PROGRESS };
    assert_error(alter(d, d->client, d->ctx), KAFKA_OK); /* connections and layout are there now */
    for (size_t i = 0; i < 4; i++) {
        ksim_rule *searches = ksim_rule_add(SIM, &(ksim_rule_config){ .client = "admin", .api = "FindCoordinator" });
        ksim_rule *rule = answer(d, "OffsetCommit", codes[i], 5);
        begin(d);
        assert_error(alter(d, d->client, d->ctx), KAFKA_OK);
        assert_in_range(took_ms(d), 2500, 2520); /* 100 + 200 + 400 + 800 + 1000 */
        assert_int_equal(ksim_rule_matched(rule), 6);
        assert_int_equal(ksim_rule_matched(searches), i < 2 ? 6 : 1); /* "not here" searches anew, "not now" does not */
        ksim_rule_remove(SIM, rule);
        ksim_rule_remove(SIM, searches);
    }
}

static void it_gives_up_after_a_minute_with_the_last_code(void **state) {
    desk *d = *state;
    answer(d, "OffsetCommit", KAFKA_ERR_NOT_COORDINATOR, 0);
    begin(d);
    assert_error(alter(d, d->client, d->ctx), KAFKA_ERR_NOT_COORDINATOR);
    assert_in_range(took_ms(d), 60000, 60000);
    kafka_described_groups *described;
    answer(d, "FindCoordinator", KAFKA_ERR_COORDINATOR_NOT_AVAILABLE, 0);
    begin(d);
    assert_error(kafka_client_describe_consumer_groups(d->client, d->ctx, &billing, 1, &described), KAFKA_OK);
    assert_in_range(took_ms(d), 60000, 60000);
    assert_int_equal(described->items[0].error, KAFKA_ERR_COORDINATOR_NOT_AVAILABLE);
    assert_string_equal(described->items[0].state, "");
    kafka_described_groups_free(described);
}

static void the_client_s_timeout_and_the_context_bound_all_attempts_together(void **state) {
    desk *d = *state;
    answer(d, "OffsetCommit", KAFKA_ERR_NOT_COORDINATOR, 0);
    kafka_client *hasty = open_client(d->address, 3 * KAFKA_SECOND);
    begin(d);
    assert_error(alter(d, hasty, d->ctx), KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_non_null(strstr(kafka_error_detail(d->address), "NOT_COORDINATOR"));
    assert_in_range(took_ms(d), 3000, 3000);
    kafka_client_free(hasty);
    kafka_context *short_ctx = kafka_context_with_timeout(d->ctx, 1500 * KAFKA_MILLISECOND);
    begin(d);
    assert_error(alter(d, d->client, short_ctx), KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_in_range(took_ms(d), 1500, 1500);
    kafka_context_free(short_ctx);
}

static void a_silent_cluster_is_a_time_out(void **state) {
    desk *d = *state;
    assert_error(alter(d, d->client, d->ctx), KAFKA_OK);
    ksim_cut(SIM, "admin", NULL);
    begin(d);
    assert_error(alter(d, d->client, d->ctx), KAFKA_ERR_REQUEST_TIMED_OUT);
    assert_in_range(took_ms(d), 60000, 60000);
}

static void a_coordinator_that_dies_or_moves_is_found_again(void **state) {
    desk *d = *state;
    assert_error(alter(d, d->client, d->ctx), KAFKA_OK);
    int32_t coordinator = ksim_group_find(SIM, billing)->coordinator;
    ksim_rule *hold = ksim_rule_add(
        SIM, &(ksim_rule_config){ .client = "admin", .api = "OffsetCommit", .nth = 1, .action = KSIM_RESET_BEFORE });
    assert_error(alter(d, d->client, d->ctx), KAFKA_OK);
    assert_int_equal(ksim_rule_matched(hold), 2);
    ksim_stop_broker(SIM, coordinator);
    assert_error(alter(d, d->client, d->ctx), KAFKA_OK);
    assert_int_not_equal(ksim_group_find(SIM, billing)->coordinator, coordinator);
    kafka_listed_groups *listed;
    assert_error(kafka_client_list_consumer_groups(d->client, d->ctx, NULL, &listed), KAFKA_OK);
    assert_int_equal(listed->error, KAFKA_OK);
    assert_int_equal(listed->count, 1);
    kafka_listed_groups_free(listed);
    ksim_start_broker(SIM, coordinator);
    ksim_run_for(SIM, KAFKA_SECOND);
    assert_int_equal(ksim_move_coordinator(SIM, billing, coordinator), KAFKA_OK);
    assert_error(alter(d, d->client, d->ctx), KAFKA_OK);
}

static void a_leader_that_moves_is_found_again(void **state) {
    desk *d = *state;
    put_numbers(&d->stage, "orders", 3, 9);
    commit_from_outside(d, "orders", 0, 1);
    ksim_rule *moved = answer(d, "ListOffsets", KAFKA_ERR_NOT_LEADER_OR_FOLLOWER, 2);
    expect_lag(d, "orders[0] 1/3 2", 2);
    assert_int_equal(ksim_rule_matched(moved), 3);
}

typedef struct waiting {
    desk *d;
    kafka_error error;
    kafka_listed_groups *listed;
} waiting;

static void list_in_a_task(void *argument) {
    waiting *w = argument;
    w->error = kafka_client_list_consumer_groups(w->d->client, w->d->ctx, NULL, &w->listed);
}

/* The others have answered when a broker dies: the groups that they take over are listed all the same. */
static void no_group_is_missed_when_a_broker_dies_while_groups_are_listed(void **state) {
    desk *d = *state;
    assert_error(alter(d, d->client, d->ctx), KAFKA_OK);
    int32_t coordinator = ksim_group_find(SIM, billing)->coordinator;
    ksim_rule *hold = ksim_rule_add(SIM, &(ksim_rule_config){ .api = "ListGroups", .broker = coordinator, .action = KSIM_HOLD });
    waiting w = { d, KAFKA_OK, NULL };
    d->task = kafka_go(d->worker_ctx, "list", list_in_a_task, &w);
    assert_ksim_ok(SIM, ksim_run_until_rule(SIM, hold, 1));
    run_for(&d->stage, 100 * KAFKA_MILLISECOND);
    ksim_stop_broker(SIM, coordinator);
    run_for(&d->stage, 10 * KAFKA_SECOND);
    assert_int_equal(w.error, KAFKA_OK);
    assert_non_null(w.listed);
    assert_int_equal(w.listed->error, KAFKA_OK);
    assert_int_equal(w.listed->count, 1);
    assert_int_not_equal(w.listed->items[0].coordinator, coordinator);
    kafka_listed_groups_free(w.listed);
}

static void start_in_a_while(void *argument) {
    desk *d = argument;
    kafka_sleep(d->worker_ctx, 20 * KAFKA_SECOND);
    ksim_start_broker(SIM, 1);
}

static void a_partition_without_a_leader_is_waited_for_within_the_minute(void **state) {
    desk *d = *state;
    const int32_t first[] = { 1 };
    const kafka_replica_assignment alone = { 0, first, 1 };
    const kafka_topic_config topic = {
        .topic = "alone", .partitions = -1, .replication_factor = -1, .assignments = &alone, .assignment_count = 1
    };
    assert_error(kafka_client_create_topics(d->client, d->ctx, &topic, 1, NULL, NULL), KAFKA_OK);
    commit_from_outside(d, "alone", 0, 0);
    ksim_stop_broker(SIM, 1);
    begin(d);
    expect_lag(d, "alone[0] 0/-1 - LEADER_NOT_AVAILABLE", 0);
    assert_in_range(took_ms(d), 60000, 60000);
    d->task = kafka_go(d->worker_ctx, "start", start_in_a_while, d);
    begin(d);
    expect_lag(d, "alone[0] 0/0 0", 0);
    assert_in_range(took_ms(d), 20000, 27100); /* and up to 6 s until this process has heard of the broker */
}

static void alter_in_a_task(void *argument) {
    waiting *w = argument;
    w->error = alter(w->d, w->d->client, w->d->ctx);
}

static void a_pause_between_attempts_ends_with_client_and_process(void **state) {
    desk *d = *state;
    answer(d, "OffsetCommit", KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS, 0);
    for (int crash = 0; crash < 2; crash++) {
        waiting w = { d, KAFKA_OK, NULL };
        kafka_task *task = kafka_go(d->worker_ctx, "alter", alter_in_a_task, &w);
        kafka_sleep(d->worker_ctx, 2 * KAFKA_SECOND); /* in the middle of the sixth pause */
        if (crash) {
            ksim_crash(SIM, "admin");
        } else {
            kafka_client_free(d->client);
            d->client = NULL;
        }
        assert_int_equal(kafka_join(d->worker_ctx, task), KAFKA_OK);
        assert_int_equal(w.error, crash ? KAFKA_ERR_NODE_CRASHED : KAFKA_ERR_CLOSED);
        if (!crash) d->client = open_client(d->address, 0);
    }
}

/* Whatever a call has in hand at any moment is freed with the simulator (told by the leak detector). */
static void call_everything(void *argument) {
    desk *d = argument;
    const kafka_topic_partition whole = { "orders", -1 };
    const kafka_reset_request reset = { .group = "audit", .partitions = &whole, .count = 1, .to = KAFKA_RESET_TO_OFFSET, .offset = 1 };
    kafka_client_reset_consumer_group_offsets(d->client, d->ctx, &reset, NULL);
    kafka_client_consumer_group_lag(d->client, d->ctx, billing, NULL);
    kafka_client_list_consumer_groups(d->client, d->ctx, NULL, NULL);
    kafka_client_describe_consumer_groups(d->client, d->ctx, &billing, 1, NULL);
    kafka_client_remove_group_members(d->client, d->ctx, billing, NULL, 0, NULL, NULL);
    kafka_client_delete_consumer_groups(d->client, d->ctx, &billing, 1, NULL);
}

static void freeing_a_simulator_in_the_middle_of_any_call_leaks_nothing(void **unused) {
    bool all_done = false;
    for (int steps = 0; !all_done; steps += 3) {
        void *holder;
        assert_int_equal(desk_begin(&holder), 0);
        desk *d = holder;
        bring(d, STABLE);
        d->task = kafka_go(d->worker_ctx, "everything", call_everything, d);
        for (int i = 0; i < steps; i++) ksim_step(SIM);
        all_done = ksim_group_find(SIM, billing) == NULL;
        ksim_free(SIM); /* with client, task, contexts and addresses still open */
        free(d);
        assert_true(steps < 5000);
    }
}

/* ---- how much is sent ---- */

static void many_groups_take_one_request_a_broker(void **state) {
    desk *d = *state;
    enum { GROUPS = 60 };
    char names[GROUPS][8];
    const char *groups[GROUPS];
    const kafka_group_offset offset = { .topic = "orders", .partition = 0, .offset = 1 };
    for (int i = 0; i < GROUPS; i++) {
        snprintf(names[i], sizeof names[i], "g%d", i);
        groups[i] = names[i];
        assert_error(kafka_client_alter_consumer_group_offsets(d->client, d->ctx, groups[i], &offset, 1, NULL), KAFKA_OK);
    }
    ksim_rule *sent = ksim_rule_add(SIM, &(ksim_rule_config){ .client = "admin" });
    kafka_described_groups *described = describe(d, groups, GROUPS);
    for (int i = 0; i < GROUPS; i++) assert_string_equal(described->items[i].state, "Empty");
    kafka_described_groups_free(described);
    /* 1 search, 3 ConsumerGroupDescribe, 3 DescribeGroups, and new connections' greetings */
    assert_in_range(ksim_rule_matched(sent), 7, 16);
    ksim_rule *deletes = ksim_rule_add(SIM, &(ksim_rule_config){ .client = "admin", .api = "DeleteGroups" });
    kafka_named_errors *results;
    assert_error(kafka_client_delete_consumer_groups(d->client, d->ctx, groups, GROUPS, &results), KAFKA_OK);
    assert_int_equal(results->count, GROUPS);
    for (int i = 0; i < GROUPS; i++) {
        assert_string_equal(results->items[i].name, groups[i]);
        assert_int_equal(results->items[i].error, KAFKA_OK);
    }
    kafka_named_errors_free(results);
    assert_int_equal(ksim_rule_matched(deletes), 3);
    size_t left;
    ksim_groups(SIM, &left);
    assert_int_equal(left, 0);
}

/* ---- bad arguments ---- */

static void wrong_arguments_are_refused_before_anything_is_sent(void **state) {
    desk *d = *state;
    const char *const nobody = NULL;
    const kafka_topic_partition nameless = { NULL, 0 };
    const kafka_group_offset below = { .topic = "orders", .offset = -1 }, no_topic = { .offset = 1 };
    const kafka_member_to_remove no_name = { NULL, NULL, KAFKA_OK }, empty_name = { .member = "" };
    kafka_duration before = ksim_elapsed(SIM);
    const kafka_error wrong = KAFKA_ERR_INVALID_ARGUMENT;
    assert_error(kafka_client_describe_consumer_groups(d->client, d->ctx, NULL, 1, NULL), wrong);
    assert_error(kafka_client_describe_consumer_groups(d->client, d->ctx, &nobody, 1, NULL), wrong);
    assert_error(kafka_client_describe_consumer_groups(d->client, d->ctx, &billing, 0, NULL), wrong);
    assert_error(kafka_client_describe_consumer_groups(NULL, d->ctx, &billing, 1, NULL), wrong);
    assert_error(kafka_client_describe_consumer_groups(d->client, NULL, &billing, 1, NULL), wrong);
    assert_error(kafka_client_delete_consumer_groups(d->client, d->ctx, &nobody, 1, NULL), wrong);
    assert_error(kafka_client_delete_consumer_groups(d->client, d->ctx, NULL, 0, NULL), wrong);
    assert_error(kafka_client_consumer_group_lag(d->client, d->ctx, NULL, NULL), wrong);
    assert_error(kafka_client_list_consumer_group_offsets(d->client, d->ctx, NULL, NULL, 0, NULL), wrong);
    assert_error(kafka_client_list_consumer_group_offsets(d->client, d->ctx, billing, &nameless, 1, NULL), wrong);
    assert_error(kafka_client_alter_consumer_group_offsets(d->client, d->ctx, NULL, &below, 1, NULL), wrong);
    assert_error(kafka_client_alter_consumer_group_offsets(d->client, d->ctx, billing, &below, 1, NULL), wrong);
    assert_error(kafka_client_alter_consumer_group_offsets(d->client, d->ctx, billing, &no_topic, 1, NULL), wrong);
    assert_error(kafka_client_alter_consumer_group_offsets(d->client, d->ctx, billing, NULL, 1, NULL), wrong);
    assert_error(kafka_client_delete_consumer_group_offsets(d->client, d->ctx, billing, NULL, 1, NULL), wrong);
    assert_error(kafka_client_delete_consumer_group_offsets(d->client, d->ctx, NULL, NULL, 0, NULL), wrong);
    assert_error(kafka_client_remove_group_members(d->client, d->ctx, NULL, NULL, 0, NULL, NULL), wrong);
    assert_error(kafka_client_remove_group_members(d->client, d->ctx, billing, NULL, 1, NULL, NULL), wrong);
    assert_error(kafka_client_remove_group_members(d->client, d->ctx, billing, &no_name, 1, NULL, NULL), wrong);
    assert_error(kafka_client_remove_group_members(d->client, d->ctx, billing, &empty_name, 1, NULL, NULL), wrong);
    assert_i64_equal(ksim_elapsed(SIM), before);
    kafka_group_lag_free(NULL);
    kafka_removed_members_free(NULL);
}

/* Listeners run on the stack of the poll, which may block; completions run between events, which may not. */
typedef struct looking {
    desk *d;
    kafka_error error;
    int32_t state; /* 1: it was told */
} looking;

static void look(looking *self) {
    kafka_group_lag *lag = NULL;
    self->error = kafka_client_consumer_group_lag(self->d->client, self->d->ctx, billing, &lag);
    self->state = lag != NULL;
    kafka_group_lag_free(lag);
}

static kafka_error look_when_assigned(void *argument, kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count) {
    look(argument);
    return KAFKA_OK;
}

static void look_when_written(void *argument, const kafka_message *messages, size_t count, kafka_error error) { look(argument); }

static void a_listener_may_ask_and_a_completion_may_not(void **state) {
    desk *d = *state;
    looking listening = { .d = d, .error = KAFKA_ERR_CANCELED }, completing = listening;
    const char *const settings[] = { "group.id=billing", NULL }, *const orders = "orders";
    program *p = make_program(&d->stage, "c1", settings);
    const kafka_rebalance_listener listener = { .assigned = look_when_assigned, .argument = &listening };
    kafka_records *records;
    assert_int_equal(kafka_consumer_subscribe(p->consumer, &orders, 1, &listener), KAFKA_OK);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, KAFKA_SECOND, &records), KAFKA_OK);
        kafka_records_free(records);
    }
    assert_int_equal(listening.error, KAFKA_OK);
    assert_int_equal(listening.state, 1);
    kafka_consumer_close(p->consumer);
    kafka_writer *writer;
    const kafka_message message = { .value = kafka_string("v") };
    const kafka_writer_config config = { .address = d->address, .topic = "orders", .batch_size = 1, .completion = look_when_written,
                                         .completion_argument = &completing };
    assert_error(kafka_writer_new(&config, &writer), KAFKA_OK);
    assert_error(kafka_writer_write(writer, d->ctx, &message, 1, NULL), KAFKA_OK);
    assert_error(kafka_writer_close(writer), KAFKA_OK);
    kafka_writer_free(writer);
    assert_int_equal(completing.error, KAFKA_ERR_WRONG_PLACE);
    assert_int_equal(completing.state, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DESK(a_classic_member_is_described_whole),
        DESK(a_modern_member_is_described_with_epochs_and_target),
        DESK(a_classic_member_of_a_modern_group_is_marked),
        DESK(when_the_last_modern_member_is_removed_the_group_is_classic_again),
        DESK(a_batch_removes_members_of_both_protocols_each_once),
        DESK(groups_are_described_in_the_order_asked),
        DESK(a_group_of_another_system_is_no_consumer_group),
        DESK(groups_are_listed_by_state_and_type),
        DESK(lag_is_told_with_owners_and_without),
        DESK(lag_on_a_topic_that_vanishes_is_unknown),
        DESK(offsets_are_altered_read_and_deleted_partition_by_partition),
        DESK(the_empty_group_id_is_a_group_for_offsets_alone),
        DESK(members_are_removed_by_id_by_instance_and_with_a_reason),
        DESK(of_a_group_that_is_not_there_nobody_is_a_member),
        DESK(a_long_reason_is_cut_between_characters),
        cmocka_unit_test(a_living_member_that_is_removed_joins_again),
        DESK(it_asks_again_with_growing_pauses),
        DESK(it_gives_up_after_a_minute_with_the_last_code),
        DESK(the_client_s_timeout_and_the_context_bound_all_attempts_together),
        DESK(a_silent_cluster_is_a_time_out),
        DESK(a_coordinator_that_dies_or_moves_is_found_again),
        DESK(a_leader_that_moves_is_found_again),
        DESK(no_group_is_missed_when_a_broker_dies_while_groups_are_listed),
        DESK(a_partition_without_a_leader_is_waited_for_within_the_minute),
        DESK(a_pause_between_attempts_ends_with_client_and_process),
        cmocka_unit_test(freeing_a_simulator_in_the_middle_of_any_call_leaks_nothing),
        DESK(many_groups_take_one_request_a_broker),
        DESK(wrong_arguments_are_refused_before_anything_is_sent),
        DESK(a_listener_may_ask_and_a_completion_may_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
