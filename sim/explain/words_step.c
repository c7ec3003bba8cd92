/* SPDX-License-Identifier: Apache-2.0
 * The sentence of a step: the clauses of its events, each in its place, and one clause for many where many say the same. A step
 * whose events say nothing gets the sentence of its request.
 */
#include "sim/explain/words_telling.h"

#include <kafkasim/error.h>

#include "sim/protocol/events.h"

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

static const ks_recorded *find_fact(const ks_telling *t, const ks_struct *kind, ks_place place) {
    if (t->counts[place] == 0) return NULL;
    for (int32_t f = 0; f < t->step->facts.count; f++)
        if (ks_telling_fact(t, f)->kind == kind) return ks_telling_fact(t, f);
    return NULL;
}

static void trim(ks_buffer *out) {
    while (out->size > 0 && out->data[out->size - 1] == ' ') out->size--;
}

static void each_clause(const ks_telling *t, ks_place place) {
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != place) continue;
        ks_telling_next(t);
        ks_words_clause(t->s.story, t->step->facts.items[f], t->s.out);
    }
}

/* ---- the coordinator ---- */

/* The clause of a rebalance that begins: why, unless the sentence before has just said it. */
static void rebalance_begins(const ks_telling *t) {
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        const ks_recorded *event = ks_telling_fact(t, f);
        const ks_struct *kind = event->kind;
        if (t->places[f] != KS_PLACE_REBALANCE) continue;
        ks_telling_next(t);
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
static void states(const ks_telling *t) {
    ks_string group = KS_NULL_STRING;
    bool is_stable = find_fact(t, ks_describe_ev_group_stabilised(), KS_PLACE_STABLE) != NULL, emptied = false;
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != KS_PLACE_STATE) continue;
        const ks_ev_group_state_changed *e = ks_telling_fact(t, f)->fields;
        if (is_stable && ks_string_equal(e->from, KS_LITERAL("CompletingRebalance")) && ks_string_equal(e->to, KS_LITERAL("Stable"))) continue;
        if (!ks_string_equal(e->group, group)) {
            if (group.size >= 0) ks_tell(&t->s, ".");
            ks_telling_next(t);
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
static void held(const ks_telling *t) {
    if (t->counts[KS_PLACE_JOINED] > 0) return;
    const ks_recorded *parked = find_fact(t, ks_describe_ev_join_parked(), KS_PLACE_HELD);
    const ks_recorded *began = find_fact(t, ks_describe_ev_rebalance_started(), KS_PLACE_REBALANCE);
    if (parked == NULL && began == NULL) return;
    int64_t timeout_ms = began != NULL ? ((const ks_ev_rebalance_started *)began->fields)->timeout_ms : 0;
    if (t->step->waits_for.size > 0) {
        ks_telling_next(t);
        ks_buffer_text(t->s.out, began != NULL ? "The coordinator now waits for " : "The coordinator still waits for ");
        ks_buffer_append(t->s.out, t->step->waits_for.data, (size_t)t->step->waits_for.size);
        ks_buffer_text(t->s.out, " to join again");
    } else if (parked != NULL) {
        ks_telling_next(t);
        ks_tell(&t->s, "Nobody is answered yet: the coordinator waits in case others are starting too");
    } else return;
    if (timeout_ms > 0) ks_tell(&t->s, ", at most %t", timeout_ms * KS_MS);
    ks_tell(&t->s, ".");
}

/* "g is Stable in generation 2: c1=orders[0], c2=orders[1,2]." */
static void stable(const ks_telling *t) {
    int32_t named = 0, more = 0;
    const ks_recorded *done = find_fact(t, ks_describe_ev_group_stabilised(), KS_PLACE_STABLE);
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        const ks_recorded *event = ks_telling_fact(t, f);
        const ks_struct *kind = event->kind;
        if (!KIND(group_assignment_stored)) continue;
        const ks_ev_group_assignment_stored *e = event->fields;
        if (named == 0) {
            ks_telling_next(t);
            ks_tell(&t->s, done ? "%s is Stable in generation %d: " : "The plan for %s in generation %d: ", e->group, (int64_t)e->generation);
        }
        if (!ks_telling_item(t, &named, &more)) continue;
        ks_tell(&t->s, "%w=%s", e->member, e->client_id,
                e->assignment.size > 0 ? e->assignment : e->assignment.size == 0 ? KS_LITERAL("nothing") : KS_LITERAL("what only it can read"));
    }
    if (named > 0) ks_telling_list_end(t, more);
    else each_clause(t, KS_PLACE_STABLE);
}

/* "... who should have what in epoch 2 of g (uniform): A=o[0,1], B=o[2,3]." */
static void target(const ks_telling *t) {
    int32_t named = 0, more = 0;
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        const ks_recorded *event = ks_telling_fact(t, f);
        const ks_struct *kind = event->kind;
        if (KIND(target_assignment_computed)) {
            ks_telling_next(t);
            ks_words_clause(t->s.story, t->step->facts.items[f], t->s.out);
        } else if (KIND(group_member_target_changed)) {
            if (named == 0) ks_tell(&t->s, " What changes: ");
            if (!ks_telling_item(t, &named, &more)) continue;
            const ks_ev_group_member_target_changed *e = event->fields;
            ks_tell(&t->s, "%w=%s", e->member, e->client_id, e->target.size > 0 ? e->target : KS_LITERAL("nothing"));
        }
    }
    if (named > 0) ks_telling_list_end(t, more);
}

