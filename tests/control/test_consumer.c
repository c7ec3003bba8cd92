/* SPDX-License-Identifier: Apache-2.0
 * Java's consumer against the cluster: reading, offsets, positions, the end. */
#include "tests/control/consumer_fixture.h"

static const char *const earliest[] = { "group.id=billing", "auto.offset.reset=earliest", NULL };

static void a_lone_consumer_reads_all_commits_and_leaves(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 3);
    put_numbers(s, "orders", 3, 1200);
    program *p = make_program(s, "c1", earliest);
    start(p, "orders");
    run_for(s, 3 * KAFKA_SECOND);
    assert_int_equal(p->delivered, 1200);
    assert_string_equal(p->log, "assigned orders-0 orders-1 orders-2; ");
    assert_string_equal(ksim_assignment(s->sim, "billing"), "c1=orders[0,1,2]");
    assert_int_equal(ksim_lag(s->sim, "billing", "orders"), 1200); /* auto-commit comes every 5 s */
    run_for(s, 4 * KAFKA_SECOND);
    assert_int_equal(ksim_lag(s->sim, "billing", "orders"), 0);
    kafka_context_cancel(p->ctx);
    run_for(s, KAFKA_SECOND);
    assert_true(p->closed);
    assert_string_equal(p->log, "assigned orders-0 orders-1 orders-2; revoked orders-0 orders-1 orders-2; ");
    assert_string_equal(ksim_group_find(s->sim, "billing")->state, "Empty");
}


static void records_come_whole_with_keys_values_headers_and_times(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    kafka_header headers[] = { { kafka_string("type"), kafka_string("paid") }, { kafka_string("none"), { NULL, 0 } } };
    kafka_message in[] = {
        { .topic = "orders", .key = kafka_string("k"), .value = kafka_string("v"), .headers = headers, .header_count = 2 },
        { .topic = "orders", .key = { NULL, 0 }, .value = kafka_string("") },
    };
    assert_int_equal(ksim_put_messages(s->sim, in, 2), KAFKA_OK);
    program *p = make_program(s, "c1", earliest);
    subscribe(p, "orders");
    kafka_records *records = NULL;
    for (int i = 0; i < 20 && records == NULL; i++)
        assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, KAFKA_SECOND, &records), KAFKA_OK);
    assert_non_null(records);
    assert_int_equal(records->count, 2);
    const kafka_message *m = records->messages;
    assert_string_equal(m[0].topic, "orders");
    assert_true(kafka_bytes_equal(m[0].key, kafka_string("k")) && kafka_bytes_equal(m[0].value, kafka_string("v")));
    assert_int_equal(m[0].header_count, 2);
    assert_true(kafka_bytes_equal(m[0].headers[0].value, kafka_string("paid")));
    assert_null(m[0].headers[1].value.data);
    assert_null(m[1].key.data);
    assert_non_null(m[1].value.data);
    assert_int_equal(m[1].value.size, 0);
    assert_i64_equal(m[1].offset, 1);
    assert_i64_equal(m[0].high_watermark, 2);
    assert_true(m[0].time > 0);
    kafka_consumer_free(p->consumer); /* records outlive their consumer */
    p->consumer = NULL;
    assert_true(kafka_bytes_equal(m[0].value, kafka_string("v")));
    kafka_records_free(records);
}

static kafka_records *poll_some(program *p) {
    kafka_records *records = NULL;
    for (int i = 0; i < 20 && records == NULL; i++)
        assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, KAFKA_SECOND, &records), KAFKA_OK);
    assert_non_null(records);
    return records;
}

static void a_kept_message_outlives_its_records_and_its_consumer(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    ksim_create_topic(s->sim, "payments", 1);
    kafka_header header = { kafka_string("type"), kafka_string("paid") };
    kafka_message in[] = { { .topic = "orders", .value = kafka_string("plain") },
                           { .topic = "payments", .value = kafka_string("headed"), .headers = &header, .header_count = 1 } };
    assert_int_equal(ksim_put_messages(s->sim, in, 2), KAFKA_OK);
    program *p = make_program(s, "c1", earliest);
    assert_int_equal(kafka_consumer_subscribe(p->consumer, (const char *[]){ "orders", "payments" }, 2, NULL), KAFKA_OK);
    kafka_message kept[2];
    size_t count = 0;
    while (count < 2) {
        kafka_records *records = poll_some(p);
        for (size_t i = 0; i < records->count; i++) {
            kept[count++] = records->messages[i];
            records->messages[i] = (kafka_message){ 0 };
        }
        kafka_records_free(records);
    }
    kafka_consumer_free(p->consumer);
    p->consumer = NULL;
    for (size_t i = 0; i < 2; i++) {
        const kafka_message *sent = &in[strcmp(kept[i].topic, "payments") == 0];
        assert_string_equal(kept[i].topic, sent->topic);
        assert_true(kafka_bytes_equal(kept[i].value, sent->value));
        assert_int_equal(kept[i].header_count, sent->header_count);
    }
    assert_string_not_equal(kept[0].topic, kept[1].topic);
    for (size_t i = 0; i < 2; i++) kafka_message_release(&kept[i]);
}

