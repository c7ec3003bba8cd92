/* SPDX-License-Identifier: Apache-2.0
 *
 * See conn_offsets.h.
 */
#include "sim/client/conn_offsets.h"

ks_envelope *ks_conn_list_offsets(ks_channel *channel, ks_string topic, int32_t partition, int64_t timestamp) {
    ks_envelope *envelope = ks_channel_request(channel, KS_API_list_offsets, 1);
    ks_list_offsets_request *request = envelope->body;
    request->replica_id = -1;
    request->topics.items = ks_arena_alloc(envelope->arena, sizeof *request->topics.items);
    request->topics.count = 1;
    ks_list_offsets_request_topic *asked = &request->topics.items[0];
    asked->name = ks_arena_string(envelope->arena, topic);
    asked->partitions.items = ks_arena_alloc(envelope->arena, sizeof *asked->partitions.items);
    asked->partitions.count = 1;
    ks_struct_default(ks_describe_list_offsets_request_partition(), &asked->partitions.items[0]);
    asked->partitions.items[0].partition_index = partition;
    asked->partitions.items[0].timestamp = timestamp;
    return envelope;
}

kafka_error ks_conn_listed_offset(const ks_envelope *envelope, int64_t *offset) {
    const ks_list_offsets_response *response = envelope->body;
    if (response->topics.count < 1 || response->topics.items[0].partitions.count < 1) return KAFKA_ERR_UNEXPECTED_EOF;
    const ks_list_offsets_response_partition_response *answer = &response->topics.items[0].partitions.items[0];
    *offset = answer->offset;
    return (kafka_error)answer->error_code;
}

static void hang_up(ks_offsets_ask *ask) {
    ks_call_drop(ask->call);
    ask->call = NULL;
    ks_channel_close(ask->channel);
    ask->channel = NULL;
}

static void finish(ks_offsets_ask *ask, kafka_error error) {
    ks_offsets_ask_stop(ask);
    ask->done(ask->owner, error);
}

static void ask_next(ks_offsets_ask *ask);

static void answered(void *owner, kafka_error error, const ks_envelope *response) {
    ks_offsets_ask *ask = owner;
    ask->call = NULL;
    if (ask->step == 0 && ks_dial_failed(error)) {
        hang_up(ask);
        ks_leader_dial_next(&ask->dial, error);
        return;
    }
    if (error == KAFKA_OK) error = ks_conn_listed_offset(response, &ask->offsets[ask->step]);
    if (error || ++ask->step == ask->count)
        finish(ask, error);
    else
        ask_next(ask);
}

static void ask_next(ks_offsets_ask *ask) {
    ks_envelope *request =
        ks_conn_list_offsets(ask->channel, ask->dial.topic, ask->dial.partition, ask->timestamps[ask->step]);
    ask->call = ks_channel_send(ask->channel, request, ask->dial.dial_timeout_ns, answered, ask);
}

static void dialled(void *owner, kafka_error error, ks_channel *leader) {
    ks_offsets_ask *ask = owner;
    ask->channel = leader;
    if (error)
        finish(ask, error);
    else
        ask_next(ask);
}

void ks_offsets_ask_start(ks_offsets_ask *ask) {
    ask->step = 0;
    ask->dial.done = dialled;
    ask->dial.owner = ask;
    ks_leader_dial_init(&ask->dial);
    ks_leader_dial_start(&ask->dial);
}

void ks_offsets_ask_stop(ks_offsets_ask *ask) {
    if (ask->done == NULL) return; /* never set up */
    hang_up(ask);
    ks_leader_dial_stop(&ask->dial);
}
