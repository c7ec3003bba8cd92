/* SPDX-License-Identifier: Apache-2.0
 * The tables of the kernel's own trace events. */
#include "sim/kernel/events.h"

#include "sim/base/describe_table.h"
#include "sim/kernel/events.def"
#include "sim/base/describe_end.h"
