/* SPDX-License-Identifier: Apache-2.0
 *
 * One request on a connection whose versions may be unknown yet. kafka-go's Conn asks ApiVersions once, before its first
 * Metadata, JoinGroup or Fetch (conn.go, loadVersions), and takes the highest version that both sides have.
 */
#ifndef KS_CONN_ASK_H
#define KS_CONN_ASK_H

#include "sim/client/process.h"

typedef struct ks_ask {
    ks_process *process;
    ks_channel *channel;
    ks_envelope *request; /* while versions are asked */
    ks_call *call;        /* NULL: nothing is awaited */
    int64_t deadline;     /* 0: none */
    ks_reply_fn *reply;
    void *owner;
} ks_ask;

/* Sends `request` (taken); its api_version is our highest and may be lowered. `ask` (zeroed before its first use) must live
 * until the reply, which comes exactly once unless dropped, as with ks_channel_send; UNSUPPORTED_VERSION: the broker does not
 * have that API. timeout_ns 0: none. */
void ks_ask_send(ks_ask *ask, ks_process *process, ks_channel *channel, ks_envelope *request, int64_t timeout_ns,
                 ks_reply_fn *reply, void *owner);
void ks_ask_drop(ks_ask *ask); /* before its channel is closed; harmless when nothing is awaited */

/* Metadata v6 for these topics, auto-creation allowed (kafka-go, Conn.ReadPartitions). `topics` are copied. */
ks_envelope *ks_conn_metadata(ks_channel *channel, const ks_string *topics, int32_t count);
/* The broker of that id; NULL: not in the answer. */
const ks_metadata_response_broker *ks_conn_broker(const ks_metadata_response *response, int32_t id);
/* kafka-go's Temporary() of a broker's code; errors of our own are not. */
bool ks_code_is_temporary(kafka_error error);

#endif
