/* SPDX-License-Identifier: Apache-2.0
 *
 * What the layers below the public API ask about error codes, beyond <kafkasim/error.h>.
 */
#ifndef KS_ERROR_H
#define KS_ERROR_H

#include <kafkasim/error.h>

#include "sim/base/base.h"

/* Kafka's InvalidMetadataException: whoever gets this refreshes the metadata before it tries again. */
bool ks_error_refreshes_metadata(kafka_error error);
/* kafka-go's title of a broker's code ("Message Size Too Large"), appended; nothing for codes no table names. */
void ks_error_title(kafka_error error, ks_buffer *out);
/* By Kafka's or our name, "NOT_COORDINATOR"; false: no such name. NONE is KAFKA_OK. */
bool ks_error_find_name(const char *name, kafka_error *error);

#endif
