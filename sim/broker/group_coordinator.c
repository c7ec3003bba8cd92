/* SPDX-License-Identifier: Apache-2.0
 *
 * The shell: turns requests, timers and outcomes of appends into inputs of the machine, and performs its effects. */
#include "sim/broker/group_shell.h"

#include "sim/broker/group_internal.h"
#include "sim/protocol/events.h"
#include "sim/protocol/summary.h"

/* ---- life ---- */

ks_group_coordinators *ks_group_coordinators_of(const ks_cluster *cluster) {
    return ks_cluster_broker_find(cluster, 1)->groups->all;
}

static ks_group_settings read_settings(const ks_cluster *cluster) {
    static const ks_string assignors[] = { { "uniform", 7 },
                                           { "range", 5 } }; /* the order in which Kafka lists them by default */
    enum { UPGRADE = 1, DOWNGRADE = 2 };
    static const uint8_t migration[] = { UPGRADE | DOWNGRADE, UPGRADE, DOWNGRADE, 0 };
    ks_group_settings settings = ks_group_settings_default;
#define SETTING(name) ks_cluster_setting(cluster, KS_SETTING_##name)
    settings.initial_rebalance_delay_ms = (int32_t)SETTING(group_initial_rebalance_delay_ms);
    settings.min_session_timeout_ms = (int32_t)SETTING(group_min_session_timeout_ms);
    settings.max_session_timeout_ms = (int32_t)SETTING(group_max_session_timeout_ms);
    settings.max_size = (int32_t)SETTING(group_max_size);
    settings.offset_metadata_max_bytes = (int32_t)SETTING(offset_metadata_max_bytes);
    settings.offsets_retention_ms = SETTING(offsets_retention_minutes) * 60000;
    settings.consumer_session_timeout_ms = (int32_t)SETTING(group_consumer_session_timeout_ms);
    settings.consumer_heartbeat_interval_ms = (int32_t)SETTING(group_consumer_heartbeat_interval_ms);
    settings.consumer_max_size = (int32_t)SETTING(group_consumer_max_size);
    settings.migration_up = (migration[SETTING(group_consumer_migration_policy) & 3] & UPGRADE) != 0;
    settings.migration_down = (migration[SETTING(group_consumer_migration_policy) & 3] & DOWNGRADE) != 0;
    settings.assignor_count = 0;
    for (int32_t i = 0; i < 2; i++)
        if (SETTING(group_consumer_assignors) >> i & 1) settings.assignors[settings.assignor_count++] = assignors[i];
#undef SETTING
    return settings;
}

static void on_broker_down(void *context, ks_broker *broker) {
    (void)context;
    ks_group_coordinator_stop(broker->groups);
}

/* Groups of KIP-848 look at their topics again at their members' next heartbeat. */
static void topics_changed(ks_group_coordinators *all) { all->topics_version++; }
static void on_topic_created(void *context, ks_topic *topic) {
    (void)topic;
    topics_changed(context);
}
static void on_partitions_added(void *context, ks_topic *topic, int32_t first) {
    (void)topic, (void)first;
    topics_changed(context);
}
static void on_topic_deleted(void *context, ks_topic *topic) {
    topics_changed(context);
    ks_group_topic_deleted(context, topic);
}

static void on_closing(void *context) {
    ks_group_coordinators *all = context;
    for (int32_t i = 0; i < all->broker_count; i++) {
        ks_group_coordinator_stop(&all->each[i]);
        all->each[i].broker->groups = NULL;
    }
    for (int32_t i = 0; all->load_timers != NULL && i < all->partitions; i++) ks_timer_stop(&all->load_timers[i]);
    ks_timer_stop(&all->expiry_timer);
    ks_batch_builder_deinit(&all->builder);
    ks_arena_free(all->spare);
    ks_free(all->load_timers);
    ks_free(all->loading);
    ks_free(all);
}

