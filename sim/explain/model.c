/* SPDX-License-Identifier: Apache-2.0
 * The explanation as JSON, the model of the page: docs/explanation-format.md. Only what changes something is written: a late
 * word of a former owner is not, so that whoever applies the changes in order has what sim/explain/fold.h has.
 */
#include "sim/base/hash.h"
#include <kafkasim/error.h>

#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

#include <utlist.h>

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

enum {
    LAG_POINTS = 400,          /* of one group's plot: the run is cut into so many spans of time */
    RECORDS_SHOWN = 200        /* of one batch: the last ones */
};

typedef struct tenant { /* a member id that is in a group now */
    ks_string id;
    int32_t group;
    struct tenant *prev, *next;
} tenant;

typedef struct indexed { /* names in order of appearance */
    ks_string name;
    int32_t index;
    tenant *tenants; /* of a client among the members: its ids; mostly one */
    int32_t mentioned; /* by the step with this index - 1; 0: none yet */
    UT_hash_handle hh;
} indexed;

typedef struct group_facts { /* of groups, by index */
    ks_string type, assignor;
} group_facts;

typedef struct lag_point { /* of one group in one span of time */
    int64_t t, most, last; /* us since the start; -1: nothing changed */
} lag_point;

typedef struct model {
    const ks_story *story;
    ks_arena *arena;
    ks_buffer *out, scratch;
    indexed *nodes, *partitions, *groups, *members;
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

static void quoted_lines(ks_string text, ks_buffer *out) { /* a scenario: keeps its lines and tabs */
    ks_buffer_text(out, "\"");
    for (int32_t i = 0; i < text.size;) {
        int32_t start = i;
        while (i < text.size && text.data[i] != '\n' && text.data[i] != '\t') i++;
        ks_buffer piece = { 0 };
        quoted((ks_string){ text.data + start, i - start }, &piece);
        ks_buffer_append(out, piece.data + 1, piece.size - 2);
        ks_buffer_deinit(&piece);
        if (i < text.size) ks_buffer_text(out, text.data[i] == '\n' ? "\\n" : "\\t");
        i++;
    }
    ks_buffer_text(out, "\"");
}

/* ---- names ---- */

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
    ks_buffer_clear(&m->scratch);
    ks_buffer_string(&m->scratch, topic);
    ks_buffer_printf(&m->scratch, "[%d]", partition);
    return index_of(m, &m->partitions, (ks_string){ (const char *)m->scratch.data, (int32_t)m->scratch.size });
}

/* `event`: which speaks of it. The member that a crashed process left behind is another one than what the process becomes when it is
 * started again. */
static int32_t member_index(model *m, int32_t event, ks_string id, ks_string client_id) {
    ks_string name = ks_words_member(m->story, event, id);
    return index_of(m, &m->members, name.size > 0 && !ks_string_equal(name, id) ? name : client_id.size > 0 ? client_id : id);
}

static void see_partition(void *context, ks_string topic, int32_t partition) {
    if (!ks_topic_is_internal(topic)) partition_index(context, topic, partition); /* one without a name too: an edited trace may hold it */
}

static void see_partitions(model *m, ks_string topic, int32_t from, int32_t to) {
    for (int32_t p = from < 0 ? 0 : from; p < to; p++) see_partition(m, topic, p);
}

static void see_ends(model *m, const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    int16_t key = KIND(response_sent) ? FIELDS(response_sent)->api_key : FIELDS(request_received)->api_key;
    if (!ks_story_is_step_api(key)) return;
    index_of(m, &m->nodes, KIND(response_sent) ? FIELDS(response_sent)->from : FIELDS(request_received)->from);
    index_of(m, &m->nodes, KIND(response_sent) ? FIELDS(response_sent)->to : FIELDS(request_received)->to);
}

static void learn_group(model *m, const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    ks_string type = KIND(group_created) ? FIELDS(group_created)->group_type : KIND(group_converted) ? FIELDS(group_converted)->to : KS_NULL_STRING;
    ks_string assignor = KIND(join_phase_completed) ? FIELDS(join_phase_completed)->protocol :
                         KIND(target_assignment_computed) ? FIELDS(target_assignment_computed)->assignor : KS_NULL_STRING;
    if (type.size <= 0 && assignor.size <= 0) return;
    const ks_ev_group_created *any = event->fields; /* each of the four begins with the group */
    group_facts *facts = &m->facts[index_of(m, &m->groups, any->group)];
    if (type.size > 0) facts->type = type;
    if (assignor.size > 0) facts->assignor = assignor;
}

