/* SPDX-License-Identifier: Apache-2.0
 *
 * Every kind of malformed request about groups gets Kafka's error code and leaves the group as it was: one row each.
 * The group is Stable in generation 1 with a dynamic leader a, a dynamic member b and a static member s. */
#include "tests/broker/group_fixture.h"

typedef struct scene {
    fixture *f;
    char a[64], b[64], s[64];
} scene;

/* ---- the group as text ---- */

static char *snapshot(scene *x) {
    ks_buffer out = { 0 };
    int32_t count;
    ks_group **groups = ks_cluster_groups(x->f->cluster, x->f->arena, &count);
    for (int32_t g = 0; g < count; g++) {
        ks_group *group = groups[g];
        ks_group_member *const *members = ks_group_members_sorted(group);
        ks_buffer_printf(&out, "%.*s %s generation %d since %lld pending %d parked %d %d unsynced %d offsets %d\n",
                         (int)group->id.size, group->id.data, ks_group_state_text(group), (int)group->generation,
                         (long long)group->state_since_ms, (int)ks_group_pending_count(group), (int)group->joins.count,
                         (int)group->syncs.count, (int)group->pending_sync_count, (int)ks_group_offset_count(group));
        for (int32_t i = 0; i < group->member_count; i++)
            ks_buffer_printf(&out, "  %s%s session %d rebalance %d protocols %d metadata %d: %s\n", members[i]->id.data,
                             members[i] == group->leader ? " leads" : "", (int)members[i]->session_timeout_ms,
                             (int)members[i]->rebalance_timeout_ms, (int)members[i]->protocol_count,
                             (int)ks_group_member_metadata(members[i]).size,
                             ks_assignment_text(ks_group_assignment_of(members[i]), x->f->arena).data);
        ks_group_check_invariants(group);
    }
    return ks_buffer_take(&out);
}

/* ---- the rows ---- */

typedef call *make_fn(scene *x);
typedef struct row {
    const char *what;
    make_fn *make;
    kafka_error expected;
} row;

static call *join(scene *x, const char *member, const char *instance) {
    return join_call(x->f, "billing", "a", member, instance, 9);
}
#define JOIN(c) ((ks_join_group_request *)(c)->request->body)
static call *join_null_group(scene *x) {
    call *c = join(x, "", NULL);
    JOIN(c)->group_id = KS_LITERAL("");
    return c;
}
static call *join_session_short(scene *x) {
    call *c = join(x, "", NULL);
    JOIN(c)->session_timeout_ms = 5999;
    return c;
}
static call *join_session_long(scene *x) {
    call *c = join(x, "", NULL);
    JOIN(c)->session_timeout_ms = 1800001;
    return c;
}
static call *join_session_negative(scene *x) {
    call *c = join(x, x->a, NULL);
    JOIN(c)->session_timeout_ms = -1;
    return c;
}
static call *join_no_protocols(scene *x) {
    call *c = join(x, "", NULL);
    JOIN(c)->protocols.count = 0;
    return c;
}
static call *join_no_protocols_known(scene *x) {
    call *c = join(x, x->b, NULL);
    JOIN(c)->protocols.count = 0;
    return c;
}
static call *join_other_type(scene *x) {
    call *c = join(x, "", NULL);
    JOIN(c)->protocol_type = KS_LITERAL("connect");
    return c;
}
static call *join_empty_type(scene *x) {
    call *c = join(x, x->a, NULL);
    JOIN(c)->protocol_type = KS_LITERAL("");
    return c;
}
static call *join_other_protocol(scene *x) {
    call *c = join(x, "", NULL);
    JOIN(c)->protocols.items[0].name = KS_LITERAL("sticky");
    return c;
}
static call *join_unknown_member(scene *x) { return join(x, "ghost", NULL); }
static call *join_unknown_instance(scene *x) { return join(x, x->a, "is2"); }
static call *join_foreign_instance(scene *x) { return join(x, x->a, "is"); }
static call *join_unknown_group(scene *x) {
    call *c = join(x, "ghost", NULL);
    JOIN(c)->group_id = KS_LITERAL("nobody");
    return c;
}

