/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of both protocols, as an administrator lists, describes and deletes them (Kafka's KafkaAdminClient,
 * DescribeConsumerGroupsHandler, DeleteConsumerGroupsHandler).
 */
#include "sim/api/client_admin.h"
#include "sim/api/client_group.h"
#include "sim/api/client_logs.h"

enum { LIST_GROUPS_VERSION = 5, CONSUMER_GROUP_DESCRIBE_VERSION = 1, DESCRIBE_GROUPS_VERSION = 6, DELETE_GROUPS_VERSION = 2 };

enum { MEMBER_CLASSIC = 0 }; /* ConsumerGroupDescribe's MemberType since version 1; 1: consumer */

/* ---- which groups: filters ---- */

static const char *const states[] = { "PreparingRebalance", "CompletingRebalance", "Stable", "Dead",
                                      "Empty",              "Assigning",           "Reconciling", NULL };
static const char *const types[] = { "Classic", "Consumer", NULL };

static bool same_word(const char *a, const char *b) { /* ASCII, as all of them are */
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char x = *a >= 'A' && *a <= 'Z' ? (char)(*a - 'A' + 'a') : *a;
        char y = *b >= 'A' && *b <= 'Z' ? (char)(*b - 'A' + 'a') : *b;
        if (x != y) return false;
    }
    return *a == *b;
}

static bool is_one_of(const char *word, const char *const *words) {
    while (*words != NULL && !same_word(word, *words)) words++;
    return *words != NULL;
}

static bool are_known(const char *const *wanted, size_t count, const char *const *words) {
    for (size_t i = 0; wanted != NULL && i < count; i++)
        if (wanted[i] == NULL || !is_one_of(wanted[i], words)) return false;
    return wanted != NULL || count == 0;
}

static const char *options_problem(const kafka_list_groups_options *options) {
    if (options == NULL) return NULL;
    if (!are_known(options->states, options->state_count, states))
        return "states: Kafka's are PreparingRebalance, CompletingRebalance, Stable, Empty, Dead, Assigning, Reconciling";
    if (!are_known(options->types, options->type_count, types)) return "types: there are classic and consumer";
    return NULL;
}

/* ---- ListGroups ---- */

typedef struct listing {
    const kafka_list_groups_options *options;
    const int32_t *brokers;
    const ks_list_groups_response **answers; /* by broker; NULL: none */
    bool left;                               /* one has left the cluster: whose groups are where? */
} listing;

static ks_ask *find_brokers(ks_errand *errand, const size_t *which, size_t count) {
    (void)which, (void)count;
    return ks_client_metadata_ask(errand->call, NULL, 0);
}

static void found_brokers(ks_errand *errand, const void *body, const size_t *which, size_t count) {
    const ks_metadata_response *cluster = body;
    listing *self = errand->owner;
    for (size_t i = 0; i < count; i++) {
        bool there = false;
        for (int32_t b = 0; b < cluster->brokers.count; b++)
            there |= cluster->brokers.items[b].node_id == self->brokers[which[i]];
        if (there) {
            ks_errand_found(errand, which[i], self->brokers[which[i]], KAFKA_OK);
        } else {
            ks_errand_settle(errand, which[i], KAFKA_OK);
            self->left = true;
        }
    }
}

static void put_words(ks_ask *ask, const char *const *words, size_t count, ks_string *items) {
    for (size_t i = 0; i < count; i++) items[i] = ks_ask_string(ask, words[i]);
}

static ks_ask *ask_broker(ks_errand *errand, int32_t broker, const size_t *which, size_t count) {
    (void)which, (void)count; /* one: the keys are brokers */
    const kafka_list_groups_options *options = ((const listing *)errand->owner)->options;
    ks_ask *ask = ks_client_ask_at(errand->call, KS_API_list_groups, LIST_GROUPS_VERSION,
                                   (ks_route){ .to = KS_ROUTE_BROKER, .broker = broker });
    ks_list_groups_request *request = ask->request->body;
    if (options == NULL) return ask;
    KS_FILL(ask, request->states_filter, options->state_count);
    put_words(ask, options->states, options->state_count, request->states_filter.items);
    KS_FILL(ask, request->types_filter, options->type_count);
    put_words(ask, options->types, options->type_count, request->types_filter.items);
    return ask;
}

static void broker_answered(ks_errand *errand, const ks_envelope *answer, const size_t *which, size_t count) {
    const ks_list_groups_response *response = answer->body;
    listing *self = errand->owner;
    for (size_t i = 0; i < count; i++) {
        ks_errand_settle(errand, which[i], (kafka_error)response->error_code);
        self->answers[which[i]] = response->error_code == 0 ? response : NULL;
    }
}

