/* SPDX-License-Identifier: Apache-2.0
 *
 * Faults: each one call, each a named command in the trace that causes what follows from it.
 */
#include <stdio.h>

#include "sim/control/sim.h"

/* ---- processes ---- */

static ks_sim_client *client_for(ksim *sim, const char *name, const char *call, kafka_error *error) {
    *error = ks_sim_check(sim);
    if (*error) return NULL;
    ks_sim_client *client = ks_sim_client_find(sim, name);
    if (client && client != sim->control) return client;
    ks_node *node = ks_sim_node_get(sim, name, call);
    *error = KAFKA_ERR_INVALID_ARGUMENT;
    if (node)
        ks_sim_fail(sim, *error,
                    "%s: %s is no client of yours; brokers are stopped and started by ksim_stop_broker() and "
                    "ksim_start_broker()",
                    call, name);
    return NULL;
}

kafka_error ksim_crash(ksim *sim, const char *name) {
    kafka_error error;
    ks_sim_client *client = client_for(sim, name, "ksim_crash", &error);
    if (client == NULL || ks_process_is_down(client->process)) return error;
    uint64_t before = ks_sim_command(sim, "crash", "%s", name);
    ks_node_crash(ks_process_node(client->process));
    ks_cause_set(sim->kernel, before);
    return KAFKA_OK;
}

kafka_error ksim_restart(ksim *sim, const char *name) {
    kafka_error error;
    ks_sim_client *client = client_for(sim, name, "ksim_restart", &error);
    if (client == NULL || !ks_process_is_down(client->process)) return error;
    uint64_t before = ks_sim_command(sim, "restart", "%s", name);
    ks_node_start(ks_process_node(client->process));
    ks_process_watch_start(client->process, &client->watch);
    ks_cause_set(sim->kernel, before);
    return KAFKA_OK;
}

kafka_error ksim_pause(ksim *sim, const char *name) {
    kafka_error error;
    ks_sim_client *client = client_for(sim, name, "ksim_pause", &error);
    if (client == NULL) return error;
    ks_node *node = ks_process_node(client->process);
    if (ks_node_state_of(node) == KS_NODE_DOWN) {
        return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_pause: %s has crashed; ksim_restart() it first",
                           name);
    }
    if (ks_node_state_of(node) == KS_NODE_PAUSED) return KAFKA_OK;
    uint64_t before = ks_sim_command(sim, "pause", "%s", name);
    ks_node_pause(node);
    ks_cause_set(sim->kernel, before);
    return KAFKA_OK;
}

kafka_error ksim_resume(ksim *sim, const char *name) {
    kafka_error error;
    ks_sim_client *client = client_for(sim, name, "ksim_resume", &error);
    if (client == NULL) return error;
    ks_node *node = ks_process_node(client->process);
    if (ks_node_state_of(node) != KS_NODE_PAUSED) return KAFKA_OK;
    uint64_t before = ks_sim_command(sim, "resume", "%s", name);
    ks_node_resume(node);
    ks_runtime_node_resumed(sim->runtime, node);
    ks_cause_set(sim->kernel, before);
    return KAFKA_OK;
}

/* ---- brokers ---- */

static kafka_error set_broker(ksim *sim, int32_t id, bool up, const char *call) {
    kafka_error error = ks_sim_check(sim);
    if (error) return error;
    ks_broker *broker = ks_cluster_broker_find(sim->cluster, id);
    if (broker == NULL) {
        return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "%s: there is no broker %d; there are 1 to %d", call, id,
                           ks_cluster_broker_count(sim->cluster));
    }
    if (broker->up == up) return KAFKA_OK;
    uint64_t before = ks_sim_command(sim, up ? "start_broker" : "stop_broker", "%d", id);
    if (up)
        ks_node_start(broker->node);
    else
        ks_node_crash(broker->node);
    ks_cause_set(sim->kernel, before);
    return KAFKA_OK;
}

