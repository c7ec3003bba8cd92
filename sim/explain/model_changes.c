/* SPDX-License-Identifier: Apache-2.0
 * The changes in an explanation as JSON. Only what changes something is written: a late word of a former owner is not, so that
 * whoever applies the changes in order has what sim/explain/fold.h has.
 */
#include "sim/explain/model.h"

#include <utlist.h>

enum { RECORDS_SHOWN = 200 }; /* of one batch: the last ones */

/* ---- lag ---- */

static size_t share_of(const ks_model *m, int32_t group, int32_t p) { return (size_t)group * (size_t)m->partition_count + (size_t)p; }

static int64_t lag_between(const ks_model *m, int32_t group, int32_t p, int64_t start, int64_t end) {
    size_t share = share_of(m, group, p);
    if (m->owners[share] < 0 && m->committed[share] < 0) return 0;
    int64_t from = m->committed[share] > start ? m->committed[share] : start;
    return end > from ? end - from : 0;
}

static int64_t share_lag(const ks_model *m, int32_t group, int32_t p) { return lag_between(m, group, p, m->starts[p], m->ends[p]); }

static void plot(ks_model *m, int32_t group, int64_t more) {
    if (more == 0) return;
    m->lag[group] += more;
    int64_t span = m->duration > 0 ? m->time * LAG_POINTS / (m->duration + 1) : 0;
    lag_point *point = &m->plot[(size_t)group * LAG_POINTS + (size_t)(span < 0 ? 0 : span < LAG_POINTS ? span : LAG_POINTS - 1)];
    if (point->t < 0 || m->lag[group] > point->most) point->most = m->lag[group];
    if (point->t < 0) point->t = m->time;
    point->last = m->lag[group];
}

static void log_moved(ks_model *m, int32_t p, int64_t start, int64_t end) {
    for (int32_t g = 0; g < m->group_count; g++) plot(m, g, lag_between(m, g, p, start, end) - share_lag(m, g, p));
    m->starts[p] = start;
    m->ends[p] = end;
}

/* ---- changes ---- */

static void begin(ks_model *m, const char *what) {
    ks_buffer_text(m->out, m->first ? "{\"s\":" : ",\n{\"s\":");
    ks_model_step_number(&m->story->steps.items[m->step], m->out);
    ks_buffer_text(m->out, ",\"y\":\"");
    ks_buffer_text(m->out, what);
    ks_buffer_text(m->out, "\"");
    m->first = false;
}

static void end(ks_model *m) { ks_buffer_text(m->out, "}"); }

static void own(ks_model *m, int32_t partition, int32_t member) {
    begin(m, "own");
    ks_model_field(m, ",\"g\":", m->group);
    ks_model_field(m, ",\"p\":", partition);
    if (member < 0) ks_buffer_text(m->out, ",\"m\":null");
    else ks_model_field(m, ",\"m\":", member);
    end(m);
    int64_t before = share_lag(m, m->group, partition);
    m->owners[share_of(m, m->group, partition)] = member;
    plot(m, m->group, share_lag(m, m->group, partition) - before);
}

static void gained(void *context, ks_string topic, int32_t partition) {
    ks_model *m = context;
    if (ks_topic_is_internal(topic)) return;
    int32_t p = ks_model_partition(m, topic, partition);
    if (m->owners[share_of(m, m->group, p)] != m->member) own(m, p, m->member);
}

/* Only its owner can give a partition up. */
static void released(void *context, ks_string topic, int32_t partition) {
    ks_model *m = context;
    if (ks_topic_is_internal(topic)) return;
    int32_t p = ks_model_partition(m, topic, partition);
    if (p < m->partition_count && m->owners[share_of(m, m->group, p)] == m->member) own(m, p, -1);
}

static void ownership_change(ks_model *m, const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    const ks_ev_client_partitions_assigned *e = event->fields; /* the three kinds have the same fields */
    if (e->group.size <= 0) return;
    m->group = ks_model_index(m, &m->groups, e->group);
    if (m->group >= m->group_count) return; /* nothing was ever assigned in it */
    m->member = ks_model_index(m, &m->members, e->client);
    ks_partitions_each(e->partitions, KIND(client_partitions_assigned) ? gained : released, m);
}

static void in_or_out(ks_model *m, int32_t group, int32_t member, bool in) {
    begin(m, "mem");
    ks_model_field(m, ",\"g\":", group);
    ks_model_field(m, ",\"m\":", member);
    ks_model_field(m, ",\"in\":", in);
    end(m);
}

