/* SPDX-License-Identifier: Apache-2.0
 *
 * Errands: a call that is about several keys (groups, partitions), each to be asked of the broker that answers for it, as
 * Java's AdminApiDriver does:
 *
 *     find who answers for the keys whose broker is not known   FindCoordinator, Metadata     `find`, `found`
 *     ask each of these brokers once for all of its keys                                      `ask`, `answered`
 *     the same for those not settled, after a growing pause, until all are or the time is up
 *
 * Cost: n log n of the keys for each round.
 */
#ifndef KS_CLIENT_ERRAND_H
#define KS_CLIENT_ERRAND_H

#include "sim/api/client_call.h"

typedef struct ks_errand ks_errand;

typedef struct ks_errand_key {
    int32_t broker; /* -1: to be found */
    bool settled;
    kafka_error error; /* with which it was settled, or why it is not yet; KAFKA_OK: answered */
} ks_errand_key;

/* `which` are indexes of keys, ascending. */
struct ks_errand {
    ks_client_call *call;
    void *owner;               /* free for the caller */
    const char *const *groups; /* of the keys, when they are groups */
    ks_errand_key *keys;
    size_t count;
    ks_ask *(*find)(ks_errand *errand, const size_t *which, size_t count);
    /* Says ks_errand_found of each. */
    void (*found)(ks_errand *errand, const void *body, const size_t *which, size_t count);
    ks_ask *(*ask)(ks_errand *errand, int32_t broker, const size_t *which, size_t count);
    /* Says ks_errand_settle of each that the answer speaks of; it lives until the call ends. */
    void (*answered)(ks_errand *errand, const ks_envelope *answer, const size_t *which, size_t count);
};

/* An errand about groups, by their coordinators; `ask` and `answered` are the caller's to set. Keys live with the call. */
ks_errand ks_errand_of_groups(ks_client_call *call, const char *const *groups, size_t count);
/* Which of the keys has that group; `hint`: the one that is next when the answer is in order. `count`: none. */
size_t ks_errand_group(const ks_errand *errand, const size_t *which, size_t count, size_t hint, ks_string group);

/* KAFKA_OK: every key is settled, each with its own error. Else the call as a whole has failed: its context or its
 * client's timeout ended. */
kafka_error ks_errand_run(ks_errand *errand);
kafka_error ks_errand_run_again(ks_errand *errand); /* after the first pause: another way, for keys made unsettled */
void ks_errand_found(ks_errand *errand, size_t key, int32_t broker, kafka_error error);
/* Codes that say "not here" or "not now" leave it unsettled. */
void ks_errand_settle(ks_errand *errand, size_t key, kafka_error error);

#endif
