/* SPDX-License-Identifier: Apache-2.0
 *
 * The group coordinator as a pure machine: ks_groups_step(groups, input, effects). It knows no clock, no network and no
 * kernel. An input is a request, a timer that fired, the outcome of an append, or a command; effects are replies to
 * hold or release, timers to start or stop, records to append and events to tell. group_coordinator.c is the shell that
 * performs them.
 *
 * Rules: Kafka's GroupMetadataManager, ClassicGroup (KIP-62, 134, 345, 394, 559, 800, 814) and, in group_consumer.h,
 * ConsumerGroup (KIP-848). Where Kafka walks a hash map the order here is fixed: members ascend by member id,
 * simultaneous replies go out in the order in which their requests came, and "any other member" is the one that joined
 * longest ago.
 *
 * Cost: a message of one member is O(1) (counters, hash tables). O(members) are the ends of phases: starting a
 * rebalance, completing the join phase, storing assignments, unloading.
 */
#ifndef KS_GROUP_MACHINE_H
#define KS_GROUP_MACHINE_H

#include <kafkasim/error.h>

#include "sim/base/hash.h"
#include "sim/protocol/messages.h"

typedef struct ks_groups ks_groups;
typedef struct ks_group ks_group;
typedef struct ks_group_member ks_group_member;
typedef struct ks_group_protocol ks_group_protocol;
typedef struct ks_group_append ks_group_append;
typedef struct ks_group_offsets ks_group_offsets;   /* group_offsets.h */
typedef struct ks_consumer_group ks_consumer_group; /* group_consumer.h */

/* ---- what a broker is configured with ---- */

typedef struct ks_group_settings {
    int32_t initial_rebalance_delay_ms; /* group.initial.rebalance.delay.ms */
    int32_t min_session_timeout_ms, max_session_timeout_ms;
    int32_t max_size;                   /* group.max.size */
    int32_t new_member_join_timeout_ms; /* a constant in Kafka: 300000 */
    int32_t offset_metadata_max_bytes;
    int64_t offsets_retention_ms;
    int32_t consumer_session_timeout_ms, consumer_heartbeat_interval_ms, consumer_max_size;
    bool migration_up, migration_down; /* group.consumer.migration.policy */
    bool consumer_protocol;            /* group.coordinator.rebalance.protocols has consumer */
    ks_string assignors[4];            /* group.consumer.assignors, the default first */
    int32_t assignor_count;
} ks_group_settings;
extern const ks_group_settings ks_group_settings_default; /* Kafka's */

/* ---- a request that waits: its place in the queue of its phase ---- */

typedef struct ks_group_wait {
    struct ks_group_wait *next, *previous; /* in the order in which the requests came */
    ks_group_member *member;
    void *request; /* whom to answer; NULL: nobody listens any more */
    bool waiting;  /* counts as parked even when nobody listens: a coordinator does not notice that */
} ks_group_wait;
typedef struct ks_group_queue {
    ks_group_wait *first, *last;
    int32_t count;
} ks_group_queue;

/* ---- a member of a classic group ---- */

typedef struct ks_member_protocol {
    ks_group_protocol *protocol; /* the group's entry of that name */
    ks_bytes metadata;           /* its bytes lie behind the member's list, in the same block */
} ks_member_protocol;

/* One end of two things that know each other for as long as both are there; zeroed memory is an end without another. */
typedef struct ks_group_link {
    struct ks_group_link *other;
} ks_group_link;
static inline void ks_group_link_cut(ks_group_link *end) {
    if (end->other != NULL) end->other->other = NULL;
    end->other = NULL;
}
static inline void ks_group_link_tie(ks_group_link *one, ks_group_link *two) {
    ks_group_link_cut(one);
    ks_group_link_cut(two);
    one->other = two;
    two->other = one;
}

struct ks_group_member { /* begins at a cache line: members are many, and messages about them come one by one */
    UT_hash_handle by_id;
    ks_group *group;

    ks_string id;            /* its bytes are in `text`, or owned after it was renamed */
    ks_group_link session;   /* to the shell's timer, which it so finds without a search */
    int32_t session_timeout_ms, rebalance_timeout_ms;
    uint32_t pending_sync;   /* the group's sync_round while SyncGroup has not come in it */
    uint32_t assigned_round; /* the assignment counts only in this one of the group's: */
    ks_bytes assignment;     /* owned; never null; read it with ks_group_assignment_of() */
    bool is_new;             /* has not seen its first reply: the session timer may expire it while it is parked */

