/* SPDX-License-Identifier: Apache-2.0
 * Fetch by request: limits, waiting, waking, errors and answers by version (LG-24 to LG-33). */
#include "tests/broker/support/world.h"

typedef ks_fetch_response_partition_data data;

static int setup(void **state) {
    *state = calloc(1, sizeof(world));
    world_init(*state, &(ks_cluster_config){ .brokers = 3, .plain_placement = true });
    return 0;
}

static int teardown(void **state) {
    world_deinit(*state);
    free(*state);
    return 0;
}

static int64_t fill(world *w, const ks_topic *topic, int32_t partition,
                    int32_t batches) { /* of two records; gives a batch's size */
    int64_t before = ks_log_size(topic->partitions[partition]->log);
    for (int32_t i = 0; i < batches; i++) {
        assert_int_equal(produce(w, topic, partition, make_batch(w, 2, "some value", ks_now_ms(w->kernel)))->error_code,
                         0);
    }
    return (ks_log_size(topic->partitions[partition]->log) - before) / batches;
}

static ks_fetch_request *body(ks_envelope *request) { return request->body; }

/* ---- what is read ---- */

static void a_fetch_gives_whole_batches_from_the_one_that_holds_the_offset(void **state) { /* LG-29 */
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    int64_t size = fill(w, topic, 0, 3);
    data *d = fetch(w, topic, 0, 3);
    assert_int_equal(d->error_code, 0);
    assert_i64_equal(d->high_watermark, 6);
    assert_i64_equal(d->last_stable_offset, 6);
    assert_i64_equal(d->log_start_offset, 0);
    assert_i64_equal(d->records.size, 2 * size);
    ks_batch_header header;
    assert_true(ks_batch_read_header(d->records, &header));
    assert_i64_equal(header.base_offset, 2);
    assert_int_equal(header.leader_epoch, 0);
}

