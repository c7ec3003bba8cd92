/* SPDX-License-Identifier: Apache-2.0
 *
 * One broker that does as it is told: it answers ApiVersions, Metadata and Produce, remembers every Produce request
 * with its time, and refuses, or stays silent, by script. For tests of what a client does, to the millisecond, whatever
 * a real broker would say.
 */
#ifndef KS_SCRIPTED_BROKER_H
#define KS_SCRIPTED_BROKER_H

#include "sim/client/process.h"
#include "sim/protocol/record_batch.h"

enum { KS_SCRIPT_LIMIT = 512, KS_SCRIPT_SILENCE = 9999, KS_SCRIPT_HANG_UP = 9998 };

typedef struct ks_scripted_produce {
    int64_t time_ms; /* since the kernel's start */
    int32_t partition, records, timeout_ms;
    int16_t acks, version, codec;
    int64_t base_timestamp, max_timestamp;
    char topic[32], client_id[64];
    ks_block *block; /* its bytes, held */
    ks_bytes bytes;
} ks_scripted_produce;

typedef struct ks_scripted_broker {
    ks_kernel *kernel;
    ks_node *node;
    int64_t start;
    char topics[8][32];              /* what exists */
    int32_t topic_count, partitions; /* of each */
    int16_t topic_error;             /* of every topic in Metadata */
    bool auto_create;                /* of a topic that is asked for by name; it is there from the next request on */
    int64_t log_append_time_ms;      /* in Produce responses */
    int16_t errors[KS_SCRIPT_LIMIT]; /* the answer to the nth Produce; KS_SCRIPT_SILENCE: none, KS_SCRIPT_HANG_UP */
    int32_t error_partition;         /* errors[0] to every request of this partition instead; -1: not so */
    int64_t next_offset[64];
    ks_scripted_produce produced[KS_SCRIPT_LIMIT];
    int32_t produce_count, metadata_count, hello_count, create_count;
    int64_t metadata_ms[KS_SCRIPT_LIMIT];
    ks_request *held[KS_SCRIPT_LIMIT];
    int32_t held_count;
} ks_scripted_broker;

void ks_scripted_broker_start(ks_scripted_broker *broker, ks_kernel *kernel, const char *topic, int32_t partitions);
void ks_scripted_broker_stop(ks_scripted_broker *broker); /* before the kernel is freed */
ks_node *ks_scripted_broker_resolve(void *broker, ks_string host,
                                    int32_t port); /* a ks_resolve_fn: "broker-1" at 9092 */

#endif
