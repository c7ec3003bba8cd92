/* SPDX-License-Identifier: Apache-2.0
 *
 * A scenario that runs: its simulator, its actors, and what they saw. Actors are event machines over the client engines: what
 * they do happens in timers of their client process, so that a pause or a crash of the process holds for them too.
 */
#ifndef KS_SCENARIO_SESSION_H
#define KS_SCENARIO_SESSION_H

#include "sim/api/writer_config.h"
#include "sim/base/hash.h"
#include "sim/control/sim.h"
#include "sim/scenario/command.h"
#include "sim/scenario/places.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/world.h"

typedef struct ks_actor ks_actor;

typedef enum ks_commit_policy { KS_COMMIT_AUTO, KS_COMMIT_EACH, KS_COMMIT_EVERY, KS_COMMIT_MANUAL } ks_commit_policy;

/* "auto", "each", "every:3", "manual". */
bool ks_commit_policy_parse(ks_string text, ks_commit_policy *policy, int64_t *every);
/* Are the settings of a `consumer` command right for its client? `why` (may be NULL) gets the reason. */
bool ks_java_settings_are_right(const ks_command_line *declared, ks_arena *arena, ks_buffer *why);
bool ks_kafka_go_settings_are_right(const ks_command_line *declared, ks_arena *arena, ks_buffer *why);

typedef struct ks_actor_kind {
    bool (*start)(ks_actor *actor, char *problem, size_t size); /* joins; the process is up */
    void (*turn)(ks_actor *actor);                              /* something is ready, or processing is over */
    void (*commit)(ks_actor *actor);                            /* what is processed, now */
    void (*close)(ks_actor *actor);                             /* leaves; sets actor->closed when through */
    void (*crashed)(ks_actor *actor);                           /* the process died: lets go of everything */
    bool (*settled)(ks_actor *actor);                           /* has what the group gave it, and no rebalance is under way */
    int64_t (*in_hand)(const ks_actor *actor);                  /* messages that were delivered and are not handled yet */
    void (*free)(ks_actor *actor);
} ks_actor_kind;
extern const ks_actor_kind ks_actor_kafka_go, ks_actor_java;

typedef struct ks_processed { ks_string topic; int32_t partition; int64_t offset; struct ks_processed *next; } ks_processed;

struct ks_actor {
    ks_session *session;
    ks_string name, group;
    char **topics;
    int32_t topic_count;
    const ks_actor_kind *kind;
    const ks_command_line *declared;
    kafka_address *address;
    ks_commit_policy policy;
    int64_t every, process_ns;
    void *engine, *config;      /* the kind's */
    ks_timer turn, busy;
    ks_process_watch watch;
    bool running, closed, is_busy, committing;
    int64_t since_commit;       /* processed messages */
    kafka_error last_error;
    ks_spots held;              /* what its application was given and not asked back: views.c's */
    ks_string held_as;          /* the member id under which it was last given any */
    int32_t held_since;         /* and the generation; -1: never */
    int64_t delivered;          /* messages, in this life */
    ks_arena *arena;            /* of one life */
    ks_actor *next;
};

typedef struct ks_book { /* what a group was given of one partition */
    ks_string key;
    ks_string group, topic;
    int32_t partition;
    uint8_t *times; /* by offset: deliveries, at most 255 */
    int64_t capacity, twice; /* twice: records delivered more than once */
    UT_hash_handle hh;
} ks_book;

/* How often a client got this answer to such a request since the picture changed. */
typedef struct ks_answers {
    ks_string key; /* client, API and code */
    int64_t count;
    UT_hash_handle hh;
} ks_answers;

typedef struct ks_named_rule { ks_string name; ksim_rule *rule; struct ks_named_rule *next; } ks_named_rule;
typedef struct ks_sender ks_sender; /* sender.h */
typedef struct ks_source ks_source;

