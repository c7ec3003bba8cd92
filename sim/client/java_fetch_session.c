/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's side of fetch sessions (KIP-227; FetchSessionHandler): what the broker of a fetch knows that we fetch. The first
 * request names all partitions, with epoch 0; if the answer gives a session, the next ones, numbered by their epoch, name only what is
 * added, what is altered (its position, leader epoch or topic id) and what is forgotten (a topic id that was replaced, too). An error
 * or a lost connection starts anew. As long as the metadata lacks a topic, its last leader is asked by name: with version 12, which
 * needs a session of its own.
 */
#include "sim/client/java_internal.h"

ks_java_partition *ks_java_fetch_partition(const ks_java_fetch *fetch, const ks_java_asked *asked) {
    const ks_consumer *c = fetch->consumer;
    return fetch->assignment == c->assignment ? asked->partition : ks_java_partition_find(c, asked->key);
}

/* ---- what is fetched now, compared with what the session has ---- */

/* Zero: a topic that the metadata lacks. */
static ks_uuid id_of(const ks_java_fetch *fetch, const ks_java_partition *p) {
    const ks_java_topic *topic = ks_java_partition_topic(fetch->consumer, p);
    return topic->exists ? topic->id : (ks_uuid){ { 0 } };
}

static void update(ks_java_fetch *fetch, ks_java_asked *asked, ks_java_partition *p) {
    int32_t epoch = ks_java_topic_leader_epoch(ks_java_partition_topic(fetch->consumer, p), p->key.partition);
    ks_uuid id = id_of(fetch, p);
    bool same = asked->offset == p->position && asked->leader_epoch == epoch && ks_uuid_equal(asked->topic_id, id);
    fetch->regained |= asked->serial != p->serial;
    asked->change = same ? KS_ASKED_BEFORE : KS_ASKED_ALTERED;
    asked->offset = p->position;
    asked->leader_epoch = epoch;
    asked->topic_id = id;
    asked->serial = p->serial;
    asked->partition = p;
}

/* FetchSessionHandler's canUseTopicIds: something that is fetched, or no longer is, has no id. */
static bool must_name(const ks_java_fetch *fetch) {
    for (int32_t i = 0; i < fetch->wanted.count; i++)
        if (ks_uuid_is_zero(id_of(fetch, fetch->wanted.items[i]))) return true;
    for (int32_t i = 0; i < fetch->asked.count; i++) {
        if (!ks_uuid_is_zero(fetch->asked.items[i].topic_id)) continue;
        const ks_java_partition *p = ks_java_fetch_partition(fetch, &fetch->asked.items[i]);
        if (p == NULL || p->wanted_by != fetch->node) return true;
    }
    return false;
}

/* O(partitions of the session and of this fetch) */
void ks_java_fetch_compare(ks_java_fetch *fetch) {
    int32_t kept = 0;
    fetch->forgotten.count = 0;
    if (fetch->session_epoch == 0) fetch->asked.count = 0;
    fetch->by_name = must_name(fetch);
    for (int32_t i = 0; i < fetch->asked.count; i++) {
        ks_java_asked *asked = &fetch->asked.items[i];
        ks_java_partition *p = ks_java_fetch_partition(fetch, asked);
        if (p == NULL || p->wanted_by != fetch->node) {
            KS_PUSH(fetch->forgotten, *asked);
            continue;
        }
        p->wanted_by = -1; /* so that only new ones are left */
        bool replaced = !ks_uuid_is_zero(asked->topic_id) && !ks_uuid_equal(asked->topic_id, id_of(fetch, p));
        if (replaced && !fetch->by_name) KS_PUSH(fetch->forgotten, *asked);
        update(fetch, asked, p);
        fetch->asked.items[kept++] = *asked;
    }
    fetch->asked.count = kept;
    for (int32_t i = 0; i < fetch->wanted.count; i++) {
        ks_java_partition *p = fetch->wanted.items[i];
        if (p->wanted_by != fetch->node) continue;
        p->wanted_by = -1;
        ks_java_asked asked = { .key = p->key, .serial = p->serial, .high_watermark = -1 };
        update(fetch, &asked, p);
        asked.change = KS_ASKED_ADDED;
        KS_PUSH(fetch->asked, asked);
    }
    fetch->wanted.count = 0;
    fetch->changed = true;
}

void ks_java_fetch_nothing_changed(ks_java_fetch *fetch) {
    bool full = fetch->session_epoch == 0;
    fetch->forgotten.count = 0;
    if (full || fetch->changed)
        for (int32_t i = 0; i < fetch->asked.count; i++) fetch->asked.items[i].change = full ? KS_ASKED_ADDED : KS_ASKED_BEFORE;
    fetch->changed = full;
}

/* ---- the request ---- */

typedef struct writer {
    const ks_consumer *c;
    ks_arena *arena;
    ks_fetch_request_topic *topics;
    ks_fetch_request_partition *partitions;
    int32_t topic_count, partition_count;
    const ks_java_asked *last;
    bool by_id;
} writer;

static ks_string name_of(const writer *w, ks_java_key key) { return ks_arena_string(w->arena, ks_java_key_topic(w->c, key)); }

