/* SPDX-License-Identifier: Apache-2.0
 * Turns names into numbers for the assignors, and the solution back (assignor_problem.h). */
#include "sim/client/assignor_problem.h"

#include <stdlib.h>

static void *room(ks_arena *arena, int64_t count, size_t size) { return ks_arena_alloc(arena, ((size_t)count + 1) * size); }

static int compare_topics(const void *a, const void *b) {
    return ks_string_compare(((const ks_problem_topic *)a)->name, ((const ks_problem_topic *)b)->name);
}

static int compare_members(const void *a, const void *b) {
    return ks_string_compare(((const ks_problem_member *)a)->in->id, ((const ks_problem_member *)b)->in->id);
}

static int compare_i32(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static int compare_strings(const void *a, const void *b) {
    return ks_string_compare(*(const ks_string *)a, *(const ks_string *)b);
}

int32_t ks_problem_find_topic(const ks_problem *problem, ks_string name) {
    int32_t low = 0, high = problem->topic_count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2, order = ks_string_compare(problem->topics[middle].name, name);
        if (order == 0) return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

int32_t ks_problem_flat(const ks_problem *problem, ks_string topic, int32_t partition) {
    int32_t index = ks_problem_find_topic(problem, topic);
    if (index < 0 || partition < 0 || partition >= problem->topics[index].count) return -1;
    return problem->topics[index].first + partition;
}

bool ks_problem_subscribes(const ks_problem *problem, int32_t member, int32_t topic) {
    const ks_problem_member *m = &problem->members[member];
    return bsearch(&topic, m->topics, (size_t)m->topic_count, sizeof topic, compare_i32) != NULL;
}

/* ---- subscriptions ---- */

static bool same_list(const ks_assignor_member *a, const ks_assignor_member *b) {
    if (a->topic_count != b->topic_count) return false;
    for (int32_t i = 0; i < a->topic_count; i++)
        if (!ks_string_equal(a->topics[i], b->topics[i])) return false;
    return true;
}

static int32_t sorted_set(ks_arena *arena, const ks_assignor_member *member, ks_string **set) {
    *set = room(arena, member->topic_count, sizeof **set);
    if (member->topic_count == 0) return 0;
    memcpy(*set, member->topics, (size_t)member->topic_count * sizeof **set);
    ks_sort(*set, (size_t)member->topic_count, sizeof **set, compare_strings);
    int32_t count = 0;
    for (int32_t i = 0; i < member->topic_count; i++)
        if (count == 0 || !ks_string_equal((*set)[i], (*set)[count - 1])) (*set)[count++] = (*set)[i];
    return count;
}

static bool same_set(ks_arena *arena, const ks_assignor_member *a, const ks_assignor_member *b) {
    if (same_list(a, b)) return true;
    ks_string *x, *y;
    int32_t count = sorted_set(arena, a, &x);
    if (count != sorted_set(arena, b, &y)) return false;
    for (int32_t i = 0; i < count; i++)
        if (!ks_string_equal(x[i], y[i])) return false;
    return true;
}

bool ks_problem_subscriptions_equal(const ks_problem *problem) {
    for (int32_t m = 1; m < problem->member_count; m++)
        if (!same_set(problem->arena, problem->members[0].in, problem->members[m].in)) return false;
    return true;
}

static void resolve_subscription(ks_problem *problem, ks_problem_member *member) {
    int32_t *topics = room(problem->arena, member->in->topic_count, sizeof *topics), count = 0, distinct = 0;
    for (int32_t i = 0; i < member->in->topic_count; i++) {
        int32_t topic = ks_problem_find_topic(problem, member->in->topics[i]);
        if (topic >= 0) topics[count++] = topic;
    }
    ks_sort(topics, (size_t)count, sizeof *topics, compare_i32);
    for (int32_t i = 0; i < count; i++)
        if (distinct == 0 || topics[i] != topics[distinct - 1]) topics[distinct++] = topics[i];
    member->topics = topics;
    member->topic_count = distinct;
}

static void list_subscribers(ks_problem *problem) {
    for (int32_t m = 0; m < problem->member_count; m++)
        for (int32_t i = 0; i < problem->members[m].topic_count; i++)
            problem->topics[problem->members[m].topics[i]].member_count++;
    for (int32_t t = 0; t < problem->topic_count; t++) {
        ks_problem_topic *topic = &problem->topics[t];
        topic->members = room(problem->arena, topic->member_count, sizeof *topic->members);
        topic->member_count = 0;
    }
    for (int32_t m = 0; m < problem->member_count; m++)
        for (int32_t i = 0; i < problem->members[m].topic_count; i++) {
            ks_problem_topic *topic = &problem->topics[problem->members[m].topics[i]];
            ((int32_t *)topic->members)[topic->member_count++] = m;
        }
}

/* ---- racks ---- */

static void number_member_racks(ks_problem *problem) {
    ks_string *racks = room(problem->arena, problem->member_count, sizeof *racks);
    int32_t count = 0, distinct = 0;
    for (int32_t m = 0; m < problem->member_count; m++)
        if (problem->members[m].in->rack.size > 0) racks[count++] = problem->members[m].in->rack;
    ks_sort(racks, (size_t)count, sizeof *racks, compare_strings);
    for (int32_t i = 0; i < count; i++)
        if (distinct == 0 || !ks_string_equal(racks[i], racks[distinct - 1])) racks[distinct++] = racks[i];
    for (int32_t m = 0; m < problem->member_count; m++) {
        const ks_string *found = problem->members[m].in->rack.size <= 0 ? NULL
            : bsearch(&problem->members[m].in->rack, racks, (size_t)distinct, sizeof *racks, compare_strings);
        problem->members[m].rack = found ? (int32_t)(found - racks) : -1;
    }
    if (distinct == 0) return;

    /* Racks in which no member is get numbers too: whether all partitions lie in the same racks must be seen. */
    KS_VEC(ks_string) all = { 0 };
    for (int32_t i = 0; i < distinct; i++) KS_PUSH(all, racks[i]);
    for (int32_t t = 0; t < problem->topic_count; t++)
        for (int32_t p = 0; problem->topics[t].replica_racks && p < problem->topics[t].count; p++)
            for (int32_t r = 0; r < problem->topics[t].replica_racks[p].count; r++) {
                ks_string rack = problem->topics[t].replica_racks[p].racks[r];
                bool known = false; /* racks are few */
                for (int32_t i = 0; i < all.count && !known; i++) known = ks_string_equal(all.items[i], rack);
                if (!known) KS_PUSH(all, rack);
            }
    problem->rack_words = (all.count + 63) / 64;
    problem->replica_racks = room(problem->arena, (int64_t)problem->partition_count * problem->rack_words, sizeof(uint64_t));
    for (int32_t t = 0; t < problem->topic_count; t++)
        for (int32_t p = 0; problem->topics[t].replica_racks && p < problem->topics[t].count; p++)
            for (int32_t r = 0; r < problem->topics[t].replica_racks[p].count; r++) {
                int32_t i = 0;
                while (!ks_string_equal(all.items[i], problem->topics[t].replica_racks[p].racks[r])) i++;
                problem->replica_racks[(int64_t)(problem->topics[t].first + p) * problem->rack_words + i / 64] |=
                    UINT64_C(1) << (i % 64);
            }
    ks_free(all.items);
}

bool ks_problem_racks_matter(const ks_problem *problem, const int32_t *members, int32_t member_count, int32_t first,
                             int32_t count) {
    int32_t words = problem->rack_words;
    if (words == 0 || count == 0) return false;
    uint64_t *every = room(problem->arena, words, sizeof *every); /* the union of all replica racks */
    for (int32_t p = first; p < first + count; p++)
        for (int32_t w = 0; w < words; w++) every[w] |= problem->replica_racks[(int64_t)p * words + w];
    bool meet = false;
    for (int32_t i = 0; i < member_count && !meet; i++) {
        int32_t rack = problem->members[members ? members[i] : i].rack;
        meet = rack >= 0 && (every[rack / 64] >> (rack % 64) & 1);
    }
    if (!meet) return false;
    for (int32_t p = first; p < first + count; p++)
        if (memcmp(every, &problem->replica_racks[(int64_t)p * words], (size_t)words * sizeof *every) != 0) return true;
    return false;
}

/* ---- making and unmaking ---- */

static void copy_topics(ks_problem *problem) {
    problem->topic_count = problem->in->topic_count;
    problem->topics = room(problem->arena, problem->topic_count, sizeof *problem->topics);
    for (int32_t t = 0; t < problem->topic_count; t++) {
        const ks_assignor_topic *in = &problem->in->topics[t];
        problem->topics[t] = (ks_problem_topic){ .name = in->name, .count = in->partition_count, .replica_racks = in->replica_racks };
    }
    ks_sort(problem->topics, (size_t)problem->topic_count, sizeof *problem->topics, compare_topics);
}

static void copy_members(ks_problem *problem) {
    problem->member_count = problem->in->member_count;
    problem->members = room(problem->arena, problem->member_count, sizeof *problem->members);
    for (int32_t m = 0; m < problem->member_count; m++) problem->members[m].in = &problem->in->members[m];
    ks_sort(problem->members, (size_t)problem->member_count, sizeof *problem->members, compare_members);
    for (int32_t m = 0; m < problem->member_count; m++) {
        ks_problem_member *member = &problem->members[m];
        if (m > 0 && same_list(member->in, member[-1].in)) {
            member->topics = member[-1].topics;
            member->topic_count = member[-1].topic_count;
        } else {
            resolve_subscription(problem, member);
        }
    }
}

void ks_problem_init(ks_problem *problem, const ks_assignor_input *input, ks_arena *arena) {
    *problem = (ks_problem){ .in = input, .arena = arena };
    copy_topics(problem);
    copy_members(problem);
    list_subscribers(problem);
    for (int32_t t = 0; t < problem->topic_count; t++) {
        ks_problem_topic *topic = &problem->topics[t];
        if (topic->member_count == 0) topic->count = 0;
        topic->first = problem->partition_count;
        problem->partition_count += topic->count;
    }
    problem->owner = room(arena, problem->partition_count, sizeof *problem->owner);
    problem->topic_of = room(arena, problem->partition_count, sizeof *problem->topic_of);
    for (int32_t t = 0; t < problem->topic_count; t++)
        for (int32_t p = 0; p < problem->topics[t].count; p++) problem->topic_of[problem->topics[t].first + p] = t;
    for (int32_t p = 0; p < problem->partition_count; p++) problem->owner[p] = -1;
    number_member_racks(problem);
}

static int32_t *flat_by_owner(const ks_problem *problem, int32_t *first) {
    for (int32_t p = 0; p < problem->partition_count; p++)
        if (problem->owner[p] >= 0) first[problem->owner[p] + 1]++;
    for (int32_t m = 0; m < problem->member_count; m++) first[m + 1] += first[m];
    int32_t *next = room(problem->arena, problem->member_count, sizeof *next);
    memcpy(next, first, (size_t)problem->member_count * sizeof *next);
    int32_t *flat = room(problem->arena, problem->partition_count, sizeof *flat);
    for (int32_t p = 0; p < problem->partition_count; p++)
        if (problem->owner[p] >= 0) flat[next[problem->owner[p]]++] = p;
    return flat;
}

static ks_assignor_share share_of(const ks_problem *problem, int32_t *flat, int32_t count) {
    ks_assignor_share share = { 0 };
    for (int32_t i = 0; i < count; i++)
        share.topic_count += i == 0 || problem->topic_of[flat[i]] != problem->topic_of[flat[i - 1]];
    share.topics = room(problem->arena, share.topic_count, sizeof *share.topics);
    int32_t t = -1, former = -1;
    for (int32_t i = 0; i < count; i++) {
        int32_t topic = problem->topic_of[flat[i]];
        if (topic != former) share.topics[++t] = (ks_topic_partitions){ problem->topics[topic].name, &flat[i], 0 };
        former = topic;
        share.topics[t].partition_count++;
        flat[i] -= problem->topics[topic].first; /* from here on its own number */
    }
    return share;
}

void ks_problem_shares(const ks_problem *problem, ks_assignor_share *shares) {
    int32_t *first = room(problem->arena, problem->member_count + 1, sizeof *first);
    int32_t *flat = flat_by_owner(problem, first);
    for (int32_t m = 0; m < problem->member_count; m++)
        shares[problem->members[m].in - problem->in->members] =
            share_of(problem, flat + first[m], first[m + 1] - first[m]);
}

/* ---- the member order of range and roundrobin (MemberInfo.compareTo) ---- */

typedef struct static_member {
    ks_string instance_id;
    int32_t member;
} static_member;

static int compare_static(const void *a, const void *b) {
    const static_member *x = a, *y = b;
    int order = ks_string_compare(x->instance_id, y->instance_id);
    return order != 0 ? order : (x->member > y->member) - (x->member < y->member);
}

int32_t *ks_problem_static_first(const ks_problem *problem) {
    int32_t *order = room(problem->arena, problem->member_count, sizeof *order), statics = 0, count = 0;
    static_member *sorted = room(problem->arena, problem->member_count, sizeof *sorted);
    for (int32_t m = 0; m < problem->member_count; m++)
        if (problem->members[m].in->instance_id.size >= 0)
            sorted[statics++] = (static_member){ problem->members[m].in->instance_id, m };
    ks_sort(sorted, (size_t)statics, sizeof *sorted, compare_static);
    for (int32_t i = 0; i < statics; i++) order[count++] = sorted[i].member;
    for (int32_t m = 0; m < problem->member_count; m++)
        if (problem->members[m].in->instance_id.size < 0) order[count++] = m;
    return order;
}
