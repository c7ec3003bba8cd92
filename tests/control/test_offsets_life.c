/* SPDX-License-Identifier: Apache-2.0
 * The life of committed offsets, with consumers that commit them: how long they are kept (KIP-211), who may still commit, what
 * becomes of them when topics go and coordinators move, and how they lie in __consumer_offsets. */
#include "tests/control/admin_fixture.h"

#define SIM DESK_SIM(d)
#define MINUTE (60 * KAFKA_SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const char *const modes[] = { "group.protocol=classic", "group.protocol=consumer" };

static program *member(desk *d, const char *name, const char *const *more, const char *topic) {
    const char *settings[SETTINGS_MAX] = { "group.id=billing", "auto.commit.interval.ms=1000" };
    size_t count = 2;
    while (*more != NULL) settings[count++] = *more++;
    program *p = make_program(&d->stage, name, settings);
    start(p, topic);
    return p;
}
#define MEMBER(d, name, topic, ...) member(d, name, (const char *const[]){ __VA_ARGS__, NULL }, topic)

static void stop(desk *d, program *p) {
    kafka_context_cancel(p->ctx);
    run_for(&d->stage, 2 * KAFKA_SECOND);
    assert_true(p->closed);
}

static int64_t committed(desk *d, const char *topic, int32_t partition) {
    return ksim_committed_offset(SIM, "billing", topic, partition);
}

/* ---- expiry (KIP-211) ---- */

/* A new member without offsets begins where auto.offset.reset says: 3 records are there, one comes later. */
static void expect_a_new_beginning(desk *d, const char *mode) {
    program *latest = MEMBER(d, "c2", "orders", mode, "auto.offset.reset=latest");
    run_for(&d->stage, 10 * KAFKA_SECOND);
    assert_int_equal(ksim_put(SIM, "orders", 0, "k", "v"), KAFKA_OK);
    run_for(&d->stage, 10 * KAFKA_SECOND);
    assert_i64_equal(latest->delivered, 1);
    stop(d, latest);
}

static void a_week_after_the_last_member_left_the_offsets_expire(void **unused) {
    for (int i = 0; i < 2; i++) {
        void *state;
        desk_begin(&state);
        desk *d = state;
        put_numbers(&d->stage, "orders", 3, 3);
        program *p = MEMBER(d, "c1", "orders", modes[i], "auto.offset.reset=earliest");
        run_for(&d->stage, 10 * KAFKA_SECOND);
        assert_i64_equal(p->delivered, 3);
        stop(d, p); /* which commits a last time */
        run_for(&d->stage, 7 * DAY - MINUTE);
        assert_i64_equal(committed(d, "orders", 0), 1);
        run_for(&d->stage, 11 * MINUTE); /* the check comes every ten */
        assert_i64_equal(committed(d, "orders", 0), -1);
        assert_null(ksim_group_find(SIM, "billing")); /* and with its last offset the group */
        expect_a_new_beginning(d, modes[i]);
        desk_end(&state);
    }
}

static void a_group_that_comes_back_in_time_goes_on(void **unused) {
    for (int i = 0; i < 2; i++) {
        void *state;
        desk_begin(&state);
        desk *d = state;
        put_numbers(&d->stage, "orders", 3, 3);
        program *p = MEMBER(d, "c1", "orders", modes[i], "auto.offset.reset=earliest");
        run_for(&d->stage, 10 * KAFKA_SECOND);
        stop(d, p);
        run_for(&d->stage, 6 * DAY);
        p = MEMBER(d, "c2", "orders", modes[i], "auto.offset.reset=earliest");
        run_for(&d->stage, 10 * KAFKA_SECOND);
        assert_i64_equal(p->delivered, 0);
        desk_end(&state);
    }
}

/* Ten minutes of retention, looked at every minute: what takes a week otherwise. */
static int short_retention(void **state) {
    static const ksim_setting settings[] = { { "group.initial.rebalance.delay.ms", "0" },
                                             { "offsets.retention.minutes", "10" },
                                             { "offsets.retention.check.interval.ms", "60000" },
                                             { NULL, NULL } };
    return desk_begin_with(state, settings);
}

