/* SPDX-License-Identifier: Apache-2.0
 *
 * A client process, a scripted broker and no latency: what the tests of writer and client engines stand on.
 */
#ifndef KS_WRITER_FIXTURE_H
#define KS_WRITER_FIXTURE_H

#include "tests/support/test.h"

#include <kafkasim/task.h>
#include <kafkasim/writer.h>

#include "sim/api/address.h"
#include "sim/task/runtime.h"
#include "tests/support/scripted_broker.h"

typedef struct fixture {
    ks_kernel *kernel;
    ks_runtime *runtime;
    ks_process *process;
    kafka_address *all, *address;
    kafka_context *ctx;
    ks_scripted_broker broker;
    int64_t start;
    size_t live;
} fixture;

static inline int fixture_begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->live = ks_alloc_live();
    f->kernel = ks_kernel_new(&(ks_kernel_config){ .seed = 7, .latency_ns = -1 });
    f->runtime = ks_runtime_new(f->kernel);
    ks_scripted_broker_start(&f->broker, f->kernel, "orders", 3);
    f->process = ks_process_new(f->kernel, "producer", ks_scripted_broker_resolve, &f->broker);
    f->address = ks_address_new(f->runtime, f->process, "broker-1:9092", "producer", &f->all);
    f->ctx = kafka_background(f->address);
    f->start = ks_now(f->kernel);
    *state = f;
    return 0;
}

static inline int fixture_end(void **state) {
    fixture *f = *state;
    while (f->all != NULL) ks_address_drop(f->all);
    ks_runtime_free(f->runtime);
    ks_process_free(f->process);
    ks_scripted_broker_stop(&f->broker);
    ks_kernel_free(f->kernel);
    size_t live = ks_alloc_live();
    int leaked = live != f->live;
    if (leaked) print_error("%zu blocks are live, %zu were before\n", live, f->live);
    free(f);
    return leaked;
}

/* Milliseconds since the beginning. */
static inline int64_t elapsed(const fixture *f) { return (ks_now(f->kernel) - f->start) / KS_MS; }

static inline kafka_writer *writer_of(fixture *f, kafka_writer_config config) {
    kafka_writer *writer = NULL;
    config.address = f->address;
    kafka_error error = kafka_writer_new(&config, &writer);
    if (error != KAFKA_OK)
        fail_msg("kafka_writer_new: %s: %s", kafka_error_name(error), kafka_error_detail(f->address));
    return writer;
}

static inline kafka_message text(const char *key, const char *value) {
    kafka_message message = { .key = kafka_string(key), .value = kafka_string(value) };
    return message;
}

#define assert_error(call, expected)                                                                                   \
    do {                                                                                                               \
        kafka_error error_ = (call);                                                                                   \
        if (error_ != (expected))                                                                                      \
            fail_msg("%s gave %s, not %s: %s", #call, kafka_error_name(error_), kafka_error_name(expected),            \
                     kafka_error_detail(f->address));                                                                  \
    } while (0)

#endif
