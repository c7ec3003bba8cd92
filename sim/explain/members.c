/* SPDX-License-Identifier: Apache-2.0
 * People think in clients ("c2"), the protocol in member ids. Which is whose is learned from the requests that named them.
 */
#include "sim/base/hash.h"
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"

typedef struct member_name {
    ks_string member, client;
    UT_hash_handle hh;
} member_name;

static void learn(ks_story *story, ks_string member, ks_string client) {
    if (member.size <= 0 || client.size <= 0) return;
    member_name *table = story->members, *found;
    KS_HASH_FIND_STRING(hh, table, member, found);
    if (found != NULL) return;
    found = ks_arena_alloc(story->arena, sizeof *found);
    found->member = member;
    found->client = client;
    KS_HASH_ADD_STRING(hh, table, member, found);
    story->members = table;
}

void ks_story_learn_members(ks_story *story) {
    for (int32_t i = 0; i < story->recording->events.count; i++) {
        const ks_recorded *event = &story->recording->events.items[i];
        if (event->kind == ks_describe_ev_request_sent()) {
            const ks_ev_request_sent *request = event->fields;
            learn(story, request->member, request->from);
        } else if (event->kind == ks_describe_ev_response_received()) {
            const ks_ev_response_received *response = event->fields;
            learn(story, response->member, response->to);
        } else if (event->kind == ks_describe_ev_client_generation_started()) {
            const ks_ev_client_generation_started *started = event->fields;
            learn(story, started->member, started->client);
        }
    }
}

void ks_story_forget_members(ks_story *story) {
    member_name *table = story->members;
    HASH_CLEAR(hh, table);
    story->members = NULL;
}

ks_string ks_words_member(const ks_story *story, ks_string group, ks_string member) {
    (void)group;
    member_name *table = story->members, *found = NULL;
    if (member.size > 0) KS_HASH_FIND_STRING(hh, table, member, found);
    return found != NULL ? found->client : member;
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
