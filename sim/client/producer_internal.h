/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the producer engine: routing into batches (producer.c), calls (producer_write.c), the bytes of a batch
 * (producer_batch.c), attempts (producer_send.c).
 */
#ifndef KS_PRODUCER_INTERNAL_H
#define KS_PRODUCER_INTERNAL_H

#include "sim/base/hash.h"
#include "sim/client/producer.h"

typedef struct ks_producer_partition ks_producer_partition;

typedef struct ks_batch_waiter {
    ks_write *write;
    int32_t slot;
} ks_batch_waiter;
typedef struct ks_batch_extra {
    void *data;
    kafka_time time;
} ks_batch_extra;

struct ks_producer_batch {
    ks_producer_batch *next;      /* in the partition's queue, or among the producer's spare ones */
    ks_producer_batch *next_told; /* the owner's */
    ks_producer_partition *partition;
    ks_batch_builder builder;
    ks_block *block; /* the finished bytes of the present attempt */
    int64_t bytes;   /* as counted for batching */
    int32_t count, unset_times;
    KS_VEC(ks_batch_waiter) waiters;
    KS_VEC(ks_batch_extra) extras; /* what a completion gets back that is not in the records */
    bool answered;                 /* by the broker, be it with an error */
    kafka_error error;
    int64_t base_offset, log_append_time_ms;
};

struct ks_producer_partition {
    ks_producer_topic *topic;
    int32_t id;
    ks_producer_partition *next; /* all of the topic, in the order of making */
    ks_producer_batch *open, *queue, **queue_end;
    bool sending; /* the first of the queue is being written, or told */
    int32_t attempt;
    ks_exchange *exchange;
    ks_timer linger, backoff;
};

struct ks_producer_topic {
    ks_string name; /* owned, NUL-terminated */
    ks_producer *producer;
    ks_producer_partition **by_id; /* 0 .. limit-1; NULL: not written to yet */
    int32_t limit;
    ks_producer_partition *partitions, **partitions_end;
    UT_hash_handle hh;
};

struct ks_write {
    ks_write *next;     /* among the spare ones */
    ks_write *all_next; /* of the producer */
    ks_producer *producer;
    bool held;       /* by the caller */
    int32_t pending; /* batches that are not finished */
    int32_t *slots;  /* of each message: index into results; before it is appended the caller's note */
    size_t capacity;
    KS_VEC(kafka_error) results; /* of each batch */
    bool failed;
    void (*done)(void *owner);
    void *owner;
};

struct ks_producer {
    ks_transport *transport;
    ks_producer_config config;
    ks_kernel *kernel;
    ks_node *node;
    ks_string client; /* the process's name, for the trace */
    ks_producer_topic *topics;
    ks_producer_batch *spare_batches;
    ks_write *spare_writes, *writes;
    int64_t unfinished;
    ks_batch_builder scratch;       /* batches in which only some messages have a time */
    KS_VEC(kafka_message) messages; /* for completions */
    KS_VEC(kafka_header) headers;
    KS_VEC(ks_record_header_in) header_scratch;
};

/* producer_batch.c */
ks_producer_batch *ks_producer_batch_take(ks_producer_partition *partition);
void ks_producer_batch_put(ks_producer_batch *batch); /* back among the spare ones */
void ks_producer_batch_free(ks_producer_batch *batch);
void ks_producer_batch_add(ks_producer_batch *batch, const kafka_message *message, int64_t size);
/* Its bytes for an attempt that is made now; held by the batch until the next attempt. */
ks_bytes ks_producer_batch_seal(ks_producer_batch *batch);
/* producer_send.c */
void ks_producer_send_next(ks_producer_partition *partition); /* if there is one and none is under way */
void ks_producer_backoff_over(ks_timer *timer);
/* producer_write.c */
void ks_write_batch_finished(ks_write *write, int32_t slot, kafka_error error);
void ks_writes_free(ks_producer *producer);

#endif
