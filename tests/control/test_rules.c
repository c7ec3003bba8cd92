/* SPDX-License-Identifier: Apache-2.0
 * Request rules: which requests they fit, when they fire, and what they do, to fixtures' requests and to a writer. */
#include "tests/control/fixture.h"

typedef struct bench {
    ksim *sim;
    kafka_address *address;
    kafka_context *ctx;
    kafka_writer *writer;
} bench;

static bench with_writer(void **state, int32_t attempts) {
    bench b = { .sim = *state };
    assert_ksim_ok(b.sim, ksim_create_topic(b.sim, "orders", 2));
    b.address = ksim_client(b.sim, "producer");
    b.ctx = kafka_background(b.address);
    assert_kafka_ok(b.sim, b.address,
                    kafka_writer_new(&(kafka_writer_config){ .address = b.address,
                                                             .topic = "orders",
                                                             .balancer = kafka_balancer_hash(),
                                                             .batch_timeout = 10 * KAFKA_MILLISECOND,
                                                             .required_acks = KAFKA_ACKS_ALL,
                                                             .max_attempts = attempts },
                                     &b.writer));
    return b;
}

static void done(bench *b) {
    kafka_writer_close(b->writer);
    kafka_writer_free(b->writer);
    kafka_address_free(b->address);
}

static kafka_error write_one(bench *b, const char *value) {
    kafka_message message = { .key = kafka_string("k"), .value = kafka_string(value) };
    return kafka_writer_write(b->writer, b->ctx, &message, 1, NULL);
}

static size_t records(bench *b) {
    size_t one, two;
    ksim_records(b->sim, "orders", 0, &one);
    ksim_records(b->sim, "orders", 1, &two);
    return one + two;
}

/* ---- what they do ---- */

static void an_answered_error_is_seen_and_nothing_is_applied(void **state) {
    bench b = with_writer(state, 1);
    ksim_rule *rule = ksim_rule_add(b.sim, &(ksim_rule_config){ .api = "Produce",
                                                                .topic = "orders",
                                                                .first = 1,
                                                                .action = KSIM_ANSWER_ERROR,
                                                                .error = KAFKA_ERR_NOT_ENOUGH_REPLICAS });
    assert_int_equal(write_one(&b, "a"), KAFKA_ERR_WRITE_ERRORS);
    assert_int_equal(records(&b), 0);
    assert_int_equal(write_one(&b, "b"), KAFKA_OK);
    assert_int_equal(records(&b), 1);
    assert_int_equal(ksim_rule_matched(rule), 2);
    assert_int_equal(ksim_rule_fired(rule), 1);
    done(&b);
}

static void an_error_that_passes_is_tried_again(void **state) {
    bench b = with_writer(state, 3);
    ksim_rule *rule = ksim_rule_add(b.sim, &(ksim_rule_config){ .api = "Produce",
                                                                .first = 2,
                                                                .action = KSIM_ANSWER_ERROR,
                                                                .error = KAFKA_ERR_NOT_LEADER_OR_FOLLOWER });
    assert_kafka_ok(b.sim, b.address, write_one(&b, "a"));
    assert_int_equal(ksim_rule_matched(rule), 3);
    assert_int_equal(records(&b), 1);
    done(&b);
}

static void a_lost_answer_makes_a_duplicate_and_a_lost_request_does_not(void **state) {
    bench b = with_writer(state, 5);
    ksim_rule *after =
        ksim_rule_add(b.sim, &(ksim_rule_config){ .api = "Produce", .nth = 1, .action = KSIM_RESET_AFTER });
    assert_kafka_ok(b.sim, b.address, write_one(&b, "a"));
    assert_int_equal(records(&b), 2);
    assert_int_equal(ksim_rule_fired(after), 1);
    ksim_rule_remove(b.sim, after);
    ksim_rule *before =
        ksim_rule_add(b.sim, &(ksim_rule_config){ .api = "Produce", .nth = 1, .action = KSIM_RESET_BEFORE });
    assert_kafka_ok(b.sim, b.address, write_one(&b, "b"));
    assert_int_equal(records(&b), 3);
    assert_int_equal(ksim_rule_fired(before), 1);
    done(&b);
}

static int64_t time_of_one_write(bench *b) {
    int64_t start = ksim_elapsed(b->sim);
    assert_kafka_ok(b->sim, b->address, write_one(b, "x"));
    return ksim_elapsed(b->sim) - start;
}

