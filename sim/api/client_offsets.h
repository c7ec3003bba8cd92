/* SPDX-License-Identifier: Apache-2.0
 *
 * OffsetFetch, OffsetCommit and OffsetDelete: requests filled from the API's lists, and answers told in them. For
 * kafka-go's single calls (client_offsets.c) and the administrator's (client_admin_offsets.c).
 */
#ifndef KS_CLIENT_OFFSETS_H
#define KS_CLIENT_OFFSETS_H

#include "sim/api/client_call.h"

bool ks_partitions_are_named(const kafka_topic_partition *partitions, size_t count);
/* What is wrong with a list of offsets to commit, in words; NULL: nothing. */
const char *ks_offsets_problem(const kafka_group_offset *offsets, size_t count);

/* Count 0: all of the group. In the shape that the request's version has (several groups from 8 on). */
void ks_fill_offset_fetch(ks_client_call *call, ks_ask *ask, const char *group, const kafka_topic_partition *partitions,
                          size_t count);
void ks_fill_offset_commit(ks_client_call *call, ks_ask *ask, const kafka_commit_request *from);
void ks_fill_offset_delete(ks_client_call *call, ks_ask *ask, const char *group,
                           const kafka_topic_partition *partitions, size_t count);

/* Owned results. */
kafka_group_offsets *ks_tell_offset_fetch(const ks_envelope *answer);
kafka_group_offsets *ks_tell_offset_commit(const ks_offset_commit_response *answer);
kafka_group_offsets *ks_tell_offset_delete(const ks_offset_delete_response *answer);
int16_t ks_offset_fetch_code(const ks_envelope *answer); /* of the whole group, wherever the version has it */
/* Hands `told` over, or (out NULL) frees it and returns the first code that is not 0. */
kafka_error ks_offsets_hand_over(ks_client_call *call, kafka_group_offsets *told, const char *group,
                                 kafka_group_offsets **out);

#endif
