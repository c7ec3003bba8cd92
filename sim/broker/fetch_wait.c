/* SPDX-License-Identifier: Apache-2.0
 * Fetches that wait: their parts, parking, waking, forgetting. */
#include "sim/broker/fetch_wait.h"

#include "sim/broker/cluster_internal.h"
#include "sim/broker/fetch_session.h"

/* ---- parts ---- */

void ks_fetch_set_init(ks_fetch_set *set) { *set = (ks_fetch_set){ .last = &set->first }; }

void ks_fetch_part_ask(ks_fetch_part *part, const ks_fetch_request_partition *asked) {
    part->offset = asked->fetch_offset;
    part->max_bytes = asked->partition_max_bytes;
    part->leader_epoch = asked->current_leader_epoch;
    part->last_fetched_epoch = asked->last_fetched_epoch;
}

void ks_fetch_part_append(ks_fetch_set *set, ks_fetch_part *part) {
    part->set = set;
    part->after = NULL;
    part->place = set->last;
    *set->last = part;
    set->last = &part->after;
    set->count++;
    set->quiet = false;
}

void ks_fetch_part_remove(ks_fetch_part *part) {
    ks_fetch_set *set = part->set;
    ks_fetch_part_unhang(part);
    *part->place = part->after;
    if (part->after != NULL)
        part->after->place = part->place;
    else
        set->last = part->place;
    set->count--;
    set->quiet = false;
}

void ks_fetch_part_hang(ks_fetch_part *part) {
    if (part->link != NULL) return;
    ks_partition *partition = part->partition;
    part->next = NULL;
    part->link = partition->fetches_last;
    *part->link = part;
    partition->fetches_last = &part->next;
    part->set->hanging++;
}

void ks_fetch_part_unhang(ks_fetch_part *part) {
    if (part->link == NULL) return;
    *part->link = part->next;
    if (part->next != NULL)
        part->next->link = part->link;
    else
        part->partition->fetches_last = part->link;
    part->link = NULL;
    part->set->hanging--;
    part->set->quiet = false;
}

int64_t ks_fetch_available(const ks_partition *partition, int64_t offset, int64_t max_bytes) {
    int64_t bytes = ks_log_readable(partition->log, offset, ks_log_high_watermark(partition->log));
    if (bytes < 0) return INT32_MAX;
    return bytes < max_bytes ? bytes : max_bytes;
}

/* ---- ending ---- */

static void unpark(ks_fetch *fetch) {
    ks_timer_stop(&fetch->timer);
    *fetch->link = fetch->next;
    if (fetch->next != NULL) fetch->next->link = fetch->link;
    fetch->link = NULL;
    fetch->set->fetch = NULL;
}

void ks_fetch_end(ks_fetch *fetch) {
    if (fetch->session != NULL) {
        ks_fetch_session_answered(fetch->session);
        return;
    }
    for (ks_fetch_part *part = fetch->set->first; part != NULL; part = part->after) ks_fetch_part_unhang(part);
    ks_free(fetch);
}

static void complete(ks_fetch *fetch) {
    char client[256]; /* the request goes with its answer */
    ks_string id = fetch->request->envelope->client_id;
    if (id.size > (int32_t)sizeof client) id.size = (int32_t)sizeof client;
    if (id.size > 0) id.data = memcpy(client, id.data, (size_t)id.size);
    unpark(fetch);
    int32_t bytes = ks_fetch_answer(fetch);
    ks_fetch_tell_completed(fetch, id, bytes, fetch->reason);
    ks_fetch_end(fetch);
}

static void cancelled(ks_parked *parked, ks_request *request) {
    ks_fetch *fetch = (ks_fetch *)parked;
    ks_assert(fetch->reason == NULL); /* what is ready is answered in the same event */
    ks_fetch_tell_completed(fetch, request->envelope->client_id, 0, "cancelled");
    unpark(fetch);
    ks_fetch_end(fetch);
}

void ks_fetch_drop_all(ks_cluster *cluster, const ks_broker *broker) {
    for (ks_fetch *fetch = cluster->parked, *next; fetch != NULL; fetch = next) {
        next = fetch->next;
        if (broker != NULL && fetch->broker != broker) continue;
        ks_assert(fetch->reason == NULL);
        unpark(fetch);
        ks_fetch_end(fetch);
    }
}

void ks_fetch_overtake(ks_fetch *fetch) {
    ks_fetch_tell_completed(fetch, fetch->request->envelope->client_id, 0, "error");
    unpark(fetch);
    ks_fetch_refuse(fetch->request, KAFKA_ERR_INVALID_FETCH_SESSION_EPOCH);
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

/* Of a session between two requests the part is taken off, so that a session whose client is gone is met only once. */
void ks_fetch_look(ks_partition *partition) {
    for (ks_fetch_part *part = partition->fetches, *next; part != NULL; part = next) {
        ks_fetch_set *set = part->set;
        next = part->next;
        set->quiet = false;
        if (set->fetch == NULL) {
            ks_fetch_part_unhang(part);
            continue;
        }
        int64_t available = ks_fetch_available(partition, part->offset, part->max_bytes);
        set->available += available - part->available;
        part->available = available;
        if (set->available >= set->fetch->min_bytes) make_ready(set->fetch, "data");
    }
}

void ks_fetch_fail(ks_partition *partition) {
    while (partition->fetches != NULL) {
        ks_fetch_part *part = partition->fetches;
        if (part->set->fetch != NULL) make_ready(part->set->fetch, "error");
        ks_fetch_part_unhang(part);
        part->partition = NULL;
    }
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

ks_fetch *ks_fetch_new(ks_broker *broker, ks_request *request, int32_t count, ks_fetch_part **parts) {
    struct {
        ks_fetch fetch;
        ks_fetch_set set;
        ks_fetch_part parts[];
    } *memory = ks_alloc(sizeof *memory + (size_t)count * sizeof memory->parts[0]);
    ks_fetch_set_init(&memory->set);
    memory->fetch.broker = broker;
    memory->fetch.request = request;
    memory->fetch.set = &memory->set;
    memory->fetch.parked_at = -1;
    *parts = memory->parts;
    return &memory->fetch;
}

void ks_fetch_park(ks_fetch *fetch, int32_t wait_ms) {
    ks_cluster *cluster = fetch->broker->cluster;
    ks_fetch_set *set = fetch->set;
    for (ks_fetch_part *part = set->first; part != NULL && set->hanging < set->count; part = part->after)
        if (part->partition != NULL) ks_fetch_part_hang(part);
    set->fetch = fetch;
    fetch->parked.cancelled = cancelled;
    fetch->reason = NULL;
    fetch->parked_at = ks_now(cluster->kernel);
    fetch->next = cluster->parked;
    fetch->link = &cluster->parked;
    if (fetch->next != NULL) fetch->next->link = &fetch->next;
    cluster->parked = fetch;
    fetch->request->parked = &fetch->parked;
    ks_timer_init(&fetch->timer, fetch->broker->node, timed_out, fetch);
    ks_timer_start_background(cluster->kernel, &fetch->timer, wait_ms * KS_MS);
}
