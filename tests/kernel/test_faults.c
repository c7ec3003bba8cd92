/* SPDX-License-Identifier: Apache-2.0
 * Crashes, pauses, cuts, resets and interception: what is lost, what waits, what was applied. */
#include "tests/kernel/fixture.h"

#include "sim/kernel/internal.h"

/* ---- crashes ---- */

static void a_server_crash_loses_what_it_serves_and_tells_the_client_one_way_later(void **state) {
    fixture *f = *state;
    f->park = true;
    fixture_connect(f);
    fixture_send(f, 1);
    fixture_send(f, 2);
    fixture_run(f);
    ks_node_crash(f->server);
    fixture_run(f);
    assert_log(f, "1000 c opened; 1500 s got 1; 1500 s down; 2000 c closed; ");
}

static void an_answer_sent_before_the_crash_still_arrives(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    fixture_send(f, 1);
    fixture_run_until(f, 1700);
    ks_node_crash(f->server);
    fixture_run(f);
    assert_log(f, "1000 c opened; 1500 s got 1; 1700 s down; 2000 c got 101; 2200 c closed; ");
}

static void what_is_under_way_to_a_crashed_server_is_lost_even_when_it_is_back(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    fixture_run(f);
    fixture_send(f, 1);
    ks_node_crash(f->server);
    ks_node_start(f->server);
    fixture_run(f);
    assert_log(f, "1000 c opened; 1000 s down; 1000 s up; 1500 c closed; ");
    fixture_connect(f);
    fixture_send(f, 2);
    fixture_run(f);
    assert_log(f, "2500 c opened; 3000 s got 2; 3500 c got 102; ");
}

static void a_client_crash_ends_its_connections_at_the_server(void **state) {
    fixture *f = *state;
    f->park = true;
    fixture_connect(f);
    fixture_send(f, 1);
    fixture_run(f);
    ks_node_crash(f->client);
    fixture_run(f);
    assert_log(f, "1000 c opened; 1500 s got 1; 1500 c down; 2000 s cancelled 1; ");
}

static void a_request_that_left_before_its_client_crashed_is_applied(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    fixture_run(f);
    fixture_send(f, 1);
    ks_node_crash(f->client);
    fixture_run(f);
    assert_log(f, "1000 c opened; 1000 c down; 1500 s got 1; ");
}

static void both_may_crash_while_opening(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    fixture_send(f, 1);
    fixture_run_until(f, 200);
    ks_node_crash(f->client);
    ks_node_crash(f->server);
    fixture_run(f);
    assert_log(f, "200 c down; 200 s down; ");
}

/* ---- pauses ---- */

typedef struct tick {
    ks_timer timer;
    fixture *f;
    int64_t number;
} tick;
static void on_tick(ks_timer *timer) {
    tick *t = timer->owner;
    note(t->f, "tick %lld", t->number);
}
static void start_tick(fixture *f, tick *t, int64_t number, int64_t us) {
    t->f = f;
    t->number = number;
    ks_timer_init(&t->timer, f->server, on_tick, t);
    ks_timer_start(f->kernel, &t->timer, us * KS_US);
}

static void a_paused_node_handles_timers_and_messages_after_its_resume_in_order(void **state) {
    fixture *f = *state;
    tick ticks[4];
    fixture_connect(f);
    fixture_run(f);
    ks_node_pause(f->server);
    start_tick(f, &ticks[0], 0, 100);
    start_tick(f, &ticks[1], 1, 2000);
    start_tick(f, &ticks[3], 3, 4000); /* due at the instant of the resume */
    fixture_send(f, 1);
    fixture_run_until(f, 2000);
    start_tick(f, &ticks[2], 2, 1500);
    fixture_send(f, 2);
    fixture_run_until(f, 4999);
    assert_log(f, "1000 c opened; ");
    assert_true(ks_timer_is_running(&ticks[0].timer));
    ks_kernel_advance(f->kernel, KS_START_NS + 5000 * KS_US);
    ks_node_resume(f->server);
    fixture_run(f);
    assert_log(f, "5000 tick 0; 5000 s got 1; 5000 s got 2; 5000 tick 1; 5000 tick 2; 5000 tick 3; 5500 c got 101; "
                  "5500 c got 102; ");
}

