/* SPDX-License-Identifier: Apache-2.0
 * The explanation as JSON, the model of the page: docs/explanation-format.md. Here: who and what appears in it, and the whole.
 */
#include "sim/explain/model.h"

void ks_model_quoted(ks_string text, ks_buffer *out) {
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

static void quoted_lines(ks_string text, ks_buffer *out) { /* a scenario: keeps its lines and tabs */
    ks_buffer_text(out, "\"");
    for (int32_t i = 0; i < text.size;) {
        int32_t start = i;
        while (i < text.size && text.data[i] != '\n' && text.data[i] != '\t') i++;
        ks_buffer piece = { 0 };
        ks_model_quoted((ks_string){ text.data + start, i - start }, &piece);
        ks_buffer_append(out, piece.data + 1, piece.size - 2);
        ks_buffer_deinit(&piece);
        if (i < text.size) ks_buffer_text(out, text.data[i] == '\n' ? "\\n" : "\\t");
        i++;
    }
    ks_buffer_text(out, "\"");
}

/* ---- names ---- */

int32_t ks_model_index(ks_model *m, ks_model_name **table, ks_string name) {
    ks_model_name *found;
    KS_HASH_FIND_STRING(hh, *table, name, found);
    if (found != NULL) return found->index;
    found = ks_arena_alloc(m->arena, sizeof *found);
    found->name = ks_arena_string(m->arena, name);
    found->index = (int32_t)HASH_COUNT(*table);
    ks_model_name *head = *table;
    KS_HASH_ADD_STRING(hh, head, name, found);
    *table = head;
    return found->index;
}

int32_t ks_model_partition(ks_model *m, ks_string topic, int32_t partition) {
    ks_buffer_clear(&m->scratch);
    ks_buffer_string(&m->scratch, topic);
    ks_buffer_printf(&m->scratch, "[%d]", partition);
    return ks_model_index(m, &m->partitions, (ks_string){ (const char *)m->scratch.data, (int32_t)m->scratch.size });
}

/* `event`: which speaks of it. The member that a crashed process left behind is another one than what the process becomes when it is
 * started again. */
int32_t ks_model_member(ks_model *m, int32_t event, ks_string id, ks_string client_id) {
    ks_string name = ks_words_member(m->story, event, id);
    return ks_model_index(m, &m->members, name.size > 0 && !ks_string_equal(name, id) ? name : client_id.size > 0 ? client_id : id);
}

static void see_partition(void *context, ks_string topic, int32_t partition) {
    if (!ks_topic_is_internal(topic)) ks_model_partition(context, topic, partition); /* one without a name too: an edited trace may hold it */
}

static void see_partitions(ks_model *m, ks_string topic, int32_t from, int32_t to) {
    for (int32_t p = from < 0 ? 0 : from; p < to; p++) see_partition(m, topic, p);
}

static void see_ends(ks_model *m, const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    int16_t key = KIND(response_sent) ? FIELDS(response_sent)->api_key : FIELDS(request_received)->api_key;
    if (!ks_story_is_step_api(key)) return;
    ks_model_index(m, &m->nodes, KIND(response_sent) ? FIELDS(response_sent)->from : FIELDS(request_received)->from);
    ks_model_index(m, &m->nodes, KIND(response_sent) ? FIELDS(response_sent)->to : FIELDS(request_received)->to);
}

static void learn_group(ks_model *m, const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    ks_string type = KIND(group_created) ? FIELDS(group_created)->group_type : KIND(group_converted) ? FIELDS(group_converted)->to : KS_NULL_STRING;
    ks_string assignor = KIND(join_phase_completed) ? FIELDS(join_phase_completed)->protocol :
                         KIND(target_assignment_computed) ? FIELDS(target_assignment_computed)->assignor : KS_NULL_STRING;
    if (type.size <= 0 && assignor.size <= 0) return;
    const ks_ev_group_created *any = event->fields; /* each of the four begins with the group */
    group_facts *facts = &m->facts[ks_model_index(m, &m->groups, any->group)];
    if (type.size > 0) facts->type = type;
    if (assignor.size > 0) facts->assignor = assignor;
}

/* Every name of the run, so that what is not there yet has its place from the first step on. */
static void gather(ks_model *m) {
    const ks_recording *recording = m->story->recording;
    for (int32_t i = 0; i < recording->events.count; i++) {
        const ks_recorded *event = &recording->events.items[i];
        const ks_struct *kind = event->kind;
        if (KIND(request_received) || KIND(response_sent)) see_ends(m, event);
        else if (KIND(node_started)) ks_model_index(m, &m->nodes, FIELDS(node_started)->name);
        else if (KIND(topic_created)) see_partitions(m, FIELDS(topic_created)->topic, 0, FIELDS(topic_created)->partitions);
        else if (KIND(partition_created)) see_partition(m, FIELDS(partition_created)->topic, FIELDS(partition_created)->partition);
        else if (KIND(partitions_added)) see_partitions(m, FIELDS(partitions_added)->topic, FIELDS(partitions_added)->from, FIELDS(partitions_added)->to);
        else if (KIND(records_appended)) see_partition(m, FIELDS(records_appended)->topic, FIELDS(records_appended)->partition);
        else if (KIND(offsets_committed)) {
            const ks_ev_offsets_committed *e = event->fields;
            for (int32_t p = 0; p < e->partitions.count; p++) see_partition(m, e->topic, e->partitions.items[p].partition);
            ks_model_index(m, &m->groups, e->group);
        } else if (KIND(records_delivered)) {
            see_partition(m, FIELDS(records_delivered)->topic, FIELDS(records_delivered)->partition);
            if (FIELDS(records_delivered)->group.size > 0) ks_model_index(m, &m->groups, FIELDS(records_delivered)->group);
        } else if (KIND(group_state_changed)) ks_model_index(m, &m->groups, FIELDS(group_state_changed)->group);
        else if (KIND(group_member_joined)) {
            ks_model_index(m, &m->groups, FIELDS(group_member_joined)->group);
            ks_model_member(m, i, FIELDS(group_member_joined)->member, FIELDS(group_member_joined)->client_id);
        } else if (KIND(client_partitions_assigned) && FIELDS(client_partitions_assigned)->group.size > 0) {
            ks_model_index(m, &m->groups, FIELDS(client_partitions_assigned)->group);
            ks_model_index(m, &m->members, FIELDS(client_partitions_assigned)->client);
            ks_partitions_each(FIELDS(client_partitions_assigned)->partitions, see_partition, m);
        } else if (KIND(group_created) || KIND(target_assignment_computed) || KIND(join_phase_completed) || KIND(group_converted))
            ks_model_index(m, &m->groups, FIELDS(group_created)->group);
    }
    m->partition_count = (int32_t)HASH_COUNT(m->partitions);
    m->group_count = (int32_t)HASH_COUNT(m->groups);
    size_t groups = (size_t)m->group_count, shares = groups * (size_t)m->partition_count;
    m->owners = ks_arena_alloc(m->arena, (shares + 1) * sizeof *m->owners);
    m->committed = ks_arena_alloc(m->arena, (shares + 1) * sizeof *m->committed);
    for (size_t i = 0; i < shares; i++) m->owners[i] = -1, m->committed[i] = -1;
    m->starts = ks_arena_alloc(m->arena, ((size_t)m->partition_count + 1) * sizeof *m->starts);
    m->ends = ks_arena_alloc(m->arena, ((size_t)m->partition_count + 1) * sizeof *m->ends);
    for (int32_t p = 0; p < m->partition_count; p++) m->starts[p] = m->ends[p] = 0;
    m->lag = ks_arena_alloc(m->arena, (groups + 1) * sizeof *m->lag);
    m->plot = ks_arena_alloc(m->arena, (groups + 1) * LAG_POINTS * sizeof *m->plot);
    for (size_t g = 0; g < groups; g++) m->lag[g] = 0;
    for (size_t i = 0; i < groups * LAG_POINTS; i++) m->plot[i].t = -1;
    const ks_recorded *last = recording->events.count > 0 ? &recording->events.items[recording->events.count - 1] : NULL;
    m->duration = last != NULL ? (last->time - recording->start) / 1000 : 0;
    m->facts = ks_arena_alloc(m->arena, (groups + 1) * sizeof *m->facts);
    for (size_t i = 0; i < groups; i++) m->facts[i] = (group_facts){ KS_LITERAL("classic"), KS_NULL_STRING };
    for (int32_t i = 0; i < recording->events.count; i++) learn_group(m, &recording->events.items[i]);
}

/* ---- small parts ---- */

void ks_model_step_number(const ks_step *step, ks_buffer *out) {
    if (step->sub > 0) ks_buffer_printf(out, "\"%d.%d\"", step->number, step->sub);
    else ks_buffer_i64(out, step->number);
}

void ks_model_field(ks_model *m, const char *name, int64_t value) {
    ks_buffer_text(m->out, name);
    ks_buffer_i64(m->out, value);
}

/* ---- names, and the whole ---- */

static void names_array(const char *name, ks_model_name *table, ks_buffer *out) {
    ks_buffer_printf(out, ",\n\"%s\":[", name);
    for (ks_model_name *one = table; one != NULL; one = one->hh.next) {
        if (one != table) ks_buffer_text(out, ",");
        ks_model_quoted(one->name, out);
    }
    ks_buffer_text(out, "]");
}

static void nodes_array(ks_model *m) {
    ks_buffer_text(m->out, ",\n\"nodes\":[");
    for (ks_model_name *one = m->nodes; one != NULL; one = one->hh.next) {
        bool broker = one->name.size > 7 && memcmp(one->name.data, "broker-", 7) == 0;
        ks_buffer_text(m->out, one != m->nodes ? ",{\"name\":" : "{\"name\":");
        ks_model_quoted(one->name, m->out);
        ks_buffer_printf(m->out, ",\"kind\":\"%s\"}", broker ? "broker" : "client");
    }
    ks_buffer_text(m->out, "]");
}

static void lag_array(ks_model *m, int32_t group) {
    bool first = true;
    for (int32_t i = 0; i < LAG_POINTS; i++) {
        const lag_point *point = &m->plot[group * LAG_POINTS + i];
        if (point->t < 0) continue;
        ks_buffer_printf(m->out, "%s[%lld,%lld]", first ? "" : ",", (long long)point->t, (long long)point->most);
        if (point->last != point->most) ks_buffer_printf(m->out, ",[%lld,%lld]", (long long)(((int64_t)i + 1) * m->duration / LAG_POINTS), (long long)point->last);
        first = false;
    }
}

static void groups_array(ks_model *m) {
    ks_buffer_text(m->out, ",\n\"groups\":[");
    for (ks_model_name *one = m->groups; one != NULL; one = one->hh.next) {
        group_facts facts = one->index < m->group_count ? m->facts[one->index] : (group_facts){ KS_LITERAL("classic"), KS_NULL_STRING };
        ks_buffer_text(m->out, one != m->groups ? ",{\"name\":" : "{\"name\":");
        ks_model_quoted(one->name, m->out);
        ks_buffer_text(m->out, ",\"type\":");
        ks_model_quoted(facts.type, m->out);
        ks_buffer_text(m->out, ",\"assignor\":");
        if (facts.assignor.size > 0) ks_model_quoted(facts.assignor, m->out);
        else ks_buffer_text(m->out, "null");
        ks_buffer_text(m->out, ",\"lag\":[");
        if (one->index < m->group_count) lag_array(m, one->index);
        ks_buffer_text(m->out, "]}");
    }
    ks_buffer_text(m->out, "]");
}

void ks_explanation_json(const ks_story *story, const char *title, ks_buffer *out) {
    ks_model m = { .story = story, .arena = ks_arena_new(), .out = out };
    const ks_recording *recording = story->recording;
    gather(&m);
    ks_buffer_text(out, "{\"format\":\"kafkasim-explanation\",\"version\":2,\"title\":");
    ks_model_quoted(ks_str(title), out);
    ks_buffer_text(out, ",\"seed\":");
    if (recording->seed.size > 0) ks_model_quoted(recording->seed, out);
    else ks_buffer_text(out, "null");
    ks_model_field(&m, ",\"duration\":", m.duration);
    ks_buffer_text(out, ",\"scenario\":");
    if (recording->scenario.size >= 0) quoted_lines(recording->scenario, out);
    else ks_buffer_text(out, "null");
    ks_model_steps(&m);
    ks_model_changes(&m);
    ks_model_pauses(&m);
    nodes_array(&m);
    names_array("partitions", m.partitions, out);
    groups_array(&m);
    names_array("members", m.members, out);
    ks_buffer_text(out, "}");
    HASH_CLEAR(hh, m.nodes);
    HASH_CLEAR(hh, m.partitions);
    HASH_CLEAR(hh, m.groups);
    HASH_CLEAR(hh, m.members);
    ks_buffer_deinit(&m.scratch);
    ks_arena_free(m.arena);
}
