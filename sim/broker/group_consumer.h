/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of the consumer protocol (KIP-848) as a pure machine, and classic members inside them. */
#ifndef KS_GROUP_CONSUMER_H
#define KS_GROUP_CONSUMER_H

#include "sim/broker/group_records.h"

/* ---- what the classic rules and the offsets ask ---- */
bool ks_consumer_group_is_empty(const ks_group *group);
bool ks_consumer_group_has_member(const ks_group *group, ks_string member_id);
bool ks_consumer_group_subscribes(const ks_group *group, ks_string topic);
kafka_error ks_consumer_group_check_fetch(const ks_group *group, ks_string member_id, int32_t member_epoch); /* section 2.4 */
kafka_error ks_consumer_group_check_commit(ks_group *group, const ks_group_committer *who);
const char *ks_consumer_group_state_text(const ks_group *group);
void ks_consumer_group_tombstones(const ks_group *group, ks_arena *arena, ks_group_records *records);
void ks_consumer_group_free(ks_group *group); /* its part; harmless when there is none */

/* ---- requests of classic members ---- */
void ks_consumer_group_classic_join(ks_group *group, const ks_group_input *in, ks_effects *out);
void ks_consumer_group_classic_sync(ks_group *group, const ks_group_input *in, ks_effects *out);
void ks_consumer_group_classic_heartbeat(ks_group *group, const ks_group_input *in, ks_effects *out);
void ks_consumer_group_classic_leave(ks_group *group, const ks_group_input *in, ks_effects *out);
/* A classic join to an empty consumer group: it becomes a fresh classic group of the same id; offsets stay. */
void ks_consumer_group_replace_by_classic(ks_group *group, int64_t now_ms, ks_effects *out);

/* ---- inputs ---- */
void ks_consumer_group_heartbeat(ks_groups *groups, const ks_group_input *in, ks_effects *out);
void ks_consumer_group_timer_fired(ks_group *group, const ks_group_input *in, ks_effects *out);
void ks_consumer_group_loaded(ks_group *group, ks_effects *out);
void ks_consumer_group_apply(ks_groups *groups, const ks_group_key *key, ks_bytes value, int64_t now_ms, ks_effects *out);

#endif
