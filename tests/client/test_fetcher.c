/* SPDX-License-Identifier: Apache-2.0
 * The fetcher of one partition, request by request (kafka-go-client.md 5.6, 5.8). */
#include "tests/client/scripted_cluster.h"

#include "sim/client/fetcher.h"
#include "sim/protocol/frame.h"

typedef struct fixture {
    scripted_cluster cluster;
    ks_fetcher_settings settings;
    ks_seed seed;
    ks_fetcher_queue queue;
    ks_fetcher fetcher;
    kafka_error trouble;
    int stopped;
    size_t live;
} fixture;

static void troubled(void *owner, const ks_fetcher *fetcher, kafka_error error) { ((fixture *)owner)->trouble = error; }
static void stopped(void *owner, ks_fetcher *fetcher) { ((fixture *)owner)->stopped++; }

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->live = ks_alloc_live();
    script_begin(&f->cluster);
    f->seed = (ks_seed){ KS_LITERAL("broker-1"), 9092 };
    f->settings = (ks_fetcher_settings){ .process = f->cluster.process,
                                         .seeds = { &f->seed, 1 },
                                         .min_bytes = 1,
                                         .max_bytes = 1000000,
                                         .max_wait_ns = 10 * KS_S,
                                         .backoff_min_ns = 100 * KS_MS,
                                         .backoff_max_ns = KS_S,
                                         .dial_timeout_ns = 10 * KS_S,
                                         .max_attempts = 3,
                                         .group = KS_NULL_STRING };
    ks_fetcher_queue_init(&f->queue, 100, NULL, NULL);
    f->fetcher = (ks_fetcher){ .settings = &f->settings,
                               .queue = &f->queue,
                               .topic = KS_LITERAL("orders"),
                               .version = 1,
                               .trouble = troubled,
                               .stopped = stopped,
                               .owner = f };
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    ks_fetcher_abort(&f->fetcher);
    ks_fetcher_queue_deinit(&f->queue);
    script_end(&f->cluster);
    size_t live = ks_alloc_live();
    int leaked = live != f->live;
    if (leaked) print_error("%zu blocks are live, %zu were before\n", live, f->live);
    free(f);
    return leaked;
}

/* Takes what is queued: "3 4 5 !UNKNOWN_SERVER_ERROR". */
static const char *taken(fixture *f) {
    static char text[1024];
    text[0] = 0;
    for (ks_fetched *fetched; (fetched = ks_fetcher_queue_peek(&f->queue)) != NULL; ks_fetcher_queue_drop(&f->queue)) {
        size_t size = strlen(text);
        if (fetched->error)
            snprintf(text + size, sizeof text - size, "%s!%s", size ? " " : "", kafka_error_name(fetched->error));
        else
            snprintf(text + size, sizeof text - size, "%s%.*s", size ? " " : "", fetched->record.value.size,
                     (const char *)fetched->record.value.data);
        ks_block_release(fetched->block);
    }
    return text;
}

static void start(fixture *f, int64_t offset) { ks_fetcher_start(&f->fetcher, offset); }

#define UP_TO_FETCH                                                                                                    \
    "1.5 broker-1 ApiVersions v0\n2.5 broker-1 Metadata v6\n"                                                          \
    "4.5 broker-2 ListOffsets v1 at=-2\n5.5 broker-2 ListOffsets v1 at=-1\n"                                           \
    "6.5 broker-2 ListOffsets v1 at=-2\n7.5 broker-2 ListOffsets v1 at=-1\n"                                           \
    "8.5 broker-2 ApiVersions v0\n"

/* ---- what is sent ---- */

static void it_dials_asks_for_the_range_twice_and_fetches(void **state) {
    fixture *f = *state;
    f->cluster.first = 3;
    f->cluster.last = 6;
    script_answer(&f->cluster, (scripted_batch[]){ { .base_offset = 3, .count = 3 } }, 1, 6);
    start(f, KS_OFFSET_FIRST);
    script_run(&f->cluster, 20);
    assert_log(&f->cluster,
               UP_TO_FETCH "9.5 broker-2 Fetch v10 offset=3 wait=9000\n10.5 broker-2 Fetch v10 offset=6 wait=9000\n");
    assert_string_equal(taken(f), "3 4 5");
    script_run(&f->cluster, 9000);
    assert_log(&f->cluster, "9011.5 broker-2 Fetch v10 offset=6 wait=9000\n"); /* answered empty: at once again */
}