/* The ids that a client has in groups: where they are listed. */
static ks_model_name *client_of(ks_model *m, ks_string id) {
    ks_model_name *found;
    KS_HASH_FIND_STRING(hh, m->members, ks_words_member(m->story, -1, id), found);
    return found;
}

static void moves_in(ks_model *m, int32_t group, ks_string id) {
    ks_model_name *client = client_of(m, id);
    if (client == NULL) return;
    tenant *one = ks_arena_alloc(m->arena, sizeof *one);
    one->id = id;
    one->group = group;
    DL_APPEND(client->tenants, one);
}

static void moves_out(ks_model *m, int32_t group, ks_string id) {
    ks_model_name *client = client_of(m, id);
    if (client == NULL) return;
    for (tenant *one = client->tenants; one != NULL; one = one->next) {
        if (one->group != group || !ks_string_equal(one->id, id)) continue;
        DL_DELETE(client->tenants, one);
        return;
    }
}

/* A process that is started again is a member no more; what it was stays one, under another name, until it is removed. */
static void starts(ks_model *m, ks_string name) {
    ks_model_name *client;
    KS_HASH_FIND_STRING(hh, m->members, name, client);
    for (tenant *one = client != NULL ? client->tenants : NULL; one != NULL; one = one->next) {
        int32_t former = ks_model_member(m, m->event, one->id, name);
        if (former == client->index) continue;
        in_or_out(m, one->group, client->index, false);
        in_or_out(m, one->group, former, true);
    }
}

static void node_change(ks_model *m, ks_string name, const char *state) {
    begin(m, "node");
    ks_model_field(m, ",\"w\":", ks_model_index(m, &m->nodes, name));
    ks_buffer_printf(m->out, ",\"st\":\"%s\"}", state);
    if (strcmp(state, "crashed") != 0) return;
    ks_model_name *member;
    KS_HASH_FIND_STRING(hh, m->members, name, member);
    if (member == NULL) return;
    for (int32_t g = 0; g < m->group_count; g++) {
        m->group = g;
        for (int32_t p = 0; p < m->partition_count; p++)
            if (m->owners[share_of(m, g, p)] == member->index) own(m, p, -1);
    }
}

static void exists(ks_model *m, int32_t partition, bool there) {
    begin(m, "part");
    ks_model_field(m, ",\"p\":", partition);
    ks_model_field(m, ",\"in\":", there);
    end(m);
    log_moved(m, partition, 0, 0);
}

static void topic_change(ks_model *m, ks_string topic, int32_t from, int32_t to) {
    if (ks_topic_is_internal(topic)) return;
    for (int32_t p = from < 0 ? 0 : from; p < to; p++) exists(m, ks_model_partition(m, topic, p), true);
}

static void topic_deleted(ks_model *m, ks_string topic) {
    if (topic.size < 0) return;
    for (ks_model_name *one = m->partitions; one != NULL; one = one->hh.next)
        if (one->name.size > topic.size && one->name.data[topic.size] == '[' && memcmp(one->name.data, topic.data, (size_t)topic.size) == 0)
            exists(m, one->index, false);
}

static void membership(ks_model *m, const ks_recorded *event, bool in) {
    const ks_ev_group_member_left *e = event->fields; /* joined, left, removed and expired begin alike */
    int32_t group = ks_model_index(m, &m->groups, e->group);
    in_or_out(m, group, ks_model_member(m, m->event, e->member, e->client_id), in);
    if (in) moves_in(m, group, e->member);
    else moves_out(m, group, e->member);
}

static void replaced(ks_model *m, const ks_ev_group_member_replaced *e) {
    int32_t group = ks_model_index(m, &m->groups, e->group);
    int32_t before = ks_model_member(m, m->event, e->old_member, e->client_id), after = ks_model_member(m, m->event, e->member, e->client_id);
    if (before != after) in_or_out(m, group, before, false), in_or_out(m, group, after, true);
    moves_out(m, group, e->old_member);
    moves_in(m, group, e->member);
}

static void begin_of_member(ks_model *m, const char *what, ks_string group, ks_string member, ks_string client_id, int32_t epoch) {
    begin(m, what);
    ks_model_field(m, ",\"g\":", ks_model_index(m, &m->groups, group));
    ks_model_field(m, ",\"m\":", ks_model_member(m, m->event, member, client_id));
    ks_model_field(m, ",\"n\":", epoch);
}

static void target(ks_model *m, const ks_ev_group_member_target_changed *e) {
    begin_of_member(m, "tgt", e->group, e->member, e->client_id, e->epoch);
    ks_buffer_text(m->out, ",\"o\":");
    ks_model_quoted(e->target, m->out);
    end(m);
}

