/* SPDX-License-Identifier: Apache-2.0
 *
 * A recording cut into steps. A step is a request that reaches a group or admin handler, a held reply that is released, or a
 * timer or command that changed state. Metadata, ListOffsets, ApiVersions, Produce and Fetch are sub-steps. Numbers are the
 * same at every level of detail and under every filter.
 */
#ifndef KS_STORY_H
#define KS_STORY_H

#include "sim/explain/recording.h"

/* The brokers' own topics, which no story is about: their names begin with "__". */
static inline bool ks_topic_is_internal(ks_string topic) { return topic.size >= 2 && memcmp(topic.data, "__", 2) == 0; }

typedef enum ks_step_kind {
    KS_STEP_REQUEST, /* a request reached a handler */
    KS_STEP_REPLY,   /* a held reply was released */
    KS_STEP_TIMER,   /* a timer changed state */
    KS_STEP_COMMAND, /* the program, the scenario or a fault did something */
    KS_STEP_SUB      /* a sub-step */
} ks_step_kind;

typedef struct ks_step {
    int32_t number, sub; /* 12, or 12.3; number 0: before the first step */
    ks_step_kind kind;
    int64_t time;
    int32_t event;       /* index of the event that is the step */
    int32_t cause;       /* index of the step that caused it; -1: none */
    KS_VEC(int32_t) facts; /* indexes of the events that belong to it, in order: what it did and what came of it */
    ks_string group;     /* null: none */
    int16_t api_key;     /* -1: none */
    int16_t error;       /* of its answer */
    bool answered;       /* at once; false for a held request */
    int32_t other;       /* of a held request the step that answers it, of that answer the step that asked; -1: none */
    bool important;      /* stands in the story */
    bool begins_rebalance, stable;
    bool resumes;        /* a paused partition comes again here */
    int32_t repeats, last_repeat; /* how often its client was refused in the same way right after it, and in which step (a number) for the last time */
    int32_t first_paused, first_resumed; /* the pauses that begin and end here, linked by next_paused, next_resumed; -1: none */
    ks_string waits_for; /* members that the coordinator waits for after it, in words; null: nobody */
} ks_step;

/* Every main step is on the page, and the sub-steps that stand in the story. */
static inline bool ks_step_on_page(const ks_step *step) { return step->sub == 0 || step->important || step->resumes; }

/* A rebalance of a group, from what triggered it to where everybody has what it should have. Indexes of events; -1: not in this run. */
typedef struct ks_rebalance {
    ks_string group;
    int32_t generation; /* it led to, of a consumer group the epoch; -1: another rebalance, or the end of the run, came first */
    int32_t began, reached, settled;
    int32_t next;       /* the group's next rebalance; -1: none */
} ks_rebalance;

/* What a rebalance cost one partition. */
typedef struct ks_pause {
    ks_string group, topic;
    int32_t partition;
    int64_t from, to;     /* last delivery before, first answered fetch (or delivery) after; to 0: it never came back */
    int32_t revoked_step, resumed_step; /* indexes into steps; -1: none */
    int32_t next_paused, next_resumed;  /* of the same step; -1: none */
    int32_t rebalance;    /* that took the partition away or gave it back; -1: none did */
    int64_t read_again;   /* messages delivered again after it */
    int64_t back_to;      /* the offset where they begin; */
    bool set_back;        /* it had been committed beyond that: somebody set the offset back */
    int64_t lag;          /* records that had piled up when it came again; in a pause without end: at the end of the run */
    ks_string before, after; /* who had it, who got it: client names; null: nobody */
    ks_string member;        /* id of the member that had it; of one that never said its id the client */
} ks_pause;

/* Records that a delivery (an event) brought to the group for another time: [first, last]. */
typedef struct ks_again { int32_t event; int64_t first, last; } ks_again;

typedef struct ks_story {
    const ks_recording *recording;
    KS_VEC(ks_step) steps;
    KS_VEC(ks_rebalance) rebalances; /* in the order in which they began */
    KS_VEC(ks_pause) pauses;         /* in the order in which they began */
    KS_VEC(ks_again) again;          /* in the order of events */
    int32_t *step_of_event; /* index of the step each event belongs to; -1: none */
    struct ks_members *members; /* whose member id is whose; members.c's, in the arena but for its tables */
    ks_arena *arena;
} ks_story;

/* O(events), plus O(log events) for each cause, plus O(members) for each rebalance and O(partitions it has) for a member that dies. */
ks_story *ks_story_new(const ks_recording *recording);
void ks_story_free(ks_story *story);
/* "12" or "12.3"; -1: there is no such step. */
int32_t ks_story_find(const ks_story *story, const char *number);

/* ---- words: the one place where sentences are made ---- */

/* "c2 -> broker-1   Heartbeat  <- REBALANCE_IN_PROGRESS": the protocol fact of a step; its route and its call are the two halves. */
void ks_words_protocol(const ks_story *story, int32_t step, ks_buffer *out);
void ks_words_route(const ks_story *story, int32_t step, ks_buffer *out); /* "c2 -> broker-1", or the command: "crash c2" */
void ks_words_call(const ks_story *story, int32_t step, ks_buffer *out);  /* "Heartbeat  <- NONE", or which timer; may be empty */
/* What a teacher would say: one clause for each fact. May be empty. */
void ks_words_sentence(const ks_story *story, int32_t step, ks_buffer *out);
/* Only what happened from this event on; nothing when that says nothing. */
void ks_words_news(const ks_story *story, int32_t step, int32_t since, ks_buffer *out);
/* One event as a clause; false when it has nothing to say. */
bool ks_words_clause(const ks_story *story, int32_t event, ks_buffer *out);
/* "c1" for a member id of that client, else the id itself. `at`: of which event (an index) it is said; when the client's process has
 * been started again by then, it is "c1 (before its restart)". -1: always the client. */
