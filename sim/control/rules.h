/* SPDX-License-Identifier: Apache-2.0
 *
 * Request rules inside. rules.c keeps them and decides; rule_match.c lays a request beside one; request_view.c shows a
 * request to a rule's function by Kafka's names.
 */
#ifndef KS_RULES_H
#define KS_RULES_H

#include "sim/control/sim.h"

struct ksim_rule {
    ksim *sim;
    ksim_rule *next;
    int32_t id;              /* 1.. */
    ksim_rule_config config; /* strings are owned */
    int16_t api_key;         /* -1: any */
    char *topic;             /* without "[3]"; NULL: any */
    int32_t partition;       /* -1: any */
    uint64_t matched, fired, held;
    bool broken;  /* its function asked for something impossible: said once */
    bool removed; /* while rules were asked: fires no more, and is ended when they have been */
};

/* What an on_request decided about the answer of the same request, until the broker gives it. */
typedef struct ks_rule_pending {
    uint64_t connection; /* its id */
    int32_t correlation_id;
    ksim_rule *rule; /* NULL: removed meanwhile */
    ksim_decision decision;
    uint64_t cause;
} ks_rule_pending;

struct ksim_request {
    ksim *sim;
    const ks_connection *connection;
    const ks_envelope *envelope;
};

/* Do all fields of the rule fit? O(size of the request) when the rule names a topic, else O(1). */
bool ks_rule_matches(const ksim_rule *rule, ks_connection *connection, const ks_envelope *request);
/* "orders[3]" into its parts (topic is owned); false: not of that form. */
bool ks_rule_parse_topic(const char *text, char **topic, int32_t *partition);

#endif
