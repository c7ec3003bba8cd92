/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the coordinator's shell share. */
#ifndef KS_GROUP_SHELL_H
#define KS_GROUP_SHELL_H

#include "sim/broker/group_coordinator.h"

typedef struct ks_group_shell ks_group_shell;

/* A running timer of a group. */
typedef struct ks_shell_timer {
    ks_timer timer; /* at the beginning of a cache line: it is started again by each heartbeat */
    ks_group_link member; /* whose session it is */
    ks_group_shell *shell;
    ks_group_timer kind;
    ks_string member_id; /* owned */
    UT_hash_handle hh;
} ks_shell_timer;

/* A request that is held back for the machine; what request->parked points to. */
typedef struct ks_shell_held {
    ks_parked parked;
    ks_group_wait *wait;
    ks_request *request;
    struct ks_shell_held *next, *previous; /* of the group; next of those to use again */
} ks_shell_held;

typedef struct ks_gated {
    ks_parked parked;    /* first member */
    ks_request *request; /* NULL: its connection ended */
    ks_envelope *response;
} ks_gated;

/* An append that the machine, or a handler, waits for. */
typedef struct ks_shell_append {
    ks_append append;
    ks_timer timeout;
    ks_parked parked; /* of the handler's request */
    ks_group_coordinator *coordinator;
    struct ks_shell_append *next, *previous; /* of the coordinator */
    int32_t partition;
    bool finished; /* waits in line for its turn */
    kafka_error error;
    ks_group_append *token;        /* the machine's; NULL: a handler's */
    ks_group_write write;          /* a handler's */
    KS_VEC(struct ks_gated) gated; /* replies of the same step, ready to go when it is written */
    ks_group_record *records; /* a handler's: in the response's arena, */
    ks_arena *arena;          /* or without a response in this one, which may be the write's */
} ks_shell_append;

struct ks_group_shell { /* group->shell */
    ks_group_coordinator *coordinator;
    ks_group *group;
    ks_shell_timer *timers[KS_GROUP_TIMER_COUNT]; /* by member id */
    ks_shell_held *held;
};

struct ks_group_coordinator { /* of one broker */
    ks_group_coordinators *all;
    ks_broker *broker;
    bool started; /* at its first use: the rest is nothing before */
    ks_groups groups;
    ks_effects out;
    bool running;
    ks_shell_append *gate; /* while effects are performed: replies wait for it */
    bool finishing;
    KS_VEC(ks_string) reload; /* groups to read back */
    ks_shell_append *appends;
    ks_shell_append *spare_append; /* to use again: mostly a write is over before the next one begins */
    ks_shell_held *spare_held;     /* to use again */
};

struct ks_group_coordinators {
    ks_cluster *cluster;
    ks_cluster_watch watch;
    ks_topic *topic; /* __consumer_offsets */
    int32_t partitions;
    uint8_t *loading;      /* [partitions] its leader is reading it */
    ks_timer *load_timers; /* [partitions] made at the first load */
    int32_t loading_count;
    int64_t load_ns;
    uint64_t members;        /* member ids given so far */
    uint64_t topics_version; /* counts what happened to topics */
    ks_batch_builder builder;
    ks_arena *spare; /* ks_group_arena_take(); NULL: in use, or none was needed yet */
    ks_timer expiry_timer; /* runs while there are groups */
    int32_t broker_count;
    ks_group_coordinator each[]; /* by broker id - 1 */
};

ks_group_coordinators *ks_group_coordinators_of(const ks_cluster *cluster);
ks_group_coordinator *ks_group_coordinator_get(ks_broker *broker); /* started if need be */
void ks_group_coordinator_stop(
    ks_group_coordinator *coordinator); /* answers nobody: the process died, or the cluster ends */
void ks_group_coordinator_step(ks_group_coordinator *coordinator, const ks_group_input *in);
ks_group_shell *ks_group_shell_of(ks_group_coordinator *coordinator, ks_group *group);
void ks_group_shell_free(ks_group *group);
void ks_shell_append_free(ks_shell_append *append);
void ks_shell_held_free(ks_shell_held *held);

void ks_shell_write_done(ks_group_coordinator *coordinator, ks_group_write *write); /* calls `done` and answers */

/* ---- group_load.c ---- */
void ks_group_reload(ks_group_coordinator *coordinator, ks_string group_id);
void ks_group_load_init(ks_group_coordinators *all);
/* ---- group_replies.c ---- */
ks_envelope *ks_group_make_reply(const ks_effect *effect);
/* ---- group_expiry.c ---- */
void ks_group_expiry_init(ks_group_coordinators *all);
void ks_group_expiry_expect(
    ks_group_coordinators *all); /* there are groups: their offsets, or they themselves, may have to go one day */
void ks_group_topic_deleted(ks_group_coordinators *all, const ks_topic *topic);

#endif
