/* SPDX-License-Identifier: Apache-2.0
 *
 * A client process: a node without a server side, a name book, the words of its last failure, and the list of engines
 * that must let go when it crashes. See process.h.
 */
#include "sim/client/process.h"

#include <stdarg.h>
#include <stdio.h>

#include "sim/client/process_internal.h"
#include "sim/client/transport.h"

enum { DETAIL_SIZE = 1024 };
#define CLIENT_ID_SUFFIX " (github.com/segmentio/kafka-go)"

struct ks_process {
    ks_kernel *kernel;
    ks_node *node;
    ks_resolve_fn *resolve;
    void *resolve_context;
    bool down;
    uint32_t numbers; /* given out */
    ks_process_watch *watches, **watches_end;
    ks_channel *channels;
    ks_transport *transport;
    ks_string client_id;
    char detail[DETAIL_SIZE];
};

static void went_down(void *owner) {
    ks_process *process = owner;
    process->down = true;
    for (ks_channel *channel = process->channels; channel != NULL; channel = ks_channel_next(channel))
        ks_channel_silence(channel);
    while (process->watches != NULL) {
        ks_process_watch *watch = process->watches;
        ks_process_watch_stop(watch);
        watch->crashed(watch->owner);
    }
}

static void came_up(void *owner) {
    ks_process *process = owner;
    process->down = false;
}

ks_process *ks_process_new(ks_kernel *kernel, const char *name, ks_resolve_fn *resolve, void *context) {
    static const ks_node_events events = { .down = went_down, .up = came_up };
    ks_process *process = ks_alloc(sizeof *process);
    process->kernel = kernel;
    process->resolve = resolve;
    process->resolve_context = context;
    process->watches_end = &process->watches;
    char id[256];
    int size = snprintf(id, sizeof id, "%s" CLIENT_ID_SUFFIX, name);
    process->client_id = ks_string_dup((ks_string){ id, size < (int)sizeof id ? size : (int)sizeof id - 1 });
    process->node = ks_node_new(kernel, name, &events, process);
    return process;
}

void ks_process_free(ks_process *process) {
    if (process == NULL) return;
    ks_transport_free(process->transport);
    while (process->channels != NULL) ks_channel_close(process->channels);
    ks_free((void *)process->client_id.data);
    ks_free(process);
}

ks_node *ks_process_node(ks_process *process) { return process->node; }
ks_kernel *ks_process_kernel(ks_process *process) { return process->kernel; }
bool ks_process_is_down(const ks_process *process) { return process->down; }
uint32_t ks_process_next_number(ks_process *process) { return ++process->numbers; }
ks_string ks_process_client_id(const ks_process *process) { return process->client_id; }
ks_channel **ks_process_channels(ks_process *process) { return &process->channels; }
ks_transport **ks_process_transport(ks_process *process) { return &process->transport; }

ks_node *ks_process_resolve(ks_process *process, ks_string host, int32_t port) {
    return process->resolve != NULL ? process->resolve(process->resolve_context, host, port) : NULL;
}

void ks_process_watch_start(ks_process *process, ks_process_watch *watch) {
    watch->next = NULL;
    watch->link = process->watches_end;
    watch->end = &process->watches_end;
    *process->watches_end = watch;
    process->watches_end = &watch->next;
}

void ks_process_watch_stop(ks_process_watch *watch) {
    if (watch->link == NULL) return;
    *watch->link = watch->next;
    if (watch->next != NULL)
        watch->next->link = watch->link;
    else
        *watch->end = watch->link;
    watch->link = NULL;
}

kafka_error ks_process_fail(ks_process *process, kafka_error error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(process->detail, sizeof process->detail, format, arguments);
    va_end(arguments);
    return error;
}

const char *ks_process_detail(const ks_process *process) { return process->detail; }
