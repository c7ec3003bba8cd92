/* SPDX-License-Identifier: Apache-2.0
 * What an administrator, the network and fate do: topics, groups, brokers, links, request rules.
 */
#include "sim/scenario/places.h"
#include "sim/scenario/session.h"

#include "sim/protocol/messages.h"

typedef struct admin { ks_session *session; kafka_address *address; kafka_client *client; kafka_context *ctx; } admin;

static bool open_admin(ks_session *session, admin *a) {
    a->session = session;
    a->address = ksim_client(session->sim, "admin");
    a->ctx = kafka_background(a->address);
    return kafka_client_new(&(kafka_client_config){ .address = a->address }, &a->client) == KAFKA_OK;
}

static void close_admin(admin *a) {
    kafka_client_free(a->client);
    kafka_address_free(a->address);
}

static ks_run_result failed(char *problem, size_t size, kafka_error error, const char *detail) {
    snprintf(problem, size, "%s: %s", kafka_error_name(error), detail && *detail ? detail : kafka_error_text(error));
    return KS_RUN_FAILED;
}

static ks_run_result wrong(char *problem, size_t size, const char *text) {
    snprintf(problem, size, "%s", text);
    return KS_RUN_WRONG;
}

/* The first outcome that is none of success. */
static ks_run_result outcome(admin *a, kafka_error error, kafka_named_errors **list, char *problem, size_t size) {
    ks_run_result result = KS_RUN_FINE;
    const kafka_named_errors *results = *list; /* not an argument by value: arguments are evaluated in any order */
    if (error != KAFKA_OK) result = failed(problem, size, error, kafka_error_detail(a->address));
    for (size_t i = 0; error == KAFKA_OK && i < results->count && result == KS_RUN_FINE; i++)
        if (results->items[i].error != KAFKA_OK) result = failed(problem, size, results->items[i].error, results->items[i].message);
    if (error == KAFKA_OK) kafka_named_errors_free(*list);
    close_admin(a);
    return result;
}

static int32_t configs_of(const ks_command_line *command, kafka_config_entry *entries, int32_t most) {
    int32_t count = 0;
    for (int32_t i = 0; i < command->pair_count && count < most; i++)
        if (strchr(command->pairs[i].name.text.data, '.') != NULL)
            entries[count++] = (kafka_config_entry){ command->pairs[i].name.text.data, command->pairs[i].value.text.data };
    return count;
}

static ks_run_result topics(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    admin a;
    kafka_named_errors *results = NULL;
    const char *name = command->words[0].text.data;
    kafka_config_entry entries[64];
    int32_t count = configs_of(command, entries, 64);
    int64_t partitions = 0;
    if (command->verb == KS_VERB_add_partitions) ks_parse_int(command->words[1].text, &partitions);
    if (!open_admin(session, &a)) return wrong(problem, size, "the process 'admin' is dead");
    if (command->verb == KS_VERB_topic) {
        bool own_default = session->world.given[KS_SETTING_default_replication_factor];
        int16_t replicas = own_default ? -1 : session->brokers < 3 ? (int16_t)session->brokers : 3;
        kafka_topic_config topic = { .topic = name, .partitions = (int32_t)ks_pair_int(command, "partitions", session->world.settings[KS_SETTING_num_partitions]),
                                     .replication_factor = (int16_t)ks_pair_int(command, "replication", replicas),
                                     .configs = entries, .config_count = (size_t)count };
        kafka_error error = kafka_client_create_topics(a.client, a.ctx, &topic, 1, NULL, &results);
        return outcome(&a, error, &results, problem, size);
    }
    if (command->verb == KS_VERB_add_partitions)
        return outcome(&a, kafka_client_create_partitions(a.client, a.ctx, &(kafka_partitions_config){ .topic = name, .count = (int32_t)partitions }, 1, false, &results), &results, problem, size);
    if (command->verb == KS_VERB_delete_topic) return outcome(&a, kafka_client_delete_topics(a.client, a.ctx, &name, 1, &results), &results, problem, size);
    kafka_config_change changes[64];
    for (int32_t i = 0; i < count; i++) changes[i] = (kafka_config_change){ entries[i].name, entries[i].value, KAFKA_CONFIG_SET };
    kafka_config_changes resource = { KAFKA_RESOURCE_TOPIC, name, changes, (size_t)count };
    return outcome(&a, kafka_client_incremental_alter_configs(a.client, a.ctx, &resource, 1, false, &results), &results, problem, size);
}

