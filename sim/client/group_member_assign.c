/* SPDX-License-Identifier: Apache-2.0
 *
 * What the leader of a generation does between JoinGroup and SyncGroup: it reads the partitions of all topics that anybody
 * wants (over the coordinator's connection, auto-creation allowed) and lets the balancer that the coordinator chose divide them
 * (kafka-go, consumergroup.go: assignTopicPartitions).
 *
 * Chosen differently: in kafka-go one topic that does not exist leaves every topic of the group unassigned, because its metadata
 * call then returns nothing at all. Here, as in Java, the topics that exist are assigned.
 */
#include <stdlib.h>

#include "sim/client/group_member_internal.h"
#include "sim/protocol/events.h"

typedef struct members {
    kafka_group_member *items;
    int32_t count;
} members;

static int by_name(const void *left, const void *right) {
    return ks_string_compare(*(const ks_string *)left, *(const ks_string *)right);
}

/* The members with their subscriptions, in the order of the answer; strings in `round`. False: some metadata does not parse. */
static bool read_members(ks_membership *member, members *out) {
    const ks_join_group_response *response = member->joined->body;
    out->items = ks_arena_alloc(member->round, (size_t)(response->members.count + 1) * sizeof *out->items);
    out->count = response->members.count;
    for (int32_t m = 0; m < out->count; m++) {
        ks_subscription seen;
        if (!ks_subscription_decode(response->members.items[m].metadata, member->round, &seen)) return false;
        const char **topics = ks_arena_alloc(member->round, (size_t)(seen.topic_count + 1) * sizeof *topics);
        for (int32_t t = 0; t < seen.topic_count; t++) topics[t] = ks_arena_string(member->round, seen.topics[t]).data;
        out->items[m] = (kafka_group_member){
            .id = ks_arena_string(member->round, response->members.items[m].member_id).data,
            .topics = topics,
            .topic_count = (size_t)seen.topic_count,
            .user_data = { seen.user_data.size >= 0 ? seen.user_data.data : NULL,
                           seen.user_data.size >= 0 ? (size_t)seen.user_data.size : 0 },
        };
    }
    return true;
}

/* Ascending, each once. */
static int32_t union_of_topics(ks_membership *member, const members *all, ks_string **topics) {
    int32_t count = 0, kept = 0;
    for (int32_t m = 0; m < all->count; m++) count += (int32_t)all->items[m].topic_count;
    ks_string *list = ks_arena_alloc(member->round, (size_t)(count + 1) * sizeof *list);
    count = 0;
    for (int32_t m = 0; m < all->count; m++)
        for (size_t t = 0; t < all->items[m].topic_count; t++) list[count++] = ks_str(all->items[m].topics[t]);
    qsort(list, (size_t)count, sizeof *list, by_name);
    for (int32_t i = 0; i < count; i++)
        if (kept == 0 || !ks_string_equal(list[kept - 1], list[i])) list[kept++] = list[i];
    *topics = list;
    return kept;
}

/* ---- the answer to Metadata ---- */

static int by_topic_and_number(const void *left, const void *right) {
    const kafka_group_partition *a = left, *b = right;
    int order = strcmp(a->topic, b->topic);
    return order != 0 ? order : (a->partition > b->partition) - (a->partition < b->partition);
}

/* All partitions of the topics that exist, sorted. */
static kafka_error read_partitions(ks_membership *member, const ks_metadata_response *response,
                                   kafka_group_partition **partitions, int32_t *count) {
    int32_t all = 0;
    for (int32_t t = 0; t < response->topics.count; t++) {
        kafka_error code = (kafka_error)response->topics.items[t].error_code;
        if (code != KAFKA_OK && code != KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION) return code;
        all += response->topics.items[t].partitions.count;
    }
    *partitions = ks_arena_alloc(member->round, (size_t)(all + 1) * sizeof **partitions);
    *count = 0;
    for (int32_t t = 0; t < response->topics.count; t++) {
        const ks_metadata_response_topic *topic = &response->topics.items[t];
        const char *name = ks_arena_string(member->round, topic->name).data;
        for (int32_t p = 0; p < topic->partitions.count && topic->error_code == 0; p++) {
            const ks_metadata_response_broker *broker = ks_conn_broker(response, topic->partitions.items[p].leader_id);
            ks_string rack =
                broker && broker->rack.size > 0 ? ks_arena_string(member->round, broker->rack) : KS_LITERAL("");
            (*partitions)[(*count)++] = (kafka_group_partition){ name, topic->partitions.items[p].partition_index,
                                                                 topic->partitions.items[p].leader_id, rack.data };
        }
    }
    qsort(*partitions, (size_t)*count, sizeof **partitions, by_topic_and_number);
    return KAFKA_OK;
}

/* ---- the balancer and its result ---- */

static const kafka_group_balancer *chosen_balancer(const ks_membership *member) {
    for (int32_t i = 0; i < member->settings->balancer_count; i++)
        if (ks_string_equal(ks_str(member->settings->balancers[i].name), member->protocol))
            return &member->settings->balancers[i];
    return NULL;
}

