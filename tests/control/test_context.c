/* SPDX-License-Identifier: Apache-2.0
 * Contexts: a tree, its deadlines, who is woken in which order. */
#include "tests/control/fixture.h"

static void a_child_ends_no_later_than_its_parent(void **state) {
    kafka_address *address = ksim_client(*state, "c1");
    kafka_context *parent = kafka_context_with_timeout(kafka_background(address), KAFKA_SECOND);
    kafka_context *child = kafka_context_with_timeout(parent, KAFKA_MINUTE),
                  *early = kafka_context_with_timeout(parent, KAFKA_MILLISECOND);
    kafka_time deadline;
    assert_true(kafka_context_deadline(child, &deadline));
    assert_i64_equal(deadline, kafka_now(child) + KAFKA_SECOND);
    assert_i64_equal(kafka_context_time_left(early), KAFKA_MILLISECOND);
    ksim_run_for(*state, KAFKA_MILLISECOND);
    assert_int_equal(kafka_context_error(early), KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_int_equal(kafka_context_error(child), KAFKA_OK);
    ksim_run_for(*state, KAFKA_SECOND);
    assert_int_equal(kafka_context_error(child), KAFKA_ERR_DEADLINE_EXCEEDED);
    assert_i64_equal(kafka_context_time_left(child), 0);
    kafka_context_free(parent);
    kafka_context_free(child);
    kafka_context_free(early);
    kafka_address_free(address);
}

static void cancelling_ends_the_descendants_and_not_the_parent(void **state) {
    kafka_address *address = ksim_client(*state, "c1");
    kafka_context *a = kafka_context_with_cancel(kafka_background(address)), *b = kafka_context_with_cancel(a),
                  *c = kafka_context_with_cancel(b);
    kafka_context_cancel(b);
    kafka_context_cancel(b);
    assert_int_equal(kafka_context_error(a), KAFKA_OK);
    assert_int_equal(kafka_context_error(b), KAFKA_ERR_CANCELED);
    assert_int_equal(kafka_context_error(c), KAFKA_ERR_CANCELED);
    kafka_context *late = kafka_context_with_timeout(c, KAFKA_SECOND);
    assert_int_equal(kafka_context_error(late), KAFKA_ERR_CANCELED); /* born ended */
    kafka_context_free(a);
    kafka_context_free(b);
    assert_int_equal(kafka_context_error(c), KAFKA_ERR_CANCELED); /* outlives the one it came from */
    kafka_context_free(c);
    kafka_context_free(late);
    kafka_context_free(NULL);
    kafka_address_free(address);
}

static void a_deadline_in_the_past_ends_it_at_once(void **state) {
    kafka_address *address = ksim_client(*state, "c1");
    kafka_context *context = kafka_context_with_timeout(kafka_background(address), 0);
    assert_int_equal(kafka_context_error(context), KAFKA_ERR_DEADLINE_EXCEEDED);
    kafka_context_free(context);
    kafka_address_free(address);
}

static void a_background_cannot_be_cancelled(void **state) {
    kafka_address *address = ksim_client(*state, "c1");
    kafka_context_cancel(kafka_background(address));
    kafka_context_free(kafka_background(address));
    assert_int_equal(kafka_context_error(kafka_background(address)), KAFKA_OK);
    assert_i64_equal(kafka_context_time_left(kafka_background(address)), INT64_MAX);
    kafka_address_free(address);
}

typedef struct sleeper {
    kafka_context *context;
    char name;
    char *log;
} sleeper;

static void sleeps(void *argument) {
    sleeper *self = argument;
    if (kafka_sleep(self->context, KAFKA_HOUR) == KAFKA_ERR_CANCELED) self->log[strlen(self->log)] = self->name;
}

static void those_who_wait_are_woken_in_the_order_of_their_coming(void **state) {
    kafka_address *address = ksim_client(*state, "c1");
    kafka_context *parent = kafka_context_with_cancel(kafka_background(address)),
                  *child = kafka_context_with_cancel(parent);
    char log[8] = "";
    sleeper all[] = { { parent, 'a', log }, { child, 'b', log }, { parent, 'c', log }, { child, 'd', log } };
    kafka_task *tasks[4];
    for (size_t i = 0; i < 4; i++) tasks[i] = kafka_go(kafka_background(address), "sleeper", sleeps, &all[i]);
    ksim_run_for(*state, KAFKA_SECOND);
    kafka_context_cancel(parent);
    for (size_t i = 0; i < 4; i++) kafka_join(kafka_background(address), tasks[i]);
    assert_string_equal(log, "acbd"); /* a context's own, then its children's */
    assert_i64_equal(ksim_elapsed(*state), KAFKA_SECOND);
    kafka_context_free(child);
    kafka_context_free(parent);
    kafka_address_free(address);
}

static void freeing_a_context_under_a_waiting_call_is_safe(void **state) {
    kafka_address *address = ksim_client(*state, "c1");
    char log[8] = "";
    sleeper one = { kafka_context_with_cancel(kafka_background(address)), 'x', log };
    kafka_task *task = kafka_go(kafka_background(address), "sleeper", sleeps, &one);
    ksim_run_for(*state, KAFKA_SECOND);
    kafka_context_free(one.context);
    kafka_join(kafka_background(address), task);
    assert_string_equal(log, "x");
    kafka_address_free(address);
}

static void an_instant_is_written_as_rfc_3339(void **state) {
    static const struct {
        kafka_time time;
        const char *text;
    } rows[] = {
        { 0, "1970-01-01T00:00:00Z" },
        { INT64_C(1798761600) * KAFKA_SECOND, "2027-01-01T00:00:00Z" },
        { INT64_C(951782400) * KAFKA_SECOND - 1, "2000-02-28T23:59:59Z" },
        { INT64_C(951782400) * KAFKA_SECOND, "2000-02-29T00:00:00Z" },
        { INT64_C(951868800) * KAFKA_SECOND, "2000-03-01T00:00:00Z" },
        { INT64_C(4107542399) * KAFKA_SECOND, "2100-02-28T23:59:59Z" },
        { INT64_C(4107542400) * KAFKA_SECOND, "2100-03-01T00:00:00Z" },
        { -1, "1969-12-31T23:59:59Z" },
        { INT64_MAX, "2262-04-11T23:47:16Z" },
        { INT64_MIN, "1677-09-21T00:12:43Z" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[KAFKA_RFC3339_SIZE];
        assert_string_equal(kafka_rfc3339(rows[i].time, text), rows[i].text);
    }
}

static void null_arguments_are_refused(void **state) {
    (void)state;
    assert_null(kafka_background(NULL));
    assert_null(kafka_context_with_cancel(NULL));
    assert_null(kafka_context_with_timeout(NULL, 1));
    assert_null(kafka_context_with_deadline(NULL, 1));
    assert_int_equal(kafka_context_error(NULL), KAFKA_ERR_INVALID_ARGUMENT);
    kafka_context_cancel(NULL);
    kafka_time deadline = 5;
    assert_false(kafka_context_deadline(NULL, &deadline));
    assert_i64_equal(deadline, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_child_ends_no_later_than_its_parent),
        TEST(cancelling_ends_the_descendants_and_not_the_parent),
        TEST(a_deadline_in_the_past_ends_it_at_once),
        TEST(a_background_cannot_be_cancelled),
        TEST(those_who_wait_are_woken_in_the_order_of_their_coming),
        TEST(freeing_a_context_under_a_waiting_call_is_safe),
        TEST(an_instant_is_written_as_rfc_3339),
        TEST(null_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
