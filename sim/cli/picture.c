/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cli/picture.h"

#include "sim/cli/text.h"
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"

#include <stdio.h>
#include <stdlib.h>

enum { ON = 3, NUMBER = 10, BROKERS_ONE_BY_ONE = 6 };

/* ---- which topics a group reads ---- */

typedef struct reading { ks_picture *picture; int32_t group; ks_string last; } reading;

static int32_t topic_index(const ks_picture *picture, ks_string topic) {
    for (int32_t t = picture->topics.count - 1; t >= 0; t--)
        if (ks_string_equal(picture->topics.items[t], topic)) return t;
    return -1;
}

static void reads_topic(void *context, ks_string topic, int32_t partition) {
    reading *r = context;
    (void)partition;
    if (r->group < 0 || ks_string_equal(topic, r->last)) return;
    r->last = topic;
    int32_t t = topic_index(r->picture, topic);
    if (t >= 0) r->picture->reads[r->group * r->picture->topics.count + t] = true;
}

static void list_topics(ks_picture *picture) {
    const ks_fold *fold = picture->fold;
    picture->topic_of = ks_alloc((size_t)(fold->partition_count + 1) * sizeof *picture->topic_of);
    for (int32_t p = 0; p < fold->partition_count; p++) {
        int32_t t = topic_index(picture, fold->partitions[p].topic);
        if (t < 0) {
            t = picture->topics.count;
            KS_PUSH(picture->topics, fold->partitions[p].topic);
        }
        picture->topic_of[p] = t;
    }
    picture->reads = ks_alloc((size_t)fold->group_count * (size_t)picture->topics.count + 1);
}

static int32_t group_index(const ks_fold *fold, ks_string name) {
    for (int32_t g = 0; g < fold->group_count; g++)
        if (ks_string_equal(fold->groups[g].name, name)) return g;
    return -1;
}

/* Most events say of a partition what is known already: those are passed over at once. */
static void learn_reading(ks_picture *picture) {
    const ks_recording *recording = picture->fold->story->recording;
    reading r = { .picture = picture, .group = -1, .last = KS_NULL_STRING };
    ks_string group = KS_NULL_STRING;
    for (int32_t i = 0; i < recording->events.count; i++) {
        const ks_recorded *event = &recording->events.items[i];
        ks_string name = KS_NULL_STRING, topic = KS_NULL_STRING, partitions = KS_NULL_STRING;
        if (event->kind == ks_describe_ev_client_partitions_assigned()) {
            const ks_ev_client_partitions_assigned *e = event->fields;
            name = e->group, partitions = e->partitions;
        } else if (event->kind == ks_describe_ev_offsets_committed()) {
            const ks_ev_offsets_committed *e = event->fields;
            name = e->group, topic = e->topic;
        } else if (event->kind == ks_describe_ev_records_delivered()) {
            const ks_ev_records_delivered *e = event->fields;
            name = e->group, topic = e->topic;
        }
        if (name.size <= 0) continue;
        if (!ks_string_equal(name, group)) {
            group = name;
            r.group = group_index(picture->fold, name);
            r.last = KS_NULL_STRING;
        }
        if (topic.size > 0) reads_topic(&r, topic, 0);
        else ks_partitions_each(partitions, reads_topic, &r);
    }
}

static bool reads(const ks_picture *picture, int32_t group, int32_t partition) {
    return picture->reads[group * picture->topics.count + picture->topic_of[partition]];
}

static void partition_name(const ks_fold_partition *partition, ks_buffer *out) {
    ks_buffer_clear(out);
    ks_words_escape(partition->topic, out);
    ks_buffer_printf(out, "[%d]", partition->partition);
    ks_text_clean(out);
}

void ks_picture_init(ks_picture *picture, const ks_fold *fold) {
    *picture = (ks_picture){ .fold = fold, .name_columns = 9 };
    list_topics(picture);
    learn_reading(picture);
    ks_buffer name = { 0 };
    for (int32_t p = 0; p < fold->partition_count; p++) {
        int columns;
        partition_name(&fold->partitions[p], &name);
        ks_text_fit((const char *)name.data, name.size, 60, &columns);
        if (columns > picture->name_columns) picture->name_columns = columns;
    }
    ks_buffer_deinit(&name);
}

void ks_picture_deinit(ks_picture *picture) {
    ks_free(picture->reads);
    ks_free(picture->topic_of);
    ks_free(picture->topics.items);
    ks_buffer_deinit(&picture->text);
    ks_free(picture->lines.items);
}

