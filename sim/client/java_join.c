/* SPDX-License-Identifier: Apache-2.0
 *
 * Joining (AbstractCoordinator.joinGroupIfNeeded, ConsumerCoordinator): JoinGroup, then SyncGroup; the leader runs the assignor
 * in between. JoinGroup's answer is looked at only inside a poll, since nobody else watches the connection then; SyncGroup's at
 * once, since the heartbeat actor does by that time. */
#include "sim/client/java_internal.h"

#include <stdio.h>
#include <stdlib.h>

static ks_string own_text(ks_string text) { return ks_string_dup(text); }

static void replace_text(ks_string *text, ks_string with) {
    if (ks_string_equal(*text, with)) return;
    ks_string copy = own_text(with);
    ks_free((void *)text->data);
    *text = copy;
}

void ks_java_set_member_id(ks_consumer *c, ks_string id) { replace_text(&c->member_id, id); }

void ks_java_request_rejoin(ks_consumer *c, const char *reason) {
    c->rejoin_needed = true;
    replace_text(&c->rejoin_reason, ks_str(reason));
    ks_java_wake(c);
}

bool ks_java_generation_is_reset(const ks_consumer *c) { return c->generation < 0 || c->member_id.size <= 0; }

void ks_java_reset_generation(ks_consumer *c, bool keep_member_id, const char *reason) {
    if (c->generation >= 0)
        KS_EMIT(c->kernel, c->node, client_generation_ended, .client = ks_str(ks_node_name(c->node)), .group = c->group_id,
                .member = c->member_id, .generation = c->generation, .reason = ks_str(reason));
    c->generation = -1;
    if (!keep_member_id) replace_text(&c->member_id, KS_LITERAL(""));
    c->state = KS_MEMBER_UNJOINED;
    ks_timer_stop(&c->heartbeat_timer);
}

/* ---- topics the leader watches beside its own ---- */

static void free_strings(ks_string *items, int32_t count) {
    for (int32_t i = 0; i < count; i++) ks_free((void *)items[i].data);
}

void ks_java_watch_topics(ks_consumer *c, const ks_string *topics, int32_t count) {
    for (int32_t i = 0; i < count; i++) ks_java_metadata_want(c->metadata, topics[i]);
    for (int32_t i = 0; i < c->watched.count; i++) ks_java_metadata_unwant(c->metadata, c->watched.items[i]);
    free_strings(c->watched.items, c->watched.count);
    c->watched.count = 0;
    for (int32_t i = 0; i < count; i++) KS_PUSH(c->watched, own_text(topics[i]));
}

/* What assignors see of the topics: names, partition counts and (with client.rack) replica racks, as a hash. */
static uint64_t mix(uint64_t hash, const void *data, size_t size) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

uint64_t ks_java_metadata_snapshot(ks_consumer *c) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (int32_t i = 0; i < c->watched.count; i++) {
        const ks_java_topic *topic = ks_java_metadata_topic(c->metadata, c->watched.items[i]);
        if (!ks_java_topic_known(topic)) continue;
        hash = mix(hash, topic->name.data, (size_t)topic->name.size + 1);
        hash = mix(hash, &topic->partition_count, sizeof topic->partition_count);
        if (c->rack.size <= 0 || topic->replicas == NULL) continue;
        const int32_t *next = topic->replicas;
        for (int32_t p = 0; p < topic->partition_count; p++)
            for (int32_t left = *next++; left > 0; left--, next++) {
                const ks_java_broker *broker = ks_java_metadata_broker(c->metadata, *next);
                if (broker && broker->rack.size > 0) hash = mix(hash, broker->rack.data, (size_t)broker->rack.size);
            }
    }
    return hash ? hash : 1;
}

/* ---- JoinGroup ---- */

static ks_bytes subscription_bytes(ks_consumer *c, const ks_java_assignor *assignor, ks_arena *arena) {
    const ks_topic_partitions *owned;
    int32_t owned_count = ks_consumer_assignment(c, &owned);
    ks_subscription subscription = { .version = 3, .topics = c->subscription.items, .topic_count = c->subscription.count,
                                     .owned = (ks_topic_partitions *)owned, .owned_count = owned_count,
                                     .generation_id = c->generation, .rack_id = c->rack,
                                     .user_data = KS_NULL_BYTES };
    if (ks_java_is_sticky(assignor))
        subscription.user_data = assignor->own->user_data(c->sticky_owned, c->sticky_owned_count, c->sticky_generation, arena);
    else if (assignor->own)
        subscription.user_data = assignor->own->user_data(owned, owned_count, c->stable_generation, arena);
    return ks_subscription_encode(&subscription, arena);
}

