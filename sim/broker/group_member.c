/* SPDX-License-Identifier: Apache-2.0
 *
 * Members of a classic group: adding, changing, removing; the queues of parked requests; the protocol vote (Kafka's
 * ClassicGroup). Votes are kept as counters, and all members are only looked at when the set of candidates changed. */
#include "sim/broker/group_internal.h"

#include <stdlib.h>

/* ---- protocols and votes ---- */

static ks_group_protocol *find_protocol(const ks_group *group, ks_string name) {
    ks_group_protocol *protocol;
    KS_HASH_FIND_STRING(hh, group->protocols, name, protocol);
    return protocol;
}

static ks_group_protocol *first_candidate(const ks_group_member *member) {
    for (int32_t i = 0; i < member->protocol_count; i++)
        if (member->protocols[i].protocol->candidate) return member->protocols[i].protocol;
    return NULL;
}

/* Are the candidates still those that the votes were counted with? Cost: the names in use, not the members. */
static void compare_candidates(ks_group *group) {
    for (ks_group_protocol *protocol = group->protocols; protocol != NULL && !group->votes_stale;
         protocol = protocol->hh.next)
        if (protocol->candidate != (protocol->supporters == group->member_count)) group->votes_stale = true;
}

static void withdraw_vote(ks_group_member *member) {
    if (member->vote != NULL) member->vote->votes--;
    member->vote = NULL;
}

static void drop_protocols(ks_group_member *member) {
    withdraw_vote(member);
    for (int32_t i = 0; i < member->protocol_count; i++) {
        ks_group_protocol *protocol = member->protocols[i].protocol;
        if (--protocol->supporters > 0) continue;
        HASH_DELETE(hh, member->group->protocols, protocol);
        ks_free((void *)protocol->name.data);
        ks_free(protocol);
    }
    ks_free(member->protocols);
    member->protocols = NULL;
    member->protocol_count = 0;
}

static ks_group_protocol *support_protocol(ks_group *group, ks_string name) {
    ks_group_protocol *protocol = find_protocol(group, name);
    if (protocol == NULL) {
        protocol = ks_alloc(sizeof *protocol);
        protocol->name = ks_string_dup(name);
        KS_HASH_ADD_STRING(hh, group->protocols, name, protocol);
    }
    protocol->supporters++;
    return protocol;
}

static bool lists(const ks_group_member *member, ks_string name) {
    for (int32_t i = 0; i < member->protocol_count; i++)
        if (ks_string_equal(member->protocols[i].protocol->name, name)) return true;
    return false;
}

static void set_protocols(ks_group_member *member, const ks_join_group_request_protocol *protocols, int32_t count) {
    ks_member_protocol *former = member->protocols;
    int32_t former_count = member->protocol_count;
    size_t at = sizeof *member->protocols * (size_t)count, size = at;
    for (int32_t i = 0; i < count; i++) size += protocols[i].metadata.size > 0 ? (size_t)protocols[i].metadata.size : 0;
    withdraw_vote(member);
    member->protocols = ks_alloc(size);
    member->protocol_count = 0;
    for (int32_t i = 0; i < count; i++) { /* support the new ones first: names in both lists keep their entry */
        if (lists(member, protocols[i].name)) continue;
        ks_member_protocol *mine = &member->protocols[member->protocol_count++];
        mine->protocol = support_protocol(member->group, protocols[i].name);
        mine->metadata = (ks_bytes){ (uint8_t *)member->protocols + at, protocols[i].metadata.size };
        if (mine->metadata.size <= 0) continue;
        memcpy((uint8_t *)member->protocols + at, protocols[i].metadata.data, (size_t)mine->metadata.size);
        at += (size_t)mine->metadata.size;
    }
    ks_group_member leaving = { .group = member->group, .protocols = former, .protocol_count = former_count };
    drop_protocols(&leaving);
}

static void cast_vote(ks_group_member *member) {
    compare_candidates(member->group);
    if (member->group->votes_stale) return;
    member->vote = first_candidate(member);
    if (member->vote != NULL) member->vote->votes++;
}