    int32_t protocol_count;
    ks_member_protocol *protocols; /* owned; in the member's order of preference, no name twice */
    ks_group_protocol *vote; /* as counted; NULL: not counted */
    ks_string instance_id, client_id, client_host; /* their bytes are in `text`; instance_id null: dynamic */
    ks_group_wait join;
    ks_group_member *next, *previous; /* in the order of joining; beside `join`, since who looks at all of them asks who waits */
    ks_group_wait sync;
    UT_hash_handle by_instance;
    char text[];
};

/* A protocol name that some member lists, with the counts that make votes cheap. */
struct ks_group_protocol {
    ks_string name;     /* owned */
    int32_t supporters; /* members that list it */
    int32_t votes;      /* members whose first choice among the candidates it is */
    bool candidate;     /* every member listed it when votes were counted */
    UT_hash_handle hh;
};

typedef struct ks_group_timeout { /* how many members have this rebalance timeout */
    int32_t ms, members;
} ks_group_timeout;

typedef struct ks_group_pending { /* an id handed out with MEMBER_ID_REQUIRED, not used yet */
    ks_string id;                 /* owned */
    UT_hash_handle hh;
} ks_group_pending;

/* ---- a group ---- */

typedef enum ks_group_kind { KS_GROUP_CLASSIC, KS_GROUP_CONSUMER } ks_group_kind;
typedef enum ks_group_state { /* Kafka's ClassicGroupState */
                              KS_GROUP_EMPTY,
                              KS_GROUP_PREPARING_REBALANCE,
                              KS_GROUP_COMPLETING_REBALANCE,
                              KS_GROUP_STABLE,
                              KS_GROUP_DEAD,
} ks_group_state;
enum { KS_GROUP_STATE_COUNT = KS_GROUP_DEAD + 1 };

struct ks_group {
    ks_groups *groups;
    ks_string id; /* owned */
    ks_group_kind kind;
    UT_hash_handle hh;

    /* classic */
    ks_group_state state, previous_state;
    int64_t state_since_ms;
    int32_t generation;
    ks_string protocol_type; /* owned; null: a simple group, nobody ever joined */
    ks_string protocol_name; /* owned; null until a join phase completes, and when Empty */
    ks_group_member *leader; /* NULL: none */
    ks_group_member *members_by_id, *members_by_instance;
    ks_group_member *first_member, *last_member;
    int32_t member_count;
    ks_group_member **sorted; /* members by id; valid while sorted_valid */
    bool sorted_valid;
    ks_group_protocol *protocols;
    bool votes_stale; /* the candidates changed: count again before the next vote */
    ks_group_pending *pending;
    KS_VEC(ks_group_timeout) timeouts; /* one entry for each that somebody has: mostly one */
    ks_group_queue joins, syncs;
    uint32_t sync_round, assignment_round; /* from 1; a new one forgets who is awaited, or what all members were given */
    int32_t pending_sync_count;
    bool new_member_added;        /* extends the initial delay */
    int32_t initial_delay_ms;     /* of the round that runs now */
    int32_t initial_remaining_ms; /* that may still be spent on such rounds */
    bool join_is_initial;         /* what the join timer means when it fires */
    int32_t sync_timer_generation;

    ks_consumer_group *consumer; /* KIP-848; NULL for a classic group */
    ks_group_offsets *offsets;   /* NULL: none were ever committed */
    ks_group_append *appends;    /* in flight */
    void *shell;                 /* group_coordinator.c's: timers of this group */
};

/* What the member was given last, unless that was taken back. */
static inline ks_bytes ks_group_assignment_of(const ks_group_member *member) {
    return member->assigned_round == member->group->assignment_round ? member->assignment : (ks_bytes){ NULL, 0 };
}

struct ks_groups {
    ks_group *by_id;
    ks_group_settings settings;
    int32_t count;
    ks_group *recent; /* the one found last: many requests in a row are about it; NULL when that is gone */
    uint64_t walked;  /* members met in walks over all members of a group. No single member's message may cause one: a test counts. */
};

