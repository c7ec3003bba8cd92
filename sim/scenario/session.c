/* SPDX-License-Identifier: Apache-2.0
 * The session: what is there, what happened since the last command, and the commands that move time and processes.
 */
#include "sim/scenario/sender.h"

#include "sim/protocol/events.h"

#include <stdarg.h>
#include <stdlib.h>

/* ---- what happened, compact ---- */

static void stamp(ks_session *session, int64_t time) {
    int64_t since = time - session->sim->start;
    ks_buffer_printf(&session->happened, "%lld.%03lld s  ", (long long)(since / KS_S), (long long)(since % KS_S / KS_MS));
}

static void add(ks_session *session, const ks_event *event, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add(ks_session *session, const ks_event *event, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    stamp(session, event->time);
    ks_buffer_printf(&session->happened, "%s\n", text);
}

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)
#define S(string) (int)((string).size > 0 ? (string).size : 0), ((string).size > 0 ? (string).data : "")

static ks_string client_of(ks_session *session, ks_string member, ks_string client_id) {
    for (ks_actor *actor = session->actors; actor != NULL; actor = actor->next) { /* client ids: "c1", "c1 (github.com/...)", "consumer-g-c1" */
        bool begins = client_id.size > actor->name.size && memcmp(client_id.data, actor->name.data, (size_t)actor->name.size) == 0 && client_id.data[actor->name.size] == ' ';
        if (begins || ks_string_equal(actor->name, client_id)) return actor->name;
    }
    return client_id.size > 0 ? client_id : member;
}

/* ---- answers ---- */

static ks_string answer_key(char text[300], ks_string client, int16_t api, int16_t code) {
    int32_t size = client.size < 280 ? client.size : 280;
    memcpy(text, client.data, (size_t)size);
    memcpy(text + size, &api, sizeof api);
    memcpy(text + size + sizeof api, &code, sizeof code);
    return (ks_string){ text, size + (int32_t)(sizeof api + sizeof code) };
}

static ks_answers *find_answers(const ks_session *session, ks_string key) {
    ks_answers *found;
    KS_HASH_FIND_STRING(hh, session->answers, key, found);
    return found;
}

int64_t ks_session_answers(const ks_session *session, ks_string client, int16_t api, int16_t code) {
    char text[300];
    const ks_answers *found = find_answers(session, answer_key(text, client, api, code));
    return found != NULL ? found->count : 0;
}

static void count_answer(ks_session *session, const ks_ev_response_received *e) {
    char text[300];
    if (e->to.size <= 0) return;
    ks_string key = answer_key(text, e->to, e->api_key, e->error_code);
    ks_answers *answers = find_answers(session, key);
    if (answers == NULL) {
        answers = ks_arena_alloc(session->answers_arena, sizeof *answers);
        answers->key = ks_arena_string(session->answers_arena, key);
        KS_HASH_ADD_STRING(hh, session->answers, key, answers);
    }
    answers->count++;
}

void ks_session_forget_answers(ks_session *session) {
    HASH_CLEAR(hh, session->answers);
    ks_arena_reset(session->answers_arena);
}

static bool is_life(const ks_struct *kind, const void *fields) {
    if (KIND(records_appended)) return !ks_string_equal(((const ks_ev_records_appended *)fields)->topic, KS_LITERAL("__consumer_offsets"));
    return KIND(records_delivered) || KIND(group_state_changed) || KIND(client_partitions_assigned) || KIND(client_partitions_revoked);
}

void ks_session_event(void *context, const ks_event *event) {
    ks_session *session = context;
    const ks_struct *kind = event->kind;
    ks_views_note(session, event);
    if (is_life(kind, event->fields)) session->last_life = event->time;
    if (KIND(response_received)) count_answer(session, event->fields);
    else if (KIND(client_partitions_assigned) || KIND(client_partitions_revoked) || KIND(client_partitions_lost)) {
        const ks_ev_client_partitions_assigned *e = event->fields;
        session->changes++;
        if (e->partitions.size <= 0) return;
        add(session, event, "%.*s %s %.*s", S(e->client), KIND(client_partitions_assigned) ? "assigned" : KIND(client_partitions_revoked) ? "revoked" : "lost", S(e->partitions));
        if (KIND(client_partitions_revoked)) ks_buffer_printf(&session->gave_up, "%.*s=%.*s\n", S(e->client), S(e->partitions));
        if (KIND(client_partitions_lost)) ks_buffer_printf(&session->lost, "%.*s=%.*s\n", S(e->client), S(e->partitions));
    } else if (KIND(group_stabilised)) {
        session->changes++;
        add(session, event, "%.*s is stable, generation %d, %d member%s", S(FIELDS(group_stabilised)->group), FIELDS(group_stabilised)->generation, FIELDS(group_stabilised)->members, FIELDS(group_stabilised)->members == 1 ? "" : "s");
    } else if (KIND(group_state_changed) || KIND(offsets_committed)) session->changes++;
    else if (KIND(group_member_joined)) {
        ks_string client = client_of(session, FIELDS(group_member_joined)->member, FIELDS(group_member_joined)->client_id);
        add(session, event, "%.*s joined %.*s", S(client), S(FIELDS(group_member_joined)->group));
    } else if (KIND(group_member_left)) {
        ks_string client = client_of(session, FIELDS(group_member_left)->member, FIELDS(group_member_left)->client_id);
        add(session, event, "%.*s left %.*s", S(client), S(FIELDS(group_member_left)->group));
    } else if (KIND(group_member_expired) || KIND(group_member_removed)) {
        const ks_ev_group_member_expired *e = event->fields;
        ks_string client = client_of(session, e->member, e->client_id);
        add(session, event, "%.*s was removed from %.*s: %.*s", S(client), S(e->group), S(e->reason));
    } else if (KIND(offset_commit_refused)) {
        const ks_ev_offset_commit_refused *e = event->fields;
        for (int32_t p = 0; p < e->partitions.count; p++)
            add(session, event, "a commit of %.*s[%d] was refused: %s", S(e->topic), e->partitions.items[p].partition, kafka_error_name((kafka_error)e->error_code));
    } else if (KIND(rule_fired)) add(session, event, "rule %.*s fired", S(FIELDS(rule_fired)->name));
}