static void a_poll_returns_at_most_max_poll_records(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    put_numbers(s, "orders", 2, 50);
    program *p = make_program(s, "c1", (const char *[]){ "group.id=g", "auto.offset.reset=earliest", "max.poll.records=7", NULL });
    subscribe(p, "orders");
    size_t total = 0;
    while (total < 50) {
        kafka_records *records;
        assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, KAFKA_SECOND, &records), KAFKA_OK);
        if (records == NULL) continue;
        assert_true(records->count <= 7);
        total += records->count;
        kafka_records_free(records);
    }
    assert_int_equal(total, 50);
}

static void a_poll_without_records_returns_after_its_timeout(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    program *p = make_program(s, "c1", earliest);
    subscribe(p, "orders");
    kafka_records *records = (void *)1;
    kafka_time begin = ksim_now(s->sim);
    assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, 3 * KAFKA_SECOND, &records), KAFKA_OK);
    assert_null(records);
    assert_i64_equal(ksim_now(s->sim) - begin, 3 * KAFKA_SECOND);
    kafka_context *soon = kafka_context_with_timeout(p->ctx, KAFKA_SECOND);
    assert_int_equal(kafka_consumer_poll(p->consumer, soon, 3 * KAFKA_SECOND, &records), KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_i64_equal(ksim_now(s->sim) - begin, 4 * KAFKA_SECOND);
    kafka_context_free(soon);
}

/* ---- commits ---- */

static void what_was_committed_is_where_the_next_one_starts(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    put_numbers(s, "orders", 1, 10);
    const char *settings[] = { "group.id=g", "auto.offset.reset=earliest", "enable.auto.commit=false", NULL };
    program *p = make_program(s, "c1", settings);
    start(p, "orders");
    run_for(s, KAFKA_SECOND);
    assert_i64_equal(p->delivered, 10);
    kafka_context_cancel(p->ctx);
    run_for(s, KAFKA_SECOND);
    assert_i64_equal(ksim_committed_offset(s->sim, "g", "orders", 0), -1); /* close commits only with auto-commit */
    p = make_program(s, "c2", settings);
    p->commit_after_work = true;
    start(p, "orders");
    run_for(s, KAFKA_SECOND);
    assert_i64_equal(p->delivered, 10);
    assert_int_equal(p->commit_error, KAFKA_OK);
    assert_i64_equal(ksim_committed_offset(s->sim, "g", "orders", 0), 10);
    kafka_context_cancel(p->ctx);
    run_for(s, KAFKA_SECOND);
    p = make_program(s, "c3", settings);
    start(p, "orders");
    put_numbers(s, "orders", 1, 3);
    run_for(s, 5 * KAFKA_SECOND);
    assert_i64_equal(p->delivered, 3);
}

static void count_commit(void *argument, kafka_consumer *consumer, kafka_error error, const kafka_consumer_offset *offsets, size_t count) {
    (void)consumer;
    int64_t *seen = argument;
    seen[0] += error == KAFKA_OK;
    seen[1] += error != KAFKA_OK;
    seen[2] = count > 0 ? offsets[0].offset : -1;
}

static void an_asynchronous_commit_is_told_in_a_later_poll(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    program *p = make_program(s, "c1", earliest);
    subscribe(p, "orders");
    kafka_records *records;
    kafka_consumer_poll(p->consumer, p->ctx, KAFKA_SECOND, &records);
    int64_t seen[3] = { 0 };
    kafka_consumer_offset offset = { .topic = "orders", .partition = 0, .offset = 42, .leader_epoch = -1, .metadata = "by hand" };
    assert_int_equal(kafka_consumer_commit_async(p->consumer, &offset, 1, count_commit, seen), KAFKA_OK);
    assert_i64_equal(seen[0], 0);
    run_for(s, KAFKA_SECOND);
    assert_i64_equal(seen[0], 0); /* it is stored, but nobody polled */
    assert_i64_equal(ksim_committed_offset(s->sim, "billing", "orders", 0), 42);
    kafka_consumer_poll(p->consumer, p->ctx, 0, &records);
    assert_i64_equal(seen[0], 1);
    assert_i64_equal(seen[2], 42);
    kafka_consumer_offsets *committed;
    assert_int_equal(kafka_consumer_committed(p->consumer, p->ctx, &(kafka_topic_partition){ "orders", 0 }, 1, &committed), KAFKA_OK);
    assert_i64_equal(committed->items[0].offset, 42);
    assert_string_equal(committed->items[0].metadata, "by hand");
    kafka_consumer_offsets_free(committed);
}