static void requests_and_answers_can_be_delayed(void **state) {
    bench b = with_writer(state, 1);
    time_of_one_write(&b); /* connections are open from here on */
    int64_t usual = time_of_one_write(&b);
    ksim_rule *rule = ksim_rule_add(
        b.sim, &(ksim_rule_config){ .api = "Produce", .action = KSIM_DELAY, .delay = 100 * KAFKA_MILLISECOND });
    assert_i64_equal(time_of_one_write(&b), usual + 100 * KAFKA_MILLISECOND);
    ksim_rule_remove(b.sim, rule);
    ksim_rule_add(
        b.sim, &(ksim_rule_config){ .api = "Produce", .action = KSIM_DELAY_ANSWER, .delay = 70 * KAFKA_MILLISECOND });
    assert_i64_equal(time_of_one_write(&b), usual + 70 * KAFKA_MILLISECOND);
    done(&b);
}

typedef struct one_write {
    bench *bench;
    kafka_error error;
    bool ended;
} one_write;

static void writes_one(void *argument) {
    one_write *write = argument;
    write->error = write_one(write->bench, "held");
    write->ended = true;
}

static void held_until_released(void **state, ksim_action action, size_t applied) {
    bench b = with_writer(state, 1);
    ksim_rule *rule = ksim_rule_add(b.sim, &(ksim_rule_config){ .api = "Produce", .action = action });
    one_write write = { .bench = &b };
    kafka_task *task = kafka_go(b.ctx, "writer", writes_one, &write);
    assert_ksim_ok(b.sim, ksim_run_until_rule(b.sim, rule, 1));
    ksim_run_for(b.sim, 2 * KAFKA_SECOND);
    assert_false(write.ended);
    assert_int_equal(records(&b), applied);
    assert_int_equal(ksim_rule_held(rule), 1);
    assert_int_equal(ksim_rule_release(b.sim, rule), 1);
    assert_int_equal(ksim_rule_release(b.sim, rule), 0);
    assert_int_equal(kafka_join(b.ctx, task), KAFKA_OK);
    assert_int_equal(write.error, KAFKA_OK);
    assert_int_equal(records(&b), 1);
    done(&b);
}

static void a_held_request_waits_unapplied_until_it_is_released(void **state) {
    held_until_released(state, KSIM_HOLD, 0);
}
static void a_held_answer_waits_applied_until_it_is_released(void **state) {
    held_until_released(state, KSIM_HOLD_ANSWER, 1);
}

static void removing_a_rule_releases_what_it_holds(void **state) {
    bench b = with_writer(state, 1);
    ksim_rule *rule = ksim_rule_add(b.sim, &(ksim_rule_config){ .api = "Produce", .action = KSIM_HOLD });
    one_write write = { .bench = &b };
    kafka_task *task = kafka_go(b.ctx, "writer", writes_one, &write);
    ksim_run_until_rule(b.sim, rule, 1);
    ksim_rule_remove(b.sim, rule);
    ksim_rule_remove(b.sim, NULL);
    assert_int_equal(kafka_join(b.ctx, task), KAFKA_OK);
    assert_int_equal(write.error, KAFKA_OK);
    done(&b);
}

static void a_rule_that_never_fires_ends_a_wait_for_it(void **state) {
    (void)state;
    ksim *sim = ksim_new(&(ksim_config){ .run_limit = 5 * KAFKA_SECOND });
    ksim_rule *rule = ksim_rule_add(sim, &(ksim_rule_config){ .api = "JoinGroup", .group = "billing" });
    kafka_error error = ksim_run_until_rule(sim, rule, 2);
    assert_true(error == KAFKA_ERR_LIMIT || error == KAFKA_ERR_NOTHING_CAN_WAKE);
    assert_contains(ksim_error_detail(sim), "rule \"count JoinGroup group billing\" has fired 2 times");
    assert_int_equal(ksim_run_until_rule(sim, NULL, 1), KAFKA_ERR_INVALID_ARGUMENT);
    ksim_free(sim);
}

/* ---- when they fire ---- */