/* ---- time ---- */

bool ks_session_interrupted(const ks_session *session) { return session->options.interrupted != NULL && *session->options.interrupted != 0; }

static ks_run_result interrupted(char *problem, size_t size) {
    snprintf(problem, size, "interrupted");
    return KS_RUN_FAILED;
}

static bool is_interrupted(ksim *sim, void *context) {
    (void)sim;
    return ks_session_interrupted(context);
}

/* So that somebody who waits in front of it can end it. */
static void run_for(ks_session *session, int64_t ns) {
    int64_t end = ks_now(session->sim->kernel) + ns;
    if (ns > 0) ksim_run_until(session->sim, is_interrupted, session, "the end of the advance", ns);
    int64_t left = end - ks_now(session->sim->kernel); /* when nothing was left to happen before */
    if (left > 0 && !ks_session_interrupted(session)) ksim_run_for(session->sim, left);
}

/* ---- processes ---- */

static bool closed_predicate(ksim *sim, void *context) {
    (void)sim;
    const ks_actor *actor = context;
    return actor->closed || !actor->running || ks_session_interrupted(actor->session);
}

static ks_run_result leave(ks_actor *actor, char *problem, size_t size) {
    ks_session *session = actor->session;
    ks_sim_command(session->sim, "leave", "%s %s", actor->name.data, actor->group.data);
    actor->kind->close(actor);
    if (ksim_run_until(session->sim, closed_predicate, actor, "it has left", 120 * KAFKA_SECOND) == KAFKA_OK) return KS_RUN_FINE;
    session->stuck = true;
    snprintf(problem, size, "%s is still closing after two minutes", actor->name.data);
    return KS_RUN_FAILED;
}

/* The command for one client, which is in a state for it. Producers can do what happens to a process. */
static ks_run_result with_client(ks_session *session, const ks_command_line *command, ks_string name, char *problem, size_t size) {
    ks_actor *actor = ks_actor_find(session, name);
    kafka_error error = KAFKA_OK;
    switch (command->verb) {
    case KS_VERB_join:
        ks_sim_command(session->sim, "join", "%s %s", name.data, actor->group.data);
        return ks_actor_start(actor, problem, size) ? KS_RUN_FINE : KS_RUN_WRONG;
    case KS_VERB_restart:
        error = ksim_restart(session->sim, name.data);
        if (error == KAFKA_OK && actor != NULL) return ks_actor_start(actor, problem, size) ? KS_RUN_FINE : KS_RUN_WRONG;
        break;
    case KS_VERB_leave: return leave(actor, problem, size);
    case KS_VERB_crash: error = ksim_crash(session->sim, name.data); break;
    case KS_VERB_pause: error = ksim_pause(session->sim, name.data); break;
    case KS_VERB_resume: error = ksim_resume(session->sim, name.data); break;
    case KS_VERB_slow:
        ks_sim_command(session->sim, "slow", "%s process=%s", name.data, ks_pair_text(command, "process", ""));
        actor->process_ns = ks_pair_duration(command, "process", actor->process_ns);
        break;
    case KS_VERB_commit:
        ks_sim_command(session->sim, "commit", "%s", name.data);
        actor->kind->commit(actor);
        break;
    case KS_VERB_cluster: case KS_VERB_topic: case KS_VERB_producer: case KS_VERB_consumer: case KS_VERB_produce:
    case KS_VERB_stop_broker: case KS_VERB_start_broker: case KS_VERB_cut: case KS_VERB_heal: case KS_VERB_reset: case KS_VERB_delay:
    case KS_VERB_rule: case KS_VERB_release: case KS_VERB_unrule: case KS_VERB_add_partitions: case KS_VERB_alter_topic:
    case KS_VERB_delete_topic: case KS_VERB_delete_group: case KS_VERB_reset_offsets: case KS_VERB_delete_offsets:
    case KS_VERB_remove_member: case KS_VERB_move_coordinator: case KS_VERB_move_leader: case KS_VERB_advance: case KS_VERB_until:
    case KS_VERB_views: case KS_VERB_say: case KS_VERB_expect: case KS_VERB_COUNT:
        ks_unreachable("a verb that is not about one client");
    }
    if (error == KAFKA_OK) return KS_RUN_FINE;
    snprintf(problem, size, "%s: %s", kafka_error_name(error), ksim_error_detail(session->sim));
    return KS_RUN_WRONG;
}