static void an_idle_member_keeps_what_it_subscribes_to_and_only_that(void **unused) {
    for (int i = 0; i < 2; i++) {
        void *state;
        short_retention(&state);
        desk *d = state;
        commit_from_outside(d, "orders", 0, 0);
        commit_from_outside(d, "returns", 0, 0);
        program *p = MEMBER(d, "c1", "orders", modes[i], "enable.auto.commit=false");
        run_for(&d->stage, 9 * MINUTE);
        assert_i64_equal(committed(d, "returns", 0), 0);
        run_for(&d->stage, 3 * MINUTE);
        assert_i64_equal(committed(d, "returns", 0), -1);
        run_for(&d->stage, 3 * HOUR);
        assert_i64_equal(committed(d, "orders", 0), 0);
        stop(d, p);
        desk_end(&state);
    }
}

/* The two protocols count from different times: classic from when the group became empty, KIP-848 from the last commit. */
static void an_old_commit_outlives_its_classic_group_s_last_member_only(void **unused) {
    for (int i = 0; i < 2; i++) {
        void *state;
        short_retention(&state);
        desk *d = state;
        commit_from_outside(d, "orders", 0, 0);
        program *p = MEMBER(d, "c1", "orders", modes[i], "enable.auto.commit=false");
        run_for(&d->stage, HOUR);
        stop(d, p);
        run_for(&d->stage, 2 * MINUTE);
        assert_i64_equal(committed(d, "orders", 0), i == 0 ? 0 : -1);
        run_for(&d->stage, 10 * MINUTE);
        assert_i64_equal(committed(d, "orders", 0), -1);
        desk_end(&state);
    }
}

static void offsets_without_members_expire_each_by_its_own_commit(void **state) {
    desk *d = *state;
    commit_from_outside(d, "orders", 0, 1);
    run_for(&d->stage, 6 * MINUTE);
    commit_from_outside(d, "orders", 1, 1);
    run_for(&d->stage, 6 * MINUTE);
    assert_i64_equal(committed(d, "orders", 0), -1);
    assert_i64_equal(committed(d, "orders", 1), 1);
    run_for(&d->stage, 6 * MINUTE);
    assert_null(ksim_group_find(SIM, "billing"));
}

/* ---- topics that go ---- */

static void a_deleted_topic_takes_its_offsets_along_and_a_new_one_begins_anew(void **unused) {
    for (int i = 0; i < 2; i++) {
        void *state;
        const char *const orders = "orders";
        desk_begin(&state);
        desk *d = state;
        put_numbers(&d->stage, "orders", 3, 30);
        commit_from_outside(d, "returns", 0, 5);
        program *p = MEMBER(d, "c1", "orders", modes[i], "auto.offset.reset=earliest");
        run_for(&d->stage, 10 * KAFKA_SECOND);
        assert_i64_equal(p->delivered, 30);
        stop(d, p);
        assert_error(kafka_client_delete_topics(d->client, d->ctx, &orders, 1, NULL), KAFKA_OK);
        for (int32_t partition = 0; partition < 3; partition++) assert_i64_equal(committed(d, "orders", partition), -1);
        assert_i64_equal(committed(d, "returns", 0), 5);
        assert_int_equal(ksim_create_topic(SIM, "orders", 3), KAFKA_OK);
        put_numbers(&d->stage, "orders", 3, 6);
        p = MEMBER(d, "c2", "orders", modes[i], "auto.offset.reset=earliest");
        run_for(&d->stage, 10 * KAFKA_SECOND);
        assert_i64_equal(p->delivered, 6);
        stop(d, p);
        desk_end(&state);
    }
}

/* ---- late commits ---- */

typedef struct refusal { /* what the trace said of the last commit that was refused */
    char member[128], topic[64];
    int64_t generation, partition, offset, code;
    int count;
} refusal;

static void note_refusal(void *context, const ksim_event *event) { /* the first one: of what was worked on when it was paused */
    refusal *seen = context;
    kafka_bytes member, topic;
    if (strcmp(ksim_event_kind(event), "offset_commit_refused") != 0 || seen->count++ > 0) return;
    if (ksim_event_bytes(event, "Member", &member))
        snprintf(seen->member, sizeof seen->member, "%.*s", (int)member.size, (const char *)member.data);
    ksim_event_int(event, "Generation", &seen->generation);
    ksim_event_int(event, "Partitions[0].Partition", &seen->partition);
    ksim_event_int(event, "Partitions[0].Offset", &seen->offset);
    ksim_event_int(event, "ErrorCode", &seen->code);
    if (ksim_event_bytes(event, "Topic", &topic))
        snprintf(seen->topic, sizeof seen->topic, "%.*s", (int)topic.size, (const char *)topic.data);
}

