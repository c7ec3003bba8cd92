/* SPDX-License-Identifier: Apache-2.0
 * The sentence of a step: the clauses of its events, each in its place, and one clause for many where many say the same. A step
 * whose events say nothing gets the sentence of its request.
 */
#include "sim/explain/words.h"

#include <kafkasim/error.h>

#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

typedef struct telling {
    ks_speaker s;
    const ks_step *step;
    int32_t index;
    uint8_t *places; /* of each fact */
    int32_t counts[KS_PLACE_COUNT];
    bool stops_broker; /* it is the command that does */
} telling;

static const ks_recorded *fact(const telling *t, int32_t f) { return &t->s.story->recording->events.items[t->step->facts.items[f]]; }

static const ks_recorded *find_fact(const telling *t, const ks_struct *kind, ks_place place) {
    if (t->counts[place] == 0) return NULL;
    for (int32_t f = 0; f < t->step->facts.count; f++)
        if (fact(t, f)->kind == kind) return fact(t, f);
    return NULL;
}

/* A blank between two sentences. */
static void next(const telling *t) {
    const ks_buffer *out = t->s.out;
    if (out->size > 0 && out->data[out->size - 1] != ' ') ks_buffer_text(t->s.out, " ");
}

static void trim(ks_buffer *out) {
    while (out->size > 0 && out->data[out->size - 1] == ' ') out->size--;
}

static void each_clause(const telling *t, ks_place place) {
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != place) continue;
        next(t);
        ks_words_clause(t->s.story, t->step->facts.items[f], t->s.out);
    }
}

/* ", " before the second and later; false when enough are named. */
static bool list_item(const telling *t, int32_t *named, int32_t *more) {
    if (*named == KS_WORDS_NAMED) {
        (*more)++;
        return false;
    }
    if ((*named)++ > 0) ks_tell(&t->s, ", ");
    return true;
}

static void list_end(const telling *t, int32_t more) {
    if (more > 0) ks_tell(&t->s, " and %d more", (int64_t)more);
    ks_tell(&t->s, ".");
}

/* ---- commands and the cluster ---- */

typedef struct doing { const char *command, *does; } doing;
/* What a command does that has no event of its own. %s: its arguments. */
static const doing doings[] = {
    { "join", "%s sets out to find its group's coordinator." },
    { "leave", "%s is to be closed." },
    { "cut", "Nothing passes between %s any more: what is sent waits, and nobody is told." },
    { "heal", "The link between %s works again: what waited arrives." },
    { "reset", "The connections between %s break, with what was under way on them." },
    { "release", "What the rule \"%s\" held back goes on." },
    { "expire_session", "The coordinator is made to believe that the session of %s is over." },
};

static ks_string first_word(ks_string text) {
    int32_t end = 0;
    while (end < text.size && text.data[end] != ' ') end++;
    return (ks_string){ text.data, end };
}

/* "A broker-1" becomes "A and broker-1" */
static void ends_of_link(const telling *t, ks_string text) {
    ks_string a = first_word(text), b = { text.data + a.size + 1, text.size - a.size - 1 };
    if (b.size >= 12 && memcmp(b.data, "every broker", 12) == 0) ks_tell(&t->s, "%s and every broker", a);
    else if (b.size > 0) ks_tell(&t->s, "%s and %s", a, first_word(b));
    else ks_tell(&t->s, "%s", a);
}

/* "A broker-1 200 ms", "A every broker default" */
static void delay(const telling *t, ks_string arguments) {
    ks_string last = arguments;
    for (int32_t i = 0; i < arguments.size; i++) /* from the first digit after a blank, or the last word */
        if (arguments.data[i] == ' ' && (last.data == arguments.data || last.data[0] < '0' || last.data[0] > '9'))
            last = (ks_string){ arguments.data + i + 1, arguments.size - i - 1 };
    bool ends = ks_string_equal(last, KS_LITERAL("default"));
    ks_tell(&t->s, "From now on what passes between ");
    ends_of_link(t, arguments);
    if (ends) ks_tell(&t->s, " takes as long as at first again.");
    else ks_tell(&t->s, " takes %s each way.", last);
}