/* ---- groups ---- */

static ks_run_result first_refused(kafka_error error, const kafka_group_offsets *results, const char *detail, char *problem, size_t size) {
    if (error != KAFKA_OK) return failed(problem, size, error, detail);
    if (results->error != KAFKA_OK) return failed(problem, size, results->error, NULL);
    for (size_t i = 0; i < results->count; i++)
        if (results->items[i].error != KAFKA_OK) return failed(problem, size, results->items[i].error, NULL);
    return KS_RUN_FINE;
}

/* to=earliest, latest, current, OFFSET, shift:N, time:D (after the beginning) or ago:D, as checked. */
static kafka_reset_request reset_of(const ks_session *session, const char *to) {
    kafka_reset_request request = { .to = KAFKA_RESET_TO_EARLIEST };
    int64_t n = 0;
    if (ks_parse_int(ks_str(to), &request.offset)) request.to = KAFKA_RESET_TO_OFFSET;
    else if (strcmp(to, "latest") == 0) request.to = KAFKA_RESET_TO_LATEST;
    else if (strcmp(to, "current") == 0) request.to = KAFKA_RESET_TO_CURRENT;
    else if (strncmp(to, "shift:", 6) == 0 && ks_parse_int(ks_str(to + 6), &request.offset)) request.to = KAFKA_RESET_SHIFT_BY;
    else if (strncmp(to, "ago:", 4) == 0 && ks_parse_duration(ks_str(to + 4), &request.duration)) request.to = KAFKA_RESET_BY_DURATION;
    else if (strncmp(to, "time:", 5) == 0 && ks_parse_duration(ks_str(to + 5), &n)) {
        request.to = KAFKA_RESET_TO_DATETIME;
        request.time = session->sim->start + n;
    }
    return request;
}

static ks_run_result reset_refused(const char *group, const kafka_reset_plan *plan, char *problem, size_t size) {
    if (plan->error == KAFKA_ERR_UNKNOWN_MEMBER_ID) {
        snprintf(problem, size, "UNKNOWN_MEMBER_ID: %s is %s: offsets are reset only while a group has no members", group, plan->state);
        return KS_RUN_FAILED;
    }
    if (plan->error != KAFKA_OK) return failed(problem, size, plan->error, NULL);
    for (size_t i = 0; i < plan->count; i++) {
        const kafka_reset_offset *item = &plan->items[i];
        if (item->error == KAFKA_ERR_NO_OFFSET_FOR_PARTITION) {
            snprintf(problem, size, "NO_OFFSET_FOR_PARTITION: %s has committed nothing for %s/%d: there is nothing to shift from", group, item->topic, item->partition);
            return KS_RUN_FAILED;
        }
        if (item->error != KAFKA_OK) return failed(problem, size, item->error, item->topic);
    }
    return KS_RUN_FINE;
}

static ks_run_result reset_offsets(ks_session *session, admin *a, const ks_command_line *command, const kafka_topic_partition *place, char *problem, size_t size) {
    kafka_reset_request request = reset_of(session, ks_pair_text(command, "to", ""));
    request.group = command->words[0].text.data;
    request.partitions = place;
    request.count = 1;
    kafka_reset_plan *plan = NULL;
    kafka_error error = kafka_client_reset_consumer_group_offsets(a->client, a->ctx, &request, &plan);
    if (error != KAFKA_OK) return failed(problem, size, error, kafka_error_detail(a->address));
    ks_run_result result = reset_refused(request.group, plan, problem, size);
    kafka_reset_plan_free(plan);
    return result;
}

static ks_run_result delete_offsets(ks_session *session, admin *a, const ks_command_line *command, const kafka_topic_partition *place, char *problem, size_t size) {
    const ksim_topic *topic = ksim_topic_find(session->sim, place->topic);
    if (topic == NULL) return failed(problem, size, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION, place->topic);
    KS_VEC(kafka_topic_partition) partitions = { 0 };
    for (int32_t p = 0; p < (int32_t)topic->partition_count; p++)
        if (place->partition < 0 || p == place->partition) KS_PUSH(partitions, (kafka_topic_partition){ place->topic, p });
    kafka_group_offsets *results = NULL;
    kafka_error error = kafka_client_delete_consumer_group_offsets(a->client, a->ctx, command->words[0].text.data, partitions.items, (size_t)partitions.count, &results);
    ks_run_result result = first_refused(error, results, kafka_error_detail(a->address), problem, size);
    kafka_group_offsets_free(results);
    ks_free(partitions.items);
    return result;
}

