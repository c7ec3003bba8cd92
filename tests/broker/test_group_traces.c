/* SPDX-License-Identifier: Apache-2.0
 *
 * Drives the group machine step by step through what Kafka's GroupMetadataManager did (group_coordinator_traces.jsonl):
 * the same replies in the same order, the same timers, the same state after every step. */
#include "sim/broker/group_consumer.h"
#include "sim/broker/group_internal.h"
#include "sim/protocol/consumer_protocol.h"
#include "tests/broker/support/sessions.h"
#include "tests/support/test.h"

#define FILE_NAME "group_coordinator_traces.jsonl"

/* ---- a world with a clock and timers, but no kernel ---- */

typedef struct request {
    int step;
    void *body;
} request;

typedef struct timer {
    bool running;
    ks_group_timer kind;
    char member[64];
    int64_t deadline;
    uint64_t order;
} timer;

typedef struct world {
    ks_groups groups;
    ks_effects out;
    ks_arena *arena; /* of a scenario */
    int64_t now;
    uint64_t order;
    timer timers[64];
    request requests[64];
    int ids[26]; /* how many member ids client A, B, ... was given */
    bool hold;
    ks_group_append *held[16];
    int held_count;
    json_t *events; /* of this step */
    json_t *topics;
    uint64_t topics_version;
    const char *scenario;
    int step;
} world;

static ks_group *group_of(world *w) { return ks_groups_find(&w->groups, KS_LITERAL("g")); }

static const char *text(ks_string string) {
    static char texts[8][256];
    static int next;
    char *copy = texts[next++ % 8];
    snprintf(copy, sizeof texts[0], "%.*s", string.size > 0 ? (int)string.size : 0, string.data);
    return copy;
}

static json_t *text_or_null(ks_string string) { return string.size < 0 ? json_null() : json_string(text(string)); }

/* ---- topics of KIP-848: the id of the nth topic is n + 1 ---- */

static int32_t topic_partitions(void *context, ks_string name, ks_uuid *id) {
    world *w = context;
    const char *key;
    json_t *value;
    int n = 0;
    json_object_foreach(w->topics, key, value) {
        n++;
        if (!ks_string_equal(ks_str(key), name)) continue;
        memset(id, 0, sizeof *id);
        id->bytes[15] = (uint8_t)n;
        return (int32_t)json_integer_value(value);
    }
    return 0;
}

static int32_t topic_by_id(void *context, ks_uuid id, ks_string *name) {
    world *w = context;
    const char *key;
    json_t *value;
    int n = 0;
    json_object_foreach(w->topics, key, value) {
        if (++n != id.bytes[15]) continue;
        *name = ks_str(key);
        return (int32_t)json_integer_value(value);
    }
    return 0;
}

/* ---- timers ---- */

static timer *find_timer(world *w, ks_group_timer kind, ks_string member) {
    for (size_t i = 0; i < sizeof w->timers / sizeof *w->timers; i++)
        if (w->timers[i].running && w->timers[i].kind == kind && ks_string_equal(ks_str(w->timers[i].member), member))
            return &w->timers[i];
    return NULL;
}

static void start_timer(world *w, const ks_effect *effect) {
    timer *t = find_timer(w, effect->timer.kind, effect->timer.member_id);
    for (size_t i = 0; t == NULL; i++) {
        assert_true(i < sizeof w->timers / sizeof *w->timers);
        if (!w->timers[i].running) t = &w->timers[i];
    }
    t->running = true;
    t->kind = effect->timer.kind;
    snprintf(t->member, sizeof t->member, "%s", text(effect->timer.member_id));
    t->deadline = w->now + effect->timer.delay_ms;
    t->order = ++w->order;
}

static const char *timer_name(const timer *t) {
    static char name[128];
    static const char *const names[] = { "heartbeat-g-",         "join-g",  "sync-g", "session-timeout-g-",
                                         "rebalance-timeout-g-", "join-g-", "sync-g-" };
    _Static_assert(sizeof names / sizeof *names == KS_GROUP_TIMER_COUNT, "a name for each timer");
    snprintf(name, sizeof name, "%s%s", names[t->kind], t->member);
    return name;
}

/* ---- replies ---- */

