/* SPDX-License-Identifier: Apache-2.0
 * Cutting a recording into steps. Each event belongs to the step that caused it.
 */
#include "sim/explain/story.h"

#include "sim/base/hash.h"
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_sub_api(int16_t key) {
    return key == KS_API_metadata || key == KS_API_list_offsets || key == KS_API_api_versions || key == KS_API_produce ||
           key == KS_API_fetch;
}

bool ks_story_is_step_api(int16_t key) { return !is_sub_api(key); }

static const ks_recorded *event_at(const ks_story *story, int32_t index) { return &story->recording->events.items[index]; }

static int32_t add_step(ks_story *story, ks_step_kind kind, int32_t event, int32_t cause) {
    ks_step step = { .kind = kind, .event = event, .cause = cause, .time = event_at(story, event)->time, .group = KS_NULL_STRING,
                     .api_key = -1, .other = -1, .first_paused = -1, .first_resumed = -1, .waits_for = KS_NULL_STRING };
    const ks_step *last = story->steps.count > 0 ? &story->steps.items[story->steps.count - 1] : NULL;
    step.number = last == NULL ? (kind == KS_STEP_SUB ? 0 : 1) : kind == KS_STEP_SUB ? last->number : last->number + 1;
    step.sub = kind != KS_STEP_SUB ? 0 : last == NULL ? 1 : last->sub + 1;
    KS_PUSH(story->steps, step);
    return story->steps.count - 1;
}

static ks_string group_of(const ks_recorded *event) {
    const ks_field *field = ks_struct_field(event->kind, "group");
    if (field == NULL || field->type != KS_TYPE_string) return KS_NULL_STRING;
    return *(const ks_string *)((const char *)event->fields + field->offset);
}

/* ---- which events begin a step ---- */

/* What makes a difference when no request is being handled: then it was a timer. */
static bool changes_state(const ks_struct *kind) {
    return kind == ks_describe_ev_group_state_changed() || kind == ks_describe_ev_group_member_expired() ||
           kind == ks_describe_ev_group_member_removed() || kind == ks_describe_ev_join_phase_completed() ||
           kind == ks_describe_ev_rebalance_started() || kind == ks_describe_ev_segment_deleted() ||
           kind == ks_describe_ev_log_start_advanced() || kind == ks_describe_ev_offsets_deleted() ||
           kind == ks_describe_ev_group_deleted() || kind == ks_describe_ev_leader_changed() ||
           kind == ks_describe_ev_initial_delay_extended();
}

/* What a client does at once when an answer comes belongs to the step that was answered. What it does later (its application
 * had to poll first, a timer of its own ran out) is a step of its own. */
static bool changes_client(const ks_struct *kind) {
    return kind == ks_describe_ev_client_partitions_assigned() || kind == ks_describe_ev_client_partitions_revoked() ||
           kind == ks_describe_ev_client_partitions_lost() || kind == ks_describe_ev_client_generation_ended() ||
           kind == ks_describe_ev_client_commit_failed();
}

static bool is_command(const ks_struct *kind) {
    return kind == ks_describe_ev_command() || kind == ks_describe_ev_note() || kind == ks_describe_ev_rule_fired() ||
           kind == ks_describe_ev_group_viewed();
}

/* What becomes of a process: part of the command that does it, a step of its own where a program did it without one. */
static bool is_life(const ks_struct *kind) {
    return kind == ks_describe_ev_node_crashed() || kind == ks_describe_ev_node_paused() || kind == ks_describe_ev_node_resumed() ||
           kind == ks_describe_ev_node_started();
}

typedef struct open_request { /* requests that are not answered yet, by connection and correlation id */
    int64_t connection;
    int32_t correlation, event, step;
} open_request;
typedef KS_VEC(open_request) open_requests;

static int32_t find_open(const open_requests *open, int64_t connection, int32_t correlation) {
    for (int32_t i = open->count - 1; i >= 0; i--) /* one a connection at a time, so this stays as short as what is held */
        if (open->items[i].connection == connection && open->items[i].correlation == correlation) return i;
    return -1;
}

