/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel: virtual clock, timers, seeded streams, nodes, TCP-like connections, and the trace. It knows no Kafka.
 *
 * One turn of the loop (ks_kernel_step):
 *   1. take the timer with the smallest (deadline, sequence number);
 *   2. move the clock there (it never moves back; a deadline in the past is an assertion);
 *   3. make the timer's cause the current cause and run its function to completion. It never blocks.
 * Messages on their way are timers too. Equal deadlines run in the order in which they were started.
 *
 * Memory: a kernel owns its nodes and connections. Timers are embedded in their owners, who stop them before dying.
 */
#ifndef KS_KERNEL_H
#define KS_KERNEL_H

#include "sim/base/base.h"
#include "sim/base/block.h"
#include "sim/base/describe.h"

typedef struct ks_kernel ks_kernel;
typedef struct ks_node ks_node;
typedef struct ks_timer ks_timer;
typedef struct ks_connection ks_connection;
typedef struct ks_envelope ks_envelope;
typedef struct ks_request ks_request;

#define KS_US INT64_C(1000)
#define KS_MS INT64_C(1000000)
#define KS_S INT64_C(1000000000)
#define KS_START_NS (INT64_C(1798761600000) * KS_MS) /* 2027-01-01T00:00:00Z */

/* Whom and what a message is about; null strings and -1 where it says nothing. The strings are views into the message. */
typedef struct ks_summary {
    ks_string group, member, topic; /* the first topic */
    int32_t partition, generation;
    int16_t error_code; /* the first error anywhere in a response, else 0 */
} ks_summary;
typedef void ks_summarise_fn(const ks_envelope *request, const ks_envelope *response, ks_summary *out); /* response NULL: of the request */

/* Is this event one of many that tell little? The ring leaves it out, and nobody but subscribers that hear everything is told.
 * api_key, error_code: of the four message events; -1, 0: any other kind, which is asked about once. */
typedef bool ks_trivial_fn(const ks_struct *kind, int16_t api_key, int16_t error_code);

typedef struct ks_kernel_config {
    uint64_t seed;
    int64_t start_ns;   /* 0: KS_START_NS */
    int64_t latency_ns; /* one way; 0: 500 us; negative: none */
    int32_t ring_size;  /* trace events kept; 0: 4096 */
    ks_summarise_fn *summarise; /* tells whom and what a message is about, for its trace events; NULL: nothing */
    ks_trivial_fn *trivial;     /* NULL: no event is */
} ks_kernel_config;

ks_kernel *ks_kernel_new(const ks_kernel_config *config);
void ks_kernel_free(ks_kernel *kernel);
int64_t ks_now(const ks_kernel *kernel);    /* ns since the Unix epoch */
int64_t ks_now_ms(const ks_kernel *kernel); /* Kafka's milliseconds, truncated */

/* ---- running ---- */

bool ks_kernel_step(ks_kernel *kernel);                            /* false: nothing is left to happen */
bool ks_kernel_next(ks_kernel *kernel, int64_t *deadline);         /* when would the next step be? */
void ks_kernel_advance(ks_kernel *kernel, int64_t time_ns);        /* moves an idle clock; nothing may be due before */
uint64_t ks_kernel_steps(const ks_kernel *kernel);                 /* events dispatched so far */
/* Periodic work (heartbeats, fetch waits, metadata refreshes, retention) runs for ever, so it must not count as life.
 * Timers and messages started while the current event is background are background too. ks_progress() says: this made a
 * difference; what the current event starts from here on is foreground. */
void ks_progress(ks_kernel *kernel);
int64_t ks_last_progress(const ks_kernel *kernel);                 /* virtual time of the last foreground event */
bool ks_in_background(const ks_kernel *kernel);
uint64_t ks_foreground_pending(const ks_kernel *kernel);           /* foreground timers and messages still to come */

/* ---- timers: O(1) start and stop ---- */

typedef void ks_timer_fn(ks_timer *timer);
struct ks_timer { /* what the wheel and the loop touch are the first 64 bytes, stopping it the first 32 */
    union { /* the kernel's, as is all that has no comment */
        struct ks_wheel_entry *entry;
        ks_timer *next; /* of those that wait outside the wheel */
    };
    int64_t deadline;
    ks_kernel *kernel;
    uint8_t state;
    bool background, overdue;
    uint64_t sequence; /* of starting: breaks ties */
    uint64_t cause;
    ks_timer_fn *fire;
    ks_node *node; /* NULL: the cluster's own. Timers of a paused node wait for its resume, in order. */
    ks_timer **link;
    void *owner; /* free for the caller */
};
void ks_timer_init(ks_timer *timer, ks_node *node, ks_timer_fn *fire, void *owner);
void ks_timer_start(ks_kernel *kernel, ks_timer *timer, int64_t delay_ns);            /* restarts a running one */
void ks_timer_start_background(ks_kernel *kernel, ks_timer *timer, int64_t delay_ns); /* periodic work */
void ks_timer_start_at(ks_kernel *kernel, ks_timer *timer, int64_t deadline_ns);
void ks_timer_stop(ks_timer *timer);                                                  /* harmless when not running */
bool ks_timer_is_running(const ks_timer *timer);

