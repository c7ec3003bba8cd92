/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the group member know of each other: group_member.c (the loop), group_member_join.c (one round's
 * requests), group_member_assign.c (the leader's work), group_member_generation.c (heartbeat, watchers, commits).
 */
#ifndef KS_GROUP_MEMBER_INTERNAL_H
#define KS_GROUP_MEMBER_INTERNAL_H

#include "sim/client/group_member.h"
#include "sim/protocol/consumer_protocol.h"

typedef enum ks_member_state {
    KS_MEMBER_CONNECTING,
    KS_MEMBER_JOINING,
    KS_MEMBER_ASKING_PARTITIONS,
    KS_MEMBER_SYNCING,
    KS_MEMBER_FETCHING_OFFSETS,
    KS_MEMBER_OFFERING,
    KS_MEMBER_LIVING,
    KS_MEMBER_ENDING,
    KS_MEMBER_LEAVING,
    KS_MEMBER_REPORTING,
    KS_MEMBER_BACKING_OFF,
    KS_MEMBER_CLOSED,
    KS_MEMBER_STATE_COUNT
} ks_member_state;

struct ks_membership {
    const ks_membership_settings *settings;
    const ks_membership_events *events;
    void *owner;
    ks_member_state state;
    bool wanted, closing;
    ks_string member_id; /* owned; empty: none */
    ks_coordinator_dial dial;
    ks_channel *channel; /* to the coordinator, of this round or of LeaveGroup */
    ks_ask ask;
    ks_call *call;
    ks_timer timer;    /* backoff; also says `closed` */
    kafka_error error; /* to be reported */
    const char *failed_step;
    int64_t backoff_until;
    int64_t round_began; /* when the last round did */
    /* of this round */
    ks_arena *round;
    ks_envelope *joined; /* the answer to JoinGroup, kept while the leader works */
    int32_t generation_id;
    ks_string protocol; /* in `round` */
    bool leader;
    ks_assignment assignment;  /* in `round` */
    ks_generation *generation; /* OFFERING, LIVING, ENDING */
};

typedef struct ks_partition_watch {
    ks_generation *generation;
    ks_string topic;
    int32_t partitions; /* -1: not known yet */
    bool busy, due;
    ks_ask ask;
    ks_timer timer;
} ks_partition_watch;

struct ks_generation {
    int32_t references;
    int32_t running;       /* functions that have not returned: heartbeat, watchers, the application's */
    ks_membership *member; /* NULL: the member has gone on */
    ks_process *process;
    ks_arena *arena;
    ks_commit_call *commits; /* under way */
    ks_string group, member_id;
    int32_t id;
    ks_assigned_partition *assigned;
    int32_t assigned_count;
    bool ended;
    void (*on_end)(void *owner);
    void *on_end_owner;
    ks_call *heartbeat;
    bool heartbeat_due, heartbeat_over;
    ks_timer heartbeat_timer;
    ks_partition_watch *watches;
    int32_t watch_count;
};

/* ---- group_member.c ---- */
void ks_member_become(ks_membership *member, ks_member_state state);
/* A step failed: `keep_id` says whether the id may still be used to leave. */
void ks_member_failed(ks_membership *member, kafka_error error, const char *step);
void ks_member_forget_id(ks_membership *member);
void ks_member_offer(ks_membership *member);           /* the generation is ready */
void ks_member_generation_over(ks_membership *member); /* it ended and all its functions have returned */
void ks_member_hang_up(ks_membership *member);
ks_kernel *ks_member_kernel(const ks_membership *member);

/* ---- group_member_join.c ---- */
void ks_member_join(ks_membership *member); /* over the new channel; ends in ks_member_offer or ks_member_failed */
void ks_member_sync(ks_membership *member, const ks_sync_group_request_assignment *assignments, int32_t count);

/* ---- group_member_assign.c ---- */
void ks_member_assign(ks_membership *member); /* the leader's: ends in ks_member_sync or ks_member_failed */

/* ---- group_member_generation.c ---- */
ks_generation *ks_generation_new(ks_membership *member, ks_assigned_partition *assigned, int32_t count); /* starts it */
void ks_generation_end(ks_generation *generation, ks_string reason); /* no effect when it has ended */
void ks_generation_detach(ks_generation *generation);                /* the member goes on, or dies: no more requests */

/* ---- group_member_commit.c ---- */
void ks_generation_refuse_commits(ks_generation *generation); /* those under way: their connection is about to go */

#endif
