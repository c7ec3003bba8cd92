/* SPDX-License-Identifier: Apache-2.0
 *
 * One or two offsets of a partition, asked of its leader over a connection made for it (kafka-go, reader.go: SetOffsetAt,
 * ReadLag): DialLeader through each bootstrap broker in turn, then ListOffsets v1.
 */
#ifndef KS_CONN_OFFSETS_H
#define KS_CONN_OFFSETS_H

#include "sim/client/conn_leader.h"

typedef struct ks_offsets_ask {
    ks_leader_dial dial;                          /* set process, seeds, topic, partition, dial_timeout_ns */
    int64_t timestamps[2];                        /* ms, or -2 earliest, -1 end */
    int32_t count;                                /* 1 or 2 */
    int64_t offsets[2];                           /* the answers; -1: no record is that young */
    void (*done)(void *owner, kafka_error error); /* once, unless stopped before */
    void *owner;
    /* inside */
    int32_t step;
    ks_channel *channel;
    ks_call *call;
} ks_offsets_ask;

void ks_offsets_ask_start(ks_offsets_ask *ask);
void ks_offsets_ask_stop(ks_offsets_ask *ask); /* harmless when nothing is under way */

/* ListOffsets v1 of one partition, and its answer. */
ks_envelope *ks_conn_list_offsets(ks_channel *channel, ks_string topic, int32_t partition, int64_t timestamp);
kafka_error ks_conn_listed_offset(const ks_envelope *response, int64_t *offset);

#endif
