/* SPDX-License-Identifier: Apache-2.0
 *
 * Committed offsets, as an administrator reads, alters and deletes them (Kafka's ListConsumerGroupOffsetsHandler,
 * AlterConsumerGroupOffsetsHandler, DeleteConsumerGroupOffsetsHandler).
 */
#include "sim/api/client_admin.h"
#include "sim/api/client_offsets.h"

#include <stdlib.h>

enum { OFFSET_FETCH_VERSION = 9, OFFSET_COMMIT_VERSION = 9, OFFSET_DELETE_VERSION = 0 };

/* ---- one question about one group ---- */

typedef struct asking {
    const ks_group_question *question;
    const ks_envelope *answer;
} asking;

static ks_ask *ask_coordinator(ks_errand *errand, int32_t broker, const size_t *which, size_t count) {
    (void)which, (void)count;
    const ks_group_question *question = ((const asking *)errand->owner)->question;
    ks_ask *ask = ks_client_ask_at(errand->call, question->api_key, question->api_version,
                                   (ks_route){ .to = KS_ROUTE_BROKER, .broker = broker });
    question->fill(errand->call, ask, question->argument);
    return ask;
}

static void coordinator_answered(ks_errand *errand, const ks_envelope *answer, const size_t *which, size_t count) {
    (void)count;
    asking *self = errand->owner;
    ks_errand_settle(errand, which[0], (kafka_error)self->question->code(answer));
    if (errand->keys[which[0]].settled) { /* whatever the code, the rest of the answer says what it is about */
        self->answer = answer;
        errand->keys[which[0]].error = KAFKA_OK;
    }
}

kafka_error ks_admin_ask_group(ks_client_call *call, const char *group, const ks_group_question *question,
                               const ks_envelope **answer, kafka_error *error) {
    asking self = { question, NULL };
    ks_errand errand = ks_errand_of_groups(call, &group, 1);
    errand.owner = &self;
    errand.ask = ask_coordinator;
    errand.answered = coordinator_answered;
    kafka_error failed = ks_errand_run(&errand);
    *answer = self.answer;
    *error = errand.keys[0].error;
    return failed;
}

/* ---- OffsetFetch ---- */

typedef struct of_group { /* what the requests are filled from */
    const char *group;
    const kafka_topic_partition *partitions;
    size_t count;
} of_group;

static void fill_fetch(ks_client_call *call, ks_ask *ask, const void *argument) {
    const of_group *from = argument;
    ks_fill_offset_fetch(call, ask, from->group, from->partitions, from->count);
}

kafka_error ks_admin_ask_offsets(ks_client_call *call, const char *group, const kafka_topic_partition *partitions,
                                 size_t count, const ks_envelope **answer, kafka_error *error) {
    const of_group from = { group, partitions, count };
    const ks_group_question question = { KS_API_offset_fetch, OFFSET_FETCH_VERSION, fill_fetch, ks_offset_fetch_code,
                                         &from };
    return ks_admin_ask_group(call, group, &question, answer, error);
}

ks_log_query *ks_admin_committed(ks_client_call *call, const ks_envelope *answer, size_t *count) {
    const ks_offset_fetch_response *response = answer->body;
    const ks_offset_fetch_response_group *group = response->groups.items;
    size_t total = 0;
    for (int32_t t = 0; response->groups.count > 0 && t < group->topics.count; t++)
        total += (size_t)group->topics.items[t].partitions.count;
    ks_log_query *committed = ks_arena_alloc(call->arena, total * sizeof *committed);
    *count = 0;
    for (int32_t t = 0; response->groups.count > 0 && t < group->topics.count; t++) {
        const ks_offset_fetch_response_topics *topic = &group->topics.items[t];
        const char *name = ks_result_text(call->arena, topic->name);
        for (int32_t p = 0; p < topic->partitions.count; p++) {
            const ks_offset_fetch_response_partitions *at = &topic->partitions.items[p];
            if (at->error_code == 0 && at->committed_offset >= 0)
                committed[(*count)++] = (ks_log_query){
                    .topic = name, .partition = at->partition_index, .offset = at->committed_offset
                };
        }
    }
    if (*count > 1) qsort(committed, *count, sizeof *committed, ks_log_query_compare);
    return committed;
}

/* The result of a question that ended without an answer is an empty one with the reason. */
static kafka_error hand_over(ks_client_call *call, kafka_group_offsets *told, kafka_error error, const char *group,
                             kafka_group_offsets **out) {
    if (told == NULL) {
        ks_arena *arena;
        told = ks_result_new(sizeof *told, &arena);
        told->error = error;
    }
    return ks_client_end(call, ks_offsets_hand_over(call, told, group, out));
}