static void remember_joined_subscription(ks_consumer *c) {
    if (c->has_joined_subscription && !ks_java_subscription_differs(c)) return;
    free_strings(c->joined_subscription.items, c->joined_subscription.count);
    c->joined_subscription.count = 0;
    for (int32_t i = 0; i < c->subscription.count; i++) KS_PUSH(c->joined_subscription, own_text(c->subscription.items[i]));
    c->has_joined_subscription = true;
}

static void join_arrived(void *owner, kafka_error error, const ks_envelope *response);

void ks_java_send_join(ks_consumer *c) {
    ks_envelope *envelope = ks_java_request(c->network, KS_API_join_group, -1);
    ks_arena *arena = envelope->arena;
    ks_join_group_request *request = envelope->body;
    request->group_id = ks_arena_string(arena, c->group_id);
    request->session_timeout_ms = (int32_t)c->config.session_timeout_ms;
    request->rebalance_timeout_ms = (int32_t)c->config.max_poll_interval_ms;
    request->member_id = ks_arena_string(arena, c->member_id);
    request->group_instance_id = ks_arena_string(arena, c->instance_id);
    request->protocol_type = KS_LITERAL("consumer");
    request->reason = ks_arena_string(arena, c->rejoin_reason);
    request->protocols.items = ks_arena_alloc(arena, (size_t)c->config.assignor_count * sizeof *request->protocols.items);
    request->protocols.count = c->config.assignor_count;
    for (int32_t i = 0; i < c->config.assignor_count; i++) {
        request->protocols.items[i].name = ks_arena_string(arena, c->config.assignors[i].name);
        request->protocols.items[i].metadata = subscription_bytes(c, &c->config.assignors[i], arena);
    }
    remember_joined_subscription(c);
    c->state = KS_MEMBER_PREPARING_REBALANCE;
    ks_timer_stop(&c->heartbeat_timer);
    c->stage = KS_STAGE_JOINING;
    int64_t timeout_ms = c->config.max_poll_interval_ms + 5000;
    if (timeout_ms < c->config.request_timeout_ms) timeout_ms = c->config.request_timeout_ms;
    c->join_serial++;
    ks_java_send(c->network, ks_java_coordinator_node(c), envelope, timeout_ms * KS_MS, join_arrived, c);
    c->joins_under_way++;
}

static void join_arrived(void *owner, kafka_error error, const ks_envelope *response) {
    ks_consumer *c = owner;
    /* Several joins can be under way after unsubscribe and subscribe; answers come in order, only the last counts. */
    if (--c->joins_under_way > 0 || c->stage != KS_STAGE_JOINING || c->state != KS_MEMBER_PREPARING_REBALANCE) return;
    c->join_error = error;
    if (response) c->join_response = ks_call_keep(response);
    c->join_here = true;
    ks_java_wake(c);
}

/* The next attempt: at once, or after a pause. `reason` is what the next JoinGroup says. */
static void join_again(ks_consumer *c, bool pause, const char *reason) {
    c->stage = KS_STAGE_READY;
    if (pause) {
        int64_t backoff = c->config.retry_backoff_ms;
        for (int32_t i = 0; i < c->join_failures && backoff < c->config.retry_backoff_max_ms; i++) backoff *= 2;
        if (backoff > c->config.retry_backoff_max_ms) backoff = c->config.retry_backoff_max_ms;
        c->join_failures++;
        c->join_not_before = ks_java_now(c) + backoff * KS_MS;
        ks_java_wake_at(c, c->join_not_before);
    }
    ks_java_request_rejoin(c, reason);
}

