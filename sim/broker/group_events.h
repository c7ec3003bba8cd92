/* SPDX-License-Identifier: Apache-2.0
 *
 * What the group machine tells the trace: one function per fact, so that the rules stay free of field lists. The kinds
 * are in sim/protocol/events/group.def. */
#ifndef KS_GROUP_EVENTS_H
#define KS_GROUP_EVENTS_H

#include "sim/broker/group_internal.h"

void ks_group_tell_created(ks_group *group, ks_effects *out);
void ks_group_tell_loaded(ks_group *group, ks_effects *out);
void ks_group_tell_deleted(ks_group *group, const char *reason, ks_effects *out);
void ks_group_tell_state(ks_group *group, const char *from, const ks_group_why *why, ks_effects *out);
void ks_group_tell_rebalance(ks_group *group, const ks_group_why *why, int32_t timeout_ms, ks_effects *out);
void ks_group_tell_delay_extended(ks_group *group, ks_effects *out);
void ks_group_tell_id_given(ks_group *group, ks_string member_id, ks_string client_id, ks_effects *out);
void ks_group_tell_pending_gone(ks_group *group, ks_string member_id, bool expired, ks_string reason, ks_effects *out);
void ks_group_tell_joined(const ks_group_member *member, const ks_group_why *why, ks_effects *out);
void ks_group_tell_rejoined(const ks_group_member *member, const ks_group_why *why, ks_effects *out);
void ks_group_tell_left(const ks_group_member *member, ks_string client_reason, ks_effects *out);
void ks_group_tell_removed(const ks_group_member *member, const char *reason, ks_effects *out);
void ks_group_tell_expired(const ks_group_member *member, const char *reason, ks_effects *out);
/* When `error` says that another one holds the instance id. */
void ks_group_tell_if_fenced(ks_group *group, kafka_error error, ks_string member_id, ks_string instance_id,
                             ks_string client_id, ks_effects *out);
void ks_group_tell_replaced(const ks_group_member *member, ks_string former_id, ks_effects *out);
void ks_group_tell_assignment_skipped(ks_group_member *member, ks_effects *out);
void ks_group_tell_leader(ks_group *group, ks_effects *out);
void ks_group_tell_join_parked(const ks_group_member *member, ks_effects *out);
void ks_group_tell_sync_parked(const ks_group_member *member, ks_effects *out);
void ks_group_tell_join_completed(ks_group *group, const char *reason, ks_effects *out);
void ks_group_tell_assignments(ks_group *group, ks_effects *out); /* one for each member, then that all is stable */

/* The general form: `fields` (size kind->size) is copied. NULL when nobody would see it. */
ks_effect *ks_effect_event(ks_effects *out, ks_group *group, const ks_struct *kind, const void *fields);
#define KS_TELL(out, group, kind, ...)                                                                                 \
    ks_effect_event((out), (group), ks_describe_ev_##kind(), &(ks_ev_##kind){ __VA_ARGS__ })
/* "orders[0,1] payments[2]" of ConsumerProtocolAssignment bytes; null when they do not parse. */
ks_string ks_assignment_text(ks_bytes assignment, ks_arena *arena);

#endif
