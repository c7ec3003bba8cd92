/* SPDX-License-Identifier: Apache-2.0
 * What the files of kafka_consumer share. */
#ifndef KS_API_CONSUMER_INTERNAL_H
#define KS_API_CONSUMER_INTERNAL_H

#include <kafkasim/consumer.h>

#include "sim/api/address.h"
#include "sim/client/java_consumer.h"

typedef struct ks_finished_commit { /* its callback is still to be run */
    struct ks_finished_commit *next;
    kafka_consumer *consumer;
    bool under_way;
    kafka_commit_function *done;
    void *argument;
    kafka_error error;
    kafka_consumer_offset *offsets;
    size_t count;
    ks_arena *arena;
} ks_finished_commit;

struct kafka_consumer {
    ks_handle handle;
    kafka_address *address;
    ks_consumer *engine;
    kafka_rebalance_listener listener;
    bool busy;         /* a call is blocked in it */
    bool in_callback;  /* one of the application's runs */
    bool closed, freed;
    ks_wait *wait;     /* of the call that polls, closes or looks a position up */
    ks_timer timer;    /* bounds it */
    ks_finished_commit *commits, **commits_end; /* of commit_async, oldest first */
    KS_VEC(kafka_topic_partition) assignment;
    ks_arena *callback_arena;
    KS_VEC(struct ks_own_assignor *) own;
};

/* Before anything else in a call: NULL, thread, closed, and (unless `anywhere`) not inside a callback nor beside another call. */
kafka_error ks_consumer_enter(kafka_consumer *consumer, const char *call, bool anywhere);
/* Is there an engine behind it that can still talk? NODE_CRASHED, with the reason. */
kafka_error ks_consumer_alive(kafka_consumer *consumer, const char *call);
/* Runs the callback that the engine asks for, on this stack. */
void ks_consumer_run_callback(kafka_consumer *consumer);
void ks_consumer_run_commits(kafka_consumer *consumer); /* callbacks of finished commits */
/* Steps until KS_POLL_DONE or a failure, for close and unsubscribe. */
kafka_error ks_consumer_finish(kafka_consumer *consumer, const char *call);
void ks_consumer_destroy(kafka_consumer *consumer);

/* Steps until the partition has a position; for kafka_consumer_position. */
kafka_error ks_consumer_wait_for_position(kafka_consumer *consumer, kafka_context *ctx, const char *call, const char *topic,
                                          int32_t partition);

/* The application's own assignors, as the engine calls them. */
typedef struct ks_own_assignor {
    kafka_assignor assignor;
} ks_own_assignor;
kafka_error ks_own_assign(void *argument, const ks_assignor_input *input, ks_arena *arena, ks_assignor_share *shares);

#endif
