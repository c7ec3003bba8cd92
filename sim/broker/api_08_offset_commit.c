/* SPDX-License-Identifier: Apache-2.0
 *
 * OffsetCommit (API key 8). As KafkaApis and OffsetMetadataManager.commitOffset: topics that do not exist are refused
 * one by one, then the group checks who commits, then each partition's metadata is measured. Offsets are compared with
 * nothing. */
#include "sim/broker/group_coordinator.h"
#include "sim/protocol/events.h"

typedef struct committing { /* nothing in it points to the request */
    ks_arena *arena;        /* of all that is here: the response keeps only what it says */
    ks_envelope *response;
    ks_group_committer who;
    ks_topic_commit *topics; /* as many as in the response: the partitions that nothing is held against so far */
    int32_t longest_metadata;
} committing;

static kafka_error find_topic(const ks_cluster *cluster, const ks_offset_commit_request_topic *asked, int16_t version,
                              const ks_topic **topic) {
    if (version >= 10) {
        *topic = ks_cluster_topic_find_id(cluster, asked->topic_id);
        return *topic != NULL ? KAFKA_OK : KAFKA_ERR_UNKNOWN_TOPIC_ID;
    }
    *topic = ks_cluster_topic_find(cluster, asked->name);
    return *topic != NULL ? KAFKA_OK : KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
}

/* The shape of the response; every partition gets its own first verdict. */
static void check_topic(const ks_cluster *cluster, committing *commit, const ks_offset_commit_request_topic *asked, int32_t t) {
    ks_arena *arena = commit->response->arena;
    ks_offset_commit_response_topic *told = &((ks_offset_commit_response *)commit->response->body)->topics.items[t];
    const ks_topic *topic = NULL;
    kafka_error error = find_topic(cluster, asked, commit->response->api_version, &topic);
    size_t partitions = asked->partitions.count > 0 ? (size_t)asked->partitions.count : 0;
    told->name = ks_arena_string(arena, asked->name);
    told->topic_id = asked->topic_id;
    told->partitions.count = (int32_t)partitions;
    told->partitions.items = ks_arena_alloc(arena, sizeof *told->partitions.items * partitions);
    ks_topic_commit *mine = &commit->topics[t];
    mine->offsets = ks_arena_alloc(commit->arena, sizeof *mine->offsets * partitions);
    if (topic != NULL) mine->topic = commit->response->api_version >= 10 ? ks_arena_string(commit->arena, topic->name) : told->name;
    for (size_t p = 0; p < partitions; p++) {
        const ks_offset_commit_request_partition *one = &asked->partitions.items[p];
        kafka_error verdict = error;
        if (topic != NULL && !ks_topic_has(topic, one->partition_index)) verdict = KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
        told->partitions.items[p].partition_index = one->partition_index;
        told->partitions.items[p].error_code = (int16_t)verdict;
        if (verdict != KAFKA_OK) continue;
        ks_string metadata = one->committed_metadata.size > 0 ? ks_arena_string(commit->arena, one->committed_metadata) : KS_LITERAL("");
        mine->offsets[mine->count++] = (ks_partition_offset){ one->partition_index, one->committed_leader_epoch, one->committed_offset, metadata };
        if (metadata.size > commit->longest_metadata) commit->longest_metadata = metadata.size;
    }
}

/* Returns how many partitions are left. */
static int32_t check_topics(const ks_cluster *cluster, committing *commit, const ks_offset_commit_request *request) {
    ks_offset_commit_response *body = commit->response->body;
    int32_t topics = request->topics.count > 0 ? request->topics.count : 0, valid = 0;
    body->topics.count = topics;
    body->topics.items = ks_arena_alloc(commit->response->arena, sizeof *body->topics.items * (size_t)topics);
    commit->topics = ks_arena_alloc(commit->arena, sizeof *commit->topics * (size_t)topics);
    for (int32_t t = 0; t < topics; t++) {
        check_topic(cluster, commit, &request->topics.items[t], t);
        valid += commit->topics[t].count;
    }
    return valid;
}

static void tell_refused(ks_broker *broker, const committing *commit, const ks_topic_commit *what, kafka_error error) {
    if (what->count == 0) return;
    KS_EMIT(ks_cluster_kernel(broker->cluster), broker->node, offset_commit_refused, .group = commit->who.group_id,
            .member = commit->who.member_id, .generation = commit->who.generation, .topic = what->topic,
            .error_code = (int16_t)error, .count = what->count, .partitions = { what->offsets, what->count });
}

static void tell_committed(ks_broker *broker, const committing *commit, const ks_topic_commit *what) {
    if (what->count == 0) return;
    KS_EMIT(ks_cluster_kernel(broker->cluster), broker->node, offsets_committed, .group = commit->who.group_id,
            .member = commit->who.member_id, .generation = commit->who.generation, .topic = what->topic,
            .count = what->count, .partitions = { what->offsets, what->count });
}

/* All that are left. */
static void refuse_all(ks_broker *broker, committing *commit, kafka_error error) {
    ks_offset_commit_response *body = commit->response->body;
    for (int32_t t = 0; t < body->topics.count; t++) {
        ks_offset_commit_response_topic *told = &body->topics.items[t];
        for (int32_t p = 0; p < told->partitions.count; p++)
            if (told->partitions.items[p].error_code == 0) told->partitions.items[p].error_code = (int16_t)error;
        tell_refused(broker, commit, &commit->topics[t], error);
    }
}

