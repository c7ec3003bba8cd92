/* SPDX-License-Identifier: Apache-2.0
 * Which steps are about a process, a group, a partition: asked of the events that belong to them.
 */
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"

static ks_string text_field(const ks_recorded *event, const char *field_name) {
    const ks_field *field = ks_struct_field(event->kind, field_name);
    if (field == NULL || field->type != KS_TYPE_string) return KS_NULL_STRING;
    return *(const ks_string *)((const char *)event->fields + field->offset);
}

static bool names(const ks_recorded *event, const char *field_name, ks_string wanted) { return ks_string_equal(text_field(event, field_name), wanted); }

static void each_word(ks_string text, void *context, void (*each)(void *context, ks_string name)) {
    for (int32_t start = 0; start < text.size;) {
        int32_t end = start;
        while (end < text.size && text.data[end] != ' ') end++;
        each(context, (ks_string){ text.data + start, end - start });
        start = end + 1;
    }
}

void ks_filter_each_name(const ks_recorded *event, ks_filter_by by, void *context, void (*each)(void *context, ks_string name)) {
    static const char *const of_node[] = { "from", "to", "client", "name", NULL }, *const of_group[] = { "group", NULL };
    if (by == KS_BY_NODE) each(context, event->node);
    for (const char *const *name = by == KS_BY_NODE ? of_node : of_group; *name != NULL; name++) each(context, text_field(event, *name));
    if (event->kind == ks_describe_ev_command()) each_word(text_field(event, "arguments"), context, each); /* "c2 billing" */
}

typedef struct search { ks_string name; bool found; } search;

static void compare(void *context, ks_string name) {
    search *s = context;
    s->found = s->found || ks_string_equal(name, s->name);
}

static bool is_about(const ks_recorded *event, ks_filter_by by, const char *name) {
    search s = { .name = ks_str(name) };
    ks_filter_each_name(event, by, &s, compare);
    return s.found;
}

typedef struct wanted { ks_string topic; int32_t partition; bool found; } wanted;

static void look(void *context, ks_string topic, int32_t partition) {
    wanted *w = context;
    w->found = w->found || (ks_string_equal(topic, w->topic) && (w->partition < 0 || partition == w->partition));
}

static bool is_in_commit(const ks_recorded *event, int32_t partition) {
    const ks_field *field = ks_struct_field(event->kind, "partitions");
    const ks_any_array *list = (const void *)((const char *)event->fields + field->offset);
    for (int32_t p = 0; p < list->count; p++)
        if (((const ks_partition_offset *)list->items)[p].partition == partition) return true;
    return false;
}

static bool is_about_partition(const ks_recorded *event, ks_string topic, int32_t partition) {
    static const char *const lists[] = { "partitions", "assignment", "assigned", "revoking", "target" };
    const ks_field *field = ks_struct_field(event->kind, "partition");
    if (event->kind == ks_describe_ev_offsets_committed() || event->kind == ks_describe_ev_offset_commit_refused())
        return names(event, "topic", topic) && (partition < 0 || is_in_commit(event, partition));
    if (names(event, "topic", topic)) {
        if (partition < 0 || field == NULL) return true;
        if (field->type == KS_TYPE_int32 && *(const int32_t *)((const char *)event->fields + field->offset) == partition) return true;
    }
    wanted w = { topic, partition, false };
    for (size_t i = 0; i < sizeof lists / sizeof *lists && !w.found; i++) ks_partitions_each(text_field(event, lists[i]), look, &w);
    search s = { .name = topic, .found = w.found };
    if (event->kind == ks_describe_ev_command()) each_word(text_field(event, "arguments"), &s, compare);
    return s.found;
}

bool ks_filter_passes(const ks_story *story, int32_t index, const ks_filter *filter) {
    const ks_step *step = &story->steps.items[index];
    if (step->number < filter->from || (filter->to > 0 && step->number > filter->to)) return false;
    /* The end of a pause is part of the story wherever it falls. */
    if (filter->level == KS_LEVEL_STORY && !step->important && !step->resumes) return false;
    if (filter->level == KS_LEVEL_PROTOCOL && step->kind == KS_STEP_SUB && !step->resumes) return false;
    bool node = filter->node == NULL, topic = filter->topic == NULL, group = filter->group == NULL;
    for (int32_t f = 0; f < step->facts.count && !(node && topic && group); f++) {
        const ks_recorded *event = &story->recording->events.items[step->facts.items[f]];
        node = node || is_about(event, KS_BY_NODE, filter->node);
        group = group || is_about(event, KS_BY_GROUP, filter->group);
        topic = topic || is_about_partition(event, ks_str(filter->topic), filter->partition);
    }
    return node && topic && group;
}
