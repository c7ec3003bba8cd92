/* SPDX-License-Identifier: Apache-2.0
 * What an administrator, the network and fate do: topics, groups, brokers, links, request rules.
 */
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
    if (command->verb == KS_VERB_add_partitions && (!ks_parse_int(command->words[1].text, &partitions) || partitions < 1 || partitions > 100000))
        return wrong(problem, size, "add-partitions TOPIC N: N is the new total");
    if (!open_admin(session, &a)) return wrong(problem, size, "the process 'admin' is dead");
    if (command->verb == KS_VERB_topic) {
        int32_t brokers = session->brokers;
        kafka_topic_config topic = { .topic = name, .partitions = (int32_t)ks_pair_int(command, "partitions", 1),
                                     .replication_factor = (int16_t)ks_pair_int(command, "replication", brokers < 3 ? brokers : 3),
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

static bool split(ks_string text, char topic[256], int32_t *partition) {
    int32_t slash = 0;
    int64_t n = -1;
    while (slash < text.size && text.data[slash] != '/') slash++;
    if (slash == 0 || slash > 249) return false;
    memcpy(topic, text.data, (size_t)slash);
    topic[slash] = '\0';
    if (slash < text.size && (!ks_parse_int((ks_string){ text.data + slash + 1, text.size - slash - 1 }, &n) || n < 0 || n > INT32_MAX)) return false;
    *partition = (int32_t)n;
    return true;
}

static int64_t target(ks_session *session, const char *group, const ksim_partition *partition, const char *to, bool *fine) {
    int64_t n;
    *fine = true;
    if (strcmp(to, "earliest") == 0) return partition->log_start_offset;
    if (strcmp(to, "latest") == 0) return partition->high_watermark;
    if (strncmp(to, "shift:", 6) == 0 && ks_parse_int(ks_str(to + 6), &n)) {
        int64_t at = ksim_committed_offset(session->sim, group, partition->topic, partition->partition) + n;
        return at < partition->log_start_offset ? partition->log_start_offset : at > partition->high_watermark ? partition->high_watermark : at;
    }
    if (strncmp(to, "time:", 5) == 0 && ks_parse_duration(ks_str(to + 5), &n)) { /* so long after the scenario began */
        size_t count;
        const ksim_record *records = ksim_records(session->sim, partition->topic, partition->partition, &count);
        for (size_t i = 0; i < count; i++)
            if (records[i].time >= session->sim->start + n) return records[i].offset;
        return partition->high_watermark;
    }
    *fine = ks_parse_int(ks_str(to), &n) && n >= 0;
    return n;
}

static ks_run_result offsets(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    char topic[256];
    int32_t partition;
    const char *group = command->words[0].text.data, *to = ks_pair_text(command, "to", NULL);
    if (!split(command->words[1].text, topic, &partition)) return wrong(problem, size, "name TOPIC or TOPIC/P");
    if (command->verb == KS_VERB_reset_offsets && to == NULL) return wrong(problem, size, "reset-offsets needs to=earliest, latest, OFFSET, time:DURATION or shift:N");
    const ksim_topic *found = ksim_topic_find(session->sim, topic);
    if (found == NULL || partition >= (int32_t)found->partition_count) return failed(problem, size, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION, topic);
    kafka_group_offset items[1000];
    kafka_topic_partition partitions[1000];
    size_t count = 0;
    for (int32_t p = partition < 0 ? 0 : partition; count < 1000 && p < (partition < 0 ? (int32_t)found->partition_count : partition + 1); p++) {
        bool fine = true;
        items[count] = (kafka_group_offset){ .topic = topic, .partition = p };
        if (to != NULL) items[count].offset = target(session, group, ksim_partition_find(session->sim, topic, p), to, &fine);
        if (!fine) return wrong(problem, size, "to= is earliest, latest, OFFSET, time:DURATION or shift:N");
        partitions[count++] = (kafka_topic_partition){ topic, p };
    }
    admin a;
    if (!open_admin(session, &a)) return wrong(problem, size, "the process 'admin' is dead");
    kafka_group_offsets *results = NULL;
    kafka_error error = command->verb == KS_VERB_delete_offsets
        ? kafka_client_offset_delete(a.client, a.ctx, group, partitions, count, &results)
        : kafka_client_offset_commit(a.client, a.ctx, &(kafka_commit_request){ .group = group, .generation = -1, .offsets = items, .count = count }, &results);
    ks_run_result result = KS_RUN_FINE;
    if (error != KAFKA_OK) result = failed(problem, size, error, kafka_error_detail(a.address));
    else if (results->error != KAFKA_OK) result = failed(problem, size, results->error, NULL);
    for (size_t i = 0; error == KAFKA_OK && result == KS_RUN_FINE && i < results->count; i++)
        if (results->items[i].error != KAFKA_OK) result = failed(problem, size, results->items[i].error, NULL);
    kafka_group_offsets_free(results);
    close_admin(&a);
    return result;
}

static ks_run_result delete_group(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    admin a;
    kafka_named_errors *results = NULL;
    const char *group = command->words[0].text.data;
    if (!open_admin(session, &a)) return wrong(problem, size, "the process 'admin' is dead");
    return outcome(&a, kafka_client_delete_groups(a.client, a.ctx, &group, 1, &results), &results, problem, size);
}

/* ---- rules: rule NAME when API ... then ACTION [DURATION] ---- */

static ks_run_result add_rule(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    const ks_word *w = command->words;
    static const char *const usage = "rule NAME when API [client=..] [nth=N] then ERROR | delay D | reset-before | reset-after | hold | count";
    if (command->word_count < 5 || strcmp(w[1].text.data, "when") != 0 || strcmp(w[3].text.data, "then") != 0) return wrong(problem, size, usage);
    const char *action = w[4].text.data;
    char topic[300];
    ksim_rule_config config = { .name = w[0].text.data, .client = ks_pair_text(command, "client", NULL), .broker = (int32_t)ks_pair_int(command, "broker", 0),
                                .api = w[2].text.data, .topic = ks_pair_text(command, "topic", NULL), .group = ks_pair_text(command, "group", NULL),
                                .nth = (uint64_t)ks_pair_int(command, "nth", 0), .every = (uint64_t)ks_pair_int(command, "every", 0), .first = (uint64_t)ks_pair_int(command, "next", 0) };
    if (ks_pair_find(command, "partition") != NULL) {
        if (config.topic == NULL) return wrong(problem, size, "partition= goes with topic=");
        snprintf(topic, sizeof topic, "%s[%lld]", config.topic, (long long)ks_pair_int(command, "partition", 0));
        config.topic = topic;
    }
    const ks_pair *chance = ks_pair_find(command, "chance");
    int64_t n, of;
    if (chance != NULL && ks_parse_ratio(chance->value.text, &n, &of)) config.chance = (uint32_t)n, config.of = (uint32_t)of;
    int64_t delay = 0;
    if (strcmp(action, "delay") == 0) {
        if (command->word_count != 6 || !ks_parse_duration(w[5].text, &delay)) return wrong(problem, size, "then delay D: D is a duration such as 3s");
        config.action = KSIM_DELAY;
        config.delay = delay;
    } else if (command->word_count != 5) return wrong(problem, size, usage);
    else if (strcmp(action, "reset-before") == 0) config.action = KSIM_RESET_BEFORE;
    else if (strcmp(action, "reset-after") == 0) config.action = KSIM_RESET_AFTER;
    else if (strcmp(action, "hold") == 0) config.action = KSIM_HOLD;
    else if (strcmp(action, "count") == 0) config.action = KSIM_COUNT;
    else {
        config.action = KSIM_ANSWER_ERROR;
        for (int code = -1; code < 200 && config.error == KAFKA_OK; code++)
            if (code != 0 && strcmp(kafka_error_name((kafka_error)code), action) == 0) config.error = (kafka_error)code;
        if (config.error == KAFKA_OK) {
            snprintf(problem, size, "'%s' is neither an action nor one of Kafka's errors; %s", action, usage);
            return KS_RUN_WRONG;
        }
    }
    ksim_rule *rule = ksim_rule_add(session->sim, &config);
    if (rule == NULL) return wrong(problem, size, ksim_error_detail(session->sim));
    ks_named_rule *named = ks_arena_alloc(session->arena, sizeof *named);
    *named = (ks_named_rule){ w[0].text, rule, session->rules };
    session->rules = named;
    return KS_RUN_FINE;
}

static ks_run_result change_rule(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    for (ks_named_rule **link = &session->rules; *link != NULL; link = &(*link)->next) {
        if (!ks_string_equal((*link)->name, command->words[0].text)) continue;
        if (command->verb == KS_VERB_release) ksim_rule_release(session->sim, (*link)->rule);
        else {
            ksim_rule_remove(session->sim, (*link)->rule);
            *link = (*link)->next;
        }
        return KS_RUN_FINE;
    }
    snprintf(problem, size, "there is no rule '%s'", command->words[0].text.data);
    return KS_RUN_WRONG;
}

/* ---- everything that is one call ---- */

static ks_run_result one_call(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    ksim *sim = session->sim;
    const char *a = command->words[0].text.data, *b = command->word_count > 1 ? command->words[1].text.data : NULL;
    char topic[256];
    int32_t partition = 0;
    int64_t number = 0, duration = 0;
    kafka_error error = KAFKA_OK;
    switch (command->verb) {
    case KS_VERB_stop_broker:
    case KS_VERB_start_broker:
        if (!ks_parse_int(command->words[0].text, &number) || number < 1 || number > 1000) return wrong(problem, size, "a broker is named by its number, 1 and up");
        error = command->verb == KS_VERB_stop_broker ? ksim_stop_broker(sim, (int32_t)number) : ksim_start_broker(sim, (int32_t)number);
        break;
    case KS_VERB_cut: error = ksim_cut(sim, a, b); break;
    case KS_VERB_heal: error = ksim_heal(sim, a, b); break;
    case KS_VERB_reset: error = ksim_reset(sim, a, b, NULL); break;
    case KS_VERB_delay:
        if (!ks_parse_duration(command->words[2].text, &duration)) return wrong(problem, size, "delay A B D: D is a duration such as 50ms");
        error = ksim_delay(sim, a, b, duration);
        break;
    case KS_VERB_remove_member: error = ksim_expel_member(sim, a, b); break;
    case KS_VERB_move_coordinator:
        if (!ks_parse_int(command->words[1].text, &number)) return wrong(problem, size, "move-coordinator GROUP BROKER");
        error = ksim_move_coordinator(sim, a, (int32_t)number);
        break;
    default: /* move-leader */
        if (!split(command->words[0].text, topic, &partition) || partition < 0 || !ks_parse_int(command->words[1].text, &number)) return wrong(problem, size, "move-leader TOPIC/P BROKER");
        error = ksim_move_leader(sim, topic, partition, (int32_t)number);
        break;
    }
    if (error == KAFKA_OK) return KS_RUN_FINE;
    snprintf(problem, size, "%s: %s", kafka_error_name(error), ksim_error_detail(sim));
    return error > 0 ? KS_RUN_FAILED : KS_RUN_WRONG;
}

bool ks_session_admin(ks_session *session, const ks_command_line *command, ks_run_result *result, char *problem, size_t size) {
    ks_verb v = command->verb;
    if (v == KS_VERB_topic || v == KS_VERB_add_partitions || v == KS_VERB_delete_topic || v == KS_VERB_alter_topic) *result = topics(session, command, problem, size);
    else if (v == KS_VERB_reset_offsets || v == KS_VERB_delete_offsets) *result = offsets(session, command, problem, size);
    else if (v == KS_VERB_delete_group) *result = delete_group(session, command, problem, size);
    else if (v == KS_VERB_rule) *result = add_rule(session, command, problem, size);
    else if (v == KS_VERB_release || v == KS_VERB_unrule) *result = change_rule(session, command, problem, size);
    else *result = one_call(session, command, problem, size);
    return true;
}
