/* SPDX-License-Identifier: Apache-2.0
 * The rebalances of a run: what began each, which generation (or epoch) it led to, when everybody had what it should have; and
 * whom the coordinator waits for while it lasts.
 */
#include "sim/base/hash.h"
#include "sim/explain/story_internal.h"
#include "sim/protocol/events.h"

#include <utlist.h>

#define KIND(x) (kind == ks_describe_ev_##x())
#define FIELDS(x) ((const ks_ev_##x *)event->fields)

typedef struct member {
    ks_string id;
    bool joined;                  /* its JoinGroup is held */
    struct member *prev, *next;   /* in the list of those that are waited for */
    bool awaited;
    UT_hash_handle hh;
} member;

typedef struct group {
    ks_string name;
    member *members, *awaited; /* oldest first */
    int32_t awaited_count;
    int32_t rebalance;         /* the last one; -1: none */
    UT_hash_handle hh;
} group;

typedef struct finder {
    ks_story *story;
    ks_arena *arena;
    group *groups;
    int32_t step;              /* where a join was held last: told whom it waits for once the step is through; -1: none */
    ks_string waiting;         /* its group */
} finder;

static group *find(finder *f, ks_string name) {
    group *found;
    KS_HASH_FIND_STRING(hh, f->groups, name, found);
    if (found != NULL) return found;
    found = ks_arena_alloc(f->arena, sizeof *found);
    found->name = name;
    found->rebalance = -1;
    KS_HASH_ADD_STRING(hh, f->groups, name, found);
    return found;
}

static member *find_member(const group *g, ks_string id) {
    member *found = NULL;
    if (id.size > 0) KS_HASH_FIND_STRING(hh, g->members, id, found);
    return found;
}

static void await(group *g, member *m) {
    if (m->awaited) return;
    m->awaited = true;
    DL_APPEND(g->awaited, m);
    g->awaited_count++;
}

static void await_no_more(group *g, member *m) {
    if (!m->awaited) return;
    m->awaited = false;
    DL_DELETE(g->awaited, m);
    g->awaited_count--;
}

static void came(finder *f, group *g, ks_string id) {
    if (id.size <= 0 || find_member(g, id) != NULL) return;
    member *m = ks_arena_alloc(f->arena, sizeof *m);
    m->id = id;
    KS_HASH_ADD_STRING(hh, g->members, id, m);
}

static void went(group *g, ks_string id) {
    member *m = find_member(g, id);
    if (m == NULL) return;
    await_no_more(g, m);
    HASH_DELETE(hh, g->members, m);
}

/* ---- rebalances ---- */

static void begins(finder *f, group *g, int32_t event) {
    ks_rebalance one = { .group = g->name, .generation = -1, .began = event, .reached = -1, .settled = -1, .next = -1 };
    if (g->rebalance >= 0) f->story->rebalances.items[g->rebalance].next = f->story->rebalances.count;
    g->rebalance = f->story->rebalances.count;
    KS_PUSH(f->story->rebalances, one);
    for (member *m = g->members; m != NULL; m = m->hh.next)
        if (!m->joined) await(g, m);
}

static void reached(finder *f, group *g, int32_t event, int32_t generation) {
    if (g->rebalance < 0) return;
    ks_rebalance *one = &f->story->rebalances.items[g->rebalance];
    one->reached = event;
    one->generation = generation;
}

static void settled(finder *f, group *g, int32_t event) {
    if (g->rebalance < 0) return;
    ks_rebalance *one = &f->story->rebalances.items[g->rebalance];
    if (one->settled < 0 && one->reached >= 0) one->settled = event;
}

static void all_answered(group *g) {
    while (g->awaited != NULL) await_no_more(g, g->awaited);
    for (member *m = g->members; m != NULL; m = m->hh.next) m->joined = false;
}

