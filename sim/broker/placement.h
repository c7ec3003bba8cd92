/* SPDX-License-Identifier: Apache-2.0
 * Which brokers hold a new partition (Kafka's StripedReplicaPlacer; TC-4..TC-8). */
#ifndef KS_PLACEMENT_H
#define KS_PLACEMENT_H

#include "sim/base/base.h"

typedef struct ks_placement_broker {
    int32_t id;     /* ascending in the list */
    ks_string rack; /* null: none */
    bool fenced;    /* down: only chosen as a follower, and only when its rack has no other */
} ks_placement_broker;

/* Draws a number below `bound`; NULL: every list begins at its first place ("plain"). */
typedef uint64_t ks_placement_draw(void *context, uint64_t bound);

/* Fills `replicas` with `partitions` rows of `replication_factor` broker ids, the leader first. The caller has checked
 * that there are that many brokers and that one is not fenced. Cost: O(brokers log brokers + partitions *
 * replication_factor * racks). */
void ks_place(const ks_placement_broker *brokers, int32_t broker_count, int32_t partitions, int32_t replication_factor,
              ks_placement_draw *draw, void *context, int32_t *replicas);

#endif
