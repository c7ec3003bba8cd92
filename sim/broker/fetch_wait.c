/* SPDX-License-Identifier: Apache-2.0
 * Fetches that wait: parking, waking, forgetting. */
#include "sim/broker/fetch_wait.h"

#include "sim/broker/cluster_internal.h"

int64_t ks_fetch_available(const ks_partition *partition, int64_t offset, int64_t max_bytes) {
    int64_t bytes = ks_log_readable(partition->log, offset, ks_log_high_watermark(partition->log));
    if (bytes < 0) return INT32_MAX;
    return bytes < max_bytes ? bytes : max_bytes;
}

/* ---- ending ---- */

static void forget(ks_fetch *fetch) {
    ks_timer_stop(&fetch->timer);
    for (int32_t i = 0; i < fetch->wait_count; i++) {
        ks_fetch_wait *wait = &fetch->waits[i];
        *wait->link = wait->next;
        if (wait->next != NULL)
            wait->next->link = wait->link;
        else
            wait->partition->waits_last = wait->link;
    }
    *fetch->link = fetch->next;
    if (fetch->next != NULL) fetch->next->link = fetch->link;
}

static void tell_completed(const ks_fetch *fetch, ks_string client, int32_t bytes, const char *reason) {
    ks_kernel *kernel = fetch->broker->cluster->kernel;
    const ks_fetch_wait *first = &fetch->waits[0];
    KS_EMIT(kernel, fetch->broker->node, fetch_completed, .topic = first->partition->topic->name,
            .partition = first->partition->index, .client = client, .bytes = bytes,
            .waited_ms = (int32_t)((ks_now(kernel) - fetch->parked_at) / KS_MS), .reason = ks_str(reason));
}

static void complete(ks_fetch *fetch) {
    forget(fetch);
    const char *reason = fetch->reason;
    char client[256]; /* the request goes with its answer */
    ks_string id = fetch->request->envelope->client_id;
    if (id.size > (int32_t)sizeof client) id.size = (int32_t)sizeof client;
    if (id.size > 0) memcpy(client, id.data, (size_t)id.size);
    if (id.size > 0) id.data = client;
    int32_t bytes = ks_fetch_answer(fetch->broker, fetch->request);
    tell_completed(fetch, id, bytes, reason);
    ks_free(fetch);
}

static void cancelled(ks_parked *parked, ks_request *request) {
    ks_fetch *fetch = (ks_fetch *)parked;
    ks_assert(fetch->reason == NULL); /* what is ready is answered in the same event */
    tell_completed(fetch, request->envelope->client_id, 0, "cancelled");
    forget(fetch);
    ks_free(fetch);
}

void ks_fetch_drop_all(ks_cluster *cluster, const ks_broker *broker) {
    for (ks_fetch *fetch = cluster->parked, *next; fetch != NULL; fetch = next) {
        next = fetch->next;
        if (broker != NULL && fetch->broker != broker) continue;
        ks_assert(fetch->reason == NULL);
        forget(fetch);
        ks_free(fetch);
    }
}

/* ---- waking ---- */

static void make_ready(ks_fetch *fetch, const char *reason) {
    if (fetch->reason != NULL) return;
    ks_cluster *cluster = fetch->broker->cluster;
    fetch->reason = reason;
    fetch->next_ready = NULL;
    *cluster->ready_last = fetch;
    cluster->ready_last = &fetch->next_ready;
}

static void timed_out(ks_timer *timer) {
    ks_fetch *fetch = timer->owner;
    ks_cluster *cluster = fetch->broker->cluster;
    make_ready(fetch, "max_wait");
    ks_fetch_flush(cluster);
}

void ks_fetch_look(ks_partition *partition) {
    for (ks_fetch_wait *wait = partition->waits; wait != NULL; wait = wait->next) {
        int64_t available = ks_fetch_available(partition, wait->offset, wait->max_bytes);
        wait->fetch->available += available - wait->available;
        wait->available = available;
        if (wait->fetch->available >= wait->fetch->min_bytes) make_ready(wait->fetch, "data");
    }
}

void ks_fetch_fail(ks_partition *partition) {
    for (ks_fetch_wait *wait = partition->waits; wait != NULL; wait = wait->next) make_ready(wait->fetch, "error");
}

void ks_fetch_flush(ks_cluster *cluster) {
    while (cluster->ready != NULL) {
        ks_fetch *fetch = cluster->ready;
        cluster->ready = fetch->next_ready;
        if (cluster->ready == NULL) cluster->ready_last = &cluster->ready;
        complete(fetch);
    }
}

/* ---- parking ---- */

ks_fetch *ks_fetch_park(ks_broker *broker, ks_request *request, int32_t count, int64_t min_bytes, int32_t wait_ms) {
    ks_cluster *cluster = broker->cluster;
    ks_fetch *fetch = ks_alloc(sizeof *fetch + (size_t)count * sizeof fetch->waits[0]);
    fetch->parked.cancelled = cancelled;
    fetch->broker = broker;
    fetch->request = request;
    fetch->min_bytes = min_bytes;
    fetch->parked_at = ks_now(cluster->kernel);
    fetch->next = cluster->parked;
    fetch->link = &cluster->parked;
    if (fetch->next != NULL) fetch->next->link = &fetch->next;
    cluster->parked = fetch;
    request->parked = &fetch->parked;
    ks_timer_init(&fetch->timer, broker->node, timed_out, fetch);
    ks_timer_start_background(cluster->kernel, &fetch->timer, wait_ms * KS_MS);
    return fetch;
}

void ks_fetch_wait_on(ks_fetch *fetch, ks_partition *partition, int64_t offset, int64_t max_bytes) {
    ks_fetch_wait *wait = &fetch->waits[fetch->wait_count++];
    *wait = (ks_fetch_wait){ .fetch = fetch, .partition = partition, .offset = offset, .max_bytes = max_bytes };
    wait->available = ks_fetch_available(partition, offset, max_bytes);
    fetch->available += wait->available;
    wait->link = partition->waits_last;
    *wait->link = wait;
    partition->waits_last = &wait->next;
}
