/* SPDX-License-Identifier: Apache-2.0
 * The words: each kind of event has one clause, said in the names, numbers and reasons of the run at hand. "Delivered",
 * "committed", "read again": never what nobody can know, such as "processed".
 */
#include "sim/explain/words.h"

#include <kafkasim/error.h>

#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

#include <stdarg.h>

void ks_words_seconds(int64_t ns, ks_buffer *out) {
    if (ns < 0) ns = 0;
    ks_buffer_printf(out, "%lld.%03lld s", (long long)(ns / KS_S), (long long)(ns % KS_S / KS_MS));
}

/* "30 s", "84 ms", "4.004 s": short where nothing is lost. */
void ks_words_duration(int64_t ns, ks_buffer *out) {
    if (ns < 0) ns = 0;
    if (ns % KS_S == 0 && ns > 0) ks_buffer_printf(out, "%lld s", (long long)(ns / KS_S));
    else if (ns < KS_S) ks_buffer_printf(out, "%lld ms", (long long)(ns / KS_MS));
    else ks_words_seconds(ns, out);
}

void ks_words_escape(ks_string text, ks_buffer *out) { ks_buffer_harmless(out, text); }

/* ---- small words ---- */

void ks_tell(const ks_speaker *s, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    for (const char *c = format; *c != '\0'; c++) {
        if (*c != '%') {
            size_t plain = strcspn(c, "%");
            ks_buffer_append(s->out, c, plain);
            c += plain - 1;
            continue;
        }
        switch (*++c) {
        case 's': ks_words_escape(va_arg(arguments, ks_string), s->out); break;
        case 'm': ks_words_escape(ks_words_member(s->story, s->at, va_arg(arguments, ks_string)), s->out); break;
        case 'w': {
            ks_string member = ks_words_member(s->story, s->at, va_arg(arguments, ks_string));
            ks_string client = va_arg(arguments, ks_string);
            ks_words_escape(member.size > 0 ? member : client, s->out);
            break;
        }
        case 'd': ks_buffer_i64(s->out, va_arg(arguments, int64_t)); break;
        case 't': ks_words_duration(va_arg(arguments, int64_t), s->out); break;
        case 'c': ks_buffer_text(s->out, va_arg(arguments, const char *)); break;
        default: ks_unreachable("format of ks_tell");
        }
    }
    va_end(arguments);
}

typedef struct wording { const char *word, *words; } wording;
static const wording reasons[] = { /* %w: the member, or "a member" */
    /* why a rebalance begins */
    { "member_joined", "%w is new" },
    { "member_rejoined", "%w joins again" },
    { "metadata_changed", "%w joins again with other protocols, topics or partitions than the coordinator knows of it" },
    { "subscription_changed", "%w wants other topics" },
    { "topics_changed", "the partitions of a topic it reads have changed" },
    { "leader_rejoined", "its leader %w joins again, which always means: assign anew" },
    { "member_left", "%w has left" },
    { "session_timeout", "nothing was heard of %w for its whole session timeout" },
    { "rebalance_timeout", "%w was too slow for the rebalance timeout" },
    { "sync_timeout", "%w never asked for its assignment" },
    { "pending_join", "the id that was handed out was never used" },
    { "pending_sync", "%w never asked for its assignment" },
    { "assignment_not_written", "the assignment could not be written" },
    { "static_replaced", "another process is the static member %w now" },
    { "group_full", "the group is full" },
    { "downgraded", "the last member of the consumer protocol has gone" },
    /* why a generation is over for a client */
    { "partitions_changed", "it sees that the partitions of a topic have changed" },
    { "heartbeat_failed", "its heartbeat has failed" },
    { "session_lost", "the coordinator does not know it any more" },
    { "unknown_member", "the coordinator does not know it any more" },
    { "illegal_generation", "the group has moved on" },
    { "fenced", "another process has its place, or the coordinator has given up on it" },
    { "closed", "it is being closed" },
    { "left", "it leaves" },
    /* of brokers, logs and offsets */
    { "broker_stopped", "the former leader has stopped" },
    { "broker_started", "its broker is back" },
    { "moved", "it was moved" },
    { "elected", "it was elected" },
    { "no_committed_offset", "nothing is committed there" },
    { "out_of_range", "the wanted offset is outside the log" },
    { "set_offset", "its program says so" },
    { "start", "its program says so" },
    { "requested", "somebody asked for it" },
    { "expired", "the group had no members for offsets.retention.minutes" },
    { "offsets_expired", "its last offset has expired" },
    { "empty", "nothing is left of it" },
    { "topic_deleted", "the topic is deleted" },
    { "group_deleted", "the group is deleted" },
    { "delete_records", "somebody asked for it" },
    { "retention.ms", "what lay before was older than retention.ms" },
    { "retention.bytes", "the log was bigger than retention.bytes" },
    { NULL, NULL },
};