ks_string ks_words_member(const ks_story *story, int32_t at, ks_string member);
/* What Kafka calls the number that grows with each rebalance: "epoch" in the consumer protocol (KIP-848), else "generation". Of a group
 * at an event (-1: at last), of a member id, of what a client says of itself. */
const char *ks_words_generation(const ks_story *story, int32_t at, ks_string group);
const char *ks_words_generation_of(const ks_story *story, ks_string member);
const char *ks_words_generation_of_client(const ks_story *story, ks_string client);
void ks_words_seconds(int64_t ns, ks_buffer *out); /* "4.004 s" */
void ks_words_duration(int64_t ns, ks_buffer *out); /* "30 s", "84 ms", "4.004 s" */
/* Lines of at most 96 characters, every one indented. */
void ks_words_wrap(const char *text, size_t size, int32_t indent, int32_t columns, ks_buffer *out);
/* Text from outside: ks_buffer_harmless(). */
void ks_words_escape(ks_string text, ks_buffer *out);

/* ---- views ---- */

typedef enum ks_level { KS_LEVEL_STORY, KS_LEVEL_PROTOCOL, KS_LEVEL_EVERYTHING } ks_level;
typedef struct ks_filter { /* NULL: any */
    ks_level level;
    const char *node, *group, *topic;
    int32_t partition; /* -1: any */
    bool colour;
    int32_t columns;   /* of the window that sentences are wrapped for; 0: 102 */
    int32_t since;     /* index of an event: only what happened from there on. A step that began before is told again with what came of it */
    int32_t most;      /* steps that are told; 0: any number */
    int32_t from, to;  /* numbers of the first and the last step; 0: any */
} ks_filter;
/* What the narrative shows: title, seed, and which cluster, topics and clients with which settings the scenario declares. */
void ks_narrate_head(const ks_story *story, const char *title, ks_buffer *out);
/* Returns how many steps passed the filter; the first `most` of them were told. */
int32_t ks_narrate(const ks_story *story, const ks_filter *filter, ks_buffer *out);

/* The chain of causes of a step, back to the command or call that began it. */
void ks_why_step(const ks_story *story, int32_t step, ks_buffer *out);
/* The rebalance that led the group to this generation (of a consumer group: epoch), the last one if there were several; -1: none. */
int32_t ks_why_rebalance(const ks_story *story, const char *group, int32_t generation);
/* Who triggered it, by what; what it moved; what it cost. */
void ks_why_generation(const ks_story *story, int32_t rebalance, ks_buffer *out);
/* What a rebalance cost; -1: all of the group's in the run (null: of all groups), from the first record on. O(events). not_back: paused for the rest of the run, which counts
 * in no time. took_ns: until everybody had what it should have; -1: not in this run. */
typedef struct ks_cost { int32_t paused, moved, not_back; int64_t longest_ns, together_ns, read_again, lag, took_ns; } ks_cost;
ks_cost ks_why_cost(const ks_story *story, ks_string group, int32_t rebalance);
/* The kind of trigger and of client, as in the table of docs/why.md ("join", "kafka-go"); trigger NULL: none that the table has. */
const char *ks_why_trigger(const ks_story *story, int32_t rebalance);
const char *ks_why_client(const ks_story *story, int32_t rebalance);
/* Settings that would have avoided it or made it cheaper, at most two. */
typedef struct ks_setting_row ks_setting_row;
typedef struct ks_advice {
    const ks_setting_row *row;
    char value[24];      /* of the setting, in this run; "": any */
    char apply[256];     /* to try it in a scenario; "": it cannot be tried */
    const char *no_help; /* why it is no help in this run; NULL: it may be */
} ks_advice;
int32_t ks_why_advice(const ks_story *story, int32_t rebalance, ks_advice advice[2]);
bool ks_advice_is_of_brokers(const ks_advice *advice); /* rather than of consumers */
void ks_why_say_advice(const ks_advice *advice, ks_buffer *out);
/* What became of the rebalance in another run, with that setting: one sentence. */
void ks_why_tried(const ks_story *story, int32_t rebalance, const ks_story *other, ks_buffer *out);

/* What became of one record: written, delivered to whom and when, committed. False: it is not in the trace. */
bool ks_why_record(const ks_story *story, const char *topic, int32_t partition, int64_t offset, ks_buffer *out);

/* The explanation as JSON (docs/explanation-format.md), one object; arrays of them make the page's model. */
void ks_explanation_json(const ks_story *story, const char *title, ks_buffer *out);
/* The self-contained page of one or two runs. */
void ks_explanation_html(const ks_story *const *stories, const char *const *titles, int32_t count, ks_buffer *out);
/* Swim lanes of the steps that pass the filter, for slides: sub-steps too, as far as the narrative has them. Returns how
 * many steps were drawn. */
int32_t ks_explanation_svg(const ks_story *story, const char *title, const ks_filter *filter, ks_buffer *out);

#endif
