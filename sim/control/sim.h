/* SPDX-License-Identifier: Apache-2.0
 *
 * A simulator inside: kernel, cluster, runtime, client processes, and what ksim_* adds to them.
 */
#ifndef KS_SIM_H
#define KS_SIM_H

#include <kafkasim/ksim.h>

#include "sim/api/address.h"
#include "sim/base/hash.h"
#include "sim/broker/cluster.h"
#include "sim/task/runtime.h"

#define KS_SPAN_MAX       (INT64_C(366) * 86400 * KS_S) /* of a latency or delay: a year, so that no sum overflows */
#define KS_START_MAX      (INT64_C(7258118400) * KS_S)  /* of a clock: 2200-01-01, 62 years before 64 bits end */
#define KS_CONTROL_CLIENT "ksim"                        /* the client process that fixtures send their requests from */

typedef struct ks_sim_client {
    ksim *sim;
    ks_string name; /* owned */
    ks_process *process;
    ks_process_watch watch;
    UT_hash_handle hh;
} ks_sim_client;

typedef struct ks_sim_groups ks_sim_groups; /* joined.h: which clients joined which groups */
typedef struct ks_sim_link {                /* a connection of the fixtures' process to a broker */
    ks_channel *channel;
    struct ksim *sim;
} ks_sim_link;
typedef struct ks_trace_sink ks_trace_sink;

/* Tells an event in words, for failure reports; appends one line without its end. A reader of traces may register one.
 */
typedef void ks_narrate_fn(void *context, const ks_event *event, ks_buffer *out);

struct ksim {
    ks_kernel *kernel;
    ks_runtime *runtime;
    ks_cluster *cluster;
    uint64_t seed;
    int64_t start, run_limit;
    ks_sim_client *clients; /* in the order of making */
    kafka_address *addresses;
    char *bootstrap; /* "broker-1:9092,..." */
    char detail[1024];
    ks_assertion_hook hook;
    void (*fail)(void *context, const char *report);
    void *fail_context;
    bool reported; /* a failure was told: what is left open then is no news */

    /* inspection: views of the instant at which the kernel had run `view_steps` events */
    ks_arena *view;
    uint64_t view_steps;

    /* rules (rules.c) */
    ksim_rule *rules, **rules_last;
    uint64_t rule_serial;
    void *rule_state;
    ks_interceptor interceptor;

    /* fixtures (ask.c) */
    ks_sim_client *control;
    ks_sim_link *links; /* by broker id - 1 */

    /* who joined what (joined.c) */
    ks_sim_groups *joined;
    ks_subscriber joined_subscriber;

    /* trace (trace.c) */
    ks_trace_sink *sinks;
    ksim_subscription *subscriptions;
    ks_buffer text; /* of ksim_event_text() and the like */
    ks_narrate_fn *narrate;
    void *narrate_context;

    /* what a reader of the trace has hung here (sim/report): freed with the simulator; told of failed checks */
    void *explaining;
    void (*explaining_free)(void *explaining);
    void (*check_failed)(void *context, ks_buffer *report);
    void *check_failed_context;
};

/* Keeps the sentence for ksim_error_detail(); returns `error`. */
kafka_error ks_sim_fail(ksim *sim, kafka_error error, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The first thing in every ksim_* call: NULL, another thread. */
kafka_error ks_sim_check(ksim *sim);
/* And in those that run the simulation: not in a task or callback. */
kafka_error ks_sim_check_run(ksim *sim, const char *call);
/* A named command in the trace; what is done under it is caused by it: hand the former cause back to ks_cause_set(). */
uint64_t ks_sim_command(ksim *sim, const char *name, const char *arguments, ...) __attribute__((format(printf, 3, 4)));

ks_sim_client *ks_sim_client_find(ksim *sim, const char *name); /* NULL: none */
/* Of ksim_client(): made when it is new; NULL with the detail for a wrong name. */
ks_sim_client *ks_sim_client_get(ksim *sim, const char *name);
/* A client's or a broker's node; NULL with the detail when there is none of that name. */
ks_node *ks_sim_node_get(ksim *sim, const char *name, const char *call);
/* Where views of the present instant are made. */
ks_arena *ks_sim_view(ksim *sim);
const char *ks_sim_view_text(ksim *sim, ks_buffer *text); /* takes the buffer's text into the view */

/* Registers the words of failure reports with a new simulator. Weak: a program that links only the layers up to this
 * one goes without words. */
void ks_report_install(ksim *sim) __attribute__((weak));
void ks_sim_set_narrator(ksim *sim, ks_narrate_fn *narrate, void *context);
/* "  4.004 s  broker-1  group_state_changed {...}" or the narrator's words. */
void ks_sim_tell(ksim *sim, const ks_event *event, ks_buffer *out);

/* ---- parts, made and freed with the simulator ---- */
void ks_sim_rules_init(ksim *sim);
void ks_sim_rules_deinit(ksim *sim);
void ks_sim_joined_init(ksim *sim);
void ks_sim_joined_deinit(ksim *sim);
void ks_sim_links_deinit(ksim *sim);
void ks_sim_trace_deinit(ksim *sim);
bool ks_sim_trivial(const ks_struct *kind, int16_t api_key, int16_t error_code); /* ks_trivial_fn: what the last steps leave out */
/* A request has reached a broker (rules.c hears of it): does its client want to be in a group, or not any more? */
void ks_sim_joined_request(ksim *sim, ks_connection *connection, const ks_envelope *request);
/* "+c1=orders[0,1] -c1=orders[0,1] ...": a view. */
const char *ks_sim_joined_history(ksim *sim, const char *group);
void ks_sim_joined_down(ksim *sim, const char *client); /* it crashed: it wants nothing any more */

/* The name of the client process that a member runs in: brokers see it as the host "/c1". */
ks_string ks_sim_client_of_host(ks_string host);
typedef struct ks_group_member ks_group_member; /* group_machine.h */
ks_string ks_sim_member_client(const ks_group_member *member);

/* Fields of a described struct by Kafka's names and paths ("Topics[0].Name"); false: no such number, no such text. */
bool ks_control_get_int(const ks_struct *type, const void *value, const char *path, int64_t *out);
bool ks_control_get_bytes(const ks_struct *type, const void *value, const char *path, kafka_bytes *out);

/* ---- asking a broker from the fixtures' process (ask.c) ---- */
ks_envelope *ks_sim_request(ksim *sim, int16_t api_key, int16_t api_version);
/* Sends `request` (taken) and blocks for the answer; *response is owned: ks_envelope_free(). */
kafka_error ks_sim_ask(ksim *sim, const char *call, ks_broker *broker, ks_envelope *request, ks_envelope **response);

#endif
