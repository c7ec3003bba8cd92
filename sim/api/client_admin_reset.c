/* SPDX-License-Identifier: Apache-2.0
 *
 * Moving committed offsets, as kafka-consumer-groups.sh --reset-offsets does it (KIP-122; Kafka's ConsumerGroupCommand):
 *
 *     describe the group: it must be at rest
 *     read what it has committed
 *     see which partitions there are (unless everything committed was meant)
 *     look up in their logs what the target needs: beginning, end, a time
 *     commit from outside
 */
#include "sim/api/client_admin.h"
#include "sim/api/client_offsets.h"

#include <stdlib.h>

typedef struct reset {
    ks_client_call *call;
    const kafka_reset_request *request;
    const char *state; /* of the group */
    const ks_log_query *committed;
    size_t committed_count;
    kafka_reset_offset *items; /* the plan; grows in the call's arena */
    size_t count;
    kafka_error error; /* of the whole, besides those of partitions */
    bool executed;
} reset;

static const char *problem_of(const kafka_reset_request *request) {
    if (request == NULL) return "request is NULL";
    if (request->group == NULL) return "group is NULL";
    if (!ks_partitions_are_named(request->partitions, request->count)) return "partitions, or a topic, is NULL";
    for (size_t i = 0; i < request->count; i++)
        if (request->partitions[i].partition < -1) return "a partition is below -1, which is all of a topic";
    if (request->to < KAFKA_RESET_TO_EARLIEST || request->to > KAFKA_RESET_BY_DURATION)
        return "`to` is none of KAFKA_RESET_TO_EARLIEST, TO_LATEST, TO_CURRENT, TO_OFFSET, SHIFT_BY, TO_DATETIME, BY_DURATION";
    if (request->to == KAFKA_RESET_TO_DATETIME && request->time < 0) return "time is before the epoch";
    if (request->to == KAFKA_RESET_BY_DURATION && request->duration < 0) return "duration is below 0";
    return NULL;
}

/* ---- the group ---- */

static kafka_error look_at_group(reset *self) {
    ks_group_answer *answers;
    kafka_error failed = ks_admin_ask_groups(self->call, &self->request->group, 1, &answers);
    if (failed != KAFKA_OK) return failed;
    kafka_described_group group = ks_admin_tell_group(self->call->arena, self->request->group, answers);
    self->state = group.error == KAFKA_ERR_GROUP_ID_NOT_FOUND ? "Dead" : group.state;
    self->error = group.error == KAFKA_ERR_GROUP_ID_NOT_FOUND ? KAFKA_OK : group.error;
    bool at_rest = strcmp(self->state, "Dead") == 0 || strcmp(self->state, "Empty") == 0;
    if (self->error == KAFKA_OK && !at_rest) self->error = KAFKA_ERR_UNKNOWN_MEMBER_ID;
    return KAFKA_OK;
}

static kafka_error read_committed(reset *self) {
    const ks_envelope *answer;
    kafka_error failed = ks_admin_ask_offsets(self->call, self->request->group, NULL, 0, &answer, &self->error);
    if (failed != KAFKA_OK || self->error != KAFKA_OK) return failed;
    self->error = (kafka_error)ks_offset_fetch_code(answer);
    self->committed = ks_admin_committed(self->call, answer, &self->committed_count);
    return KAFKA_OK;
}

static const ks_log_query *committed_of(const reset *self, const char *topic, int32_t partition) {
    const ks_log_query key = { .topic = topic, .partition = partition };
    if (self->committed_count == 0) return NULL;
    return bsearch(&key, self->committed, self->committed_count, sizeof key, ks_log_query_compare);
}

/* ---- which partitions ---- */

static void add(reset *self, const char *topic, int32_t partition, kafka_error error) {
    const ks_log_query *before = committed_of(self, topic, partition);
    self->items[self->count++] = (kafka_reset_offset){ .topic = topic,
                                                       .partition = partition,
                                                       .before = before != NULL ? before->offset : -1,
                                                       .offset = -1,
                                                       .error = error };
}

static int by_topic(const void *a, const void *b) {
    return strcmp(((const kafka_topic_partition *)a)->topic, ((const kafka_topic_partition *)b)->topic);
}

static int32_t partitions_of(const ks_metadata_response *cluster, const char *topic) {
    for (int32_t t = 0; t < cluster->topics.count; t++)
        if (ks_string_equal(cluster->topics.items[t].name, ks_str(topic))) return cluster->topics.items[t].partitions.count;
    return 0;
}