static void the_first_batch_comes_whatever_the_limits_then_the_limits_hold(void **state) { /* LG-28 */
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    int64_t size = fill(w, topic, 0, 5);
    const struct {
        int64_t partition_max, max;
        int64_t batches;
    } rows[] = {
        { 1, 1 << 20, 1 },
        { 1 << 20, 1, 1 },
        { 0, 0, 1 },
        { size, 1 << 20, 1 },
        { 2 * size - 1, 1 << 20, 1 },
        { 2 * size, 1 << 20, 2 },
        { 1 << 20, 3 * size, 3 },
        { 1 << 20, 1 << 20, 5 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ks_envelope *request = fetch_request(w, 12, topic, 0, 0, 1, 0);
        body(request)->max_bytes = (int32_t)rows[i].max;
        body(request)->topics.items[0].partitions.items[0].partition_max_bytes = (int32_t)rows[i].partition_max;
        data *d = first_partition(ask(w, 1, request));
        if (d->records.size != rows[i].batches * size) fail_msg("row %zu: %d bytes", i, d->records.size);
    }
}

static ks_envelope *two_partitions(world *w, const ks_topic *topic, int64_t first_offset, int32_t max_bytes) {
    ks_envelope *request = fetch_request(w, 12, topic, 0, first_offset, 1, 0);
    REQUEST_ARRAY(request, body(request)->topics.items[0].partitions, 2, fetch_request_partition);
    for (int32_t i = 0; i < 2; i++) {
        body(request)->topics.items[0].partitions.items[i].partition = i;
        body(request)->topics.items[0].partitions.items[i].partition_max_bytes = 1 << 20;
    }
    body(request)->topics.items[0].partitions.items[0].fetch_offset = first_offset;
    body(request)->max_bytes = max_bytes;
    return request;
}

static void empty_partitions_do_not_use_up_the_right_to_one_batch(void **state) { /* LG-28 */
    world *w = *state;
    ks_topic *topic = make_configured(w, "t", NULL);
    assert_int_equal(ks_cluster_add_partitions(topic, 2, (int32_t[]){ 1 }, false, NULL), KAFKA_OK);
    int64_t size = fill(w, topic, 0, 2);
    fill(w, topic, 1, 2);
    ks_fetch_response *out = ask(w, 1, two_partitions(w, topic, 4, 1));
    assert_int_equal(out->responses.items[0].partitions.items[0].records.size, 0);
    assert_i64_equal(out->responses.items[0].partitions.items[1].records.size, size);
    out = ask(w, 1, two_partitions(w, topic, 0, 1));
    assert_i64_equal(out->responses.items[0].partitions.items[0].records.size, size);
    assert_int_equal(out->responses.items[0].partitions.items[1].records.size, 0);
    out = ask(w, 1, two_partitions(w, topic, 0, (int32_t)(3 * size)));
    assert_i64_equal(out->responses.items[0].partitions.items[0].records.size, 2 * size);
    assert_i64_equal(out->responses.items[0].partitions.items[1].records.size, size);
}

static void one_read_never_crosses_a_segment(void **state) { /* LG-29 */
    world *w = *state;
    ks_topic *topic = make_configured(w, "t", "segment.bytes", "200", NULL);
    int64_t size = fill(w, topic, 0, 4);
    assert_true(ks_log_segment_count(topic->partitions[0]->log) > 1);
    assert_true(fetch(w, topic, 0, 0)->records.size < 4 * size);
    int64_t offset = 0;
    while (offset < 8) { /* but reading on gives all of it */
        data *d = fetch(w, topic, 0, offset);
        ks_record_iterator iterator;
        ks_records_begin(&iterator, d->records);
        while (ks_records_next_batch(&iterator)) {
            assert_i64_equal(iterator.header.base_offset, offset);
            offset = ks_batch_last_offset(&iterator.header) + 1;
        }
        ks_records_end(&iterator);
    }
}

static void a_broker_caps_what_a_client_asks_for(void **state) {
    (void)state;
    world w;
    const ks_config_entry cap = { "fetch.max.bytes", "1024" };
    world_init(&w, &(ks_cluster_config){ .settings = &cap, .setting_count = 1 });
    ks_topic *topic = make_topic(&w, "t", 1, 1);
    fill(&w, topic, 0, 30);
    data *d = fetch(&w, topic, 0, 0);
    assert_true(d->records.size > 0 && d->records.size <= 1024);
    world_deinit(&w);
}

/* ---- errors ---- */

static void wrong_fetches_get_kafkas_error_at_once(void **state) { /* LG-25, LG-33 */
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 3), *zstd = make_configured(w, "z", "compression.type", "zstd", NULL);
    ks_topic ghost = { .name = KS_LITERAL("ghost"), .id = { { 1 } } };
    fill(w, topic, 0, 2);
    assert_int_equal(ks_partition_move_leader(topic->partitions[0], 2), KAFKA_OK); /* epoch 1 */
    const struct {
        int32_t broker;
        int16_t version;
        const ks_topic *topic;
        int32_t partition, epoch;
        int64_t offset;
        kafka_error error;
    } rows[] = {
        { 2, 12, &ghost, 0, -1, 0, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION },
        { 2, 13, &ghost, 0, -1, 0, KAFKA_ERR_UNKNOWN_TOPIC_ID },
        { 2, 13, topic, 1, -1, 0, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION },
        { 2, 12, topic, 0, 0, 0, KAFKA_ERR_FENCED_LEADER_EPOCH },
        { 2, 12, topic, 0, 2, 0, KAFKA_ERR_UNKNOWN_LEADER_EPOCH },
        { 3, 12, topic, 0, 0, 0, KAFKA_ERR_FENCED_LEADER_EPOCH }, /* before leadership */
        { 3, 12, topic, 0, 1, 0, KAFKA_ERR_NOT_LEADER_OR_FOLLOWER },
        { 3, 12, topic, 0, -1, 0, KAFKA_ERR_NOT_LEADER_OR_FOLLOWER },
        { 3, 8, topic, 0, 0, 0, KAFKA_ERR_NOT_LEADER_OR_FOLLOWER }, /* v8 carries no epoch */
        { 2, 12, topic, 0, 1, 5, KAFKA_ERR_OFFSET_OUT_OF_RANGE },
        { 2, 12, topic, 0, 1, -1, KAFKA_ERR_OFFSET_OUT_OF_RANGE },
        { 1, 9, zstd, 0, -1, 0, KAFKA_ERR_UNSUPPORTED_COMPRESSION_TYPE },
        { 1, 10, zstd, 0, -1, 0, KAFKA_OK },
        { 2, 12, topic, 0, 1, 4, KAFKA_OK },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int32_t wait = rows[i].error == KAFKA_OK ? 0 : 30000;
        ks_envelope *request =
            fetch_request(w, rows[i].version, rows[i].topic, rows[i].partition, rows[i].offset, 1, wait);
        body(request)->topics.items[0].partitions.items[0].current_leader_epoch = rows[i].epoch;
        int64_t before = ks_now_ms(w->kernel);
        data *d = first_partition(ask(w, rows[i].broker, request));
        if (d->error_code != rows[i].error) fail_msg("row %zu: %d, not %d", i, d->error_code, rows[i].error);
        if (d->error_code != 0) assert_i64_equal(d->high_watermark, -1);
        assert_true(ks_now_ms(w->kernel) - before < 10); /* not parked */
    }
}

