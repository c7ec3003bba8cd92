/* SPDX-License-Identifier: Apache-2.0
 *
 * How a blocking call of the client API waits for an event-driven engine: it parks, the engine's callback wakes it. In a
 * task parking switches back to the loop; on the program's own stack it runs the loop until the wake.
 */
#ifndef KS_WAIT_H
#define KS_WAIT_H

#include <kafkasim/context.h>

#include "sim/kernel/kernel.h"

typedef struct ks_runtime ks_runtime; /* one per simulator: tasks, waits, queued callbacks, the stuck detector */

ks_runtime *ks_runtime_new(ks_kernel *kernel);
void ks_runtime_free(ks_runtime *runtime);
ks_kernel *ks_runtime_kernel(ks_runtime *runtime);

/* One blocked call; lives on the caller's stack. */
typedef struct ks_wait {
    struct ks_wait *next, **link; /* all waits, for the stuck report */
    ks_runtime *runtime;
    ks_node *node;         /* the client process that waits */
    void *task;            /* NULL: the program's own stack */
    bool done;
    kafka_error error;     /* what the wake said */
    int64_t since;
    char what[160];        /* "kafka_reader_fetch: topic orders, group billing" */
    kafka_context *context;
    struct ks_wait *context_next, **context_link;
} ks_wait;

/* Refuses what may not block: another thread, a callback, a node that crashed. KAFKA_OK: `wait` is ready to be handed to an
 * engine; ks_wait_park must follow (or ks_wait_abandon). `what` is for people: "who waits for what". */
kafka_error ks_wait_begin(ks_wait *wait, ks_runtime *runtime, ks_node *node, kafka_context *context, const char *what, ...)
    __attribute__((format(printf, 5, 6)));
/* Blocks until ks_wait_wake, the end of the context, a crash of the node, or the certainty that nothing can wake it. An
 * already woken wait returns at once. When the context ended, its error wins over a wake of the same instant. */
kafka_error ks_wait_park(ks_wait *wait);
void ks_wait_abandon(ks_wait *wait);
void ks_wait_wake(ks_wait *wait, kafka_error error); /* from a handler; the caller goes on at this instant, in order of wakes */

/* Application callbacks never run under a handler: they are queued and run between events on the stack of the call that
 * waits on the program's own stack. Blocking calls inside a callback are refused (WRONG_PLACE). */
void ks_runtime_callback(ks_runtime *runtime, void (*run)(void *argument), void *argument);
bool ks_runtime_in_task(const ks_runtime *runtime);
bool ks_runtime_in_callback(const ks_runtime *runtime);
bool ks_runtime_right_thread(const ks_runtime *runtime);

#endif