static void old_brokers_are_asked_in_their_own_versions(void **state) {
    fixture *f = *state;
    f->cluster.highest_fetch = 5;
    f->cluster.highest_metadata = 1;
    start(f, 0);
    script_run(&f->cluster, 20);
    assert_non_null(strstr((char *)f->cluster.log.data, "Metadata v1\n"));
    assert_non_null(strstr((char *)f->cluster.log.data, "Fetch v5 "));
}

static void a_short_max_wait_is_told_as_three_quarters(void **state) {
    fixture *f = *state;
    f->settings.max_wait_ns = KS_S;
    start(f, 0);
    script_run(&f->cluster, 20);
    assert_non_null(strstr((char *)f->cluster.log.data, "wait=750\n"));
}

static void a_missing_topic_is_looked_up_again_and_again(void **state) {
    fixture *f = *state;
    for (int i = 0; i < 3; i++)
        f->cluster.topic_errors[i] = i == 1 ? KAFKA_ERR_LEADER_NOT_AVAILABLE : KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
    f->cluster.topic_error_count = 3;
    start(f, 0);
    script_run(&f->cluster, 1404);
    assert_log(&f->cluster, "1.5 broker-1 ApiVersions v0\n2.5 broker-1 Metadata v6\n103.5 broker-1 Metadata v6\n"
                            "504.5 broker-1 Metadata v6\n");
    assert_int_equal(f->trouble, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_string_equal(taken(f), "");
    script_run(&f->cluster, 20);
    assert_int_equal(f->trouble, KAFKA_OK);
    assert_int_equal(f->fetcher.state, KS_FETCHER_FETCHING);
}

static void a_missing_partition_is_looked_up_again_too(void **state) {
    fixture *f = *state;
    f->cluster.partitions = 0;
    start(f, 0);
    script_run(&f->cluster, 300);
    assert_log(&f->cluster, "1.5 broker-1 ApiVersions v0\n2.5 broker-1 Metadata v6\n103.5 broker-1 Metadata v6\n");
}

static void a_leader_that_is_down_is_retried_with_backoff_and_told_at_the_fourth_failure(void **state) {
    fixture *f = *state;
    ks_node_crash(f->cluster.nodes[2]);
    start(f, 0);
    script_run(&f->cluster, 1300);
    assert_string_equal(taken(f), "");
    script_run(&f->cluster, 200);
    assert_string_equal(taken(f), "!CONNECTION_REFUSED");
    script_run(&f->cluster, 1010);
    assert_string_equal(taken(f), "!CONNECTION_REFUSED"); /* each time from now on */
    ks_node_start(f->cluster.nodes[2]);
    script_run(&f->cluster, 1100);
    assert_int_equal(f->fetcher.state, KS_FETCHER_FETCHING);
}

/* ---- what a fetch may answer ---- */

static void not_the_leader_dials_anew_after_a_backoff(void **state) {
    fixture *f = *state;
    f->cluster.fetches[f->cluster.fetch_count++].error = KAFKA_ERR_NOT_LEADER_OR_FOLLOWER;
    start(f, 0);
    script_run(&f->cluster, 119);
    assert_log(
        &f->cluster, UP_TO_FETCH
        "9.5 broker-2 Fetch v10 offset=0 wait=9000\n111.5 broker-1 ApiVersions v0\n"
        "112.5 broker-1 Metadata v6\n114.5 broker-2 ListOffsets v1 at=-2\n115.5 broker-2 ListOffsets v1 at=-1\n"
        "116.5 broker-2 ListOffsets v1 at=-2\n117.5 broker-2 ListOffsets v1 at=-1\n118.5 broker-2 ApiVersions v0\n");
    assert_string_equal(taken(f), "");
}

static void out_of_range_below_jumps_to_the_start(void **state) {
    fixture *f = *state;
    f->cluster.last = 50;
    f->cluster.fetches[f->cluster.fetch_count++].error = KAFKA_ERR_OFFSET_OUT_OF_RANGE;
    start(f, 7);
    script_run(&f->cluster, 9);
    f->cluster.first = 40; /* retention */
    script_run(&f->cluster, 5);
    assert_log(&f->cluster,
               UP_TO_FETCH "9.5 broker-2 Fetch v10 offset=7 wait=9000\n10.5 broker-2 ListOffsets v1 at=-2\n"
                           "11.5 broker-2 ListOffsets v1 at=-1\n12.5 broker-2 Fetch v10 offset=40 wait=9000\n");
}

static void out_of_range_beyond_the_end_is_tried_again_with_backoff(void **state) {
    fixture *f = *state;
    f->cluster.last = 50;
    for (int i = 0; i < 2; i++) f->cluster.fetches[f->cluster.fetch_count++].error = KAFKA_ERR_OFFSET_OUT_OF_RANGE;
    start(f, 50);
    script_run(&f->cluster, 520);
    assert_log(&f->cluster,
               UP_TO_FETCH "9.5 broker-2 Fetch v10 offset=50 wait=9000\n10.5 broker-2 ListOffsets v1 at=-2\n"
                           "11.5 broker-2 ListOffsets v1 at=-1\n112.5 broker-2 Fetch v10 offset=50 wait=9000\n"
                           "113.5 broker-2 ListOffsets v1 at=-2\n114.5 broker-2 ListOffsets v1 at=-1\n515.5 broker-2 "
                           "Fetch v10 offset=50 wait=9000\n");
    assert_string_equal(taken(f), "");
}

static void starting_beyond_the_end_waits_for_ever_or_stops_as_set(void **state) {
    fixture *f = *state;
    f->cluster.last = 5;
    start(f, 9);
    script_run(&f->cluster, 30000);
    assert_string_equal(taken(f), "");
    assert_int_equal(f->trouble, KAFKA_ERR_OFFSET_OUT_OF_RANGE);
    ks_fetcher_abort(&f->fetcher);
    f->settings.out_of_range_error = true;
    f->fetcher = (ks_fetcher){ .settings = &f->settings,
                               .queue = &f->queue,
                               .topic = KS_LITERAL("orders"),
                               .version = 1,
                               .trouble = troubled,
                               .stopped = stopped,
                               .owner = f };
    start(f, 9);
    script_run(&f->cluster, 30000);
    assert_string_equal(taken(f), "!OFFSET_OUT_OF_RANGE");
    assert_int_equal(f->fetcher.state, KS_FETCHER_STOPPED);
}

static void other_codes_are_delivered_and_the_fetch_repeated_with_backoff(void **state) {
    fixture *f = *state;
    for (int i = 0; i < 2; i++)
        f->cluster.fetches[f->cluster.fetch_count++].error = KAFKA_ERR_TOPIC_AUTHORIZATION_FAILED;
    start(f, 0);
    script_run(&f->cluster, 520);
    assert_log(&f->cluster,
               UP_TO_FETCH "9.5 broker-2 Fetch v10 offset=0 wait=9000\n110.5 broker-2 Fetch v10 offset=0 wait=9000\n"
                           "511.5 broker-2 Fetch v10 offset=0 wait=9000\n");
    assert_string_equal(taken(f), "!TOPIC_AUTHORIZATION_FAILED !TOPIC_AUTHORIZATION_FAILED");
}

static void no_answer_within_max_wait_is_a_lost_connection(void **state) {
    fixture *f = *state;
    start(f, 0);
    script_run(&f->cluster, 20);
    ks_node_pause(f->cluster.nodes[2]);
    script_run(&f->cluster, 10200);
    ks_node_resume(f->cluster.nodes[2]);
    ks_buffer_clear(&f->cluster.log);
    script_run(&f->cluster, 20);
    assert_int_equal(f->fetcher.state, KS_FETCHER_FETCHING);
    assert_non_null(strstr((char *)f->cluster.log.data, "ListOffsets"));
}

/* ---- records ---- */

static void what_stands_before_the_wanted_offset_is_passed_over(void **state) {
    fixture *f = *state;
    f->cluster.last = 20;
    script_answer(&f->cluster, (scripted_batch[]){ { .base_offset = 4, .count = 4 }, { .base_offset = 8, .count = 2 } },
                  2, 20);
    start(f, 6);
    script_run(&f->cluster, 20);
    assert_string_equal(taken(f), "6 7 8 9");
    assert_i64_equal(f->fetcher.offset, 10);
}

static void gaps_of_compaction_are_passed_over(void **state) {
    fixture *f = *state;
    f->cluster.last = 30;
    script_answer(&f->cluster,
                  (scripted_batch[]){ { .base_offset = 2, .count = 2, .last_offset_delta = 7 },
                                      { .base_offset = 15, .count = 1 } },
                  2, 30);
    script_answer(&f->cluster, (scripted_batch[]){ { .base_offset = 16, .count = 1, .last_offset_delta = 9 } }, 1, 30);
    start(f, 0);
    script_run(&f->cluster, 20);
    assert_string_equal(taken(f), "2 3 15 16");
    assert_i64_equal(f->fetcher.offset, 26);
}

static void every_codec_is_read(void **state) {
    fixture *f = *state;
    f->cluster.last = 50;
    scripted_batch batches[KS_CODEC_COUNT];
    for (int i = 0; i < KS_CODEC_COUNT; i++)
        batches[i] = (scripted_batch){ .base_offset = 2 * i, .count = 2, .codec = (ks_codec)i };
    script_answer(&f->cluster, batches, KS_CODEC_COUNT, 50);
    start(f, 0);
    script_run(&f->cluster, 20);
    assert_string_equal(taken(f), "0 1 2 3 4 5 6 7 8 9");
}

/* Producer 7 aborts what it wrote at 2 and 3, commits what it wrote at 6; producer 8 commits. */
static void script_transactions(fixture *f) {
    f->cluster.last = 20;
    scripted_fetch *fetch = script_answer(
        &f->cluster,
        (scripted_batch[]){ { .base_offset = 0, .count = 2 },
                            { .base_offset = 2, .count = 2, .producer_id = 7 },
                            { .base_offset = 4, .count = 1, .producer_id = 8 },
                            { .base_offset = 5, .count = 1, .producer_id = 7, .control = true },
                            { .base_offset = 6, .count = 1, .producer_id = 7 },
                            { .base_offset = 7, .count = 1, .producer_id = 7, .control = true, .commit = true },
                            { .base_offset = 8, .count = 1, .producer_id = 8, .control = true, .commit = true },
                            { .base_offset = 9, .count = 1 } },
        8, 20);
    fetch->aborted[0] = (ks_fetch_response_aborted_transaction){ .producer_id = 7, .first_offset = 2 };
    fetch->aborted_count = 1;
}

static void read_committed_hides_aborted_records_and_markers(void **state) {
    fixture *f = *state;
    f->settings.isolation_level = 1;
    script_transactions(f);
    start(f, 0);
    script_run(&f->cluster, 20);
    assert_string_equal(taken(f), "0 1 4 6 9");
}

static void read_uncommitted_hides_only_markers(void **state) {
    fixture *f = *state;
    script_transactions(f);
    start(f, 0);
    script_run(&f->cluster, 20);
    assert_string_equal(taken(f), "0 1 2 3 4 6 9");
}

static void two_aborted_transactions_of_one_producer_are_kept_apart(void **state) {
    fixture *f = *state;
    f->settings.isolation_level = 1;
    f->cluster.last = 20;
    scripted_fetch *fetch = script_answer(
        &f->cluster,
        (scripted_batch[]){ { .base_offset = 0, .count = 1, .producer_id = 7 },
                            { .base_offset = 1, .count = 1, .producer_id = 7, .control = true },
                            { .base_offset = 2, .count = 1, .producer_id = 7 },
                            { .base_offset = 3, .count = 1, .producer_id = 7, .control = true, .commit = true },
                            { .base_offset = 4, .count = 1, .producer_id = 7 },
                            { .base_offset = 5, .count = 1, .producer_id = 7, .control = true },
                            { .base_offset = 6, .count = 1 } },
        7, 20);
    fetch->aborted[0] = (ks_fetch_response_aborted_transaction){ .producer_id = 7, .first_offset = 4 };
    fetch->aborted[1] = (ks_fetch_response_aborted_transaction){ .producer_id = 7, .first_offset = 0 }; /* not sorted */
    fetch->aborted_count = 2;
    start(f, 0);
    script_run(&f->cluster, 20);
    assert_string_equal(taken(f), "2 6");
}

static void an_answer_of_markers_alone_moves_the_offset(void **state) {
    fixture *f = *state;
    f->cluster.last = 20;
    script_answer(&f->cluster,
                  (scripted_batch[]){ { .base_offset = 0, .count = 1, .producer_id = 7, .control = true } }, 1, 20);
    start(f, 0);
    script_run(&f->cluster, 20);
    assert_log(&f->cluster,
               UP_TO_FETCH "9.5 broker-2 Fetch v10 offset=0 wait=9000\n10.5 broker-2 Fetch v10 offset=1 wait=9000\n");
    assert_string_equal(taken(f), "");
}

static void a_batch_that_cannot_be_decompressed_is_told_and_the_partition_dialled_anew(void **state) {
    fixture *f = *state;
    f->cluster.last = 20;
    scripted_fetch *fetch = script_answer(
        &f->cluster, (scripted_batch[]){ { .base_offset = 0, .count = 5, .codec = KS_CODEC_GZIP } }, 1, 20);
    memset(fetch->records->data + KS_BATCH_HEADER_SIZE, 0x55, 12);
    start(f, 0);
    script_run(&f->cluster, 200);
    assert_string_equal(taken(f), "!CORRUPT_MESSAGE");
    assert_int_equal(f->fetcher.state, KS_FETCHER_FETCHING);
    assert_non_null(strstr((char *)f->cluster.log.data, "111.5 broker-1 ApiVersions"));
}

static void records_that_were_encoded_on_the_way_are_read_too(void **state) {
    fixture *f = *state;
    ks_interceptor check = { .transcode = ks_wire_transcode, .context = f->cluster.kernel };
    ks_network_intercept(f->cluster.kernel, &check);
    f->cluster.last = 20;
    script_answer(
        &f->cluster,
        (scripted_batch[]){ { .base_offset = 0, .count = 3 }, { .base_offset = 3, .count = 2, .codec = KS_CODEC_LZ4 } },
        2, 20);
    start(f, 0);
    script_run(&f->cluster, 20);
    assert_string_equal(taken(f), "0 1 2 3 4");
    ks_network_intercept(f->cluster.kernel, NULL);
}

/* ---- the queue ---- */

static void fetchers_that_wait_for_room_take_turns(void **state) {
    fixture *f = *state;
    ks_fetcher_queue_deinit(&f->queue);
    ks_fetcher_queue_init(&f->queue, 2, NULL, NULL);
    f->cluster.last = 20;
    script_answer(&f->cluster, (scripted_batch[]){ { .base_offset = 0, .count = 4 } }, 1, 20);
    start(f, 0);
    script_run(&f->cluster, 20);
    script_answer(&f->cluster, (scripted_batch[]){ { .base_offset = 10, .count = 4 } }, 1, 20);
    ks_fetcher other = { .settings = &f->settings,
                         .queue = &f->queue,
                         .topic = KS_LITERAL("orders"),
                         .version = 1,
                         .trouble = troubled,
                         .stopped = stopped,
                         .owner = f };
    ks_fetcher_start(&other, 10);
    script_run(&f->cluster, 20);
    assert_string_equal(taken(f), "0 1 2 10 3 11 12 13");
    ks_fetcher_abort(&other);
}

static void the_next_fetch_goes_out_when_the_last_record_is_queued(void **state) {
    fixture *f = *state;
    ks_fetcher_queue_deinit(&f->queue);
    ks_fetcher_queue_init(&f->queue, 3, NULL, NULL);
    f->cluster.last = 20;
    script_answer(&f->cluster, (scripted_batch[]){ { .base_offset = 0, .count = 4 } }, 1, 20);
    start(f, 0);
    script_run(&f->cluster, 20);
    ks_buffer_clear(&f->cluster.log);
    script_run(&f->cluster, 20000);
    assert_int_equal(f->cluster.log.size, 0);
    ks_block_release(ks_fetcher_queue_peek(&f->queue)->block);
    ks_fetcher_queue_drop(&f->queue);
    script_run(&f->cluster, 10);
    assert_non_null(strstr((char *)f->cluster.log.data, "Fetch v10 offset=4"));
}

/* ---- stopping ---- */

static void a_fetch_in_progress_is_broken_off_or_awaited_as_set(void **state) {
    fixture *f = *state;
    start(f, 0);
    script_run(&f->cluster, 1000);
    assert_true(ks_fetcher_stop(&f->fetcher));
    f->settings.uninterruptible = true;
    f->fetcher = (ks_fetcher){ .settings = &f->settings,
                               .queue = &f->queue,
                               .topic = KS_LITERAL("orders"),
                               .version = 1,
                               .trouble = troubled,
                               .stopped = stopped,
                               .owner = f };
    start(f, 0);
    script_run(&f->cluster, 1000);
    assert_false(ks_fetcher_stop(&f->fetcher));
    script_run(&f->cluster, 7000);
    assert_int_equal(f->stopped, 0);
    script_run(&f->cluster, 2000);
    assert_int_equal(f->stopped, 1);
}

static void an_idle_partition_is_background_work(void **state) {
    fixture *f = *state;
    start(f, 0);
    script_run(&f->cluster, 30000);
    int64_t progress = ks_last_progress(f->cluster.kernel);
    script_run(&f->cluster, 3600000);
    assert_i64_equal(ks_last_progress(f->cluster.kernel), progress);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(it_dials_asks_for_the_range_twice_and_fetches),
        TEST(old_brokers_are_asked_in_their_own_versions),
        TEST(a_short_max_wait_is_told_as_three_quarters),
        TEST(a_missing_topic_is_looked_up_again_and_again),
        TEST(a_missing_partition_is_looked_up_again_too),
        TEST(a_leader_that_is_down_is_retried_with_backoff_and_told_at_the_fourth_failure),
        TEST(not_the_leader_dials_anew_after_a_backoff),
        TEST(out_of_range_below_jumps_to_the_start),
        TEST(out_of_range_beyond_the_end_is_tried_again_with_backoff),
        TEST(starting_beyond_the_end_waits_for_ever_or_stops_as_set),
        TEST(other_codes_are_delivered_and_the_fetch_repeated_with_backoff),
        TEST(no_answer_within_max_wait_is_a_lost_connection),
        TEST(what_stands_before_the_wanted_offset_is_passed_over),
        TEST(gaps_of_compaction_are_passed_over),
        TEST(every_codec_is_read),
        TEST(read_committed_hides_aborted_records_and_markers),
        TEST(read_uncommitted_hides_only_markers),
        TEST(two_aborted_transactions_of_one_producer_are_kept_apart),
        TEST(an_answer_of_markers_alone_moves_the_offset),
        TEST(a_batch_that_cannot_be_decompressed_is_told_and_the_partition_dialled_anew),
        TEST(records_that_were_encoded_on_the_way_are_read_too),
        TEST(fetchers_that_wait_for_room_take_turns),
        TEST(the_next_fetch_goes_out_when_the_last_record_is_queued),
        TEST(a_fetch_in_progress_is_broken_off_or_awaited_as_set),
        TEST(an_idle_partition_is_background_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
