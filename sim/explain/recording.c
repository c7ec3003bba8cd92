/* SPDX-License-Identifier: Apache-2.0
 * Remembering events as they happen. A batch's records are kept as what people are shown of them: cut at 64 bytes.
 */
#include "sim/explain/recording.h"

#include "sim/protocol/events.h"
#include "sim/protocol/record_batch.h"

enum { SHOWN = 64 };

ks_recording *ks_recording_new(void) {
    ks_recording *recording = ks_alloc(sizeof *recording);
    recording->arena = ks_arena_new();
    recording->scenario = KS_NULL_STRING;
    return recording;
}

void ks_recording_free(ks_recording *recording) {
    if (recording == NULL) return;
    ks_arena_free(recording->arena);
    ks_free(recording->events.items);
    ks_free(recording);
}

static ks_bytes cut(ks_arena *arena, ks_bytes bytes, int32_t *rest) {
    *rest = bytes.size > SHOWN ? bytes.size - SHOWN : 0;
    return ks_arena_bytes(arena, (ks_bytes){ bytes.data, bytes.size - *rest });
}

static void keep_records(ks_arena *arena, ks_bytes batch, ks_recorded *recorded) {
    KS_VEC(ks_shown_record) shown = { 0 };
    ks_record_iterator iterator;
    ks_record record;
    ks_records_begin(&iterator, batch);
    while (ks_records_next_batch(&iterator)) {
        while (ks_records_next(&iterator, &record)) {
            ks_shown_record one = { 0 };
            one.key = cut(arena, record.key, &one.key_rest);
            one.value = cut(arena, record.value, &one.value_rest);
            KS_PUSH(shown, one);
        }
    }
    ks_records_end(&iterator);
    if (shown.count > 0) {
        ks_shown_record *kept = ks_arena_alloc(arena, (size_t)shown.count * sizeof *kept);
        memcpy(kept, shown.items, (size_t)shown.count * sizeof *kept);
        recorded->records = kept;
        recorded->record_count = shown.count;
    }
    ks_free(shown.items);
}

void ks_recording_event(void *context, const ks_event *event) {
    ks_recording *recording = context;
    if (recording->events.count == 0 && recording->start == 0) recording->start = event->time;
    void *fields = ks_arena_alloc(recording->arena, event->kind->size);
    ks_recorded recorded = { .id = event->id, .cause = event->cause, .time = event->time, .kind = event->kind, .fields = fields };
    if (event->kind == ks_describe_ev_records_appended()) {
        ks_ev_records_appended appended = *(const ks_ev_records_appended *)event->fields;
        if (appended.records.size > 0) keep_records(recording->arena, appended.records, &recorded);
        appended.records = KS_NULL_BYTES; /* what people are shown is kept, the batch is not */
        ks_struct_copy(event->kind, fields, &appended, recording->arena, false);
    } else {
        ks_struct_copy(event->kind, fields, event->fields, recording->arena, false);
    }
    const ks_recorded *last = recording->events.count > 0 ? &recording->events.items[recording->events.count - 1] : NULL;
    ks_string node = ks_str(event->node_name);
    recorded.node = last != NULL && ks_string_equal(last->node, node) ? last->node : ks_arena_string(recording->arena, node);
    KS_PUSH(recording->events, recorded);
}

int32_t ks_recording_find(const ks_recording *recording, uint64_t id) {
    int32_t low = 0, high = recording->events.count - 1;
    while (low <= high) {
        int32_t middle = low + (high - low) / 2;
        uint64_t found = recording->events.items[middle].id;
        if (found == id) return middle;
        if (found < id) low = middle + 1;
        else high = middle - 1;
    }
    return -1;
}
