/* SPDX-License-Identifier: Apache-2.0
 * The trace bus: numbers the events, keeps copies of the last ones, tells the subscribers. */
#include "sim/kernel/internal.h"

static bool hears_of(const ks_subscriber *subscriber, const ks_struct *kind, bool trivial) {
    if (trivial && subscriber->spared) return false;
    if (subscriber->kinds == NULL) return true;
    const ks_struct *const *one = subscriber->kinds;
    while (*one != NULL && *one != kind) one++;
    return *one != NULL;
}

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
        if (hears_of(subscriber, kind, trivial)) subscriber->event(subscriber->context, &event);
    }
    kernel->inside--;
    kernel->next_subscriber = former;
}

static __attribute__((noinline)) void ask(const ks_kernel *kernel, ks_plan_head *head) {
    head->asked = kernel->subscriptions;
    head->heard = head->heard_if_trivial = false;
    for (const ks_subscriber *subscriber = kernel->subscribers; subscriber != NULL; subscriber = subscriber->next) {
        head->heard |= hears_of(subscriber, head->kind, false);
        head->heard_if_trivial |= hears_of(subscriber, head->kind, true);
    }
}

/* Nearly all events are heard by nobody, which is found out once for each kind. */
static inline uint64_t emit(ks_kernel *kernel, const ks_node *node, const ks_struct *kind, const void *fields, uint64_t cause,
                            const ks_envelope *message, bool trivial) {
    uint64_t id = ++kernel->event_count;
    ks_plan *plan = ks_plan_of(&kernel->plans, kind);
    ks_plan_head *head = ks_plan_head_of(plan);
    trivial |= head->trivial;
    if (!trivial) ks_trace_ring_put(kernel, node, plan, fields, cause);
    if (head->asked != kernel->subscriptions) ask(kernel, head);
    if (trivial ? head->heard_if_trivial : head->heard) tell(kernel, node, kind, fields, cause, message, trivial);
    return id;
}

uint64_t ks_trace_emit_caused(ks_kernel *kernel, ks_node *node, const ks_struct *kind, const void *fields, uint64_t cause,
                              const ks_envelope *message, bool trivial) {
    return emit(kernel, node, kind, fields, cause, message, trivial);
}

uint64_t ks_trace_emit(ks_kernel *kernel, ks_node *node, const ks_struct *kind, const void *fields) {
    return emit(kernel, node, kind, fields, kernel->cause, NULL, false);
}

uint64_t ks_trace_count(const ks_kernel *kernel) { return kernel->event_count; }

void ks_trace_subscribe(ks_kernel *kernel, ks_subscriber *subscriber) {
    subscriber->next = NULL;
    kernel->subscriptions++;
    kernel->listeners += !subscriber->spared;
    *kernel->last_subscriber = subscriber;
    kernel->last_subscriber = &subscriber->next;
}

void ks_trace_unsubscribe(ks_kernel *kernel, ks_subscriber *subscriber) {
    for (ks_subscriber **link = &kernel->subscribers; *link != NULL; link = &(*link)->next) {
        if (*link != subscriber) continue;
        kernel->subscriptions++;
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