static void an_asynchronous_commit_under_way_is_told_at_close(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    program *p = make_program(s, "c1", earliest);
    subscribe(p, "orders");
    kafka_records *records;
    kafka_consumer_poll(p->consumer, p->ctx, KAFKA_SECOND, &records);
    int64_t seen[3] = { 0 };
    kafka_consumer_offset offset = { .topic = "orders", .partition = 0, .offset = 42, .leader_epoch = -1 };
    assert_int_equal(kafka_consumer_commit_async(p->consumer, &offset, 1, count_commit, seen), KAFKA_OK);
    assert_int_equal(kafka_consumer_close(p->consumer), KAFKA_OK);
    assert_i64_equal(seen[0], 1);
    assert_i64_equal(seen[1], 0);
}

/* Duration.ZERO: last words, and nobody listens; the sessions close-without-waiting-* show the same of real clients. */
static void closing_within_no_time_sends_the_commit_and_the_goodbye(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    put_numbers(s, "orders", 1, 5);
    const char *const protocols[] = { "group.protocol=classic", "group.protocol=consumer" };
    for (int i = 0; i < 2; i++) {
        const char *group = i ? "group.id=g1" : "group.id=g0";
        program *p = make_program(s, i ? "c1" : "c0", (const char *[]){ group, protocols[i], "auto.offset.reset=earliest", NULL });
        subscribe(p, "orders");
        kafka_records *records = NULL;
        assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, 10 * KAFKA_SECOND, &records), KAFKA_OK);
        assert_non_null(records);
        kafka_records_free(records);
        p->log[0] = 0;
        kafka_time begin = ksim_now(s->sim);
        assert_int_equal(kafka_consumer_close_within(p->consumer, 0), KAFKA_OK);
        assert_i64_equal(ksim_now(s->sim), begin);
        assert_string_equal(p->log, "revoked orders-0; ");
        run_for(s, KAFKA_SECOND);
        assert_i64_equal(ksim_committed_offset(s->sim, group + strlen("group.id="), "orders", 0), 5);
        assert_string_equal(ksim_group_find(s->sim, group + strlen("group.id="))->state, "Empty");
    }
}

static void closing_within_no_time_looks_for_no_coordinator(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    program *p = make_program(s, "c1", earliest);
    assert_int_equal(kafka_consumer_assign(p->consumer, &(kafka_topic_partition){ "orders", 0 }, 1), KAFKA_OK);
    assert_int_equal(kafka_consumer_seek(p->consumer, "orders", 0, 3), KAFKA_OK);
    kafka_time begin = ksim_now(s->sim);
    assert_int_equal(kafka_consumer_close_within(p->consumer, 0), KAFKA_OK);
    assert_i64_equal(ksim_now(s->sim), begin);
    run_for(s, KAFKA_SECOND);
    assert_null(ksim_group_find(s->sim, "billing"));
    assert_int_equal(kafka_consumer_close_within(p->consumer, -1), KAFKA_OK); /* closed already */
}

/* ---- positions ---- */

static void partitions_can_be_assigned_by_hand_sought_and_paused(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    put_numbers(s, "orders", 2, 20);
    program *p = make_program(s, "c1", (const char *[]){ "auto.offset.reset=earliest", NULL });
    kafka_topic_partition both[] = { { "orders", 0 }, { "orders", 1 } };
    kafka_records *records;
    assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, 0, &records), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_consumer_assign(p->consumer, both, 2), KAFKA_OK);
    assert_int_equal(kafka_consumer_subscribe(p->consumer, (const char *[]){ "orders" }, 1, NULL), KAFKA_ERR_NEEDS_GROUP);
    assert_int_equal(kafka_consumer_seek(p->consumer, "orders", 0, 7), KAFKA_OK);
    assert_int_equal(kafka_consumer_seek(p->consumer, "orders", 9, 7), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_consumer_pause(p->consumer, &both[1], 1), KAFKA_OK);
    assert_true(kafka_consumer_is_paused(p->consumer, "orders", 1));
    int64_t position;
    assert_int_equal(kafka_consumer_position(p->consumer, p->ctx, "orders", 1, &position), KAFKA_OK);
    assert_i64_equal(position, 0);
    for (int i = 0; i < 5; i++) {
        kafka_consumer_poll(p->consumer, p->ctx, KAFKA_SECOND, &records);
        take(p, records);
    }
    assert_i64_equal(p->by_partition[0], 3);
    assert_i64_equal(p->by_partition[1], 0);
    assert_int_equal(kafka_consumer_resume(p->consumer, &both[1], 1), KAFKA_OK);
    assert_int_equal(kafka_consumer_seek(p->consumer, "orders", 1, KAFKA_LAST_OFFSET), KAFKA_OK);
    ksim_put(s->sim, "orders", 1, "k", "new");
    for (int i = 0; i < 5; i++) {
        kafka_consumer_poll(p->consumer, p->ctx, KAFKA_SECOND, &records);
        take(p, records);
    }
    assert_i64_equal(p->by_partition[1], 0); /* the end is that of the lookup, which is after the record came */
    ksim_put(s->sim, "orders", 1, "k", "newer");
    kafka_consumer_poll(p->consumer, p->ctx, KAFKA_SECOND, &records);
    take(p, records);
    assert_i64_equal(p->by_partition[1], 1);
    assert_int_equal(kafka_consumer_commit_sync(p->consumer, p->ctx, NULL, 0), KAFKA_ERR_NEEDS_GROUP);
}

