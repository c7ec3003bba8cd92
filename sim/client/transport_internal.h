/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the transport: layout (transport.c), connection pools (transport_pool.c), requests
 * (transport_exchange.c), waits for the layout (transport_wait.c).
 */
#ifndef KS_TRANSPORT_INTERNAL_H
#define KS_TRANSPORT_INTERNAL_H

#include "sim/base/hash.h"
#include "sim/client/transport.h"

#define KS_METADATA_TTL (6 * KS_S)
#define KS_DIAL_TIMEOUT (5 * KS_S)
#define KS_IDLE_TIMEOUT (30 * KS_S)

typedef struct ks_pool ks_pool;     /* connections to one broker, or (the cluster's) to any */
typedef struct ks_pooled ks_pooled; /* one of them */

struct ks_pooled {
    ks_pooled *next, **link; /* in `pool->idle` or `pool->busy` */
    ks_pool *pool;
    ks_channel *channel;
    ks_exchange *exchange; /* whose request is on it; NULL: idle, or its owner has gone */
    ks_call *call;         /* hello or request under way */
    ks_timer timer;        /* dial time-out while it is opened, then idle time-out */
    bool stale;            /* its broker moved or went: closed when it is released */
    int32_t tries, *order; /* the cluster's: addresses in the order in which they are tried; how many were */
};

struct ks_pool {
    UT_hash_handle hh;
    ks_transport *transport;
    int32_t broker; /* key; -1: the cluster's */
    ks_string host; /* owned */
    int32_t port;
    ks_pooled *idle, *busy;
};

struct ks_exchange {
    ks_exchange *next, **link; /* in transport->waiting (for readiness) or transport->active */
    ks_transport *transport;
    ks_route route;
    ks_envelope *request;            /* NULL once sent */
    bool expects_response, internal; /* internal: does not wait for readiness */
    ks_exchange_fn *done;
    void *owner;
    ks_timer timer;      /* the time-out */
    ks_timer verdict;    /* tells the owner at this instant, but not inside its own call */
    kafka_error error;   /* the verdict */
    ks_pooled *pooled;   /* its connection */
    ks_exchange *search; /* the coordinator search it waits for */
};

struct ks_layout_wait {
    ks_layout_wait *next, **link;
    ks_transport *transport;
    enum {
        KS_WAIT_READY,
        KS_WAIT_REFRESH_NEXT,
        KS_WAIT_REFRESHING,
        KS_WAIT_BACKOFF,
        KS_WAIT_ASKING,
        KS_WAIT_TOLD
    } state;
    bool only_ready, create;
    ks_string *topics; /* owned copies */
    int32_t count, partitions;
    int64_t backoff;
    kafka_error error;
    ks_exchange *exchange;
    ks_timer timer, timeout;
    ks_layout_fn *done;
    void *owner;
};

struct ks_transport {
    ks_process *process;
    ks_process_watch watch;
    int32_t users;
    bool dead, awake, ready, refreshing, refresh_again; /* awake: somebody uses it, and began to */
    ks_string *hosts;                                   /* of the addresses to ask first; owned */
    int32_t *ports, address_count;
    ks_pool cluster, *brokers; /* pools by broker */
    ks_envelope *layout;       /* a Metadata response; NULL: never seen one */
    uint64_t layout_version;
    kafka_error problem;
    ks_exchange *refresh; /* under way */
    const char *refresh_reason;
    ks_timer refresh_timer;
    int64_t refresh_due; /* kept while nobody uses the transport */
    ks_exchange *waiting, **waiting_end, *active;
    ks_layout_wait *waits, **waits_end; /* oldest first */
};

/* transport.c */
void ks_transport_wake(ks_transport *transport); /* before each use */
void ks_transport_refresh(ks_transport *transport, const char *reason);
/* transport_exchange.c */
ks_exchange *ks_exchange_start(ks_transport *transport, const ks_route *route, ks_envelope *request,
                               bool expects_response, bool internal, int64_t timeout_ns, ks_exchange_fn *done,
                               void *owner);
void ks_exchanges_become_ready(ks_transport *transport);
void ks_exchanges_silence(ks_transport *transport); /* the process crashed: nobody will be told anything */
void ks_exchanges_free(ks_transport *transport);
/* A connection for it is there (hello done), or cannot be had. */
void ks_exchange_connected(ks_exchange *exchange, ks_pooled *pooled);
void ks_exchange_failed(ks_exchange *exchange, kafka_error error);
/* transport_pool.c */
ks_pool *ks_pool_get(ks_transport *transport, int32_t broker); /* NULL: the layout has no such broker */
/* Gives the exchange an idle connection at once, or opens one; then ks_exchange_connected or ks_exchange_failed. */
void ks_pool_connect(ks_pool *pool, ks_exchange *exchange);
void ks_pooled_release(ks_pooled *pooled); /* its request is answered: idle */
void ks_pooled_close(ks_pooled *pooled);
void ks_pool_update(ks_transport *transport); /* after a refresh: brokers that moved or went */
void ks_pools_close(ks_transport *transport);
/* transport_wait.c */
void ks_layout_waits_look(ks_transport *transport, bool refreshed); /* readiness came, or a refresh ended */
void ks_layout_waits_refreshing(ks_transport *transport);           /* a refresh begins */
void ks_layout_waits_silence(ks_transport *transport);
void ks_layout_waits_free(ks_transport *transport);

#endif
