/* SPDX-License-Identifier: Apache-2.0
 *
 * Metadata and ListOffsets for an administrator (Kafka's PartitionLeaderStrategy and ListOffsetsHandler).
 */
#include "sim/api/client_logs.h"

#include <stdlib.h>

enum { METADATA_VERSION = 13, LIST_OFFSETS_VERSION = 10 };

/* ---- topics ---- */

ks_ask *ks_client_metadata_ask(ks_client_call *call, const char *const *topics, size_t count) {
    ks_ask *ask =
        ks_client_ask_at(call, KS_API_metadata, METADATA_VERSION, (ks_route){ .to = KS_ROUTE_ANY });
    ks_metadata_request *request = ask->request->body;
    request->allow_auto_topic_creation = false;
    KS_FILL(ask, request->topics, count);
    for (size_t i = 0; i < count; i++) {
        ks_struct_default(ks_describe_metadata_request_topic(), &request->topics.items[i]);
        request->topics.items[i].name = ks_ask_string(ask, topics[i]);
    }
    return ask;
}

typedef struct topics_errand {
    const char *const *topics;
    size_t count;
    const ks_metadata_response *answer;
} topics_errand;

static ks_ask *find_topics(ks_errand *errand, const size_t *which, size_t count) {
    (void)which, (void)count;
    const topics_errand *self = errand->owner;
    return ks_client_metadata_ask(errand->call, self->topics, self->count);
}

static void found_topics(ks_errand *errand, const void *body, const size_t *which, size_t count) {
    (void)which, (void)count;
    ((topics_errand *)errand->owner)->answer = body;
    ks_errand_settle(errand, 0, KAFKA_OK); /* nobody else is to be asked */
}

kafka_error ks_client_ask_topics(ks_client_call *call, const char *const *topics, size_t count,
                                 const ks_metadata_response **answer) {
    topics_errand self = { topics, count, NULL };
    ks_errand_key key = { .broker = -1 };
    ks_errand errand = { .call = call, .owner = &self, .keys = &key, .count = 1, .find = find_topics, .found = found_topics };
    kafka_error error = ks_errand_run(&errand);
    if (error != KAFKA_OK) return error;
    *answer = self.answer;
    return ks_client_code(call, (int16_t)key.error, "no broker answers", KS_NULL_STRING);
}

/* ---- logs ---- */

static int compare(ks_string topic, int32_t partition, const ks_log_query *with) {
    int order = ks_string_compare(topic, ks_str(with->topic));
    return order != 0 ? order : partition < with->partition ? -1 : partition > with->partition;
}

int ks_log_query_compare(const void *a, const void *b) {
    const ks_log_query *left = a;
    return compare(ks_str(left->topic), left->partition, b);
}

/* Which of the queries speaks of it; `count`: none. `which` is ascending, and so are the queries. */
static size_t query_of(const ks_log_query *queries, const size_t *which, size_t count, ks_string topic,
                       int32_t partition) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(topic, partition, &queries[which[middle]]);
        if (order == 0) return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return count;
}

static ks_ask *find_leaders(ks_errand *errand, const size_t *which, size_t count) {
    const ks_log_query *queries = errand->owner;
    const char **topics = ks_arena_alloc(errand->call->arena, count * sizeof *topics);
    size_t topic_count = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(queries[which[i]].topic, queries[which[i - 1]].topic) != 0)
            topics[topic_count++] = queries[which[i]].topic;
    return ks_client_metadata_ask(errand->call, topics, topic_count);
}

static void found_leader(ks_errand *errand, size_t key, const ks_metadata_response_partition *partition) {
    kafka_error error = (kafka_error)partition->error_code;
    if (error == KAFKA_OK && partition->leader_id < 0) error = KAFKA_ERR_LEADER_NOT_AVAILABLE;
    ks_errand_found(errand, key, partition->leader_id, error);
}