void ks_group_coordinators_start(ks_cluster *cluster) {
    int32_t brokers = ks_cluster_broker_count(cluster);
    ks_group_coordinators *all = ks_alloc(sizeof *all + sizeof all->each[0] * (size_t)brokers);
    all->cluster = cluster;
    all->topic = ks_cluster_topic_find(cluster, KS_LITERAL(KS_OFFSETS_TOPIC));
    ks_assert(all->topic != NULL);
    all->partitions = all->topic->partition_count;
    all->loading = ks_alloc((size_t)all->partitions);
    all->broker_count = brokers;
    for (int32_t i = 0; i < brokers; i++) {
        ks_broker *broker = ks_cluster_broker_find(cluster, i + 1);
        all->each[i].all = all;
        all->each[i].broker = broker;
        broker->groups = &all->each[i];
    }
    ks_group_load_init(all);
    ks_group_expiry_init(all);
    all->watch.context = all;
    all->watch.broker_down = on_broker_down;
    all->topics_version = 1;
    all->watch.topic_created = on_topic_created;
    all->watch.partitions_added = on_partitions_added;
    all->watch.topic_deleted = on_topic_deleted;
    all->watch.closing = on_closing;
    ks_cluster_watch_start(cluster, &all->watch);
}

ks_group_coordinator *ks_group_coordinator_get(ks_broker *broker) {
    ks_group_coordinator *coordinator = broker->groups;
    if (coordinator->started) return coordinator;
    ks_group_settings settings = read_settings(broker->cluster);
    ks_groups_init(&coordinator->groups, &settings);
    ks_effects_init(&coordinator->out);
    coordinator->started = true;
    return coordinator;
}

static void free_spares(ks_group_coordinator *coordinator) {
    while (coordinator->spare_held != NULL) {
        ks_shell_held *held = coordinator->spare_held;
        coordinator->spare_held = held->next;
        ks_free(held);
    }
    ks_free(coordinator->spare_append);
    coordinator->spare_append = NULL;
}

void ks_group_coordinator_stop(ks_group_coordinator *coordinator) {
    if (!coordinator->started) return;
    while (coordinator->appends != NULL) ks_shell_append_free(coordinator->appends);
    ks_effects_deinit(&coordinator->out);
    for (ks_group *group = coordinator->groups.by_id; group != NULL; group = group->hh.next) ks_group_shell_free(group);
    free_spares(coordinator);
    ks_groups_deinit(&coordinator->groups);
    while (coordinator->reload.count > 0) ks_free((void *)coordinator->reload.items[--coordinator->reload.count].data);
    ks_free(coordinator->reload.items);
    memset(&coordinator->reload, 0, sizeof coordinator->reload);
    coordinator->started = coordinator->running = coordinator->finishing = false;
}

ks_groups *ks_group_coordinator_groups(ks_broker *broker) { return &ks_group_coordinator_get(broker)->groups; }

/* ---- what the shell keeps of a group ---- */

ks_group_shell *ks_group_shell_of(ks_group_coordinator *coordinator, ks_group *group) {
    if (group->shell != NULL) return group->shell;
    ks_group_shell *shell = ks_alloc(sizeof *shell);
    shell->coordinator = coordinator;
    shell->group = group;
    return group->shell = shell;
}

static void free_timer(ks_shell_timer *timer) {
    ks_timer_stop(&timer->timer);
    ks_group_link_cut(&timer->member);
    HASH_DELETE(hh, timer->shell->timers[timer->kind], timer);
    ks_free((void *)timer->member_id.data);
    ks_free(timer);
}

void ks_group_shell_free(ks_group *group) {
    ks_group_shell *shell = group->shell;
    if (shell == NULL) return;
    for (int32_t kind = 0; kind < KS_GROUP_TIMER_COUNT; kind++)
        while (shell->timers[kind] != NULL) free_timer(shell->timers[kind]);
    while (shell->held != NULL) ks_shell_held_free(shell->held);
    ks_free(shell);
    group->shell = NULL;
}

/* ---- timers ---- */

static ks_shell_timer *find_timer(const ks_group_shell *shell, ks_group_timer kind, ks_string member_id) {
    ks_shell_timer *timer;
    KS_HASH_FIND_STRING(hh, shell->timers[kind], member_id, timer);
    return timer;
}

