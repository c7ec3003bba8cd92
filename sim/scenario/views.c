/* SPDX-License-Identifier: Apache-2.0
 * A group from both sides: what its coordinator knows, and what each of its consumers holds. In a quiet group they agree; while a
 * member is slow, stands still or was replaced they do not, and that is where messages are handled twice.
 */
#include "sim/scenario/session.h"

#include "sim/protocol/events.h"

#define KIND(x) (kind == ks_describe_ev_##x())

/* Takes `these` out of `spots`, or leaves only them. */
static void filter(ks_spots *spots, const ks_spots *these, bool keep) {
    int32_t kept = 0;
    for (int32_t i = 0; i < spots->count; i++) {
        bool found = false;
        for (int32_t j = 0; !found && j < these->count; j++)
            found = spots->items[i].partition == these->items[j].partition && ks_string_equal(spots->items[i].topic, these->items[j].topic);
        if (found == keep) spots->items[kept++] = spots->items[i];
    }
    spots->count = kept;
}

/* The consumer's own names of topics outlive the event. */
static void intern(const ks_actor *actor, ks_spots *spots) {
    for (int32_t i = 0; i < spots->count; i++)
        for (int32_t t = 0; t < actor->topic_count; t++)
            if (ks_string_equal(spots->items[i].topic, ks_str(actor->topics[t]))) spots->items[i].topic = ks_str(actor->topics[t]);
}

void ks_views_note(ks_session *session, const ks_event *event) {
    const ks_struct *kind = event->kind;
    bool gained = KIND(client_partitions_assigned);
    if (!gained && !KIND(client_partitions_revoked) && !KIND(client_partitions_lost)) return;
    const ks_ev_client_partitions_assigned *e = event->fields;
    ks_actor *actor = ks_actor_find(session, e->client);
    if (actor == NULL) return;
    ks_spots these = { 0 };
    ks_spots_parse(e->partitions, &these);
    intern(actor, &these);
    filter(&actor->held, &these, false);
    for (int32_t i = 0; gained && i < these.count; i++) KS_PUSH(actor->held, these.items[i]);
    if (gained) {
        actor->held_as = ks_arena_string(actor->arena, e->member);
        actor->held_since = e->generation;
    }
    ks_free(these.items);
}

/* What the coordinator gives to the member of that id. */
static void given(const ksim_group *group, ks_string id, ks_spots *spots) {
    for (size_t m = 0; group != NULL && m < group->member_count; m++)
        for (size_t i = 0; ks_string_equal(ks_str(group->members[m].id), id) && i < group->members[m].assigned_count; i++)
            KS_PUSH(*spots, ((ks_spot){ ks_str(group->members[m].assigned[i].topic), group->members[m].assigned[i].partition }));
}

static ks_string written(ks_spots *spots, ks_arena *arena) {
    ks_buffer text = { 0 };
    ks_spots_sort(spots);
    if (spots->count > 0) ks_spots_write(spots, &text);
    ks_string result = ks_arena_string(arena, (ks_string){ text.data ? (const char *)text.data : "", (int32_t)text.size });
    ks_buffer_deinit(&text);
    return result;
}

void ks_views_tell(ks_session *session, ks_string name) {
    ks_kernel *kernel = session->sim->kernel;
    const ksim_group *group = ksim_group_find(session->sim, name.data);
    uint64_t event = KS_EMIT(kernel, NULL, group_viewed, .group = name, .state = ks_str(group != NULL ? group->state : "Dead"),
                             .generation = group != NULL ? group->generation : -1, .assignment = ks_str(ksim_assignment(session->sim, name.data)));
    uint64_t before = ks_cause_set(kernel, event);
    ks_arena *arena = ks_arena_new();
    for (ks_actor *actor = session->actors; actor != NULL; actor = actor->next) {
        if (!actor->running || !ks_string_equal(actor->group, name)) continue;
        ks_spots disputed = { 0 }, known = { 0 };
        for (int32_t i = 0; i < actor->held.count; i++) KS_PUSH(disputed, actor->held.items[i]);
        given(group, actor->held_as, &known);
        filter(&disputed, &known, false);
        KS_EMIT(kernel, NULL, member_viewed, .client = actor->name, .group = name, .generation = actor->held_since, .partitions = written(&actor->held, arena),
                .disputed = written(&disputed, arena), .delivered = actor->delivered, .in_hand = actor->kind->in_hand(actor));
        ks_free(disputed.items);
        ks_free(known.items);
    }
    ks_arena_free(arena);
    ks_cause_set(kernel, before);
}
