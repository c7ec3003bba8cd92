/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetches that wait for data (Kafka's DelayedFetch and its purgatory). A parked fetch hangs on each partition it looks
 * at and on one background timer; while nothing happens it costs nothing. An append looks at the fetches of that
 * partition only. What has become ready is answered by ks_fetch_flush(), after all appends of the same request, as
 * Kafka completes delayed actions at the end of a request.
 */
#ifndef KS_FETCH_WAIT_H
#define KS_FETCH_WAIT_H

#include "sim/broker/cluster.h"

typedef struct ks_fetch ks_fetch;

struct ks_fetch_wait {           /* one partition of a parked fetch */
    ks_fetch_wait *next, **link; /* on the partition */
    ks_fetch *fetch;
    ks_partition *partition;
    int64_t offset, max_bytes;
    int64_t available; /* bytes it adds to the fetch's */
};

struct ks_fetch {
    ks_parked parked; /* first: what request->parked points to */
    ks_broker *broker;
    ks_request *request;
    ks_timer timer;
    ks_fetch *next, **link; /* all parked ones */
    ks_fetch *next_ready;
    const char *reason; /* of being ready: "data", "error", "max_wait"; NULL: not ready */
    int64_t parked_at;  /* ns */
    int64_t min_bytes, available;
    int32_t wait_count;
    ks_fetch_wait waits[];
};

/* Bytes that a fetch from `offset` could get now, at most max_bytes; INT32_MAX when the offset lies in an older segment
 * than the bound, so that waiting would bring no more (LG-26, segment roll). */
int64_t ks_fetch_available(const ks_partition *partition, int64_t offset, int64_t max_bytes);

/* A new parked fetch with room for `count` waits: fill them with ks_fetch_wait_on(), then it waits at most `wait_ms`.
 */
ks_fetch *ks_fetch_park(ks_broker *broker, ks_request *request, int32_t count, int64_t min_bytes, int32_t wait_ms);
void ks_fetch_wait_on(ks_fetch *fetch, ks_partition *partition, int64_t offset, int64_t max_bytes);

/* Data came, the log start or the high watermark moved: which fetches of this partition have enough? O(those fetches).
 */
void ks_fetch_look(ks_partition *partition);
/* The leader moved or the topic goes: all fetches of this partition have something to tell. */
void ks_fetch_fail(ks_partition *partition);
/* Answers what is ready, in the order in which it became so. */
void ks_fetch_flush(ks_cluster *cluster);
/* Forgets the parked fetches of a broker (NULL: all) whose connections are gone. */
void ks_fetch_drop_all(ks_cluster *cluster, const ks_broker *broker);

/* api_01_fetch.c: reads and answers now, whatever there is. Returns the bytes. */
int32_t ks_fetch_answer(ks_broker *broker, ks_request *request);

#endif