/* What a command does, when no event says so; that it was given stands above (ks_words_protocol). */
static void command(const telling *t) {
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        const ks_recorded *event = fact(t, f);
        const ks_struct *kind = event->kind;
        if (t->places[f] != KS_PLACE_COMMAND) continue;
        next(t);
        if (KIND(node_crashed) && t->stops_broker) ks_tell(&t->s, "%s stops.", FIELDS(node_crashed)->name);
        else if (!KIND(command)) ks_words_clause(t->s.story, t->step->facts.items[f], t->s.out);
        else if (ks_string_equal(FIELDS(command)->name, KS_LITERAL("expectation_failed"))) ks_tell(&t->s, "%s", FIELDS(command)->arguments);
        else if (t->counts[KS_PLACE_COMMAND] == 1 && t->counts[KS_PLACE_CLIENT] == 0) {
            const ks_ev_command *e = event->fields;
            if (ks_string_equal(e->name, KS_LITERAL("delay"))) delay(t, e->arguments);
            for (size_t d = 0; d < sizeof doings / sizeof *doings; d++) {
                if (!ks_string_equal(e->name, ks_str(doings[d].command))) continue;
                const char *at = strstr(doings[d].does, "%s");
                ks_buffer_append(t->s.out, doings[d].does, (size_t)(at - doings[d].does));
                bool link = d >= 2 && d <= 4;
                if (link) ends_of_link(t, e->arguments);
                else ks_tell(&t->s, "%s", first_word(e->arguments));
                ks_buffer_text(t->s.out, at + 2);
            }
        }
    }
}

/* "t[0] and 17 partitions of __consumer_offsets are now led by broker 2, because ...": once for each new leader. */
static void leaders(const telling *t) {
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != KS_PLACE_LEADER) continue;
        const ks_ev_leader_changed *first = fact(t, f)->fields;
        int32_t named = 0, more = 0, internal = 0;
        next(t);
        for (int32_t o = f; o < t->step->facts.count; o++) {
            const ks_ev_leader_changed *e = t->places[o] == KS_PLACE_LEADER ? fact(t, o)->fields : NULL;
            if (e == NULL || e->to != first->to || !ks_string_equal(e->reason, first->reason)) continue;
            t->places[o] = KS_PLACE_NONE;
            if (ks_topic_is_internal(e->topic)) internal++;
            else if (list_item(t, &named, &more)) ks_tell_partition(&t->s, e->topic, e->partition);
        }
        if (more > 0) ks_tell(&t->s, ", %d more", (int64_t)more);
        if (internal > 0) ks_tell(&t->s, "%c", named > 0 ? " and " : "");
        if (internal == 1 && named == 0) ks_tell_partition(&t->s, first->topic, first->partition);
        else if (internal > 0) ks_tell(&t->s, "%d partition%c of __consumer_offsets", (int64_t)internal, internal == 1 ? "" : "s");
        bool one = named + more + internal == 1;
        if (first->to < 0) ks_tell(&t->s, one ? " has no leader any more" : " have no leader any more");
        else ks_tell(&t->s, one ? " is now led by broker %d" : " are now led by broker %d", (int64_t)first->to);
        ks_tell(&t->s, ", because ");
        ks_tell_reason(&t->s, first->reason, KS_NULL_STRING);
        ks_tell(&t->s, ".");
    }
}

/* ---- the coordinator ---- */

/* The clause of a rebalance that begins: why, unless the sentence before has just said it. */
static void rebalance_begins(const telling *t) {
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        const ks_recorded *event = fact(t, f);
        const ks_struct *kind = event->kind;
        if (t->places[f] != KS_PLACE_REBALANCE) continue;
        next(t);
        if (!KIND(rebalance_started) || t->counts[KS_PLACE_MEMBER] == 0) {
            ks_words_clause(t->s.story, t->step->facts.items[f], t->s.out);
        } else ks_tell(&t->s, "That begins a rebalance.");
        if (!KIND(rebalance_started)) continue;
        const ks_ev_rebalance_started *e = event->fields;
        bool plain = e->client_reason.size <= 0 || t->counts[KS_PLACE_MEMBER] > 0 || ks_words_is_id_reason(e->client_reason);
        if (!plain) ks_tell(&t->s, " It says: \"%s\".", e->client_reason);
    }
}

