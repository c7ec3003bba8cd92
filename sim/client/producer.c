/* SPDX-License-Identifier: Apache-2.0
 *
 * Routing messages into batches: when a batch opens, fills, times out (kafka-go writer.go:
 * partitionWriter.writeMessages, awaitBatch). See producer.h.
 */
#include "sim/client/producer_internal.h"
#include "sim/protocol/events.h"

/* ---- topics and partitions ---- */

static void linger_over(ks_timer *timer);

ks_producer_topic *ks_producer_topic_get(ks_producer *producer, const char *name) {
    ks_string key = ks_str(name);
    ks_producer_topic *topic;
    KS_HASH_FIND_STRING(hh, producer->topics, key, topic);
    if (topic != NULL) return topic;
    topic = ks_alloc(sizeof *topic);
    topic->name = ks_string_dup(key);
    topic->producer = producer;
    topic->partitions_end = &topic->partitions;
    KS_HASH_ADD_STRING(hh, producer->topics, name, topic);
    return topic;
}

ks_string ks_producer_topic_name(const ks_producer_topic *topic) { return topic->name; }

static ks_producer_partition *partition_new(ks_producer_topic *topic, int32_t id) {
    ks_producer *producer = topic->producer;
    ks_producer_partition *partition = ks_alloc(sizeof *partition);
    partition->topic = topic;
    partition->id = id;
    partition->queue_end = &partition->queue;
    ks_timer_init(&partition->linger, producer->node, linger_over, partition);
    ks_timer_init(&partition->backoff, producer->node, ks_producer_backoff_over, partition);
    *topic->partitions_end = partition;
    topic->partitions_end = &partition->next;
    return partition;
}

/* Numbers that no topic has come from balancers that are wrong: rare, so a list serves them. */
static ks_producer_partition *find_odd(ks_producer_topic *topic, int32_t id) {
    for (ks_producer_partition *partition = topic->partitions; partition != NULL; partition = partition->next)
        if (partition->id == id) return partition;
    return partition_new(topic, id);
}

static ks_producer_partition *partition_get(ks_producer_topic *topic, int32_t id) {
    enum { ID_LIMIT = 1 << 20 };
    if (id >= 0 && id < topic->limit && topic->by_id[id] != NULL) return topic->by_id[id];
    if (id < 0 || id >= ID_LIMIT) return find_odd(topic, id);
    if (id >= topic->limit) {
        int32_t limit = topic->limit > 0 ? topic->limit : 8;
        while (limit <= id) limit *= 2;
        topic->by_id = ks_realloc(topic->by_id, (size_t)limit * sizeof *topic->by_id);
        for (int32_t i = topic->limit; i < limit; i++) topic->by_id[i] = NULL;
        topic->limit = limit;
    }
    return topic->by_id[id] = partition_new(topic, id);
}

/* ---- batches open and close ---- */

static void close_batch(ks_producer_partition *partition, const char *reason) {
    ks_producer *producer = partition->topic->producer;
    ks_producer_batch *batch = partition->open;
    partition->open = NULL;
    ks_timer_stop(&partition->linger);
    *partition->queue_end = batch;
    partition->queue_end = &batch->next;
    KS_EMIT(producer->kernel, producer->node, produce_batch_sealed, .client = producer->client,
            .topic = partition->topic->name, .partition = partition->id, .count = batch->count,
            .bytes = (int32_t)batch->bytes, .reason = ks_str(reason));
    ks_producer_send_next(partition);
}

static void linger_over(ks_timer *timer) { close_batch(timer->owner, "timeout"); }

static ks_producer_batch *open_batch(ks_producer_partition *partition) {
    ks_producer *producer = partition->topic->producer;
    partition->open = ks_producer_batch_take(partition);
    producer->unfinished++;
    ks_timer_start(producer->kernel, &partition->linger, producer->config.batch_timeout);
    return partition->open;
}

static int32_t slot_in(ks_producer_batch *batch, ks_write *write) {
    int32_t last = batch->waiters.count - 1;
    if (last >= 0 && batch->waiters.items[last].write == write) return batch->waiters.items[last].slot;
    int32_t slot = write->results.count;
    KS_PUSH(write->results, KAFKA_OK);
    write->pending++;
    KS_PUSH(batch->waiters, (ks_batch_waiter){ write, slot });
    return slot;
}

