/* SPDX-License-Identifier: Apache-2.0
 *
 * Kafka's requests and responses as C structs, one file of descriptions per API key in messages/. A struct is called after
 * Kafka's name: JoinGroupRequest is ks_join_group_request, its Protocols[] are ks_join_group_request_protocol.
 */
#ifndef KS_MESSAGES_H
#define KS_MESSAGES_H

#include "sim/base/describe_struct.h"
#include "sim/protocol/messages/all.def"
#include "sim/base/describe_end.h"

enum {
#define API(key, name, c_name, since, until, flexible, advertise) KS_API_##c_name = key,
#include "sim/protocol/messages/apis.def"
#undef API
    KS_API_LIMIT = 128
};

typedef struct ks_api {
    int16_t key;
    const char *name; /* Kafka's: "JoinGroup" */
    int16_t since, until, flexible_since, advertise_since; /* flexible_since KS_NEVER: in no version */
    const ks_struct *(*request)(void), *(*response)(void);
} ks_api;

const ks_api *ks_api_find(int16_t key);              /* NULL: not described */
const ks_api *ks_api_find_name(const char *name);    /* "JoinGroup"; NULL: none */
const char *ks_api_name(int16_t key);                /* "JoinGroup"; also APIs not described; "unknown API" for the rest */
int32_t ks_api_count(void);
const ks_api *ks_api_at(int32_t index);              /* ascending keys */

#endif
