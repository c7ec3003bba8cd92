/* SPDX-License-Identifier: Apache-2.0
 * Connections of a Java client; see java_network.h. */
#include "sim/client/java_network.h"

typedef struct call {
    struct call *next;     /* of the node, oldest first; or in the list of free ones */
    ks_java_node *node;    /* NULL: answered */
    ks_envelope *envelope; /* until it is sent */
    int64_t timeout_ns;
    ks_reply_fn *reply;
    void *owner;
} call;

typedef struct known_node { /* found without a look at the nodes themselves: of one of a thousand clients they are in no cache */
    int32_t id;
    ks_java_node *node;
} known_node;

struct ks_java_node {
    ks_java_network *network;
    ks_channel *channel;  /* NULL: not connected */
    call *calls, **calls_end; /* sent and unsent */
    int32_t call_count;
    int32_t id;
    bool ready;           /* ApiVersions was answered */
    bool first_taken;
    int32_t failures;     /* in a row */
    int64_t not_before;   /* when it may connect again */
    call first;       /* mostly there is no other: close at hand, and one of the free ones */
    ks_timer connect; /* requests wait for that time; or, at 0 delay, for the end of a failed connection */
};

struct ks_java_network {
    ks_kernel *kernel;
    KS_VEC(known_node) nodes; /* few */
    ks_java_network_config config;
    call *free_calls;
    int16_t versions[KS_API_LIMIT]; /* the newest that both sides know */
    ks_arena *arena;
    bool *gone; /* set when it is freed inside a reply */
};

/* ---- nodes ---- */

static void connect_now(ks_timer *timer);

static ks_java_node *node_get(ks_java_network *network, int32_t id) {
    for (int32_t i = 0; i < network->nodes.count; i++)
        if (network->nodes.items[i].id == id) return network->nodes.items[i].node;
    ks_java_node *node = memset(ks_alloc_lines(sizeof *node), 0, sizeof *node);
    node->network = network;
    node->id = id;
    node->calls_end = &node->calls;
    ks_timer_init(&node->connect, ks_process_node(network->config.process), connect_now, node);
    KS_PUSH(network->nodes, (known_node){ id, node });
    return node;
}

/* Bootstrap servers are the nodes -1, -2, ... */
static bool bootstrap_address(const ks_java_network *network, int32_t index, ks_string *host, int32_t *port) {
    const char *text = network->config.addresses.data;
    for (; index > 0 && text; index--) {
        text = strchr(text, ',');
        if (text) text++;
    }
    if (text == NULL || *text == 0) return false;
    size_t size = strcspn(text, ","), colon = size;
    for (size_t i = 0; i < size; i++)
        if (text[i] == ':') colon = i;
    *host = (ks_string){ text, (int32_t)colon };
    *port = 0;
    for (size_t i = colon + 1; i < size; i++) *port = *port * 10 + (text[i] - '0');
    return true;
}

static bool address_of(const ks_java_network *network, int32_t id, ks_string *host, int32_t *port) {
    if (id < 0) return bootstrap_address(network, -1 - id, host, port);
    int32_t broker = id > KS_JAVA_COORDINATOR_BASE / 2 ? KS_JAVA_COORDINATOR_BASE - id : id;
    return network->config.address(network->config.owner, broker, host, port);
}

/* ---- the end of a connection ---- */

static call *take_call(ks_java_node *node) {
    call *first = node->calls;
    if (first == NULL) return NULL;
    node->calls = first->next;
    if (node->calls == NULL) node->calls_end = &node->calls;
    node->call_count--;
    return first;
}

static void recycle(ks_java_network *network, call *one) {
    if (one == &one->node->first) {
        one->node->first_taken = false;
        return;
    }
    one->next = network->free_calls;
    network->free_calls = one;
}

/* Fails everything on the node, oldest first, and tells the owner. */
static void fail_node(ks_java_node *node, kafka_error error) {
    ks_java_network *network = node->network;
    bool gone = false, *outer = network->gone;
    network->gone = &gone;
    ks_channel_close(node->channel);
    node->channel = NULL;
    node->ready = false;
    int64_t backoff = network->config.backoff_min_ns;
    for (int32_t i = 0; i < node->failures && backoff < network->config.backoff_max_ns; i++) backoff *= 2;
    if (backoff > network->config.backoff_max_ns) backoff = network->config.backoff_max_ns;
    node->failures++;
    node->not_before = ks_now(network->kernel) + backoff;
    for (int32_t left = node->call_count; left > 0 && node->calls; left--) { /* what comes in meanwhile waits */
        call *one = take_call(node);
        ks_reply_fn *reply = one->reply;
        void *owner = one->owner;
        if (one->envelope) ks_envelope_free(network->kernel, one->envelope);
        recycle(network, one);
        if (reply) reply(owner, error, NULL);
        if (gone) {
            if (outer) *outer = true;
            return;
        }
    }
    network->gone = outer;
    network->config.disconnected(network->config.owner, node->id);
}