static uint64_t fired_of_ten(ksim *sim, ksim_rule_config config) {
    config.client = "ksim";
    config.api = "Produce";
    ksim_rule *rule = ksim_rule_add(sim, &config);
    for (int i = 0; i < 10; i++) ksim_put(sim, "orders", 0, NULL, "x");
    assert_int_equal(ksim_rule_matched(rule), 10);
    uint64_t fired = ksim_rule_fired(rule);
    ksim_rule_remove(sim, rule);
    return fired;
}

static void a_rule_fires_on_the_nth_every_nth_or_the_first(void **state) {
    ksim_create_topic(*state, "orders", 1);
    assert_int_equal(fired_of_ten(*state, (ksim_rule_config){ 0 }), 10);
    assert_int_equal(fired_of_ten(*state, (ksim_rule_config){ .nth = 4 }), 1);
    assert_int_equal(fired_of_ten(*state, (ksim_rule_config){ .nth = 11 }), 0);
    assert_int_equal(fired_of_ten(*state, (ksim_rule_config){ .every = 3 }), 3);
    assert_int_equal(fired_of_ten(*state, (ksim_rule_config){ .first = 6 }), 6);
    assert_int_equal(fired_of_ten(*state, (ksim_rule_config){ .chance = 100 }), 10);
    assert_int_equal(fired_of_ten(*state, (ksim_rule_config){ .chance = 7, .of = 7 }), 10);
}

static void a_chance_follows_the_seed(void **state) {
    uint64_t total = 0, fired[2];
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        for (int again = 0; again < 2; again++) {
            ksim *sim = ksim_new(&(ksim_config){ .seed = seed });
            ksim_create_topic(sim, "orders", 1);
            fired[again] = fired_of_ten(sim, (ksim_rule_config){ .chance = 1, .of = 4 });
            ksim_free(sim);
        }
        assert_int_equal(fired[0], fired[1]);
        total += fired[0];
    }
    if (total < 60 || total > 140) fail_msg("a quarter of 400 is not %d", (int)total);
}

/* ---- what they fit ---- */

static uint64_t matches_of_the_mix(ksim *sim, ksim_rule_config config) {
    static int round;
    char name[32];
    snprintf(name, sizeof name, "topic-%d", ++round);
    if (config.client == NULL) config.client = "ksim";
    ksim_rule *rule = ksim_rule_add(sim, &config);
    if (rule == NULL) fail_msg("%s", ksim_error_detail(sim));
    ksim_create_topic(sim, name, 1);
    const kafka_message messages[] = { { .topic = "orders", .partition = 0 }, { .topic = "bills", .partition = 1 } };
    ksim_put_messages(sim, &messages[0], 1);
    ksim_put_messages(sim, &messages[1], 1);
    ksim_set_committed_offset(sim, "billing", "orders", 1, 1);
    uint64_t matched = ksim_rule_matched(rule);
    ksim_rule_remove(sim, rule);
    return matched;
}

static void every_field_of_a_rule_must_fit(void **state) {
    ksim_create_topic(*state, "orders", 2);
    ksim_create_topic(*state, "bills", 2);
    assert_int_equal(matches_of_the_mix(*state, (ksim_rule_config){ .client = "ksim" }), 4);
    assert_int_equal(matches_of_the_mix(*state, (ksim_rule_config){ .client = "c1" }), 0);
    assert_int_equal(matches_of_the_mix(*state, (ksim_rule_config){ .api = "Produce" }), 2);
    assert_int_equal(matches_of_the_mix(*state, (ksim_rule_config){ .api = "Fetch" }), 0);
    assert_int_equal(matches_of_the_mix(*state, (ksim_rule_config){ .topic = "orders" }), 2);
    assert_int_equal(matches_of_the_mix(*state, (ksim_rule_config){ .topic = "orders[0]" }), 1);
    assert_int_equal(matches_of_the_mix(*state, (ksim_rule_config){ .topic = "orders[1]" }), 1);
    assert_int_equal(matches_of_the_mix(*state, (ksim_rule_config){ .topic = "orders[2]" }), 0);
    assert_int_equal(matches_of_the_mix(*state, (ksim_rule_config){ .topic = "bills", .api = "Produce" }), 1);
    assert_int_equal(matches_of_the_mix(*state, (ksim_rule_config){ .group = "billing" }), 1);
    assert_int_equal(matches_of_the_mix(*state, (ksim_rule_config){ .group = "billing", .topic = "orders" }), 1);
    assert_int_equal(matches_of_the_mix(*state, (ksim_rule_config){ .group = "other" }), 0);
    uint64_t by_broker = 0;
    for (int32_t broker = 1; broker <= 3; broker++)
        by_broker += matches_of_the_mix(*state, (ksim_rule_config){ .broker = broker });
    assert_int_equal(by_broker, 12 / 3);
}

