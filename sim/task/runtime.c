/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks and the loop. See runtime.h.
 */
#include "sim/task/runtime.h"

#include <stdarg.h>
#include <stdio.h>

#include "sim/protocol/events.h"

static _Thread_local char this_thread; /* only its address is used */

ks_runtime *ks_runtime_new(ks_kernel *kernel) {
    ks_runtime *runtime = ks_alloc(sizeof *runtime);
    runtime->kernel = kernel;
    runtime->thread = &this_thread;
    runtime->stuck_after = 600 * KS_S;
    runtime->start = runtime->last_activity = ks_now(kernel);
    return runtime;
}

ks_kernel *ks_runtime_kernel(ks_runtime *runtime) { return runtime->kernel; }
bool ks_runtime_right_thread(const ks_runtime *runtime) { return runtime->thread == &this_thread; }
bool ks_runtime_in_task(const ks_runtime *runtime) {
    return runtime->current && ks_fiber_is_here(&runtime->current->fiber);
}
bool ks_runtime_in_callback(const ks_runtime *runtime) { return runtime->callback_depth > 0; }
void ks_runtime_leave_callback(ks_runtime *runtime) { runtime->callback_depth--; }
void ks_runtime_enter_callback(ks_runtime *runtime) {
    if (runtime->callback_depth++ == 0) runtime->callback_frame = __builtin_frame_address(0);
}

void ks_runtime_enter_listener(ks_runtime *runtime) {
    if (runtime->current == NULL && runtime->listener_depth++ == 0) runtime->listener_frame = __builtin_frame_address(0);
}
void ks_runtime_leave_listener(ks_runtime *runtime) {
    if (runtime->current == NULL) runtime->listener_depth--;
}

void ks_runtime_notice_jump(ks_runtime *runtime) {
    if (runtime->listener_depth > 0 && runtime->current == NULL &&
        (const char *)__builtin_frame_address(0) > (const char *)runtime->listener_frame)
        runtime->listener_depth = 0;
    if (runtime->callback_depth > 0 && runtime->current == NULL &&
        (const char *)__builtin_frame_address(0) > (const char *)runtime->callback_frame) {
        runtime->callback_depth = 0;
        runtime->freeing = true;
    }
    if (runtime->current == NULL || ks_fiber_is_here(&runtime->current->fiber)) return;
    runtime->current->lost = true;
    runtime->current = NULL;
    runtime->freeing = true;
    ks_fiber_landed(&runtime->own);
}

/* ---- tasks ---- */

static void task_free(ks_task *task) {
    *task->link = task->next;
    if (task->next) task->next->link = task->link;
    if (task->fiber.stack) ks_stack_give(&task->runtime->stacks, task->fiber.stack);
    ks_free(task->name);
    ks_free(task);
}

void ks_runtime_free(ks_runtime *runtime) {
    ks_runtime_notice_jump(runtime);
    runtime->freeing = true;
    while (runtime->tasks) task_free(runtime->tasks);
    for (ks_sleep *sleep = runtime->sleeps, *next; sleep; sleep = next) {
        next = sleep->next;
        ks_timer_stop(&sleep->timer);
        ks_free(sleep);
    }
    ks_stack_pool_deinit(&runtime->stacks);
    ks_free(runtime->callbacks.items);
    ks_free(runtime->stuck_report);
    ks_free(runtime);
}

static void task_main(void *argument) {
    ks_task *task = argument;
    ks_fiber_arrived(&task->fiber, &task->runtime->own);
    task->run(task->argument);
    task->ended = true;
    KS_EMIT(task->runtime->kernel, task->node, task_finished, .client = ks_str(ks_node_name(task->node)),
            .task = (int32_t)task->serial, .name = ks_str(task->name));
    if (task->joiner) ks_wait_wake(task->joiner, KAFKA_OK);
    task->joiner = NULL;
    ks_fiber_leave(&task->fiber, &task->runtime->own);
}

static void make_ready(ks_runtime *runtime, ks_wait *wait);

