/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands in the way of a call that takes long, in words for people: of an operation on offsets, and of a position. */
#include "sim/client/java_internal.h"

static void tell_coordinator(const ks_consumer *c, ks_buffer *out) {
    if (ks_java_metadata_version(c->metadata) == 0) ks_buffer_text(out, "no broker has answered");
    else if (c->coordinator < 0) ks_buffer_printf(out, "the coordinator of group %s has not been found", c->group_id.data);
    else ks_buffer_printf(out, "the coordinator of group %s, broker %d, has not answered", c->group_id.data, c->coordinator);
}

static void tell_leader(const ks_consumer *c, ks_string name, int32_t partition, ks_buffer *out) {
    const ks_java_topic *topic = ks_java_metadata_topic(c->metadata, name);
    int32_t leader = ks_java_metadata_leader(c->metadata, name, partition);
    if (ks_java_metadata_version(c->metadata) == 0) ks_buffer_text(out, "no broker has answered");
    else if (!ks_java_topic_known(topic)) ks_buffer_text(out, "the brokers know no such topic");
    else if (partition >= topic->partition_count) ks_buffer_printf(out, "the topic has %d partitions", topic->partition_count);
    else if (leader < 0) ks_buffer_text(out, "it has no leader now");
    else ks_buffer_printf(out, "broker %d, its leader, has not answered", leader);
}

static void tell_partition(const ks_offset_op *op, int32_t i, ks_buffer *out) {
    ks_buffer_printf(out, "%s-%d: ", ks_java_op_topic(op, i).data, op->offsets[i].key.partition);
}

void ks_offset_op_obstacle(const ks_offset_op *op, ks_buffer *out) {
    for (int32_t i = 0; ks_java_op_asks_leaders(op) && i < op->count; i++) {
        if (op->settled && op->settled[i]) continue;
        tell_partition(op, i, out);
        tell_leader(op->consumer, ks_java_op_topic(op, i), op->offsets[i].key.partition, out);
        return;
    }
    if (op->attempts == 0) {
        tell_coordinator(op->consumer, out);
        return;
    }
    for (int32_t i = 0; i < op->count; i++)
        if (op->offsets[i].error == op->refused) {
            tell_partition(op, i, out);
            break;
        }
    ks_buffer_printf(out, "tried %d times, the last one ended with %s", op->attempts, kafka_error_name(op->refused));
}

void ks_consumer_position_obstacle(const ks_consumer *c, ks_string topic, int32_t partition, ks_buffer *out) {
    const ks_java_partition *p = ks_java_partition_named(c, topic, partition);
    if (p == NULL || c->dead) return;
    if (p->state != KS_FETCH_INITIALIZING) tell_leader(c, topic, partition, out);
    else if (c->committed_lookup) ks_offset_op_obstacle(c->committed_lookup, out);
    else tell_coordinator(c, out);
}
