/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the Java consumer share. One struct, one file per actor or question:
 *
 *   java_poll.c        what one poll does, in order          java_assignment.c  assigned partitions and their positions
 *   java_rebalance.c   the application's side of a rebalance java_fetch.c       fetch requests, one per broker
 *   java_join.c        JoinGroup, SyncGroup, the leader      java_fetch_session.c  what a broker knows of them
 *   java_heartbeat.c   heartbeats, leaving, poll time-out    java_drain.c       records out of what was fetched
 *   java_coordinator.c finding the coordinator               java_positions.c   where to start: committed, or reset
 *   java_consumer.c    life                                  java_op.c          an operation on offsets, from question to answer
 *   java_close.c       closing and unsubscribing             java_offsets.c     commits, and what was committed
 *   java_modern*.c     KIP-848 membership                    java_lookup.c      what leaders are asked
 *   java_obstacle.c    what a long call waits for, in words
 */
#ifndef KS_JAVA_INTERNAL_H
#define KS_JAVA_INTERNAL_H

#include "sim/base/hash.h"
#include "sim/client/java_consumer.h"
#include "sim/client/java_metadata.h"
#include "sim/protocol/events.h"

/* ---- assigned partitions ---- */

typedef struct ks_java_key {
    int32_t topic, partition; /* topic: index of the name in this consumer's book */
} ks_java_key;

typedef struct ks_java_name { /* the book of topic names: grows only */
    ks_string name;
    int32_t index;
    int32_t first, count;    /* its partitions among the assigned ones, */
    uint64_t assignment;     /* as of this assignment; else there are none */
    ks_java_topic *known;    /* of the metadata, */
    uint64_t known_version;  /* as of this answer */
    UT_hash_handle hh;
} ks_java_name;

typedef enum ks_fetch_state {
    KS_FETCH_INITIALIZING, /* no position: the committed one must be asked for (or, without a group, the reset policy) */
    KS_FETCH_AWAIT_RESET,  /* ListOffsets must say */
    KS_FETCH_AWAIT_VALIDATION, /* has a committed position with a leader epoch: OffsetForLeaderEpoch must agree (KIP-320) */
    KS_FETCH_FETCHING      /* has a position */
} ks_fetch_state;

typedef enum ks_reset_reason {
    KS_RESET_NO_COMMITTED_OFFSET, KS_RESET_SET_OFFSET, KS_RESET_LOG_TRUNCATED, KS_RESET_OUT_OF_RANGE
} ks_reset_reason;

enum { KS_LEADER_UNKNOWN = -2 }; /* nobody has looked yet; -1: none */

/* One line of the processor's cache: a thousand consumers have ten each. */
typedef struct ks_java_partition {
    ks_java_key key;
    int64_t position;        /* -1: none yet */
    int64_t high_watermark;  /* -1: unknown */
    uint64_t serial;         /* of this assignment of it: answers to older questions do not count */
    uint64_t lookup_serial;  /* of the question for its position that is under way */
    int64_t retry_at;        /* of that, ns */
    int32_t position_epoch;
    int32_t leader;          /* as of the consumer's leaders_version */
    int32_t wanted_by;       /* while fetches are made up: the broker of the one it goes into; else -1 */
    ks_fetch_state state : 3;
    ks_offset_reset reset : 3; /* AWAIT_RESET, */
    ks_reset_reason reason : 3; /* and why, for the trace */
    bool paused : 1;
    bool pending_revocation : 1; /* EAGER, between join prepare and revoked: neither fetched nor delivered */
    bool awaiting_callback : 1;  /* KIP-848: not before `assigned` has returned */
    bool looking_up : 1;         /* a request for its position is under way */
    bool buffered : 1;           /* fetched data waits: no new fetch */
} ks_java_partition;
_Static_assert(sizeof(ks_java_partition) <= 64, "one line of the cache");

