/* SPDX-License-Identifier: Apache-2.0
 * In the sentence of a step: what clients give up, take up and are given, and the pauses that end with it.
 */
#include "sim/explain/words_telling.h"

#include "sim/protocol/events.h"

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

static void step_number(const ks_telling *t, int32_t step, ks_buffer *out) {
    const ks_step *at = &t->s.story->steps.items[step];
    if (at->sub > 0) ks_buffer_printf(out, "%d.%d", at->number, at->sub);
    else ks_buffer_printf(out, "%d", at->number);
}

/* After what was given up: until when nothing of it is fetched. `named`: so many partitions stand in the sentence before; 0: none. */
static void until_when(const ks_telling *t, int32_t named) {
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
    ks_telling_next(t);
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

void ks_telling_client(const ks_telling *t, bool whole) {
    bool told = false;
    int32_t gave_up = 0; /* partitions */
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != KS_PLACE_CLIENT) continue;
        const ks_recorded *event = ks_telling_fact(t, f);
        const ks_struct *kind = event->kind;
        if (KIND(client_generation_ended)) {
            ks_telling_next(t);
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
        ks_telling_next(t);
        ks_words_clause(t->s.story, t->step->facts.items[f], t->s.out);
    }
    if (!told && (whole || gave_up > 0)) until_when(t, gave_up);
}

void ks_telling_positions(const ks_telling *t) {
    ks_string reason = KS_NULL_STRING;
    int32_t named = 0, more = 0;
    bool skips = false;
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != KS_PLACE_POSITION) continue;
        const ks_ev_position_reset *e = ks_telling_fact(t, f)->fields;
        skips = skips || ks_story_skips(ks_telling_fact(t, f));
        if (named == 0) {
            ks_telling_next(t);
            ks_tell(&t->s, "%s begins at ", e->client);
            reason = e->reason;
        }
        if (!ks_telling_item(t, &named, &more)) continue;
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
static void tell_run(const ks_telling *t, const run *r) {
    ks_tell_partition(&t->s, r->of->topic, r->of->partition);
    ks_tell(&t->s, r->last > r->first ? " %d..%d" : " %d", r->first, r->last);
    if (r->again_last < 0) return;
    if (r->again_first == r->first && r->again_last == r->last) ks_tell(&t->s, " (again)");
    else ks_tell(&t->s, r->again_last > r->again_first ? " (%d..%d again)" : " (%d again)", r->again_first, r->again_last);
}

void ks_telling_delivered(const ks_telling *t) {
    run r = { .of = NULL };
    int32_t named = 0, more = 0;
    for (int32_t f = 0; f <= t->step->facts.count; f++) {
        bool end = f == t->step->facts.count;
        if (!end && t->places[f] != KS_PLACE_DELIVERED) continue;
        const ks_ev_records_delivered *e = end ? NULL : ks_telling_fact(t, f)->fields;
        const ks_again *again = end ? NULL : ks_story_again(t->s.story, t->step->facts.items[f]);
        if (!goes_on(&r, e)) {
            if (r.of != NULL) {
                if (named == 0) ks_telling_next(t);
                if (ks_telling_item(t, &named, &more)) tell_run(t, &r);
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

static void read_again(const ks_telling *t, const ks_pause *pause) {
    const char *s = pause->read_again == 1 ? "" : "s", *were = pause->read_again == 1 ? "was" : "were", *are = pause->read_again == 1 ? "is" : "are";
    ks_tell(&t->s, " ");
    if (pause->read_again > 1 && !pause->set_back) ks_tell(&t->s, "From %d on, ", pause->back_to); /* most of them come later than this step */
    ks_tell(&t->s, "%d message%c that %c delivered to %s", pause->read_again, s, were, ks_words_former_owner(t->s.story, pause));
    if (pause->set_back) ks_tell(&t->s, " before %c read again by %s, because the committed offset was set back to %d.", are, pause->after, pause->back_to);
    else ks_tell(&t->s, " but not committed %c read again by %s.", are, pause->after);
}

void ks_telling_resumed(const ks_telling *t, int64_t since) {
    const ks_story *story = t->s.story;
    for (int32_t p = t->step->first_resumed; p >= 0; p = story->pauses.items[p].next_resumed) {
        const ks_pause *pause = &story->pauses.items[p];
        if (pause->to < since) continue;
        ks_telling_next(t);
        ks_tell_partition(&t->s, pause->topic, pause->partition);
        ks_tell(&t->s, " comes again, after a pause of %t", pause->to - pause->from);
        if (pause->lag > 0) ks_tell(&t->s, " and with a lag of %d.", pause->lag);
        else ks_tell(&t->s, "; nothing was written to it meanwhile.");
        if (pause->read_again > 0) read_again(t, pause);
    }
}