static int by_partition(const void *a, const void *b) {
    const kafka_reset_offset *left = a, *right = b;
    int order = strcmp(left->topic, right->topic);
    return order != 0 ? order : left->partition < right->partition ? -1 : left->partition > right->partition;
}

static void sort_out(reset *self) {
    if (self->count == 0) return;
    qsort(self->items, self->count, sizeof *self->items, by_partition);
    size_t kept = 1;
    for (size_t i = 1; i < self->count; i++)
        if (by_partition(&self->items[i], &self->items[kept - 1]) != 0) self->items[kept++] = self->items[i];
    self->count = kept;
}

/* Those named, with "all of the topic" spelled out. Cost: n log n, and for each topic the topics. */
static kafka_error find_named(reset *self) {
    const kafka_reset_request *request = self->request;
    ks_arena *arena = self->call->arena;
    kafka_topic_partition *sorted = ks_arena_alloc(arena, request->count * sizeof *sorted);
    const char **topics = ks_arena_alloc(arena, request->count * sizeof *topics);
    int32_t *sizes = ks_arena_alloc(arena, request->count * sizeof *sizes);
    size_t topic_count = 0, total = 0;
    memcpy(sorted, request->partitions, request->count * sizeof *sorted);
    qsort(sorted, request->count, sizeof *sorted, by_topic);
    for (size_t i = 0; i < request->count; i++)
        if (i == 0 || strcmp(sorted[i].topic, sorted[i - 1].topic) != 0)
            topics[topic_count++] = ks_result_text(arena, ks_str(sorted[i].topic));
    const ks_metadata_response *cluster;
    kafka_error failed = ks_client_ask_topics(self->call, topics, topic_count, &cluster);
    if (failed != KAFKA_OK) return failed;
    for (size_t t = 0; t < topic_count; t++) sizes[t] = partitions_of(cluster, topics[t]);
    for (size_t i = 0, t = 0; i < request->count; i++) {
        while (strcmp(sorted[i].topic, topics[t]) != 0) t++;
        total += sorted[i].partition < 0 ? (size_t)sizes[t] + 1 : 1;
    }
    self->items = ks_arena_alloc(arena, total * sizeof *self->items);
    for (size_t i = 0, t = 0; i < request->count; i++) {
        while (strcmp(sorted[i].topic, topics[t]) != 0) t++;
        if (sorted[i].partition >= sizes[t] || (sorted[i].partition < 0 && sizes[t] == 0))
            add(self, topics[t], sorted[i].partition, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
        else if (sorted[i].partition >= 0)
            add(self, topics[t], sorted[i].partition, KAFKA_OK);
        for (int32_t p = 0; sorted[i].partition < 0 && p < sizes[t]; p++) add(self, topics[t], p, KAFKA_OK);
    }
    sort_out(self);
    return KAFKA_OK;
}

static void take_committed(reset *self) {
    self->items = ks_arena_alloc(self->call->arena, self->committed_count * sizeof *self->items);
    for (size_t i = 0; i < self->committed_count; i++)
        add(self, self->committed[i].topic, self->committed[i].partition, KAFKA_OK);
}

/* ---- where to ---- */

/* Looks `time_ms` up for those that still have no offset (or, `all`, for each) and no error; found: by item, -1 for none.
 * The error of a lookup becomes the item's. */
static kafka_error look_up(reset *self, int64_t time_ms, bool all, int64_t *found) {
    ks_log_query *queries = ks_arena_alloc(self->call->arena, self->count * sizeof *queries);
    size_t *of = ks_arena_alloc(self->call->arena, self->count * sizeof *of), count = 0;
    for (size_t i = 0; i < self->count; i++) {
        found[i] = -1;
        if (self->items[i].error != KAFKA_OK || (!all && self->items[i].offset >= 0)) continue;
        of[count] = i;
        queries[count++] = (ks_log_query){
            .topic = self->items[i].topic, .partition = self->items[i].partition, .time_ms = time_ms
        };
    }
    kafka_error failed = ks_client_ask_logs(self->call, queries, count);
    for (size_t q = 0; failed == KAFKA_OK && q < count; q++) {
        found[of[q]] = queries[q].offset;
        if (queries[q].error != KAFKA_OK) self->items[of[q]].error = queries[q].error;
    }
    return failed;
}

/* The offsets of those that have none yet; where no record is that young, it stays -1. */
static kafka_error set_from_log(reset *self, int64_t time_ms) {
    int64_t *found = ks_arena_alloc(self->call->arena, self->count * sizeof *found);
    kafka_error failed = look_up(self, time_ms, false, found);
    for (size_t i = 0; failed == KAFKA_OK && i < self->count; i++)
        if (self->items[i].offset < 0) self->items[i].offset = found[i];
    return failed;
}

static int64_t shifted(int64_t offset, int64_t by) { /* offset >= 0: only upwards can it leave the numbers */
    return by > INT64_MAX - offset ? INT64_MAX : offset + by;
}

/* Into the log: below its first offset it is that one, above its end the end. */
static kafka_error clamp(reset *self, const int64_t *wanted) {
    int64_t *first = ks_arena_alloc(self->call->arena, self->count * sizeof *first);
    int64_t *end = ks_arena_alloc(self->call->arena, self->count * sizeof *end);
    kafka_error failed = look_up(self, KAFKA_FIRST_OFFSET, true, first);
    if (failed == KAFKA_OK) failed = look_up(self, KAFKA_LAST_OFFSET, true, end);
    for (size_t i = 0; failed == KAFKA_OK && i < self->count; i++) {
        kafka_reset_offset *item = &self->items[i];
        if (item->error != KAFKA_OK) continue;
        item->offset = wanted[i] > end[i] ? end[i] : wanted[i] < first[i] ? first[i] : wanted[i];
        item->clamped = item->offset != wanted[i];
    }
    return failed;
}

static kafka_error set_by_number(reset *self) {
    const kafka_reset_request *request = self->request;
    int64_t *wanted = ks_arena_alloc(self->call->arena, self->count * sizeof *wanted);
    for (size_t i = 0; i < self->count; i++) {
        kafka_reset_offset *item = &self->items[i];
        wanted[i] = request->offset;
        if (request->to != KAFKA_RESET_SHIFT_BY || item->error != KAFKA_OK) continue;
        if (item->before < 0)
            item->error = KAFKA_ERR_NO_OFFSET_FOR_PARTITION;
        else
            wanted[i] = shifted(item->before, request->offset);
    }
    return clamp(self, wanted);
}

static kafka_error set_by_time(reset *self, int64_t time_ns) {
    /* rounded up: a record of the millisecond that `time` lies in may be older than it */
    int64_t time_ms = time_ns <= 0 ? 0 : time_ns / KS_MS + (time_ns % KS_MS != 0);
    kafka_error failed = set_from_log(self, time_ms);
    return failed == KAFKA_OK ? set_from_log(self, KAFKA_LAST_OFFSET) : failed;
}

static kafka_error make_plan(reset *self) {
    int64_t now = ks_now(ks_process_kernel(self->call->client->address->process));
    switch (self->request->to) {
    case KAFKA_RESET_TO_EARLIEST: return set_from_log(self, KAFKA_FIRST_OFFSET);
    case KAFKA_RESET_TO_LATEST: return set_from_log(self, KAFKA_LAST_OFFSET);
    case KAFKA_RESET_TO_CURRENT:
        for (size_t i = 0; i < self->count; i++) self->items[i].offset = self->items[i].before;
        return set_from_log(self, KAFKA_LAST_OFFSET);
    case KAFKA_RESET_TO_OFFSET:
    case KAFKA_RESET_SHIFT_BY: return set_by_number(self);
    case KAFKA_RESET_TO_DATETIME: return set_by_time(self, self->request->time);
    case KAFKA_RESET_BY_DURATION: return set_by_time(self, now - self->request->duration);
    }
    ks_unreachable("a reset's target");
}

/* ---- carrying it out ---- */

static bool has_errors(const reset *self) {
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].error != KAFKA_OK) return true;
    return false;
}