/* "rebalance failed due to UnknownMemberIdException": what joinGroupIfNeeded says of whatever ended an attempt. */
static void join_failed_with(ks_consumer *c, bool pause, kafka_error error) {
    ks_buffer reason = { 0 };
    ks_buffer_text(&reason, "rebalance failed due to ");
    if (error == KAFKA_ERR_CONNECTION_RESET) ks_buffer_text(&reason, "Disconnect");
    bool upper = true;
    for (const char *name = kafka_error_name(error); *name && error != KAFKA_ERR_CONNECTION_RESET; name++) {
        if (*name != '_') ks_buffer_printf(&reason, "%c", upper || *name < 'A' || *name > 'Z' ? *name : *name - 'A' + 'a');
        upper = *name == '_';
    }
    ks_buffer_text(&reason, "Exception");
    join_again(c, pause, (const char *)reason.data);
    ks_buffer_deinit(&reason);
}

static void reset_and_join_again(ks_consumer *c, bool keep_member_id, kafka_error error) {
    ks_java_reset_generation(c, keep_member_id,
                             error == KAFKA_ERR_ILLEGAL_GENERATION ? "illegal_generation" : "unknown_member");
    join_failed_with(c, false, error);
}

/* The poll throws; whoever polls on tries again. */
static void give_up(ks_consumer *c, kafka_error error) {
    c->state = KS_MEMBER_UNJOINED;
    join_failed_with(c, false, error);
    ks_java_fail(c, error);
}

static void join_failed(ks_consumer *c, kafka_error error, const ks_join_group_response *response) {
    c->state = KS_MEMBER_UNJOINED;
    switch ((int)error) {
    case KAFKA_ERR_MEMBER_ID_REQUIRED: {
        ks_java_set_member_id(c, response->member_id);
        ks_buffer reason = { 0 };
        ks_buffer_printf(&reason, "need to re-join with the given member-id: %s", c->member_id.data);
        join_again(c, false, (const char *)reason.data);
        ks_buffer_deinit(&reason);
        break;
    }
    case KAFKA_ERR_UNKNOWN_MEMBER_ID:
    case KAFKA_ERR_ILLEGAL_GENERATION:
        reset_and_join_again(c, error == KAFKA_ERR_ILLEGAL_GENERATION, error);
        break;
    case KAFKA_ERR_REBALANCE_IN_PROGRESS:
    case KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS:
        join_failed_with(c, error == KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS, error);
        break;
    case KAFKA_ERR_COORDINATOR_NOT_AVAILABLE:
    case KAFKA_ERR_NOT_COORDINATOR:
        ks_java_coordinator_lost(c);
        join_failed_with(c, true, error);
        break;
    default:
        if (response) {
            give_up(c, error);
            break;
        }
        ks_java_coordinator_lost(c); /* no answer came */
        join_failed_with(c, true, KAFKA_ERR_CONNECTION_RESET);
    }
}

/* ---- SyncGroup ---- */

static void sync_answered(void *owner, kafka_error error, const ks_envelope *envelope);

static ks_envelope *sync_request(ks_consumer *c) {
    ks_envelope *envelope = ks_java_request(c->network, KS_API_sync_group, -1);
    ks_sync_group_request *request = envelope->body;
    request->group_id = ks_arena_string(envelope->arena, c->group_id);
    request->generation_id = c->generation;
    request->member_id = ks_arena_string(envelope->arena, c->member_id);
    request->group_instance_id = ks_arena_string(envelope->arena, c->instance_id);
    request->protocol_type = KS_LITERAL("consumer");
    request->protocol_name = ks_arena_string(envelope->arena, c->protocol_name);
    return envelope;
}

static void send_sync(ks_consumer *c, ks_envelope *envelope) {
    c->syncs_under_way++;
    ks_java_send(c->network, ks_java_coordinator_node(c), envelope, 0, sync_answered, c);
}

static void sync_succeeded(ks_consumer *c, const ks_sync_group_response *response) {
    c->state = KS_MEMBER_STABLE;
    c->rejoin_needed = false;
    replace_text(&c->rejoin_reason, KS_LITERAL(""));
    c->stage = KS_STAGE_SYNCED;
    c->join_failures = 0;
    int32_t size = response->assignment.size > 0 ? response->assignment.size : 0;
    uint8_t *copy = (uint8_t *)c->assignment_bytes.data;
    if (c->assignment_bytes.size != size) copy = ks_realloc(copy, (size_t)size + 1);
    if (size > 0) memcpy(copy, response->assignment.data, (size_t)size);
    c->assignment_bytes = (ks_bytes){ copy, size };
    ks_java_wake(c);
}

