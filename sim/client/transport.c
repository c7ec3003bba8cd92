/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/client/transport.h"

void ks_transport_free(ks_transport *transport) { (void)transport; }
