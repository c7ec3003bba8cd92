/* SPDX-License-Identifier: Apache-2.0
 *
 * The group coordinators of a cluster: the shell around the pure machine of group_machine.h. A group belongs to the
 * broker that leads partition hash(group id) mod 50 of __consumer_offsets; what must survive is appended there, and
 * whoever becomes the leader applies all its records (Kafka's GroupCoordinatorService and CoordinatorRuntime).
 *
 * Nothing here costs anything before the first request about a group. */
#ifndef KS_GROUP_COORDINATOR_H
#define KS_GROUP_COORDINATOR_H

#include "sim/broker/cluster.h"
#include "sim/broker/group_offsets.h"

typedef struct ks_group_coordinators ks_group_coordinators; /* of all brokers of a cluster */

/* Starts watching the cluster, after its __consumer_offsets exists; goes with the cluster. */
void ks_group_coordinators_start(ks_cluster *cluster);

/* ---- where a group is ---- */

/* abs(java.lang.String.hashCode) mod `partitions`: over UTF-16, Integer.MIN_VALUE counts as 0. */
int32_t ks_group_partition_of(ks_string group_id, int32_t partitions);
/* The broker that leads the group's partition; NULL: none does now. O(id size) */
ks_broker *ks_group_coordinator_of(const ks_cluster *cluster, ks_string group_id);

/* ---- for the handlers ---- */

/* May this broker answer for the group? KAFKA_OK, COORDINATOR_LOAD_IN_PROGRESS or NOT_COORDINATOR. */
kafka_error ks_group_coordinator_check(ks_broker *broker, ks_string group_id);
/* Runs one request through the machine; it is answered now or later. Sets what the request itself tells. */
void ks_group_coordinator_run(ks_broker *broker, ks_request *request, ks_group_input *in);
/* The next member id of the cluster: "c1-000001". `scratch` keeps it. */
ks_string ks_group_next_member_id(ks_broker *broker, ks_string prefix, ks_arena *scratch);
ks_groups *ks_group_coordinator_groups(ks_broker *broker);
bool ks_group_coordinator_loading(const ks_broker *broker); /* any partition that this broker leads */
/* Performs effects that were collected outside of a step (ks_groups_check_commit()). */
ks_effects *ks_group_coordinator_effects(ks_broker *broker); /* empty; perform before anything else happens */
void ks_group_coordinator_perform(ks_broker *broker);

typedef struct ks_group_write {
    ks_request *request;   /* parked until done; NULL: its connection ended, or there was none */
    ks_envelope *response; /* taken: to fill when done; NULL: none is wanted */
    void *context;         /* in the response's arena, in `arena`, or static */
    ks_arena *arena;       /* of ks_group_arena_take(), taken: given back when all is over; NULL: none */
    kafka_error error;     /* as clients are told (section 1.13); NOT_COORDINATOR when the partition moved meanwhile */
    const ks_group_record *records; /* applied if there was no error */
    int32_t count;
    bool repeats; /* what is there already, as an idle consumer's auto-commit does for ever: no progress (ks_progress) */
    ks_bytes batch; /* or, instead of records: one made with ks_group_batch_begin(); then `done` applies what it says */
    /* Fills the response, which is then sent. False: the response and the request were passed on to another write. */
    bool (*done)(ks_broker *broker, struct ks_group_write *write);
} ks_group_write;
/* For what a handler has to remember until its write is done. The next one gets the same memory, which is near then. */
ks_arena *ks_group_arena_take(ks_broker *broker);
void ks_group_arena_give(ks_broker *broker, ks_arena *arena); /* NULL is allowed */
/* For ks_group_write.batch. Nothing else may be written before that is. */
ks_batch_builder *ks_group_batch_begin(ks_broker *broker);
/* Appends records to the group's partition, applies them when that has succeeded, and calls `done` (at once when there
 * are none). The records are copied; what they point to only if there is no response, for else it lives in the
 * response's arena. When the broker dies meanwhile nothing is called and the response is freed. */
void ks_group_coordinator_write(ks_broker *broker, ks_string group_id, const ks_group_write *write);

/* ---- looking from outside (control, tests) ---- */

ks_group *ks_cluster_group_find(const ks_cluster *cluster,
                                ks_string group_id); /* NULL: none, or nobody coordinates it now */
/* All groups there are, ascending by id; *count of them; the array lives in `arena`. O(groups log groups) */
ks_group **ks_cluster_groups(const ks_cluster *cluster, ks_arena *arena, int32_t *count);
/* The committed offset; NULL: none. View until the next event. */
const ks_committed *ks_cluster_group_offset(const ks_cluster *cluster, ks_string group_id, ks_string topic, int32_t partition);
/* A command from outside: the member's session ends now. UNKNOWN_MEMBER_ID, GROUP_ID_NOT_FOUND. */
kafka_error ks_cluster_group_expire_session(ks_cluster *cluster, ks_string group_id, ks_string member_id);
/* Deadline (ns) of one of the group's timers; -1: not running. member_id empty for the group's own. */
int64_t ks_cluster_group_deadline(const ks_cluster *cluster, ks_string group_id, ks_group_timer timer,
                                  ks_string member_id);
/* How long reading a partition back takes in virtual time when it is not empty; default 10 ms. */
void ks_group_coordinators_set_load_time(ks_cluster *cluster, int64_t load_ns);

#endif