const char *ks_picture_text(const ks_picture *picture, int32_t line) {
    return (const char *)picture->text.data + picture->lines.items[line].start;
}

/* ---- lines ---- */

static ks_picture_line *add_line(ks_picture *picture, ks_buffer *text) {
    ks_text_clean(text);
    KS_PUSH(picture->lines, ((ks_picture_line){ .start = picture->text.size, .size = text->size, .client = -1 }));
    ks_buffer_append(&picture->text, text->data, text->size);
    ks_buffer_clear(text);
    return &picture->lines.items[picture->lines.count - 1];
}

static void draw_brokers(ks_picture *picture, ks_buffer *line) {
    const ks_fold *fold = picture->fold;
    int32_t brokers = 0, up = 0;
    while (brokers < fold->node_count && fold->nodes[brokers].broker) up += fold->nodes[brokers++].life == KS_FOLD_UP;
    int32_t *leads = ks_alloc((size_t)(brokers + 1) * sizeof *leads);
    for (int32_t p = 0; p < fold->partition_count; p++)
        if (fold->partitions[p].exists && fold->partitions[p].leader > 0 && fold->partitions[p].leader <= brokers) leads[fold->partitions[p].leader - 1]++;
    ks_buffer_text(line, " brokers ");
    if (brokers > BROKERS_ONE_BY_ONE) ks_buffer_printf(line, "  %d, %s", brokers, up == brokers ? "all up" : "not up:");
    for (int32_t b = 0; b < brokers; b++) {
        static const char *const lives[] = { "not yet", "up", "paused", "down" };
        ks_fold_life life = fold->nodes[b].life;
        if (brokers > BROKERS_ONE_BY_ONE) {
            if (life != KS_FOLD_UP) ks_buffer_printf(line, " %d", b + 1);
        } else if (life == KS_FOLD_UP) ks_buffer_printf(line, "  %d leads %d", b + 1, leads[b]);
        else ks_buffer_printf(line, "  %d %s", b + 1, lives[life]);
    }
    ks_free(leads);
    add_line(picture, line);
}

static void draw_clients(ks_picture *picture, ks_buffer *line) {
    const ks_fold *fold = picture->fold;
    ks_buffer_text(line, " clients ");
    for (int32_t n = 0; n < fold->node_count; n++) {
        const ks_fold_node *node = &fold->nodes[n];
        if (node->broker || node->life == KS_FOLD_NOT_YET) continue;
        ks_buffer_text(line, "  ");
        ks_words_escape(node->name, line);
        if (node->life != KS_FOLD_UP) ks_buffer_text(line, node->life == KS_FOLD_PAUSED ? " (paused)" : " (dead)");
    }
    add_line(picture, line);
}

static void number(ks_buffer *line, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, value < 0 ? "-" : "%lld", (long long)value);
    ks_text_right(line, text, NUMBER);
}

/* '=' committed, '+' delivered, '.' not yet. */
static void bar(ks_buffer *line, const ks_fold_partition *partition, const ks_fold_share *share, int columns) {
    int64_t span = partition->end - partition->start, cells = span < columns ? span : columns;
    ks_buffer_text(line, "  ");
    for (int64_t i = 0; i < cells; i++) {
        int64_t offset = partition->start + i * span / cells;
        ks_buffer_text(line, share != NULL && offset < share->committed ? "=" : share != NULL && offset < share->position ? "+" : ".");
    }
}

typedef struct columns { int name, owner, bar; } columns;

static columns layout(const ks_picture *picture, int width) {
    columns c = { picture->name_columns, 10, 0 };
    int free = width - 1 - 1 - ON - 1 - 3 * NUMBER - 8; /* for name and owner */
    if (free > 60) c.owner = 16;
    int most = free - c.owner - 14; /* a long name leaves room for the bar, unless it would be cut to nothing */
    if (most < 14) most = free - c.owner < 14 ? free - c.owner : 14;
    if (c.name > most) c.name = most;
    if (c.name < 8) c.name = 8;
    c.bar = width - (1 + c.name + 1 + ON + 1 + c.owner + 3 * NUMBER + 8) - 3;
    return c;
}

