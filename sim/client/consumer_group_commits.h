/* SPDX-License-Identifier: Apache-2.0
 *
 * The commit loop of a reader in a group (kafka-go, reader.go: commitLoopImmediate, commitLoopInterval). It lives as long as a
 * generation; between generations requests wait in its queue and go out under the next generation's id.
 *
 *   immediate   one OffsetCommit a request, in order, three tries, 100 and 400 ms apart
 *   interval    requests are merged, the highest offset of a partition wins, and sent every interval; what failed is kept
 *   at the end of the generation, both: everything that is queued goes out in one request, under the old generation's id
 */
#ifndef KS_CONSUMER_GROUP_COMMITS_H
#define KS_CONSUMER_GROUP_COMMITS_H

#include "sim/client/consumer_group_partitions.h"
#include "sim/client/group_member.h"

typedef struct ks_commit_item {
    ks_read_partition *partition;
    int64_t offset;
} ks_commit_item;

/* What one call asks to be committed. Owned by the loop once queued. */
typedef struct ks_commit_request {
    struct ks_commit_request *next;
    KS_VEC(ks_commit_item) items; /* each partition once */
    uint64_t serial;
    ks_committed_fn *done; /* NULL: nobody waits (any more) */
    void *owner;
} ks_commit_request;

typedef struct ks_commits {
    ks_process *process;
    int64_t interval_ns;       /* 0: immediate */
    int32_t capacity;          /* of the queue */
    void (*room)(void *owner); /* the queue was full and is not any more */
    void *room_owner;
    /* inside */
    ks_generation *generation; /* NULL: there is none; held */
    bool ending, closing, tick_due;
    bool final; /* the last commit of the generation: what fails is given up */
    bool busy;  /* an OffsetCommit or the pause before the next try */
    int32_t tries;
    kafka_error last;
    ks_commit_call call;
    ks_timer again, tick;
    ks_commit_request *queue, **queue_end;
    int32_t queued;
    ks_commit_request *current;          /* immediate: being committed; at the end: all of them */
    KS_VEC(ks_read_partition *) stash;   /* partitions with an offset to commit */
    bool stash_is_new;                   /* since it was last tried */
    KS_VEC(ks_committed_offset) offsets; /* of the request being sent */
    uint64_t serials;
} ks_commits;

void ks_commits_init(ks_commits *commits, ks_process *process, int64_t interval_ns, int32_t capacity,
                     void (*room)(void *owner), void *owner);
void ks_commits_deinit(ks_commits *commits); /* nobody who waits is told */

/* A generation begins: the loop enters it as one of its functions. */
void ks_commits_begin(ks_commits *commits, ks_generation *generation);
/* It has ended: commits what is queued, then leaves it. `closing`: without pauses between tries. */
void ks_commits_end(ks_commits *commits, bool closing);
void ks_commits_closing(ks_commits *commits); /* no more pauses between tries */

ks_commit_request *ks_commits_request(ks_commits *commits); /* an empty one */
void ks_commit_request_add(ks_commit_request *request, ks_read_partition *partition, int64_t offset);
bool ks_commits_is_full(const ks_commits *commits);
/* Takes the request. */
void ks_commits_queue(ks_commits *commits, ks_commit_request *request);
void ks_commit_request_drop(ks_commit_request *request); /* one that was not queued */
/* Interval mode without a request: true when it was merged, false when it has to be queued. */
bool ks_commits_merge(ks_commits *commits, ks_read_partition *partition, int64_t offset);
/* Fails everything that waits: the reader is dead. */
void ks_commits_fail(ks_commits *commits, kafka_error error);

#endif
