/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/client/java_internal.h"

void ks_java_modern_new(ks_consumer *c) { (void)c; }
void ks_java_modern_free(ks_consumer *c) { (void)c; }
ks_poll_result ks_java_modern_step(ks_consumer *c) { (void)c; return KS_POLL_WAITING; }
void ks_java_modern_callback_done(ks_consumer *c) { (void)c; }
void ks_java_modern_polled(ks_consumer *c, bool began) { (void)c, (void)began; }
void ks_java_modern_coordinator(ks_consumer *c) { (void)c; }
void ks_java_modern_metadata(ks_consumer *c) { (void)c; }
bool ks_java_modern_leave(ks_consumer *c, ks_reply_fn *reply, void *owner) { (void)c, (void)reply, (void)owner; return false; }
