/* SPDX-License-Identifier: Apache-2.0
 * Why a group reached a generation: who triggered the rebalance, what it moved, what it cost, and what became of it in another run.
 */
#include "sim/explain/remedies.h"
#include "sim/explain/words.h"
#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

#include <stdio.h>

enum { NAMED = 24 }; /* partitions that are listed; the rest is counted */

static const ks_recorded *event_at(const ks_story *story, int32_t index) { return &story->recording->events.items[index]; }

int32_t ks_why_rebalance(const ks_story *story, const char *group, int32_t generation) {
    for (int32_t r = story->rebalances.count - 1; r >= 0; r--)
        if (story->rebalances.items[r].generation == generation && ks_string_equal(story->rebalances.items[r].group, ks_str(group))) return r;
    return -1;
}

/* When the first record was written; 0: none was. Before that nobody could miss anything: a group that gathers pays nothing. */
static int64_t first_written(const ks_story *story) {
    for (int32_t i = 0; i < story->recording->events.count; i++) {
        const ks_recorded *event = event_at(story, i);
        if (event->kind != ks_describe_ev_records_appended()) continue;
        if (!ks_topic_is_internal(((const ks_ev_records_appended *)event->fields)->topic)) return event->time;
    }
    return 0;
}

ks_cost ks_why_cost(const ks_story *story, ks_string group, int32_t rebalance) {
    ks_cost cost = { .took_ns = -1 };
    int64_t written = rebalance < 0 ? first_written(story) : 0;
    const ks_rebalance *one = rebalance >= 0 ? &story->rebalances.items[rebalance] : NULL;
    if (one != NULL && one->settled >= 0) cost.took_ns = event_at(story, one->settled)->time - event_at(story, one->began)->time;
    for (int32_t p = 0; p < story->pauses.count; p++) {
        const ks_pause *pause = &story->pauses.items[p];
        if ((group.size >= 0 && !ks_string_equal(pause->group, group)) || (rebalance >= 0 && pause->rebalance != rebalance)) continue;
        if (rebalance < 0 && pause->to > 0 && pause->to < written) continue;
        int64_t ns = pause->to > 0 ? pause->to - pause->from : 0;
        cost.paused++;
        cost.not_back += pause->to == 0;
        cost.moved += pause->after.size > 0 && !ks_string_equal(pause->before, pause->after);
        cost.together_ns += ns;
        cost.read_again += pause->read_again;
        cost.lag += pause->lag;
        if (ns > cost.longest_ns) cost.longest_ns = ns;
    }
    return cost;
}

/* ---- what happened ---- */

/* "step 12" or "step 12.3" */
static void step_name(const ks_story *story, int32_t index, ks_buffer *out) {
    const ks_step *step = &story->steps.items[index];
    ks_buffer_printf(out, step->sub > 0 ? "step %d.%d" : "step %d", step->number, step->sub);
}

static void say_trigger(const ks_speaker *s, const ks_rebalance *r, int32_t step) {
    const ks_ev_rebalance_started *e = event_at(s->story, r->began)->fields;
    const ks_step *at = &s->story->steps.items[step];
    ks_tell(s, "triggered ");
    if (e->member.size > 0) ks_tell(s, "by %m, ", e->member);
    if (at->kind == KS_STEP_REQUEST) ks_tell(s, "with a %c in ", ks_api_name(at->api_key));
    else if (at->kind == KS_STEP_TIMER) ks_tell(s, "by a time-out in ");
    else ks_tell(s, "in ");
    step_name(s->story, step, s->out);
    ks_tell(s, ": ");
    ks_tell_reason(s, e->reason, e->member);
    if (e->client_reason.size > 0 && !ks_words_is_id_reason(e->client_reason)) ks_tell(s, "; it says \"%s\"", e->client_reason);
    ks_tell(s, "\n");
}

static void say_pause(const ks_speaker *s, const ks_pause *pause, int32_t width) {
    ks_tell(s, "  ");
    size_t start = s->out->size;
    ks_tell_partition(s, pause->topic, pause->partition);
    for (size_t i = s->out->size - start; i < (size_t)width; i++) ks_tell(s, " ");
    ks_tell(s, "  %s -> %s", ks_words_former_owner(s->story, pause), pause->after.size > 0 ? pause->after : KS_LITERAL("nobody"));
    if (pause->to > 0) ks_tell(s, ", paused for %t", pause->to - pause->from);
    else ks_tell(s, ", did not come again in this run");
    if (pause->lag > 0) ks_tell(s, ", a lag of %d", pause->lag);
    if (pause->read_again > 0) ks_tell(s, ", %d read again", pause->read_again);
    ks_tell(s, "\n");
}

