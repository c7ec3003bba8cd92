/* SPDX-License-Identifier: Apache-2.0
 * A session's beginning and end.
 */
#include <stdlib.h>

#include "sim/scenario/sender.h"

/* "a,b,c" into `brokers` names, which the check has counted. */
static const char *const *racks_of(const char *list, int32_t brokers, ks_arena *arena) {
    const char **racks = ks_arena_alloc(arena, (size_t)brokers * sizeof *racks);
    for (int32_t b = 0; b < brokers; b++) {
        size_t length = strcspn(list, ",");
        racks[b] = ks_arena_string(arena, (ks_string){ list, (int32_t)length }).data;
        list += length + (list[length] == ',');
    }
    return racks;
}

static ksim *make_sim(const ks_command_line *cluster, const ks_scenario_options *options, ks_arena *arena, char *problem, size_t size) {
    static const ks_command_line defaults = { .verb = KS_VERB_cluster };
    const ks_command_line *c = ks_command_with(cluster != NULL ? cluster : &defaults, options->cluster_settings, arena);
    ksim_setting *settings = ks_arena_alloc(arena, (size_t)(c->pair_count + 1) * sizeof *settings);
    int32_t count = 0;
    ksim_config config = { .seed = options->has_seed ? options->seed : (uint64_t)ks_pair_int(c, "seed", 7), .brokers = (int32_t)ks_pair_int(c, "brokers", 3),
                           .latency = ks_pair_duration(c, "latency", 0), .settings = settings, .problem = problem, .problem_size = size };
    if (ks_pair_find(c, "racks") != NULL) config.racks = racks_of(ks_pair_text(c, "racks", ""), config.brokers, arena);
    for (int32_t i = 0; i < c->pair_count; i++)
        if (strchr(c->pairs[i].name.text.data, '.') != NULL) settings[count++] = (ksim_setting){ c->pairs[i].name.text.data, c->pairs[i].value.text.data };
    settings[count] = (ksim_setting){ NULL, NULL };
    return ksim_new(&config);
}

ks_session *ks_session_open(const ks_command_line *cluster, const ks_scenario_options *options, int32_t *column, char *problem, size_t size) {
    ks_session *session = ks_alloc(sizeof *session);
    session->arena = ks_arena_new();
    session->answers_arena = ks_arena_new();
    session->options = *options;
    session->folder = ks_arena_string(session->arena, ks_str(options->folder != NULL ? options->folder : "")).data;
    session->last_actor = &session->actors;
    session->subscriber = (ks_subscriber){ .event = ks_session_event, .context = session };
    *column = 0;
    ks_world_init(&session->world, session->arena, session->folder);
    bool right = cluster == NULL || ks_world_take(&session->world, cluster, column, problem, size);
    if (right) session->sim = make_sim(cluster, options, session->arena, problem, size);
    if (session->sim == NULL) {
        ks_session_free(session);
        return NULL;
    }
    session->brokers = session->world.brokers;
    if (options->subscriber != NULL) ks_trace_subscribe(session->sim->kernel, options->subscriber);
    ks_trace_subscribe(session->sim->kernel, &session->subscriber);
    return session;
}

ks_session *ks_session_new(const char *cluster, const ks_scenario_options *options, int32_t *column, char *problem, size_t problem_size) {
    *column = 0;
    if (cluster == NULL) return ks_session_open(NULL, options, column, problem, problem_size);
    ks_arena *arena = ks_arena_new();
    ks_command_line command = { .line = 1 };
    bool found;
    ks_session *session = NULL;
    if (ks_command_parse(arena, ks_arena_string(arena, ks_str(cluster)), &command, &found, column, problem, problem_size))
        session = ks_session_open(found ? &command : NULL, options, column, problem, problem_size);
    ks_arena_free(arena);
    return session;
}

ks_run_result ks_session_command(ks_session *session, const char *line, int32_t *column, char *problem, size_t problem_size) {
    ks_command_line *command = ks_arena_alloc(session->arena, sizeof *command);
    bool found;
    ks_string kept = ks_arena_string(session->arena, ks_str(line));
    *column = 0;
    command->line = ++session->line;
    if (!ks_command_parse(session->arena, kept, command, &found, column, problem, problem_size)) return KS_RUN_WRONG;
    *column = 0;
    if (!found) return KS_RUN_FINE;
    if (command->verb == KS_VERB_cluster) {
        snprintf(problem, problem_size, "the cluster is there already; `cluster` is the first command of a scenario");
        return KS_RUN_WRONG;
    }
    ks_run_result result = ks_session_run(session, command, problem, problem_size);
    if (result == KS_RUN_WRONG) *column = session->column;
    return result;
}

ksim *ks_session_sim(ks_session *session) { return session->sim; }

void ks_session_free(ks_session *session) {
    if (session == NULL) return;
    if (session->sim != NULL) {
        ks_senders_free(session);
        ks_trace_unsubscribe(session->sim->kernel, &session->subscriber);
        if (session->options.subscriber != NULL) ks_trace_unsubscribe(session->sim->kernel, session->options.subscriber);
    }
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
    ks_session_forget_answers(session);
    ks_world_deinit(&session->world);
    ks_buffer_deinit(&session->happened);
    ks_buffer_deinit(&session->gave_up);
    ks_buffer_deinit(&session->lost);
    ks_arena_free(session->answers_arena);
    ks_arena_free(session->arena);
    ks_free(session);
}