static void sync_answered(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_consumer *c = owner;
    const ks_sync_group_response *response = envelope ? envelope->body : NULL;
    ks_java_fetch_partitions_ahead(c);
    ks_prefetch(c->callback_arena, 4);
    ks_prefetch(c->assignment_bytes.data, 2);
    if (error == KAFKA_OK) error = (kafka_error)response->error_code;
    if (--c->syncs_under_way > 0 || c->stage != KS_STAGE_JOINING) return; /* given up meanwhile */
    if (c->state != KS_MEMBER_COMPLETING_REBALANCE) { /* a heartbeat took the generation away */
        join_again(c, false, "member state changed while it was waiting for its assignment");
        return;
    }
    ks_progress(c->kernel);
    switch ((int)error) {
    case KAFKA_OK:
        sync_succeeded(c, response);
        return;
    case KAFKA_ERR_REBALANCE_IN_PROGRESS:
        c->state = KS_MEMBER_UNJOINED;
        join_failed_with(c, false, error);
        return;
    case KAFKA_ERR_ILLEGAL_GENERATION:
    case KAFKA_ERR_UNKNOWN_MEMBER_ID:
        reset_and_join_again(c, error == KAFKA_ERR_ILLEGAL_GENERATION, error);
        return;
    case KAFKA_ERR_FENCED_INSTANCE_ID:
    case KAFKA_ERR_GROUP_AUTHORIZATION_FAILED:
    case KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL:
        give_up(c, error);
        return;
    default: /* NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, no answer */
        c->state = KS_MEMBER_UNJOINED;
        ks_java_coordinator_lost(c);
        join_failed_with(c, true, response ? error : KAFKA_ERR_CONNECTION_RESET);
        return;
    }
}

/* ---- the leader ---- */

static const ks_java_assignor *chosen_assignor(const ks_consumer *c) {
    for (int32_t i = 0; i < c->config.assignor_count; i++)
        if (ks_string_equal(c->config.assignors[i].name, c->protocol_name)) return &c->config.assignors[i];
    return NULL;
}

static int compare_strings(const void *a, const void *b) { return ks_string_compare(*(const ks_string *)a, *(const ks_string *)b); }

typedef struct plan {
    ks_assignor_member *members;
    int32_t member_count;
    ks_string *topics; /* all that anybody subscribes to, sorted */
    int32_t topic_count;
} plan;

/* Topics of members with equal subscriptions are counted once, so this stays linear for big groups. */
static void collect_topics(plan *p, ks_arena *arena) {
    KS_VEC(ks_string) all = { 0 };
    for (int32_t m = 0; m < p->member_count; m++) {
        const ks_assignor_member *member = &p->members[m];
        bool same = m > 0 && member->topic_count == member[-1].topic_count;
        for (int32_t i = 0; i < member->topic_count && same; i++) same = ks_string_equal(member->topics[i], member[-1].topics[i]);
        for (int32_t i = 0; i < member->topic_count && !same; i++) KS_PUSH(all, member->topics[i]);
    }
    if (all.count > 0) ks_sort(all.items, (size_t)all.count, sizeof *all.items, compare_strings);
    p->topics = ks_arena_alloc(arena, ((size_t)all.count + 1) * sizeof *p->topics);
    for (int32_t i = 0; i < all.count; i++)
        if (i == 0 || !ks_string_equal(all.items[i], all.items[i - 1])) p->topics[p->topic_count++] = all.items[i];
    ks_free(all.items);
}

static bool read_members(const ks_join_group_response *response, const ks_java_assignor *assignor, ks_arena *arena, plan *p) {
    p->member_count = response->members.count;
    p->members = ks_arena_alloc(arena, ((size_t)p->member_count + 1) * sizeof *p->members);
    for (int32_t m = 0; m < p->member_count; m++) {
        const ks_join_group_response_member *member = &response->members.items[m];
        ks_subscription subscription;
        if (!ks_subscription_decode(member->metadata, arena, &subscription)) return false;
        const ks_assignor *reader = assignor->own ? assignor->own : ks_assignor_find(KS_LITERAL("cooperative-sticky"));
        ks_assignor_member_from(reader, member->member_id, member->group_instance_id, &subscription, arena, &p->members[m]);
    }
    collect_topics(p, arena);
    return true;
}