static void from_version_16_on_the_present_leader_is_named(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 3);
    ks_fetch_response *out = ask(w, 3, fetch_request(w, 16, topic, 0, 0, 1, 1000));
    assert_int_equal(first_partition(out)->current_leader.leader_id, 1);
    assert_int_equal(out->node_endpoints.count, 1);
    out = ask(w, 3, fetch_request(w, 15, topic, 0, 0, 1, 1000));
    assert_int_equal(first_partition(out)->current_leader.leader_id, -1);
}

static void a_diverging_epoch_is_told(void **state) { /* LG-21 */
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 3);
    fill(w, topic, 0, 2);
    ks_partition_move_leader(topic->partitions[0], 2);
    fill(w, topic, 0, 1); /* epoch 1 from 4 on */
    ks_envelope *request = fetch_request(w, 12, topic, 0, 5, 1, 30000);
    body(request)->topics.items[0].partitions.items[0].last_fetched_epoch = 0;
    data *d = first_partition(ask(w, 2, request));
    assert_int_equal(d->diverging_epoch.epoch, 0);
    assert_i64_equal(d->diverging_epoch.end_offset, 4);
    assert_int_equal(d->records.size, 0);
}

/* ---- waiting ---- */

static int64_t since(int64_t start_ns, int64_t end_ns) { return (end_ns - start_ns) / KS_MS; }

static void an_empty_fetch_waits_as_long_as_it_says(void **state) { /* LG-26, LG-27 */
    world *w = *state;
    w->logs = true;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    fill(w, topic, 0, 1); /* opens the connection too */
    int64_t start = ks_now(w->kernel);
    data *d = first_partition(ask(w, 1, fetch_request(w, 12, topic, 0, 2, 1, 5000)));
    assert_int_equal(d->error_code, 0);
    assert_int_equal(d->records.size, 0);
    assert_i64_equal(since(start, ks_now(w->kernel)), 5001); /* and two ways of 500 us */
    assert_int_equal(seen(w, "fetch_parked"), 1);
    assert_int_equal(seen(w, "fetch_completed"), 1);
    start = ks_now(w->kernel);
    ask(w, 1, fetch_request(w, 12, topic, 0, 2, 0, 5000)); /* nothing is enough */
    assert_i64_equal(since(start, ks_now(w->kernel)), 1);
    ks_envelope *request = fetch_request(w, 12, topic, 0, 2, 1, 5000);
    body(request)->topics.count = 0;
    start = ks_now(w->kernel);
    ask(w, 1, request);
    assert_i64_equal(since(start, ks_now(w->kernel)), 1);
}

