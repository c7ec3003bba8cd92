/* SPDX-License-Identifier: Apache-2.0
 *
 * Any request in any state: 100,000 random steps against the group machine (requests of members, strangers and the
 * confused, timers, slow and failing appends, unloading and loading again), with every invariant checked after each. */
#include "sim/broker/group_events.h"
#include "sim/broker/group_offsets.h"
#include "sim/protocol/consumer_protocol.h"
#include "tests/broker/support/sessions.h"
#include "tests/support/test.h"

enum { STEPS = 100000, GROUPS = 3, IDS = 24, REQUESTS = 4096, TIMERS = 512, APPENDS = 64 };

typedef enum request_state { FREE, OPEN, HELD } request_state;
typedef struct request {
    request_state state;
    int16_t api;
} request;

typedef struct timer {
    bool running;
    ks_group_timer kind;
    char group[8], member[80];
    int64_t deadline;
    uint64_t order;
} timer;

typedef struct pending_append {
    ks_group_append *append;
    ks_group *group;
    ks_group_record *records; /* copies in the log's arena */
    int32_t count;
} pending_append;

typedef struct world {
    ks_groups groups;
    ks_effects out;
    ks_arena *log_arena, *scratch;
    ks_group_records log;
    uint64_t random, order, member_number;
    int64_t now;
    request requests[REQUESTS];
    timer timers[TIMERS];
    pending_append appends[APPENDS];
    int append_count, next_request, held;
    char ids[IDS][80]; /* member ids seen in replies, newest over oldest */
    int id_count;
    int32_t generations[GROUPS];
    ks_group *seen_group[GROUPS];
    uint64_t replies, rebalances, loads, states_seen[KS_GROUP_STATE_COUNT];
} world;

static const char *const group_ids[GROUPS] = { "g0", "g1", "g2" };
static const char *const instances[] = { "ia", "ib", "ic" };

static uint64_t draw(world *w, uint64_t bound) {
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (w->random >> 11) % bound;
}
static bool chance(world *w, uint64_t percent) { return draw(w, 100) < percent; }

/* ---- effects ---- */

static void remember_id(world *w, ks_string id) {
    if (id.size <= 0 || id.size >= 80) return;
    for (int i = 0; i < w->id_count && i < IDS; i++)
        if (ks_string_equal(ks_str(w->ids[i]), id)) return;
    snprintf(w->ids[w->id_count++ % IDS], 80, "%.*s", (int)id.size, id.data);
}

static timer *find_timer(world *w, const ks_effect *effect) {
    for (int i = 0; i < TIMERS; i++) {
        timer *t = &w->timers[i];
        if (t->running && t->kind == effect->timer.kind && ks_string_equal(ks_str(t->group), effect->group->id) &&
            ks_string_equal(ks_str(t->member), effect->timer.member_id))
            return t;
    }
    return NULL;
}

static void start_timer(world *w, const ks_effect *effect) {
    timer *t = find_timer(w, effect);
    for (int i = 0; t == NULL; i++) {
        assert_true(i < TIMERS);
        if (!w->timers[i].running) t = &w->timers[i];
    }
    assert_true(effect->timer.delay_ms >= 0);
    t->running = true;
    t->kind = effect->timer.kind;
    snprintf(t->group, sizeof t->group, "%.*s", (int)effect->group->id.size, effect->group->id.data);
    snprintf(t->member, sizeof t->member, "%.*s", (int)effect->timer.member_id.size, effect->timer.member_id.data);
    t->deadline = w->now + effect->timer.delay_ms;
    t->order = ++w->order;
}

static void stop_timers_of(world *w, ks_string group) {
    for (int i = 0; i < TIMERS; i++)
        if (ks_string_equal(ks_str(w->timers[i].group), group)) w->timers[i].running = false;
}

static void answered(world *w, request *r, int16_t api) {
    assert_int_not_equal(r->state, FREE); /* at most once */
    assert_int_equal(r->api, api);
    w->held -= r->state == HELD;
    r->state = FREE;
    w->replies++;
}