static void a_timer_that_waits_for_a_resume_can_be_stopped(void **state) {
    fixture *f = *state;
    tick ticks[3];
    ks_node_pause(f->server);
    for (int i = 0; i < 3; i++) start_tick(f, &ticks[i], i, 100);
    fixture_run_until(f, 1000);
    ks_timer_stop(&ticks[1].timer);
    ks_timer_stop(&ticks[2].timer);
    start_tick(f, &ticks[1], 1, 100);
    ks_node_resume(f->server);
    fixture_run(f);
    assert_log(f, "1000 tick 0; 1100 tick 1; ");
}

static void a_paused_server_accepts_connections_but_answers_nothing(void **state) {
    fixture *f = *state;
    ks_node_pause(f->server);
    fixture_connect(f);
    fixture_send(f, 1);
    fixture_run(f);
    assert_log(f, "1000 c opened; ");
    ks_node_crash(f->server);
    fixture_run(f);
    assert_log(f, "1500 s down; 2000 c closed; ");
}

static void nothing_overtakes_when_cuts_and_pauses_overlap(void **state) {
    fixture *f = *state;
    f->park = true;
    fixture_connect(f);
    fixture_run(f);
    f->park = false;
    ks_node_pause(f->server);
    fixture_send(f, 1); /* waits at the node */
    fixture_run_until(f, 2000);
    ks_link_cut(f->kernel, f->client, f->server);
    fixture_send(f, 2); /* waits on the link */
    fixture_run_until(f, 3000);
    ks_node_resume(f->server);
    fixture_run_until(f, 3500);
    assert_log(f, "1000 c opened; 3000 s got 1; ");
    ks_node_pause(f->server);
    ks_link_heal(f->kernel, f->client, f->server);
    fixture_send(f, 3);
    fixture_run_until(f, 5000);
    assert_log(f, "3500 c got 101; ");
    ks_node_resume(f->server);
    fixture_run(f);
    assert_log(f, "5000 s got 2; 5000 s got 3; 5500 c got 102; 5500 c got 103; ");
}

static void what_waited_in_several_places_comes_up_in_the_order_in_which_it_was_due(void **state) {
    fixture *f = *state;
    ks_node *other = ks_node_new(f->kernel, "other", NULL, f);
    fixture_connect(f);
    ks_connection *second = ks_connection_open(other, f->server, &client_events, f);
    fixture_run(f);
    ks_buffer_clear(&f->log);
    ks_node_pause(f->server);
    ks_link_cut(f->kernel, f->client, f->server);
    fixture_send(f, 1); /* due first, waits on the link */
    fixture_run_until(f, 2000);
    ks_connection_send(second, envelope_of(f, 2), true); /* waits at the node */
    fixture_run_until(f, 2100);
    ks_connection_send(second, envelope_of(f, 3), true);
    fixture_run_until(f, 3000);
    ks_link_heal(f->kernel, f->client, f->server);
    fixture_run(f); /* now all wait at the node, the oldest one last */
    ks_node_resume(f->server);
    fixture_run(f);
    assert_log(f, "3000 s got 1; 3000 s got 2; 3000 s got 3; 3500 c got 101; 3500 c got 102; 3500 c got 103; ");
}

/* ---- links ---- */