static json_t *add_event(world *w) {
    json_t *event = json_object();
    json_array_append_new(w->events, event);
    return event;
}

static void add_reply(world *w, const char *name, kafka_error error, int to, json_t *fields) {
    json_t *event = add_event(w);
    json_object_update(event, fields);
    json_object_set_new(event, "reply", json_string(name));
    json_object_set_new(event, "error", json_string(error == KAFKA_OK ? "NONE" : kafka_error_name(error)));
    json_object_set_new(event, "to", json_integer(to));
    json_object_set_new(event, "at", json_integer(w->now));
    json_decref(fields);
}

static json_t *member_ids(ks_group *group) {
    json_t *list = json_array();
    ks_group_member *const *members = ks_group_members_sorted(group);
    for (int32_t i = 0; i < group->member_count; i++) json_array_append_new(list, json_string(text(members[i]->id)));
    return list;
}

static json_t *partitions_json(const ks_topic_partitions *topics, int32_t count) {
    json_t *list = json_array();
    for (int32_t t = 0; t < count; t++)
        for (int32_t p = 0; p < topics[t].partition_count; p++)
            json_array_append_new(list, json_sprintf("%s-%d", text(topics[t].topic), topics[t].partitions[p]));
    return list;
}

static json_t *assignment_json(world *w, ks_bytes bytes) {
    ks_assignment assignment = { 0 };
    if (bytes.size > 0) assert_true(ks_assignment_decode(bytes, w->arena, &assignment));
    return partitions_json(assignment.topics, assignment.topic_count);
}

static json_t *target_json(world *w, const ks_consumer_group_heartbeat_response_assignment *assignment) {
    if (assignment == NULL) return json_null();
    json_t *list = json_array();
    for (int32_t t = 0; t < assignment->topic_partitions.count; t++) {
        const ks_consumer_group_heartbeat_response_topic_partitions *item = &assignment->topic_partitions.items[t];
        ks_string name = KS_LITERAL("?");
        topic_by_id(w, item->topic_id, &name);
        for (int32_t p = 0; p < item->partitions.count; p++)
            json_array_append_new(list, json_sprintf("%s-%d", text(name), item->partitions.items[p]));
    }
    return list;
}

static void reply(world *w, const ks_group_reply *reply, ks_group *group) {
    json_t *fields = json_object();
    const request *to = reply->request;
    bool ok = reply->error == KAFKA_OK;
    switch (reply->api_key) {
    case KS_API_join_group:
        json_object_set_new(fields, "member", json_string(text(reply->member_id)));
        if (ok) {
            json_object_set_new(fields, "generation", json_integer(reply->generation));
            json_object_set_new(fields, "protocol", text_or_null(reply->protocol_name));
            json_object_set_new(fields, "leader", json_string(text(reply->leader)));
            json_object_set_new(fields, "members", reply->with_members ? member_ids(group) : json_array());
            if (reply->skip_assignment) json_object_set_new(fields, "skip_assignment", json_true());
        }
        break;
    case KS_API_sync_group:
        if (ok) {
            json_object_set_new(fields, "protocol", text_or_null(reply->protocol_name));
            json_object_set_new(fields, "assignment", assignment_json(w, reply->assignment));
        }
        break;
    case KS_API_leave_group:
        json_object_set_new(fields, "members", json_array());
        for (int32_t i = 0; i < reply->left_count; i++) {
            json_t *left = json_object();
            json_object_set_new(left, "member", json_string(text(reply->left[i].member_id)));
            if (reply->left[i].instance_id.size >= 0)
                json_object_set_new(left, "instance", json_string(text(reply->left[i].instance_id)));
            json_object_set_new(
                left, "error",
                json_string(reply->left[i].error == KAFKA_OK ? "NONE" : kafka_error_name(reply->left[i].error)));
            json_array_append_new(json_object_get(fields, "members"), left);
        }
        break;
    case KS_API_consumer_group_heartbeat:
        if (ok) {
            json_object_set_new(fields, "member", json_string(text(reply->member_id)));
            json_object_set_new(fields, "epoch", json_integer(reply->generation));
            json_object_set_new(fields, "assignment", target_json(w, reply->partitions));
        }
        break;
    default: break;
    }
    add_reply(w, ks_api_name(reply->api_key), reply->error, to->step, fields);
}

