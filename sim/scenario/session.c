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

static void on_event(void *context, const ks_event *event) {
    ks_session *session = context;
    const ks_struct *kind = event->kind;
    if (KIND(client_partitions_assigned) || KIND(client_partitions_revoked) || KIND(client_partitions_lost)) {
        const ks_ev_client_partitions_assigned *e = event->fields;
        session->changes++;
        if (e->partitions.size <= 0) return;
        add(session, event, "%.*s %s %.*s", S(e->client), KIND(client_partitions_assigned) ? "assigned" : KIND(client_partitions_revoked) ? "revoked" : "lost", S(e->partitions));
        if (KIND(client_partitions_revoked)) ks_buffer_printf(&session->gave_up, "%.*s=%.*s\n", S(e->client), S(e->partitions));
        if (KIND(client_partitions_lost)) ks_buffer_printf(&session->lost, "%.*s=%.*s\n", S(e->client), S(e->partitions));
    } else if (KIND(group_stabilised)) {
        session->changes++;
        add(session, event, "%.*s is stable, generation %d, %d member%s", S(FIELDS(group_stabilised)->group), FIELDS(group_stabilised)->generation, FIELDS(group_stabilised)->members, FIELDS(group_stabilised)->members == 1 ? "" : "s");
    } else if (KIND(group_state_changed)) session->changes++;
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
        add(session, event, "a commit of %.*s[%d] was refused: %s", S(e->topic), e->partition, kafka_error_name((kafka_error)e->error_code));
    } else if (KIND(rule_fired)) add(session, event, "rule %.*s fired", S(FIELDS(rule_fired)->name));
}

/* ---- until ---- */

bool ks_session_interrupted(const ks_session *session) { return session->options.interrupted != NULL && *session->options.interrupted != 0; }

static ks_run_result interrupted(char *problem, size_t size) {
    snprintf(problem, size, "interrupted");
    return KS_RUN_FAILED;
}

/* Runs in slices, so that somebody who waits in front of it can end it. */
static void run_for(ks_session *session, int64_t ns) {
    const int64_t slice = 60 * KS_S;
    for (; ns > slice && !ks_session_interrupted(session); ns -= slice) ksim_run_for(session->sim, slice);
    if (!ks_session_interrupted(session)) ksim_run_for(session->sim, ns);
}

typedef struct stable_wait {
    ks_session *session;
    const char *group;
    uint64_t seen;
    bool known;
} stable_wait;

static bool stable_now(ks_session *session, const char *name) {
    size_t expected = 0;
    for (ks_actor *actor = session->actors; actor != NULL; actor = actor->next) {
        if (!ks_string_equal(actor->group, ks_str(name)) || !actor->running) continue;
        expected++;
        if (!actor->kind->settled(actor)) return false;
    }
    const ksim_group *group = ksim_group_find(session->sim, name);
    if (group == NULL) return expected == 0;
    if (group->member_count != expected) return false;
    return expected == 0 || strcmp(group->state, "Stable") == 0;
}

/* Looked at only when something has changed, or something is foreground: an idle group costs nothing to wait for. */
static bool stable_predicate(ksim *sim, void *context) {
    stable_wait *w = context;
    (void)sim;
    if (ks_session_interrupted(w->session)) return true;
    if (w->known && w->seen == w->session->changes && ks_in_background(w->session->sim->kernel)) return false;
    w->known = true;
    w->seen = w->session->changes;
    return stable_now(w->session, w->group);
}

bool ks_session_until_stable(ks_session *session, const char *group, int64_t within, char *problem, size_t size) {
    stable_wait w = { .session = session, .group = group };
    kafka_error error = ksim_run_until(session->sim, stable_predicate, &w, "the group is stable", within);
    /* Its last member's answer is still under way: what it was given is told once it is there. */
    if (error == KAFKA_OK) ksim_run_for(session->sim, 10 * KAFKA_MILLISECOND);
    if (error == KAFKA_OK) return true;
    session->stuck = true;
    const ksim_group *found = ksim_group_find(session->sim, group);
    snprintf(problem, size, "group %s is not stable: it is %s with %zu members", group, found ? found->state : "not there", found ? found->member_count : (size_t)0);
    return false;
}

typedef struct lag_wait { ks_session *session; const char *group; int64_t most; } lag_wait;
static bool lag_predicate(ksim *sim, void *context) {
    lag_wait *w = context;
    if (ks_session_interrupted(w->session)) return true;
    if (ks_in_background(w->session->sim->kernel)) return false;
    return ksim_lag(sim, w->group, NULL) <= w->most;
}

