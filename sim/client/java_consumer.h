/* SPDX-License-Identifier: Apache-2.0
 *
 * Java's consumer (org.apache.kafka.clients.consumer.KafkaConsumer with the classic protocol, AsyncKafkaConsumer's membership with
 * KIP-848) as an event-driven engine. Two actors: the network and the heartbeats go on by themselves; everything else happens
 * only while the application polls, in ks_consumer_step(). Nothing here blocks or needs a stack:
 *
 *     ks_consumer_poll_begin(consumer);
 *     for (;;) switch (ks_consumer_step(consumer)) {
 *     case KS_POLL_RECORDS:  while (ks_consumer_take(consumer, &record)) ...;  poll ends
 *     case KS_POLL_CALLBACK: run it; ks_consumer_callback_done(consumer, KAFKA_OK); go on
 *     case KS_POLL_FAILED:   the exception that poll would throw; poll ends
 *     case KS_POLL_WAITING:  until `wake` (or the poll's own time-out)
 *     }
 *     ks_consumer_poll_end(consumer);
 *
 * Between two polls the application "processes": if that takes max.poll.interval.ms, the heartbeat actor leaves the group.
 */
#ifndef KS_JAVA_CONSUMER_H
#define KS_JAVA_CONSUMER_H

#include "sim/client/java_config.h"
#include "sim/client/process.h"
#include "sim/protocol/record_batch.h"

typedef struct ks_consumer ks_consumer;

typedef struct ks_consumer_events {
    /* While polling: ks_consumer_step() has something to say other than KS_POLL_WAITING. Never called inside a ks_consumer_*
     * call of the application's. Stepping inside it is allowed, freeing the consumer is not. */
    void (*wake)(void *owner);
    void *owner;
} ks_consumer_events;

/* `config` is taken (also its arena), `addresses` copied. NULL: the process is down. */
ks_consumer *ks_consumer_new(ks_process *process, const char *addresses, ks_java_config *config, const ks_consumer_events *events);
/* As if the process had been killed, for this consumer: nobody is told. Never inside a callback of the engine's. */
void ks_consumer_free(ks_consumer *consumer);
const ks_java_config *ks_consumer_config(const ks_consumer *consumer);
bool ks_consumer_is_dead(const ks_consumer *consumer); /* its process crashed */

/* ---- what to read ---- */

typedef struct ks_offset {
    ks_string topic;
    int32_t partition;
    int32_t leader_epoch; /* -1: unknown */
    int64_t offset;       /* -1: none */
    ks_string metadata;
    int64_t timestamp_ms; /* ListOffsets: asked for; in the answer of the record found, -1 */
    kafka_error error;    /* of answers */
} ks_offset;

/* INVALID_ARGUMENT: both ways mixed, or no group.id; the detail (ks_process_detail) says it in words. */
kafka_error ks_consumer_subscribe(ks_consumer *consumer, const ks_string *topics, int32_t count);
kafka_error ks_consumer_assign(ks_consumer *consumer, const ks_topic_partitions *partitions, int32_t count);
bool ks_consumer_reads(const ks_consumer *consumer); /* something is subscribed or assigned */
/* Begins giving everything up; then poll_begin, step until KS_POLL_DONE (a callback may come first), poll_end. */
void ks_consumer_unsubscribe(ks_consumer *consumer);

/* ---- polling ---- */

typedef enum ks_poll_result {
    KS_POLL_WAITING,
    KS_POLL_RECORDS,
    KS_POLL_CALLBACK,
    KS_POLL_FAILED,
    KS_POLL_DONE /* of close and unsubscribe */
} ks_poll_result;
typedef enum ks_rebalance_event { KS_PARTITIONS_ASSIGNED, KS_PARTITIONS_REVOKED, KS_PARTITIONS_LOST } ks_rebalance_event;

void ks_consumer_poll_begin(ks_consumer *consumer);
void ks_consumer_poll_end(ks_consumer *consumer);
ks_poll_result ks_consumer_step(ks_consumer *consumer);
/* Between poll_begin and poll_end, instead of ks_consumer_step: looks only for that partition's position, DONE when it is known. */
ks_poll_result ks_consumer_step_position(ks_consumer *consumer, ks_string topic, int32_t partition);
kafka_error ks_consumer_error(const ks_consumer *consumer); /* after KS_POLL_FAILED, */
const char *ks_consumer_error_detail(const ks_consumer *consumer); /* in words */

