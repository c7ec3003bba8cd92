/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_consumer_group and kafka_generation: the blocking face of a group member (kafka-go, consumergroup.go).
 *
 * A kafka_generation lives as long as somebody holds it: the application, each of its functions that runs, and the group
 * while it goes on. The member's loop hands out one result at a time; a result whose taker's context ended at that very
 * instant waits for the next taker.
 */
#include <kafkasim/group.h>
#include <kafkasim/task.h>

#include <stdlib.h>

#include "sim/api/group_config.h"
#include "sim/task/context.h"

typedef struct waiting { /* a blocked call */
    ks_wait wait;
    struct waiting *next;
} waiting;

struct kafka_generation {
    ks_handle handle;
    kafka_address *address;
    kafka_consumer_group *group;    /* NULL: it was freed */
    kafka_generation *next, **link; /* all of the group */
    int32_t references;
    ks_generation *engine;
    kafka_context *context;
    kafka_partition_assignment *assignments;
    size_t assignment_count;
    ks_arena *arena;
    ks_string group_id, member_id;
};

struct kafka_consumer_group {
    ks_handle handle;
    kafka_address *address;
    ks_process_watch watch;
    ks_arena *arena;
    ks_membership_settings *settings;
    ks_membership *member; /* NULL: dead */
    bool dead, closing, closed, freed;
    int32_t inside;
    waiting *takers, *closers;
    kafka_generation *ready; /* for the next taker */
    kafka_error ready_error;
    kafka_generation *generations;
};

static ks_node *node_of(const kafka_consumer_group *group) { return ks_process_node(group->address->process); }

/* ---- generations ---- */

static void generation_leave_group(kafka_generation *generation) {
    kafka_consumer_group *group = generation->group;
    if (group == NULL) return;
    ks_generation_listen(generation->engine, NULL, NULL);
    if (group->ready == generation) group->ready = NULL;
    *generation->link = generation->next;
    if (generation->next != NULL) generation->next->link = generation->link;
    generation->group = NULL;
}

/* All but its context, which wakes those who wait under it. */
static void generation_drop(void *object) {
    kafka_generation *generation = object;
    ks_handle_close(&generation->handle);
    generation_leave_group(generation);
    ks_generation_release(generation->engine);
    ks_arena_free(generation->arena);
    ks_free(generation);
}

static void generation_release(kafka_generation *generation) {
    if (generation == NULL || --generation->references > 0) return;
    ks_context_free(generation->context);
    generation_drop(generation);
}

/* The group's own reference goes with the generation's end. */
static void generation_ended(void *owner) {
    kafka_generation *generation = owner;
    ks_context_end(generation->context, KAFKA_ERR_GENERATION_ENDED);
    generation_release(generation);
}

static void copy_assignments(kafka_generation *generation) {
    const ks_assigned_partition *assigned;
    int32_t count = ks_generation_assigned(generation->engine, &assigned);
    if (count == 0) return;
    generation->assignments = ks_arena_alloc(generation->arena, (size_t)count * sizeof *generation->assignments);
    generation->assignment_count = (size_t)count;
    const char *topic = NULL;
    for (int32_t i = 0; i < count; i++) {
        if (i == 0 || assigned[i].topic.data != assigned[i - 1].topic.data)
            topic = ks_arena_string(generation->arena, assigned[i].topic).data;
        generation->assignments[i] = (kafka_partition_assignment){ topic, assigned[i].partition, assigned[i].offset };
    }
}

static kafka_generation *generation_new(kafka_consumer_group *group, ks_generation *engine) {
    kafka_generation *generation = ks_alloc(sizeof *generation);
    generation->address = group->address;
    generation->group = group;
    generation->references = 2; /* whoever takes it, and the group until it ends */
    generation->engine = ks_generation_hold(engine);
    generation->context = ks_context_child(group->address->background);
    generation->arena = ks_arena_new();
    generation->group_id = ks_arena_string(generation->arena, group->settings->group);
    generation->member_id = ks_arena_string(generation->arena, ks_generation_member_id(engine));
    copy_assignments(generation);
    generation->next = group->generations;
    generation->link = &group->generations;
    if (generation->next != NULL) generation->next->link = &generation->next;
    group->generations = generation;
    ks_handle_open(&generation->handle, group->address, "kafka_generation", "kafka_generation_free", generation_drop,
                   generation);
    if (ks_generation_has_ended(engine))
        generation_ended(generation);
    else
        ks_generation_listen(engine, generation_ended, generation);
    return generation;
}

/* ---- waiting ---- */

static void wake_one(waiting *list) {
    while (list != NULL && list->wait.done) list = list->next;
    if (list != NULL) ks_wait_wake(&list->wait, KAFKA_OK);
}

