/* SPDX-License-Identifier: Apache-2.0
 * `until`: runs until something holds. What is waited for is looked at only when something has changed, or something is foreground:
 * an idle group costs nothing to wait for.
 */
#include <stdio.h>

#include "sim/scenario/session.h"

typedef struct wait {
    ks_session *session;
    const char *name; /* of the group or rule */
    const char *state;
    int64_t number;
    uint64_t seen;
    bool known;
    bool (*holds)(const struct wait *wait);
} wait;

static bool predicate(ksim *sim, void *context) {
    wait *w = context;
    ks_session *session = w->session;
    (void)sim;
    if (ks_session_interrupted(session)) return true;
    if (w->known && w->seen == session->changes && ks_in_background(session->sim->kernel)) return false;
    w->known = true;
    w->seen = session->changes;
    return w->holds(w);
}

/* ---- what is waited for ---- */

static bool stands_still(const ks_actor *actor) { return ks_node_state_of(ks_process_node(actor->address->process)) == KS_NODE_PAUSED; }

/* Its members are those consumers that live and want to be in it, and each has what it was given. */
static bool stable(const wait *w) {
    size_t expected = 0;
    for (ks_actor *actor = w->session->actors; actor != NULL; actor = actor->next) {
        if (!ks_string_equal(actor->group, ks_str(w->name)) || !actor->running || stands_still(actor)) continue;
        expected++;
        if (!actor->kind->settled(actor)) return false;
    }
    const ksim_group *group = ksim_group_find(w->session->sim, w->name);
    if (group == NULL) return expected == 0;
    if (group->member_count != expected) return false;
    return expected == 0 || strcmp(group->state, "Stable") == 0;
}

static bool in_state(const wait *w) { return strcmp(ks_session_state(w->session, w->name), w->state) == 0; }
static bool lag_is_small(const wait *w) { return ks_session_lag(w->session, ks_str(w->name)) <= w->number; }
static bool rule_has_fired(const wait *w) { return ksim_rule_fired(ks_session_rule(w->session, ks_str(w->name))->rule) >= (uint64_t)w->number; }

/* Nothing is under way, and nothing was written, read or rebalanced for five seconds. A Java consumer commits its unchanged position
 * every five seconds: that is no life. */
static bool is_idle(ksim *sim, void *context) {
    const wait *w = context;
    return ks_session_interrupted(w->session) || (ks_foreground_pending(sim->kernel) == 0 && ks_now(sim->kernel) - w->session->last_life > 5 * KS_S);
}

/* ---- what is said when it never came ---- */

static void tell_errors(const wait *w, char *problem, size_t size) {
    for (const ks_actor *actor = w->session->actors; actor != NULL; actor = actor->next) {
        size_t used = strlen(problem);
        if (ks_string_equal(actor->group, ks_str(w->name)) && actor->last_error != KAFKA_OK && used < size)
            snprintf(problem + used, size - used, "; the last error of %s is %s", actor->name.data, kafka_error_name(actor->last_error));
    }
}

static void tell_stable(const wait *w, char *problem, size_t size) {
    const ksim_group *group = ksim_group_find(w->session->sim, w->name);
    size_t members = group != NULL ? group->member_count : 0;
    const char *state = ks_session_state(w->session, w->name);
    snprintf(problem, size, "%s %s: it is %s, with %zu member%s", w->name, strcmp(state, "Stable") == 0 ? "has not settled" : "is not stable", state, members, members == 1 ? "" : "s");
    size_t expected = 0, used;
    for (ks_actor *actor = w->session->actors; actor != NULL; actor = actor->next) {
        if (!ks_string_equal(actor->group, ks_str(w->name)) || !actor->running || stands_still(actor)) continue;
        expected++;
        if ((used = strlen(problem)) < size && !actor->kind->settled(actor))
            snprintf(problem + used, size - used, "; %s has no assignment yet, or more to give up", actor->name.data);
    }
    if ((used = strlen(problem)) < size && members != expected) snprintf(problem + used, size - used, "; %zu live and want to be in it", expected);
    tell_errors(w, problem, size);
}

ks_run_result ks_session_until(ks_session *session, const ks_command_line *command, char *problem, size_t size) {
    const char *what = command->words[0].text.data;
    wait w = { .session = session, .name = command->word_count > 1 ? command->words[1].text.data : NULL, .number = ks_pair_int(command, "count", 1) };
    int64_t within = ks_pair_duration(command, "within", 600 * KS_S);
    if (within == 0) within = 1; /* ksim_run_until's 0 is a default */
    if (strcmp(what, "stable") == 0) w.holds = stable;
    else if (strcmp(what, "state") == 0) w.holds = in_state, w.state = command->words[2].text.data;
    else if (strcmp(what, "lag") == 0) w.holds = lag_is_small, ks_parse_int(command->words[2].text, &w.number);
    else if (strcmp(what, "rule") == 0) w.holds = rule_has_fired;
    kafka_error error = ksim_run_until(session->sim, w.holds != NULL ? predicate : is_idle, &w, "what `until` waits for", within);
    if (ks_session_interrupted(session)) return KS_RUN_FINE;
    if (error == KAFKA_OK) {
        /* Its last member's answer is still under way: what it was given is told once it is there. */
        if (w.holds == stable) ksim_run_for(session->sim, 10 * KAFKA_MILLISECOND);
        return KS_RUN_FINE;
    }
    session->stuck = true;
    if (w.holds == stable) tell_stable(&w, problem, size);
    else if (w.holds == in_state) snprintf(problem, size, "%s is %s, and did not become %s", w.name, ks_session_state(session, w.name), w.state);
    else if (w.holds == lag_is_small) snprintf(problem, size, "the lag of %s is still %lld", w.name, (long long)ks_session_lag(session, ks_str(w.name)));
    else if (w.holds == rule_has_fired) {
        const ksim_rule *rule = ks_session_rule(session, ks_str(w.name))->rule;
        snprintf(problem, size, "the rule %s fired %llu time%s, not %lld", w.name, (unsigned long long)ksim_rule_fired(rule), ksim_rule_fired(rule) == 1 ? "" : "s", (long long)w.number);
    } else snprintf(problem, size, "things still happen");
    return KS_RUN_FAILED;
}