/* After KS_POLL_CALLBACK: which, with what; views until ks_consumer_callback_done. */
ks_rebalance_event ks_consumer_callback(const ks_consumer *consumer, const ks_topic_partitions **topics, int32_t *count);
void ks_consumer_callback_done(ks_consumer *consumer, kafka_error error); /* an error fails the poll once the rebalance is done */

typedef struct ks_consumer_record {
    ks_string topic;
    int32_t partition;
    ks_record record;
    ks_block *block; /* what the record's views lie in; hold it to keep them beyond the next call */
    int64_t high_watermark;
} ks_consumer_record;
/* After KS_POLL_RECORDS, up to max.poll.records times: the next record; the position moves on with it. False: that was all. */
bool ks_consumer_take(ks_consumer *consumer, ks_consumer_record *record);

/* ---- offsets ---- */

typedef struct ks_offset_op ks_offset_op;
/* `offsets` (of commits: as sent) are views for the call. */
typedef void ks_offsets_fn(void *owner, kafka_error error, const ks_offset *offsets, int32_t count);
/* Commits `offsets` (copied), or with NULL the positions of all assigned partitions. `timeout_ns` > 0: tries again what may
 * succeed later, until then (commitSync); 0: once (commitAsync). `done` (or NULL) comes exactly once unless dropped. It comes
 * before this returns, which then returns NULL, when no request is needed: nothing to commit, REBALANCE_IN_PROGRESS,
 * COMMIT_FAILED. */
ks_offset_op *ks_consumer_commit(ks_consumer *consumer, const ks_offset *offsets, int32_t count, int64_t timeout_ns,
                                 ks_offsets_fn *done, void *owner);
/* What the group has committed for `offsets`' partitions. */
ks_offset_op *ks_consumer_committed(ks_consumer *consumer, const ks_offset *offsets, int32_t count, int64_t timeout_ns,
                                    ks_offsets_fn *done, void *owner);
/* ListOffsets: for each partition by timestamp_ms: -2 beginning, -1 end, else the first offset at or after that time. */
ks_offset_op *ks_consumer_list_offsets(ks_consumer *consumer, const ks_offset *offsets, int32_t count, int64_t timeout_ns,
                                       ks_offsets_fn *done, void *owner);
void ks_offset_op_drop(ks_offset_op *op); /* done will not come */
/* What stands in its way, for people: "orders-7: tried 9 times, the last one ended with UNKNOWN_TOPIC_OR_PARTITION". Also inside done. */
void ks_offset_op_obstacle(const ks_offset_op *op, ks_buffer *out);

/* ---- positions; false: not assigned ---- */

typedef struct ks_position {
    bool known;
    int64_t offset;
    int64_t high_watermark; /* -1: unknown */
    bool paused;
} ks_position;
bool ks_consumer_position(const ks_consumer *consumer, ks_string topic, int32_t partition, ks_position *position);
/* What a position that is not known waits for, in words; nothing when it is not assigned. */
void ks_consumer_position_obstacle(const ks_consumer *consumer, ks_string topic, int32_t partition, ks_buffer *out);
bool ks_consumer_seek(ks_consumer *consumer, ks_string topic, int32_t partition, int64_t offset);
bool ks_consumer_seek_reset(ks_consumer *consumer, ks_string topic, int32_t partition, ks_offset_reset to);
bool ks_consumer_pause(ks_consumer *consumer, ks_string topic, int32_t partition, bool paused);
/* The assignment by topic and number; views until it changes. */
int32_t ks_consumer_assignment(ks_consumer *consumer, const ks_topic_partitions **topics);

/* ---- the end ---- */

/* Begins closing: commit (auto-commit), callback, LeaveGroup, all at most until `timeout_ns`. Then poll_begin, step until
 * KS_POLL_DONE (a callback may come first), poll_end. The handle lives on until ks_consumer_free. */
void ks_consumer_close(ks_consumer *consumer, int64_t timeout_ns);
bool ks_consumer_is_closed(const ks_consumer *consumer);
/* Of its commit or else its callback; `what`: which of them, in words. */
kafka_error ks_consumer_close_error(const ks_consumer *consumer, const char **what);

/* ---- for those who watch ---- */

typedef enum ks_member_state { KS_MEMBER_UNJOINED, KS_MEMBER_PREPARING_REBALANCE, KS_MEMBER_COMPLETING_REBALANCE, KS_MEMBER_STABLE } ks_member_state;
typedef struct ks_member_view {
    ks_member_state state;
    ks_string member_id;
    int32_t generation;
    bool leader, rejoin_needed;
    bool settled; /* a member of a stable generation, and the application has heard of all that this brought (classic protocol) */
} ks_member_view;
ks_member_view ks_consumer_member(const ks_consumer *consumer);

#endif
