/* SPDX-License-Identifier: Apache-2.0
 * What became of one record: who wrote it, to whom it was delivered, and why again; when an offset beyond it was committed; or why
 * nobody got it.
 */
#include "sim/explain/words.h"
#include "sim/protocol/events.h"

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

/* Where the group stands with it. Few groups read a partition, so they are in a list. */
typedef struct reader {
    ks_string group, last; /* to whom it was delivered last; null: nobody */
    int64_t committed;     /* -1: nothing */
    bool past;             /* an offset beyond the record is committed */
    bool passed;           /* the group reads behind it, and did not get it */
    int32_t times;
} reader;

typedef struct inquiry {
    ks_speaker s;
    ks_string topic;
    int32_t partition;
    int64_t offset;
    KS_VEC(reader) readers;
    bool written, gone, deleted;
    int32_t alone; /* deliveries to readers without a group */
} inquiry;

static reader *reader_of(inquiry *q, ks_string group) {
    for (int32_t i = 0; i < q->readers.count; i++)
        if (ks_string_equal(q->readers.items[i].group, group)) return &q->readers.items[i];
    KS_PUSH(q->readers, ((reader){ .group = group, .last = KS_NULL_STRING, .committed = -1 }));
    return &q->readers.items[q->readers.count - 1];
}

static void say_when(const inquiry *q, int32_t event) {
    const ks_story *story = q->s.story;
    ks_words_seconds(story->recording->events.items[event].time - story->recording->start, q->s.out);
    int32_t step = story->step_of_event[event];
    if (step >= 0 && story->steps.items[step].sub > 0) ks_buffer_printf(q->s.out, "  step %d.%d", story->steps.items[step].number, story->steps.items[step].sub);
    else if (step >= 0) ks_buffer_printf(q->s.out, "  step %d", story->steps.items[step].number);
    ks_tell(&q->s, "  ");
}

static bool is_here(const inquiry *q, ks_string topic, int32_t partition) { return partition == q->partition && ks_string_equal(topic, q->topic); }

static void say_content(const inquiry *q, const ks_recorded *event, int64_t base) {
    int64_t at = q->offset - base;
    if (at < 0 || at >= event->record_count) return;
    const ks_shown_record *record = &event->records[at];
    if (record->key.size >= 0) ks_tell(&q->s, ", key \"%s\"%c", (ks_string){ (const char *)record->key.data, record->key.size }, record->key_rest > 0 ? " (cut)" : "");
    if (record->value.size >= 0) ks_tell(&q->s, ", value \"%s\"%c", (ks_string){ (const char *)record->value.data, record->value.size }, record->value_rest > 0 ? " (cut)" : "");
}

static void on_appended(inquiry *q, int32_t i, const ks_recorded *event) {
    const ks_ev_records_appended *e = event->fields;
    if (!is_here(q, e->topic, e->partition) || q->offset < e->base_offset || q->offset > e->last_offset) return;
    q->written = true;
    say_when(q, i);
    ks_tell(&q->s, "written");
    if (e->client.size > 0) { /* "producer (github.com/...)": the process, without what its library adds */
        int32_t size = 0;
        while (size < e->client.size && e->client.data[size] != ' ') size++;
        ks_tell(&q->s, " by %s", (ks_string){ e->client.data, size });
    }
    say_content(q, event, e->base_offset);
    ks_tell(&q->s, "\n");
}

/* Which rebalance, or else what, made it come again. */
static void say_why_again(const inquiry *q, const reader *r, const ks_ev_records_delivered *e, int64_t time) {
    const ks_story *story = q->s.story;
    const ks_pause *found = NULL;
    for (int32_t p = story->pauses.count - 1; p >= 0 && found == NULL; p--) {
        const ks_pause *pause = &story->pauses.items[p];
        if (is_here(q, pause->topic, pause->partition) && ks_string_equal(pause->group, e->group) && pause->from <= time && (pause->to == 0 || pause->to <= time)) found = pause;
    }
    if (r->committed < 0) ks_tell(&q->s, ", because nothing was committed yet");
    else if (r->committed <= q->offset) ks_tell(&q->s, ", because %d was the committed offset", r->committed);
    else {
        ks_tell(&q->s, ", although %d was committed: its program went back", r->committed);
        return;
    }
    if (found == NULL) return;
    if (found->rebalance >= 0) {
        const ks_rebalance *rebalance = &story->rebalances.items[found->rebalance];
        ks_tell(&q->s, " when a rebalance took %s[%d] from %s", q->topic, (int64_t)q->partition, found->before);
        if (rebalance->generation >= 0) ks_tell(&q->s, " (why group %s %d)", rebalance->group, (int64_t)rebalance->generation);
    } else ks_tell(&q->s, " when %s lost %s[%d]", found->before, q->topic, (int64_t)q->partition);
}