static void keep_append(world *w, const ks_effect *effect) {
    assert_true(w->append_count < APPENDS);
    pending_append *pending = &w->appends[w->append_count++];
    pending->append = effect->append.append;
    pending->group = effect->group;
    pending->count = effect->append.count;
    pending->records = ks_arena_alloc(w->log_arena, sizeof *pending->records * (size_t)pending->count);
    for (int32_t i = 0; i < pending->count; i++) {
        pending->records[i].key = ks_arena_bytes(w->log_arena, effect->append.records[i].key);
        pending->records[i].value = ks_arena_bytes(w->log_arena, effect->append.records[i].value);
    }
}

static void perform(world *w) {
    ks_group *leaders[8];
    int leader_count = 0;
    for (int32_t i = 0; i < w->out.list.count; i++) {
        const ks_effect *effect = &w->out.list.items[i];
        request *r;
        timer *t;
        switch (effect->kind) {
        case KS_EFFECT_REPLY:
            answered(w, effect->reply.request, effect->reply.api_key);
            if (effect->reply.api_key == KS_API_join_group) remember_id(w, effect->reply.member_id);
            if (effect->reply.with_members) { /* one leader of a group at a time */
                for (int l = 0; l < leader_count; l++) assert_ptr_not_equal(leaders[l], effect->group);
                assert_true(leader_count < 8 && effect->group->leader != NULL);
                leaders[leader_count++] = effect->group;
            }
            break;
        case KS_EFFECT_HOLD:
            r = effect->wait->request;
            if (r == NULL) break; /* answered further down */
            w->held += r->state == OPEN;
            r->state = HELD;
            break;
        case KS_EFFECT_ORPHAN:
            r = effect->orphan;
            assert_int_equal(r->state, HELD);
            r->state = FREE;
            w->held--;
            break;
        case KS_EFFECT_TIMER_START: start_timer(w, effect); break;
        case KS_EFFECT_SESSIONS_START:
            for (int32_t m = 0; m < effect->sessions.count; m++) {
                ks_effect one = session_start(effect, m);
                start_timer(w, &one);
            }
            break;
        case KS_EFFECT_TIMER_STOP:
            t = find_timer(w, effect);
            if (t != NULL) t->running = false;
            break;
        case KS_EFFECT_APPEND: keep_append(w, effect); break;
        case KS_EFFECT_RELOAD: fail(); break;
        case KS_EFFECT_EVENT: w->rebalances += strcmp(effect->event.kind->name, "ev_rebalance_started") == 0; break;
        case KS_EFFECT_GROUP_GONE:
            stop_timers_of(w, effect->group->id);
            for (int a = 0; a < w->append_count; a++)
                if (w->appends[a].group == effect->group) w->appends[a--] = w->appends[--w->append_count];
            break;
        }
    }
    ks_effects_reset(&w->out);
}

static void check(world *w) {
    int waiting = 0;
    for (int i = 0; i < GROUPS; i++) {
        ks_group *group = ks_groups_find(&w->groups, ks_str(group_ids[i]));
        if (group != w->seen_group[i]) w->generations[i] = group != NULL ? group->generation : 0;
        w->seen_group[i] = group;
        if (group == NULL) continue;
        ks_group_check_invariants(group);
        assert_true(group->generation >= w->generations[i] && group->generation <= w->generations[i] + 1);
        w->generations[i] = group->generation;
        w->states_seen[group->state]++;
        for (const ks_group_wait *wait = group->joins.first; wait != NULL; wait = wait->next)
            waiting += wait->request != NULL;
        for (const ks_group_wait *wait = group->syncs.first; wait != NULL; wait = wait->next)
            waiting += wait->request != NULL;
    }
    assert_int_equal(waiting, w->held); /* whoever waits stands in exactly one queue */
}

static void step(world *w, ks_group_input *in) {
    in->now_ms = w->now;
    ks_groups_step(&w->groups, in, &w->out);
    perform(w);
    check(w);
}

/* ---- requests ---- */

static request *new_request(world *w, int16_t api) {
    request *r;
    do r = &w->requests[w->next_request++ % REQUESTS];
    while (r->state != FREE);
    r->state = OPEN;
    r->api = api;
    return r;
}

