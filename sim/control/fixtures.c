/* SPDX-License-Identifier: Apache-2.0
 *
 * Fixtures: topics, committed offsets, leaders, members. By a request where Kafka has one, else as a named command.
 */
#include <stdio.h>

#include "sim/broker/group_coordinator.h"
#include "sim/control/sim.h"

enum { CREATE_TOPICS_VERSION = 7, OFFSET_COMMIT_VERSION = 8, LEAVE_GROUP_VERSION = 5 };

/* What a broker says in words, or else what the code means. */
static kafka_error refused(ksim *sim, const char *call, const char *what, int16_t code, ks_string message) {
    kafka_error error = (kafka_error)code;
    if (message.size > 0) {
        return ks_sim_fail(sim, error, "%s: %s: %s: %.*s", call, what, kafka_error_name(error), (int)message.size,
                           message.data);
    }
    return ks_sim_fail(sim, error, "%s: %s: %s: %s", call, what, kafka_error_name(error), kafka_error_text(error));
}

static kafka_error checked(ksim *sim, const char *call, const char *what, const char *value) {
    kafka_error error = ks_sim_check(sim);
    if (error || value) return error;
    return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "%s: %s is NULL", call, what);
}

/* ---- topics ---- */

static void fill_topic(ksim *sim, ks_arena *arena, const ksim_new_topic *from,
                       ks_create_topics_request_creatable_topic *to) {
    int32_t brokers = ks_cluster_broker_count(sim->cluster), count = 0;
    to->name = ks_arena_string(arena, ks_str(from->name));
    to->num_partitions = from->partitions ? from->partitions : -1;
    to->replication_factor = from->replication_factor ? from->replication_factor : (int16_t)(brokers < 3 ? brokers : 3);
    while (from->configs && from->configs[count].name) count++;
    to->configs.items = ks_arena_alloc(arena, sizeof *to->configs.items * (size_t)(count + 1));
    to->configs.count = count;
    for (int32_t i = 0; i < count; i++) {
        to->configs.items[i].name = ks_arena_string(arena, ks_str(from->configs[i].name));
        to->configs.items[i].value = ks_arena_string(arena, ks_str(from->configs[i].value));
    }
}

static kafka_error first_topic_error(ksim *sim, const ks_create_topics_response *answer) {
    for (int32_t i = 0; i < answer->topics.count; i++) {
        const ks_create_topics_response_creatable_topic_result *topic = &answer->topics.items[i];
        char name[256];
        if (topic->error_code == 0) continue;
        snprintf(name, sizeof name, "%.*s", (int)topic->name.size, topic->name.data);
        return refused(sim, "ksim_create_topics", name, topic->error_code, topic->error_message);
    }
    return KAFKA_OK;
}

kafka_error ksim_create_topics(ksim *sim, const ksim_new_topic *topics, size_t count) {
    kafka_error error = checked(sim, "ksim_create_topics", "topics", (const char *)topics);
    if (error) return error;
    for (size_t i = 0; i < count; i++) {
        if (topics[i].name == NULL)
            return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_create_topics: topic %zu has no name", i);
    }
    int32_t controller = ks_cluster_controller(sim->cluster);
    if (controller < 0)
        return ks_sim_fail(sim, KAFKA_ERR_BROKER_NOT_AVAILABLE, "ksim_create_topics: every broker is down");
    ks_envelope *request = ks_sim_request(sim, KS_API_create_topics, CREATE_TOPICS_VERSION), *response;
    ks_create_topics_request *body = request->body;
    body->topics.items = ks_arena_alloc(request->arena, sizeof *body->topics.items * (count + 1));
    body->topics.count = (int32_t)count;
    for (size_t i = 0; i < count; i++) {
        ks_struct_default(ks_describe_create_topics_request_creatable_topic(), &body->topics.items[i]);
        fill_topic(sim, request->arena, &topics[i], &body->topics.items[i]);
    }
    error = ks_sim_ask(sim, "ksim_create_topics", ks_cluster_broker_find(sim->cluster, controller), request, &response);
    if (error) return error;
    error = first_topic_error(sim, response->body);
    ks_envelope_free(sim->kernel, response);
    return error;
}