/* ---- running the machine ---- */

static void perform(world *w);

static void appended(world *w, ks_group_append *append, kafka_error error) {
    ks_group_input in = { .kind = KS_GROUP_APPENDED,
                          .now_ms = w->now,
                          .group_id = KS_LITERAL("g"),
                          .topics = &(ks_group_topics){ w, w->topics_version, topic_partitions } };
    in.appended.append = append;
    in.appended.error = error;
    ks_effects_reset(&w->out);
    ks_groups_step(&w->groups, &in, &w->out);
    perform(w);
}

static void perform(world *w) {
    ks_group_append *now[16];
    int now_count = 0;
    for (int32_t i = 0; i < w->out.list.count; i++) {
        const ks_effect *effect = &w->out.list.items[i];
        timer *t;
        switch (effect->kind) {
        case KS_EFFECT_REPLY: reply(w, &effect->reply, effect->group); break;
        case KS_EFFECT_TIMER_START: start_timer(w, effect); break;
        case KS_EFFECT_SESSIONS_START:
            for (int32_t m = 0; m < effect->sessions.count; m++) {
                ks_effect one = session_start(effect, m);
                start_timer(w, &one);
            }
            break;
        case KS_EFFECT_TIMER_STOP:
            t = find_timer(w, effect->timer.kind, effect->timer.member_id);
            if (t != NULL) t->running = false;
            break;
        case KS_EFFECT_APPEND:
            assert_true(now_count < 16 && w->held_count < 16);
            if (w->hold)
                w->held[w->held_count++] = effect->append.append;
            else
                now[now_count++] = effect->append.append;
            break;
        case KS_EFFECT_RELOAD:
        case KS_EFFECT_GROUP_GONE: /* Kafka's timers of a group that was replaced go on and do nothing */
        case KS_EFFECT_HOLD:
        case KS_EFFECT_ORPHAN:
        case KS_EFFECT_EVENT: break;
        }
    }
    for (int i = 0; i < now_count; i++) appended(w, now[i], KAFKA_OK);
    ks_group *group = group_of(w);
    if (group != NULL) ks_group_check_invariants(group);
}

static void step(world *w, ks_group_input *in) {
    in->now_ms = w->now;
    in->group_id = KS_LITERAL("g");
    in->client_host = KS_LITERAL("/127.0.0.1");
    in->topics = &(ks_group_topics){ w, w->topics_version, topic_partitions };
    ks_effects_reset(&w->out);
    ks_groups_step(&w->groups, in, &w->out);
    perform(w);
}

static void sleep_until(world *w, int64_t until) {
    for (;;) {
        timer *first = NULL;
        for (size_t i = 0; i < sizeof w->timers / sizeof *w->timers; i++) {
            timer *t = &w->timers[i];
            if (!t->running || t->deadline > until) continue;
            if (first == NULL || t->deadline < first->deadline ||
                (t->deadline == first->deadline && t->order < first->order))
                first = t;
        }
        if (first == NULL) break;
        w->now = first->deadline;
        first->running = false;
        json_t *event = add_event(w);
        json_object_set_new(event, "timer", json_string(timer_name(first)));
        json_object_set_new(event, "at", json_integer(w->now));
        ks_group_input in = { .kind = KS_GROUP_TIMER_FIRED };
        in.timer.kind = first->kind;
        in.timer.member_id = ks_arena_string(w->arena, ks_str(first->member));
        step(w, &in);
    }
    w->now = until;
}

/* ---- requests ---- */

static ks_string string_of(world *w, json_t *object, const char *key) {
    json_t *value = json_object_get(object, key);
    return json_is_string(value) ? ks_arena_string(w->arena, ks_str(json_string_value(value))) : KS_NULL_STRING;
}

static ks_string string_or_empty(world *w, json_t *object, const char *key) {
    ks_string string = string_of(w, object, key);
    return string.size < 0 ? KS_LITERAL("") : string;
}

static int32_t int_of(json_t *object, const char *key, int32_t otherwise) {
    json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? (int32_t)json_integer_value(value) : otherwise;
}

