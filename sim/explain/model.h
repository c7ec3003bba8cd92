/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the explanation as JSON share: who appears in it and under which number (model.c), what each step changes
 * (model_changes.c), the steps and pauses themselves (model_steps.c). Only sim/explain/model*.c include this.
 */
#ifndef KS_MODEL_H
#define KS_MODEL_H

#include "sim/base/hash.h"
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

enum { LAG_POINTS = 400 }; /* of one group's plot: the run is cut into so many spans of time */

typedef struct tenant { /* a member id that is in a group now */
    ks_string id;
    int32_t group;
    struct tenant *prev, *next;
} tenant;

typedef struct ks_model_name { /* names in order of appearance */
    ks_string name;
    int32_t index;
    tenant *tenants; /* of a client among the members: its ids; mostly one */
    int32_t mentioned; /* by the step with this index - 1; 0: none yet */
    UT_hash_handle hh;
} ks_model_name;

typedef struct group_facts { /* of groups, by index */
    ks_string type, assignor;
} group_facts;

typedef struct lag_point { /* of one group in one span of time */
    int64_t t, most, last; /* us since the start; -1: nothing changed */
} lag_point;

typedef struct ks_model {
    const ks_story *story;
    ks_arena *arena;
    ks_buffer *out, scratch;
    ks_model_name *nodes, *partitions, *groups, *members;
    group_facts *facts;
    int32_t *owners; /* member that owns each partition, group by group; -1: nobody */
    int32_t group_count, partition_count; /* as gathered, which `owners` and `facts` have room for */
    int64_t *starts, *ends; /* of each partition */
    int64_t *committed;     /* of each partition in each group; -1: none */
    int64_t *lag;           /* of each group: records not yet committed, of partitions with an owner or a committed offset */
    lag_point *plot;        /* LAG_POINTS of each group */
    int64_t time, duration; /* us; of the change being written, of the run */
    bool first;
    /* of the change being written */
    int32_t step, event, group, member;
} ks_model;

/* ---- model.c: the number of a name, given at its first mention ---- */
int32_t ks_model_index(ks_model *m, ks_model_name **table, ks_string name);
int32_t ks_model_partition(ks_model *m, ks_string topic, int32_t partition);
int32_t ks_model_member(ks_model *m, int32_t event, ks_string id, ks_string client_id);
void ks_model_quoted(ks_string text, ks_buffer *out); /* as a JSON string that is harmless inside a <script> too */
void ks_model_field(ks_model *m, const char *name, int64_t value);
void ks_model_step_number(const ks_step *step, ks_buffer *out); /* 18, or "18.8" */

void ks_model_changes(ks_model *m); /* model_changes.c */
void ks_model_steps(ks_model *m);   /* model_steps.c */
void ks_model_pauses(ks_model *m);

#endif
