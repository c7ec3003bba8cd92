/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_client's calls about the cluster, topics and partitions (kafka-go metadata.go, createtopics.go,
 * deletetopics.go, createpartitions.go). Metadata is answered from the cached layout, and never creates a topic.
 */
#include "sim/api/client_call.h"

/* ---- metadata ---- */

static const int32_t *numbers(ks_arena *arena, const int32_t *items, int32_t count) {
    int32_t *copy = ks_arena_alloc(arena, (size_t)count * sizeof *copy);
    for (int32_t i = 0; i < count; i++) copy[i] = items[i];
    return copy;
}

static kafka_partition_info partition_info(ks_arena *arena, const ks_metadata_response_partition *partition) {
    return (kafka_partition_info){
        .id = partition->partition_index,
        .error = (kafka_error)partition->error_code,
        .leader = partition->leader_id,
        .replicas = numbers(arena, partition->replica_nodes.items, partition->replica_nodes.count),
        .replica_count = (size_t)partition->replica_nodes.count,
        .in_sync_replicas = numbers(arena, partition->isr_nodes.items, partition->isr_nodes.count),
        .in_sync_replica_count = (size_t)partition->isr_nodes.count,
    };
}

static kafka_topic_info topic_info(ks_arena *arena, const ks_metadata_response_topic *topic) {
    kafka_partition_info *partitions = ks_arena_alloc(arena, (size_t)topic->partitions.count * sizeof *partitions);
    for (int32_t i = 0; i < topic->partitions.count; i++)
        partitions[i] = partition_info(arena, &topic->partitions.items[i]);
    return (kafka_topic_info){ ks_result_text(arena, topic->name), (kafka_error)topic->error_code, topic->is_internal,
                               partitions, (size_t)topic->partitions.count };
}

static void fill_brokers(kafka_metadata *metadata, ks_arena *arena, const ks_metadata_response *layout) {
    kafka_broker *brokers = ks_arena_alloc(arena, (size_t)layout->brokers.count * sizeof *brokers);
    for (int32_t i = 0; i < layout->brokers.count; i++) {
        const ks_metadata_response_broker *from = &layout->brokers.items[i];
        brokers[i] = (kafka_broker){ from->node_id, ks_result_text(arena, from->host), from->port,
                                     ks_result_text(arena, from->rack) };
        if (from->node_id == layout->controller_id) metadata->controller = &brokers[i];
    }
    metadata->brokers = brokers;
    metadata->broker_count = (size_t)layout->brokers.count;
}

static void fill_topics(kafka_metadata *metadata, ks_arena *arena, ks_transport *transport, const char *const *names,
                        size_t count) {
    const ks_metadata_response *layout = ks_transport_layout(transport);
    size_t total = count > 0 ? count : (size_t)layout->topics.count;
    kafka_topic_info *topics = ks_arena_alloc(arena, total * sizeof *topics);
    for (size_t i = 0; i < total; i++) {
        const ks_metadata_response_topic *known =
            count > 0 ? ks_transport_topic(transport, ks_str(names[i])) : &layout->topics.items[i];
        if (known != NULL)
            topics[i] = topic_info(arena, known);
        else
            topics[i] = (kafka_topic_info){ .name = ks_result_text(arena, ks_str(names[i])),
                                            .error = KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION };
    }
    metadata->topics = topics;
    metadata->topic_count = total;
}

static bool all_named(const char *const *names, size_t count) {
    if (names == NULL) return count == 0;
    for (size_t i = 0; i < count; i++)
        if (names[i] == NULL) return false;
    return true;
}

static kafka_error first_topic_error(ks_client_call *call, const kafka_metadata *metadata) {
    for (size_t i = 0; i < metadata->topic_count; i++)
        if (metadata->topics[i].error != KAFKA_OK)
            return ks_client_code(call, (int16_t)metadata->topics[i].error, metadata->topics[i].name, KS_NULL_STRING);
    return KAFKA_OK;
}

kafka_error kafka_client_metadata(kafka_client *client, kafka_context *context, const char *const *topics, size_t count,
                                  kafka_metadata **out) {
    kafka_error error;
    ks_client_call *call = ks_client_begin_with(client, context, "kafka_client_metadata", all_named(topics, count),
                                                "a topic is NULL", &error);
    if (call == NULL) return error;
    error = ks_client_wait_layout(call, NULL, -1);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    ks_arena *arena;
    kafka_metadata *metadata = ks_result_new(sizeof *metadata, &arena);
    const ks_metadata_response *layout = ks_transport_layout(client->transport);
    metadata->cluster_id = ks_result_text(arena, layout->cluster_id);
    fill_brokers(metadata, arena, layout);
    fill_topics(metadata, arena, client->transport, topics, count);
    error = first_topic_error(call, metadata);
    return ks_client_end(call, KS_HAND_OVER(metadata, out, error));
}

