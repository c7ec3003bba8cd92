/* SPDX-License-Identifier: Apache-2.0
 *
 * Records by fixture: sorted by leader and partition, one Produce request a broker, one batch a partition and request,
 * until nothing is left. O(n log n).
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/control/sim.h"
#include "sim/protocol/record_batch.h"

enum { PRODUCE_VERSION = 9, PRODUCE_TIMEOUT_MS = 30000 };
static const char call_name[] = "ksim_put_messages";

typedef struct entry { /* one message and where it goes; nothing here can go away while a request is under way */
    const kafka_message *message;
    int32_t leader;      /* broker */
    int32_t topic_order; /* topics in the order in which they first come up */
    int64_t max_bytes;   /* max.message.bytes */
    size_t index;
} entry;

static int by_place(const void *left, const void *right) {
    const entry *a = left, *b = right;
    if (a->leader != b->leader) return a->leader < b->leader ? -1 : 1;
    if (a->topic_order != b->topic_order) return a->topic_order < b->topic_order ? -1 : 1;
    if (a->message->partition != b->message->partition) return a->message->partition < b->message->partition ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static bool same_partition(const entry *a, const entry *b) {
    return a->topic_order == b->topic_order && a->message->partition == b->message->partition;
}

typedef struct seen_topic {
    ks_string name;
    int32_t order;
    UT_hash_handle hh;
} seen_topic;

static int32_t order_of(seen_topic **seen, ks_string name) {
    seen_topic *found = NULL;
    KS_HASH_FIND_STRING(hh, *seen, name, found);
    if (found == NULL) {
        found = ks_alloc(sizeof *found);
        found->name = name;
        found->order = (int32_t)HASH_COUNT(*seen);
        KS_HASH_ADD_STRING(hh, *seen, name, found);
    }
    return found->order;
}

/* Finds every message's partition, and refuses them all when one has none. */
static kafka_error place(ksim *sim, const kafka_message *messages, size_t count, entry *entries) {
    seen_topic *seen = NULL, *item, *next;
    kafka_error error = KAFKA_OK;
    for (size_t i = 0; i < count && error == KAFKA_OK; i++) {
        const kafka_message *message = &messages[i];
        const char *name = message->topic ? message->topic : "(NULL)";
        const ks_partition *partition = ks_cluster_partition_find(sim->cluster, ks_str(name), message->partition);
        if (partition == NULL) {
            error = ks_sim_fail(sim, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION,
                                "%s: message %zu: there is no partition %.200s[%d]", call_name, i, name,
                                message->partition);
        } else if (ks_partition_leader(partition) == NULL) {
            error = ks_sim_fail(sim, KAFKA_ERR_LEADER_NOT_AVAILABLE, "%s: message %zu: %.200s[%d] has no leader now",
                                call_name, i, name, message->partition);
        } else {
            int64_t max_bytes = partition->topic->config->value[KS_TOPIC_max_message_bytes];
            entries[i] = (entry){ message, partition->leader, order_of(&seen, ks_str(name)), max_bytes, i };
        }
    }
    HASH_ITER(hh, seen, item, next) {
        HASH_DELETE(hh, seen, item);
        ks_free(item);
    }
    return error;
}

static ks_bytes to_bytes(kafka_bytes bytes) {
    return bytes.data ? (ks_bytes){ bytes.data, (int32_t)bytes.size } : KS_NULL_BYTES;
}

static void add(ks_batch_builder *builder, const kafka_message *message, int64_t now_ms) {
    ks_record_header_in *headers = NULL;
    if (message->header_count) headers = ks_alloc(sizeof *headers * message->header_count);
    for (size_t i = 0; i < message->header_count; i++) {
        const kafka_header *header = &message->headers[i];
        headers[i] = (ks_record_header_in){ { header->key.data ? header->key.data : "", (int32_t)header->key.size },
                                            to_bytes(header->value) };
    }
    int64_t time_ms = message->time ? message->time / KS_MS : now_ms;
    ks_batch_add(builder, to_bytes(message->key), to_bytes(message->value), headers, (int32_t)message->header_count,
                 time_ms);
    ks_free(headers);
}

/* One batch of what comes first in [from, to), all of one partition. Returns how many entries it took. */
static size_t make_batch(ksim *sim, ks_batch_builder *builder, const entry *from, const entry *to, ks_arena *arena,
                         ks_bytes *records) {
    int64_t now_ms = ks_now_ms(sim->kernel);
    size_t taken = 0;
    ks_batch_begin(builder, KS_CODEC_NONE);
    for (const entry *at = from; at < to; at++, taken++) {
        int64_t size =
            40 + (int64_t)at->message->key.size + (int64_t)at->message->value.size; /* a generous guess of its frame */
        for (size_t i = 0; i < at->message->header_count; i++) {
            size += 10 + (int64_t)at->message->headers[i].key.size + (int64_t)at->message->headers[i].value.size;
        }
        if (taken > 0 && (int64_t)builder->bytes.size + size > from->max_bytes) break;
        add(builder, at->message, now_ms);
    }
    *records = ks_arena_bytes(arena, ks_batch_finish(builder));
    return taken;
}

typedef struct run { /* the entries of one partition */
    const entry *from, *to;
} run;

static void fill(ksim *sim, ks_batch_builder *builder, ks_envelope *request, run *runs, size_t run_count) {
    ks_produce_request *body = request->body;
    body->acks = -1;
    body->timeout_ms = PRODUCE_TIMEOUT_MS;
    body->topic_data.items = ks_arena_alloc(request->arena, sizeof *body->topic_data.items * run_count);
    ks_produce_request_partition_produce_data *partitions =
        ks_arena_alloc(request->arena, sizeof *partitions * run_count);
    int32_t topic = -1;
    for (size_t i = 0; i < run_count; i++) {
        if (runs[i].from == runs[i].to) continue;
        if (runs[i].from->topic_order != topic) {
            topic = runs[i].from->topic_order;
            body->topic_data.items[body->topic_data.count++] =
                (ks_produce_request_topic_produce_data){ .name = ks_arena_string(request->arena,
                                                                                 ks_str(runs[i].from->message->topic)),
                                                         .partition_data = { partitions, 0 } };
        }
        ks_produce_request_topic_produce_data *data = &body->topic_data.items[body->topic_data.count - 1];
        partitions->index = runs[i].from->message->partition;
        runs[i].from += make_batch(sim, builder, runs[i].from, runs[i].to, request->arena, &partitions->records);
        data->partition_data.count++;
        partitions++;
    }
}

static kafka_error first_error(ksim *sim, const ks_produce_response *answer) {
    for (int32_t i = 0; i < answer->responses.count; i++) {
        const ks_produce_response_topic_produce_response *topic = &answer->responses.items[i];
        for (int32_t j = 0; j < topic->partition_responses.count; j++) {
            const ks_produce_response_partition_produce_response *partition = &topic->partition_responses.items[j];
            kafka_error error = (kafka_error)partition->error_code;
            ks_string words = partition->error_message;
            if (error == KAFKA_OK) continue;
            return ks_sim_fail(sim, error, "%s: %.*s[%d]: %s: %.*s", call_name, (int)topic->name.size, topic->name.data,
                               partition->index, kafka_error_name(error), words.size > 0 ? (int)words.size : 100,
                               words.size > 0 ? words.data : kafka_error_text(error));
        }
    }
    return KAFKA_OK;
}

static bool all_sent(const run *runs, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (runs[i].from < runs[i].to) return false;
    }
    return true;
}