/* A response that several partitions' buffered data point into. */
typedef struct ks_java_response {
    ks_envelope *envelope;
    int32_t references;
} ks_java_response;

typedef struct ks_java_fetched { /* one partition's part of a fetch answer: CompletedFetch */
    struct ks_java_fetched *next;
    ks_java_key key;
    ks_java_response *response;
    const ks_fetch_response_partition_data *data;
    int64_t fetch_offset; /* what was asked for */
    int64_t next_offset;  /* the first record not delivered yet */
    bool begun, has_record;
    ks_record_iterator records;
    ks_record record;     /* the next one, when has_record */
    ks_block *raw;        /* of uncompressed batches */
    int32_t aborted_next; /* read_committed */
    KS_VEC(int64_t) aborted;
    int32_t last_epoch;
} ks_java_fetched;

typedef enum ks_java_asked_change { KS_ASKED_BEFORE, KS_ASKED_ADDED, KS_ASKED_ALTERED } ks_java_asked_change;

typedef struct ks_java_asked { /* a partition as the broker was asked for it last */
    ks_java_key key;
    int64_t offset;
    uint64_t serial; /* the partition's then */
    ks_java_partition *partition; /* valid as long as the assignment stays */
    int64_t high_watermark;       /* told by the last answer that spoke of it; -1 */
    int32_t leader_epoch;
    ks_java_asked_change change; /* by the request under way */
    ks_uuid topic_id;
} ks_java_asked;

typedef struct ks_java_fetch { /* what is fetched from one broker, request after request */
    struct ks_java_fetch *next;
    ks_consumer *consumer;
    int32_t node;
    bool under_way;    /* a request is */
    bool buffered;     /* records of a partition that is fetched from it lie here: it is not asked */
    bool regained;     /* some partition was given up and given again since the last request */
    bool changed;      /* the request under way names partitions */
    bool by_name;      /* it cannot name topics by id: the metadata lacks one */
    int32_t session_id, session_epoch; /* of the request under way, or of the next one; see java_fetch_session.c */
    uint64_t assignment; /* the consumer's when the last one was sent, */
    uint64_t changes;  /* as is this, */
    uint64_t metadata; /* and the metadata's version */
    KS_VEC(ks_java_asked) asked, forgotten; /* forgotten: by the request under way */
    KS_VEC(ks_java_partition *) wanted;     /* what the next one asks for, while it is made up */
} ks_java_fetch;

/* ---- offsets ---- */

typedef enum ks_op_kind { KS_OP_COMMIT, KS_OP_FETCH, KS_OP_LIST, KS_OP_VALIDATE } ks_op_kind;

typedef struct ks_java_offset {
    ks_java_key key;
    int64_t offset;
    int32_t leader_epoch;
    kafka_error error;     /* of answers */
} ks_java_offset;

typedef void ks_op_done_fn(ks_offset_op *op, kafka_error error); /* `op` dies afterwards */

struct ks_offset_op {
    ks_offset_op *next, **link;
    ks_consumer *consumer;
    ks_op_done_fn *done;
    int64_t deadline;      /* ns; 0: one attempt */
    ks_op_kind kind;
    int32_t count, capacity; /* of offsets */
    int32_t generation;    /* sent with */
    bool in_flight;        /* its answer will come */
    bool waits_for_coordinator;
    bool retries_stale;    /* KIP-848: tries again with the new epoch; others fail */
    int32_t attempts;      /* that failed, */
    kafka_error refused;   /* the last of them with this */
    int32_t parts;         /* LIST, VALIDATE: requests under way */
    ks_timer timer;        /* backoff or deadline */
    ks_arena *arena;       /* ks_java_op_arena(); NULL: nothing was needed yet */
    ks_string *metadata;   /* COMMIT, FETCH: by offset; NULL: all are "" */
    int64_t *times;        /* LIST: by offset; asked for, then of the record found, ms */
    uint64_t *serials;     /* LIST, VALIDATE: by offset; of the partition's lookup */
    bool *settled;         /* LIST, VALIDATE: by offset; answered for good */
    kafka_error part_error;
    bool *finished;        /* set when it ends, for who just made it */
    ks_offsets_fn *application; /* NULL: it is the consumer's own */
    void *owner;
    ks_java_offset offsets[];
};