KS_RESULT_FREE(kafka_metadata_free, kafka_metadata)

const kafka_topic_info *kafka_metadata_find(const kafka_metadata *metadata, const char *topic) {
    for (size_t i = 0; metadata != NULL && topic != NULL && i < metadata->topic_count; i++)
        if (strcmp(metadata->topics[i].name, topic) == 0) return &metadata->topics[i];
    return NULL;
}

/* ---- creating ---- */

static const char *topic_problem(const kafka_topic_config *topics, size_t count) {
    if (topics == NULL) return "topics is NULL";
    for (size_t i = 0; i < count; i++) {
        const kafka_topic_config *topic = &topics[i];
        if (topic->topic == NULL) return "a topic has no name";
        if (topic->assignments == NULL && topic->assignment_count > 0) return "assignments is NULL";
        if (topic->configs == NULL && topic->config_count > 0) return "configs is NULL";
        for (size_t j = 0; j < topic->config_count; j++)
            if (topic->configs[j].name == NULL) return "a setting has no name";
        for (size_t j = 0; j < topic->assignment_count; j++)
            if (topic->assignments[j].replicas == NULL && topic->assignments[j].replica_count > 0)
                return "replicas is NULL";
    }
    return NULL;
}

static void fill_creatable(ks_ask *ask, ks_create_topics_request_creatable_topic *to, const kafka_topic_config *from) {
    to->name = ks_ask_string(ask, from->topic);
    to->num_partitions = from->partitions;
    to->replication_factor = from->replication_factor;
    KS_FILL(ask, to->assignments, from->assignment_count);
    for (size_t i = 0; i < from->assignment_count; i++) {
        const kafka_replica_assignment *assignment = &from->assignments[i];
        to->assignments.items[i].partition_index = assignment->partition;
        KS_FILL(ask, to->assignments.items[i].broker_ids, assignment->replica_count);
        for (size_t j = 0; j < assignment->replica_count; j++)
            to->assignments.items[i].broker_ids.items[j] = assignment->replicas[j];
    }
    KS_FILL(ask, to->configs, from->config_count);
    for (size_t i = 0; i < from->config_count; i++) {
        to->configs.items[i].name = ks_ask_string(ask, from->configs[i].name);
        to->configs.items[i].value = ks_ask_string(ask, from->configs[i].value);
    }
}

static kafka_error tell_created(ks_client_call *call, const ks_create_topics_response *response, bool if_not_exists,
                                kafka_named_errors **results) {
    ks_named_code *codes = ks_arena_alloc(call->arena, (size_t)response->topics.count * sizeof *codes);
    for (int32_t i = 0; i < response->topics.count; i++) {
        const ks_create_topics_response_creatable_topic_result *result = &response->topics.items[i];
        bool there = if_not_exists && result->error_code == KAFKA_ERR_TOPIC_ALREADY_EXISTS;
        codes[i] = there ? (ks_named_code){ result->name, KS_NULL_STRING, 0 }
                         : (ks_named_code){ result->name, result->error_message, result->error_code };
    }
    return ks_client_tell_names(call, codes, response->topics.count, results);
}

/* So that a writer of this process finds them at once (kafka-go transport.go, refreshMetadata). */
static kafka_error wait_for_created(ks_client_call *call, const ks_create_topics_response *response) {
    ks_string *made = ks_arena_alloc(call->arena, (size_t)response->topics.count * sizeof *made);
    int32_t count = 0;
    for (int32_t i = 0; i < response->topics.count; i++)
        if (response->topics.items[i].error_code == 0) made[count++] = response->topics.items[i].name;
    return count > 0 ? ks_client_wait_layout(call, made, count) : KAFKA_OK;
}

kafka_error kafka_client_create_topics(kafka_client *client, kafka_context *context, const kafka_topic_config *topics,
                                       size_t count, const kafka_create_options *options,
                                       kafka_named_errors **results) {
    kafka_error error;
    const char *problem = topic_problem(topics, count);
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_create_topics", problem == NULL, problem, &error);
    if (call == NULL) return error;
    kafka_create_options chosen = options != NULL ? *options : (kafka_create_options){ 0 };
    ks_ask *ask = ks_client_ask(call, KS_API_create_topics, (ks_route){ .to = KS_ROUTE_CONTROLLER });
    ks_create_topics_request *request = ask->request->body;
    request->timeout_ms = ks_client_timeout_ms(call, 2000);
    request->validate_only = chosen.validate_only;
    KS_FILL(ask, request->topics, count);
    for (size_t i = 0; i < count; i++) fill_creatable(ask, &request->topics.items[i], &topics[i]);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    if (!chosen.validate_only) error = wait_for_created(call, ask->response->body);
    if (error == KAFKA_OK) error = tell_created(call, ask->response->body, chosen.if_not_exists, results);
    return ks_client_end(call, error);
}

