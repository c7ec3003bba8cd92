/* SPDX-License-Identifier: Apache-2.0
 *
 * Fixtures speak Kafka's protocol too: a client process named "ksim" with one connection to each broker it has needed.
 */
#include "sim/control/sim.h"

#define ASK_TIMEOUT (30 * KS_S)

typedef struct ask {
    ks_wait wait;
    ks_call *call;
    ks_envelope *response;
} ask;

ks_envelope *ks_sim_request(ksim *sim, int16_t api_key, int16_t api_version) {
    return ks_envelope_new(sim->kernel, api_key, api_version, ks_api_find(api_key)->request());
}

static ks_sim_client *control_client(ksim *sim) {
    if (sim->control) return sim->control;
    ks_sim_client *client = ks_alloc(sizeof *client);
    client->sim = sim;
    client->name = ks_string_dup(ks_str(KS_CONTROL_CLIENT));
    client->process = ks_process_new(sim->kernel, KS_CONTROL_CLIENT, ks_cluster_resolve, sim->cluster);
    KS_HASH_ADD_STRING(hh, sim->clients, name, client);
    sim->links = ks_alloc(sizeof *sim->links * (size_t)ks_cluster_broker_count(sim->cluster));
    return sim->control = client;
}

static void link_closed(void *owner, kafka_error error) {
    (void)owner, (void)error; /* looked at when it is needed again */
}

static ks_channel *channel_to(ksim *sim, const ks_broker *broker) {
    ks_sim_link *link = &sim->links[broker->id - 1];
    if (link->channel && !ks_channel_is_open(link->channel)) {
        ks_channel_close(link->channel);
        link->channel = NULL;
    }
    if (link->channel == NULL) {
        link->channel = ks_channel_dial(sim->control->process, broker->host, broker->port, link_closed, link);
    }
    return link->channel;
}

static void answered(void *owner, kafka_error error, const ks_envelope *response) {
    ask *self = owner;
    self->call = NULL;
    if (error == KAFKA_OK) self->response = ks_call_keep(response);
    ks_wait_wake(&self->wait, error);
}

kafka_error ks_sim_ask(ksim *sim, const char *call, ks_broker *broker, ks_envelope *request, ks_envelope **response) {
    ask self = { .response = NULL };
    ks_sim_client *client = control_client(sim);
    kafka_error error = ks_wait_begin(&self.wait, sim->runtime, ks_process_node(client->process), NULL, "%s: broker-%d",
                                      call, broker->id);
    if (error) {
        ks_envelope_free(sim->kernel, request);
        return ks_sim_fail(sim, error, "%s: %s", call, kafka_error_text(error));
    }
    ks_wait_set_bounded(&self.wait);
    request->client_id = ks_arena_string(request->arena, client->name);
    self.call = ks_channel_send(channel_to(sim, broker), request, ASK_TIMEOUT, answered, &self);
    error = ks_wait_park(&self.wait);
    ks_call_drop(self.call);
    if (error) {
        if (self.response) ks_envelope_free(sim->kernel, self.response);
        return ks_sim_fail(sim, error, "%s: broker-%d did not answer: %s", call, broker->id, kafka_error_text(error));
    }
    *response = self.response;
    return KAFKA_OK;
}

void ks_sim_links_deinit(ksim *sim) {
    for (int32_t i = 0; sim->links && i < ks_cluster_broker_count(sim->cluster); i++) {
        if (sim->links[i].channel) ks_channel_close(sim->links[i].channel);
    }
    ks_free(sim->links);
    sim->links = NULL;
}
