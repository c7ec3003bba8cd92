/* SPDX-License-Identifier: Apache-2.0
 * The steps and pauses in an explanation as JSON. */
#include <kafkasim/error.h>

#include "sim/explain/model.h"
#include "sim/protocol/messages.h"

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

static void step_field(ks_model *m, const char *name, int32_t step) {
    ks_buffer_text(m->out, name);
    if (step >= 0) ks_model_step_number(&m->story->steps.items[step], m->out);
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

static void ends_of_step(ks_model *m, const ks_step *step, const ks_recorded *event, ks_string *from, ks_string *to) {
    const ks_struct *kind = event->kind;
    bool message = KIND(request_received) || KIND(response_sent);
    *from = KIND(request_received) ? FIELDS(request_received)->from : KIND(response_sent) ? FIELDS(response_sent)->from : event->node;
    *to = KIND(request_received) ? FIELDS(request_received)->to : KIND(response_sent) ? FIELDS(response_sent)->to : KS_NULL_STRING;
    if (from->size > 0) ks_model_field(m, ",\"f\":", ks_model_index(m, &m->nodes, *from));
    if (message) ks_model_field(m, ",\"o\":", ks_model_index(m, &m->nodes, *to));
    if (message && step->error != 0) ks_buffer_printf(m->out, ",\"e\":\"%s\"", kafka_error_name((kafka_error)step->error));
}

static void words(ks_model *m, const char *name, void (*say)(const ks_story *story, int32_t step, ks_buffer *out), int32_t step) {
    ks_buffer text = { 0 };
    say(m->story, step, &text);
    if (text.size > 0) {
        ks_buffer_text(m->out, name);
        ks_model_quoted((ks_string){ (const char *)text.data, (int32_t)text.size }, m->out);
    }
    ks_buffer_deinit(&text);
}

/* What else the step is about, beside what its other fields name: for the page's filter, which is that of the command line. */
typedef struct mentions {
    ks_model_name *table;
    KS_VEC(int32_t) found;
    int32_t step;
} mentions;

static void mention(void *context, ks_string name) {
    mentions *of = context;
    ks_model_name *found = NULL;
    if (name.size > 0) KS_HASH_FIND_STRING(hh, of->table, name, found);
    if (found == NULL || found->mentioned == of->step + 1) return;
    found->mentioned = of->step + 1;
    KS_PUSH(of->found, found->index);
}

/* `known` have been said. */
static void mentioned(ks_model *m, int32_t i, const char *name, ks_filter_by by, ks_model_name *table, const ks_string known[2]) {
    const ks_step *step = &m->story->steps.items[i];
    mentions of = { .table = table, .step = i };
    for (int k = 0; k < 2; k++) mention(&of, known[k]);
    int32_t first = of.found.count;
    for (int32_t f = 0; f < step->facts.count; f++) ks_filter_each_name(&m->story->recording->events.items[step->facts.items[f]], by, &of, mention);
    for (int32_t n = first; n < of.found.count; n++) ks_model_field(m, n == first ? name : ",", of.found.items[n]);
    if (of.found.count > first) ks_buffer_text(m->out, "]");
    ks_free(of.found.items);
}

static void one_step(ks_model *m, int32_t i) {
    const ks_story *story = m->story;
    const ks_step *step = &story->steps.items[i];
    const ks_recorded *event = &story->recording->events.items[step->event];
    step_field(m, m->first ? "{\"n\":" : ",\n{\"n\":", i);
    m->first = false;
    ks_model_field(m, ",\"t\":", (step->time - story->recording->start) / 1000);
    ks_buffer_printf(m->out, ",\"y\":\"%s\",\"a\":", kind_of_step(step, event));
    ks_model_quoted(ks_str(step->api_key >= 0 ? ks_api_name(step->api_key) : ks_event_kind_name(event->kind)), m->out);
    ks_string from, to;
    ends_of_step(m, step, event, &from, &to);
    if (step->other >= 0) step_field(m, ",\"h\":", step->other);
    words(m, ",\"p\":", ks_words_protocol, i);
    words(m, ",\"x\":", ks_words_sentence, i);
    if (step->group.size > 0) ks_model_field(m, ",\"g\":", ks_model_index(m, &m->groups, step->group));
    mentioned(m, i, ",\"ws\":[", KS_BY_NODE, m->nodes, (const ks_string[2]){ from, to });
    mentioned(m, i, ",\"gs\":[", KS_BY_GROUP, m->groups, (const ks_string[2]){ step->group, KS_NULL_STRING });
    int32_t cause = cause_on_page(story, i);
    if (cause >= 0) step_field(m, ",\"c\":", cause);
    if (step->begins_rebalance) ks_buffer_text(m->out, ",\"b\":1");
    if (step->stable) ks_buffer_text(m->out, ",\"k\":1");
    if (step->important || step->resumes) ks_buffer_text(m->out, ",\"i\":1");
    ks_buffer_text(m->out, "}");
}

void ks_model_steps(ks_model *m) {
    ks_buffer_text(m->out, ",\n\"steps\":[");
    m->first = true;
    for (int32_t i = 0; i < m->story->steps.count; i++)
        if (ks_step_on_page(&m->story->steps.items[i])) one_step(m, i);
    ks_buffer_text(m->out, "]");
}

void ks_model_pauses(ks_model *m) {
    const ks_story *story = m->story;
    ks_buffer_text(m->out, ",\n\"pauses\":[");
    for (int32_t i = 0; i < story->pauses.count; i++) {
        const ks_pause *pause = &story->pauses.items[i];
        ks_model_field(m, i > 0 ? ",\n{\"g\":" : "{\"g\":", ks_model_index(m, &m->groups, pause->group));
        ks_model_field(m, ",\"p\":", ks_model_partition(m, pause->topic, pause->partition));
        ks_model_field(m, ",\"from\":", (pause->from - story->recording->start) / 1000);
        if (pause->to > 0) ks_model_field(m, ",\"to\":", (pause->to - story->recording->start) / 1000);
        step_field(m, ",\"s\":", on_page(story, pause->revoked_step));
        if (pause->resumed_step >= 0) step_field(m, ",\"e\":", on_page(story, pause->resumed_step));
        ks_model_field(m, ",\"m\":", ks_model_index(m, &m->members, pause->before));
        if (pause->after.size > 0) ks_model_field(m, ",\"o\":", ks_model_index(m, &m->members, pause->after));
        if (pause->read_again > 0) ks_model_field(m, ",\"r\":", pause->read_again);
        ks_buffer_text(m->out, "}");
    }
    ks_buffer_text(m->out, "]");
}
