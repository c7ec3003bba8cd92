/* SPDX-License-Identifier: Apache-2.0
 * The explanation as JSON, the model of the page: docs/explanation-format.md.
 */
#include "sim/base/hash.h"
#include <kafkasim/error.h>

#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

typedef struct indexed { /* names in order of appearance */
    ks_string name;
    int32_t index, extra;
    UT_hash_handle hh;
} indexed;

typedef struct model {
    const ks_story *story;
    ks_arena *arena;
    ks_buffer *out;
    indexed *nodes, *partitions, *groups, *members;
    bool first;
    /* of the change being written */
    int32_t step, group;
    ks_string member;
} model;

/* Text as a JSON string that is harmless inside a <script> too. */
static void quoted(ks_string text, ks_buffer *out) {
    ks_buffer safe = { 0 };
    ks_words_escape(text, &safe);
    ks_buffer_text(out, "\"");
    for (size_t i = 0; i < safe.size; i++) {
        uint8_t c = safe.data[i];
        if (c == '"' || c == '\\') ks_buffer_printf(out, "\\%c", c);
        else if (c == '<' || c == '>' || c == '&') ks_buffer_printf(out, "\\u%04x", c);
        else ks_buffer_append(out, &c, 1);
    }
    ks_buffer_text(out, "\"");
    ks_buffer_deinit(&safe);
}

static void quoted_lines(ks_string text, ks_buffer *out) { /* a scenario: keeps its lines */
    ks_buffer_text(out, "\"");
    for (int32_t i = 0; i < text.size;) {
        int32_t start = i;
        while (i < text.size && text.data[i] != '\n') i++;
        ks_buffer piece = { 0 };
        quoted((ks_string){ text.data + start, i - start }, &piece);
        ks_buffer_append(out, piece.data + 1, piece.size - 2);
        ks_buffer_deinit(&piece);
        if (i < text.size) ks_buffer_text(out, "\\n");
        i++;
    }
    ks_buffer_text(out, "\"");
}

static int32_t index_of(model *m, indexed **table, ks_string name) {
    indexed *found;
    KS_HASH_FIND_STRING(hh, *table, name, found);
    if (found != NULL) return found->index;
    found = ks_arena_alloc(m->arena, sizeof *found);
    found->name = ks_arena_string(m->arena, name);
    found->index = (int32_t)HASH_COUNT(*table);
    indexed *head = *table;
    KS_HASH_ADD_STRING(hh, head, name, found);
    *table = head;
    return found->index;
}

static int32_t partition_index(model *m, ks_string topic, int32_t partition) {
    ks_string name = ks_arena_printf(m->arena, "%.*s[%d]", (int)topic.size, topic.data, partition);
    return index_of(m, &m->partitions, name);
}

static bool internal(ks_string topic) { return topic.size > 2 && topic.data[0] == '_' && topic.data[1] == '_'; }

static void begin(model *m, const char *what) {
    ks_buffer_printf(m->out, "%s{\"s\":%d,\"y\":\"%s\"", m->first ? "" : ",\n", m->story->steps.items[m->step].number, what);
    m->first = false;
}

static void owner(model *m, ks_string topic, int32_t partition, ks_string member) {
    begin(m, "own");
    ks_buffer_printf(m->out, ",\"g\":%d,\"p\":%d,\"m\":", m->group, partition_index(m, topic, partition));
    if (member.size < 0) ks_buffer_text(m->out, "null");
    else quoted(member, m->out);
    ks_buffer_text(m->out, "}");
}
static void gained(void *context, ks_string topic, int32_t partition) { owner(context, topic, partition, ((model *)context)->member); }
static void released(void *context, ks_string topic, int32_t partition) { owner(context, topic, partition, KS_NULL_STRING); }

static void shown(const ks_bytes *bytes, int32_t rest, ks_buffer *to) {
    if (bytes->size < 0) ks_buffer_text(to, "null");
    else ks_words_escape((ks_string){ (const char *)bytes->data, bytes->size }, to);
    if (rest > 0) ks_buffer_printf(to, "... (%d more)", rest);
}

static void log_change(model *m, const ks_recorded *event) {
    const ks_ev_records_appended *e = event->fields;
    begin(m, "log");
    ks_buffer_printf(m->out, ",\"p\":%d,\"e\":%lld,\"r\":[", partition_index(m, e->topic, e->partition), (long long)e->last_offset + 1);
    int32_t count = (int32_t)(e->last_offset - e->base_offset + 1);
    ks_buffer text = { 0 };
    for (int32_t r = count > 200 ? count - 200 : 0, first = r; r < count; r++) {
        ks_buffer_clear(&text);
        if (r < event->record_count) {
            const ks_shown_record *record = &event->records[r];
            if (record->key.size >= 0) {
                shown(&record->key, record->key_rest, &text);
                ks_buffer_text(&text, "=");
            }
            shown(&record->value, record->value_rest, &text);
        }
        ks_buffer_text(m->out, r > first ? "," : "");
        quoted((ks_string){ (const char *)text.data, (int32_t)text.size }, m->out);
    }
    ks_buffer_deinit(&text);
    ks_buffer_text(m->out, "]}");
}

