/* SPDX-License-Identifier: Apache-2.0
 * Why: the chain of causes of a step; why a group reached a generation, what that cost and what would have avoided it; what
 * became of one record.
 */
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"

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
    if (sentence.size > 0) {
        ks_buffer_text(out, "    ");
        ks_buffer_append(out, sentence.data, sentence.size);
        ks_buffer_text(out, "\n");
    }
    ks_buffer_deinit(&sentence);
}

void ks_why_step(const ks_story *story, int32_t step, ks_buffer *out) {
    line(story, step, "", out);
    int32_t at = step;
    /* Causes come before what they cause, so the chain ends. */
    while (story->steps.items[at].cause >= 0) {
        at = story->steps.items[at].cause;
        line(story, at, "because of ", out);
    }
    /* Beyond the first step: the command or call that began it. */
    const ks_recorded *event = event_at(story, story->steps.items[at].event);
    int32_t root = -1;
    for (uint64_t cause = event->cause; cause != 0;) {
        int32_t index = ks_recording_find(story->recording, cause);
        if (index < 0) break;
        root = index;
        cause = event_at(story, index)->cause;
    }
    if (root >= 0) {
        event = event_at(story, root);
        const ks_struct *kind = event->kind;
        ks_buffer_text(out, "which began with ");
        if KIND(request_sent) {
            ks_words_escape(FIELDS(request_sent)->from, out);
            ks_buffer_text(out, ", whose program or timer made it send a request");
        } else {
            ks_buffer clause = { 0 };
            if (ks_words_clause(story, root, &clause)) ks_buffer_append(out, clause.data, clause.size);
            else ks_buffer_text(out, ks_event_kind_name(kind));
            ks_buffer_deinit(&clause);
        }
        ks_buffer_printf(out, " (event %llu)\n", (unsigned long long)event->id);
    } else {
        ks_buffer_text(out, "which the program (or the scenario) did\n");
    }
}

/* ---- what would have avoided a rebalance: at most two settings each ---- */

typedef struct remedy { const char *reason, *words, *text, *settings[2]; } remedy; /* settings: to try with the same seed */
static const remedy remedies[] = {
    { "member_joined", "partition.assignment.strategy=cooperative-sticky, or group.protocol=consumer",
      "members that stay keep what they keep, and do not stop", { "partition.assignment.strategy=cooperative-sticky", "group.protocol=consumer" } },
    { "leader_rejoined", "partition.assignment.strategy=cooperative-sticky, or group.protocol=consumer",
      "only what moves is paused", { "partition.assignment.strategy=cooperative-sticky", "group.protocol=consumer" } },
    { "member_rejoined", "partition.assignment.strategy=cooperative-sticky", "only what moves is paused",
      { "partition.assignment.strategy=cooperative-sticky", NULL } },
    { "member_left", "group.instance.id (static membership)", "a restart within session.timeout.ms is then no rebalance", { NULL, NULL } },
    { "session_timeout", "session.timeout.ms higher, or group.instance.id with a quick restart",
      "the coordinator waits longer before it gives a silent member up", { "session.timeout.ms=600000", NULL } },
    { "max_poll_interval", "max.poll.interval.ms higher, or max.poll.records lower", "the member is then in time for its next poll",
      { "max.poll.interval.ms=3600000", "max.poll.records=1" } },
    { "sync_timeout", "max.poll.interval.ms higher", "the member has longer to ask for its assignment", { "max.poll.interval.ms=3600000", NULL } },
    { "metadata_changed", "metadata.max.age.ms higher, or group.protocol=consumer", "adding partitions then needs no pause",
      { "group.protocol=consumer", NULL } },
    { "static_replaced", "a group.instance.id of its own for each process", "two processes with one id evict each other", { NULL, NULL } },
    { NULL, NULL, NULL, { NULL, NULL } },
};

static bool polled_too_late(ks_string client_reason) {
    static const char words[] = "max.poll.interval";
    for (int32_t i = 0; i + (int32_t)sizeof words - 1 <= client_reason.size; i++)
        if (memcmp(client_reason.data + i, words, sizeof words - 1) == 0) return true;
    return false;
}

static void say_remedy(ks_string reason, ks_buffer *out) {
    for (const remedy *r = remedies; r->reason != NULL; r++) {
        if (!ks_string_equal(reason, ks_str(r->reason))) continue;
        ks_buffer_printf(out, "what would have avoided it or made it cheaper: %s: %s\n", r->words, r->text);
        return;
    }
}

static void say_costs(const ks_story *story, ks_string group, int32_t first, int32_t last, ks_buffer *out) {
    int32_t paused = 0;
    int64_t again = 0;
    for (int32_t p = 0; p < story->pauses.count; p++) {
        const ks_pause *pause = &story->pauses.items[p];
        if (!ks_string_equal(pause->group, group) || pause->revoked_step < first || pause->revoked_step > last) continue;
        paused++;
        again += pause->read_again;
        ks_buffer_text(out, "  ");
        ks_words_escape(pause->topic, out);
        ks_buffer_printf(out, "[%d] ", pause->partition);
        ks_words_escape(pause->before, out);
        ks_buffer_text(out, " -> ");
        ks_words_escape(pause->after.size > 0 ? pause->after : KS_LITERAL("nobody"), out);
        if (pause->to > 0) {
            ks_buffer_text(out, ", paused for ");
            ks_words_seconds(pause->to - pause->from, out);
        } else ks_buffer_text(out, ", not read again in this run");
        if (pause->read_again > 0) ks_buffer_printf(out, ", %lld read again", (long long)pause->read_again);
        ks_buffer_text(out, "\n");
    }
    ks_buffer_printf(out, "what it cost: %d partition%s paused, %lld message%s read again\n", paused, paused == 1 ? "" : "s",
                     (long long)again, again == 1 ? "" : "s");
}

