/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetch (Kafka's KafkaApis.handleFetchRequest, ReplicaManager.fetchMessages and readFromLog). First it is looked at: is
 * there an error to tell, or are there enough bytes? If so it is answered, else it is parked (fetch_wait.h) and
 * answered later. Of partitions that do not exist then the answer says so, but it does not come sooner, unless nothing else is fetched.
 * Every answer reads afresh. Of a fetch session (fetch_session.h) to which nothing has happened since its last
 * answer, neither needs a look at its partitions.
 */
#include "sim/broker/cluster_internal.h"
#include "sim/broker/fetch_session.h"
#include "sim/broker/response.h"

typedef ks_fetch_response_partition_data partition_out;

/* ---- one partition ---- */

static int16_t version_of(const ks_fetch *fetch) { return fetch->request->envelope->api_version; }

static bool same_topic(const ks_fetch_part *a, const ks_fetch_part *b, int16_t version) {
    return version >= 13 ? ks_uuid_equal(a->topic_id, b->topic_id) : ks_string_equal(a->topic, b->topic);
}

static kafka_error unknown(const ks_fetch_part *part, int16_t version) {
    return version >= 13 && !part->named ? KAFKA_ERR_UNKNOWN_TOPIC_ID : KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION;
}

/* Of a part that hangs on its partition it is known; `before` is the part that was found before this one, or NULL. */
static kafka_error find(const ks_fetch *fetch, ks_fetch_part *part, const ks_fetch_part *before) {
    const ks_cluster *cluster = fetch->broker->cluster;
    int16_t version = version_of(fetch);
    if (part->link != NULL) return KAFKA_OK;
    part->partition = NULL;
    if (part->unknown && fetch->parked_at >= 0) return unknown(part, version);
    const ks_topic *topic = before && before->partition && same_topic(part, before, version) ? before->partition->topic
                            : version >= 13 ? ks_cluster_topic_find_id(cluster, part->topic_id)
                                            : ks_cluster_topic_find(cluster, part->topic);
    if (topic == NULL) return unknown(part, version);
    part->named = true;
    part->partition = ks_topic_partition(topic, part->index);
    return part->partition == NULL ? KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_OK;
}

/* Everything but the data: does it exist, do we lead it, is the offset in range? part->partition is set as soon as it is known. */
static kafka_error check(const ks_fetch *fetch, ks_fetch_part *part, const ks_fetch_part *before) {
    int16_t version = version_of(fetch);
    kafka_error error = find(fetch, part, before);
    if (error != KAFKA_OK) return error;
    const ks_partition *partition = part->partition;
    if (version < 10 && partition->topic->config->value[KS_TOPIC_compression_type] == KS_CODEC_ZSTD)
        return KAFKA_ERR_UNSUPPORTED_COMPRESSION_TYPE;
    error = ks_partition_check_leader(partition, fetch->broker, version >= 9 ? part->leader_epoch : -1);
    if (error != KAFKA_OK) return error;
    const ks_log *log = partition->log;
    bool in_range = part->offset >= ks_log_start_offset(log) && part->offset <= ks_log_end_offset(log);
    return in_range ? KAFKA_OK : KAFKA_ERR_OFFSET_OUT_OF_RANGE;
}

/* LG-21: what the client last read comes from an epoch that ended earlier here. */
static bool diverges(const ks_fetch_part *part, int16_t version, int32_t *epoch, int64_t *end) {
    if (version < 12 || part->last_fetched_epoch < 0) return false;
    ks_log_epoch_end(part->partition->log, part->last_fetched_epoch, epoch, end);
    return *epoch >= 0 && (*epoch < part->last_fetched_epoch || *end < part->offset);
}

/* ---- looking ---- */

/* The first partition with data gives at least one whole batch, however small the limits are. */
static int64_t first_bytes(const ks_fetch_part *part, int64_t available) {
    ks_log_slice slice;
    ks_log_read(part->partition->log, part->offset, ks_log_high_watermark(part->partition->log), 0, true, &slice);
    ks_block_release(slice.block);
    return slice.bytes.size > available ? slice.bytes.size : available;
}

/* True: an error, a diverging epoch, enough bytes, nothing that exists: answer at once. O(parts); O(1) when the set is quiet */
static bool has_news(ks_fetch *fetch) {
    ks_fetch_set *set = fetch->set;
    if (set->quiet) return fetch->min_bytes <= 0;
    const ks_fetch_part *before = NULL;
    int64_t end, seen = 0;
    int32_t epoch, missing = 0;
    set->available = 0;
    set->known = NULL;
    for (ks_fetch_part *part = set->first; part != NULL; before = part, part = part->after) {
        kafka_error error = check(fetch, part, before);
        if (set->known == NULL) set->known = part->partition, set->from = part->offset;
        part->unknown = part->partition == NULL;
        missing += part->unknown;
        if (part->unknown) continue;
        if (error != KAFKA_OK || diverges(part, version_of(fetch), &epoch, &end)) return true;
        part->available = ks_fetch_available(part->partition, part->offset, part->max_bytes);
        set->available += part->available;
        bool first = part->available != 0 && part->available < fetch->min_bytes && seen == 0;
        seen += first ? first_bytes(part, part->available) : part->available;
    }
    return seen >= fetch->min_bytes || missing == set->count;
}

/* ---- answering ---- */

typedef struct answer {
    const ks_fetch *fetch;
    const ks_fetch_request *in;
    ks_envelope *response;
    int16_t version;
    int64_t left; /* bytes that may still be sent */
    int32_t bytes;
    uint64_t leaders; /* other leaders to name in NodeEndpoints: bit per broker id up to 63 */
} answer;

static void refuse(answer *a, const ks_partition *partition, kafka_error error, partition_out *out) {
    out->error_code = (int16_t)error;
    out->high_watermark = -1;
    out->records = (ks_bytes){ NULL, 0 };
    bool moved = error == KAFKA_ERR_NOT_LEADER_OR_FOLLOWER || error == KAFKA_ERR_FENCED_LEADER_EPOCH;
    if (a->version < 16 || !moved) return;
    out->current_leader.leader_id = partition->leader;
    out->current_leader.leader_epoch = partition->leader_epoch;
    if (partition->leader > 0 && partition->leader < 64) a->leaders |= UINT64_C(1) << partition->leader;
}

/* LG-28: the first partition with data gives one batch whatever the limits; then the limits hold. */
static void read(answer *a, const ks_fetch_part *part, partition_out *out) {
    int64_t max_bytes = part->max_bytes < a->left ? part->max_bytes : a->left;
    ks_log_slice slice;
    ks_log_read(part->partition->log, part->offset, out->high_watermark, max_bytes, a->bytes == 0, &slice);
    out->records = slice.bytes;
    if (slice.block == NULL) return;
    ks_envelope_hold(a->response, slice.block);
    ks_block_release(slice.block);
    a->bytes += slice.bytes.size;
    a->left -= slice.bytes.size;
}

static void fetch_partition(answer *a, ks_fetch_part *part, const ks_fetch_part *before, partition_out *out) {
    int32_t epoch;
    int64_t end;
    out->partition_index = part->index;
    if (a->in->isolation_level == 0) out->aborted_transactions.count = -1; /* null for read_uncommitted */
    kafka_error error = check(a->fetch, part, before);
    if (error != KAFKA_OK) {
        refuse(a, part->partition, error, out);
        return;
    }
    const ks_log *log = part->partition->log;
    ks_assert(ks_log_start_offset(log) <= ks_log_high_watermark(log));
    ks_assert(ks_log_high_watermark(log) <= ks_log_end_offset(log));
    out->high_watermark = ks_log_high_watermark(log); /* LG-30: those before the read */
    out->last_stable_offset = out->high_watermark;    /* no transactions yet */
    if (a->version >= 5) out->log_start_offset = ks_log_start_offset(log);
    out->records = (ks_bytes){ NULL, 0 };
    if (diverges(part, a->version, &epoch, &end)) {
        out->diverging_epoch.epoch = epoch;
        out->diverging_epoch.end_offset = end;
        return;
    }
    read(a, part, out);
}

/* FetchSession.scala, CachedPartition.maybeUpdateResponseData: what has the client not heard yet? */
static bool is_news(ks_fetch_part *part, const partition_out *out, bool *untold) {
    bool odd = out->error_code != 0 || out->diverging_epoch.epoch >= 0; /* told again and again, and what follows it too */
    bool news = odd || out->records.size > 0 || out->high_watermark != part->told_high_watermark ||
                out->log_start_offset != part->told_log_start;
    part->told_high_watermark = odd ? -1 : out->high_watermark;
    part->told_log_start = out->log_start_offset;
    *untold |= odd;
    return news;
}

/* Whoever gave records goes behind the others of its session, so that all get their turn. */
static void to_the_end(ks_fetch_part *part) {
    ks_fetch_set *set = part->set;
    if (part->after == NULL) return;
    *part->place = part->after;
    part->after->place = part->place;
    part->after = NULL;
    part->place = set->last;
    *set->last = part;
    set->last = &part->after;
}

typedef struct told { /* what is told so far: an answer, and of which part */
    partition_out *items;
    const ks_fetch_part **parts;
    int32_t count, room;
    partition_out blank; /* what an answer starts from */
} told;

/* Of a session mostly nothing is told, of a request of its own everything. */
static void make_room(answer *a, told *so_far) {
    enum { FEW = 4 };
    if (so_far->count < so_far->room) return;
    int32_t all = a->fetch->set->count, room = so_far->room * 2;
    if (room == 0) room = FEW;
    if (room > all || a->fetch->session == NULL) room = all;
    partition_out *items = ks_response_items(a->response, room, ks_describe_fetch_response_partition_data());
    const ks_fetch_part **parts = ks_arena_alloc(a->response->arena, (size_t)room * sizeof *parts);
    if (so_far->count > 0) memcpy(items, so_far->items, (size_t)so_far->count * sizeof *items);
    if (so_far->count > 0) memcpy(parts, so_far->parts, (size_t)so_far->count * sizeof *parts);
    *so_far = (told){ items, parts, so_far->count, room, items[room - 1] };
}

/* Neighbours of one topic stand together. */
static void group_by_topic(answer *a, const told *all, ks_fetch_response *out) {
    int32_t topics = 0;
    for (int32_t i = 0; i < all->count; i++) topics += i == 0 || !same_topic(all->parts[i], all->parts[i - 1], a->version);
    KS_RESPONSE_ARRAY(a->response, out->responses, topics, fetch_response_fetchable_topic_response);
    ks_fetch_response_fetchable_topic_response *topic = NULL, *next = out->responses.items;
    for (int32_t i = 0; i < all->count; i++) {
        const ks_fetch_part *part = all->parts[i];
        if (i == 0 || !same_topic(part, all->parts[i - 1], a->version)) {
            topic = next++;
            if (a->version >= 13) topic->topic_id = part->topic_id;
            else topic->topic = ks_arena_string(a->response->arena, part->topic);
            topic->partitions.items = &all->items[i];
        }
        topic->partitions.count++;
    }
}

/* The answers of all parts, or of a session's those with news. O(parts) */
static void tell_partitions(answer *a, ks_fetch_response *out) {
    ks_fetch_set *set = a->fetch->set;
    bool session = a->fetch->session != NULL, untold = false;
    told so_far = { .count = 0 };
    const ks_fetch_part *before = NULL;
    ks_fetch_part *part = set->first, *next;
    for (int32_t left = set->count; left > 0; left--, before = part, part = next) {
        next = part->after;
        make_room(a, &so_far);
        partition_out *item = &so_far.items[so_far.count];
        fetch_partition(a, part, before, item);
        if (!is_news(part, item, &untold) && session) {
            *item = so_far.blank;
            continue;
        }
        so_far.parts[so_far.count++] = part;
        if (session && item->records.size > 0) to_the_end(part);
    }
    group_by_topic(a, &so_far, out);
    set->quiet = !untold && set->available == 0 && set->hanging == set->count;
}

static void name_leaders(answer *a, ks_fetch_response *out) {
    int32_t count = 0, i = 0;
    for (int32_t id = 1; id < 64; id++) count += (int32_t)(a->leaders >> id & 1);
    KS_RESPONSE_ARRAY(a->response, out->node_endpoints, count, fetch_response_node_endpoint);
    for (int32_t id = 1; id < 64; id++) {
        if (!(a->leaders >> id & 1)) continue;
        const ks_broker *broker = ks_cluster_broker_find(a->fetch->broker->cluster, id);
        ks_fetch_response_node_endpoint *endpoint = &out->node_endpoints.items[i++];
        endpoint->node_id = id;
        endpoint->host = broker->host;
        endpoint->port = broker->port;
        endpoint->rack = broker->rack;
    }
}

static int64_t bytes_limit(const ks_broker *broker, const ks_fetch_request *in) {
    int64_t most = broker->cluster->settings[KS_SETTING_fetch_max_bytes];
    return in->max_bytes < most ? in->max_bytes : most;
}

int32_t ks_fetch_answer(ks_fetch *fetch) {
    ks_broker *broker = fetch->broker;
    const ks_envelope *request = fetch->request->envelope;
    const ks_fetch_request *in = request->body;
    answer a = { .fetch = fetch,
                 .in = in,
                 .response = ks_response_new(fetch->request),
                 .version = request->api_version,
                 .left = bytes_limit(broker, in) };
    ks_fetch_response *out = a.response->body;
    if (!fetch->set->quiet) tell_partitions(&a, out);
    if (a.leaders != 0) name_leaders(&a, out);
    if (fetch->session != NULL) out->session_id = ks_fetch_session_id(fetch->session);
    else if (a.version >= 7 && in->session_epoch == 0)
        out->session_id = ks_fetch_session_start(broker->fetch_sessions, fetch->set, a.version >= 13, request->client_id);
    if (a.bytes > 0) ks_progress(broker->cluster->kernel);
    ks_respond(fetch->request, a.response);
    return a.bytes;
}

void ks_fetch_refuse(ks_request *request, kafka_error error) {
    ks_envelope *response = ks_response_new(request);
    ks_fetch_response *out = response->body;
    out->error_code = (int16_t)error;
    ks_respond(request, response);
}

/* ---- what the trace hears of waiting ---- */

static void tell_parked(const ks_fetch *fetch, int32_t max_wait_ms) {
    const ks_partition *first = fetch->set->known;
    KS_EMIT(fetch->broker->cluster->kernel, fetch->broker->node, fetch_parked, .topic = first->topic->name,
            .partition = first->index, .offset = fetch->set->from, .client = fetch->request->envelope->client_id,
            .max_wait_ms = max_wait_ms, .min_bytes = (int32_t)fetch->min_bytes);
}

void ks_fetch_tell_completed(const ks_fetch *fetch, ks_string client, int32_t bytes, const char *reason) {
    ks_kernel *kernel = fetch->broker->cluster->kernel;
    const ks_partition *first = fetch->set->known;
    KS_EMIT(kernel, fetch->broker->node, fetch_completed, .topic = first->topic->name, .partition = first->index,
            .client = client, .bytes = bytes,
            .waited_ms = (int32_t)((ks_now(kernel) - fetch->parked_at) / KS_MS), .reason = ks_str(reason));
}

/* ---- handling ---- */

static ks_fetch *fetch_of(ks_broker *broker, ks_request *request) {
    const ks_fetch_request *in = request->envelope->body;
    int32_t count = 0;
    ks_fetch_part *part;
    for (int32_t i = 0; i < in->topics.count; i++) count += in->topics.items[i].partitions.count;
    ks_fetch *fetch = ks_fetch_new(broker, request, count, &part);
    for (int32_t i = 0; i < in->topics.count; i++) {
        const ks_fetch_request_topic *topic = &in->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++, part++) {
            part->topic = topic->topic;
            part->topic_id = topic->topic_id;
            part->index = topic->partitions.items[j].partition;
            part->told_high_watermark = part->told_log_start = -1;
            ks_fetch_part_ask(part, &topic->partitions.items[j]);
            ks_fetch_part_append(fetch->set, part);
        }
    }
    return fetch;
}