void ks_tell_reason(const ks_speaker *s, ks_string reason, ks_string member) {
    for (const wording *w = reasons; w->word != NULL; w++)
        if (ks_string_equal(reason, ks_str(w->word))) {
            ks_tell(s, w->words, member.size > 0 ? member : KS_LITERAL("a member"), KS_NULL_STRING);
            return;
        }
    for (int32_t i = 0; i < reason.size; i++) { /* a word of the list in events/ that has no wording yet reads well enough */
        ks_string one = { reason.data[i] == '_' ? " " : reason.data + i, 1 };
        ks_words_escape(one, s->out);
    }
}

static void because(const ks_speaker *s, ks_string reason) {
    if (reason.size <= 0) return;
    ks_tell(s, ", because ");
    ks_tell_reason(s, reason, KS_NULL_STRING);
}

bool ks_words_is_id_reason(ks_string client_reason) {
    static const char given[] = "need to re-join with the given member-id";
    return client_reason.size >= (int32_t)sizeof given - 1 && memcmp(client_reason.data, given, sizeof given - 1) == 0;
}

ks_string ks_words_former_owner(const ks_story *story, const ks_pause *pause) {
    int32_t at = pause->resumed_step >= 0 ? story->steps.items[pause->resumed_step].event : story->recording->events.count;
    ks_string name = ks_words_member(story, at, pause->member);
    return ks_string_equal(name, pause->member) ? pause->before : name;
}

void ks_tell_partition(const ks_speaker *s, ks_string topic, int32_t partition) { ks_tell(s, "%s[%d]", topic, (int64_t)partition); }

int32_t ks_tell_offsets(const ks_speaker *s, ks_string topic, const ks_partition_offset *list, int32_t listed, int32_t count, int32_t *named) {
    int32_t told = 0;
    for (; told < listed && *named < KS_WORDS_NAMED; told++) {
        if ((*named)++ > 0) ks_tell(s, ", ");
        ks_tell_partition(s, topic, list[told].partition);
        ks_tell(s, " at %d", list[told].offset);
    }
    return count - told;
}

static const char *plural(int64_t n) { return n == 1 ? "" : "s"; }

/* ---- clauses, one a kind ---- */

#define CLAUSE(x) static void x##_clause(const ks_speaker *s, const ks_ev_##x *e)

CLAUSE(command) { ks_tell(s, e->arguments.size > 0 ? "%s %s" : "%s", e->name, e->arguments); }
CLAUSE(note) { ks_tell(s, "%s", e->text); }
CLAUSE(node_started) { ks_tell(s, "%s starts.", e->name); }
CLAUSE(node_crashed) { ks_tell(s, "%s dies without a word.", e->name); }
CLAUSE(node_paused) { ks_tell(s, "%s stands still: it reads nothing, sends nothing, and none of its timers runs.", e->name); }
CLAUSE(node_resumed) { ks_tell(s, "%s goes on, as if no time had passed.", e->name); }

