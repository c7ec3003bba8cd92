/* SPDX-License-Identifier: Apache-2.0
 *
 * Records out of what was fetched (FetchCollector, CompletedFetch). Buffered data counts only if its partition is assigned,
 * fetchable, and its first record not delivered yet lies exactly at the position; else it is dropped. Data of a paused
 * partition waits at its place. */
#include "sim/client/java_internal.h"

bool ks_java_is_buffered(const ks_consumer *c, ks_java_key key) {
    for (const ks_java_fetched *f = c->fetched; f; f = f->next)
        if (f->key.topic == key.topic && f->key.partition == key.partition) return true;
    return false;
}

static void drop(ks_consumer *c, ks_java_fetched **link) {
    ks_java_fetched *f = *link;
    c->fetch_changes++;
    *link = f->next;
    if (f->next == NULL) c->fetched_end = link;
    if (f->begun) ks_records_end(&f->records);
    ks_block_release(f->raw);
    ks_free(f->aborted.items);
    if (--f->response->references == 0) {
        ks_envelope_free(c->kernel, f->response->envelope);
        ks_free(f->response);
    }
    ks_java_partition *p = ks_java_partition_find(c, f->key);
    if (p) p->buffered = ks_java_is_buffered(c, f->key);
    ks_free(f);
}

void ks_java_drain_free(ks_consumer *c) {
    while (c->fetched) drop(c, &c->fetched);
}

void ks_java_drain_drop_topics(ks_consumer *c) {
    for (ks_java_fetched **link = &c->fetched; *link;)
        if (ks_java_subscribed_to(c, ks_java_key_topic(c, (*link)->key))) link = &(*link)->next;
        else drop(c, link);
}

/* ---- one partition's records ---- */

/* The block that the bytes lie in; a copy of them when they came over a wire and so lie in the answer itself. */
static ks_block *block_of(const ks_envelope *envelope, ks_bytes *bytes) {
    for (const ks_block_ref *ref = envelope->blocks; ref; ref = ref->next)
        if (bytes->data >= ref->block->data && bytes->data < ref->block->data + ref->block->capacity) return ks_block_hold(ref->block);
    ks_block *copy = ks_block_new(bytes->size);
    memcpy(copy->data, bytes->data, (size_t)bytes->size);
    bytes->data = copy->data;
    return copy;
}

static void begin(ks_java_fetched *f) {
    ks_bytes bytes = f->data->records;
    f->raw = block_of(f->response->envelope, &bytes);
    ks_records_begin(&f->records, bytes);
    f->begun = true;
}

/* read_committed: is this batch part of a transaction that was aborted? The list is sorted by first offset; a producer is on it
 * from there until its abort marker. */
static bool is_aborted(ks_java_fetched *f) {
    const ks_batch_header *header = &f->records.header;
    while (f->aborted_next < f->data->aborted_transactions.count &&
           f->data->aborted_transactions.items[f->aborted_next].first_offset <= ks_batch_last_offset(header)) {
        KS_PUSH(f->aborted, f->data->aborted_transactions.items[f->aborted_next].producer_id);
        f->aborted_next++;
    }
    int32_t at = -1;
    for (int32_t i = 0; i < f->aborted.count && at < 0; i++)
        if (f->aborted.items[i] == header->producer_id) at = i;
    if (at < 0) return false;
    if (!(header->attributes & KS_ATTRIBUTE_CONTROL)) return (header->attributes & KS_ATTRIBUTE_TRANSACTIONAL) != 0;
    f->aborted.items[at] = f->aborted.items[--f->aborted.count]; /* its marker ends it */
    return true;
}

static bool next_record(ks_consumer *c, ks_java_fetched *f) {
    if (f->has_record) return true;
    if (!f->begun) begin(f);
    for (;;) {
        while (f->records.left > 0 && ks_records_next(&f->records, &f->record)) {
            if (f->record.offset < f->next_offset) continue;
            f->last_epoch = f->records.header.leader_epoch;
            return f->has_record = true;
        }
        if (f->records.header.record_count > 0 && ks_batch_last_offset(&f->records.header) + 1 > f->next_offset)
            f->next_offset = ks_batch_last_offset(&f->records.header) + 1; /* compaction may have taken the last records */
        bool skip;
        do {
            if (f->records.failed || !ks_records_next_batch(&f->records)) return false;
            skip = (c->config.read_committed && is_aborted(f)) || (f->records.header.attributes & KS_ATTRIBUTE_CONTROL);
            if (skip && ks_batch_last_offset(&f->records.header) + 1 > f->next_offset)
                f->next_offset = ks_batch_last_offset(&f->records.header) + 1;
        } while (skip);
    }
}

/* ---- the queue ---- */

static void exhausted(ks_consumer *c, ks_java_fetched **link, ks_java_partition *p) {
    ks_java_fetched *f = *link;
    if (f->records.failed) {
        ks_java_fail_with(c, f->records.error, "the records of %s-%d at offset %lld cannot be read", ks_java_topic_of(c, p).data,
                        p->key.partition, (long long)f->next_offset);
    } else if (f->next_offset > p->position) {
        p->position = f->next_offset;
    }
    drop(c, link);
}

/* The first one in the queue that can deliver, with its record prepared. */
static ks_java_fetched *deliverable(ks_consumer *c) {
    for (ks_java_fetched **link = &c->fetched; *link;) {
        ks_java_fetched *f = *link;
        ks_java_partition *p = ks_java_partition_find(c, f->key);
        if (p && p->paused && p->state == KS_FETCH_FETCHING) {
            link = &f->next;
        } else if (p == NULL || !ks_java_partition_is_fetchable(p) || p->position != f->next_offset) {
            drop(c, link);
        } else if (next_record(c, f)) {
            return f;
        } else {
            exhausted(c, link, p);
            if (c->error) return NULL;
        }
    }
    return NULL;
}

bool ks_java_drain_has_records(ks_consumer *c) { return c->fetched && deliverable(c); }

void ks_java_drain_report(ks_consumer *c) {
    if (c->run.count > 0)
        KS_EMIT(c->kernel, c->node, records_delivered, .client = ks_str(ks_node_name(c->node)), .group = c->group_id,
                .member = c->member_id, .topic = ks_java_key_topic(c, c->run.key), .partition = c->run.key.partition,
                .first_offset = c->run.first, .last_offset = c->run.last, .count = c->run.count);
    c->run.count = 0;
}

static void count_delivered(ks_consumer *c, const ks_java_fetched *f) {
    if (c->run.count > 0 && (c->run.key.topic != f->key.topic || c->run.key.partition != f->key.partition)) ks_java_drain_report(c);
    if (c->run.count++ == 0) {
        c->run.key = f->key;
        c->run.first = f->record.offset;
    }
    c->run.last = f->record.offset;
}

bool ks_consumer_take(ks_consumer *c, ks_consumer_record *out) {
    ks_java_fetched *f = c->take_left > 0 && c->fetched ? deliverable(c) : NULL;
    if (f == NULL) {
        ks_java_drain_report(c);
        return false;
    }
    ks_java_partition *p = ks_java_partition_find(c, f->key);
    *out = (ks_consumer_record){ ks_java_topic_of(c, p), p->key.partition, f->record, f->records.block ? f->records.block : f->raw, p->high_watermark };
    f->has_record = false;
    f->next_offset = f->record.offset + 1;
    p->position = f->next_offset;
    p->position_epoch = f->last_epoch;
    c->take_left--;
    c->fetch_ahead = true;
    count_delivered(c, f);
    return true;
}
