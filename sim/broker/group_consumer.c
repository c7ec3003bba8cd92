/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/broker/group_consumer_internal.h"

#include <stdlib.h>

#include "sim/protocol/consumer_protocol.h"

/* ---- sets of partitions ---- */

static int by_tp(const void *a, const void *b) {
    ks_tp x = *(const ks_tp *)a, y = *(const ks_tp *)b;
    return x < y ? -1 : x > y;
}

void ks_tps_sort(ks_tps *set) {
    ks_sort(set->items, (size_t)set->count, sizeof *set->items, by_tp);
    int32_t kept = 0;
    for (int32_t i = 0; i < set->count; i++)
        if (i == 0 || set->items[i] != set->items[kept - 1]) set->items[kept++] = set->items[i];
    set->count = kept;
}

bool ks_tps_contain(const ks_tps *set, ks_tp tp) {
    int32_t low = 0, high = set->count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (set->items[middle] < tp)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->count && set->items[low] == tp;
}

/* ---- topics ---- */

ks_consumer_topic *ks_consumer_topic_by_id(const ks_group *group, ks_uuid id) {
    ks_consumer_topic *topic;
    HASH_FIND(hh, group->consumer->topics_by_id, &id, sizeof id, topic);
    return topic;
}

const ks_consumer_topic *ks_consumer_topic_of(const ks_group *group, ks_tp tp) {
    return group->consumer->topics.items[KS_TP_SLOT(tp)];
}

ks_consumer_topic *ks_consumer_topic_make(ks_group *group, ks_uuid id, ks_string name, int32_t partition_count) {
    ks_consumer_group *consumer = group->consumer;
    ks_consumer_topic *topic = ks_consumer_topic_by_id(group, id);
    if (topic == NULL) {
        topic = ks_alloc(sizeof *topic);
        topic->id = id;
        topic->slot = consumer->topics.count;
        topic->name = ks_string_dup(name.size > 0 ? name : KS_LITERAL(""));
        KS_PUSH(consumer->topics, topic);
        HASH_ADD(hh, consumer->topics_by_id, id, sizeof topic->id, topic);
    } else if (topic->name.size == 0 && name.size > 0) {
        ks_string_replace(&topic->name, name);
    }
    if (partition_count <= topic->partition_count) return topic;
    size_t size = sizeof(int32_t) * (size_t)partition_count;
    topic->target = ks_realloc(topic->target, size);
    topic->holder = ks_realloc(topic->holder, size);
    for (int32_t p = topic->partition_count; p < partition_count; p++) topic->target[p] = topic->holder[p] = -1;
    topic->partition_count = partition_count;
    return topic;
}

/* ---- subscriptions ---- */

static int by_string(const void *a, const void *b) {
    return ks_string_compare(*(const ks_string *)a, *(const ks_string *)b);
}

static ks_consumer_subscription *intern(ks_consumer_group *consumer, const ks_string *names, int32_t count) {
    ks_string *sorted = ks_alloc(sizeof *sorted * (size_t)(count + 1));
    int32_t kept = 0;
    if (count > 0) memcpy(sorted, names, sizeof *sorted * (size_t)count);
    qsort(sorted, (size_t)count, sizeof *sorted, by_string);
    for (int32_t i = 0; i < count; i++)
        if (i == 0 || !ks_string_equal(sorted[i], sorted[kept - 1])) sorted[kept++] = sorted[i];
    ks_buffer key = { 0 };
    ks_buffer_reserve(&key, 1);
    for (int32_t i = 0; i < kept; i++) {
        ks_buffer_string(&key, sorted[i]);
        ks_buffer_append(&key, "", 1);
    }
    ks_consumer_subscription *found;
    HASH_FIND(hh, consumer->subscriptions, key.data, (unsigned)key.size, found);
    if (found != NULL) {
        ks_buffer_deinit(&key);
        ks_free(sorted);
        return found;
    }
    found = ks_alloc(sizeof *found);
    found->key = (ks_bytes){ key.data, (int32_t)key.size };
    found->names = sorted;
    found->count = kept;
    found->indexes = ks_alloc(sizeof *found->indexes * (size_t)(kept + 1));
    const char *at = (const char *)key.data;
    for (int32_t i = 0; i < kept; i++) { /* views into the key from here on */
        sorted[i].data = at;
        at += sorted[i].size + 1;
    }
    HASH_ADD_KEYPTR(hh, consumer->subscriptions, found->key.data, (unsigned)found->key.size, found);
    return found;
}

