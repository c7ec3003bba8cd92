/* SPDX-License-Identifier: Apache-2.0
 * The one place where sentences are made. Each kind of event has one clause, said in the names, numbers and reasons of the
 * run at hand. "Delivered", "committed", "read again": never what nobody can know, such as "processed".
 */
#include "sim/explain/story_internal.h"

#include <kafkasim/error.h>

#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

void ks_words_seconds(int64_t ns, ks_buffer *out) {
    if (ns < 0) ns = 0;
    ks_buffer_printf(out, "%lld.%03lld s", (long long)(ns / KS_S), (long long)(ns % KS_S / KS_MS));
}

/* The length of the well-formed UTF-8 character at p, or 0. */
static int utf8_length(const uint8_t *p, int32_t left) {
    static const uint8_t least[5] = { 0, 0, 0xC2, 0xE0, 0xF0 };
    int n = *p < 0x80 ? 1 : *p < 0xC2 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF5 ? 4 : 0;
    if (n == 0 || n > left || *p < least[n]) return n == 1 ? 1 : 0;
    for (int i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    if (n == 3 && ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))) return 0; /* overlong; surrogates */
    if (n == 4 && ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))) return 0;
    if (n == 2 && p[0] == 0xC2 && p[1] < 0xA0) return 0; /* C1 control characters */
    /* Marks that turn the direction of text around them could make a line read as something else. */
    if (n == 3 && p[0] == 0xE2 && ((p[1] == 0x80 && p[2] >= 0xAA && p[2] <= 0xAE) || (p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9)))
        return 0;
    return n;
}

void ks_words_escape(ks_string text, ks_buffer *out) {
    for (int32_t i = 0; i < text.size;) {
        const uint8_t *p = (const uint8_t *)text.data + i;
        int n = utf8_length(p, text.size - i);
        if (n == 0 || (n == 1 && (*p < 0x20 || *p == 0x7F))) {
            ks_buffer_printf(out, "\\x%02X", *p);
            i++;
        } else {
            ks_buffer_append(out, p, (size_t)n);
            i += n;
        }
    }
}

/* ---- small words ---- */

typedef struct speaker { /* what clauses are made with */
    const ks_story *story;
    ks_buffer *out;
} speaker;

static void say(const speaker *s, const char *text) { ks_buffer_text(s->out, text); }
static void name(const speaker *s, ks_string text) { ks_words_escape(text, s->out); }
static void number(const speaker *s, int64_t value) { ks_buffer_i64(s->out, value); }
static void who(const speaker *s, ks_string member) { name(s, ks_words_member(s->story, KS_NULL_STRING, member)); }
static void member_or_client(const speaker *s, ks_string member, ks_string client_id) {
    ks_string client = ks_words_member(s->story, KS_NULL_STRING, member);
    name(s, client.size > 0 ? client : client_id);
}

typedef struct wording { const char *word, *words; } wording;
static const wording reasons[] = {
    { "member_joined", "a new member joins" },
    { "member_rejoined", "a member joins again with another subscription" },
    { "leader_rejoined", "the leader joins again, which always means: assign anew" },
    { "member_left", "a member leaves" },
    { "session_timeout", "a member's session ran out without a heartbeat" },
    { "sync_timeout", "a member never asked for its assignment" },
    { "metadata_changed", "the partitions of a topic changed" },
    { "assignment_not_written", "the assignment could not be written" },
    { "static_replaced", "another process took over a static member" },
    { "group_full", "the group is full" },
    { "downgraded", "the last member of the new protocol left" },
    { "rebalance_timeout", "the rebalance timeout passed" },
    { "pending_join", "the id that was handed out was never used" },
    { "pending_sync", "it never asked for its assignment" },
    { "all_joined", "all members have joined" },
    { "initial_delay", "the initial delay is over" },
    { "heartbeat_failed", "its heartbeat failed" },
    { "session_lost", "its session is lost" },
    { "rebalance", "the group rebalances" },
    { "partitions_changed", "the partitions of a topic changed" },
    { "closed", "it closes" },
    { "crashed", "it crashed" },
    { "broker_stopped", "its broker stopped" },
    { "broker_started", "its broker is back" },
    { "no_committed_offset", "nothing is committed there" },
    { "out_of_range", "its position is outside the log" },
    { NULL, NULL },
};

