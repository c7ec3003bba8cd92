/* SPDX-License-Identifier: Apache-2.0
 * The trace bus: numbers the events, keeps copies of the last ones, tells the subscribers. */
#include "sim/kernel/internal.h"

static __attribute__((noinline)) void tell(ks_kernel *kernel, const ks_node *node, const ks_struct *kind, const void *fields,
                                           uint64_t cause, const ks_envelope *message, bool trivial) {
    ks_event event = {
        .id = kernel->event_count,
        .cause = cause,
        .time = ks_now(kernel),
        .node = node == NULL ? 0 : node->id,
        .node_name = node == NULL ? "" : node->name.data,
        .kind = kind,
        .fields = fields,
        .message = message,
    };
    ks_subscriber *former = kernel->next_subscriber;
    kernel->inside++;
    for (ks_subscriber *subscriber = kernel->subscribers; subscriber != NULL; subscriber = kernel->next_subscriber) {
        kernel->next_subscriber = subscriber->next;
        if (!(trivial && subscriber->spared)) subscriber->event(subscriber->context, &event);
    }
    kernel->inside--;
    kernel->next_subscriber = former;
}

static bool anybody_hears(const ks_kernel *kernel, bool trivial) { return trivial ? kernel->listeners > 0 : kernel->subscribers != NULL; }

uint64_t ks_trace_emit_caused(ks_kernel *kernel, ks_node *node, const ks_struct *kind, const void *fields, uint64_t cause,
                              const ks_envelope *message, bool trivial) {
    uint64_t id = ++kernel->event_count;
    if (!trivial) trivial = !ks_trace_ring_put(kernel, node, kind, fields, cause);
    if (anybody_hears(kernel, trivial)) tell(kernel, node, kind, fields, cause, message, trivial);
    return id;
}

uint64_t ks_trace_emit(ks_kernel *kernel, ks_node *node, const ks_struct *kind, const void *fields) {
    uint64_t id = ++kernel->event_count;
    bool trivial = !ks_trace_ring_put(kernel, node, kind, fields, kernel->cause);
    if (anybody_hears(kernel, trivial)) tell(kernel, node, kind, fields, kernel->cause, NULL, trivial);
    return id;
}

uint64_t ks_trace_count(const ks_kernel *kernel) { return kernel->event_count; }

void ks_trace_subscribe(ks_kernel *kernel, ks_subscriber *subscriber) {
    subscriber->next = NULL;
    kernel->listeners += !subscriber->spared;
    *kernel->last_subscriber = subscriber;
    kernel->last_subscriber = &subscriber->next;
}

void ks_trace_unsubscribe(ks_kernel *kernel, ks_subscriber *subscriber) {
    for (ks_subscriber **link = &kernel->subscribers; *link != NULL; link = &(*link)->next) {
        if (*link != subscriber) continue;
        kernel->listeners -= !subscriber->spared;
        *link = subscriber->next;
        if (subscriber->next == NULL) kernel->last_subscriber = link;
        if (kernel->next_subscriber == subscriber) kernel->next_subscriber = subscriber->next;
        return;
    }
}

void ks_event_json(const ks_event *event, ks_buffer *out) {
    static const char prefix[] = "ev_";
    const char *kind = event->kind->name;
    if (strncmp(kind, prefix, sizeof prefix - 1) == 0) kind += sizeof prefix - 1;
    ks_buffer_text(out, "{\"id\":");
    ks_buffer_i64(out, (int64_t)event->id);
    ks_buffer_text(out, ",\"cause\":");
    ks_buffer_i64(out, (int64_t)event->cause);
    ks_buffer_text(out, ",\"time\":");
    ks_buffer_i64(out, event->time);
    ks_buffer_text(out, ",\"node\":");
    ks_json_string(ks_str(event->node_name), out);
    ks_buffer_text(out, ",\"kind\":\"");
    ks_buffer_text(out, kind);
    ks_buffer_text(out, "\",\"fields\":");
    ks_struct_json(event->kind, event->fields, 64, out);
    ks_buffer_text(out, "}");
}
