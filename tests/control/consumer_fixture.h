/* SPDX-License-Identifier: Apache-2.0
 *
 * A cluster, and programs that consume from it: each a task with a consumer that polls, "works" for a while on what came, and
 * writes down which callbacks it got and what was delivered.
 */
#ifndef KS_CONSUMER_FIXTURE_H
#define KS_CONSUMER_FIXTURE_H

#include "tests/support/test.h"

#include <kafkasim/cmocka.h>
#include <kafkasim/consumer.h>
#include <kafkasim/kafka.h>
#include <kafkasim/ksim.h>

enum { SETTINGS_MAX = 16 };

typedef struct program {
    const char *name;
    kafka_address *address;
    kafka_consumer *consumer;
    kafka_context *ctx;
    kafka_task *task;
    char log[4096];           /* "assigned orders-0 orders-1; revoked; " */
    int64_t delivered;
    int64_t by_partition[16];
    kafka_duration work;      /* per poll that returned something */
    kafka_duration stall;     /* once, after the next poll that returned something */
    bool commit_after_work, commit_in_revoked;
    kafka_error last_error, commit_error;
    int polls;
    bool closed;
} program;

typedef struct stage {
    ksim *sim;
    program programs[8];
    int count;
} stage;

static inline int stage_begin_with(void **state, ksim_config config) {
    stage *s = calloc(1, sizeof *s);
    s->sim = ksim_new(&config);
    *state = s;
    return s->sim == NULL;
}

static inline int stage_begin(void **state) {
    static const ksim_setting settings[] = { { "group.initial.rebalance.delay.ms", "0" }, { NULL, NULL } };
    return stage_begin_with(state, (ksim_config){ .seed = 7, .settings = settings });
}

static inline int stage_end(void **state) {
    stage *s = *state;
    for (int i = 0; i < s->count; i++) kafka_context_cancel(s->programs[i].ctx);
    ksim_run_for(s->sim, 40 * KAFKA_SECOND); /* they close and return: a close takes 30 s at most */
    for (int i = 0; i < s->count; i++) kafka_context_free(s->programs[i].ctx);
    for (int i = 0; i < s->count; i++) kafka_consumer_free(s->programs[i].consumer);
    for (int i = 0; i < s->count; i++) kafka_address_free(s->programs[i].address);
    ksim_free(s->sim);
    free(s);
    return 0;
}

static inline void note(program *p, const char *what, const kafka_topic_partition *partitions, size_t count) {
    size_t size = strlen(p->log);
    size += (size_t)snprintf(p->log + size, sizeof p->log - size, "%s", what);
    for (size_t i = 0; i < count; i++)
        size += (size_t)snprintf(p->log + size, sizeof p->log - size, " %s-%d", partitions[i].topic, partitions[i].partition);
    snprintf(p->log + size, sizeof p->log - size, "; ");
}

static inline kafka_error on_assigned(void *argument, kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count) {
    (void)consumer;
    note(argument, "assigned", partitions, count);
    return KAFKA_OK;
}

static inline kafka_error on_revoked(void *argument, kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count) {
    program *p = argument;
    note(p, "revoked", partitions, count);
    if (p->commit_in_revoked) p->commit_error = kafka_consumer_commit_sync(consumer, p->ctx, NULL, 0);
    return KAFKA_OK;
}

static inline kafka_error on_lost(void *argument, kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count) {
    (void)consumer;
    note(argument, "lost", partitions, count);
    return KAFKA_OK;
}

/* Takes the settings as "a=b" strings, ended by NULL. */
static inline program *make_program(stage *s, const char *name, const char *const *settings) {
    program *p = &s->programs[s->count++];
    p->name = name;
    p->address = ksim_client(s->sim, name);
    p->ctx = kafka_context_with_cancel(kafka_background(p->address));
    size_t count = 0;
    while (settings[count]) count++;
    kafka_error error = kafka_consumer_new(&(kafka_consumer_config){ .address = p->address, .settings = settings, .setting_count = count },
                                           &p->consumer);
    if (error) fail_msg("%s: %s", kafka_error_name(error), kafka_error_detail(p->address));
    return p;
}

static inline void subscribe(program *p, const char *topic) {
    kafka_rebalance_listener listener = { on_assigned, on_revoked, on_lost, p };
    kafka_error error = kafka_consumer_subscribe(p->consumer, &topic, 1, &listener);
    if (error) fail_msg("%s: %s", kafka_error_name(error), kafka_error_detail(p->address));
}

static inline void take(program *p, kafka_records *records) {
    if (records == NULL) return;
    for (size_t i = 0; i < records->count; i++) {
        p->delivered++;
        p->by_partition[records->messages[i].partition & 15]++;
    }
    kafka_duration work = p->work + p->stall;
    p->stall = 0;
    if (work > 0) kafka_sleep(p->ctx, work);
    if (p->commit_after_work) p->commit_error = kafka_consumer_commit_sync(p->consumer, p->ctx, NULL, 0);
    kafka_records_free(records);
}

static inline void poll_loop(void *argument) {
    program *p = argument;
    while (kafka_context_error(p->ctx) == KAFKA_OK) {
        kafka_records *records = NULL;
        kafka_error error = kafka_consumer_poll(p->consumer, p->ctx, 100 * KAFKA_MILLISECOND, &records);
        p->polls++;
        if (error == KAFKA_ERR_NODE_CRASHED || error == KAFKA_ERR_CLOSED || error == KAFKA_ERR_CANCELED) break;
        if (error) {
            p->last_error = error;
            kafka_sleep(p->ctx, 100 * KAFKA_MILLISECOND);
        }
        take(p, records);
    }
    kafka_consumer_close(p->consumer);
    p->closed = true;
}

static inline void start(program *p, const char *topic) {
    subscribe(p, topic);
    p->task = kafka_go(p->ctx, p->name, poll_loop, p);
    kafka_task_free(p->task);
}

static inline void put_numbers(stage *s, const char *topic, int32_t partitions, int count) {
    for (int i = 0; i < count; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(ksim_put(s->sim, topic, i % partitions, key, "v"), KAFKA_OK);
    }
}

static inline void run_for(stage *s, kafka_duration duration) { assert_int_equal(ksim_run_for(s->sim, duration), KAFKA_OK); }

#endif
