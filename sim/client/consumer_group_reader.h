/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine of a reader (kafka-go, reader.go: Reader): the fetchers of one partition, or of what the group gives us; the queue
 * they fill; offset and lag; the commit loop. It knows nothing of blocking.
 *
 * Entries of the queue carry the version of the set of fetchers that pushed them. A new set (kafka_reader_set_offset, a new
 * generation) makes older entries stale: they are dropped when they are met. Between the end of a generation and the next one
 * the queue still hands out old messages.
 */
#ifndef KS_CONSUMER_GROUP_READER_H
#define KS_CONSUMER_GROUP_READER_H

#include "sim/client/consumer_group_commits.h"
#include "sim/client/fetcher.h"

typedef struct ks_reader ks_reader;

typedef struct ks_reader_events {
    void (*ready)(void *owner); /* there is something to take, or the end (ks_reader_is_at_end) */
    void (*failed)(void *owner, kafka_error error,
                   const char *step); /* max_attempts rounds of joining failed in a row */
    void (*changed)(void *owner);     /* what ks_reader_describe says */
    void (*room)(void *owner);        /* ks_reader_commits_are_full is not true any more */
    void (*closed)(void *owner);      /* ks_reader_close is through */
} ks_reader_events;

typedef struct ks_reader_config {
    ks_fetcher_settings fetchers;        /* kept by value; seeds and strings must outlive the reader */
    const ks_membership_settings *group; /* NULL: without a group. Kept */
    const char *topic;                   /* without a group */
    int32_t partition;
    int32_t queue_capacity;
    int64_t commit_interval_ns; /* 0: synchronous */
} ks_reader_config;

ks_reader *ks_reader_new(const ks_reader_config *config, const ks_reader_events *events, void *owner);
void ks_reader_free(ks_reader *reader);    /* at once, without a word to anybody */
void ks_reader_crashed(ks_reader *reader); /* its process died: it lets go of everything and answers nobody any more */

/* ---- taking ---- */

/* The oldest entry that is not stale; NULL: none now. Starts fetching when nothing does yet. View, until ks_reader_taken. */
const ks_fetched *ks_reader_peek(ks_reader *reader);
/* It was taken, with its block reference. */
void ks_reader_taken(ks_reader *reader);
bool ks_reader_is_at_end(const ks_reader *reader); /* closed, and nothing is left to take */
void ks_reader_tell_delivered(ks_reader *reader);  /* the trace learns what was taken up to now */
static inline ks_read_partition *ks_fetched_partition(const ks_fetched *fetched) { return fetched->source; }

/* ---- offsets (without a group) ---- */

void ks_reader_set_offset(ks_reader *reader, int64_t offset);
int64_t ks_reader_offset(const ks_reader *reader); /* -1 in a group */
int64_t ks_reader_lag(const ks_reader *reader);    /* -1 in a group */
void ks_reader_set_lag(ks_reader *reader, int64_t lag);

/* ---- commits (in a group) ---- */

ks_read_partition *ks_reader_partition(ks_reader *reader, const char *topic, int32_t partition);
ks_commits *ks_reader_commits(ks_reader *reader);

/* ---- closing ---- */

void ks_reader_close(ks_reader *reader); /* `closed` comes later, never from inside this call */
bool ks_reader_is_closing(const ks_reader *reader);
bool ks_reader_is_closed(const ks_reader *reader); /* `closed` was said */
/* Why there may be nothing to take, in words for a report: "generation 3 of group billing gives it no partition". */
void ks_reader_describe(const ks_reader *reader, char *text, size_t size);

#endif
