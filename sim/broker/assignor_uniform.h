/* SPDX-License-Identifier: Apache-2.0
 * The two halves of the "uniform" assignor (UniformAssignor chooses between them as here). */
#ifndef KS_BROKER_ASSIGNOR_UNIFORM_H
#define KS_BROKER_ASSIGNOR_UNIFORM_H

#include "sim/broker/assignor.h"

void ks_server_assign_uniform_unequal(const ks_server_assignor_input *input, ks_arena *scratch);

#endif
