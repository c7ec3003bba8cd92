/* SPDX-License-Identifier: Apache-2.0
 *
 * One blocked call: begin, park, wake; and the report when nothing can wake anybody any more.
 */
#include "sim/task/wait.h"

#include "sim/task/runtime.h"

#include <stdarg.h>
#include <stdio.h>

void ks_wait_call_name(const char *what, char *name, size_t size) {
    size_t length = strcspn(what, ": ");
    if (length >= size) length = size - 1;
    memcpy(name, what, length);
    name[length] = 0;
}

static kafka_error refuse(ks_wait *wait, const char *format, va_list arguments) {
    ks_runtime *runtime = wait->runtime;
    if (!ks_runtime_right_thread(runtime)) return KAFKA_ERR_WRONG_THREAD;
    ks_runtime_notice_jump(runtime);
    if (runtime->freeing) return KAFKA_ERR_RUN_ENDED;
    if (runtime->callback_depth > 0) return KAFKA_ERR_WRONG_PLACE;
    kafka_error ended = wait->context ? wait->context->error : KAFKA_OK;
    ks_task *task = runtime->current;
    if (ended == KAFKA_OK && (ks_node_state_of(wait->node) == KS_NODE_DOWN || (task && task->dead)))
        ended = KAFKA_ERR_NODE_CRASHED;
    if (ended) {
        char what[sizeof wait->what], name[64];
        vsnprintf(what, sizeof what, format, arguments);
        ks_wait_call_name(what, name, sizeof name);
        ks_runtime_ended_context(runtime, wait->context, name);
    }
    return ended;
}

/* A bound that is years away is none: such calls end, as those without one do, when nothing can wake them. */
static bool is_soon(const ks_runtime *runtime, int64_t deadline) {
    return deadline - ks_now(runtime->kernel) < INT64_C(366) * 86400 * KS_S;
}

static void join_list(ks_wait *wait) {
    ks_runtime *runtime = wait->runtime;
    wait->link = runtime->waits_last ? &runtime->waits_last->next : &runtime->waits;
    *wait->link = wait;
    runtime->waits_last = wait;
    kafka_context *context = wait->context;
    if (context == NULL) return;
    wait->bounded = context->has_deadline && is_soon(runtime, context->deadline);
    runtime->bounded += wait->bounded;
    wait->context_link = context->waits_last ? &context->waits_last->context_next : &context->waits;
    *wait->context_link = wait;
    context->waits_last = wait;
}

static void leave_list(ks_wait *wait) {
    ks_runtime *runtime = wait->runtime;
    runtime->bounded -= wait->bounded;
    *wait->link = wait->next;
    if (wait->next)
        wait->next->link = wait->link;
    else
        runtime->waits_last =
            wait->link == &runtime->waits ? NULL : (ks_wait *)((char *)wait->link - offsetof(ks_wait, next));
    kafka_context *context = wait->context;
    if (context == NULL) return;
    *wait->context_link = wait->context_next;
    if (wait->context_next)
        wait->context_next->context_link = wait->context_link;
    else
        context->waits_last = wait->context_link == &context->waits
                                  ? NULL
                                  : (ks_wait *)((char *)wait->context_link - offsetof(ks_wait, context_next));
}

kafka_error ks_wait_begin(ks_wait *wait, ks_runtime *runtime, ks_node *node, kafka_context *context, const char *what,
                          ...) {
    wait->next = wait->context_next = wait->ready_next = NULL;
    wait->link = wait->context_link = NULL;
    wait->runtime = runtime;
    wait->node = node;
    wait->context = context;
    wait->done = wait->bounded = wait->queued = false;
    wait->error = KAFKA_OK;
    va_list arguments;
    va_start(arguments, what);
    kafka_error error = refuse(wait, what, arguments);
    va_end(arguments);
    if (error) return error;
    va_start(arguments, what);
    vsnprintf(wait->what, sizeof wait->what, what, arguments);
    va_end(arguments);
    ks_runtime_fruitful(runtime);
    wait->task = runtime->current;
    wait->since = runtime->last_activity = ks_now(runtime->kernel);
    join_list(wait);
    return KAFKA_OK;
}

void ks_wait_set_bound(ks_wait *wait, int64_t deadline) {
    if (is_soon(wait->runtime, deadline)) ks_wait_set_bounded(wait);
}

