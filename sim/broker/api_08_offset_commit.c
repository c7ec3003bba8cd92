/* SPDX-License-Identifier: Apache-2.0
 *
 * OffsetCommit (API key 8). As KafkaApis and OffsetMetadataManager.commitOffset: topics that do not exist are refused
 * one by one, then the group checks who commits, then each partition's metadata is measured. Offsets are compared with
 * nothing. */
#include "sim/broker/group_coordinator.h"
#include "sim/protocol/events.h"

typedef struct committing {                  /* lives in the response's arena */
    const ks_offset_commit_request *request; /* gone when its connection is */
    ks_envelope *response;
    ks_group_committer who; /* copies */
    int32_t valid;          /* partitions that nothing was held against yet; so many fit in the next two */
    ks_group_record *records;
    struct offered *offered; /* what the records say */
    int32_t count;
} committing;

typedef struct offered {
    ks_string topic, metadata;
    int32_t partition;
    int64_t offset;
} offered;

static kafka_error find_topic(const ks_cluster *cluster, const ks_offset_commit_request_topic *asked, int16_t version,
                              const ks_topic **topic) {
    if (version >= 10) {
        *topic = ks_cluster_topic_find_id(cluster, asked->topic_id);
        return *topic != NULL ? KAFKA_OK : KAFKA_ERR_UNKNOWN_TOPIC_ID;
    }
    *topic = ks_cluster_topic_find(cluster, asked->name);
    return *topic != NULL ? KAFKA_OK : KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
}

/* Fills the response's shape; every partition gets its own first verdict. */
static void check_topics(const ks_cluster *cluster, committing *commit, ks_offset_commit_response *body,
                         ks_arena *arena) {
    int16_t version = commit->response->api_version;
    int32_t topics = commit->request->topics.count > 0 ? commit->request->topics.count : 0;
    body->topics.count = topics;
    body->topics.items = ks_arena_alloc(arena, sizeof *body->topics.items * (size_t)(topics + 1));
    for (int32_t t = 0; t < topics; t++) {
        const ks_offset_commit_request_topic *asked = &commit->request->topics.items[t];
        ks_offset_commit_response_topic *told = &body->topics.items[t];
        const ks_topic *topic = NULL;
        kafka_error error = find_topic(cluster, asked, version, &topic);
        int32_t partitions = asked->partitions.count > 0 ? asked->partitions.count : 0;
        told->name = ks_arena_string(arena, asked->name);
        told->topic_id = asked->topic_id;
        told->partitions.count = partitions;
        told->partitions.items = ks_arena_alloc(arena, sizeof *told->partitions.items * (size_t)(partitions + 1));
        for (int32_t p = 0; p < partitions; p++) {
            int32_t index = asked->partitions.items[p].partition_index;
            kafka_error verdict = error;
            if (topic != NULL && ks_topic_partition(topic, index) == NULL)
                verdict = KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
            told->partitions.items[p].partition_index = index;
            told->partitions.items[p].error_code = (int16_t)verdict;
            commit->valid += verdict == KAFKA_OK;
        }
    }
}

typedef void partition_fn(ks_broker *broker, committing *commit, ks_string topic,
                          const ks_offset_commit_request_partition *asked, ks_offset_commit_response_partition *told);

/* All partitions that nothing is held against so far. */
/* Newer clients name topics by id; a topic that is gone has no name any more. */
static ks_string name_of(ks_broker *broker, const committing *commit, const ks_offset_commit_request_topic *asked) {
    const ks_topic *topic = commit->response->api_version >= 10 ? ks_cluster_topic_find_id(broker->cluster, asked->topic_id) : NULL;
    return topic != NULL ? topic->name : asked->name;
}

static void for_each_valid(ks_broker *broker, committing *commit, partition_fn *fn) {
    ks_offset_commit_response *body = commit->response->body;
    for (int32_t t = 0; t < body->topics.count; t++) {
        const ks_offset_commit_request_topic *asked = &commit->request->topics.items[t];
        ks_string name = name_of(broker, commit, asked);
        for (int32_t p = 0; p < body->topics.items[t].partitions.count; p++) {
            ks_offset_commit_response_partition *told = &body->topics.items[t].partitions.items[p];
            if (told->error_code == 0) fn(broker, commit, name, &asked->partitions.items[p], told);
        }
    }
}

static void tell_refused(ks_broker *broker, const committing *commit, ks_string topic,
                         const ks_offset_commit_request_partition *asked, int16_t error) {
    KS_EMIT(ks_cluster_kernel(broker->cluster), broker->node, offset_commit_refused, .group = commit->who.group_id,
            .member = commit->who.member_id, .generation = commit->who.generation, .topic = topic,
            .partition = asked->partition_index, .offset = asked->committed_offset, .error_code = error);
}