static void a_cut_link_is_silent_until_it_heals(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    fixture_run(f);
    ks_link_cut(f->kernel, f->client, f->server);
    fixture_send(f, 1);
    fixture_send(f, 2);
    ks_connection *other = ks_connection_open(f->client, f->server, &client_events, f);
    fixture_run_until(f, 9000);
    assert_log(f, "1000 c opened; ");
    ks_node_crash(f->server); /* nobody can tell the client */
    fixture_run_until(f, 10000);
    assert_log(f, "9000 s down; ");
    ks_node_start(f->server);
    ks_link_heal(f->kernel, f->server, f->client);
    fixture_run(f);
    assert_log(f, "10000 s up; 10000 c closed; 10500 c opened; "); /* the new connection finds the new process */
    ks_connection_close(other);
}

static void a_reset_ends_both_ends_at_once_and_loses_what_is_under_way(void **state) {
    fixture *f = *state;
    f->park = true;
    fixture_connect(f);
    fixture_run(f);
    fixture_send(f, 1);
    fixture_run(f);
    fixture_send(f, 2);
    assert_int_equal(ks_link_reset(f->kernel, f->server, f->client), 1);
    assert_int_equal(ks_link_reset(f->kernel, f->server, f->client), 0);
    assert_log(f, "1000 c opened; 1500 s got 1; ");
    fixture_run(f);
    assert_log(f, "1500 s cancelled 1; 1500 c closed; ");
    assert_int_equal(f->parked_count, 0);
}

static void a_reset_connection_may_be_answered_closed_and_written_to_before_its_end_is_heard(void **state) {
    fixture *f = *state;
    f->park = true;
    fixture_connect(f);
    fixture_send(f, 1);
    fixture_run(f);
    ks_link_reset(f->kernel, f->client, f->server);
    answer(f, f->parked[0]);
    f->parked_count = 0;
    fixture_send(f, 2);
    ks_connection_close(f->connection);
    fixture_run(f);
    assert_log(f, "1000 c opened; 1500 s got 1; ");
}

static void a_connection_that_is_being_opened_can_be_reset(void **state) {
    fixture *f = *state;
    fixture_connect(f);
    fixture_send(f, 1);
    assert_int_equal(ks_link_reset(f->kernel, f->client, f->server), 1);
    fixture_run(f);
    assert_log(f, "0 c closed; ");
}

/* ---- interception ---- */

typedef struct plan {
    fixture *f;
    int32_t request, response; /* the number to act on; 0: none */
    ks_intercept what;
    ks_node *crash;
    int32_t seen;
} plan;

static void apply(plan *p, ks_intercept *out) {
    *out = p->what;
    if (p->what.action == KS_INTERCEPT_ANSWER) out->answer = envelope_of(p->f, 999);
    if (p->crash != NULL) ks_node_crash(p->crash);
}
static void plan_request(void *context, ks_connection *connection, const ks_envelope *request, ks_intercept *out) {
    plan *p = context;
    (void)connection;
    p->seen++;
    if (number_of(request) == p->request) apply(p, out);
}
static void plan_response(void *context, ks_connection *connection, const ks_envelope *request,
                          const ks_envelope *response, ks_intercept *out) {
    plan *p = context;
    (void)connection;
    assert_int_equal(number_of(request) + 100, number_of(response));
    if (number_of(response) == p->response) apply(p, out);
}

static void run_plan(fixture *f, plan *p) {
    p->f = f;
    ks_network_intercept(f->kernel, &(ks_interceptor){ plan_request, plan_response, NULL, p });
    fixture_connect(f);
    fixture_run(f);
    ks_buffer_clear(&f->log);
    for (int32_t i = 1; i <= 3; i++) fixture_send(f, i);
    fixture_run(f);
}

static void a_reset_on_the_way_in_leaves_the_request_unapplied(void **state) {
    fixture *f = *state;
    run_plan(f, &(plan){ .request = 2, .what = { .action = KS_INTERCEPT_RESET } });
    assert_log(f, "1500 s got 1; 2000 c got 101; 2000 c closed; ");
}