static void *make(world *w, const ks_struct *type) {
    void *body = ks_arena_alloc(w->arena, type->size);
    ks_struct_default(type, body);
    return body;
}

/* ["t-0", "t-1", "u-0"] to topics with their partitions */
static ks_topic_partitions *partitions_of(world *w, json_t *list, int32_t *count) {
    ks_topic_partitions *topics = ks_arena_alloc(w->arena, sizeof *topics * (json_array_size(list) + 1));
    *count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *item = json_string_value(json_array_get(list, i));
        const char *dash = strrchr(item, '-');
        ks_string name = ks_arena_string(w->arena, (ks_string){ item, (int32_t)(dash - item) });
        int32_t t = 0;
        while (t < *count && !ks_string_equal(topics[t].topic, name)) t++;
        if (t == *count) {
            (*count)++;
            topics[t].topic = name;
            topics[t].partitions = ks_arena_alloc(w->arena, sizeof(int32_t) * (json_array_size(list) + 1));
        }
        topics[t].partitions[topics[t].partition_count++] = atoi(dash + 1);
    }
    return topics;
}

static ks_bytes subscription_of(world *w, json_t *protocol) {
    ks_subscription subscription = {
        .version = 1, .user_data = KS_NULL_BYTES, .generation_id = -1, .rack_id = KS_NULL_STRING
    };
    json_t *topics = json_array_get(protocol, 1);
    subscription.topics = ks_arena_alloc(w->arena, sizeof(ks_string) * (json_array_size(topics) + 1));
    for (size_t i = 0; i < json_array_size(topics); i++)
        subscription.topics[subscription.topic_count++] =
            ks_arena_string(w->arena, ks_str(json_string_value(json_array_get(topics, i))));
    subscription.owned = partitions_of(w, json_array_get(protocol, 2), &subscription.owned_count);
    return ks_subscription_encode(&subscription, w->arena);
}

static void *request_of(world *w, void *body) {
    w->requests[w->step] = (request){ w->step, body };
    return &w->requests[w->step];
}

static ks_string fresh_id(world *w, json_t *what) {
    ks_string as = string_or_empty(w, what, "as");
    if (as.size != 1) return KS_LITERAL("unnamed");
    int given = w->ids[(as.data[0] - 'A') % 26];
    return given == 0 ? as : ks_arena_printf(w->arena, "%c%d", as.data[0], given + 1);
}

static void count_id(world *w, json_t *what, ks_string id) {
    ks_group *group = group_of(w);
    ks_string as = string_or_empty(w, what, "as");
    if (group == NULL || as.size != 1) return;
    bool used = group->kind == KS_GROUP_CONSUMER
                    ? ks_consumer_group_has_member(group, id)
                    : ks_group_member_find(group, id) != NULL || ks_group_pending_find(group, id) != NULL;
    if (used) w->ids[(as.data[0] - 'A') % 26]++;
}

static void do_join(world *w, json_t *what) {
    ks_join_group_request *join = make(w, ks_describe_join_group_request());
    json_t *protocols = json_object_get(what, "protocols");
    join->group_id = KS_LITERAL("g");
    join->member_id = string_or_empty(w, what, "member");
    join->group_instance_id = string_of(w, what, "instance");
    join->session_timeout_ms = int_of(what, "session", 45000);
    join->rebalance_timeout_ms = int_of(what, "rebalance", 300000);
    join->protocol_type = json_object_get(what, "type") ? string_or_empty(w, what, "type") : KS_LITERAL("consumer");
    join->protocols.count = (int32_t)json_array_size(protocols);
    join->protocols.items =
        ks_arena_alloc(w->arena, sizeof *join->protocols.items * (size_t)(join->protocols.count + 1));
    for (int32_t i = 0; i < join->protocols.count; i++) {
        json_t *protocol = json_array_get(protocols, (size_t)i);
        join->protocols.items[i].name =
            ks_arena_string(w->arena, ks_str(json_string_value(json_array_get(protocol, 0))));
        join->protocols.items[i].metadata = subscription_of(w, protocol);
    }
    ks_group_input in = { .kind = KS_GROUP_JOIN,
                          .version = (int16_t)int_of(what, "version", 9),
                          .request = request_of(w, join),
                          .join = join };
    in.client_id = string_or_empty(w, what, "as");
    in.new_member_id = fresh_id(w, what);
    step(w, &in);
    if (join->member_id.size <= 0) count_id(w, what, in.new_member_id);
}