/* ---- the rebalance as the application sees it ---- */

typedef enum ks_stage {
    KS_STAGE_IDLE,
    KS_STAGE_COMMITTING,   /* join prepare: auto-commit under way */
    KS_STAGE_LETTING_GO,   /* join prepare: revoked or lost is with the application */
    KS_STAGE_READY,        /* JoinGroup may be sent */
    KS_STAGE_JOINING,      /* JoinGroup, then SyncGroup, under way */
    KS_STAGE_SYNCED,       /* the assignment is here */
    KS_STAGE_REVOKING,     /* COOPERATIVE: revoked(owned - new) is with the application */
    KS_STAGE_TAKING_OVER,  /* that is done */
    KS_STAGE_ASSIGNING,    /* assigned is with the application */
    KS_STAGE_LEAVING       /* closing: LeaveGroup was sent */
} ks_stage;

typedef enum ks_closing {
    KS_CLOSING_NOT, KS_CLOSING_COMMIT, KS_CLOSING_CALLBACK, KS_CLOSING_CALLED, KS_CLOSING_LEAVE, KS_CLOSING_FETCHES,
    KS_CLOSING_DONE
} ks_closing;

typedef struct ks_java_modern ks_java_modern; /* java_modern.c */

/* A thousand consumers are in no cache: what one look, one answer or one heartbeat touches stands together, and first. */
struct ks_consumer {
    ks_process *process;
    ks_kernel *kernel;
    ks_node *node;
    ks_java_network *network;
    ks_java_metadata *metadata;
    ks_member_state state;
    ks_stage stage;
    ks_closing closing;
    bool dead, polling;
    bool stepping, again;           /* again: something changed while stepping */
    bool replying, wake_pending;    /* an answer is being worked off; look when that is done */
    bool has_result;                /* what a look found, for the application */
    bool callback_out;

    KS_VEC(ks_java_partition) partitions; /* assigned; by topic (its text), then number */
    uint64_t assignment;            /* counts them */
    uint64_t fetch_changes;         /* counts what may change which partitions are fetched, and from where */
    ks_java_fetch *fetches;         /* one per broker */
    ks_java_fetched *fetched;
    int32_t fetches_under_way;
    int32_t coordinator;            /* broker id; -1: unknown */
    int32_t generation;             /* -1: none */
    enum { KS_MODE_NONE, KS_MODE_SUBSCRIBED, KS_MODE_ASSIGNED } mode; /* what to read */

    ks_string group_id, instance_id; /* null: none */
    ks_string member_id;            /* owned; "" none */
    bool rejoin_needed, leader, prepared; /* prepared: join prepare was done for this attempt */
    bool join_here;                 /* join_response or join_error */
    bool has_joined_subscription;
    bool let_go_of_all;             /* join prepare: not only what is no longer subscribed */
    bool heartbeat_in_flight;
    bool coordinator_lookup;
    bool positions_missing;         /* some partition may need one: look */
    bool validate_after_fetch;      /* committed offsets came that their leaders have to agree to: those are asked behind the next fetch */
    bool only_position;             /* ks_consumer_step_position */
    bool unsubscribing, unsubscribe_called; /* called: the callback is with the application */
    bool left;                      /* LeaveGroup was answered, or none was needed */
    bool fetches_quiet, fetches_buffered; /* buffered: some fetch is */
    bool fetch_ahead;               /* records were taken: the next fetch leaves when the poll ends, while they are processed */