/* ---- seeded streams: one per concern, so that a new draw in one does not disturb the others ---- */

typedef enum ks_stream {
    KS_STREAM_NETWORK,
    KS_STREAM_SCHEDULING,
    KS_STREAM_FAULTS,
    KS_STREAM_PLACEMENT,
    KS_STREAM_IDS,
    KS_STREAM_TEST,
    KS_STREAM_SESSIONS,
    KS_STREAM_COUNT
} ks_stream;
uint64_t ks_random(ks_kernel *kernel, ks_stream stream);
uint64_t ks_random_below(ks_kernel *kernel, ks_stream stream, uint64_t bound); /* uniform in [0, bound), bound > 0 */
uint64_t ks_node_random_below(ks_node *node, uint64_t bound); /* the node's own stream, from seed and node name */

/* ---- nodes: a broker or a client process ---- */

typedef enum ks_node_state { KS_NODE_UP, KS_NODE_PAUSED, KS_NODE_DOWN } ks_node_state;

typedef struct ks_node_events {
    /* A request reached this node (brokers). Answer now or later with ks_request_*; until then the next request of that
     * connection waits (WR-18). */
    void (*request)(void *owner, ks_request *request);
    /* The connection of an unanswered request ended: forget it. Its effects stand. The handle is gone after this call. */
    void (*request_cancelled)(void *owner, ks_request *request);
    /* The process died (crash, stop): stop timers, drop connections and parked requests. Connections are already gone. */
    void (*down)(void *owner);
    void (*up)(void *owner); /* it was started again */
} ks_node_events;

ks_node *ks_node_new(ks_kernel *kernel, const char *name, const ks_node_events *events, void *owner);
ks_node *ks_node_find(ks_kernel *kernel, const char *name); /* NULL: none */
const char *ks_node_name(const ks_node *node);
int32_t ks_node_id(const ks_node *node); /* 1.. in the order of making */
ks_node_state ks_node_state_of(const ks_node *node);
int32_t ks_nodes_paused(const ks_kernel *kernel); /* how many stand still now; O(1) */
ks_kernel *ks_node_kernel(const ks_node *node);
void *ks_node_owner(const ks_node *node);
void ks_node_crash(ks_node *node);   /* connections reset at the peers; timers must be stopped by `down` */
void ks_node_start(ks_node *node);   /* after a crash */
void ks_node_pause(ks_node *node);   /* nothing is handled; connections stay open */
void ks_node_resume(ks_node *node);  /* what waited runs now, in order */

/* ---- envelopes: a request or a response with its struct ---- */

struct ks_envelope { /* it stands at the beginning of its arena */
    ks_envelope *next; /* the kernel's */
    ks_block_ref *blocks;   /* record bytes that `body` points to */
    int16_t api_key, api_version;
    int32_t correlation_id; /* set when sent */
    ks_string client_id;    /* of requests; lives in the arena */
    bool is_response;
    const ks_struct *type;  /* describes body */
    void *body;             /* lives in `arena` */
    ks_arena *arena;        /* dies with the envelope */
    uint64_t event;         /* id of the trace event of its sending */
};
/* An envelope with an arena of its own and a body of type->size bytes set to defaults. Envelopes are pooled. */
ks_envelope *ks_envelope_new(ks_kernel *kernel, int16_t api_key, int16_t api_version, const ks_struct *type);
void ks_envelope_free(ks_kernel *kernel, ks_envelope *envelope);
void ks_envelope_hold(ks_envelope *envelope, ks_block *block); /* adds a reference of its own, for the envelope's life */

/* ---- connections: requests in order, like TCP ---- */

typedef struct ks_connection_events { /* all on the client's side, never from inside ks_connection_* calls */
    void (*opened)(void *owner);
    /* `response` is the owner's to free; `request` is a view of what it answers, gone after the call. */
    void (*response)(void *owner, const ks_envelope *request, ks_envelope *response);
    /* Refused, reset or closed by the peer; requests in flight may or may not have been applied. The handle is gone. */
    void (*closed)(void *owner, bool refused);
} ks_connection_events;

/* Opening takes one round trip (requests may be sent at once and wait for it). Never fails here: `closed` comes later. */
ks_connection *ks_connection_open(ks_node *client, ks_node *server, const ks_connection_events *events, void *owner);
void ks_connection_send(ks_connection *connection, ks_envelope *request, bool expects_response); /* takes the envelope */
void ks_connection_close(ks_connection *connection); /* by the client: no event comes after it; the handle is gone */
ks_node *ks_connection_server(const ks_connection *connection);
ks_node *ks_connection_client(const ks_connection *connection);
uint64_t ks_connection_id(const ks_connection *connection); /* 1.. in the order of opening */

/* ---- requests at the server ---- */