/* Every name of the run, so that what is not there yet has its place from the first step on. */
static void gather(model *m) {
    const ks_recording *recording = m->story->recording;
    for (int32_t i = 0; i < recording->events.count; i++) {
        const ks_recorded *event = &recording->events.items[i];
        const ks_struct *kind = event->kind;
        if (KIND(request_received) || KIND(response_sent)) see_ends(m, event);
        else if (KIND(node_started)) index_of(m, &m->nodes, FIELDS(node_started)->name);
        else if (KIND(topic_created)) see_partitions(m, FIELDS(topic_created)->topic, 0, FIELDS(topic_created)->partitions);
        else if (KIND(partition_created)) see_partition(m, FIELDS(partition_created)->topic, FIELDS(partition_created)->partition);
        else if (KIND(partitions_added)) see_partitions(m, FIELDS(partitions_added)->topic, FIELDS(partitions_added)->from, FIELDS(partitions_added)->to);
        else if (KIND(records_appended)) see_partition(m, FIELDS(records_appended)->topic, FIELDS(records_appended)->partition);
        else if (KIND(offsets_committed)) {
            const ks_ev_offsets_committed *e = event->fields;
            for (int32_t p = 0; p < e->partitions.count; p++) see_partition(m, e->topic, e->partitions.items[p].partition);
            index_of(m, &m->groups, e->group);
        } else if (KIND(records_delivered)) {
            see_partition(m, FIELDS(records_delivered)->topic, FIELDS(records_delivered)->partition);
            if (FIELDS(records_delivered)->group.size > 0) index_of(m, &m->groups, FIELDS(records_delivered)->group);
        } else if (KIND(group_state_changed)) index_of(m, &m->groups, FIELDS(group_state_changed)->group);
        else if (KIND(group_member_joined)) {
            index_of(m, &m->groups, FIELDS(group_member_joined)->group);
            member_index(m, i, FIELDS(group_member_joined)->member, FIELDS(group_member_joined)->client_id);
        } else if (KIND(client_partitions_assigned) && FIELDS(client_partitions_assigned)->group.size > 0) {
            index_of(m, &m->groups, FIELDS(client_partitions_assigned)->group);
            index_of(m, &m->members, FIELDS(client_partitions_assigned)->client);
            ks_partitions_each(FIELDS(client_partitions_assigned)->partitions, see_partition, m);
        } else if (KIND(group_created) || KIND(target_assignment_computed) || KIND(join_phase_completed) || KIND(group_converted))
            index_of(m, &m->groups, FIELDS(group_created)->group);
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

/* ---- lag ---- */

static size_t share_of(const model *m, int32_t group, int32_t p) { return (size_t)group * (size_t)m->partition_count + (size_t)p; }

static int64_t lag_between(const model *m, int32_t group, int32_t p, int64_t start, int64_t end) {
    size_t share = share_of(m, group, p);
    if (m->owners[share] < 0 && m->committed[share] < 0) return 0;
    int64_t from = m->committed[share] > start ? m->committed[share] : start;
    return end > from ? end - from : 0;
}

static int64_t share_lag(const model *m, int32_t group, int32_t p) { return lag_between(m, group, p, m->starts[p], m->ends[p]); }

static void plot(model *m, int32_t group, int64_t more) {
    if (more == 0) return;
    m->lag[group] += more;
    int64_t span = m->duration > 0 ? m->time * LAG_POINTS / (m->duration + 1) : 0;
    lag_point *point = &m->plot[(size_t)group * LAG_POINTS + (size_t)(span < 0 ? 0 : span < LAG_POINTS ? span : LAG_POINTS - 1)];
    if (point->t < 0 || m->lag[group] > point->most) point->most = m->lag[group];
    if (point->t < 0) point->t = m->time;
    point->last = m->lag[group];
}

static void log_moved(model *m, int32_t p, int64_t start, int64_t end) {
    for (int32_t g = 0; g < m->group_count; g++) plot(m, g, lag_between(m, g, p, start, end) - share_lag(m, g, p));
    m->starts[p] = start;
    m->ends[p] = end;
}

/* ---- changes ---- */

static void step_number(const ks_step *step, ks_buffer *out) { /* 18, or "18.8" */
    if (step->sub > 0) ks_buffer_printf(out, "\"%d.%d\"", step->number, step->sub);
    else ks_buffer_i64(out, step->number);
}

static void begin(model *m, const char *what) {
    ks_buffer_text(m->out, m->first ? "{\"s\":" : ",\n{\"s\":");
    step_number(&m->story->steps.items[m->step], m->out);
    ks_buffer_text(m->out, ",\"y\":\"");
    ks_buffer_text(m->out, what);
    ks_buffer_text(m->out, "\"");
    m->first = false;
}

static void field(model *m, const char *name, int64_t value) {
    ks_buffer_text(m->out, name);
    ks_buffer_i64(m->out, value);
}

static void end(model *m) { ks_buffer_text(m->out, "}"); }

static void own(model *m, int32_t partition, int32_t member) {
    begin(m, "own");
    field(m, ",\"g\":", m->group);
    field(m, ",\"p\":", partition);
    if (member < 0) ks_buffer_text(m->out, ",\"m\":null");
    else field(m, ",\"m\":", member);
    end(m);
    int64_t before = share_lag(m, m->group, partition);
    m->owners[share_of(m, m->group, partition)] = member;
    plot(m, m->group, share_lag(m, m->group, partition) - before);
}

static void gained(void *context, ks_string topic, int32_t partition) {
    model *m = context;
    if (ks_topic_is_internal(topic)) return;
    int32_t p = partition_index(m, topic, partition);
    if (m->owners[share_of(m, m->group, p)] != m->member) own(m, p, m->member);
}

/* Only its owner can give a partition up. */
static void released(void *context, ks_string topic, int32_t partition) {
    model *m = context;
    if (ks_topic_is_internal(topic)) return;
    int32_t p = partition_index(m, topic, partition);
    if (p < m->partition_count && m->owners[share_of(m, m->group, p)] == m->member) own(m, p, -1);
}

static void ownership_change(model *m, const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    const ks_ev_client_partitions_assigned *e = event->fields; /* the three kinds have the same fields */
    if (e->group.size <= 0) return;
    m->group = index_of(m, &m->groups, e->group);
    if (m->group >= m->group_count) return; /* nothing was ever assigned in it */
    m->member = index_of(m, &m->members, e->client);
    ks_partitions_each(e->partitions, KIND(client_partitions_assigned) ? gained : released, m);
}

static void in_or_out(model *m, int32_t group, int32_t member, bool in) {
    begin(m, "mem");
    field(m, ",\"g\":", group);
    field(m, ",\"m\":", member);
    field(m, ",\"in\":", in);
    end(m);
}

/* The ids that a client has in groups: where they are listed. */
static indexed *client_of(model *m, ks_string id) {
    indexed *found;
    KS_HASH_FIND_STRING(hh, m->members, ks_words_member(m->story, -1, id), found);
    return found;
}

static void moves_in(model *m, int32_t group, ks_string id) {
    indexed *client = client_of(m, id);
    if (client == NULL) return;
    tenant *one = ks_arena_alloc(m->arena, sizeof *one);
    one->id = id;
    one->group = group;
    DL_APPEND(client->tenants, one);
}

static void moves_out(model *m, int32_t group, ks_string id) {
    indexed *client = client_of(m, id);
    if (client == NULL) return;
    for (tenant *one = client->tenants; one != NULL; one = one->next) {
        if (one->group != group || !ks_string_equal(one->id, id)) continue;
        DL_DELETE(client->tenants, one);
        return;
    }
}

/* A process that is started again is a member no more; what it was stays one, under another name, until it is removed. */
static void starts(model *m, ks_string name) {
    indexed *client;
    KS_HASH_FIND_STRING(hh, m->members, name, client);
    for (tenant *one = client != NULL ? client->tenants : NULL; one != NULL; one = one->next) {
        int32_t former = member_index(m, m->event, one->id, name);
        if (former == client->index) continue;
        in_or_out(m, one->group, client->index, false);
        in_or_out(m, one->group, former, true);
    }
}

static void node_change(model *m, ks_string name, const char *state) {
    begin(m, "node");
    field(m, ",\"w\":", index_of(m, &m->nodes, name));
    ks_buffer_printf(m->out, ",\"st\":\"%s\"}", state);
    if (strcmp(state, "crashed") != 0) return;
    indexed *member;
    KS_HASH_FIND_STRING(hh, m->members, name, member);
    if (member == NULL) return;
    for (int32_t g = 0; g < m->group_count; g++) {
        m->group = g;
        for (int32_t p = 0; p < m->partition_count; p++)
            if (m->owners[share_of(m, g, p)] == member->index) own(m, p, -1);
    }
}

static void exists(model *m, int32_t partition, bool there) {
    begin(m, "part");
    field(m, ",\"p\":", partition);
    field(m, ",\"in\":", there);
    end(m);
    log_moved(m, partition, 0, 0);
}

static void topic_change(model *m, ks_string topic, int32_t from, int32_t to) {
    if (ks_topic_is_internal(topic)) return;
    for (int32_t p = from < 0 ? 0 : from; p < to; p++) exists(m, partition_index(m, topic, p), true);
}

static void topic_deleted(model *m, ks_string topic) {
    if (topic.size < 0) return;
    for (indexed *one = m->partitions; one != NULL; one = one->hh.next)
        if (one->name.size > topic.size && one->name.data[topic.size] == '[' && memcmp(one->name.data, topic.data, (size_t)topic.size) == 0)
            exists(m, one->index, false);
}

static void membership(model *m, const ks_recorded *event, bool in) {
    const ks_ev_group_member_left *e = event->fields; /* joined, left, removed and expired begin alike */
    int32_t group = index_of(m, &m->groups, e->group);
    in_or_out(m, group, member_index(m, m->event, e->member, e->client_id), in);
    if (in) moves_in(m, group, e->member);
    else moves_out(m, group, e->member);
}

static void replaced(model *m, const ks_ev_group_member_replaced *e) {
    int32_t group = index_of(m, &m->groups, e->group);
    int32_t before = member_index(m, m->event, e->old_member, e->client_id), after = member_index(m, m->event, e->member, e->client_id);
    if (before != after) in_or_out(m, group, before, false), in_or_out(m, group, after, true);
    moves_out(m, group, e->old_member);
    moves_in(m, group, e->member);
}

static void target(model *m, const ks_ev_group_member_target_changed *e) {
    begin(m, "tgt");
    field(m, ",\"g\":", index_of(m, &m->groups, e->group));
    field(m, ",\"m\":", member_index(m, m->event, e->member, e->client_id));
    field(m, ",\"n\":", e->epoch);
    ks_buffer_text(m->out, ",\"o\":");
    quoted(e->target, m->out);
    end(m);
}

static void reconciled(model *m, const ks_ev_group_member_reconciled *e) {
    begin(m, "rec");
    field(m, ",\"g\":", index_of(m, &m->groups, e->group));
    field(m, ",\"m\":", member_index(m, m->event, e->member, e->client_id));
    field(m, ",\"n\":", e->epoch);
    ks_buffer_text(m->out, ",\"st\":");
    quoted(e->state, m->out);
    ks_buffer_text(m->out, ",\"r\":");
    quoted(e->revoking, m->out);
    end(m);
}

static void shown(const ks_bytes *bytes, int32_t rest, ks_buffer *to) {
    if (bytes->size < 0) ks_buffer_text(to, "null");
    else ks_words_escape((ks_string){ (const char *)bytes->data, bytes->size }, to);
    if (rest > 0) ks_buffer_printf(to, "... (%d more)", rest);
}

static void log_change(model *m, const ks_recorded *event) {
    const ks_ev_records_appended *e = event->fields;
    int32_t p = partition_index(m, e->topic, e->partition);
    log_moved(m, p, m->starts[p], e->last_offset + 1);
    begin(m, "log");
    field(m, ",\"p\":", p);
    field(m, ",\"e\":", e->last_offset + 1);
    ks_buffer_text(m->out, ",\"r\":[");
    ks_buffer text = { 0 };
    int32_t first = event->record_count > RECORDS_SHOWN ? event->record_count - RECORDS_SHOWN : 0;
    for (int32_t r = first; r < event->record_count; r++) {
        const ks_shown_record *record = &event->records[r];
        ks_buffer_text(m->out, r > first ? "," : "");
        if (record->key.size >= 0) {
            ks_buffer_clear(&text);
            shown(&record->key, record->key_rest, &text);
            ks_buffer_text(m->out, "[");
            quoted((ks_string){ (const char *)text.data, (int32_t)text.size }, m->out);
            ks_buffer_text(m->out, ",");
        }
        ks_buffer_clear(&text);
        shown(&record->value, record->value_rest, &text);
        quoted((ks_string){ (const char *)text.data, (int32_t)text.size }, m->out);
        if (record->key.size >= 0) ks_buffer_text(m->out, "]");
    }
    ks_buffer_deinit(&text);
    ks_buffer_text(m->out, "]}");
}

static void offset_change(model *m, const char *what, ks_string group, ks_string topic, int32_t partition, int64_t offset) {
    if (ks_topic_is_internal(topic) || group.size <= 0) return;
    int32_t g = index_of(m, &m->groups, group), p = partition_index(m, topic, partition);
    if (g >= m->group_count || p >= m->partition_count) return; /* deleted, but never there */
    if (strcmp(what, "com") == 0) {
        int64_t before = share_lag(m, g, p);
        m->committed[share_of(m, g, p)] = offset;
        plot(m, g, share_lag(m, g, p) - before);
    }
    begin(m, what);
    field(m, ",\"g\":", g);
    field(m, ",\"p\":", p);
    field(m, ",\"o\":", offset);
    end(m);
}

static void committed(model *m, const ks_ev_offsets_committed *e) {
    for (int32_t p = 0; p < e->partitions.count; p++) offset_change(m, "com", e->group, e->topic, e->partitions.items[p].partition, e->partitions.items[p].offset);
}

/* To a former owner: the position of the present one stays. */
static void delivered(model *m, const ks_ev_records_delivered *e) {
    if (ks_topic_is_internal(e->topic) || e->group.size <= 0) return;
    int32_t owner = m->owners[share_of(m, index_of(m, &m->groups, e->group), partition_index(m, e->topic, e->partition))];
    if (owner < 0 || owner == index_of(m, &m->members, e->client)) offset_change(m, "pos", e->group, e->topic, e->partition, e->last_offset + 1);
}

static void group_state(model *m, const ks_recorded *event, ks_string group, ks_string state, int32_t generation) {
    begin(m, "grp");
    field(m, ",\"g\":", index_of(m, &m->groups, group));
    ks_buffer_text(m->out, ",\"st\":");
    if (state.size < 0) ks_buffer_text(m->out, "null");
    else quoted(state, m->out);
    field(m, ",\"n\":", generation);
    if (event->node.size > 0) field(m, ",\"w\":", index_of(m, &m->nodes, event->node));
    end(m);
}

static void change(model *m, const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    if (KIND(records_appended)) {
        if (!ks_topic_is_internal(FIELDS(records_appended)->topic)) log_change(m, event);
    } else if (KIND(log_start_advanced)) {
        const ks_ev_log_start_advanced *e = event->fields;
        if (ks_topic_is_internal(e->topic)) return;
        int32_t p = partition_index(m, e->topic, e->partition);
        if (p < m->partition_count) log_moved(m, p, e->to, m->ends[p]);
        begin(m, "start");
        field(m, ",\"p\":", p);
        field(m, ",\"o\":", e->to);
        end(m);
    } else if (KIND(topic_created)) topic_change(m, FIELDS(topic_created)->topic, 0, FIELDS(topic_created)->partitions);
    else if (KIND(partitions_added)) topic_change(m, FIELDS(partitions_added)->topic, FIELDS(partitions_added)->from, FIELDS(partitions_added)->to);
    else if (KIND(topic_deleted)) topic_deleted(m, FIELDS(topic_deleted)->topic);
    else if (KIND(client_partitions_assigned) || KIND(client_partitions_revoked) || KIND(client_partitions_lost)) ownership_change(m, event);
    else if (KIND(offsets_committed)) committed(m, FIELDS(offsets_committed));
    else if (KIND(offsets_deleted)) offset_change(m, "com", FIELDS(offsets_deleted)->group, FIELDS(offsets_deleted)->topic, FIELDS(offsets_deleted)->partition, -1);
    else if (KIND(records_delivered)) delivered(m, FIELDS(records_delivered));
    else if (KIND(client_fetch_began)) offset_change(m, "pos", FIELDS(client_fetch_began)->group, FIELDS(client_fetch_began)->topic, FIELDS(client_fetch_began)->partition, FIELDS(client_fetch_began)->offset);
    else if (KIND(position_reset)) offset_change(m, "pos", FIELDS(position_reset)->group, FIELDS(position_reset)->topic, FIELDS(position_reset)->partition, FIELDS(position_reset)->to);
    else if (KIND(group_loaded)) group_state(m, event, FIELDS(group_loaded)->group, FIELDS(group_loaded)->state, FIELDS(group_loaded)->generation);
    else if (KIND(group_state_changed)) group_state(m, event, FIELDS(group_state_changed)->group, FIELDS(group_state_changed)->to, FIELDS(group_state_changed)->generation);
    else if (KIND(group_deleted)) group_state(m, event, FIELDS(group_deleted)->group, KS_NULL_STRING, 0);
    else if (KIND(group_member_joined)) membership(m, event, true);
    else if (KIND(group_member_left) || KIND(group_member_removed) || KIND(group_member_expired)) membership(m, event, false);
    else if (KIND(group_member_replaced)) replaced(m, event->fields);
    else if (KIND(group_member_target_changed)) target(m, FIELDS(group_member_target_changed));
    else if (KIND(group_member_reconciled)) reconciled(m, FIELDS(group_member_reconciled));
    else if (KIND(node_started)) {
        node_change(m, FIELDS(node_started)->name, "runs");
        starts(m, FIELDS(node_started)->name);
    } else if (KIND(node_crashed)) node_change(m, FIELDS(node_crashed)->name, "crashed");
    else if (KIND(node_paused)) node_change(m, FIELDS(node_paused)->name, "paused");
    else if (KIND(node_resumed)) node_change(m, FIELDS(node_resumed)->name, "runs");
}

/* Each change belongs to the step of the page that is the latest one when it happens. */
static void changes_array(model *m) {
    const ks_story *story = m->story;
    int32_t next = 0;
    m->step = -1;
    m->first = true;
    ks_buffer_text(m->out, ",\n\"changes\":[");
    for (int32_t s = 0; s < story->steps.count && m->step < 0; s++)
        if (ks_step_on_page(&story->steps.items[s])) m->step = s;
    for (int32_t i = 0; i < story->recording->events.count && m->step >= 0; i++) {
        for (; next < story->steps.count && story->steps.items[next].event <= i; next++)
            if (ks_step_on_page(&story->steps.items[next])) m->step = next;
        m->time = (story->recording->events.items[i].time - story->recording->start) / 1000;
        m->event = i;
        change(m, &story->recording->events.items[i]);
    }
    ks_buffer_text(m->out, "]");
}

/* ---- steps ---- */

static int32_t on_page(const ks_story *story, int32_t index) { /* itself, or the last one of the page before it */
    while (index >= 0 && !ks_step_on_page(&story->steps.items[index])) index--;
    return index;
}

/* Its cause, through sub-steps that are not on the page; -1: none. */
static int32_t cause_on_page(const ks_story *story, int32_t index) {
    do index = story->steps.items[index].cause;
    while (index >= 0 && !ks_step_on_page(&story->steps.items[index]));
    return index;
}

static void step_field(model *m, const char *name, int32_t step) {
    ks_buffer_text(m->out, name);
    if (step >= 0) step_number(&m->story->steps.items[step], m->out);
    else ks_buffer_i64(m->out, 0);
}

static const char *kind_of_step(const ks_step *step, const ks_recorded *event) {
    switch (step->kind) {
    case KS_STEP_REQUEST: return step->answered ? "request" : "held";
    case KS_STEP_REPLY: return "reply";
    case KS_STEP_TIMER: return "timer";
    case KS_STEP_COMMAND: return "command";
    case KS_STEP_SUB: break;
    }
    if (event->kind == ks_describe_ev_request_received()) return step->answered ? "request" : "held";
    return event->kind == ks_describe_ev_response_sent() ? "reply" : "command";
}

static void ends_of_step(model *m, const ks_step *step, const ks_recorded *event, ks_string *from, ks_string *to) {
    const ks_struct *kind = event->kind;
    bool message = KIND(request_received) || KIND(response_sent);
    *from = KIND(request_received) ? FIELDS(request_received)->from : KIND(response_sent) ? FIELDS(response_sent)->from : event->node;
    *to = KIND(request_received) ? FIELDS(request_received)->to : KIND(response_sent) ? FIELDS(response_sent)->to : KS_NULL_STRING;
    if (from->size > 0) field(m, ",\"f\":", index_of(m, &m->nodes, *from));
    if (message) field(m, ",\"o\":", index_of(m, &m->nodes, *to));
    if (message && step->error != 0) ks_buffer_printf(m->out, ",\"e\":\"%s\"", kafka_error_name((kafka_error)step->error));
}

static void words(model *m, const char *name, void (*say)(const ks_story *story, int32_t step, ks_buffer *out), int32_t step) {
    ks_buffer text = { 0 };
    say(m->story, step, &text);
    if (text.size > 0) {
        ks_buffer_text(m->out, name);
        quoted((ks_string){ (const char *)text.data, (int32_t)text.size }, m->out);
    }
    ks_buffer_deinit(&text);
}

/* What else the step is about, beside what its other fields name: for the page's filter, which is that of the command line. */
typedef struct mentions {
    indexed *table;
    KS_VEC(int32_t) found;
    int32_t step;
} mentions;

static void mention(void *context, ks_string name) {
    mentions *of = context;
    indexed *found = NULL;
    if (name.size > 0) KS_HASH_FIND_STRING(hh, of->table, name, found);
    if (found == NULL || found->mentioned == of->step + 1) return;
    found->mentioned = of->step + 1;
    KS_PUSH(of->found, found->index);
}

/* `known` have been said. */
static void mentioned(model *m, int32_t i, const char *name, ks_filter_by by, indexed *table, const ks_string known[2]) {
    const ks_step *step = &m->story->steps.items[i];
    mentions of = { .table = table, .step = i };
    for (int k = 0; k < 2; k++) mention(&of, known[k]);
    int32_t first = of.found.count;
    for (int32_t f = 0; f < step->facts.count; f++) ks_filter_each_name(&m->story->recording->events.items[step->facts.items[f]], by, &of, mention);
    for (int32_t n = first; n < of.found.count; n++) field(m, n == first ? name : ",", of.found.items[n]);
    if (of.found.count > first) ks_buffer_text(m->out, "]");
    ks_free(of.found.items);
}

static void one_step(model *m, int32_t i) {
    const ks_story *story = m->story;
    const ks_step *step = &story->steps.items[i];
    const ks_recorded *event = &story->recording->events.items[step->event];
    step_field(m, m->first ? "{\"n\":" : ",\n{\"n\":", i);
    m->first = false;
    field(m, ",\"t\":", (step->time - story->recording->start) / 1000);
    ks_buffer_printf(m->out, ",\"y\":\"%s\",\"a\":", kind_of_step(step, event));
    quoted(ks_str(step->api_key >= 0 ? ks_api_name(step->api_key) : ks_event_kind_name(event->kind)), m->out);
    ks_string from, to;
    ends_of_step(m, step, event, &from, &to);
    if (step->other >= 0) step_field(m, ",\"h\":", step->other);
    words(m, ",\"p\":", ks_words_protocol, i);
    words(m, ",\"x\":", ks_words_sentence, i);
    if (step->group.size > 0) field(m, ",\"g\":", index_of(m, &m->groups, step->group));
    mentioned(m, i, ",\"ws\":[", KS_BY_NODE, m->nodes, (const ks_string[2]){ from, to });
    mentioned(m, i, ",\"gs\":[", KS_BY_GROUP, m->groups, (const ks_string[2]){ step->group, KS_NULL_STRING });
    int32_t cause = cause_on_page(story, i);
    if (cause >= 0) step_field(m, ",\"c\":", cause);
    if (step->begins_rebalance) ks_buffer_text(m->out, ",\"b\":1");
    if (step->stable) ks_buffer_text(m->out, ",\"k\":1");
    if (step->important || step->resumes) ks_buffer_text(m->out, ",\"i\":1");
    end(m);
}

static void steps_array(model *m) {
    ks_buffer_text(m->out, ",\n\"steps\":[");
    m->first = true;
    for (int32_t i = 0; i < m->story->steps.count; i++)
        if (ks_step_on_page(&m->story->steps.items[i])) one_step(m, i);
    ks_buffer_text(m->out, "]");
}

static void pauses_array(model *m) {
    const ks_story *story = m->story;
    ks_buffer_text(m->out, ",\n\"pauses\":[");
    for (int32_t i = 0; i < story->pauses.count; i++) {
        const ks_pause *pause = &story->pauses.items[i];
        field(m, i > 0 ? ",\n{\"g\":" : "{\"g\":", index_of(m, &m->groups, pause->group));
        field(m, ",\"p\":", partition_index(m, pause->topic, pause->partition));
        field(m, ",\"from\":", (pause->from - story->recording->start) / 1000);
        if (pause->to > 0) field(m, ",\"to\":", (pause->to - story->recording->start) / 1000);
        step_field(m, ",\"s\":", on_page(story, pause->revoked_step));
        if (pause->resumed_step >= 0) step_field(m, ",\"e\":", on_page(story, pause->resumed_step));
        field(m, ",\"m\":", index_of(m, &m->members, pause->before));
        if (pause->after.size > 0) field(m, ",\"o\":", index_of(m, &m->members, pause->after));
        if (pause->read_again > 0) field(m, ",\"r\":", pause->read_again);
        end(m);
    }
    ks_buffer_text(m->out, "]");
}

/* ---- names, and the whole ---- */

static void names_array(const char *name, indexed *table, ks_buffer *out) {
    ks_buffer_printf(out, ",\n\"%s\":[", name);
    for (indexed *one = table; one != NULL; one = one->hh.next) {
        if (one != table) ks_buffer_text(out, ",");
        quoted(one->name, out);
    }
    ks_buffer_text(out, "]");
}

static void nodes_array(model *m) {
    ks_buffer_text(m->out, ",\n\"nodes\":[");
    for (indexed *one = m->nodes; one != NULL; one = one->hh.next) {
        bool broker = one->name.size > 7 && memcmp(one->name.data, "broker-", 7) == 0;
        ks_buffer_text(m->out, one != m->nodes ? ",{\"name\":" : "{\"name\":");
        quoted(one->name, m->out);
        ks_buffer_printf(m->out, ",\"kind\":\"%s\"}", broker ? "broker" : "client");
    }
    ks_buffer_text(m->out, "]");
}

static void lag_array(model *m, int32_t group) {
    bool first = true;
    for (int32_t i = 0; i < LAG_POINTS; i++) {
        const lag_point *point = &m->plot[group * LAG_POINTS + i];
        if (point->t < 0) continue;
        ks_buffer_printf(m->out, "%s[%lld,%lld]", first ? "" : ",", (long long)point->t, (long long)point->most);
        if (point->last != point->most) ks_buffer_printf(m->out, ",[%lld,%lld]", (long long)(((int64_t)i + 1) * m->duration / LAG_POINTS), (long long)point->last);
        first = false;
    }
}

static void groups_array(model *m) {
    ks_buffer_text(m->out, ",\n\"groups\":[");
    for (indexed *one = m->groups; one != NULL; one = one->hh.next) {
        group_facts facts = one->index < m->group_count ? m->facts[one->index] : (group_facts){ KS_LITERAL("classic"), KS_NULL_STRING };
        ks_buffer_text(m->out, one != m->groups ? ",{\"name\":" : "{\"name\":");
        quoted(one->name, m->out);
        ks_buffer_text(m->out, ",\"type\":");
        quoted(facts.type, m->out);
        ks_buffer_text(m->out, ",\"assignor\":");
        if (facts.assignor.size > 0) quoted(facts.assignor, m->out);
        else ks_buffer_text(m->out, "null");
        ks_buffer_text(m->out, ",\"lag\":[");
        if (one->index < m->group_count) lag_array(m, one->index);
        ks_buffer_text(m->out, "]}");
    }
    ks_buffer_text(m->out, "]");
}

void ks_explanation_json(const ks_story *story, const char *title, ks_buffer *out) {
    model m = { .story = story, .arena = ks_arena_new(), .out = out };
    const ks_recording *recording = story->recording;
    gather(&m);
    ks_buffer_text(out, "{\"format\":\"kafkasim-explanation\",\"version\":2,\"title\":");
    quoted(ks_str(title), out);
    ks_buffer_text(out, ",\"seed\":");
    if (recording->seed.size > 0) quoted(recording->seed, out);
    else ks_buffer_text(out, "null");
    field(&m, ",\"duration\":", m.duration);
    ks_buffer_text(out, ",\"scenario\":");
    if (recording->scenario.size >= 0) quoted_lines(recording->scenario, out);
    else ks_buffer_text(out, "null");
    steps_array(&m);
    changes_array(&m);
    pauses_array(&m);
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
