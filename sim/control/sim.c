/* SPDX-License-Identifier: Apache-2.0
 *
 * ksim_new, ksim_free, client processes, and what happens when the simulator itself fails.
 */
#include "sim/control/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/broker/group_coordinator.h"
#include "sim/protocol/events.h"
#include "sim/protocol/summary.h"

enum { NAME_MAX_SIZE = 100, REPORT_STEPS = 20 };

kafka_error ks_sim_fail(ksim *sim, kafka_error error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sim->detail, sizeof sim->detail, format, arguments);
    va_end(arguments);
    return error;
}

kafka_error ks_sim_check(ksim *sim) {
    if (sim == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    return ks_runtime_right_thread(sim->runtime) ? KAFKA_OK : KAFKA_ERR_WRONG_THREAD;
}

kafka_error ks_sim_check_run(ksim *sim, const char *call) {
    kafka_error error = ks_sim_check(sim);
    if (error) return error;
    error = ks_runtime_may_run(sim->runtime);
    if (error != KAFKA_ERR_WRONG_PLACE) return error;
    return ks_sim_fail(
        sim, error,
        "%s: the simulation cannot be run from inside a task, a callback or a predicate: call it from the "
        "program's own stack; a task waits with kafka_sleep() or in a blocking call",
        call);
}

uint64_t ks_sim_command(ksim *sim, const char *name, const char *arguments, ...) {
    char text[256];
    va_list list;
    va_start(list, arguments);
    vsnprintf(text, sizeof text, arguments, list);
    va_end(list);
    uint64_t event = KS_EMIT(sim->kernel, NULL, command, .name = ks_str(name), .arguments = ks_str(text));
    ks_progress(sim->kernel);
    return ks_cause_set(sim->kernel, event);
}

/* ---- the config ---- */

static bool refuse(const ksim_config *config, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse(const ksim_config *config, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (config->problem && config->problem_size > 0)
        snprintf(config->problem, config->problem_size, "%s", text);
    else
        fprintf(stderr, "kafkasim: ksim_new: %s\n", text);
    return false;
}

static bool config_is_right(const ksim_config *config) {
    if (config->brokers < 0 || config->brokers > KS_BROKERS_MAX) {
        return refuse(config, "brokers is %d: allowed are 1 to %d, and 0 for the default of 3", config->brokers,
                      KS_BROKERS_MAX);
    }
    if (config->start < 0) return refuse(config, "start is before 1970: allowed are 0 (the default) and later times");
    if (config->start > KS_START_MAX)
        return refuse(config, "start is after the year 2200: the clock would run out of bits");
    if (config->latency < KSIM_NO_LATENCY || config->latency > KS_SPAN_MAX) {
        return refuse(
            config, "latency is %lld ns: allowed are 0 (the default), KSIM_NO_LATENCY and positive spans up to a year",
            (long long)config->latency);
    }
    if (config->stuck_after < 0)
        return refuse(config, "stuck_after is negative: allowed are 0 (the default) and positive spans");
    if (config->run_limit < 0)
        return refuse(config, "run_limit is negative: allowed are 0 (the default) and positive spans");
    if (config->trace_ring < 0 || config->trace_ring > 1 << 24) {
        return refuse(config, "trace_ring is %d: allowed are 0 (the default) to %d", config->trace_ring, 1 << 24);
    }
    return true;
}

static ks_cluster *cluster_new(ks_kernel *kernel, const ksim_config *config) {
    KS_VEC(ks_config_entry) settings = { 0 };
    for (const ksim_setting *setting = config->settings; setting && setting->name; setting++) {
        KS_PUSH(settings, (ks_config_entry){ setting->name, setting->value });
    }
    ks_cluster_config wanted = { .brokers = config->brokers ? config->brokers : 3,
                                 .racks = config->racks,
                                 .settings = settings.items,
                                 .setting_count = settings.count };
    ks_cluster *cluster = ks_cluster_new(kernel, &wanted);
    if (cluster == NULL) {
        ks_buffer why = { 0 };
        ks_cluster_config_check(&wanted, &why);
        refuse(config, "%s", why.size ? (const char *)why.data : "the settings are wrong");
        ks_buffer_deinit(&why);
    }
    ks_free(settings.items);
    return cluster;
}

/* ---- when the simulator itself fails ---- */

static void failed(void *context, const char *file, int line, const char *condition) {
    ksim *sim = context;
    ks_buffer report = { 0 };
    sim->reported = true;
    int64_t elapsed_ms = (ks_now(sim->kernel) - sim->start) / KS_MS;
    ks_buffer_printf(&report, "%s\n", condition);
    if (line > 0) ks_buffer_printf(&report, "  (an invariant of the simulator, %s:%d)\n", file, line);
    ks_buffer_printf(&report, "seed %llu, at %lld.%03lld s. The last steps:\n", (unsigned long long)sim->seed,
                     (long long)(elapsed_ms / 1000), (long long)(elapsed_ms % 1000));
    ks_buffer_text(&report, ksim_last_steps(sim, REPORT_STEPS));
    char *text = ks_buffer_take(&report);
    if (sim->fail) {
        snprintf(sim->detail, sizeof sim->detail, "%s", text);
        ks_buffer_clear(&sim->text); /* a jump leaves nothing behind: the report lies where the simulator frees it */
        ks_buffer_text(&sim->text, text);
        ks_free(text);
        ks_assertion_hook_push(&sim->hook); /* a test may see more than one */
        sim->fail(sim->fail_context, (const char *)sim->text.data);
        ks_assertion_hook_pop(&sim->hook);
    } else {
        fprintf(stderr, "kafkasim: %s", text);
        ks_free(text);
    }
    ksim_trace_close(sim); /* the program ends here: what was traced is what its author needs */
}

void ksim_on_failure(ksim *sim, void (*fail)(void *context, const char *report), void *context) {
    if (ks_sim_check(sim)) return;
    sim->fail = fail;
    sim->fail_context = context;
}

/* ---- made and freed ---- */

/* The words for a call that ended because nothing can wake it; client processes own their nodes. */
static void explain(void *context, ks_node *node, kafka_error error, const char *text) {
    ksim *sim = context;
    ks_process_fail(ks_node_owner(node), error, "%s", text);
    ks_sim_fail(sim, error, "%s", text);
}

static char *bootstrap_text(const ks_cluster *cluster) {
    ks_buffer text = { 0 };
    for (int32_t id = 1; id <= ks_cluster_broker_count(cluster); id++) {
        const ks_broker *broker = ks_cluster_broker_find(cluster, id);
        ks_buffer_printf(&text, "%s%.*s:%d", id > 1 ? "," : "", (int)broker->host.size, broker->host.data,
                         broker->port);
    }
    return ks_buffer_take(&text);
}

ksim *ksim_new(const ksim_config *given) {
    static const ksim_config defaults = { 0 };
    const ksim_config *config = given ? given : &defaults;
    if (!config_is_right(config)) return NULL;
    uint64_t seed = config->seed ? config->seed : 1;
    ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ .seed = seed,
                                                           .start_ns = config->start,
                                                           .latency_ns = config->latency,
                                                           .ring_size = config->trace_ring,
                                                           .summarise = ks_message_summarise,
                                                           .trivial = ks_sim_trivial });
    ks_cluster *cluster = cluster_new(kernel, config);
    if (cluster == NULL) {
        ks_kernel_free(kernel);
        return NULL;
    }
    ksim *sim = ks_alloc(sizeof *sim);
    sim->kernel = kernel;
    sim->cluster = cluster;
    sim->seed = seed;
    sim->start = ks_now(kernel);
    sim->run_limit = config->run_limit ? config->run_limit : 600 * KS_S;
    sim->bootstrap = bootstrap_text(cluster);
    sim->runtime = ks_runtime_new(kernel);
    if (config->stuck_after) sim->runtime->stuck_after = config->stuck_after;
    sim->runtime->explain = explain;
    sim->runtime->explain_context = sim;
    sim->hook = (ks_assertion_hook){ .report = failed, .context = sim };
    sim->runtime->hook = &sim->hook;
    ks_assertion_hook_push(&sim->hook);
    ks_sim_joined_init(sim);
    ks_sim_rules_init(sim);
    if (ks_report_install != NULL) ks_report_install(sim);
    return sim;
}

