/* SPDX-License-Identifier: Apache-2.0
 * Connections without faults: opening, order, one request at a time, closing from anywhere. */
#include "tests/kernel/fixture.h"

static void opening_takes_a_round_trip_and_requests_sent_before_wait_for_it(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    fixture_send(f, 1);
    fixture_send(f, 2);
    fixture_run(f);
    assert_log(f, "1000 c opened; 1500 s got 1; 1500 s got 2; 2000 c got 101; 2000 c got 102; ");
}

static void one_request_at_a_time_is_served_on_a_connection(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    f->park = true;
    for (int32_t i = 1; i <= 3; i++) fixture_send(f, i);
    fixture_run_until(f, 5000);
    assert_log(f, "1000 c opened; 1500 s got 1; ");
    assert_int_equal(f->parked_count, 1);
    f->parked_count = 0;
    answer(f, f->parked[0]);
    assert_log(f, ""); /* the next one has an event of its own */
    fixture_run_until(f, 6000);
    assert_log(f, "5000 s got 2; 5500 c got 101; ");
    f->park = false;
    answer(f, f->parked[0]);
    fixture_run(f);
    assert_log(f, "6000 s got 3; 6500 c got 102; 6500 c got 103; ");
}

static void a_request_without_response_lets_the_next_one_in(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    fixture_send(f, -1);
    fixture_send(f, 2);
    fixture_run(f);
    assert_log(f, "1000 c opened; 1500 s got -1; 1500 s got 2; 2000 c got 102; ");
}

static void an_answer_to_a_request_that_wants_none_goes_nowhere(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    f->park = true;
    fixture_send(f, -1);
    fixture_run(f);
    answer(f, f->parked[0]);
    fixture_run(f);
    assert_log(f, "1000 c opened; 1500 s got -1; ");
}

static void nothing_overtakes_when_the_latency_falls(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    fixture_run(f);
    ks_link_set_latency(f->kernel, f->client, f->server, 10 * KS_MS);
    fixture_send(f, 1);
    ks_link_set_latency(f->kernel, f->server, f->client, 1 * KS_MS);
    fixture_send(f, 2);
    fixture_run(f);
    assert_log(f, "1000 c opened; 11000 s got 1; 11000 s got 2; 12000 c got 101; 12000 c got 102; ");
    ks_link_set_latency(f->kernel, f->client, f->server, -1);
    fixture_send(f, 3);
    fixture_run(f);
    assert_log(f, "12500 s got 3; 13000 c got 103; ");
}

static void a_down_server_refuses(void **state) {
    fixture *f = *state;
    ks_node_crash(f->server);
    fixture_connect(f);
    fixture_send(f, 1);
    fixture_run(f);
    assert_log(f, "0 s down; 1000 c refused; ");
}

static void a_node_that_takes_no_requests_refuses(void **state) {
    fixture *f = *state;
    f->connection = ks_connection_open(f->server, f->client, &client_events, f);
    fixture_run(f);
    assert_log(f, "1000 c refused; ");
}

static void the_client_may_close_from_inside_its_response_callback(void **state) {
    fixture *f = *state;
    f->close_in_response = true;
    fixture_connect(f);
    for (int32_t i = 1; i <= 3; i++) fixture_send(f, i);
    fixture_run(f);
    assert_log(f, "1000 c opened; 1500 s got 1; 1500 s got 2; 1500 s got 3; 2000 c got 101; ");
}

static void closing_before_it_is_open_ends_quietly(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    fixture_send(f, 1);
    ks_connection_close(f->connection);
    fixture_run(f);
    assert_log(f, "");
}

static void closing_cancels_the_parked_request_but_not_what_was_served(void **state) {
    fixture *f = *state;
    f->park = true;
    fixture_connect(f);
    for (int32_t i = 1; i <= 3; i++) fixture_send(f, i);
    fixture_run(f);
    ks_connection_close(f->connection);
    assert_log(f, "1000 c opened; 1500 s got 1; ");
    fixture_run(f);
    assert_log(f, "2000 s cancelled 1; 2000 s got 2; 2000 s cancelled 2; 2000 s got 3; 2000 s cancelled 3; ");
    assert_int_equal(f->parked_count, 0);
}

