/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of the kinds of trace events, and the list of them all.
 */
#include "sim/protocol/events.h"

#include "sim/base/describe_table.h"
#include "sim/protocol/events/parts.def"
#include "sim/protocol/events/all.def"
#include "sim/base/describe_end.h"

static const ks_struct *(*const kinds[])(void) = {
#define STRUCT(name) ks_describe_##name,
#define FIELD(...)
#define ARRAY(...)
#define END
#include "sim/kernel/events.def"
#include "sim/protocol/events/all.def"
#include "sim/base/describe_end.h"
};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

int32_t ks_event_kind_count(void) { return KIND_COUNT; }

const ks_struct *ks_event_kind_at(int32_t index) {
    ks_assert(index >= 0 && index < KIND_COUNT);
    return kinds[index]();
}

const char *ks_event_kind_name(const ks_struct *kind) {
    return strncmp(kind->name, "ev_", 3) == 0 ? kind->name + 3 : kind->name;
}

const ks_struct *ks_event_kind_find(const char *name) {
    if (strncmp(name, "ev_", 3) == 0) name += 3;
    for (int32_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(ks_event_kind_name(kinds[i]()), name) == 0) return kinds[i]();
    return NULL;
}