static bool is_consumer_group(const ks_list_groups_response_listed_group *group) {
    return group->protocol_type.size <= 0 || ks_string_equal(group->protocol_type, KS_LITERAL("consumer"));
}

static kafka_listed_groups *tell_listing(const listing *self, const ks_errand *errand) {
    size_t total = 0;
    for (size_t b = 0; b < errand->count; b++)
        if (self->answers[b] != NULL) total += (size_t)self->answers[b]->groups.count;
    ks_arena *arena;
    kafka_listed_groups *told = ks_result_new(sizeof *told, &arena);
    kafka_listed_group *items = ks_arena_alloc(arena, total * sizeof *items);
    for (size_t b = 0; b < errand->count; b++) {
        if (told->error == KAFKA_OK) told->error = errand->keys[b].error;
        for (int32_t i = 0; self->answers[b] != NULL && i < self->answers[b]->groups.count; i++) {
            const ks_list_groups_response_listed_group *group = &self->answers[b]->groups.items[i];
            if (!is_consumer_group(group)) continue;
            items[told->count++] = (kafka_listed_group){ ks_result_text(arena, group->group_id), self->brokers[b],
                                                         ks_result_text(arena, group->protocol_type),
                                                         ks_result_text(arena, group->group_state),
                                                         ks_result_text(arena, group->group_type) };
        }
    }
    told->items = items;
    return told;
}

/* All brokers that there are at one instant answer, or have failed to. */
static kafka_error list_once(ks_client_call *call, listing *self, kafka_listed_groups **told) {
    const ks_metadata_response *cluster;
    kafka_error error = ks_client_ask_topics(call, NULL, 0, &cluster);
    if (error != KAFKA_OK) return error;
    size_t count = (size_t)cluster->brokers.count;
    int32_t *brokers = ks_arena_alloc(call->arena, count * sizeof *brokers);
    ks_errand errand = { .call = call,
                         .owner = self,
                         .keys = ks_arena_alloc(call->arena, count * sizeof *errand.keys),
                         .count = count,
                         .find = find_brokers,
                         .found = found_brokers,
                         .ask = ask_broker,
                         .answered = broker_answered };
    for (size_t b = 0; b < count; b++) errand.keys[b].broker = brokers[b] = cluster->brokers.items[b].node_id;
    self->brokers = brokers;
    self->answers = ks_arena_alloc(call->arena, count * sizeof *self->answers);
    self->left = false;
    error = ks_errand_run(&errand);
    if (error == KAFKA_OK && !self->left) *told = tell_listing(self, &errand);
    return error;
}

kafka_error kafka_client_list_consumer_groups(kafka_client *client, kafka_context *context,
                                              const kafka_list_groups_options *options, kafka_listed_groups **groups) {
    kafka_error error;
    const char *problem = options_problem(options);
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_list_consumer_groups", problem == NULL, problem, &error);
    if (call == NULL) return error;
    listing self = { .options = options };
    kafka_listed_groups *told = NULL;
    do { /* again when one has left: its groups are somebody else's now, who may have answered before he had them */
        error = list_once(call, &self, &told);
    } while (error == KAFKA_OK && told == NULL);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    error = ks_client_code(call, (int16_t)told->error, "a broker", KS_NULL_STRING);
    return ks_client_end(call, KS_HAND_OVER(told, groups, error));
}

/* ---- ConsumerGroupDescribe, then DescribeGroups ---- */

static const kafka_topic_partitions *tell_partitions(ks_arena *arena,
                                                     const ks_consumer_group_describe_response_assignment *from,
                                                     size_t *count) {
    *count = (size_t)from->topic_partitions.count;
    kafka_topic_partitions *topics = ks_arena_alloc(arena, *count * sizeof *topics);
    for (size_t i = 0; i < *count; i++) {
        const ks_consumer_group_describe_response_topic_partitions *topic = &from->topic_partitions.items[i];
        size_t size = (size_t)topic->partitions.count * sizeof(int32_t);
        int32_t *partitions = ks_arena_alloc(arena, size + 1);
        if (size > 0) memcpy(partitions, topic->partitions.items, size);
        topics[i] = (kafka_topic_partitions){ ks_result_text(arena, topic->topic_name), partitions,
                                              (size_t)topic->partitions.count };
    }
    return topics;
}