static void a_zombie_s_commit_is_refused_and_the_trace_says_why(void **unused) {
    for (int i = 0; i < 2; i++) {
        void *state;
        refusal seen = { 0 };
        desk_begin(&state);
        desk *d = state;
        ksim_subscription *subscription = ksim_trace_subscribe(SIM, note_refusal, &seen);
        program *zombie = MEMBER(d, "c1", "orders", modes[i], "auto.offset.reset=earliest", "enable.auto.commit=false");
        zombie->commit_after_work = true;
        zombie->work = 5 * KAFKA_SECOND;
        run_for(&d->stage, 10 * KAFKA_SECOND);
        char id[128];
        snprintf(id, sizeof id, "%s", ksim_group_find(SIM, "billing")->members[0].id);
        int32_t generation = ksim_group_find(SIM, "billing")->generation;
        put_numbers(&d->stage, "orders", 1, 4);
        run_for(&d->stage, 2 * KAFKA_SECOND); /* it works on them */
        ksim_pause(SIM, "c1");
        program *heir = MEMBER(d, "c2", "orders", modes[i], "auto.offset.reset=earliest", "enable.auto.commit=false");
        heir->commit_after_work = true;
        run_for(&d->stage, 2 * MINUTE); /* the session is over: the heir has done the same work */
        assert_i64_equal(heir->delivered, 4);
        assert_i64_equal(committed(d, "orders", 0), 4);
        assert_int_equal(seen.count, 0);
        put_numbers(&d->stage, "orders", 1, 3);
        run_for(&d->stage, 5 * KAFKA_SECOND);
        assert_i64_equal(committed(d, "orders", 0), 7);
        ksim_resume(SIM, "c1");
        run_for(&d->stage, 10 * KAFKA_SECOND);
        assert_int_equal(zombie->commit_error, KAFKA_ERR_COMMIT_FAILED);
        assert_i64_equal(committed(d, "orders", 0), 7); /* not back to 4 */
        assert_int_equal(seen.code, KAFKA_ERR_UNKNOWN_MEMBER_ID);
        assert_string_equal(seen.member, id);
        assert_i64_equal(seen.generation, generation);
        assert_i64_equal(seen.partition, 0);
        assert_i64_equal(seen.offset, 1); /* the first of the four came alone, and it was still working on it */
        assert_string_equal(seen.topic, "orders");
        ksim_trace_unsubscribe(SIM, subscription);
        desk_end(&state);
    }
}

/* ---- a coordinator that goes, with members and commits under way ---- */

static void produce_for(desk *d, int64_t seconds, int *sent) {
    for (int64_t i = 0; i < seconds; i++) {
        for (int32_t partition = 0; partition < 3; partition++)
            assert_int_equal(ksim_put(SIM, "orders", partition, "k", "v"), KAFKA_OK);
        *sent += 3;
        run_for(&d->stage, KAFKA_SECOND);
    }
}

typedef enum departure { DIES, MOVES, MOVES_TO_AND_FRO } departure;

static void depart(desk *d, departure how) {
    int32_t from = ksim_group_find(SIM, "billing")->coordinator, other = from % 3 + 1;
    if (how == DIES) {
        assert_int_equal(ksim_stop_broker(SIM, from), KAFKA_OK);
        return;
    }
    assert_int_equal(ksim_move_coordinator(SIM, "billing", other), KAFKA_OK);
    if (how == MOVES_TO_AND_FRO) {
        run_for(&d->stage, 5 * KAFKA_MILLISECOND); /* while it is still loading */
        assert_int_equal(ksim_move_coordinator(SIM, "billing", from), KAFKA_OK);
    }
}