ks_task *ks_task_start(ks_runtime *runtime, ks_node *node, const char *name, void (*run)(void *argument),
                       void *argument) {
    ks_task *task = ks_alloc(sizeof *task);
    task->runtime = runtime;
    task->node = node;
    task->name = ks_strndup(name, strlen(name));
    task->run = run;
    task->argument = argument;
    task->serial = ++runtime->task_serial;
    task->next = runtime->tasks;
    task->link = &runtime->tasks;
    if (task->next) task->next->link = &task->next;
    runtime->tasks = task;
    task->begin = (ks_wait){ .runtime = runtime, .node = node, .task = task, .done = true };
    KS_EMIT(runtime->kernel, node, task_started, .client = ks_str(ks_node_name(node)), .task = (int32_t)task->serial,
            .name = ks_str(task->name));
    make_ready(runtime, &task->begin);
    return task;
}

void ks_task_forget(ks_task *task) {
    task->detached = true;
    if (task->ended) task_free(task);
}

static void run_task(ks_runtime *runtime, ks_task *task) {
    if (!task->started) {
        task->started = true;
        ks_fiber_init(&task->fiber, ks_stack_take(&runtime->stacks), task_main, task);
    }
    runtime->current = task;
    ks_fiber_switch(&runtime->own, &task->fiber);
    runtime->current = NULL;
    if (!task->ended) return;
    ks_stack_give(&runtime->stacks, task->fiber.stack);
    task->fiber.stack = NULL;
    if (task->detached) task_free(task);
}