static call *sync_of(scene *x, const char *member, int32_t generation) {
    return sync_call(x->f, "billing", "a", member, generation);
}
#define SYNC(c) ((ks_sync_group_request *)(c)->request->body)
static call *sync_no_group(scene *x) {
    call *c = sync_of(x, x->a, 1);
    SYNC(c)->group_id = KS_LITERAL("");
    return c;
}
static call *sync_old(scene *x) { return sync_of(x, x->a, 0); }
static call *sync_future(scene *x) { return sync_of(x, x->b, 2); }
static call *sync_negative(scene *x) { return sync_of(x, x->b, -1); }
static call *sync_unknown(scene *x) { return sync_of(x, "ghost", 1); }
static call *sync_nameless(scene *x) { return sync_of(x, "", 1); }
static call *sync_other_type(scene *x) {
    call *c = sync_of(x, x->a, 1);
    SYNC(c)->protocol_type = KS_LITERAL("connect");
    return c;
}
static call *sync_other_name(scene *x) {
    call *c = sync_of(x, x->a, 1);
    SYNC(c)->protocol_name = KS_LITERAL("sticky");
    return c;
}
static call *sync_null_type(scene *x) {
    call *c = sync_of(x, x->a, 1);
    SYNC(c)->protocol_type = KS_NULL_STRING;
    return c;
}
static call *sync_foreign_instance(scene *x) {
    call *c = sync_of(x, x->a, 1);
    SYNC(c)->group_instance_id = KS_LITERAL("is");
    return c;
}
static call *sync_for_strangers(scene *x) { /* in Stable the leader's list is not looked at */
    call *c = sync_of(x, x->a, 1);
    give(x->f, c, "ghost", assign(x->f, "orders", 0, 4));
    return c;
}
static call *sync_unknown_group(scene *x) {
    call *c = sync_of(x, x->a, 1);
    SYNC(c)->group_id = KS_LITERAL("nobody");
    return c;
}

static call *beat(scene *x, const char *member, int32_t generation, const char *instance) {
    call *c = call_new(x->f, "a", KS_API_heartbeat, 4);
    ks_heartbeat_request *body = c->request->body;
    body->group_id = KS_LITERAL("billing");
    body->member_id = ks_str(member);
    body->generation_id = generation;
    body->group_instance_id = ks_str(instance);
    return c;
}
static call *beat_no_group(scene *x) {
    call *c = beat(x, x->a, 1, NULL);
    ((ks_heartbeat_request *)c->request->body)->group_id = KS_LITERAL("");
    return c;
}
static call *beat_old(scene *x) { return beat(x, x->a, 0, NULL); }
static call *beat_negative(scene *x) { return beat(x, x->a, INT32_MIN, NULL); }
static call *beat_unknown(scene *x) { return beat(x, "ghost", 1, NULL); }
static call *beat_nameless(scene *x) { return beat(x, "", 1, NULL); }
static call *beat_foreign_instance(scene *x) { return beat(x, x->b, 1, "is"); }
static call *beat_foreign_instance_old(scene *x) {
    return beat(x, x->b, 0, "is");
} /* fenced comes before the generation */
static call *beat_unknown_instance(scene *x) { return beat(x, x->b, 1, "nope"); }
static call *beat_unknown_group(scene *x) {
    call *c = beat(x, x->a, 1, NULL);
    ((ks_heartbeat_request *)c->request->body)->group_id = KS_LITERAL("nobody");
    return c;
}

static call *leave(scene *x, const char *member, const char *instance) {
    call *c = call_new(x->f, "a", KS_API_leave_group, 5);
    ks_leave_group_request *body = c->request->body;
    body->group_id = KS_LITERAL("billing");
    body->members.items = ks_arena_alloc(c->request->arena, sizeof *body->members.items);
    body->members.count = 1;
    body->members.items[0] =
        (ks_leave_group_request_member_identity){ ks_str(member), ks_str(instance), KS_NULL_STRING };
    return c;
}
static call *leave_no_group(scene *x) {
    call *c = leave(x, x->a, NULL);
    ((ks_leave_group_request *)c->request->body)->group_id = KS_LITERAL("");
    return c;
}
static call *leave_unknown(scene *x) { return leave(x, "ghost", NULL); }
static call *leave_nameless(scene *x) { return leave(x, "", NULL); }
static call *leave_unknown_instance(scene *x) { return leave(x, "", "nope"); }
static call *leave_foreign_instance(scene *x) { return leave(x, x->a, "is"); }
static call *leave_unknown_old(scene *x) {
    call *c = call_new(x->f, "a", KS_API_leave_group, 2);
    ks_leave_group_request *body = c->request->body;
    body->group_id = KS_LITERAL("billing");
    body->member_id = KS_LITERAL("ghost");
    return c;
}
static call *leave_unknown_group(scene *x) {
    call *c = leave(x, x->a, NULL);
    ((ks_leave_group_request *)c->request->body)->group_id = KS_LITERAL("nobody");
    return c;
}