static int64_t position_of(program *p, const char *topic, int32_t partition) {
    int64_t position;
    assert_int_equal(kafka_consumer_position(p->consumer, p->ctx, topic, partition, &position), KAFKA_OK);
    return position;
}

static void an_assignment_keeps_what_stays_and_nothing_of_what_was_gone(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "a", 3);
    ksim_create_topic(s->sim, "b", 3);
    program *p = make_program(s, "c1", (const char *[]){ "auto.offset.reset=earliest", NULL });
    kafka_topic_partition first[] = { { "a", 0 }, { "a", 2 }, { "b", 0 } }, second[] = { { "b", 0 }, { "b", 1 } },
                          third[] = { { "b", 1 }, { "a", 0 }, { "a", 1 }, { "b", 0 }, { "a", 0 } };
    assert_int_equal(kafka_consumer_assign(p->consumer, first, 3), KAFKA_OK);
    for (int i = 0; i < 3; i++) kafka_consumer_seek(p->consumer, first[i].topic, first[i].partition, 10 + i);
    kafka_consumer_pause(p->consumer, &first[2], 1);
    assert_int_equal(kafka_consumer_assign(p->consumer, second, 2), KAFKA_OK);
    assert_i64_equal(position_of(p, "b", 0), 12);
    assert_true(kafka_consumer_is_paused(p->consumer, "b", 0));
    assert_false(kafka_consumer_is_paused(p->consumer, "b", 1));
    kafka_consumer_seek(p->consumer, "b", 1, 20);
    assert_int_equal(kafka_consumer_seek(p->consumer, "a", 0, 7), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_consumer_assign(p->consumer, third, 5), KAFKA_OK);
    const kafka_topic_partition *now;
    size_t count;
    assert_int_equal(kafka_consumer_assignment(p->consumer, &now, &count), KAFKA_OK);
    assert_int_equal(count, 4);
    assert_i64_equal(position_of(p, "b", 0), 12);
    assert_i64_equal(position_of(p, "b", 1), 20);
    assert_i64_equal(position_of(p, "a", 0), 0); /* looked up anew */
    assert_i64_equal(position_of(p, "a", 1), 0);
    assert_false(kafka_consumer_is_paused(p->consumer, "a", 0));
    assert_true(kafka_consumer_is_paused(p->consumer, "b", 0));
}

static void offsets_are_found_by_time(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    int64_t start_ms = ksim_now(s->sim) / KAFKA_MILLISECOND;
    for (int i = 0; i < 5; i++) {
        ksim_put(s->sim, "orders", 0, "k", "v");
        run_for(s, KAFKA_MINUTE);
    }
    program *p = make_program(s, "c1", earliest);
    kafka_consumer_offset queries[] = { { .topic = "orders", .timestamp_ms = start_ms + 90000 }, { .topic = "orders", .timestamp_ms = start_ms + 9000000 },
                                        { .topic = "orders", .timestamp_ms = KAFKA_FIRST_OFFSET } };
    size_t count;
    int64_t of_second = ksim_records(s->sim, "orders", 0, &count)[2].time / KAFKA_MILLISECOND;
    int64_t expected[] = { 2, -1, 0 }, times[] = { of_second, -1, -1 }; /* the beginning has no time */
    for (int i = 0; i < 3; i++) {
        kafka_consumer_offsets *found;
        assert_int_equal(kafka_consumer_offsets_for_times(p->consumer, p->ctx, &queries[i], 1, &found), KAFKA_OK);
        assert_i64_equal(found->items[0].offset, expected[i]);
        assert_i64_equal(found->items[0].timestamp_ms, times[i]);
        kafka_consumer_offsets_free(found);
    }
}