static bool same_topics(const ks_consumer *c, const plan *p) {
    if (c->watched.count != p->topic_count) return false;
    for (int32_t i = 0; i < p->topic_count; i++)
        if (!ks_string_equal(c->watched.items[i], p->topics[i])) return false;
    return true;
}

typedef struct owned_partition {
    ks_string topic;
    int32_t partition, member;
} owned_partition;

static int compare_owned(const void *a, const void *b) {
    const owned_partition *x = a, *y = b;
    int order = ks_string_compare(x->topic, y->topic);
    if (order == 0) order = (x->partition > y->partition) - (x->partition < y->partition);
    return order ? order : (x->member > y->member) - (x->member < y->member);
}

/* Does anybody but `member` own the partition? `sorted` by partition, then member. */
static bool somebody_else_owns(const owned_partition *sorted, int32_t count, owned_partition wanted) {
    int32_t low = 0, high = count, member = wanted.member;
    wanted.member = -1;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (compare_owned(&sorted[middle], &wanted) < 0) low = middle + 1;
        else high = middle;
    }
    bool mine = false, other = false;
    for (; low < count && sorted[low].partition == wanted.partition && ks_string_equal(sorted[low].topic, wanted.topic); low++) {
        mine |= sorted[low].member == member;
        other |= sorted[low].member != member;
    }
    return other && !mine;
}

/* A cooperative assignor may give nothing to a member that another one still owns (ours never do). O(P log P). */
static bool violates_cooperation(const plan *p, const ks_assignor_share *shares) {
    KS_VEC(owned_partition) owned = { 0 };
    for (int32_t m = 0; m < p->member_count; m++)
        for (int32_t t = 0; t < p->members[m].owned_count; t++)
            for (int32_t i = 0; i < p->members[m].owned[t].partition_count; i++)
                KS_PUSH(owned, (owned_partition){ p->members[m].owned[t].topic, p->members[m].owned[t].partitions[i], m });
    if (owned.count > 0) ks_sort(owned.items, (size_t)owned.count, sizeof *owned.items, compare_owned);
    bool violated = false;
    for (int32_t m = 0; m < p->member_count; m++)
        for (int32_t t = 0; t < shares[m].topic_count; t++)
            for (int32_t i = 0; i < shares[m].topics[t].partition_count && !violated; i++)
                violated = somebody_else_owns(owned.items, owned.count,
                                              (owned_partition){ shares[m].topics[t].topic, shares[m].topics[t].partitions[i], m });
    ks_free(owned.items);
    return violated;
}

static kafka_error run_assignor(ks_consumer *c, const ks_java_assignor *assignor, plan *p, ks_arena *arena, ks_assignor_share *shares) {
    ks_assignor_topic *topics = ks_arena_alloc(arena, ((size_t)p->topic_count + 1) * sizeof *topics);
    ks_assignor_input input = { .topics = topics, .members = p->members, .member_count = p->member_count };
    for (int32_t i = 0; i < p->topic_count; i++) {
        const ks_java_topic *topic = ks_java_metadata_topic(c->metadata, p->topics[i]);
        if (ks_java_topic_known(topic)) topics[input.topic_count++] = ks_java_metadata_assignor_topic(c->metadata, topic, arena);
    }
    if (assignor->own == NULL) {
        kafka_error error = assignor->assign(assignor->argument, &input, arena, shares);
        if (error) return error;
        if (c->config.protocol == KS_REBALANCE_COOPERATIVE && violates_cooperation(p, shares)) {
            ks_java_fail_with(c, KAFKA_ERR_USER, "the assignor %s gave a partition to a member while another one still owns it",
                            assignor->name.data);
            return KAFKA_ERR_USER;
        }
        return KAFKA_OK;
    }
    input.generation_max = &c->assignor_generation_max[assignor->own - ks_assignor_at(0)];
    assignor->own->assign(&input, arena, shares);
    return KAFKA_OK;
}

