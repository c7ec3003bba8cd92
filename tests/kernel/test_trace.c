/* SPDX-License-Identifier: Apache-2.0
 * The trace: ids, causes, subscribers, the ring. */
#include "tests/kernel/fixture.h"

/* A kind with everything the ring must copy: strings, a list, nested structs. */
typedef struct part {
    ks_string name;
    int32_t number;
} part;
typedef struct rich {
    ks_string text;
    ks_bytes bytes;
    struct {
        ks_string *items;
        int32_t count;
    } names;
    struct {
        part *items;
        int32_t count;
    } parts;
    part *pointer;
} rich;

#define COMMON(c) .name = #c, .c_name = #c, .until = KS_VERSION_MAX, .nullable_since = 0, .tagged_since = KS_NEVER
static const ks_struct *part_type(void) {
    static const ks_field fields[] = {
        { COMMON(name), .type = KS_TYPE_string, .offset = offsetof(part, name) },
        { COMMON(number), .type = KS_TYPE_int32, .offset = offsetof(part, number) },
    };
    static const ks_struct type = { "part", sizeof(part), 2, fields };
    return &type;
}
static const ks_struct *rich_type(void) {
    static const ks_field fields[] = {
        { COMMON(text), .type = KS_TYPE_string, .offset = offsetof(rich, text) },
        { COMMON(bytes), .type = KS_TYPE_bytes, .offset = offsetof(rich, bytes) },
        { COMMON(names), .type = KS_TYPE_string, .array = true, .offset = offsetof(rich, names) },
        { COMMON(parts), .type = KS_TYPE_struct, .array = true, .sub = part_type, .offset = offsetof(rich, parts) },
        { COMMON(pointer), .type = KS_TYPE_struct, .pointer = true, .sub = part_type,
          .offset = offsetof(rich, pointer) },
    };
    static const ks_struct type = { "ev_rich", sizeof(rich), 5, fields };
    return &type;
}

typedef struct recorder {
    ks_subscriber subscriber;
    fixture *f;
    ks_buffer text; /* "id<cause kind@node; ..." */
    char name;
    int32_t messages;
    ks_subscriber *drop; /* unsubscribed from inside */
} recorder;

static void record(void *context, const ks_event *event) {
    recorder *r = context;
    if (r->name != 0) ks_buffer_printf(&r->text, "%c", r->name);
    ks_buffer_printf(&r->text, "%llu<%llu %s@%s; ", (unsigned long long)event->id, (unsigned long long)event->cause,
                     event->kind->name + 3, event->node_name);
    r->messages += event->message != NULL;
    if (r->drop != NULL) ks_trace_unsubscribe(r->f->kernel, r->drop);
    r->drop = NULL;
}

static void subscribe(fixture *f, recorder *r) {
    *r = (recorder){ .subscriber = { .event = record, .context = r }, .f = f };
    ks_trace_subscribe(f->kernel, &r->subscriber);
}

static void a_subscriber_of_some_kinds_hears_of_no_other(void **state) {
    fixture *f = *state;
    const ks_struct *kinds[] = { ks_describe_ev_response_received(), ks_describe_ev_connection_opened(), NULL };
    recorder some, all;
    fixture_connect(f);
    subscribe(f, &some);
    some.subscriber.kinds = kinds;
    fixture_send(f, 1);
    fixture_run(f);
    assert_string_equal((char *)some.text.data, "3<0 connection_opened@c; 7<6 response_received@c; ");
    ks_buffer_clear(&some.text);
    subscribe(f, &all); /* from now on every kind is heard by somebody */
    fixture_send(f, 1);
    fixture_run(f);
    assert_string_equal((char *)some.text.data, "11<10 response_received@c; ");
    assert_string_equal((char *)all.text.data, "8<0 request_sent@c; 9<8 request_received@s; 10<9 response_sent@s; 11<10 response_received@c; ");
    ks_trace_unsubscribe(f->kernel, &some.subscriber);
    ks_buffer_clear(&some.text);
    fixture_send(f, 1);
    fixture_run(f);
    assert_string_equal((char *)some.text.data, "");
    ks_trace_unsubscribe(f->kernel, &all.subscriber);
    ks_buffer_deinit(&some.text);
    ks_buffer_deinit(&all.text);
}