static void say_what_is_open(ksim *sim) {
    char thing[128];
    for (kafka_address *address = sim->addresses; address; address = address->next) {
        if (!ks_address_open_thing(address, thing, sizeof thing)) continue;
        ks_runtime_say(sim->runtime, "ksim_free: %s of client %s is still open; close it before the simulator is freed",
                       thing, address->name);
        return;
    }
}

static bool tasks_are_alive(const ksim *sim) {
    for (const ks_task *task = sim->runtime->tasks; task; task = task->next) {
        if (!task->ended) return true;
    }
    return false;
}

void ksim_free(ksim *sim) {
    if (sim == NULL) return;
    if (!ks_runtime_right_thread(sim->runtime)) {
        fprintf(stderr, "kafkasim: ksim_free: %s\n", kafka_error_text(KAFKA_ERR_WRONG_THREAD));
        return;
    }
    if (ks_runtime_in_task(sim->runtime)) {
        ks_runtime_say(sim->runtime,
                       "ksim_free inside a task would free the stack it runs on: call it from the program's own stack");
        return;
    }
    ks_runtime_notice_jump(sim->runtime);
    if (!sim->runtime->freeing && !sim->reported && !tasks_are_alive(sim)) say_what_is_open(sim);
    sim->runtime->freeing = true;
    ks_assertion_hook_pop(&sim->hook);
    ks_network_intercept(sim->kernel, NULL);
    while (sim->addresses) ks_address_drop(sim->addresses);
    ks_sim_links_deinit(sim);
    ks_sim_client *client, *next;
    HASH_ITER(hh, sim->clients, client, next) {
        HASH_DELETE(hh, sim->clients, client);
        ks_process_watch_stop(&client->watch);
        ks_process_free(client->process);
        ks_free((void *)client->name.data);
        ks_free(client);
    }
    ks_sim_joined_deinit(sim);
    ks_sim_trace_deinit(sim);
    if (sim->explaining_free != NULL) sim->explaining_free(sim->explaining);
    ks_sim_rules_deinit(sim);
    ks_cluster_free(sim->cluster);
    ks_runtime_free(sim->runtime);
    ks_kernel_free(sim->kernel);
    if (sim->view) ks_arena_free(sim->view);
    ks_buffer_deinit(&sim->text);
    ks_free(sim->bootstrap);
    ks_free(sim);
}

