/* SPDX-License-Identifier: Apache-2.0
 *
 * From a fetch answer to records for the application: they stay where they are (a log's block, or the block a batch was
 * decompressed into) and are only pointed to. What the application never sees, as in Java and unlike kafka-go, which lets it
 * through (issue 1332): control records, and under read_committed the records of aborted transactions.
 */
#include "sim/client/fetcher.h"

/* ---- aborted transactions (Java: CompletedFetch.consumeAbortedTransactionsUpTo) ---- */

static void keep_aborted(ks_fetcher *fetcher, const ks_fetch_response_partition_data *data) {
    fetcher->aborted.count = fetcher->aborted_producers.count = fetcher->aborted_next = 0;
    for (int32_t i = 0; i < data->aborted_transactions.count; i++) { /* brokers send them sorted: linear then */
        ks_fetch_response_aborted_transaction item = data->aborted_transactions.items[i];
        KS_PUSH(fetcher->aborted, item);
        int32_t at = fetcher->aborted.count - 1;
        for (; at > 0 && fetcher->aborted.items[at - 1].first_offset > item.first_offset; at--)
            fetcher->aborted.items[at] = fetcher->aborted.items[at - 1];
        fetcher->aborted.items[at] = item;
    }
}

static int32_t find_aborted(const ks_fetcher *fetcher, int64_t producer_id) {
    for (int32_t i = 0; i < fetcher->aborted_producers.count; i++)
        if (fetcher->aborted_producers.items[i] == producer_id) return i;
    return -1;
}

static void begin_aborted_up_to(ks_fetcher *fetcher, int64_t offset) {
    while (fetcher->aborted_next < fetcher->aborted.count &&
           fetcher->aborted.items[fetcher->aborted_next].first_offset <= offset) {
        int64_t producer_id = fetcher->aborted.items[fetcher->aborted_next++].producer_id;
        if (find_aborted(fetcher, producer_id) < 0) KS_PUSH(fetcher->aborted_producers, producer_id);
    }
}

/* A control record's key is its version and its type, two bytes each; type 0 ends an aborted transaction. */
static bool is_abort_marker(ks_record_iterator *records) {
    ks_record record;
    return ks_records_next(records, &record) && record.key.size >= 4 && record.key.data[2] == 0 &&
           record.key.data[3] == 0;
}

static bool hide_batch(ks_fetcher *fetcher) {
    const ks_batch_header *header = &fetcher->records.header;
    bool control = header->attributes & KS_ATTRIBUTE_CONTROL;
    if (fetcher->settings->isolation_level == 1 && header->producer_id >= 0) {
        begin_aborted_up_to(fetcher, ks_batch_last_offset(header));
        int32_t index = find_aborted(fetcher, header->producer_id);
        if (index >= 0 && control && is_abort_marker(&fetcher->records))
            fetcher->aborted_producers.items[index] =
                fetcher->aborted_producers.items[--fetcher->aborted_producers.count];
        else if (index >= 0 && (header->attributes & KS_ATTRIBUTE_TRANSACTIONAL))
            return true;
    }
    return control;
}

/* ---- the answer ---- */

/* The block of the answer that these bytes lie in. */
static ks_block *block_of(const ks_envelope *response, ks_bytes bytes) {
    uintptr_t start = (uintptr_t)bytes.data;
    for (ks_block_ref *ref = response->blocks; ref != NULL; ref = ref->next) {
        uintptr_t data = (uintptr_t)ref->block->data;
        if (start >= data && start - data <= (uintptr_t)ref->block->capacity) return ks_block_hold(ref->block);
    }
    return NULL;
}

void ks_fetcher_open_records(ks_fetcher *fetcher, ks_envelope *response, const ks_fetch_response_partition_data *data) {
    ks_bytes bytes = data->records;
    fetcher->response = response;
    fetcher->high_watermark = data->high_watermark;
    fetcher->block = block_of(response, bytes);
    if (fetcher->block == NULL) { /* the bytes came over a real wire, or through the wire check */
        fetcher->block = ks_block_new(bytes.size);
        memcpy(fetcher->block->data, bytes.data, (size_t)bytes.size);
        bytes.data = fetcher->block->data;
    }
    keep_aborted(fetcher, data);
    ks_records_begin(&fetcher->records, bytes);
    fetcher->batch_end = fetcher->offset;
    fetcher->batch_hidden = false;
}

bool ks_fetcher_more_records(ks_fetcher *fetcher) {
    ks_record_iterator *records = &fetcher->records;
    while (records->left == 0 || fetcher->batch_hidden) {
        if (fetcher->offset < fetcher->batch_end)
            fetcher->offset = fetcher->batch_end; /* also over what compaction removed */
        if (!ks_records_next_batch(records)) return false;
        fetcher->batch_end = ks_batch_last_offset(&records->header) + 1;
        fetcher->batch_hidden = hide_batch(fetcher) || fetcher->batch_end <= fetcher->offset;
    }
    return !records->failed;
}

bool ks_fetcher_next_record(ks_fetcher *fetcher, ks_fetched *fetched) {
    ks_record_iterator *records = &fetcher->records;
    do {
        if (!ks_records_next(records, &fetched->record)) return false;
    } while (fetched->record.offset < fetcher->offset); /* the batch began before the wanted offset */
    fetched->block = ks_block_hold(records->block ? records->block : fetcher->block);
    fetched->high_watermark = fetcher->high_watermark;
    fetched->version = fetcher->version;
    fetched->source = fetcher->source;
    fetched->error = KAFKA_OK;
    fetcher->offset = fetched->record.offset + 1;
    return true;
}

void ks_fetcher_close_records(ks_fetcher *fetcher) {
    if (fetcher->response == NULL) return;
    ks_records_end(&fetcher->records);
    ks_block_release(fetcher->block);
    fetcher->block = NULL;
    ks_envelope_free(ks_process_kernel(fetcher->settings->process), fetcher->response);
    fetcher->response = NULL;
}
