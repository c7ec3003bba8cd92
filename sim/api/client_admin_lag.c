/* SPDX-License-Identifier: Apache-2.0
 *
 * How far a group is behind, as kafka-consumer-groups.sh --describe tells it (Kafka's ConsumerGroupCommand): who owns
 * what, what is committed, where the logs end.
 */
#include "sim/api/client_admin.h"
#include "sim/api/client_offsets.h"

#include <stdlib.h>

typedef struct lag {
    kafka_described_group group; /* in the call's arena, as all here */
    const ks_log_query *committed;
    size_t committed_count;
    kafka_partition_lag *items;
    size_t count;
    kafka_error error;
} lag;

static int by_partition(const void *a, const void *b) {
    const kafka_partition_lag *left = a, *right = b;
    int order = strcmp(left->topic, right->topic);
    if (order == 0) order = left->partition < right->partition ? -1 : left->partition > right->partition;
    if (order == 0) order = (left->member == NULL) - (right->member == NULL); /* owned ones first */
    return order == 0 && left->member != NULL ? strcmp(left->member, right->member) : order;
}

static void add(lag *self, const char *topic, int32_t partition, int64_t committed, const kafka_described_member *owner) {
    kafka_partition_lag *item = &self->items[self->count++];
    *item = (kafka_partition_lag){ .topic = topic, .partition = partition, .committed = committed, .end = -1 };
    if (owner == NULL) return;
    item->member = owner->member;
    item->group_instance = owner->group_instance;
    item->client = owner->client;
    item->host = owner->host;
}

static size_t owned_count(const kafka_described_group *group) {
    size_t count = 0;
    for (size_t m = 0; m < group->member_count; m++)
        for (size_t t = 0; t < group->members[m].assignment_count; t++)
            count += group->members[m].assignment[t].partition_count;
    return count;
}

static int64_t committed_of(const lag *self, const char *topic, int32_t partition) {
    const ks_log_query key = { .topic = topic, .partition = partition };
    const ks_log_query *found = NULL;
    if (self->committed_count > 0)
        found = bsearch(&key, self->committed, self->committed_count, sizeof key, ks_log_query_compare);
    return found != NULL ? found->offset : -1;
}

/* What is owned, and of what is committed the rest. */
static void collect(lag *self, ks_arena *arena) {
    size_t limit = owned_count(&self->group) + self->committed_count;
    self->items = ks_arena_alloc(arena, limit * sizeof *self->items);
    for (size_t m = 0; m < self->group.member_count; m++) {
        const kafka_described_member *member = &self->group.members[m];
        for (size_t t = 0; t < member->assignment_count; t++) {
            const kafka_topic_partitions *topic = &member->assignment[t];
            for (size_t p = 0; p < topic->partition_count; p++)
                add(self, topic->topic, topic->partitions[p], committed_of(self, topic->topic, topic->partitions[p]), member);
        }
    }
    for (size_t i = 0; i < self->committed_count; i++)
        add(self, self->committed[i].topic, self->committed[i].partition, self->committed[i].offset, NULL);
    if (self->count == 0) return;
    qsort(self->items, self->count, sizeof *self->items, by_partition);
    size_t kept = 1;
    for (size_t i = 1; i < self->count; i++) {
        const kafka_partition_lag *before = &self->items[kept - 1], *at = &self->items[i];
        bool same = strcmp(before->topic, at->topic) == 0 && before->partition == at->partition;
        if (!same || at->member != NULL) self->items[kept++] = *at;
    }
    self->count = kept;
}

static kafka_error look_up_ends(lag *self, ks_client_call *call) {
    ks_log_query *queries = ks_arena_alloc(call->arena, self->count * sizeof *queries);
    size_t *of = ks_arena_alloc(call->arena, self->count * sizeof *of), count = 0;
    for (size_t i = 0; i < self->count; i++) {
        const ks_log_query query = { .topic = self->items[i].topic,
                                     .partition = self->items[i].partition,
                                     .time_ms = KAFKA_LAST_OFFSET };
        if (count == 0 || ks_log_query_compare(&queries[count - 1], &query) != 0) queries[count++] = query;
        of[i] = count - 1;
    }
    kafka_error failed = ks_client_ask_logs(call, queries, count);
    for (size_t i = 0; failed == KAFKA_OK && i < self->count; i++) {
        kafka_partition_lag *item = &self->items[i];
        item->error = queries[of[i]].error;
        item->end = queries[of[i]].offset;
        item->unknown = item->committed < 0 || item->end < 0;
        item->lag = item->unknown ? -1 : item->end - item->committed;
    }
    return failed;
}

static kafka_error run(lag *self, ks_client_call *call, const char *group) {
    ks_group_answer *answers;
    kafka_error failed = ks_admin_ask_groups(call, &group, 1, &answers);
    if (failed != KAFKA_OK) return failed;
    self->group = ks_admin_tell_group(call->arena, group, answers);
    self->error = self->group.error;
    if (self->error != KAFKA_OK) return KAFKA_OK;
    const ks_envelope *answer;
    failed = ks_admin_ask_offsets(call, group, NULL, 0, &answer, &self->error);
    if (failed != KAFKA_OK || self->error != KAFKA_OK) return failed;
    self->error = (kafka_error)ks_offset_fetch_code(answer);
    if (self->error != KAFKA_OK) return KAFKA_OK;
    self->committed = ks_admin_committed(call, answer, &self->committed_count);
    collect(self, call->arena);
    return look_up_ends(self, call);
}

static const char *kept(ks_arena *arena, const char *text) { return text != NULL ? ks_result_text(arena, ks_str(text)) : NULL; }

static kafka_group_lag *tell(const lag *self) {
    ks_arena *arena;
    kafka_group_lag *told = ks_result_new(sizeof *told, &arena);
    kafka_partition_lag *items = ks_arena_alloc(arena, self->count * sizeof *items);
    *told = (kafka_group_lag){
        .error = self->error, .state = kept(arena, self->group.state), .items = items, .count = self->count
    };
    for (size_t i = 0; i < self->count; i++) {
        items[i] = self->items[i];
        items[i].topic = kept(arena, items[i].topic);
        items[i].member = kept(arena, items[i].member);
        items[i].group_instance = kept(arena, items[i].group_instance);
        items[i].client = kept(arena, items[i].client);
        items[i].host = kept(arena, items[i].host);
        if (!items[i].unknown && items[i].lag > 0) told->total += items[i].lag;
    }
    return told;
}

kafka_error kafka_client_consumer_group_lag(kafka_client *client, kafka_context *context, const char *group,
                                            kafka_group_lag **told) {
    kafka_error error;
    ks_client_call *call = ks_client_begin_with(client, context, "kafka_client_consumer_group_lag", group != NULL,
                                                "group is NULL", &error);
    if (call == NULL) return error;
    lag self = { 0 };
    error = run(&self, call, group);
    if (error != KAFKA_OK) return ks_client_end(call, error);
    error = ks_client_code(call, (int16_t)self.error, group, KS_NULL_STRING);
    for (size_t i = 0; error == KAFKA_OK && i < self.count; i++)
        error = ks_client_partition_code(call, self.items[i].error, self.items[i].topic, self.items[i].partition);
    if (told == NULL) return ks_client_end(call, error);
    *told = tell(&self);
    return ks_client_end(call, KAFKA_OK);
}

KS_RESULT_FREE(kafka_group_lag_free, kafka_group_lag)
