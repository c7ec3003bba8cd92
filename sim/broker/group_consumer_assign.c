/* SPDX-License-Identifier: Apache-2.0
 *
 * Epochs and targets: what bumps the group epoch (section 5.4), and Kafka's TargetAssignmentBuilder over the assignors
 * of assignor.h. */
#include "sim/broker/group_consumer_internal.h"

#include <stdlib.h>

#include "sim/protocol/events.h"

/* ---- topics as the group last saw them ---- */

void ks_consumer_compare_topics(ks_consumer_step *step, bool *changed) {
    ks_consumer_group *consumer = step->group->consumer;
    if (step->topics == NULL || consumer->topics_version == step->topics->version) return;
    consumer->topics_version = step->topics->version;
    for (ks_consumer_name *name = consumer->names; name != NULL; name = name->hh.next) {
        ks_uuid id;
        int32_t count = step->topics->partition_count(step->topics->context, name->name, &id);
        const ks_consumer_topic *former = name->slot >= 0 ? consumer->topics.items[name->slot] : NULL;
        if (count == 0) {
            *changed |= former != NULL;
            name->slot = -1;
        } else if (former == NULL || !ks_uuid_equal(former->id, id) || former->partition_count != count) {
            *changed = true;
            name->slot = ks_consumer_topic_make(step->group, id, name->name, count)->slot;
        }
    }
}

void ks_consumer_bump(ks_consumer_step *step, const ks_group_why *why) {
    ks_group *group = step->group;
    ks_group_tell_rebalance(group, why, 0, step->out);
    group->consumer->group_epoch++;
    step->out->progress = true;
    ks_consumer_write_epoch(step);
}

/* ---- the target ---- */

ks_string ks_consumer_group_assignor(const ks_group *group) {
    const ks_group_settings *settings = &group->groups->settings;
    int32_t best = 0;
    for (int32_t i = 1; i < settings->assignor_count; i++)
        if (group->consumer->preferences[i] > group->consumer->preferences[best]) best = i;
    return settings->assignors[best];
}

static int by_topic_name(const void *a, const void *b) {
    return ks_string_compare((*(ks_consumer_topic *const *)a)->name, (*(ks_consumer_topic *const *)b)->name);
}

/* Subscribed topics that exist, by name. */
static ks_consumer_topic **subscribed_topics(const ks_consumer_group *consumer, ks_arena *arena, int32_t *count) {
    ks_consumer_topic **list = ks_arena_alloc(arena, sizeof *list * (size_t)(HASH_CNT(hh, consumer->names) + 1));
    *count = 0;
    for (const ks_consumer_name *name = consumer->names; name != NULL; name = name->hh.next)
        if (name->slot >= 0) list[(*count)++] = consumer->topics.items[name->slot];
    qsort(list, (size_t)*count, sizeof *list, by_topic_name); /* names differ */
    return list;
}

/* Both lists ascend by name: one walk for each distinct subscription. */
static void index_subscriptions(const ks_consumer_group *consumer, ks_consumer_topic *const *topics,
                                int32_t topic_count) {
    for (ks_consumer_subscription *s = consumer->subscriptions; s != NULL; s = s->hh.next) {
        s->index_count = 0;
        for (int32_t i = 0, t = 0; i < s->count && t < topic_count;) {
            int order = ks_string_compare(s->names[i], topics[t]->name);
            if (order == 0) s->indexes[s->index_count++] = t;
            i += order <= 0;
            t += order >= 0;
        }
    }
}

