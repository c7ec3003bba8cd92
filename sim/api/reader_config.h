/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of kafka_reader_config in kafka-go's order (ReaderConfig.Validate, NewReader), defaults, and the engine's config.
 */
#ifndef KS_READER_CONFIG_H
#define KS_READER_CONFIG_H

#include <kafkasim/reader.h>

#include "sim/api/group_config.h"
#include "sim/client/consumer_group_reader.h"

/* What is wrong, in words; NULL: nothing. View into `arena`. The address has been checked before. */
const char *ks_reader_config_check(const kafka_reader_config *config, ks_arena *arena);
/* What kafka_reader_settings() shows: a copy in `arena`, with the defaults that kafka-go's Config() shows. */
kafka_reader_config ks_reader_config_copy(const kafka_reader_config *config, ks_arena *arena);
/* From such a copy. */
ks_reader_config ks_reader_config_engine(const kafka_reader_config *settings, ks_arena *arena);
static inline bool ks_reader_config_has_group(const kafka_reader_config *config) {
    return config->group_id != NULL && *config->group_id != 0;
}

#endif