void ks_write_append(ks_write *write, size_t index, ks_producer_topic *topic, int32_t id, const kafka_message *message,
                     int64_t size) {
    const ks_producer_config *config = &topic->producer->config;
    ks_producer_partition *partition = partition_get(topic, id);
    ks_producer_batch *batch = partition->open;
    if (batch != NULL && batch->bytes + size > config->batch_bytes) {
        close_batch(partition, "bytes");
        batch = NULL;
    }
    if (batch == NULL) batch = open_batch(partition);
    write->slots[index] = slot_in(batch, write);
    ks_producer_batch_add(batch, message, size);
    if (batch->count >= config->batch_size)
        close_batch(partition, "size");
    else if (batch->bytes >= config->batch_bytes)
        close_batch(partition, "bytes");
}

void ks_producer_flush(ks_producer *producer) {
    for (ks_producer_topic *topic = producer->topics; topic != NULL; topic = topic->hh.next)
        for (ks_producer_partition *partition = topic->partitions; partition != NULL; partition = partition->next)
            if (partition->open != NULL) close_batch(partition, "close");
}

int64_t ks_producer_unfinished(const ks_producer *producer) { return producer->unfinished; }

/* ---- life ---- */

ks_producer *ks_producer_new(ks_transport *transport, const ks_producer_config *config) {
    ks_producer *producer = ks_alloc(sizeof *producer);
    ks_process *process = ks_transport_process(transport);
    producer->transport = transport;
    producer->config = *config;
    producer->kernel = ks_process_kernel(process);
    producer->node = ks_process_node(process);
    producer->client = ks_str(ks_node_name(producer->node));
    return producer;
}

static int64_t abort_batch(ks_producer_batch *batch, kafka_error error) {
    ks_producer_partition *partition = batch->partition;
    ks_producer *producer = partition->topic->producer;
    int64_t count = batch->count;
    producer->unfinished--;
    if (error == KAFKA_ERR_CLOSED)
        KS_EMIT(producer->kernel, producer->node, writer_batch_failed, .client = producer->client,
                .topic = partition->topic->name, .partition = partition->id, .count = batch->count,
                .error_code = error);
    for (int32_t i = 0; i < batch->waiters.count; i++)
        ks_write_batch_finished(batch->waiters.items[i].write, batch->waiters.items[i].slot, error);
    ks_producer_batch_put(batch);
    return count;
}

static int64_t abort_partition(ks_producer_partition *partition, kafka_error error) {
    int64_t lost = 0;
    ks_timer_stop(&partition->linger);
    ks_timer_stop(&partition->backoff);
    ks_exchange_drop(partition->exchange);
    partition->exchange = NULL;
    partition->sending = false;
    for (ks_producer_batch *batch; (batch = partition->queue) != NULL;) {
        partition->queue = batch->next;
        lost += abort_batch(batch, error);
    }
    partition->queue_end = &partition->queue;
    if (partition->open != NULL) lost += abort_batch(partition->open, error);
    partition->open = NULL;
    return lost;
}

int64_t ks_producer_abort(ks_producer *producer, kafka_error error) {
    int64_t lost = 0;
    for (ks_producer_topic *topic = producer->topics; topic != NULL; topic = topic->hh.next)
        for (ks_producer_partition *partition = topic->partitions; partition != NULL; partition = partition->next)
            lost += abort_partition(partition, error);
    return lost;
}

static void topic_free(ks_producer_topic *topic) {
    for (ks_producer_partition *partition = topic->partitions, *next; partition != NULL; partition = next) {
        next = partition->next;
        ks_free(partition);
    }
    ks_free(topic->by_id);
    ks_free((void *)topic->name.data);
    ks_free(topic);
}

void ks_producer_free(ks_producer *producer) {
    if (producer == NULL) return;
    ks_producer_abort(producer, KAFKA_ERR_RUN_ENDED);
    ks_producer_topic *topic, *next;
    HASH_ITER(hh, producer->topics, topic, next) {
        HASH_DEL(producer->topics, topic);
        topic_free(topic);
    }
    for (ks_producer_batch *batch; (batch = producer->spare_batches) != NULL;) {
        producer->spare_batches = batch->next;
        ks_producer_batch_free(batch);
    }
    ks_writes_free(producer);
    ks_batch_builder_deinit(&producer->scratch);
    ks_free(producer->messages.items);
    ks_free(producer->headers.items);
    ks_free(producer->header_scratch.items);
    ks_free(producer);
}
