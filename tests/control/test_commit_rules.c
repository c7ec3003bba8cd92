/* SPDX-License-Identifier: Apache-2.0
 * Who may commit to a group, and read from it, in which of its states: the table of Kafka's OffsetMetadataManager, laid out. */
#include "tests/control/admin_fixture.h"

#define SIM DESK_SIM(d)

typedef enum caller { MEMBER, OLD_MEMBER, FUTURE_MEMBER, MEMBER_WITHOUT_GENERATION, STRANGER, OUTSIDER, CALLERS } caller;

#define OK KAFKA_OK
#define NOBODY KAFKA_ERR_UNKNOWN_MEMBER_ID
#define WRONG_GENERATION KAFKA_ERR_ILLEGAL_GENERATION
#define REBALANCING KAFKA_ERR_REBALANCE_IN_PROGRESS
#define TOO_OLD KAFKA_ERR_UNSUPPORTED_VERSION /* OffsetCommit v7 knows no member epochs */

static const kafka_error rules[GROUP_STATES][CALLERS] = {
    /*                      member            of an old one     of a future one   known, without    a stranger        from outside */
    [MISSING] =            { WRONG_GENERATION, WRONG_GENERATION, WRONG_GENERATION, OK,               WRONG_GENERATION, OK },
    [SIMPLE] =             { NOBODY,           NOBODY,           NOBODY,           OK,               NOBODY,           OK },
    [EMPTY] =              { NOBODY,           NOBODY,           NOBODY,           OK,               NOBODY,           OK },
    [PREPARING] =          { OK,               WRONG_GENERATION, WRONG_GENERATION, WRONG_GENERATION, NOBODY,           NOBODY },
    [COMPLETING] =         { REBALANCING,      WRONG_GENERATION, WRONG_GENERATION, WRONG_GENERATION, NOBODY,           NOBODY },
    [STABLE] =             { OK,               WRONG_GENERATION, WRONG_GENERATION, WRONG_GENERATION, NOBODY,           NOBODY },
    [MODERN_EMPTY] =       { NOBODY,           NOBODY,           NOBODY,           OK,               NOBODY,           OK },
    [MODERN_ASSIGNING] =   { TOO_OLD,          TOO_OLD,          TOO_OLD,          TOO_OLD,          NOBODY,           NOBODY },
    [MODERN_RECONCILING] = { TOO_OLD,          TOO_OLD,          TOO_OLD,          TOO_OLD,          NOBODY,           NOBODY },
    [MODERN_STABLE] =      { TOO_OLD,          TOO_OLD,          TOO_OLD,          TOO_OLD,          NOBODY,           NOBODY },
};

static kafka_error commit(desk *d, caller who) {
    const kafka_group_offset offset = { .topic = "orders", .partition = 1, .offset = 7, .metadata = "half way" };
    const ksim_group *group = ksim_group_find(SIM, "billing");
    int32_t generation = group != NULL && group->generation > 0 ? group->generation : 1;
    kafka_commit_request request = { .group = "billing", .generation = generation, .member = d->member[0] ? d->member : "m",
                                     .offsets = &offset, .count = 1 };
    switch ((int)who) {
    case OLD_MEMBER: request.generation--; break;
    case FUTURE_MEMBER: request.generation++; break;
    case MEMBER_WITHOUT_GENERATION: request.generation = -1; break;
    case STRANGER: request.member = "ghost"; break;
    case OUTSIDER: request.generation = -1, request.member = NULL; break;
    }
    return kafka_client_offset_commit(d->client, d->ctx, &request, NULL);
}

static void each_caller_gets_kafka_s_code_in_each_state(void **unused) {
    for (int state = 0; state < GROUP_STATES; state++)
        for (int who = 0; who < CALLERS; who++) {
            void *holder;
            desk_begin(&holder);
            desk *d = holder;
            bring(d, (group_state)state);
            char before[32];
            snprintf(before, sizeof before, "%s", state_of(d));
            kafka_error error = commit(d, (caller)who);
            if (error != rules[state][who])
                fail_msg("caller %d, state %d (%s): %s, not %s", who, state, before, kafka_error_name(error),
                         kafka_error_name(rules[state][who]));
            assert_i64_equal(ksim_committed_offset(SIM, "billing", "orders", 1), error == KAFKA_OK ? 7 : -1);
            if (state != MISSING) assert_string_equal(state_of(d), before);
            desk_end(&holder);
        }
}