static void note_refusals(reset *self, const ks_offset_commit_response *answer) {
    for (int32_t t = 0; t < answer->topics.count; t++) {
        const char *topic = ks_result_text(self->call->arena, answer->topics.items[t].name);
        for (int32_t p = 0; p < answer->topics.items[t].partitions.count; p++) {
            const ks_offset_commit_response_partition *told = &answer->topics.items[t].partitions.items[p];
            const kafka_reset_offset key = { .topic = topic, .partition = told->partition_index };
            kafka_reset_offset *item = bsearch(&key, self->items, self->count, sizeof key, by_partition);
            if (item != NULL) item->error = (kafka_error)told->error_code;
            if (told->error_code == KAFKA_ERR_UNKNOWN_MEMBER_ID) self->error = KAFKA_ERR_UNKNOWN_MEMBER_ID;
        }
    }
}

static kafka_error carry_out(reset *self) {
    if (self->request->dry_run || has_errors(self)) return KAFKA_OK;
    self->executed = true;
    if (self->count == 0) return KAFKA_OK;
    kafka_group_offset *offsets = ks_arena_alloc(self->call->arena, self->count * sizeof *offsets);
    for (size_t i = 0; i < self->count; i++)
        offsets[i] = (kafka_group_offset){ .topic = self->items[i].topic,
                                           .partition = self->items[i].partition,
                                           .offset = self->items[i].offset };
    const ks_envelope *answer;
    kafka_error failed = ks_admin_commit(self->call, self->request->group, offsets, self->count, &answer, &self->error);
    if (failed != KAFKA_OK) return failed;
    if (answer != NULL) note_refusals(self, answer->body);
    self->executed = self->error == KAFKA_OK && !has_errors(self);
    return KAFKA_OK;
}

