/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree of contexts. See context.h.
 */
#include "sim/task/context.h"

#include "sim/task/runtime.h"

static void deadline_passed(ks_timer *timer) { ks_context_end(timer->owner, KAFKA_ERR_DEADLINE_EXCEEDED); }

static kafka_context *context_new(ks_runtime *runtime, ks_node *node, void *address) {
    kafka_context *context = ks_alloc(sizeof *context);
    context->runtime = runtime;
    context->node = node;
    context->address = address;
    context->serial = ++runtime->context_serial;
    ks_timer_init(&context->timer, node, deadline_passed, context);
    context->all_next = runtime->contexts;
    context->all_link = &runtime->contexts;
    if (context->all_next) context->all_next->all_link = &context->all_next;
    runtime->contexts = context;
    return context;
}

kafka_context *ks_context_background(ks_runtime *runtime, ks_node *node, void *address) {
    kafka_context *context = context_new(runtime, node, address);
    context->background = true;
    return context;
}

kafka_context *ks_context_child(kafka_context *parent) {
    kafka_context *context = context_new(parent->runtime, parent->node, parent->address);
    context->error = parent->error;
    context->has_deadline = parent->has_deadline;
    context->deadline = parent->deadline;
    if (parent->error) return context;
    context->parent = parent;
    context->link = parent->children_last ? &parent->children_last->next : &parent->children;
    *context->link = context;
    parent->children_last = context;
    return context;
}

kafka_context *ks_context_child_until(kafka_context *parent, kafka_time deadline) {
    kafka_context *context = ks_context_child(parent);
    if (context->error || (parent->has_deadline && parent->deadline <= deadline)) return context;
    context->has_deadline = true;
    context->deadline = deadline;
    ks_kernel *kernel = ks_runtime_kernel(parent->runtime);
    if (deadline <= ks_now(kernel)) {
        ks_context_end(context, KAFKA_ERR_DEADLINE_EXCEEDED);
    } else {
        /* Background: a deadline that nobody waits under is no sign of life. */
        ks_timer_start_background(kernel, &context->timer, deadline - ks_now(kernel));
    }
    return context;
}

static void leave_parent(kafka_context *context) {
    kafka_context *parent = context->parent;
    if (parent == NULL) return;
    *context->link = context->next;
    if (context->next) {
        context->next->link = context->link;
    } else { /* it was the last: the one before it is the owner of the `next` that link points to, if any */
        parent->children_last = context->link == &parent->children
                                    ? NULL
                                    : (kafka_context *)((char *)context->link - offsetof(kafka_context, next));
    }
    context->parent = context->next = NULL;
    context->link = NULL;
}

void ks_context_end(kafka_context *context, kafka_error error) {
    if (context->error) return;
    context->error = error;
    ks_timer_stop(&context->timer);
    ks_runtime_notice_jump(context->runtime);
    for (ks_wait *wait = context->runtime->freeing ? NULL : context->waits, *next; wait; wait = next) {
        next = wait->context_next;
        ks_wait_wake(wait, error);
    }
    while (context->children) {
        kafka_context *child = context->children;
        leave_parent(child);
        ks_context_end(child, error);
    }
}

static void forget(kafka_context *context) {
    ks_timer_stop(&context->timer);
    leave_parent(context);
    *context->all_link = context->all_next;
    if (context->all_next) context->all_next->all_link = context->all_link;
    ks_free(context);
}

void ks_context_free(kafka_context *context) {
    ks_context_end(context, KAFKA_ERR_CANCELED);
    /* Whoever still waits under it is on its way out: it must not look at what is no more. */
    for (ks_wait *wait = context->runtime->freeing ? NULL : context->waits, *next; wait; wait = next) {
        next = wait->context_next;
        wait->context = NULL;
        wait->context_link = NULL;
    }
    forget(context);
}

int32_t ks_contexts_open(ks_runtime *runtime, const void *address) {
    int32_t count = 0;
    for (kafka_context *context = runtime->contexts; context; context = context->all_next) {
        count += context->address == address && !context->background;
    }
    return count;
}

void ks_contexts_drop(ks_runtime *runtime, const void *address) {
    for (kafka_context *context = runtime->contexts, *next; context; context = next) {
        next = context->all_next;
        if (context->address != address) continue;
        while (context->children) leave_parent(context->children);
        forget(context);
    }
}