void ks_wait_set_bounded(ks_wait *wait) {
    if (wait->bounded) return;
    wait->bounded = true;
    wait->runtime->bounded++;
}

/* Out of the queue of those that go on: only an abandoned wait, or one that was woken before it parked. */
static void unqueue(ks_wait *wait, ks_wait **first, ks_wait **last) {
    ks_wait *before = NULL;
    for (ks_wait **link = first; *link; before = *link, link = &(*link)->ready_next) {
        if (*link != wait) continue;
        *link = wait->ready_next;
        if (*last == wait) *last = before;
        wait->queued = false;
        return;
    }
}

static void leave_queue(ks_wait *wait) {
    if (wait->queued) unqueue(wait, &wait->runtime->ready, &wait->runtime->ready_last);
    if (wait->queued) unqueue(wait, &wait->runtime->frozen, &wait->runtime->frozen_last);
}

static void give_way(ks_wait *wait) {
    ks_task *task = wait->task;
    if (task)
        ks_fiber_switch(&task->fiber, &wait->runtime->own);
    else
        ks_runtime_loop(wait->runtime, wait);
}

kafka_error ks_wait_park(ks_wait *wait) {
    if (wait->done)
        leave_queue(wait);
    else
        give_way(wait);
    leave_list(wait);
    if (wait->context && wait->context->error) wait->error = wait->context->error;
    return wait->error;
}

void ks_wait_abandon(ks_wait *wait) {
    leave_queue(wait);
    leave_list(wait);
}

/* ---- sleeping ---- */

static void slept(ks_timer *timer) { ks_wait_wake(timer->owner, KAFKA_OK); }

/* Lets the others that are ready have their turn. Time stands still, so a loop of this alone would never end: it counts
 * as fruitless. */
static kafka_error yield(ks_wait *wait) {
    ks_wait_wake(wait, KAFKA_OK);
    give_way(wait);
    return ks_wait_park(wait);
}

static ks_sleep *sleep_take(ks_runtime *runtime) {
    ks_sleep *sleep = runtime->idle_sleeps;
    if (sleep) {
        runtime->idle_sleeps = sleep->next_idle;
        return sleep;
    }
    sleep = ks_alloc(sizeof *sleep);
    sleep->next = runtime->sleeps;
    return runtime->sleeps = sleep;
}

kafka_error ks_runtime_sleep(ks_runtime *runtime, ks_node *node, kafka_context *context, int64_t duration_ns) {
    ks_wait wait;
    if (duration_ns <= 0 && ks_runtime_right_thread(runtime))
        ks_runtime_fruitless(runtime, "kafka_sleep with no duration");
    ks_guard guard = *ks_runtime_guard(runtime);
    kafka_error error =
        ks_wait_begin(&wait, runtime, node, context, "kafka_sleep: %lld ms", (long long)(duration_ns / KS_MS));
    if (error) return error;
    if (duration_ns <= 0) {
        *ks_runtime_guard(runtime) = guard;
        return yield(&wait);
    }
    int64_t now = ks_now(runtime->kernel);
    int64_t until = duration_ns > INT64_MAX - now ? INT64_MAX : now + duration_ns;
    ks_wait_set_bound(&wait, until);
    ks_sleep *sleep = sleep_take(runtime);
    ks_timer_init(&sleep->timer, node, slept, &wait);
    ks_timer_start_at(runtime->kernel, &sleep->timer, until);
    error = ks_wait_park(&wait);
    ks_timer_stop(&sleep->timer);
    sleep->next_idle = runtime->idle_sleeps;
    runtime->idle_sleeps = sleep;
    return error;
}

/* ---- everybody is stuck ---- */

static void list_wait(ks_runtime *runtime, const ks_wait *wait, ks_buffer *out) {
    const ks_task *task = wait->task;
    int64_t elapsed_ms = (wait->since - runtime->start) / KS_MS;
    ks_buffer_printf(out, "  %s", ks_node_name(wait->node));
    if (task) ks_buffer_printf(out, " (task %s)", task->name);
    ks_buffer_printf(out, ": %s, since %lld.%03lld s", wait->what, (long long)(elapsed_ms / 1000),
                     (long long)(elapsed_ms % 1000));
    if (ks_node_state_of(wait->node) == KS_NODE_PAUSED) ks_buffer_text(out, " (this process is paused; ksim_resume() wakes it)");
    ks_buffer_text(out, "\n");
}

