/* SPDX-License-Identifier: Apache-2.0
 *
 * A client's connection to one broker: requests go out in order, and since a broker serves a connection's requests one
 * at a time (WR-18), the oldest call that waits is the one a response belongs to. A call whose owner has gone
 * (time-out, drop) stays in the queue as a tombstone until its response has passed by.
 */
#include "sim/client/process_internal.h"

struct ks_call { /* two lines of the cache */
    ks_timer timeout;
    ks_channel *channel;
    ks_reply_fn *reply; /* NULL: a tombstone */
    void *owner;
    ks_call *next; /* in the channel's queue, oldest first; or in its list of free ones */
    ks_hello_fn *hello; /* of ks_channel_hello, whose owner is then `hello_owner` */
    void *hello_owner;
};

typedef struct api_range {
    int16_t min, max;
} api_range;

struct ks_channel { /* what every call touches is one line, and the call behind it */
    ks_process *process;
    ks_connection *connection; /* NULL: refused, closed by the peer, or dead with its process */
    void *owner;
    ks_call *calls, **calls_end, *free_calls;
    bool *gone;          /* set when the channel is closed while its calls are being failed */
    ks_channel_closed_fn *closed;
    ks_call first;       /* mostly there is no other: close at hand, and free to begin with */
    ks_timer refusal;    /* nobody is known by that name: said at this instant, but not inside ks_channel_dial */
    api_range *versions; /* by API key; max -1: not there. NULL: not asked yet */
    ks_channel *next, **link; /* all of the process */
};
_Static_assert(offsetof(ks_channel, first) == KS_LINE && sizeof(ks_call) == 2 * KS_LINE, "three lines");

static void enqueue(ks_channel *channel, ks_call *call) {
    call->next = NULL;
    *channel->calls_end = call;
    channel->calls_end = &call->next;
}

static ks_call *dequeue(ks_channel *channel) {
    ks_call *call = channel->calls;
    if (call == NULL) return NULL;
    channel->calls = call->next;
    if (channel->calls == NULL) channel->calls_end = &channel->calls;
    return call;
}

static void recycle(ks_channel *channel, ks_call *call) {
    call->next = channel->free_calls;
    channel->free_calls = call;
}

static void free_calls(ks_call *call) {
    while (call != NULL) {
        ks_call *next = call->next;
        ks_timer_stop(&call->timeout);
        if (call != &call->channel->first) ks_free(call);
        call = next;
    }
}

/* ---- responses ---- */

/* While a reply runs, response->next (nobody's outside the kernel's queues) points to the flag that says it was kept.
 */
ks_envelope *ks_call_keep(const ks_envelope *response) {
    ks_envelope *envelope = (ks_envelope *)(uintptr_t)response;
    ks_assert(envelope->next != NULL);
    *(bool *)(void *)envelope->next = true;
    envelope->next = NULL;
    return envelope;
}

static void deliver(ks_call *call, kafka_error error, ks_envelope *response) {
    ks_channel *channel = call->channel;
    ks_kernel *kernel = ks_process_kernel(channel->process);
    ks_reply_fn *reply = call->reply;
    void *owner = call->owner;
    ks_timer_stop(&call->timeout);
    recycle(channel, call);
    if (reply == NULL) {
        if (response != NULL) ks_envelope_free(kernel, response);
        return;
    }
    bool kept = false;
    if (response != NULL) response->next = (ks_envelope *)(void *)&kept;
    reply(owner, error, response); /* may close the channel */
    if (response == NULL || kept) return;
    response->next = NULL;
    ks_envelope_free(kernel, response);
}

static void responded(void *owner, const ks_envelope *request, ks_envelope *response) {
    (void)request;
    ks_channel *channel = owner;
    ks_prefetch(channel->owner, 3); /* most owners are the next to be looked at */
    ks_call *call = dequeue(channel);
    ks_assert(call != NULL);
    deliver(call, KAFKA_OK, response);
}

/* Fails what waits, oldest first, then tells the owner. Any of them may close the channel, which sets `gone`. */
static void ended(ks_channel *channel, kafka_error error) {
    bool gone = false;
    channel->gone = &gone;
    channel->connection = NULL;
    ks_call *waiting = channel->calls;
    channel->calls = NULL;
    channel->calls_end = &channel->calls;
    while (waiting != NULL && !gone) {
        ks_call *call = waiting;
        waiting = call->next;
        deliver(call, error, NULL);
    }
    if (!gone) channel->gone = NULL;
    if (!gone && channel->closed != NULL) {
        channel->closed(channel->owner, error);
    } else if (gone) {
        free_calls(waiting);
        ks_free(channel);
    }
}

static void closed_by_peer(void *owner, bool refused) {
    ended(owner, refused ? KAFKA_ERR_CONNECTION_REFUSED : KAFKA_ERR_CONNECTION_RESET);
}

static void nobody_there(ks_timer *timer) { ended(timer->owner, KAFKA_ERR_CONNECTION_REFUSED); }

/* ---- opening and closing ---- */

ks_channel *ks_channel_dial(ks_process *process, ks_string host, int32_t port, ks_channel_closed_fn *closed,
                            void *owner) {
    static const ks_connection_events events = { .response = responded, .closed = closed_by_peer };
    ks_channel *channel = memset(ks_alloc_lines(sizeof *channel), 0, sizeof *channel);
    ks_channel **head = ks_process_channels(process);
    channel->process = process;
    channel->closed = closed;
    channel->owner = owner;
    channel->calls_end = &channel->calls;
    channel->first.channel = channel;
    channel->free_calls = &channel->first;
    channel->next = *head;
    channel->link = head;
    if (*head != NULL) (*head)->link = &channel->next;
    *head = channel;
    ks_timer_init(&channel->refusal, ks_process_node(process), nobody_there, channel);
    if (ks_process_is_down(process)) return channel; /* the dead hear nothing */
    ks_node *server = ks_process_resolve(process, host, port);
    if (server != NULL)
        channel->connection = ks_connection_open(ks_process_node(process), server, &events, channel);
    else
        ks_timer_start(ks_process_kernel(process), &channel->refusal, 0);
    return channel;
}

