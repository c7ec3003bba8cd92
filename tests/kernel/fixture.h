/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel's tests share: a server that answers at once or parks, a client that writes down what it hears, and a
 * log of sentences to compare with. The message is a small struct of the test's own, for the kernel knows no Kafka.
 */
#ifndef KS_KERNEL_FIXTURE_H
#define KS_KERNEL_FIXTURE_H

#include "sim/kernel/events.h"
#include "sim/kernel/kernel.h"
#include "tests/support/test.h"

typedef struct body {
    int32_t number;
    ks_string text;
} body;

static inline const ks_struct *body_type(void) {
    static const ks_field fields[] = {
        { .name = "Number",
          .c_name = "number",
          .type = KS_TYPE_int32,
          .until = KS_VERSION_MAX,
          .nullable_since = KS_NEVER,
          .tagged_since = KS_NEVER,
          .offset = offsetof(body, number) },
        { .name = "Text",
          .c_name = "text",
          .type = KS_TYPE_string,
          .until = KS_VERSION_MAX,
          .nullable_since = 0,
          .tagged_since = KS_NEVER,
          .offset = offsetof(body, text) },
    };
    static const ks_struct type = { "body", sizeof(body), 2, fields };
    return &type;
}

typedef struct fixture {
    ks_kernel *kernel;
    ks_node *client, *server;
    ks_buffer log; /* "12 c opened; ..." with microseconds since the start */
    bool park;     /* the server keeps requests */
    ks_request *parked[16];
    int32_t parked_count;
    ks_connection *connection; /* the last one opened with fixture_connect; NULL once closed */
    bool close_in_response;    /* the client closes from inside its callback */
    bool progress_in_request;
    uint64_t request_cause, response_cause;
    size_t live; /* memory before the test */
} fixture;

static inline void note(fixture *f, const char *format, int64_t number) {
    ks_buffer_i64(&f->log, (ks_now(f->kernel) - KS_START_NS) / 1000);
    ks_buffer_text(&f->log, " ");
    char text[128];
    snprintf(text, sizeof text, format, (long long)number);
    ks_buffer_text(&f->log, text);
    ks_buffer_text(&f->log, "; ");
}

static inline int32_t number_of(const ks_envelope *envelope) { return ((const body *)envelope->body)->number; }

static inline ks_envelope *envelope_of(fixture *f, int32_t number) {
    ks_envelope *envelope = ks_envelope_new(f->kernel, 1, 0, body_type());
    ((body *)envelope->body)->number = number;
    return envelope;
}

static inline void answer(fixture *f, ks_request *request) {
    ks_request_respond(request, envelope_of(f, number_of(request->envelope) + 100));
}

static inline void on_request(void *owner, ks_request *request) {
    fixture *f = owner;
    note(f, "s got %lld", number_of(request->envelope));
    f->request_cause = ks_cause(f->kernel);
    if (f->progress_in_request) ks_progress(f->kernel);
    if (f->park)
        f->parked[f->parked_count++] = request;
    else if (number_of(request->envelope) < 0)
        ks_request_no_response(request);
    else
        answer(f, request);
}

static inline void on_cancelled(void *owner, ks_request *request) {
    fixture *f = owner;
    note(f, "s cancelled %lld", number_of(request->envelope));
    for (int32_t i = 0; i < f->parked_count; i++)
        if (f->parked[i] == request) f->parked[i] = f->parked[--f->parked_count];
}

static inline void on_server_down(void *owner) {
    fixture *f = owner;
    note(f, "s down", 0);
    f->parked_count = 0;
}
static inline void on_server_up(void *owner) { note(owner, "s up", 0); }
static inline void on_client_down(void *owner) {
    ((fixture *)owner)->connection = NULL;
    note(owner, "c down", 0);
}

static inline void on_opened(void *owner) { note(owner, "c opened", 0); }
static inline void on_response(void *owner, const ks_envelope *request, ks_envelope *response) {
    fixture *f = owner;
    note(f, "c got %lld", number_of(response));
    assert_int_equal(request->correlation_id, response->correlation_id);
    f->response_cause = ks_cause(f->kernel);
    ks_envelope_free(f->kernel, response);
    if (f->close_in_response && f->connection != NULL) {
        ks_connection_close(f->connection);
        f->connection = NULL;
    }
}
static inline void on_closed(void *owner, bool refused) {
    fixture *f = owner;
    f->connection = NULL;
    note(f, refused ? "c refused" : "c closed", 0);
}

static const ks_connection_events client_events = { .opened = on_opened, .response = on_response, .closed = on_closed };

static inline void fixture_connect(fixture *f) {
    f->connection = ks_connection_open(f->client, f->server, &client_events, f);
}

static inline void fixture_send(fixture *f, int32_t number) {
    ks_connection_send(f->connection, envelope_of(f, number), number >= 0);
}

static inline void fixture_run(fixture *f) { /* until nothing is left */
    for (int i = 0; ks_kernel_step(f->kernel); i++) assert_true(i < 100000);
}

static inline void fixture_run_until(fixture *f, int64_t us) {
    int64_t deadline, end = KS_START_NS + us * KS_US;
    while (ks_kernel_next(f->kernel, &deadline) && deadline <= end) ks_kernel_step(f->kernel);
    ks_kernel_advance(f->kernel, end);
}

static inline void assert_log(fixture *f, const char *expected) {
    const char *got = f->log.size == 0 ? "" : (const char *)f->log.data;
    assert_string_equal(got, expected);
    ks_buffer_clear(&f->log);
}

static inline int fixture_setup(void **state) {
    size_t live = ks_alloc_live();
    fixture *f = ks_alloc(sizeof *f);
    f->live = live;
    f->kernel = ks_kernel_new(&(ks_kernel_config){ .seed = 1, .ring_size = 16 }); /* a ring that need not grow */
    f->client = ks_node_new(f->kernel, "c", &(ks_node_events){ .down = on_client_down }, f);
    f->server = ks_node_new(
        f->kernel, "s",
        &(ks_node_events){
            .request = on_request, .request_cancelled = on_cancelled, .down = on_server_down, .up = on_server_up },
        f);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state) {
    fixture *f = *state;
    size_t live = f->live;
    ks_kernel_free(f->kernel);
    ks_buffer_deinit(&f->log);
    ks_free(f);
    assert_int_equal(ks_alloc_live(), live);
    return 0;
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