static void count_votes(ks_group *group) { /* O(members) */
    ks_group_walks(group);
    for (ks_group_protocol *protocol = group->protocols; protocol != NULL; protocol = protocol->hh.next) {
        protocol->candidate = protocol->supporters == group->member_count;
        protocol->votes = 0;
    }
    for (ks_group_member *member = group->first_member; member != NULL; member = member->next) {
        member->vote = first_candidate(member);
        if (member->vote != NULL) member->vote->votes++;
    }
    group->votes_stale = false;
}

ks_string ks_group_vote(ks_group *group) {
    ks_assert(group->member_count > 0);
    compare_candidates(group);
    if (group->votes_stale) count_votes(group);
    const ks_group_member *judge = group->leader != NULL ? group->leader : group->first_member;
    const ks_group_protocol *winner = NULL; /* a tie goes to the one earlier in the leader's list */
    for (int32_t i = 0; i < judge->protocol_count; i++) {
        const ks_group_protocol *protocol = judge->protocols[i].protocol;
        if (protocol->candidate && (winner == NULL || protocol->votes > winner->votes)) winner = protocol;
    }
    ks_assert(winner != NULL); /* every join was refused that would have left none */
    return winner->name;
}

void ks_group_votes_free(ks_group *group) {
    ks_group_protocol *protocol, *next;
    HASH_ITER(hh, group->protocols, protocol, next) {
        HASH_DELETE(hh, group->protocols, protocol);
        ks_free((void *)protocol->name.data);
        ks_free(protocol);
    }
}

bool ks_group_supports(const ks_group *group, ks_string type, const ks_join_group_request_protocol *protocols,
                       int32_t count) {
    if (group->state == KS_GROUP_EMPTY) return type.size > 0 && count > 0;
    if (!ks_string_equal(type, group->protocol_type)) return false;
    for (int32_t i = 0; i < count; i++) {
        const ks_group_protocol *protocol = find_protocol(group, protocols[i].name);
        if ((protocol != NULL ? protocol->supporters : 0) == group->member_count) return true;
    }
    return false;
}

/* The same names in the same order. */
static bool lists_the_same(const ks_group_member *member, const ks_join_group_request_protocol *protocols, int32_t count) {
    if (member->protocol_count != count) return false;
    for (int32_t i = 0; i < count; i++)
        if (!ks_string_equal(member->protocols[i].protocol->name, protocols[i].name)) return false;
    return true;
}

/* Where the room that there is will do, as it mostly does; else false, and nothing is changed. */
static bool replace_metadata(ks_group_member *member, const ks_join_group_request_protocol *protocols, int32_t count) {
    if (!lists_the_same(member, protocols, count)) return false;
    for (int32_t i = 0; i < count; i++)
        if (member->protocols[i].metadata.size != protocols[i].metadata.size) return false;
    for (int32_t i = 0; i < count; i++)
        if (protocols[i].metadata.size > 0)
            memcpy((void *)member->protocols[i].metadata.data, protocols[i].metadata.data, (size_t)protocols[i].metadata.size);
    return true;
}

bool ks_group_member_matches(const ks_group_member *member, const ks_join_group_request_protocol *protocols,
                             int32_t count) {
    if (!lists_the_same(member, protocols, count)) return false;
    for (int32_t i = 0; i < count; i++)
        if (!ks_bytes_equal(member->protocols[i].metadata, protocols[i].metadata)) return false;
    return true;
}

ks_bytes ks_group_member_metadata(const ks_group_member *member) {
    const ks_group *group = member->group;
    if (group->protocol_name.size < 0) return KS_NULL_BYTES;
    for (int32_t i = 0; i < member->protocol_count; i++)
        if (ks_string_equal(member->protocols[i].protocol->name, group->protocol_name))
            return member->protocols[i].metadata;
    return KS_NULL_BYTES;
}

/* ---- members ---- */

ks_group_member *ks_group_member_find(const ks_group *group, ks_string member_id) {
    ks_group_member *member;
    KS_HASH_FIND_STRING(by_id, group->members_by_id, member_id, member);
    return member;
}

ks_group_member *ks_group_static_find(const ks_group *group, ks_string instance_id) {
    ks_group_member *member;
    KS_HASH_FIND_STRING(by_instance, group->members_by_instance, instance_id, member);
    return member;
}