/* Takes out the partitions whose metadata is too long. */
static void check_metadata(ks_broker *broker, committing *commit, int32_t t, int32_t longest) {
    ks_offset_commit_response_topic *told = &((ks_offset_commit_response *)commit->response->body)->topics.items[t];
    ks_topic_commit *mine = &commit->topics[t], too_long = { .topic = mine->topic };
    int32_t next = 0, kept = 0;
    for (int32_t p = 0; p < told->partitions.count; p++) {
        if (told->partitions.items[p].error_code != 0) continue;
        const ks_partition_offset *one = &mine->offsets[next++];
        if (one->metadata.size > longest) {
            told->partitions.items[p].error_code = KAFKA_ERR_OFFSET_METADATA_TOO_LARGE;
            if (too_long.offsets == NULL) too_long.offsets = ks_arena_alloc(commit->arena, sizeof *too_long.offsets * (size_t)mine->count);
            too_long.offsets[too_long.count++] = *one;
        } else {
            mine->offsets[kept++] = *one;
        }
    }
    mine->count = kept;
    tell_refused(broker, commit, &too_long, KAFKA_ERR_OFFSET_METADATA_TOO_LARGE);
}

/* Does it only say again what the group has? Then periodic work stays periodic. O(partitions), for periodic work alone. */
static bool repeats(ks_broker *broker, const committing *commit) {
    if (!ks_in_background(ks_cluster_kernel(broker->cluster))) return false;
    const ks_group *group = ks_groups_find(ks_group_coordinator_groups(broker), commit->who.group_id);
    if (group == NULL) return false;
    int32_t topics = ((const ks_offset_commit_response *)commit->response->body)->topics.count;
    for (int32_t t = 0; t < topics; t++)
        if (!ks_group_offsets_repeat(group, &commit->topics[t])) return false;
    return true;
}

/* The records of all that is left, in one batch; null: nothing is. */
static ks_bytes make_batch(ks_broker *broker, committing *commit, const ks_offset_commit_request *request) {
    int64_t now_ms = ks_now_ms(ks_cluster_kernel(broker->cluster));
    int64_t retention = commit->response->api_version <= 4 ? request->retention_time_ms : -1;
    int64_t expire_ms = retention >= 0 && retention <= INT64_MAX - now_ms ? now_ms + retention : -1;
    ks_batch_builder *batch = ks_group_batch_begin(broker);
    for (int32_t t = 0; t < request->topics.count; t++) {
        commit->topics[t].commit_ms = now_ms;
        commit->topics[t].expire_ms = expire_ms;
        ks_offset_records_add(batch, commit->who.group_id, &commit->topics[t], commit->arena);
    }
    return batch->count > 0 ? ks_batch_finish(batch) : KS_NULL_BYTES;
}

static void apply(ks_broker *broker, const committing *commit, int32_t topics) {
    ks_groups *groups = ks_group_coordinator_groups(broker);
    ks_group *group = ks_groups_find(groups, commit->who.group_id);
    if (group == NULL) group = ks_group_new(groups, commit->who.group_id, ks_now_ms(ks_cluster_kernel(broker->cluster)));
    for (int32_t t = 0; t < topics; t++) ks_group_offsets_commit(group, &commit->topics[t]);
}

static bool on_written(ks_broker *broker, ks_group_write *write) {
    committing *commit = write->context;
    int32_t topics = ((const ks_offset_commit_response *)commit->response->body)->topics.count;
    if (write->error == KAFKA_OK) {
        if (write->batch.size > 0) apply(broker, commit, topics);
        for (int32_t t = 0; t < topics; t++) tell_committed(broker, commit, &commit->topics[t]);
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
    ks_arena *arena = ks_group_arena_take(broker);
    committing *commit = ks_arena_alloc(arena, sizeof *commit);
    commit->arena = arena;
    commit->response = response;
    commit->who = (ks_group_committer){ .group_id = ks_arena_string(arena, body->group_id),
                                        .member_id = ks_arena_string(arena, body->member_id),
                                        .instance_id = ks_arena_string(arena, body->group_instance_id),
                                        .generation = body->generation_id_or_member_epoch,
                                        .version = request->envelope->api_version };
    int32_t valid = check_topics(broker->cluster, commit, body);
    kafka_error error = valid > 0 ? check(broker, commit) : KAFKA_OK;
    if (valid == 0 || error != KAFKA_OK) { /* nothing left to ask the group about, or it says no */
        refuse_all(broker, commit, error);
        ks_respond(request, response);
        ks_group_arena_give(broker, arena);
        return;
    }
    int32_t longest = ks_group_coordinator_groups(broker)->settings.offset_metadata_max_bytes;
    for (int32_t t = 0; t < body->topics.count && commit->longest_metadata > longest; t++) check_metadata(broker, commit, t, longest);
    ks_group_write write = { .request = request,
                             .response = response,
                             .context = commit,
                             .arena = arena,
                             .repeats = repeats(broker, commit),
                             .batch = make_batch(broker, commit, body),
                             .done = on_written };
    ks_group_coordinator_write(broker, commit->who.group_id, &write);
}
