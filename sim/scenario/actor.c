/* SPDX-License-Identifier: Apache-2.0
 * What both kinds of consumers share: their lives, their time, what they were given.
 */
#include "sim/scenario/session.h"

#include <stdlib.h>

ks_actor *ks_actor_find(ks_session *session, ks_string name) {
    for (ks_actor *actor = session->actors; actor != NULL; actor = actor->next)
        if (ks_string_equal(actor->name, name)) return actor;
    return NULL;
}

bool ks_commit_policy_parse(ks_string text, ks_commit_policy *policy, int64_t *every) {
    static const char *const names[] = { [KS_COMMIT_AUTO] = "auto", [KS_COMMIT_EACH] = "each", [KS_COMMIT_MANUAL] = "manual" };
    *policy = KS_COMMIT_EVERY;
    if (strncmp(text.data, "every:", 6) == 0) return ks_parse_int(ks_str(text.data + 6), every) && *every > 0;
    for (int i = 0; i <= KS_COMMIT_MANUAL; i++) {
        if (names[i] == NULL || strcmp(text.data, names[i]) != 0) continue;
        *policy = (ks_commit_policy)i;
        return true;
    }
    return false;
}

void ks_actor_declare(ks_session *session, const ks_command_line *command) {
    command = ks_consumer_what_if(session, command);
    const char *topics = ks_pair_text(command, "topics", "");
    ks_actor *actor = ks_alloc(sizeof *actor);
    actor->session = session;
    actor->name = command->words[0].text;
    actor->group = ks_str(ks_pair_text(command, "group", ""));
    actor->declared = command;
    actor->process_ns = ks_pair_duration(command, "process", 0);
    actor->kind = strcmp(ks_pair_text(command, "client", "java"), "kafka-go") == 0 ? &ks_actor_kafka_go : &ks_actor_java;
    bool commits = strcmp(ks_pair_text(command, "enable.auto.commit", "true"), "false") != 0;
    ks_commit_policy_parse(ks_str(ks_pair_text(command, "commit", commits ? "auto" : "manual")), &actor->policy, &actor->every);
    int32_t count = 1;
    for (const char *c = topics; *c != '\0'; c++) count += *c == ',';
    actor->topics = ks_arena_alloc(session->arena, (size_t)(count + 1) * sizeof *actor->topics);
    for (const char *at = topics;;) {
        size_t length = strcspn(at, ",");
        actor->topics[actor->topic_count++] = (char *)(uintptr_t)ks_arena_string(session->arena, (ks_string){ at, (int32_t)length }).data;
        if (at[length] == '\0') break;
        at += length + 1;
    }
    *session->last_actor = actor;
    session->last_actor = &actor->next;
}

static void on_turn(ks_timer *timer) {
    ks_actor *actor = timer->owner;
    if (actor->running && !actor->is_busy) actor->kind->turn(actor);
}

static void on_busy(ks_timer *timer) {
    ks_actor *actor = timer->owner;
    actor->is_busy = false;
    if (actor->running) actor->kind->turn(actor);
}

static void on_crash(void *owner) {
    ks_actor *actor = owner;
    if (!actor->running) return;
    ks_timer_stop(&actor->turn);
    ks_timer_stop(&actor->busy);
    actor->running = actor->is_busy = actor->committing = false;
    actor->held.count = 0; /* a dead process believes nothing */
    actor->kind->crashed(actor);
}

bool ks_actor_process(ks_actor *actor, char *problem, size_t size) {
    if (actor->address != NULL) return true;
    actor->address = ksim_client(actor->session->sim, actor->name.data);
    if (actor->address == NULL) {
        snprintf(problem, size, "%s", ksim_error_detail(actor->session->sim));
        return false;
    }
    ks_node *node = ks_process_node(actor->address->process);
    ks_timer_init(&actor->turn, node, on_turn, actor);
    ks_timer_init(&actor->busy, node, on_busy, actor);
    return true;
}

bool ks_actor_start(ks_actor *actor, char *problem, size_t size) {
    if (actor->engine != NULL) { /* what the former life left */
        actor->kind->free(actor);
        actor->engine = NULL;
    }
    if (!ks_actor_process(actor, problem, size)) return false;
    ks_process_watch_stop(&actor->watch);
    actor->watch = (ks_process_watch){ .crashed = on_crash, .owner = actor };
    ks_process_watch_start(actor->address->process, &actor->watch);
    if (actor->arena != NULL) ks_arena_free(actor->arena);
    actor->arena = ks_arena_new();
    actor->closed = actor->committing = actor->is_busy = false;
    actor->since_commit = actor->delivered = 0;
    actor->held.count = 0;
    actor->held_as = KS_NULL_STRING;
    actor->held_since = -1;
    actor->last_error = KAFKA_OK;
    if (!actor->kind->start(actor, problem, size)) return false;
    actor->running = true;
    ks_actor_wake(actor);
    return true;
}

void ks_actor_free(ks_actor *actor) {
    if (actor->address != NULL) {
        ks_timer_stop(&actor->turn);
        ks_timer_stop(&actor->busy);
        ks_process_watch_stop(&actor->watch);
    }
    if (actor->engine != NULL) actor->kind->free(actor);
    if (actor->arena != NULL) ks_arena_free(actor->arena);
    kafka_address_free(actor->address);
    ks_free(actor->held.items);
    ks_free(actor);
}

void ks_actor_wake(ks_actor *actor) {
    if (actor->running && !actor->is_busy && !ks_timer_is_running(&actor->turn)) ks_timer_start(actor->session->sim->kernel, &actor->turn, 0);
}

void ks_actor_work(ks_actor *actor, int64_t ns) {
    actor->is_busy = true;
    ks_timer_start(actor->session->sim->kernel, &actor->busy, ns);
}

ks_book *ks_session_book(ks_session *session, ks_string group, ks_string topic, int32_t partition, bool make) {
    char text[600];
    int size = snprintf(text, sizeof text, "%.*s\n%.*s\n%d", (int)group.size, group.data, (int)topic.size, topic.data, partition);
    if (size < 0 || size >= (int)sizeof text) return NULL;
    ks_string key = { text, size };
    ks_book *book;
    KS_HASH_FIND_STRING(hh, session->books, key, book);
    if (book != NULL || !make) return book;
    book = ks_alloc(sizeof *book);
    book->key = ks_arena_string(session->arena, key);
    book->group = ks_arena_string(session->arena, group);
    book->topic = ks_arena_string(session->arena, topic);
    book->partition = partition;
    KS_HASH_ADD_STRING(hh, session->books, key, book);
    return book;
}

void ks_actor_delivered(ks_actor *actor, ks_string topic, int32_t partition, int64_t offset) {
    ks_book *book = ks_session_book(actor->session, actor->group, topic, partition, true);
    actor->delivered++;
    if (book == NULL || offset < 0 || offset > INT32_MAX) return;
    if (offset >= book->capacity) {
        int64_t capacity = book->capacity ? book->capacity : 256;
        while (offset >= capacity) capacity *= 2;
        book->times = ks_realloc(book->times, (size_t)capacity);
        memset(book->times + book->capacity, 0, (size_t)(capacity - book->capacity));
        book->capacity = capacity;
    }
    if (book->times[offset] == 1) book->twice++;
    if (book->times[offset] < UINT8_MAX) book->times[offset]++;
}