/* Votes for a timeout, so to speak: O(different timeouts). */
static void count_timeout(ks_group *group, int32_t ms, int32_t by) {
    int32_t i = 0;
    while (i < group->timeouts.count && group->timeouts.items[i].ms != ms) i++;
    if (i == group->timeouts.count) KS_PUSH(group->timeouts, (ks_group_timeout){ ms, 0 });
    group->timeouts.items[i].members += by;
    if (group->timeouts.items[i].members == 0) group->timeouts.items[i] = group->timeouts.items[--group->timeouts.count];
}

static void enter_tables(ks_group_member *member) {
    ks_group *group = member->group;
    KS_HASH_ADD_STRING(by_id, group->members_by_id, id, member);
    if (member->instance_id.size >= 0) KS_HASH_ADD_STRING(by_instance, group->members_by_instance, instance_id, member);
    group->sorted_valid = false;
}

static void leave_tables(ks_group_member *member) {
    ks_group *group = member->group;
    HASH_DELETE(by_id, group->members_by_id, member);
    if (member->instance_id.size >= 0) HASH_DELETE(by_instance, group->members_by_instance, member);
    group->sorted_valid = false;
}

static size_t text_size(ks_string string) { return string.size >= 0 ? (size_t)string.size + 1 : 0; }

static ks_string keep_text(char **at, ks_string string) {
    if (string.size < 0) return KS_NULL_STRING;
    char *copy = *at;
    if (string.size > 0) memcpy(copy, string.data, (size_t)string.size);
    copy[string.size] = '\0';
    *at += text_size(string);
    return (ks_string){ copy, string.size };
}

ks_group_member *ks_group_member_add(ks_group *group, const ks_member_spec *spec) {
    size_t size = sizeof(ks_group_member) + text_size(spec->id) + text_size(spec->client_id) + text_size(spec->client_host) +
                  text_size(spec->instance_id);
    ks_group_member *member = memset(ks_alloc_lines(size), 0, size);
    char *text = member->text;
    member->group = group;
    member->id = keep_text(&text, spec->id);
    member->client_id = keep_text(&text, spec->client_id);
    member->client_host = keep_text(&text, spec->client_host);
    member->instance_id = keep_text(&text, spec->instance_id);
    member->session_timeout_ms = spec->session_timeout_ms;
    member->rebalance_timeout_ms = spec->rebalance_timeout_ms;
    count_timeout(group, member->rebalance_timeout_ms, 1);
    member->join.member = member->sync.member = member;
    ks_bytes_replace(&member->assignment, spec->assignment);
    member->assigned_round = group->assignment_round;
    if (group->member_count == 0) ks_string_replace(&group->protocol_type, spec->protocol_type);
    if (group->leader == NULL) group->leader = member;
    member->previous = group->last_member;
    *(member->previous != NULL ? &member->previous->next : &group->first_member) = member;
    group->last_member = member;
    group->member_count++;
    enter_tables(member);
    set_protocols(member, spec->protocols, spec->protocol_count);
    cast_vote(member);
    return member;
}

void ks_group_member_update(ks_group_member *member, const ks_member_spec *spec) {
    member->session_timeout_ms = spec->session_timeout_ms;
    if (member->rebalance_timeout_ms != spec->rebalance_timeout_ms) {
        count_timeout(member->group, member->rebalance_timeout_ms, -1);
        member->rebalance_timeout_ms = spec->rebalance_timeout_ms;
        count_timeout(member->group, member->rebalance_timeout_ms, 1);
    }
    if (replace_metadata(member, spec->protocols, spec->protocol_count)) return; /* its vote stays */
    set_protocols(member, spec->protocols, spec->protocol_count);
    cast_vote(member);
}

static void free_id(const ks_group_member *member, ks_string id) {
    if (id.data != member->text) ks_free((void *)id.data);
}

void ks_group_member_rename(ks_group_member *member, ks_string id) {
    ks_string former = member->id;
    leave_tables(member);
    member->id = ks_string_dup(id); /* before the former one goes, which it may be a view of */
    free_id(member, former);
    ks_group_link_cut(&member->session); /* that timer is the former id's */
    enter_tables(member);
}