static int32_t cause_step(const ks_story *story, const ks_recorded *event) {
    if (event->cause == 0) return -1;
    int32_t index = ks_recording_find(story->recording, event->cause);
    return index < 0 ? -1 : story->step_of_event[index];
}

static int32_t on_request(ks_story *story, int32_t i, open_requests *open) {
    const ks_ev_request_received *request = event_at(story, i)->fields;
    int32_t cause = cause_step(story, event_at(story, i));
    int32_t step = add_step(story, is_sub_api(request->api_key) ? KS_STEP_SUB : KS_STEP_REQUEST, i, cause);
    story->steps.items[step].api_key = request->api_key;
    story->steps.items[step].group = request->group;
    KS_PUSH(*open, ((open_request){ request->connection, request->correlation_id, i, step }));
    return step;
}

/* The answer to a fetch that waited, with records in it: told where they come, not where they were asked for. (The broker says so
 * right behind it.) */
static bool brings_records(const ks_story *story, int32_t i) {
    if (i + 1 >= story->recording->events.count) return false;
    const ks_recorded *next = event_at(story, i + 1);
    if (next->kind != ks_describe_ev_fetch_completed() || next->time != event_at(story, i)->time) return false;
    const ks_ev_fetch_completed *completed = next->fields;
    return completed->bytes > 0;
}

static int32_t on_response(ks_story *story, int32_t i, open_requests *open) {
    const ks_recorded *event = event_at(story, i);
    const ks_ev_response_sent *response = event->fields;
    int32_t at = find_open(open, response->connection, response->correlation_id);
    int32_t cause = cause_step(story, event);
    if (at < 0) return cause;
    open_request request = open->items[at];
    open->items[at] = open->items[--open->count];
    const ks_step asked = story->steps.items[request.step];
    story->steps.items[request.step].error = response->error_code;
    bool by_another = cause > request.step; /* it was held, and another step let it go */
    if ((event->time == asked.time && !by_another) || (asked.kind == KS_STEP_SUB && !brings_records(story, i))) {
        story->steps.items[request.step].answered = true;
        return request.step;
    }
    int32_t step = add_step(story, asked.kind == KS_STEP_SUB ? KS_STEP_SUB : KS_STEP_REPLY, i, cause >= 0 ? cause : request.step);
    ks_step *reply = &story->steps.items[step];
    reply->api_key = asked.api_key;
    reply->group = asked.group;
    reply->error = response->error_code;
    reply->other = request.step;
    story->steps.items[request.step].other = step;
    return step;
}

/* Steps of one dispatch share their time and their cause's step: a timer that changes three things is one step. */
static int32_t on_change(ks_story *story, int32_t i) {
    const ks_recorded *event = event_at(story, i);
    int32_t cause = cause_step(story, event);
    /* At once, and before anything else: part of the step. With nothing to wait for a timer runs out at once too, but others may have
     * come meanwhile. */
    bool latest = cause == story->steps.count - 1;
    if (cause >= 0 && latest && story->steps.items[cause].time == event->time && story->steps.items[cause].kind != KS_STEP_SUB) return cause;
    if (changes_client(event->kind) && cause >= 0) {
        const ks_recorded *woke = event_at(story, ks_recording_find(story->recording, event->cause));
        if (woke->time == event->time) return cause;
    }
    for (int32_t s = story->steps.count - 1; s >= 0 && s >= story->steps.count - 2; s--) {
        const ks_step *step = &story->steps.items[s];
        if (step->kind == KS_STEP_TIMER && step->time == event->time && step->cause == cause) return s;
    }
    int32_t step = add_step(story, KS_STEP_TIMER, i, cause);
    story->steps.items[step].group = group_of(event);
    return step;
}

static int32_t on_life(ks_story *story, int32_t i) {
    int32_t cause = cause_step(story, event_at(story, i));
    if (cause >= 0 && story->steps.items[cause].kind == KS_STEP_COMMAND && story->steps.items[cause].time == event_at(story, i)->time) return cause;
    return add_step(story, KS_STEP_COMMAND, i, cause);
}

