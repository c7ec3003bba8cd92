/* SPDX-License-Identifier: Apache-2.0
 * People think in clients ("c2"), the protocol in member ids. Which is whose is learned from the requests that named them. A process
 * that crashed and was started again has one name and two member ids for a while: where the former one is spoken of then, it is
 * "c2 (before its restart)".
 */
#include "sim/base/hash.h"
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

typedef struct member_name {
    ks_string member, client;
    bool modern;               /* it speaks the consumer protocol (KIP-848) */
    ks_string former;          /* its name from the event `restarted` on, with which its client's process was started again */
    int32_t restarted;
    struct member_name *next;  /* of the same life of its process */
    UT_hash_handle hh;
} member_name;

typedef struct process {
    ks_string client;
    bool modern;               /* one of its members is */
    member_name *members;
    UT_hash_handle hh;
} process;

typedef struct type_change { int32_t event; bool modern; struct type_change *before; } type_change;
typedef struct group_type { ks_string group; type_change *last; UT_hash_handle hh; } group_type;

typedef struct ks_members {
    member_name *names;
    process *processes;
    group_type *groups;
} ks_members;

static process *find_process(const ks_members *all, ks_string client) {
    process *found = NULL;
    if (client.size > 0) KS_HASH_FIND_STRING(hh, all->processes, client, found);
    return found;
}

static member_name *find_member(const ks_members *all, ks_string member) {
    member_name *found = NULL;
    if (member.size > 0) KS_HASH_FIND_STRING(hh, all->names, member, found);
    return found;
}

static void learn(ks_story *story, ks_string member, ks_string client, bool modern) {
    ks_members *all = story->members;
    if (member.size <= 0 || client.size <= 0) return;
    member_name *found = find_member(all, member);
    if (found != NULL) return;
    found = ks_arena_alloc(story->arena, sizeof *found);
    *found = (member_name){ .member = member, .client = client, .modern = modern, .former = KS_NULL_STRING, .restarted = INT32_MAX };
    KS_HASH_ADD_STRING(hh, all->names, member, found);
    process *own = find_process(all, client);
    if (own == NULL) {
        own = ks_arena_alloc(story->arena, sizeof *own);
        own->client = client;
        KS_HASH_ADD_STRING(hh, all->processes, client, own);
    }
    found->next = own->members;
    own->members = found;
    own->modern = own->modern || modern;
}

static void starts_again(ks_story *story, ks_string client, int32_t event) {
    process *found = find_process(story->members, client);
    for (member_name *one = found != NULL ? found->members : NULL; one != NULL; one = one->next) {
        one->former = ks_arena_printf(story->arena, "%.*s (before its restart)", (int)client.size, client.data);
        one->restarted = event;
    }
    if (found != NULL) found->members = NULL;
}

static void becomes(ks_story *story, ks_string group, int32_t event, bool modern) {
    ks_members *all = story->members;
    group_type *found;
    KS_HASH_FIND_STRING(hh, all->groups, group, found);
    if (found != NULL && found->last->modern == modern) return;
    if (found == NULL) {
        found = ks_arena_alloc(story->arena, sizeof *found);
        found->group = group;
        KS_HASH_ADD_STRING(hh, all->groups, group, found);
    }
    type_change *change = ks_arena_alloc(story->arena, sizeof *change);
    *change = (type_change){ event, modern, found->last };
    found->last = change;
}

void ks_story_learn_members(ks_story *story) {
    story->members = ks_arena_alloc(story->arena, sizeof *story->members);
    for (int32_t i = 0; i < story->recording->events.count; i++) {
        const ks_recorded *event = &story->recording->events.items[i];
        const ks_struct *kind = event->kind;
        if (KIND(request_sent)) learn(story, FIELDS(request_sent)->member, FIELDS(request_sent)->from, FIELDS(request_sent)->api_key == KS_API_consumer_group_heartbeat);
        else if (KIND(response_received))
            learn(story, FIELDS(response_received)->member, FIELDS(response_received)->to, FIELDS(response_received)->api_key == KS_API_consumer_group_heartbeat);
        else if (KIND(client_generation_started)) learn(story, FIELDS(client_generation_started)->member, FIELDS(client_generation_started)->client, false);
        else if (KIND(node_started)) starts_again(story, FIELDS(node_started)->name, i);
        else if (KIND(group_created)) becomes(story, FIELDS(group_created)->group, i, ks_string_equal(FIELDS(group_created)->group_type, KS_LITERAL("consumer")));
        else if (KIND(group_converted)) becomes(story, FIELDS(group_converted)->group, i, ks_string_equal(FIELDS(group_converted)->to, KS_LITERAL("consumer")));
        else if (KIND(target_assignment_computed)) becomes(story, FIELDS(target_assignment_computed)->group, i, true); /* the trace may have begun later */
    }
}

void ks_story_forget_members(ks_story *story) {
    HASH_CLEAR(hh, story->members->names);
    HASH_CLEAR(hh, story->members->processes);
    HASH_CLEAR(hh, story->members->groups);
}

const char *ks_words_generation(const ks_story *story, int32_t at, ks_string group) {
    group_type *found = NULL;
    if (group.size > 0) KS_HASH_FIND_STRING(hh, story->members->groups, group, found);
    const type_change *change = found != NULL ? found->last : NULL;
    while (change != NULL && at >= 0 && change->event > at) change = change->before;
    return change != NULL && change->modern ? "epoch" : "generation";
}

const char *ks_words_generation_of(const ks_story *story, ks_string member) {
    const member_name *found = find_member(story->members, member);
    return found != NULL && found->modern ? "epoch" : "generation";
}

const char *ks_words_generation_of_client(const ks_story *story, ks_string client) {
    const process *found = find_process(story->members, client);
    return found != NULL && found->modern ? "epoch" : "generation";
}

ks_string ks_words_member(const ks_story *story, int32_t at, ks_string member) {
    const member_name *found = find_member(story->members, member);
    return found == NULL ? member : at >= found->restarted ? found->former : found->client;
}

void ks_partitions_each(ks_string text, void (*each)(void *context, ks_string topic, int32_t partition), void *context) {
    int32_t i = 0;
    while (i < text.size) {
        int32_t start = i;
        while (i < text.size && text.data[i] != '[') i++;
        ks_string topic = { text.data + start, i - start };
        if (i == text.size) return;
        int32_t number = 0;
        bool digits = false;
        for (i++; i < text.size && text.data[i] != ']'; i++) {
            if (text.data[i] >= '0' && text.data[i] <= '9') {
                number = (number < 100000000 ? number : 0) * 10 + (text.data[i] - '0');
                digits = true;
            } else {
                if (digits) each(context, topic, number);
                number = 0;
                digits = false;
            }
        }
        if (digits) each(context, topic, number);
        i++;
        while (i < text.size && text.data[i] == ' ') i++;
    }
}