static void say_pauses(const ks_speaker *s, int32_t rebalance) {
    const ks_story *story = s->story;
    int32_t width = 0, named = 0, more = 0;
    for (int32_t p = 0; p < story->pauses.count; p++) {
        const ks_pause *pause = &story->pauses.items[p];
        int32_t size = pause->topic.size + (pause->partition > 99 ? 5 : pause->partition > 9 ? 4 : 3);
        if (pause->rebalance == rebalance && size > width) width = size;
    }
    for (int32_t p = 0; p < story->pauses.count; p++) {
        if (story->pauses.items[p].rebalance != rebalance) continue;
        if (named == 0) ks_tell(s, "what was given up, and where it went:\n");
        if (named++ < NAMED) say_pause(s, &story->pauses.items[p], width);
        else more++;
    }
    if (more > 0) ks_tell(s, "  and %d more\n", (int64_t)more);
}

static void say_cost(const ks_speaker *s, const ks_cost *c) {
    if (c->paused == 0) {
        ks_tell(s, "what it cost: nothing, nobody had to give anything up\n");
        return;
    }
    ks_tell(s, "what it cost: %d partition%c paused", (int64_t)c->paused, c->paused == 1 ? "" : "s");
    if (c->paused > c->not_back) ks_tell(s, c->paused == 1 ? ", for %t" : ", the longest for %t", c->longest_ns);
    if (c->not_back > 0) ks_tell(s, "; %d did not come again in this run", (int64_t)c->not_back);
    ks_tell(s, "; %d moved to another owner", (int64_t)c->moved);
    if (c->lag > 0) ks_tell(s, c->paused == 1 ? "; a lag of %d when it came again" : "; a lag of %d when they came again", c->lag);
    ks_tell(s, "; %d message%c read again\n", c->read_again, c->read_again == 1 ? "" : "s");
}

void ks_why_generation(const ks_story *story, int32_t rebalance, ks_buffer *out) {
    const ks_rebalance *r = &story->rebalances.items[rebalance];
    ks_speaker s = { story, out, r->began };
    int32_t first = story->step_of_event[r->began], last = r->settled >= 0 ? story->step_of_event[r->settled] : -1;
    bool modern = strcmp(ks_why_client(story, rebalance), "consumer") == 0;
    ks_tell(&s, modern ? "epoch %d of %s" : "generation %d of %s", (int64_t)r->generation, r->group);
    if (last >= 0) {
        ks_tell(&s, ": everybody has what it should have in ");
        step_name(story, last, out);
        ks_tell(&s, ", %t after the rebalance began\n", story->steps.items[last].time - story->steps.items[first].time);
    } else ks_tell(&s, r->next >= 0 ? ": another rebalance began before everybody had what it should have\n" : ": not everybody has what it should have when the run ends\n");
    say_trigger(&s, r, first);
    ks_why_step(story, first, out);
    say_pauses(&s, rebalance);
    ks_cost cost = ks_why_cost(story, r->group, rebalance);
    say_cost(&s, &cost);
}

/* ---- what would have avoided it ---- */

void ks_why_say_advice(const ks_advice *advice, ks_buffer *out) {
    ks_buffer_printf(out, "  %s", advice->row->name);
    if (advice->value[0] != '\0') ks_buffer_printf(out, "=%s", advice->value);
    else ks_buffer_printf(out, " (%s)", advice->row->value);
    if (advice->row->of_brokers) ks_buffer_text(out, " of the brokers");
    ks_buffer_printf(out, ": %s\n", advice->no_help != NULL ? advice->no_help : advice->row->does);
}

/* The same one in another run: as many rebalances with that reason by that client came before it. */
static int32_t counterpart(const ks_story *story, int32_t rebalance, const ks_story *other) {
    const ks_ev_rebalance_started *e = event_at(story, story->rebalances.items[rebalance].began)->fields;
    ks_string client = ks_words_member(story, -1, e->member);
    int32_t before = 0;
    for (int32_t pass = 0; pass < 2; pass++) {
        const ks_story *in = pass == 0 ? story : other;
        int32_t end = pass == 0 ? rebalance : in->rebalances.count;
        for (int32_t r = 0; r < end; r++) {
            const ks_ev_rebalance_started *o = event_at(in, in->rebalances.items[r].began)->fields;
            if (!ks_string_equal(o->group, e->group) || !ks_string_equal(o->reason, e->reason) ||
                !ks_string_equal(ks_words_member(in, -1, o->member), client))
                continue;
            if (pass == 0) before++;
            else if (before-- == 0) return r;
        }
    }
    return -1;
}