static ks_server_assignor_input make_input(const ks_consumer_group *consumer, ks_consumer_topic *const *topics,
                                           int32_t topic_count, ks_arena *arena) {
    ks_server_topic *server_topics = ks_arena_alloc(arena, sizeof *server_topics * (size_t)(topic_count + 1));
    ks_server_member *members = ks_arena_alloc(arena, sizeof *members * (size_t)(consumer->number_count + 1));
    int32_t *order = ks_arena_alloc(arena, sizeof *order * (size_t)(consumer->member_count + 1));
    for (int32_t t = 0; t < topic_count; t++) {
        server_topics[t].partition_count = topics[t]->partition_count;
        server_topics[t].owner = topics[t]->target;
        server_topics[t].target = ks_arena_alloc(arena, sizeof(int32_t) * (size_t)(topics[t]->partition_count + 1));
    }
    index_subscriptions(consumer, topics, topic_count);
    for (int32_t m = 0; m < consumer->member_count; m++) {
        const ks_consumer_member *member = consumer->sorted[m];
        const ks_consumer_subscription *subscription = member->subscription;
        order[m] = member->number;
        members[member->number].instance_id = member->instance_id;
        if (subscription == NULL) continue;
        members[member->number].topics = subscription->indexes;
        members[member->number].topic_count = subscription->index_count;
    }
    return (ks_server_assignor_input){ server_topics,          topic_count, members,
                                       consumer->number_count, order,       consumer->member_count };
}

/* Takes the new owners over and marks the members for whom something changed. How many partitions moved. */
static int32_t take_targets(ks_consumer_topic *topic, const int32_t *target, bool *changed) {
    int32_t moved = 0;
    for (int32_t p = 0; p < topic->partition_count; p++) {
        int32_t former = topic->target[p], now = target != NULL ? target[p] : -1;
        if (former == now) continue;
        if (former >= 0) changed[former] = true;
        if (now >= 0) changed[now] = true;
        topic->target[p] = now;
        moved++;
    }
    topic->targeted = target != NULL;
    return moved;
}

static void compute_target(ks_consumer_step *step) {
    ks_group *group = step->group;
    ks_consumer_group *consumer = group->consumer;
    ks_arena *arena = step->out->scratch;
    int32_t topic_count, moved = 0;
    ks_string assignor = ks_consumer_group_assignor(group);
    ks_consumer_topic **topics = subscribed_topics(consumer, arena, &topic_count);
    ks_server_assignor_input input = make_input(consumer, topics, topic_count, arena);
    ks_server_assign_fn *assign = ks_server_assignor_find(assignor);
    ks_assert(assign != NULL);
    assign(&input, arena);
    bool *changed = ks_arena_alloc(arena, sizeof *changed * (size_t)(consumer->number_count + 1));
    bool *subscribed = ks_arena_alloc(arena, sizeof *subscribed * (size_t)(consumer->topics.count + 1));
    for (int32_t t = 0; t < topic_count; t++) {
        subscribed[topics[t]->slot] = true;
        moved += take_targets(topics[t], input.topics[t].target, changed);
    }
    for (int32_t t = 0; t < consumer->topics.count; t++) /* deleted, or nobody wants it any more */
        if (consumer->topics.items[t]->targeted && !subscribed[t])
            moved += take_targets(consumer->topics.items[t], NULL, changed);
    ks_consumer_targets_rebuild(group);
    consumer->assignment_epoch = consumer->group_epoch;
    consumer->settled = 0; /* all are behind now */
    KS_TELL(step->out, group, target_assignment_computed, .group = group->id, .epoch = consumer->assignment_epoch,
            .assignor = assignor, .members = consumer->member_count, .moved = moved);
    for (int32_t m = 0; m < consumer->member_count; m++) {
        const ks_consumer_member *member = consumer->sorted[m];
        if (!changed[member->number]) continue;
        ks_consumer_write_target(step, member);
        if (step->out->no_events) continue;
        KS_TELL(step->out, group, group_member_target_changed, .group = group->id,
                .member = ks_arena_string(arena, member->id), .client_id = ks_arena_string(arena, member->client_id),
                .epoch = consumer->assignment_epoch,
                .target = ks_tps_text(group, member->target, member->target_count, arena));
    }
    ks_consumer_write_target_epoch(step);
}

void ks_consumer_refresh(ks_consumer_step *step, bool changed, const ks_group_why *why) {
    ks_consumer_group *consumer = step->group->consumer;
    bool topics_changed = false;
    ks_consumer_compare_topics(step, &topics_changed);
    if (topics_changed) ks_consumer_write_topics(step);
    if (changed)
        ks_consumer_bump(step, why);
    else if (topics_changed)
        ks_consumer_bump(step, &(ks_group_why){ "topics_changed", KS_NULL_STRING, KS_NULL_STRING });
    if (consumer->group_epoch > consumer->assignment_epoch) compute_target(step);
}
