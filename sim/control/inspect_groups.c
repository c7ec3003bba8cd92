/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups, members, assignments, committed offsets and lag, as their coordinators know them.
 */
#include <stdlib.h>

#include "sim/broker/group_consumer.h"
#include "sim/broker/group_coordinator.h"
#include "sim/control/inspect.h"
#include "sim/protocol/consumer_protocol.h"

ks_string ks_sim_client_of_host(ks_string host) {
    return host.size > 0 && host.data[0] == '/' ? (ks_string){ host.data + 1, host.size - 1 } : host;
}

ks_string ks_sim_member_client(const ks_group_member *member) { return ks_sim_client_of_host(member->client_host); }

/* ---- assignments ---- */

static int by_assigned(const void *a, const void *b) {
    const ksim_assigned *left = a, *right = b;
    int topics = strcmp(left->topic, right->topic);
    return topics ? topics : left->partition < right->partition ? -1 : left->partition > right->partition;
}

static void fill_assigned(ks_arena *view, const ks_group_member *from, ksim_member *to) {
    ks_assignment assignment;
    if (ks_group_assignment_of(from).size <= 0 || !ks_assignment_decode(ks_group_assignment_of(from), view, &assignment)) return;
    size_t count = 0;
    for (int32_t i = 0; i < assignment.topic_count; i++) count += (size_t)assignment.topics[i].partition_count;
    ksim_assigned *assigned = ks_arena_alloc(view, sizeof *assigned * (count + 1));
    for (int32_t i = 0; i < assignment.topic_count; i++) {
        const char *topic = ks_view_string(view, assignment.topics[i].topic);
        for (int32_t j = 0; j < assignment.topics[i].partition_count; j++) {
            assigned[to->assigned_count++] = (ksim_assigned){ topic, assignment.topics[i].partitions[j] };
        }
    }
    qsort(assigned, to->assigned_count, sizeof *assigned, by_assigned);
    to->assigned = assigned;
}

static int by_member(const void *a, const void *b) {
    const ksim_member *left = a, *right = b;
    int clients = strcmp(left->client, right->client);
    return clients ? clients : strcmp(left->id, right->id);
}

static void fill_owned(ks_arena *view, const ks_consumer_member *from, ksim_member *to) {
    ksim_assigned *assigned = ks_arena_alloc(view, sizeof *assigned * (size_t)(from->assigned.count + 1));
    for (int32_t i = 0; i < from->assigned.count; i++) {
        const ks_consumer_topic *topic = ks_consumer_topic_of(from->group, from->assigned.items[i]);
        if (topic == NULL || topic->name.size <= 0) continue;
        assigned[to->assigned_count++] =
            (ksim_assigned){ ks_view_string(view, topic->name), KS_TP_PARTITION(from->assigned.items[i]) };
    }
    qsort(assigned, to->assigned_count, sizeof *assigned, by_assigned);
    to->assigned = assigned;
}

/* A group of the consumer protocol: what its members have (not what they should have). */
static void fill_consumer_members(ks_arena *view, const ks_consumer_group *from, ksim_group *to) {
    ksim_member *members = ks_arena_alloc(view, sizeof *members * (size_t)(from->member_count + 1));
    for (int32_t i = 0; i < from->member_count; i++) {
        const ks_consumer_member *member = from->sorted[i];
        members[i] = (ksim_member){ .id = ks_view_string(view, member->id),
                                    .instance_id = ks_view_string(view, member->instance_id),
                                    .client = ks_view_string(view, ks_sim_client_of_host(member->client_host)),
                                    .client_id = ks_view_string(view, member->client_id),
                                    .epoch = member->epoch,
                                    .state = ks_consumer_member_state_text(member->state) };
        fill_owned(view, member, &members[i]);
    }
    qsort(members, (size_t)from->member_count, sizeof *members, by_member);
    to->members = members;
    to->member_count = (size_t)from->member_count;
}

static void fill_members(ks_arena *view, ks_group *from, ksim_group *to) {
    ksim_member *members = ks_arena_alloc(view, sizeof *members * (size_t)(from->member_count + 1));
    ks_group_member *const *sorted = ks_group_members_sorted(from);
    bool consumer = ks_string_equal(from->protocol_type, KS_LITERAL("consumer"));
    for (int32_t i = 0; i < from->member_count; i++) {
        members[i] = (ksim_member){ .id = ks_view_string(view, sorted[i]->id),
                                    .instance_id = ks_view_string(view, sorted[i]->instance_id),
                                    .client = ks_view_string(view, ks_sim_member_client(sorted[i])),
                                    .client_id = ks_view_string(view, sorted[i]->client_id),
                                    .epoch = from->generation };
        if (consumer) fill_assigned(view, sorted[i], &members[i]);
    }
    qsort(members, (size_t)from->member_count, sizeof *members, by_member);
    to->members = members;
    to->member_count = (size_t)from->member_count;
}