static ks_consumer_name *find_name(const ks_consumer_group *consumer, ks_string name) {
    ks_consumer_name *found;
    KS_HASH_FIND_STRING(hh, consumer->names, name, found);
    return found;
}

static void count_names(ks_consumer_group *consumer, const ks_consumer_subscription *subscription, int32_t by) {
    for (int32_t i = 0; i < subscription->count; i++) {
        ks_consumer_name *name = find_name(consumer, subscription->names[i]);
        if (name == NULL) {
            name = ks_alloc(sizeof *name);
            name->name = ks_string_dup(subscription->names[i]);
            name->slot = -1;
            KS_HASH_ADD_STRING(hh, consumer->names, name, name);
            consumer->topics_version = 0; /* look at it */
        }
        name->subscribers += by;
        if (name->subscribers > 0) continue;
        HASH_DELETE(hh, consumer->names, name);
        ks_free((void *)name->name.data);
        ks_free(name);
        consumer->topics_version = 0;
    }
}

static void release_subscription(ks_consumer_group *consumer, ks_consumer_subscription *subscription) {
    if (subscription == NULL || --subscription->members > 0) return;
    HASH_DELETE(hh, consumer->subscriptions, subscription);
    ks_free((void *)subscription->key.data);
    ks_free(subscription->names);
    ks_free(subscription->indexes);
    ks_free(subscription);
}

bool ks_consumer_member_subscribe(ks_consumer_member *member, const ks_string *names, int32_t count) {
    ks_consumer_group *consumer = member->group->consumer;
    ks_consumer_subscription *former = member->subscription, *now = intern(consumer, names, count);
    if (former == now) return false;
    now->members++;
    count_names(consumer, now, 1); /* first: names in both keep their entry */
    if (former != NULL) count_names(consumer, former, -1);
    member->subscription = now;
    release_subscription(consumer, former);
    return former != NULL || now->count > 0;
}

void ks_consumer_member_prefer(ks_consumer_member *member, int32_t assignor) {
    if (member->assignor >= 0) member->group->consumer->preferences[member->assignor]--;
    member->assignor = assignor;
    if (assignor >= 0) member->group->consumer->preferences[assignor]++;
}

/* ---- members ---- */

ks_consumer_member *ks_consumer_member_find(const ks_group *group, ks_string member_id) {
    ks_consumer_member *member;
    KS_HASH_FIND_STRING(by_id, group->consumer->by_id, member_id, member);
    return member;
}

ks_consumer_member *ks_consumer_static_find(const ks_group *group, ks_string instance_id) {
    ks_consumer_member *member;
    KS_HASH_FIND_STRING(by_instance, group->consumer->by_instance, instance_id, member);
    return member;
}