static void a_reset_on_the_way_out_comes_after_the_request_was_applied(void **state) {
    fixture *f = *state;
    run_plan(f, &(plan){ .response = 102, .what = { .action = KS_INTERCEPT_RESET } });
    assert_log(f, "1500 s got 1; 1500 s got 2; 2000 c got 101; 2000 c closed; ");
}

static void an_answer_instead_keeps_the_request_from_the_server(void **state) {
    fixture *f = *state;
    run_plan(f, &(plan){ .request = 2, .what = { .action = KS_INTERCEPT_ANSWER } });
    assert_log(f, "1500 s got 1; 1500 s got 3; 2000 c got 101; 2000 c got 999; 2000 c got 103; ");
}

static void an_answer_instead_of_the_servers_comes_after_it_was_applied(void **state) {
    fixture *f = *state;
    run_plan(f, &(plan){ .response = 102, .what = { .action = KS_INTERCEPT_ANSWER } });
    assert_log(f, "1500 s got 1; 1500 s got 2; 1500 s got 3; 2000 c got 101; 2000 c got 999; 2000 c got 103; ");
}

static void a_held_request_holds_what_is_behind_it(void **state) {
    fixture *f = *state;
    plan p = { .request = 2, .what = { .action = KS_INTERCEPT_HOLD, .hold_id = 7 } };
    run_plan(f, &p);
    assert_log(f, "1500 s got 1; 2000 c got 101; ");
    ks_network_release(f->kernel, 8);
    fixture_run_until(f, 4000);
    ks_network_release(f->kernel, 7);
    fixture_run(f);
    assert_log(f, "4000 s got 2; 4000 s got 3; 4500 c got 102; 4500 c got 103; ");
    assert_int_equal(p.seen, 3); /* not asked again */
}

static void a_held_response_holds_what_is_behind_it(void **state) {
    fixture *f = *state;
    run_plan(f, &(plan){ .response = 102, .what = { .action = KS_INTERCEPT_HOLD, .hold_id = 7 } });
    assert_log(f, "1500 s got 1; 1500 s got 2; 1500 s got 3; 2000 c got 101; ");
    ks_node_crash(f->server); /* the end of the connection stays behind it as well */
    fixture_run_until(f, 4000);
    ks_network_release(f->kernel, 7);
    fixture_run(f);
    assert_log(f, "2000 s down; 4500 c got 102; 4500 c got 103; 4500 c closed; ");
}

static void a_held_message_of_a_dead_connection_is_forgotten(void **state) {
    fixture *f = *state;
    run_plan(f, &(plan){ .request = 2, .what = { .action = KS_INTERCEPT_HOLD, .hold_id = 7 } });
    ks_node_crash(f->server);
    fixture_run(f);
    ks_network_release(f->kernel, 7);
    fixture_run(f);
    assert_log(f, "1500 s got 1; 2000 c got 101; 2000 s down; 2500 c closed; ");
}

static void a_delayed_request_is_taken_up_later(void **state) {
    fixture *f = *state;
    run_plan(f, &(plan){ .request = 2, .what = { .action = KS_INTERCEPT_DELAY, .delay_ns = 10 * KS_MS } });
    assert_log(f, "1500 s got 1; 2000 c got 101; 11500 s got 2; 11500 s got 3; 12000 c got 102; 12000 c got 103; ");
}

static void a_delayed_request_delays_its_clients_end_too_and_is_still_taken_up(void **state) {
    fixture *f = *state;
    plan p = { .f = f, .request = 1, .what = { .action = KS_INTERCEPT_DELAY, .delay_ns = 10 * KS_MS } };
    ks_network_intercept(f->kernel, &(ks_interceptor){ plan_request, plan_response, NULL, &p });
    fixture_connect(f);
    fixture_send(f, 1);
    fixture_run_until(f, 3000);
    ks_connection_close(f->connection);
    fixture_run(f);
    assert_log(f, "1000 c opened; 11500 s got 1; ");
}