static ks_string any_group(world *w) { return ks_str(group_ids[draw(w, GROUPS)]); }

static ks_string any_member(world *w) {
    if (chance(w, 3)) return KS_LITERAL("");
    if (chance(w, 3)) return KS_LITERAL("stranger");
    int known = w->id_count < IDS ? w->id_count : IDS;
    return known > 0 ? ks_arena_string(w->scratch, ks_str(w->ids[draw(w, (uint64_t)known)])) : KS_LITERAL("nobody");
}

static ks_string any_instance(world *w, ks_string group_id, ks_string member_id) {
    const ks_group *group = ks_groups_find(&w->groups, group_id);
    const ks_group_member *member = group != NULL ? ks_group_member_find(group, member_id) : NULL;
    if (member != NULL && chance(w, 90))
        return chance(w, 80) ? ks_arena_string(w->scratch, member->instance_id) : KS_NULL_STRING;
    return chance(w, 10) ? ks_str(instances[draw(w, 3)]) : KS_NULL_STRING;
}

static int32_t any_generation(world *w, ks_string group_id) {
    const ks_group *group = ks_groups_find(&w->groups, group_id);
    int32_t now = group != NULL ? group->generation : 0;
    return chance(w, 85) ? now : (int32_t)draw(w, 5) - 2 + now;
}

static void join(world *w) {
    static const char *const names[] = { "range", "roundrobin", "sticky", "own" };
    ks_join_group_request body;
    ks_struct_default(ks_describe_join_group_request(), &body);
    body.group_id = any_group(w);
    body.member_id = chance(w, 35) ? KS_LITERAL("") : any_member(w);
    body.group_instance_id = body.member_id.size == 0 && chance(w, 30) ? ks_str(instances[draw(w, 3)])
                                                                       : any_instance(w, body.group_id, body.member_id);
    body.session_timeout_ms = 6000 + (int32_t)draw(w, 10000);
    body.rebalance_timeout_ms = chance(w, 2) ? -5 : 1000 + (int32_t)draw(w, 30000);
    body.protocol_type = chance(w, 97)   ? KS_LITERAL("consumer")
                         : chance(w, 50) ? KS_LITERAL("connect")
                                         : KS_LITERAL("");
    body.protocols.count = chance(w, 2) ? 0 : 1 + (int32_t)draw(w, 3);
    body.protocols.items = ks_arena_alloc(w->scratch, sizeof *body.protocols.items * 4);
    for (int32_t i = 0; i < body.protocols.count; i++) { /* now and then a name twice */
        body.protocols.items[i].name = ks_str(i == 0 && chance(w, 80) ? "range" : names[draw(w, 4)]);
        body.protocols.items[i].metadata =
            ks_arena_bytes(w->scratch, (ks_bytes){ (const uint8_t *)"abc", (int32_t)draw(w, 4) });
    }
    ks_group_input in = { .kind = KS_GROUP_JOIN,
                          .group_id = body.group_id,
                          .join = &body,
                          .version = (int16_t)draw(w, 10),
                          .request = new_request(w, KS_API_join_group) };
    in.client_id = KS_LITERAL("c");
    in.client_host = KS_LITERAL("/h");
    in.new_member_id = ks_arena_printf(w->scratch, "m-%06llu", (unsigned long long)++w->member_number);
    if (in.version < 5) body.group_instance_id = KS_NULL_STRING;
    step(w, &in);
}

static void sync(world *w) {
    ks_sync_group_request body;
    ks_struct_default(ks_describe_sync_group_request(), &body);
    body.group_id = any_group(w);
    const ks_group *group = ks_groups_find(&w->groups, body.group_id);
    body.member_id = any_member(w);
    if (group != NULL && group->leader != NULL && chance(w, 30))
        body.member_id = ks_arena_string(w->scratch, group->leader->id);
    body.group_instance_id = any_instance(w, body.group_id, body.member_id);
    body.generation_id = any_generation(w, body.group_id);
    if (chance(w, 2)) body.protocol_name = KS_LITERAL("nonsense");
    body.assignments.count = (int32_t)draw(w, 6);
    body.assignments.items = ks_arena_alloc(w->scratch, sizeof *body.assignments.items * 6);
    for (int32_t i = 0; i < body.assignments.count; i++) {
        body.assignments.items[i].member_id = any_member(w);
        body.assignments.items[i].assignment = (ks_bytes){ (const uint8_t *)"assigned", (int32_t)draw(w, 8) };
    }
    ks_group_input in = { .kind = KS_GROUP_SYNC,
                          .group_id = body.group_id,
                          .sync = &body,
                          .version = 5,
                          .request = new_request(w, KS_API_sync_group) };
    step(w, &in);
}