static void do_sync(world *w, json_t *what) {
    ks_sync_group_request *sync = make(w, ks_describe_sync_group_request());
    json_t *assignments = json_object_get(what, "assignments"), *list;
    const char *member;
    sync->group_id = KS_LITERAL("g");
    sync->member_id = string_or_empty(w, what, "member");
    sync->generation_id = int_of(what, "generation", -1);
    sync->group_instance_id = string_of(w, what, "instance");
    sync->protocol_type = string_of(w, what, "type");
    sync->protocol_name = string_of(w, what, "protocol");
    sync->assignments.items =
        ks_arena_alloc(w->arena, sizeof *sync->assignments.items * (json_object_size(assignments) + 1));
    sync->assignments.count = 0;
    json_object_foreach(assignments, member, list) {
        ks_assignment assignment = { .user_data = KS_NULL_BYTES };
        assignment.topics = partitions_of(w, list, &assignment.topic_count);
        ks_sync_group_request_assignment *item = &sync->assignments.items[sync->assignments.count++];
        item->member_id = ks_arena_string(w->arena, ks_str(member));
        item->assignment = ks_assignment_encode(&assignment, w->arena);
    }
    ks_group_input in = { .kind = KS_GROUP_SYNC, .version = 5, .request = request_of(w, sync), .sync = sync };
    step(w, &in);
}

static void do_heartbeat(world *w, json_t *what) {
    ks_heartbeat_request *beat = make(w, ks_describe_heartbeat_request());
    beat->group_id = KS_LITERAL("g");
    beat->member_id = string_or_empty(w, what, "member");
    beat->generation_id = int_of(what, "generation", -1);
    beat->group_instance_id = string_of(w, what, "instance");
    ks_group_input in = { .kind = KS_GROUP_HEARTBEAT, .version = 4, .request = request_of(w, beat), .heartbeat = beat };
    step(w, &in);
}

static void do_leave(world *w, json_t *what) {
    ks_leave_group_request *leave = make(w, ks_describe_leave_group_request());
    json_t *members = json_object_get(what, "members");
    leave->group_id = KS_LITERAL("g");
    leave->members.count = (int32_t)json_array_size(members);
    leave->members.items = ks_arena_alloc(w->arena, sizeof *leave->members.items * (size_t)(leave->members.count + 1));
    for (int32_t i = 0; i < leave->members.count; i++) {
        json_t *member = json_array_get(members, (size_t)i);
        leave->members.items[i].member_id = string_or_empty(w, member, "member");
        leave->members.items[i].group_instance_id = string_of(w, member, "instance");
        leave->members.items[i].reason = KS_NULL_STRING;
    }
    ks_group_input in = { .kind = KS_GROUP_LEAVE, .version = 5, .request = request_of(w, leave), .leave = leave };
    step(w, &in);
}

