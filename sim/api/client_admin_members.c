/* SPDX-License-Identifier: Apache-2.0
 *
 * Removing members of a group from outside (Kafka's RemoveMembersFromConsumerGroupHandler, KIP-345, KIP-571).
 */
#include "sim/api/client_admin.h"

enum { LEAVE_GROUP_VERSION = 5, REASON_MAX = 255 };

static const char *problem_of(const char *group, const kafka_member_to_remove *members, size_t count) {
    if (group == NULL) return "group is NULL";
    if (members == NULL && count > 0) return "members is NULL";
    for (size_t i = 0; i < count; i++)
        if ((members[i].member == NULL || members[i].member[0] == '\0') && members[i].group_instance == NULL)
            return "a member has neither a member id nor a group.instance.id";
    return NULL;
}

/* All that there are: static ones by their instance, as Java's client does, so that who took one's place goes too. */
static kafka_error everybody(ks_client_call *call, const char *group, kafka_member_to_remove **members, size_t *count,
                             kafka_error *error) {
    ks_group_answer *answers;
    kafka_error failed = ks_admin_ask_groups(call, &group, 1, &answers);
    *count = 0;
    if (failed != KAFKA_OK) return failed;
    kafka_described_group described = ks_admin_tell_group(call->arena, group, answers);
    *error = described.error;
    *members = ks_arena_alloc(call->arena, described.member_count * sizeof **members);
    for (size_t i = 0; *error == KAFKA_OK && i < described.member_count; i++) {
        const char *instance = described.members[i].group_instance;
        (*members)[(*count)++] = (kafka_member_to_remove){ instance == NULL ? described.members[i].member : NULL, instance, 0 };
    }
    return KAFKA_OK;
}

typedef struct leaving {
    const char *group, *reason;
    const kafka_member_to_remove *members;
    size_t count;
} leaving;

/* As many whole characters of it as Kafka takes. */
static ks_string cut(ks_ask *ask, const char *reason) {
    ks_string text = ks_str(reason);
    if (text.size > REASON_MAX) {
        text.size = REASON_MAX;
        while (text.size > 0 && ((unsigned char)text.data[text.size] & 0xc0) == 0x80) text.size--;
    }
    return ks_arena_string(ask->request->arena, text);
}

static void fill_leave(ks_client_call *call, ks_ask *ask, const void *argument) {
    (void)call;
    const leaving *from = argument;
    ks_leave_group_request *request = ask->request->body;
    request->group_id = ks_ask_string(ask, from->group);
    KS_FILL(ask, request->members, from->count);
    for (size_t i = 0; i < from->count; i++) {
        const kafka_member_to_remove *member = &from->members[i];
        request->members.items[i] = (ks_leave_group_request_member_identity){
            ks_ask_string(ask, member->member != NULL ? member->member : ""), ks_ask_string(ask, member->group_instance),
            cut(ask, from->reason)
        };
    }
}

static int16_t leave_code(const ks_envelope *answer) { return ((const ks_leave_group_response *)answer->body)->error_code; }

static kafka_error tell(ks_client_call *call, const char *group, const ks_leave_group_response *answer,
                        kafka_error error, kafka_removed_members **out) {
    ks_arena *arena;
    kafka_removed_members *told = ks_result_new(sizeof *told, &arena);
    size_t count = answer != NULL ? (size_t)answer->members.count : 0;
    kafka_member_to_remove *items = ks_arena_alloc(arena, count * sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = (kafka_member_to_remove){ ks_result_text(arena, answer->members.items[i].member_id),
                                         ks_result_text(arena, answer->members.items[i].group_instance_id),
                                         (kafka_error)answer->members.items[i].error_code };
    told->error = answer != NULL ? (kafka_error)answer->error_code : error;
    told->items = items;
    told->count = count;
    error = ks_client_code(call, (int16_t)told->error, group, KS_NULL_STRING);
    for (size_t i = 0; error == KAFKA_OK && i < count; i++)
        error = ks_client_code(call, (int16_t)items[i].error, items[i].member, KS_NULL_STRING);
    return KS_HAND_OVER(told, out, error);
}

kafka_error kafka_client_remove_group_members(kafka_client *client, kafka_context *context, const char *group,
                                              const kafka_member_to_remove *members, size_t count, const char *reason,
                                              kafka_removed_members **removed) {
    kafka_error error = KAFKA_OK, failed = KAFKA_OK;
    const char *problem = problem_of(group, members, count);
    ks_client_call *call =
        ks_client_begin_with(client, context, "kafka_client_remove_group_members", problem == NULL, problem, &error);
    if (call == NULL) return error;
    leaving self = { group, reason != NULL && reason[0] != '\0' ? reason : "member was removed by an admin", members,
                     count };
    if (count == 0) {
        kafka_member_to_remove *all = NULL;
        failed = everybody(call, group, &all, &self.count, &error);
        self.members = all;
    }
    const ks_envelope *answer = NULL;
    const ks_group_question question = { KS_API_leave_group, LEAVE_GROUP_VERSION, fill_leave, leave_code, &self };
    if (failed == KAFKA_OK && error == KAFKA_OK && self.count > 0)
        failed = ks_admin_ask_group(call, group, &question, &answer, &error);
    if (failed != KAFKA_OK) return ks_client_end(call, failed);
    return ks_client_end(call, tell(call, group, answer != NULL ? answer->body : NULL, error, removed));
}

KS_RESULT_FREE(kafka_removed_members_free, kafka_removed_members)
