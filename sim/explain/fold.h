/* SPDX-License-Identifier: Apache-2.0
 *
 * The state of the cluster after a step, as the trace alone tells it. Stepping forward applies events; stepping back starts
 * from the keyframe before (one every KS_FOLD_KEYFRAME steps), so that it is exact and costs the same anywhere. A run with so many
 * partitions and groups that its keyframes would take more than KS_FOLD_KEPT_MAX bytes has fewer of them, farther apart.
 */
#ifndef KS_FOLD_H
#define KS_FOLD_H

#include "sim/explain/story.h"

enum { KS_FOLD_KEYFRAME = 256, KS_FOLD_KEPT_MAX = 64 << 20 };

typedef struct ks_fold_partition { /* of a topic that is not internal */
    ks_string topic;
    int32_t partition;
    int64_t start, end;
    int32_t leader; /* broker id; -1 none; 0 not known */
    bool exists;
} ks_fold_partition;

typedef struct ks_fold_share { /* one partition in one group */
    int32_t owner;             /* index of a client; -1: nobody */
    int64_t committed, position; /* -1: none */
} ks_fold_share;

typedef struct ks_fold_group {
    ks_string name, state;
    ks_string coordinator;     /* the broker that changed its state last; null: none yet */
    int32_t generation;
    bool exists;
    ks_fold_share *shares; /* one for each partition of the run */
} ks_fold_group;

typedef enum ks_fold_life { KS_FOLD_NOT_YET, KS_FOLD_UP, KS_FOLD_PAUSED, KS_FOLD_DOWN } ks_fold_life;
typedef struct ks_fold_node { /* a broker or a client process of the run; brokers first, by number, and up from the start */
    ks_string name;
    ks_fold_life life;
    bool broker;
} ks_fold_node;

typedef struct ks_fold {
    const ks_story *story;
    int32_t at; /* index of the step that is applied last; -1: before the first */
    ks_fold_partition *partitions;
    int32_t partition_count;
    ks_fold_group *groups;
    int32_t group_count;
    ks_string *clients;
    int32_t client_count;
    ks_fold_node *nodes;
    int32_t node_count;
    void *internal;
} ks_fold;

ks_fold *ks_fold_new(const ks_story *story); /* kept: the story outlives it. O(events) */
void ks_fold_free(ks_fold *fold);
/* The state after step `index` and everything that came of it before the next one. At most as many steps of work as lie between two
 * keyframes, and the copy of one. */
void ks_fold_seek(ks_fold *fold, int32_t index);
/* What its keyframes take, in bytes: at most KS_FOLD_KEPT_MAX, unless the first alone is larger. */
size_t ks_fold_kept(const ks_fold *fold);

#endif