static ks_run_result offsets(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    char topic[256];
    ks_spot spot;
    admin a;
    ks_spot_parse(command->words[1].text, &spot);
    snprintf(topic, sizeof topic, "%.*s", (int)spot.topic.size, spot.topic.data);
    const kafka_topic_partition place = { topic, spot.partition >= 0 ? spot.partition : -1 };
    if (!open_admin(session, &a)) return wrong(problem, size, "the process 'admin' is dead");
    ks_run_result result = command->verb == KS_VERB_delete_offsets ? delete_offsets(session, &a, command, &place, problem, size)
                                                                   : reset_offsets(session, &a, command, &place, problem, size);
    close_admin(&a);
    return result;
}

static ks_run_result delete_group(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    admin a;
    kafka_named_errors *results = NULL;
    const char *group = command->words[0].text.data;
    if (!open_admin(session, &a)) return wrong(problem, size, "the process 'admin' is dead");
    return outcome(&a, kafka_client_delete_consumer_groups(a.client, a.ctx, &group, 1, &results), &results, problem, size);
}

/* ---- rules: rule NAME when API ... then ACTION [DURATION] ---- */

static ks_run_result add_rule(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    static const struct { const char *name; ksim_action action; } actions[] = {
        { "delay", KSIM_DELAY }, { "delay-answer", KSIM_DELAY_ANSWER }, { "reset-before", KSIM_RESET_BEFORE }, { "reset-after", KSIM_RESET_AFTER },
        { "hold", KSIM_HOLD }, { "hold-answer", KSIM_HOLD_ANSWER }, { "count", KSIM_COUNT }, { "pass", KSIM_PASS },
    };
    const ks_word *w = command->words;
    char topic[300];
    int64_t n = 0, of = 0;
    ksim_rule_config config = { .name = w[0].text.data, .client = ks_pair_text(command, "client", NULL), .broker = (int32_t)ks_pair_int(command, "broker", 0),
                                .api = w[2].text.data, .topic = ks_pair_text(command, "topic", NULL), .group = ks_pair_text(command, "group", NULL),
                                .nth = (uint64_t)ks_pair_int(command, "nth", 0), .every = (uint64_t)ks_pair_int(command, "every", 0),
                                .first = (uint64_t)ks_pair_int(command, "next", 0), .action = KSIM_ANSWER_ERROR };
    if (ks_pair_find(command, "partition") != NULL) {
        snprintf(topic, sizeof topic, "%s[%lld]", config.topic, (long long)ks_pair_int(command, "partition", 0));
        config.topic = topic;
    }
    if (ks_pair_find(command, "chance") != NULL && ks_parse_ratio(ks_pair_find(command, "chance")->value.text, &n, &of)) config.chance = (uint32_t)n, config.of = (uint32_t)of;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(w[4].text.data, actions[i].name) == 0) config.action = actions[i].action;
    if (config.action == KSIM_ANSWER_ERROR) ks_error_of_name(w[4].text.data, &config.error);
    if (command->word_count == 6) ks_parse_duration(w[5].text, &config.delay);
    ksim_rule *rule = ksim_rule_add(session->sim, &config);
    if (rule == NULL) return wrong(problem, size, ksim_error_detail(session->sim));
    ks_named_rule *named = ks_arena_alloc(session->arena, sizeof *named);
    *named = (ks_named_rule){ w[0].text, rule, session->rules };
    session->rules = named;
    return KS_RUN_FINE;
}

ks_named_rule *ks_session_rule(ks_session *session, ks_string name) {
    ks_named_rule *rule = session->rules;
    while (rule != NULL && !ks_string_equal(rule->name, name)) rule = rule->next;
    return rule;
}

static ks_run_result change_rule(ks_session *session, const ks_command_line *command) {
    ks_named_rule *rule = ks_session_rule(session, command->words[0].text), **link = &session->rules;
    if (command->verb == KS_VERB_release) {
        ksim_rule_release(session->sim, rule->rule);
        return KS_RUN_FINE;
    }
    while (*link != rule) link = &(*link)->next;
    *link = rule->next;
    ksim_rule_remove(session->sim, rule->rule);
    return KS_RUN_FINE;
}

/* ---- everything that is one call ---- */

