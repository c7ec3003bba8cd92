/* SPDX-License-Identifier: Apache-2.0
 *
 * See conn_coordinator.h.
 */
#include "sim/client/conn_coordinator.h"

static void try_seed(ks_coordinator_dial *dial);

static void answered(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_coordinator_dial *dial = owner;
    const ks_find_coordinator_response *response = envelope ? envelope->body : NULL;
    dial->call = NULL;
    if (ks_dial_failed(error) && dial->seed + 1 < dial->seeds->count) {
        ks_coordinator_dial_stop(dial);
        dial->seed++;
        try_seed(dial);
        return;
    }
    if (error == KAFKA_OK) error = (kafka_error)response->error_code;
    ks_channel *coordinator = error ? NULL : ks_channel_dial(dial->process, response->host, response->port, NULL, NULL);
    ks_coordinator_dial_stop(dial);
    dial->done(dial->owner, error, coordinator);
}

static void try_seed(ks_coordinator_dial *dial) {
    const ks_seed *seed = &dial->seeds->items[dial->seed];
    dial->channel = ks_channel_dial(dial->process, seed->host, seed->port, NULL, NULL);
    ks_envelope *envelope = ks_channel_request(dial->channel, KS_API_find_coordinator, 0);
    ks_find_coordinator_request *request = envelope->body;
    request->key = ks_arena_string(envelope->arena, dial->group);
    dial->call = ks_channel_send(dial->channel, envelope, dial->timeout_ns, answered, dial);
}

void ks_coordinator_dial_start(ks_coordinator_dial *dial) {
    ks_coordinator_dial_stop(dial);
    dial->seed = 0;
    try_seed(dial);
}

void ks_coordinator_dial_stop(ks_coordinator_dial *dial) {
    ks_call_drop(dial->call);
    dial->call = NULL;
    ks_channel_close(dial->channel);
    dial->channel = NULL;
}