struct ks_session {
    ksim *sim;
    ks_arena *arena;
    ks_scenario_options options;
    ks_actor *actors, **last_actor;
    ks_book *books;
    ks_named_rule *rules;
    ks_sender *senders; /* producer processes */
    ks_source *sources; /* what they send */
    ks_world world;
    int32_t line;       /* commands typed so far */
    int32_t column;     /* where the command is wrong; 0: nowhere in particular */
    const char *folder; /* "lessons/": where relative file names begin; "" the working folder */
    ks_subscriber subscriber;
    uint64_t changes;      /* counts events that may make a group stable */
    int64_t last_life;     /* when something was written, read or rebalanced */
    ks_buffer happened;    /* what happened since the last command, compact */
    ks_buffer gave_up, lost; /* " c1=orders[0] ..." since the last join, until or advance */
    ks_answers *answers;
    ks_arena *answers_arena;
    int32_t brokers;
    bool stuck;
};

/* `cluster`: borrowed; NULL: the defaults. NULL: `problem` says why, `*column` where in its line. */
ks_session *ks_session_open(const ks_command_line *cluster, const ks_scenario_options *options, int32_t *column, char *problem, size_t size);
void ks_session_event(void *context, const ks_event *event); /* a subscriber's */
void ks_session_forget_answers(ks_session *session);
/* Runs one parsed command. What failed is noted in the trace. */
ks_run_result ks_session_run(ks_session *session, const ks_command_line *command, char *problem, size_t size);
ks_run_result ks_session_expect(ks_session *session, const ks_command_line *command, char *problem, size_t size);
ks_run_result ks_session_until(ks_session *session, const ks_command_line *command, char *problem, size_t size);
ks_run_result ks_session_produce(ks_session *session, const ks_command_line *command, char *problem, size_t size);
ks_run_result ks_session_admin(ks_session *session, const ks_command_line *command, char *problem, size_t size);
bool ks_session_interrupted(const ks_session *session);

/* The topics that the consumers of a group subscribe to, one after the other; NULL: no more. `place` is zeroed first. */
typedef struct ks_topic_place { const ks_actor *actor; int32_t index; } ks_topic_place;
const char *ks_session_next_topic(const ks_session *session, ks_string group, ks_topic_place *place);
/* Records of those topics that the group has not committed. */
int64_t ks_session_lag(ks_session *session, ks_string group);
const char *ks_session_state(ks_session *session, const char *group); /* Kafka's word; "Dead": there is none */
int64_t ks_session_answers(const ks_session *session, ks_string client, int16_t api, int16_t code);
ks_named_rule *ks_session_rule(ks_session *session, ks_string name); /* NULL: none */

/* The command with settings of ks_scenario_options instead of its own; itself when there are none. */
const ks_command_line *ks_command_with(const ks_command_line *command, const char *settings, ks_arena *arena);
const ks_command_line *ks_consumer_what_if(const ks_session *session, const ks_command_line *command);
ks_actor *ks_actor_find(ks_session *session, ks_string name);
void ks_actor_declare(ks_session *session, const ks_command_line *command);
bool ks_actor_process(ks_actor *actor, char *problem, size_t size); /* makes its process when there is none yet */
bool ks_actor_start(ks_actor *actor, char *problem, size_t size);
void ks_actor_free(ks_actor *actor);
void ks_actor_wake(ks_actor *actor);            /* a turn, at this instant */
void ks_actor_work(ks_actor *actor, int64_t ns); /* a turn when so much time has passed in its process */
void ks_actor_delivered(ks_actor *actor, ks_string topic, int32_t partition, int64_t offset);
/* Views of a group from both sides: notes what a client was given and gave up; tells of all, as events. */
void ks_views_note(ks_session *session, const ks_event *event);
void ks_views_tell(ks_session *session, ks_string group); /* O(members x their partitions) */
ks_book *ks_session_book(ks_session *session, ks_string group, ks_string topic, int32_t partition, bool make);

#endif
