/* SPDX-License-Identifier: Apache-2.0
 * The transport: ways to brokers and what happens when there is none, connections used again or opened side by side,
 * time-outs at every stage, and waiting for topics to show up in the layout. */
#include "tests/support/test.h"

#include "sim/client/transport.h"
#include "tests/support/scripted_broker.h"

typedef struct heard {
    int replies;
    kafka_error error;
    int32_t topics, partitions;
    int64_t at_ms;
    struct fixture *f;
} heard;

typedef struct fixture {
    ks_kernel *kernel;
    ks_process *process;
    ks_transport *transport;
    ks_scripted_broker broker;
    int64_t start;
    size_t live;
    heard h[8];
} fixture;

static void make(fixture *f, const char *addresses) {
    f->transport = ks_transport_open(f->process, addresses);
    for (int i = 0; i < 8; i++) f->h[i] = (heard){ .f = f };
}

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->live = ks_alloc_live();
    f->kernel = ks_kernel_new(&(ks_kernel_config){ .seed = 7, .latency_ns = -1 });
    ks_scripted_broker_start(&f->broker, f->kernel, "orders", 3);
    f->process = ks_process_new(f->kernel, "c1", ks_scripted_broker_resolve, &f->broker);
    f->start = ks_now(f->kernel);
    make(f, "broker-1:9092");
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    ks_transport_close(f->transport);
    ks_process_free(f->process);
    ks_scripted_broker_stop(&f->broker);
    ks_kernel_free(f->kernel);
    bool leaked = ks_alloc_live() != f->live;
    free(f);
    return leaked;
}

static void run_until(fixture *f, int64_t ms) {
    int64_t next;
    while (ks_kernel_next(f->kernel, &next) && next <= f->start + ms * KS_MS) ks_kernel_step(f->kernel);
    if (ks_now(f->kernel) < f->start + ms * KS_MS) ks_kernel_advance(f->kernel, f->start + ms * KS_MS);
}

static void reply(void *owner, kafka_error error, const ks_envelope *response) {
    heard *h = owner;
    h->replies++;
    h->error = error;
    h->at_ms = (ks_now(h->f->kernel) - h->f->start) / KS_MS;
    if (response != NULL) h->topics = ((const ks_metadata_response *)response->body)->topics.count;
}

static void found(void *owner, kafka_error error, int32_t partitions) {
    heard *h = owner;
    h->partitions = partitions;
    reply(h, error, NULL);
}

static ks_exchange *send(fixture *f, int i, ks_route route, int64_t timeout_ms) {
    ks_exchange *exchange = ks_transport_send(f->transport, &route, ks_transport_request(f->transport, KS_API_metadata),
                                              true, timeout_ms * KS_MS, reply, &f->h[i]);
    assert_int_equal(f->h[i].replies, 0); /* never from inside */
    return exchange;
}

static void what_has_no_way_is_told_so(void **state) {
    fixture *f = *state;
    ks_string orders = KS_LITERAL("orders"), nothing = KS_LITERAL("nothing");
    send(f, 0, (ks_route){ .to = KS_ROUTE_LEADER, .topic = nothing }, 0);
    send(f, 1, (ks_route){ .to = KS_ROUTE_LEADER, .topic = orders, .partition = 7 }, 0);
    send(f, 2, (ks_route){ .to = KS_ROUTE_LEADER, .topic = orders, .partition = -1 }, 0);
    send(f, 3, (ks_route){ .to = KS_ROUTE_BROKER, .broker = 9 }, 0);
    send(f, 4, (ks_route){ .to = KS_ROUTE_LEADER, .topic = orders, .partition = 2 }, 0);
    send(f, 5, (ks_route){ .to = KS_ROUTE_CONTROLLER }, 0);
    run_until(f, 10);
    const kafka_error expected[] = { KAFKA_ERR_TOPIC_NOT_CACHED,
                                     KAFKA_ERR_PARTITION_NOT_CACHED,
                                     KAFKA_ERR_PARTITION_NOT_CACHED,
                                     KAFKA_ERR_BROKER_NOT_AVAILABLE,
                                     KAFKA_OK,
                                     KAFKA_OK };
    for (int i = 0; i < 6; i++) {
        assert_int_equal(f->h[i].replies, 1);
        assert_int_equal(f->h[i].error, expected[i]);
    }
}

static void the_layout_is_sorted_whatever_the_broker_says(void **state) {
    fixture *f = *state;
    strcpy(f->broker.topics[f->broker.topic_count++], "aardvarks");
    send(f, 0, (ks_route){ .to = KS_ROUTE_ANY }, 0);
    run_until(f, 10);
    const ks_metadata_response *layout = ks_transport_layout(f->transport);
    assert_true(ks_string_equal(layout->topics.items[0].name, KS_LITERAL("aardvarks")));
    for (int32_t i = 0; i < 3; i++) assert_int_equal(layout->topics.items[1].partitions.items[i].partition_index, i);
    assert_non_null(ks_transport_topic(f->transport, KS_LITERAL("orders")));
    assert_null(ks_transport_topic(f->transport, KS_LITERAL("order")));
    assert_null(ks_transport_broker(f->transport, 2));
}

