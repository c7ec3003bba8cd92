/* SPDX-License-Identifier: Apache-2.0
 *
 * A run, remembered: the events of a trace in order, as structs. Filled live by a subscriber, or from a trace file. Every view
 * (narrative, why, page, stepper) is a fold of this and of nothing else.
 */
#ifndef KS_RECORDING_H
#define KS_RECORDING_H

#include "sim/kernel/kernel.h"

/* A record of a batch, cut at 64 bytes for people. */
typedef struct ks_shown_record {
    ks_bytes key, value;            /* null: size -1 */
    int32_t key_rest, value_rest;   /* bytes cut off */
} ks_shown_record;

typedef struct ks_recorded {
    uint64_t id, cause;
    int64_t time; /* ns */
    ks_string node;
    const ks_struct *kind;
    const void *fields;
    const ks_shown_record *records; /* of records_appended, when the trace has contents */
    int32_t record_count;
} ks_recorded;

typedef struct ks_recording {
    ks_arena *arena;
    KS_VEC(ks_recorded) events; /* ids ascend; ids[i] need not be i + 1 */
    ks_string version, seed, title;
    ks_string scenario; /* text of the scenario that made it; null: none */
    int64_t start;      /* ns, of the run's clock */
    bool goes_on;       /* somebody tells it while it runs: what has not come yet may still come */
} ks_recording;

ks_recording *ks_recording_new(void);
void ks_recording_free(ks_recording *recording);
/* For ks_subscriber.event: `context` is the recording. Copies. */
void ks_recording_event(void *context, const ks_event *event);
/* Reads a trace file. NULL: `problem` says what is wrong, where (file:line) and what to do. */
ks_recording *ks_recording_load(const char *path, char *problem, size_t problem_size);
/* The same from memory; `name` stands in problems. */
ks_recording *ks_recording_parse(const char *text, size_t size, const char *name, char *problem, size_t problem_size);
/* Index of the event with this id; -1: none. O(log n). */
int32_t ks_recording_find(const ks_recording *recording, uint64_t id);

#endif