static kafka_described_member tell_member(ks_arena *arena, const ks_consumer_group_describe_response_member *from,
                                          int16_t version) {
    kafka_described_member to = { .member = ks_result_text(arena, from->member_id),
                                  .group_instance = ks_result_text(arena, from->instance_id),
                                  .client = ks_result_text(arena, from->client_id),
                                  .host = ks_result_text(arena, from->client_host),
                                  .topic_count = (size_t)from->subscribed_topic_names.count,
                                  .epoch = from->member_epoch,
                                  .rack = ks_result_text(arena, from->rack_id),
                                  .classic = version >= 1 && from->member_type == MEMBER_CLASSIC };
    const char **topics = ks_arena_alloc(arena, to.topic_count * sizeof *topics);
    for (size_t i = 0; i < to.topic_count; i++)
        topics[i] = ks_result_text(arena, from->subscribed_topic_names.items[i]);
    to.topics = topics;
    to.assignment = tell_partitions(arena, &from->assignment, &to.assignment_count);
    to.target = tell_partitions(arena, &from->target_assignment, &to.target_count);
    return to;
}

static ks_ask *ask_modern(ks_errand *errand, int32_t broker, const size_t *which, size_t count) {
    ks_ask *ask = ks_client_ask_at(errand->call, KS_API_consumer_group_describe, CONSUMER_GROUP_DESCRIBE_VERSION,
                                   (ks_route){ .to = KS_ROUTE_BROKER, .broker = broker });
    ks_consumer_group_describe_request *request = ask->request->body;
    KS_FILL(ask, request->group_ids, count);
    for (size_t i = 0; i < count; i++) request->group_ids.items[i] = ks_ask_string(ask, errand->groups[which[i]]);
    return ask;
}

static void modern_answered(ks_errand *errand, const ks_envelope *answer, const size_t *which, size_t count) {
    const ks_consumer_group_describe_response *response = answer->body;
    for (int32_t i = 0; i < response->groups.count; i++) {
        const ks_consumer_group_describe_response_described_group *from = &response->groups.items[i];
        size_t at = ks_errand_group(errand, which, count, (size_t)i, from->group_id);
        if (at == errand->count) continue;
        ((ks_group_answer *)errand->owner)[at] = (ks_group_answer){ .modern = from,
                                                                    .version = answer->api_version,
                                                                    .coordinator = errand->keys[at].broker };
        ks_errand_settle(errand, at, (kafka_error)from->error_code);
    }
}

static ks_ask *ask_classic(ks_errand *errand, int32_t broker, const size_t *which, size_t count) {
    ks_ask *ask = ks_client_ask_at(errand->call, KS_API_describe_groups, DESCRIBE_GROUPS_VERSION,
                                   (ks_route){ .to = KS_ROUTE_BROKER, .broker = broker });
    ks_describe_groups_request *request = ask->request->body;
    KS_FILL(ask, request->groups, count);
    for (size_t i = 0; i < count; i++) request->groups.items[i] = ks_ask_string(ask, errand->groups[which[i]]);
    return ask;
}

static void classic_answered(ks_errand *errand, const ks_envelope *answer, const size_t *which, size_t count) {
    const ks_describe_groups_response *response = answer->body;
    for (int32_t i = 0; i < response->groups.count; i++) {
        const ks_describe_groups_response_described_group *from = &response->groups.items[i];
        size_t at = ks_errand_group(errand, which, count, (size_t)i, from->group_id);
        if (at == errand->count) continue;
        ((ks_group_answer *)errand->owner)[at] = (ks_group_answer){ .classic = from,
                                                                    .coordinator = errand->keys[at].broker };
        ks_errand_settle(errand, at, (kafka_error)from->error_code);
    }
}

/* Those that are no group of the consumer protocol, and those of a broker that does not know the request. */
static bool fall_back(ks_errand *errand) {
    bool any = false;
    for (size_t i = 0; i < errand->count; i++) {
        ks_errand_key *key = &errand->keys[i];
        if (key->error != KAFKA_ERR_GROUP_ID_NOT_FOUND && key->error != KAFKA_ERR_UNSUPPORTED_VERSION) continue;
        *key = (ks_errand_key){ .broker = key->broker };
        any = true;
    }
    errand->ask = ask_classic;
    errand->answered = classic_answered;
    return any;
}

kafka_error ks_admin_ask_groups(ks_client_call *call, const char *const *groups, size_t count,
                                ks_group_answer **answers) {
    *answers = ks_arena_alloc(call->arena, count * sizeof **answers);
    ks_errand errand = ks_errand_of_groups(call, groups, count);
    errand.owner = *answers;
    errand.ask = ask_modern;
    errand.answered = modern_answered;
    kafka_error error = ks_errand_run(&errand);
    if (error == KAFKA_OK && fall_back(&errand)) error = ks_errand_run_again(&errand);
    for (size_t i = 0; i < count; i++) (*answers)[i].error = errand.keys[i].error;
    return error;
}

