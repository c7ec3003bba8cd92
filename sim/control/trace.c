/* SPDX-License-Identifier: Apache-2.0
 *
 * The trace for readers outside: subscribers, files of JSON lines, text, and the last steps for failure reports.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/whole_file.h"
#include "sim/control/inspect.h"
#include "sim/protocol/events.h"

#ifndef KAFKASIM_VERSION
#define KAFKASIM_VERSION "0.1.0"
#endif

enum { CUT = 64, FLUSH_AT = 1 << 16, LAST_STEPS = 20 };

struct ksim_event {
    ksim *sim;
    const ks_event *event;
    ks_record_iterator records; /* where ksim_event_record() stands */
    size_t next_record;
    bool reading;
};

struct ksim_subscription {
    ks_subscriber subscriber;
    ksim *sim;
    void (*event)(void *context, const ksim_event *event);
    void *context;
    ksim_subscription *next;
};

struct ks_trace_sink {
    ks_subscriber subscriber;
    ksim *sim;
    ksim_trace_format format;
    ks_whole_file whole; /* file NULL: `line` gets them */
    char *path;
    void (*line)(void *context, const char *line, size_t size);
    void *context;
    ks_buffer text;
    bool failed;
    ks_trace_sink *next;
};

/* ---- an event's parts ---- */

uint64_t ksim_event_id(const ksim_event *event) { return event ? event->event->id : 0; }
uint64_t ksim_event_cause(const ksim_event *event) { return event ? event->event->cause : 0; }
kafka_time ksim_event_time(const ksim_event *event) { return event ? event->event->time : 0; }
const char *ksim_event_node(const ksim_event *event) { return event ? event->event->node_name : ""; }
const char *ksim_event_kind(const ksim_event *event) { return event ? ks_event_kind_name(event->event->kind) : ""; }

bool ksim_event_int(const ksim_event *event, const char *field, int64_t *value) {
    return event && value && ks_control_get_int(event->event->kind, event->event->fields, field, value);
}

bool ksim_event_bytes(const ksim_event *event, const char *field, kafka_bytes *value) {
    return event && value && ks_control_get_bytes(event->event->kind, event->event->fields, field, value);
}

/* The batches that were appended; null: another kind of event. */
static ks_bytes records_of(const ks_event *event) {
    if (event->kind != ks_describe_ev_records_appended()) return KS_NULL_BYTES;
    return ((const ks_ev_records_appended *)event->fields)->records;
}

static bool next_record(ks_record_iterator *iterator, ks_record *record) {
    while (iterator->left == 0 || !ks_records_next(iterator, record)) {
        if (iterator->failed || !ks_records_next_batch(iterator)) return false;
    }
    return true;
}

static void stop_reading(ksim_event *event) {
    if (event->reading) ks_records_end(&event->records);
    event->reading = false;
    event->next_record = 0;
}

bool ksim_event_record(const ksim_event *const_event, size_t index, kafka_bytes *key, kafka_bytes *value) {
    ksim_event *event = (ksim_event *)(uintptr_t)const_event; /* only the reading position changes */
    ks_record record = { 0 };
    if (event == NULL) return false;
    ks_bytes batches = records_of(event->event);
    if (batches.size <= 0) return false;
    if (!event->reading || index < event->next_record) {
        stop_reading(event);
        ks_records_begin(&event->records, batches);
        event->reading = true;
    }
    do {
        if (!next_record(&event->records, &record)) {
            stop_reading(event);
            return false;
        }
    } while (event->next_record++ < index);
    if (key)
        *key = (kafka_bytes){ record.key.size < 0 ? NULL : record.key.data,
                              record.key.size < 0 ? 0 : (size_t)record.key.size };
    if (value)
        *value = (kafka_bytes){ record.value.size < 0 ? NULL : record.value.data,
                                record.value.size < 0 ? 0 : (size_t)record.value.size };
    return true;
}

/* ---- one event as a line ---- */

static void cut_json(const char *name, ks_bytes bytes, ks_buffer *out) {
    int32_t shown = bytes.size > CUT ? CUT : bytes.size;
    ks_buffer_printf(out, "\"%s\":", name);
    ks_json_string((ks_string){ (const char *)bytes.data, shown }, out);
    if (bytes.size > CUT) ks_buffer_printf(out, ",\"%s_rest\":%d", name, bytes.size - CUT);
}

static void records_json(ks_bytes batches, ks_buffer *out) {
    ks_record_iterator iterator;
    ks_record record;
    bool first = true;
    ks_records_begin(&iterator, batches);
    ks_buffer_text(out, ",\"records\":[");
    for (; next_record(&iterator, &record); first = false) {
        ks_buffer_text(out, first ? "{" : ",{");
        cut_json("key", record.key, out);
        ks_buffer_text(out, ",");
        cut_json("value", record.value, out);
        ks_buffer_text(out, "}");
    }
    ks_buffer_text(out, "]");
    ks_records_end(&iterator);
}