static void heartbeat(world *w) {
    ks_heartbeat_request body;
    ks_struct_default(ks_describe_heartbeat_request(), &body);
    body.group_id = any_group(w);
    body.member_id = any_member(w);
    body.group_instance_id = any_instance(w, body.group_id, body.member_id);
    body.generation_id = any_generation(w, body.group_id);
    ks_group_input in = { .kind = KS_GROUP_HEARTBEAT,
                          .group_id = body.group_id,
                          .heartbeat = &body,
                          .version = 4,
                          .request = new_request(w, KS_API_heartbeat) };
    step(w, &in);
}

static void leave(world *w) {
    ks_leave_group_request body;
    ks_leave_group_request_member_identity who[3];
    ks_struct_default(ks_describe_leave_group_request(), &body);
    body.group_id = any_group(w);
    body.members.count = (int32_t)draw(w, 3);
    body.members.items = who;
    for (int i = 0; i < 3; i++) {
        who[i].member_id = any_member(w);
        who[i].group_instance_id = any_instance(w, body.group_id, who[i].member_id);
        who[i].reason = KS_NULL_STRING;
    }
    ks_group_input in = { .kind = KS_GROUP_LEAVE,
                          .group_id = body.group_id,
                          .leave = &body,
                          .version = 5,
                          .request = new_request(w, KS_API_leave_group) };
    step(w, &in);
}

static void commit(world *w) {
    ks_string group_id = any_group(w), member_id = any_member(w);
    ks_group_committer who = {
        .group_id = group_id, .member_id = member_id, .instance_id = any_instance(w, group_id, member_id), .version = 9
    };
    who.generation = any_generation(w, group_id);
    who.transactional = chance(w, 20);
    ks_groups_check_commit(&w->groups, &who, w->now, &w->out);
    perform(w);
    check(w);
}

/* ---- what happens by itself ---- */

static void fire_next_timer(world *w) {
    timer *first = NULL;
    for (int i = 0; i < TIMERS; i++) {
        timer *t = &w->timers[i];
        if (t->running && (first == NULL || t->deadline < first->deadline ||
                           (t->deadline == first->deadline && t->order < first->order)))
            first = t;
    }
    if (first == NULL) return;
    if (first->deadline > w->now) w->now = first->deadline;
    first->running = false;
    ks_group_input in = { .kind = KS_GROUP_TIMER_FIRED, .group_id = ks_arena_string(w->scratch, ks_str(first->group)) };
    in.timer.kind = first->kind;
    in.timer.member_id = ks_arena_string(w->scratch, ks_str(first->member));
    step(w, &in);
}

static void finish_append(world *w) {
    static const kafka_error errors[] = { KAFKA_ERR_NOT_ENOUGH_REPLICAS, KAFKA_ERR_NOT_LEADER_OR_FOLLOWER,
                                          KAFKA_ERR_MESSAGE_TOO_LARGE };
    if (w->append_count == 0) return;
    pending_append done = w->appends[0]; /* a log writes in order */
    memmove(w->appends, w->appends + 1, sizeof *w->appends * (size_t)--w->append_count);
    ks_group_input in = { .kind = KS_GROUP_APPENDED, .group_id = done.group->id };
    in.appended.append = done.append;
    in.appended.error = chance(w, 85) ? KAFKA_OK : errors[draw(w, 3)];
    for (int32_t i = 0; i < done.count && in.appended.error == KAFKA_OK; i++) KS_PUSH(w->log, done.records[i]);
    step(w, &in);
}

