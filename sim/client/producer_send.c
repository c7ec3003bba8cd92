/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing the batches of one partition, one after the other (kafka-go writer.go: partitionWriter.writeBatches,
 * writeBatch; Client.Produce). With the defaults and a refusal that may be retried the attempts start 0, 100, 500,
 * 1400, 2400, 3400 ms after the flush (and the round trips in between).
 */
#include "sim/client/producer_internal.h"
#include "sim/protocol/error.h"
#include "sim/protocol/events.h"

static void attempt(ks_producer_partition *partition);

void ks_producer_send_next(ks_producer_partition *partition) {
    if (partition->sending || partition->queue == NULL) return;
    partition->sending = true;
    partition->attempt = 0;
    attempt(partition);
}

void ks_producer_finish(ks_producer_batch *batch) {
    ks_producer_partition *partition = batch->partition;
    ks_producer *producer = partition->topic->producer;
    ks_assert(partition->queue == batch && partition->sending);
    partition->queue = batch->next;
    if (partition->queue == NULL) partition->queue_end = &partition->queue;
    partition->sending = false;
    for (int32_t i = 0; i < batch->waiters.count; i++)
        ks_write_batch_finished(batch->waiters.items[i].write, batch->waiters.items[i].slot, batch->error);
    ks_producer_batch_put(batch);
    producer->unfinished--;
    ks_producer_send_next(partition);
    if (producer->unfinished == 0 && producer->config.drained != NULL) producer->config.drained(producer->config.owner);
}

static void through(ks_producer_partition *partition, kafka_error error) {
    ks_producer *producer = partition->topic->producer;
    ks_producer_batch *batch = partition->queue;
    batch->error = error;
    if (error == KAFKA_OK)
        KS_EMIT(producer->kernel, producer->node, produce_batch_written, .client = producer->client,
                .topic = partition->topic->name, .partition = partition->id, .count = batch->count,
                .base_offset = batch->base_offset, .attempts = partition->attempt + 1);
    else
        KS_EMIT(producer->kernel, producer->node, writer_batch_failed, .client = producer->client,
                .topic = partition->topic->name, .partition = partition->id, .count = batch->count, .error_code = error,
                .attempts = partition->attempt + 1);
    if (producer->config.told != NULL)
        producer->config.told(producer->config.owner, batch);
    else
        ks_producer_finish(batch);
}

static void failed_once(ks_producer_partition *partition, kafka_error error) {
    ks_producer *producer = partition->topic->producer;
    const ks_producer_config *config = &producer->config;
    if (!kafka_error_is_temporary(error) || partition->attempt + 1 >= config->max_attempts) {
        through(partition, error);
        return;
    }
    partition->attempt++;
    int64_t wait = ks_backoff(partition->attempt, config->backoff_min, config->backoff_max);
    KS_EMIT(producer->kernel, producer->node, produce_retry, .client = producer->client,
            .topic = partition->topic->name, .partition = partition->id, .attempt = partition->attempt,
            .error_code = error, .backoff_ms = (int32_t)(wait / KS_MS));
    ks_timer_start(producer->kernel, &partition->backoff, wait);
}

void ks_producer_backoff_over(ks_timer *timer) { attempt(timer->owner); }

static void answered(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_producer_partition *partition = owner;
    ks_producer_batch *batch = partition->queue;
    partition->exchange = NULL;
    batch->answered = false;
    if (envelope != NULL) {
        const ks_produce_response *response = envelope->body;
        if (response->responses.count < 1 || response->responses.items[0].partition_responses.count < 1) {
            error = KAFKA_ERR_UNKNOWN_SERVER_ERROR;
        } else {
            const ks_produce_response_partition_produce_response *result =
                &response->responses.items[0].partition_responses.items[0];
            error = (kafka_error)result->error_code;
            batch->answered = true;
            batch->base_offset = error == KAFKA_OK ? result->base_offset : -1;
            batch->log_append_time_ms = result->log_append_time_ms;
        }
    }
    if (error == KAFKA_OK)
        through(partition, KAFKA_OK);
    else
        failed_once(partition, error);
}

static void attempt(ks_producer_partition *partition) {
    ks_producer *producer = partition->topic->producer;
    const ks_producer_config *config = &producer->config;
    ks_producer_batch *batch = partition->queue;
    ks_envelope *envelope = ks_transport_request(producer->transport, KS_API_produce);
    ks_produce_request *request = envelope->body;
    ks_produce_request_topic_produce_data *topic = ks_arena_alloc(envelope->arena, sizeof *topic);
    ks_produce_request_partition_produce_data *data = ks_arena_alloc(envelope->arena, sizeof *data);
    data->index = partition->id;
    data->records = ks_producer_batch_seal(batch);
    ks_envelope_hold(envelope, batch->block);
    topic->name = ks_arena_string(envelope->arena, partition->topic->name);
    topic->partition_data.items = data;
    topic->partition_data.count = 1;
    request->transactional_id = KS_NULL_STRING;
    request->acks = config->acks;
    request->timeout_ms = (int32_t)(config->write_timeout / 2 / KS_MS);
    request->topic_data.items = topic;
    request->topic_data.count = 1;
    ks_route route = { .to = KS_ROUTE_LEADER, .topic = partition->topic->name, .partition = partition->id };
    partition->exchange = ks_transport_send(producer->transport, &route, envelope, config->acks != 0,
                                            config->write_timeout, answered, partition);
}
