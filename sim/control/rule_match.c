/* SPDX-License-Identifier: Apache-2.0
 *
 * Does a request fit a rule? Topics and partitions are found by the fields' names, in whatever request: a struct that
 * has a field Name or Topic (or TopicId) and below or beside it partition numbers.
 */
#include "sim/control/rules.h"

#include <stdlib.h>

#include "sim/protocol/consumer_protocol.h"
#include "sim/protocol/summary.h"

bool ks_rule_parse_topic(const char *text, char **topic, int32_t *partition) {
    const char *bracket = strchr(text, '[');
    *partition = -1;
    if (bracket) {
        char *end;
        long number = strtol(bracket + 1, &end, 10);
        if (bracket[1] < '0' || bracket[1] > '9' || strcmp(end, "]") != 0 || number > INT32_MAX) return false;
        *partition = (int32_t)number;
    }
    size_t size = bracket ? (size_t)(bracket - text) : strlen(text);
    if (size == 0) return false;
    *topic = ks_strndup(text, size);
    return true;
}

typedef struct topic_search {
    const ksim_rule *rule;
    int16_t version;
} topic_search;

static bool one_of(const char *name, const char *const *names) {
    for (; *names; names++) {
        if (strcmp(name, *names) == 0) return true;
    }
    return false;
}

static bool names_a_topic(const ks_field *field) {
    static const char *const names[] = { "name", "topic", "topic_name", "resource_name", NULL };
    return field->type == KS_TYPE_string && !field->array && one_of(field->c_name, names);
}

static bool names_a_partition(const ks_field *field) {
    static const char *const names[] = { "index", "partition", "partition_index", NULL };
    return field->type == KS_TYPE_int32 && !field->array && one_of(field->c_name, names);
}

static bool lists_partitions(const ks_field *field) {
    static const char *const names[] = { "partition_indexes", "partitions", NULL };
    return field->type == KS_TYPE_int32 && field->array && one_of(field->c_name, names);
}

static bool lists_topics(const ks_field *field) {
    static const char *const names[] = { "topics", "topic_names", "subscribed_topic_names", NULL };
    return field->type == KS_TYPE_string && field->array && one_of(field->c_name, names);
}

static bool is_id(const topic_search *search, ks_uuid id) {
    const ks_topic *topic = ks_cluster_topic_find_id(search->rule->sim->cluster, id);
    return topic && ks_string_equal(topic->name, ks_str(search->rule->topic));
}

static bool find(const topic_search *search, const ks_struct *type, const void *value, bool inside);

static bool find_in_array(const topic_search *search, const ks_field *field, const void *at, bool inside) {
    const ks_any_array *array = at;
    const ks_struct *type = field->sub();
    for (int32_t i = 0; i < array->count; i++) {
        if (find(search, type, (const char *)array->items + (size_t)i * type->size, inside)) return true;
    }
    return false;
}

/* Is this struct the topic, by its own name or id? A struct that names none belongs to the one around it (`inside`). */
static bool is_topic(const topic_search *search, const ks_struct *type, const char *value, bool inside,
                     bool *has_partition) {
    bool named = false, it = false;
    *has_partition = false;
    for (uint32_t i = 0; i < type->field_count; i++) {
        const ks_field *field = &type->fields[i];
        if (search->version < field->since || search->version > field->until) continue;
        const void *at = value + field->offset;
        if (names_a_topic(field))
            named = true, it = ks_string_equal(*(const ks_string *)at, ks_str(search->rule->topic));
        if (field->type == KS_TYPE_uuid && strcmp(field->c_name, "topic_id") == 0 &&
            !ks_uuid_is_zero(*(const ks_uuid *)at)) {
            named = true, it = is_id(search, *(const ks_uuid *)at);
        }
        *has_partition = *has_partition || names_a_partition(field) || lists_partitions(field) ||
                         (field->array && field->type == KS_TYPE_struct);
    }
    return named ? it : inside;
}

static bool has_partition(const ks_field *field, const void *at, int32_t partition) {
    if (names_a_partition(field)) return *(const int32_t *)at == partition;
    const ks_any_array *list = at;
    for (int32_t i = 0; lists_partitions(field) && i < list->count; i++) {
        if (((const int32_t *)list->items)[i] == partition) return true;
    }
    return false;
}

static bool find(const topic_search *search, const ks_struct *type, const void *value, bool inside) {
    bool partitions_below, it = is_topic(search, type, value, inside, &partitions_below);
    if (it && (search->rule->partition < 0 || !partitions_below)) return search->rule->partition < 0;
    for (uint32_t i = 0; i < type->field_count; i++) {
        const ks_field *field = &type->fields[i];
        if (search->version < field->since || search->version > field->until) continue;
        const void *at = (const char *)value + field->offset;
        if (it && has_partition(field, at, search->rule->partition)) return true;
        const ks_any_array *list = at;
        for (int32_t j = 0; lists_topics(field) && search->rule->partition < 0 && j < list->count; j++) {
            if (ks_string_equal(((const ks_string *)list->items)[j], ks_str(search->rule->topic))) return true;
        }
        if (field->type != KS_TYPE_struct) continue;
        if (field->array     ? find_in_array(search, field, at, it)
            : field->pointer ? *(void *const *)at && find(search, field->sub(), *(void *const *)at, it)
                             : find(search, field->sub(), at, it))
            return true;
    }
    return false;
}

/* The topics of a JoinGroup stand in the bytes of its subscription. */
static bool subscribes(const ksim_rule *rule, const ks_join_group_request *join) {
    ks_arena *arena = ks_arena_new();
    bool it = false;
    for (int32_t i = 0; i < join->protocols.count && !it; i++) {
        ks_subscription subscription;
        if (!ks_subscription_decode(join->protocols.items[i].metadata, arena, &subscription)) continue;
        for (int32_t j = 0; j < subscription.topic_count && !it; j++)
            it = ks_string_equal(subscription.topics[j], ks_str(rule->topic));
    }
    ks_arena_free(arena);
    return it;
}

static bool names_topic(const ksim_rule *rule, const ks_envelope *request) {
    if (request->api_key == KS_API_join_group) return rule->partition < 0 && subscribes(rule, request->body);
    topic_search search = { rule, request->api_version };
    return find(&search, request->type, request->body, false);
}

static bool names_group(const char *group, const ks_envelope *request) {
    ks_summary summary;
    if (request->api_key == KS_API_find_coordinator) {
        const ks_find_coordinator_request *body = request->body;
        if (body->key_type != 0) return false;
        if (request->api_version < 4) return ks_string_equal(body->key, ks_str(group));
        for (int32_t i = 0; i < body->coordinator_keys.count; i++) {
            if (ks_string_equal(body->coordinator_keys.items[i], ks_str(group))) return true;
        }
        return false;
    }
    ks_message_summarise(request, NULL, &summary);
    return ks_string_equal(summary.group, ks_str(group));
}

bool ks_rule_matches(const ksim_rule *rule, ks_connection *connection, const ks_envelope *request) {
    const ksim_rule_config *config = &rule->config;
    if (rule->api_key >= 0 && request->api_key != rule->api_key) return false;
    const char *client = ks_node_name(ks_connection_client(connection));
    if (config->client ? strcmp(client, config->client) != 0 : strcmp(client, KS_CONTROL_CLIENT) == 0) return false;
    if (config->broker) {
        const ks_broker *broker = ks_cluster_broker_find(rule->sim->cluster, config->broker);
        if (broker == NULL || ks_connection_server(connection) != broker->node) return false;
    }
    if (config->group && !names_group(config->group, request)) return false;
    return rule->topic == NULL || names_topic(rule, request);
}
