/* SPDX-License-Identifier: Apache-2.0
 *
 * Which setting would have avoided a rebalance, or made it cheaper: the table of docs/why.md, at most two settings for each trigger
 * and kind of client. A value that depends on the run is computed from it.
 */
#ifndef KS_REMEDIES_H
#define KS_REMEDIES_H

#include "sim/explain/story.h"

typedef enum ks_remedy_value {
    KS_VALUE_FIXED,     /* as it stands in the table */
    KS_VALUE_SILENCE,   /* ms: twice as long as the member was silent */
    KS_VALUE_WORK,      /* ms: twice as long as it took from its last delivery to its next poll */
    KS_VALUE_ONE_RECORD /* 1, and only where the last poll brought more than one */
} ks_remedy_value;

struct ks_setting_row {
    const char *name;   /* as Kafka or the client spells it; NULL: none */
    const char *value;  /* in words, as docs/why.md has it */
    const char *does;
    ks_remedy_value how;
    const char *apply;  /* to try it in a scenario: "name=value ..." of consumers, %V is the value; NULL: it cannot be tried */
    bool of_brokers;    /* rather than of consumers */
};

typedef struct ks_remedy_row {
    const char *trigger; /* "join" */
    const char *client;  /* java, kafka-go, consumer (any client of the consumer protocol, KIP-848) */
    ks_setting_row settings[2];
} ks_remedy_row;

extern const ks_remedy_row ks_remedies[];
extern const int32_t ks_remedy_count;

#endif