struct ks_request {
    ks_envelope *envelope;     /* view; freed when answered */
    ks_connection *connection;
    void *parked;              /* free for the handler that holds the request back */
};
void ks_request_respond(ks_request *request, ks_envelope *response); /* takes the response; the handle is gone */
void ks_request_no_response(ks_request *request);                    /* acks=0 done; the handle is gone */
void ks_request_close(ks_request *request);                          /* closes the connection instead of answering */
ks_kernel *ks_request_kernel(const ks_request *request);

/* ---- faults and interception (used by sim/control) ---- */

typedef struct ks_intercept {
    enum { KS_INTERCEPT_PASS, KS_INTERCEPT_ANSWER, KS_INTERCEPT_RESET, KS_INTERCEPT_HOLD, KS_INTERCEPT_DELAY } action;
    ks_envelope *answer; /* ANSWER: sent instead; on the way in the request is then not applied */
    int64_t delay_ns;    /* DELAY */
    uint64_t hold_id;    /* HOLD: released with ks_network_release() */
    uint64_t cause;      /* trace event that says why; 0: none */
} ks_intercept;
typedef struct ks_interceptor {
    /* When the server takes the request up (after its way there, and after the one before it was answered). RESET, ANSWER: it
     * is not applied. HOLD, DELAY: it is taken up later, and what is behind it on this connection waits. */
    void (*on_request)(void *context, ks_connection *connection, const ks_envelope *request, ks_intercept *out);
    /* When the server hands the response over: the request was applied. RESET: the response is lost. HOLD, DELAY: later
     * responses of this connection stay behind it. */
    void (*on_response)(void *context, ks_connection *connection, const ks_envelope *request, const ks_envelope *response,
                        ks_intercept *out);
    /* Called for every message when it is sent, may replace it by an equal one (the wire check). */
    ks_envelope *(*transcode)(void *context, ks_envelope *envelope);
    void *context;
} ks_interceptor;
void ks_network_intercept(ks_kernel *kernel, const ks_interceptor *interceptor); /* NULL: none */
void ks_network_release(ks_kernel *kernel, uint64_t hold_id);
void ks_link_set_latency(ks_kernel *kernel, ks_node *a, ks_node *b, int64_t one_way_ns); /* both ways; -1: default again */
void ks_link_cut(ks_kernel *kernel, ks_node *a, ks_node *b);  /* silence: messages wait; new connections hang */
void ks_link_heal(ks_kernel *kernel, ks_node *a, ks_node *b); /* what waited arrives, in order */
int32_t ks_link_reset(ks_kernel *kernel, ks_node *a, ks_node *b); /* resets all connections between them; how many */

/* ---- the trace (kinds: sim/kernel/events.def and sim/protocol/events) ---- */

typedef struct ks_event {
    uint64_t id;    /* 1.. */
    uint64_t cause; /* 0: the beginning of a chain (a command or call from outside) */
    int64_t time;
    int32_t node; /* 0: the cluster */
    const char *node_name;
    const ks_struct *kind; /* kind->name is "ev_group_state_changed" */
    const void *fields;
    const ks_envelope *message; /* of the four message events while they are emitted; NULL in the ring */
} ks_event;

/* Emits one event, caused by the current cause. Returns its id. Cost: one small copy into the ring, plus the subscribers. */
uint64_t ks_trace_emit(ks_kernel *kernel, ks_node *node, const ks_struct *kind, const void *fields);
#define KS_EMIT(kernel, node, kind, ...)                                                                               \
    ks_trace_emit((kernel), (node), ks_describe_ev_##kind(), &(ks_ev_##kind){ __VA_ARGS__ })
/* What starts from here on is caused by `event`; returns the former one, to set it back. Each handler starts with its own. */
uint64_t ks_cause_set(ks_kernel *kernel, uint64_t event);
uint64_t ks_cause(const ks_kernel *kernel);

uint64_t ks_trace_count(const ks_kernel *kernel); /* events so far: the id of the last one */

typedef struct ks_subscriber {
    void (*event)(void *context, const ks_event *event); /* fields are a view for this call */
    void *context;
    bool spared; /* does not hear of trivial events */
    const ks_struct *const *kinds; /* hears of these only, up to a NULL; NULL: of all. Kept. */
    struct ks_subscriber *next; /* the kernel's */
} ks_subscriber;
/* Subscribers hear of each event in the order of subscribing, while it is emitted. They must not emit; crashing a node from
 * there (or from an interceptor) takes effect right after the current event. */
void ks_trace_subscribe(ks_kernel *kernel, ks_subscriber *subscriber);
void ks_trace_unsubscribe(ks_kernel *kernel, ks_subscriber *subscriber);
/* The ring: copies of the last events that are not trivial, oldest first; strings may be cut, message bodies are not kept. */
int32_t ks_trace_ring_count(const ks_kernel *kernel);
const ks_event *ks_trace_ring_get(ks_kernel *kernel, int32_t index); /* view, until the next call of this, or event */
/* Appends {"id":..,"cause":..,"time":..,"node":"..","kind":"group_state_changed","fields":{..}}, without a line end. */
void ks_event_json(const ks_event *event, ks_buffer *out);

#endif
