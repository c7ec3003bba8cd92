/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the kernel share. Nobody above the kernel includes this.
 *
 * A connection has two ends, which end on their own: the client's is gone when the client closes it or learns that the
 * peer did, the server's when the server closes, dies or learns of the client's closing. What one end does travels to
 * the other as a message, in order. Connections and messages live until both ends and all messages are gone (reference
 * count).
 *
 * A message is a timer. One message makes the whole trip of an exchange: as request to the server, waiting there for
 * its turn, as the handle `ks_request` while it is served, and back with the response.
 *
 *                 +-- pending --+ (connection opens)
 *     send -------+-------------+--> on its way --> inbox --> taken --> served --> on its way back --> gone
 *                                                (one before it)  |        |    (held: stays in `outbox`,
 *                                                        held, delayed   parked   and what comes after it too)
 */
#ifndef KS_KERNEL_INTERNAL_H
#define KS_KERNEL_INTERNAL_H

#include "sim/base/hash.h"
#include "sim/kernel/events.h"
#include "sim/kernel/kernel.h"
#include "sim/kernel/trace_pack.h"
#include "sim/kernel/wheel.h"

typedef struct ks_message ks_message;
typedef struct ks_link ks_link;

/* Circular lists of what a kernel or a node owns: O(1) in and out, in order of arrival. */
typedef struct ks_ring_link {
    struct ks_ring_link *next, *previous;
} ks_ring_link;

static inline void ks_ring_link_init(ks_ring_link *head) { head->next = head->previous = head; }
static inline bool ks_ring_link_empty(const ks_ring_link *head) { return head->next == head; }
static inline void ks_ring_link_append(ks_ring_link *head, ks_ring_link *item) {
    item->previous = head->previous;
    item->next = head;
    head->previous->next = item;
    head->previous = item;
}
static inline void ks_ring_link_remove(ks_ring_link *item) {
    item->previous->next = item->next;
    item->next->previous = item->previous;
    ks_ring_link_init(item);
}
#define KS_OWNER(item, type, member) ((type *)(void *)((char *)(item)-offsetof(type, member)))

typedef enum ks_timer_state {
    KS_TIMER_IDLE,     /* or, for a message, in a list of its own */
    KS_TIMER_RUNNING,  /* in the wheel */
    KS_TIMER_DEFERRED, /* due, but its node is paused */
} ks_timer_state;

typedef struct ks_random_state {
    uint64_t words[4];
} ks_random_state;
void ks_random_seed(ks_random_state *state, uint64_t seed, uint64_t concern);
uint64_t ks_random_next(ks_random_state *state);
uint64_t ks_random_next_below(ks_random_state *state, uint64_t bound);

/* Nodes, connections and messages begin with what every exchange touches, in whole cache lines: with a thousand clients each
 * line is one that has long been forgotten. */

struct ks_node { /* one line, the name included; a server has its events in the next one */
    ks_kernel *kernel;
    int32_t id;
    ks_node_state state;
    void *owner;
    ks_string name; /* `text`, or owned memory when it is longer */
    char text[24];
    ks_node_events events;
    ks_timer_list deferred; /* what came due during a pause */
    ks_ring_link opened;    /* connections whose client's end is here */
    ks_ring_link accepted;  /* connections whose server's end is here */
    ks_timer crash;         /* a crash asked for from inside a callback */
    ks_random_state random;
    UT_hash_handle hh;
};

struct ks_link { /* between two nodes, whatever the direction */
    struct {
        int32_t low, high; /* node ids */
    } key;
    int64_t latency; /* -1: the default */
    bool cut;
    ks_timer_list waiting; /* messages that arrived while it was cut */
    UT_hash_handle hh;
};
ks_link *ks_link_get(ks_kernel *kernel, const ks_node *a, const ks_node *b);

typedef enum ks_server_end { KS_SERVER_NOT_YET, KS_SERVER_OPEN, KS_SERVER_GONE } ks_server_end;

