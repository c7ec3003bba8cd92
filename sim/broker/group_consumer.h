/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of the consumer protocol (KIP-848) as a pure machine, with classic members in their midst. One request,
 * ConsumerGroupHeartbeat, does everything: the coordinator computes a target assignment and walks each member towards
 * it by itself, without a barrier (Kafka's ConsumerGroup, TargetAssignmentBuilder, CurrentAssignmentBuilder).
 *
 *     group epoch       bumped when the assignment must be computed anew
 *     assignment epoch  the group epoch that the target was computed for
 *     member epoch      the assignment epoch that the member has reached: its fencing token
 *
 *     group_consumer.c            the group, its members, its topics      group_consumer_reconcile.c  one member
 * towards its target group_consumer_heartbeat.c  the request, leaving, fencing           group_consumer_classic.c
 * requests of classic members group_consumer_assign.c     epochs and targets group_consumer_convert.c    upgrade,
 * downgrade group_consumer_records.c    what is written and read back
 *
 * Cost: a heartbeat is O(what the member owns). Computing a target is O(members + partitions), once per epoch.
 */
#ifndef KS_GROUP_CONSUMER_H
#define KS_GROUP_CONSUMER_H

#include "sim/broker/assignor.h"
#include "sim/broker/group_records.h"

/* A topic partition as a number: the topic's slot in the group above, the partition's index below. */
typedef uint64_t ks_tp;
#define KS_TP(slot, partition) ((ks_tp)(uint32_t)(slot) << 32 | (uint32_t)(partition))
#define KS_TP_SLOT(tp)         ((int32_t)((tp) >> 32))
#define KS_TP_PARTITION(tp)    ((int32_t)(uint32_t)(tp))
typedef KS_VEC(ks_tp) ks_tps; /* ascending, none twice */

typedef enum ks_consumer_member_state { /* Kafka's MemberState, with its numbers */
                                        KS_MEMBER_STABLE = 1,
                                        KS_MEMBER_UNREVOKED_PARTITIONS = 2,
                                        KS_MEMBER_UNRELEASED_PARTITIONS = 3,
} ks_consumer_member_state;

/* A set of subscribed names, shared by all members with the same one. */
typedef struct ks_consumer_subscription {
    ks_string *names; /* ascending, none twice; in one block with the struct's key */
    int32_t count;
    int32_t members;
    int32_t *indexes; /* into the topics of the assignor's input; of one computation */
    int32_t index_count;
    ks_bytes key; /* owned: the names, each with a NUL */
    UT_hash_handle hh;
} ks_consumer_subscription;

/* A topic with partitions that somebody here has or should have. A topic that is deleted and made again gets another
 * slot. */
typedef struct ks_consumer_topic {
    ks_string name; /* owned; empty: not known any more */
    ks_uuid id;
    int32_t slot, partition_count;
    int32_t *target; /* [partition_count] number of the member that should own it; -1: nobody */
    int32_t
        *holder;   /* [partition_count] number of the member that owns it or has not yet given it up; -1: it is free */
    bool targeted; /* some target is set */
    UT_hash_handle hh;
} ks_consumer_topic;

/* A subscribed name and what the group last saw of it. */
typedef struct ks_consumer_name {
    ks_string name; /* owned */
    int32_t subscribers;
    int32_t slot; /* of the topic; -1: there was none */
    UT_hash_handle hh;
} ks_consumer_name;

typedef struct ks_classic_protocol {
    ks_string name;    /* owned */
    ks_bytes metadata; /* owned */
} ks_classic_protocol;

typedef struct ks_consumer_member { /* begins at a cache line; what each heartbeat looks at comes first */
    UT_hash_handle by_id;
    ks_group *group;

    ks_string id; /* owned */
    int32_t epoch, previous_epoch;
    ks_consumer_member_state state;
    int32_t number; /* for the assignor and in topic tables; reused when the member is gone */
    ks_tps assigned, revoking;

    const ks_tp *target; /* view into the group's list, until the next computation */
    int32_t target_count;
    int32_t assignor; /* index in the settings' list; -1: no preference */
    ks_consumer_subscription *subscription;
    ks_classic_protocol *protocols;
    int32_t protocol_count;
    int32_t rebalance_timeout_ms;
    int32_t rebalance_timer_epoch; /* when the rebalance timer was started */
    int32_t session_timeout_ms;    /* classic: its own */
    bool join_timer;               /* runs */
    bool classic;                  /* speaks the classic protocol */
    ks_string instance_id, rack_id, client_id, client_host; /* owned */
    UT_hash_handle by_instance;
} ks_consumer_member;

struct ks_consumer_group {
    int32_t group_epoch, assignment_epoch;
    const char *told_state;  /* what the trace last heard */
    uint64_t topics_version; /* of the cluster's topics, when they were last compared */
    ks_consumer_member *by_id, *by_instance;
    ks_consumer_member **sorted; /* by id */
    int32_t member_count, sorted_capacity;
    ks_consumer_member **numbers; /* by number; NULL: free, */
    KS_VEC(int32_t) holes;        /* and listed here */
    int32_t number_count, number_capacity;
    int32_t settled;        /* members that are STABLE at the assignment epoch */
    int32_t classics;       /* classic members */
    int32_t preferences[4]; /* members that ask for each assignor */
    ks_consumer_subscription *subscriptions;
    ks_consumer_name *names;
    KS_VEC(ks_consumer_topic *) topics; /* by slot */
    ks_consumer_topic *topics_by_id;
    ks_tp *targets; /* all members' targets, one after the other */
};

/* ---- looking ---- */
bool ks_consumer_group_is_empty(const ks_group *group);
bool ks_consumer_group_has_member(const ks_group *group, ks_string member_id);
bool ks_consumer_group_subscribes(const ks_group *group, ks_string topic);
const char *ks_consumer_group_state_text(const ks_group *group); /* "Reconciling" */
/* "uniform": what most members ask for; the first of group.consumer.assignors, unless more prefer another. */
ks_string ks_consumer_group_assignor(const ks_group *group);
const char *ks_consumer_member_state_text(ks_consumer_member_state state);
ks_consumer_member *ks_consumer_member_find(const ks_group *group, ks_string member_id); /* NULL: none */
const ks_consumer_topic *ks_consumer_topic_of(const ks_group *group, ks_tp tp);
ks_string ks_tps_text(const ks_group *group, const ks_tp *items, int32_t count,
                      ks_arena *arena);                         /* "orders[0,1] payments[2]" */
void ks_consumer_group_check_invariants(const ks_group *group); /* for tests */

/* ---- what the offsets ask ---- */
kafka_error ks_consumer_group_check_fetch(const ks_group *group, ks_string member_id,
                                          int32_t member_epoch); /* section 2.4 */
kafka_error ks_consumer_group_check_commit(const ks_group *group, const ks_group_committer *who);

/* ---- requests of classic members ---- */
void ks_consumer_group_classic_join(ks_group *group, const ks_group_input *in, ks_effects *out);
void ks_consumer_group_classic_sync(ks_group *group, const ks_group_input *in, ks_effects *out);
void ks_consumer_group_classic_heartbeat(ks_group *group, const ks_group_input *in, ks_effects *out);
void ks_consumer_group_classic_leave(ks_group *group, const ks_group_input *in, ks_effects *out);
/* A classic join to an empty consumer group: it becomes a fresh classic group of the same id; offsets stay. */
void ks_consumer_group_replace_by_classic(ks_group *group, int64_t now_ms, ks_effects *out);

/* ---- inputs ---- */
void ks_consumer_group_heartbeat(ks_groups *groups, const ks_group_input *in, ks_effects *out);
void ks_consumer_group_timer_fired(ks_group *group, const ks_group_input *in, ks_effects *out);
void ks_consumer_group_loaded(ks_group *group, ks_effects *out);
void ks_consumer_group_apply(ks_groups *groups, const ks_group_key *key, ks_bytes value, int64_t now_ms,
                             ks_effects *out);

/* ---- life ---- */
void ks_consumer_group_tombstones(const ks_group *group, ks_arena *arena, ks_group_records *records);
void ks_consumer_group_free(ks_group *group); /* its part; harmless when there is none */

#endif