static void every_event_knows_its_cause(void **state) {
    fixture *f = *state;
    recorder r;
    fixture_connect(f);
    ks_cause_set(f->kernel, 2); /* a command, say */
    subscribe(f, &r);
    fixture_send(f, 1);
    ks_cause_set(f->kernel, 0);
    fixture_run(f);
    assert_string_equal((char *)r.text.data, "3<0 connection_opened@c; 4<2 request_sent@c; 5<4 request_received@s; "
                                             "6<5 response_sent@s; 7<6 response_received@c; ");
    assert_int_equal(f->request_cause, 5);
    assert_int_equal(f->response_cause, 7);
    assert_int_equal(r.messages, 4);
    assert_int_equal(ks_cause(f->kernel), 0);
    ks_buffer_deinit(&r.text);
}

static void a_crash_is_the_cause_of_what_its_peers_see(void **state) {
    fixture *f = *state;
    recorder r;
    fixture_connect(f);
    fixture_run(f);
    ks_connection_open(f->client, f->server, &client_events, f);
    fixture_run(f);
    subscribe(f, &r);
    ks_node_crash(f->server);
    assert_int_equal(ks_cause(f->kernel), 0);
    fixture_run(f);
    assert_string_equal((char *)r.text.data, "5<0 node_crashed@s; 6<5 connection_closed@s; 7<5 connection_closed@s; ");
    ks_buffer_deinit(&r.text);
}

typedef struct timed {
    ks_timer timer;
    fixture *f;
    uint64_t cause;
} timed;
static void keep_cause(ks_timer *timer) {
    timed *t = timer->owner;
    t->cause = ks_cause(t->f->kernel);
}

static void a_timer_carries_the_cause_it_was_started_under(void **state) {
    fixture *f = *state;
    timed t = { .f = f };
    ks_timer_init(&t.timer, NULL, keep_cause, &t);
    assert_int_equal(ks_cause_set(f->kernel, 77), 0);
    ks_timer_start(f->kernel, &t.timer, KS_S);
    assert_int_equal(ks_cause_set(f->kernel, 0), 77);
    fixture_run(f);
    assert_int_equal(t.cause, 77);
}

static void a_held_answer_names_the_reason_it_was_given(void **state) {
    fixture *f = *state;
    recorder r;
    fixture_connect(f);
    fixture_run(f);
    f->park = true;
    fixture_send(f, 1);
    fixture_run(f);
    subscribe(f, &r);
    ks_cause_set(f->kernel, 42); /* what made the server answer now */
    answer(f, f->parked[0]);
    ks_cause_set(f->kernel, 0);
    fixture_run(f);
    assert_string_equal((char *)r.text.data, "6<42 response_sent@s; 7<6 response_received@c; ");
    ks_buffer_deinit(&r.text);
}

static void reset_it(void *context, ks_connection *connection, const ks_envelope *request, ks_intercept *out) {
    (void)connection, (void)request;
    out->action = KS_INTERCEPT_RESET;
    out->cause = *(uint64_t *)context;
}

static void a_reset_is_caused_by_the_message_it_met_or_by_the_reason_a_fault_gives(void **state) {
    fixture *f = *state;
    uint64_t reason = 0;
    recorder r;
    for (int i = 0; i < 2; i++, reason = 99) {
        ks_network_intercept(f->kernel, &(ks_interceptor){ .on_request = reset_it, .context = &reason });
        fixture_connect(f);
        fixture_run(f);
        subscribe(f, &r);
        fixture_send(f, 1);
        fixture_run(f);
        assert_string_equal((char *)r.text.data, i == 0 ? "4<0 request_sent@c; 5<4 connection_closed@s; "
                                                        : "7<0 request_sent@c; 8<99 connection_closed@s; ");
        ks_trace_unsubscribe(f->kernel, &r.subscriber);
        ks_buffer_deinit(&r.text);
    }
}

static void answer_later(ks_timer *timer) {
    fixture *f = timer->owner;
    answer(f, f->parked[0]);
}

static void a_message_is_background_when_what_sent_it_is(void **state) {
    fixture *f = *state;
    ks_timer wait;
    f->park = true;
    fixture_connect(f);
    fixture_run(f);
    for (int background = 0; background < 2; background++) {
        f->parked_count = 0;
        fixture_send(f, 1);
        fixture_run(f);
        ks_timer_init(&wait, f->server, answer_later, f);
        if (background)
            ks_timer_start_background(f->kernel, &wait, KS_S); /* a fetch's longest wait */
        else
            ks_timer_start(f->kernel, &wait, KS_S);
        int64_t now = ks_now(f->kernel);
        ks_kernel_step(f->kernel);
        assert_int_equal(ks_foreground_pending(f->kernel), !background); /* the response */
        fixture_run(f);
        assert_i64_equal(ks_last_progress(f->kernel), background ? now : ks_now(f->kernel));
    }
}