static void the_requests_of_fixtures_are_left_alone_unless_they_are_named(void **state) {
    ksim_rule *rule = ksim_rule_add(*state, &(ksim_rule_config){ .action = KSIM_RESET_BEFORE });
    assert_ksim_ok(*state, ksim_create_topic(*state, "orders", 1));
    assert_int_equal(ksim_rule_matched(rule), 0);
}

static void the_first_rule_that_acts_decides_and_counting_ones_only_count(void **state) {
    ksim_create_topic(*state, "orders", 1);
    ksim_rule *counting = ksim_rule_add(*state, &(ksim_rule_config){ .client = "ksim", .api = "Produce" });
    ksim_rule *exception =
        ksim_rule_add(*state, &(ksim_rule_config){ .client = "ksim", .api = "Produce", .nth = 2, .action = KSIM_PASS });
    ksim_rule *first = ksim_rule_add(*state, &(ksim_rule_config){ .client = "ksim",
                                                                  .api = "Produce",
                                                                  .action = KSIM_ANSWER_ERROR,
                                                                  .error = KAFKA_ERR_POLICY_VIOLATION });
    ksim_rule *second =
        ksim_rule_add(*state, &(ksim_rule_config){ .client = "ksim", .api = "Produce", .action = KSIM_RESET_BEFORE });
    assert_int_equal(ksim_put(*state, "orders", 0, NULL, "x"), KAFKA_ERR_POLICY_VIOLATION);
    assert_int_equal(ksim_put(*state, "orders", 0, NULL, "x"), KAFKA_OK);
    assert_int_equal(ksim_put(*state, "orders", 0, NULL, "x"), KAFKA_ERR_POLICY_VIOLATION);
    assert_int_equal(ksim_rule_matched(counting), 3);
    assert_int_equal(ksim_rule_fired(exception), 1);
    assert_int_equal(ksim_rule_fired(first), 2);
    assert_int_equal(ksim_rule_matched(second), 0);
}

/* ---- a function decides ---- */

typedef struct seen {
    int calls;
    int64_t acks, partition;
    size_t topics;
    char topic[32], json[512];
} seen;

static ksim_decision looks_and_refuses(void *context, const ksim_request *request) {
    seen *to = context;
    kafka_bytes name = { NULL, 0 };
    to->calls++;
    assert_string_equal(ksim_request_api(request), "Produce");
    assert_string_equal(ksim_request_client(request), "ksim");
    assert_true(ksim_request_broker(request) >= 1 && ksim_request_broker(request) <= 3);
    assert_true(ksim_request_version(request) > 0);
    assert_true(ksim_request_int(request, "Acks", &to->acks));
    assert_true(ksim_request_count(request, "TopicData", &to->topics));
    assert_true(ksim_request_int(request, "TopicData[0].PartitionData[0].Index", &to->partition));
    assert_true(ksim_request_bytes(request, "TopicData[0].Name", &name));
    snprintf(to->topic, sizeof to->topic, "%.*s", (int)name.size, (const char *)name.data);
    snprintf(to->json, sizeof to->json, "%.400s", ksim_request_json(request));
    assert_false(ksim_request_int(request, "TopicData[1].PartitionData[0].Index", &to->partition));
    assert_false(ksim_request_int(request, "TopicData[0]", &to->partition));
    assert_false(ksim_request_int(request, "TopicData.Name", &to->partition));
    assert_false(ksim_request_int(request, "Nothing", &to->partition));
    assert_false(ksim_request_int(request, "Acks[0]", &to->partition));
    assert_false(ksim_request_int(request, "", &to->partition));
    assert_false(ksim_request_int(request, "TopicData[", &to->partition));
    assert_false(ksim_request_bytes(request, "Acks", &name));
    assert_false(ksim_request_count(request, "Acks", &to->topics));
    if (to->calls == 2) return (ksim_decision){ .action = KSIM_ANSWER_ERROR, .error = KAFKA_ERR_INVALID_REQUIRED_ACKS };
    return (ksim_decision){ .action = KSIM_COUNT };
}