CLAUSE(rule_fired) {
    static const wording verbs[] = {
        { "answer", "is answered with an error by a rule, and never reaches" },
        { "delay", "is delayed by a rule on its way to" },
        { "delay_answer", "is delayed by a rule on its way back from" },
        { "hold_answer", "is answered, but a rule holds the answer back on its way from" },
        { "pass", "is let through by a rule to" },
        { "reset_before", "is lost by a rule, with its connection, before it reaches" },
        { "reset_after", "has been handled, but a rule cuts the connection before the answer leaves" },
        { "hold", "is held back by a rule before it reaches" },
        { "count", "is counted by a rule on its way to" },
        { NULL, NULL } };
    for (const wording *v = verbs; v->word != NULL; v++)
        if (ks_string_equal(e->verb, ks_str(v->word)))
            ks_tell(s, "%c of %s %c %s (rule \"%s\").", ks_api_name(e->api_key), e->client, v->words, e->server, e->name);
}

/* A group from both sides, when a scenario asks for it. */
CLAUSE(group_viewed) {
    ks_tell(s, "Seen from the coordinator: %s is %s", e->group, e->state);
    if (e->generation >= 0) ks_tell(s, " in %c %d", ks_words_generation(s->story, s->at, e->group), (int64_t)e->generation);
    if (e->assignment.size > 0) ks_tell(s, ", %s", e->assignment);
    ks_tell(s, ".");
}
CLAUSE(member_viewed) {
    ks_tell(s, "Seen from %s: it holds %s", e->client, e->partitions.size > 0 ? e->partitions : KS_LITERAL("nothing"));
    if (e->partitions.size > 0) ks_tell(s, ", given in %c %d", ks_words_generation_of_client(s->story, e->client), (int64_t)e->generation);
    ks_tell(s, "; %d message%c delivered to it", e->delivered, e->delivered == 1 ? " was" : "s were");
    if (e->in_hand > 0) ks_tell(s, ", %d %c not handled yet", e->in_hand, e->in_hand == 1 ? "is" : "are");
    ks_tell(s, ".");
    bool several = false;
    for (int32_t i = 0; i < e->disputed.size; i++) several = several || e->disputed.data[i] == ',' || e->disputed.data[i] == ' ';
    if (e->disputed.size > 0) ks_tell(s, " But in %s %s %c not its own.", e->group, e->disputed, several ? "are" : "is");
}

CLAUSE(topic_created) {
    ks_tell(s, "The topic %s is made, with %d partition%c.", e->topic, (int64_t)e->partitions, plural(e->partitions));
}
CLAUSE(topic_deleted) { ks_tell(s, "The topic %s is deleted.", e->topic); }
CLAUSE(partitions_added) {
    ks_tell(s, "%s grows from %d to %d partitions. From now on many keys hash to another partition than before.", e->topic, (int64_t)e->from,
            (int64_t)e->to);
}
CLAUSE(config_changed) {
    ks_tell(s, e->value.size >= 0 ? "%s of %s %s is now %s." : "%s of %s %s is the default again.", e->name, e->resource_type, e->resource, e->value);
}
CLAUSE(log_start_advanced) {
    ks_tell_partition(s, e->topic, e->partition);
    ks_tell(s, " now begins at %d", e->to);
    because(s, e->reason);
    ks_tell(s, ".");
}
CLAUSE(leader_changed) {
    ks_tell_partition(s, e->topic, e->partition);
    if (e->to < 0) ks_tell(s, " has no leader any more");
    else ks_tell(s, " is now led by broker %d", (int64_t)e->to);
    because(s, e->reason);
    ks_tell(s, ".");
}
CLAUSE(group_loaded) { ks_tell(s, "The new coordinator reads %s back: %s in %c %d.", e->group, e->state, ks_words_generation(s->story, s->at, e->group), (int64_t)e->generation); }
CLAUSE(coordinator_loaded) {
    if (e->groups > 0) ks_tell(s, "Broker %d coordinates the groups that are kept in __consumer_offsets[%d] now.", (int64_t)e->broker, (int64_t)e->partition);
}
CLAUSE(coordinator_unloaded) {
    if (e->groups > 0) ks_tell(s, "Broker %d coordinates the groups that are kept in __consumer_offsets[%d] no more.", (int64_t)e->broker, (int64_t)e->partition);
}