static int64_t first_offset_with(stage *s, const char *client, const char *reset, kafka_error *error) {
    char setting[80], group[80];
    snprintf(setting, sizeof setting, "auto.offset.reset=%s", reset);
    snprintf(group, sizeof group, "group.id=%s", client);
    program *p = make_program(s, client, (const char *[]){ group, setting, NULL });
    subscribe(p, "orders");
    int64_t position = -1;
    kafka_records *records;
    *error = KAFKA_OK;
    for (int i = 0; i < 30 && *error == KAFKA_OK; i++) {
        *error = kafka_consumer_poll(p->consumer, p->ctx, 100 * KAFKA_MILLISECOND, &records);
        if (records == NULL) continue;
        position = records->messages[0].offset;
        kafka_records_free(records);
        break;
    }
    if (position < 0 && *error == KAFKA_OK) kafka_consumer_position(p->consumer, p->ctx, "orders", 0, &position);
    return position;
}

static void auto_offset_reset_decides_where_a_new_group_starts(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    for (int i = 0; i < 5; i++) {
        ksim_put(s->sim, "orders", 0, "k", "v");
        run_for(s, KAFKA_MINUTE);
    }
    kafka_error error;
    assert_i64_equal(first_offset_with(s, "c1", "earliest", &error), 0);
    assert_i64_equal(first_offset_with(s, "c2", "latest", &error), 5);
    assert_i64_equal(first_offset_with(s, "c3", "by_duration:PT3M30S", &error), 2);
    assert_i64_equal(first_offset_with(s, "c4", "by_duration:PT1S", &error), 5);
    first_offset_with(s, "c5", "none", &error);
    assert_int_equal(error, KAFKA_ERR_NO_OFFSET_FOR_PARTITION);
}

static void a_topic_that_appears_later_is_read(void **state) {
    stage *s = *state;
    program *p = make_program(s, "c1", (const char *[]){ "group.id=g", "auto.offset.reset=earliest", "allow.auto.create.topics=false", NULL });
    start(p, "orders");
    run_for(s, 10 * KAFKA_SECOND);
    assert_string_equal(p->log, "assigned; ");
    ksim_create_topic(s->sim, "orders", 2);
    put_numbers(s, "orders", 2, 4);
    run_for(s, 10 * KAFKA_SECOND);
    assert_string_equal(p->log, "assigned; revoked; assigned orders-0 orders-1; ");
    assert_i64_equal(p->delivered, 4);
}

static void a_consumer_that_nothing_can_wake_says_so(void **state) {
    stage *s = *state;
    program *p = make_program(s, "c1", (const char *[]){ "group.id=g", "allow.auto.create.topics=false", NULL });
    subscribe(p, "nowhere");
    kafka_records *records;
    assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, INT64_MAX, &records), KAFKA_ERR_NOTHING_CAN_WAKE);
    assert_non_null(strstr(kafka_error_detail(p->address), "kafka_consumer_poll: group g"));
}

/* Its auto-commits go on for ever, but say nothing new: periodic work, which wakes nobody. */
static void an_idle_consumer_that_commits_by_itself_is_stuck_after_ten_minutes(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    put_numbers(s, "orders", 2, 8);
    const char *const protocols[] = { "group.protocol=classic", "group.protocol=consumer" };
    for (int i = 0; i < 2; i++) {
        program *p = make_program(s, i ? "c2" : "c1", (const char *[]){ i ? "group.id=g2" : "group.id=g1", protocols[i],
                                                                       "auto.offset.reset=earliest", NULL });
        subscribe(p, "orders");
        kafka_records *records = NULL;
        kafka_error error;
        kafka_time begin = ksim_now(s->sim);
        while ((error = kafka_consumer_poll(p->consumer, p->ctx, INT64_MAX, &records)) == KAFKA_OK) take(p, records);
        assert_int_equal(error, KAFKA_ERR_NOTHING_CAN_WAKE);
        assert_i64_equal(p->delivered, 8);
        assert_i64_equal(ksim_committed_offset(s->sim, i ? "g2" : "g1", "orders", 1), 4);
        assert_in_range((ksim_now(s->sim) - begin) / KAFKA_SECOND, 600, 615);
        assert_non_null(strstr(kafka_error_detail(p->address), "for 600 s of virtual time nothing but periodic work has happened"));
        assert_int_equal(kafka_consumer_close(p->consumer), KAFKA_OK);
    }
}

