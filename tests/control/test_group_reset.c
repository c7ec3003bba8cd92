/* SPDX-License-Identifier: Apache-2.0
 * Resetting offsets: every target of kafka-consumer-groups.sh, within the limits of the log, all or nothing. */
#include "tests/control/admin_fixture.h"

enum { RECORDS = 10, APART_S = 60 };

/* orders[0] has offsets 0 to 9, a minute apart; orders[1] none; orders[2] one. */
static kafka_time begun;

static void fill(desk *d) {
    begun = ksim_now(DESK_SIM(d));
    for (int i = 0; i < RECORDS; i++) {
        assert_int_equal(ksim_put(DESK_SIM(d), "orders", 0, "k", "v"), KAFKA_OK);
        assert_int_equal(ksim_run_until_time(DESK_SIM(d), begun + (i + 1) * APART_S * KAFKA_SECOND), KAFKA_OK);
    }
    assert_int_equal(ksim_put(DESK_SIM(d), "orders", 2, "k", "v"), KAFKA_OK);
}

static kafka_reset_plan *reset(desk *d, kafka_reset_request request) {
    kafka_reset_plan *plan = NULL;
    if (request.group == NULL) request.group = "billing";
    assert_error(kafka_client_reset_consumer_group_offsets(d->client, d->ctx, &request, &plan), KAFKA_OK);
    return plan;
}

static int64_t committed(desk *d, int32_t partition) { return ksim_committed_offset(DESK_SIM(d), "billing", "orders", partition); }

/* The plan in one line: "orders[0] 4>3! orders[1] -1>0 orders[2] NAME_OF_ERROR"; ! is clamped. */
static void expect_plan(kafka_reset_plan *plan, bool executed, const char *expected) {
    char text[1024] = "";
    size_t size = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const kafka_reset_offset *item = &plan->items[i];
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s[%d] ", i ? " " : "", item->topic, item->partition);
        if (item->error)
            size += (size_t)snprintf(text + size, sizeof text - size, "%s", kafka_error_name(item->error));
        else
            size += (size_t)snprintf(text + size, sizeof text - size, "%lld>%lld%s", (long long)item->before,
                                     (long long)item->offset, item->clamped ? "!" : "");
    }
    if (strcmp(text, expected) != 0) fail_msg("the plan is\n  %s\nnot\n  %s", text, expected);
    assert_int_equal(plan->executed, executed);
    assert_int_equal(plan->error, KAFKA_OK);
    kafka_reset_plan_free(plan);
}

static const kafka_topic_partition whole[] = { { "orders", -1 } }, first[] = { { "orders", 0 } };

