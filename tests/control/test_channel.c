/* SPDX-License-Identifier: Apache-2.0
 * Channels, as Go has them. */
#include "tests/control/fixture.h"

typedef struct world {
    ksim *sim;
    kafka_address *address;
    kafka_context *ctx, *other;
    kafka_channel *channel;
    intptr_t got[64];
    size_t count;
    kafka_error error;
    bool sent;
} world;

static world make(void **state, size_t capacity) {
    world w = { .sim = *state };
    w.address = ksim_client(w.sim, "c1");
    w.ctx = kafka_background(w.address);
    w.channel = kafka_channel_new(w.ctx, capacity);
    return w;
}

static void done(world *w) {
    kafka_channel_free(w->channel);
    kafka_address_free(w->address);
}

static void receives_all(void *argument) {
    world *w = argument;
    void *item;
    while ((w->error = kafka_channel_receive(w->channel, w->ctx, &item)) == KAFKA_OK)
        w->got[w->count++] = (intptr_t)item;
}

static void items_arrive_in_order_through(void **state, size_t capacity) {
    world w = make(state, capacity);
    kafka_task *task = kafka_go(w.ctx, "receiver", receives_all, &w);
    for (intptr_t i = 1; i <= 20; i++) assert_int_equal(kafka_channel_send(w.channel, w.ctx, (void *)i), KAFKA_OK);
    kafka_channel_close(w.channel);
    assert_int_equal(kafka_join(w.ctx, task), KAFKA_OK);
    assert_int_equal(w.error, KAFKA_ERR_CLOSED);
    assert_int_equal(w.count, 20);
    for (size_t i = 0; i < 20; i++) assert_int_equal(w.got[i], i + 1);
    done(&w);
}

static void items_arrive_in_order_without_a_buffer(void **state) { items_arrive_in_order_through(state, 0); }
static void items_arrive_in_order_through_a_buffer(void **state) { items_arrive_in_order_through(state, 3); }

static void sends_one(void *argument) {
    world *w = argument;
    w->error = kafka_channel_send(w->channel, w->other ? w->other : w->ctx, (void *)(intptr_t)7);
    w->sent = true;
}

static void a_send_without_a_buffer_waits_for_its_receiver(void **state) {
    world w = make(state, 0);
    void *item = NULL;
    kafka_task *task = kafka_go(w.ctx, "sender", sends_one, &w);
    ksim_run_for(w.sim, KAFKA_SECOND);
    assert_false(w.sent);
    assert_int_equal(kafka_channel_receive(w.channel, w.ctx, &item), KAFKA_OK);
    assert_int_equal((intptr_t)item, 7);
    kafka_join(w.ctx, task);
    assert_true(w.sent);
    done(&w);
}

static void a_full_buffer_blocks_and_a_closed_one_drains(void **state) {
    world w = make(state, 2);
    kafka_context *soon = kafka_context_with_timeout(w.ctx, KAFKA_MILLISECOND);
    void *item;
    assert_int_equal(kafka_channel_send(w.channel, soon, (void *)1), KAFKA_OK);
    assert_int_equal(kafka_channel_send(w.channel, soon, (void *)2), KAFKA_OK);
    assert_int_equal(kafka_channel_send(w.channel, soon, (void *)3), KAFKA_ERR_DEADLINE_EXCEEDED);
    kafka_channel_close(w.channel);
    kafka_channel_close(w.channel);
    assert_int_equal(kafka_channel_send(w.channel, w.ctx, (void *)4), KAFKA_ERR_CLOSED);
    assert_int_equal(kafka_channel_receive(w.channel, w.ctx, &item), KAFKA_OK);
    assert_int_equal((intptr_t)item, 1);
    assert_int_equal(kafka_channel_receive(w.channel, w.ctx, &item), KAFKA_OK);
    assert_int_equal((intptr_t)item, 2);
    assert_int_equal(kafka_channel_receive(w.channel, w.ctx, &item), KAFKA_ERR_CLOSED);
    kafka_context_free(soon);
    done(&w);
}

static void a_sender_that_gave_up_sends_nothing(void **state) {
    world w = make(state, 0);
    void *item;
    w.other = kafka_context_with_timeout(w.ctx, KAFKA_MILLISECOND);
    kafka_task *task = kafka_go(w.ctx, "sender", sends_one, &w);
    kafka_sleep(w.ctx, KAFKA_SECOND);
    assert_int_equal(w.error, KAFKA_ERR_DEADLINE_EXCEEDED);
    kafka_context *soon = kafka_context_with_timeout(w.ctx, KAFKA_MILLISECOND);
    assert_int_equal(kafka_channel_receive(w.channel, soon, &item), KAFKA_ERR_DEADLINE_EXCEEDED);
    kafka_join(w.ctx, task);
    kafka_context_free(soon);
    kafka_context_free(w.other);
    done(&w);
}

static void what_was_handed_over_is_not_lost_when_the_context_ends_at_that_instant(void **state) {
    world w = make(state, 0);
    void *item = NULL;
    w.other = kafka_context_with_cancel(w.ctx);
    kafka_task *task = kafka_go(w.ctx, "sender", sends_one, &w);
    ksim_run_for(w.sim, 0);
    assert_int_equal(kafka_channel_receive(w.channel, w.ctx, &item),
                     KAFKA_OK); /* the sender is awake, but has not run */
    kafka_context_cancel(w.other);
    kafka_join(w.ctx, task);
    assert_int_equal(w.error, KAFKA_OK);
    kafka_context_free(w.other);
    done(&w);
}

static void freeing_a_channel_ends_who_waits_at_it(void **state) {
    world w = make(state, 0);
    kafka_task *task = kafka_go(w.ctx, "sender", sends_one, &w);
    ksim_run_for(w.sim, 0);
    kafka_channel_free(w.channel);
    kafka_join(w.ctx, task);
    assert_int_equal(w.error, KAFKA_ERR_CLOSED);
    kafka_address_free(w.address);
}

static void bad_arguments_are_refused(void **state) {
    world w = make(state, 1);
    assert_null(kafka_channel_new(NULL, 1));
    assert_int_equal(kafka_channel_send(NULL, w.ctx, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_channel_send(w.channel, NULL, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(kafka_channel_receive(w.channel, w.ctx, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    ksim *other = ksim_new(NULL);
    kafka_address *elsewhere = ksim_client(other, "c1");
    assert_int_equal(kafka_channel_send(w.channel, kafka_background(elsewhere), NULL), KAFKA_ERR_INVALID_ARGUMENT);
    kafka_address_free(elsewhere);
    ksim_free(other);
    kafka_channel_close(NULL);
    kafka_channel_free(NULL);
    done(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(items_arrive_in_order_without_a_buffer),
        TEST(items_arrive_in_order_through_a_buffer),
        TEST(a_send_without_a_buffer_waits_for_its_receiver),
        TEST(a_full_buffer_blocks_and_a_closed_one_drains),
        TEST(a_sender_that_gave_up_sends_nothing),
        TEST(what_was_handed_over_is_not_lost_when_the_context_ends_at_that_instant),
        TEST(freeing_a_channel_ends_who_waits_at_it),
        TEST(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