static void do_consumer_heartbeat(world *w, json_t *what) {
    ks_consumer_group_heartbeat_request *beat = make(w, ks_describe_consumer_group_heartbeat_request());
    json_t *topics = json_object_get(what, "topics"), *owned = json_object_get(what, "owned");
    beat->group_id = KS_LITERAL("g");
    beat->member_id = string_or_empty(w, what, "member");
    beat->member_epoch = int_of(what, "epoch", 0);
    beat->instance_id = string_of(w, what, "instance");
    beat->rebalance_timeout_ms = int_of(what, "rebalance", -1);
    beat->server_assignor = string_of(w, what, "assignor");
    beat->subscribed_topic_names.count = -1;
    beat->topic_partitions.count = -1;
    if (json_is_array(topics)) {
        beat->subscribed_topic_names.count = 0;
        beat->subscribed_topic_names.items =
            ks_arena_alloc(w->arena, sizeof(ks_string) * (json_array_size(topics) + 1));
        for (size_t i = 0; i < json_array_size(topics); i++)
            beat->subscribed_topic_names.items[beat->subscribed_topic_names.count++] =
                ks_arena_string(w->arena, ks_str(json_string_value(json_array_get(topics, i))));
    }
    if (json_is_array(owned)) {
        int32_t count;
        ks_topic_partitions *list = partitions_of(w, owned, &count);
        beat->topic_partitions.count = count;
        beat->topic_partitions.items =
            ks_arena_alloc(w->arena, sizeof *beat->topic_partitions.items * (size_t)(count + 1));
        for (int32_t i = 0; i < count; i++) {
            topic_partitions(w, list[i].topic, &beat->topic_partitions.items[i].topic_id);
            beat->topic_partitions.items[i].partitions.items = list[i].partitions;
            beat->topic_partitions.items[i].partitions.count = list[i].partition_count;
        }
    }
    ks_group_input in = { .kind = KS_GROUP_CONSUMER_HEARTBEAT,
                          .request = request_of(w, beat),
                          .consumer_heartbeat = beat };
    in.client_id = string_or_empty(w, what, "as");
    in.new_member_id = fresh_id(w, what);
    bool known = group_of(w) != NULL && group_of(w)->kind == KS_GROUP_CONSUMER &&
                 ks_consumer_group_has_member(group_of(w), beat->member_id);
    step(w, &in);
    if (beat->member_epoch == 0 && !known)
        count_id(w, what, beat->member_id.size > 0 ? beat->member_id : in.new_member_id);
}

static void do_commit_check(world *w, json_t *what) {
    ks_group_committer who = { .group_id = KS_LITERAL("g"),
                               .member_id = string_or_empty(w, what, "member"),
                               .instance_id = string_of(w, what, "instance"),
                               .generation = int_of(what, "generation", -1),
                               .version = 9,
                               .transactional = json_is_true(json_object_get(what, "txn")) };
    bool missing = group_of(w) == NULL;
    ks_effects_reset(&w->out);
    kafka_error error = ks_groups_check_commit(&w->groups, &who, w->now, &w->out);
    perform(w);
    add_reply(w, "OffsetCommit", error, w->step, json_object());
    if (missing && group_of(w) != NULL) { /* a simple group: the scenario goes on without it */
        ks_effects_reset(&w->out);
        ks_groups_remove(&w->groups, KS_LITERAL("g"), "requested", &w->out);
        w->out.list.count = 0;
    }
}

static void do_unload(world *w) {
    ks_group_input in = { .kind = KS_GROUP_UNLOAD };
    step(w, &in);
}

static void finish_appends(world *w, kafka_error error) {
    int count = w->held_count;
    w->hold = false;
    w->held_count = 0;
    for (int i = 0; i < count; i++) appended(w, w->held[i], error);
}

static void perform_step(world *w, json_t *what) {
    const char *op = json_string_value(json_object_get(what, "op"));
    if (strcmp(op, "join") == 0)
        do_join(w, what);
    else if (strcmp(op, "sync") == 0)
        do_sync(w, what);
    else if (strcmp(op, "heartbeat") == 0)
        do_heartbeat(w, what);
    else if (strcmp(op, "leave") == 0)
        do_leave(w, what);
    else if (strcmp(op, "cheartbeat") == 0)
        do_consumer_heartbeat(w, what);
    else if (strcmp(op, "commit_check") == 0)
        do_commit_check(w, what);
    else if (strcmp(op, "delete_check") == 0)
        add_reply(w, "DeleteGroups", ks_groups_check_delete(&w->groups, KS_LITERAL("g")), w->step, json_object());
    else if (strcmp(op, "sleep") == 0)
        sleep_until(w, w->now + int_of(what, "ms", 0));
    else if (strcmp(op, "unload") == 0)
        do_unload(w);
    else if (strcmp(op, "topics") == 0)
        w->topics = json_object_get(what, "topics"), w->topics_version++;
    else if (strcmp(op, "hold_append") == 0)
        w->hold = true;
    else if (strcmp(op, "release_append") == 0)
        finish_appends(w, KAFKA_OK);
    else if (strcmp(op, "fail_append") == 0)
        finish_appends(w, KAFKA_ERR_NOT_LEADER_OR_FOLLOWER);
    else
        fail_msg("%s step %d: unknown op %s", w->scenario, w->step, op);
}