CLAUSE(group_member_id_given) {
    ks_tell(s, "The coordinator hands %w an identity first, so that a lost answer leaves no ghost behind. %s does not notice.", e->member,
            e->client_id, e->group);
}
CLAUSE(group_member_joined) {
    ks_tell(s, "%w is new in %s", e->member, e->client_id, e->group);
    if (e->instance_id.size > 0) ks_tell(s, ", as static member %s", e->instance_id);
    ks_tell(s, ".");
}
CLAUSE(group_member_left) {
    static const char by_admin[] = "member was removed by an admin"; /* Kafka's own words */
    if (e->reason.size >= (int32_t)sizeof by_admin - 1 && memcmp(e->reason.data, by_admin, sizeof by_admin - 1) == 0) {
        ks_tell(s, "An administrator removes %w from %s.", e->member, e->client_id, e->group);
        return;
    }
    ks_tell(s, "%w leaves %s", e->member, e->client_id, e->group);
    if (e->reason.size > 0) ks_tell(s, " (it says: \"%s\")", e->reason);
    ks_tell(s, ".");
}
static void removed(const ks_speaker *s, const ks_ev_group_member_removed *e, const char *session) {
    ks_tell(s, "%w is removed from %s: ", e->member, e->client_id, e->group);
    if (ks_string_equal(e->reason, KS_LITERAL("session_timeout"))) ks_tell(s, "%c", session);
    else if (ks_string_equal(e->reason, KS_LITERAL("rebalance_timeout"))) ks_tell(s, "it was too slow for the rebalance timeout");
    else if (ks_string_equal(e->reason, KS_LITERAL("pending_sync"))) ks_tell(s, "it never asked for its assignment");
    else ks_tell_reason(s, e->reason, e->member);
    ks_tell(s, ".");
}
CLAUSE(group_member_removed) { removed(s, e, "nothing was heard of it for its whole session timeout"); }
CLAUSE(group_member_expired) { removed(s, (const void *)e, "nothing was heard of it for its whole session timeout"); }
CLAUSE(group_member_fenced) {
    ks_tell(s, "%w is fenced: another process is static member %s of %s now.", e->member, e->client_id, e->instance_id, e->group);
}
CLAUSE(group_member_replaced) {
    ks_tell(s, "%w is static member %s of %s now", e->member, e->client_id, e->instance_id, e->group);
    ks_tell(s, ks_string_equal(e->member, e->old_member) ? "." : ", under a new id.");
}
CLAUSE(group_assignment_skipped) { ks_tell(s, "%w leads %s, and is told to skip the assigning: what is stored goes on.", e->member, e->client_id, e->group); }
CLAUSE(group_member_away) {
    ks_tell(s, "Static member %s (%w) says that it will be back: it keeps everything until its session is over.", e->instance_id, e->member,
            e->client_id);
}
CLAUSE(group_converted) {
    ks_tell(s, "%s was a %s group and is a %s group now, in epoch %d, with %d member%c.", e->group, e->from, e->to, (int64_t)e->epoch,
            (int64_t)e->members, plural(e->members));
}
CLAUSE(group_deleted) {
    ks_tell(s, "%s is deleted", e->group);
    because(s, e->reason);
    ks_tell(s, ".");
}

