/* SPDX-License-Identifier: Apache-2.0
 * The structs of the kernel's own trace events. */
#ifndef KS_KERNEL_EVENTS_H
#define KS_KERNEL_EVENTS_H
#include "sim/base/describe_struct.h"
#include "sim/kernel/events.def"
#include "sim/base/describe_end.h"
#endif