typedef void tell_fn(const ks_speaker *s, int64_t value);
static void tell_partitions(const ks_speaker *s, int64_t n) { ks_tell(s, n == 0 ? "no partition paused" : n == 1 ? "1 partition paused" : "%d partitions paused", n); }
static void tell_messages(const ks_speaker *s, int64_t n) { ks_tell(s, n == 0 ? "no message read again" : n == 1 ? "1 message read again" : "%d messages read again", n); }
static void tell_longest(const ks_speaker *s, int64_t ns) { ks_tell(s, "the longest for %t", ns); }
static void tell_lag(const ks_speaker *s, int64_t n) { ks_tell(s, "a lag of %d", n); }
static void tell_took(const ks_speaker *s, int64_t ns) { ks_tell(s, "it takes %t", ns); }

/* "it takes 500 ms instead of 2 s", "still 3 partitions paused" */
static void change(const ks_speaker *s, tell_fn *tell, int64_t now, int64_t was, bool duration, const char *before) {
    ks_tell(s, "%c", before);
    if (now == was && !duration) ks_tell(s, "still ");
    tell(s, now);
    if (now != was) ks_tell(s, duration ? " instead of %t" : " instead of %d", was);
    else if (duration) ks_tell(s, ", as before");
}

/* Does it pay? How many partitions stood still, how long together, how many for good, what piled up, what came twice; a change by less
 * than a hundredth is none. */
static void verdict(const ks_speaker *s, const ks_cost *now, const ks_cost *was) {
    const int64_t pairs[][2] = { { now->paused, was->paused }, { now->together_ns, was->together_ns }, { now->not_back, was->not_back },
                                 { now->lag, was->lag }, { now->read_again, was->read_again } };
    bool better = false, worse = false;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        int64_t more = pairs[i][0] - pairs[i][1], slack = pairs[i][1] / 100;
        better = better || -more > slack;
        worse = worse || more > slack;
    }
    if (better && worse) ks_tell(s, " Here it helps with one thing and costs another.");
    else if (worse) ks_tell(s, " No help here: it makes things worse.");
    else if (better) ks_tell(s, " It helps here.");
}

static void compare(const ks_speaker *s, const ks_cost *now, const ks_cost *was) {
    if (now->took_ns >= 0 && was->took_ns >= 0) change(s, tell_took, now->took_ns, was->took_ns, true, "");
    change(s, tell_partitions, now->paused, was->paused, false, now->took_ns >= 0 && was->took_ns >= 0 ? "; " : "");
    if (now->paused > now->not_back) change(s, tell_longest, now->longest_ns, was->longest_ns, true, ", ");
    if (now->not_back > 0) ks_tell(s, now->not_back == now->paused ? ", not again in that run" : ", %d of them not again in that run", (int64_t)now->not_back);
    if (now->lag > 0 || was->lag > 0) change(s, tell_lag, now->lag, was->lag, false, "; ");
    if (now->read_again > 0 || was->read_again > 0) change(s, tell_messages, now->read_again, was->read_again, false, "; ");
    ks_tell(s, ".");
    verdict(s, now, was);
    ks_tell(s, "\n");
}

void ks_why_tried(const ks_story *story, int32_t rebalance, const ks_story *other, ks_buffer *out) {
    ks_speaker s = { story, out, -1 };
    ks_string group = story->rebalances.items[rebalance].group;
    int32_t same = counterpart(story, rebalance, other);
    ks_tell(&s, "      tried with the same seed: ");
    if (same < 0) {
        ks_cost now = ks_why_cost(other, group, -1), was = ks_why_cost(story, group, -1);
        ks_tell(&s, "this rebalance does not happen. In the whole run: ");
        compare(&s, &now, &was);
        return;
    }
    ks_cost now = ks_why_cost(other, group, same), was = ks_why_cost(story, group, rebalance);
    bool equal = now.paused == was.paused && now.longest_ns == was.longest_ns && now.read_again == was.read_again && now.lag == was.lag && now.took_ns == was.took_ns && now.not_back == was.not_back;
    ks_tell(&s, equal ? "the rebalance still happens, and costs the same.\n" : "the rebalance still happens: ");
    if (!equal) compare(&s, &now, &was);
}