/* The session's fetch, or the request's own; NULL: it was refused. */
static ks_fetch *session_fetch(ks_broker *broker, ks_request *request) {
    const ks_fetch_request *in = request->envelope->body;
    if (in->session_epoch <= 0) {
        if (in->session_id != 0) ks_fetch_session_close(broker->fetch_sessions, in->session_id, in->session_epoch < 0 ? "closed" : "replaced");
        return fetch_of(broker, request);
    }
    kafka_error error;
    ks_fetch *fetch = ks_fetch_session_continue(broker->fetch_sessions, request, &error);
    if (error != KAFKA_OK) ks_fetch_refuse(request, error);
    else if (fetch == NULL) fetch = fetch_of(broker, request);
    return fetch;
}

void ks_handle_fetch(ks_broker *broker, ks_request *request) {
    const ks_fetch_request *in = request->envelope->body;
    ks_fetch *fetch = request->envelope->api_version >= 7 ? session_fetch(broker, request) : fetch_of(broker, request);
    if (fetch == NULL) return;
    int64_t limit = bytes_limit(broker, in);
    fetch->min_bytes = in->min_bytes < limit ? in->min_bytes : limit;
    if (fetch->set->count == 0 || in->max_wait_ms <= 0 || has_news(fetch)) {
        ks_fetch_answer(fetch);
        ks_fetch_end(fetch);
        return;
    }
    ks_fetch_park(fetch, in->max_wait_ms);
    tell_parked(fetch, in->max_wait_ms);
}