/* Consumers have a process once something is done to it. */
static bool ends_are_there(ks_session *session, const ks_command_line *command, int32_t ends, char *problem, size_t size) {
    for (int32_t i = 0; i < ends; i++) {
        ks_actor *actor = ks_actor_find(session, command->words[i].text);
        if (actor != NULL && !ks_actor_process(actor, problem, size)) return false;
    }
    return true;
}

static ks_run_result one_call(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    ksim *sim = session->sim;
    bool delay = command->verb == KS_VERB_delay;
    int32_t ends = command->word_count - delay;
    const char *a = command->words[0].text.data, *b = ends > 1 ? command->words[1].text.data : NULL;
    char topic[256];
    ks_spot spot;
    int64_t number = 0, duration = -1; /* "default" */
    kafka_error error = KAFKA_OK;
    ks_parse_int(command->words[command->word_count - 1].text, &number);
    if (!ends_are_there(session, command, ends, problem, size)) return KS_RUN_WRONG;
    switch (command->verb) {
    case KS_VERB_stop_broker: error = ksim_stop_broker(sim, (int32_t)number); break;
    case KS_VERB_start_broker: error = ksim_start_broker(sim, (int32_t)number); break;
    case KS_VERB_cut: error = ksim_cut(sim, a, b); break;
    case KS_VERB_heal: error = ksim_heal(sim, a, b); break;
    case KS_VERB_reset: error = ksim_reset(sim, a, b, NULL); break;
    case KS_VERB_delay:
        ks_parse_duration(command->words[ends].text, &duration);
        error = ksim_delay(sim, a, b, duration);
        break;
    case KS_VERB_remove_member: error = ksim_expel_member(sim, a, b); break;
    case KS_VERB_move_coordinator: error = ksim_move_coordinator(sim, a, (int32_t)number); break;
    case KS_VERB_move_leader:
        ks_spot_parse(command->words[0].text, &spot);
        snprintf(topic, sizeof topic, "%.*s", (int)spot.topic.size, spot.topic.data);
        error = ksim_move_leader(sim, topic, spot.partition, (int32_t)number);
        break;
    case KS_VERB_cluster: case KS_VERB_topic: case KS_VERB_producer: case KS_VERB_consumer: case KS_VERB_produce: case KS_VERB_join:
    case KS_VERB_leave: case KS_VERB_crash: case KS_VERB_restart: case KS_VERB_pause: case KS_VERB_resume: case KS_VERB_slow:
    case KS_VERB_commit: case KS_VERB_rule: case KS_VERB_release: case KS_VERB_unrule: case KS_VERB_add_partitions:
    case KS_VERB_alter_topic: case KS_VERB_delete_topic: case KS_VERB_delete_group: case KS_VERB_reset_offsets:
    case KS_VERB_delete_offsets: case KS_VERB_advance: case KS_VERB_until: case KS_VERB_views: case KS_VERB_say: case KS_VERB_expect:
    case KS_VERB_COUNT:
        ks_unreachable("a verb without a call of its own");
    }
    return error == KAFKA_OK ? KS_RUN_FINE : failed(problem, size, error, ksim_error_detail(sim));
}

ks_run_result ks_session_admin(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    switch (command->verb) {
    case KS_VERB_topic: case KS_VERB_add_partitions: case KS_VERB_delete_topic: case KS_VERB_alter_topic: return topics(session, command, problem, size);
    case KS_VERB_reset_offsets: case KS_VERB_delete_offsets: return offsets(session, command, problem, size);
    case KS_VERB_delete_group: return delete_group(session, command, problem, size);
    case KS_VERB_rule: return add_rule(session, command, problem, size);
    case KS_VERB_release: case KS_VERB_unrule: return change_rule(session, command);
    case KS_VERB_stop_broker: case KS_VERB_start_broker: case KS_VERB_cut: case KS_VERB_heal: case KS_VERB_reset: case KS_VERB_delay:
    case KS_VERB_remove_member: case KS_VERB_move_coordinator: case KS_VERB_move_leader: return one_call(session, command, problem, size);
    case KS_VERB_cluster: case KS_VERB_producer: case KS_VERB_consumer: case KS_VERB_produce: case KS_VERB_join: case KS_VERB_leave:
    case KS_VERB_crash: case KS_VERB_restart: case KS_VERB_pause: case KS_VERB_resume: case KS_VERB_slow: case KS_VERB_commit:
    case KS_VERB_advance: case KS_VERB_until: case KS_VERB_views: case KS_VERB_say: case KS_VERB_expect: case KS_VERB_COUNT:
        break; /* session.c's */
    }
    ks_unreachable("a verb of session.c");
}
