/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/broker/group_consumer.h"

bool ks_consumer_group_is_empty(const ks_group *group) { return group->consumer == NULL; }
bool ks_consumer_group_has_member(const ks_group *group, ks_string member_id) { return false; }
bool ks_consumer_group_subscribes(const ks_group *group, ks_string topic) { return false; }
kafka_error ks_consumer_group_check_fetch(const ks_group *group, ks_string member_id, int32_t member_epoch) { return KAFKA_OK; }
kafka_error ks_consumer_group_check_commit(ks_group *group, const ks_group_committer *who) { return KAFKA_OK; }
const char *ks_consumer_group_state_text(const ks_group *group) { return "Empty"; }
void ks_consumer_group_free(ks_group *group) {}
void ks_consumer_group_tombstones(const ks_group *group, ks_arena *arena, ks_group_records *records) {}
void ks_consumer_group_classic_join(ks_group *group, const ks_group_input *in, ks_effects *out) { ks_unreachable("kip848"); }
void ks_consumer_group_classic_sync(ks_group *group, const ks_group_input *in, ks_effects *out) { ks_unreachable("kip848"); }
void ks_consumer_group_classic_heartbeat(ks_group *group, const ks_group_input *in, ks_effects *out) { ks_unreachable("kip848"); }
void ks_consumer_group_classic_leave(ks_group *group, const ks_group_input *in, ks_effects *out) { ks_unreachable("kip848"); }
void ks_consumer_group_replace_by_classic(ks_group *group, int64_t now_ms, ks_effects *out) { ks_unreachable("kip848"); }
void ks_consumer_group_heartbeat(ks_groups *groups, const ks_group_input *in, ks_effects *out) {
    ks_effect_reply(out, NULL, in->request, KS_API_consumer_group_heartbeat, KAFKA_ERR_UNSUPPORTED_VERSION);
}
void ks_consumer_group_timer_fired(ks_group *group, const ks_group_input *in, ks_effects *out) {}
void ks_consumer_group_loaded(ks_group *group, ks_effects *out) {}
void ks_consumer_group_apply(ks_groups *groups, const ks_group_key *key, ks_bytes value, int64_t now_ms, ks_effects *out) {}