/* ---- inputs ---- */

typedef enum ks_group_timer {
    KS_GROUP_TIMER_SESSION,          /* a member's or a pending id's */
    KS_GROUP_TIMER_JOIN,             /* the group's join phase */
    KS_GROUP_TIMER_SYNC,             /* the group's sync phase */
    KS_GROUP_TIMER_CONSUMER_SESSION, /* KIP-848: a member's session */
    KS_GROUP_TIMER_REBALANCE,        /* KIP-848: a member's revocation */
    KS_GROUP_TIMER_MEMBER_JOIN,      /* a classic member of a consumer group must rejoin */
    KS_GROUP_TIMER_MEMBER_SYNC,      /* ... must sync */
} ks_group_timer;
enum { KS_GROUP_TIMER_COUNT = KS_GROUP_TIMER_MEMBER_SYNC + 1 };

typedef enum ks_group_input_kind {
    KS_GROUP_JOIN,
    KS_GROUP_SYNC,
    KS_GROUP_HEARTBEAT,
    KS_GROUP_LEAVE,
    KS_GROUP_CONSUMER_HEARTBEAT,
    KS_GROUP_TIMER_FIRED,
    KS_GROUP_APPENDED, /* an append succeeded or failed */
    KS_GROUP_LOADED,   /* everything of a group was applied: arm timers */
    KS_GROUP_UNLOAD,   /* the partition moved away: Dead, parked requests get NOT_COORDINATOR */
} ks_group_input_kind;

/* Topics as a KIP-848 group needs to see them. */
typedef struct ks_group_topics {
    void *context;
    uint64_t version; /* another one, never 0, whenever a topic or its partitions have changed */
    int32_t (*partition_count)(void *context, ks_string topic, ks_uuid *id); /* 0: no such topic */
} ks_group_topics;

typedef struct ks_group_input {
    ks_group_input_kind kind;
    int64_t now_ms;
    ks_string group_id;
    void *request; /* of JOIN .. CONSUMER_HEARTBEAT: what replies and waits name; never NULL there */
    int16_t version;
    ks_string client_id;
    ks_string client_host;   /* of JOIN and CONSUMER_HEARTBEAT */
    ks_string new_member_id; /* of JOIN and CONSUMER_HEARTBEAT without a member id: the id to give */
    const ks_group_topics *topics;
    union {
        const ks_join_group_request *join;
        const ks_sync_group_request *sync;
        const ks_heartbeat_request *heartbeat;
        const ks_leave_group_request *leave; /* v0-2's member as one entry */
        const ks_consumer_group_heartbeat_request *consumer_heartbeat;
        struct {
            ks_group_timer kind;
            ks_string member_id; /* empty for JOIN and SYNC */
        } timer;
        struct {
            ks_group_append *append;
            kafka_error error;
        } appended;
    };
} ks_group_input;

/* ---- effects ---- */

typedef enum ks_effect_kind {
    KS_EFFECT_REPLY,
    KS_EFFECT_HOLD,        /* `wait` holds the request of this input back */
    KS_EFFECT_ORPHAN,      /* a held request that will never be answered; its place was taken or its member left */
    KS_EFFECT_TIMER_START, /* restarts a running one */
    KS_EFFECT_TIMER_STOP,
    KS_EFFECT_SESSIONS_START, /* the same for the session timers of several members, in this order, each with its own timeout */
    KS_EFFECT_APPEND,
    KS_EFFECT_EVENT,
    KS_EFFECT_RELOAD,     /* forget the group and read it back from the log: a write of KIP-848 has failed */
    KS_EFFECT_GROUP_GONE, /* the group dies with ks_effects_reset(): forget its timers */
} ks_effect_kind;

typedef struct ks_leave_result {
    ks_string member_id, instance_id;
    kafka_error error;
} ks_leave_result;

