/* SPDX-License-Identifier: Apache-2.0
 * A session, one command at a time, as the prompt uses it: the same run as a file, three kinds of results, and which words may come next.
 */
#include "tests/support/test.h"

#include "sim/scenario/scenario.h"

static const char *const lines[] = {
    "cluster brokers=3 group.initial.rebalance.delay.ms=0", "topic orders partitions=3", "consumer c1 group=billing topics=orders",
    "consumer c2 group=billing topics=orders", "produce orders count=6 key=user-{n}", "join c1", "until stable billing", "join c2", "until stable billing",
    "expect assignment billing c1=orders[0]", "until lag billing 0", "advance 10m", "rule slow-join when JoinGroup client=c2 then delay 1s",
};
enum { LINE_COUNT = sizeof lines / sizeof *lines };

static void remember(void *context, const ks_event *event) {
    ks_buffer *out = context;
    ks_event_json(event, out);
    ks_buffer_text(out, "\n");
}

static ks_session *begin(ks_buffer *trace, ks_subscriber *subscriber, const volatile sig_atomic_t *flag) {
    char problem[512];
    int32_t column;
    *subscriber = (ks_subscriber){ .event = remember, .context = trace };
    ks_session *session = ks_session_new(lines[0], &(ks_scenario_options){ .subscriber = subscriber, .interrupted = flag }, &column, problem, sizeof problem);
    if (session == NULL) fail_msg("%s", problem);
    return session;
}

static void say_all(ks_session *session) {
    char problem[512];
    int32_t column;
    for (int i = 1; i < LINE_COUNT; i++)
        assert_int_equal(ks_session_command(session, lines[i], &column, problem, sizeof problem), i == 9 ? KS_RUN_FAILED : KS_RUN_FINE);
}

static void the_same_lines_make_the_same_trace_as_a_file(void **state) {
    (void)state;
    char problem[512];
    ks_buffer typed = { 0 }, run = { 0 }, text = { 0 };
    ks_subscriber subscriber, other = { .event = remember, .context = &run };
    ks_session *session = begin(&typed, &subscriber, NULL);
    say_all(session);
    ks_session_free(session);
    for (int i = 0; i < LINE_COUNT; i++) ks_buffer_printf(&text, "%s\n", lines[i]);
    ks_scenario *scenario = ks_scenario_parse((const char *)text.data, text.size, "t.ksim", problem, sizeof problem);
    assert_non_null(scenario);
    ks_scenario_outcome outcome;
    ks_scenario_run(scenario, &(ks_scenario_options){ .subscriber = &other }, &outcome);
    assert_int_equal(outcome.failed, 1);
    assert_false(outcome.wrong);
    assert_true(typed.size > 10000);
    assert_int_equal(typed.size, run.size);
    assert_memory_equal(typed.data, run.data, run.size);
    ks_scenario_outcome_deinit(&outcome);
    ks_scenario_free(scenario);
    ks_buffer_deinit(&typed);
    ks_buffer_deinit(&run);
    ks_buffer_deinit(&text);
}

static void a_line_is_fine_fails_or_is_wrong_and_the_session_goes_on(void **state) {
    (void)state;
    static const struct { const char *line, *says; ks_run_result result; int32_t column; } rows[] = {
        { "", "", KS_RUN_FINE, 0 },
        { "# a comment", "", KS_RUN_FINE, 0 },
        { "  jion c1", "did you mean 'join'?", KS_RUN_WRONG, 3 },
        { "cluster brokers=1", "the cluster is there already", KS_RUN_WRONG, 0 },
        { "join c9", "there is no consumer 'c9'", KS_RUN_WRONG, -1 },
        { "expect lag billing 7", "", KS_RUN_FAILED, -1 },
        { "until lag billing 0 within=1s", "", KS_RUN_FINE, 0 },
        { "crash c1", "", KS_RUN_FINE, 0 },
        { "until stable billing within=1s", "has not settled: it is Stable", KS_RUN_FAILED, -1 },
        { "restart c1", "", KS_RUN_FINE, 0 },
        { "until stable billing", "", KS_RUN_FINE, 0 }, /* that one got stuck is forgotten */
    };
    ks_buffer trace = { 0 };
    ks_subscriber subscriber;
    ks_session *session = begin(&trace, &subscriber, NULL);
    say_all(session);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char problem[512] = "";
        int32_t column = -1;
        ks_run_result result = ks_session_command(session, rows[i].line, &column, problem, sizeof problem);
        if (result != rows[i].result) fail_msg("'%s': %d, '%s'", rows[i].line, (int)result, problem);
        if (rows[i].column >= 0) assert_int_equal(column, rows[i].column);
        if (result != KS_RUN_FINE && strstr(problem, rows[i].says) == NULL) fail_msg("'%s' says '%s'", rows[i].line, problem);
    }
    ks_session_free(session);
    ks_buffer_deinit(&trace);
}

static void a_wrong_cluster_line_is_refused_with_its_place(void **state) {
    (void)state;
    char problem[512];
    int32_t column;
    assert_null(ks_session_new("cluster broker=3", &(ks_scenario_options){ 0 }, &column, problem, sizeof problem));
    assert_int_equal(column, 9);
    assert_non_null(strstr(problem, "did you mean 'brokers='?"));
    assert_null(ks_session_new("cluster group.initial.rebalance.delay=0", &(ks_scenario_options){ 0 }, &column, problem, sizeof problem));
    assert_non_null(strstr(problem, "group.initial.rebalance.delay.ms"));
}