static void subscribers_hear_in_order_and_may_leave_while_events_are_told(void **state) {
    fixture *f = *state;
    recorder a, b, c;
    subscribe(f, &a);
    subscribe(f, &b);
    subscribe(f, &c);
    a.drop = &b.subscriber;
    c.drop = &c.subscriber;
    ks_node_pause(f->server);
    ks_node_resume(f->server);
    assert_string_equal((char *)a.text.data, "3<0 node_paused@s; 4<0 node_resumed@s; ");
    assert_null(b.text.data);
    assert_string_equal((char *)c.text.data, "3<0 node_paused@s; ");
    recorder d;
    subscribe(f, &d); /* the tail is where it should be */
    ks_node_pause(f->server);
    assert_string_equal((char *)d.text.data, "5<0 node_paused@s; ");
    ks_buffer_deinit(&a.text);
    ks_buffer_deinit(&c.text);
    ks_buffer_deinit(&d.text);
}

/* ---- the ring ---- */

static void the_ring_keeps_the_last_events_oldest_first(void **state) {
    (void)state;
    ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ .ring_size = 3 });
    char text[] = "node-0";
    assert_int_equal(ks_trace_ring_count(kernel), 0);
    for (int i = 0; i < 5; i++) {
        text[5] = (char)('0' + i);
        ks_node_new(kernel, text, NULL, NULL);
        assert_int_equal(ks_trace_ring_count(kernel), i < 3 ? i + 1 : 3);
    }
    for (int i = 0; i < 3; i++) {
        const ks_event *event = ks_trace_ring_get(kernel, i);
        const ks_ev_node_started *fields = event->fields;
        assert_int_equal(event->id, 3 + i);
        assert_int_equal(fields->name.data[5], '2' + i);
        assert_ptr_not_equal(fields->name.data, text);
    }
    ks_kernel_free(kernel);
}

/* Long enough for its memory to be written again some times, with events of all sizes, whole or cut. */
static void the_ring_keeps_neither_less_nor_more_memory_than_it_needs(void **state) {
    (void)state;
    enum { SIZE = 200, LONG = 20000 };
    static char text[100];
    memset(text, 'a', sizeof text);
    ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ .ring_size = SIZE });
    size_t live = 0;
    for (int32_t i = 1; i <= LONG; i++) {
        part item = { { text, i % 90 }, i };
        ks_string names[] = { { text, i % 70 }, { text, i % 60 }, { text, i % 50 }, { text, i % 40 }, { text, i % 30 } };
        rich value = { { text, i % 80 }, KS_NULL_BYTES, { names, i % 6 }, { NULL, -1 }, i % 2 ? &item : NULL };
        ks_trace_emit(kernel, NULL, rich_type(), &value);
        if (i == LONG / 2) live = ks_alloc_live();
        if (i % 1000 != 0) continue;
        assert_int_equal(ks_trace_ring_count(kernel), SIZE);
        for (int32_t k = 0; k < SIZE; k++) {
            const ks_event *event = ks_trace_ring_get(kernel, k);
            const rich *kept = event->fields;
            int32_t number = i - SIZE + 1 + k;
            assert_int_equal(event->id, number);
            assert_int_equal(kept->text.size, number % 80 < 64 ? number % 80 : 64);
            assert_int_equal(kept->bytes.size, -1);
            assert_int_equal(kept->names.count, number % 6);
            assert_int_equal(kept->parts.count, -1);
            assert_int_equal(kept->pointer != NULL, number % 2);
            if (kept->pointer != NULL) assert_int_equal(kept->pointer->number, number);
        }
    }
    assert_int_equal(ks_alloc_live(), live);
    ks_kernel_free(kernel);
}

