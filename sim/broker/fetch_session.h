/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetch sessions (KIP-227; Kafka's FetchSession.scala): a broker remembers what a client fetches, so that its next requests name
 * only what has changed, and the answers only partitions with news. A broker keeps max.incremental.fetch.session.cache.slots of
 * them. A new one takes the place of one that was not used for two minutes, or of the smallest one that is older than that if it is
 * smaller than the new one; else the client goes on without. They die with the broker's process.
 *
 *      request's id, epoch    what happens
 *      any, -1                no session; the one named, if any, ends
 *      0, 0                   a full fetch, whose answer may start a session
 *      id, 0                  the same, in place of the one named
 *      id, n                  the session's next request, number n; what it names is added or altered, what it forgets goes
 */
#ifndef KS_FETCH_SESSION_H
#define KS_FETCH_SESSION_H

#include "sim/broker/fetch_wait.h"

typedef struct ks_fetch_sessions ks_fetch_sessions; /* of one broker */

ks_fetch_sessions *ks_fetch_sessions_new(ks_broker *broker);
void ks_fetch_sessions_clear(ks_fetch_sessions *sessions); /* the process died; none of their fetches may be parked */
void ks_fetch_sessions_free(ks_fetch_sessions *sessions);

/* The fetch of a session's next request: its parts are brought up to date. NULL with KAFKA_OK: nothing is left to fetch, the session
 * is over. FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR: nothing has changed. Cost: the
 * partitions named (by name, below version 13: that many times the session's). */
ks_fetch *ks_fetch_session_continue(ks_fetch_sessions *sessions, ks_request *request, kafka_error *error);
void ks_fetch_session_close(ks_fetch_sessions *sessions, int32_t id, const char *reason); /* harmless when there is none */
/* A new session of these partitions, as the answer that is being made tells them. Its id; 0: there is no room. */
int32_t ks_fetch_session_start(ks_fetch_sessions *sessions, const ks_fetch_set *set, bool by_id, ks_string client);
int32_t ks_fetch_session_id(const ks_fetch_session *session);
void ks_fetch_session_answered(ks_fetch_session *session); /* the fetch is over: so is the session, if it was to end */

#endif