static void requests_side_by_side_have_connections_of_their_own(void **state) {
    fixture *f = *state;
    send(f, 0, (ks_route){ .to = KS_ROUTE_BROKER, .broker = 1 }, 0);
    run_until(f, 10);
    assert_int_equal(f->broker.hello_count, 2); /* one asked for the layout, one for us */
    for (int i = 1; i < 4; i++) send(f, i, (ks_route){ .to = KS_ROUTE_BROKER, .broker = 1 }, 0);
    run_until(f, 20);
    assert_int_equal(f->broker.hello_count, 4); /* one was idle, two are new */
    for (int i = 4; i < 7; i++) send(f, i, (ks_route){ .to = KS_ROUTE_BROKER, .broker = 1 }, 0);
    run_until(f, 30);
    assert_int_equal(f->broker.hello_count, 4);
    for (int i = 0; i < 7; i++) assert_int_equal(f->h[i].error, KAFKA_OK);
}

static void addresses_where_nobody_listens_are_passed_over(void **state) {
    fixture *f = *state;
    ks_transport_close(f->transport);
    ks_node_crash(ks_process_node(f->process)); /* forget the transport */
    ks_node_start(ks_process_node(f->process));
    make(f, "nowhere:1,void:2,broker-1:9092,broker-1");
    send(f, 0, (ks_route){ .to = KS_ROUTE_ANY }, 0);
    run_until(f, 10);
    assert_int_equal(f->h[0].replies, 1);
    assert_int_equal(f->h[0].error, KAFKA_OK);
}

static void nobody_at_any_address_refuses_everything_until_somebody_is_there(void **state) {
    fixture *f = *state;
    ks_node_crash(f->broker.node);
    send(f, 0, (ks_route){ .to = KS_ROUTE_ANY }, 0);
    ks_transport_find_topic(f->transport, KS_LITERAL("orders"), false, 0, found, &f->h[1]);
    run_until(f, 10);
    assert_int_equal(f->h[0].error, KAFKA_ERR_CONNECTION_REFUSED);
    assert_int_equal(f->h[1].error, KAFKA_ERR_CONNECTION_REFUSED);
    assert_int_equal(ks_transport_problem(f->transport), KAFKA_ERR_CONNECTION_REFUSED);
    ks_node_start(f->broker.node);
    run_until(f, 7000);
    assert_int_equal(ks_transport_problem(f->transport), KAFKA_OK);
    ks_transport_find_topic(f->transport, KS_LITERAL("orders"), false, 0, found, &f->h[2]);
    run_until(f, 7010);
    assert_int_equal(f->h[2].partitions, 3);
}

