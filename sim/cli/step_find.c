/* SPDX-License-Identifier: Apache-2.0
 * Where to go: to a step, a rebalance, a word, or until something is so. Each looks at the steps of the level that is shown; what is not
 * found leaves the stepper where it is and says so.
 */
#include "sim/cli/step.h"

#include <kafkasim/error.h>

#include "sim/cli/command.h"
#include "sim/protocol/events.h"
#include "sim/scenario/command.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const ks_step *step_at(const ks_stepper *s, int32_t at) { return &s->story->steps.items[s->shown[at]]; }

static void say(ks_stepper *s, const char *text, const char *what) { snprintf(s->message, sizeof s->message, text, what); }

void ks_step_list(ks_stepper *s, ks_level level) {
    int32_t here = s->shown_count > 0 ? s->shown[s->at] : 0;
    s->shown_count = s->at = 0;
    s->level = level;
    for (int32_t i = 0; i < s->story->steps.count; i++) {
        const ks_step *step = &s->story->steps.items[i];
        bool told = level == KS_LEVEL_EVERYTHING || step->resumes || (level == KS_LEVEL_PROTOCOL ? step->kind != KS_STEP_SUB : step->important);
        if (!told) continue;
        if (i <= here) s->at = s->shown_count;
        s->shown[s->shown_count++] = i;
    }
}

void ks_step_go(ks_stepper *s, int64_t at) {
    if (at >= s->shown_count) at = s->shown_count - 1;
    s->at = at < 0 ? 0 : (int32_t)at;
}

void ks_step_jump(ks_stepper *s, const char *number) {
    int32_t index = ks_story_find(s->story, number);
    if (index < 0) {
        say(s, "there is no step '%s'", number);
        return;
    }
    for (;;) { /* a step that this level leaves out is shown at the next one */
        for (int32_t k = 0; k < s->shown_count; k++)
            if (s->shown[k] == index) {
                s->at = k;
                return;
            }
        ks_step_list(s, s->level + 1);
        say(s, "step %s stands at a deeper level, which is shown now: v changes it", number);
    }
}

void ks_step_rebalance(ks_stepper *s, int direction) {
    for (int32_t k = s->at + direction; k >= 0 && k < s->shown_count; k += direction) {
        if (!step_at(s, k)->begins_rebalance) continue;
        s->at = k;
        return;
    }
    say(s, "no %s rebalance", direction > 0 ? "later" : "earlier");
}

/* ---- search: small letters find both, a capital finds itself ---- */

static const char *find_text(const char *text, const char *wanted, bool exact) {
    size_t size = strlen(wanted);
    for (; *text != '\0'; text++)
        if ((exact ? strncmp(text, wanted, size) : strncasecmp(text, wanted, size)) == 0) return text;
    return NULL;
}

void ks_step_search(ks_stepper *s, int direction) {
    bool exact = false;
    ks_buffer text = { 0 };
    if (s->search[0] == '\0') {
        say(s, "nothing is searched for yet: %s asks", "/");
        return;
    }
    for (const char *c = s->search; *c != '\0'; c++) exact = exact || isupper((unsigned char)*c);
    for (int32_t k = s->at + direction; k >= 0 && k < s->shown_count; k += direction) {
        ks_buffer_clear(&text);
        ks_words_protocol(s->story, s->shown[k], &text);
        ks_buffer_text(&text, " ");
        ks_words_sentence(s->story, s->shown[k], &text);
        ks_buffer_text(&text, "");
        if (find_text((const char *)text.data, s->search, exact) == NULL) continue;
        s->at = k;
        ks_buffer_deinit(&text);
        return;
    }
    ks_buffer_deinit(&text);
    say(s, direction > 0 ? "'%s' is not said after this step; N looks before it" : "'%s' is not said before this step; n looks after it", s->search);
}

/* ---- until ---- */

static const char *const states[] = { "Stable", "Empty", "PreparingRebalance", "CompletingRebalance", "Dead", "Assigning", "Reconciling", NULL };

typedef struct goal {
    const char *state;     /* a group gets into it */
    ks_string group;       /* that one; null: any */
    ks_string who;         /* a client, a broker or a group that takes part */
    bool any_error;
    const char *error;
    int64_t time;          /* ns of the run; -1: none */
} goal;

static const char *state_named(const char *word) {
    for (int i = 0; states[i] != NULL; i++)
        if (strcasecmp(states[i], word) == 0) return states[i];
    return NULL;
}

static bool group_named(const ks_stepper *s, const char *word, ks_string *name) {
    for (int32_t g = 0; g < s->fold->group_count; g++) {
        if (!ks_string_equal(s->fold->groups[g].name, ks_str(word))) continue;
        *name = s->fold->groups[g].name;
        return true;
    }
    return false;
}

