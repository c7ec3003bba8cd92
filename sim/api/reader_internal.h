/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of kafka_reader share: reader.c (life, fetch, close), reader_commit.c, reader_offsets.c.
 */
#ifndef KS_READER_INTERNAL_H
#define KS_READER_INTERNAL_H

#include <kafkasim/reader.h>

#include "sim/api/reader_config.h"
#include "sim/client/conn_offsets.h"

typedef struct ks_waiting { /* a blocked call */
    ks_wait wait;
    struct ks_waiting *next, **link;
} ks_waiting;

typedef struct ks_waiting_list {
    ks_waiting *first, **end;
} ks_waiting_list; /* in the order of waiting */

struct kafka_reader {
    ks_handle handle;
    kafka_address *address;
    ks_process_watch watch;
    ks_arena *arena;
    kafka_reader_config settings;
    ks_reader_config engine_config;
    ks_reader *engine;
    bool group, dead, freed;
    int32_t inside; /* calls that have not returned */
    ks_waiting_list takers, committers, askers, closers;
    ks_offsets_ask lag_ask;
    ks_timer lag_timer;
};

void ks_waiting_init(ks_waiting_list *list);
void ks_waiting_add(ks_waiting_list *list, ks_waiting *one);
void ks_waiting_remove(ks_waiting_list *list, ks_waiting *one);
ks_waiting *
ks_waiting_asleep(const ks_waiting_list *list); /* the first that was not woken at this instant; NULL: none */
void ks_waiting_wake_one(const ks_waiting_list *list);
void ks_waiting_wake_all(const ks_waiting_list *list, kafka_error error);

static inline ks_process *ks_reader_process(const kafka_reader *reader) { return reader->address->process; }
/* Keeps "call: why" for kafka_error_detail(); returns `error`. */
kafka_error ks_reader_fail(const kafka_reader *reader, kafka_error error, const char *call, const char *why);
/* Around whatever may block: whoever leaves last frees a reader that was freed meanwhile. Returns `error`. */
static inline void ks_reader_enter(kafka_reader *reader) { reader->inside++; }
kafka_error ks_reader_leave(kafka_reader *reader, kafka_error error);
/* What every later call of a reader answers that is freed, dead or closed; KAFKA_OK: none of these. */
kafka_error ks_reader_closed_or_dead(kafka_reader *reader, const char *call);

/* ---- reader_commit.c ---- */
kafka_error ks_reader_commit(kafka_reader *reader, kafka_context *ctx, const kafka_message *messages, size_t count);

/* ---- reader_offsets.c ---- */
void ks_reader_watch_lag(kafka_reader *reader); /* at read_lag_interval, when it is set */
void ks_reader_unwatch_lag(kafka_reader *reader);

#endif