static void on_timer(ks_timer *timer) {
    ks_shell_timer *mine = timer->owner;
    ks_group_coordinator *coordinator = mine->shell->coordinator;
    ks_group_input in = { .kind = KS_GROUP_TIMER_FIRED, .group_id = mine->shell->group->id };
    ks_string member_id = mine->member_id;
    in.timer.kind = mine->kind;
    in.timer.member_id = member_id;
    mine->member_id = KS_NULL_STRING;
    ks_group_link_cut(&mine->member);
    HASH_DELETE(hh, mine->shell->timers[mine->kind], mine); /* fired: the machine may start it anew */
    ks_free(mine);
    ks_group_coordinator_step(coordinator, &in);
    ks_free((void *)member_id.data);
}

/* Session timers run for ever, started again by every heartbeat: background. The others end a phase that people wait
 * for. */
static bool is_periodic(ks_group_timer kind) {
    return kind == KS_GROUP_TIMER_SESSION || kind == KS_GROUP_TIMER_CONSUMER_SESSION;
}

static ks_shell_timer *new_timer(ks_group_shell *shell, ks_group_timer kind, ks_string member_id) {
    ks_shell_timer *timer = memset(ks_alloc_lines(sizeof *timer), 0, sizeof *timer);
    timer->shell = shell;
    timer->kind = kind;
    timer->member_id = ks_string_dup(member_id);
    ks_timer_init(&timer->timer, shell->coordinator->broker->node, on_timer, timer);
    KS_HASH_ADD_STRING(hh, shell->timers[kind], member_id, timer);
    return timer;
}

static ks_shell_timer *find_or_new_timer(ks_group_shell *shell, ks_group_timer kind, ks_string member_id) {
    ks_shell_timer *timer = find_timer(shell, kind, member_id);
    return timer != NULL ? timer : new_timer(shell, kind, member_id);
}

static void start_timer(ks_shell_timer *timer, int64_t delay_ms) {
    ks_kernel *kernel = ks_cluster_kernel(timer->shell->coordinator->all->cluster);
    if (is_periodic(timer->kind))
        ks_timer_start_background(kernel, &timer->timer, delay_ms * KS_MS);
    else
        ks_timer_start(kernel, &timer->timer, delay_ms * KS_MS);
}

/* The hot path: nearly every message of a member starts its session anew. */
static void start_session(ks_group_coordinator *coordinator, ks_group_member *member, int64_t delay_ms) {
    if (member->session.other == NULL) {
        ks_group_shell *shell = ks_group_shell_of(coordinator, member->group);
        ks_group_link_tie(&member->session, &find_or_new_timer(shell, KS_GROUP_TIMER_SESSION, member->id)->member);
    }
    ks_shell_timer *timer = (ks_shell_timer *)(void *)((char *)member->session.other - offsetof(ks_shell_timer, member));
    ks_timer_start_background(ks_cluster_kernel(coordinator->all->cluster), &timer->timer, delay_ms * KS_MS);
}

static void start_sessions(ks_group_coordinator *coordinator, const ks_effect *effect) {
    for (int32_t i = 0; i < effect->sessions.count; i++) {
        ks_group_member *member = effect->sessions.members[i];
        start_session(coordinator, member, member->session_timeout_ms > 0 ? member->session_timeout_ms : 0);
    }
}

static void start_timer_of(ks_group_coordinator *coordinator, const ks_effect *effect) {
    if (effect->timer.member != NULL)
        start_session(coordinator, effect->timer.member, effect->timer.delay_ms);
    else
        start_timer(find_or_new_timer(ks_group_shell_of(coordinator, effect->group), effect->timer.kind, effect->timer.member_id),
                    effect->timer.delay_ms);
}

static void stop_timer(const ks_effect *effect) {
    ks_group_shell *shell = effect->group->shell;
    ks_shell_timer *timer = shell != NULL ? find_timer(shell, effect->timer.kind, effect->timer.member_id) : NULL;
    if (timer != NULL) free_timer(timer);
}

/* ---- held requests ---- */

static void on_held_cancelled(ks_parked *parked, ks_request *request) {
    ks_shell_held *held = (ks_shell_held *)parked; /* its first member */
    (void)request;
    ks_group_wait_unheard(held->wait);
    ks_shell_held_free(held);
}

