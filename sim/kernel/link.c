/* SPDX-License-Identifier: Apache-2.0
 *
 * Links: what lies between two nodes. Latency, cuts and resets are faults of a link; all its connections share them.
 * TCP loses no single message: a cut link is silent until it heals, a reset connection is gone.
 */
#include "sim/kernel/internal.h"

ks_link *ks_link_get(ks_kernel *kernel, const ks_node *a, const ks_node *b) {
    ks_link *link, key = { 0 };
    key.key.low = a->id < b->id ? a->id : b->id;
    key.key.high = a->id < b->id ? b->id : a->id;
    HASH_FIND(hh, kernel->links, &key.key, sizeof key.key, link);
    if (link != NULL) return link;
    link = ks_alloc(sizeof *link);
    link->key = key.key;
    link->latency = -1;
    ks_timer_list_init(&link->waiting);
    HASH_ADD(hh, kernel->links, key, sizeof link->key, link);
    return link;
}

void ks_network_intercept(ks_kernel *kernel, const ks_interceptor *interceptor) {
    kernel->interceptor = interceptor == NULL ? (ks_interceptor){ 0 } : *interceptor;
}

void ks_link_set_latency(ks_kernel *kernel, ks_node *a, ks_node *b, int64_t one_way_ns) {
    ks_link_get(kernel, a, b)->latency = one_way_ns;
    kernel->links_differ = true;
}

void ks_link_cut(ks_kernel *kernel, ks_node *a, ks_node *b) {
    ks_link_get(kernel, a, b)->cut = true;
    kernel->links_differ = true;
}

void ks_link_heal(ks_kernel *kernel, ks_node *a, ks_node *b) {
    ks_link *link = ks_link_get(kernel, a, b);
    link->cut = false;
    ks_timer_list_release(kernel, &link->waiting);
}

/* What each end has been told travels no further: both hear of the end at this instant. */
static void reset(ks_connection *connection) {
    uint64_t former = ks_cause(connection->kernel);
    ks_connection_tell_end(connection, NULL, KS_LITERAL("reset by fault"));
    connection->reset = true;
    ks_message_free_list(&connection->outbox);
    ks_message_kind ends[] = { KS_MESSAGE_CLIENT_ENDED, KS_MESSAGE_SERVER_ENDED };
    for (int i = 0; i < 2; i++) {
        ks_message *message = ks_message_new(connection, ends[i]);
        message->on_node = true;
        ks_message_now(message);
    }
    ks_cause_set(connection->kernel, former);
}

static int32_t reset_all(ks_node *client, const ks_node *server) {
    int32_t count = 0;
    for (ks_ring_link *item = client->opened.next; item != &client->opened; item = item->next) {
        ks_connection *connection = KS_OWNER(item, ks_connection, of_client);
        if (connection->server != server || connection->reset) continue;
        reset(connection);
        count++;
    }
    return count;
}

/* O(connections of both nodes). */
int32_t ks_link_reset(ks_kernel *kernel, ks_node *a, ks_node *b) {
    (void)kernel;
    return reset_all(a, b) + (a == b ? 0 : reset_all(b, a));
}