static void every_target_goes_where_kafka_s_tool_goes(void **state) {
    desk *d = *state;
    fill(d);
    commit_from_outside(d, "orders", 0, 4);
    const struct {
        kafka_reset_request request;
        const char *plan;
    } rows[] = {
        { { .to = KAFKA_RESET_TO_EARLIEST }, "orders[0] 4>0 orders[1] -1>0 orders[2] -1>0" },
        { { .to = KAFKA_RESET_TO_LATEST }, "orders[0] 4>10 orders[1] -1>0 orders[2] -1>1" },
        { { .to = KAFKA_RESET_TO_CURRENT }, "orders[0] 4>4 orders[1] -1>0 orders[2] -1>1" },
        { { .to = KAFKA_RESET_TO_OFFSET, .offset = 1 }, "orders[0] 4>1 orders[1] -1>0! orders[2] -1>1" },
        { { .to = KAFKA_RESET_TO_OFFSET, .offset = -5 }, "orders[0] 4>0! orders[1] -1>0! orders[2] -1>0!" },
        { { .to = KAFKA_RESET_TO_OFFSET, .offset = INT64_MAX }, "orders[0] 4>10! orders[1] -1>0! orders[2] -1>1!" },
        { { .partitions = first, .to = KAFKA_RESET_SHIFT_BY, .offset = -3 }, "orders[0] 4>1" },
        { { .partitions = first, .to = KAFKA_RESET_SHIFT_BY, .offset = 3 }, "orders[0] 4>7" },
        { { .partitions = first, .to = KAFKA_RESET_SHIFT_BY, .offset = 0 }, "orders[0] 4>4" },
        { { .partitions = first, .to = KAFKA_RESET_SHIFT_BY, .offset = INT64_MIN }, "orders[0] 4>0!" },
        { { .partitions = first, .to = KAFKA_RESET_SHIFT_BY, .offset = INT64_MAX }, "orders[0] 4>10!" },
        { { .to = KAFKA_RESET_TO_DATETIME, .time = 0 }, "orders[0] 4>0 orders[1] -1>0 orders[2] -1>0" },
        { { .to = KAFKA_RESET_TO_DATETIME, .time = begun + 5 * APART_S * KAFKA_SECOND - KAFKA_SECOND },
          "orders[0] 4>5 orders[1] -1>0 orders[2] -1>0" },
        { { .to = KAFKA_RESET_TO_DATETIME, .time = INT64_MAX }, "orders[0] 4>10 orders[1] -1>0 orders[2] -1>1" },
        { { .to = KAFKA_RESET_BY_DURATION, .duration = 0 }, "orders[0] 4>10 orders[1] -1>0 orders[2] -1>1" },
        { { .to = KAFKA_RESET_BY_DURATION, .duration = 150 * KAFKA_SECOND }, "orders[0] 4>8 orders[1] -1>0 orders[2] -1>0" },
        { { .to = KAFKA_RESET_BY_DURATION, .duration = INT64_MAX }, "orders[0] 4>0 orders[1] -1>0 orders[2] -1>0" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        kafka_reset_request request = rows[i].request;
        if (request.partitions == NULL) request.partitions = whole;
        request.count = 1;
        request.dry_run = true;
        expect_plan(reset(d, request), false, rows[i].plan);
        assert_i64_equal(committed(d, 0), 4);
        assert_i64_equal(committed(d, 1), -1);
    }
    kafka_reset_request request = { .partitions = whole, .count = 1, .to = KAFKA_RESET_TO_EARLIEST };
    expect_plan(reset(d, request), true, rows[0].plan);
    assert_committed_offsets(DESK_SIM(d), "billing", "orders[0]=0 orders[1]=0 orders[2]=0");
}

static void a_record_of_exactly_that_millisecond_counts(void **state) {
    desk *d = *state;
    fill(d);
    size_t count;
    kafka_time second = ksim_records(DESK_SIM(d), "orders", 0, &count)[1].time;
    kafka_reset_request request = { .partitions = first, .count = 1, .to = KAFKA_RESET_TO_DATETIME, .time = second, .dry_run = true };
    expect_plan(reset(d, request), false, "orders[0] -1>1");
    request.time = second + 1; /* a nanosecond later it is older */
    expect_plan(reset(d, request), false, "orders[0] -1>2");
}

static void the_log_s_beginning_moves_with_retention(void **state) {
    desk *d = *state;
    const kafka_config_entry configs[] = { { "retention.ms", "60000" }, { "segment.bytes", "70" }, { "file.delete.delay.ms", "0" } };
    const kafka_topic_config topic = { .topic = "short", .partitions = 1, .replication_factor = 1, .configs = configs, .config_count = 3 };
    assert_error(kafka_client_create_topics(d->client, d->ctx, &topic, 1, NULL, NULL), KAFKA_OK);
    for (int i = 0; i < 5; i++) assert_int_equal(ksim_put(DESK_SIM(d), "short", 0, "k", "v"), KAFKA_OK);
    ksim_run_for(DESK_SIM(d), 3600 * KAFKA_SECOND);
    int64_t start = ksim_partition_find(DESK_SIM(d), "short", 0)->log_start_offset;
    assert_true(start > 1);
    char plan[64];
    const kafka_topic_partition partition = { "short", 0 };
    commit_from_outside(d, "short", 0, 1); /* nobody compares a commit with the log */
    kafka_reset_request request = { .partitions = &partition, .count = 1, .to = KAFKA_RESET_SHIFT_BY, .offset = 0, .dry_run = true };
    snprintf(plan, sizeof plan, "short[0] 1>%lld!", (long long)start);
    expect_plan(reset(d, request), false, plan);
}

static void without_partitions_all_that_is_committed_is_meant(void **state) {
    desk *d = *state;
    fill(d);
    kafka_reset_request request = { .to = KAFKA_RESET_TO_LATEST };
    expect_plan(reset(d, request), true, ""); /* nothing, of a group that is not there */
    assert_null(ksim_group_find(DESK_SIM(d), "billing"));
    commit_from_outside(d, "returns", 0, 0);
    commit_from_outside(d, "orders", 2, 0);
    commit_from_outside(d, "orders", 0, 2);
    expect_plan(reset(d, request), true, "orders[0] 2>10 orders[2] 0>1 returns[0] 0>0");
    assert_committed_offsets(DESK_SIM(d), "billing", "orders[0]=10 orders[2]=1 returns[0]=0");
}

static void each_partition_is_reset_once_however_often_it_is_named(void **state) {
    desk *d = *state;
    fill(d);
    const kafka_topic_partition often[] = { { "returns", 0 }, { "orders", 2 }, { "orders", -1 }, { "orders", 2 }, { "returns", -1 } };
    kafka_reset_request request = { .partitions = often, .count = 5, .to = KAFKA_RESET_TO_LATEST };
    expect_plan(reset(d, request), true, "orders[0] -1>10 orders[1] -1>0 orders[2] -1>1 returns[0] -1>0");
}

static void with_one_wrong_partition_nothing_is_committed(void **state) {
    desk *d = *state;
    fill(d);
    const kafka_topic_partition wrong[] = { { "orders", 3 }, { "orders", 0 }, { "nothing", -1 }, { "nothing", 7 } };
    kafka_reset_request request = { .group = "billing", .partitions = wrong, .count = 4, .to = KAFKA_RESET_TO_LATEST };
    expect_plan(reset(d, request), false,
                "nothing[-1] UNKNOWN_TOPIC_OR_PARTITION nothing[7] UNKNOWN_TOPIC_OR_PARTITION orders[0] -1>10 "
                "orders[3] UNKNOWN_TOPIC_OR_PARTITION");
    assert_null(ksim_group_find(DESK_SIM(d), "billing"));
    assert_error(kafka_client_reset_consumer_group_offsets(d->client, d->ctx, &request, NULL), KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_non_null(strstr(kafka_error_detail(d->address), "nothing[-1]"));
    commit_from_outside(d, "orders", 0, 2);
    request = (kafka_reset_request){ .group = "billing", .partitions = whole, .count = 1, .to = KAFKA_RESET_SHIFT_BY, .offset = 1 };
    expect_plan(reset(d, request), false, "orders[0] 2>3 orders[1] NO_OFFSET_FOR_PARTITION orders[2] NO_OFFSET_FOR_PARTITION");
    assert_i64_equal(committed(d, 0), 2);
    assert_error(kafka_client_reset_consumer_group_offsets(d->client, d->ctx, &request, NULL), KAFKA_ERR_NO_OFFSET_FOR_PARTITION);
    assert_non_null(strstr(kafka_error_detail(d->address), "orders[1]"));
}

/* A code inside a result is a failure, too: kafka_error_detail() has the first in words. */
static void a_refusal_inside_a_result_has_its_detail(void **state) {
    desk *d = *state;
    fill(d);
    kafka_topic_partition nowhere = { "nowhere", 0 }, shifted = { "orders", 1 };
    kafka_reset_plan_free(reset(d, (kafka_reset_request){ .to = KAFKA_RESET_TO_EARLIEST, .partitions = &nowhere, .count = 1 }));
    assert_non_null(strstr(kafka_error_detail(d->address), "kafka_client_reset_consumer_group_offsets: nowhere[0]: "));
    kafka_reset_plan_free(reset(d, (kafka_reset_request){ .to = KAFKA_RESET_SHIFT_BY, .offset = 1, .partitions = &shifted, .count = 1 }));
    assert_non_null(strstr(kafka_error_detail(d->address), "group billing has nothing committed for orders[1] to shift from"));
    kafka_group_offsets *results;
    kafka_group_offset wrong = { "orders", 9, 1, NULL, KAFKA_OK };
    assert_error(kafka_client_alter_consumer_group_offsets(d->client, d->ctx, "billing", &wrong, 1, &results), KAFKA_OK);
    assert_int_equal(results->items[0].error, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    kafka_group_offsets_free(results);
    assert_non_null(strstr(kafka_error_detail(d->address), "kafka_client_alter_consumer_group_offsets: orders[9]: "));
    kafka_named_errors *deleted;
    assert_error(kafka_client_delete_consumer_groups(d->client, d->ctx, (const char *[]){ "nobody" }, 1, &deleted), KAFKA_OK);
    assert_int_equal(deleted->items[0].error, KAFKA_ERR_GROUP_ID_NOT_FOUND);
    kafka_named_errors_free(deleted);
    assert_non_null(strstr(kafka_error_detail(d->address), "kafka_client_delete_consumer_groups: nobody: "));
    kafka_described_groups *described;
    assert_error(kafka_client_describe_consumer_groups(d->client, d->ctx, (const char *[]){ "nobody" }, 1, &described), KAFKA_OK);
    kafka_described_groups_free(described);
    assert_non_null(strstr(kafka_error_detail(d->address), "kafka_client_describe_consumer_groups: nobody: "));
    kafka_metadata *metadata;
    assert_error(kafka_client_metadata(d->client, d->ctx, (const char *[]){ "nowhere" }, 1, &metadata), KAFKA_OK);
    kafka_metadata_free(metadata);
    assert_non_null(strstr(kafka_error_detail(d->address), "kafka_client_metadata: nowhere: "));
}

static void wrong_requests_are_refused_before_anything_is_sent(void **state) {
    desk *d = *state;
    const kafka_topic_partition nameless = { NULL, 0 }, below = { "orders", -2 };
    const kafka_reset_request rows[] = {
        { .to = KAFKA_RESET_TO_EARLIEST },
        { .group = "billing", .to = (kafka_reset_target)0 },
        { .group = "billing", .to = (kafka_reset_target)99 },
        { .group = "billing", .to = KAFKA_RESET_TO_DATETIME, .time = -1 },
        { .group = "billing", .to = KAFKA_RESET_BY_DURATION, .duration = -1 },
        { .group = "billing", .to = KAFKA_RESET_TO_LATEST, .partitions = &nameless, .count = 1 },
        { .group = "billing", .to = KAFKA_RESET_TO_LATEST, .partitions = &below, .count = 1 },
        { .group = "billing", .to = KAFKA_RESET_TO_LATEST, .partitions = NULL, .count = 1 },
    };
    kafka_duration before = ksim_elapsed(DESK_SIM(d));
    kafka_reset_plan *plan = (kafka_reset_plan *)1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_error(kafka_client_reset_consumer_group_offsets(d->client, d->ctx, &rows[i], &plan), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_client_reset_consumer_group_offsets(d->client, d->ctx, NULL, &plan), KAFKA_ERR_INVALID_ARGUMENT);
    assert_error(kafka_client_reset_consumer_group_offsets(d->client, NULL, &rows[3], &plan), KAFKA_ERR_INVALID_ARGUMENT);
    assert_ptr_equal(plan, (kafka_reset_plan *)1);
    assert_i64_equal(ksim_elapsed(DESK_SIM(d)), before);
    kafka_reset_plan_free(NULL);
}

/* The group is at rest when it is looked at, and has a member when the commit arrives. */
static void a_member_that_joins_in_between_is_not_overrun(void **state) {
    desk *d = *state;
    fill(d);
    commit_from_outside(d, "orders", 0, 4);
    ksim_rule *hold = ksim_rule_add(DESK_SIM(d), &(ksim_rule_config){ .api = "OffsetCommit", .client = "admin",
                                                                      .action = KSIM_DELAY, .delay = 5 * KAFKA_SECOND });
    d->task = kafka_go(d->worker_ctx, "member", join_in_a_task, d);
    ksim_rule *late = ksim_rule_add(DESK_SIM(d), &(ksim_rule_config){ .api = "JoinGroup", .action = KSIM_DELAY, .delay = KAFKA_SECOND });
    kafka_reset_request request = { .group = "billing", .partitions = first, .count = 1, .to = KAFKA_RESET_TO_EARLIEST };
    kafka_reset_plan *plan;
    assert_error(kafka_client_reset_consumer_group_offsets(d->client, d->ctx, &request, &plan), KAFKA_OK);
    assert_int_equal(plan->error, KAFKA_ERR_UNKNOWN_MEMBER_ID);
    assert_int_equal(plan->items[0].error, KAFKA_ERR_UNKNOWN_MEMBER_ID);
    assert_string_equal(plan->state, "Empty");
    assert_false(plan->executed);
    kafka_reset_plan_free(plan);
    assert_i64_equal(committed(d, 0), 4);
    assert_int_equal(ksim_rule_fired(hold), 1);
    assert_true(ksim_rule_fired(late) > 0);
}

static void consumers_begin_where_the_reset_put_them(void **state) {
    desk *d = *state;
    fill(d);
    const char *const settings[] = { "group.id=billing", "auto.offset.reset=earliest", NULL };
    program *before = make_program(&d->stage, "c1", settings);
    start(before, "orders");
    run_for(&d->stage, 10 * KAFKA_SECOND);
    assert_i64_equal(before->delivered, 11);
    kafka_context_cancel(before->ctx);
    run_for(&d->stage, 10 * KAFKA_SECOND);
    kafka_reset_request request = { .partitions = first, .count = 1, .to = KAFKA_RESET_SHIFT_BY, .offset = -4 };
    expect_plan(reset(d, request), true, "orders[0] 10>6");
    program *after = make_program(&d->stage, "c2", settings);
    start(after, "orders");
    run_for(&d->stage, 10 * KAFKA_SECOND);
    assert_i64_equal(after->by_partition[0], 4);
    assert_i64_equal(after->delivered, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DESK(every_target_goes_where_kafka_s_tool_goes),
        DESK(a_record_of_exactly_that_millisecond_counts),
        DESK(the_log_s_beginning_moves_with_retention),
        DESK(without_partitions_all_that_is_committed_is_meant),
        DESK(each_partition_is_reset_once_however_often_it_is_named),
        DESK(with_one_wrong_partition_nothing_is_committed),
        DESK(a_refusal_inside_a_result_has_its_detail),
        DESK(wrong_requests_are_refused_before_anything_is_sent),
        DESK(a_member_that_joins_in_between_is_not_overrun),
        DESK(consumers_begin_where_the_reset_put_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
