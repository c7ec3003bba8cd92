/* SPDX-License-Identifier: Apache-2.0
 *
 * Request rules: which requests, when, and what then. Rules sit where the network hands messages to brokers and takes
 * their answers, so what is delayed, held or lost is any message of any client, and nothing knows that it was meddled
 * with.
 *
 * The requests of fixtures (client "ksim") are left alone unless a rule names that client.
 */
#include "sim/control/rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/protocol/events.h"
#include "sim/protocol/frame.h"
#include "sim/protocol/summary.h"

static const char *const verbs[] = {
    [KSIM_COUNT] = "count",
    [KSIM_ANSWER_ERROR] = "answer",
    [KSIM_DELAY] = "delay",
    [KSIM_DELAY_ANSWER] = "delay_answer",
    [KSIM_RESET_BEFORE] = "reset_before",
    [KSIM_RESET_AFTER] = "reset_after",
    [KSIM_HOLD] = "hold",
    [KSIM_HOLD_ANSWER] = "hold_answer",
    [KSIM_PASS] = "pass",
};
enum { ACTION_COUNT = sizeof verbs / sizeof *verbs };

/* A ksim_run_until_rule() in progress. It outlives the rule when that is removed meanwhile. */
typedef struct until_fired {
    struct until_fired *outer;
    const ksim_rule *rule; /* NULL: removed, having fired ... */
    uint64_t fired;        /* ... so often */
    uint64_t times;
} until_fired;

typedef struct rule_state {
    KS_VEC(ks_rule_pending) pending; /* answers that are still to be dealt with */
    until_fired *awaited;            /* innermost first; NULL: none */
    int32_t asking;                  /* > 0: rules are being asked or ended, so others may not free them */
    int32_t removed;                 /* how many wait for the end of that */
} rule_state;

/* ---- ending ---- */

static void rule_free(ksim_rule *rule) {
    ks_free((void *)rule->config.name);
    ks_free((void *)rule->config.client);
    ks_free((void *)rule->config.group);
    ks_free(rule->topic);
    ks_free(rule);
}

static void end_rule(ksim_rule **link) {
    ksim_rule *rule = *link;
    ksim *sim = rule->sim;
    rule_state *state = sim->rule_state;
    for (int32_t i = 0; i < state->pending.count; i++) {
        if (state->pending.items[i].rule == rule) state->pending.items[i].rule = NULL;
    }
    for (until_fired *until = state->awaited; until; until = until->outer) {
        if (until->rule == rule) *until = (until_fired){ until->outer, NULL, rule->fired, until->times };
    }
    ksim_rule_release(sim, rule);
    *link = rule->next;
    if (rule->next == NULL) sim->rules_last = link;
    KS_EMIT(sim->kernel, NULL, rule_removed, .rule = rule->id, .name = ks_str(rule->config.name),
            .times = (int64_t)rule->fired);
    rule_free(rule);
}

/* Ends the rules that were removed meanwhile, also those that a subscriber removes when it hears of it. One pass over
 * the rules, and one more for each time that a subscriber removes an older one. */
static void stop_asking(ksim *sim) {
    rule_state *state = sim->rule_state;
    while (state->asking == 1 && state->removed > 0) {
        for (ksim_rule **link = &sim->rules; *link && state->removed > 0;) {
            if (!(*link)->removed) {
                link = &(*link)->next;
                continue;
            }
            end_rule(link);
            state->removed--;
        }
    }
    state->asking--;
}

/* ---- deciding ---- */

static bool fires(ksim_rule *rule) {
    const ksim_rule_config *config = &rule->config;
    if (config->nth) return rule->matched == config->nth;
    if (config->every) return rule->matched % config->every == 0;
    if (config->first) return rule->matched <= config->first;
    if (config->chance) {
        return ks_random_below(rule->sim->kernel, KS_STREAM_FAULTS, config->of ? config->of : 100) < config->chance;
    }
    return true;
}

static bool decision_is_right(const ksim_decision *decision) {
    if ((unsigned)decision->action >= ACTION_COUNT || decision->delay < 0 || decision->delay > KS_SPAN_MAX)
        return false;
    return decision->action != KSIM_ANSWER_ERROR || (decision->error != KAFKA_OK && decision->error > -1000);
}

