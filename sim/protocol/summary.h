/* SPDX-License-Identifier: Apache-2.0
 *
 * What a message is about, and answering with a chosen error: both from the descriptions of the messages alone.
 */
#ifndef KS_SUMMARY_H
#define KS_SUMMARY_H

#include "sim/kernel/kernel.h"

/* Of type ks_summarise_fn. A few ns; strings are views into the messages. For a response (`response` not NULL) group,
 * member, topic and so on are the request's, but the member id and generation that a response itself names win;
 * error_code is the first error that stands in it. APIs that are not described give nulls. Cost of a response: linear
 * in its entries. */
void ks_message_summarise(const ks_envelope *request, const ks_envelope *response, ks_summary *out);

/* Makes `response` (an envelope of the request's API and version; what its body holds is lost) answer `request` with
 * `code`, where Kafka puts it for that API and version: at the top, or in one entry per topic, partition, group,
 * resource or member of the request, with the values that go with an error (offsets -1 ...). False: nothing in this
 * answer can carry an error (the request names nothing, or asked for all, and there is no field at the top); the
 * response is then an empty one. */
bool ks_message_set_error(const ks_envelope *request, ks_envelope *response, int16_t code);

/* The same for an answer that the broker has given: `to` becomes a deep copy of `from` in which every entry carries
 * `code` and no records. Better for Metadata, whose list of brokers then stays. False: no entry can carry it. */
bool ks_message_replace_error(const ks_envelope *from, ks_envelope *to, int16_t code);

#endif
