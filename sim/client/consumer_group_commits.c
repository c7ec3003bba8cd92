/* SPDX-License-Identifier: Apache-2.0
 *
 * See consumer_group_commits.h. In kafka-go this is a goroutine that selects on {generation ended, tick, request}; here it looks
 * at the three whenever it is not busy, in that order.
 */
#include "sim/client/consumer_group_commits.h"

#include <stdlib.h>

enum { TRIES = 3 }; /* kafka-go, defaultCommitRetries */
#define BACKOFF_MIN (100 * KS_MS)
#define BACKOFF_MAX (5 * KS_S)

static void look_around(ks_commits *commits);
static void try_once(ks_commits *commits);

static ks_kernel *kernel_of(const ks_commits *commits) { return ks_process_kernel(commits->process); }

/* ---- requests ---- */

ks_commit_request *ks_commits_request(ks_commits *commits) {
    ks_commit_request *request = ks_alloc(sizeof *request);
    request->serial = ++commits->serials;
    return request;
}

void ks_commit_request_add(ks_commit_request *request, ks_read_partition *partition, int64_t offset) {
    if (partition->gathered == request->serial) {
        ks_commit_item *item = &request->items.items[partition->gathered_at];
        if (item->offset < offset) item->offset = offset;
        return;
    }
    partition->gathered = request->serial;
    partition->gathered_at = request->items.count;
    KS_PUSH(request->items, ((ks_commit_item){ partition, offset }));
}

void ks_commit_request_drop(ks_commit_request *request) {
    ks_free(request->items.items);
    ks_free(request);
}

static void finish_request(ks_commit_request *request, kafka_error error) {
    if (request->done != NULL) request->done(request->owner, error);
    ks_commit_request_drop(request);
}

static void finish_requests(ks_commit_request *request, kafka_error error) {
    while (request != NULL) {
        ks_commit_request *next = request->next;
        finish_request(request, error);
        request = next;
    }
}

bool ks_commits_is_full(const ks_commits *commits) { return commits->queued >= commits->capacity; }

void ks_commits_queue(ks_commits *commits, ks_commit_request *request) {
    ks_assert(!ks_commits_is_full(commits));
    request->next = NULL;
    *commits->queue_end = request;
    commits->queue_end = &request->next;
    commits->queued++;
    look_around(commits);
}

static ks_commit_request *dequeue(ks_commits *commits) {
    ks_commit_request *request = commits->queue;
    if (request == NULL) return NULL;
    bool was_full = ks_commits_is_full(commits);
    commits->queue = request->next;
    if (commits->queue == NULL) commits->queue_end = &commits->queue;
    request->next = NULL;
    commits->queued--;
    if (was_full && commits->room != NULL) commits->room(commits->room_owner);
    return request;
}

/* ---- the stash: the highest offset of each partition ---- */

static void stash(ks_commits *commits, ks_read_partition *partition, int64_t offset) {
    if (partition->stashed < 0)
        KS_PUSH(commits->stash, partition);
    else if (partition->stashed >= offset)
        return;
    partition->stashed = offset;
    commits->stash_is_new = true;
}

static void stash_request(ks_commits *commits, const ks_commit_request *request) {
    for (int32_t i = 0; i < request->items.count; i++)
        stash(commits, request->items.items[i].partition, request->items.items[i].offset);
}

static void clear_stash(ks_commits *commits) {
    for (int32_t i = 0; i < commits->stash.count; i++) commits->stash.items[i]->stashed = -1;
    commits->stash.count = 0;
    commits->stash_is_new = false;
}

static int by_topic_and_partition(const void *left, const void *right) {
    const ks_committed_offset *a = left, *b = right;
    int order = ks_string_compare(a->topic, b->topic);
    return order != 0 ? order : (a->partition > b->partition) - (a->partition < b->partition);
}

bool ks_commits_merge(ks_commits *commits, ks_read_partition *partition, int64_t offset) {
    if (commits->interval_ns == 0 || commits->generation == NULL || commits->busy || commits->queue != NULL)
        return false;
    stash(commits, partition, offset);
    return true;
}

/* ---- one commit, up to three tries ---- */

static void finished(ks_commits *commits) {
    ks_commit_request *requests = commits->current;
    kafka_error error = commits->last;
    commits->busy = false;
    commits->current = NULL;
    if (commits->interval_ns == 0 || error == KAFKA_OK || commits->final) clear_stash(commits);
    finish_requests(requests, error);
    look_around(commits);
}

static void answered(void *owner, kafka_error error) {
    ks_commits *commits = owner;
    commits->last = error;
    if (error == KAFKA_OK || ++commits->tries >= TRIES || commits->closing)
        finished(commits);
    else
        ks_timer_start(kernel_of(commits), &commits->again, ks_backoff(commits->tries, BACKOFF_MIN, BACKOFF_MAX));
}

static void try_once(ks_commits *commits) {
    ks_generation_commit(commits->generation, &commits->call, commits->offsets.items, commits->offsets.count, answered,
                         commits);
}

static void try_again(ks_timer *timer) { try_once(timer->owner); }