static void a_function_sees_the_fields_by_kafkas_names_and_decides(void **state) {
    seen to = { 0 };
    ksim_create_topic(*state, "orders", 3);
    ksim_rule *rule = ksim_rule_add(
        *state, &(ksim_rule_config){ .client = "ksim", .api = "Produce", .decide = looks_and_refuses, .context = &to });
    assert_ksim_ok(*state, ksim_put(*state, "orders", 2, "k", "v"));
    assert_int_equal(to.acks, -1);
    assert_int_equal(to.topics, 1);
    assert_int_equal(to.partition, 2);
    assert_string_equal(to.topic, "orders");
    assert_contains(to.json, "\"Acks\":-1");
    assert_int_equal(ksim_put(*state, "orders", 2, "k", "v"), KAFKA_ERR_INVALID_REQUIRED_ACKS);
    assert_ksim_ok(*state, ksim_put(*state, "orders", 2, "k", "v"));
    assert_int_equal(ksim_rule_matched(rule), 3);
    assert_int_equal(ksim_rule_fired(rule), 1);
}

static ksim_decision asks_for_nonsense(void *context, const ksim_request *request) {
    (void)context, (void)request;
    return (ksim_decision){ .action = KSIM_ANSWER_ERROR, .error = KAFKA_ERR_NODE_CRASHED };
}

static ksim_decision runs_the_simulation(void *context, const ksim_request *request) {
    (void)request;
    assert_int_equal(ksim_run_for(context, 1), KAFKA_ERR_WRONG_PLACE);
    assert_int_equal(ksim_create_topic(context, "x", 1), KAFKA_ERR_WRONG_PLACE);
    return (ksim_decision){ .action = KSIM_COUNT };
}

static void a_function_that_asks_for_nonsense_is_not_followed(void **state) {
    ksim_create_topic(*state, "orders", 1);
    ksim_rule_add(*state, &(ksim_rule_config){ .client = "ksim", .decide = asks_for_nonsense });
    ksim_rule_add(*state, &(ksim_rule_config){ .client = "ksim", .decide = runs_the_simulation, .context = *state });
    assert_ksim_ok(*state, ksim_put(*state, "orders", 0, "k", "v"));
}

/* ---- removed and added while rules are asked ---- */

typedef struct shot { /* a function that removes `victim` once, and adds a rule with `next` if that is set */
    ksim *sim;
    ksim_rule *victim;
    ksim_decision decision;
    ksim_decision (*next)(void *context, const ksim_request *request);
    int calls;
} shot;

static ksim_decision shoots(void *context, const ksim_request *request) {
    shot *s = context;
    (void)request;
    s->calls++;
    ksim_rule_remove(s->sim, s->victim);
    s->victim = NULL;
    if (s->next) {
        s->victim = ksim_rule_add(
            s->sim, &(ksim_rule_config){ .client = "ksim", .api = "Produce", .decide = s->next, .context = s });
        assert_non_null(s->victim);
    }
    return s->decision;
}

static ksim_rule *add_shot(shot *s) {
    return ksim_rule_add(s->sim,
                         &(ksim_rule_config){ .client = "ksim", .api = "Produce", .decide = shoots, .context = s });
}

static void a_function_may_remove_its_own_rule(void **state) {
    static const struct {
        ksim_decision decision;
        kafka_error first;
    } rows[] = {
        { { .action = KSIM_ANSWER_ERROR, .error = KAFKA_ERR_POLICY_VIOLATION }, KAFKA_ERR_POLICY_VIOLATION },
        { { .action = KSIM_COUNT }, KAFKA_OK },
        { { .action = KSIM_PASS }, KAFKA_OK },
        { { .action = KSIM_DELAY, .delay = KAFKA_MILLISECOND }, KAFKA_OK },
        { { .action = KSIM_DELAY_ANSWER, .delay = KAFKA_MILLISECOND }, KAFKA_OK },
        { { .action = KSIM_HOLD }, KAFKA_OK }, /* a removed rule holds nothing */
        { { .action = KSIM_HOLD_ANSWER }, KAFKA_OK },
        { { .action = KSIM_ANSWER_ERROR }, KAFKA_OK }, /* not possible: said, and it goes on */
    };
    ksim_create_topic(*state, "orders", 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        shot s = { .sim = *state, .decision = rows[i].decision };
        s.victim = add_shot(&s);
        assert_int_equal(ksim_put(*state, "orders", 0, NULL, "x"), rows[i].first);
        assert_ksim_ok(*state, ksim_put(*state, "orders", 0, NULL, "x"));
        assert_int_equal(s.calls, 1);
    }
}