/* "g: Empty -> PreparingRebalance -> CompletingRebalance." for each group; not what "g is Stable" says anyway. */
static void states(const telling *t) {
    ks_string group = KS_NULL_STRING;
    bool is_stable = find_fact(t, ks_describe_ev_group_stabilised(), KS_PLACE_STABLE) != NULL, emptied = false;
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != KS_PLACE_STATE) continue;
        const ks_ev_group_state_changed *e = fact(t, f)->fields;
        if (is_stable && ks_string_equal(e->from, KS_LITERAL("CompletingRebalance")) && ks_string_equal(e->to, KS_LITERAL("Stable"))) continue;
        if (!ks_string_equal(e->group, group)) {
            if (group.size >= 0) ks_tell(&t->s, ".");
            next(t);
            ks_tell(&t->s, "%s: %s", e->group, e->from);
        }
        ks_tell(&t->s, " -> %s", e->to);
        emptied = ks_string_equal(e->to, KS_LITERAL("Empty"));
        group = e->group;
    }
    if (group.size >= 0) ks_tell(&t->s, ".");
    if (emptied) ks_tell(&t->s, " Nobody is left; the group and its committed offsets stay.");
}

/* Whom the coordinator waits for; nothing when the same step says that the waiting is over. */
static void held(const telling *t) {
    if (t->counts[KS_PLACE_JOINED] > 0) return;
    const ks_recorded *parked = find_fact(t, ks_describe_ev_join_parked(), KS_PLACE_HELD);
    const ks_recorded *began = find_fact(t, ks_describe_ev_rebalance_started(), KS_PLACE_REBALANCE);
    if (parked == NULL && began == NULL) return;
    int64_t timeout_ms = began != NULL ? ((const ks_ev_rebalance_started *)began->fields)->timeout_ms : 0;
    if (t->step->waits_for.size > 0) {
        next(t);
        ks_buffer_text(t->s.out, began != NULL ? "The coordinator now waits for " : "The coordinator still waits for ");
        ks_buffer_append(t->s.out, t->step->waits_for.data, (size_t)t->step->waits_for.size);
        ks_buffer_text(t->s.out, " to join again");
    } else if (parked != NULL) {
        next(t);
        ks_tell(&t->s, "Nobody is answered yet: the coordinator waits in case others are starting too");
    } else return;
    if (timeout_ms > 0) ks_tell(&t->s, ", at most %t", timeout_ms * KS_MS);
    ks_tell(&t->s, ".");
}

/* "g is Stable in generation 2: c1=orders[0], c2=orders[1,2]." */
static void stable(const telling *t) {
    int32_t named = 0, more = 0;
    const ks_recorded *done = find_fact(t, ks_describe_ev_group_stabilised(), KS_PLACE_STABLE);
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        const ks_recorded *event = fact(t, f);
        const ks_struct *kind = event->kind;
        if (!KIND(group_assignment_stored)) continue;
        const ks_ev_group_assignment_stored *e = event->fields;
        if (named == 0) {
            next(t);
            ks_tell(&t->s, done ? "%s is Stable in generation %d: " : "The plan for %s in generation %d: ", e->group, (int64_t)e->generation);
        }
        if (!list_item(t, &named, &more)) continue;
        ks_tell(&t->s, "%w=%s", e->member, e->client_id,
                e->assignment.size > 0 ? e->assignment : e->assignment.size == 0 ? KS_LITERAL("nothing") : KS_LITERAL("what only it can read"));
    }
    if (named > 0) list_end(t, more);
    else each_clause(t, KS_PLACE_STABLE);
}

/* "... who should have what in epoch 2 of g (uniform): A=o[0,1], B=o[2,3]." */
static void target(const telling *t) {
    int32_t named = 0, more = 0;
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        const ks_recorded *event = fact(t, f);
        const ks_struct *kind = event->kind;
        if (KIND(target_assignment_computed)) {
            next(t);
            ks_words_clause(t->s.story, t->step->facts.items[f], t->s.out);
        } else if (KIND(group_member_target_changed)) {
            if (named == 0) ks_tell(&t->s, " What changes: ");
            if (!list_item(t, &named, &more)) continue;
            const ks_ev_group_member_target_changed *e = event->fields;
            ks_tell(&t->s, "%w=%s", e->member, e->client_id, e->target.size > 0 ? e->target : KS_LITERAL("nothing"));
        }
    }
    if (named > 0) list_end(t, more);
}

