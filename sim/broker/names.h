/* SPDX-License-Identifier: Apache-2.0
 * Which names of a request stand in it more than once. */
#ifndef KS_NAMES_H
#define KS_NAMES_H

#include "sim/base/base.h"

typedef enum ks_name_use { KS_NAME_ONCE, KS_NAME_FIRST, KS_NAME_REPEATED } ks_name_use;

/* One for each of `count` names, in `arena`. O(count log count). */
ks_name_use *ks_names_use(ks_arena *arena, const ks_string *names, int32_t count);

#endif