static bool node_named(const ks_stepper *s, const char *word, ks_string *name) {
    for (int32_t n = 0; n < s->fold->node_count; n++) {
        if (!ks_string_equal(s->fold->nodes[n].name, ks_str(word))) continue;
        *name = s->fold->nodes[n].name;
        return true;
    }
    return false;
}

static bool error_named(const ks_stepper *s, const char *word, const char **name) {
    for (int32_t i = 0; i < s->story->steps.count; i++) {
        const char *found = kafka_error_name((kafka_error)s->story->steps.items[i].error);
        if (s->story->steps.items[i].error == 0 || strcasecmp(found, word) != 0) continue;
        *name = found;
        return true;
    }
    return false;
}

/* "6s", "6015ms", "6.015", "6.015 s" */
static bool time_named(const char *word, int64_t *ns) {
    if (ks_parse_duration(ks_str(word), ns)) return true;
    int64_t seconds = 0, part = KS_S;
    const char *c = word;
    for (; *c >= '0' && *c <= '9' && seconds < INT64_C(100000000); c++) seconds = seconds * 10 + (*c - '0');
    if (c == word || seconds >= INT64_C(100000000)) return false;
    *ns = seconds * KS_S;
    if (*c == '.')
        for (c++; *c >= '0' && *c <= '9'; c++) *ns += (part /= 10) * (*c - '0');
    return *c == '\0' || strcmp(c, "s") == 0;
}

static bool understand(const ks_stepper *s, const char *text, goal *g) {
    char first[KS_STEP_ANSWER] = "", second[KS_STEP_ANSWER] = "", more[2];
    *g = (goal){ .time = -1, .group = KS_NULL_STRING, .who = KS_NULL_STRING };
    int words = sscanf(text, "%159s %159s %1s", first, second, more);
    if (words == 2 && strcasecmp(first, "error") == 0) return error_named(s, second, &g->error);
    if (words == 2 && strcmp(second, "s") == 0) words = 1;
    if (words == 2) return (g->state = state_named(second)) != NULL ? group_named(s, first, &g->group) : (g->state = state_named(first)) != NULL && group_named(s, second, &g->group);
    if (words != 1) return false;
    if ((g->state = state_named(first)) != NULL) return true;
    if (strcasecmp(first, "error") == 0) return g->any_error = true;
    return group_named(s, first, &g->who) || node_named(s, first, &g->who) || error_named(s, first, &g->error) || time_named(first, &g->time);
}

static bool names(const ks_recorded *event, const char *field_name, ks_string wanted) {
    const ks_field *field = ks_struct_field(event->kind, field_name);
    return field != NULL && field->type == KS_TYPE_string && ks_string_equal(*(const ks_string *)((const char *)event->fields + field->offset), wanted);
}

static bool reached(const ks_stepper *s, const ks_step *step, const goal *g) {
    if (g->any_error) return step->error != 0;
    if (g->error != NULL) return step->error != 0 && strcmp(kafka_error_name((kafka_error)step->error), g->error) == 0;
    if (g->time >= 0) return step->time - s->story->recording->start >= g->time;
    for (int32_t f = 0; f < step->facts.count; f++) {
        const ks_recorded *event = &s->story->recording->events.items[step->facts.items[f]];
        if (g->state != NULL) {
            if (event->kind != ks_describe_ev_group_state_changed()) continue;
            const ks_ev_group_state_changed *e = event->fields;
            if (ks_string_equal(e->to, ks_str(g->state)) && (g->group.size < 0 || ks_string_equal(e->group, g->group))) return true;
        } else if (ks_string_equal(event->node, g->who) || names(event, "group", g->who) || names(event, "from", g->who) || names(event, "to", g->who) ||
                   names(event, "client", g->who) || names(event, "name", g->who)) return true;
    }
    return false;
}

void ks_step_until(ks_stepper *s) {
    goal g;
    if (!understand(s, s->until, &g)) {
        say(s, "until '%s'? Say Stable, GROUP STATE, error [NAME], a client, a group or 6.5s", s->until);
        return;
    }
    bool over = g.time >= 0 && reached(s, step_at(s, s->at), &g);
    for (int32_t k = s->at + 1; k < s->shown_count && !over; k++) {
        if (!reached(s, step_at(s, k), &g)) continue;
        snprintf(s->message, sizeof s->message, "until %s: %d step%s on", s->until, k - s->at, k - s->at == 1 ? "" : "s");
        s->at = k;
        return;
    }
    say(s, "until %s: it does not come any more", s->until);
}
