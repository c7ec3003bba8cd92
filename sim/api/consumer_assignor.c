/* SPDX-License-Identifier: Apache-2.0
 * Assignors at the border: running a built-in one by hand, and the application's own ones inside a group. */
#include "sim/api/consumer_internal.h"

#include <stdlib.h>

/* ---- the application's own ---- */

static int compare_members(const void *a, const void *b) {
    const ks_assignor_member *const *x = a, *const *y = b;
    return ks_string_compare((*x)->id, (*y)->id);
}

static int compare_topics(const void *a, const void *b) {
    const ks_assignor_topic *const *x = a, *const *y = b;
    return ks_string_compare((*x)->name, (*y)->name);
}

static const char *text(ks_arena *arena, ks_string string) { return string.size < 0 ? NULL : ks_arena_string(arena, string).data; }

static kafka_assignor_member member_out(const ks_assignor_member *in, ks_arena *arena) {
    kafka_assignor_member out = { .id = text(arena, in->id), .instance_id = text(arena, in->instance_id),
                                  .rack = in->rack.size > 0 ? text(arena, in->rack) : NULL, .generation = in->generation };
    const char **topics = ks_arena_alloc(arena, ((size_t)in->topic_count + 1) * sizeof *topics);
    for (int32_t i = 0; i < in->topic_count; i++) topics[i] = text(arena, in->topics[i]);
    out.topics = topics;
    out.topic_count = (size_t)in->topic_count;
    for (int32_t t = 0; t < in->owned_count; t++) out.owned_count += (size_t)in->owned[t].partition_count;
    kafka_topic_partition *owned = ks_arena_alloc(arena, (out.owned_count + 1) * sizeof *owned), *next = owned;
    for (int32_t t = 0; t < in->owned_count; t++) {
        const char *name = text(arena, in->owned[t].topic);
        for (int32_t i = 0; i < in->owned[t].partition_count; i++) *next++ = (kafka_topic_partition){ name, in->owned[t].partitions[i] };
    }
    out.owned = owned;
    return out;
}

static kafka_assignor_topic topic_out(const ks_assignor_topic *in, ks_arena *arena) {
    kafka_assignor_topic out = { text(arena, in->name), in->partition_count, NULL };
    if (in->replica_racks == NULL) return out;
    const char *const **racks = ks_arena_alloc(arena, ((size_t)in->partition_count + 1) * sizeof *racks);
    for (int32_t p = 0; p < in->partition_count; p++) {
        const char **list = ks_arena_alloc(arena, ((size_t)in->replica_racks[p].count + 1) * sizeof *list);
        for (int32_t r = 0; r < in->replica_racks[p].count; r++) list[r] = text(arena, in->replica_racks[p].racks[r]);
        racks[p] = list;
    }
    out.replica_racks = racks;
    return out;
}

/* Fills one member's share from the owners; topics come in the order of `topics`, which is by name. */
static ks_assignor_share share_of(int32_t member, const ks_assignor_topic *const *topics, int32_t count, const int32_t *owners, ks_arena *arena) {
    ks_assignor_share share = { ks_arena_alloc(arena, ((size_t)count + 1) * sizeof *share.topics), 0 };
    for (int32_t t = 0; t < count; owners += topics[t]->partition_count, t++) {
        int32_t mine = 0;
        for (int32_t p = 0; p < topics[t]->partition_count; p++) mine += owners[p] == member;
        if (mine == 0) continue;
        int32_t *numbers = ks_arena_alloc(arena, (size_t)mine * sizeof *numbers);
        share.topics[share.topic_count++] = (ks_topic_partitions){ topics[t]->name, numbers, mine };
        for (int32_t p = 0; p < topics[t]->partition_count; p++)
            if (owners[p] == member) *numbers++ = p;
    }
    return share;
}

kafka_error ks_own_assign(void *argument, const ks_assignor_input *input, ks_arena *arena, ks_assignor_share *shares) {
    const ks_own_assignor *own = argument;
    size_t member_count = (size_t)input->member_count, topic_count = (size_t)input->topic_count, total = 0;
    const ks_assignor_member **sorted = ks_arena_alloc(arena, (member_count + 1) * sizeof *sorted);
    const ks_assignor_topic **topics = ks_arena_alloc(arena, (topic_count + 1) * sizeof *topics);
    for (size_t i = 0; i < member_count; i++) sorted[i] = &input->members[i];
    for (size_t i = 0; i < topic_count; i++) topics[i] = &input->topics[i];
    qsort(sorted, member_count, sizeof *sorted, compare_members);
    qsort(topics, topic_count, sizeof *topics, compare_topics);
    kafka_assignor_member *members_out = ks_arena_alloc(arena, (member_count + 1) * sizeof *members_out);
    kafka_assignor_topic *topics_out = ks_arena_alloc(arena, (topic_count + 1) * sizeof *topics_out);
    for (size_t i = 0; i < member_count; i++) members_out[i] = member_out(sorted[i], arena);
    for (size_t i = 0; i < topic_count; i++) {
        topics_out[i] = topic_out(topics[i], arena);
        total += (size_t)topics[i]->partition_count;
    }
    int32_t *owners = ks_arena_alloc(arena, (total + 1) * sizeof *owners);
    for (size_t i = 0; i < total; i++) owners[i] = KAFKA_NO_MEMBER;
    kafka_error error = own->assignor.assign(own->assignor.argument, members_out, member_count, topics_out, topic_count, owners);
    if (error) return error;
    for (size_t i = 0; i < total; i++)
        if (owners[i] != KAFKA_NO_MEMBER && (owners[i] < 0 || (size_t)owners[i] >= member_count)) return KAFKA_ERR_INVALID_ARGUMENT;
    for (size_t i = 0; i < member_count; i++)
        shares[sorted[i] - input->members] = share_of((int32_t)i, topics, input->topic_count, owners, arena);
    return KAFKA_OK;
}