static void change(model *m, const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    if (KIND(records_appended) && !internal(FIELDS(records_appended)->topic)) log_change(m, event);
    else if (KIND(log_start_advanced) && !internal(FIELDS(log_start_advanced)->topic)) {
        const ks_ev_log_start_advanced *e = event->fields;
        begin(m, "start");
        ks_buffer_printf(m->out, ",\"p\":%d,\"o\":%lld}", partition_index(m, e->topic, e->partition), (long long)e->to);
    } else if (KIND(client_partitions_assigned) && FIELDS(client_partitions_assigned)->group.size > 0) {
        const ks_ev_client_partitions_assigned *e = event->fields;
        m->group = index_of(m, &m->groups, e->group);
        m->member = e->client;
        index_of(m, &m->members, e->client);
        ks_partitions_each(e->partitions, gained, m);
    } else if ((KIND(client_partitions_revoked) || KIND(client_partitions_lost)) && FIELDS(client_partitions_revoked)->group.size > 0) {
        const ks_ev_client_partitions_revoked *e = event->fields;
        m->group = index_of(m, &m->groups, e->group);
        ks_partitions_each(e->partitions, released, m);
    } else if (KIND(offsets_committed)) {
        const ks_ev_offsets_committed *e = event->fields;
        int32_t group = index_of(m, &m->groups, e->group);
        begin(m, "com");
        ks_buffer_printf(m->out, ",\"g\":%d,\"p\":%d,\"o\":%lld}", group, partition_index(m, e->topic, e->partition), (long long)e->offset);
    } else if (KIND(records_delivered) && FIELDS(records_delivered)->group.size > 0) {
        const ks_ev_records_delivered *e = event->fields;
        int32_t group = index_of(m, &m->groups, e->group);
        begin(m, "pos");
        ks_buffer_printf(m->out, ",\"g\":%d,\"p\":%d,\"o\":%lld}", group, partition_index(m, e->topic, e->partition), (long long)e->last_offset + 1);
    } else if (KIND(group_state_changed)) {
        const ks_ev_group_state_changed *e = event->fields;
        int32_t group = index_of(m, &m->groups, e->group);
        begin(m, "grp");
        ks_buffer_printf(m->out, ",\"g\":%d,\"st\":", group);
        quoted(e->to, m->out);
        ks_buffer_printf(m->out, ",\"n\":%d}", e->generation);
    }
}

static void message(model *m, const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    bool response = KIND(response_sent);
    const ks_ev_request_received *q = event->fields;
    const ks_ev_response_sent *p = event->fields;
    ks_string from = response ? p->from : q->from, to = response ? p->to : q->to;
    index_of(m, &m->nodes, from);
    index_of(m, &m->nodes, to);
    ks_buffer_printf(m->out, "%s{\"s\":%d,\"f\":", m->first ? "" : ",\n", m->story->steps.items[m->step].number);
    m->first = false;
    quoted(from, m->out);
    ks_buffer_text(m->out, ",\"o\":");
    quoted(to, m->out);
    ks_buffer_printf(m->out, ",\"l\":\"%s\"", ks_api_name(response ? p->api_key : q->api_key));
    if (response) ks_buffer_text(m->out, ",\"r\":1");
    if (response && p->error_code != 0) ks_buffer_printf(m->out, ",\"e\":\"%s\"", kafka_error_name((kafka_error)p->error_code));
    ks_buffer_text(m->out, "}");
}

static void names_array(const char *name, indexed *table, bool kinds, ks_buffer *out) {
    ks_buffer_printf(out, ",\n\"%s\":[", name);
    for (indexed *one = table; one != NULL; one = one->hh.next) {
        if (one != table) ks_buffer_text(out, ",");
        if (kinds) ks_buffer_text(out, "{\"name\":");
        quoted(one->name, out);
        if (kinds) {
            bool broker = one->name.size > 7 && memcmp(one->name.data, "broker-", 7) == 0;
            ks_buffer_printf(out, ",\"kind\":\"%s\"}", broker ? "broker" : "client");
        }
    }
    ks_buffer_text(out, "]");
}

static int32_t main_step(const ks_story *story, int32_t index) { /* the step a sub-step belongs to */
    while (index >= 0 && story->steps.items[index].sub > 0) index--;
    return index;
}