/* Nobody notices but for a commit or a heartbeat that is sent twice: the same generation, members and offsets. */
static void failover(const char *mode, departure how) {
    void *state;
    int sent = 0;
    desk_begin(&state);
    desk *d = state;
    commit_from_outside(d, "returns", 0, 5); /* what nobody will commit again */
    program *one = MEMBER(d, "c1", "orders", mode, "auto.offset.reset=earliest", "enable.auto.commit=false");
    program *two = MEMBER(d, "c2", "orders", mode, "auto.offset.reset=earliest", "enable.auto.commit=false");
    one->commit_after_work = two->commit_after_work = true;
    assert_ksim_ok(SIM, ksim_run_until_group_stable(SIM, "billing"));
    run_for(&d->stage, 20 * KAFKA_SECOND);
    produce_for(d, 10, &sent);
    char before[256], one_was_told[sizeof one->log], two_was_told[sizeof two->log];
    snprintf(before, sizeof before, "%s", ksim_assignment(SIM, "billing"));
    memcpy(one_was_told, one->log, sizeof one_was_told);
    memcpy(two_was_told, two->log, sizeof two_was_told);
    int32_t generation = ksim_group_find(SIM, "billing")->generation;
    for (int32_t partition = 0; partition < 3; partition++) assert_i64_equal(committed(d, "orders", partition), 10);
    ksim_rule *hold = ksim_rule_add(SIM, &(ksim_rule_config){ .api = "OffsetCommit", .first = 2, .action = KSIM_DELAY,
                                                              .delay = 100 * KAFKA_MILLISECOND });
    for (int32_t partition = 0; partition < 3; partition++) assert_int_equal(ksim_put(SIM, "orders", partition, "k", "v"), KAFKA_OK);
    sent += 3;
    assert_ksim_ok(SIM, ksim_run_until_rule(SIM, hold, 2)); /* both commits are on their way */
    depart(d, how);
    produce_for(d, 20, &sent);
    run_for(&d->stage, 10 * KAFKA_SECOND);
    assert_string_equal(ksim_group_find(SIM, "billing")->state, "Stable");
    assert_int_equal(ksim_group_find(SIM, "billing")->generation, generation);
    assert_string_equal(ksim_assignment(SIM, "billing"), before);
    assert_string_equal(one->log, one_was_told);
    assert_string_equal(two->log, two_was_told);
    assert_int_equal(one->commit_error, KAFKA_OK);
    assert_int_equal(two->commit_error, KAFKA_OK);
    assert_i64_equal(one->delivered + two->delivered, sent); /* nothing lost, nothing twice */
    assert_i64_equal(committed(d, "returns", 0), 5);
    for (int32_t partition = 0; partition < 3; partition++) assert_i64_equal(committed(d, "orders", partition), 31);
    desk_end(&state);
}

static void a_group_lives_on_when_its_coordinator_goes(void **unused) {
    for (int i = 0; i < 2; i++)
        for (int how = DIES; how <= MOVES_TO_AND_FRO; how++) failover(modes[i], (departure)how);
}

/* One that dies in the middle of a rebalance: the members find the new one and finish it there. */
static void a_rebalance_is_finished_at_the_next_coordinator(void **unused) {
    for (int i = 0; i < 2; i++) {
        void *state;
        int sent = 0;
        desk_begin(&state);
        desk *d = state;
        program *one = MEMBER(d, "c1", "orders", modes[i], "auto.offset.reset=earliest");
        run_for(&d->stage, 10 * KAFKA_SECOND);
        produce_for(d, 5, &sent);
        const char *api = i == 0 ? "SyncGroup" : "ConsumerGroupHeartbeat";
        ksim_rule *joining = ksim_rule_add(SIM, &(ksim_rule_config){ .api = api, .client = "c2", .nth = 1,
                                                                     .action = KSIM_DELAY, .delay = KAFKA_SECOND });
        program *two = MEMBER(d, "c2", "orders", modes[i], "auto.offset.reset=earliest");
        assert_ksim_ok(SIM, ksim_run_until_rule(SIM, joining, 1));
        depart(d, DIES);
        produce_for(d, 30, &sent);
        assert_ksim_ok(SIM, ksim_run_until_group_stable(SIM, "billing"));
        run_for(&d->stage, 20 * KAFKA_SECOND);
        assert_int_equal(ksim_group_find(SIM, "billing")->member_count, 2);
        assert_true(one->delivered + two->delivered >= sent);
        assert_i64_equal(ksim_lag(SIM, "billing", "orders"), 0);
        desk_end(&state);
    }
}

/* ---- __consumer_offsets, read like any other topic ---- */

typedef struct bytes { /* what Kafka's classes would write, put together by hand */
    uint8_t at[1024];
    size_t size;
} bytes;