/* ---- comparing ---- */

static json_t *timers_json(world *w) {
    json_t *timers = json_object();
    for (size_t i = 0; i < sizeof w->timers / sizeof *w->timers; i++)
        if (w->timers[i].running)
            json_object_set_new(timers, timer_name(&w->timers[i]), json_integer(w->timers[i].deadline - w->now));
    return timers;
}

static json_t *classic_json(world *w, ks_group *group) {
    json_t *after = json_object(), *members = json_array(), *pending_sync = json_array();
    ks_group_member *const *sorted = ks_group_members_sorted(group);
    for (int32_t i = 0; i < group->member_count; i++) {
        json_t *member = json_object();
        json_object_set_new(member, "id", json_string(text(sorted[i]->id)));
        if (sorted[i]->instance_id.size >= 0)
            json_object_set_new(member, "instance", json_string(text(sorted[i]->instance_id)));
        if (sorted[i]->join.waiting) json_object_set_new(member, "awaiting", json_string("join"));
        if (sorted[i]->sync.waiting) json_object_set_new(member, "awaiting", json_string("sync"));
        if (sorted[i]->is_new) json_object_set_new(member, "new", json_true());
        json_object_set_new(member, "assignment", assignment_json(w, ks_group_assignment_of(sorted[i])));
        json_array_append_new(members, member);
        if (ks_group_sync_is_pending(sorted[i])) json_array_append_new(pending_sync, json_string(text(sorted[i]->id)));
    }
    json_object_set_new(after, "type", json_string("classic"));
    json_object_set_new(after, "state", json_string(ks_group_state_name(group->state)));
    json_object_set_new(after, "generation", json_integer(group->generation));
    json_object_set_new(after, "protocol", text_or_null(group->protocol_name));
    json_object_set_new(after, "leader", text_or_null(group->leader != NULL ? group->leader->id : KS_NULL_STRING));
    json_object_set_new(after, "members", members);
    json_object_set_new(after, "pending_join", json_integer(ks_group_pending_count(group)));
    json_object_set_new(after, "pending_sync", pending_sync);
    return after;
}

static json_t *tps_json(ks_group *group, const ks_tp *items, int32_t count) {
    json_t *list = json_array();
    for (int32_t i = 0; i < count; i++)
        json_array_append_new(list, json_sprintf("%s-%d", text(ks_consumer_topic_of(group, items[i])->name),
                                                 (int)KS_TP_PARTITION(items[i])));
    return list;
}

static json_t *consumer_json(ks_group *group) {
    const ks_consumer_group *consumer = group->consumer;
    json_t *after = json_object(), *members = json_array();
    for (int32_t i = 0; i < consumer->member_count; i++) {
        const ks_consumer_member *m = consumer->sorted[i];
        json_t *member = json_object();
        json_object_set_new(member, "id", json_string(text(m->id)));
        if (m->instance_id.size >= 0) json_object_set_new(member, "instance", json_string(text(m->instance_id)));
        json_object_set_new(member, "epoch", json_integer(m->epoch));
        json_object_set_new(member, "prev_epoch", json_integer(m->previous_epoch));
        json_object_set_new(member, "state", json_string(ks_consumer_member_state_text(m->state)));
        json_object_set_new(member, "assigned", tps_json(group, m->assigned.items, m->assigned.count));
        if (m->revoking.count > 0)
            json_object_set_new(member, "revoking", tps_json(group, m->revoking.items, m->revoking.count));
        json_object_set_new(member, "target", tps_json(group, m->target, m->target_count));
        if (m->classic) json_object_set_new(member, "classic_protocol", json_true());
        json_array_append_new(members, member);
    }
    json_object_set_new(after, "type", json_string("consumer"));
    json_object_set_new(after, "state", json_string(ks_consumer_group_state_text(group)));
    json_object_set_new(after, "group_epoch", json_integer(consumer->group_epoch));
    json_object_set_new(after, "assignment_epoch", json_integer(consumer->assignment_epoch));
    json_object_set_new(after, "members", members);
    return after;
}

