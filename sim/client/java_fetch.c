/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetch requests (AbstractFetch.prepareFetchRequests): one under way per broker, with all partitions it leads that are fetchable and
 * have nothing buffered (of a session, what has changed of them: java_fetch_session.c). What comes back is kept as it is until a poll
 * drains it (java_drain.c); until then its broker is not asked, lest its session lose those partitions (KAFKA-17182).
 *
 * They are sent from an event of their own that counts as background, since an idle consumer fetches for ever. An answer
 * without records is followed by the next request without waking the application. */
#include "sim/client/java_internal.h"

static void answered(void *owner, kafka_error error, const ks_envelope *envelope);

/* Nothing has changed since every partition that may be fetched was asked for, or lay here: what a look would find again. */
static bool is_quiet(const ks_consumer *c) {
    return c->fetches_quiet && c->quiet_changes == c->fetch_changes && c->quiet_version == ks_java_metadata_version(c->metadata);
}

void ks_java_fetch_nothing(ks_consumer *c) {
    c->fetches_quiet = true;
    c->quiet_changes = c->fetch_changes;
    c->quiet_version = ks_java_metadata_version(c->metadata);
}

void ks_java_fetch_soon(ks_consumer *c) {
    if (is_quiet(c)) c->fetch_ahead = false;
    else if (!ks_timer_is_running(&c->fetch_timer)) ks_timer_start_background(c->kernel, &c->fetch_timer, 0);
}

/* ---- sending ---- */

static ks_java_fetch *find_fetch(const ks_consumer *c, int32_t node) {
    for (ks_java_fetch *fetch = c->fetches; fetch; fetch = fetch->next) /* one per broker at most */
        if (fetch->node == node) return fetch;
    return NULL;
}

static ks_java_fetch *add_fetch(ks_consumer *c, int32_t node) {
    ks_java_fetch *fetch = ks_alloc(sizeof *fetch);
    fetch->consumer = c;
    fetch->node = node;
    *c->fetches_end = fetch;
    c->fetches_end = &fetch->next;
    return fetch;
}

static ks_envelope *make_request(ks_consumer *c, ks_java_fetch *fetch) {
    ks_envelope *envelope = ks_java_request(c->network, KS_API_fetch, fetch->by_name ? 12 : -1);
    ks_fetch_request *request = envelope->body;
    request->max_wait_ms = (int32_t)c->config.fetch_max_wait_ms;
    request->min_bytes = (int32_t)c->config.fetch_min_bytes;
    request->max_bytes = (int32_t)c->config.fetch_max_bytes;
    request->isolation_level = c->config.read_committed;
    request->rack_id = c->rack.size > 0 ? ks_arena_string(envelope->arena, c->rack) : KS_LITERAL("");
    ks_java_fetch_write(fetch, envelope);
    return envelope;
}

static void send_fetch(ks_consumer *c, ks_java_fetch *fetch) {
    fetch->assignment = c->assignment;
    fetch->changes = c->fetch_changes;
    fetch->metadata = ks_java_metadata_version(c->metadata);
    fetch->under_way = true;
    c->fetches_under_way++;
    ks_java_send(c->network, fetch->node, make_request(c, fetch), 0, answered, fetch);
}

/* bufferedNodes: what lies here of partitions that are paused delays nobody. O(buffered) */
static void mark_buffered(ks_consumer *c) {
    for (ks_java_fetch *fetch = c->fetches; fetch && c->fetches_buffered; fetch = fetch->next) fetch->buffered = false;
    c->fetches_buffered = false;
    for (const ks_java_fetched *f = c->fetched; f; f = f->next) {
        ks_java_partition *p = ks_java_partition_find(c, f->key);
        int32_t leader = p && ks_java_partition_is_fetchable(p) ? ks_java_partition_leader(c, p) : -1;
        if (leader < 0) continue;
        ks_java_fetch *fetch = find_fetch(c, leader);
        if (fetch == NULL) fetch = add_fetch(c, leader); /* it became the leader since */
        fetch->buffered = c->fetches_buffered = true;
    }
}

static void send_fetches(ks_consumer *c) {
    if (!(c->polling || c->fetch_ahead) || c->closing || c->fatal) return;
    bool leaderless = false, unavailable = false, wanted = false;
    mark_buffered(c);
    KS_EACH_PARTITION(p, c) {
        if (p->buffered || !ks_java_partition_is_fetchable(p)) continue;
        int32_t leader = ks_java_partition_leader(c, p);
        if (leader < 0) leaderless = true;
        ks_java_fetch *fetch = leader < 0 ? NULL : find_fetch(c, leader);
        if (leader < 0 || (fetch && (fetch->under_way || fetch->buffered))) continue;
        if (!ks_java_is_available(c->network, leader)) {
            unavailable = true;
            ks_java_wake_at(c, ks_java_now(c) + c->config.reconnect_backoff_ms * KS_MS);
            continue;
        }
        if (fetch == NULL) fetch = add_fetch(c, leader);
        p->wanted_by = leader;
        KS_PUSH(fetch->wanted, p);
        wanted = true;
    }
    if (leaderless) ks_java_metadata_refresh(c->metadata);
    for (ks_java_fetch *fetch = c->fetches; fetch && wanted; fetch = fetch->next) {
        if (fetch->wanted.count == 0) continue;
        ks_java_fetch_compare(fetch);
        send_fetch(c, fetch);
    }
    if (!unavailable) ks_java_fetch_nothing(c); /* more; new metadata looks again */
}

