/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop that lets application code and the kernel take turns. One turn:
 *
 *   1. queued callbacks run, oldest first, on the program's own stack;
 *   2. whoever was woken first goes on: a task until it blocks again, or the program, which ends the loop;
 *   3. when nobody can go on: is everybody stuck? else one event of the kernel.
 *
 * Application code is outside the chain of causes: what it does is caused by nothing (0), since it is the program that
 * decides.
 */
#ifndef KS_RUNTIME_H
#define KS_RUNTIME_H

#include "sim/task/context.h"
#include "sim/task/fiber.h"
#include "sim/task/wait.h"

/* Counts of a caller (a task, or the program) that may be in a loop without end. */
typedef struct ks_guard {
    uint64_t ended_context; /* serial of the context whose error came back */
    uint32_t ended_in_row;
    uint32_t fruitless_in_row;
    int64_t fruitless_at;
    uint64_t fruitless_event; /* trace position then: an event since is fruit */
} ks_guard;

typedef struct ks_task ks_task;
struct ks_task {
    ks_runtime *runtime;
    ks_task *next, **link; /* all, newest first */
    ks_fiber fiber;
    char *name;
    ks_node *node;
    void (*run)(void *argument);
    void *argument;
    bool started, ended, detached; /* detached: nobody will join it */
    bool dead;                     /* its process crashed after it was started: all its calls fail */
    bool lost;                     /* the program jumped out of it */
    ks_wait begin;                 /* queued once to start it; afterwards unused */
    ks_wait *joiner;               /* who waits for its end */
    ks_guard guard;
    uint64_t serial;
};

typedef struct ks_callback {
    void (*run)(void *argument);
    void *argument;
    uint64_t cause;
} ks_callback;

/* A sleeper's timer. In the heap, because the kernel's lists must never run through a stack that the program may jump
 * out of. */
typedef struct ks_sleep {
    ks_timer timer;
    struct ks_sleep *next_idle, *next; /* next: all that were made */
} ks_sleep;

struct ks_runtime {
    ks_kernel *kernel;
    const void *thread; /* an address that only this thread has */
    ks_fiber own;       /* the program's stack */
    ks_stack_pool stacks;
    ks_task *tasks, *current; /* current NULL: the program */
    uint64_t task_serial, context_serial;
    kafka_context *contexts;
    ks_wait *waits, *waits_last;   /* oldest first */
    int32_t bounded;               /* of the waits */
    ks_wait *ready, *ready_last;   /* woken, in order */
    ks_wait *frozen, *frozen_last; /* woken while their node is paused */
    KS_VEC(ks_callback) callbacks;
    int32_t callbacks_done;
    int32_t callback_depth;     /* > 0: in a callback, a predicate or a subscriber */
    const void *callback_frame; /* the outermost callback's place on the program's stack */
    int32_t listener_depth;     /* > 0: in a consumer's callback on the program's own stack, which may block */
    const void *listener_frame; /* the outermost one's place there */
    ks_sleep *sleeps, *idle_sleeps;
    bool freeing;          /* or the program jumped out of a blocked call: nobody may be woken any more */
    int64_t start;         /* of the clock */
    int64_t last_activity; /* when application code last ran */
    int64_t stuck_after;
    ks_guard guard;     /* of the program */
    char *stuck_report; /* the last one */
    /* Tells a client process why its call failed, in words. */
    void (*explain)(void *context, ks_node *node, kafka_error error, const char *text);
    void *explain_context;
    ks_assertion_hook *hook; /* the simulator's: it goes first when a loop of its program is stopped; NULL: none */
    /* Tells the programmer of a defect that no call can return: something was left open. NULL: standard error. */
    void (*say)(void *context, const char *sentence);
    void *say_context;
};

/* ---- tasks ---- */

ks_task *ks_task_start(ks_runtime *runtime, ks_node *node, const char *name, void (*run)(void *argument),
                       void *argument);
/* Nobody will join it: it is freed when it ends, or now. */
void ks_task_forget(ks_task *task);
kafka_error ks_runtime_sleep(ks_runtime *runtime, ks_node *node, kafka_context *context, int64_t duration_ns);

/* ---- running ---- */

/* Runs events until `until` (inclusive) and what becomes ready by them; leaves the clock at `until`. */
void ks_runtime_run_until(ks_runtime *runtime, int64_t until);
/* Runs what is ready and one event; false: nothing is left to happen. */
bool ks_runtime_step(ks_runtime *runtime);
/* Runs what is ready at this instant without an event. */
void ks_runtime_settle(ks_runtime *runtime);
/* May the simulation be run from here? KAFKA_OK, WRONG_THREAD, WRONG_PLACE (in a task, callback or another run). */
kafka_error ks_runtime_may_run(ks_runtime *runtime);
/* The application's functions that are called in the middle of things (predicates, subscribers, rules) must not block.
 */
void ks_runtime_enter_callback(ks_runtime *runtime);
void ks_runtime_leave_callback(ks_runtime *runtime);
/* The same around a callback that may block but not run the simulation: a consumer's. On the program's own stack it counts. */
void ks_runtime_enter_listener(ks_runtime *runtime);
void ks_runtime_leave_listener(ks_runtime *runtime);

/* ---- client processes ---- */

void ks_runtime_node_down(ks_runtime *runtime, ks_node *node);    /* after a crash: its calls end, its tasks are dead */
void ks_runtime_node_resumed(ks_runtime *runtime, ks_node *node); /* after a pause: what was woken meanwhile goes on */

/* ---- inside ---- */

ks_guard *ks_runtime_guard(ks_runtime *runtime);
/* The program may have left a task or callback by a jump (longjmp): then we are elsewhere on the stacks than `current`
 * and `callback_frame` say. What was blocked in the frames that are gone must not be touched again, so from then on
 * every blocking call fails (RUN_ENDED), and all that is left to do is to free the simulator. */
void ks_runtime_notice_jump(ks_runtime *runtime);
/* Ends every wait with NOTHING_CAN_WAKE when all are blocked for too long; `next` is the next event's time (INT64_MAX:
 * there is none). True: it did. The bound of a wait whose process is paused does not count. */
bool ks_runtime_check_stuck(ks_runtime *runtime, int64_t next);
/* Ends `own`, the wait on the program's own stack, when its process has been paused for as long as clients may try in
 * vain, however busy the others are: a task of theirs may poll for ever. `awake`: when its process last was not. */
bool ks_runtime_check_paused(ks_runtime *runtime, ks_wait *own, int64_t *awake);
/* "c2 (task drain): kafka_reader_fetch: topic orders, group billing, since 4.004 s", one a line. */
void ks_runtime_list_waits(ks_runtime *runtime, ks_buffer *out);
void ks_runtime_loop(ks_runtime *runtime, ks_wait *wait); /* until `wait` may go on */
void ks_runtime_say(ks_runtime *runtime, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What the call of a wait is called: `what` up to the first ':'. */
void ks_wait_call_name(const char *what, char *name, size_t size);
/* The loop that never ends: fails through the assertion hook. */
_Noreturn void ks_guard_fail(ks_runtime *runtime, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