static void a_parked_fetch_costs_no_event_while_it_waits(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    post(w, 1, 1, fetch_request(w, 12, topic, 0, 0, 1, 50000));
    run_ms(w, 10);
    uint64_t before = ks_kernel_steps(w->kernel);
    run_ms(w, 40000);
    assert_i64_equal(ks_kernel_steps(w->kernel), before);
}

static void an_append_wakes_the_fetches_of_its_partition_after_the_producers_answer(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 4, 1); /* leaders 1, 2, 3, 1 */
    post(w, 1, 1, fetch_request(w, 12, topic, 0, 0, 1, 30000));
    post(w, 2, 1, fetch_request(w, 12, topic, 3, 0, 1, 30000));
    run_ms(w, 100);
    fill(w, topic, 0, 1);
    int64_t produced = w->lines[0].answered_at;
    ks_fetch_response *out = poll_line(w, 1);
    assert_true(first_partition(out)->records.size > 0);
    assert_i64_equal(first_partition(out)->high_watermark, 2);
    assert_i64_equal(w->lines[1].answered_at, produced);
    assert_null(w->lines[2].response);
    fill(w, topic, 3, 1);
    assert_non_null(poll_line(w, 2));
}

static void a_fetch_waits_for_its_min_bytes(void **state) { /* LG-27 */
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    int64_t size = fill(w, topic, 0, 1);
    post(w, 1, 1, fetch_request(w, 12, topic, 0, 0, (int32_t)(3 * size), 30000));
    run_ms(w, 100);
    fill(w, topic, 0, 1);
    run_ms(w, 100);
    assert_null(w->lines[1].response);
    fill(w, topic, 0, 1);
    assert_i64_equal(first_partition(poll_line(w, 1))->records.size, 3 * size);
    post(w, 1, 1, fetch_request(w, 12, topic, 0, 0, 1 << 20, 300)); /* time out: what there is */
    assert_i64_equal(first_partition(poll_line(w, 1))->records.size, 3 * size);
}

static void min_bytes_count_over_all_partitions_of_the_fetch(void **state) {
    world *w = *state;
    ks_topic *topic = make_configured(w, "t", NULL);
    assert_int_equal(ks_cluster_add_partitions(topic, 2, (int32_t[]){ 1 }, false, NULL), KAFKA_OK);
    int64_t size = fill(w, topic, 0, 1);
    ks_envelope *request = two_partitions(w, topic, 0, 1 << 20);
    body(request)->min_bytes = (int32_t)(2 * size);
    body(request)->max_wait_ms = 30000;
    post(w, 1, 1, request);
    run_ms(w, 100);
    assert_null(w->lines[1].response);
    fill(w, topic, 1, 1);
    ks_fetch_response *out = poll_line(w, 1);
    assert_i64_equal(out->responses.items[0].partitions.items[0].records.size, size);
    assert_i64_equal(out->responses.items[0].partitions.items[1].records.size, size);
}

static void a_rolled_segment_ends_the_wait(void **state) { /* LG-26 */
    world *w = *state;
    ks_topic *topic = make_configured(w, "t", "segment.bytes", "200", NULL);
    fill(w, topic, 0, 1);
    post(w, 1, 1, fetch_request(w, 12, topic, 0, 0, 100000, 30000));
    run_ms(w, 100);
    assert_null(w->lines[1].response);
    fill(w, topic, 0, 3);
    run_ms(w, 1);
    assert_non_null(w->lines[1].response);
}