void ks_runtime_say(ks_runtime *runtime, const char *format, ...) {
    char sentence[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (runtime->say)
        runtime->say(runtime->say_context, sentence);
    else
        fprintf(stderr, "kafkasim: %s\n", sentence);
}

/* ---- who may go on ---- */

static void append(ks_wait **first, ks_wait **last, ks_wait *wait) {
    wait->ready_next = NULL;
    if (*last)
        (*last)->ready_next = wait;
    else
        *first = wait;
    *last = wait;
}

static ks_wait *take_first(ks_wait **first, ks_wait **last) {
    ks_wait *wait = *first;
    *first = wait->ready_next;
    if (*first == NULL) *last = NULL;
    return wait;
}

static void make_ready(ks_runtime *runtime, ks_wait *wait) {
    wait->queued = true;
    append(&runtime->ready, &runtime->ready_last, wait);
}

void ks_wait_wake(ks_wait *wait, kafka_error error) {
    if (wait->done) return;
    wait->done = true;
    wait->error = error;
    if (!wait->runtime->freeing) make_ready(wait->runtime, wait);
}

void ks_runtime_node_resumed(ks_runtime *runtime, ks_node *node) {
    ks_wait *first = runtime->frozen;
    runtime->frozen = runtime->frozen_last = NULL;
    while (first) {
        ks_wait *wait = first;
        first = wait->ready_next;
        if (wait->node == node)
            append(&runtime->ready, &runtime->ready_last, wait);
        else
            append(&runtime->frozen, &runtime->frozen_last, wait);
    }
}

void ks_runtime_node_down(ks_runtime *runtime, ks_node *node) {
    for (ks_task *task = runtime->tasks; task; task = task->next) {
        if (task->node == node) task->dead = true;
    }
    for (ks_wait *wait = runtime->waits; wait; wait = wait->next) {
        if (wait->node == node) ks_wait_wake(wait, KAFKA_ERR_NODE_CRASHED);
    }
    ks_runtime_node_resumed(runtime, node); /* a paused process that is killed unwinds at once */
}

/* ---- the loop ---- */

void ks_runtime_callback(ks_runtime *runtime, void (*run)(void *argument), void *argument) {
    if (runtime->freeing) return;
    KS_PUSH(runtime->callbacks, (ks_callback){ run, argument, ks_cause(runtime->kernel) });
}

void ks_runtime_callback_cancel(ks_runtime *runtime, void *argument) {
    for (int32_t i = runtime->callbacks_done; i < runtime->callbacks.count; i++) {
        if (runtime->callbacks.items[i].argument == argument) runtime->callbacks.items[i].run = NULL;
    }
}

static void application_runs(ks_runtime *runtime, uint64_t cause) {
    runtime->last_activity = ks_now(runtime->kernel);
    ks_progress(runtime->kernel);
    ks_cause_set(runtime->kernel, cause);
}

static void run_callbacks(ks_runtime *runtime) {
    while (runtime->callbacks_done < runtime->callbacks.count) {
        ks_callback callback = runtime->callbacks.items[runtime->callbacks_done++];
        if (callback.run == NULL) continue;
        application_runs(runtime, callback.cause);
        ks_runtime_enter_callback(runtime);
        callback.run(callback.argument);
        ks_runtime_leave_callback(runtime);
        ks_cause_set(runtime->kernel, 0);
    }
    runtime->callbacks.count = runtime->callbacks_done = 0;
}

/* Nobody's turn: the cheap question, asked before and after every event. */
static inline bool is_quiet(const ks_runtime *runtime) { return runtime->callbacks.count == 0 && runtime->ready == NULL; }

/* Runs callbacks and tasks that are ready. True: it is `own`'s turn, which was taken from the queue. */
static bool take_turns(ks_runtime *runtime, const ks_wait *own) {
    for (;;) {
        run_callbacks(runtime);
        if (runtime->ready == NULL) return false;
        ks_wait *wait = take_first(&runtime->ready, &runtime->ready_last);
        if (ks_node_state_of(wait->node) == KS_NODE_PAUSED && wait->error != KAFKA_ERR_NOTHING_CAN_WAKE) {
            append(&runtime->frozen, &runtime->frozen_last, wait);
            continue;
        }
        application_runs(runtime, 0);
        wait->queued = false;
        if (wait == own) return true;
        if (wait->task) run_task(runtime, wait->task);
    }
}

static int64_t next_event(ks_runtime *runtime) {
    int64_t time;
    return ks_kernel_next(runtime->kernel, &time) ? time : INT64_MAX;
}

void ks_runtime_loop(ks_runtime *runtime, ks_wait *wait) {
    int64_t awake = ks_now(runtime->kernel); /* when the process of `wait` last was */
    while (!take_turns(runtime, wait)) {
        bool paused = ks_nodes_paused(runtime->kernel) > 0; /* then some bounds may not count */
        if ((runtime->bounded == 0 || paused) && ks_runtime_check_stuck(runtime, next_event(runtime))) continue;
        if (ks_runtime_check_paused(runtime, wait, &awake)) continue;
        if (!ks_kernel_step(runtime->kernel)) ks_runtime_check_stuck(runtime, INT64_MAX);
    }
}

void ks_runtime_settle(ks_runtime *runtime) {
    if (!is_quiet(runtime)) take_turns(runtime, NULL);
}

void ks_runtime_run_until(ks_runtime *runtime, int64_t until) {
    ks_runtime_settle(runtime);
    while (next_event(runtime) <= until) {
        ks_kernel_step(runtime->kernel);
        ks_runtime_settle(runtime);
    }
    if (ks_now(runtime->kernel) < until) ks_kernel_advance(runtime->kernel, until);
    ks_cause_set(runtime->kernel, 0);
}

bool ks_runtime_step(ks_runtime *runtime) {
    ks_runtime_settle(runtime);
    bool stepped = ks_kernel_step(runtime->kernel);
    ks_runtime_settle(runtime);
    ks_cause_set(runtime->kernel, 0);
    return stepped;
}

kafka_error ks_runtime_may_run(ks_runtime *runtime) {
    if (!ks_runtime_right_thread(runtime)) return KAFKA_ERR_WRONG_THREAD;
    ks_runtime_notice_jump(runtime);
    return runtime->current || runtime->callback_depth > 0 || runtime->listener_depth > 0 ? KAFKA_ERR_WRONG_PLACE : KAFKA_OK;
}
