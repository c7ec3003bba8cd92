/* SPDX-License-Identifier: Apache-2.0
 *
 * What process.c and channel.c know of each other.
 */
#ifndef KS_PROCESS_INTERNAL_H
#define KS_PROCESS_INTERNAL_H

#include "sim/client/process.h"

ks_channel **ks_process_channels(ks_process *process); /* head of the list of all channels */
ks_node *ks_process_resolve(ks_process *process, ks_string host, int32_t port);
ks_channel *ks_channel_next(const ks_channel *channel);
/* The process died: the connection is gone already, calls in flight get no reply; the handle stays until it is closed.
 */
void ks_channel_silence(ks_channel *channel);

#endif