kafka_error ksim_create_topic(ksim *sim, const char *topic, int32_t partitions) {
    kafka_error error = checked(sim, "ksim_create_topic", "topic", topic);
    if (error) return error;
    if (partitions <= 0) {
        return ks_sim_fail(sim, KAFKA_ERR_INVALID_PARTITIONS,
                           "ksim_create_topic: %.100s: %d partitions: allowed are 1 and more", topic, partitions);
    }
    return ksim_create_topics(sim, &(ksim_new_topic){ .name = topic, .partitions = partitions }, 1);
}

/* ---- groups ---- */

static ks_broker *coordinator(ksim *sim, const char *call, const char *group) {
    ks_broker *broker = ks_group_coordinator_of(sim->cluster, ks_str(group));
    if (broker == NULL) {
        ks_sim_fail(sim, KAFKA_ERR_COORDINATOR_NOT_AVAILABLE, "%s: the coordinator of group %.100s is down", call,
                    group);
    }
    return broker;
}

kafka_error ksim_set_committed_offset(ksim *sim, const char *group, const char *topic, int32_t partition,
                                      int64_t offset) {
    static const char call[] = "ksim_set_committed_offset";
    kafka_error error = checked(sim, call, "group", group);
    if (error == KAFKA_OK) error = checked(sim, call, "topic", topic);
    if (error) return error;
    if (offset < 0) return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "%s: offset is %lld", call, (long long)offset);
    ks_broker *broker = coordinator(sim, call, group);
    if (broker == NULL) return KAFKA_ERR_COORDINATOR_NOT_AVAILABLE;
    ks_envelope *request = ks_sim_request(sim, KS_API_offset_commit, OFFSET_COMMIT_VERSION), *response;
    ks_offset_commit_request *body = request->body;
    body->group_id = ks_arena_string(request->arena, ks_str(group));
    body->member_id = KS_LITERAL("");
    body->topics.items = ks_arena_alloc(request->arena, sizeof *body->topics.items);
    body->topics.count = 1;
    body->topics.items[0].name = ks_arena_string(request->arena, ks_str(topic));
    body->topics.items[0].partitions.items =
        ks_arena_alloc(request->arena, sizeof *body->topics.items[0].partitions.items);
    body->topics.items[0].partitions.count = 1;
    body->topics.items[0].partitions.items[0] =
        (ks_offset_commit_request_partition){ partition, offset, -1, KS_LITERAL("") };
    error = ks_sim_ask(sim, call, broker, request, &response);
    if (error) return error;
    const ks_offset_commit_response *answer = response->body;
    int16_t code = answer->topics.count && answer->topics.items[0].partitions.count
                       ? answer->topics.items[0].partitions.items[0].error_code
                       : 0;
    char what[256];
    snprintf(what, sizeof what, "group %.80s, %.100s[%d]", group, topic, partition);
    if (code) error = refused(sim, call, what, code, KS_NULL_STRING);
    ks_envelope_free(sim->kernel, response);
    return error;
}

/* The group with a member of `client` (*count of them); NULL with the detail when there is none. A view: copy what must
 * live on. */
static const ksim_group *group_with(ksim *sim, const char *call, const char *name, const char *client, int32_t *count,
                                    kafka_error *error) {
    *error = checked(sim, call, "group", name);
    if (*error == KAFKA_OK) *error = checked(sim, call, "client", client);
    if (*error) return NULL;
    const ksim_group *group = ksim_group_find(sim, name);
    *count = 0;
    for (size_t i = 0; group && i < group->member_count; i++) *count += strcmp(group->members[i].client, client) == 0;
    if (*count > 0) return group;
    *error = group ? KAFKA_ERR_UNKNOWN_MEMBER_ID : KAFKA_ERR_GROUP_ID_NOT_FOUND;
    ks_sim_fail(sim, *error, group ? "%s: group %.100s has no member of client %.100s" : "%s: there is no group %.100s",
                call, name, client);
    return NULL;
}

static ks_envelope *leave_request(ksim *sim, const ksim_group *group, const char *client, int32_t count) {
    ks_envelope *request = ks_sim_request(sim, KS_API_leave_group, LEAVE_GROUP_VERSION);
    ks_leave_group_request *body = request->body;
    body->group_id = ks_arena_string(request->arena, ks_str(group->name));
    body->members.items = ks_arena_alloc(request->arena, sizeof *body->members.items * (size_t)count);
    for (size_t i = 0; i < group->member_count; i++) {
        const ksim_member *member = &group->members[i];
        if (strcmp(member->client, client) != 0) continue;
        body->members.items[body->members.count++] =
            (ks_leave_group_request_member_identity){ ks_arena_string(request->arena, ks_str(member->id)),
                                                      ks_arena_string(request->arena, ks_str(member->instance_id)),
                                                      KS_LITERAL("member was removed by an admin") };
    }
    return request;
}