static void refuse_all(ks_broker *broker, committing *commit, kafka_error error) {
    ks_offset_commit_response *body = commit->response->body;
    for (int32_t t = 0; t < body->topics.count; t++) {
        const ks_offset_commit_request_topic *asked = &commit->request->topics.items[t];
        for (int32_t p = 0; p < body->topics.items[t].partitions.count; p++) {
            ks_offset_commit_response_partition *told = &body->topics.items[t].partitions.items[p];
            if (told->error_code != 0) continue;
            told->error_code = (int16_t)error;
            tell_refused(broker, commit, name_of(broker, commit, asked), &asked->partitions.items[p], (int16_t)error);
        }
    }
}

static void prepare_record(ks_broker *broker, committing *commit, ks_string topic,
                           const ks_offset_commit_request_partition *asked, ks_offset_commit_response_partition *told) {
    const ks_group_settings *settings = &ks_group_coordinator_groups(broker)->settings;
    if (asked->committed_metadata.size > settings->offset_metadata_max_bytes) {
        told->error_code = KAFKA_ERR_OFFSET_METADATA_TOO_LARGE;
        tell_refused(broker, commit, topic, asked, told->error_code);
        return;
    }
    int64_t now_ms = ks_now_ms(ks_cluster_kernel(broker->cluster));
    int64_t retention = commit->response->api_version <= 4 ? commit->request->retention_time_ms : -1;
    ks_committed_value value = { .offset = asked->committed_offset,
                                 .leader_epoch = asked->committed_leader_epoch,
                                 .metadata = asked->committed_metadata,
                                 .commit_ms = now_ms,
                                 .expire_ms =
                                     retention >= 0 && retention <= INT64_MAX - now_ms ? now_ms + retention : -1 };
    ks_arena *arena = commit->response->arena;
    const offered *former = commit->count > 0 ? &commit->offered[commit->count - 1] : NULL;
    offered *mine = &commit->offered[commit->count];
    ks_offset_record(commit->who.group_id, topic, asked->partition_index, &value, arena, &commit->records[commit->count++]);
    mine->topic = former != NULL && ks_string_equal(former->topic, topic) ? former->topic : ks_arena_string(arena, topic);
    mine->metadata = value.metadata.size > 0 ? ks_arena_string(arena, value.metadata) : KS_LITERAL("");
    mine->partition = asked->partition_index;
    mine->offset = value.offset;
}

static void tell_committed(ks_broker *broker, const committing *commit, const offered *what) {
    KS_EMIT(ks_cluster_kernel(broker->cluster), broker->node, offsets_committed, .group = commit->who.group_id,
            .member = commit->who.member_id, .generation = commit->who.generation, .topic = what->topic,
            .partition = what->partition, .offset = what->offset, .metadata = what->metadata);
}

static bool on_written(ks_broker *broker, ks_group_write *write) {
    committing *commit = write->context;
    if (write->error == KAFKA_OK) {
        for (int32_t i = 0; i < commit->count; i++) tell_committed(broker, commit, &commit->offered[i]);
    } else if (write->request != NULL) {
        refuse_all(broker, commit, write->error);
    }
    return true;
}

static kafka_error check(ks_broker *broker, const committing *commit) {
    if (commit->who.group_id.size < 0) return KAFKA_ERR_INVALID_GROUP_ID;
    kafka_error error = ks_group_coordinator_check(broker, commit->who.group_id);
    if (error != KAFKA_OK) return error;
    int64_t now_ms = ks_now_ms(ks_cluster_kernel(broker->cluster));
    error = ks_groups_check_commit(ks_group_coordinator_groups(broker), &commit->who, now_ms,
                                   ks_group_coordinator_effects(broker));
    ks_group_coordinator_perform(broker);
    return error;
}

void ks_handle_offset_commit(ks_broker *broker, ks_request *request) {
    const ks_offset_commit_request *body = request->envelope->body;
    ks_envelope *response = ks_response_new(request);
    committing *commit = ks_arena_alloc(response->arena, sizeof *commit);
    commit->request = body;
    commit->response = response;
    commit->who = (ks_group_committer){ .group_id = ks_arena_string(response->arena, body->group_id),
                                        .member_id = ks_arena_string(response->arena, body->member_id),
                                        .instance_id = ks_arena_string(response->arena, body->group_instance_id),
                                        .generation = body->generation_id_or_member_epoch,
                                        .version = request->envelope->api_version };
    check_topics(broker->cluster, commit, response->body, response->arena);
    if (commit->valid == 0) { /* nothing left to ask the group about */
        ks_respond(request, response);
        return;
    }
    kafka_error error = check(broker, commit);
    if (error != KAFKA_OK) {
        refuse_all(broker, commit, error);
        ks_respond(request, response);
        return;
    }
    commit->records = ks_arena_alloc(response->arena, (size_t)commit->valid * sizeof *commit->records);
    commit->offered = ks_arena_alloc(response->arena, (size_t)commit->valid * sizeof *commit->offered);
    for_each_valid(broker, commit, prepare_record);
    ks_group_write write = { .request = request,
                             .response = response,
                             .context = commit,
                             .records = commit->records,
                             .count = commit->count,
                             .done = on_written };
    ks_group_coordinator_write(broker, commit->who.group_id, &write);
}
