/* SPDX-License-Identifier: Apache-2.0
 *
 * Producer programs: event machines over the producer engine of kafka-go's Writer. A sender is a producer process; a source is one
 * `produce` command of it: all messages at once, the next hundred when the last are through, or one every so often without
 * waiting for answers (an asynchronous Writer).
 */
#ifndef KS_SCENARIO_SENDER_H
#define KS_SCENARIO_SENDER_H

#include "sim/client/balancer.h"
#include "sim/scenario/session.h"

struct ks_sender {
    ks_sender *next;
    ks_session *session;
    ks_string name;
    const ks_command_line *declared;
    kafka_address *address;
    ks_process_watch watch;
    bool lives; /* what follows is of this life of the process */
    ks_transport *transport;
    ks_producer *engine;
    ks_balancer balancer;
};

/* The pairs and configs of `producer` (NULL: all defaults) as a Writer's settings; what the grammar has let pass is right. False:
 * `problem` says what is wrong with it together. */
bool ks_sender_settings(const ks_command_line *declared, ks_writer_settings *settings, char *problem, size_t size);
kafka_balancer ks_sender_balancer(const ks_command_line *declared);

/* The producer of that name, made when it is new (`declared` NULL: with all defaults). NULL: its process could not be made. */
ks_sender *ks_sender_get(ks_session *session, ks_string name, const ks_command_line *declared);
void ks_senders_free(ks_session *session);

#endif