static ksim_decision decide(ksim_rule *rule, ks_connection *connection, const ks_envelope *request) {
    const ksim_rule_config *config = &rule->config;
    if (config->decide == NULL) return (ksim_decision){ config->action, config->error, config->delay };
    ksim_request view = { rule->sim, connection, request };
    ks_runtime_enter_callback(rule->sim->runtime);
    ksim_decision decision = config->decide(config->context, &view);
    ks_runtime_leave_callback(rule->sim->runtime);
    if (decision_is_right(&decision)) return decision;
    if (!rule->broken) {
        ks_runtime_say(rule->sim->runtime,
                       "rule %s: its function asked for action %d, error %d, delay %lld, which is not possible; "
                       "the request goes on",
                       config->name, (int)decision.action, (int)decision.error, (long long)decision.delay);
    }
    rule->broken = true;
    return (ksim_decision){ .action = KSIM_COUNT };
}

static uint64_t tell_fired(ksim_rule *rule, const ksim_decision *decision, ks_connection *connection,
                           const ks_envelope *request) {
    return KS_EMIT(rule->sim->kernel, ks_connection_server(connection), rule_fired, .rule = rule->id,
                   .name = ks_str(rule->config.name), .verb = ks_str(verbs[decision->action]),
                   .api_key = request->api_key, .client = ks_str(ks_node_name(ks_connection_client(connection))),
                   .server = ks_str(ks_node_name(ks_connection_server(connection))), .times = (int64_t)rule->fired);
}

/* Asks the rules in their order. NULL: the request goes on untouched. Functions and subscribers may add and remove rules
 * meanwhile: what is added is asked from the next request on (else a rule that adds its successor would never end). */
static ksim_rule *ask_rules(ksim *sim, ks_connection *connection, const ks_envelope *request, ksim_decision *decision,
                            uint64_t *cause) {
    const int32_t newest = (int32_t)sim->rule_serial;
    for (ksim_rule *rule = sim->rules; rule && rule->id <= newest; rule = rule->next) {
        if (rule->removed || !ks_rule_matches(rule, connection, request)) continue;
        rule->matched++;
        if (!fires(rule)) continue;
        *decision = decide(rule, connection, request);
        if (decision->action == KSIM_COUNT && rule->config.decide) continue;
        rule->fired++;
        *cause = tell_fired(rule, decision, connection, request);
        if (decision->action == KSIM_COUNT) continue;
        return decision->action == KSIM_PASS ? NULL : rule;
    }
    return NULL;
}

/* An answer with the error at its place. NULL: this request can carry none, or nobody waits for an answer (acks 0). */
static ks_envelope *error_answer(ksim *sim, const ks_envelope *request, kafka_error error) {
    const ks_api *api = ks_api_find(request->api_key);
    ks_envelope *answer = ks_envelope_new(sim->kernel, request->api_key, request->api_version, api->response());
    answer->is_response = true;
    ks_message_set_error(request, answer, (int16_t)error);
    return answer;
}

static bool expects_no_answer(const ks_envelope *request) {
    return request->api_key == KS_API_produce && ((const ks_produce_request *)request->body)->acks == 0;
}

static void remember(ksim *sim, ks_connection *connection, const ks_envelope *request, ksim_rule *rule,
                     const ksim_decision *decision, uint64_t cause) {
    rule_state *state = sim->rule_state;
    KS_PUSH(state->pending,
            (ks_rule_pending){ ks_connection_id(connection), request->correlation_id, rule, *decision, cause });
}

static void intercept(ksim *sim, ks_connection *connection, const ks_envelope *request, ks_intercept *out) {
    ksim_decision decision;
    uint64_t cause = 0;
    ksim_rule *rule = ask_rules(sim, connection, request, &decision, &cause);
    if (rule == NULL) return;
    out->cause = cause;
    switch (decision.action) {
    case KSIM_COUNT:
    case KSIM_PASS: break;
    case KSIM_ANSWER_ERROR:
        if (expects_no_answer(request)) {
            out->action =
                KS_INTERCEPT_RESET; /* what a broker does with a failed acks=0 request: it closes the connection */
        } else {
            out->action = KS_INTERCEPT_ANSWER;
            out->answer = error_answer(sim, request, decision.error);
        }
        break;
    case KSIM_DELAY:
        out->action = KS_INTERCEPT_DELAY;
        out->delay_ns = decision.delay;
        break;
    case KSIM_RESET_BEFORE: out->action = KS_INTERCEPT_RESET; break;
    case KSIM_HOLD:
        if (rule->removed) break; /* nobody could release it */
        out->action = KS_INTERCEPT_HOLD;
        out->hold_id = (uint64_t)rule->id;
        rule->held++;
        break;
    case KSIM_DELAY_ANSWER:
    case KSIM_RESET_AFTER:
    case KSIM_HOLD_ANSWER: remember(sim, connection, request, rule, &decision, cause); break;
    }
}

static void on_request(void *context, ks_connection *connection, const ks_envelope *request, ks_intercept *out) {
    ksim *sim = context;
    rule_state *state = sim->rule_state;
    ks_sim_joined_request(sim, connection, request);
    if (sim->rules == NULL) return;
    state->asking++;
    intercept(sim, connection, request, out);
    stop_asking(sim);
}