static bool is_sole_word(const ks_ev_group_member_reconciled *e, ks_string target) {
    return ks_string_equal(e->state, KS_LITERAL("STABLE")) && ks_string_equal(e->assigned, target);
}

/* Who gets its whole target in the step that computes it is told so in three words. */
static void reconciled(const ks_telling *t) {
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != KS_PLACE_RECONCILED) continue;
        const ks_ev_group_member_reconciled *e = ks_telling_fact(t, f)->fields;
        bool at_once = false;
        for (int32_t o = 0; o < f && t->counts[KS_PLACE_TARGET] > 0; o++) {
            const ks_recorded *event = ks_telling_fact(t, o);
            const ks_struct *kind = event->kind;
            if (KIND(group_member_target_changed) && ks_string_equal(FIELDS(group_member_target_changed)->member, e->member))
                at_once = is_sole_word(e, FIELDS(group_member_target_changed)->target);
        }
        ks_telling_next(t);
        if (at_once) ks_tell(&t->s, "%w may have it at once.", e->member, e->client_id);
        else ks_words_clause(t->s.story, t->step->facts.items[f], t->s.out);
    }
}

/* ---- offsets ---- */

static void committed(const ks_telling *t) {
    int32_t named = 0, more = 0;
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != KS_PLACE_COMMITTED) continue;
        const ks_ev_offsets_committed *e = ks_telling_fact(t, f)->fields;
        if (named == 0) {
            ks_telling_next(t);
            if (e->member.size > 0) ks_tell(&t->s, "%m commits ", e->member);
            else ks_tell(&t->s, "The committed offsets of %s are set from outside: ", e->group);
        }
        more += ks_tell_offsets(&t->s, e->topic, e->partitions.items, e->partitions.count, e->count, &named);
    }
    if (named > 0) ks_telling_list_end(t, more);
}

/* "B's commit of o[0] at 5, o[1] at 7 is refused: ILLEGAL_GENERATION, ...", once for each error. */
static void refused(const ks_telling *t) {
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != KS_PLACE_REFUSED) continue;
        const ks_ev_offset_commit_refused *first = ks_telling_fact(t, f)->fields;
        int32_t named = 0, more = 0;
        ks_telling_next(t);
        ks_tell(&t->s, first->member.size > 0 ? "%m's commit of " : "The commit of ", first->member);
        for (int32_t o = f; o < t->step->facts.count; o++) {
            const ks_ev_offset_commit_refused *e = t->places[o] == KS_PLACE_REFUSED ? ks_telling_fact(t, o)->fields : NULL;
            if (e == NULL || e->error_code != first->error_code) continue;
            t->places[o] = KS_PLACE_NONE;
            more += ks_tell_offsets(&t->s, e->topic, e->partitions.items, e->partitions.count, e->count, &named);
        }
        if (more > 0) ks_tell(&t->s, " and %d more", (int64_t)more);
        ks_tell(&t->s, " is refused: %c, %c.", kafka_error_name((kafka_error)first->error_code), kafka_error_text((kafka_error)first->error_code));
    }
}

/* Was something delivered in this step, and only then given up or lost? */
static bool delivered_before_given_up(const ks_telling *t) {
    bool was_delivered = false;
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        const ks_struct *kind = ks_telling_fact(t, f)->kind;
        if (KIND(client_partitions_revoked) || KIND(client_partitions_lost)) return was_delivered;
        was_delivered = was_delivered || t->places[f] == KS_PLACE_DELIVERED;
    }
    return false;
}

void ks_words_sentence(const ks_story *story, int32_t index, ks_buffer *out) { ks_words_news(story, index, 0, out); }

void ks_words_news(const ks_story *story, int32_t index, int32_t since, ks_buffer *out) {
    const ks_step *step = &story->steps.items[index];
    ks_buffer text = { 0 };
    ks_telling t = { .s = { story, &text, step->event }, .step = step, .index = index, .places = ks_alloc((size_t)step->facts.count + 1) };
    bool whole = step->event >= since;
    for (int32_t f = 0; f < step->facts.count; f++)
        if (step->facts.items[f] >= since) t.counts[t.places[f] = (uint8_t)ks_words_place(ks_telling_fact(&t, f)->kind)]++;
    const ks_recorded *given = &story->recording->events.items[step->event];
    t.stops_broker = given->kind == ks_describe_ev_command() && ks_string_equal(((const ks_ev_command *)given->fields)->name, KS_LITERAL("stop_broker"));
    ks_telling_command(&t);
    each_clause(&t, KS_PLACE_CLUSTER);
    ks_telling_leaders(&t);
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
        ks_telling_error(&t);
        heard = true;
    }
    bool delivered_first = delivered_before_given_up(&t);
    if (delivered_first) ks_telling_delivered(&t);
    ks_telling_client(&t, whole);
    ks_telling_positions(&t);
    each_clause(&t, KS_PLACE_APPENDED);
    if (!delivered_first) ks_telling_delivered(&t);
    if (whole && step->repeats > 0)
        ks_buffer_printf(&text, " It tries again %d time%s, and is refused in the same way, the last time in step %d.", step->repeats, step->repeats == 1 ? "" : "s", step->last_repeat);
    trim(&text);
    if (whole && text.size == 0 && !heard && step->first_resumed < 0) ks_telling_request(&t);
    ks_telling_resumed(&t, whole ? 0 : story->recording->events.items[since].time);
    trim(&text);
    if (text.size > 0) ks_buffer_append(out, text.data, text.size);
    ks_buffer_append(out, "", 0);
    ks_buffer_deinit(&text);
    ks_free(t.places);
}
