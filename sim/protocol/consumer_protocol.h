/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes inside JoinGroup and SyncGroup: ConsumerProtocolSubscription (v0-3) and ConsumerProtocolAssignment. An early
 * end is tolerated where real clients send one (WR-33).
 */
#ifndef KS_CONSUMER_PROTOCOL_H
#define KS_CONSUMER_PROTOCOL_H

#include "sim/base/base.h"

typedef struct ks_topic_partitions {
    ks_string topic;
    int32_t *partitions;
    int32_t partition_count;
} ks_topic_partitions;

typedef struct ks_subscription {
    int16_t version;
    ks_string *topics;
    int32_t topic_count;
    ks_bytes user_data;               /* may be null */
    ks_topic_partitions *owned;       /* v1+ */
    int32_t owned_count;              /* -1: the message ends before it, as kafka-go's v1 does (WR-33) */
    int32_t generation_id;            /* v2+; -1 */
    ks_string rack_id;                /* v3+; may be null */
} ks_subscription;

typedef struct ks_assignment {
    int16_t version;
    ks_topic_partitions *topics;
    int32_t topic_count;
    ks_bytes user_data; /* may be null */
} ks_assignment;

/* False: the bytes do not parse. What they point to lives in `arena` and in `bytes`. */
bool ks_subscription_decode(ks_bytes bytes, ks_arena *arena, ks_subscription *subscription);
bool ks_assignment_decode(ks_bytes bytes, ks_arena *arena, ks_assignment *assignment);
ks_bytes ks_subscription_encode(const ks_subscription *subscription, ks_arena *arena);
ks_bytes ks_assignment_encode(const ks_assignment *assignment, ks_arena *arena);
/* As people read it: "orders[0,1] payments[2]". */
void ks_topic_partitions_print(const ks_topic_partitions *topics, int32_t count, ks_buffer *out);

#endif