void ks_java_fetch_fired(ks_timer *timer) {
    ks_consumer *c = timer->owner;
    send_fetches(c);
    c->fetch_ahead = false;
}

/* ---- receiving ---- */

static ks_java_response *share(const ks_envelope *envelope) {
    ks_java_response *response = ks_alloc(sizeof *response);
    response->envelope = ks_call_keep(envelope);
    return response;
}

static void buffer(ks_consumer *c, ks_java_response *response, ks_java_partition *p, const ks_java_asked *asked,
                   const ks_fetch_response_partition_data *data) {
    ks_java_fetched *fetched = ks_alloc(sizeof *fetched);
    fetched->key = asked->key;
    fetched->response = response;
    fetched->data = data;
    fetched->fetch_offset = fetched->next_offset = asked->offset;
    response->references++;
    *c->fetched_end = fetched;
    c->fetched_end = &fetched->next;
    if (p) p->buffered = true;
}

/* True: the application's next step has to do with it. */
static bool partition_refused(ks_consumer *c, ks_java_partition *p, const ks_java_asked *asked, kafka_error error) {
    switch ((int)error) {
    case KAFKA_ERR_OFFSET_OUT_OF_RANGE:
        if (p) ks_java_offset_out_of_range(c, p, asked->offset);
        return true;
    case KAFKA_ERR_TOPIC_AUTHORIZATION_FAILED:
    case KAFKA_ERR_CORRUPT_MESSAGE:
        ks_java_fail_with(c, error, "fetching from %s-%d at offset %lld", ks_java_key_topic(c, asked->key).data,
                        asked->key.partition, (long long)asked->offset);
        return true;
    default: /* the leader moved, the topic is gone or new, ...: meanwhile the same is asked again */
        ks_java_metadata_refresh(c->metadata);
        return false;
    }
}

/* The number of the answer's topic; of a session by id nearly always that of the partition at `at`. */
static int32_t answer_topic(ks_consumer *c, const ks_java_fetch *fetch, const ks_fetch_response_fetchable_topic_response *topic,
                            bool by_id, int32_t at) {
    if (by_id && at < fetch->asked.count && ks_uuid_equal(fetch->asked.items[at].topic_id, topic->topic_id)) return fetch->asked.items[at].key.topic;
    const ks_java_topic *known = by_id ? ks_java_metadata_topic_by_id(c->metadata, topic->topic_id) : NULL;
    ks_string text = !by_id ? topic->topic : known ? known->name : KS_NULL_STRING;
    const ks_java_name *name = ks_java_name_find(c, text);
    return name ? name->index : -1;
}

/* Answers come in the order in which was asked; *at is where the search goes on. */
static ks_java_asked *find_asked(const ks_java_fetch *fetch, int32_t topic, int32_t partition, int32_t *at) {
    for (int32_t n = 0, i = *at; n < fetch->asked.count; n++, i = i + 1 == fetch->asked.count ? 0 : i + 1) {
        if (i >= fetch->asked.count) i = 0;
        if (fetch->asked.items[i].key.topic != topic || fetch->asked.items[i].key.partition != partition) continue;
        *at = i + 1;
        return &fetch->asked.items[i];
    }
    return NULL;
}

/* Nothing came and nothing has changed: the same question again, without looking at every partition. */
static bool may_repeat(const ks_consumer *c, const ks_java_fetch *fetch) {
    return c->polling && !c->closing && !c->fatal && ks_in_background(c->kernel) && fetch->assignment == c->assignment &&
           fetch->changes == c->fetch_changes && fetch->metadata == ks_java_metadata_version(c->metadata);
}

/* The broker has answered a fetch from its position; the first time after it was given to us, the trace hears of it. */
static void heard_of(ks_consumer *c, ks_java_partition *p, const ks_java_asked *asked) {
    if (p->high_watermark < 0 && c->group_id.size > 0)
        KS_EMIT(c->kernel, c->node, client_fetch_began, .client = ks_str(ks_node_name(c->node)), .group = c->group_id,
                .topic = ks_java_topic_of(c, p), .partition = p->key.partition, .offset = asked->offset);
    p->high_watermark = asked->high_watermark;
}