static void reconciled(ks_model *m, const ks_ev_group_member_reconciled *e) {
    begin_of_member(m, "rec", e->group, e->member, e->client_id, e->epoch);
    ks_buffer_text(m->out, ",\"st\":");
    ks_model_quoted(e->state, m->out);
    ks_buffer_text(m->out, ",\"r\":");
    ks_model_quoted(e->revoking, m->out);
    end(m);
}

static void shown(const ks_bytes *bytes, int32_t rest, ks_buffer *to) {
    if (bytes->size < 0) ks_buffer_text(to, "null");
    else ks_words_escape((ks_string){ (const char *)bytes->data, bytes->size }, to);
    if (rest > 0) ks_buffer_printf(to, "... (%d more)", rest);
}

static void log_change(ks_model *m, const ks_recorded *event) {
    const ks_ev_records_appended *e = event->fields;
    int32_t p = ks_model_partition(m, e->topic, e->partition);
    log_moved(m, p, m->starts[p], e->last_offset + 1);
    begin(m, "log");
    ks_model_field(m, ",\"p\":", p);
    ks_model_field(m, ",\"e\":", e->last_offset + 1);
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
            ks_model_quoted((ks_string){ (const char *)text.data, (int32_t)text.size }, m->out);
            ks_buffer_text(m->out, ",");
        }
        ks_buffer_clear(&text);
        shown(&record->value, record->value_rest, &text);
        ks_model_quoted((ks_string){ (const char *)text.data, (int32_t)text.size }, m->out);
        if (record->key.size >= 0) ks_buffer_text(m->out, "]");
    }
    ks_buffer_deinit(&text);
    ks_buffer_text(m->out, "]}");
}

static void offset_change(ks_model *m, const char *what, ks_string group, ks_string topic, int32_t partition, int64_t offset) {
    if (ks_topic_is_internal(topic) || group.size <= 0) return;
    int32_t g = ks_model_index(m, &m->groups, group), p = ks_model_partition(m, topic, partition);
    if (g >= m->group_count || p >= m->partition_count) return; /* deleted, but never there */
    if (strcmp(what, "com") == 0) {
        int64_t before = share_lag(m, g, p);
        m->committed[share_of(m, g, p)] = offset;
        plot(m, g, share_lag(m, g, p) - before);
    }
    begin(m, what);
    ks_model_field(m, ",\"g\":", g);
    ks_model_field(m, ",\"p\":", p);
    ks_model_field(m, ",\"o\":", offset);
    end(m);
}

static void committed(ks_model *m, const ks_ev_offsets_committed *e) {
    for (int32_t p = 0; p < e->partitions.count; p++) offset_change(m, "com", e->group, e->topic, e->partitions.items[p].partition, e->partitions.items[p].offset);
}

/* To a former owner: the position of the present one stays. */
static void delivered(ks_model *m, const ks_ev_records_delivered *e) {
    if (ks_topic_is_internal(e->topic) || e->group.size <= 0) return;
    int32_t owner = m->owners[share_of(m, ks_model_index(m, &m->groups, e->group), ks_model_partition(m, e->topic, e->partition))];
    if (owner < 0 || owner == ks_model_index(m, &m->members, e->client)) offset_change(m, "pos", e->group, e->topic, e->partition, e->last_offset + 1);
}

static void group_state(ks_model *m, const ks_recorded *event, ks_string group, ks_string state, int32_t generation) {
    begin(m, "grp");
    ks_model_field(m, ",\"g\":", ks_model_index(m, &m->groups, group));
    ks_buffer_text(m->out, ",\"st\":");
    if (state.size < 0) ks_buffer_text(m->out, "null");
    else ks_model_quoted(state, m->out);
    ks_model_field(m, ",\"n\":", generation);
    if (event->node.size > 0) ks_model_field(m, ",\"w\":", ks_model_index(m, &m->nodes, event->node));
    end(m);
}

static void change(ks_model *m, const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    if (KIND(records_appended)) {
        if (!ks_topic_is_internal(FIELDS(records_appended)->topic)) log_change(m, event);
    } else if (KIND(log_start_advanced)) {
        const ks_ev_log_start_advanced *e = event->fields;
        if (ks_topic_is_internal(e->topic)) return;
        int32_t p = ks_model_partition(m, e->topic, e->partition);
        if (p < m->partition_count) log_moved(m, p, e->to, m->ends[p]);
        begin(m, "start");
        ks_model_field(m, ",\"p\":", p);
        ks_model_field(m, ",\"o\":", e->to);
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
void ks_model_changes(ks_model *m) {
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