static void the_ring_copies_deeply(void **state) {
    fixture *f = *state;
    char text[] = "text", name[] = "name", x[] = "x";
    uint8_t bytes[] = { 1, 2, 3 };
    ks_string names[] = { ks_str(name), KS_NULL_STRING };
    part parts[] = { { ks_str(name), 1 }, { ks_str(x), 2 } };
    rich value = { ks_str(text), { bytes, 3 }, { names, 2 }, { parts, 2 }, &parts[1] };
    ks_trace_emit(f->kernel, f->server, rich_type(), &value);
    ks_arena *arena = ks_arena_new();
    rich before;
    ks_struct_copy(rich_type(), &before, &value, arena, false);
    memset(text, '!', 4), memset(name, '!', 4), memset(bytes, 9, 3), memset(names, 0, sizeof names);
    x[0] = '!', parts[0].number = 99, parts[1].number = 99;
    const ks_event *event = ks_trace_ring_get(f->kernel, ks_trace_ring_count(f->kernel) - 1);
    assert_true(ks_struct_equal(rich_type(), event->fields, &before));
    assert_null(event->message);
    ks_arena_free(arena);
}

static void what_does_not_fit_into_the_ring_is_cut(void **state) {
    fixture *f = *state;
    static char text[1000];
    static ks_string names[100];
    static part parts[100];
    memset(text, 'a', sizeof text);
    for (int i = 0; i < 100; i++) names[i] = (ks_string){ text, i }, parts[i] = (part){ { text, 1000 }, i };
    for (int32_t i = 0; i <= 100; i++) {
        rich value = { { text, 10 * i }, { (uint8_t *)text, i }, { names, i }, { parts, i }, parts };
        ks_trace_emit(f->kernel, f->server, rich_type(), &value);
        const ks_event *event = ks_trace_ring_get(f->kernel, ks_trace_ring_count(f->kernel) - 1);
        const rich *kept = event->fields;
        assert_in_range(kept->text.size, 0, 64);
        assert_in_range(kept->names.count, 0, i);
        assert_in_range(kept->parts.count, 0, i);
        ks_buffer json = { 0 };
        ks_event_json(event, &json); /* everything it points to can be read */
        ks_buffer_deinit(&json);
    }
}

static void message_events_say_whom_they_are_about(const ks_envelope *request, const ks_envelope *response,
                                                   ks_summary *out) {
    out->group = ks_str("billing");
    out->member = ((const body *)request->body)->text;
    out->generation = number_of(request);
    out->error_code = (int16_t)(response == NULL ? 0 : number_of(response));
}

static void message_events_carry_the_summary_of_the_protocol(void **state) {
    (void)state;
    size_t live = ks_alloc_live();
    fixture f = { .kernel = ks_kernel_new(&(ks_kernel_config){ .summarise = message_events_say_whom_they_are_about }) };
    f.client = ks_node_new(f.kernel, "c", NULL, &f);
    f.server = ks_node_new(f.kernel, "s", &(ks_node_events){ .request = on_request }, &f);
    fixture_connect(&f);
    ks_envelope *request = envelope_of(&f, 5);
    ((body *)request->body)->text = ks_arena_string(request->arena, ks_str("m-1"));
    ks_connection_send(f.connection, request, true);
    fixture_run(&f);
    const ks_ev_request_received *in = ks_trace_ring_get(f.kernel, 4)->fields;
    assert_ptr_equal(ks_trace_ring_get(f.kernel, 4)->kind, ks_describe_ev_request_received());
    assert_int_equal(in->connection, 1);
    assert_int_equal(in->correlation_id, 1);
    assert_true(ks_string_equal(in->from, ks_str("c")) && ks_string_equal(in->to, ks_str("s")));
    assert_true(ks_string_equal(in->group, ks_str("billing")) && ks_string_equal(in->member, ks_str("m-1")));
    assert_int_equal(in->api_key, 1);
    assert_int_equal(in->generation, 5);
    assert_int_equal(in->topic.size, -1);
    assert_int_equal(in->partition, -1);
    const ks_ev_response_received *out = ks_trace_ring_get(f.kernel, 6)->fields;
    assert_ptr_equal(ks_trace_ring_get(f.kernel, 6)->kind, ks_describe_ev_response_received());
    assert_int_equal(out->error_code, 105);
    assert_true(ks_string_equal(out->from, ks_str("s")) && ks_string_equal(out->to, ks_str("c")));
    ks_kernel_free(f.kernel);
    ks_buffer_deinit(&f.log);
    assert_int_equal(ks_alloc_live(), live);
}

