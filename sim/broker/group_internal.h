/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the group machine share among themselves; nobody else includes it.
 *
 *     group_step.c       which input goes where             group_join.c   JoinGroup
 *     group_state.c      groups, states, effects            group_sync.c   SyncGroup, the leader's assignment
 *     group_member.c     members, queues, votes             group_leave.c  LeaveGroup
 *     group_rebalance.c  phases and their timers            group_check.c  identity, Heartbeat, may this commit?
 */
#ifndef KS_GROUP_INTERNAL_H
#define KS_GROUP_INTERNAL_H

#include "sim/broker/group_machine.h"

/* Why something happened, for the trace: the rule (an enum in words), who is to blame, and what that client said
 * (KIP-800). */
typedef struct ks_group_why {
    const char *reason; /* "member_joined", ... static */
    ks_string member_id;
    ks_string client_reason; /* null: none given */
} ks_group_why;

/* ---- group_state.c ---- */
ks_group *ks_group_new(ks_groups *groups, ks_string id, int64_t now_ms);
void ks_group_unlink(ks_group *group, ks_effects *out); /* out of the table; dies with the effects */
void ks_group_become(ks_group *group, ks_group_state state, int64_t now_ms, const ks_group_why *why, ks_effects *out);
void ks_string_replace(ks_string *owned, ks_string with);
void ks_bytes_replace(ks_bytes *owned, ks_bytes with);

/* ---- effects: one line each to say them ---- */
ks_effect *ks_effect_add(ks_effects *out, ks_group *group, ks_effect_kind kind); /* the caller sets all fields that the kind has */
ks_group_reply *ks_effect_reply(ks_effects *out, ks_group *group, void *request, int16_t api_key, kafka_error error);
void ks_effect_timer_start(ks_effects *out, ks_group *group, ks_group_timer timer, ks_string member_id,
                           int64_t delay_ms);
void ks_effect_timer_stop(ks_effects *out, ks_group *group, ks_group_timer timer, ks_string member_id);
ks_group_append *ks_effect_append(ks_effects *out, ks_group *group, const ks_group_record *records, int32_t count);

/* ---- group_member.c ---- */
typedef struct ks_member_spec { /* borrowed */
    ks_string id, instance_id, client_id, client_host;
    int32_t session_timeout_ms, rebalance_timeout_ms;
    const ks_join_group_request_protocol *protocols;
    int32_t protocol_count;
    ks_string protocol_type;
    ks_bytes assignment;
} ks_member_spec;
ks_group_member *ks_group_member_add(ks_group *group, const ks_member_spec *spec);
void ks_group_member_update(ks_group_member *member, const ks_member_spec *spec); /* protocols and timeouts */
void ks_group_member_rename(ks_group_member *member, ks_string id);
/* Its parked join must have been answered; a parked sync is orphaned. A new leader is found. */
void ks_group_member_remove(ks_group_member *member, ks_effects *out);
void ks_group_member_free(ks_group_member *member);
ks_group_member *ks_group_static_find(const ks_group *group, ks_string instance_id);
bool ks_group_member_matches(const ks_group_member *member, const ks_join_group_request_protocol *protocols,
                             int32_t count);
ks_group_pending *ks_group_pending_find(const ks_group *group, ks_string id);
void ks_group_pending_add(ks_group *group, ks_string id);
void ks_group_pending_remove(ks_group *group, ks_group_pending *pending);
int32_t ks_group_pending_count(const ks_group *group);
bool ks_group_all_joined(const ks_group *group);
bool ks_group_supports(const ks_group *group, ks_string type, const ks_join_group_request_protocol *protocols,
                       int32_t count);
ks_string ks_group_vote(ks_group *group); /* section 1.11; there are members */
void ks_group_votes_free(ks_group *group);
void ks_group_pending_sync_set(ks_group_member *member, bool pending);
static inline bool ks_group_sync_is_pending(const ks_group_member *member) {
    return member->pending_sync == member->group->sync_round;
}
/* Said before every walk over all members. */
static inline void ks_group_walks(const ks_group *group) { group->groups->walked += (uint64_t)group->member_count; }