static void put(bytes *to, int64_t value, int width) {
    for (int i = width - 1; i >= 0; i--) to->at[to->size++] = (uint8_t)(value >> (8 * i));
}
static void put_text(bytes *to, const char *text) { /* int16 length; NULL is -1 */
    put(to, text != NULL ? (int64_t)strlen(text) : -1, 2);
    if (text == NULL) return;
    memcpy(to->at + to->size, text, strlen(text));
    to->size += strlen(text);
}
static void put_blob(bytes *to, const uint8_t *blob, size_t size) { /* int32 length */
    put(to, (int64_t)size, 4);
    memcpy(to->at + to->size, blob, size);
    to->size += size;
}

static kafka_records *read_internal_topic(desk *d) {
    const char *const settings[] = { "auto.offset.reset=earliest", NULL };
    kafka_topic_partition partitions[50];
    for (int32_t i = 0; i < 50; i++) partitions[i] = (kafka_topic_partition){ "__consumer_offsets", i };
    program *reader = make_program(&d->stage, "reader", settings);
    assert_int_equal(kafka_consumer_assign(reader->consumer, partitions, 50), KAFKA_OK);
    kafka_records *records = NULL;
    assert_int_equal(kafka_consumer_poll(reader->consumer, reader->ctx, 10 * KAFKA_SECOND, &records), KAFKA_OK);
    assert_non_null(records);
    return records;
}

static uint8_t byte_of(kafka_bytes from, size_t i) { return i < from.size ? ((const uint8_t *)from.data)[i] : 0; }

static void expect_bytes(const char *what, kafka_bytes found, const bytes *expected) {
    if (found.size == expected->size && memcmp(found.data, expected->at, found.size) == 0) return;
    for (size_t i = 0; i < found.size || i < expected->size; i++)
        print_error("%3zu: %02x %02x\n", i, byte_of(found, i), i < expected->size ? expected->at[i] : 0);
    fail_msg("%s: %zu bytes (left) are not the %zu expected (right)", what, found.size, expected->size);
}

static void the_log_of_a_classic_group_has_kafka_s_bytes(void **state) {
    desk *d = *state;
    join_by_hand(d, "till-1", NULL, d->member);
    int64_t joined_ms = ksim_now(SIM) / KAFKA_MILLISECOND;
    sync_by_hand(d, "till-1", NULL, 1, d->member);
    const kafka_group_offset offset = { .topic = "orders", .partition = 2, .offset = 258, .metadata = "half way" };
    const kafka_commit_request commit = {
        .group = "billing", .generation = 1, .member = d->member, .group_instance = "till-1", .offsets = &offset, .count = 1
    };
    assert_int_equal(kafka_client_offset_commit(d->worker, d->worker_ctx, &commit, NULL), KAFKA_OK);
    int64_t committed_ms = ksim_now(SIM) / KAFKA_MILLISECOND;
    const char *const client_id = ksim_group_find(SIM, "billing")->members[0].client_id;
    char client[128];
    snprintf(client, sizeof client, "%s", client_id);

    bytes group_key = { .size = 0 }, group_value = { .size = 0 }, offset_key = { .size = 0 }, offset_value = { .size = 0 };
    put(&group_key, 2, 2); /* GroupMetadataKey version 2 */
    put_text(&group_key, "billing");
    put(&group_value, 3, 2); /* GroupMetadataValue version 3 */
    put_text(&group_value, "consumer");
    put(&group_value, 1, 4); /* generation */
    put_text(&group_value, "range");
    put_text(&group_value, d->member); /* leader */
    size_t time_at = group_value.size;
    put(&group_value, joined_ms, 8); /* of the state */
    put(&group_value, 1, 4);         /* members */
    put_text(&group_value, d->member);
    put_text(&group_value, "till-1");
    put_text(&group_value, client);
    put_text(&group_value, "/worker");
    put(&group_value, 300000, 4); /* rebalance time-out */
    put(&group_value, 60000, 4);  /* session time-out */
    put_blob(&group_value, subscription_to_orders, sizeof subscription_to_orders);
    put_blob(&group_value, all_orders, sizeof all_orders);
    put(&offset_key, 1, 2); /* OffsetCommitKey version 1 */
    put_text(&offset_key, "billing");
    put_text(&offset_key, "orders");
    put(&offset_key, 2, 4);
    put(&offset_value, 3, 2); /* OffsetCommitValue version 3 */
    put(&offset_value, 258, 8);
    put(&offset_value, -1, 4); /* leader epoch: not known */
    put_text(&offset_value, "half way");
    size_t commit_time_at = offset_value.size;
    put(&offset_value, committed_ms, 8);

    kafka_records *records = read_internal_topic(d);
    assert_true(records->count >= 2);
    const kafka_message *group = &records->messages[records->count - 2], *last = &records->messages[records->count - 1];
    /* times of some milliseconds ago: what came back says which */
    for (size_t i = 0; i < 8; i++) {
        group_value.at[time_at + i] = byte_of(group->value, time_at + i);
        offset_value.at[commit_time_at + i] = byte_of(last->value, commit_time_at + i);
    }
    expect_bytes("key of the group", group->key, &group_key);
    expect_bytes("value of the group", group->value, &group_value);
    expect_bytes("key of the offset", last->key, &offset_key);
    expect_bytes("value of the offset", last->value, &offset_value);
    int64_t written = 0;
    for (size_t i = 0; i < 8; i++) written = written << 8 | byte_of(last->value, commit_time_at + i);
    assert_in_range(committed_ms - written, 0, 5);
    kafka_records_free(records);
}