kafka_error ksim_stop_broker(ksim *sim, int32_t broker) { return set_broker(sim, broker, false, "ksim_stop_broker"); }
kafka_error ksim_start_broker(ksim *sim, int32_t broker) { return set_broker(sim, broker, true, "ksim_start_broker"); }

/* ---- links ---- */

typedef struct link_fault {
    const char *call, *command;
    int64_t one_way_ns;
    int32_t count; /* connections reset */
    void (*act)(ksim *sim, struct link_fault *fault, ks_node *a, ks_node *b);
} link_fault;

static void act_delay(ksim *sim, link_fault *fault, ks_node *a, ks_node *b) {
    ks_link_set_latency(sim->kernel, a, b, fault->one_way_ns);
}
static void act_cut(ksim *sim, link_fault *fault, ks_node *a, ks_node *b) {
    (void)fault, ks_link_cut(sim->kernel, a, b);
}
static void act_heal(ksim *sim, link_fault *fault, ks_node *a, ks_node *b) {
    (void)fault, ks_link_heal(sim->kernel, a, b);
}
static void act_reset(ksim *sim, link_fault *fault, ks_node *a, ks_node *b) {
    fault->count += ks_link_reset(sim->kernel, a, b);
}

static kafka_error on_links(ksim *sim, link_fault *fault, const char *a_name, const char *b_name) {
    kafka_error error = ks_sim_check(sim);
    if (error) return error;
    ks_node *a = ks_sim_node_get(sim, a_name, fault->call);
    ks_node *b = a && b_name ? ks_sim_node_get(sim, b_name, fault->call) : NULL;
    if (a == NULL || (b_name && b == NULL)) return KAFKA_ERR_INVALID_ARGUMENT;
    if (a == b)
        return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "%s: %s and %s are the same", fault->call, a_name, b_name);
    char span[48] = "";
    if (fault->act == act_delay && fault->one_way_ns >= 0)
        snprintf(span, sizeof span, fault->one_way_ns % KS_MS == 0 ? " %lld ms" : " %lld us",
                 (long long)(fault->one_way_ns / (fault->one_way_ns % KS_MS == 0 ? KS_MS : KS_US)));
    else if (fault->act == act_delay)
        snprintf(span, sizeof span, " default");
    uint64_t before = ks_sim_command(sim, fault->command, "%s %s%s", a_name, b_name ? b_name : "every broker", span);
    for (int32_t id = 1; b == NULL && id <= ks_cluster_broker_count(sim->cluster); id++) {
        ks_node *node = ks_cluster_broker_find(sim->cluster, id)->node;
        if (node != a) fault->act(sim, fault, a, node);
    }
    if (b) fault->act(sim, fault, a, b);
    ks_cause_set(sim->kernel, before);
    return KAFKA_OK;
}

kafka_error ksim_delay(ksim *sim, const char *a, const char *b, kafka_duration one_way) {
    if (sim && ks_runtime_right_thread(sim->runtime) && one_way > KS_SPAN_MAX)
        return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_delay: one_way is more than a year");

    return on_links(sim, &(link_fault){ "ksim_delay", "delay", one_way < 0 ? -1 : one_way, 0, act_delay }, a, b);
}

kafka_error ksim_cut(ksim *sim, const char *a, const char *b) {
    return on_links(sim, &(link_fault){ "ksim_cut", "cut", 0, 0, act_cut }, a, b);
}

kafka_error ksim_heal(ksim *sim, const char *a, const char *b) {
    return on_links(sim, &(link_fault){ "ksim_heal", "heal", 0, 0, act_heal }, a, b);
}

kafka_error ksim_reset(ksim *sim, const char *a, const char *b, int32_t *count) {
    link_fault fault = { "ksim_reset", "reset", 0, 0, act_reset };
    kafka_error error = on_links(sim, &fault, a, b);
    if (error == KAFKA_OK && count) *count = fault.count;
    return error;
}
