/* SPDX-License-Identifier: Apache-2.0
 *
 * KIP-848 over the network: members converge, the coordinator moves and crashes, bad requests, and a random walk in
 * which everything that was written is read back after every step and must be what is there. */
#include "sim/broker/group_consumer_internal.h"
#include "tests/broker/group_fixture.h"
#include "tests/broker/support/sessions.h"

static int set_up(void **state) {
    fixture *f = fixture_new(&(ks_cluster_config){ .brokers = 3, .plain_placement = true });
    ks_topic *topic;
    assert_int_equal(ks_cluster_create_simple_topic(f->cluster, "orders", 4, 1, &topic), KAFKA_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture_free(*state);
    return 0;
}

/* ---- one member's side ---- */

typedef struct actor {
    const char *client;
    char id[64];
    int32_t epoch;
    int32_t owned[64], owned_count; /* of "orders" */
    bool tell_owned;
} actor;

static call *beat_call(fixture *f, const actor *m, const char *topic) {
    call *c = call_new(f, m->client, KS_API_consumer_group_heartbeat, 0);
    ks_consumer_group_heartbeat_request *beat = c->request->body;
    static ks_string names[1];
    beat->group_id = KS_LITERAL("shop");
    beat->member_id = ks_arena_string(c->request->arena, ks_str(m->id));
    beat->member_epoch = m->epoch;
    beat->subscribed_topic_names.count = -1;
    beat->topic_partitions.count = -1;
    if (m->epoch == 0) {
        beat->rebalance_timeout_ms = 60000;
        names[0] = ks_str(topic);
        beat->subscribed_topic_names.items = names;
        beat->subscribed_topic_names.count = 1;
        beat->topic_partitions.count = 0;
    } else if (m->tell_owned) {
        beat->topic_partitions.count = m->owned_count > 0;
        beat->topic_partitions.items = ks_arena_alloc(c->request->arena, sizeof *beat->topic_partitions.items);
        beat->topic_partitions.items[0].topic_id = ks_cluster_topic_find(f->cluster, ks_str(topic))->id;
        beat->topic_partitions.items[0].partitions.items = ks_arena_alloc(c->request->arena, sizeof m->owned);
        memcpy(beat->topic_partitions.items[0].partitions.items, m->owned, sizeof m->owned);
        beat->topic_partitions.items[0].partitions.count = m->owned_count;
    }
    return c;
}

static int16_t beat(fixture *f, actor *m) {
    ks_consumer_group_heartbeat_response *response = call_now(f, beat_call(f, m, "orders"), "shop");
    assert_non_null(response);
    if (response->error_code != 0) return response->error_code;
    snprintf(m->id, sizeof m->id, "%.*s", (int)response->member_id.size, response->member_id.data);
    m->epoch = response->member_epoch;
    m->tell_owned = response->assignment != NULL;
    if (response->assignment == NULL) return 0;
    m->owned_count = 0;
    for (int32_t t = 0; t < response->assignment->topic_partitions.count; t++)
        for (int32_t p = 0; p < response->assignment->topic_partitions.items[t].partitions.count; p++)
            m->owned[m->owned_count++] = response->assignment->topic_partitions.items[t].partitions.items[p];
    return 0;
}

static ks_group *shop(fixture *f) { return ks_cluster_group_find(f->cluster, KS_LITERAL("shop")); }

static void settle(fixture *f, actor *members, int count) {
    for (int round = 0; round < 6; round++)
        for (int i = 0; i < count; i++) assert_int_equal(beat(f, &members[i]), 0);
    assert_string_equal(ks_group_state_text(shop(f)), "Stable");
}

static void members_converge_without_a_barrier(void **state) {
    fixture *f = *state;
    actor m[3] = { { .client = "a" }, { .client = "b" }, { .client = "c" } };
    assert_int_equal(beat(f, &m[0]), 0);
    assert_string_equal(m[0].id, "a-000001");
    assert_int_equal(m[0].owned_count, 4);
    assert_int_equal(beat(f, &m[1]), 0);
    assert_int_equal(m[1].owned_count, 0);
    assert_string_equal(ks_group_state_text(shop(f)), "Reconciling");
    settle(f, m, 2);
    assert_int_equal(m[0].owned_count, 2);
    assert_int_equal(m[1].owned_count, 2);
    settle(f, m, 3);
    assert_int_equal(m[0].owned_count + m[1].owned_count + m[2].owned_count, 4);
    ks_consumer_group_check_invariants(shop(f));
    assert_int_equal(commit_now(f, "shop", m[0].id, m[0].epoch, "orders", 0, 9), 0);
    assert_int_equal(commit_now(f, "shop", m[0].id, m[0].epoch - 1, "orders", 0, 9), KAFKA_ERR_STALE_MEMBER_EPOCH);
}

static void a_member_that_must_give_up_more_moves_on_by_one_epoch(void **state) {
    fixture *f = *state;
    actor m[4] = { { .client = "a" }, { .client = "b" }, { .client = "c" }, { .client = "d" } };
    assert_int_equal(beat(f, &m[0]), 0);
    assert_int_equal(beat(f, &m[1]), 0);
    assert_int_equal(beat(f, &m[0]), 0); /* told to give up half, at epoch 1 */
    assert_int_equal(m[0].owned_count, 2);
    assert_int_equal(beat(f, &m[2]), 0);
    assert_int_equal(beat(f, &m[3]), 0); /* the target is at epoch 4 by now */
    assert_int_equal(beat(f, &m[0]), 0); /* it has given up that half, and has to give up one more */
    const ks_consumer_member *a = ks_consumer_member_find(shop(f), ks_str(m[0].id));
    assert_int_equal(a->state, KS_MEMBER_UNREVOKED_PARTITIONS);
    assert_int_equal(a->epoch, 2);
    assert_int_equal(a->previous_epoch, 1);
    assert_int_equal(a->revoking.count, 1);
    assert_int_equal(beat(f, &m[0]), 0);
    assert_int_equal(m[0].epoch, 4);
    settle(f, m, 4);
}

static void a_silent_member_is_fenced_and_its_partitions_go_to_the_others(void **state) {
    fixture *f = *state;
    actor m[2] = { { .client = "a" }, { .client = "b" } };
    settle(f, m, 2);
    for (int i = 0; i < 11; i++) {
        run_ms(f, 5000);
        assert_int_equal(beat(f, &m[0]), 0);
    }
    assert_int_equal(m[0].owned_count, 4);
    assert_int_equal(beat(f, &m[1]), KAFKA_ERR_UNKNOWN_MEMBER_ID);
}

static void new_partitions_are_found_at_the_next_heartbeat(void **state) {
    fixture *f = *state;
    actor m[1] = { { .client = "a" } };
    settle(f, m, 1);
    assert_int_equal(
        ks_cluster_add_partitions(ks_cluster_topic_find(f->cluster, KS_LITERAL("orders")), 6, NULL, false, NULL),
        KAFKA_OK);
    assert_int_equal(beat(f, &m[0]), 0);
    assert_int_equal(m[0].owned_count, 6);
    assert_int_equal(m[0].epoch, 2);
    ks_cluster_delete_topic(f->cluster, ks_cluster_topic_find(f->cluster, KS_LITERAL("orders")));
    m[0].tell_owned = false; /* it cannot name what is gone */
    assert_int_equal(beat(f, &m[0]), 0);
    assert_int_equal(m[0].owned_count, 0);
}

static char *picture(const ks_group *group) { /* all that is persistent */
    const ks_consumer_group *consumer = group->consumer;
    ks_arena *arena = ks_arena_new();
    ks_buffer out = { 0 };
    ks_buffer_printf(&out, "%d/%d %s\n", (int)consumer->group_epoch, (int)consumer->assignment_epoch,
                     ks_consumer_group_state_text(group));
    for (int32_t i = 0; i < consumer->member_count; i++) {
        const ks_consumer_member *m = consumer->sorted[i];
        ks_buffer_printf(&out, "%s %.*s %d %d %s assignor %d timeout %d names %d classic %d:", m->id.data,
                         m->instance_id.size > 0 ? (int)m->instance_id.size : 0,
                         m->instance_id.data != NULL ? m->instance_id.data : "", (int)m->epoch, (int)m->previous_epoch,
                         ks_consumer_member_state_text(m->state), (int)m->assignor, (int)m->rebalance_timeout_ms,
                         m->subscription != NULL ? (int)m->subscription->count : 0, (int)m->classic);
        const ks_tp *lists[] = { m->assigned.items, m->revoking.items, m->target };
        const int32_t counts[] = { m->assigned.count, m->revoking.count, m->target_count };
        for (int l = 0; l < 3; l++) {
            int sum = 0; /* slots may be numbered otherwise: compare by topic id and partition */
            for (int32_t p = 0; p < counts[l]; p++)
                sum += (ks_consumer_topic_of(group, lists[l][p])->id.bytes[15] + 1) * 1009 +
                       KS_TP_PARTITION(lists[l][p]) * KS_TP_PARTITION(lists[l][p]);
            ks_buffer_printf(&out, " %d(%d)", (int)counts[l], sum);
        }
        ks_buffer_text(&out, "\n");
    }
    ks_arena_free(arena);
    return ks_buffer_take(&out);
}

static void a_new_coordinator_reads_the_members_back(void **state) {
    fixture *f = *state;
    actor m[3] = { { .client = "a" }, { .client = "b" }, { .client = "c" } };
    settle(f, m, 2);
    assert_int_equal(beat(f, &m[2]), 0); /* c waits for partitions */
    char *before = picture(shop(f));
    ks_node_crash(ks_cluster_broker_find(f->cluster, coordinator_id(f, "shop"))->node);
    assert_int_equal(beat(f, &m[0]), KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS);
    run_ms(f, 20);
    char *after = picture(shop(f));
    assert_string_equal(before, after);
    settle(f, m, 3);
    ks_free(before);
    ks_free(after);
}

static kafka_error fail_offsets(void *context, const ks_partition *partition, int64_t *delay_ns) {
    int *left = context;
    if (!ks_string_equal(partition->topic->name, KS_LITERAL(KS_OFFSETS_TOPIC)) || (*left)-- <= 0) return KAFKA_OK;
    *delay_ns = 20 * KS_MS;
    return KAFKA_ERR_NOT_ENOUGH_REPLICAS;
}

static void what_could_not_be_written_is_taken_back(void **state) {
    fixture *f = *state;
    actor m[2] = { { .client = "a" }, { .client = "b" } };
    int left = 1;
    settle(f, m, 1);
    char *before = picture(shop(f));
    ks_cluster_set_append_fault(f->cluster, fail_offsets, &left);
    call *c = beat_call(f, &m[1], "orders");
    assert_null(call_now(f, c, "shop")); /* the answer waits for the write */
    run_ms(f, 50);
    assert_int_equal(((ks_consumer_group_heartbeat_response *)c->response->body)->error_code,
                     KAFKA_ERR_COORDINATOR_NOT_AVAILABLE);
    char *after = picture(shop(f));
    assert_string_equal(before, after);
    settle(f, m, 2);
    left = 1; /* the same, and the connection ends before */
    actor x = { .client = "x" };
    c = beat_call(f, &x, "orders");
    call_now(f, c, "shop");
    ks_connection_close(c->connection);
    c->connection = NULL;
    run_ms(f, 50);
    assert_int_equal(shop(f)->consumer->member_count, 2);
    ks_free(before);
    ks_free(after);
}

static void a_description_tells_epochs_and_targets(void **state) {
    fixture *f = *state;
    actor m[2] = { { .client = "a" }, { .client = "b" } };
    settle(f, m, 2);
    call *c = call_new(f, "admin", KS_API_consumer_group_describe, 1);
    ks_consumer_group_describe_request *request = c->request->body;
    static ks_string ids[] = { { "shop", 4 }, { NULL, -1 } };
    request->group_ids.items = ids;
    request->group_ids.count = 2;
    ks_consumer_group_describe_response *response = call_now(f, c, "shop");
    const ks_consumer_group_describe_response_described_group *group = &response->groups.items[0];
    assert_int_equal(group->error_code, 0);
    assert_true(ks_string_equal(group->group_state, KS_LITERAL("Stable")));
    assert_true(ks_string_equal(group->assignor_name, KS_LITERAL("uniform")));
    assert_int_equal(group->members.count, 2);
    assert_int_equal(group->members.items[1].target_assignment.topic_partitions.items[0].partitions.count, 2);
    assert_true(
        ks_string_equal(group->members.items[1].assignment.topic_partitions.items[0].topic_name, KS_LITERAL("orders")));
    assert_int_equal(response->groups.items[1].error_code, KAFKA_ERR_INVALID_GROUP_ID);
    call *old = call_new(f, "admin", KS_API_describe_groups, 6);
    ((ks_describe_groups_request *)old->request->body)->groups.items = ids;
    ((ks_describe_groups_request *)old->request->body)->groups.count = 1;
    ks_describe_groups_response *described = call_now(f, old, "shop");
    assert_int_equal(described->groups.items[0].error_code, KAFKA_ERR_GROUP_ID_NOT_FOUND);
}

static void timeouts_of_the_consumer_protocol_stay_within_their_bounds(void **state) {
    static const ks_config_entry session[] = { { "group.consumer.session.timeout.ms", "30000" } };
    static const ks_config_entry both[] = { { "group.consumer.session.timeout.ms", "30000" },
                                            { "group.consumer.min.session.timeout.ms", "20000" } };
    static const ks_config_entry interval[] = { { "group.consumer.heartbeat.interval.ms", "1000" } };
    (void)state;
    assert_int_equal(ks_cluster_config_check(&(ks_cluster_config){ .settings = session, .setting_count = 1 }, NULL),
                     KAFKA_ERR_INVALID_CONFIG);
    assert_int_equal(ks_cluster_config_check(&(ks_cluster_config){ .settings = both, .setting_count = 2 }, NULL),
                     KAFKA_OK);
    assert_int_equal(ks_cluster_config_check(&(ks_cluster_config){ .settings = interval, .setting_count = 1 }, NULL),
                     KAFKA_ERR_INVALID_CONFIG);
}

/* ---- bad requests ---- */

static void every_malformed_heartbeat_gets_its_code_and_changes_nothing(void **state) {
    fixture *f = *state;
    actor m[2] = { { .client = "a" }, { .client = "b" } };
    settle(f, m, 2);
    char *before = picture(shop(f));
    enum { ROWS = 18 };
    for (int row = 0; row < ROWS; row++) {
        actor probe = { .client = "p" };
        if (row >= 6) snprintf(probe.id, sizeof probe.id, "%s", m[0].id), probe.epoch = m[0].epoch;
        call *c = beat_call(f, &probe, "orders");
        ks_consumer_group_heartbeat_request *body = c->request->body;
        kafka_error expected = KAFKA_ERR_INVALID_REQUEST;
        switch (row) {
        case 0: body->rebalance_timeout_ms = -1; break;
        case 1: body->subscribed_topic_names.count = -1; break;
        case 2: body->subscribed_topic_names.count = 0; break;
        case 3: body->topic_partitions.count = -1; break;
        case 4: body->instance_id = KS_LITERAL(" "); break;
        case 5: body->rack_id = KS_LITERAL(""); break;
        case 6: body->member_id = KS_LITERAL(""); break;
        case 7: body->member_epoch = -3; break;
        case 8: body->member_epoch = -2; break; /* without an instance id */
        case 9: body->member_epoch = -1, body->member_id = KS_LITERAL(""); break;
        case 10: body->server_assignor = KS_LITERAL("clever"), expected = KAFKA_ERR_UNSUPPORTED_ASSIGNOR; break;
        case 11: body->member_id = KS_LITERAL("ghost"), expected = KAFKA_ERR_UNKNOWN_MEMBER_ID; break;
        case 12: body->member_epoch = m[0].epoch + 1, expected = KAFKA_ERR_FENCED_MEMBER_EPOCH; break;
        case 13: body->member_epoch = 1000000, expected = KAFKA_ERR_FENCED_MEMBER_EPOCH; break;
        case 14: body->instance_id = KS_LITERAL("nobody"), expected = KAFKA_ERR_UNKNOWN_MEMBER_ID; break;
        case 15:
            body->member_id = KS_LITERAL("ghost"), body->member_epoch = -1, expected = KAFKA_ERR_UNKNOWN_MEMBER_ID;
            break;
        case 16: c->request->api_version = 1, body->subscribed_topic_regex = KS_LITERAL("or.*"); break;
        case 17:
            body->member_epoch = -1, body->instance_id = KS_LITERAL("nobody"), expected = KAFKA_ERR_UNKNOWN_MEMBER_ID;
            break;
        default: break;
        }
        ks_consumer_group_heartbeat_response *response = call_now(f, c, "shop");
        assert_non_null(response);
        if (response->error_code != expected)
            fail_msg("row %d: %s, not %s", row, kafka_error_name((kafka_error)response->error_code),
                     kafka_error_name(expected));
        assert_true(response->error_message.size > 0);
        char *after = picture(shop(f));
        assert_string_equal(before, after);
        ks_free(after);
    }
    ks_free(before);
    actor probe = { .client = "p", .id = "x", .epoch = 3 };
    call *c = beat_call(f, &probe, "orders"); /* a group that does not exist */
    ((ks_consumer_group_heartbeat_request *)c->request->body)->group_id = KS_LITERAL("nobody");
    ks_consumer_group_heartbeat_response *response = call_now(f, c, "nobody");
    assert_int_equal(response->error_code, KAFKA_ERR_GROUP_ID_NOT_FOUND);
}

/* ---- the random walk on the machine alone ---- */

enum { STEPS = 100000, CLIENTS = 8 };
static const char *const topic_names[] = { "t", "u", "v" };

typedef struct walker {
    ks_groups groups;
    ks_effects out;
    ks_arena *log_arena, *scratch;
    ks_group_records log;
    ks_group_topics topics;
    int32_t partitions[3];
    uint64_t random, ids;
    int64_t now;
    char handles[8192];
    int next_handle, answered, errors, conversions, by_state[5];
    char id[CLIENTS][32];
    int32_t epoch[CLIENTS];
    bool classic[CLIENTS];
    struct {
        bool on;
        ks_group_timer kind;
        char member[32];
        int64_t deadline;
    } timers[128];
} walker;

static uint64_t draw(walker *w, uint64_t bound) {
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (w->random >> 11) % bound;
}

static int32_t count_of(void *context, ks_string name, ks_uuid *id) {
    walker *w = context;
    for (int i = 0; i < 3; i++) {
        if (!ks_string_equal(ks_str(topic_names[i]), name)) continue;
        memset(id, 0, sizeof *id);
        id->bytes[15] = (uint8_t)(i + 1);
        return w->partitions[i];
    }
    return 0;
}
static void start_timer(walker *w, const ks_effect *e, bool start) {
    int found = -1;
    for (int i = 0; i < 128; i++) {
        bool same = w->timers[i].on && w->timers[i].kind == e->timer.kind &&
                    ks_string_equal(ks_str(w->timers[i].member), e->timer.member_id);
        if (same) found = i;
    }
    for (int i = 0; i < 128 && found < 0; i++)
        if (!w->timers[i].on) found = i;
    assert_true(found >= 0);
    w->timers[found].on = start && e->timer.delay_ms >= 0;
    w->timers[found].kind = e->timer.kind;
    snprintf(w->timers[found].member, 32, "%.*s", (int)e->timer.member_id.size, e->timer.member_id.data);
    w->timers[found].deadline = w->now + e->timer.delay_ms;
}

static void walk_perform(walker *w, int client) {
    ks_group_append *appends[8];
    int count = 0;
    for (int32_t i = 0; i < w->out.list.count; i++) {
        const ks_effect *e = &w->out.list.items[i];
        if (e->kind == KS_EFFECT_TIMER_START) start_timer(w, e, true);
        if (e->kind == KS_EFFECT_SESSIONS_START)
            for (int32_t m = 0; m < e->sessions.count; m++) {
                ks_effect one = session_start(e, m);
                start_timer(w, &one, true);
            }
        if (e->kind == KS_EFFECT_TIMER_STOP) start_timer(w, e, false);
        if (e->kind == KS_EFFECT_GROUP_GONE) memset(w->timers, 0, sizeof w->timers);
        if (e->kind == KS_EFFECT_EVENT) w->conversions += strcmp(e->event.kind->name, "ev_group_converted") == 0;
        if (e->kind == KS_EFFECT_REPLY) {
            w->answered++;
            w->errors += e->reply.error != KAFKA_OK;
            if (client >= 0 && (e->reply.error == KAFKA_OK || e->reply.error == KAFKA_ERR_MEMBER_ID_REQUIRED) &&
                e->reply.member_id.size > 0 && e->reply.api_key != KS_API_leave_group) {
                snprintf(w->id[client], 32, "%.*s", (int)e->reply.member_id.size, e->reply.member_id.data);
                if (e->reply.error == KAFKA_OK) w->epoch[client] = e->reply.generation > 0 ? e->reply.generation : 0;
            }
            if (client >= 0 &&
                (e->reply.error == KAFKA_ERR_UNKNOWN_MEMBER_ID || e->reply.error == KAFKA_ERR_FENCED_MEMBER_EPOCH))
                w->id[client][0] = 0, w->epoch[client] = 0;
        }
        if (e->kind == KS_EFFECT_APPEND) {
            appends[count++] = e->append.append;
            for (int32_t r = 0; r < e->append.count; r++)
                KS_PUSH(w->log, (ks_group_record){ ks_arena_bytes(w->log_arena, e->append.records[r].key),
                                                   ks_arena_bytes(w->log_arena, e->append.records[r].value) });
        }
    }
    for (int i = 0; i < count; i++) {
        ks_group_input in = {
            .kind = KS_GROUP_APPENDED, .now_ms = w->now, .group_id = KS_LITERAL("g"), .topics = &w->topics
        };
        in.appended.append = appends[i];
        ks_effects_reset(&w->out);
        ks_groups_step(&w->groups, &in, &w->out);
        walk_perform(w, client);
    }
    ks_effects_reset(&w->out);
}

static void walk_step(walker *w, ks_group_input *in, int client) {
    in->now_ms = w->now;
    in->group_id = KS_LITERAL("g");
    in->topics = &w->topics;
    in->request = &w->handles[w->next_handle++ % 8192];
    in->client_id = KS_LITERAL("c");
    in->client_host = KS_LITERAL("/h");
    in->new_member_id = ks_arena_printf(w->scratch, "m-%05llu", (unsigned long long)++w->ids);
    ks_groups_step(&w->groups, in, &w->out);
    walk_perform(w, client);
}

static ks_string *some_topics(walker *w, int32_t *count) {
    ks_string *names = ks_arena_alloc(w->scratch, sizeof *names * 3);
    bool usual = draw(w, 20) > 0;
    *count = usual ? 2 : 1 + (int32_t)draw(w, 3);
    for (int32_t i = 0; i < *count; i++) names[i] = ks_str(topic_names[usual ? (uint64_t)i : draw(w, 3)]);
    return names;
}

static void walk_heartbeat(walker *w, int client) {
    ks_consumer_group_heartbeat_request beat;
    const ks_group *group = ks_groups_find(&w->groups, KS_LITERAL("g"));
    ks_struct_default(ks_describe_consumer_group_heartbeat_request(), &beat);
    beat.group_id = KS_LITERAL("g");
    beat.member_id = ks_arena_string(w->scratch, ks_str(w->id[client]));
    beat.member_epoch = draw(w, 40) == 0 ? (int32_t)draw(w, 6) - 3 : w->epoch[client];
    if (client < 2) beat.instance_id = ks_str(client == 0 ? "i0" : "i1");
    if (client < 2 && beat.member_epoch > 0 && draw(w, 30) == 0)
        beat.member_epoch = -2, w->epoch[client] = 0, w->id[client][0] = 0;
    else if (beat.member_epoch > 0 && draw(w, 25) == 0)
        beat.member_epoch = -1, w->epoch[client] = 0, w->id[client][0] = 0;
    if (draw(w, 20) == 0) beat.server_assignor = draw(w, 2) ? KS_LITERAL("range") : KS_LITERAL("uniform");
    if (beat.member_epoch == 0 || draw(w, 100) == 0) {
        beat.rebalance_timeout_ms = 1000 + (int32_t)draw(w, 60000);
        beat.subscribed_topic_names.items = some_topics(w, &beat.subscribed_topic_names.count);
        beat.topic_partitions.count = 0;
    }
    const ks_consumer_member *member = group != NULL && group->kind == KS_GROUP_CONSUMER && w->id[client][0]
                                           ? ks_consumer_member_find(group, ks_str(w->id[client]))
                                           : NULL;
    if (member != NULL && beat.member_epoch > 0 && draw(w, 2)) { /* truthful: it has given up what it was told to */
        beat.topic_partitions.items = ks_arena_alloc(w->scratch, sizeof *beat.topic_partitions.items * 64);
        beat.topic_partitions.count = 0;
        bool lag = draw(w, 3) == 0; /* or not yet */
        for (int list = 0; list <= lag; list++) {
            const ks_tps *set = list ? &member->revoking : &member->assigned;
            for (int32_t i = 0; i < set->count && beat.topic_partitions.count < 64; i++) {
                int32_t *partition = ks_arena_alloc(w->scratch, sizeof *partition);
                *partition = KS_TP_PARTITION(set->items[i]);
                beat.topic_partitions.items[beat.topic_partitions.count].topic_id =
                    ks_consumer_topic_of(group, set->items[i])->id;
                beat.topic_partitions.items[beat.topic_partitions.count].partitions.items = partition;
                beat.topic_partitions.items[beat.topic_partitions.count++].partitions.count = 1;
            }
        }
    }
    ks_group_input in = { .kind = KS_GROUP_CONSUMER_HEARTBEAT, .consumer_heartbeat = &beat };
    walk_step(w, &in, client);
}

static ks_bytes walk_subscription(walker *w) {
    ks_subscription subscription = {
        .version = 1, .user_data = KS_NULL_BYTES, .generation_id = -1, .rack_id = KS_NULL_STRING
    };
    subscription.topics = some_topics(w, &subscription.topic_count);
    return ks_subscription_encode(&subscription, w->scratch);
}

static void walk_classic(walker *w, int client) {
    const ks_group *group = ks_groups_find(&w->groups, KS_LITERAL("g"));
    ks_string id = ks_arena_string(w->scratch, ks_str(w->id[client]));
    uint64_t what = draw(w, 10);
    if (what < 4 || id.size == 0) {
        ks_join_group_request join;
        ks_join_group_request_protocol protocol = { KS_LITERAL("range"), walk_subscription(w) };
        ks_struct_default(ks_describe_join_group_request(), &join);
        join.group_id = KS_LITERAL("g");
        join.member_id = id;
        join.session_timeout_ms = 10000;
        join.rebalance_timeout_ms = 20000;
        join.protocol_type = KS_LITERAL("consumer");
        join.protocols.items = &protocol;
        join.protocols.count = 1;
        ks_group_input in = { .kind = KS_GROUP_JOIN, .join = &join, .version = 9 };
        walk_step(w, &in, client);
    } else if (what < 7) {
        ks_sync_group_request sync;
        ks_sync_group_request_assignment give = { id, { NULL, 0 } };
        int32_t zero = 0;
        ks_topic_partitions topics[] = { { KS_LITERAL("t"), &zero, 1 } };
        ks_assignment assignment = { .topics = topics, .topic_count = 1, .user_data = KS_NULL_BYTES };
        ks_struct_default(ks_describe_sync_group_request(), &sync);
        give.assignment = ks_assignment_encode(&assignment, w->scratch);
        sync.group_id = KS_LITERAL("g");
        sync.member_id = id;
        sync.generation_id = group == NULL ? 0 : group->kind == KS_GROUP_CLASSIC ? group->generation : w->epoch[client];
        sync.assignments.items = &give;
        sync.assignments.count = 1;
        ks_group_input in = { .kind = KS_GROUP_SYNC, .sync = &sync, .version = 5 };
        walk_step(w, &in, -1);
    } else if (what < 9) {
        ks_heartbeat_request beat;
        ks_struct_default(ks_describe_heartbeat_request(), &beat);
        beat.group_id = KS_LITERAL("g");
        beat.member_id = id;
        beat.generation_id = w->epoch[client];
        ks_group_input in = { .kind = KS_GROUP_HEARTBEAT, .heartbeat = &beat, .version = 4 };
        walk_step(w, &in, -1);
    } else if (draw(w, 4) == 0) {
        ks_leave_group_request leave;
        ks_leave_group_request_member_identity who = { id, KS_NULL_STRING, KS_NULL_STRING };
        ks_struct_default(ks_describe_leave_group_request(), &leave);
        leave.group_id = KS_LITERAL("g");
        leave.members.items = &who;
        leave.members.count = 1;
        w->id[client][0] = 0;
        w->epoch[client] = 0;
        ks_group_input in = { .kind = KS_GROUP_LEAVE, .leave = &leave, .version = 5 };
        walk_step(w, &in, -1);
    }
}

static void walk_time(walker *w) {
    w->now += (int64_t)draw(w, 3000);
    for (int i = 0; i < 128; i++) {
        if (!w->timers[i].on || w->timers[i].deadline > w->now) continue;
        w->timers[i].on = false;
        ks_group_input in = { .kind = KS_GROUP_TIMER_FIRED };
        in.timer.kind = w->timers[i].kind;
        in.timer.member_id = ks_arena_string(w->scratch, ks_str(w->timers[i].member));
        walk_step(w, &in, -1);
    }
}

/* An episode begins with a group of its own; who speaks which protocol changes on the way. */
static void set_the_scene(walker *w, int step_of_episode, int mood) {
    if (step_of_episode == 0) {
        ks_groups_remove(&w->groups, KS_LITERAL("g"), "requested", &w->out);
        walk_perform(w, -1);
        memset(w->timers, 0, sizeof w->timers);
        w->log.count = 0;
        ks_arena_reset(w->log_arena);
    }
    for (int c = 0; c < CLIENTS; c++) {
        bool late = step_of_episode > 120 + 10 * c, later = step_of_episode > 280 + 10 * c;
        bool classic = mood == 0   ? c >= 2 && !late
                       : mood == 1 ? c >= 2 && (!late || later)
                       : mood == 2 ? c >= 5
                                   : false;
        if (step_of_episode > 0 && classic == w->classic[c]) continue;
        w->classic[c] = classic;
        w->id[c][0] = 0;
        w->epoch[c] = 0;
    }
}

static void check_reading_back(walker *w) {
    const ks_group *group = ks_groups_find(&w->groups, KS_LITERAL("g"));
    if (group == NULL || group->kind != KS_GROUP_CONSUMER) return;
    ks_groups copy;
    ks_effects out;
    ks_groups_init(&copy, &w->groups.settings);
    ks_effects_init(&out);
    for (int32_t i = 0; i < w->log.count; i++)
        ks_groups_apply(&copy, w->log.items[i].key, w->log.items[i].value, w->now, &out);
    ks_group *again = ks_groups_find(&copy, KS_LITERAL("g"));
    assert_non_null(again);
    assert_int_equal(again->kind, KS_GROUP_CONSUMER);
    ks_consumer_group_loaded(again, &out);
    char *before = picture(group), *after = picture(again);
    assert_string_equal(before, after);
    ks_free(before);
    ks_free(after);
    ks_effects_deinit(&out);
    ks_groups_deinit(&copy);
}

static void classic_and_consumer_members_come_and_go_at_random(void **state) {
    (void)state;
    walker *w = ks_alloc(sizeof *w);
    w->random = 0x2545F4914F6CDD1DULL;
    w->log_arena = ks_arena_new();
    w->scratch = ks_arena_new();
    w->topics = (ks_group_topics){ w, 1, count_of };
    for (int i = 0; i < 3; i++) w->partitions[i] = 1 + i;
    ks_group_settings settings = ks_group_settings_default;
    settings.initial_rebalance_delay_ms = 100;
    ks_groups_init(&w->groups, &settings);
    ks_effects_init(&w->out);
    for (int i = 0; i < STEPS; i++) {
        set_the_scene(w, i % 500, i / 500 % 4);
        int client = (int)draw(w, CLIENTS);
        uint64_t kind = draw(w, 1000);
        if (kind < 900 && w->classic[client])
            walk_classic(w, client);
        else if (kind < 900 && (client >= 2 || i / 500 % 4 >= 2 || i % 500 > 110))
            walk_heartbeat(w, client); /* static ones come later */
        else if (kind < 993)
            walk_time(w);
        else if (kind < 997)
            w->partitions[draw(w, 3)] = (int32_t)draw(w, 9), w->topics.version++;
        const ks_group *group = ks_groups_find(&w->groups, KS_LITERAL("g"));
        if (group != NULL) {
            ks_group_check_invariants(group);
            const char *text = ks_group_state_text(group);
            w->by_state[0] += group->kind == KS_GROUP_CLASSIC;
            w->by_state[1] += strcmp(text, "Assigning") == 0;
            w->by_state[2] += strcmp(text, "Reconciling") == 0;
            w->by_state[3] += group->kind == KS_GROUP_CONSUMER && strcmp(text, "Stable") == 0;
        }
        if (i % 20 == 0) check_reading_back(w);
        ks_arena_reset(w->scratch);
    }
    print_message(
        "%d answers, %d errors, %d conversions; classic %d, Assigning %d, Reconciling %d, Stable %d; log %d\n",
        w->answered, w->errors, w->conversions, w->by_state[0], w->by_state[1], w->by_state[2], w->by_state[3],
        (int)w->log.count);
    for (int i = 0; i < 4; i++) assert_true(w->by_state[i] > STEPS / 200);
    assert_true(w->conversions > 20 && w->answered > STEPS / 2);
    ks_effects_deinit(&w->out);
    ks_groups_deinit(&w->groups);
    ks_free(w->log.items);
    ks_arena_free(w->log_arena);
    ks_arena_free(w->scratch);
    ks_free(w);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(members_converge_without_a_barrier),
        TEST(a_member_that_must_give_up_more_moves_on_by_one_epoch),
        TEST(a_silent_member_is_fenced_and_its_partitions_go_to_the_others),
        TEST(new_partitions_are_found_at_the_next_heartbeat),
        TEST(a_new_coordinator_reads_the_members_back),
        TEST(what_could_not_be_written_is_taken_back),
        TEST(a_description_tells_epochs_and_targets),
        cmocka_unit_test(timeouts_of_the_consumer_protocol_stay_within_their_bounds),
        TEST(every_malformed_heartbeat_gets_its_code_and_changes_nothing),
        cmocka_unit_test(classic_and_consumer_members_come_and_go_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