static void hold(ks_group_coordinator *coordinator, const ks_effect *effect) {
    ks_request *request = effect->wait->request;
    if (request == NULL) return;
    ks_shell_held *held = coordinator->spare_held;
    if (held != NULL)
        coordinator->spare_held = held->next;
    else
        held = ks_alloc(sizeof *held);
    ks_group_shell *shell = ks_group_shell_of(coordinator, effect->group);
    *held = (ks_shell_held){ .parked.cancelled = on_held_cancelled, .wait = effect->wait, .request = request, .next = shell->held };
    if (held->next != NULL) held->next->previous = held;
    shell->held = held;
    request->parked = &held->parked;
}

void ks_shell_held_free(ks_shell_held *held) {
    ks_group_shell *shell = held->wait->member->group->shell;
    *(held->previous != NULL ? &held->previous->next : &shell->held) = held->next;
    if (held->next != NULL) held->next->previous = held->previous;
    held->next = shell->coordinator->spare_held;
    shell->coordinator->spare_held = held;
}

static void let_go(ks_request *request) {
    if (request->parked != NULL) ks_shell_held_free((ks_shell_held *)request->parked);
    request->parked = NULL;
}

/* ---- appends ---- */

ks_arena *ks_group_arena_take(ks_broker *broker) {
    ks_group_coordinators *all = broker->groups->all;
    ks_arena *arena = all->spare != NULL ? all->spare : ks_arena_new();
    all->spare = NULL;
    return arena;
}

void ks_group_arena_give(ks_broker *broker, ks_arena *arena) {
    ks_group_coordinators *all = broker->groups->all;
    if (arena == NULL) return;
    if (all->spare != NULL) {
        ks_arena_free(arena);
        return;
    }
    ks_arena_reset(arena);
    all->spare = arena;
}

ks_batch_builder *ks_group_batch_begin(ks_broker *broker) {
    ks_batch_builder *builder = &ks_group_coordinator_get(broker)->all->builder;
    ks_batch_begin(builder, KS_CODEC_NONE);
    return builder;
}

/* View until the next one. */
static ks_bytes batch_of(ks_group_coordinator *coordinator, const ks_group_record *records, int32_t count) {
    int64_t now_ms = ks_now_ms(ks_cluster_kernel(coordinator->all->cluster));
    ks_batch_builder *builder = ks_group_batch_begin(coordinator->broker);
    for (int32_t i = 0; i < count; i++) ks_batch_add(builder, records[i].key, records[i].value, NULL, 0, now_ms);
    return ks_batch_finish(builder);
}

static ks_shell_append *new_append(ks_group_coordinator *coordinator, ks_string group_id) {
    ks_shell_append *append = coordinator->spare_append != NULL ? coordinator->spare_append : ks_alloc(sizeof *append);
    coordinator->spare_append = NULL;
    memset(append, 0, sizeof *append);
    append->coordinator = coordinator;
    append->partition = ks_group_partition_of(group_id, coordinator->all->partitions);
    append->append.owner = append;
    append->next = coordinator->appends;
    if (append->next != NULL) append->next->previous = append;
    coordinator->appends = append;
    return append;
}

void ks_shell_append_free(ks_shell_append *append) {
    if (!append->finished) ks_append_cancel(&append->append);
    ks_timer_stop(&append->timeout);
    *(append->previous != NULL ? &append->previous->next : &append->coordinator->appends) = append->next;
    if (append->next != NULL) append->next->previous = append->previous;
    if (append->write.response != NULL)
        ks_envelope_free(ks_cluster_kernel(append->coordinator->all->cluster), append->write.response);
    for (int32_t i = 0; i < append->gated.count; i++) {
        ks_gated *gated = &append->gated.items[i];
        if (gated->response != NULL)
            ks_envelope_free(ks_cluster_kernel(append->coordinator->all->cluster), gated->response);
    }
    ks_free(append->gated.items);
    ks_group_arena_give(append->coordinator->broker, append->arena);
    ks_free(append->coordinator->spare_append);
    append->coordinator->spare_append = append;
}

void ks_shell_write_done(ks_group_coordinator *coordinator, ks_group_write *write) {
    if (write->request != NULL) write->request->parked = NULL;
    if (!write->done(coordinator->broker, write) || write->response == NULL) return;
    if (write->request != NULL)
        ks_respond(write->request, write->response);
    else
        ks_envelope_free(ks_cluster_kernel(coordinator->all->cluster), write->response);
}