static void anybody_may_read_what_is_committed(void **unused) {
    for (int state = 0; state < GROUP_STATES; state++) {
        void *holder;
        desk_begin(&holder);
        desk *d = holder;
        bring(d, (group_state)state);
        const kafka_topic_partition asked[] = { { "orders", 0 }, { "orders", 1 }, { "nothing", 0 } };
        kafka_group_offsets *offsets;
        assert_error(kafka_client_offset_fetch(d->client, d->ctx, "billing", asked, 3, &offsets), KAFKA_OK);
        assert_int_equal(offsets->error, KAFKA_OK);
        assert_int_equal(offsets->count, 3);
        for (size_t i = 0; i < 3; i++) { /* what is not there is -1, and no error */
            assert_int_equal(offsets->items[i].error, KAFKA_OK);
            assert_i64_equal(offsets->items[i].offset, i == 0 && state != MISSING ? 1 : -1);
        }
        kafka_group_offsets_free(offsets);
        desk_end(&holder);
    }
}

/* A commit of a member counts as a sign of life; one that is refused does not. */
static void a_commit_keeps_a_member_alive(void **state) {
    desk *d = *state;
    bring(d, STABLE); /* with a session of 60 s */
    for (int i = 0; i < 5; i++) {
        run_for(&d->stage, 40 * KAFKA_SECOND);
        assert_error(commit(d, MEMBER), KAFKA_OK);
    }
    assert_string_equal(state_of(d), "Stable");
    run_for(&d->stage, 40 * KAFKA_SECOND);
    assert_error(commit(d, OLD_MEMBER), KAFKA_ERR_ILLEGAL_GENERATION);
    run_for(&d->stage, 25 * KAFKA_SECOND);
    assert_string_equal(state_of(d), "Empty");
    assert_error(commit(d, MEMBER), KAFKA_ERR_UNKNOWN_MEMBER_ID);
}

/* A simple consumer: assign(), no membership, offsets under a group id all the same. */
static void simple_consumers_share_offsets_without_a_group(void **state) {
    desk *d = *state;
    put_numbers(&d->stage, "orders", 3, 9);
    const char *const settings[] = { "group.id=billing", "auto.offset.reset=earliest", "enable.auto.commit=false", NULL };
    const kafka_topic_partition partition = { "orders", 1 };
    kafka_records *records;
    for (int i = 0; i < 2; i++) {
        program *p = make_program(&d->stage, i == 0 ? "c1" : "c2", settings);
        assert_int_equal(kafka_consumer_assign(p->consumer, &partition, 1), KAFKA_OK);
        assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, 5 * KAFKA_SECOND, &records), KAFKA_OK);
        if (i == 1) assert_null(records); /* it goes on where the first one stopped */
        if (i == 0) assert_int_equal(records->count, 3);
        kafka_records_free(records);
        const kafka_consumer_offset commit = { .topic = "orders", .partition = 1, .offset = 3, .leader_epoch = -1, .metadata = "by c1" };
        if (i == 0) assert_int_equal(kafka_consumer_commit_sync(p->consumer, p->ctx, &commit, 1), KAFKA_OK);
    }
    assert_string_equal(state_of(d), "Empty");
    assert_string_equal(ksim_group_find(SIM, "billing")->protocol_type, "");
    assert_string_equal(ksim_group_find(SIM, "billing")->committed[0].metadata, "by c1");
    /* once the group has members a simple consumer's commits are refused */
    join_by_hand(d, NULL, NULL, d->member);
    sync_by_hand(d, NULL, NULL, 1, d->member);
    const kafka_consumer_offset late = { .topic = "orders", .partition = 1, .offset = 0, .leader_epoch = -1 };
    program *simple = &d->stage.programs[0];
    assert_int_equal(kafka_consumer_commit_sync(simple->consumer, simple->ctx, &late, 1), KAFKA_ERR_COMMIT_FAILED);
    assert_i64_equal(ksim_committed_offset(SIM, "billing", "orders", 1), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_caller_gets_kafka_s_code_in_each_state),
        cmocka_unit_test(anybody_may_read_what_is_committed),
        DESK(a_commit_keeps_a_member_alive),
        DESK(simple_consumers_share_offsets_without_a_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