/* ---- client processes ---- */

static void client_down(void *owner) {
    ks_sim_client *client = owner;
    ks_sim_joined_down(client->sim, client->name.data);
    ks_runtime_node_down(client->sim->runtime, ks_process_node(client->process));
}

static bool name_is_right(ksim *sim, const char *name) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (name == NULL || *name == 0) {
        ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_client: a client process needs a name");
    } else if (strlen(name) > NAME_MAX_SIZE || name[strspn(name, allowed)] != 0) {
        ks_sim_fail(
            sim, KAFKA_ERR_INVALID_ARGUMENT,
            "ksim_client: \"%.120s\" is no name for a client process: use 1 to %d letters, digits, '.', '_', '-'", name,
            NAME_MAX_SIZE);
    } else if (strcmp(name, KS_CONTROL_CLIENT) == 0 || ks_node_find(sim->kernel, name)) {
        ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_client: \"%s\" is taken: it is %s", name,
                    strcmp(name, KS_CONTROL_CLIENT) == 0 ? "the process that fixtures use" : "a broker");
    } else {
        return true;
    }
    return false;
}

static ks_sim_client *client_new(ksim *sim, const char *name) {
    ks_sim_client *client = ks_alloc(sizeof *client);
    client->sim = sim;
    client->name = ks_string_dup(ks_str(name));
    client->process = ks_process_new(sim->kernel, name, ks_cluster_resolve, sim->cluster);
    client->watch = (ks_process_watch){ .crashed = client_down, .owner = client };
    ks_process_watch_start(client->process, &client->watch);
    KS_HASH_ADD_STRING(hh, sim->clients, name, client);
    return client;
}