/* ---- deleting, adding partitions ---- */

kafka_error kafka_client_delete_topics(kafka_client *client, kafka_context *context, const char *const *topics,
                                       size_t count, kafka_named_errors **results) {
    kafka_error error;
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_delete_topics", topics != NULL && all_named(topics, count),
                             "topics, or one of them, is NULL", &error);
    if (call == NULL) return error;
    ks_ask *ask = ks_client_ask(call, KS_API_delete_topics, (ks_route){ .to = KS_ROUTE_CONTROLLER });
    ks_delete_topics_request *request = ask->request->body;
    request->timeout_ms = ks_client_timeout_ms(call, 2000);
    KS_FILL(ask, request->topic_names, count);
    for (size_t i = 0; i < count; i++) request->topic_names.items[i] = ks_ask_string(ask, topics[i]);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    const ks_delete_topics_response *response = ask->response->body;
    ks_named_code *codes = ks_arena_alloc(call->arena, (size_t)response->responses.count * sizeof *codes);
    for (int32_t i = 0; i < response->responses.count; i++)
        codes[i] = (ks_named_code){ response->responses.items[i].name, KS_NULL_STRING,
                                    response->responses.items[i].error_code };
    return ks_client_end(call, ks_client_tell_names(call, codes, response->responses.count, results));
}

static const char *enlarge_problem(const kafka_partitions_config *topics, size_t count) {
    if (topics == NULL) return "topics is NULL";
    for (size_t i = 0; i < count; i++) {
        if (topics[i].topic == NULL) return "a topic has no name";
        if (topics[i].assignments == NULL && topics[i].assignment_count > 0) return "assignments is NULL";
        for (size_t j = 0; j < topics[i].assignment_count; j++)
            if (topics[i].assignments[j].replicas == NULL && topics[i].assignments[j].replica_count > 0)
                return "replicas is NULL";
    }
    return NULL;
}

static void fill_enlarged(ks_ask *ask, ks_create_partitions_request_topic *to, const kafka_partitions_config *from) {
    to->name = ks_ask_string(ask, from->topic);
    to->count = from->count;
    to->assignments.count = -1; /* placed by the controller */
    if (from->assignments == NULL) return;
    KS_FILL(ask, to->assignments, from->assignment_count);
    for (size_t i = 0; i < from->assignment_count; i++) {
        KS_FILL(ask, to->assignments.items[i].broker_ids, from->assignments[i].replica_count);
        for (size_t j = 0; j < from->assignments[i].replica_count; j++)
            to->assignments.items[i].broker_ids.items[j] = from->assignments[i].replicas[j];
    }
}

kafka_error kafka_client_create_partitions(kafka_client *client, kafka_context *context,
                                           const kafka_partitions_config *topics, size_t count, bool validate_only,
                                           kafka_named_errors **results) {
    kafka_error error;
    const char *problem = enlarge_problem(topics, count);
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_create_partitions", problem == NULL, problem, &error);
    if (call == NULL) return error;
    ks_ask *ask = ks_client_ask(call, KS_API_create_partitions, (ks_route){ .to = KS_ROUTE_CONTROLLER });
    ks_create_partitions_request *request = ask->request->body;
    request->timeout_ms = ks_client_timeout_ms(call, 2000);
    request->validate_only = validate_only;
    KS_FILL(ask, request->topics, count);
    for (size_t i = 0; i < count; i++) fill_enlarged(ask, &request->topics.items[i], &topics[i]);
    error = ks_client_wait_for(call, ask);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    const ks_create_partitions_response *response = ask->response->body;
    ks_named_code *codes = ks_arena_alloc(call->arena, (size_t)response->results.count * sizeof *codes);
    for (int32_t i = 0; i < response->results.count; i++) {
        const ks_create_partitions_response_topic_result *result = &response->results.items[i];
        codes[i] = (ks_named_code){ result->name, result->error_message, result->error_code };
    }
    return ks_client_end(call, ks_client_tell_names(call, codes, response->results.count, results));
}
