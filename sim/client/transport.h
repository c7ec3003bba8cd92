/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KS_TRANSPORT_H
#define KS_TRANSPORT_H
#include "sim/client/process.h"
void ks_transport_free(ks_transport *transport);
#endif