ks_sim_client *ks_sim_client_find(ksim *sim, const char *name) {
    ks_sim_client *client = NULL;
    ks_string key = ks_str(name ? name : "");
    KS_HASH_FIND_STRING(hh, sim->clients, key, client);
    return client;
}

ks_sim_client *ks_sim_client_get(ksim *sim, const char *name) {
    ks_sim_client *client = ks_sim_client_find(sim, name);
    if (client && client != sim->control) return client;
    return name_is_right(sim, name) ? client_new(sim, name) : NULL;
}

kafka_address *ksim_client(ksim *sim, const char *name) {
    if (ks_sim_check(sim)) return NULL;
    ks_sim_client *client = ks_sim_client_get(sim, name);
    return client ? ks_address_new(sim->runtime, client->process, sim->bootstrap, client->name.data, &sim->addresses)
                  : NULL;
}

static void list_names(ksim *sim, ks_buffer *out) {
    for (int32_t id = 1; id <= ks_cluster_broker_count(sim->cluster) && id <= 10; id++) {
        ks_buffer_printf(out, "%sbroker-%d", id > 1 ? ", " : "", id);
    }
    int32_t count = 0;
    for (ks_sim_client *client = sim->clients; client && count < 20; client = client->hh.next, count++) {
        if (client != sim->control) ks_buffer_printf(out, ", %s", client->name.data);
    }
}

ks_node *ks_sim_node_get(ksim *sim, const char *name, const char *call) {
    ks_node *node = name ? ks_node_find(sim->kernel, name) : NULL;
    if (node) return node;
    ks_buffer names = { 0 };
    list_names(sim, &names);
    ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "%s: there is no \"%.100s\"; there are %s", call,
                name ? name : "(NULL)", (const char *)names.data);
    ks_buffer_deinit(&names);
    return NULL;
}

/* ---- small questions ---- */

const char *ksim_error_detail(const ksim *sim) {
    if (sim == NULL) return "";
    return ks_runtime_right_thread(sim->runtime) ? sim->detail : kafka_error_text(KAFKA_ERR_WRONG_THREAD);
}
uint64_t ksim_seed(const ksim *sim) { return sim ? sim->seed : 0; }
kafka_time ksim_now(const ksim *sim) { return sim ? ks_now(sim->kernel) : 0; }
kafka_duration ksim_elapsed(const ksim *sim) { return sim ? ks_now(sim->kernel) - sim->start : 0; }
uint64_t ksim_steps(const ksim *sim) { return sim ? ks_kernel_steps(sim->kernel) : 0; }

ks_arena *ks_sim_view(ksim *sim) {
    if (sim->view == NULL) sim->view = ks_arena_new();
    uint64_t steps = ks_kernel_steps(sim->kernel);
    if (steps != sim->view_steps) ks_arena_reset(sim->view);
    sim->view_steps = steps;
    return sim->view;
}

const char *ks_sim_view_text(ksim *sim, ks_buffer *text) {
    ks_string copy = ks_arena_string(ks_sim_view(sim), (ks_string){ (const char *)text->data, (int32_t)text->size });
    ks_buffer_deinit(text);
    return copy.size > 0 ? copy.data : "";
}