void ks_group_wait_park(ks_group_queue *queue, ks_group_wait *wait, void *request, ks_group *group, ks_effects *out);
void *ks_group_wait_release(ks_group_queue *queue,
                            ks_group_wait *wait); /* the request to answer; NULL: nobody listens */

/* ---- group_rebalance.c ---- */
void ks_group_rebalance(ks_group *group, int64_t now_ms, const ks_group_why *why,
                        ks_effects *out); /* from Empty, Completing or Stable */
void ks_group_rebalance_or_complete(ks_group *group, int64_t now_ms, const ks_group_why *why, ks_effects *out);
void ks_group_maybe_complete_join(ks_group *group, int64_t now_ms, ks_effects *out); /* not in the initial delay */
void ks_group_join_timer_fired(ks_group *group, int64_t now_ms, ks_effects *out);
void ks_group_sync_timer_fired(ks_group *group, int64_t now_ms, ks_effects *out);
void ks_group_session_timer_fired(ks_group *group, ks_string member_id, int64_t now_ms, ks_effects *out);
void ks_group_session_restart(ks_group_member *member, ks_effects *out);
void ks_group_sessions_restart(ks_group *group, ks_group_member *const *members, int32_t count, ks_effects *out);
void ks_group_unload(ks_group *group, int64_t now_ms, ks_effects *out);
void ks_group_loaded(ks_group *group, int64_t now_ms, ks_effects *out);

/* ---- group_join.c ---- */
void ks_group_join(ks_groups *groups, const ks_group_input *in, ks_effects *out);
void ks_group_reply_join(ks_group_member *member, void *request, ks_effects *out); /* the current generation */
void ks_group_refuse_join(ks_group *group, void *request, kafka_error error, ks_string member_id, ks_effects *out);
void ks_group_static_replaced(ks_group *group, ks_group_append *append, kafka_error error, ks_effects *out);

/* ---- group_sync.c ---- */
void ks_group_sync(ks_groups *groups, const ks_group_input *in, ks_effects *out);
void ks_group_answer_syncs(ks_group *group, kafka_error error, ks_effects *out); /* all parked ones */
void ks_group_clear_assignments(ks_group *group);
void ks_group_assignment_appended(ks_group *group, ks_group_append *append, kafka_error error, int64_t now_ms,
                                  ks_effects *out);

/* ---- group_leave.c, group_check.c ---- */
void ks_group_leave(ks_groups *groups, const ks_group_input *in, ks_effects *out);
void ks_group_heartbeat(ks_groups *groups, const ks_group_input *in, ks_effects *out);
/* Section 1.9: 25 or 82; *member is set on KAFKA_OK. The second one is for who has looked for the member already (NULL: there is none). */
kafka_error ks_group_identify(const ks_group *group, ks_string member_id, ks_string instance_id,
                              ks_group_member **member);
kafka_error ks_group_check_identity(const ks_group *group, ks_string member_id, ks_string instance_id, const ks_group_member *found);

/* ---- appends in flight ---- */
typedef enum ks_group_append_kind {
    KS_APPEND_CREATED,    /* an empty group */
    KS_APPEND_EMPTIED,    /* the last member left */
    KS_APPEND_ASSIGNMENT, /* what the leader decided */
    KS_APPEND_REPLACED,   /* a static member's new id */
    KS_APPEND_CONSUMER,   /* a step of KIP-848 */
    KS_APPEND_PLAIN,      /* nothing waits for it */
} ks_group_append_kind;
typedef struct ks_proposed_assignment {
    ks_string member_id;
    ks_bytes assignment;
} ks_proposed_assignment;
struct ks_group_append {
    ks_group_append *next, *previous;
    ks_group *group;
    ks_group_append_kind kind;
    int32_t generation;
    ks_proposed_assignment *proposed; /* ASSIGNMENT: one block with all its bytes */
    int32_t proposed_count;
    ks_string member_id;                /* CREATED, REPLACED: whose join it is; owned */
    ks_string former_id, former_leader; /* REPLACED; owned */
    struct ks_member_copy *former;      /* REPLACED: what to go back to */
    int16_t version;
    void *request; /* CREATED: of a join that is parked, or was answered already (NULL) */
};
void ks_group_append_free(ks_group_append *append);

kafka_error ks_group_append_error(kafka_error error); /* section 1.13: what clients are told of a failed append */
#endif
