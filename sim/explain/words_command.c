/* SPDX-License-Identifier: Apache-2.0
 * In the sentence of a step: what a command does, and who leads a partition now.
 */
#include "sim/explain/words_telling.h"

#include "sim/protocol/events.h"

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

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
static void ends_of_link(const ks_telling *t, ks_string text) {
    ks_string a = first_word(text), b = { text.data + a.size + 1, text.size - a.size - 1 };
    if (b.size >= 12 && memcmp(b.data, "every broker", 12) == 0) ks_tell(&t->s, "%s and every broker", a);
    else if (b.size > 0) ks_tell(&t->s, "%s and %s", a, first_word(b));
    else ks_tell(&t->s, "%s", a);
}

/* "A broker-1 200 ms", "A every broker default" */
static void delay(const ks_telling *t, ks_string arguments) {
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
void ks_telling_command(const ks_telling *t) {
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        const ks_recorded *event = ks_telling_fact(t, f);
        const ks_struct *kind = event->kind;
        if (t->places[f] != KS_PLACE_COMMAND) continue;
        ks_telling_next(t);
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
void ks_telling_leaders(const ks_telling *t) {
    for (int32_t f = 0; f < t->step->facts.count; f++) {
        if (t->places[f] != KS_PLACE_LEADER) continue;
        const ks_ev_leader_changed *first = ks_telling_fact(t, f)->fields;
        int32_t named = 0, more = 0, internal = 0;
        ks_telling_next(t);
        for (int32_t o = f; o < t->step->facts.count; o++) {
            const ks_ev_leader_changed *e = t->places[o] == KS_PLACE_LEADER ? ks_telling_fact(t, o)->fields : NULL;
            if (e == NULL || e->to != first->to || !ks_string_equal(e->reason, first->reason)) continue;
            t->places[o] = KS_PLACE_NONE;
            if (ks_topic_is_internal(e->topic)) internal++;
            else if (ks_telling_item(t, &named, &more)) ks_tell_partition(&t->s, e->topic, e->partition);
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