static void steps_array(model *m) {
    const ks_story *story = m->story;
    ks_buffer text = { 0 };
    ks_buffer_text(m->out, ",\n\"steps\":[");
    m->first = true;
    for (int32_t i = 0; i < story->steps.count; i++) {
        const ks_step *step = &story->steps.items[i];
        if (step->sub > 0) continue;
        const ks_recorded *event = &story->recording->events.items[step->event];
        ks_buffer_printf(m->out, "%s{\"n\":%d,\"t\":%lld,\"a\":", m->first ? "" : ",\n", step->number, (long long)((step->time - story->recording->start) / 1000));
        m->first = false;
        quoted(ks_str(step->api_key >= 0 ? ks_api_name(step->api_key) : step->kind == KS_STEP_TIMER ? "timer" : ks_event_kind_name(event->kind)), m->out);
        ks_buffer_clear(&text);
        ks_words_protocol(story, i, &text);
        ks_buffer_text(m->out, ",\"p\":");
        quoted((ks_string){ (const char *)text.data, (int32_t)text.size }, m->out);
        ks_buffer_clear(&text);
        ks_words_sentence(story, i, &text);
        ks_buffer_text(m->out, ",\"x\":");
        quoted((ks_string){ (const char *)text.data, (int32_t)text.size }, m->out);
        ks_buffer_printf(m->out, ",\"g\":%d", step->group.size > 0 ? index_of(m, &m->groups, step->group) : -1);
        int32_t cause = main_step(story, step->cause);
        ks_buffer_printf(m->out, ",\"c\":%d", cause >= 0 && cause != i ? story->steps.items[cause].number : 0);
        if (step->stable) ks_buffer_text(m->out, ",\"k\":\"stable\"");
        else if (step->begins_rebalance) ks_buffer_text(m->out, ",\"k\":\"rebalance\"");
        ks_buffer_text(m->out, "}");
    }
    ks_buffer_text(m->out, "]");
    ks_buffer_deinit(&text);
}

/* Calls `each` for every event with the main step that is current then. */
static void each_event(model *m, void (*each)(model *m, const ks_recorded *event), bool messages) {
    const ks_story *story = m->story;
    int32_t next = 0, current = -1;
    m->first = true;
    for (int32_t i = 0; i < story->recording->events.count; i++) {
        while (next < story->steps.count && story->steps.items[next].event <= i) {
            if (story->steps.items[next].sub == 0) current = next;
            next++;
        }
        if (current < 0) {
            for (current = 0; current < story->steps.count && story->steps.items[current].sub > 0; current++) {}
            if (current == story->steps.count) return;
        }
        const ks_recorded *event = &story->recording->events.items[i];
        const ks_struct *kind = event->kind;
        bool is_message = KIND(request_received) || KIND(response_sent);
        if (is_message != messages) continue;
        if (is_message) { /* only what steps are made of: fetches would drown the lanes */
            int16_t key = KIND(response_sent) ? FIELDS(response_sent)->api_key : FIELDS(request_received)->api_key;
            if (!ks_story_is_step_api(key)) continue;
        }
        m->step = current;
        each(m, event);
    }
}

void ks_explanation_json(const ks_story *story, const char *title, ks_buffer *out) {
    model m = { .story = story, .arena = ks_arena_new(), .out = out };
    const ks_recording *recording = story->recording;
    ks_buffer_text(out, "{\"format\":\"kafkasim-explanation\",\"version\":1,\"title\":");
    quoted(ks_str(title), out);
    ks_buffer_text(out, ",\"facts\":");
    ks_string facts = ks_arena_printf(m.arena, "seed %.*s, %d steps", (int)(recording->seed.size > 0 ? recording->seed.size : 0),
                                      recording->seed.size > 0 ? recording->seed.data : "", story->steps.count > 0 ? story->steps.items[story->steps.count - 1].number : 0);
    quoted(facts, out);
    ks_buffer_text(out, ",\"scenario\":");
    if (recording->scenario.size >= 0) quoted_lines(recording->scenario, out);
    else ks_buffer_text(out, "null");
    for (int32_t i = 0; i < recording->events.count; i++) { /* every group's partitions stand there from the first step on */
        const ks_recorded *event = &recording->events.items[i];
        const ks_struct *kind = event->kind;
        if (KIND(topic_created) && !internal(FIELDS(topic_created)->topic))
            for (int32_t p = 0; p < FIELDS(topic_created)->partitions && p < 200; p++) partition_index(&m, FIELDS(topic_created)->topic, p);
        if (KIND(request_received) && ks_story_is_step_api(FIELDS(request_received)->api_key)) index_of(&m, &m.nodes, FIELDS(request_received)->to);
    }
    steps_array(&m);
    ks_buffer_text(out, ",\n\"messages\":[");
    each_event(&m, message, true);
    ks_buffer_text(out, "],\n\"changes\":[");
    each_event(&m, change, false);
    ks_buffer_text(out, "]");
    names_array("nodes", m.nodes, true, out);
    names_array("partitions", m.partitions, false, out);
    names_array("groups", m.groups, false, out);
    names_array("members", m.members, false, out);
    ks_buffer_text(out, "}");
    HASH_CLEAR(hh, m.nodes);
    HASH_CLEAR(hh, m.partitions);
    HASH_CLEAR(hh, m.groups);
    HASH_CLEAR(hh, m.members);
    ks_arena_free(m.arena);
}
