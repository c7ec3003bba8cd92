/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps that several of the administrator's calls (group_admin.h) are made of. What they give lives until the call
 * ends; an error says that the call as a whole has failed.
 */
#ifndef KS_CLIENT_ADMIN_H
#define KS_CLIENT_ADMIN_H

#include <kafkasim/group_admin.h>

#include "sim/api/client_logs.h"

/* Describes groups of both protocols; the texts live in `arena`, which may be the call's. */
typedef struct ks_group_answer { /* of one group: what came */
    const ks_consumer_group_describe_response_described_group *modern;
    const ks_describe_groups_response_described_group *classic;
    int16_t version; /* of the modern answer */
    int32_t coordinator;
    kafka_error error;
} ks_group_answer;
kafka_error ks_admin_ask_groups(ks_client_call *call, const char *const *groups, size_t count, ks_group_answer **answers);
kafka_described_group ks_admin_tell_group(ks_arena *arena, const char *group, const ks_group_answer *answer);

/* One question to the coordinator of one group, again until it is settled by what `code` reads out of the answer. *answer
 * NULL: `*error` is why. */
typedef struct ks_group_question {
    int16_t api_key, api_version;
    void (*fill)(ks_client_call *call, ks_ask *ask, const void *argument);
    int16_t (*code)(const ks_envelope *answer);
    const void *argument;
} ks_group_question;
kafka_error ks_admin_ask_group(ks_client_call *call, const char *group, const ks_group_question *question,
                               const ks_envelope **answer, kafka_error *error);

/* Committed offsets of a group: of the named partitions, or (count 0) all. */
kafka_error ks_admin_ask_offsets(ks_client_call *call, const char *group, const kafka_topic_partition *partitions,
                                 size_t count, const ks_envelope **answer, kafka_error *error);
/* What such an answer says, by topic and partition: `offset` is the committed one. Those without one are left out. */
ks_log_query *ks_admin_committed(ks_client_call *call, const ks_envelope *answer, size_t *count);
/* Commits from outside. */
kafka_error ks_admin_commit(ks_client_call *call, const char *group, const kafka_group_offset *offsets, size_t count,
                            const ks_envelope **answer, kafka_error *error);

#endif
