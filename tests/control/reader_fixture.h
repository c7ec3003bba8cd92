/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of readers and groups against a whole simulated cluster share.
 */
#ifndef KS_READER_FIXTURE_H
#define KS_READER_FIXTURE_H

#include "tests/support/test.h"

#include <kafkasim/ksim.h>

#include "sim/base/base.h"

typedef struct fixture {
    ksim *sim;
    size_t live;
} fixture;

static inline int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->live = ks_alloc_live();
    static const ksim_setting settings[] = { { "group.initial.rebalance.delay.ms", "0" }, { NULL, NULL } };
    f->sim = ksim_new(&(ksim_config){ .seed = 7, .brokers = 3, .settings = settings });
    if (f->sim == NULL) return -1;
    *state = f;
    return 0;
}

static inline int end(void **state) {
    fixture *f = *state;
    ksim_free(f->sim);
    size_t live = ks_alloc_live();
    int leaked = live != f->live;
    if (leaked) print_error("%zu blocks are live, %zu were before\n", live, f->live);
    free(f);
    return leaked;
}

#define assert_error(address, call, expected)                                                                          \
    do {                                                                                                               \
        kafka_error error_ = (call);                                                                                   \
        if (error_ != (expected))                                                                                      \
            fail_msg("%s gave %s, not %s: %s", #call, kafka_error_name(error_), kafka_error_name(expected),            \
                     kafka_error_detail(address));                                                                     \
    } while (0)
#define assert_ok(address, call) assert_error(address, call, KAFKA_OK)
#define assert_sim(sim, call)                                                                                          \
    do {                                                                                                               \
        kafka_error error_ = (call);                                                                                   \
        if (error_ != KAFKA_OK) fail_msg("%s gave %s: %s", #call, kafka_error_name(error_), ksim_error_detail(sim));   \
    } while (0)

static inline int64_t ms(ksim *sim) { return ksim_elapsed(sim) / KAFKA_MILLISECOND; }

/* `count` records "from", "from + 1", ... into one partition. */
static inline void put(ksim *sim, const char *topic, int32_t partition, int from, int count) {
    for (int i = from; i < from + count; i++) {
        char value[16];
        snprintf(value, sizeof value, "%d", i);
        assert_sim(sim, ksim_put(sim, topic, partition, NULL, value));
    }
}

static inline kafka_reader *reader_of(kafka_address *address, kafka_reader_config config) {
    kafka_reader *reader = NULL;
    config.address = address;
    assert_ok(address, kafka_reader_new(&config, &reader));
    return reader;
}

/* The number in the value of the next message, which must come within `limit`. */
static inline int next_number(kafka_address *address, kafka_reader *reader, kafka_duration limit, kafka_message *keep) {
    kafka_context *ctx = kafka_context_with_timeout(kafka_background(address), limit);
    kafka_message message = { 0 };
    assert_ok(address, kafka_reader_fetch(reader, ctx, &message));
    char text[16] = { 0 };
    memcpy(text, message.value.data, message.value.size < 15 ? message.value.size : 15);
    if (keep != NULL)
        *keep = message;
    else
        kafka_message_release(&message);
    kafka_context_free(ctx);
    return atoi(text);
}

/* Fetches for `duration`: nothing may come. */
static inline void expect_nothing(kafka_address *address, kafka_reader *reader, kafka_duration duration) {
    kafka_context *ctx = kafka_context_with_timeout(kafka_background(address), duration);
    kafka_message message;
    assert_error(address, kafka_reader_fetch(reader, ctx, &message), KAFKA_ERR_DEADLINE_EXCEEDED);
    kafka_context_free(ctx);
}

static inline void close_reader(kafka_address *address, kafka_reader *reader) {
    assert_ok(address, kafka_reader_close(reader));
    kafka_reader_free(reader);
}

#endif