static void a_moved_leader_is_followed(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 3);
    program *p = make_program(s, "c1", earliest);
    start(p, "orders");
    run_for(s, 2 * KAFKA_SECOND);
    for (int32_t broker = 1; broker <= 3; broker++) {
        for (int32_t partition = 0; partition < 3; partition++) ksim_move_leader(s->sim, "orders", partition, broker);
        put_numbers(s, "orders", 3, 30);
        run_for(s, 5 * KAFKA_SECOND);
        assert_i64_equal(p->delivered, 30 * broker);
    }
    ksim_stop_broker(s->sim, 3);
    run_for(s, 5 * KAFKA_SECOND);
    put_numbers(s, "orders", 3, 30);
    run_for(s, 10 * KAFKA_SECOND);
    assert_i64_equal(p->delivered, 120);
}

/* Its old leader says nothing for half a minute; the metadata does. Nothing else is fetched, whose answer would look again. */
static void a_leader_that_moved_while_the_old_one_is_silent_is_asked_at_once(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 2);
    ksim_move_leader(s->sim, "orders", 0, 3);
    ksim_move_leader(s->sim, "orders", 1, 2);
    program *p = make_program(s, "c1", (const char *[]){ "auto.offset.reset=earliest", "metadata.max.age.ms=2000", NULL });
    kafka_topic_partition both[] = { { "orders", 0 }, { "orders", 1 } };
    kafka_records *records;
    assert_int_equal(kafka_consumer_assign(p->consumer, both, 2), KAFKA_OK);
    assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, KAFKA_SECOND, &records), KAFKA_OK);
    kafka_consumer_pause(p->consumer, &both[1], 1);
    assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, KAFKA_SECOND, &records), KAFKA_OK);
    assert_int_equal(ksim_cut(s->sim, "c1", "broker-3"), KAFKA_OK);
    ksim_move_leader(s->sim, "orders", 0, 2);
    ksim_put(s->sim, "orders", 0, "k", "v");
    assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, 5 * KAFKA_SECOND, &records), KAFKA_OK);
    assert_non_null(records);
    kafka_records_free(records);
}

static void calls_in_the_wrong_place_are_refused_in_words(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    program *p = make_program(s, "c1", earliest);
    start(p, "orders");
    run_for(s, KAFKA_SECOND);
    kafka_records *records;
    assert_int_equal(kafka_consumer_poll(p->consumer, p->ctx, 0, &records), KAFKA_ERR_WRONG_PLACE); /* the task is in it */
    assert_int_equal(kafka_consumer_poll(NULL, p->ctx, 0, &records), KAFKA_ERR_INVALID_ARGUMENT);
    program *q = make_program(s, "c2", earliest);
    assert_int_equal(kafka_consumer_poll(q->consumer, q->ctx, -1, &records), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_consumer_poll(q->consumer, NULL, 0, &records), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_consumer_close(q->consumer), KAFKA_OK);
    assert_int_equal(kafka_consumer_close(q->consumer), KAFKA_OK);
    assert_int_equal(kafka_consumer_poll(q->consumer, q->ctx, 0, &records), KAFKA_ERR_CLOSED);
}

/* ---- details ---- */

static void expect_detail(const program *p, const char *expected) {
    if (strcmp(kafka_error_detail(p->address), expected) != 0)
        fail_msg("the detail is\n  %s\nnot\n  %s", kafka_error_detail(p->address), expected);
}