static void last_words_are_heard_one_after_another_though_nobody_waits_for_the_answers(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    fixture_run(f);
    for (int32_t i = 1; i <= 3; i++) fixture_send(f, i == 2 ? -i : i);
    ks_connection_close(f->connection);
    fixture_run(f);
    assert_log(f, "1000 c opened; 1500 s got 1; 1500 s got -2; 1500 s got 3; ");
}

static void a_crash_of_the_server_ends_a_connection_whose_last_words_wait(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    fixture_run(f);
    ks_node_pause(f->server);
    for (int32_t i = 1; i <= 2; i++) fixture_send(f, i);
    ks_connection_close(f->connection);
    fixture_run_until(f, 3000);
    ks_node_crash(f->server);
    fixture_run(f);
    assert_log(f, "1000 c opened; 3000 s down; ");
}

static void what_was_sent_before_closing_still_arrives(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    fixture_run(f);
    fixture_send(f, 1);
    ks_connection_close(f->connection);
    fixture_run(f);
    assert_log(f, "1000 c opened; 1500 s got 1; ");
}

static void the_server_may_close_instead_of_answering(void **state) {
    fixture *f = *state;
    f->park = true;
    fixture_connect(f);
    fixture_send(f, 1);
    fixture_send(f, 2);
    fixture_run(f);
    ks_request_close(f->parked[0]);
    fixture_run(f);
    assert_log(f, "1000 c opened; 1500 s got 1; 2000 c closed; ");
}

static void connections_are_numbered_and_correlation_ids_count_per_connection(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    assert_int_equal(ks_connection_id(f->connection), 1);
    fixture_connect(f);
    assert_int_equal(ks_connection_id(f->connection), 2);
    f->park = true;
    fixture_send(f, 1);
    fixture_run(f);
    assert_int_equal(f->parked[0]->envelope->correlation_id, 1);
    assert_ptr_equal(ks_connection_client(f->connection), f->client);
    assert_ptr_equal(ks_connection_server(f->connection), f->server);
}

static void envelopes_and_messages_are_reused(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    for (int32_t i = 0; i < 10; i++) {
        fixture_send(f, i);
        fixture_run(f);
    }
    size_t live = ks_alloc_live();
    for (int32_t i = 0; i < 1000; i++) {
        fixture_send(f, i);
        fixture_run(f);
        ks_buffer_clear(&f->log);
    }
    assert_int_equal(ks_alloc_live(), live);
}

static void an_envelope_holds_its_blocks(void **state) {
    fixture *f = *state;
    ks_block *block = ks_block_new(10);
    ks_envelope *envelope = envelope_of(f, 1);
    ks_envelope_hold(envelope, block);
    ks_envelope_hold(envelope, block);
    assert_int_equal(block->references, 3);
    ks_envelope_free(f->kernel, envelope);
    assert_int_equal(block->references, 1);
    fixture_connect(f);
    envelope = envelope_of(f, 1);
    ks_envelope_hold(envelope, block);
    ks_connection_send(f->connection, envelope, true);
    ks_block_release(block); /* teardown frees the message under way, and so the block */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(opening_takes_a_round_trip_and_requests_sent_before_wait_for_it),
        FIXTURE_TEST(one_request_at_a_time_is_served_on_a_connection),
        FIXTURE_TEST(a_request_without_response_lets_the_next_one_in),
        FIXTURE_TEST(an_answer_to_a_request_that_wants_none_goes_nowhere),
        FIXTURE_TEST(nothing_overtakes_when_the_latency_falls),
        FIXTURE_TEST(a_down_server_refuses),
        FIXTURE_TEST(a_node_that_takes_no_requests_refuses),
        FIXTURE_TEST(the_client_may_close_from_inside_its_response_callback),
        FIXTURE_TEST(closing_before_it_is_open_ends_quietly),
        FIXTURE_TEST(closing_cancels_the_parked_request_but_not_what_was_served),
        FIXTURE_TEST(last_words_are_heard_one_after_another_though_nobody_waits_for_the_answers),
        FIXTURE_TEST(a_crash_of_the_server_ends_a_connection_whose_last_words_wait),
        FIXTURE_TEST(what_was_sent_before_closing_still_arrives),
        FIXTURE_TEST(the_server_may_close_instead_of_answering),
        FIXTURE_TEST(connections_are_numbered_and_correlation_ids_count_per_connection),
        FIXTURE_TEST(envelopes_and_messages_are_reused),
        FIXTURE_TEST(an_envelope_holds_its_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