/* ---- running a built-in one ---- */

static ks_assignor_member member_in(const kafka_assignor_member *in, ks_arena *arena) {
    ks_string *topics = ks_arena_alloc(arena, (in->topic_count + 1) * sizeof *topics);
    ks_topic_partitions *owned = ks_arena_alloc(arena, (in->owned_count + 1) * sizeof *owned);
    for (size_t i = 0; i < in->topic_count; i++) topics[i] = ks_str(in->topics[i]);
    for (size_t i = 0; i < in->owned_count; i++) {
        int32_t *number = ks_arena_alloc(arena, sizeof *number);
        *number = in->owned[i].partition;
        owned[i] = (ks_topic_partitions){ ks_str(in->owned[i].topic), number, 1 };
    }
    return (ks_assignor_member){ .id = ks_str(in->id), .instance_id = ks_str(in->instance_id), .rack = ks_str(in->rack), .topics = topics,
                                 .topic_count = (int32_t)in->topic_count, .owned = owned, .owned_count = (int32_t)in->owned_count,
                                 .generation = in->generation };
}

static ks_assignor_topic topic_in(const kafka_assignor_topic *in, ks_arena *arena) {
    ks_assignor_topic out = { ks_str(in->name), in->partition_count, NULL };
    if (in->replica_racks == NULL) return out;
    ks_replica_racks *racks = ks_arena_alloc(arena, ((size_t)in->partition_count + 1) * sizeof *racks);
    for (int32_t p = 0; p < in->partition_count; p++) {
        while (in->replica_racks[p] && in->replica_racks[p][racks[p].count]) racks[p].count++;
        ks_string *list = ks_arena_alloc(arena, ((size_t)racks[p].count + 1) * sizeof *list);
        for (int32_t r = 0; r < racks[p].count; r++) list[r] = ks_str(in->replica_racks[p][r]);
        racks[p].racks = list;
    }
    out.replica_racks = racks;
    return out;
}

static bool well_formed(const kafka_assignor_member *members, size_t member_count, const kafka_assignor_topic *topics, size_t topic_count) {
    if ((members == NULL && member_count > 0) || (topics == NULL && topic_count > 0)) return false;
    for (size_t i = 0; i < topic_count; i++)
        if (topics[i].name == NULL || topics[i].partition_count < 0) return false;
    for (size_t m = 0; m < member_count; m++) {
        if (members[m].id == NULL || (members[m].topics == NULL && members[m].topic_count > 0)) return false;
        for (size_t i = 0; i < members[m].topic_count; i++)
            if (members[m].topics[i] == NULL) return false;
        for (size_t i = 0; i < members[m].owned_count; i++)
            if (members[m].owned == NULL || members[m].owned[i].topic == NULL) return false;
    }
    return true;
}

kafka_error kafka_assign(const char *name, const kafka_assignor_member *members, size_t member_count, const kafka_assignor_topic *topics,
                         size_t topic_count, int32_t *owners) {
    const ks_assignor *assignor = name ? ks_assignor_find(ks_str(name)) : NULL;
    if (assignor == NULL || owners == NULL || !well_formed(members, member_count, topics, topic_count)) return KAFKA_ERR_INVALID_ARGUMENT;
    ks_arena *arena = ks_arena_new();
    ks_assignor_member *in = ks_arena_alloc(arena, (member_count + 1) * sizeof *in);
    ks_assignor_topic *topics_in = ks_arena_alloc(arena, (topic_count + 1) * sizeof *topics_in);
    ks_assignor_share *shares = ks_arena_alloc(arena, (member_count + 1) * sizeof *shares);
    for (size_t i = 0; i < member_count; i++) in[i] = member_in(&members[i], arena);
    for (size_t i = 0; i < topic_count; i++) topics_in[i] = topic_in(&topics[i], arena);
    ks_assignor_input input = { topics_in, (int32_t)topic_count, in, (int32_t)member_count, NULL };
    assignor->assign(&input, arena, shares);
    int32_t *next = owners;
    for (size_t t = 0; t < topic_count; next += topics[t].partition_count, t++) {
        for (int32_t p = 0; p < topics[t].partition_count; p++) next[p] = KAFKA_NO_MEMBER;
        for (size_t m = 0; m < member_count; m++)
            for (int32_t s = 0; s < shares[m].topic_count; s++)
                if (ks_string_equal(shares[m].topics[s].topic, topics_in[t].name))
                    for (int32_t i = 0; i < shares[m].topics[s].partition_count; i++) next[shares[m].topics[s].partitions[i]] = (int32_t)m;
    }
    ks_arena_free(arena);
    return KAFKA_OK;
}