static void finish_handlers(ks_shell_append *append) {
    ks_group_coordinator *coordinator = append->coordinator;
    ks_group_write write = append->write;
    int64_t now_ms = ks_now_ms(ks_cluster_kernel(coordinator->all->cluster));
    append->write.response = NULL;
    for (int32_t i = 0; i < write.count && append->error == KAFKA_OK; i++)
        ks_groups_apply(&coordinator->groups, append->records[i].key, append->records[i].value, now_ms,
                        &coordinator->out);
    write.records = append->records;
    write.error = ks_group_append_error(append->error);
    ks_shell_write_done(coordinator, &write);
}

/* The replies of the step that wrote this. When it failed they become its error. */
static void open_gate(ks_shell_append *append) {
    for (int32_t i = 0; i < append->gated.count; i++) {
        ks_gated *gated = &append->gated.items[i];
        if (gated->request == NULL) continue;
        if (append->error != KAFKA_OK)
            ks_message_set_error(gated->request->envelope, gated->response,
                                 (int16_t)ks_group_append_error(append->error));
        gated->request->parked = NULL;
        ks_respond(gated->request, gated->response);
        gated->response = NULL;
    }
}

static void finish_machines(ks_shell_append *append) {
    ks_group_coordinator *coordinator = append->coordinator;
    open_gate(append);
    ks_group_input in = { .kind = KS_GROUP_APPENDED, .group_id = append->token->group->id };
    in.appended.append = append->token;
    in.appended.error = append->error;
    in.now_ms = ks_now_ms(ks_cluster_kernel(coordinator->all->cluster));
    ks_groups_step(&coordinator->groups, &in, &coordinator->out);
}

static void perform(ks_group_coordinator *coordinator);

/* The oldest first: new ones are put in front. */
static ks_shell_append *next_finished(const ks_group_coordinator *coordinator) {
    ks_shell_append *found = NULL;
    for (ks_shell_append *append = coordinator->appends; append != NULL; append = append->next)
        if (append->finished) found = append;
    return found;
}

/* Outcomes are inputs like any other: each runs by itself, when nothing else does. */
static void finish_appends(ks_group_coordinator *coordinator) {
    if (coordinator->running || coordinator->finishing) return;
    coordinator->finishing = true;
    for (ks_shell_append *append; coordinator->started && (append = next_finished(coordinator)) != NULL;) {
        if (append->token != NULL)
            finish_machines(append);
        else
            finish_handlers(append);
        ks_shell_append_free(append);
        perform(coordinator);
    }
    while (coordinator->started && coordinator->reload.count > 0) {
        ks_string id = coordinator->reload.items[--coordinator->reload.count];
        ks_group_reload(coordinator, id);
        ks_free((void *)id.data);
    }
    coordinator->finishing = false;
}

static void on_appended(ks_append *append, kafka_error error, int64_t base_offset) {
    ks_shell_append *mine = append->owner;
    (void)base_offset;
    ks_timer_stop(&mine->timeout);
    mine->finished = true;
    mine->error = error;
    finish_appends(mine->coordinator);
}

/* offsets.commit.timeout.ms is over. Whoever waits is told; a handler's write goes on, and what it wrote will be
 * applied. */
static void on_append_timeout(ks_timer *timer) {
    ks_shell_append *append = timer->owner;
    ks_request *request = append->write.request;
    if (append->token != NULL) {
        ks_append_cancel(&append->append);
        append->finished = true;
        append->error = KAFKA_ERR_REQUEST_TIMED_OUT;
        finish_appends(append->coordinator);
    } else if (request != NULL) {
        ks_envelope *response = ks_response_new(request);
        ks_message_set_error(request->envelope, response, (int16_t)ks_group_append_error(KAFKA_ERR_REQUEST_TIMED_OUT));
        append->write.request = NULL;
        request->parked = NULL;
        ks_respond(request, response);
    }
}

static void begin(ks_shell_append *append, ks_bytes batch) {
    ks_group_coordinators *all = append->coordinator->all;
    int64_t timeout_ms = ks_cluster_setting(all->cluster, KS_SETTING_offsets_commit_timeout_ms);
    append->append.done = on_appended;
    ks_timer_init(&append->timeout, append->coordinator->broker->node, on_append_timeout, append);
    if (ks_partition_append_begin(all->topic->partitions[append->partition], batch, &append->append)) /* else it may be gone already */
        ks_timer_start(ks_cluster_kernel(all->cluster), &append->timeout, timeout_ms * KS_MS);
}