bool ks_why_generation(const ks_story *story, const char *group, int32_t generation, ks_buffer *out) {
    int32_t reached = -1, began = -1;
    for (int32_t i = 0; i < story->recording->events.count && reached < 0; i++) {
        const ks_recorded *event = event_at(story, i);
        const ks_struct *kind = event->kind;
        if (KIND(rebalance_started) && ks_string_equal(FIELDS(rebalance_started)->group, ks_str(group))) began = i;
        if (KIND(join_phase_completed) && ks_string_equal(FIELDS(join_phase_completed)->group, ks_str(group)) &&
            FIELDS(join_phase_completed)->generation == generation)
            reached = i;
    }
    if (reached < 0) return false;
    ks_buffer_printf(out, "generation %d of ", generation);
    ks_words_escape(ks_str(group), out);
    ks_buffer_text(out, "\n");
    int32_t last = story->step_of_event[reached], first = began >= 0 ? story->step_of_event[began] : last;
    if (last >= 0) line(story, last, "reached at ", out);
    if (began >= 0 && first >= 0) {
        ks_buffer_text(out, "triggered at ");
        ks_why_step(story, first, out);
    }
    /* Its consequences are over when the next rebalance begins, or the run ends. */
    int32_t until = story->steps.count - 1;
    for (int32_t s = last + 1; s < story->steps.count; s++)
        if (story->steps.items[s].begins_rebalance && ks_string_equal(story->steps.items[s].group, ks_str(group))) {
            until = s - 1;
            break;
        }
    say_costs(story, ks_str(group), first, until, out);
    if (began >= 0) {
        const ks_ev_rebalance_started *started = event_at(story, began)->fields;
        say_remedy(polled_too_late(started->client_reason) ? KS_LITERAL("max_poll_interval") : started->reason, out);
    }
    return true;
}

/* The rebalance that led to the generation: index of its rebalance_started; -1: the trace has none. */
static int32_t rebalance_of(const ks_story *story, const char *group, int32_t generation) {
    int32_t began = -1;
    for (int32_t i = 0; i < story->recording->events.count; i++) {
        const ks_recorded *event = event_at(story, i);
        const ks_struct *kind = event->kind;
        if (KIND(rebalance_started) && ks_string_equal(FIELDS(rebalance_started)->group, ks_str(group))) began = i;
        if (KIND(join_phase_completed) && ks_string_equal(FIELDS(join_phase_completed)->group, ks_str(group)) &&
            FIELDS(join_phase_completed)->generation == generation)
            return began;
    }
    return -1;
}

const char *ks_why_remedy(const ks_story *story, const char *group, int32_t generation, int32_t index) {
    int32_t began = rebalance_of(story, group, generation);
    if (began < 0 || index < 0 || index > 1) return NULL;
    const ks_ev_rebalance_started *started = event_at(story, began)->fields;
    ks_string reason = polled_too_late(started->client_reason) ? KS_LITERAL("max_poll_interval") : started->reason;
    for (const remedy *r = remedies; r->reason != NULL; r++)
        if (ks_string_equal(reason, ks_str(r->reason))) return r->settings[index];
    return NULL;
}

ks_cost ks_why_cost(const ks_story *story, const char *group) {
    ks_cost cost = { 0 };
    for (int32_t p = 0; p < story->pauses.count; p++) {
        const ks_pause *pause = &story->pauses.items[p];
        if (!ks_string_equal(pause->group, ks_str(group))) continue;
        int64_t ns = pause->to > 0 ? pause->to - pause->from : 0;
        cost.paused++;
        cost.together_ns += ns;
        if (ns > cost.longest_ns) cost.longest_ns = ns;
        cost.read_again += pause->read_again;
    }
    return cost;
}

bool ks_why_record(const ks_story *story, const char *topic, int32_t partition, int64_t offset, ks_buffer *out) {
    bool found = false;
    int32_t times = 0;
    for (int32_t i = 0; i < story->recording->events.count; i++) {
        const ks_recorded *event = event_at(story, i);
        const ks_struct *kind = event->kind;
        bool here = false;
        if (KIND(records_appended)) {
            const ks_ev_records_appended *e = event->fields;
            here = e->partition == partition && ks_string_equal(e->topic, ks_str(topic)) && offset >= e->base_offset && offset <= e->last_offset;
            found = found || here;
        } else if (KIND(records_delivered)) {
            const ks_ev_records_delivered *e = event->fields;
            here = e->partition == partition && ks_string_equal(e->topic, ks_str(topic)) && offset >= e->first_offset && offset <= e->last_offset;
            times += here;
        } else if (KIND(offsets_committed)) {
            const ks_ev_offsets_committed *e = event->fields;
            here = e->partition == partition && ks_string_equal(e->topic, ks_str(topic)) && e->offset == offset + 1;
        }
        if (!here) continue;
        ks_words_seconds(event->time - story->recording->start, out);
        ks_buffer_text(out, "  ");
        ks_words_clause(story, i, out);
        int32_t step = story->step_of_event[i];
        if (step >= 0) ks_buffer_printf(out, "  (step %d%s%.0d)", story->steps.items[step].number, story->steps.items[step].sub ? "." : "", story->steps.items[step].sub);
        ks_buffer_text(out, "\n");
    }
    if (found) ks_buffer_printf(out, "delivered %d time%s\n", times, times == 1 ? "" : "s");
    return found;
}