static json_t *state_json(world *w) {
    ks_group *group = group_of(w);
    json_t *after;
    if (group == NULL) {
        after = json_object();
        json_object_set_new(after, "group", json_string("none"));
    } else {
        after = group->kind == KS_GROUP_CONSUMER ? consumer_json(group) : classic_json(w, group);
    }
    json_object_set_new(after, "t", json_integer(w->now));
    json_object_set_new(after, "timers", timers_json(w));
    return after;
}

/* An exception in Kafka is a reply without a name; codes repeat the error; words in brackets explain. */
static json_t *normal_events(json_t *events) {
    json_t *copy = json_deep_copy(events), *event, *member;
    size_t i, j;
    json_array_foreach(copy, i, event) {
        const char *error = json_string_value(json_object_get(event, "error"));
        json_object_del(event, "code");
        if (error == NULL) continue;
        const char *bracket = strstr(error, " (");
        if (strcmp(error, "NONE") != 0 &&
            bracket == NULL) { /* the values beside an error are compared where they are given */
            json_object_del(event, "reply");
            if (json_array_size(json_object_get(event, "members")) == 0) json_object_del(event, "members");
        }
        if (bracket != NULL) json_object_set_new(event, "error", json_stringn(error, (size_t)(bracket - error)));
        json_array_foreach(json_object_get(event, "members"), j, member) if (json_is_object(member))
            json_object_del(member, "code");
    }
    return copy;
}

static void compare(world *w, const char *what, json_t *expected, json_t *actual) {
    if (json_equal(expected, actual)) return;
    char *wanted = json_dumps(expected, JSON_SORT_KEYS | JSON_ENCODE_ANY),
         *got = json_dumps(actual, JSON_SORT_KEYS | JSON_ENCODE_ANY);
    fail_msg("%s, %s step %d, %s:\n  expected %s\n  got      %s", FILE_NAME, w->scenario, w->step, what, wanted, got);
}

static void run(json_t *scenario) {
    world w = { .arena = ks_arena_new(), .scenario = json_string_value(json_object_get(scenario, "scenario")) };
    json_t *config = json_object_get(scenario, "config"), *one;
    size_t i;
    ks_group_settings settings = ks_group_settings_default;
    settings.initial_rebalance_delay_ms = int_of(config, "initial_delay", 3000);
    settings.max_size = settings.consumer_max_size = int_of(config, "max_size", INT32_MAX);
    const char *migration = json_string_value(json_object_get(config, "migration"));
    settings.migration_up =
        migration != NULL && (strcmp(migration, "bidirectional") == 0 || strcmp(migration, "upgrade") == 0);
    settings.migration_down =
        migration != NULL && (strcmp(migration, "bidirectional") == 0 || strcmp(migration, "downgrade") == 0);
    w.topics = json_object_get(config, "topics");
    w.topics_version = 1;
    ks_groups_init(&w.groups, &settings);
    ks_effects_init(&w.out);
    json_array_foreach(json_object_get(scenario, "steps"), i, one) {
        w.step = int_of(one, "step", 0);
        assert_true(w.step > 0 && w.step < 64);
        w.events = json_array();
        perform_step(&w, json_object_get(one, "do"));
        json_t *expected = normal_events(json_object_get(one, "events")), *actual = normal_events(w.events);
        compare(&w, "events", expected, actual);
        json_t *after = state_json(&w);
        compare(&w, "state", json_object_get(one, "after"), after);
        json_decref(expected);
        json_decref(actual);
        json_decref(after);
        json_decref(w.events);
    }
    ks_effects_deinit(&w.out);
    ks_groups_deinit(&w.groups);
    ks_arena_free(w.arena);
}

static void the_machine_does_what_kafka_did(void **state) {
    (void)state;
    FILE *file = ks_vectors_open(FILE_NAME);
    if (file == NULL) return;
    int line = 0, ran = 0;
    for (json_t *scenario; (scenario = ks_vectors_next_json(file, FILE_NAME, &line)) != NULL; json_decref(scenario)) {
        const char *name = json_string_value(json_object_get(scenario, "scenario"));
        if (getenv("KS_SCENARIO") != NULL && strcmp(getenv("KS_SCENARIO"), name) != 0) continue;
        run(scenario);
        ran++;
    }
    fclose(file);
    print_message("%d scenarios\n", ran);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_machine_does_what_kafka_did) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