static call *commit(scene *x, const char *member, int32_t generation) {
    return commit_call(x->f, "billing", member, generation, "orders", 0, 7);
}
#define COMMIT(c) ((ks_offset_commit_request *)(c)->request->body)
static call *commit_old(scene *x) { return commit(x, x->a, 0); }
static call *commit_future(scene *x) { return commit(x, x->a, 2); }
static call *commit_known_without_generation(scene *x) { return commit(x, x->a, -1); }
static call *commit_unknown(scene *x) { return commit(x, "ghost", 1); }
static call *commit_nobody(scene *x) { return commit(x, "", -1); }
static call *commit_unknown_topic(scene *x) { return commit_call(x->f, "billing", x->a, 1, "nope", 0, 7); }
static call *commit_unknown_partition(scene *x) { return commit_call(x->f, "billing", x->a, 1, "orders", 4, 7); }
static call *commit_negative_partition(scene *x) { return commit_call(x->f, "billing", x->a, 1, "orders", -1, 7); }
static call *commit_missing_group(scene *x) {
    call *c = commit(x, "ghost", 1);
    COMMIT(c)->group_id = KS_LITERAL("nobody");
    return c;
}
static call *commit_missing_group_old(scene *x) {
    call *c = commit(x, "ghost", 1);
    COMMIT(c)->group_id = KS_LITERAL("nobody");
    c->request->api_version = 8;
    return c;
}
static call *commit_foreign_instance(scene *x) {
    call *c = commit(x, x->a, 1);
    COMMIT(c)->group_instance_id = KS_LITERAL("is");
    return c;
}
static call *commit_long_metadata(scene *x) {
    call *c = commit(x, x->a, 1);
    char *text = ks_arena_alloc(c->request->arena, 5000);
    memset(text, 'm', 5000);
    COMMIT(c)->topics.items[0].partitions.items[0].committed_metadata = (ks_string){ text, 5000 };
    return c;
}

static call *delete_group(scene *x, const char *id) {
    call *c = call_new(x->f, "admin", KS_API_delete_groups, 2);
    ks_delete_groups_request *body = c->request->body;
    body->groups_names.items = ks_arena_alloc(c->request->arena, sizeof(ks_string));
    body->groups_names.items[0] = ks_str(id);
    body->groups_names.count = 1;
    return c;
}
static call *delete_live(scene *x) { return delete_group(x, "billing"); }
static call *delete_missing(scene *x) { return delete_group(x, "nobody"); }
static call *delete_null(scene *x) { return delete_group(x, NULL); }