struct ks_connection { /* two lines */
    ks_kernel *kernel;
    uint64_t id;
    ks_node *client, *server;
    void *owner;
    int32_t references; /* client's end, server's end, messages */
    bool client_open;   /* the client's end exists */
    bool established;   /* the client knows that it is open */
    bool reset;         /* cut off in the middle: whatever is on its way is lost */
    bool end_told;      /* the trace has heard why it ended */
    bool client_ended;  /* the server knows that the client's end is gone; what it had sent is still taken up */
    uint8_t server_end; /* ks_server_end */
    int32_t correlation_id;
    ks_message *taken; /* server: the one request at a time */
    int64_t last_at_server, last_at_client; /* latest arrival in each direction, so that nothing overtakes */
    ks_connection_events events;
    ks_timer_list outbox; /* server: a held response and what is behind it */
    ks_timer_list inbox;  /* server: requests behind the taken one. Of what follows the first line needs only `inbox.first` */
    ks_timer_list pending; /* client: sent before it was open */
    ks_link *link;
    ks_ring_link of_kernel, of_client, of_server;
};

typedef enum ks_message_kind {
    KS_MESSAGE_OPEN, /* to the server; comes back as one of the next two */
    KS_MESSAGE_ACCEPTED,
    KS_MESSAGE_REFUSED,
    KS_MESSAGE_REQUEST, /* to the server; comes back as RESPONSE */
    KS_MESSAGE_RESPONSE,
    KS_MESSAGE_CLIENT_ENDED, /* to the server: the client's end is gone */
    KS_MESSAGE_SERVER_ENDED, /* to the client: the server's end is gone */
} ks_message_kind;

struct ks_message { /* two lines; what follows is for the held ones */
    ks_timer timer;     /* first. Keeps cause and background while it waits elsewhere, too. */
    ks_request request; /* the server's handle; its envelope is the request */
    ks_envelope *response;
    int64_t delay; /* of a response */
    uint8_t kind;  /* ks_message_kind */
    bool expects_response;
    bool on_node;     /* got past the link (a cut link holds only what is still before it) */
    bool intercepted; /* on_request has seen it */
    bool served;      /* the server has the handle */
    bool held;
    int16_t error; /* of the response */
    uint64_t hold_id;
    ks_ring_link of_held;
};
_Static_assert(offsetof(ks_node, text) + sizeof ((ks_node *)0)->text == KS_LINE, "one line");
_Static_assert(offsetof(ks_connection, inbox) + offsetof(ks_timer_list, last) == 2 * KS_LINE, "two lines");
_Static_assert(offsetof(ks_message, hold_id) == 2 * KS_LINE, "two lines");

enum { KS_BODY_DEFAULTS = 128 }; /* more than there are APIs */
typedef struct ks_body_defaults {
    const ks_struct *type;
    void *body;
} ks_body_defaults;

struct ks_kernel {
    ks_kernel_config config;
    ks_wheel wheel; /* its `now` is the clock */
    uint64_t steps;
    uint64_t sequence;   /* of timers started */
    uint64_t foreground; /* foreground timers in the wheel */
    uint64_t cause;
    int64_t last_progress;
    bool background;
    bool running;   /* inside ks_kernel_step */
    int32_t inside; /* depth of interceptors and subscribers */
    ks_random_state streams[KS_STREAM_COUNT];

    ks_node *nodes; /* by name; iterates in order of making */
    int32_t node_count, nodes_paused;
    ks_link *links;
    bool links_differ; /* one was cut or got a latency of its own: before that nobody looks at them */
    ks_ring_link connections, held;
    uint64_t connection_count; /* ever opened */
    ks_interceptor interceptor;
    ks_message *free_messages; /* chained by timer.next */
    ks_envelope *free_envelopes;
    ks_body_defaults defaults[KS_BODY_DEFAULTS][2]; /* envelope.c */

