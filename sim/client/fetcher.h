/* SPDX-License-Identifier: Apache-2.0
 *
 * The fetcher of one partition (kafka-go, reader.go, type reader): its own connection to the leader, one Fetch at a time from
 * the next offset on, every record pushed into the reader's queue.
 *
 *     DIALING -> RANGE (4 ListOffsets) -> FETCHING -> DELIVERING -> FETCHING ...
 *         ^            |                     |             |
 *         +-- PAUSED --+---------------------+-------------+         (backoff; see fetcher.c for what leads where)
 *
 * An idle fetch (empty answer, next request) is background work.
 */
#ifndef KS_FETCHER_H
#define KS_FETCHER_H

#include "sim/client/conn_leader.h"
#include "sim/client/fetcher_queue.h"

#define KS_OFFSET_FIRST INT64_C(-2)
#define KS_OFFSET_LAST  INT64_C(-1)

/* What the fetchers of one reader have in common. */
typedef struct ks_fetcher_settings {
    ks_process *process;
    ks_seeds seeds;
    int32_t min_bytes, max_bytes;
    int64_t max_wait_ns, backoff_min_ns, backoff_max_ns, dial_timeout_ns;
    int32_t max_attempts;
    int8_t isolation_level; /* 1: read committed */
    bool out_of_range_error, uninterruptible;
    ks_string group; /* for the trace; null: none */
} ks_fetcher_settings;

typedef enum ks_fetcher_state {
    KS_FETCHER_PAUSED, /* a timer decides when it goes on */
    KS_FETCHER_DIALING,
    KS_FETCHER_RANGE, /* reads earliest and end offset: at the start twice, after OFFSET_OUT_OF_RANGE once */
    KS_FETCHER_FETCHING,
    KS_FETCHER_DELIVERING, /* pushes records or an error; may be blocked by the queue */
    KS_FETCHER_STOPPED,
} ks_fetcher_state;

/* Where it goes on after a pause or after an error was delivered. */
typedef enum ks_fetcher_then { KS_THEN_DIAL, KS_THEN_FETCH, KS_THEN_STOP } ks_fetcher_then;

struct ks_fetcher {
    const ks_fetcher_settings *settings;
    ks_fetcher_queue *queue;
    ks_string topic; /* kept */
    int32_t partition;
    uint64_t version; /* of its entries in the queue */
    void *source;     /* of its entries in the queue */
    void (*trouble)(void *owner, const ks_fetcher *fetcher,
                    kafka_error error);                /* it cannot get going; KAFKA_OK: it does now */
    void (*stopped)(void *owner, ks_fetcher *fetcher); /* ks_fetcher_stop said false: now it is over */
    void *owner;
    /* inside */
    ks_fetcher_state state;
    ks_fetcher_then then;
    int64_t offset;  /* the next one wanted; -2, -1 before the first range is known */
    int32_t attempt; /* failures to get going */
    int32_t errors;  /* failures of fetches in a row */
    bool idle, stopping;
    bool began; /* a fetch was answered */
    int64_t sent_at, sent_offset; /* of the last fetch */
    kafka_error to_deliver;
    ks_leader_dial dial;
    ks_channel *channel;
    ks_ask fetch;
    ks_call *list_offsets;
    int32_t range_step; /* 0, 2: earliest; 1, 3: end */
    int64_t range[2];
    ks_timer timer;
    ks_envelope *response; /* being delivered */
    ks_record_iterator records;
    ks_block *block; /* that the uncompressed records lie in */
    int64_t high_watermark;
    int64_t batch_end; /* where to go on when the current batch has been delivered */
    bool batch_hidden; /* the current batch is not for the application */
    KS_VEC(ks_fetch_response_aborted_transaction) aborted; /* of the answer, by first offset; those still to come */
    int32_t aborted_next;
    KS_VEC(int64_t) aborted_producers;        /* whose transaction at this point of the log was aborted */
    ks_fetcher *blocked_next, **blocked_link; /* the queue's */
    ks_fetcher *next;                         /* free for its owner */
};

/* Set the fields before "inside", then start at `offset` (KS_OFFSET_FIRST, KS_OFFSET_LAST, or a number). Owned by the caller. */
void ks_fetcher_start(ks_fetcher *fetcher, int64_t offset);
/* Breaks off whatever it does. False: a fetch is under way and `uninterruptible` is set; `stopped` will come, at most max_wait
 * later. Nothing is pushed from now on. */
bool ks_fetcher_stop(ks_fetcher *fetcher);
void ks_fetcher_abort(ks_fetcher *fetcher);     /* at once, without a `stopped`: its owner dies */
void ks_fetcher_unblocked(ks_fetcher *fetcher); /* by the queue: there is one free place */

/* ---- fetcher_records.c: the records of one answer ---- */

/* Takes `response` (kept by ks_call_keep) with the partition's part of it. */
void ks_fetcher_open_records(ks_fetcher *fetcher, ks_envelope *response, const ks_fetch_response_partition_data *data);
/* Stands at a batch of which something is left for the application? Moves fetcher->offset over what is not. */
bool ks_fetcher_more_records(ks_fetcher *fetcher);
/* The next record into `fetched`; false: the rest of the batch was below the wanted offset, or records.failed. */
bool ks_fetcher_next_record(ks_fetcher *fetcher, ks_fetched *fetched);
void ks_fetcher_close_records(ks_fetcher *fetcher); /* harmless when none are open */

#endif
