/* SPDX-License-Identifier: Apache-2.0
 * Fetch sessions; see fetch_session.h. */
#include "sim/broker/fetch_session.h"

#include "sim/base/hash.h"
#include "sim/broker/cluster_internal.h"

enum {
    IDLE_MS = 120000, /* min.incremental.fetch.session.eviction.ms: a constant of Kafka's (BrokerServer) */
    FEW = 16,         /* partitions are found without an index */
};

typedef struct part { /* of a session */
    ks_fetch_part part; /* first */
    UT_hash_handle hh;  /* by topic id and number; used when the session is indexed */
} part;

struct ks_fetch_session {
    ks_fetch fetch; /* of the request that is being worked off */
    ks_fetch_set set;
    ks_fetch_sessions *sessions;
    int32_t id, epoch; /* epoch: of the next request */
    bool by_id;        /* topics are named by id */
    bool ended;        /* it goes when its fetch has been answered */
    part *index;       /* of its parts by topic id, when they are many; NULL: none */
    bool settled;      /* used when it was older than IDLE_MS: may make room for a bigger one */
    int64_t created_ms, used_ms;
    ks_fetch_session *next, **link; /* the one that was not used for longest first */
    UT_hash_handle hh;
};

struct ks_fetch_sessions {
    ks_broker *broker;
    ks_fetch_session *by_id, *oldest, **newest;
    int32_t settled;            /* how many are */
    ks_fetch_session *smallest; /* of these; NULL: unknown */
};

/* ---- life ---- */

ks_fetch_sessions *ks_fetch_sessions_new(ks_broker *broker) {
    ks_fetch_sessions *sessions = ks_alloc(sizeof *sessions);
    sessions->broker = broker;
    sessions->newest = &sessions->oldest;
    return sessions;
}

/* topic_id and index lie side by side */
#define KEY_SIZE (sizeof(ks_uuid) + sizeof(int32_t))
_Static_assert(offsetof(ks_fetch_part, index) == offsetof(ks_fetch_part, topic_id) + sizeof(ks_uuid), "one key");

static void free_part(ks_fetch_session *session, ks_fetch_part *gone) {
    part *p = (part *)gone;
    if (session->index != NULL) HASH_DELETE(hh, session->index, p);
    ks_fetch_part_remove(gone);
    ks_free((void *)(uintptr_t)gone->topic.data);
    ks_free(p);
}

static void free_session(ks_fetch_session *session) {
    while (session->set.first != NULL) free_part(session, session->set.first);
    ks_free(session);
}

static void unlink_used(ks_fetch_session *session) {
    *session->link = session->next;
    if (session->next != NULL)
        session->next->link = session->link;
    else
        session->sessions->newest = session->link;
}

static void link_used(ks_fetch_session *session) {
    ks_fetch_sessions *sessions = session->sessions;
    session->next = NULL;
    session->link = sessions->newest;
    *sessions->newest = session;
    sessions->newest = &session->next;
}

/* Out of the cache; a fetch of its own that is parked is still answered. */
static void take_out(ks_fetch_session *session) {
    ks_fetch_sessions *sessions = session->sessions;
    HASH_DEL(sessions->by_id, session);
    unlink_used(session);
    sessions->settled -= session->settled;
    if (sessions->smallest == session) sessions->smallest = NULL;
    session->ended = true;
    if (session->set.fetch == NULL) free_session(session);
}

static void end(ks_fetch_session *session, const char *reason) {
    const ks_broker *broker = session->sessions->broker;
    KS_EMIT(broker->cluster->kernel, broker->node, fetch_session_ended, .session = session->id, .reason = ks_str(reason));
    take_out(session);
}

void ks_fetch_sessions_clear(ks_fetch_sessions *sessions) {
    while (sessions->oldest != NULL) take_out(sessions->oldest);
}

void ks_fetch_sessions_free(ks_fetch_sessions *sessions) {
    ks_fetch_sessions_clear(sessions);
    ks_free(sessions);
}

int32_t ks_fetch_session_id(const ks_fetch_session *session) { return session->id; }

void ks_fetch_session_answered(ks_fetch_session *session) {
    if (session->ended) free_session(session);
}

