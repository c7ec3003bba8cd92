/* SPDX-License-Identifier: Apache-2.0
 *
 * How a blocking call of the client API waits for an event-driven engine: it parks, the engine's callback wakes it. In
 * a task parking switches back to the loop; on the program's own stack it runs the loop until the wake.
 *
 *     ks_wait wait;
 *     kafka_error error = ks_wait_begin(&wait, runtime, node, ctx, "kafka_reader_fetch: topic %s", topic);
 *     if (error) return error;
 *     engine call whose callback does ks_wait_wake(&wait, result)
 *     error = ks_wait_park(&wait);
 *     unless the engine called back: make it forget &wait, which dies with this frame
 */
#ifndef KS_WAIT_H
#define KS_WAIT_H

#include <kafkasim/context.h>

#include "sim/kernel/kernel.h"

typedef struct ks_runtime ks_runtime; /* one per simulator: tasks, waits, queued callbacks, the stuck detector */

ks_runtime *ks_runtime_new(ks_kernel *kernel);
/* Valid after a jump out of a task or callback. Tasks that have not ended are dropped with their stacks. */
void ks_runtime_free(ks_runtime *runtime);
ks_kernel *ks_runtime_kernel(ks_runtime *runtime);

/* One blocked call; lives on the caller's stack. */
typedef struct ks_wait {
    struct ks_wait *next, **link; /* all waits, oldest first, for the stuck report */
    ks_runtime *runtime;
    ks_node *node; /* the client process that waits */
    void *task;    /* NULL: the program's own stack */
    bool done;
    bool bounded;      /* it ends by itself some day: it has a deadline, or sleeps */
    bool queued;       /* its caller is about to go on */
    kafka_error error; /* what the wake said */
    int64_t since;
    char what[160]; /* "kafka_reader_fetch: topic orders, group billing" */
    kafka_context *context;
    struct ks_wait *context_next, **context_link;
    struct ks_wait *ready_next;
} ks_wait;

/* Refuses what may not block: another thread, a callback, a node that crashed, a context that has ended. KAFKA_OK:
 * `wait` is ready to be handed to an engine; ks_wait_park must follow (or ks_wait_abandon). `what` is for people: "who
 * waits for what", and begins with the name of the call. `context` NULL: no context. */
kafka_error ks_wait_begin(ks_wait *wait, ks_runtime *runtime, ks_node *node, kafka_context *context, const char *what,
                          ...) __attribute__((format(printf, 5, 6)));
/* Blocks until ks_wait_wake, the end of the context, a crash of the node, or the certainty that nothing can wake it. An
 * already woken wait returns at once. When the context ended, its error wins over a wake of the same instant. */
kafka_error ks_wait_park(ks_wait *wait);
void ks_wait_abandon(ks_wait *wait);
void ks_wait_wake(ks_wait *wait,
                  kafka_error error); /* from a handler; the caller goes on at this instant, in order of wakes */
/* Between begin and park: this wait ends by itself (it sleeps), so nobody is stuck on its account
 * (unless its process is paused). */
void ks_wait_set_bounded(ks_wait *wait);
void ks_wait_set_bound(ks_wait *wait, int64_t deadline_ns); /* the same, unless that is more than a year away */

/* Application callbacks never run under a handler: they are queued and run between events on the stack of the call that
 * waits on the program's own stack. Blocking calls inside a callback are refused (WRONG_PLACE). */
void ks_runtime_callback(ks_runtime *runtime, void (*run)(void *argument), void *argument);
/* Takes the queued callbacks with this argument back: whom they speak of is going away. Cost: what is queued. */
void ks_runtime_callback_cancel(ks_runtime *runtime, void *argument);
bool ks_runtime_in_task(const ks_runtime *runtime);
bool ks_runtime_in_callback(const ks_runtime *runtime);
bool ks_runtime_right_thread(const ks_runtime *runtime);

/* ---- loops that never end (the 100th call that only repeats an ended context's error, the 10,000th at one instant)
 * ---- */

/* A non-blocking call that told the caller nothing new: the clock, an offset, "no error yet". At the 10,000th in a row
 * at one instant the simulation fails with a sentence that names `call`. */
void ks_runtime_fruitless(ks_runtime *runtime, const char *call);
/* A call that did something (a message queued, an item handed over): the counts begin anew. Blocking calls do it
 * themselves. */
void ks_runtime_fruitful(ks_runtime *runtime);
/* A call is about to return the error of `context`, which has ended. */
void ks_runtime_ended_context(ks_runtime *runtime, kafka_context *context, const char *call);

#endif