static void on_response(void *context, ks_connection *connection, const ks_envelope *request,
                        const ks_envelope *response, ks_intercept *out) {
    ksim *sim = context;
    rule_state *state = sim->rule_state;
    for (int32_t i = 0; i < state->pending.count; i++) { /* as many as answers that rules wait for: few */
        ks_rule_pending pending = state->pending.items[i];
        if (pending.connection != ks_connection_id(connection) || pending.correlation_id != request->correlation_id)
            continue;
        state->pending.items[i] = state->pending.items[--state->pending.count];
        out->cause = pending.cause;
        if (pending.decision.action == KSIM_RESET_AFTER) {
            out->action = KS_INTERCEPT_RESET;
        } else if (pending.decision.action == KSIM_DELAY_ANSWER) {
            out->action = KS_INTERCEPT_DELAY;
            out->delay_ns = pending.decision.delay;
        } else if (pending.rule) { /* a rule that was removed holds nothing any more */
            out->action = KS_INTERCEPT_HOLD;
            out->hold_id = (uint64_t)pending.rule->id;
            pending.rule->held++;
        }
        return;
    }
}

/* KSIM_WIRE_CHECK=1: every message is encoded and decoded on its way. */
static ks_envelope *transcode(void *context, ks_envelope *envelope) {
    return ks_wire_check(((ksim *)context)->kernel, envelope);
}

void ks_sim_rules_init(ksim *sim) {
    sim->rules_last = &sim->rules;
    sim->rule_state = ks_alloc(sizeof(rule_state));
    sim->interceptor = (ks_interceptor){ .on_request = on_request, .on_response = on_response, .context = sim };
    const char *check = getenv("KSIM_WIRE_CHECK");
    if (check && strcmp(check, "1") == 0) sim->interceptor.transcode = transcode;
    ks_network_intercept(sim->kernel, &sim->interceptor);
}

/* ---- adding and removing ---- */

/* Fields that would be ignored, or an action that would do nothing. NULL: none. */
static const char *idle_field(const ksim_rule_config *config) {
    bool delays = config->action == KSIM_DELAY || config->action == KSIM_DELAY_ANSWER;
    if (config->of > 0 && config->chance == 0)
        return "of is set without chance: set chance too (chance in of requests), or leave of out";
    if (config->decide) return NULL; /* it decides about the rest */
    if (config->error != KAFKA_OK && config->action != KSIM_ANSWER_ERROR)
        return "error is set, but action answers with none: set action to KSIM_ANSWER_ERROR, or leave error out";
    if (config->delay != 0 && !delays)
        return "delay is set, but action delays nothing: set action to KSIM_DELAY or KSIM_DELAY_ANSWER, or leave delay out";
    if (config->delay == 0 && delays)
        return "delay is 0, so that KSIM_DELAY and KSIM_DELAY_ANSWER would do nothing: set delay, as in 100 * KAFKA_MILLISECOND";
    return NULL;
}

static bool config_is_right(ksim *sim, const ksim_rule_config *config) {
    int whens = (config->nth > 0) + (config->every > 0) + (config->first > 0) + (config->chance > 0);
    ksim_decision decision = { config->action, config->error, config->delay };
    char *topic = NULL;
    int32_t partition;
    bool topic_is_right = config->topic == NULL || ks_rule_parse_topic(config->topic, &topic, &partition);
    ks_free(topic);
    if (config->api && ks_api_find_name(config->api) == NULL) {
        ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT,
                    "ksim_rule_add: api is \"%.100s\": use a name as Kafka spells it, as in \"JoinGroup\"",
                    config->api);
    } else if (config->broker < 0 ||
               (config->broker > 0 && ks_cluster_broker_find(sim->cluster, config->broker) == NULL)) {
        ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT,
                    "ksim_rule_add: there is no broker %d; there are 1 to %d, and 0 is any", config->broker,
                    ks_cluster_broker_count(sim->cluster));
    } else if (!topic_is_right) {
        ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT,
                    "ksim_rule_add: topic is \"%.100s\": write \"orders\" or \"orders[3]\"", config->topic);
    } else if (whens > 1) {
        ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT,
                    "ksim_rule_add: only one of nth, every, first and chance may be set");
    } else if (config->chance > (config->of ? config->of : 100)) {
        ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_rule_add: a chance of %u in %u is more than certain",
                    config->chance, config->of ? config->of : 100);
    } else if (!decision_is_right(&decision)) {
        ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_rule_add: %s",
                    config->delay < 0             ? "delay is negative"
                    : config->delay > KS_SPAN_MAX ? "delay is more than a year"
                    : config->action == KSIM_ANSWER_ERROR
                        ? "KSIM_ANSWER_ERROR needs error, a code that a broker can answer with"
                        : "action is none of ksim_action");
    } else if (idle_field(config)) {
        ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_rule_add: %s", idle_field(config));
    } else {
        return true;
    }
    return false;
}