static void tell_modern(ks_arena *arena, const ks_group_answer *answer, kafka_described_group *to) {
    const ks_consumer_group_describe_response_described_group *from = answer->modern;
    kafka_described_member *members = ks_arena_alloc(arena, (size_t)from->members.count * sizeof *members);
    for (int32_t m = 0; m < from->members.count; m++)
        members[m] = tell_member(arena, &from->members.items[m], answer->version);
    to->state = ks_result_text(arena, from->group_state);
    to->protocol_type = to->type = "consumer";
    to->protocol = ks_result_text(arena, from->assignor_name);
    to->members = members;
    to->member_count = (size_t)from->members.count;
    to->group_epoch = from->group_epoch;
    to->assignment_epoch = from->assignment_epoch;
}

static bool is_consumer_type(const char *protocol_type) {
    return protocol_type[0] == '\0' || strcmp(protocol_type, "consumer") == 0;
}

kafka_described_group ks_admin_tell_group(ks_arena *arena, const char *group, const ks_group_answer *answer) {
    kafka_described_group told = ks_described_group(arena, group);
    if (answer->classic != NULL) ks_tell_described_group(arena, answer->classic, &told);
    if (answer->modern != NULL && answer->error == KAFKA_OK) tell_modern(arena, answer, &told);
    if (answer->classic != NULL && answer->error == KAFKA_OK) told.type = "classic";
    told.error = answer->error;
    if (told.error == KAFKA_OK && !is_consumer_type(told.protocol_type)) told.error = KAFKA_ERR_INVALID_ARGUMENT;
    told.coordinator = answer->classic != NULL || answer->modern != NULL ? answer->coordinator : -1;
    return told;
}

kafka_error kafka_client_describe_consumer_groups(kafka_client *client, kafka_context *context,
                                                  const char *const *groups, size_t count,
                                                  kafka_described_groups **described) {
    kafka_error error;
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_describe_consumer_groups",
                             count > 0 && ks_names_are_there(groups, count),
                             "there are no groups, or one of them is NULL", &error);
    if (call == NULL) return error;
    ks_group_answer *answers;
    error = ks_admin_ask_groups(call, groups, count, &answers);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    ks_arena *arena;
    kafka_described_groups *told = ks_result_new(sizeof *told, &arena);
    kafka_described_group *items = ks_arena_alloc(arena, count * sizeof *items);
    for (size_t i = 0; i < count; i++) items[i] = ks_admin_tell_group(arena, groups[i], &answers[i]);
    told->items = items;
    told->count = count;
    return ks_client_end(call, ks_described_hand_over(call, told, described));
}

/* ---- DeleteGroups ---- */

static ks_ask *ask_delete(ks_errand *errand, int32_t broker, const size_t *which, size_t count) {
    ks_ask *ask = ks_client_ask_at(errand->call, KS_API_delete_groups, DELETE_GROUPS_VERSION,
                                   (ks_route){ .to = KS_ROUTE_BROKER, .broker = broker });
    ks_delete_groups_request *request = ask->request->body;
    KS_FILL(ask, request->groups_names, count);
    for (size_t i = 0; i < count; i++) request->groups_names.items[i] = ks_ask_string(ask, errand->groups[which[i]]);
    return ask;
}

static void deleted(ks_errand *errand, const ks_envelope *answer, const size_t *which, size_t count) {
    const ks_delete_groups_response *response = answer->body;
    for (int32_t i = 0; i < response->results.count; i++) {
        size_t at = ks_errand_group(errand, which, count, (size_t)i, response->results.items[i].group_id);
        if (at < errand->count) ks_errand_settle(errand, at, (kafka_error)response->results.items[i].error_code);
    }
}

kafka_error kafka_client_delete_consumer_groups(kafka_client *client, kafka_context *context, const char *const *groups,
                                                size_t count, kafka_named_errors **results) {
    kafka_error error;
    ks_client_call *call = ks_client_begin_with(client, context, "kafka_client_delete_consumer_groups",
                                                count > 0 && ks_names_are_there(groups, count),
                                                "there are no groups, or one of them is NULL", &error);
    if (call == NULL) return error;
    ks_errand errand = ks_errand_of_groups(call, groups, count);
    errand.ask = ask_delete;
    errand.answered = deleted;
    error = ks_errand_run(&errand);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    ks_named_code *codes = ks_arena_alloc(call->arena, count * sizeof *codes);
    for (size_t i = 0; i < count; i++)
        codes[i] = (ks_named_code){ ks_str(groups[i]), KS_NULL_STRING, (int16_t)errand.keys[i].error };
    return ks_client_end(call, ks_client_tell_names(call, codes, (int32_t)count, results));
}