static void lose_a_connection(world *w) {
    ks_group *group = ks_groups_find(&w->groups, any_group(w));
    ks_group_wait *wait = group == NULL ? NULL : chance(w, 50) ? group->joins.first : group->syncs.last;
    if (wait == NULL || wait->request == NULL) return;
    ((request *)wait->request)->state = FREE;
    w->held--;
    ks_group_wait_unheard(wait);
    check(w);
}

static void answer_leftovers(world *w, ks_group *group) { /* as the shell does when the partition is gone */
    ks_group_queue *queues[] = { &group->joins, &group->syncs };
    for (int q = 0; q < 2; q++)
        for (ks_group_wait *wait = queues[q]->first; wait != NULL; wait = wait->next) {
            if (wait->request == NULL) continue;
            ((request *)wait->request)->state = FREE;
            w->held--;
            wait->request = NULL;
        }
}

/* The partition goes to another broker: what was written comes back, the rest is forgotten. */
static void move(world *w) {
    for (int i = 0; i < GROUPS; i++) {
        ks_group_input in = { .kind = KS_GROUP_UNLOAD, .group_id = ks_str(group_ids[i]) };
        in.now_ms = w->now;
        ks_groups_step(&w->groups, &in, &w->out);
        perform(w);
        ks_group *group = ks_groups_find(&w->groups, in.group_id);
        if (group == NULL) continue;
        answer_leftovers(w, group);
        ks_group_unlink(group, &w->out);
        perform(w);
    }
    assert_int_equal(w->held, 0);
    assert_int_equal(w->groups.count, 0);
    for (int32_t i = 0; i < w->log.count; i++)
        ks_groups_apply(&w->groups, w->log.items[i].key, w->log.items[i].value, w->now, &w->out);
    perform(w);
    for (int i = 0; i < GROUPS; i++) {
        w->seen_group[i] = NULL;
        ks_group_input in = { .kind = KS_GROUP_LOADED, .group_id = ks_str(group_ids[i]) };
        step(w, &in);
    }
    w->loads++;
}

static void any_request_in_any_state_keeps_the_invariants(void **state) {
    (void)state;
    world *w = ks_alloc(sizeof *w);
    ks_group_settings settings = ks_group_settings_default;
    settings.max_size = 6;
    w->random = 88172645463325252u;
    w->log_arena = ks_arena_new();
    w->scratch = ks_arena_new();
    ks_groups_init(&w->groups, &settings);
    ks_effects_init(&w->out);
    for (int i = 0; i < STEPS; i++) {
        uint64_t kind = draw(w, 1000);
        if (kind < 350)
            join(w);
        else if (kind < 580)
            sync(w);
        else if (kind < 680)
            heartbeat(w);
        else if (kind < 700)
            leave(w);
        else if (kind < 750)
            commit(w);
        else if (kind < 850)
            fire_next_timer(w);
        else if (kind < 985)
            finish_append(w);
        else if (kind < 998)
            lose_a_connection(w);
        else if (kind < 999 || w->append_count > APPENDS / 2)
            move(w);
        if (w->append_count > APPENDS / 2) finish_append(w);
        ks_arena_reset(w->scratch);
    }
    for (int s = 0; s < KS_GROUP_DEAD; s++) assert_true(w->states_seen[s] > STEPS / 100); /* it has been everywhere */
    print_message(
        "%llu replies, %llu rebalances, %llu loads; Empty %llu, Preparing %llu, Completing %llu, Stable %llu\n",
        (unsigned long long)w->replies, (unsigned long long)w->rebalances, (unsigned long long)w->loads,
        (unsigned long long)w->states_seen[0], (unsigned long long)w->states_seen[1],
        (unsigned long long)w->states_seen[2], (unsigned long long)w->states_seen[3]);
    assert_true(w->rebalances > 1000 && w->loads > 50 && w->replies > STEPS / 2);
    ks_effects_deinit(&w->out);
    ks_groups_deinit(&w->groups);
    ks_free(w->log.items);
    ks_arena_free(w->log_arena);
    ks_arena_free(w->scratch);
    ks_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(any_request_in_any_state_keeps_the_invariants) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