typedef struct ks_group_reply { /* as the end of a phase makes one for each member, it is kept small */
    void *request;
    int16_t api_key;
    bool with_members, skip_assignment; /* JoinGroup */
    kafka_error error;
    int32_t generation; /* JoinGroup; ConsumerGroupHeartbeat: the epoch */
    ks_string member_id;
    union { /* by api_key */
        struct {
            ks_string protocol_type, protocol_name; /* JoinGroup, SyncGroup */
            union {
                ks_string leader;    /* JoinGroup */
                ks_bytes assignment; /* SyncGroup */
            };
        };
        struct { /* LeaveGroup */
            const ks_leave_result *left;
            int32_t left_count;
        };
        struct { /* ConsumerGroupHeartbeat */
            ks_consumer_group_heartbeat_response_assignment *partitions; /* NULL: unchanged */
            ks_string message;
        };
    };
} ks_group_reply;

typedef struct ks_group_record {
    ks_bytes key, value; /* value null: a tombstone */
} ks_group_record;

typedef struct ks_effect {
    ks_effect_kind kind;
    ks_group *group; /* NULL: there is none of that id */
    union {
        ks_group_reply reply;
        ks_group_wait *wait; /* HOLD */
        void *orphan;
        struct {
            ks_group_timer kind;
            ks_string member_id;
            int64_t delay_ms;
            ks_group_member *member; /* whose session it is; NULL: not known, or another timer */
        } timer;
        struct {
            ks_group_member *const *members;
            int32_t count;
        } sessions;
        struct {
            ks_group_append *append; /* hand it back with KS_GROUP_APPENDED */
            const ks_group_record *records;
            int32_t count;
            bool gates; /* replies that follow in this list go out when it is written, or become its error */
        } append;
        struct {
            const ks_struct *kind;
            const void *fields;
            bool is_cause; /* the effects that follow in this step come from it */
        } event;
    };
} ks_effect;

/* A list of effects, in the order to perform them. Everything in it is valid until ks_effects_reset(). */
typedef struct ks_effects {
    KS_VEC(ks_effect) list;
    ks_arena *scratch;
    bool progress;                 /* something other than a periodic renewal happened */
    bool no_events;                /* do not build events (nobody would see them) */
    ks_group_member *dead_members; /* freed by reset: views into them may be in the list */
    ks_group *dead_groups;
} ks_effects;
void ks_effects_init(ks_effects *effects);
void ks_effects_reset(ks_effects *effects);
void ks_effects_deinit(ks_effects *effects);

/* ---- the machine ---- */

void ks_groups_init(ks_groups *groups, const ks_group_settings *settings);
void ks_groups_deinit(ks_groups *groups); /* shells must have let go of all groups */
void ks_groups_step(ks_groups *groups, const ks_group_input *in, ks_effects *out);

ks_group *ks_groups_find(ks_groups *groups, ks_string id); /* NULL: none */
/* May an offset be committed (section 2.2)? On KAFKA_OK the member's session timer is started again; a group that does
 * not exist is made when a simple consumer commits. Part of the machine: pure, effects into `out`. */
typedef struct ks_group_committer {
    ks_string group_id, member_id, instance_id;
    int32_t generation;
    int16_t version;
    bool transactional;
} ks_group_committer;
kafka_error ks_groups_check_commit(ks_groups *groups, const ks_group_committer *who, int64_t now_ms, ks_effects *out);
kafka_error ks_groups_check_delete(ks_groups *groups, ks_string group_id);
/* The group goes away with its offsets, once ks_group_tombstones() are written. reason: for the trace, static. */
void ks_groups_remove(ks_groups *groups, ks_string group_id, const char *reason, ks_effects *out);
/* A parked request's connection ended. */
static inline void ks_group_wait_unheard(ks_group_wait *wait) { wait->request = NULL; }

/* ---- looking ---- */

const char *ks_group_state_name(ks_group_state state);  /* "PreparingRebalance" */
const char *ks_group_state_text(const ks_group *group); /* of either kind: "Stable", "Reconciling" */
ks_group_member *ks_group_member_find(const ks_group *group, ks_string member_id); /* NULL: none */
ks_group_member *const *
ks_group_members_sorted(ks_group *group); /* member_count of them, ascending ids; view until the next step */
ks_bytes ks_group_member_metadata(const ks_group_member *member); /* under the group's protocol; null bytes: none */
int32_t ks_group_rebalance_timeout_ms(const ks_group *group);
/* Recounts everything that is kept as a counter and checks what must always hold. O(members squared) at worst: for
 * tests. */
void ks_group_check_invariants(const ks_group *group);

#endif