static void channel_closed(void *owner, kafka_error error) { fail_node(owner, error); }

void ks_java_disconnect(ks_java_network *network, int32_t id) {
    ks_java_node *node = node_get(network, id);
    if (node->channel || node->calls) fail_node(node, KAFKA_ERR_CONNECTION_RESET);
}

/* ---- sending ---- */

static void call_replied(void *owner, kafka_error error, const ks_envelope *response) {
    call *one = owner;
    ks_java_node *node = one->node;
    ks_java_network *network = node->network;
    ks_prefetch(one->owner, 2);
    ks_prefetch(network, 2);
    if (error) { /* also a time-out ends the connection; when that already ended, `closed` follows and fails the rest */
        if (error == KAFKA_ERR_DEADLINE_EXCEEDED) fail_node(node, KAFKA_ERR_DEADLINE_EXCEEDED);
        return;
    }
    for (call **link = &node->calls; *link; link = &(*link)->next)
        if (*link == one) {
            *link = one->next;
            if (one->next == NULL) node->calls_end = link;
            break;
        }
    node->call_count--;
    ks_reply_fn *reply = one->reply;
    void *reply_owner = one->owner;
    recycle(network, one);
    if (reply == NULL) return;
    void (*replying)(void *owner, bool begins) = network->config.replying;
    void *owner_of_all = network->config.owner;
    replying(owner_of_all, true);
    reply(reply_owner, KAFKA_OK, response);
    replying(owner_of_all, false);
}

static void transmit(call *one) {
    ks_envelope *envelope = one->envelope;
    one->envelope = NULL;
    ks_channel_send(one->node->channel, envelope, one->timeout_ns, call_replied, one);
}

/* The newest version that the client of Kafka 4.0 speaks; sim/protocol knows those of later releases, too. */
static int16_t newest_version(const ks_api *api) {
    switch (api->key) {
    case KS_API_fetch: return 17;
    case KS_API_list_offsets: return 10;
    case KS_API_offset_commit: case KS_API_offset_fetch: return 9;
    default: return api->until;
    }
}

static void learn_versions(ks_java_network *network, const ks_api_versions_response *response) {
    for (int32_t i = 0; i < response->api_keys.count; i++) {
        const ks_api_versions_response_api_version *range = &response->api_keys.items[i];
        if (range->api_key < 0 || range->api_key >= KS_API_LIMIT) continue;
        const ks_api *api = ks_api_find(range->api_key);
        if (api == NULL) continue;
        int16_t newest = newest_version(api);
        network->versions[range->api_key] = range->max_version < newest ? range->max_version : newest;
    }
}

static void versions_replied(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_java_node *node = owner;
    if (error == KAFKA_ERR_DEADLINE_EXCEEDED) fail_node(node, error);
    if (error) return; /* `closed` follows */
    const ks_api_versions_response *response = envelope->body;
    if (response->error_code) {
        fail_node(node, (kafka_error)response->error_code);
        return;
    }
    learn_versions(node->network, response);
    node->ready = true;
    node->failures = 0;
    for (call *one = node->calls; one; one = one->next)
        if (one->envelope) transmit(one);
}

static void ask_versions(ks_java_node *node) {
    ks_java_network *network = node->network;
    const ks_api *api = ks_api_find(KS_API_api_versions);
    ks_envelope *envelope = ks_envelope_new(network->kernel, KS_API_api_versions, api->until, api->request());
    ks_api_versions_request *request = envelope->body;
    request->client_software_name = KS_LITERAL("apache-kafka-java");
    request->client_software_version = KS_LITERAL("4.0.0");
    envelope->client_id = ks_arena_string(envelope->arena, network->config.client_id);
    ks_channel_send(node->channel, envelope, network->config.request_timeout_ns, versions_replied, node);
}

static void connect_now(ks_timer *timer) {
    ks_java_node *node = timer->owner;
    ks_java_network *network = node->network;
    if (node->channel || node->calls == NULL) return;
    ks_string host;
    int32_t port;
    if (!address_of(network, node->id, &host, &port)) {
        fail_node(node, KAFKA_ERR_CONNECTION_REFUSED);
        return;
    }
    node->channel = ks_channel_dial(network->config.process, host, port, channel_closed, node);
    ask_versions(node);
}