static void a_moved_leader_and_a_deleted_topic_end_the_wait_with_an_error(void **state) { /* LG-26 */
    world *w = *state;
    ks_topic *a = make_topic(w, "a", 1, 3), *b = make_topic(w, "b", 1, 1);
    post(w, 1, 1, fetch_request(w, 12, a, 0, 0, 1, 30000));
    post(w, 2, 1, fetch_request(w, 12, b, 0, 0, 1, 30000));
    post(w, 3, 1, fetch_request(w, 13, b, 0, 0, 1, 30000));
    run_ms(w, 100);
    ks_partition_move_leader(a->partitions[0], 2);
    assert_int_equal(first_partition(poll_line(w, 1))->error_code, KAFKA_ERR_NOT_LEADER_OR_FOLLOWER);
    ks_cluster_delete_topic(w->cluster, b);
    assert_int_equal(first_partition(poll_line(w, 2))->error_code, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(first_partition(poll_line(w, 3))->error_code, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION); /* its id had a name */
}

static void what_does_not_exist_is_told_when_the_others_are(void **state) { /* KafkaApis: they are not given to the ReplicaManager */
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    ks_envelope *request = two_partitions(w, topic, 0, 1 << 20); /* of which one exists */
    body(request)->max_wait_ms = 500;
    post(w, 1, 1, request);
    run_ms(w, 400);
    assert_null(w->lines[1].response);
    run_ms(w, 110);
    ks_fetch_response *out = poll_line(w, 1);
    assert_int_equal(out->responses.items[0].partitions.items[0].error_code, 0);
    assert_int_equal(out->responses.items[0].partitions.items[1].error_code, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    request = two_partitions(w, topic, 0, 1 << 20);
    body(request)->max_wait_ms = 500;
    post(w, 1, 1, request);
    run_ms(w, 100);
    fill(w, topic, 0, 1);
    run_ms(w, 1);
    out = poll_line(w, 1);
    assert_true(out->responses.items[0].partitions.items[0].records.size > 0);
    assert_int_equal(out->responses.items[0].partitions.items[1].error_code, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
}

static void a_client_that_hangs_up_is_forgotten(void **state) {
    world *w = *state;
    w->logs = true;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    post(w, 1, 1, fetch_request(w, 12, topic, 0, 0, 1, 30000));
    run_ms(w, 100);
    ks_connection_close(w->lines[1].connection);
    w->lines[1].connection = NULL;
    run_ms(w, 100);
    assert_int_equal(seen(w, "fetch_completed"), 1);
    fill(w, topic, 0, 1);
    run_ms(w, 60000);
    assert_int_equal(seen(w, "fetch_completed"), 1);
    assert_null(topic->partitions[0]->fetches);
}

static void parked_fetches_die_with_their_broker(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 2, 1);
    post(w, 1, 1, fetch_request(w, 12, topic, 0, 0, 1, 30000));
    post(w, 2, 2, fetch_request(w, 12, topic, 1, 0, 1, 30000));
    run_ms(w, 100);
    ks_node_crash(ks_cluster_broker_find(w->cluster, 1)->node);
    run_ms(w, 100);
    assert_true(w->lines[1].closed);
    assert_null(topic->partitions[0]->fetches);
    assert_non_null(topic->partitions[1]->fetches);
    post(w, 1, 2, fetch_request(w, 12, topic, 1, 0, 1, 100));
    assert_non_null(poll_line(w, 1));
}

static void a_paused_broker_answers_when_it_goes_on(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    post(w, 1, 1, fetch_request(w, 12, topic, 0, 0, 1, 1000));
    run_ms(w, 100);
    ks_node_pause(ks_cluster_broker_find(w->cluster, 1)->node);
    run_ms(w, 5000);
    assert_null(w->lines[1].response);
    ks_node_resume(ks_cluster_broker_find(w->cluster, 1)->node);
    assert_non_null(poll_line(w, 1));
}

static void waiting_is_background_and_data_is_progress(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    fill(w, topic, 0, 1);
    run_ms(w, 10);
    int64_t last = ks_last_progress(w->kernel);
    post(w, 0, 1, fetch_request(w, 12, topic, 0, 2, 1, 30000)); /* sending it is the test's own doing */
    run_ms(w, 5);
    last = ks_last_progress(w->kernel);
    run_ms(w, 31000);
    assert_non_null(w->lines[0].response);
    assert_i64_equal(ks_last_progress(w->kernel), last);
}

/* ---- appends inside the broker ---- */

static void an_internal_append_is_read_like_any_other_and_wakes(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    post(w, 1, 1, fetch_request(w, 12, topic, 0, 0, 1, 30000));
    run_ms(w, 100);
    int64_t offset = -1;
    assert_int_equal(ks_partition_append(topic->partitions[0], make_batch(w, 3, "v", 5), &offset), KAFKA_OK);
    assert_i64_equal(offset, 0);
    assert_true(first_partition(poll_line(w, 1))->records.size > 0);
}

static kafka_error fault(void *context, const ks_partition *partition, int64_t *delay_ns) {
    (void)partition;
    *delay_ns = 20 * KS_MS;
    return *(kafka_error *)context;
}

typedef struct outcome {
    kafka_error error;
    int64_t base_offset;
    int calls;
} outcome;

static void on_done(ks_append *append, kafka_error error, int64_t base_offset) {
    outcome *o = append->owner;
    o->error = error;
    o->base_offset = base_offset;
    o->calls++;
}

static void an_internal_append_can_be_made_to_fail_and_to_wait(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 1);
    kafka_error error = KAFKA_ERR_NOT_ENOUGH_REPLICAS;
    int64_t offset = -5;
    outcome o = { .error = 99 };
    ks_cluster_set_append_fault(w->cluster, fault, &error);
    assert_int_equal(ks_partition_append(topic->partitions[0], make_batch(w, 1, "v", 5), &offset),
                     KAFKA_ERR_NOT_ENOUGH_REPLICAS);
    assert_i64_equal(offset, -5);
    assert_i64_equal(ks_log_end_offset(topic->partitions[0]->log), 0);
    error = KAFKA_OK;
    ks_append append = { .done = on_done, .owner = &o };
    ks_partition_append_begin(topic->partitions[0], make_batch(w, 1, "v", 5), &append);
    assert_int_equal(o.calls, 0);
    run_ms(w, 30);
    assert_int_equal(o.calls, 1);
    assert_int_equal(o.error, KAFKA_OK);
    assert_i64_equal(o.base_offset, 0);
    ks_partition_append_begin(topic->partitions[0], make_batch(w, 1, "v", 5), &append);
    ks_append_cancel(&append);
    run_ms(w, 30);
    assert_int_equal(o.calls, 1);
    ks_cluster_set_append_fault(w->cluster, NULL, NULL);
    ks_partition_append_begin(topic->partitions[0], make_batch(w, 1, "v", 5), &append);
    assert_int_equal(o.calls, 2);
    assert_i64_equal(o.base_offset, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_fetch_gives_whole_batches_from_the_one_that_holds_the_offset, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_first_batch_comes_whatever_the_limits_then_the_limits_hold, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(empty_partitions_do_not_use_up_the_right_to_one_batch, setup, teardown),
        cmocka_unit_test_setup_teardown(one_read_never_crosses_a_segment, setup, teardown),
        cmocka_unit_test(a_broker_caps_what_a_client_asks_for),
        cmocka_unit_test_setup_teardown(wrong_fetches_get_kafkas_error_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(from_version_16_on_the_present_leader_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_diverging_epoch_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_fetch_waits_as_long_as_it_says, setup, teardown),
        cmocka_unit_test_setup_teardown(a_parked_fetch_costs_no_event_while_it_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(an_append_wakes_the_fetches_of_its_partition_after_the_producers_answer, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_fetch_waits_for_its_min_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(min_bytes_count_over_all_partitions_of_the_fetch, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rolled_segment_ends_the_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(a_moved_leader_and_a_deleted_topic_end_the_wait_with_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_exist_is_told_when_the_others_are, setup, teardown),
        cmocka_unit_test_setup_teardown(a_client_that_hangs_up_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(parked_fetches_die_with_their_broker, setup, teardown),
        cmocka_unit_test_setup_teardown(a_paused_broker_answers_when_it_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(waiting_is_background_and_data_is_progress, setup, teardown),
        cmocka_unit_test_setup_teardown(an_internal_append_is_read_like_any_other_and_wakes, setup, teardown),
        cmocka_unit_test_setup_teardown(an_internal_append_can_be_made_to_fail_and_to_wait, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