/* "c1", "c1 and c2", "c1, c2 and 8 more". */
static ks_string awaited_text(const finder *f, const group *g) {
    enum { NAMED = 3 };
    ks_buffer text = { 0 };
    int32_t n = 0;
    for (const member *m = g->awaited; m != NULL && n < NAMED; m = m->next, n++) {
        bool last = n + 1 == g->awaited_count;
        ks_buffer_text(&text, n == 0 ? "" : last ? " and " : ", ");
        ks_words_escape(ks_words_member(f->story, f->story->steps.items[f->step].event, m->id), &text);
    }
    if (g->awaited_count > n) ks_buffer_printf(&text, " and %d more", g->awaited_count - n);
    ks_string result = ks_arena_string(f->story->arena, (ks_string){ (const char *)text.data, (int32_t)text.size });
    ks_buffer_deinit(&text);
    return result;
}

static void step_is_through(finder *f) {
    if (f->step < 0) return;
    const group *g = find(f, f->waiting);
    if (g->awaited_count > 0) f->story->steps.items[f->step].waits_for = awaited_text(f, g);
    f->step = -1;
}

static void see(finder *f, const ks_recorded *event, int32_t i) {
    const ks_struct *kind = event->kind;
    if (KIND(group_member_joined)) came(f, find(f, FIELDS(group_member_joined)->group), FIELDS(group_member_joined)->member);
    else if (KIND(group_member_left) || KIND(group_member_removed) || KIND(group_member_expired)) {
        const ks_ev_group_member_left *e = event->fields; /* the three have the same fields */
        went(find(f, e->group), e->member);
    } else if (KIND(group_member_replaced)) {
        group *g = find(f, FIELDS(group_member_replaced)->group);
        went(g, FIELDS(group_member_replaced)->old_member);
        came(f, g, FIELDS(group_member_replaced)->member);
    } else if (KIND(rebalance_started)) begins(f, find(f, FIELDS(rebalance_started)->group), i);
    else if (KIND(join_parked)) {
        group *g = find(f, FIELDS(join_parked)->group);
        member *m = find_member(g, FIELDS(join_parked)->member);
        if (m != NULL) {
            m->joined = true;
            await_no_more(g, m);
        }
        f->step = f->story->step_of_event[i];
        f->waiting = g->name;
    } else if (KIND(join_phase_completed)) {
        group *g = find(f, FIELDS(join_phase_completed)->group);
        reached(f, g, i, FIELDS(join_phase_completed)->generation);
        if (FIELDS(join_phase_completed)->members == 0) settled(f, g, i);
        all_answered(g);
    } else if (KIND(target_assignment_computed)) {
        group *g = find(f, FIELDS(target_assignment_computed)->group);
        reached(f, g, i, FIELDS(target_assignment_computed)->epoch);
        all_answered(g);
    } else if (KIND(group_stabilised)) settled(f, find(f, FIELDS(group_stabilised)->group), i);
    else if (KIND(group_state_changed)) {
        ks_string to = FIELDS(group_state_changed)->to;
        group *emptied = ks_string_equal(to, KS_LITERAL("Empty")) ? find(f, FIELDS(group_state_changed)->group) : NULL;
        if (emptied != NULL && emptied->rebalance >= 0 && f->story->rebalances.items[emptied->rebalance].reached < 0)
            reached(f, emptied, i, FIELDS(group_state_changed)->generation); /* nobody is left: that is a generation too */
        if (ks_string_equal(to, KS_LITERAL("Stable")) || ks_string_equal(to, KS_LITERAL("Empty"))) settled(f, find(f, FIELDS(group_state_changed)->group), i);
    }
}

void ks_story_find_rebalances(ks_story *story) {
    finder f = { .story = story, .arena = ks_arena_new(), .step = -1 };
    for (int32_t i = 0; i < story->recording->events.count; i++) {
        if (f.step >= 0 && story->step_of_event[i] != f.step) step_is_through(&f);
        see(&f, &story->recording->events.items[i], i);
    }
    step_is_through(&f);
    for (group *g = f.groups; g != NULL; g = g->hh.next) HASH_CLEAR(hh, g->members);
    HASH_CLEAR(hh, f.groups);
    ks_arena_free(f.arena);
}