static void reason(const speaker *s, ks_string word) {
    for (const wording *w = reasons; w->word != NULL; w++)
        if (ks_string_equal(word, ks_str(w->word))) {
            say(s, w->words);
            return;
        }
    for (int32_t i = 0; i < word.size; i++) /* a word of the list in events/ that has no wording yet reads well enough */
        ks_buffer_printf(s->out, "%c", word.data[i] == '_' ? ' ' : word.data[i]);
}

static void because(const speaker *s, ks_string word) {
    if (word.size <= 0) return;
    say(s, ", because ");
    reason(s, word);
}

/* ---- clauses, one a kind ---- */

static void member_joined(const speaker *s, const ks_ev_group_member_joined *e) {
    member_or_client(s, e->member, e->client_id);
    say(s, " is new in ");
    name(s, e->group);
    if (e->instance_id.size > 0) say(s, ", as static member "), name(s, e->instance_id);
    say(s, ".");
}

static void rebalance_started(const speaker *s, const ks_ev_rebalance_started *e) {
    say(s, "A rebalance of ");
    name(s, e->group);
    say(s, " begins");
    because(s, e->reason);
    if (e->member.size > 0) say(s, ": "), who(s, e->member);
    if (e->client_reason.size > 0) say(s, " (\""), name(s, e->client_reason), say(s, "\")");
    say(s, ".");
    if (e->timeout_ms > 0) {
        say(s, " The others have at most ");
        ks_words_seconds(e->timeout_ms * KS_MS, s->out);
        say(s, " to join again.");
    }
}

static void state_changed(const speaker *s, const ks_ev_group_state_changed *e) {
    name(s, e->group);
    say(s, ": ");
    name(s, e->from);
    say(s, " -> ");
    name(s, e->to);
    say(s, ".");
}

static void join_parked(const speaker *s, const ks_ev_join_parked *e) {
    say(s, "The answer to ");
    member_or_client(s, e->member, e->client_id);
    say(s, " is held back: ");
    number(s, e->joined);
    say(s, " of ");
    number(s, e->members);
    say(s, e->members == 1 ? " member has joined." : " members have joined.");
}

static void join_phase_completed(const speaker *s, const ks_ev_join_phase_completed *e) {
    say(s, "The joining is over");
    because(s, e->reason);
    say(s, ": generation ");
    number(s, e->generation);
    if (e->members == 0) {
        say(s, ", without members.");
        return;
    }
    say(s, ", ");
    number(s, e->members);
    say(s, e->members == 1 ? " member, assignor " : " members, assignor ");
    name(s, e->protocol);
    say(s, ". ");
    who(s, e->leader);
    say(s, " leads and computes who gets what.");
}

static void assignment_stored(const speaker *s, const ks_ev_group_assignment_stored *e) {
    member_or_client(s, e->member, e->client_id);
    say(s, " gets ");
    if (e->assignment.size > 0) name(s, e->assignment);
    else say(s, "nothing");
    say(s, ".");
}

static void partitions_clause(const speaker *s, const ks_ev_client_partitions_assigned *e, const char *verb) {
    if (e->partitions.size <= 0) return;
    name(s, e->client);
    say(s, verb);
    name(s, e->partitions);
    say(s, ".");
}

static void commit_refused(const speaker *s, const ks_ev_offset_commit_refused *e) {
    say(s, "The commit of ");
    name(s, e->topic);
    say(s, "[");
    number(s, e->partition);
    say(s, "] at ");
    number(s, e->offset);
    say(s, " by ");
    who(s, e->member);
    say(s, " is refused: ");
    say(s, kafka_error_name((kafka_error)e->error_code));
    say(s, ", ");
    say(s, kafka_error_text((kafka_error)e->error_code));
    say(s, ".");
}

static void committed(const speaker *s, const ks_ev_offsets_committed *e) {
    name(s, e->topic);
    say(s, "[");
    number(s, e->partition);
    say(s, "] is committed at ");
    number(s, e->offset);
    if (e->member.size > 0) say(s, " by "), who(s, e->member);
    say(s, ".");
}

static void command(const speaker *s, const ks_ev_command *e) {
    say(s, "> ");
    name(s, e->name);
    if (e->arguments.size > 0) say(s, " "), name(s, e->arguments);
}

static void rule_fired(const speaker *s, const ks_ev_rule_fired *e) {
    say(s, "The rule \"");
    name(s, e->name);
    say(s, "\" fires on ");
    say(s, ks_api_name(e->api_key));
    say(s, " of ");
    name(s, e->client);
    say(s, ": ");
    name(s, e->verb);
    say(s, ".");
}