CLAUSE(rebalance_started) {
    ks_tell(s, "A rebalance of %s begins, because ", e->group);
    ks_tell_reason(s, e->reason, e->member);
    ks_tell(s, ".");
}
CLAUSE(initial_delay_extended) {
    if (e->delay_ms <= 0) return;
    ks_tell(s, "Another member came meanwhile: the first rebalance of %s waits %t more.", e->group, e->delay_ms * KS_MS);
}
CLAUSE(group_state_changed) { ks_tell(s, "%s: %s -> %s.", e->group, e->from, e->to); }
CLAUSE(join_parked) {
    ks_tell(s, "The answer to %w is held back: %d of %d member%c joined.", e->member, e->client_id, (int64_t)e->joined, (int64_t)e->members,
            e->members == 1 ? " has" : "s have");
}
CLAUSE(join_phase_completed) {
    if (e->members == 0) {
        ks_tell(s, "Generation %d of %s has no members.", (int64_t)e->generation, e->group);
        return;
    }
    ks_tell(s, ks_string_equal(e->reason, KS_LITERAL("initial_delay"))       ? "The initial delay is over"
               : ks_string_equal(e->reason, KS_LITERAL("rebalance_timeout")) ? "The rebalance timeout is over"
                                                                             : "All members have joined");
    ks_tell(s, ": generation %d of %s, with %d member%c and assignor %s. %m leads, and computes who gets what.", (int64_t)e->generation, e->group,
            (int64_t)e->members, plural(e->members), e->protocol, e->leader);
}
CLAUSE(sync_parked) { ks_tell(s, "%w waits for the leader's plan.", e->member, e->client_id); }
CLAUSE(group_assignment_stored) {
    ks_tell(s, "%w gets ", e->member, e->client_id);
    if (e->assignment.size > 0) ks_tell(s, "%s.", e->assignment);
    else ks_tell(s, e->assignment.size == 0 ? "nothing." : "what only it can read.");
}
CLAUSE(group_stabilised) { ks_tell(s, "%s is Stable in generation %d.", e->group, (int64_t)e->generation); }

CLAUSE(target_assignment_computed) {
    ks_tell(s, "The coordinator computes who should have what in epoch %d of %s (%s).", (int64_t)e->epoch, e->group, e->assignor);
}
CLAUSE(group_member_target_changed) {
    ks_tell(s, "%w should have %s.", e->member, e->client_id, e->target.size > 0 ? e->target : KS_LITERAL("nothing"));
}
CLAUSE(group_member_reconciled) {
    ks_string assigned = e->assigned.size > 0 ? e->assigned : KS_LITERAL("nothing");
    if (ks_string_equal(e->state, KS_LITERAL("UNREVOKED_PARTITIONS")))
        ks_tell(s, "%w may keep %s and is told to give up %s first; it stays in epoch %d until it has.", e->member, e->client_id, assigned,
                e->revoking, (int64_t)e->epoch);
    else if (ks_string_equal(e->state, KS_LITERAL("UNRELEASED_PARTITIONS")))
        ks_tell(s, "%w is in epoch %d with %s; the rest of what it should have still belongs to somebody else.", e->member, e->client_id,
                (int64_t)e->epoch, assigned);
    else ks_tell(s, "%w is in epoch %d with %s, and that is all it should have.", e->member, e->client_id, (int64_t)e->epoch, assigned);
}

static void offsets(const ks_speaker *s, ks_string topic, const ks_partition_offset *list, int32_t listed, int32_t count) {
    int32_t named = 0, more = ks_tell_offsets(s, topic, list, listed, count, &named);
    if (more > 0) ks_tell(s, " and %d more", (int64_t)more);
}
CLAUSE(offsets_committed) {
    if (e->member.size > 0) ks_tell(s, "%m commits ", e->member);
    else ks_tell(s, "For %s, without a member's name, is committed ", e->group);
    offsets(s, e->topic, e->partitions.items, e->partitions.count, e->count);
    ks_tell(s, ".");
}
CLAUSE(offset_commit_refused) {
    ks_tell(s, e->member.size > 0 ? "%m's commit of " : "The commit of ", e->member);
    offsets(s, e->topic, e->partitions.items, e->partitions.count, e->count);
    ks_tell(s, " is refused: %c, %c.", kafka_error_name((kafka_error)e->error_code), kafka_error_text((kafka_error)e->error_code));
}
CLAUSE(offsets_deleted) {
    ks_tell(s, "The committed offset of %s for ", e->group);
    ks_tell_partition(s, e->topic, e->partition);
    ks_tell(s, " is deleted");
    because(s, e->reason);
    ks_tell(s, ".");
}