kafka_error kafka_client_list_consumer_group_offsets(kafka_client *client, kafka_context *context, const char *group,
                                                     const kafka_topic_partition *partitions, size_t count,
                                                     kafka_group_offsets **offsets) {
    kafka_error error, failed;
    ks_client_call *call = ks_client_begin_with(client, context, "kafka_client_list_consumer_group_offsets",
                                                group != NULL && ks_partitions_are_named(partitions, count),
                                                "group, partitions, or a topic is NULL", &error);
    if (call == NULL) return error;
    const ks_envelope *answer;
    failed = ks_admin_ask_offsets(call, group, partitions, count, &answer, &error);
    if (failed != KAFKA_OK) return ks_client_end(call, failed);
    return hand_over(call, answer != NULL ? ks_tell_offset_fetch(answer) : NULL, error, group, offsets);
}

/* ---- OffsetCommit ---- */

static void fill_commit(ks_client_call *call, ks_ask *ask, const void *argument) {
    ks_fill_offset_commit(call, ask, argument);
}

/* All partitions or none have a code that sends the whole request elsewhere. */
static int16_t commit_code(const ks_envelope *answer) {
    const ks_offset_commit_response *response = answer->body;
    for (int32_t t = 0; t < response->topics.count; t++)
        for (int32_t p = 0; p < response->topics.items[t].partitions.count; p++) {
            int16_t code = response->topics.items[t].partitions.items[p].error_code;
            if (code != 0 && code != KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION && code != KAFKA_ERR_OFFSET_METADATA_TOO_LARGE)
                return code;
        }
    return 0;
}

kafka_error ks_admin_commit(ks_client_call *call, const char *group, const kafka_group_offset *offsets, size_t count,
                            const ks_envelope **answer, kafka_error *error) {
    const kafka_commit_request request = { .group = group, .generation = -1, .offsets = offsets, .count = count };
    const ks_group_question question = { KS_API_offset_commit, OFFSET_COMMIT_VERSION, fill_commit, commit_code,
                                         &request };
    return ks_admin_ask_group(call, group, &question, answer, error);
}

static const char *alter_problem(const char *group, const kafka_group_offset *offsets, size_t count) {
    if (group == NULL) return "group is NULL";
    const char *problem = ks_offsets_problem(offsets, count);
    for (size_t i = 0; problem == NULL && i < count; i++)
        if (offsets[i].offset < 0) problem = "an offset is below 0; to forget one there is kafka_client_delete_consumer_group_offsets()";
    return problem;
}

kafka_error kafka_client_alter_consumer_group_offsets(kafka_client *client, kafka_context *context, const char *group,
                                                      const kafka_group_offset *offsets, size_t count,
                                                      kafka_group_offsets **results) {
    kafka_error error, failed;
    const char *problem = alter_problem(group, offsets, count);
    ks_client_call *call = ks_client_begin_with(client, context, "kafka_client_alter_consumer_group_offsets",
                                                problem == NULL, problem, &error);
    if (call == NULL) return error;
    const ks_envelope *answer;
    failed = ks_admin_commit(call, group, offsets, count, &answer, &error);
    if (failed != KAFKA_OK) return ks_client_end(call, failed);
    return hand_over(call, answer != NULL ? ks_tell_offset_commit(answer->body) : NULL, error, group, results);
}

/* ---- OffsetDelete ---- */

static void fill_delete(ks_client_call *call, ks_ask *ask, const void *argument) {
    const of_group *from = argument;
    ks_fill_offset_delete(call, ask, from->group, from->partitions, from->count);
}

static int16_t delete_code(const ks_envelope *answer) {
    return ((const ks_offset_delete_response *)answer->body)->error_code;
}

kafka_error kafka_client_delete_consumer_group_offsets(kafka_client *client, kafka_context *context, const char *group,
                                                       const kafka_topic_partition *partitions, size_t count,
                                                       kafka_group_offsets **results) {
    kafka_error error, failed;
    ks_client_call *call = ks_client_begin_with(client, context, "kafka_client_delete_consumer_group_offsets",
                                                group != NULL && ks_partitions_are_named(partitions, count),
                                                "group, partitions, or a topic is NULL", &error);
    if (call == NULL) return error;
    const of_group from = { group, partitions, count };
    const ks_group_question question = { KS_API_offset_delete, OFFSET_DELETE_VERSION, fill_delete, delete_code, &from };
    const ks_envelope *answer;
    failed = ks_admin_ask_group(call, group, &question, &answer, &error);
    if (failed != KAFKA_OK) return ks_client_end(call, failed);
    return hand_over(call, answer != NULL ? ks_tell_offset_delete(answer->body) : NULL, error, group, results);
}
