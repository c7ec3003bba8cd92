/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes: processes that are up, paused or down.
 *
 * A crash takes the process, not its host: what it had handed to the network still arrives, then its peers learn that
 * the connections are gone, one way later (over a cut link they learn nothing until it heals). A pause is SIGSTOP:
 * connections stay open, even new ones are accepted, and nothing else happens until the resume.
 */
#include "sim/kernel/internal.h"

static const bool may_become[3][3] = {
    [KS_NODE_UP] = { [KS_NODE_PAUSED] = true, [KS_NODE_DOWN] = true },
    [KS_NODE_PAUSED] = { [KS_NODE_UP] = true, [KS_NODE_DOWN] = true },
    [KS_NODE_DOWN] = { [KS_NODE_UP] = true },
};

static void become(ks_node *node, ks_node_state state) {
    ks_assert(may_become[node->state][state]);
    node->kernel->nodes_paused += (state == KS_NODE_PAUSED) - (node->state == KS_NODE_PAUSED);
    node->state = state;
}

static void crash_later(ks_timer *timer) {
    if (ks_node_state_of(timer->owner) != KS_NODE_DOWN) ks_node_crash(timer->owner);
}

/* FNV-1a: which stream a node draws from depends on its name alone, on every machine. */
static uint64_t name_number(const char *name) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (; *name != '\0'; name++) hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001B3);
    return hash;
}

ks_node *ks_node_new(ks_kernel *kernel, const char *name, const ks_node_events *events, void *owner) {
    ks_assert(ks_node_find(kernel, name) == NULL);
    ks_node *node = ks_alloc_lines(sizeof *node);
    *node = (ks_node){ .kernel = kernel, .id = ++kernel->node_count, .name = ks_str(name), .owner = owner };
    node->name.data = strlen(name) < sizeof node->text ? strcpy(node->text, name) : ks_string_dup(node->name).data;
    if (events != NULL) node->events = *events;
    ks_timer_list_init(&node->deferred);
    ks_ring_link_init(&node->opened);
    ks_ring_link_init(&node->accepted);
    ks_timer_init(&node->crash, NULL, crash_later, node);
    ks_random_seed(&node->random, kernel->config.seed, name_number(name));
    KS_HASH_ADD_STRING(hh, kernel->nodes, name, node);
    KS_EMIT(kernel, node, node_started, .name = node->name);
    return node;
}

ks_node *ks_node_find(ks_kernel *kernel, const char *name) {
    ks_node *node;
    KS_HASH_FIND_STRING(hh, kernel->nodes, ks_str(name), node);
    return node;
}

const char *ks_node_name(const ks_node *node) { return node->name.data; }
int32_t ks_node_id(const ks_node *node) { return node->id; }
ks_node_state ks_node_state_of(const ks_node *node) { return node->state; }
int32_t ks_nodes_paused(const ks_kernel *kernel) { return kernel->nodes_paused; }
ks_kernel *ks_node_kernel(const ks_node *node) { return node->kernel; }
void *ks_node_owner(const ks_node *node) { return node->owner; }

/* Both kinds of ends go without a word to this node; the peers hear of it by a message. */
static void end_connections(ks_node *node) {
    uint64_t cause = ks_cause(node->kernel);
    while (!ks_ring_link_empty(&node->accepted)) {
        ks_server_close(KS_OWNER(node->accepted.next, ks_connection, of_server), KS_LITERAL("server crashed"));
        ks_cause_set(node->kernel, cause);
    }
    while (!ks_ring_link_empty(&node->opened)) {
        ks_client_close(KS_OWNER(node->opened.next, ks_connection, of_client), KS_LITERAL("client crashed"));
        ks_cause_set(node->kernel, cause);
    }
}

void ks_node_crash(ks_node *node) {
    ks_kernel *kernel = node->kernel;
    if (kernel->inside > 0) { /* some handler is below us on the stack, perhaps this very node's */
        if (!ks_timer_is_running(&node->crash)) {
            ks_timer_list first;
            ks_timer_list_init(&first);
            node->crash.cause = kernel->cause;
            node->crash.deadline = 0; /* long overdue: nothing comes before it */
            ks_timer_list_append(&first, &node->crash);
            ks_timer_list_release(kernel, &first);
        }
        return;
    }
    ks_timer_stop(&node->crash);
    become(node, KS_NODE_DOWN);
    uint64_t cause = KS_EMIT(kernel, node, node_crashed, .name = node->name);
    uint64_t former = ks_cause_set(kernel, cause);
    end_connections(node);
    if (node->events.down != NULL) node->events.down(node->owner);
    ks_timer_list_release(kernel, &node->deferred); /* messages, which will find nobody */
    ks_cause_set(kernel, former);
}

void ks_node_start(ks_node *node) {
    ks_assert(node->state == KS_NODE_DOWN);
    become(node, KS_NODE_UP);
    uint64_t cause = KS_EMIT(node->kernel, node, node_started, .name = node->name);
    uint64_t former = ks_cause_set(node->kernel, cause);
    if (node->events.up != NULL) node->events.up(node->owner);
    ks_cause_set(node->kernel, former);
}

void ks_node_pause(ks_node *node) {
    become(node, KS_NODE_PAUSED);
    KS_EMIT(node->kernel, node, node_paused, .name = node->name);
}

void ks_node_resume(ks_node *node) {
    ks_assert(node->state == KS_NODE_PAUSED);
    become(node, KS_NODE_UP);
    KS_EMIT(node->kernel, node, node_resumed, .name = node->name);
    ks_timer_list_release(node->kernel, &node->deferred);
}
