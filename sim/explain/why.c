/* SPDX-License-Identifier: Apache-2.0
 * Why a step happened: the chain of causes, back to the command or call that began it; of a refusal also what had led to it.
 */
#include "sim/explain/words.h"
#include "sim/protocol/error.h"
#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

static const ks_recorded *event_at(const ks_story *story, int32_t index) { return &story->recording->events.items[index]; }

static void line(const ks_story *story, int32_t index, const char *before, ks_buffer *out) {
    const ks_step *step = &story->steps.items[index];
    ks_buffer_text(out, before);
    if (step->sub > 0) ks_buffer_printf(out, "step %d.%d, ", step->number, step->sub);
    else ks_buffer_printf(out, "step %d, ", step->number);
    ks_words_seconds(step->time - story->recording->start, out);
    ks_buffer_text(out, ": ");
    ks_words_protocol(story, index, out);
    ks_buffer_text(out, "\n");
    ks_buffer sentence = { 0 };
    ks_words_sentence(story, index, &sentence);
    ks_words_wrap((const char *)sentence.data, sentence.size, 6, 0, out);
    ks_buffer_deinit(&sentence);
}

/* A heartbeat comes because the one before it was answered, and so on back to the join: one line stands for all of these. */
static bool is_like(const ks_story *story, int32_t a, int32_t b) {
    const ks_step *x = &story->steps.items[a], *y = &story->steps.items[b];
    if (x->kind != KS_STEP_REQUEST || y->kind != KS_STEP_REQUEST || x->api_key != y->api_key || x->error != y->error || x->important || y->important) return false;
    const ks_ev_request_received *one = event_at(story, x->event)->fields, *two = event_at(story, y->event)->fields;
    return ks_string_equal(one->from, two->from) && ks_string_equal(one->to, two->to);
}

/* What every client asks before it can do anything says nothing about why. */
static bool is_preparation(const ks_step *step) { return step->api_key == KS_API_api_versions || step->api_key == KS_API_metadata; }

/* What led to the first step of the chain without being a step itself. */
static void root(const ks_story *story, int32_t step, ks_buffer *out) {
    const ks_recorded *event = event_at(story, story->steps.items[step].event);
    int32_t first = -1;
    for (uint64_t cause = event->cause; cause != 0;) {
        int32_t index = ks_recording_find(story->recording, cause);
        if (index < 0) break;
        first = index;
        cause = event_at(story, index)->cause;
    }
    ks_speaker s = { story, out, first };
    if (first < 0) {
        ks_tell(&s, "which the program (or the scenario) did\n");
        return;
    }
    event = event_at(story, first);
    const ks_struct *kind = event->kind;
    ks_tell(&s, "which began with ");
    if (KIND(request_sent)) ks_tell(&s, "%s: its program, or a timer of its own, made it send a request", FIELDS(request_sent)->from);
    else if (!ks_words_clause(story, first, out)) ks_tell(&s, "%c", ks_event_kind_name(kind));
    ks_tell(&s, " (event %d)\n", (int64_t)event->id);
}

/* ---- an answer that is an error has a cause of its own: what had become of the group, or of the member, before ---- */

typedef struct asker { kafka_error error; ks_string group, member; } asker;

static bool asker_of(const ks_story *story, int32_t index, asker *who) {
    const ks_step *step = &story->steps.items[index];
    const ks_recorded *event = event_at(story, step->event);
    const ks_struct *kind = event->kind;
    who->error = (kafka_error)step->error;
    if (KIND(request_received)) who->group = FIELDS(request_received)->group, who->member = FIELDS(request_received)->member;
    else if (KIND(response_sent)) who->group = FIELDS(response_sent)->group, who->member = FIELDS(response_sent)->member;
    else return false;
    return step->error != 0 && who->group.size > 0;
}

#define OF_THE_GROUP(x) (KIND(x) && ks_string_equal(FIELDS(x)->group, who->group))
#define OF_THE_MEMBER(x) (OF_THE_GROUP(x) && ks_string_equal(FIELDS(x)->member, who->member))

static bool explains(const ks_recorded *event, const asker *who) {
    const ks_struct *kind = event->kind;
    switch ((int)who->error) {
    case KAFKA_ERR_REBALANCE_IN_PROGRESS: return OF_THE_GROUP(rebalance_started);
    case KAFKA_ERR_ILLEGAL_GENERATION: return OF_THE_GROUP(join_phase_completed);
    case KAFKA_ERR_FENCED_INSTANCE_ID: return OF_THE_GROUP(group_member_replaced) && ks_string_equal(FIELDS(group_member_replaced)->old_member, who->member);
    case KAFKA_ERR_UNKNOWN_MEMBER_ID: return OF_THE_MEMBER(group_member_left) || OF_THE_MEMBER(group_member_removed) || OF_THE_MEMBER(group_member_expired);
    case KAFKA_ERR_STALE_MEMBER_EPOCH: return OF_THE_MEMBER(group_member_reconciled);
    default: return false;
    }
}

/* The step in which that happened last; -1: the error says it all, or the run does not show it. O(events). */
static int32_t answered_by(const ks_story *story, int32_t step) {
    asker who;
    if (!asker_of(story, step, &who)) return -1;
    for (int32_t i = story->steps.items[step].event - 1; i >= 0; i--)
        if (explains(event_at(story, i), &who)) return story->step_of_event[i] < step ? story->step_of_event[i] : -1;
    return -1;
}

/* ---- the chain ---- */

static void chain(const ks_story *story, int32_t at, const char *first, ks_buffer *out) {
    /* Causes come before what they cause, so the chain ends. */
    while (story->steps.items[at].cause >= 0) {
        at = story->steps.items[at].cause;
        if (!is_preparation(&story->steps.items[at])) line(story, at, first, out), first = "because of ";
        int32_t more = 0;
        for (int32_t next = story->steps.items[at].cause; next >= 0 && is_like(story, at, next); next = story->steps.items[at].cause) at = next, more++;
        if (more == 1) ks_buffer_printf(out, "      and that because of one more like it, in step %d\n", story->steps.items[at].number);
        if (more > 1) ks_buffer_printf(out, "      and that because of %d more like it, the first in step %d\n", more, story->steps.items[at].number);
    }
    root(story, at, out);
}

void ks_why_step(const ks_story *story, int32_t step, ks_buffer *out) {
    line(story, step, "", out);
    int32_t other = answered_by(story, step);
    if (other >= 0) {
        line(story, other, "answered so because of ", out);
        chain(story, other, "because of ", out);
    }
    chain(story, step, other >= 0 ? "and asked because of " : "because of ", out);
}