static void line_json(const ks_event *event, bool contents, ks_buffer *out) {
    ks_event_json(event, out);
    if (!contents) return;
    ks_bytes batches = records_of(event);
    if (batches.size <= 0 && event->message == NULL) return;
    out->size--; /* the closing brace */
    if (batches.size > 0) records_json(batches, out);
    if (event->message) {
        ks_buffer_text(out, ",\"message\":");
        ks_struct_json_at(event->message->type, event->message->body, event->message->api_version, CUT, out);
    }
    ks_buffer_text(out, "}");
}

void ks_sim_set_narrator(ksim *sim, ks_narrate_fn *narrate, void *context) {
    sim->narrate = narrate;
    sim->narrate_context = context;
}

void ks_sim_tell(ksim *sim, const ks_event *event, ks_buffer *out) {
    int64_t us = (event->time - sim->start) / KS_US;
    if (sim->narrate) {
        sim->narrate(sim->narrate_context, event, out);
        return;
    }
    ks_buffer_printf(out, "%6lld  %4lld.%06lld s  %-12s  %s ", (long long)event->id, (long long)(us / 1000000),
                     (long long)(us % 1000000), event->node_name, ks_event_kind_name(event->kind));
    ks_struct_print(event->kind, event->fields, out);
}

const char *ksim_event_text(const ksim_event *event) {
    if (event == NULL) return "";
    ks_buffer_clear(&event->sim->text);
    ks_sim_tell(event->sim, event->event, &event->sim->text);
    return (const char *)event->sim->text.data;
}

const char *ksim_event_json(const ksim_event *event) {
    if (event == NULL) return "";
    ks_buffer_clear(&event->sim->text);
    line_json(event->event, true, &event->sim->text);
    return (const char *)event->sim->text.data;
}

/* ---- subscribers ---- */

static void hand_on(void *context, const ks_event *event) {
    ksim_subscription *subscription = context;
    ksim_event view = { .sim = subscription->sim, .event = event };
    ks_runtime_enter_callback(subscription->sim->runtime);
    subscription->event(subscription->context, &view);
    ks_runtime_leave_callback(subscription->sim->runtime);
    stop_reading(&view);
}

ksim_subscription *ksim_trace_subscribe(ksim *sim, void (*event)(void *context, const ksim_event *event),
                                        void *context) {
    if (ks_sim_check(sim) || event == NULL) return NULL;
    ksim_subscription *subscription = ks_alloc(sizeof *subscription);
    *subscription = (ksim_subscription){ { hand_on, subscription, NULL }, sim, event, context, sim->subscriptions };
    sim->subscriptions = subscription;
    ks_trace_subscribe(sim->kernel, &subscription->subscriber);
    return subscription;
}

void ksim_trace_unsubscribe(ksim *sim, ksim_subscription *subscription) {
    if (subscription == NULL || ks_sim_check(sim)) return;
    for (ksim_subscription **link = &sim->subscriptions; *link; link = &(*link)->next) {
        if (*link != subscription) continue;
        *link = subscription->next;
        ks_trace_unsubscribe(sim->kernel, &subscription->subscriber);
        ks_free(subscription);
        return;
    }
}

/* ---- writing ---- */

static void flush(ks_trace_sink *sink) {
    if (sink->whole.file == NULL || sink->text.size == 0) return;
    if (fwrite(sink->text.data, 1, sink->text.size, sink->whole.file) != sink->text.size) sink->failed = true;
    ks_buffer_clear(&sink->text);
}

static void line_done(ks_trace_sink *sink) {
    ks_buffer_text(&sink->text, "\n");
    if (sink->whole.file) {
        if (sink->text.size >= FLUSH_AT) flush(sink);
        return;
    }
    ks_runtime_enter_callback(sink->sim->runtime);
    sink->line(sink->context, (const char *)sink->text.data, sink->text.size);
    ks_runtime_leave_callback(sink->sim->runtime);
    ks_buffer_clear(&sink->text);
}

static void write_event(void *context, const ks_event *event) {
    ks_trace_sink *sink = context;
    if (sink->format == KSIM_TRACE_TEXT)
        ks_sim_tell(sink->sim, event, &sink->text);
    else
        line_json(event, sink->format == KSIM_TRACE_JSON_CONTENTS, &sink->text);
    line_done(sink);
}

static void write_head(ks_trace_sink *sink) {
    const ksim *sim = sink->sim;
    unsigned long long seed = sim->seed;
    if (sink->format == KSIM_TRACE_TEXT) {
        ks_buffer_printf(&sink->text, "kafkasim %s, seed %llu, %s", KAFKASIM_VERSION, seed, ks_codec_versions());
    } else { /* a seed that JSON readers might round is written as text */
        const char *quote = sim->seed > (UINT64_C(1) << 53) ? "\"" : "";
        ks_buffer_printf(&sink->text,
                         "{\"format\":\"kafkasim-trace\",\"version\":%d,\"kafkasim\":\"%s\",\"seed\":%s%llu%s,"
                         "\"start\":%lld,\"codecs\":\"%s\"}",
                         KS_TRACE_VERSION, KAFKASIM_VERSION, quote, seed, quote, (long long)sim->start,
                         ks_codec_versions());
    }
    line_done(sink);
}