#define ROW(make, expected)                                                                                            \
    { #make, make, expected }
static const row rows[] = {
    ROW(join_null_group, KAFKA_ERR_INVALID_GROUP_ID),
    ROW(join_session_short, KAFKA_ERR_INVALID_SESSION_TIMEOUT),
    ROW(join_session_long, KAFKA_ERR_INVALID_SESSION_TIMEOUT),
    ROW(join_session_negative, KAFKA_ERR_INVALID_SESSION_TIMEOUT),
    ROW(join_no_protocols, KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL),
    ROW(join_no_protocols_known, KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL),
    ROW(join_other_type, KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL),
    ROW(join_empty_type, KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL),
    ROW(join_other_protocol, KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL),
    ROW(join_unknown_member, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(join_unknown_instance, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(join_foreign_instance, KAFKA_ERR_FENCED_INSTANCE_ID),
    ROW(join_unknown_group, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(sync_no_group, KAFKA_ERR_INVALID_GROUP_ID),
    ROW(sync_old, KAFKA_ERR_ILLEGAL_GENERATION),
    ROW(sync_future, KAFKA_ERR_ILLEGAL_GENERATION),
    ROW(sync_negative, KAFKA_ERR_ILLEGAL_GENERATION),
    ROW(sync_unknown, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(sync_nameless, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(sync_other_type, KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL),
    ROW(sync_other_name, KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL),
    ROW(sync_null_type, KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL),
    ROW(sync_foreign_instance, KAFKA_ERR_FENCED_INSTANCE_ID),
    ROW(sync_for_strangers, KAFKA_OK),
    ROW(sync_unknown_group, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(beat_no_group, KAFKA_ERR_INVALID_GROUP_ID),
    ROW(beat_old, KAFKA_ERR_ILLEGAL_GENERATION),
    ROW(beat_negative, KAFKA_ERR_ILLEGAL_GENERATION),
    ROW(beat_unknown, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(beat_nameless, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(beat_foreign_instance, KAFKA_ERR_FENCED_INSTANCE_ID),
    ROW(beat_foreign_instance_old, KAFKA_ERR_FENCED_INSTANCE_ID),
    ROW(beat_unknown_instance, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(beat_unknown_group, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(leave_no_group, KAFKA_ERR_INVALID_GROUP_ID),
    ROW(leave_unknown, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(leave_nameless, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(leave_unknown_instance, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(leave_foreign_instance, KAFKA_ERR_FENCED_INSTANCE_ID),
    ROW(leave_unknown_old, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(leave_unknown_group, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(commit_old, KAFKA_ERR_ILLEGAL_GENERATION),
    ROW(commit_future, KAFKA_ERR_ILLEGAL_GENERATION),
    ROW(commit_known_without_generation, KAFKA_ERR_ILLEGAL_GENERATION),
    ROW(commit_unknown, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(commit_nobody, KAFKA_ERR_UNKNOWN_MEMBER_ID),
    ROW(commit_unknown_topic, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION),
    ROW(commit_unknown_partition, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION),
    ROW(commit_negative_partition, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION),
    ROW(commit_missing_group, KAFKA_ERR_GROUP_ID_NOT_FOUND),
    ROW(commit_missing_group_old, KAFKA_ERR_ILLEGAL_GENERATION),
    ROW(commit_foreign_instance, KAFKA_ERR_FENCED_INSTANCE_ID),
    ROW(commit_long_metadata, KAFKA_ERR_OFFSET_METADATA_TOO_LARGE),
    ROW(delete_live, KAFKA_ERR_NON_EMPTY_GROUP),
    ROW(delete_missing, KAFKA_ERR_GROUP_ID_NOT_FOUND),
    ROW(delete_null, KAFKA_ERR_INVALID_GROUP_ID),
};

static int set_up(void **state) {
    scene *x = ks_alloc(sizeof *x);
    ks_topic *topic;
    x->f = fixture_new(&(ks_cluster_config){ .brokers = 1 }); /* one broker: it coordinates "nobody" too */
    ks_cluster_create_simple_topic(x->f->cluster, "orders", 4, 1, &topic);
    call *a = join_member(x->f, "billing", "a", x->a), *b = join_member(x->f, "billing", "b", x->b),
         *s = join_call(x->f, "billing", "s", "", "is", 9);
    call_now(x->f, s, "billing");
    run_ms(x->f, 7000);
    assert_non_null(a->response);
    assert_non_null(b->response);
    snprintf(x->s, sizeof x->s, "%s", ((ks_join_group_response *)s->response->body)->member_id.data);
    call *sync = sync_call(x->f, "billing", "a", x->a, 1);
    give(x->f, sync, x->a, assign(x->f, "orders", 0, 2));
    give(x->f, sync, x->b, assign(x->f, "orders", 2, 1));
    give(x->f, sync, x->s, assign(x->f, "orders", 3, 1));
    assert_non_null(call_now(x->f, sync, "billing"));
    assert_non_null(call_now(x->f, sync_call(x->f, "billing", "b", x->b, 1), "billing"));
    assert_non_null(call_now(x->f, sync_call(x->f, "billing", "s", x->s, 1), "billing"));
    *state = x;
    return 0;
}

static int tear_down(void **state) {
    scene *x = *state;
    fixture_free(x->f);
    ks_free(x);
    return 0;
}

static void every_malformed_request_gets_its_code_and_changes_nothing(void **state) {
    scene *x = *state;
    char *before = snapshot(x);
    assert_non_null(strstr(before, "Stable generation 1"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        call *c = rows[i].make(x);
        call_send(x->f, c, 1);
        run_ms(x->f, 3);
        if (c->response == NULL) fail_msg("%s: no answer", rows[i].what);
        ks_summary summary;
        ks_envelope *request = ks_envelope_new(x->f->kernel, c->response->api_key, c->response->api_version,
                                               ks_api_find(c->response->api_key)->request());
        ks_message_summarise(request, c->response, &summary);
        ks_envelope_free(x->f->kernel, request);
        if (summary.error_code != rows[i].expected)
            fail_msg("%s: %s, not %s", rows[i].what, kafka_error_name((kafka_error)summary.error_code),
                     kafka_error_name(rows[i].expected));
        char *after = snapshot(x);
        if (strcmp(before, after) != 0)
            fail_msg("%s changed the group\nbefore:\n%safter:\n%s", rows[i].what, before, after);
        ks_free(after);
    }
    ks_free(before);
}

static void a_subscription_that_does_not_parse_is_the_members_own_affair(void **state) {
    scene *x = *state;
    call *c = join_call(x->f, "billing", "a", x->a, NULL,
                        9); /* the coordinator passes bytes on to the leader, as Kafka's does */
    JOIN(c)->protocols.items[0].metadata = (ks_bytes){ (const uint8_t *)"\x00\x01\x7f\xff\xff\xff", 6 };
    call_send(x->f, c, 1);
    run_ms(x->f, 5);
    ks_group *group = ks_cluster_group_find(x->f->cluster, KS_LITERAL("billing"));
    assert_string_equal(ks_group_state_text(group), "PreparingRebalance");
    assert_true(ks_group_subscribes(group, KS_LITERAL("anything"),
                                    x->f->arena)); /* nobody can tell, so it is subscribed to all */
}

static void an_assignment_that_does_not_parse_is_passed_on(void **state) {
    scene *x = *state;
    fixture *f = x->f;
    call_send(f, join_call(f, "billing", "a", x->a, NULL, 9), 1);
    call_send(f, join_call(f, "billing", "b", x->b, NULL, 9), 1);
    call *s = join_call(f, "billing", "s", x->s, "is", 9);
    call_send(f, s, 1);
    run_ms(f, 5);
    assert_non_null(s->response);
    call *sync = sync_call(f, "billing", "a", x->a, 2);
    give(f, sync, x->a, (ks_bytes){ (const uint8_t *)"\x7f", 1 });
    give(f, sync, "ghost", assign(f, "orders", 0, 4));
    call_send(f, sync, 1);
    run_ms(f, 5);
    ks_sync_group_response *answer = sync->response->body;
    assert_int_equal(answer->error_code, 0);
    assert_int_equal(answer->assignment.size, 1);
    ks_group *group = ks_cluster_group_find(f->cluster, KS_LITERAL("billing"));
    assert_int_equal(group->member_count, 3); /* nobody became a member by being assigned to */
    assert_int_equal(ks_group_assignment_of(ks_group_member_find(group, ks_str(x->b))).size, 0);
}

/* Kafka does not refuse a negative rebalance timeout: it is one that has passed. While somebody in the group has a positive one
 * that one counts; once everybody's is negative the next rebalance waits for nobody. */
static void a_negative_rebalance_timeout_has_passed_already(void **state) {
    scene *x = *state;
    fixture *f = x->f;
    call *joins[] = { join(x, x->a, NULL), join(x, x->b, NULL), join(x, x->s, "is") };
    ks_group *group = ks_cluster_group_find(f->cluster, KS_LITERAL("billing"));
    for (int i = 0; i < 3; i++) {
        JOIN(joins[i])->rebalance_timeout_ms = i == 1 ? INT32_MIN : -1;
        call_send(f, joins[i], 1);
        run_ms(f, 5);
        if (i < 2) { /* the others' minute counts */
            assert_null(joins[i]->response);
            assert_string_equal(ks_group_state_text(group), "PreparingRebalance");
        }
    }
    for (int i = 0; i < 3; i++) {
        ks_join_group_response *answer = joins[i]->response->body;
        assert_int_equal(answer->error_code, KAFKA_OK);
        assert_int_equal(answer->generation_id, 2);
    }
    /* the time to sync is the rebalance timeout too: it is over before anybody could */
    assert_int_equal(group->member_count, 0);
    assert_string_equal(ks_group_state_text(group), "Empty");
    assert_int_equal(heartbeat_now(f, "billing", "a", x->a, 2), KAFKA_ERR_UNKNOWN_MEMBER_ID);
    ks_group_check_invariants(group);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_malformed_request_gets_its_code_and_changes_nothing),
        TEST(a_subscription_that_does_not_parse_is_the_members_own_affair),
        TEST(an_assignment_that_does_not_parse_is_passed_on),
        TEST(a_negative_rebalance_timeout_has_passed_already),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