static bool idle_predicate(ksim *sim, void *context) {
    (void)sim;
    ks_session *session = context;
    return ks_session_interrupted(session) || ks_now(session->sim->kernel) - ks_last_progress(session->sim->kernel) > 5 * KS_S;
}

static ks_run_result until(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    const char *what = command->words[0].text.data, *name = command->word_count > 1 ? command->words[1].text.data : NULL;
    int64_t within = ks_pair_duration(command, "within", 600 * KS_S);
    static const char *const kinds[] = { "stable", "lag", "rule", "idle", NULL };
    kafka_error error = KAFKA_OK;
    if (strcmp(what, "stable") == 0 && name != NULL) return ks_session_until_stable(session, name, within, problem, size) ? KS_RUN_FINE : KS_RUN_FAILED;
    if (strcmp(what, "lag") == 0 && command->word_count == 3) {
        int64_t most;
        if (!ks_parse_int(command->words[2].text, &most)) {
            snprintf(problem, size, "until lag GROUP N: N is a whole number");
            return KS_RUN_WRONG;
        }
        lag_wait w = { session, name, most };
        if (ksim_lag(session->sim, name, NULL) > most) error = ksim_run_until(session->sim, lag_predicate, &w, "the lag is that small", within);
        if (error != KAFKA_OK) snprintf(problem, size, "the lag of %s is still %lld", name, (long long)ksim_lag(session->sim, name, NULL));
    } else if (strcmp(what, "rule") == 0 && name != NULL) {
        ks_named_rule *rule = session->rules;
        while (rule != NULL && !ks_string_equal(rule->name, ks_str(name))) rule = rule->next;
        if (rule == NULL) {
            snprintf(problem, size, "there is no rule '%s'", name);
            return KS_RUN_WRONG;
        }
        error = ksim_run_until_rule(session->sim, rule->rule, (uint64_t)ks_pair_int(command, "count", 1));
        if (error != KAFKA_OK) snprintf(problem, size, "the rule %s matched only %llu times", name, (unsigned long long)ksim_rule_matched(rule->rule));
    } else if (strcmp(what, "idle") == 0) {
        error = ksim_run_until(session->sim, idle_predicate, session, "nothing happens any more", within);
        if (error != KAFKA_OK) snprintf(problem, size, "things still happen");
    } else {
        const char *nearest = ks_scenario_nearest(command->words[0].text, kinds);
        snprintf(problem, size, "until what? `until stable GROUP`, `until lag GROUP N`, `until rule NAME`, `until idle`%s%s%s", nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        return KS_RUN_WRONG;
    }
    if (error == KAFKA_OK) return KS_RUN_FINE;
    session->stuck = true;
    return KS_RUN_FAILED;
}

/* ---- processes ---- */

static bool closed_predicate(ksim *sim, void *context) {
    (void)sim;
    const ks_actor *actor = context;
    return actor->closed || !actor->running || ks_session_interrupted(actor->session);
}

static ks_run_result each_consumer(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    bool starts = command->verb == KS_VERB_join || command->verb == KS_VERB_restart;
    for (int32_t i = 0; i < command->word_count; i++) { /* nothing is done when one of them is unknown, or in the wrong state */
        const char *name = command->words[i].text.data;
        const ks_actor *actor = ks_actor_find(session, command->words[i].text);
        if (actor == NULL) snprintf(problem, size, "there is no consumer '%s'; declare it: consumer %s group=... topics=...", name, name);
        else if (!starts && !actor->running) snprintf(problem, size, "'%s' is not running; `join %s` starts it", name, name);
        else if (command->verb == KS_VERB_join && actor->running) snprintf(problem, size, "'%s' is running already", name);
        else continue;
        return KS_RUN_WRONG;
    }
    for (int32_t i = 0; i < command->word_count; i++) {
        ks_actor *actor = ks_actor_find(session, command->words[i].text);
        const char *name = actor->name.data;
        kafka_error error = KAFKA_OK;
        if (command->verb == KS_VERB_join) {
            ks_sim_command(session->sim, "join", "%s %s", name, actor->group.data);
            if (!ks_actor_start(actor, problem, size)) return KS_RUN_WRONG;
            continue;
        }
        if (command->verb == KS_VERB_restart) {
            error = ksim_restart(session->sim, name);
            if (error == KAFKA_OK && !ks_actor_start(actor, problem, size)) return KS_RUN_WRONG;
        } else if (command->verb == KS_VERB_leave) {
            ks_sim_command(session->sim, "leave", "%s %s", name, actor->group.data);
            actor->kind->close(actor);
            error = ksim_run_until(session->sim, closed_predicate, actor, "it has left", 120 * KAFKA_SECOND);
        } else if (command->verb == KS_VERB_crash) error = ksim_crash(session->sim, name);
        else if (command->verb == KS_VERB_pause) error = ksim_pause(session->sim, name);
        else if (command->verb == KS_VERB_resume) error = ksim_resume(session->sim, name);
        else if (command->verb == KS_VERB_slow) actor->process_ns = ks_pair_duration(command, "process", actor->process_ns);
        else if (command->verb == KS_VERB_commit) actor->kind->commit(actor);
        if (error != KAFKA_OK) {
            snprintf(problem, size, "%s: %s", kafka_error_name(error), ksim_error_detail(session->sim));
            return KS_RUN_WRONG;
        }
    }
    return KS_RUN_FINE;
}

/* ---- all commands ---- */

static bool changes_the_picture(ks_verb verb) {
    return verb == KS_VERB_join || verb == KS_VERB_until || verb == KS_VERB_advance || verb == KS_VERB_leave || verb == KS_VERB_crash;
}

static ks_run_result run_command(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    ks_run_result result = KS_RUN_FINE;
    switch (command->verb) {
    case KS_VERB_cluster: return KS_RUN_FINE; /* was read when the session began */
    case KS_VERB_producer:
        if (ks_sender_get(session, command->words[0].text, command) != NULL) return KS_RUN_FINE;
        snprintf(problem, size, "%s", ksim_error_detail(session->sim));
        return KS_RUN_WRONG;
    case KS_VERB_consumer: return ks_actor_declare(session, command, problem, size) ? KS_RUN_FINE : KS_RUN_WRONG;
    case KS_VERB_produce: return ks_session_produce(session, command, problem, size);
    case KS_VERB_join: case KS_VERB_leave: case KS_VERB_crash: case KS_VERB_restart: case KS_VERB_pause: case KS_VERB_resume:
    case KS_VERB_slow: case KS_VERB_commit: return each_consumer(session, command, problem, size);
    case KS_VERB_until: return until(session, command, problem, size);
    case KS_VERB_expect: return ks_session_expect(session, command, problem, size);
    case KS_VERB_say:
        KS_EMIT(session->sim->kernel, NULL, note, .text = command->words[0].text);
        return KS_RUN_FINE;
    case KS_VERB_advance: {
        int64_t ns;
        if (!ks_parse_duration(command->words[0].text, &ns)) {
            snprintf(problem, size, "advance takes a duration such as 500ms, 10s, 5m, not '%s'", command->words[0].text.data);
            return KS_RUN_WRONG;
        }
        run_for(session, ns);
        return KS_RUN_FINE;
    }
    case KS_VERB_topic: case KS_VERB_stop_broker: case KS_VERB_start_broker: case KS_VERB_cut: case KS_VERB_heal: case KS_VERB_reset:
    case KS_VERB_delay: case KS_VERB_rule: case KS_VERB_release: case KS_VERB_unrule: case KS_VERB_add_partitions: case KS_VERB_alter_topic:
    case KS_VERB_delete_topic: case KS_VERB_delete_group: case KS_VERB_reset_offsets: case KS_VERB_delete_offsets:
    case KS_VERB_remove_member: case KS_VERB_move_coordinator: case KS_VERB_move_leader:
        ks_session_admin(session, command, &result, problem, size);
        return result;
    case KS_VERB_COUNT: break;
    }
    ks_unreachable("verb");
}

ks_run_result ks_session_run(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    ks_cause_set(session->sim->kernel, 0);
    ks_buffer_clear(&session->happened);
    session->stuck = false;
    if (changes_the_picture(command->verb)) {
        ks_buffer_clear(&session->gave_up);
        ks_buffer_clear(&session->lost);
    }
    ks_run_result result = run_command(session, command, problem, size);
    if (ks_session_interrupted(session)) return interrupted(problem, size);
    if (result == KS_RUN_FAILED) ks_sim_command(session->sim, "expectation_failed", "NOT SO: %s", problem);
    return result;
}

/* ---- beginning and end ---- */

static ksim *make_sim(const ks_command_line *cluster, const ks_scenario_options *options, char *problem, size_t size) {
    ksim_setting settings[64];
    const char *racks[64];
    size_t count = 0;
    char list[1024] = "", extra[256];
    ksim_config config = { .seed = options->has_seed ? options->seed : 7, .brokers = 3, .settings = settings, .problem = problem, .problem_size = size };
    if (options->cluster_setting != NULL) {
        snprintf(extra, sizeof extra, "%s", options->cluster_setting);
        char *equals = strchr(extra, '=');
        if (equals != NULL) {
            *equals = '\0';
            settings[count++] = (ksim_setting){ extra, equals + 1 };
        }
    }
    if (cluster != NULL) {
        config.brokers = (int32_t)ks_pair_int(cluster, "brokers", 3);
        if (!options->has_seed) config.seed = (uint64_t)ks_pair_int(cluster, "seed", 7);
        config.latency = ks_pair_duration(cluster, "latency", 0);
        if (config.brokers < 1 || config.brokers > 64) {
            snprintf(problem, size, "a scenario has 1 to 64 brokers");
            return NULL;
        }
        for (int32_t i = 0; i < cluster->pair_count && count < 62; i++)
            if (strchr(cluster->pairs[i].name.text.data, '.') != NULL)
                settings[count++] = (ksim_setting){ cluster->pairs[i].name.text.data, cluster->pairs[i].value.text.data };
        if (ks_pair_find(cluster, "racks") != NULL) {
            snprintf(list, sizeof list, "%s", ks_pair_text(cluster, "racks", ""));
            int32_t n = 0;
            for (char *at = strtok(list, ","); at != NULL && n < config.brokers; at = strtok(NULL, ",")) racks[n++] = at;
            if (n != config.brokers) {
                snprintf(problem, size, "racks names one rack for each of the %d brokers", config.brokers);
                return NULL;
            }
            config.racks = racks;
        }
    }
    settings[count] = (ksim_setting){ NULL, NULL };
    return ksim_new(&config);
}

ks_session *ks_session_open(const ks_command_line *cluster, const ks_scenario_options *options, char *problem, size_t size) {
    ksim *sim = make_sim(cluster, options, problem, size);
    if (sim == NULL) return NULL;
    ks_session *session = ks_alloc(sizeof *session);
    session->sim = sim;
    session->arena = ks_arena_new();
    session->options = *options;
    session->folder = ks_arena_string(session->arena, ks_str(options->folder != NULL ? options->folder : "")).data;
    session->last_actor = &session->actors;
    session->brokers = cluster != NULL ? (int32_t)ks_pair_int(cluster, "brokers", 3) : 3;
    session->subscriber = (ks_subscriber){ .event = on_event, .context = session };
    if (options->subscriber != NULL) ks_trace_subscribe(sim->kernel, options->subscriber);
    ks_trace_subscribe(sim->kernel, &session->subscriber);
    return session;
}

ks_session *ks_session_new(const char *cluster, const ks_scenario_options *options, int32_t *column, char *problem, size_t problem_size) {
    *column = 0;
    if (cluster == NULL) return ks_session_open(NULL, options, problem, problem_size);
    ks_arena *arena = ks_arena_new();
    ks_command_line command = { .line = 1 };
    bool found;
    ks_session *session = NULL;
    if (ks_command_parse(arena, ks_arena_string(arena, ks_str(cluster)), &command, &found, column, problem, problem_size)) {
        *column = 0;
        session = ks_session_open(found ? &command : NULL, options, problem, problem_size);
    }
    ks_arena_free(arena);
    return session;
}

ks_run_result ks_session_command(ks_session *session, const char *line, int32_t *column, char *problem, size_t problem_size) {
    ks_command_line *command = ks_arena_alloc(session->arena, sizeof *command);
    bool found;
    ks_string kept = ks_arena_string(session->arena, ks_str(line));
    *column = 0;
    if (!ks_command_parse(session->arena, kept, command, &found, column, problem, problem_size)) return KS_RUN_WRONG;
    *column = 0;
    if (!found) return KS_RUN_FINE;
    if (command->verb == KS_VERB_cluster) {
        snprintf(problem, problem_size, "the cluster is there already; `cluster` is the first command of a scenario");
        return KS_RUN_WRONG;
    }
    return ks_session_run(session, command, problem, problem_size);
}

ksim *ks_session_sim(ks_session *session) { return session->sim; }

void ks_session_free(ks_session *session) {
    if (session == NULL) return;
    ks_senders_free(session);
    ks_trace_unsubscribe(session->sim->kernel, &session->subscriber);
    if (session->options.subscriber != NULL) ks_trace_unsubscribe(session->sim->kernel, session->options.subscriber);
    for (ks_actor *actor = session->actors, *next; actor != NULL; actor = next) {
        next = actor->next;
        ks_actor_free(actor);
    }
    ks_book *book, *after;
    HASH_ITER(hh, session->books, book, after) {
        HASH_DELETE(hh, session->books, book);
        ks_free(book->times);
        ks_free(book);
    }
    ksim_free(session->sim);
    ks_buffer_deinit(&session->happened);
    ks_buffer_deinit(&session->gave_up);
    ks_buffer_deinit(&session->lost);
    ks_arena_free(session->arena);
    ks_free(session);
}