static void found_leaders(ks_errand *errand, const void *body, const size_t *which, size_t count) {
    const ks_metadata_response *response = body;
    const ks_log_query *queries = errand->owner;
    for (size_t i = 0; i < count; i++) ks_errand_found(errand, which[i], -1, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
    for (int32_t t = 0; t < response->topics.count; t++) {
        const ks_metadata_response_topic *topic = &response->topics.items[t];
        for (int32_t p = 0; p < topic->partitions.count; p++) {
            size_t at = query_of(queries, which, count, topic->name, topic->partitions.items[p].partition_index);
            if (at < count) found_leader(errand, which[at], &topic->partitions.items[p]);
        }
        if (topic->error_code == 0 || topic->error_code == KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION) continue;
        for (size_t i = 0; i < count; i++)
            if (ks_string_equal(ks_str(queries[which[i]].topic), topic->name))
                ks_errand_found(errand, which[i], -1, (kafka_error)topic->error_code);
    }
}

static ks_ask *ask_leader(ks_errand *errand, int32_t broker, const size_t *which, size_t count) {
    const ks_log_query *queries = errand->owner;
    ks_ask *ask = ks_client_ask_at(errand->call, KS_API_list_offsets, LIST_OFFSETS_VERSION,
                                   (ks_route){ .to = KS_ROUTE_BROKER, .broker = broker });
    ks_list_offsets_request *request = ask->request->body;
    request->replica_id = -1;
    request->timeout_ms = (int32_t)(KS_REQUEST_TIMEOUT / KS_MS);
    KS_FILL(ask, request->topics, count); /* as many at most */
    request->topics.count = 0;
    ks_list_offsets_request_partition *partitions = ks_arena_alloc(ask->request->arena, count * sizeof *partitions);
    for (size_t i = 0; i < count; i++) {
        const ks_log_query *query = &queries[which[i]];
        partitions[i] = (ks_list_offsets_request_partition){ query->partition, -1, query->time_ms };
        if (i == 0 || strcmp(query->topic, queries[which[i - 1]].topic) != 0) {
            ks_list_offsets_request_topic *topic = &request->topics.items[request->topics.count++];
            topic->name = ks_ask_string(ask, query->topic);
            topic->partitions.items = &partitions[i];
        }
        request->topics.items[request->topics.count - 1].partitions.count++;
    }
    return ask;
}

static void leader_answered(ks_errand *errand, const ks_envelope *answer, const size_t *which, size_t count) {
    const ks_list_offsets_response *response = answer->body;
    ks_log_query *queries = errand->owner;
    for (int32_t t = 0; t < response->topics.count; t++) {
        const ks_list_offsets_response_topic_response *topic = &response->topics.items[t];
        for (int32_t p = 0; p < topic->partitions.count; p++) {
            const ks_list_offsets_response_partition_response *found = &topic->partitions.items[p];
            size_t at = query_of(queries, which, count, topic->name, found->partition_index);
            if (at == count) continue;
            ks_errand_settle(errand, which[at], (kafka_error)found->error_code);
            queries[which[at]].offset = found->error_code == 0 ? found->offset : -1;
        }
    }
}

kafka_error ks_client_ask_logs(ks_client_call *call, ks_log_query *queries, size_t count) {
    ks_errand errand = { .call = call,
                         .owner = queries,
                         .keys = ks_arena_alloc(call->arena, count * sizeof *errand.keys),
                         .count = count,
                         .find = find_leaders,
                         .found = found_leaders,
                         .ask = ask_leader,
                         .answered = leader_answered };
    for (size_t i = 0; i < count; i++) {
        errand.keys[i].broker = -1;
        queries[i].offset = -1;
    }
    if (count == 0) return KAFKA_OK;
    kafka_error error = ks_errand_run(&errand);
    for (size_t i = 0; i < count; i++) queries[i].error = errand.keys[i].error;
    return error;
}
