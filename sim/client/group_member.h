/* SPDX-License-Identifier: Apache-2.0
 *
 * A member of a consumer group as kafka-go has it (consumergroup.go): a loop of rounds, each of which connects to the
 * coordinator, joins, synchronises, reads committed offsets, lives through one generation and begins anew. Eager: with each
 * generation everything is given up. The member id alone survives from round to round.
 *
 *     CONNECTING -> JOINING -> (leader: ASKING_PARTITIONS) -> SYNCING -> FETCHING_OFFSETS -> OFFERING -> LIVING -> ENDING
 *         ^            |                                                                                             |
 *         |            +-- any step fails --> LEAVING -> REPORTING -> BACKING_OFF --+                                |
 *         +-------------------------------------------------------------------------+--------------------------------+
 *
 * What is forgotten on which error:
 *     connecting failed                        the id is kept for LeaveGroup, then forgotten
 *     JoinGroup failed                         the id is forgotten without LeaveGroup: the old member lingers in the group
 *     REBALANCE_IN_PROGRESS of a later step    nothing; reported, then the next round begins at once
 *     any other error of a later step          LeaveGroup over a new connection, then forgotten; next round after a backoff
 *     a generation ended (also by an error of its heartbeat)   nothing; next round at once, not reported
 */
#ifndef KS_GROUP_MEMBER_H
#define KS_GROUP_MEMBER_H

#include <kafkasim/group_balancer.h>

#include "sim/client/conn_coordinator.h"

typedef struct ks_membership ks_membership;
typedef struct ks_generation ks_generation;

typedef struct ks_membership_settings {
    ks_process *process;
    ks_seeds seeds;
    ks_string group;
    ks_string *topics; /* NUL-terminated; they outlive every generation */
    int32_t topic_count;
    kafka_group_balancer *balancers;
    int32_t balancer_count;
    int64_t heartbeat_ns, session_ns, rebalance_ns, backoff_ns, watch_ns, timeout_ns, dial_timeout_ns;
    int64_t retention_ms; /* -1: the broker's */
    int64_t start_offset; /* -2, -1 */
    bool watch_partitions;
} ks_membership_settings;

/* ---- a generation ---- */

typedef struct ks_assigned_partition {
    ks_string topic; /* one of the settings' */
    int32_t partition;
    int64_t offset; /* committed, or start_offset */
} ks_assigned_partition;

typedef struct ks_committed_offset {
    ks_string topic;
    int32_t partition;
    int64_t offset; /* the next to read */
} ks_committed_offset;

typedef void ks_committed_fn(void *owner, kafka_error error);
typedef struct ks_commit_call {          /* one OffsetCommit under way; the caller's, zeroed; lives until the answer */
    struct ks_commit_call *next, **link; /* of one generation */
    ks_generation *generation;
    ks_call *call;
    ks_timer refused; /* the generation's connection is gone: said at this instant */
    ks_committed_fn *done;
    void *owner;
} ks_commit_call;

int32_t ks_generation_id(const ks_generation *generation);
ks_string ks_generation_member_id(const ks_generation *generation);
int32_t ks_generation_assigned(const ks_generation *generation, const ks_assigned_partition **partitions);
bool ks_generation_has_ended(const ks_generation *generation);
/* Who wants to know of its end (one listener): called once, at that instant, before the member goes on. */
void ks_generation_listen(ks_generation *generation, void (*ended)(void *owner), void *owner);
/* kafka-go's Generation.Start: a function of the application's has started; when it returns the generation ends, and the member
 * goes on when all have returned. */
void ks_generation_enter(ks_generation *generation);
void ks_generation_leave(ks_generation *generation);
/* OffsetCommit v2 under this generation's id. `offsets` of one topic stand together. `done` comes exactly once, never from inside
 * this call: KAFKA_OK, the first code of a partition, GENERATION_ENDED when its connection is gone, or ks_channel_send's. */
void ks_generation_commit(ks_generation *generation, ks_commit_call *call, const ks_committed_offset *offsets,
                          int32_t count, ks_committed_fn *done, void *owner);
void ks_commit_call_drop(ks_commit_call *call); /* no answer will come; harmless when none is awaited */
ks_generation *ks_generation_hold(ks_generation *generation);
void ks_generation_release(ks_generation *generation); /* NULL is allowed */

/* ---- a member ---- */

typedef struct ks_membership_events {
    /* What ks_membership_next asked for: a generation (hold it), or why a round failed and in which step ("JoinGroup"). */
    void (*generation)(void *owner, ks_generation *generation);
    void (*failed)(void *owner, kafka_error error, const char *step);
    void (*closed)(void *owner); /* ks_membership_close is through */
} ks_membership_events;

/* Starts joining in the background. `settings` and `events` are kept. */
ks_membership *ks_membership_new(const ks_membership_settings *settings, const ks_membership_events *events,
                                 void *owner);
/* Asks for one result of the loop, which waits for this before it goes on. It may come at once. */
void ks_membership_next(ks_membership *member);
void ks_membership_do_not_wait(ks_membership *member); /* takes the question back */
/* Ends the generation, waits for its functions, leaves the group; then `closed`, never from inside this call. */
void ks_membership_close(ks_membership *member);
/* At once, without a word to anybody. A generation that is held elsewhere ends. */
void ks_membership_free(ks_membership *member);

#endif
