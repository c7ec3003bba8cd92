/* SPDX-License-Identifier: Apache-2.0
 *
 * ksim_explain_*: joins the simulator (which knows nothing of the readers of its trace) and those readers.
 */
#include <kafkasim/ksim_explain.h>

#include "sim/control/sim.h"
#include "sim/explain/story.h"
#include "sim/base/whole_file.h"

#include <stdlib.h>

typedef struct ks_explaining {
    ks_recording *recording;
    ks_subscriber subscriber;
    char *page; /* where a failing check leaves it; NULL: nowhere */
    char *name;
    bool page_missed; /* it could not be written, and that was said */
} ks_explaining;

static void explaining_free(void *owner) {
    ks_explaining *e = owner;
    ks_recording_free(e->recording);
    ks_free(e->page);
    ks_free(e->name);
    ks_free(e);
}

/* One event in the words of explain, for failure reports; what explain has no words for is printed as it is. */
static void narrate(void *context, const ks_event *event, ks_buffer *out) {
    const ksim *sim = context;
    ks_recording *recording = ks_recording_new();
    ks_recording_event(recording, event);
    ks_story *story = ks_story_new(recording);
    ks_buffer_printf(out, "%6lld  ", (long long)event->id);
    ks_words_seconds(event->time - sim->start, out);
    ks_buffer_printf(out, "  %-10s  ", event->node_name);
    if (!ks_words_clause(story, 0, out)) {
        const char *kind = event->kind->name;
        ks_buffer_printf(out, "%s ", strncmp(kind, "ev_", 3) == 0 ? kind + 3 : kind);
        ks_struct_print(event->kind, event->fields, out);
    }
    ks_story_free(story);
    ks_recording_free(recording);
}

void ks_report_install(ksim *sim) { ks_sim_set_narrator(sim, narrate, sim); }

kafka_error ksim_explain_begin(ksim *sim) {
    kafka_error error = ks_sim_check(sim);
    if (error != KAFKA_OK) return error;
    if (sim->explaining != NULL) return KAFKA_OK;
    ks_explaining *e = ks_alloc(sizeof *e);
    e->recording = ks_recording_new();
    e->recording->start = sim->start;
    e->recording->seed = ks_arena_printf(e->recording->arena, "%llu", (unsigned long long)sim->seed);
    e->subscriber = (ks_subscriber){ .event = ks_recording_event, .context = e->recording };
    ks_trace_subscribe(sim->kernel, &e->subscriber);
    sim->explaining = e;
    sim->explaining_free = explaining_free;
    return KAFKA_OK;
}

static bool render(const ks_recording *recording, ksim_explanation kind, const char *title, ks_buffer *out) {
    ks_story *story = ks_story_new(recording);
    const ks_story *stories[1] = { story };
    bool known = true;
    switch (kind) {
    case KSIM_EXPLAIN_STORY:
    case KSIM_EXPLAIN_PROTOCOL:
    case KSIM_EXPLAIN_EVERYTHING: ks_narrate(story, &(ks_filter){ .level = (ks_level)kind, .partition = -1 }, out); break;
    case KSIM_EXPLAIN_HTML: ks_explanation_html(stories, &title, 1, out); break;
    case KSIM_EXPLAIN_JSON:
        ks_buffer_text(out, "[");
        ks_explanation_json(story, title, out);
        ks_buffer_text(out, "]\n");
        break;
    case KSIM_EXPLAIN_SVG: ks_explanation_svg(story, title, &(ks_filter){ .partition = -1 }, out); break;
    default: known = false;
    }
    ks_story_free(story);
    return known;
}

kafka_error ksim_explain_to_file(ksim *sim, const char *path, ksim_explanation kind, const char *title) {
    static const char call[] = "ksim_explain_to_file";
    kafka_error error = ks_sim_check(sim);
    if (error != KAFKA_OK) return error;
    if (path == NULL) return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "%s: path is NULL", call);
    const ks_explaining *e = sim->explaining;
    if (e == NULL) return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "%s: nothing is remembered; call ksim_explain_begin() right after ksim_new()", call);
    ks_buffer text = { 0 };
    ks_buffer_reserve(&text, 1);
    if (!render(e->recording, kind, title ? title : path, &text)) error = ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "%s: there is no explanation of kind %d", call, (int)kind);
    else if (!ks_whole_file_write(path, &text)) error = ks_sim_fail(sim, KAFKA_ERR_IO, "%s: %s cannot be written; does its folder exist?", call, path);
    ks_buffer_deinit(&text);
    return error;
}

const char *ksim_explain_failed(ksim *sim) {
    if (ks_sim_check(sim) != KAFKA_OK) return NULL;
    ks_explaining *e = sim->explaining;
    if (e == NULL || e->page == NULL) return NULL;
    if (ksim_explain_to_file(sim, e->page, KSIM_EXPLAIN_HTML, e->name) == KAFKA_OK) return e->page;
    if (!e->page_missed) ks_runtime_say(sim->runtime, "the run is not left behind as KSIM_PAGES asks: %s", sim->detail);
    e->page_missed = true;
    return NULL;
}

static void leave_page(void *context, ks_buffer *report) {
    const char *page = ksim_explain_failed(context);
    if (page != NULL) ks_buffer_printf(report, "\nThe run as a page: %s\n", page);
}

kafka_error ksim_explain_failures(ksim *sim, const char *name) {
    kafka_error error = ks_sim_check(sim);
    if (error != KAFKA_OK) return error;
    if (name == NULL) return ks_sim_fail(sim, KAFKA_ERR_INVALID_ARGUMENT, "ksim_explain_failures: name is NULL");
    const char *folder = getenv("KSIM_PAGES");
    if (folder == NULL || *folder == '\0') return KAFKA_OK;
    error = ksim_explain_begin(sim);
    if (error != KAFKA_OK) return error;
    ks_explaining *e = sim->explaining;
    ks_buffer path = { 0 };
    ks_buffer_printf(&path, "%s/", folder);
    for (const char *c = name; *c != '\0'; c++) {
        bool kept = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_' || *c == '-';
        ks_buffer_append(&path, kept ? c : "_", 1);
    }
    ks_buffer_text(&path, ".html");
    ks_free(e->page);
    ks_free(e->name);
    e->page = ks_buffer_take(&path);
    e->name = ks_strndup(name, strlen(name));
    sim->check_failed = leave_page;
    sim->check_failed_context = sim;
    return KAFKA_OK;
}
