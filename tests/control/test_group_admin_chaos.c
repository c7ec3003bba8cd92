/* SPDX-License-Identifier: Apache-2.0
 * An administrator at work while brokers die and return, coordinators and leaders move, connections break and members come
 * and go: every call ends within its time with one of the codes it is said to have, and what it says was done is done. */
#include "tests/control/admin_fixture.h"

enum { SEEDS = 12, STEPS = 60 };
#define SIM DESK_SIM(d)

static const char *const billing = "billing";
static uint64_t dice; /* of its own: what a test draws does not depend on the simulator */

static uint32_t roll(uint32_t sides) {
    dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(dice >> 33) % sides;
}

static void misfortune(desk *d) {
    static const char *const names[] = { "c1", "c2", "c3", "c4", "c5", "c6" };
    int32_t broker = 1 + (int32_t)roll(3);
    switch (roll(9)) {
    case 0: /* at most one at a time, so that somebody leads */
        for (int32_t b = 1; b <= 3; b++) ksim_start_broker(SIM, b);
        ksim_stop_broker(SIM, broker);
        break;
    case 1: ksim_move_coordinator(SIM, billing, broker); break;
    case 2: ksim_move_leader(SIM, "orders", (int32_t)roll(3), broker); break;
    case 3: ksim_reset(SIM, "admin", NULL, NULL); break;
    case 4:
        ksim_rule_remove(SIM, d->lossy);
        d->lossy = roll(4) == 0 ? NULL : ksim_rule_add(SIM, &(ksim_rule_config){ .client = "admin", .chance = 10 + roll(30), .of = 100,
                                                           .action = roll(2) ? KSIM_RESET_BEFORE : KSIM_RESET_AFTER });
        break;
    case 5: ksim_delay(SIM, "admin", NULL, (kafka_duration)roll(400) * KAFKA_MILLISECOND); break;
    case 6:
        if (d->stage.count < 6) modern_member(d, names[d->stage.count]);
        break;
    case 7:
        if (d->stage.count > 0) kafka_context_cancel(d->stage.programs[roll((uint32_t)d->stage.count)].ctx);
        break;
    case 8: ksim_put(SIM, "orders", (int32_t)roll(3), "k", "v"); break;
    }
}

/* Not only Kafka's refusals: what stood in the way for a whole minute, too. */
static bool may_be_said(kafka_error error) {
    static const kafka_error codes[] = { KAFKA_OK,
                                         KAFKA_ERR_UNKNOWN_MEMBER_ID,
                                         KAFKA_ERR_GROUP_ID_NOT_FOUND,
                                         KAFKA_ERR_NON_EMPTY_GROUP,
                                         KAFKA_ERR_GROUP_SUBSCRIBED_TO_TOPIC,
                                         KAFKA_ERR_NO_OFFSET_FOR_PARTITION,
                                         KAFKA_ERR_COORDINATOR_NOT_AVAILABLE,
                                         KAFKA_ERR_NOT_COORDINATOR,
                                         KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS,
                                         KAFKA_ERR_LEADER_NOT_AVAILABLE,
                                         KAFKA_ERR_BROKER_NOT_AVAILABLE,
                                         KAFKA_ERR_CONNECTION_RESET,
                                         KAFKA_ERR_CONNECTION_REFUSED,
                                         KAFKA_ERR_REQUEST_TIMED_OUT };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == error) return true;
    return false;
}

static kafka_error reset(desk *d) {
    const kafka_topic_partition whole = { "orders", -1 };
    const kafka_reset_request request = {
        .group = billing, .partitions = &whole, .count = 1, .to = KAFKA_RESET_TO_OFFSET, .offset = roll(3)
    };
    kafka_reset_plan *plan = NULL;
    kafka_error error = kafka_client_reset_consumer_group_offsets(d->client, d->ctx, &request, &plan);
    if (plan == NULL) return error;
    for (size_t i = 0; i < plan->count && plan->executed; i++) {
        assert_i64_equal(ksim_committed_offset(SIM, billing, "orders", plan->items[i].partition), plan->items[i].offset);
        assert_true(plan->items[i].offset <= ksim_partition_find(SIM, "orders", plan->items[i].partition)->high_watermark);
    }
    error = plan->error;
    for (size_t i = 0; i < plan->count && error == KAFKA_OK; i++) error = plan->items[i].error;
    assert_int_equal(plan->executed, error == KAFKA_OK);
    kafka_reset_plan_free(plan);
    return error;
}

static kafka_error lag(desk *d) {
    kafka_group_lag *told = NULL;
    kafka_error error = kafka_client_consumer_group_lag(d->client, d->ctx, billing, &told);
    if (told == NULL) return error;
    int64_t total = 0;
    for (size_t i = 0; i < told->count; i++)
        if (!told->items[i].unknown && told->items[i].lag > 0) total += told->items[i].lag;
    assert_i64_equal(told->total, total);
    error = told->error;
    kafka_group_lag_free(told);
    return error;
}

static kafka_error work(desk *d) {
    const kafka_group_offset offset = { .topic = "orders", .partition = (int32_t)roll(3), .offset = roll(5) };
    const kafka_topic_partition partition = { "orders", offset.partition };
    switch (roll(8)) {
    case 0: return reset(d);
    case 1: return lag(d);
    case 2: return kafka_client_describe_consumer_groups(d->client, d->ctx, &billing, 1, NULL);
    case 3: return kafka_client_list_consumer_groups(d->client, d->ctx, NULL, NULL);
    case 4: return kafka_client_alter_consumer_group_offsets(d->client, d->ctx, billing, &offset, 1, NULL);
    case 5: return kafka_client_delete_consumer_group_offsets(d->client, d->ctx, billing, &partition, 1, NULL);
    case 6: return kafka_client_remove_group_members(d->client, d->ctx, billing, NULL, 0, NULL, NULL);
    default: return kafka_client_delete_consumer_groups(d->client, d->ctx, &billing, 1, NULL);
    }
}

static void every_call_ends_in_time_with_a_code_of_its_own(void **unused) {
    int done = 0, refused = 0, failed = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        void *holder;
        assert_int_equal(desk_begin(&holder), 0);
        desk *d = holder;
        dice = seed;
        for (int step = 0; step < STEPS; step++) {
            misfortune(d);
            kafka_duration before = ksim_elapsed(SIM);
            kafka_error error = work(d);
            if (!may_be_said(error))
                fail_msg("seed %d, step %d: %s: %s", (int)seed, step, kafka_error_name(error), kafka_error_detail(d->address));
            done += error == KAFKA_OK;
            refused += error != KAFKA_OK && !kafka_error_is_retriable(error);
            failed += kafka_error_is_retriable(error);
            if (ksim_elapsed(SIM) - before > 61 * KAFKA_SECOND) fail_msg("seed %d, step %d: it took more than a minute", (int)seed, step);
            if (roll(3) == 0) run_for(&d->stage, (kafka_duration)roll(8000) * KAFKA_MILLISECOND);
        }
        desk_end(&holder);
    }
    /* much was done, much was refused, and hardly anything had such bad luck that a minute was not enough */
    if (done < 200 || refused < 200 || failed > 20) fail_msg("%d done, %d refused, %d failed", done, refused, failed);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_call_ends_in_time_with_a_code_of_its_own) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
