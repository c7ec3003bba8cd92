/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking up topics and the offsets of logs for an administrator's calls: fresh from the brokers, batched, and again while
 * leaders move.
 */
#ifndef KS_CLIENT_LOGS_H
#define KS_CLIENT_LOGS_H

#include "sim/api/client_errand.h"

/* A question about these topics, or (none) the brokers, to any broker. */
ks_ask *ks_client_metadata_ask(ks_client_call *call, const char *const *topics, size_t count);
/* Asks any broker for these topics (none: only the brokers). `*answer` lives until the call ends. An error: the call has
 * failed. */
kafka_error ks_client_ask_topics(ks_client_call *call, const char *const *topics, size_t count,
                                 const ks_metadata_response **answer);

typedef struct ks_log_query { /* one lookup; in answers `error`, `offset` */
    const char *topic;
    int32_t partition;
    int64_t time_ms; /* KAFKA_FIRST_OFFSET, KAFKA_LAST_OFFSET, or a time */
    kafka_error error;
    int64_t offset; /* -1: none, or an error */
} ks_log_query;

/* By topic and partition. */
int ks_log_query_compare(const void *a, const void *b);
/* Looks them up, one request a leader and round. They must be sorted (ks_log_query_compare), each partition once; the
 * topics must live until the call ends. An error: the call has failed; those of single partitions stand in the queries. */
kafka_error ks_client_ask_logs(ks_client_call *call, ks_log_query *queries, size_t count);

#endif
