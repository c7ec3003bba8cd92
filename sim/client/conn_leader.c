/* SPDX-License-Identifier: Apache-2.0
 *
 * See conn_leader.h. Opening is not reported apart from the first request's failure, so the dial timeout bounds both: a
 * broker that takes the connection but answers nothing is given up after it, where kafka-go would wait for ever.
 */
#include "sim/client/conn_leader.h"

#define LOOKUP_BACKOFF_MIN (100 * KS_MS)
#define LOOKUP_BACKOFF_MAX (10 * KS_S)

static void ask_metadata(ks_leader_dial *dial);

bool ks_dial_failed(kafka_error error) {
    return error == KAFKA_ERR_CONNECTION_REFUSED || error == KAFKA_ERR_DEADLINE_EXCEEDED;
}

static void hang_up(ks_leader_dial *dial) {
    ks_ask_drop(&dial->ask);
    ks_channel_close(dial->channel);
    dial->channel = NULL;
}

static void try_seed(ks_leader_dial *dial) {
    if (dial->seed >= dial->seeds->count) {
        dial->done(dial->owner, dial->last, NULL);
        return;
    }
    const ks_seed *seed = &dial->seeds->items[dial->seed];
    dial->channel = ks_channel_dial(dial->process, seed->host, seed->port, NULL, NULL);
    dial->attempt = 0;
    ask_metadata(dial);
}

static void next_seed(ks_leader_dial *dial, kafka_error why) {
    hang_up(dial);
    dial->last = why;
    dial->seed++;
    try_seed(dial);
}

static void ask_again(ks_leader_dial *dial) {
    dial->attempt++;
    ks_timer_start_background(ks_process_kernel(dial->process), &dial->again,
                              ks_backoff(dial->attempt, LOOKUP_BACKOFF_MIN, LOOKUP_BACKOFF_MAX));
}

static const ks_metadata_response_partition *find_partition(const ks_metadata_response *response, int32_t partition) {
    if (response->topics.count < 1) return NULL;
    const ks_metadata_response_topic *topic = &response->topics.items[0];
    for (int32_t i = 0; i < topic->partitions.count; i++)
        if (topic->partitions.items[i].partition_index == partition) return &topic->partitions.items[i];
    return NULL;
}

/* A partition without a leader leads to nowhere: kafka-go dials an empty address, which fails. */
static void dial_leader(ks_leader_dial *dial, const ks_metadata_response *response, int32_t leader) {
    const ks_metadata_response_broker *broker = ks_conn_broker(response, leader);
    ks_channel *channel =
        ks_channel_dial(dial->process, broker ? broker->host : KS_LITERAL(""), broker ? broker->port : 0, NULL, NULL);
    hang_up(dial);
    dial->done(dial->owner, KAFKA_OK, channel);
}

static void got_metadata(void *owner, kafka_error error, const ks_envelope *envelope) {
    ks_leader_dial *dial = owner;
    const ks_metadata_response *response = envelope ? envelope->body : NULL;
    if (error == KAFKA_OK && response->topics.count > 0) error = (kafka_error)response->topics.items[0].error_code;
    const ks_metadata_response_partition *partition = error ? NULL : find_partition(response, dial->partition);
    if (partition != NULL)
        dial_leader(dial, response, partition->leader_id);
    else if (error == KAFKA_OK || ks_code_is_temporary(error)) {
        if (dial->trouble != NULL) dial->trouble(dial->owner, error ? error : KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION);
        ask_again(dial);
    } else
        next_seed(dial, error);
}

static void ask_metadata(ks_leader_dial *dial) {
    ks_ask_send(&dial->ask, dial->process, dial->channel, ks_conn_metadata(dial->channel, &dial->topic, 1),
                dial->dial_timeout_ns, got_metadata, dial);
}

static void again(ks_timer *timer) { ask_metadata(timer->owner); }

void ks_leader_dial_init(ks_leader_dial *dial) {
    ks_timer_init(&dial->again, ks_process_node(dial->process), again, dial);
}

void ks_leader_dial_start(ks_leader_dial *dial) {
    ks_leader_dial_stop(dial);
    dial->seed = 0;
    dial->last = KAFKA_ERR_CONNECTION_REFUSED;
    try_seed(dial);
}

void ks_leader_dial_next(ks_leader_dial *dial, kafka_error why) { next_seed(dial, why); }

void ks_leader_dial_stop(ks_leader_dial *dial) {
    ks_timer_stop(&dial->again);
    hang_up(dial);
}