/* Trivial: that a node paused, and messages unless they bring an error: the fixture answers with 100 more than it was asked. */
static bool tells_little(const ks_struct *kind, int16_t api_key, int16_t error_code) {
    return api_key < 0 ? kind == ks_describe_ev_node_paused() : error_code <= 100;
}

static void count_event(void *context, const ks_event *event) {
    (void)event;
    ++*(int *)context;
}

static void trivial_events_are_counted_but_not_kept(void **state) {
    (void)state;
    for (int full = 0; full < 2; full++) { /* with somebody who hears everything and without */
        for (int32_t error = 0; error < 2; error++) {
            fixture f = { .kernel = ks_kernel_new(&(ks_kernel_config){ .summarise = message_events_say_whom_they_are_about,
                                                                       .trivial = tells_little }) };
            int all = 0, spared = 0;
            ks_subscriber listener = { .event = count_event, .context = &all }, other = { .event = count_event, .context = &spared, .spared = true };
            if (full) ks_trace_subscribe(f.kernel, &listener);
            ks_trace_subscribe(f.kernel, &other);
            f.client = ks_node_new(f.kernel, "c", NULL, &f);
            f.server = ks_node_new(f.kernel, "s", &(ks_node_events){ .request = on_request }, &f);
            fixture_connect(&f);
            ks_connection_send(f.connection, envelope_of(&f, error), true);
            while (ks_kernel_step(f.kernel)) { }
            ks_node_pause(f.client);
            ks_node_resume(f.client);
            uint64_t count = ks_trace_count(f.kernel); /* 2 started, opened twice, 4 messages, paused, resumed */
            int32_t kept = ks_trace_ring_count(f.kernel), left_out = error ? 2 + 1 : 4 + 1;
            assert_int_equal(kept, (int32_t)count - left_out);
            assert_int_equal(spared, kept);
            assert_int_equal(all, full ? (int)count : 0);
            const ks_event *last = ks_trace_ring_get(f.kernel, kept - 1), *before = NULL;
            assert_ptr_equal(last->kind, ks_describe_ev_node_resumed());
            assert_i64_equal(last->id, count); /* as if all were there */
            before = ks_trace_ring_get(f.kernel, kept - 2);
            assert_true(before->id < count - 1);
            ks_trace_unsubscribe(f.kernel, &other);
            if (full) ks_trace_unsubscribe(f.kernel, &listener);
            ks_kernel_free(f.kernel);
            ks_buffer_deinit(&f.log);
        }
    }
}

static void an_event_is_one_json_object(void **state) {
    (void)state;
    ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ 0 });
    ks_node_new(kernel, "broker \"1\"", NULL, NULL);
    ks_buffer json = { 0 };
    ks_event_json(ks_trace_ring_get(kernel, 0), &json);
    assert_string_equal((char *)json.data,
                        "{\"id\":1,\"cause\":0,\"time\":1798761600000000000,\"node\":\"broker \\\"1\\\"\","
                        "\"kind\":\"node_started\",\"fields\":{\"Name\":\"broker \\\"1\\\"\"}}");
    ks_buffer_deinit(&json);
    ks_kernel_free(kernel);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_subscriber_of_some_kinds_hears_of_no_other),
        FIXTURE_TEST(every_event_knows_its_cause),
        FIXTURE_TEST(a_crash_is_the_cause_of_what_its_peers_see),
        FIXTURE_TEST(a_timer_carries_the_cause_it_was_started_under),
        FIXTURE_TEST(a_held_answer_names_the_reason_it_was_given),
        FIXTURE_TEST(a_reset_is_caused_by_the_message_it_met_or_by_the_reason_a_fault_gives),
        FIXTURE_TEST(a_message_is_background_when_what_sent_it_is),
        FIXTURE_TEST(subscribers_hear_in_order_and_may_leave_while_events_are_told),
        cmocka_unit_test(the_ring_keeps_the_last_events_oldest_first),
        cmocka_unit_test(the_ring_keeps_neither_less_nor_more_memory_than_it_needs),
        FIXTURE_TEST(the_ring_copies_deeply),
        FIXTURE_TEST(what_does_not_fit_into_the_ring_is_cut),
        cmocka_unit_test(message_events_carry_the_summary_of_the_protocol),
        cmocka_unit_test(trivial_events_are_counted_but_not_kept),
        cmocka_unit_test(an_event_is_one_json_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
