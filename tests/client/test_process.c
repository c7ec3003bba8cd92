/* SPDX-License-Identifier: Apache-2.0
 * Client processes and their channels: one reply for each call, time-outs, connections that are refused, hung up or
 * cut, what a crash does, and versions. */
#include "tests/support/test.h"

#include "tests/support/scripted_broker.h"

typedef struct heard {
    ks_channel *channel;
    int replies, closes;
    kafka_error error, closed;
    int16_t api_key;
    ks_envelope *kept;
    bool keep, close_channel, again;
    int32_t topics;
} heard;

typedef struct fixture {
    ks_kernel *kernel;
    ks_process *process;
    ks_scripted_broker broker;
    int64_t start;
    size_t live;
    heard h;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->live = ks_alloc_live();
    f->kernel = ks_kernel_new(&(ks_kernel_config){ .seed = 7 });
    ks_scripted_broker_start(&f->broker, f->kernel, "orders", 3);
    f->process = ks_process_new(f->kernel, "c1", ks_scripted_broker_resolve, &f->broker);
    f->start = ks_now(f->kernel);
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    if (f->h.kept != NULL) ks_envelope_free(f->kernel, f->h.kept);
    ks_process_free(f->process);
    ks_scripted_broker_stop(&f->broker);
    ks_kernel_free(f->kernel);
    bool leaked = ks_alloc_live() != f->live;
    free(f);
    return leaked;
}

static void run(fixture *f) {
    int64_t next;
    while (ks_kernel_next(f->kernel, &next) && next <= f->start + 60 * KS_S) ks_kernel_step(f->kernel);
}

static int64_t micros(fixture *f) { return (ks_now(f->kernel) - f->start) / KS_US; }

static void closed(void *owner, kafka_error error) {
    heard *h = owner;
    h->closes++;
    h->closed = error;
}

static ks_envelope *metadata_request(heard *h) { return ks_channel_request(h->channel, KS_API_metadata, 8); }

static void reply(void *owner, kafka_error error, const ks_envelope *response) {
    heard *h = owner;
    h->replies++;
    h->error = error;
    if (response != NULL) {
        h->api_key = response->api_key;
        h->topics = ((const ks_metadata_response *)response->body)->topics.count;
        if (h->keep) h->kept = ks_call_keep(response);
    }
    if (h->again) ks_channel_send(h->channel, metadata_request(h), 0, reply, h);
    h->again = false;
    if (h->close_channel) ks_channel_close(h->channel);
}

static void dial(fixture *f, const char *host) {
    f->h.channel = ks_channel_dial(f->process, ks_str(host), 9092, closed, &f->h);
}

static void a_reply_comes_once_and_may_be_kept(void **state) {
    fixture *f = *state;
    dial(f, "broker-1");
    f->h.keep = true;
    ks_channel_send(f->h.channel, metadata_request(&f->h), 0, reply, &f->h);
    run(f);
    assert_int_equal(f->h.replies, 1);
    assert_int_equal(f->h.error, KAFKA_OK);
    assert_int_equal(f->h.api_key, KS_API_metadata);
    assert_int_equal(((const ks_metadata_response *)f->h.kept->body)->controller_id, 1);
    assert_int_equal(micros(f), 2000); /* a round trip to open, one for the request */
    ks_channel_close(f->h.channel);
    assert_int_equal(f->h.closes, 0);
}

static void a_reply_may_send_again_or_close_its_channel(void **state) {
    fixture *f = *state;
    dial(f, "broker-1");
    f->h.again = true;
    ks_channel_send(f->h.channel, metadata_request(&f->h), 0, reply, &f->h);
    run(f);
    assert_int_equal(f->h.replies, 2);
    f->h.close_channel = true;
    ks_channel_send(f->h.channel, metadata_request(&f->h), 0, reply, &f->h);
    ks_channel_send(f->h.channel, metadata_request(&f->h), 0, reply, &f->h);
    run(f);
    assert_int_equal(f->h.replies, 3); /* the other went with the channel */
}

static void a_call_that_takes_too_long_is_given_up_and_its_answer_passed_over(void **state) {
    fixture *f = *state;
    dial(f, "broker-1");
    ks_channel_send(f->h.channel, metadata_request(&f->h), 500 * KS_US, reply, &f->h); /* less than it takes */
    while (micros(f) < 600 && ks_kernel_step(f->kernel)) {
    }
    assert_int_equal(f->h.replies, 1);
    assert_int_equal(f->h.error, KAFKA_ERR_DEADLINE_EXCEEDED);
    ks_channel_send(f->h.channel, metadata_request(&f->h), 0, reply, &f->h);
    run(f);
    assert_int_equal(f->h.replies, 2); /* the second call got the second answer */
    assert_int_equal(f->h.error, KAFKA_OK);
    ks_channel_close(f->h.channel);
}