static ks_fetch_session *find(const ks_fetch_sessions *sessions, int32_t id) {
    ks_fetch_session *session;
    HASH_FIND_INT(sessions->by_id, &id, session);
    return session;
}

void ks_fetch_session_close(ks_fetch_sessions *sessions, int32_t id, const char *reason) {
    ks_fetch_session *session = find(sessions, id);
    if (session != NULL) end(session, reason);
}

/* ---- room: FetchSessionCache.tryEvict ---- */

static bool is_smaller(const ks_fetch_session *a, const ks_fetch_session *b) {
    return a->set.count != b->set.count ? a->set.count < b->set.count : a->id < b->id;
}

/* O(sessions), which are bounded, whenever the smallest one has gone or its size has changed. */
static ks_fetch_session *smallest(ks_fetch_sessions *sessions) {
    if (sessions->settled == 0) return NULL;
    ks_fetch_session *session, *found = sessions->smallest;
    for (session = found ? NULL : sessions->by_id; session != NULL; session = session->hh.next)
        if (session->settled && (found == NULL || is_smaller(session, found))) found = session;
    return sessions->smallest = found;
}

static bool make_room(ks_fetch_sessions *sessions, int32_t size) {
    const ks_cluster *cluster = sessions->broker->cluster;
    int64_t slots = cluster->settings[KS_SETTING_max_incremental_fetch_session_cache_slots];
    if ((int64_t)HASH_COUNT(sessions->by_id) < slots) return true;
    ks_fetch_session *oldest = sessions->oldest;
    if (oldest == NULL) return false;
    if (ks_now_ms(cluster->kernel) - oldest->used_ms > IDLE_MS) {
        end(oldest, "idle");
        return true;
    }
    ks_fetch_session *candidate = smallest(sessions);
    if (candidate == NULL || candidate->set.count >= size) return false;
    end(candidate, "smaller");
    return true;
}

/* ---- starting ---- */

static void index_part(ks_fetch_session *session, ks_fetch_part *added) {
    part *p = (part *)added;
    HASH_ADD_KEYPTR(hh, session->index, &added->topic_id, KEY_SIZE, p);
}

static ks_fetch_part *add_part(ks_fetch_session *session, const ks_fetch_part *from) {
    ks_fetch_part *added = ks_alloc(sizeof(part));
    *added = *from;
    added->link = NULL;
    added->topic = session->by_id ? KS_NULL_STRING : ks_string_dup(from->topic);
    ks_fetch_part_append(&session->set, added);
    if (!session->by_id || (session->index == NULL && session->set.count <= FEW)) return added;
    for (ks_fetch_part *one = session->index ? added : session->set.first; one != NULL; one = one->after) index_part(session, one);
    return added;
}

static int32_t draw_id(ks_fetch_sessions *sessions) {
    for (;;) {
        int32_t id = (int32_t)(ks_random(sessions->broker->cluster->kernel, KS_STREAM_SESSIONS) & INT32_MAX);
        if (id != 0 && find(sessions, id) == NULL) return id;
    }
}

int32_t ks_fetch_session_start(ks_fetch_sessions *sessions, const ks_fetch_set *set, bool by_id, ks_string client) {
    ks_broker *broker = sessions->broker;
    if (!make_room(sessions, set->count)) return 0;
    ks_fetch_session *session = ks_alloc(sizeof *session);
    ks_fetch_set_init(&session->set);
    session->fetch.broker = broker;
    session->fetch.set = &session->set;
    session->fetch.session = session;
    session->sessions = sessions;
    session->id = draw_id(sessions);
    session->epoch = 1;
    session->by_id = by_id;
    session->created_ms = session->used_ms = ks_now_ms(broker->cluster->kernel);
    HASH_ADD_INT(sessions->by_id, id, session);
    link_used(session);
    for (const ks_fetch_part *one = set->first; one != NULL; one = one->after) add_part(session, one);
    KS_EMIT(broker->cluster->kernel, broker->node, fetch_session_started, .session = session->id, .client = client,
            .partitions = set->count);
    return session->id;
}

/* ---- going on ---- */

