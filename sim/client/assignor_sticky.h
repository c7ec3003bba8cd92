/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two halves of the sticky family share (AbstractStickyAssignor): who owned what before this round.
 */
#ifndef KS_CLIENT_ASSIGNOR_STICKY_H
#define KS_CLIENT_ASSIGNOR_STICKY_H

#include "sim/client/assignor_problem.h"

typedef struct ks_sticky {
    ks_problem *problem;
    int32_t *held;         /* by partition: the member whose claim counts, -1 nobody */
    bool *claimed_twice;   /* by partition: two members of one generation claimed it */
    bool *transferring;    /* by partition, filled for equal subscriptions: its new owner must wait for the old one */
    int32_t generation_max;
    bool racks_matter;
    int32_t *rack_members; /* by partition: how many members are in one of its racks (racks_matter only) */
} ks_sticky;

static inline bool ks_sticky_rack_mismatch(const ks_sticky *sticky, int32_t member, int32_t flat) {
    int32_t rack = sticky->problem->members[member].rack;
    return sticky->racks_matter && rack >= 0 && !ks_problem_in_rack(sticky->problem, flat, rack);
}
static inline bool ks_sticky_rack_match(const ks_sticky *sticky, int32_t member, int32_t flat) {
    return ks_problem_in_rack(sticky->problem, flat, sticky->problem->members[member].rack);
}
/* Stable: partitions that fewer members' racks can serve first. */
void ks_sticky_sort_by_rack(const ks_sticky *sticky, int32_t *partitions, int32_t count);

void ks_sticky_assign_equal(ks_sticky *sticky);   /* all subscriptions the same: fills owner and transferring */
void ks_sticky_assign_general(ks_sticky *sticky); /* fills owner */

#endif