static bool is_sole_word(const ks_ev_group_member_reconciled *e, ks_string target) {
    return ks_string_equal(e->state, KS_LITERAL("STABLE")) && ks_string_equal(e->assigned, target);
}

/* Who gets its whole target in the step that computes it is told so in three words. */
static void reconciled(const telling *t) {
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != KS_PLACE_RECONCILED) continue;
        const ks_ev_group_member_reconciled *e = fact(t, f)->fields;
        bool at_once = false;
        for (int32_t o = 0; o < f && t->counts[KS_PLACE_TARGET] > 0; o++) {
            const ks_recorded *event = fact(t, o);
            const ks_struct *kind = event->kind;
            if (KIND(group_member_target_changed) && ks_string_equal(FIELDS(group_member_target_changed)->member, e->member))
                at_once = is_sole_word(e, FIELDS(group_member_target_changed)->target);
        }
        next(t);
        if (at_once) ks_tell(&t->s, "%w may have it at once.", e->member, e->client_id);
        else ks_words_clause(t->s.story, t->step->facts.items[f], t->s.out);
    }
}

/* ---- offsets ---- */

static void committed(const telling *t) {
    int32_t named = 0, more = 0;
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != KS_PLACE_COMMITTED) continue;
        const ks_ev_offsets_committed *e = fact(t, f)->fields;
        if (named == 0) {
            next(t);
            if (e->member.size > 0) ks_tell(&t->s, "%m commits ", e->member);
            else ks_tell(&t->s, "The committed offsets of %s are set from outside: ", e->group);
        }
        more += ks_tell_offsets(&t->s, e->topic, e->partitions.items, e->partitions.count, e->count, &named);
    }
    if (named > 0) list_end(t, more);
}

/* "B's commit of o[0] at 5, o[1] at 7 is refused: ILLEGAL_GENERATION, ...", once for each error. */
static void refused(const telling *t) {
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != KS_PLACE_REFUSED) continue;
        const ks_ev_offset_commit_refused *first = fact(t, f)->fields;
        int32_t named = 0, more = 0;
        next(t);
        ks_tell(&t->s, first->member.size > 0 ? "%m's commit of " : "The commit of ", first->member);
        for (int32_t o = f; o < t->step->facts.count; o++) {
            const ks_ev_offset_commit_refused *e = t->places[o] == KS_PLACE_REFUSED ? fact(t, o)->fields : NULL;
            if (e == NULL || e->error_code != first->error_code) continue;
            t->places[o] = KS_PLACE_NONE;
            more += ks_tell_offsets(&t->s, e->topic, e->partitions.items, e->partitions.count, e->count, &named);
        }
        if (more > 0) ks_tell(&t->s, " and %d more", (int64_t)more);
        ks_tell(&t->s, " is refused: %c, %c.", kafka_error_name((kafka_error)first->error_code), kafka_error_text((kafka_error)first->error_code));
    }
}

/* ---- clients ---- */

static void step_number(const telling *t, int32_t step, ks_buffer *out) {
    const ks_step *at = &t->s.story->steps.items[step];
    if (at->sub > 0) ks_buffer_printf(out, "%d.%d", at->number, at->sub);
    else ks_buffer_printf(out, "%d", at->number);
}