/* ---- the call ---- */

static kafka_error run(reset *self) {
    kafka_error failed = look_at_group(self);
    if (failed == KAFKA_OK && self->error == KAFKA_OK) failed = read_committed(self);
    if (failed != KAFKA_OK || self->error != KAFKA_OK) return failed;
    if (self->request->count > 0)
        failed = find_named(self);
    else
        take_committed(self);
    if (failed == KAFKA_OK) failed = make_plan(self);
    return failed == KAFKA_OK ? carry_out(self) : failed;
}

/* The first code, in words. */
static kafka_error first_code(const reset *self) {
    const char *group = self->request->group;
    ks_process *process = self->call->client->address->process;
    if (self->error == KAFKA_ERR_UNKNOWN_MEMBER_ID)
        return ks_process_fail(process, self->error,
                               "%s: group %.100s is %s: offsets are reset only while it has no members. Stop them first",
                               self->call->name, group, self->state);
    if (self->error != KAFKA_OK) return ks_client_code(self->call, (int16_t)self->error, group, KS_NULL_STRING);
    for (size_t i = 0; i < self->count; i++) {
        const kafka_reset_offset *item = &self->items[i];
        if (item->error == KAFKA_ERR_NO_OFFSET_FOR_PARTITION)
            return ks_process_fail(process, item->error, "%s: group %.100s has nothing committed for %.200s[%d] to shift from",
                                   self->call->name, group, item->topic, (int)item->partition);
        if (item->error != KAFKA_OK) return ks_client_partition_code(self->call, item->error, item->topic, item->partition);
    }
    return KAFKA_OK;
}

static kafka_reset_plan *tell(const reset *self) {
    ks_arena *arena;
    kafka_reset_plan *told = ks_result_new(sizeof *told, &arena);
    kafka_reset_offset *items = ks_arena_alloc(arena, self->count * sizeof *items);
    for (size_t i = 0; i < self->count; i++) {
        items[i] = self->items[i];
        items[i].topic = ks_result_text(arena, ks_str(items[i].topic));
        if (items[i].error != KAFKA_OK) items[i].offset = -1;
    }
    *told = (kafka_reset_plan){ .error = self->error,
                                .state = ks_result_text(arena, ks_str(self->state)),
                                .items = items,
                                .count = self->count,
                                .executed = self->executed };
    return told;
}

kafka_error kafka_client_reset_consumer_group_offsets(kafka_client *client, kafka_context *context,
                                                      const kafka_reset_request *request, kafka_reset_plan **plan) {
    kafka_error error;
    const char *problem = problem_of(request);
    ks_client_call *call = ks_client_begin_with(client, context, "kafka_client_reset_consumer_group_offsets",
                                                problem == NULL, problem, &error);
    if (call == NULL) return error;
    reset self = { .call = call, .request = request, .state = "" };
    error = run(&self);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    error = first_code(&self);
    if (plan == NULL) return ks_client_end(call, error);
    *plan = tell(&self);
    return ks_client_end(call, KAFKA_OK);
}

KS_RESULT_FREE(kafka_reset_plan_free, kafka_reset_plan)