static void wake_all(waiting *list) {
    for (; list != NULL; list = list->next)
        if (!list->wait.done) ks_wait_wake(&list->wait, KAFKA_OK);
}

static kafka_error park(waiting **list, waiting *one) {
    waiting **end = list;
    while (*end != NULL) end = &(*end)->next;
    one->next = NULL;
    *end = one;
    kafka_error error = ks_wait_park(&one->wait);
    for (end = list; *end != one;) end = &(*end)->next;
    *end = one->next;
    return error;
}

/* ---- what the member says ---- */

static void member_has_generation(void *owner, ks_generation *engine) {
    kafka_consumer_group *group = owner;
    group->ready = generation_new(group, engine);
    wake_one(group->takers);
}

static void member_failed(void *owner, kafka_error error, const char *step) {
    kafka_consumer_group *group = owner;
    if (error == KAFKA_ERR_DEADLINE_EXCEEDED) error = KAFKA_ERR_REQUEST_TIMED_OUT; /* not the caller's context */
    group->ready_error = error;
    ks_process_fail(group->address->process, error, "kafka_consumer_group_next: group %s: %s: %s",
                    group->settings->group.data, step, kafka_error_text(error));
    wake_one(group->takers);
}

static void member_closed(void *owner) {
    kafka_consumer_group *group = owner;
    group->closed = true;
    wake_all(group->closers);
}

/* ---- life ---- */

/* Wakes nobody. Generations that the application still holds live on by themselves. */
static void destroy(void *object) {
    kafka_consumer_group *group = object;
    while (group->generations != NULL) generation_leave_group(group->generations);
    ks_process_watch_stop(&group->watch);
    ks_handle_close(&group->handle);
    ks_membership_free(group->member);
    ks_arena_free(group->arena);
    ks_free(group);
}

static kafka_error leave(kafka_consumer_group *group, kafka_error error) {
    if (--group->inside == 0 && group->freed) destroy(group);
    return error;
}

static void crashed(void *owner) {
    kafka_consumer_group *group = owner;
    group->dead = true;
    ks_membership_free(group->member); /* ends the generation */
    group->member = NULL;
}