    int64_t next_heartbeat, session_deadline, poll_deadline;
    int64_t next_auto_commit;
    ks_offset_op *auto_commit;      /* under way */
    ks_offset_op *prepare_commit;   /* join prepare: under way */
    ks_offset_op *committed_lookup; /* under way */
    ks_java_modern *modern;         /* group.protocol=consumer */

    KS_VEC(ks_string) subscription; /* sorted set; owned */
    KS_VEC(ks_string) joined_subscription; /* owned; what the last JoinGroup said */
    uint64_t leaders_version;       /* of the metadata that the partitions' leaders are known from */
    uint64_t quiet_changes, quiet_version; /* fetch_changes and metadata when everything that may be fetched was; see java_fetch.c */
    uint64_t serial;
    ks_envelope *join_response;     /* waits for a poll */
    kafka_error join_error;         /* of a join that got no answer; waits for a poll */
    int32_t heartbeat_generation;   /* the one under way was sent with */

    kafka_error fatal;              /* poll fails with it from now on */
    kafka_error error;              /* poll fails with it once */
    ks_poll_result result;
    kafka_error callback_error;
    ks_consumer_events events;
    ks_java_name *names, *last_name; /* last: that a number was asked for */
    KS_VEC(ks_java_name *) name_list;
    ks_offset_op *ops, **ops_end;
    ks_offset_op *spare_op;         /* the last one that ended, for the next one; NULL: none */
    uint64_t committed_serial;

    ks_string protocol_name;        /* owned; of the generation */
    ks_string rejoin_reason;        /* owned */
    uint64_t join_serial;           /* answers to older joins do not count */
    int64_t join_not_before;        /* backoff */
    int32_t join_failures, heartbeat_failures;
    int32_t joins_under_way, syncs_under_way;
    ks_bytes assignment_bytes;      /* owned; of the last SyncGroup */
    const ks_topic_partitions *assigned; /* the new assignment, in callback_arena */
    int32_t assigned_count;
    int32_t stable_generation;      /* last one, as assignors remember it */

    ks_arena *callback_arena;
    const ks_topic_partitions *callback_topics; /* in callback_arena, topics of the book */
    int32_t callback_topic_count;
    ks_rebalance_event callback_event;
    ks_arena *assignment_arena;     /* of ks_consumer_assignment */
    KS_VEC(ks_topic_partitions) assignment_view;

    ks_timer heartbeat_timer;
    ks_timer fetch_timer;           /* fetches are sent from a background event */
    ks_timer step_timer;            /* something changed while polling: look again */
    ks_timer wake_timer;            /* a retry, or the auto-commit, is due while polling */

    ks_java_config config;

    /* seldom */
    ks_string client_id, rack;      /* null: none */
    ks_java_key wanted_position;
    kafka_error last_error;         /* poll failed with it */
    ks_process_watch watch;
    KS_VEC(ks_string) watched;      /* leader: all members' topics; owned */
    int32_t coordinator_failures;
    int64_t coordinator_retry_at;
    ks_timer coordinator_timer;
    ks_arena *sticky_arena;         /* what the sticky assignor remembers, as its user data says it */
    ks_topic_partitions *sticky_owned;
    int32_t sticky_owned_count, sticky_generation;
    ks_envelope *leader_response;   /* the leader waits for metadata of the group's topics, */
    uint64_t leader_version;        /* newer than this */
    uint64_t snapshot;              /* leader: hash of the metadata that was assigned; 0: none */
    uint64_t snapshot_version;      /* metadata it was last compared with */
    int32_t assignor_generation_max[4]; /* the sticky assignors' memory, by index in ks_assignor_at */
    ks_java_fetch **fetches_end;
    ks_java_fetched **fetched_end;
    int32_t take_left;              /* of max.poll.records */
    struct { ks_java_key key; int64_t first, last; int32_t count; } run; /* delivered in a row, for the trace */
    int32_t fetches_closing;        /* goodbyes to fetch sessions that are not answered yet */
    int64_t close_deadline;
    kafka_error close_error;        /* of its commit */
    ks_offset_op *close_commit;
    ks_timer close_timer;
    char *detail;                   /* of the error, in words; NULL: there was none */
};