static ks_fetch_part *find_indexed(const ks_fetch_session *session, ks_uuid id, int32_t index) {
    ks_fetch_part wanted = { .topic_id = id, .index = index };
    part *found;
    HASH_FIND(hh, session->index, &wanted.topic_id, KEY_SIZE, found);
    return found ? &found->part : NULL;
}

/* From *at on, then round; *at moves behind what was found. */
static ks_fetch_part *find_part(const ks_fetch_session *session, ks_string name, ks_uuid id, int32_t index, ks_fetch_part **at) {
    if (session->index != NULL) return find_indexed(session, id, index);
    ks_fetch_part *one = *at;
    for (int32_t left = session->set.count; left > 0; left--, one = one->after) {
        if (one == NULL) one = session->set.first;
        bool same = one->index == index && (session->by_id ? ks_uuid_equal(one->topic_id, id) : ks_string_equal(one->topic, name));
        if (!same) continue;
        *at = one->after;
        return one;
    }
    return NULL;
}

static void add_or_alter(ks_fetch_session *session, const ks_fetch_request_topic *topic) {
    ks_fetch_part *at = session->set.first;
    for (int32_t i = 0; i < topic->partitions.count; i++) {
        const ks_fetch_request_partition *asked = &topic->partitions.items[i];
        ks_fetch_part *one = find_part(session, topic->topic, topic->topic_id, asked->partition, &at);
        if (one == NULL) {
            ks_fetch_part fresh = { .told_high_watermark = -1, .told_log_start = -1, .topic = topic->topic, .topic_id = topic->topic_id,
                                    .index = asked->partition };
            one = add_part(session, &fresh);
        }
        ks_fetch_part_ask(one, asked);
    }
    if (topic->partitions.count > 0) session->set.quiet = false;
}

static void forget(ks_fetch_session *session, const ks_fetch_request_forgotten_topic *topic) {
    ks_fetch_part *at = session->set.first;
    for (int32_t i = 0; i < topic->partitions.count; i++) {
        ks_fetch_part *gone = find_part(session, topic->topic, topic->topic_id, topic->partitions.items[i], &at);
        if (gone != NULL) free_part(session, gone);
    }
}

static void touch(ks_fetch_session *session) {
    ks_fetch_sessions *sessions = session->sessions;
    int64_t now = ks_now_ms(sessions->broker->cluster->kernel);
    unlink_used(session);
    link_used(session);
    session->used_ms = now;
    if (session->settled || now - session->created_ms <= IDLE_MS) return;
    session->settled = true;
    sessions->settled++;
    if (sessions->smallest != NULL && is_smaller(session, sessions->smallest)) sessions->smallest = session;
}

ks_fetch *ks_fetch_session_continue(ks_fetch_sessions *sessions, ks_request *request, kafka_error *error) {
    const ks_fetch_request *in = request->envelope->body;
    ks_fetch_session *session = find(sessions, in->session_id);
    *error = session == NULL                                                ? KAFKA_ERR_FETCH_SESSION_ID_NOT_FOUND
             : session->epoch != in->session_epoch                          ? KAFKA_ERR_INVALID_FETCH_SESSION_EPOCH
             : session->by_id != (request->envelope->api_version >= 13)     ? KAFKA_ERR_FETCH_SESSION_TOPIC_ID_ERROR
                                                                            : KAFKA_OK;
    if (*error != KAFKA_OK) return NULL;
    if (session->set.fetch != NULL) ks_fetch_overtake(session->set.fetch);
    int32_t before = session->set.count;
    for (int32_t i = 0; i < in->topics.count; i++) add_or_alter(session, &in->topics.items[i]);
    for (int32_t i = 0; i < in->forgotten_topics_data.count; i++) forget(session, &in->forgotten_topics_data.items[i]);
    if (session->set.count != before && session->settled) sessions->smallest = NULL;
    if (session->set.count == 0) {
        end(session, "empty");
        return NULL;
    }
    touch(session);
    session->epoch = session->epoch == INT32_MAX ? 1 : session->epoch + 1;
    session->fetch.request = request;
    session->fetch.parked_at = -1;
    return &session->fetch;
}