static void a_detail_is_about_the_call_that_failed(void **state) {
    stage *s = *state;
    program *p = make_program(s, "c1", earliest);
    kafka_consumer *consumer = NULL;
    kafka_consumer_config config = { .address = p->address };
    assert_int_equal(kafka_consumer_new(&config, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    expect_detail(p, "kafka_consumer_new: consumer is NULL");
    config.setting_count = 1;
    assert_int_equal(kafka_consumer_new(&config, &consumer), KAFKA_ERR_INVALID_ARGUMENT);
    expect_detail(p, "kafka_consumer_new: settings is NULL");
    config = (kafka_consumer_config){ .address = p->address, .assignor_count = 1 };
    assert_int_equal(kafka_consumer_new(&config, &consumer), KAFKA_ERR_INVALID_ARGUMENT);
    expect_detail(p, "kafka_consumer_new: assignors is NULL");
    assert_int_equal(kafka_reader_new(&(kafka_reader_config){ .address = p->address }, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    expect_detail(p, "kafka_reader_new: reader is NULL");
    assert_int_equal(kafka_writer_new(&(kafka_writer_config){ .address = p->address }, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    expect_detail(p, "kafka_writer_new: writer is NULL");
    assert_int_equal(kafka_client_new(&(kafka_client_config){ .address = p->address }, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    expect_detail(p, "kafka_client_new: client is NULL");
    assert_int_equal(kafka_consumer_group_new(&(kafka_consumer_group_config){ .address = p->address }, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    expect_detail(p, "kafka_consumer_group_new: group is NULL");
}

/* Its clock stands still here: whoever waited under it could wait for ever. */
static void a_context_of_another_simulator_is_refused_and_both_are_named(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 1);
    ksim *other = ksim_new(NULL);
    kafka_address *stranger = ksim_client(other, "stranger");
    kafka_context *ctx = kafka_background(stranger);
    program *p = make_program(s, "c1", earliest);
    subscribe(p, "orders");
    kafka_records *records = NULL;
    assert_int_equal(kafka_consumer_poll(p->consumer, ctx, 0, &records), KAFKA_ERR_INVALID_ARGUMENT);
    expect_detail(p, "kafka_consumer_poll: the context is of client process stranger in another simulator, the call is on something of c1 in "
                     "this one; a context comes from kafka_background() of an address of the same simulator");
    kafka_consumer_offset offset = { "orders", 0, 1, -1, NULL, 0, 0 };
    kafka_topic_partition place = { "orders", 0 };
    kafka_consumer_offsets *offsets;
    int64_t position;
    assert_int_equal(kafka_consumer_commit_sync(p->consumer, ctx, &offset, 1), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_consumer_committed(p->consumer, ctx, &place, 1, &offsets), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_consumer_offsets_for_times(p->consumer, ctx, &offset, 1, &offsets), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_consumer_position(p->consumer, ctx, "orders", 0, &position), KAFKA_ERR_INVALID_ARGUMENT);

    kafka_client *client;
    kafka_metadata *metadata;
    assert_int_equal(kafka_client_new(&(kafka_client_config){ .address = p->address }, &client), KAFKA_OK);
    assert_int_equal(kafka_client_metadata(client, ctx, NULL, 0, &metadata), KAFKA_ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(kafka_error_detail(p->address), "kafka_client_metadata: the context is of client process stranger"));
    kafka_client_free(client);

    kafka_writer *writer;
    kafka_message message = { .topic = "orders" };
    assert_int_equal(kafka_writer_new(&(kafka_writer_config){ .address = p->address }, &writer), KAFKA_OK);
    assert_int_equal(kafka_writer_write(writer, ctx, &message, 1, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(kafka_error_detail(p->address), "kafka_writer_write: the context is of client process stranger"));
    kafka_writer_close(writer);
    kafka_writer_free(writer);

    kafka_reader *reader;
    int64_t lag;
    assert_int_equal(kafka_reader_new(&(kafka_reader_config){ .address = p->address, .topic = "orders" }, &reader), KAFKA_OK);
    assert_int_equal(kafka_reader_fetch(reader, ctx, &message), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_reader_read_lag(reader, ctx, &lag), KAFKA_ERR_INVALID_ARGUMENT);
    kafka_reader_close(reader);
    kafka_reader_free(reader);

    const char *topics[] = { "orders" };
    kafka_consumer_group *group;
    kafka_generation *generation;
    assert_int_equal(kafka_consumer_group_new(&(kafka_consumer_group_config){ .address = p->address, .group_id = "g", .topics = topics, .topic_count = 1 },
                                              &group), KAFKA_OK);
    assert_int_equal(kafka_consumer_group_next(group, ctx, &generation), KAFKA_ERR_INVALID_ARGUMENT);
    kafka_consumer_group_close(group);
    kafka_consumer_group_free(group);
    kafka_address_free(stranger);
    ksim_free(other);
}

/* Who waited for nothing is told which partition it was about, and what stood in the way. */
static void a_detail_names_the_partition_and_what_was_waited_for(void **state) {
    stage *s = *state;
    ksim_create_topic(s->sim, "orders", 3);
    program *p = make_program(s, "c1", (const char *[]){ "group.id=g", "allow.auto.create.topics=false", NULL });
    kafka_consumer_offset unknown[] = { { "orders", 0, 1, -1, NULL, 0, 0 }, { "orders", 7, 5, -1, NULL, KAFKA_FIRST_OFFSET, 0 } };
    kafka_context *soon = kafka_context_with_timeout(p->ctx, 10 * KAFKA_SECOND);
    assert_int_equal(kafka_consumer_commit_sync(p->consumer, soon, unknown, 2), KAFKA_ERR_DEADLINE_EXCEEDED);
    expect_detail(p, "kafka_consumer_commit_sync: orders-0 and 1 more (orders-7: tried 13 times, the last one ended with "
                     "UNKNOWN_TOPIC_OR_PARTITION): the context's deadline passed; what was asked may still happen");
    kafka_context_free(soon);
    assert_int_equal(kafka_consumer_commit_sync(p->consumer, p->ctx, &unknown[1], 1), KAFKA_ERR_DEADLINE_EXCEEDED); /* default.api.timeout.ms */
    expect_detail(p, "kafka_consumer_commit_sync: orders-7 (orders-7: tried 63 times, the last one ended with "
                     "UNKNOWN_TOPIC_OR_PARTITION): the context's deadline passed; what was asked may still happen");
    kafka_consumer_offsets *offsets;
    assert_int_equal(kafka_consumer_offsets_for_times(p->consumer, p->ctx, unknown, 2, &offsets), KAFKA_ERR_DEADLINE_EXCEEDED);
    expect_detail(p, "kafka_consumer_offsets_for_times: orders-0 and 1 more (orders-7: the topic has 3 partitions): the context's deadline "
                     "passed; what was asked may still happen");
    char long_remark[5000] = { 0 };
    memset(long_remark, 'x', sizeof long_remark - 1);
    kafka_consumer_offset remark = { "orders", 2, 1, -1, long_remark, 0, 0 };
    assert_int_equal(kafka_consumer_commit_sync(p->consumer, p->ctx, &remark, 1), KAFKA_ERR_OFFSET_METADATA_TOO_LARGE);
    assert_memory_equal(kafka_error_detail(p->address), "kafka_consumer_commit_sync: orders-2: ", 38);

    kafka_topic_partition places[] = { { "orders", 7 }, { "nowhere", 0 } };
    assert_int_equal(kafka_consumer_assign(p->consumer, places, 2), KAFKA_OK);
    int64_t position;
    soon = kafka_context_with_timeout(p->ctx, 10 * KAFKA_SECOND);
    assert_int_equal(kafka_consumer_position(p->consumer, soon, "orders", 7, &position), KAFKA_ERR_DEADLINE_EXCEEDED);
    expect_detail(p, "kafka_consumer_position: orders-7 (the topic has 3 partitions): the context's deadline passed; what was asked may still happen");
    kafka_context_free(soon);
    assert_int_equal(kafka_consumer_position(p->consumer, p->ctx, "nowhere", 0, &position), KAFKA_ERR_DEADLINE_EXCEEDED);
    expect_detail(p, "kafka_consumer_position: nowhere-0 (the brokers know no such topic): the context's deadline passed; what was asked may still happen");

    for (int32_t broker = 1; broker <= 3; broker++) ksim_stop_broker(s->sim, broker);
    run_for(s, KAFKA_SECOND);
    assert_int_equal(kafka_consumer_committed(p->consumer, p->ctx, places, 1, &offsets), KAFKA_ERR_DEADLINE_EXCEEDED);
    expect_detail(p, "kafka_consumer_committed: orders-7 (the coordinator of group g has not been found): the context's deadline passed; "
                     "what was asked may still happen");
    program *late = make_program(s, "c2", (const char *[]){ "group.id=g", NULL });
    assert_int_equal(kafka_consumer_committed(late->consumer, late->ctx, places, 1, &offsets), KAFKA_ERR_DEADLINE_EXCEEDED);
    expect_detail(late, "kafka_consumer_committed: orders-7 (no broker has answered): the context's deadline passed; what was asked may "
                        "still happen");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin, stage_end)
    const struct CMUnitTest tests[] = {
        TEST(a_lone_consumer_reads_all_commits_and_leaves),
        TEST(records_come_whole_with_keys_values_headers_and_times),
        TEST(a_kept_message_outlives_its_records_and_its_consumer),
        TEST(a_poll_returns_at_most_max_poll_records),
        TEST(a_poll_without_records_returns_after_its_timeout),
        TEST(what_was_committed_is_where_the_next_one_starts),
        TEST(an_asynchronous_commit_is_told_in_a_later_poll),
        TEST(an_asynchronous_commit_under_way_is_told_at_close),
        TEST(closing_within_no_time_sends_the_commit_and_the_goodbye),
        TEST(closing_within_no_time_looks_for_no_coordinator),
        TEST(partitions_can_be_assigned_by_hand_sought_and_paused),
        TEST(an_assignment_keeps_what_stays_and_nothing_of_what_was_gone),
        TEST(offsets_are_found_by_time),
        TEST(auto_offset_reset_decides_where_a_new_group_starts),
        TEST(a_topic_that_appears_later_is_read),
        TEST(a_consumer_that_nothing_can_wake_says_so),
        TEST(an_idle_consumer_that_commits_by_itself_is_stuck_after_ten_minutes),
        TEST(a_moved_leader_is_followed),
        TEST(a_leader_that_moved_while_the_old_one_is_silent_is_asked_at_once),
        TEST(calls_in_the_wrong_place_are_refused_in_words),
        TEST(a_detail_is_about_the_call_that_failed),
        TEST(a_context_of_another_simulator_is_refused_and_both_are_named),
        TEST(a_detail_names_the_partition_and_what_was_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