void ks_channel_close(ks_channel *channel) {
    if (channel == NULL) return;
    bool ending = channel->gone != NULL; /* one of its calls is just told: ended() frees it */
    if (ending) *channel->gone = true;
    if (channel->connection != NULL) ks_connection_close(channel->connection);
    ks_timer_stop(&channel->refusal);
    free_calls(channel->calls);
    free_calls(channel->free_calls);
    *channel->link = channel->next;
    if (channel->next != NULL) channel->next->link = channel->link;
    ks_free(channel->versions);
    if (!ending) ks_free(channel);
}

ks_channel *ks_channel_next(const ks_channel *channel) { return channel->next; }

void ks_channel_silence(ks_channel *channel) {
    channel->connection = NULL;
    ks_timer_stop(&channel->refusal);
    for (ks_call *call = channel->calls; call != NULL; call = call->next) {
        call->reply = NULL;
        ks_timer_stop(&call->timeout);
    }
}

bool ks_channel_is_open(const ks_channel *channel) {
    return channel->connection != NULL || ks_timer_is_running(&channel->refusal);
}

/* ---- requests ---- */

ks_envelope *ks_channel_request(ks_channel *channel, int16_t api_key, int16_t api_version) {
    const ks_api *api = ks_api_find(api_key);
    ks_assert(api != NULL);
    return ks_envelope_new(ks_process_kernel(channel->process), api_key, api_version, api->request());
}

static void transmit(ks_channel *channel, ks_envelope *request, bool expects_response) {
    if (request->client_id.size < 0)
        request->client_id = ks_arena_string(request->arena, ks_process_client_id(channel->process));
    if (channel->connection != NULL)
        ks_connection_send(channel->connection, request, expects_response);
    else
        ks_envelope_free(ks_process_kernel(channel->process), request);
}

static void timed_out(ks_timer *timer) {
    ks_call *call = timer->owner;
    ks_reply_fn *reply = call->reply;
    call->reply = NULL;
    reply(call->owner, ks_channel_is_open(call->channel) ? KAFKA_ERR_DEADLINE_EXCEEDED : KAFKA_ERR_CONNECTION_RESET,
          NULL);
}

ks_call *ks_channel_send(ks_channel *channel, ks_envelope *request, int64_t timeout_ns, ks_reply_fn *reply,
                         void *owner) {
    ks_call *call = channel->free_calls;
    if (call != NULL)
        channel->free_calls = call->next;
    else
        call = ks_alloc(sizeof *call);
    call->channel = channel;
    call->reply = reply;
    call->owner = owner;
    call->hello = NULL;
    ks_timer_init(&call->timeout, ks_process_node(channel->process), timed_out, call);
    bool open = ks_channel_is_open(channel);
    bool timed = open ? timeout_ns > 0 : !ks_process_is_down(channel->process);
    if (timed) ks_timer_start(ks_process_kernel(channel->process), &call->timeout, open ? timeout_ns : 0);
    enqueue(channel, call);
    transmit(channel, request, true);
    return call;
}

void ks_channel_post(ks_channel *channel, ks_envelope *request) { transmit(channel, request, false); }

void ks_call_drop(ks_call *call) {
    if (call == NULL) return;
    call->reply = NULL;
    ks_timer_stop(&call->timeout);
}

/* ---- versions ---- */

static void learn_versions(ks_channel *channel, const ks_api_versions_response *response) {
    if (channel->versions == NULL) channel->versions = ks_alloc(KS_API_LIMIT * sizeof *channel->versions);
    for (int32_t key = 0; key < KS_API_LIMIT; key++) channel->versions[key] = (api_range){ 0, -1 };
    for (int32_t i = 0; i < response->api_keys.count; i++) {
        const ks_api_versions_response_api_version *range = &response->api_keys.items[i];
        if (range->api_key >= 0 && range->api_key < KS_API_LIMIT)
            channel->versions[range->api_key] = (api_range){ range->min_version, range->max_version };
    }
}

static void said_hello(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_call *call = owner;
    ks_hello_fn *done = call->hello;
    void *done_owner = call->hello_owner;
    if (error == KAFKA_OK) {
        const ks_api_versions_response *response = envelope->body;
        error = (kafka_error)response->error_code;
        if (error == KAFKA_OK) learn_versions(call->channel, response);
    }
    done(done_owner, error);
}

ks_call *ks_channel_hello(ks_channel *channel, int64_t timeout_ns, ks_hello_fn *done, void *owner) {
    ks_call *call =
        ks_channel_send(channel, ks_channel_request(channel, KS_API_api_versions, 0), timeout_ns, said_hello, NULL);
    call->owner = call;
    call->hello = done;
    call->hello_owner = owner;
    return call;
}

bool ks_channel_knows_versions(const ks_channel *channel) { return channel->versions != NULL; }

int16_t ks_channel_version(const ks_channel *channel, int16_t api_key, int16_t highest) {
    if (channel->versions == NULL) return highest;
    int16_t max = api_key >= 0 && api_key < KS_API_LIMIT ? channel->versions[api_key].max : (int16_t)-1;
    return max < highest ? max : highest;
}
