/* SPDX-License-Identifier: Apache-2.0
 *
 * Kinds of trace events about Kafka: past-tense facts, emitted once, where they happen. One file per area in events/. Each
 * kind is a struct ks_ev_NAME; emit with KS_EMIT(kernel, node, NAME, .field = ...). Fields not named are zero: strings then
 * are empty, so say KS_NULL_STRING where null is meant.
 */
#ifndef KS_EVENTS_H
#define KS_EVENTS_H

#include "sim/base/describe_struct.h"
#include "sim/protocol/events/parts.def"
#include "sim/protocol/events/all.def"
#include "sim/base/describe_end.h"

#include "sim/kernel/events.h"

/* Of trace files: another one when a kind's fields change so that older files cannot be read. 2: a commit is one event a topic. */
enum { KS_TRACE_VERSION = 2 };

/* All kinds, the kernel's first, in the order of the .def files. */
int32_t ks_event_kind_count(void);
const ks_struct *ks_event_kind_at(int32_t index);
/* By name, with or without "ev_" in front; NULL: no such kind. Linear in the number of kinds: keep the result. */
const ks_struct *ks_event_kind_find(const char *name);
/* "group_state_changed": the name without "ev_". */
const char *ks_event_kind_name(const ks_struct *kind);

#endif
