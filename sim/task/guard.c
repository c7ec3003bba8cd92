/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops that never end. In a real program they burn a core; here virtual time would stand still for ever, so they are
 * stopped: the 100th call in a row of one task that only returns the same ended context's error, and the 10,000th call
 * in a row at one instant that told it nothing new.
 */
#include "sim/task/runtime.h"

#include <stdarg.h>
#include <stdio.h>

enum { ENDED_LIMIT = 100, FRUITLESS_LIMIT = 10000 };

ks_guard *ks_runtime_guard(ks_runtime *runtime) {
    return runtime->current ? &runtime->current->guard : &runtime->guard;
}

void ks_guard_fail(ks_runtime *runtime, const char *format, ...) {
    char who[128], sentence[768];
    if (runtime->current) {
        snprintf(who, sizeof who, "task %.60s of client %.40s", runtime->current->name,
                 ks_node_name(runtime->current->node));
    } else {
        snprintf(who, sizeof who, "the program");
    }
    int size = snprintf(sentence, sizeof sentence, "%s ", who);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence + size, sizeof sentence - (size_t)size, format, arguments);
    va_end(arguments);
    if (runtime->hook) { /* other simulators of this thread have nothing to say */
        ks_assertion_hook_pop(runtime->hook);
        ks_assertion_hook_push(runtime->hook);
    }
    *ks_runtime_guard(runtime) = (ks_guard){ 0 }; /* a test that catches it goes on with a clean slate */
    ks_assertion_failed("busy loop", 0, sentence);
}

void ks_runtime_fruitful(ks_runtime *runtime) {
    ks_guard *guard = ks_runtime_guard(runtime);
    guard->ended_in_row = guard->fruitless_in_row = 0;
}

void ks_runtime_fruitless(ks_runtime *runtime, const char *call) {
    ks_runtime_notice_jump(runtime);
    ks_guard *guard = ks_runtime_guard(runtime);
    int64_t now = ks_now(runtime->kernel);
    uint64_t event = ks_trace_count(runtime->kernel);
    if (guard->fruitless_at != now || guard->fruitless_event != event) guard->fruitless_in_row = 0;
    guard->fruitless_at = now;
    guard->fruitless_event = event;
    if (++guard->fruitless_in_row < FRUITLESS_LIMIT) return;
    ks_guard_fail(
        runtime,
        "called %s %d times in a row at one instant without anything happening in between. Virtual time "
        "stands still while a program computes: wait with kafka_sleep() or in a blocking call instead of looping.",
        call, FRUITLESS_LIMIT);
}

void ks_runtime_ended_context(ks_runtime *runtime, kafka_context *context, const char *call) {
    ks_guard *guard = ks_runtime_guard(runtime);
    uint64_t serial = context ? context->serial : 0;
    if (guard->ended_context != serial) guard->ended_in_row = 0;
    guard->ended_context = serial;
    guard->fruitless_in_row = 0;
    if (++guard->ended_in_row < ENDED_LIMIT) return;
    kafka_error error = context && context->error ? context->error : KAFKA_ERR_NODE_CRASHED;
    const char *why = error == KAFKA_ERR_CANCELED            ? "its context was cancelled"
                      : error == KAFKA_ERR_DEADLINE_EXCEEDED ? "its context's deadline has passed"
                      : error == KAFKA_ERR_NODE_CRASHED      ? "its process has crashed"
                                                             : "its context has ended";
    ks_guard_fail(runtime,
                  "called %s, and got the same error for the %dth time in a row: %s. A loop must look at what its "
                  "calls return: `if (error) break;`.",
                  call, ENDED_LIMIT, why);
}