static void opening_in_silence_ends_after_five_seconds(void **state) {
    fixture *f = *state;
    ks_link_cut(f->kernel, ks_process_node(f->process), f->broker.node);
    send(f, 0, (ks_route){ .to = KS_ROUTE_ANY }, 0);
    send(f, 1, (ks_route){ .to = KS_ROUTE_ANY }, 1500);
    run_until(f, 6000);
    assert_int_equal(f->h[0].error, KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_i64_equal(f->h[0].at_ms, 5000);
    assert_int_equal(f->h[1].error, KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_i64_equal(f->h[1].at_ms, 1500);
    ks_link_heal(f->kernel, ks_process_node(f->process), f->broker.node);
}

static void a_dropped_exchange_is_silent_at_every_stage(void **state) {
    fixture *f = *state;
    ks_exchange_drop(send(f, 0, (ks_route){ .to = KS_ROUTE_ANY }, 100)); /* waiting for the layout */
    run_until(f, 10);
    ks_exchange_drop(send(f, 1, (ks_route){ .to = KS_ROUTE_BROKER, .broker = 1 }, 100)); /* opening a connection */
    run_until(f, 20);
    ks_exchange_drop(send(f, 2, (ks_route){ .to = KS_ROUTE_BROKER, .broker = 1 }, 100)); /* on the wire */
    ks_exchange_drop(send(f, 3, (ks_route){ .to = KS_ROUTE_BROKER, .broker = 9 }, 100)); /* about to be told */
    run_until(f, 500);
    for (int i = 0; i < 4; i++) assert_int_equal(f->h[i].replies, 0);
    assert_int_equal(f->broker.hello_count, 2); /* the connection that was opened in vain was used */
    ks_exchange_drop(NULL);
}

static void an_api_the_brokers_do_not_have_is_not_sent(void **state) {
    fixture *f = *state;
    send(f, 0, (ks_route){ .to = KS_ROUTE_ANY }, 0);
    run_until(f, 10);
    ks_envelope *envelope = ks_transport_request(f->transport, KS_API_metadata);
    envelope->api_key = 99; /* in no answer to ApiVersions */
    ks_transport_send(f->transport, &(ks_route){ .to = KS_ROUTE_ANY }, envelope, true, 0, reply, &f->h[1]);
    run_until(f, 20);
    assert_int_equal(f->h[1].replies, 1);
    assert_int_equal(f->h[1].error, KAFKA_ERR_UNSUPPORTED_VERSION);
}

static void a_topic_just_made_is_waited_for_with_growing_pauses(void **state) {
    fixture *f = *state;
    ks_string late = KS_LITERAL("late");
    send(f, 0, (ks_route){ .to = KS_ROUTE_ANY }, 0);
    run_until(f, 10);
    int32_t before = f->broker.metadata_count;
    ks_transport_await(f->transport, &late, 1, 0, found, &f->h[1]);
    run_until(f, 250);
    assert_int_equal(f->h[1].replies, 0);
    assert_int_equal(f->broker.metadata_count - before, 2); /* at once, after 100 ms; then after 200 ms more */
    strcpy(f->broker.topics[f->broker.topic_count++], "late");
    run_until(f, 400);
    assert_int_equal(f->h[1].error, KAFKA_OK);
    assert_in_range(f->h[1].at_ms, 300, 320);
    ks_transport_await(f->transport, &late, 1, 0, found, &f->h[2]);
    ks_transport_await(f->transport, NULL, -1, 0, found, &f->h[3]);
    assert_int_equal(f->h[3].replies, 0);
    run_until(f, 410);
    assert_int_equal(f->h[2].error, KAFKA_OK);
    assert_int_equal(f->h[3].error, KAFKA_OK);
}

static void a_wait_for_a_topic_can_be_bounded_and_dropped(void **state) {
    fixture *f = *state;
    ks_string never = KS_LITERAL("never");
    ks_transport_await(f->transport, &never, 1, 700 * KS_MS, found, &f->h[0]);
    ks_layout_wait *dropped = ks_transport_await(f->transport, &never, 1, 700 * KS_MS, found, &f->h[1]);
    run_until(f, 300);
    ks_layout_wait_drop(dropped);
    ks_layout_wait_drop(NULL);
    run_until(f, 2000);
    assert_int_equal(f->h[0].error, KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_i64_equal(f->h[0].at_ms, 700);
    assert_int_equal(f->h[1].replies, 0);
}

static void one_process_has_one_transport_and_a_crash_ends_it(void **state) {
    fixture *f = *state;
    ks_transport *again = ks_transport_open(f->process, "broker-1:9092");
    assert_ptr_equal(again, f->transport);
    ks_transport_close(again);
    send(f, 0, (ks_route){ .to = KS_ROUTE_ANY }, 1000);
    ks_node_crash(ks_process_node(f->process));
    assert_true(ks_transport_is_dead(f->transport));
    assert_null(ks_transport_open(f->process, "broker-1:9092"));
    ks_exchange *late =
        ks_transport_send(f->transport, &(ks_route){ .to = KS_ROUTE_ANY },
                          ks_transport_request(f->transport, KS_API_metadata), true, KS_S, reply, &f->h[1]);
    run_until(f, 3000);
    assert_int_equal(f->h[0].replies + f->h[1].replies, 0);
    ks_exchange_drop(late);
    ks_node_start(ks_process_node(f->process));
    ks_transport *next = ks_transport_open(f->process, "broker-1:9092");
    assert_ptr_not_equal(next, f->transport);
    ks_transport_close(f->transport);
    f->transport = next;
    send(f, 2, (ks_route){ .to = KS_ROUTE_ANY }, 0);
    run_until(f, 4000);
    assert_int_equal(f->h[2].error, KAFKA_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_has_no_way_is_told_so),
        TEST(the_layout_is_sorted_whatever_the_broker_says),
        TEST(requests_side_by_side_have_connections_of_their_own),
        TEST(addresses_where_nobody_listens_are_passed_over),
        TEST(nobody_at_any_address_refuses_everything_until_somebody_is_there),
        TEST(opening_in_silence_ends_after_five_seconds),
        TEST(a_dropped_exchange_is_silent_at_every_stage),
        TEST(an_api_the_brokers_do_not_have_is_not_sent),
        TEST(a_topic_just_made_is_waited_for_with_growing_pauses),
        TEST(a_wait_for_a_topic_can_be_bounded_and_dropped),
        TEST(one_process_has_one_transport_and_a_crash_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