static ks_trace_sink *sink_new(ksim *sim, ksim_trace_format format) {
    ks_trace_sink *sink = ks_alloc(sizeof *sink);
    sink->subscriber = (ks_subscriber){ write_event, sink, NULL };
    sink->sim = sim;
    sink->format = format;
    sink->next = sim->sinks;
    sim->sinks = sink;
    return sink;
}

static bool format_is_right(ksim *sim, ksim_trace_format format, const char *call) {
    if (format == KSIM_TRACE_JSON || format == KSIM_TRACE_JSON_CONTENTS || format == KSIM_TRACE_TEXT) return true;
    ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "%s: format %d is none of ksim_trace_format", call, (int)format);
    return false;
}

kafka_error ksim_trace_to_file(ksim *sim, const char *path, ksim_trace_format format) {
    kafka_error error = ks_sim_check(sim);
    if (error) return error;
    if (path == NULL) return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_trace_to_file: path is NULL");
    if (!format_is_right(sim, format, "ksim_trace_to_file")) return KAFKA_ERR_INVALID_ARGUMENT;
    ks_whole_file whole;
    if (!ks_whole_file_open(&whole, path)) return ks_sim_fail(sim, KAFKA_ERR_IO, "ksim_trace_to_file: %.300s: %s", path, strerror(errno));
    ks_trace_sink *sink = sink_new(sim, format);
    sink->whole = whole;
    sink->path = ks_strndup(path, strlen(path));
    write_head(sink);
    ks_trace_subscribe(sim->kernel, &sink->subscriber);
    return KAFKA_OK;
}

kafka_error ksim_trace_to(ksim *sim, void (*line)(void *context, const char *line, size_t size), void *context,
                          ksim_trace_format format) {
    kafka_error error = ks_sim_check(sim);
    if (error) return error;
    if (line == NULL) return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_trace_to: line is NULL");
    if (!format_is_right(sim, format, "ksim_trace_to")) return KAFKA_ERR_INVALID_ARGUMENT;
    ks_trace_sink *sink = sink_new(sim, format);
    sink->line = line;
    sink->context = context;
    write_head(sink);
    ks_trace_subscribe(sim->kernel, &sink->subscriber);
    return KAFKA_OK;
}

kafka_error ksim_trace_close(ksim *sim) {
    kafka_error error = ks_sim_check(sim);
    while (error != KAFKA_ERR_INVALID_ARGUMENT && error != KAFKA_ERR_WRONG_THREAD && sim->sinks) {
        ks_trace_sink *sink = sim->sinks;
        sim->sinks = sink->next;
        ks_trace_unsubscribe(sim->kernel, &sink->subscriber);
        flush(sink);
        if (sink->whole.file && !ks_whole_file_close(&sink->whole, !sink->failed)) sink->failed = true;
        if (sink->failed)
            error = ks_sim_fail(sim, KAFKA_ERR_IO, "ksim_trace_close: %.300s could not be written whole: %s",
                                sink->path, strerror(errno));
        ks_buffer_deinit(&sink->text);
        ks_free(sink->path);
        ks_free(sink);
    }
    return error;
}

void ks_sim_trace_deinit(ksim *sim) {
    ksim_trace_close(sim);
    while (sim->subscriptions) ksim_trace_unsubscribe(sim, sim->subscriptions);
}

/* ---- the last steps ---- */

/* What goes on all the time says little about a failure; that something was sent is told where it arrives. */
bool ks_sim_trivial(const ks_struct *kind, int16_t api_key, int16_t error_code) {
    if (api_key < 0)
        return kind == ks_describe_ev_fetch_parked() || kind == ks_describe_ev_fetch_completed() ||
               kind == ks_describe_ev_fetch_session_started() || kind == ks_describe_ev_fetch_session_ended() ||
               kind == ks_describe_ev_partition_created() || kind == ks_describe_ev_config_changed(); /* topic_created says it */
    if (error_code != 0) return false;
    bool periodic = api_key == KS_API_fetch || api_key == KS_API_metadata || api_key == KS_API_heartbeat || api_key == KS_API_api_versions;
    return periodic || kind == ks_describe_ev_request_sent() || kind == ks_describe_ev_response_sent();
}

const char *ksim_last_steps(ksim *sim, size_t count) {
    if (ks_sim_check(sim)) return "";
    size_t wanted = count ? count : LAST_STEPS;
    int32_t kept = ks_trace_ring_count(sim->kernel);
    ks_buffer_clear(&sim->text);
    ks_buffer_text(&sim->text, "");
    for (int32_t i = wanted < (size_t)kept ? kept - (int32_t)wanted : 0; i < kept; i++) {
        ks_sim_tell(sim, ks_trace_ring_get(sim->kernel, i), &sim->text);
        ks_buffer_text(&sim->text, "\n");
    }
    return (const char *)sim->text.data;
}