/* Why, where nobody told it so: an answer with an error is told where it comes. */
CLAUSE(client_generation_ended) {
    if (ks_string_equal(e->reason, KS_LITERAL("heartbeat_failed"))) ks_tell(s, "The heartbeat of %s has failed: it gives up on %c %d.", e->client, ks_words_generation_of(s->story, e->member), (int64_t)e->generation);
    else if (ks_string_equal(e->reason, KS_LITERAL("partitions_changed"))) ks_tell(s, "%s sees that the partitions of a topic have changed.", e->client);
    else if (ks_string_equal(e->reason, KS_LITERAL("closed"))) ks_tell(s, "%s is being closed.", e->client);
}
CLAUSE(client_partitions_assigned) {
    if (e->partitions.size > 0) ks_tell(s, "%s takes up %s.", e->client, e->partitions);
    else ks_tell(s, "%s has nothing new to take up.", e->client);
}
CLAUSE(client_partitions_revoked) {
    if (e->partitions.size > 0) ks_tell(s, "%s gives up %s.", e->client, e->partitions);
}
CLAUSE(client_partitions_lost) {
    if (e->partitions.size > 0) ks_tell(s, "%s has lost %s; it is too late to commit.", e->client, e->partitions);
}
CLAUSE(position_reset) {
    ks_tell(s, "%s goes to %d in ", e->client, e->to);
    ks_tell_partition(s, e->topic, e->partition);
    because(s, e->reason);
    ks_tell(s, ".");
}
CLAUSE(records_appended) {
    if (ks_topic_is_internal(e->topic)) return; /* the coordinator's own notes */
    ks_tell(s, "%d record%c written to ", (int64_t)e->count, e->count == 1 ? " is" : "s are");
    ks_tell_partition(s, e->topic, e->partition);
    ks_tell(s, e->last_offset > e->base_offset ? " at %d..%d." : " at %d.", e->base_offset, e->last_offset);
}
CLAUSE(append_refused) {
    ks_tell(s, "Nothing is written to ");
    ks_tell_partition(s, e->topic, e->partition);
    ks_tell(s, ": %c, %c.", kafka_error_name((kafka_error)e->error_code), kafka_error_text((kafka_error)e->error_code));
}
CLAUSE(produce_retry) {
    ks_tell(s, "%s will send the batch again: %c.", e->client, kafka_error_name((kafka_error)e->error_code));
}
CLAUSE(writer_batch_failed) {
    ks_tell(s, "%s gives up on %d record%c for ", e->client, (int64_t)e->count, plural(e->count));
    ks_tell_partition(s, e->topic, e->partition);
    ks_tell(s, ": %c.", kafka_error_name((kafka_error)e->error_code));
}
CLAUSE(client_commit_failed) {
    ks_tell(s, "The client of %s refuses to commit: %c, ", e->client, kafka_error_name((kafka_error)e->error_code));
    ks_tell(s, e->error_code == KAFKA_ERR_REBALANCE_IN_PROGRESS ? "it is joining a generation. Nothing is sent." : "it is a member no more. Nothing is sent.");
}
CLAUSE(records_delivered) {
    ks_tell_partition(s, e->topic, e->partition);
    ks_tell(s, e->last_offset > e->first_offset ? " %d..%d" : " %d", e->first_offset, e->last_offset);
    ks_tell(s, e->first_offset < e->last_offset ? " are delivered to %s." : " is delivered to %s.", e->client);
}

/* ---- all kinds ---- */

