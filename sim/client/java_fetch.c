/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetch requests (Fetcher.sendFetches): one under way per broker, with all partitions it leads that are fetchable and have nothing
 * buffered. What comes back is kept as it is until a poll drains it (java_drain.c).
 *
 * They are sent from an event of their own that counts as background, since an idle consumer fetches for ever. An answer
 * without records is followed by the next request without waking the application. No fetch sessions: every request is full. */
#include "sim/client/java_internal.h"

static void answered(void *owner, kafka_error error, const ks_envelope *envelope);

static bool node_is_busy(const ks_consumer *c, int32_t node) {
    for (const ks_java_fetch *fetch = c->fetches; fetch; fetch = fetch->next) /* one per broker at most */
        if (fetch->node == node) return true;
    return false;
}

void ks_java_fetch_soon(ks_consumer *c) {
    if (!ks_timer_is_running(&c->fetch_timer)) ks_timer_start_background(c->kernel, &c->fetch_timer, 0);
}

/* ---- sending ---- */

static ks_java_fetch *fetch_for(ks_consumer *c, ks_java_fetch **fresh, int32_t node) {
    for (ks_java_fetch *fetch = *fresh; fetch; fetch = fetch->next)
        if (fetch->node == node) return fetch;
    ks_java_fetch *fetch = c->free_fetches;
    if (fetch) c->free_fetches = fetch->next;
    else fetch = ks_alloc(sizeof *fetch);
    fetch->consumer = c;
    fetch->node = node;
    fetch->asked.count = 0;
    ks_java_fetch **end = fresh;
    while (*end) end = &(*end)->next;
    fetch->next = NULL;
    *end = fetch;
    return fetch;
}

/* What is asked, in a block of its own: an idle fetch is repeated without writing it down again. */
static void write_question(const ks_consumer *c, ks_java_fetch *fetch, bool by_id) {
    int32_t count = fetch->asked.count, topics = 0;
    size_t names = 0;
    for (int32_t i = 0; i < count; i++) {
        if (i > 0 && fetch->asked.items[i - 1].key.topic == fetch->asked.items[i].key.topic) continue;
        topics++;
        if (!by_id) names += (size_t)fetch->asked.items[i].partition->known->name.size + 1;
    }
    ks_fetch_request_topic *topic;
    ks_fetch_request_partition *partition;
    fetch->question = ks_block_new((int32_t)((size_t)topics * sizeof *topic + (size_t)count * sizeof *partition + names));
    fetch->topic_count = topics;
    topic = (void *)fetch->question->data;
    partition = (void *)(topic + topics);
    char *name = (char *)(partition + count);
    ks_struct_default(ks_describe_fetch_request_partition(), partition);
    partition->partition_max_bytes = (int32_t)c->config.max_partition_fetch_bytes;
    topic--;
    for (int32_t i = 0; i < count; i++, partition++) {
        const ks_java_asked *asked = &fetch->asked.items[i];
        const ks_java_topic *known = asked->partition->known;
        if (i > 0) *partition = partition[-1];
        if (i == 0 || asked[-1].key.topic != asked->key.topic) {
            ks_struct_default(ks_describe_fetch_request_topic(), ++topic);
            topic->partitions.items = partition;
            topic->topic_id = by_id ? known->id : topic->topic_id;
            if (!by_id) {
                topic->topic = (ks_string){ memcpy(name, known->name.data, (size_t)known->name.size + 1), known->name.size };
                name += known->name.size + 1;
            }
        }
        partition->partition = asked->key.partition;
        partition->current_leader_epoch = ks_java_topic_leader_epoch(known, asked->key.partition);
        partition->fetch_offset = asked->offset;
        topic->partitions.count++;
    }
}

static void forget_question(ks_java_fetch *fetch) {
    ks_block_release(fetch->question);
    fetch->question = NULL;
}