void ks_runtime_list_waits(ks_runtime *runtime, ks_buffer *out) {
    for (ks_wait *wait = runtime->waits; wait; wait = wait->next) list_wait(runtime, wait, out);
}

/* Retries (of a client whose brokers are all down) go on for ever too, but they are no periodic work of a healthy
 * cluster: they get this many times as long before the calls that they hold up end. */
enum { RETRIES_GET = 144 };

typedef enum stuck_because { NOTHING_LEFT, ONLY_PERIODIC, ONLY_RETRIES } stuck_because;

static int64_t patience_of(const ks_runtime *runtime) {
    return runtime->stuck_after > INT64_MAX / RETRIES_GET ? INT64_MAX : runtime->stuck_after * RETRIES_GET;
}

static void end_with_report(ks_runtime *runtime, ks_wait *wait) {
    leave_queue(wait); /* woken already, but its process is paused */
    if (runtime->explain)
        runtime->explain(runtime->explain_context, wait->node, KAFKA_ERR_NOTHING_CAN_WAKE, runtime->stuck_report);
    wait->done = false;
    ks_wait_wake(wait, KAFKA_ERR_NOTHING_CAN_WAKE);
}

static void end_all(ks_runtime *runtime, stuck_because why) {
    ks_buffer text = { 0 };
    long long span = (long long)(runtime->stuck_after / KS_S);
    if (why == NOTHING_LEFT) {
        ks_buffer_text(&text, "nothing is left to happen that could wake anybody. Blocked are:\n");
    } else if (why == ONLY_PERIODIC) {
        ks_buffer_printf(
            &text,
            "for %lld s of virtual time nothing but periodic work has happened, and all calls are blocked without "
            "a bound of their own. Blocked are:\n",
            span);
    } else {
        ks_buffer_printf(
            &text,
            "for %lld s of virtual time clients have tried again and again without success (are the brokers down, or "
            "cut off?), and all calls are blocked without a bound of their own. Blocked are:\n",
            span * RETRIES_GET);
    }
    ks_runtime_list_waits(runtime, &text);
    ks_free(runtime->stuck_report);
    runtime->stuck_report = ks_buffer_take(&text);
    for (ks_wait *wait = runtime->waits; wait; wait = wait->next) end_with_report(runtime, wait);
}

/* Does some call end by itself? Not that of a paused process: its timers stand still. O(waits) */
static bool some_bound_counts(const ks_runtime *runtime) {
    if (runtime->bounded == 0) return false;
    for (const ks_wait *wait = runtime->waits; wait; wait = wait->next) {
        if (wait->bounded && ks_node_state_of(wait->node) != KS_NODE_PAUSED) return true;
    }
    return false;
}

bool ks_runtime_check_stuck(ks_runtime *runtime, int64_t next) {
    if (runtime->waits == NULL) return false;
    int64_t active = runtime->last_activity, progress = ks_last_progress(runtime->kernel);
    int64_t quiet_until = (progress > active ? progress : active) + runtime->stuck_after;
    int64_t patience = patience_of(runtime);
    int64_t patient_until = patience > INT64_MAX - active ? INT64_MAX : active + patience;
    bool quiet = next > quiet_until && ks_foreground_pending(runtime->kernel) == 0;
    if (next != INT64_MAX && ((!quiet && next <= patient_until) || some_bound_counts(runtime))) return false;
    int64_t until = quiet ? quiet_until : patient_until;
    if (next != INT64_MAX && until > ks_now(runtime->kernel)) ks_kernel_advance(runtime->kernel, until);
    end_all(runtime, next == INT64_MAX ? NOTHING_LEFT : quiet ? ONLY_PERIODIC : ONLY_RETRIES);
    return true;
}

bool ks_runtime_check_paused(ks_runtime *runtime, ks_wait *own, int64_t *awake) {
    int64_t now = ks_now(runtime->kernel);
    if (ks_node_state_of(own->node) != KS_NODE_PAUSED) {
        *awake = now;
        return false;
    }
    if (now - *awake < patience_of(runtime)) return false;
    ks_buffer text = { 0 };
    ks_buffer_printf(&text, "%s has been paused for at least %lld s of virtual time. Blocked are:\n", ks_node_name(own->node),
                     (long long)((now - *awake) / KS_S));
    ks_runtime_list_waits(runtime, &text);
    ks_free(runtime->stuck_report);
    runtime->stuck_report = ks_buffer_take(&text);
    end_with_report(runtime, own);
    return true;
}
