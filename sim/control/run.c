/* SPDX-License-Identifier: Apache-2.0
 *
 * Running the simulation from the program's own stack: for a span, until a time, an event, a predicate.
 */
#include <stdio.h>

#include "sim/control/sim.h"

kafka_error ksim_run_until_time(ksim *sim, kafka_time time) {
    kafka_error error = ks_sim_check_run(sim, "ksim_run_until_time");
    if (error) return error;
    if (time < ks_now(sim->kernel)) {
        return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_run_until_time: that time is %lld ms in the past",
                           (long long)((ks_now(sim->kernel) - time) / KS_MS));
    }
    ks_runtime_run_until(sim->runtime, time);
    return KAFKA_OK;
}

kafka_error ksim_run_for(ksim *sim, kafka_duration duration) {
    kafka_error error = ks_sim_check_run(sim, "ksim_run_for");
    if (error) return error;
    int64_t now = ks_now(sim->kernel);
    if (duration < 0 || duration > INT64_MAX - now) {
        return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT,
                           "ksim_run_for: a span of %lld ns: allowed are 0 and more, up to the year 2262",
                           (long long)duration);
    }
    ks_runtime_run_until(sim->runtime, now + duration);
    return KAFKA_OK;
}

kafka_error ksim_step(ksim *sim) {
    kafka_error error = ks_sim_check_run(sim, "ksim_step");
    if (error) return error;
    if (ks_runtime_step(sim->runtime)) return KAFKA_OK;
    return ks_sim_fail(sim, KAFKA_ERR_NOTHING_CAN_WAKE, "ksim_step: nothing is left to happen");
}

static bool holds(ksim *sim, ksim_predicate *predicate, void *context) {
    ks_runtime_enter_callback(sim->runtime);
    bool answer = predicate(sim, context);
    ks_runtime_leave_callback(sim->runtime);
    return answer;
}

/* What never came, and who is blocked meanwhile. */
static kafka_error never_came(ksim *sim, const char *what, int64_t began, kafka_error error) {
    ks_buffer waits = { 0 };
    ks_runtime_list_waits(sim->runtime, &waits);
    int64_t from = (began - sim->start) / KS_MS, to = (ks_now(sim->kernel) - sim->start) / KS_MS;
    ks_sim_fail(sim, error, "%s: it did not come between %lld.%03lld s and %lld.%03lld s%s%s%s", what,
                (long long)(from / 1000), (long long)(from % 1000), (long long)(to / 1000), (long long)(to % 1000),
                error == KAFKA_ERR_NOTHING_CAN_WAKE ? ", and nothing is left to happen" : "",
                waits.size > 0 ? ". Blocked are:\n" : "", waits.size > 0 ? (const char *)waits.data : "");
    ks_buffer_deinit(&waits);
    return error;
}

kafka_error ksim_run_until(ksim *sim, ksim_predicate *predicate, void *context, const char *what,
                           kafka_duration limit) {
    kafka_error error = ks_sim_check_run(sim, "ksim_run_until");
    if (error) return error;
    if (predicate == NULL) return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_run_until: predicate is NULL");
    if (limit < 0) return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_run_until: limit is negative");
    if (what == NULL) what = "the predicate";
    int64_t began = ks_now(sim->kernel), span = limit ? limit : sim->run_limit;
    int64_t end = span > INT64_MAX - began ? INT64_MAX : began + span;
    ks_runtime_settle(sim->runtime);
    for (int64_t next; !holds(sim, predicate, context);) {
        if (!ks_kernel_next(sim->kernel, &next)) return never_came(sim, what, began, KAFKA_ERR_NOTHING_CAN_WAKE);
        if (next > end) {
            ks_runtime_run_until(sim->runtime, end);
            return never_came(sim, what, began, KAFKA_ERR_LIMIT);
        }
        ks_runtime_step(sim->runtime);
    }
    return KAFKA_OK;
}
