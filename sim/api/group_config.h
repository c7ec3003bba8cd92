/* SPDX-License-Identifier: Apache-2.0
 *
 * From kafka_consumer_group_config to the settings of the engine: checks in kafka-go's order (ConsumerGroupConfig.Validate), then
 * defaults. A reader with a group goes through the same.
 */
#ifndef KS_GROUP_CONFIG_H
#define KS_GROUP_CONFIG_H

#include <kafkasim/group.h>

#include "sim/api/address.h"
#include "sim/client/group_member.h"

/* What is wrong, in words: "heartbeat_interval is -1 ns: 0 (3 s) or more, below 2^31 - 1 ms". NULL: nothing. View into `arena`. */
const char *ks_group_config_check(const kafka_consumer_group_config *config, ks_arena *arena);
/* A checked config with defaults. Everything lives in `arena`. */
ks_membership_settings *ks_group_config_settings(const kafka_consumer_group_config *config, ks_arena *arena);
/* The bootstrap brokers of an address. */
ks_seeds ks_group_config_seeds(const kafka_address *address, ks_arena *arena);
/* value, or the default when it is 0. */
static inline int64_t ks_or(int64_t value, int64_t fallback) { return value ? value : fallback; }

#endif