static inline bool ks_java_is_sticky(const ks_java_assignor *assignor) { return assignor->own && assignor->own->assign == ks_assign_sticky; }
static inline int64_t ks_java_now(const ks_consumer *c) { return ks_now(c->kernel); }
static inline ks_string ks_java_key_topic(const ks_consumer *c, ks_java_key key) { return c->name_list.items[key.topic]->name; }
static inline ks_string ks_java_topic_of(const ks_consumer *c, const ks_java_partition *partition) { return ks_java_key_topic(c, partition->key); }

#define KS_EACH_PARTITION(p, c) \
    for (ks_java_partition *p = (c)->partitions.items; p && p != (c)->partitions.items + (c)->partitions.count; p++)

/* Asks for the partitions, while what leads to them is still worked on: they lie apart. */
static inline void ks_java_fetch_partitions_ahead(const ks_consumer *c) {
    ks_prefetch(c->partitions.items, c->partitions.capacity < 16 ? c->partitions.capacity : 16);
}

/* ---- java_poll.c ---- */
void ks_java_step_fired(ks_timer *timer);
void ks_java_step_now(ks_consumer *c);
void ks_java_wake(ks_consumer *c);                        /* the poll should look again */
void ks_java_wake_at(ks_consumer *c, int64_t time);       /* while polling, at the latest then */
void ks_java_fail(ks_consumer *c, kafka_error error);     /* the next poll throws it */
void ks_java_fail_with(ks_consumer *c, kafka_error error, const char *format, ...) __attribute__((format(printf, 3, 4)));
void ks_java_fail_for_good(ks_consumer *c, kafka_error error);

/* ---- java_assignment.c ---- */
int32_t ks_java_name_index(ks_consumer *c, ks_string name);
ks_java_name *ks_java_name_find(const ks_consumer *c, ks_string name); /* NULL: not in the book */
ks_java_partition *ks_java_partition_find(const ks_consumer *c, ks_java_key key);
ks_java_partition *ks_java_partition_named(const ks_consumer *c, ks_string topic, int32_t partition);
bool ks_java_partition_is_fetchable(const ks_java_partition *partition); /* and not paused */
/* The assignment becomes exactly these (ascending); partitions that stay keep everything. */
void ks_java_set_assignment(ks_consumer *c, const ks_topic_partitions *topics, int32_t count);
int32_t ks_java_partition_count(const ks_consumer *c);
/* Its leader as the metadata has it, -1: none. Cheap while the metadata stays. */
int32_t ks_java_partition_leader(ks_consumer *c, ks_java_partition *partition);
const ks_java_topic *ks_java_partition_topic(ks_consumer *c, const ks_java_partition *partition); /* as the metadata has it; NULL */
bool ks_java_subscribed_to(const ks_consumer *c, ks_string topic);
void ks_java_assignment_deinit(ks_consumer *c);
/* Sorted by topic, then number: themselves, when they are in order already, as nearly always; else in `arena`. */
const ks_topic_partitions *ks_java_sorted(const ks_topic_partitions *topics, int32_t count, ks_arena *arena, int32_t *out_count);
/* The same, always in `arena`; texts of topics are not copied. */
ks_topic_partitions *ks_java_sorted_copy(const ks_topic_partitions *topics, int32_t count, ks_arena *arena, int32_t *out_count);
bool ks_topic_partitions_has(const ks_topic_partitions *topics, int32_t count, ks_string topic, int32_t partition);
/* `topics` without what `minus` has; both sorted. */
ks_topic_partitions *ks_java_minus(const ks_topic_partitions *topics, int32_t count, const ks_topic_partitions *minus,
                                   int32_t minus_count, ks_arena *arena, int32_t *out_count);