static int32_t position_of(const ks_consumer_group *consumer,
                           ks_string id) { /* in the sorted list: where it is, or belongs */
    int32_t low = 0, high = consumer->member_count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (ks_string_compare(consumer->sorted[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void enter(ks_consumer_member *member) {
    ks_consumer_group *consumer = member->group->consumer;
    int32_t at = position_of(consumer, member->id);
    if (consumer->member_count == consumer->sorted_capacity) {
        consumer->sorted_capacity = consumer->sorted_capacity > 0 ? 2 * consumer->sorted_capacity : 8;
        consumer->sorted = ks_realloc(consumer->sorted, sizeof *consumer->sorted * (size_t)consumer->sorted_capacity);
    }
    memmove(consumer->sorted + at + 1, consumer->sorted + at,
            sizeof *consumer->sorted * (size_t)(consumer->member_count - at));
    consumer->sorted[at] = member;
    consumer->member_count++;
    KS_HASH_ADD_STRING(by_id, consumer->by_id, id, member);
    if (member->instance_id.size >= 0) KS_HASH_ADD_STRING(by_instance, consumer->by_instance, instance_id, member);
}

static void leave(ks_consumer_member *member) {
    ks_consumer_group *consumer = member->group->consumer;
    int32_t at = position_of(consumer, member->id);
    ks_assert(consumer->sorted[at] == member);
    consumer->member_count--;
    memmove(consumer->sorted + at, consumer->sorted + at + 1,
            sizeof *consumer->sorted * (size_t)(consumer->member_count - at));
    HASH_DELETE(by_id, consumer->by_id, member);
    if (member->instance_id.size >= 0) HASH_DELETE(by_instance, consumer->by_instance, member);
}

static int32_t take_number(ks_consumer_group *consumer, ks_consumer_member *member) {
    if (consumer->holes.count > 0) { /* somebody left */
        int32_t number = consumer->holes.items[--consumer->holes.count];
        consumer->numbers[number] = member;
        return number;
    }
    if (consumer->number_count == consumer->number_capacity) {
        consumer->number_capacity = consumer->number_capacity > 0 ? 2 * consumer->number_capacity : 8;
        consumer->numbers =
            ks_realloc(consumer->numbers, sizeof *consumer->numbers * (size_t)consumer->number_capacity);
    }
    consumer->numbers[consumer->number_count] = member;
    return consumer->number_count++;
}

ks_consumer_member *ks_consumer_member_add(ks_group *group, ks_string id, ks_string instance_id) {
    ks_consumer_member *member = memset(ks_alloc_lines(sizeof *member), 0, sizeof *member);
    member->group = group;
    member->id = ks_string_dup(id);
    member->instance_id = instance_id.size < 0 ? KS_NULL_STRING : ks_string_dup(instance_id);
    member->rack_id = member->client_id = member->client_host = KS_NULL_STRING;
    member->assignor = -1;
    member->rebalance_timeout_ms = -1;
    member->state = KS_MEMBER_STABLE;
    member->number = take_number(group->consumer, member); /* before it counts as a member */
    enter(member);
    return member;
}

void ks_consumer_member_rename(ks_consumer_member *member, ks_string id) {
    leave(member);
    ks_string_replace(&member->id, id);
    enter(member);
}

static void free_protocols(ks_consumer_member *member) {
    for (int32_t i = 0; i < member->protocol_count; i++) {
        ks_free((void *)member->protocols[i].name.data);
        ks_free((void *)member->protocols[i].metadata.data);
    }
    ks_free(member->protocols);
    member->protocols = NULL;
    member->protocol_count = 0;
}

void ks_consumer_member_set_consumer(ks_consumer_member *member) {
    if (member->classic) member->group->consumer->classics--;
    member->classic = false;
    free_protocols(member);
}

void ks_consumer_member_set_classic(ks_consumer_member *member, const ks_join_group_request_protocol *protocols,
                                    int32_t count, int32_t session_timeout_ms) {
    ks_classic_protocol *copy = ks_alloc(sizeof *copy * (size_t)(count + 1));
    for (int32_t i = 0; i < count; i++) {
        copy[i].name = ks_string_dup(protocols[i].name);
        copy[i].metadata = (ks_bytes){ NULL, 0 };
        ks_bytes_replace(&copy[i].metadata,
                         protocols[i].metadata.size < 0 ? (ks_bytes){ NULL, 0 } : protocols[i].metadata);
    }
    free_protocols(member);
    if (!member->classic) member->group->consumer->classics++;
    member->classic = true;
    member->protocols = copy;
    member->protocol_count = count;
    member->session_timeout_ms = session_timeout_ms;
}

static void free_member(ks_consumer_member *member) {
    free_protocols(member);
    ks_free((void *)member->id.data);
    ks_free((void *)member->instance_id.data);
    ks_free((void *)member->rack_id.data);
    ks_free((void *)member->client_id.data);
    ks_free((void *)member->client_host.data);
    ks_free(member->assigned.items);
    ks_free(member->revoking.items);
    ks_free(member);
}

/* ---- who holds what ---- */

static void hold(ks_consumer_member *member, const ks_tps *set) {
    for (int32_t i = 0; i < set->count; i++) {
        int32_t *holder =
            &member->group->consumer->topics.items[KS_TP_SLOT(set->items[i])]->holder[KS_TP_PARTITION(set->items[i])];
        if (*holder < 0)
            *holder = member->number; /* a classic leader may have given a partition to two: the first counts */
    }
}

static void let_go(ks_consumer_member *member, const ks_tps *set) {
    for (int32_t i = 0; i < set->count; i++) {
        int32_t *holder =
            &member->group->consumer->topics.items[KS_TP_SLOT(set->items[i])]->holder[KS_TP_PARTITION(set->items[i])];
        if (*holder == member->number) *holder = -1;
    }
}

bool ks_consumer_member_settled(const ks_consumer_member *member) {
    return member->state == KS_MEMBER_STABLE && member->epoch == member->group->consumer->assignment_epoch;
}

void ks_consumer_member_set_current(ks_consumer_member *member, ks_consumer_member_state state, int32_t epoch,
                                    int32_t previous_epoch, ks_tps assigned, ks_tps revoking) {
    ks_consumer_group *consumer = member->group->consumer;
    consumer->settled -= ks_consumer_member_settled(member);
    let_go(member, &member->assigned);
    let_go(member, &member->revoking);
    if (member->assigned.items != assigned.items) ks_free(member->assigned.items);
    if (member->revoking.items != revoking.items) ks_free(member->revoking.items);
    member->assigned = assigned;
    member->revoking = revoking;
    hold(member, &member->assigned);
    hold(member, &member->revoking);
    member->state = state;
    member->epoch = epoch;
    member->previous_epoch = previous_epoch;
    consumer->settled += ks_consumer_member_settled(member);
}

void ks_consumer_member_remove(ks_consumer_member *member) {
    ks_group *group = member->group;
    ks_consumer_group *consumer = group->consumer;
    consumer->settled -= ks_consumer_member_settled(member);
    let_go(member, &member->assigned);
    let_go(member, &member->revoking);
    for (int32_t i = 0; i < member->target_count; i++) { /* its number may be given again */
        int32_t *target =
            &consumer->topics.items[KS_TP_SLOT(member->target[i])]->target[KS_TP_PARTITION(member->target[i])];
        if (*target == member->number) *target = -1;
    }
    ks_consumer_member_prefer(member, -1);
    ks_consumer_member_set_consumer(member);
    if (member->subscription != NULL) {
        count_names(consumer, member->subscription, -1);
        release_subscription(consumer, member->subscription);
    }
    leave(member);
    consumer->numbers[member->number] = NULL;
    KS_PUSH(consumer->holes, member->number);
    free_member(member);
}

void ks_consumer_targets_rebuild(ks_group *group) {
    ks_consumer_group *consumer = group->consumer;
    group->groups->walked += (uint64_t)consumer->member_count;
    int32_t total = 0;
    for (int32_t m = 0; m < consumer->member_count; m++) consumer->sorted[m]->target_count = 0;
    for (int32_t t = 0; t < consumer->topics.count; t++) {
        const ks_consumer_topic *topic = consumer->topics.items[t];
        for (int32_t p = 0; topic->targeted && p < topic->partition_count; p++) {
            if (topic->target[p] < 0) continue;
            consumer->numbers[topic->target[p]]->target_count++;
            total++;
        }
    }
    ks_free(consumer->targets);
    consumer->targets = ks_alloc(sizeof *consumer->targets * (size_t)(total + 1));
    ks_tp *next = consumer->targets;
    for (int32_t m = 0; m < consumer->member_count; m++) {
        consumer->sorted[m]->target = next;
        next += consumer->sorted[m]->target_count;
        consumer->sorted[m]->target_count = 0;
    }
    for (int32_t t = 0; t < consumer->topics.count;
         t++) { /* ascending slots and partitions: each list comes out in order */
        const ks_consumer_topic *topic = consumer->topics.items[t];
        for (int32_t p = 0; topic->targeted && p < topic->partition_count; p++) {
            if (topic->target[p] < 0) continue;
            ks_consumer_member *owner = consumer->numbers[topic->target[p]];
            consumer->targets[(owner->target - consumer->targets) + owner->target_count++] = KS_TP(t, p);
        }
    }
}

/* ---- the group ---- */

void ks_consumer_group_make(ks_group *group) {
    ks_assert(group->consumer == NULL && group->member_count == 0);
    group->kind = KS_GROUP_CONSUMER;
    group->consumer = ks_alloc(sizeof *group->consumer);
    group->consumer->told_state = "Empty";
}

void ks_consumer_group_free(ks_group *group) {
    ks_consumer_group *consumer = group->consumer;
    if (consumer == NULL) return;
    while (consumer->member_count > 0) ks_consumer_member_remove(consumer->sorted[consumer->member_count - 1]);
    HASH_CLEAR(hh, consumer->topics_by_id);
    for (int32_t i = 0; i < consumer->topics.count; i++) {
        ks_free((void *)consumer->topics.items[i]->name.data);
        ks_free(consumer->topics.items[i]->target);
        ks_free(consumer->topics.items[i]->holder);
        ks_free(consumer->topics.items[i]);
    }
    ks_consumer_name *name, *next; /* of topics read back for which there was no subscriber */
    HASH_ITER(hh, consumer->names, name, next) {
        HASH_DELETE(hh, consumer->names, name);
        ks_free((void *)name->name.data);
        ks_free(name);
    }
    ks_free(consumer->topics.items);
    ks_free(consumer->sorted);
    ks_free(consumer->numbers);
    ks_free(consumer->holes.items);
    ks_free(consumer->targets);
    ks_free(consumer);
    group->consumer = NULL;
    group->kind = KS_GROUP_CLASSIC;
}

bool ks_consumer_group_is_empty(const ks_group *group) { return group->consumer->member_count == 0; }
bool ks_consumer_group_has_member(const ks_group *group, ks_string member_id) {
    return ks_consumer_member_find(group, member_id) != NULL;
}
bool ks_consumer_group_subscribes(const ks_group *group, ks_string topic) {
    return find_name(group->consumer, topic) != NULL;
}

const char *ks_consumer_group_state_text(const ks_group *group) {
    const ks_consumer_group *consumer = group->consumer;
    if (consumer->member_count == 0) return "Empty";
    if (consumer->group_epoch > consumer->assignment_epoch) return "Assigning";
    return consumer->settled < consumer->member_count ? "Reconciling" : "Stable";
}

const char *ks_consumer_member_state_text(ks_consumer_member_state state) {
    switch (state) {
    case KS_MEMBER_STABLE: return "STABLE";
    case KS_MEMBER_UNREVOKED_PARTITIONS: return "UNREVOKED_PARTITIONS";
    case KS_MEMBER_UNRELEASED_PARTITIONS: return "UNRELEASED_PARTITIONS";
    }
    return "UNKNOWN";
}

/* ---- what the offsets ask ---- */

static kafka_error check_epoch(const ks_consumer_member *member, int32_t epoch) {
    if (epoch == member->epoch) return KAFKA_OK;
    return member->classic ? KAFKA_ERR_ILLEGAL_GENERATION : KAFKA_ERR_STALE_MEMBER_EPOCH;
}

kafka_error ks_consumer_group_check_fetch(const ks_group *group, ks_string member_id, int32_t member_epoch) {
    if (member_id.size < 0 && member_epoch < 0) return KAFKA_OK;
    const ks_consumer_member *member = ks_consumer_member_find(group, member_id);
    return member == NULL ? KAFKA_ERR_UNKNOWN_MEMBER_ID : check_epoch(member, member_epoch);
}

kafka_error ks_consumer_group_check_commit(const ks_group *group, const ks_group_committer *who) {
    if (who->generation < 0 && ks_consumer_group_is_empty(group)) return KAFKA_OK;
    if (who->transactional && who->generation == -1 && who->member_id.size <= 0 && who->instance_id.size < 0)
        return KAFKA_OK;
    const ks_consumer_member *member = ks_consumer_member_find(group, who->member_id);
    if (member == NULL) return KAFKA_ERR_UNKNOWN_MEMBER_ID;
    if (!who->transactional && !member->classic && who->version < 9) return KAFKA_ERR_UNSUPPORTED_VERSION;
    kafka_error error = check_epoch(member, who->generation);
    return error == KAFKA_ERR_STALE_MEMBER_EPOCH && who->transactional ? KAFKA_ERR_ILLEGAL_GENERATION : error;
}

/* ---- as text, and as a reply ---- */

static bool begins_topic(const ks_tp *items, int32_t i) { return i == 0 || KS_TP_SLOT(items[i]) != KS_TP_SLOT(items[i - 1]); }

ks_string ks_tps_text(const ks_group *group, const ks_tp *items, int32_t count, ks_arena *arena) {
    int32_t topic_count = 0, t = -1;
    if (count == 0) return KS_LITERAL("");
    for (int32_t i = 0; i < count; i++) topic_count += begins_topic(items, i);
    ks_topic_partitions *topics = ks_arena_alloc(arena, sizeof *topics * (size_t)topic_count);
    int32_t *partitions = ks_arena_alloc(arena, sizeof *partitions * (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        if (begins_topic(items, i)) topics[++t] = (ks_topic_partitions){ ks_consumer_topic_of(group, items[i])->name, &partitions[i], 0 };
        partitions[i] = KS_TP_PARTITION(items[i]);
        topics[t].partition_count++;
    }
    ks_buffer text = { 0 };
    ks_topic_partitions_print(topics, topic_count, &text);
    ks_string result = ks_arena_string(arena, (ks_string){ (const char *)text.data, (int32_t)text.size });
    ks_buffer_deinit(&text);
    return result;
}

ks_consumer_group_heartbeat_response_assignment *ks_tps_reply(const ks_group *group, const ks_tps *set,
                                                              ks_arena *arena) {
    ks_consumer_group_heartbeat_response_assignment *reply = ks_arena_alloc(arena, sizeof *reply);
    reply->topic_partitions.items =
        ks_arena_alloc(arena, sizeof *reply->topic_partitions.items * (size_t)(set->count + 1));
    int32_t *partitions = ks_arena_alloc(arena, sizeof *partitions * (size_t)(set->count + 1));
    for (int32_t i = 0; i < set->count; i++) {
        if (begins_topic(set->items, i)) {
            ks_consumer_group_heartbeat_response_topic_partitions *topic =
                &reply->topic_partitions.items[reply->topic_partitions.count++];
            topic->topic_id = ks_consumer_topic_of(group, set->items[i])->id;
            topic->partitions.items = &partitions[i];
        }
        partitions[i] = KS_TP_PARTITION(set->items[i]);
        reply->topic_partitions.items[reply->topic_partitions.count - 1].partitions.count++;
    }
    return reply;
}

void ks_consumer_tell_state(ks_group *group, const ks_group_why *why, ks_effects *out) {
    const char *now = ks_consumer_group_state_text(group), *former = group->consumer->told_state;
    if (strcmp(now, former) == 0) return;
    group->consumer->told_state = now;
    out->progress = true;
    bool there = strcmp(now, "Stable") == 0 && strcmp(former, "Empty") != 0; /* whoever asked last: the way is over */
    ks_group_tell_state(group, former, there ? &(ks_group_why){ "reconciled", KS_NULL_STRING, KS_NULL_STRING } : why, out);
}

/* ---- invariants ---- */

void ks_consumer_group_check_invariants(const ks_group *group) {
    const ks_consumer_group *consumer = group->consumer;
    int32_t settled = 0, classics = 0, statics = 0, held = 0;
    ks_assert(group->member_count == 0 && group->leader == NULL && consumer->assignment_epoch <= consumer->group_epoch);
    for (int32_t m = 0; m < consumer->member_count; m++) {
        const ks_consumer_member *member = consumer->sorted[m];
        ks_assert(m == 0 || ks_string_compare(consumer->sorted[m - 1]->id, member->id) < 0);
        ks_assert(consumer->numbers[member->number] == member && ks_consumer_member_find(group, member->id) == member);
        ks_assert(member->epoch <= consumer->assignment_epoch);
        settled += ks_consumer_member_settled(member);
        classics += member->classic;
        statics += member->instance_id.size >= 0;
        held += member->assigned.count + member->revoking.count;
        for (int32_t i = 0; i < member->assigned.count; i++) {
            ks_assert(i == 0 || member->assigned.items[i - 1] < member->assigned.items[i]);
            ks_assert(!ks_tps_contain(&member->revoking, member->assigned.items[i]));
        }
    }
    for (int32_t t = 0; t < consumer->topics.count; t++)
        for (int32_t p = 0; p < consumer->topics.items[t]->partition_count; p++) {
            int32_t holder = consumer->topics.items[t]->holder[p];
            if (holder < 0) continue;
            const ks_consumer_member *member = consumer->numbers[holder];
            ks_assert(ks_tps_contain(&member->assigned, KS_TP(t, p)) || ks_tps_contain(&member->revoking, KS_TP(t, p)));
            held--;
        }
    ks_assert(held >= 0); /* more than 0 only where a classic leader gave a partition to two members */
    ks_assert(settled == consumer->settled && classics == consumer->classics);
    ks_assert(consumer->member_count == (int32_t)HASH_CNT(by_id, consumer->by_id) &&
              statics == (int32_t)HASH_CNT(by_instance, consumer->by_instance));
}
