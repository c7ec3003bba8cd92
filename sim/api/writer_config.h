/* SPDX-License-Identifier: Apache-2.0
 *
 * A writer's settings: kafka_writer_config checked, copied, and with kafka-go's defaults in place.
 */
#ifndef KS_WRITER_CONFIG_H
#define KS_WRITER_CONFIG_H

#include <kafkasim/writer.h>

#include "sim/client/producer.h"

typedef struct ks_writer_settings {
    char *topic; /* owned; NULL: each message names its own */
    kafka_duration read_timeout;
    bool async, allow_auto_topic_creation;
    kafka_writer_completion *completion;
    void *completion_argument;
    ks_producer_config engine; /* without its callbacks */
} ks_writer_settings;

/* False: something is wrong, and `problem` says which field, which value, what is allowed. */
bool ks_writer_settings_init(ks_writer_settings *settings, const kafka_writer_config *config, char *problem,
                             size_t size);
void ks_writer_settings_deinit(ks_writer_settings *settings);

#endif