static void leader_changed(const speaker *s, const ks_ev_leader_changed *e) {
    name(s, e->topic);
    say(s, "[");
    number(s, e->partition);
    say(s, e->to < 0 ? "] has no leader any more" : "] is now led by broker ");
    if (e->to >= 0) number(s, e->to);
    because(s, e->reason);
    say(s, ".");
}

static void appended(const speaker *s, const ks_ev_records_appended *e) {
    if (e->topic.size > 2 && memcmp(e->topic.data, "__", 2) == 0) return; /* the coordinator's own notes */
    number(s, e->count);
    say(s, e->count == 1 ? " record is written to " : " records are written to ");
    name(s, e->topic);
    say(s, "[");
    number(s, e->partition);
    say(s, "] at ");
    number(s, e->base_offset);
    if (e->last_offset > e->base_offset) say(s, ".."), number(s, e->last_offset);
    say(s, ".");
}

static void delivered(const speaker *s, const ks_ev_records_delivered *e) {
    name(s, e->topic);
    say(s, "[");
    number(s, e->partition);
    say(s, "] ");
    number(s, e->first_offset);
    if (e->last_offset > e->first_offset) say(s, ".."), number(s, e->last_offset);
    say(s, e->count == 1 ? " is delivered to " : " are delivered to ");
    name(s, e->client);
    say(s, ".");
}

static void id_given(const speaker *s, const ks_ev_group_member_id_given *e) {
    say(s, "The coordinator hands ");
    member_or_client(s, e->member, e->client_id);
    say(s, " an identity first, so that a lost answer leaves no ghost behind. ");
    name(s, e->group);
    say(s, " does not notice.");
}

static void gone(const speaker *s, const ks_ev_group_member_left *e, const char *verb) {
    member_or_client(s, e->member, e->client_id);
    say(s, verb);
    name(s, e->group);
    because(s, e->reason);
    say(s, ".");
}

static void position_reset(const speaker *s, const ks_ev_position_reset *e) {
    name(s, e->client);
    say(s, " goes to ");
    number(s, e->to);
    say(s, " in ");
    name(s, e->topic);
    say(s, "[");
    number(s, e->partition);
    say(s, "]");
    because(s, e->reason);
    say(s, ".");
}

static void node_clause(const speaker *s, ks_string node, const char *verb) {
    name(s, node);
    say(s, verb);
}

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