static void a_dropped_call_is_never_replied_to(void **state) {
    fixture *f = *state;
    dial(f, "broker-1");
    ks_call_drop(ks_channel_send(f->h.channel, metadata_request(&f->h), KS_S, reply, &f->h));
    ks_call_drop(NULL);
    run(f);
    assert_int_equal(f->h.replies, 0);
    ks_channel_close(f->h.channel);
}

static void an_unknown_host_refuses_but_not_inside_the_dialling_call(void **state) {
    fixture *f = *state;
    dial(f, "nowhere");
    ks_channel_send(f->h.channel, metadata_request(&f->h), 0, reply, &f->h);
    assert_int_equal(f->h.replies, 0);
    assert_true(ks_channel_is_open(f->h.channel));
    run(f);
    assert_int_equal(f->h.replies, 1);
    assert_int_equal(f->h.error, KAFKA_ERR_CONNECTION_REFUSED);
    assert_int_equal(f->h.closes, 1);
    assert_int_equal(f->h.closed, KAFKA_ERR_CONNECTION_REFUSED);
    assert_false(ks_channel_is_open(f->h.channel));
    ks_channel_close(f->h.channel);
}

static void a_stopped_broker_refuses_and_one_that_crashes_resets(void **state) {
    fixture *f = *state;
    ks_node_crash(f->broker.node);
    dial(f, "broker-1");
    ks_channel_send(f->h.channel, metadata_request(&f->h), 0, reply, &f->h);
    run(f);
    assert_int_equal(f->h.error, KAFKA_ERR_CONNECTION_REFUSED);
    ks_channel_close(f->h.channel);
    ks_node_start(f->broker.node);
    dial(f, "broker-1");
    ks_channel_send(f->h.channel, metadata_request(&f->h), 0, reply, &f->h);
    run(f);
    assert_int_equal(f->h.error, KAFKA_OK);
    ks_node_pause(f->broker.node);
    ks_channel_send(f->h.channel, metadata_request(&f->h), 0, reply, &f->h);
    ks_channel_send(f->h.channel, metadata_request(&f->h), 0, reply, &f->h);
    ks_node_crash(f->broker.node);
    run(f);
    assert_int_equal(f->h.replies, 4); /* both that were in flight, each once */
    assert_int_equal(f->h.error, KAFKA_ERR_CONNECTION_RESET);
    assert_int_equal(f->h.closes, 2);
    ks_channel_send(f->h.channel, metadata_request(&f->h), 0, reply, &f->h); /* too late */
    run(f);
    assert_int_equal(f->h.replies, 5);
    assert_int_equal(f->h.error, KAFKA_ERR_CONNECTION_RESET);
    ks_channel_close(f->h.channel);
}

static void a_request_without_an_answer_leaves_nothing_behind(void **state) {
    fixture *f = *state;
    dial(f, "broker-1");
    ks_envelope *envelope = ks_channel_request(f->h.channel, KS_API_produce, 8);
    ks_produce_request *request = envelope->body;
    request->topic_data.items = ks_arena_alloc(envelope->arena, sizeof *request->topic_data.items);
    request->topic_data.items->partition_data.items =
        ks_arena_alloc(envelope->arena, sizeof *request->topic_data.items->partition_data.items);
    request->topic_data.count = request->topic_data.items->partition_data.count = 1;
    ks_channel_post(f->h.channel, envelope);
    ks_channel_send(f->h.channel, metadata_request(&f->h), 0, reply, &f->h);
    run(f);
    assert_int_equal(f->broker.produce_count, 1);
    assert_int_equal(f->h.replies, 1);
    assert_string_equal(f->broker.produced[0].client_id, "c1 (github.com/segmentio/kafka-go)");
    ks_channel_close(f->h.channel);
}

/* ---- versions ---- */

static void greeted(void *owner, kafka_error error) {
    heard *h = owner;
    h->replies++;
    h->error = error;
}

static void versions_are_known_after_asking(void **state) {
    fixture *f = *state;
    dial(f, "broker-1");
    assert_int_equal(ks_channel_version(f->h.channel, KS_API_produce, 8), 8); /* not asked: what we like */
    ks_channel_hello(f->h.channel, KS_S, greeted, &f->h);
    run(f);
    assert_int_equal(f->h.replies, 1);
    assert_int_equal(f->h.error, KAFKA_OK);
    assert_true(ks_channel_knows_versions(f->h.channel));
    assert_int_equal(ks_channel_version(f->h.channel, KS_API_produce, 8), 8);
    assert_int_equal(ks_channel_version(f->h.channel, KS_API_produce, 99), ks_api_find(KS_API_produce)->until);
    assert_int_equal(ks_channel_version(f->h.channel, 99, 3), -1);
    assert_int_equal(ks_channel_version(f->h.channel, -1, 3), -1);
    ks_channel_close(f->h.channel);
}

