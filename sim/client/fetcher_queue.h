/* SPDX-License-Identifier: Apache-2.0
 *
 * The one queue of decoded records that all fetchers of a reader push into (kafka-go, Reader.msgs, a channel of QueueCapacity).
 * When it is full, fetchers wait in the order in which they found it so; each record taken lets the first of them push one
 * more and go to the end of the line, as goroutines that block on a channel do. Memory: the ring, once; records are views that
 * hold a reference on their block.
 */
#ifndef KS_FETCHER_QUEUE_H
#define KS_FETCHER_QUEUE_H

#include "sim/client/process.h"
#include "sim/protocol/record_batch.h"

typedef struct ks_fetcher ks_fetcher;

/* One entry: a record, or (error set) what a fetcher has to say. */
typedef struct ks_fetched {
    ks_record record;
    ks_block *block;        /* one reference; NULL for errors */
    int64_t high_watermark; /* of the fetch answer */
    uint64_t version;       /* of the set of fetchers that pushed it */
    void *source;           /* the partition, as its fetcher's owner knows it */
    kafka_error error;
} ks_fetched;

typedef struct ks_fetcher_queue {
    ks_fetched *ring;
    int32_t capacity, first, count;
    ks_fetcher *blocked, **blocked_end;
    void (*ready)(void *owner); /* it was empty and is not any more */
    void *owner;
} ks_fetcher_queue;

void ks_fetcher_queue_init(ks_fetcher_queue *queue, int32_t capacity, void (*ready)(void *owner), void *owner);
void ks_fetcher_queue_deinit(ks_fetcher_queue *queue); /* no fetcher may be blocked in it */
/* The oldest entry, in place; NULL: empty. Copy what is needed, then drop it. O(1). */
static inline ks_fetched *ks_fetcher_queue_peek(ks_fetcher_queue *queue) {
    return queue->count > 0 ? &queue->ring[queue->first] : NULL;
}
/* Removes the oldest entry; its block reference has been taken over by the caller. Lets a blocked fetcher go on. */
void ks_fetcher_queue_drop(ks_fetcher_queue *queue);

/* ---- for fetchers ---- */

/* A free place at the end, to be filled before ks_fetcher_queue_pushed; NULL: full. */
ks_fetched *ks_fetcher_queue_place(ks_fetcher_queue *queue);
void ks_fetcher_queue_pushed(ks_fetcher_queue *queue);
void ks_fetcher_queue_block(ks_fetcher_queue *queue, ks_fetcher *fetcher); /* to the end of the line */
void ks_fetcher_queue_unblock(ks_fetcher_queue *queue, ks_fetcher *fetcher);

#endif