static void write_one(writer *w, const ks_java_asked *asked) {
    if (w->last == NULL || w->last->key.topic != asked->key.topic) {
        ks_fetch_request_topic *topic = &w->topics[w->topic_count++];
        ks_struct_default(ks_describe_fetch_request_topic(), topic);
        if (w->by_id) topic->topic_id = asked->topic_id;
        else topic->topic = name_of(w, asked->key);
        topic->partitions.items = &w->partitions[w->partition_count];
    }
    w->last = asked;
    ks_fetch_request_partition *partition = &w->partitions[w->partition_count++];
    if (w->partition_count == 1) ks_struct_default(ks_describe_fetch_request_partition(), partition);
    else *partition = w->partitions[0];
    partition->partition_max_bytes = (int32_t)w->c->config.max_partition_fetch_bytes;
    partition->partition = asked->key.partition;
    partition->current_leader_epoch = asked->leader_epoch;
    partition->fetch_offset = asked->offset;
    w->topics[w->topic_count - 1].partitions.count++;
}

static void write_asked(const ks_java_fetch *fetch, ks_arena *arena, bool by_id, ks_fetch_request *request) {
    int32_t count = 0, topics = 0;
    const ks_java_asked *last = NULL;
    for (int32_t change = KS_ASKED_ADDED; change <= KS_ASKED_ALTERED; change++)
        for (int32_t i = 0; i < fetch->asked.count; i++) {
            const ks_java_asked *asked = &fetch->asked.items[i];
            if ((int32_t)asked->change != change) continue;
            topics += last == NULL || last->key.topic != asked->key.topic;
            last = asked;
            count++;
        }
    if (count == 0) return;
    writer w = { .c = fetch->consumer, .arena = arena, .by_id = by_id };
    w.topics = ks_arena_alloc(arena, (size_t)topics * sizeof *w.topics);
    w.partitions = ks_arena_alloc(arena, (size_t)count * sizeof *w.partitions);
    for (int32_t change = KS_ASKED_ADDED; change <= KS_ASKED_ALTERED; change++)
        for (int32_t i = 0; i < fetch->asked.count; i++)
            if ((int32_t)fetch->asked.items[i].change == change) write_one(&w, &fetch->asked.items[i]);
    request->topics.items = w.topics;
    request->topics.count = topics;
}

static void write_forgotten(const ks_java_fetch *fetch, ks_arena *arena, bool by_id, ks_fetch_request *request) {
    int32_t count = fetch->forgotten.count, topics = 0;
    if (count == 0) return;
    const ks_java_asked *asked = fetch->forgotten.items;
    for (int32_t i = 0; i < count; i++) topics += i == 0 || asked[i].key.topic != asked[i - 1].key.topic;
    ks_fetch_request_forgotten_topic *topic = NULL, *next = ks_arena_alloc(arena, (size_t)topics * sizeof *next);
    int32_t *numbers = ks_arena_alloc(arena, (size_t)count * sizeof *numbers);
    request->forgotten_topics_data.items = next;
    request->forgotten_topics_data.count = topics;
    for (int32_t i = 0; i < count; i++) {
        if (i == 0 || asked[i].key.topic != asked[i - 1].key.topic) {
            topic = next++;
            ks_struct_default(ks_describe_fetch_request_forgotten_topic(), topic);
            if (by_id) topic->topic_id = asked[i].topic_id;
            else topic->topic = ks_arena_string(arena, ks_java_key_topic(fetch->consumer, asked[i].key));
            topic->partitions.items = &numbers[i];
        }
        numbers[i] = asked[i].key.partition;
        topic->partitions.count++;
    }
}

void ks_java_fetch_write(ks_java_fetch *fetch, ks_envelope *envelope) {
    ks_fetch_request *request = envelope->body;
    bool by_id = envelope->api_version >= 13;
    request->session_id = fetch->session_id;
    request->session_epoch = fetch->session_epoch;
    if (fetch->changed) write_asked(fetch, envelope->arena, by_id, request);
    write_forgotten(fetch, envelope->arena, by_id, request);
}

/* ---- what the answer makes of the session ---- */

void ks_java_fetch_session_lost(ks_java_fetch *fetch, bool forget_id) {
    if (forget_id) fetch->session_id = 0;
    fetch->session_epoch = 0;
}

void ks_java_fetch_session_end(ks_java_fetch *fetch) {
    fetch->session_epoch = -1;
    fetch->changed = fetch->by_name = false;
    fetch->forgotten.count = 0;
}

bool ks_java_fetch_session_answered(ks_java_fetch *fetch, const ks_fetch_response *response) {
    bool full = fetch->session_epoch == 0;
    if (response->error_code != 0) {
        ks_java_fetch_session_lost(fetch, response->error_code == KAFKA_ERR_FETCH_SESSION_ID_NOT_FOUND);
        return false;
    }
    int32_t told = 0;
    for (int32_t i = 0; i < response->responses.count; i++) told += response->responses.items[i].partitions.count;
    if (full ? told != fetch->asked.count : told > fetch->asked.count) { /* not an answer to what was asked */
        ks_java_fetch_session_lost(fetch, full);
        return false;
    }
    if (response->session_id == 0) {
        ks_java_fetch_session_lost(fetch, true);
    } else {
        fetch->session_id = response->session_id;
        fetch->session_epoch = fetch->session_epoch == INT32_MAX ? 1 : fetch->session_epoch + 1;
    }
    return true;
}