    uint64_t event_count;
    ks_subscriber *subscribers, **last_subscriber;
    int32_t listeners;              /* subscribers that hear of trivial events */
    uint32_t subscriptions;         /* how often they have changed */
    ks_subscriber *next_subscriber; /* while events are told: an unsubscribe must not pull it away */
    ks_plans plans; /* of kinds of events */
    struct ks_trace_ring *ring;
};

/* Under AddressSanitizer nothing is pooled, so that every use after free shows. */
#ifdef KS_POISONING
#define KS_POOLING false
#else
#define KS_POOLING true
#endif

/* timer.c. A delay that reaches beyond the end of time means never: the last nanosecond there is. */
int64_t ks_deadline_after(const ks_kernel *kernel, int64_t delay_ns);
/* Puts an idle timer (its cause and background are set) into the wheel */
void ks_timer_place(ks_kernel *kernel, ks_timer *timer, int64_t deadline);
void ks_timer_defer(ks_node *node, ks_timer *timer); /* due while its node is paused */
/* Everything in `list` was due before: it comes up now, by deadline and sequence number. */
void ks_timer_list_release(ks_kernel *kernel, ks_timer_list *list);

/* message.c */
ks_message *ks_message_new(ks_connection *connection, ks_message_kind kind); /* cause and background of now */
void ks_message_free(ks_message *message);                                   /* idle or withdrawn; with its envelopes */
void ks_message_withdraw(ks_message *message); /* out of the wheel or its node's deferred list */
void ks_message_cause(ks_message *message,
                      uint64_t cause);          /* what its arrival will be caused by; background as of now */
void ks_message_to_server(ks_message *message); /* on its way */
void ks_message_to_client(ks_message *message); /* on its way, or into the outbox behind a held one */
void ks_message_now(ks_message *message);       /* comes up at this instant, where it is */
void ks_message_later(ks_message *message, int64_t delay);
void ks_message_hold_back(ks_message *message, uint64_t hold_id);
ks_envelope *ks_message_transcode(ks_kernel *kernel, ks_envelope *envelope);
static inline ks_message *ks_message_of(ks_timer *timer) { return (ks_message *)(void *)timer; }
bool ks_message_is(const ks_timer *timer); /* or any other timer */
void ks_message_free_list(ks_timer_list *list);

/* envelope.c */
void ks_envelope_defaults_free(ks_kernel *kernel);

/* connection.c: the client's end */
void ks_connection_release(ks_connection *connection);                                   /* one reference less */
void ks_connection_tell_end(ks_connection *connection, ks_node *node, ks_string reason); /* once; becomes the cause */
void ks_client_close(ks_connection *connection, ks_string reason); /* tells the server, not the client */
void ks_client_arrived(ks_message *message);                       /* ACCEPTED REFUSED RESPONSE SERVER_ENDED */

/* server.c: the server's end */
void ks_server_close(ks_connection *connection, ks_string reason); /* tells the client, not the server */
void ks_server_arrived(ks_message *message);                       /* OPEN REQUEST CLIENT_ENDED */
bool ks_server_lost(const ks_connection *connection);              /* nothing can be handed to this end any more */

/* trace_message.c: the four events of an exchange; they return the id of the event */
uint64_t ks_trace_request_sent(ks_message *message);
uint64_t ks_trace_request_received(ks_message *message);
uint64_t ks_trace_response_sent(ks_message *message, uint64_t cause);
uint64_t ks_trace_response_received(ks_message *message);

/* trace.c, trace_ring.c */
uint64_t ks_trace_emit_caused(ks_kernel *kernel, ks_node *node, const ks_struct *kind, const void *fields, uint64_t cause,
                              const ks_envelope *message, bool trivial);
void ks_trace_ring_init(ks_kernel *kernel);
void ks_trace_ring_free(ks_kernel *kernel);
/* Keeps a copy of the event that happens now. */
void ks_trace_ring_put(ks_kernel *kernel, const ks_node *node, const ks_plan *plan, const void *fields, uint64_t cause);

#endif