static void a_greeting_fails_like_any_call(void **state) {
    fixture *f = *state;
    dial(f, "nowhere");
    ks_channel_hello(f->h.channel, 0, greeted, &f->h);
    run(f);
    assert_int_equal(f->h.replies, 1);
    assert_int_equal(f->h.error, KAFKA_ERR_CONNECTION_REFUSED);
    ks_channel_close(f->h.channel);
}

/* ---- crashes ---- */

typedef struct watcher {
    ks_process_watch watch;
    int order, *clock;
    struct watcher *stops;
} watcher;

static void died(void *owner) {
    watcher *w = owner;
    w->order = ++*w->clock;
    if (w->stops != NULL) ks_process_watch_stop(&w->stops->watch);
}

static void a_crash_tells_those_who_watch_in_order_and_once(void **state) {
    fixture *f = *state;
    int clock = 0;
    watcher w[4] = { { .clock = &clock }, { .clock = &clock }, { .clock = &clock }, { .clock = &clock } };
    for (int i = 0; i < 4; i++) {
        w[i].watch = (ks_process_watch){ .crashed = died, .owner = &w[i] };
        ks_process_watch_start(f->process, &w[i].watch);
    }
    w[1].stops = &w[2];
    ks_process_watch_stop(&w[3].watch);
    ks_process_watch_stop(&w[3].watch); /* harmless */
    ks_node_crash(ks_process_node(f->process));
    assert_int_equal(w[0].order, 1);
    assert_int_equal(w[1].order, 2);
    assert_int_equal(w[2].order, 0);
    assert_int_equal(w[3].order, 0);
    assert_true(ks_process_is_down(f->process));
    ks_node_start(ks_process_node(f->process));
    assert_false(ks_process_is_down(f->process));
    ks_node_crash(ks_process_node(f->process));
    assert_int_equal(clock, 2);
}

static void a_crash_silences_channels_and_what_is_dialled_after_it(void **state) {
    fixture *f = *state;
    dial(f, "broker-1");
    ks_channel_send(f->h.channel, metadata_request(&f->h), KS_S, reply, &f->h);
    ks_node_crash(ks_process_node(f->process));
    run(f);
    assert_int_equal(f->h.replies + f->h.closes, 0);
    assert_false(ks_channel_is_open(f->h.channel));
    ks_channel_close(f->h.channel);
    dial(f, "broker-1");
    ks_channel_send(f->h.channel, metadata_request(&f->h), KS_S, reply, &f->h);
    run(f);
    assert_int_equal(f->h.replies + f->h.closes, 0);
    assert_int_equal(f->broker.metadata_count, 0);
} /* the process closes what was left open */

static void the_last_failure_is_kept_in_words(void **state) {
    fixture *f = *state;
    assert_string_equal(ks_process_detail(f->process), "");
    assert_int_equal(ks_process_fail(f->process, KAFKA_ERR_CLOSED, "%s %d", "topic", 7), KAFKA_ERR_CLOSED);
    assert_string_equal(ks_process_detail(f->process), "topic 7");
    char longer[3000];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = 0;
    ks_process_fail(f->process, KAFKA_ERR_CLOSED, "%s", longer);
    assert_int_equal(strlen(ks_process_detail(f->process)), 1023);
}

static void waits_between_attempts_grow_with_the_square_up_to_a_limit(void **state) {
    (void)state;
    static const int64_t ms[] = { 0, 100, 400, 900, 1000, 1000 };
    for (int i = 0; i < 6; i++) assert_i64_equal(ks_backoff(i, 100 * KS_MS, KS_S), ms[i] * KS_MS);
    assert_i64_equal(ks_backoff(INT32_MAX, INT64_MAX, INT64_MAX), INT64_MAX); /* without overflow */
    assert_i64_equal(ks_backoff(3, 0, KS_S), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_reply_comes_once_and_may_be_kept),
        TEST(a_reply_may_send_again_or_close_its_channel),
        TEST(a_call_that_takes_too_long_is_given_up_and_its_answer_passed_over),
        TEST(a_dropped_call_is_never_replied_to),
        TEST(an_unknown_host_refuses_but_not_inside_the_dialling_call),
        TEST(a_stopped_broker_refuses_and_one_that_crashes_resets),
        TEST(a_request_without_an_answer_leaves_nothing_behind),
        TEST(versions_are_known_after_asking),
        TEST(a_greeting_fails_like_any_call),
        TEST(a_crash_tells_those_who_watch_in_order_and_once),
        TEST(a_crash_silences_channels_and_what_is_dialled_after_it),
        TEST(the_last_failure_is_kept_in_words),
        cmocka_unit_test(waits_between_attempts_grow_with_the_square_up_to_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