/* After what was given up: until when nothing of it is fetched. `named`: so many partitions stand in the sentence before; 0: none. */
static void until_when(const telling *t, int32_t named) {
    const ks_story *story = t->s.story;
    int32_t first = -1, last = -1, never = 0, count = 0;
    for (int32_t p = t->step->first_paused; p >= 0; p = story->pauses.items[p].next_paused) {
        const ks_pause *pause = &story->pauses.items[p];
        count++;
        if (pause->resumed_step < 0) {
            never++;
            continue;
        }
        if (first < 0 || pause->resumed_step < first) first = pause->resumed_step;
        if (pause->resumed_step > last) last = pause->resumed_step;
    }
    if (count == 0) return;
    const ks_pause *pause = &story->pauses.items[t->step->first_paused];
    next(t);
    if (named == 1) ks_tell(&t->s, "It is not fetched again");
    else if (named > 0 && count == 1) { /* the others go on elsewhere */
        ks_tell_partition(&t->s, pause->topic, pause->partition);
        ks_tell(&t->s, " is not fetched again");
    } else if (named > 0) ks_tell(&t->s, "Nothing of it is fetched again");
    else if (count == 1) { /* who was removed may well fetch on: brokers do not ask whose a partition is */
        ks_tell(&t->s, "%s had ", pause->before);
        ks_tell_partition(&t->s, pause->topic, pause->partition);
        ks_tell(&t->s, ", which no member fetches again");
    } else ks_tell(&t->s, "No member fetches anything of the %d partitions that %s had", (int64_t)count, pause->before);
    if (never == count) {
        ks_tell(&t->s, story->recording->goes_on ? " so far." : " in this run.");
        return;
    }
    ks_tell(&t->s, " until step ");
    step_number(t, first, t->s.out);
    if (last != first) {
        ks_tell(&t->s, ", the last of it in step ");
        step_number(t, last, t->s.out);
    }
    if (never > 0) ks_tell(&t->s, story->recording->goes_on ? "; %d of them not at all so far" : "; %d of them not at all in this run", (int64_t)never);
    ks_tell(&t->s, ".");
}

static void count_one(void *context, ks_string topic, int32_t partition) {
    (void)topic;
    (void)partition;
    ++*(int32_t *)context;
}

static void client(const telling *t, bool whole) {
    bool told = false;
    int32_t gave_up = 0; /* partitions */
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != KS_PLACE_CLIENT) continue;
        const ks_recorded *event = fact(t, f);
        const ks_struct *kind = event->kind;
        if (KIND(client_generation_ended)) {
            next(t);
            ks_words_clause(t->s.story, t->step->facts.items[f], t->s.out);
            continue;
        }
        const ks_ev_client_partitions_assigned *e = event->fields; /* the other three kinds have the same fields */
        if (KIND(client_partitions_assigned) && gave_up > 0) {
            until_when(t, gave_up);
            gave_up = 0, told = true;
        }
        if (KIND(client_partitions_assigned) && e->partitions.size <= 0 && t->counts[KS_PLACE_CLIENT] > 1) continue;
        if (KIND(client_partitions_revoked) || KIND(client_partitions_lost)) ks_partitions_each(e->partitions, count_one, &gave_up);
        next(t);
        ks_words_clause(t->s.story, t->step->facts.items[f], t->s.out);
    }
    if (!told && (whole || gave_up > 0)) until_when(t, gave_up);
}

static void positions(const telling *t) {
    ks_string reason = KS_NULL_STRING;
    int32_t named = 0, more = 0;
    bool skips = false;
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != KS_PLACE_POSITION) continue;
        const ks_ev_position_reset *e = fact(t, f)->fields;
        skips = skips || ks_story_skips(fact(t, f));
        if (named == 0) {
            next(t);
            ks_tell(&t->s, "%s begins at ", e->client);
            reason = e->reason;
        }
        if (!list_item(t, &named, &more)) continue;
        ks_tell(&t->s, "%d in ", e->to);
        ks_tell_partition(&t->s, e->topic, e->partition);
    }
    if (named == 0) return;
    if (more > 0) ks_tell(&t->s, " and in %d more", (int64_t)more);
    ks_tell(&t->s, ", because ");
    ks_tell_reason(&t->s, reason, KS_NULL_STRING);
    ks_tell(&t->s, skips ? ". What was written before that is not read." : ".");
}

/* Deliveries in a row are one: a kafka-go reader tells them one by one. */
typedef struct run {
    const ks_ev_records_delivered *of;
    int64_t first, last, again_first, again_last;
} run;

static bool goes_on(const run *r, const ks_ev_records_delivered *e) {
    return r->of != NULL && e != NULL && e->first_offset == r->last + 1 && e->partition == r->of->partition &&
           ks_string_equal(e->topic, r->of->topic) && ks_string_equal(e->client, r->of->client);
}

/* "o[2] 10..23 (10..13 again)" */
static void tell_run(const telling *t, const run *r) {
    ks_tell_partition(&t->s, r->of->topic, r->of->partition);
    ks_tell(&t->s, r->last > r->first ? " %d..%d" : " %d", r->first, r->last);
    if (r->again_last < 0) return;
    if (r->again_first == r->first && r->again_last == r->last) ks_tell(&t->s, " (again)");
    else ks_tell(&t->s, r->again_last > r->again_first ? " (%d..%d again)" : " (%d again)", r->again_first, r->again_last);
}

