/* SPDX-License-Identifier: Apache-2.0
 *
 * A recording cut into steps. A step is a request that reaches a group or admin handler, a held reply that is released, or a
 * timer or command that changed state. Metadata, ListOffsets, ApiVersions, Produce and Fetch are sub-steps. Numbers are the
 * same at every level of detail and under every filter.
 */
#ifndef KS_STORY_H
#define KS_STORY_H

#include "sim/explain/recording.h"

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
    bool important;      /* stands in the story */
    bool begins_rebalance, stable;
    bool resumes;        /* a paused partition comes again here */
} ks_step;

/* What a rebalance cost one partition. */
typedef struct ks_pause {
    ks_string group, topic;
    int32_t partition;
    int64_t from, to;     /* last delivery before, first delivery or fetch after; to 0: it never came back */
    int32_t revoked_step, resumed_step; /* indexes into steps; -1: none */
    int64_t read_again;   /* messages delivered again by the new owner */
    ks_string before, after; /* who had it, who got it: client names */
} ks_pause;

typedef struct ks_story {
    const ks_recording *recording;
    KS_VEC(ks_step) steps;
    KS_VEC(ks_pause) pauses;
    int32_t *step_of_event; /* index of the step each event belongs to; -1: none */
    void *members;          /* member id -> client; words.c's */
    ks_arena *arena;
} ks_story;

/* O(events), plus O(log events) for each cause. */
ks_story *ks_story_new(const ks_recording *recording);
void ks_story_free(ks_story *story);
/* "12" or "12.3"; -1: there is no such step. */
int32_t ks_story_find(const ks_story *story, const char *number);

/* ---- words: the one place where sentences are made ---- */

/* "c2 -> broker-1   JoinGroup  <- REBALANCE_IN_PROGRESS": the protocol fact of a step. */
void ks_words_protocol(const ks_story *story, int32_t step, ks_buffer *out);
/* What a teacher would say: one clause for each fact. May be empty. */
void ks_words_sentence(const ks_story *story, int32_t step, ks_buffer *out);
/* One event as a clause; false when it has nothing to say. */
bool ks_words_clause(const ks_story *story, int32_t event, ks_buffer *out);
/* "c1" for a member id of that client, else the id itself. */
ks_string ks_words_member(const ks_story *story, ks_string group, ks_string member);
void ks_words_seconds(int64_t ns, ks_buffer *out); /* "4.004 s" */
/* Text from outside: control characters and broken UTF-8 as \xHH, so that no terminal is harmed. */
void ks_words_escape(ks_string text, ks_buffer *out);

/* ---- views ---- */

typedef enum ks_level { KS_LEVEL_STORY, KS_LEVEL_PROTOCOL, KS_LEVEL_EVERYTHING } ks_level;
typedef struct ks_filter { /* NULL: any */
    ks_level level;
    const char *node, *group, *topic;
    int32_t partition; /* -1: any */
    bool colour;
    int32_t since;     /* index of an event: only what happened from there on. A step that began before is told again with what came of it */
    int32_t most;      /* steps that are told; 0: any number */
} ks_filter;
/* Returns how many steps passed the filter; the first `most` of them were told. */
int32_t ks_narrate(const ks_story *story, const ks_filter *filter, ks_buffer *out);

/* The chain of causes of a step, back to the command or call that began it. */
void ks_why_step(const ks_story *story, int32_t step, ks_buffer *out);
/* Why the group reached this generation: who triggered it, by what, what moved, what it cost, what would have avoided it.
 * False: the group never had it. */
bool ks_why_generation(const ks_story *story, const char *group, int32_t generation, ks_buffer *out);
/* A setting that would have avoided that rebalance or made it cheaper, of at most two: "name=value" of a consumer of Java's; NULL:
 * there is none to try. Static. */
const char *ks_why_remedy(const ks_story *story, const char *group, int32_t generation, int32_t index);
/* What all pauses of the group cost together. */
typedef struct ks_cost { int32_t paused; int64_t longest_ns, together_ns, read_again; } ks_cost;
ks_cost ks_why_cost(const ks_story *story, const char *group);
/* What became of one record: written, delivered to whom and when, committed. False: it is not in the trace. */
bool ks_why_record(const ks_story *story, const char *topic, int32_t partition, int64_t offset, ks_buffer *out);

/* The explanation as JSON (docs/explanation-format.md), one object; arrays of them make the page's model. */
void ks_explanation_json(const ks_story *story, const char *title, ks_buffer *out);
/* The self-contained page of one or two runs. */
void ks_explanation_html(const ks_story *const *stories, const char *const *titles, int32_t count, ks_buffer *out);
/* Swim lanes of the important steps, for slides. */
void ks_explanation_svg(const ks_story *story, const char *title, ks_buffer *out);

#endif