static ks_run_result each_client(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    ks_run_result result = KS_RUN_FINE;
    for (int32_t i = 0; i < command->word_count && result == KS_RUN_FINE; i++) result = with_client(session, command, command->words[i].text, problem, size);
    return result;
}

/* ---- all commands ---- */

/* Expectations about what was revoked, lost or answered are about the time since such a command began. */
static bool changes_the_picture(ks_verb verb) {
    return verb == KS_VERB_join || verb == KS_VERB_leave || verb == KS_VERB_crash || verb == KS_VERB_restart || verb == KS_VERB_pause ||
           verb == KS_VERB_resume || verb == KS_VERB_until || verb == KS_VERB_advance;
}

static ks_run_result run_command(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    int64_t ns = 0;
    switch (command->verb) {
    case KS_VERB_cluster:
    case KS_VERB_producer:
        if (ks_sender_get(session, command->words[0].text, command) != NULL) return KS_RUN_FINE;
        snprintf(problem, size, "%s", ksim_error_detail(session->sim));
        return KS_RUN_WRONG;
    case KS_VERB_consumer:
        ks_actor_declare(session, command);
        return KS_RUN_FINE;
    case KS_VERB_produce: return ks_session_produce(session, command, problem, size);
    case KS_VERB_join: case KS_VERB_leave: case KS_VERB_crash: case KS_VERB_restart: case KS_VERB_pause: case KS_VERB_resume:
    case KS_VERB_slow: case KS_VERB_commit: return each_client(session, command, problem, size);
    case KS_VERB_until: return ks_session_until(session, command, problem, size);
    case KS_VERB_expect: return ks_session_expect(session, command, problem, size);
    case KS_VERB_views:
        ks_views_tell(session, command->words[0].text);
        return KS_RUN_FINE;
    case KS_VERB_say:
        KS_EMIT(session->sim->kernel, NULL, note, .text = command->words[0].text);
        return KS_RUN_FINE;
    case KS_VERB_advance:
        ks_parse_duration(command->words[0].text, &ns);
        run_for(session, ns);
        return KS_RUN_FINE;
    case KS_VERB_topic: case KS_VERB_stop_broker: case KS_VERB_start_broker: case KS_VERB_cut: case KS_VERB_heal: case KS_VERB_reset:
    case KS_VERB_delay: case KS_VERB_rule: case KS_VERB_release: case KS_VERB_unrule: case KS_VERB_add_partitions: case KS_VERB_alter_topic:
    case KS_VERB_delete_topic: case KS_VERB_delete_group: case KS_VERB_reset_offsets: case KS_VERB_delete_offsets:
    case KS_VERB_remove_member: case KS_VERB_move_coordinator: case KS_VERB_move_leader:
        return ks_session_admin(session, command, problem, size);
    case KS_VERB_COUNT: break;
    }
    ks_unreachable("verb");
}

/* What ran against what was expected of it: a refusal. */
static ks_run_result refusal(const ks_command_line *command, const char *wanted, ks_run_result result, char *problem, size_t size) {
    size_t length = strlen(wanted);
    if (result == KS_RUN_WRONG) return result;
    if (result == KS_RUN_FAILED && strncmp(problem, wanted, length) == 0 && problem[length] == ':') return KS_RUN_FINE;
    char was[600];
    snprintf(was, sizeof was, "%.500s", result == KS_RUN_FINE ? "it was done" : problem);
    snprintf(problem, size, "%s was not refused with %s: %s", ks_verb_name(command->verb), wanted, was);
    return KS_RUN_FAILED;
}

ks_run_result ks_session_run(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    ks_cause_set(session->sim->kernel, 0);
    ks_buffer_clear(&session->happened);
    session->stuck = false;
    if (command->verb == KS_VERB_cluster) return KS_RUN_FINE; /* the session began with it */
    if (!ks_world_take(&session->world, command, &session->column, problem, size)) return KS_RUN_WRONG;
    session->column = 0;
    if (changes_the_picture(command->verb)) {
        ks_buffer_clear(&session->gave_up);
        ks_buffer_clear(&session->lost);
        ks_session_forget_answers(session);
    }
    const char *refused = command->verb != KS_VERB_expect ? ks_pair_text(command, "refused", NULL) : NULL;
    ks_run_result result = run_command(session, command, problem, size);
    if (ks_session_interrupted(session)) return interrupted(problem, size);
    if (refused != NULL) result = refusal(command, refused, result, problem, size);
    if (result == KS_RUN_FAILED) ks_sim_command(session->sim, "expectation_failed", "NOT SO: %s", problem);
    return result;
}