static bool clause(const speaker *s, const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    if KIND(group_member_id_given) id_given(s, FIELDS(group_member_id_given));
    else if KIND(group_member_joined) member_joined(s, FIELDS(group_member_joined));
    else if KIND(group_member_left) gone(s, FIELDS(group_member_left), " leaves ");
    else if KIND(group_member_removed) gone(s, (const void *)FIELDS(group_member_removed), " is removed from ");
    else if KIND(group_member_expired) gone(s, (const void *)FIELDS(group_member_expired), " is removed from ");
    else if KIND(group_member_fenced) gone(s, (const void *)FIELDS(group_member_fenced), " is fenced out of ");
    else if KIND(group_member_replaced) {
        who(s, FIELDS(group_member_replaced)->member);
        say(s, " takes the place of static member ");
        name(s, FIELDS(group_member_replaced)->instance_id);
        say(s, ".");
    } else if KIND(rebalance_started) rebalance_started(s, FIELDS(rebalance_started));
    else if KIND(group_state_changed) state_changed(s, FIELDS(group_state_changed));
    else if KIND(initial_delay_extended) {
        say(s, "More members came: the first rebalance waits ");
        ks_words_seconds(FIELDS(initial_delay_extended)->delay_ms * KS_MS, s->out);
        say(s, " more.");
    } else if KIND(join_parked) join_parked(s, FIELDS(join_parked));
    else if KIND(sync_parked) {
        member_or_client(s, FIELDS(sync_parked)->member, FIELDS(sync_parked)->client_id);
        say(s, " waits for the leader's assignment.");
    } else if KIND(join_phase_completed) join_phase_completed(s, FIELDS(join_phase_completed));
    else if KIND(group_assignment_stored) assignment_stored(s, FIELDS(group_assignment_stored));
    else if KIND(group_stabilised) {
        name(s, FIELDS(group_stabilised)->group);
        say(s, " is stable in generation ");
        number(s, FIELDS(group_stabilised)->generation);
        say(s, ".");
    } else if KIND(client_partitions_assigned) partitions_clause(s, FIELDS(client_partitions_assigned), " takes up ");
    else if KIND(client_partitions_revoked) partitions_clause(s, (const void *)FIELDS(client_partitions_revoked), " gives up ");
    else if KIND(client_partitions_lost) partitions_clause(s, (const void *)FIELDS(client_partitions_lost), " has lost, too late to commit, ");
    else if KIND(offset_commit_refused) commit_refused(s, FIELDS(offset_commit_refused));
    else if KIND(offsets_committed) committed(s, FIELDS(offsets_committed));
    else if KIND(command) command(s, FIELDS(command));
    else if KIND(note) name(s, FIELDS(note)->text);
    else if KIND(rule_fired) rule_fired(s, FIELDS(rule_fired));
    else if KIND(node_crashed) node_clause(s, FIELDS(node_crashed)->name, " dies without a word.");
    else if KIND(node_started) node_clause(s, FIELDS(node_started)->name, " starts.");
    else if KIND(node_paused) node_clause(s, FIELDS(node_paused)->name, " stands still.");
    else if KIND(node_resumed) node_clause(s, FIELDS(node_resumed)->name, " goes on.");
    else if KIND(leader_changed) leader_changed(s, FIELDS(leader_changed));
    else if KIND(records_appended) appended(s, FIELDS(records_appended));
    else if KIND(records_delivered) delivered(s, FIELDS(records_delivered));
    else if KIND(position_reset) position_reset(s, FIELDS(position_reset));
    else if KIND(partitions_added) {
        name(s, FIELDS(partitions_added)->topic);
        say(s, " grows from ");
        number(s, FIELDS(partitions_added)->from);
        say(s, " to ");
        number(s, FIELDS(partitions_added)->to);
        say(s, " partitions. Keys hash differently from now on.");
    } else if KIND(topic_created) {
        say(s, "The topic ");
        name(s, FIELDS(topic_created)->topic);
        say(s, " is made, with ");
        number(s, FIELDS(topic_created)->partitions);
        say(s, FIELDS(topic_created)->partitions == 1 ? " partition." : " partitions.");
    } else if KIND(topic_deleted) {
        say(s, "The topic ");
        name(s, FIELDS(topic_deleted)->topic);
        say(s, " is deleted.");
    } else if KIND(log_start_advanced) {
        name(s, FIELDS(log_start_advanced)->topic);
        say(s, "[");
        number(s, FIELDS(log_start_advanced)->partition);
        say(s, "] now begins at ");
        number(s, FIELDS(log_start_advanced)->to);
        because(s, FIELDS(log_start_advanced)->reason);
        say(s, ".");
    } else if KIND(produce_retry) {
        name(s, FIELDS(produce_retry)->client);
        say(s, " will send the batch again: ");
        say(s, kafka_error_name((kafka_error)FIELDS(produce_retry)->error_code));
        say(s, ".");
    } else return false;
    return true;
}

bool ks_words_clause(const ks_story *story, int32_t event, ks_buffer *out) {
    size_t before = out->size;
    clause(&(speaker){ story, out }, &story->recording->events.items[event]);
    return out->size > before;
}

bool ks_words_matters(const ks_struct *kind) {
    return KIND(group_member_joined) || KIND(group_member_left) || KIND(group_member_removed) || KIND(group_member_expired) ||
           KIND(group_member_fenced) || KIND(group_member_replaced) || KIND(rebalance_started) || KIND(group_state_changed) ||
           KIND(initial_delay_extended) || KIND(join_phase_completed) || KIND(group_assignment_stored) || KIND(group_stabilised) ||
           KIND(client_partitions_assigned) || KIND(client_partitions_revoked) || KIND(client_partitions_lost) ||
           KIND(offset_commit_refused) || KIND(group_member_id_given) || KIND(partitions_added) || KIND(leader_changed) ||
           KIND(log_start_advanced) || KIND(topic_deleted) || KIND(topic_created) || KIND(offsets_deleted) || KIND(group_deleted);
}

/* ---- steps ---- */