/* ---- offsets ---- */

static int64_t lag_of(const ksim *sim, ks_string topic, int32_t index, int64_t offset) {
    const ks_partition *partition = ks_cluster_partition_find(sim->cluster, topic, index);
    if (partition == NULL) return -1;
    int64_t lag = ks_log_high_watermark(partition->log) - offset;
    return lag > 0 ? lag : 0;
}

static void fill_committed(ksim *sim, ks_arena *view, ks_group *from, ksim_group *to) {
    int32_t topic_count;
    ks_offsets_topic **topics = ks_group_offset_topics(from, view, &topic_count);
    ksim_committed *all = ks_arena_alloc(view, sizeof *all * (size_t)(ks_group_offset_count(from) + 1));
    for (int32_t i = 0; i < topic_count; i++) {
        const char *name = ks_view_string(view, topics[i]->name);
        for (int32_t partition = 0; partition < topics[i]->capacity; partition++) {
            const ks_committed *value = &topics[i]->items[partition];
            if (value->offset < 0) continue;
            all[to->committed_count++] =
                (ksim_committed){ .topic = name,
                                  .partition = partition,
                                  .offset = value->offset,
                                  .time = value->commit_ms * KS_MS,
                                  .metadata = value->more != NULL ? ks_view_string(view, value->more->metadata) : "",
                                  .lag = lag_of(sim, topics[i]->name, partition, value->offset) };
        }
    }
    to->committed = all;
}

/* ---- groups ---- */

static const char *or_empty(const char *text) { return text ? text : ""; }

static void fill_group(ksim *sim, ks_arena *view, ks_group *from, ksim_group *to) {
    const ks_broker *broker = ks_group_coordinator_of(sim->cluster, from->id);
    *to = (ksim_group){ .name = ks_view_string(view, from->id),
                        .state = ks_group_state_text(from),
                        .generation = from->generation,
                        .coordinator = broker ? broker->id : -1,
                        .protocol_type = or_empty(ks_view_string(view, from->protocol_type)),
                        .protocol = or_empty(ks_view_string(view, from->protocol_name)),
                        .leader = from->leader ? ks_view_string(view, from->leader->id) : "" };
    if (from->kind == KS_GROUP_CLASSIC) {
        fill_members(view, from, to);
    } else {
        to->generation = from->consumer->group_epoch;
        to->protocol_type = "consumer";
        to->protocol = or_empty(ks_view_string(view, ks_consumer_group_assignor(from)));
        fill_consumer_members(view, from->consumer, to);
    }
    fill_committed(sim, view, from, to);
}

const ksim_group *ksim_groups(ksim *sim, size_t *count) {
    if (count) *count = 0;
    if (ks_sim_check(sim)) return NULL;
    ks_arena *view = ks_sim_view(sim);
    int32_t group_count;
    ks_group **groups = ks_cluster_groups(sim->cluster, view, &group_count);
    ksim_group *list = ks_arena_alloc(view, sizeof *list * (size_t)(group_count + 1));
    for (int32_t i = 0; i < group_count; i++) fill_group(sim, view, groups[i], &list[i]);
    if (count) *count = (size_t)group_count;
    return list;
}

static ks_group *group_get(ksim *sim, const char *name, const char *call) {
    if (ks_sim_check(sim)) return NULL;
    ks_group *group = name ? ks_cluster_group_find(sim->cluster, ks_str(name)) : NULL;
    if (group) return group;
    ks_buffer names = { 0 };
    int32_t count;
    ks_group **groups = ks_cluster_groups(sim->cluster, ks_sim_view(sim), &count);
    for (int32_t i = 0; i < count && i < 20; i++)
        ks_buffer_printf(&names, "%s%s", i ? ", " : "; there are ", groups[i]->id.data);
    ks_sim_fail(sim, KAFKA_ERR_GROUP_ID_NOT_FOUND, "%s: there is no group \"%.100s\"%.500s", call,
                name ? name : "(NULL)", count ? (const char *)names.data : "; there is none yet");
    ks_buffer_deinit(&names);
    return NULL;
}