static void a_function_may_remove_the_rule_after_or_before_it(void **state) {
    ksim_create_topic(*state, "orders", 1);
    for (int after = 0; after < 2; after++) {
        const ksim_rule_config refuses = { .client = "ksim", .api = "Produce", .nth = 2 - (uint64_t)after,
                                           .action = KSIM_ANSWER_ERROR, .error = KAFKA_ERR_POLICY_VIOLATION };
        shot s = { .sim = *state };
        ksim_rule *victim = after ? NULL : ksim_rule_add(*state, &refuses), *shooter = add_shot(&s);
        s.victim = after ? ksim_rule_add(*state, &refuses) : victim;
        assert_ksim_ok(*state, ksim_put(*state, "orders", 0, NULL, "x"));
        assert_ksim_ok(*state, ksim_put(*state, "orders", 0, NULL, "x"));
        assert_int_equal(s.calls, 2);
        ksim_rule_remove(*state, shooter);
    }
}

static void a_function_may_replace_its_rule_which_is_asked_from_the_next_request_on(void **state) {
    ksim_create_topic(*state, "orders", 1);
    shot s = { .sim = *state, .next = shoots };
    s.victim = add_shot(&s);
    for (int i = 1; i <= 3; i++) {
        assert_ksim_ok(*state, ksim_put(*state, "orders", 0, NULL, "x"));
        assert_int_equal(s.calls, i);
    }
}

static void a_wait_for_a_rule_outlives_it(void **state) {
    bench b = with_writer(state, 1);
    shot s = { .sim = b.sim, .decision = { .action = KSIM_DELAY, .delay = KAFKA_MILLISECOND } };
    ksim_rule *rule = ksim_rule_add(b.sim, &(ksim_rule_config){ .api = "Produce", .decide = shoots, .context = &s });
    s.victim = rule;
    one_write write = { .bench = &b };
    kafka_task *task = kafka_go(b.ctx, "writer", writes_one, &write);
    assert_ksim_ok(b.sim, ksim_run_until_rule(b.sim, rule, 1));
    assert_false(write.ended);
    assert_int_equal(kafka_join(b.ctx, task), KAFKA_OK);
    assert_int_equal(write.error, KAFKA_OK);
    done(&b);
}

typedef struct hunter {
    ksim *sim;
    ksim_rule *victims[2];
} hunter;

static void removes_the_others(void *context, const ksim_event *event) {
    hunter *h = context;
    (void)event;
    for (int i = 0; i < 2; i++) {
        ksim_rule *victim = h->victims[i];
        h->victims[i] = NULL;
        ksim_rule_remove(h->sim, victim);
    }
}

static void a_subscriber_may_remove_rules_when_one_ends(void **state) {
    ksim_rule *first = ksim_rule_add(*state, &(ksim_rule_config){ 0 });
    ksim_rule *second = ksim_rule_add(*state, &(ksim_rule_config){ 0 });
    ksim_rule *third = ksim_rule_add(*state, &(ksim_rule_config){ 0 });
    hunter h = { *state, { first, third } };
    ksim_subscription *subscription = ksim_trace_subscribe(*state, removes_the_others, &h);
    ksim_rule_remove(*state, second);
    ksim_trace_unsubscribe(*state, subscription);
    assert_non_null(ksim_rule_add(*state, &(ksim_rule_config){ 0 }));
}