/* ---- java_coordinator.c ---- */
bool ks_java_coordinator_known(ks_consumer *c); /* false: and it is being looked for */
void ks_java_coordinator_lost(ks_consumer *c);
static inline int32_t ks_java_coordinator_node(const ks_consumer *c) { return KS_JAVA_COORDINATOR_BASE - c->coordinator; }
void ks_java_coordinator_timer(ks_timer *timer);

/* ---- java_rebalance.c: KS_POLL_WAITING means "nothing for the application, go on" ---- */
ks_poll_result ks_java_rebalance_step(ks_consumer *c);
void ks_java_rebalance_callback_done(ks_consumer *c);
ks_poll_result ks_java_call_back(ks_consumer *c, ks_rebalance_event event, const ks_topic_partitions *topics, int32_t count);
void ks_java_rebalance_reset(ks_consumer *c);   /* unsubscribe, close: whatever was going on is over */
bool ks_java_rebalance_in_progress(const ks_consumer *c);
bool ks_java_generation_is_reset(const ks_consumer *c);
bool ks_java_subscription_differs(const ks_consumer *c); /* from what the last JoinGroup said */

/* ---- java_join.c ---- */
void ks_java_send_join(ks_consumer *c);
void ks_java_join_answered(ks_consumer *c);      /* works the stashed answer off */
void ks_java_leader_metadata(ks_consumer *c);    /* new metadata: the leader may have waited for it */
uint64_t ks_java_metadata_snapshot(ks_consumer *c); /* of the group's topics: a hash of what assignors see; never 0 */
void ks_java_request_rejoin(ks_consumer *c, const char *reason);
void ks_java_set_member_id(ks_consumer *c, ks_string id);
void ks_java_reset_generation(ks_consumer *c, bool keep_member_id, const char *reason);
void ks_java_watch_topics(ks_consumer *c, const ks_string *topics, int32_t count);

/* ---- java_heartbeat.c ---- */
void ks_java_heartbeat_fired(ks_timer *timer);
void ks_java_heartbeat_enable(ks_consumer *c);
void ks_java_heartbeat_polled(ks_consumer *c);   /* a poll began */
void ks_java_heartbeat_schedule(ks_consumer *c);
void ks_java_leave(ks_consumer *c, const char *reason, ks_reply_fn *reply, void *owner); /* dynamic members only; resets */
bool ks_java_would_leave(const ks_consumer *c);

/* ---- java_positions.c ---- */
void ks_java_update_positions(ks_consumer *c);
void ks_java_offset_out_of_range(ks_consumer *c, ks_java_partition *partition, int64_t offset);

/* ---- java_op.c ---- */
ks_offset_op *ks_java_op_new(ks_consumer *c, ks_op_kind kind, int32_t capacity, int64_t timeout_ns, ks_op_done_fn *done);
void ks_java_op_add(ks_offset_op *op, ks_java_key key, int64_t offset, int32_t leader_epoch);
void ks_java_op_set_metadata(ks_offset_op *op, int32_t i, ks_string metadata);
ks_offset_op *ks_java_op_commit_all(ks_consumer *c, int64_t timeout_ns, ks_op_done_fn *done); /* of all that was consumed */
void ks_java_op_want_topics(ks_offset_op *op); /* once all are added: leaders may be asked about topics that are not subscribed to */
ks_java_offset *ks_java_op_find(ks_offset_op *op, ks_string topic, int32_t partition, int32_t *hint); /* hint: begins with 0; O(1) in order */
static inline ks_string ks_java_op_topic(const ks_offset_op *op, int32_t i) { return ks_java_key_topic(op->consumer, op->offsets[i].key); }
static inline bool ks_java_op_same_topic(const ks_offset_op *op, int32_t i) { return op->offsets[i].key.topic == op->offsets[i - 1].key.topic; }
static inline bool ks_java_op_asks_leaders(const ks_offset_op *op) { return op->kind == KS_OP_LIST || op->kind == KS_OP_VALIDATE; }
ks_arena *ks_java_op_arena(ks_offset_op *op); /* dies with it */
void ks_java_op_watch_deadline(ks_offset_op *op); /* an attempt has begun: it may take until then */
void ks_java_op_finish(ks_offset_op *op, kafka_error error);
void ks_java_op_retry(ks_offset_op *op, kafka_error error); /* later if it may, else finishes with the error */
void ks_java_ops_coordinator_found(ks_consumer *c, kafka_error error);
void ks_java_ops_metadata(ks_consumer *c);
void ks_java_ops_free(ks_consumer *c);