/* The runs of one broker. */
static kafka_error send_runs(ksim *sim, ks_batch_builder *builder, run *runs, size_t count) {
    ks_broker *broker = ks_cluster_broker_find(sim->cluster, runs[0].from->leader);
    do {
        ks_envelope *request = ks_sim_request(sim, KS_API_produce, PRODUCE_VERSION), *response;
        fill(sim, builder, request, runs, count);
        kafka_error error = ks_sim_ask(sim, call_name, broker, request, &response);
        if (error) return error;
        error = first_error(sim, response->body);
        ks_envelope_free(sim->kernel, response);
        if (error) return error;
    } while (!all_sent(runs, count));
    return KAFKA_OK;
}

static kafka_error send_all(ksim *sim, const entry *entries, size_t count) {
    run *runs = ks_alloc(sizeof *runs * count);
    size_t run_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !same_partition(&entries[i], &entries[i - 1])) runs[run_count++].from = &entries[i];
        runs[run_count - 1].to = &entries[i + 1];
    }
    ks_batch_builder builder = { 0 };
    kafka_error error = KAFKA_OK;
    for (size_t i = 0, end; i < run_count && error == KAFKA_OK; i = end) {
        int32_t leader = runs[i].from->leader;
        for (end = i; end < run_count && runs[end].from->leader == leader; end++) {
        }
        error = send_runs(sim, &builder, runs + i, end - i);
    }
    ks_batch_builder_deinit(&builder);
    ks_free(runs);
    return error;
}

kafka_error ksim_put_messages(ksim *sim, const kafka_message *messages, size_t count) {
    kafka_error error = ks_sim_check(sim);
    if (error || count == 0) return error;
    if (messages == NULL) return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "%s: messages is NULL", call_name);
    entry *entries = ks_alloc(sizeof *entries * (count + 1));
    error = place(sim, messages, count, entries);
    if (error == KAFKA_OK) {
        qsort(entries, count, sizeof *entries, by_place);
        error = send_all(sim, entries, count);
    }
    ks_free(entries);
    return error;
}

kafka_error ksim_put(ksim *sim, const char *topic, int32_t partition, const char *key, const char *value) {
    kafka_message message = {
        .topic = topic, .partition = partition, .key = kafka_string(key), .value = kafka_string(value)
    };
    return ksim_put_messages(sim, &message, 1);
}