/* Of KIP-848: keys of versions 3 to 8, values with compact strings and a byte for tagged fields; tombstones at the end. */
static void the_log_of_a_modern_group_has_kafka_s_bytes(void **state) {
    desk *d = *state;
    bring(d, MODERN_EMPTY);
    const char *const billing = "billing";
    bytes metadata_key = { .size = 0 }, first_epoch = { .size = 0 }, member_key = { .size = 0 };
    put(&metadata_key, 3, 2); /* ConsumerGroupMetadataKey */
    put_text(&metadata_key, "billing");
    put(&first_epoch, 0, 2); /* ConsumerGroupMetadataValue version 0 */
    put(&first_epoch, 1, 4);
    put(&first_epoch, 0, 1); /* no tagged fields */
    put(&member_key, 8, 2);  /* ConsumerGroupCurrentMemberAssignmentKey */
    put_text(&member_key, "billing");
    put_text(&member_key, d->member);
    assert_error(kafka_client_delete_consumer_groups(d->client, d->ctx, &billing, 1, NULL), KAFKA_OK);
    kafka_records *records = read_internal_topic(d);
    int epochs = 0, assignments = 0;
    bool last_is_tombstone = false, kinds[9] = { false };
    for (size_t i = 0; i < records->count; i++) {
        const kafka_message *record = &records->messages[i];
        assert_true(record->key.size >= 2 && byte_of(record->key, 0) == 0 && byte_of(record->key, 1) <= 8);
        kinds[byte_of(record->key, 1)] = true;
        bool metadata = kafka_bytes_equal(record->key, (kafka_bytes){ metadata_key.at, metadata_key.size });
        if (metadata && epochs++ == 0) expect_bytes("the first epoch", record->value, &first_epoch);
        if (metadata) last_is_tombstone = record->value.data == NULL;
        assignments += kafka_bytes_equal(record->key, (kafka_bytes){ member_key.at, member_key.size });
    }
    assert_true(last_is_tombstone);
    assert_true(epochs >= 3);      /* joined, left, deleted */
    assert_true(assignments >= 2); /* it got one, and it left */
    for (int kind = 3; kind <= 8; kind++)
        if (!kinds[kind]) fail_msg("there is no record with a key of version %d", kind);
    kafka_records_free(records);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_week_after_the_last_member_left_the_offsets_expire),
        cmocka_unit_test(a_group_that_comes_back_in_time_goes_on),
        cmocka_unit_test(an_idle_member_keeps_what_it_subscribes_to_and_only_that),
        cmocka_unit_test(an_old_commit_outlives_its_classic_group_s_last_member_only),
        cmocka_unit_test_setup_teardown(offsets_without_members_expire_each_by_its_own_commit, short_retention, desk_end),
        cmocka_unit_test(a_deleted_topic_takes_its_offsets_along_and_a_new_one_begins_anew),
        cmocka_unit_test(a_zombie_s_commit_is_refused_and_the_trace_says_why),
        cmocka_unit_test(a_group_lives_on_when_its_coordinator_goes),
        cmocka_unit_test(a_rebalance_is_finished_at_the_next_coordinator),
        DESK(the_log_of_a_classic_group_has_kafka_s_bytes),
        DESK(the_log_of_a_modern_group_has_kafka_s_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