/* Who waited, while nothing was fetched: told where it began, with where it ended. */
static void pauses_clause(const ks_story *story, int32_t step, ks_buffer *out) {
    if (!story->steps.items[step].resumes) return;
    for (int32_t p = 0; p < story->pauses.count; p++) {
        const ks_pause *pause = &story->pauses.items[p];
        if (pause->resumed_step != step || pause->to == 0) continue;
        ks_buffer_text(out, out->size > 0 ? " " : "");
        ks_words_escape(pause->topic, out);
        ks_buffer_printf(out, "[%d] comes again, after a pause of ", pause->partition);
        ks_words_seconds(pause->to - pause->from, out);
        ks_buffer_text(out, ".");
        if (pause->read_again > 0) {
            ks_buffer_printf(out, " %lld message%s delivered to ", (long long)pause->read_again, pause->read_again == 1 ? " that was" : "s that were");
            ks_words_escape(pause->before, out);
            ks_buffer_text(out, pause->read_again == 1 ? " but not committed is read again by " : " but not committed are read again by ");
            ks_words_escape(pause->after, out);
            ks_buffer_text(out, ".");
        }
    }
}

/* Who is the last to come waits for nobody: the same step says that the waiting is over. */
static bool waits_for_nobody(const ks_story *story, const ks_step *step, const ks_struct *kind) {
    const ks_struct *over = KIND(join_parked) ? ks_describe_ev_join_phase_completed() : KIND(sync_parked) ? ks_describe_ev_group_stabilised() : NULL;
    for (int32_t f = 0; over != NULL && f < step->facts.count; f++)
        if (story->recording->events.items[step->facts.items[f]].kind == over) return true;
    return false;
}

void ks_words_sentence(const ks_story *story, int32_t index, ks_buffer *out) {
    const ks_step *step = &story->steps.items[index];
    speaker s = { story, out };
    bool any = false;
    for (int32_t f = 0; f < step->facts.count; f++) {
        const ks_recorded *event = &story->recording->events.items[step->facts.items[f]];
        const ks_struct *kind = event->kind;
        bool bulk = KIND(offsets_committed) || KIND(records_appended) || KIND(records_delivered);
        if (bulk && f > 40) continue; /* a request with thousands of partitions is not read out */
        if (waits_for_nobody(story, step, kind)) continue;
        size_t before = out->size;
        if (any) ks_buffer_text(out, " ");
        size_t start = out->size;
        clause(&s, event);
        if (out->size == start) out->size = before;
        else any = true;
    }
    if (!any && step->kind == KS_STEP_REQUEST && step->api_key == KS_API_heartbeat)
        ks_buffer_text(out, step->error == 0 ? "It is alive, and nothing has changed." :
                            step->error == KAFKA_ERR_REBALANCE_IN_PROGRESS ? "It learns of the rebalance from its heartbeat." : "");
    pauses_clause(story, index, out);
    ks_buffer_append(out, "", 0);
}

static void route(const ks_story *story, ks_string from, ks_string to, ks_buffer *out) {
    (void)story;
    ks_words_escape(from, out);
    ks_buffer_text(out, " -> ");
    ks_words_escape(to, out);
    ks_buffer_text(out, "   ");
}

void ks_words_protocol(const ks_story *story, int32_t index, ks_buffer *out) {
    const ks_step *step = &story->steps.items[index];
    const ks_recorded *event = &story->recording->events.items[step->event];
    const ks_struct *kind = event->kind;
    if KIND(request_received) {
        const ks_ev_request_received *request = FIELDS(request_received);
        route(story, request->from, request->to, out);
        ks_buffer_text(out, ks_api_name(request->api_key));
        if (request->topic.size > 0) {
            ks_buffer_text(out, " ");
            ks_words_escape(request->topic, out);
            if (request->partition >= 0) ks_buffer_printf(out, "[%d]", request->partition);
        }
        if (request->group.size > 0 && request->generation > 0) ks_buffer_printf(out, " generation %d", request->generation);
        if (!step->answered) ks_buffer_text(out, "  (held)");
        else if (step->error != 0) ks_buffer_printf(out, "  <- %s", kafka_error_name((kafka_error)step->error));
    } else if KIND(response_sent) {
        const ks_ev_response_sent *response = FIELDS(response_sent);
        route(story, response->from, response->to, out);
        ks_buffer_printf(out, "answer to %s  <- %s", ks_api_name(response->api_key),
                         response->error_code == 0 ? "NONE" : kafka_error_name((kafka_error)response->error_code));
    } else if (step->kind == KS_STEP_TIMER) {
        ks_words_escape(event->node, out);
        ks_buffer_text(out, "   a timer");
    } else {
        ks_words_escape(event->node.size > 0 ? event->node : KS_LITERAL("cluster"), out);
        ks_buffer_text(out, "   from outside");
    }
    ks_buffer_append(out, "", 0);
}