static void append_for_machine(ks_group_coordinator *coordinator, const ks_effect *effect) {
    ks_shell_append *append = new_append(coordinator, effect->group->id);
    append->token = effect->append.append;
    begin(append, batch_of(coordinator, effect->append.records, effect->append.count));
    if (effect->append.gates && !(append->finished && append->error == KAFKA_OK)) coordinator->gate = append;
}

static void on_gated_cancelled(ks_parked *parked, ks_request *request) {
    (void)request;
    ((ks_gated *)parked)->request = NULL;
}

static void send_reply(ks_group_coordinator *coordinator, const ks_effect *effect) {
    ks_envelope *response = ks_group_make_reply(effect);
    if (coordinator->gate == NULL) {
        ks_respond(effect->reply.request, response);
        return;
    }
    ks_shell_append *gate = coordinator->gate;
    KS_PUSH(gate->gated, (ks_gated){ { on_gated_cancelled }, effect->reply.request, response });
    for (int32_t i = 0; i < gate->gated.count; i++) /* the list may have moved */
        if (gate->gated.items[i].request != NULL) gate->gated.items[i].request->parked = &gate->gated.items[i].parked;
}

static void on_write_cancelled(ks_parked *parked, ks_request *request) {
    ks_shell_append *append = (ks_shell_append *)(void *)((char *)parked - offsetof(ks_shell_append, parked));
    (void)request;
    append->write.request = NULL;
}

static void keep_records(ks_shell_append *append, const ks_group_write *given) {
    if (given->response == NULL && append->arena == NULL) append->arena = ks_group_arena_take(append->coordinator->broker);
    ks_arena *arena = given->response != NULL ? given->response->arena : append->arena;
    append->records = ks_arena_alloc(arena, (size_t)given->count * sizeof *append->records);
    memcpy(append->records, given->records, (size_t)given->count * sizeof *append->records);
    for (int32_t i = 0; i < given->count && given->response == NULL; i++) {
        append->records[i].key = ks_arena_bytes(arena, given->records[i].key);
        append->records[i].value = ks_arena_bytes(arena, given->records[i].value);
    }
}

void ks_group_coordinator_write(ks_broker *broker, ks_string group_id, const ks_group_write *given) {
    ks_group_coordinator *coordinator = ks_group_coordinator_get(broker);
    if (given->count == 0 && given->batch.size <= 0) {
        ks_group_write write = *given;
        ks_shell_write_done(coordinator, &write);
        ks_group_arena_give(broker, write.arena);
        return;
    }
    ks_shell_append *append = new_append(coordinator, group_id);
    append->write = *given;
    append->arena = given->arena;
    if (given->count > 0) keep_records(append, given);
    append->parked.cancelled = on_write_cancelled;
    if (given->request != NULL) given->request->parked = &append->parked;
    if (!given->repeats) ks_progress(ks_cluster_kernel(broker->cluster));
    begin(append, given->batch.size > 0 ? given->batch : batch_of(coordinator, append->records, given->count));
}

/* ---- performing ---- */

static void tell(ks_group_coordinator *coordinator, const ks_effect *effect) {
    ks_kernel *kernel = ks_cluster_kernel(coordinator->all->cluster);
    uint64_t id = ks_trace_emit(kernel, coordinator->broker->node, effect->event.kind, effect->event.fields);
    if (effect->event.is_cause) ks_cause_set(kernel, id);
}

/* What is still being written for it finds nobody. */
static void forget_group(ks_group_coordinator *coordinator, ks_group *group) {
    for (ks_shell_append *append = coordinator->appends, *next; append != NULL; append = next) {
        next = append->next;
        if (append->token != NULL && append->token->group == group) ks_shell_append_free(append);
    }
    ks_group_shell_free(group);
}

