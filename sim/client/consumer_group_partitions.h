/* SPDX-License-Identifier: Apache-2.0
 *
 * The partitions a reader has met, each once and for its whole life: what messages' topics point to, what commits are gathered
 * in, and the records handed to the application that the trace has not told yet.
 */
#ifndef KS_CONSUMER_GROUP_PARTITIONS_H
#define KS_CONSUMER_GROUP_PARTITIONS_H

#include "sim/base/hash.h"

typedef struct ks_read_topic ks_read_topic;

typedef struct ks_read_partition {
    struct {
        int32_t topic_number, partition;
    } key;           /* in the table */
    ks_string topic; /* NUL-terminated; one pointer for all partitions of a topic */
    int32_t partition;
    int64_t stashed;                         /* offset to commit; -1: none */
    uint64_t gathered;                       /* serial of the request that has it already ... */
    int32_t gathered_at;                     /* ... at this index */
    int64_t first_delivered, last_delivered; /* of the run that the trace has not told */
    int32_t delivered;                       /* how many */
    struct ks_read_partition *next_delivered;
    UT_hash_handle hh;
} ks_read_partition;

typedef struct ks_read_partitions {
    ks_read_topic *topics;
    int32_t topic_count;
    ks_read_partition *all;
    ks_read_partition *recent[16]; /* by partition: most calls ask for one of these again */
} ks_read_partitions;

/* Found or made. `topic` need not live on. O(1). */
ks_read_partition *ks_read_partition_get(ks_read_partitions *partitions, const char *topic, int32_t partition);
void ks_read_partitions_deinit(ks_read_partitions *partitions);

#endif