static void delivered(const telling *t) {
    run r = { .of = NULL };
    int32_t named = 0, more = 0;
    for (int32_t f = 0; f <= t->step->facts.count; f++) {
        bool end = f == t->step->facts.count;
        if (!end && t->places[f] != KS_PLACE_DELIVERED) continue;
        const ks_ev_records_delivered *e = end ? NULL : fact(t, f)->fields;
        const ks_again *again = end ? NULL : ks_story_again(t->s.story, t->step->facts.items[f]);
        if (!goes_on(&r, e)) {
            if (r.of != NULL) {
                if (named == 0) next(t);
                if (list_item(t, &named, &more)) tell_run(t, &r);
            }
            bool another = r.of != NULL && (end || !ks_string_equal(e->client, r.of->client));
            if (another) { /* a client's list ends */
                if (more > 0) ks_tell(&t->s, " and %d more", (int64_t)more);
                ks_tell(&t->s, named > 1 || r.last > r.first ? " are delivered to %s." : " is delivered to %s.", r.of->client);
                named = more = 0;
            }
            if (end) return;
            r = (run){ e, e->first_offset, 0, 0, -1 };
        }
        r.last = e->last_offset;
        if (again == NULL) continue;
        if (r.again_last < 0) r.again_first = again->first;
        r.again_last = again->last;
    }
}

/* ---- pauses that end here ---- */

static void read_again(const telling *t, const ks_pause *pause) {
    const char *s = pause->read_again == 1 ? "" : "s", *were = pause->read_again == 1 ? "was" : "were", *are = pause->read_again == 1 ? "is" : "are";
    ks_tell(&t->s, " ");
    if (pause->read_again > 1 && !pause->set_back) ks_tell(&t->s, "From %d on, ", pause->back_to); /* most of them come later than this step */
    ks_tell(&t->s, "%d message%c that %c delivered to %s", pause->read_again, s, were, ks_words_former_owner(t->s.story, pause));
    if (pause->set_back) ks_tell(&t->s, " before %c read again by %s, because the committed offset was set back to %d.", are, pause->after, pause->back_to);
    else ks_tell(&t->s, " but not committed %c read again by %s.", are, pause->after);
}

static void resumed(const telling *t, int64_t since) {
    const ks_story *story = t->s.story;
    for (int32_t p = t->step->first_resumed; p >= 0; p = story->pauses.items[p].next_resumed) {
        const ks_pause *pause = &story->pauses.items[p];
        if (pause->to < since) continue;
        next(t);
        ks_tell_partition(&t->s, pause->topic, pause->partition);
        ks_tell(&t->s, " comes again, after a pause of %t", pause->to - pause->from);
        if (pause->lag > 0) ks_tell(&t->s, " and with a lag of %d.", pause->lag);
        else ks_tell(&t->s, "; nothing was written to it meanwhile.");
        if (pause->read_again > 0) read_again(t, pause);
    }
}

/* ---- what a request is for, when nothing came of it ---- */

typedef struct purpose { int16_t api; const char *asks; } purpose;
/* After the client's name. */
static const purpose purposes[] = {
    { KS_API_produce, "sends records" },
    { KS_API_fetch, "asks for records" },
    { KS_API_list_offsets, "asks where the log begins or ends" },
    { KS_API_metadata, "asks which brokers there are, and who leads which partition" },
    { KS_API_offset_commit, "commits" },
    { KS_API_offset_fetch, "asks what is committed, to know where to go on" },
    { KS_API_find_coordinator, "asks which broker coordinates the group; its name decides that" },
    { KS_API_join_group, "wants to join" },
    { KS_API_heartbeat, "is alive, and nothing has changed" },
    { KS_API_leave_group, "wants to leave" },
    { KS_API_sync_group, "asks for its part of the leader's plan" },
    { KS_API_describe_groups, "asks for the state and the members of groups" },
    { KS_API_consumer_group_describe, "asks for the state and the members of groups" },
    { KS_API_list_groups, "asks which groups there are" },
    { KS_API_api_versions, "asks which requests and versions the broker speaks" },
    { KS_API_create_topics, "asks for new topics" },
    { KS_API_delete_topics, "asks for topics to be deleted" },
    { KS_API_delete_records, "asks for old records to be deleted" },
    { KS_API_offset_for_leader_epoch, "asks how far the log of the leader that it knows goes, to see whether its position still holds" },
    { KS_API_init_producer_id, "asks for a producer id" },
    { KS_API_describe_configs, "asks for settings" },
    { KS_API_alter_configs, "asks for other settings" },
    { KS_API_incremental_alter_configs, "asks for other settings" },
    { KS_API_create_partitions, "asks for more partitions" },
    { KS_API_delete_groups, "asks for groups to be deleted" },
    { KS_API_offset_delete, "asks for committed offsets to be deleted" },
    { KS_API_describe_cluster, "asks which brokers there are" },
    { KS_API_consumer_group_heartbeat, "is alive, and nothing has changed for it" },
    { KS_API_describe_topic_partitions, "asks for the partitions of topics" },
};

