/* SPDX-License-Identifier: Apache-2.0
 *
 * The rounds of an errand (Kafka's AdminApiDriver with CoordinatorStrategy). Where it differs: a lookup that failed waits
 * like any other attempt, while Java's repeats it at once.
 */
#include "sim/api/client_errand.h"

#include <stdlib.h>

enum { FIND_COORDINATOR_VERSION = 6 };
#define API_TIMEOUT (60 * KS_S)       /* default.api.timeout.ms */
#define BACKOFF_MIN (100 * KS_MS)     /* retry.backoff.ms */
#define BACKOFF_MAX (INT64_C(1) * KS_S) /* retry.backoff.max.ms */

/* ---- what an error means for a key ---- */

static bool is_elsewhere(kafka_error error) {
    switch ((int)error) {
    case KAFKA_ERR_NOT_COORDINATOR:
    case KAFKA_ERR_COORDINATOR_NOT_AVAILABLE:
    case KAFKA_ERR_NOT_LEADER_OR_FOLLOWER:
    case KAFKA_ERR_LEADER_NOT_AVAILABLE:
    case KAFKA_ERR_BROKER_NOT_AVAILABLE:
    case KAFKA_ERR_FENCED_LEADER_EPOCH:
    case KAFKA_ERR_CONNECTION_REFUSED:
    case KAFKA_ERR_CONNECTION_RESET:
    case KAFKA_ERR_DEADLINE_EXCEEDED: return true; /* of one attempt */
    }
    return false;
}

static bool is_later(kafka_error error) {
    return error == KAFKA_ERR_COORDINATOR_LOAD_IN_PROGRESS || error == KAFKA_ERR_REBALANCE_IN_PROGRESS ||
           error == KAFKA_ERR_OFFSET_NOT_AVAILABLE;
}

void ks_errand_settle(ks_errand *errand, size_t i, kafka_error error) {
    ks_errand_key *key = &errand->keys[i];
    key->error = error;
    key->settled = !is_elsewhere(error) && !is_later(error);
    if (is_elsewhere(error)) key->broker = -1;
}

void ks_errand_found(ks_errand *errand, size_t i, int32_t broker, kafka_error error) {
    ks_errand_settle(errand, i, error);
    errand->keys[i].settled = error != KAFKA_OK && errand->keys[i].settled; /* found is not yet answered */
    if (error == KAFKA_OK) errand->keys[i].broker = broker;
}

static void settle_all(ks_errand *errand, const size_t *which, size_t count, kafka_error error) {
    for (size_t i = 0; i < count; i++) ks_errand_settle(errand, which[i], error);
}

/* ---- a round ---- */

static kafka_error look_up(ks_errand *errand, size_t *which) {
    size_t count = 0;
    for (size_t i = 0; i < errand->count; i++)
        if (!errand->keys[i].settled && errand->keys[i].broker < 0) which[count++] = i;
    if (count == 0) return KAFKA_OK;
    const ks_ask *ask = errand->find(errand, which, count);
    kafka_error error = ks_client_wait(errand->call);
    if (error != KAFKA_OK) return error;
    settle_all(errand, which, count, ask->error != KAFKA_OK ? ask->error : KAFKA_ERR_UNKNOWN_SERVER_ERROR);
    if (ask->response != NULL) errand->found(errand, ask->response->body, which, count);
    return KAFKA_OK;
}

typedef struct placed {
    int32_t broker;
    size_t key;
} placed;

static int by_broker(const void *a, const void *b) {
    const placed *left = a, *right = b;
    if (left->broker != right->broker) return left->broker < right->broker ? -1 : 1;
    return left->key < right->key ? -1 : left->key > right->key;
}

typedef struct share { /* of one broker */
    size_t first, count;
    const ks_ask *ask;
} share;

static void hear(ks_errand *errand, const share *part, const size_t *which) {
    const ks_ask *ask = part->ask;
    settle_all(errand, which, part->count, ask->error != KAFKA_OK ? ask->error : KAFKA_ERR_UNKNOWN_SERVER_ERROR);
    if (ask->response != NULL) errand->answered(errand, ask->response, which, part->count);
}

static kafka_error ask_brokers(ks_errand *errand, placed *order, size_t *which) {
    size_t count = 0, shares = 0;
    for (size_t i = 0; i < errand->count; i++)
        if (!errand->keys[i].settled && errand->keys[i].broker >= 0)
            order[count++] = (placed){ errand->keys[i].broker, i };
    if (count == 0) return KAFKA_OK;
    qsort(order, count, sizeof *order, by_broker);
    share *parts = ks_arena_alloc(errand->call->arena, count * sizeof *parts);
    for (size_t i = 0; i < count; i++) {
        which[i] = order[i].key;
        if (i == 0 || order[i].broker != order[i - 1].broker) parts[shares++].first = i;
        parts[shares - 1].count++;
    }
    for (size_t i = 0; i < shares; i++)
        parts[i].ask = errand->ask(errand, order[parts[i].first].broker, &which[parts[i].first], parts[i].count);
    kafka_error error = ks_client_wait(errand->call);
    for (size_t i = 0; error == KAFKA_OK && i < shares; i++) hear(errand, &parts[i], &which[parts[i].first]);
    return error;
}

