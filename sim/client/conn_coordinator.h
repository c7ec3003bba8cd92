/* SPDX-License-Identifier: Apache-2.0
 *
 * Dialling a group's coordinator as kafka-go's ConsumerGroup does (consumergroup.go, coordinator()): a connection to the first
 * bootstrap broker that can be reached, FindCoordinator v0, a new connection to the broker it names. Nothing is cached.
 */
#ifndef KS_CONN_COORDINATOR_H
#define KS_CONN_COORDINATOR_H

#include "sim/client/conn_leader.h"

typedef struct ks_coordinator_dial {
    ks_process *process;
    const ks_seeds *seeds; /* kept */
    ks_string group;       /* kept */
    int64_t timeout_ns;    /* of opening a connection and asking; also of kafka-go's dialer */
    /* Once for each start, unless stopped before. KAFKA_OK: the channel (given away) leads to the coordinator, but is not known
     * to be open yet. */
    void (*done)(void *owner, kafka_error error, ks_channel *coordinator);
    void *owner;
    /* inside */
    int32_t seed;
    ks_channel *channel;
    ks_call *call;
} ks_coordinator_dial;

void ks_coordinator_dial_start(ks_coordinator_dial *dial);
void ks_coordinator_dial_stop(ks_coordinator_dial *dial); /* harmless when nothing is under way */

#endif