const ksim_group *ksim_group_find(ksim *sim, const char *name) {
    ks_group *group = group_get(sim, name, "ksim_group_find");
    if (group == NULL) return NULL;
    ksim_group *view = ks_arena_alloc(ks_sim_view(sim), sizeof *view);
    fill_group(sim, ks_sim_view(sim), group, view);
    return view;
}

int64_t ksim_committed_offset(ksim *sim, const char *group, const char *topic, int32_t partition) {
    if (ks_sim_check(sim) || group == NULL || topic == NULL) return -1;
    const ks_committed *value = ks_cluster_group_offset(sim->cluster, ks_str(group), ks_str(topic), partition);
    return value ? value->offset : -1;
}

static int64_t topic_lag(const ks_group *group, const ks_topic *topic) {
    int64_t lag = 0;
    for (int32_t i = 0; i < topic->partition_count; i++) {
        const ks_committed *value = ks_group_offset_find(group, topic->name, i);
        const ks_log *log = topic->partitions[i]->log;
        int64_t from = value && value->offset >= 0 ? value->offset : ks_log_start_offset(log);
        if (from < ks_log_high_watermark(log)) lag += ks_log_high_watermark(log) - from;
    }
    return lag;
}

int64_t ksim_lag(ksim *sim, const char *group_name, const char *topic_name) {
    ks_group *group = group_get(sim, group_name, "ksim_lag");
    if (group == NULL) return -1;
    if (topic_name) {
        const ks_topic *topic = ks_cluster_topic_find(sim->cluster, ks_str(topic_name));
        if (topic == NULL)
            ks_sim_fail(sim, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION, "ksim_lag: there is no topic \"%.100s\"",
                        topic_name);
        return topic ? topic_lag(group, topic) : -1;
    }
    int32_t count;
    int64_t lag = 0;
    ks_offsets_topic **topics = ks_group_offset_topics(group, ks_sim_view(sim), &count);
    for (int32_t i = 0; i < count; i++) {
        const ks_topic *topic = ks_cluster_topic_find(sim->cluster, topics[i]->name);
        if (topic) lag += topic_lag(group, topic);
    }
    return lag;
}

/* ---- "c1=orders[0,1,2] c3=orders[3,4,5]" ---- */

static int compare_names(const char *a, const char *b) {
    return a == NULL || b == NULL ? (a != NULL) - (b != NULL) : strcmp(a, b);
}

int ks_place_compare(const void *left, const void *right) {
    const ks_place *a = left, *b = right;
    int order = compare_names(a->owner, b->owner);
    if (order == 0) order = compare_names(a->topic, b->topic);
    if (order == 0) order = a->partition < b->partition ? -1 : a->partition > b->partition;
    if (order == 0) order = a->value < b->value ? -1 : a->value > b->value;
    return order;
}

void ks_places_write(const ks_place *places, int32_t count, ks_buffer *out) {
    for (int32_t i = 0; i < count; i++) {
        const ks_place *at = &places[i], *before = i ? at - 1 : NULL;
        bool new_owner = at->owner && (before == NULL || strcmp(before->owner, at->owner) != 0);
        bool new_topic = at->topic && (new_owner || before == NULL || compare_names(before->topic, at->topic) != 0);
        if (before && before->topic && (new_owner || new_topic)) ks_buffer_text(out, "]");
        if (before && (new_owner || (new_topic && before->topic))) ks_buffer_text(out, " ");
        if (new_owner) ks_buffer_printf(out, "%s=", at->owner);
        if (at->topic == NULL) continue;
        if (new_topic)
            ks_buffer_printf(out, "%s[%d", at->topic, at->partition);
        else
            ks_buffer_printf(out, ",%d", at->partition);
    }
    if (count > 0 && places[count - 1].topic) ks_buffer_text(out, "]");
}

const char *ksim_assignment(ksim *sim, const char *name) {
    const ksim_group *group = ksim_group_find(sim, name);
    if (group == NULL) return "";
    KS_VEC(ks_place) places = { 0 };
    for (size_t i = 0; i < group->member_count; i++) {
        const ksim_member *member = &group->members[i];
        if (member->assigned_count == 0) KS_PUSH(places, (ks_place){ .owner = member->client });
        for (size_t j = 0; j < member->assigned_count; j++) {
            KS_PUSH(places, (ks_place){ .owner = member->client,
                                        .topic = member->assigned[j].topic,
                                        .partition = member->assigned[j].partition });
        }
    }
    ks_buffer text = { 0 };
    if (places.count) qsort(places.items, (size_t)places.count, sizeof *places.items, ks_place_compare);
    ks_places_write(places.items, places.count, &text);
    ks_free(places.items);
    return ks_sim_view_text(sim, &text);
}