/* ---- rounds ---- */

static bool is_done(const ks_errand *errand) {
    for (size_t i = 0; i < errand->count; i++)
        if (!errand->keys[i].settled) return false;
    return true;
}

static int64_t backoff(int32_t attempt) { /* before attempt 1, 2, ...: 100 ms, doubling */
    int64_t pause = BACKOFF_MIN;
    while (--attempt > 0 && pause < BACKOFF_MAX) pause *= 2;
    return pause < BACKOFF_MAX ? pause : BACKOFF_MAX;
}

/* The time is up. The application's own bound ends the call; the default one ends what is left of it. */
static kafka_error give_up(ks_errand *errand) {
    ks_client_call *call = errand->call;
    kafka_error last = KAFKA_OK;
    for (size_t i = 0; i < errand->count; i++) {
        ks_errand_key *key = &errand->keys[i];
        if (key->settled) continue;
        if (key->error == KAFKA_ERR_DEADLINE_EXCEEDED) key->error = KAFKA_ERR_REQUEST_TIMED_OUT; /* a silent broker */
        key->settled = true;
        last = key->error;
    }
    if (call->client->timeout <= 0) return KAFKA_OK;
    return ks_process_fail(call->client->address->process, KAFKA_ERR_DEADLINE_EXCEEDED,
                           "%s: the client's timeout of %lld ms passed; the last attempt ended with %s", call->name,
                           (long long)(call->client->timeout / KS_MS), kafka_error_name(last));
}

static kafka_error run(ks_errand *errand, int32_t attempt) {
    ks_client_call *call = errand->call;
    ks_kernel *kernel = ks_process_kernel(call->client->address->process);
    size_t *which = ks_arena_alloc(call->arena, errand->count * sizeof *which);
    placed *order = ks_arena_alloc(call->arena, errand->count * sizeof *order);
    for (;; attempt++) {
        kafka_error error = KAFKA_OK;
        int64_t pause = backoff(attempt), left = call->deadline - ks_now(kernel);
        if (attempt > 0 && left > 0) error = ks_client_pause(call, pause < left ? pause : left);
        if (error != KAFKA_OK) return error;
        if (attempt > 0 && left <= pause) return give_up(errand);
        error = look_up(errand, which);
        if (error == KAFKA_OK) error = ask_brokers(errand, order, which);
        if (error != KAFKA_OK || is_done(errand)) return error;
    }
}

kafka_error ks_errand_run(ks_errand *errand) {
    ks_client_call *call = errand->call;
    int64_t limit = call->client->timeout > 0 ? call->client->timeout : API_TIMEOUT;
    int64_t now = ks_now(ks_process_kernel(call->client->address->process));
    if (call->deadline == 0) call->deadline = limit > INT64_MAX - now ? INT64_MAX : now + limit;
    return run(errand, 0);
}

kafka_error ks_errand_run_again(ks_errand *errand) { return run(errand, 1); }

/* ---- groups and their coordinators ---- */

static ks_ask *find_coordinators(ks_errand *errand, const size_t *which, size_t count) {
    ks_ask *ask = ks_client_ask_at(errand->call, KS_API_find_coordinator, FIND_COORDINATOR_VERSION,
                                   (ks_route){ .to = KS_ROUTE_ANY });
    ks_find_coordinator_request *request = ask->request->body;
    request->key_type = KAFKA_COORDINATOR_GROUP;
    KS_FILL(ask, request->coordinator_keys, count);
    for (size_t i = 0; i < count; i++)
        request->coordinator_keys.items[i] = ks_ask_string(ask, errand->groups[which[i]]);
    return ask;
}

static void found_coordinators(ks_errand *errand, const void *body, const size_t *which, size_t count) {
    const ks_find_coordinator_response *response = body;
    for (int32_t i = 0; i < response->coordinators.count; i++) {
        const ks_find_coordinator_response_coordinator *found = &response->coordinators.items[i];
        size_t at = ks_errand_group(errand, which, count, (size_t)i, found->key);
        if (at < errand->count) ks_errand_found(errand, at, found->node_id, (kafka_error)found->error_code);
    }
}

ks_errand ks_errand_of_groups(ks_client_call *call, const char *const *groups, size_t count) {
    ks_errand errand = { .call = call,
                         .groups = groups,
                         .keys = ks_arena_alloc(call->arena, count * sizeof *errand.keys),
                         .count = count,
                         .find = find_coordinators,
                         .found = found_coordinators };
    for (size_t i = 0; i < count; i++) errand.keys[i].broker = -1;
    return errand;
}

size_t ks_errand_group(const ks_errand *errand, const size_t *which, size_t count, size_t hint, ks_string group) {
    for (size_t i = 0; i < count; i++) { /* mostly the hint itself */
        size_t key = which[(hint + i) % count];
        if (ks_string_equal(ks_str(errand->groups[key]), group)) return key;
    }
    return errand->count;
}