static void wrong_rules_are_refused(void **state) {
    const struct {
        ksim_rule_config config;
        const char *words;
    } rows[] = {
        { { .api = "Join" }, "api is \"Join\"" },
        { { .broker = 4 }, "there is no broker 4; there are 1 to 3" },
        { { .broker = -1 }, "there is no broker -1" },
        { { .topic = "orders[" }, "topic is \"orders[\"" },
        { { .topic = "[1]" }, "topic is \"[1]\"" },
        { { .topic = "orders[1]x" }, "topic" },
        { { .topic = "orders[-1]" }, "topic" },
        { { .topic = "" }, "topic" },
        { { .nth = 1, .first = 2 }, "only one of nth, every, first and chance" },
        { { .chance = 101 }, "more than certain" },
        { { .chance = 3, .of = 2 }, "more than certain" },
        { { .action = KSIM_ANSWER_ERROR }, "needs error" },
        { { .action = KSIM_ANSWER_ERROR, .error = KAFKA_ERR_CLOSED }, "needs error" },
        { { .action = KSIM_DELAY, .delay = -1 }, "delay is negative" },
        { { .action = KSIM_DELAY, .delay = INT64_MAX }, "delay is more than a year" },
        { { .action = (ksim_action)99 }, "action" },
        { { .error = KAFKA_ERR_NOT_COORDINATOR }, "error is set, but action answers with none: set action to KSIM_ANSWER_ERROR" },
        { { .action = KSIM_DELAY, .delay = 1, .error = KAFKA_ERR_NOT_COORDINATOR }, "error is set" },
        { { .delay = KAFKA_SECOND }, "delay is set, but action delays nothing: set action to KSIM_DELAY" },
        { { .action = KSIM_HOLD, .delay = KAFKA_SECOND }, "delay is set" },
        { { .action = KSIM_DELAY }, "delay is 0" },
        { { .action = KSIM_DELAY_ANSWER }, "delay is 0" },
        { { .of = 4 }, "of is set without chance: set chance too" },
        { { .of = 4, .decide = asks_for_nonsense }, "of is set without chance" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_null(ksim_rule_add(*state, &rows[i].config));
        assert_contains(ksim_error_detail(*state), rows[i].words);
    }
    assert_null(ksim_rule_add(*state, NULL));
    /* a function decides about these itself */
    assert_non_null(ksim_rule_add(*state, &(ksim_rule_config){ .decide = asks_for_nonsense, .delay = KAFKA_SECOND }));
    assert_non_null(ksim_rule_add(
        *state, &(ksim_rule_config){ .decide = asks_for_nonsense, .error = KAFKA_ERR_NOT_COORDINATOR }));
}

static void what_rules_do_is_in_the_trace(void **state) {
    ksim_create_topic(*state, "orders", 1);
    ksim_rule *rule = ksim_rule_add(*state, &(ksim_rule_config){ .name = "the third",
                                                                 .client = "ksim",
                                                                 .api = "Produce",
                                                                 .nth = 1,
                                                                 .action = KSIM_ANSWER_ERROR,
                                                                 .error = KAFKA_ERR_POLICY_VIOLATION });
    ksim_put(*state, "orders", 0, NULL, "x");
    ksim_rule_remove(*state, rule);
    const char *steps = ksim_last_steps(*state, 100);
    assert_contains(steps, "the third");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_answered_error_is_seen_and_nothing_is_applied),
        TEST(an_error_that_passes_is_tried_again),
        TEST(a_lost_answer_makes_a_duplicate_and_a_lost_request_does_not),
        TEST(requests_and_answers_can_be_delayed),
        TEST(a_held_request_waits_unapplied_until_it_is_released),
        TEST(a_held_answer_waits_applied_until_it_is_released),
        TEST(removing_a_rule_releases_what_it_holds),
        cmocka_unit_test(a_rule_that_never_fires_ends_a_wait_for_it),
        TEST(a_rule_fires_on_the_nth_every_nth_or_the_first),
        cmocka_unit_test(a_chance_follows_the_seed),
        TEST(every_field_of_a_rule_must_fit),
        TEST(the_requests_of_fixtures_are_left_alone_unless_they_are_named),
        TEST(the_first_rule_that_acts_decides_and_counting_ones_only_count),
        TEST(a_function_sees_the_fields_by_kafkas_names_and_decides),
        TEST(a_function_that_asks_for_nonsense_is_not_followed),
        TEST(a_function_may_remove_its_own_rule),
        TEST(a_function_may_remove_the_rule_after_or_before_it),
        TEST(a_function_may_replace_its_rule_which_is_asked_from_the_next_request_on),
        TEST(a_wait_for_a_rule_outlives_it),
        TEST(a_subscriber_may_remove_rules_when_one_ends),
        TEST(wrong_rules_are_refused),
        TEST(what_rules_do_is_in_the_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