void ks_group_member_remove(ks_group_member *member, ks_effects *out) {
    ks_group *group = member->group;
    if (member->join.waiting) ks_group_wait_release(&group->joins, &member->join);
    if (member->sync.waiting) { /* Kafka answers only a parked join here */
        void *request = ks_group_wait_release(&group->syncs, &member->sync);
        if (request != NULL) ks_effect_add(out, group, KS_EFFECT_ORPHAN)->orphan = request;
    }
    ks_group_pending_sync_set(member, false);
    leave_tables(member);
    *(member->previous != NULL ? &member->previous->next : &group->first_member) = member->next;
    *(member->next != NULL ? &member->next->previous : &group->last_member) = member->previous;
    group->member_count--;
    count_timeout(group, member->rebalance_timeout_ms, -1);
    if (group->leader == member) group->leader = group->first_member;
    drop_protocols(member);
    compare_candidates(group);
    member->next = out->dead_members;
    out->dead_members = member;
    out->progress = true;
}

void ks_group_member_free(ks_group_member *member) {
    ks_free(member->protocols);
    ks_group_link_cut(&member->session);
    free_id(member, member->id);
    ks_free((void *)member->assignment.data);
    ks_free(member);
}

static int by_member_id(const void *a, const void *b) {
    return ks_string_compare((*(ks_group_member *const *)a)->id, (*(ks_group_member *const *)b)->id);
}

ks_group_member *const *ks_group_members_sorted(ks_group *group) {
    ks_group_walks(group);
    if (group->sorted_valid) return group->sorted;
    group->sorted = ks_realloc(group->sorted, sizeof *group->sorted * (size_t)(group->member_count + 1));
    int32_t count = 0;
    for (ks_group_member *member = group->first_member; member != NULL; member = member->next)
        group->sorted[count++] = member;
    ks_sort(group->sorted, (size_t)count, sizeof *group->sorted, by_member_id); /* ids differ */
    group->sorted_valid = true;
    return group->sorted;
}

int32_t ks_group_rebalance_timeout_ms(const ks_group *group) {
    int32_t longest = 0;
    for (int32_t i = 0; i < group->timeouts.count; i++)
        if (group->timeouts.items[i].ms > longest) longest = group->timeouts.items[i].ms;
    return longest;
}

/* ---- pending ids ---- */

ks_group_pending *ks_group_pending_find(const ks_group *group, ks_string id) {
    ks_group_pending *pending;
    KS_HASH_FIND_STRING(hh, group->pending, id, pending);
    return pending;
}

void ks_group_pending_add(ks_group *group, ks_string id) {
    ks_group_pending *pending = ks_alloc(sizeof *pending);
    pending->id = ks_string_dup(id);
    KS_HASH_ADD_STRING(hh, group->pending, id, pending);
}

void ks_group_pending_remove(ks_group *group, ks_group_pending *pending) {
    HASH_DELETE(hh, group->pending, pending);
    ks_free((void *)pending->id.data);
    ks_free(pending);
}

int32_t ks_group_pending_count(const ks_group *group) { return (int32_t)HASH_CNT(hh, group->pending); }

bool ks_group_all_joined(const ks_group *group) {
    return group->joins.count == group->member_count && group->pending == NULL;
}

/* ---- parked requests ---- */

void ks_group_wait_park(ks_group_queue *queue, ks_group_wait *wait, void *request, ks_group *group, ks_effects *out) {
    if (wait->waiting) { /* a second request takes the place of the first, which is never answered */
        void *former = ks_group_wait_release(queue, wait);
        if (former != NULL) ks_effect_add(out, group, KS_EFFECT_ORPHAN)->orphan = former;
    }
    wait->waiting = true;
    wait->request = request;
    wait->next = NULL;
    wait->previous = queue->last;
    *(queue->last != NULL ? &queue->last->next : &queue->first) = wait;
    queue->last = wait;
    queue->count++;
    ks_effect_add(out, group, KS_EFFECT_HOLD)->wait = wait;
}

void *ks_group_wait_release(ks_group_queue *queue, ks_group_wait *wait) {
    ks_assert(wait->waiting);
    *(wait->previous != NULL ? &wait->previous->next : &queue->first) = wait->next;
    *(wait->next != NULL ? &wait->next->previous : &queue->last) = wait->previous;
    wait->next = wait->previous = NULL;
    wait->waiting = false;
    queue->count--;
    void *request = wait->request;
    wait->request = NULL;
    return request;
}

void ks_group_pending_sync_set(ks_group_member *member, bool pending) {
    if (ks_group_sync_is_pending(member) == pending) return;
    member->pending_sync = pending ? member->group->sync_round : 0;
    member->group->pending_sync_count += pending ? 1 : -1;
}