/* Sends what is in the stash; nothing is a success without a request. */
static void commit_stash(ks_commits *commits) {
    commits->offsets.count = 0;
    for (int32_t i = 0; i < commits->stash.count; i++) {
        const ks_read_partition *partition = commits->stash.items[i];
        KS_PUSH(commits->offsets,
                ((ks_committed_offset){ partition->topic, partition->partition, partition->stashed }));
    }
    if (commits->offsets.count > 1)
        qsort(commits->offsets.items, (size_t)commits->offsets.count, sizeof *commits->offsets.items,
              by_topic_and_partition);
    if (commits->stash_is_new && ks_in_background(kernel_of(commits))) ks_progress(kernel_of(commits));
    commits->stash_is_new = false;
    commits->busy = true;
    commits->tries = 0;
    commits->last = KAFKA_OK;
    if (commits->offsets.count > 0)
        try_once(commits);
    else
        finished(commits);
}

/* ---- the loop ---- */

static void leave_generation(ks_commits *commits) {
    ks_generation *generation = commits->generation;
    commits->generation = NULL;
    commits->ending = false;
    ks_timer_stop(&commits->tick);
    clear_stash(commits);
    ks_generation_leave(generation);
    ks_generation_release(generation);
}

/* Everything that waits goes into one last request, whose result is everybody's. */
static void commit_the_rest(ks_commits *commits) {
    commits->final = true;
    ks_commit_request **end = &commits->current;
    for (ks_commit_request *request; (request = dequeue(commits)) != NULL; end = &request->next) {
        stash_request(commits, request);
        *end = request;
    }
    commit_stash(commits);
}

static void commit_next(ks_commits *commits) {
    commits->current = dequeue(commits);
    stash_request(commits, commits->current);
    commit_stash(commits);
}

static void merge_queue(ks_commits *commits) {
    for (ks_commit_request *request; (request = dequeue(commits)) != NULL; finish_request(request, KAFKA_OK))
        stash_request(commits, request);
}

static void look_around(ks_commits *commits) {
    if (commits->generation == NULL || commits->busy) return;
    if (commits->ending) {
        if (commits->queue != NULL || commits->stash.count > 0)
            commit_the_rest(commits);
        else
            leave_generation(commits);
    } else if (commits->tick_due) {
        commits->tick_due = false;
        if (commits->stash.count > 0)
            commit_stash(commits);
        else
            look_around(commits);
    } else if (commits->queue != NULL) {
        if (commits->interval_ns > 0)
            merge_queue(commits);
        else
            commit_next(commits);
    }
}

static void ticked(ks_timer *timer) {
    ks_commits *commits = timer->owner;
    ks_timer_start_background(kernel_of(commits), timer, commits->interval_ns);
    commits->tick_due = true;
    look_around(commits);
}

/* ---- life ---- */

void ks_commits_init(ks_commits *commits, ks_process *process, int64_t interval_ns, int32_t capacity,
                     void (*room)(void *owner), void *owner) {
    *commits = (ks_commits){
        .process = process, .interval_ns = interval_ns, .capacity = capacity, .room = room, .room_owner = owner
    };
    commits->queue_end = &commits->queue;
    ks_timer_init(&commits->again, ks_process_node(process), try_again, commits);
    ks_timer_init(&commits->tick, ks_process_node(process), ticked, commits);
}

void ks_commits_begin(ks_commits *commits, ks_generation *generation) {
    ks_assert(commits->generation == NULL);
    ks_generation_enter(generation);
    commits->generation = ks_generation_hold(generation);
    commits->tick_due = commits->ending = commits->final = false;
    if (commits->interval_ns > 0) ks_timer_start_background(kernel_of(commits), &commits->tick, commits->interval_ns);
    look_around(commits);
}

void ks_commits_closing(ks_commits *commits) {
    commits->closing = true;
    if (!ks_timer_is_running(&commits->again)) return;
    ks_timer_stop(&commits->again);
    finished(commits);
}

void ks_commits_end(ks_commits *commits, bool closing) {
    commits->ending = true;
    if (closing) ks_commits_closing(commits);
    look_around(commits);
}

static void stop(ks_commits *commits) {
    ks_timer_stop(&commits->again);
    ks_timer_stop(&commits->tick);
    ks_commit_call_drop(&commits->call);
    if (commits->generation != NULL) ks_generation_release(commits->generation);
    commits->generation = NULL;
    commits->busy = false;
}

void ks_commits_fail(ks_commits *commits, kafka_error error) {
    stop(commits);
    ks_commit_request *requests = commits->current, *queue = commits->queue;
    commits->current = commits->queue = NULL;
    commits->queue_end = &commits->queue;
    commits->queued = 0;
    finish_requests(requests, error);
    finish_requests(queue, error);
}

static void forget(ks_commit_request *requests) {
    for (; requests != NULL; requests = requests->next) requests->done = NULL;
}

void ks_commits_deinit(ks_commits *commits) {
    forget(commits->current);
    forget(commits->queue);
    ks_commits_fail(commits, KAFKA_ERR_CLOSED);
    ks_free(commits->stash.items);
    ks_free(commits->offsets.items);
}