kafka_error ksim_expel_member(ksim *sim, const char *name, const char *client) {
    static const char call[] = "ksim_expel_member";
    kafka_error error;
    int32_t count;
    const ksim_group *group = group_with(sim, call, name, client, &count, &error);
    if (group == NULL) return error;
    ks_broker *broker = coordinator(sim, call, name);
    if (broker == NULL) return KAFKA_ERR_COORDINATOR_NOT_AVAILABLE;
    ks_envelope *response;
    error = ks_sim_ask(sim, call, broker, leave_request(sim, group, client, count), &response);
    if (error) return error;
    const ks_leave_group_response *answer = response->body;
    int16_t code = answer->error_code;
    for (int32_t i = 0; code == 0 && i < answer->members.count; i++) code = answer->members.items[i].error_code;
    if (code) error = refused(sim, call, client, code, KS_NULL_STRING);
    ks_envelope_free(sim->kernel, response);
    return error;
}

kafka_error ksim_expire_session(ksim *sim, const char *name, const char *client) {
    kafka_error error;
    int32_t count;
    const ksim_group *group = group_with(sim, "ksim_expire_session", name, client, &count, &error);
    if (group == NULL) return error;
    uint64_t before = ks_sim_command(sim, "expire_session", "%s %s", name, client);
    for (size_t i = 0; i < group->member_count && error == KAFKA_OK; i++) {
        if (strcmp(group->members[i].client, client) != 0) continue;
        error = ks_cluster_group_expire_session(sim->cluster, ks_str(name), ks_str(group->members[i].id));
    }
    ks_cause_set(sim->kernel, before);
    return error ? refused(sim, "ksim_expire_session", client, (int16_t)error, KS_NULL_STRING) : KAFKA_OK;
}

/* ---- leaders ---- */

static kafka_error move(ksim *sim, const char *call, ks_partition *partition, int32_t broker, const char *what) {
    kafka_error error = ks_partition_move_leader(partition, broker);
    if (error == KAFKA_OK || error == KAFKA_ERR_ELECTION_NOT_NEEDED) return KAFKA_OK;
    return ks_sim_fail(sim, error, "%s: broker %d cannot lead %s: it is %s", call, broker, what,
                       error == KAFKA_ERR_INVALID_REQUEST ? "none of its replicas" : "not a live replica in sync");
}

kafka_error ksim_move_leader(ksim *sim, const char *topic, int32_t index, int32_t broker) {
    static const char call[] = "ksim_move_leader";
    kafka_error error = checked(sim, call, "topic", topic);
    if (error) return error;
    char what[300];
    snprintf(what, sizeof what, "%.250s[%d]", topic, index);
    ks_partition *partition = ks_cluster_partition_find(sim->cluster, ks_str(topic), index);
    if (partition == NULL)
        return ks_sim_fail(sim, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION, "%s: there is no partition %s", call, what);
    uint64_t before = ks_sim_command(sim, "move_leader", "%s %d", what, broker);
    error = move(sim, call, partition, broker, what);
    ks_cause_set(sim->kernel, before);
    return error;
}

kafka_error ksim_move_coordinator(ksim *sim, const char *group, int32_t broker) {
    static const char call[] = "ksim_move_coordinator";
    kafka_error error = checked(sim, call, "group", group);
    if (error) return error;
    ks_topic *offsets = ks_cluster_topic_find(sim->cluster, KS_LITERAL(KS_OFFSETS_TOPIC));
    ks_partition *partition =
        ks_topic_partition(offsets, ks_group_partition_of(ks_str(group), offsets->partition_count));
    char what[200];
    snprintf(what, sizeof what, KS_OFFSETS_TOPIC "[%d], where group %.100s lives", partition->index, group);
    uint64_t before = ks_sim_command(sim, "move_coordinator", "%s %d", group, broker);
    error = move(sim, call, partition, broker, what);
    ks_cause_set(sim->kernel, before);
    return error;
}