/* Assigns and sends SyncGroup. The join answer stays valid until its caller frees it. */
static void lead(ks_consumer *c, const ks_join_group_response *response) {
    const ks_java_assignor *assignor = chosen_assignor(c);
    ks_envelope *envelope = sync_request(c);
    ks_arena *scratch = ks_arena_new();
    plan p = { 0 };
    kafka_error error = assignor && read_members(response, assignor, scratch, &p) ? KAFKA_OK : KAFKA_ERR_INCONSISTENT_GROUP_PROTOCOL;
    ks_assignor_share *shares = ks_arena_alloc(scratch, ((size_t)p.member_count + 1) * sizeof *shares);
    if (error == KAFKA_OK && !response->skip_assignment) error = run_assignor(c, assignor, &p, scratch, shares);
    if (error) {
        ks_envelope_free(c->kernel, envelope);
        ks_arena_free(scratch);
        give_up(c, error);
        return;
    }
    c->snapshot = ks_java_metadata_snapshot(c);
    c->snapshot_version = ks_java_metadata_version(c->metadata);
    if (!response->skip_assignment) {
        ks_sync_group_request *request = envelope->body;
        request->assignments.items = ks_arena_alloc(envelope->arena, ((size_t)p.member_count + 1) * sizeof *request->assignments.items);
        request->assignments.count = p.member_count;
        for (int32_t m = 0; m < p.member_count; m++) {
            ks_assignment assignment = { .version = 3, .topics = shares[m].topics, .topic_count = shares[m].topic_count,
                                         .user_data = KS_NULL_BYTES };
            request->assignments.items[m].member_id = ks_arena_string(envelope->arena, p.members[m].id);
            request->assignments.items[m].assignment = ks_assignment_encode(&assignment, envelope->arena);
        }
        KS_EMIT(c->kernel, c->node, client_assignment_computed, .client = ks_str(ks_node_name(c->node)), .group = c->group_id,
                .member = c->member_id, .generation = c->generation, .protocol = c->protocol_name, .members = p.member_count);
    }
    ks_arena_free(scratch);
    send_sync(c, envelope);
}

static bool leader_may_assign(ks_consumer *c, const ks_join_group_response *response) {
    const ks_java_assignor *assignor = chosen_assignor(c);
    ks_arena *scratch = ks_arena_new();
    plan p = { 0 };
    if (assignor && read_members(response, assignor, scratch, &p) && !same_topics(c, &p))
        ks_java_watch_topics(c, p.topics, p.topic_count);
    ks_arena_free(scratch);
    return ks_java_metadata_is_fresh(c->metadata);
}

void ks_java_leader_metadata(ks_consumer *c) {
    if (c->leader_response == NULL || !ks_java_metadata_is_newer(c->metadata, c->leader_version)) return;
    ks_envelope *response = c->leader_response;
    c->leader_response = NULL;
    if (c->stage == KS_STAGE_JOINING && c->state == KS_MEMBER_COMPLETING_REBALANCE) lead(c, response->body);
    ks_envelope_free(c->kernel, response);
}

static void joined(ks_consumer *c, ks_envelope *envelope) {
    const ks_join_group_response *response = envelope->body;
    c->generation = response->generation_id;
    ks_java_set_member_id(c, response->member_id);
    replace_text(&c->protocol_name, response->protocol_name);
    c->state = KS_MEMBER_COMPLETING_REBALANCE;
    c->leader = ks_string_equal(response->leader, response->member_id);
    ks_java_heartbeat_enable(c);
    if (!c->leader) {
        ks_envelope_free(c->kernel, envelope);
        ks_java_watch_topics(c, NULL, 0);
        send_sync(c, sync_request(c));
    } else if (leader_may_assign(c, response)) {
        lead(c, response);
        ks_envelope_free(c->kernel, envelope);
    } else {
        c->leader_response = envelope;
        c->leader_version = ks_java_metadata_version(c->metadata);
    }
}

void ks_java_join_answered(ks_consumer *c) {
    ks_envelope *envelope = c->join_response;
    kafka_error error = c->join_error;
    c->join_response = NULL;
    c->join_here = false;
    if (error == KAFKA_OK) error = (kafka_error)((const ks_join_group_response *)envelope->body)->error_code;
    if (error == KAFKA_OK) {
        joined(c, envelope);
        return;
    }
    join_failed(c, error, envelope ? envelope->body : NULL);
    if (envelope) ks_envelope_free(c->kernel, envelope);
}