/* Records that the program asked for later than they came (it was busy, or stood still) are told where it did. */
static int32_t on_delivery(ks_story *story, int32_t i) {
    const ks_recorded *event = event_at(story, i);
    int32_t cause = cause_step(story, event), woke = event->cause != 0 ? ks_recording_find(story->recording, event->cause) : -1;
    if (woke < 0 || event_at(story, woke)->time == event->time) return cause;
    const ks_step *last = &story->steps.items[story->steps.count - 1];
    const ks_recorded *began = event_at(story, last->event);
    if (last->time == event->time && began->kind == event->kind && ks_string_equal(began->node, event->node)) return story->steps.count - 1;
    return add_step(story, KS_STEP_SUB, i, cause);
}

/* A commit that stands in the story: somebody said so, or the one before was refused and this one is not. */
typedef struct refusals { KS_VEC(ks_string) members; } refusals;

static bool is_noted(refusals *noted, ks_string member, bool forget) {
    for (int32_t m = 0; m < noted->members.count; m++) {
        if (!ks_string_equal(noted->members.items[m], member)) continue;
        if (forget) noted->members.items[m] = noted->members.items[--noted->members.count];
        return true;
    }
    return false;
}

static bool makes_good(refusals *noted, const ks_recorded *event) {
    if (event->kind == ks_describe_ev_offset_commit_refused()) {
        ks_string member = ((const ks_ev_offset_commit_refused *)event->fields)->member;
        if (member.size > 0 && !is_noted(noted, member, false)) KS_PUSH(noted->members, member);
    } else if (event->kind == ks_describe_ev_offsets_committed()) return is_noted(noted, ((const ks_ev_offsets_committed *)event->fields)->member, true);
    return false;
}

bool ks_story_skips(const ks_recorded *event) {
    if (event->kind != ks_describe_ev_position_reset()) return false;
    const ks_ev_position_reset *e = event->fields;
    return e->group.size > 0 && e->to > 0 && ks_string_equal(e->reason, KS_LITERAL("no_committed_offset"));
}

static void mark(ks_step *step, const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    if (step->group.size <= 0) {
        ks_string group = group_of(event);
        if (group.size > 0) step->group = group;
    }
    if (kind == ks_describe_ev_rebalance_started()) step->begins_rebalance = true;
    if (kind == ks_describe_ev_group_stabilised()) step->stable = true;
    if (kind == ks_describe_ev_group_state_changed()) {
        const ks_ev_group_state_changed *changed = event->fields;
        if (ks_string_equal(changed->to, KS_LITERAL("Stable"))) step->stable = true;
        if (ks_string_equal(changed->to, KS_LITERAL("PreparingRebalance"))) step->begins_rebalance = true;
    }
    if (ks_words_matters(kind) || ks_story_skips(event)) step->important = true;
    if (kind == ks_describe_ev_offsets_committed() && ((const ks_ev_offsets_committed *)event->fields)->member.size <= 0) step->important = true;
}

/* A question that is answered with an error changes nothing for anybody. */
static bool only_asks(int16_t key) {
    return key == KS_API_find_coordinator || key == KS_API_describe_groups || key == KS_API_consumer_group_describe || key == KS_API_list_groups ||
           key == KS_API_describe_configs || key == KS_API_describe_cluster || key == KS_API_describe_topic_partitions;
}

static bool is_commit(const ks_recorded *event) {
    return event->kind == ks_describe_ev_command() && ks_string_equal(((const ks_ev_command *)event->fields)->name, KS_LITERAL("commit"));
}

static bool is_refused(const ks_step *step) {
    return (step->kind == KS_STEP_REQUEST || step->kind == KS_STEP_REPLY) && step->error != 0 && !only_asks(step->api_key);
}

typedef struct refusal { /* of one client, its last one in the story */
    ks_string client;
    int32_t step;
    UT_hash_handle hh;
} refusal;