static void a_reset_loses_what_nobody_has_taken_up(void **state) {
    fixture *f = *state;
    f->park = true;
    fixture_connect(f);
    for (int32_t i = 1; i <= 3; i++) fixture_send(f, i);
    fixture_run(f);
    ks_link_reset(f->kernel, f->client, f->server);
    fixture_run(f);
    assert_log(f, "1000 c opened; 1500 s got 1; 1500 s cancelled 1; 1500 c closed; ");
    assert_true(ks_ring_link_empty(&f->server->accepted)); /* the server's end is gone, too */
    plan p = { .f = f, .request = 4, .what = { .action = KS_INTERCEPT_DELAY, .delay_ns = 10 * KS_MS } };
    ks_network_intercept(f->kernel, &(ks_interceptor){ plan_request, plan_response, NULL, &p });
    fixture_connect(f);
    fixture_send(f, 4);
    fixture_run_until(f, 4000);
    ks_link_reset(f->kernel, f->client, f->server);
    fixture_run(f);
    assert_log(f, "2500 c opened; 4000 c closed; ");
    assert_true(ks_ring_link_empty(&f->server->accepted));
}

static void a_delayed_response_delays_what_is_behind_it(void **state) {
    fixture *f = *state;
    run_plan(f, &(plan){ .response = 102, .what = { .action = KS_INTERCEPT_DELAY, .delay_ns = 10 * KS_MS } });
    assert_log(f, "1500 s got 1; 1500 s got 2; 1500 s got 3; 2000 c got 101; 12000 c got 102; 12000 c got 103; ");
}

static void a_crash_from_an_interceptor_comes_right_after_the_event_before_the_request_is_applied(void **state) {
    fixture *f = *state;
    run_plan(f, &(plan){ .request = 2, .crash = f->server });
    assert_log(f, "1500 s got 1; 1500 s down; 2000 c got 101; 2000 c closed; ");
}

static void a_crash_while_answering_loses_the_answer_of_an_applied_request(void **state) {
    fixture *f = *state;
    run_plan(f, &(plan){ .response = 102, .crash = f->server, .what = { .action = KS_INTERCEPT_ANSWER } });
    assert_log(f, "1500 s got 1; 1500 s got 2; 1500 s down; 2000 c got 101; 2000 c closed; ");
}

/* ---- memory ---- */

/* What a fault took away goes back to the pools: rounds of the same cost no more memory. */
static void rounds(fixture *f, void (*round)(fixture *f)) {
    size_t live = 0;
    for (int i = 0; i < 20; i++) {
        round(f);
        fixture_run(f);
        ks_buffer_clear(&f->log);
        if (i == 2) live = ks_alloc_live();
        if (i > 2) assert_int_equal(ks_alloc_live(), live);
    }
}

static void send_many(fixture *f) {
    for (int32_t i = 1; i <= 30; i++) fixture_send(f, i);
}
static void crash_a_paused_server(fixture *f) {
    fixture_connect(f);
    fixture_run(f);
    ks_node_pause(f->server);
    send_many(f);
    fixture_run(f);
    ks_node_crash(f->server);
    ks_node_start(f->server);
}
static void close_while_opening(fixture *f) {
    fixture_connect(f);
    send_many(f);
    ks_connection_close(f->connection);
}
static void reset_with_held_responses(fixture *f) {
    fixture_connect(f);
    send_many(f);
    fixture_run(f);
    ks_link_reset(f->kernel, f->client, f->server);
}

static void messages_that_wait_for_a_paused_server_end_with_its_crash(void **state) {
    rounds(*state, crash_a_paused_server);
}
static void requests_that_wait_for_the_opening_end_with_the_close(void **state) { rounds(*state, close_while_opening); }
static void held_responses_end_with_a_reset(void **state) {
    fixture *f = *state;
    plan p = { .f = f, .response = 101, .what = { .action = KS_INTERCEPT_HOLD, .hold_id = 7 } };
    ks_network_intercept(f->kernel, &(ks_interceptor){ plan_request, plan_response, NULL, &p });
    rounds(f, reset_with_held_responses);
}