/* ---- java_offsets.c, java_lookup.c ---- */
void ks_java_op_go(ks_offset_op *op);
void ks_java_op_ask_leaders(ks_offset_op *op);
void ks_java_auto_commit(ks_consumer *c);
void ks_java_auto_commit_restart(ks_consumer *c);

/* ---- java_fetch_session.c ---- */
void ks_java_fetch_compare(ks_java_fetch *fetch);         /* what is wanted is what is asked for next */
void ks_java_fetch_nothing_changed(ks_java_fetch *fetch); /* the same again */
void ks_java_fetch_write(ks_java_fetch *fetch, ks_envelope *envelope);
ks_java_partition *ks_java_fetch_partition(const ks_java_fetch *fetch, const ks_java_asked *asked); /* NULL: not ours any more */
/* False: the answer does not count, and the next request starts anew. */
bool ks_java_fetch_session_answered(ks_java_fetch *fetch, const ks_fetch_response *response);
void ks_java_fetch_session_end(ks_java_fetch *fetch); /* the next request says that it was the last */
void ks_java_fetch_session_lost(ks_java_fetch *fetch, bool forget_id); /* else the broker is told to forget it */

/* ---- java_fetch.c, java_drain.c ---- */
void ks_java_fetch_soon(ks_consumer *c);
void ks_java_fetch_nothing(ks_consumer *c); /* as everything stands there is nothing, or nothing more, to fetch: until something changes */
void ks_java_fetch_fired(ks_timer *timer);
void ks_java_fetch_say_goodbye(ks_consumer *c); /* every broker is told to forget our fetch session */
void ks_java_fetch_free(ks_consumer *c);
bool ks_java_drain_has_records(ks_consumer *c); /* prepares the next record; false: nothing deliverable */
void ks_java_drain_report(ks_consumer *c);      /* the run so far, to the trace */
void ks_java_drain_drop_topics(ks_consumer *c); /* data of topics that are no longer subscribed */
void ks_java_drain_free(ks_consumer *c);
bool ks_java_is_buffered(const ks_consumer *c, ks_java_key key);

/* ---- java_close.c ---- */
ks_poll_result ks_java_close_step(ks_consumer *c);
ks_poll_result ks_java_unsubscribe_step(ks_consumer *c);
void ks_java_close_callback_done(ks_consumer *c);
void ks_java_close_fired(ks_timer *timer);
void ks_java_shut_down(ks_consumer *c); /* timers, connections; nobody is told */

/* ---- java_modern.c ---- */
void ks_java_modern_new(ks_consumer *c);
void ks_java_modern_free(ks_consumer *c);
ks_poll_result ks_java_modern_step(ks_consumer *c);
void ks_java_modern_callback_done(ks_consumer *c);
bool ks_java_modern_look_at_poll(ks_consumer *c);        /* the last poll was too long ago: it leaves its group; true */
void ks_java_modern_coordinator(ks_consumer *c);        /* found, or lost */
void ks_java_modern_metadata(ks_consumer *c);
/* Gives everything up: the last heartbeat. `reply` (or NULL) when it was answered, or at once when none is needed: then false. */
bool ks_java_modern_leave(ks_consumer *c, ks_reply_fn *reply, void *owner);

#endif
