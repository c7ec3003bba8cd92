/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups as told by ListGroups, DescribeGroups and DeleteGroups: for kafka-go's single calls (client_groups.c) and the
 * administrator's (client_admin_groups.c).
 */
#ifndef KS_CLIENT_GROUP_H
#define KS_CLIENT_GROUP_H

#include "sim/api/client_call.h"

bool ks_names_are_there(const char *const *names, size_t count);
/* A group before anything is known of it. */
kafka_described_group ks_described_group(ks_arena *arena, const char *group);
void ks_tell_described_group(ks_arena *arena, const ks_describe_groups_response_described_group *from,
                             kafka_described_group *to);
/* Hands `told` over, or (out NULL) frees it and returns the first code that is not 0. */
kafka_error ks_described_hand_over(ks_client_call *call, kafka_described_groups *told, kafka_described_groups **out);

#endif