typedef struct kind_row {
    const ks_struct *(*kind)(void);
    void (*say)(const ks_speaker *s, const void *fields);
    ks_place place;
    bool matters; /* makes its step part of the story, not only of the protocol */
} kind_row;

#define KINDS(X)                                                                                                              \
    X(command, COMMAND, true) X(note, COMMAND, true) X(rule_fired, COMMAND, true) X(group_viewed, COMMAND, true)              \
    X(member_viewed, COMMAND, true) X(client_commit_failed, COMMAND, true) X(node_started, COMMAND, false)                    \
    X(node_crashed, COMMAND, true) X(node_paused, COMMAND, true) X(node_resumed, COMMAND, true)                               \
    X(topic_created, CLUSTER, true) X(topic_deleted, CLUSTER, true) X(partitions_added, CLUSTER, true)                        \
    X(config_changed, CLUSTER, true) X(log_start_advanced, CLUSTER, true) X(leader_changed, LEADER, true)                      \
    X(coordinator_unloaded, COORDINATOR, true) X(group_loaded, COORDINATOR, true) X(coordinator_loaded, COORDINATOR, false)   \
    X(group_member_id_given, MEMBER, true) X(group_member_joined, MEMBER, true) X(group_member_left, MEMBER, true)            \
    X(group_member_removed, MEMBER, true) X(group_member_expired, MEMBER, true) X(group_member_fenced, MEMBER, true)          \
    X(group_member_replaced, MEMBER, true) X(group_assignment_skipped, MEMBER, true) X(group_member_away, MEMBER, true) X(group_converted, MEMBER, true)                \
    X(group_deleted, MEMBER, true) X(rebalance_started, REBALANCE, true) X(initial_delay_extended, REBALANCE, true)           \
    X(join_phase_completed, JOINED, true) X(target_assignment_computed, TARGET, true)                                         \
    X(group_member_target_changed, TARGET, true) X(group_member_reconciled, RECONCILED, true)                                 \
    X(group_state_changed, STATE, true) X(join_parked, HELD, false) X(group_stabilised, STABLE, true)                         \
    X(group_assignment_stored, STABLE, true) X(sync_parked, SYNC_HELD, false) X(offsets_committed, COMMITTED, false)          \
    X(offset_commit_refused, REFUSED, true) X(offsets_deleted, CLUSTER, true) X(client_partitions_revoked, CLIENT, true)      \
    X(client_partitions_lost, CLIENT, true) X(client_generation_ended, CLIENT, false) X(client_partitions_assigned, CLIENT, true) X(position_reset, POSITION, false)    \
    X(records_appended, APPENDED, false) X(append_refused, APPENDED, false) X(produce_retry, APPENDED, false)                 \
    X(writer_batch_failed, APPENDED, true) X(records_delivered, DELIVERED, false)

#define SAY(x, place, matters) static void say_##x(const ks_speaker *s, const void *fields) { x##_clause(s, fields); }
KINDS(SAY)
#define ROW(x, place, matters) { ks_describe_ev_##x, say_##x, KS_PLACE_##place, matters },
static const kind_row kinds[] = { KINDS(ROW) };

static const kind_row *row_of(const ks_struct *kind) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind() == kind) return &kinds[i];
    return NULL;
}

ks_place ks_words_place(const ks_struct *kind) {
    const kind_row *row = row_of(kind);
    return row != NULL ? row->place : KS_PLACE_NONE;
}

bool ks_words_matters(const ks_struct *kind) {
    const kind_row *row = row_of(kind);
    return row != NULL && row->matters;
}

bool ks_words_clause(const ks_story *story, int32_t event, ks_buffer *out) {
    const ks_recorded *recorded = &story->recording->events.items[event];
    const kind_row *row = row_of(recorded->kind);
    size_t before = out->size;
    if (row != NULL) row->say(&(ks_speaker){ story, out, event }, recorded->fields);
    return out->size > before;
}