static void draw_partition(ks_picture *picture, ks_buffer *line, columns c, int32_t p, const ks_fold_share *share, ks_buffer *name) {
    const ks_fold *fold = picture->fold;
    const ks_fold_partition *partition = &fold->partitions[p];
    char leader[16] = "-";
    partition_name(partition, name);
    ks_buffer_text(line, " ");
    ks_text_left(line, (const char *)name->data, name->size, c.name);
    if (partition->exists && partition->leader > 0) snprintf(leader, sizeof leader, "%d", partition->leader);
    ks_buffer_text(line, " ");
    ks_text_left(line, leader, strlen(leader), ON);
    ks_buffer_text(line, " ");
    int32_t owner = share != NULL && partition->exists ? share->owner : -1;
    ks_buffer_clear(name);
    if (!partition->exists) ks_buffer_text(name, "not there");
    else if (owner >= 0) ks_words_escape(fold->clients[owner], name);
    else ks_buffer_text(name, share != NULL ? "nobody" : "");
    ks_text_clean(name);
    size_t from = line->size;
    ks_text_left(line, (const char *)name->data, name->size, c.owner);
    size_t to = line->size;
    if (share != NULL && partition->exists) {
        number(line, share->committed);
        number(line, share->position);
    } else {
        ks_text_right(line, "", NUMBER);
        ks_text_right(line, "", NUMBER);
    }
    if (partition->exists) {
        char lag[32] = "";
        number(line, partition->end);
        if (share != NULL && share->committed >= 0) snprintf(lag, sizeof lag, "%lld", (long long)(partition->end - share->committed));
        else if (share != NULL) snprintf(lag, sizeof lag, "-");
        ks_text_right(line, lag, 8);
        if (c.bar >= 8) bar(line, partition, share, c.bar);
    }
    ks_picture_line *added = add_line(picture, line);
    added->client = owner;
    added->from = from;
    added->to = to;
}

static void titles(ks_picture *picture, ks_buffer *line, columns c, bool group) {
    ks_buffer_text(line, " ");
    ks_text_left(line, "partition", 9, c.name);
    ks_buffer_text(line, " on  ");
    ks_text_left(line, group ? "owner" : "", group ? 5 : 0, c.owner);
    ks_text_right(line, group ? "committed" : "", NUMBER);
    ks_text_right(line, group ? "delivered" : "", NUMBER);
    ks_text_right(line, "end", NUMBER);
    ks_text_right(line, group ? "lag" : "", 8);
    add_line(picture, line);
}

static void draw_group(ks_picture *picture, ks_buffer *line, columns c, int32_t g, ks_buffer *name) {
    const ks_fold *fold = picture->fold;
    const ks_fold_group *group = &fold->groups[g];
    int64_t lag = 0;
    bool last = fold->at + 1 >= fold->story->steps.count;
    int32_t event = last ? -1 : fold->story->steps.items[fold->at + 1].event - 1; /* the last one that is applied */
    for (int32_t p = 0; p < fold->partition_count; p++) {
        if (!reads(picture, g, p) || !fold->partitions[p].exists) continue;
        int64_t from = group->shares[p].committed >= 0 ? group->shares[p].committed : fold->partitions[p].start;
        lag += fold->partitions[p].end - from;
    }
    add_line(picture, line); /* an empty one */
    ks_buffer_text(line, " group ");
    ks_words_escape(group->name, line);
    if (group->exists) {
        ks_buffer_text(line, ": ");
        ks_words_escape(group->state, line);
        ks_buffer_printf(line, ", %s %d, coordinator ", ks_words_generation(fold->story, event, group->name), group->generation);
        ks_words_escape(group->coordinator, line);
        ks_buffer_printf(line, ", lag %lld", (long long)lag);
    } else ks_buffer_text(line, ": not there");
    add_line(picture, line)->heading = true;
    titles(picture, line, c, true);
    for (int32_t p = 0; p < fold->partition_count; p++)
        if (reads(picture, g, p)) draw_partition(picture, line, c, p, &group->shares[p], name);
}

void ks_picture_draw(ks_picture *picture, int width) {
    const ks_fold *fold = picture->fold;
    columns c = layout(picture, width);
    ks_buffer line = { 0 }, name = { 0 };
    ks_buffer_clear(&picture->text);
    picture->lines.count = 0;
    draw_brokers(picture, &line);
    draw_clients(picture, &line);
    for (int32_t g = 0; g < fold->group_count; g++) draw_group(picture, &line, c, g, &name);
    bool titled = false;
    for (int32_t p = 0; p < fold->partition_count; p++) {
        bool read = false;
        for (int32_t g = 0; g < fold->group_count && !read; g++) read = reads(picture, g, p);
        if (read) continue;
        if (!titled) {
            add_line(picture, &line);
            ks_buffer_text(&line, " read by no group");
            add_line(picture, &line)->heading = true;
            titles(picture, &line, c, false);
        }
        titled = true;
        draw_partition(picture, &line, c, p, NULL, &name);
    }
    ks_buffer_deinit(&line);
    ks_buffer_deinit(&name);
}
