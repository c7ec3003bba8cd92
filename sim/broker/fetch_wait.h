/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetches that wait for data (Kafka's DelayedFetch and its purgatory). What a fetch looks at is a set of parts, one per partition:
 * a request's own, or that of a fetch session (fetch_session.h), which stays from request to request. While a fetch waits its
 * parts hang on their partitions, and it costs nothing but one background timer. An append looks at what hangs on that partition
 * only. What has become ready is answered by ks_fetch_flush(), after all appends of the same request, as Kafka completes delayed
 * actions at the end of a request.
 */
#ifndef KS_FETCH_WAIT_H
#define KS_FETCH_WAIT_H

#include "sim/broker/cluster.h"

typedef struct ks_fetch ks_fetch;
typedef struct ks_fetch_set ks_fetch_set;
typedef struct ks_fetch_session ks_fetch_session;

struct ks_fetch_part { /* one partition that is fetched: Kafka's CachedPartition */
    ks_fetch_part *next, **link; /* on the partition; link NULL: it does not hang there */
    ks_fetch_set *set;
    ks_partition *partition; /* NULL: it is unknown, or was lost sight of since the last answer */
    int64_t offset;
    int64_t available; /* bytes that could be read now */
    int64_t told_high_watermark, told_log_start; /* by the last answer; -1: none yet, or an error */
    int32_t max_bytes, leader_epoch, last_fetched_epoch;
    ks_uuid topic_id; /* as it was asked for: by id, */
    int32_t index;
    ks_string topic; /* or by name (below version 13) */
    bool unknown;    /* when the fetch that waits came, this did not exist */
    bool named;      /* its id had a name: should the topic go, it is the name that is unknown */
    ks_fetch_part *after, **place; /* in the set */
};

struct ks_fetch_set {
    ks_fetch *fetch; /* the parked one; NULL: nobody waits */
    ks_fetch_part *first, **last;
    int32_t count, hanging; /* parts; those that hang on their partitions */
    int64_t available;
    bool quiet; /* all hang, there is nothing to tell of any, and nothing has happened to any since the last answer */
    int64_t from;        /* the offset at, */
    ks_partition *known; /* and the first one that was found when it was looked at last; valid while a fetch waits or the set is quiet */
};

struct ks_fetch {
    ks_parked parked; /* first: what request->parked points to */
    ks_broker *broker;
    ks_request *request;
    ks_fetch_set *set;
    ks_fetch_session *session; /* NULL: the set is this request's own, in the same memory */
    ks_timer timer;
    ks_fetch *next, **link; /* all parked ones; link NULL: it is not parked */
    ks_fetch *next_ready;
    const char *reason; /* of being ready: "data", "error", "max_wait"; NULL: not ready */
    int64_t parked_at;  /* ns; -1: it did not wait */
    int64_t min_bytes;
};

/* ---- parts ---- */

void ks_fetch_set_init(ks_fetch_set *set);
void ks_fetch_part_ask(ks_fetch_part *part, const ks_fetch_request_partition *asked); /* from where, how much */
void ks_fetch_part_append(ks_fetch_set *set, ks_fetch_part *part); /* as the last one */
void ks_fetch_part_remove(ks_fetch_part *part);                    /* from its partition and its set */
void ks_fetch_part_hang(ks_fetch_part *part);                      /* on its partition; harmless when it does */
void ks_fetch_part_unhang(ks_fetch_part *part);
/* Bytes that a fetch from `offset` could get now, at most max_bytes; INT32_MAX when the offset lies in an older segment
 * than the bound, so that waiting would bring no more (LG-26, segment roll). */
int64_t ks_fetch_available(const ks_partition *partition, int64_t offset, int64_t max_bytes);

/* ---- waiting ---- */

/* A fetch with a set of `count` parts to append (all in one memory, freed by ks_fetch_end()). */
ks_fetch *ks_fetch_new(ks_broker *broker, ks_request *request, int32_t count, ks_fetch_part **parts);
void ks_fetch_park(ks_fetch *fetch, int32_t wait_ms); /* all parts hang whose partitions exist */
void ks_fetch_end(ks_fetch *fetch);                   /* it was answered, or nobody wants an answer */
/* Data came, the log start or the high watermark moved: which fetches of this partition have enough? O(what hangs there). */
void ks_fetch_look(ks_partition *partition);
/* The leader moved or the topic goes: all fetches of this partition have something to tell. Nothing hangs on it any more. */
void ks_fetch_fail(ks_partition *partition);
/* Answers what is ready, in the order in which it became so. */
void ks_fetch_flush(ks_cluster *cluster);
/* Forgets the parked fetches of a broker (NULL: all) whose connections are gone. */
void ks_fetch_drop_all(ks_cluster *cluster, const ks_broker *broker);
/* Another request came for the session whose fetch is parked: this one is over (INVALID_FETCH_SESSION_EPOCH). */
void ks_fetch_overtake(ks_fetch *fetch);

/* ---- api_01_fetch.c ---- */

int32_t ks_fetch_answer(ks_fetch *fetch); /* reads and answers now, whatever there is; the request is gone then. Returns the bytes */
void ks_fetch_refuse(ks_request *request, kafka_error error);
void ks_fetch_tell_completed(const ks_fetch *fetch, ks_string client, int32_t bytes, const char *reason);

#endif
