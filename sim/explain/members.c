/* SPDX-License-Identifier: Apache-2.0
 * People think in clients ("c2"), the protocol in member ids. Which is whose is learned from the requests that named them. A process
 * that crashed and was started again has one name and two member ids for a while: where the former one is spoken of then, it is
 * "c2 (before its restart)".
 */
#include "sim/base/hash.h"
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"

typedef struct member_name {
    ks_string member, client;
    ks_string former;          /* its name from the event `restarted` on, with which its client's process was started again */
    int32_t restarted;
    struct member_name *next;  /* of the same process */
    UT_hash_handle hh;
} member_name;

typedef struct process { ks_string client; member_name *members; UT_hash_handle hh; } process;

static void learn(ks_story *story, process **processes, ks_string member, ks_string client) {
    if (member.size <= 0 || client.size <= 0) return;
    member_name *table = story->members, *found;
    KS_HASH_FIND_STRING(hh, table, member, found);
    if (found != NULL) return;
    found = ks_arena_alloc(story->arena, sizeof *found);
    *found = (member_name){ .member = member, .client = client, .former = KS_NULL_STRING, .restarted = INT32_MAX };
    KS_HASH_ADD_STRING(hh, table, member, found);
    story->members = table;
    process *head = *processes, *own;
    KS_HASH_FIND_STRING(hh, head, client, own);
    if (own == NULL) {
        own = ks_arena_alloc(story->arena, sizeof *own);
        own->client = client;
        KS_HASH_ADD_STRING(hh, head, client, own);
        *processes = head;
    }
    found->next = own->members;
    own->members = found;
}

static void starts_again(ks_story *story, process *processes, ks_string client, int32_t event) {
    process *found;
    KS_HASH_FIND_STRING(hh, processes, client, found);
    for (member_name *one = found != NULL ? found->members : NULL; one != NULL; one = one->next) {
        one->former = ks_arena_printf(story->arena, "%.*s (before its restart)", (int)client.size, client.data);
        one->restarted = event;
    }
    if (found != NULL) found->members = NULL;
}

void ks_story_learn_members(ks_story *story) {
    process *processes = NULL;
    for (int32_t i = 0; i < story->recording->events.count; i++) {
        const ks_recorded *event = &story->recording->events.items[i];
        if (event->kind == ks_describe_ev_request_sent()) {
            const ks_ev_request_sent *request = event->fields;
            learn(story, &processes, request->member, request->from);
        } else if (event->kind == ks_describe_ev_response_received()) {
            const ks_ev_response_received *response = event->fields;
            learn(story, &processes, response->member, response->to);
        } else if (event->kind == ks_describe_ev_client_generation_started()) {
            const ks_ev_client_generation_started *started = event->fields;
            learn(story, &processes, started->member, started->client);
        } else if (event->kind == ks_describe_ev_node_started())
            starts_again(story, processes, ((const ks_ev_node_started *)event->fields)->name, i);
    }
    HASH_CLEAR(hh, processes);
}

void ks_story_forget_members(ks_story *story) {
    member_name *table = story->members;
    HASH_CLEAR(hh, table);
    story->members = NULL;
}

ks_string ks_words_member(const ks_story *story, int32_t at, ks_string member) {
    member_name *table = story->members, *found = NULL;
    if (member.size > 0) KS_HASH_FIND_STRING(hh, table, member, found);
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