static char *copy(const char *text) { return text ? ks_strndup(text, strlen(text)) : NULL; }

static char *name_for(const ksim_rule_config *config) {
    ks_buffer text = { 0 };
    if (config->name) return copy(config->name);
    ks_buffer_text(&text, config->decide ? "decide" : verbs[config->action]);
    ks_buffer_printf(&text, " %s", config->api ? config->api : "any request");
    if (config->client) ks_buffer_printf(&text, " of %s", config->client);
    if (config->broker) ks_buffer_printf(&text, " to broker-%d", config->broker);
    if (config->group) ks_buffer_printf(&text, " group %s", config->group);
    if (config->topic) ks_buffer_printf(&text, " topic %s", config->topic);
    return ks_buffer_take(&text);
}

ksim_rule *ksim_rule_add(ksim *sim, const ksim_rule_config *config) {
    if (ks_sim_check(sim)) return NULL;
    if (config == NULL) {
        ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_rule_add: config is NULL");
        return NULL;
    }
    if (!config_is_right(sim, config)) return NULL;
    ksim_rule *rule = ks_alloc(sizeof *rule);
    rule->sim = sim;
    rule->id = (int32_t)++sim->rule_serial;
    rule->config = *config;
    rule->config.name = name_for(config);
    rule->config.client = copy(config->client);
    rule->config.group = copy(config->group);
    rule->config.topic = rule->config.api = NULL; /* kept parsed */
    rule->api_key = config->api ? ks_api_find_name(config->api)->key : -1;
    rule->partition = -1;
    if (config->topic) ks_rule_parse_topic(config->topic, &rule->topic, &rule->partition);
    *sim->rules_last = rule;
    sim->rules_last = &rule->next;
    KS_EMIT(sim->kernel, NULL, rule_added, .rule = rule->id, .name = ks_str(rule->config.name),
            .verb = ks_str(config->decide ? "decide" : verbs[config->action]));
    return rule;
}

void ksim_rule_remove(ksim *sim, ksim_rule *rule) {
    if (rule == NULL || ks_sim_check(sim) || rule->sim != sim || rule->removed) return;
    rule_state *state = sim->rule_state;
    rule->removed = true;
    state->removed++;
    state->asking++; /* subscribers hear of the end, and may remove others */
    stop_asking(sim); /* at once, unless rules are being asked now */
}

void ks_sim_rules_deinit(ksim *sim) {
    rule_state *state = sim->rule_state;
    for (ksim_rule *rule = sim->rules, *next; rule; rule = next) {
        next = rule->next;
        rule_free(rule);
    }
    ks_free(state->pending.items);
    ks_free(state);
}

uint64_t ksim_rule_matched(const ksim_rule *rule) { return rule ? rule->matched : 0; }
uint64_t ksim_rule_fired(const ksim_rule *rule) { return rule ? rule->fired : 0; }
size_t ksim_rule_held(const ksim_rule *rule) { return rule ? (size_t)rule->held : 0; }

size_t ksim_rule_release(ksim *sim, ksim_rule *rule) {
    if (rule == NULL || ks_sim_check(sim) || rule->held == 0) return 0;
    size_t count = (size_t)rule->held;
    rule->held = 0;
    uint64_t before = ks_sim_command(sim, "release", "%s", rule->config.name);
    ks_network_release(sim->kernel, (uint64_t)rule->id);
    ks_cause_set(sim->kernel, before);
    return count;
}

static bool has_fired(ksim *sim, void *context) {
    const until_fired *until = context;
    (void)sim;
    return (until->rule ? until->rule->fired : until->fired) >= until->times;
}

kafka_error ksim_run_until_rule(ksim *sim, ksim_rule *rule, uint64_t times) {
    kafka_error error = ks_sim_check_run(sim, "ksim_run_until_rule");
    if (error) return error;
    if (rule == NULL) return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_run_until_rule: rule is NULL");
    char what[256];
    snprintf(what, sizeof what, "rule \"%.150s\" has fired %llu times", rule->config.name, (unsigned long long)times);
    rule_state *state = sim->rule_state;
    until_fired until = { .outer = state->awaited, .rule = rule, .times = times };
    state->awaited = &until;
    error = ksim_run_until(sim, has_fired, &until, what, 0);
    state->awaited = until.outer;
    return error;
}