static const char *asks(int16_t api) {
    for (size_t i = 0; i < sizeof purposes / sizeof *purposes; i++)
        if (purposes[i].api == api) return purposes[i].asks;
    return "asks";
}

/* What a member learns from an error; NULL: nothing in particular. */
static const char *learns(int16_t api, int16_t error) {
    bool member = api == KS_API_heartbeat || api == KS_API_sync_group || api == KS_API_join_group || api == KS_API_consumer_group_heartbeat ||
                  api == KS_API_offset_commit || api == KS_API_leave_group;
    if (!member) return NULL;
    switch (error) {
    case KAFKA_ERR_REBALANCE_IN_PROGRESS:
        return api == KS_API_heartbeat ? "learns of the rebalance from its heartbeat" : "learns that the group rebalances: it has to join again";
    case KAFKA_ERR_ILLEGAL_GENERATION: return "learns that the group has moved on to another generation";
    case KAFKA_ERR_UNKNOWN_MEMBER_ID: return "learns that it is no member any more";
    case KAFKA_ERR_FENCED_INSTANCE_ID: return "learns that another process has its place";
    case KAFKA_ERR_FENCED_MEMBER_EPOCH: return "learns that the coordinator has given up on it";
    case KAFKA_ERR_NOT_COORDINATOR: return "learns that this broker does not coordinate the group any more: it has to ask who does";
    case KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS: return "has to wait: the coordinator is still reading what it should know";
    case KAFKA_ERR_COORDINATOR_NOT_AVAILABLE: return "has to wait: nobody coordinates the group at the moment";
    case KAFKA_ERR_GROUP_MAX_SIZE_REACHED: return "is refused: the group is as big as group.max.size allows";
    default: return NULL;
    }
}

static void error_of(const telling *t, ks_string client, int16_t api, int16_t error) {
    const char *learned = learns(api, error);
    next(t);
    if (learned != NULL) ks_tell(&t->s, "%s %c.", client, learned);
    else ks_tell(&t->s, "%s %c, and is refused: %c, %c.", client, asks(api), kafka_error_name((kafka_error)error), kafka_error_text((kafka_error)error));
}

static const ks_recorded *own_event(const telling *t) { return &t->s.story->recording->events.items[t->step->event]; }

static void of_request(const telling *t) {
    const ks_ev_request_received *request = own_event(t)->fields;
    const ks_step *step = t->step;
    next(t);
    ks_tell(&t->s, "%s %c", request->from, asks(step->api_key));
    bool parked = false, in_vain = false;
    int32_t waits_ms = 0;
    for (int32_t f = 0; f < step->facts.count; f++) {
        const ks_recorded *event = fact(t, f);
        const ks_struct *kind = event->kind;
        if (KIND(fetch_parked)) parked = true, waits_ms = FIELDS(fetch_parked)->max_wait_ms;
        if (KIND(fetch_completed)) in_vain = FIELDS(fetch_completed)->bytes == 0;
    }
    if (in_vain) ks_tell(&t->s, "; nothing new comes, and the answer is empty.");
    else if (parked) ks_tell(&t->s, ". There is nothing new yet: the broker waits for it, at most %t.", waits_ms * KS_MS);
    else ks_tell(&t->s, ".");
}