/* What is refused stands in the story; tried again and again in the same way, and with nothing else said of it, once. O(steps). */
static void tell_refusals(ks_story *story) {
    refusal *all = NULL, *one, *next;
    for (int32_t s = 0; s < story->steps.count; s++) {
        ks_step *step = &story->steps.items[s];
        if (step->kind != KS_STEP_REQUEST) {
            if (is_refused(step)) step->important = true;
            continue;
        }
        ks_string client = ((const ks_ev_request_received *)event_at(story, step->event)->fields)->from;
        KS_HASH_FIND_STRING(hh, all, client, one);
        if (!is_refused(step)) {
            if (one != NULL && step->important) one->step = -1;
            continue;
        }
        ks_step *former = one != NULL && one->step >= 0 ? &story->steps.items[one->step] : NULL;
        if (former != NULL && !step->important && former->api_key == step->api_key && former->error == step->error && ks_string_equal(former->group, step->group)) {
            former->repeats++;
            former->last_repeat = step->number;
            continue;
        }
        step->important = true;
        if (one == NULL) {
            one = ks_alloc(sizeof *one);
            one->client = client;
            KS_HASH_ADD_STRING(hh, all, client, one);
        }
        one->step = s;
    }
    HASH_ITER(hh, all, one, next) {
        HASH_DELETE(hh, all, one);
        ks_free(one);
    }
}

static void cut_into_steps(ks_story *story) {
    open_requests open = { 0 };
    refusals refused = { 0 };
    int32_t count = story->recording->events.count;
    story->step_of_event = ks_alloc((size_t)(count + 1) * sizeof *story->step_of_event);
    for (int32_t i = 0; i < count; i++) {
        const ks_recorded *event = event_at(story, i);
        const ks_struct *kind = event->kind;
        int32_t step;
        if (kind == ks_describe_ev_request_received()) step = on_request(story, i, &open);
        else if (kind == ks_describe_ev_response_sent()) step = on_response(story, i, &open);
        else if (is_command(kind)) step = add_step(story, KS_STEP_COMMAND, i, cause_step(story, event));
        else if (is_life(kind)) step = on_life(story, i);
        else if (changes_state(kind) || changes_client(kind)) step = on_change(story, i);
        else if (kind == ks_describe_ev_records_delivered()) step = on_delivery(story, i);
        else step = cause_step(story, event);
        story->step_of_event[i] = step;
        if (step < 0) continue;
        KS_PUSH(story->steps.items[step].facts, i);
        mark(&story->steps.items[step], event);
        if (makes_good(&refused, event)) story->steps.items[step].important = true;
    }
    ks_free(open.items);
    ks_free(refused.members.items);
    for (int32_t s = 0; s < story->steps.count; s++) {
        ks_step *step = &story->steps.items[s];
        if (step->kind == KS_STEP_COMMAND && event_at(story, step->event)->kind != ks_describe_ev_node_started()) step->important = true;
        if (is_refused(step)) continue;
        if (step->api_key == KS_API_offset_commit && step->cause >= 0 && is_commit(event_at(story, story->steps.items[step->cause].event))) step->important = true;
    }
    tell_refusals(story);
}

ks_story *ks_story_new(const ks_recording *recording) {
    ks_story *story = ks_alloc(sizeof *story);
    story->recording = recording;
    story->arena = ks_arena_new();
    cut_into_steps(story);
    ks_story_learn_members(story);
    ks_story_find_rebalances(story);
    ks_story_count_pauses(story);
    return story;
}

void ks_story_free(ks_story *story) {
    if (story == NULL) return;
    for (int32_t s = 0; s < story->steps.count; s++) ks_free(story->steps.items[s].facts.items);
    ks_free(story->steps.items);
    ks_free(story->rebalances.items);
    ks_free(story->pauses.items);
    ks_free(story->again.items);
    ks_free(story->step_of_event);
    ks_story_forget_members(story);
    ks_arena_free(story->arena);
    ks_free(story);
}

int32_t ks_story_find(const ks_story *story, const char *number) {
    char *end;
    if (*number < '0' || *number > '9') return -1;
    long main = strtol(number, &end, 10), sub = 0;
    if (*end == '.') {
        const char *digits = end + 1;
        if (*digits < '0' || *digits > '9') return -1;
        sub = strtol(digits, &end, 10);
    }
    if (*end != '\0' || main > INT32_MAX || sub > INT32_MAX) return -1;
    for (int32_t s = 0; s < story->steps.count; s++)
        if (story->steps.items[s].number == main && story->steps.items[s].sub == sub) return s;
    return -1;
}