/* Partitions that were given up and given again lie in the session as before, so that an answer does not name them. */
static void hear_of_regained(ks_consumer *c, ks_java_fetch *fetch) {
    fetch->regained = false;
    for (int32_t i = 0; i < fetch->asked.count; i++) {
        const ks_java_asked *asked = &fetch->asked.items[i];
        ks_java_partition *p = ks_java_fetch_partition(fetch, asked);
        if (p && p->serial == asked->serial && p->high_watermark < 0 && asked->high_watermark >= 0) heard_of(c, p, asked);
    }
}

static bool take_partition(ks_consumer *c, const ks_java_fetch *fetch, ks_java_asked *asked,
                           const ks_fetch_response_partition_data *data, ks_java_response **response, const ks_envelope *envelope) {
    bool nothing = data->error_code == 0 && data->records.size <= 0;
    if (nothing && asked->high_watermark == data->high_watermark && may_repeat(c, fetch)) return false; /* as before: look no further */
    ks_java_partition *p = ks_java_fetch_partition(fetch, asked);
    if (p && p->serial != asked->serial) p = NULL; /* given up, and perhaps given again, meanwhile: no news about its offsets */
    if (data->error_code) return partition_refused(c, p, asked, (kafka_error)data->error_code);
    asked->high_watermark = data->high_watermark;
    if (p) heard_of(c, p, asked);
    if (nothing) return false;
    if (*response == NULL) *response = share(envelope);
    buffer(c, *response, p ? p : ks_java_partition_find(c, asked->key), asked, data);
    return true;
}

/* Every partition of the answer. True: something was in it */
static bool take_answer(ks_consumer *c, ks_java_fetch *fetch, const ks_envelope *envelope) {
    const ks_fetch_response *response = envelope->body;
    ks_java_response *shared = NULL;
    bool by_id = envelope->api_version >= 13, news = false;
    int32_t at = 0;
    for (int32_t t = 0; t < response->responses.count; t++) {
        const ks_fetch_response_fetchable_topic_response *topic = &response->responses.items[t];
        int32_t index = answer_topic(c, fetch, topic, by_id, at);
        for (int32_t p = 0; index >= 0 && p < topic->partitions.count; p++) {
            ks_java_asked *asked = find_asked(fetch, index, topic->partitions.items[p].partition_index, &at);
            news |= asked && take_partition(c, fetch, asked, &topic->partitions.items[p], &shared, envelope);
        }
    }
    if (fetch->regained) hear_of_regained(c, fetch);
    return news;
}

static void answered(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_java_fetch *fetch = owner;
    ks_consumer *c = fetch->consumer;
    const ks_fetch_response *response = envelope ? envelope->body : NULL;
    bool news = false, quiet = c->fetches_quiet;
    fetch->under_way = c->fetches_quiet = false;
    c->fetches_under_way--;
    if (c->closing) return;
    if (error) {
        ks_java_fetch_session_lost(fetch, false);
        ks_java_metadata_refresh(c->metadata);
        news = true;
    } else if (ks_java_fetch_session_answered(fetch, response)) {
        news = take_answer(c, fetch, envelope);
    } else if (response->error_code == KAFKA_ERR_FETCH_SESSION_TOPIC_ID_ERROR) {
        ks_java_metadata_refresh(c->metadata);
    }
    if (!news && may_repeat(c, fetch)) {
        ks_java_fetch_nothing_changed(fetch);
        send_fetch(c, fetch);
        c->fetches_quiet = quiet;
    } else if (news) {
        ks_progress(c->kernel);
        ks_java_wake(c);
    } else if (c->polling && ks_in_background(c->kernel)) {
        send_fetches(c); /* before what comes behind this answer on the connection: partitions whose position is asked for sit out */
    } else if (c->polling) {
        ks_java_fetch_soon(c);
    }
}

/* ---- the end (AbstractFetch.prepareCloseFetchSessionRequests) ---- */

static void goodbye_answered(void *owner, kafka_error error, const ks_envelope *response) {
    (void)error, (void)response; /* best effort */
    ks_consumer *c = owner;
    if (--c->fetches_closing == 0) ks_java_wake(c);
}

void ks_java_fetch_say_goodbye(ks_consumer *c) {
    for (ks_java_fetch *fetch = c->fetches; fetch; fetch = fetch->next) {
        if (!ks_java_is_available(c->network, fetch->node)) continue;
        ks_java_fetch_session_end(fetch);
        c->fetches_closing++;
        ks_java_send(c->network, fetch->node, make_request(c, fetch), 0, goodbye_answered, c);
    }
}

void ks_java_fetch_free(ks_consumer *c) {
    while (c->fetches) {
        ks_java_fetch *fetch = c->fetches;
        c->fetches = fetch->next;
        ks_free(fetch->asked.items);
        ks_free(fetch->forgotten.items);
        ks_free(fetch->wanted.items);
        ks_free(fetch);
    }
    c->fetches_end = &c->fetches;
    c->fetches_under_way = c->fetches_closing = 0;
}