static void of_answer(const telling *t) {
    const ks_ev_response_sent *response = own_event(t)->fields;
    next(t);
    if (response->api_key == KS_API_join_group) ks_tell(&t->s, "%s learns that generation %d has begun.", response->to, (int64_t)response->generation);
    else if (response->api_key == KS_API_sync_group) ks_tell(&t->s, "%s learns what it has.", response->to);
    else if (response->api_key == KS_API_fetch) ks_tell(&t->s, "Records come to %s; nothing of them is delivered yet.", response->to);
    else ks_tell(&t->s, "%s has its answer.", response->to);
}

static bool is_request(const telling *t) { return own_event(t)->kind == ks_describe_ev_request_received(); }
static bool is_answer(const telling *t) { return own_event(t)->kind == ks_describe_ev_response_sent(); }

/* Was something delivered in this step, and only then given up or lost? */
static bool delivered_before_given_up(const telling *t) {
    bool was_delivered = false;
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        const ks_struct *kind = fact(t, f)->kind;
        if (KIND(client_partitions_revoked) || KIND(client_partitions_lost)) return was_delivered;
        was_delivered = was_delivered || t->places[f] == KS_PLACE_DELIVERED;
    }
    return false;
}

void ks_words_sentence(const ks_story *story, int32_t index, ks_buffer *out) { ks_words_news(story, index, 0, out); }

void ks_words_news(const ks_story *story, int32_t index, int32_t since, ks_buffer *out) {
    const ks_step *step = &story->steps.items[index];
    ks_buffer text = { 0 };
    telling t = { .s = { story, &text, step->event }, .step = step, .index = index, .places = ks_alloc((size_t)step->facts.count + 1) };
    bool whole = step->event >= since;
    for (int32_t f = 0; f < step->facts.count; f++)
        if (step->facts.items[f] >= since) t.counts[t.places[f] = (uint8_t)ks_words_place(fact(&t, f)->kind)]++;
    const ks_recorded *given = &story->recording->events.items[step->event];
    t.stops_broker = given->kind == ks_describe_ev_command() && ks_string_equal(((const ks_ev_command *)given->fields)->name, KS_LITERAL("stop_broker"));
    command(&t);
    each_clause(&t, KS_PLACE_CLUSTER);
    leaders(&t);
    each_clause(&t, KS_PLACE_COORDINATOR);
    each_clause(&t, KS_PLACE_MEMBER);
    rebalance_begins(&t);
    each_clause(&t, KS_PLACE_JOINED);
    target(&t);
    reconciled(&t);
    states(&t);
    held(&t);
    stable(&t);
    if (t.counts[KS_PLACE_STABLE] == 0) each_clause(&t, KS_PLACE_SYNC_HELD);
    committed(&t);
    refused(&t);
    bool heard = text.size > 0;
    if (whole && step->error != 0 && t.counts[KS_PLACE_REFUSED] == 0 && step->error != KAFKA_ERR_MEMBER_ID_REQUIRED) {
        if (is_request(&t)) error_of(&t, ((const ks_ev_request_received *)own_event(&t)->fields)->from, step->api_key, step->error);
        else if (is_answer(&t)) error_of(&t, ((const ks_ev_response_sent *)own_event(&t)->fields)->to, step->api_key, step->error);
        heard = true;
    }
    bool delivered_first = delivered_before_given_up(&t);
    if (delivered_first) delivered(&t);
    client(&t, whole);
    positions(&t);
    each_clause(&t, KS_PLACE_APPENDED);
    if (!delivered_first) delivered(&t);
    if (whole && step->repeats > 0)
        ks_buffer_printf(&text, " It tries again %d time%s, and is refused in the same way, the last time in step %d.", step->repeats, step->repeats == 1 ? "" : "s", step->last_repeat);
    trim(&text);
    if (whole && text.size == 0 && !heard && step->first_resumed < 0) {
        if (is_request(&t)) of_request(&t);
        else if (is_answer(&t)) of_answer(&t);
    }
    resumed(&t, whole ? 0 : story->recording->events.items[since].time);
    trim(&text);
    if (text.size > 0) ks_buffer_append(out, text.data, text.size);
    ks_buffer_append(out, "", 0);
    ks_buffer_deinit(&text);
    ks_free(t.places);
}
