/* SPDX-License-Identifier: Apache-2.0
 * What KS_EFFECT_SESSIONS_START says, member by member, for worlds that perform effects by themselves. */
#ifndef TESTS_SESSIONS_H
#define TESTS_SESSIONS_H

#include "sim/broker/group_machine.h"

/* The start of the i-th member's session timer, as an effect of its own. */
static inline ks_effect session_start(const ks_effect *effect, int32_t i) {
    const ks_group_member *member = effect->sessions.members[i];
    ks_effect one = { .kind = KS_EFFECT_TIMER_START, .group = effect->group };
    one.timer.kind = KS_GROUP_TIMER_SESSION;
    one.timer.member_id = member->id;
    one.timer.delay_ms = member->session_timeout_ms;
    return one;
}

#endif
