/* SPDX-License-Identifier: Apache-2.0
 *
 * Faults: what goes wrong in a real cluster, one call each, and each a named command in the trace. They act at once, do not
 * block and may be called from anywhere on the simulator's thread. Faults of single messages are request rules
 * (ksim_rules.h).
 *
 * Clients are named as in ksim_client(); brokers are "broker-1" and so on. An unknown name is KAFKA_ERR_INVALID_ARGUMENT,
 * with the names there are in ksim_error_detail(); a state that is there already is left alone (KAFKA_OK).
 */
#ifndef KAFKASIM_KSIM_FAULTS_H
#define KAFKASIM_KSIM_FAULTS_H

#include <kafkasim/ksim_run.h>

KAFKA_BEGIN

/** The process dies: its connections are reset, nothing is sent any more, buffered messages are lost. Its tasks' and its
 *  callers' blocked and later calls return KAFKA_ERR_NODE_CRASHED, so that they unwind by themselves. */
KAFKA_API kafka_error ksim_crash(ksim *sim, const char *client);
/** Starts a crashed client again: new writers, readers and contexts made from its addresses work; what was made before the
 *  crash stays dead. */
KAFKA_API kafka_error ksim_restart(ksim *sim, const char *client);
/** The process stands still (a long garbage collection, a stopped virtual machine): nothing is handled, no heartbeat is
 *  sent, its tasks do not run; connections stay open. Its blocked calls return after ksim_resume() only: no time limit or
 *  deadline of theirs ends them before. When nothing else can happen that resumes it, they end as any stuck call does, with
 *  KAFKA_ERR_NOTHING_CAN_WAKE after ksim_config.stuck_after; a call outside tasks does so after 144 times as long even while
 *  tasks of other clients are busy. So resume it from a task of another client, or step with ksim_run_for(). */
KAFKA_API kafka_error ksim_pause(ksim *sim, const char *client);
/** A paused client goes on; what waited for it is handled now, in order. */
KAFKA_API kafka_error ksim_resume(ksim *sim, const char *client);

/** A broker dies; its logs are kept. Its partitions and groups move to the next live replica. */
KAFKA_API kafka_error ksim_stop_broker(ksim *sim, int32_t broker);
/** Starts a stopped broker again, with the logs it had. */
KAFKA_API kafka_error ksim_start_broker(ksim *sim, int32_t broker);

/** Latency of all messages between two nodes, one way. NULL for `b`: between `a` and every broker.
 *  @param one_way  negative: the cluster's again */
KAFKA_API kafka_error ksim_delay(ksim *sim, const char *a, const char *b, kafka_duration one_way);
/** Cuts two nodes off from each other: messages wait in silence, new connections hang, until ksim_heal(). NULL for `b`: `a`
 *  from every broker. */
KAFKA_API kafka_error ksim_cut(ksim *sim, const char *a, const char *b);
/** Ends ksim_cut(): what waited arrives, in order. */
KAFKA_API kafka_error ksim_heal(ksim *sim, const char *a, const char *b);
/** Resets every open connection between two nodes, now. Requests under way to the broker are not applied; those whose
 *  answer is under way, or that wait inside the broker, were. To choose, use a rule (KSIM_RESET_BEFORE, KSIM_RESET_AFTER).
 *  @param count  how many connections that were; may be NULL */
KAFKA_API kafka_error ksim_reset(ksim *sim, const char *a, const char *b, int32_t *count);

KAFKA_END

#endif
