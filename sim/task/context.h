/* SPDX-License-Identifier: Apache-2.0
 *
 * Contexts inside: a tree under each client process's background. Ending one ends its descendants, and wakes what waits
 * under each in the order in which it began to wait. As in Go, a child of an ended context is born ended.
 */
#ifndef KS_CONTEXT_H
#define KS_CONTEXT_H

#include <kafkasim/context.h>

#include "sim/kernel/kernel.h"
#include "sim/task/wait.h"

struct kafka_context {
    ks_runtime *runtime;
    ks_node *node;                                          /* the client process */
    void *address;                                          /* the kafka_address of its background; the api layer's */
    kafka_context *parent;                                  /* NULL: a background, or its parent was freed */
    kafka_context *children, *children_last, *next, **link; /* in order of making */
    kafka_context *all_next, **all_link;                    /* all that are alive, for ks_contexts_drop */
    kafka_error error;                                      /* KAFKA_OK while it lives */
    bool has_deadline, background;
    kafka_time deadline; /* its own or an ancestor's, the earlier one */
    ks_timer timer;      /* runs only when the deadline is its own */
    ks_wait *waits, *waits_last;
    uint64_t serial; /* 1.. in the order of making */
};

kafka_context *ks_context_background(ks_runtime *runtime, ks_node *node, void *address);
kafka_context *ks_context_child(kafka_context *parent);
kafka_context *ks_context_child_until(kafka_context *parent, kafka_time deadline);
/* Ends it and its descendants with `error` (of an ended one nothing changes). Cost: what it ends and wakes. */
void ks_context_end(kafka_context *context, kafka_error error);
/* Ends and frees it; its children become orphans that have ended. */
void ks_context_free(kafka_context *context);
/* The contexts of `address` that are alive, besides its background; frees them without waking anybody. */
int32_t ks_contexts_open(ks_runtime *runtime, const void *address);
void ks_contexts_drop(ks_runtime *runtime, const void *address);

#endif