static void on_delivered(inquiry *q, int32_t i, const ks_recorded *event) {
    const ks_ev_records_delivered *e = event->fields;
    if (!is_here(q, e->topic, e->partition)) return;
    bool here = q->offset >= e->first_offset && q->offset <= e->last_offset;
    if (e->group.size <= 0) {
        if (!here) return;
        q->alone++;
        say_when(q, i);
        ks_tell(&q->s, "delivered to %s, which is in no group\n", e->client);
        return;
    }
    reader *r = reader_of(q, e->group);
    if (!here) {
        r->passed = r->passed || (e->first_offset > q->offset && r->times == 0);
        return;
    }
    say_when(q, i);
    ks_tell(&q->s, r->times == 0 ? "delivered to %s in %s" : "delivered again, to %s in %s", e->client, e->group);
    if (r->times > 0) say_why_again(q, r, e, event->time);
    ks_tell(&q->s, "\n");
    r->times++;
    r->last = e->client;
}

static const ks_partition_offset *here_in(const inquiry *q, const ks_ev_offsets_committed *e) {
    for (int32_t p = 0; p < e->partitions.count; p++)
        if (is_here(q, e->topic, e->partitions.items[p].partition)) return &e->partitions.items[p];
    return NULL;
}

static void on_committed(inquiry *q, int32_t i, const ks_ev_offsets_committed *e) {
    const ks_partition_offset *here = here_in(q, e);
    if (here == NULL) return;
    reader *r = reader_of(q, e->group);
    r->committed = here->offset;
    bool past = here->offset > q->offset;
    if (past == r->past) return;
    r->past = past;
    say_when(q, i);
    if (past) ks_tell(&q->s, "committed in %s: offset %d", e->group, here->offset);
    else ks_tell(&q->s, "no longer committed in %s: the offset is set back to %d", e->group, here->offset);
    if (e->member.size > 0) ks_tell(&q->s, ", by %m", e->member);
    ks_tell(&q->s, "\n");
}

static void see(inquiry *q, int32_t i) {
    const ks_recorded *event = &q->s.story->recording->events.items[i];
    const ks_struct *kind = event->kind;
    if (KIND(records_appended)) on_appended(q, i, event);
    else if (KIND(records_delivered)) on_delivered(q, i, event);
    else if (KIND(offsets_committed)) on_committed(q, i, event->fields);
    else if (KIND(offsets_deleted)) {
        const ks_ev_offsets_deleted *e = event->fields;
        if (!is_here(q, e->topic, e->partition)) return;
        reader *r = reader_of(q, e->group);
        r->committed = -1;
        r->past = false;
        say_when(q, i);
        ks_tell(&q->s, "the committed offset of %s is deleted\n", e->group);
    } else if (KIND(position_reset)) {
        const ks_ev_position_reset *e = event->fields;
        if (!is_here(q, e->topic, e->partition) || e->to <= q->offset || !q->written) return;
        say_when(q, i);
        ks_tell(&q->s, "passed over: %s begins at %d, because ", e->client, e->to);
        ks_tell_reason(&q->s, e->reason, KS_NULL_STRING);
        ks_tell(&q->s, "\n");
    } else if (KIND(log_start_advanced)) {
        const ks_ev_log_start_advanced *e = event->fields;
        if (!is_here(q, e->topic, e->partition) || q->gone || e->to <= q->offset) return;
        q->gone = true;
        say_when(q, i);
        ks_tell(&q->s, "removed from the log, which now begins at %d, because ", e->to);
        ks_tell_reason(&q->s, e->reason, KS_NULL_STRING);
        ks_tell(&q->s, "\n");
    } else if (KIND(topic_deleted) && ks_string_equal(FIELDS(topic_deleted)->topic, q->topic) && q->written) {
        q->deleted = true;
        say_when(q, i);
        ks_tell(&q->s, "gone with its topic\n");
    }
}

static void say_summary(const inquiry *q) {
    int32_t told = 0;
    for (int32_t i = 0; i < q->readers.count; i++) {
        const reader *r = &q->readers.items[i];
        if (r->times > 0) ks_tell(&q->s, "%s: delivered %d time%c, %c\n", r->group, (int64_t)r->times, r->times == 1 ? "" : "s", r->past ? "committed" : "not committed in this run");
        else if (r->past) ks_tell(&q->s, "%s: never delivered in this run, but committed: it will not come any more\n", r->group);
        else if (r->passed) ks_tell(&q->s, "%s: never delivered in this run; what lies behind it was\n", r->group);
        else ks_tell(&q->s, "%s: not delivered in this run%c\n", r->group, q->gone || q->deleted ? "; it is gone now" : "; its turn had not come when the run ended");
        told++;
    }
    if (told == 0 && q->alone == 0) ks_tell(&q->s, "not delivered in this run: nobody read it%c\n", q->gone || q->deleted ? ", and it is gone now" : "");
}

bool ks_why_record(const ks_story *story, const char *topic, int32_t partition, int64_t offset, ks_buffer *out) {
    inquiry q = { .s = { story, out, -1 }, .topic = ks_str(topic), .partition = partition, .offset = offset };
    for (int32_t i = 0; i < story->recording->events.count; i++) see(&q, i);
    if (q.written) say_summary(&q);
    ks_free(q.readers.items);
    return q.written;
}