/* The share of member `index`: its partitions stand together in `order`, from `from` on. Returns where the next member's do. */
static int32_t encode_share(ks_membership *member, const kafka_group_partition *partitions, const int32_t *owners,
                            const int32_t *order, int32_t count, int32_t from, int32_t index, ks_bytes *bytes) {
    int32_t to = from, topic_count = 0;
    while (to < count && owners[order[to]] == index) to++;
    ks_topic_partitions *topics = ks_arena_alloc(member->round, (size_t)(to - from + 1) * sizeof *topics);
    int32_t *numbers = ks_arena_alloc(member->round, (size_t)(to - from + 1) * sizeof *numbers);
    for (int32_t i = from; i < to; i++) {
        const kafka_group_partition *partition = &partitions[order[i]];
        if (topic_count == 0 || topics[topic_count - 1].topic.data != partition->topic)
            topics[topic_count++] = (ks_topic_partitions){ ks_str(partition->topic), &numbers[i - from], 0 };
        numbers[i - from] = partition->partition;
        topics[topic_count - 1].partition_count++;
    }
    ks_assignment assignment = {
        .version = 1, .topics = topics, .topic_count = topic_count, .user_data = KS_NULL_BYTES
    };
    *bytes = ks_assignment_encode(&assignment, member->round);
    return to;
}

/* Partitions by owner, in their order within each: a counting sort, O(members + partitions). Those of nobody are left out. */
static int32_t sort_by_owner(ks_arena *arena, const int32_t *owners, int32_t count, int32_t member_count,
                             int32_t **order) {
    int32_t *starts = ks_arena_alloc(arena, (size_t)(member_count + 2) * sizeof *starts);
    for (int32_t p = 0; p < count; p++) starts[owners[p] + 2]++; /* [0]: nobody's are counted in starts[1] */
    starts[1] = 0;
    for (int32_t m = 1; m <= member_count; m++) starts[m + 1] += starts[m];
    *order = ks_arena_alloc(arena, (size_t)(count + 1) * sizeof **order);
    int32_t placed = 0;
    for (int32_t p = 0; p < count; p++) {
        if (owners[p] < 0) continue;
        (*order)[starts[owners[p] + 1]++] = p;
        placed++;
    }
    return placed;
}

static void hand_in(ks_membership *member, const members *all, const kafka_group_partition *partitions,
                    const int32_t *owners, int32_t count) {
    int32_t *order, from = 0;
    int32_t placed = sort_by_owner(member->round, owners, count, all->count, &order);
    ks_sync_group_request_assignment *shares = ks_arena_alloc(member->round, (size_t)(all->count + 1) * sizeof *shares);
    for (int32_t m = 0; m < all->count; m++) {
        shares[m].member_id = ks_str(all->items[m].id);
        from = encode_share(member, partitions, owners, order, placed, from, m, &shares[m].assignment);
    }
    ks_node *node = ks_process_node(member->settings->process);
    KS_EMIT(ks_member_kernel(member), node, client_assignment_computed, .client = ks_str(ks_node_name(node)),
            .group = member->settings->group, .member = member->member_id, .generation = member->generation_id,
            .protocol = member->protocol, .members = all->count);
    ks_member_sync(member, shares, all->count);
}

static kafka_error balance(ks_membership *member, const members *all, const kafka_group_partition *partitions,
                           int32_t count, int32_t *owners) {
    const kafka_group_balancer *balancer = chosen_balancer(member);
    if (balancer == NULL) return KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL;
    for (int32_t p = 0; p < count; p++) owners[p] = KAFKA_NO_OWNER;
    kafka_error error =
        balancer->assign(balancer->argument, all->items, (size_t)all->count, partitions, (size_t)count, owners);
    for (int32_t p = 0; p < count && error == KAFKA_OK; p++)
        if (owners[p] < KAFKA_NO_OWNER || owners[p] >= all->count) error = KAFKA_ERR_USER;
    return error;
}

static void got_metadata(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_membership *member = owner;
    members all;
    kafka_group_partition *partitions = NULL;
    int32_t count = 0;
    bool parsed = read_members(member, &all);
    ks_assert(parsed); /* it did before */
    if (error == KAFKA_OK) error = read_partitions(member, envelope->body, &partitions, &count);
    if (error) {
        ks_member_failed(member, error, "Metadata (the leader asks for the partitions)");
        return;
    }
    int32_t *owners = ks_arena_alloc(member->round, (size_t)(count + 1) * sizeof *owners);
    error = balance(member, &all, partitions, count, owners);
    if (error)
        ks_member_failed(member, error, "the leader's group balancer");
    else
        hand_in(member, &all, partitions, owners, count);
}

void ks_member_assign(ks_membership *member) {
    members all;
    if (!read_members(member, &all)) {
        ks_member_failed(member, KAFKA_ERR_UNEXPECTED_EOF, "JoinGroup (a member's metadata does not parse)");
        return;
    }
    ks_string *topics;
    int32_t count = union_of_topics(member, &all, &topics);
    ks_ask_send(&member->ask, member->settings->process, member->channel,
                ks_conn_metadata(member->channel, topics, count), member->settings->timeout_ns, got_metadata, member);
}
