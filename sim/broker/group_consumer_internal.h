/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the KIP-848 machine share among themselves. */
#ifndef KS_GROUP_CONSUMER_INTERNAL_H
#define KS_GROUP_CONSUMER_INTERNAL_H

#include "sim/broker/group_consumer.h"
#include "sim/broker/group_events.h"

/* One step in the making: records pile up and are appended together at its end. */
typedef struct ks_consumer_step {
    ks_group *group;
    ks_effects *out;
    const ks_group_topics *topics;
    ks_group_records records; /* freed by ks_consumer_step_end */
} ks_consumer_step;
/* Appends the records; replies that are added to `out` after it wait until they are written. */
void ks_consumer_step_end(ks_consumer_step *step);

/* ---- group_consumer.c ---- */
void ks_consumer_group_make(ks_group *group); /* empty, epochs 0; the group's classic part must be empty */
ks_consumer_member *ks_consumer_member_add(ks_group *group, ks_string id, ks_string instance_id);
void ks_consumer_member_remove(ks_consumer_member *member); /* frees what it holds and should have, and itself */
void ks_consumer_member_rename(ks_consumer_member *member, ks_string id);
ks_consumer_member *ks_consumer_static_find(const ks_group *group, ks_string instance_id);
/* True when the set of names differs from the former one. */
bool ks_consumer_member_subscribe(ks_consumer_member *member, const ks_string *names, int32_t count);
void ks_consumer_member_prefer(ks_consumer_member *member, int32_t assignor);
void ks_consumer_member_set_classic(ks_consumer_member *member, const ks_join_group_request_protocol *protocols,
                                    int32_t count, int32_t session_timeout_ms);
void ks_consumer_member_set_consumer(ks_consumer_member *member); /* speaks the consumer protocol */
/* Takes both lists. Keeps the holders and the count of settled members right. */
void ks_consumer_member_set_current(ks_consumer_member *member, ks_consumer_member_state state, int32_t epoch,
                                    int32_t previous_epoch, ks_tps assigned, ks_tps revoking);
bool ks_consumer_member_settled(const ks_consumer_member *member);
ks_consumer_topic *ks_consumer_topic_by_id(const ks_group *group, ks_uuid id); /* NULL: unknown here */
ks_consumer_topic *ks_consumer_topic_make(ks_group *group, ks_uuid id, ks_string name,
                                          int32_t partition_count); /* or grows it */
void ks_consumer_targets_rebuild(ks_group *group); /* members' lists from the topics' tables: O(partitions) */
bool ks_tps_contain(const ks_tps *set, ks_tp tp);  /* O(log) */
void ks_tps_sort(ks_tps *set);
ks_consumer_group_heartbeat_response_assignment *ks_tps_reply(const ks_group *group, const ks_tps *set,
                                                              ks_arena *arena);

/* ---- group_consumer_assign.c ---- */
/* Looks at the topics again if they, or the subscriptions, have changed; bumps the group epoch when that makes a
 * difference or `changed`; computes the target if it is behind. */
void ks_consumer_refresh(ks_consumer_step *step, bool changed, const ks_group_why *why);
void ks_consumer_bump(ks_consumer_step *step, const ks_group_why *why);
void ks_consumer_compare_topics(ks_consumer_step *step, bool *changed);

/* ---- group_consumer_reconcile.c ---- */
typedef struct ks_owned { /* what a member says it still owns */
    bool given;
    ks_tps items;
} ks_owned;
void ks_consumer_reconcile(ks_consumer_step *step, ks_consumer_member *member, const ks_owned *owned);

/* ---- group_consumer_heartbeat.c ---- */
/* Out of the group: downgrades it when only classic members remain, else bumps the epoch. reason: for the trace. */
void ks_consumer_fence(ks_consumer_step *step, ks_consumer_member *member, const char *reason, int64_t now_ms);
void ks_consumer_stop_timers(ks_consumer_step *step, const ks_consumer_member *member);
bool ks_consumer_epoch_is_valid(const ks_consumer_member *member, int32_t epoch, const ks_owned *owned);

/* ---- group_consumer_convert.c ---- */
kafka_error ks_consumer_upgrade(ks_consumer_step *step);  /* a classic group with members */
void ks_consumer_replace_classic(ks_consumer_step *step); /* an empty classic group */
bool ks_consumer_may_downgrade(const ks_group *group, const ks_consumer_member *leaving);
void ks_consumer_downgrade(ks_consumer_step *step, ks_consumer_member *leaving, int64_t now_ms);

/* ---- group_consumer_records.c: each adds one record ---- */
void ks_consumer_write_epoch(ks_consumer_step *step);
void ks_consumer_write_topics(ks_consumer_step *step);
void ks_consumer_write_member(ks_consumer_step *step, const ks_consumer_member *member);
void ks_consumer_write_target_epoch(ks_consumer_step *step);
void ks_consumer_write_target(ks_consumer_step *step, const ks_consumer_member *member);
void ks_consumer_write_current(ks_consumer_step *step, const ks_consumer_member *member);
void ks_consumer_write_member_gone(ks_consumer_step *step, ks_string member_id); /* three tombstones */

/* ---- trace ---- */
void ks_consumer_tell_state(ks_group *group, const ks_group_why *why, ks_effects *out); /* if it changed */

#endif