static ks_envelope *replace(void *context, ks_envelope *envelope) {
    fixture *f = context;
    ks_envelope *twin = ks_envelope_new(f->kernel, envelope->api_key, envelope->api_version, envelope->type);
    twin->correlation_id = envelope->correlation_id;
    twin->is_response = envelope->is_response;
    ((body *)twin->body)->number = number_of(envelope) + 1000;
    ks_envelope_free(f->kernel, envelope);
    return twin;
}

static void every_message_can_be_replaced_when_it_is_sent(void **state) {
    fixture *f = *state;
    ks_network_intercept(f->kernel, &(ks_interceptor){ .transcode = replace, .context = f });
    fixture_connect(f);
    fixture_send(f, 1);
    fixture_run(f);
    assert_log(f, "1000 c opened; 1500 s got 1001; 2000 c got 2101; ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_server_crash_loses_what_it_serves_and_tells_the_client_one_way_later),
        FIXTURE_TEST(an_answer_sent_before_the_crash_still_arrives),
        FIXTURE_TEST(what_is_under_way_to_a_crashed_server_is_lost_even_when_it_is_back),
        FIXTURE_TEST(a_client_crash_ends_its_connections_at_the_server),
        FIXTURE_TEST(a_request_that_left_before_its_client_crashed_is_applied),
        FIXTURE_TEST(both_may_crash_while_opening),
        FIXTURE_TEST(a_paused_node_handles_timers_and_messages_after_its_resume_in_order),
        FIXTURE_TEST(a_timer_that_waits_for_a_resume_can_be_stopped),
        FIXTURE_TEST(a_paused_server_accepts_connections_but_answers_nothing),
        FIXTURE_TEST(nothing_overtakes_when_cuts_and_pauses_overlap),
        FIXTURE_TEST(what_waited_in_several_places_comes_up_in_the_order_in_which_it_was_due),
        FIXTURE_TEST(a_cut_link_is_silent_until_it_heals),
        FIXTURE_TEST(a_reset_ends_both_ends_at_once_and_loses_what_is_under_way),
        FIXTURE_TEST(a_reset_connection_may_be_answered_closed_and_written_to_before_its_end_is_heard),
        FIXTURE_TEST(a_connection_that_is_being_opened_can_be_reset),
        FIXTURE_TEST(a_reset_on_the_way_in_leaves_the_request_unapplied),
        FIXTURE_TEST(a_reset_on_the_way_out_comes_after_the_request_was_applied),
        FIXTURE_TEST(an_answer_instead_keeps_the_request_from_the_server),
        FIXTURE_TEST(an_answer_instead_of_the_servers_comes_after_it_was_applied),
        FIXTURE_TEST(a_held_request_holds_what_is_behind_it),
        FIXTURE_TEST(a_held_response_holds_what_is_behind_it),
        FIXTURE_TEST(a_held_message_of_a_dead_connection_is_forgotten),
        FIXTURE_TEST(a_delayed_request_is_taken_up_later),
        FIXTURE_TEST(a_delayed_request_delays_its_clients_end_too_and_is_still_taken_up),
        FIXTURE_TEST(a_reset_loses_what_nobody_has_taken_up),
        FIXTURE_TEST(a_delayed_response_delays_what_is_behind_it),
        FIXTURE_TEST(a_crash_from_an_interceptor_comes_right_after_the_event_before_the_request_is_applied),
        FIXTURE_TEST(a_crash_while_answering_loses_the_answer_of_an_applied_request),
        FIXTURE_TEST(messages_that_wait_for_a_paused_server_end_with_its_crash),
        FIXTURE_TEST(requests_that_wait_for_the_opening_end_with_the_close),
        FIXTURE_TEST(held_responses_end_with_a_reset),
        FIXTURE_TEST(every_message_can_be_replaced_when_it_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