kafka_error kafka_consumer_group_new(const kafka_consumer_group_config *config, kafka_consumer_group **out) {
    static const ks_membership_events events = { .generation = member_has_generation,
                                                 .failed = member_failed,
                                                 .closed = member_closed };
    if (config == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_address *address = config->address;
    if (address == NULL) return KAFKA_ERR_INVALID_CONFIG_VALUE;
    kafka_error error = ks_address_check(address, "kafka_consumer_group_new");
    if (error) return error;
    if (out == NULL) return ks_process_fail(address->process, KAFKA_ERR_INVALID_ARGUMENT, "kafka_consumer_group_new: group is NULL");
    ks_arena *arena = ks_arena_new();
    const char *problem = ks_group_config_check(config, arena);
    if (problem != NULL)
        error =
            ks_process_fail(address->process, KAFKA_ERR_INVALID_CONFIG_VALUE, "kafka_consumer_group_new: %s", problem);
    else if (ks_process_is_down(address->process))
        error = ks_address_fail(address, KAFKA_ERR_NODE_CRASHED, "kafka_consumer_group_new: client process %s is down",
                                address->name);
    if (error) {
        ks_arena_free(arena);
        return error;
    }
    kafka_consumer_group *group = ks_alloc(sizeof *group);
    group->address = address;
    group->arena = arena;
    group->settings = ks_group_config_settings(config, arena);
    group->member = ks_membership_new(group->settings, &events, group);
    group->watch = (ks_process_watch){ .crashed = crashed, .owner = group };
    ks_process_watch_start(address->process, &group->watch);
    ks_handle_open(&group->handle, address, "kafka_consumer_group",
                   "kafka_consumer_group_close and kafka_consumer_group_free", destroy, group);
    *out = group;
    return KAFKA_OK;
}

/* ---- next ---- */

static kafka_error fail(const kafka_consumer_group *group, kafka_error error, const char *call) {
    return ks_address_fail(group->address, error, "%s: group %s", call, group->settings->group.data);
}

/* Something to give already? True: `*error` is the answer. */
static bool take(kafka_consumer_group *group, kafka_generation **generation, kafka_error *error) {
    *error = group->dead                      ? KAFKA_ERR_NODE_CRASHED
             : group->closing || group->freed ? KAFKA_ERR_GROUP_CLOSED
                                              : group->ready_error;
    if (*error != KAFKA_OK) {
        group->ready_error = KAFKA_OK;
        return true;
    }
    if (group->ready == NULL) return false;
    *generation = group->ready;
    group->ready = NULL;
    return true;
}

/* One turn: takes what is there, or waits once. True: `*error` is the answer. */
static bool next_turn(kafka_consumer_group *group, kafka_context *ctx, kafka_generation **generation,
                      kafka_error *error) {
    waiting taker;
    *error = ks_wait_begin(&taker.wait, group->address->runtime, node_of(group), ctx,
                           "kafka_consumer_group_next: group %.100s", group->settings->group.data);
    if (*error != KAFKA_OK) return true;
    bool taken = take(group, generation, error);
    if (!taken) {
        ks_membership_next(group->member); /* may answer at once */
        taken = take(group, generation, error);
    }
    if (taken) {
        ks_wait_abandon(&taker.wait);
        return true;
    }
    *error = park(&group->takers, &taker);
    if (*error == KAFKA_OK) return false;
    if (group->takers == NULL && !group->dead && !group->freed) ks_membership_do_not_wait(group->member);
    return true;
}

kafka_error kafka_consumer_group_next(kafka_consumer_group *group, kafka_context *ctx, kafka_generation **generation) {
    if (group == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    if (!ks_runtime_right_thread(group->address->runtime)) return KAFKA_ERR_WRONG_THREAD;
    if (ctx == NULL || generation == NULL)
        return ks_process_fail(group->address->process, KAFKA_ERR_INVALID_ARGUMENT,
                               "kafka_consumer_group_next: %s is NULL", ctx ? "generation" : "ctx");
    kafka_error error = ks_address_check_context(group->address, ctx, "kafka_consumer_group_next");
    if (error) return error;
    kafka_generation *taken = NULL;
    group->inside++;
    while (!next_turn(group, ctx, &taken, &error)) continue;
    if (taken != NULL)
        *generation = taken;
    else if (error == KAFKA_ERR_GROUP_CLOSED && !group->freed)
        ks_runtime_fruitless(group->address->runtime, "kafka_consumer_group_next");
    else if (error < -1000 && !group->freed && error != KAFKA_ERR_CONNECTION_REFUSED &&
             error != KAFKA_ERR_CONNECTION_RESET)
        fail(group, error, "kafka_consumer_group_next");
    return leave(group, error);
}

/* ---- closing ---- */

static kafka_error close_and_wait(kafka_consumer_group *group, waiting *closer) {
    if (!group->closing) {
        group->closing = true;
        kafka_generation *ready = group->ready;
        group->ready = NULL;
        generation_release(ready);
        ks_membership_close(group->member);
        wake_all(group->takers);
    }
    return park(&group->closers, closer);
}

kafka_error kafka_consumer_group_close(kafka_consumer_group *group) {
    if (group == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    if (!ks_runtime_right_thread(group->address->runtime)) return KAFKA_ERR_WRONG_THREAD;
    if (group->dead) return fail(group, KAFKA_ERR_NODE_CRASHED, "kafka_consumer_group_close");
    if (group->closed) return KAFKA_OK;
    waiting closer;
    kafka_error error = ks_wait_begin(&closer.wait, group->address->runtime, node_of(group), NULL,
                                      "kafka_consumer_group_close: group %.100s", group->settings->group.data);
    group->inside++;
    if (error == KAFKA_OK) error = close_and_wait(group, &closer);
    if (error != KAFKA_OK && !group->freed) fail(group, error, "kafka_consumer_group_close");
    return leave(group, error);
}

void kafka_consumer_group_free(kafka_consumer_group *group) {
    if (group == NULL || !ks_runtime_right_thread(group->address->runtime)) return;
    if (!group->dead && !group->closed)
        ks_process_fail(group->address->process, KAFKA_ERR_CLOSED,
                        "kafka_consumer_group_free: group %s was not closed: its member "
                        "stays in the group until its session times out. Call kafka_consumer_group_close() first",
                        group->settings->group.data);
    ks_handle_close(&group->handle);
    group->freed = true;
    ks_membership_free(group->member); /* ends the generation */
    group->member = NULL;
    generation_release(group->ready);
    wake_all(group->takers);
    wake_all(group->closers);
    if (group->inside == 0) destroy(group);
}

/* ---- a generation's calls ---- */

int32_t kafka_generation_id(const kafka_generation *generation) {
    return generation ? ks_generation_id(generation->engine) : -1;
}
const char *kafka_generation_group_id(const kafka_generation *generation) {
    return generation ? generation->group_id.data : "";
}
const char *kafka_generation_member_id(const kafka_generation *generation) {
    return generation ? generation->member_id.data : "";
}
kafka_context *kafka_generation_context(kafka_generation *generation) {
    return generation ? generation->context : NULL;
}
void kafka_generation_free(kafka_generation *generation) { generation_release(generation); }

size_t kafka_generation_assignments(const kafka_generation *generation,
                                    const kafka_partition_assignment **assignments) {
    if (assignments != NULL) *assignments = generation ? generation->assignments : NULL;
    return generation ? generation->assignment_count : 0;
}

typedef struct function { /* in the generation's arena */
    kafka_generation *generation;
    void (*run)(kafka_context *ctx, void *argument);
    void *argument;
} function;

static void run_function(void *argument) {
    function *started = argument;
    kafka_generation *generation = started->generation;
    started->run(generation->context, started->argument);
    ks_generation_leave(generation->engine);
    generation_release(generation);
}

kafka_error kafka_generation_start(kafka_generation *generation, const char *name,
                                   void (*run)(kafka_context *ctx, void *argument), void *argument) {
    if (generation == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_error error = ks_address_check(generation->address, "kafka_generation_start");
    if (error) return error;
    if (run == NULL) return ks_process_fail(generation->address->process, KAFKA_ERR_INVALID_ARGUMENT, "kafka_generation_start: run is NULL");
    if (generation->address->background->error != KAFKA_OK) return KAFKA_ERR_NODE_CRASHED;
    function *started = ks_arena_alloc(generation->arena, sizeof *started);
    *started = (function){ generation, run, argument };
    kafka_task *task = kafka_go(generation->address->background, name ? name : "generation", run_function, started);
    if (task == NULL) return KAFKA_ERR_CLOSED;
    generation->references++;
    ks_generation_enter(generation->engine);
    kafka_task_free(task);
    return KAFKA_OK;
}

static int by_topic_and_partition(const void *left, const void *right) {
    const ks_committed_offset *a = left, *b = right;
    int order = ks_string_compare(a->topic, b->topic);
    if (order == 0) order = (a->partition > b->partition) - (a->partition < b->partition);
    return order != 0 ? order : (a->offset < b->offset) - (a->offset > b->offset); /* the higher one first: it wins */
}

static int32_t sorted_offsets(const kafka_partition_offset *offsets, size_t count, ks_committed_offset *sorted) {
    int32_t kept = 0;
    for (size_t i = 0; i < count; i++)
        sorted[i] = (ks_committed_offset){ ks_str(offsets[i].topic), offsets[i].partition, offsets[i].offset };
    qsort(sorted, count, sizeof *sorted, by_topic_and_partition);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || sorted[kept - 1].partition != sorted[i].partition ||
            !ks_string_equal(sorted[kept - 1].topic, sorted[i].topic))
            sorted[kept++] = sorted[i];
    return kept;
}

static void committed(void *owner, kafka_error error) { ks_wait_wake(owner, error); }

static kafka_error commit(kafka_generation *generation, kafka_context *ctx, const kafka_partition_offset *offsets,
                          size_t count) {
    ks_wait wait;
    kafka_error error =
        ks_wait_begin(&wait, generation->address->runtime, ks_process_node(generation->address->process), ctx,
                      "kafka_generation_commit: group %.80s, generation %d", generation->group_id.data,
                      (int)ks_generation_id(generation->engine));
    if (error) return error;
    ks_commit_call call = { 0 };
    ks_committed_offset *sorted = ks_alloc(count * sizeof *sorted);
    int32_t kept = sorted_offsets(offsets, count, sorted);
    ks_generation_commit(generation->engine, &call, sorted, kept, committed, &wait);
    ks_free(sorted);
    error = ks_wait_park(&wait);
    ks_commit_call_drop(&call);
    return error;
}

kafka_error kafka_generation_commit(kafka_generation *generation, kafka_context *ctx,
                                    const kafka_partition_offset *offsets, size_t count) {
    if (generation == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_error error = ks_address_check(generation->address, "kafka_generation_commit");
    if (error == KAFKA_OK) error = ks_address_check_context(generation->address, ctx, "kafka_generation_commit");
    if (error) return error;
    const char *wrong = ctx == NULL ? "ctx is NULL" : offsets == NULL && count > 0 ? "offsets is NULL" : NULL;
    for (size_t i = 0; i < count && wrong == NULL; i++)
        if (offsets[i].topic == NULL || offsets[i].partition < 0 || offsets[i].offset < 0)
            wrong = "an offset has no topic, or a negative partition or offset";
    if (wrong != NULL)
        return ks_process_fail(generation->address->process, KAFKA_ERR_INVALID_ARGUMENT, "kafka_generation_commit: %s",
                               wrong);
    if (count == 0) return KAFKA_OK;
    generation->references++; /* another task may free it meanwhile */
    error = commit(generation, ctx, offsets, count);
    if (error)
        ks_address_fail(generation->address, error, "kafka_generation_commit: group %s, generation %d",
                        generation->group_id.data, (int)ks_generation_id(generation->engine));
    generation_release(generation);
    return error;
}
