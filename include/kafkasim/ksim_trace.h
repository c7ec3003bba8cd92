/* SPDX-License-Identifier: Apache-2.0
 *
 * The trace: everything that happens is an event, and every event knows its cause. A file is versioned JSON lines: a head
 * {"format":"kafkasim-trace","version":2,"kafkasim":"0.1.0","seed":7,"start":...,"codecs":...}, then one object per event:
 * {"id":12,"cause":11,"time":...,"node":"broker-1","kind":"group_state_changed","fields":{...by Kafka's names...}}. With
 * contents there may follow "records":[{"key":...,"value":...}] and "message":{...}. Times are nanoseconds since the Unix epoch.
 * The same program, seed, kafkasim and codec versions give the same bytes.
 */
#ifndef KAFKASIM_KSIM_TRACE_H
#define KAFKASIM_KSIM_TRACE_H

#include <kafkasim/ksim_run.h>

KAFKA_BEGIN

/** An event as a subscriber sees it; valid for that call. */
typedef struct ksim_event ksim_event;
/** What ksim_trace_subscribe() makes. */
typedef struct ksim_subscription ksim_subscription;

/** Calls `event` for every event from now on, until ksim_trace_unsubscribe() or ksim_free(). It must not block, run the
 *  simulation or change anything.
 *  @return kept by the simulator */
KAFKA_API ksim_subscription *ksim_trace_subscribe(ksim *sim, void (*event)(void *context, const ksim_event *event), void *context);
/** Ends it. NULL is allowed. */
KAFKA_API void ksim_trace_unsubscribe(ksim *sim, ksim_subscription *subscription);

/** 1, 2, 3, ... */
KAFKA_API uint64_t ksim_event_id(const ksim_event *event);
/** Id of the event that caused it; 0: the program did. */
KAFKA_API uint64_t ksim_event_cause(const ksim_event *event);
/** Virtual time. */
KAFKA_API kafka_time ksim_event_time(const ksim_event *event);
/** Where it happened: "broker-1", "c2"; "" for the cluster. */
KAFKA_API const char *ksim_event_node(const ksim_event *event);
/** "request_received", "group_state_changed". */
KAFKA_API const char *ksim_event_kind(const ksim_event *event);
/** A number or bool of it by name: "Generation", or "Partitions[0].Offset" of an event that lists several. False: no such field. */
KAFKA_API bool ksim_event_int(const ksim_event *event, const char *field, int64_t *value);
/** A string of it by name: "Group". View for the call. False: no such field. */
KAFKA_API bool ksim_event_bytes(const ksim_event *event, const char *field, kafka_bytes *value);
/** Key and value of the record at `index` (from 0) of a records_appended event, whole; ask for 0, 1, 2, ... in order, then each
 *  costs O(1). Views for the call of the subscriber. False: the event has no such record. */
KAFKA_API bool ksim_event_record(const ksim_event *event, size_t index, kafka_bytes *key, kafka_bytes *value);
/** One line for people. View, valid until the next such call. */
KAFKA_API const char *ksim_event_text(const ksim_event *event);
/** The line of a trace file, without its newline. View, valid until the next such call. */
KAFKA_API const char *ksim_event_json(const ksim_event *event);

/** What a written trace holds. */
typedef enum ksim_trace_format {
    KSIM_TRACE_JSON,          /**< events as JSON lines */
    KSIM_TRACE_JSON_CONTENTS, /**< with the requests and responses themselves, and keys and values of records cut at 64
                                   bytes */
    KSIM_TRACE_TEXT           /**< for people; no program should read it */
} ksim_trace_format;

/** Writes the trace from now on to a file, until ksim_trace_close(), ksim_free() or a failure of the simulator itself. It is written
 *  beside its place first (PATH.part) and moved there at the end, so that an earlier trace is not lost to a program that dies at once;
 *  a pipe or a device is written where it is.
 *  @return KAFKA_ERR_IO: it cannot be written; ksim_error_detail() says why */
KAFKA_API kafka_error ksim_trace_to_file(ksim *sim, const char *path, ksim_trace_format format);
/** The same to a function that gets whole lines (with their newline). */
KAFKA_API kafka_error ksim_trace_to(ksim *sim, void (*line)(void *context, const char *line, size_t size), void *context,
                                    ksim_trace_format format);
/** Ends all that ksim_trace_to_file() and ksim_trace_to() began.
 *  @return KAFKA_ERR_IO: something could not be written (disk full) */
KAFKA_API kafka_error ksim_trace_close(ksim *sim);

/** The last events, told in words, oldest first, one a line, as failure reports end with. View, valid until the next such
 *  call. `count` 0: 20. */
KAFKA_API const char *ksim_last_steps(ksim *sim, size_t count);

KAFKA_END

#endif