static void send_fetch(ks_consumer *c, ks_java_fetch *fetch) {
    fetch->given_up = c->given_up;
    fetch->changes = c->fetch_changes;
    fetch->metadata = ks_java_metadata_version(c->metadata);
    ks_envelope *envelope = ks_java_request(c->network, KS_API_fetch, -1);
    if (fetch->version != envelope->api_version) forget_question(fetch);
    fetch->version = envelope->api_version;
    if (fetch->question == NULL) write_question(c, fetch, fetch->version >= 13);
    ks_fetch_request *request = envelope->body;
    request->max_wait_ms = (int32_t)c->config.fetch_max_wait_ms;
    request->min_bytes = (int32_t)c->config.fetch_min_bytes;
    request->max_bytes = (int32_t)c->config.fetch_max_bytes;
    request->isolation_level = c->config.read_committed;
    request->session_epoch = 0;
    request->rack_id = c->rack.size > 0 ? ks_arena_string(envelope->arena, c->rack) : KS_LITERAL("");
    request->topics.items = (void *)fetch->question->data;
    request->topics.count = fetch->topic_count;
    ks_envelope_hold(envelope, fetch->question);
    ks_java_send(c->network, fetch->node, envelope, 0, answered, fetch);
}

void ks_java_fetch_fired(ks_timer *timer) {
    ks_consumer *c = timer->owner;
    if (!c->polling || c->closing || c->fatal) return;
    ks_java_fetch *fresh = NULL;
    bool leaderless = false;
    for (ks_java_partition *p = c->partitions; p; p = p->hh.next) {
        if (p->buffered || p->fetching || !ks_java_partition_is_fetchable(p)) continue;
        int32_t leader = ks_java_partition_leader(c, p);
        if (leader < 0) leaderless = true;
        if (leader < 0 || node_is_busy(c, leader)) continue;
        if (!ks_java_is_available(c->network, leader)) {
            ks_java_wake_at(c, ks_java_now(c) + c->config.reconnect_backoff_ms * KS_MS);
            continue;
        }
        ks_java_fetch *fetch = fetch_for(c, &fresh, leader);
        KS_PUSH(fetch->asked, (ks_java_asked){ p->key, p->position, p->serial, p, -1 });
        p->fetching = true;
    }
    if (leaderless) ks_java_metadata_refresh(c->metadata);
    while (fresh) {
        ks_java_fetch *next = fresh->next;
        fresh->next = c->fetches;
        c->fetches = fresh;
        send_fetch(c, fresh);
        fresh = next;
    }
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

static void partition_refused(ks_consumer *c, ks_java_partition *p, const ks_java_asked *asked, kafka_error error) {
    switch ((int)error) {
    case KAFKA_ERR_OFFSET_OUT_OF_RANGE:
        if (p) ks_java_offset_out_of_range(c, p, asked->offset);
        return;
    case KAFKA_ERR_TOPIC_AUTHORIZATION_FAILED:
    case KAFKA_ERR_CORRUPT_MESSAGE:
        ks_java_fail_with(c, error, "fetching from %s-%d at offset %lld", ks_java_key_topic(c, asked->key).data,
                        asked->key.partition, (long long)asked->offset);
        return;
    default: /* the leader moved, the topic is gone or new, ... */
        ks_java_metadata_refresh(c->metadata);
    }
}

/* The number of the answer's topic: nearly always that of the next partition asked for. */
static int32_t answer_topic(ks_consumer *c, const ks_java_fetch *fetch, const ks_fetch_response_fetchable_topic_response *topic,
                            bool by_id, int32_t number, int32_t at) {
    const ks_fetch_request_topic *asked = (const void *)fetch->question->data;
    if (by_id && number < fetch->topic_count && at < fetch->asked.count && ks_uuid_equal(asked[number].topic_id, topic->topic_id))
        return fetch->asked.items[at].key.topic;
    const ks_java_topic *known = by_id ? ks_java_metadata_topic_by_id(c->metadata, topic->topic_id) : NULL;
    ks_string text = !by_id ? topic->topic : known ? known->name : KS_NULL_STRING;
    ks_java_name *name;
    KS_HASH_FIND_STRING(hh, c->names, text, name);
    return name ? name->index : -1;
}

/* Answers come in the order of the request; *at is where the search goes on. */
static ks_java_asked *find_asked(const ks_java_fetch *fetch, int32_t topic, int32_t partition, int32_t *at) {
    for (int32_t n = 0, i = *at; n < fetch->asked.count; n++, i = i + 1 == fetch->asked.count ? 0 : i + 1) {
        if (i >= fetch->asked.count) i = 0;
        if (fetch->asked.items[i].key.topic != topic || fetch->asked.items[i].key.partition != partition) continue;
        *at = i + 1;
        return &fetch->asked.items[i];
    }
    return NULL;
}

static ks_java_partition *partition_of(const ks_consumer *c, const ks_java_fetch *fetch, const ks_java_asked *asked) {
    return fetch->given_up == c->given_up ? asked->partition : ks_java_partition_find(c, asked->key);
}

/* Nothing came and nothing has changed: the same question again, without looking at every partition. */
static bool may_repeat(const ks_consumer *c, const ks_java_fetch *fetch) {
    return c->polling && !c->closing && !c->fatal && ks_in_background(c->kernel) && fetch->given_up == c->given_up &&
           fetch->changes == c->fetch_changes && fetch->metadata == ks_java_metadata_version(c->metadata);
}

static bool take_partition(ks_consumer *c, const ks_java_fetch *fetch, ks_java_asked *asked,
                           const ks_fetch_response_partition_data *data, ks_java_response **response, const ks_envelope *envelope) {
    bool nothing = data->error_code == 0 && data->records.size <= 0;
    if (nothing && asked->high_watermark == data->high_watermark && may_repeat(c, fetch)) return false; /* as before: look no further */
    ks_java_partition *p = partition_of(c, fetch, asked);
    if (p && p->serial != asked->serial) p = NULL; /* given up, and perhaps given again, meanwhile: no news about its offsets */
    if (data->error_code) {
        partition_refused(c, p, asked, (kafka_error)data->error_code);
        return true;
    }
    if (p && p->high_watermark < 0 && c->group_id.size > 0)
        KS_EMIT(c->kernel, c->node, client_fetch_began, .client = ks_str(ks_node_name(c->node)), .group = c->group_id,
                .topic = p->topic, .partition = p->key.partition, .offset = asked->offset);
    if (p) p->high_watermark = asked->high_watermark = data->high_watermark;
    if (nothing) return false;
    if (*response == NULL) *response = share(envelope);
    buffer(c, *response, p ? p : ks_java_partition_find(c, asked->key), asked, data);
    return true;
}

static void release_fetch(ks_consumer *c, ks_java_fetch *fetch) {
    for (int32_t i = 0; i < fetch->asked.count; i++) {
        ks_java_partition *p = partition_of(c, fetch, &fetch->asked.items[i]);
        if (p && p->serial == fetch->asked.items[i].serial) p->fetching = false;
    }
    ks_java_fetch **link = &c->fetches;
    while (*link != fetch) link = &(*link)->next;
    *link = fetch->next;
    forget_question(fetch);
    fetch->next = c->free_fetches;
    c->free_fetches = fetch;
}

static void answered(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_java_fetch *fetch = owner;
    ks_consumer *c = fetch->consumer;
    const ks_fetch_response *response = envelope ? envelope->body : NULL;
    ks_java_response *shared = NULL;
    bool news = error != KAFKA_OK || response->error_code != 0;
    if (news) ks_java_metadata_refresh(c->metadata);
    bool by_id = envelope && envelope->api_version >= 13;
    int32_t at = 0;
    for (int32_t t = 0; !news && t < response->responses.count; t++) {
        const ks_fetch_response_fetchable_topic_response *topic = &response->responses.items[t];
        int32_t index = answer_topic(c, fetch, topic, by_id, t, at);
        for (int32_t p = 0; index >= 0 && p < topic->partitions.count; p++) {
            ks_java_asked *asked = find_asked(fetch, index, topic->partitions.items[p].partition_index, &at);
            if (asked && take_partition(c, fetch, asked, &topic->partitions.items[p], &shared, envelope)) fetch->news = true;
        }
    }
    news |= fetch->news;
    fetch->news = false;
    if (!news && may_repeat(c, fetch)) {
        send_fetch(c, fetch);
        return;
    }
    release_fetch(c, fetch);
    if (news) {
        ks_progress(c->kernel);
        ks_java_wake(c);
    } else if (c->polling) {
        ks_java_fetch_soon(c);
    }
}

void ks_java_fetch_free(ks_consumer *c) {
    ks_java_fetch **lists[] = { &c->fetches, &c->free_fetches };
    for (int i = 0; i < 2; i++)
        while (*lists[i]) {
            ks_java_fetch *fetch = *lists[i];
            *lists[i] = fetch->next;
            forget_question(fetch);
            ks_free(fetch->asked.items);
            ks_free(fetch);
        }
}