static void perform_one(ks_group_coordinator *coordinator, const ks_effect *effect) {
    switch (effect->kind) {
    case KS_EFFECT_REPLY:
        let_go(effect->reply.request);
        send_reply(coordinator, effect);
        break;
    case KS_EFFECT_HOLD: hold(coordinator, effect); break;
    case KS_EFFECT_ORPHAN: let_go(effect->orphan); break;
    case KS_EFFECT_TIMER_START: start_timer_of(coordinator, effect); break;
    case KS_EFFECT_SESSIONS_START: start_sessions(coordinator, effect); break;
    case KS_EFFECT_TIMER_STOP: stop_timer(effect); break;
    case KS_EFFECT_APPEND: append_for_machine(coordinator, effect); break;
    case KS_EFFECT_EVENT: tell(coordinator, effect); break;
    case KS_EFFECT_RELOAD: KS_PUSH(coordinator->reload, ks_string_dup(effect->group->id)); break;
    case KS_EFFECT_GROUP_GONE: forget_group(coordinator, effect->group); break;
    }
}

static void perform(ks_group_coordinator *coordinator) {
    ks_kernel *kernel = ks_cluster_kernel(coordinator->all->cluster);
    if (coordinator->out.progress) ks_progress(kernel);
    if (coordinator->groups.count > 0) ks_group_expiry_expect(coordinator->all);
    if (coordinator->out.list.count == 0 && !coordinator->out.progress) return; /* as after most writes of offsets */
    uint64_t cause = ks_cause(kernel);
    coordinator->running = true;
    for (int32_t i = 0; i < coordinator->out.list.count; i++) perform_one(coordinator, &coordinator->out.list.items[i]);
    ks_effects_reset(&coordinator->out);
    coordinator->running = false;
    coordinator->gate = NULL;
    ks_cause_set(kernel, cause);
}

static int32_t partition_count(void *cluster, ks_string name, ks_uuid *id) {
    const ks_topic *topic = ks_cluster_topic_find(cluster, name);
    if (topic == NULL) return 0;
    *id = topic->id;
    return topic->partition_count;
}

void ks_group_coordinator_step(ks_group_coordinator *coordinator, const ks_group_input *given) {
    ks_assert(!coordinator->running && coordinator->out.list.count == 0);
    const ks_group_topics topics = { coordinator->all->cluster, coordinator->all->topics_version, partition_count };
    ks_group_input in = *given;
    in.topics = &topics;
    in.now_ms = ks_now_ms(ks_cluster_kernel(coordinator->all->cluster));
    ks_groups_step(&coordinator->groups, &in, &coordinator->out);
    perform(coordinator);
    finish_appends(coordinator);
}

/* As Java prints an address without a name. */
static ks_string host_of(const ks_request *request, char room[101]) {
    ks_string host = ks_str(ks_node_name(ks_connection_client(request->connection)));
    int32_t size = host.size < 100 ? host.size : 100;
    room[0] = '/';
    memcpy(room + 1, host.data, (size_t)size);
    return (ks_string){ room, size + 1 };
}

void ks_group_coordinator_run(ks_broker *broker, ks_request *request, ks_group_input *in) {
    char room[101];
    bool may_enter = in->kind == KS_GROUP_JOIN || in->kind == KS_GROUP_CONSUMER_HEARTBEAT; /* of the others nobody asks where they are */
    in->request = request;
    in->version = request->envelope->api_version;
    in->client_id = request->envelope->client_id.size < 0 ? KS_LITERAL("") : request->envelope->client_id;
    in->client_host = may_enter ? host_of(request, room) : KS_NULL_STRING;
    ks_group_coordinator_step(ks_group_coordinator_get(broker), in);
}

ks_effects *ks_group_coordinator_effects(ks_broker *broker) {
    ks_group_coordinator *coordinator = ks_group_coordinator_get(broker);
    ks_assert(!coordinator->running && coordinator->out.list.count == 0);
    return &coordinator->out;
}

void ks_group_coordinator_perform(ks_broker *broker) {
    ks_group_coordinator *coordinator = ks_group_coordinator_get(broker);
    perform(coordinator);
    finish_appends(coordinator);
}

ks_string ks_group_next_member_id(ks_broker *broker, ks_string prefix, ks_arena *scratch) {
    uint64_t number = ++broker->groups->all->members;
    return ks_arena_printf(scratch, "%.*s-%06llu", prefix.size > 0 ? (int)prefix.size : 0,
                           prefix.size > 0 ? prefix.data : "", (unsigned long long)number);
}
