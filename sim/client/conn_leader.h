/* SPDX-License-Identifier: Apache-2.0
 *
 * Dialling the leader of a partition as kafka-go's Dialer does (dialer.go, DialLeader): ask a bootstrap broker for the topic's
 * metadata over a connection of its own, then open another one to the leader it names. The metadata request allows
 * auto-creation, and is repeated for ever, 100 ms * n * n apart and at most 10 s, while the answer is a temporary code
 * (UNKNOWN_TOPIC_OR_PARTITION is one) or lacks the partition. These repetitions are background work: a reader of a missing
 * topic does not keep a simulation alive.
 */
#ifndef KS_CONN_LEADER_H
#define KS_CONN_LEADER_H

#include "sim/client/conn_ask.h"

/* The brokers to ask first, in order. */
typedef struct ks_seed {
    ks_string host;
    int32_t port;
} ks_seed;
typedef struct ks_seeds {
    ks_seed *items;
    int32_t count;
} ks_seeds;

typedef struct ks_leader_dial {
    ks_process *process;
    const ks_seeds *seeds; /* kept */
    ks_string topic;       /* kept */
    int32_t partition;
    int64_t dial_timeout_ns;
    /* Once for each ks_leader_dial_start or _next, unless stopped before. KAFKA_OK: the channel (given away) leads to the
     * leader, but is not known to be open yet: when its first request says ks_dial_failed, go on with ks_leader_dial_next.
     * Else the error of the last bootstrap broker, after all have been tried. */
    void (*done)(void *owner, kafka_error error, ks_channel *leader);
    void (*trouble)(void *owner, kafka_error error); /* the lookup is repeated because of this code; NULL: do not say */
    void *owner;
    /* inside */
    int32_t seed, attempt;
    kafka_error last;
    ks_channel *channel;
    ks_ask ask;
    ks_timer again;
} ks_leader_dial;

void ks_leader_dial_init(ks_leader_dial *dial);                  /* after the fields above were set */
void ks_leader_dial_start(ks_leader_dial *dial);                 /* from the first bootstrap broker */
void ks_leader_dial_next(ks_leader_dial *dial, kafka_error why); /* through the next one: the leader was not reached */
void ks_leader_dial_stop(ks_leader_dial *dial);                  /* harmless when nothing is under way */
bool ks_dial_failed(kafka_error error);                          /* no broker was reached */

#endif