ks_envelope *ks_java_request(ks_java_network *network, int16_t api_key, int16_t highest) {
    int16_t version = network->versions[api_key];
    if (highest >= 0 && version > highest) version = highest;
    return ks_envelope_new(network->kernel, api_key, version, ks_api_find(api_key)->request());
}

void ks_java_send(ks_java_network *network, int32_t id, ks_envelope *request, int64_t timeout_ns, ks_reply_fn *reply,
                  void *owner) {
    ks_java_node *node = node_get(network, id);
    call *one = node->first_taken ? network->free_calls : &node->first;
    if (one == &node->first) node->first_taken = true;
    else if (one) network->free_calls = one->next;
    else one = ks_alloc(sizeof *one);
    *one = (call){ .node = node, .envelope = request, .reply = reply, .owner = owner,
                   .timeout_ns = timeout_ns ? timeout_ns : network->config.request_timeout_ns };
    request->client_id = ks_arena_string(request->arena, network->config.client_id);
    *node->calls_end = one;
    node->calls_end = &one->next;
    node->call_count++;
    if (node->ready) {
        transmit(one);
    } else if (node->channel == NULL && !ks_timer_is_running(&node->connect)) {
        int64_t wait = node->not_before - ks_now(network->kernel);
        ks_timer_start(network->kernel, &node->connect, wait > 0 ? wait : 0);
    }
}

/* ---- choosing ---- */

bool ks_java_is_available(ks_java_network *network, int32_t id) {
    ks_java_node *node = node_get(network, id);
    return node->channel || node->not_before <= ks_now(network->kernel);
}

bool ks_java_has_in_flight(ks_java_network *network, int32_t id) { return node_get(network, id)->calls != NULL; }

static int32_t candidate(ks_java_network *network, int32_t index) {
    int32_t first = network->config.broker_at(network->config.owner, 0);
    if (first >= 0) return index == 0 ? first : network->config.broker_at(network->config.owner, index);
    ks_string host;
    int32_t port;
    return bootstrap_address(network, index, &host, &port) ? -1 - index : INT32_MIN;
}

bool ks_java_least_loaded(ks_java_network *network, int32_t *id, int64_t *retry_at) {
    ks_java_node *best = NULL;
    int64_t earliest = INT64_MAX, now = ks_now(network->kernel);
    for (int32_t i = 0, one; (one = candidate(network, i)) != INT32_MIN && (one >= 0 || network->config.broker_at(network->config.owner, 0) < 0); i++) {
        ks_java_node *node = node_get(network, one);
        if (node->channel == NULL && node->not_before > now) {
            if (node->not_before < earliest) earliest = node->not_before;
            continue;
        }
        bool better = best == NULL || (node->ready && !best->ready) || (node->channel && !best->channel) ||
                      (node->ready == best->ready && (node->channel != NULL) == (best->channel != NULL) &&
                       node->call_count < best->call_count);
        if (better) best = node;
    }
    if (best) *id = best->id;
    else *retry_at = earliest == INT64_MAX ? now + network->config.backoff_max_ns : earliest;
    return best != NULL;
}

/* ---- life ---- */

ks_java_network *ks_java_network_new(const ks_java_network_config *config) {
    ks_java_network *network = memset(ks_alloc_lines(sizeof *network), 0, sizeof *network);
    network->config = *config;
    network->kernel = ks_process_kernel(config->process);
    network->arena = ks_arena_new();
    network->config.client_id = ks_arena_string(network->arena, config->client_id);
    network->config.addresses = ks_arena_string(network->arena, config->addresses);
    for (int32_t i = 0; i < ks_api_count(); i++) network->versions[ks_api_at(i)->key] = newest_version(ks_api_at(i));
    return network;
}

static void free_call_list(ks_kernel *kernel, call *one) {
    while (one) {
        call *next = one->next;
        if (one->envelope) ks_envelope_free(kernel, one->envelope);
        if (one != &one->node->first) ks_free(one);
        one = next;
    }
}

void ks_java_network_free(ks_java_network *network) {
    if (network == NULL) return;
    if (network->gone) *network->gone = true;
    for (int32_t i = 0; i < network->nodes.count; i++) {
        ks_java_node *node = network->nodes.items[i].node;
        ks_channel_close(node->channel);
        ks_timer_stop(&node->connect);
        free_call_list(network->kernel, node->calls);
        ks_free(node);
    }
    ks_free(network->nodes.items);
    for (call *one = network->free_calls, *next; one; one = next) {
        next = one->next;
        ks_free(one);
    }
    ks_arena_free(network->arena);
    ks_free(network);
}
