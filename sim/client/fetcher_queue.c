/* SPDX-License-Identifier: Apache-2.0
 *
 * See fetcher_queue.h.
 */
#include "sim/client/fetcher_queue.h"

#include "sim/client/fetcher.h"

void ks_fetcher_queue_init(ks_fetcher_queue *queue, int32_t capacity, void (*ready)(void *owner), void *owner) {
    ks_assert(capacity > 0);
    *queue = (ks_fetcher_queue){ .capacity = capacity, .ready = ready, .owner = owner };
    queue->ring = ks_alloc((size_t)capacity * sizeof *queue->ring);
    queue->blocked_end = &queue->blocked;
}

void ks_fetcher_queue_deinit(ks_fetcher_queue *queue) {
    ks_assert(queue->blocked == NULL);
    for (ks_fetched *fetched; (fetched = ks_fetcher_queue_peek(queue)) != NULL; ks_fetcher_queue_drop(queue))
        ks_block_release(fetched->block);
    ks_free(queue->ring);
    queue->ring = NULL;
}

void ks_fetcher_queue_drop(ks_fetcher_queue *queue) {
    ks_assert(queue->count > 0);
    if (++queue->first == queue->capacity) queue->first = 0;
    queue->count--;
    ks_fetcher *fetcher = queue->blocked;
    if (fetcher == NULL) return;
    ks_fetcher_queue_unblock(queue, fetcher);
    ks_fetcher_unblocked(fetcher);
}

ks_fetched *ks_fetcher_queue_place(ks_fetcher_queue *queue) {
    if (queue->count == queue->capacity) return NULL;
    int32_t index = queue->first + queue->count;
    return &queue->ring[index < queue->capacity ? index : index - queue->capacity];
}

void ks_fetcher_queue_pushed(ks_fetcher_queue *queue) {
    ks_assert(queue->count < queue->capacity);
    if (queue->count++ == 0 && queue->ready != NULL) queue->ready(queue->owner);
}

void ks_fetcher_queue_block(ks_fetcher_queue *queue, ks_fetcher *fetcher) {
    ks_assert(fetcher->blocked_link == NULL);
    fetcher->blocked_next = NULL;
    fetcher->blocked_link = queue->blocked_end;
    *queue->blocked_end = fetcher;
    queue->blocked_end = &fetcher->blocked_next;
}

void ks_fetcher_queue_unblock(ks_fetcher_queue *queue, ks_fetcher *fetcher) {
    if (fetcher->blocked_link == NULL) return;
    *fetcher->blocked_link = fetcher->blocked_next;
    if (fetcher->blocked_next != NULL)
        fetcher->blocked_next->blocked_link = fetcher->blocked_link;
    else
        queue->blocked_end = fetcher->blocked_link;
    fetcher->blocked_next = NULL;
    fetcher->blocked_link = NULL;
}