/* Sets the flag when the trace has grown by so many events: as if somebody had pressed Ctrl-C then. */
typedef struct impatience { volatile sig_atomic_t flag; int left; } impatience;
static void lose_patience(void *context, const ks_event *event) {
    impatience *i = context;
    (void)event;
    if (i->left > 0 && --i->left == 0) i->flag = 1;
}

static void whatever_waits_can_be_interrupted(void **state) {
    (void)state;
    static const char *const waits[] = { "advance 7d", "until lag billing 0 within=7d", "until stable billing within=7d", "produce orders count=100000", "leave c1" };
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        impatience who = { 0 };
        char problem[512];
        int32_t column;
        ks_subscriber subscriber = { .event = lose_patience, .context = &who };
        ks_session *session = ks_session_new(lines[0], &(ks_scenario_options){ .subscriber = &subscriber, .interrupted = &who.flag }, &column, problem, sizeof problem);
        assert_non_null(session);
        say_all(session);
        /* Nothing becomes stable or read before the session of the dead one is over. */
        assert_int_equal(ks_session_command(session, "crash c2", &column, problem, sizeof problem), KS_RUN_FINE);
        assert_int_equal(ks_session_command(session, "produce orders count=50", &column, problem, sizeof problem), KS_RUN_FINE);
        who.left = i == 4 ? 1 : 60;
        assert_int_equal(ks_session_command(session, waits[i], &column, problem, sizeof problem), KS_RUN_FAILED);
        assert_string_equal(problem, "interrupted");
        assert_true(ksim_elapsed(ks_session_sim(session)) < 3600 * KAFKA_SECOND);
        ks_session_free(session);
    }
}

static void collect(void *context, const char *word) { ks_buffer_printf(context, "%s|", word); }

static void completion_offers_what_fits(void **state) {
    (void)state;
    static const struct { const char *line, *has, *has_not; size_t start; } rows[] = {
        { "", "topic |", "orders", 0 },
        { "jo", "join |", "topic", 0 },
        { "join ", "c1 |c2 |", "orders", 5 },
        { "join c1 c", "c1 |c2 |", "billing", 8 },
        { "produce o", "orders |", "c1", 8 },
        { "produce orders c", "count=|", "c1", 15 },
        { "produce orders by=", "producer |", "c1", 18 },
        { "consumer c3 group=", "billing |", "c1", 18 },
        { "consumer c3 topics=a,or", "orders |", "c1", 21 },
        { "consumer c3 client=k", "kafka-go |", "java", 19 },
        { "consumer c3 sess", "session.timeout.ms=|", "orders", 12 },
        { "topic t clean", "cleanup.policy=|", "orders", 8 },
        { "topic t cleanup.policy=c", "compact |", "delete", 23 },
        { "cluster group.ini", "group.initial.rebalance.delay.ms=|", "orders", 8 },
        { "until ", "stable |state |lag |rule |idle |", "billing", 6 },
        { "until stable ", "billing |", "orders", 13 },
        { "until rule ", "slow-join |", "billing", 11 },
        { "release ", "slow-join |", "c1", 8 },
        { "rule r when Jo", "JoinGroup |", "LeaveGroup", 12 },
        { "rule r when Heartbeat client=", "c1 |", "orders", 29 },
        { "rule r when Heartbeat nth=2 then NOT_COORD", "NOT_COORDINATOR |", "delay", 33 },
        { "expect assignment billing c", "c1=|c2=|", "orders", 26 },
        { "expect state billing Sta", "Stable |", "Empty", 21 },
        { "expect contents ", "orders/0 |orders/1 |orders/2 |", "billing", 16 },
        { "move-leader orders/1 ", "1 |2 |3 |", "orders", 21 },
        { "cut c1 b", "broker-1 |broker-2 |broker-3 |", "c1", 7 },
        { "say \"jo", "", "|", 7 },
        { "join c1 # jo", "", "|", 12 },
        { "nosuchverb ", "", "|", 11 },
    };
    ks_buffer trace = { 0 };
    ks_subscriber subscriber;
    ks_session *session = begin(&trace, &subscriber, NULL);
    say_all(session);
    size_t before = trace.size;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ks_buffer out = { 0 };
        ks_buffer_text(&out, "|");
        size_t start = ks_scenario_complete(session, rows[i].line, strlen(rows[i].line), collect, &out);
        const char *words = (const char *)out.data + 1;
        if (strstr(words, rows[i].has) == NULL || strstr(words, rows[i].has_not) != NULL) fail_msg("'%s' offers '%s'", rows[i].line, words);
        assert_int_equal(start, rows[i].start);
        ks_buffer_deinit(&out);
    }
    ks_buffer none = { 0 };
    ks_buffer_text(&none, "");
    ks_scenario_complete(NULL, "join ", 5, collect, &none);
    assert_int_equal(none.size, 0);
    assert_int_equal(trace.size, before); /* asking changes nothing */
    ks_buffer_deinit(&none);
    ks_session_free(session);
    ks_buffer_deinit(&trace);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_lines_make_the_same_trace_as_a_file),
        cmocka_unit_test(a_line_is_fine_fails_or_is_wrong_and_the_session_goes_on),
        cmocka_unit_test(a_wrong_cluster_line_is_refused_with_its_place),
        cmocka_unit_test(whatever_waits_can_be_interrupted),
        cmocka_unit_test(completion_offers_what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
